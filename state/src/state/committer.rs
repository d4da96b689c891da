//! Group commit.
//!
//! Entries from many callers are queued; one thread takes all that have come in, makes one batch of them, and commits
//! it with one flush. While it flushes, the next group gathers. So a flush is paid once for as many steps as end at
//! about the same time, and a single caller pays no more than its own flush.
//!
//! The thread alone knows the state's meta record, and changes it together with the records that it sums up.
//! Invariant: the meta record in memory is the one in the store.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{StateError, keys, meta::Meta, ticket::Promise};
use crate::{
    digest::Digest,
    record::{OperationRecord, Saved},
    store::{Batch, Change, Store},
};

/// How many bytes of entries go into one batch before the next is begun.
const GROUP_BYTES: usize = 4 << 20;
/// From how many entries in a group on it is worth waiting for more.
const MANY: usize = 3;
/// What a commit takes at most, as far as waiting goes.
const COMMIT_LIMIT: Duration = Duration::from_millis(4);

/// What one caller wants made durable, in one piece.
#[derive(Default)]
pub(super) struct Entry {
    /// Keys that are not part of the state's content: journal and history.
    pub journal: Batch,
    /// Keys that are: instances and outputs.
    pub content: Batch,
    /// A record of an operation, to be completed with the serial.
    pub operation: Option<Mark>,
    /// The lineage to begin with, if the state has none yet.
    pub lineage: Option<String>,
    /// The serial to go up to, if the state is below.
    pub serial: Option<u64>,
}

/// Where in its life an operation is.
pub(super) enum Mark {
    /// It begins; the serial is the one before.
    Begin(OperationRecord),
    /// It ends; the serial is the one after.
    End(OperationRecord),
}

struct Queued {
    entry: Entry,
    promise: Promise,
}

/// What the committing thread and everyone else share.
pub(super) struct Core {
    pub store: Box<dyn Store>,
    meta: Mutex<Meta>,
}

impl Core {
    pub(super) fn new(store: Box<dyn Store>, meta: Meta) -> Self {
        Self { store, meta: Mutex::new(meta) }
    }

