//! Functions that make one collection out of several.

use ecow::EcoString;
use plumb_model::unify::unify;
use plumb_model::{Entries, Type, Value};

use crate::collection::top_marks;
use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter, strings};

pub(crate) fn functions() -> Vec<Function> {
    let any = |name, description| parameter(name, Type::Dynamic, description);
    vec![
        Function::new("concat", Type::Dynamic, concat)
            .describe("Puts the elements of several lists or tuples into one.")
            .takes_many(any("seqs", "Lists or tuples.").unknown().marked()),
        Function::new("merge", Type::Dynamic, merge)
            .describe(
                "Puts the elements of several maps or objects into one; of equal keys the last one counts.",
            )
            .takes_many(
                any("maps", "Maps or objects; nulls count for nothing.")
                    .nullable()
                    .unknown()
                    .marked()
                    .dynamic(),
            ),
        Function::new("zipmap", Type::Dynamic, zip_map)
            .describe("Makes a map of a list of keys and a list of values.")
            .takes(parameter("keys", Type::list(Type::String), "The keys."))
            .takes(any("values", "A value for each key, as a list or tuple.").unknown().marked()),
        Function::new("transpose", Type::map(Type::list(Type::String)), transpose)
            .describe("Swaps keys and values of a map of lists of strings.")
            .takes(parameter("values", Type::map(Type::list(Type::String)), "The map to turn around.")),
    ]
}

fn concat(call: &Call<'_>) -> Outcome {
    if call.args.is_empty() {
        return Err(FunctionError::failed("at least one argument is required"));
    }
    let marks = top_marks(call.args);
    let mut elements = Some(Vec::new());
    let mut unknown = false;
    for (i, arg) in call.args.iter().enumerate() {
        let ty = match arg.unmarked() {
            Value::List(s) => Type::List(s.element.clone().into()),
            Value::Tuple(_) => Type::tuple([]),
            other => {
                unknown |= !other.is_known();
                other.ty()
            }
        };
        match ty {
            Type::List(element) => {
                if let Some(elements) = &mut elements {
                    elements.push((*element).clone());
                }
            }
            Type::Tuple(_) | Type::Dynamic => elements = None,
            ty => {
                let found = ty.friendly_name();
                let problem = format!("all arguments must be lists or tuples; got {found}");
                return Err(FunctionError::argument(i, problem));
            }
        }
    }
    let element = elements.and_then(|elements| unify(&known_types(elements)));
    if unknown {
        let ty = element.map_or(Type::Dynamic, Type::list);
        return Ok(Value::unknown(ty).with_marks(marks));
    }
    let items: Vec<Value> =
        call.args.iter().flat_map(|arg| arg.as_items().unwrap_or_default().iter().cloned()).collect();
    let result = match element {
        Some(element) => {
            let items = items
                .iter()
                .map(|item| plumb_model::convert::convert(item, &element))
                .collect::<Result<_, _>>()
                .map_err(|error| FunctionError::failed(error.to_string()))?;
            Value::list(element, items)
        }
        None => Value::tuple(items),
    };
    Ok(result.with_marks(marks))
}

/// Without the dynamic ones, which the element types of empty lists are.
fn known_types(types: Vec<Type>) -> Vec<Type> {
    types.into_iter().filter(|ty| *ty != Type::Dynamic).collect()
}

fn merge(call: &Call<'_>) -> Outcome {
    let marks = top_marks(call.args);
    let mut entries: Vec<(EcoString, Value)> = Vec::new();
    let mut map_type: Option<Type> = None;
    let (mut uniform, mut unknown) = (true, false);
    for (i, arg) in call.args.iter().enumerate() {
        let value = arg.unmarked();
        let ty = match value {
            Value::Map(map) => Type::map(map.element.clone()),
            Value::Object(_) => Type::Dynamic,
            Value::Null(ty) => ty.clone(),
            Value::Unknown(of) => {
                unknown = true;
                of.ty.clone()
            }
            other => other.ty(),
        };
        match ty {
            Type::Map(_) => {
                uniform &= i == 0 || map_type.as_ref() == Some(&ty);
                map_type = Some(ty);
            }
            Type::Object(_) | Type::Dynamic => uniform = false,
            ty => {
                let found = ty.friendly_name();
                return Err(FunctionError::failed(format!(
                    "arguments must be maps or objects, got {found:?}"
                )));
            }
        }
        entries.extend(
            value.as_entries().into_iter().flat_map(|e| e.iter().map(|(k, v)| (k.clone(), v.clone()))),
        );
    }
    let map_type = map_type.filter(|_| uniform);
    let result = match (unknown, map_type) {
        (true, ty) => Value::unknown(ty.unwrap_or(Type::Dynamic)),
        (false, Some(Type::Map(element))) => Value::map((*element).clone(), entries),
        (false, _) => Value::Object(Entries::new(entries).into()),
    };
    Ok(result.with_marks(marks))
}

fn zip_map(call: &Call<'_>) -> Outcome {
    let keys = call.items(0);
    let (values, marks) = call.args[1].unmark();
    let wrong = || FunctionError::failed("values argument must be a list or tuple value");
    if let Some(i) = keys.iter().position(Value::is_null) {
        return Err(FunctionError::failed(format!("keys list has null value at index {i}")));
    }
    let element = match values {
        Value::List(s) => Some(s.element.clone()),
        Value::Tuple(_) => None,
        Value::Unknown(unknown) => {
            return match &unknown.ty {
                Type::List(element) => {
                    Ok(Value::unknown_not_null(Type::map((**element).clone())).with_marks(marks))
                }
                Type::Tuple(_) | Type::Dynamic => Ok(Value::unknown(Type::Dynamic).with_marks(marks)),
                _ => Err(wrong()),
            };
        }
        _ => return Err(wrong()),
    };
    let items = values.as_items().unwrap_or_default();
    if items.len() != keys.len() {
        return Err(FunctionError::failed(format!(
            "number of keys ({}) does not match number of values ({})",
            keys.len(),
            items.len()
        )));
    }
    let entries =
        keys.iter().zip(items).filter_map(|(key, value)| Some((key.as_str()?.clone(), value.clone())));
    let result = match element {
        Some(element) => Value::map(element, entries),
        None => Value::object(entries),
    };
    Ok(result.with_marks(marks))
}

fn transpose(call: &Call<'_>) -> Outcome {
    let mut pairs: Vec<(EcoString, EcoString)> = Vec::new();
    for (key, list) in call.args[0].as_entries().into_iter().flat_map(|e| e.iter()) {
        let items =
            list.as_items().ok_or_else(|| FunctionError::failed("input must not contain null list"))?;
        for item in items {
            let text = item
                .as_str()
                .ok_or_else(|| FunctionError::failed("input list must not contain null string"))?;
            pairs.push((text.clone(), key.clone()));
        }
    }
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let entries: Vec<(EcoString, Value)> = pairs
        .chunk_by(|a, b| a.0 == b.0)
        .map(|chunk| (chunk[0].0.clone(), strings(chunk.iter().map(|(_, key)| key))))
        .collect();
    Ok(Value::map(Type::list(Type::String), entries))
}
