//! The wire: messages of plugin protocols 5 and 6, and their conversions.
//!
//! [`messages`] lists the protocol. [`method`] names its calls, [`client`] makes them. [`handshake`] and [`tls`] are how a
//! plugin and its host come together. [`schema`], [`value`] (with [`msgpack`]) and [`diagnostic`] turn messages into the
//! words of the model and back. [`server`] serves a provider as a plugin. Both major versions are served by one set of messages; a [`Version`] picks the method
//! names and the form of schemas.
//!
//! Elsewhere: processes are the host's matter, `plumb-provider-host`.

pub mod client;
pub mod diagnostic;
pub mod handshake;
pub mod messages;
pub mod method;
pub mod msgpack;
pub mod schema;
pub mod server;
pub mod tls;
pub mod value;

pub use client::Client;
pub use method::Version;
pub use msgpack::CodecError;

/// The largest message that is sent or accepted, in bytes: what the servers of the ecosystem allow.
pub const MESSAGE_LIMIT: usize = 256 << 20;
