//! What is declared and never used.
//!
//! A declaration is used if a node of the program depends on it, so that a mention in any expression counts. Names that
//! begin with `_` are meant to be unused. A variable with validations is used: what it is for is to be checked.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::address::Mode;
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::tree::{Expr, ExprKind};

use crate::check::schema::each_module_expr;
use crate::program::{Declarations, Module, ModuleId, NodeKind, Program};
use crate::reference::{self, Subject};
use crate::types::{Shape, ShapeKind};

/// What is used in a program.
pub(super) struct Used {
    /// By [`NodeId`]: whether a node depends on it.
    nodes: Vec<bool>,
    /// Outputs that some caller uses, whichever call path it has: what declares them, and which of them.
    outputs: HashSet<(*const Declarations, u32)>,
}

impl Used {
    /// Linear in the dependencies of the program.
    pub(super) fn of(program: &Program) -> Used {
        let mut used = Used { nodes: vec![false; program.node_count()], outputs: HashSet::new() };
        for (id, node) in program.nodes() {
            // What must be done before a module is done is not used by that.
            if node.kind == NodeKind::CallEnd {
                continue;
            }
            for dependency in program.dependencies(id) {
                used.nodes[dependency.to.0 as usize] = true;
                let to = program.node(dependency.to);
                if to.kind == NodeKind::Output {
                    let declarations = Arc::as_ptr(&program.module(to.module).declarations);
                    used.outputs.insert((declarations, to.index));
                }
            }
        }
        for (id, module) in program.modules() {
            used.imports(program, id, module);
        }
        used
    }

    /// Imports are no nodes, but what they mention is used.
    fn imports(&mut self, program: &Program, id: ModuleId, module: &Module) {
        for decl in &module.imports {
            let exprs = [Some(&decl.to), decl.id.as_ref(), decl.identity.as_ref(), decl.for_each.as_ref()];
            for traversal in exprs.into_iter().flatten().flat_map(|expr| expr.references()) {
                let Ok(reference) = reference::parse(traversal) else { continue };
                let counts = matches!(reference.subject, Subject::Variable(_) | Subject::Local(_));
                if let Some(node) = program.named(id, &reference.subject).filter(|_| counts) {
                    self.nodes[node.0 as usize] = true;
                }
            }
        }
    }

    fn node(&self, program: &Program, module: ModuleId, kind: NodeKind, index: usize) -> bool {
        self.nodes[program.node_id(module, kind, index).0 as usize]
    }
}

/// Reports what is unused in a module.
pub(super) fn check(program: &Program, used: &Used, id: ModuleId, found: &mut Diagnostics) {
    let module = program.module(id);
    for (i, decl) in module.variables.values().enumerate() {
        let name = decl.name.as_str();
        let meant = !decl.validations.is_empty() || decl.constant || name.starts_with('_');
        if !meant && !used.node(program, id, NodeKind::Variable, i) {
            found.push(
                unused("unused-variable", "Unused variable", decl.span)
                    .detail(eco_format!("Nothing in the module uses the variable `{name}`."))
                    .help("Remove it, or begin its name with `_` if callers have to give it all the same."),
            );
        }
    }
    for (i, decl) in module.locals.values().enumerate() {
        let name = decl.name.as_str();
        if !name.starts_with('_') && !used.node(program, id, NodeKind::Local, i) {
            found.push(
                unused("unused-local", "Unused local value", decl.name.span)
                    .detail(eco_format!("Nothing in the module uses the local value `{name}`."))
                    .help("Remove it, or begin its name with `_`."),
            );
        }
    }
    for (i, decl) in module.resources.values().enumerate() {
        let conditions = &decl.lifecycle;
        let meant = decl.check.is_some()
            || decl.resource.name.starts_with('_')
            || !conditions.preconditions.is_empty()
            || !conditions.postconditions.is_empty();
        if decl.resource.mode == Mode::Data && !meant && !used.node(program, id, NodeKind::Resource, i) {
            found.push(
                unused("unused-data", "Unused data source", decl.span)
                    .detail(eco_format!("Nothing in the module uses what `{}` reads.", decl.resource))
                    .help("Remove it, or begin its name with `_` if reading it is what it is for."),
            );
        }
    }
    for (i, decl) in module.providers.values().enumerate() {
        let alias = decl.config.alias.as_ref();
        let Some(alias) = alias.filter(|alias| decl.body.is_some() && !alias.starts_with('_')) else {
            continue;
        };
        let handed_down = module
            .calls
            .values()
            .any(|call| call.providers.iter().any(|entry| entry.outer.key.alias.as_ref() == Some(alias)));
        if !handed_down && !used.node(program, id, NodeKind::Provider, i) {
            found.push(
                unused("unused-provider", "Unused provider configuration", decl.span)
                    .detail(eco_format!("No resource or module uses the configuration `{alias}`."))
                    .help("Remove it when no recorded object needs it any more."),
            );
        }
    }
    types(module, found);
    functions(program, module, found);
    outputs(program, used, id, found);
}

