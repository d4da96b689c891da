//! Why a plugin did not start, in words for the user.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use plumb_model::Diagnostic;
use plumb_provider_protocol::handshake::{Address, HandshakeError};
use plumb_provider_protocol::tls::TlsError;

/// How much of a line that is no handshake is shown.
const SHOWN: usize = 200;

/// What a plugin wrote before it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The first line on standard output, where it matters.
    pub stdout: Option<String>,
    /// The last lines on standard error.
    pub stderr: Vec<String>,
}

/// Why a plugin did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program could not be started.
    #[error("{}: {error}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It ended before it said where it listens.
    #[error("the plugin ended ({}) before it said where it listens", status.map_or_else(|| "its output was closed".to_owned(), |s| s.to_string()))]
    Ended {
        /// How it ended, if it did.
        status: Option<ExitStatus>,
        /// What it wrote.
        seen: Seen,
    },
    /// It runs, but did not say where it listens.
    #[error("the plugin did not say where it listens within {} seconds", limit.as_secs_f32())]
    Silent {
        /// How long it was waited for.
        limit: Duration,
        /// What it wrote.
        seen: Seen,
    },
    /// What it said is not where it listens.
    #[error("{reason}")]
    Handshake {
        /// What is wrong.
        reason: HandshakeError,
        /// What it wrote.
        seen: Seen,
    },
    /// It did not understand that the connection is to be encrypted.
    #[error("the plugin offers no certificate, so that the connection cannot be encrypted")]
    Unencrypted,
    /// There is no connection.
    #[error("no connection to {address}: {reason}")]
    Connect {
        /// Where to.
        address: Address,
        /// Why not.
        reason: String,
    },
    /// Our side of the encryption could not be prepared.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl StartError {
    /// For the user, who knows the plugin by its provider's name.
    pub fn diagnostic(&self, provider: &str) -> Diagnostic {
        let detail = format!("The plugin of provider {provider} cannot be used: {self}.");
        match self {
            StartError::Spawn { error, .. } => {
                let diagnostic =
                    Diagnostic::error("plugin-not-startable", "Provider plugin cannot be started");
                diagnostic.detail(detail).maybe_help(match error.kind() {
                    io::ErrorKind::NotFound => Some("Run `plumb init` to install it."),
                    io::ErrorKind::PermissionDenied => Some("Make the file executable."),
                    _ => None,
                })
            }
            StartError::Ended { seen, .. } => {
                Diagnostic::error("plugin-ended", "Provider plugin ended at once")
                    .detail(detail + &seen.to_string())
                    .help("Start it by hand: what it then prints is meant for people.")
            }
            StartError::Silent { seen, .. } => {
                Diagnostic::error("plugin-silent", "Provider plugin does not answer")
                    .detail(detail + &seen.to_string())
            }
            StartError::Handshake { reason, seen } => {
                let diagnostic = Diagnostic::error("plugin-handshake", "Provider plugin is not understood")
                    .detail(detail + &seen.to_string());
                diagnostic.help(match reason {
                    HandshakeError::NotAHandshake => {
                        "Check that the file is a provider for this system, and that it prints nothing by itself."
                    }
                    _ => "Use a version of the provider that speaks protocol 5 or 6.",
                })
            }
            StartError::Unencrypted => {
                Diagnostic::error("plugin-unencrypted", "Provider plugin cannot encrypt").detail(detail).help(
                    "Set the variable TF_DISABLE_PLUGIN_TLS to accept a connection that is not encrypted.",
                )
            }
            StartError::Connect { .. } | StartError::Tls(_) => {
                Diagnostic::error("plugin-unreachable", "Provider plugin cannot be reached").detail(detail)
            }
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = &self.stdout {
            let shown = &line[..line.floor_char_boundary(SHOWN)];
            write!(f, "\n\nIt printed {shown:?}{}", if shown.len() < line.len() { "…" } else { "" })?;
            f.write_char('.')?;
        }
        if !self.stderr.is_empty() {
            write!(f, "\n\nIt wrote:\n\n    {}", self.stderr.join("\n    "))?;
        }
        Ok(())
    }
}
