//! The wire: messages of plugin protocols 5 and 6, and their conversions.
//!
//! [`messages`] lists the protocol. [`method`] names its calls, [`client`] makes them. [`handshake`] and [`tls`] are how a
//! plugin and its host come together. Both major versions are served
//! by one set of messages; a [`Version`] picks the method names and the form of schemas.

pub mod client;
pub mod handshake;
pub mod messages;
pub mod method;
pub mod tls;

pub use method::Version;

/// The largest message that is sent or accepted, in bytes: what the servers of the ecosystem allow.
pub const MESSAGE_LIMIT: usize = 256 << 20;
