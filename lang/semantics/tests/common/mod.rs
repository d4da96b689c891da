//! Programs in memory, loaded and evaluated in dependency order.

#![allow(dead_code, reason = "not every test file needs all of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_model::address::{Mode, ProviderSource};
use plumb_model::{Attribute, Block, Diagnostics, Schema, Type, Value};
use plumb_semantics::eval::{EvalOptions, Evaluator, InstanceRef, ModuleRef, Phase};
use plumb_semantics::{LoadOptions, MemoryWorld, NodeKind, Program, Schemas, load};

/// The resource types that tests use.
pub struct TestSchemas(pub BTreeMap<EcoString, Arc<Schema>>);

impl TestSchemas {
    pub fn new() -> TestSchemas {
        TestSchemas(BTreeMap::from([("terraform_data".into(), Arc::new(terraform_data()))]))
    }

    pub fn with(mut self, kind: &str, block: Block) -> TestSchemas {
        self.0.insert(kind.into(), Arc::new(Schema { version: 0, block }));
        self
    }
}

pub fn terraform_data() -> Schema {
    let attributes = [
        ("id", Attribute::computed(Type::String)),
        ("input", Attribute::optional(Type::Dynamic)),
        ("output", Attribute::computed(Type::Dynamic)),
        ("triggers_replace", Attribute::optional(Type::Dynamic)),
    ];
    Schema { version: 0, block: Block::of(attributes) }
}

impl Schemas for TestSchemas {
    fn knows(&self, _: &ProviderSource) -> bool {
        true
    }

    fn resource(&self, _: &ProviderSource, _: Mode, kind: &str) -> Option<Arc<Schema>> {
        self.0.get(kind).cloned()
    }

    fn provider(&self, _: &ProviderSource) -> Option<Arc<Schema>> {
        Some(Arc::new(Schema::default()))
    }

    fn kinds(&self, _: &ProviderSource, _: Mode) -> Vec<EcoString> {
        self.0.keys().cloned().collect()
    }

    fn has_function(&self, _: &ProviderSource, _: &str) -> bool {
        false
    }
}

/// A program and its evaluation.
pub struct Setup {
    pub program: Arc<Program>,
    pub evaluator: Evaluator,
    /// Of loading, checking and evaluating.
    pub diagnostics: Diagnostics,
}

impl Setup {
    pub fn new<const N: usize>(files: [(&str, &str); N]) -> Setup {
        Setup::with(files, TestSchemas::new(), Phase::Plan, IndexMap::new(), false)
    }

    pub fn with<const N: usize>(
        files: [(&str, &str); N],
        schemas: TestSchemas,
        phase: Phase,
        variables: IndexMap<EcoString, Value>,
        exact: bool,
    ) -> Setup {
        Setup::of(&files, schemas, phase, variables, exact)
    }

    pub fn of(
        files: &[(&str, &str)],
        schemas: TestSchemas,
        phase: Phase,
        variables: IndexMap<EcoString, Value>,
        exact: bool,
    ) -> Setup {
        let mut setup = Setup::unchecked(files, schemas, phase, variables, exact);
        let options = setup.evaluator.options();
        setup.diagnostics.extend(plumb_semantics::check(&setup.program, &options.schemas, &options.world));
        setup
    }

    /// Without what checking finds, to see what evaluating does with it.
    pub fn unchecked(
        files: &[(&str, &str)],
        schemas: TestSchemas,
        phase: Phase,
        variables: IndexMap<EcoString, Value>,
        exact: bool,
    ) -> Setup {
        let world = Arc::new(MemoryWorld::new(files.iter().copied()));
        let loaded = load(&*world, std::path::Path::new("."), &LoadOptions::default());
        let options = EvalOptions {
            plan_time: None,
            exactly_terraform_1_11: exact,
            world,
            variables,
            workspace: "default".into(),
            phase,
            schemas: Arc::new(schemas),
            provider_functions: None,
        };
        let evaluator = Evaluator::new(loaded.program.clone(), options);
        Setup { program: loaded.program, evaluator, diagnostics: loaded.diagnostics }
    }

    /// Evaluates every node; each instance becomes what `object` says.
    pub fn evaluate(&mut self, mut object: impl FnMut(&Evaluator, InstanceRef) -> Value) {
        for id in self.program.order() {
            match self.program.node(id).kind {
                NodeKind::Resource => match self.evaluator.expand_resource(id) {
                    Ok(instances) => {
                        for instance in instances {
                            let value = object(&self.evaluator, instance);
                            self.evaluator.set_instance(instance, value);
                        }
                    }
                    Err(found) => self.diagnostics.extend(found),
                },
                _ => self.diagnostics.extend(self.evaluator.evaluate(id)),
            }
        }
    }

    /// What the console prints in the root module, or the first error.
    pub fn console(&self, text: &str) -> Result<String, String> {
        match self.evaluator.eval_console(ModuleRef::ROOT, text, self.program.console_source()) {
            Ok(value) if self.evaluator.is_type_call(ModuleRef::ROOT, text) => {
                Ok(value.as_str().map(ToString::to_string).unwrap_or_default())
            }
            Ok(value) => Ok(plumb_functions::console::print(&value)),
            Err(found) => {
                Err(found.iter().next().map(|d| format!("{}: {}", d.summary, d.detail)).unwrap_or_default())
            }
        }
    }

    /// The diagnostics, one a line: severity, place, summary, detail, help.
    pub fn report(&self) -> String {
        report(&self.program, &self.diagnostics)
    }
}

pub fn report(program: &Program, diagnostics: &Diagnostics) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let place = diagnostic.span().and_then(|span| {
            let source = program.sources.try_get(span.source)?;
            let start = source.position(span.start as usize);
            Some(format!("{}:{}:{}", source.name, start.line, start.column))
        });
        lines.push_str(&format!(
            "{:?} {} {}. {}\n",
            diagnostic.severity,
            place.unwrap_or_else(|| "-".into()),
            diagnostic.summary,
            diagnostic.detail
        ));
        for note in &diagnostic.notes {
            lines.push_str(&format!("  note: {note}\n"));
        }
        if let Some(help) = &diagnostic.help {
            lines.push_str(&format!("  help: {help}\n"));
        }
    }
    lines
}
