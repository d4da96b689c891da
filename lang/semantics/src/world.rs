//! What the language may know of the world: files, the environment, the time.
//!
//! Nothing in `lang/` does input or output by itself. The command line gives a [`World`] that reads the disk; tests
//! give a [`MemoryWorld`], so that they need no disk and repeat exactly.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ecow::EcoString;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// Nothing.
    Absent,
    /// A file.
    File,
    /// A directory.
    Directory,
    /// Something else: a device, a socket.
    Other,
}

/// Why something could not be read; a few words as an operating system has them: `no such file or directory`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldError {
    /// The words.
    pub text: EcoString,
    /// Whether there is nothing at the path.
    pub absent: bool,
}

impl WorldError {
    /// There is nothing at the path.
    pub fn absent() -> WorldError {
        WorldError { text: "no such file or directory".into(), absent: true }
    }

    /// Something else.
    pub fn other(text: impl Into<EcoString>) -> WorldError {
        WorldError { text: text.into(), absent: false }
    }
}

/// Where sources, files that expressions read, and facts about the surroundings come from.
///
/// Paths are absolute or relative to [`World::cwd`].
pub trait World: Send + Sync {
    /// The names in a directory with what they are, sorted by name.
    ///
    /// # Errors
    /// The directory does not exist or cannot be read.
    fn list(&self, directory: &Path) -> Result<Vec<(EcoString, PathKind)>, WorldError>;

    /// The content of a file.
    ///
    /// # Errors
    /// The file does not exist or cannot be read.
    fn read(&self, file: &Path) -> Result<Vec<u8>, WorldError>;

    /// What stands at a path; symbolic links are followed.
    fn kind(&self, path: &Path) -> PathKind;

    /// The working directory; absolute.
    fn cwd(&self) -> PathBuf;

    /// The home directory of the user, if there is one.
    fn home(&self) -> Option<PathBuf>;

    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<EcoString>;

    /// The present time.
    fn now(&self) -> SystemTime;

    /// Fills the buffer with random bytes that nobody can predict.
    fn random(&self, bytes: &mut [u8]);
}

/// A world of files in memory, for tests: the time stands still and randomness repeats.
#[derive(Clone, Debug, Default)]
pub struct MemoryWorld {
    /// The files by absolute path.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// The environment.
    pub environment: BTreeMap<EcoString, EcoString>,
}

impl MemoryWorld {
    /// A world with these files; relative paths are relative to `/work`, which is the working directory.
    pub fn new<P: AsRef<Path>, C: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, C)>) -> MemoryWorld {
        let files =
            files.into_iter().map(|(path, content)| (absolute(path.as_ref()), content.into())).collect();
        MemoryWorld { files, environment: BTreeMap::new() }
    }
}

/// The path from the root, without `.` and `..`.
fn absolute(path: &Path) -> PathBuf {
    lexical(&Path::new("/work").join(path))
}

/// The path without `.` and `..`, as far as that can be said without looking.
pub(crate) fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => match clean.components().next_back() {
                Some(std::path::Component::Normal(_)) => {
                    clean.pop();
                }
                Some(std::path::Component::RootDir) => {}
                _ => clean.push(".."),
            },
            part => clean.push(part),
        }
    }
    if clean.as_os_str().is_empty() { PathBuf::from(".") } else { clean }
}

impl World for MemoryWorld {
    fn list(&self, directory: &Path) -> Result<Vec<(EcoString, PathKind)>, WorldError> {
        let directory = absolute(directory);
        if self.kind(&directory) != PathKind::Directory {
            return Err(WorldError::absent());
        }
        let mut names = BTreeMap::new();
        for path in self.files.keys() {
            let Ok(rest) = path.strip_prefix(&directory) else { continue };
            let mut parts = rest.components();
            if let Some(first) = parts.next() {
                let kind = if parts.next().is_some() { PathKind::Directory } else { PathKind::File };
                names.insert(EcoString::from(first.as_os_str().to_string_lossy().as_ref()), kind);
            }
        }
        Ok(names.into_iter().collect())
    }

    fn read(&self, file: &Path) -> Result<Vec<u8>, WorldError> {
        self.files.get(&absolute(file)).cloned().ok_or_else(WorldError::absent)
    }

    fn kind(&self, path: &Path) -> PathKind {
        let path = absolute(path);
        if self.files.contains_key(&path) {
            PathKind::File
        } else if path == Path::new("/work") || self.files.keys().any(|file| file.starts_with(&path)) {
            PathKind::Directory
        } else {
            PathKind::Absent
        }
    }

    fn cwd(&self) -> PathBuf {
        "/work".into()
    }

    fn home(&self) -> Option<PathBuf> {
        Some("/home/user".into())
    }

    fn variable(&self, name: &str) -> Option<EcoString> {
        self.environment.get(name).cloned()
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)
    }

    fn random(&self, bytes: &mut [u8]) {
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = (i as u8).wrapping_mul(37).wrapping_add(11);
        }
    }
}
