//! From directories of files to a program.
//!
//! [`load`] reads the root directory, then the directories of module calls, breadth first. A directory is read and
//! understood once however often it is called. Trouble is collected over all files; what could be understood is in the
//! program all the same.
//!
//! Elsewhere: which files count is [`files`], libraries [`library`], what override files do [`overrides`], what blocks mean [`declare`], which
//! provider configuration is used [`providers`], what depends on what [`crate::graph`].

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::address::ModulePath;
use plumb_model::{Diagnostic, Diagnostics, SourceId, Sources, Span, Value};
use plumb_syntax::tree::{Block, Expr};
use plumb_syntax::{Dialect, parse, parse_json};

use crate::expr::{Eval, FunctionContext, Names, NoNames, Rules};
use crate::graph;
use crate::program::{CallDecl, Declarations, Library, Loaded, Module, ModuleId};
use crate::world::{PathKind, World, lexical};
use declare::Declaring;

pub(crate) mod blocks;
mod declare;
mod files;
mod function;
mod json;
mod library;
mod overrides;
pub(crate) mod providers;
mod resource;
mod settings;

/// How deep module calls may be nested.
const MAX_CALL_DEPTH: usize = 64;

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
    /// Values of root variables, which the `source` of module calls may mention.
    pub constants: IndexMap<EcoString, Value>,
    /// The version that `required_version` is compared with: that of Terraform whose language is spoken.
    pub terraform_version: (u64, u64, u64),
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        LoadOptions { installed: &NoneInstalled, constants: IndexMap::new(), terraform_version: (1, 15, 0) }
    }
}

/// Whether a directory has files that [`load`] would read.
pub fn has_configuration(world: &dyn World, directory: &Path) -> bool {
    world.list(directory).is_ok_and(|names| {
        let files = files::select(&names);
        !files.primary.is_empty() || !files.overrides.is_empty()
    })
}

/// Reads the configuration whose root module is in a directory.
///
/// The names of sources are the paths that this path leads to, so a relative one gives relative names.
pub fn load(world: &dyn World, root: &Path, options: &LoadOptions<'_>) -> Loaded {
    let mut loader = Loader {
        world,
        options,
        sources: Sources::new(),
        directories: HashMap::new(),
        diagnostics: Diagnostics::new(),
        modules: Vec::new(),
        libraries: HashMap::new(),
        reading: Vec::new(),
    };
    loader.load_tree(root);
    let Loader { sources, mut diagnostics, mut modules, .. } = loader;
    providers::resolve_all(&mut modules, &mut diagnostics);
    let program = graph::build(Arc::new(sources), modules);
    diagnostics.sort();
    Loaded { program: Arc::new(program), diagnostics }
}

struct Loader<'a> {
    world: &'a dyn World,
    options: &'a LoadOptions<'a>,
    sources: Sources,
    /// What was read already, by path without `.` and `..`.
    directories: HashMap<PathBuf, Arc<Declarations>>,
    diagnostics: Diagnostics,
    modules: Vec<Module>,
    /// Libraries that were read already, by path without `.` and `..`; none where that failed.
    libraries: HashMap<PathBuf, Option<Arc<Library>>>,
    /// The libraries that are being read, each imported by the one before it, with the place of the import.
    reading: Vec<(PathBuf, Span)>,
}

/// A module that is still to be read.
struct Pending {
    directory: PathBuf,
    path: ModulePath,
    parent: Option<(ModuleId, u32)>,
}

