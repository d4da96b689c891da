//! What `==` means.
//!
//! Nothing is converted: values of different types are unequal, except that null equals null whatever the types. Unknown
//! values make the answer unknown, unless what is known of them rules equality out. All marks of both sides, at any
//! depth, mark the answer.

use crate::types::Type;
use crate::value::{Entries, Refinement, Unknown, Value};

/// `a == b`: a bool, known or unknown, with the marks of both.
pub fn equal(a: &Value, b: &Value) -> Value {
    let (a, a_marks) = a.unmark_deep();
    let (b, b_marks) = b.unmark_deep();
    let answer = match compare(&a, &b, false) {
        Some(answer) => Value::Bool(answer),
        None => Value::unknown_not_null(Type::Bool),
    };
    answer.with_marks(a_marks | b_marks)
}

/// Equality of unmarked values; `None` if it is not known yet. Inside of other values types count for nulls too.
fn compare(a: &Value, b: &Value, inside: bool) -> Option<bool> {
    match (a, b) {
        (Value::Null(x), Value::Null(y)) => Some(!inside || x == y),
        (Value::Unknown(x), Value::Unknown(y)) => {
            if may_be_same(&x.ty, &y.ty) {
                None
            } else {
                Some(false)
            }
        }
        (Value::Unknown(unknown), known) | (known, Value::Unknown(unknown)) => {
            if rules_out(unknown, known) {
                Some(false)
            } else {
                None
            }
        }
        (Value::Bool(x), Value::Bool(y)) => Some(x == y),
        (Value::Number(x), Value::Number(y)) => Some(x == y),
        (Value::String(x), Value::String(y)) => Some(x == y),
        (Value::Tuple(x), Value::Tuple(y)) => items(x, y),
        (Value::List(x), Value::List(y)) => {
            if may_be_same(&x.element, &y.element) {
                items(&x.items, &y.items)
            } else {
                Some(false)
            }
        }
        (Value::Set(x), Value::Set(y)) => {
            if !may_be_same(&x.element, &y.element) {
                Some(false)
            } else if a.is_wholly_known() && b.is_wholly_known() {
                items(&x.items, &y.items)
            } else {
                None
            }
        }
        (Value::Map(x), Value::Map(y)) => {
            if may_be_same(&x.element, &y.element) {
                entries(&x.entries, &y.entries)
            } else {
                Some(false)
            }
        }
        (Value::Object(x), Value::Object(y)) => entries(x, y),
        _ => Some(false),
    }
}

fn items(a: &[Value], b: &[Value]) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    all(a.iter().zip(b).map(|(a, b)| compare(a, b, true)))
}

fn entries(a: &Entries, b: &Entries) -> Option<bool> {
    if a.len() != b.len() || !a.keys().eq(b.keys()) {
        return Some(false);
    }
    all(a.values().zip(b.values()).map(|(a, b)| compare(a, b, true)))
}

/// False if any is false, unknown if any is unknown.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => result = None,
        }
    }
    result
}

/// Whether values of these types can be equal, as far as the types are known.
fn may_be_same(a: &Type, b: &Type) -> bool {
    a == b || a.has_dynamic() || b.has_dynamic()
}

/// Whether a value that is known at its top cannot be what an unknown value turns out to be.
fn rules_out(unknown: &Unknown, known: &Value) -> bool {
    let r = &unknown.refinement;
    match known {
        Value::Null(_) => r.not_null,
        _ if !has_type(known, &unknown.ty) => true,
        Value::Number(number) => {
            let below =
                r.min.as_ref().is_some_and(|(min, possible)| number < min || number == min && !possible);
            let above =
                r.max.as_ref().is_some_and(|(max, possible)| number > max || number == max && !possible);
            below || above
        }
        Value::String(text) => !text.starts_with(r.prefix.as_str()),
        Value::List(s) => !fits(s.items.len(), r),
        Value::Set(s) => !fits(s.items.len(), r) && known.is_wholly_known(),
        Value::Map(map) => !fits(map.entries.len(), r),
        _ => false,
    }
}

