//! Brings modules here.
//!
//! ```text
//! source = "…" ─address→ Package ─registry→ version ─fetch: git, web→ files ─digest→ store ─manifest→ directory
//!                                       └───────────── lock ─────────────┘
//! ```
//!
//! [`address`] reads what people write, [`fetch`] gets it, with [`git`] or over the web, [`digest`] knows what was got, [`store`] keeps it,
//! [`manifest`] remembers for which call, and [`lock`] says what it must be. [`install`] does all of that for a configuration, and
//! [`Installation`] answers when a configuration is loaded.
//!
//! Always true: what was fetched is used only if it is what the lock says; a package is in its place as a whole or not at
//! all; nothing in a package leads out of it.
//!
//! Elsewhere: what a configuration calls is found by `plumb_semantics::load`, which asks for directories and does no input or
//! output; HTTP, credentials, discovery and archives are in `plumb-registry`, which providers use too.

pub mod address;
mod copy;
pub mod digest;
pub mod fetch;
pub mod git;
pub mod install;
mod installation;
pub mod lock;
pub mod manifest;
mod netrc;
pub mod store;
mod web;

pub use copy::copy;
pub use install::{Event, Installer, Outcome};
pub use installation::Installation;
