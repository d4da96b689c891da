//! What depends on what: the nodes of a program and their dependencies, found from references alone.
//!
//! Linear in the size of the texts for each module of the static tree. Names that mean nothing give no dependency; that
//! they are wrong is said by [`crate::check`].

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::Equivalent;
use plumb_model::address::{Mode, Resource};
use plumb_model::{Sources, Span};
use plumb_syntax::tree::{AccessStep, Block, Body, Expr, ExprKind, Item, Traversal};

use crate::program::{
    Condition, Dependency, FirstNodes, Lifecycle, Module, ModuleId, Node, NodeId, NodeKind, Program,
    Repetition,
};
use crate::reference::{self, Subject};

/// Makes the program of modules.
pub(crate) fn build(sources: Arc<Sources>, mut modules: Vec<Module>) -> Program {
    let mut nodes = Vec::new();
    for (index, module) in modules.iter_mut().enumerate() {
        module.first_nodes = number(ModuleId(index as u32), module, &mut nodes);
    }
    let mut program =
        Program { sources, modules, nodes, dependencies: Vec::new(), dependency_starts: Vec::new() };
    let mut dependencies = Vec::new();
    let mut starts = Vec::with_capacity(program.nodes.len() + 1);
    for index in 0..program.nodes.len() {
        starts.push(dependencies.len() as u32);
        let mut finder = Finder { program: &program, id: NodeId(index as u32), found: &mut dependencies };
        finder.node();
    }
    starts.push(dependencies.len() as u32);
    program.dependencies = dependencies;
    program.dependency_starts = starts;
    program
}

fn number(id: ModuleId, module: &Module, nodes: &mut Vec<Node>) -> FirstNodes {
    let mut add = |kind: NodeKind, count: usize| {
        let first = nodes.len() as u32;
        nodes.extend((0..count as u32).map(|index| Node { module: id, kind, index }));
        first
    };
    FirstNodes {
        variables: add(NodeKind::Variable, module.variables.len()),
        locals: add(NodeKind::Local, module.locals.len()),
        outputs: add(NodeKind::Output, module.outputs.len()),
        resources: add(NodeKind::Resource, module.resources.len()),
        calls: add(NodeKind::Call, module.calls.len()),
        providers: add(NodeKind::Provider, module.providers.len()),
        checks: add(NodeKind::Check, module.checks.len()),
        call_ends: add(NodeKind::CallEnd, module.calls.len()),
    }
}

/// A resource's name that borrows.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ResourceName<'a> {
    pub mode: Mode,
    pub kind: &'a str,
    pub name: &'a str,
}

impl Equivalent<Resource> for ResourceName<'_> {
    fn equivalent(&self, resource: &Resource) -> bool {
        self.mode == resource.mode && self.kind == resource.kind && self.name == resource.name
    }
}

/// Finds the dependencies of one node.
struct Finder<'a> {
    program: &'a Program,
    id: NodeId,
    found: &'a mut Vec<Dependency>,
}

