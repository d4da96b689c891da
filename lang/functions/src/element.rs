//! Functions that pick, order and drop elements of lists.

use std::collections::HashSet;

use plumb_model::convert::convert;
use plumb_model::unify::unify;
use plumb_model::{Marks, Type, Value};

use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, list_like, parameter, whole};

pub(crate) fn functions() -> Vec<Function> {
    let any = |name, description| parameter(name, Type::Dynamic, description);
    let number = |name, description| parameter(name, Type::Number, description);
    let list = |name, description| parameter(name, Type::list(Type::Dynamic), description);
    let texts = |name, description| parameter(name, Type::list(Type::String), description);
    vec![
        Function::new("element", Type::Dynamic, element)
            .describe("Returns the element of a list at an index, and begins anew after the last one.")
            .takes(any("list", "A list or tuple.").unknown().marked())
            .takes(number("index", "The index, counted from zero.").unknown().marked()),
        Function::new("slice", Type::Dynamic, slice)
            .describe("Returns the elements of a list from a start index up to, but without, an end index.")
            .takes(any("list", "A list or tuple.").unknown_parts().marked())
            .takes(number("start_index", "The index of the first element."))
            .takes(number("end_index", "The index after the last element.")),
        Function::new("chunklist", Type::list(Type::list(Type::Dynamic)), chunk)
            .describe("Divides a list into lists of a size; the last one may be shorter.")
            .takes(list("list", "The list to divide.").unknown_parts().marked())
            .takes(number("size", "The most elements of each; zero for all.")),
        Function::new("reverse", Type::Dynamic, reverse)
            .describe("Returns the elements of a list in the opposite order.")
            .takes(any("list", "A list, a tuple or a set.").unknown_parts().marked()),
        Function::new("sort", Type::list(Type::String), sort)
            .describe("Sorts strings by their code points.")
            .takes(texts("list", "The strings to sort.").unknown_parts()),
        Function::new("compact", Type::list(Type::String), compact)
            .describe("Drops empty strings and nulls from a list of strings.")
            .takes(texts("list", "The strings to choose from.")),
        Function::new("distinct", Type::list(Type::Dynamic), distinct)
            .describe("Drops each element that is equal to an earlier one.")
            .takes(list("list", "The elements to choose from.")),
        Function::new("flatten", Type::Dynamic, flatten)
            .describe(
                "Puts the elements of lists inside of a list in the place of those lists, at any depth.",
            )
            .takes(any("list", "A list, a tuple or a set.").unknown_parts().marked()),
        Function::new("matchkeys", Type::list(Type::Dynamic), match_keys)
            .describe(
                "Returns those values whose keys, which stand in another list, are among the wanted ones.",
            )
            .takes(list("values", "The values to choose from.").unknown_parts())
            .takes(list("keys", "A key for each value."))
            .takes(list("searchset", "The wanted keys.")),
    ]
}

fn element(call: &Call<'_>) -> Outcome {
    let (list, list_marks) = call.args[0].unmark();
    let (index, index_marks) = call.args[1].unmark();
    let marks = list_marks | index_marks;
    let unreadable = |value: &Value| {
        Err(FunctionError::failed(format!("cannot read elements from {}", value.ty().friendly_name())))
    };
    let (items, ty) = match list {
        Value::List(s) => (s.items.as_slice(), s.element.clone()),
        Value::Tuple(items) => (items.as_slice(), Type::Dynamic),
        Value::Unknown(unknown) => {
            return match &unknown.ty {
                Type::List(element) => Ok(Value::unknown((**element).clone()).with_marks(marks)),
                Type::Tuple(_) | Type::Dynamic => Ok(Value::unknown(Type::Dynamic).with_marks(marks)),
                _ => unreadable(list),
            };
        }
        _ => return unreadable(list),
    };
    if items.is_empty() {
        return Err(FunctionError::failed("cannot use element function with an empty list"));
    }
    let Some(index) = index.as_number() else { return Ok(Value::unknown(ty).with_marks(marks)) };
    let index = whole(index).map_err(|problem| FunctionError::failed(format!("invalid index: {problem}")))?;
    let Ok(index) = usize::try_from(index) else {
        return Err(FunctionError::failed(
            "cannot use element function with a negative index; use `list[length(list) - n]` to count from the end",
        ));
    };
    Ok(items[index % items.len()].clone().with_marks(marks))
}

fn slice(call: &Call<'_>) -> Outcome {
    let (list, marks) = call.args[0].unmark();
    let items = match list {
        Value::List(_) | Value::Tuple(_) => list.as_items().unwrap_or_default(),
        Value::Set(_) => {
            return Err(FunctionError::argument(
                0,
                "cannot slice a set, because its elements do not have indices; explicitly convert to a list if the \
                 ordering of the result is not important",
            ));
        }
        _ => return Err(FunctionError::argument(0, "must be a list or tuple value")),
    };
    let bound = |i: usize, name: &str| {
        let value = whole(call.number(i))
            .map_err(|problem| FunctionError::argument(i, format!("invalid {name} index: {problem}")))?;
        let value = usize::try_from(value)
            .map_err(|_| FunctionError::argument(i, format!("{name} index must not be less than zero")))?;
        if value > items.len() {
            let problem = format!("{name} index must not be greater than the length of the list");
            return Err(FunctionError::argument(i, problem));
        }
        Ok(value)
    };
    let (start, end) = (bound(1, "start")?, bound(2, "end")?);
    if start > end {
        return Err(FunctionError::argument(1, "start index must not be greater than end index"));
    }
    let part = items[start..end].to_vec();
    Ok(same_kind(list, part).with_marks(marks))
}

