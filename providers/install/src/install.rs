//! Installs what a configuration needs.
//!
//! For each provider the newest version that the constraints allow is chosen, unless the lock file has chosen already. The
//! package is fetched aside, held against what its source says and against the hashes of the lock file, unpacked aside, and
//! moved into place whole. Its hashes are written to the lock file: the one of what was unpacked, and those that the publisher
//! signed. Several providers are installed at once; what is in place and has the right hash is left alone.
//!
//! Elsewhere: finding what is installed is [`crate::find`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use futures_util::stream;
use plumb_model::{Diagnostic, Diagnostics};
use plumb_registry::Hosts;
use plumb_registry::archive::{self, Rules};

use crate::address::Address;
use crate::choose::choose;
use crate::config::override_program;
use crate::find::{Installed, Installer, no_program, not_allowed, wrong_hash};
use crate::hash;
use crate::lock::{LockFile, Locked};
use crate::obtain::{Content, Local, Which, blocking, obtain, refused};
use crate::progress::{How, Progress, Step};
use crate::shelf::{Shelf, Stage};
use crate::source::program_in;
use crate::version::Constraints;

/// How many providers are installed at the same time.
const AT_ONCE: usize = 8;

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

/// One provider that is being installed.
struct One<'a> {
    installer: &'a Installer,
    hosts: &'a Hosts,
    progress: &'a dyn Progress,
    address: &'a Address,
    constraints: &'a Constraints,
    /// What the lock file says of it, whatever may happen to that.
    before: Option<&'a Locked>,
    choice: Choice,
}

/// What has become of one provider.
struct Outcome {
    locked: Option<Locked>,
    program: PathBuf,
    warnings: Diagnostics,
    /// Whether the lock file knows the package only by what was seen on this platform.
    local: bool,
}

impl Installer {
    /// Installs what is wanted.
    ///
    /// # Errors
    /// Why providers could not be installed, each in turn. What could be is in place then, but not in any lock file.
    pub async fn install(
        &self,
        wanted: &BTreeMap<Address, Constraints>,
        lock: &LockFile,
        choice: Choice,
        hosts: &Hosts,
        progress: &dyn Progress,
    ) -> Result<Installed, Diagnostics> {
        let mut installed = Installed { warnings: self.override_warnings(wanted), ..Installed::default() };
        let mut found = Diagnostics::new();
        let wanted = wanted.iter().filter(|(address, _)| !address.is_builtin());
        let outcomes = wanted.map(|(address, constraints)| async move {
            let before = lock.providers.get(address);
            let one = One { installer: self, hosts, progress, address, constraints, before, choice };
            (address, one.install().await)
        });
        let mut outcomes: Vec<_> = stream::iter(outcomes).buffer_unordered(AT_ONCE).collect().await;
        outcomes.sort_by_key(|(address, _)| *address);
        let mut local = Vec::new();
        for (address, outcome) in outcomes {
            match outcome {
                Ok(outcome) => {
                    if outcome.local {
                        local.push(address.to_string());
                    }
                    installed.warnings.extend(outcome.warnings);
                    installed.lock.providers.extend(outcome.locked.map(|locked| (address.clone(), locked)));
                    installed.programs.insert(address.clone(), outcome.program);
                }
                Err(errors) => {
                    progress.tell(address, &self.platform, Step::Failed);
                    found.extend(errors);
                }
            }
        }
        found.into_result()?;
        if choice == Choice::Readonly && installed.lock != *lock {
            if versions(&installed.lock) != versions(lock) {
                return Err(readonly(&installed.lock, lock).into());
            }
            // What was learned about packages besides, such as the hash for this platform, is not written.
            installed.lock = lock.clone();
            installed.warnings.push(not_updated());
        }
        if !local.is_empty() {
            installed.warnings.push(one_platform(&local.join(", "), &self.platform.to_string()));
        }
        Ok(installed)
    }
}

