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
