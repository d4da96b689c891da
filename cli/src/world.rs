//! The real world, for the language: files, environment, time.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use ecow::EcoString;
use plumb_semantics::{PathKind, World, WorldError};

/// Reads the disk, and remembers which files were read, since a saved plan contains them.
#[derive(Debug, Default)]
pub struct DiskWorld {
    read: Mutex<Vec<PathBuf>>,
}

impl DiskWorld {
    /// Nothing has been read yet.
    pub fn new() -> DiskWorld {
        DiskWorld::default()
    }

    /// The files that have been read so far, each once, by path.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        files.sort();
        files.dedup();
        files
    }
}

fn error(error: &std::io::Error) -> WorldError {
    match error.kind() {
        std::io::ErrorKind::NotFound => WorldError::absent(),
        _ => WorldError::other(plain(error)),
    }
}

/// The words of an operating system's error, without the number behind them.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text).to_owned();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

impl World for DiskWorld {
    fn list(&self, directory: &Path) -> Result<Vec<(EcoString, PathKind)>, WorldError> {
        let entries = std::fs::read_dir(directory).map_err(|e| error(&e))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| error(&e))?;
            let name = EcoString::from(entry.file_name().to_string_lossy().as_ref());
            names.push((name, self.kind(&entry.path())));
        }
        names.sort_by(|a: &(EcoString, PathKind), b| a.0.cmp(&b.0));
        Ok(names)
    }

    fn read(&self, file: &Path) -> Result<Vec<u8>, WorldError> {
        let content = std::fs::read(file).map_err(|e| error(&e))?;
        self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(file.to_owned());
        Ok(content)
    }

    fn kind(&self, path: &Path) -> PathKind {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => PathKind::Directory,
            Ok(_) => PathKind::File,
            Err(_) => PathKind::Absent,
        }
    }

    fn cwd(&self) -> PathBuf {
        std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
    }

    fn home(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }

    fn variable(&self, name: &str) -> Option<EcoString> {
        std::env::var(name).ok().map(EcoString::from)
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn random(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}
