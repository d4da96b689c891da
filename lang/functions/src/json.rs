//! `jsonencode` and `jsondecode`.
//!
//! Encoding is compact with sorted keys and escapes what would be markup in HTML. Decoding is strict (RFC 8259) and
//! gives objects and tuples; numbers keep all their digits, of equal keys the last one counts, half of a surrogate pair
//! becomes the replacement character.

use ecow::EcoString;
use plumb_model::value::normalize;
use plumb_model::{Number, Refinement, Type, Value};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter};

/// The deepest nesting that is read.
const DEEPEST: usize = 256;

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new("jsonencode", Type::String, encode)
            .describe("Encodes a value as JSON.")
            .takes(parameter("val", Type::Dynamic, "The value to encode.").nullable().unknown().dynamic()),
        Function::new("jsondecode", Type::Dynamic, |call| {
            decode_json(call.text(0)).map_err(FunctionError::failed)
        })
        .describe("Reads a value from JSON.")
        .takes(parameter("str", Type::String, "The JSON text.")),
    ]
}

fn encode(call: &Call<'_>) -> Outcome {
    let value = &call.args[0];
    if value.is_wholly_known() {
        return encode_json(value).map(Value::string).map_err(FunctionError::failed);
    }
    let prefix = match value {
        Value::Unknown(unknown) if !unknown.refinement.not_null => "",
        value => match value.ty() {
            Type::Object(_) | Type::Map(_) => "{",
            Type::Tuple(_) | Type::List(_) | Type::Set(_) => "[",
            Type::String => "\"",
            _ => "",
        },
    };
    Ok(Value::refined(
        Type::String,
        Refinement { not_null: true, prefix: prefix.into(), ..Refinement::default() },
    ))
}

/// A wholly known value as JSON.
///
/// # Errors
/// For infinite numbers.
pub(crate) fn encode_json(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    encode_into(value, &mut out)?;
    Ok(out)
}

fn encode_into(value: &Value, out: &mut String) -> Result<(), String> {
    match value.unmarked() {
        Value::Null(_) => out.push_str("null"),
        Value::Unknown(_) => return Err("the value is not known yet".to_owned()),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) if number.is_infinite() => {
            return Err("cannot serialize infinity as JSON".to_owned());
        }
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => encode_text(text, out),
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
            out.push('[');
            for (i, item) in value.as_items().unwrap_or_default().iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                encode_into(item, out)?;
            }
            out.push(']');
        }
        Value::Map(_) | Value::Object(_) => {
            out.push('{');
            for (i, (key, item)) in value.as_entries().into_iter().flat_map(|e| e.iter()).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                encode_text(key, out);
                out.push(':');
                encode_into(item, out)?;
            }
            out.push('}');
        }
        Value::Marked(_) => unreachable!("unmarked above"),
    }
    Ok(())
}

fn encode_text(text: &str, out: &mut String) {
    out.push('"');
    let mut after_escape = false;
    for c in text.chars() {
        let short = match c {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            _ => None,
        };
        let must_escape = matches!(c, '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
            || after_escape && combines(c);
        match short {
            Some(short) => out.push_str(short),
            None if must_escape => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            None => out.push(c),
        }
        after_escape = short.is_some() || must_escape;
    }
    out.push('"');
}

/// Whether a character could merge with the letter that an escape sequence ends with, since all text is normalised.
pub(crate) fn combines(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark && u32::from(c) <= 0xffff
}

/// Reads JSON text.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn decode_json(text: &str) -> Result<Value, String> {
    let mut reader = Reader { bytes: text.as_bytes(), text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    match reader.bytes.get(reader.at) {
        None => Ok(value),
        Some(_) => Err(format!("extraneous data after JSON value at {}", reader.place())),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Line and column, counted from one.
    fn place(&self) -> String {
        let before = &self.bytes[..self.at.min(self.bytes.len())];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        format!("line {line}, column {column}")
    }

    fn unexpected(&self, wanted: &str) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.chars().next() {
            Some(c) => format!("invalid character {c:?} at {}, wanted {wanted}", self.place()),
            None => format!("unexpected end of JSON, wanted {wanted}"),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err(format!("more than {DEEPEST} levels of nesting at {}", self.place()));
        }
        self.space();
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::String(normalize(&self.string()?))),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::NULL),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, String> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.unexpected(&format!("`{word}`")))
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        Number::parse(text).map(Value::Number).map_err(|_| format!("number {text} is out of range"))
    }

    fn digits(&mut self) -> Result<(), String> {
        let start = self.at;
        while matches!(self.bytes.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected("a digit")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.bytes.get(self.at), None | Some(b'"' | b'\\' | 0..0x20)) {
                self.at += 1;
            }
            out.push_str(&self.text[start..self.at]);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                _ => return Err(self.unexpected("`\"` at the end of the string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let escape = self.bytes.get(self.at).copied();
        let c = match escape {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected("an escape sequence")),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char, String> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, String> {
        let digits = self.bytes.get(self.at..self.at + 4).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.unexpected("four hexadecimal digits")) };
        let value = digits.iter().fold(0, |value, digit| {
            value * 16 + char::from(*digit).to_digit(16).expect("checked to be hexadecimal")
        });
        self.at += 4;
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.bytes.get(self.at) == Some(&b']') {
            self.at += 1;
            return Ok(Value::tuple(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::tuple(items));
                }
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut entries: Vec<(EcoString, Value)> = Vec::new();
        self.space();
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(Value::object(entries));
        }
        loop {
            self.space();
            if self.bytes.get(self.at) != Some(&b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let key = normalize(&self.string()?);
            self.space();
            if self.bytes.get(self.at) != Some(&b':') {
                return Err(self.unexpected("`:` after the key"));
            }
            self.at += 1;
            entries.push((key, self.value(depth + 1)?));
            self.space();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::object(entries));
                }
                _ => return Err(self.unexpected("`,` or `}`")),
            }
        }
    }
}
