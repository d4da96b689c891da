//! What goes wrong with providers, said to the user: crashes, silence, broken promises.
//!
//! Every message names the provider and what it was asked; the engine adds which object it was about.

use std::future::Future;
use std::time::Duration;

use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_provider_protocol::messages::{self, Deferred, DeferredReason};
use plumb_provider_protocol::{CodecError, diagnostic};
use tokio::time::timeout;
use tonic::{Code, Status};

use crate::process::Process;

const REPORT: &str =
    "This is a fault of the provider: report it to its maintainers, and use another version until then.";

/// What a provider was asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    method: &'static str,
    kind: &'a str,
}

impl<'a> Asked<'a> {
    /// About itself.
    pub fn provider(method: &'static str) -> Asked<'static> {
        Asked { method, kind: "" }
    }

    /// About a type or a function.
    pub fn of(method: &'static str, kind: &'a str) -> Asked<'a> {
        Asked { method, kind }
    }
}

impl std::fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.method)?;
        if self.kind.is_empty() { Ok(()) } else { write!(f, " of `{}`", self.kind) }
    }
}

/// Speaks about one provider.
pub struct Speaker {
    address: String,
    note: String,
}

impl Speaker {
    pub fn new(address: String) -> Speaker {
        let note = format!("Reported by provider {address}.");
        Speaker { address, note }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the provider itself says.
    pub fn reported(&self, diagnostics: &[messages::Diagnostic]) -> Diagnostics {
        diagnostic::from_wire(diagnostics, &self.note)
    }

    /// Waits for an answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn within<R>(
        &self,
        limit: Option<Duration>,
        process: &Process,
        asked: &Asked<'_>,
        answer: impl Future<Output = Result<R, Status>>,
    ) -> Result<R, Diagnostics> {
        let answer = match limit {
            None => answer.await,
            Some(limit) => timeout(limit, answer).await.map_err(|_| self.silent(asked, limit))?,
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(status) => Err(self.failed(process, asked, &status).await.into()),
        }
    }

    fn silent(&self, asked: &Asked<'_>, limit: Duration) -> Diagnostic {
        Diagnostic::error("provider-silent", "Provider does not answer")
            .detail(format!(
                "Provider {} was asked for {asked} and gave no answer within {} seconds.",
                self.address,
                limit.as_secs_f32()
            ))
            .help("Look at its log for what it waits for; set TF_LOG_PROVIDER=debug to see it.")
    }

    async fn failed(&self, process: &Process, asked: &Asked<'_>, status: &Status) -> Diagnostic {
        let broken =
            matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Internal | Code::Unknown);
        if broken {
            let (exit, words) = process.last_words().await;
            if let Some(exit) = exit {
                return self.crashed(asked, exit, &words);
            }
        }
        let address = &self.address;
        match status.code() {
            Code::Unimplemented => Diagnostic::error("provider-lacks-method", "Provider cannot do this")
                .detail(format!("Provider {address} does not implement {asked}.")),
            Code::OutOfRange | Code::ResourceExhausted => {
                Diagnostic::error("provider-message-too-large", "Message of a provider is too large")
                    .detail(format!("Asked for {asked}, provider {address} failed: {}.", status.message()))
                    .help("Split the object into smaller ones.")
            }
            _ => Diagnostic::error("provider-failed", "Provider failed")
                .detail(format!("Asked for {asked}, provider {address} failed: {}.", describe(status)))
                .help(REPORT),
        }
    }

    fn crashed(&self, asked: &Asked<'_>, exit: std::process::ExitStatus, words: &[String]) -> Diagnostic {
        let mut detail =
            format!("Asked for {asked}, the plugin of provider {} ended ({exit}).", self.address);
        if !words.is_empty() {
            detail += &format!("\n\nThe last it wrote:\n\n    {}", words.join("\n    "));
        }
        Diagnostic::error("provider-crashed", "Provider crashed").detail(detail).help(REPORT)
    }

    /// A promise that was not kept.
    pub fn broken(&self, asked: &Asked<'_>, how: &str) -> Diagnostic {
        Diagnostic::error("provider-broke-promise", "Provider broke a promise")
            .detail(format!(
                "Asked for {asked}, provider {} gave an answer that cannot be used: {how}.",
                self.address
            ))
            .help(REPORT)
    }

    /// An answer that is not of the type that it must be.
    pub fn cannot_read(&self, asked: &Asked<'_>, error: &CodecError) -> Diagnostic {
        let diagnostic = self.broken(asked, &error.to_string());
        if error.path.is_root() { diagnostic } else { diagnostic.attribute(error.path.clone()) }
    }

    /// A value of ours that is not of the type that it must be.
    pub fn cannot_send(&self, asked: &Asked<'_>, error: &CodecError) -> Diagnostic {
        Diagnostic::error("value-of-wrong-type", "Value does not fit the provider's schema")
            .detail(format!("Provider {} cannot be asked for {asked}: {error}.", self.address))
            .attribute(error.path.clone())
    }

    /// Refuses values in which something is not known.
    ///
    /// # Errors
    /// If something is not known.
    pub fn known(&self, asked: &Asked<'_>, value: Value) -> Result<Value, Diagnostics> {
        if value.is_wholly_known() {
            return Ok(value);
        }
        let mut unknown = None;
        value.walk(&mut |path, part| {
            if unknown.is_none() && !part.is_known() {
                unknown = Some(path.clone());
            }
            unknown.is_none()
        });
        let diagnostic = self.broken(asked, "a part of it is not known, although it describes what exists");
        Err(unknown.into_iter().fold(diagnostic, Diagnostic::attribute).into())
    }

    /// The answer of a provider that would rather decide later.
    ///
    /// # Errors
    /// If that is its answer.
    pub fn not_deferred(&self, asked: &Asked<'_>, deferred: Option<Deferred>) -> Result<(), Diagnostics> {
        let Some(deferred) = deferred else { return Ok(()) };
        let reason = match deferred.reason() {
            DeferredReason::Unknown => "it does not say why",
            DeferredReason::ResourceConfigUnknown => "a part of the configuration is not known yet",
            DeferredReason::ProviderConfigUnknown => {
                "a part of the provider's configuration is not known yet"
            }
            DeferredReason::AbsentPrerequisite => "something that it needs does not exist yet",
        };
        Err(Diagnostic::error("provider-deferred", "Provider would rather decide later")
            .detail(format!("Asked for {asked}, provider {} deferred its answer: {reason}.", self.address))
            .help("Apply what it depends on first, for example with `-target`, and then plan again.")
            .into())
    }
}

/// Text of a status; transports leave the reason in the error that caused it.
fn describe(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text += &format!(": {cause}");
        }
        source = error.source();
    }
    if text.is_empty() { status.code().to_string() } else { text }
}
