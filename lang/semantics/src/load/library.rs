//! Libraries: directories of types, functions and constants that an `import` block with a name brings in.
//!
//! A library is read like a module, once however often it is imported, and comes from the same places. It may have `types`, `function`, `locals` and
//! `import` blocks and nothing else, so that importing it has no effect. Its local values are its constants: they are
//! computed here, from nothing but each other and functions.
//!
//! A library is pinned by `hash`, the digest of its files; that of libraries that it imports itself is not part of it.

use std::path::Path;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::address::ModulePath;
use plumb_model::{Diagnostic, Diagnostics, Span, Value};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Block, Ident, Traversal};
use sha2::{Digest, Sha256};

use super::blocks::{Shape, check_labels, check_shape, missing_argument, text};
use super::calls::{MAX_CALL_DEPTH, local_path, outside_package, version_of_local};
use super::declare::{insert, label};
use super::function::{cyclic_locals, needs_of_locals};
use super::resource::is_broken;
use super::{Loader, ModuleRequest, files, has_configuration};
use crate::callee::impure_calls;
use crate::expr::{Eval, Failed, FunctionContext, Names, Outcome, Rules};
use crate::order::order;
use crate::program::{Declarations, Library, LibraryDecl};
use crate::world::{MemoryWorld, PathKind, lexical};

const IMPORT: Shape =
    Shape { what: "an `import` block of a library", attributes: &["source", "version", "hash"], blocks: &[] };

/// An `import` block that names a library, not an object.
pub(super) fn imports_library(block: &Block) -> bool {
    block.kind.as_str() == "import" && !block.labels.is_empty()
}

