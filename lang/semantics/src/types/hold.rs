//! Holding values against types: defaults, conversion, and everything that a [`Shape`] says beyond a
//! [`plumb_model::Type`].
//!
//! [`hold`] gives the value as one of the type, or everything in which it differs from it. What is unknown may still
//! turn out to fit and is let through; it is held again when it is known. Holding what has been held changes nothing.
//!
//! Cost: linear in the value. What is wrong is found with its path, and [`place`] finds the part of a written value that
//! the path leads to.

use ecow::{EcoString, eco_format};
use plumb_model::convert::convert;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::path::{Path, Step};
use plumb_model::value::Entries;
use plumb_model::{Diagnostic, Diagnostics, Marks, Span, Type, Value};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Expr, ExprKind, ObjectEntry, Traversal};

use super::shape::{
    AttributeShape, EnumShape, ObjectShape, Shape, ShapeKind, UnionShape, WhereShape, literal,
};
use crate::expr::{Eval, Failed, FunctionContext, Names, Outcome, Rules, describe};
use crate::world::MemoryWorld;

/// How many differences are told; more are likely to be of one cause.
const MOST_TOLD: usize = 8;

/// In what a value differs from its type.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// Where in the value.
    path: Path,
    /// The attribute that should not be there, if it is that.
    extra: Option<EcoString>,
    code: &'static str,
    summary: &'static str,
    /// What follows the name of the part: "is null, but …".
    problem: EcoString,
    help: Option<EcoString>,
    /// What the attribute is called by the type, if that can be guessed.
    guess: Option<EcoString>,
    /// A place in the type with a remark.
    wanted: Option<(Span, EcoString)>,
    found: Option<Diagnostics>,
}

/// The value as one of the type.
///
/// # Errors
/// In what it differs from the type.
pub(crate) fn hold(value: &Value, shape: &Shape) -> Result<Value, Vec<Misfit>> {
    let mut holder =
        Holder { path: Vec::new(), marks: Marks::NONE, misfits: Vec::new(), world: MemoryWorld::default() };
    match holder.hold(value, shape) {
        Some(value) if holder.misfits.is_empty() => Ok(value),
        _ => Err(holder.misfits),
    }
}

/// What is said of a value that differs from its type. `name` is what the value is called; `from` is where it comes
/// from.
pub(crate) fn diagnostics(misfits: Vec<Misfit>, name: &str, from: Place<'_>) -> Vec<Diagnostic> {
    misfits.into_iter().map(|misfit| misfit.diagnostic(name, from)).collect()
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// An expression, parts of which may be written out.
    Written(&'a Expr),
    /// Somewhere else; this is the place to point at.
    At(Span),
}

impl Place<'_> {
    /// The place as a whole.
    pub(crate) fn span(self) -> Span {
        match self {
            Place::Written(expr) => expr.span,
            Place::At(span) => span,
        }
    }
}

impl Misfit {
    fn diagnostic(self, name: &str, from: Place<'_>) -> Diagnostic {
        let place = match self.path.to_string() {
            path if path.is_empty() => EcoString::from(name),
            path if path.starts_with('[') => eco_format!("{name}{path}"),
            path => eco_format!("{name}.{path}"),
        };
        let mut diagnostic =
            Diagnostic::error(self.code, self.summary).detail(eco_format!("`{place}` {}", self.problem));
        match from {
            Place::At(place) => diagnostic = diagnostic.at(place),
            Place::Written(written) => {
                let (expr, whole) = part(written, &self.path.0);
                let key = self.extra.as_ref().filter(|_| whole).and_then(|name| key_span(expr, name));
                diagnostic = diagnostic.at(key.unwrap_or(expr.span));
                if let (Some(key), Some(guess)) = (key, &self.guess) {
                    diagnostic = diagnostic.suggest(key, guess.clone(), false);
                }
            }
        }
        if let Some((span, text)) = self.wanted {
            diagnostic = diagnostic.label(span, text);
        }
        for found in self.found.into_iter().flatten() {
            diagnostic = diagnostic.note(found.detail);
        }
        diagnostic.maybe_help(self.help)
    }
}

