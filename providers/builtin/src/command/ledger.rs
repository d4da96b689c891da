//! What is known of commands that outlive Plumb.
//!
//! A command that changes something runs under a shell of a few lines, which writes down how it ended. Both go on when
//! Plumb is killed, so the next Plumb neither runs a command twice nor forgets what it did: it waits for its end and
//! reads it. For each command there is a folder, `ID.OPERATION`, with these files:
//!
//! | file | what it is |
//! |---|---|
//! | `lock` | locked (`flock`) by the shell for as long as it lives |
//! | `owner` | locked by the Plumb that runs the command: who plans beside it does not wait for its end |
//! | `leader` | the process group, written before the command starts |
//! | `stdin`, `stdout`, `stderr` | the streams of the command |
//! | `exit` | its exit code as text, renamed into place when it ended by itself |
//!
//! Invariant: the folder is on disk before the command starts, and stays until state knows the outcome. So where there is
//! no folder, or no `leader` and no lock, nothing was ever run.
//!
//! Elsewhere: commands that only look at something are run by [`super::process`] alone.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::process::{self, MAX_OUTPUT, Outcome};

/// What runs a command: the folder is its first argument, the command follows. The lock is its standard input, which the
/// command does not get.
pub(super) const SUPERVISOR: &str = r#"exec 9<&0
folder=$1
shift
echo "$$" >"$folder/leader"
"$@" <"$folder/stdin" >"$folder/stdout" 2>"$folder/stderr" 9<&-
code=$?
echo "$code" >"$folder/exit.new" && mv "$folder/exit.new" "$folder/exit"
exit "$code"
"#;

/// How often somebody who waits for a command looks whether it has ended.
const LOOK: Duration = Duration::from_millis(50);
/// How long what an interrupted Plumb left is kept if nobody ever asks for it.
const KEEP: Duration = Duration::from_secs(60 * 60 * 24 * 30);

/// A folder of commands.
pub(super) struct Ledger {
    folder: PathBuf,
    /// Entries whose outcome was handed over, to be removed when it is recorded.
    handed_over: Mutex<Vec<PathBuf>>,
}

/// The place of one command.
pub(super) struct Entry {
    folder: PathBuf,
}

/// What became of a command.
pub(super) enum Found {
    /// It was never started.
    Never,
    /// It ended by itself.
    Ended(Outcome),
    /// It was started, and nothing tells how it ended.
    Doubt,
    /// Another Plumb is running it.
    Running,
}

/// What is held while a command runs.
pub(super) struct Held {
    /// Becomes the supervisor's standard input.
    pub lock: File,
    /// Says that this process is going to record the outcome.
    pub owner: File,
}

impl Ledger {
    /// In a folder that need not be there yet.
    pub fn new(folder: PathBuf) -> Ledger {
        Ledger { folder, handed_over: Mutex::default() }
    }

    /// The entry of an operation on an object.
    pub fn entry(&self, id: &str, operation: &str) -> Entry {
        // An id is a UUID unless somebody edited state; a name must not lead elsewhere in any case.
        let id = id.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
        Entry { folder: self.folder.join(format!("{id}.{operation}")) }
    }

    /// Removes an entry once [`Ledger::tidy`] is called.
    pub fn hand_over(&self, entry: &Entry) {
        self.list().push(entry.folder.clone());
    }

    /// Removes what was handed over, and what nobody asked for in a long time.
    pub fn tidy(&self) {
        for folder in self.list().drain(..) {
            // What cannot be removed is removed with what is old, by and by.
            let _ = fs::remove_dir_all(folder);
        }
        let old = |time: SystemTime| time.elapsed().is_ok_and(|age| age > KEEP);
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.metadata().and_then(|data| data.modified()).is_ok_and(old) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        // Only an empty folder is removed.
        let _ = fs::remove_dir(&self.folder);
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<PathBuf>> {
        self.handed_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Makes the place for a command, durably, and gives the files that are locked while it runs.
    ///
    /// # Errors
    /// If something cannot be written.
    pub fn prepare(&self, stdin: &str) -> io::Result<Held> {
        let _ = fs::remove_dir_all(&self.folder);
        let parent = self.folder.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        fs::DirBuilder::new().mode(0o700).create(&self.folder)?;
        for (name, content) in [("stdin", stdin), ("stdout", ""), ("stderr", "")] {
            io::Write::write_all(&mut self.create(name)?, content.as_bytes())?;
        }
        let held = Held { lock: self.create("lock")?, owner: self.create("owner")? };
        held.lock.lock()?;
        held.owner.lock()?;
        File::open(parent)?.sync_all()?;
        Ok(held)
    }

    fn create(&self, name: &str) -> io::Result<File> {
        File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(self.folder.join(name))
    }

    /// The folder, for the supervisor.
    ///
    /// # Errors
    /// If the working directory is gone.
    pub fn folder(&self) -> io::Result<PathBuf> {
        std::path::absolute(&self.folder)
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.folder.exists()
    }

    /// Whether more was printed than is taken.
    pub fn is_full(&self) -> bool {
        ["stdout", "stderr"]
            .iter()
            .any(|name| fs::metadata(self.folder.join(name)).is_ok_and(|data| data.len() > MAX_OUTPUT as u64))
    }

    /// What the command printed so far, to standard output and standard error, as far as it is taken.
    pub fn printed(&self) -> (String, String) {
        (self.text("stdout"), self.text("stderr"))
    }

    fn text(&self, name: &str) -> String {
        let mut bytes = Vec::new();
        if let Ok(file) = File::open(self.folder.join(name)) {
            // What cannot be read was not printed, as far as anybody can tell.
            let _ = io::Read::read_to_end(&mut io::Read::take(file, MAX_OUTPUT as u64), &mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn exit_code(&self) -> Option<i64> {
        fs::read_to_string(self.folder.join("exit")).ok()?.trim().parse().ok()
    }

    /// Waits until the command has ended, unless another Plumb does, and ends it if it takes longer than `timeout` from
    /// its start.
    pub async fn end(&self, timeout: Duration) -> Found {
        let Ok(lock) = File::open(self.folder.join("lock")) else { return Found::Never };
        if File::open(self.folder.join("owner")).is_ok_and(|owner| owner.try_lock_shared().is_err()) {
            return Found::Running;
        }
        let started = lock.metadata().and_then(|data| data.modified()).unwrap_or_else(|_| SystemTime::now());
        while lock.try_lock().is_err() {
            if started.elapsed().unwrap_or_default() > timeout {
                if let Some(leader) = self.leader() {
                    process::end_group(leader).await;
                }
                return Found::Doubt;
            }
            tokio::time::sleep(LOOK).await;
        }
        match (self.exit_code(), self.leader()) {
            (Some(exit_code), _) => {
                let (stdout, stderr) = self.printed();
                Found::Ended(Outcome { stdout, stderr, exit_code, cut_short: None })
            }
            (None, None) => Found::Never,
            (None, Some(_)) => Found::Doubt,
        }
    }

    fn leader(&self) -> Option<i32> {
        fs::read_to_string(self.folder.join("leader")).ok()?.trim().parse().ok()
    }
}
