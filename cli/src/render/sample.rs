//! Plans made by hand for the tests of all renderers.

use std::collections::BTreeMap;

use bytes::Bytes;
use plumb_engine::plan::{
    Action, Cause, Change, CheckResult, CheckStatus, Drift, Layouts, Origin, OutputChange, Plan, Purpose,
    Reason, StateBinding,
};
use plumb_model::address::{Instance, ProviderConfig, ProviderSource};
use plumb_model::{Marks, Path, Type, Value};

/// A text that is sensitive wherever it occurs in the samples.
pub const SECRET: &str = "hunter2";

/// An instance by its address.
pub fn instance(address: &str) -> Instance {
    Instance::parse(address).unwrap()
}

/// The configuration of a compiled-in provider.
pub fn provider(kind: &str) -> ProviderConfig {
    ProviderConfig::implied(ProviderSource::builtin(kind))
}

/// A change without any particulars.
pub fn change(address: &str, action: Action, before: Value, after: Value) -> Change {
    let address = instance(address);
    Change {
        provider: provider(address.resource.provider_prefix()),
        address,
        previous_address: None,
        deposed: None,
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

/// A plan of these changes and nothing else.
pub fn plan(changes: Vec<Change>) -> Plan {
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

/// A string.
pub fn s(text: &str) -> Value {
    Value::string(text)
}

/// An object.
pub fn o<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::object(entries)
}

/// A string that is not known yet.
pub fn unknown() -> Value {
    Value::unknown(Type::String)
}

/// A sensitive string.
pub fn secret() -> Value {
    s(SECRET).with_marks(Marks::SENSITIVE)
}

/// A list of strings.
pub fn strings(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|i| s(i)).collect())
}

/// A set of strings.
pub fn string_set(items: &[&str]) -> Value {
    Value::set(Type::String, items.iter().map(|i| s(i)).collect())
}

fn configured(path: Path, line: usize) -> Cause {
    Cause { path, origin: Origin::Configuration { file: "main.cfg".into(), line } }
}

