//! The data source `inventory_items`.

use plumb_provider_sdk::{Attr, Context, DataSource, Diagnostics, Model, async_trait};
use reqwest::Method;
use serde::Deserialize;

use crate::client::{Client, NOTHING};

/// The items that the service has.
#[derive(Clone, Debug, Model)]
pub struct Found {
    /// Only items of this category.
    #[attribute(optional)]
    category: Option<String>,
    /// The items, by name.
    #[attribute(computed)]
    items: Attr<Vec<Summary>>,
    /// How many things there are of all of them together.
    #[attribute(computed)]
    total: Attr<i64>,
}

/// What is shown of an item.
#[derive(Clone, Debug, Model, Deserialize)]
pub struct Summary {
    /// The id that the service gave it.
    #[attribute(required)]
    id: String,
    /// What it is called.
    #[attribute(required)]
    name: String,
    /// What it is.
    #[attribute(required)]
    category: String,
    /// How many there are.
    #[attribute(required)]
    quantity: i64,
}

/// The data source.
pub struct FindItems;

#[async_trait]
impl DataSource for FindItems {
    type Model = Found;
    type Client = Client;

    async fn read(&self, config: Found, context: &mut Context<Client>) -> Result<Found, Diagnostics> {
        let items: Option<Vec<Summary>> = context.client.send(Method::GET, "/items", NOTHING).await?;
        let mut items = items.unwrap_or_default();
        items.retain(|item| config.category.as_ref().is_none_or(|category| item.category == *category));
        items.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let total = items.iter().map(|item| item.quantity).sum::<i64>();
        Ok(Found { items: items.into(), total: total.into(), ..config })
    }
}
