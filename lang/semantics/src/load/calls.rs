//! Where a module call leads.
//!
//! The address and the version are constants ([`super::constant`]). A local address is a path from the calling module, or an absolute
//! one, to files that are simply there; every other is asked for at [`super::InstalledModules`]. A module that was installed is part of a package, and the local modules that
//! it calls are in the same package: a path out of it would lead to whatever happens to be beside it on this machine.

use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use plumb_model::address::ModulePath;
use plumb_model::{Diagnostic, Span, Value};
use plumb_syntax::tree::Expr;

use super::constant::Constants;
use super::{InstalledModule, Loader, ModuleRequest, NotInstalled, has_configuration};
use crate::program::{CallDecl, ModuleId, ModuleOrigin};
use crate::world::{PathKind, lexical};

/// The path of a module that is simply there, if the address is one: relative to the calling module, or absolute.
pub(super) fn local_path(source: &str) -> Option<&Path> {
    let path = source.strip_prefix("file://").unwrap_or(source);
    let local = ["./", "../", "/"].iter().any(|start| path.starts_with(start));
    local.then(|| Path::new(path))
}

/// How deep module calls may be nested.
pub(super) const MAX_CALL_DEPTH: usize = 64;

/// Where a module is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The directory, as `path.module` names it.
    pub directory: PathBuf,
    /// The directory that it is read from.
    pub read_from: PathBuf,
    /// What was called.
    pub origin: Option<ModuleOrigin>,
}

