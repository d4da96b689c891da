//! A mirror in the file system, packed or unpacked.
//!
//! Unpacked, a package is a folder `host/namespace/type/1.2.3/linux_amd64`; packed, it is a file
//! `host/namespace/type/terraform-provider-type_1.2.3_linux_amd64.zip`. One mirror may have both.

use std::path::{Path, PathBuf};

use crate::address::{Address, Platform};
use crate::source::{Offers, Package};
use crate::version::{Version, parse_version};

/// The names in a folder; none if it is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder);
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// The folder of a provider in a mirror.
pub fn folder_of(root: &Path, address: &Address) -> PathBuf {
    root.join(&*address.host).join(&*address.namespace).join(&*address.kind)
}

/// The file name of an archive.
pub fn archive_name(address: &Address, version: &Version, platform: &Platform) -> String {
    format!("terraform-provider-{}_{version}_{platform}.zip", address.kind)
}

/// The providers that a mirror has anything of.
pub fn addresses(root: &Path) -> Vec<Address> {
    let mut found = Vec::new();
    for host in names(root) {
        for namespace in names(&root.join(&host)) {
            for kind in names(&root.join(&host).join(&namespace)) {
                found.extend(format!("{host}/{namespace}/{kind}").parse::<Address>());
            }
        }
    }
    found
}

/// The packages of a provider, of each version for each platform. Where there is one unpacked and one packed, the unpacked
/// one comes first.
fn packages(root: &Path, address: &Address) -> Vec<(Version, Platform, Package)> {
    let folder = folder_of(root, address);
    let prefix = format!("terraform-provider-{}_", address.kind);
    let (mut unpacked, mut packed) = (Vec::new(), Vec::new());
    for name in names(&folder) {
        let path = folder.join(&name);
        let lower = name.to_lowercase();
        if let Some(rest) = lower.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".zip")) {
            // The case of a version counts, that of the rest of the name does not. A platform has one `_` in it.
            let at = rest.match_indices('_').map(|(at, _)| at).nth_back(1);
            let Some(at) = at else { continue };
            let version = &name[prefix.len()..prefix.len() + at];
            if let (Ok(version), Ok(platform), true) =
                (parse_version(version), rest[at + 1..].parse(), path.is_file())
            {
                packed.push((version, platform, Package::Archive(path)));
            }
        } else if let Ok(version) = parse_version(&name) {
            for platform in names(&path) {
                let unpacked_at = path.join(&platform);
                if let (Ok(platform), true) = (platform.parse(), unpacked_at.is_dir()) {
                    unpacked.push((version.clone(), platform, Package::Folder(unpacked_at)));
                }
            }
        }
    }
    unpacked.extend(packed);
    unpacked
}

/// What a mirror has of a provider; `None` if nothing.
pub fn offers(root: &Path, address: &Address) -> Option<Offers> {
    let mut offers = Offers::default();
    for (version, platform, _) in packages(root, address) {
        let platforms = &mut offers.releases.entry(version).or_default().platforms;
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    (!offers.releases.is_empty()).then_some(offers)
}

/// The package of a version for a platform.
pub fn package(root: &Path, address: &Address, version: &Version, platform: &Platform) -> Option<Package> {
    let fits = |found: &(Version, Platform, Package)| found.0 == *version && found.1 == *platform;
    packages(root, address).into_iter().find(fits).map(|(_, _, package)| package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_are_found() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("example.com/acme/probe");
        std::fs::create_dir_all(folder.join("1.2.3/linux_amd64")).unwrap();
        std::fs::create_dir_all(folder.join("1.3.0/darwin_arm64")).unwrap();
        for name in [
            "Terraform-Provider-probe_2.0.0-RC1_linux_amd64.zip",
            "terraform-provider-probe_1.2.3_linux_amd64.zip",
            "terraform-provider-probe_1.2.3_linux_arm.zip",
            "terraform-provider-probe_linux_arm.zip",
            "README",
        ] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let address: Address = "example.com/acme/probe".parse().unwrap();
        let offers = offers(root.path(), &address).unwrap();
        let found: Vec<_> = offers.releases.iter().map(|(v, r)| (v.to_string(), r.platforms.len())).collect();
        assert_eq!(found, [("1.2.3".to_owned(), 2), ("1.3.0".to_owned(), 1), ("2.0.0-RC1".to_owned(), 1)]);
        let package = |version: &str| {
            let platform = "linux_amd64".parse().unwrap();
            package(root.path(), &address, &parse_version(version).unwrap(), &platform)
        };
        assert!(matches!(package("1.2.3"), Some(Package::Folder(_))));
        assert!(matches!(package("2.0.0-RC1"), Some(Package::Archive(_))));
        assert!(package("1.3.0").is_none());
        assert_eq!(addresses(root.path()), [address]);
    }
}
