//! From the blocks of a directory to its [`Declarations`].

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use indexmap::map::Entry;
use plumb_model::address::{ConfigResource, Key, Mode, ModulePath, Resource, Target};
use plumb_model::convert::convert;
use plumb_model::defaults;
use plumb_model::{Diagnostic, Diagnostics, SourceId, Span, Type, Value};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Block, Expr, ExprKind, Ident, Item, Traversal, TraversalStep};

use super::blocks::{self, Shape, check_labels, check_name, check_shape, duplicate, flag, references, text};
use super::library::imports_library;
use super::provider_name::{provider_key, provider_name};
use super::resource::{action, is_broken, provisioner, repetition, resource};
use super::settings;
use crate::program::{
    Argument, CallDecl, CheckDecl, Declarations, HandedDown, ImportDecl, LocalDecl, MovedDecl, OutputDecl,
    PassThrough, ProviderKey, RemovedDecl, ResourceDecl, Settings, VariableDecl,
};
use crate::types::define::{Defined, define};
use crate::types::hold::{Place, diagnostics as misfits, hold};
use crate::types::{Constraint, NamedTypes, Shape as TypeShape, constraint};

const VARIABLE: Shape = Shape {
    what: "a `variable` block",
    attributes: &[
        "type",
        "default",
        "description",
        "sensitive",
        "ephemeral",
        "nullable",
        "const",
        "deprecated",
    ],
    blocks: &["validation"],
};
const OUTPUT: Shape = Shape {
    what: "an `output` block",
    attributes: &["value", "type", "description", "sensitive", "ephemeral", "depends_on", "deprecated"],
    blocks: &["precondition"],
};
const CHECK: Shape = Shape { what: "a `check` block", attributes: &[], blocks: &["data", "assert"] };
const MOVED: Shape = Shape { what: "a `moved` block", attributes: &["from", "to"], blocks: &[] };
const REMOVED: Shape = Shape {
    what: "a `removed` block",
    attributes: &["from"],
    blocks: &["lifecycle", "provisioner", "connection"],
};
const REMOVED_LIFECYCLE: Shape =
    Shape { what: "the `lifecycle` block of `removed`", attributes: &["destroy"], blocks: &[] };
const IMPORT: Shape = Shape {
    what: "an `import` block",
    attributes: &["to", "id", "identity", "for_each", "provider"],
    blocks: &[],
};
/// The blocks that may stand at the top of a file.
const TOP: [&str; 17] = [
    "action",
    "resource",
    "data",
    "ephemeral",
    "variable",
    "locals",
    "output",
    "module",
    "provider",
    "terraform",
    "language",
    "check",
    "moved",
    "removed",
    "import",
    "types",
    "function",
];

/// Evaluates an expression that may refer to nothing, but call functions of a directory.
pub(super) type Constant<'a> = &'a dyn Fn(&Expr, &Declarations) -> Result<Value, Diagnostics>;

/// Collects what blocks declare.
pub(super) struct Declaring<'a> {
    pub declarations: Declarations,
    pub diagnostics: Diagnostics,
    pub constant: Constant<'a>,
    pub terraform_version: (u64, u64, u64),
}

impl<'a> Declaring<'a> {
    pub(super) fn new(
        dialect: Dialect,
        files: Vec<SourceId>,
        constant: Constant<'a>,
        terraform_version: (u64, u64, u64),
    ) -> Self {
        let declarations = Declarations {
            dialect,
            files,
            variables: IndexMap::new(),
            locals: IndexMap::new(),
            outputs: IndexMap::new(),
            resources: IndexMap::new(),
            calls: IndexMap::new(),
            provider_blocks: IndexMap::new(),
            required_providers: IndexMap::new(),
            checks: IndexMap::new(),
            moved: Vec::new(),
            removed: Vec::new(),
            imports: Vec::new(),
            settings: Settings::default(),
            types: NamedTypes::new(),
            functions: IndexMap::new(),
            libraries: IndexMap::new(),
        };
        Declaring { declarations, diagnostics: Diagnostics::new(), constant, terraform_version }
    }

