//! Which elements of two sets belong together.
//!
//! The elements of a set have no name: whether one of a configuration is one of the prior state, or an applied one was
//! planned, can only be told from their contents. Some parts must agree for that, others may differ. Comparing each
//! element with each other would be quadratic, so elements are filed by a fingerprint of the parts that must agree, and
//! only those with the same fingerprint are compared.
//!
//! Which parts must agree is a [`Mask`], chosen by the caller for each element; elements are filed once for each mask
//! that occurs. Those are few: one for each combination of attributes that are set, or known.

use std::collections::HashMap;

use plumb_model::Value;

use super::equal::fingerprint;

/// For each attribute of an element that is an object, by name, whether it must agree; for any other element, whether
/// the whole must.
pub(super) type Mask = Vec<bool>;

type Buckets = HashMap<u64, Vec<usize>>;

/// The elements of a set, filed under every mask that is asked for.
pub(super) struct Candidates<'v> {
    items: &'v [Value],
    filed: HashMap<Mask, Buckets>,
}

impl<'v> Candidates<'v> {
    pub(super) fn new(items: &'v [Value]) -> Candidates<'v> {
        Candidates { items, filed: HashMap::new() }
    }

    /// The first element that agrees with `like` in the parts of the mask and passes the test.
    pub(super) fn find(
        &mut self,
        like: &Value,
        mask: Mask,
        mut test: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let key = key(like, &mask);
        let items = self.items;
        let buckets = self.filed.entry(mask).or_insert_with_key(|mask| {
            let mut buckets = Buckets::new();
            for (i, item) in items.iter().enumerate() {
                buckets.entry(self::key(item, mask)).or_default().push(i);
            }
            buckets
        });
        buckets.get(&key)?.iter().copied().find(|i| test(*i))
    }
}

/// The elements of a set, each filed under a mask of its own.
pub(super) struct Patterns {
    filed: HashMap<Mask, Buckets>,
}

impl Patterns {
    pub(super) fn new(items: &[Value], mask: impl Fn(&Value) -> Mask) -> Patterns {
        let mut filed = HashMap::<Mask, Buckets>::new();
        for (i, item) in items.iter().enumerate() {
            let mask = mask(item);
            let key = key(item, &mask);
            filed.entry(mask).or_default().entry(key).or_default().push(i);
        }
        Patterns { filed }
    }

    /// Whether an element agrees with `value` in the parts of its own mask and passes the test.
    pub(super) fn any(&self, value: &Value, mut test: impl FnMut(usize) -> bool) -> bool {
        self.filed.iter().any(|(mask, buckets)| {
            buckets.get(&key(value, mask)).is_some_and(|bucket| bucket.iter().any(|i| test(*i)))
        })
    }
}

/// A mask for a value: `object` says whether an attribute must agree, `other` whether a value that is no object must.
pub(super) fn mask_of(
    value: &Value,
    mut object: impl FnMut(&str, &Value) -> bool,
    other: impl FnOnce(&Value) -> bool,
) -> Mask {
    match value {
        Value::Object(entries) => entries.iter().map(|(name, part)| object(name, part)).collect(),
        whole => vec![other(whole)],
    }
}

fn key(value: &Value, mask: &Mask) -> u64 {
    match value {
        Value::Object(entries) => {
            fingerprint(entries.values().zip(mask).filter(|(_, agrees)| **agrees).map(|(part, _)| part))
        }
        whole if mask.first() == Some(&true) => fingerprint([whole]),
        _ => fingerprint([]),
    }
}
