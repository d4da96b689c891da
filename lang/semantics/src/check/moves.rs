//! `moved`, `removed` and `import` blocks: what they name must make sense beside what is declared.

use std::collections::HashMap;

use ecow::{EcoString, eco_format};
use plumb_model::address::{Key, Mode, ModuleInstance, Target};
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::tree::{Expr, ExprKind, Traversal, TraversalStep};

use crate::moves::{self, Place};
use crate::program::{ImportDecl, ModuleId, Program, RemovedDecl, Repetition};

pub(super) fn check(program: &Program, diagnostics: &mut Diagnostics) {
    moved(program, diagnostics);
    for (id, module) in program.modules() {
        for decl in &module.removed {
            removed(program, id, decl, diagnostics);
        }
    }
    imports(program, diagnostics);
}

// --- moved ---

fn moved(program: &Program, diagnostics: &mut Diagnostics) {
    let mut origins: HashMap<Place, (Place, Span)> = HashMap::new();
    let mut destinations: HashMap<Place, (Place, Span)> = HashMap::new();
    for (id, module) in program.modules() {
        for decl in &module.moved {
            if decl.from == decl.to {
                diagnostics.push(
                    Diagnostic::error("redundant-move", "Redundant moved block")
                        .detail(eco_format!("It moves `{}` to where it is.", decl.from))
                        .at(decl.span)
                        .help("Remove the block."),
                );
                continue;
            }
            if let Some(span) = still_declared(program, id, &decl.from, &decl.to) {
                diagnostics.push(
                    Diagnostic::error("moved-still-declared", "Moved object still exists")
                        .detail(eco_format!(
                            "`{}` is to become `{}`, but it is still declared.",
                            decl.from,
                            decl.to
                        ))
                        .label(decl.span, "")
                        .label(span, "declared here")
                        .help(eco_format!("Change the declaration to `{}`, or remove this block.", decl.to)),
                );
            }
            let from = Place::of(program, id, &decl.from);
            let to = Place::of(program, id, &decl.to);
            for (map, key, value, ambiguous) in [
                (&mut origins, &from, &to, eco_format!("`{}` moves to more than one place.", decl.from)),
                (&mut destinations, &to, &from, eco_format!("More than one thing moves to `{}`.", decl.to)),
            ] {
                match map.get(key) {
                    Some((other, span)) if other != value => diagnostics.push(
                        Diagnostic::error("ambiguous-move", "Ambiguous moved blocks")
                            .detail(ambiguous)
                            .label(decl.span, "")
                            .label(*span, "the other block")
                            .help("Keep one of the two."),
                    ),
                    Some(_) => {}
                    None => {
                        map.insert(key.clone(), (value.clone(), decl.span));
                    }
                }
            }
        }
    }
    circles(program, diagnostics);
}

fn circles(program: &Program, diagnostics: &mut Diagnostics) {
    let circular = moves::in_order(program).circular;
    let Some((module, index)) = circular.first() else { return };
    let first = &program.module(*module).moved[*index];
    if first.from == first.to {
        return;
    }
    let mut diagnostic = Diagnostic::error("circular-move", "Moved blocks lead in a circle")
        .detail("Each of these moves to where another begins, so there is no place where the chain ends.")
        .help("Remove the block that leads back to the beginning.");
    for (module, index) in circular.iter().take(8) {
        let decl = &program.module(*module).moved[*index];
        diagnostic = diagnostic.label(decl.span, eco_format!("`{}` to `{}`", decl.from, decl.to));
    }
    diagnostics.push(diagnostic);
}

/// Where the origin of a move is still declared, as far as that can be said without evaluating.
fn still_declared(program: &Program, id: ModuleId, from: &Target, to: &Target) -> Option<Span> {
    match (from, to) {
        (Target::Resource(from), Target::Resource(to)) => {
            let decl = declared_resource(program, id, &from.module, &from.resource)?;
            let whole = from.key == Key::None && to.key == Key::None;
            let there = whole || (from.key == Key::None && decl.repetition.expr().is_none());
            there.then_some(decl.span)
        }
        (Target::Module(from), Target::Module(to)) => {
            let (last, key) = from.0.last()?;
            let parent = within(program, id, &from.0[..from.0.len() - 1])?;
            let call = program.module(parent).calls.get(last)?;
            let whole = *key == Key::None && to.0.last().is_some_and(|(_, key)| *key == Key::None);
            let there = whole || (*key == Key::None && call.repetition.expr().is_none());
            there.then_some(call.span)
        }
        _ => None,
    }
}

