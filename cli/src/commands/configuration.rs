//! What the configuration declares, in the form that plan JSON tells it.

use std::collections::BTreeMap;

use ecow::{EcoString, eco_format};
use plumb_engine::plan::Plan;
use plumb_engine::providers::Schemas;
use plumb_model::address::{Mode, ProviderConfig};
use plumb_model::convert::convert;
use plumb_model::{Block as Schema, Nesting, Value, defaults};
use plumb_semantics::Program;
use plumb_semantics::program::{
    CallDecl, Module, ModuleId, ModuleOrigin, OutputDecl, ResourceDecl, VariableDecl,
};
use plumb_syntax::tree::{Body, Expr, ExprKind, ObjectEntry, Traversal, TraversalStep, UnaryOp};

use super::relevant;
use crate::render::configuration_view::{
    ConfigurationView, Expression, Expressions, ModuleCallView, ModuleView, OutputView, ProviderView,
    ResourceView, VariableView,
};

/// What a program declares, and what of it a plan was made from.
pub fn view(program: &Program, schemas: &Schemas, plan: &Plan) -> ConfigurationView {
    let mut providers = BTreeMap::new();
    for (_, module) in program.modules() {
        for (key, decl) in &module.providers {
            let schema = schemas.provider(&decl.config.source).map(|schema| &schema.provider.block);
            let expressions = match (&decl.body, schema) {
                (Some(block), Some(schema)) => body(&block.body, schema),
                _ => Expressions::new(),
            };
            let requirement = module.required_providers.get(&key.name);
            let view = ProviderView {
                name: key.name.clone(),
                full_name: eco_format!("{}", decl.config.source),
                alias: key.alias.clone(),
                version_constraint: requirement
                    .and_then(|r| r.version.as_ref())
                    .map(|(text, _)| text.clone()),
                module_address: (!module.path.is_root()).then(|| eco_format!("{}", module.path)),
                expressions,
            };
            providers.insert(config_key(&decl.config), view);
        }
    }
    ConfigurationView {
        providers,
        root: module(program, ModuleId::ROOT, schemas),
        relevant: relevant::attributes(program, plan),
    }
}

/// The key of a provider configuration: `name`, `name.alias`, `module.m:name`.
fn config_key(config: &ProviderConfig) -> EcoString {
    let mut key = EcoString::new();
    if !config.module.is_root() {
        key = eco_format!("{}:", config.module);
    }
    key.push_str(&config.source.kind);
    if let Some(alias) = &config.alias {
        key.push('.');
        key.push_str(alias);
    }
    key
}

fn module(program: &Program, id: ModuleId, schemas: &Schemas) -> ModuleView {
    let declared = program.module(id);
    let resources = declared.resources.values().enumerate();
    let mut resources: Vec<ResourceView> = resources
        .filter(|(_, decl)| !matches!(decl.resource.mode, Mode::Ephemeral | Mode::Action))
        .map(|(index, decl)| resource(declared, index, decl, schemas))
        .collect();
    resources.sort_by(|a, b| (a.mode, &a.address).cmp(&(b.mode, &b.address)));
    let calls = declared.calls.values().enumerate().map(|(index, call)| {
        let child = declared.children[index];
        let origin = child.and_then(|child| program.module(child).origin.as_ref());
        let view = child.map(|child| module(program, child, schemas)).unwrap_or_default();
        (call.name.name.clone(), module_call(call, origin, view))
    });
    ModuleView {
        outputs: declared.outputs.iter().map(|(name, decl)| (name.clone(), output(decl))).collect(),
        resources,
        module_calls: calls.collect(),
        variables: declared.variables.iter().map(|(name, decl)| (name.clone(), variable(decl))).collect(),
    }
}

fn output(decl: &OutputDecl) -> OutputView {
    OutputView {
        sensitive: decl.sensitive,
        expression: expression(&decl.value),
        depends_on: depends_on(&decl.depends_on),
        description: described(&decl.description),
    }
}

fn variable(decl: &VariableDecl) -> VariableView {
    VariableView {
        default: decl.default.as_ref().and_then(constant).map(|value| typed(decl, value)),
        description: described(&decl.description),
        sensitive: decl.sensitive,
        ephemeral: decl.ephemeral,
    }
}

/// A default as a value of the variable's type.
fn typed(decl: &VariableDecl, value: Value) -> Value {
    let value = match &decl.defaults {
        Some(stand_ins) => defaults::apply(&value, stand_ins),
        None => value,
    };
    convert(&value, &decl.constraint).unwrap_or(value)
}

fn described(text: &EcoString) -> Option<EcoString> {
    (!text.is_empty()).then(|| text.clone())
}

fn depends_on(exprs: &[Expr]) -> Vec<EcoString> {
    exprs.iter().filter_map(Expr::as_traversal).map(|traversal| eco_format!("{traversal}")).collect()
}

