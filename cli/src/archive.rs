//! The world as a saved plan remembers it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use ecow::EcoString;
use plumb_semantics::{PathKind, World, WorldError};

use crate::world::DiskWorld;

/// Files as they were when a plan was made; for everything that was not read then, the disk.
///
/// Configuration is never read from the disk: a directory lists the configuration files of the plan and no others.
#[derive(Debug)]
pub struct ArchiveWorld {
    sources: BTreeMap<PathBuf, Vec<u8>>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    disk: DiskWorld,
}

impl ArchiveWorld {
    /// The configuration, and the files that functions read, by path relative to the root module's directory.
    pub fn new(sources: BTreeMap<String, Vec<u8>>, files: BTreeMap<String, Vec<u8>>) -> ArchiveWorld {
        let clean = |files: BTreeMap<String, Vec<u8>>| {
            files.into_iter().map(|(name, content)| (lexical(Path::new(&name)), content)).collect()
        };
        ArchiveWorld { sources: clean(sources), files: clean(files), disk: DiskWorld::new() }
    }

    /// What the plan itself has under a path.
    pub fn kept(&self, file: &Path) -> Option<&[u8]> {
        let path = lexical(file);
        self.sources.get(&path).or_else(|| self.files.get(&path)).map(Vec::as_slice)
    }
}

/// A path without `.` and, where that can be said without looking, without `..`.
fn lexical(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            part => clean.push(part),
        }
        clean
    })
}

/// Whether a name is that of a file of configuration.
fn is_configuration(name: &str) -> bool {
    [".cfg", ".tf", ".tofu", ".tf.json", ".tofu.json"].iter().any(|ending| name.ends_with(ending))
}

impl World for ArchiveWorld {
    fn list(&self, directory: &Path) -> Result<Vec<(EcoString, PathKind)>, WorldError> {
        let here = lexical(directory);
        let mut names: BTreeMap<EcoString, PathKind> = match self.disk.list(directory) {
            Ok(names) => names.into_iter().filter(|(name, _)| !is_configuration(name)).collect(),
            Err(error) if !self.sources.keys().any(|path| path.starts_with(&here)) => return Err(error),
            Err(_) => BTreeMap::new(),
        };
        for path in self.sources.keys().chain(self.files.keys()) {
            if let (Some(parent), Some(name)) = (path.parent(), path.file_name())
                && parent == here
            {
                names.insert(EcoString::from(name.to_string_lossy().as_ref()), PathKind::File);
            }
        }
        Ok(names.into_iter().collect())
    }

    fn read(&self, file: &Path) -> Result<Vec<u8>, WorldError> {
        match self.kept(file) {
            Some(content) => Ok(content.to_vec()),
            None => self.disk.read(file),
        }
    }

    fn kind(&self, path: &Path) -> PathKind {
        let here = lexical(path);
        if self.sources.contains_key(&here) || self.files.contains_key(&here) {
            PathKind::File
        } else if self.sources.keys().any(|source| source.starts_with(&here)) {
            PathKind::Directory
        } else {
            self.disk.kind(path)
        }
    }

    fn cwd(&self) -> PathBuf {
        self.disk.cwd()
    }

    fn home(&self) -> Option<PathBuf> {
        self.disk.home()
    }

    fn variable(&self, name: &str) -> Option<EcoString> {
        self.disk.variable(name)
    }

    fn now(&self) -> SystemTime {
        self.disk.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.disk.random(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_comes_from_the_plan_and_never_from_the_disk() {
        let sources = BTreeMap::from([("m/main.cfg".to_owned(), b"x".to_vec())]);
        let world = ArchiveWorld::new(sources, BTreeMap::new());
        assert_eq!(world.read(Path::new("./m/../m/main.cfg")).unwrap(), b"x");
        let names: Vec<_> = world.list(Path::new("m")).unwrap();
        assert_eq!(names, [(EcoString::from("main.cfg"), PathKind::File)]);
        assert_eq!(world.kind(Path::new("m")), PathKind::Directory);
    }
}
