//! Functions that ask something of a collection: how long it is, what is in it.
//!
//! Those that look at the structure alone leave marks on elements where they are; a mark on the whole marks the result.

use std::collections::BTreeSet;

use plumb_model::convert::convert;
use plumb_model::equality::equal;
use plumb_model::unify::unify;
use plumb_model::{Marks, Number, Refinement, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, count, parameter};

pub(crate) fn functions() -> Vec<Function> {
    let any = |name, description| parameter(name, Type::Dynamic, description);
    let structure = |name, description| any(name, description).unknown().marked();
    vec![
        Function::new("length", Type::Number, length)
            .describe("Counts the elements of a collection, the attributes of an object, or the characters of a string.")
            .takes(structure("value", "The value to measure.").dynamic()),
        Function::new("keys", Type::Dynamic, keys)
            .describe("Returns the keys of a map, or the names of the attributes of an object, sorted.")
            .takes(structure("inputMap", "A map or an object.")),
        Function::new("values", Type::Dynamic, values)
            .describe("Returns the values of a map or an object, sorted by their keys.")
            .takes(structure("mapping", "A map or an object.")),
        Function::new("lookup", Type::Dynamic, lookup)
            .describe("Returns the element of a map that a key stands for, or a default if there is none.")
            .takes(structure("inputMap", "A map or an object."))
            .takes(parameter("key", Type::String, "The key to look for.").unknown().marked())
            .takes_many(any("default", "What to return if there is no such key.").nullable().unknown().marked().dynamic()),
        Function::new("contains", Type::Dynamic, contains)
            .describe("Tells whether a value is among the elements of a list, a tuple or a set.")
            .takes(any("list", "The elements to search.").unknown().marked())
            .takes(any("value", "The value to search for.").unknown()),
        Function::new("index", Type::Dynamic, index)
            .describe("Finds the first element of a list or tuple that is equal to a value.")
            .takes(any("list", "The elements to search.").unknown_parts())
            .takes(any("value", "The value to search for.").unknown()),
        Function::new("one", Type::Dynamic, one)
            .describe("Returns the only element of a list, a set or a tuple, or null if it is empty.")
            .takes(structure("list", "A collection of no or one element.")),
        Function::new("alltrue", Type::Bool, |call| Ok(quantify(call, false)))
            .describe("Tells whether all elements of a list are true; of an empty one they are.")
            .takes(parameter("list", Type::list(Type::Bool), "The elements.").unknown_parts()),
        Function::new("anytrue", Type::Bool, |call| Ok(quantify(call, true)))
            .describe("Tells whether an element of a list is true.")
            .takes(parameter("list", Type::list(Type::Bool), "The elements.").unknown_parts()),
        Function::new("coalesce", Type::Dynamic, coalesce)
            .describe("Returns the first argument that is neither null nor an empty string.")
            .takes_many(any("vals", "The values to choose from.").nullable().unknown().dynamic()),
        Function::new("coalescelist", Type::Dynamic, coalesce_list)
            .describe("Returns the first argument that is not an empty list.")
            .takes_many(any("vals", "The lists to choose from.").nullable().unknown().dynamic()),
    ]
}

fn length(call: &Call<'_>) -> Outcome {
    let (value, marks) = call.args[0].unmark();
    let result = match value {
        Value::String(text) => count(text.graphemes(true).count()),
        Value::List(s) => count(s.items.len()),
        // Unknown elements may turn out equal to each other.
        Value::Set(s) if !value.is_wholly_known() && s.items.len() > 1 => {
            unknown_length(1, Some(s.items.len()))
        }
        Value::Set(s) => count(s.items.len()),
        Value::Tuple(items) => count(items.len()),
        Value::Map(map) => count(map.entries.len()),
        Value::Object(entries) => count(entries.len()),
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Tuple(types) => count(types.len()),
            Type::Object(object) => count(object.attributes.len()),
            Type::List(_) | Type::Set(_) | Type::Map(_) => {
                unknown_length(unknown.refinement.min_length, unknown.refinement.max_length)
            }
            Type::String | Type::Dynamic => unknown_length(0, None),
            Type::Bool | Type::Number => return Err(not_measurable()),
        },
        _ => return Err(not_measurable()),
    };
    Ok(result.with_marks(marks))
}

fn not_measurable() -> FunctionError {
    FunctionError::failed("argument must be a string, a collection type, or a structural type")
}

fn unknown_length(least: usize, most: Option<usize>) -> Value {
    if most == Some(least) {
        return count(least);
    }
    let bound = |n: usize| (Number::from_count(i64::try_from(n).unwrap_or(i64::MAX)), true);
    Value::refined(
        Type::Number,
        Refinement { not_null: true, min: Some(bound(least)), max: most.map(bound), ..Refinement::default() },
    )
}