/// The part of a written value that a path leads to, as far as it is written out, and whether that is all of the way.
fn part<'e>(expr: &'e Expr, path: &[Step]) -> (&'e Expr, bool) {
    let mut at = expr;
    for step in path {
        let next = match (&at.without_parens().kind, step) {
            (ExprKind::Object(object), Step::Attribute(name) | Step::Key(name)) => {
                object.entries.iter().rev().find_map(|entry| match entry {
                    ObjectEntry::Pair { key, value } if key.as_literal() == Some(name) => Some(value),
                    _ => None,
                })
            }
            (ExprKind::Tuple(tuple), Step::Index(index)) => {
                let spread = tuple.elements.iter().any(|e| matches!(e.kind, ExprKind::Spread(_)));
                if spread { None } else { tuple.elements.get(*index) }
            }
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return (at, false),
        }
    }
    (at, true)
}

/// The place of a key of a written object.
fn key_span(expr: &Expr, name: &str) -> Option<Span> {
    let ExprKind::Object(object) = &expr.without_parens().kind else { return None };
    object.entries.iter().find_map(|entry| match entry {
        ObjectEntry::Pair { key, .. } if key.as_literal().is_some_and(|text| text == name) => {
            Some(key.span())
        }
        _ => None,
    })
}

struct Holder {
    path: Vec<Step>,
    /// Those of what the part is in.
    marks: Marks,
    misfits: Vec<Misfit>,
    /// Conditions of types may not look at the world, so an empty one will do.
    world: MemoryWorld,
}

impl Holder {
    fn hold(&mut self, value: &Value, shape: &Shape) -> Option<Value> {
        self.hold_as(value, shape, shape)
    }

    /// `called` is how messages call the type: by the name that it was mentioned by.
    fn hold_as(&mut self, value: &Value, shape: &Shape, called: &Shape) -> Option<Value> {
        let (inner, marks) = value.unmark();
        let outside = self.marks;
        self.marks |= marks;
        let held = self.unmarked(inner, shape, called);
        self.marks = outside;
        held.map(|held| held.with_marks(marks))
    }

    fn unmarked(&mut self, value: &Value, shape: &Shape, called: &Shape) -> Option<Value> {
        match &shape.kind {
            ShapeKind::Any => return Some(value.clone()),
            ShapeKind::Named(named) => return self.hold_as(value, &named.shape, called),
            ShapeKind::Nullable(inner) => {
                return match value {
                    Value::Null(_) => Some(null_of(value, &inner.ty())),
                    _ => self.hold(value, inner),
                };
            }
            ShapeKind::Secret(inner) => {
                let outside = self.marks;
                self.marks |= Marks::SENSITIVE;
                let held = self.hold(value, inner);
                self.marks = outside;
                return held.map(|held| held.with_marks(Marks::SENSITIVE));
            }
            ShapeKind::Where(narrowed) => return self.narrowed(value, narrowed, called),
            _ => {}
        }
        match value {
            Value::Null(_) => self.misfit(Misfit {
                code: "null-value",
                summary: "Null where the type has none",
                help: Some(eco_format!(
                    "Give a value, or write the type as `{called}?` if there may be none."
                )),
                ..self.problem(eco_format!("is null, which is not {}.", named(called)))
            }),
            Value::Unknown(unknown) => {
                if let (Type::Object(from), ShapeKind::Object(object)) = (&unknown.ty, &shape.kind) {
                    self.extra_attributes(from.attributes.keys(), object, called);
                }
                self.converted(value, &shape.ty(), called)
            }
            _ => self.known(value, shape, called),
        }
    }

    fn known(&mut self, value: &Value, shape: &Shape, called: &Shape) -> Option<Value> {
        match (&shape.kind, value) {
            (ShapeKind::Enum(members), _) => self.member(value, members, called),
            (ShapeKind::List(element) | ShapeKind::Set(element), _) => self.sequence(value, element, called),
            (ShapeKind::Map(element), _) => self.map(value, element, called),
            (ShapeKind::Tuple(shapes), Value::Tuple(items)) if items.len() == shapes.len() => {
                self.tuple(items, shapes)
            }
            (ShapeKind::Object(object), Value::Object(entries)) => {
                self.object(entries, object, called, Step::Attribute)
            }
            (ShapeKind::Object(object), Value::Map(map)) => {
                self.object(&map.entries, object, called, Step::Key)
            }
            (ShapeKind::Union(union), Value::Object(entries)) => {
                self.variant(entries, union, called, Step::Attribute)
            }
            (ShapeKind::Union(union), Value::Map(map)) => {
                self.variant(&map.entries, union, called, Step::Key)
            }
            _ => self.converted(value, &shape.ty(), called),
        }
    }

