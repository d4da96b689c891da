//! Functions on sets.

use std::collections::HashSet;

use plumb_model::convert::convert;
use plumb_model::unify::unify;
use plumb_model::{Type, Value};

use crate::collection::top_marks;
use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter};

/// The most elements that a product may have.
const LARGEST_PRODUCT: usize = 10_000_000;

pub(crate) fn functions() -> Vec<Function> {
    let set = |name, description| parameter(name, Type::set(Type::Dynamic), description);
    vec![
        Function::new("setunion", Type::set(Type::Dynamic), union)
            .describe("Returns the elements that are in any of the sets.")
            .takes(set("first_set", "A set.").unknown_parts())
            .takes_many(set("other_sets", "More sets.").unknown_parts()),
        Function::new("setintersection", Type::set(Type::Dynamic), intersection)
            .describe("Returns the elements that are in all of the sets.")
            .takes(set("first_set", "A set."))
            .takes_many(set("other_sets", "More sets.")),
        Function::new("setsubtract", Type::set(Type::Dynamic), subtract)
            .describe("Returns the elements of a set that are not in another.")
            .takes(set("a", "The set to choose from."))
            .takes(set("b", "The set of elements to leave out.")),
        Function::new("setproduct", Type::Dynamic, product)
            .describe("Returns all combinations of one element of each of the sets or lists.")
            .takes_many(parameter("sets", Type::Dynamic, "Sets or lists.").unknown().marked()),
    ]
}

/// The type of elements of all sets, and the sets converted to it.
fn same_element(call: &Call<'_>) -> Result<(Type, Vec<Value>), FunctionError> {
    let types: Vec<Type> =
        call.args.iter().map(|set| set.ty()).filter(|ty| ty.element() != Some(&Type::Dynamic)).collect();
    let incompatible = || FunctionError::failed("given sets must all have compatible element types");
    let ty =
        if types.is_empty() { Type::set(Type::Dynamic) } else { unify(&types).ok_or_else(incompatible)? };
    let sets = call.args.iter().map(|set| convert(set, &ty)).collect::<Result<_, _>>();
    let element = ty.element().cloned().unwrap_or(Type::Dynamic);
    Ok((element, sets.map_err(|_| incompatible())?))
}

fn items(set: &Value) -> &[Value] {
    set.as_items().unwrap_or_default()
}

fn union(call: &Call<'_>) -> Outcome {
    let (element, sets) = same_element(call)?;
    Ok(Value::set(element, sets.iter().flat_map(|set| items(set).iter().cloned()).collect()))
}

fn intersection(call: &Call<'_>) -> Outcome {
    let (element, sets) = same_element(call)?;
    let Some((first, others)) = sets.split_first() else { unreachable!("the first set is a parameter") };
    let others: Vec<HashSet<&Value>> = others.iter().map(|set| items(set).iter().collect()).collect();
    let common = |item: &&Value| others.iter().all(|set| set.contains(item));
    Ok(Value::set(element, items(first).iter().filter(common).cloned().collect()))
}

fn subtract(call: &Call<'_>) -> Outcome {
    let (element, sets) = same_element(call)?;
    let without: HashSet<&Value> = items(&sets[1]).iter().collect();
    Ok(Value::set(element, items(&sets[0]).iter().filter(|item| !without.contains(item)).cloned().collect()))
}

fn product(call: &Call<'_>) -> Outcome {
    if call.args.len() < 2 {
        return Err(FunctionError::failed("at least two arguments are required"));
    }
    let marks = top_marks(call.args);
    let mut lists = Vec::with_capacity(call.args.len());
    let (mut is_set, mut unknown) = (false, false);
    for (i, arg) in call.args.iter().enumerate() {
        let value = arg.unmarked();
        let ty = match value {
            Value::Unknown(of) => of.ty.clone(),
            Value::List(_) => Type::list(Type::Dynamic),
            Value::Set(_) => Type::set(Type::Dynamic),
            Value::Tuple(_) => Type::tuple([]),
            other => other.ty(),
        };
        match ty {
            Type::Set(_) => is_set = true,
            Type::List(_) | Type::Tuple(_) => {}
            Type::Dynamic => return Ok(Value::unknown(Type::Dynamic).with_marks(marks)),
            _ => return Err(FunctionError::argument(i, "a set or a list is required")),
        }
        unknown |= !value.is_known() || matches!(value, Value::Set(_)) && !value.is_wholly_known();
        let list = convert(value, &Type::list(Type::Dynamic))
            .map_err(|_| FunctionError::argument(i, "all elements must be of the same type"))?;
        lists.push(list);
    }
    let element = Type::tuple(lists.iter().map(|list| list.ty().element().cloned().unwrap_or(Type::Dynamic)));
    let ty = if is_set { Type::set(element.clone()) } else { Type::list(element.clone()) };
    if unknown {
        return Ok(Value::unknown_not_null(ty).with_marks(marks));
    }
    let lists: Vec<&[Value]> = lists.iter().map(items).collect();
    let total = lists.iter().try_fold(1usize, |total, list| total.checked_mul(list.len()));
    if total.is_none_or(|total| total > LARGEST_PRODUCT) {
        return Err(FunctionError::failed(format!(
            "there are more than {LARGEST_PRODUCT} combinations of the elements of the given sets"
        )));
    }
    let combinations = combine(&lists);
    let result = if is_set { Value::set(element, combinations) } else { Value::list(element, combinations) };
    Ok(result.with_marks(marks))
}

/// All combinations; the last list changes fastest.
fn combine(lists: &[&[Value]]) -> Vec<Value> {
    let total: usize = lists.iter().map(|list| list.len()).product();
    (0..total)
        .map(|number| {
            let mut rest = number;
            let mut chosen: Vec<Value> = lists
                .iter()
                .rev()
                .map(|list| {
                    let value = list[rest % list.len()].clone();
                    rest /= list.len();
                    value
                })
                .collect();
            chosen.reverse();
            Value::tuple(chosen)
        })
        .collect()
}
