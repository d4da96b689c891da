//! The fake provider does what a test wishes.

use plumb_model::{Type, Value};
use plumb_provider_sdk::fake::{Behaviour, Fake, Operation};
use plumb_provider_sdk::harness::Harness;

#[tokio::test]
async fn objects_exist_and_drift() {
    let fake = Fake::new();
    let harness = Harness::new(fake.provider()).await.unwrap();
    let object = harness.create("fake_object", &[("name", "a".into())]).await.unwrap();
    assert_eq!(fake.names(), ["a"]);

    assert!(fake.alter("a", |object| object.size = 9.into()));
    let seen = harness.read(&object).await.unwrap().unwrap();
    assert_eq!(*seen.get("size"), Value::int(9));
    assert!(!harness.plan("fake_object", Some(&seen), &[("name", "a".into())]).await.unwrap().is_no_op());

    assert!(fake.lose("a"));
    assert_eq!(harness.read(&object).await.unwrap(), None);
    harness.delete(&object).await.unwrap();
}

#[tokio::test]
async fn wishes_are_granted_as_often_as_said() {
    let fake = Fake::new();
    let harness = Harness::new(fake.provider()).await.unwrap();
    fake.on_next(1, Operation::Create, "a", Behaviour::Fail("no quota".into()));
    assert!(harness.create("fake_object", &[("name", "a".into())]).await.is_err());
    assert!(fake.names().is_empty());
    harness.create("fake_object", &[("name", "a".into())]).await.unwrap();
    assert_eq!(fake.count(Operation::Create), 2);

    fake.on(Operation::Create, "*", Behaviour::FailAfter("lost the line".into()));
    let forecast = harness.plan("fake_object", None, &[("name", "b".into())]).await.unwrap();
    let (left, diagnostics) = harness.apply(&forecast).await;
    assert!(left.is_some() && diagnostics.has_errors());
    assert_eq!(fake.names(), ["a", "b"]);
}

#[tokio::test]
async fn a_hanging_call_ends_when_it_is_released_or_stopped() {
    let fake = Fake::new();
    let harness = std::sync::Arc::new(Harness::new(fake.provider()).await.unwrap());
    fake.on(Operation::Create, "*", Behaviour::Hang);
    let run = |name: &'static str| {
        let harness = harness.clone();
        tokio::spawn(async move { harness.create("fake_object", &[("name", name.into())]).await })
    };
    let task = run("a");
    fake.called(Operation::Create, "a").await;
    while !task.is_finished() {
        fake.release();
        tokio::task::yield_now().await;
    }
    assert!(task.await.unwrap().is_ok());

    let task = run("b");
    fake.called(Operation::Create, "b").await;
    harness.provider().stop().await;
    assert!(task.await.unwrap().is_err());
    assert_eq!(fake.names(), ["a"]);
}

#[tokio::test]
async fn lies_are_found_by_the_harness() {
    let fake = Fake::new();
    let harness = Harness::new(fake.provider()).await.unwrap();
    fake.on_next(1, Operation::Plan, "a", Behaviour::lie_about("name", "b".into()));
    assert!(harness.plan("fake_object", None, &[("name", "a".into())]).await.is_err());
    fake.on_next(1, Operation::Create, "a", Behaviour::lie_about("revision", Value::unknown(Type::Number)));
    assert!(harness.create("fake_object", &[("name", "a".into())]).await.is_err());
}

#[tokio::test]
async fn an_interrupted_creation_is_found_by_what_was_planned() {
    let fake = Fake::new();
    let harness = Harness::new(fake.provider()).await.unwrap();
    let object = harness.create("fake_object", &[("name", "a".into())]).await.unwrap();
    let mut planned = object.clone();
    planned.state = Value::object(planned.state.as_entries().unwrap().iter().map(|(name, value)| {
        let lost = name == "id" || name == "revision";
        (name.clone(), if lost { Value::Null(value.ty()) } else { value.clone() })
    }));
    assert_eq!(harness.read(&planned).await.unwrap().unwrap().text("id"), object.text("id"));
}
