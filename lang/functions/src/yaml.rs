//! `yamldecode` and `yamlencode`.
//!
//! Decoding reads one document: mappings become objects, sequences tuples; keys are brought to strings, of equal keys
//! the last one counts. Aliases stand for what they refer to, and `<<` merges a mapping into another. Encoding is in
//! [`crate::encode`].

use std::collections::HashMap;

use ecow::EcoString;
use plumb_model::convert::convert;
use plumb_model::value::normalize;
use plumb_model::{Type, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use crate::encode::encode_yaml;
use crate::encoding::decode_base64;
use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter};
use crate::yaml_scalar::{Kind, kind_of, plain};

/// The deepest nesting that is read.
const DEEPEST: usize = 256;
/// The most values that a document may have once its aliases are filled in.
const MOST_VALUES: usize = 4_000_000;

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new("yamldecode", Type::Dynamic, |call| {
            decode_yaml(call.text(0)).map_err(FunctionError::failed)
        })
        .describe("Reads a value from YAML.")
        .takes(parameter("src", Type::String, "The YAML text.")),
        Function::new("yamlencode", Type::String, encode)
            .describe("Encodes a value as YAML.")
            .takes(parameter("value", Type::Dynamic, "The value to encode.").nullable().dynamic()),
    ]
}

fn encode(call: &Call<'_>) -> Outcome {
    if !call.args[0].is_wholly_known() {
        return Ok(Value::unknown_not_null(Type::String));
    }
    Ok(Value::string(encode_yaml(&call.args[0])))
}

/// Reads the one document of a YAML text.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn decode_yaml(text: &str) -> Result<Value, String> {
    if let Some(line) = text.lines().find(|line| !line.trim().is_empty())
        && line.trim_start_matches(' ').starts_with('\t')
    {
        return Err("a line must not be indented by a tab".to_owned());
    }
    let end = if text.ends_with('\n') { usize::MAX } else { text.chars().count() };
    let parser = Parser::new_from_str(text);
    let mut reader = Reader { parser, end, anchors: HashMap::new(), values: 0 };
    let _start = reader.next()?;
    let (first, place) = reader.next()?;
    if !matches!(first, Event::DocumentStart(_)) {
        return Err(at(place, "missing start of document"));
    }
    let event = reader.next()?;
    let (value, _) = reader.node(event, 0)?;
    let _end = reader.next()?;
    match reader.next()? {
        (Event::StreamEnd, _) => Ok(value),
        (_, place) => Err(at(place, "unexpected extra content after value; only one document is read")),
    }
}

fn at(place: Span, problem: &str) -> String {
    let (line, column) = (place.start.line(), place.start.col() + 1);
    format!("on line {line}, column {column}: {problem}")
}

fn unreadable(error: &ScanError) -> String {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    format!("on line {line}, column {column}: {}", error.info())
}

type Placed<'a> = (Event<'a>, Span);