fn keys(call: &Call<'_>) -> Outcome {
    let (value, marks) = call.args[0].unmark();
    let text = |key: &ecow::EcoString| Value::String(key.clone());
    let result = match value {
        Value::Map(map) => Value::list(Type::String, map.entries.keys().map(text).collect()),
        Value::Object(entries) => Value::tuple(entries.keys().map(text).collect()),
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Map(_) => Value::unknown_not_null(Type::list(Type::String)),
            Type::Object(object) => Value::tuple(object.attributes.keys().map(text).collect()),
            Type::Dynamic => Value::unknown(Type::Dynamic),
            _ => return Err(FunctionError::argument(0, "must have map or object type")),
        },
        _ => return Err(FunctionError::argument(0, "must have map or object type")),
    };
    Ok(result.with_marks(marks))
}

fn values(call: &Call<'_>) -> Outcome {
    let (value, marks) = call.args[0].unmark();
    let wrong = || FunctionError::failed("values() requires a map as the first argument");
    let result = match value {
        Value::Map(map) => Value::list(map.element.clone(), map.entries.values().cloned().collect()),
        Value::Object(entries) => Value::tuple(entries.values().cloned().collect()),
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Map(element) => Value::unknown_not_null(Type::list((**element).clone())),
            Type::Object(object) => Value::unknown_not_null(Type::tuple(object.attributes.values().cloned())),
            Type::Dynamic => Value::unknown(Type::Dynamic),
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    };
    Ok(result.with_marks(marks))
}

fn lookup(call: &Call<'_>) -> Outcome {
    let default = match call.args {
        [_, _] => None,
        [_, _, default] => Some(default),
        args => {
            let found = args.len();
            return Err(FunctionError::failed(format!("lookup() takes two or three arguments, got {found}")));
        }
    };
    let (map, map_marks) = call.args[0].unmark();
    let (key, key_marks) = call.args[1].unmark();
    let marks = map_marks | key_marks;
    let element = match map {
        Value::Map(map) => Some(map.element.clone()),
        Value::Object(_) => None,
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Map(element) => Some((**element).clone()),
            Type::Object(_) | Type::Dynamic => None,
            _ => return Err(not_a_map()),
        },
        _ => return Err(not_a_map()),
    };
    let default = match (default, &element) {
        (Some(default), Some(element)) => Some(convert(default, element).map_err(|_| {
            FunctionError::argument(2, "the default value must have the same type as the map elements")
        })?),
        (default, _) => default.cloned(),
    };
    let (Value::String(key), Some(entries)) = (key, map.as_entries()) else {
        return Ok(Value::unknown(element.unwrap_or(Type::Dynamic)).with_marks(marks));
    };
    match (entries.get(key), default) {
        (Some(found), _) => Ok(found.clone().with_marks(marks)),
        (None, Some(default)) => Ok(default.with_marks(marks)),
        (None, None) if matches!(map, Value::Object(_)) => {
            Err(FunctionError::argument(0, format!("the given object has no attribute {key:?}")))
        }
        (None, None) => Err(FunctionError::failed(format!("lookup failed to find key {key:?}"))),
    }
}

fn not_a_map() -> FunctionError {
    FunctionError::argument(0, "lookup() requires a map as the first argument")
}

fn contains(call: &Call<'_>) -> Outcome {
    // There are no marks inside of sets, so that searching one does not mean looking at all of it.
    let (list, marks) = match call.args[0].unmark() {
        (set @ Value::Set(_), marks) => (set.clone(), marks),
        _ => call.args[0].unmark_deep(),
    };
    Ok(is_among(&list, &call.args[1])?.with_marks(marks))
}

fn is_among(list: &Value, wanted: &Value) -> Outcome {
    let unknown = || Ok(Value::unknown_not_null(Type::Bool));
    let items = match list {
        Value::Unknown(unknown_list) => match &unknown_list.ty {
            Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic => return unknown(),
            _ => return Err(not_searchable()),
        },
        Value::Set(set) if wanted.is_wholly_known() && set.element.is_primitive() => {
            // Unknown elements of a set come last.
            if set
                .items
                .binary_search_by(|item| item.set_order(wanted))
                .is_ok_and(|i| &set.items[i] == wanted)
            {
                return Ok(true.into());
            }
            return if set.items.last().is_some_and(|last| !last.is_known()) {
                unknown()
            } else {
                Ok(false.into())
            };
        }
        list => list.as_items().ok_or_else(not_searchable)?,
    };
    let mut undecided = false;
    for item in items {
        match equal(item, wanted).as_bool() {
            Some(true) => return Ok(true.into()),
            Some(false) => {}
            None => undecided = true,
        }
    }
    if undecided { unknown() } else { Ok(false.into()) }
}

fn not_searchable() -> FunctionError {
    FunctionError::failed("argument must be list, tuple, or set")
}

