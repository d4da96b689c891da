//! Defaults of optional attributes in type constraints.
//!
//! A constraint `object({ a = optional(number, 5) })` is a [`Type`], in which `a` is optional, and [`Defaults`], which
//! hold the 5. They are applied before the value is converted to the type: an attribute that is absent or null takes its
//! default, and the default itself takes the defaults of its own parts. Values that are null or unknown as a whole have
//! no parts and stay as they are.
//!
//! Since members of a collection may differ in type until they are converted, applying gives tuples and objects in the
//! place of collections whose elements have defaults.

use std::collections::BTreeMap;

use ecow::EcoString;

use crate::value::Value;

/// The defaults in a type constraint; as deep as the constraint, but only where there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Values of attributes of this object that are absent or null.
    pub values: BTreeMap<EcoString, Value>,
    /// Defaults inside of attributes of this object.
    pub attributes: BTreeMap<EcoString, Defaults>,
    /// Defaults inside of elements of this tuple.
    pub members: BTreeMap<usize, Defaults>,
    /// Defaults inside of every element of this list, set or map.
    pub elements: Option<Box<Defaults>>,
}

impl Defaults {
    /// Whether there are none, at any depth.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
            && self.attributes.values().all(Defaults::is_empty)
            && self.members.values().all(Defaults::is_empty)
            && self.elements.as_deref().is_none_or(Defaults::is_empty)
    }
}

/// The value with defaults in the place of attributes that are absent or null.
pub fn apply(value: &Value, defaults: &Defaults) -> Value {
    if defaults.is_empty() {
        return value.clone();
    }
    let (inner, marks) = value.unmark();
    let applied = match (inner, &defaults.elements) {
        (Value::Null(_) | Value::Unknown(_), _) => inner.clone(),
        (Value::List(_) | Value::Set(_) | Value::Tuple(_), Some(elements)) => Value::tuple(
            inner.as_items().unwrap_or_default().iter().map(|item| apply(item, elements)).collect(),
        ),
        (Value::Map(_) | Value::Object(_), Some(elements)) => match inner.as_entries() {
            Some(entries) => Value::object(entries.iter().map(|(k, v)| (k.clone(), apply(v, elements)))),
            None => inner.clone(),
        },
        (Value::List(_) | Value::Tuple(_), None) => Value::tuple(
            inner
                .as_items()
                .unwrap_or_default()
                .iter()
                .enumerate()
                .map(|(i, item)| defaults.members.get(&i).map_or_else(|| item.clone(), |d| apply(item, d)))
                .collect(),
        ),
        (Value::Map(_) | Value::Object(_), None) => apply_to_object(inner, defaults),
        _ => inner.clone(),
    };
    applied.with_marks(marks)
}

fn apply_to_object(object: &Value, defaults: &Defaults) -> Value {
    let Some(entries) = object.as_entries() else { return object.clone() };
    let mut result: BTreeMap<EcoString, Value> =
        entries.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, default) in &defaults.values {
        let value = result.entry(name.clone()).or_insert_with(|| default.clone());
        if value.is_null() {
            let marks = value.marks();
            *value = default.clone().with_marks(marks);
        }
    }
    for (name, inner) in &defaults.attributes {
        if let Some(value) = result.get_mut(name) {
            *value = apply(value, inner);
        }
    }
    Value::object(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `object({ port = optional(number, 80), tls = optional(object({ on = optional(bool, true) }), {}) })`
    fn endpoint() -> Defaults {
        let tls = Defaults { values: [("on".into(), Value::Bool(true))].into(), ..Defaults::default() };
        Defaults {
            values: [("port".into(), Value::int(80)), ("tls".into(), Value::object::<&str>([]))].into(),
            attributes: [("tls".into(), tls)].into(),
            ..Defaults::default()
        }
    }

    #[test]
    fn absent_and_null_attributes_take_their_defaults_and_those_take_theirs() {
        let on = Value::object([("on", Value::Bool(true))]);
        let expected = Value::object([("port", Value::int(80)), ("tls", on.clone())]);
        assert_eq!(apply(&Value::object::<&str>([]), &endpoint()), expected);
        assert_eq!(apply(&Value::object([("port", Value::NULL)]), &endpoint()), expected);
        assert_eq!(
            apply(&Value::object([("port", Value::int(1))]), &endpoint()),
            Value::object([("port", Value::int(1)), ("tls", on)])
        );
        assert_eq!(apply(&Value::NULL, &endpoint()), Value::NULL);
    }

    #[test]
    fn elements_of_collections_are_gone_into() {
        let defaults = Defaults { elements: Some(Box::new(endpoint())), ..Defaults::default() };
        let applied = apply(&Value::tuple(vec![Value::object::<&str>([]), Value::NULL]), &defaults);
        let items = applied.as_items().unwrap();
        assert_eq!(items[0].get("port"), Some(&Value::int(80)));
        assert!(items[1].is_null());
    }
}
