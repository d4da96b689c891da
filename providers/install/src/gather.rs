//! Gathers packages of providers for other machines: their hashes for the lock file (`plumb providers lock`), or the
//! archives themselves for a mirror (`plumb providers mirror`).
//!
//! Both take the versions that the lock file names, or else the newest that the constraints allow. Nothing is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use futures_util::stream;
use plumb_model::{Diagnostic, Diagnostics};
use plumb_registry::Hosts;
use serde_json::{Value as Json, json};

use crate::address::{Address, Platform};
use crate::choose::{Chosen, choose};
use crate::config::Method;
use crate::find::not_allowed;
use crate::hash;
use crate::lock::{LockFile, Locked};
use crate::obtain::{Content, Local, Which, blocking, obtain, refused};
use crate::progress::{Progress, Step};
use crate::source::filesystem;
use crate::version::Constraints;

/// How many packages are fetched at the same time.
const AT_ONCE: usize = 8;

/// Where packages are gathered from, and for which platforms.
pub struct Gatherer<'a> {
    /// The ways to get packages.
    pub methods: Vec<Method>,
    /// For which platforms.
    pub platforms: BTreeSet<Platform>,
    /// The servers.
    pub hosts: &'a Hosts,
    /// Who is told what happens.
    pub progress: &'a dyn Progress,
}

/// A package that was gathered.
struct Gathered<'a> {
    address: &'a Address,
    platform: &'a Platform,
    local: Local,
    h1: String,
}

impl Gatherer<'_> {
    /// The lock file with the hashes of the packages for all platforms.
    ///
    /// # Errors
    /// Why packages cannot be had.
    pub async fn lock(
        &self,
        wanted: &BTreeMap<Address, Constraints>,
        lock: &LockFile,
    ) -> Result<LockFile, Diagnostics> {
        let chosen = self.choose(wanted, lock).await?;
        let aside = tempfile::tempdir()
            .map_err(|error| unwritable(Path::new("the folder of temporary files"), &error))?;
        let packages = self.gather(&chosen, aside.path()).await?;
        let mut after = lock.clone();
        for (address, chosen) in &chosen {
            let before = lock.providers.get(*address).filter(|before| before.version == chosen.version);
            let hashes = before.map(|before| before.hashes.clone()).unwrap_or_default();
            let constraints = wanted[*address].clone();
            after
                .providers
                .insert((*address).clone(), Locked { version: chosen.version.clone(), constraints, hashes });
        }
        for package in packages {
            if let Some(locked) = after.providers.get_mut(package.address) {
                locked.hashes.extend(package.local.signed);
                locked.hashes.insert(package.h1);
            }
        }
        Ok(after)
    }

    /// Puts the archives for all platforms into a folder, in the layout of a packed mirror with the documents of a
    /// network mirror beside them. What is there already stays.
    ///
    /// # Errors
    /// Why packages cannot be had, or not be written.
    pub async fn mirror(
        &self,
        wanted: &BTreeMap<Address, Constraints>,
        lock: &LockFile,
        folder: &Path,
    ) -> Result<(), Diagnostics> {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        let chosen = self.choose(wanted, lock).await?;
        // On the same file system, so that archives only have to be moved.
        let aside = tempfile::Builder::new().prefix(".plumb-").tempdir_in(folder);
        let aside = aside.map_err(|error| unwritable(folder, &error))?;
        for package in self.gather(&chosen, aside.path()).await? {
            let place = filesystem::folder_of(folder, package.address);
            let version = &chosen[package.address].version;
            let name = filesystem::archive_name(package.address, version, package.platform);
            let write = || -> io::Result<()> {
                fs::create_dir_all(&place)?;
                match &package.local.content {
                    // A downloaded archive lies aside; one in another mirror stays there.
                    Content::Archive(path, _) if path.starts_with(aside.path()) => {
                        fs::rename(path, place.join(&name))?
                    }
                    Content::Archive(path, _) => drop(fs::copy(path, place.join(&name))?),
                    Content::Folder(_) => return Err(io::Error::other("it is not packed")),
                }
                let archive = json!({ "url": name, "hashes": [package.h1] });
                change(
                    &place.join(format!("{version}.json")),
                    "archives",
                    &package.platform.to_string(),
                    archive,
                )?;
                change(&place.join("index.json"), "versions", &version.to_string(), json!({}))
            };
            write().map_err(|error| unwritable(&place, &error))?;
        }
        Ok(())
    }

    async fn choose<'w>(
        &self,
        wanted: &'w BTreeMap<Address, Constraints>,
        lock: &LockFile,
    ) -> Result<BTreeMap<&'w Address, Chosen<'_>>, Diagnostics> {
        let wanted = wanted.iter().filter(|(address, _)| !address.is_builtin());
        let choosing = wanted.map(|(address, constraints)| async move {
            let locked = lock.providers.get(address);
            if let Some(locked) = locked.filter(|locked| !constraints.allow(&locked.version)) {
                return Err(not_allowed(address, constraints, &locked.version));
            }
            let exact = locked.map(|locked| &locked.version);
            choose(&self.methods, self.hosts, address, constraints, exact)
                .await
                .map(|chosen| (address, chosen))
        });
        let outcomes: Vec<_> = stream::iter(choosing).buffered(AT_ONCE).collect().await;
        all(outcomes)
    }

    /// Brings the packages of what was chosen here, for every platform.
    async fn gather<'w>(
        &'w self,
        chosen: &'w BTreeMap<&'w Address, Chosen<'_>>,
        aside: &Path,
    ) -> Result<Vec<Gathered<'w>>, Diagnostics> {
        let pairs = chosen.iter().flat_map(|(address, chosen)| {
            self.platforms.iter().map(move |platform| (*address, chosen, platform))
        });
        let gathering = pairs.enumerate().map(|(i, (address, chosen, platform))| {
            let aside = aside.join(i.to_string());
            async move {
                let gathered = self.one(address, chosen, platform, &aside).await;
                if gathered.is_err() {
                    self.progress.tell(address, platform, Step::Failed);
                }
                gathered
            }
        });
        let outcomes: Vec<_> = stream::iter(gathering).buffered(AT_ONCE).collect().await;
        all(outcomes)
    }

    async fn one<'w>(
        &self,
        address: &'w Address,
        chosen: &'w Chosen<'_>,
        platform: &'w Platform,
        aside: &Path,
    ) -> Result<Gathered<'w>, Diagnostic> {
        let which = Which { address, version: &chosen.version, platform };
        self.progress.tell(address, platform, Step::Fetching(chosen.version.clone()));
        let package = chosen.package(address, platform).await?;
        fs::create_dir_all(aside).map_err(|error| unwritable(aside, &error))?;
        let local = obtain(which, package, aside, self.hosts, self.progress).await?;
        let content = local.content.clone();
        let h1 = blocking(move || match content {
            Content::Folder(folder) => hash::folder(&folder),
            Content::Archive(path, _) => hash::archive_contents(&path),
        });
        let h1 = h1.await.map_err(|error| refused(which, &error.to_string()))?;
        self.progress.tell(address, platform, Step::Done(chosen.version.clone(), local.how.clone()));
        Ok(Gathered { address, platform, local, h1 })
    }
}

