//! How the service is talked to.

use std::env;

use plumb_provider_sdk::tracing::debug;
use plumb_provider_sdk::{Configure, Diagnostic, Diagnostics, Model, Path, async_trait, check};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where the inventory is, and how it knows who asks.
#[derive(Clone, Debug, Default, Model)]
pub struct Config {
    /// Where the service is, for example `http://127.0.0.1:8080`. Where it is not set, `INVENTORY_URL` in the environment.
    #[attribute(optional, validate = check::matches("^https?://"))]
    pub url: Option<String>,
    /// What the service knows us by. Where it is not set, `INVENTORY_TOKEN` in the environment.
    #[attribute(optional, sensitive)]
    pub token: Option<String>,
}

/// Talks to the service.
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// Makes a [`Client`] of the provider's configuration.
pub struct Connect;

#[async_trait]
impl Configure for Connect {
    type Config = Config;
    type Client = Client;

    async fn configure(&self, config: Config) -> Result<Client, Diagnostics> {
        let url = setting("url", config.url, "INVENTORY_URL")?;
        let token = setting("token", config.token, "INVENTORY_TOKEN")?;
        Ok(Client { http: reqwest::Client::new(), url: url.trim_end_matches('/').to_owned(), token })
    }
}

/// What the configuration says, or else the environment.
fn setting(name: &'static str, value: Option<String>, variable: &str) -> Result<String, Diagnostics> {
    value.or_else(|| env::var(variable).ok()).filter(|text| !text.is_empty()).ok_or_else(|| {
        Diagnostic::error("inventory-not-configured", "Provider is not configured")
            .detail(format!(
                "Found neither `{name}` in the configuration nor `{variable}` in the environment."
            ))
            .help(format!("Set `{name}` in the block `provider \"inventory\"`."))
            .attribute(Path::of(name))
            .into()
    })
}

impl Client {
    /// Sends a request and reads the answer. `None` if there is nothing at the path.
    ///
    /// # Errors
    /// If the service cannot be reached, refuses, or answers with something else.
    pub async fn send<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Option<A>, Diagnostic> {
        let what = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            let body = serde_json::to_vec(body).map_err(|error| trouble(&what, &error.to_string()))?;
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| {
            trouble(&what, &error.without_url().to_string())
                .help(format!("See whether the service runs at {}.", self.url))
        })?;
        let status = response.status();
        debug!(%what, status = status.as_u16(), "the service answered");
        let answer = response.bytes().await.map_err(|error| trouble(&what, &error.to_string()))?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                // An answer without a body says no more than that it is done.
                let answer: &[u8] = if answer.is_empty() { b"null" } else { &answer };
                serde_json::from_slice(answer).map(Some).map_err(|error| trouble(&what, &error.to_string()))
            }
            status => Err(trouble(&what, &format!("{status}: {}", String::from_utf8_lossy(&answer)))),
        }
    }
}

fn trouble(what: &str, problem: &str) -> Diagnostic {
    Diagnostic::error("inventory-request-failed", "Inventory cannot be asked")
        .detail(format!("{what}: {problem}."))
}

/// For requests without a body.
pub const NOTHING: Option<&()> = None;
