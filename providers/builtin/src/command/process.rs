//! Running one process to its end, whatever it does.
//!
//! [`run`] runs it as a child, whose output is read while it runs. [`run_supervised`] runs it so that it goes on if Plumb
//! is killed, and leaves how it ended where the next Plumb finds it ([`super::ledger`]).
//!
//! The process leads a group of its own, so that all that it starts ends with it when it takes too long, prints too
//! much or Plumb is asked to stop. First it is asked to end, then it is ended.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use plumb_provider_sdk::Stop;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::ledger::{Entry, Held, SUPERVISOR};

/// More output than this is not taken.
pub(super) const MAX_OUTPUT: usize = 4 * 1024 * 1024;
/// How long a process that was asked to end may take to do so, and how long output is waited for after its end.
const GRACE: Duration = Duration::from_secs(2);
/// How often the length of supervised output is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// What to run.
pub(super) struct Job {
    /// The program and its arguments; at least the program.
    pub arguments: Vec<String>,
    /// Added to the environment of this process.
    pub environment: BTreeMap<String, String>,
    pub stdin: String,
    pub working_dir: Option<String>,
    pub timeout: Duration,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub stdout: String,
    pub stderr: String,
    /// As shells count it: 128 and the signal, if one ended the process.
    pub exit_code: i64,
    /// Why it was ended, if it did not end by itself.
    pub cut_short: Option<String>,
}

/// Runs a process.
///
/// # Errors
/// If it cannot be started: a sentence without its full stop.
pub(super) async fn run(job: Job, stop: &Stop) -> Result<Outcome, String> {
    let (program, arguments) = job.arguments.split_first().ok_or("there is no program to run")?;
    let mut command = job.command(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| cannot_start(program, job.working_dir.as_deref(), &e))?;
    let group = Group::of(&child);

    let stdin = child.stdin.take();
    let feeding = tokio::spawn(async move {
        if let Some(mut stdin) = stdin {
            // A process need not read what it is given.
            let _ = stdin.write_all(job.stdin.as_bytes()).await;
        }
    });
    let (full, mut overflow) = tokio::sync::mpsc::channel(2);
    let stdout = Capture::start(child.stdout.take(), full.clone());
    let stderr = Capture::start(child.stderr.take(), full);

    let reason = tokio::select! {
        status = child.wait() => Ok(status),
        () = tokio::time::sleep(job.timeout) => Err(ended_after(job.timeout)),
        () = stop.wait() => Err(stopped()),
        Some(()) = overflow.recv() => Err(too_much()),
    };
    let (status, mut cut_short) = match reason {
        Ok(status) => (status, None),
        Err(reason) => (end(&mut child, &group).await, Some(reason)),
    };
    feeding.abort();
    let status = status.map_err(|e| format!("`{program}` cannot be waited for: {e}"))?;
    let (stdout, stderr) = tokio::join!(stdout.finish(), stderr.finish());
    if cut_short.is_none() && overflow.try_recv().is_ok() {
        // It ended by itself, perhaps because nobody took its output any more.
        cut_short = Some(too_much());
    }
    Ok(Outcome { stdout, stderr, exit_code: exit_code(status), cut_short })
}

/// Runs a process that goes on if Plumb ends, and leaves how it ended in an entry.
///
/// # Errors
/// If it cannot be started: a sentence without its full stop.
pub(super) async fn run_supervised(job: Job, stop: &Stop, entry: &Entry) -> Result<Outcome, String> {
    let program = job.arguments.first().ok_or("there is no program to run")?;
    job.find(program).map_err(|e| cannot_start(program, job.working_dir.as_deref(), &e))?;
    let unwritable = |e: std::io::Error| format!("what it is given cannot be written: {e}");
    let Held { lock, owner } = entry.prepare(&job.stdin).map_err(unwritable)?;
    let mut command = job.command("/bin/sh");
    command
        .args(["-c", SUPERVISOR, "plumb-command"])
        .arg(entry.folder().map_err(unwritable)?)
        .args(&job.arguments)
        .stdin(Stdio::from(lock))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| cannot_start(program, job.working_dir.as_deref(), &e))?;
    // The lock is the child's alone from here on.
    drop(command);
    let group = Group::of(&child);
    let overflow = async {
        while !entry.is_full() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let reason = tokio::select! {
        status = child.wait() => Ok(status),
        () = tokio::time::sleep(job.timeout) => Err(ended_after(job.timeout)),
        () = stop.wait() => Err(stopped()),
        () = overflow => Err(too_much()),
    };
    let (status, mut cut_short) = match reason {
        Ok(status) => (status, None),
        Err(reason) => (end(&mut child, &group).await, Some(reason)),
    };
    let status = status.map_err(|e| format!("`{program}` cannot be waited for: {e}"))?;
    if cut_short.is_none() && entry.is_full() {
        cut_short = Some(too_much());
    }
    let (stdout, stderr) = entry.printed();
    drop(owner);
    Ok(Outcome { stdout, stderr, exit_code: exit_code(status), cut_short })
}

