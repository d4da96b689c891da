//! Values and paths in messages.

use plumb_model::{Path, Step, Type, Value, json};

use crate::messages::{AttributePath, DynamicValue, PathSelector, PathStep};
use crate::msgpack::{self, CodecError};

/// A value of a type, as it is sent.
///
/// # Errors
/// If a part is not of the type.
pub fn to_wire(value: &Value, ty: &Type) -> Result<DynamicValue, CodecError> {
    Ok(DynamicValue { msgpack: msgpack::encode(value, ty)?.into(), ..DynamicValue::default() })
}

/// The value of a type that was received: in msgpack, in JSON, or null where there is neither.
///
/// # Errors
/// If it is not of the type.
pub fn from_wire(value: Option<&DynamicValue>, ty: &Type) -> Result<Value, CodecError> {
    match value {
        Some(value) if !value.msgpack.is_empty() => msgpack::decode(&value.msgpack, ty),
        Some(value) if !value.json.is_empty() => {
            let text =
                std::str::from_utf8(&value.json).map_err(|_| CodecError::new("JSON that is not UTF-8"))?;
            json::decode(text, ty).map_err(|e| CodecError { path: e.path, problem: e.problem })
        }
        _ => Ok(Value::Null(ty.clone())),
    }
}

/// A path that was received. An index that no list has leads to any element.
pub fn path_from_wire(path: &AttributePath) -> Path {
    let step = |step: &PathStep| match &step.selector {
        Some(PathSelector::AttributeName(name)) => Some(Step::Attribute(name.into())),
        Some(PathSelector::ElementKeyString(key)) => Some(Step::Key(key.into())),
        Some(PathSelector::ElementKeyInt(index)) => {
            Some(usize::try_from(*index).map_or(Step::Any, Step::Index))
        }
        None => None,
    };
    // A step of a kind that is not known yet cannot be followed: the path ends at what contains it.
    Path(path.steps.iter().map_while(step).collect())
}

/// A path as it is sent. It ends at the first set, whose elements have no path.
pub fn path_to_wire(path: &Path) -> AttributePath {
    let selector = |step: &Step| match step {
        Step::Attribute(name) => Some(PathSelector::AttributeName(name.to_string())),
        Step::Key(key) => Some(PathSelector::ElementKeyString(key.to_string())),
        Step::Index(index) => i64::try_from(*index).ok().map(PathSelector::ElementKeyInt),
        Step::Any => None,
    };
    let steps = path.0.iter().map_while(selector).map(|s| PathStep { selector: Some(s) }).collect();
    AttributePath { steps }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_and_none_are_read() {
        let ty = Type::list(Type::Number);
        let wanted = Value::list(Type::Number, vec![Value::int(1)]);
        let msgpack = to_wire(&wanted, &ty).unwrap();
        let json = DynamicValue { json: "[1]".into(), ..DynamicValue::default() };
        assert_eq!(from_wire(Some(&msgpack), &ty).unwrap(), wanted);
        assert_eq!(from_wire(Some(&json), &ty).unwrap(), wanted);
        assert_eq!(from_wire(Some(&DynamicValue::default()), &ty).unwrap(), Value::Null(ty.clone()));
        assert_eq!(from_wire(None, &ty).unwrap(), Value::Null(ty));
    }

    #[test]
    fn paths_end_at_sets() {
        let path = Path::of("tags").then(Step::Index(2)).then(Step::Key("k".into()));
        assert_eq!(path_from_wire(&path_to_wire(&path)), path);
        let into_set = Path::of("rules").then(Step::Any).attribute("port");
        assert_eq!(path_from_wire(&path_to_wire(&into_set)), Path::of("rules"));
    }
}
