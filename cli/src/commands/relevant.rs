//! The attributes of resources that what changes was made from: `relevant_attributes` in plan JSON.
//!
//! From each block and output that changes, references are followed through locals, variables and outputs of modules,
//! until they name a resource. Each node is visited once for each instance of its module.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use ecow::EcoString;
use plumb_engine::plan::{Action, Plan};
use plumb_model::Path;
use plumb_model::address::{Instance, Key, Mode, ModuleInstance};
use plumb_semantics::Program;
use plumb_semantics::mentions::{Mention, mentions};
use plumb_semantics::program::{ModuleId, NodeId, NodeKind};

/// The attributes, by the address of their resource, which has the key that the reference has.
pub fn attributes(program: &Program, plan: &Plan) -> Vec<(Instance, Path)> {
    let mut walk = Walk { program, seen: HashSet::new(), pending: Vec::new(), found: BTreeSet::new() };
    let changing = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    for change in changing.filter(|change| change.address.resource.mode == Mode::Managed) {
        if let Some(node) = program.resource_node(&change.address.config()) {
            walk.visit(node, &change.address.module);
        }
    }
    for (name, output) in &plan.outputs {
        let declared = program.root().outputs.get_index_of(name.as_str());
        if let Some(index) = declared.filter(|_| output.before != output.after) {
            walk.visit(program.node_id(ModuleId::ROOT, NodeKind::Output, index), &ModuleInstance::root());
        }
    }
    while let Some((node, module)) = walk.pending.pop() {
        for mention in mentions(program, node) {
            walk.mention(node, &module, mention);
        }
    }
    walk.found.into_iter().collect()
}

struct Walk<'a> {
    program: &'a Program,
    seen: HashSet<(NodeId, ModuleInstance)>,
    pending: Vec<(NodeId, ModuleInstance)>,
    found: BTreeSet<(Instance, Path)>,
}

impl Walk<'_> {
    fn visit(&mut self, node: NodeId, module: &ModuleInstance) {
        if self.seen.insert((node, module.clone())) {
            self.pending.push((node, module.clone()));
        }
    }

    fn mention(&mut self, from: NodeId, module: &ModuleInstance, mention: Mention) {
        // The argument of a call is written in the module that calls.
        let module = match self.program.node(from).kind {
            NodeKind::Variable => {
                ModuleInstance(Arc::new(module.0[..module.0.len().saturating_sub(1)].to_vec()))
            }
            _ => module.clone(),
        };
        let to = self.program.node(mention.to);
        match self.program.resource(mention.to) {
            Some(decl) => {
                let resource = decl.resource.clone();
                self.found.insert((Instance { module, resource, key: mention.key }, mention.path));
            }
            None if to.kind == NodeKind::Output => {
                let module = self.called(to.module, &module, mention.key);
                self.visit(mention.to, &module);
            }
            None => self.visit(mention.to, &module),
        }
    }

    /// The instance of a called module that a reference with a key names.
    fn called(&self, child: ModuleId, caller: &ModuleInstance, key: Key) -> ModuleInstance {
        let name: EcoString = self.program.module(child).path.0.last().cloned().unwrap_or_default();
        ModuleInstance(Arc::new(caller.0.iter().cloned().chain([(name, key)]).collect()))
    }
}
