//! Editing records without touching objects: removing, moving, taking in.
//!
//! An edit is an operation like any other, with a step for each record, so that history shows it and it can be gone
//! back. All of its steps are made in one atomic change.

use std::collections::BTreeMap;

use super::{OperationHeader, State, StateError, committer::Entry, history::OutputChange, keys};
use crate::{
    json::JsonText,
    record::{
        Counts, InstanceKey, InstanceRecord, OperationRecord, OperationStatus, OutputRecord, Saved,
        SavedIntent, SavedOutcome, StepAction, StepId, StepStatus, now,
    },
};

/// A change of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Drops the record of an object; the object stays.
    Remove(InstanceKey),
    /// Gives a record another address or deposed key. Nothing may be there already.
    Move {
        /// Where it is.
        from: InstanceKey,
        /// Where it goes.
        to: InstanceKey,
    },
    /// Sets a record, whether there was one or not.
    Put(Box<InstanceRecord>),
}

/// Changes that are made together.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// The records to change, in order.
    pub records: Vec<Edit>,
    /// All outputs from now on; absent to leave them.
    pub outputs: Option<BTreeMap<String, OutputRecord>>,
    /// What a state file said that has no other place: one JSON object; absent to leave it.
    pub foreign: Option<JsonText>,
    /// The lineage to take over if the state has none yet.
    pub lineage: Option<String>,
    /// The serial to go up to if the state is below it.
    pub serial: Option<u64>,
}

impl State {
    /// Changes records as one operation: all of it or nothing.
    ///
    /// # Errors
    /// A record to remove or move is not there, the place to move it to is taken, or the store cannot be read or
    /// written.
    pub fn edit(&self, header: OperationHeader, edits: Edits) -> Result<OperationRecord, StateError> {
        let mut editor = Editor { state: self, now: BTreeMap::new(), steps: Vec::new() };
        for edit in edits.records {
            editor.edit(edit)?;
        }
        let steps = editor.steps;
        let before = self.outputs()?;
        let writer = self.begin_with(header, edits.lineage)?;
        let mut entry = Entry { serial: edits.serial, ..Entry::default() };
        let mut counts = Counts::default();
        for (index, step) in (0..).zip(steps) {
            counts.count(step.action, StepStatus::Done);
            step.write(StepId { operation: writer.number(), index }, &mut entry);
        }
        if let Some(outputs) = edits.outputs {
            let change =
                OutputChange { after: before.clone(), before }.become_outputs(outputs, &mut entry.content);
            entry.journal.put(keys::output_change(writer.number()), change.encode());
        }
        if let Some(foreign) = edits.foreign {
            entry.journal.put(keys::FOREIGN, foreign.as_str());
        }
        writer.finish_with(OperationStatus::Succeeded, counts, entry)
    }
}

/// Checks edits one after the other, each against what those before it leave.
struct Editor<'a> {
    state: &'a State,
    /// The records that edits have changed so far; none for those that are gone.
    now: BTreeMap<InstanceKey, Option<InstanceRecord>>,
    steps: Vec<EditStep>,
}

/// One edit, ready to be written.
struct EditStep {
    key: InstanceKey,
    action: StepAction,
    before: Option<InstanceRecord>,
    after: Option<InstanceRecord>,
}

impl Editor<'_> {
    fn get(&self, key: &InstanceKey) -> Result<Option<InstanceRecord>, StateError> {
        match self.now.get(key) {
            Some(record) => Ok(record.clone()),
            None => self.state.instance(key),
        }
    }

    fn existing(&self, key: &InstanceKey) -> Result<InstanceRecord, StateError> {
        self.get(key)?.ok_or_else(|| StateError::NoSuchInstance(key.clone()))
    }

    fn edit(&mut self, edit: Edit) -> Result<(), StateError> {
        let step = match edit {
            Edit::Remove(key) => {
                let before = Some(self.existing(&key)?);
                EditStep { key, action: StepAction::Forget, before, after: None }
            }
            Edit::Move { from, to } => {
                let before = self.existing(&from)?;
                if self.get(&to)?.is_some() {
                    return Err(StateError::InstanceExists(to));
                }
                let after = InstanceRecord { address: to.address, deposed: to.deposed, ..before.clone() };
                EditStep { key: from, action: StepAction::State, before: Some(before), after: Some(after) }
            }
            Edit::Put(record) => {
                let key = record.key();
                EditStep { before: self.get(&key)?, key, action: StepAction::State, after: Some(*record) }
            }
        };
        self.now.insert(step.key.clone(), None);
        if let Some(after) = &step.after {
            self.now.insert(after.key(), Some(after.clone()));
        }
        self.steps.push(step);
        Ok(())
    }
}

impl EditStep {
    fn write(self, id: StepId, entry: &mut Entry) {
        let Self { key, action, before, after } = self;
        let place = keys::instance(&key);
        let (started, ended) = (now(), now());
        match &after {
            Some(after) if after.key() == key => {}
            _ => entry.content.delete(place),
        }
        if let Some(after) = &after {
            entry.content.put(keys::instance(&after.key()), after.encode());
        }
        let intent = SavedIntent { key, action, started, before, planned: None };
        entry.journal.put(keys::intent(id), intent.encode());
        let outcome = SavedOutcome { status: StepStatus::Done, ended, kept: false, after, error: None };
        entry.journal.put(keys::outcome(id), outcome.encode());
    }
}
