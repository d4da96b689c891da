//! Text to syntax tree, and back to text.
//!
//! [`parse`] makes a [`tree`] of a file; it goes on after mistakes and reports each. [`parse_expression`],
//! [`parse_template`] and [`parse_traversal`] do so for parts that come from elsewhere: the console, template files,
//! strings in JSON. [`parse_json`] reads the JSON syntax. [`format`](format()) lays a text out
//! anew.
//!
//! A text that is edited is parsed again as a [`Reading`], which keeps what did not change.
//!
//! This is the only crate that knows pest. Nothing here knows what names mean.

mod again;
mod explain;
mod format;
pub mod json;
mod origin;
mod parse;
pub mod references;
mod scan;
mod token;
pub mod tree;

pub use again::Reading;
pub use format::{FormatResult, format};
pub use json::parse_json;
pub use origin::Origin;
pub use parse::{Parsed, parse, parse_expression, parse_template, parse_traversal};
pub use tree::{Dialect, File, MAX_DEPTH};

use ecow::EcoString;

/// The text as a quoted string that means it, with everything escaped that needs to be.
pub fn quote(text: &str) -> EcoString {
    let mut quoted = EcoString::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                quoted.push(c);
                quoted.push(c);
            }
            c if c.is_control() => quoted.push_str(&ecow::eco_format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
