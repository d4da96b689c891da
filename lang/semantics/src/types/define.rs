//! Types that are given names: `types` blocks.
//!
//! The types of a directory may be written in any order; they are put in one in which each comes after those that it
//! names. A type that contains itself has no values, so cycles are refused, with each of their edges.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::{Diagnostic, Diagnostics, Span, Value};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Attribute, Block, Call, Expr, ExprKind, Ident, Item, ObjectEntry, Qualified};

use super::shape::{NamedType, Shape};
use super::{NamedTypes, TypeScope, read};
use crate::callee;
use crate::order::{Cycle, Needs, SHOWN_EDGES, order};
use crate::program::Declarations;

/// The types that `types` blocks declare, in the order in which they are written. What is wrong is reported; such types
/// are `any`.
pub(crate) fn define<'a>(
    blocks: impl Iterator<Item = &'a Arc<Block>>,
    declared: &Declarations,
    constant: &dyn Fn(&Expr) -> Result<Value, Diagnostics>,
    diagnostics: &mut Diagnostics,
) -> NamedTypes {
    let written = collect(blocks, diagnostics);
    let indices: HashMap<&str, usize> =
        written.iter().enumerate().map(|(i, attribute)| (attribute.name.as_str(), i)).collect();
    let needs: Needs = written
        .iter()
        .map(|attribute| {
            let mentioned = mentioned(&attribute.value);
            mentioned.into_iter().filter_map(|(name, span)| Some((*indices.get(name)?, span))).collect()
        })
        .collect();
    let (order, cycles) = order(&needs);
    let mut cyclic = HashSet::new();
    for cycle in cycles {
        cyclic.extend(cycle.iter().map(|(i, _)| *i));
        diagnostics.push(endless(&written, &cycle));
    }
    let mut done: Vec<Option<Arc<NamedType>>> = vec![None; written.len()];
    for i in order {
        let attribute = written[i];
        let scope = Partial { indices: &indices, done: &done, declared };
        let shape = match cyclic.contains(&i) {
            true => Shape::any(attribute.value.span),
            false => read::shape(&attribute.value, Dialect::Native, &scope, constant, diagnostics),
        };
        let name = &attribute.name;
        done[i] = Some(Arc::new(NamedType { name: name.name.clone(), span: name.span, shape }));
    }
    done.into_iter().flatten().map(|named| (named.name.clone(), named)).collect()
}

/// The entries of all blocks; what may not be there is reported.
fn collect<'a>(
    blocks: impl Iterator<Item = &'a Arc<Block>>,
    diagnostics: &mut Diagnostics,
) -> Vec<&'a Attribute> {
    let mut written: Vec<&Attribute> = Vec::new();
    let mut first: HashMap<&str, Span> = HashMap::new();
    for block in blocks {
        crate::load::blocks::check_labels(block, &[], diagnostics);
        // What is written twice in one block was reported when it was read.
        let mut here: HashSet<&str> = HashSet::new();
        for item in &block.body.items {
            match item {
                Item::Attribute(attribute) => {
                    let name = &attribute.name;
                    if !here.insert(name.as_str()) {
                        continue;
                    }
                    if read::NATIVE_KINDS.contains(&name.as_str()) {
                        diagnostics.push(reserved(name));
                    } else if let Some(before) = first.get(name.as_str()) {
                        diagnostics.push(crate::load::blocks::duplicate(
                            "type",
                            name.as_str(),
                            name.span,
                            *before,
                        ));
                    } else {
                        first.insert(name.as_str(), name.span);
                        written.push(attribute);
                    }
                }
                Item::Block(nested) => diagnostics.push(
                    Diagnostic::error("unsupported-block", "Unsupported block type")
                        .detail("A `types` block has only arguments, one for each type.")
                        .at(nested.kind.span)
                        .help(eco_format!("Write `{} = object({{ … }})`.", nested.kind)),
                ),
                Item::Error(_) => {}
            }
        }
    }
    written
}

