//! Processes that are killed, and disks that fill up: what was acknowledged is there.

mod common;

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use common::{child, child_dir, contents, header, record};
use plumb_state::{
    InstanceKey, OpenOptions, State, StateError,
    record::{OperationKind, OperationStatus, StepAction, StepStatus},
    state::{After, StepIntent, StepOutcome},
    store::{Batch, EmbeddedStore, Store, StoreError},
};

/// Commits the numbers 0, 1, 2… until it is killed, and says each number when it is durable.
#[test]
#[ignore = "a part of commits_survive_a_kill"]
fn child_commits() {
    let store = EmbeddedStore::open(&child_dir()).unwrap();
    let first = store.scan(b"n/").count();
    let mut out = std::io::stdout();
    for number in first.. {
        let mut batch = Batch::new();
        batch.put(format!("n/{number:08}"), vec![7; number % 5000]);
        batch.put("last", number.to_string());
        store.commit(batch).unwrap();
        writeln!(out, "\ndone {number}").unwrap();
    }
}

/// Kills the child after a while, and returns the last number that it said.
fn kill_after(mut process: Child, pause: Duration) -> Option<usize> {
    let output = process.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let numbers = BufReader::new(output).lines().map_while(Result::ok);
        numbers.filter_map(|line| line.strip_prefix("done ")?.parse().ok()).last()
    });
    thread::sleep(pause);
    process.kill().unwrap();
    process.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn commits_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut unheard) = (0, 0);
    for round in 0..30_u64 {
        let process =
            child("child_commits", dir.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let last = kill_after(process, Duration::from_millis(10 + round * 37 % 90));
        // Each process may have made one commit that it was killed before telling of.
        (acknowledged, unheard) = last.map_or((acknowledged, unheard + 1), |last| (last + 1, 1));
        // Sometimes the next process finds what the killed one left, sometimes we look first.
        if round % 3 == 0 {
            check_numbers(&EmbeddedStore::read(dir.path()).unwrap(), acknowledged, unheard);
        } else if round % 3 == 1 {
            let store = EmbeddedStore::open(dir.path()).unwrap();
            assert_eq!(store.warnings(), [], "a kill damages nothing");
            check_numbers(&store, acknowledged, unheard);
        }
    }
    assert!(acknowledged > 100, "only {acknowledged} commits in 30 rounds");
}

/// So many commits may be there that nobody was told about.
fn check_numbers(store: &dyn Store, acknowledged: usize, unheard: usize) {
    let mut entries = contents(store).unwrap();
    let last = entries.remove(&b"last"[..]);
    let found = entries.len();
    assert!((acknowledged..=acknowledged + unheard).contains(&found), "{found} of {acknowledged}");
    assert_eq!(last, found.checked_sub(1).map(|last| last.to_string().into_bytes()));
    for (number, (key, value)) in entries.iter().enumerate() {
        assert_eq!(key, format!("n/{number:08}").as_bytes());
        assert_eq!(value.len(), number % 5000);
    }
}

/// "Creates" objects as files, each after its intent is durable, until it is killed.
#[test]
#[ignore = "a part of no_object_is_forgotten"]
fn child_creates() {
    let dir = child_dir();
    let state = State::open(&dir.join("state"), OpenOptions::default()).unwrap();
    let operation = state.begin(header(OperationKind::Apply)).unwrap();
    let number = operation.number();
    thread::scope(|scope| {
        for worker in 0..4 {
            let (operation, dir) = (&operation, &dir);
            scope.spawn(move || {
                for n in 0.. {
                    let name = format!("file.o-{number}-{worker}-{n}");
                    let intent = StepIntent {
                        key: InstanceKey::current(&name),
                        action: StepAction::Create,
                        before: None,
                        planned: None,
                        also: Vec::new(),
                    };
                    let (step, ticket) = operation.intend(intent);
                    ticket.wait().unwrap();
                    fs::write(dir.join("objects").join(&name), "").unwrap();
                    operation.outcome(&step, StepOutcome::done(record(&name, "x"))).wait().unwrap();
                }
            });
        }
    });
}