impl One<'_> {
    async fn install(&self) -> Result<Outcome, Diagnostics> {
        if let Some(folder) = self.installer.config.overrides.get(self.address) {
            let program = override_program(self.address, folder)?;
            let locked = self.before.cloned();
            return Ok(Outcome { locked, program, warnings: Diagnostics::new(), local: false });
        }
        let known = self.before.filter(|_| self.choice != Choice::Upgrade);
        if let Some(known) = known {
            if !self.constraints.allow(&known.version) {
                return Err(not_allowed(self.address, self.constraints, &known.version).into());
            }
            self.tell(Step::Reusing(known.version.clone()));
            if let Some(program) = self.already_there(known).await {
                self.tell(Step::Done(known.version.clone(), How::AlreadyThere));
                return Ok(self.unchanged(known, program));
            }
        } else if self.choice == Choice::Readonly {
            return Err(not_locked(self.address).into());
        } else {
            self.tell(Step::Choosing(self.constraints.clone()));
        }
        self.fetch(known).await
    }

    fn tell(&self, step: Step) {
        self.progress.tell(self.address, &self.installer.platform, step);
    }

    /// Nothing new is known: only the constraints may have changed.
    fn unchanged(&self, known: &Locked, program: PathBuf) -> Outcome {
        let locked = Locked { constraints: self.constraints.clone(), ..known.clone() };
        Outcome { locked: Some(locked), program, warnings: Diagnostics::new(), local: false }
    }

    /// The program of the locked package, if that is in place.
    async fn already_there(&self, known: &Locked) -> Option<PathBuf> {
        let place = self.installer.place(self.address, &known.version);
        let hash = hash_of(&place).await?;
        self.installer.is_locked(known, &hash).then(|| program_in(&place, self.address))?
    }

    async fn fetch(&self, known: Option<&Locked>) -> Result<Outcome, Diagnostics> {
        let methods = self.installer.config.methods();
        let exact = known.map(|known| &known.version);
        let chosen = choose(&methods, self.hosts, self.address, self.constraints, exact).await?;
        let which =
            Which { address: self.address, version: &chosen.version, platform: &self.installer.platform };
        // A version that is chosen again is still the one whose hashes are known.
        let before = self.before.filter(|before| before.version == chosen.version);
        let hashes = before.map(|before| before.hashes.clone()).unwrap_or_default();
        let mut warnings = Diagnostics::new();
        if !chosen.warnings.is_empty() {
            warnings.push(said(self.address, &chosen.warnings));
        }
        let own = Shelf::new(&self.installer.folder);
        let place = self.installer.place(self.address, &chosen.version);
        let unwritable = |error: std::io::Error| unwritable(which, &place, &error);
        let cache =
            self.installer.config.cache.as_deref().map(|folder| shelf_of(folder, which)).transpose()?;
        let busy = cache.as_ref().unwrap_or(&own).clone();
        // From here on other processes wait, and then find in the cache what this one has fetched.
        let _lock = lock(&busy, which).await.map_err(unwritable)?;
        let stage = busy.stage().map_err(unwritable)?;
        let cached = cache.as_ref().map(|cache| cache.place(which.address, which.version, which.platform));
        if let Some(cached) = &cached
            && let Some(hash) = hash_of(cached).await
            && (hashes.contains(&hash) || (hashes.is_empty() && self.installer.config.cache_may_break_lock))
        {
            let program = self.link(&own, cached, &place).map_err(unwritable)?;
            let program = program.ok_or_else(|| no_program(self.address, cached))?;
            self.tell(Step::Done(chosen.version.clone(), How::Cached));
            let local = hashes.is_empty();
            let hashes = hashes.into_iter().chain([hash]).collect();
            let locked =
                Locked { version: chosen.version.clone(), constraints: self.constraints.clone(), hashes };
            return Ok(Outcome { locked: Some(locked), program, warnings, local });
        }
        self.tell(Step::Fetching(chosen.version.clone()));
        let package = chosen.package(self.address, which.platform).await?;
        let local = obtain(which, package, &stage.path(""), self.hosts, self.progress).await?;
        let (folder, hash) = self.open(which, &local, &hashes, &stage).await?;
        if let (Some(time), How::Signed(key)) = (local.key_expired, &local.how) {
            warnings.push(key_expired(which, key, time));
        }
        if let Content::Archive(_, zh) = &local.content {
            // Without the note a lock file of another platform would not be enough for the next command.
            hash::vouch(&self.installer.notes(), &hash, zh).map_err(unwritable)?;
        }
        match (&local.content, &cached) {
            (Content::Folder(_), _) => drop(self.link(&own, &folder, &place).map_err(unwritable)?),
            (Content::Archive(..), Some(cached)) => {
                busy.put(&stage, &folder, cached).map_err(unwritable)?;
                self.link(&own, cached, &place).map_err(unwritable)?;
            }
            (Content::Archive(..), None) => own.put(&stage, &folder, &place).map_err(unwritable)?,
        }
        let program = program_in(&place, self.address).ok_or_else(|| no_program(self.address, &place))?;
        self.tell(Step::Done(chosen.version.clone(), local.how.clone()));
        let only_seen_here = local.signed.is_empty() && hashes.is_empty();
        let hashes = hashes.into_iter().chain(local.signed).chain([hash]).collect();
        let locked =
            Locked { version: chosen.version.clone(), constraints: self.constraints.clone(), hashes };
        Ok(Outcome { locked: Some(locked), program, warnings, local: only_seen_here })
    }

    /// The folder with the content of a package, and its hash; an error if it is none of those that are known.
    async fn open(
        &self,
        which: Which<'_>,
        local: &Local,
        hashes: &BTreeSet<String>,
        stage: &Stage,
    ) -> Result<(PathBuf, String), Diagnostics> {
        let (folder, zh) = match &local.content {
            Content::Folder(folder) => (folder.clone(), None),
            Content::Archive(path, zh) => {
                let (path, folder) = (path.clone(), stage.path("content"));
                let unpacked = folder.clone();
                blocking(move || unpack(&path, &unpacked))
                    .await
                    .map_err(|problem| refused(which, &problem))?;
                (folder, Some(zh))
            }
        };
        let hash = hash_of(&folder)
            .await
            .ok_or_else(|| refused(which, "what is in it cannot be read, or a file name has a line break"))?;
        // Hashes of schemes that are not known say nothing.
        let telling = |hash: &&String| hash.starts_with("h1:") || hash.starts_with("zh:");
        let known = hashes.contains(&hash) || zh.is_some_and(|zh| hashes.contains(zh));
        if hashes.iter().any(|hash| telling(&hash)) && !known {
            return Err(wrong_hash(
                self.address,
                which.version,
                &self.installer.place(self.address, which.version),
            )
            .into());
        }
        if program_in(&folder, self.address).is_none() {
            let missing = format!("there is no file terraform-provider-{} in it", self.address.kind);
            return Err(refused(which, &missing).into());
        }
        Ok((folder, hash))
    }

    /// Makes the place in the working directory a link, and gives the program.
    fn link(&self, own: &Shelf, folder: &Path, place: &Path) -> std::io::Result<Option<PathBuf>> {
        let stage = own.stage()?;
        own.link(&stage, folder, place)?;
        Ok(program_in(place, self.address))
    }
}

