//! Gets packages, from wherever they are.
//!
//! A registry and a page answer with another address: those are followed here, up to a limit, until there is a git
//! repository or an archive.

use std::path::Path;
use std::sync::OnceLock;

use plumb_model::Diagnostic;
use plumb_provider_install::Version;
use plumb_registry::client::Patience;
use plumb_registry::{Client, Hosts, Settings};

use crate::address::{ModuleAddress, Package, RegistryModule};
use crate::git;
use crate::lock::Locked;
use crate::web::Web;

/// How many addresses may lead to others.
const MAX_HOPS: usize = 8;

/// What there is to know about a package that was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Where the registry, or a page, said that it is; without passwords, and without the arguments of web addresses, among
    /// which are signatures that are different each time.
    pub from: Option<String>,
    /// The commit, if it came from git.
    pub commit: Option<String>,
}

impl Fetched {
    /// The folder of a module in what was fetched, from the folder that the address of a call names: what a registry or a page
    /// names may itself be a folder in a larger package.
    pub fn folder(&self, called: &str) -> String {
        let from = self.from.as_deref().and_then(|from| ModuleAddress::parse(from).ok());
        let inner = from.map(|address| address.folder).unwrap_or_default();
        joined(&inner, called)
    }
}

/// A folder in a folder; either may be empty.
fn joined(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", only) | (only, "") => only.to_owned(),
        (outer, inner) => format!("{outer}/{inner}"),
    }
}

/// Gets packages.
#[derive(Debug, Default)]
pub struct Fetcher {
    /// Reads the settings of the user when the first server is asked.
    web: OnceLock<Result<Web, Diagnostic>>,
}

impl Fetcher {
    fn web(&self) -> Result<&Web, Diagnostic> {
        let made = self.web.get_or_init(|| match Settings::load() {
            Ok((settings, _)) => {
                Ok(Web::new(Hosts::new(settings, Client::new(Patience::from_environment()))))
            }
            Err(found) => Err(found.into_iter().next().expect("what cannot be read has a reason")),
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// The versions that a registry has of a module.
    ///
    /// # Errors
    /// The registry cannot be asked, or does not know the module.
    pub async fn versions(&self, module: &RegistryModule) -> Result<Vec<Version>, Diagnostic> {
        self.web()?.versions(module).await
    }

    /// Fetches a package into a folder that is empty. If something is locked, its commit is fetched.
    ///
    /// # Errors
    /// Why there is nothing.
    pub async fn fetch(
        &self,
        package: &Package,
        version: Option<&Version>,
        locked: Option<&Locked>,
        folder: &Path,
    ) -> Result<Fetched, Diagnostic> {
        let mut at = ModuleAddress { package: package.clone(), folder: String::new() };
        let mut hops = 0;
        loop {
            let next = match &at.package {
                Package::Registry(module) => {
                    let version = version.expect("a version was chosen of a module in a registry");
                    self.web()?.location(module, version).await?
                }
                Package::Http(http) => match http.archive {
                    None => self.web()?.page(http).await?,
                    Some(kind) => {
                        self.web()?.archive(http, kind, folder).await?;
                        return Ok(Fetched {
                            from: (hops > 0).then(|| without_arguments(&at)),
                            commit: None,
                        });
                    }
                },
                Package::Git(git) => {
                    let wanted = locked.and_then(|locked| locked.commit.as_deref());
                    let commit = git::fetch(git, wanted, folder).await?;
                    return Ok(Fetched { from: (hops > 0).then(|| at.to_string()), commit: Some(commit) });
                }
            };
            hops += 1;
            if hops > MAX_HOPS {
                return Err(Diagnostic::error("module-not-fetched", "Module cannot be fetched")
                    .detail(format!("{package} leads from one address to another without an end.")));
            }
            // A folder in a page, or in a module of a registry, is one in the folder that it leads to.
            at = ModuleAddress { folder: joined(&next.folder, &at.folder), package: next.package };
        }
    }
}

fn without_arguments(address: &ModuleAddress) -> String {
    let text = address.to_string();
    text.split('?').next().unwrap_or_default().to_owned()
}
