//! JSON that is carried as text.
//!
//! Attribute values pass through this crate without being understood: parsing them would cost time, and numbers must
//! not go through a floating point type. [`JsonText`] is text known to be one well-formed JSON value; [`compact`] and
//! [`indent`] change its layout and nothing else.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One well-formed JSON value, kept as the text it was given. Cheap to clone.
///
/// Equality is equality of the text, so two spellings of one value differ.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonText(Arc<RawValue>);

impl JsonText {
    /// Takes `text` as JSON without changing it, except for white space around it.
    ///
    /// # Errors
    /// The text is not exactly one JSON value.
    pub fn new(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        let text: String = text.into();
        let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
        let text = if trimmed.len() == text.len() { text } else { trimmed.to_owned() };
        Ok(Self(RawValue::from_string(text)?.into()))
    }

    /// The JSON text of a value that serde can write.
    ///
    /// # Errors
    /// The value has no JSON form, for example a map whose keys are not text.
    pub fn of(value: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::value::to_raw_value(value)?.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The same value without white space between its tokens.
    pub fn compacted(&self) -> Self {
        let text = compact(self.as_str());
        if text.len() == self.as_str().len() {
            return self.clone();
        }
        Self::new(text).expect("removing white space between tokens keeps JSON well-formed")
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonText {}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Removes the white space between the tokens of well-formed JSON.
pub fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for token in Tokens::new(json) {
        out.push_str(token);
    }
    out
}

/// Lays well-formed JSON out over lines, two spaces for each level below `level`, as Terraform writes its files:
/// empty objects and arrays stay on one line, and there is no line end after the last line.
pub fn indent(json: &str, mut level: usize) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut opened = false;
    for token in Tokens::new(json) {
        let closes = matches!(token, "}" | "]");
        if closes {
            level -= 1;
        }
        if opened != closes {
            line(&mut out, level);
        }
        out.push_str(token);
        opened = matches!(token, "{" | "[");
        match token {
            "{" | "[" => level += 1,
            "," => line(&mut out, level),
            ":" => out.push(' '),
            _ => {}
        }
    }
    out
}

/// Ends a line and begins the next one at a level.
pub(crate) fn line(out: &mut String, level: usize) {
    out.push('\n');
    for _ in 0..level {
        out.push_str("  ");
    }
}

/// The tokens of well-formed JSON: strings, brackets, commas, colons, and runs of anything else.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn new(json: &'a str) -> Self {
        Self { rest: json }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let bytes = self.rest.as_bytes();
        let end = match bytes.first()? {
            b'"' => string_end(bytes),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => bytes.iter().position(|b| b" \t\r\n{}[],:\"".contains(b)).unwrap_or(bytes.len()),
        };
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(token)
    }
}

/// The length of the string that `bytes` begin with, quotes included.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_escapes_keep_their_spelling() {
        let text = r#" { "a" : 1.10e+2 , "b" : [ 12345678901234567890.5 , "\u003c \" x" , { } , [ ] ] } "#;
        let json = JsonText::new(text).unwrap();
        let small = r#"{"a":1.10e+2,"b":[12345678901234567890.5,"\u003c \" x",{},[]]}"#;
        assert_eq!(json.compacted().as_str(), small);
        let tall = "{\n  \"a\": 1.10e+2,\n  \"b\": [\n    12345678901234567890.5,\n    \"\\u003c \\\" x\",\n    {},\n    []\n  ]\n}";
        assert_eq!(indent(small, 0), tall);
        assert_eq!(compact(tall), small);
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        for text in ["", "{", "1 2", "{\"a\":}", "nul"] {
            assert!(JsonText::new(text).is_err(), "{text:?}");
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into)
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
            ]
        })
    }

    proptest! {
        #[test]
        fn layout_changes_nothing_but_layout(value in value()) {
            let small = serde_json::to_string(&value).unwrap();
            let tall = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(&indent(&small, 0), &tall);
            prop_assert_eq!(&compact(&tall), &small);
        }
    }
}
