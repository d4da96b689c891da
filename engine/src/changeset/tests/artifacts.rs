//! Artifacts come back as they were sealed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;

use plumb_model::address::{
    ConfigResource, Instance, ModuleInstance, ProviderConfig, ProviderSource, Target,
};
use plumb_model::{Block, Marks, NestedBlock, Nesting, Path, Step, Type, Value};

use plumb_semantics::program::TriggerEvent;

use super::super::saved::SavedArtifact;
use super::super::secret::is_redacted;
use super::super::{Artifact, Key, OpenError, PlanDigest, PlanOptions, ProviderLock, SealError, open, seal};
use super::values;
use crate::plan::{
    Action, Cause, Change, CheckResult, CheckStatus, DataRead, Drift, Invocation, Layouts, Origin,
    OutputChange, Plan, Purpose, Reason, StateBinding, Trigger,
};

pub(super) fn key() -> Key {
    Key::new([7; 32])
}

pub(super) fn instance(text: &str) -> Instance {
    Instance::parse(text).unwrap()
}

pub(super) fn block(text: &str) -> ConfigResource {
    instance(text).config()
}

pub(super) fn provider() -> ProviderConfig {
    ProviderConfig::parse(r#"module.net.provider["registry.terraform.io/hashicorp/aws"].west"#).unwrap()
}

pub(super) fn change(address: &str, action: Action, before: Value, after: Value) -> Change {
    Change {
        address: instance(address),
        previous_address: None,
        deposed: None,
        provider: provider(),
        action,
        reason: None,
        before,
        after,
        replace_paths: Vec::new(),
        causes: Vec::new(),
        importing: None,
        create_before_destroy: false,
        dependencies: Vec::new(),
        prior_dependencies: Vec::new(),
        prior_private: Bytes::new(),
        planned_private: Bytes::new(),
        schema_version: 0,
        identity: None,
    }
}

pub(super) fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        purpose: Purpose::Normal,
        changes,
        drift: Vec::new(),
        invocations: Vec::new(),
        data: Vec::new(),
        outputs: BTreeMap::new(),
        checks: Vec::new(),
        variables: BTreeMap::new(),
        targets: Vec::new(),
        excludes: Vec::new(),
        modules: Vec::new(),
        layouts: Layouts::default(),
        state: StateBinding::default(),
        timestamp: "2026-01-02T03:04:05Z".to_owned(),
        errored: false,
    }
}

/// An action that a change triggers, with a secret, and one that was asked for.
fn invocations() -> Vec<Invocation> {
    let invocation = |config: Value, trigger| Invocation {
        address: instance("action.file_touch.a[\"k\"]"),
        provider: provider(),
        config: Value::object([("secret", config)]),
        trigger,
    };
    let trigger = Trigger::Lifecycle {
        resource: instance("file.a[0]"),
        event: TriggerEvent::AfterCreate,
        block: 1,
        index: 2,
    };
    vec![
        invocation(sensitive("hunter2"), trigger),
        invocation(Value::unknown(Type::String), Trigger::Request),
    ]
}

/// A type with blocks within blocks.
fn layouts() -> Layouts {
    let nested = |block| NestedBlock { block, nesting: Nesting::List, min_items: 0, max_items: 0 };
    let inner = Block { blocks: [("port".into(), nested(Block::default()))].into(), ..Block::default() };
    let block = Block { blocks: [("listener".into(), nested(inner))].into(), ..Block::default() };
    let address: Instance = Instance::parse("data.net_balancer.a").unwrap();
    let mut layouts = Layouts::default();
    layouts.add(&ProviderSource::builtin("net"), &address.resource, &block);
    layouts
}

pub(super) fn artifact(plan: Plan) -> Artifact {
    Artifact {
        plan,
        sources: BTreeMap::from([("main.cfg".to_owned(), b"resource \"file\" \"a\" {}\n".to_vec())]),
        files: BTreeMap::from([("logo.png".to_owned(), vec![0x89, 0xff, 0, 1])]),
        inputs: BTreeMap::from([("region".into(), Value::from("west"))]),
        ephemeral_inputs: BTreeSet::from(["token".into()]),
        workspace: "default".to_owned(),
        options: PlanOptions { refresh: true, replace: vec![instance("file.a[0]")] },
        providers: vec![ProviderLock {
            source: ProviderSource::builtin("file"),
            version: "0.1.0".to_owned(),
            digest: String::new(),
        }],
        engine: "0.1.0".to_owned(),
    }
}

pub(super) fn sensitive(text: &str) -> Value {
    Value::from(text).with_marks(Marks::SENSITIVE)
}

