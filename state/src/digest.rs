//! Digests of records and of whole states.
//!
//! A record's [`Digest`] is the SHA-256 of its key and value. The content of a state is a `Content`: the sum of the
//! digests of its records, so that a change costs as much as the change, and order does not matter.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest. Shown, and saved, as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of a key with its value. The key's length is part of it, so that no two pairs share their bytes.
    pub(crate) fn of_entry(key: &[u8], value: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update((key.len() as u64).to_le_bytes());
        hash.update(key);
        hash.update(value);
        Self(hash.finalize().into())
    }

    /// The digest of parts, each with its length.
    pub(crate) fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("a digest has 64 hexadecimal digits"))
    }
}

/// A sum of digests, modulo 2^64 in each of four lanes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Content([u64; 4]);

impl Content {
    pub(crate) fn add(&mut self, digest: Digest) {
        self.combine(digest, u64::wrapping_add);
    }

    pub(crate) fn subtract(&mut self, digest: Digest) {
        self.combine(digest, u64::wrapping_sub);
    }

    fn combine(&mut self, digest: Digest, with: fn(u64, u64) -> u64) {
        for (lane, bytes) in self.0.iter_mut().zip(digest.0.chunks_exact(8)) {
            *lane = with(*lane, u64::from_le_bytes(bytes.try_into().expect("chunks of eight bytes")));
        }
    }

    /// The sum as bytes, which [`Content::from_digest`] takes back.
    pub(crate) fn to_digest(self) -> Digest {
        let mut bytes = [0; 32];
        for (chunk, lane) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&lane.to_le_bytes());
        }
        Digest(bytes)
    }

    pub(crate) fn from_digest(digest: Digest) -> Self {
        let mut content = Self::default();
        content.add(digest);
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_does_not_depend_on_order_and_forgets_what_is_taken_out() {
        let [a, b, c] = ["a", "b", "c"].map(|key| Digest::of_entry(key.as_bytes(), b"value"));
        let mut one = Content::default();
        [a, b, c].into_iter().for_each(|d| one.add(d));
        let mut two = Content::default();
        [c, a, b].into_iter().for_each(|d| two.add(d));
        assert_eq!(one, two);
        two.subtract(c);
        assert_ne!(one, two);
        two.add(c);
        assert_eq!(Content::from_digest(two.to_digest()), one);
    }

    #[test]
    fn the_border_between_key_and_value_counts() {
        assert_ne!(Digest::of_entry(b"ab", b"c"), Digest::of_entry(b"a", b"bc"));
    }

    #[test]
    fn digests_are_read_back() {
        let digest = Digest::of_entry(b"k", b"v");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("12"), None);
    }
}
