//! Installs the modules that a configuration calls.
//!
//! Which modules there are is known only when those that call them are there: the configuration is loaded, what is missing
//! is fetched, and so on until nothing is missing. Each package is fetched once, several at a time. A package that the
//! lock knows must have the content that it had; one that it does not know is written there.
//!
//! Order of writing: packages, links, the lock, the list of installed modules. Whoever is killed in between leaves
//! a lock that says what was decided, and a list that the next command does not believe where they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, stream};
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_provider_install::{Choice, Constraints, Version};
use plumb_semantics::{InstalledModules, Loaded, ModuleRequest};
use tempfile::TempDir;

use crate::address::{ModuleAddress, Package, RegistryModule};
use crate::digest::{self, Files};
use crate::fetch::{Fetched, Fetcher};
use crate::installation::{Installation, Trust, parse_lock, understand, unreadable_lock};
use crate::lock::{LockFile, Locked, PackageKey};
use crate::manifest::{self, Entry, Manifest, TerraformManifest, key};
use crate::store::Store;

/// How many packages are fetched at the same time.
const AT_ONCE: usize = 8;

/// What happens, for those who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Another process is installing.
    Waiting,
    /// A package is being fetched.
    Fetching(&'a PackageKey),
    /// A package was fetched, and what it was before, if that was something else.
    Fetched(&'a PackageKey, &'a Locked, Option<&'a Locked>),
}

/// Installs into one working directory.
pub struct Installer<'a> {
    /// Where modules go.
    pub folder: PathBuf,
    /// Where the lock is.
    pub lock: PathBuf,
    /// What may happen to choices that were made before.
    pub choice: Choice,
    /// Gets packages.
    pub fetcher: Fetcher,
    /// Is told what happens.
    pub tell: &'a dyn Fn(Event<'_>),
    /// Writes a file in one piece.
    pub write: &'a dyn Fn(&Path, &[u8]) -> io::Result<()>,
}

/// What came of it.
pub struct Outcome {
    /// The configuration with everything that could be installed.
    pub loaded: Loaded,
    /// What could not be installed, with places in the configuration.
    pub diagnostics: Diagnostics,
    /// The calls that lead to installed modules, with what they lead to.
    pub modules: BTreeMap<String, Entry>,
    /// Whether the lock was written, and whether there was one before.
    pub wrote_lock: Option<bool>,
}

/// A package that is needed, and the calls that need it.
struct Needed {
    package: Package,
    calls: Vec<Call>,
}

struct Call {
    key: String,
    request: ModuleRequest,
    address: ModuleAddress,
}

/// What was made of a package that is not in its place yet.
struct Made {
    folder: TempDir,
    files: Files,
    fetched: Fetched,
}