/// An artifact in which nothing is left out.
pub(super) fn full() -> Artifact {
    let object = |password: &str| {
        Value::object([
            ("id", Value::unknown_not_null(Type::String)),
            ("password", sensitive(password)),
            ("tags", Value::map(Type::String, [("a".into(), Value::from("b"))])),
        ])
    };
    let path = Path::of("a").then(Step::Key("k".into())).then(Step::Index(3)).then(Step::Any).attribute("b");
    let origins = [
        Origin::Configuration { file: "main.cfg".into(), line: 3 },
        Origin::Drift,
        Origin::Reference { addresses: vec!["file.b".into(), "var.x".into()] },
        Origin::Provider,
    ];
    let causes = origins.map(|origin| Cause { path: path.clone(), origin }).to_vec();
    let full = Change {
        previous_address: Some(instance("file.old")),
        deposed: Some("0a1b2c3d".into()),
        reason: Some(Reason::ReplaceBecauseCannotUpdate),
        replace_paths: vec![path.clone(), Path::root()],
        causes,
        importing: Some("id-1".into()),
        create_before_destroy: true,
        dependencies: vec![block("file.b"), block("module.m.data.http.x")],
        prior_dependencies: vec![block("file.c")],
        prior_private: Bytes::from_static(&[1, 0x80, 0]),
        planned_private: Bytes::from_static(b"hunter2 too"),
        schema_version: -1,
        identity: Some(Value::NULL),
        ..change(
            r#"module.m["k"].file.a["x y\"z"]"#,
            Action::CreateThenDelete,
            object("old"),
            object("hunter2"),
        )
    };
    let drift = Drift {
        address: instance("file.d"),
        deposed: Some("00000001".into()),
        provider: provider(),
        before: object("hunter2"),
        after: Value::NULL,
        paths: vec![path.clone()],
        relevant: true,
    };
    let data = DataRead {
        address: instance("data.http.page[2]"),
        provider: provider(),
        value: object("hunter2"),
        schema_version: 3,
    };
    let output =
        |before, after, sensitive| OutputChange { before, after, sensitive, ty: Type::list(Type::Bool) };
    let Target::Module(module) = Target::parse(r#"module.a[1].module.b["k"]"#).unwrap() else {
        unreachable!()
    };
    let status = [CheckStatus::Pass, CheckStatus::Fail, CheckStatus::Error, CheckStatus::Unknown];
    let checks =
        status.into_iter().zip(["resource", "output", "check", "var"]).map(|(status, kind)| CheckResult {
            kind,
            config_address: "check.health".into(),
            address: "check.health".into(),
            status,
            messages: vec!["It is \"down\".".into()],
        });
    artifact(Plan {
        purpose: Purpose::RefreshOnly,
        drift: vec![drift],
        invocations: invocations(),
        data: vec![data],
        outputs: BTreeMap::from([
            ("gone".into(), output(Some(Value::NULL), None, false)),
            ("new".into(), output(None, Some(sensitive("hunter2")), true)),
        ]),
        checks: checks.collect(),
        variables: BTreeMap::from([
            ("password".into(), sensitive("hunter2")),
            ("session".into(), Value::unknown(Type::String).with_marks(Marks::EPHEMERAL)),
        ]),
        targets: vec!["file.a".into()],
        excludes: vec!["module.m".into()],
        modules: vec![ModuleInstance::root(), module],
        layouts: layouts(),
        state: StateBinding {
            lineage: "7d3e".to_owned(),
            serial: u64::MAX,
            digest: "ab".to_owned(),
            records: BTreeMap::from([("file.a".to_owned(), "cd".to_owned())]),
        },
        errored: true,
        ..plan(vec![full, change("file.z", Action::NoOp, Value::NULL, Value::NULL)])
    })
}

#[test]
fn nothing_is_lost() {
    let artifact = full();
    let sealed = seal(&artifact, &key()).unwrap();
    let opened = open(&sealed.bytes, Some(&key())).unwrap();
    assert_eq!(opened.artifact, artifact);
    assert_eq!(opened.digest, sealed.digest);
    assert_eq!(opened.for_applying().unwrap(), artifact);
}

#[test]
fn the_same_artifact_gives_the_same_bytes_and_another_gives_another_digest() {
    let (artifact, sealed) = (full(), seal(&full(), &key()).unwrap());
    assert_eq!(seal(&artifact, &key()).unwrap(), sealed);
    let again = open(&sealed.bytes, Some(&key())).unwrap().artifact;
    assert_eq!(seal(&again, &key()).unwrap(), sealed);
    let mut other = artifact.clone();
    other.plan.timestamp = "2026-01-02T03:04:06Z".to_owned();
    assert_ne!(seal(&other, &key()).unwrap().digest, sealed.digest);
    let mut other = artifact;
    other.plan.changes[0].after = Value::NULL;
    assert_ne!(seal(&other, &key()).unwrap().digest, sealed.digest);
}

#[test]
fn a_digest_reads_back() {
    let text = seal(&full(), &key()).unwrap().digest.to_string();
    assert_eq!(text.len(), "pl1:sha256:".len() + 64);
    assert_eq!(PlanDigest::parse(&text).unwrap().to_string(), text);
    for bad in [text.to_uppercase(), text.replace("pl1", "pl2"), text[..70].to_owned(), String::new()] {
        assert_eq!(PlanDigest::parse(&bad), None, "{bad}");
    }
}

