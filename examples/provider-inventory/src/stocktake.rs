//! The action `inventory_stocktake`.

use plumb_provider_sdk::{Action, Context, Diagnostics, Model, Reporter, async_trait};
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::client::{Client, NOTHING};

/// A count of all items, which the service keeps a note of.
#[derive(Clone, Debug, Model)]
pub struct Stocktake {
    /// Why it is made.
    #[attribute(required)]
    reason: String,
}

/// The action.
pub struct TakeStock;

#[async_trait]
impl Action for TakeStock {
    type Model = Stocktake;
    type Client = Client;

    async fn invoke(
        &self,
        config: Stocktake,
        progress: &Reporter,
        context: &mut Context<Client>,
    ) -> Result<(), Diagnostics> {
        let items: Option<Vec<Json>> = context.client.send(Method::GET, "/items", NOTHING).await?;
        let count = items.unwrap_or_default().len();
        progress.say(format!("counted {count}"));
        let note = json!({ "reason": config.reason, "count": count });
        let _: Option<Json> = context.client.send(Method::POST, "/stocktakes", Some(&note)).await?;
        Ok(())
    }
}
