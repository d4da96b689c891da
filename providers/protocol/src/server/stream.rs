//! Connections of hosts, encrypted where they ask for it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tonic::codegen::tokio_stream::Stream;
use tonic::transport::server::Connected;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// One connection.
pub struct Connection(Box<dyn Duplex>);

/// The connections of a listener. Each is encrypted on its own, so that one which fails or dawdles holds up no other.
pub struct Incoming(mpsc::Receiver<Connection>);

impl Incoming {
    pub fn new(listener: UnixListener, config: Option<ServerConfig>) -> Incoming {
        let (send, receive) = mpsc::channel(8);
        let acceptor = config.map(|config| TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(open(stream, acceptor.clone(), send.clone()));
            }
        });
        Incoming(receive)
    }
}

async fn open(stream: UnixStream, acceptor: Option<TlsAcceptor>, send: mpsc::Sender<Connection>) {
    let connection = match acceptor {
        None => Connection(Box::new(stream)),
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => Connection(Box::new(stream)),
            // Whoever it was is not our host.
            Err(_) => return,
        },
    };
    // When nobody takes connections any more, the plugin is ending.
    let _ = send.send(connection).await;
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Connection>>> {
        self.0.poll_recv(context).map(|connection| connection.map(Ok))
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
