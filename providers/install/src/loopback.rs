//! A registry and network mirror on this machine, for tests: it publishes packages that say nothing but their version,
//! signs them with keys made for the purpose, and misbehaves as it is told.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pgp::composed::{
    ArmorOptions, Deserializable as _, DetachedSignature, SignedPublicKey, SignedSecretKey, SubpacketConfig,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, Password, SigningKey, Timestamp};
use plumb_registry::loopback::{Asked, Reply, Server};
use serde_json::json;

use crate::hash;

/// A key to sign with. All are for tests alone, and in the sources for everybody to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestKey {
    /// The usual one.
    Publisher,
    /// Another one.
    Stranger,
    /// One whose primary key may not sign, with a subkey that may.
    Team,
    /// One that expired at the beginning of 2021.
    Expired,
    /// One that is revoked.
    Revoked,
}

impl TestKey {
    fn secret(self) -> SignedSecretKey {
        let text = match self {
            TestKey::Publisher => include_str!("keys/publisher.asc"),
            TestKey::Stranger => include_str!("keys/stranger.asc"),
            TestKey::Team => include_str!("keys/team.asc"),
            TestKey::Expired => include_str!("keys/expired.asc"),
            TestKey::Revoked => include_str!("keys/revoked.asc"),
        };
        SignedSecretKey::from_string(text).expect("the key was exported by GnuPG").0
    }

    /// The public part in armor.
    pub fn public(self) -> String {
        let public = SignedPublicKey::from(self.secret());
        public.to_armored_string(ArmorOptions::default()).expect("a key can be written")
    }

    /// The identity, as Terraform writes it.
    pub fn id(self) -> String {
        self.secret().primary_key.legacy_key_id().as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Signs a document, at a time in seconds since 1970, or now.
    pub fn sign(self, document: &[u8], at: Option<u32>) -> Vec<u8> {
        let secret = self.secret();
        let signature = match secret.secret_subkeys.first() {
            Some(sub) => signed(&sub.key, document, at),
            None => signed(&secret.primary_key, document, at),
        };
        signature.to_bytes().expect("a signature can be written")
    }
}

fn signed(key: &impl SigningKey, document: &[u8], at: Option<u32>) -> DetachedSignature {
    let time = at.map_or_else(Timestamp::now, Timestamp::from_secs);
    let packet = |data| Subpacket::regular(data).expect("it is short");
    let hashed = vec![
        packet(SubpacketData::SignatureCreationTime(time)),
        packet(SubpacketData::IssuerFingerprint(key.fingerprint())),
    ];
    let unhashed = vec![packet(SubpacketData::IssuerKeyId(key.legacy_key_id()))];
    let packets = SubpacketConfig::UserDefined { hashed, unhashed };
    let (random, password) = (rsa::rand_core::OsRng, Password::empty());
    DetachedSignature::sign_binary_data_with_subpackets(
        random,
        key,
        &password,
        HashAlgorithm::Sha256,
        document,
        packets,
    )
    .expect("the key can sign")
}

/// What is published of one version.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The versions of the plugin protocol.
    pub protocols: Vec<String>,
    /// The archives by platform.
    pub archives: BTreeMap<String, Vec<u8>>,
}

type Override = dyn Fn(&Asked) -> Option<Reply> + Send + Sync;

/// What a registry has, and how it behaves.
pub struct Behaviour {
    /// By `namespace/type` and version.
    pub published: BTreeMap<String, BTreeMap<String, Published>>,
    /// What it says about all providers.
    pub warnings: Vec<String>,
    /// Whose key it names.
    pub keys: Vec<TestKey>,
    /// Who signs, and when.
    pub signer: (TestKey, Option<u32>),
    /// What it answers instead.
    pub instead: Option<Arc<Override>>,
}

/// A registry, until it is dropped. The same server is a mirror, at `/mirror/`.
pub struct Registry {
    server: Server,
    behaviour: Arc<Mutex<Behaviour>>,
}

/// An archive of a provider: a program that is a script, and a text.
pub fn archive(kind: &str, version: &str, script: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let files = [
        (format!("terraform-provider-{kind}_v{version}"), script, 0o755),
        ("README.md".into(), "read me", 0o644),
    ];
    for (name, text, mode) in files {
        zip.start_file(name, options.unix_permissions(mode)).expect("memory is enough");
        zip.write_all(text.as_bytes()).expect("memory is enough");
    }
    zip.finish().expect("memory is enough").into_inner()
}

