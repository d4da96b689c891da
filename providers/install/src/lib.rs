//! Finds, checks and installs providers.
//!
//! An [`address`] names a provider, [`version`] says which may be used, [`lock`] which is used, and [`hash`] how its package
//! is known.

pub mod address;
pub mod hash;
pub mod lock;
pub mod version;

pub use address::{Address, Platform};
pub use lock::LockFile;
pub use version::{Constraints, Version};
