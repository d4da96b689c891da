//! Makes the connection to a plugin.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use plumb_provider_protocol::handshake::Address;
use plumb_provider_protocol::tls::SERVER_NAME;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::codegen::Service;
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};

/// How many bytes of one answer may be on their way: big schemas need not wait for each other side's word.
const STREAM_WINDOW: u32 = 8 << 20;
const CONNECTION_WINDOW: u32 = 32 << 20;

/// Connects.
///
/// # Errors
/// What went wrong, in words.
pub async fn connect(address: Address, tls: Option<Arc<ClientConfig>>) -> Result<Channel, String> {
    // The name is what HTTP asks for; the connector knows the way.
    Endpoint::from_static("http://localhost")
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .connect_with_connector(Connector { address, tls })
        .await
        .map_err(|error| innermost(&error))
}

/// The error that began it: the outer ones only say that there is no connection.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

struct Connector {
    address: Address,
    tls: Option<Arc<ClientConfig>>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Connection = TokioIo<Box<dyn Stream>>;

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Connection>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(open(self.address.clone(), self.tls.clone()))
    }
}

async fn open(address: Address, tls: Option<Arc<ClientConfig>>) -> io::Result<Connection> {
    let plain: Box<dyn Stream> = match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    };
    let Some(config) = tls else { return Ok(TokioIo::new(plain)) };
    let name = ServerName::try_from(SERVER_NAME).expect("a host name");
    let encrypted = TlsConnector::from(config).connect(name, plain).await?;
    Ok(TokioIo::new(Box::new(encrypted)))
}