fn index(call: &Call<'_>) -> Outcome {
    let items = match &call.args[0] {
        Value::List(_) | Value::Tuple(_) => call.args[0].as_items().unwrap_or_default(),
        _ => return Err(FunctionError::failed("argument must be a list or tuple")),
    };
    if items.is_empty() {
        return Err(FunctionError::failed("cannot search an empty list"));
    }
    for (i, item) in items.iter().enumerate() {
        match equal(item, &call.args[1]).as_bool() {
            Some(true) => return Ok(count(i)),
            Some(false) => {}
            None => return Ok(Value::unknown_not_null(Type::Number)),
        }
    }
    Err(FunctionError::failed("item not found"))
}

fn one(call: &Call<'_>) -> Outcome {
    let (value, marks) = call.args[0].unmark();
    let wrong =
        || FunctionError::argument(0, "must be a list, set, or tuple value with either zero or one elements");
    let element_type = |ty: &Type| match ty {
        Type::List(element) | Type::Set(element) => Some((**element).clone()),
        Type::Tuple(types) if types.len() == 1 => Some(types[0].clone()),
        Type::Tuple(types) if types.is_empty() => Some(Type::Dynamic),
        Type::Dynamic => Some(Type::Dynamic),
        _ => None,
    };
    if let Value::Unknown(unknown) = value {
        let ty = element_type(&unknown.ty).ok_or_else(wrong)?;
        return Ok(Value::unknown(ty).with_marks(marks));
    }
    let result = match (value, value.as_items().ok_or_else(wrong)?) {
        (Value::List(s) | Value::Set(s), []) => Value::Null(s.element.clone()),
        (_, []) => Value::NULL,
        (_, [only]) => only.clone(),
        (Value::Set(s), _) if !value.is_wholly_known() => Value::unknown(s.element.clone()),
        _ => return Err(wrong()),
    };
    Ok(result.with_marks(marks))
}

/// Whether all elements, or any of them, are true; `deciding` is the value of an element that decides.
fn quantify(call: &Call<'_>, deciding: bool) -> Value {
    let mut undecided = false;
    for item in call.items(0) {
        match item {
            Value::Null(_) if !deciding => return false.into(),
            Value::Bool(value) if *value == deciding => return deciding.into(),
            Value::Unknown(_) => undecided = true,
            _ => {}
        }
    }
    if undecided { Value::unknown_not_null(Type::Bool) } else { (!deciding).into() }
}

fn coalesce(call: &Call<'_>) -> Outcome {
    let incompatible = || FunctionError::failed("all arguments must have the same type");
    let untyped_null = |value: &&Value| matches!(value, Value::Null(Type::Dynamic));
    let typed: Vec<&Value> = call.args.iter().filter(|value| !untyped_null(value)).collect();
    if call.args.is_empty() {
        return Err(incompatible());
    }
    if typed.iter().any(|value| matches!(value, Value::Unknown(unknown) if unknown.ty == Type::Dynamic)) {
        return Ok(Value::unknown(Type::Dynamic));
    }
    let distinct: BTreeSet<Type> = typed.iter().map(|value| value.ty()).collect();
    let ty = unify(&distinct.into_iter().collect::<Vec<_>>()).ok_or_else(incompatible)?;
    for value in typed {
        let i = call.args.iter().position(|arg| std::ptr::eq(arg, value)).unwrap_or_default();
        let value = convert(value, &ty).map_err(|error| FunctionError::converting(i, &error))?;
        match &value {
            Value::Unknown(_) => return Ok(Value::unknown_not_null(ty)),
            Value::Null(_) => {}
            Value::String(text) if text.is_empty() => {}
            _ => return Ok(value),
        }
    }
    Err(FunctionError::failed("no non-null, non-empty-string arguments"))
}

fn coalesce_list(call: &Call<'_>) -> Outcome {
    if call.args.is_empty() {
        return Err(FunctionError::failed("at least one argument is required"));
    }
    let is_list = |ty: &Type| matches!(ty, Type::List(_) | Type::Tuple(_));
    for value in call.args {
        let fits = match value {
            Value::List(_) | Value::Tuple(_) => true,
            Value::Null(ty) => is_list(ty),
            Value::Unknown(unknown) => is_list(&unknown.ty) || unknown.ty == Type::Dynamic,
            _ => false,
        };
        if !fits {
            return Err(FunctionError::failed("coalescelist arguments must be lists or tuples"));
        }
    }
    for value in call.args {
        match value {
            Value::Unknown(_) => return Ok(Value::unknown(common_type(call.args))),
            value if value.as_items().is_some_and(|items| !items.is_empty()) => return Ok(value.clone()),
            _ => {}
        }
    }
    Err(FunctionError::failed("no non-null arguments"))
}

/// The type of all of the values if it is one, else unknown.
fn common_type(values: &[Value]) -> Type {
    let distinct: BTreeSet<Type> = values.iter().map(Value::ty).collect();
    match distinct.len() {
        1 => distinct.into_iter().next().unwrap_or(Type::Dynamic),
        _ => Type::Dynamic,
    }
}

/// The marks of the values themselves, parts aside.
pub(crate) fn top_marks(values: &[Value]) -> Marks {
    values.iter().fold(Marks::NONE, |marks, value| marks | value.marks())
}