/// A plan in which everything occurs that a plan can have.
pub fn everything() -> Plan {
    let long: String = (1..=12).map(|i| format!("line {i}\n")).collect();
    let mut changes = vec![
        Change {
            reason: Some(Reason::ReadBecauseConfigUnknown),
            ..change(
                "data.file.late",
                Action::Read,
                Value::NULL,
                o([("path", unknown()), ("content", unknown())]),
            )
        },
        Change {
            causes: vec![Cause {
                path: Path::of("content"),
                origin: Origin::Reference { addresses: vec!["random_pet.name.id".into()] },
            }],
            ..change(
                "file.created",
                Action::Create,
                Value::NULL,
                o([
                    ("content", unknown()),
                    ("id", unknown()),
                    (
                        "labels",
                        o([("a-b", s("1")), ("key with space", s("2")), ("gone", Value::Null(Type::String))]),
                    ),
                    ("mode", Value::int(420)),
                    ("password", secret()),
                    ("path", s("c.txt")),
                    ("script", s("#!/bin/sh\necho \"${HOME}\"  \nexit 0\n")),
                    ("settings", s(r#"{"debug":true,"ports":[80,443]}"#)),
                    ("source", Value::Null(Type::String)),
                    ("tags", strings(&["x", "y"])),
                ]),
            )
        },
        change(r#"file.each["k"]"#, Action::NoOp, o([("id", s("k"))]), o([("id", s("k"))])),
    ];
    let before = o([
        ("content", s(&long)),
        ("id", s("f-1")),
        ("kind", s("a")),
        ("mode", Value::int(420)),
        ("names", string_set(&["a", "b", "c"])),
        ("password", secret()),
        ("policy", s(r#"{"allow":["a","b"],"deny":[],"v":1}"#)),
        (
            "rules",
            Value::tuple(vec![
                o([("from", s("a")), ("port", Value::int(80))]),
                o([("from", s("b")), ("port", Value::int(81))]),
            ]),
        ),
        ("spaced", s(r#"{"a":1}"#)),
        ("tags", strings(&["a", "b", "c", "d"])),
        ("old", s("x")),
        ("same", Value::Bool(true)),
        ("shape", Value::tuple(vec![Value::int(1), s("z")])),
        ("opened", secret()),
    ]);
    let after = o([
        ("content", s(&long.replace("line 6\n", "line six\nline 6b\n"))),
        ("id", s("f-1")),
        ("kind", unknown()),
        ("mode", Value::int(384)),
        ("names", string_set(&["b", "c", "d"])),
        ("password", s("hunter2-new").with_marks(Marks::SENSITIVE)),
        ("policy", s(r#"{"allow":["a","c"],"deny":[],"v":1}"#)),
        (
            "rules",
            Value::tuple(vec![
                o([("from", s("a")), ("port", Value::int(8080))]),
                o([("from", s("b")), ("port", Value::int(81))]),
            ]),
        ),
        ("spaced", s(r#"{ "a": 1 }"#)),
        ("tags", strings(&["a", "c", "d", "e"])),
        ("new", s("y")),
        ("old", Value::Null(Type::String)),
        ("same", Value::Bool(true)),
        ("shape", s("flat")),
        ("opened", s("hidden no more")),
    ]);
    changes.push(Change {
        causes: vec![
            configured(Path::of("mode"), 7),
            Cause { path: Path::of("names"), origin: Origin::Drift },
            Cause {
                path: Path::of("kind"),
                origin: Origin::Reference { addresses: vec!["random_pet.name.id".into(), "var.x".into()] },
            },
        ],
        ..change("file.updated", Action::Update, before, after)
    });
    changes.push(Change {
        reason: Some(Reason::ReplaceBecauseCannotUpdate),
        replace_paths: vec![Path::of("path")],
        causes: vec![configured(Path::of("path"), 12)],
        previous_address: Some(instance("file.former")),
        ..change(
            "file.replaced",
            Action::DeleteThenCreate,
            o([("id", s("r-1")), ("path", s("a.txt"))]),
            o([("id", unknown()), ("path", s("b.txt"))]),
        )
    });
    changes.push(Change {
        reason: Some(Reason::ReplaceBecauseTainted),
        create_before_destroy: true,
        ..change(
            "file.tainted",
            Action::CreateThenDelete,
            o([("id", s("t-1")), ("path", s("t"))]),
            o([("id", unknown()), ("path", s("t"))]),
        )
    });
    changes.push(Change {
        reason: Some(Reason::DeleteBecauseNoResourceConfig),
        ..change("file.unwanted", Action::Delete, o([("id", s("u")), ("tags", strings(&["q"]))]), Value::NULL)
    });
    changes.push(Change {
        deposed: Some("0a1b2c3d".into()),
        ..change("file.updated", Action::Delete, o([("id", s("u-0"))]), Value::NULL)
    });
    changes.push(Change {
        previous_address: Some(instance("file.was")),
        ..change("module.m[0].file.moved", Action::NoOp, o([("id", s("m"))]), o([("id", s("m"))]))
    });
    changes.push(Change {
        importing: Some("i-1".into()),
        ..change("module.m[0].file.taken", Action::NoOp, o([("id", s("i-1"))]), o([("id", s("i-1"))]))
    });
    changes.push(change(
        r#"module.n["x"].file.left"#,
        Action::Forget,
        o([("id", s("l")), ("path", s("p"))]),
        Value::NULL,
    ));
    Plan {
        drift: vec![
            Drift {
                address: instance("file.each[\"k\"]"),
                deposed: None,
                provider: provider("file"),
                before: o([("id", s("k")), ("mode", Value::int(1))]),
                after: o([("id", s("k")), ("mode", Value::int(2))]),
                paths: vec![Path::of("mode")],
                relevant: false,
            },
            Drift {
                address: instance("file.updated"),
                deposed: None,
                provider: provider("file"),
                before: o([("id", s("f-1")), ("names", string_set(&["b", "c"]))]),
                after: o([("id", s("f-1")), ("names", string_set(&["a", "b", "c"]))]),
                paths: vec![Path::of("names")],
                relevant: true,
            },
        ],
        outputs: [
            ("added", None, Some(s("one\ntwo\n")), false),
            (
                "changed",
                Some(o([("a", Value::int(1)), ("b", s("x"))])),
                Some(o([("a", Value::int(2)), ("b", s("x"))])),
                false,
            ),
            ("key", Some(s(SECRET)), Some(s("hunter2-new")), true),
            ("removed", Some(s("bye")), None, false),
            ("same", Some(s("same")), Some(s("same")), false),
            ("waits", Some(s("was")), Some(unknown()), false),
        ]
        .into_iter()
        .map(|(name, before, after, sensitive)| {
            (name.into(), OutputChange { before, after, sensitive, ty: Type::Dynamic })
        })
        .collect(),
        checks: vec![
            CheckResult {
                kind: "check",
                config_address: "check.reachable".into(),
                address: "check.reachable".into(),
                status: CheckStatus::Fail,
                messages: vec!["The service\u{1b}[2J does not answer.".into()],
            },
            CheckResult {
                kind: "resource",
                config_address: "file.updated".into(),
                address: "file.updated".into(),
                status: CheckStatus::Pass,
                messages: vec![],
            },
            CheckResult {
                kind: "output",
                config_address: "output.waits".into(),
                address: "output.waits".into(),
                status: CheckStatus::Unknown,
                messages: vec![],
            },
        ],
        variables: BTreeMap::from([("name".into(), s("a")), ("pw".into(), secret())]),
        targets: vec!["module.m".into()],
        ..plan(changes)
    }
}

/// A text without the indentation that all of its lines have: what a snapshot, which stands indented in the source, can
/// be compared with.
pub fn dedent(text: &str) -> String {
    let indents =
        text.lines().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len());
    let indent = indents.min().unwrap_or(0);
    let without =
        |line| if str::trim(line).is_empty() { line.trim_start_matches(' ') } else { &line[indent..] };
    text.split_inclusive('\n').map(without).collect()
}