impl Finder<'_> {
    fn node(&mut self) {
        let node = self.program.node(self.id);
        let module = self.program.module(node.module);
        let index = node.index as usize;
        if let Some((parent, call)) = module.parent {
            let to = self.program.node_id(parent, NodeKind::Call, call as usize);
            let decl = &self.program.module(parent).calls[call as usize];
            self.add(to, decl.span, eco_format!("is in module.{}", decl.name));
        }
        match node.kind {
            NodeKind::Variable => self.variable(node),
            NodeKind::Local => self.expr(node.module, &module.locals[index].value),
            NodeKind::Output => {
                let decl = &module.outputs[index];
                self.expr(node.module, &decl.value);
                self.depends_on(node.module, &decl.depends_on);
                self.conditions(node.module, &decl.preconditions);
            }
            NodeKind::Resource => self.resource(node),
            NodeKind::Call => {
                let decl = &module.calls[index];
                self.repetition(node.module, &decl.repetition);
                self.depends_on(node.module, &decl.depends_on);
                let chosen = decl.providers.iter().filter_map(|entry| entry.outer.instance.as_ref());
                chosen.for_each(|expr| self.expr(node.module, expr));
                // Their values were needed earlier, and what they mention is used all the same.
                for constant in decl.source.iter().chain(&decl.version) {
                    self.expr(node.module, constant);
                }
            }
            NodeKind::Provider => {
                let decl = &module.providers[index];
                decl.for_each.iter().for_each(|expr| self.expr(node.module, expr));
                decl.body.iter().for_each(|block| self.body(node.module, &block.body, &mut Vec::new()));
            }
            NodeKind::Check => {
                let decl = &module.checks[index];
                if let Some(data) = decl.data {
                    let to = self.program.node_id(node.module, NodeKind::Resource, data as usize);
                    self.add(to, decl.span, "has its data".into());
                }
                self.conditions(node.module, &decl.asserts);
            }
            NodeKind::CallEnd => self.call_end(node),
        }
    }

    fn variable(&mut self, node: Node) {
        let module = self.program.module(node.module);
        let decl = &module.variables[node.index as usize];
        self.conditions(node.module, &decl.validations);
        let Some((parent, call)) = module.parent else { return };
        let call = &self.program.module(parent).calls[call as usize];
        if let Some(expr) = call.given(&decl.name.name).or(call.passed_object()) {
            self.expr(parent, expr);
        }
    }

    fn resource(&mut self, node: Node) {
        let module = self.program.module(node.module);
        let decl = &module.resources[node.index as usize];
        if let Some(config) = module.resource_providers.get(node.index as usize)
            && let Some(to) = self.program.provider_node(config)
        {
            let span = decl.provider_span.unwrap_or(decl.span);
            self.add(to, span, eco_format!("uses the provider {}", decl.provider));
        }
        decl.provider_instance.iter().for_each(|expr| self.expr(node.module, expr));
        self.repetition(node.module, &decl.repetition);
        self.body(node.module, &decl.body.body, &mut Vec::new());
        self.depends_on(node.module, &decl.depends_on);
        self.lifecycle(node.module, &decl.lifecycle);
        for provisioner in &decl.provisioners {
            self.body(node.module, &provisioner.body.body, &mut Vec::new());
            provisioner
                .connection
                .iter()
                .for_each(|block| self.body(node.module, &block.body, &mut Vec::new()));
        }
        decl.connection.iter().for_each(|block| self.body(node.module, &block.body, &mut Vec::new()));
    }

    fn lifecycle(&mut self, module: ModuleId, lifecycle: &Lifecycle) {
        lifecycle.replace_triggered_by.iter().for_each(|expr| self.expr(module, expr));
        for trigger in &lifecycle.action_triggers {
            trigger.condition.iter().for_each(|expr| self.expr(module, expr));
            for action in &trigger.actions {
                self.action(module, action, trigger.is_before());
            }
        }
        self.conditions(module, &lifecycle.preconditions);
        self.conditions(module, &lifecycle.postconditions);
    }

    /// A reference to an action. What is invoked afterwards is no dependency: it may need the resource itself.
    fn action(&mut self, module: ModuleId, action: &Expr, before: bool) {
        for traversal in action.references() {
            if before || traversal.root.as_str() != "action" {
                self.traversal(module, traversal, None);
            }
        }
    }

    /// Everything in the called module.
    fn call_end(&mut self, node: Node) {
        let module = self.program.module(node.module);
        let call = &module.calls[node.index as usize];
        let to = self.program.node_id(node.module, NodeKind::Call, node.index as usize);
        self.add(to, call.span, "is called".into());
        let Some(child) = module.children[node.index as usize] else { return };
        let called = self.program.module(child);
        let all = [
            (NodeKind::Output, called.outputs.len()),
            (NodeKind::Resource, called.resources.len()),
            (NodeKind::CallEnd, called.calls.len()),
        ];
        for (kind, count) in all {
            for index in 0..count {
                let to = self.program.node_id(child, kind, index);
                self.add(to, self.program.span(to), "is in it".into());
            }
        }
    }

    fn repetition(&mut self, module: ModuleId, repetition: &Repetition) {
        for expr in [&repetition.count, &repetition.for_each, &repetition.enabled].into_iter().flatten() {
            self.expr(module, expr);
        }
    }

    fn conditions(&mut self, module: ModuleId, conditions: &[Condition]) {
        for condition in conditions {
            self.expr(module, &condition.condition);
            self.expr(module, &condition.message);
        }
    }

    fn depends_on(&mut self, module: ModuleId, references: &[Expr]) {
        for expr in references {
            let ExprKind::Traversal(traversal) = &expr.kind else { continue };
            match reference::parse(traversal).map(|reference| reference.subject) {
                // All of the module, not only what its outputs need.
                Ok(Subject::Module { name, output: None, .. }) => {
                    if let Some(index) = self.program.module(module).calls.get_index_of(&name.name) {
                        let to = self.program.node_id(module, NodeKind::CallEnd, index);
                        self.add(to, expr.span, eco_format!("{traversal}"));
                    }
                }
                _ => self.traversal(module, traversal, None),
            }
        }
    }

    /// The references in a body, but for those to iterators of `dynamic` blocks.
    fn body<'e>(&mut self, module: ModuleId, body: &'e Body, iterators: &mut Vec<&'e str>) {
        for item in &body.items {
            match item {
                Item::Attribute(attribute) => self.expr_with(module, &attribute.value, iterators),
                Item::Block(block) if block.kind.as_str() == "dynamic" => {
                    self.dynamic(module, block, iterators);
                }
                Item::Block(block) => self.body(module, &block.body, iterators),
                Item::Error(_) => {}
            }
        }
    }

    fn dynamic<'e>(&mut self, module: ModuleId, block: &'e Block, iterators: &mut Vec<&'e str>) {
        if let Some(attribute) = block.body.attribute("for_each") {
            self.expr_with(module, &attribute.value, iterators);
        }
        iterators.push(iterator(block));
        if let Some(attribute) = block.body.attribute("labels") {
            self.expr_with(module, &attribute.value, iterators);
        }
        for content in block.body.blocks_of("content") {
            self.body(module, &content.body, iterators);
        }
        iterators.pop();
    }

    fn expr(&mut self, module: ModuleId, expr: &Expr) {
        self.expr_with(module, expr, &[]);
    }

    fn expr_with(&mut self, module: ModuleId, expr: &Expr, iterators: &[&str]) {
        for (traversal, steps) in expr_references(expr) {
            if !iterators.contains(&traversal.root.as_str()) {
                self.traversal(module, traversal, steps);
            }
        }
    }

    fn traversal(&mut self, module: ModuleId, traversal: &Traversal, steps: Option<&[AccessStep]>) {
        let Ok(reference) = reference::parse(traversal) else { return };
        let program = self.program;
        let declared = program.module(module);
        let what = || eco_format!("{traversal}");
        match reference.subject {
            Subject::Variable(_) | Subject::Local(_) | Subject::Resource { .. } => {
                if let Some(to) = program.named(module, &reference.subject) {
                    self.add(to, traversal.span, what());
                }
            }
            Subject::Module { name, output, .. } => {
                let Some(index) = declared.calls.get_index_of(&name.name) else { return };
                self.add(program.node_id(module, NodeKind::Call, index), traversal.span, what());
                let Some(child) = declared.children[index] else { return };
                let output = output.map(|name| name.name.as_str()).or_else(|| computed_output(steps));
                self.outputs(child, output, traversal);
            }
            Subject::Each(_)
            | Subject::Count(_)
            | Subject::Path(_)
            | Subject::Terraform(_)
            | Subject::SelfObject(_) => {}
        }
    }

    fn outputs(&mut self, child: ModuleId, output: Option<&str>, traversal: &Traversal) {
        let outputs = &self.program.module(child).declarations.outputs;
        let range = match output.map(|name| outputs.get_index_of(name)) {
            Some(Some(index)) => index..index + 1,
            Some(None) => 0..0,
            None => 0..outputs.len(),
        };
        for index in range {
            let to = self.program.node_id(child, NodeKind::Output, index);
            self.add(to, traversal.span, eco_format!("{traversal}"));
        }
    }

    /// References to itself are no order; that they are wrong, where they are, is said by the checks.
    fn add(&mut self, to: NodeId, span: Span, what: EcoString) {
        if to != self.id {
            self.found.push(Dependency { to, span, what });
        }
    }
}

