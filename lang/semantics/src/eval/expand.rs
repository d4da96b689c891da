//! `count`, `for_each` and `enabled`: which instances there are.

use std::collections::HashMap;
use std::ops::Range;

use ecow::{EcoString, eco_format};
use plumb_model::address::Key;
use plumb_model::convert::convert;
use plumb_model::{Diagnostic, Diagnostics, Marks, Type, Value};
use plumb_syntax::tree::{Expr, ExprKind, Traversal};

use super::names::Scope;
use super::{Evaluator, ModuleRef, Phase};
use crate::expr::describe;
use crate::program::{ModuleId, Repetition};
use crate::reasons::{self, Lateness};

/// The instances of a block in one module instance.
pub(crate) struct Expansion {
    pub shape: Shape,
    /// Of `for_each`: the keys in order.
    pub keys: Vec<Value>,
    /// Of `for_each`: the values in the order of keys; empty if they are the keys.
    pub values: Vec<Value>,
    /// Of `for_each`: where each key is.
    pub index: HashMap<EcoString, u32>,
}

/// How the instances are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One, without key.
    One,
    /// One or none, without key, by `enabled`.
    Enabled(bool),
    /// By numbers below this.
    Count(u64),
    /// By strings.
    ForEach,
    /// Not known how many: one stands for all of them.
    Unknown,
}

/// More instances than this are taken for a mistake.
const MAX_INSTANCES: u64 = 10_000_000;

impl Expansion {
    /// One instance without key.
    pub(crate) fn one() -> Expansion {
        Expansion::of(Shape::One)
    }

    pub(crate) fn of(shape: Shape) -> Expansion {
        Expansion { shape, keys: Vec::new(), values: Vec::new(), index: HashMap::new() }
    }

    /// How many instances there are.
    pub(crate) fn len(&self) -> usize {
        match self.shape {
            Shape::One | Shape::Enabled(true) | Shape::Unknown => 1,
            Shape::Enabled(false) => 0,
            Shape::Count(count) => count as usize,
            Shape::ForEach => self.keys.len(),
        }
    }

    /// The indices of the instances.
    pub(crate) fn range(&self) -> Range<usize> {
        0..self.len()
    }

    /// The key of an instance.
    pub(crate) fn key(&self, index: usize) -> Key {
        match self.shape {
            Shape::One | Shape::Enabled(_) | Shape::Unknown => Key::None,
            Shape::Count(_) => Key::Int(index as u64),
            Shape::ForEach => self.keys[index].as_str().cloned().map_or(Key::None, Key::String),
        }
    }

    /// The instance of a key.
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        match (self.shape, key) {
            (Shape::One | Shape::Enabled(true) | Shape::Unknown, Key::None) => Some(0),
            (Shape::Count(count), Key::Int(index)) if *index < count => Some(*index as usize),
            (Shape::ForEach, Key::String(key)) => self.index.get(key).map(|index| *index as usize),
            _ => None,
        }
    }

    fn for_each(keys: Vec<EcoString>, values: Vec<Value>) -> Expansion {
        let index = keys.iter().enumerate().map(|(i, key)| (key.clone(), i as u32)).collect();
        Expansion {
            shape: Shape::ForEach,
            keys: keys.into_iter().map(Value::String).collect(),
            values,
            index,
        }
    }
}

impl Evaluator {
    /// The instances that a repetition asks for in a module instance.
    pub(super) fn expansion(
        &self,
        module: ModuleRef,
        repetition: &Repetition,
    ) -> Result<Expansion, Diagnostics> {
        let scope = Scope::module(self, module);
        let expansion = if let Some(expr) = &repetition.count {
            let value = self.eval_scoped(&scope, expr)?;
            self.count(module, expr, &value)?
        } else if let Some(expr) = &repetition.for_each {
            let value = self.eval_scoped(&scope, expr)?;
            self.for_each(module, expr, &value)?
        } else if let Some(expr) = &repetition.enabled {
            let value = self.eval_scoped(&scope, expr)?;
            self.enabled(module, expr, &value)?
        } else {
            return Ok(Expansion::one());
        };
        // What holds of all instances is found with one that stands for them, however many there will be.
        Ok(if self.options.phase == Phase::Validate { Expansion::of(Shape::Unknown) } else { expansion })
    }