#[test]
fn no_object_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let objects = dir.path().join("objects");
    fs::create_dir(&objects).unwrap();
    for round in 0..12_u64 {
        let process =
            child("child_creates", dir.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        kill_after(process, Duration::from_millis(15 + round * 53 % 80));
        resolve_by_looking(&dir.path().join("state"), &objects);
    }
    assert!(fs::read_dir(&objects).unwrap().count() > 50);
}

/// What the next command does: asks for each step in flight whether its object is there.
fn resolve_by_looking(dir: &Path, objects: &Path) {
    let state = State::open(dir, OpenOptions::default()).unwrap();
    assert_eq!(state.warnings(), []);
    let outcomes: Vec<_> = state
        .in_flight()
        .unwrap()
        .into_iter()
        .map(|step| {
            let made = objects.join(&step.key.address).exists();
            let outcome = match made {
                true => StepOutcome::done(record(&step.key.address, "found")),
                false => StepOutcome::failed("interrupted before it began", After::Kept),
            };
            (step.step(), outcome)
        })
        .collect();
    state.resolve(outcomes).unwrap();
    assert_eq!(state.in_flight().unwrap(), []);
    assert_eq!(state.unfinished().unwrap(), []);
    for operation in state.history() {
        let operation = operation.unwrap();
        assert_eq!(operation.status, OperationStatus::Interrupted);
        assert!(state.steps(operation.number).all(|step| step.unwrap().status != StepStatus::Intended));
    }
    let known: HashMap<_, _> = state
        .snapshot()
        .unwrap()
        .instances
        .map(|i| i.unwrap().record)
        .map(|r| (r.address.clone(), r))
        .collect();
    let made: Vec<_> =
        fs::read_dir(objects).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(known.len(), made.len());
    assert!(made.iter().all(|name| known.contains_key(name)));
}

/// Commits until the size limit of its files makes that fail, and says how many were acknowledged.
#[test]
#[ignore = "a part of a_full_disk_is_an_error"]
fn child_fills_up() {
    let store = EmbeddedStore::open(&child_dir()).unwrap();
    let mut acknowledged = 0;
    let error = loop {
        let mut batch = Batch::new();
        batch.put(format!("n/{acknowledged:08}"), vec![7; 3000]);
        match store.commit(batch) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 10_000, "there is no limit");
    };
    assert!(matches!(&error, StoreError::Io { .. }), "{error}");
    assert_eq!(contents(&store).unwrap().len(), acknowledged, "what failed is not there");
    let mut small = Batch::new();
    small.put("small", "");
    let fits = store.commit(small).is_ok();
    writeln!(std::io::stdout(), "\ndone {acknowledged} {fits} {error}").unwrap();
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error() {
    // The log alone, then also the index, which is larger.
    for blocks in ["1500", "1000", "300"] {
        let dir = tempfile::tempdir().unwrap();
        let test = child("child_fills_up", dir.path());
        let mut limited = std::process::Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        limited.args(["-c", &script]).arg(test.get_program()).args(test.get_args());
        limited.env("STATE_TEST_DIR", dir.path());
        let output = limited.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some(line) = text.lines().find_map(|line| line.strip_prefix("done ")) else {
            panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr))
        };
        assert!(line.contains("records.log"), "{line}");
        let mut words = line.split(' ');
        let acknowledged: usize = words.next().unwrap().parse().unwrap();
        let small = usize::from(words.next() == Some("true"));
        let store = EmbeddedStore::open(dir.path()).unwrap();
        assert_eq!(store.scan(b"n/").count(), acknowledged);
        assert_eq!(store.scan(b"small").count(), small);
        assert!(acknowledged > 20);
    }
}

#[test]
fn a_state_that_cannot_be_written_fails_its_tickets() {
    let dir = tempfile::tempdir().unwrap();
    drop(State::open(dir.path(), OpenOptions::default()).unwrap());
    let state = State::open(dir.path(), OpenOptions { read_only: true }).unwrap();
    assert!(matches!(state.begin(header(OperationKind::Apply)), Err(StateError::ReadOnly)));
}