fn resource(module: &Module, index: usize, decl: &ResourceDecl, schemas: &Schemas) -> ResourceView {
    let config = &module.resource_providers[index];
    let schema = schemas.get(&config.source, decl.resource.mode, &decl.resource.kind);
    ResourceView {
        address: eco_format!("{}", decl.resource),
        mode: decl.resource.mode,
        kind: decl.resource.kind.clone(),
        name: decl.resource.name.clone(),
        provider_config_key: config_key(config),
        provisioners: decl
            .provisioners
            .iter()
            .map(|p| (p.kind.name.clone(), body(&p.body.body, &Schema::default())))
            .collect(),
        expressions: schema.map(|known| body(&decl.body.body, &known.schema.block)).unwrap_or_default(),
        schema_version: schema.map_or(0, |known| known.schema.version),
        count: decl.repetition.count.as_ref().map(expression),
        for_each: decl.repetition.for_each.as_ref().map(expression),
        depends_on: depends_on(&decl.depends_on),
    }
}

fn module_call(call: &CallDecl, origin: Option<&ModuleOrigin>, module: ModuleView) -> ModuleCallView {
    ModuleCallView {
        source: origin.map(|origin| origin.source.clone()).unwrap_or_default(),
        version_constraint: origin.and_then(|origin| origin.constraint.clone()),
        expressions: call.arguments.iter().map(|(name, a)| (name.clone(), expression(&a.value))).collect(),
        count: call.repetition.count.as_ref().map(expression),
        for_each: call.repetition.for_each.as_ref().map(expression),
        depends_on: depends_on(&call.depends_on),
        module,
    }
}

/// The arguments and nested blocks of a body. Which nested blocks are lists, the schema says.
fn body(body: &Body, schema: &Schema) -> Expressions {
    let mut all: Expressions = body
        .attributes()
        .map(|attribute| (attribute.name.name.clone(), expression(&attribute.value)))
        .collect();
    let mut nested: BTreeMap<EcoString, Vec<Expressions>> = BTreeMap::new();
    // Terraform's shape has no place for what `dynamic` blocks say.
    for block in body.blocks().filter(|block| block.kind.name != "dynamic") {
        let inner = schema.blocks.get(&block.kind.name).map(|nested| &nested.block);
        let inner = self::body(&block.body, inner.unwrap_or(&Schema::default()));
        nested.entry(block.kind.name.clone()).or_default().push(inner);
    }
    for (kind, mut blocks) in nested {
        let nesting = schema.blocks.get(&kind).map(|nested| nested.nesting);
        let one = matches!(nesting, Some(Nesting::Single | Nesting::Group)) && blocks.len() == 1;
        let value = if one { Expression::Block(blocks.remove(0)) } else { Expression::Blocks(blocks) };
        all.insert(kind, value);
    }
    all
}

/// What an argument says: a constant, references, or neither.
fn expression(expr: &Expr) -> Expression {
    if let Some(value) = constant(expr) {
        return Expression::Constant(value);
    }
    let texts: Vec<EcoString> = expr.references().flat_map(reference).collect();
    if texts.is_empty() { Expression::Opaque } else { Expression::References(texts) }
}

/// The value of a literal, also of one made of literals.
pub(crate) fn constant(expr: &Expr) -> Option<Value> {
    Some(match &expr.kind {
        ExprKind::Null => Value::NULL,
        ExprKind::Bool(value) => Value::Bool(*value),
        ExprKind::Number(number) => Value::Number(number.clone()),
        ExprKind::String(text) => Value::String(text.clone()),
        ExprKind::Paren(inner) => constant(inner)?,
        ExprKind::Unary(unary) if unary.op == UnaryOp::Negate => {
            Value::Number(constant(&unary.operand)?.as_number()?.neg())
        }
        ExprKind::Tuple(tuple) => {
            Value::tuple(tuple.elements.iter().map(constant).collect::<Option<Vec<_>>>()?)
        }
        ExprKind::Object(object) => {
            let entries = object.entries.iter().map(|entry| match entry {
                ObjectEntry::Pair { key, value } => Some((key.as_literal()?.clone(), constant(value)?)),
                ObjectEntry::Spread(..) | ObjectEntry::Open(_) => None,
            });
            Value::object(entries.collect::<Option<Vec<_>>>()?)
        }
        _ => return None,
    })
}

/// A reference from the most specific to the least: `file.a[0].path`, `file.a[0]`, `file.a`.
fn reference(traversal: &Traversal) -> Vec<EcoString> {
    let attributes = match traversal.root.as_str() {
        "data" | "ephemeral" | "resource" | "module" => 2,
        "self" => 0,
        _ => 1,
    };
    let step_texts: Vec<EcoString> = traversal
        .steps
        .iter()
        .map(|step| match step {
            TraversalStep::Attribute(name) => eco_format!(".{name}"),
            TraversalStep::Index(index, _) => eco_format!("[{index}]"),
            TraversalStep::Key(key, _) => eco_format!("[{}]", plumb_syntax::quote(key)),
        })
        .collect();
    let text = |steps: usize| {
        let mut text = traversal.root.name.clone();
        step_texts[..steps].iter().for_each(|step| text.push_str(step));
        text
    };
    let is_key = |at: usize| !matches!(traversal.steps.get(at), None | Some(TraversalStep::Attribute(_)));
    let count = traversal.steps.len();
    let mut shortest = attributes.min(count);
    if traversal.root.as_str() == "module" {
        // `module.m[k]` is one thing, and `module.m` where no key is written.
        shortest = if is_key(1) && count > 1 { 2 } else { 1.min(count) };
    }
    let mut texts: Vec<EcoString> = (shortest..=count).rev().map(text).collect();
    if !is_key(shortest) {
        texts.dedup();
    }
    texts
}
