//! Types as text: the form that state files and plan JSON use, such as `["list","string"]`.
//!
//! The same form as [`plumb_model::json::type_to_json`] gives, read and written without going through a JSON tree, and
//! with bounded nesting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::Type;
use plumb_model::types::ObjectType;

use super::text::{Cursor, write_string};
use super::value::{MAX_DEPTH, ValueError};

/// Appends a type.
///
/// # Errors
/// If it is nested too deeply.
pub(super) fn write(ty: &Type, depth: usize, out: &mut String) -> Result<(), ValueError> {
    if depth > MAX_DEPTH {
        return Err(ValueError::too_deep());
    }
    match ty {
        Type::Dynamic => out.push_str("\"dynamic\""),
        Type::Bool => out.push_str("\"bool\""),
        Type::Number => out.push_str("\"number\""),
        Type::String => out.push_str("\"string\""),
        Type::List(element) => write_collection("list", element, depth, out)?,
        Type::Set(element) => write_collection("set", element, depth, out)?,
        Type::Map(element) => write_collection("map", element, depth, out)?,
        Type::Tuple(elements) => {
            out.push_str("[\"tuple\",[");
            for (i, element) in elements.iter().enumerate() {
                separate(i, out);
                write(element, depth + 1, out)?;
            }
            out.push_str("]]");
        }
        Type::Object(object) => write_object(object, depth, out)?,
    }
    Ok(())
}

fn write_collection(kind: &str, element: &Type, depth: usize, out: &mut String) -> Result<(), ValueError> {
    out.push_str("[\"");
    out.push_str(kind);
    out.push_str("\",");
    write(element, depth + 1, out)?;
    out.push(']');
    Ok(())
}

fn write_object(object: &ObjectType, depth: usize, out: &mut String) -> Result<(), ValueError> {
    out.push_str("[\"object\",{");
    for (i, (name, ty)) in object.attributes.iter().enumerate() {
        separate(i, out);
        write_string(name, out);
        out.push(':');
        write(ty, depth + 1, out)?;
    }
    out.push('}');
    if !object.optional.is_empty() {
        out.push_str(",[");
        for (i, name) in object.optional.iter().enumerate() {
            separate(i, out);
            write_string(name, out);
        }
        out.push(']');
    }
    out.push(']');
    Ok(())
}

/// Appends the comma before every item but the first.
pub(super) fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

/// Reads a type.
///
/// # Errors
/// If none stands here, or it is nested too deeply.
pub(super) fn read(cursor: &mut Cursor, depth: usize) -> Result<Type, ValueError> {
    if depth > MAX_DEPTH {
        return Err(ValueError::too_deep());
    }
    if cursor.peek() == Some(b'"') {
        return match &*cursor.string()? {
            "dynamic" => Ok(Type::Dynamic),
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            other => Err(cursor.error(format_args!("`{other}` is not a type"))),
        };
    }
    cursor.expect(b'[')?;
    let kind = cursor.string()?;
    cursor.expect(b',')?;
    let ty = match &*kind {
        "list" => Type::list(read(cursor, depth + 1)?),
        "set" => Type::set(read(cursor, depth + 1)?),
        "map" => Type::map(read(cursor, depth + 1)?),
        "tuple" => {
            let mut elements = Vec::new();
            cursor.expect(b'[')?;
            while cursor.another(b']', elements.is_empty())? {
                elements.push(read(cursor, depth + 1)?);
            }
            Type::tuple(elements)
        }
        "object" => Type::Object(Arc::new(read_object(cursor, depth)?)),
        other => return Err(cursor.error(format_args!("`{other}` is not a kind of type"))),
    };
    cursor.expect(b']')?;
    Ok(ty)
}

fn read_object(cursor: &mut Cursor, depth: usize) -> Result<ObjectType, ValueError> {
    let mut attributes = BTreeMap::new();
    cursor.expect(b'{')?;
    while cursor.another(b'}', attributes.is_empty())? {
        let name = EcoString::from(&*cursor.string()?);
        cursor.expect(b':')?;
        if attributes.insert(name, read(cursor, depth + 1)?).is_some() {
            return Err(cursor.error("an attribute occurs twice"));
        }
    }
    let mut optional = BTreeSet::new();
    if cursor.take(b',') {
        cursor.expect(b'[')?;
        while cursor.another(b']', optional.is_empty())? {
            if !optional.insert(EcoString::from(&*cursor.string()?)) {
                return Err(cursor.error("a name occurs twice"));
            }
        }
    }
    Ok(ObjectType { attributes, optional })
}
