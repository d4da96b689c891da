//! Begins a configuration with a copy of a module: `plumb init -from-module`.

use std::fs;
use std::io;
use std::path::Path;

use plumb_model::Diagnostic;
use plumb_provider_install::Constraints;

use crate::address::{ModuleAddress, Package};
use crate::digest;
use crate::fetch::Fetcher;
use crate::install::folder_in;
use crate::lock::PackageKey;

/// Copies the files of a module into a directory, which has no files of the same names. A registry gives its newest
/// version. The address may also be a path.
///
/// # Errors
/// The address is none, the module cannot be fetched, or a file cannot be written.
pub async fn copy(fetcher: &Fetcher, source: &str, directory: &Path) -> Result<(), Diagnostic> {
    if ["./", "../", "/"].iter().any(|start| source.starts_with(start)) {
        return copy_files(Path::new(source), directory).map_err(|error| not_copied(source, &error));
    }
    let address = ModuleAddress::parse(source).map_err(|error| {
        Diagnostic::error("invalid-module-source", "Invalid module source address")
            .detail(format!("{} cannot be used: {}.", plumb_syntax::quote(source), error.problem))
            .help(error.help)
    })?;
    let version = match &address.package {
        Package::Registry(module) => {
            let known = fetcher.versions(module).await?;
            let newest = Constraints::default().newest(&known).cloned();
            Some(newest.ok_or_else(|| crate::install::no_version(module, &Constraints::default(), &known))?)
        }
        Package::Git(_) | Package::Http(_) => None,
    };
    let trouble = |error: io::Error| not_copied(source, &error);
    let aside = tempfile::tempdir_in(directory).map_err(trouble)?;
    let content = aside.path().join("content");
    fs::create_dir(&content).map_err(trouble)?;
    let fetched = fetcher.fetch(&address.package, version.as_ref(), None, &content).await?;
    digest::clean(&content).map_err(trouble)?;
    let key = PackageKey { source: address.package.to_string(), version };
    let folder = folder_in(&content, &fetched.folder(&address.folder), &key)?;
    copy_files(&content.join(folder), directory).map_err(trouble)
}

fn not_copied(source: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error("module-not-copied", "Module cannot be copied")
        .detail(format!("{source} cannot be copied into this directory: {error}."))
        .help("Work in an empty directory that can be written.")
}

/// Copies what is in a folder, but nothing that a working directory has for itself.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    let mut open = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = open.pop() {
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let name = entry.file_name();
            if [".git", ".plumb", ".terraform"].iter().any(|own| name == *own) {
                continue;
            }
            let (source, target) = (entry.path(), to.join(&name));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                fs::create_dir_all(&target)?;
                open.push((source, target));
            } else if target.symlink_metadata().is_ok() {
                return Err(io::Error::other(format!("there is a file {} already", target.display())));
            } else if kind.is_symlink() {
                std::os::unix::fs::symlink(fs::read_link(&source)?, &target)?;
            } else {
                fs::copy(&source, &target)?;
            }
        }
    }
    Ok(())
}
