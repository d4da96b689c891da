//! The embedded store: a directory with a redo log that is believed and an index that is checked.
//!
//! | file | what it is |
//! |---|---|
//! | `records.log` | every commit since the last rewrite, with checksums ([`super::log`]) |
//! | `index/` | the same, found by key ([`super::sled`]) |
//! | `head` | how far the store had come when it was last closed ([`super::head`]) |
//! | `writer.lock` | locked by whoever has the store open for writing |
//! | `*.damaged-TIME` | files that were damaged, as they were found |
//!
//! A commit is appended to the log and flushed, then applied to the index; the index is flushed when the store is
//! closed, and now and then. So readers never see what the log does not hold. A reader opens the log alone, takes no
//! lock and writes nothing.
//!
//! [`open`] decides what to believe when the store is opened. What always holds: no file is removed or overwritten
//! before what it says is known to be elsewhere; damaged files are moved aside; and where a commit that there is a trace
//! of cannot be found, nothing is changed and [`StoreError::Damaged`] says so.

mod open;

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread,
    time::Duration,
};

use super::{
    Batch, Change, Entry, PAGE, Scan, Store, StoreError, StoreWarning,
    head::Head,
    log::{Log, Position, Report, Tail},
    paged,
    replay::Replay,
    sled::Index,
};

const LOG: &str = "records.log";
const INDEX: &str = "index";
const HEAD: &str = "head";
const WRITER_LOCK: &str = "writer.lock";

/// How often a reader looks again at what seems to be damage, and how long it waits before.
const READ_TRIES: u32 = 4;
const READ_PAUSE: Duration = Duration::from_millis(25);

/// How many bytes are committed before the index is flushed, which bounds what has to be replayed after a crash.
const FLUSH_EVERY: u64 = 256 << 20;
/// How many bytes of commits are gathered before they are applied to the index, in the order of their keys: the index is
/// larger than its cache, so what is applied in many small pieces reads and writes the same pages again and again.
const PENDING: usize = 32 << 20;
/// The log is rewritten when it is closed and longer than this, in bytes, and than twice the entries.
const REWRITE_CLOSING: u64 = 4 << 20;
/// The log is rewritten while it is open when longer than this, in bytes, and than four times the entries.
const REWRITE_OPEN: u64 = 256 << 20;

/// Keys and values in a directory.
pub struct EmbeddedStore {
    dir: PathBuf,
    view: RwLock<Arc<View>>,
    /// Commits that are in the log and not in the view yet. Locked before the view.
    pending: RwLock<Pending>,
    /// None for a store that is open for reading only, and once it is closed.
    writer: Mutex<Option<Writer>>,
    warnings: Mutex<Vec<StoreWarning>>,
}

/// What reads are answered from.
enum View {
    Index(Index),
    Replay(Replay),
    Closed,
}

/// Commits that are in the log and wait to be applied to the view, many at once.
#[derive(Default)]
struct Pending {
    /// The last change of each key: its value, or none if it is deleted.
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
    position: Position,
}

/// What commits are made with.
struct Writer {
    log: Log,
    position: Position,
    /// The length of all keys and values, in bytes.
    bytes: u64,
    /// How many bytes were committed since the index was flushed.
    unflushed: u64,
    // Closing the file releases the lock.
    _lock: File,
}

