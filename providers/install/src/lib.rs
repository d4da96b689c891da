//! Finds, checks and installs providers.
//!
//! An [`address`] names a provider, [`version`] says which may be used, [`lock`] which is used, and [`hash`] how its package
//! is known. [`config`] says where providers come from, [`source`] what is there, and [`install`] brings it here. Packages come from
//! folders: registries and network mirrors are named in configurations, but not asked.

pub mod address;
pub mod config;
pub mod hash;
pub mod install;
pub mod lock;
pub mod source;
pub mod version;

pub use address::{Address, Platform};
pub use install::{Choice, Installed, Installer};
pub use lock::LockFile;
pub use version::{Constraints, Version};
