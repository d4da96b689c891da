//! What is recorded, by address, ready to be planned against.
//!
//! Records keep their raw attributes until their instance is planned, so that a state of any size costs one small
//! object for each record. `moved` blocks are applied in [`super::moves`]: afterwards everything is found under its new
//! address, and [`Kept::moved_from`] remembers the old one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::address::{ConfigResource, Instance, Mode, ProviderConfig, ProviderSource};
use plumb_model::{Diagnostic, Diagnostics, Type, Value};
use plumb_state::{InstanceKey, InstanceRecord, OutputRecord, State};

use super::StateBinding;
use crate::recorded::Recorded;

/// What is kept at one address.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The current object.
    pub current: Option<Arc<Recorded>>,
    /// Former objects that wait to be deleted.
    pub deposed: Vec<Arc<Recorded>>,
    /// Where it was before `moved` blocks were applied.
    pub moved_from: Option<Instance>,
}

/// Everything that is recorded.
#[derive(Clone, Debug, Default)]
pub struct Prior {
    pub(super) instances: BTreeMap<Instance, Kept>,
    /// The addresses of each block, so that what is no longer wished is found without looking at everything.
    pub(super) blocks: BTreeMap<ConfigResource, BTreeSet<Instance>>,
    /// The outputs of the root module.
    pub outputs: BTreeMap<EcoString, (Value, bool)>,
    /// What a plan made from it is bound to.
    pub binding: StateBinding,
}

impl Prior {
    /// Reads all of a state.
    ///
    /// # Errors
    /// If it cannot be read, or holds a record that is not understood.
    pub fn read(state: &State) -> Result<Prior, Diagnostics> {
        let snapshot = state.snapshot().map_err(|e| crate::trouble::state(&e))?;
        let mut prior = Prior {
            binding: StateBinding {
                lineage: snapshot.lineage.clone().unwrap_or_default(),
                serial: snapshot.serial,
                digest: snapshot.digest.to_string(),
                records: BTreeMap::new(),
            },
            ..Prior::default()
        };
        let mut diagnostics = Diagnostics::new();
        for (name, output) in &snapshot.outputs {
            match output_value(output) {
                Some(value) => {
                    prior.outputs.insert(name.into(), (value, output.sensitive));
                }
                None => diagnostics.push(unreadable_output(name)),
            }
        }
        for instance in snapshot.instances {
            let instance = instance.map_err(|e| crate::trouble::state(&e))?;
            prior.binding.records.insert(instance.record.key().to_string(), instance.digest.to_string());
            match Recorded::read(&instance.record) {
                Ok(recorded) => prior.add(recorded),
                Err(error) => diagnostics.push(error.diagnostic()),
            }
        }
        for step in state.in_flight().map_err(|e| crate::trouble::state(&e))? {
            match Recorded::read_in_flight(step) {
                Ok(Some(recorded)) => prior.add(recorded),
                Ok(None) => {}
                Err(error) => diagnostics.push(error.diagnostic()),
            }
        }
        diagnostics.into_result().map(|_| prior)
    }

    /// Adds a record; it takes the place of another under the same key.
    pub fn add(&mut self, recorded: Recorded) {
        let address = recorded.address.clone();
        self.blocks.entry(address.config()).or_default().insert(address.clone());
        let kept = self.instances.entry(address).or_default();
        match recorded.deposed {
            None => kept.current = Some(Arc::new(recorded)),
            Some(_) => {
                kept.deposed.retain(|other| other.deposed != recorded.deposed);
                kept.deposed.push(Arc::new(recorded));
            }
        }
    }

    /// What is kept at an address.
    pub fn get(&self, address: &Instance) -> Option<&Kept> {
        self.instances.get(address)
    }

    /// The addresses of a block at which something is kept.
    pub fn of_block<'a>(&'a self, block: &ConfigResource) -> impl Iterator<Item = &'a Instance> + use<'a> {
        self.blocks.get(block).into_iter().flatten()
    }

    /// Every address with what is kept there.
    pub fn iter(&self) -> impl Iterator<Item = (&Instance, &Kept)> {
        self.instances.iter()
    }

    /// The blocks of which something is kept.
    pub fn blocks(&self) -> impl Iterator<Item = &ConfigResource> {
        self.blocks.iter().filter(|(_, addresses)| !addresses.is_empty()).map(|(block, _)| block)
    }

    /// The provider configurations that manage what is kept.
    pub fn providers(&self) -> BTreeSet<ProviderConfig> {
        let all = self.instances.values().flat_map(|kept| kept.current.iter().chain(&kept.deposed));
        all.map(|recorded| recorded.provider.clone()).collect()
    }

    /// The resource types of everything that is kept, by where their providers come from.
    pub fn types(&self) -> BTreeMap<ProviderSource, BTreeSet<EcoString>> {
        let mut types: BTreeMap<ProviderSource, BTreeSet<EcoString>> = BTreeMap::new();
        for recorded in self.instances.values().flat_map(|kept| kept.current.iter().chain(&kept.deposed)) {
            let kinds = types.entry(recorded.provider.source.clone()).or_default();
            kinds.insert(recorded.address.resource.kind.clone());
        }
        types
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }
}

/// The value of a saved output; `None` if the record is not understood.
pub fn output_value(record: &OutputRecord) -> Option<Value> {
    let json = serde_json::from_str(record.type_json.as_str()).ok()?;
    let ty: Type = plumb_model::json::type_from_json(&json).ok()?;
    plumb_model::json::decode(record.value.as_str(), &ty).ok()
}

fn unreadable_output(name: &str) -> Diagnostic {
    Diagnostic::error("unreadable-record", "State holds a record that is not understood")
        .detail(format!("The output `{name}` is not a value of its type."))
}

/// The key that a state keeps an instance under.
pub fn state_key(address: &Instance, deposed: Option<&EcoString>) -> InstanceKey {
    InstanceKey { address: address.to_string(), deposed: deposed.map(EcoString::to_string) }
}

/// Whether a record is of a managed resource.
pub fn is_managed(record: &InstanceRecord) -> bool {
    record.mode == plumb_state::record::Mode::Managed
}

/// Whether an address is that of a managed resource.
pub(crate) fn managed(address: &Instance) -> bool {
    address.resource.mode == Mode::Managed
}
