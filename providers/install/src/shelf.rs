//! A folder of packages that many processes share: the plugin cache of a user, and the installed providers of a
//! working directory.
//!
//! Its layout is Terraform's, `host/namespace/type/1.2.3/linux_amd64`, so that both programs can use one. What is being made
//! stands aside in a [`Stage`] and is moved to its place in one step: a place has a whole package or none, also after
//! `kill -9` at any moment. A process that works on a place holds its [lock](Shelf::lock); the operating system takes the
//! lock back when the process ends, and the next process clears away the stages of those that were killed.
//!
//! Locks and stages are in a folder [`WORK`] of the shelf, whose name no host can have.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::address::{Address, Platform};
use crate::hash;
use crate::source::filesystem;
use crate::version::Version;

/// Where locks and stages are, within the shelf.
const WORK: &str = ".plumb-work";

/// A folder of packages.
#[derive(Clone, Debug)]
pub struct Shelf {
    root: PathBuf,
}

/// A folder to make a package in. It goes away with all that is still in it.
#[derive(Debug)]
pub struct Stage {
    folder: tempfile::TempDir,
    /// Held for as long as the stage is in use.
    _lock: File,
}

impl Stage {
    /// A path in it, at which there is nothing yet.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Shelf {
    /// A shelf, which need not be there yet.
    pub fn new(root: impl Into<PathBuf>) -> Shelf {
        Shelf { root: root.into() }
    }

    /// The place of a package.
    pub fn place(&self, address: &Address, version: &Version, platform: &Platform) -> PathBuf {
        filesystem::folder_of(&self.root, address).join(version.to_string()).join(platform.to_string())
    }

    /// Keeps other processes from the place of a package until the file is dropped. Waits for those that are there.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn lock(&self, address: &Address, version: &Version, platform: &Platform) -> io::Result<File> {
        let Address { host, namespace, kind } = address;
        self.locked(&format!("{host}_{namespace}_{kind}_{version}_{platform}"))
    }

    fn locked(&self, name: &str) -> io::Result<File> {
        let work = self.root.join(WORK);
        fs::create_dir_all(&work)?;
        let file = File::options().create(true).append(true).open(work.join(format!("{name}.lock")))?;
        file.lock()?;
        Ok(file)
    }

    /// A stage on the same file system as the places. Stages whose processes have ended are cleared away.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn stage(&self) -> io::Result<Stage> {
        // Nobody takes a stage for an abandoned one between its making and its locking.
        let _all = self.locked("stages")?;
        let work = self.root.join(WORK);
        for entry in fs::read_dir(&work)? {
            let path = entry?.path();
            if path.is_dir() && is_abandoned(&path) {
                // Whoever has it open, or no right to it, leaves it for another time.
                let _ = fs::remove_dir_all(path);
            }
        }
        let folder = tempfile::Builder::new().prefix("stage-").tempdir_in(&work)?;
        let lock = File::create(folder.path().join("lock"))?;
        lock.lock()?;
        Ok(Stage { folder, _lock: lock })
    }

    /// Moves a folder out of a stage to its place, whatever was there before. A place that has the same in it is left alone.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn put(&self, stage: &Stage, content: &Path, place: &Path) -> io::Result<()> {
        if !place.is_symlink() && place.is_dir() && hash::folder(place)? == hash::folder(content)? {
            return Ok(());
        }
        replace(stage, content, place)
    }

    /// Makes a link at a place to a folder that stays where it is.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn link(&self, stage: &Stage, folder: &Path, place: &Path) -> io::Result<()> {
        let folder = folder.canonicalize()?;
        if fs::read_link(place).is_ok_and(|there| there == folder) {
            return Ok(());
        }
        let link = stage.path("link");
        std::os::unix::fs::symlink(folder, &link)?;
        replace(stage, &link, place)
    }
}

/// Whether the process that made a stage has ended: then nobody holds its lock.
fn is_abandoned(stage: &Path) -> bool {
    match File::options().append(true).open(stage.join("lock")) {
        Ok(lock) => lock.try_lock().is_ok(),
        // It ended before it made the lock.
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Moves something to a place; what was there goes into the stage, and away with it.
fn replace(stage: &Stage, new: &Path, place: &Path) -> io::Result<()> {
    let parent = place.parent().ok_or_else(|| io::Error::other("the root is no place for packages"))?;
    fs::create_dir_all(parent)?;
    if place.is_symlink() || place.exists() {
        // Somebody may look for the package at this moment: where the file system can, the two change places in one step.
        if exchange(new, place).is_ok() {
            return Ok(());
        }
        fs::rename(place, stage.path("old"))?;
    }
    fs::rename(new, place)
}

#[cfg(target_os = "linux")]
fn exchange(new: &Path, place: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> (Address, Version, Platform) {
        let address = "example.com/acme/probe".parse().unwrap();
        (address, Version::new(1, 2, 3), "linux_amd64".parse().unwrap())
    }

    fn content(stage: &Stage, text: &str) -> PathBuf {
        let content = stage.path("content");
        fs::create_dir(&content).unwrap();
        fs::write(content.join("file"), text).unwrap();
        content
    }

    #[test]
    fn a_package_replaces_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(root.path().join("shelf"));
        let (address, version, platform) = probe();
        let place = shelf.place(&address, &version, &platform);
        let elsewhere = root.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        for text in ["one", "two", "two"] {
            let stage = shelf.stage().unwrap();
            shelf.put(&stage, &content(&stage, text), &place).unwrap();
            drop(stage);
            assert_eq!(fs::read_to_string(place.join("file")).unwrap(), text);
            let stage = shelf.stage().unwrap();
            shelf.link(&stage, &elsewhere, &place).unwrap();
            assert_eq!(fs::read_link(&place).unwrap(), elsewhere.canonicalize().unwrap());
        }
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn abandoned_stages_are_cleared_away_and_others_are_not() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(root.path());
        let stage = shelf.stage().unwrap();
        content(&stage, "mine");
        let work = root.path().join(WORK);
        let abandoned = [work.join("stage-dead"), work.join("stage-unborn")];
        abandoned.iter().for_each(|path| fs::create_dir(path).unwrap());
        fs::write(abandoned[0].join("lock"), "").unwrap();
        drop(shelf.stage().unwrap());
        assert!(abandoned.iter().all(|path| !path.exists()));
        assert!(stage.path("content/file").exists());
        let mine = stage.path("");
        drop(stage);
        assert!(!mine.exists());
    }

    #[test]
    fn a_lock_keeps_others_out() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(root.path());
        let (address, version, platform) = probe();
        let held = shelf.lock(&address, &version, &platform).unwrap();
        let again = File::options()
            .append(true)
            .open(root.path().join(WORK).join("example.com_acme_probe_1.2.3_linux_amd64.lock"));
        let again = again.unwrap();
        assert!(again.try_lock().is_err());
        drop(held);
        again.try_lock().unwrap();
    }
}