    fn count(&self, module: ModuleRef, expr: &Expr, value: &Value) -> Result<Expansion, Diagnostics> {
        let error = |detail: EcoString| {
            Diagnostic::error("invalid-count", "Invalid count argument").detail(detail).at(expr.span)
        };
        let (inner, marks) = value.unmark();
        if marks.contains(Marks::EPHEMERAL) {
            return Err(
                error("`count` depends on an ephemeral value, which may differ each time.".into()).into()
            );
        }
        if inner.is_null() {
            return Err(error("`count` is null; it must be a number.".into())
                .help("Leave `count` out for exactly one instance.")
                .into());
        }
        let number = match convert(inner, &Type::Number) {
            Ok(Value::Number(number)) => number,
            Ok(_) => return self.unknown_instances(module, expr, "count"),
            Err(problem) => {
                let diagnostic = Diagnostic::error("invalid-count", "Incorrect value type")
                    .detail(eco_format!("`count` is the number of instances: {problem}."))
                    .at(expr.span);
                let diagnostic = match inner {
                    Value::Bool(_) => {
                        diagnostic.help("To make an instance or none, write `count = condition ? 1 : 0`.")
                    }
                    _ => diagnostic,
                };
                return Err(diagnostic.into());
            }
        };
        if !number.is_integer() {
            return Err(error(eco_format!("`count` is {number}, which is not a whole number.")).into());
        }
        match number.to_u64() {
            Some(count) if count <= MAX_INSTANCES => Ok(Expansion::of(Shape::Count(count))),
            _ if number.is_negative() => {
                Err(error(eco_format!("`count` is {number}; it must not be negative."))
                    .help("Write `max(0, …)` around it.")
                    .into())
            }
            _ => Err(error(eco_format!("`count` is {number}, which is more than {MAX_INSTANCES}.")).into()),
        }
    }

    pub(super) fn for_each(
        &self,
        module: ModuleRef,
        expr: &Expr,
        value: &Value,
    ) -> Result<Expansion, Diagnostics> {
        let error = |detail: EcoString| {
            Diagnostic::error("invalid-for-each", "Invalid for_each argument").detail(detail).at(expr.span)
        };
        let (inner, marks) = value.unmark();
        if marks.contains(Marks::SENSITIVE) {
            return Err(error("The keys of `for_each` become part of addresses, so they cannot be sensitive.".into())
                .help("Use keys that may be shown; only the values of a map may be sensitive. `nonsensitive(…)` says that a value may be shown.")
                .into());
        }
        if marks.contains(Marks::EPHEMERAL) {
            return Err(error(
                "`for_each` depends on an ephemeral value, which may differ each time.".into(),
            )
            .into());
        }
        match inner {
            Value::Null(_) => Err(error("`for_each` is null; it must be a map, or a set of strings.".into())
                .help("Give an empty one for the case of null: `coalesce(value, {})`.")
                .into()),
            Value::Map(_) | Value::Object(_) => {
                let entries = inner.as_entries().into_iter().flat_map(|entries| entries.iter());
                let (keys, values) = entries.map(|(key, value)| (key.clone(), value.clone())).unzip();
                Ok(Expansion::for_each(keys, values))
            }
            Value::Set(set) => {
                let mut keys = Vec::with_capacity(set.items.len());
                for item in &set.items {
                    match item {
                        Value::String(key) => keys.push(key.clone()),
                        Value::Unknown(_) => return self.unknown_instances(module, expr, "for_each"),
                        Value::Null(_) => {
                            return Err(error("The set has a null in it; keys must be strings.".into())
                                .help("Filter it: `[for x in … : x if x != null]`.")
                                .into());
                        }
                        _ => {
                            let found = set.element.friendly_name();
                            return Err(Diagnostic::error(
                                "invalid-for-each",
                                "Invalid for_each set argument",
                            )
                            .detail(eco_format!(
                                "The set holds elements of type {found}; only sets of strings can be used."
                            ))
                            .at(expr.span)
                            .help("Convert the elements, `toset([for x in … : tostring(x)])`, or use a map.")
                            .into());
                        }
                    }
                }
                Ok(Expansion::for_each(keys, Vec::new()))
            }
            Value::Unknown(unknown)
                if matches!(unknown.ty, Type::Dynamic | Type::Map(_) | Type::Object(_))
                    || matches!(&unknown.ty, Type::Set(e) if matches!(**e, Type::String | Type::Dynamic)) =>
            {
                self.unknown_instances(module, expr, "for_each")
            }
            Value::List(_) | Value::Tuple(_) => {
                let found = inner.ty().friendly_name();
                Err(error(eco_format!("`for_each` is a {found}; it must be a map, or a set of strings, whose keys name the instances."))
                    .help("If the elements are distinct strings, write `toset(…)`; else make a map: `{ for x in … : x.name => x }`.")
                    .into())
            }
            other => Err(error(eco_format!(
                "`for_each` is {}; it must be a map, or a set of strings.",
                describe(other)
            ))
            .into()),
        }
    }

