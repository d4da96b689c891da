//! What a provider can do, over both protocols, with a provider that does all of it.

mod support;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use plumb_model::{Number, Type, Value};
use plumb_provider_api::{ApplyRequest, ImportTarget, MoveRequest, Progress, Provider, RawState};
use support::bench::{Bench, Made, code};

fn number(text: &str) -> Value {
    Value::Number(Number::parse(text).unwrap())
}

#[tokio::test]
async fn a_thing_is_made_read_changed_and_deleted() {
    for protocol in [5, 6] {
        let Some(bench) = Bench::new(protocol, &[]).await else { return };
        let anything = Value::object([("a", Value::tuple(vec![Value::int(1), "x".into()]))]);
        let attributes = |title: &str| {
            vec![
                ("name", Value::from("a")),
                ("title", Value::from(title)),
                ("precise", number("0.1")),
                ("tags", Value::map(Type::String, [("k".into(), "v".into())])),
                ("ports", Value::set(Type::Number, vec![Value::int(3), number("1.5")])),
                ("anything", anything.clone()),
                ("password_wo", Value::from("secret")),
            ]
        };
        let config = bench.object("conformance_thing", &attributes("one")).await;
        assert!(bench.provider.validate_resource("conformance_thing", config.clone()).await.is_empty());
        let plan = bench.try_plan("conformance_thing", None, config.clone()).await.unwrap();
        assert_eq!(plan.planned.get("size"), Some(&Value::int(1)), "the default");
        assert!(!plan.planned.get("revision").unwrap().is_known());
        assert!(plan.planned.get("password_wo").unwrap().is_null());
        assert!(!plan.legacy_type_system);

        let made = bench.apply("conformance_thing", None, config).await;
        assert_eq!(made.state.get("precise"), Some(&number("0.1")));
        assert_eq!(made.state.get("anything"), Some(&anything));
        assert_eq!(made.identity, Some(Value::object([("name", Value::from("a"))])));
        assert!(made.private.starts_with(b"{\"made\""), "{:?}", made.private);
        let read = bench.try_read("conformance_thing", &made).await.unwrap();
        assert_eq!((&read.state, &read.private), (&made.state, &made.private));

        let config = bench.object("conformance_thing", &attributes("two")).await;
        let made = bench.apply("conformance_thing", Some(&made), config).await;
        assert_eq!(made.state.get("revision"), Some(&Value::int(2)));

        let null = Value::Null(bench.ty("conformance_thing").await);
        let deletion =
            bench.plan_proposed("conformance_thing", Some(&made), null.clone(), null.clone()).await.unwrap();
        let gone = bench.try_apply("conformance_thing", Some(&made), deletion, null).await;
        assert!(gone.state.unwrap().is_null());
        assert_eq!(bench.history(), ["create thing a", "update thing a", "delete thing a"]);
        assert!(bench.try_read("conformance_thing", &made).await.unwrap().state.is_null());
    }
}

#[tokio::test]
async fn another_name_is_another_object() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let made = bench
        .apply("conformance_thing", None, bench.object("conformance_thing", &[("name", "a".into())]).await)
        .await;
    let config = bench.object("conformance_thing", &[("name", "b".into())]).await;
    let plan = bench.try_plan("conformance_thing", Some(&made), config).await.unwrap();
    assert_eq!(plan.requires_replace.iter().map(ToString::to_string).collect::<Vec<_>>(), ["name"]);
}

#[tokio::test]
async fn blocks_and_nested_attributes_of_every_kind_come_through() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let ty = bench.ty("conformance_blocks").await;
    let element = |name: &str| ty.attributes().unwrap()[name].element().unwrap().clone();
    let deep = Type::object([("port", Type::Number)]);
    let item = |key: &str| vec![("key", key.into()), ("value", Value::NULL), ("handle", Value::NULL)];
    let mut many = item("k");
    many.push(("deep", Value::list(deep.clone(), vec![Value::object([("port", Value::int(1))])])));
    let choices = vec![Value::object(item("x")), Value::object(item("y"))];
    let attributes = [
        ("name", "b".into()),
        ("many", Value::list(element("many"), vec![Value::object(many)])),
        ("choice", Value::set(element("choice"), choices)),
    ];
    let made =
        bench.apply("conformance_blocks", None, bench.object("conformance_blocks", &attributes).await).await;
    let handles: Vec<_> = made
        .state
        .get("choice")
        .unwrap()
        .as_items()
        .unwrap()
        .iter()
        .map(|c| c.get("handle").unwrap().clone())
        .collect();
    assert_eq!(handles, [Value::from("handle of x"), Value::from("handle of y")]);

    let ty = bench.ty("conformance_nested").await;
    let element = ty.attributes().unwrap()["set"].element().unwrap().clone();
    let attributes = [
        ("name", "n".into()),
        ("one", Value::object(item("k"))),
        ("set", Value::set(element.clone(), vec![Value::object(item("a"))])),
        ("map", Value::map(element, [("m".into(), Value::object(item("z")))])),
    ];
    let made =
        bench.apply("conformance_nested", None, bench.object("conformance_nested", &attributes).await).await;
    assert_eq!(made.state.get("one").unwrap().get("handle"), Some(&"handle of k".into()));
    assert_eq!(made.state.get("map").unwrap().get("m").unwrap().get("handle"), Some(&"handle of z".into()));
    assert!(made.state.get("list").unwrap().is_null());
}

