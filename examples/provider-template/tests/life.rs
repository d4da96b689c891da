//! A note is made, read, changed, imported and removed.

use plumb_provider_sdk::Value;
use plumb_provider_sdk::harness::Harness;
use plumb_provider_sdk::harness::life::Life;
use terraform_provider_shelf::provider;

#[tokio::test]
async fn a_note_lives() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = [("folder", Value::from(folder.path().to_str().unwrap()))];
    let harness = Harness::configured(provider(), &shelf).await.unwrap();
    let life = Life {
        kind: "shelf_note",
        first: &[("title", "milk".into()), ("text", "Buy some milk.".into())],
        then: &[("title", "milk".into()), ("text", "Buy more.".into())],
        import_by: Some("title"),
        lost_by_import: &[],
    };
    let (first, then) = harness.life(life).await.unwrap();
    assert_eq!((first.get("words"), then.get("words")), (&Value::int(3), &Value::int(2)));
}

#[tokio::test]
async fn another_title_is_another_note() {
    let harness = Harness::configured(provider(), &[("folder", "nowhere".into())]).await.unwrap();
    let wrong = harness.validate("shelf_note", &[("title", "Not This".into())]).await.unwrap();
    assert!(wrong.has_errors());
}
