//! Unpacks archives that somebody else made.
//!
//! Nothing is written outside of the folder, whatever the names in the archive are: an absolute name, a `..`, a
//! name that leads through a link, or a link that leads out is refused, and so are devices and pipes, two entries of one
//! name, and more than the limits. Files are made anew and never written over. Modes are kept as far as they say who may
//! run a file; owners and times are not.
//!
//! An archive is unpacked into a folder of its own, and whoever asks moves that into place: what failed half way leaves
//! nothing behind that could be taken for a whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

/// What an archive may have in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether links are made, if they stay within the folder.
    pub links: bool,
    /// How many entries it may have.
    pub entries: usize,
    /// How many bytes they may have altogether.
    pub bytes: u64,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { links: false, entries: 100_000, bytes: 8 << 30 }
    }
}

/// Why an archive is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error("it is no readable archive: {0}")]
    Unreadable(String),
    /// It has an entry that it may not have.
    #[error("its entry {name:?} {problem}")]
    Entry {
        /// The name of the entry.
        name: String,
        /// What is wrong with it; a clause that follows the name.
        problem: String,
    },
    /// It has too much in it.
    #[error("it has more than {0} in it")]
    TooMuch(String),
    /// What is in it cannot be written.
    #[error("{} cannot be written: {error}", path.display())]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// Unpacks a zip archive into a folder, which is made if it is not there.
///
/// # Errors
/// Why it is not unpacked; then some of it may be there.
pub fn zip(archive: impl Read + Seek, folder: &Path, rules: &Rules) -> Result<(), ArchiveError> {
    let unreadable = |error: zip::result::ZipError| ArchiveError::Unreadable(error.to_string());
    let mut archive = zip::ZipArchive::new(archive).map_err(unreadable)?;
    let mut target = Target::new(folder, rules)?;
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(unreadable)?;
        let name = entry.name().map_err(unreadable)?.into_owned();
        let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        if entry.is_dir() {
            target.folder(&name)?;
        } else if entry.is_symlink() {
            let mut to = Vec::new();
            entry
                .by_ref()
                .take(4096)
                .read_to_end(&mut to)
                .map_err(|e| ArchiveError::Unreadable(e.to_string()))?;
            target.link(&name, &String::from_utf8_lossy(&to))?;
        } else if entry.is_file() {
            target.file(&name, &mut entry, executable)?;
        } else {
            return Err(refused(&name, "is neither a file nor a folder"));
        }
    }
    target.finish()
}

/// Unpacks a tar archive that gzip has compressed.
///
/// # Errors
/// As [`zip()`].
pub fn tar_gz(archive: impl Read, folder: &Path, rules: &Rules) -> Result<(), ArchiveError> {
    tar(flate2::read::MultiGzDecoder::new(archive), folder, rules)
}

/// Unpacks a tar archive.
///
/// # Errors
/// As [`zip()`].
pub fn tar(archive: impl Read, folder: &Path, rules: &Rules) -> Result<(), ArchiveError> {
    use tar::EntryType;
    let unreadable = |error: io::Error| ArchiveError::Unreadable(error.to_string());
    let mut archive = tar::Archive::new(archive);
    let mut target = Target::new(folder, rules)?;
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match entry.header().entry_type() {
            EntryType::Directory => target.folder(&name)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
                target.file(&name, &mut entry, executable)?;
            }
            EntryType::Symlink => {
                let to = entry.link_name_bytes().unwrap_or_default();
                target.link(&name, &String::from_utf8_lossy(&to))?;
            }
            // Facts about the archive, not about a file in it.
            EntryType::XGlobalHeader
            | EntryType::XHeader
            | EntryType::GNULongName
            | EntryType::GNULongLink => {}
            _ => return Err(refused(&name, "is neither a file nor a folder nor a link")),
        }
    }
    target.finish()
}

fn refused(name: &str, problem: impl Into<String>) -> ArchiveError {
    ArchiveError::Entry { name: name.to_owned(), problem: problem.into() }
}

/// The folder that an archive is unpacked into.
struct Target<'a> {
    root: &'a Path,
    rules: &'a Rules,
    entries: usize,
    bytes: u64,
    /// The folders that are there, relative to the root.
    folders: BTreeSet<PathBuf>,
    /// Links are made last, so that nothing is ever written through one.
    links: Vec<(String, PathBuf, PathBuf)>,
}

