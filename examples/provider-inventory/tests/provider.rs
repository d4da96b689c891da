//! The provider by itself, and as a process of its own, each driven by the harness.

use std::path::Path;
use std::sync::{Arc, Mutex};

use plumb_provider_host::{Options, Plugin, Source};
use plumb_provider_sdk::harness::Harness;
use plumb_provider_sdk::harness::life::Life;
use plumb_provider_sdk::{Progress, Provider, Type, Value};
use provider_inventory::service::Service;
use provider_inventory::{ADDRESS, provider};

const TOKEN: &str = "letmein";
const KIND: &str = "inventory_item";

fn service() -> Service {
    Service::start(0, TOKEN).expect("a port of this machine is free")
}

fn arguments(service: &Service) -> [(&'static str, Value); 2] {
    [("url", service.url().into()), ("token", TOKEN.into())]
}

async fn harness(service: &Service) -> Harness {
    Harness::configured(provider(), &arguments(service)).await.unwrap()
}

fn pump(quantity: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("name", "pump".into()),
        ("category", "pump".into()),
        ("quantity", Value::int(quantity)),
        ("tags", Value::map(Type::String, [("colour".into(), "red".into())])),
    ]
}

/// Creates, changes, imports and deletes; the service must agree.
async fn lives(harness: &Harness, service: &Service) {
    let (first, then) = (pump(3), pump(4));
    let life = Life { kind: KIND, first: &first, then: &then, import_by: Some("id"), lost_by_import: &[] };
    let (first, then) = harness.life(life).await.unwrap();
    assert_eq!((first.text("id"), then.text("id")), ("item-1", "item-1"));
    assert_eq!(*then.get("revision"), Value::int(2));
    assert!(service.inside().items.is_empty());
}

#[tokio::test]
async fn an_item_lives() {
    let service = service();
    lives(&harness(&service).await, &service).await;
}

#[tokio::test]
async fn an_item_lives_in_another_process() {
    let service = service();
    let program = Path::new(env!("CARGO_BIN_EXE_terraform-provider-inventory")).to_owned();
    let plugin = Plugin::new(ADDRESS, Source::Program(program), Options::default());
    let harness = Harness::configured(Arc::new(plugin.provider()), &arguments(&service)).await.unwrap();
    lives(&harness, &service).await;
    plugin.stop().await;
}

#[tokio::test]
async fn an_action_is_invoked_in_another_process() {
    let service = service();
    let program = Path::new(env!("CARGO_BIN_EXE_terraform-provider-inventory")).to_owned();
    let plugin = Plugin::new(ADDRESS, Source::Program(program), Options::default());
    let provider = Arc::new(plugin.provider());
    Harness::configured(provider.clone(), &arguments(&service)).await.unwrap();
    let kind = "inventory_stocktake";
    let config = Value::object([("reason", "end of year".into())]);
    assert!(provider.schema().await.unwrap().actions.contains_key(kind));
    assert!(provider.validate_action(kind, config.clone()).await.is_empty());
    assert!(provider.plan_action(kind, config.clone()).await.is_empty());
    assert!(service.inside().stocktakes.is_empty());

    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let progress: Progress = Arc::new(move |message| heard.lock().unwrap().push(message.to_string()));
    let invoked = provider.invoke(kind, config, progress).await;
    assert!(invoked.certain && invoked.diagnostics.is_empty(), "{invoked:?}");
    assert_eq!(*said.lock().unwrap(), ["counted 0"]);
    assert_eq!(service.inside().stocktakes[0]["reason"], "end of year");
    plugin.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_before_anything_is_made() {
    let service = service();
    let harness = harness(&service).await;
    let mut wrong = pump(-1);
    wrong[1].1 = "pmup".into();
    let found = harness.validate(KIND, &wrong).await.unwrap();
    let found: Vec<_> = found.iter().map(|d| d.detail.as_str()).collect();
    assert_eq!(
        found,
        [
            "Found `pmup`, wanted one of `pump`, `valve`, `pipe`. Did you mean `pump`?",
            "Found -1, wanted at least 0."
        ]
    );
}

#[tokio::test]
async fn the_wrong_token_is_an_error_that_names_the_request() {
    let service = service();
    let wrong = [("url", Value::from(service.url())), ("token", "guess".into())];
    let harness = Harness::configured(provider(), &wrong).await.unwrap();
    let errors = harness.create(KIND, &pump(1)).await.unwrap_err();
    let first = errors.iter().next().unwrap();
    assert_eq!(first.code, "inventory-request-failed");
    assert!(first.detail.starts_with("POST /items: 401 Unauthorized"), "{}", first.detail);
}

#[tokio::test]
async fn older_items_and_articles_become_items() {
    let service = service();
    let harness = harness(&service).await;
    let old = r#"{"name":"pump","category":"pump","count":"7","id":"item-1","revision":1}"#;
    let new = harness.upgrade(KIND, 0, old).await.unwrap();
    assert_eq!((new.get("quantity"), new.text("id")), (&Value::int(7), "item-1"));

    let article = r#"{"name":"pump","category":"pump","quantity":7,"id":"item-1","revision":1}"#;
    let moved = harness.moved((ADDRESS, "inventory_article"), 0, article, KIND).await.unwrap();
    assert_eq!((moved.get("quantity"), moved.text("id")), (&Value::int(7), "item-1"));
    assert!(harness.moved((ADDRESS, "inventory_thing"), 0, article, KIND).await.is_err());
}

#[tokio::test]
async fn tokens_are_good_while_they_are_open() {
    let service = service();
    let harness = harness(&service).await;
    let token = harness.open("inventory_token", &[]).await.unwrap();
    assert_eq!(token.result.get("value"), Some(&"read-secret-token-1".into()));
    assert_eq!(service.inside().tokens.len(), 1);
    harness.close("inventory_token", token.private).await.unwrap();
    assert!(service.inside().tokens.is_empty());
}

#[tokio::test]
async fn numbers_to_order_by_are_made() {
    let service = service();
    let harness = harness(&service).await;
    let sku = |arguments: Vec<Value>| harness.call("sku", arguments);
    assert_eq!(sku(vec!["pump".into(), Value::int(7)]).await, Ok("PUMP-00007".into()));
    assert_eq!(sku(vec!["pump".into(), Value::int(7), "red".into()]).await, Ok("PUMP-00007-red".into()));
    assert_eq!(sku(vec!["pump".into(), Value::int(100_000)]).await.unwrap_err().argument, Some(1));
}

#[tokio::test]
async fn the_data_source_finds_what_is_there() {
    let service = service();
    let harness = harness(&service).await;
    harness.create(KIND, &pump(3)).await.unwrap();
    let found = harness.data("inventory_items", &[("category", "pump".into())]).await.unwrap();
    assert_eq!(found.get("total"), Some(&Value::int(3)));
    let none = harness.data("inventory_items", &[("category", "pipe".into())]).await.unwrap();
    assert_eq!(none.get("total"), Some(&Value::int(0)));
}