impl Loader<'_> {
    /// Reads what the blocks of a directory import.
    pub(super) fn libraries(
        &mut self,
        directory: &Path,
        blocks: &[Arc<Block>],
    ) -> IndexMap<EcoString, LibraryDecl> {
        let mut libraries = IndexMap::new();
        for block in blocks.iter().filter(|block| imports_library(block)) {
            if !check_labels(block, &["name"], &mut self.diagnostics) {
                continue;
            }
            let name = label(block, 0);
            check_shape(&block.body, &IMPORT, &mut self.diagnostics);
            if matches!(name.as_str(), "core" | "provider") {
                self.diagnostics.push(
                    Diagnostic::error("reserved-name", "Reserved library name")
                        .detail(eco_format!("`{name}::` is the namespace of other functions already."))
                        .at(name.span)
                        .help("Choose another name."),
                );
            }
            let source = text(&block.body, "source", &mut self.diagnostics);
            if source.is_none() && block.body.attribute("source").is_none() && !is_broken(block) {
                self.diagnostics.push(missing_argument(block, "source"));
            }
            let version = text(&block.body, "version", &mut self.diagnostics);
            let library = source
                .as_ref()
                .and_then(|(source, span)| self.library_at(directory, &name, (source, *span), version));
            if let Some(library) = &library {
                self.check_hash(block, library);
            }
            let decl = LibraryDecl { span: block.header_span, source, library, name: name.clone() };
            let span = |decl: &LibraryDecl| decl.span;
            insert(
                &mut libraries,
                name.name.clone(),
                decl,
                "library",
                &name.name,
                span,
                &mut self.diagnostics,
            );
        }
        libraries
    }

    /// The library that an `import` block leads to: a path from the directory of the block, or an address as those of modules.
    fn library_at(
        &mut self,
        directory: &Path,
        name: &Ident,
        (source, span): (&EcoString, Span),
        version: Option<(EcoString, Span)>,
    ) -> Option<Arc<Library>> {
        let path = match local_path(source) {
            Some(to) => {
                if let Some((_, span)) = version {
                    self.diagnostics.push(version_of_local(span));
                }
                let path = lexical(&directory.join(to));
                let package = self.packages.get(&lexical(directory)).cloned();
                if let Some(package) = package {
                    if !path.starts_with(&package) {
                        let who = eco_format!("`{}`", directory.display());
                        self.diagnostics.push(outside_package(&who, source, span));
                        return None;
                    }
                    self.packages.insert(path.clone(), package);
                }
                path
            }
            None => {
                let request = ModuleRequest {
                    path: ModulePath::root().child(name.name.clone()),
                    library: true,
                    source: source.clone(),
                    version: version.map(|(version, _)| version),
                    span,
                };
                let found = self.find_installed(request, directory)?;
                let path = lexical(&found.read_from);
                self.packages.insert(path.clone(), lexical(&found.package));
                path
            }
        };
        if let Some(known) = self.libraries.get(&path) {
            return known.clone();
        }
        if self.world.kind(&path) != PathKind::Directory || !has_configuration(self.world, &path) {
            self.diagnostics.push(
                Diagnostic::error("unreadable-library", "Unreadable library")
                    .detail(eco_format!("There is no directory `{}` with `.cfg` files.", path.display()))
                    .at(span),
            );
            return None;
        }
        if let Some(diagnostic) = self.import_cycle(&path, span) {
            self.diagnostics.push(diagnostic);
            return None;
        }
        self.reading.push((path.clone(), span));
        let declarations = self.directory(&path);
        self.reading.pop();
        let library = self.library(&path, declarations, span).map(Arc::new);
        self.libraries.insert(path, library.clone());
        library
    }

    /// Why a directory cannot be imported: it is being read because something in it, or further on, imports this one.
    fn import_cycle(&self, path: &Path, span: Span) -> Option<Diagnostic> {
        if let Some(from) = self.reading.iter().position(|(reading, _)| reading == path) {
            let mut diagnostic = Diagnostic::error("library-cycle", "Libraries import each other")
                .detail(eco_format!("The library `{}` imports itself through others.", path.display()))
                .label(span, eco_format!("imports `{}`", path.display()));
            for (imported, place) in &self.reading[from + 1..] {
                diagnostic = diagnostic.label(*place, eco_format!("imports `{}`", imported.display()));
            }
            return Some(diagnostic.help("Move what both need into a library of its own."));
        }
        (self.reading.len() > MAX_CALL_DEPTH).then(|| {
            Diagnostic::error("library-depth", "Libraries nested too deep")
                .detail(eco_format!("Libraries import each other more than {MAX_CALL_DEPTH} deep here."))
                .at(span)
        })
    }

    fn library(&mut self, path: &Path, declarations: Arc<Declarations>, span: Span) -> Option<Library> {
        if declarations.dialect != Dialect::Native {
            self.diagnostics.push(
                Diagnostic::error("not-a-library", "Not a library")
                    .detail(eco_format!(
                        "The directory `{}` has `.tf` files, but types and functions are written in `.cfg` files.",
                        path.display()
                    ))
                    .at(span),
            );
            return None;
        }
        if let Some((what, place)) = foreign(&declarations) {
            self.diagnostics.push(
                Diagnostic::error("not-a-library", "Not a library")
                    .detail(eco_format!(
                        "The directory `{}` declares {what}; a library has only types, functions, constants (`locals`) and imports.",
                        path.display()
                    ))
                    .label(span, "imported here")
                    .label(place, "declared here")
                    .help("Call it as a module, or move its types and functions into a directory of their own."),
            );
            return None;
        }
        let constants = constants(&declarations, &mut self.diagnostics);
        let digest = self.digest(path);
        Some(Library { directory: path.to_path_buf(), declarations, constants, digest })
    }

    /// The digest of the files of a library: names, lengths and contents, in the order of names.
    fn digest(&self, path: &Path) -> EcoString {
        let names = self.world.list(path).unwrap_or_default();
        let selected = files::select(&names);
        let mut names: Vec<&EcoString> =
            selected.primary.iter().chain(&selected.overrides).map(|file| &file.name).collect();
        names.sort();
        let mut digest = Sha256::new();
        for name in names {
            let content = self.world.read(&path.join(name.as_str())).unwrap_or_default();
            digest.update(name.as_bytes());
            digest.update([0]);
            digest.update((content.len() as u64).to_be_bytes());
            digest.update(&content);
        }
        let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        eco_format!("sha256:{hex}")
    }

    fn check_hash(&mut self, block: &Block, library: &Library) {
        let Some((wanted, span)) = text(&block.body, "hash", &mut self.diagnostics) else { return };
        if wanted != library.digest {
            let quoted = plumb_syntax::quote(&library.digest);
            self.diagnostics.push(
                Diagnostic::error("library-changed", "Library is not what it was")
                    .detail(eco_format!(
                        "The files in `{}` have another digest than the one written here.",
                        library.directory.display()
                    ))
                    .at(span)
                    .help(eco_format!("If the change is meant, write `hash = {quoted}`."))
                    .suggest(span, quoted, false),
            );
        }
    }
}