/// The JSON within a sealed plan.
pub(super) fn content(bytes: &[u8]) -> String {
    let body = &bytes[bytes.iter().position(|b| *b == b'\n').unwrap() + 1..];
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::DeflateDecoder::new(body), &mut text).unwrap();
    text
}

#[test]
fn the_content_is_canonical_json() {
    let text = content(&seal(&full(), &key()).unwrap().bytes);
    // Maps of `serde_json` are sorted by key.
    let sorted: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(sorted.to_string(), text);
    let records: SavedArtifact = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&records).unwrap(), text);
}

#[test]
fn a_field_that_is_not_known_is_refused() {
    let text = content(&seal(&full(), &key()).unwrap().bytes);
    let more = text.replacen(r#""deposed":"#, r#""colour":"red","deposed":"#, 1);
    assert_ne!(text, more);
    assert!(serde_json::from_str::<SavedArtifact>(&more).unwrap_err().to_string().contains("colour"));
}

#[test]
fn secrets_are_not_in_the_file_and_placeholders_show_that_they_change() {
    let sealed = seal(&full(), &key()).unwrap();
    let text = content(&sealed.bytes);
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!text.contains("aHVudGVyMi"), "not in base64 either: {text}");

    for other in [None, Some(&Key::new([8; 32]))] {
        let opened = open(&sealed.bytes, other).unwrap();
        assert_eq!(opened.digest, sealed.digest);
        assert_eq!(opened.redacted, 8);
        let change = &opened.artifact.plan.changes[0];
        let [before, after] = [&change.before, &change.after].map(|value| value.get("password").unwrap());
        assert!(is_redacted(before) && is_redacted(after));
        assert_ne!(before, after);
        assert_eq!(change.after.get("tags"), full().plan.changes[0].after.get("tags"));
        let error = opened.for_applying().unwrap_err();
        assert_eq!(error, OpenError::Concealed { key: key().id(), values: 8 });
        assert_eq!(error.diagnostic().code, "plan-key-missing");
    }
}

#[test]
fn without_secrets_no_key_is_needed_and_none_is_named() {
    let artifact = artifact(plan(vec![change(
        "file.a",
        Action::Create,
        Value::NULL,
        Value::object([("a", Value::int(1))]),
    )]));
    let sealed = seal(&artifact, &key()).unwrap();
    assert_eq!(sealed, seal(&artifact, &Key::new([8; 32])).unwrap());
    assert_eq!(open(&sealed.bytes, None).unwrap().for_applying(), Ok(artifact));
}

#[test]
fn inputs_are_as_sensitive_as_their_variables() {
    let mut artifact = full();
    artifact.inputs = BTreeMap::from([
        ("password".into(), Value::from("hunter2")),
        ("session".into(), Value::from("hunter2")),
    ]);
    let sealed = seal(&artifact, &key()).unwrap();
    assert!(!content(&sealed.bytes).contains("hunter2"));
    let opened = open(&sealed.bytes, Some(&key())).unwrap().artifact;
    assert_eq!(opened.inputs, BTreeMap::from([("password".into(), sensitive("hunter2"))]));
}

#[test]
fn what_could_not_be_opened_is_not_sealed() {
    let nested = (0..300).fold(Value::int(1), |value, _| Value::tuple(vec![value]));
    let mut odd = change("file.a", Action::Create, Value::NULL, Value::NULL);
    odd.address.resource.kind = "module".into();
    for change in [change("file.a", Action::Create, Value::NULL, nested), odd] {
        let error = seal(&artifact(plan(vec![change])), &key()).unwrap_err();
        assert!(matches!(&error, SealError::Unsaveable(e) if e.place.ends_with(".a")), "{error}");
        assert_eq!(error.diagnostic().code, "plan-not-saveable");
    }
}

/// The value with unknown ones in place of ephemeral ones, which are not saved.
fn without_ephemeral(value: &Value) -> bool {
    let mut none = true;
    value.walk(&mut |_, part| {
        none &= !part.marks().contains(Marks::EPHEMERAL);
        none
    });
    none
}

proptest! {
    #[test]
    fn objects_come_back_exactly(
        before in values::value().prop_filter("not ephemeral", without_ephemeral),
        after in values::value().prop_filter("not ephemeral", without_ephemeral),
        ty in values::ty(),
    ) {
        let mut artifact = artifact(plan(vec![change("file.a", Action::Update, before.clone(), after.clone())]));
        let output = OutputChange { before: Some(before), after: Some(after), sensitive: false, ty };
        artifact.plan.outputs.insert("x".into(), output);
        let sealed = seal(&artifact, &key()).unwrap();
        prop_assert_eq!(open(&sealed.bytes, Some(&key())).unwrap().for_applying().unwrap(), artifact);
        prop_assert!(open(&sealed.bytes, None).is_ok());
    }
}