/// The bare names that a type mentions, with places. Defaults and conditions are no types, so what they mention is not
/// among them.
fn mentioned(expr: &Expr) -> Vec<(&str, Span)> {
    let mut found = Vec::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Traversal(traversal) if traversal.steps.is_empty() => {
                found.push((traversal.root.as_str(), traversal.root.span));
            }
            ExprKind::Paren(inner) | ExprKind::Nullable(inner) => pending.push(inner),
            ExprKind::Where(narrowed) => pending.push(&narrowed.base),
            ExprKind::Call(call) => pending.extend(types_in(call)),
            ExprKind::Tuple(tuple) => pending.extend(tuple.elements.iter().rev()),
            ExprKind::Object(object) => {
                pending.extend(object.entries.iter().rev().filter_map(|entry| match entry {
                    ObjectEntry::Pair { value, .. } => Some(value),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    found
}

/// The arguments of `list(…)` and its like that are types.
fn types_in(call: &Call) -> impl Iterator<Item = &Expr> {
    let count = match call.name.as_str() {
        "enum" => 0,
        "optional" => 1,
        _ => usize::MAX,
    };
    call.arguments.iter().take(count)
}

/// The types of a directory while they are being read, those that have been.
struct Partial<'a> {
    indices: &'a HashMap<&'a str, usize>,
    done: &'a [Option<Arc<NamedType>>],
    declared: &'a Declarations,
}

impl TypeScope for Partial<'_> {
    fn named(&self, name: &str) -> Option<Arc<NamedType>> {
        self.done[*self.indices.get(name)?].clone()
    }

    fn names(&self) -> Vec<&str> {
        self.indices.keys().copied().collect()
    }

    fn qualified(&self, name: &Qualified) -> Result<Arc<NamedType>, Box<Diagnostic>> {
        of_library(Some(self.declared), name)
    }
}

/// The types that a type may mention once those of the directory are known; without a directory there are none.
pub(crate) struct Defined<'a>(pub Option<&'a Declarations>);

impl TypeScope for Defined<'_> {
    fn named(&self, name: &str) -> Option<Arc<NamedType>> {
        self.0?.types.get(name).cloned()
    }

    fn names(&self) -> Vec<&str> {
        self.0.into_iter().flat_map(|declared| declared.types.keys()).map(EcoString::as_str).collect()
    }

    fn qualified(&self, name: &Qualified) -> Result<Arc<NamedType>, Box<Diagnostic>> {
        of_library(self.0, name)
    }
}

/// The type that `library::name` means in a directory.
fn of_library(declared: Option<&Declarations>, name: &Qualified) -> Result<Arc<NamedType>, Box<Diagnostic>> {
    let library = callee::library(declared, name)?;
    match library.declarations.types.get(&name.name.name) {
        Some(named) if !callee::is_private(&name.name.name) => Ok(named.clone()),
        _ => {
            let namespace = name.namespaces[0].as_str();
            Err(Box::new(callee::not_in_library(namespace, library, &name.name, "type")))
        }
    }
}

/// Reports what the condition of a type may not do: mention anything but `value`, or say nothing of it.
pub(super) fn check_condition(condition: &Expr, diagnostics: &mut Diagnostics) {
    diagnostics.extend(callee::impure_calls(condition, "The condition of a type"));
    let mut about_value = false;
    for traversal in condition.references() {
        if traversal.root.as_str() == "value" {
            about_value = true;
            continue;
        }
        diagnostics.push(
            read::invalid(
                traversal.span,
                &eco_format!(
                    "The condition of a type may mention only `value`, the value that it is about, not `{traversal}`."
                ),
            )
            .help("Write a constant, or use a `validation` block of the variable."),
        );
        return;
    }
    if !about_value && !matches!(condition.kind, ExprKind::Error) {
        diagnostics.push(
            read::invalid(
                condition.span,
                "The condition does not mention `value`, so it says nothing of it.",
            )
            .help("Write for example `number where value > 0`."),
        );
    }
}

fn reserved(name: &Ident) -> Diagnostic {
    Diagnostic::error("reserved-name", "Reserved type name")
        .detail(eco_format!("`{name}` is a type of the language already."))
        .at(name.span)
        .help("Choose another name, such as one that begins with a capital letter.")
}

fn endless(written: &[&Attribute], cycle: &Cycle) -> Diagnostic {
    let name = |i: usize| &written[i].name;
    let (first, _) = cycle[0];
    let mut diagnostic = Diagnostic::error("type-cycle", "Type contains itself").detail(eco_format!(
        "A value of the type `{}` would contain one of the same type, and so on without end.",
        name(first)
    ));
    for (at, (i, span)) in cycle.iter().enumerate().take(SHOWN_EDGES) {
        let next = cycle[(at + 1) % cycle.len()].0;
        diagnostic = diagnostic.label(*span, eco_format!("`{}` contains `{}`", name(*i), name(next)));
    }
    diagnostic.help("Use `any` for one of the parts.")
}
