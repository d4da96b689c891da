//! The compiled-in providers.
//!
//! They implement the same contract as plugins, run in the process of Plumb, and are written with the SDK. A name in
//! a configuration that nothing declares is the compiled-in provider of that name: [`lookup`] finds it.
//!
//! Relative paths in their arguments are relative to the working directory of the process.

use std::sync::Arc;

use plumb_provider_api::Provider;

pub mod file;
pub mod terraform;

/// Makes the compiled-in provider of a name. Each call makes another one, since each configuration needs its own.
pub fn lookup(name: &str) -> Option<Arc<dyn Provider>> {
    Some(match name {
        "file" => file::provider(),
        "terraform" => terraform::provider(),
        _ => return None,
    })
}

/// The names for which [`lookup`] finds a provider, sorted.
pub fn names() -> &'static [&'static str] {
    &["file", "terraform"]
}