impl Registry {
    /// Starts an empty one.
    pub fn start() -> Registry {
        let behaviour = Arc::new(Mutex::new(Behaviour {
            published: BTreeMap::new(),
            warnings: Vec::new(),
            keys: vec![TestKey::Publisher],
            signer: (TestKey::Publisher, None),
            instead: None,
        }));
        let shared = behaviour.clone();
        let server = Server::start(move |asked| {
            let behaviour = || shared.lock().unwrap_or_else(PoisonError::into_inner);
            // It may take its time, while others are answered.
            let instead = behaviour().instead.clone();
            let instead = instead.and_then(|instead| instead(asked));
            instead.or_else(|| answer(&behaviour(), &asked.path)).unwrap_or_else(|| Reply::status(404))
        });
        Registry { server, behaviour }
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// What it has and how it behaves, to be changed.
    pub fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a version of a provider (`namespace/type`) for some platforms.
    pub fn publish(&self, provider: &str, version: &str, platforms: &[&str]) -> &Registry {
        let kind = provider.rsplit('/').next().unwrap_or_default();
        let archives = platforms.iter().map(|platform| {
            let script = format!("#!/bin/sh\necho {version} for {platform}\n");
            ((*platform).to_owned(), archive(kind, version, &script))
        });
        let published =
            Published { protocols: vec!["5.0".into(), "6.0".into()], archives: archives.collect() };
        self.behaviour()
            .published
            .entry(provider.to_owned())
            .or_default()
            .insert(version.to_owned(), published);
        self
    }

    /// Answers something else to some requests.
    pub fn instead(&self, answer: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) {
        self.behaviour().instead = Some(Arc::new(answer));
    }

    /// The address of a provider that is published here.
    pub fn address(&self, provider: &str) -> String {
        format!("{}/{provider}", self.server.host())
    }

    /// The base of the mirror.
    pub fn mirror(&self) -> String {
        self.server.url("/mirror/")
    }
}

fn file_name(kind: &str, version: &str, platform: &str) -> String {
    format!("terraform-provider-{kind}_{version}_{platform}.zip")
}

fn sums(kind: &str, version: &str, published: &Published) -> String {
    let line = |(platform, archive): (&String, &Vec<u8>)| {
        let digest = hash::sha256(archive.as_slice()).expect("memory can be read");
        format!("{digest}  {}\n", file_name(kind, version, platform))
    };
    published.archives.iter().map(line).collect()
}

fn answer(behaviour: &Behaviour, path: &str) -> Option<Reply> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        [".well-known", "terraform.json"] => {
            Some(Reply::json(json!({ "providers.v1": "/v1/providers/" }).to_string()))
        }
        ["v1", "providers", namespace, kind, rest @ ..] => {
            registry(behaviour, &format!("{namespace}/{kind}"), kind, rest)
        }
        ["mirror", _host, namespace, kind, document] => {
            mirror(behaviour, &format!("{namespace}/{kind}"), kind, document)
        }
        ["files", namespace, kind, version, file] => {
            let published = behaviour.published.get(&format!("{namespace}/{kind}"))?.get(*version)?;
            let document = sums(kind, version, published);
            match *file {
                "SHA256SUMS" => Some(Reply::file(document)),
                "SHA256SUMS.sig" => {
                    let (key, at) = behaviour.signer;
                    Some(Reply::file(key.sign(document.as_bytes(), at)))
                }
                file => {
                    let is_it = |platform: &&String| file_name(kind, version, platform) == file;
                    let platform = published.archives.keys().find(is_it)?;
                    Some(Reply::file(published.archives[platform].clone()))
                }
            }
        }
        _ => None,
    }
}

fn registry(behaviour: &Behaviour, provider: &str, kind: &str, rest: &[&str]) -> Option<Reply> {
    let versions = behaviour.published.get(provider)?;
    match rest {
        ["versions"] => {
            let platform = |platform: &String| {
                let (os, arch) = platform.split_once('_').unwrap_or_default();
                json!({ "os": os, "arch": arch })
            };
            let listed = versions.iter().map(|(version, published)| {
                let platforms: Vec<_> = published.archives.keys().map(platform).collect();
                json!({ "version": version, "protocols": published.protocols, "platforms": platforms })
            });
            let listed: Vec<_> = listed.collect();
            Some(Reply::json(json!({ "versions": listed, "warnings": behaviour.warnings }).to_string()))
        }
        [version, "download", os, arch] => {
            let published = versions.get(*version)?;
            let archive = published.archives.get(&format!("{os}_{arch}"))?;
            let folder = format!("/files/{provider}/{version}");
            let file = file_name(kind, version, &format!("{os}_{arch}"));
            let keys: Vec<_> = behaviour
                .keys
                .iter()
                .map(|key| json!({ "key_id": key.id(), "ascii_armor": key.public() }))
                .collect();
            let document = json!({
                "protocols": published.protocols, "os": os, "arch": arch, "filename": file,
                "download_url": format!("{folder}/{file}"),
                "shasum": hash::sha256(archive.as_slice()).ok()?,
                "shasums_url": format!("{folder}/SHA256SUMS"),
                "shasums_signature_url": format!("{folder}/SHA256SUMS.sig"),
                "signing_keys": { "gpg_public_keys": keys },
            });
            Some(Reply::json(document.to_string()))
        }
        _ => None,
    }
}

fn mirror(behaviour: &Behaviour, provider: &str, kind: &str, document: &str) -> Option<Reply> {
    let versions = behaviour.published.get(provider)?;
    let version = document.strip_suffix(".json")?;
    if version == "index" {
        let all: BTreeMap<_, _> = versions.keys().map(|version| (version, json!({}))).collect();
        return Some(Reply::json(json!({ "versions": all }).to_string()));
    }
    let archives = versions.get(version)?.archives.iter().map(|(platform, archive)| {
        let digest = hash::sha256(archive.as_slice()).expect("memory can be read");
        let url = format!("/files/{provider}/{version}/{}", file_name(kind, version, platform));
        (platform, json!({ "url": url, "hashes": [format!("zh:{digest}")] }))
    });
    let archives: BTreeMap<_, _> = archives.collect();
    Some(Reply::json(json!({ "archives": archives }).to_string()))
}
