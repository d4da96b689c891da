//! Damaged files: afterwards there is either everything or an error, never silently less.

mod common;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use common::{Model, apply, contents};
use plumb_state::store::{Batch, EmbeddedStore, Store, StoreError};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// A store with some commits, closed, and what it holds.
fn closed_store(dir: &Path, commits: u8) -> Model {
    let (store, model) = open_store(dir, commits);
    store.close().unwrap();
    model
}

/// The files as they are when a process is killed, and what they hold.
fn killed_store(dir: &Path, commits: u8) -> Model {
    let origin = tempfile::tempdir().unwrap();
    let (_store, model) = open_store(origin.path(), commits);
    copy(origin.path(), dir);
    model
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let copy = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(path, copy).unwrap();
    }
}

fn open_store(dir: &Path, commits: u8) -> (EmbeddedStore, Model) {
    let store = EmbeddedStore::open(dir).unwrap();
    let mut model = Model::new();
    for number in 0..commits {
        let mut batch = Batch::new();
        for entry in 0..4 {
            batch
                .put(format!("i/{:03}", (u16::from(number) * 3 + entry) % 50), vec![b'a' + number % 26; 200]);
        }
        batch.delete(format!("i/{:03}", number / 2));
        apply(&mut model, &batch);
        store.commit(batch).unwrap();
    }
    (store, model)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { left.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// A way to damage one file. The numbers choose the file and the place in it.
#[derive(Clone, Debug)]
enum Damage {
    Flip { file: prop::sample::Index, at: prop::sample::Index, bit: u8 },
    Cut { file: prop::sample::Index, at: prop::sample::Index },
    Zero { file: prop::sample::Index, at: prop::sample::Index },
    Remove { file: prop::sample::Index },
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (index(), index(), 0..8_u8).prop_map(|(file, at, bit)| Damage::Flip { file, at, bit }),
        2 => (index(), index()).prop_map(|(file, at)| Damage::Cut { file, at }),
        1 => (index(), index()).prop_map(|(file, at)| Damage::Zero { file, at }),
        1 => index().prop_map(|file| Damage::Remove { file }),
    ]
}

/// Does the damage to one of the files; empty ones cannot be damaged.
fn inflict(files: &[PathBuf], damage: &Damage) {
    let (Damage::Flip { file, .. }
    | Damage::Cut { file, .. }
    | Damage::Zero { file, .. }
    | Damage::Remove { file }) = damage;
    let path = file.get(files);
    let Ok(mut bytes) = fs::read(path) else { return };
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match damage {
        Damage::Flip { at, bit, .. } => bytes[at.index(length)] ^= 1 << bit,
        Damage::Cut { at, .. } => bytes.truncate(at.index(length)),
        Damage::Zero { at, .. } => {
            let at = at.index(length);
            let end = (at + 300).min(length);
            bytes[at..end].fill(0);
        }
        Damage::Remove { .. } => return fs::remove_file(path).unwrap(),
    }
    fs::write(path, bytes).unwrap();
}

fn everything_or_an_error(dir: &Path, model: &Model) -> Result<(), TestCaseError> {
    let before: Vec<_> = files(dir).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    match EmbeddedStore::read(dir) {
        Ok(reader) => prop_assert_eq!(&contents(&reader).unwrap(), model, "a reader got something else"),
        Err(StoreError::Damaged { .. }) => {}
        Err(error) => prop_assert!(false, "a reader got {error}"),
    }
    match EmbeddedStore::open(dir) {
        Ok(store) => {
            prop_assert_eq!(&contents(&store).unwrap(), model, "a writer got something else");
            let mut batch = Batch::new();
            batch.put("later", "works");
            store.commit(batch).unwrap();
            drop(store);
            let again = EmbeddedStore::open(dir).unwrap();
            prop_assert_eq!(again.warnings(), &[], "what was mended stays mended");
            prop_assert_eq!(again.get(b"later").unwrap(), Some(b"works".to_vec()));
        }
        Err(error @ StoreError::Damaged { .. }) => {
            prop_assert!(error.help().is_some());
            for (bytes, path) in before {
                prop_assert_eq!(fs::read(&path).ok(), Some(bytes), "{} was changed", path.display());
            }
        }
        Err(error) => prop_assert!(false, "a writer got {error}"),
    }
    Ok(())
}

fn check_damage(
    cases: u32,
    store: fn(&Path, u8) -> Model,
    damages: impl Strategy<Value = Vec<Damage>>,
    only: &[&str],
) {
    let origin = tempfile::tempdir().unwrap();
    let model = store(origin.path(), 30);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&damages, |damages| {
        let dir = tempfile::tempdir().unwrap();
        copy(origin.path(), dir.path());
        let mut files = files(dir.path());
        files.retain(|path| only.iter().any(|part| path.to_str().unwrap().contains(part)));
        for damage in &damages {
            inflict(&files, damage);
        }
        catch_unwind(AssertUnwindSafe(|| everything_or_an_error(dir.path(), &model)))
            .unwrap_or_else(|_| Err(TestCaseError::fail("it panicked")))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn one() -> impl Strategy<Value = Vec<Damage>> {
    damage().prop_map(|damage| vec![damage])
}

#[test]
fn damage_to_the_log() {
    check_damage(60, closed_store, one(), &["records.log"]);
}

#[test]
fn damage_to_the_index() {
    check_damage(40, closed_store, one(), &["index"]);
}

#[test]
fn damage_here_and_there() {
    check_damage(80, closed_store, prop::collection::vec(damage(), 1..4), &["records.log", "index", "head"]);
}

/// What is cut off after a kill looks like a commit that the kill prevented, so only bits are flipped.
#[test]
fn damage_after_a_kill() {
    let index = any::<prop::sample::Index>;
    let flip = (index(), index(), 0..8_u8).prop_map(|(file, at, bit)| Damage::Flip { file, at, bit });
    check_damage(60, killed_store, prop::collection::vec(flip, 1..3), &["records.log", "index", "head"]);
}

/// The path of the log, and its bytes.
fn log(dir: &Path) -> (PathBuf, Vec<u8>) {
    let path = dir.join("records.log");
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

#[test]
fn a_log_cut_anywhere_is_made_anew_from_the_index() {
    let origin = tempfile::tempdir().unwrap();
    let model = closed_store(origin.path(), 5);
    let (path, whole) = log(origin.path());
    for length in (0..whole.len()).step_by(397) {
        fs::write(&path, &whole[..length]).unwrap();
        let store = EmbeddedStore::open(origin.path()).unwrap();
        assert_eq!(contents(&store).unwrap(), model, "cut to {length}");
        let [warning] = &store.warnings()[..] else { panic!("one warning") };
        assert!(warning.message.contains("records.log"), "{warning}");
        assert_eq!(fs::read(warning.kept.as_ref().unwrap()).unwrap(), &whole[..length]);
        store.close().unwrap();
    }
}

#[test]
fn an_index_that_is_gone_or_garbage_is_made_anew_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let model = closed_store(dir.path(), 5);
    let index = dir.path().join("index");
    fs::remove_dir_all(&index).unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    assert_eq!(contents(&store).unwrap(), model);
    store.close().unwrap();
    for path in files(&index) {
        fs::write(path, "garbage").unwrap();
    }
    let store = EmbeddedStore::open(dir.path()).unwrap();
    assert_eq!(contents(&store).unwrap(), model);
    let [warning] = &store.warnings()[..] else { panic!("one warning") };
    assert!(warning.message.contains("index") && warning.kept.as_ref().unwrap().exists(), "{warning}");
}

#[test]
fn when_all_is_damaged_nothing_is_touched_and_the_error_says_what() {
    let dir = tempfile::tempdir().unwrap();
    closed_store(dir.path(), 5);
    let (path, mut bytes) = log(dir.path());
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    fs::write(dir.path().join("index/db"), "garbage").unwrap();
    let Err(error) = EmbeddedStore::open(dir.path()) else { panic!("it opens") };
    assert!(error.to_string().contains("the log does not check after commit"), "{error}");
    assert!(error.to_string().contains("the index"), "{error}");
    assert!(error.help().unwrap().contains("backup"));
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::read(dir.path().join("index/db")).unwrap(), b"garbage");
}

#[test]
fn a_log_of_a_newer_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    closed_store(dir.path(), 1);
    let (path, mut bytes) = log(dir.path());
    bytes[8] = 2;
    let checksum = crc32fast::hash(&bytes[..28]);
    bytes[28..32].copy_from_slice(&checksum.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    assert!(matches!(EmbeddedStore::open(dir.path()), Err(StoreError::Newer { found: 2, known: 1, .. })));
}
