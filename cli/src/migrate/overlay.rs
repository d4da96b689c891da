//! A world in which some files are there that are not written yet, and others are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ecow::EcoString;
use plumb_semantics::{PathKind, World, WorldError};

use super::Migration;

/// The world after a migration.
pub struct Overlay {
    world: Arc<dyn World>,
    written: BTreeMap<PathBuf, Vec<u8>>,
    removed: BTreeSet<PathBuf>,
}

impl Overlay {
    /// What the files of a migration make of a world.
    pub fn new(world: Arc<dyn World>, migration: &Migration) -> Overlay {
        let mut overlay = Overlay { world, written: BTreeMap::new(), removed: BTreeSet::new() };
        for file in &migration.files {
            overlay.removed.insert(plain(&file.from));
            overlay.written.insert(plain(&file.to), file.after.clone().into_bytes());
        }
        overlay
    }
}

/// The path without `.`, so that each file has one name.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

impl World for Overlay {
    fn list(&self, directory: &Path) -> Result<Vec<(EcoString, PathKind)>, WorldError> {
        let within = plain(directory);
        let mut names = self.world.list(directory)?;
        names.retain(|(name, _)| !self.removed.contains(&within.join(name.as_str())));
        let written = self.written.keys().filter(|path| path.parent() == Some(&within));
        names.extend(written.filter_map(|path| {
            let name = EcoString::from(path.file_name()?.to_string_lossy().as_ref());
            Some((name, PathKind::File))
        }));
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    }

    fn read(&self, file: &Path) -> Result<Vec<u8>, WorldError> {
        let path = plain(file);
        match self.written.get(&path) {
            Some(content) => Ok(content.clone()),
            None if self.removed.contains(&path) => Err(WorldError::absent()),
            None => self.world.read(file),
        }
    }

    fn kind(&self, path: &Path) -> PathKind {
        let plain = plain(path);
        match (self.written.contains_key(&plain), self.removed.contains(&plain)) {
            (true, _) => PathKind::File,
            (false, true) => PathKind::Absent,
            (false, false) => self.world.kind(path),
        }
    }

    fn cwd(&self) -> PathBuf {
        self.world.cwd()
    }

    fn home(&self) -> Option<PathBuf> {
        self.world.home()
    }

    fn variable(&self, name: &str) -> Option<EcoString> {
        self.world.variable(name)
    }

    fn now(&self) -> SystemTime {
        self.world.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.world.random(bytes);
    }
}
