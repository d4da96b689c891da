//! A derived model is a schema, checks, plans, and reads and writes values.

use std::collections::{BTreeMap, BTreeSet};

use plumb_model::{AttributeType, Nesting, Path, Step, Type, Value};
use plumb_provider_sdk::check::{between, length, matches};
use plumb_provider_sdk::harness::{Forecast, Harness, Object};
use plumb_provider_sdk::{
    Attr, AttributeValue as _, Checks, Context, Diagnostics, Failed, Model, ProviderBuilder, Resource,
    async_trait,
};

/// A server
/// in a rack.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[model(exactly_one_of("image", "snapshot"))]
struct Server {
    /// Its name.
    #[attribute(required, requires_replace, validate(length(1..=8), matches("^[a-z]+$")))]
    name: String,
    /// What is on its disk.
    #[attribute(optional)]
    image: Option<String>,
    /// What else may be on its disk.
    #[attribute(optional, conflicts_with("labels"))]
    snapshot: Option<String>,
    /// How it is found.
    #[attribute(optional, requires("size"))]
    labels: Option<BTreeMap<String, String>>,
    /// How big it is.
    #[attribute(optional, validate = between(1, 10))]
    size: Option<i64>,
    /// What it proves itself with.
    #[attribute(optional, write_only, sensitive, validate = length(8..))]
    password: Option<String>,
    /// Its kind.
    #[attribute(name = "type", default = "small")]
    kind: String,
    /// Its disks.
    #[attribute(optional)]
    disks: Attr<Vec<Disk>>,
    /// Its tags.
    #[attribute(optional)]
    tags: Option<BTreeSet<String>>,
    /// Where it is.
    #[attribute(block, required, at_most = 1)]
    place: Vec<Place>,
    /// Chosen by the service.
    #[attribute(computed, use_state_for_unknown, not_null, identity)]
    id: Attr<String>,
    /// When it changed.
    #[attribute(computed, plan = only_with_size)]
    changed: Attr<String>,
}

/// Leaves the moment of the last change alone, unless the size changes.
fn only_with_size(plan: &mut plumb_provider_sdk::plan::AttributePlan<'_>) {
    if let Some(prior) = plan.prior.filter(|_| !plan.creates) {
        plan.planned = prior.clone();
    }
}

/// A disk.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[model(at_most_one_of("fast", "encrypted"))]
struct Disk {
    /// How big it is.
    #[attribute(required, validate = between(1, 100))]
    size: i64,
    /// Whether it is fast.
    #[attribute(optional)]
    fast: Option<bool>,
    /// Whether it is encrypted.
    #[attribute(optional)]
    encrypted: Option<bool>,
    /// How it is attached.
    #[attribute(default = "usb", requires_replace)]
    bus: Attr<String>,
    /// Chosen by the service.
    #[attribute(computed, use_state_for_unknown)]
    id: Attr<String>,
}

/// A place.
#[derive(Clone, Debug, Default, PartialEq, Model)]
struct Place {
    /// The rack.
    #[attribute(required)]
    rack: String,
    /// Slots in it.
    #[attribute(block, optional, at_most = 2)]
    slot: Vec<Slot>,
}

/// A slot.
#[derive(Clone, Debug, Default, PartialEq, Model)]
struct Slot {
    /// Counted from the bottom.
    #[attribute(required)]
    number: u32,
}

struct Servers;

#[async_trait]
impl Resource for Servers {
    type Model = Server;
    type Client = ();

    fn validate(&self, config: &Server, checks: &mut Checks) {
        if config.name == "root" {
            checks.error("name", "Found `root`, wanted another name.");
        }
    }

    async fn create(&self, planned: Server, _: &mut Context<()>) -> Result<Server, Failed<Server>> {
        let mut server = Server { id: "s1".into(), changed: "first".into(), ..planned };
        if let Attr::Known(disks) = &mut server.disks {
            disks.iter_mut().enumerate().for_each(|(i, disk)| disk.id = format!("d{i}").into());
        }
        Ok(server)
    }

