//! From directories of files to a program.

use std::path::{Path, PathBuf};

use ecow::EcoString;
use plumb_model::address::ModulePath;

/// Where modules that are not local have been installed.
pub trait InstalledModules {
    /// The directory of the module that a call at a path leads to, if it is installed as the source and version
    /// constraint ask.
    fn directory(&self, call: &ModulePath, source: &str, version: Option<&str>) -> Option<PathBuf>;
}

/// Nothing is installed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoneInstalled;

impl InstalledModules for NoneInstalled {
    fn directory(&self, _: &ModulePath, _: &str, _: Option<&str>) -> Option<PathBuf> {
        None
    }
}

/// What loading needs to know besides the files.
pub struct LoadOptions<'a> {
    /// Where modules are that are not local.
    pub installed: &'a dyn InstalledModules,
    /// Values for variables marked `const`, which `source` may mention.
    pub constants: &'a indexmap::IndexMap<EcoString, plumb_model::Value>,
    /// The version that `required_version` is compared with: that of Terraform whose language is spoken.
    pub terraform_version: (u64, u64, u64),
}

/// Whether a directory has files that [`load`](crate::load()) would read.
pub fn has_configuration(world: &dyn crate::World, directory: &Path) -> bool {
    world.list(directory).is_ok_and(|names| {
        names.iter().any(|(name, _)| [".cfg", ".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|e| name.ends_with(e)))
    })
}