    fn native(&self) -> bool {
        self.declarations.dialect == Dialect::Native
    }

    /// Reports arguments at the top of a file, where only blocks may be.
    pub(super) fn top_items(&mut self, items: &[Item]) -> Vec<Arc<Block>> {
        let mut blocks = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Block(block) => blocks.push(block.clone()),
                Item::Attribute(attribute) => self.diagnostics.push(
                    Diagnostic::error("unsupported-argument", "Unsupported argument")
                        .detail(eco_format!(
                            "`{}` is an argument, but a file consists of blocks.",
                            attribute.name
                        ))
                        .at(attribute.name.span)
                        .help(eco_format!(
                            "To give a value a name, write `locals {{ {} = … }}`.",
                            attribute.name
                        )),
                ),
                Item::Error(_) => {}
            }
        }
        blocks
    }

    /// Reads the `types` blocks, whose types the other blocks may mention.
    pub(super) fn types(&mut self, blocks: &[Arc<Block>]) {
        let blocks = blocks.iter().filter(|block| block.kind.as_str() == "types");
        let declared = &self.declarations;
        let constant = |expr: &Expr| (self.constant)(expr, declared);
        let types = define(blocks, declared, &constant, &mut self.diagnostics);
        self.declarations.types = types;
    }

    /// The type that an argument of a block says, if it is there.
    pub(super) fn constraint(&mut self, body: &plumb_syntax::tree::Body) -> Option<Constraint> {
        let written = body.attribute("type")?;
        let declared = &self.declarations;
        let constant = |expr: &Expr| (self.constant)(expr, declared);
        let scope = Defined(Some(declared));
        Some(constraint(&written.value, declared.dialect, &scope, &constant, &mut self.diagnostics))
    }

    /// The value of an expression that may refer to nothing.
    pub(super) fn constant_value(&self, expr: &Expr) -> Result<Value, Diagnostics> {
        (self.constant)(expr, &self.declarations)
    }

    /// Reads one block.
    pub(super) fn declare(&mut self, block: &Arc<Block>) {
        match block.kind.as_str() {
            "resource" => self.resource(block, Mode::Managed, None),
            "data" => self.resource(block, Mode::Data, None),
            "ephemeral" => self.resource(block, Mode::Ephemeral, None),
            "action" => self.action(block),
            "variable" => self.variable(block),
            "locals" => self.locals(block),
            "output" => self.output(block),
            "module" => self.call(block),
            "provider" => self.provider(block),
            "terraform" | "language" => settings::read(self, block),
            "check" => self.check(block),
            "moved" => self.moved(block),
            "removed" => self.removed(block),
            "import" if !imports_library(block) => self.import(block),
            // These were read before the others, which may mention what they declare.
            "types" | "function" | "import" if self.native() => {}
            "types" | "function" | "import" => self.diagnostics.push(native_block(block)),
            kind => {
                let guess = plumb_model::diagnostic::did_you_mean(kind, TOP);
                self.diagnostics.push(
                    Diagnostic::error("unsupported-block", "Unsupported block type")
                        .detail(eco_format!("Blocks of type `{kind}` are not expected here."))
                        .at(block.kind.span)
                        .maybe_help(guess),
                );
            }
        }
    }

    fn resource(&mut self, block: &Arc<Block>, mode: Mode, check: Option<u32>) {
        let native = self.native();
        let Some(decl) = resource(block, mode, native, check, &mut self.diagnostics) else { return };
        self.insert_resource(decl);
    }

    fn action(&mut self, block: &Arc<Block>) {
        let native = self.native();
        let Some(decl) = action(block, native, &mut self.diagnostics) else { return };
        self.insert_resource(decl);
    }

    fn insert_resource(&mut self, decl: ResourceDecl) {
        let what = match decl.resource.mode {
            Mode::Managed => "resource",
            Mode::Data => "data resource",
            Mode::Ephemeral => "ephemeral resource",
            Mode::Action => "action",
        };
        let key = decl.resource.clone();
        let name = eco_format!("{key}");
        insert(
            &mut self.declarations.resources,
            key,
            decl,
            what,
            &name,
            |decl| decl.span,
            &mut self.diagnostics,
        );
    }

    fn variable(&mut self, block: &Arc<Block>) {
        if !check_labels(block, &["name"], &mut self.diagnostics) {
            return;
        }
        let name = label(block, 0);
        let body = &block.body;
        let ty = self.constraint(body);
        let found = &mut self.diagnostics;
        check_shape(body, &VARIABLE, found);
        if ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"]
            .contains(&name.as_str())
        {
            found.push(
                Diagnostic::error("reserved-name", "Invalid variable name")
                    .detail(eco_format!("The name `{name}` is that of a meta-argument of module calls."))
                    .at(name.span),
            );
        }
        let dialect = self.declarations.dialect;
        let declared = &self.declarations;
        let constant = |expr: &Expr| (self.constant)(expr, declared);
        let typed = ty.is_some();
        let mut constraint = ty.unwrap_or_else(|| Constraint::of(TypeShape::any(block.header_span)));
        let nullable = match (flag(body, "nullable", found), dialect) {
            (Some(true), Dialect::Native) => {
                constraint.shape = constraint.shape.or_null();
                true
            }
            (Some(nullable), _) => nullable,
            (None, Dialect::Terraform) => true,
            (None, Dialect::Native) => constraint.shape.is_nullable(),
        };
        let default = blocks::expr(body, "default");
        if let Some(default) = &default {
            match dialect {
                Dialect::Native => check_native_default(default, &name, &constraint.shape, &constant, found),
                Dialect::Terraform => check_default(
                    default,
                    &constraint.ty,
                    constraint.defaults.as_deref(),
                    nullable,
                    &constant,
                    found,
                ),
            }
        }
        let Constraint { ty: wanted, defaults: stand_ins, shape } = constraint;
        let sensitive = flag(body, "sensitive", found).unwrap_or(false) || shape.is_secret();
        let decl = VariableDecl {
            span: block.header_span,
            ty: wanted.without_optional(),
            constraint: wanted,
            typed,
            shape,
            exact: dialect == Dialect::Native,
            defaults: stand_ins,
            default,
            description: text(body, "description", found).map(|(text, _)| text).unwrap_or_default(),
            sensitive,
            ephemeral: flag(body, "ephemeral", found).unwrap_or(false),
            nullable,
            constant: flag(body, "const", found).unwrap_or(false),
            deprecated: deprecation(body, found),
            validations: blocks::conditions(body, "validation", found),
            name: name.clone(),
        };
        let span = |decl: &VariableDecl| decl.span;
        insert(
            &mut self.declarations.variables,
            name.name.clone(),
            decl,
            "variable",
            &name.name,
            span,
            &mut self.diagnostics,
        );
    }

    fn locals(&mut self, block: &Arc<Block>) {
        read_locals(block, &mut self.declarations.locals, &mut self.diagnostics);
    }

    fn output(&mut self, block: &Arc<Block>) {
        if !check_labels(block, &["name"], &mut self.diagnostics) {
            return;
        }
        let name = label(block, 0);
        let body = &block.body;
        let found = &mut self.diagnostics;
        check_shape(body, &OUTPUT, found);
        let value = match blocks::expr(body, "value") {
            Some(value) => value,
            None if is_broken(block) => Expr::new(ExprKind::Error, block.header_span),
            None => {
                found.push(blocks::missing_argument(block, "value"));
                Expr::new(ExprKind::Error, block.header_span)
            }
        };
        let ty = self.constraint(body);
        let found = &mut self.diagnostics;
        let secret = ty.as_ref().is_some_and(|constraint| constraint.shape.is_secret());
        let sensitive = flag(body, "sensitive", found).unwrap_or(false) || secret;
        let decl = OutputDecl {
            span: block.header_span,
            value,
            ty,
            description: text(body, "description", found).map(|(text, _)| text).unwrap_or_default(),
            sensitive,
            ephemeral: flag(body, "ephemeral", found).unwrap_or(false),
            deprecated: deprecation(body, found),
            depends_on: references(body, "depends_on", found),
            preconditions: blocks::conditions(body, "precondition", found),
            name: name.clone(),
        };
        let span = |decl: &OutputDecl| decl.span;
        insert(
            &mut self.declarations.outputs,
            name.name.clone(),
            decl,
            "output",
            &name.name,
            span,
            &mut self.diagnostics,
        );
    }

    fn call(&mut self, block: &Arc<Block>) {
        if !check_labels(block, &["name"], &mut self.diagnostics) {
            return;
        }
        const META: [&str; 8] =
            ["source", "version", "count", "for_each", "enabled", "providers", "depends_on", "inputs"];
        let native = self.native();
        let name = label(block, 0);
        let body = &block.body;
        let found = &mut self.diagnostics;
        let is_meta = |name: &str| META.contains(&name) && (native || !matches!(name, "inputs" | "enabled"));
        let mut arguments = IndexMap::new();
        let mut enabled = if native { blocks::expr(body, "enabled") } else { None };
        let mut pass_through = None;
        for item in &body.items {
            match item {
                Item::Attribute(attribute) if attribute.name.as_str() == "inputs" && native => {
                    pass_through = passed_through(&attribute.value, found);
                }
                Item::Attribute(attribute) if !is_meta(&attribute.name.name) => {
                    let argument =
                        Argument { name_span: attribute.name.span, value: attribute.value.clone() };
                    arguments.entry(attribute.name.name.clone()).or_insert(argument);
                }
                Item::Block(nested) if nested.kind.as_str() == "lifecycle" => {
                    enabled = blocks::expr(&nested.body, "enabled").or(enabled);
                    let shape = Shape {
                        what: "the `lifecycle` block of a module call",
                        attributes: &["enabled"],
                        blocks: &[],
                    };
                    check_shape(&nested.body, &shape, found);
                }
                Item::Block(nested) => found.push(
                    Diagnostic::error("unsupported-block", "Unsupported block type")
                        .detail(eco_format!("A `module` block has no `{}` blocks.", nested.kind))
                        .at(nested.kind.span)
                        .help(eco_format!("Inputs of a module are arguments: `{} = …`.", nested.kind)),
                ),
                Item::Attribute(_) | Item::Error(_) => {}
            }
        }
        if body.attribute("source").is_none() && !is_broken(block) {
            found.push(
                blocks::missing_argument(block, "source")
                    .help("Add `source = \"./path\"` or the address of a module."),
            );
        }
        let decl = CallDecl {
            span: block.header_span,
            source: blocks::expr(body, "source"),
            version: blocks::expr(body, "version"),
            repetition: repetition(body, enabled, found),
            arguments,
            pass_through,
            providers: handed_down(block, found),
            depends_on: references(body, "depends_on", found),
            name: name.clone(),
        };
        let span = |decl: &CallDecl| decl.span;
        insert(
            &mut self.declarations.calls,
            name.name.clone(),
            decl,
            "module call",
            &name.name,
            span,
            &mut self.diagnostics,
        );
    }

    /// Says of each call with `inputs = ...var` which variables it passes on, now that all are known.
    pub(super) fn pass_variables(&mut self) {
        let Declarations { variables, calls, .. } = &mut self.declarations;
        for call in calls.values_mut() {
            let Some(PassThrough::Variables { span, exprs }) = &mut call.pass_through else { continue };
            let span = *span;
            let passed = |name: &EcoString| {
                let root = Ident { name: "var".into(), span };
                let step = TraversalStep::Attribute(Ident { name: name.clone(), span });
                let traversal = Traversal { root, steps: vec![step], span };
                (name.clone(), Expr::new(ExprKind::Traversal(Arc::new(traversal)), span))
            };
            exprs.extend(variables.keys().map(passed));
        }
    }

    fn provider(&mut self, block: &Arc<Block>) {
        if !check_labels(block, &["name"], &mut self.diagnostics) {
            return;
        }
        let body = &block.body;
        let alias = text(body, "alias", &mut self.diagnostics);
        if let Some((alias, span)) = &alias {
            check_name(alias, *span, "alias", &mut self.diagnostics);
        }
        let key = ProviderKey { name: label(block, 0).name, alias: alias.map(|(alias, _)| alias) };
        let for_each = blocks::expr(body, "for_each");
        if let (Some(for_each), None) = (&for_each, &key.alias) {
            self.diagnostics.push(
                Diagnostic::error("missing-argument", "Missing required argument")
                    .detail("A provider configuration with `for_each` needs an `alias`, by which its instances are named.")
                    .at(for_each.span),
            );
        }
        let decl = super::providers::block_decl(
            key.clone(),
            blocks::without(block, &["alias", "version", "for_each"], &[]),
            for_each,
            block.header_span,
        );
        let name = eco_format!("{key}");
        insert(
            &mut self.declarations.provider_blocks,
            key,
            decl,
            "provider configuration",
            &name,
            |decl| decl.span,
            &mut self.diagnostics,
        );
    }

    fn check(&mut self, block: &Arc<Block>) {
        if !check_labels(block, &["name"], &mut self.diagnostics) {
            return;
        }
        let name = label(block, 0);
        check_shape(&block.body, &CHECK, &mut self.diagnostics);
        let index = self.declarations.checks.len() as u32;
        let before = self.declarations.resources.len();
        if let Some(data) = blocks::only_block(&block.body, "data", &mut self.diagnostics) {
            let data = data.clone();
            self.resource(&data, Mode::Data, Some(index));
        }
        let data = (self.declarations.resources.len() > before).then_some(before as u32);
        let asserts = blocks::conditions(&block.body, "assert", &mut self.diagnostics);
        if asserts.is_empty() && !is_broken(block) {
            self.diagnostics.push(
                Diagnostic::error("missing-block", "Zero assert blocks")
                    .detail("A `check` block needs at least one `assert` block; it checks nothing otherwise.")
                    .at(block.header_span),
            );
        }
        let decl = CheckDecl { span: block.header_span, data, asserts, name: name.clone() };
        let span = |decl: &CheckDecl| decl.span;
        insert(
            &mut self.declarations.checks,
            name.name.clone(),
            decl,
            "check block",
            &name.name,
            span,
            &mut self.diagnostics,
        );
    }

    fn moved(&mut self, block: &Arc<Block>) {
        check_labels(block, &[], &mut self.diagnostics);
        check_shape(&block.body, &MOVED, &mut self.diagnostics);
        let from = blocks::required(block, "from", &mut self.diagnostics);
        let to = blocks::required(block, "to", &mut self.diagnostics);
        let (Some(from), Some(to)) = (from, to) else { return };
        let from_target = target(&from, &mut self.diagnostics);
        let to_target = target(&to, &mut self.diagnostics);
        let (Some(from_target), Some(to_target)) = (from_target, to_target) else { return };
        if matches!(from_target, Target::Module(_)) != matches!(to_target, Target::Module(_)) {
            self.diagnostics.push(
                Diagnostic::error("invalid-move", "Invalid \"moved\" addresses")
                    .detail("A module can only be moved to a module, and a resource to a resource.")
                    .label(to.span, "")
                    .label(from.span, ""),
            );
            return;
        }
        self.declarations.moved.push(MovedDecl {
            from: from_target,
            to: to_target,
            from_span: from.span,
            to_span: to.span,
            span: block.header_span,
        });
    }

    fn removed(&mut self, block: &Arc<Block>) {
        check_labels(block, &[], &mut self.diagnostics);
        check_shape(&block.body, &REMOVED, &mut self.diagnostics);
        let lifecycle = blocks::only_block(&block.body, "lifecycle", &mut self.diagnostics).cloned();
        let mut destroy = true;
        if let Some(lifecycle) = &lifecycle {
            check_shape(&lifecycle.body, &REMOVED_LIFECYCLE, &mut self.diagnostics);
            destroy = flag(&lifecycle.body, "destroy", &mut self.diagnostics).unwrap_or(true);
        }
        let Some(from) = blocks::required(block, "from", &mut self.diagnostics) else { return };
        let Some(address) = target(&from, &mut self.diagnostics) else { return };
        let has_key = match &address {
            Target::Module(module) => module.0.iter().any(|(_, key)| *key != Key::None),
            Target::Resource(instance) => {
                instance.key != Key::None || instance.module.0.iter().any(|(_, key)| *key != Key::None)
            }
        };
        if has_key {
            self.diagnostics.push(
                Diagnostic::error("invalid-removed", "Invalid \"removed\" address")
                    .detail("A `removed` block names a whole resource or module; single instances cannot be removed so.")
                    .at(from.span)
                    .help("Leave out the key, or change `count` or `for_each` instead."),
            );
            return;
        }
        let provisioners: Vec<_> = block
            .body
            .blocks_of("provisioner")
            .filter_map(|block| provisioner(block, &mut self.diagnostics))
            .collect();
        for provisioner in provisioners.iter().filter(|provisioner| !provisioner.on_destroy || !destroy) {
            let detail = match destroy {
                true => "What is removed is destroyed, so its provisioners can only run before that.",
                false => {
                    "With `destroy = false` the object stays, so there is nothing for a provisioner to run before."
                }
            };
            self.diagnostics.push(
                Diagnostic::error("invalid-removed", "Invalid provisioner in \"removed\" block")
                    .detail(detail)
                    .at(provisioner.span)
                    .help("Write `when = destroy` in the provisioner, or remove it."),
            );
        }
        self.declarations.removed.push(RemovedDecl {
            from: address,
            from_span: from.span,
            destroy,
            provisioners,
            span: block.header_span,
        });
    }

    fn import(&mut self, block: &Arc<Block>) {
        check_labels(block, &[], &mut self.diagnostics);
        let body = &block.body;
        let found = &mut self.diagnostics;
        check_shape(body, &IMPORT, found);
        let to = blocks::required(block, "to", found);
        let (id, identity) = (blocks::expr(body, "id"), blocks::expr(body, "identity"));
        if id.is_some() == identity.is_some() && !is_broken(block) {
            found.push(
                Diagnostic::error("invalid-import", "Invalid import block")
                    .detail("An import names the object either by `id` or by `identity`; exactly one of them is needed.")
                    .at(block.header_span),
            );
        }
        let provider =
            body.attribute("provider").and_then(|attribute| provider_name(&attribute.value, found));
        let Some(to) = to else { return };
        match import_target(&to) {
            Some(resource) => self.declarations.imports.push(ImportDecl {
                resource,
                to,
                id,
                identity,
                for_each: blocks::expr(body, "for_each"),
                provider,
                span: block.header_span,
            }),
            None => self.diagnostics.push(invalid_address(to.span)),
        }
    }
}

