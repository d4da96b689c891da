//! One writer per state directory, and who that is.
//!
//! The lock is a lock of the operating system on a file, so it ends with its holder however that ends: there are no
//! stale locks, and nothing to break by force. Beside it lies a small JSON file that says who holds the lock; it is
//! read to name the holder, and never decides anything.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The file that is locked.
const LOCK_FILE: &str = "lock";
/// The file that names the holder.
const INFO_FILE: &str = "lock.json";
/// How long to wait between two tries; short enough that nobody notices.
const POLL: Duration = Duration::from_millis(50);

/// Who holds a lock, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// The user's name.
    pub who: String,
    /// The process.
    pub pid: u32,
    /// The machine.
    pub host: String,
    /// Since when, in the format of RFC 3339.
    pub since: String,
    /// The command, for example `plumb apply`.
    pub command: String,
    /// Why the user runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl LockInfo {
    /// This process and this moment. The user's name and the machine's come from the environment; what cannot be found
    /// out is `unknown`.
    pub fn here(command: impl Into<String>, reason: Option<String>) -> Self {
        Self {
            who: user_name(),
            pid: std::process::id(),
            host: host_name(),
            since: crate::record::now().to_string(),
            command: command.into(),
            reason,
        }
    }

    /// `user@host`, as operations record it.
    pub fn user_at_host(&self) -> String {
        format!("{}@{}", self.who, self.host)
    }
}

fn user_name() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}

fn host_name() -> String {
    let from_file =
        || fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    let from_environment = || std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME"));
    let name = from_file().ok().or_else(|| from_environment().ok()).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}

/// Why a lock was not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else has it.
    #[error("{}", held(path, holder.as_deref(), *waited))]
    Held {
        /// The state directory.
        path: PathBuf,
        /// Who holds it; absent when the holder has not said, or is just letting go.
        holder: Option<Box<LockInfo>>,
        /// How long this process waited.
        waited: Duration,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as in "cannot …".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
}

fn held(path: &Path, holder: Option<&LockInfo>, waited: Duration) -> String {
    let mut text = format!("the state in {} is locked by ", path.display());
    match holder {
        Some(info) => {
            let since = since(&info.since);
            text +=
                &format!("{} (process {}) since {since}: {}", info.user_at_host(), info.pid, info.command);
            if let Some(reason) = &info.reason {
                text += &format!(", because {reason:?}");
            }
        }
        None => text += "another process",
    }
    if !waited.is_zero() {
        text += &format!("; gave up after {} s", waited.as_secs_f32().round());
    }
    text
}

/// A moment with how long ago it was.
fn since(moment: &str) -> String {
    let Ok(began) = moment.parse::<Timestamp>() else { return moment.to_owned() };
    let seconds = Timestamp::now().duration_since(began).as_secs().max(0);
    let ago = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    };
    format!("{moment} ({ago} ago)")
}

fn refused(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LockError {
    let path = path.to_owned();
    move |source| LockError::Io { action, path, source: Arc::new(source) }
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    info_path: PathBuf,
    // Closing the file is what releases the lock.
    _file: File,
}

/// Takes the lock of a state directory, making the directory if it is not there. Waits up to `timeout` for whoever
/// holds it; a timeout of zero tries once.
///
/// # Errors
/// [`LockError::Held`] names the holder after the timeout; [`LockError::Io`] when the lock file cannot be used.
pub fn lock(dir: &Path, info: &LockInfo, timeout: Duration) -> Result<Lock, LockError> {
    fs::create_dir_all(dir).map_err(refused("create the directory", dir))?;
    let path = dir.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(refused("open the lock file", &path))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if start.elapsed() < timeout => {
                thread::sleep(POLL.min(timeout.saturating_sub(start.elapsed())));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    path: dir.to_owned(),
                    holder: holder(dir).map(Box::new),
                    waited: timeout,
                });
            }
            Err(TryLockError::Error(error)) => return Err(refused("lock", &path)(error)),
        }
    }
    let info_path = dir.join(INFO_FILE);
    write_info(&info_path, info).map_err(refused("write", &info_path))?;
    Ok(Lock { info_path, _file: file })
}

/// Writes the file in one piece, so that a reader never sees half of it.
fn write_info(path: &Path, info: &LockInfo) -> io::Result<()> {
    let fresh = path.with_extension("json.new");
    fs::write(&fresh, serde_json::to_vec_pretty(info)?)?;
    fs::rename(&fresh, path)
}

/// Who says to hold the lock of a state directory, without asking whether the lock is still held.
pub fn holder(dir: &Path) -> Option<LockInfo> {
    serde_json::from_slice(&fs::read(dir.join(INFO_FILE)).ok()?).ok()
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file goes first: while it is there, the lock is held. If it cannot be removed it is out of date, which
        // hurts nobody, since only the lock decides.
        let _ = fs::remove_file(&self.info_path);
    }
}
