//! A mirror that speaks HTTPS: documents in JSON beside the archives that they name.
//!
//! `HOST/NAMESPACE/TYPE/index.json` lists the versions, `HOST/NAMESPACE/TYPE/1.2.3.json` the archives of one by platform,
//! each with a URL relative to the document and the hashes that it may have. A mirror need not have everything.

use std::collections::{BTreeMap, BTreeSet};

use plumb_model::Diagnostic;
use plumb_registry::{Answer, Authorization, Hosts, Request, Url};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{
    MAX_DOCUMENT, Offers, Package, Release, Trust, garbage, no_platform, not_answered, not_discovered, read,
};
use crate::address::{Address, Platform};
use crate::version::{Version, parse_version};

#[derive(Deserialize)]
struct Index {
    versions: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct Archives {
    archives: BTreeMap<String, Archive>,
}

#[derive(Deserialize)]
struct Archive {
    url: String,
    #[serde(default)]
    hashes: Option<BTreeSet<String>>,
}

/// What a mirror has of a provider; `None` if nothing.
pub async fn offers(base: &Url, hosts: &Hosts, address: &Address) -> Result<Option<Offers>, Diagnostic> {
    let Some(answer) = get(base, hosts, address, "index").await? else { return Ok(None) };
    let index: Index = read(address, &answer)?;
    // A version that cannot be read cannot be asked for either.
    let versions = index.versions.into_keys().filter_map(|version| parse_version(&version).ok());
    let releases = versions.map(|version| (version, Release::default())).collect();
    Ok(Some(Offers { releases, warnings: Vec::new() }))
}

/// The package of a version for a platform.
pub async fn package(
    base: &Url,
    hosts: &Hosts,
    address: &Address,
    version: &Version,
    platform: &Platform,
) -> Result<Package, Diagnostic> {
    let answer = get(base, hosts, address, &version.to_string()).await?;
    let Some(answer) = answer else { return Err(no_platform(address, version, platform, &[])) };
    let mut archives: Archives = read(address, &answer)?;
    let Some(archive) = archives.archives.remove(&platform.to_string()) else {
        let there: Vec<Platform> = archives.archives.keys().filter_map(|text| text.parse().ok()).collect();
        return Err(no_platform(address, version, platform, &there));
    };
    let url = answer
        .url
        .join(&archive.url)
        .map_err(|error| garbage(address, &answer.url, format!("{:?} is not a URL: {error}", archive.url)))?;
    let authorization = authorization(base, hosts, address, &url).await?;
    let request = Request::new(url).authorized(authorization);
    Ok(Package::Remote { request, trust: Trust::Hashes(archive.hashes.unwrap_or_default()) })
}

/// The token of the mirror, for what the mirror itself serves.
async fn authorization(
    base: &Url,
    hosts: &Hosts,
    address: &Address,
    url: &Url,
) -> Result<Option<Authorization>, Diagnostic> {
    if url.origin() != base.origin() {
        return Ok(None);
    }
    let name = base.host_str().unwrap_or_default();
    let host = base.port().map_or(name.to_owned(), |port| format!("{name}:{port}"));
    hosts.authorization(&host).await.map_err(|error| not_discovered(address, &error))
}

/// A document about a provider; `None` if there is none.
async fn get(base: &Url, hosts: &Hosts, address: &Address, name: &str) -> Result<Option<Answer>, Diagnostic> {
    let Address { host, namespace, kind } = address;
    let path = format!("{host}/{namespace}/{kind}/{name}.json");
    let url = at(base, &path).map_err(|problem| garbage(address, base, problem))?;
    let authorization = authorization(base, hosts, address, &url).await?;
    match hosts.client().get(&Request::json(url).authorized(authorization), MAX_DOCUMENT).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(not_answered(address, &error)),
    }
}

/// The URL of a path below a base. A port in it makes no scheme of what stands before.
fn at(base: &Url, path: &str) -> Result<Url, String> {
    base.join(&format!("./{path}")).map_err(|error| error.to_string())
}
