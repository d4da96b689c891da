//! Outputs as text, as JSON, and raw.
//!
//! Among others a sensitive output is only named. One that is asked for by name is shown: whoever asks wants it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ecow::EcoString;
use plumb_model::{Diagnostic, Value};

use super::diff::{self, Line, Mark};
use super::json::Json;
use super::state_json::OutputValue;
use super::value;

/// All outputs as an author would write them. Names are not aligned, so that scripts find `name = `.
pub fn outputs_text(outputs: &BTreeMap<EcoString, OutputValue>) -> String {
    let mut out = String::new();
    for (name, output) in outputs {
        let label = format!("{} = ", value::key(name));
        if output.sensitive {
            let _ = writeln!(out, "{label}<sensitive>");
        } else {
            write_lines(&diff::whole(&label, &output.value, Mark::Same), &mut out);
        }
    }
    out
}

/// One output as an author would write it, also if it is sensitive.
pub fn output_text(value: &Value) -> String {
    let mut out = String::new();
    write_lines(&diff::whole("", &value.unmark_deep().0, Mark::Same), &mut out);
    out
}

fn write_lines(lines: &[Line], out: &mut String) {
    for line in lines {
        let indent = line.depth * 4;
        let _ = write!(out, "{:indent$}{}", "", line.text);
        let _ = if line.note.is_empty() { writeln!(out) } else { writeln!(out, "  # {}", line.note) };
    }
}

/// All outputs with types and values, in clear.
pub fn outputs_json(outputs: &BTreeMap<EcoString, OutputValue>) -> String {
    let json = document(|json| {
        json.object(|json| {
            outputs.iter().try_for_each(|(name, output)| {
                json.key(name)?;
                json.object(|json| {
                    json.plain("sensitive", output.sensitive)?;
                    json.ty("type", &output.value.ty())?;
                    json.key("value")?;
                    json.value(&output.value)
                })
            })
        })
    });
    indented(&json)
}

/// The value of one output, in clear.
pub fn output_json(value: &Value) -> String {
    document(|json| json.value(value))
}

fn document(f: impl FnOnce(&mut Json<'_>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    f(&mut Json::new(&mut out)).expect("writing to memory does not fail");
    String::from_utf8(out).expect("only whole strings were written")
}

/// The same JSON over lines, two spaces for each level.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let mut chars = json.chars().peekable();
    let break_line = |out: &mut String, depth: usize| {
        let _ = write!(out, "\n{:1$}", "", depth * 2);
    };
    while let Some(c) = chars.next() {
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' if matches!(chars.peek(), Some('}' | ']')) => {
                out.push(c);
                out.extend(chars.next());
            }
            '{' | '[' => {
                out.push(c);
                depth += 1;
                break_line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => {
                quoted = c == '"';
                out.push(c);
            }
        }
    }
    out
}

/// The text of one output without quotes or escapes, for scripts.
///
/// # Errors
/// If the value is not a string, a number or a bool.
pub fn output_raw(name: &str, value: &Value) -> Result<String, Box<Diagnostic>> {
    match value.unmarked() {
        Value::String(text) => Ok(text.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        other => {
            let kind = if other.is_null() { "null".into() } else { other.ty().friendly_name() };
            Err(Box::new(
                Diagnostic::error("output-not-raw", "Output has no raw form")
                    .detail(format!(
                        "`-raw` shows a string, a number or a bool; the output `{name}` is {kind}."
                    ))
                    .help("Use `-json` to get values of any type."),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{SECRET, o, s, secret, strings};

    fn outputs() -> BTreeMap<EcoString, OutputValue> {
        let output = |value, sensitive| OutputValue { value, sensitive };
        BTreeMap::from([
            ("e".into(), output(strings(&[]), false)),
            ("key".into(), output(secret(), true)),
            ("map".into(), output(o([("a", Value::int(1)), ("b", strings(&["x, \"y\": {"]))]), false)),
            ("text".into(), output(s("a\nb\u{1b}\n"), false)),
        ])
    }

    #[test]
    fn as_text() {
        expect![[r#"
            e = []
            key = <sensitive>
            map = {
                a = 1
                b = [
                    "x, \"y\": {",
                ]
            }
            text = <<-EOT
                a
                b\u001b
            EOT
        "#]]
        .assert_eq(&outputs_text(&outputs()));
        expect![[r#"
            "hunter2"
        "#]]
        .assert_eq(&output_text(&outputs()["key"].value));
        expect![[r#"
            {
                a = 1
                b = [
                    "x, \"y\": {",
                ]
            }
        "#]]
        .assert_eq(&output_text(&outputs()["map"].value));
    }

    #[test]
    fn as_json() {
        expect![[r#"
            {
              "e": {
                "sensitive": false,
                "type": [
                  "list",
                  "string"
                ],
                "value": []
              },
              "key": {
                "sensitive": true,
                "type": "string",
                "value": "hunter2"
              },
              "map": {
                "sensitive": false,
                "type": [
                  "object",
                  {
                    "a": "number",
                    "b": [
                      "list",
                      "string"
                    ]
                  }
                ],
                "value": {
                  "a": 1,
                  "b": [
                    "x, \"y\": {"
                  ]
                }
              },
              "text": {
                "sensitive": false,
                "type": "string",
                "value": "a\nb\u001b\n"
              }
            }"#]]
        .assert_eq(&outputs_json(&outputs()));
        assert_eq!(output_json(&outputs()["e"].value), "[]");
    }

    #[test]
    fn raw_is_for_simple_values() {
        assert_eq!(output_raw("key", &secret()).unwrap(), SECRET);
        assert_eq!(output_raw("n", &Value::int(3)).unwrap(), "3");
        let error = output_raw("e", &strings(&[])).unwrap_err();
        assert_eq!(
            error.detail,
            "`-raw` shows a string, a number or a bool; the output `e` is list of string."
        );
    }
}
