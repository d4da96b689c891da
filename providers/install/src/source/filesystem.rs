//! A mirror in the file system, packed or unpacked.
//!
//! Unpacked, a package is a folder `host/namespace/type/1.2.3/linux_amd64`; packed, it is a file
//! `host/namespace/type/terraform-provider-type_1.2.3_linux_amd64.zip`. One mirror may have both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::address::{Address, Platform};
use crate::source::Package;
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

fn folder_of(root: &Path, address: &Address) -> PathBuf {
    root.join(&*address.host).join(&*address.namespace).join(&*address.kind)
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

/// The packages of a provider for a platform, by version.
pub fn packages(root: &Path, address: &Address, platform: &Platform) -> BTreeMap<Version, Package> {
    let folder = folder_of(root, address);
    let prefix = format!("terraform-provider-{}_", address.kind);
    let suffix = format!("_{platform}.zip");
    let mut found = BTreeMap::new();
    for name in names(&folder) {
        let path = folder.join(&name);
        let lower = name.to_lowercase();
        let archived = lower.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(&suffix));
        if let Some(version) = archived {
            // The case of a version counts, that of the rest of the name does not.
            let version = &name[prefix.len()..prefix.len() + version.len()];
            if let (Ok(version), true) = (parse_version(version), path.is_file()) {
                found.entry(version).or_insert(Package::Archive(path));
            }
        } else if let Ok(version) = parse_version(&name) {
            let unpacked = path.join(platform.to_string());
            if unpacked.is_dir() {
                found.insert(version, Package::Folder(unpacked));
            }
        }
    }
    found
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
        std::fs::write(folder.join("Terraform-Provider-probe_2.0.0-RC1_linux_amd64.zip"), "").unwrap();
        std::fs::write(folder.join("terraform-provider-probe_1.2.3_linux_amd64.zip"), "").unwrap();
        std::fs::write(folder.join("README"), "").unwrap();
        let address: Address = "example.com/acme/probe".parse().unwrap();
        let packages = packages(root.path(), &address, &"linux_amd64".parse().unwrap());
        let found: Vec<_> =
            packages.iter().map(|(v, p)| (v.to_string(), matches!(p, Package::Folder(_)))).collect();
        assert_eq!(found, [("1.2.3".to_owned(), true), ("2.0.0-RC1".to_owned(), false)]);
        assert_eq!(addresses(root.path()), [address]);
    }
}
