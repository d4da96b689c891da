//! Places that packages of providers come from.

pub mod filesystem;

use std::path::{Path, PathBuf};

use crate::address::Address;

/// A package that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Package {
    /// Unpacked, in a folder that stays where it is.
    Folder(PathBuf),
    /// An archive in a file.
    Archive(PathBuf),
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
