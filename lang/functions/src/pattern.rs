//! Regular expressions in RE2 syntax, carried out by an engine with a slightly different syntax.
//!
//! Both engines match in linear time and agree in what a match is: leftmost, first alternative. They differ in syntax,
//! so a pattern is read in RE2's and written in the engine's: `\d`, `\w`, `\s` and `\b` mean ASCII, single characters of
//! classes are written by number, groups lose their names, which are kept beside the pattern. What RE2 refuses is
//! refused here: look-around, back-references, repetition of repetitions, repeat counts above 1000.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use regex::{Regex, RegexBuilder};

use crate::character_class::{is_posix, unicode_name};

/// The most that a repetition may repeat, also counting repetitions inside of each other.
const GREATEST_REPEAT: usize = 1000;
/// The most patterns that are kept compiled.
const MOST_KEPT: usize = 256;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The compiled form.
    pub regex: Regex,
    /// For each group in order, its name if it has one.
    pub groups: Vec<Option<String>>,
}

static KEPT: LazyLock<Mutex<HashMap<String, Arc<Pattern>>>> = LazyLock::new(Mutex::default);

/// Compiles a pattern, or finds it compiled.
///
/// # Errors
/// What is wrong with the pattern.
pub(crate) fn compile(source: &str) -> Result<Arc<Pattern>, String> {
    let kept = |patterns: &HashMap<String, Arc<Pattern>>| patterns.get(source).cloned();
    if let Ok(patterns) = KEPT.lock()
        && let Some(pattern) = kept(&patterns)
    {
        return Ok(pattern);
    }
    let (text, groups) = translate(source)?;
    let regex = RegexBuilder::new(&text).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        _ => format!("cannot understand {source:?}"),
    })?;
    let pattern = Arc::new(Pattern { regex, groups });
    if let Ok(mut patterns) = KEPT.lock() {
        if patterns.len() >= MOST_KEPT {
            patterns.clear();
        }
        patterns.insert(source.to_owned(), pattern.clone());
    }
    Ok(pattern)
}

/// The pattern in the engine's syntax, and the names of its groups.
fn translate(source: &str) -> Result<(String, Vec<Option<String>>), String> {
    let mut reader = Reader {
        source,
        at: 0,
        out: String::new(),
        groups: Vec::new(),
        open: Vec::new(),
        level: Level::default(),
    };
    reader.run()?;
    Ok((reader.out, reader.groups))
}