/// Why something should not be used any more.
fn deprecation(body: &plumb_syntax::tree::Body, found: &mut Diagnostics) -> Option<EcoString> {
    let (reason, span) = text(body, "deprecated", found)?;
    if reason.trim().is_empty() {
        found.push(
            Diagnostic::error("empty-deprecation", "Deprecation without a reason")
                .detail("`deprecated` says what to use instead; an empty text tells nobody anything.")
                .at(span)
                .help("Write what to use instead, or remove the argument."),
        );
    }
    Some(reason)
}

/// Adds a declaration, or reports that there is one of that name.
pub(super) fn insert<K: std::hash::Hash + Eq, V>(
    map: &mut IndexMap<K, V>,
    key: K,
    value: V,
    what: &str,
    name: &str,
    span: impl Fn(&V) -> Span,
    diagnostics: &mut Diagnostics,
) {
    match map.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(value);
        }
        Entry::Occupied(entry) => {
            diagnostics.push(duplicate(what, name, span(&value), span(entry.get())));
        }
    }
}

/// Reads a `locals` block of a module or of a function.
pub(super) fn read_locals(
    block: &Block,
    locals: &mut IndexMap<EcoString, LocalDecl>,
    diagnostics: &mut Diagnostics,
) {
    check_labels(block, &[], diagnostics);
    for item in &block.body.items {
        match item {
            Item::Attribute(attribute) => {
                let name = &attribute.name;
                check_name(&name.name, name.span, "name of a local value", diagnostics);
                let decl =
                    LocalDecl { name: name.clone(), value: attribute.value.clone(), span: attribute.span };
                let span = |decl: &LocalDecl| decl.name.span;
                insert(locals, name.name.clone(), decl, "local value", &name.name, span, diagnostics);
            }
            Item::Block(nested) => diagnostics.push(
                Diagnostic::error("unsupported-block", "Unsupported block type")
                    .detail("A `locals` block has only arguments.")
                    .at(nested.kind.span)
                    .help(eco_format!("For an object, write `{} = {{ … }}`.", nested.kind)),
            ),
            Item::Error(_) => {}
        }
    }
}

