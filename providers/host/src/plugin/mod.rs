//! A provider behind a process.
//!
//! A [`Plugin`] is one installed provider. [`Plugin::provider`] gives a [`Provider`](plumb_provider_api::Provider) for
//! each configuration of it, and all of them share what can be shared: the schema, and processes. The protocol
//! allows a process one configuration. So calls that need none go to any process, a configuration takes over a process
//! that has none yet, and equal configurations share one. Processes start when somebody calls, and one that died
//! is started again, and configured again, by the next call.
//!
//! The host takes nothing on trust: [`fault`] says what becomes of broken promises, crashes and silence.

mod calls;
mod fault;
mod legacy;
mod pool;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plumb_model::Diagnostics;

use crate::log::{Log, Silent};
use crate::process::Launch;
use crate::reattach::Reattach;

pub use calls::PluginProvider;
use pool::Pool;

/// The version of Terraform that plugins are told they work for; some look at it, none knows Plumb's.
pub const COMPATIBLE_VERSION: &str = "1.12.0";

/// How a provider is run.
#[derive(Clone)]
pub struct Options {
    /// Variables that its processes get beside those that Plumb itself has.
    pub environment: Vec<(OsString, OsString)>,
    /// How long a process may take until it listens.
    pub start_limit: Duration,
    /// How long calls may take that check or describe something; `None` for as long as they like.
    pub quick_limit: Option<Duration>,
    /// How long reading, planning, importing and opening may take; `None` for as long as they like. There is no limit for
    /// applying: a call that is given up loses what the provider did.
    pub work_limit: Option<Duration>,
    /// Whether connections are encrypted.
    pub encrypted: bool,
    /// Where lines of its processes go.
    pub log: Arc<dyn Log>,
    /// Where schemas are kept; `None` to keep them nowhere.
    pub cache: Option<PathBuf>,
}

impl Default for Options {
    /// A minute to start, five to check, an hour to read and plan; encrypted unless the user's environment says
    /// otherwise (`TF_DISABLE_PLUGIN_TLS`); silent, without a cache.
    fn default() -> Options {
        let unencrypted = std::env::var_os("TF_DISABLE_PLUGIN_TLS").is_some_and(|value| !value.is_empty());
        Options {
            environment: Vec::new(),
            start_limit: Duration::from_secs(60),
            quick_limit: Some(Duration::from_secs(5 * 60)),
            work_limit: Some(Duration::from_secs(60 * 60)),
            encrypted: !unencrypted,
            log: Arc::new(Silent),
            cache: None,
        }
    }
}

/// Where a provider's processes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A program to start.
    Program(PathBuf),
    /// A process that runs already.
    Running(Reattach),
}

impl Source {
    /// The running process that the user named for this provider, or else the installed program.
    pub fn of(address: &str, program: PathBuf, running: &BTreeMap<String, Reattach>) -> Source {
        running.get(address).cloned().map_or(Source::Program(program), Source::Running)
    }
}

/// An installed provider. Clones are handles of the same one.
#[derive(Clone)]
pub struct Plugin {
    pool: Arc<Pool>,
}

impl Plugin {
    /// The provider at an address (`registry.terraform.io/hashicorp/time`). Nothing is started.
    pub fn new(address: impl Into<String>, source: Source, options: Options) -> Plugin {
        Plugin { pool: Arc::new(Pool::new(address.into(), source, options)) }
    }

    /// The address that it was made with.
    pub fn address(&self) -> &str {
        self.pool.address()
    }

    /// One configuration of the provider.
    pub fn provider(&self) -> PluginProvider {
        PluginProvider::new(self.pool.clone())
    }

    /// The provider for calls that need no configuration: schemas and functions. It keeps no process running: when the
    /// last configuration is shut down all processes end, and a later call of this one starts another.
    pub fn unconfigured(&self) -> PluginProvider {
        PluginProvider::passing(self.pool.clone())
    }

    /// Starts a process now rather than with the first call, so that several providers start at the same time.
    ///
    /// # Errors
    /// Why it did not start.
    pub async fn start(&self) -> Result<(), Diagnostics> {
        self.pool.any().await.map(drop)
    }

    /// Asks the running calls of all processes to end soon.
    pub async fn interrupt(&self) {
        self.pool.interrupt().await;
    }

    /// Ends all processes.
    pub async fn stop(&self) {
        self.pool.stop().await;
    }
}

impl Pool {
    fn launch(&self, program: PathBuf) -> Launch {
        let options = self.options();
        Launch {
            provider: self.address().to_owned(),
            program,
            environment: options.environment.clone(),
            start_limit: options.start_limit,
            encrypted: options.encrypted,
            log: options.log.clone(),
        }
    }
}
