//! The provider `command`: objects that commands on this machine create, read, update and delete.
//!
//! `create`, `update` and `delete` outlive Plumb where there is a folder to remember them in (`ledger`): when it is
//! killed, the next read waits for their end and takes what they did, so that nothing is made twice.
//!
//! Elsewhere: starting and ending processes is `process`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plumb_model::{Diagnostic, Diagnostics, Path, Severity, Value, json};
use plumb_provider_api::Provider;
use plumb_provider_sdk::check::{not_empty, one_of};
use plumb_provider_sdk::{
    Attr, Checks, Context, DataSource, Failed, Model, Planning, ProviderBuilder, Resource, Stop, async_trait,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod ledger;
mod process;

use crate::duration::parse_duration;
use ledger::{Found, Ledger};
use process::{Job, Outcome};

/// The provider. Commands that change something are remembered in `folder` until what they did is recorded; without it,
/// those that are interrupted with Plumb are in doubt.
pub fn provider(folder: Option<PathBuf>) -> Arc<dyn Provider> {
    let ledger = folder.map(|folder| Arc::new(Ledger::new(folder)));
    let builder = ProviderBuilder::new("command")
        .resource("command", Commands { ledger: ledger.clone() })
        .data_source("command", RunCommand);
    match ledger {
        Some(ledger) => builder.on_shutdown(move || ledger.tidy()).build(),
        None => builder.build(),
    }
}

type Environment = BTreeMap<String, String>;

/// An object that commands manage.
///
/// A command is a list: a program and its arguments. No shell reads it, unless `shell` or `interpreter` says so.
/// Commands run in the environment of Plumb, to which `PLUMB_OPERATION` (`create`, `read`, `update`, `delete`),
/// `PLUMB_ID` and, once there is one, `PLUMB_OUTPUT` are added.
///
/// Exit code 0 means success. When `create` fails, the object counts as damaged, and is deleted and created anew
/// by the next apply; unless `read` then says that there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Command {
    /// Creates the object.
    #[attribute(required)]
    pub create: Attr<Vec<String>>,
    /// Shows the object on standard output, which becomes `output`. When the output differs from the one that
    /// was recorded, the object has drifted and is updated. Without it, drift is not noticed.
    #[attribute(optional)]
    pub read: Attr<Vec<String>>,
    /// Changes the object when another argument of it changes, or when it has drifted. Without it, the object is
    /// replaced.
    #[attribute(optional)]
    pub update: Attr<Vec<String>>,
    /// Deletes the object. Without it, the object is forgotten.
    #[attribute(optional)]
    pub delete: Attr<Vec<String>>,
    /// Whether commands are of one element that `/bin/sh` reads.
    #[attribute(default = false)]
    pub shell: Attr<bool>,
    /// A program with arguments that reads the commands: it is put before each.
    #[attribute(optional)]
    pub interpreter: Attr<Vec<String>>,
    /// What commands find on standard input.
    #[attribute(optional)]
    pub stdin: Attr<String>,
    /// Environment variables.
    #[attribute(optional)]
    pub environment: Attr<Environment>,
    /// Environment variables that are never shown.
    #[attribute(optional, sensitive)]
    pub sensitive_environment: Attr<Environment>,
    /// Where commands run.
    #[attribute(optional)]
    pub working_dir: Attr<String>,
    /// How long each command may take: a number with `ms`, `s`, `m` or `h`. Then it is ended, with all processes
    /// that it started.
    #[attribute(default = "10m")]
    pub timeout: Attr<String>,
    /// Any value. When it changes, the object is replaced.
    #[attribute(optional, requires_replace)]
    pub triggers_replace: Attr<Value>,
    /// Exit codes of `read` that mean that the object does not exist.
    #[attribute(default = vec![1])]
    pub absent_exit_codes: Attr<Vec<i64>>,
    /// How the output is understood: `text`, of which the last line end is dropped, or `json`.
    #[attribute(default = "text")]
    pub output_format: Attr<String>,
    /// Whether the output is a secret: then only `sensitive_output` has it.
    #[attribute(default = false)]
    pub sensitive: Attr<bool>,
    /// A random UUID.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
    /// Output of `read`; where there is no such command, of the last `create` or `update`.
    #[attribute(computed)]
    pub output: Attr<Value>,
    /// The same, never shown, if it is a secret.
    #[attribute(computed, sensitive)]
    pub sensitive_output: Attr<Value>,
    /// Standard output of the last `create` or `update`, as it is.
    #[attribute(computed)]
    pub stdout: Attr<String>,
    /// Standard error of the last `create` or `update`.
    #[attribute(computed)]
    pub stderr: Attr<String>,
    /// Exit code of the last `create` or `update`.
    #[attribute(computed)]
    pub exit_code: Attr<i64>,
}

