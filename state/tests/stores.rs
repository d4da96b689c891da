//! What holds for every store, and what the embedded one adds.

mod common;

use std::{fs, path::Path};

use common::{Model, apply, batch, contents};
use plumb_state::store::{Batch, EmbeddedStore, MemoryStore, Store, StoreError};
use proptest::prelude::*;

/// Runs a check on each kind of store, empty at first.
fn on_each_store(check: impl Fn(&dyn Store)) {
    check(&MemoryStore::new());
    let dir = tempfile::tempdir().unwrap();
    check(&EmbeddedStore::open(dir.path()).unwrap());
}

fn keys(store: &dyn Store, prefix: &str) -> Vec<String> {
    store.scan(prefix.as_bytes()).map(|entry| String::from_utf8(entry.unwrap().0).unwrap()).collect()
}

#[test]
fn what_is_put_is_found_until_it_is_deleted() {
    on_each_store(|store| {
        assert_eq!(store.get(b"a").unwrap(), None);
        store.commit(batch(&[("a", Some("1")), ("b", Some(""))])).unwrap();
        assert_eq!(store.get(b"a").unwrap(), Some(b"1".to_vec()));
        assert_eq!(store.get(b"b").unwrap(), Some(Vec::new()));
        store.commit(batch(&[("a", None), ("missing", None)])).unwrap();
        assert_eq!(store.get(b"a").unwrap(), None);
        store.commit(Batch::new()).unwrap();
        assert_eq!(keys(store, ""), ["b"]);
    });
}

#[test]
fn the_last_change_of_a_key_in_a_batch_counts() {
    on_each_store(|store| {
        store
            .commit(batch(&[("a", Some("1")), ("a", None), ("a", Some("2")), ("b", Some("1")), ("b", None)]))
            .unwrap();
        assert_eq!(store.get(b"a").unwrap(), Some(b"2".to_vec()));
        assert_eq!(store.get(b"b").unwrap(), None);
    });
}

#[test]
fn a_scan_is_in_order_and_stays_in_its_prefix() {
    on_each_store(|store| {
        let mut all = Batch::new();
        for number in (0..1000).rev() {
            all.put(format!("i/{number:04}"), "x");
        }
        for key in ["h/1", "i", "i.", "j/1", "i0"] {
            all.put(key, "y");
        }
        store.commit(all).unwrap();
        let wanted: Vec<_> = (0..1000).map(|number| format!("i/{number:04}")).collect();
        assert_eq!(keys(store, "i/"), wanted);
        assert_eq!(keys(store, "i/099"), wanted[990..]);
        assert_eq!(keys(store, "zzz"), [""; 0]);
        assert_eq!(keys(store, "").len(), 1005);
        assert_eq!(store.scan(b"i/").take(3).count(), 3);
    });
}

#[test]
fn entries_may_change_while_they_are_scanned() {
    on_each_store(|store| {
        let mut all = Batch::new();
        (0..600).for_each(|number| all.put(format!("{number:04}"), "1"));
        store.commit(all).unwrap();
        let mut seen = 0;
        for entry in store.scan(b"") {
            let (key, _) = entry.unwrap();
            let mut change = Batch::new();
            change.delete(key);
            store.commit(change).unwrap();
            seen += 1;
        }
        assert_eq!(seen, 600);
        assert_eq!(keys(store, ""), [""; 0]);
    });
}

#[test]
fn many_threads_may_commit() {
    on_each_store(|store| {
        std::thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || {
                    for number in 0..20 {
                        let mut one = Batch::new();
                        one.put(format!("{thread}/{number:03}"), vec![thread; 300]);
                        store.commit(one).unwrap();
                    }
                });
            }
        });
        assert_eq!(keys(store, "").len(), 160);
    });
}

