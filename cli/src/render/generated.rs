//! An object as the configuration that would keep it as it is.
//!
//! What only the provider chooses is left out, and so is what is not set. What is sensitive is not written: it is null,
//! with a comment. The text is in standard layout, and parses as what it means.

use std::fmt::Write as _;

use plumb_model::schema::{AttributeType, NestedBlock, NestedObject};
use plumb_model::{Attribute, Block, Nesting, Value};
use plumb_syntax::{Dialect, quote};

/// A `resource` block for an object of a schema, that came from `origin`.
pub fn resource(kind: &str, name: &str, origin: &str, schema: &Block, object: &Value) -> String {
    let mut text = format!("# Written by Plumb, from {}\n", quote(origin));
    let _ = writeln!(text, "resource {} {} {{", quote(kind), quote(name));
    let mut body = Body { text: &mut text };
    body.block(schema, object, true);
    text.push_str("}\n");
    let layout = plumb_syntax::format(plumb_model::SourceId(0), &text, Dialect::Terraform);
    if layout.diagnostics.has_errors() { text } else { layout.text }
}

struct Body<'a> {
    text: &'a mut String,
}

impl Body<'_> {
    fn block(&mut self, schema: &Block, object: &Value, top: bool) {
        for (name, attribute) in &schema.attributes {
            // Providers of a certain age let `id` be set, and mean nothing by it.
            let is_old_id = top && name == "id" && attribute.computed;
            if !is_old_id {
                self.attribute(name, attribute, object.get(name));
            }
        }
        for (name, nested) in &schema.blocks {
            if let Some(value) = object.get(name) {
                self.nested(name, nested, value);
            }
        }
    }

    fn attribute(&mut self, name: &str, attribute: &Attribute, value: Option<&Value>) {
        if attribute.is_computed_only() || attribute.deprecated.is_some() && !attribute.required {
            return;
        }
        let value = value.filter(|value| !value.is_null());
        let line = match (value, attribute.required) {
            _ if attribute.write_only && attribute.required => {
                "null # write-only: it cannot be read".to_owned()
            }
            _ if attribute.write_only => return,
            (Some(_), _) if attribute.sensitive => "null # sensitive".to_owned(),
            (Some(value), _) => match &attribute.ty {
                AttributeType::Plain(_) => expression(value),
                AttributeType::Nested(nested) => nested_expression(nested, value),
            },
            (None, true) => "null # required".to_owned(),
            (None, false) => return,
        };
        let _ = writeln!(self.text, "{name} = {line}");
    }

    fn nested(&mut self, name: &str, nested: &NestedBlock, value: &Value) {
        match nested.nesting {
            Nesting::Single | Nesting::Group => {
                if !value.is_null() && *value != nested.empty() {
                    self.one(name, None, nested, value);
                }
            }
            Nesting::Map => {
                for (key, value) in value.as_entries().into_iter().flat_map(|entries| entries.iter()) {
                    self.one(name, Some(key), nested, value);
                }
            }
            Nesting::List | Nesting::Set => {
                for value in value.as_items().unwrap_or_default() {
                    self.one(name, None, nested, value);
                }
            }
        }
    }

    fn one(&mut self, name: &str, label: Option<&str>, nested: &NestedBlock, value: &Value) {
        let label = label.map(|label| format!(" {}", quote(label))).unwrap_or_default();
        let _ = writeln!(self.text, "{name}{label} {{");
        self.block(&nested.block, value, false);
        self.text.push_str("}\n");
    }
}

/// A value of an attribute whose type has a schema of its own.
fn nested_expression(nested: &NestedObject, value: &Value) -> String {
    let object = |value: &Value| {
        let mut text = String::from("{\n");
        let mut body = Body { text: &mut text };
        for (name, attribute) in &nested.attributes {
            body.attribute(name, attribute, value.get(name));
        }
        text.push('}');
        text
    };
    match nested.nesting {
        Nesting::Single | Nesting::Group => object(value),
        Nesting::Map => {
            let entries = value.as_entries().into_iter().flat_map(|entries| entries.iter());
            let entries: Vec<String> =
                entries.map(|(key, value)| format!("{} = {}\n", key_text(key), object(value))).collect();
            format!("{{\n{}}}", entries.concat())
        }
        Nesting::List | Nesting::Set => {
            let items: Vec<String> = value
                .as_items()
                .unwrap_or_default()
                .iter()
                .map(|item| format!("{},\n", object(item)))
                .collect();
            format!("[\n{}]", items.concat())
        }
    }
}

/// The expression of a value.
fn expression(value: &Value) -> String {
    let value = value.unmarked();
    if let Some(text) = value.as_str() {
        return quote(text).to_string();
    }
    if let Some(items) = value.as_items() {
        let items: Vec<String> = items.iter().map(expression).collect();
        let long =
            items.iter().any(|item| item.contains('\n')) || items.iter().map(String::len).sum::<usize>() > 80;
        return match long {
            true => format!("[\n{},\n]", items.join(",\n")),
            false => format!("[{}]", items.join(", ")),
        };
    }
    if let Some(entries) = value.as_entries() {
        let entries: Vec<String> = entries
            .iter()
            .map(|(key, value)| format!("{} = {}\n", key_text(key), expression(value)))
            .collect();
        return match entries.is_empty() {
            true => "{}".to_owned(),
            false => format!("{{\n{}}}", entries.concat()),
        };
    }
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        _ => "null".to_owned(),
    }
}

/// A key of an object: bare where that is the same.
fn key_text(key: &str) -> String {
    let mut chars = key.chars();
    let bare = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !matches!(key, "for" | "null" | "true" | "false");
    if bare { key.to_owned() } else { quote(key).to_string() }
}

#[cfg(test)]
mod tests {
    use plumb_model::Type;

    use super::*;

    #[test]
    fn what_is_chosen_is_written_and_the_rest_left_out() {
        let rule = Block::of([("port", Attribute::required(Type::Number))]);
        let nested = NestedBlock { block: rule, nesting: Nesting::List, min_items: 0, max_items: 0 };
        let schema = Block::of([
            ("id", Attribute::computed(Type::String)),
            ("name", Attribute::required(Type::String)),
            ("password", Attribute::optional(Type::String).sensitive()),
            ("tags", Attribute::optional(Type::map(Type::String))),
            ("zone", Attribute::optional(Type::String)),
        ])
        .block("rule", nested);
        let object = Value::object([
            ("id", Value::string("i-1")),
            ("name", Value::string("a ${b}\n\"c\"")),
            ("password", Value::string("hunter2")),
            (
                "tags",
                Value::map(
                    Type::String,
                    [("a b".into(), Value::string("x")), ("k".into(), Value::string("y"))],
                ),
            ),
            ("zone", Value::Null(Type::String)),
            ("rule", Value::tuple(vec![Value::object([("port", Value::int(80))])])),
        ]);
        let text = resource("server", "web", "i-1", &schema, &object);
        expect_test::expect![[r##"
            # Written by Plumb, from "i-1"
            resource "server" "web" {
              name     = "a $${b}\n\"c\""
              password = null # sensitive
              tags = {
                "a b" = "x"
                k     = "y"
              }
              rule {
                port = 80
              }
            }
        "##]]
        .assert_eq(&text);
    }
}