impl EmbeddedStore {
    /// Opens the store in a directory for reading and writing, making the directory if it is not there.
    ///
    /// # Errors
    /// Another process has it open for writing, the files cannot be used, or they are damaged beyond repair.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        open::open(dir)
    }

    /// Opens the store as it is at this moment, for reading only: without a lock, without writing, and without waiting
    /// for whoever writes. A directory that is not there is an empty store.
    ///
    /// # Errors
    /// The log cannot be read, or is damaged: then opening for writing may mend it.
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        let mut tries = 0;
        let replay = loop {
            match read_log(dir) {
                // What looks like damage may be a writer at work, seen between two of its steps.
                Err(StoreError::Damaged { .. }) if tries < READ_TRIES => {
                    tries += 1;
                    thread::sleep(READ_PAUSE);
                }
                result => break result?,
            }
        };
        Ok(Self {
            dir: dir.to_owned(),
            view: RwLock::new(Arc::new(View::Replay(replay))),
            pending: RwLock::default(),
            writer: Mutex::new(None),
            warnings: Mutex::default(),
        })
    }

    fn view(&self) -> Arc<View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a read from the index, or from the log if the index fails.
    fn answer<T>(
        &self,
        from_index: impl Fn(&Index) -> Result<T, String>,
        from_replay: impl Fn(&Replay) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let reason = match &*self.view() {
            View::Index(index) => match from_index(index) {
                Ok(answer) => return Ok(answer),
                Err(reason) => reason,
            },
            View::Replay(replay) => return from_replay(replay),
            View::Closed => return Err(StoreError::Closed),
        };
        self.leave_index(&reason)?;
        match &*self.view() {
            View::Replay(replay) => from_replay(replay),
            View::Index(_) | View::Closed => Err(StoreError::Closed),
        }
    }

    /// Goes on without the index, from the log.
    fn leave_index(&self, reason: &str) -> Result<(), StoreError> {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(**view, View::Index(_)) {
            return Ok(());
        }
        let (replay, report) = Replay::read(&self.dir.join(LOG))?;
        if let Tail::Damaged { finding, .. } = report.tail {
            return Err(open::damaged(&self.dir, vec![format!("the index: {reason}"), finding]));
        }
        *view = Arc::new(View::Replay(replay));
        self.warn(open::index_left(&self.dir, reason));
        Ok(())
    }

    fn warn(&self, warning: StoreWarning) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    fn page(&self, from: Bound<&[u8]>) -> Result<Vec<Entry>, StoreError> {
        self.apply_pending()?;
        self.answer(|index| index.page(from, PAGE), |replay| replay.page(from, PAGE))
    }

    /// The position after changes, and by how much the entries grow, in bytes.
    fn advance(&self, from: Position, changes: &[Change]) -> Result<(Position, i64), StoreError> {
        let mut position = Position { sequence: from.sequence + 1, ..from };
        let mut growth = 0;
        let mut changed: HashMap<&[u8], Option<&[u8]>> = HashMap::new();
        for change in changes {
            let key = change.key();
            let fetched;
            let before = match changed.get(key) {
                Some(value) => *value,
                None => {
                    fetched = self.get(key)?;
                    fetched.as_deref()
                }
            };
            if let Some(value) = before {
                position.sum.subtract(key, value);
                growth -= (key.len() + value.len()) as i64;
            }
            let after = match change {
                Change::Put(_, value) => {
                    position.sum.add(key, value);
                    growth += (key.len() + value.len()) as i64;
                    Some(&value[..])
                }
                Change::Delete(_) => None,
            };
            changed.insert(key, after);
        }
        Ok((position, growth))
    }

    /// Replaces the log by one that holds each entry once.
    fn rewrite_log(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let log = Log::create(&self.dir.join(LOG), writer.position, self.scan(&[]))?;
        writer.log = log;
        Ok(())
    }

    /// Lets readers see a commit that is in the log, and flushes the index if it is time.
    fn follow(&self, writer: &mut Writer, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            pending.bytes += change.bytes();
            match change {
                Change::Put(key, value) => pending.changes.insert(key, Some(value)),
                Change::Delete(key) => pending.changes.insert(key, None),
            };
        }
        pending.position = writer.position;
        let enough = pending.bytes >= PENDING;
        drop(pending);
        if enough {
            self.apply_pending()?;
        }
        if writer.unflushed >= FLUSH_EVERY {
            writer.unflushed = 0;
            if let View::Index(index) = &*self.view()
                && let Err(reason) = index.flush()
            {
                self.leave_index(&reason)?;
            }
        }
        Ok(())
    }

    /// Applies to the view what is in the log already.
    fn apply_pending(&self) -> Result<(), StoreError> {
        if self.pending.read().unwrap_or_else(PoisonError::into_inner).changes.is_empty() {
            return Ok(());
        }
        // Kept until the view has the changes, so that no reader looks in between.
        let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
        let Pending { changes, position, .. } = std::mem::take(&mut *pending);
        let changes: Vec<Change> = changes
            .into_iter()
            .map(|(key, value)| match value {
                Some(value) => Change::Put(key, value),
                None => Change::Delete(key),
            })
            .collect();
        let applied = match &*self.view() {
            View::Index(index) => index.apply(&changes, position),
            View::Replay(replay) => {
                replay.apply(&changes);
                Ok(())
            }
            View::Closed => Ok(()),
        };
        // The log has these commits, so it can replace an index that failed.
        applied.or_else(|reason| self.leave_index(&reason))
    }
}

