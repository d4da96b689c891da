//! Chooses a version: the newest that the constraints allow, of everything that the methods of installation offer.
//!
//! As in Terraform the platform does not count for the choice: a version that has no package for it is an error rather than a
//! reason for an older one, which would make two machines choose differently.

use std::collections::BTreeMap;

use plumb_model::Diagnostic;
use plumb_model::diagnostic::did_you_mean;
use plumb_registry::Hosts;

use crate::address::{Address, Platform};
use crate::config::{Method, Origin};
use crate::source::{Package, Release, Source, filesystem, is_spoken, other_protocol};
use crate::version::{Constraints, Version};

/// A version, and where it comes from.
#[derive(Clone, Debug)]
pub struct Chosen<'a> {
    /// The version.
    pub version: Version,
    source: Source<'a>,
    release: Release,
    /// What the places want their users to know.
    pub warnings: Vec<String>,
}

impl Chosen<'_> {
    /// The package for a platform.
    ///
    /// # Errors
    /// If there is none, or what is said about it is not to be trusted.
    pub async fn package(&self, address: &Address, platform: &Platform) -> Result<Package, Diagnostic> {
        self.source.package(address, &self.version, &self.release, platform).await
    }
}

/// Chooses the version of a provider: `exact`, or the newest that the constraints allow, from the first method that has it.
///
/// # Errors
/// If there is none, or a place cannot say what it has.
pub async fn choose<'a>(
    methods: &[Method],
    hosts: &'a Hosts,
    address: &Address,
    constraints: &Constraints,
    exact: Option<&Version>,
) -> Result<Chosen<'a>, Diagnostic> {
    let sources: Vec<Source<'a>> = methods
        .iter()
        .filter(|method| method.covers(address))
        .map(|method| Source::of(method, hosts))
        .collect();
    let mut offered: BTreeMap<Version, (Source<'a>, Release)> = BTreeMap::new();
    let (mut known, mut warnings) = (false, Vec::new());
    for source in &sources {
        let Some(offers) = source.offers(address).await? else { continue };
        known = true;
        warnings.extend(offers.warnings);
        for (version, release) in offers.releases {
            offered.entry(version).or_insert((source.clone(), release));
        }
    }
    let chosen = match exact {
        Some(exact) => offered.keys().find(|version| *version == exact),
        None => constraints.newest(offered.keys()),
    };
    let Some(version) = chosen.cloned() else {
        if known {
            return Err(none_fits(address, constraints, exact, &offered, &sources));
        }
        return Err(unknown(address, methods, &sources));
    };
    let (source, release) = offered.remove(&version).expect("it was chosen from these");
    if !is_spoken(&release.protocols) {
        let mut others =
            offered.iter().filter(|(_, (_, release))| is_spoken(&release.protocols)).map(|(v, _)| v);
        let instead = constraints.newest(others.clone()).or_else(|| others.next_back());
        return Err(other_protocol(address, &version, &release.protocols, instead));
    }
    Ok(Chosen { version, source, release, warnings })
}

/// The names of places, for a message.
fn places(address: &Address, sources: &[Source<'_>]) -> String {
    let names: Vec<String> = sources.iter().map(|source| source.name(address)).collect();
    names.join(", ")
}

fn unknown(address: &Address, methods: &[Method], sources: &[Source<'_>]) -> Diagnostic {
    let diagnostic = Diagnostic::error("unknown-provider-address", "There is no such provider");
    if sources.is_empty() {
        return diagnostic
            .detail(format!(
                "Provider {address} is looked for nowhere: no method of `provider_installation` in the command-line configuration covers it."
            ))
            .help("Add a method for it, or correct the `include` and `exclude` patterns.");
    }
    let near = methods.iter().find_map(|method| match &method.origin {
        Origin::Filesystem(root) => {
            let there: Vec<String> = filesystem::addresses(root).iter().map(ToString::to_string).collect();
            did_you_mean(&address.to_string(), there.iter().map(String::as_str))
        }
        Origin::Network(_) | Origin::Direct => None,
    });
    let implied = format!(
        "Say in `required_providers` where it comes from: `{} = {{ source = \"namespace/{}\" }}`.",
        address.kind, address.kind
    );
    diagnostic
        .detail(format!("Provider {address} is not known to {}.", places(address, sources)))
        .help(near.map_or(implied, |near| near.to_string()))
}

fn none_fits(
    address: &Address,
    constraints: &Constraints,
    exact: Option<&Version>,
    offered: &BTreeMap<Version, (Source<'_>, Release)>,
    sources: &[Source<'_>],
) -> Diagnostic {
    let wanted = match exact {
        Some(exact) => format!("version {exact} (locked)"),
        None if constraints.is_empty() => "any release".to_owned(),
        None => format!("`{constraints}`"),
    };
    let help = match exact {
        Some(_) => "Run `plumb init -upgrade` to choose another version, if the locked one is gone for good."
            .to_owned(),
        None if offered.keys().all(|version| !version.pre.is_empty()) => match offered.keys().next_back() {
            Some(newest) => {
                format!("Releases that are being prepared are chosen only by name: `version = \"{newest}\"`.")
            }
            None => "Ask those who publish it; nothing is published yet.".to_owned(),
        },
        None => "Correct the version in `required_providers`; `plumb providers` shows who asks for what."
            .to_owned(),
    };
    Diagnostic::error("no-provider-version", "No version of a provider can be installed")
        .detail(format!(
            "Provider {address} is wanted as {wanted}; looked in {}; found: {}.",
            places(address, sources),
            newest_few(offered)
        ))
        .help(help)
}

/// The newest versions, since there may be hundreds.
fn newest_few(offered: &BTreeMap<Version, (Source<'_>, Release)>) -> String {
    const FEW: usize = 10;
    if offered.is_empty() {
        return "none".into();
    }
    let few: Vec<String> = offered.keys().rev().take(FEW).map(ToString::to_string).collect();
    let more = offered.len().saturating_sub(FEW);
    format!("{}{}", few.join(", "), if more > 0 { format!(" and {more} older ones") } else { String::new() })
}
