//! Values as msgpack, the form in which they cross the wire.
//!
//! Both directions are led by a type: sender and receiver know it from the schema, and only a position of
//! [`Type::Dynamic`](plumb_model::Type::Dynamic) carries its own, as a pair of the type in JSON and the value. An unknown
//! value is an extension; what is known of it, the refinements, is that extension's payload. Numbers that are neither 64-bit
//! integers nor exact doubles are decimal text, so that none is rounded on the way.
//!
//! Nothing that is read is trusted: depth, lengths and types are checked, and what is wrong is said with its place.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use plumb_model::{Path, Step};

pub use decode::decode;
pub use encode::encode;

/// Extension type of an unknown value with refinements; every other extension is an unknown value without.
const REFINED: i8 = 12;
/// Receivers refuse longer refinements.
const MAX_REFINEMENT: usize = 1024;
/// A known prefix longer than this is cut when it is sent.
const MAX_PREFIX: usize = 256;
/// Values nested deeper are refused, so that no message can exhaust the stack.
const MAX_DEPTH: usize = 256;

/// The keys of the map of refinements.
mod key {
    pub const NOT_NULL: i64 = 1;
    pub const PREFIX: i64 = 2;
    pub const MIN: i64 = 3;
    pub const MAX: i64 = 4;
    pub const MIN_LENGTH: i64 = 5;
    pub const MAX_LENGTH: i64 = 6;
}

/// Why bytes are not a value of a type, or a value cannot be sent as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_root() { String::new() } else { format!("{path}: ") })]
pub struct CodecError {
    /// Where.
    pub path: Path,
    /// What was found and what was wanted.
    pub problem: String,
}

impl CodecError {
    pub(crate) fn new(problem: impl Into<String>) -> CodecError {
        CodecError { path: Path::root(), problem: problem.into() }
    }

    fn within(mut self, step: Step) -> CodecError {
        self.path.0.insert(0, step);
        self
    }
}
