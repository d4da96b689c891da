//! Functions on text.
//!
//! Lengths and positions count grapheme clusters, what a reader takes for a character. Case mappings are the simple ones
//! of Unicode, one code point for one: `upper("straße")` is `STRAßE`.

use plumb_model::value::normalize;
use plumb_model::{Refinement, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter, strings};

/// The longest text that `indent` makes, in bytes; a mistyped width must not exhaust memory.
const LONGEST_INDENTED: usize = 64 << 20;

pub(crate) fn functions() -> Vec<Function> {
    let text = |name, description| parameter(name, Type::String, description);
    let to_text = |name, run, description| {
        Function::new(name, Type::String, run).describe(description).takes(text("str", "The string."))
    };
    vec![
        to_text(
            "chomp",
            |call| map(call, |s| s.trim_end_matches(['\r', '\n']).to_owned()),
            "Removes line breaks from the end of a string.",
        ),
        to_text(
            "lower",
            |call| map(call, |s| s.chars().map(lower).collect()),
            "Turns all letters of a string into lower case.",
        ),
        to_text(
            "upper",
            |call| map(call, |s| s.chars().map(upper).collect()),
            "Turns all letters of a string into upper case.",
        ),
        to_text(
            "title",
            |call| map(call, title),
            "Turns the first letter of each word of a string into upper case.",
        ),
        to_text(
            "trimspace",
            |call| map(call, |s| s.trim().to_owned()),
            "Removes white space from both ends of a string.",
        ),
        to_text(
            "strrev",
            |call| map(call, |s| s.graphemes(true).rev().collect()),
            "Reverses the characters of a string.",
        ),
        to_text(
            "trim",
            |call| {
                let cutset: Vec<char> = call.text(1).chars().collect();
                map(call, |s| s.trim_matches(cutset.as_slice()).to_owned())
            },
            "Removes all of the given characters from both ends of a string.",
        )
        .takes(text("cutset", "The characters to remove.")),
        to_text(
            "trimprefix",
            |call| map(call, |s| s.strip_prefix(call.text(1).as_str()).unwrap_or(s).to_owned()),
            "Removes a prefix from a string that starts with it.",
        )
        .takes(text("prefix", "The prefix to remove.")),
        to_text(
            "trimsuffix",
            |call| map(call, |s| s.strip_suffix(call.text(1).as_str()).unwrap_or(s).to_owned()),
            "Removes a suffix from a string that ends with it.",
        )
        .takes(text("suffix", "The suffix to remove.")),
        to_text("substr", substr, "Returns a part of a string, given by its first character and its length.")
            .takes(parameter(
                "offset",
                Type::Number,
                "The first character, counted from zero; a negative one counts from the end.",
            ))
            .takes(parameter("length", Type::Number, "How many characters; -1 for all that follow.")),
        Function::new("split", Type::list(Type::String), split)
            .describe("Divides a string at each occurrence of a separator.")
            .takes(text("separator", "Where to divide; an empty one divides between all characters."))
            .takes(text("str", "The string to divide.")),
        Function::new("join", Type::String, join)
            .describe("Joins the strings of one or more lists with a separator between them.")
            .takes(text("separator", "What to put between the strings."))
            .takes_many(parameter("lists", Type::list(Type::String), "Lists of strings.").unknown_parts()),
        Function::new("indent", Type::String, indent)
            .describe("Adds spaces to the beginning of each line but the first.")
            .takes(parameter("spaces", Type::Number, "How many spaces."))
            .takes(text("str", "The string.")),
        Function::new("startswith", Type::Bool, starts_with)
            .describe("Tells whether a string starts with a prefix.")
            .takes(text("str", "The string.").unknown())
            .takes(text("prefix", "The prefix.")),
        Function::new("endswith", Type::Bool, |call| {
            Ok(call.text(0).ends_with(call.text(1).as_str()).into())
        })
        .describe("Tells whether a string ends with a suffix.")
        .takes(text("str", "The string."))
        .takes(text("suffix", "The suffix.")),
        Function::new("strcontains", Type::Bool, |call| {
            Ok(call.text(0).contains(call.text(1).as_str()).into())
        })
        .describe("Tells whether a string occurs in another.")
        .takes(text("str", "The string to search in."))
        .takes(text("substr", "The string to search for.")),
    ]
}

