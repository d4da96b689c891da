//! The old dialect of the command-line configuration file: blocks, and settings whose names may be quoted.
//!
//! Only what such files use is read: strings, numbers, truth values, lists and objects. There are no expressions.

use crate::config::ConfigError;

/// A setting or a block: names in front of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The name; for blocks also their labels.
    pub names: Vec<String>,
    /// What stands behind.
    pub value: Setting,
}

/// What stands behind a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A string, or a number or truth value as it was written.
    Text(String),
    /// A list.
    List(Vec<Setting>),
    /// A block, or an object.
    Block(Vec<Item>),
}

impl Setting {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Setting::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is a block.
    pub fn as_block(&self) -> Option<&[Item]> {
        match self {
            Setting::Block(items) => Some(items),
            _ => None,
        }
    }
}

/// Blocks nested deeper are refused.
const MAX_DEPTH: usize = 32;

/// Reads a file.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(text: &str) -> Result<Vec<Item>, ConfigError> {
    let mut parser = Parser { rest: text, text };
    let items = parser.items(0, false)?;
    Ok(items)
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Parser<'_> {
    fn wrong(&self, problem: impl Into<String>) -> ConfigError {
        let before = &self.text[..self.text.len() - self.rest.len()];
        ConfigError { line: before.matches('\n').count() + 1, problem: problem.into() }
    }

    /// Passes over space and comments.
    fn space(&mut self) -> Result<(), ConfigError> {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with('#') || self.rest.starts_with("//") {
                self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                let end = comment.find("*/").ok_or_else(|| self.wrong("a comment has no end"))?;
                self.rest = &comment[end + 2..];
            } else {
                return Ok(());
            }
        }
    }

    fn eat(&mut self, sign: char) -> Result<bool, ConfigError> {
        self.space()?;
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        Ok(rest.is_some())
    }

    fn items(&mut self, depth: usize, braced: bool) -> Result<Vec<Item>, ConfigError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("blocks are nested too deeply"));
        }
        let mut items = Vec::new();
        loop {
            if braced && self.eat('}')? {
                return Ok(items);
            }
            self.space()?;
            if self.rest.is_empty() {
                return if braced { Err(self.wrong("a block has no `}`")) } else { Ok(items) };
            }
            items.push(self.item(depth)?);
            // Objects may have commas between their settings.
            self.eat(',')?;
        }
    }

    fn item(&mut self, depth: usize) -> Result<Item, ConfigError> {
        let mut names = Vec::new();
        loop {
            self.space()?;
            match self.rest.chars().next() {
                Some('=' | ':') if !names.is_empty() => {
                    self.rest = &self.rest[1..];
                    return Ok(Item { names, value: self.value(depth)? });
                }
                Some('{') if !names.is_empty() => {
                    self.rest = &self.rest[1..];
                    return Ok(Item { names, value: Setting::Block(self.items(depth + 1, true)?) });
                }
                Some('"') => names.push(self.string()?),
                Some(c) if is_word(c) => names.push(self.word()),
                _ => return Err(self.wrong("a name, or `=` or `{` behind one, was expected")),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Setting, ConfigError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("values are nested too deeply"));
        }
        self.space()?;
        match self.rest.chars().next() {
            Some('"') => Ok(Setting::Text(self.string()?)),
            Some('{') => {
                self.rest = &self.rest[1..];
                Ok(Setting::Block(self.items(depth + 1, true)?))
            }
            Some('[') => {
                self.rest = &self.rest[1..];
                let mut elements = Vec::new();
                while !self.eat(']')? {
                    elements.push(self.value(depth + 1)?);
                    if !self.eat(',')? && !self.rest.starts_with(']') {
                        return Err(self.wrong("a comma or `]` was expected"));
                    }
                }
                Ok(Setting::List(elements))
            }
            Some(c) if is_word(c) => Ok(Setting::Text(self.word())),
            _ => Err(self.wrong("a value was expected")),
        }
    }

    fn word(&mut self) -> String {
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn string(&mut self) -> Result<String, ConfigError> {
        let mut chars = self.rest[1..].char_indices();
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 2..];
                    return Ok(text);
                }
                '\n' => break,
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    _ => return Err(self.wrong("a string has an escape that is not known")),
                },
                c => text.push(c),
            }
        }
        Err(self.wrong("a string has no closing quote"))
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Setting {
        Setting::Text(text.into())
    }

    #[test]
    fn blocks_settings_and_lists_are_read() {
        let items = parse(
            "# comment\nplugin_cache_dir = \"/cache\" // more\ncredentials \"a.b\" { token = \"x\\\"y\" }\n/* */ x { \"k/l\" = [\"a\", 1,] }",
        )
        .unwrap();
        assert_eq!(items[0], Item { names: vec!["plugin_cache_dir".into()], value: text("/cache") });
        assert_eq!(items[1].names, ["credentials", "a.b"]);
        assert_eq!(items[1].value.as_block().unwrap()[0].value, text("x\"y"));
        let inner = &items[2].value.as_block().unwrap()[0];
        assert_eq!(
            (inner.names[0].as_str(), &inner.value),
            ("k/l", &Setting::List(vec![text("a"), text("1")]))
        );
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        for (file, line) in [("a = 1\nb", 2), ("a {\n", 2), ("a = \"x\n\"", 1), ("= 1", 1), ("a = [1 2]", 1)]
        {
            assert_eq!(parse(file).unwrap_err().line, line, "{file}");
        }
        assert!(parse(&"a {".repeat(100_000)).is_err());
    }
}
