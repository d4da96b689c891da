//! The registry that an address names, by the provider registry protocol.
//!
//! The host says where its registry is; the registry lists the versions of a provider, and for one version and platform it
//! names the archive, the document with the digests of all archives of the version, the signature of that document, and the
//! keys. A package is only ever fetched by a digest in a document that one of the keys signed.

use std::collections::BTreeSet;
use std::time::SystemTime;

use plumb_model::Diagnostic;
use plumb_registry::{Answer, Hosts, Request, Url};
use serde::Deserialize;

use super::{
    MAX_DOCUMENT, Offers, Package, Release, Trust, garbage, is_spoken, no_platform, not_answered,
    not_discovered, other_protocol, read,
};
use crate::address::{Address, Platform};
use crate::signature;
use crate::version::{Version, parse_version};

/// The service in the list of a host.
const SERVICE: &str = "providers.v1";

#[derive(Deserialize)]
struct Versions {
    versions: Vec<Listed>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Listed {
    version: String,
    #[serde(default)]
    protocols: Option<Vec<String>>,
    #[serde(default)]
    platforms: Option<Vec<Listing>>,
}

#[derive(Deserialize)]
struct Listing {
    os: String,
    arch: String,
}

#[derive(Deserialize)]
struct Download {
    #[serde(default)]
    protocols: Option<Vec<String>>,
    os: String,
    arch: String,
    filename: String,
    download_url: String,
    shasum: String,
    shasums_url: String,
    shasums_signature_url: String,
    signing_keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default)]
    gpg_public_keys: Option<Vec<Key>>,
}

#[derive(Deserialize)]
struct Key {
    ascii_armor: String,
}

/// What the registry has of a provider; `None` if nothing.
pub async fn offers(hosts: &Hosts, address: &Address) -> Result<Option<Offers>, Diagnostic> {
    let Some(answer) = ask(hosts, address, "versions").await? else { return Ok(None) };
    let list: Versions = read(address, &answer)?;
    let mut offers = Offers { warnings: list.warnings.unwrap_or_default(), ..Offers::default() };
    for listed in list.versions {
        // A version that cannot be read cannot be asked for either.
        let Ok(version) = parse_version(&listed.version) else { continue };
        let platforms = listed.platforms.unwrap_or_default().into_iter();
        let platforms = platforms.map(|it| Platform { os: it.os.into(), arch: it.arch.into() }).collect();
        let release = Release { protocols: listed.protocols.unwrap_or_default(), platforms };
        offers.releases.insert(version, release);
    }
    Ok(Some(offers))
}

/// The package of a version for a platform, with what is signed about it.
pub async fn package(
    hosts: &Hosts,
    address: &Address,
    version: &Version,
    release: &Release,
    platform: &Platform,
) -> Result<Package, Diagnostic> {
    let path = format!("{version}/download/{}/{}", platform.os, platform.arch);
    let answer = ask(hosts, address, &path).await?;
    let answer = answer.ok_or_else(|| no_platform(address, version, platform, &release.platforms))?;
    let download: Download = read(address, &answer)?;
    if let Some(found) = download.protocols.as_deref().filter(|protocols| !is_spoken(protocols)) {
        return Err(other_protocol(address, version, found, None));
    }
    if download.os != *platform.os || download.arch != *platform.arch {
        let other = format!("it is about {}_{}, not {platform}", download.os, download.arch);
        return Err(garbage(address, &answer.url, other));
    }
    let url = |text: &str| {
        answer
            .url
            .join(text)
            .map_err(|error| garbage(address, &answer.url, format!("{text:?} is not a URL: {error}")))
    };
    let sums = get(hosts, address, url(&download.shasums_url)?).await?;
    let signature = get(hosts, address, url(&download.shasums_signature_url)?).await?;
    let keys = download.signing_keys.gpg_public_keys.unwrap_or_default();
    let keys: Vec<String> = keys.into_iter().map(|key| key.ascii_armor).collect();
    let by = signature::verify(&sums.body, &signature.body, &keys, SystemTime::now())
        .map_err(|error| unsigned(address, version, &error))?;
    let lines = digests(&sums.body);
    let sha256 = download.shasum.to_lowercase();
    let of_file: Vec<&String> =
        lines.iter().filter(|(_, name)| *name == download.filename).map(|(digest, _)| digest).collect();
    if !of_file.contains(&&sha256) {
        let signed = of_file.first().map_or("no digest".to_owned(), |digest| format!("the digest {digest}"));
        return Err(wrong_digest(address, version, &download.filename, &sha256, &signed));
    }
    let all: BTreeSet<String> = lines.into_iter().map(|(digest, _)| format!("zh:{digest}")).collect();
    let request = Request::new(url(&download.download_url)?);
    Ok(Package::Remote { request, trust: Trust::Signed { sha256, all, by } })
}

/// A document of the registry about a provider; `None` if there is none.
async fn ask(hosts: &Hosts, address: &Address, path: &str) -> Result<Option<Answer>, Diagnostic> {
    let undiscovered = |error| not_discovered(address, &error);
    let base = hosts.service(&address.host, SERVICE).await.map_err(undiscovered)?;
    let authorization = hosts.authorization(&address.host).await.map_err(undiscovered)?;
    let url = base
        .join(&format!("./{}/{}/{path}", address.namespace, address.kind))
        .map_err(|error| garbage(address, &base, error))?;
    match hosts.client().get(&Request::json(url).authorized(authorization), MAX_DOCUMENT).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(not_answered(address, &error)),
    }
}

/// A document that the registry names. It may be anywhere, so nobody is told who asks.
async fn get(hosts: &Hosts, address: &Address, url: Url) -> Result<Answer, Diagnostic> {
    hosts.client().get(&Request::new(url), MAX_DOCUMENT).await.map_err(|error| not_answered(address, &error))
}

/// The lines of a document of digests, as `sha256sum` writes them: a digest and a file name.
fn digests(document: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(document);
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (digest, name) = (words.next()?, words.next()?);
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| (digest.to_lowercase(), name.trim_start_matches('*').to_owned()))
    };
    text.lines().filter_map(line).collect()
}

fn unsigned(address: &Address, version: &Version, error: &signature::SignatureError) -> Diagnostic {
    Diagnostic::error("provider-signature-invalid", "Package of a provider is not signed by its publisher")
        .detail(format!(
            "The digests of version {version} of provider {address} are not to be trusted: {error}. Nothing was installed."
        ))
        .help("Tell the publisher of the provider, or choose another version; do not go round this check.")
}

fn wrong_digest(address: &Address, version: &Version, file: &str, found: &str, signed: &str) -> Diagnostic {
    Diagnostic::error("provider-checksum-mismatch", "Package of a provider is not the published one")
        .detail(format!(
            "The registry says that {file} of version {version} of provider {address} has the digest {found}, but its publisher signed {signed} for it. Nothing was installed."
        ))
        .help("Tell those who run the registry; somebody may have changed the package.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_digests_are_passed_over() {
        let digest = "AB".repeat(32);
        let text = format!("{digest}  a.zip\n{digest} *b.zip\n\n# comment\nabc  c.zip\n{digest}\n");
        let names: Vec<_> = digests(text.as_bytes()).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["a.zip", "b.zip"]);
        assert_eq!(digests(text.as_bytes())[0].0, "ab".repeat(32));
    }
}