/// A list of the element type of a list, or else a tuple.
fn same_kind(list: &Value, items: Vec<Value>) -> Value {
    match list {
        Value::List(s) | Value::Set(s) => list_like(&s.element, items),
        _ => Value::tuple(items),
    }
}

fn chunk(call: &Call<'_>) -> Outcome {
    let (list, marks) = call.args[0].unmark();
    let Value::List(list) = list else { unreachable!("the parameter is a list that is known") };
    let size =
        whole(call.number(1)).map_err(|problem| FunctionError::failed(format!("invalid size: {problem}")))?;
    let size =
        usize::try_from(size).map_err(|_| FunctionError::failed("the size argument must be positive"))?;
    let of = |items: &[Value]| list_like(&list.element, items.to_vec());
    let size = if size == 0 { list.items.len().max(1) } else { size };
    let chunks = list.items.chunks(size).map(of).collect();
    Ok(Value::list(Type::list(list.element.clone()), chunks).with_marks(marks))
}

fn reverse(call: &Call<'_>) -> Outcome {
    let (list, marks) = call.args[0].unmark();
    let Some(items) = list.as_items() else {
        let found = list.ty().friendly_name();
        return Err(FunctionError::argument(
            0,
            format!("can only reverse list or tuple values, not {found}"),
        ));
    };
    if matches!(list, Value::Set(_)) && !list.is_wholly_known() {
        return Ok(Value::unknown_not_null(Type::list(set_element(list))).with_marks(marks));
    }
    Ok(same_kind(list, items.iter().rev().cloned().collect()).with_marks(marks))
}

fn set_element(set: &Value) -> Type {
    match set {
        Value::Set(s) | Value::List(s) => s.element.clone(),
        _ => Type::Dynamic,
    }
}

fn sort(call: &Call<'_>) -> Outcome {
    let items = call.items(0);
    if let Some(i) = items.iter().position(Value::is_null) {
        return Err(FunctionError::failed(format!(
            "given list element {i} is null; a null string cannot be sorted"
        )));
    }
    let mut texts: Vec<_> = items.iter().filter_map(Value::as_str).cloned().collect();
    if texts.len() < items.len() {
        // Any element may come first.
        return Ok(Value::list(Type::String, vec![Value::unknown_not_null(Type::String); items.len()]));
    }
    texts.sort();
    Ok(Value::list(Type::String, texts.into_iter().map(Value::String).collect()))
}

fn compact(call: &Call<'_>) -> Outcome {
    let kept = |item: &&Value| item.as_str().is_some_and(|text| !text.is_empty());
    Ok(Value::list(Type::String, call.items(0).iter().filter(kept).cloned().collect()))
}

fn distinct(call: &Call<'_>) -> Outcome {
    let Value::List(list) = &call.args[0] else { unreachable!("the parameter is a list that is known") };
    let mut seen = HashSet::with_capacity(list.items.len());
    let kept = list.items.iter().filter(|item| seen.insert(*item)).cloned().collect();
    Ok(list_like(&list.element, kept))
}

fn flatten(call: &Call<'_>) -> Outcome {
    let (list, mut marks) = call.args[0].unmark();
    if list.as_items().is_none() {
        return Err(FunctionError::failed("can only flatten lists, sets and tuples"));
    }
    let mut flat = Vec::new();
    let known = flatten_into(list, &mut flat, &mut marks);
    Ok(if known { Value::tuple(flat) } else { Value::unknown(Type::Dynamic) }.with_marks(marks))
}

/// Appends the elements; false if the number of elements is not known.
fn flatten_into(list: &Value, flat: &mut Vec<Value>, marks: &mut Marks) -> bool {
    if matches!(list, Value::Set(_)) && !list.is_wholly_known() {
        return false;
    }
    list.as_items().unwrap_or_default().iter().all(|item| match item.unmarked() {
        inner @ (Value::List(_) | Value::Set(_) | Value::Tuple(_)) => {
            *marks |= item.marks();
            flatten_into(inner, flat, marks)
        }
        Value::Unknown(unknown)
            if matches!(unknown.ty, Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic) =>
        {
            false
        }
        _ => {
            flat.push(item.clone());
            true
        }
    })
}

fn match_keys(call: &Call<'_>) -> Outcome {
    let Value::List(values) = &call.args[0] else { unreachable!("the parameter is a list that is known") };
    let (keys, wanted) = (&call.args[1], &call.args[2]);
    let types = [keys.ty(), wanted.ty()];
    let incompatible = || FunctionError::failed("keys and searchset must be of the same type");
    let ty = unify(&types).ok_or_else(incompatible)?;
    if call.items(1).len() != values.items.len() {
        return Err(FunctionError::failed("length of keys and values should be equal"));
    }
    let keys = convert(keys, &ty).map_err(|_| incompatible())?;
    let wanted = convert(wanted, &ty).map_err(|_| incompatible())?;
    let wanted: HashSet<&Value> = wanted.as_items().unwrap_or_default().iter().collect();
    let chosen = values
        .items
        .iter()
        .zip(keys.as_items().unwrap_or_default())
        .filter(|(_, key)| wanted.contains(key))
        .map(|(value, _)| value.clone())
        .collect();
    Ok(list_like(&values.element, chosen))
}
