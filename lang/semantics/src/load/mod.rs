//! From directories of files to a program.
//!
//! [`load`] reads the root directory, then the directories of module calls, breadth first. A directory is read and
//! understood once however often it is called. Trouble is collected over all files; what could be understood is in the
//! program all the same.
//!
//! Elsewhere: which files count is [`files`], libraries [`library`], what override files do [`overrides`], what blocks mean
//! [`declare`], where a call leads [`calls`], which provider configuration is used [`providers`], what depends on what
//! [`crate::graph`].

use std::cell::OnceCell;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::address::ModulePath;
use plumb_model::{Diagnostic, Diagnostics, SourceId, Sources, Span, Value};
use plumb_syntax::tree::{Block, Expr};
use plumb_syntax::{Dialect, parse, parse_json};

use crate::check::once;
use crate::expr::{Eval, FunctionContext, NoNames, Rules};
use crate::graph;
use crate::program::{Declarations, Library, Loaded, Module, ModuleId};
use crate::world::{World, lexical};
pub use again::Texts;
use calls::Place;
use declare::Declaring;
pub use installed::{InstalledModule, InstalledModules, ModuleRequest, NoneInstalled, NotInstalled};

mod again;
pub(crate) mod blocks;
mod calls;
mod constant;
mod declare;
mod files;
mod function;
mod installed;
mod json;
mod library;
mod limits;
mod overrides;
mod provider_name;
pub(crate) mod providers;
pub(crate) mod resource;
mod settings;

/// What loading needs to know besides the files.
pub struct LoadOptions<'a> {
    /// Where modules are that are not local.
    pub installed: &'a dyn InstalledModules,
    /// The values of the variables of the root module, which `source` and `version` of module calls may mention. Asked
    /// for once at most, and only if one does.
    pub constants: &'a dyn Fn(&Module) -> IndexMap<EcoString, Value>,
    /// The name of the workspace.
    pub workspace: EcoString,
    /// The version that `required_version` is compared with: that of Terraform whose language is spoken.
    pub terraform_version: (u64, u64, u64),
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        LoadOptions {
            installed: &NoneInstalled,
            constants: &|_| IndexMap::new(),
            workspace: "default".into(),
            terraform_version: (1, 15, 0),
        }
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
    load_with(world, root, options, None)
}

/// The same for a configuration that is loaded again and again while its files change: what did not change is not parsed
/// again. What is found is what [`load`] finds.
///
/// The program that was loaded before is best dropped first, since trees that it holds are copied where they move.
pub fn load_again(world: &dyn World, root: &Path, options: &LoadOptions<'_>, texts: &mut Texts) -> Loaded {
    texts.begin();
    let loaded = load_with(world, root, options, Some(texts));
    texts.end();
    loaded
}

fn load_with(world: &dyn World, root: &Path, options: &LoadOptions<'_>, texts: Option<&mut Texts>) -> Loaded {
    let mut loader = Loader {
        world,
        options,
        sources: Sources::new(),
        directories: HashMap::new(),
        diagnostics: Diagnostics::new(),
        modules: Vec::new(),
        libraries: HashMap::new(),
        reading: Vec::new(),
        given: OnceCell::new(),
        memory: constant::Memory::default(),
        missing: Vec::new(),
        packages: HashMap::new(),
        texts,
    };
    loader.load_tree(root);
    let Loader { sources, mut diagnostics, mut modules, missing, .. } = loader;
    diagnostics.extend(installed::not_installed(&missing));
    let mut of_providers = Diagnostics::new();
    providers::resolve_all(&mut modules, &mut of_providers);
    diagnostics.extend(once(of_providers));
    let program = graph::build(Arc::new(sources), modules);
    diagnostics.sort();
    Loaded { program: Arc::new(program), diagnostics, missing }
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
    /// The values of root variables, once something has asked for them.
    given: OnceCell<IndexMap<EcoString, Value>>,
    memory: constant::Memory,
    missing: Vec<ModuleRequest>,
    /// The package that a directory was fetched in; both as paths without `.` and `..`.
    packages: HashMap<PathBuf, PathBuf>,
    /// What was parsed before, where that is kept.
    texts: Option<&'a mut Texts>,
}

/// A module that is still to be read.
struct Pending {
    place: Place,
    path: ModulePath,
    parent: Option<(ModuleId, u32)>,
}

impl Loader<'_> {
    fn load_tree(&mut self, root: &Path) {
        let place = Place { directory: root.to_path_buf(), read_from: root.to_path_buf(), origin: None };
        let mut pending = VecDeque::from([Pending { place, path: ModulePath::root(), parent: None }]);
        while let Some(next) = pending.pop_front() {
            let id = ModuleId(self.modules.len() as u32);
            if let Some(package) = next.place.origin.as_ref().and_then(|origin| origin.package.as_ref()) {
                self.packages.insert(lexical(&next.place.read_from), lexical(package));
            }
            let declarations = self.directory(&next.place.read_from);
            if let Some((parent, call)) = next.parent {
                self.modules[parent.0 as usize].children[call as usize] = Some(id);
            }
            self.modules.push(Module {
                path: next.path,
                directory: next.place.directory,
                read_from: next.place.read_from,
                origin: next.place.origin,
                parent: next.parent,
                children: vec![None; declarations.calls.len()],
                declarations: declarations.clone(),
                providers: IndexMap::new(),
                resource_providers: Vec::new(),
                provider_choices: Default::default(),
                first_nodes: Default::default(),
            });
            for (index, call) in declarations.calls.values().enumerate() {
                if let Some(place) = self.called(id, call) {
                    let path = self.modules[id.0 as usize].path.child(call.name.name.clone());
                    pending.push_back(Pending { place, path, parent: Some((id, index as u32)) });
                }
            }
        }
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
        let constant = move |expr: &Expr, declared: &Declarations| constant_alone(world, expr, declared);
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
        declaring.pass_variables();
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
        let parsed = match &mut self.texts {
            Some(texts) => texts.parse(path, source, text, file.dialect).clone(),
            None => parse(source, &text, file.dialect),
        };
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

/// The value of an expression that is needed before anything is evaluated and may mention nothing, but call functions of
/// a directory.
fn constant_alone(world: &dyn World, expr: &Expr, declared: &Declarations) -> Result<Value, Diagnostics> {
    let names = NoNames { place: "A value that is needed before anything is evaluated" };
    let dialect = declared.dialect;
    let context = FunctionContext { declared: Some(declared), ..FunctionContext::alone(world, dialect) };
    Eval::new(&names, &context, Rules::of(dialect)).finish(expr)
}
