//! Types and values as JSON, in the forms that state files, plan files and the plugin protocol use.
//!
//! A type is `"string"`, `["list", T]`, `["object", {…}]` and so on. A value's form depends on the type it is encoded
//! with: in a position of [`Type::Dynamic`] it is wrapped as `{"value": …, "type": …}`, everywhere else the type is
//! known to the reader. Numbers keep all their digits; marks are not encoded.

use std::fmt::Write as _;

use ecow::EcoString;
use serde_json::Value as Json;

use crate::number::Number;
use crate::path::{Path, Step};
use crate::types::{ObjectType, Type};
use crate::value::{Entries, Value, normalize};

/// Why JSON is not a value of a type, or a value has no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_root() { String::new() } else { format!("{path}: ") })]
pub struct JsonError {
    /// Where.
    pub path: Path,
    /// What was found and what was wanted.
    pub problem: String,
}

impl JsonError {
    fn new(problem: impl Into<String>) -> JsonError {
        JsonError { path: Path::root(), problem: problem.into() }
    }

    fn within(mut self, step: Step) -> JsonError {
        self.path.0.insert(0, step);
        self
    }
}

/// A type as compact JSON text.
pub fn type_to_json(ty: &Type) -> Json {
    match ty {
        Type::Dynamic => "dynamic".into(),
        Type::Bool => "bool".into(),
        Type::Number => "number".into(),
        Type::String => "string".into(),
        Type::List(element) => Json::from(vec!["list".into(), type_to_json(element)]),
        Type::Set(element) => Json::from(vec!["set".into(), type_to_json(element)]),
        Type::Map(element) => Json::from(vec!["map".into(), type_to_json(element)]),
        Type::Tuple(elements) => {
            Json::from(vec!["tuple".into(), Json::Array(elements.iter().map(type_to_json).collect())])
        }
        Type::Object(object) => {
            let attributes =
                object.attributes.iter().map(|(name, ty)| (name.to_string(), type_to_json(ty))).collect();
            let mut parts = vec!["object".into(), Json::Object(attributes)];
            if !object.optional.is_empty() {
                parts.push(object.optional.iter().map(|n| Json::from(n.as_str())).collect());
            }
            Json::Array(parts)
        }
    }
}

/// Reads what [`type_to_json`] writes.
///
/// # Errors
/// For JSON that describes no type.
pub fn type_from_json(json: &Json) -> Result<Type, JsonError> {
    let unknown = || JsonError::new(format!("{json} does not describe a type"));
    if let Some(name) = json.as_str() {
        return match name {
            "dynamic" => Ok(Type::Dynamic),
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            _ => Err(unknown()),
        };
    }
    let parts = json.as_array().ok_or_else(unknown)?;
    match (parts.first().and_then(Json::as_str), parts.get(1..).unwrap_or_default()) {
        (Some("list"), [element]) => Ok(Type::list(type_from_json(element)?)),
        (Some("set"), [element]) => Ok(Type::set(type_from_json(element)?)),
        (Some("map"), [element]) => Ok(Type::map(type_from_json(element)?)),
        (Some("tuple"), [Json::Array(elements)]) => {
            Ok(Type::tuple(elements.iter().map(type_from_json).collect::<Result<Vec<_>, _>>()?))
        }
        (Some("object"), [Json::Object(attributes), rest @ ..]) if rest.len() <= 1 => {
            let attributes = attributes
                .iter()
                .map(|(name, ty)| Ok((EcoString::from(name.as_str()), type_from_json(ty)?)))
                .collect::<Result<_, JsonError>>()?;
            let optional = match rest.first() {
                None => Default::default(),
                Some(names) => names
                    .as_array()
                    .ok_or_else(unknown)?
                    .iter()
                    .map(|n| n.as_str().map(EcoString::from).ok_or_else(unknown))
                    .collect::<Result<_, _>>()?,
            };
            Ok(Type::Object(std::sync::Arc::new(ObjectType { attributes, optional })))
        }
        _ => Err(unknown()),
    }
}

/// Writes a value of a type as compact JSON text with sorted keys.
///
/// # Errors
/// If a part is unknown, infinite, or not of the type.
pub fn encode(value: &Value, ty: &Type) -> Result<String, JsonError> {
    let mut out = String::new();
    encode_into(value, ty, &mut out)?;
    Ok(out)
}

