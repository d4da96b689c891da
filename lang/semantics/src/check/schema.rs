//! Blocks against schemas: unknown and missing arguments, unknown attributes in references.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::address::{Mode, ProviderSource};
use plumb_model::diagnostic::{did_you_mean, name_help};
use plumb_model::{Block as Schema, Diagnostic, Diagnostics, Nesting, Path, Schema as FullSchema, Span};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Block, Body, Expr, Item, TraversalStep};

use crate::eval::decode::{block_of_objects, object_element, unexpected_argument, unexpected_block};
use crate::graph::ResourceName;
use crate::load::resource::meta_arguments;
use crate::program::{Condition, Module, Program};
use crate::reference::{self, Subject};
use crate::schemas::Schemas;

/// Schemas that were asked for, by provider, mode and type.
type Known = HashMap<(ProviderSource, Mode, EcoString), Option<Arc<FullSchema>>>;

pub(super) fn check(program: &Program, schemas: &dyn Schemas, diagnostics: &mut Diagnostics) {
    let mut checker =
        SchemaChecker { program, schemas, diagnostics, known: Known::new(), strangers: BTreeSet::new() };
    // The same directory may be called with different providers, so each call path counts; its diagnostics do once.
    let mut seen = std::collections::HashSet::new();
    for (_, module) in program.modules() {
        let key = (Arc::as_ptr(&module.declarations), module.resource_providers.clone());
        if seen.insert(key) {
            checker.module(module);
        }
    }
    checker.name_strangers();
}

struct SchemaChecker<'a> {
    program: &'a Program,
    schemas: &'a dyn Schemas,
    diagnostics: &'a mut Diagnostics,
    known: Known,
    /// Providers whose schemas are not known.
    strangers: BTreeSet<ProviderSource>,
}