    fn converted(&mut self, value: &Value, ty: &Type, shape: &Shape) -> Option<Value> {
        convert(value, ty).ok().or_else(|| {
            let what = self.shown(value);
            self.misfit(Misfit {
                code: "wrong-type",
                summary: "Value of another type",
                ..self.problem(eco_format!("is {what}, but wanted is {}.", explained(shape)))
            })
        })
    }

    fn member(&mut self, value: &Value, members: &EnumShape, shape: &Shape) -> Option<Value> {
        let value = self.converted(value, &members.ty, shape)?;
        if members.members.iter().any(|(member, _)| *member == value) {
            return Some(value);
        }
        let what = self.shown(&value);
        let all: Vec<EcoString> = members.members.iter().take(6).map(|(member, _)| literal(member)).collect();
        let more = if members.members.len() > 6 { ", …" } else { "" };
        let texts = members.members.iter().filter_map(|(member, _)| member.as_str());
        let guess = value
            .as_str()
            .filter(|_| !self.marks.contains(Marks::SENSITIVE))
            .and_then(|text| plumb_model::diagnostic::nearest(text, texts.map(EcoString::as_str)));
        self.misfit(Misfit {
            code: "not-in-enum",
            summary: "Value not in enumeration",
            help: guess.map(|guess| eco_format!("Did you mean {}?", plumb_syntax::quote(guess))),
            ..self.problem(eco_format!("is {what}, which is none of {}{more}.", all.join(", ")))
        })
    }