/// Appends what [`encode`] gives to `out`.
///
/// # Errors
/// As [`encode`]; what was appended before the error remains.
pub fn encode_into(value: &Value, ty: &Type, out: &mut String) -> Result<(), JsonError> {
    let value = value.unmarked();
    match (value, ty) {
        (Value::Null(_), _) => out.push_str("null"),
        (Value::Unknown(_), _) => return Err(JsonError::new("the value is not known yet")),
        (_, Type::Dynamic) => {
            let ty = value.ty();
            out.push_str("{\"value\":");
            encode_into(value, &ty, out)?;
            let _ = write!(out, ",\"type\":{}}}", type_to_json(&ty));
        }
        (Value::Bool(value), Type::Bool) => out.push_str(if *value { "true" } else { "false" }),
        (Value::Number(number), Type::Number) => {
            if number.is_infinite() {
                return Err(JsonError::new("an infinite number has no JSON form"));
            }
            let _ = write!(out, "{number}");
        }
        (Value::String(text), Type::String) => encode_string(text, out),
        (Value::List(s), Type::List(element)) | (Value::Set(s), Type::Set(element)) => {
            encode_items(&s.items, |_| Ok(element), out)?;
        }
        (Value::Tuple(items), Type::Tuple(types)) => encode_items(
            items,
            |i| types.get(i).ok_or_else(|| JsonError::new("the tuple has more elements than its type")),
            out,
        )?,
        (Value::Map(map), Type::Map(element)) => encode_entries(&map.entries, |_| Ok(element), out)?,
        (Value::Object(entries), Type::Object(object)) => encode_entries(
            entries,
            |name| {
                object
                    .attributes
                    .get(name)
                    .ok_or_else(|| JsonError::new(format!("the type has no attribute `{name}`")))
            },
            out,
        )?,
        (value, ty) => {
            return Err(JsonError::new(format!(
                "found {}, wanted {}",
                value.ty().friendly_name(),
                ty.friendly_name()
            )));
        }
    }
    Ok(())
}

fn encode_items<'t>(
    items: &[Value],
    ty: impl Fn(usize) -> Result<&'t Type, JsonError>,
    out: &mut String,
) -> Result<(), JsonError> {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        encode_into(item, ty(i)?, out).map_err(|e| e.within(Step::Index(i)))?;
    }
    out.push(']');
    Ok(())
}

fn encode_entries<'t>(
    entries: &Entries,
    ty: impl Fn(&str) -> Result<&'t Type, JsonError>,
    out: &mut String,
) -> Result<(), JsonError> {
    out.push('{');
    for (i, (key, value)) in entries.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        encode_string(key, out);
        out.push(':');
        encode_into(value, ty(key)?, out).map_err(|e| e.within(Step::Attribute(key.clone())))?;
    }
    out.push('}');
    Ok(())
}

/// Appends text as a JSON string.
pub fn encode_string(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

/// Reads a value of a type from JSON text.
///
/// # Errors
/// If the text is not JSON, or not a value of the type.
pub fn decode(text: &str, ty: &Type) -> Result<Value, JsonError> {
    let json: Json =
        serde_json::from_str(text).map_err(|e| JsonError::new(format!("not valid JSON: {e}")))?;
    from_json(&json, ty)
}

/// Reads a value of a type. Attributes that an object lacks become null; attributes that the type lacks are errors.
///
/// # Errors
/// If it is not a value of the type.
pub fn from_json(json: &Json, ty: &Type) -> Result<Value, JsonError> {
    let wrong = |found: &str| Err(JsonError::new(format!("found {found}, wanted {}", ty.friendly_name())));
    Ok(match (json, ty) {
        (Json::Null, _) => Value::Null(ty.clone()),
        (Json::Object(fields), Type::Dynamic) => {
            let (Some(value), Some(ty), 2) = (fields.get("value"), fields.get("type"), fields.len()) else {
                return Err(JsonError::new("a value of any type must be an object of `value` and `type`"));
            };
            from_json(value, &type_from_json(ty)?)?
        }
        (Json::Bool(value), Type::Bool) => Value::Bool(*value),
        (Json::String(text), Type::Bool) if text == "true" || text == "false" => Value::Bool(text == "true"),
        (Json::Number(number), Type::Number) => Value::Number(number_from(number.as_str())?),
        (Json::String(text), Type::Number) => Value::Number(number_from(text)?),
        (Json::String(text), Type::String) => Value::string(text),
        (Json::Bool(value), Type::String) => Value::string(value.to_string()),
        (Json::Number(number), Type::String) => Value::string(number_from(number.as_str())?.to_string()),
        (Json::Array(items), Type::List(element)) => {
            Value::list((**element).clone(), items_from(items, |_| Ok(element))?)
        }
        (Json::Array(items), Type::Set(element)) => {
            Value::set((**element).clone(), items_from(items, |_| Ok(element))?)
        }
        (Json::Array(items), Type::Tuple(types)) => {
            if items.len() != types.len() {
                return Err(JsonError::new(format!(
                    "found {} elements, wanted {}",
                    items.len(),
                    types.len()
                )));
            }
            Value::tuple(items_from(items, |i| Ok(&types[i]))?)
        }
        (Json::Object(fields), Type::Map(element)) => {
            let entries = fields
                .iter()
                .map(|(key, json)| {
                    let key = normalize(key);
                    let value = from_json(json, element).map_err(|e| e.within(Step::Key(key.clone())))?;
                    Ok((key, value))
                })
                .collect::<Result<Vec<_>, JsonError>>()?;
            Value::map((**element).clone(), entries)
        }
        (Json::Object(fields), Type::Object(object)) => object_from(fields, object)?,
        (Json::Bool(_), _) => return wrong("a bool"),
        (Json::Number(_), _) => return wrong("a number"),
        (Json::String(_), _) => return wrong("a string"),
        (Json::Array(_), _) => return wrong("an array"),
        (Json::Object(_), _) => return wrong("an object"),
    })
}

fn number_from(text: &str) -> Result<Number, JsonError> {
    Number::parse(text).map_err(|e| JsonError::new(format!("`{text}`: {e}")))
}

fn items_from<'t>(
    items: &[Json],
    ty: impl Fn(usize) -> Result<&'t Type, JsonError>,
) -> Result<Vec<Value>, JsonError> {
    items
        .iter()
        .enumerate()
        .map(|(i, json)| from_json(json, ty(i)?).map_err(|e| e.within(Step::Index(i))))
        .collect()
}

