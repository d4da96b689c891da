//! What several tests need.
#![allow(dead_code, reason = "each test uses a part")]

use std::{collections::BTreeMap, path::Path, process::Command};

use plumb_state::{
    InstanceRecord, JsonText,
    record::OperationKind,
    state::OperationHeader,
    store::{Batch, Change, Store, StoreError},
};

/// What a store should hold.
pub type Model = BTreeMap<Vec<u8>, Vec<u8>>;

pub fn batch(changes: &[(&str, Option<&str>)]) -> Batch {
    let mut batch = Batch::new();
    for (key, value) in changes {
        match value {
            Some(value) => batch.put(*key, *value),
            None => batch.delete(*key),
        }
    }
    batch
}

pub fn apply(model: &mut Model, batch: &Batch) {
    for change in batch.changes() {
        match change {
            Change::Put(key, value) => model.insert(key.clone(), value.clone()),
            Change::Delete(key) => model.remove(key),
        };
    }
}

pub fn contents(store: &dyn Store) -> Result<Model, StoreError> {
    store.scan(b"").collect()
}

pub fn header(kind: OperationKind) -> OperationHeader {
    OperationHeader {
        kind,
        who: "ann@build-7".to_owned(),
        reason: Some("release 12".to_owned()),
        plan_digest: Some("a1b2".to_owned()),
    }
}

pub fn record(address: &str, content: &str) -> InstanceRecord {
    let attributes = JsonText::new(format!(r#"{{"content":"{content}","number":1.50}}"#)).unwrap();
    InstanceRecord::new(address, r#"provider["plumb.local/builtin/file"]"#, attributes)
}

/// A command that runs one ignored test of this test binary, with the directory it works in.
pub fn child(test: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env("STATE_TEST_DIR", dir);
    command
}

/// The directory that the parent gave.
pub fn child_dir() -> std::path::PathBuf {
    std::env::var_os("STATE_TEST_DIR").expect("the parent test sets this").into()
}
