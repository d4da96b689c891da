//! `terraform_data` is planned as Terraform plans it.

use plumb_model::{Path, Type, Value};
use plumb_provider_builtin::lookup;
use plumb_provider_sdk::harness::Harness;

async fn harness() -> Harness {
    Harness::new(lookup("terraform").unwrap()).await.unwrap()
}

const KIND: &str = "terraform_data";

#[tokio::test]
async fn output_is_known_after_a_creation_only_if_there_is_input() {
    let harness = harness().await;
    let empty = harness.plan(KIND, None, &[]).await.unwrap();
    assert!(empty.is_unknown("id") && !empty.is_unknown("output"));
    assert!(empty.planned.get("output").unwrap().is_null());
    let five = harness.plan(KIND, None, &[("input", Value::int(5))]).await.unwrap();
    assert_eq!(*five.planned.get("output").unwrap(), Value::unknown(Type::Number));
    let later = harness.plan(KIND, None, &[("input", Value::unknown(Type::Dynamic))]).await.unwrap();
    assert!(later.is_unknown("output"));
}

#[tokio::test]
async fn output_follows_input_and_the_id_stays() {
    let harness = harness().await;
    let input = Value::object([("x", Value::tuple(vec![Value::int(1), Value::NULL]))]);
    let data = harness.create(KIND, &[("input", input.clone())]).await.unwrap();
    assert_eq!(*data.get("output"), input);
    assert!(harness.plan(KIND, Some(&data), &[("input", input)]).await.unwrap().is_no_op());

    let removed = harness.plan(KIND, Some(&data), &[]).await.unwrap();
    assert!(removed.is_unknown("output") && !removed.is_unknown("id") && !removed.is_replacement());
    let changed = harness.change(&data, &[]).await.unwrap();
    assert_eq!(changed.text("id"), data.text("id"));
    assert!(changed.get("output").is_null());
}

#[tokio::test]
async fn triggers_replace_the_object() {
    let harness = harness().await;
    let data = harness.create(KIND, &[("triggers_replace", Value::int(1))]).await.unwrap();
    for trigger in [Value::int(2), Value::from("1"), Value::NULL, Value::unknown(Type::Dynamic)] {
        let forecast = harness.plan(KIND, Some(&data), &[("triggers_replace", trigger)]).await.unwrap();
        assert_eq!(forecast.requires_replace, [Path::of("triggers_replace")]);
        assert!(forecast.is_unknown("id"));
    }
}

#[tokio::test]
async fn an_id_is_enough_to_import() {
    let data = harness().await.import(KIND, "abc").await.unwrap();
    assert_eq!(data.text("id"), "abc");
}

#[tokio::test]
async fn outputs_of_another_state_are_read() {
    let harness = harness().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("terraform.tfstate");
    let read = |defaults: Value| {
        let config = Value::object([("path", Value::from(path.to_str().unwrap()))]);
        [("backend", Value::from("local")), ("config", config), ("defaults", defaults)]
    };
    let none = Value::Null(Type::Dynamic);
    let kind = "terraform_remote_state";
    assert!(harness.data(kind, &read(none.clone())).await.is_err());
    let defaults = Value::object([("a", Value::from("x")), ("c", Value::from("y"))]);
    let data = harness.data(kind, &read(defaults.clone())).await.unwrap();
    assert_eq!(data.get("outputs"), Some(&defaults));

    let state = r#"{"version":4,"outputs":{"a":{"value":1.50,"type":"number"},
        "b":{"value":["x"],"type":["set","string"],"sensitive":true}}}"#;
    std::fs::write(&path, state).unwrap();
    let data = harness.data(kind, &read(defaults)).await.unwrap();
    let outputs = data.get("outputs").unwrap();
    assert_eq!(outputs.get("a").unwrap().as_number().unwrap().to_string(), "1.5");
    assert_eq!(outputs.get("b"), Some(&Value::set(Type::String, vec!["x".into()])));
    assert_eq!(outputs.get("c"), Some(&"y".into()));
    for wrong in
        ["", "{}", r#"{"version":3}"#, r#"{"version":4,"outputs":{"a":{"value":"x","type":"number"}}}"#]
    {
        std::fs::write(&path, wrong).unwrap();
        assert!(harness.data(kind, &read(none.clone())).await.is_err(), "{wrong}");
    }
}
