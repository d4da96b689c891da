//! The provider `random`: values that are chosen once, by chance, and stay.
//!
//! Names, defaults and rules of replacement are those of Terraform's provider of this name. Chance comes from the
//! operating system's generator; where a `seed` is given, from a generator that gives the same for the same seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use plumb_model::Value;
use plumb_provider_api::Provider;
use plumb_provider_sdk::{Attr, ProviderBuilder};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng as _};
use sha2::{Digest as _, Sha256};

mod number;
mod pet;
mod shuffle;
mod text;

/// The provider.
pub fn provider() -> Arc<dyn Provider> {
    ProviderBuilder::new("random")
        .resource("random_bytes", number::RandomBytes)
        .resource("random_id", number::RandomId)
        .resource("random_integer", number::RandomInteger)
        .resource("random_password", text::RandomPassword)
        .resource("random_pet", pet::RandomPet)
        .resource("random_shuffle", shuffle::RandomShuffle)
        .resource("random_string", text::RandomString)
        .resource("random_uuid", number::RandomUuid)
        .build()
}

/// Arbitrary values whose change makes another object.
type Keepers = BTreeMap<String, Attr<String>>;

/// Whether changed keepers need another object: values that are null and were absent, or the reverse, do not count.
fn keepers_differ(before: &Value, after: &Value) -> bool {
    if !after.is_known() {
        return true;
    }
    let get = |keepers: &Value, key: &str| keepers.get(key).cloned();
    let entries = |keepers: &Value| keepers.as_entries().cloned().unwrap_or_default();
    let added_or_changed = entries(after).iter().any(|(key, value)| match get(before, key) {
        Some(before) => before != *value,
        None => !value.is_null(),
    });
    added_or_changed || entries(before).keys().any(|key| get(after, key).is_none())
}

/// Whether a changed text needs another object: empty text that becomes null does not.
fn text_differs(before: &Value, after: &Value) -> bool {
    !(after.is_null() && before.as_str().is_some_and(|text| text.is_empty()))
}

/// A generator for a seed, or one that nobody can foretell.
fn generator(seed: &Attr<String>) -> Box<dyn RngCore + Send> {
    match seed.known() {
        Some(seed) if !seed.is_empty() => Box::new(Seeded::new(seed)),
        _ => Box::new(StdRng::from_os_rng()),
    }
}

/// SHA-256 of the seed and a counter, block after block: the same on every machine and in every version.
struct Seeded {
    seed: Sha256,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Seeded {
    fn new(seed: &str) -> Seeded {
        Seeded { seed: Sha256::new_with_prefix(seed), counter: 0, block: [0; 32], used: 32 }
    }
}

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == self.block.len() {
                let mut hash = self.seed.clone();
                hash.update(self.counter.to_le_bytes());
                self.block = hash.finalize().into();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumb_model::Type;

    fn keepers(entries: &[(&str, Option<&str>)]) -> Value {
        let value = |v: &Option<&str>| v.map_or(Value::Null(Type::String), Value::from);
        Value::map(Type::String, entries.iter().map(|(k, v)| ((*k).into(), value(v))))
    }

    #[test]
    fn null_keepers_count_as_absent_ones() {
        let null = Value::Null(Type::map(Type::String));
        assert!(!keepers_differ(&null, &keepers(&[("a", None)])));
        assert!(!keepers_differ(&keepers(&[]), &null));
        assert!(!keepers_differ(&keepers(&[("a", Some("1"))]), &keepers(&[("a", Some("1")), ("b", None)])));
        assert!(keepers_differ(&null, &keepers(&[("a", Some("1"))])));
        assert!(keepers_differ(&keepers(&[("a", Some("1"))]), &keepers(&[("a", Some("2"))])));
        assert!(keepers_differ(&keepers(&[("a", Some("1"))]), &null));
        assert!(keepers_differ(&null, &Value::unknown(Type::map(Type::String))));
    }

    #[test]
    fn the_same_seed_gives_the_same() {
        let draw = |seed: &str| {
            let mut generator = generator(&seed.into());
            [generator.next_u64(), generator.next_u64()]
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
        assert_ne!(draw(""), draw(""));
    }
}
