//! All records at one serial, and which of them have moved since.

use std::collections::BTreeMap;

use super::{State, StateError, keys, record_error};
use crate::{
    digest::{Content, Digest},
    record::{InstanceKey, InstanceRecord, OutputRecord, Saved},
    store::Scan,
};

/// The state at one serial.
pub struct Snapshot<'a> {
    /// The UUID of the state; none before its first operation.
    pub lineage: Option<String>,
    /// The serial.
    pub serial: u64,
    /// The digest of the state.
    pub digest: Digest,
    /// The outputs of the root module.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// The instances, read as they are asked for.
    pub instances: Instances<'a>,
}

/// One instance of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInstance {
    /// The record.
    pub record: InstanceRecord,
    /// Its digest, by which a plan can tell later whether it has moved.
    pub digest: Digest,
}

/// The instances of a snapshot in the order of their addresses: numbers by value, before text; the current object
/// before deposed ones. The last item is an error if the instances are not those that the state's digest is about:
/// someone changed them while they were read, or some were lost.
pub struct Instances<'a> {
    scan: Scan<'a>,
    sum: Content,
    wanted: Content,
    ended: bool,
}

impl Iterator for Instances<'_> {
    type Item = Result<SnapshotInstance, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = match self.scan.next() {
            Some(Ok((key, value))) => self.instance(&key, &value),
            Some(Err(error)) => Err(error.into()),
            None if self.sum == self.wanted => {
                self.ended = true;
                return None;
            }
            None => Err(StateError::Contradiction(
                "the records that were read are not those that its digest is about".to_owned(),
            )),
        };
        self.ended = item.is_err();
        Some(item)
    }
}

impl Instances<'_> {
    fn instance(&mut self, key: &[u8], value: &[u8]) -> Result<SnapshotInstance, StateError> {
        let digest = Digest::of_entry(key, value);
        self.sum.add(digest);
        let record = InstanceRecord::decode(value).map_err(record_error(key))?;
        Ok(SnapshotInstance { record, digest })
    }
}

/// An instance whose record is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which object.
    pub key: InstanceKey,
    /// How.
    pub movement: Movement,
}

/// How a record has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// It was not there.
    Added,
    /// It was different.
    Changed,
    /// It is no longer there.
    Removed,
}

impl State {
    /// All instances and outputs.
    ///
    /// # Errors
    /// The store or an output cannot be read; instances report their own errors.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, StateError> {
        let meta = self.meta().clone();
        let mut sum = Content::default();
        for entry in self.store().scan(keys::OUTPUTS) {
            let (key, value) = entry?;
            sum.add(Digest::of_entry(&key, &value));
        }
        let scan = self.store().scan(keys::INSTANCES);
        Ok(Snapshot {
            digest: meta.digest(),
            outputs: self.outputs()?,
            instances: Instances { scan, sum, wanted: meta.content, ended: false },
            lineage: meta.lineage,
            serial: meta.serial,
        })
    }

    /// Which instances are not what `expected` says, in the order of their addresses as text. Reads all of them: it is
    /// for the moment when the state's digest has turned out to be another.
    ///
    /// # Errors
    /// The store or a record cannot be read.
    pub fn moved(&self, expected: &BTreeMap<InstanceKey, Digest>) -> Result<Vec<Moved>, StateError> {
        let mut missing = expected.clone();
        let mut moved = Vec::new();
        for instance in self.snapshot()?.instances {
            let SnapshotInstance { record, digest } = instance?;
            let key = record.key();
            let movement = match missing.remove(&key) {
                Some(before) if before == digest => continue,
                Some(_) => Movement::Changed,
                None => Movement::Added,
            };
            moved.push(Moved { key, movement });
        }
        moved.extend(missing.into_keys().map(|key| Moved { key, movement: Movement::Removed }));
        moved.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(moved)
    }
}
