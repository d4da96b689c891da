//! How a plugin and its host find each other: the environment that the host sets and the line that the plugin prints.
//!
//! The host starts the plugin with a [`COOKIE`] and the [`VERSIONS`] that it speaks. The plugin listens somewhere and says
//! where in the first line of its standard output: `1|6|unix|/tmp/plugin123|grpc|CERTIFICATE`. Everything after that line
//! is not part of the protocol.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::method::Version;

/// The variable and the value that tell a plugin that a host started it. It is no secret.
pub const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
/// The variable with the major versions that the host speaks, separated by commas.
pub const VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
/// The variable with the host's certificate in PEM; set where the connection is to be encrypted.
pub const CLIENT_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";
/// The variable with the folder in which the plugin is to make its socket.
pub const SOCKET_FOLDER: &str = "PLUGIN_UNIX_SOCKET_DIR";
/// The variables with the range of TCP ports that the plugin may listen on, and the usual range.
pub const PORTS: [(&str, &str); 2] = [("PLUGIN_MIN_PORT", "10000"), ("PLUGIN_MAX_PORT", "25000")];
/// The variable that says that the host understands a seventh part in the line.
pub const MULTIPLEX: &str = "PLUGIN_MULTIPLEX_GRPC";

/// The only version of the line itself.
const CORE_VERSION: &str = "1";
/// A certificate is longer; older plugins put other short things into that part, which mean nothing.
const SHORTEST_CERTIFICATE: usize = 50;

/// Where a plugin listens and what it speaks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The major version of the protocol.
    pub version: Version,
    /// Where it listens.
    pub address: Address,
    /// The plugin's certificate in DER, if the connection is encrypted.
    pub certificate: Option<Vec<u8>>,
}

/// Where a plugin listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Unix(String),
    /// An address and a port.
    Tcp(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix socket {path}"),
            Address::Tcp(address) => write!(f, "{address}"),
        }
    }
}

impl Address {
    /// The address of a network by its Go name, if the host can reach such.
    pub fn new(network: &str, address: &str) -> Option<Address> {
        match network {
            "unix" => Some(Address::Unix(address.to_owned())),
            "tcp" => Some(Address::Tcp(address.to_owned())),
            _ => None,
        }
    }
}

/// Why a line is no handshake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Not even the shape fits.
    #[error("the line does not have the form `1|VERSION|NETWORK|ADDRESS|grpc|CERTIFICATE`")]
    NotAHandshake,
    /// The first part is another number.
    #[error("version {0} of the handshake is not known, only version 1")]
    CoreVersion(String),
    /// Neither 5 nor 6.
    #[error("the plugin speaks protocol {0}; Plumb speaks 5 and 6")]
    Version(String),
    /// Neither `unix` nor `tcp`.
    #[error("the network {0:?} is neither \"unix\" nor \"tcp\"")]
    Network(String),
    /// Not `grpc`.
    #[error(
        "the plugin speaks {0:?} instead of \"grpc\"; it was built with a development kit that is too old"
    )]
    Transport(String),
    /// The certificate is not base64.
    #[error("the certificate is not valid base64")]
    Certificate,
}

impl Handshake {
    /// Reads the line that a plugin printed.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn parse(line: &str) -> Result<Handshake, HandshakeError> {
        let parts: Vec<&str> = line.trim().split('|').collect();
        let [core, version, network, address, rest @ ..] = parts.as_slice() else {
            return Err(HandshakeError::NotAHandshake);
        };
        if core.is_empty() || !core.bytes().all(|b| b.is_ascii_digit()) {
            return Err(HandshakeError::NotAHandshake);
        }
        if *core != CORE_VERSION {
            return Err(HandshakeError::CoreVersion((*core).to_owned()));
        }
        let version = version
            .parse()
            .ok()
            .and_then(Version::from_number)
            .ok_or_else(|| HandshakeError::Version((*version).to_owned()))?;
        let address =
            Address::new(network, address).ok_or_else(|| HandshakeError::Network((*network).to_owned()))?;
        match rest.first().copied() {
            Some("grpc") => {}
            // Without the part the plugin speaks the transport that came before gRPC.
            other => return Err(HandshakeError::Transport(other.unwrap_or("netrpc").to_owned())),
        }
        let certificate = match rest.get(1) {
            Some(text) if text.len() > SHORTEST_CERTIFICATE => Some(decode_certificate(text)?),
            _ => None,
        };
        Ok(Handshake { version, address, certificate })
    }
}

/// Plugins write base64 without padding; some implementations pad.
fn decode_certificate(text: &str) -> Result<Vec<u8>, HandshakeError> {
    STANDARD_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).map_err(|_| HandshakeError::Certificate)
}

impl fmt::Display for Handshake {
    /// The line, without its line break. The seventh part, which only some hosts understand, is never written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (network, address) = match &self.address {
            Address::Unix(path) => ("unix", path),
            Address::Tcp(address) => ("tcp", address),
        };
        let certificate = self.certificate.as_ref().map(|c| STANDARD_NO_PAD.encode(c)).unwrap_or_default();
        write!(f, "{CORE_VERSION}|{}|{network}|{address}|grpc|{certificate}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, wanted: Result<Handshake, HandshakeError>) {
        assert_eq!(Handshake::parse(line), wanted, "{line:?}");
    }

    fn unix(version: Version, certificate: Option<Vec<u8>>) -> Handshake {
        Handshake { version, address: Address::Unix("/tmp/plugin1".into()), certificate }
    }

    #[test]
    fn lines_of_plugins_are_read() {
        check("1|6|unix|/tmp/plugin1|grpc|\n", Ok(unix(Version::V6, None)));
        check("  1|5|unix|/tmp/plugin1|grpc\r\n", Ok(unix(Version::V5, None)));
        check("1|6|unix|/tmp/plugin1|grpc||true", Ok(unix(Version::V6, None)));
        check("1|6|unix|/tmp/plugin1|grpc|too short to be a certificate", Ok(unix(Version::V6, None)));
        let certificate = vec![7; 50];
        for text in [STANDARD_NO_PAD.encode(&certificate), STANDARD.encode(&certificate)] {
            check(
                &format!("1|6|unix|/tmp/plugin1|grpc|{text}"),
                Ok(unix(Version::V6, Some(certificate.clone()))),
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        check("", Err(HandshakeError::NotAHandshake));
        check("hello", Err(HandshakeError::NotAHandshake));
        check("a|b|c|d|e", Err(HandshakeError::NotAHandshake));
        check("2|6|unix|/tmp/p|grpc", Err(HandshakeError::CoreVersion("2".into())));
        check("1|4|unix|/tmp/p|grpc", Err(HandshakeError::Version("4".into())));
        check("1|6|pipe|/tmp/p|grpc", Err(HandshakeError::Network("pipe".into())));
        check("1|6|unix|/tmp/p", Err(HandshakeError::Transport("netrpc".into())));
        check("1|6|unix|/tmp/p|netrpc", Err(HandshakeError::Transport("netrpc".into())));
        check(&format!("1|6|unix|/tmp/p|grpc|{}", "!".repeat(60)), Err(HandshakeError::Certificate));
    }

    #[test]
    fn a_line_reads_back() {
        for certificate in [None, Some(vec![0xff; 61])] {
            let handshake = unix(Version::V6, certificate);
            check(&handshake.to_string(), Ok(handshake));
        }
    }
}
