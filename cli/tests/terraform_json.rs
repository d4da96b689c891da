//! Plans and state as JSON equal what Terraform 1.11.4 writes for the same.
//!
//! The plans are built by hand from the configurations in `fixtures/terraform`; only the ids, which are random, and
//! the time are those of the recorded documents.

use std::collections::BTreeMap;

use bytes::Bytes;
use plumb_cli::render::configuration_view::{
    ConfigurationView, Expression, Expressions, ModuleCallView, ModuleView, OutputView, ProviderView,
    ResourceView, VariableView,
};
use plumb_cli::render::plan_json::write_plan_json;
use plumb_cli::render::state_json::{InstanceView, OutputValue, StateView, write_state_json};
use plumb_engine::plan::{
    Action, Change, CheckResult, CheckStatus, Layouts, OutputChange, Plan, Purpose, Reason, StateBinding,
};
use plumb_model::address::{Instance, ProviderConfig, ProviderSource};
use plumb_model::{Marks, Number, Path, Step, Type, Value};
use serde_json::Value as Json;

fn provider() -> ProviderConfig {
    ProviderConfig::implied(ProviderSource::builtin("terraform"))
}

fn change(address: &str, action: Action, before: Value, after: Value) -> Change {
    Change {
        address: Instance::parse(address).unwrap(),
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

fn s(text: &str) -> Value {
    Value::string(text)
}

fn o<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::object(entries)
}

fn secret(text: &str) -> Value {
    s(text).with_marks(Marks::SENSITIVE)
}

fn strings(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|i| s(i)).collect())
}

fn string() -> Value {
    Value::unknown(Type::String)
}

/// A `terraform_data`: id, input, output, `triggers_replace`.
fn data(id: Value, input: Value, output: Value, triggers: Value) -> Value {
    o([("id", id), ("input", input), ("output", output), ("triggers_replace", triggers)])
}

/// One that is created.
fn new(input: Value, triggers: Value) -> Value {
    let output = Value::unknown(input.ty());
    data(string(), input, output, triggers)
}

fn output(before: Option<Value>, after: Option<Value>, sensitive: bool) -> OutputChange {
    OutputChange { before, after, sensitive, ty: Type::Dynamic }
}

fn plan(changes: Vec<Change>, outputs: Vec<(&str, OutputChange)>, recorded: &Json) -> Plan {
    Plan {
        purpose: Purpose::Normal,
        changes,
        drift: Vec::new(),
        invocations: Vec::new(),
        data: Vec::new(),
        outputs: outputs.into_iter().map(|(name, change)| (name.into(), change)).collect(),
        checks: Vec::new(),
        variables: BTreeMap::new(),
        targets: Vec::new(),
        excludes: Vec::new(),
        modules: Vec::new(),
        layouts: Layouts::default(),
        state: StateBinding::default(),
        timestamp: recorded["timestamp"].as_str().unwrap().to_owned(),
        errored: false,
    }
}

fn fixture(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// Compares member by member, so that a difference is found in a document of many lines.
fn check(plan: &Plan, view: &ConfigurationView, mut expected: Json) {
    let mut out = Vec::new();
    write_plan_json(plan, view, None, &mut out).unwrap();
    let mut found: Json = serde_json::from_slice(&out).unwrap();
    for document in [&mut found, &mut expected] {
        // Terraform gives these in no particular order.
        let relevant = document["relevant_attributes"].as_array_mut().unwrap();
        relevant.sort_by_key(|entry| entry.to_string());
    }
    same("", &found, &expected);
}

fn same(path: &str, found: &Json, expected: &Json) {
    match (found, expected) {
        (Json::Object(a), Json::Object(b)) => {
            let names = |o: &serde_json::Map<String, Json>| o.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(a), names(b), "the members of {path}");
            for (name, value) in a {
                same(&format!("{path}.{name}"), value, &b[name]);
            }
        }
        (Json::Array(a), Json::Array(b)) => {
            assert_eq!(a.len(), b.len(), "the number of elements of {path}: {found} {expected}");
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                same(&format!("{path}[{i}]"), a, b);
            }
        }
        _ => assert_eq!(found, expected, "{path}"),
    }
}