/// Arguments that the object is made from: when one changes, so must the object.
const MADE_FROM: [&str; 7] =
    ["create", "shell", "interpreter", "stdin", "environment", "sensitive_environment", "working_dir"];

/// What commands say.
const OUTPUTS: [&str; 5] = ["output", "sensitive_output", "stdout", "stderr", "exit_code"];

/// What is remembered with an object.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    /// The id, chosen when the creation is planned, so that a creation that is interrupted keeps it.
    #[serde(default)]
    id: String,
    /// Whether the output was found to differ since the last change.
    #[serde(default)]
    drifted: bool,
    /// Whether an interrupted creation turned out to have failed.
    #[serde(default)]
    damaged: bool,
}

/// The attribute that has the output.
fn shown_output(plan: &Planning<'_>) -> &'static str {
    match plan.planned_value("sensitive").as_bool() {
        Some(true) => "sensitive_output",
        _ => "output",
    }
}

struct Commands {
    ledger: Option<Arc<Ledger>>,
}

#[async_trait]
impl Resource for Commands {
    type Model = Command;
    type Client = ();

    fn validate(&self, config: &Command, checks: &mut Checks) {
        for (name, command) in [
            ("create", &config.create),
            ("read", &config.read),
            ("update", &config.update),
            ("delete", &config.delete),
        ] {
            check_command(checks, name, command, &config.shell);
        }
        check_common(checks, &config.shell, &config.interpreter, &config.timeout, &config.output_format);
        checks.attribute("working_dir", &config.working_dir, not_empty());
    }

    async fn plan(&self, plan: &mut Planning<'_>, context: &mut Context<()>) -> Result<(), Diagnostics> {
        let mut remembered: Remembered = context.private.get();
        if plan.is_create() {
            remembered = Remembered { id: Uuid::new_v4().to_string(), ..Remembered::default() };
            context.private.set(&remembered);
            return Ok(());
        }
        let changed: Vec<&str> = MADE_FROM.into_iter().filter(|name| plan.changes_attribute(name)).collect();
        if remembered.damaged {
            plan.force_update();
            plan.require_replace(shown_output(plan));
            return Ok(());
        }
        if changed.is_empty() && !remembered.drifted {
            // What else may have changed matters to the next command only.
            let reread = plan.changes_attribute("sensitive") || plan.changes_attribute("output_format");
            for name in OUTPUTS.into_iter().filter(|name| !reread || *name == "exit_code") {
                let prior = plan.prior_value(name).cloned().unwrap_or(Value::NULL);
                plan.set(name, prior);
            }
            return Ok(());
        }
        plan.force_update();
        if plan.planned_value("update").is_null() {
            changed.iter().for_each(|name| plan.require_replace(name));
            if remembered.drifted {
                plan.require_replace(shown_output(plan));
            }
        }
        Ok(())
    }

    async fn create(&self, planned: Command, context: &mut Context<()>) -> Result<Command, Failed<Command>> {
        let remembered: Remembered = context.private.get();
        let id = if remembered.id.is_empty() { Uuid::new_v4().to_string() } else { remembered.id };
        let planned = Command { id: id.into(), ..planned };
        let outcome =
            self.change(&Run::new(&planned)?, "create", &planned, &planned.create, &context.stop).await?;
        created(planned, &outcome, &context.stop).await
    }

    async fn read(
        &self,
        current: Command,
        context: &mut Context<()>,
    ) -> Result<Option<Command>, Diagnostics> {
        let mut remembered: Remembered = context.private.get();
        let known = current.id.known().is_some();
        let interrupted = match known {
            true => self.end_of_changes(&current).await?,
            false => self.end_of(&remembered.id, "create", &current).await?,
        };
        match interrupted {
            Found::Never | Found::Running if known || self.ledger.is_none() => {}
            Found::Never | Found::Running => return Ok(None),
            Found::Ended(_) if known => return Ok(None),
            Found::Ended(outcome) => {
                let object = Command { id: remembered.id.clone().into(), ..current };
                return match created(object, &outcome, &context.stop).await {
                    Ok(object) => Ok(Some(object)),
                    Err(Failed { diagnostics, left: plumb_provider_sdk::Left::Object(object) }) => {
                        diagnostics
                            .into_iter()
                            .for_each(|problem| context.warn(interrupted_failure(problem)));
                        remembered.damaged = true;
                        context.private.set(&remembered);
                        Ok(Some(*object))
                    }
                    Err(_) => Ok(None),
                };
            }
            Found::Doubt => {}
        }
        if current.read.is_null() {
            if current.id.is_null() {
                context.warn(unfindable("`read`, so that Plumb can look for the object"));
                return Ok(None);
            }
            return Ok(Some(current));
        }
        let current = match known {
            true => current,
            false => Command { id: remembered.id.clone().into(), ..current },
        };
        let Some(output) = Run::new(&current)?.look(&current, &context.stop).await? else { return Ok(None) };
        let recorded = (current.output.clone(), current.sensitive_output.clone());
        let found = current.with_output(output).map_err(|failed| failed.diagnostics)?;
        if known && recorded != (found.output.clone(), found.sensitive_output.clone()) {
            remembered.drifted = true;
            context.private.set(&remembered);
        }
        Ok(Some(found))
    }

    async fn update(
        &self,
        prior: Command,
        planned: Command,
        context: &mut Context<()>,
    ) -> Result<Command, Failed<Command>> {
        let mut remembered: Remembered = context.private.get();
        if prior.made_from() == planned.made_from() && !remembered.drifted {
            return if planned.output.is_unknown() { planned.reread(&prior) } else { Ok(planned) };
        }
        let run = Run::new(&planned)?.with_output(&prior);
        let outcome = self.change(&run, "update", &planned, &planned.update, &context.stop).await?;
        let object = planned.after(&outcome);
        run.succeeded("update", &outcome).map_err(|failure| {
            // Recorded is what was, so that the next plan tries again.
            Failed { diagnostics: failure, left: plumb_provider_sdk::Left::Unchanged }
        })?;
        remembered.drifted = false;
        context.private.set(&remembered);
        match run.look(&object, &context.stop).await {
            Ok(Some(output)) => object.with_output(output),
            Ok(None) => {
                Err(Failed { diagnostics: absent("update"), left: plumb_provider_sdk::Left::Nothing })
            }
            Err(diagnostics) => Err(Failed::leaving(object, diagnostics)),
        }
    }

    async fn delete(&self, prior: Command, context: &mut Context<()>) -> Result<(), Failed<Command>> {
        if prior.delete.is_null() {
            return Ok(());
        }
        let run = Run::new(&prior)?.with_output(&prior);
        let outcome = self.change(&run, "delete", &prior, &prior.delete, &context.stop).await?;
        Ok(run.succeeded("delete", &outcome)?)
    }
}

impl Commands {
    /// Runs a command that changes an object, to its end.
    async fn change(
        &self,
        run: &Run,
        operation: &'static str,
        object: &Command,
        command: &Attr<Vec<String>>,
        stop: &Stop,
    ) -> Result<Outcome, Diagnostics> {
        let Some(ledger) = &self.ledger else { return run.start(operation, command, stop).await };
        let entry = ledger.entry(object.id.text(), operation);
        let job = run.job(operation, command);
        let outcome = process::run_supervised(job, stop, &entry).await;
        ledger.hand_over(&entry);
        outcome.map_err(|problem| run.not_run(operation, &problem))
    }

    /// What became of an operation that nobody has recorded the outcome of.
    async fn end_of(&self, id: &str, operation: &str, object: &Command) -> Result<Found, Diagnostics> {
        match &self.ledger {
            None => Ok(Found::Never),
            Some(ledger) => Ok(ledger.entry(id, operation).end(Run::new(object)?.timeout).await),
        }
    }

    /// Waits for operations on a recorded object that were interrupted. [`Found::Ended`] if it was deleted.
    async fn end_of_changes(&self, object: &Command) -> Result<Found, Diagnostics> {
        let Some(ledger) = &self.ledger else { return Ok(Found::Never) };
        let id = object.id.text();
        for operation in ["create", "update"] {
            let entry = ledger.entry(id, operation);
            if entry.exists() && !matches!(self.end_of(id, operation, object).await?, Found::Running) {
                ledger.hand_over(&entry);
            }
        }
        let deletion = self.end_of(id, "delete", object).await?;
        Ok(match deletion {
            Found::Ended(outcome) if outcome.exit_code == 0 && object.read.is_null() => Found::Ended(outcome),
            _ => Found::Never,
        })
    }
}

/// The object after the command that created it, which may have failed.
async fn created(planned: Command, outcome: &Outcome, stop: &Stop) -> Result<Command, Failed<Command>> {
    let run = Run::new(&planned)?;
    let object = planned.after(outcome);
    let failure = match run.succeeded("create", outcome) {
        Ok(()) => match run.look(&object, stop).await {
            Ok(Some(output)) => return object.with_output(output),
            Ok(None) => absent("create"),
            Err(diagnostics) => diagnostics,
        },
        // A failed command may have come to nothing, or half of the way.
        Err(failure) => match run.look(&object, stop).await {
            Ok(None) => return Err(failure.into()),
            _ => failure,
        },
    };
    Err(Failed::leaving(object, failure))
}

/// A failure that is history: the plan says what is done about it.
fn interrupted_failure(mut problem: Diagnostic) -> Diagnostic {
    problem.severity = Severity::Warning;
    problem
        .note("It ran when Plumb was interrupted. The object counts as damaged and is going to be replaced.")
}

impl Command {
    /// The values of [`MADE_FROM`].
    fn made_from(&self) -> impl PartialEq + '_ {
        (
            (&self.create, &self.shell, &self.interpreter, &self.stdin),
            (&self.environment, &self.sensitive_environment, &self.working_dir),
        )
    }

    /// The object whose recorded output is only understood, or hidden, differently.
    fn reread(self, prior: &Command) -> Result<Command, Failed<Command>> {
        let recorded = prior.stdout.known().cloned().filter(|_| prior.read.is_null());
        let text = recorded.or_else(|| recorded_text(prior)).unwrap_or_default();
        let shown = |text: &Attr<String>| match self.hidden() {
            false => text.known().cloned().into(),
            true => Attr::Null,
        };
        let (stdout, stderr) = (shown(&prior.stdout), shown(&prior.stderr));
        Command { stdout, stderr, ..self }.with_output(text)
    }

    fn hidden(&self) -> bool {
        self.sensitive.known() == Some(&true)
    }

    /// The object after a command that made it or changed it. Its output is still to come.
    fn after(&self, outcome: &Outcome) -> Command {
        let shown = |text: &str| if self.hidden() { Attr::Null } else { Attr::from(text) };
        Command {
            stdout: shown(&outcome.stdout),
            stderr: shown(&outcome.stderr),
            exit_code: outcome.exit_code.into(),
            output: Attr::Null,
            sensitive_output: Attr::Null,
            ..self.clone()
        }
        .with_raw(&outcome.stdout)
    }

    /// The object with this output as text, for when it cannot be understood.
    fn with_raw(self, stdout: &str) -> Command {
        let text = Attr::from(Value::from(trimmed(stdout)));
        match self.hidden() {
            true => Command { sensitive_output: text, ..self },
            false => Command { output: text, ..self },
        }
    }

    fn with_output(self, stdout: String) -> Result<Command, Failed<Command>> {
        match understood(&stdout, &self.output_format, self.hidden()) {
            Ok(value) if self.hidden() => {
                Ok(Command { output: Attr::Null, sensitive_output: attr(value), ..self })
            }
            Ok(value) => Ok(Command { output: attr(value), sensitive_output: Attr::Null, ..self }),
            Err(diagnostics) => Err(Failed::leaving(self.with_raw(&stdout), diagnostics)),
        }
    }
}

