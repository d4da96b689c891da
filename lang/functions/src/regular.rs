//! Functions that match regular expressions.

use plumb_model::{Type, Value};
use regex::Captures;

use crate::error::FunctionError;
use crate::pattern::{Pattern, compile};
use crate::signature::{Call, Function, Outcome, parameter};

pub(crate) fn functions() -> Vec<Function> {
    let pattern = || parameter("pattern", Type::String, "A regular expression in RE2 syntax.");
    let text = || parameter("string", Type::String, "The string to search in.").unknown();
    vec![
        Function::new("regex", Type::Dynamic, find)
            .describe(
                "Finds the first match of a regular expression. Without groups the result is the match; with groups it \
                 is a tuple of what they matched, or an object if they have names.",
            )
            .takes(pattern())
            .takes(text()),
        Function::new("regexall", Type::list(Type::Dynamic), find_all)
            .describe("Finds all matches of a regular expression and gives a list of what `regex` gives for each.")
            .takes(pattern())
            .takes(text()),
        Function::new("replace", Type::String, replace)
            .describe(
                "Replaces all occurrences of a string by another. A string between slashes is a regular expression, \
                 and the replacement may then refer to its groups.",
            )
            .takes(parameter("str", Type::String, "The string to search in."))
            .takes(parameter("substr", Type::String, "What to search for; `/…/` is a regular expression."))
            .takes(parameter("replace", Type::String, "What to put in its place.")),
    ]
}

/// What a match looks like.
enum Shape {
    /// The match itself.
    Whole,
    /// What each group matched.
    Numbered(usize),
    /// What each named group matched.
    Named(Vec<String>),
}

impl Shape {
    fn of(pattern: &Pattern) -> Result<Shape, FunctionError> {
        let names: Vec<String> = pattern.groups.iter().flatten().cloned().collect();
        if names.is_empty() {
            let groups = pattern.groups.len();
            Ok(if groups == 0 { Shape::Whole } else { Shape::Numbered(groups) })
        } else if names.len() == pattern.groups.len() {
            Ok(Shape::Named(names))
        } else {
            Err(invalid("cannot mix both named and unnamed capture groups"))
        }
    }

    fn ty(&self) -> Type {
        match self {
            Shape::Whole => Type::String,
            Shape::Numbered(groups) => Type::tuple(vec![Type::String; *groups]),
            Shape::Named(names) => Type::object(names.iter().map(|name| (name.as_str(), Type::String))),
        }
    }

    fn value(&self, captures: &Captures<'_>) -> Value {
        let group = |i: usize| match captures.get(i) {
            Some(found) => Value::string(found.as_str()),
            None => Value::Null(Type::String),
        };
        match self {
            Shape::Whole => group(0),
            Shape::Numbered(groups) => Value::tuple((1..=*groups).map(group).collect()),
            Shape::Named(names) => {
                Value::object(names.iter().enumerate().map(|(i, name)| (name.as_str(), group(i + 1))))
            }
        }
    }
}

fn invalid(problem: &str) -> FunctionError {
    FunctionError::argument(0, format!("invalid regexp pattern: {problem}"))
}

fn find(call: &Call<'_>) -> Outcome {
    let pattern = compile(call.text(0)).map_err(|problem| invalid(&problem))?;
    let shape = Shape::of(&pattern)?;
    let Value::String(text) = &call.args[1] else { return Ok(Value::unknown_not_null(shape.ty())) };
    match pattern.regex.captures(text) {
        Some(captures) => Ok(shape.value(&captures)),
        None => Err(FunctionError::failed("pattern did not match any part of the given string")),
    }
}

fn find_all(call: &Call<'_>) -> Outcome {
    let pattern = compile(call.text(0)).map_err(|problem| invalid(&problem))?;
    let shape = Shape::of(&pattern)?;
    let Value::String(text) = &call.args[1] else {
        return Ok(Value::unknown_not_null(Type::list(shape.ty())));
    };
    let matches = pattern.regex.captures_iter(text).map(|captures| shape.value(&captures)).collect();
    Ok(Value::list(shape.ty(), matches))
}

fn replace(call: &Call<'_>) -> Outcome {
    let (text, wanted, replacement) = (call.text(0), call.text(1), call.text(2));
    let source = wanted.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let Some(source) = source else {
        return Ok(Value::string(text.replace(wanted.as_str(), replacement)));
    };
    let pattern = compile(source)
        .map_err(|problem| FunctionError::argument(1, format!("invalid regexp pattern: {problem}")))?;
    let replaced = pattern.regex.replace_all(text, |captures: &Captures<'_>| {
        let mut out = String::new();
        expand(replacement, captures, &pattern.groups, &mut out);
        out
    });
    Ok(Value::string(replaced))
}

/// Fills groups into a replacement: `$1`, `${1}`, `$name`, `${name}`; `$$` is a dollar. What follows a dollar without
/// braces is taken for a name as long as it can be one.
fn expand(replacement: &str, captures: &Captures<'_>, groups: &[Option<String>], out: &mut String) {
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let Some((name, after)) = reference(rest) else {
            out.push('$');
            continue;
        };
        rest = after;
        let number = match name.parse::<usize>() {
            Ok(number) => Some(number),
            Err(_) => groups.iter().rposition(|group| group.as_deref() == Some(name)).map(|i| i + 1),
        };
        if let Some(found) = number.and_then(|number| captures.get(number)) {
            out.push_str(found.as_str());
        }
    }
    out.push_str(rest);
}

/// The name after a dollar, and what follows it.
fn reference(rest: &str) -> Option<(&str, &str)> {
    let inner = rest.strip_prefix('{').unwrap_or(rest);
    let end = inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let (name, after) = inner.split_at(end);
    if name.is_empty() {
        None
    } else if rest.starts_with('{') {
        Some((name, after.strip_prefix('}')?))
    } else {
        Some((name, after))
    }
}
