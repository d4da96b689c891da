//! The resource `inventory_item`.

use std::collections::BTreeMap;

use plumb_provider_sdk::check::{at_least, each, length, matches, not_empty, one_of};
use plumb_provider_sdk::{
    Attr, Checks, Context, Diagnostic, Diagnostics, Failed, Model, MoveSource, Private, Resource, async_trait,
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::client::{Client, NOTHING};

/// An item of the inventory.
///
/// Import by the id that the service gives it.
#[derive(Clone, Debug, Model)]
pub struct Item {
    /// What it is called.
    #[attribute(required, validate(length(1..=40), matches("^[a-z]")))]
    name: String,
    /// What it is. Another category makes another item.
    #[attribute(required, requires_replace, validate = one_of(&["pump", "valve", "pipe"]))]
    category: String,
    /// How many there are.
    #[attribute(default = 0, validate = at_least(0))]
    quantity: i64,
    /// Whatever helps to find it.
    #[attribute(optional)]
    tags: Option<BTreeMap<String, String>>,
    /// Other names.
    #[attribute(optional, validate = each(not_empty()))]
    aliases: Option<Vec<String>>,
    /// Who sells it.
    #[attribute(optional)]
    supplier: Option<Supplier>,
    /// Where it lies.
    #[attribute(optional)]
    bins: Attr<Vec<Bin>>,
    /// What opens its bins. It is given to the service and kept nowhere else: to change it, change
    /// `access_code_version` too.
    #[attribute(optional, write_only, sensitive, requires("access_code_version"))]
    access_code: Option<String>,
    /// A number of your own. When it changes, `access_code` is sent again.
    #[attribute(optional)]
    access_code_version: Option<i64>,
    /// Chosen by the service.
    #[attribute(computed, use_state_for_unknown, not_null, identity)]
    id: Attr<String>,
    /// How often it was written.
    #[attribute(computed, not_null)]
    revision: Attr<i64>,
}

/// Who sells an item.
#[derive(Clone, Debug, PartialEq, Model, Serialize, Deserialize)]
pub struct Supplier {
    /// The name of the company.
    #[attribute(required)]
    name: String,
    /// Where questions go.
    #[attribute(optional, validate = matches("@"))]
    email: Option<String>,
}

/// Where an item lies.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Bin {
    /// The shelf.
    #[attribute(required)]
    shelf: String,
    /// How many fit.
    #[attribute(default = 10, validate = at_least(1))]
    capacity: i64,
    /// What is printed on it, chosen by the service.
    #[attribute(computed, use_state_for_unknown)]
    code: Attr<String>,
}

/// An item as the service has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    #[serde(default)]
    id: String,
    name: String,
    category: String,
    quantity: i64,
    tags: Option<BTreeMap<String, String>>,
    aliases: Option<Vec<String>>,
    supplier: Option<Supplier>,
    bins: Option<Vec<BinRecord>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    access_code: Option<String>,
    #[serde(default)]
    revision: i64,
}

/// A bin as the service has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BinRecord {
    shelf: String,
    capacity: i64,
    #[serde(default)]
    code: String,
}

impl Item {
    /// What the service is given.
    fn record(&self, access_code: Option<String>) -> Record {
        let bins = self.bins.known().map(|bins| {
            let record = |bin: &Bin| BinRecord {
                shelf: bin.shelf.clone(),
                capacity: bin.capacity,
                code: bin.code.text().to_owned(),
            };
            bins.iter().map(record).collect()
        });
        Record {
            id: self.id.text().to_owned(),
            name: self.name.clone(),
            category: self.category.clone(),
            quantity: self.quantity,
            tags: self.tags.clone(),
            aliases: self.aliases.clone(),
            supplier: self.supplier.clone(),
            bins,
            access_code,
            revision: 0,
        }
    }

    /// The item that the service has. Only the configuration knows the version of the access code.
    fn of(record: Record, access_code_version: Option<i64>) -> Item {
        let bins = record.bins.map(|bins| {
            let bin =
                |bin: BinRecord| Bin { shelf: bin.shelf, capacity: bin.capacity, code: bin.code.into() };
            bins.into_iter().map(bin).collect()
        });
        Item {
            name: record.name,
            category: record.category,
            quantity: record.quantity,
            tags: record.tags,
            aliases: record.aliases,
            supplier: record.supplier,
            bins: Attr::from(bins),
            access_code: None,
            access_code_version,
            id: record.id.into(),
            revision: record.revision.into(),
        }
    }
}