impl SchemaChecker<'_> {
    fn module(&mut self, module: &Module) {
        for (index, decl) in module.resources.values().enumerate() {
            let Some(schema) = self.schema(module, index) else { continue };
            let meta = match decl.resource.mode {
                Mode::Action => &[],
                _ => meta_arguments(module.dialect == Dialect::Native),
            };
            self.body(&decl.body.body, decl.span, &schema.block, meta);
            if let crate::program::IgnoreChanges::Paths(paths) = &decl.lifecycle.ignore_changes {
                for (path, span) in paths {
                    self.ignored(path, *span, &schema.block);
                }
            }
        }
        for decl in module.providers.values() {
            let (Some(block), Some(schema)) = (&decl.body, self.schemas.provider(&decl.config.source)) else {
                continue;
            };
            self.body(&block.body, decl.span, &schema.block, &[]);
        }
        let resources = module.resources.values().flat_map(|decl| &decl.provisioners);
        let removed = module.removed.iter().flat_map(|decl| &decl.provisioners);
        for provisioner in resources.chain(removed) {
            if let Some(schema) = crate::provisioner::schema(provisioner.kind.as_str()) {
                self.body(&provisioner.body.body, provisioner.span, &schema, &[]);
            }
        }
        self.attribute_references(module);
    }

    /// The schema of a resource; reports a type that its provider does not have.
    fn schema(&mut self, module: &Module, index: usize) -> Option<Arc<FullSchema>> {
        let decl = &module.resources[index];
        let source = &module.resource_providers.get(index)?.source;
        let key = (source.clone(), decl.resource.mode, decl.resource.kind.clone());
        if let Some(found) = self.known.get(&key).cloned() {
            if found.is_none() && self.schemas.knows(source) {
                self.unknown_type(module, index);
            }
            return found;
        }
        let found = self.schemas.resource(source, decl.resource.mode, &decl.resource.kind);
        if found.is_none() {
            if self.schemas.knows(source) {
                self.unknown_type(module, index);
            } else if !source.is_builtin() {
                // One that would have to be compiled in and is not is an error, which whoever makes providers says.
                self.strangers.insert(source.clone());
            }
        }
        self.known.insert(key, found.clone());
        found
    }

    fn unknown_type(&mut self, module: &Module, index: usize) {
        let decl = &module.resources[index];
        let source = &module.resource_providers[index].source;
        let (mode, kind) = (decl.resource.mode, &decl.resource.kind);
        let (summary, what) = match mode {
            Mode::Managed => ("Invalid resource type", "resource type"),
            Mode::Data => ("Invalid data source", "data source"),
            Mode::Ephemeral => ("Invalid ephemeral resource type", "ephemeral resource type"),
            Mode::Action => ("Invalid action type", "action"),
        };
        let kinds = self.schemas.kinds(source, mode);
        let elsewhere = [Mode::Managed, Mode::Data, Mode::Ephemeral, Mode::Action]
            .into_iter()
            .find(|other| *other != mode && self.schemas.kinds(source, *other).contains(kind));
        let help = did_you_mean(kind, kinds.iter().map(EcoString::as_str)).or_else(|| {
            elsewhere.map(|other| {
                eco_format!("There is one for `{other}` blocks: did you mean `{other} \"{kind}\"`?")
            })
        });
        self.diagnostics.push(
            Diagnostic::error("unknown-resource-type", summary)
                .detail(eco_format!("The provider {source} has no {what} `{kind}`."))
                .at(decl.kind_span)
                .maybe_help(help),
        );
    }

    /// `meta` are arguments that may stand there as well, and have been taken out.
    fn body(&mut self, body: &Body, span: Span, schema: &Schema, meta: &[&str]) {
        for item in &body.items {
            match item {
                Item::Attribute(attribute) => {
                    let name = &attribute.name.name;
                    match schema.attributes.get(name) {
                        Some(declared) if declared.is_computed_only() => self.diagnostics.push(
                            Diagnostic::error("computed-attribute-set", "Value for unconfigurable attribute")
                                .detail(eco_format!("The attribute `{name}` is chosen by the provider; a configuration cannot set it."))
                                .at(attribute.name.span)
                                .help("Remove this argument."),
                        ),
                        Some(_) => {}
                        None if schema.blocks.contains_key(name) => {}
                        None => self.diagnostics.push(unexpected_argument(attribute, schema, meta)),
                    }
                }
                Item::Block(block) => self.nested(block, schema),
                Item::Error(_) => return,
            }
        }
        self.missing(body, span, schema);
    }

    fn nested(&mut self, block: &Block, schema: &Schema) {
        let dynamic = block.kind.as_str() == "dynamic" && !schema.blocks.contains_key("dynamic");
        let name = match (dynamic, block.labels.first()) {
            (true, Some(label)) => label.text.as_str(),
            _ => block.kind.as_str(),
        };
        let inner = match (schema.blocks.get(name), schema.attributes.get(name)) {
            (Some(nested), _) => nested.block.clone(),
            (None, Some(attribute)) if object_element(attribute).is_some() => {
                let object = object_element(attribute).expect("it was just looked for");
                block_of_objects(object, attribute).block
            }
            _ => {
                self.diagnostics.push(unexpected_block(block, name, schema));
                return;
            }
        };
        if dynamic {
            for content in block.body.blocks_of("content") {
                self.body(&content.body, content.header_span, &inner, &[]);
            }
        } else {
            self.body(&block.body, block.header_span, &inner, &[]);
        }
    }

    fn missing(&mut self, body: &Body, span: Span, schema: &Schema) {
        for (name, declared) in &schema.attributes {
            if declared.required && body.attribute(name).is_none() && !has_block(body, name) {
                self.diagnostics.push(
                    Diagnostic::error("missing-argument", "Missing required argument")
                        .detail(eco_format!("The argument `{name}` is required, but it is not set."))
                        .at(span)
                        .help(eco_format!("Add `{name} = …`.")),
                );
            }
        }
        for (name, nested) in &schema.blocks {
            let single = matches!(nested.nesting, Nesting::Single | Nesting::Group);
            let count = body.blocks_of(name).count() as u64;
            let dynamic = has_dynamic(body, name) || body.attribute(name).is_some();
            if count < nested.min_items && !dynamic {
                self.diagnostics.push(
                    Diagnostic::error("too-few-blocks", eco_format!("Insufficient {name} blocks"))
                        .detail(eco_format!(
                            "At least {} `{name}` blocks are required; there are {count}.",
                            nested.min_items
                        ))
                        .at(span)
                        .help(eco_format!("Add `{name} {{ … }}`.")),
                );
            }
            let most = if single { 1 } else { nested.max_items };
            if most > 0 && count > most {
                let extra = body.blocks_of(name).nth(most as usize).map_or(span, |block| block.header_span);
                self.diagnostics.push(
                    Diagnostic::error("too-many-blocks", eco_format!("Too many {name} blocks"))
                        .detail(eco_format!("At most {most} `{name}` blocks are allowed; there are {count}."))
                        .at(extra),
                );
            }
        }
    }

    fn ignored(&mut self, path: &Path, span: Span, schema: &Schema) {
        let Some(name) = path.first_attribute() else { return };
        if schema.attributes.contains_key(name) || schema.blocks.contains_key(name) {
            return;
        }
        let names = schema.attributes.keys().chain(schema.blocks.keys()).map(EcoString::as_str);
        self.diagnostics.push(
            Diagnostic::error("unsupported-attribute", "Unsupported attribute")
                .detail(eco_format!("The resource type has no attribute `{name}` to ignore changes of."))
                .at(span)
                .maybe_help(did_you_mean(name, names)),
        );
    }

    /// `type.name.attribute` where the resource type has no such attribute.
    fn attribute_references(&mut self, module: &Module) {
        let mut found: Vec<Diagnostic> = Vec::new();
        let mut wanted: HashMap<usize, Option<Arc<FullSchema>>> = HashMap::new();
        let mut look = |expr: &Expr, iterators: &[EcoString]| {
            for traversal in expr.references() {
                if iterators.contains(&traversal.root.name) {
                    continue;
                }
                let Ok(reference) = reference::parse(traversal) else { continue };
                let Subject::Resource { mode, kind, name, key } = reference.subject else { continue };
                let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
                let Some(index) = module.resources.get_index_of(&resource) else { continue };
                let repetition = &module.resources[index].repetition;
                // Without a key, the step behind the name of a resource with `for_each` may be a key.
                if key.is_none() && (repetition.count.is_some() || repetition.for_each.is_some()) {
                    continue;
                }
                let Some(TraversalStep::Attribute(attribute)) = traversal.steps.get(reference.steps) else {
                    continue;
                };
                let schema = wanted.entry(index).or_insert_with(|| {
                    let source = &module.resource_providers.get(index)?.source;
                    self.schemas.resource(source, mode, kind.as_str())
                });
                let Some(schema) = schema else { continue };
                let block = &schema.block;
                if !block.attributes.contains_key(&attribute.name)
                    && !block.blocks.contains_key(&attribute.name)
                {
                    let names = block.attributes.keys().chain(block.blocks.keys()).map(EcoString::as_str);
                    found.push(
                        Diagnostic::error("unsupported-attribute", "Unsupported attribute")
                            .detail(eco_format!("`{}` has no argument, nested block or exported attribute named `{attribute}`.", module.resources[index].resource))
                            .at(attribute.span)
                            .maybe_help(name_help(attribute.as_str(), names)),
                    );
                }
            }
        };
        each_module_expr(module, &mut look);
        self.diagnostics.extend(found);
        debug_assert!(!self.program.modules.is_empty());
    }

    fn name_strangers(&mut self) {
        if self.strangers.is_empty() {
            return;
        }
        let names: Vec<String> = self.strangers.iter().map(ToString::to_string).collect();
        self.diagnostics.push(
            Diagnostic::note_only("unknown-schemas", "Schemas not known")
                .detail(eco_format!(
                    "Arguments of resources of {} are not checked, since the schemas are not at hand.",
                    names.join(", ")
                ))
                .help("Run `plumb init`."),
        );
    }
}

