//! What is kept of the files of a configuration from one loading to the next.
//!
//! Only texts are: declarations and everything found by checking depend on other files too, and are made anew each time.
//!
//! Elsewhere: which trees of a changed text can stay is [`plumb_syntax::Reading`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use plumb_model::SourceId;
use plumb_syntax::tree::File;
use plumb_syntax::{Dialect, Parsed, Reading};

/// The texts that [`load_again`](super::load_again) has parsed, for the next time. Files that were not read the last time
/// are forgotten.
#[derive(Debug, Default)]
pub struct Texts {
    before: HashMap<PathBuf, Reading>,
    now: HashMap<PathBuf, Reading>,
}

impl Texts {
    pub(super) fn begin(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    pub(super) fn end(&mut self) {
        self.before.clear();
    }

    /// Parses the text of a file.
    pub(super) fn parse(
        &mut self,
        path: PathBuf,
        source: SourceId,
        text: Arc<str>,
        dialect: Dialect,
    ) -> &Parsed<File> {
        // A path can be reached twice under different names, but each name is read once.
        let before = self.before.remove(&path).filter(|reading| reading.parsed().tree.dialect == dialect);
        let reading = match before {
            Some(before) => before.again(source, text),
            None => Reading::new(source, text, dialect),
        };
        self.now.entry(path).insert_entry(reading).into_mut().parsed()
    }
}
