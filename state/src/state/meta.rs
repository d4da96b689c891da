//! What the state as a whole is at: one small record that every change of state rewrites.

use serde::{Deserialize, Serialize};

use crate::{
    digest::{Content, Digest},
    record::Saved,
};

/// The meta record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// A UUID that stays the same for the life of the state; none before its first operation.
    pub lineage: Option<String>,
    /// Grows with every change of an instance or an output.
    pub serial: u64,
    /// The number of the next operation.
    pub next_operation: u64,
    /// The sum of the digests of all instances and outputs.
    pub content: Content,
}

impl Default for Meta {
    fn default() -> Self {
        Self { lineage: None, serial: 0, next_operation: 1, content: Content::default() }
    }
}

impl Meta {
    pub(super) fn encode(&self) -> Vec<u8> {
        let saved = SavedMeta {
            lineage: self.lineage.clone(),
            serial: self.serial,
            next_operation: self.next_operation,
            content: self.content.to_digest(),
        };
        saved.encode()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, crate::record::RecordError> {
        let saved = SavedMeta::decode(bytes)?;
        Ok(Self {
            lineage: saved.lineage,
            serial: saved.serial,
            next_operation: saved.next_operation,
            content: Content::from_digest(saved.content),
        })
    }

    /// The digest of the state. Nothing was ever in a state at serial 0, so that all of those are alike: a plan made
    /// before the first operation fits whatever lineage that operation begins.
    pub(super) fn digest(&self) -> Digest {
        let lineage = if self.serial == 0 { "" } else { self.lineage.as_deref().unwrap_or_default() };
        let content = self.content.to_digest();
        Digest::of_parts(&[b"plumb state 1", lineage.as_bytes(), &self.serial.to_le_bytes(), &content.0])
    }
}

/// The saved form.
#[derive(Serialize, Deserialize)]
struct SavedMeta {
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    lineage: Option<String>,
    #[serde(rename = "s")]
    serial: u64,
    #[serde(rename = "n")]
    next_operation: u64,
    #[serde(rename = "c")]
    content: Digest,
}

impl Saved for SavedMeta {
    const KIND: &'static str = "the record of the state as a whole";
    const VERSION: u8 = 1;
}
