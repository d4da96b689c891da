//! What is recorded, by address, ready to be planned against.
//!
//! Records keep their raw attributes until their instance is planned, so that a state of any size costs one small
//! object for each record. `moved` blocks are applied here: afterwards everything is found under its new address, and
//! [`Kept::moved_from`] remembers the old one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::address::{
    ConfigResource, Instance, Key, Mode, ModuleInstance, ModulePath, ProviderConfig, ProviderSource, Target,
};
use plumb_model::{Diagnostic, Diagnostics, Type, Value};
use plumb_semantics::program::{ModuleId, Program};
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
    instances: BTreeMap<Instance, Kept>,
    /// The addresses of each block, so that what is no longer wished is found without looking at everything.
    blocks: BTreeMap<ConfigResource, BTreeSet<Instance>>,
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

    /// Puts what is recorded where the `moved` blocks of a program say. A block is passed over where nothing is kept
    /// at its origin; where something is kept at its destination already, that is a warning and nothing moves.
    pub fn apply_moves(&mut self, program: &Program) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for (id, module) in program.modules() {
            for moved in &module.moved {
                let pairs = self.matching(program, id, &moved.from, &moved.to);
                for (from, to) in pairs {
                    if self.instances.get(&to).is_some_and(|kept| kept.current.is_some()) {
                        diagnostics.push(
                            Diagnostic::warning("move-blocked", "Cannot move to an address in use")
                                .detail(format!("`{from}` is to become `{to}`, which state holds already."))
                                .label(moved.span, "this block")
                                .help(format!(
                                    "Plan shows what becomes of both; or look at `plumb state show '{to}'`."
                                )),
                        );
                        continue;
                    }
                    self.move_one(&from, to);
                }
            }
        }
        diagnostics
    }

    /// What is kept at addresses that a `moved` block names, with where it goes.
    fn matching(
        &self,
        program: &Program,
        module: ModuleId,
        from: &Target,
        to: &Target,
    ) -> Vec<(Instance, Instance)> {
        let path = &program.module(module).path;
        let depth = path.0.len();
        let blocks: Vec<&ConfigResource> = match from {
            Target::Resource(from) => {
                let names = path.0.iter().cloned().chain(from.module.path().0.iter().cloned()).collect();
                let block =
                    ConfigResource { module: ModulePath(Arc::new(names)), resource: from.resource.clone() };
                self.blocks.get_key_value(&block).map(|(block, _)| block).into_iter().collect()
            }
            Target::Module(_) => {
                self.blocks.keys().filter(|block| block.module.0.starts_with(&path.0)).collect()
            }
        };
        let addresses = blocks.into_iter().flat_map(|block| &self.blocks[block]);
        addresses
            .filter_map(|address| {
                let base = ModuleInstance(Arc::new(address.module.0[..depth].to_vec()));
                moved_address(address, &base, from, to).map(|new| (address.clone(), new))
            })
            .collect()
    }

    fn move_one(&mut self, from: &Instance, to: Instance) {
        let Some(mut kept) = self.instances.remove(from) else { return };
        if let Some(addresses) = self.blocks.get_mut(&from.config()) {
            addresses.remove(from);
        }
        kept.moved_from.get_or_insert_with(|| from.clone());
        let readdress = |recorded: &Arc<Recorded>| {
            let mut recorded = (**recorded).clone();
            recorded.address = to.clone();
            Arc::new(recorded)
        };
        kept.current = kept.current.as_ref().map(readdress);
        kept.deposed = kept.deposed.iter().map(readdress).collect();
        self.blocks.entry(to.config()).or_default().insert(to.clone());
        self.instances.insert(to, kept);
    }
}

/// Where an address goes by a move within the module instance `base`, if the move is about it.
fn moved_address(address: &Instance, base: &ModuleInstance, from: &Target, to: &Target) -> Option<Instance> {
    let below = |module: &ModuleInstance| {
        ModuleInstance(Arc::new(base.0.iter().chain(module.0.iter()).cloned().collect()))
    };
    match (from, to) {
        (Target::Resource(from), Target::Resource(to)) => {
            if address.resource != from.resource || address.module != below(&from.module) {
                return None;
            }
            let key = match (&from.key, &to.key) {
                // A whole block moves with its keys, except that one without key may become one with a key and the
                // reverse.
                (Key::None, Key::None) => address.key.clone(),
                (from, to) if *from == address.key => to.clone(),
                _ => return None,
            };
            Some(Instance { module: below(&to.module), resource: to.resource.clone(), key })
        }
        (Target::Module(from), Target::Module(to)) => {
            let (from, to) = (below(from), below(to));
            if !address.module.is_within(&from) {
                return None;
            }
            let mut steps = to.0.to_vec();
            let (at, last) = (from.0.len(), &address.module.0[from.0.len() - 1]);
            if let (Some(step), true) = (steps.last_mut(), from.0.last().is_some_and(|s| s.1 == Key::None))
                && step.1 == Key::None
            {
                step.1 = last.1.clone();
            }
            steps.extend(address.module.0[at..].iter().cloned());
            let module = ModuleInstance(Arc::new(steps));
            Some(Instance { module, resource: address.resource.clone(), key: address.key.clone() })
        }
        _ => None,
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