impl Installer<'_> {
    /// Installs what is missing; `load` loads the configuration with what is installed.
    ///
    /// # Errors
    /// The folder or the lock cannot be used at all. What is wrong with single modules is in the outcome.
    pub async fn install(
        &self,
        load: impl Fn(&dyn InstalledModules) -> Loaded,
    ) -> Result<Outcome, Diagnostics> {
        let store = Store::new(&self.folder);
        let _alone =
            store.exclusive(|| (self.tell)(Event::Waiting)).map_err(|error| trouble(&self.folder, &error))?;
        let before = self.read_lock()?;
        let manifest = match (self.choice, fs::read(self.folder.join(manifest::FILE_NAME))) {
            (Choice::Upgrade, _) | (_, Err(_)) => Manifest::default(),
            (_, Ok(text)) => Manifest::parse(&text),
        };
        let known = match self.choice {
            Choice::Upgrade => LockFile::default(),
            Choice::Keep | Choice::Readonly => before.clone().unwrap_or_default(),
        };
        let mut installation =
            Installation::new(store, manifest, Some(known), TerraformManifest::default(), Trust::Repair);
        let mut diagnostics = Diagnostics::new();
        // A round for each level of calls. What failed once is not tried again.
        let loaded = loop {
            let loaded = load(&installation);
            if loaded.missing.is_empty() || diagnostics.has_errors() {
                break loaded;
            }
            let found = self.round(&mut installation, before.as_ref(), &loaded.missing).await;
            diagnostics.extend(found);
        };
        let modules = installation.found();
        let whole = !diagnostics.has_errors() && !loaded.diagnostics.has_errors();
        let wrote_lock = self.save(&installation, &modules, before, whole)?;
        Ok(Outcome { loaded, diagnostics, modules, wrote_lock })
    }

    fn read_lock(&self) -> Result<Option<LockFile>, Diagnostics> {
        match fs::read(&self.lock) {
            Ok(bytes) => parse_lock(&self.lock, bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable_lock(&self.lock, &error.to_string()).into()),
        }
    }

    /// Installs what is missing now.
    async fn round(
        &self,
        installation: &mut Installation,
        before: Option<&LockFile>,
        missing: &[ModuleRequest],
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let needed = self.needed(installation, missing, &mut diagnostics).await;
        let lock = installation.lock.clone().unwrap_or_default();
        let mut wanted = Vec::new();
        for (key, needed) in needed {
            let locked = lock.packages.get(&key).cloned();
            match locked {
                Some(locked) if installation.store.verify(&locked.digest).is_ok() => {
                    diagnostics.extend(place(installation, &key, &needed, &locked));
                }
                None if self.choice == Choice::Readonly => {
                    diagnostics.push(readonly(&key).at(needed.span()));
                }
                locked => wanted.push((key, needed, locked)),
            }
        }
        let store = installation.store.clone();
        let fetching = wanted.into_iter().map(|(key, needed, locked)| {
            let store = &store;
            async move {
                let made = self.fetch(store, &key, &needed.package, locked.as_ref()).await;
                (key, needed, locked, made)
            }
        });
        let mut done = stream::iter(fetching).buffer_unordered(AT_ONCE);
        while let Some((key, needed, locked, made)) = done.next().await {
            let before = before.and_then(|lock| lock.packages.get(&key));
            let outcome = made.and_then(|made| self.keep(installation, &key, made, locked.as_ref(), before));
            match outcome {
                Ok(locked) => diagnostics.extend(place(installation, &key, &needed, &locked)),
                Err(problem) => diagnostics.push(problem.at(needed.span())),
            }
        }
        diagnostics
    }

    /// The packages that missing calls need, each once.
    async fn needed(
        &self,
        installation: &Installation,
        missing: &[ModuleRequest],
        diagnostics: &mut Diagnostics,
    ) -> BTreeMap<PackageKey, Needed> {
        let mut calls = Vec::new();
        let mut asked: BTreeMap<RegistryModule, (Span, Vec<Constraints>)> = BTreeMap::new();
        for request in missing {
            // An address that is none is not missing, but wrong, so both of these have been understood before.
            let Ok((address, constraints)) = understand(request) else { continue };
            if let Package::Registry(module) = &address.package {
                let (_, all) = asked.entry(module.clone()).or_insert_with(|| (request.span, Vec::new()));
                all.push(constraints.clone());
            }
            calls.push((Call { key: key(request), request: request.clone(), address }, constraints));
        }
        let versions = self.versions(installation, asked, diagnostics).await;
        let mut needed: BTreeMap<PackageKey, Needed> = BTreeMap::new();
        for (call, constraints) in calls {
            let version = match &call.address.package {
                Package::Registry(module) => {
                    let Some(known) = versions.get(module) else { continue };
                    match self.choose(installation, module, &constraints, known) {
                        Ok(version) => Some(version),
                        Err(problem) => {
                            diagnostics.push(problem.at(call.request.span));
                            continue;
                        }
                    }
                }
                Package::Git(_) | Package::Http(_) => None,
            };
            let key = PackageKey { source: call.address.package.to_string(), version };
            let package = call.address.package.clone();
            needed.entry(key).or_insert_with(|| Needed { package, calls: Vec::new() }).calls.push(call);
        }
        needed
    }

    /// What registries have of the modules for which the lock has nothing that every call would take. A module that could
    /// not be asked for is left out.
    async fn versions(
        &self,
        installation: &Installation,
        asked: BTreeMap<RegistryModule, (Span, Vec<Constraints>)>,
        diagnostics: &mut Diagnostics,
    ) -> BTreeMap<RegistryModule, Vec<Version>> {
        let mut versions = BTreeMap::new();
        let mut open = Vec::new();
        for (module, (span, constraints)) in asked {
            let locked = locked_versions(installation, &module);
            let suffices = constraints.iter().all(|all| all.newest(&locked).is_some());
            match suffices || self.choice == Choice::Readonly {
                true => drop(versions.insert(module, Vec::new())),
                false => open.push((module, span)),
            }
        }
        let asking = open.into_iter().map(|(module, span)| async move {
            let found = self.fetcher.versions(&module).await;
            (module, span, found)
        });
        let mut answers = stream::iter(asking).buffer_unordered(AT_ONCE);
        while let Some((module, span, found)) = answers.next().await {
            match found {
                Ok(found) => drop(versions.insert(module, found)),
                Err(problem) => diagnostics.push(problem.at(span)),
            }
        }
        versions
    }

    fn choose(
        &self,
        installation: &Installation,
        module: &RegistryModule,
        constraints: &Constraints,
        known: &[Version],
    ) -> Result<Version, Diagnostic> {
        let locked = locked_versions(installation, module);
        if let Some(version) = constraints.newest(&locked) {
            return Ok(version.clone());
        }
        if self.choice == Choice::Readonly {
            return Err(readonly(&PackageKey { source: module.to_string(), version: None }));
        }
        constraints.newest(known).cloned().ok_or_else(|| no_version(module, constraints, known))
    }

    async fn fetch(
        &self,
        store: &Store,
        key: &PackageKey,
        package: &Package,
        locked: Option<&Locked>,
    ) -> Result<Made, Diagnostic> {
        (self.tell)(Event::Fetching(key));
        let broken = |error: io::Error| {
            Diagnostic::error("module-not-usable", "Module package cannot be used")
                .detail(format!("{key} was fetched, but cannot be used: {error}."))
        };
        let folder = store.fresh().map_err(|error| trouble(store.folder(), &error))?;
        let content = folder.path().join("content");
        fs::create_dir(&content).map_err(|error| trouble(store.folder(), &error))?;
        let fetched = self.fetcher.fetch(package, key.version.as_ref(), locked, &content).await?;
        digest::clean(&content).map_err(broken)?;
        let files = digest::files(&content).map_err(broken)?;
        Ok(Made { folder, files, fetched })
    }

    /// Moves a package to its place if it is what the lock says, or if the lock says nothing.
    fn keep(
        &self,
        installation: &mut Installation,
        key: &PackageKey,
        made: Made,
        locked: Option<&Locked>,
        before: Option<&Locked>,
    ) -> Result<Locked, Diagnostic> {
        let digest = digest::digest(&made.files);
        let now = Locked { from: made.fetched.from, commit: made.fetched.commit, digest };
        if let Some(locked) = locked
            && locked.digest != now.digest
        {
            return Err(other_content(key, locked, &now));
        }
        let store = &installation.store;
        store
            .put(&made.folder.path().join("content"), &made.files, &now.digest)
            .map_err(|error| trouble(store.folder(), &error))?;
        // What the lock has of this stays as it is: a registry may call the same place by another name.
        let now = locked.cloned().unwrap_or(now);
        (self.tell)(Event::Fetched(key, &now, before.filter(|before| **before != now)));
        installation.lock.get_or_insert_default().packages.insert(key.clone(), now.clone());
        Ok(now)
    }

    /// Writes the lock, then the list of installed modules. Gives whether the lock was written, and was there before.
    fn save(
        &self,
        installation: &Installation,
        modules: &BTreeMap<String, Entry>,
        before: Option<LockFile>,
        whole: bool,
    ) -> Result<Option<bool>, Diagnostics> {
        let there = before.is_some();
        let before = before.unwrap_or_default();
        let mut lock = before.clone();
        lock.packages.extend(installation.lock.clone().unwrap_or_default().packages);
        // Where something could not be loaded, nobody knows what is needed no more.
        if whole {
            let used: BTreeSet<PackageKey> = modules.values().map(Entry::package_key).collect();
            lock.packages.retain(|key, _| used.contains(key));
        }
        let wrote = lock != before && self.choice != Choice::Readonly;
        if wrote {
            (self.write)(&self.lock, lock.to_string().as_bytes())
                .map_err(|error| trouble(&self.lock, &error))?;
        }
        let path = self.folder.join(manifest::FILE_NAME);
        let manifest = Manifest { modules: modules.clone() };
        (self.write)(&path, manifest.text().as_bytes()).map_err(|error| trouble(&path, &error))?;
        let names = |name: &str| modules.contains_key(name);
        installation.store.unlink_others(names).map_err(|error| trouble(&self.folder, &error))?;
        Ok(wrote.then_some(there))
    }
}

