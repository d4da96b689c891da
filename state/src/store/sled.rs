//! The index by sled: what the redo log says, found by key. This is the only file that names sled.
//!
//! The index is a convenience, the log is believed: nothing here is flushed for the sake of a commit, every call is
//! guarded against panics, and every failure is a sentence that the owner acts on. The index remembers under a key of
//! its own which commit it has come to and the sum of everything in it, so that it can be checked as a whole.

use std::{
    borrow::Borrow,
    collections::BTreeMap,
    fs, io,
    io::Read,
    ops::Bound,
    path::{Path, PathBuf},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    Change, Entry,
    log::{Position, Sum},
    quiet::guard,
};

/// Where the index says which commit it has come to. Keys of the store do not begin with a zero byte.
const HEAD: &[u8] = b"\0head";
/// How much sled may keep in memory. Small: the state is read once for each command.
const CACHE: u64 = 32 << 20;
/// How many bytes of changes sled gets at once: what it replaces within a batch stays in memory until the batch ends.
const BATCH: usize = 256 << 10;
/// How long opening may take before the index counts as damaged; sled has been seen waiting for ever.
const OPEN_LIMIT: Duration = Duration::from_secs(60);

/// An open index.
pub(super) struct Index {
    db: sled::Db,
    path: PathBuf,
}

/// The length and checksum of each file of a closed index. Equal fingerprints mean equal files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint(BTreeMap<String, (u64, u32)>);

/// What a full check of an index found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    /// The commit it has come to.
    pub position: Position,
    /// The length of all keys and values, in bytes.
    pub bytes: u64,
}

impl Index {
    /// Opens the index in a directory, making it if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let (sender, receiver) = channel();
        let owned = path.to_owned();
        let open = move || {
            let _ = sender.send(guard(|| open_patiently(&owned)));
        };
        thread::Builder::new().name("sled-open".to_owned()).spawn(open).map_err(|error| error.to_string())?;
        let db =
            receiver.recv_timeout(OPEN_LIMIT).map_err(|_| "it does not finish opening".to_owned())???;
        Ok(Self { db, path: path.to_owned() })
    }

    /// The commit that the index has come to; none for one that has just been made or was not finished.
    pub(super) fn position(&self) -> Result<Option<Position>, String> {
        match self.get(HEAD)? {
            Some(bytes) => {
                Position::decode(&bytes).map(Some).ok_or_else(|| "its own head is malformed".to_owned())
            }
            None => Ok(None),
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let value = guard(|| self.db.get(key))?.map_err(text)?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// Up to `limit` entries from a key on, in order, without the index's own.
    pub(super) fn page(&self, from: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, String> {
        let from = match from {
            Bound::Unbounded => Bound::Excluded(HEAD),
            bound => bound,
        };
        guard(|| {
            let range = self.db.range::<&[u8], _>((from, Bound::Unbounded)).take(limit);
            range
                .map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .collect::<Result<Vec<_>, _>>()
        })?
        .map_err(text)
    }

    /// Makes changes, in order, then moves to their position. A process that ends in between leaves an index whose sum is
    /// not the one that it remembers.
    pub(super) fn apply(&self, changes: &[Change], position: Position) -> Result<(), String> {
        self.fill(changes.iter().map(Ok), position)
    }

    /// The same for changes that come one by one.
    pub(super) fn fill<C: Borrow<Change>>(
        &self,
        changes: impl Iterator<Item = Result<C, String>>,
        position: Position,
    ) -> Result<(), String> {
        let apply = |batch| guard(|| self.db.apply_batch(batch))?.map_err(text);
        let mut batch = sled::Batch::default();
        let mut bytes = 0;
        for change in changes {
            let change = change?;
            match change.borrow() {
                Change::Put(key, value) => batch.insert(&key[..], &value[..]),
                Change::Delete(key) => batch.remove(&key[..]),
            }
            bytes += change.borrow().bytes();
            if bytes >= BATCH {
                apply(std::mem::take(&mut batch))?;
                bytes = 0;
            }
        }
        batch.insert(HEAD, &position.encode()[..]);
        apply(batch)
    }

    /// Reads everything and compares it with the sum that the index remembers.
    pub(super) fn check(&self) -> Result<Checked, String> {
        let position = self.position()?.ok_or("it was never finished")?;
        let mut sum = Sum::default();
        let mut bytes = 0;
        let mut entries = self.db.range::<&[u8], _>((Bound::Excluded(HEAD), Bound::Unbounded));
        while let Some(entry) = guard(|| entries.next())? {
            let (key, value) = entry.map_err(text)?;
            sum.add(&key, &value);
            bytes += (key.len() + value.len()) as u64;
        }
        if sum != position.sum {
            return Err("its entries are not those that it had".to_owned());
        }
        Ok(Checked { position, bytes })
    }

    /// Brings everything to stable storage.
    pub(super) fn flush(&self) -> Result<(), String> {
        guard(|| self.db.flush())?.map(drop).map_err(text)
    }

    /// Flushes, closes, and takes the fingerprint of what is on disk then.
    pub(super) fn close(self) -> Result<Fingerprint, String> {
        let Self { db, path } = self;
        guard(|| db.flush())?.map_err(text)?;
        guard(|| drop(db))?;
        fingerprint(&path).map_err(|error| error.to_string())
    }
}

/// The fingerprint of the index in a directory, which must not be open.
pub(super) fn fingerprint(path: &Path) -> io::Result<Fingerprint> {
    let mut files = BTreeMap::new();
    let mut open = vec![(path.to_owned(), String::new())];
    while let Some((dir, prefix)) = open.pop() {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                open.push((entry.path(), name + "/"));
            } else {
                files.insert(name, checksum(&entry.path())?);
            }
        }
    }
    Ok(Fingerprint(files))
}

fn checksum(path: &Path) -> io::Result<(u64, u32)> {
    let mut file = fs::File::open(path)?;
    let mut hash = crc32fast::Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((length, hash.finalize())),
            n => {
                hash.update(&buffer[..n]);
                length += n as u64;
            }
        }
    }
}

/// A handle that was just dropped in this process may keep sled's file lock for a moment.
fn open_patiently(path: &Path) -> Result<sled::Db, String> {
    let start = Instant::now();
    loop {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE)
            .flush_every_ms(None)
            .mode(sled::Mode::HighThroughput)
            .print_profile_on_drop(false);
        match config.open() {
            Err(sled::Error::Io(error))
                if error.to_string().contains("could not acquire lock")
                    && start.elapsed() < Duration::from_secs(5) =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            result => return result.map_err(text),
        }
    }
}

fn text(error: sled::Error) -> String {
    error.to_string()
}
