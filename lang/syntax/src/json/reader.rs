//! JSON text to values.
//!
//! Strict JSON, but for what people write by mistake and what can be understood all the same: comments, trailing commas,
//! single quotes and bare names get a diagnostic, and reading goes on. Other mistakes end the object or array they are in.

use ecow::{EcoString, eco_format};
use plumb_model::{Diagnostic, Diagnostics, Number, SourceId, Span};

use super::{JsonString, Object, Property, Value, ValueKind};
use crate::explain;
use crate::origin::Origin;
use crate::parse::{Parsed, normal};
use crate::tree::MAX_DEPTH;

/// After how many mistakes a text is given up.
const MAX_ERRORS: usize = 20;

pub(super) fn read(source: SourceId, text: &str) -> Parsed<Value> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        source,
        at: 0,
        diagnostics: Diagnostics::new(),
        gave_up: false,
    };
    if text.starts_with('\u{feff}') {
        reader.at = 3;
    }
    let tree = reader.value(0);
    reader.blanks();
    if reader.at < reader.bytes.len() && !reader.gave_up {
        let span = reader.span(reader.at, reader.token_end());
        let diagnostic = Diagnostic::error("extra-after-json", "Extra characters after JSON value")
            .detail(eco_format!("Found {} behind the end of the value.", reader.found()))
            .at(span)
            .help("A JSON text is one value. Is there a closing bracket too many?");
        reader.diagnostics.push(diagnostic);
    }
    Parsed { tree, diagnostics: reader.diagnostics }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    source: SourceId,
    at: usize,
    diagnostics: Diagnostics,
    /// Whether the rest is not read.
    gave_up: bool,
}