impl Job {
    /// A program in a group of its own, where the job wants it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(&self.environment).process_group(0);
        if let Some(dir) = &self.working_dir {
            command.current_dir(dir);
        }
        command
    }

    /// Looks for a program as starting it would: a shell that does not find it says so too late.
    fn find(&self, program: &str) -> std::io::Result<()> {
        let dir = Path::new(self.working_dir.as_deref().unwrap_or("."));
        if !dir.is_dir() {
            return Err(std::io::ErrorKind::NotFound.into());
        }
        let executable = |path: &Path| {
            let data = std::fs::metadata(dir.join(path))?;
            match data.is_file() && data.permissions().mode() & 0o111 != 0 {
                true => Ok(()),
                false => Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied)),
            }
        };
        if program.contains('/') {
            return executable(Path::new(program));
        }
        let path = self.environment.get("PATH").map(Into::into).or_else(|| std::env::var_os("PATH"));
        let folders = path.unwrap_or_else(|| "/bin:/usr/bin".into());
        let mut worst = std::io::ErrorKind::NotFound.into();
        for folder in std::env::split_paths(&folders) {
            match executable(&folder.join(program)) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => worst = error,
                Err(_) => {}
            }
        }
        Err(worst)
    }
}

fn ended_after(timeout: Duration) -> String {
    format!("it was ended after {timeout:?}")
}

fn stopped() -> String {
    "it was ended because Plumb was asked to stop".to_owned()
}

fn too_much() -> String {
    format!("it was ended because it printed more than {MAX_OUTPUT} bytes")
}

fn cannot_start(program: &str, dir: Option<&str>, error: &std::io::Error) -> String {
    match (error.kind(), dir) {
        (std::io::ErrorKind::NotFound, Some(dir)) if !Path::new(dir).is_dir() => {
            format!("there is no directory `{dir}` to run `{program}` in")
        }
        (std::io::ErrorKind::NotFound, _) => format!("there is no program `{program}`"),
        _ => format!("`{program}` cannot be started: {error}"),
    }
}

fn exit_code(status: ExitStatus) -> i64 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    i64::from(code.unwrap_or(-1))
}

/// A process and all that it started.
struct Group(Option<Pid>);

impl Group {
    fn of(leader: &Child) -> Group {
        Group(leader.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(leader) = self.0 {
            // An error means that there is nobody left.
            let _ = kill_process_group(leader, signal);
        }
    }
}

/// Asks a group to end, then ends it.
async fn end(child: &mut Child, group: &Group) -> std::io::Result<ExitStatus> {
    group.signal(Signal::TERM);
    let ended = tokio::time::timeout(GRACE, child.wait()).await;
    // Whoever in the group outlives its leader is ended all the same.
    group.signal(Signal::KILL);
    match ended {
        Ok(status) => status,
        Err(_) => child.wait().await,
    }
}

/// Asks a group that nobody waits for to end, then ends it.
pub(super) async fn end_group(leader: i32) {
    let group = Group(Pid::from_raw(leader));
    group.signal(Signal::TERM);
    tokio::time::sleep(GRACE).await;
    group.signal(Signal::KILL);
}

/// What a process prints, collected while it runs.
struct Capture {
    text: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Capture {
    fn start(
        stream: Option<impl AsyncRead + Unpin + Send + 'static>,
        full: tokio::sync::mpsc::Sender<()>,
    ) -> Capture {
        let text = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let shared = text.clone();
        let task = tokio::spawn(async move {
            let Some(mut stream) = stream else { return };
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(n @ 1..) = stream.read(&mut buffer).await {
                if !take(&shared, &buffer[..n]) {
                    // Nobody listens any more if the process has ended already.
                    let _ = full.send(()).await;
                    return;
                }
            }
        });
        Capture { text, task }
    }

    /// What was printed. A process in the background that keeps the stream open is not waited for.
    async fn finish(mut self) -> String {
        if tokio::time::timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
        String::from_utf8_lossy(&lock(&self.text)).into_owned()
    }
}

/// Adds what there is room for. Whether that was all.
fn take(text: &std::sync::Mutex<Vec<u8>>, bytes: &[u8]) -> bool {
    let mut text = lock(text);
    let room = MAX_OUTPUT - text.len();
    text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    bytes.len() <= room
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
