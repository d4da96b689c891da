//! A web server on this machine, for tests of everything that is fetched. It speaks HTTPS with a certificate that it
//! makes for itself, which programs under test learn through `SSL_CERT_FILE`, and it misbehaves as it is told.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Asked {
    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers besides the length.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
    /// How many bytes of the content are sent before the connection is closed, if not all.
    pub cut: Option<usize>,
}

impl Reply {
    /// A file.
    pub fn file(body: impl Into<Vec<u8>>) -> Reply {
        let kind = ("Content-Type".to_owned(), "application/octet-stream".to_owned());
        Reply { status: 200, headers: vec![kind], body: body.into(), cut: None }
    }

    /// A document in JSON.
    pub fn json(text: impl Into<String>) -> Reply {
        let kind = ("Content-Type".to_owned(), "application/json".to_owned());
        Reply { status: 200, headers: vec![kind], body: text.into().into_bytes(), cut: None }
    }

    /// A status without content.
    pub fn status(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new(), cut: None }
    }

    /// Somewhere else.
    pub fn redirect(to: impl Into<String>) -> Reply {
        Reply::status(302).with("Location", to)
    }

    /// With a header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Broken off after some bytes.
    pub fn cut(self, after: usize) -> Reply {
        Reply { cut: Some(after), ..self }
    }
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A server, until it is dropped.
pub struct Server {
    listener: TcpListener,
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts a server at `localhost` that answers as the function says.
    ///
    /// # Panics
    /// If there is no loopback interface, or no place for temporary files.
    pub fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
        let folder = tempfile::tempdir().expect("temporary folders can be made");
        let config = tls(&folder.path().join("ca.pem"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback interface");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (accepting, seen) = (listener.try_clone().expect("sockets can be shared"), asked.clone());
        let answer: Arc<Handler> = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in accepting.incoming() {
                // An accept that fails means that the server is gone.
                let Ok(stream) = stream else { break };
                let (config, seen, answer) = (config.clone(), seen.clone(), answer.clone());
                std::thread::spawn(move || {
                    // A client that goes away is its own business.
                    let _ = serve(stream, config, &seen, &*answer);
                });
            }
        });
        Server { listener, folder, asked }
    }

    /// The name and port under which it is reached.
    pub fn host(&self) -> String {
        let address = self.listener.local_addr().expect("a bound socket has an address");
        format!("localhost:{}", address.port())
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.host())
    }

    /// The file with the certificate to trust, for `SSL_CERT_FILE`.
    pub fn certificate(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What was asked for up to now.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The paths that were asked for up to now with `GET`.
    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().filter(|asked| asked.method == "GET").map(|asked| asked.path).collect()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.host())
    }
}

/// A certificate authority whose certificate is written into a file, and a certificate of it for `localhost`.
fn tls(file: &Path) -> Arc<ServerConfig> {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let mut authority = CertificateParams::new(Vec::new()).expect("no names are good names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "Loopback test authority");
    let key = KeyPair::generate().expect("keys can be made");
    let certificate = authority.self_signed(&key).expect("the parameters are good");
    std::fs::write(file, certificate.pem()).expect("temporary files can be written");
    let issuer = Issuer::new(authority, key);
    let own = KeyPair::generate().expect("keys can be made");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .and_then(|params| params.signed_by(&own, &issuer))
        .expect("the parameters are good");
    let key = PrivateKeyDer::Pkcs8(own.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the usual versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("the key is that of the certificate");
    Arc::new(config)
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    seen: &Mutex<Vec<Asked>>,
    answer: &Handler,
) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let Some(asked) = read(&mut stream)? else { return Ok(()) };
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
    let reply = answer(&asked);
    write!(
        stream,
        "HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    )?;
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    if asked.method != "HEAD" {
        stream.write_all(&reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())])?;
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    stream.sock.shutdown(Shutdown::Write)?;
    // What the client still sends is taken, or it would lose what it has not read.
    stream.sock.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
    io::copy(&mut stream.sock, &mut io::sink())?;
    Ok(())
}

fn read(stream: &mut impl Read) -> io::Result<Option<Asked>> {
    let mut lines = BufReader::new(stream).lines();
    let Some(first) = lines.next().transpose()? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    Ok(Some(Asked { method, path, headers }))
}
