//! From what operations recorded to how things were before them.
//!
//! [`Way::read`] takes the steps of the operations back one after the other, the newest first, on a copy of the
//! records that they are about. What is left is, for each record, how it was (`target`) and where the object is that it
//! is about now (`now`): often under the same key, after a move under another, and nowhere if the object was deleted.
//!
//! Steps that changed records alone are taken back as such: an object that only they are about is not touched. A
//! record that was dropped is still a description of an object that exists, so going back further starts from it.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use plumb_model::address::{Instance, ProviderConfig, ProviderSource};
use plumb_state::record::{InstanceKey, InstanceRecord, StepAction, StepRecord, StepStatus};
use plumb_state::{OutputRecord, State, StateError};

/// The way back to the state before an operation.
#[derive(Clone, Debug)]
pub struct Way {
    /// The operation whose state before is gone back to.
    pub number: u64,
    /// The last operation that is taken back.
    pub last: u64,
    /// What differs between then and now, by the key then.
    pub(crate) slots: Vec<Slot>,
    /// The outputs then, if they are others now.
    pub(crate) outputs: Option<BTreeMap<String, OutputRecord>>,
    /// What cannot be gone back to at all.
    pub left: Vec<Left>,
}

/// An object that stays as it is although it was not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its address.
    pub address: EcoString,
    /// Why it cannot be taken back.
    pub reason: EcoString,
}

/// One record then and now.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// The key then; that of now where there was nothing.
    pub key: InstanceKey,
    /// The record then.
    pub target: Option<InstanceRecord>,
    /// The object now.
    pub now: Option<Now>,
    /// Whether a step asked a provider to do something to the object.
    pub touched: bool,
    /// Whether a step failed in such a way that the object may be another than is recorded.
    pub uncertain: bool,
    /// How there came to be an object where there was none.
    pub born: Born,
    /// Whether another object has the address that this one had, or has had since.
    pub crossed: bool,
}

/// Where an object is recorded now.
#[derive(Clone, Debug)]
pub(crate) struct Now {
    /// Its record; if it was dropped, as it was then.
    pub record: InstanceRecord,
    /// Whether state still has the record.
    pub recorded: bool,
}

/// How there came to be an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Born {
    /// A step made it.
    Created,
    /// It existed, and was taken under management.
    TakenIn,
}

impl Way {
    /// The way back to the state before operation `number`, or before the last one.
    ///
    /// # Errors
    /// If there is no such operation, or state cannot be read.
    pub fn read(state: &State, number: Option<u64>) -> Result<Way, StateError> {
        let mut operations = Vec::new();
        for operation in state.history() {
            let operation = operation?;
            if number.is_some_and(|number| operation.number < number) {
                break;
            }
            operations.push(operation.number);
            if number.is_none() {
                break;
            }
        }
        let (Some(&last), Some(&first)) = (operations.first(), operations.last()) else {
            return Err(StateError::NoSuchOperation(number.unwrap_or(0)));
        };
        if number.is_some_and(|number| number != first) {
            return Err(StateError::NoSuchOperation(number.unwrap_or(0)));
        }
        let mut records = Records { state, slots: BTreeMap::new(), left: Vec::new() };
        let mut outputs = None;
        for number in operations {
            let operation = state.operation(number)?;
            for step in operation.steps.iter().rev() {
                records.take_back(step)?;
            }
            outputs = operation.outputs.map(|change| change.before).or(outputs);
        }
        let now = state.outputs()?;
        let Records { slots, left, .. } = records;
        Ok(Way {
            number: first,
            last,
            slots: slots.into_values().filter(Slot::differs).collect(),
            outputs: outputs.filter(|then| *then != now),
            left,
        })
    }

    /// The resource types of what is gone back to and what is there now, by where their providers come from.
    pub fn types(&self) -> BTreeMap<ProviderSource, BTreeSet<EcoString>> {
        let mut types: BTreeMap<ProviderSource, BTreeSet<EcoString>> = BTreeMap::new();
        let records =
            self.slots.iter().flat_map(|slot| slot.target.iter().chain(slot.now.iter().map(|n| &n.record)));
        for record in records {
            if let (Ok(config), Ok(address)) =
                (ProviderConfig::parse(&record.provider), Instance::parse(&record.address))
            {
                types.entry(config.source).or_default().insert(address.resource.kind);
            }
        }
        types
    }