fn any_batch() -> impl Strategy<Value = Batch> {
    let key = "[a-d]{1,3}";
    let value = prop::collection::vec(any::<u8>(), 0..400);
    prop::collection::vec((key, prop::option::of(value)), 0..12).prop_map(|changes| {
        let mut batch = Batch::new();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        batch
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_a_map_that_survives(rounds in prop::collection::vec(prop::collection::vec(any_batch(), 0..6), 1..5)) {
        let dir = tempfile::tempdir().unwrap();
        let memory = MemoryStore::new();
        let mut model = Model::new();
        for round in rounds {
            let store = EmbeddedStore::open(dir.path()).unwrap();
            prop_assert_eq!(&store.warnings(), &[]);
            prop_assert_eq!(&contents(&store).unwrap(), &model);
            for batch in round {
                apply(&mut model, &batch);
                memory.commit(batch.clone()).unwrap();
                store.commit(batch).unwrap();
            }
            prop_assert_eq!(&contents(&store).unwrap(), &model);
            let reader = EmbeddedStore::read(dir.path()).unwrap();
            prop_assert_eq!(&contents(&reader).unwrap(), &model);
        }
        prop_assert_eq!(&contents(&memory).unwrap(), &model);
    }
}

#[test]
fn a_reader_sees_one_moment_and_neither_waits_nor_writes() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("not/there");
    assert_eq!(contents(&EmbeddedStore::read(&missing).unwrap()).unwrap(), Model::new());
    assert!(!missing.exists());

    let writer = EmbeddedStore::open(dir.path()).unwrap();
    writer.commit(batch(&[("a", Some("1"))])).unwrap();
    let reader = EmbeddedStore::read(dir.path()).unwrap();
    writer.commit(batch(&[("a", Some("2")), ("b", Some("2"))])).unwrap();
    assert_eq!(keys(&reader, ""), ["a"]);
    assert_eq!(reader.get(b"a").unwrap(), Some(b"1".to_vec()));
    assert!(matches!(reader.commit(batch(&[("c", Some("3"))])), Err(StoreError::ReadOnly)));
    assert_eq!(EmbeddedStore::read(dir.path()).unwrap().get(b"b").unwrap(), Some(b"2".to_vec()));
}

#[test]
fn a_reader_keeps_what_it_opened_when_the_log_is_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let writer = EmbeddedStore::open(dir.path()).unwrap();
    for round in 0..12 {
        let mut change = Batch::new();
        change.put("a", vec![round; 1 << 20]);
        writer.commit(change).unwrap();
    }
    let reader = EmbeddedStore::read(dir.path()).unwrap();
    let log = dir.path().join("records.log");
    let before = fs::metadata(&log).unwrap().len();
    writer.close().unwrap();
    assert!(fs::metadata(&log).unwrap().len() < before / 4, "the log holds each entry once");
    assert_eq!(reader.get(b"a").unwrap(), Some(vec![11; 1 << 20]));
    let writer = EmbeddedStore::open(dir.path()).unwrap();
    assert_eq!(writer.get(b"a").unwrap(), Some(vec![11; 1 << 20]));
    assert_eq!(writer.warnings(), []);
}

#[test]
fn a_second_writer_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = EmbeddedStore::open(dir.path()).unwrap();
    assert!(matches!(EmbeddedStore::open(dir.path()), Err(StoreError::InUse { .. })));
    drop(first);
    EmbeddedStore::open(dir.path()).unwrap();
}

#[test]
fn a_closed_store_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path()).unwrap();
    store.commit(batch(&[("a", Some("1"))])).unwrap();
    store.close().unwrap();
    store.close().unwrap();
    assert!(matches!(store.get(b"a"), Err(StoreError::Closed)));
    assert!(store.commit(batch(&[("a", Some("1"))])).is_err());
}

fn refusal(dir: &Path) -> String {
    match EmbeddedStore::open(dir) {
        Ok(_) => panic!("{} can be opened", dir.display()),
        Err(error @ StoreError::Io { .. }) => error.to_string(),
        Err(error) => panic!("not an error of the operating system: {error}"),
    }
}

#[test]
fn places_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "not a directory").unwrap();
    assert!(refusal(&file).contains(file.to_str().unwrap()));
    assert!(refusal(&file.join("below")).contains("below"));
    let taken = dir.path().join("taken");
    fs::create_dir_all(taken.join("records.log")).unwrap();
    assert!(refusal(&taken).contains("records.log"));
    assert!(matches!(EmbeddedStore::read(&file), Err(StoreError::Io { .. })));
    // A file system where not even root may write.
    if Path::new("/proc/self").exists() {
        assert!(refusal(Path::new("/proc/self/plumb")).contains("/proc/self/plumb"));
    }
}

#[cfg(unix)]
#[test]
fn a_directory_without_permission_is_refused_unless_one_is_root() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    drop(EmbeddedStore::open(&closed).unwrap());
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(closed.join("probe"), "").is_err() {
        refusal(&closed);
        assert!(EmbeddedStore::read(&closed).is_ok(), "reading needs no right to write");
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}
