//! One writer per state directory, across processes.

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use common::{child, child_dir};
use plumb_state::lock::{LockError, LockInfo, holder, lock};

fn info(command: &str) -> LockInfo {
    LockInfo {
        who: "bob".to_owned(),
        host: "build-7".to_owned(),
        ..LockInfo::here(command, Some("release".to_owned()))
    }
}

/// Holds the lock until its input ends.
#[test]
#[ignore = "a part of the tests below"]
fn child_holds() {
    let _lock = lock(&child_dir(), &info("plumb apply"), Duration::ZERO).unwrap();
    writeln!(std::io::stdout(), "\nheld").unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// A process that holds the lock, and its output, which it may go on to write.
fn other(dir: &std::path::Path) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut process = child("child_holds", dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(output.any(|line| line.unwrap() == "held"));
    (process, output)
}

#[test]
fn whoever_holds_the_lock_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, _output) = other(dir.path());
    let error = lock(dir.path(), &info("plumb plan"), Duration::from_millis(120)).unwrap_err();
    let text = error.to_string();
    for part in ["bob@build-7", &process.id().to_string(), "plumb apply", "release", "ago"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let LockError::Held { holder: Some(found), .. } = error else { panic!("{error}") };
    assert_eq!(Some(*found), holder(dir.path()));
    drop(process.stdin.take());
    process.wait().unwrap();
    lock(dir.path(), &info("plumb plan"), Duration::ZERO).unwrap();
    assert_eq!(holder(dir.path()), None, "nobody is named once the lock is released");
}

#[test]
fn a_holder_that_is_killed_leaves_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, _output) = other(dir.path());
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(holder(dir.path()).is_some(), "what it wrote is still there");
    let _lock = lock(dir.path(), &info("plumb plan"), Duration::ZERO).unwrap();
    assert_eq!(holder(dir.path()).unwrap().command, "plumb plan");
}

#[test]
fn the_lock_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, _output) = other(dir.path());
    let path = dir.path().to_owned();
    let waiting =
        std::thread::spawn(move || lock(&path, &info("plumb plan"), Duration::from_secs(60)).map(drop));
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(150) {
        assert!(!waiting.is_finished(), "the lock is held");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(process.stdin.take());
    process.wait().unwrap();
    waiting.join().unwrap().unwrap();
}

#[test]
fn a_place_that_cannot_be_locked_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = lock(&file, &info("plumb plan"), Duration::ZERO).unwrap_err();
    assert!(matches!(&error, LockError::Io { path, .. } if *path == file), "{error}");
}
