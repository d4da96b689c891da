//! Asking somebody at the terminal for the values of variables.
//!
//! Questions go to standard error. What is typed for a sensitive or ephemeral variable is not shown, and no answer is
//! kept anywhere but in the evaluation.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use ecow::EcoString;
use plumb_semantics::inputs::InputOption;
use plumb_semantics::program::VariableDecl;
use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use crate::render::style::Role;
use crate::ui::Ui;

/// What becomes of variables of the root module that have no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Whoever sits at the terminal is asked; where nobody does, it is an error.
    Ask,
    /// It is an error.
    Refuse,
    /// They stay unknown: nothing is planned or done with them.
    Leave,
}

impl Missing {
    /// By the flag `-input`, and the variable `TF_INPUT` that scripts for Terraform set.
    pub fn by_flag(input: bool) -> Missing {
        let forbidden = std::env::var("TF_INPUT").is_ok_and(|text| matches!(text.as_str(), "0" | "false"));
        if input && !forbidden { Missing::Ask } else { Missing::Refuse }
    }
}

/// Asks for the values of variables, in this order; gives what was answered before the input ended. Nobody is asked
/// where nobody would see the question or could answer.
pub fn values(variables: &[&VariableDecl], ui: &Ui) -> Vec<InputOption> {
    if ui.json || variables.is_empty() || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Vec::new();
    }
    let mut answers = Vec::with_capacity(variables.len());
    for decl in variables {
        let Some(answer) = value(decl, ui) else { break };
        answers.push(InputOption::Answer(decl.name.name.clone(), answer));
    }
    answers
}

/// `None` if the input ended before there was an answer.
fn value(decl: &VariableDecl, ui: &Ui) -> Option<EcoString> {
    let hidden = decl.sensitive || decl.ephemeral;
    // Before the question is seen, since somebody may type at once.
    let quiet = if hidden { Some(Quiet::begin()?) } else { None };
    let mut err = io::stderr().lock();
    err.write_all(question(decl, ui).as_bytes()).and_then(|()| err.flush()).ok()?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer).ok()?;
    drop(quiet);
    let _ = writeln!(err);
    if read == 0 {
        return None;
    }
    Some(answer.trim_end_matches(['\r', '\n']).into())
}

/// While it lives, the terminal does not show what is typed.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> Option<Quiet> {
        let before = termios::tcgetattr(io::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(Quiet(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

fn question(decl: &VariableDecl, ui: &Ui) -> String {
    let remarks: Vec<&str> = [
        decl.ephemeral.then_some("ephemeral"),
        (decl.sensitive || decl.ephemeral).then_some("not shown while you type"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut text = ui.err.paint(Role::Strong, format!("var.{}", decl.name)).to_string();
    if !remarks.is_empty() {
        text.push_str(&format!(" ({})", remarks.join(", ")));
    }
    text.push('\n');
    for line in decl.description.trim().lines() {
        text.push_str(&format!("  {line}\n"));
    }
    if !decl.description.trim().is_empty() {
        text.push('\n');
    }
    text.push_str("  Enter a value: ");
    text
}