impl Loader<'_> {
    /// The module that a call leads to; reports what is wrong with it.
    pub(super) fn called(&mut self, caller: ModuleId, call: &CallDecl) -> Option<Place> {
        let path = self.modules[caller.0 as usize].path.child(call.name.name.clone());
        let place = self.locate(caller, &path, false, call.source.as_ref()?, call.version.as_ref())?;
        if let Some(cycle) = self.cycle(caller, &place.read_from, &path) {
            self.diagnostics.push(cycle.at(call.source.as_ref()?.span));
            return None;
        }
        Some(place)
    }

    /// The directory that an address in a module leads to, which has files that can be read; reports what is wrong with
    /// it. `path` names the call, or the import of a library.
    pub(super) fn locate(
        &mut self,
        caller: ModuleId,
        path: &ModulePath,
        library: bool,
        source: &Expr,
        version: Option<&Expr>,
    ) -> Option<Place> {
        let span = source.span;
        let source = self.constant_text(caller, source, "The source of a module");
        let version = match version {
            Some(expr) => self
                .constant_text(caller, expr, "The version of a module")
                .map(|text| Some((text, expr.span))),
            None => Some(None),
        };
        // Both are looked at before giving up, so that both are reported.
        let (source, version) = (source??, version?.and_then(|(text, span)| Some((text?, span))));
        let place = if let Some(to) = local_path(&source) {
            if let Some((_, span)) = &version {
                self.diagnostics.push(version_of_local(*span));
            }
            self.local(caller, &source, to, span)?
        } else {
            let version = version.map(|(version, _)| version);
            self.installed(caller, ModuleRequest { path: path.clone(), library, source, version, span })?
        };
        self.check_directory(&place, span)?;
        Some(place)
    }

    /// The text that an expression has as a constant. The outer `None` if it has none, which has been reported; the inner
    /// one if it is null.
    fn constant_text(
        &mut self,
        module: ModuleId,
        expr: &Expr,
        purpose: &'static str,
    ) -> Option<Option<EcoString>> {
        if let Some(text) = expr.as_string() {
            return Some(Some(text.clone()));
        }
        let given = self.given.get_or_init(|| (self.options.constants)(&self.modules[0]));
        let constants = Constants {
            world: self.world,
            modules: &self.modules,
            module,
            given,
            workspace: &self.options.workspace,
            memory: &self.memory,
            purpose,
        };
        match constants.value(expr) {
            Ok(Value::String(text)) => Some(Some(text)),
            Ok(Value::Null(_)) => Some(None),
            Ok(value) => {
                self.diagnostics.push(
                    Diagnostic::error("unsuitable-value", "Unsuitable value type")
                        .detail(eco_format!("{purpose} is a text, but this is of type {}.", value.ty()))
                        .at(expr.span),
                );
                None
            }
            Err(found) => {
                self.diagnostics.extend(found);
                None
            }
        }
    }

    fn local(&mut self, caller: ModuleId, source: &EcoString, to: &Path, span: Span) -> Option<Place> {
        let module = &self.modules[caller.0 as usize];
        let directory = lexical(&module.directory.join(to));
        let read_from = lexical(&module.read_from.join(to));
        let package = module.origin.as_ref().and_then(|origin| origin.package.clone());
        if let Some(package) = &package
            && !read_from.starts_with(lexical(package))
        {
            let who = eco_format!("{}", module.path);
            self.diagnostics.push(outside_package(&who, source, span));
            return None;
        }
        let origin = ModuleOrigin { source: source.clone(), constraint: None, version: None, package };
        Some(Place { directory, read_from, origin: Some(origin) })
    }

    fn installed(&mut self, caller: ModuleId, request: ModuleRequest) -> Option<Place> {
        let directory = self.modules[caller.0 as usize].directory.clone();
        let (source, constraint) = (request.source.clone(), request.version.clone());
        let found = self.find_installed(request, &directory)?;
        let origin =
            ModuleOrigin { source, constraint, version: found.version, package: Some(found.package) };
        Some(Place { directory: found.directory, read_from: found.read_from, origin: Some(origin) })
    }

    /// What is installed for a call, or an import, in a directory; notes what is missing, and reports what is wrong.
    pub(super) fn find_installed(
        &mut self,
        request: ModuleRequest,
        directory: &Path,
    ) -> Option<InstalledModule> {
        match self.options.installed.find(&request) {
            Ok(found) => Some(found),
            Err(NotInstalled::Missing) => {
                self.missing.push(request);
                None
            }
            Err(NotInstalled::Broken(problem)) => {
                let mut problem = problem.at(request.span);
                if self.world.kind(&directory.join(request.source.as_str())) == PathKind::Directory {
                    let path = eco_format!("\"./{}\"", request.source);
                    problem = problem
                        .help(eco_format!("To use the directory of that name, write `source = {path}`."))
                        .suggest(request.span, path, false);
                }
                self.diagnostics.push(problem);
                None
            }
        }
    }

    /// Whether a directory can be read as a module; says why not.
    fn check_directory(&mut self, place: &Place, span: Span) -> Option<()> {
        // What has been read already is as it was.
        if self.directories.contains_key(&lexical(&place.read_from)) {
            return Some(());
        }
        if self.world.kind(&place.read_from) != PathKind::Directory {
            self.diagnostics.push(
                Diagnostic::error("unreadable-module", "Unreadable module directory")
                    .detail(eco_format!("There is no directory `{}`.", place.directory.display()))
                    .at(span),
            );
            return None;
        }
        if !has_configuration(self.world, &place.read_from) {
            self.diagnostics.push(
                Diagnostic::error("empty-module", "Module has no configuration files")
                    .detail(eco_format!(
                        "The directory `{}` has no `.cfg`, `.tf` or `.tofu` files.",
                        place.directory.display()
                    ))
                    .at(span),
            );
            return None;
        }
        Some(())
    }

    /// Why a module may not be called: it is among its own callers.
    fn cycle(&self, caller: ModuleId, read_from: &Path, path: &ModulePath) -> Option<Diagnostic> {
        let wanted = lexical(read_from);
        let mut at = Some(caller);
        while let Some(id) = at {
            let module = &self.modules[id.0 as usize];
            if lexical(&module.read_from) == wanted {
                let who = if module.path.is_root() {
                    "the root module".into()
                } else {
                    eco_format!("{}", module.path)
                };
                return Some(
                    Diagnostic::error("module-cycle", "Module call cycle")
                        .detail(eco_format!(
                            "{path} is in the directory of {who}, which calls it: there would be no end."
                        ))
                        .help("Break the cycle: a module cannot contain itself."),
                );
            }
            at = module.parent.map(|(parent, _)| parent);
        }
        (path.0.len() > MAX_CALL_DEPTH).then(|| {
            Diagnostic::error("module-depth", "Module calls nested too deep")
                .detail(eco_format!("Module calls are nested more than {MAX_CALL_DEPTH} deep here."))
        })
    }
}

/// That a path leads out of the package that it is written in; `who` says where that is.
pub(super) fn outside_package(who: &str, source: &str, span: Span) -> Diagnostic {
    Diagnostic::error("module-outside-package", "Local module outside of its package")
        .detail(eco_format!(
            "{who} is in a package that was fetched, and {} leads out of it.",
            plumb_syntax::quote(source)
        ))
        .at(span)
        .help("Only the package itself is there on every machine: name the other module by an address that can be fetched, or fetch a larger package and select this module behind `//`.")
}

/// That something has a version which is simply there.
pub(super) fn version_of_local(span: Span) -> Diagnostic {
    Diagnostic::error("version-of-local-module", "Invalid registry module source address")
        .detail("A local module has no versions, so `version` has no meaning for it.")
        .at(span)
        .help("Remove `version`.")
}
