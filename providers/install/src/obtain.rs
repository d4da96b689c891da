//! Brings a package to this disk and holds it against what its source says about it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use plumb_model::Diagnostic;
use plumb_registry::Hosts;

use crate::address::{Address, Platform};
use crate::hash;
use crate::progress::{How, Progress, Step};
use crate::source::{Package, Trust};
use crate::version::Version;

/// No archive of a provider is larger.
const MAX_ARCHIVE: u64 = 4 << 30;

/// A package on this disk.
#[derive(Clone, Debug)]
pub struct Local {
    /// Where.
    pub content: Content,
    /// What it was held against.
    pub how: How,
    /// Hashes for the lock file that its publisher signed, also of other platforms.
    pub signed: BTreeSet<String>,
    /// When the key that signed expired, if it has.
    pub key_expired: Option<std::time::SystemTime>,
}

/// Where a package is, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Unpacked, in a folder that stays where it is.
    Folder(PathBuf),
    /// An archive, and its `zh:` hash.
    Archive(PathBuf, String),
}

/// Which package it is.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// Of which provider.
    pub address: &'a Address,
    /// Of which version.
    pub version: &'a Version,
    /// For which platform.
    pub platform: &'a Platform,
}

impl Which<'_> {
    /// As messages name it.
    pub fn name(&self) -> String {
        format!("version {} of provider {} for {}", self.version, self.address, self.platform)
    }
}

/// Brings a package here. What is downloaded goes into a new file in the folder `aside`.
///
/// # Errors
/// If it cannot be brought here, or is not what its source says.
pub async fn obtain(
    which: Which<'_>,
    package: Package,
    aside: &Path,
    hosts: &Hosts,
    progress: &dyn Progress,
) -> Result<Local, Diagnostic> {
    let unverified =
        |content| Local { content, how: How::Unverified, signed: BTreeSet::new(), key_expired: None };
    let (request, trust) = match package {
        Package::Folder(folder) => {
            let how = How::Linked(folder.clone());
            return Ok(Local { how, ..unverified(Content::Folder(folder)) });
        }
        Package::Archive(path) => {
            let hash = blocking({
                let path = path.clone();
                move || hash::archive(&path)
            });
            let hash = hash.await.map_err(|error| unreadable(which, &path, &error.to_string()))?;
            return Ok(unverified(Content::Archive(path, hash)));
        }
        Package::Remote { request, trust } => (request, trust),
    };
    let path = aside.join("archive.zip");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(|error| unwritable(which, &path, &error.to_string()))?;
    let seen = |received, total| {
        progress.tell(which.address, which.platform, Step::Received(received, total));
    };
    let download = hosts.client().download(&request, &mut file, MAX_ARCHIVE, &seen).await;
    let download = download.map_err(|error| not_fetched(which, &error))?;
    let zh = format!("zh:{}", download.sha256);
    let content = Content::Archive(path.clone(), zh.clone());
    match trust {
        Trust::Signed { sha256, all, by } => {
            if download.sha256 != sha256 {
                return Err(wrong_content(
                    which,
                    &request.url,
                    &format!("its publisher signed zh:{sha256}"),
                    &zh,
                ));
            }
            Ok(Local { content, how: How::Signed(by.key), signed: all, key_expired: by.expired })
        }
        Trust::Hashes(hashes) => {
            // Schemes that nobody knows yet say nothing.
            let known = |scheme: &str| hashes.iter().any(|hash| hash.starts_with(scheme));
            if !known("zh:") && !known("h1:") {
                return Ok(unverified(content));
            }
            let mut found = vec![zh];
            if !hashes.contains(&found[0]) && known("h1:") {
                let h1 = blocking(move || hash::archive_contents(&path)).await;
                found.push(h1.map_err(|error| refused(which, &error.to_string()))?);
            }
            if !found.iter().any(|hash| hashes.contains(hash)) {
                let wanted: Vec<String> = hashes.into_iter().collect();
                let wanted = format!("its mirror says {}", wanted.join(" or "));
                return Err(wrong_content(which, &request.url, &wanted, &found.join(" and ")));
            }
            Ok(Local { how: How::Checked, ..unverified(content) })
        }
    }
}

/// Does work that takes long, without holding up what else goes on.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("the work does not panic, and nobody aborts it")
}

fn not_fetched(which: Which<'_>, error: &plumb_registry::FetchError) -> Diagnostic {
    Diagnostic::error("provider-not-fetched", "Provider cannot be fetched")
        .detail(format!("The package of {}: {error}. Nothing was installed.", which.name()))
        .help("Check the network and the proxy variables (HTTPS_PROXY), and try again; or name a mirror in the command-line configuration.")
}

fn wrong_content(which: Which<'_>, url: &plumb_registry::Url, wanted: &str, found: &str) -> Diagnostic {
    Diagnostic::error("provider-checksum-mismatch", "Package of a provider is not the published one")
        .detail(format!(
            "The package of {} from {} has the hash {found}, but {wanted}. Nothing was installed.",
            which.name(),
            plumb_registry::client::shown(url)
        ))
        .help("Try again, since it may have been damaged on the way; if it stays like this, tell those who run the registry or mirror.")
}

/// An archive that is not unpacked.
pub fn refused(which: Which<'_>, problem: &str) -> Diagnostic {
    Diagnostic::error("provider-archive-refused", "Archive of a provider cannot be unpacked")
        .detail(format!("The archive of {}: {problem}. Nothing was installed.", which.name()))
        .help("Tell the publisher of the provider, or choose another version.")
}

fn unreadable(which: Which<'_>, path: &Path, problem: &str) -> Diagnostic {
    Diagnostic::error("provider-unreadable", "Package of a provider cannot be read").detail(format!(
        "The package of {}, {}: {problem}.",
        which.name(),
        path.display()
    ))
}

fn unwritable(which: Which<'_>, path: &Path, problem: &str) -> Diagnostic {
    Diagnostic::error("provider-not-written", "Provider cannot be installed")
        .detail(format!("The package of {} cannot be put into {}: {problem}.", which.name(), path.display()))
        .help("Check the permissions, and that the disk is not full.")
}
