//! The state of the working directory: where it is, opening it, locking it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plumb_model::{Diagnostic, Diagnostics};
use plumb_state::lock::{self, Lock, LockError, LockInfo};
use plumb_state::record::OperationKind;
use plumb_state::state::{OpenOptions, OperationHeader};
use plumb_state::{State, StateError};

use crate::args::LockArgs;
use crate::ui::Exit;

/// Where a working directory keeps what is not configuration.
pub const DATA_DIRECTORY: &str = ".plumb";

/// A state that nobody else can change while this is held.
pub struct Store {
    /// The state.
    pub state: State,
    _lock: Option<Lock>,
}

/// Why a state cannot be used, and the exit code that says so.
pub struct StoreTrouble {
    /// For the user.
    pub diagnostic: Diagnostic,
    /// For scripts.
    pub exit: Exit,
}

impl From<StateError> for StoreTrouble {
    fn from(error: StateError) -> StoreTrouble {
        StoreTrouble { diagnostic: plumb_engine::trouble::state(&error), exit: Exit::Error }
    }
}

/// The directory that holds the state.
pub fn directory() -> PathBuf {
    Path::new(DATA_DIRECTORY).join("state")
}

/// Opens the state for changing it.
///
/// # Errors
/// If somebody else holds the lock, or the state cannot be read or written.
pub fn open(args: &LockArgs, command: &str, reason: Option<&str>) -> Result<Store, StoreTrouble> {
    let directory = directory();
    let info = LockInfo::here(command, reason.map(str::to_owned));
    let timeout = if args.lock { args.lock_timeout } else { Duration::ZERO };
    let lock = match lock::lock(&directory, &info, timeout) {
        Ok(lock) => Some(lock),
        Err(error @ LockError::Held { .. }) => {
            return Err(StoreTrouble { diagnostic: locked(&error), exit: Exit::Locked });
        }
        Err(error) => return Err(StoreTrouble { diagnostic: unlockable(&error), exit: Exit::Error }),
    };
    let state = State::open(&directory, OpenOptions { read_only: false })?;
    Ok(Store { state, _lock: lock })
}

/// Opens the state for looking at it. Waits for nobody; a directory without state reads as an empty one.
///
/// # Errors
/// If it cannot be read.
pub fn read() -> Result<State, StoreTrouble> {
    let directory = directory();
    if !directory.exists() {
        return Ok(State::memory()?);
    }
    Ok(State::open(&directory, OpenOptions { read_only: true })?)
}

/// What is known of an operation that begins.
pub fn header(kind: OperationKind, reason: Option<&str>, plan: Option<String>) -> OperationHeader {
    OperationHeader {
        kind,
        who: LockInfo::here("", None).user_at_host(),
        reason: reason.map(str::to_owned),
        plan_digest: plan,
    }
}

/// What there is to say about a state that was mended when it was opened.
pub fn warnings(state: &State) -> Diagnostics {
    let warnings = state.warnings().into_iter();
    warnings
        .map(|warning| {
            Diagnostic::warning("state-mended", "State was mended")
                .detail(format!("{}.", warning.message.trim_end_matches('.')))
        })
        .collect()
}

fn locked(error: &LockError) -> Diagnostic {
    Diagnostic::error("state-locked", "State is locked")
        .detail(format!("{}.", capitalized(&error.to_string())))
        .help("Wait for it with `-lock-timeout=5m`, or ask who holds it.")
}

fn unlockable(error: &LockError) -> Diagnostic {
    Diagnostic::error("state-trouble", "State cannot be read or written")
        .detail(format!("{}.", capitalized(&error.to_string())))
        .help("Check the permissions of the directory, and that the disk is not full.")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
