//! Tries the examples of a document with the real binary.

use std::io::Write as _;
use std::process::Stdio;

use plumb_model::SourceId;
use plumb_syntax::{Dialect, parse};

use crate::fences::{Document, Fence, Part};
use crate::support::{Run, Workspace, transcript};

const TAGS: &[&str] = &["check", "plan", "apply", "error", "warning", "file", "scope"];
const PLAIN: &[&str] = &["text", "sh", "mermaid", "go", "rust", "toml", "yaml"];

/// Tries all examples of a document in their order; says which are not as they are shown, as `LINE: what`. With
/// `update`, what is shown is replaced by what is true.
pub fn examples(document: &mut Document, update: bool) -> Vec<String> {
    let mut runner = Runner { files: Vec::new(), scope: None, shell: None, shown: None, update };
    let mut wrong = Vec::new();
    for part in &mut document.parts {
        if let Part::Fence(fence) = part
            && let Err(what) = runner.try_one(fence)
        {
            wrong.push(format!("{}: {what}", fence.line));
        }
    }
    if runner.shown.is_some() {
        wrong.push("the last example has an error that is not shown behind it in a fence `text`".to_owned());
    }
    wrong
}

struct Runner {
    /// Files for the next example, from fences with `file=`.
    files: Vec<(String, String)>,
    /// The configuration that expressions are evaluated in.
    scope: Option<Workspace>,
    /// Where commands are run.
    shell: Option<Workspace>,
    /// What the last example showed, which has to stand in the next fence.
    shown: Option<String>,
    update: bool,
}

impl Runner {
    fn try_one(&mut self, fence: &mut Fence) -> Result<(), String> {
        if let Some(shown) = self.shown.take() {
            if fence.language() != "text" {
                return Err("wanted a fence `text` with what the example before it shows".to_owned());
            }
            return self.compare(fence, &transcript::without_edges(&shown));
        }
        let unknown = fence.tags_besides(TAGS);
        if !unknown.is_empty() {
            return Err(format!("the tag `{}` means nothing", unknown.join("`, `")));
        }
        if let Some(name) = fence.tag("file") {
            self.files.push((name.to_owned(), fence.text()));
            return Ok(());
        }
        match fence.language() {
            "cfg" | "tf" | "json" => self.configuration(fence),
            "console" if fence.lines.first().is_some_and(|line| line.starts_with("> ")) => {
                self.expressions(fence)
            }
            "console" => self.commands(fence),
            other if PLAIN.contains(&other) => Ok(()),
            other => Err(format!("examples in `{other}` are not known")),
        }
    }

    /// Whether a fence shows these lines; with `update` it does afterwards.
    fn compare(&self, fence: &mut Fence, lines: &[&str]) -> Result<(), String> {
        if self.update && !transcript::matches(&fence.lines, lines) {
            fence.lines = lines.iter().map(|line| line.trim_end().to_owned()).collect();
        }
        if transcript::matches(&fence.lines, lines) {
            return Ok(());
        }
        Err(format!("what is shown is not\n{}\nbut\n{}", fence.lines.join("\n"), lines.join("\n")))
    }

    fn configuration(&mut self, fence: &Fence) -> Result<(), String> {
        let (name, dialect) = match fence.language() {
            "cfg" => ("main.cfg", Dialect::Native),
            "tf" => ("main.tf", Dialect::Terraform),
            _ => ("main.tf.json", Dialect::Terraform),
        };
        let command = ["plan", "apply"].into_iter().find(|name| fence.tag(name).is_some());
        let wanted = ["check", "scope", "error", "warning"].iter().any(|name| fence.tag(name).is_some());
        if command.is_none() && !wanted {
            if fence.language() == "json" {
                return Err("JSON is tried with `check`, or a file with `file=`".to_owned());
            }
            let found = parse(SourceId(0), &fence.text(), dialect).diagnostics;
            return match found.iter().next() {
                Some(first) => Err(format!("it does not parse: {} {}", first.summary, first.detail)),
                None => Ok(()),
            };
        }
        let workspace = self.workspace(&[(name, &fence.text())]);
        let run = match command {
            Some("apply") => workspace.plumb(&["apply", "-auto-approve"]),
            Some(command) => workspace.plumb(&[command]),
            None => workspace.plumb(&["validate"]),
        };
        let code = |kind| fence.tag(kind).map(|code| format!("[{code}]"));
        if let Some(code) = code("error") {
            if run.code == Some(0) || !run.stderr.contains(&code) {
                return Err(format!("it does not lead to {code}: {run}"));
            }
            self.shown = Some(run.stderr);
        } else if run.code != Some(0) {
            return Err(format!("it fails: {run}"));
        } else if let Some(code) = code("warning") {
            if !run.stderr.contains(&code) {
                return Err(format!("it does not lead to {code}: {run}"));
            }
            self.shown = Some(run.stderr.clone());
        } else if fence.tag("scope").is_none() && run.stderr.contains("Warning:") {
            return Err(format!("it is warned about, which `warning=CODE` would have to say: {run}"));
        }
        if fence.tag("scope").is_some() {
            self.scope = Some(workspace);
        }
        Ok(())
    }

