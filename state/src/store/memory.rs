//! A store that lives as long as its process: for tests, and for what must leave no trace.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock},
};

use super::{Batch, Change, Entry, Scan, Store, StoreError};

/// How many entries a scan takes at a time, so that it does not hold the lock while its caller works.
const PAGE: usize = 256;

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

    /// Up to a page of entries after `from` that begin with `prefix`.
    fn page(&self, prefix: &[u8], from: Bound<&[u8]>) -> Vec<Entry> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let range = entries.range::<[u8], _>((from, Bound::Unbounded));
        range
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(PAGE)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        let prefix = prefix.to_vec();
        let first = self.page(&prefix, Bound::Included(&prefix));
        let pages = std::iter::successors(Some(first), move |page| {
            let (last, _) = page.last()?;
            Some(self.page(&prefix, Bound::Excluded(last)))
        });
        Box::new(pages.take_while(|page| !page.is_empty()).flatten().map(Ok))
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
