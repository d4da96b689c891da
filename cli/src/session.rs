//! What commands that understand the configuration have in common: loading and checking it, its variables, the schemas
//! of its providers, and the runtime that waits for them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_engine::providers::{Factory as _, Schemas};
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, Sources, Span, Value};
use plumb_semantics::check::lints::LINTS;
use plumb_semantics::eval::{EvalOptions, Evaluator, Phase};
use plumb_semantics::inputs::{InputOption, Inputs};
use plumb_semantics::{Loaded, Program, Texts, World, inputs};

use crate::archive::ArchiveWorld;
use crate::args::VariableArgs;
use crate::ask::{self, Missing};
use crate::functions::Functions;
use crate::modules;
use crate::registry::{self, Kinds, Registry};
use crate::ui::Ui;

/// The version of Terraform whose language is spoken; what `required_version` is compared with.
pub const TERRAFORM_VERSION: (u64, u64, u64) = (1, 15, 0);

/// The only workspace.
pub const WORKSPACE: &str = "default";

/// A configuration that can be worked with.
pub struct Session {
    /// The configuration.
    pub program: Arc<Program>,
    /// Where files are read.
    pub world: Arc<dyn World>,
    /// Finds providers.
    pub registry: Arc<Registry>,
    /// What the providers offer.
    pub schemas: Arc<Schemas>,
    /// The values of root variables that were given.
    pub variables: IndexMap<EcoString, Value>,
    /// What was answered for variables without a value.
    pub answers: Vec<InputOption>,
    /// The texts that diagnostics point into: those of the program, then those of variable files and options.
    pub sources: Sources,
}

/// A configuration and what is wrong with it.
pub struct Checked {
    /// What could be understood.
    pub program: Arc<Program>,
    /// Finds providers.
    pub registry: Arc<Registry>,
    /// What the providers offer.
    pub schemas: Arc<Schemas>,
    /// Errors and warnings, by place.
    pub diagnostics: Diagnostics,
}

/// Loads and checks the configuration of the working directory, without state. Of the variables only those count that
/// addresses of modules mention.
pub fn check_only(world: &Arc<dyn World>, variables: &VariableArgs) -> Checked {
    check(modules::load(&**world, &variables.in_order), world)
}

/// Loads and checks for a command that needs nothing but the files: what is not installed is no failure. Notes and
/// warnings say what could not be checked without it. `texts` has what was parsed when it was loaded before.
pub fn check_leniently(
    world: &Arc<dyn World>,
    options: &[InputOption],
    texts: Option<&mut Texts>,
) -> Checked {
    checked(modules::load_leniently(&**world, options, texts), world, |d| d.code != "provider-not-installed")
}

/// Checks a configuration that has been loaded from a world.
pub fn check(loaded: Loaded, world: &Arc<dyn World>) -> Checked {
    checked(loaded, world, |_| true)
}

/// `counts`: which trouble with schemas is to be told.
fn checked(loaded: Loaded, world: &Arc<dyn World>, counts: impl Fn(&Diagnostic) -> bool) -> Checked {
    let Loaded { program, mut diagnostics, .. } = loaded;
    let registry = Arc::new(Registry::for_program(&program));
    let used = used_providers(&program);
    let whole = !diagnostics.has_errors();
    let mut found = registry.remarks(&used);
    let (schemas, trouble) = wait(Schemas::load(&*registry, used));
    let trouble = trouble.into_iter().flat_map(|(source, errors)| match first_use(&program, &source) {
        Some(span) => errors.place(span),
        None => errors,
    });
    found.extend(trouble.filter(|diagnostic| counts(diagnostic)));
    let schemas = Arc::new(schemas);
    let known: Arc<dyn plumb_semantics::Schemas> = schemas.clone();
    found.extend(plumb_semantics::check(&program, &known, world));
    if whole
        && !found.has_errors()
        && let Err(cycles) = plumb_engine::order::of_program(&program)
    {
        found.extend(cycles);
    }
    // What could not be read may declare what seems to be missing: that is said when the rest can be read.
    const MAY_BE_THERE: [&str; 4] =
        ["unknown-variable", "unknown-local", "unknown-resource", "unknown-module"];
    let says_more = |found: &Diagnostic| {
        whole
            || !(MAY_BE_THERE.contains(&found.code)
                || LINTS.contains(&found.code)
                || on_a_line_of(found, &diagnostics, &program.sources))
    };
    let found: Vec<Diagnostic> = found.into_iter().filter(says_more).collect();
    diagnostics.extend(found);
    diagnostics.sort();
    Checked { program, registry, schemas, diagnostics }
}

