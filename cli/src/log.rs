//! What plugins log, shown on request.
//!
//! `TF_LOG_PROVIDER`, or else `TF_LOG`, names the least important level that is shown: `trace`, `debug`, `info`, `warn` or `error`;
//! `json` shows everything as JSON lines. `TF_LOG_PATH` names a file that lines are added to instead of standard error.
//! Each line carries the address of the provider that said it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use plumb_provider_host::log::{Level, Line, Log, Silent};

use crate::render::escape;

/// Shows lines from a level on.
struct Shown {
    least: Level,
    json: bool,
    file: Option<Mutex<File>>,
}

/// What the environment asks for.
pub fn from_environment() -> Arc<dyn Log> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(wanted) = variable("TF_LOG_PROVIDER").or_else(|| variable("TF_LOG")) else {
        return Arc::new(Silent);
    };
    let Some(least) = level(&wanted) else { return Arc::new(Silent) };
    let json = wanted.eq_ignore_ascii_case("json");
    // A file that cannot be written to is no reason to lose the lines.
    let file =
        variable("TF_LOG_PATH").and_then(|path| OpenOptions::new().create(true).append(true).open(path).ok());
    Arc::new(Shown { least, json, file: file.map(Mutex::new) })
}

/// The least level for the value of a variable; `None` for silence. Whatever is not a level means everything.
fn level(text: &str) -> Option<Level> {
    match text.to_ascii_lowercase().as_str() {
        "off" => None,
        "error" => Some(Level::Error),
        "warn" => Some(Level::Warn),
        "info" => Some(Level::Info),
        "debug" => Some(Level::Debug),
        _ => Some(Level::Trace),
    }
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// One line for people.
fn text(provider: &str, line: &Line) -> String {
    let time = if line.timestamp.is_empty() { now() } else { line.timestamp.clone() };
    let level = format!("[{}]", line.level.name().to_ascii_uppercase());
    let mut text = format!("{time} {level:<7} {provider}");
    if !line.module.is_empty() {
        text.push_str(&format!(" ({})", line.module));
    }
    text.push_str(&format!(": {}", line.message));
    for (key, value) in &line.details {
        text.push_str(&format!(" {key}={value}"));
    }
    escape::line(&text).into_owned()
}

/// One line for programs.
fn json(provider: &str, line: &Line) -> String {
    let mut object: serde_json::Map<String, serde_json::Value> = line.details.clone().into_iter().collect();
    let time = if line.timestamp.is_empty() { now() } else { line.timestamp.clone() };
    let own = [
        ("@level", line.level.name()),
        ("@message", &line.message),
        ("@module", &line.module),
        ("@provider", provider),
        ("@timestamp", &time),
    ];
    object.extend(own.map(|(key, value)| (key.to_owned(), value.into())));
    serde_json::Value::Object(object).to_string()
}

impl Log for Shown {
    fn least(&self) -> Option<Level> {
        Some(self.least)
    }

    fn line(&self, provider: &str, line: Line) {
        if line.level < self.least {
            return;
        }
        let mut text = if self.json { json(provider, &line) } else { text(provider, &line) };
        text.push('\n');
        // Nothing can be done about a log that cannot be written.
        let _ = match &self.file {
            Some(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes()),
            None => io::stderr().lock().write_all(text.as_bytes()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_their_provider() {
        let line = Line {
            level: Level::Warn,
            message: "slow \u{1b}[31m".into(),
            module: "sdk".into(),
            timestamp: "2026-01-02T03:04:05.000Z".into(),
            details: [("tf_rpc".to_owned(), "ReadResource".into())].into(),
        };
        let shown = text("example.com/acme/probe", &line);
        assert!(
            shown.starts_with("2026-01-02T03:04:05.000Z [WARN]  example.com/acme/probe (sdk): slow "),
            "{shown}"
        );
        assert!(shown.ends_with(" tf_rpc=\"ReadResource\"") && !shown.contains('\u{1b}'), "{shown}");
        let parsed: serde_json::Value = serde_json::from_str(&json("example.com/acme/probe", &line)).unwrap();
        assert_eq!(
            (&parsed["@level"], &parsed["@provider"]),
            (&"warn".into(), &"example.com/acme/probe".into())
        );
    }

    #[test]
    fn levels_are_named_as_people_know_them() {
        for (text, wanted) in [("WARN", Some(Level::Warn)), ("1", Some(Level::Trace)), ("off", None)] {
            assert_eq!(level(text), wanted, "{text}");
        }
    }
}