/// The output as it is recorded, as text.
fn recorded_text(object: &Command) -> Option<String> {
    match object.output.known().or(object.sensitive_output.known())? {
        Value::String(text) => Some(text.to_string()),
        value => json::encode(value, &value.ty()).ok(),
    }
}

fn attr(value: Value) -> Attr<Value> {
    if value.is_null() { Attr::Null } else { Attr::Known(value) }
}

fn trimmed(stdout: &str) -> &str {
    stdout.strip_suffix("\r\n").or_else(|| stdout.strip_suffix('\n')).unwrap_or(stdout)
}

/// The value of an output.
fn understood(stdout: &str, format: &Attr<String>, hidden: bool) -> Result<Value, Diagnostics> {
    if format.text() != "json" {
        return Ok(Value::from(trimmed(stdout)));
    }
    let wrong = |problem: String| {
        let found = if hidden {
            "Its output is hidden.".to_owned()
        } else {
            format!("It printed:\n{}", excerpt(stdout))
        };
        Diagnostics::from(
            Diagnostic::error("output-not-json", "Output is not JSON")
                .detail(format!("The output of the command cannot be read as JSON: {problem}. {found}"))
                .help("Set `output_format = \"text\"`, or let the command print one JSON value and nothing else.")
                .attribute(Path::of("output_format")),
        )
    };
    let json = serde_json::from_str(stdout).map_err(|e| wrong(e.to_string()))?;
    json::from_json(&json, &json::implied_type(&json)).map_err(|e| wrong(e.to_string()))
}

