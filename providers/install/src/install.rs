//! Installs what a configuration needs, and finds it again.
//!
//! For each provider the newest version that the constraints allow is chosen from everything that the methods of
//! installation offer, unless the lock file has chosen already. A package that is installed has a hash in the lock file,
//! or its first one is written there. A package is unpacked aside and moved into place whole, so that several
//! processes may install at once; what is in place and has the right hash is left alone.
//!
//! The folder has Terraform's layout, so that both programs can use one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics};

use crate::address::{Address, Platform};
use crate::config::{CliConfig, Method, Origin, override_program};
use crate::hash;
use crate::lock::{LockFile, Locked};
use crate::source::{Package, filesystem, program_in};
use crate::version::{Constraints, Version};

/// The folder of installed providers within a working directory.
pub const FOLDER: &str = ".terraform/providers";

/// Where hashes of installed packages are remembered, within the folder of installed providers.
const NOTES: &str = ".hashes";

/// What may happen to choices that were made before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// They stay; what was not chosen yet is.
    #[default]
    Keep,
    /// They are made again.
    Upgrade,
    /// They stay, and nothing may be missing (`-lockfile=readonly`).
    Readonly,
}

/// Installs providers into one folder.
#[derive(Clone, Debug)]
pub struct Installer {
    /// Where they come from.
    pub config: CliConfig,
    /// For which platform.
    pub platform: Platform,
    /// Where they go, [`FOLDER`] of the working directory.
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
    /// Installs what is wanted.
    ///
    /// # Errors
    /// Why providers could not be installed, each in turn.
    pub fn install(
        &self,
        wanted: &BTreeMap<Address, Constraints>,
        lock: &LockFile,
        choice: Choice,
    ) -> Result<Installed, Diagnostics> {
        let mut installed = Installed { warnings: self.override_warnings(wanted), ..Installed::default() };
        let mut diagnostics = Diagnostics::new();
        for (address, constraints) in wanted.iter().filter(|(address, _)| !address.is_builtin()) {
            let known = lock.providers.get(address);
            let outcome = match self.config.overrides.get(address) {
                Some(folder) => override_program(address, folder).map(|program| (known.cloned(), program)),
                None => self
                    .install_one(address, constraints, known, choice)
                    .map(|(locked, program)| (Some(locked), program)),
            };
            match outcome {
                Ok((locked, program)) => {
                    installed.lock.providers.extend(locked.map(|locked| (address.clone(), locked)));
                    installed.programs.insert(address.clone(), program);
                }
                Err(errors) => diagnostics.extend(errors),
            }
        }
        diagnostics.into_result()?;
        if choice == Choice::Readonly && installed.lock != *lock {
            return Err(readonly().into());
        }
        Ok(installed)
    }

