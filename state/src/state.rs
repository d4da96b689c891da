//! The state: a snapshot of records, the operations that changed it, and what a crash left behind.
//!
//! # The tree of keys
//!
//! Everything lives in one [`Store`] under these keys; values are the saved forms of [`crate::record`]:
//!
//! | key | value |
//! |---|---|
//! | `m/state` | lineage, serial, the sum of the digests of all instances and outputs, the next operation's number |
//! | `m/foreign` | JSON: what an imported state file said that has no other place |
//! | `i/ADDRESS \0 DEPOSED` | an instance's record; a byte in the address makes numbers sort as numbers |
//! | `o/NAME` | an output's record |
//! | `h/NUMBER` | an operation's record; numbers count down so that the newest comes first |
//! | `r/NUMBER` | present while the operation has not ended |
//! | `s/NUMBER/INDEX i` | the intent of a step: action, record before, planned value |
//! | `s/NUMBER/INDEX o` | its outcome: status, record after, error |
//! | `u/NUMBER` | the outputs before and after the operation, if it changed them |
//!
//! Numbers are hexadecimal with leading zeros. The format of the tree is the version of the records in it.
//!
//! # Operations
//!
//! [`State::begin`] records an operation and gives its [`OperationWriter`]. For each step the writer takes the intent
//! before the provider is called and the outcome after; both return at once with a [`Ticket`], which resolves when the
//! entry is on stable storage. Entries of many steps share one flush (`committer`).
//!
//! What always holds: an outcome, the record it changes, the serial and the content's sum are one atomic change. After a
//! crash, [`State::in_flight`] lists each step whose intent is saved and whose outcome is not; [`State::resolve`] gives
//! them one, and operations without such steps become *interrupted*.
//!
//! Elsewhere: who may write at all is decided by [`crate::lock`].

mod committer;
mod edit;
mod history;
mod keys;
mod meta;
mod operation;
mod snapshot;
mod ticket;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use edit::{Edit, Edits};
pub use history::{Operation, OutputChange};
pub use operation::{After, OperationHeader, OperationWriter, RecordChange, Step, StepIntent, StepOutcome};
pub use snapshot::{Instances, Moved, Movement, Snapshot, SnapshotInstance};
pub use ticket::{Durable, Ticket};

use self::{
    committer::{Committer, Core, Entry},
    meta::Meta,
};
use crate::{
    digest::Digest,
    json::JsonText,
    record::{InstanceKey, InstanceRecord, OutputRecord, RecordError, Saved},
    store::{EmbeddedStore, MemoryStore, Store, StoreError, StoreWarning},
};

/// Why state could not be read or changed. Cheap to clone: many steps may wait for one commit.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StateError {
    /// The store could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A saved record cannot be read.
    #[error("at {key}: {source}")]
    Record {
        /// The key of the record, as text.
        key: String,
        /// What is wrong with it.
        source: RecordError,
    },
    /// A saved record is not where another one says it is, or a sum does not come out.
    #[error("the state contradicts itself: {0}")]
    Contradiction(String),
    /// There is no such operation.
    #[error("there is no operation {0}")]
    NoSuchOperation(u64),
    /// The step is not one that waits for an outcome.
    #[error("step {index} of operation {operation} does not wait for an outcome")]
    NotInFlight {
        /// The number of the operation.
        operation: u64,
        /// The number of the step.
        index: u32,
    },
    /// There is no record of that object.
    #[error("state has no {0}")]
    NoSuchInstance(InstanceKey),
    /// There is a record of that object already.
    #[error("state has {0} already")]
    InstanceExists(InstanceKey),
    /// The state was opened for reading only.
    #[error("the state is open for reading only")]
    ReadOnly,
    /// The state was closed before the entry was durable.
    #[error("the state was closed before this was saved")]
    Closed,
    /// The thread that commits could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(Arc<io::Error>),
}

/// How to open a state.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Only read: takes no lock, writes nothing, never waits, and sees the state as it was at this moment even while
    /// another process changes it.
    pub read_only: bool,
}

/// The state of one environment. Cheap to clone; the last clone closes it.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    // Dropped first: what is queued is committed before the store is closed.
    committer: Option<Committer>,
    core: Arc<Core>,
    /// The operations that this process began and has not ended.
    live: Mutex<BTreeSet<u64>>,
}