/// A value and of how many values it consists.
type Node = (Value, usize);

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The number of characters, if there is no line break at the end.
    end: usize,
    /// What each anchor stands for.
    anchors: HashMap<usize, Node>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Placed<'a>, String> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(unreadable(&error)),
            None => Err("unexpected end of the text".to_owned()),
        }
    }

    fn count(&mut self, values: usize, place: Span) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST_VALUES {
            return Err(at(place, "the document has too many values once its aliases are filled in"));
        }
        Ok(())
    }

    fn node(&mut self, (event, place): Placed<'a>, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err(at(place, &format!("more than {DEEPEST} levels of nesting")));
        }
        self.count(1, place)?;
        let (anchor, node) = match event {
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(at(place, "cannot refer to an anchor from inside its own definition"));
                };
                self.count(node.1, place)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let text = match text.strip_suffix('\n') {
                    // The line break that ends a block is its own, not one that the parser adds to the text.
                    Some(rest) if is_block && place.end.index() >= self.end => rest,
                    _ => &text,
                };
                let value = scalar(text, tag.as_deref(), is_plain).map_err(|problem| at(place, &problem))?;
                (anchor, (value, 1))
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(place, tag.as_deref(), "seq")?;
                (anchor, self.sequence(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(place, tag.as_deref(), "map")?;
                (anchor, self.mapping(depth)?)
            }
            _ => return Err(at(place, "a value is missing")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, String> {
        let mut items = Vec::new();
        let mut total = 1;
        loop {
            let event = self.next()?;
            if event.0 == Event::SequenceEnd {
                return Ok((Value::tuple(items), total));
            }
            let (item, values) = self.node(event, depth + 1)?;
            items.push(item);
            total += values;
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Node, String> {
        let mut entries: Vec<(EcoString, Value)> = Vec::new();
        let mut merged: Vec<(EcoString, Value)> = Vec::new();
        let mut total = 1;
        loop {
            let event = self.next()?;
            if event.0 == Event::MappingEnd {
                // What the mapping itself says counts more than what is merged into it.
                merged.extend(entries);
                return Ok((Value::object(merged), total));
            }
            let place = event.1;
            let key = if is_merge(&event.0) { None } else { Some(self.key(event, depth)?) };
            let event = self.next()?;
            let (value, values) = self.node(event, depth + 1)?;
            total += values;
            match (key, value) {
                (Some(key), value) => entries.push((key, value)),
                (None, Value::Object(object)) => {
                    merged.extend(object.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                (None, other) => {
                    let found = other.ty().friendly_name();
                    return Err(at(place, &format!("cannot merge {found} into mapping")));
                }
            }
        }
    }

    fn key(&mut self, event: Placed<'a>, depth: usize) -> Result<EcoString, String> {
        let place = event.1;
        let (key, _) = self.node(event, depth + 1)?;
        if key.is_null() {
            return Err(at(place, "mapping key cannot be null"));
        }
        match convert(&key, &Type::String) {
            Ok(Value::String(text)) => Ok(normalize(&text)),
            _ => Err(at(place, "only strings are allowed as mapping keys")),
        }
    }
}

/// The name of a tag of the core schema.
fn core(tag: &Tag) -> Option<&str> {
    tag.is_yaml_core_schema().then_some(tag.suffix.as_str())
}

fn is_merge(event: &Event<'_>) -> bool {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, _, None) => text == "<<",
        Event::Scalar(_, _, _, Some(tag)) => core(tag) == Some("merge"),
        _ => false,
    }
}

fn check_tag(place: Span, tag: Option<&Tag>, wanted: &str) -> Result<(), String> {
    match tag {
        Some(tag) if core(tag) != Some(wanted) => {
            let kind = if wanted == "seq" { "sequence" } else { "mapping" };
            Err(at(place, &format!("can't interpret {kind} as {tag}")))
        }
        _ => Ok(()),
    }
}

fn scalar(text: &str, tag: Option<&Tag>, is_plain: bool) -> Result<Value, String> {
    let Some(tag) = tag else {
        return if is_plain { plain(text) } else { Ok(Value::string(text)) };
    };
    let wanted = match core(tag) {
        Some("str") => return Ok(Value::string(text)),
        Some("binary") => {
            return match decode_base64(text) {
                Some(_) => Ok(Value::string(text)),
                None => Err(format!("cannot parse {text:?} as {tag}: not valid base64")),
            };
        }
        Some("null") => Kind::Null,
        Some("bool") => Kind::Bool,
        Some("int") => Kind::Int,
        Some("float") => Kind::Float,
        Some("timestamp") => Kind::Timestamp,
        _ => return Err(format!("unsupported tag {tag}")),
    };
    if !is_plain {
        return Ok(Value::string(text));
    }
    let value = plain(text)?;
    match kind_of(text, &value) {
        Some(found) if found == wanted || wanted == Kind::Float && found == Kind::Int => Ok(value),
        _ => Err(format!("cannot parse {text:?} as {tag}")),
    }
}