/// What was read last at one level of nesting.
#[derive(Default)]
struct Level {
    /// How often the last item is repeated inside of itself; `None` if there is no item to repeat.
    last: Option<usize>,
    /// Whether the last item is a repetition, which must not be repeated again.
    repeated: bool,
    /// The greatest of all items of this level.
    greatest: usize,
    /// Where the group starts.
    start: usize,
    /// Where the last item ends in what is written, if flags follow it.
    item_end: Option<usize>,
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
    out: String,
    groups: Vec<Option<String>>,
    open: Vec<Level>,
    level: Level,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => self.end_group()?,
                '|' => {
                    self.out.push('|');
                    self.level.last = None;
                    self.level.repeated = false;
                    self.level.item_end = None;
                }
                '*' | '+' | '?' => self.repeat(&c.to_string(), usize::from(c != '?'))?,
                '{' => match self.counts()? {
                    Some((text, count)) => self.repeat(&text, count)?,
                    None => self.literal('{'),
                },
                '.' | '^' | '$' => {
                    self.out.push(c);
                    self.item(1);
                }
                c => self.literal(c),
            }
        }
        match self.open.is_empty() {
            true => Ok(()),
            false => Err(format!("missing closing ) in {}", &self.source[self.level.start..])),
        }
    }

    /// Something that can be repeated was written.
    fn item(&mut self, repeats: usize) {
        self.level.greatest = self.level.greatest.max(repeats);
        self.level.last = Some(repeats);
        self.level.repeated = false;
        self.level.item_end = None;
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.out.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
        self.item(1);
    }

    fn repeat(&mut self, operator: &str, count: usize) -> Result<(), String> {
        if self.level.repeated {
            return Err(format!("invalid nested repetition operator in {operator}"));
        }
        let Some(inner) = self.level.last else {
            return Err(format!("missing argument to repetition operator in {operator}"));
        };
        let is_counted = operator.starts_with('{');
        let total = if is_counted { inner.saturating_mul(count.max(1)) } else { inner };
        if total > GREATEST_REPEAT || count > GREATEST_REPEAT {
            return Err(format!("invalid repeat count in {operator}"));
        }
        let lazy = if self.eat("?") { "?" } else { "" };
        let end = self.level.item_end.unwrap_or(self.out.len());
        self.out.insert_str(end, &format!("{operator}{lazy}"));
        self.item(if is_counted && count == 0 { 1 } else { total });
        self.level.repeated = true;
        Ok(())
    }

    /// `n}`, `n,}` or `n,m}` after a brace: the repetition and the most that it surely repeats. Anything else means
    /// the brace itself.
    fn counts(&mut self) -> Result<Option<(String, usize)>, String> {
        let Some(end) = self.rest().find('}') else { return Ok(None) };
        let inner = &self.rest()[..end];
        let (low, high) = match inner.split_once(',') {
            Some((low, high)) => (low, Some(high)),
            None => (inner, None),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let well_formed = digits(low)
            && high.is_none_or(|high| high.is_empty() || digits(high))
            && (low.len() == 1 || !low.starts_with('0'));
        if !well_formed {
            return Ok(None);
        }
        let text = format!("{{{inner}}}");
        let parse = |text: &str| text.parse::<usize>().unwrap_or(usize::MAX);
        let low = parse(low);
        let high = match high {
            None => Some(low),
            Some("") => None,
            Some(high) => Some(parse(high)),
        };
        if high.is_some_and(|high| high < low) {
            return Err(format!("invalid repeat count in {text}"));
        }
        self.at += end + 1;
        Ok(Some((text, high.unwrap_or(low))))
    }

    fn group(&mut self) -> Result<(), String> {
        let start = self.at - 1;
        if self.eat("?P<") || self.eat("?<") {
            let unsupported = self.rest().starts_with(['=', '!']);
            let end = self.rest().find('>');
            let name = end.map(|end| self.rest()[..end].to_owned());
            match name {
                Some(name) if is_word(&name) && !unsupported => {
                    self.at += name.len() + 1;
                    self.out.push('(');
                    self.groups.push(Some(name));
                }
                _ => return Err(format!("invalid named capture in {}", &self.source[start..])),
            }
        } else if self.eat("?") {
            let flags: String = self.rest().chars().take_while(|c| "imsU-".contains(*c)).collect();
            self.at += flags.len();
            let end = self.next();
            let well_formed = flags.matches('-').count() <= 1 && !flags.ends_with('-');
            match end {
                Some(':') if well_formed => self.out.push_str(&format!("(?{flags}:")),
                Some(')') if well_formed && !flags.is_empty() => {
                    // A repetition that follows is one of what stands before the flags.
                    self.level.item_end.get_or_insert(self.out.len());
                    self.out.push_str(&format!("(?{flags})"));
                    return Ok(());
                }
                _ => {
                    let found = &self.source[start..self.at];
                    return Err(format!("invalid or unsupported Perl syntax in {found}"));
                }
            }
        } else {
            self.out.push('(');
            self.groups.push(None);
        }
        let outer = std::mem::replace(&mut self.level, Level { start, ..Level::default() });
        self.open.push(outer);
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), String> {
        let Some(outer) = self.open.pop() else {
            return Err(format!("unexpected ) in {}", self.source));
        };
        let inner = std::mem::replace(&mut self.level, outer);
        self.out.push(')');
        self.item(inner.greatest.max(1));
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        if self.eat("Q") {
            let end = self.rest().find("\\E").unwrap_or(self.rest().len());
            let quoted = self.rest()[..end].to_owned();
            quoted.chars().for_each(|c| self.literal(c));
            self.at += end;
            self.eat("\\E");
            return Ok(());
        }
        let start = self.at - 1;
        let next = self.rest().chars().next();
        match next {
            None => return Err("trailing backslash at end of expression".to_owned()),
            Some(c @ ('A' | 'z')) => {
                self.at += 1;
                self.out.push('\\');
                self.out.push(c);
            }
            Some(c @ ('b' | 'B')) => {
                self.at += 1;
                self.out.push_str(if c == 'b' { r"(?-u:\b)" } else { r"(?-u:\B)" });
            }
            Some(_) => match self.class_escape(start)? {
                Some(class) => self.out.push_str(&format!("[{class}]")),
                None => {
                    let c = self.char_escape(start)?;
                    self.literal(c);
                }
            },
        }
        self.item(1);
        Ok(())
    }

    /// `\d` and the like, or `\p{…}`, as the inside of a class; `None` if the escape is no class.
    fn class_escape(&mut self, start: usize) -> Result<Option<String>, String> {
        let class = match self.rest().chars().next() {
            Some('d') => "0-9",
            Some('D') => "^0-9",
            Some('s') => r"\t\n\x0C\r ",
            Some('S') => r"^\t\n\x0C\r ",
            Some('w') => "0-9A-Za-z_",
            Some('W') => "^0-9A-Za-z_",
            Some('p' | 'P') => return self.unicode_class(start).map(Some),
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(class.to_owned()))
    }

    fn unicode_class(&mut self, start: usize) -> Result<String, String> {
        let mut negated = self.next() == Some('P');
        let name = if self.eat("{") {
            let Some(end) = self.rest().find('}') else {
                return Err(format!("invalid character class range in {}", &self.source[start..]));
            };
            let name = self.rest()[..end].to_owned();
            self.at += end + 1;
            name
        } else {
            self.next().map(String::from).unwrap_or_default()
        };
        let name = match name.strip_prefix('^') {
            Some(rest) => {
                negated = !negated;
                rest.to_owned()
            }
            None => name,
        };
        let class = unicode_name(&name)
            .ok_or_else(|| format!("invalid character class range in {}", &self.source[start..self.at]))?;
        Ok(if negated { format!("^{class}") } else { class })
    }

    /// An escape that stands for one character; the backslash has been read.
    fn char_escape(&mut self, start: usize) -> Result<char, String> {
        let invalid = |reader: &Reader<'_>| {
            Err(format!("invalid escape sequence in {}", &reader.source[start..reader.at]))
        };
        let Some(c) = self.next() else { return Err("trailing backslash at end of expression".to_owned()) };
        let octal = |reader: &Reader<'_>| reader.rest().starts_with(|c: char| ('0'..='7').contains(&c));
        match c {
            '1'..='7' if !octal(self) => invalid(self),
            '0'..='7' => {
                let mut value = u32::from(c) - u32::from('0');
                for _ in 0..2 {
                    if !octal(self) {
                        break;
                    }
                    let digit = self.next().map_or(0, |d| u32::from(d) - u32::from('0'));
                    value = value * 8 + digit;
                }
                char::from_u32(value).map_or_else(|| invalid(self), Ok)
            }
            'x' => {
                let digits = if self.eat("{") {
                    let Some(end) = self.rest().find('}') else { return invalid(self) };
                    let digits = self.rest()[..end].to_owned();
                    self.at += end + 1;
                    digits
                } else {
                    let digits: String = self.rest().chars().take(2).collect();
                    self.at += digits.len();
                    if digits.len() != 2 { String::new() } else { digits }
                };
                let well_formed = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
                match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
                    Some(c) if well_formed => Ok(c),
                    _ => invalid(self),
                }
            }
            'a' => Ok('\u{7}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\u{b}'),
            c if c.is_ascii_punctuation() || c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
            _ => invalid(self),
        }
    }

    fn class(&mut self) -> Result<(), String> {
        let start = self.at - 1;
        let unclosed = |reader: &Reader<'_>| format!("missing closing ] in {}", &reader.source[start..]);
        let mut class = String::from("[");
        if self.eat("^") {
            class.push('^');
        }
        let mut first = true;
        loop {
            if self.rest().is_empty() {
                return Err(unclosed(self));
            }
            if !first && self.eat("]") {
                break;
            }
            first = false;
            if self.rest().starts_with("[:")
                && let Some(end) = self.rest().find(":]")
            {
                let name = self.rest()[2..end].to_owned();
                self.at += end + 2;
                if !is_posix(name.strip_prefix('^').unwrap_or(&name)) {
                    return Err(format!("invalid character class range in [:{name}:]"));
                }
                class.push_str(&format!("[:{name}:]"));
                continue;
            }
            let at = self.at;
            if self.eat("\\") {
                if let Some(inner) = self.class_escape(at)? {
                    class.push_str(&format!("[{inner}]"));
                    continue;
                }
                self.at = at;
            }
            let low = self.class_char()?;
            let is_range =
                self.rest().starts_with('-') && self.rest().len() > 1 && !self.rest().starts_with("-]");
            let high = if is_range {
                self.at += 1;
                self.class_char()?
            } else {
                low
            };
            if high < low {
                return Err(format!("invalid character class range in {}", &self.source[at..self.at]));
            }
            class.push_str(&format!("\\x{{{:x}}}-\\x{{{:x}}}", u32::from(low), u32::from(high)));
        }
        class.push(']');
        self.out.push_str(&class);
        self.item(1);
        Ok(())
    }

    fn class_char(&mut self) -> Result<char, String> {
        let start = self.at;
        match self.next() {
            Some('\\') => self.char_escape(start),
            Some(c) => Ok(c),
            None => Err(format!("missing closing ] in {}", self.source)),
        }
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(pattern: &str, text: &str) -> Option<String> {
        let pattern = compile(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
        pattern.regex.find(text).map(|m| m.as_str().to_owned())
    }

    #[test]
    fn classes_by_letter_are_ascii() {
        assert_eq!(finds(r"\d", "٣"), None);
        assert_eq!(finds(r"\w+", "é_a1"), Some("_a1".to_owned()));
        assert_eq!(finds(r"\s", "\u{a0}"), None);
        assert_eq!(finds(r"\bfoo\b", "éfooé"), Some("foo".to_owned()));
        assert_eq!(finds(r"[\d-]+", "a1-2"), Some("1-2".to_owned()));
        assert_eq!(finds(r"[^\D]", "a1"), Some("1".to_owned()));
    }

    #[test]
    fn what_means_itself_there_means_itself_here() {
        assert_eq!(finds("[a&&b]+", "a&b"), Some("a&b".to_owned()));
        assert_eq!(finds("[[a]+", "[a"), Some("[a".to_owned()));
        assert_eq!(finds("x{2", "x{2"), Some("x{2".to_owned()));
        assert_eq!(finds("a{,2}", "a{,2}"), Some("a{,2}".to_owned()));
        assert_eq!(finds(r"\<a", "<a"), Some("<a".to_owned()));
        assert_eq!(finds(r"\Qa.b\E+", "a.bb"), Some("a.bb".to_owned()));
        assert_eq!(finds(r"\101", "A"), Some("A".to_owned()));
    }

    #[test]
    fn what_is_refused_there_is_refused_here() {
        for pattern in [
            "a**",
            "*a",
            "(a",
            "a)",
            "[a",
            r"\1",
            r"\Z",
            r"\C",
            "(?x)a",
            "a(?=b)",
            "a{1001}",
            "(a{500}){3}",
            "[a-\\d]",
            "[z-a]",
            "[[:foo:]]",
            r"\p{Foo}",
            r"\p{Letter}",
            "(?P<>a)",
            r"\é",
            "a{2,1}",
            "a\\",
            "(?<=a)b",
            "(?)",
            "(?i)*",
        ] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
