//! `count`, `for_each` and `enabled`: which instances there are.

use std::collections::HashMap;
use std::ops::Range;

use plumb_model::Value;
use plumb_model::address::Key;

/// The instances of a block in one module instance.
pub(crate) struct Expansion {
    pub shape: Shape,
    /// Of `for_each`: the keys in order.
    pub keys: Vec<Value>,
    /// Of `for_each`: the values in the order of keys; empty if they are the keys.
    pub values: Vec<Value>,
    /// Of `for_each`: where each key is.
    pub index: HashMap<ecow::EcoString, u32>,
}

/// How the instances are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One, without key.
    One,
    /// One or none, without key, by `enabled`.
    Enabled(bool),
    /// By numbers below this.
    Count(u64),
    /// By strings.
    ForEach,
    /// Not known how many: one stands for all of them.
    Unknown,
}

impl Expansion {
    /// One instance without key.
    pub(crate) fn one() -> Expansion {
        Expansion::of(Shape::One)
    }

    pub(crate) fn of(shape: Shape) -> Expansion {
        Expansion { shape, keys: Vec::new(), values: Vec::new(), index: HashMap::new() }
    }

    /// How many instances there are.
    pub(crate) fn len(&self) -> usize {
        match self.shape {
            Shape::One | Shape::Enabled(true) | Shape::Unknown => 1,
            Shape::Enabled(false) => 0,
            Shape::Count(count) => count as usize,
            Shape::ForEach => self.keys.len(),
        }
    }

    /// The indices of the instances.
    pub(crate) fn range(&self) -> Range<usize> {
        0..self.len()
    }

    /// The key of an instance.
    pub(crate) fn key(&self, index: usize) -> Key {
        match self.shape {
            Shape::One | Shape::Enabled(_) | Shape::Unknown => Key::None,
            Shape::Count(_) => Key::Int(index as u64),
            Shape::ForEach => self.keys[index].as_str().cloned().map_or(Key::None, Key::String),
        }
    }

    /// The instance of a key.
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        match (self.shape, key) {
            (Shape::One | Shape::Enabled(true), Key::None) => Some(0),
            (Shape::Count(count), Key::Int(index)) if *index < count => Some(*index as usize),
            (Shape::ForEach, Key::String(key)) => self.index.get(key).map(|index| *index as usize),
            _ => None,
        }
    }
}
