//! Records, journal, history, locks and the stores that hold them.
//!
//! State is a set of small records, one per instance, beside a journal of every step that was ever taken. Nothing
//! rewrites the whole. The rooms, from the bottom up:
//!
//! - [`json`]: JSON text that is carried, not understood. Attribute values stay text on their way through this crate.
//! - [`record`]: the saved forms and their versions.
//! - [`store`]: ordered keys and values with atomic, durable commits; in memory, or embedded on disk.
//! - [`lock`]: one writer per state directory, and who that is.
//! - [`state`]: the snapshot, operations with their steps, history, and the resolution of what a crash left behind.
//! - [`tfstate`]: Terraform's state format, version 4, in and out.
//!
//! What always holds: a ticket of [`state::OperationWriter`] resolves only when its entry is on stable storage; the
//! outcome of a step, the record that it changes and the serial move together or not at all.
//!
//! The crate is synchronous and knows no other crate of Plumb: addresses are text, values are JSON text.

pub mod digest;
pub mod json;
pub mod lock;
pub mod record;
pub mod state;
pub mod store;
pub mod tfstate;

pub use digest::Digest;
pub use json::JsonText;
pub use record::{InstanceKey, InstanceRecord, OperationRecord, OutputRecord, StepRecord};
pub use state::{OpenOptions, OperationWriter, State, StateError, Ticket};
