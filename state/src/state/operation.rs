//! Writing an operation, step by step.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    State, StateError, Ticket,
    committer::{Entry, Mark},
    history::OutputChange,
    keys,
};
use crate::{
    json::JsonText,
    record::{
        Counts, InstanceKey, InstanceRecord, OperationKind, OperationRecord, OperationStatus, OutputRecord,
        Saved, SavedIntent, SavedOutcome, StepAction, StepId, StepRecord, StepStatus, now,
    },
    store::Batch,
};

/// What is known of an operation when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationHeader {
    /// What kind of work it is.
    pub kind: OperationKind,
    /// `user@host`.
    pub who: String,
    /// Why, in the words of the user.
    pub reason: Option<String>,
    /// The digest of the plan that it carries out.
    pub plan_digest: Option<String>,
}

/// A change of one record that comes with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordChange {
    /// The record is this from now on, at the address and deposed key that it names.
    Put(Box<InstanceRecord>),
    /// The record is dropped.
    Remove(InstanceKey),
}

/// What a step is about to do.
#[derive(Clone, Debug)]
pub struct StepIntent {
    /// The object that it is about.
    pub key: InstanceKey,
    /// What it does.
    pub action: StepAction,
    /// The record as it is now.
    pub before: Option<InstanceRecord>,
    /// The planned value, as JSON text.
    pub planned: Option<JsonText>,
    /// Records that change together with the intent, for example the object that is deposed before its replacement is
    /// created.
    pub also: Vec<RecordChange>,
}

/// A step that waits for its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which step.
    pub id: StepId,
    /// The object that it is about.
    pub key: InstanceKey,
    /// What it does.
    pub action: StepAction,
}

impl StepRecord {
    /// The step, for giving it an outcome.
    pub fn step(&self) -> Step {
        Step { id: self.id, key: self.key.clone(), action: self.action }
    }
}

/// What became of the record of the object that a step is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// It is as it was before the step.
    Kept,
    /// It is this, at the address and deposed key that it names.
    Record(Box<InstanceRecord>),
    /// There is none any more.
    Gone,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOutcome {
    /// How it went.
    pub status: StepStatus,
    /// What became of the record.
    pub after: After,
    /// Why it failed.
    pub error: Option<String>,
    /// Other records that change together with the outcome.
    pub also: Vec<RecordChange>,
}

impl StepOutcome {
    /// It did what it meant to, and this is the record now.
    pub fn done(record: InstanceRecord) -> Self {
        Self {
            status: StepStatus::Done,
            after: After::Record(Box::new(record)),
            error: None,
            also: Vec::new(),
        }
    }

    /// It did what it meant to, and there is no record any more.
    pub fn gone() -> Self {
        Self { status: StepStatus::Done, after: After::Gone, error: None, also: Vec::new() }
    }

    /// It did what it meant to, and the record is as it was.
    pub fn kept() -> Self {
        Self { status: StepStatus::Done, after: After::Kept, error: None, also: Vec::new() }
    }

    /// It failed, and left this behind.
    pub fn failed(error: impl Into<String>, after: After) -> Self {
        Self { status: StepStatus::Failed, after, error: Some(error.into()), also: Vec::new() }
    }

    /// What goes into the store for it.
    pub(super) fn entry(self, step: &Step) -> Entry {
        let mut entry = Entry::default();
        let (kept, after) = match self.after {
            After::Kept => (true, None),
            After::Record(record) => {
                entry.content.put(keys::instance(&record.key()), record.encode());
                (false, Some(*record))
            }
            After::Gone => {
                entry.content.delete(keys::instance(&step.key));
                (false, None)
            }
        };
        change_records(&mut entry.content, &self.also);
        let saved = SavedOutcome { status: self.status, ended: now(), kept, after, error: self.error };
        entry.journal.put(keys::outcome(step.id), saved.encode());
        entry
    }
}

pub(super) fn change_records(content: &mut Batch, changes: &[RecordChange]) {
    for change in changes {
        match change {
            RecordChange::Put(record) => content.put(keys::instance(&record.key()), record.encode()),
            RecordChange::Remove(key) => content.delete(keys::instance(key)),
        }
    }
}

/// Writes one operation. Its methods may be called from many threads at once; none of them waits for the disk except
/// [`OperationWriter::finish`].
///
/// Dropping it without finishing leaves the operation as a crash would: unfinished, to be resolved later.
pub struct OperationWriter {
    state: State,
    record: OperationRecord,
    next_index: AtomicU32,
    counts: Mutex<Counts>,
    outputs: Mutex<Option<OutputChange>>,
}