/// The resource type.
pub struct Items;

#[async_trait]
impl Resource for Items {
    type Model = Item;
    type Client = Client;

    fn version(&self) -> i64 {
        1
    }

    fn validate(&self, config: &Item, checks: &mut Checks) {
        let room = config.bins.known().map(|bins| bins.iter().map(|bin| bin.capacity).sum::<i64>());
        if let Some(room) = room.filter(|room| *room < config.quantity) {
            checks.error("bins", format!("Found bins for {room}, wanted room for {}.", config.quantity));
        }
    }

    async fn create(&self, planned: Item, context: &mut Context<Client>) -> Result<Item, Failed<Item>> {
        let config: Option<Item> = context.config()?;
        let record = planned.record(config.and_then(|config| config.access_code));
        let made: Option<Record> = context.client.send(Method::POST, "/items", Some(&record)).await?;
        let made = made.ok_or_else(|| lost("The service has no items at all."))?;
        Ok(Item::of(made, planned.access_code_version))
    }

    async fn read(&self, current: Item, context: &mut Context<Client>) -> Result<Option<Item>, Diagnostics> {
        let found = find(&context.client, current.id.text()).await?;
        Ok(found.map(|record| Item::of(record, current.access_code_version)))
    }

    async fn update(
        &self,
        prior: Item,
        planned: Item,
        context: &mut Context<Client>,
    ) -> Result<Item, Failed<Item>> {
        let config: Option<Item> = context.config()?;
        let renewed = prior.access_code_version != planned.access_code_version;
        let record = planned.record(config.filter(|_| renewed).and_then(|config| config.access_code));
        let path = format!("/items/{}", prior.id.text());
        let changed: Option<Record> = context.client.send(Method::PUT, &path, Some(&record)).await?;
        let changed = changed.ok_or_else(|| lost("Somebody has removed the item."))?;
        Ok(Item::of(changed, planned.access_code_version))
    }

    async fn delete(&self, prior: Item, context: &mut Context<Client>) -> Result<(), Failed<Item>> {
        let path = format!("/items/{}", prior.id.text());
        // Whether it was there or is gone already is the same to us.
        let _: Option<Json> = context.client.send(Method::DELETE, &path, NOTHING).await?;
        Ok(())
    }

    async fn import(&self, id: &str, context: &mut Context<Client>) -> Result<Item, Diagnostics> {
        let found = find(&context.client, id).await?;
        found.map(|record| Item::of(record, None)).ok_or_else(|| {
            Diagnostic::error("inventory-item-missing", "Item does not exist")
                .detail(format!("The service has no item with the id `{id}`."))
                .help("Give the id that `GET /items` shows.")
                .into()
        })
    }

    async fn import_identity(
        &self,
        identity: plumb_provider_sdk::Identity,
        context: &mut Context<Client>,
    ) -> Result<Item, Diagnostics> {
        self.import(&identity.get::<String>("id")?, context).await
    }

    /// Version 0 had the quantity as text, under another name.
    fn upgrade(&self, _: i64, mut state: Map<String, Json>) -> Result<Map<String, Json>, Diagnostics> {
        let quantity = match state.remove("count") {
            Some(Json::String(text)) => text.parse::<i64>().unwrap_or_default(),
            other => other.and_then(|count| count.as_i64()).unwrap_or_default(),
        };
        state.insert("quantity".into(), quantity.into());
        Ok(state)
    }

    /// Items were called articles once.
    fn move_from(&self, source: &MoveSource, _: &mut Private) -> Result<Option<Item>, Diagnostics> {
        if source.kind != "inventory_article" {
            return Ok(None);
        }
        source.read().map(Some)
    }
}

async fn find(client: &Client, id: &str) -> Result<Option<Record>, Diagnostics> {
    // Before the service has chosen an id there is nothing to find.
    if id.is_empty() {
        return Ok(None);
    }
    Ok(client.send(Method::GET, &format!("/items/{id}"), NOTHING).await?)
}

fn lost(problem: &str) -> Diagnostic {
    Diagnostic::error("inventory-item-missing", "Item does not exist").detail(problem).help("Plan again.")
}
