//! Which files of a directory are its module.
//!
//! `.cfg` files if there is one, else `.tf`, `.tf.json`, `.tofu` and `.tofu.json`, where a `.tofu` file shadows the
//! `.tf` file of the same base name. Files named `override` or ending in `_override` are applied after the others.

use std::collections::BTreeSet;

use ecow::EcoString;
use plumb_syntax::Dialect;

use crate::world::PathKind;

/// The files of a module, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ModuleFiles {
    /// Files that declare.
    pub primary: Vec<ModuleFile>,
    /// Files that change what others declare.
    pub overrides: Vec<ModuleFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModuleFile {
    pub name: EcoString,
    pub json: bool,
    pub dialect: Dialect,
}

/// Picks the files among the names in a directory.
pub(super) fn select(names: &[(EcoString, PathKind)]) -> ModuleFiles {
    let names: Vec<&EcoString> = names
        .iter()
        .filter(|(name, kind)| *kind != PathKind::Directory && !ignored(name))
        .map(|(name, _)| name)
        .collect();
    let native = names.iter().any(|name| name.ends_with(".cfg"));
    let tofu: BTreeSet<&str> = names.iter().filter_map(|name| name.strip_suffix(".tofu")).collect();
    let tofu_json: BTreeSet<&str> = names.iter().filter_map(|name| name.strip_suffix(".tofu.json")).collect();
    let mut files = ModuleFiles::default();
    for name in names {
        let (base, json) = match base(name, native) {
            Some(found) => found,
            None => continue,
        };
        let shadowed = if json {
            name.ends_with(".tf.json") && tofu_json.contains(base)
        } else {
            name.ends_with(".tf") && tofu.contains(base)
        };
        if shadowed {
            continue;
        }
        let dialect = if native { Dialect::Native } else { Dialect::Terraform };
        let file = ModuleFile { name: name.clone(), json, dialect };
        if base == "override" || base.ends_with("_override") {
            files.overrides.push(file);
        } else {
            files.primary.push(file);
        }
    }
    files
}

/// The name without its extension, and whether it is JSON; none for other files.
fn base(name: &str, native: bool) -> Option<(&str, bool)> {
    if native {
        return name.strip_suffix(".cfg").map(|base| (base, false));
    }
    let json = [".tf.json", ".tofu.json"].iter().find_map(|end| name.strip_suffix(end));
    let text = [".tf", ".tofu"].iter().find_map(|end| name.strip_suffix(end));
    json.map(|base| (base, true)).or_else(|| text.map(|base| (base, false)))
}

/// Files that editors leave behind.
fn ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_select(names: &[&str], primary: &[&str], overrides: &[&str]) {
        let names: Vec<_> = names.iter().map(|name| (EcoString::from(*name), PathKind::File)).collect();
        let files = select(&names);
        let list = |files: &[ModuleFile]| files.iter().map(|file| file.name.to_string()).collect::<Vec<_>>();
        assert_eq!(
            (list(&files.primary), list(&files.overrides)),
            (
                primary.iter().map(|s| s.to_string()).collect(),
                overrides.iter().map(|s| s.to_string()).collect()
            )
        );
    }

    #[test]
    fn native_files_are_read_alone_and_tofu_shadows_tf() {
        check_select(&["a.cfg", "b.tf", "c.txt"], &["a.cfg"], &[]);
        check_select(
            &["a.tf", "a.tofu", "b.tf", "c.tf.json", "c.tofu.json"],
            &["a.tofu", "b.tf", "c.tofu.json"],
            &[],
        );
        check_select(
            &["a.tf", "a_override.tf", "override.tf", "#a.tf#", ".b.tf", "c.tf~"],
            &["a.tf"],
            &["a_override.tf", "override.tf"],
        );
    }
}
