//! `plumb graph`: what depends on what, for Graphviz.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use plumb_engine::order::{self, ResourceDependencies};
use plumb_semantics::Program;
use plumb_semantics::program::{NodeId, NodeKind};

use crate::args::{GraphArgs, VariableArgs};
use crate::ask::Missing;
use crate::session;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs the command.
pub fn run(args: &GraphArgs, ui: &Ui) -> Exit {
    let world = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let Some(session) = session::open(world, &VariableArgs::default(), Missing::Leave, ui) else {
        return Exit::Error;
    };
    if let Err(cycles) = order::of_program(&session.program) {
        ui.diagnostics(&cycles, session.sources());
        return Exit::Error;
    }
    ui.result(&dot(&session.program, args.all));
    Exit::Done
}

fn dot(program: &Program, all: bool) -> String {
    let mut text =
        String::from("digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n");
    let mut edges = BTreeSet::new();
    let mut resources = ResourceDependencies::default();
    for (id, node) in program.nodes() {
        if node.kind == NodeKind::CallEnd || !all && node.kind != NodeKind::Resource {
            continue;
        }
        let _ = writeln!(text, "  {};", quoted(program, id));
        let to: Vec<NodeId> = match all {
            true => program.dependencies(id).iter().map(|d| d.to).collect(),
            false => resources.nodes(program, id).to_vec(),
        };
        edges.extend(to.into_iter().map(|to| (quoted(program, id), quoted(program, to))));
    }
    for (from, to) in edges {
        let _ = writeln!(text, "  {from} -> {to};");
    }
    text.push_str("}\n");
    text
}

fn quoted(program: &Program, id: NodeId) -> String {
    format!("\"{}\"", program.name(id).replace("\\", "\\\\").replace("\"", "\\\""))
}