impl Needed {
    fn span(&self) -> Span {
        self.calls.first().expect("a package is needed by a call").request.span
    }
}

fn locked_versions(installation: &Installation, module: &RegistryModule) -> Vec<Version> {
    let source = module.to_string();
    let packages = installation.lock.iter().flat_map(|lock| lock.packages.keys());
    packages.filter(|key| key.source == source).filter_map(|key| key.version.clone()).collect()
}

/// Lets the calls that need a package lead to it.
fn place(installation: &mut Installation, key: &PackageKey, needed: &Needed, locked: &Locked) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let fetched = Fetched { from: locked.from.clone(), commit: locked.commit.clone() };
    for call in &needed.calls {
        let wanted = fetched.folder(&call.address.folder);
        let package = installation.store.package(&locked.digest);
        let placed = folder_in(&package, &wanted, key).and_then(|folder| {
            installation
                .store
                .link(&call.key, &locked.digest)
                .map_err(|error| trouble(installation.store.folder(), &error))?;
            Ok(folder)
        });
        match placed {
            Ok(folder) => installation.add(
                call.key.clone(),
                Entry {
                    source: call.request.source.to_string(),
                    package: key.source.clone(),
                    version: key.version.as_ref().map(ToString::to_string),
                    digest: locked.digest.clone(),
                    folder,
                },
            ),
            Err(problem) => diagnostics.push(problem.at(call.request.span)),
        }
    }
    diagnostics
}

