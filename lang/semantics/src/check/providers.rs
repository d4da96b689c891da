//! `for_each` of `provider` blocks: where its keys may come from.
//!
//! Providers are there before anything is read or planned, also when everything is destroyed. So which instances there
//! are is said by variables and locals, all the way back to what is written or given.

use std::collections::HashSet;

use ecow::eco_format;
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::tree::{Expr, Traversal};

use crate::mentions::mentions;
use crate::program::{ModuleId, NodeId, NodeKind, Program};
use crate::reference::{self, Subject};

/// Reports what the keys of provider instances come from and cannot.
pub(super) fn check(program: &Program, module: ModuleId, diagnostics: &mut Diagnostics) {
    for decl in program.module(module).providers.values() {
        if let Some(expr) = &decl.for_each {
            diagnostics.extend(late(program, module, expr));
        }
    }
}

/// The first reference that leads to something which is not there from the beginning.
fn late(program: &Program, module: ModuleId, expr: &Expr) -> Option<Diagnostic> {
    expr.references().find_map(|traversal| {
        let reference = reference::parse(traversal).ok()?;
        if let Subject::Module { name, .. } = reference.subject {
            return Some(not_early(&eco_format!("module.{name}"), traversal, None));
        }
        let first = program.named(module, &reference.subject)?;
        let found = first_late(program, first)?;
        let through = (found != first).then(|| program.span(first));
        Some(not_early(&program.name(found), traversal, through))
    })
}

/// The first node behind a value that is neither a variable nor a local.
fn first_late(program: &Program, from: NodeId) -> Option<NodeId> {
    let mut seen = HashSet::from([from]);
    let mut pending = vec![from];
    while let Some(id) = pending.pop() {
        if !matches!(program.node(id).kind, NodeKind::Variable | NodeKind::Local) {
            return Some(id);
        }
        pending.extend(mentions(program, id).iter().map(|mention| mention.to).filter(|to| seen.insert(*to)));
    }
    None
}

fn not_early(what: &str, traversal: &Traversal, through: Option<Span>) -> Diagnostic {
    let detail = "Which instances of a provider there are is needed before anything is read, so that `for_each` of a `provider` block can use variables and locals only.";
    let mut diagnostic =
        Diagnostic::error("late-provider-instances", "Provider instances are needed too early")
            .detail(detail)
            .label(traversal.span, eco_format!("this comes from `{what}`"));
    if let Some(span) = through {
        diagnostic = diagnostic.label(span, "by way of this");
    }
    diagnostic.help("Take the keys from a variable, or write them in a local value.")
}