fn map(call: &Call<'_>, f: impl FnOnce(&str) -> String) -> Outcome {
    Ok(Value::string(f(call.text(0))))
}

/// The simple upper case of a character.
fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) => upper,
        // The full mapping has several characters; these have a simple one besides.
        _ => match c {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => offset(c, 8),
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => offset(c, 9),
            _ => c,
        },
    }
}

/// The simple lower case of a character.
fn lower(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(lower), None) => lower,
        _ if c == 'İ' => 'i',
        _ => c,
    }
}

/// The simple title case of a character, which differs from upper case for digraphs and in Georgian.
fn title_char(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        'ა'..='ჺ' | 'ჽ'..='ჿ' => c,
        c => upper(c),
    }
}

fn offset(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|c| {
            let starts_word = ends_word(previous);
            previous = c;
            if starts_word { title_char(c) } else { c }
        })
        .collect()
}

/// Whether a word may start after this character. In ASCII all but letters, digits and underscores do, elsewhere only
/// white space.
fn ends_word(c: char) -> bool {
    if c.is_ascii() {
        !(c.is_ascii_alphanumeric() || c == '_')
    } else {
        !c.is_alphanumeric() && c.is_whitespace()
    }
}

fn substr(call: &Call<'_>) -> Outcome {
    let (offset, length) = (call.integer(1)?, call.integer(2)?);
    let text = call.text(0);
    let start = if offset < 0 {
        let total = i64::try_from(text.graphemes(true).count()).unwrap_or(i64::MAX);
        total.saturating_add(offset).max(0)
    } else {
        offset
    };
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let rest = text.graphemes(true).skip(start);
    let part: String = match usize::try_from(length) {
        // From an offset that counts from the end, no length means all of it, as it always has.
        Ok(0) if offset < 0 => rest.collect(),
        Ok(length) => rest.take(length).collect(),
        Err(_) => rest.collect(),
    };
    Ok(Value::string(part))
}

fn split(call: &Call<'_>) -> Outcome {
    let (separator, text) = (call.text(0), call.text(1));
    Ok(if separator.is_empty() {
        strings(text.chars().map(String::from))
    } else {
        strings(text.split(separator.as_str()))
    })
}

fn join(call: &Call<'_>) -> Outcome {
    if call.args.len() < 2 {
        return Err(FunctionError::failed("at least one list is required"));
    }
    let separator = call.text(0);
    let mut joined = String::new();
    let mut first = true;
    let mut known = true;
    for argument in 1..call.args.len() {
        for (i, item) in call.items(argument).iter().enumerate() {
            if item.is_null() {
                return Err(FunctionError::argument(
                    argument,
                    format!("element {i} is null; cannot concatenate null values"),
                ));
            }
            let Value::String(text) = item else {
                known = false;
                continue;
            };
            if !first {
                joined.push_str(separator);
            }
            first = false;
            joined.push_str(text);
        }
    }
    Ok(if known { Value::string(joined) } else { Value::unknown_not_null(Type::String) })
}

fn indent(call: &Call<'_>) -> Outcome {
    let spaces = usize::try_from(call.integer(0)?)
        .map_err(|_| FunctionError::argument(0, "the number of spaces must not be negative"))?;
    let text = call.text(1);
    let breaks = text.matches('\n').count();
    if breaks.saturating_mul(spaces).saturating_add(text.len()) > LONGEST_INDENTED {
        return Err(FunctionError::argument(0, "the result would be too long"));
    }
    if breaks == 0 {
        return Ok(Value::String(text.clone()));
    }
    let padding = format!("\n{}", " ".repeat(spaces));
    Ok(Value::string(text.replace("\n", &padding)))
}

/// A known prefix of a string that is not known otherwise can decide.
fn starts_with(call: &Call<'_>) -> Outcome {
    let prefix = normalize(call.text(1));
    Ok(match &call.args[0] {
        Value::String(text) => text.starts_with(prefix.as_str()).into(),
        Value::Unknown(unknown) => {
            let Refinement { prefix: known, .. } = &unknown.refinement;
            if known.starts_with(prefix.as_str()) {
                true.into()
            } else if !prefix.starts_with(known.as_str()) {
                false.into()
            } else {
                Value::unknown_not_null(Type::Bool)
            }
        }
        _ => Value::unknown_not_null(Type::Bool),
    })
}
