//! Talks with registries, mirrors and web servers on behalf of everything that is fetched: providers and modules.
//!
//! [`settings`] reads the command-line configuration, [`credentials`] knows the tokens of hosts, [`discovery`] finds out
//! which services a host offers, [`client`] asks and downloads, and [`archive`] unpacks what was downloaded.
//! What the services answer means something to those who ask: nothing here knows what a provider or a module is.

pub mod archive;
pub mod client;
pub mod credentials;
pub mod discovery;
#[cfg(feature = "loopback")]
pub mod loopback;
pub mod settings;

pub use client::{Answer, Authorization, Client, FetchError, Problem, Request};
pub use discovery::{DiscoveryError, Hosts};
pub use settings::Settings;
pub use url::Url;
