//! What commands that understand the configuration have in common: loading and checking it, its variables, the schemas
//! of its providers, and the runtime that waits for them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_engine::providers::{Factory as _, Schemas};
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, Sources, Value};
use plumb_semantics::eval::{EvalOptions, Evaluator, Phase};
use plumb_semantics::load::{LoadOptions, NoneInstalled};
use plumb_semantics::{Program, World};

use crate::args::VariableArgs;
use crate::registry::Registry;
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
}

/// Loads and checks the configuration of the working directory, and shows what is wrong with it.
///
/// `None` if there are errors.
pub fn open(world: Arc<dyn World>, variables: &VariableArgs, also: BTreeSet<ProviderSource>, ui: &Ui) -> Option<Session> {
    let options = LoadOptions {
        installed: &NoneInstalled,
        constants: &IndexMap::new(),
        terraform_version: TERRAFORM_VERSION,
    };
    let loaded = plumb_semantics::load(&*world, Path::new("."), &options);
    let program = loaded.program;
    if loaded.diagnostics.has_errors() {
        ui.diagnostics(&loaded.diagnostics, &program.sources);
        return None;
    }
    let mut found = loaded.diagnostics;
    let registry = Arc::new(Registry::new());
    let mut sources = used_providers(&program);
    sources.extend(also);
    let (schemas, trouble) = runtime().block_on(Schemas::load(&*registry, sources));
    found.extend(trouble);
    let schemas = Arc::new(schemas);
    found.extend(plumb_semantics::check(&program, &*schemas));
    let (variables, said) = variable_values(&program, &*world, variables);
    found.extend(said);
    found.sort();
    if ui.diagnostics(&found, &program.sources) {
        return None;
    }
    Some(Session { program, world, registry, schemas, variables })
}

/// The providers whose configurations the program has.
pub fn used_providers(program: &Program) -> BTreeSet<ProviderSource> {
    let decls = program.modules().flat_map(|(_, module)| module.providers.values());
    let used = program.modules().flat_map(|(_, module)| &module.resource_providers);
    decls.map(|decl| &decl.config).chain(used).map(|config| config.source.clone()).collect()
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
            provider_functions: None,
            plan_time,
        };
        Evaluator::new(self.program.clone(), options)
    }

    /// Adds the schemas of providers that only state knows.
    pub fn with_schemas(&mut self, sources: BTreeSet<ProviderSource>) -> Diagnostics {
        let missing: Vec<ProviderSource> =
            sources.into_iter().filter(|source| self.schemas.provider(source).is_none()).collect();
        let mut schemas = (*self.schemas).clone();
        let mut found = Diagnostics::new();
        for source in missing {
            match runtime().block_on(self.registry.schema(&source)) {
                Ok(schema) => schemas.add(source, schema),
                Err(errors) => found.extend(errors),
            }
        }
        self.schemas = Arc::new(schemas);
        found
    }

    /// The texts that diagnostics point into.
    pub fn sources(&self) -> &Sources {
        &self.program.sources
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

/// The values that were given for root variables, from all the places where they can be given.
fn variable_values(
    program: &Program,
    world: &dyn World,
    args: &VariableArgs,
) -> (IndexMap<EcoString, Value>, Diagnostics) {
    let _ = (program, world, args);
    (IndexMap::new(), Diagnostics::new())
}

/// Whether there is anything to work with; says so if not.
pub fn require_configuration(world: &dyn World, ui: &Ui) -> bool {
    if plumb_semantics::load::has_configuration(world, Path::new(".")) {
        return true;
    }
    let missing = Diagnostic::error("no-configuration", "No configuration")
        .detail("This directory has no `.cfg`, `.tf` or `.tf.json` file.")
        .help("Work in a directory that has some, with `-C DIR`, or write the first: see `plumb --help`.");
    ui.diagnostics(&missing.into(), &Sources::new());
    false
}
