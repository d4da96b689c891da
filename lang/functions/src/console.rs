//! Values and types as the console prints them.
//!
//! Lists, sets and maps are written as calls of `tolist`, `toset` and `tomap`, nulls with their types, so that what is
//! printed tells values of different types apart. Text of several lines is a heredoc.

use plumb_model::{Entries, Marks, Type, Value};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// A value as the console prints it, without a line break at the end.
pub fn print(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, 0, &mut out);
    out
}

/// A type as `type(x)` is printed.
pub fn print_type(ty: &Type) -> String {
    let mut out = String::new();
    write_type(ty, 0, &mut out);
    out
}

fn write_value(value: &Value, indent: usize, out: &mut String) {
    let (inner, marks) = value.unmark();
    if !inner.is_known() {
        return out.push_str("(known after apply)");
    }
    if marks.contains(Marks::SENSITIVE) {
        return out.push_str("(sensitive value)");
    }
    if marks.contains(Marks::EPHEMERAL) {
        return out.push_str("(ephemeral value)");
    }
    match inner {
        Value::Null(ty) => out.push_str(&null(ty)),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(text, indent, out),
        Value::List(s) => write_items("tolist([", &s.items, "])", indent, out),
        Value::Set(s) => write_items("toset([", &s.items, "])", indent, out),
        Value::Tuple(items) => write_items("[", items, "]", indent, out),
        Value::Map(map) => write_entries("tomap({", &map.entries, "})", indent, out),
        Value::Object(entries) => write_entries("{", entries, "}", indent, out),
        Value::Unknown(_) | Value::Marked(_) => unreachable!("dealt with above"),
    }
}

fn null(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "null".to_owned(),
        Type::String => "tostring(null)".to_owned(),
        Type::Number => "tonumber(null)".to_owned(),
        Type::Bool => "tobool(null)".to_owned(),
        Type::List(element) => format!("tolist(null) /* of {} */", element.friendly_name()),
        Type::Set(element) => format!("toset(null) /* of {} */", element.friendly_name()),
        Type::Map(element) => format!("tomap(null) /* of {} */", element.friendly_name()),
        ty => format!("null /* {} */", ty.friendly_name()),
    }
}

fn write_items(open: &str, items: &[Value], close: &str, indent: usize, out: &mut String) {
    out.push_str(open);
    for item in items {
        new_line(indent + 2, out);
        write_value(item, indent + 2, out);
        out.push(',');
    }
    if !items.is_empty() {
        new_line(indent, out);
    }
    out.push_str(close);
}

fn write_entries(open: &str, entries: &Entries, close: &str, indent: usize, out: &mut String) {
    out.push_str(open);
    for (key, value) in entries.iter() {
        new_line(indent + 2, out);
        write_text(key, indent + 2, out);
        out.push_str(" = ");
        write_value(value, indent + 2, out);
    }
    if !entries.is_empty() {
        new_line(indent, out);
    }
    out.push_str(close);
}

fn new_line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn write_text(text: &str, indent: usize, out: &mut String) {
    if !text.contains('\n') {
        return write_quoted(text, out);
    }
    let mut delimiter = String::from("EOT");
    while text.split('\n').any(|line| line.trim() == delimiter) {
        delimiter.push('_');
    }
    out.push_str(if indent > 0 { "<<-" } else { "<<" });
    out.push_str(&delimiter);
    for line in text.split('\n') {
        new_line(indent, out);
        out.push_str(line);
    }
    new_line(indent, out);
    out.push_str(&delimiter);
}

fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_printable(c) => out.push(c),
            '\0'..='\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            '\0'..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
}

/// Whether a character has a shape of its own. Of all spaces only the ASCII one counts.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter
            | GeneralCategoryGroup::Mark
            | GeneralCategoryGroup::Number
            | GeneralCategoryGroup::Punctuation
            | GeneralCategoryGroup::Symbol
    )
}

fn write_type(ty: &Type, indent: usize, out: &mut String) {
    match ty {
        Type::List(element) => write_collection("list", element, indent, out),
        Type::Set(element) => write_collection("set", element, indent, out),
        Type::Map(element) => write_collection("map", element, indent, out),
        Type::Tuple(members) if members.is_empty() => out.push_str("tuple([])"),
        Type::Tuple(members) => {
            out.push_str("tuple([");
            for member in members.iter() {
                new_line(indent + 4, out);
                write_type(member, indent + 4, out);
                out.push(',');
            }
            new_line(indent, out);
            out.push_str("])");
        }
        Type::Object(object) if object.attributes.is_empty() => out.push_str("object({})"),
        Type::Object(object) => {
            out.push_str("object({");
            for (name, ty) in &object.attributes {
                new_line(indent + 4, out);
                out.push_str(name);
                out.push_str(": ");
                write_type(ty, indent + 4, out);
                out.push(',');
            }
            new_line(indent, out);
            out.push_str("})");
        }
        primitive => out.push_str(&primitive.friendly_name()),
    }
}

fn write_collection(kind: &str, element: &Type, indent: usize, out: &mut String) {
    out.push_str(kind);
    out.push('(');
    if matches!(element, Type::Tuple(_) | Type::Object(_)) {
        new_line(indent + 4, out);
        write_type(element, indent + 4, out);
        out.push(',');
        new_line(indent, out);
    } else {
        write_type(element, indent, out);
    }
    out.push(')');
}
