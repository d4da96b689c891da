//! Requests, and when to repeat them.

use std::time::Duration;

use plumb_model::{Diagnostic, Diagnostics};
use plumb_provider_sdk::Stop;
use rand::Rng as _;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity, Method, StatusCode, Url};
use serde_json::Value as Json;

use super::{RestConfig, Texts, invalid};

/// More than this is no answer of an API.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// How often and how soon a request is repeated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retries {
    pub times: u32,
    pub wait: Duration,
    pub wait_max: Duration,
}

/// Makes the requests of one configuration of the provider.
pub struct Client {
    connection: Option<Connection>,
}

struct Connection {
    http: reqwest::Client,
    base: Option<String>,
    headers: HeaderMap,
    retries: Retries,
    /// Never shown.
    secrets: Vec<String>,
}

/// What to ask for.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub method: Method,
    /// Relative to the base, or a whole URL.
    pub path: String,
    pub query: Texts,
    pub headers: Texts,
    pub body: Option<String>,
    /// Whether asking twice does no more than asking once.
    pub repeatable: bool,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// One try that failed.
enum Trouble {
    /// There is no point in trying again.
    Final(String),
    /// Nothing was received by the server.
    NotSent(String),
    /// It is not known what the server did.
    NoAnswer(String),
    /// The server is busy or broken.
    Refused(Response),
}

impl Client {
    /// A client whose configuration is not known yet. Requests fail.
    pub(super) fn awaiting() -> Client {
        Client { connection: None }
    }

    pub(super) fn new(
        config: &RestConfig,
        token: Option<String>,
        timeout: Duration,
        retries: Retries,
    ) -> Result<Client, Diagnostics> {
        let mut headers = HeaderMap::new();
        let mut secrets = Vec::new();
        for (name, given, hidden) in
            [("headers", &config.headers, false), ("sensitive_headers", &config.sensitive_headers, true)]
        {
            for (key, value) in given.known().into_iter().flatten() {
                let (key, value) = header(name, key, value)?;
                headers.insert(key, value);
            }
            if hidden {
                secrets.extend(given.known().into_iter().flat_map(Texts::values).cloned());
            }
        }
        if let Some(token) = token {
            let (key, value) = header("bearer_token", AUTHORIZATION.as_str(), &format!("Bearer {token}"))?;
            headers.insert(key, value);
            secrets.push(token);
        } else if let Some(user) = config.username.known() {
            use base64::Engine as _;
            let password = config.password.text();
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            let (key, value) = header("password", AUTHORIZATION.as_str(), &format!("Basic {pair}"))?;
            headers.insert(key, value);
            secrets.extend([password.to_owned(), pair]);
        }
        let http = http_client(config, timeout)?;
        let base = config.url.known().map(|url| url.trim_end_matches('/').to_owned());
        secrets.retain(|secret| !secret.is_empty());
        Ok(Client { connection: Some(Connection { http, base, headers, retries, secrets }) })
    }

    /// Asks, and asks again where that is of use.
    ///
    /// # Errors
    /// If there was no answer. An answer that is a failure is an answer.
    pub(super) async fn send(&self, request: &Request, stop: &Stop) -> Result<Response, Diagnostics> {
        let Some(connection) = &self.connection else {
            return Err(Diagnostic::error(
                "provider-configuration-unknown",
                "Provider configuration is not known yet",
            )
            .detail("The object cannot be looked at before what the `provider` block refers to exists.")
            .into());
        };
        connection.send(request, stop).await
    }

    /// A text without the secrets of the configuration, and without these.
    pub(super) fn redacted(&self, text: &str, more: &[String]) -> String {
        let secrets = self.connection.iter().flat_map(|c| &c.secrets).chain(more);
        secrets.fold(text.to_owned(), |text, secret| match secret.is_empty() {
            true => text,
            false => text.replace(secret.as_str(), "(sensitive)"),
        })
    }
}

fn header(attribute: &'static str, key: &str, value: &str) -> Result<(HeaderName, HeaderValue), Diagnostics> {
    let name = HeaderName::try_from(key)
        .map_err(|_| invalid(attribute, format!("Found `{key}`, which is not the name of a header.")))?;
    // The value may be a secret.
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        invalid(attribute, format!("Found characters in the header `{key}` that no header can have."))
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn http_client(config: &RestConfig, timeout: Duration) -> Result<reqwest::Client, Diagnostics> {
    let mut builder = reqwest::Client::builder()
        .timeout(timeout)
        .user_agent(concat!("plumb/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::custom(|attempt| {
            // Headers with credentials must not reach another server.
            let origin = |url: &Url| {
                (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
            };
            let same = attempt.previous().last().is_some_and(|last| origin(last) == origin(attempt.url()));
            if !same || attempt.previous().len() > 5 { attempt.stop() } else { attempt.follow() }
        }))
        .tls_danger_accept_invalid_certs(config.insecure.known() == Some(&true));
    if let Some(pem) = config.ca_certificate.known() {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| invalid("ca_certificate", "Found no certificate in it, wanted PEM.".into()))?;
        builder = builder.tls_certs_merge(certificates);
    }
    if let (Some(certificate), Some(key)) = (config.client_certificate.known(), config.client_key.known()) {
        let identity = Identity::from_pem(format!("{certificate}\n{key}").as_bytes()).map_err(|_| {
            invalid("client_certificate", "Found no usable certificate and key, wanted both as PEM.".into())
        })?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|e| {
        Diagnostic::error("no-http-client", "HTTP client cannot be set up").detail(explain(&e)).into()
    })
}