fn passed(kind: &'static str, address: &str) -> CheckResult {
    CheckResult {
        kind,
        config_address: address.into(),
        address: address.into(),
        status: CheckStatus::Pass,
        messages: Vec::new(),
    }
}

#[test]
fn creating_everything() {
    let recorded = fixture(include_str!("fixtures/terraform/create/plan.json"));
    let third = Value::int(1).as_number().unwrap().div(Value::int(3).as_number().unwrap()).unwrap();
    let input = o([
        ("list", Value::tuple(vec![s("x"), s("a")])),
        ("map", Value::map(Type::String, [("a".into(), Value::Null(Type::String)), ("b".into(), s("y"))])),
        ("null", Value::NULL),
        ("secret", secret("hunter2")),
        ("set", Value::set(Type::String, vec![s("b"), s("a")])),
        ("text", s("<a> & b\u{2028}")),
        ("third", Value::Number(third)),
        ("typed", Value::list(Type::Dynamic, vec![])),
    ]);
    let null = || Value::NULL;
    let counted = |i: i64| new(Value::tuple(vec![string(), Value::int(i)]), s("a"));
    let later = o([
        ("backend", s("local")),
        ("config", o([("path", string())])),
        ("defaults", null()),
        ("outputs", Value::unknown(Type::Dynamic)),
        ("workspace", Value::Null(Type::String)),
    ]);
    let deepest = data(string(), Value::unknown(Type::Dynamic), Value::unknown(Type::Dynamic), null());
    let created = |address: &str, after| change(address, Action::Create, Value::NULL, after);
    let changes = vec![
        Change {
            reason: Some(Reason::ReadBecauseConfigUnknown),
            ..change("data.terraform_remote_state.later", Action::Read, Value::NULL, later)
        },
        created("terraform_data.counted[0]", counted(0)),
        created("terraform_data.counted[1]", counted(1)),
        created(r#"terraform_data.each["k.1"]"#, new(s("k.1"), null())),
        created(r#"terraform_data.each["k2"]"#, new(s("k2"), null())),
        created("terraform_data.plain", new(input, null())),
        created(
            r#"module.m["u"].terraform_data.in"#,
            new(Value::list(Type::String, vec![s("u"), string()]), null()),
        ),
        created(r#"module.m["u"].module.deep.terraform_data.deepest"#, deepest),
    ];
    let outputs = vec![
        ("late", output(None, Some(Value::unknown(Type::Dynamic)), false)),
        ("list", output(None, Some(Value::tuple(vec![s("a"), Value::NULL, Value::int(1)])), false)),
        ("partly", output(None, Some(o([("a", string()), ("b", Value::tuple(vec![s("a!")]))])), false)),
        ("secret", output(None, Some(o([("pw", secret("hunter2"))])), true)),
    ];
    let mut plan = plan(changes, outputs, &recorded);
    plan.variables = BTreeMap::from([
        ("n".into(), Value::Number(Number::parse("12345678901234567890.5").unwrap())),
        ("name".into(), s("a")),
        ("pw".into(), secret("hunter2")),
    ]);
    plan.checks = vec![
        CheckResult {
            status: CheckStatus::Fail,
            messages: vec!["name must be b".into()],
            ..passed("check", "check.named")
        },
        passed("resource", "terraform_data.plain"),
        passed("var", "var.n"),
    ];
    let relevant = |address: &str, path: Path| (Instance::parse(address).unwrap(), path);
    let relevant = vec![
        relevant("terraform_data.plain", Path::of("id")),
        relevant("terraform_data.plain", Path::of("output")),
        relevant("terraform_data.plain", Path::of("output").attribute("text")),
        relevant(r#"module.m["u"].terraform_data.in"#, Path::of("output")),
        relevant(r#"module.m["u"].terraform_data.in"#, Path::of("output").then(Step::Index(0))),
    ];
    check(&plan, &ConfigurationView { relevant, ..create_configuration() }, recorded);
}

fn references(addresses: &[&str]) -> Expression {
    Expression::References(addresses.iter().map(|a| (*a).into()).collect())
}

fn arguments<const N: usize>(arguments: [(&str, Expression); N]) -> Expressions {
    arguments.into_iter().map(|(name, argument)| (name.into(), argument)).collect()
}

fn resource(address: &str, expressions: Expressions) -> ResourceView {
    let instance = Instance::parse(address).unwrap();
    ResourceView {
        address: address.into(),
        mode: instance.resource.mode,
        kind: instance.resource.kind,
        name: instance.resource.name,
        provider_config_key: "terraform".into(),
        provisioners: Vec::new(),
        expressions,
        schema_version: 0,
        count: None,
        for_each: None,
        depends_on: Vec::new(),
    }
}

fn shown(expression: Expression) -> OutputView {
    OutputView { expression, ..OutputView::default() }
}

fn create_configuration() -> ConfigurationView {
    let provider = ProviderView {
        name: "terraform".into(),
        full_name: "terraform.io/builtin/terraform".into(),
        ..ProviderView::default()
    };
    let second = ProviderView { alias: Some("second".into()), ..provider.clone() };
    let deep = ModuleView {
        resources: vec![resource("terraform_data.deepest", arguments([("input", references(&["var.y"]))]))],
        variables: BTreeMap::from([("y".into(), VariableView::default())]),
        ..ModuleView::default()
    };
    let inner = ModuleView {
        outputs: BTreeMap::from([(
            "o".into(),
            shown(references(&["terraform_data.in.output", "terraform_data.in"])),
        )]),
        resources: vec![ResourceView {
            provisioners: vec![(
                "local-exec".into(),
                arguments([("command", Expression::Constant(s("true")))]),
            )],
            ..resource("terraform_data.in", arguments([("input", references(&["var.x"]))]))
        }],
        module_calls: BTreeMap::from([(
            "deep".into(),
            ModuleCallView {
                source: "../deep".into(),
                expressions: arguments([(
                    "y",
                    references(&[
                        "terraform_data.in.output[0]",
                        "terraform_data.in.output",
                        "terraform_data.in",
                    ]),
                )]),
                module: deep,
                ..ModuleCallView::default()
            },
        )]),
        variables: BTreeMap::from([("x".into(), VariableView::default())]),
    };
    let root = ModuleView {
        outputs: create_outputs(),
        resources: create_resources(),
        module_calls: BTreeMap::from([(
            "m".into(),
            ModuleCallView {
                source: "./inner".into(),
                expressions: arguments([(
                    "x",
                    references(&["each.value", "terraform_data.plain.id", "terraform_data.plain"]),
                )]),
                // Terraform says nothing of a `for_each` that is neither constant nor refers to anything.
                for_each: None,
                depends_on: vec!["terraform_data.each".into()],
                module: inner,
                ..ModuleCallView::default()
            },
        )]),
        variables: BTreeMap::from([
            (
                "n".into(),
                VariableView {
                    default: Some(Value::Number(Number::parse("12345678901234567890.5").unwrap())),
                    ..VariableView::default()
                },
            ),
            (
                "name".into(),
                VariableView {
                    default: Some(s("a")),
                    description: Some("A name.".into()),
                    ..VariableView::default()
                },
            ),
            (
                "pw".into(),
                VariableView { default: Some(s("hunter2")), sensitive: true, ..VariableView::default() },
            ),
        ]),
    };
    ConfigurationView {
        relevant: Vec::new(),
        providers: BTreeMap::from([("terraform".into(), provider), ("terraform.second".into(), second)]),
        root,
    }
}

fn create_outputs() -> BTreeMap<ecow::EcoString, OutputView> {
    BTreeMap::from([
        ("late".into(), shown(references(&["terraform_data.plain.output", "terraform_data.plain"]))),
        ("list".into(), shown(Expression::Constant(Value::tuple(vec![s("a"), Value::NULL, Value::int(1)])))),
        (
            "partly".into(),
            OutputView {
                depends_on: vec!["terraform_data.each".into()],
                ..shown(references(&["terraform_data.plain.id", "terraform_data.plain", "local.l"]))
            },
        ),
        (
            "secret".into(),
            OutputView {
                sensitive: true,
                description: Some("hidden".into()),
                ..shown(references(&["var.pw"]))
            },
        ),
    ])
}

fn create_resources() -> Vec<ResourceView> {
    vec![
        ResourceView {
            count: Some(Expression::Constant(Value::int(2))),
            depends_on: vec!["terraform_data.plain".into()],
            ..resource(
                "terraform_data.counted",
                arguments([
                    (
                        "input",
                        references(&[
                            "terraform_data.plain.output.text",
                            "terraform_data.plain.output",
                            "terraform_data.plain",
                            "count.index",
                        ]),
                    ),
                    ("triggers_replace", references(&["var.name"])),
                ]),
            )
        },
        ResourceView {
            for_each: Some(Expression::Constant(o([("k.1", true.into()), ("k2", false.into())]))),
            ..resource("terraform_data.each", arguments([("input", references(&["each.key"]))]))
        },
        ResourceView {
            provider_config_key: "terraform.second".into(),
            ..resource("terraform_data.plain", arguments([("input", references(&["var.name", "var.pw"]))]))
        },
        resource(
            "data.terraform_remote_state.later",
            arguments([
                ("backend", Expression::Constant(s("local"))),
                ("config", references(&["terraform_data.plain.id", "terraform_data.plain"])),
            ]),
        ),
    ]
}

const A: &str = "81783ba6-6020-850b-b3bc-6f73fdd8844e";
const B0: &str = "ba1400d8-3c7d-0b47-93ed-234bebdf26e2";
const B1: &str = "ce9002e3-8823-0127-d0ac-66335e6e878a";
const C: &str = "e145a826-e63b-9d5e-05ec-1737e82d014e";
const U: &str = "17059c5b-9057-fea9-8d05-972a55f52f7e";
const V: &str = "089d2143-ff43-7b4b-3929-45ce4d780ac2";

fn recorded_a() -> Value {
    let part = |pw| {
        o([("list", Value::tuple(vec![s("x"), s("y")])), ("n", Value::NULL), ("name", s("a")), ("pw", pw)])
    };
    data(s(A), part(secret("hunter2")), part(s("hunter2")), Value::NULL)
}

fn recorded_b(id: &str, index: usize) -> Value {
    let input = s(&format!("a-{index}"));
    data(s(id), input.clone(), input, Value::tuple(vec![s("a")]))
}

fn recorded_c() -> Value {
    let input = o([("l", strings(&["a", "b"])), ("x", recorded_a().get("output").unwrap().clone())]);
    data(s(C), input.clone(), input, Value::NULL)
}

fn recorded_in(id: &str, number: i64) -> Value {
    let input = Value::tuple(vec![Value::int(number), s(A)]);
    data(s(id), input.clone(), input, Value::NULL)
}

fn k(a: i64) -> Value {
    o([("a", Value::int(a)), ("b", Value::tuple(vec![Value::NULL, s("x")]))])
}

#[test]
fn changing_replacing_moving_importing_forgetting_and_deleting() {
    let mut recorded = fixture(include_str!("fixtures/terraform/change/plan.json"));
    // The configuration is compared in the other test.
    recorded["configuration"] = serde_json::json!({ "root_module": {} });

    let config = |address: &str| Instance::parse(address).unwrap().config();
    let text = "line 1\nline 2\nline 3\n";
    let input = o([
        ("js", s(r#"{"a":[1,2],"b":"x"}"#)),
        ("list", Value::tuple(vec![s("x"), s("z"), s("w")])),
        ("name", s("b")),
        ("pw", secret("hunter3")),
        ("text", s(text)),
    ]);
    let on_a = || vec![config("terraform_data.a")];
    let changes = vec![
        change(
            "terraform_data.a",
            Action::Update,
            recorded_a(),
            data(s(A), input.clone(), Value::unknown(input.ty()), Value::NULL),
        ),
        Change {
            reason: Some(Reason::ReplaceBecauseCannotUpdate),
            replace_paths: vec![Path::of("triggers_replace")],
            dependencies: on_a(),
            prior_dependencies: on_a(),
            ..change(
                "terraform_data.b[0]",
                Action::CreateThenDelete,
                recorded_b(B0, 0),
                data(string(), string(), string(), Value::tuple(vec![s("b")])),
            )
        },
        Change {
            reason: Some(Reason::DeleteBecauseCountIndex),
            dependencies: on_a(),
            prior_dependencies: on_a(),
            ..change("terraform_data.b[1]", Action::Delete, recorded_b(B1, 1), Value::NULL)
        },
        Change {
            reason: Some(Reason::DeleteBecauseNoResourceConfig),
            dependencies: on_a(),
            prior_dependencies: on_a(),
            ..change(r#"terraform_data.c["k.1"]"#, Action::Delete, recorded_c(), Value::NULL)
        },
        Change {
            reason: Some(Reason::ReplaceByTriggers),
            importing: Some("abc".into()),
            ..change(
                "terraform_data.imp",
                Action::CreateThenDelete,
                data(s("abc"), Value::NULL, Value::NULL, Value::NULL),
                new(s("i"), Value::NULL),
            )
        },
        Change {
            reason: Some(Reason::DeleteBecauseNoResourceConfig),
            dependencies: on_a(),
            prior_dependencies: on_a(),
            ..change(r#"module.m["v"].terraform_data.in"#, Action::Forget, recorded_in(V, 2), Value::NULL)
        },
        Change {
            previous_address: Some(Instance::parse(r#"module.m["u"].terraform_data.in"#).unwrap()),
            dependencies: on_a(),
            prior_dependencies: on_a(),
            ..change(
                "module.n.terraform_data.in",
                Action::Update,
                recorded_in(U, 1),
                data(s(U), s("changed"), string(), Value::NULL),
            )
        },
    ];
    let outputs = vec![
        ("j", output(None, Some(s("lines\nmany\n")), false)),
        ("k", output(Some(k(1)), Some(k(2)), false)),
        ("o", output(Some(s("a")), Some(Value::unknown(Type::Dynamic)), false)),
        ("p", output(Some(s("hunter2")), None, true)),
    ];
    let mut plan = plan(changes, outputs, &recorded);
    plan.variables = BTreeMap::from([("name".into(), s("b")), ("pw".into(), secret("hunter3"))]);
    let relevant = vec![
        (Instance::parse("terraform_data.a").unwrap(), Path::of("output").attribute("name")),
        (Instance::parse("module.n.terraform_data.in").unwrap(), Path::of("output")),
    ];
    check(&plan, &ConfigurationView { relevant, ..ConfigurationView::default() }, recorded);
}

#[test]
fn state() {
    let instance = |address: &str, value, dependencies: &[&str]| InstanceView {
        address: Instance::parse(address).unwrap(),
        provider: provider(),
        schema_version: 0,
        value,
        dependencies: dependencies.iter().map(|d| (*d).into()).collect(),
        tainted: false,
        deposed: None,
    };
    let shown = |value, sensitive| OutputValue { value, sensitive };
    let view = StateView {
        instances: vec![
            instance("terraform_data.a", recorded_a(), &[]),
            instance("terraform_data.b[0]", recorded_b(B0, 0), &["terraform_data.a"]),
            instance("terraform_data.b[1]", recorded_b(B1, 1), &["terraform_data.a"]),
            instance(r#"terraform_data.c["k.1"]"#, recorded_c(), &["terraform_data.a"]),
            instance(r#"module.m["u"].terraform_data.in"#, recorded_in(U, 1), &["terraform_data.a"]),
            instance(r#"module.m["v"].terraform_data.in"#, recorded_in(V, 2), &["terraform_data.a"]),
        ],
        outputs: BTreeMap::from([
            ("k".into(), shown(k(1), false)),
            ("o".into(), shown(s("a"), false)),
            ("p".into(), shown(s("hunter2"), true)),
        ]),
        checks: vec![CheckResult {
            status: CheckStatus::Fail,
            messages: vec!["name must be b".into()],
            ..passed("check", "check.c")
        }],
    };
    let mut out = Vec::new();
    write_state_json(&view, &mut out).unwrap();
    let found = serde_json::from_slice(&out).unwrap();
    same("", &found, &fixture(include_str!("fixtures/terraform/change/state-before.json")));
}

#[test]
fn an_empty_state_is_only_a_version() {
    let mut out = Vec::new();
    write_state_json(&StateView::default(), &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"format_version":"1.0"}"#);
}
