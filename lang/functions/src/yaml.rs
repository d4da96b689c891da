//! `yamldecode` and `yamlencode`.
//!
//! Decoding reads one document: mappings become objects, sequences tuples; keys are brought to strings, of equal keys
//! the last one counts. Aliases stand for what they refer to, and `<<` merges a mapping into another. The parser is
//! libyaml's. Encoding is in [`crate::encode`].

use std::collections::HashMap;

use ecow::EcoString;
use libyaml_safer::{Event, EventData, Parser, ScalarStyle};
use plumb_model::convert::convert;
use plumb_model::value::normalize;
use plumb_model::{Type, Value};

use crate::encode::encode_yaml;
use crate::encoding::decode_base64;
use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter};
use crate::yaml_scalar::{Kind, kind_of, plain};

/// The deepest nesting that is read.
const DEEPEST: usize = 256;
/// The most values that a document may have once its aliases are filled in.
const MOST_VALUES: usize = 4_000_000;
const TAGS: &str = "tag:yaml.org,2002:";

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
    let mut parser = Parser::new();
    parser.set_input(text.as_bytes());
    let mut reader = Reader { parser, anchors: HashMap::new(), values: 0 };
    let _start = reader.next()?;
    let first = reader.next()?;
    if !matches!(first.data, EventData::DocumentStart { .. }) {
        return Err(at(&first, "missing start of document"));
    }
    let event = reader.next()?;
    let (value, _) = reader.node(event, 0)?;
    let _end = reader.next()?;
    let after = reader.next()?;
    match after.data {
        EventData::StreamEnd => Ok(value),
        _ => Err(at(&after, "unexpected extra content after value; only one document is read")),
    }
}

fn at(event: &Event, problem: &str) -> String {
    let (line, column) = (event.start_mark.line + 1, event.start_mark.column + 1);
    format!("on line {line}, column {column}: {problem}")
}

struct Reader<'a> {
    parser: Parser<&'a [u8]>,
    /// What each anchor stands for, and of how many values that consists.
    anchors: HashMap<String, (Value, usize)>,
    values: usize,
}

/// A value and of how many values it consists.
type Node = (Value, usize);

impl Reader<'_> {
    fn next(&mut self) -> Result<Event, String> {
        self.parser.parse().map_err(|error| match error.problem_mark() {
            Some(mark) => {
                format!("on line {}, column {}: {}", mark.line + 1, mark.column + 1, error.problem())
            }
            None => error.problem().to_owned(),
        })
    }

    fn count(&mut self, values: usize, event: &Event) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST_VALUES {
            return Err(at(event, "the document has too many values once its aliases are filled in"));
        }
        Ok(())
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err(at(&event, &format!("more than {DEEPEST} levels of nesting")));
        }
        let (anchor, node) = match &event.data {
            EventData::Alias { anchor } => {
                let Some((value, values)) = self.anchors.get(anchor).cloned() else {
                    return Err(at(&event, &format!("reference to undefined anchor {anchor:?}")));
                };
                self.count(values, &event)?;
                return Ok((value, values));
            }
            EventData::Scalar { anchor, tag, value, style, .. } => {
                self.count(1, &event)?;
                let is_plain = *style == ScalarStyle::Plain;
                let value =
                    scalar(value, tag.as_deref(), is_plain).map_err(|problem| at(&event, &problem))?;
                (anchor.clone(), (value, 1))
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                check_tag(&event, tag.as_deref(), "seq")?;
                (anchor.clone(), self.sequence(depth)?)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                check_tag(&event, tag.as_deref(), "map")?;
                (anchor.clone(), self.mapping(depth)?)
            }
            _ => return Err(at(&event, "a value is missing")),
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, String> {
        let mut items = Vec::new();
        let mut total = 1;
        loop {
            let event = self.next()?;
            if event.data == EventData::SequenceEnd {
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
            if event.data == EventData::MappingEnd {
                // What the mapping itself says counts more than what is merged into it.
                merged.extend(entries);
                return Ok((Value::object(merged), total));
            }
            let merges = is_merge(&event);
            let place = at(&event, "");
            let key = if merges { None } else { Some(self.key(event, depth)?) };
            let event = self.next()?;
            let (value, values) = self.node(event, depth + 1)?;
            total += values;
            match key {
                Some(key) => entries.push((key, value)),
                None => match &value {
                    Value::Object(object) => {
                        merged.extend(object.iter().map(|(key, value)| (key.clone(), value.clone())));
                    }
                    other => {
                        let found = other.ty().friendly_name();
                        return Err(format!("{place}cannot merge {found} into mapping"));
                    }
                },
            }
        }
    }

    fn key(&mut self, event: Event, depth: usize) -> Result<EcoString, String> {
        let place = at(&event, "");
        let (key, _) = self.node(event, depth + 1)?;
        if key.is_null() {
            return Err(format!("{place}mapping key cannot be null"));
        }
        match convert(&key, &Type::String) {
            Ok(Value::String(text)) => Ok(normalize(&text)),
            _ => Err(format!("{place}only strings are allowed as mapping keys")),
        }
    }
}

fn is_merge(event: &Event) -> bool {
    match &event.data {
        EventData::Scalar { value, tag: None, style: ScalarStyle::Plain, .. } => value == "<<",
        EventData::Scalar { tag: Some(tag), .. } => tag.strip_prefix(TAGS) == Some("merge"),
        _ => false,
    }
}

fn check_tag(event: &Event, tag: Option<&str>, wanted: &str) -> Result<(), String> {
    match tag {
        None => Ok(()),
        Some(tag) if tag.strip_prefix(TAGS) == Some(wanted) => Ok(()),
        Some(tag) => {
            let kind = if wanted == "seq" { "sequence" } else { "mapping" };
            Err(at(event, &format!("can't interpret {kind} as {tag}")))
        }
    }
}

fn scalar(text: &str, tag: Option<&str>, is_plain: bool) -> Result<Value, String> {
    let Some(tag) = tag else {
        return if is_plain { plain(text) } else { Ok(Value::string(text)) };
    };
    let wanted = match tag.strip_prefix(TAGS) {
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
        _ => return Err(format!("unsupported tag {tag:?}")),
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
