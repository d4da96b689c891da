//! Colours, width, and whether to draw with more than ASCII: decided once per stream, then asked everywhere.
//!
//! `-no-color` comes first, then `NO_COLOR` (any text), then `CLICOLOR_FORCE` (any text but `0`); without these a
//! stream is coloured where it is a terminal that `TERM` does not call `dumb`.

use std::fmt;
use std::io::IsTerminal;

use owo_colors::{AnsiColors, OwoColorize};

/// How wide lines may be where nothing tells: what people expect of a terminal.
pub const DEFAULT_WIDTH: usize = 100;
/// Narrower than this nothing readable can be laid out, so narrower terminals get this.
pub const MIN_WIDTH: usize = 40;

/// How to write to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour.
    pub colour: bool,
    /// Whether to draw with box characters rather than ASCII.
    pub unicode: bool,
    /// Columns to lay prose out in. Values are never wrapped.
    pub width: usize,
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What comes into being.
    Add,
    /// What ceases to exist.
    Remove,
    /// What changes.
    Change,
    /// What is read.
    Read,
    /// What stands out: headings, counts.
    Strong,
    /// What may be passed over.
    Faint,
    /// What needs care.
    Warning,
    /// What went wrong.
    Error,
    /// What went well.
    Good,
}

impl Style {
    /// Without colours, in ASCII, of [`DEFAULT_WIDTH`].
    pub fn plain() -> Style {
        Style { colour: false, unicode: false, width: DEFAULT_WIDTH }
    }

    /// The style of standard output.
    pub fn stdout(no_color: bool) -> Style {
        let width = terminal_size::terminal_size_of(std::io::stdout()).map(|(w, _)| usize::from(w.0));
        Style::of(std::io::stdout().is_terminal(), width, no_color, &|name| std::env::var(name).ok())
    }

    /// The style of standard error.
    pub fn stderr(no_color: bool) -> Style {
        let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(w, _)| usize::from(w.0));
        Style::of(std::io::stderr().is_terminal(), width, no_color, &|name| std::env::var(name).ok())
    }

    /// The style of a stream: whether it is a terminal, how wide it is, whether `-no-color` was given, and the
    /// environment.
    pub fn of(
        terminal: bool,
        width: Option<usize>,
        no_color: bool,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Style {
        let set = |name: &str| env(name).is_some_and(|v| !v.is_empty());
        let forced = env("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0");
        let dumb = env("TERM").is_some_and(|v| v == "dumb");
        let colour = !no_color && !set("NO_COLOR") && (forced || terminal && !dumb);
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| env(n).filter(|v| !v.is_empty()));
        let utf8 = locale.is_none_or(|l| {
            let l = l.to_ascii_lowercase();
            l.contains("utf-8") || l.contains("utf8")
        });
        Style {
            colour,
            unicode: terminal && !dumb && utf8,
            width: width.unwrap_or(DEFAULT_WIDTH).max(MIN_WIDTH),
        }
    }

    /// The text in the colour of its role, or as it is.
    pub fn paint<T: fmt::Display>(&self, role: Role, text: T) -> Painted<T> {
        Painted { text, role: self.colour.then_some(role) }
    }
}

/// Text with its colour; shows itself.
#[derive(Clone, Copy, Debug)]
pub struct Painted<T> {
    text: T,
    role: Option<Role>,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(role) = self.role else { return self.text.fmt(f) };
        let style = match role {
            Role::Add | Role::Good => owo_colors::Style::new().color(AnsiColors::Green),
            Role::Remove => owo_colors::Style::new().color(AnsiColors::Red),
            Role::Change | Role::Warning => owo_colors::Style::new().color(AnsiColors::Yellow),
            Role::Read => owo_colors::Style::new().color(AnsiColors::Cyan),
            Role::Strong => owo_colors::Style::new().bold(),
            Role::Faint => owo_colors::Style::new().dimmed(),
            Role::Error => owo_colors::Style::new().color(AnsiColors::Red).bold(),
        };
        write!(f, "{}", self.text.style(style))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(terminal: bool, no_color: bool, env: &[(&str, &str)]) -> bool {
        Style::of(terminal, None, no_color, &|name| {
            env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        })
        .colour
    }

    #[test]
    fn colours_follow_the_flag_then_the_environment_then_the_terminal() {
        assert!(colour(true, false, &[]));
        assert!(!colour(false, false, &[]));
        assert!(!colour(true, true, &[("CLICOLOR_FORCE", "1")]));
        assert!(!colour(true, false, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
        assert!(colour(true, false, &[("NO_COLOR", "")]));
        assert!(colour(false, false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!colour(false, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!colour(true, false, &[("TERM", "dumb")]));
    }
}