/// Reads the log without touching anything. A log that ends in the middle of a frame is being written.
fn read_log(dir: &Path) -> Result<Replay, StoreError> {
    let damaged = |finding: String| Err(open::damaged_for_reader(dir, finding));
    // The head first: a writer that closes meanwhile would leave one that is ahead of the log that was read.
    let head = Head::read(&dir.join(HEAD))?;
    match (Replay::read(&dir.join(LOG)), head) {
        (Ok((_, Report { tail: Tail::Damaged { finding, .. }, .. })), _) => damaged(finding),
        (Ok(_), Err(finding)) => damaged(finding.to_owned()),
        (Ok((_, report)), Ok(head)) if report.position.sequence < head.sequence => {
            damaged(open::cut_short(report.position.sequence, head.sequence))
        }
        (Ok((replay, _)), Ok(_)) => Ok(replay),
        (Err(error), head) if error.is_not_found() => {
            let expected = head.map_or_else(|_| dir.join(INDEX).exists(), |head| head.sequence > 0);
            if expected { damaged("the log is missing".to_owned()) } else { Ok(Replay::empty()) }
        }
        (Err(error), _) => Err(error),
    }
}

impl Store for EmbeddedStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(value) = self.pending.read().unwrap_or_else(PoisonError::into_inner).changes.get(key) {
            return Ok(value.clone());
        }
        self.answer(|index| index.get(key), |replay| replay.get(key))
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        Box::new(paged(prefix, move |from| self.page(from)))
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut guard = self.writer();
        let writer = guard.as_mut().ok_or(StoreError::ReadOnly)?;
        if batch.is_empty() {
            return Ok(());
        }
        let bytes = batch.bytes() as u64;
        let changes = batch.into_changes();
        let (position, growth) = self.advance(writer.position, &changes)?;
        writer.log.append(position, &changes)?;
        writer.position = position;
        writer.bytes = writer.bytes.saturating_add_signed(growth);
        writer.unflushed += bytes;
        self.follow(writer, changes)?;
        if writer.log.length() > REWRITE_OPEN.max(4 * writer.bytes)
            && let Err(error) = self.rewrite_log(writer)
        {
            // The log is as good as before, only long.
            self.warn(open::not_rewritten(&self.dir, &error));
        }
        Ok(())
    }

    fn warnings(&self) -> Vec<StoreWarning> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn close(&self) -> Result<(), StoreError> {
        let Some(mut writer) = self.writer().take() else { return Ok(()) };
        let mut result = self.apply_pending();
        if result.is_ok() && writer.log.length() > REWRITE_CLOSING.max(2 * writer.bytes) {
            result = self.rewrite_log(&mut writer);
        }
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        // A reader in the middle of a page keeps the index open; then the next one to open the store checks it.
        let index = match Arc::into_inner(std::mem::replace(&mut *view, Arc::new(View::Closed))) {
            Some(View::Index(index)) => index.close().ok(),
            _ => None,
        };
        let head = Head { sequence: writer.position.sequence, bytes: writer.bytes, index };
        result.and(head.write(&self.dir.join(HEAD)))
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        // Nothing is lost if this fails: the log has everything.
        let _ = self.close();
    }
}