/// The end of a long text, where the trouble usually is.
fn excerpt(text: &str) -> &str {
    let mut start = text.len().saturating_sub(4096);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].trim_end()
}

fn absent(command: &'static str) -> Diagnostics {
    Diagnostic::error("object-absent", "Object does not exist")
        .detail(format!("`{command}` succeeded, but `read` says afterwards that there is no object."))
        .help("Check both commands, and `absent_exit_codes`.")
        .attribute(Path::of("read"))
        .into()
}

/// What to say of an interrupted creation that left no trace.
fn unfindable(wanted: &str) -> Diagnostic {
    Diagnostic::warning("creation-in-doubt", "Interrupted creation is in doubt")
        .detail("The creation of this object was interrupted, and nothing tells whether it had come to its end. It is planned again.")
        .help(format!("Look whether the object exists before you apply. For the next time, set {wanted}."))
}

fn check_command(checks: &mut Checks, name: &str, command: &Attr<Vec<String>>, shell: &Attr<bool>) {
    checks.attribute(name, command, |command| match command.first() {
        None => Err("Found an empty list, wanted a program and its arguments.".into()),
        Some(program) if program.is_empty() => Err("Found empty text, wanted the name of a program.".into()),
        Some(_) if shell.known() == Some(&true) && command.len() > 1 => {
            Err("Found several elements, wanted one that the shell reads.".into())
        }
        Some(_) if command.iter().any(|part| part.contains('\0')) => {
            Err("Found a NUL character, which no command can have.".into())
        }
        Some(_) => Ok(()),
    });
}

