//! The ephemeral resource `inventory_token`.

use plumb_provider_sdk::{
    Attr, Context, Diagnostic, Diagnostics, EphemeralResource, Model, Opened, async_trait,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::client::{Client, NOTHING};

/// A token that the service knows as long as a command runs.
#[derive(Clone, Debug, Model)]
pub struct Token {
    /// What it is good for.
    #[attribute(default = "read")]
    scope: String,
    /// The token.
    #[attribute(computed, sensitive)]
    value: Attr<String>,
}

#[derive(Deserialize)]
struct Issued {
    id: String,
    value: String,
}

/// The ephemeral resource type.
pub struct Tokens;

#[async_trait]
impl EphemeralResource for Tokens {
    type Model = Token;
    type Client = Client;

    async fn open(&self, config: Token, context: &mut Context<Client>) -> Result<Opened<Token>, Diagnostics> {
        let wish = json!({ "scope": config.scope });
        let issued: Option<Issued> = context.client.send(Method::POST, "/tokens", Some(&wish)).await?;
        let issued = issued.ok_or_else(|| {
            Diagnostic::error("inventory-no-tokens", "Service issues no tokens")
                .detail("It has nothing at `/tokens`.")
        })?;
        context.private.set(&issued.id);
        Ok(Token { value: issued.value.into(), ..config }.into())
    }

    async fn close(&self, context: &mut Context<Client>) -> Result<(), Diagnostics> {
        let path = format!("/tokens/{}", context.private.get::<String>());
        let _: Option<Json> = context.client.send(Method::DELETE, &path, NOTHING).await?;
        Ok(())
    }
}
