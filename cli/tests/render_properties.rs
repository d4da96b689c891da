//! For arbitrary values, whatever they hold: no renderer panics, no sensitive value is shown to people, no control
//! character reaches a terminal or a page, JSON is JSON, and a limit on size is kept.

use std::collections::BTreeMap;

use bytes::Bytes;
use plumb_cli::render::configuration_view::ConfigurationView;
use plumb_cli::render::outputs::outputs_text;
use plumb_cli::render::plan_json::{prior_state_of, write_plan_json};
use plumb_cli::render::plan_markdown::plan_markdown;
use plumb_cli::render::plan_text::plan_text;
use plumb_cli::render::report::html::write_html;
use plumb_cli::render::state_json::{OutputValue, write_state_json};
use plumb_cli::render::style::Style;
use plumb_engine::plan::{
    Action, Cause, Change, CheckResult, CheckStatus, Drift, Origin, OutputChange, Plan, Purpose, Reason,
    StateBinding,
};
use plumb_model::address::{Instance, Key, ModuleInstance, ProviderConfig, ProviderSource, Resource};
use plumb_model::{Marks, Path, Step, Type, Value};
use proptest::prelude::*;

/// Occurs in sensitive values and nowhere else.
const SECRET: &str = "S3CR3T";

/// Text as awkward as it comes, without capital letters, so that it never holds the secret.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        r"[a-z`<>|*_&$%{}\[\]\x22'\\ :/@#=,;-]{0,12}",
        r"(\n|\r|\t|[a-z ]|`|\x1b|\x07|\x00|\u{9b}|\u{202e}|\u{200b}|日|é|\u{2028}|\u{e0041}){0,16}",
        Just("{\"a\":[1,2,{\"b\":\"x\"}]}".to_owned()),
        Just("[{\"a\": 1}, null]\n".to_owned()),
        Just("line\nline\n```\n</details></pre>\n".to_owned()),
        Just("::error::x\n::set-output name=a::b".to_owned()),
    ]
}

fn secret() -> impl Strategy<Value = Value> {
    text().prop_map(|t| Value::string(format!("{t}{SECRET}\n{{}}{t}")).with_marks(Marks::SENSITIVE))
}

fn ty() -> impl Strategy<Value = Type> {
    prop_oneof![
        Just(Type::Dynamic),
        Just(Type::String),
        Just(Type::list(Type::Number)),
        Just(Type::object([("a", Type::Bool)])),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => ty().prop_map(Value::Null),
        1 => ty().prop_map(Value::unknown),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::int),
        3 => text().prop_map(Value::string),
        1 => secret(),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let items = || prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            items().prop_map(Value::tuple),
            items().prop_map(|items| Value::list(Type::Dynamic, items)),
            items().prop_map(|items| Value::set(Type::Dynamic, items)),
            entries(inner.clone()).prop_map(Value::object),
            entries(inner.clone())
                .prop_map(|e| Value::map(Type::Dynamic, e.into_iter().map(|(k, v)| (k.into(), v)))),
            inner.clone().prop_map(|v| v.with_marks(Marks::SENSITIVE)),
            inner.prop_map(|v| v.with_marks(Marks::EPHEMERAL)),
        ]
    })
}

fn entries(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<(String, Value)>> {
    let name = prop_oneof![text(), "[a-c]".prop_map(|name| name)];
    prop::collection::vec((name, inner), 0..5)
}

fn object() -> impl Strategy<Value = Value> {
    entries(value()).prop_map(Value::object)
}

fn address() -> impl Strategy<Value = Instance> {
    let key = prop_oneof![
        Just(Key::None),
        (0u64..20).prop_map(Key::Int),
        text().prop_map(|key| Key::String(key.into()))
    ];
    (key.clone(), key, any::<bool>(), "[a-z_]{1,8}").prop_map(|(of_module, key, nested, name)| {
        let root = ModuleInstance::root();
        Instance {
            module: if nested { root.child("m".into(), of_module) } else { root },
            resource: Resource::managed("file", name),
            key,
        }
    })
}

fn provider() -> ProviderConfig {
    ProviderConfig::implied(ProviderSource::builtin("file"))
}

fn path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        text().prop_map(|name| Step::Attribute(name.into())),
        text().prop_map(|name| Step::Key(name.into())),
        (0usize..3).prop_map(Step::Index),
        Just(Step::Any),
    ];
    prop::collection::vec(step, 0..4).prop_map(Path)
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        text().prop_map(|file| Origin::Configuration { file: file.into(), line: 3 }),
        Just(Origin::Drift),
        prop::collection::vec(text(), 0..5).prop_map(|addresses| Origin::Reference {
            addresses: addresses.into_iter().map(Into::into).collect()
        }),
        Just(Origin::Provider),
    ]
}

const ACTIONS: [Action; 8] = [
    Action::NoOp,
    Action::Create,
    Action::Read,
    Action::Update,
    Action::DeleteThenCreate,
    Action::CreateThenDelete,
    Action::Delete,
    Action::Forget,
];

const REASONS: [Reason; 8] = [
    Reason::ReplaceBecauseCannotUpdate,
    Reason::ReplaceBecauseTainted,
    Reason::ReplaceByTriggers,
    Reason::DeleteBecauseNoResourceConfig,
    Reason::DeleteBecauseWrongRepetition,
    Reason::DeleteBecauseEachKey,
    Reason::DeleteBecauseNoModule,
    Reason::ReadBecauseConfigUnknown,
];

