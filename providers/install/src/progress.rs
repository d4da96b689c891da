//! What happens while providers are installed, told to whoever shows it.

use std::path::PathBuf;

use crate::address::{Address, Platform};
use crate::version::{Constraints, Version};

/// Something that happens to one provider.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A version is chosen by these constraints.
    Choosing(Constraints),
    /// The version that the lock file names is looked for.
    Reusing(Version),
    /// The package is fetched.
    Fetching(Version),
    /// So many bytes of it have come, of so many if that is known.
    Received(u64, Option<u64>),
    /// It is in place.
    Done(Version, How),
    /// It is not; the reason comes in the end.
    Failed,
}

/// How a package came to its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It was there, and has the hash of the lock file.
    AlreadyThere,
    /// It is in the shared cache, and has the hash of the lock file.
    Cached,
    /// It stays in the folder of a mirror.
    Linked(PathBuf),
    /// Nothing was said about it that it could be held against.
    Unverified,
    /// It has a hash that its mirror says.
    Checked,
    /// It has a hash that is signed by this key.
    Signed(String),
}

/// Somebody who shows what happens. Calls come from several tasks at once.
pub trait Progress: Sync {
    /// Tells what happens to a provider for a platform.
    fn tell(&self, address: &Address, platform: &Platform, step: Step);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn tell(&self, _: &Address, _: &Platform, _: Step) {}
}