    /// The provider configurations that manage what is gone back to and what is there now.
    pub fn providers(&self) -> BTreeSet<ProviderConfig> {
        let records =
            self.slots.iter().flat_map(|slot| slot.target.iter().chain(slot.now.iter().map(|n| &n.record)));
        records.filter_map(|record| ProviderConfig::parse(&record.provider).ok()).collect()
    }
}

impl Slot {
    fn differs(&self) -> bool {
        match (&self.target, &self.now) {
            (None, None) => false,
            (Some(target), Some(now)) => self.uncertain || !now.recorded || *target != now.record,
            _ => true,
        }
    }
}

/// The records as they were, as far back as steps have been taken back.
struct Records<'s> {
    state: &'s State,
    slots: BTreeMap<InstanceKey, Slot>,
    left: Vec<Left>,
}

impl Records<'_> {
    fn slot(&mut self, key: &InstanceKey) -> Result<&mut Slot, StateError> {
        if !self.slots.contains_key(key) {
            let record = self.state.instance(key)?;
            let slot = Slot {
                key: key.clone(),
                now: record.clone().map(|record| Now { record, recorded: true }),
                target: record,
                touched: false,
                uncertain: false,
                born: Born::Created,
                crossed: false,
            };
            self.slots.insert(key.clone(), slot);
        }
        Ok(self.slots.get_mut(key).expect("it has just been put there"))
    }

    fn take_back(&mut self, step: &StepRecord) -> Result<(), StateError> {
        if step.status == StepStatus::Intended {
            return Ok(());
        }
        if step.before == step.after {
            return self.note_uncertain(step);
        }
        let after = step.after.as_ref().map_or_else(|| step.key.clone(), InstanceRecord::key);
        let touches = matches!(step.action, StepAction::Create | StepAction::Update | StepAction::Delete);
        let Some(before) = &step.before else {
            let slot = self.slot(&after)?;
            slot.target = None;
            slot.touched |= touches;
            slot.born = if step.action == StepAction::Create { Born::Created } else { Born::TakenIn };
            return Ok(());
        };
        if step.action == StepAction::Create {
            self.drop_twin(before)?;
        }
        let key = before.key();
        if key != after {
            self.move_back(&after, &key)?;
        }
        let slot = self.slot(&key)?;
        slot.target = Some(before.clone());
        slot.touched |= touches;
        if step.action == StepAction::Forget && slot.now.is_none() {
            slot.now = Some(Now { record: before.clone(), recorded: false });
        }
        Ok(())
    }

    /// A step that changed no record may still have changed its object.
    fn note_uncertain(&mut self, step: &StepRecord) -> Result<(), StateError> {
        match (step.status, step.action) {
            (StepStatus::InDoubt, StepAction::Create) => self.left.push(Left {
                address: ecow::eco_format!("{}", step.key),
                reason: "its creation was interrupted, and nobody could find out whether there is an object"
                    .into(),
            }),
            (StepStatus::Failed | StepStatus::InDoubt, StepAction::Update | StepAction::Delete) => {
                let key = step.before.as_ref().map_or_else(|| step.key.clone(), InstanceRecord::key);
                let slot = self.slot(&key)?;
                slot.uncertain = true;
                slot.touched = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// An object that was replaced by one created first waited beside it under a key of its own. Then, it did not.
    fn drop_twin(&mut self, before: &InstanceRecord) -> Result<(), StateError> {
        let beside = |slot: &&mut Slot| {
            slot.key.address == before.address
                && slot.key.deposed.is_some()
                && slot.target.as_ref().is_some_and(|twin| twin.attributes == before.attributes)
        };
        let first = InstanceKey::current(before.address.clone());
        let mut near = self.slots.range_mut(first..).map(|(_, slot)| slot);
        let twin = near.by_ref().take_while(|slot| slot.key.address == before.address).find(beside);
        if let Some(twin) = twin {
            twin.target = None;
            twin.born = Born::Created;
        }
        Ok(())
    }

    /// The object that is recorded at `from` was recorded at `to`.
    fn move_back(&mut self, from: &InstanceKey, to: &InstanceKey) -> Result<(), StateError> {
        if self.slot(to)?.now.is_some() {
            // Another object has taken its place since: one of them would have to go before the other can come.
            self.slot(to)?.crossed = true;
            self.slot(from)?.crossed = true;
            return Ok(());
        }
        let slot = self.slot(from)?;
        slot.target = None;
        let (now, touched, uncertain) = (slot.now.take(), slot.touched, slot.uncertain);
        let slot = self.slot(to)?;
        slot.now = now;
        slot.touched |= touched;
        slot.uncertain |= uncertain;
        Ok(())
    }
}
