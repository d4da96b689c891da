//! The provider `rest`: objects of HTTP APIs that speak JSON.
//!
//! `client` makes requests and knows when to repeat them; `body` compares and cuts JSON; `object` and `data`
//! are the resource type and the data source.

use std::collections::BTreeMap;
use std::sync::Arc;

use plumb_model::{Diagnostic, Diagnostics, Path};
use plumb_provider_api::Provider;
use plumb_provider_sdk::check::{between, not_empty};
use plumb_provider_sdk::{Attr, Checks, Configure, Model, ProviderBuilder, async_trait};

mod body;
mod client;
mod data;
mod object;

use crate::duration::parse_duration;
use client::{Client, Retries};

/// The provider.
pub fn provider() -> Arc<dyn Provider> {
    ProviderBuilder::configured("rest", Rest)
        .resource("rest_object", object::RestObject)
        .data_source("rest_object", data::ReadObject)
        .build()
}

type Texts = BTreeMap<String, String>;

/// Objects of HTTP APIs that speak JSON.
///
/// Credentials are arguments of the provider, so that they are in no object: neither state nor messages have them.
///
/// A request is repeated when the connection cannot be made, and when the answer is 429 or 5xx; also when there is
/// no answer, if repeating does no harm: for every method but `POST`, and for `POST` with an idempotency header.
/// The wait before doubles each time, varied by chance, unless the answer says `Retry-After`.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct RestConfig {
    /// What all paths are relative to, for example `https://api.example.com/v2`.
    #[attribute(optional)]
    pub url: Attr<String>,
    /// Headers of every request.
    #[attribute(optional)]
    pub headers: Attr<Texts>,
    /// Headers of every request, never shown.
    #[attribute(optional, sensitive)]
    pub sensitive_headers: Attr<Texts>,
    /// A token to send as `Authorization: Bearer`.
    #[attribute(optional, sensitive)]
    pub bearer_token: Attr<String>,
    /// The environment variable that has this token, where `bearer_token` is not set.
    #[attribute(optional)]
    pub bearer_token_env: Attr<String>,
    /// The name for basic authentication.
    #[attribute(optional)]
    pub username: Attr<String>,
    /// The password for basic authentication.
    #[attribute(optional, sensitive)]
    pub password: Attr<String>,
    /// How long a request may take: a number with `ms`, `s`, `m` or `h`.
    #[attribute(default = "30s")]
    pub timeout: Attr<String>,
    /// How often a request is repeated at most.
    #[attribute(default = 4)]
    pub retries: Attr<i64>,
    /// How long to wait before the first repetition.
    #[attribute(default = "500ms")]
    pub retry_wait: Attr<String>,
    /// How long to wait at most before a repetition. An answer that asks for more patience is an error.
    #[attribute(default = "1m")]
    pub retry_wait_max: Attr<String>,
    /// Certificates of authorities to trust beside those of the system, as PEM.
    #[attribute(optional)]
    pub ca_certificate: Attr<String>,
    /// The certificate to show to the server, as PEM.
    #[attribute(optional)]
    pub client_certificate: Attr<String>,
    /// The key of this certificate, as PEM.
    #[attribute(optional, sensitive)]
    pub client_key: Attr<String>,
    /// Whether to accept any certificate of the server. For tests only.
    #[attribute(default = false)]
    pub insecure: Attr<bool>,
}

struct Rest;

#[async_trait]
impl Configure for Rest {
    type Config = RestConfig;
    type Client = Client;

    fn validate(&self, config: &RestConfig, checks: &mut Checks) {
        checks.attribute("url", &config.url, |url| match reqwest::Url::parse(url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(()),
            _ => Err(format!("Found `{url}`, wanted a URL that begins with `https://` or `http://`.")),
        });
        for (name, duration) in [
            ("timeout", &config.timeout),
            ("retry_wait", &config.retry_wait),
            ("retry_wait_max", &config.retry_wait_max),
        ] {
            checks.attribute(name, duration, |text| parse_duration(text).map(|_| ()));
        }
        checks.attribute("retries", &config.retries, between(0, 100));
        checks.attribute("bearer_token_env", &config.bearer_token_env, not_empty());
        checks.at_most_one_of(&[
            ("bearer_token", (&config.bearer_token).into()),
            ("bearer_token_env", (&config.bearer_token_env).into()),
            ("username", (&config.username).into()),
        ]);
        if config.client_certificate.is_set() != config.client_key.is_set() {
            checks.error(
                "client_certificate",
                "Found one of `client_certificate` and `client_key`, wanted both.",
            );
        }
    }

    async fn configure(&self, config: RestConfig) -> Result<Client, Diagnostics> {
        if config.url.is_unknown()
            || config.bearer_token.is_unknown()
            || config.sensitive_headers.is_unknown()
        {
            return Ok(Client::awaiting());
        }
        let duration = |name: &'static str, text: &Attr<String>| {
            parse_duration(text.text()).map_err(|problem| invalid(name, problem))
        };
        let retries = Retries {
            times: config.retries.known().map_or(0, |n| u32::try_from(*n).unwrap_or(0)),
            wait: duration("retry_wait", &config.retry_wait)?,
            wait_max: duration("retry_wait_max", &config.retry_wait_max)?,
        };
        let token = match (config.bearer_token.known(), config.bearer_token_env.known()) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(name)) => Some(std::env::var(name).map_err(|_| {
                invalid(
                    "bearer_token_env",
                    format!("Found no environment variable `{name}`, wanted the token in it."),
                )
            })?),
            (None, None) => None,
        };
        let timeout = duration("timeout", &config.timeout)?;
        Client::new(&config, token, timeout, retries)
    }
}

/// What to say of an argument that is wrong.
fn invalid(name: &'static str, problem: String) -> Diagnostics {
    Diagnostic::error("invalid-attribute-value", "Invalid attribute value")
        .detail(problem)
        .attribute(Path::of(name))
        .into()
}