impl State {
    /// Opens the state in a directory. Where there is none yet, an empty store is made; with `read_only` nothing is
    /// written, and a directory that is not there is an empty state.
    ///
    /// # Errors
    /// The store cannot be opened, is damaged beyond repair, or was written by a newer program.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, StateError> {
        if options.read_only {
            Self::with_store(Box::new(EmbeddedStore::read(dir)?), true)
        } else {
            Self::with_store(Box::new(EmbeddedStore::open(dir)?), false)
        }
    }

    /// An empty state that is forgotten when it is dropped.
    ///
    /// # Errors
    /// The thread that commits could not be started.
    pub fn memory() -> Result<Self, StateError> {
        Self::with_store(Box::new(MemoryStore::new()), false)
    }

    /// The state that a store holds.
    ///
    /// # Errors
    /// The store cannot be read, or was written by a newer program.
    pub fn with_store(store: Box<dyn Store>, read_only: bool) -> Result<Self, StateError> {
        let meta = match store.get(keys::META)? {
            Some(bytes) => Meta::decode(&bytes).map_err(record_error(keys::META))?,
            None => Meta::default(),
        };
        let core = Arc::new(Core::new(store, meta));
        let committer = if read_only { None } else { Some(Committer::start(core.clone())?) };
        Ok(Self(Arc::new(Inner { committer, core, live: Mutex::default() })))
    }

    /// Closes the state, if this is its last clone and no operation is being written, and reports what dropping it could
    /// not.
    ///
    /// # Errors
    /// The store could not be tidied up. What was committed is safe nevertheless.
    pub fn close(self) -> Result<(), StateError> {
        match Arc::try_unwrap(self.0) {
            Ok(Inner { committer, core, .. }) => {
                drop(committer);
                Ok(core.store.close()?)
            }
            Err(_) => Ok(()),
        }
    }

    /// What was amiss and has been mended when the state was opened or since. The user should be told.
    pub fn warnings(&self) -> Vec<StoreWarning> {
        self.store().warnings()
    }

    /// The UUID that stays the same for the life of this state; none before its first operation.
    pub fn lineage(&self) -> Option<String> {
        self.meta().lineage.clone()
    }

    /// Grows by one with each outcome, edit or set of outputs that changes something.
    pub fn serial(&self) -> u64 {
        self.meta().serial
    }

    /// The digest of lineage, serial, and all instances and outputs. Costs nothing: it is kept up with every change.
    pub fn digest(&self) -> Digest {
        self.meta().digest()
    }

    /// The record of an object, if there is one.
    ///
    /// # Errors
    /// The store or the record cannot be read.
    pub fn instance(&self, key: &InstanceKey) -> Result<Option<InstanceRecord>, StateError> {
        self.record(&keys::instance(key))
    }

    /// The outputs of the root module.
    ///
    /// # Errors
    /// The store or a record cannot be read.
    pub fn outputs(&self) -> Result<BTreeMap<String, OutputRecord>, StateError> {
        let entries = self.store().scan(keys::OUTPUTS);
        entries
            .map(|entry| {
                let (key, value) = entry?;
                let name = String::from_utf8_lossy(&key[keys::OUTPUTS.len()..]).into_owned();
                Ok((name, OutputRecord::decode(&value).map_err(record_error(&key))?))
            })
            .collect()
    }

    /// What an imported state file said that belongs to no instance and no output: one JSON object.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn foreign(&self) -> Result<Option<JsonText>, StateError> {
        let Some(bytes) = self.store().get(keys::FOREIGN)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        JsonText::new(text).map(Some).map_err(|error| {
            let source = RecordError::Malformed { kind: "what a state file said", reason: error.to_string() };
            record_error(keys::FOREIGN)(source)
        })
    }

    fn store(&self) -> &dyn Store {
        &*self.0.core.store
    }

    fn meta(&self) -> MutexGuard<'_, Meta> {
        self.0.core.meta()
    }

    fn live(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record<R: Saved>(&self, key: &[u8]) -> Result<Option<R>, StateError> {
        let value = self.store().get(key)?;
        value.map(|value| R::decode(&value).map_err(record_error(key))).transpose()
    }

    /// Queues an entry for the next group.
    fn queue(&self, entry: Entry) -> Ticket {
        let (ticket, promise) = ticket::ticket();
        match &self.0.committer {
            Some(committer) => committer.queue(entry, promise),
            None => promise.resolve(Err(StateError::ReadOnly)),
        }
        ticket
    }
}

/// An error with the key of the record that has it.
fn record_error(key: &[u8]) -> impl FnOnce(RecordError) -> StateError {
    let key = key.escape_ascii().to_string();
    move |source| StateError::Record { key, source }
}