fn fits(length: usize, refinement: &Refinement) -> bool {
    refinement.min_length <= length && refinement.max_length.is_none_or(|max| length <= max)
}

/// Whether a value can be of a type, parts that are not known yet aside.
fn has_type(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (_, Type::Dynamic) | (Value::Null(_), _) => true,
        (Value::Unknown(unknown), ty) => may_be_same(&unknown.ty, ty),
        (Value::List(s), Type::List(element)) | (Value::Set(s), Type::Set(element)) => {
            may_be_same(&s.element, element)
        }
        (Value::Map(map), Type::Map(element)) => may_be_same(&map.element, element),
        (Value::Tuple(items), Type::Tuple(types)) => {
            items.len() == types.len() && items.iter().zip(types.iter()).all(|(v, t)| has_type(v, t))
        }
        (Value::Object(entries), Type::Object(object)) => {
            entries.len() == object.attributes.len()
                && entries.iter().zip(&object.attributes).all(|((n, v), (m, t))| n == m && has_type(v, t))
        }
        (Value::Bool(_), Type::Bool)
        | (Value::Number(_), Type::Number)
        | (Value::String(_), Type::String) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Marks;
    use crate::number::Number;

    fn check(a: Value, b: Value, expected: Option<bool>) {
        let expected = expected.map_or_else(|| Value::unknown_not_null(Type::Bool), Value::Bool);
        assert_eq!(equal(&a, &b), expected, "{a:?} == {b:?}");
        assert_eq!(equal(&b, &a), expected, "{b:?} == {a:?}");
    }

    #[test]
    fn types_count_except_for_null() {
        check(Value::int(1), "1".into(), Some(false));
        check(Value::int(1), Value::Number(Number::parse("1.0").unwrap()), Some(true));
        check(Value::Null(Type::String), Value::Null(Type::Number), Some(true));
        check(Value::NULL, Value::int(1), Some(false));
        check(Value::tuple(vec![Value::int(1)]), Value::list(Type::Number, vec![Value::int(1)]), Some(false));
        check(Value::tuple(vec![Value::NULL]), Value::tuple(vec![Value::NULL]), Some(true));
        check(Value::tuple(vec![Value::NULL]), Value::tuple(vec![Value::Null(Type::String)]), Some(false));
        check(
            Value::object([("a", Value::int(1))]),
            Value::object([("a", Value::int(1)), ("b", Value::NULL)]),
            Some(false),
        );
    }

    #[test]
    fn what_is_known_of_an_unknown_value_can_rule_equality_out() {
        check(Value::unknown(Type::String), Value::NULL, None);
        check(Value::unknown_not_null(Type::String), Value::NULL, Some(false));
        let refined = |refinement| Value::refined(Type::String, refinement);
        check(refined(Refinement { prefix: "a-".into(), ..Default::default() }), "b-1".into(), Some(false));
        check(refined(Refinement { prefix: "a-".into(), ..Default::default() }), "a-1".into(), None);
        let at_least = Refinement { min: Some((Number::from_i64(3), false)), ..Default::default() };
        check(Value::refined(Type::Number, at_least.clone()), Value::int(3), Some(false));
        check(Value::refined(Type::Number, at_least), Value::int(4), None);
        check(
            Value::tuple(vec![Value::unknown(Type::String), Value::int(1)]),
            Value::tuple(vec!["a".into(), Value::int(2)]),
            Some(false),
        );
    }

    #[test]
    fn marks_of_both_sides_mark_the_answer() {
        let inner = Value::tuple(vec![Value::int(1).with_marks(Marks::SENSITIVE)]);
        let answer = equal(&inner, &Value::int(2).with_marks(Marks::EPHEMERAL));
        assert_eq!(answer, Value::Bool(false).with_marks(Marks::SENSITIVE | Marks::EPHEMERAL));
    }
}
