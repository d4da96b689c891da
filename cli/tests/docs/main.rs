//! The language reference and the pages about diagnostics are true: every example in them is tried.
//!
//! - `fences`: a document as text and fenced examples; what the tags of a fence mean stands in
//!   `docs/language/README.md`;
//! - `run`: tries the examples of a document;
//! - `language`: `docs/language/`; `errors`: `docs/errors/`, and that each code in the sources has a page there.
//!
//! `UPDATE_EXPECT=1` writes what is really shown into the documents; read the difference before you keep it.

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/mod.rs"]
mod support;

mod errors;
mod fences;
mod language;
mod run;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The documents in a directory.
fn documents(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.sort();
    paths
}

/// Tries the examples of all these documents, several at a time.
///
/// # Panics
/// If something is not as a document says.
fn check(documents: &[PathBuf], extra: impl Fn(&Path, &fences::Document) -> Vec<String> + Sync) {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || {
        while let Some(path) = documents.get(next.fetch_add(1, Ordering::Relaxed)) {
            let text = fs::read_to_string(path).expect("it was just listed");
            let mut document = fences::Document::read(&text);
            let mut found = run::examples(&mut document, update);
            found.extend(extra(path, &document));
            if update {
                let written = document.write();
                if written != text {
                    fs::write(path, written).expect("the document can be written");
                }
            }
            let name = path.strip_prefix(support::root()).unwrap_or(path).display();
            let found = found.into_iter().map(|what| format!("{name}:{what}"));
            wrong.lock().expect("no worker panics while it holds it").extend(found);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(worker);
        }
    });
    let mut wrong = wrong.into_inner().expect("no worker panics while it holds it");
    wrong.sort();
    assert!(wrong.is_empty(), "{} examples are not as they are shown:\n{}", wrong.len(), wrong.join("\n"));
}
