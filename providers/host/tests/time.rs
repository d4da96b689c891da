//! A provider that everybody uses: HashiCorp's `time`, written with the framework.

mod support;

use std::collections::BTreeSet;

use bytes::Bytes;
use plumb_model::{Type, Value};
use plumb_provider_api::{ApplyRequest, PlanRequest, Provider, ReadRequest};
use plumb_provider_host::Options;

const ADDRESS: &str = "registry.terraform.io/hashicorp/time";

/// The object of a type with these attributes set and all others null.
fn object(ty: &Type, attributes: &[(&str, Value)]) -> Value {
    Value::object(ty.attributes().unwrap().iter().map(|(name, ty)| {
        let given = attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        (name.clone(), given.unwrap_or(Value::Null(ty.clone())))
    }))
}

#[tokio::test]
async fn an_offset_is_planned_and_made() {
    let Some(program) = plumb_provider_testing::time() else { return };
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: Some(cache.path().to_owned()), ..Options::default() };
    let plugin = support::plugin(ADDRESS, program, options);
    let provider = plugin.provider();

    let schema = provider.schema().await.unwrap();
    let block = &schema.resources["time_offset"].block;
    assert!(block.attributes["rfc3339"].is_computed_only());
    assert!(schema.functions.contains_key("rfc3339_parse"));
    let ty = block.implied_type();
    assert!(provider.configure(Value::object::<&str>([])).await.is_empty());

    let config = object(
        &ty,
        &[("base_rfc3339", Value::string("2020-01-31T00:00:00Z")), ("offset_days", Value::int(1))],
    );
    assert!(provider.validate_resource("time_offset", config.clone()).await.is_empty());
    let request = PlanRequest {
        kind: "time_offset".into(),
        prior: Value::Null(ty.clone()),
        proposed: config.clone(),
        config: config.clone(),
        prior_private: Bytes::new(),
        meta: None,
        prior_identity: None,
    };
    let (plan, _) = provider.plan(request).await.into_result().unwrap();
    assert!(!plan.planned.get("rfc3339").unwrap().is_known());
    let request = ApplyRequest {
        kind: "time_offset".into(),
        prior: Value::Null(ty.clone()),
        planned: plan.planned,
        config,
        planned_private: plan.private,
        meta: None,
        planned_identity: plan.identity,
    };
    let applied = provider.apply(request).await;
    assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
    let state = applied.state.unwrap();
    assert_eq!(state.get("rfc3339"), Some(&Value::string("2020-02-01T00:00:00Z")));

    let request = ReadRequest {
        kind: "time_offset".into(),
        current: state.clone(),
        private: applied.private,
        meta: None,
        identity: applied.identity,
    };
    let (read, _) = provider.read(request).await.into_result().unwrap();
    assert_eq!(read.state, state);
    provider.shutdown().await;
}

#[tokio::test]
async fn functions_answer_without_a_configuration() {
    let Some(program) = plumb_provider_testing::time() else { return };
    let provider = support::plugin(ADDRESS, program, Options::default()).provider();
    let parsed = provider.call("rfc3339_parse", vec![Value::string("2023-07-25T23:43:16Z")]).await.unwrap();
    assert_eq!(parsed.get("year"), Some(&Value::int(2023)));
    let error = provider.call("rfc3339_parse", vec![Value::string("yesterday")]).await.unwrap_err();
    assert_eq!(error.argument, Some(0));
}

#[tokio::test]
async fn a_cached_schema_needs_no_process() {
    let Some(program) = plumb_provider_testing::time() else { return };
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: Some(cache.path().to_owned()), ..Options::default() };
    let first = support::plugin(ADDRESS, program.clone(), options.clone()).provider();
    let whole = first.schema().await.unwrap();
    first.shutdown().await;

    // The program is the same file with another start: it could not even say hello.
    let options = Options { environment: vec![("TF_PLUGIN_MAGIC_COOKIE".into(), "wrong".into())], ..options };
    let second = support::plugin(ADDRESS, program, options).provider();
    let cached = second.schema().await.unwrap();
    assert_eq!(cached.resources, whole.resources);
    let wanted = BTreeSet::from(["time_sleep".into()]);
    let part = second.schema_for(&wanted).await.unwrap();
    assert_eq!(part.resources.keys().collect::<Vec<_>>(), ["time_sleep"]);
    let diagnostics = second.configure(Value::object::<&str>([])).await;
    let diagnostic = diagnostics.iter().next().unwrap();
    assert_eq!(diagnostic.code, "plugin-ended");
    assert!(diagnostic.detail.contains("This binary is a plugin"), "{}", diagnostic.detail);
}

#[tokio::test]
async fn an_unknown_type_is_answered_with_a_guess() {
    let Some(program) = plumb_provider_testing::time() else { return };
    let provider = support::plugin(ADDRESS, program, Options::default()).provider();
    let diagnostics = provider.validate_resource("time_ofset", Value::NULL).await;
    let diagnostic = diagnostics.iter().next().unwrap();
    assert_eq!(diagnostic.code, "unknown-resource-type");
    assert_eq!(diagnostic.help.as_deref(), Some("Did you mean `time_offset`?"));
}
