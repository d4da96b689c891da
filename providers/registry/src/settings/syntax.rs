//! The syntax of the command-line configuration: an old dialect of blocks and settings whose names may be quoted, or JSON.
//!
//! Only what such files use is read: strings, numbers, truth values, lists and objects. There are no expressions. In JSON
//! a member whose value is an object is a block; the names of the objects inside of `credentials`, `host` and
//! `credentials_helper` are labels.

mod json;

use super::SettingsError;

/// A setting or a block: names in front of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The name; for blocks also their labels.
    pub names: Vec<String>,
    /// What stands behind.
    pub value: Setting,
    /// The line it begins in, from 1.
    pub line: usize,
}

impl Item {
    /// Something that is wrong with it.
    pub fn wrong(&self, problem: impl Into<String>) -> SettingsError {
        SettingsError { line: self.line, problem: problem.into() }
    }

    /// The text behind the name.
    ///
    /// # Errors
    /// If something else stands there.
    pub fn text(&self) -> Result<&str, SettingsError> {
        match &self.value {
            Setting::Text(text) => Ok(text),
            _ => Err(self.wrong(format!("`{}` is a text", self.names[0]))),
        }
    }

    /// The list of texts behind the name.
    ///
    /// # Errors
    /// If something else stands there.
    pub fn texts(&self) -> Result<Vec<String>, SettingsError> {
        let wrong = || self.wrong(format!("`{}` is a list of texts", self.names[0]));
        let Setting::List(elements) = &self.value else { return Err(wrong()) };
        let text = |element: &Setting| match element {
            Setting::Text(text) => Ok(text.clone()),
            _ => Err(wrong()),
        };
        elements.iter().map(text).collect()
    }

    /// The items between the braces.
    ///
    /// # Errors
    /// If it is no block.
    pub fn block(&self) -> Result<&[Item], SettingsError> {
        match &self.value {
            Setting::Block(items) => Ok(items),
            _ => Err(self.wrong(format!("`{}` is a block", self.names[0]))),
        }
    }
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

/// Blocks nested deeper are refused.
const MAX_DEPTH: usize = 32;

/// Reads a file.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(text: &str) -> Result<Vec<Item>, SettingsError> {
    if text.trim_start().starts_with('{') {
        return json::parse(text);
    }
    Parser { rest: text, text }.items(0, false)
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Parser<'_> {
    fn line(&self) -> usize {
        self.text[..self.text.len() - self.rest.len()].matches('\n').count() + 1
    }

    fn wrong(&self, problem: impl Into<String>) -> SettingsError {
        SettingsError { line: self.line(), problem: problem.into() }
    }

    /// Passes over space and comments.
    fn space(&mut self) -> Result<(), SettingsError> {
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

    fn eat(&mut self, sign: char) -> Result<bool, SettingsError> {
        self.space()?;
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        Ok(rest.is_some())
    }

    fn items(&mut self, depth: usize, braced: bool) -> Result<Vec<Item>, SettingsError> {
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

    fn item(&mut self, depth: usize) -> Result<Item, SettingsError> {
        let mut names = Vec::new();
        self.space()?;
        let line = self.line();
        loop {
            self.space()?;
            match self.rest.chars().next() {
                Some('=' | ':') if !names.is_empty() => {
                    self.rest = &self.rest[1..];
                    return Ok(Item { names, value: self.value(depth)?, line });
                }
                Some('{') if !names.is_empty() => {
                    self.rest = &self.rest[1..];
                    return Ok(Item { names, value: Setting::Block(self.items(depth + 1, true)?), line });
                }
                Some('"') => names.push(self.string()?),
                Some(c) if is_word(c) => names.push(self.word()),
                _ => return Err(self.wrong("a name, or `=` or `{` behind one, was expected")),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Setting, SettingsError> {
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

    fn string(&mut self) -> Result<String, SettingsError> {
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
        assert_eq!(items[0], Item { names: vec!["plugin_cache_dir".into()], value: text("/cache"), line: 2 });
        assert_eq!(items[1].names, ["credentials", "a.b"]);
        assert_eq!(items[1].block().unwrap()[0].value, text("x\"y"));
        let inner = &items[2].block().unwrap()[0];
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