    pub(super) fn meta(&self) -> MutexGuard<'_, Meta> {
        self.meta.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue and the thread behind it. Dropping it commits what is queued and ends the thread.
pub(super) struct Committer {
    queue: Option<Sender<Queued>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(core: Arc<Core>) -> Result<Self, StateError> {
        let (queue, entries) = channel();
        let thread = thread::Builder::new().name("state-commit".to_owned());
        let thread = thread
            .spawn(move || run(&core, &entries))
            .map_err(|error| StateError::Thread(Arc::new(error)))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues an entry. If the thread is gone, the promise is dropped, which tells whoever waits.
    pub(super) fn queue(&self, entry: Entry, promise: Promise) {
        if let Some(queue) = &self.queue {
            let _ = queue.send(Queued { entry, promise });
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn run(core: &Core, entries: &Receiver<Queued>) {
    let mut pace = Pace::default();
    while let Ok(first) = entries.recv() {
        let group = pace.gather(first, entries);
        let (entries, promises): (Vec<_>, Vec<_>) = group.into_iter().map(|q| (q.entry, q.promise)).unzip();
        let size = entries.len();
        let start = Instant::now();
        let result = commit(core, entries);
        pace.learn(size, start.elapsed());
        for promise in promises {
            // A caller's callback that panics must not keep the others from their results.
            let _ = catch_unwind(AssertUnwindSafe(|| promise.resolve(result.clone())));
        }
    }
}

/// How long a group waits for more entries.
///
/// Callers whose entries were just made durable come back with their next ones a moment later. Committing at once would
/// split them into two halves that take turns, each paying a flush. So when groups are not tiny, a group waits for as
/// many entries as the last two had together, but never longer than a part of what a commit takes.
#[derive(Default)]
struct Pace {
    last: usize,
    before: usize,
    took: Duration,
}

impl Pace {
    fn gather(&self, first: Queued, entries: &Receiver<Queued>) -> Vec<Queued> {
        let mut bytes = first.bytes();
        let mut group = vec![first];
        let wanted = if self.last >= MANY { self.last + self.before } else { 0 };
        let end = Instant::now() + self.took.min(COMMIT_LIMIT) / 4;
        while bytes < GROUP_BYTES {
            let next = match entries.try_recv() {
                Ok(next) => next,
                Err(_) if group.len() >= wanted => break,
                Err(_) => match entries.recv_timeout(end.saturating_duration_since(Instant::now())) {
                    Ok(next) => next,
                    Err(_) => break,
                },
            };
            bytes += next.bytes();
            group.push(next);
        }
        group
    }

    fn learn(&mut self, size: usize, took: Duration) {
        *self = Self { last: size, before: self.last, took };
    }
}

impl Queued {
    fn bytes(&self) -> usize {
        self.entry.journal.bytes() + self.entry.content.bytes()
    }
}

fn commit(core: &Core, entries: Vec<Entry>) -> Result<(), StateError> {
    let mut group = Group { core, meta: core.meta().clone(), batch: Batch::new(), digests: HashMap::new() };
    for entry in entries {
        group.add(entry)?;
    }
    let Group { meta, mut batch, .. } = group;
    if meta != *core.meta() {
        batch.put(keys::META, meta.encode());
    }
    core.store.commit(batch)?;
    *core.meta() = meta;
    Ok(())
}

/// A batch in the making.
struct Group<'a> {
    core: &'a Core,
    meta: Meta,
    batch: Batch,
    /// The digests of content keys that the batch has changed so far; none for those it removes.
    digests: HashMap<Vec<u8>, Option<Digest>>,
}

impl Group<'_> {
    fn add(&mut self, entry: Entry) -> Result<(), StateError> {
        if self.meta.lineage.is_none() {
            self.meta.lineage = entry.lineage;
        }
        if let Some(Mark::Begin(mut record)) = entry.operation {
            record.serial_before = self.meta.serial;
            self.meta.next_operation = self.meta.next_operation.max(record.number + 1);
            self.batch.put(keys::unfinished(record.number), []);
            self.batch.put(keys::operation(record.number), record.encode());
            return Ok(());
        }
        self.change_content(entry.content)?;
        self.meta.serial = self.meta.serial.max(entry.serial.unwrap_or(0));
        for change in entry.journal.into_changes() {
            self.batch.push(change);
        }
        if let Some(Mark::End(mut record)) = entry.operation {
            record.serial_after = Some(self.meta.serial);
            self.batch.delete(keys::unfinished(record.number));
            self.batch.put(keys::operation(record.number), record.encode());
        }
        Ok(())
    }

    /// Takes changes of records over, with their effect on the content's sum. The serial grows by one if there is any.
    fn change_content(&mut self, content: Batch) -> Result<(), StateError> {
        let mut changed = false;
        for change in content.into_changes() {
            let before = self.digest(change.key())?;
            let after = match &change {
                Change::Put(key, value) => Some(Digest::of_entry(key, value)),
                Change::Delete(_) => None,
            };
            if before == after {
                continue;
            }
            changed = true;
            if let Some(digest) = before {
                self.meta.content.subtract(digest);
            }
            if let Some(digest) = after {
                self.meta.content.add(digest);
            }
            self.digests.insert(change.key().to_vec(), after);
            self.batch.push(change);
        }
        self.meta.serial += u64::from(changed);
        Ok(())
    }

    /// The digest of the entry that a content key has after the changes so far.
    fn digest(&self, key: &[u8]) -> Result<Option<Digest>, StateError> {
        if let Some(digest) = self.digests.get(key) {
            return Ok(*digest);
        }
        Ok(self.core.store.get(key)?.map(|value| Digest::of_entry(key, &value)))
    }
}
