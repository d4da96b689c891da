//! What is wrong with a program, said without evaluating it.
//!
//! [`check`] looks at every module: each reference names something that is declared and may be mentioned where it
//! stands (`references`), each function exists and is called with as many arguments as it takes (`calls`), functions that
//! authors wrote keep to themselves (`functions`), `moved`, `removed` and `import` blocks make sense beside what is
//! declared (`moves`), and where
//! schemas are known, each block has what its schema asks for and nothing else (`schema`). A directory that is called
//! from several places is looked at once, but for what depends on the place.
//!
//! Then everything is tried with nothing known but the files ([`Evaluator::try_out`]), which finds what `terraform
//! validate` finds.
//!
//! All errors are found in one run, each once, in the order of places.

use std::collections::HashSet;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::tree::{Block, Body, Expr, ExprKind, Item};

use crate::eval::{EvalOptions, Evaluator, Phase};
use crate::graph::iterator;
use crate::program::{
    CallDecl, Condition, Declarations, ModuleId, Program, ProvisionerDecl, Repetition, ResourceDecl,
    VariableDecl,
};
use crate::provisioner::{self, KINDS};
use crate::schemas::Schemas;
use crate::world::World;
use places::Places;
use references::{Checker, Context};

mod calls;
mod functions;
pub mod lints;
mod moves;
mod places;
mod providers;
mod references;
mod schema;
pub mod types;

/// Reports what is wrong with a program, as far as can be said without evaluating it. Resource types whose schemas
/// are not known are named once in a note.
///
/// `world` is what functions read files from.
pub fn check(program: &Arc<Program>, schemas: &Arc<dyn Schemas>, world: &Arc<dyn World>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut seen: HashSet<*const Declarations> = HashSet::new();
    for (id, module) in program.modules() {
        let mut checker = ModuleChecker { program, id, diagnostics: &mut diagnostics };
        if seen.insert(Arc::as_ptr(&module.declarations)) {
            checker.module();
        }
        checker.arguments();
    }
    moves::check(program, &mut diagnostics);
    let mut seen: HashSet<*const Declarations> = HashSet::new();
    for (_, module) in program.modules() {
        functions::check(&module.declarations, &mut seen, &mut diagnostics);
    }
    schema::check(program, &**schemas, &mut diagnostics);
    // What is wrong by form is not said again.
    let of_types = types::check(program, &**schemas, &**world).into_iter();
    let by_form = Places::of(&diagnostics);
    let of_types: Diagnostics = of_types.filter(|d| !by_form.overlap(d)).collect();
    try_out(program, schemas, world, &of_types, &mut diagnostics);
    diagnostics.extend(of_types);
    let mut diagnostics = lints::check(program, &**world, diagnostics);
    diagnostics.sort();
    diagnostics
}

/// Evaluates every node with nothing known but the files.
fn try_out(
    program: &Arc<Program>,
    schemas: &Arc<dyn Schemas>,
    world: &Arc<dyn World>,
    of_types: &Diagnostics,
    diagnostics: &mut Diagnostics,
) {
    let options = EvalOptions {
        world: world.clone(),
        variables: Default::default(),
        workspace: "default".into(),
        phase: Phase::Validate,
        schemas: schemas.clone(),
        provider_functions: None,
        plan_time: None,
        exactly_terraform_1_11: false,
    };
    let mut evaluator = Evaluator::new(program.clone(), options);
    let typed = Places::of(of_types);
    for id in program.order() {
        // Warnings are for when values are known; what could not be read was reported then; and what types say is said
        // better by them.
        let said = |d: &Diagnostic| d.code == "invalid-expression" || typed.overlap(d);
        let found = evaluator.try_out(id).into_iter();
        diagnostics.extend(found.filter(|d| d.is_error() && !said(d)));
    }
}

/// Each message once: a directory that is called from two places has its mistakes once, and what is wrong by form is
/// wrong again when it is tried.
pub(crate) fn once(diagnostics: Diagnostics) -> Diagnostics {
    let mut seen = HashSet::new();
    let fresh = |diagnostic: &Diagnostic| {
        // Several arguments may be missing from one block, several attributes from one object, several providers from one
        // call.
        let several = matches!(
            diagnostic.code,
            "missing-argument" | "absent-attribute" | "missing-provider-configuration"
        );
        let detail = several.then(|| diagnostic.detail.clone());
        // An output that a module has not is an attribute that its object has not.
        let code =
            if diagnostic.code == "unknown-output" { "unsupported-attribute" } else { diagnostic.code };
        diagnostic.span().is_none() || seen.insert((code, diagnostic.span(), detail))
    };
    diagnostics.into_iter().filter(fresh).collect()
}