/// The folder of a module in a package; `*` stands for the only folder at its place.
pub(crate) fn folder_in(package: &Path, wanted: &str, key: &PackageKey) -> Result<String, Diagnostic> {
    let mut folder = String::new();
    let mut at = package.to_owned();
    for name in wanted.split('/').filter(|name| !name.is_empty()) {
        let here = folders_in(&at);
        let name = match (name, here.as_slice()) {
            ("*", [only]) => only.clone(),
            (name, here) if here.iter().any(|found| found == name) => name.to_owned(),
            (_, here) => return Err(no_folder(key, wanted, &folder, here)),
        };
        at.push(&name);
        folder = if folder.is_empty() { name } else { format!("{folder}/{name}") };
    }
    Ok(folder)
}

fn folders_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn no_folder(key: &PackageKey, wanted: &str, reached: &str, here: &[String]) -> Diagnostic {
    const SHOWN: usize = 10;
    let place = if reached.is_empty() { "it".to_owned() } else { format!("`{reached}`") };
    let names: Vec<String> = here.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let there = match here.len() {
        0 => format!("{place} has no folders"),
        1..=SHOWN => format!("{place} has {}", names.join(", ")),
        more => format!("{place} has {} and {} more", names.join(", "), more - SHOWN),
    };
    Diagnostic::error("no-module-folder", "No such folder in the module package")
        .detail(format!("{key} has no folder `{wanted}`: {there}."))
        .help("Correct what stands behind `//` in the address.")
}

pub(crate) fn no_version(
    module: &RegistryModule,
    constraints: &Constraints,
    known: &[Version],
) -> Diagnostic {
    let diagnostic = Diagnostic::error("no-module-version", "No version of the module fits");
    let newest = known.iter().filter(|version| version.pre.is_empty()).max().or(known.iter().max());
    match newest {
        None => diagnostic
            .detail(format!("The registry has no version of {module}."))
            .help("Check the address; a module that was withdrawn may have another name now."),
        Some(newest) => diagnostic
            .detail(format!("No version of {module} is {constraints}; the newest is {newest}."))
            .help(format!("Change `version`, for example to \"~> {}.{}\".", newest.major, newest.minor)),
    }
}

fn readonly(key: &PackageKey) -> Diagnostic {
    Diagnostic::error("module-lock-readonly", "The module lock would change")
        .detail(format!("{key} is not in the lock, and `-lockfile=readonly` forbids to add it."))
        .help("Run `plumb get` without the flag, and commit the lock.")
}

fn other_content(key: &PackageKey, locked: &Locked, now: &Locked) -> Diagnostic {
    let mut detail = format!(
        "What was fetched for {key} is not what the lock says: the digest is {}, and was {}.",
        now.digest, locked.digest
    );
    if let (Some(was), Some(is)) = (&locked.from, &now.from)
        && was != is
    {
        detail += &format!(" It came from {was}, and comes from {is} now.");
    }
    Diagnostic::error("module-content-changed", "Content of a module has changed").detail(detail).help(
        "Somebody changed what is published under this address. If that was meant, take it with `plumb get -upgrade` and review it.",
    )
}

fn trouble(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("modules-not-written", "Modules cannot be installed here")
        .detail(format!("{}: {error}.", path.display()))
        .help("Check the permissions of the directory, and that the disk is not full.")
}
