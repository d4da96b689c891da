//! What a log says, found by key, without any other file.
//!
//! Keys are in memory, values stay in the file until they are asked for. Readers use it while another process writes:
//! they keep the file they have opened, whatever is appended to it or put in its place. It is also what a writer goes
//! on with when its index fails.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

use super::{
    Change, Entry, StoreError,
    log::{self, Report},
};

/// A log, read.
pub(super) struct Replay {
    path: PathBuf,
    file: Option<Mutex<File>>,
    entries: RwLock<BTreeMap<Box<[u8]>, Place>>,
}

/// Where a value is.
enum Place {
    File { offset: u64, length: u32 },
    Memory(Vec<u8>),
}

impl Replay {
    /// No log, and nothing in it.
    pub(super) fn empty() -> Self {
        Self { path: PathBuf::new(), file: None, entries: RwLock::default() }
    }

    /// Reads a log up to the first place that does not check, which the report names.
    pub(super) fn read(path: &Path) -> Result<(Self, Report), StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let mut entries = BTreeMap::new();
        let report = log::read(path, &file, &mut |frame| {
            for logged in frame.changes() {
                match logged.value {
                    Some((offset, value)) => {
                        let length = u32::try_from(value.len()).expect("frames hold lengths of 32 bits");
                        entries.insert(logged.key.into(), Place::File { offset, length });
                    }
                    None => {
                        entries.remove(logged.key);
                    }
                }
            }
            Ok(())
        })?;
        let replay =
            Self { path: path.to_owned(), file: Some(Mutex::new(file)), entries: RwLock::new(entries) };
        Ok((replay, report))
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).map(|place| self.value(place)).transpose()
    }

    /// Up to `limit` entries from a key on, in order.
    pub(super) fn page(&self, from: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let range = entries.range::<[u8], _>((from, Bound::Unbounded)).take(limit);
        range.map(|(key, place)| Ok((key.to_vec(), self.value(place)?))).collect()
    }

    /// Makes changes that are in the log, but not in the part of it that was read.
    pub(super) fn apply(&self, changes: &[Change]) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            match change {
                Change::Put(key, value) => entries.insert(key[..].into(), Place::Memory(value.clone())),
                Change::Delete(key) => entries.remove(&key[..]),
            };
        }
    }

    fn value(&self, place: &Place) -> Result<Vec<u8>, StoreError> {
        match (place, &self.file) {
            (Place::Memory(value), _) => Ok(value.clone()),
            (Place::File { offset, length }, Some(file)) => {
                let file = file.lock().unwrap_or_else(PoisonError::into_inner);
                read_at(file, *offset, *length as usize).map_err(StoreError::io("read", &self.path))
            }
            (Place::File { .. }, None) => unreachable!("values are in a file only where there is one"),
        }
    }
}

fn read_at(mut file: MutexGuard<'_, File>, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut value = vec![0; length];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut value)?;
    Ok(value)
}
