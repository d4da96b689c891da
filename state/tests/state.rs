//! Operations, history, and what a crash leaves, on each store.

mod common;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
};

use common::{header, record};
use plumb_state::{
    Digest, InstanceKey, InstanceRecord, JsonText, OpenOptions, OutputRecord, State, StateError,
    record::{OperationKind, OperationStatus, StepAction, StepId, StepStatus},
    state::{After, Edit, Edits, Movement, OperationWriter, RecordChange, Step, StepIntent, StepOutcome},
    store::{Batch, MemoryStore, Scan, Store, StoreError},
};

/// Runs a check on a state in memory and on one on disk, both empty.
fn on_each_state(check: impl Fn(&State)) {
    check(&State::memory().unwrap());
    let dir = tempfile::tempdir().unwrap();
    check(&State::open(dir.path(), OpenOptions::default()).unwrap());
}

fn intent(address: &str, action: StepAction, before: Option<InstanceRecord>) -> StepIntent {
    let planned = Some(JsonText::new(r#"{"planned":1}"#).unwrap());
    StepIntent { key: InstanceKey::current(address), action, before, planned, also: Vec::new() }
}

fn intend(
    operation: &OperationWriter,
    address: &str,
    action: StepAction,
    before: Option<InstanceRecord>,
) -> Step {
    let (step, ticket) = operation.intend(intent(address, action, before));
    ticket.wait().unwrap();
    step
}

fn create(operation: &OperationWriter, address: &str, content: &str) {
    let step = intend(operation, address, StepAction::Create, None);
    operation.outcome(&step, StepOutcome::done(record(address, content))).wait().unwrap();
}

fn addresses(state: &State) -> Vec<String> {
    state.snapshot().unwrap().instances.map(|instance| instance.unwrap().record.key().to_string()).collect()
}

fn output(value: &str) -> OutputRecord {
    OutputRecord {
        value: JsonText::new(value).unwrap(),
        type_json: JsonText::new(r#""string""#).unwrap(),
        sensitive: false,
        extra: None,
    }
}

#[test]
fn an_operation_is_recorded_with_each_step() {
    on_each_state(|state| {
        assert_eq!((state.lineage(), state.serial()), (None, 0));
        let operation = state.begin(header(OperationKind::Apply)).unwrap();
        create(&operation, "file.a", "1");
        let step = intend(&operation, "file.a", StepAction::Update, Some(record("file.a", "1")));
        operation.outcome(&step, StepOutcome::done(record("file.a", "2"))).wait().unwrap();
        let step = intend(&operation, "file.b", StepAction::Create, None);
        operation.outcome(&step, StepOutcome::failed("no space", After::Kept)).wait().unwrap();
        let step = intend(&operation, "file.a", StepAction::Delete, Some(record("file.a", "2")));
        operation.outcome(&step, StepOutcome::gone()).wait().unwrap();
        let outputs = BTreeMap::from([("o".to_owned(), output("\"x\""))]);
        operation.outputs(outputs.clone()).unwrap().wait().unwrap();
        let ended = operation.finish(OperationStatus::Failed).unwrap();

        assert_eq!((ended.serial_before, ended.serial_after), (0, Some(4)));
        assert_eq!(
            (ended.counts.create, ended.counts.update, ended.counts.delete, ended.counts.failed),
            (1, 1, 1, 1)
        );
        let found = state.operation(1).unwrap();
        assert_eq!(found.record, ended);
        assert_eq!((&*ended.who, ended.reason.as_deref()), ("ann@build-7", Some("release 12")));
        assert_eq!(found.outputs.unwrap().after, outputs);
        let [created, updated, failed, deleted] = &found.steps[..] else { panic!("four steps") };
        assert_eq!((created.before.clone(), created.after.clone()), (None, Some(record("file.a", "1"))));
        assert_eq!(
            (updated.before.clone(), updated.after.clone()),
            (created.after.clone(), Some(record("file.a", "2")))
        );
        assert_eq!((failed.status, failed.error.as_deref()), (StepStatus::Failed, Some("no space")));
        assert_eq!((deleted.action, deleted.after.clone()), (StepAction::Delete, None));
        assert_eq!(deleted.planned.as_ref().unwrap().as_str(), r#"{"planned":1}"#);
        assert!(state.lineage().is_some());
        assert_eq!(addresses(state), [""; 0]);
    });
}

#[test]
fn history_begins_with_the_newest() {
    on_each_state(|state| {
        for kind in [OperationKind::Apply, OperationKind::Import, OperationKind::Destroy] {
            state.begin(header(kind)).unwrap().finish(OperationStatus::Succeeded).unwrap();
        }
        let history: Vec<_> = state.history().map(|o| o.map(|o| (o.number, o.kind)).unwrap()).collect();
        assert_eq!(
            history,
            [(3, OperationKind::Destroy), (2, OperationKind::Import), (1, OperationKind::Apply)]
        );
        assert!(matches!(state.operation(9), Err(StateError::NoSuchOperation(9))));
    });
}

#[test]
fn a_snapshot_is_in_the_order_of_addresses() {
    on_each_state(|state| {
        let operation = state.begin(header(OperationKind::Apply)).unwrap();
        for address in ["b.x", "a.x[10]", "a.x[\"k\"]", "module.m.a.x", "a.x[9]", "a.x"] {
            create(&operation, address, "1");
        }
        let deposed = InstanceRecord { deposed: Some("0a1b2c3d".to_owned()), ..record("a.x", "0") };
        let mut step = intent("a.x", StepAction::Create, None);
        step.also.push(RecordChange::Put(Box::new(deposed)));
        operation.intend(step).1.wait().unwrap();
        let wanted =
            ["a.x", "a.x (deposed 0a1b2c3d)", "a.x[9]", "a.x[10]", "a.x[\"k\"]", "b.x", "module.m.a.x"];
        assert_eq!(addresses(state), wanted);
    });
}

#[test]
fn the_digest_follows_the_content_and_names_what_moved() {
    on_each_state(|state| {
        let empty = state.digest();
        let operation = state.begin(header(OperationKind::Apply)).unwrap();
        assert_eq!(state.digest(), empty, "nothing has changed yet");
        for address in ["f.a", "f.b", "f.c"] {
            create(&operation, address, "1");
        }
        let snapshot = state.snapshot().unwrap();
        let digest = snapshot.digest;
        let planned: BTreeMap<InstanceKey, Digest> =
            snapshot.instances.map(|i| i.map(|i| (i.record.key(), i.digest)).unwrap()).collect();
        assert_eq!((state.digest(), state.moved(&planned).unwrap()), (digest, Vec::new()));

        let serial = state.serial();
        let step = intend(&operation, "f.a", StepAction::Read, Some(record("f.a", "1")));
        operation.outcome(&step, StepOutcome::done(record("f.a", "1"))).wait().unwrap();
        assert_eq!(
            (state.digest(), state.serial()),
            (digest, serial),
            "the same record again changes nothing"
        );

        for (address, outcome) in [
            ("f.a", StepOutcome::done(record("f.a", "2"))),
            ("f.b", StepOutcome::gone()),
            ("f.d", StepOutcome::done(record("f.d", "1"))),
        ] {
            let step = intend(&operation, address, StepAction::Update, None);
            operation.outcome(&step, outcome).wait().unwrap();
        }
        assert_ne!(state.digest(), digest);
        let moved: Vec<_> =
            state.moved(&planned).unwrap().into_iter().map(|m| (m.key.address, m.movement)).collect();
        let wanted = [("f.a", Movement::Changed), ("f.b", Movement::Removed), ("f.d", Movement::Added)];
        assert_eq!(moved, wanted.map(|(address, movement)| (address.to_owned(), movement)));
    });
}

#[test]
fn what_was_in_flight_is_found_and_resolved() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path(), OpenOptions::default()).unwrap();
    let operation = state.begin(header(OperationKind::Apply)).unwrap();
    create(&operation, "f.done", "1");
    intend(&operation, "f.lost", StepAction::Create, None);
    intend(&operation, "f.kept", StepAction::Update, Some(record("f.kept", "1")));
    assert_eq!(state.in_flight().unwrap(), [], "an operation that is being written is not unfinished");
    drop(operation);
    drop(state);

    let reader = State::open(dir.path(), OpenOptions { read_only: true }).unwrap();
    assert_eq!(reader.in_flight().unwrap().len(), 2);
    assert!(reader.mark_interrupted().unwrap().is_empty(), "steps are in flight");

    let state = State::open(dir.path(), OpenOptions::default()).unwrap();
    let in_flight = state.in_flight().unwrap();
    let [lost, kept] = &in_flight[..] else { panic!("two steps") };
    assert_eq!((lost.key.address.as_str(), lost.status), ("f.lost", StepStatus::Intended));
    assert_eq!(kept.before, Some(record("f.kept", "1")));
    state.resolve([(lost.step(), StepOutcome::done(record("f.lost", "found")))]).unwrap();
    assert_eq!(state.in_flight().unwrap().len(), 1);
    let doubt = StepOutcome { status: StepStatus::InDoubt, ..StepOutcome::kept() };
    state.resolve([(kept.step(), doubt)]).unwrap();
    assert_eq!((state.in_flight().unwrap(), state.unfinished().unwrap()), (Vec::new(), Vec::new()));
    let operation = state.operation(1).unwrap();
    assert_eq!(operation.record.status, OperationStatus::Interrupted);
    assert_eq!((operation.record.counts.create, operation.record.counts.in_doubt), (2, 1));
    assert_eq!(addresses(&state), ["f.done", "f.lost"]);

    let again = state.resolve([(lost.step(), StepOutcome::gone())]);
    assert!(matches!(again, Err(StateError::NotInFlight { operation: 1, index: 1 })));
    let step = Step { id: StepId { operation: 7, index: 0 }, ..lost.step() };
    assert!(state.resolve([(step, StepOutcome::gone())]).is_err());
}

#[test]
fn an_operation_without_steps_in_flight_is_marked_as_interrupted() {
    on_each_state(|state| {
        let operation = state.begin(header(OperationKind::Apply)).unwrap();
        create(&operation, "f.a", "1");
        assert_eq!(state.mark_interrupted().unwrap(), [], "it is still being written");
        drop(operation);
        let [marked] = &state.mark_interrupted().unwrap()[..] else { panic!("one operation") };
        assert_eq!((marked.status, marked.counts.create), (OperationStatus::Interrupted, 1));
        assert_eq!(state.begin(header(OperationKind::Apply)).unwrap().number(), 2);
    });
}

#[test]
fn records_are_edited_as_operations() {
    on_each_state(|state| {
        let operation = state.begin(header(OperationKind::Apply)).unwrap();
        for address in ["f.a", "f.b", "f.c"] {
            create(&operation, address, "1");
        }
        operation.finish(OperationStatus::Succeeded).unwrap();
        let edit = |records: Vec<Edit>| {
            state.edit(header(OperationKind::StateEdit), Edits { records, ..Edits::default() })
        };
        let mv = |from: &str, to: &str| Edit::Move {
            from: InstanceKey::current(from),
            to: InstanceKey::current(to),
        };
        let done = edit(vec![Edit::Remove(InstanceKey::current("f.a")), mv("f.b", "f.a"), mv("f.a", "m.a")])
            .unwrap();
        assert_eq!((done.counts.forget, done.counts.state), (1, 2));
        assert_eq!(addresses(state), ["f.c", "m.a"]);
        let steps = state.operation(done.number).unwrap().steps;
        assert_eq!(steps[0].before, Some(record("f.a", "1")));
        assert_eq!(steps[1].after.as_ref().unwrap().address, "f.a");

        let before = (state.digest(), state.history().count());
        assert!(matches!(
            edit(vec![mv("f.c", "f.z"), mv("f.none", "f.y")]),
            Err(StateError::NoSuchInstance(_))
        ));
        assert!(matches!(edit(vec![mv("f.c", "m.a")]), Err(StateError::InstanceExists(_))));
        assert_eq!((state.digest(), state.history().count()), before, "a refused edit leaves nothing");
    });
}

#[test]
fn everything_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path(), OpenOptions::default()).unwrap();
    let operation = state.begin(header(OperationKind::Apply)).unwrap();
    create(&operation, "f.a", "1");
    operation
        .outputs(BTreeMap::from([("o".to_owned(), output("1")), ("p".to_owned(), output("2"))]))
        .unwrap();
    operation.outputs(BTreeMap::from([("p".to_owned(), output("3"))])).unwrap();
    operation.finish(OperationStatus::Succeeded).unwrap();
    let (lineage, serial, digest) = (state.lineage(), state.serial(), state.digest());
    state.close().unwrap();
    for read_only in [true, false] {
        let state = State::open(dir.path(), OpenOptions { read_only }).unwrap();
        assert_eq!((state.lineage(), state.serial(), state.digest()), (lineage.clone(), serial, digest));
        assert_eq!(state.outputs().unwrap(), BTreeMap::from([("p".to_owned(), output("3"))]));
        assert_eq!(addresses(&state), ["f.a"]);
        assert!(state.operation(1).unwrap().outputs.unwrap().before.is_empty());
    }
}

