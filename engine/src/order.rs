//! What comes before what in a program: the order of its nodes, and facts that follow from it.
//!
//! Everything here is linear in the references of the program.

use std::collections::HashMap;
use std::sync::Arc;

use plumb_model::address::{ConfigResource, Mode};
use plumb_model::{Diagnostic, Diagnostics};
use plumb_semantics::program::{NodeId, NodeKind, Program};

use crate::graph::{CycleEdge, Graph};

/// A graph with a task for each node of the program, under the node's number.
///
/// # Errors
/// Each cycle, edge by edge with its place.
pub fn of_program(program: &Program) -> Result<Graph, Diagnostics> {
    let mut graph = Graph::new(program.node_count());
    for (id, _) in program.nodes() {
        for (i, dependency) in program.dependencies(id).iter().enumerate() {
            graph.wait(id.0 as usize, dependency.to.0 as usize, i);
        }
    }
    let cycles = graph.cycles();
    if cycles.is_empty() {
        return Ok(graph);
    }
    Err(cycles.iter().map(|cycle| cycle_diagnostic(program, cycle)).collect())
}

/// How many edges of a cycle are shown; a longer one is cut in the middle.
const SHOWN_EDGES: usize = 12;

fn cycle_diagnostic(program: &Program, cycle: &[CycleEdge]) -> Diagnostic {
    let name = |task: usize| program.name(NodeId(task as u32));
    let mut names: Vec<_> = cycle.iter().map(|edge| name(edge.from)).collect();
    names.push(name(cycle[0].from));
    let mut diagnostic = Diagnostic::error("cycle", "Cycle in the configuration")
        .detail(match cycle {
            [edge] => format!("`{}` refers to itself.", name(edge.from)),
            _ => format!("Each of these needs the next one first: {}.", shorten(&names).join(" → ")),
        })
        .help("Break the cycle at one of these places: move what both need into a value of its own.");
    for edge in cycle.iter().take(SHOWN_EDGES) {
        let dependency = &program.dependencies(NodeId(edge.from as u32))[edge.edge];
        let text = format!("`{}` needs `{}` here", name(edge.from), name(edge.to));
        diagnostic = diagnostic.label(dependency.span, text);
    }
    diagnostic
}

fn shorten(names: &[ecow::EcoString]) -> Vec<String> {
    if names.len() <= SHOWN_EDGES + 1 {
        return names.iter().map(|n| format!("`{n}`")).collect();
    }
    let (head, tail) = (&names[..SHOWN_EDGES / 2], &names[names.len() - SHOWN_EDGES / 2..]);
    let left_out = names.len() - head.len() - tail.len();
    let quoted = |n: &ecow::EcoString| format!("`{n}`");
    head.iter().map(quoted).chain([format!("… {left_out} more …")]).chain(tail.iter().map(quoted)).collect()
}

/// By node: whether a replacement of the resource creates first. A resource that others of that kind depend on must do
/// so too, or the order could not be kept.
pub fn create_before_destroy(program: &Program) -> Vec<bool> {
    let mut first = vec![false; program.node_count()];
    let mut waiting: Vec<NodeId> = Vec::new();
    for (id, _) in program.nodes() {
        if program.resource(id).is_some_and(|r| r.lifecycle.create_before_destroy == Some(true)) {
            waiting.push(id);
        }
    }
    while let Some(id) = waiting.pop() {
        if std::mem::replace(&mut first[id.0 as usize], true) {
            continue;
        }
        waiting.extend(program.dependencies(id).iter().map(|d| d.to));
    }
    first
}

/// The managed resources that each node depends on, directly or through what is not a managed resource.
#[derive(Default)]
pub struct ResourceDependencies {
    known: HashMap<NodeId, Arc<Vec<NodeId>>>,
}

impl ResourceDependencies {
    /// The nodes of the managed resources that a node depends on, without duplicates, by number.
    pub fn nodes(&mut self, program: &Program, id: NodeId) -> Arc<Vec<NodeId>> {
        // Visits with a stack of its own: chains of locals may be long.
        let mut stack = vec![(id, false)];
        while let Some((at, expanded)) = stack.pop() {
            if self.known.contains_key(&at) {
                continue;
            }
            if !expanded {
                stack.push((at, true));
                let through =
                    program.dependencies(at).iter().map(|d| d.to).filter(|to| !is_managed(program, *to));
                stack.extend(through.filter(|to| !self.known.contains_key(to)).map(|to| (to, false)));
                continue;
            }
            let mut found: Vec<NodeId> = Vec::new();
            for dependency in program.dependencies(at) {
                match is_managed(program, dependency.to) {
                    true => found.push(dependency.to),
                    false => found.extend(self.known.get(&dependency.to).into_iter().flat_map(|n| n.iter())),
                }
            }
            found.sort_unstable();
            found.dedup();
            self.known.insert(at, Arc::new(found));
        }
        let nodes = self.known[&id].clone();
        if program.node(id).kind == NodeKind::Resource {
            // Nothing asks through a managed resource, and each is asked for a few times only.
            if is_managed(program, id) {
                self.known.remove(&id);
            }
        }
        nodes
    }

    /// The same as addresses.
    pub fn blocks(&mut self, program: &Program, id: NodeId) -> Vec<ConfigResource> {
        self.nodes(program, id).iter().filter_map(|id| block(program, *id)).collect()
    }
}

fn is_managed(program: &Program, id: NodeId) -> bool {
    program.node(id).kind == NodeKind::Resource
        && program.resource(id).is_some_and(|r| r.resource.mode == Mode::Managed)
}

/// The address of a resource block; none for other nodes.
pub fn block(program: &Program, id: NodeId) -> Option<ConfigResource> {
    let module = program.module(program.node(id).module).path.clone();
    Some(ConfigResource { module, resource: program.resource(id)?.resource.clone() })
}
