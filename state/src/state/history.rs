//! Operations that were, and what a crash left of them.

use std::{collections::BTreeMap, iter::Peekable};

use serde::{Deserialize, Serialize};

use super::{
    State, StateError, Step, StepOutcome,
    committer::{Entry, Mark},
    keys, record_error,
};
use crate::{
    record::{
        Counts, OperationRecord, OperationStatus, OutputRecord, Saved, SavedIntent, SavedOutcome, StepId,
        StepRecord, StepStatus, now,
    },
    store::{Batch, Scan},
};

/// What an operation did to the outputs of the root module.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OutputChange {
    /// All outputs before it.
    #[serde(rename = "b")]
    pub before: BTreeMap<String, OutputRecord>,
    /// All outputs after it.
    #[serde(rename = "a")]
    pub after: BTreeMap<String, OutputRecord>,
}

impl Saved for OutputChange {
    const KIND: &'static str = "the record of a change of outputs";
    const VERSION: u8 = 1;
}

impl OutputChange {
    /// The change that leads to `outputs`, and what has to be written for it.
    pub(super) fn become_outputs(
        mut self,
        outputs: BTreeMap<String, OutputRecord>,
        content: &mut Batch,
    ) -> Self {
        for name in self.after.keys().filter(|name| !outputs.contains_key(*name)) {
            content.delete(keys::output(name));
        }
        for (name, record) in outputs.iter().filter(|(name, record)| self.after.get(*name) != Some(record)) {
            content.put(keys::output(name), record.encode());
        }
        self.after = outputs;
        self
    }
}

/// An operation with all that it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who, when, why, and how it went.
    pub record: OperationRecord,
    /// What it did to the outputs, if anything.
    pub outputs: Option<OutputChange>,
    /// Its steps in the order in which they were intended.
    pub steps: Vec<StepRecord>,
}

