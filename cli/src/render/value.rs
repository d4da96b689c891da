//! Values as an author would write them.
//!
//! Values are shown as expressions of the language: `"a"`, `1`, `[1, 2]`, `{ a = 1 }`. What is not known is
//! `(known after apply)`, what must not be shown `(sensitive value)`. Elsewhere: comparing two values, and laying
//! large ones out over lines, is [`super::diff`].

use std::fmt::Write as _;

use plumb_model::{Marks, Value};

use super::escape;

/// Stands for a value that is not known yet.
pub const UNKNOWN: &str = "(known after apply)";
/// Stands for a value that is never shown.
pub const SENSITIVE: &str = "(sensitive value)";
/// Stands for a value that exists only while a command runs.
pub const EPHEMERAL: &str = "(ephemeral value)";

/// What stands in place of a value that must not be shown.
pub fn hidden(marks: Marks) -> Option<&'static str> {
    if marks.contains(Marks::SENSITIVE) {
        Some(SENSITIVE)
    } else if marks.contains(Marks::EPHEMERAL) {
        Some(EPHEMERAL)
    } else {
        None
    }
}

/// The value on one line if it has no parts: null, a bool, a number, a string, or what must not or cannot be shown.
pub fn scalar(value: &Value) -> Option<String> {
    if let Some(hidden) = hidden(value.marks()) {
        return Some(hidden.to_owned());
    }
    Some(match value.unmarked() {
        Value::Null(_) => "null".to_owned(),
        Value::Unknown(_) => UNKNOWN.to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => escape::quoted(text),
        _ => return None,
    })
}

/// The value on one line if that takes at most so many bytes, else how many parts it has: `{ … 4 attributes }`.
pub fn brief(value: &Value, limit: usize) -> String {
    let mut out = String::new();
    if write_line(value, limit, &mut out) {
        return out;
    }
    match (value.as_items(), value.as_entries(), value.unmarked()) {
        (Some(items), ..) => format!("[ {} ]", count(items.len(), "element")),
        (_, Some(entries), Value::Map(_)) => format!("{{ {} }}", count(entries.len(), "element")),
        (_, Some(entries), _) => format!("{{ {} }}", count(entries.len(), "attribute")),
        _ => scalar(value).unwrap_or_default(),
    }
}

/// A count with its noun: `1 element`, `2 elements`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The key of a map or object as an author writes it: quoted unless it is an identifier.
pub fn key(name: &str) -> String {
    let mut chars = name.chars();
    let plain = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain && !name.chars().any(escape::is_unsafe) { name.to_owned() } else { escape::quoted(name) }
}

/// Appends the value on one line; gives false as soon as it takes more than `limit` bytes.
fn write_line(value: &Value, limit: usize, out: &mut String) -> bool {
    if let Some(text) = scalar(value) {
        out.push_str(&text);
    } else if let Some(items) = value.as_items() {
        out.push('[');
        for (i, item) in items.iter().enumerate() {
            out.push_str(if i == 0 { "" } else { ", " });
            if !write_line(item, limit, out) {
                return false;
            }
        }
        out.push(']');
    } else if let Some(entries) = value.as_entries() {
        out.push('{');
        for (i, (name, item)) in entries.iter().enumerate() {
            let _ = write!(out, "{} {} = ", if i == 0 { "" } else { "," }, key(name));
            if !write_line(item, limit, out) {
                return false;
            }
        }
        out.push_str(if entries.is_empty() { "}" } else { " }" });
    }
    out.len() <= limit
}

#[cfg(test)]
mod tests {
    use plumb_model::Type;

    use super::*;

    #[test]
    fn small_values_take_one_line_and_large_ones_are_counted() {
        let value = Value::object([
            ("a", Value::tuple(vec![Value::int(1), Value::NULL, Value::unknown(Type::Bool)])),
            ("b c", Value::string("x").with_marks(Marks::SENSITIVE)),
        ]);
        assert_eq!(brief(&value, 80), r#"{ a = [1, null, (known after apply)], "b c" = (sensitive value) }"#);
        assert_eq!(brief(&value, 10), "{ 2 attributes }");
        assert_eq!(brief(&Value::tuple(vec![]), 10), "[]");
        assert_eq!(brief(&Value::object::<&str>([]), 10), "{}");
        assert_eq!(brief(&Value::string("long enough").with_marks(Marks::SENSITIVE), 3), SENSITIVE);
    }
}
