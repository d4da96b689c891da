//! What is planned follows from the flags of the model.

use plumb_model::{Path, Type, Value};
use plumb_provider_sdk::harness::{Forecast, Harness, Object};
use plumb_provider_sdk::{
    Attr, Checks, Context, Failed, Model, Planning, ProviderBuilder, Resource, async_trait, check,
};

/// A thing.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Thing {
    /// Its name.
    #[attribute(required, requires_replace)]
    pub name: Attr<String>,
    /// How many.
    #[attribute(default = 3)]
    pub size: Attr<i64>,
    /// Labels.
    #[attribute(optional)]
    pub labels: Attr<std::collections::BTreeMap<String, String>>,
    /// A password that is not kept.
    #[attribute(optional, write_only)]
    pub password: Attr<String>,
    /// Stays.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
    /// Changes whenever anything does.
    #[attribute(computed)]
    pub tag: Attr<String>,
}

struct Things;

#[async_trait]
impl Resource for Things {
    type Model = Thing;
    type Client = ();

    fn version(&self) -> i64 {
        1
    }

    fn validate(&self, config: &Thing, checks: &mut Checks) {
        checks.attribute("size", &config.size, check::at_least(1));
    }

    async fn plan(
        &self,
        plan: &mut Planning<'_>,
        _: &mut Context<()>,
    ) -> Result<(), plumb_model::Diagnostics> {
        if plan.config_value("name").as_str().is_some_and(|name| name == "restless") {
            plan.force_update();
        }
        Ok(())
    }

    async fn create(&self, planned: Thing, context: &mut Context<()>) -> Result<Thing, Failed<Thing>> {
        let config: Thing = context.config()?.expect("a creation has a configuration");
        let tag = format!("{}/{}", planned.name.text(), config.password.text().len());
        context.private.set(&1);
        Ok(Thing { id: "1".into(), tag: tag.into(), ..planned })
    }

    async fn update(
        &self,
        prior: Thing,
        planned: Thing,
        context: &mut Context<()>,
    ) -> Result<Thing, Failed<Thing>> {
        if planned.size.known() == Some(&13) {
            let left = Thing { tag: "half".into(), ..prior };
            return Err(Failed::leaving(left, plumb_model::Diagnostic::error("thirteen", "No")));
        }
        let writes: i64 = context.private.get();
        context.private.set(&(writes + 1));
        Ok(Thing { tag: format!("{}", writes + 1).into(), ..planned })
    }

    fn upgrade(
        &self,
        _: i64,
        mut state: serde_json::Map<String, serde_json::Value>,
    ) -> Result<serde_json::Map<String, serde_json::Value>, plumb_model::Diagnostics> {
        if let Some(old) = state.remove("title") {
            state.insert("name".into(), old);
        }
        Ok(state)
    }
}

async fn harness() -> Harness {
    Harness::new(ProviderBuilder::new("things").resource("thing", Things).build()).await.unwrap()
}

async fn plan(prior: Option<&Object>, arguments: &[(&str, Value)]) -> Forecast {
    harness().await.plan("thing", prior, arguments).await.unwrap()
}

#[tokio::test]
async fn a_creation_has_defaults_and_unknowns() {
    let forecast = plan(None, &[("name", "a".into()), ("password", "secret".into())]).await;
    assert_eq!(
        forecast.planned,
        Value::object([
            ("name", Value::from("a")),
            ("size", Value::int(3)),
            ("labels", Value::Null(Type::map(Type::String))),
            ("password", Value::Null(Type::String)),
            ("id", Value::unknown_not_null(Type::String)),
            ("tag", Value::unknown(Type::String)),
        ])
    );
}

#[tokio::test]
async fn nothing_changes_where_nothing_is_said_anew() {
    let harness = harness().await;
    let thing =
        harness.create("thing", &[("name", "a".into()), ("password", "secret".into())]).await.unwrap();
    assert_eq!(thing.text("tag"), "a/6");
    assert!(thing.get("password").is_null());
    assert!(plan(Some(&thing), &[("name", "a".into())]).await.is_no_op());
    assert!(plan(Some(&thing), &[("name", "a".into()), ("size", Value::int(3))]).await.is_no_op());
}