/// Functions that nothing calls, and libraries of which nothing is mentioned. What the files mention counts, also where
/// it is in the condition of a type.
fn functions(program: &Program, module: &Module, found: &mut Diagnostics) {
    let mentions = |what: &str| {
        module.files.iter().any(|file| {
            let text = &program.sources.get(*file).text;
            text.match_indices(what).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':'))
            })
        })
    };
    for (name, decl) in &module.functions {
        if !name.starts_with('_') && !mentions(&format!("{name}(")) {
            found.push(
                unused("unused-function", "Unused function", decl.span)
                    .detail(eco_format!("Nothing in the module calls the function `{name}`."))
                    .help("Remove it, or begin its name with `_`."),
            );
        }
    }
    for (name, decl) in &module.libraries {
        if !name.starts_with('_') && !mentions(&format!("{name}::")) {
            found.push(
                unused("unused-import", "Unused import", decl.span)
                    .detail(eco_format!("Nothing in the module mentions what is in the library `{name}`."))
                    .help("Remove the block."),
            );
        }
    }
}

/// Named types that neither the interface of the module nor a conversion in it uses.
fn types(module: &Module, found: &mut Diagnostics) {
    if module.types.is_empty() {
        return;
    }
    let mut used: HashSet<EcoString> = HashSet::new();
    let mut mark = |shape: &Shape| {
        shape.any_part(&mut |part| {
            if let ShapeKind::Named(named) = &part.kind {
                used.insert(named.name.clone());
            }
            false
        });
    };
    module.variables.values().for_each(|decl| mark(&decl.shape));
    module.outputs.values().filter_map(|decl| decl.ty.as_ref()).for_each(|ty| mark(&ty.shape));
    for decl in module.functions.values() {
        decl.parameters.values().for_each(|parameter| mark(&parameter.constraint.shape));
        decl.result.iter().for_each(|result| mark(&result.shape));
    }
    let mut words: HashSet<EcoString> = HashSet::new();
    for decl in module.functions.values() {
        words_of_conversions(&decl.value, &mut words);
        decl.locals.values().for_each(|local| words_of_conversions(&local.value, &mut words));
    }
    each_module_expr(module, &mut |expr, _| words_of_conversions(expr, &mut words));
    for name in &words {
        module.types.get(name).into_iter().for_each(|named| mark(&named.shape));
    }
    used.extend(words);
    for (name, named) in &module.types {
        if !used.contains(name) && !name.starts_with('_') {
            found.push(
                unused("unused-type", "Unused type", named.span)
                    .detail(eco_format!("Nothing in the module uses the type `{name}`."))
                    .help("Remove it, or begin its name with `_`."),
            );
        }
    }
}

/// The bare words in the types of `convert(value, type)`.
fn words_of_conversions(expr: &Expr, words: &mut HashSet<EcoString>) {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if let ExprKind::Call(call) = &expr.kind
            && call.name.as_str() == "convert"
            && let [_, ty] = call.arguments.as_slice()
        {
            words.extend(ty.references().map(|traversal| traversal.root.name.clone()));
        }
        pending.extend(expr.children());
    }
}

/// Outputs of modules that belong to this configuration alone, as far as can be told: their directory is below that of
/// the root.
fn outputs(program: &Program, used: &Used, id: ModuleId, found: &mut Diagnostics) {
    let module = program.module(id);
    if module.path.is_root() || !is_below(&module.directory, &program.root().directory) {
        return;
    }
    for (i, (name, decl)) in module.outputs.iter().enumerate() {
        let anywhere = used.outputs.contains(&(Arc::as_ptr(&module.declarations), i as u32));
        if !anywhere && !name.starts_with('_') {
            found.push(
                unused("unused-output", "Unused output", decl.span)
                    .detail(eco_format!("No caller of the module uses the output `{name}`."))
                    .help("Remove it, or set the level of the lint where the module is called from elsewhere too."),
            );
        }
    }
}

fn is_below(directory: &Path, root: &Path) -> bool {
    let root = root.strip_prefix(".").unwrap_or(root);
    let directory = directory.strip_prefix(".").unwrap_or(directory);
    let up = directory.components().any(|part| part == std::path::Component::ParentDir);
    directory.is_relative() && !up && directory.starts_with(root)
}

fn unused(code: &'static str, summary: &'static str, span: Span) -> Diagnostic {
    Diagnostic::warning(code, summary).at(span)
}