    /// Finds what was installed before; every other command than `init` begins with this.
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
        let hash = hash::remembered(&place, &self.folder.join(NOTES))
            .map_err(|error| cannot_read(address, &place, &error))?;
        if !locked.hashes.is_empty() && !locked.hashes.contains(&hash) {
            return Err(wrong_hash(address, &locked.version, &place).into());
        }
        program_in(&place, address).ok_or_else(|| no_program(address, &place).into())
    }

    fn install_one(
        &self,
        address: &Address,
        constraints: &Constraints,
        known: Option<&Locked>,
        choice: Choice,
    ) -> Result<(Locked, PathBuf), Diagnostics> {
        let known = known.filter(|_| choice != Choice::Upgrade);
        if let Some(known) = known {
            if !constraints.allow(&known.version) {
                return Err(not_allowed(address, constraints, &known.version).into());
            }
            if let Some(program) = self.already_there(address, known) {
                return Ok((Locked { constraints: constraints.clone(), ..known.clone() }, program));
            }
        }
        let (version, package) = self.choose(address, constraints, known)?;
        let place = self.place(address, &version);
        let hashes = known.map(|known| &known.hashes);
        self.put(address, &version, &package, &place, hashes)?;
        let hash = hash::folder(&place).map_err(|error| cannot_read(address, &place, &error))?;
        let program = program_in(&place, address).ok_or_else(|| no_program(address, &place))?;
        let mut hashes = hashes.cloned().unwrap_or_default();
        hashes.insert(hash);
        Ok((Locked { version, constraints: constraints.clone(), hashes }, program))
    }

    fn already_there(&self, address: &Address, known: &Locked) -> Option<PathBuf> {
        let place = self.place(address, &known.version);
        let hash = hash::folder(&place).ok()?;
        known.hashes.contains(&hash).then(|| program_in(&place, address))?
    }

    /// The version to install, and its package from the first method that has it.
    fn choose(
        &self,
        address: &Address,
        constraints: &Constraints,
        known: Option<&Locked>,
    ) -> Result<(Version, Package), Diagnostics> {
        let mut offered: BTreeMap<Version, Package> = BTreeMap::new();
        let methods: Vec<Method> = self.config.methods().into_iter().filter(|m| m.covers(address)).collect();
        for method in &methods {
            let Origin::Filesystem(root) = &method.origin else { continue };
            for (version, package) in filesystem::packages(root, address, &self.platform) {
                offered.entry(version).or_insert(package);
            }
        }
        let chosen = match known {
            Some(known) => offered.keys().find(|version| **version == known.version),
            None => constraints.newest(offered.keys()),
        };
        let chosen =
            chosen.cloned().ok_or_else(|| self.none_fits(address, constraints, known, &offered, &methods))?;
        let package = offered.remove(&chosen).expect("it was chosen from these");
        Ok((chosen, package))
    }

    /// Puts a package into place, if it is known or none is yet.
    fn put(
        &self,
        address: &Address,
        version: &Version,
        package: &Package,
        place: &Path,
        hashes: Option<&BTreeSet<String>>,
    ) -> Result<(), Diagnostics> {
        let unreadable = |error: io::Error| cannot_read(address, place, &error);
        let (contents, archive) = match package {
            Package::Folder(folder) => (hash::folder(folder).map_err(unreadable)?, None),
            Package::Archive(file) => {
                let archive = hash::archive(file).map_err(unreadable)?;
                (hash::archive_contents(file).map_err(unreadable)?, Some(archive))
            }
        };
        let known = |hash: &String| hashes.is_some_and(|hashes| hashes.contains(hash));
        if hashes.is_some_and(|hashes| !hashes.is_empty())
            && !known(&contents)
            && !archive.as_ref().is_some_and(known)
        {
            return Err(wrong_hash(address, version, place).into());
        }
        match package {
            Package::Folder(folder) => link(folder, place),
            Package::Archive(file) => unpack(file, place),
        }
        .map_err(|error| cannot_write(address, place, &error).into())
    }

    /// The folder of an installed package.
    fn place(&self, address: &Address, version: &Version) -> PathBuf {
        let Address { host, namespace, kind } = address;
        let folder = self.folder.join(&**host).join(&**namespace).join(&**kind);
        folder.join(version.to_string()).join(self.platform.to_string())
    }

    fn override_warnings(&self, wanted: &BTreeMap<Address, Constraints>) -> Diagnostics {
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

    fn none_fits(
        &self,
        address: &Address,
        constraints: &Constraints,
        known: Option<&Locked>,
        offered: &BTreeMap<Version, Package>,
        methods: &[Method],
    ) -> Diagnostic {
        let diagnostic =
            Diagnostic::error("no-provider-version", "No version of a provider can be installed");
        let folders = methods.iter().filter_map(|method| match &method.origin {
            Origin::Filesystem(folder) => Some(folder),
            Origin::Network(_) | Origin::Direct => None,
        });
        let places: Vec<String> = folders.clone().map(|folder| folder.display().to_string()).collect();
        let elsewhere = folders.clone().count() < methods.len();
        let wanted = match known {
            Some(known) => format!("version {} (locked)", known.version),
            None if constraints.is_empty() => "any release".to_owned(),
            None => format!("`{constraints}`"),
        };
        let found: Vec<String> = offered.keys().map(ToString::to_string).collect();
        let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
        let near = folders.into_iter().find_map(|root| {
            let there: Vec<String> = filesystem::addresses(root).iter().map(ToString::to_string).collect();
            did_you_mean(&address.to_string(), there.iter().map(String::as_str))
        });
        let by_hand = elsewhere.then(|| {
            "Registries and network mirrors are not asked: fetch packages with `terraform providers mirror FOLDER`, and name the folder in a `filesystem_mirror`."
                .into()
        });
        diagnostic
            .detail(format!(
                "Provider {address} is wanted as {wanted} for {}; looked in {}; found: {found}.",
                self.platform,
                if places.is_empty() {
                    "no folder, since none is configured for it".into()
                } else {
                    places.join(", ")
                }
            ))
            .maybe_help(near.or(by_hand))
    }
}

