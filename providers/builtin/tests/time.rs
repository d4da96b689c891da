//! Moments are planned and recorded as Terraform's provider does; the values were taken from it.

use plumb_model::{Path, Type, Value};
use plumb_provider_builtin::lookup;
use plumb_provider_sdk::harness::{Harness, Object};

async fn harness() -> Harness {
    Harness::new(lookup("time").unwrap()).await.unwrap()
}

fn components(object: &Object) -> Vec<i64> {
    ["year", "month", "day", "hour", "minute", "second", "unix"]
        .iter()
        .map(|name| object.get(name).as_number().unwrap().to_i64().unwrap())
        .collect()
}

fn triggers(value: &str) -> (&'static str, Value) {
    ("triggers", Value::map(Type::String, [("a".into(), value.into())]))
}

#[tokio::test]
async fn a_static_moment_that_is_given_is_known_when_planned() {
    let harness = harness().await;
    let given = [("rfc3339", Value::from("2020-02-12T06:36:13Z"))];
    let forecast = harness.plan("time_static", None, &given).await.unwrap();
    assert!(forecast.planned.is_wholly_known());
    let moment = harness.apply(&forecast).await.0.unwrap();
    assert_eq!(components(&moment), [2020, 2, 12, 6, 36, 13, 1_581_489_373]);
    assert_eq!(moment.text("id"), "2020-02-12T06:36:13Z");
    assert!(harness.plan("time_static", Some(&moment), &[]).await.unwrap().is_no_op());
    assert_eq!(harness.import("time_static", "2020-02-12T06:36:13Z").await.unwrap().state, moment.state);

    let other = harness.plan("time_static", Some(&moment), &[triggers("b")]).await.unwrap();
    assert_eq!(other.requires_replace, [Path::of("rfc3339"), Path::of("triggers")]);
    assert!(other.is_unknown("rfc3339"));
    let now = harness.create("time_static", &[]).await.unwrap();
    assert_ne!(now.text("rfc3339"), "");
}

#[tokio::test]
async fn an_offset_changes_in_place() {
    let harness = harness().await;
    let base = |text: &str| ("base_rfc3339", Value::from(text));
    let month = ("offset_months", Value::int(1));
    let moment = harness.create("time_offset", &[base("2020-01-31T06:36:13Z"), month.clone()]).await.unwrap();
    assert_eq!(components(&moment), [2020, 3, 2, 6, 36, 13, 1_583_130_973]);
    assert_eq!(moment.text("id"), "2020-01-31T06:36:13Z");
    let imported = harness.import("time_offset", "2020-01-31T06:36:13Z,0,1,0,0,0,0").await.unwrap();
    assert_eq!(imported.state, moment.state);

    let later = [("offset_days", Value::int(8))];
    let forecast = harness.plan("time_offset", Some(&moment), &later).await.unwrap();
    assert!(!forecast.is_replacement() && forecast.planned.is_wholly_known());
    assert_eq!(harness.apply(&forecast).await.0.unwrap().text("rfc3339"), "2020-02-08T06:36:13Z");

    let rebased = [base("2020-01-30T06:36:13Z"), month];
    let forecast = harness.plan("time_offset", Some(&moment), &rebased).await.unwrap();
    assert!(!forecast.is_replacement() && forecast.is_unknown("id") && forecast.is_unknown("year"));
    let rebased = harness.apply(&forecast).await.0.unwrap();
    assert_eq!(components(&rebased)[..3], [2020, 3, 1]);

    let other = [("offset_days", Value::int(8)), triggers("b")];
    let other = harness.plan("time_offset", Some(&moment), &other).await.unwrap();
    assert_eq!(other.requires_replace, [Path::of("triggers")]);
}

#[tokio::test]
async fn a_rotation_is_gone_when_its_time_has_come() {
    let harness = harness().await;
    let base = ("rfc3339", Value::from("2025-01-31T06:36:13Z"));
    let far = [base.clone(), ("rotation_years", Value::int(40))];
    let moment = harness.create("time_rotating", &far).await.unwrap();
    assert_eq!(components(&moment), [2065, 1, 31, 6, 36, 13, 3_000_609_373]);
    assert_eq!(moment.text("rotation_rfc3339"), "2065-01-31T06:36:13Z");
    assert_eq!(harness.read(&moment).await.unwrap().unwrap(), moment);
    assert!(harness.plan("time_rotating", Some(&moment), &far[1..]).await.unwrap().is_no_op());
    let imported = harness.import("time_rotating", "2025-01-31T06:36:13Z,40,0,0,0,0").await.unwrap();
    assert_eq!(imported.state, moment.state);

    let near = [base.clone(), ("rotation_days", Value::int(30))];
    let forecast = harness.plan("time_rotating", Some(&moment), &near).await.unwrap();
    assert!(!forecast.is_replacement() && forecast.planned.is_wholly_known());
    let past = harness.apply(&forecast).await.0.unwrap();
    assert_eq!(past.text("rotation_rfc3339"), "2025-03-02T06:36:13Z");
    assert_eq!(harness.read(&past).await.unwrap(), None);

    let fixed = [base, ("rotation_rfc3339", "2050-02-12T06:36:13Z".into())];
    let fixed = harness.change(&moment, &fixed).await.unwrap();
    assert_eq!(components(&fixed), [2050, 2, 12, 6, 36, 13, 2_528_260_573]);
    let moved = [("rfc3339", Value::from("2026-01-31T06:36:13Z")), ("rotation_years", Value::int(40))];
    let moved = harness.plan("time_rotating", Some(&moment), &moved).await.unwrap();
    assert_eq!(moved.requires_replace, [Path::of("rfc3339")]);
}

#[tokio::test]
async fn sleeping_ends_at_once_when_it_is_asked_to() {
    let harness = std::sync::Arc::new(harness().await);
    let short = harness.create("time_sleep", &[("create_duration", "1ms".into())]).await.unwrap();
    let longer = [("create_duration", "5h".into()), ("destroy_duration", "5h".into())];
    let changed = harness.change(&short, &longer).await.unwrap();
    assert_eq!(changed.text("id"), short.text("id"), "a changed duration waits for nothing");

    let deletion = {
        let harness = harness.clone();
        tokio::spawn(async move { harness.delete(&changed).await })
    };
    tokio::task::yield_now().await;
    harness.provider().stop().await;
    let (left, diagnostics) = deletion.await.unwrap().unwrap_err();
    assert!(left.is_some() && diagnostics.has_errors());
}

#[tokio::test]
async fn mistakes_are_told() {
    let harness = harness().await;
    for (kind, arguments) in [
        ("time_offset", vec![]),
        ("time_rotating", vec![]),
        ("time_sleep", vec![]),
        ("time_static", vec![("rfc3339", Value::from("yesterday"))]),
        ("time_rotating", vec![("rotation_days", Value::int(0))]),
        (
            "time_rotating",
            vec![("rotation_days", Value::int(1)), ("rotation_rfc3339", "2050-02-12T06:36:13Z".into())],
        ),
        ("time_sleep", vec![("create_duration", "1 s".into())]),
    ] {
        assert!(harness.validate(kind, &arguments).await.unwrap().has_errors(), "{kind}");
    }
    let far = [("offset_years", Value::int(i64::MAX))];
    assert!(harness.create("time_offset", &far).await.is_err());
}
