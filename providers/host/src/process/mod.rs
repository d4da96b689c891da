//! One plugin process: started or attached to, connected, watched, ended.
//!
//! A plugin is started in a process group of its own, so that an interrupt at the terminal reaches Plumb alone and
//! Plumb decides what it means for providers. It gets the whole environment, a private folder for its socket, and a
//! certificate to accept; it answers with one line that says where it listens. From then on its standard output and
//! error are read to the end, because a plugin that nobody listens to stops in the middle of a word.
//!
//! Invariant: when the last handle of a [`Process`] is dropped, the plugin is killed, and so it is when the host
//! ends in any way (see [`crate::guard`]). [`Process::stop`] is the friendly end.

mod connect;
mod output;
mod spawn;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use plumb_provider_protocol::client::Client;
use plumb_provider_protocol::handshake::{self, Address, Handshake};
use plumb_provider_protocol::tls::Identity;
use plumb_provider_protocol::{MESSAGE_LIMIT, Version};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::error::{Seen, StartError};
use crate::log::{Level, Log};
use output::Tail;

/// How long a plugin that was told to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait for the exit of a plugin whose connection broke.
const DEATH_RATTLE: Duration = Duration::from_secs(1);
/// Names of sockets are limited to about a hundred bytes, of which the folder may take so many.
const LONGEST_FOLDER: usize = 60;

/// How to start a plugin.
#[derive(Clone)]
pub struct Launch {
    /// Who the user knows it as: `registry.terraform.io/hashicorp/time`.
    pub provider: String,
    /// The program.
    pub program: PathBuf,
    /// Variables beside those that Plumb itself has.
    pub environment: Vec<(OsString, OsString)>,
    /// How long it may take until it listens.
    pub start_limit: Duration,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// Where its lines go.
    pub log: Arc<dyn Log>,
}

/// What plugins made with Go's kits take the least level of their own lines from. Without them they write several lines for
/// each call, which takes most of the time of a call.
const LOG_LEVELS: [&str; 6] = [
    "TF_LOG_PROVIDER",
    "TF_LOG_SDK",
    "TF_LOG_SDK_FRAMEWORK",
    "TF_LOG_SDK_HELPER_SCHEMA",
    "TF_LOG_SDK_MUX",
    "TF_LOG_SDK_PROTO",
];
/// What plugins are to say when nobody listens: what their last words are taken from.
const QUIET: Level = Level::Warn;

/// A running plugin. Clones are handles of the same process.
#[derive(Clone)]
pub struct Process {
    client: Client,
    life: Arc<Life>,
}

/// What lives and dies with the process.
struct Life {
    /// `None` while it runs. Never changes for a plugin that was attached to.
    exit: watch::Receiver<Option<ExitStatus>>,
    tail: Arc<Tail>,
    /// Dropped to kill.
    _kill: oneshot::Sender<()>,
    /// Whether it was started here, and so is ended here.
    owned: bool,
    _socket_folder: Option<tempfile::TempDir>,
}

impl Process {
    /// Starts a plugin and connects to it.
    ///
    /// # Errors
    /// Why it could not be started, with what it wrote.
    pub async fn start(launch: &Launch) -> Result<Process, StartError> {
        let program = &launch.program;
        let cannot = |error| StartError::Spawn { program: program.clone(), error };
        if !program.is_file() {
            return Err(cannot(std::io::ErrorKind::NotFound.into()));
        }
        let identity = launch.encrypted.then(Identity::new).transpose()?;
        let socket_folder = socket_folder().map_err(cannot)?;
        let command = command(launch, identity.as_ref(), socket_folder.path());
        let mut child = spawn::spawn(command).await.map_err(cannot)?;
        let tail = Arc::new(Tail::default());
        let (provider, log) = (launch.provider.clone(), launch.log.clone());
        let mut stdout = output::Lines::new(child.stdout.take().expect("standard output is piped"));
        let stderr = output::Lines::new(child.stderr.take().expect("standard error is piped"));
        tokio::spawn(output::follow_stderr(stderr, provider.clone(), log.clone(), tail.clone()));
        let (kill, exit) = watch_over(child);
        let life = Life { exit, tail, _kill: kill, owned: true, _socket_folder: Some(socket_folder) };
        let handshake = match timeout(launch.start_limit, stdout.next()).await {
            Err(_) => {
                return Err(StartError::Silent { limit: launch.start_limit, seen: life.seen(None).await });
            }
            Ok(None) => {
                return Err(StartError::Ended { status: life.ended().await, seen: life.seen(None).await });
            }
            Ok(Some(line)) => match Handshake::parse(&line) {
                Ok(handshake) => handshake,
                Err(reason) => {
                    return Err(StartError::Handshake { reason, seen: life.seen(Some(line)).await });
                }
            },
        };
        tokio::spawn(output::drain(stdout));
        let tls = match (identity, handshake.certificate) {
            (Some(identity), Some(certificate)) => Some(Arc::new(identity.client_config(certificate)?)),
            (Some(_), None) => return Err(StartError::Unencrypted),
            (None, _) => None,
        };
        let channel = connect::connect(handshake.address.clone(), tls)
            .await
            .map_err(|reason| StartError::Connect { address: handshake.address, reason })?;
        let client = Client::new(channel, handshake.version, MESSAGE_LIMIT);
        tokio::spawn(output::follow_stdio(client.clone(), provider, log));
        Ok(Process { client, life: Arc::new(life) })
    }