/// The module that calls without keys lead to from a module.
fn within(program: &Program, id: ModuleId, steps: &[(EcoString, Key)]) -> Option<ModuleId> {
    steps.iter().try_fold(id, |id, (name, key)| {
        let module = program.module(id);
        let index = module.calls.get_index_of(name)?;
        let single = module.calls[index].repetition.expr().is_none() && *key == Key::None;
        module.children[index].filter(|_| single)
    })
}

fn declared_resource<'p>(
    program: &'p Program,
    id: ModuleId,
    module: &ModuleInstance,
    resource: &plumb_model::address::Resource,
) -> Option<&'p crate::program::ResourceDecl> {
    program.module(within(program, id, &module.0)?).resources.get(resource)
}

// --- removed ---

fn removed(program: &Program, id: ModuleId, decl: &RemovedDecl, diagnostics: &mut Diagnostics) {
    if matches!(&decl.from, Target::Resource(from) if from.resource.mode != Mode::Managed) {
        diagnostics.push(
            Diagnostic::error("invalid-removed", "Invalid \"removed\" address")
                .detail("What a data source reads is nothing that could be destroyed or kept.")
                .at(decl.from_span)
                .help("Remove the `data` block; nothing else is needed."),
        );
        return;
    }
    let names = decl.from_names();
    let declared = names.iter().try_fold(id, |id, name| {
        let module = program.module(id);
        module.children[module.calls.get_index_of(name)?]
    });
    let span = match &decl.from {
        Target::Resource(from) => {
            declared.and_then(|id| program.module(id).resources.get(&from.resource).map(|decl| decl.span))
        }
        Target::Module(_) => names.split_last().and_then(|(last, above)| {
            let parent = above.iter().try_fold(id, |id, name| {
                let module = program.module(id);
                module.children[module.calls.get_index_of(name)?]
            })?;
            program.module(parent).calls.get(last).map(|call| call.span)
        }),
    };
    if let Some(span) = span {
        diagnostics.push(
            Diagnostic::error("removed-still-declared", "Removed object is still declared")
                .detail(eco_format!("`{}` is said to be removed, but it is still declared.", decl.from))
                .label(decl.span, "")
                .label(span, "declared here")
                .help("Remove the declaration, or this block."),
        );
    }
}

// --- import ---

fn imports(program: &Program, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<EcoString, Span> = HashMap::new();
    for decl in &program.root().imports {
        key_matches(program, decl, diagnostics);
        let ExprKind::Traversal(traversal) = &decl.to.kind else { continue };
        if decl.for_each.is_some() {
            continue;
        }
        match seen.get(&eco_format!("{traversal}")) {
            Some(span) => diagnostics.push(
                Diagnostic::error("duplicate-import", "Duplicate import block")
                    .detail(eco_format!("There is an `import` block for `{traversal}` already."))
                    .label(decl.span, "")
                    .label(*span, "the first")
                    .help("Keep one: an instance is one object."),
            ),
            None => {
                seen.insert(eco_format!("{traversal}"), decl.span);
            }
        }
    }
}

/// Reports a key where the resource has none, or none where it has keys.
fn key_matches(program: &Program, decl: &ImportDecl, diagnostics: &mut Diagnostics) {
    let Some(key) = written_key(&decl.to) else { return };
    let module = decl.resource.module.0.iter().try_fold(ModuleId::ROOT, |id, name| {
        let module = program.module(id);
        module.children[module.calls.get_index_of(name)?]
    });
    let resource = module.and_then(|id| program.module(id).resources.get(&decl.resource.resource));
    let Some(Repetition { count, for_each, .. }) = resource.map(|resource| &resource.repetition) else {
        return;
    };
    let detail = match (key, count.is_some(), for_each.is_some()) {
        (Key::None, true, _) => "The resource has `count`, so its instances have numbers.",
        (Key::None, _, true) => "The resource has `for_each`, so its instances have keys.",
        (Key::Int(_), false, _) => "The resource has no `count`, so none of its instances has a number.",
        (Key::String(_), _, false) => {
            "The resource has no `for_each`, so none of its instances has such a key."
        }
        _ => return,
    };
    diagnostics.push(
        Diagnostic::error("invalid-import", "Invalid import address")
            .detail(detail)
            .at(decl.to.span)
            .help("Name the instance as the plan does, for example `terraform_data.a[0]` or `terraform_data.a[\"key\"]`."),
    );
}

/// The key at the end of an address; `None` if it is computed.
fn written_key(to: &Expr) -> Option<Key> {
    let ExprKind::Traversal(traversal) = &to.kind else { return None };
    let traversal: &Traversal = traversal;
    Some(match traversal.steps.last()? {
        TraversalStep::Attribute(_) => Key::None,
        step => crate::reference::literal_key(step)?,
    })
}
