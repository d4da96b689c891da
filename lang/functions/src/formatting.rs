//! `format` and `formatlist`.

use plumb_model::{Marks, Refinement, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter};
use crate::verb::Verb;

pub(crate) fn functions() -> Vec<Function> {
    let spec = || parameter("format", Type::String, "Text with verbs such as `%s` and `%d`.");
    let args =
        || parameter("args", Type::Dynamic, "The values that the verbs stand for, in order.").nullable();
    vec![
        Function::new("format", Type::Dynamic, format_function)
            .describe("Makes a string by filling values into a format string.")
            .takes(spec())
            .takes_many(args().unknown()),
        Function::new("formatlist", Type::Dynamic, format_list)
            .describe(
                "Makes a list of strings by filling the elements of lists into a format string, one by one.",
            )
            .takes(spec())
            .takes_many(args().unknown().marked()),
    ]
}

/// A part of a format string.
enum Part {
    Text(String),
    Verb(Verb),
}

fn format_function(call: &Call<'_>) -> Outcome {
    let spec = call.text(0);
    let parts = parse(spec).map_err(FunctionError::failed)?;
    if call.args[1..].iter().any(|value| !value.is_wholly_known()) {
        return Ok(unknown_text(spec));
    }
    let args: Vec<&Value> = call.args[1..].iter().collect();
    check_excess(&parts, args.len())
        .map_err(|problem| FunctionError::argument(call.args.len() - 1, problem))?;
    fill(&parts, &args).map(Value::string).map_err(FunctionError::failed)
}

/// Unknown text of which the beginning is known: what stands before the first verb.
fn unknown_text(spec: &str) -> Value {
    let known = spec.split('%').next().unwrap_or_default();
    Value::refined(
        Type::String,
        Refinement { not_null: true, prefix: safe_prefix(known).into(), ..Refinement::default() },
    )
}

/// The part of a known beginning that stays as it is whatever follows: what follows might combine with the last
/// character.
fn safe_prefix(text: &str) -> &str {
    match text.grapheme_indices(true).next_back() {
        Some((_, last)) if last.is_ascii() && !last.ends_with(|c: char| c.is_ascii_alphanumeric()) => text,
        Some((at, _)) => &text[..at],
        None => text,
    }
}

fn format_list(call: &Call<'_>) -> Outcome {
    let spec = call.text(0);
    let parts = parse(spec).map_err(FunctionError::failed)?;
    let mut marks = Marks::NONE;
    let mut columns = Vec::with_capacity(call.args.len() - 1);
    for arg in &call.args[1..] {
        let (value, found) = arg.unmark_deep();
        marks |= found;
        columns.push(value);
    }
    let unknown = Value::unknown_not_null(Type::list(Type::String)).with_marks(marks);
    let mut length: Option<(usize, usize)> = None;
    for (i, column) in columns.iter().enumerate() {
        if !column.is_known() && !is_scalar_unknown(column) {
            return Ok(unknown);
        }
        let Some(items) = column.as_items() else { continue };
        match length {
            None => length = Some((i, items.len())),
            Some((first, wanted)) if wanted != items.len() => {
                return Err(FunctionError::argument(
                    i + 1,
                    format!(
                        "argument {} has length {}, which is inconsistent with argument {} of length {wanted}",
                        i + 1,
                        items.len(),
                        first + 1
                    ),
                ));
            }
            Some(_) => {}
        }
    }
    let rows = length.map_or(1, |(_, rows)| rows);
    let formatted =
        (0..rows).map(|row| format_row(spec, &parts, &columns, row)).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::list(Type::String, formatted).with_marks(marks))
}

/// Whether an unknown value is one that stands for itself in every row, rather than a list whose length is not known.
fn is_scalar_unknown(value: &Value) -> bool {
    matches!(value, Value::Unknown(unknown) if unknown.ty.is_primitive())
}

