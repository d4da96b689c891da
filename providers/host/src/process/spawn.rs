//! The one thread that starts processes.
//!
//! The kernel ends guarded plugins when the thread that started them ends, not the process; worker threads of a runtime
//! come and go, this one stays as long as the program.

use std::io;
use std::process::Stdio;
use std::sync::{OnceLock, mpsc};

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Job {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

static JOBS: OnceLock<mpsc::Sender<Job>> = OnceLock::new();

/// Starts a process in a group of its own, with piped output and no input.
pub async fn spawn(mut command: Command) -> io::Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let (reply, child) = oneshot::channel();
    let job = Job { command, runtime: Handle::current(), reply };
    let gone = || io::Error::other("the thread that starts plugins has ended");
    JOBS.get_or_init(start_thread).send(job).map_err(|_| gone())?;
    child.await.map_err(|_| gone())?
}

fn start_thread() -> mpsc::Sender<Job> {
    let (send, jobs) = mpsc::channel::<Job>();
    // Without the thread its receiver is gone, and the error is reported where a job is sent.
    let _ = std::thread::Builder::new().name("plugin-starter".into()).spawn(move || {
        for Job { mut command, runtime, reply } in jobs {
            let _entered = runtime.enter();
            // Who asked may have stopped waiting; the child is then killed as it is dropped.
            let _ = reply.send(command.spawn());
        }
    });
    send
}
