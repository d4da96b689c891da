//! Ordered keys and values.
//!
//! A [`Store`] gets one value, scans the keys that begin with a prefix, and commits a [`Batch`]: all of it or nothing,
//! on stable storage when the call returns. That is all that state needs, and what every kind of database can give, so
//! that one suite of tests holds for all stores.
//!
//! - [`MemoryStore`] forgets everything when it is dropped.
//! - [`EmbeddedStore`] keeps a directory: a redo log that is believed, and an index by sled that is checked.
//!
//! Keys are not empty and do not begin with a zero byte; the embedded store keeps its own there.

mod embedded;
mod head;
mod log;
mod memory;
mod quiet;
mod replay;
mod sled;

use std::{io, ops::Bound, path::PathBuf, sync::Arc};

pub use embedded::EmbeddedStore;
pub use memory::MemoryStore;

/// A key with its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// The entries of a scan, in the order of their keys. After an error there is nothing more.
pub type Scan<'a> = Box<dyn Iterator<Item = Result<Entry, StoreError>> + Send + 'a>;

/// How many entries a scan takes at a time, so that it holds nothing while its caller works.
const PAGE: usize = 256;

/// The entries whose keys begin with `prefix`, from pages of up to [`PAGE`] entries that begin at a given key.
fn paged<'a>(
    prefix: &[u8],
    mut page: impl FnMut(Bound<&[u8]>) -> Result<Vec<Entry>, StoreError> + 'a,
) -> impl Iterator<Item = Result<Entry, StoreError>> + 'a {
    let prefix = prefix.to_vec();
    let mut entries = Vec::new().into_iter();
    let mut last: Option<Vec<u8>> = None;
    let mut ended = false;
    std::iter::from_fn(move || {
        if entries.len() == 0 && !ended {
            let from = match &last {
                Some(last) => Bound::Excluded(&last[..]),
                None if prefix.is_empty() => Bound::Unbounded,
                None => Bound::Included(&prefix[..]),
            };
            match page(from) {
                Ok(next) => {
                    ended = next.len() < PAGE;
                    last = next.last().map(|(key, _)| key.clone());
                    entries = next.into_iter();
                }
                Err(error) => {
                    ended = true;
                    return Some(Err(error));
                }
            }
        }
        let entry = entries.next().filter(|(key, _)| key.starts_with(&prefix));
        if entry.is_none() {
            ended = true;
            entries = Vec::new().into_iter();
        }
        entry.map(Ok)
    })
}

/// Ordered keys and values with atomic, durable commits.
///
/// A scan that runs while others commit may see some of their changes; it never sees half a value.
pub trait Store: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// The store cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The entries whose keys begin with `prefix`, in the order of their keys, read as they are asked for.
    fn scan(&self, prefix: &[u8]) -> Scan<'_>;

    /// Makes all changes of the batch, in its order, or none of them. They are on stable storage when this returns.
    ///
    /// # Errors
    /// The changes are not known to be durable. Readers do not see them.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// What was found amiss, and mended, when the store was opened or since. The user should be told.
    fn warnings(&self) -> Vec<StoreWarning> {
        Vec::new()
    }

    /// Brings everything to its resting place. Dropping a store does the same, but cannot report errors.
    ///
    /// # Errors
    /// The store could not be tidied up. What was committed is safe nevertheless.
    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Changes that are made together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    changes: Vec<Change>,
    bytes: usize,
}

/// One change to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The key has this value from now on.
    Put(Vec<u8>, Vec<u8>),
    /// The key has no value from now on.
    Delete(Vec<u8>),
}

impl Batch {
    /// No changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.push(Change::Put(key.into(), value.into()));
    }

    /// Removes a key; one that is not there is no error.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.push(Change::Delete(key.into()));
    }

    /// Adds a change.
    pub fn push(&mut self, change: Change) {
        self.bytes += change.bytes();
        self.changes.push(change);
    }

    /// The changes in order. Of several changes to one key the last one counts.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes in order.
    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The length of all keys and values together, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Change {
    /// The key that is changed.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }

    /// The length of key and value, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Put(key, value) => key.len() + value.len(),
            Self::Delete(key) => key.len(),
        }
    }
}

/// Why a store could not do its work. Cheap to clone: many may wait for one commit.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
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
    /// Another process, or another part of this one, has the store open for writing.
    #[error("{} is open for writing elsewhere", path.display())]
    InUse {
        /// The directory of the store.
        path: PathBuf,
    },
    /// The store was opened for reading only.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// A newer program wrote the files.
    #[error("{} has format {found}, this program reads up to format {known}: use a newer plumb", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format that was found.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// The files are damaged beyond what can be mended without loss. Nothing was changed.
    #[error("{} is damaged: {}", path.display(), findings.join("; "))]
    Damaged {
        /// The directory of the store.
        path: PathBuf,
        /// What is damaged, one sentence each.
        findings: Vec<String>,
        /// What can be done.
        help: String,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// An earlier commit failed in a way that leaves the end of the log unknown; the store must be opened anew.
    #[error("an earlier write to {} failed, nothing more is written until the store is opened again", path.display())]
    Stopped {
        /// The file.
        path: PathBuf,
    },
    /// A batch is larger than a store can take at once.
    #[error("a batch of {bytes} bytes is too large, at most {limit} bytes go in at once")]
    TooLarge {
        /// The size of the batch, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source: Arc::new(source) }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// What the user can do about it, if there is something particular.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Damaged { help, .. } => Some(help),
            _ => None,
        }
    }
}

/// Something that was amiss and has been mended without loss.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreWarning {
    /// What was found and what was done, as whole sentences.
    pub message: String,
    /// Where the damaged files were put.
    pub kept: Option<PathBuf>,
}
