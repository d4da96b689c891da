//! Attributes, indices and splats.

use ecow::{EcoString, eco_format};
use plumb_model::convert::convert;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::unify::unify_values;
use plumb_model::{Diagnostic, Marks, Number, Span, Type, Value};
use plumb_syntax::tree::{Access, AccessStep, Expr, ExprKind, Ident, Traversal, TraversalStep};

use super::{Eval, Outcome, describe};

/// What a step led to.
enum Accessed {
    /// A value.
    Value(Value),
    /// The step was optional and there is nothing: the rest of the chain is not taken.
    Nothing,
}

impl Eval<'_> {
    /// The value of a name and literal steps.
    pub(crate) fn traversal(&mut self, traversal: &Traversal) -> Outcome {
        let (mut value, used) = match self.find_binding(&traversal.root.name) {
            Some(value) => (value.clone(), 0),
            None => {
                let names = self.names;
                names.lookup(traversal, &mut self.diagnostics)?
            }
        };
        for step in &traversal.steps[used..] {
            value = match step {
                TraversalStep::Attribute(name) => self.attribute(&value, name)?,
                TraversalStep::Index(index, span) => {
                    self.index(&value, &Value::Number(index.clone()), *span)?
                }
                TraversalStep::Key(key, span) => self.index(&value, &Value::String(key.clone()), *span)?,
            };
        }
        Ok(value)
    }

    pub(super) fn access(&mut self, access: &Access) -> Outcome {
        if let (ExprKind::Traversal(traversal), [AccessStep::Index { key, optional: false, span }, rest @ ..]) =
            (&access.base.kind, access.steps.as_slice())
            && self.find_binding(&traversal.root.name).is_none()
        {
            return self.access_instance(access, traversal, (key, *span), rest);
        }
        let base = self.eval(&access.base)?;
        self.steps(base, &access.steps)
    }

    /// `type.name[key].attribute` with a computed key: the value of that instance, without that of all instances being
    /// built. The key is evaluated once, since keys may be nested in keys.
    fn access_instance(
        &mut self,
        access: &Access,
        traversal: &Traversal,
        (key, span): (&Expr, Span),
        rest: &[AccessStep],
    ) -> Outcome {
        let key = self.eval(key)?;
        let attribute = match rest.first() {
            Some(AccessStep::Attribute { name, optional: false }) => Some(name),
            _ => None,
        };
        let names = self.names;
        if let Some((value, used)) = names.indexed(traversal, &key, attribute) {
            return self.steps(value, &rest[usize::from(used)..]);
        }
        let base = self.eval(&access.base)?;
        let value = self.index(&base, &key, span)?;
        self.steps(value, rest)
    }

    fn steps(&mut self, mut value: Value, steps: &[AccessStep]) -> Outcome {
        for step in steps {
            match self.step(&value, step)? {
                Accessed::Value(next) => value = next,
                Accessed::Nothing => return Ok(Value::NULL.with_marks(value.marks())),
            }
        }
        Ok(value)
    }

    fn step(&mut self, value: &Value, step: &AccessStep) -> Outcome<Accessed> {
        match step {
            AccessStep::Attribute { optional: true, name } if lacks(value, &name.name) => {
                Ok(Accessed::Nothing)
            }
            AccessStep::Attribute { name, .. } => self.attribute(value, name).map(Accessed::Value),
            AccessStep::Index { key, optional, span } => {
                let key = self.eval(key)?;
                if *optional && (value.is_null() || lacks_index(value, &key)) {
                    return Ok(Accessed::Nothing);
                }
                self.index(value, &key, *span).map(Accessed::Value)
            }
            AccessStep::Splat { each, span, .. } => self.splat(value, each, *span).map(Accessed::Value),
        }
    }

    /// `value.name`
    pub(crate) fn attribute(&mut self, value: &Value, name: &Ident) -> Outcome {
        let (inner, marks) = value.unmark();
        let found = match inner {
            Value::Object(entries) => match entries.get(&name.name) {
                Some(found) => found.clone(),
                None => {
                    let names = entries.keys().map(EcoString::as_str);
                    let diagnostic =
                        unsupported(name, &eco_format!("This object has no attribute named `{name}`."))
                            .maybe_help(did_you_mean(&name.name, names));
                    return self.fail(diagnostic);
                }
            },
            Value::Map(map) => match map.entries.get(&name.name) {
                Some(found) => found.clone(),
                None => {
                    let names = map.entries.keys().map(EcoString::as_str);
                    let help = did_you_mean(&name.name, names).filter(|_| marks == Marks::NONE);
                    let diagnostic = Diagnostic::error("missing-map-element", "Missing map element")
                        .detail(eco_format!("This map has no element with the key `{name}`."))
                        .at(name.span)
                        .maybe_help(help);
                    return self.fail(diagnostic);
                }
            },
            Value::Null(_) => {
                let diagnostic = Diagnostic::error(
                    "attribute-of-null",
                    "Attempt to get attribute from null value",
                )
                .detail(eco_format!("The value is null, so it has no attribute `{name}`."))
                .at(name.span)
                .help("Test for null first, or give a value for that case: `try(value.attribute, null)`.");
                return self.fail(diagnostic);
            }
            Value::Unknown(unknown) => match &unknown.ty {
                Type::Dynamic => Value::unknown(Type::Dynamic),
                Type::Map(element) => Value::unknown((**element).clone()),
                Type::Object(object) => match object.attributes.get(&name.name) {
                    Some(ty) => Value::unknown(ty.clone()),
                    None => {
                        let names = object.attributes.keys().map(EcoString::as_str);
                        let diagnostic =
                            unsupported(name, &eco_format!("This object has no attribute named `{name}`."))
                                .maybe_help(did_you_mean(&name.name, names));
                        return self.fail(diagnostic);
                    }
                },
                ty => return self.no_attributes(&ty.clone(), name),
            },
            other => return self.no_attributes(&other.ty(), name),
        };
        Ok(found.with_marks(marks))
    }

    fn no_attributes(&mut self, ty: &Type, name: &Ident) -> Outcome {
        let diagnostic = match ty {
            ty if ty.is_primitive() => unsupported(
                name,
                &eco_format!("A {} has no attributes, but `{name}` is asked of it.", ty.friendly_name()),
            ),
            Type::List(element) | Type::Set(element) if matches!(**element, Type::Object(_)) => unsupported(
                name,
                &eco_format!("A {} has no attributes; its elements have.", ty.friendly_name()),
            )
            .help(eco_format!("Name one element (`[0].{name}`) or ask all of them (`[*].{name}`).")),
            ty => unsupported(name, &eco_format!("A {} has no attributes.", ty.friendly_name())),
        };
        self.fail(diagnostic)
    }

    /// `value[key]`
    pub(crate) fn index(&mut self, value: &Value, key: &Value, span: Span) -> Outcome {
        let (inner, marks) = value.unmark();
        let (key, key_marks) = key.unmark();
        let marks = marks | key_marks;
        if inner.is_null() {
            return self.fail(
                Diagnostic::error("index-of-null", "Attempt to index null value")
                    .detail("The value is null, so it has no elements.")
                    .at(span)
                    .help("Test for null first, or give a value for that case: `try(value[key], null)`."),
            );
        }
        if key.is_null() {
            return self.invalid_index(span, "A null value cannot be used as a key.".into());
        }
        let found = match inner {
            Value::List(list) => self.element(&list.items, Some(&list.element), key, span)?,
            Value::Tuple(items) => self.element(items, None, key, span)?,
            Value::Map(map) => {
                let Some(name) = self.key_text(key, span)? else {
                    return Ok(Value::unknown(map.element.clone()).with_marks(marks));
                };
                match map.entries.get(&name) {
                    Some(found) => found.clone(),
                    None => {
                        return self.missing(&name, map.entries.keys(), "map has no element", marks, span);
                    }
                }
            }
            Value::Object(entries) => {
                let Some(name) = self.key_text(key, span)? else {
                    return Ok(Value::unknown(Type::Dynamic).with_marks(marks));
                };
                match entries.get(&name) {
                    Some(found) => found.clone(),
                    None => {
                        return self.missing(&name, entries.keys(), "object has no attribute", marks, span);
                    }
                }
            }
            Value::Set(_) => return self.index_of_set(span),
            Value::Unknown(unknown) => self.index_unknown(&unknown.ty.clone(), key, span)?,
            other => {
                let found = other.ty().friendly_name();
                return self
                    .invalid_index(span, eco_format!("A {found} has no elements to select with a key."));
            }
        };
        Ok(found.with_marks(marks))
    }

    fn index_of_set(&mut self, span: Span) -> Outcome {
        let diagnostic = Diagnostic::error("invalid-index", "Invalid index")
            .detail("The elements of a set have no order and no keys, so none can be selected.")
            .at(span)
            .help("Use `one(set)` for the only element, `tolist(set)[0]` for the first in the set's order, or a `for` expression for all.");
        self.fail(diagnostic)
    }

    /// The text of a key; `None` if it is unknown.
    fn key_text(&mut self, key: &Value, span: Span) -> Outcome<Option<EcoString>> {
        match convert(key, &Type::String) {
            Ok(Value::String(text)) => Ok(Some(text)),
            Ok(_) => Ok(None),
            Err(error) => self.invalid_index(span, eco_format!("The key is not suitable: {error}.")),
        }
    }

    fn missing<'k>(
        &mut self,
        key: &str,
        keys: impl Iterator<Item = &'k EcoString>,
        lacks: &str,
        marks: Marks,
        span: Span,
    ) -> Outcome {
        let diagnostic = Diagnostic::error("invalid-index", "Invalid index").at(span);
        let diagnostic = if marks.contains(Marks::SENSITIVE) {
            diagnostic
                .detail(eco_format!("The {lacks} of that name. Key or value are sensitive and not shown."))
        } else {
            let keys: Vec<&str> = keys.map(EcoString::as_str).collect();
            let help = did_you_mean(key, keys.iter().copied());
            let diagnostic = diagnostic
                .detail(eco_format!("The {lacks} named {}.", plumb_syntax::quote(key)))
                .maybe_help(help);
            match keys.len() {
                0 => diagnostic.note("It is empty."),
                n if n <= 8 => diagnostic.note(eco_format!("It has {}.", keys.join(", "))),
                n => diagnostic.note(eco_format!("It has {}, … ({n} in all).", keys[..8].join(", "))),
            }
        };
        self.fail(diagnostic)
    }

    fn element(&mut self, items: &[Value], element: Option<&Type>, key: &Value, span: Span) -> Outcome {
        let number = match convert(key, &Type::Number) {
            Ok(Value::Number(number)) => number,
            Ok(_) => return Ok(Value::unknown(element.cloned().unwrap_or(Type::Dynamic))),
            Err(error) => {
                return self.invalid_index(span, eco_format!("The key of a sequence is a number: {error}."));
            }
        };
        if !number.is_integer() {
            return self.invalid_index(span, eco_format!("The index {number} is not a whole number."));
        }
        if number.is_negative() && !number.is_zero() {
            let help = "Count from the end with `value[length(value) - 1]`.";
            let detail = eco_format!("The index {number} is negative; indices count from 0.");
            return self.fail(
                Diagnostic::error("invalid-index", "Invalid index").detail(detail).at(span).help(help),
            );
        }
        match position(&number).and_then(|index| items.get(index)) {
            Some(found) => Ok(found.clone()),
            None if items.is_empty() => self
                .invalid_index(span, eco_format!("There is no element {number}: the collection is empty.")),
            None => {
                let (count, last) = (items.len(), items.len() - 1);
                self.invalid_index(
                    span,
                    eco_format!("There is no element {number}: there are {count}, the last is {last}."),
                )
            }
        }
    }

    fn index_unknown(&mut self, ty: &Type, key: &Value, span: Span) -> Outcome {
        match ty {
            Type::Dynamic => Ok(Value::unknown(Type::Dynamic)),
            Type::List(element) => self.element(
                &[Value::unknown((**element).clone())],
                Some(element),
                &unknown_if_suitable(key),
                span,
            ),
            Type::Map(element) => {
                self.key_text(key, span)?;
                Ok(Value::unknown((**element).clone()))
            }
            Type::Tuple(types) => {
                let items: Vec<Value> = types.iter().map(|ty| Value::unknown(ty.clone())).collect();
                self.element(&items, None, key, span)
            }
            Type::Object(object) => match self.key_text(key, span)? {
                None => Ok(Value::unknown(Type::Dynamic)),
                Some(name) => match object.attributes.get(&name) {
                    Some(ty) => Ok(Value::unknown(ty.clone())),
                    None => self.missing(
                        &name,
                        object.attributes.keys(),
                        "object has no attribute",
                        Marks::NONE,
                        span,
                    ),
                },
            },
            Type::Set(_) => self.index_of_set(span),
            ty => self.invalid_index(
                span,
                eco_format!("A {} has no elements to select with a key.", ty.friendly_name()),
            ),
        }
    }

    fn invalid_index<T>(&mut self, span: Span, detail: EcoString) -> Outcome<T> {
        self.fail(Diagnostic::error("invalid-index", "Invalid index").detail(detail).at(span))
    }

    /// `value[*]…`: what follows is done with each element.
    fn splat(&mut self, value: &Value, each: &[AccessStep], span: Span) -> Outcome {
        let (inner, marks) = value.unmark();
        let result = match inner {
            Value::List(list) => {
                let items = self.splat_items(&list.items, each)?;
                self.splat_list(&list.element, items, each, span)?
            }
            Value::Set(set) => {
                let items = self.splat_items(&set.items, each)?;
                self.splat_list(&set.element, items, each, span)?
            }
            Value::Tuple(items) => Value::tuple(self.splat_items(items, each)?),
            Value::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                return self.fail(
                    Diagnostic::error("splat-of-null", "Splat of null value")
                        .detail("The value is a null sequence, so there are no elements to go through.")
                        .at(span)
                        .help("Give an empty sequence for the case of null: `coalesce(value, [])`."),
                );
            }
            Value::Null(_) => Value::tuple(Vec::new()),
            Value::Unknown(unknown) => match &unknown.ty {
                Type::Dynamic => Value::unknown(Type::Dynamic),
                Type::List(element) | Type::Set(element) => {
                    let sample = self.steps(Value::unknown((**element).clone()), each)?;
                    let mut refinement = unknown.refinement.clone();
                    refinement.prefix = EcoString::new();
                    Value::refined(Type::list(sample.ty()), refinement)
                }
                Type::Tuple(types) => {
                    let items: Outcome<Vec<Value>> =
                        types.iter().map(|ty| self.steps(Value::unknown(ty.clone()), each)).collect();
                    let items = items?;
                    Value::unknown(Type::tuple(items.iter().map(Value::ty)))
                }
                _ if unknown.refinement.not_null => {
                    Value::tuple(self.splat_items(std::slice::from_ref(inner), each)?)
                }
                _ => {
                    self.steps(inner.clone(), each)?;
                    Value::unknown(Type::Dynamic)
                }
            },
            other => Value::tuple(self.splat_items(std::slice::from_ref(other), each)?),
        };
        Ok(result.with_marks(marks))
    }

    fn splat_items(&mut self, items: &[Value], each: &[AccessStep]) -> Outcome<Vec<Value>> {
        if each.is_empty() {
            return Ok(items.to_vec());
        }
        items.iter().map(|item| self.steps(item.clone(), each)).collect()
    }

    fn splat_list(&mut self, element: &Type, items: Vec<Value>, each: &[AccessStep], span: Span) -> Outcome {
        if each.is_empty() {
            return Ok(Value::list(element.clone(), items));
        }
        if items.is_empty() {
            // What the type of an element would be, so that an empty result keeps it.
            let sample = self.quietly(|eval| eval.steps(Value::unknown(element.clone()), each));
            return Ok(Value::list(sample.map_or(Type::Dynamic, |value| value.ty()), items));
        }
        let first = items[0].ty();
        if items.iter().all(|item| item.ty() == first) {
            return Ok(Value::list(first, items));
        }
        match unify_values(&items) {
            Some((ty, items)) => Ok(Value::list(ty, items)),
            None => {
                let types: Vec<String> =
                    items.iter().take(3).map(|item| describe(item).to_string()).collect();
                self.fail(
                    Diagnostic::error("uneven-splat", "Invalid nested splat expressions")
                        .detail(eco_format!(
                            "The elements give values of different types ({}), which one list cannot hold.",
                            types.join("; ")
                        ))
                        .at(span)
                        .help("Use a `for` expression, whose result may hold values of different types."),
                )
            }
        }
    }
}

