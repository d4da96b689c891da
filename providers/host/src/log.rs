//! What plugins say on the side: lines on standard error, and what they print.
//!
//! Plugins log one line at a time, mostly as a JSON object with the keys `@level`, `@message`, `@module` and
//! `@timestamp` and any other keys. Other lines count as debug messages, unless they start with a level in brackets; behind
//! the first line of a Go panic all plain lines are errors.

use std::collections::BTreeMap;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
}

impl Level {
    fn parse(text: &str) -> Option<Level> {
        [
            ("trace", Level::Trace),
            ("debug", Level::Debug),
            ("info", Level::Info),
            ("warn", Level::Warn),
            ("error", Level::Error),
        ]
        .into_iter()
        .find_map(|(name, level)| text.eq_ignore_ascii_case(name).then_some(level))
    }

    /// What plugins call it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

/// A line of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// How important it is.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// The part of the plugin that speaks; may be empty.
    pub module: String,
    /// When it was said, in the plugin's words; may be empty.
    pub timestamp: String,
    /// Everything else that it says, by key.
    pub details: BTreeMap<String, serde_json::Value>,
}

/// Takes the lines of plugins.
pub trait Log: Send + Sync {
    /// Takes one line of the plugin of a provider.
    fn line(&self, provider: &str, line: Line);

    /// The least level of the lines that it does something with; none if it does nothing with any.
    fn least(&self) -> Option<Level>;
}

/// Takes no notice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Log for Silent {
    fn line(&self, _provider: &str, _line: Line) {}

    fn least(&self) -> Option<Level> {
        None
    }
}

/// Reads the lines of one plugin in order.
#[derive(Debug, Default)]
pub struct Parser {
    panicking: bool,
}

impl Parser {
    /// What a line says.
    pub fn parse(&mut self, text: &str) -> Line {
        structured(text).unwrap_or_else(|| self.plain(text))
    }

    fn plain(&mut self, text: &str) -> Line {
        self.panicking |= is_panic(text);
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (level, message) = match bracketed.and_then(|(name, rest)| Some((Level::parse(name)?, rest))) {
            Some((level, rest)) => (level, rest.trim_start()),
            None if self.panicking => (Level::Error, text),
            None => (Level::Debug, text),
        };
        Line {
            level,
            message: message.to_owned(),
            module: String::new(),
            timestamp: String::new(),
            details: BTreeMap::new(),
        }
    }
}

/// Whether a line is the first one of a crash in Go.
pub fn is_panic(text: &str) -> bool {
    text.starts_with("panic: ") || text.starts_with("fatal error: ")
}

fn structured(text: &str) -> Option<Line> {
    if !text.starts_with('{') {
        return None;
    }
    let mut details: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let mut take = |key: &str| match details.remove(key) {
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let (message, level) = (take("@message"), take("@level"));
    let (module, timestamp) = (take("@module"), take("@timestamp"));
    Some(Line { level: Level::parse(&level).unwrap_or(Level::Debug), message, module, timestamp, details })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parser: &mut Parser, text: &str, level: Level, message: &str) -> Line {
        let line = parser.parse(text);
        assert_eq!((line.level, line.message.as_str()), (level, message), "{text}");
        line
    }

    #[test]
    fn levels_come_from_json_brackets_and_panics() {
        let parser = &mut Parser::default();
        let line = check(
            parser,
            r#"{"@level":"warn","@message":"slow","@module":"sdk","@timestamp":"2026-01-02T03:04:05.000000Z","tf_rpc":"ReadResource"}"#,
            Level::Warn,
            "slow",
        );
        assert_eq!((line.module.as_str(), &line.details["tf_rpc"]), ("sdk", &"ReadResource".into()));
        check(parser, "[ERROR] no", Level::Error, "no");
        check(parser, "[x] no", Level::Debug, "[x] no");
        check(parser, "{not json", Level::Debug, "{not json");
        check(parser, "panic: index out of range", Level::Error, "panic: index out of range");
        check(parser, "goroutine 1 [running]:", Level::Error, "goroutine 1 [running]:");
    }
}
