//! Values as source text and back: the functions of the built-in provider.

use ecow::EcoString;
use plumb_model::{Entries, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::FunctionError;
use crate::signature::{Call, Function, Origin, Outcome, parameter};

pub(crate) fn functions() -> Vec<Function> {
    let functions = [
        Function::new("provider::terraform::encode_expr", Type::String, |call| {
            Ok(Value::string(expression(&call.args[0], 0)))
        })
        .describe("Returns an expression that has a value as its value.")
        .takes(parameter("value", Type::Dynamic, "The value to write as an expression.")),
        Function::new("provider::terraform::encode_tfvars", Type::String, encode_definitions)
            .describe("Returns the content of a file that defines variables.")
            .takes(parameter("value", Type::Dynamic, "An object of the values of the variables.")),
        Function::new("provider::terraform::decode_tfvars", Type::Dynamic, |call: &Call<'_>| {
            call.context.read_definitions(call.text(0))
        })
        .describe("Reads the content of a file that defines variables.")
        .takes(parameter("source", Type::String, "The content of the file.")),
    ];
    functions.into_iter().map(|function| function.origin(Origin::BuiltinProvider)).collect()
}

fn encode_definitions(call: &Call<'_>) -> Outcome {
    let Some(entries) = call.args[0].as_entries() else {
        return Err(FunctionError::argument(
            0,
            "must be an object whose attribute names will become the encoded variable names",
        ));
    };
    if let Some(name) = entries.keys().find(|name| !is_identifier(name)) {
        return Err(FunctionError::argument(
            0,
            format!("invalid variable name {name:?}: must start with a letter or underscore"),
        ));
    }
    let mut out = String::new();
    definitions(entries, 0, &mut out);
    Ok(Value::string(out))
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// The value as an expression whose first line goes on where it is put.
pub(crate) fn expression(value: &Value, indent: usize) -> String {
    match value.unmarked() {
        Value::Null(_) | Value::Unknown(_) | Value::Marked(_) => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quote(text),
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
            let items = value.as_items().unwrap_or_default();
            let items: Vec<String> = items.iter().map(|item| expression(item, indent)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => object(&map.entries, indent),
        Value::Object(entries) => object(entries, indent),
    }
}

fn object(entries: &Entries, indent: usize) -> String {
    if entries.is_empty() {
        return "{}".to_owned();
    }
    let mut out = String::from("{\n");
    definitions(entries, indent + 2, &mut out);
    out.push_str(&" ".repeat(indent));
    out.push('}');
    out
}

/// One definition a line. The equals signs of neighbours that have one line each stand below each other.
fn definitions(entries: &Entries, indent: usize, out: &mut String) {
    let lines: Vec<(String, String)> =
        entries.iter().map(|(name, value)| (key(name), expression(value, indent))).collect();
    let one_line = |line: &(String, String)| !line.1.contains('\n');
    let padding = " ".repeat(indent);
    for group in lines.chunk_by(|a, b| one_line(a) && one_line(b)) {
        let width = |name: &str| name.graphemes(true).count();
        let widest = group.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        for (name, text) in group {
            let gap = " ".repeat(widest - width(name));
            out.push_str(&format!("{padding}{name}{gap} = {text}\n"));
        }
    }
}

/// A name as the key of an object. `for` at the beginning of an object would be taken for something else.
fn key(name: &EcoString) -> String {
    if is_identifier(name) && name != "for" { name.to_string() } else { quote(name) }
}

/// Text between quotes, with everything escaped that would mean something else.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => out.extend([c, c]),
            c if crate::console::is_printable(c) => out.push(c),
            c if u32::from(c) <= 0xffff => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Value, expected: &str) {
        assert_eq!(expression(&value, 0), expected);
    }

    #[test]
    fn equals_signs_of_neighbours_stand_below_each_other() {
        let inner = Value::object([("g", Value::int(1)), ("hij", Value::object::<&str>([]))]);
        let object = Value::object([
            ("", Value::int(3)),
            ("a", Value::int(1)),
            ("e f", Value::tuple(vec![Value::int(1)])),
            ("f", inner),
            ("é", Value::object::<&str>([])),
        ]);
        check(
            object,
            "{\n  \"\"    = 3\n  a     = 1\n  \"e f\" = [1]\n  f = {\n    g   = 1\n    hij = {}\n  }\n  é = {}\n}",
        );
        let pair = Value::object([("a", Value::int(1)), ("bb", Value::int(2))]);
        check(Value::tuple(vec![pair, Value::tuple(vec![])]), "[{\n  a  = 1\n  bb = 2\n}, []]");
    }

    #[test]
    fn text_is_escaped_so_that_it_means_itself() {
        check("a\nb ${x} %{y} \"q\"".into(), "\"a\\nb $${x} %%{y} \\\"q\\\"\"");
        check("\u{1}\u{2028}😀é\t".into(), "\"\\u0001\\u2028😀é\\t\"");
    }
}