/// What a directory declares that a library may not, and where.
fn foreign(declared: &Declarations) -> Option<(EcoString, Span)> {
    let Declarations { resources, calls, variables, outputs, provider_blocks, checks, .. } = declared;
    resources
        .values()
        .map(|decl| (eco_format!("the resource `{}`", decl.resource), decl.span))
        .chain(calls.values().map(|decl| (eco_format!("the module call `{}`", decl.name), decl.span)))
        .chain(variables.values().map(|decl| (eco_format!("the variable `{}`", decl.name), decl.span)))
        .chain(outputs.values().map(|decl| (eco_format!("the output `{}`", decl.name), decl.span)))
        .chain(provider_blocks.iter().map(|(key, decl)| (eco_format!("the provider `{key}`"), decl.span)))
        .chain(checks.values().map(|decl| (eco_format!("the check `{}`", decl.name), decl.span)))
        .chain(declared.moved.iter().map(|decl| ("a `moved` block".into(), decl.span)))
        .chain(declared.removed.iter().map(|decl| ("a `removed` block".into(), decl.span)))
        .chain(declared.imports.iter().map(|decl| ("an `import` block for an object".into(), decl.span)))
        .min_by_key(|(_, span)| *span)
}

/// The values of the local values of a library. Those that have none are left out; why is reported.
fn constants(declared: &Declarations, diagnostics: &mut Diagnostics) -> IndexMap<EcoString, Value> {
    let (sorted, cycles) = order(&needs_of_locals(&declared.locals));
    diagnostics.extend(cycles.iter().map(|cycle| cyclic_locals(&declared.locals, cycle)));
    let cyclic: std::collections::HashSet<usize> = cycles.iter().flatten().map(|(i, _)| *i).collect();
    let world = MemoryWorld::default();
    let context =
        FunctionContext { declared: Some(declared), ..FunctionContext::alone(&world, Dialect::Native) };
    let mut constants = IndexMap::new();
    for i in sorted.into_iter().filter(|i| !cyclic.contains(i)) {
        let decl = &declared.locals[i];
        let impure = impure_calls(&decl.value, "A constant");
        if !impure.is_empty() {
            diagnostics.extend(impure);
            continue;
        }
        let names = ConstantNames { declared, constants: &constants };
        match Eval::new(&names, &context, Rules::of(Dialect::Native)).finish(&decl.value) {
            Ok(value) => {
                constants.insert(decl.name.name.clone(), value);
            }
            Err(found) => diagnostics.extend(found),
        }
    }
    constants
}

/// What the constants of a library may mention: each other.
struct ConstantNames<'a> {
    declared: &'a Declarations,
    constants: &'a IndexMap<EcoString, Value>,
}

impl Names for ConstantNames<'_> {
    fn lookup(&self, traversal: &Traversal, diagnostics: &mut Diagnostics) -> Outcome<(Value, usize)> {
        let name = traversal.attribute(0).filter(|_| traversal.root.as_str() == "local");
        if let Some(value) = name.and_then(|name| self.constants.get(&name.name)) {
            return Ok((value.clone(), 1));
        }
        // What has no value for a reason of its own was reported already.
        if name.is_some_and(|name| self.declared.locals.contains_key(&name.name)) {
            return Ok((Value::unknown(plumb_model::Type::Dynamic), 1));
        }
        let names = self.declared.locals.keys().map(EcoString::as_str);
        let guess = name.and_then(|name| plumb_model::diagnostic::did_you_mean(name.as_str(), names));
        diagnostics.push(
            Diagnostic::error("library-constant", "Not a constant")
                .detail(eco_format!(
                    "The constants of a library may mention only each other (`local.name`), not `{traversal}`."
                ))
                .at(traversal.span)
                .maybe_help(guess),
        );
        Err(Failed)
    }
}
