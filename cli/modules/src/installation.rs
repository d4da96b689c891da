//! The installed modules of a working directory, as loading asks for them.
//!
//! A call is installed if the list of installed modules says so for its address, the lock allows it, and the files are still
//! those that were fetched. The lock is the authority: when somebody else has moved it, what is here is out of date.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use plumb_model::{Diagnostic, Diagnostics, SourceId};
use plumb_provider_install::{Constraints, Version};
use plumb_semantics::{InstalledModule, InstalledModules, ModuleRequest, NotInstalled, World};

use crate::address::{AddressError, ModuleAddress, Package};
use crate::lock::{LockFile, PackageKey};
use crate::manifest::{self, Entry, Manifest, TerraformManifest, key};
use crate::store::{Damage, Store};

/// What is done about a package whose files are not what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is reported.
    Check,
    /// It counts as not installed, since it is going to be fetched again.
    Repair,
    /// Nothing is looked at: the files are those of a saved plan.
    Archive,
}

/// The installed modules of a working directory.
#[derive(Debug)]
pub struct Installation {
    pub(crate) store: Store,
    pub(crate) manifest: Manifest,
    /// None if the directory has no lock.
    pub(crate) lock: Option<LockFile>,
    pub(crate) trust: Trust,
    terraform: TerraformManifest,
    /// The first call that leads to each package, by digest: modules with the same files are read by its name.
    first: HashMap<String, String>,
    /// What looking at packages gave, by digest.
    verified: RefCell<HashMap<String, Result<(), Diagnostic>>>,
    /// The calls that were found, by [`key`].
    found: RefCell<BTreeSet<String>>,
}

impl Installation {
    /// What is installed in a folder, as far as the lock allows.
    ///
    /// # Errors
    /// The lock cannot be read.
    pub fn open(world: &dyn World, folder: &Path, lock: &Path) -> Result<Installation, Diagnostics> {
        let read = |path: &Path| world.read(path).unwrap_or_default();
        let lock = match world.read(lock) {
            Ok(bytes) => Some(parse_lock(lock, bytes)?),
            Err(error) if error.absent => None,
            Err(error) => return Err(unreadable_lock(lock, &error.text).into()),
        };
        let manifest = Manifest::parse(&read(&folder.join(manifest::FILE_NAME)));
        let terraform = match lock {
            Some(_) => TerraformManifest::default(),
            None => TerraformManifest::parse(&read(Path::new(manifest::TERRAFORM))),
        };
        Ok(Installation::new(Store::new(folder), manifest, lock, terraform, Trust::Check))
    }

    /// What was installed when a plan was saved. `read` gives files of the plan, and none other.
    pub fn archived(read: impl Fn(&Path) -> Option<Vec<u8>>, folder: &Path) -> Installation {
        let text = |path: &Path| read(path).unwrap_or_default();
        let manifest = Manifest::parse(&text(&folder.join(manifest::FILE_NAME)));
        let terraform = TerraformManifest::parse(&text(Path::new(manifest::TERRAFORM)));
        Installation::new(Store::new(folder), manifest, None, terraform, Trust::Archive)
    }

    pub(crate) fn new(
        store: Store,
        manifest: Manifest,
        lock: Option<LockFile>,
        terraform: TerraformManifest,
        trust: Trust,
    ) -> Installation {
        let mut installation = Installation {
            store,
            manifest,
            lock,
            trust,
            terraform,
            first: HashMap::new(),
            verified: RefCell::default(),
            found: RefCell::default(),
        };
        for (key, entry) in &installation.manifest.modules {
            installation.first.entry(entry.digest.clone()).or_insert_with(|| key.clone());
        }
        installation
    }

    /// Adds what was just installed.
    pub(crate) fn add(&mut self, key: String, entry: Entry) {
        self.verified.borrow_mut().insert(entry.digest.clone(), Ok(()));
        self.first.entry(entry.digest.clone()).or_insert_with(|| key.clone());
        self.manifest.modules.insert(key, entry);
    }

    /// The calls that were found since this was opened, with what they lead to.
    pub(crate) fn found(&self) -> BTreeMap<String, Entry> {
        let found = self.found.borrow();
        let entries = self.manifest.modules.iter().filter(|(key, _)| found.contains(*key));
        entries.map(|(key, entry)| (key.clone(), entry.clone())).collect()
    }

    fn entry(&self, key: &str, entry: &Entry) -> Result<InstalledModule, NotInstalled> {
        if self.trust != Trust::Archive {
            let locked = self.lock.as_ref().and_then(|lock| lock.packages.get(&entry.package_key()));
            if locked.is_none_or(|locked| locked.digest != entry.digest)
                || !self.store.leads_to(key, &entry.digest)
            {
                return Err(NotInstalled::Missing);
            }
            self.verify(entry)?;
        }
        self.found.borrow_mut().insert(key.to_owned());
        let first = self.first.get(&entry.digest).map_or(key, String::as_str);
        let below = |name: &str| -> PathBuf {
            let package = self.store.folder().join(name);
            if entry.folder.is_empty() { package } else { package.join(&entry.folder) }
        };
        Ok(InstalledModule {
            directory: below(key),
            read_from: below(first),
            package: self.store.folder().join(first),
            version: entry.version.as_deref().map(Into::into),
        })
    }

