//! Comparing the documents of the two commands.

use serde_json::{Map, Value};

/// Members that are a clock, a version, or another tool's business.
const INCOMPARABLE: [&str; 5] =
    ["timestamp", "format_version", "terraform_version", "lineage", "relevant_attributes"];

/// What differs between two documents, one line each.
pub fn documents(name: &str, theirs: &Value, ours: &Value) -> Vec<String> {
    let mut found = Vec::new();
    same(name, &normal("", theirs), &normal("", ours), &mut found);
    found
}

/// What a state tells that Plumb records too: data sources and the results of checks it does not.
pub fn recorded(state: &Value) -> Value {
    let mut state = state.clone();
    state.as_object_mut().expect("a state is an object").remove("checks");
    if let Some(root) = state.pointer_mut("/values/root_module") {
        without_data(root);
    }
    state
}

fn without_data(module: &mut Value) {
    let module = module.as_object_mut().expect("a module is an object");
    if let Some(Value::Array(resources)) = module.get_mut("resources") {
        resources.retain(|resource| resource["mode"] != "data");
    }
    if let Some(Value::Array(children)) = module.get_mut("child_modules") {
        children.iter_mut().for_each(without_data);
        children.retain(|child| child.as_object().is_some_and(|child| child.len() > 1));
    }
    module.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
}

/// The document with what is random made equal, and with lists of named things as maps.
fn normal(name: &str, value: &Value) -> Value {
    match value {
        Value::String(text) if name == "deposed" => Value::String(text.chars().map(|_| '0').collect()),
        Value::String(text) => Value::String(without_ids(text)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| normal("", item)).collect();
            let key = |item: &Value| {
                let object = item.as_object()?;
                let address = object.get("address")?.as_str().map(str::to_owned);
                Some(format!("{}{}", address?, object.get("deposed").map_or(String::new(), Value::to_string)))
            };
            let keys: Vec<String> = items.iter().filter_map(key).collect();
            if keys.len() == items.len() && !keys.is_empty() {
                return Value::Object(keys.into_iter().zip(items).collect());
            }
            if matches!(name, "checks" | "instances") {
                items.sort_by_key(ToString::to_string);
            }
            Value::Array(items)
        }
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !INCOMPARABLE.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name.clone(), normal(name, value))).collect())
        }
        other => other.clone(),
    }
}

/// A text in which each UUID is the same one.
fn without_ids(text: &str) -> String {
    const SHAPE: &[u8] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let mut rest = text;
    let mut result = String::new();
    while let Some(c) = rest.chars().next() {
        let is_id = rest.len() >= SHAPE.len()
            && rest.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
                b'-' => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        let taken = if is_id { SHAPE.len() } else { c.len_utf8() };
        result.push_str(if is_id { "ID" } else { &rest[..taken] });
        rest = &rest[taken..];
    }
    result
}

fn same(path: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    let short = |value: &Value| {
        let text = value.to_string();
        match text.char_indices().nth(300) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    };
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            let only = |of: &Map<String, Value>, other: &Map<String, Value>| {
                let names = of.iter().filter(|(name, _)| !other.contains_key(*name));
                names.map(|(name, value)| (name.clone(), short(value))).collect::<Vec<_>>()
            };
            found.extend(
                only(a, b)
                    .into_iter()
                    .map(|(name, value)| format!("{path}.{name}: only terraform has it: {value}")),
            );
            found.extend(
                only(b, a)
                    .into_iter()
                    .map(|(name, value)| format!("{path}.{name}: only plumb has it: {value}")),
            );
            for (name, theirs) in a {
                if let Some(ours) = b.get(name) {
                    same(&format!("{path}.{name}"), theirs, ours, found);
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (theirs, ours)) in a.iter().zip(b).enumerate() {
                same(&format!("{path}[{i}]"), theirs, ours, found);
            }
        }
        _ if theirs == ours => {}
        _ => found.push(format!("{path}: terraform {}, plumb {}", short(theirs), short(ours))),
    }
}
