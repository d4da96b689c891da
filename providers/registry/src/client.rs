//! Asks web servers: small documents into memory, large ones into files.
//!
//! What a server may be too busy for is asked again: no connection, no answer in time, an answer that breaks off, 429 and
//! the 5xx answers, after a wait that doubles, or that the server asks for. Redirects are followed up to a limit, never from
//! HTTPS to plain HTTP, and a token that was for one host is not given to another.
//! Certificates are those of the system; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others, as for Terraform.
//! Proxies are those of the usual variables (`HTTPS_PROXY`, `NO_PROXY`).
//!
//! This is the only place that knows reqwest.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use url::Url;

/// No wait between two tries is longer, whatever a server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How patient a [`Client`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often something is asked again.
    pub retries: u32,
    /// The wait before the second try; it doubles from try to try.
    pub wait: Duration,
    /// How long one try of a small document may take.
    pub timeout: Duration,
    /// How long a download may stand still.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            retries: 2,
            wait: Duration::from_millis(500),
            timeout: Duration::from_secs(10),
            stall: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// With what Terraform's variables say: `TF_REGISTRY_DISCOVERY_RETRY`, a number of retries, and
    /// `TF_REGISTRY_CLIENT_TIMEOUT`, in seconds. What is no number there says nothing.
    pub fn from_environment() -> Patience {
        let number = |name: &str| std::env::var(name).ok()?.trim().parse::<u32>().ok();
        let usual = Patience::default();
        Patience {
            retries: number("TF_REGISTRY_DISCOVERY_RETRY").unwrap_or(usual.retries),
            timeout: number("TF_REGISTRY_CLIENT_TIMEOUT")
                .filter(|seconds| *seconds > 0)
                .map_or(usual.timeout, |seconds| Duration::from_secs(seconds.into())),
            ..usual
        }
    }
}

/// By what a server knows who asks. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// A token.
    Bearer(String),
    /// A name and a password.
    Basic(String, String),
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorization(…)")
    }
}

impl Authorization {
    /// The value of the header; `None` if no header can have these characters.
    fn header(&self) -> Option<HeaderValue> {
        use base64::Engine as _;
        let text = match self {
            Authorization::Bearer(token) => format!("Bearer {token}"),
            Authorization::Basic(user, password) => {
                let pair = format!("{user}:{password}");
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
            }
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where.
    pub url: Url,
    /// Who asks.
    pub authorization: Option<Authorization>,
    /// The media type that is wanted, if only one will do.
    pub accept: Option<&'static str>,
    /// Whether plain HTTP will do.
    pub plain: bool,
}

impl Request {
    /// Over HTTPS alone, by nobody in particular.
    pub fn new(url: Url) -> Request {
        Request { url, authorization: None, accept: None, plain: false }
    }

    /// For a document in JSON.
    pub fn json(url: Url) -> Request {
        Request { accept: Some("application/json"), ..Request::new(url) }
    }

    /// By somebody whom the server knows.
    pub fn authorized(self, authorization: Option<Authorization>) -> Request {
        Request { authorization, ..self }
    }

    /// Over plain HTTP too.
    pub fn plain(self, plain: bool) -> Request {
        Request { plain, ..self }
    }
}

/// A document that a server gave.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Where it came from in the end; relative URLs in it start there.
    pub url: Url,
    /// The status, from 200 to 299.
    pub status: u16,
    /// The content.
    pub body: Vec<u8>,
    headers: HeaderMap,
}

impl Answer {
    /// The media type in lower case, without parameters.
    pub fn media_type(&self) -> Option<String> {
        let whole = self.header(CONTENT_TYPE.as_str())?;
        Some(whole.split(';').next().unwrap_or_default().trim().to_lowercase())
    }

    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A file that was downloaded.
#[derive(Clone, Debug)]
pub struct Download {
    /// Where it came from in the end.
    pub url: Url,
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
    headers: HeaderMap,
}

impl Download {
    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {problem}{}", shown(url), if *tries > 1 { format!(" (asked {tries} times)") } else { String::new() })]
pub struct FetchError {
    /// What was asked for.
    pub url: Url,
    /// What went wrong.
    pub problem: Problem,
    /// How often it was asked for.
    pub tries: u32,
}

/// What goes wrong with requests; a clause that follows the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The server answered with a status that is no success.
    #[error("answered {}", status_text(*.0))]
    Status(u16),
    /// There is no connection.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// Nothing came for too long.
    #[error("did not answer within {} s", .0.as_secs_f32())]
    Silent(Duration),
    /// The content is longer than anything that is meant.
    #[error("answered with more than {0} bytes")]
    TooLarge(u64),
    /// The content ended too early, or could not be read.
    #[error("sent an answer that broke off: {0}")]
    BrokenOff(String),
    /// Redirects lead nowhere.
    #[error("leads nowhere: {0}")]
    Redirects(String),
    /// HTTPS was wanted.
    #[error("is no HTTPS address")]
    Insecure,
    /// The token or password has characters that no header can have.
    #[error("needs a token or password without line breaks and control characters")]
    Credentials,
    /// The file cannot be written.
    #[error("cannot be saved: {0}")]
    Disk(String),
}

impl FetchError {
    /// Whether the server says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self.problem, Problem::Status(404 | 410))
    }

