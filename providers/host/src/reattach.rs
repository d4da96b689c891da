//! Plugins that somebody else started, for example in a debugger: the variable `TF_REATTACH_PROVIDERS`.
//!
//! Its value is a JSON object from provider addresses to where each listens. Such a plugin is not encrypted and
//! needs no handshake; one that is marked as a test is never ended from here.

use std::collections::BTreeMap;

use plumb_model::{Diagnostic, Diagnostics};
use plumb_provider_protocol::Version;
use plumb_provider_protocol::handshake::Address;
use serde::Deserialize;

/// The variable.
pub const VARIABLE: &str = "TF_REATTACH_PROVIDERS";

/// Where a running plugin listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reattach {
    /// Where.
    pub address: Address,
    /// What it speaks.
    pub version: Version,
    /// Whether it is somebody else's to end.
    pub test: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    protocol: String,
    #[serde(default)]
    protocol_version: u64,
    #[serde(default)]
    test: bool,
    addr: Addr,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Addr {
    network: String,
    string: String,
}

/// Reads the value of the variable: plugins by provider address.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<BTreeMap<String, Reattach>, Diagnostics> {
    let wrong = |what: String| -> Diagnostics {
        Diagnostic::error("invalid-reattach", "Invalid TF_REATTACH_PROVIDERS")
            .detail(format!("The value of the variable {VARIABLE} cannot be used: {what}."))
            .help("Copy the line that the provider printed when it was started for debugging, or unset the variable.")
            .into()
    };
    let entries: BTreeMap<String, Entry> = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
    let reattach = |provider: &str, entry: Entry| {
        if !matches!(entry.protocol.as_str(), "" | "grpc") {
            return Err(wrong(format!("{provider} speaks {:?} instead of \"grpc\"", entry.protocol)));
        }
        let number = if entry.protocol_version == 0 { 5 } else { entry.protocol_version };
        let version = Version::from_number(number)
            .ok_or_else(|| wrong(format!("{provider} speaks protocol {number}, not 5 or 6")))?;
        let address = Address::new(&entry.addr.network, &entry.addr.string).ok_or_else(|| {
            wrong(format!("{provider} listens on {:?}, not on a unix socket or tcp", entry.addr.network))
        })?;
        Ok(Reattach { address, version, test: entry.test })
    };
    entries.into_iter().map(|(provider, entry)| Ok((provider.clone(), reattach(&provider, entry)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_providers_print_is_read() {
        let text = r#"{"example.com/acme/probe":{"Protocol":"grpc","ProtocolVersion":6,"Pid":1234,"Test":true,
            "Addr":{"Network":"unix","String":"/tmp/plugin123"}},
            "example.com/acme/old":{"Addr":{"Network":"tcp","String":"127.0.0.1:10000"}}}"#;
        let parsed = parse(text).unwrap();
        assert_eq!(
            parsed["example.com/acme/probe"],
            Reattach { address: Address::Unix("/tmp/plugin123".into()), version: Version::V6, test: true }
        );
        assert_eq!(parsed["example.com/acme/old"].version, Version::V5);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wanted) in [
            ("{", "EOF"),
            (r#"{"p":{"ProtocolVersion":4,"Addr":{"Network":"tcp","String":""}}}"#, "protocol 4"),
            (r#"{"p":{"Addr":{"Network":"pipe","String":""}}}"#, "pipe"),
        ] {
            let diagnostics = parse(text).unwrap_err();
            let diagnostic = diagnostics.iter().next().unwrap();
            assert!(diagnostic.detail.contains(wanted), "{}", diagnostic.detail);
        }
    }
}
