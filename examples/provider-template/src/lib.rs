//! The provider `shelf`: notes, each a file in a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use plumb_provider_sdk::check::{length, matches};
use plumb_provider_sdk::{
    Attr, Configure, Context, Diagnostic, Diagnostics, Failed, Model, Provider, ProviderBuilder, Resource,
    async_trait,
};

/// What configurations name in `source`.
pub const ADDRESS: &str = "example.com/tutorial/shelf";

/// The provider.
pub fn provider() -> Arc<dyn Provider> {
    ProviderBuilder::configured("shelf", OpenShelf).resource("shelf_note", Notes).build()
}

/// A shelf with notes.
#[derive(Clone, Debug, Model)]
pub struct Config {
    /// The folder that the notes are in.
    #[attribute(required)]
    folder: String,
}

/// What resources work with.
pub struct Shelf {
    folder: PathBuf,
}

struct OpenShelf;

#[async_trait]
impl Configure for OpenShelf {
    type Config = Config;
    type Client = Shelf;

    async fn configure(&self, config: Config) -> Result<Shelf, Diagnostics> {
        Ok(Shelf { folder: config.folder.into() })
    }
}

/// A note. Import by title.
#[derive(Clone, Debug, Model)]
pub struct Note {
    /// Its title, which is also the name of its file. A note with another title is another note.
    #[attribute(required, requires_replace, validate(length(1..=40), matches("^[a-z0-9-]+$")))]
    title: String,
    /// What it says.
    #[attribute(default = "")]
    text: String,
    /// How many words it has.
    #[attribute(computed, not_null)]
    words: Attr<i64>,
    /// Where it lies.
    #[attribute(computed, use_state_for_unknown, not_null)]
    path: Attr<String>,
}

struct Notes;

#[async_trait]
impl Resource for Notes {
    type Model = Note;
    type Client = Shelf;

    async fn create(&self, planned: Note, context: &mut Context<Shelf>) -> Result<Note, Failed<Note>> {
        let path = context.client.path(&planned.title);
        if path.exists() {
            let exists = Diagnostic::error("note-exists", "Note exists already")
                .detail(format!("Found {}, wanted no file of this name.", path.display()))
                .help("Import the note, or choose another title.");
            return Err(exists.into());
        }
        fs::create_dir_all(&context.client.folder).map_err(|error| trouble(&path, &error))?;
        fs::write(&path, &planned.text).map_err(|error| trouble(&path, &error))?;
        Ok(planned.completed(&path))
    }

    async fn read(&self, current: Note, context: &mut Context<Shelf>) -> Result<Option<Note>, Diagnostics> {
        let path = context.client.path(&current.title);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Note { text, ..current }.completed(&path))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(trouble(&path, &error).into()),
        }
    }

    async fn update(
        &self,
        _prior: Note,
        planned: Note,
        context: &mut Context<Shelf>,
    ) -> Result<Note, Failed<Note>> {
        let path = context.client.path(&planned.title);
        fs::write(&path, &planned.text).map_err(|error| trouble(&path, &error))?;
        Ok(planned.completed(&path))
    }

    async fn delete(&self, prior: Note, context: &mut Context<Shelf>) -> Result<(), Failed<Note>> {
        let path = context.client.path(&prior.title);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(trouble(&path, &error).into()),
            _ => Ok(()),
        }
    }

    async fn import(&self, id: &str, _: &mut Context<Shelf>) -> Result<Note, Diagnostics> {
        // The note is read afterwards, which finds out the rest, and whether it is there.
        Ok(Note { title: id.to_owned(), text: String::new(), words: Attr::Null, path: Attr::Null })
    }
}

impl Shelf {
    fn path(&self, title: &str) -> PathBuf {
        self.folder.join(format!("{title}.txt"))
    }
}

impl Note {
    /// The note with what the provider chooses.
    fn completed(self, path: &Path) -> Note {
        let words = self.text.split_whitespace().count() as i64;
        Note { words: words.into(), path: path.display().to_string().into(), ..self }
    }
}

fn trouble(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("note-trouble", "Note cannot be kept").detail(format!("{}: {error}.", path.display()))
}