    fn sequence(&mut self, value: &Value, element: &Shape, shape: &Shape) -> Option<Value> {
        let is_set = matches!(value, Value::Set(_));
        let Some(items) = value.as_items() else { return self.converted(value, &shape.ty(), shape) };
        if is_already(value, element, shape, items.iter()) {
            return Some(value.clone());
        }
        let mut held = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(if is_set { Step::Any } else { Step::Index(index) });
            held.extend(self.hold(item, element));
            self.path.pop();
        }
        if held.len() < items.len() {
            return None;
        }
        self.converted(&Value::tuple(held), &shape.ty(), shape)
    }

    fn map(&mut self, value: &Value, element: &Shape, shape: &Shape) -> Option<Value> {
        let Some(entries) = value.as_entries() else { return self.converted(value, &shape.ty(), shape) };
        if is_already(value, element, shape, entries.values()) {
            return Some(value.clone());
        }
        let mut held = Vec::with_capacity(entries.len());
        for (name, item) in entries.iter() {
            self.path.push(Step::Key(name.clone()));
            held.extend(self.hold(item, element).map(|item| (name.clone(), item)));
            self.path.pop();
        }
        if held.len() < entries.len() {
            return None;
        }
        self.converted(&Value::object(held), &shape.ty(), shape)
    }

    fn tuple(&mut self, items: &[Value], shapes: &[Shape]) -> Option<Value> {
        let mut held = Vec::with_capacity(items.len());
        for (index, (item, shape)) in items.iter().zip(shapes).enumerate() {
            self.path.push(Step::Index(index));
            held.extend(self.hold(item, shape));
            self.path.pop();
        }
        (held.len() == items.len()).then(|| Value::tuple(held))
    }

    fn object(
        &mut self,
        entries: &Entries,
        object: &ObjectShape,
        shape: &Shape,
        step: fn(EcoString) -> Step,
    ) -> Option<Value> {
        self.extra_attributes(entries.keys(), object, shape);
        let held = self.attributes(entries, object, shape, step)?;
        Some(Value::object(held))
    }

    /// The attributes that an object has by its type.
    fn attributes(
        &mut self,
        entries: &Entries,
        object: &ObjectShape,
        shape: &Shape,
        step: fn(EcoString) -> Step,
    ) -> Option<Vec<(EcoString, Value)>> {
        let mut held = Vec::with_capacity(object.attributes.len());
        for attribute in &object.attributes {
            let AttributeShape { name, shape: wanted, optional, default } = attribute;
            let given = entries.get(&name.name);
            if given.is_none() && !optional {
                self.misfit::<()>(Misfit {
                    code: "absent-attribute",
                    summary: "Missing attribute",
                    wanted: Some((name.span, "declared here".into())),
                    help: Some(eco_format!("Add `{name} = …`, or declare it `optional({wanted})`.")),
                    ..self.problem(eco_format!("has no attribute `{name}`, which {} needs.", named(shape)))
                });
                continue;
            }
            self.path.push(step(name.name.clone()));
            let value = match (given, default) {
                (Some(value), _) if !(*optional && value.is_null()) => self.hold(value, wanted),
                (_, Some(default)) => self.hold(default, wanted),
                (_, None) => Some(Value::Null(wanted.ty().without_optional())),
            };
            self.path.pop();
            let marks = given.map_or(Marks::NONE, Value::marks);
            held.extend(value.map(|value| (name.name.clone(), value.with_marks(marks))));
        }
        (held.len() == object.attributes.len()).then_some(held)
    }

    fn extra_attributes<'k>(
        &mut self,
        given: impl Iterator<Item = &'k EcoString>,
        object: &ObjectShape,
        shape: &Shape,
    ) {
        if object.open {
            return;
        }
        let wanted: std::collections::HashSet<&str> =
            object.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        for name in given.filter(|name| !wanted.contains(name.as_str())) {
            let absent = object.attributes.iter().map(|attribute| attribute.name.as_str());
            let guess = plumb_model::diagnostic::nearest(name, absent).map(EcoString::from);
            self.extra(name, guess, shape);
        }
    }

    fn extra(&mut self, name: &EcoString, guess: Option<EcoString>, shape: &Shape) {
        let help = match &guess {
            Some(guess) => eco_format!("Did you mean `{guess}`?"),
            None => "Remove it, or end the object type with `...` to allow for others.".into(),
        };
        self.misfit::<()>(Misfit {
            code: "extra-attribute",
            summary: "Attribute that the type does not have",
            extra: Some(name.clone()),
            help: Some(help),
            guess,
            ..self.problem(eco_format!("has an attribute `{name}`, which {} does not have.", named(shape)))
        });
    }

    fn variant(
        &mut self,
        entries: &Entries,
        union: &UnionShape,
        shape: &Shape,
        step: fn(EcoString) -> Step,
    ) -> Option<Value> {
        let names = || union.variants.iter().map(|variant| variant.name.as_str());
        let all: Vec<EcoString> = names().take(6).map(plumb_syntax::quote).collect();
        let Some(tag) = entries.get(&union.tag) else {
            return self.misfit(Misfit {
                code: "absent-attribute",
                summary: "Missing attribute",
                wanted: Some((union.tag_span, "declared here".into())),
                help: Some(eco_format!("Add `{} = {}`.", union.tag, all[0])),
                ..self.problem(eco_format!(
                    "has no attribute `{}`, which says which variant of {} it is: {}.",
                    union.tag,
                    named(shape),
                    all.join(", ")
                ))
            });
        };
        self.path.push(step(union.tag.clone()));
        let tag = self.hold(tag, &Shape::new(ShapeKind::String, union.tag_span));
        self.path.pop();
        let tag = tag?;
        let Some(name) = tag.unmarked().as_str() else {
            // Which variant it is, is not known yet.
            return Some(Value::unknown_not_null(shape.ty().without_optional()).with_marks(tag.marks()));
        };
        let Some(variant) = union.variant(name) else {
            let what = self.shown(&tag);
            self.path.push(step(union.tag.clone()));
            self.misfit::<()>(Misfit {
                code: "unknown-variant",
                summary: "Unknown variant",
                help: did_you_mean(name, names()).filter(|_| !self.marks.contains(Marks::SENSITIVE)),
                ..self.problem(eco_format!(
                    "is {what}, but the variants of {} are {}.",
                    named(shape),
                    all.join(", ")
                ))
            });
            self.path.pop();
            return None;
        };
        // What has been held has the attributes of all variants.
        let of_others = |name: &EcoString, value: &Value| {
            value.is_null() && union.attributes.contains_key(name) && variant.object.attribute(name).is_none()
        };
        let given: Vec<&EcoString> = entries
            .iter()
            .filter(|(name, value)| **name != union.tag && !of_others(name, value))
            .map(|(name, _)| name)
            .collect();
        self.extra_attributes(given.into_iter(), &variant.object, shape);
        let held = self.attributes(entries, &variant.object, shape, step)?;
        let mut value: Vec<(EcoString, Value)> =
            union.attributes.iter().map(|(name, ty)| (name.clone(), Value::Null(ty.clone()))).collect();
        for (name, part) in held {
            let ty = union.attributes.get(&name).cloned().unwrap_or(Type::Dynamic);
            value.push((name, convert(&part, &ty).unwrap_or(part)));
        }
        value.push((union.tag.clone(), tag));
        Some(Value::object(value))
    }

    fn narrowed(&mut self, value: &Value, narrowed: &WhereShape, shape: &Shape) -> Option<Value> {
        let held = self.hold(value, &narrowed.base)?;
        if !held.is_known() || held.is_null() {
            return Some(held);
        }
        let names = ConditionNames { value: &held };
        let context = FunctionContext::alone(&self.world, Dialect::Native);
        let eval = Eval::new(&names, &context, Rules::of(Dialect::Native));
        let (problem, found) = match eval.finish(&narrowed.condition) {
            Ok(result) => match convert(&result, &Type::Bool).as_ref().map(Value::unmarked) {
                Ok(Value::Bool(true)) | Ok(Value::Unknown(_)) => return Some(held),
                Ok(Value::Bool(false)) => ("does not hold for it", None),
                _ => ("is neither true nor false for it", None),
            },
            Err(found) => ("has no value for it", Some(found)),
        };
        let what = self.shown(&held);
        let hidden = self.marks.contains(Marks::SENSITIVE) || held.marks().contains(Marks::SENSITIVE);
        self.misfit(Misfit {
            code: "condition-of-type",
            summary: "Value outside of its type",
            wanted: Some((narrowed.condition.span, problem.into())),
            found: found.filter(|_| !hidden),
            ..self.problem(eco_format!("is {what}, which is not {}.", named(shape)))
        })
    }

    /// A value in a few words; never what is sensitive.
    fn shown(&self, value: &Value) -> EcoString {
        if self.marks.contains(Marks::SENSITIVE) { "a sensitive value".into() } else { describe(value) }
    }

    fn problem(&self, problem: EcoString) -> Misfit {
        Misfit {
            path: Path(self.path.clone()),
            extra: None,
            code: "wrong-type",
            summary: "Value of another type",
            problem,
            help: None,
            guess: None,
            wanted: None,
            found: None,
        }
    }

    fn misfit<T>(&mut self, misfit: Misfit) -> Option<T> {
        if self.misfits.len() < MOST_TOLD {
            self.misfits.push(misfit);
        }
        None
    }
}

