//! Conversions, marks, templates, and the signatures of functions that take expressions.

use plumb_model::convert::convert;
use plumb_model::{Marks, Type, Value};

use crate::error::FunctionError;
use crate::file::check_variables;
use crate::signature::{Call, Function, Origin, Outcome, parameter};

pub(crate) fn functions() -> Vec<Function> {
    let any = |name, description| parameter(name, Type::Dynamic, description);
    let all = |name, description| any(name, description).nullable().unknown().marked().dynamic();
    let conversion = |name, ty: Type, run, description| {
        Function::new(name, ty, run).describe(description).takes(all("v", "The value to convert."))
    };
    vec![
        conversion("tostring", Type::String, |call| to(call, &Type::String), "Converts a value to a string."),
        conversion("tonumber", Type::Number, |call| to(call, &Type::Number), "Converts a value to a number."),
        conversion("tobool", Type::Bool, |call| to(call, &Type::Bool), "Converts a value to a bool."),
        conversion(
            "tolist",
            Type::list(Type::Dynamic),
            |call| to(call, &Type::list(Type::Dynamic)),
            "Converts a value to a list.",
        ),
        conversion(
            "toset",
            Type::set(Type::Dynamic),
            |call| to(call, &Type::set(Type::Dynamic)),
            "Converts a value to a set; of equal elements one is left.",
        ),
        conversion(
            "tomap",
            Type::map(Type::Dynamic),
            |call| to(call, &Type::map(Type::Dynamic)),
            "Converts a value to a map.",
        ),
        Function::new("sensitive", Type::Dynamic, |call| {
            Ok(call.args[0].clone().with_marks(Marks::SENSITIVE))
        })
        .describe("Marks a value as sensitive, so that it is never shown.")
        .takes(all("value", "The value to mark.")),
        Function::new("nonsensitive", Type::Dynamic, |call| {
            let (value, marks) = call.args[0].unmark();
            Ok(value.clone().with_marks(marks.without(Marks::SENSITIVE)))
        })
        .describe("Takes the mark that a value is sensitive from it; parts of the value keep theirs.")
        .takes(all("value", "The value to take the mark from.")),
        Function::new("issensitive", Type::Bool, |call| {
            let (value, marks) = call.args[0].unmark();
            Ok(if marks.contains(Marks::SENSITIVE) || value.is_known() {
                marks.contains(Marks::SENSITIVE).into()
            } else {
                // It may turn out to be marked once it is known.
                Value::unknown_not_null(Type::Bool)
            })
        })
        .describe("Tells whether a value is marked as sensitive.")
        .takes(all("value", "The value to examine.")),
        Function::new("ephemeralasnull", Type::Dynamic, |call| Ok(ephemeral_as_null(&call.args[0])))
            .describe("Replaces all ephemeral parts of a value by null.")
            .takes(all("value", "The value to take ephemeral parts from.")),
        Function::new("templatestring", Type::String, template_string)
            .describe("Renders a string from elsewhere in the configuration as a template.")
            .takes(parameter("template", Type::String, "A reference to the template."))
            .takes(any("vars", "The variables of the template.").unknown_parts().marked()),
        Function::of_expressions("try", Type::Dynamic)
            .describe("Returns the value of the first expression that has one.")
            .takes_many(any("expressions", "The expressions to try.")),
        Function::of_expressions("can", Type::Bool)
            .describe("Tells whether an expression has a value.")
            .takes(any("expression", "The expression to try.")),
        Function::of_expressions("type", Type::Dynamic)
            .describe("Returns the type of a value. Only for use in the console.")
            .takes(all("value", "The value whose type is wanted.")),
        Function::of_expressions("convert", Type::Dynamic)
            .describe("Converts a value to a type.")
            .origin(Origin::Later)
            .takes(all("value", "The value to convert."))
            .takes(any("type", "The type constraint to convert it to.")),
        removed("list", |_| Err(gone("list", "[...]", "tolist"))),
        removed("map", |_| Err(gone("map", "{ ... }", "tomap"))),
    ]
}

/// A function of old that always fails and says what to write instead.
fn removed(name: &'static str, run: fn(&Call<'_>) -> Outcome) -> Function {
    let values = parameter("vals", Type::Dynamic, "The elements.");
    Function::new(name, Type::Dynamic, run)
        .describe("No longer available.")
        .takes_many(values.nullable().unknown().marked().dynamic())
}

fn gone(name: &str, syntax: &str, function: &str) -> FunctionError {
    FunctionError::failed(format!(
        "the {name:?} function was removed from the language long ago; write `{syntax}` for a literal, and use \
         `{function}` where the type matters"
    ))
}

fn to(call: &Call<'_>, ty: &Type) -> Outcome {
    let value = &call.args[0];
    convert(value, ty)
        .map_err(|error| FunctionError::argument(0, conversion_problem(value, ty, &error.to_string())))
}

fn conversion_problem(value: &Value, ty: &Type, problem: &str) -> String {
    let found = value.ty().friendly_name();
    let sensitive = value.has_marks();
    match (value.unmarked(), ty) {
        (Value::String(text), Type::Number) if !sensitive => {
            format!(
                "cannot convert {text:?} to number; given string must be a decimal representation of a number"
            )
        }
        (Value::String(text), Type::Bool) if !sensitive => {
            format!("cannot convert {text:?} to bool; only the strings \"true\" or \"false\" are allowed")
        }
        (Value::String(_), Type::Number | Type::Bool) => {
            format!("cannot convert this sensitive string: {problem}")
        }
        (_, Type::List(_)) => format!("cannot convert {found} to list of any single type"),
        (_, Type::Set(_)) => format!("cannot convert {found} to set of any single type"),
        (_, Type::Map(_)) => format!("cannot convert {found} to map of any single type"),
        (_, ty) => format!("cannot convert {found} to {}", ty.friendly_name()),
    }
}

fn ephemeral_as_null(value: &Value) -> Value {
    value.rebuild(&mut |part| {
        if part.marks().contains(Marks::EPHEMERAL) {
            Value::Null(part.ty()).with_marks(part.marks().without(Marks::EPHEMERAL))
        } else {
            part.clone()
        }
    })
}

/// The evaluator has seen to it that the first argument is a reference.
fn template_string(call: &Call<'_>) -> Outcome {
    let variables = check_variables(&call.args[1], 1)?;
    let rendered = call.context.render_template(call.text(0), "<templatestring argument>", variables)?;
    let text = convert(&rendered, &Type::String)
        .map_err(|_| FunctionError::failed("the result of the template is not a string"))?;
    if text.is_null() {
        return Err(FunctionError::failed("the result of the template is null"));
    }
    Ok(text)
}