fn unsupported(name: &Ident, detail: &str) -> Diagnostic {
    Diagnostic::error("unsupported-attribute", "Unsupported attribute").detail(detail).at(name.span)
}

/// The key if it could be an index of something; its value does not matter.
fn unknown_if_suitable(key: &Value) -> Value {
    match convert(key, &Type::Number) {
        Ok(Value::Number(number)) if number.is_integer() && !number.is_negative() => {
            Value::unknown(Type::Number)
        }
        _ => key.clone(),
    }
}

fn position(number: &Number) -> Option<usize> {
    number.to_u64().and_then(|index| usize::try_from(index).ok())
}

/// Whether `?.name` gives null: the value is null, or a map or object without that entry.
fn lacks(value: &Value, name: &str) -> bool {
    match value.unmarked() {
        Value::Null(_) => true,
        Value::Object(entries) => !entries.contains_key(name),
        Value::Map(map) => !map.entries.contains_key(name),
        _ => false,
    }
}

fn lacks_index(value: &Value, key: &Value) -> bool {
    match (value.unmarked(), key.unmarked()) {
        (Value::Object(_) | Value::Map(_), Value::String(name)) => lacks(value, name),
        (Value::List(_) | Value::Tuple(_), Value::Number(number)) => {
            let count = value.as_items().map_or(0, <[Value]>::len);
            number.is_integer() && position(number).is_some_and(|index| index >= count)
        }
        _ => false,
    }
}