    fn verify(&self, entry: &Entry) -> Result<(), NotInstalled> {
        let mut verified = self.verified.borrow_mut();
        let outcome = verified.entry(entry.digest.clone()).or_insert_with(|| {
            self.store.verify(&entry.digest).map_err(|damage| changed(&entry.package, damage))
        });
        match (outcome, self.trust) {
            (Ok(()), _) => Ok(()),
            (Err(_), Trust::Repair) => Err(NotInstalled::Missing),
            (Err(problem), _) => Err(NotInstalled::Broken(Box::new(problem.clone()))),
        }
    }
}

impl InstalledModules for Installation {
    fn find(&self, request: &ModuleRequest) -> Result<InstalledModule, NotInstalled> {
        let (address, constraints) =
            understand(request).map_err(|problem| NotInstalled::Broken(problem.into()))?;
        let key = key(request);
        if let Some(entry) = self.manifest.modules.get(&key)
            && entry.source == request.source.as_str()
            && entry.allowed_by(&constraints)
        {
            return self.entry(&key, entry);
        }
        match self.terraform.find(request, &address, &constraints) {
            Some(place) => Ok(InstalledModule {
                read_from: place.directory.clone(),
                directory: place.directory,
                package: place.package,
                version: place.version.map(|version| version.to_string().into()),
            }),
            None => Err(NotInstalled::Missing),
        }
    }
}

impl Entry {
    /// The name of the package in the lock.
    pub(crate) fn package_key(&self) -> PackageKey {
        let version = self.version.as_deref().and_then(|text| text.parse().ok());
        PackageKey { source: self.package.clone(), version }
    }

    fn allowed_by(&self, constraints: &Constraints) -> bool {
        match self.version.as_deref().and_then(|text| text.parse::<Version>().ok()) {
            Some(version) => constraints.allow(&version),
            None => constraints.is_empty(),
        }
    }
}

/// The address and the constraints of a call.
///
/// # Errors
/// What is wrong with them, without a place.
pub(crate) fn understand(request: &ModuleRequest) -> Result<(ModuleAddress, Constraints), Diagnostic> {
    let address = ModuleAddress::parse(&request.source).map_err(|error| invalid_address(request, error))?;
    let Some(version) = &request.version else { return Ok((address, Constraints::default())) };
    if !matches!(address.package, Package::Registry(_)) {
        return Err(Diagnostic::error("version-without-registry", "Version of a module that has none")
            .detail(format!(
                "Only modules in a registry have versions, and {} is not in one.",
                plumb_syntax::quote(&request.source)
            ))
            .help("Remove `version`; for a git repository, name a tag in the address: `?ref=v1.2.0`."));
    }
    let constraints = version.parse().map_err(|error| {
        Diagnostic::error("invalid-version-constraint", "Invalid version constraint")
            .detail(format!("{error}."))
            .help("Write operators and versions with commas between: `>= 1.2, < 2.0` or `~> 1.4`.")
    })?;
    Ok((address, constraints))
}

fn invalid_address(request: &ModuleRequest, error: AddressError) -> Diagnostic {
    let source = plumb_syntax::quote(&request.source);
    let diagnostic = match error.unsupported {
        true => Diagnostic::error("unsupported-module-source", "Module source not supported"),
        false => Diagnostic::error("invalid-module-source", "Invalid module source address"),
    };
    diagnostic.detail(format!("{source} cannot be used: {}.", error.problem)).help(error.help)
}

fn changed(package: &str, damage: Damage) -> Diagnostic {
    let wrong = |detail: String| {
        Diagnostic::error("module-changed", "Installed module is not what was fetched").detail(detail)
    };
    match damage {
        Damage::Absent => wrong(format!("The files of {package} are gone.")).help("Run `plumb init`."),
        Damage::Unreadable(error) => {
            wrong(format!("The files of {package} cannot be read: {error}.")).help("Run `plumb init`.")
        }
        Damage::Changed(what) => wrong(format!("The files of {package} were changed since they were fetched: {what}."))
            .help("Restore them with `plumb init`. To change a module, copy it into a directory of your own and call it by a path."),
    }
}

/// Reads the lock of a working directory.
///
/// # Errors
/// What is wrong with it; the places have become part of the words, since the text is none of the configuration.
pub(crate) fn parse_lock(path: &Path, bytes: Vec<u8>) -> Result<LockFile, Diagnostics> {
    let text = String::from_utf8(bytes).map_err(|error| unreadable_lock(path, &error.to_string()))?;
    LockFile::parse(SourceId(u32::MAX), &text).map_err(|mut found| {
        for diagnostic in found.iter_mut() {
            let start = diagnostic.span().map_or(0, |span| span.start as usize);
            let line = 1 + text[..start].matches('\n').count();
            diagnostic.labels.clear();
            diagnostic.detail = format!("{}, line {line}: {}", path.display(), diagnostic.detail).into();
        }
        found
    })
}

pub(crate) fn unreadable_lock(path: &Path, problem: &str) -> Diagnostic {
    Diagnostic::error("invalid-module-lock", "Invalid module lock")
        .detail(format!("{}: {problem}.", path.display()))
        .help("Restore it from version control.")
}