/// All results, or all errors.
fn all<T, C: FromIterator<T>>(outcomes: Vec<Result<T, Diagnostic>>) -> Result<C, Diagnostics> {
    let mut found = Diagnostics::new();
    let good: Vec<T> =
        outcomes.into_iter().filter_map(|outcome| outcome.map_err(|e| found.push(e)).ok()).collect();
    found.into_result().map(|_| good.into_iter().collect())
}

/// Puts a member into an object in a document, which is made if it is not there, in one piece.
fn change(path: &PathBuf, list: &str, name: &str, value: Json) -> io::Result<()> {
    let mut document = match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| {
            io::Error::other(format!("{} is there, but is no JSON: {error}", path.display()))
        })?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => json!({}),
        Err(error) => return Err(error),
    };
    let members = document.as_object_mut().map(|object| object.entry(list).or_insert_with(|| json!({})));
    let Some(members) = members.and_then(Json::as_object_mut) else {
        return Err(io::Error::other(format!("{} is there, but is no document of a mirror", path.display())));
    };
    members.insert(name.to_owned(), value);
    let folder = path.parent().unwrap_or(Path::new("."));
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let mut file = tempfile::Builder::new().prefix(".plumb-").permissions(permissions).tempfile_in(folder)?;
    file.write_all(serde_json::to_string_pretty(&document)?.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn unwritable(place: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("packages-not-gathered", "Packages of providers cannot be gathered")
        .detail(format!("{} cannot be written: {error}.", place.display()))
        .help("Check the permissions, and that the disk is not full.")
}
