//! A store that lives as long as its process: for tests, and for what must leave no trace.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock},
};

use super::{Batch, Change, Entry, PAGE, Scan, Store, StoreError, paged};

/// Keys and values in memory. "Durable" means until it is dropped.
#[derive(Default)]
pub struct MemoryStore {
    entries: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn page(&self, from: Bound<&[u8]>) -> Vec<Entry> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let range = entries.range::<[u8], _>((from, Bound::Unbounded)).take(PAGE);
        range.map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        Box::new(paged(prefix, |from| Ok(self.page(from))))
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for change in batch.into_changes() {
            match change {
                Change::Put(key, value) => entries.insert(key, value),
                Change::Delete(key) => entries.remove(&key),
            };
        }
        Ok(())
    }
}