#[tokio::test]
async fn the_older_kit_is_borne_with() {
    for protocol in [5, 6] {
        let Some(bench) = Bench::new(protocol, &[]).await else { return };
        let ty = bench.ty("conformance_legacy").await;
        let rule = ty.attributes().unwrap()["rule"].element().unwrap().clone();
        let rules = vec![Value::object([("port", Value::int(80)), ("handle", Value::Null(Type::String))])];
        let attributes = [("name", "l".into()), ("rule", Value::set(rule, rules))];
        let config = bench.object("conformance_legacy", &attributes).await;
        let plan = bench.try_plan("conformance_legacy", None, config.clone()).await.unwrap();
        assert!(plan.legacy_type_system);
        assert_eq!(plan.planned.get("title"), Some(&"untitled".into()));
        let made = bench.apply("conformance_legacy", None, config).await;
        let rules = made.state.get("rule").unwrap().as_items().unwrap();
        assert_eq!(rules[0].get("handle"), Some(&"handle of 80".into()));
        let read = bench.try_read("conformance_legacy", &made).await.unwrap();
        assert!(read.state.get("disk").unwrap().as_items().is_some_and(<[_]>::is_empty), "{:?}", read.state);
    }
}

#[tokio::test]
async fn old_states_are_brought_up_to_date() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let upgrade = async |kind: &str, version, state| {
        bench.provider.upgrade(kind, version, state).await.into_result().unwrap().0
    };
    let json = RawState::Json(Bytes::from_static(br#"{"id":"a","size":"7","title":"t"}"#));
    let state = upgrade("conformance_thing", 0, json).await;
    assert_eq!((state.get("name"), state.get("size")), (Some(&"a".into()), Some(&Value::int(7))));

    let flat = |entries: &[(&str, &str)]| {
        RawState::Flatmap(entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    };
    let state = upgrade("conformance_thing", 0, flat(&[("id", "a"), ("size", "7")])).await;
    assert_eq!(state.get("size"), Some(&Value::int(7)));
    let state =
        upgrade("conformance_legacy", 0, flat(&[("id", "l"), ("name", "l"), ("caption", "old")])).await;
    assert_eq!(state.get("title"), Some(&"old".into()));

    let saved = Bytes::from_static(br#"{"id":"a"}"#);
    let (identity, _) =
        bench.provider.upgrade_identity("conformance_thing", 0, saved).await.into_result().unwrap();
    assert_eq!(identity, Value::object([("name", Value::from("a"))]));
}

#[tokio::test]
async fn a_module_is_named_to_the_provider() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let kind = "conformance_thing";
    let config = bench.object(kind, &[("name", "a".into())]).await;
    let plan = bench.try_plan(kind, None, config.clone()).await.unwrap();
    let request = ApplyRequest {
        kind: kind.into(),
        prior: Value::Null(bench.ty(kind).await),
        planned: plan.planned,
        config,
        planned_private: plan.private,
        meta: Some(Value::object([("module_name", Value::from("inner"))])),
        planned_identity: plan.identity,
    };
    assert!(bench.provider.apply(request).await.diagnostics.is_empty());
    let history = std::fs::read_to_string(&bench.remote).unwrap();
    assert!(history.contains(r#""module":"inner""#), "{history}");
}

#[tokio::test]
async fn objects_are_imported_by_id_and_identity_and_moved() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let kind = "conformance_thing";
    bench.apply(kind, None, bench.object(kind, &[("name", "a".into()), ("title", "t".into())]).await).await;
    let identity = Value::object([("name", Value::from("a"))]);
    for target in [ImportTarget::Id("a".into()), ImportTarget::Identity(identity)] {
        let (found, _) = bench.provider.import(kind, target).await.into_result().unwrap();
        let [found] = found.as_slice() else { panic!("one object: {found:?}") };
        let made = Made {
            state: found.state.clone(),
            private: found.private.clone(),
            identity: found.identity.clone(),
        };
        let read = bench.try_read(kind, &made).await.unwrap();
        assert_eq!(read.state.get("title"), Some(&"t".into()));
    }
    let request = |source: &str| MoveRequest {
        source_provider: "example.com/plumb/conformance".into(),
        source_kind: source.into(),
        source_version: 1,
        source_state: RawState::Json(Bytes::from_static(br#"{"name":"m"}"#)),
        source_private: Bytes::new(),
        target_kind: kind.into(),
    };
    let (moved, _) = bench.provider.move_state(request("conformance_legacy")).await.into_result().unwrap();
    assert_eq!(moved.state.get("name"), Some(&"m".into()));
    let refused = bench.provider.move_state(request("conformance_blocks")).await.into_result().unwrap_err();
    assert_eq!(code(&refused), "provider-reported");
}

#[tokio::test]
async fn data_is_read_and_what_is_wrong_with_it_has_a_place() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let kind = "conformance_thing";
    bench.apply(kind, None, bench.object(kind, &[("name", "a".into()), ("title", "t".into())]).await).await;
    let config = |name: &str| {
        Value::object([("name", name.into()), ("title", Value::NULL), ("revision", Value::NULL)])
    };
    let (data, _) = bench.provider.read_data(kind, config("a"), None).await.into_result().unwrap();
    assert_eq!(data.get("revision"), Some(&Value::int(1)));
    let missing = bench.provider.read_data(kind, config("z"), None).await.into_result().unwrap_err();
    let diagnostic = missing.iter().next().unwrap();
    assert_eq!(diagnostic.attribute.as_ref().unwrap().to_string(), "name");
    assert_eq!(diagnostic.notes, ["Reported by provider example.com/plumb/conformance."]);
}

#[tokio::test]
async fn functions_take_any_number_and_any_kind_of_argument() {
    let Some(bench) = Bench::unconfigured(6, &[]) else { return };
    let call = async |name: &str, arguments: Vec<Value>| bench.provider.call(name, arguments).await;
    let words = ["-", "a", "b", "c"].map(Value::from).to_vec();
    assert_eq!(call("join", words).await, Ok("a-b-c".into()));
    assert_eq!(call("join", vec!["-".into(), "a".into(), "".into()]).await.unwrap_err().argument, Some(2));
    assert_eq!(call("join", vec![]).await.unwrap_err().text, "`join` was given 0 arguments; it takes 1.");
    assert_eq!(call("describe", vec![Value::NULL]).await, Ok("null".into()));
    assert_eq!(call("describe", vec![Value::unknown(Type::Dynamic)]).await, Ok("unknown".into()));
    assert_eq!(call("describe", vec![Value::unknown(Type::String)]).await, Ok("unknown".into()));
    assert!(call("joim", vec![]).await.unwrap_err().text.contains("function `joim`"));
}

#[tokio::test]
async fn a_lease_is_opened_renewed_and_closed() {
    for protocol in [5, 6] {
        let Some(bench) = Bench::new(protocol, &[]).await else { return };
        let config = Value::object([("name", "l".into()), ("token", Value::NULL)]);
        assert!(bench.provider.validate_ephemeral("conformance_lease", config.clone()).await.is_empty());
        let (lease, _) = bench.provider.open("conformance_lease", config).await.into_result().unwrap();
        assert_eq!(lease.result.get("token"), Some(&"token of l".into()));
        assert!(lease.renew_at.is_some());
        let renewed =
            bench.provider.renew("conformance_lease", lease.private.clone()).await.into_result().unwrap().0;
        assert_eq!(renewed.0, lease.private);
        assert!(bench.provider.close("conformance_lease", lease.private).await.is_empty());
        assert_eq!(bench.history(), ["open lease l", "renew lease l", "close lease l"]);
    }
}

#[tokio::test]
async fn an_action_is_checked_planned_and_invoked() {
    for protocol in [5, 6] {
        let Some(bench) = Bench::new(protocol, &[]).await else { return };
        let config = |name: Value, fail: bool, crash: bool| {
            Value::object([
                ("name", name),
                ("times", Value::int(2)),
                ("fail", Value::Bool(fail)),
                ("crash", Value::Bool(crash)),
            ])
        };
        let kind = "conformance_notify";
        let unknown = config(Value::unknown(Type::String), false, false);
        assert!(bench.provider.validate_action(kind, unknown.clone()).await.is_empty());
        assert!(bench.provider.plan_action(kind, unknown).await.is_empty());
        assert!(bench.history().is_empty(), "planning changes nothing");

        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        let progress: Progress = Arc::new(move |message| heard.lock().unwrap().push(message.to_string()));
        let invoked = bench.provider.invoke(kind, config("a".into(), false, false), progress.clone()).await;
        assert!(invoked.certain && invoked.diagnostics.is_empty(), "{invoked:?}");
        assert_eq!(*said.lock().unwrap(), ["step 1", "step 2"]);
        assert_eq!(bench.history(), ["notify action a"]);

        let failed = bench.provider.invoke(kind, config("b".into(), true, false), progress.clone()).await;
        assert!(failed.certain && failed.diagnostics.has_errors());
        assert_eq!(bench.history(), ["notify action a"]);

        let lost = bench.provider.invoke(kind, config("c".into(), false, true), progress).await;
        assert!(!lost.certain && lost.diagnostics.has_errors(), "the plugin ended in the middle of it");
    }
}
