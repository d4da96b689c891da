//! Starts plugins; each then looks like any [`Provider`](plumb_provider_api::Provider).
//!
//! A [`Plugin`] is an installed provider, and gives out configurations of it. [`process`] runs one plugin and [`guard`] sees to it that none is left behind. [`log`] understands what plugins say on the
//! side, [`schema`] keeps schemas, [`reattach`] finds plugins that run already.
//!
//! Elsewhere: the messages and the encryption are `plumb-provider-protocol`.

pub mod error;
pub mod guard;
pub mod log;
pub mod plugin;
pub mod process;
pub mod reattach;
pub mod schema;

pub use plugin::{Options, Plugin, PluginProvider, Source};