pub(super) fn label(block: &Block, index: usize) -> Ident {
    let label = &block.labels[index];
    Ident { name: label.text.clone(), span: label.span }
}

/// Reports a default that is not constant or not of the variable's type.
fn check_default(
    default: &Expr,
    ty: &Type,
    stand_ins: Option<&defaults::Defaults>,
    nullable: bool,
    constant: &dyn Fn(&Expr) -> Result<Value, Diagnostics>,
    diagnostics: &mut Diagnostics,
) {
    let value = match constant(default) {
        Ok(value) => value,
        Err(found) => {
            diagnostics.extend(found);
            return;
        }
    };
    let value = stand_ins.map_or_else(|| value.clone(), |stand_ins| defaults::apply(&value, stand_ins));
    let problem = match convert(&value, ty) {
        Ok(value) if value.is_null() && !nullable => {
            "it is null, but the variable is not nullable".to_owned()
        }
        Ok(_) => return,
        Err(error) => error.to_string(),
    };
    diagnostics.push(
        Diagnostic::error("invalid-default", "Invalid default value for variable")
            .detail(eco_format!("The default is not of the variable's type {ty}: {problem}."))
            .at(default.span),
    );
}

/// Reports a default that is not constant or not of the type of a variable of the native language.
fn check_native_default(
    default: &Expr,
    name: &Ident,
    shape: &TypeShape,
    constant: &dyn Fn(&Expr) -> Result<Value, Diagnostics>,
    diagnostics: &mut Diagnostics,
) {
    match constant(default) {
        Ok(value) => {
            if let Err(found) = hold(&value, shape) {
                diagnostics.extend(misfits(found, &name.name, Place::Written(default)));
            }
        }
        Err(found) => diagnostics.extend(found),
    }
}