/// The `h1:` hash of a folder; `None` if there is none, or it cannot be read.
async fn hash_of(folder: &Path) -> Option<String> {
    let folder = folder.to_owned();
    blocking(move || hash::folder(&folder).ok()).await
}

async fn lock(shelf: &Shelf, which: Which<'_>) -> std::io::Result<std::fs::File> {
    let (shelf, address) = (shelf.clone(), which.address.clone());
    let (version, platform) = (which.version.clone(), which.platform.clone());
    blocking(move || shelf.lock(&address, &version, &platform)).await
}

fn unpack(archive: &Path, folder: &Path) -> Result<(), String> {
    let file = std::fs::File::open(archive).map_err(|error| error.to_string())?;
    archive::zip(file, folder, &Rules::default()).map_err(|error| error.to_string())
}

/// The cache, which its user has to make.
fn shelf_of(folder: &Path, which: Which<'_>) -> Result<Shelf, Diagnostic> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    if folder.is_dir() {
        return Ok(Shelf::new(folder));
    }
    Err(Diagnostic::error("no-plugin-cache", "Plugin cache is not there")
        .detail(format!(
            "The shared cache for provider {} is {}, which is no directory.",
            which.address,
            folder.display()
        ))
        .help(format!(
            "Make it with `mkdir -p {}`, or correct `plugin_cache_dir` or TF_PLUGIN_CACHE_DIR.",
            folder.display()
        )))
}

