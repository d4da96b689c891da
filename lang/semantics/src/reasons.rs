//! Why something is not known yet: the way from where it is needed, from reference to reference, to what decides it.
//!
//! ```text
//! for_each ← local.keys ← aws_vpc.main.id, which the provider chooses
//! ```
//!
//! The same way is found before anything is evaluated, from phases ([`crate::check`]), and when planning, from values
//! ([`crate::eval`]); what tells them apart is who says whether a reference is late.

use ecow::{EcoString, eco_format};
use plumb_model::address::Mode;
use plumb_model::{Diagnostic, Span};
use plumb_syntax::tree::{Expr, ExprKind, Traversal, TraversalStep};

use crate::graph::ResourceName;
use crate::program::{ModuleId, Program, ResourceDecl};
use crate::reference::{self, Subject};

/// Longer ways are cut: nobody reads them, and a mistaken cycle would have no end.
const LONGEST: usize = 12;

/// The way from an expression to what decides when it is known.
#[derive(Default)]
pub(crate) struct Way<'p> {
    /// Each reference as it is written, and its place.
    pub links: Vec<(EcoString, Span)>,
    /// The resource at its end, and the attribute that is asked of it.
    pub end: Option<(&'p ResourceDecl, Option<EcoString>)>,
}

/// How late a reference is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lateness {
    /// In time.
    Not,
    /// A part of it is late.
    InPart,
    /// It is late as a whole.
    Wholly,
}

/// Finds the way from an expression in a module.
pub(crate) fn way<'p>(
    program: &'p Program,
    module: ModuleId,
    expr: &Expr,
    lateness: &dyn Fn(ModuleId, &Traversal) -> Lateness,
) -> Way<'p> {
    let mut way = Way::default();
    let mut next = latest(module, expr, lateness).cloned().map(|traversal| (module, traversal));
    while let Some((module, traversal)) = next.take() {
        way.links.push((eco_format!("{traversal}"), traversal.span));
        if way.links.len() >= LONGEST {
            break;
        }
        let (module, expr) = match follow(program, module, &traversal) {
            Next::Expr(module, expr) => (module, expr),
            Next::Resource(decl, attribute) => {
                way.end = Some((decl, attribute));
                break;
            }
            Next::Nothing => break,
        };
        next = latest(module, expr, lateness).cloned().map(|traversal| (module, traversal));
    }
    way
}

/// The reference in an expression that is known last.
fn latest<'e>(
    module: ModuleId,
    expr: &'e Expr,
    lateness: &dyn Fn(ModuleId, &Traversal) -> Lateness,
) -> Option<&'e Traversal> {
    let mut found: Option<(&Traversal, Lateness)> = None;
    for traversal in expr.references() {
        let late = lateness(module, traversal);
        if late > found.map_or(Lateness::Not, |(_, late)| late) {
            found = Some((traversal, late));
        }
    }
    found.map(|(traversal, _)| traversal)
}

enum Next<'p> {
    Expr(ModuleId, &'p Expr),
    Resource(&'p ResourceDecl, Option<EcoString>),
    Nothing,
}

/// What decides the value of a reference.
fn follow<'p>(program: &'p Program, id: ModuleId, traversal: &Traversal) -> Next<'p> {
    let Ok(reference) = reference::parse(traversal) else { return Next::Nothing };
    let module = program.module(id);
    match reference.subject {
        Subject::Local(name) => {
            module.locals.get(&name.name).map_or(Next::Nothing, |decl| Next::Expr(id, &decl.value))
        }
        Subject::Variable(name) => {
            let Some((parent, call)) = module.parent else { return Next::Nothing };
            let call = &program.module(parent).calls[call as usize];
            let given = call.given(&name.name).or(call.passed_object());
            given.map_or(Next::Nothing, |expr| Next::Expr(parent, expr))
        }
        Subject::Module { name, output: Some(output), .. } => {
            let child = module.calls.get_index_of(&name.name).and_then(|index| module.children[index]);
            let decl =
                child.and_then(|child| Some((child, program.module(child).outputs.get(&output.name)?)));
            decl.map_or(Next::Nothing, |(child, decl)| Next::Expr(child, &decl.value))
        }
        Subject::Resource { mode, kind, name, .. } => {
            let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
            let Some(decl) = module.resources.get(&resource) else { return Next::Nothing };
            let attribute = match traversal.steps.get(reference.steps) {
                Some(TraversalStep::Attribute(name)) => Some(name.name.clone()),
                _ => None,
            };
            let configured =
                attribute.as_ref().and_then(|name| decl.body.body.attribute(name)).map(|found| &found.value);
            match configured {
                Some(expr) => Next::Expr(id, expr),
                None => Next::Resource(decl, attribute),
            }
        }
        _ => Next::Nothing,
    }
}

impl Way<'_> {
    /// Says the way in a diagnostic about `what`, which needs to be known earlier.
    pub(crate) fn explain(&self, mut diagnostic: Diagnostic, what: &str) -> Diagnostic {
        if self.links.is_empty() {
            return diagnostic;
        }
        let mut chain = EcoString::from(what);
        for (written, _) in &self.links {
            chain.push_str(" ← ");
            chain.push_str(written);
        }
        if let Some((decl, attribute)) = &self.end {
            let resource = &decl.resource;
            chain.push_str(&match (attribute, resource.mode) {
                (Some(attribute), Mode::Managed) => eco_format!("; `{attribute}` is chosen by the provider"),
                (None, Mode::Managed) => {
                    eco_format!("; attributes of `{resource}` are chosen by the provider")
                }
                _ => eco_format!("; `{resource}` can be read only after apply"),
            });
        }
        diagnostic = diagnostic.note(eco_format!("{chain}."));
        let last = self.links.len() - 1;
        for (i, (written, span)) in self.links.iter().enumerate() {
            let remark = match (&self.end, i == last) {
                (Some((decl, _)), true) if decl.resource.mode == Mode::Managed => {
                    eco_format!("`{written}` is chosen by the provider")
                }
                _ => eco_format!("because of `{written}`"),
            };
            diagnostic = diagnostic.label(*span, remark);
        }
        diagnostic
    }

    /// A map that says the same with keys that are known: `{ main = aws_vpc.main.id }`.
    pub(crate) fn keyed(&self) -> Option<EcoString> {
        let (decl, attribute) = self.end.as_ref()?;
        let (resource, name) = (&decl.resource, &decl.resource.name);
        let rest = attribute.as_ref().map_or_else(EcoString::new, |name| eco_format!(".{name}"));
        Some(if decl.repetition.for_each.is_some() {
            eco_format!("{{ for key, one in {resource} : key => one{rest} }}")
        } else if decl.repetition.count.is_some() {
            eco_format!("{{ for i, one in {resource} : i => one{rest} }}")
        } else {
            eco_format!("{{ {name} = {resource}{rest} }}")
        })
    }
}

/// Whether an expression is nothing but a reference, so that a label on it and one on the reference would be the same.
pub(crate) fn is_reference(expr: &Expr) -> bool {
    matches!(expr.without_parens().kind, ExprKind::Traversal(_))
}