/// `...var` or `...object`
fn passed_through(value: &Expr, diagnostics: &mut Diagnostics) -> Option<PassThrough> {
    match &value.kind {
        ExprKind::Spread(inner) => match &inner.kind {
            ExprKind::Traversal(traversal)
                if traversal.root.as_str() == "var" && traversal.steps.is_empty() =>
            {
                // Which variables there are is known when all files have been read.
                Some(PassThrough::Variables { span: value.span, exprs: IndexMap::new() })
            }
            ExprKind::Error => None,
            _ => Some(PassThrough::Object((**inner).clone())),
        },
        ExprKind::Error => None,
        _ => {
            diagnostics.push(
                Diagnostic::error("inputs-without-spread", "Inputs that are not spread")
                    .detail("`inputs` hands the entries of an object on to the variables of the same names, which is written with `...`.")
                    .at(value.span)
                    .help("Write `inputs = ...var` for the variables of this module, or `inputs = ...local.settings` for an object.")
                    .suggest(Span { end: value.span.start, ..value.span }, "...", false),
            );
            // What would be passed is not known, so that nothing is missing either.
            Some(PassThrough::Object(Expr::new(ExprKind::Error, value.span)))
        }
    }
}

/// That a block has a meaning only in the native language.
fn native_block(block: &Block) -> Diagnostic {
    Diagnostic::error("needs-native-dialect", "Not available in Terraform's language")
        .detail(eco_format!(
            "`{}` blocks are understood in `.cfg` files; in `.tf` files they would mean nothing to Terraform.",
            block.kind
        ))
        .at(block.header_span)
        .help("Rename the files of the module to `.cfg`.")
}

