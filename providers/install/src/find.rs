//! Finds what was installed before: every command but `init` begins with this.
//!
//! The lock file says which version is meant and which hashes its package may have. The folder of installed providers has
//! Terraform's layout, so that both programs can use one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use plumb_model::{Diagnostic, Diagnostics};

use crate::address::{Address, Platform};
use crate::config::{CliConfig, override_program};
use crate::hash;
use crate::lock::{LockFile, Locked};
use crate::shelf::Shelf;
use crate::source::program_in;
use crate::version::{Constraints, Version};

/// Where hashes of installed packages are remembered, within the folder of installed providers.
const NOTES: &str = ".hashes";

/// Installs providers into one folder, and finds them there.
#[derive(Clone, Debug)]
pub struct Installer {
    /// Where they come from.
    pub config: CliConfig,
    /// For which platform.
    pub platform: Platform,
    /// Where they go: the folder `providers` in the data directory of the working directory.
    pub folder: PathBuf,
}

/// What is installed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Installed {
    /// The lock file as it is to be.
    pub lock: LockFile,
    /// The programs.
    pub programs: BTreeMap<Address, PathBuf>,
    /// What there is to say besides.
    pub warnings: Diagnostics,
}

impl Installer {
    /// Finds what was installed before.
    ///
    /// # Errors
    /// Which providers are missing, or are not what the lock file says.
    pub fn find(
        &self,
        wanted: &BTreeMap<Address, Constraints>,
        lock: &LockFile,
    ) -> Result<Installed, Diagnostics> {
        let mut installed =
            Installed { lock: lock.clone(), warnings: self.override_warnings(wanted), ..Default::default() };
        let mut diagnostics = Diagnostics::new();
        for (address, constraints) in wanted.iter().filter(|(address, _)| !address.is_builtin()) {
            let found = match self.config.overrides.get(address) {
                Some(folder) => override_program(address, folder),
                None => self.find_one(address, constraints, lock),
            };
            match found {
                Ok(program) => drop(installed.programs.insert(address.clone(), program)),
                Err(errors) => diagnostics.extend(errors),
            }
        }
        diagnostics.into_result().map(|_| installed)
    }

    fn find_one(
        &self,
        address: &Address,
        constraints: &Constraints,
        lock: &LockFile,
    ) -> Result<PathBuf, Diagnostics> {
        let Some(locked) = lock.providers.get(address) else { return Err(not_installed(address).into()) };
        if !constraints.allow(&locked.version) {
            return Err(not_allowed(address, constraints, &locked.version).into());
        }
        let place = self.place(address, &locked.version);
        if !place.is_dir() {
            return Err(not_installed(address).into());
        }
        let hash =
            hash::remembered(&place, &self.notes()).map_err(|error| cannot_read(address, &place, &error))?;
        if !locked.hashes.is_empty() && !self.is_locked(locked, &hash) {
            return Err(wrong_hash(address, &locked.version, &place).into());
        }
        program_in(&place, address).ok_or_else(|| no_program(address, &place).into())
    }

    /// Whether what has this `h1:` hash is one of the packages that the lock file names, by this hash or by that of the archive
    /// that it was unpacked from here.
    pub(crate) fn is_locked(&self, locked: &Locked, hash: &str) -> bool {
        let archive = || hash::vouched(&self.notes(), hash);
        locked.hashes.contains(hash) || archive().is_some_and(|archive| locked.hashes.contains(&archive))
    }

    /// Where hashes of installed packages are remembered.
    pub(crate) fn notes(&self) -> PathBuf {
        self.folder.join(NOTES)
    }

    /// The folder of an installed package.
    pub(crate) fn place(&self, address: &Address, version: &Version) -> PathBuf {
        Shelf::new(&self.folder).place(address, version, &self.platform)
    }

    pub(crate) fn override_warnings(&self, wanted: &BTreeMap<Address, Constraints>) -> Diagnostics {
        let used: Vec<String> = self
            .config
            .overrides
            .iter()
            .filter(|(address, _)| wanted.contains_key(address))
            .map(|(address, folder)| format!("{address} in {}", folder.display()))
            .collect();
        if used.is_empty() {
            return Diagnostics::new();
        }
        Diagnostic::warning("provider-overridden", "Providers are overridden for development")
            .detail(format!(
                "The command-line configuration replaces installed providers, whatever the lock file says: {}.",
                used.join(", ")
            ))
            .into()
    }
}

fn not_installed(address: &Address) -> Diagnostic {
    Diagnostic::error("provider-not-installed", "Provider is not installed")
        .detail(format!("Provider {address} is needed, but there is no installed package of it."))
        .help("Run `plumb init`.")
}

pub(crate) fn not_allowed(address: &Address, constraints: &Constraints, version: &Version) -> Diagnostic {
    Diagnostic::error("locked-version-not-allowed", "Locked version of a provider is not allowed")
        .detail(format!(
            "The lock file chose version {version} of provider {address}, but the configuration asks for `{constraints}`."
        ))
        .help("Run `plumb init -upgrade` to choose again.")
}

pub(crate) fn wrong_hash(address: &Address, version: &Version, place: &Path) -> Diagnostic {
    Diagnostic::error("provider-hash-mismatch", "Package of a provider is not the locked one")
        .detail(format!(
            "The package of version {version} of provider {address} for {} has none of the hashes in the lock file.",
            place.display()
        ))
        .help("If you trust the package, add its hash with `plumb providers lock`; if not, find out who changed it.")
}

pub(crate) fn no_program(address: &Address, place: &Path) -> Diagnostic {
    Diagnostic::error("provider-without-program", "Package of a provider has no program").detail(format!(
        "There is no file terraform-provider-{} in {}, the package of {address}.",
        address.kind,
        place.display()
    ))
}

fn cannot_read(address: &Address, place: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("provider-unreadable", "Package of a provider cannot be read")
        .detail(format!("The package of provider {address} for {}: {error}.", place.display()))
}
