//! Functions by which authors say what they know of values that are not known yet.
//!
//! Each checks something of a value. If it is known, it is returned as it is or the call fails; if it is not, the result
//! is an unknown value of which that something is known, so that comparisons can be decided while planning.

use plumb_model::convert::convert;
use plumb_model::equality::equal;
use plumb_model::value::Unknown;
use plumb_model::{Refinement, Type, Value};

use crate::error::FunctionError;
use crate::signature::{Call, Function, Origin, Outcome, Parameter, parameter, whole};

pub(crate) fn functions() -> Vec<Function> {
    let kept = |parameter: Parameter| parameter.nullable().unknown().marked();
    let any = |name, description| kept(parameter(name, Type::Dynamic, description)).dynamic();
    let text = |name, description| kept(parameter(name, Type::String, description));
    let number = |name, description| parameter(name, Type::Number, description);
    let least = || number("min_length", "The fewest elements that it has.");
    let most = || number("max_length", "The most elements that it has.");
    let mut functions = vec![
        Function::new("assumeequal", Type::Dynamic, assume_equal)
            .describe("Returns a value, having checked that another is equal to it once that is known.")
            .takes(any("actual_value", "The value to check."))
            .takes(any("expected_value", "The value that it is expected to be.")),
        Function::new("assumenotnull", Type::Dynamic, assume_not_null)
            .describe("Returns a value, having checked that it is not null.")
            .takes(any("value", "The value to check.")),
        Function::new("assumestringprefix", Type::String, assume_prefix)
            .describe("Returns a string, having checked that it starts with a prefix.")
            .takes(text("string", "The string to check."))
            .takes(parameter("expected_prefix", Type::String, "What it is expected to start with.")),
    ];
    for (names, ty, what) in [
        (
            ["assumelistlength", "assumelistlengthmin", "assumelistlengthmax"],
            Type::list(Type::Dynamic),
            "list",
        ),
        (["assumesetlength", "assumesetlengthmin", "assumesetlengthmax"], Type::set(Type::Dynamic), "set"),
        (["assumemaplength", "assumemaplengthmin", "assumemaplengthmax"], Type::map(Type::Dynamic), "map"),
    ] {
        let [both, min, max] = names;
        let collection = || kept(parameter(what, ty.clone(), "The collection to check."));
        let described = "Returns a collection, having checked how many elements it has.";
        functions.extend([
            Function::new(both, ty.clone(), |call| assume_length(call, Some(1), Some(2)))
                .describe(described)
                .takes(collection())
                .takes(least())
                .takes(most()),
            Function::new(min, ty.clone(), |call| assume_length(call, Some(1), None))
                .describe(described)
                .takes(collection())
                .takes(least()),
            Function::new(max, ty.clone(), |call| assume_length(call, None, Some(1)))
                .describe(described)
                .takes(collection())
                .takes(most()),
        ]);
    }
    functions.into_iter().map(|function| function.origin(Origin::Later)).collect()
}

fn assume_equal(call: &Call<'_>) -> Outcome {
    let (actual, expected) = (&call.args[0], &call.args[1]);
    let actual =
        convert(actual, &expected.ty()).map_err(|error| FunctionError::argument(0, error.to_string()))?;
    if equal(&actual, expected).as_bool() == Some(false) {
        return Err(FunctionError::argument(0, "the value is not equal to the expected one"));
    }
    Ok(expected.clone())
}

fn assume_not_null(call: &Call<'_>) -> Outcome {
    let value = &call.args[0];
    match value.unmarked() {
        Value::Null(_) => Err(FunctionError::argument(0, "the value must not be null")),
        Value::Unknown(unknown) if unknown.ty != Type::Dynamic => {
            let refinement = Refinement { not_null: true, ..unknown.refinement.clone() };
            Ok(promoted(unknown, refinement).with_marks(value.marks()))
        }
        _ => Ok(value.clone()),
    }
}

fn assume_prefix(call: &Call<'_>) -> Outcome {
    let (value, prefix) = (&call.args[0], call.text(1));
    let failed = || FunctionError::argument(0, format!("the string must start with {prefix:?}"));
    match value.unmarked() {
        Value::String(text) if !text.starts_with(prefix.as_str()) => Err(failed()),
        Value::Unknown(unknown) => {
            let known = &unknown.refinement.prefix;
            if !known.starts_with(prefix.as_str()) && !prefix.starts_with(known.as_str()) {
                return Err(failed());
            }
            let longer = if known.len() > prefix.len() { known } else { prefix };
            let refinement = Refinement { prefix: longer.clone(), ..unknown.refinement.clone() };
            Ok(promoted(unknown, refinement).with_marks(value.marks()))
        }
        _ => Ok(value.clone()),
    }
}

/// `least` and `most` are the arguments that bound the length.
fn assume_length(call: &Call<'_>, least: Option<usize>, most: Option<usize>) -> Outcome {
    let bound = |argument: Option<usize>| {
        argument
            .map(|i| {
                let length = whole(call.number(i)).map_err(|problem| FunctionError::argument(i, problem))?;
                usize::try_from(length)
                    .map_err(|_| FunctionError::argument(i, "a length must not be negative"))
            })
            .transpose()
    };
    let (least, most) = (bound(least)?.unwrap_or(0), bound(most)?);
    let value = &call.args[0];
    let inner = value.unmarked();
    let length = inner.as_items().map(<[Value]>::len).or_else(|| inner.as_entries().map(|e| e.len()));
    match (inner, length) {
        // Unknown elements of a set may turn out equal to each other.
        (Value::Set(_), Some(length)) if length >= least && !inner.is_wholly_known() => Ok(value.clone()),
        (_, Some(length)) if length < least || most.is_some_and(|most| length > most) => {
            Err(FunctionError::argument(
                0,
                format!("the collection has {length} elements, which is not what is assumed"),
            ))
        }
        (Value::Unknown(unknown), _) => {
            let known = &unknown.refinement;
            let max_length = match (known.max_length, most) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let min_length = known.min_length.max(least);
            if max_length.is_some_and(|most| most < min_length) {
                return Err(FunctionError::argument(
                    0,
                    "the collection cannot have as many elements as is assumed",
                ));
            }
            let refinement = Refinement { min_length, max_length, ..known.clone() };
            Ok(promoted(unknown, refinement).with_marks(value.marks()))
        }
        _ => Ok(value.clone()),
    }
}

/// A list that is not null and whose length is known is a known list of unknown elements.
fn promoted(unknown: &Unknown, refinement: Refinement) -> Value {
    /// More elements than this are not made for the sake of their number.
    const MOST: usize = 1024;
    match &unknown.ty {
        Type::List(element)
            if refinement.not_null
                && refinement.max_length == Some(refinement.min_length)
                && refinement.min_length <= MOST =>
        {
            let items = vec![Value::unknown((**element).clone()); refinement.min_length];
            Value::list((**element).clone(), items)
        }
        ty => Value::refined(ty.clone(), refinement),
    }
}