/// `providers = { aws = aws.west }`: names within the module to names here.
fn handed_down(block: &Block, diagnostics: &mut Diagnostics) -> Vec<HandedDown> {
    let Some(attribute) = block.body.attribute("providers") else { return Vec::new() };
    let ExprKind::Object(object) = &attribute.value.without_parens().kind else {
        diagnostics.push(
            Diagnostic::error("invalid-providers", "Invalid providers argument")
                .detail("`providers` is an object: names of provider configurations in the module, and here.")
                .at(attribute.value.span)
                .help("Write `providers = { aws = aws.west }`."),
        );
        return Vec::new();
    };
    let mut pairs = Vec::new();
    for entry in &object.entries {
        let plumb_syntax::tree::ObjectEntry::Pair { key, value } = entry else { continue };
        let inner = match key {
            plumb_syntax::tree::ObjectKey::Name(name) => {
                Some(ProviderKey { name: name.name.clone(), alias: None })
            }
            plumb_syntax::tree::ObjectKey::Expr(expr) => provider_key(expr, diagnostics),
        };
        let outer = provider_name(value, diagnostics);
        if let (Some(inner), Some(outer)) = (inner, outer) {
            pairs.push(HandedDown { inner, outer });
        }
    }
    pairs
}

fn invalid_address(span: Span) -> Diagnostic {
    Diagnostic::error("invalid-address", "Invalid address")
        .detail("This is not the address of a resource or a module.")
        .at(span)
        .help("Write an address such as `terraform_data.example`, `module.network` or `module.network.terraform_data.example[0]`.")
}

