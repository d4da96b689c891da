//! Which call leads to which package: `modules.json` in the folder of installed modules, and Terraform's file of that
//! name.
//!
//! Ours is read together with the lock; it says nothing that could not be found out again by installing. Terraform's is
//! read for people who have run `terraform init` and try Plumb: as long as the directory has no lock of ours.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use plumb_provider_install::{Constraints, Version};
use plumb_semantics::ModuleRequest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::address::{ModuleAddress, Package};
use crate::digest::hex;

/// The name of the file in the folder of installed modules.
pub const FILE_NAME: &str = "modules.json";

/// Where Terraform keeps its own.
pub const TERRAFORM: &str = ".terraform/modules/modules.json";

/// The version of the format that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// What is installed for the calls of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// By [`key`].
    pub modules: BTreeMap<String, Entry>,
}

/// What is installed for one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The address, as the call has it.
    pub source: String,
    /// The name of the package in the lock.
    pub package: String,
    /// Its version, if it is from a registry.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The digest of its content.
    pub digest: String,
    /// The folder of the module in the package; empty for the package itself.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub folder: String,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    format_version: u32,
    modules: BTreeMap<String, Entry>,
}

/// The name of a call among all calls of a configuration, which is also that of its link: `network.subnets`. A library is
/// the same for all that import it by its address, so its name is made from that, with a sign that no name of a call has.
pub fn key(request: &ModuleRequest) -> String {
    let names: Vec<&str> = request.path.0.iter().map(|name| name.as_str()).collect();
    let name = names.join(".");
    if !request.library {
        return name;
    }
    let address = format!("{} {}", request.source, request.version.as_deref().unwrap_or_default());
    format!("{name}@{}", &hex(&Sha256::digest(address))[..12])
}

impl Manifest {
    /// Reads the text of a manifest. One that cannot be understood says that nothing is installed.
    pub fn parse(text: &[u8]) -> Manifest {
        let saved: Option<Saved> = serde_json::from_slice(text).ok();
        let saved = saved.filter(|saved| saved.format_version == FORMAT);
        Manifest { modules: saved.map(|saved| saved.modules).unwrap_or_default() }
    }

    /// The text of the manifest.
    pub fn text(&self) -> String {
        let saved = Saved { format_version: FORMAT, modules: self.modules.clone() };
        let text = serde_json::to_string_pretty(&saved).expect("texts have a JSON form");
        text + "\n"
    }
}

/// What `terraform init` has installed.
#[derive(Clone, Debug, Default)]
pub struct TerraformManifest {
    modules: BTreeMap<String, TerraformEntry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TerraformEntry {
    key: String,
    source: String,
    #[serde(default)]
    version: Option<String>,
    dir: PathBuf,
}

/// Where Terraform has put a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerraformPlace {
    /// The directory of the module.
    pub directory: PathBuf,
    /// The package that it is in.
    pub package: PathBuf,
    /// The exact version.
    pub version: Option<Version>,
}

impl TerraformManifest {
    /// Reads Terraform's file. What cannot be understood says that nothing is installed.
    pub fn parse(text: &[u8]) -> TerraformManifest {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Saved {
            modules: Vec<TerraformEntry>,
        }
        let saved: Option<Saved> = serde_json::from_slice(text).ok();
        let modules = saved.map(|saved| saved.modules).unwrap_or_default();
        TerraformManifest { modules: modules.into_iter().map(|entry| (entry.key.clone(), entry)).collect() }
    }

    /// Where the module of a call is, if it is installed as the address and the constraints ask.
    pub fn find(
        &self,
        request: &ModuleRequest,
        address: &ModuleAddress,
        constraints: &Constraints,
    ) -> Option<TerraformPlace> {
        let entry = self.modules.get(&key(request)).filter(|_| !request.library)?;
        let version = entry.version.as_deref().and_then(|text| text.parse().ok());
        let same = ModuleAddress::parse(&entry.source).is_ok_and(|installed| installed == *address);
        let allowed = match (&address.package, &version) {
            (Package::Registry(_), Some(version)) => constraints.allow(version),
            (Package::Registry(_), None) => false,
            _ => true,
        };
        let inside = Path::new(TERRAFORM).parent()?;
        let name = entry.dir.strip_prefix(inside).ok()?.components().next()?;
        let plain = entry.dir.components().all(|part| matches!(part, Component::Normal(_)));
        (same && allowed && plain).then(|| TerraformPlace {
            directory: entry.dir.clone(),
            package: inside.join(name),
            version,
        })
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::address::ModulePath;
    use plumb_model::{SourceId, Span};

    use super::*;

    fn request(path: &[&str], source: &str) -> ModuleRequest {
        ModuleRequest {
            path: path.iter().fold(ModulePath::root(), |path, name| path.child((*name).into())),
            library: false,
            source: source.into(),
            version: None,
            span: Span::new(SourceId(0), 0, 0),
        }
    }

    #[test]
    fn a_manifest_reads_back_as_it_is_written() {
        let entry = Entry {
            source: "acme/net/aws".into(),
            package: "registry.terraform.io/acme/net/aws".into(),
            version: Some("1.2.3".into()),
            digest: "h1:abc=".into(),
            folder: "modules/x".into(),
        };
        let manifest = Manifest { modules: BTreeMap::from([("a.b".into(), entry)]) };
        assert_eq!(Manifest::parse(manifest.text().as_bytes()), manifest);
        assert_eq!(Manifest::parse(b"{"), Manifest::default());
        assert_eq!(Manifest::parse(br#"{"format_version":2,"modules":{}}"#), Manifest::default());
    }

    /// The text is what Terraform 1.11.4 wrote.
    #[test]
    fn what_terraform_installed_is_found() {
        let text = br#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"a","Source":"git::file:///srv/net?ref=v1","Dir":".terraform/modules/a"},{"Key":"x","Source":"git::file:///srv/net//modules/x?ref=v1","Dir":".terraform/modules/x/modules/x"},{"Key":"x.up","Source":"../..","Dir":".terraform/modules/x"},{"Key":"evil","Source":"git::file:///srv/net","Dir":".terraform/modules/../../etc"}]}"#;
        let manifest = TerraformManifest::parse(text);
        let find = |path: &[&str], source: &str| {
            let address = ModuleAddress::parse(source).unwrap();
            manifest.find(&request(path, source), &address, &Constraints::default())
        };
        let place = find(&["x"], "git::file:///srv/net//modules/x?ref=v1").unwrap();
        assert_eq!(place.directory, Path::new(".terraform/modules/x/modules/x"));
        assert_eq!(place.package, Path::new(".terraform/modules/x"));
        assert!(find(&["a"], "git::/srv/net?ref=v1").is_some(), "another spelling");
        assert_eq!(find(&["a"], "git::file:///srv/net?ref=v2"), None);
        assert_eq!(find(&["b"], "git::file:///srv/net?ref=v1"), None);
        assert_eq!(find(&["evil"], "git::file:///srv/net"), None);
    }
}
