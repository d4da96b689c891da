//! Reading the JSON that [`super::value`] writes.
//!
//! A [`Cursor`] moves over compact JSON, in which no white space stands between tokens. It knows tokens and nothing
//! else; nesting is bounded by those who use it, because only they know what a level is. `serde_json` reads everything
//! else of an artifact; values are read here, since they nest deeper than it allows, are checked while they are read,
//! and are most of what a large plan consists of.

use std::borrow::Cow;

use super::value::ValueError;

/// A place in a text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of a text.
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    /// An error at this place.
    pub fn error(&self, problem: impl std::fmt::Display) -> ValueError {
        ValueError::new(format!("{problem}, at byte {}", self.at))
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over a byte if it is the next one.
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Passes over a byte that must be the next one.
    pub fn expect(&mut self, byte: u8) -> Result<(), ValueError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.error(format_args!("`{}` was expected", byte as char)))
        }
    }

    /// Passes over a word if it comes next.
    pub fn word(&mut self, word: &str) -> bool {
        let found = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Checks that nothing follows.
    pub fn end(&self) -> Result<(), ValueError> {
        if self.at == self.text.len() { Ok(()) } else { Err(self.error("the end was expected")) }
    }

    /// A string.
    pub fn string(&mut self) -> Result<Cow<'a, str>, ValueError> {
        let start = self.at;
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            match bytes.get(self.at) {
                None => return Err(self.error("a string has no end")),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(0..=0x1f) => return Err(self.error("a string has a control character")),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        if !escaped {
            return Ok(Cow::Borrowed(&self.text[start + 1..self.at - 1]));
        }
        serde_json::from_str(&self.text[start..self.at])
            .map(Cow::Owned)
            .map_err(|_| self.error("a string has an escape that means nothing"))
    }

    /// The digits of a whole number, with a sign if it is negative; not yet known to be a number.
    pub fn integer(&mut self) -> Result<&'a str, ValueError> {
        let start = self.at;
        self.take(b'-');
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || digits.starts_with('0') && text != "0" {
            return Err(self.error("a whole number was expected"));
        }
        Ok(text)
    }

    /// A whole number that is not negative.
    pub fn count<T: std::str::FromStr>(&mut self) -> Result<T, ValueError> {
        self.integer()?.parse().map_err(|_| self.error("the number is out of range"))
    }

    /// Moves on within what stands between brackets: whether another item follows. `first` is whether none was read.
    pub fn another(&mut self, close: u8, first: bool) -> Result<bool, ValueError> {
        if self.take(close) {
            return Ok(false);
        }
        if !first {
            self.expect(b',')?;
        }
        Ok(true)
    }
}

/// Appends a string as JSON.
pub(super) fn write_string(text: &str, out: &mut String) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}