/// The address that a literal reference is, relative to the module.
fn target(expr: &Expr, diagnostics: &mut Diagnostics) -> Option<Target> {
    let found = match &expr.kind {
        ExprKind::Traversal(traversal) => traversal_target(traversal),
        ExprKind::Error => return None,
        _ => None,
    };
    if found.is_none() {
        diagnostics.push(invalid_address(expr.span));
    }
    found
}

fn traversal_target(traversal: &Traversal) -> Option<Target> {
    const NO_TYPES: [&str; 10] =
        ["var", "local", "each", "count", "self", "path", "terraform", "template", "lazy", "arg"];
    if NO_TYPES.contains(&traversal.root.as_str()) {
        return None;
    }
    Target::parse(&traversal.to_string()).ok().filter(|target| match target {
        Target::Resource(instance) => !matches!(instance.resource.mode, Mode::Ephemeral | Mode::Action),
        Target::Module(_) => true,
    })
}

/// The resource block that an import is for; keys may be computed.
fn import_target(to: &Expr) -> Option<ConfigResource> {
    // Keys do not matter here, so the names are enough.
    let mut names: Vec<EcoString> = Vec::new();
    match &to.kind {
        ExprKind::Traversal(traversal) => push_names(traversal, &mut names),
        ExprKind::Access(access) => {
            let ExprKind::Traversal(traversal) = &access.base.kind else { return None };
            push_names(traversal, &mut names);
            for step in &access.steps {
                match step {
                    plumb_syntax::tree::AccessStep::Attribute { name, optional: false } => {
                        names.push(name.name.clone());
                    }
                    plumb_syntax::tree::AccessStep::Index { .. } => {}
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    let mut path = ModulePath::root();
    let mut rest = names.as_slice();
    while let [first, name, after @ ..] = rest {
        if first != "module" {
            break;
        }
        path = path.child(name.clone());
        rest = after;
    }
    match rest {
        [kind, name] => {
            Some(ConfigResource { module: path, resource: Resource::managed(kind.clone(), name.clone()) })
        }
        _ => None,
    }
}

fn push_names(traversal: &Traversal, names: &mut Vec<EcoString>) {
    names.push(traversal.root.name.clone());
    for step in &traversal.steps {
        if let TraversalStep::Attribute(name) = step {
            names.push(name.name.clone());
        }
    }
}