#[test]
fn tickets_call_back_and_many_threads_share_flushes() {
    on_each_state(|state| {
        let operation = state.begin(header(OperationKind::Apply)).unwrap();
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let (operation, sender) = (&operation, sender.clone());
                scope.spawn(move || {
                    for number in 0..10 {
                        let address = format!("f.x{thread}[{number}]");
                        let (step, ticket) = operation.intend(intent(&address, StepAction::Create, None));
                        ticket.wait().unwrap();
                        let ticket = operation.outcome(&step, StepOutcome::done(record(&address, "1")));
                        let sender = sender.clone();
                        ticket.on_durable(move |result| sender.send(result.is_ok()).unwrap());
                    }
                });
            }
        });
        assert_eq!(operation.finish(OperationStatus::Succeeded).unwrap().counts.create, 160);
        drop(sender);
        assert_eq!(receiver.iter().filter(|durable| *durable).count(), 160);
        assert_eq!(addresses(state).len(), 160);
        assert_eq!(state.serial(), 160);
    });
}

/// A store whose commits fail when it is told so.
#[derive(Clone, Default)]
struct Failing {
    store: Arc<MemoryStore>,
    fails: Arc<AtomicBool>,
}

impl Store for Failing {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        self.store.scan(prefix)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::TooLarge { bytes: batch.bytes(), limit: 0 });
        }
        self.store.commit(batch)
    }
}

