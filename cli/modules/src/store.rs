//! Fetched packages on the disk of a working directory.
//!
//! ```text
//! .plumb/modules/
//!   .packages/ID/        what a package contains; never changed once it is there
//!   .packages/ID.json    the hash of each of its files, to say what somebody changed
//!   .packages/ID.stamp   what the file system said of the files when they were last read
//!   network              a link to a package, for the call `module "network"`: what `path.module` names
//!   modules.json         which call leads to which package: [`crate::manifest`]
//!   .lock                held by the process that installs
//! ```
//!
//! ID comes from the digest of the content, so that one package is there once, however often it is called. A package is
//! made aside and moved into place in one step; whoever is killed leaves a folder that the next one removes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::digest::{self, Files};

/// What folders that are being made are called in the beginning.
const FRESH: &str = ".new-";

/// The packages of a working directory.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// Nobody else installs while this is there.
pub struct Exclusive {
    _file: File,
}

/// What is wrong with a package that is in its place.
#[derive(Debug)]
pub enum Damage {
    /// It is not there.
    Absent,
    /// It has other files than it had; which.
    Changed(String),
    /// It cannot be read.
    Unreadable(io::Error),
}

/// Removes a folder that a killed process left. A `git` that it had started can write there for a moment longer, and removing
/// what grows fails; what still cannot be removed is in nobody's way, and the next command tries again.
fn clear(folder: &Path) {
    for _ in 0..20 {
        match fs::remove_dir_all(folder) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

impl Store {
    /// The packages in a folder, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Store {
        Store { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn packages(&self) -> PathBuf {
        self.folder.join(".packages")
    }

    /// Waits until nobody else installs; calls `waiting` if that takes time. Then removes what killed processes left.
    ///
    /// # Errors
    /// The folder cannot be made, or locked.
    pub fn exclusive(&self, waiting: impl FnOnce()) -> io::Result<Exclusive> {
        fs::create_dir_all(self.packages())?;
        let file = File::create(self.folder.join(".lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                waiting();
                file.lock()?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        for entry in fs::read_dir(self.packages())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(FRESH) {
                clear(&entry.path());
            }
        }
        Ok(Exclusive { _file: file })
    }

    /// A folder to make a package in.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn fresh(&self) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(FRESH).tempdir_in(self.packages())
    }

    /// The folder of a package, as links name it.
    fn within(digest: &str) -> PathBuf {
        let hash = digest::hex(&Sha256::digest(digest));
        Path::new(".packages").join(&hash[..32])
    }

    /// The folder of the package with a digest.
    pub fn package(&self, digest: &str) -> PathBuf {
        self.folder.join(Self::within(digest))
    }

    /// Moves what was made in a folder to its place.
    ///
    /// # Errors
    /// It cannot be moved.
    pub fn put(&self, made: &Path, files: &Files, digest: &str) -> io::Result<()> {
        let place = self.package(digest);
        if self.verify(digest).is_ok() {
            return Ok(());
        }
        let list = serde_json::to_vec(files).map_err(io::Error::other)?;
        self.write(&place.with_extension("json"), &list)?;
        if place.exists() {
            // What somebody changed makes room in one step too, and goes with the folder.
            let aside = self.fresh()?;
            fs::rename(&place, aside.path().join("damaged"))?;
        }
        fs::rename(made, &place)?;
        File::open(self.packages())?.sync_all()?;
        self.remember(&place, &digest::stamp(&place)?)
    }

    /// Whether a package is there and is what it was.
    ///
    /// # Errors
    /// What is wrong.
    pub fn verify(&self, digest: &str) -> Result<(), Damage> {
        let place = self.package(digest);
        if !place.is_dir() {
            return Err(Damage::Absent);
        }
        let stamp = digest::stamp(&place).map_err(Damage::Unreadable)?;
        if fs::read_to_string(place.with_extension("stamp")).is_ok_and(|known| known == stamp) {
            return Ok(());
        }
        let files = digest::files(&place).map_err(Damage::Unreadable)?;
        if digest::digest(&files) == digest {
            // If it cannot be remembered, the next command reads the files again.
            let _ = self.remember(&place, &stamp);
            return Ok(());
        }
        let before = fs::read(place.with_extension("json")).ok();
        let before: Option<Files> = before.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Err(Damage::Changed(match before.filter(|before| digest::digest(before) == digest) {
            Some(before) => digest::differences(&before, &files),
            None => format!("the digest is {}", digest::digest(&files)),
        }))
    }

    fn remember(&self, place: &Path, stamp: &str) -> io::Result<()> {
        self.write(&place.with_extension("stamp"), stamp.as_bytes())
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(self.packages())?;
        file.write_all(content)?;
        file.persist(path)?;
        Ok(())
    }

    /// Lets a name lead to a package.
    ///
    /// # Errors
    /// The link cannot be made.
    pub fn link(&self, name: &str, digest: &str) -> io::Result<()> {
        if self.leads_to(name, digest) {
            return Ok(());
        }
        let aside = self.fresh()?;
        let link = aside.path().join("link");
        std::os::unix::fs::symlink(Self::within(digest), &link)?;
        fs::rename(link, self.folder.join(name))
    }

    /// Whether a name leads to a package.
    pub fn leads_to(&self, name: &str, digest: &str) -> bool {
        fs::read_link(self.folder.join(name)).is_ok_and(|target| target == Self::within(digest))
    }

    /// Removes names that no call has any more.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn unlink_others(&self, keep: impl Fn(&str) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_symlink() && !entry.file_name().to_str().is_some_and(&keep) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &Store, text: &str) -> String {
        let made = store.fresh().unwrap();
        let content = made.path().join("content");
        fs::create_dir(&content).unwrap();
        fs::write(content.join("main.tf"), text).unwrap();
        let files = digest::files(&content).unwrap();
        let digest = digest::digest(&files);
        store.put(&content, &files, &digest).unwrap();
        digest
    }

    #[test]
    fn a_package_that_somebody_changed_is_noticed_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("modules"));
        let _alone = store.exclusive(|| {}).unwrap();
        let digest = put(&store, "one");
        assert!(store.verify(&digest).is_ok());
        fs::write(store.package(&digest).join("main.tf"), "other").unwrap();
        let Err(Damage::Changed(what)) = store.verify(&digest) else { panic!("not noticed") };
        assert_eq!(what, "`main.tf` is changed");
        assert_eq!(put(&store, "one"), digest);
        assert!(store.verify(&digest).is_ok());
        assert!(matches!(store.verify("h1:other"), Err(Damage::Absent)));
    }

    #[test]
    fn a_name_leads_to_one_package_at_each_moment() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("modules"));
        let _alone = store.exclusive(|| {}).unwrap();
        let (one, two) = (put(&store, "one"), put(&store, "two"));
        store.link("net", &one).unwrap();
        store.link("net", &two).unwrap();
        assert!(store.leads_to("net", &two) && !store.leads_to("net", &one));
        assert_eq!(fs::read_to_string(store.folder().join("net/main.tf")).unwrap(), "two");
        store.unlink_others(|name| name == "other").unwrap();
        assert!(!store.leads_to("net", &two));
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("modules"));
        let left = {
            let _alone = store.exclusive(|| {}).unwrap();
            store.fresh().unwrap().keep()
        };
        let _alone = store.exclusive(|| {}).unwrap();
        assert!(!left.exists());
    }
}
