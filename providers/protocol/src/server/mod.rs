//! Serves a provider as a plugin: the other side of the wire, over protocol 6.
//!
//! [`serve`] is all that the `main` of a plugin needs. It checks that a host started it, listens on a socket of its own,
//! says where in the handshake line, and answers calls until the host says that it is over. The provider is the same
//! trait that the engine calls when it is compiled in.
//!
//! Started by a person it says what it is and how to try it; with `-debug` as its argument it serves without encryption, one
//! host after another, and prints how to attach to it.

mod provider;
mod service;
mod stream;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use plumb_provider_api::Provider;
use tokio::net::UnixListener;
use tonic::transport::Server;

use crate::handshake::{self, Address, Handshake};
use crate::method::Version;
use crate::tls::Identity;
use provider::Served;
use service::{Service, Shutdown};
use stream::Incoming;

/// Why a plugin could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A person started it.
    #[error("{0}")]
    NotStartedByHost(String),
    /// The socket could not be made, or the handshake could not be printed.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
    /// Encryption could not be set up.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
    /// The connection failed.
    #[error("cannot serve: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Whether a host of plugins started this program.
pub fn is_started_by_host() -> bool {
    std::env::var(handshake::COOKIE.0).is_ok_and(|value| value == handshake::COOKIE.1)
}

/// What a plugin says to a person who starts it.
fn hint(address: &str) -> String {
    let folder = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
    let folder = folder.unwrap_or_else(|| PathBuf::from("/folder/of/this/program"));
    format!(
        "This program is a provider, {address}. Plumb, Terraform and OpenTofu start it themselves.

To try it without installing it, write this into a file, and name the file in TF_CLI_CONFIG_FILE:

  provider_installation {{
    dev_overrides {{
      {address:?} = {folder:?}
    }}
    direct {{}}
  }}

To run it under a debugger, start it with -debug."
    )
}

/// Serves a provider until its host ends it. `address` is the provider's (`example.com/acme/probe`).
///
/// The exit code is a failure if a person started the program, or it could not listen; the reason is on standard error.
#[expect(clippy::print_stderr, reason = "the only place where a host or a person looks for the reason")]
pub async fn serve(address: &str, provider: Arc<dyn Provider>) -> ExitCode {
    match try_serve(address, provider).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn try_serve(address: &str, provider: Arc<dyn Provider>) -> Result<(), ServeError> {
    let debug = std::env::args().skip(1).any(|argument| argument == "-debug" || argument == "--debug");
    if !is_started_by_host() && !debug {
        return Err(ServeError::NotStartedByHost(hint(address)));
    }
    let host = std::env::var(handshake::CLIENT_CERTIFICATE).ok().filter(|pem| !pem.is_empty() && !debug);
    let encryption = match host {
        Some(host) => {
            let identity = Identity::new()?;
            Some((identity.server_config(&host)?, identity.der().to_vec()))
        }
        None => None,
    };
    let folder = socket_folder()?;
    let socket = folder.path().join("plugin");
    let listener = UnixListener::bind(&socket)?;
    let (config, certificate) = encryption.unzip();
    if debug {
        announce_debug(address, &socket)?;
    } else {
        let address = Address::Unix(socket.to_string_lossy().into_owned());
        print(&Handshake { version: Version::V6, address, certificate }.to_string())?;
    }
    let shutdown = Shutdown::default();
    let service = Service::new(Arc::new(Served::new(provider.clone())), shutdown.clone());
    let (ended, over) = (shutdown.clone(), shutdown);
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 4)
        .serve_with_incoming_shutdown(service, Incoming::new(listener, config), async move {
            ended.asked().await
        });
    tokio::select! {
        result = server => result?,
        () = interrupted(debug) => {}
        // A host that keeps its connection open does not keep the plugin from ending.
        () = async { over.asked().await; tokio::time::sleep(GRACE).await } => {}
    }
    provider.shutdown().await;
    Ok(())
}

/// How long calls that are on their way may take after the host said that it is over.
const GRACE: Duration = Duration::from_millis(500);
/// How many bytes the path of the folder for sockets may have, so that 104 suffice for the path of a socket.
const LONGEST_FOLDER: usize = 80;
/// How many bytes of one request may be on their way.
const STREAM_WINDOW: u32 = 4 << 20;

/// Waits for the interrupt that is meant for this program: the first one of the person who debugs it. Otherwise interrupts
/// reach the whole process group, and the host decides what they mean.
async fn interrupted(debug: bool) {
    while tokio::signal::ctrl_c().await.is_ok() {
        if debug {
            return;
        }
    }
    // Where there are no such signals, there is nothing to swallow.
    std::future::pending::<()>().await;
}

/// A folder for the socket: where the host asks for it, or else in the usual folder for temporary files.
fn socket_folder() -> std::io::Result<tempfile::TempDir> {
    let wanted = std::env::var_os(handshake::SOCKET_FOLDER).filter(|folder| !folder.is_empty());
    let folder = wanted.map_or_else(std::env::temp_dir, PathBuf::from);
    // The system cuts the names of sockets off: a folder too deep for one is passed over.
    let folder = if folder.as_os_str().len() > LONGEST_FOLDER { PathBuf::from("/tmp") } else { folder };
    tempfile::Builder::new().prefix("plumb-").tempdir_in(folder)
}

fn print(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn announce_debug(address: &str, socket: &std::path::Path) -> std::io::Result<()> {
    let entry = serde_json::json!({ address: {
        "Protocol": "grpc",
        "ProtocolVersion": Version::V6.number(),
        "Pid": std::process::id(),
        "Test": true,
        "Addr": { "Network": "unix", "String": socket },
    }});
    print(&format!(
        "{address} serves until it is interrupted. To use it, run Plumb, Terraform or OpenTofu with\n\n\tTF_REATTACH_PROVIDERS='{entry}'\n"
    ))
}