impl Loader<'_> {
    fn load_tree(&mut self, root: &Path) {
        let mut pending = VecDeque::from([Pending {
            directory: root.to_path_buf(),
            path: ModulePath::root(),
            parent: None,
        }]);
        while let Some(next) = pending.pop_front() {
            let id = ModuleId(self.modules.len() as u32);
            let declarations = self.directory(&next.directory);
            if let Some((parent, call)) = next.parent {
                self.modules[parent.0 as usize].children[call as usize] = Some(id);
            }
            self.modules.push(Module {
                path: next.path,
                directory: next.directory,
                parent: next.parent,
                children: vec![None; declarations.calls.len()],
                declarations: declarations.clone(),
                providers: IndexMap::new(),
                resource_providers: Vec::new(),
                first_nodes: Default::default(),
            });
            for (index, call) in declarations.calls.values().enumerate() {
                if let Some(directory) = self.called_directory(id, call) {
                    let path = self.modules[id.0 as usize].path.child(call.name.name.clone());
                    pending.push_back(Pending { directory, path, parent: Some((id, index as u32)) });
                }
            }
        }
    }

    /// The directory that a call leads to; reports what is wrong with it.
    fn called_directory(&mut self, caller: ModuleId, call: &CallDecl) -> Option<PathBuf> {
        let (source, span) = call.source.as_ref()?;
        let module = &self.modules[caller.0 as usize];
        let path = module.path.child(call.name.name.clone());
        let local = source.starts_with("./") || source.starts_with("../");
        let directory = if local
            || (module.dialect == Dialect::Native && Path::new(source.as_str()).is_absolute())
        {
            if let Some((_, span)) = &call.version {
                self.diagnostics.push(
                    Diagnostic::error("version-of-local-module", "Invalid registry module source address")
                        .detail("A local module has no versions, so `version` has no meaning for it.")
                        .at(*span)
                        .help("Remove `version`."),
                );
            }
            lexical(&module.directory.join(source.as_str()))
        } else {
            let version = call.version.as_ref().map(|(version, _)| version.as_str());
            match self.options.installed.directory(&path, source, version) {
                Some(directory) => directory,
                None => {
                    self.diagnostics.push(not_installed(source, *span, self.world, &module.directory));
                    return None;
                }
            }
        };
        if self.world.kind(&directory) != PathKind::Directory {
            self.diagnostics.push(
                Diagnostic::error("unreadable-module", "Unreadable module directory")
                    .detail(eco_format!("There is no directory `{}`.", directory.display()))
                    .at(*span),
            );
            return None;
        }
        if let Some(cycle) = self.cycle(caller, &directory, &path) {
            self.diagnostics.push(cycle.at(*span));
            return None;
        }
        if !has_configuration(self.world, &directory) {
            self.diagnostics.push(
                Diagnostic::error("empty-module", "Module has no configuration files")
                    .detail(eco_format!(
                        "The directory `{}` has no `.cfg`, `.tf` or `.tofu` files.",
                        directory.display()
                    ))
                    .at(*span),
            );
            return None;
        }
        Some(directory)
    }

    /// Why a module may not be called: it is among its own callers.
    fn cycle(&self, caller: ModuleId, directory: &Path, path: &ModulePath) -> Option<Diagnostic> {
        let wanted = lexical(directory);
        let mut at = Some(caller);
        while let Some(id) = at {
            let module = &self.modules[id.0 as usize];
            if lexical(&module.directory) == wanted {
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

    fn directory(&mut self, directory: &Path) -> Arc<Declarations> {
        let key = lexical(directory);
        if let Some(found) = self.directories.get(&key) {
            return found.clone();
        }
        let declarations = Arc::new(self.read_directory(directory));
        self.directories.insert(key, declarations.clone());
        declarations
    }

    fn read_directory(&mut self, directory: &Path) -> Declarations {
        let names =
            self.world.list(directory).unwrap_or_else(|error| {
                self.diagnostics.push(
                    Diagnostic::error("unreadable-module", "Unreadable module directory")
                        .detail(eco_format!("`{}` cannot be read: {}.", directory.display(), error.text)),
                );
                Vec::new()
            });
        let selected = files::select(&names);
        let dialect = selected
            .primary
            .iter()
            .chain(&selected.overrides)
            .next()
            .map_or(Dialect::Terraform, |file| file.dialect);
        let world = self.world;
        let constants = &self.options.constants;
        let constant = move |expr: &Expr, declared: &Declarations| constant(world, constants, expr, declared);
        let mut sources = Vec::new();
        let mut read =
            |file: &files::ModuleFile, loader: &mut Self| -> (SourceId, Vec<plumb_syntax::tree::Item>) {
                let (source, items) = loader.read_file(directory, file);
                sources.push(source);
                (source, items)
            };
        let mut primary = Vec::new();
        let mut over = Vec::new();
        for file in &selected.primary {
            primary.extend(read(file, self).1);
        }
        for file in &selected.overrides {
            over.extend(read(file, self).1);
        }
        let mut declaring = Declaring::new(dialect, sources, &constant, self.options.terraform_version);
        let mut blocks: Vec<Arc<Block>> = declaring.top_items(&primary);
        let overriding = declaring.top_items(&over);
        if !overriding.is_empty() {
            overrides::apply(&mut blocks, overriding, &mut declaring.diagnostics);
        }
        if dialect == Dialect::Native {
            declaring.declarations.libraries = self.libraries(directory, &blocks);
            declaring.types(&blocks);
            declaring.functions(&blocks);
        }
        for block in &blocks {
            declaring.declare(block);
        }
        let Declaring { declarations, diagnostics, .. } = declaring;
        self.diagnostics.extend(diagnostics);
        declarations
    }

    fn read_file(
        &mut self,
        directory: &Path,
        file: &files::ModuleFile,
    ) -> (SourceId, Vec<plumb_syntax::tree::Item>) {
        let path = directory.join(file.name.as_str());
        let shown = path.strip_prefix("./").unwrap_or(&path).display().to_string();
        let bytes = self.world.read(&path).unwrap_or_else(|error| {
            self.diagnostics.push(
                Diagnostic::error("unreadable-file", "Failed to read file")
                    .detail(eco_format!("`{shown}` cannot be read: {}.", error.text)),
            );
            Vec::new()
        });
        let text = decode(&bytes, &shown, &mut self.sources, &mut self.diagnostics);
        let source = self.sources.add(shown, text);
        let text = self.sources.get(source).text.clone();
        if file.json {
            let parsed = parse_json(source, &text);
            self.diagnostics.extend(parsed.diagnostics);
            return (source, json::items(&parsed.tree, file.dialect, &mut self.diagnostics));
        }
        let parsed = parse(source, &text, file.dialect);
        self.diagnostics.extend(parsed.diagnostics);
        (source, parsed.tree.body.items)
    }
}

/// The text of a file. What is no UTF-8 is replaced, and reported where it is.
pub(crate) fn decode(
    bytes: &[u8],
    name: &str,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Arc<str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).into(),
        Err(error) => {
            let next = SourceId(sources.iter().count() as u32);
            let at = error.valid_up_to();
            diagnostics.push(
                Diagnostic::error("invalid-encoding", "Invalid character encoding")
                    .detail(eco_format!("`{name}` is not UTF-8 text: byte {at} begins no character."))
                    .at(Span::new(next, at, at))
                    .help("Save the file as UTF-8."),
            );
            String::from_utf8_lossy(bytes).into()
        }
    }
}