/// An error with its causes.
fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl Connection {
    async fn send(&self, request: &Request, stop: &Stop) -> Result<Response, Diagnostics> {
        let url = self.url(request)?;
        let mut tries = 0;
        loop {
            let trouble = tokio::select! {
                result = self.try_once(request, url.clone()) => match result {
                    Ok(response) => return Ok(response),
                    Err(trouble) => trouble,
                },
                () = stop.wait() => return Err(self.failed(request, &url, "Plumb was asked to stop before there was an answer")),
            };
            let wait = match &trouble {
                Trouble::Final(problem) => return Err(self.failed(request, &url, problem)),
                Trouble::NoAnswer(problem) if !request.repeatable => {
                    let problem = format!("{problem}; it is not known whether the server has done it");
                    return Err(self.failed(request, &url, &problem));
                }
                Trouble::NotSent(_) | Trouble::NoAnswer(_) => self.backoff(tries),
                Trouble::Refused(response) => {
                    retry_after(&response.headers).unwrap_or_else(|| self.backoff(tries))
                }
            };
            let patient = wait <= self.retries.wait_max;
            if tries >= self.retries.times || !patient {
                return match trouble {
                    Trouble::Refused(response) => Ok(response),
                    Trouble::Final(problem) | Trouble::NotSent(problem) | Trouble::NoAnswer(problem) => {
                        Err(self.failed(request, &url, &format!("{problem}; tried {} times", tries + 1)))
                    }
                };
            }
            tries += 1;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.wait() => return Err(self.failed(request, &url, "Plumb was asked to stop before it was tried again")),
            }
        }
    }

    /// Between half of the doubled wait and the whole, so that many do not come again all at once.
    fn backoff(&self, tries: u32) -> Duration {
        let doubled = self.retries.wait.saturating_mul(2u32.saturating_pow(tries)).min(self.retries.wait_max);
        doubled.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    fn url(&self, request: &Request) -> Result<Url, Diagnostics> {
        let whole = request.path.starts_with("https://") || request.path.starts_with("http://");
        let text = match &self.base {
            _ if whole => request.path.clone(),
            Some(base) => format!("{base}/{}", request.path.trim_start_matches('/')),
            None => {
                return Err(invalid(
                    "path",
                    format!(
                        "Found `{}`, wanted a whole URL, or a `url` in the `provider` block.",
                        request.path
                    ),
                ));
            }
        };
        let mut url =
            Url::parse(&text).map_err(|e| invalid("path", format!("Found `{text}`, wanted a URL: {e}.")))?;
        // The credentials of the configuration are for the server that it names.
        if whole && let Some(base) = self.base.as_ref().and_then(|base| Url::parse(base).ok()) {
            let origin = |url: &Url| {
                (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
            };
            if origin(&url) != origin(&base) {
                return Err(invalid(
                    "path",
                    format!("Found `{text}`, wanted a path, or a URL of the server of the `provider` block."),
                ));
            }
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }

    async fn try_once(&self, request: &Request, url: Url) -> Result<Response, Trouble> {
        let mut headers = self.headers.clone();
        for (key, value) in &request.headers {
            let (key, value) = header("headers", key, value)
                .map_err(|d| Trouble::Final(d.iter().map(|d| d.detail.to_string()).collect()))?;
            headers.insert(key, value);
        }
        headers.entry("accept").or_insert(HeaderValue::from_static("application/json"));
        let mut call = self.http.request(request.method.clone(), url);
        if let Some(body) = &request.body {
            headers.entry("content-type").or_insert(HeaderValue::from_static("application/json"));
            call = call.body(body.clone());
        }
        let mut answer = call.headers(headers).send().await.map_err(|e| trouble(&e))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| trouble(&e))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Trouble::Final(format!("the answer is longer than {MAX_BODY} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let response = Response { status, headers, body };
        match status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            true => Err(Trouble::Refused(response)),
            false => Ok(response),
        }
    }

    fn failed(&self, request: &Request, url: &Url, problem: &str) -> Diagnostics {
        let text = format!("{} {}: {problem}.", request.method, shown(url));
        let text =
            self.secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "(sensitive)"));
        Diagnostic::error("request-failed", "Request failed").detail(text).into()
    }
}

/// A URL without what may be a secret.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    // URLs of HTTP can have both.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.into()
}

fn trouble(error: &reqwest::Error) -> Trouble {
    // The URL is told by the caller, without its query.
    let text = explain(error).replace(&error.url().map(Url::to_string).unwrap_or_default(), "");
    if error.is_builder() {
        Trouble::Final(text)
    } else if error.is_connect() {
        Trouble::NotSent(text)
    } else if error.is_timeout() {
        Trouble::NoAnswer("there was no answer in time".into())
    } else {
        Trouble::NoAnswer(text)
    }
}

/// How long the server asks to wait: seconds, or until a moment.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let wait = moment.as_second().saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

impl Response {
    /// The body as JSON; null where there is none.
    ///
    /// # Errors
    /// Why it is not JSON.
    pub(super) fn json(&self) -> Result<Json, String> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Json::Null);
        }
        serde_json::from_slice(&self.body).map_err(|e| format!("the answer is not JSON: {e}"))
    }

    /// The beginning of the body, for messages.
    pub(super) fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let mut end = text.len().min(2048);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text[..end].trim().to_owned()
    }
}
