//! Places that packages of providers come from: what they offer, and how to get it.

pub mod filesystem;
mod network;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use plumb_model::Diagnostic;
use plumb_registry::{DiscoveryError, FetchError, Hosts, Request, Url};

use crate::address::{Address, Platform};
use crate::config::{Method, Origin};
use crate::signature::Signed;
use crate::version::Version;

/// What is said about a version before its package is asked for. What is empty is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// The versions of the plugin protocol, such as `5.0`.
    pub protocols: Vec<String>,
    /// The platforms it has packages for.
    pub platforms: Vec<Platform>,
}

/// What a place has of one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// By version.
    pub releases: BTreeMap<Version, Release>,
    /// What the place wants its users to know; sentences.
    pub warnings: Vec<String>,
}

/// A package that was found.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each provider, and it is moved a few times")]
pub enum Package {
    /// Unpacked, in a folder that stays where it is.
    Folder(PathBuf),
    /// An archive in a file.
    Archive(PathBuf),
    /// An archive to download.
    Remote {
        /// What to ask for.
        request: Request,
        /// What is known about it.
        trust: Trust,
    },
}

/// What a downloaded archive is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// One of these hashes; nothing if there are none.
    Hashes(BTreeSet<String>),
    /// A digest in a document that a key signed, with those of all other platforms.
    Signed {
        /// The SHA-256 of the archive, in lower-case hexadecimal.
        sha256: String,
        /// The hashes of all archives of this version: `zh:…`.
        all: BTreeSet<String>,
        /// Who signed.
        by: Signed,
    },
}

/// A place that packages come from.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// A folder.
    Filesystem(PathBuf),
    /// A mirror with this base.
    Network(Url, &'a Hosts),
    /// The registry that an address names.
    Registry(&'a Hosts),
}

impl<'a> Source<'a> {
    /// The place of a method.
    pub fn of(method: &Method, hosts: &'a Hosts) -> Source<'a> {
        match &method.origin {
            Origin::Filesystem(folder) => Source::Filesystem(folder.clone()),
            Origin::Network(base) => Source::Network(
                Url::parse(base).expect("it was checked when the configuration was read"),
                hosts,
            ),
            Origin::Direct => Source::Registry(hosts),
        }
    }

    /// What there is of a provider; `None` if nothing is known of it here.
    ///
    /// # Errors
    /// If the place cannot say.
    pub async fn offers(&self, address: &Address) -> Result<Option<Offers>, Diagnostic> {
        match self {
            Source::Filesystem(root) => Ok(filesystem::offers(root, address)),
            Source::Network(base, hosts) => network::offers(base, hosts, address).await,
            Source::Registry(hosts) => registry::offers(hosts, address).await,
        }
    }

    /// The package of a version that is offered.
    ///
    /// # Errors
    /// If there is none for the platform, or what is said about it is not to be trusted.
    pub async fn package(
        &self,
        address: &Address,
        version: &Version,
        release: &Release,
        platform: &Platform,
    ) -> Result<Package, Diagnostic> {
        match self {
            Source::Filesystem(root) => filesystem::package(root, address, version, platform)
                .ok_or_else(|| no_platform(address, version, platform, &release.platforms)),
            Source::Network(base, hosts) => network::package(base, hosts, address, version, platform).await,
            Source::Registry(hosts) => registry::package(hosts, address, version, release, platform).await,
        }
    }

    /// What it is called in messages.
    pub fn name(&self, address: &Address) -> String {
        match self {
            Source::Filesystem(root) => root.display().to_string(),
            Source::Network(base, _) => format!("the mirror {base}"),
            Source::Registry(_) => format!("the registry {}", address.host),
        }
    }
}

/// The program of a provider in an unpacked package: `terraform-provider-x`, with anything behind a `_` or `.`.
pub fn program_in(folder: &Path, address: &Address) -> Option<PathBuf> {
    let stem = format!("terraform-provider-{}", address.kind);
    let is_program = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let rest = name.strip_prefix(stem.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '.'])) && path.is_file()
    };
    let entries = std::fs::read_dir(folder).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_program).min()
}

fn no_platform(address: &Address, version: &Version, platform: &Platform, there: &[Platform]) -> Diagnostic {
    let there: Vec<String> = there.iter().map(ToString::to_string).collect();
    let there = if there.is_empty() { "no other".to_owned() } else { there.join(", ") };
    Diagnostic::error("provider-platform-not-supported", "Provider has no package for this platform")
        .detail(format!(
            "Version {version} of provider {address} is wanted for {platform}, but it has packages for: {there}."
        ))
        .help("Ask for a version that has one in `required_providers`, or build the provider and name its folder in `dev_overrides`.")
}