fn not_installed(source: &str, span: Span, world: &dyn World, directory: &Path) -> Diagnostic {
    let diagnostic = Diagnostic::error("module-not-installed", "Module not installed")
        .detail(eco_format!("The module {} has not been installed.", plumb_syntax::quote(source)))
        .at(span);
    if world.kind(&directory.join(source)) == PathKind::Directory {
        return diagnostic
            .help(eco_format!("To use the directory of that name, write `source = \"./{source}\"`."))
            .suggest(span, eco_format!("\"./{source}\""), false);
    }
    diagnostic.help("Run `plumb init`.")
}

/// The value of an expression that is needed before anything is evaluated: it may mention variables whose values are
/// given, and nothing else.
fn constant(
    world: &dyn World,
    constants: &IndexMap<EcoString, Value>,
    expr: &Expr,
    declared: &Declarations,
) -> Result<Value, Diagnostics> {
    struct ConstantNames<'a>(&'a IndexMap<EcoString, Value>);
    impl Names for ConstantNames<'_> {
        fn lookup(
            &self,
            traversal: &plumb_syntax::tree::Traversal,
            diagnostics: &mut Diagnostics,
        ) -> crate::expr::Outcome<(Value, usize)> {
            if traversal.root.as_str() == "var"
                && let Some(value) = traversal.attribute(0).and_then(|name| self.0.get(&name.name))
            {
                return Ok((value.clone(), 1));
            }
            NoNames { place: "A value that is needed before anything is evaluated" }
                .lookup(traversal, diagnostics)
        }
    }
    let dialect = declared.dialect;
    let context = FunctionContext { declared: Some(declared), ..FunctionContext::alone(world, dialect) };
    Eval::new(&ConstantNames(constants), &context, Rules::of(dialect)).finish(expr)
}
