//! Gets packages, from wherever they are.

use std::path::Path;

use plumb_model::Diagnostic;
use plumb_provider_install::Version;

use crate::address::{Package, RegistryModule};
use crate::git;
use crate::lock::Locked;

/// What there is to know about a package that was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Where the registry, or a page, said that it is; without passwords.
    pub from: Option<String>,
    /// The commit, if it came from git.
    pub commit: Option<String>,
}

/// Gets packages.
#[derive(Debug, Default)]
pub struct Fetcher;

impl Fetcher {
    /// The versions that a registry has of a module.
    ///
    /// # Errors
    /// The registry cannot be asked, or does not know the module.
    pub async fn versions(&self, module: &RegistryModule) -> Result<Vec<Version>, Diagnostic> {
        Err(no_web(&module.to_string()))
    }

    /// Fetches a package into a folder that is empty. What is locked is fetched if it says where that is.
    ///
    /// # Errors
    /// Why there is nothing.
    pub async fn fetch(
        &self,
        package: &Package,
        _version: Option<&Version>,
        locked: Option<&Locked>,
        folder: &Path,
    ) -> Result<Fetched, Diagnostic> {
        match package {
            Package::Git(package) => {
                let wanted = locked.and_then(|locked| locked.commit.as_deref());
                let commit = git::fetch(package, wanted, folder).await?;
                Ok(Fetched { from: None, commit: Some(commit) })
            }
            other => Err(no_web(&other.to_string())),
        }
    }
}

fn no_web(what: &str) -> Diagnostic {
    Diagnostic::error("unsupported-module-source", "Module source not supported")
        .detail(format!("{what} cannot be fetched: this version fetches modules from git alone."))
        .help("Keep the module in a git repository.")
}