/// Whether a line in which something could not be read is what a diagnostic is about.
fn on_a_line_of(found: &Diagnostic, unread: &Diagnostics, sources: &Sources) -> bool {
    let line =
        |span: Span| sources.try_get(span.source).map(|source| source.position(span.start as usize).line);
    let Some(span) = found.span() else { return false };
    unread
        .iter()
        .filter(|d| d.is_error())
        .filter_map(Diagnostic::span)
        .any(|other| other.source == span.source && line(other) == line(span))
}

/// Loads and checks the configuration of the working directory, and shows what is wrong with it.
///
/// `None` if there are errors.
pub fn open(world: Arc<dyn World>, variables: &VariableArgs, missing: Missing, ui: &Ui) -> Option<Session> {
    open_despite(world, variables, missing, ui, |_| false)
}

/// The same, whatever is said that `passed_over` lets pass.
pub fn open_despite(
    world: Arc<dyn World>,
    variables: &VariableArgs,
    missing: Missing,
    ui: &Ui,
    passed_over: impl Fn(&Diagnostic) -> bool,
) -> Option<Session> {
    let Checked { program, registry, schemas, diagnostics } = check_only(&world, variables);
    let diagnostics: Diagnostics = diagnostics.into_iter().filter(|found| !passed_over(found)).collect();
    if ui.diagnostics(&diagnostics, &program.sources) {
        return None;
    }
    let first = program.console_source();
    let mut options = variables.in_order.clone();
    let mut answers = Vec::new();
    let mut given = inputs::collect(&*world, program.root(), Path::new("."), &options, first);
    if missing != Missing::Leave && !given.diagnostics.has_errors() {
        let mut without = inputs::missing(program.root(), &given.values);
        if missing == Missing::Ask && !without.is_empty() {
            answers = ask::values(&without, ui);
            options.extend(answers.iter().cloned());
            given = inputs::collect(&*world, program.root(), Path::new("."), &options, first);
            without = inputs::missing(program.root(), &given.values);
        }
        // What was answered and means nothing has been told already.
        if !given.diagnostics.has_errors() {
            given.diagnostics.extend(without.into_iter().map(inputs::without_value));
        }
    }
    let sources = texts(&program, &given);
    if ui.diagnostics(&given.diagnostics, &sources) {
        return None;
    }
    Some(Session { program, world, registry, schemas, variables: given.values, answers, sources })
}

/// The texts of a program, and behind them those of what was given to its variables.
pub fn texts(program: &Program, given: &Inputs) -> Sources {
    let mut sources = Sources::new();
    program.sources.iter().for_each(|(_, source)| {
        sources.add(source.name.clone(), source.text.clone());
    });
    given.sources.iter().for_each(|(_, name, text)| {
        sources.add(name.clone(), text.as_str());
    });
    sources
}

/// The configuration that a saved plan holds, with the variables that it was made with. `None` after errors, which have
/// been shown.
pub fn open_archived(
    world: Arc<ArchiveWorld>,
    variables: IndexMap<EcoString, Value>,
    ui: &Ui,
) -> Option<Session> {
    let loaded = modules::load_archived(&world, &variables);
    let world: Arc<dyn World> = world;
    let Checked { program, registry, schemas, diagnostics } = check(loaded, &world);
    let errors: Diagnostics = diagnostics.into_iter().filter(Diagnostic::is_error).collect();
    if ui.diagnostics(&errors, &program.sources) {
        return None;
    }
    let sources = texts(&program, &Inputs::default());
    Some(Session { program, world, registry, schemas, variables, answers: Vec::new(), sources })
}

