//! Values as YAML, in block style.
//!
//! Text is always quoted, so that no reader takes it for something else; text of several lines is a literal block where
//! one can stand for it exactly. Lists under a key are not indented. Long text breaks at a space after the eightieth
//! column, and keys that are longer than 128 bytes or have several lines stand behind a `?`.

use plumb_model::Value;

use crate::json::combines;

/// The column after which text in quotes breaks at the next space.
const WIDTH: usize = 80;
/// The longest key, in bytes, that stands before its colon without a question mark.
const LONGEST_SIMPLE_KEY: usize = 128;
const INDENT: usize = 2;

/// A wholly known value as a document.
pub(crate) fn encode_yaml(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), column: 0 };
    writer.node(value, None, Position::Root);
    writer.end_line();
    let is_plain = matches!(value.unmarked(), Value::Null(_) | Value::Bool(_) | Value::Number(_));
    if is_plain {
        writer.put("...\n");
    }
    writer.out
}

/// Where a value stands, which tells whether its first line can go on on the present one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Root,
    /// After `- ` or `? `.
    Compact,
    /// After `key:`.
    Value,
}

struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(at) => self.column = text[at + 1..].chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    fn end_line(&mut self) {
        if self.column > 0 {
            self.put("\n");
        }
    }

    fn new_line(&mut self, indent: usize) {
        self.end_line();
        self.put(&" ".repeat(indent));
    }

    /// Writes a value. `indent` is that of the collection around it.
    fn node(&mut self, value: &Value, indent: Option<usize>, position: Position) {
        if position == Position::Value && !starts_on_new_line(value) {
            self.put(" ");
        }
        let inner = indent.map_or(0, |indent| indent + INDENT);
        match value.unmarked() {
            Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
                let items = value.as_items().unwrap_or_default();
                // A list under a key is not indented.
                let indent = if position == Position::Value { indent.unwrap_or(0) } else { inner };
                self.sequence(items, indent, position);
            }
            Value::Map(_) | Value::Object(_) => self.mapping(value, inner, position),
            Value::String(text) => self.text(text, indent.map_or(INDENT, |indent| indent + INDENT), false),
            Value::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Value::Number(number) => self.put(&number.to_string()),
            Value::Null(_) | Value::Unknown(_) | Value::Marked(_) => self.put("null"),
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize, position: Position) {
        if items.is_empty() {
            return self.put("[]");
        }
        for (i, item) in items.iter().enumerate() {
            if i > 0 || position == Position::Value {
                self.new_line(indent);
            }
            self.put("- ");
            self.node(item, Some(indent), Position::Compact);
        }
    }

    fn mapping(&mut self, value: &Value, indent: usize, position: Position) {
        let entries = value.as_entries().filter(|entries| !entries.is_empty());
        let Some(entries) = entries else { return self.put("{}") };
        for (i, (key, value)) in entries.iter().enumerate() {
            if i > 0 || position == Position::Value {
                self.new_line(indent);
            }
            if key.len() > LONGEST_SIMPLE_KEY || key.contains(is_break) {
                self.put("? ");
                self.text(key, indent + INDENT, false);
                self.new_line(indent);
                self.put(": ");
                self.node(value, Some(indent), Position::Compact);
            } else {
                self.text(key, indent + INDENT, true);
                self.put(":");
                self.node(value, Some(indent), Position::Value);
            }
        }
    }

    fn text(&mut self, text: &str, indent: usize, is_key: bool) {
        if text.contains('\n') && is_literal(text) {
            self.literal(text, indent);
        } else {
            self.quoted(text, indent, is_key);
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put(&INDENT.to_string());
        }
        match text.strip_suffix('\n') {
            None => self.put("-"),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.put("+"),
            Some(_) => {}
        }
        self.put("\n");
        let padding = " ".repeat(indent);
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                self.out.push('\n');
                self.column = 0;
            }
            if !line.is_empty() {
                self.put(&padding);
                self.put(line);
            }
        }
    }

    fn quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        // Text that starts with a byte order mark is written in escapes throughout, as other tools do.
        let all = text.starts_with('\u{feff}');
        self.put("\"");
        let (mut after_space, mut after_escape) = (false, false);
        let last = text.chars().count().saturating_sub(1);
        let mut chars = text.chars().enumerate().peekable();
        while let Some((i, c)) = chars.next() {
            if c == ' ' && !all {
                if !is_key && !after_space && self.column > WIDTH && i != 0 && i != last {
                    self.new_line(indent);
                    if chars.peek().is_some_and(|(_, next)| *next == ' ') {
                        self.put("\\");
                    }
                } else {
                    self.put(" ");
                }
                (after_space, after_escape) = (true, false);
                continue;
            }
            after_space = false;
            let must_escape = all || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\');
            after_escape = must_escape || after_escape && combines(c);
            if after_escape {
                self.put(&escape(c));
            } else {
                let mut buffer = [0; 4];
                self.put(c.encode_utf8(&mut buffer));
            }
        }
        self.put("\"");
    }
}

fn starts_on_new_line(value: &Value) -> bool {
    match value.unmarked() {
        Value::Map(_) | Value::Object(_) => value.as_entries().is_some_and(|entries| !entries.is_empty()),
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
            value.as_items().is_some_and(|items| !items.is_empty())
        }
        _ => false,
    }
}

/// Whether a literal block can stand for the text exactly.
fn is_literal(text: &str) -> bool {
    !text.ends_with(' ')
        && !text.contains(" \n")
        && text.chars().all(|c| c == '\n' || is_printable(c) && !is_break(c))
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

fn escape(c: char) -> String {
    match c {
        '\0' => "\\0".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{1b}' => "\\e".to_owned(),
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        '\u{a0}' => "\\_".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        c if c <= '\u{ff}' => format!("\\x{:02X}", u32::from(c)),
        c if c <= '\u{ffff}' => format!("\\u{:04X}", u32::from(c)),
        c => format!("\\U{:08X}", u32::from(c)),
    }
}