impl<'a> Target<'a> {
    fn new(root: &'a Path, rules: &'a Rules) -> Result<Target<'a>, ArchiveError> {
        fs::create_dir_all(root)
            .map_err(|error| ArchiveError::NotWritten { path: root.to_owned(), error })?;
        Ok(Target { root, rules, entries: 0, bytes: 0, folders: BTreeSet::new(), links: Vec::new() })
    }

    /// The path of an entry, relative to the root. It is empty for the root itself.
    fn path(&mut self, name: &str) -> Result<PathBuf, ArchiveError> {
        self.entries += 1;
        if self.entries > self.rules.entries {
            return Err(ArchiveError::TooMuch(format!("{} entries", self.rules.entries)));
        }
        // Backslashes separate names in archives that Windows made carelessly; as part of a name they are a trap.
        if name.contains(['\\', '\0']) {
            return Err(refused(name, "has a character in its name that is not allowed"));
        }
        let mut clean = PathBuf::new();
        for part in Path::new(name).components() {
            match part {
                Component::Normal(part) => clean.push(part),
                Component::CurDir => {}
                _ => return Err(refused(name, "leads out of the archive")),
            }
        }
        Ok(clean)
    }

    fn make(&mut self, folder: &Path) -> Result<(), ArchiveError> {
        if folder.as_os_str().is_empty() || self.folders.contains(folder) {
            return Ok(());
        }
        let path = self.root.join(folder);
        fs::create_dir_all(&path).map_err(|error| ArchiveError::NotWritten { path, error })?;
        self.folders.insert(folder.to_owned());
        Ok(())
    }

    fn folder(&mut self, name: &str) -> Result<(), ArchiveError> {
        let path = self.path(name)?;
        self.make(&path)
    }

    fn file(&mut self, name: &str, content: &mut dyn Read, executable: bool) -> Result<(), ArchiveError> {
        let path = self.path(name)?;
        if let Some(parent) = path.parent() {
            self.make(parent)?;
        }
        let path = self.root.join(path);
        let mut options = File::options();
        options.write(true).create_new(true).mode(if executable { 0o755 } else { 0o644 });
        let mut file = options.open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => refused(name, "is there twice"),
            _ => ArchiveError::NotWritten { path: path.clone(), error },
        })?;
        let left = self.rules.bytes - self.bytes;
        // What cannot be read and what cannot be written is told apart by who says so.
        let mut source = Source { content: content.take(left + 1), error: None };
        let copied = io::copy(&mut source, &mut file);
        if let Some(error) = source.error {
            return Err(ArchiveError::Unreadable(format!("{error} (in {name:?})")));
        }
        self.bytes += copied.map_err(|error| ArchiveError::NotWritten { path, error })?;
        if self.bytes > self.rules.bytes {
            return Err(ArchiveError::TooMuch(format!("{} bytes", self.rules.bytes)));
        }
        Ok(())
    }

    fn link(&mut self, name: &str, to: &str) -> Result<(), ArchiveError> {
        if !self.rules.links {
            return Err(refused(name, "is a link, which is not allowed here"));
        }
        let path = self.path(name)?;
        // The folders above a link are real ones. So what begins by going up stays inside if it goes up no further than to the
        // root, and what goes down afterwards may pass through other links, of which the same is true.
        let mut depth = path.parent().map_or(0, |parent| parent.components().count());
        let mut down = false;
        for part in Path::new(to).components() {
            match part {
                Component::Normal(_) => down = true,
                Component::CurDir => {}
                Component::ParentDir if depth > 0 && !down => depth -= 1,
                _ => {
                    return Err(refused(
                        name,
                        format!("is a link that may lead out of the archive, to {to:?}"),
                    ));
                }
            }
        }
        if let Some(parent) = path.parent() {
            self.make(parent)?;
        }
        self.links.push((name.to_owned(), path, to.into()));
        Ok(())
    }

    /// Makes the links.
    fn finish(self) -> Result<(), ArchiveError> {
        for (name, path, to) in &self.links {
            let path = self.root.join(path);
            symlink(to, &path).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => refused(name, "is there twice"),
                _ => ArchiveError::NotWritten { path, error },
            })?;
        }
        Ok(())
    }
}

/// Content that remembers that it could not be read.
struct Source<R> {
    content: R,
    error: Option<io::Error>,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            kind.into()
        })
    }
}
