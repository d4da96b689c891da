//! Where results and remarks go: results to standard output, progress and diagnostics to standard error.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Arc;

use plumb_model::{Diagnostics, Sources};

use crate::explain;
use crate::render::diagnostic;
use crate::render::events::ui_json::{self, JsonLines};
use crate::render::style::Style;

/// How the command ends; scripts branch on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Wrong usage, wrong configuration, trouble with a provider or with a disk.
    Error = 1,
    /// The plan has changes (`-detailed-exitcode`).
    Changes = 2,
    /// `fmt -check` found a file that is not in the layout.
    NotFormatted = 3,
    /// The plan is not of the present state.
    Stale = 6,
    /// Somebody else holds the lock.
    Locked = 7,
}

impl Exit {
    /// `fmt` could not read or understand a file; Terraform ends with 2 there, too.
    pub const UNREADABLE: Exit = Exit::Changes;
}

/// The streams of a command.
pub struct Ui {
    /// How standard output is written.
    pub out: Style,
    /// How standard error is written.
    pub err: Style,
    /// Whether everything that happens is told as lines of JSON on standard output.
    pub json: bool,
}

impl Ui {
    /// Decides about colours and widths.
    pub fn new(no_color: bool, json: bool) -> Ui {
        Ui { out: Style::stdout(no_color), err: Style::stderr(no_color), json }
    }

    /// Lines of JSON on standard output.
    pub fn lines(&self, sources: &Sources) -> JsonLines<io::Stdout> {
        JsonLines::new(io::stdout(), Arc::new(sources.clone()), ui_json::now)
    }

    /// Writes a result. A reader that has gone away ends the command quietly.
    pub fn result(&self, text: &str) {
        self.write_result(|out| out.write_all(text.as_bytes()));
    }

    /// Writes a long result piece by piece.
    pub fn write_result(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut out = BufWriter::new(io::stdout().lock());
        // Nothing can be told to somebody who does not listen: `plumb state list | head` is not an error.
        let _ = write(&mut out).and_then(|()| out.flush());
    }

    /// Writes a remark for people.
    pub fn remark(&self, text: &str) {
        if self.json {
            return;
        }
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Tells that something was done or begins, for people or as a line of JSON with a code that Terraform gives it.
    pub fn step(&self, code: &str, text: &str) {
        if self.json {
            self.lines(&Sources::new()).step(code, text);
        } else {
            self.remark(text);
        }
    }

    /// Shows diagnostics; gives whether there are errors among them.
    pub fn diagnostics(&self, diagnostics: &Diagnostics, sources: &Sources) -> bool {
        if self.json {
            let mut lines = self.lines(sources);
            diagnostics.iter().for_each(|diagnostic| lines.diagnostic(diagnostic));
        } else if !diagnostics.is_empty() {
            let mut text = diagnostic::text(diagnostics, sources, &self.err);
            let explained = diagnostics.iter().filter(|d| d.is_error()).find_map(|d| explain::page(d.code));
            if let Some(page) = explained.filter(|_| io::stderr().is_terminal()) {
                text.push_str(&format!("`plumb explain {}` says more about this error.\n", page.code));
            }
            let _ = io::stderr().lock().write_all(text.as_bytes());
        }
        diagnostics.has_errors()
    }

    /// Asks for `yes`; `None` if nobody is there to answer.
    pub fn confirm(&self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let mut err = io::stderr().lock();
        let _ = write!(err, "\n{question}\n  Only `yes` is accepted: ").and_then(|()| err.flush());
        let mut answer = String::new();
        match io::stdin().read_line(&mut answer) {
            Ok(read) if read > 0 => Some(answer.trim() == "yes"),
            _ => Some(false),
        }
    }
}