/// Makes a link to a folder that stays where it is, whatever was there before.
fn link(folder: &Path, place: &Path) -> io::Result<()> {
    let folder = folder.canonicalize()?;
    let parent = parent(place)?;
    let aside = tempfile::tempdir_in(parent)?;
    let link = aside.path().join("link");
    std::os::unix::fs::symlink(folder, &link)?;
    replace(&link, place)
}

/// Unpacks an archive aside and moves it into place.
fn unpack(file: &Path, place: &Path) -> io::Result<()> {
    let parent = parent(place)?;
    let aside = tempfile::tempdir_in(parent)?;
    let content = aside.path().join("content");
    let mut archive = zip::ZipArchive::new(std::fs::File::open(file)?).map_err(io::Error::other)?;
    archive.extract(&content).map_err(io::Error::other)?;
    replace(&content, place)
}

fn parent(place: &Path) -> io::Result<&Path> {
    let parent = place.parent().ok_or_else(|| io::Error::other("the root is no place for packages"))?;
    std::fs::create_dir_all(parent)?;
    Ok(parent)
}

/// Moves something to a place at which there may be something already.
fn replace(new: &Path, place: &Path) -> io::Result<()> {
    if place.is_symlink() {
        std::fs::remove_file(place)?;
    } else if place.is_dir() {
        std::fs::remove_dir_all(place)?;
    }
    std::fs::rename(new, place)
}

fn not_installed(address: &Address) -> Diagnostic {
    Diagnostic::error("provider-not-installed", "Provider is not installed")
        .detail(format!("Provider {address} is needed, but there is no installed package of it."))
        .help("Run `plumb init`.")
}

fn not_allowed(address: &Address, constraints: &Constraints, version: &Version) -> Diagnostic {
    Diagnostic::error("locked-version-not-allowed", "Locked version of a provider is not allowed")
        .detail(format!(
            "The lock file chose version {version} of provider {address}, but the configuration asks for `{constraints}`."
        ))
        .help("Run `plumb init -upgrade` to choose again.")
}

fn wrong_hash(address: &Address, version: &Version, place: &Path) -> Diagnostic {
    Diagnostic::error("provider-hash-mismatch", "Package of a provider is not the locked one")
        .detail(format!(
            "The package of version {version} of provider {address} for {} has none of the hashes in the lock file.",
            place.display()
        ))
        .help("If you trust the package, add its hash with `plumb providers lock`; if not, find out who changed it.")
}

fn no_program(address: &Address, place: &Path) -> Diagnostic {
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

fn cannot_write(address: &Address, place: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("provider-not-written", "Provider cannot be installed")
        .detail(format!("Provider {address} cannot be put into {}: {error}.", place.display()))
}

fn readonly() -> Diagnostic {
    Diagnostic::error("lock-file-would-change", "Dependency lock file would change")
        .detail("With `-lockfile=readonly` the lock file must name everything that the configuration needs.")
        .help("Run `plumb init` without the option, and commit the lock file.")
}