    /// Connects to a plugin that somebody else started, for example in a debugger.
    ///
    /// # Errors
    /// If there is nobody at the address.
    pub async fn attach(address: Address, version: Version, owned: bool) -> Result<Process, StartError> {
        let channel = connect::connect(address.clone(), None)
            .await
            .map_err(|reason| StartError::Connect { address, reason })?;
        let (kill, _) = oneshot::channel();
        let (_, exit) = watch::channel(None);
        let life = Life { exit, tail: Arc::default(), _kill: kill, owned, _socket_folder: None };
        Ok(Process { client: Client::new(channel, version, MESSAGE_LIMIT), life: Arc::new(life) })
    }

    /// Makes calls to it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether it is known to have ended.
    pub fn has_ended(&self) -> bool {
        self.life.exit.borrow().is_some()
    }

    /// After a broken connection: how the plugin ended, if it did, and the last it said.
    pub async fn last_words(&self) -> (Option<ExitStatus>, Vec<String>) {
        let status = self.life.ended().await;
        (status, self.life.seen(None).await.stderr)
    }

    /// Asks it to end, kills it if it does not, and waits until it is gone. A plugin that was attached to and belongs to
    /// somebody else is left alone.
    pub async fn stop(self) {
        if !self.life.owned {
            return;
        }
        // Many plugins end before they have answered, so that the answer says nothing.
        let _ = timeout(GRACE, self.client.shutdown()).await;
        let mut exit = self.life.exit.clone();
        let _ = timeout(GRACE, exit.wait_for(Option::is_some)).await;
        drop(self);
        let _ = timeout(GRACE, exit.wait_for(Option::is_some)).await;
    }
}

impl Life {
    async fn ended(&self) -> Option<ExitStatus> {
        let mut exit = self.exit.clone();
        let ended = timeout(DEATH_RATTLE, exit.wait_for(Option::is_some)).await;
        ended.ok().and_then(Result::ok).and_then(|status| *status)
    }

    /// What the plugin wrote. A plugin that ended has its last lines read first.
    async fn seen(&self, stdout: Option<String>) -> Seen {
        if self.exit.borrow().is_some() {
            let _ = timeout(DEATH_RATTLE, self.tail.complete()).await;
        }
        Seen { stdout, stderr: self.tail.lines() }
    }
}

/// A folder that only this user can enter, at a path that is short enough for sockets.
fn socket_folder() -> std::io::Result<tempfile::TempDir> {
    let usual = std::env::temp_dir();
    let parent = if usual.as_os_str().len() <= LONGEST_FOLDER { usual } else { PathBuf::from("/tmp") };
    tempfile::Builder::new().prefix("plumb-").tempdir_in(parent)
}

fn command(launch: &Launch, identity: Option<&Identity>, socket_folder: &Path) -> Command {
    let mut command = match crate::guard::program() {
        Some(guard) => {
            let mut command = Command::new(guard);
            command.arg0(crate::guard::NAME).args(crate::guard::arguments(&launch.program));
            command
        }
        None => Command::new(&launch.program),
    };
    let versions = Version::ALL.map(|v| v.to_string()).join(",");
    command.env(handshake::COOKIE.0, handshake::COOKIE.1).env(handshake::VERSIONS, versions);
    command.envs(handshake::PORTS).env(handshake::SOCKET_FOLDER, socket_folder);
    command.env_remove(handshake::MULTIPLEX).env_remove(handshake::CLIENT_CERTIFICATE);
    if let Some(identity) = identity {
        command.env(handshake::CLIENT_CERTIFICATE, identity.pem());
    }
    if std::env::temp_dir().as_os_str().len() > LONGEST_FOLDER {
        // Plugins built with older kits know no other way to be told where their socket belongs.
        command.env("TMPDIR", socket_folder);
    }
    let least = launch.log.least().unwrap_or(QUIET);
    command.envs(
        LOG_LEVELS.iter().filter(|name| std::env::var_os(name).is_none()).map(|name| (name, least.name())),
    );
    command.envs(launch.environment.iter().map(|(name, value)| (name, value)));
    command
}

/// Waits for the end of a process, and kills it with its group when the sender is dropped.
fn watch_over(mut child: Child) -> (oneshot::Sender<()>, watch::Receiver<Option<ExitStatus>>) {
    let (kill, killed) = oneshot::channel::<()>();
    let (send, exit) = watch::channel(None);
    tokio::spawn(async move {
        let status = tokio::select! {
            status = child.wait() => status,
            _ = killed => {
                // Not yet waited for, so that the number still is this process.
                if let Some(group) = child.id().and_then(|id| rustix::process::Pid::from_raw(id as i32)) {
                    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                }
                child.wait().await
            }
        };
        send.send_replace(Some(status.unwrap_or_default()));
    });
    (kill, exit)
}