    fn enabled(&self, module: ModuleRef, expr: &Expr, value: &Value) -> Result<Expansion, Diagnostics> {
        let error = |detail: EcoString| {
            Diagnostic::error("invalid-enabled", "Invalid enabled argument").detail(detail).at(expr.span)
        };
        let (inner, marks) = value.unmark();
        if marks.contains(Marks::EPHEMERAL) {
            return Err(
                error("`enabled` depends on an ephemeral value, which may differ each time.".into()).into()
            );
        }
        match convert(inner, &Type::Bool) {
            Ok(Value::Bool(enabled)) => Ok(Expansion::of(Shape::Enabled(enabled))),
            Ok(Value::Null(_)) => Err(error("`enabled` is null; it must be true or false.".into()).into()),
            Ok(_) => self.unknown_instances(module, expr, "enabled"),
            Err(problem) => Err(error(eco_format!("`enabled` is true or false: {problem}.")).into()),
        }
    }

    /// How many instances there are cannot be said: an error but where nothing is known anyway.
    fn unknown_instances(
        &self,
        module: ModuleRef,
        expr: &Expr,
        name: &str,
    ) -> Result<Expansion, Diagnostics> {
        if self.options.phase == Phase::Validate {
            return Ok(Expansion::of(Shape::Unknown));
        }
        let what = match name {
            "for_each" => {
                "The keys of `for_each` are known only after apply, so it cannot be said which instances there are."
            }
            "count" => {
                "`count` is known only after apply, so it cannot be said how many instances there are."
            }
            _ => "`enabled` is known only after apply, so it cannot be said whether there is an instance.",
        };
        let code = match name {
            "for_each" => "unknown-for-each",
            "count" => "unknown-count",
            _ => "unknown-enabled",
        };
        let lateness = |id: ModuleId, traversal: &Traversal| self.lateness(module, id, traversal);
        let way = reasons::way(&self.program, module.module, expr, &lateness);
        let mut diagnostic = Diagnostic::error(code, eco_format!("Invalid {name} argument")).detail(what);
        if !reasons::is_reference(expr) || way.links.is_empty() {
            diagnostic = diagnostic.label(expr.span, "not known yet");
        }
        let help = match (name, way.keyed()) {
            ("for_each", Some(keyed)) => {
                eco_format!(
                    "Key the map by something you write: `{keyed}`. Or apply what it depends on first, with `-target`."
                )
            }
            ("for_each", None) => {
                "Use keys that you write and put what is not known yet in the values. Or apply what it depends on first, with `-target`."
                    .into()
            }
            _ => {
                "Decide by a value that you write, such as a variable. Or apply what it depends on first, with `-target`."
                    .into()
            }
        };
        Err(way.explain(diagnostic, name).help(help).into())
    }

    /// Whether a reference in a module is known, as seen from a module instance.
    fn lateness(&self, from: ModuleRef, module: ModuleId, traversal: &Traversal) -> Lateness {
        // Where the way leads into other modules, one instance stands for all: it is the same text.
        let index = if module == from.module { from.index } else { 0 };
        if self.modules[module.0 as usize].instances.is_empty() {
            return Lateness::Not;
        }
        let scope = Scope::module(self, ModuleRef { module, index });
        let alone = Expr::new(ExprKind::Traversal(std::sync::Arc::new(traversal.clone())), traversal.span);
        match self.eval_scoped(&scope, &alone) {
            Ok(value) if !value.is_known() => Lateness::Wholly,
            Ok(value) if !value.is_wholly_known() => Lateness::InPart,
            _ => Lateness::Not,
        }
    }
}