fn change() -> impl Strategy<Value = Change> {
    let causes = prop::collection::vec((path(), origin()), 0..4);
    (
        (address(), prop::option::of(address()), prop::option::of(text()), prop::option::of(text())),
        (prop::sample::select(&ACTIONS[..]), prop::option::of(prop::sample::select(&REASONS[..]))),
        (object(), object()),
        (prop::collection::vec(path(), 0..3), causes),
    )
        .prop_map(
            |((address, previous_address, deposed, importing), (action, reason), values, remarks)| {
                let created = matches!(action, Action::Create | Action::Read);
                let deleted = matches!(action, Action::Delete | Action::Forget);
                Change {
                    address,
                    previous_address,
                    deposed: deposed.map(Into::into),
                    provider: provider(),
                    action,
                    reason,
                    before: if created { Value::NULL } else { values.0 },
                    after: if deleted { Value::NULL } else { values.1 },
                    replace_paths: remarks.0,
                    causes: remarks.1.into_iter().map(|(path, origin)| Cause { path, origin }).collect(),
                    importing: importing.map(Into::into),
                    create_before_destroy: false,
                    dependencies: Vec::new(),
                    prior_dependencies: Vec::new(),
                    prior_private: Bytes::new(),
                    planned_private: Bytes::new(),
                    schema_version: 0,
                    identity: None,
                }
            },
        )
}

fn plan() -> impl Strategy<Value = Plan> {
    let output = (prop::option::of(value()), prop::option::of(value()), any::<bool>());
    (
        prop::collection::vec(change(), 0..4),
        prop::option::of((address(), object(), object(), path(), any::<bool>())),
        prop::collection::btree_map(text(), output, 0..3),
        (text(), text()),
    )
        .prop_map(|(changes, drift, outputs, (message, target))| Plan {
            data: Vec::new(),
            invocations: Vec::new(),
            purpose: Purpose::Normal,
            changes,
            drift: drift
                .into_iter()
                .map(|(address, before, after, path, relevant)| Drift {
                    address,
                    deposed: None,
                    provider: provider(),
                    before,
                    after,
                    paths: vec![path],
                    relevant,
                })
                .collect(),
            outputs: outputs
                .into_iter()
                .map(|(name, (before, after, sensitive))| {
                    (name.into(), OutputChange { before, after, sensitive, ty: Type::Dynamic })
                })
                .collect(),
            checks: vec![CheckResult {
                kind: "check",
                config_address: "check.a".into(),
                address: "check.a".into(),
                status: CheckStatus::Fail,
                messages: vec![message.into()],
            }],
            variables: BTreeMap::new(),
            targets: vec![target.into()],
            excludes: Vec::new(),
            modules: Vec::new(),
            layouts: plumb_engine::plan::Layouts::default(),
            state: StateBinding::default(),
            timestamp: "2026-01-02T03:04:05Z".to_owned(),
            errored: false,
        })
}

/// Nothing a terminal or a page could obey, and nothing sensitive.
fn harmless(shown: &str) -> Result<(), TestCaseError> {
    prop_assert!(!shown.contains(SECRET), "{shown}");
    let odd = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\t') || matches!(c, '\u{202e}' | '\u{2028}' | '\u{e0041}')
    };
    prop_assert!(!shown.contains(odd), "{shown:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plans_are_shown_without_harm(plan in plan(), limit in 1_000usize..20_000) {
        harmless(&plan_text(&plan, &Style::plain()))?;

        let markdown = plan_markdown(&plan, "Plumb", limit);
        harmless(&markdown)?;
        prop_assert!(markdown.len() <= limit, "{} > {limit}", markdown.len());
        let fences = markdown.lines().filter(|line| line.starts_with("```")).count();
        prop_assert_eq!(fences % 2, 0);
        let opened = markdown.lines().filter(|line| line.starts_with("<details>")).count();
        let closed = markdown.lines().filter(|line| line.starts_with("</details>")).count();
        prop_assert_eq!(opened, closed);

        let mut page = Vec::new();
        write_html(&plan, "Plumb", &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        harmless(&page)?;
        prop_assert_eq!(page.matches("<pre>").count(), page.matches("</pre>").count());

        let mut json = Vec::new();
        write_plan_json(&plan, &ConfigurationView::default(), None, &mut json).unwrap();
        let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&json);
        prop_assert!(parsed.is_ok(), "{parsed:?}");
        let mut json = Vec::new();
        write_state_json(&prior_state_of(&plan), &mut json).unwrap();
        let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&json);
        prop_assert!(parsed.is_ok(), "{parsed:?}");
    }

    #[test]
    fn outputs_are_shown_without_harm(value in value(), sensitive: bool) {
        let outputs = BTreeMap::from([("o".into(), OutputValue { value, sensitive })]);
        harmless(&outputs_text(&outputs))?;
    }

    /// A change between equal objects has no marked lines; one between different ones has at least one.
    #[test]
    fn every_difference_is_shown(before in object(), after in object()) {
        use plumb_cli::render::diff::{Mark, Remarks, attributes};
        let marked = |a: &Value, b: &Value| {
            attributes(a, b, &Remarks::default(), &[], None).iter().any(|line| line.mark != Mark::Same)
        };
        prop_assert!(!marked(&before, &before));
        // A null that is there and one that is not differ; nulls of different types do not.
        let parts = |v: &Value| {
            let untyped = |v: &Value| if matches!(v, Value::Null(_)) { Value::NULL } else { v.clone() };
            v.as_entries().unwrap().iter().map(|(k, v)| (k.clone(), untyped(v))).collect::<Vec<_>>()
        };
        prop_assert_eq!(marked(&before, &after), parts(&before) != parts(&after));
    }
}