/// Reports what is wrong with an expression in a module, where neither `each` nor `count` nor `self` has a meaning.
pub(crate) fn expression(program: &Program, module: ModuleId, expr: &Expr, diagnostics: &mut Diagnostics) {
    Checker::new(program, module, diagnostics).references(expr, Context::default());
}

struct ModuleChecker<'a> {
    program: &'a Program,
    id: ModuleId,
    diagnostics: &'a mut Diagnostics,
}

impl ModuleChecker<'_> {
    fn module(&mut self) {
        let module = self.program.module(self.id);
        for decl in module.variables.values() {
            self.variable(decl);
        }
        for decl in module.locals.values() {
            self.expr(&decl.value, Context::default());
        }
        for decl in module.outputs.values() {
            self.expr(&decl.value, Context::default());
            self.depends_on(&decl.depends_on);
            self.conditions(&decl.preconditions, Context::default());
            if decl.ephemeral && module.path.is_root() {
                self.diagnostics.push(
                    Diagnostic::error("ephemeral-output", "Ephemeral output not allowed")
                        .detail(eco_format!(
                            "The output `{}` of the root module is kept, so it cannot be ephemeral.",
                            decl.name
                        ))
                        .at(decl.span),
                );
            }
        }
        for decl in module.resources.values() {
            self.resource(decl);
        }
        for decl in module.calls.values() {
            self.call(decl);
        }
        for decl in module.providers.values() {
            decl.for_each.iter().for_each(|expr| self.expr(expr, Context::default()));
            let context = Context { each: decl.for_each.is_some(), ..Context::default() };
            decl.body.iter().for_each(|block| self.body(&block.body, context));
        }
        providers::check(self.program, self.id, self.diagnostics);
        for decl in module.checks.values() {
            self.conditions(&decl.asserts, Context::default());
        }
        for decl in &module.removed {
            let context = Context { each: true, count: true, this: true, ..Context::default() };
            decl.provisioners.iter().for_each(|provisioner| self.provisioner(provisioner, context));
        }
        for decl in &module.imports {
            let context = Context { each: decl.for_each.is_some(), ..Context::default() };
            decl.for_each.iter().for_each(|expr| self.expr(expr, Context::default()));
            [&decl.id, &decl.identity].into_iter().flatten().for_each(|expr| self.expr(expr, context));
            if !module.path.is_root() {
                self.diagnostics.push(
                    Diagnostic::error("invalid-import", "Invalid import configuration")
                        .detail("An `import` block may only be in the root module.")
                        .at(decl.span)
                        .help("Move it to the root module and write the whole address: `to = module.….…`."),
                );
            }
            self.import_target(decl);
        }
    }

    fn import_target(&mut self, decl: &crate::program::ImportDecl) {
        let found = decl.resource.module.0.iter().try_fold(self.id, |id, name| {
            let module = self.program.module(id);
            module.calls.get_index_of(name).map(|index| module.children[index])?
        });
        let declared =
            found.is_some_and(|id| self.program.module(id).resources.contains_key(&decl.resource.resource));
        if !declared {
            self.diagnostics.push(
                Diagnostic::error("unknown-import-target", "Configuration for import target does not exist")
                    .detail(eco_format!("There is no resource `{}` to import to.", decl.resource))
                    .at(decl.to.span)
                    .help("Write the resource block; what is imported becomes its object."),
            );
        }
    }

    fn variable(&mut self, decl: &VariableDecl) {
        for condition in &decl.validations {
            self.expr(&condition.condition, Context::default());
            self.expr(&condition.message, Context::default());
            let itself = |expr: &Expr| {
                expr.references().any(|traversal| {
                    traversal.root.as_str() == "var"
                        && traversal.attribute(0).is_some_and(|name| name.name == decl.name.name)
                })
            };
            if !itself(&condition.condition) {
                self.diagnostics.push(
                    Diagnostic::error("invalid-validation", "Invalid variable validation condition")
                        .detail(eco_format!(
                            "The condition does not mention `var.{}`, so it says nothing of it.",
                            decl.name
                        ))
                        .at(condition.condition.span),
                );
            }
        }
    }

    fn resource(&mut self, decl: &ResourceDecl) {
        self.repetition(&decl.repetition);
        let each = decl.repetition.for_each.is_some();
        let context = Context { each, count: decl.repetition.count.is_some(), ..Context::default() };
        self.not_itself(decl);
        decl.provider_instance.iter().for_each(|expr| self.expr(expr, context));
        self.body(&decl.body.body, context);
        self.depends_on(&decl.depends_on);
        let lifecycle = &decl.lifecycle;
        lifecycle.replace_triggered_by.iter().for_each(|expr| self.expr(expr, context));
        for trigger in &lifecycle.action_triggers {
            // Before something happens to the object, there is none to look at, or another.
            let this = !trigger.is_before();
            trigger.condition.iter().for_each(|expr| self.expr(expr, Context { this, ..context }));
            trigger.actions.iter().for_each(|expr| self.expr(expr, Context { action: true, ..context }));
        }
        self.conditions(&lifecycle.preconditions, context);
        self.conditions(&lifecycle.postconditions, Context { this: true, ..context });
        for provisioner in &decl.provisioners {
            self.provisioner(provisioner, Context { this: true, ..context });
        }
        decl.connection.iter().for_each(|block| self.body(&block.body, Context { this: true, ..context }));
    }

    fn provisioner(&mut self, decl: &ProvisionerDecl, context: Context<'_>) {
        if !KINDS.contains(&decl.kind.as_str()) {
            self.diagnostics.push(
                Diagnostic::error("unknown-provisioner", "Unknown provisioner type")
                    .detail(eco_format!("There is no provisioner of type `{}`.", decl.kind))
                    .at(decl.kind.span)
                    .maybe_help(did_you_mean(decl.kind.as_str(), KINDS)),
            );
        } else if provisioner::schema(decl.kind.as_str()).is_none() {
            self.diagnostics.push(
                Diagnostic::error("provisioner-not-supported", "Provisioner is not supported")
                    .detail(eco_format!(
                        "`{}` works through a connection to the machine that is made, and Plumb makes no connections to machines.",
                        decl.kind
                    ))
                    .at(decl.kind.span)
                    .help("Hand over what the machine needs when it is created, such as `user_data`; or run a program here that connects, with `provisioner \"local-exec\"`."),
            );
        }
        self.body(&decl.body.body, context);
        decl.connection.iter().for_each(|block| self.body(&block.body, context));
        if decl.on_destroy {
            self.only_self(&decl.body.body);
            decl.connection.iter().for_each(|block| self.only_self(&block.body));
        }
    }

    /// When an object is destroyed, nothing else needs to be there any more.
    fn only_self(&mut self, body: &Body) {
        let mut wrong: Vec<(Span, EcoString)> = Vec::new();
        each_expr(body, &mut |expr| {
            for traversal in expr.references() {
                if !matches!(traversal.root.as_str(), "self" | "path" | "terraform")
                    && !matches!(
                        (traversal.root.as_str(), traversal.attribute(0).map(|name| name.as_str())),
                        ("each", Some("key")) | ("count", Some("index"))
                    )
                {
                    wrong.push((traversal.span, eco_format!("{traversal}")));
                }
            }
        });
        for (span, what) in wrong {
            self.diagnostics.push(
                Diagnostic::error("invalid-destroy-reference", "Invalid reference from destroy provisioner")
                    .detail(eco_format!("A provisioner that runs before destroying may only mention `self`, `count.index` and `each.key`, not `{what}`."))
                    .at(span)
                    .help("Keep what is needed in the resource itself and refer to it through `self`."),
            );
        }
    }

    /// A resource cannot be made of itself.
    fn not_itself(&mut self, decl: &ResourceDecl) {
        let mut found = Vec::new();
        each_expr(&decl.body.body, &mut |expr| {
            for traversal in expr.references() {
                if let Ok(reference) = crate::reference::parse(traversal)
                    && let crate::reference::Subject::Resource { mode, kind, name, .. } = reference.subject
                {
                    let resource = &decl.resource;
                    if resource.mode == mode && resource.kind == kind.name && resource.name == name.name {
                        found.push(traversal.span);
                    }
                }
            }
        });
        for span in found {
            self.diagnostics.push(
                Diagnostic::error("self-reference", "Self-referential block")
                    .detail(eco_format!(
                        "The configuration of `{}` mentions it itself, so there is nothing to begin with.",
                        decl.resource
                    ))
                    .at(span)
                    .help("Put what both need in a local value."),
            );
        }
    }

    fn call(&mut self, decl: &CallDecl) {
        self.repetition(&decl.repetition);
        let each = decl.repetition.for_each.is_some();
        let context = Context { each, count: decl.repetition.count.is_some(), ..Context::default() };
        for argument in decl.arguments.values() {
            self.expr(&argument.value, context);
        }
        decl.passed_object().into_iter().for_each(|object| self.expr(object, context));
        let chosen = decl.providers.iter().filter_map(|entry| entry.outer.instance.as_ref());
        chosen.for_each(|expr| self.expr(expr, context));
        self.depends_on(&decl.depends_on);
    }

    /// What the caller gives and what the module wants.
    fn arguments(&mut self) {
        let module = self.program.module(self.id);
        let Some((parent, call)) = module.parent else { return };
        let call = &self.program.module(parent).calls[call as usize];
        for (name, argument) in &call.arguments {
            if !module.variables.contains_key(name) {
                let names = module.variables.keys().map(EcoString::as_str);
                self.diagnostics.push(
                    Diagnostic::error("unsupported-argument", "Unsupported argument")
                        .detail(eco_format!("The module `{}` has no input variable `{name}`.", call.name))
                        .at(argument.name_span)
                        .instead(name, argument.name_span, names),
                );
            }
        }
        for (name, argument) in &call.arguments {
            let deprecated = module.variables.get(name).and_then(|decl| decl.deprecated.as_ref());
            if let Some(reason) = deprecated {
                self.diagnostics.push(
                    Diagnostic::warning("deprecated-variable", "Deprecated variable")
                        .detail(eco_format!("The input `{name}` of `{}` is deprecated: {reason}", call.name))
                        .at(argument.name_span),
                );
            }
        }
        // What is in an object that is passed through is known when it is evaluated.
        if call.passed_object().is_some() {
            return;
        }
        for (name, decl) in &module.variables {
            if decl.default.is_none() && call.given(name).is_none() {
                self.diagnostics.push(
                    Diagnostic::error("missing-argument", "Missing required argument")
                        .detail(eco_format!(
                            "The module `{}` needs a value for `{name}`, which has no default.",
                            call.name
                        ))
                        .label(call.span, "")
                        .label(decl.span, "wanted here")
                        .help(eco_format!("Add `{name} = …` to the call.")),
                );
            }
        }
    }

    fn repetition(&mut self, repetition: &Repetition) {
        for expr in [&repetition.count, &repetition.for_each, &repetition.enabled].into_iter().flatten() {
            self.expr(expr, Context::default());
        }
    }

    fn conditions(&mut self, conditions: &[Condition], context: Context<'_>) {
        for condition in conditions {
            self.expr(&condition.condition, context);
            self.expr(&condition.message, context);
            if condition.condition.references().next().is_none()
                && !matches!(condition.condition.kind, ExprKind::Error)
            {
                self.diagnostics.push(
                    Diagnostic::error("condition-without-reference", "Condition refers to nothing")
                        .detail("The condition mentions nothing of the configuration, so it says nothing about it.")
                        .at(condition.condition.span)
                        .help("Mention what is to be checked, or remove the block."),
                );
            }
        }
    }

    fn depends_on(&mut self, references: &[Expr]) {
        for expr in references {
            self.expr(expr, Context::default());
            let root = expr.as_traversal().map(|traversal| traversal.root.as_str()).unwrap_or_default();
            if matches!(root, "each" | "count" | "self" | "path" | "terraform") {
                self.diagnostics.push(
                    Diagnostic::error("invalid-depends-on", "Invalid depends_on reference")
                        .detail(eco_format!("`{root}` is nothing that has to be made first."))
                        .at(expr.span),
                );
            }
        }
    }

    fn body(&mut self, body: &Body, context: Context<'_>) {
        for item in &body.items {
            match item {
                Item::Attribute(attribute) => self.expr(&attribute.value, context),
                Item::Block(block) if block.kind.as_str() == "dynamic" => self.dynamic(block, context),
                Item::Block(block) => self.body(&block.body, context),
                Item::Error(_) => {}
            }
        }
    }

    fn dynamic(&mut self, block: &Block, context: Context<'_>) {
        if let Some(attribute) = block.body.attribute("for_each") {
            self.expr(&attribute.value, context);
        }
        let mut iterators = context.iterators.to_vec();
        iterators.push(EcoString::from(iterator(block)));
        let inner = Context { iterators: &iterators, ..context };
        if let Some(attribute) = block.body.attribute("labels") {
            self.expr(&attribute.value, inner);
        }
        for content in block.body.blocks_of("content") {
            self.body(&content.body, inner);
        }
    }

    fn expr(&mut self, expr: &Expr, context: Context<'_>) {
        let mut checker = Checker::new(self.program, self.id, self.diagnostics);
        checker.references(expr, context);
        checker.calls(expr);
    }
}

/// Every expression in a body and its nested blocks.
fn each_expr(body: &Body, f: &mut dyn FnMut(&Expr)) {
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => f(&attribute.value),
            Item::Block(block) => each_expr(&block.body, f),
            Item::Error(_) => {}
        }
    }
}
