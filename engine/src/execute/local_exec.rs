//! `local-exec`: a program that runs beside Plumb, and whose output is shown as it comes.
//!
//! It leads a process group of its own, so that whatever it started ends with it when Plumb is stopped at once. It reads
//! nothing, and what it prints is not kept but for its last lines, which an error repeats.

use std::collections::{BTreeMap, VecDeque};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecow::EcoString;
use plumb_model::{Diagnostic, Value};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;

/// How many of its last lines an error repeats.
const REPEATED: usize = 10;
/// A line longer than this is shown in pieces.
const LONGEST: u64 = 16 * 1024;
/// How long output is waited for after the end, if something that was started keeps the stream open.
const GRACE: Duration = Duration::from_secs(2);

/// What to run.
pub(super) struct LocalExec {
    command: String,
    /// The program and its arguments; the command is one of them.
    arguments: Vec<String>,
    directory: Option<String>,
    environment: BTreeMap<String, String>,
    quiet: bool,
    /// What kind of secret is in its configuration, and may be in its output.
    secret: Option<&'static str>,
}

impl LocalExec {
    /// From a configuration of the type's schema.
    ///
    /// # Errors
    /// If there is nothing to run, or something is not known.
    pub fn read(config: &Value, secret: Option<&'static str>) -> Result<LocalExec, Diagnostic> {
        if !config.is_wholly_known() {
            return Err(crate::trouble::unknown_config(config));
        }
        let text = |value: &Value| value.as_str().map(|text| text.to_string());
        let attribute = |name: &str| config.get(name).filter(|value| !value.is_null());
        let command = attribute("command").and_then(text).unwrap_or_default();
        if command.is_empty() {
            return Err(Diagnostic::error("invalid-provisioner", "Nothing to run")
                .detail("The `command` of a `local-exec` provisioner is empty."));
        }
        let mut arguments: Vec<String> = match attribute("interpreter") {
            Some(Value::List(list)) => list.items.iter().filter_map(text).collect(),
            _ => Vec::new(),
        };
        if arguments.is_empty() {
            arguments = vec!["/bin/sh".to_owned(), "-c".to_owned()];
        }
        arguments.push(command.clone());
        let environment = match attribute("environment") {
            Some(Value::Map(map)) => {
                let set =
                    map.entries.iter().filter_map(|(name, value)| Some((name.to_string(), text(value)?)));
                set.collect()
            }
            _ => BTreeMap::new(),
        };
        Ok(LocalExec {
            command,
            arguments,
            directory: attribute("working_dir").and_then(text).filter(|directory| !directory.is_empty()),
            environment,
            quiet: matches!(attribute("quiet"), Some(Value::Bool(true))),
            secret,
        })
    }

    /// Runs it to its end, and says what it prints.
    ///
    /// # Errors
    /// If it cannot be started, or does not end well.
    pub async fn run(self, say: &(dyn Fn(EcoString) + Sync)) -> Result<(), Diagnostic> {
        match (self.secret, self.quiet) {
            (Some(kind), _) => {
                say(ecow::eco_format!("(output suppressed due to {kind} value in config)"));
            }
            (None, true) => say("Executing: Suppressed by quiet=true".into()),
            (None, false) => {
                let quoted: Vec<String> = self.arguments.iter().map(|a| format!("{a:?}")).collect();
                say(ecow::eco_format!("Executing: [{}]", quoted.join(" ")));
            }
        }
        let mut child = self.start()?;
        let group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
        let last = Mutex::new(VecDeque::new());
        let tell = |line: EcoString| {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() == REPEATED {
                last.pop_front();
            }
            last.push_back(line.clone());
            if self.secret.is_none() {
                say(line);
            }
        };
        let ended = Arc::new(tokio::sync::Notify::new());
        let status = {
            let ended = ended.clone();
            let (out, err) = (child.stdout.take(), child.stderr.take());
            let wait = async {
                let status = child.wait().await;
                ended.notify_one();
                status
            };
            let read = async {
                let both = async { tokio::join!(lines(out, &tell), lines(err, &tell)) };
                tokio::select! {
                    _ = both => {}
                    () = async { ended.notified().await; tokio::time::sleep(GRACE).await } => {}
                }
            };
            tokio::join!(wait, read).0
        };
        group.leave();
        let status = status.map_err(|error| self.failed(format!("It cannot be waited for: {error}.")))?;
        if status.success() {
            return Ok(());
        }
        let last: Vec<String> = last
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(ToString::to_string)
            .collect();
        let printed = match (self.secret.is_some(), last.is_empty()) {
            (true, _) => {
                " What it printed is not shown, since its configuration has sensitive values.".to_owned()
            }
            (false, true) => " It printed nothing.".to_owned(),
            (false, false) => format!(" Its last output:\n{}", last.join("\n")),
        };
        Err(self.failed(format!("{}{printed}", sentence(status))))
    }

    fn start(&self) -> Result<tokio::process::Child, Diagnostic> {
        let (program, arguments) = self.arguments.split_first().expect("there is at least the command");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.spawn().map_err(|error| match &self.directory {
            Some(directory) if !std::path::Path::new(directory).is_dir() => {
                self.failed(format!("There is no directory `{directory}` to run it in."))
            }
            _ => self.failed(format!("`{program}` cannot be started: {error}.")),
        })
    }

    fn failed(&self, detail: String) -> Diagnostic {
        let command = if self.secret.is_some() {
            "The command".to_owned()
        } else {
            format!("`{}`", self.command.trim_end())
        };
        Diagnostic::error("provisioner-failed", "Provisioner failed")
            .detail(format!("{command} failed. {detail}"))
    }
}

fn sentence(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("It ended with the exit code {code}."),
        (None, Some(signal)) => format!("Signal {signal} ended it."),
        (None, None) => "It did not end well.".to_owned(),
    }
}

/// Tells each line of a stream, to its end.
async fn lines(stream: Option<impl AsyncRead + Unpin>, tell: &impl Fn(EcoString)) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(LONGEST).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                tell(text.trim_end_matches(['\n', '\r']).into());
            }
        }
    }
}

/// A process and all that it started; ended when it is dropped before it was left.
struct Group(Option<Pid>);

impl Group {
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // An error means that there is nobody left.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