/// The name of the variable that a `dynamic` block has for its elements.
pub(crate) fn iterator(block: &Block) -> &str {
    let written = block.body.attribute("iterator").and_then(|attribute| attribute.value.as_keyword());
    written.or_else(|| block.labels.first().map(|label| label.text.as_str())).unwrap_or_default()
}

/// The output in `module.m[computed].output`.
fn computed_output(steps: Option<&[AccessStep]>) -> Option<&str> {
    match steps? {
        [AccessStep::Index { .. }, AccessStep::Attribute { name, .. }, ..] => Some(name.as_str()),
        _ => None,
    }
}

/// The references of an expression with the computed steps that follow them.
fn expr_references(expr: &Expr) -> Vec<(&Traversal, Option<&[AccessStep]>)> {
    // What follows matters only for module calls; where there is none, the common walk is enough.
    let mut found: Vec<(&Traversal, Option<&[AccessStep]>)> = expr.references().map(|t| (t, None)).collect();
    if found.iter().any(|(traversal, _)| traversal.root.as_str() == "module") {
        let mut pending = vec![expr];
        while let Some(expr) = pending.pop() {
            if let ExprKind::Access(access) = &expr.kind
                && let ExprKind::Traversal(base) = &access.base.kind
            {
                for (traversal, steps) in &mut found {
                    if std::ptr::eq(*traversal, &**base) {
                        *steps = Some(&access.steps);
                    }
                }
            }
            pending.extend(expr.children());
        }
    }
    found
}