fn has_block(body: &Body, name: &str) -> bool {
    body.blocks_of(name).next().is_some() || has_dynamic(body, name)
}

fn has_dynamic(body: &Body, name: &str) -> bool {
    body.blocks_of("dynamic").any(|block| block.labels.first().is_some_and(|label| label.text == name))
}

/// Every expression of a module, with the variables of `dynamic` blocks around it.
pub(super) fn each_module_expr(module: &Module, f: &mut impl FnMut(&Expr, &[EcoString])) {
    for decl in module.variables.values() {
        conditions_exprs(&decl.validations, f);
    }
    for decl in module.locals.values() {
        f(&decl.value, &[]);
    }
    for decl in module.outputs.values() {
        f(&decl.value, &[]);
        conditions_exprs(&decl.preconditions, f);
    }
    for decl in module.resources.values() {
        decl.repetition.expr().into_iter().for_each(|expr| f(expr, &[]));
        decl.provider_instance.iter().for_each(|expr| f(expr, &[]));
        body_exprs(&decl.body.body, &mut Vec::new(), f);
        conditions_exprs(&decl.lifecycle.preconditions, f);
        conditions_exprs(&decl.lifecycle.postconditions, f);
        let provisioners = decl.provisioners.iter();
        let blocks = provisioners.flat_map(|decl| std::iter::once(&decl.body).chain(&decl.connection));
        for block in blocks.chain(&decl.connection) {
            body_exprs(&block.body, &mut Vec::new(), f);
        }
        for provisioner in &decl.provisioners {
            body_exprs(&provisioner.body.body, &mut Vec::new(), f);
        }
    }
    for decl in module.calls.values() {
        decl.repetition.expr().into_iter().for_each(|expr| f(expr, &[]));
        decl.arguments.values().for_each(|argument| f(&argument.value, &[]));
        decl.passed_object().into_iter().for_each(|expr| f(expr, &[]));
        decl.providers.iter().filter_map(|entry| entry.outer.instance.as_ref()).for_each(|expr| f(expr, &[]));
    }
    for decl in module.providers.values() {
        decl.for_each.iter().for_each(|expr| f(expr, &[]));
        decl.body.iter().for_each(|block| body_exprs(&block.body, &mut Vec::new(), f));
    }
    for decl in module.checks.values() {
        conditions_exprs(&decl.asserts, f);
    }
}

fn conditions_exprs(conditions: &[Condition], f: &mut impl FnMut(&Expr, &[EcoString])) {
    for condition in conditions {
        f(&condition.condition, &[]);
        f(&condition.message, &[]);
    }
}

fn body_exprs(body: &Body, iterators: &mut Vec<EcoString>, f: &mut impl FnMut(&Expr, &[EcoString])) {
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => f(&attribute.value, iterators),
            Item::Block(block) if block.kind.as_str() == "dynamic" => {
                iterators.push(crate::graph::iterator(block).into());
                body_exprs(&block.body, iterators, f);
                iterators.pop();
            }
            Item::Block(block) => body_exprs(&block.body, iterators, f),
            Item::Error(_) => {}
        }
    }
}