#[tokio::test]
async fn a_change_makes_unknown_what_is_not_kept() {
    let harness = harness().await;
    let thing = harness.create("thing", &[("name", "a".into())]).await.unwrap();
    let forecast = plan(Some(&thing), &[("name", "a".into()), ("size", Value::int(4))]).await;
    assert!(forecast.is_unknown("tag") && !forecast.is_unknown("id") && !forecast.is_replacement());
    let changed = harness.change(&thing, &[("name", "a".into()), ("size", Value::int(4))]).await.unwrap();
    assert_eq!((changed.text("id"), changed.text("tag")), ("1", "2"));
}

#[tokio::test]
async fn a_replacement_names_its_reason_and_is_planned_like_a_creation() {
    let harness = harness().await;
    let thing = harness.create("thing", &[("name", "a".into())]).await.unwrap();
    let forecast = plan(Some(&thing), &[("name", "b".into())]).await;
    assert_eq!(forecast.requires_replace, [Path::of("name")]);
    assert!(forecast.is_unknown("id"));
}

#[tokio::test]
async fn authors_may_plan_an_update_of_their_own() {
    let harness = harness().await;
    let thing = harness.create("thing", &[("name", "restless".into())]).await.unwrap();
    let forecast = plan(Some(&thing), &[("name", "restless".into())]).await;
    assert!(forecast.is_unknown("tag") && !forecast.is_no_op());
}

#[tokio::test]
async fn a_failed_update_leaves_what_the_author_says() {
    let harness = harness().await;
    let thing = harness.create("thing", &[("name", "a".into())]).await.unwrap();
    let forecast = plan(Some(&thing), &[("name", "a".into()), ("size", Value::int(13))]).await;
    let (left, diagnostics) = harness.apply(&forecast).await;
    assert!(diagnostics.has_errors());
    assert_eq!(left.unwrap().text("tag"), "half");
}

#[tokio::test]
async fn unsuitable_values_are_told_with_their_place() {
    let harness = harness().await;
    let wrong = [("name", Value::from("a")), ("size", Value::int(0))];
    let found = harness.validate("thing", &wrong).await.unwrap();
    let first = found.iter().next().unwrap();
    assert_eq!(first.attribute, Some(Path::of("size")));
    assert_eq!(first.detail, "Found 0, wanted at least 1.");

    let half = Value::Number(plumb_model::Number::parse("1.5").unwrap());
    let found = harness.validate("thing", &[("name", "a".into()), ("size", half)]).await.unwrap();
    assert_eq!(found.iter().next().unwrap().attribute, Some(Path::of("size")));
}

#[tokio::test]
async fn saved_objects_are_brought_into_the_present_form() {
    let harness = harness().await;
    let old = harness.upgrade("thing", 0, r#"{"title":"a","id":"1","gone":true}"#).await.unwrap();
    assert_eq!((old.text("name"), old.text("id")), ("a", "1"));
    assert!(harness.upgrade("thing", 1, r#"{"name":[]}"#).await.is_err());
    assert!(harness.upgrade("thing", 1, "nonsense").await.is_err());
}

#[tokio::test]
async fn misshapen_values_are_refused_without_a_panic() {
    let provider = ProviderBuilder::new("things").resource("thing", Things).build();
    for value in [Value::NULL, Value::int(1), Value::object([("name", Value::from("a"))])] {
        let request = plumb_provider_api::PlanRequest {
            kind: "thing".into(),
            prior: Value::NULL,
            proposed: Value::object([("x", Value::int(1))]),
            config: if value.is_null() { Value::int(1) } else { value },
            prior_private: bytes::Bytes::from_static(b"\xff"),
            meta: None,
            prior_identity: None,
        };
        assert!(provider.plan(request).await.into_result().is_err());
    }
}

#[tokio::test]
async fn the_schema_carries_the_documentation() {
    let schema = ProviderBuilder::new("things").resource("thing", Things).build().schema().await.unwrap();
    let thing = &schema.resources["thing"];
    assert_eq!(thing.block.description, "A thing.");
    assert_eq!(thing.block.attributes["size"].description, "How many. By default `3`.");
    assert!(thing.block.attributes["password"].write_only);
    assert_eq!(thing.block.attributes.keys().next().unwrap(), "name");
}
