//! What happens while a command works, shown as it happens.
//!
//! [`Lines`] writes a line for each step that begins, lasts or ends: for files, pipes and CI. [`Live`](live::Live)
//! keeps what is running at the bottom of a terminal. [`JsonLines`](ui_json::JsonLines) writes the lines that
//! Terraform's `-json` has. All say the same in the words of this module.

pub mod live;
pub mod ui_json;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ecow::EcoString;
use plumb_engine::event::{Event, Listener};
use plumb_engine::plan::Action;
use plumb_model::Sources;

use super::style::{Role, Style};
use super::{diagnostic, escape, value};

/// What tells an object apart: attribute name and text.
type Id = Option<(EcoString, EcoString)>;

/// How often [`Lines`] says that objects are still being read.
const READING: Duration = Duration::from_secs(10);

/// The words for an action while it goes on, when it is done, and what it does.
struct Verbs {
    doing: &'static str,
    done: &'static str,
    noun: &'static str,
}

fn verbs(action: Action) -> Verbs {
    let (doing, done, noun) = match action {
        Action::Create | Action::DeleteThenCreate | Action::CreateThenDelete => {
            ("Creating", "created", "Creation")
        }
        Action::Read => ("Reading", "read", "Read"),
        Action::Update => ("Modifying", "modified", "Modifications"),
        Action::Delete => ("Destroying", "destroyed", "Destruction"),
        Action::Forget => ("Forgetting", "forgotten", "Forgetting"),
        Action::NoOp => ("Recording", "recorded", "Recording"),
    };
    Verbs { doing, done, noun }
}

/// A length of time in whole seconds: `0s`, `1m5s`, `2h0m1s`.
pub fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (h, m) {
        (0, 0) => format!("{s}s"),
        (0, _) => format!("{m}m{s}s"),
        _ => format!("{h}h{m}m{s}s"),
    }
}

fn id_text(id: &Id) -> String {
    match id {
        Some((name, text)) => format!(" [{}={}]", escape::line(name), escape::line(text)),
        None => String::new(),
    }
}

/// One line on an event, without control characters; `None` for a diagnostic, which takes several.
pub fn sentence(event: &Event) -> Option<String> {
    let line = |address: &dyn std::fmt::Display, text: String| {
        Some(format!("{}: {text}", escape::line(&address.to_string())))
    };
    match event {
        Event::ReadStarted { address, id } => line(address, format!("Refreshing state...{}", id_text(id))),
        Event::ReadEnded { address, id, .. } => line(address, format!("Refresh complete{}", id_text(id))),
        Event::StepStarted { address, action, id } => {
            line(address, format!("{}...{}", verbs(*action).doing, id_text(id)))
        }
        Event::StepProgress { address, action, elapsed } => {
            let doing = verbs(*action).doing.to_lowercase();
            line(address, format!("Still {doing}... [{} elapsed]", duration(*elapsed)))
        }
        Event::StepEnded { address, action, id, took } => {
            // What is destroyed has no id any more.
            let id = if *action == Action::Delete { String::new() } else { id_text(id) };
            line(address, format!("{} complete after {}{id}", verbs(*action).noun, duration(*took)))
        }
        Event::StepFailed { address, action, took } => {
            line(address, format!("{} failed after {}", verbs(*action).noun, duration(*took)))
        }
        Event::StepSkipped { address, action, because } => {
            let done = verbs(*action).done;
            line(address, format!("Not {done}, since {} failed", escape::line(because)))
        }
        Event::ProvisionStarted { address, kind } => {
            line(address, format!("Provisioning with '{}'...", escape::line(kind)))
        }
        // What comes next, or the error, tells that a provisioner has run.
        Event::ProvisionEnded { .. } => None,
        Event::InvokeStarted { address } => line(address, "Invoking...".into()),
        Event::InvokeProgress { address, message } => line(address, escape::line(message).into_owned()),
        Event::InvokeEnded { address, took, done } => {
            let how = if *done { "complete" } else { "failed" };
            line(address, format!("Invocation {how} after {}", duration(*took)))
        }
        Event::Output { from, line: text } => line(from, escape::line(text).into_owned()),
        Event::Diagnostic(_) => None,
    }
}

fn role(event: &Event) -> Option<Role> {
    match event {
        Event::StepEnded { .. } | Event::InvokeEnded { done: true, .. } => Some(Role::Good),
        Event::StepFailed { .. } | Event::InvokeEnded { done: false, .. } => Some(Role::Error),
        Event::StepSkipped { .. } => Some(Role::Warning),
        Event::ReadStarted { .. } | Event::ReadEnded { .. } | Event::StepProgress { .. } => Some(Role::Faint),
        _ => None,
    }
}

fn painted(event: &Event, style: &Style) -> Option<String> {
    let sentence = sentence(event)?;
    Some(match role(event) {
        Some(role) => style.paint(role, sentence).to_string(),
        None => sentence,
    })
}

/// Writes a line for each step. Objects that are read are counted now and then, since there may be many of them.
///
/// What cannot be written is lost: work does not stop because nobody listens.
pub struct Lines<W> {
    out: W,
    style: Style,
    sources: Arc<Sources>,
    read: usize,
    said: Instant,
}

impl<W: Write + Send> Lines<W> {
    /// Lines that go to `out`, with the sources that diagnostics are about.
    pub fn new(out: W, style: Style, sources: Arc<Sources>) -> Lines<W> {
        Lines { out, style, sources, read: 0, said: Instant::now() }
    }

    fn count_reading(&mut self) {
        self.read += 1;
        if self.said.elapsed() >= READING {
            self.said = Instant::now();
            let _ = writeln!(self.out, "Read {} so far...", value::count(self.read, "object"));
        }
    }
}

impl<W: Write + Send> Listener for Lines<W> {
    fn event(&mut self, event: Event) {
        match &event {
            Event::ReadStarted { .. } => {}
            Event::ReadEnded { .. } => self.count_reading(),
            Event::Diagnostic(d) => {
                let _ = writeln!(self.out, "{}", diagnostic::one(d, &self.sources, &self.style));
            }
            event => {
                if let Some(line) = painted(event, &self.style) {
                    let _ = writeln!(self.out, "{line}");
                }
            }
        }
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests;