impl State {
    /// Begins an operation and waits until that is durable. The first operation gives the state its lineage.
    ///
    /// # Errors
    /// The state is open for reading only, or the store cannot be written.
    pub fn begin(&self, header: OperationHeader) -> Result<OperationWriter, StateError> {
        self.begin_with(header, None)
    }

    /// Begins an operation; if it is the first, the state gets the lineage that is given, or a new one.
    pub(super) fn begin_with(
        &self,
        header: OperationHeader,
        lineage: Option<String>,
    ) -> Result<OperationWriter, StateError> {
        let record = self.new_operation(header);
        // From here on, dropping the writer makes the operation unfinished rather than live.
        let mut writer = OperationWriter {
            state: self.clone(),
            record: record.clone(),
            next_index: AtomicU32::new(0),
            counts: Mutex::default(),
            outputs: Mutex::default(),
        };
        let lineage = lineage.or_else(|| Some(uuid::Uuid::new_v4().to_string()));
        self.queue(Entry { operation: Some(Mark::Begin(record)), lineage, ..Entry::default() }).wait()?;
        writer.record = self.record(&keys::operation(writer.number()))?.ok_or_else(|| {
            StateError::Contradiction("an operation that was just begun is not there".to_owned())
        })?;
        Ok(writer)
    }

    fn new_operation(&self, header: OperationHeader) -> OperationRecord {
        let OperationHeader { kind, who, reason, plan_digest } = header;
        let mut live = self.live();
        let saved = self.meta().next_operation;
        let number = live.last().map_or(saved, |last| saved.max(last + 1));
        live.insert(number);
        OperationRecord {
            number,
            kind,
            who,
            started: now(),
            ended: None,
            reason,
            plan_digest,
            status: OperationStatus::Running,
            serial_before: 0,
            serial_after: None,
            counts: Counts::default(),
        }
    }
}

impl OperationWriter {
    /// The number of the operation.
    pub fn number(&self) -> u64 {
        self.record.number
    }

    /// Saves what a step is about to do. The provider may be called when the ticket has resolved, not before.
    pub fn intend(&self, intent: StepIntent) -> (Step, Ticket) {
        let StepIntent { key, action, before, planned, also } = intent;
        let index = self.next_index.fetch_add(1, Ordering::Relaxed);
        let id = StepId { operation: self.number(), index };
        let mut entry = Entry::default();
        let saved = SavedIntent { key, action, started: now(), before, planned };
        entry.journal.put(keys::intent(id), saved.encode());
        change_records(&mut entry.content, &also);
        (Step { id, key: saved.key, action }, self.state.queue(entry))
    }

    /// Saves what came of a step, and changes its record and the serial with it. Steps that wait for this one may start
    /// when the ticket has resolved, not before.
    pub fn outcome(&self, step: &Step, outcome: StepOutcome) -> Ticket {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).count(step.action, outcome.status);
        self.state.queue(outcome.entry(step))
    }

    /// Replaces the outputs of the root module: those that `outputs` does not name are removed.
    ///
    /// # Errors
    /// The outputs that are there cannot be read.
    pub fn outputs(&self, outputs: BTreeMap<String, OutputRecord>) -> Result<Ticket, StateError> {
        let mut known = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let change = match known.take() {
            Some(change) => change,
            None => {
                let before = self.state.outputs()?;
                OutputChange { after: before.clone(), before }
            }
        };
        let mut entry = Entry::default();
        let change = change.become_outputs(outputs, &mut entry.content);
        if change.before != change.after || !entry.content.is_empty() {
            entry.journal.put(keys::output_change(self.number()), change.encode());
        }
        *known = Some(change);
        Ok(self.state.queue(entry))
    }

    /// Ends the operation and waits until that, and all entries before it, are durable. Returns its final record.
    ///
    /// # Errors
    /// The store cannot be written; the operation stays unfinished.
    pub fn finish(self, status: OperationStatus) -> Result<OperationRecord, StateError> {
        let counts = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        self.finish_with(status, counts, Entry::default())
    }

    /// Ends the operation together with other changes.
    pub(super) fn finish_with(
        &self,
        status: OperationStatus,
        counts: Counts,
        mut entry: Entry,
    ) -> Result<OperationRecord, StateError> {
        let record = OperationRecord { status, ended: Some(now()), counts, ..self.record.clone() };
        entry.operation = Some(Mark::End(record));
        self.state.queue(entry).wait()?;
        self.state
            .record(&keys::operation(self.number()))?
            .ok_or_else(|| StateError::Contradiction("an operation that just ended is not there".to_owned()))
    }
}

impl Drop for OperationWriter {
    fn drop(&mut self) {
        self.state.live().remove(&self.record.number);
    }
}
