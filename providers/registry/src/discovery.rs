//! Which services a host offers, and where: the document `/.well-known/terraform.json`.
//!
//! Each host is asked once in a process. Settings may say the services of a host, which is then not asked at all.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use tokio::sync::OnceCell;
use url::Url;

use crate::client::{Authorization, Client, FetchError, Request};
use crate::credentials::{self, HelperError};
use crate::settings::{Settings, normal_host};

/// More than this is no list of services.
const MAX_LIST: usize = 1024 * 1024;

/// Why it is not known where a service is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// The name is no name of a host.
    #[error("`{0}` is not the name of a host")]
    NoHost(String),
    /// The host did not answer.
    #[error("the services of host {host} are not known: {error}")]
    NotAnswered {
        /// The host.
        host: String,
        /// Why not.
        error: FetchError,
    },
    /// The host answered with something else than a list of services.
    #[error("host {host} answered with something that is no list of services: {problem}")]
    Garbage {
        /// The host.
        host: String,
        /// What is wrong with it; a clause.
        problem: String,
    },
    /// The host does not offer the service.
    #[error("host {host} does not offer the service {service}{}", offered(offers))]
    NotOffered {
        /// The host.
        host: String,
        /// The service.
        service: String,
        /// What it offers.
        offers: Vec<String>,
    },
    /// Nobody can say what the token is.
    #[error("the token for host {host} is not known: {error}")]
    NoToken {
        /// The host.
        host: String,
        /// Why not.
        error: HelperError,
    },
}

fn offered(offers: &[String]) -> String {
    if offers.is_empty() { ", nor any other".into() } else { format!(", only {}", offers.join(", ")) }
}

/// The services of one host by name: where they are.
type Services = BTreeMap<String, Url>;
type Asked<T> = Mutex<HashMap<String, Arc<OnceCell<T>>>>;

/// Knows the hosts.
#[derive(Debug)]
pub struct Hosts {
    settings: Settings,
    client: Client,
    services: Asked<Result<Services, DiscoveryError>>,
    tokens: Asked<Result<Option<Authorization>, HelperError>>,
}

impl Hosts {
    /// With what the user says about hosts, and a client.
    pub fn new(settings: Settings, client: Client) -> Hosts {
        Hosts { settings, client, services: Mutex::default(), tokens: Mutex::default() }
    }

    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The base URL of a service, such as `providers.v1` or `modules.v1`; it ends with a slash.
    ///
    /// # Errors
    /// If the host does not offer it, or cannot be asked.
    pub async fn service(&self, host: &str, service: &str) -> Result<Url, DiscoveryError> {
        let host = normal_host(host).ok_or_else(|| DiscoveryError::NoHost(host.to_owned()))?;
        let services = cell(&self.services, &host);
        let services = services.get_or_init(|| self.discover(&host)).await.as_ref().map_err(Clone::clone)?;
        services.get(service).cloned().ok_or_else(|| DiscoveryError::NotOffered {
            service: service.to_owned(),
            offers: services.keys().cloned().collect(),
            host,
        })
    }

    /// By what a host knows who asks.
    ///
    /// # Errors
    /// If the credentials helper fails.
    pub async fn authorization(&self, host: &str) -> Result<Option<Authorization>, DiscoveryError> {
        let host = normal_host(host).ok_or_else(|| DiscoveryError::NoHost(host.to_owned()))?;
        let token = cell(&self.tokens, &host);
        let token = token.get_or_init(|| credentials::token(&self.settings, &host)).await;
        token.clone().map_err(|error| DiscoveryError::NoToken { host, error })
    }

    async fn discover(&self, host: &str) -> Result<Services, DiscoveryError> {
        let url = Url::parse(&format!("https://{host}/.well-known/terraform.json"))
            .map_err(|_| DiscoveryError::NoHost(host.to_owned()))?;
        if let Some(said) = self.settings.hosts.get(host) {
            return Ok(said.iter().filter_map(|(name, at)| Some((name.clone(), base(&url, at)?))).collect());
        }
        let authorization = self.authorization(host).await?;
        let request = Request::json(url).authorized(authorization);
        let answer = match self.client.get(&request, MAX_LIST).await {
            Ok(answer) => answer,
            // A host without the document offers nothing.
            Err(error) if error.is_not_found() => return Ok(Services::new()),
            Err(error) => return Err(DiscoveryError::NotAnswered { host: host.to_owned(), error }),
        };
        let garbage = |problem: String| DiscoveryError::Garbage { host: host.to_owned(), problem };
        if answer.media_type().as_deref() != Some("application/json") {
            let found = answer.media_type().unwrap_or_else(|| "nothing".into());
            return Err(garbage(format!("wanted the media type `application/json`, found {found}")));
        }
        let list: BTreeMap<String, Json> =
            serde_json::from_slice(&answer.body).map_err(|error| garbage(error.to_string()))?;
        let services =
            list.into_iter().filter_map(|(name, at)| Some((name, base(&answer.url, at.as_str()?)?)));
        Ok(services.collect())
    }
}

/// Where a service is, as a base: what is asked for is appended to it.
fn base(document: &Url, at: &str) -> Option<Url> {
    let mut url = document.join(at).ok()?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

fn cell<T>(asked: &Asked<T>, host: &str) -> Arc<OnceCell<T>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner).entry(host.to_owned()).or_default().clone()
}