/// Where a provider is asked for first.
fn first_use(program: &Program, source: &ProviderSource) -> Option<Span> {
    let mut decls = program.modules().flat_map(|(_, module)| module.providers.values());
    decls.find(|decl| decl.config.source == *source).map(|decl| decl.span)
}

/// The providers that the program has configurations of, or names: then it may call their functions.
pub fn used_providers(program: &Program) -> BTreeSet<ProviderSource> {
    let decls = program.modules().flat_map(|(_, module)| module.providers.values());
    let used = program.modules().flat_map(|(_, module)| &module.resource_providers);
    let named = program.modules().flat_map(|(_, module)| module.required_providers.values());
    let configured = decls.map(|decl| &decl.config).chain(used).map(|config| &config.source);
    configured.chain(named.map(|requirement| &requirement.source)).cloned().collect()
}

impl Session {
    /// An evaluation of the program in which nothing has been evaluated yet.
    pub fn evaluator(&self, phase: Phase, plan_time: std::time::SystemTime) -> Evaluator {
        let options = EvalOptions {
            world: self.world.clone(),
            variables: self.variables.clone(),
            workspace: WORKSPACE.into(),
            phase,
            schemas: self.schemas.clone(),
            provider_functions: Some(Arc::new(Functions::new(self.registry.clone()))),
            plan_time: Some(plan_time),
            exactly_terraform_1_11: false,
        };
        Evaluator::new(self.program.clone(), options)
    }

    /// Adds the schemas of resource types that only state knows.
    pub fn with_schemas(&mut self, kinds: Kinds) -> Diagnostics {
        let mut schemas = (*self.schemas).clone();
        let mut found = Diagnostics::new();
        for (source, kinds) in kinds {
            if self.schemas.provider(&source).is_some()
                && kinds.iter().all(|kind| registry::offers(&self.schemas, &source, kind))
            {
                continue;
            }
            self.registry.need(&source, kinds);
            match wait(self.registry.schema(&source)) {
                Ok(schema) => schemas.add(source, schema),
                Err(errors) => found.extend(errors),
            }
        }
        self.schemas = Arc::new(schemas);
        found
    }

    /// The texts that diagnostics point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

/// The runtime of the process: made when it is first needed, since some commands never do.
pub fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: std::sync::OnceLock<tokio::runtime::Runtime> = std::sync::OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("plumb")
            .build()
            .expect("an operating system that starts a process also gives it threads")
    })
}

/// Waits for something, whether or not this thread is part of the runtime already.
pub fn wait<F: Future>(future: F) -> F::Output {
    match tokio::runtime::Handle::try_current() {
        Ok(handle) => tokio::task::block_in_place(|| handle.block_on(future)),
        Err(_) => runtime().block_on(future),
    }
}

/// Whether there is anything to work with; says so if not.
pub fn require_configuration(world: &dyn World, ui: &Ui) -> bool {
    require_configuration_in(world, Path::new("."), ui)
}

/// Whether there is anything to work with in a directory; says so if not.
pub fn require_configuration_in(world: &dyn World, directory: &Path, ui: &Ui) -> bool {
    if plumb_semantics::load::has_configuration(world, directory) {
        return true;
    }
    let missing = Diagnostic::error("no-configuration", "No configuration")
        .detail("This directory has no `.cfg`, `.tf` or `.tf.json` file.")
        .help("Work in a directory that has some, with `-C DIR`, or write the first: see `plumb --help`.");
    ui.diagnostics(&missing.into(), &Sources::new());
    false
}
