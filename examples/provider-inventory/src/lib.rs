//! The provider `inventory`: the items of a small HTTP service.
//!
//! It is an example that uses what the SDK has: a resource with nested objects, a write-only secret, defaults, checks,
//! import, older versions of state and a move; a data source; a function; an ephemeral resource; an action. It runs as a plugin of
//! Plumb, Terraform and OpenTofu, and compiled into Plumb: the tests do all of that against the same service.
//!
//! - [`client`]: how the service is talked to, `item`, `items`, `token`, `stocktake`, `sku`: what the provider offers;
//! - [`service`]: the service itself, which stands in for a real one.

use std::sync::Arc;

use plumb_provider_sdk::{Provider, ProviderBuilder};

pub mod client;
mod item;
mod items;
pub mod service;
mod sku;
mod stocktake;
mod token;

/// What configurations name in `source`.
pub const ADDRESS: &str = "example.com/acme/inventory";

/// The provider.
pub fn provider() -> Arc<dyn Provider> {
    ProviderBuilder::configured("inventory", client::Connect)
        .resource("inventory_item", item::Items)
        .data_source("inventory_items", items::FindItems)
        .ephemeral("inventory_token", token::Tokens)
        .action("inventory_stocktake", stocktake::TakeStock)
        .function("sku", sku::MakeSku)
        .build()
}