fn check_common(
    checks: &mut Checks,
    shell: &Attr<bool>,
    interpreter: &Attr<Vec<String>>,
    timeout: &Attr<String>,
    format: &Attr<String>,
) {
    if shell.known() == Some(&true) && interpreter.is_set() {
        checks.error("interpreter", "Found `shell = true` beside it, wanted only one of them.");
    }
    checks.attribute("timeout", timeout, |text| parse_duration(text).map(|_| ()));
    checks.attribute("output_format", format, one_of(&["text", "json"]));
}

/// How the commands of an object are run.
struct Run {
    prefix: Vec<String>,
    stdin: String,
    environment: Environment,
    working_dir: Option<String>,
    timeout: Duration,
    absent: Vec<i64>,
    hidden: bool,
    /// Never shown.
    secrets: Vec<String>,
}

impl Run {
    fn new(object: &Command) -> Result<Run, Diagnostics> {
        let mut run = Run::with(
            &object.shell,
            &object.interpreter,
            &object.stdin,
            &object.environment,
            &object.sensitive_environment,
            &object.working_dir,
            &object.timeout,
            &object.sensitive,
        )?;
        run.absent = object.absent_exit_codes.known().cloned().unwrap_or_default();
        run.environment.insert("PLUMB_ID".into(), object.id.text().to_owned());
        Ok(run)
    }