fn format_row(spec: &str, parts: &[Part], columns: &[Value], row: usize) -> Outcome {
    let args: Vec<&Value> = columns.iter().map(|c| c.as_items().map_or(c, |items| &items[row])).collect();
    if args.iter().any(|value| !value.is_wholly_known()) {
        return Ok(unknown_text(spec));
    }
    check_excess(parts, args.len())
        .and_then(|()| fill(parts, &args))
        .map(Value::string)
        .map_err(|problem| FunctionError::failed(format!("error on format iteration {row}: {problem}")))
}

fn fill(parts: &[Part], args: &[&Value]) -> Result<String, String> {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Verb(verb) => {
                let Some(value) = args.get(verb.argument) else {
                    return Err(format!(
                        "not enough arguments for {:?} at {}: need index {} but have {} total",
                        verb.raw,
                        verb.offset,
                        verb.argument + 1,
                        args.len()
                    ));
                };
                out.push_str(&verb.apply(value)?);
            }
        }
    }
    Ok(out)
}

/// Every argument up to the last must be used by some verb.
fn check_excess(parts: &[Part], given: usize) -> Result<(), String> {
    let highest = parts
        .iter()
        .filter_map(|part| match part {
            Part::Verb(verb) => Some(verb.argument + 1),
            Part::Text(_) => None,
        })
        .max();
    match highest {
        Some(used) if used < given => Err(format!("too many arguments; only {used} used by format string")),
        None if given > 0 => Err("too many arguments; no verbs in format string".to_owned()),
        _ => Ok(()),
    }
}

fn parse(spec: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut next_argument = 0;
    let mut at = 0;
    while let Some(found) = spec[at..].find('%') {
        let start = at + found;
        text.push_str(&spec[at..start]);
        if spec[start + 1..].starts_with('%') {
            text.push('%');
            at = start + 2;
            continue;
        }
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        let (verb, end) = parse_verb(spec, start, next_argument)?;
        next_argument = verb.argument + 1;
        parts.push(Part::Verb(verb));
        at = end;
    }
    text.push_str(&spec[at..]);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// Reads the verb that starts at `start`; gives it and where it ends.
fn parse_verb(spec: &str, start: usize, argument: usize) -> Result<(Verb, usize), String> {
    let bytes = spec.as_bytes();
    let mut at = start + 1;
    let mut verb = Verb { offset: start, argument, ..Verb::default() };
    while let Some(flag) = bytes.get(at) {
        match flag {
            b'+' => verb.plus = true,
            b'-' => verb.minus = true,
            b' ' => verb.space = true,
            b'0' => verb.zero = true,
            b'#' => verb.sharp = true,
            _ => break,
        }
        at += 1;
    }
    let number = |at: usize| -> (Option<usize>, usize) {
        let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if end == at { (None, at) } else { (Some(spec[at..end].parse().unwrap_or(usize::MAX)), end) }
    };
    let unexpected = |at: usize| match spec[at..].chars().next() {
        Some(c) => format!("unrecognized format character {c:?} at offset {at}"),
        None => format!("invalid format string starting at offset {at}"),
    };
    (verb.width, at) = number(at);
    if bytes.get(at) == Some(&b'.') {
        let (precision, end) = number(at + 1);
        (verb.precision, at) = (Some(precision.unwrap_or(0)), end);
    }
    if bytes.get(at) == Some(&b'[') {
        let (index, end) = number(at + 1);
        match index {
            Some(index) if index > 0 && bytes[at + 1] != b'0' => verb.argument = index - 1,
            _ => return Err(unexpected(at + 1)),
        }
        if bytes.get(end) != Some(&b']') {
            return Err(unexpected(end));
        }
        at = end + 1;
    }
    match spec[at..].chars().next() {
        Some(mode) if mode.is_ascii_alphabetic() => {
            verb.mode = mode;
            verb.raw = spec[start..=at].to_owned();
            Ok((verb, at + 1))
        }
        _ => Err(unexpected(at)),
    }
}