/// Whether one of these versions of the plugin protocol is spoken here: all of 5 and 6. Nothing said is no reason to refuse.
pub fn is_spoken(protocols: &[String]) -> bool {
    let major = |protocol: &String| protocol.split('.').next().and_then(|major| major.parse::<u32>().ok());
    protocols.is_empty() || protocols.iter().filter_map(major).any(|major| (5..7).contains(&major))
}

/// A version that speaks another protocol, and one to take instead.
pub fn other_protocol(
    address: &Address,
    version: &Version,
    found: &[String],
    instead: Option<&Version>,
) -> Diagnostic {
    let help = match instead {
        Some(instead) => format!(
            "Version {instead} speaks one of these: set `version = \"{instead}\"` in `required_providers`."
        ),
        None => "Ask the publisher for a version that speaks one of these.".to_owned(),
    };
    Diagnostic::error("provider-protocol-not-supported", "Provider speaks another protocol")
        .detail(format!(
            "Version {version} of provider {address} speaks version {} of the plugin protocol; Plumb speaks 5 and 6.",
            found.join(", ")
        ))
        .help(help)
}

/// A place that cannot be asked.
fn not_answered(address: &Address, error: &FetchError) -> Diagnostic {
    let help = if error.is_denied() {
        how_to_authorize(&error.url)
    } else {
        "Check the network, the proxy variables (HTTPS_PROXY), and that the certificate is one that is trusted (SSL_CERT_FILE); or name a mirror in the command-line configuration.".to_owned()
    };
    Diagnostic::error("provider-not-fetched", "Provider cannot be fetched")
        .detail(format!("Provider {address}: {error}."))
        .help(help)
}

fn how_to_authorize(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    let Some(port) = url.port() else {
        let variable = name.replace('-', "__").replace('.', "_");
        return format!(
            "Give the token for {name} in the variable TF_TOKEN_{variable}, or in a `credentials \"{name}\"` block of the command-line configuration."
        );
    };
    // A variable with a colon in its name is out of reach of most shells.
    format!(
        "Give the token for {name}:{port} in a `credentials \"{name}:{port}\"` block of the command-line configuration."
    )
}

/// A host that does not say where its registry is.
fn not_discovered(address: &Address, error: &DiscoveryError) -> Diagnostic {
    match error {
        DiscoveryError::NotAnswered { error, .. } => not_answered(address, error),
        DiscoveryError::NotOffered { .. } | DiscoveryError::NoHost(_) => {
            Diagnostic::error("no-provider-registry", "Host has no registry of providers")
                .detail(format!("Provider {address}: {error}."))
                .help("Check the host in `source`; if the provider is not published in a registry, put it into a mirror and name that in the command-line configuration.")
        }
        DiscoveryError::Garbage { .. } => {
            Diagnostic::error("invalid-registry-answer", "Registry or mirror answers with something else")
                .detail(format!("Provider {address}: {error}."))
                .help(SOMETHING_ELSE)
        }
        DiscoveryError::NoToken { .. } => Diagnostic::error("provider-not-fetched", "Provider cannot be fetched")
            .detail(format!("Provider {address}: {error}."))
            .help("Correct `credentials_helper` in the command-line configuration, or give the token in a `credentials` block."),
    }
}

/// What to do about answers that make no sense.
const SOMETHING_ELSE: &str = "Check that the address is that of a registry or mirror, and that no proxy or login page answers instead; then tell those who run it.";

/// An answer that makes no sense.
fn garbage(address: &Address, url: &Url, problem: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error("invalid-registry-answer", "Registry or mirror answers with something else")
        .detail(format!(
            "Provider {address}: the answer of {} is not what the protocol wants: {problem}.",
            plumb_registry::client::shown(url)
        ))
        .help(SOMETHING_ELSE)
}

/// The value of a document in JSON.
fn read<T: serde::de::DeserializeOwned>(
    address: &Address,
    answer: &plumb_registry::Answer,
) -> Result<T, Diagnostic> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let kind = answer.media_type().filter(|kind| kind != "application/json");
        let kind = kind.map(|kind| format!(" (its media type is {kind})")).unwrap_or_default();
        garbage(address, &answer.url, format!("{error}{kind}"))
    })
}

/// More than this is no document of a registry: an index of ten thousand versions has a few million bytes.
const MAX_DOCUMENT: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_5_and_6_are_spoken() {
        let spoken =
            |list: &[&str]| is_spoken(&list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert!(spoken(&["4.0", "5.1"]) && spoken(&["6.10"]) && spoken(&[]));
        assert!(!spoken(&["4.0", "7.0"]));
    }
}
