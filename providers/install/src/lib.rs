//! Finds, checks and installs providers.
//!
//! An [`address`] names a provider, [`version`] says which may be used, [`lock`] which is used, and [`hash`] how its package
//! is known. [`config`] says where providers come from and [`source`] what is there; [`choose`] chooses, [`obtain`] brings a
//! package to this disk and holds it against what is said about it ([`signature`]), [`shelf`] puts it where many processes
//! find it, and [`install`] is all of this for a configuration. [`find`] finds what was installed before, and [`gather`]
//! gathers packages for other machines.

pub mod address;
mod choose;
pub mod config;
pub mod find;
pub mod gather;
pub mod hash;
pub mod install;
pub mod lock;
#[cfg(feature = "loopback")]
pub mod loopback;
mod obtain;
pub mod progress;
pub mod shelf;
pub mod signature;
pub mod source;
pub mod version;

pub use address::{Address, Platform};
pub use find::{Installed, Installer};
pub use install::Choice;
pub use lock::LockFile;
pub use version::{Constraints, Version};
