//! The compiled-in providers.
//!
//! They implement the same contract as plugins, run in the process of Plumb, and are written with the SDK. A name in
//! a configuration that nothing declares is the compiled-in provider of that name: [`lookup`] finds it.
//!
//! Relative paths in their arguments are relative to the working directory of the process.

use std::path::Path;
use std::sync::Arc;

use plumb_provider_api::Provider;

pub mod command;
mod duration;
pub mod file;
pub mod random;
pub mod rest;
pub mod terraform;
pub mod time;

/// Makes the compiled-in provider of a name, which remembers nothing of its own.
pub fn lookup(name: &str) -> Option<Arc<dyn Provider>> {
    lookup_in(name, None)
}

/// Makes the compiled-in provider of a name. Each call makes another one, since each configuration needs its own.
/// What a provider has to remember from one process to the next is kept in `folder`, if there is one.
pub fn lookup_in(name: &str, folder: Option<&Path>) -> Option<Arc<dyn Provider>> {
    Some(match name {
        "command" => command::provider(folder.map(|folder| folder.join("commands"))),
        "file" => file::provider(),
        "random" => random::provider(),
        "rest" => rest::provider(),
        "terraform" => terraform::provider(),
        "time" => time::provider(),
        _ => return None,
    })
}

/// The names for which [`lookup`] finds a provider, sorted.
pub fn names() -> &'static [&'static str] {
    &["command", "file", "random", "rest", "terraform", "time"]
}

/// Runs what takes its time where it keeps nobody waiting.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down; the process ends without an answer.
            Err(_) => std::future::pending().await,
        },
    }
}
