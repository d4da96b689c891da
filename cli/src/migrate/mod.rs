//! Turns directories of `.tf` files into directories of `.cfg` files that mean the same: `plumb migrate-config`.
//!
//! Every directory of a local module is turned or left by itself, since a module in one dialect can call one in the other.
//! The text of a file stays as it is, with its comments and its layout, except for a few insertions ([`edits`]):
//!
//! - providers that were implied are named in `required_providers`, since a name alone means a compiled-in one in `.cfg` files;
//! - types say that parts may be null and that objects may have more attributes ([`types`]), which is so in every `.tf` file;
//! - an argument `enabled` of a provider goes into a block `_`, since `enabled` is a meta-argument there.
//!
//! What means something else in `.cfg` files and cannot be rewritten is a reason to leave a directory as it is. Afterwards
//! the result is loaded and checked without being written ([`overlay`]), and must use the same provider for each resource.

mod edits;
pub mod overlay;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use plumb_model::{Diagnostic, Diagnostics, SourceId};
use plumb_semantics::{Module, Program};
use plumb_syntax::Dialect;

/// What is to be done.
#[derive(Default)]
pub struct Migration {
    /// The files of the directories that can be turned.
    pub files: Vec<File>,
    /// Why other directories stay as they are.
    pub refusals: Diagnostics,
}

/// One file that gets another name and perhaps a few insertions.
pub struct File {
    pub from: PathBuf,
    pub to: PathBuf,
    pub before: String,
    pub after: String,
}

/// What has to be done for the modules of a program.
pub fn plan(program: &Program) -> Migration {
    let mut directories: BTreeMap<PathBuf, &Module> = BTreeMap::new();
    for (_, module) in program.modules() {
        if module.dialect == Dialect::Terraform && !module.files.is_empty() {
            directories.insert(module.directory.clone(), module);
        }
    }
    let mut migration = Migration::default();
    for (path, module) in directories {
        match directory(program, &path, module) {
            Ok(files) => migration.files.extend(files),
            Err(found) => migration.refusals.extend(found),
        }
    }
    migration
}

fn directory(program: &Program, path: &Path, module: &Module) -> Result<Vec<File>, Diagnostics> {
    if !is_own(path) {
        return Err(refusal("The module is not below the working directory")
            .detail(format!("`{}` belongs to somebody else, or is shared with others.", path.display()))
            .help("Run `plumb migrate-config` in that directory.")
            .into());
    }
    let mut found = Diagnostics::new();
    let mut texts: Vec<(SourceId, PathBuf, String)> = Vec::new();
    for &source in &module.files {
        let file = program.sources.get(source);
        match renamed(Path::new(file.name.as_str())) {
            Some(to) => match edits::of_file(source, &file.text) {
                Ok(after) => texts.push((source, to, after)),
                Err(diagnostics) => found.extend(diagnostics),
            },
            None => found.push(
                refusal("A file in JSON has no form in `.cfg` files")
                    .detail(format!("`{}` is in the JSON syntax.", file.name))
                    .help("Write its blocks in the native syntax first, or leave this directory as it is."),
            ),
        }
    }
    found.extend(edits::unconvertible(module));
    let needed = edits::implied_providers(program, module);
    let found = found.into_result()?;
    debug_assert!(found.is_empty(), "every reason is an error");
    if !needed.is_empty() {
        edits::require(&needed, texts.iter_mut().map(|(source, _, text)| (*source, text)));
    }
    let files = texts.into_iter().map(|(source, to, after)| {
        let file = program.sources.get(source);
        File { from: PathBuf::from(file.name.as_str()), to, before: file.text.to_string(), after }
    });
    Ok(files.collect())
}

/// Whether a directory is below the working directory and was not installed there.
fn is_own(path: &Path) -> bool {
    path.components().all(|part| match part {
        Component::CurDir => true,
        Component::Normal(name) => !name.to_string_lossy().starts_with('.'),
        _ => false,
    })
}

/// The name of a file afterwards; none for JSON.
fn renamed(path: &Path) -> Option<PathBuf> {
    matches!(path.extension()?.to_str()?, "tf" | "tofu").then(|| path.with_extension("cfg"))
}

/// That something cannot be turned.
fn refusal(summary: &str) -> Diagnostic {
    Diagnostic::error("not-migratable", "Cannot be turned into a `.cfg` file").detail(format!("{summary}."))
}

/// How the providers of two programs differ, which they must not: each resource has to keep the one that it had.
pub fn changed_providers(before: &Program, after: &Program) -> Vec<String> {
    let providers = |program: &Program| -> BTreeSet<(String, String)> {
        let modules = program.modules().map(|(_, module)| module);
        let of = |module: &Module| -> Vec<(String, String)> {
            let path = module.path.to_string();
            let resources = module.resources.keys().zip(&module.resource_providers);
            resources.map(|(resource, config)| (format!("{path} {resource}"), config.to_string())).collect()
        };
        modules.flat_map(of).collect()
    };
    providers(before).difference(&providers(after)).map(|(resource, _)| resource.clone()).collect()
}
