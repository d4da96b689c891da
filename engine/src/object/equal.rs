//! When two values are the same as far as promises go.
//!
//! Structural equality of values counts types, refinements and the declared types of elements. A provider may leave out
//! the refinements of an unknown value, and a null loses its type on the way over the wire and through state. Neither
//! is a difference here. Unknown values of one type are the same as each other: a planned value that repeats the unknown
//! value of the configuration keeps the promise.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use plumb_model::Value;

/// Whether two values without marks are the same, but for refinements of unknown values and types of nulls.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null(_), Value::Null(_)) => true,
        (Value::Unknown(a), Value::Unknown(b)) => a.ty == b.ty,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => {
            Arc::ptr_eq(a, b) || all_same(&a.items, &b.items)
        }
        (Value::Tuple(a), Value::Tuple(b)) => Arc::ptr_eq(a, b) || all_same(a, b),
        (Value::Map(a), Value::Map(b)) => {
            Arc::ptr_eq(a, b) || entries_same(a.entries.iter(), b.entries.iter())
        }
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b) || entries_same(a.iter(), b.iter()),
        _ => false,
    }
}

fn all_same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn entries_same<'v, K: Eq + 'v>(
    a: impl ExactSizeIterator<Item = (&'v K, &'v Value)>,
    b: impl ExactSizeIterator<Item = (&'v K, &'v Value)>,
) -> bool {
    a.len() == b.len() && a.zip(b).all(|((ak, av), (bk, bv))| ak == bk && same(av, bv))
}

/// A number that is equal for values that are the [`same`].
pub(super) fn fingerprint<'v>(values: impl IntoIterator<Item = &'v Value>) -> u64 {
    let mut hasher = DefaultHasher::new();
    values.into_iter().for_each(|value| hash(value, &mut hasher));
    hasher.finish()
}

fn hash(value: &Value, hasher: &mut DefaultHasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Null(_) => {}
        Value::Unknown(unknown) => unknown.ty.hash(hasher),
        Value::Bool(value) => value.hash(hasher),
        Value::Number(number) => number.hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::List(s) | Value::Set(s) => hash_all(&s.items, hasher),
        Value::Tuple(items) => hash_all(items, hasher),
        Value::Map(map) => hash_entries(map.entries.iter(), hasher),
        Value::Object(entries) => hash_entries(entries.iter(), hasher),
        Value::Marked(marked) => hash(&marked.value, hasher),
    }
}

fn hash_all(items: &[Value], hasher: &mut DefaultHasher) {
    items.len().hash(hasher);
    items.iter().for_each(|item| hash(item, hasher));
}

fn hash_entries<'v, K: Hash + 'v>(
    entries: impl ExactSizeIterator<Item = (&'v K, &'v Value)>,
    hasher: &mut DefaultHasher,
) {
    entries.len().hash(hasher);
    for (key, value) in entries {
        key.hash(hasher);
        hash(value, hasher);
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::{Number, Refinement, Type};

    use super::*;

    fn check(a: &Value, b: &Value, expected: bool) {
        assert_eq!(same(a, b), expected, "{a:?} and {b:?}");
        assert_eq!(same(b, a), expected, "{b:?} and {a:?}");
        if expected {
            assert_eq!(fingerprint([a]), fingerprint([b]), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn refinements_and_types_of_nulls_are_no_difference() {
        check(&Value::NULL, &Value::Null(Type::String), true);
        check(&Value::unknown(Type::String), &Value::unknown_not_null(Type::String), true);
        let prefix = Refinement { prefix: "a".into(), ..Refinement::default() };
        let a = Value::tuple(vec![Value::refined(Type::String, prefix), Value::NULL]);
        let b = Value::tuple(vec![Value::unknown(Type::String), Value::Null(Type::Bool)]);
        check(&a, &b, true);
        check(&Value::list(Type::Dynamic, vec![]), &Value::list(Type::String, vec![]), true);
    }

    #[test]
    fn everything_else_is_a_difference() {
        check(&Value::unknown(Type::String), &Value::unknown(Type::Dynamic), false);
        check(&Value::unknown(Type::String), &Value::Null(Type::String), false);
        check(&"1".into(), &Value::int(1), false);
        check(&Value::list(Type::String, vec![]), &Value::set(Type::String, vec![]), false);
        check(&Value::tuple(vec![true.into()]), &Value::tuple(vec![true.into(), true.into()]), false);
        check(&Value::object([("a", Value::NULL)]), &Value::object([("b", Value::NULL)]), false);
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let parsed = Value::Number(Number::parse("1.0").unwrap());
        check(&parsed, &Value::int(1), true);
        check(&parsed, &Value::Number(Number::from_f64(1.0).unwrap()), true);
        check(&Value::Number(Number::from_f64(0.1).unwrap()), &Number::parse("0.1").unwrap().into(), false);
    }
}