/// Whether a collection of primitives is of its type already, so that it is passed on without a copy.
fn is_already<'v>(
    value: &Value,
    element: &Shape,
    shape: &Shape,
    mut items: impl Iterator<Item = &'v Value>,
) -> bool {
    matches!(element.kind, ShapeKind::Bool | ShapeKind::Number | ShapeKind::String)
        && value.ty() == shape.ty()
        && items.all(|item| !item.is_null())
}

/// A null of the type.
fn null_of(value: &Value, ty: &Type) -> Value {
    convert(value, ty).unwrap_or_else(|_| Value::Null(ty.without_optional()))
}

/// The type as messages call it: by its name if it has one, in full if that is short.
fn named(shape: &Shape) -> EcoString {
    let full = shape.to_string();
    match &shape.kind {
        _ if full.chars().count() <= 60 => eco_format!("`{full}`"),
        ShapeKind::Object(_) => "the object type".into(),
        ShapeKind::Union(_) => "the union".into(),
        _ => "the type".into(),
    }
}

/// As [`named`], with what a name stands for, if that is short.
fn explained(shape: &Shape) -> EcoString {
    let name = named(shape);
    let ShapeKind::Named(of_name) = &shape.kind else { return name };
    let full = eco_format!("{}", of_name.shape);
    match full.chars().count() <= 60 {
        true => eco_format!("{name}, which is `{full}`"),
        false => name,
    }
}

/// The only name that a condition of a type may mention.
struct ConditionNames<'a> {
    value: &'a Value,
}

impl Names for ConditionNames<'_> {
    fn lookup(&self, traversal: &Traversal, diagnostics: &mut Diagnostics) -> Outcome<(Value, usize)> {
        if traversal.root.as_str() == "value" {
            return Ok((self.value.clone(), 0));
        }
        diagnostics.push(
            Diagnostic::error("reference-not-allowed", "Reference not allowed")
                .detail(eco_format!("The condition of a type may mention only `value`, not `{traversal}`."))
                .at(traversal.span),
        );
        Err(Failed)
    }
}