    /// A directory with the files that were given, and these.
    fn workspace(&mut self, more: &[(&str, &str)]) -> Workspace {
        let workspace = Workspace::new(more).with("LANG", "C.UTF-8");
        for (name, text) in self.files.drain(..) {
            workspace.write(&name, &text);
        }
        workspace
    }

    /// Expressions, each in a line that begins with `> `, with its result or the error below.
    fn expressions(&mut self, fence: &mut Fence) -> Result<(), String> {
        let lines: Vec<&str> = fence.lines.iter().map(String::as_str).collect();
        let written = transcript::commands(&lines, "> ");
        let scope = match self.scope.take() {
            Some(scope) => scope,
            None => self.workspace(&[("main.cfg", "locals {}\n")]),
        };
        let mut shown = Vec::new();
        let mut failed = String::new();
        for (expression, _) in &written {
            let run = console(&scope, expression);
            shown.push(format!("> {expression}"));
            let output = if run.code == Some(0) { &run.stdout } else { &run.stderr };
            shown.extend(transcript::without_edges(output).into_iter().map(str::to_owned));
            if run.code != Some(0) {
                failed.push_str(&run.stderr);
            }
        }
        self.scope = Some(scope);
        match fence.tag("error") {
            Some(code) if !failed.contains(&format!("[{code}]")) => {
                return Err(format!("it does not lead to [{code}]: {failed}"));
            }
            None if !failed.is_empty() => return Err(format!("an expression fails: {failed}")),
            _ => {}
        }
        self.compare(fence, &shown.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Commands for a shell, each in a line that begins with `$ `, with what they print below.
    fn commands(&mut self, fence: &mut Fence) -> Result<(), String> {
        let lines: Vec<&str> = fence.lines.iter().map(String::as_str).collect();
        let written = transcript::commands(&lines, "$ ");
        if self.shell.is_none() || !self.files.is_empty() {
            self.shell = Some(self.workspace(&[]));
        }
        let shell = self.shell.as_ref().expect("it was just made");
        let mut shown = Vec::new();
        let mut wrong = None;
        for (command, expected) in &written {
            let run = shell.shell(&format!("exec 2>&1\n{command}"));
            let (output, code) = transcript::exit_code(expected);
            let lines = transcript::without_edges(&run.stdout);
            shown.extend(command.lines().enumerate().map(|(at, line)| match at {
                0 => format!("$ {line}"),
                _ => format!("> {line}"),
            }));
            let as_shown = transcript::matches(output, &lines) && run.code == Some(code);
            if as_shown || !self.update {
                shown.extend(expected.iter().cloned());
            } else {
                shown.extend(lines.iter().map(|line| line.trim_end().to_owned()));
                shown.extend(run.code.filter(|code| *code != 0).map(|code| format!("(exit code {code})")));
            }
            if !as_shown && !self.update {
                wrong = Some(format!("what is shown is not\n{}\nbut {run}", expected.join("\n")));
            }
        }
        if self.update {
            fence.lines = shown;
        }
        if let Some(code) = fence.tag("error")
            && !fence.text().contains(&format!("[{code}]"))
        {
            return Err(format!("it does not lead to [{code}]: {}", fence.text()));
        }
        wrong.map_or(Ok(()), Err)
    }
}

/// What `plumb console` says to one expression.
fn console(workspace: &Workspace, expression: &str) -> Run {
    let mut command = workspace.command(&["console"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("plumb starts");
    let mut input = child.stdin.take().expect("it was asked for");
    // The result tells of a console that does not read.
    let _ = input.write_all(expression.as_bytes());
    drop(input);
    Run::of(format!("plumb console: {expression}"), child.wait_with_output().expect("its output can be read"))
}