impl Reader<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    fn peek(&self) -> Option<u8> {
        if self.gave_up { None } else { self.bytes.get(self.at).copied() }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        self.gave_up |= self.diagnostics.len() >= MAX_ERRORS;
    }

    /// The end of the word, number or character at the current place.
    fn token_end(&self) -> usize {
        let rest = &self.text[self.at..];
        let word = rest.find(|c: char| !(c.is_alphanumeric() || "_-+.".contains(c))).unwrap_or(rest.len());
        let one = rest.chars().next().map_or(0, char::len_utf8);
        self.at + word.max(one)
    }

    fn found(&self) -> EcoString {
        match self.peek() {
            None => "the end of the text".into(),
            Some(b'"') => "a string".into(),
            Some(_) => eco_format!("`{}`", &self.text[self.at..self.token_end()]),
        }
    }

    fn blanks(&mut self) {
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            let rest = &self.text[self.at..];
            let length = match self.peek() {
                Some(b'#') => rest.find('\n').unwrap_or(rest.len()),
                Some(b'/') if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                Some(b'/') if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
                _ => return,
            };
            let span = self.span(self.at, self.at + length);
            self.report(
                Diagnostic::error("json-comment", "Comments are not allowed in JSON")
                    .at(span)
                    .help("Write a property named `//` whose value is the comment."),
            );
            self.at += length;
        }
    }

    fn invalid(&mut self, wanted: &str, help: &'static str) -> Value {
        let span = self.span(self.at, self.token_end().min(self.bytes.len()));
        if !self.gave_up {
            let detail = eco_format!("Found {}, wanted {wanted}.", self.found());
            self.report(Diagnostic::error("invalid-json", "Invalid JSON").detail(detail).at(span).help(help));
        }
        Value { kind: ValueKind::Error, span }
    }

    fn value(&mut self, depth: usize) -> Value {
        self.blanks();
        let start = self.at;
        if depth > MAX_DEPTH && matches!(self.peek(), Some(b'{' | b'[')) {
            let span = self.span(start, start + 1);
            self.diagnostics.push(explain::nested_too_deep(span));
            self.gave_up = true;
            return Value { kind: ValueKind::Error, span };
        }
        let kind = match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => match self.string() {
                Some(text) => ValueKind::String(text),
                None => ValueKind::Error,
            },
            Some(b'-' | b'0'..=b'9') => return self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => return self.keyword(),
            Some(b'\'') => return self.single_quoted(),
            _ => {
                return self.invalid(
                    "a value",
                    "Write a string in double quotes, a number, `{`, `[`, true, false or null.",
                );
            }
        };
        Value { kind, span: self.span(start, self.at) }
    }

    fn keyword(&mut self) -> Value {
        let (start, end) = (self.at, self.token_end());
        let kind = match &self.text[start..end] {
            "null" => ValueKind::Null,
            "true" => ValueKind::Bool(true),
            "false" => ValueKind::Bool(false),
            _ => {
                let value = self
                    .invalid("a value", "Put text in double quotes (\"); an expression as well: \"${…}\".");
                self.at = end;
                return value;
            }
        };
        self.at = end;
        Value { kind, span: self.span(start, end) }
    }

    fn single_quoted(&mut self) -> Value {
        let value = self.invalid("a value", "Enclose strings in double quotes (\").");
        let rest = &self.text[self.at + 1..];
        let line = rest.split('\n').next().unwrap_or("");
        self.at += 1 + line.find('\'').map_or(0, |end| end + 1);
        value
    }

    fn number(&mut self) -> Value {
        let (start, end) = (self.at, self.token_end());
        let text = &self.text[start..end];
        if is_json_number(text)
            && let Ok(number) = Number::parse(text)
        {
            self.at = end;
            return Value { kind: ValueKind::Number(number), span: self.span(start, end) };
        }
        let value = self.invalid("a number", "Numbers are decimal, without leading zeros, and not grouped.");
        self.at = end;
        value
    }

    fn array(&mut self, depth: usize) -> ValueKind {
        self.at += 1;
        let mut values = Vec::new();
        loop {
            self.blanks();
            if self.peek() == Some(b']') {
                self.at += 1;
                break;
            }
            let value = self.value(depth + 1);
            values.push(value);
            if !self.separator(b']') {
                break;
            }
        }
        ValueKind::Array(values)
    }

    fn object(&mut self, depth: usize) -> ValueKind {
        self.at += 1;
        let mut object = Object::default();
        loop {
            self.blanks();
            if self.peek() == Some(b'}') {
                self.at += 1;
                break;
            }
            let Some(property) = self.property(depth) else { break };
            object.properties.push(property);
            if !self.separator(b'}') {
                break;
            }
        }
        ValueKind::Object(object)
    }

    fn property(&mut self, depth: usize) -> Option<Property> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            self.invalid("the name of a property", "Names of properties are in double quotes (\").");
            self.skip_past_closer();
            return None;
        }
        let name = self.string();
        let name_span = self.span(start, self.at);
        self.blanks();
        if self.peek() == Some(b':') {
            self.at += 1;
        } else {
            self.invalid("`:` and a value", "Separate name and value with a colon.");
            if self.peek() != Some(b'=') {
                self.skip_past_closer();
                return None;
            }
            self.at += 1;
        }
        let value = self.value(depth + 1);
        name.map(|name| Property { name, name_span, value })
    }

    /// Reads what stands behind a value; gives whether another follows. A closer is read as well.
    fn separator(&mut self, closer: u8) -> bool {
        self.blanks();
        match self.peek() {
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                self.blanks();
                if self.peek() == Some(closer) {
                    let span = self.span(comma, comma + 1);
                    self.report(
                        Diagnostic::error("json-trailing-comma", "Trailing comma in JSON")
                            .detail("JSON has commas only between values.")
                            .at(span)
                            .help("Remove the comma.")
                            .suggest(span, "", true),
                    );
                }
                true
            }
            Some(found) if found == closer => {
                self.at += 1;
                false
            }
            Some(b'"' | b'{' | b'[' | b'0'..=b'9' | b'-') => {
                self.invalid("a comma or the end", "Put a comma between the two.");
                true
            }
            _ => {
                let wanted = if closer == b'}' { "`,` or `}`" } else { "`,` or `]`" };
                self.invalid(wanted, "Close the bracket, or put a comma before the next value.");
                // The closer of another bracket closes that one.
                if !matches!(self.peek(), Some(b'}' | b']')) {
                    self.skip_past_closer();
                }
                false
            }
        }
    }

    /// Goes on behind the bracket that closes what is being read, as far as that can be told.
    fn skip_past_closer(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let before = self.diagnostics.len();
                    self.string();
                    // Only the first mistake counts here.
                    self.diagnostics =
                        std::mem::take(&mut self.diagnostics).into_iter().take(before).collect();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => {
                    self.at += 1;
                    return;
                }
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += self.text[self.at..].chars().next().map_or(1, char::len_utf8);
        }
    }

    /// A string, at its quote. `None` if it is not valid; a diagnostic has then been given.
    fn string(&mut self) -> Option<JsonString> {
        let start = self.at + 1;
        let mut text = EcoString::new();
        let mut anchors = vec![(0, start as u32)];
        let mut valid = true;
        let mut plain = start;
        let mut at = start;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    text.push_str(&self.text[plain..at]);
                    match escape(&self.text[at..]) {
                        Ok((c, length)) => {
                            anchors.push((text.len() as u32, at as u32));
                            text.push(c);
                            at += length;
                            anchors.push((text.len() as u32, at as u32));
                        }
                        Err(length) => {
                            valid = false;
                            let span = self.span(at, at + length);
                            self.report(
                                Diagnostic::error("invalid-escape", "Invalid escape sequence")
                                    .detail(eco_format!("`{}` means nothing in JSON.", &self.text[at..at + length]))
                                    .at(span)
                                    .help("A backslash itself is written `\\\\`, other characters as `\\uNNNN`."),
                            );
                            at += length;
                        }
                    }
                    plain = at;
                }
                Some(0..=0x1f) | None => {
                    let span = self.span(start - 1, at);
                    self.report(
                        Diagnostic::error("unterminated-string", "Unterminated string")
                            .detail("The line ends, or a control character stands, before the closing quote.")
                            .at(span)
                            .help("Add the closing quote (\"); a line break in a string is written `\\n`."),
                    );
                    // Where the string should have ended cannot be told, so the rest cannot be understood.
                    self.at = at;
                    self.gave_up = true;
                    return None;
                }
                Some(_) => at += 1,
            }
        }
        text.push_str(&self.text[plain..at]);
        self.at = at + 1;
        let composed = normal(&text);
        // Composing moves offsets; within such a string places are then approximate, never outside of it.
        anchors.push((composed.len().max(text.len()) as u32, at as u32));
        valid.then_some(JsonString { text: composed, origin: Origin::anchored(self.source, anchors) })
    }
}

fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let fraction = digits[whole..].strip_prefix('.');
    let exponent = fraction
        .unwrap_or(&digits[whole..])
        .trim_start_matches(|c: char| fraction.is_some() && c.is_ascii_digit());
    let exponent_digits = exponent.strip_prefix(['e', 'E']).map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    whole > 0
        && (whole == 1 || !digits.starts_with('0'))
        && fraction.is_none_or(|fraction| fraction.starts_with(|c: char| c.is_ascii_digit()))
        && match exponent_digits {
            Some(digits) => !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()),
            None => exponent.is_empty(),
        }
}

/// Decodes one escape at the start of a text, surrogate pairs as one. Where it is wrong: how long it is.
fn escape(rest: &str) -> Result<(char, usize), usize> {
    let c = match rest.as_bytes().get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(rest),
        _ => return Err(1 + rest[1..].chars().next().map_or(0, char::len_utf8)),
    };
    Ok((c, 2))
}

fn unicode_escape(rest: &str) -> Result<(char, usize), usize> {
    let code = |at: usize| {
        let digits =
            rest.get(at..at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = code(2) else { return Err(2) };
    if let 0xd800..=0xdbff = first
        && rest[6..].starts_with("\\u")
        && let Some(second @ 0xdc00..=0xdfff) = code(8)
    {
        let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return char::from_u32(joined).map(|c| (c, 12)).ok_or(12);
    }
    // Half of a pair stands for no character.
    Ok((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}
