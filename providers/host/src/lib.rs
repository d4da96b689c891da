//! Starts plugins; each then looks like any [`Provider`](plumb_provider_api::Provider).
//!
//! [`process`] runs one plugin and [`guard`] sees to it that none is left behind. [`log`] understands what plugins say on the
//! side, [`reattach`] finds plugins that run already.
//!
//! Elsewhere: the messages and the encryption are `plumb-provider-protocol`.

pub mod error;
pub mod guard;
pub mod log;
pub mod process;
pub mod reattach;
pub mod schema;