    #[expect(clippy::too_many_arguments, reason = "they are what the resource and the data source share")]
    fn with(
        shell: &Attr<bool>,
        interpreter: &Attr<Vec<String>>,
        stdin: &Attr<String>,
        environment: &Attr<Environment>,
        sensitive_environment: &Attr<Environment>,
        working_dir: &Attr<String>,
        timeout: &Attr<String>,
        sensitive: &Attr<bool>,
    ) -> Result<Run, Diagnostics> {
        let prefix = match interpreter.known() {
            Some(interpreter) => interpreter.clone(),
            None if shell.known() == Some(&true) => vec!["/bin/sh".into(), "-c".into()],
            None => Vec::new(),
        };
        let secrets = sensitive_environment.known().cloned().unwrap_or_default();
        let mut environment = environment.known().cloned().unwrap_or_default();
        environment.extend(secrets.clone());
        let timeout = parse_duration(timeout.text()).map_err(|problem| {
            Diagnostics::from(
                Diagnostic::error("invalid-attribute-value", "Invalid attribute value")
                    .detail(problem)
                    .attribute(Path::of("timeout")),
            )
        })?;
        Ok(Run {
            prefix,
            stdin: stdin.text().to_owned(),
            environment,
            working_dir: working_dir.known().cloned(),
            timeout,
            absent: Vec::new(),
            hidden: sensitive.known() == Some(&true),
            secrets: secrets.into_values().filter(|secret| !secret.is_empty()).collect(),
        })
    }

    /// Tells commands the output so far.
    fn with_output(mut self, object: &Command) -> Run {
        if let Some(text) = recorded_text(object) {
            self.environment.insert("PLUMB_OUTPUT".into(), text);
        }
        self
    }

    /// Runs a command to its end. An error means that it did not run, or was ended.
    async fn start(
        &self,
        operation: &'static str,
        command: &Attr<Vec<String>>,
        stop: &Stop,
    ) -> Result<Outcome, Diagnostics> {
        let job = self.job(operation, command);
        process::run(job, stop).await.map_err(|problem| self.not_run(operation, &problem))
    }

    fn job(&self, operation: &'static str, command: &Attr<Vec<String>>) -> Job {
        let mut arguments = self.prefix.clone();
        arguments.extend(command.known().cloned().unwrap_or_default());
        let mut environment = self.environment.clone();
        environment.insert("PLUMB_OPERATION".into(), operation.into());
        Job {
            arguments,
            environment,
            stdin: self.stdin.clone(),
            working_dir: self.working_dir.clone(),
            timeout: self.timeout,
        }
    }

    fn not_run(&self, operation: &'static str, problem: &str) -> Diagnostics {
        Diagnostic::error("command-not-run", "Command cannot be run")
            .detail(self.redacted(&format!("`{operation}`: {problem}.")))
            .attribute(Path::of(operation))
            .into()
    }

    /// That a command ended with exit code 0.
    fn succeeded(&self, operation: &'static str, outcome: &Outcome) -> Result<(), Diagnostics> {
        if outcome.exit_code == 0 && outcome.cut_short.is_none() {
            return Ok(());
        }
        let end = match &outcome.cut_short {
            Some(reason) => reason.clone(),
            None => format!("it ended with exit code {}", outcome.exit_code),
        };
        let said = match (self.hidden, excerpt(&outcome.stderr), excerpt(&outcome.stdout)) {
            (true, _, _) => "Its output is hidden.".to_owned(),
            (false, "", "") => "It printed nothing.".to_owned(),
            (false, "", text) | (false, text, _) => format!("It printed:\n{text}"),
        };
        Err(Diagnostic::error("command-failed", "Command failed")
            .detail(self.redacted(&format!("`{operation}`: {end}. {said}")))
            .attribute(Path::of(operation))
            .into())
    }

