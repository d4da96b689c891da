//! The JSON syntax: `.tf.json`, `.tfvars.json`.
//!
//! A text becomes a tree of [`Value`]s with places; properties keep their order and may repeat. What a property *is*
//! depends on a schema, which only the loader knows: it asks for a property as an attribute ([`Value::to_expr`],
//! [`Value::to_static_expr`], [`Value::to_literal`]) or as blocks ([`Object::blocks`]). Properties named `//` are comments
//! at the top and in blocks.
//!
//! Strings in attributes are templates in the native syntax; a mistake in one is shown at its place in the JSON text, also
//! if escapes stand before it.
//!
//! Always true: values are nested at most [`MAX_DEPTH`](crate::MAX_DEPTH) deep. Elsewhere: JSON that functions decode.

mod reader;
mod view;

use ecow::EcoString;
use plumb_model::{Number, SourceId, Span};

pub use view::JsonBlock;

use crate::origin::Origin;
use crate::parse::Parsed;

/// A JSON value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Its place.
    pub span: Span,
}

/// What a JSON value is.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, exact to 512 bits.
    Number(Number),
    /// A string.
    String(JsonString),
    /// `[ … ]`
    Array(Vec<Value>),
    /// `{ … }`
    Object(Object),
    /// Something that could not be understood; a diagnostic says why.
    Error,
}

impl ValueKind {
    /// What it is called in messages.
    pub fn name(&self) -> &'static str {
        match self {
            ValueKind::Null => "null",
            ValueKind::Bool(_) => "a boolean",
            ValueKind::Number(_) => "a number",
            ValueKind::String(_) => "a string",
            ValueKind::Array(_) => "an array",
            ValueKind::Object(_) => "an object",
            ValueKind::Error => "an error",
        }
    }
}

/// A JSON string.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonString {
    /// The text, with the escapes of JSON decoded.
    pub text: EcoString,
    /// Where in the source it stands, byte by byte.
    pub origin: Origin,
}

/// A JSON object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// The properties in the order in which they are written; names may repeat.
    pub properties: Vec<Property>,
}

/// A property of an [`Object`].
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The name.
    pub name: JsonString,
    /// The place of the name, including quotes.
    pub name_span: Span,
    /// The value.
    pub value: Value,
}

/// Parses a JSON text. What could not be understood is [`ValueKind::Error`].
pub fn parse_json(source: SourceId, text: &str) -> Parsed<Value> {
    reader::read(source, text)
}