#[test]
fn a_commit_that_fails_fails_its_tickets_and_changes_nothing() {
    let store = Failing::default();
    let state = State::with_store(Box::new(store.clone()), false).unwrap();
    let operation = state.begin(header(OperationKind::Apply)).unwrap();
    create(&operation, "f.a", "1");
    let before = (state.serial(), state.digest());
    store.fails.store(true, Ordering::SeqCst);
    let (step, ticket) = operation.intend(intent("f.b", StepAction::Create, None));
    assert!(matches!(ticket.wait(), Err(StateError::Store(StoreError::TooLarge { .. }))));
    let seen = Arc::new(Mutex::new(None));
    let ticket = operation.outcome(&step, StepOutcome::done(record("f.b", "1")));
    let callback = seen.clone();
    ticket.on_durable(move |result| *callback.lock().unwrap() = Some(result.is_err()));
    assert!(ticket.wait().is_err());
    assert_eq!((state.serial(), state.digest()), before);
    store.fails.store(false, Ordering::SeqCst);
    create(&operation, "f.c", "1");
    assert_eq!(*seen.lock().unwrap(), Some(true));
    assert_eq!(addresses(&state), ["f.a", "f.c"]);
}

#[test]
fn records_that_were_lost_or_changed_behind_the_state_are_noticed() {
    let store = Failing::default();
    let state = State::with_store(Box::new(store.clone()), false).unwrap();
    let operation = state.begin(header(OperationKind::Apply)).unwrap();
    create(&operation, "f.a", "1");
    create(&operation, "f.b", "1");
    let (key, value) = store.scan(b"i/").next().unwrap().unwrap();
    let mut batch = Batch::new();
    batch.delete(key.clone());
    store.commit(batch).unwrap();
    let last = state.snapshot().unwrap().instances.last().unwrap();
    assert!(matches!(last, Err(StateError::Contradiction(_))));
    let mut batch = Batch::new();
    batch.put(key, [&[9][..], &value[1..]].concat());
    store.commit(batch).unwrap();
    let error = state.instance(&InstanceKey::current("f.a")).unwrap_err();
    assert!(error.to_string().contains("version 9, this program reads up to version 1"), "{error}");
}

#[test]
fn records_cost_little_more_than_their_values() {
    let store = Failing::default();
    let state = State::with_store(Box::new(store.clone()), false).unwrap();
    let operation = state.begin(header(OperationKind::Apply)).unwrap();
    let attributes = format!(r#"{{"content":"{}"}}"#, "x".repeat(300));
    let address = "module.app.terraform_data.layer[7]";
    let provider = r#"provider["terraform.io/builtin/terraform"]"#;
    let record = InstanceRecord::new(address, provider, JsonText::new(attributes.clone()).unwrap());
    let step = intend(&operation, address, StepAction::Create, None);
    operation.outcome(&step, StepOutcome::done(record)).wait().unwrap();
    let (_, value) = store.scan(b"i/").next().unwrap().unwrap();
    assert!(value.len() < attributes.len() * 3 / 2, "{} for {}", value.len(), attributes.len());
}