fn object_from(fields: &serde_json::Map<String, Json>, object: &ObjectType) -> Result<Value, JsonError> {
    if let Some(extra) = fields.keys().find(|name| !object.attributes.contains_key(name.as_str())) {
        return Err(JsonError::new(format!("unsupported attribute `{extra}`")));
    }
    let entries = object
        .attributes
        .iter()
        .map(|(name, ty)| {
            let value = match fields.get(name.as_str()) {
                None => Value::Null(ty.clone()),
                Some(json) => from_json(json, ty).map_err(|e| e.within(Step::Attribute(name.clone())))?,
            };
            Ok((name.clone(), value))
        })
        .collect::<Result<Vec<_>, JsonError>>()?;
    Ok(Value::object(entries))
}

/// The type that JSON has by itself: objects and tuples, never maps and lists.
pub fn implied_type(json: &Json) -> Type {
    match json {
        Json::Null => Type::Dynamic,
        Json::Bool(_) => Type::Bool,
        Json::Number(_) => Type::Number,
        Json::String(_) => Type::String,
        Json::Array(items) => Type::tuple(items.iter().map(implied_type)),
        Json::Object(fields) => Type::object(fields.iter().map(|(n, j)| (normalize(n), implied_type(j)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, ty: &Type) {
        let value = decode(json, ty).unwrap();
        assert_eq!(encode(&value, ty).unwrap(), json);
    }

    #[test]
    fn values_read_back_as_they_are_written() {
        check("0.1", &Type::Number);
        check("123456789012345678901234567890.5", &Type::Number);
        check(r#"["a","b"]"#, &Type::set(Type::String));
        check(r#"{"value":[1,"x"],"type":["tuple",["number","string"]]}"#, &Type::Dynamic);
        check(
            r#"{"a":null,"b":{"k":true}}"#,
            &Type::object([("a", Type::Dynamic), ("b", Type::map(Type::Bool))]),
        );
        check(r#""\u0001\"\\\n""#, &Type::String);
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let ty = Type::object([("a", Type::list(Type::Number))]);
        assert_eq!(
            decode(r#"{"a":[1,{}]}"#, &ty).unwrap_err().to_string(),
            "a[1]: found an object, wanted number"
        );
        assert_eq!(decode(r#"{"b":1}"#, &ty).unwrap_err().to_string(), "unsupported attribute `b`");
        assert!(encode(&Value::unknown(Type::Number), &Type::Number).is_err());
    }

    #[test]
    fn types_read_back_as_they_are_written() {
        for text in [
            r#""dynamic""#,
            r#"["list","string"]"#,
            r#"["object",{"a":["tuple",["bool","number"]]}]"#,
            r#"["object",{"a":"string"},["a"]]"#,
        ] {
            let json: Json = serde_json::from_str(text).unwrap();
            assert_eq!(type_to_json(&type_from_json(&json).unwrap()).to_string(), text);
        }
        for text in [r#""str""#, "[]", r#"["list"]"#, "1", r#"["object",[]]"#] {
            assert!(type_from_json(&serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
    }
}