    /// Whether the server does not know, or does not serve, whoever asks.
    pub fn is_denied(&self) -> bool {
        matches!(self.problem, Problem::Status(401 | 403))
    }
}

/// A URL as it may be shown: without passwords, and without the query, in which signed URLs carry their signature.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_password(None);
    let _ = url.set_username("");
    let hidden = if url.query().is_some() { "?…" } else { "" };
    url.set_query(None);
    url.set_fragment(None);
    format!("{url}{hidden}")
}

fn status_text(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    format!("{status}{}", reason.map(|reason| format!(" {reason}")).unwrap_or_default())
}

/// Asks web servers. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    patience: Patience,
    trusted: Vec<u8>,
    /// Made for the first request: reading the certificates of the system takes time, and may fail.
    connections: Arc<OnceLock<Result<Connections, String>>>,
}

#[derive(Debug)]
struct Connections {
    /// For documents, which servers may compress on the way.
    documents: reqwest::Client,
    /// For files, which have to arrive as they are.
    files: reqwest::Client,
}

impl Connections {
    fn new(patience: Patience, trusted: &[u8]) -> Result<Connections, String> {
        let trusted = Certificate::from_pem_bundle(trusted).map_err(|error| explain(&error))?;
        let build = |compressed: bool| {
            reqwest::Client::builder()
                .tls_certs_merge(trusted.clone())
                .user_agent(concat!("plumb/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(patience.timeout)
                .redirect(redirects())
                .gzip(compressed)
                .build()
                .map_err(|error| explain(&error))
        };
        Ok(Connections { documents: build(true)?, files: build(false)? })
    }
}

/// One try that failed.
struct Failure {
    problem: Problem,
    /// Whether another try may end better, and how long the server asks to wait for it.
    again: Option<Option<Duration>>,
}

impl Failure {
    fn last(problem: Problem) -> Failure {
        Failure { problem, again: None }
    }

    fn passing(problem: Problem) -> Failure {
        Failure { problem, again: Some(None) }
    }
}

impl Client {
    /// A client.
    pub fn new(patience: Patience) -> Client {
        Client { patience, trusted: Vec::new(), connections: Arc::default() }
    }

    /// A client that trusts these certificates, in PEM, besides those of the system.
    pub fn trusting(patience: Patience, certificates: Vec<u8>) -> Client {
        Client { trusted: certificates, ..Client::new(patience) }
    }

    fn connections(&self) -> Result<&Connections, Failure> {
        let made = self.connections.get_or_init(|| Connections::new(self.patience, &self.trusted));
        made.as_ref().map_err(|problem| Failure::last(Problem::Unreachable(problem.clone())))
    }

    /// Asks for a document of at most `limit` bytes.
    ///
    /// # Errors
    /// Why there is none; any status from 300 is a failure.
    pub async fn get(&self, request: &Request, limit: usize) -> Result<Answer, FetchError> {
        let timeout = self.patience.timeout;
        let once = async || {
            let whole = async {
                let mut response = ask(&self.connections()?.documents, request).await?;
                let (url, status, headers) =
                    (response.url().clone(), response.status().as_u16(), response.headers().clone());
                let mut body = Vec::new();
                while let Some(piece) = response.chunk().await.map_err(broken)? {
                    body.extend_from_slice(&piece);
                    if body.len() > limit {
                        return Err(Failure::last(Problem::TooLarge(limit as u64)));
                    }
                }
                Ok(Answer { url, status, body, headers })
            };
            tokio::time::timeout(timeout, whole)
                .await
                .unwrap_or(Err(Failure::passing(Problem::Silent(timeout))))
        };
        self.again(request, once).await
    }

    /// Downloads into a file of at most `limit` bytes, from its start. `seen` is told how much has come, and how much
    /// is going to come if that is known; a second try starts again from nothing.
    ///
    /// # Errors
    /// Why it did not come, or cannot be written; any status from 300 is a failure.
    pub async fn download(
        &self,
        request: &Request,
        file: &mut File,
        limit: u64,
        seen: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Download, FetchError> {
        let stall = self.patience.stall;
        let once = async || {
            let disk = |error: io::Error| Failure::last(Problem::Disk(error.to_string()));
            let answer = tokio::time::timeout(stall, ask(&self.connections()?.files, request)).await;
            let mut response = answer.unwrap_or(Err(Failure::passing(Problem::Silent(stall))))?;
            let (url, total, headers) =
                (response.url().clone(), response.content_length(), response.headers().clone());
            file.set_len(0).and_then(|()| file.rewind()).map_err(disk)?;
            let mut hasher = Sha256::new();
            let mut length = 0;
            seen(0, total);
            loop {
                let piece = tokio::time::timeout(stall, response.chunk()).await;
                let piece = piece.map_err(|_| Failure::passing(Problem::Silent(stall)))?.map_err(broken)?;
                let Some(piece) = piece else { break };
                length += piece.len() as u64;
                if length > limit {
                    return Err(Failure::last(Problem::TooLarge(limit)));
                }
                hasher.update(&piece);
                file.write_all(&piece).map_err(disk)?;
                seen(length, total);
            }
            let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Download { url, length, sha256, headers })
        };
        self.again(request, once).await
    }

    /// Tries until it works, or there is no point in another try.
    async fn again<T>(
        &self,
        request: &Request,
        mut once: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, FetchError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let failure = match once().await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            match failure.again {
                Some(asked) if tries <= self.patience.retries => {
                    let doubled = self.patience.wait.saturating_mul(2u32.saturating_pow(tries - 1));
                    tokio::time::sleep(asked.unwrap_or(doubled).min(LONGEST_WAIT)).await;
                }
                _ => return Err(FetchError { url: request.url.clone(), problem: failure.problem, tries }),
            }
        }
    }
}

/// One try, up to the headers of the answer.
async fn ask(client: &reqwest::Client, request: &Request) -> Result<Response, Failure> {
    if request.url.scheme() != "https" && !(request.plain && request.url.scheme() == "http") {
        return Err(Failure::last(Problem::Insecure));
    }
    let mut asked = client.get(request.url.clone());
    if let Some(accept) = request.accept {
        asked = asked.header(ACCEPT, accept);
    }
    if let Some(authorization) = &request.authorization {
        let value = authorization.header().ok_or(Failure::last(Problem::Credentials))?;
        asked = asked.header(AUTHORIZATION, value);
    }
    let response = asked.send().await.map_err(|error| {
        if error.is_redirect() {
            Failure::last(Problem::Redirects(innermost(&error)))
        } else {
            Failure::passing(Problem::Unreachable(innermost(&error)))
        }
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem = Problem::Status(status.as_u16());
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        return Err(Failure { problem, again: Some(retry_after(response.headers())) });
    }
    Err(Failure::last(problem))
}

fn broken(error: reqwest::Error) -> Failure {
    Failure::passing(Problem::BrokenOff(innermost(&error)))
}

/// At most ten, and never away from HTTPS. reqwest leaves out the token where the host changes.
fn redirects() -> Policy {
    Policy::custom(|attempt| {
        let secure = attempt.previous().iter().all(|url| url.scheme() == "https");
        let next = attempt.url().clone();
        if secure && next.scheme() != "https" {
            attempt.error(format!("it redirects to {}, which is no HTTPS address", shown(&next)))
        } else if attempt.previous().contains(&next) {
            attempt.error(format!("it redirects in a circle, back to {}", shown(&next)))
        } else if attempt.previous().len() > 10 {
            attempt.error("it redirects more than ten times")
        } else {
            attempt.follow()
        }
    })
}

/// The wait that a server asks for, in seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?;
            SystemTime::from(date.timestamp()).duration_since(SystemTime::now()).ok()
        }
    }
}

/// The cause at the end of a chain of errors: what stands before it repeats the URL.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// An error with its causes.
fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