fn unwritable(which: Which<'_>, place: &Path, error: &std::io::Error) -> Diagnostics {
    Diagnostic::error("provider-not-written", "Provider cannot be installed")
        .detail(format!("The package of {} cannot be put into {}: {error}.", which.name(), place.display()))
        .help("Check the permissions, and that the disk is not full.")
        .into()
}

fn said(address: &Address, warnings: &[String]) -> Diagnostic {
    Diagnostic::warning("registry-warning", "Registry has something to say about a provider")
        .detail(format!("About provider {address}: {}", warnings.join(" ")))
}

fn key_expired(which: Which<'_>, key: &str, time: std::time::SystemTime) -> Diagnostic {
    let date =
        jiff::Timestamp::try_from(time).map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    Diagnostic::warning("provider-key-expired", "Key that signed a provider has expired")
        .detail(format!(
            "The package of {} was signed with key {key} while that was valid; it expired on {date}.",
            which.name()
        ))
        .help("Ask the publisher to sign new releases with a valid key.")
}

fn one_platform(addresses: &str, platform: &str) -> Diagnostic {
    Diagnostic::note_only("lock-file-for-one-platform", "Lock file knows providers for one platform only")
        .detail(format!(
            "No publisher's signature came with the packages of {addresses}, so the lock file has their hashes for {platform} alone. On other platforms they are not accepted."
        ))
        .help("For each other platform that you use, run `plumb providers lock -platform=OS_ARCH`.")
}

fn versions(lock: &LockFile) -> BTreeMap<&Address, &crate::version::Version> {
    lock.providers.iter().map(|(address, locked)| (address, &locked.version)).collect()
}

fn not_updated() -> Diagnostic {
    Diagnostic::warning("lock-file-not-updated", "Dependency lock file was not updated")
        .detail("Hashes or constraints of providers are not in the lock file yet, and `-lockfile=readonly` lets nothing be added. The versions are those of the lock file.")
        .help("Run `plumb init` without the option where the lock file may change, and commit it.")
}

fn not_locked(address: &Address) -> Diagnostic {
    Diagnostic::error("lock-file-would-change", "Dependency lock file would change")
        .detail(format!(
            "Provider {address} is not in the lock file, and `-lockfile=readonly` lets nothing be added."
        ))
        .help("Run `plumb init` without the option, and commit the lock file.")
}

fn readonly(after: &LockFile, before: &LockFile) -> Diagnostic {
    let differs = |address: &&Address| after.providers.get(*address) != before.providers.get(*address);
    let all: BTreeSet<&Address> = after.providers.keys().chain(before.providers.keys()).collect();
    let changed: Vec<String> = all.iter().copied().filter(|a| differs(a)).map(ToString::to_string).collect();
    Diagnostic::error("lock-file-would-change", "Dependency lock file would change")
        .detail(format!(
            "With `-lockfile=readonly` the lock file must say everything already, but its blocks for these providers would change: {}.",
            changed.join(", ")
        ))
        .help("Run `plumb init` without the option, and commit the lock file.")
}