    /// What `read` prints, or without such a command, what the last one printed. `None` if there is no object.
    async fn look(&self, object: &Command, stop: &Stop) -> Result<Option<String>, Diagnostics> {
        if object.read.is_null() {
            let last = object.output.known().or(object.sensitive_output.known());
            return Ok(last.map(|value| value.as_str().map(|s| s.to_string()).unwrap_or_default()));
        }
        let outcome = self.start("read", &object.read, stop).await?;
        if outcome.cut_short.is_none() && self.absent.contains(&outcome.exit_code) {
            return Ok(None);
        }
        self.succeeded("read", &outcome)?;
        Ok(Some(outcome.stdout))
    }

    /// A text without secrets.
    fn redacted(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "(sensitive)"))
    }
}

/// Runs a command and gives its output.
///
/// It runs whenever Plumb plans: it must not change anything.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct CommandData {
    /// The program and its arguments.
    #[attribute(required)]
    pub command: Attr<Vec<String>>,
    /// Whether the command is of one element that `/bin/sh` reads.
    #[attribute(default = false)]
    pub shell: Attr<bool>,
    /// A program with arguments that reads the command: it is put before it.
    #[attribute(optional)]
    pub interpreter: Attr<Vec<String>>,
    /// What the command finds on standard input.
    #[attribute(optional)]
    pub stdin: Attr<String>,
    /// Environment variables.
    #[attribute(optional)]
    pub environment: Attr<Environment>,
    /// Environment variables that are never shown.
    #[attribute(optional, sensitive)]
    pub sensitive_environment: Attr<Environment>,
    /// Where the command runs.
    #[attribute(optional)]
    pub working_dir: Attr<String>,
    /// How long it may take: a number with `ms`, `s`, `m` or `h`.
    #[attribute(default = "1m")]
    pub timeout: Attr<String>,
    /// Exit codes that are not a failure.
    #[attribute(default = vec![0])]
    pub allowed_exit_codes: Attr<Vec<i64>>,
    /// How the output is understood: `text`, of which the last line end is dropped, or `json`.
    #[attribute(default = "text")]
    pub output_format: Attr<String>,
    /// Whether the output is a secret: then only `sensitive_output` has it.
    #[attribute(default = false)]
    pub sensitive: Attr<bool>,
    /// Standard output, understood.
    #[attribute(computed)]
    pub output: Attr<Value>,
    /// The same, never shown, if it is a secret.
    #[attribute(computed, sensitive)]
    pub sensitive_output: Attr<Value>,
    /// Standard output, as it is.
    #[attribute(computed)]
    pub stdout: Attr<String>,
    /// Standard error.
    #[attribute(computed)]
    pub stderr: Attr<String>,
    /// The exit code.
    #[attribute(computed)]
    pub exit_code: Attr<i64>,
}

struct RunCommand;

#[async_trait]
impl DataSource for RunCommand {
    type Model = CommandData;
    type Client = ();

    fn validate(&self, config: &CommandData, checks: &mut Checks) {
        check_command(checks, "command", &config.command, &config.shell);
        check_common(checks, &config.shell, &config.interpreter, &config.timeout, &config.output_format);
    }

    async fn read(&self, config: CommandData, context: &mut Context<()>) -> Result<CommandData, Diagnostics> {
        let run = Run::with(
            &config.shell,
            &config.interpreter,
            &config.stdin,
            &config.environment,
            &config.sensitive_environment,
            &config.working_dir,
            &config.timeout,
            &config.sensitive,
        )?;
        let outcome = run.start("command", &config.command, &context.stop).await?;
        let allowed = config.allowed_exit_codes.known().cloned().unwrap_or_default();
        if outcome.cut_short.is_some() || !allowed.contains(&outcome.exit_code) {
            let failed =
                Outcome { exit_code: if outcome.exit_code == 0 { -1 } else { outcome.exit_code }, ..outcome };
            run.succeeded("command", &failed)?;
            return Ok(config);
        }
        let value = understood(&outcome.stdout, &config.output_format, run.hidden)?;
        let shown = |text: String| if run.hidden { Attr::Null } else { Attr::from(text) };
        let (output, sensitive_output) =
            if run.hidden { (Attr::Null, attr(value)) } else { (attr(value), Attr::Null) };
        Ok(CommandData {
            output,
            sensitive_output,
            stdout: shown(outcome.stdout),
            stderr: shown(outcome.stderr),
            exit_code: outcome.exit_code.into(),
            ..config
        })
    }
}