impl State {
    /// All operations, the newest first, read as they are asked for.
    pub fn history(&self) -> impl Iterator<Item = Result<OperationRecord, StateError>> + '_ {
        self.store().scan(keys::OPERATIONS).map(|entry| {
            let (key, value) = entry?;
            OperationRecord::decode(&value).map_err(record_error(&key))
        })
    }

    /// The record of an operation.
    ///
    /// # Errors
    /// The store or the record cannot be read.
    pub fn operation_record(&self, number: u64) -> Result<Option<OperationRecord>, StateError> {
        self.record(&keys::operation(number))
    }

    /// An operation with its steps, all of which are held in memory.
    ///
    /// # Errors
    /// There is no such operation, or the store or a record cannot be read.
    pub fn operation(&self, number: u64) -> Result<Operation, StateError> {
        let record = self.operation_record(number)?.ok_or(StateError::NoSuchOperation(number))?;
        let outputs = self.record(&keys::output_change(number))?;
        let steps = self.steps(number).collect::<Result<_, _>>()?;
        Ok(Operation { record, outputs, steps })
    }

    /// The steps of an operation in the order in which they were intended, read as they are asked for.
    pub fn steps(&self, number: u64) -> impl Iterator<Item = Result<StepRecord, StateError>> + '_ {
        Steps(self.store().scan(&keys::steps(number)).peekable())
    }

    /// The operations that have not ended, the oldest first. Operations that this process is writing are not among them;
    /// those of another process are, if the state is open for reading only.
    ///
    /// # Errors
    /// The store or a record cannot be read.
    pub fn unfinished(&self) -> Result<Vec<OperationRecord>, StateError> {
        let live = self.live().clone();
        let mut unfinished = Vec::new();
        for entry in self.store().scan(keys::UNFINISHED) {
            let (key, _) = entry?;
            let number = keys::unfinished_number(&key)
                .ok_or_else(|| StateError::Contradiction(format!("{} is no key", key.escape_ascii())))?;
            if !live.contains(&number) {
                unfinished.push(self.operation_record(number)?.ok_or(StateError::NoSuchOperation(number))?);
            }
        }
        Ok(unfinished)
    }

    /// The steps of [`State::unfinished`] operations that were intended and have no outcome: their providers may have
    /// been called, and nobody has recorded what came of it.
    ///
    /// # Errors
    /// The store or a record cannot be read.
    pub fn in_flight(&self) -> Result<Vec<StepRecord>, StateError> {
        let mut in_flight = Vec::new();
        for operation in self.unfinished()? {
            for step in self.steps(operation.number) {
                let step = step?;
                if step.status == StepStatus::Intended {
                    in_flight.push(step);
                }
            }
        }
        Ok(in_flight)
    }

    /// Gives steps that are in flight the outcomes that were found out, then marks operations that have no step in
    /// flight any more as interrupted.
    ///
    /// # Errors
    /// A step is not in flight (none is resolved then), or the store cannot be read or written.
    pub fn resolve(&self, outcomes: impl IntoIterator<Item = (Step, StepOutcome)>) -> Result<(), StateError> {
        let outcomes: Vec<_> = outcomes.into_iter().collect();
        for (step, _) in &outcomes {
            self.check_in_flight(step.id)?;
        }
        let tickets: Vec<_> =
            outcomes.into_iter().map(|(step, outcome)| self.queue(outcome.entry(&step))).collect();
        tickets.iter().try_for_each(|ticket| ticket.wait())?;
        self.mark_interrupted()?;
        Ok(())
    }

    fn check_in_flight(&self, id: StepId) -> Result<(), StateError> {
        let live = self.live().contains(&id.operation);
        let running = self.store().get(&keys::unfinished(id.operation))?.is_some();
        let intended = self.store().get(&keys::intent(id))?.is_some();
        let ended = self.store().get(&keys::outcome(id))?.is_some();
        if !live && running && intended && !ended {
            return Ok(());
        }
        Err(StateError::NotInFlight { operation: id.operation, index: id.index })
    }

    /// Marks the unfinished operations that have no step in flight as interrupted, and returns their records.
    ///
    /// # Errors
    /// The store cannot be read or written, or the state is open for reading only.
    pub fn mark_interrupted(&self) -> Result<Vec<OperationRecord>, StateError> {
        let mut marked = Vec::new();
        for mut record in self.unfinished()? {
            let mut counts = Counts::default();
            let mut in_flight = false;
            for step in self.steps(record.number) {
                let step = step?;
                in_flight |= step.status == StepStatus::Intended;
                counts.count(step.action, step.status);
            }
            if in_flight {
                continue;
            }
            record = OperationRecord {
                status: OperationStatus::Interrupted,
                ended: Some(now()),
                counts,
                ..record
            };
            let number = record.number;
            self.queue(Entry { operation: Some(Mark::End(record)), ..Entry::default() }).wait()?;
            marked.extend(self.operation_record(number)?);
        }
        Ok(marked)
    }
}

/// Puts intents and outcomes together.
struct Steps<'a>(Peekable<Scan<'a>>);

impl Iterator for Steps<'_> {
    type Item = Result<StepRecord, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = match self.0.next()? {
            Ok(entry) => entry,
            Err(error) => return Some(Err(error.into())),
        };
        Some(self.step(&key, &value))
    }
}

impl Steps<'_> {
    fn step(&mut self, key: &[u8], value: &[u8]) -> Result<StepRecord, StateError> {
        let Some((id, true)) = keys::step(key) else {
            return Err(StateError::Contradiction(format!("{} has no intent", key.escape_ascii())));
        };
        let intent = SavedIntent::decode(value).map_err(record_error(key))?;
        let wanted = keys::outcome(id);
        let outcome = match self.0.next_if(|next| next.as_ref().is_ok_and(|(key, _)| *key == wanted)) {
            Some(Ok((key, value))) => Some(SavedOutcome::decode(&value).map_err(record_error(&key))?),
            _ => None,
        };
        Ok(StepRecord::new(id, intent, outcome))
    }
}
