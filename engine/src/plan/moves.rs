//! `moved` blocks, and moves that go without saying: what is recorded is put where it is declared now.

use std::sync::Arc;

use plumb_model::address::{ConfigResource, Instance, Key, Mode, ModuleInstance, ModulePath, Target};
use plumb_model::{Diagnostic, Diagnostics};
use plumb_semantics::eval::Evaluator;
use plumb_semantics::moves;
use plumb_semantics::program::{ModuleId, Program};

use super::prior::Prior;
use crate::recorded::Recorded;

impl Prior {
    /// Puts what is recorded where the `moved` blocks of a program say. A block is passed over where nothing is kept
    /// at its origin; where something is kept at its destination already, that is a warning and nothing moves.
    ///
    /// An object without key also becomes the first of a block that has `count` now, and the reverse.
    pub fn apply_moves(&mut self, program: &Program) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for (id, index) in moves::in_order(program).statements {
            let moved = &program.module(id).moved[index];
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
        self.imply_moves(program);
        diagnostics
    }

    /// Moves objects between the key of none and that of the first where a block has got `count`, or lost it.
    fn imply_moves(&mut self, program: &Program) {
        let mut implied: Vec<(Instance, Instance)> = Vec::new();
        for (block, addresses) in &self.blocks {
            let Some(decl) = program.resource_node(block).and_then(|node| program.resource(node)) else {
                continue;
            };
            if block.resource.mode != Mode::Managed {
                continue;
            }
            let (from, to) = match (decl.repetition.count.is_some(), decl.repetition.for_each.is_some()) {
                (true, _) => (Key::None, Key::Int(0)),
                (false, false) => (Key::Int(0), Key::None),
                (false, true) => continue,
            };
            for address in addresses.iter().filter(|address| address.key == from) {
                let to = Instance { key: to.clone(), ..address.clone() };
                let kept = &self.instances[address];
                if kept.moved_from.is_none() && kept.current.is_some() && !self.instances.contains_key(&to) {
                    implied.push((address.clone(), to));
                }
            }
        }
        for (from, to) in implied {
            self.move_one(&from, to);
        }
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
    let below = |module: &ModuleInstance| below(base, module);
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

/// Reports instances that a `moved` block names as its origin, and that are still declared.
pub(super) fn still_declared(program: &Program, evaluator: &Evaluator) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for (id, module) in program.modules() {
        for moved in &module.moved {
            let keyed = match (&moved.from, &moved.to) {
                (Target::Resource(from), _) => from.key != Key::None,
                (Target::Module(from), _) => from.0.last().is_some_and(|(_, key)| *key != Key::None),
            };
            if !keyed {
                continue;
            }
            let there = evaluator.module_instances(id).iter().any(|base| match &moved.from {
                Target::Resource(from) => {
                    let module = below(base, &from.module);
                    evaluator.find(&Instance { module, ..from.clone() }).is_some()
                }
                Target::Module(from) => {
                    let module = below(base, from);
                    let child = program.module_at(&module.path());
                    child.is_some_and(|child| evaluator.module_instances(child).contains(&module))
                }
            });
            if there {
                diagnostics.push(
                    Diagnostic::error("moved-still-declared", "Moved object still exists")
                        .detail(format!("`{}` is to become `{}`, but it is still declared.", moved.from, moved.to))
                        .at(moved.span)
                        .help("Change `count` or `for_each` so that it is no longer declared, or remove this block."),
                );
            }
        }
    }
    diagnostics
}

fn below(base: &ModuleInstance, module: &ModuleInstance) -> ModuleInstance {
    ModuleInstance(Arc::new(base.0.iter().chain(module.0.iter()).cloned().collect()))
}