    async fn update(
        &self,
        _: Server,
        planned: Server,
        _: &mut Context<()>,
    ) -> Result<Server, Failed<Server>> {
        let mut server = planned;
        if let Attr::Known(disks) = &mut server.disks {
            disks.iter_mut().filter(|disk| disk.id.is_unknown()).for_each(|disk| disk.id = "new".into());
        }
        Ok(server)
    }
}

async fn harness() -> Harness {
    Harness::new(ProviderBuilder::new("rack").resource("server", Servers).build()).await.unwrap()
}

fn disk(size: i64) -> Value {
    let null = |ty| Value::Null(ty);
    Value::object([
        ("size", Value::int(size)),
        ("fast", null(Type::Bool)),
        ("encrypted", null(Type::Bool)),
        ("bus", null(Type::String)),
        ("id", null(Type::String)),
    ])
}

fn disks(sizes: &[i64]) -> Value {
    Value::list(Disk::value_type(), sizes.iter().map(|size| disk(*size)).collect())
}

fn place(rack: &str) -> Value {
    let place = Place { rack: rack.into(), slot: vec![Slot { number: 7 }] };
    Value::list(Place::value_type(), vec![place.into_object()])
}

fn arguments<'a>(more: &[(&'a str, Value)]) -> Vec<(&'a str, Value)> {
    let usual: [(&str, Value); 3] = [("name", "a".into()), ("image", "i".into()), ("place", place("r1"))];
    let said = |name: &str| more.iter().any(|(n, _)| *n == name);
    usual.into_iter().filter(|(name, _)| !said(name)).chain(more.iter().cloned()).collect()
}

async fn problems(more: &[(&str, Value)]) -> Vec<String> {
    let found: Diagnostics = harness().await.validate("server", &arguments(more)).await.unwrap();
    found.iter().map(|d| format!("{}: {}", d.attribute.clone().unwrap_or_default(), d.detail)).collect()
}

async fn created(more: &[(&str, Value)]) -> Object {
    harness().await.create("server", &arguments(more)).await.unwrap()
}

async fn planned(prior: &Object, more: &[(&str, Value)]) -> Forecast {
    harness().await.plan("server", Some(prior), &arguments(more)).await.unwrap()
}

#[test]
fn the_schema_is_that_of_the_struct() {
    let schema = Server::schema(3);
    let block = &schema.block;
    assert_eq!((schema.version, block.description.as_str()), (3, "A server\nin a rack."));
    let name = &block.attributes["name"];
    assert!(name.required && !name.computed && name.description == "Its name.");
    assert_eq!(block.attributes["type"].description, "Its kind. By default `\"small\"`.");
    assert!(block.attributes["password"].write_only && block.attributes["password"].sensitive);
    assert_eq!(block.attributes["tags"].implied_type(), Type::set(Type::String));
    let AttributeType::Nested(disks) = &block.attributes["disks"].ty else { panic!("disks have flags") };
    assert_eq!(disks.nesting, Nesting::List);
    assert!(disks.attributes["id"].computed && disks.attributes["bus"].optional);
    assert_eq!(disks.attributes["bus"].description, "How it is attached. By default `\"usb\"`.");
    let place = &block.blocks["place"];
    assert_eq!((place.nesting, place.min_items, place.max_items), (Nesting::List, 1, 1));
    assert_eq!(place.block.blocks["slot"].max_items, 2);
    assert!(!place.block.attributes.contains_key("slot"));
}

#[tokio::test]
async fn the_identity_is_made_of_marked_attributes() {
    let schema = harness().await.provider().schema().await.unwrap();
    let identity = &schema.identities["server"];
    assert_eq!(identity.attributes.keys().collect::<Vec<_>>(), ["id"]);
    assert!(identity.attributes["id"].required_for_import);
}

