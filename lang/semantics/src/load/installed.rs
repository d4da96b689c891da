//! What loading asks of those who install modules.
//!
//! Nothing here fetches anything: a module that is not local is asked for by its call, and either it is on the disk
//! already or it is not. What is not there is collected in [`crate::Loaded::missing`], so that `plumb init` knows what to
//! install and every other command says it in one message.

use std::path::PathBuf;

use ecow::{EcoString, eco_format};
use plumb_model::address::ModulePath;
use plumb_model::{Diagnostic, Span};
use plumb_syntax::quote;

/// A call of a module that is not local.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleRequest {
    /// The path of calls that leads to it; of a library only the name that it is imported by, since every module of a
    /// directory imports the same.
    pub path: ModulePath,
    /// Whether it is imported as a library.
    pub library: bool,
    /// The address of the module.
    pub source: EcoString,
    /// The version constraint.
    pub version: Option<EcoString>,
    /// Where the source is written.
    pub span: Span,
}

/// Where an installed module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledModule {
    /// Its directory, as `path.module` names it.
    pub directory: PathBuf,
    /// The directory that it is read from. It is the same for all calls that lead to the same files, which are then
    /// read once.
    pub read_from: PathBuf,
    /// The directory, above `read_from` or that itself, which local modules of this one may not leave.
    pub package: PathBuf,
    /// The exact version, if it has one.
    pub version: Option<EcoString>,
}

/// Why there is no directory for a call.
#[derive(Clone, Debug, PartialEq)]
pub enum NotInstalled {
    /// Nothing is wrong, but nobody has installed it.
    Missing,
    /// What is wrong, without a place.
    Broken(Box<Diagnostic>),
}

/// Where modules that are not local have been installed.
pub trait InstalledModules {
    /// Finds the module that a call leads to, if it is installed as the source and the version constraint ask.
    ///
    /// # Errors
    /// It is not.
    fn find(&self, request: &ModuleRequest) -> Result<InstalledModule, NotInstalled>;
}

/// Nothing is installed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoneInstalled;

impl InstalledModules for NoneInstalled {
    fn find(&self, _: &ModuleRequest) -> Result<InstalledModule, NotInstalled> {
        Err(NotInstalled::Missing)
    }
}

/// How many places a message about missing modules shows; the others are in its words.
const SHOWN_PLACES: usize = 4;

/// How many modules such a message names.
const NAMED: usize = 20;

/// One message about all modules that are not there. `None` if none is missing.
pub(super) fn not_installed(missing: &[ModuleRequest]) -> Option<Diagnostic> {
    let mut sources: Vec<&str> = missing.iter().map(|request| request.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    let detail = match sources.as_slice() {
        [] => return None,
        [one] => eco_format!("The module {} has not been installed.", quote(one)),
        many => {
            let mut names: Vec<EcoString> = many.iter().take(NAMED).map(|source| quote(source)).collect();
            if many.len() > NAMED {
                names.push(eco_format!("and {} more", many.len() - NAMED));
            }
            eco_format!("{} modules have not been installed: {}.", many.len(), names.join(", "))
        }
    };
    let mut diagnostic = Diagnostic::error("module-not-installed", "Module not installed").detail(detail);
    for request in missing.iter().take(SHOWN_PLACES) {
        let text = match (missing.len(), request.path.0.last()) {
            (1, _) => EcoString::new(),
            (_, Some(name)) if request.library => eco_format!("import {name}"),
            _ => eco_format!("{}", request.path),
        };
        diagnostic = diagnostic.label(request.span, text);
    }
    Some(diagnostic.help("Run `plumb init`."))
}
