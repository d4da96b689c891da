//! Tuples, objects and `for`.

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::convert::convert;
use plumb_model::{Diagnostic, Marks, Span, Type, Value};
use plumb_syntax::tree::{Expr, ExprKind, For, Object, ObjectEntry, ObjectKey, Tuple};

use super::{Eval, Failed, Outcome};

/// Entries of an object, in the order in which they were given.
type Pairs = Vec<(EcoString, Value)>;

impl Eval<'_> {
    pub(super) fn tuple(&mut self, tuple: &Tuple) -> Outcome {
        let mut items = Vec::with_capacity(tuple.elements.len());
        let mut failed = false;
        let mut marks = Marks::NONE;
        let mut unknown = false;
        for element in &tuple.elements {
            match &element.kind {
                ExprKind::Spread(inner) => match self.spread_items(inner) {
                    Ok(Some((spread, spread_marks))) => {
                        marks |= spread_marks;
                        items.extend(spread);
                    }
                    Ok(None) => unknown = true,
                    Err(Failed) => failed = true,
                },
                _ => match self.eval(element) {
                    Ok(value) => items.push(value),
                    Err(Failed) => failed = true,
                },
            }
        }
        match (failed, unknown) {
            (true, _) => Err(Failed),
            (_, true) => Ok(Value::unknown(Type::Dynamic).with_marks(marks)),
            _ => Ok(Value::tuple(items).with_marks(marks)),
        }
    }

    /// The elements of what is spread; `None` if they are unknown.
    fn spread_items(&mut self, expr: &Expr) -> Outcome<Option<(Vec<Value>, Marks)>> {
        let value = self.eval(expr)?;
        let (inner, marks) = value.unmark();
        match (inner, inner.as_items()) {
            (_, Some(items)) => Ok(Some((items.to_vec(), marks))),
            (Value::Unknown(unknown), _) if !unknown.ty.is_primitive() => Ok(None),
            _ => {
                let found = if inner.is_null() { "null".into() } else { inner.ty().friendly_name() };
                let diagnostic = Diagnostic::error("invalid-spread", "Invalid spread")
                    .detail(eco_format!("Only a list, set or tuple can be spread into a tuple, not {found}."))
                    .at(expr.span)
                    .maybe_help(inner.is_null().then_some("Give an empty one for null: `...(value ?? [])`."));
                self.fail_at(diagnostic, expr)
            }
        }
    }

    pub(super) fn object(&mut self, object: &Object) -> Outcome {
        let mut entries: Vec<(EcoString, Value)> = Vec::with_capacity(object.entries.len());
        let mut written: IndexMap<EcoString, Span> = IndexMap::new();
        let mut failed = false;
        let mut marks = Marks::NONE;
        let mut unknown = false;
        for entry in &object.entries {
            match entry {
                ObjectEntry::Pair { key, value } => {
                    let name = self.object_key(key);
                    let value = self.eval(value);
                    match (name, value) {
                        (Ok((Some(name), key_marks)), Ok(value)) => {
                            if self.rules.native && self.repeats(&mut written, &name, key.span(), key_marks) {
                                failed = true;
                            }
                            marks |= key_marks;
                            entries.push((name, value));
                        }
                        (Ok((None, key_marks)), Ok(_)) => {
                            marks |= key_marks;
                            unknown = true;
                        }
                        _ => failed = true,
                    }
                }
                ObjectEntry::Spread(inner, _) => match self.spread_entries(inner) {
                    Ok(Some((spread, spread_marks))) => {
                        marks |= spread_marks;
                        entries.extend(spread);
                    }
                    Ok(None) => unknown = true,
                    Err(Failed) => failed = true,
                },
                ObjectEntry::Open(span) => {
                    failed = true;
                    let diagnostic = Diagnostic::error("misplaced-form", "Form not allowed here")
                        .detail("`...` alone has a meaning only in object types.")
                        .at(*span);
                    self.diagnostics.push(diagnostic);
                }
            }
        }
        match (failed, unknown) {
            (true, _) => Err(Failed),
            (_, true) => Ok(Value::unknown(Type::Dynamic).with_marks(marks)),
            _ => Ok(Value::object(entries).with_marks(marks)),
        }
    }

    /// Reports a key that was written before in the same object.
    fn repeats(
        &mut self,
        written: &mut IndexMap<EcoString, Span>,
        name: &EcoString,
        span: Span,
        marks: Marks,
    ) -> bool {
        let Some(first) = written.insert(name.clone(), span) else { return false };
        let shown = if marks.is_empty() { plumb_syntax::quote(name) } else { "(sensitive)".into() };
        self.diagnostics.push(
            Diagnostic::error("duplicate-key", "Duplicate object key")
                .detail(eco_format!("The key {shown} is written twice in this object."))
                .label(span, "again here")
                .label(first, "first here")
                .help("Remove one; to override entries of another object, spread it first: `{ ...base, key = value }`."),
        );
        true
    }

    fn spread_entries(&mut self, expr: &Expr) -> Outcome<Option<(Pairs, Marks)>> {
        let value = self.eval(expr)?;
        let (inner, marks) = value.unmark();
        match (inner, inner.as_entries()) {
            (_, Some(entries)) => Ok(Some((entries.clone().into_iter().collect(), marks))),
            (Value::Unknown(unknown), _) if !unknown.ty.is_primitive() => Ok(None),
            _ => {
                let found = if inner.is_null() { "null".into() } else { inner.ty().friendly_name() };
                let diagnostic = Diagnostic::error("invalid-spread", "Invalid spread")
                    .detail(eco_format!("Only an object or map can be spread into an object, not {found}."))
                    .at(expr.span)
                    .maybe_help(inner.is_null().then_some("Give an empty one for null: `...(value ?? {})`."));
                self.fail_at(diagnostic, expr)
            }
        }
    }

    /// The text of a key, `None` if it is unknown, and the key's marks.
    fn object_key(&mut self, key: &ObjectKey) -> Outcome<(Option<EcoString>, Marks)> {
        let expr = match key {
            ObjectKey::Name(name) => return Ok((Some(name.name.clone()), Marks::NONE)),
            ObjectKey::Expr(expr) => expr,
        };
        let value = self.eval(expr)?;
        let (inner, marks) = value.unmark();
        if inner.is_null() {
            let diagnostic = Diagnostic::error("null-key", "Null value as key")
                .detail("The key of an entry must be a text, but this is null.")
                .at(expr.span);
            return self.fail_at(diagnostic, expr);
        }
        match convert(inner, &Type::String) {
            Ok(Value::String(text)) => Ok((Some(text), marks)),
            Ok(_) => Ok((None, marks)),
            Err(error) => {
                let diagnostic = Diagnostic::error("invalid-key", "Incorrect key type")
                    .detail(eco_format!("The key of an entry must be a text: {error}."))
                    .at(expr.span);
                self.fail_at(diagnostic, expr)
            }
        }
    }

    pub(super) fn for_each(&mut self, each: &For) -> Outcome {
        let collection = self.eval(&each.collection)?;
        let (inner, marks) = collection.unmark();
        let pairs = match self.pairs(inner, &each.collection)? {
            Some(pairs) if !pairs.is_empty() => pairs,
            pairs => {
                self.check_condition(each)?;
                match pairs {
                    Some(pairs) => pairs,
                    None => return Ok(Value::unknown(Type::Dynamic).with_marks(marks)),
                }
            }
        };
        match &each.result_key {
            None => self.for_tuple(each, pairs, marks),
            Some(key) => self.for_object(each, key, pairs, marks),
        }
    }

    /// The condition is tried with unknown variables where there are no elements, so that mistakes in it show too.
    fn check_condition(&mut self, each: &For) -> Outcome<()> {
        let Some(condition) = &each.condition else { return Ok(()) };
        let unknown = Value::unknown(Type::Dynamic);
        self.bind_pair(each, unknown.clone(), unknown);
        let result = self.for_condition(condition);
        self.unbind_pair(each);
        result.map(|_| ())
    }

    fn for_tuple(&mut self, each: &For, pairs: Vec<(Value, Value)>, mut marks: Marks) -> Outcome {
        let mut items = Vec::with_capacity(pairs.len());
        let mut unknown = false;
        for (key, value) in pairs {
            self.bind_pair(each, key, value);
            let included = self.included(each, &mut marks);
            let result = match included {
                Ok(Some(true)) => self.eval(&each.result).map(|value| items.push(value)),
                Ok(Some(false)) => Ok(()),
                Ok(None) => {
                    unknown = true;
                    Ok(())
                }
                Err(Failed) => Err(Failed),
            };
            self.unbind_pair(each);
            result?;
        }
        let result = if unknown { Value::unknown(Type::Dynamic) } else { Value::tuple(items) };
        Ok(result.with_marks(marks))
    }

    fn for_object(
        &mut self,
        each: &For,
        key: &Expr,
        pairs: Vec<(Value, Value)>,
        mut marks: Marks,
    ) -> Outcome {
        let mut groups: IndexMap<EcoString, Vec<Value>> = IndexMap::with_capacity(pairs.len());
        let mut unknown = false;
        for (pair_key, value) in pairs {
            self.bind_pair(each, pair_key, value);
            let result = self.for_entry(each, key, &mut groups, &mut marks);
            self.unbind_pair(each);
            unknown |= !result?;
        }
        if unknown {
            return Ok(Value::unknown(Type::Dynamic).with_marks(marks));
        }
        let entries = groups.into_iter().map(|(name, mut values)| match each.grouping {
            Some(_) => (name, Value::tuple(values)),
            None => (name, values.pop().expect("every group has a value")),
        });
        Ok(Value::object(entries.collect::<Vec<_>>()).with_marks(marks))
    }

    /// Adds one entry; false if whether there is one, or its key, is unknown.
    fn for_entry(
        &mut self,
        each: &For,
        key: &Expr,
        groups: &mut IndexMap<EcoString, Vec<Value>>,
        marks: &mut Marks,
    ) -> Outcome<bool> {
        match self.included(each, marks)? {
            Some(true) => {}
            Some(false) => return Ok(true),
            None => return Ok(false),
        }
        let key_value = self.eval(key)?;
        let (inner, key_marks) = key_value.unmark();
        *marks |= key_marks;
        if inner.is_null() {
            let diagnostic = Diagnostic::error("invalid-object-key", "Invalid object key")
                .detail("The key of a `for` expression must be a text, but it was null for an element.")
                .at(key.span);
            return self.fail_at(diagnostic, key);
        }
        let name = match convert(inner, &Type::String) {
            Ok(Value::String(name)) => name,
            Ok(_) => {
                self.eval(&each.result)?;
                return Ok(false);
            }
            Err(error) => {
                let diagnostic = Diagnostic::error("invalid-object-key", "Invalid object key")
                    .detail(eco_format!("The key of a `for` expression must be a text: {error}."))
                    .at(key.span);
                return self.fail_at(diagnostic, key);
            }
        };
        let value = self.eval(&each.result)?;
        let group = groups.entry(name.clone()).or_default();
        group.push(value);
        if group.len() > 1 && each.grouping.is_none() {
            let shown = if marks.is_empty() { plumb_syntax::quote(&name) } else { "(sensitive)".into() };
            let diagnostic = Diagnostic::error("duplicate-key", "Duplicate object key")
                .detail(eco_format!("Two elements gave the key {shown} in this `for` expression."))
                .at(key.span)
                .help("If several elements may have one key, write `...` behind the value to collect them in a tuple.");
            return self.fail_at(diagnostic, key);
        }
        Ok(true)
    }

    /// Whether the condition holds for the element at hand; `None` if that is unknown.
    fn included(&mut self, each: &For, marks: &mut Marks) -> Outcome<Option<bool>> {
        let Some(condition) = &each.condition else { return Ok(Some(true)) };
        let value = self.for_condition(condition)?;
        *marks |= value.marks();
        Ok(value.as_bool())
    }

    fn for_condition(&mut self, condition: &Expr) -> Outcome {
        let value = self.eval(condition)?;
        if value.is_null() {
            let diagnostic = Diagnostic::error("null-condition", "Condition is null")
                .detail("What stands behind `if` must be true or false, but it is null.")
                .at(condition.span);
            return self.fail_at(diagnostic, condition);
        }
        convert(&value, &Type::Bool).or_else(|error| {
            let diagnostic = Diagnostic::error("condition-not-bool", "Invalid 'for' condition")
                .detail(eco_format!("What stands behind `if` must be true or false: {error}."))
                .at(condition.span);
            self.fail_at(diagnostic, condition)
        })
    }

    fn bind_pair(&mut self, each: &For, key: Value, value: Value) {
        if let Some(name) = &each.key {
            self.bind(name.name.clone(), key);
        }
        self.bind(each.value.name.clone(), value);
    }

    fn unbind_pair(&mut self, each: &For) {
        self.unbind();
        if each.key.is_some() {
            self.unbind();
        }
    }

    /// The keys and values of something to iterate over; `None` if it is unknown.
    pub(crate) fn pairs(&mut self, value: &Value, expr: &Expr) -> Outcome<Option<Vec<(Value, Value)>>> {
        let pairs = match value {
            Value::List(_) | Value::Tuple(_) => {
                let items = value.as_items().unwrap_or_default();
                items.iter().enumerate().map(|(i, item)| (Value::int(i as i64), item.clone())).collect()
            }
            Value::Set(set) => set.items.iter().map(|item| (item.clone(), item.clone())).collect(),
            Value::Map(_) | Value::Object(_) => {
                let entries = value.as_entries().into_iter().flat_map(|entries| entries.iter());
                entries.map(|(key, value)| (Value::String(key.clone()), value.clone())).collect()
            }
            Value::Unknown(unknown) if !unknown.ty.is_primitive() => return Ok(None),
            Value::Null(_) => {
                let diagnostic = Diagnostic::error("iteration-over-null", "Iteration over null value")
                    .detail("The collection of a `for` is null, so there is nothing to go through.")
                    .at(expr.span)
                    .help("Give an empty one for the case of null: `coalesce(value, [])`.");
                return self.fail_at(diagnostic, expr);
            }
            other => {
                let found = other.ty().friendly_name();
                let diagnostic = Diagnostic::error("not-iterable", "Iteration over non-iterable value")
                    .detail(eco_format!(
                        "A `for` goes through a list, set, tuple, map or object, not a {found}."
                    ))
                    .at(expr.span);
                return self.fail_at(diagnostic, expr);
            }
        };
        Ok(Some(pairs))
    }
}