#[tokio::test]
async fn objects_and_values_are_the_same() {
    let object = created(&[("disks", disks(&[5, 6]))]).await;
    let server = Server::from_object(&object.state).unwrap();
    assert_eq!(server.kind, "small");
    assert_eq!(server.place[0].slot[0].number, 7);
    let disks = server.disks.known().unwrap();
    assert_eq!((disks[1].size, disks[1].bus.text(), disks[1].id.text()), (6, "usb", "d1"));
    assert_eq!(server.into_object(), object.state);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place() {
    assert!(problems(&[]).await.is_empty());
    assert_eq!(
        problems(&[("name", "Abcdefghi".into())]).await,
        [
            "name: Found 9 characters, wanted 1 to 8.",
            "name: Found `Abcdefghi`, wanted text that matches `^[a-z]+$`."
        ]
    );
    assert_eq!(problems(&[("name", "root".into())]).await, ["name: Found `root`, wanted another name."]);
    assert_eq!(
        problems(&[("snapshot", "s".into())]).await,
        ["snapshot: Of `image`, `snapshot` only one may be set."]
    );
    let labels = Value::map(Type::String, [("a".into(), "b".into())]);
    assert_eq!(
        problems(&[("labels", labels)]).await,
        ["labels: Found `labels` without `size`, wanted both or neither."]
    );
    assert_eq!(
        problems(&[("disks", disks(&[5, 500]))]).await,
        ["disks[1].size: Found 500, wanted a number from 1 to 100."]
    );
}

#[tokio::test]
async fn a_secret_is_not_part_of_a_message() {
    assert_eq!(
        problems(&[("password", "hunter2".into())]).await,
        ["password: Found a sensitive value that does not fit, wanted at least 8."]
    );
}

#[tokio::test]
async fn what_is_known_is_checked_although_other_attributes_are_unknown() {
    let unknown = Value::unknown(Type::String);
    assert_eq!(
        problems(&[("name", unknown.clone()), ("size", Value::int(99))]).await,
        ["size: Found 99, wanted a number from 1 to 10."]
    );
    assert!(problems(&[("image", unknown.clone()), ("snapshot", unknown)]).await.is_empty());
}

#[tokio::test]
async fn nested_objects_are_planned_like_outer_ones() {
    let forecast = harness().await.plan("server", None, &arguments(&[("disks", disks(&[5]))])).await.unwrap();
    let first = forecast.planned.get("disks").unwrap().as_items().unwrap()[0].clone();
    assert_eq!(first.get("bus"), Some(&"usb".into()));
    assert!(!first.get("id").unwrap().is_known());

    let object = created(&[("disks", disks(&[5]))]).await;
    assert!(planned(&object, &[("disks", disks(&[5]))]).await.is_no_op());
    // A disk that was there keeps its id, a new one gets another.
    let forecast = planned(&object, &[("disks", disks(&[5, 6]))]).await;
    let ids: Vec<_> = forecast.planned.get("disks").unwrap().as_items().unwrap().to_vec();
    assert_eq!(ids[0].get("id"), Some(&"d0".into()));
    assert!(!ids[1].get("id").unwrap().is_known());
    let changed = harness().await.change(&object, &arguments(&[("disks", disks(&[5]))])).await.unwrap();
    assert_eq!(changed, object);
}

#[tokio::test]
async fn a_nested_attribute_may_need_another_object() {
    let object = created(&[("disks", disks(&[5]))]).await;
    let Value::Object(entries) = disk(5) else { panic!("a disk is an object") };
    let on_sata = entries.map_values(|name, value| if name == "bus" { "sata".into() } else { value.clone() });
    let on_sata = Value::list(Disk::value_type(), vec![Value::Object(std::sync::Arc::new(on_sata))]);
    let forecast = planned(&object, &[("disks", on_sata)]).await;
    let place = Path::of("disks").then(Step::Index(0)).attribute("bus");
    assert_eq!(forecast.requires_replace, [place]);
}

#[tokio::test]
async fn a_modifier_alters_the_plan_of_its_attribute() {
    let object = created(&[]).await;
    let forecast = planned(&object, &[("size", Value::int(2))]).await;
    assert!(!forecast.is_no_op() && !forecast.is_unknown("changed"));
}
