//! A trial: everything is evaluated once while nothing is known but the files.
//!
//! Variables and what providers choose are unknown values of their types, and one instance stands for all of a block.
//! What fails then fails whatever the values are; that is what `terraform validate` finds, and so it is an error in
//! both languages. A trial asks no provider anything.
//!
//! Elsewhere: what can be said of types and phases without evaluating is [`crate::check`].

use plumb_model::address::Key;
use plumb_model::{Block as Schema, Diagnostics, Type, Value};
use plumb_syntax::tree::{Block, Body, Expr, Item};

use super::names::{Each, Scope};
use super::{Evaluator, InstanceRef, ModuleRef, Outcome, Phase};
use crate::expr::Eval;
use crate::graph::iterator;
use crate::program::{Condition, Node, NodeId, NodeKind, ResourceDecl};

impl Evaluator {
    /// Evaluates a node, all of whose dependencies have been tried, and says what is wrong in it. The evaluator must be
    /// one for [`Phase::Validate`].
    pub fn try_out(&mut self, id: NodeId) -> Diagnostics {
        debug_assert!(self.options.phase == Phase::Validate, "a trial knows nothing but the files");
        let Node { module, kind, index } = self.program.node(id);
        if self.modules[module.0 as usize].instances.is_empty() {
            return Diagnostics::new();
        }
        let program = self.program.clone();
        let at = ModuleRef { module, index: 0 };
        let mut found = Diagnostics::new();
        match kind {
            NodeKind::Variable | NodeKind::Local | NodeKind::Output | NodeKind::Call => {
                found = self.evaluate(id);
            }
            NodeKind::Resource => self.try_resource(id, &mut found),
            NodeKind::Provider => {
                let decl = &program.module(module).providers[index as usize];
                if let Err(errors) = self.expand_provider(id) {
                    found.extend(errors);
                }
                let scope = self.scope(at, decl.for_each.is_some(), None);
                if let Some(block) = &decl.body {
                    match self.options.schemas.provider(&decl.config.source) {
                        Some(schema) => found.extend(self.provider_config(id, &Key::None, &schema.block).1),
                        None => self.try_body(&scope, &block.body, &mut found),
                    }
                }
            }
            NodeKind::Check => {
                let decl = &program.module(module).checks[index as usize];
                self.try_conditions(&self.scope(at, false, None), &decl.asserts, &mut found);
            }
            NodeKind::CallEnd => {}
        }
        found
    }

    fn scope<'a>(&'a self, module: ModuleRef, repeated: bool, self_value: Option<&'a Value>) -> Scope<'a> {
        let each = if repeated { Each::Unknown } else { Each::None };
        Scope { evaluator: self, module, each, self_value }
    }

    fn try_resource(&mut self, id: NodeId, found: &mut Diagnostics) {
        let program = self.program.clone();
        let Some(decl) = program.resource(id) else { return };
        let module = ModuleRef { module: program.node(id).module, index: 0 };
        let instances = match self.expand_resource(id) {
            Ok(instances) => instances,
            Err(errors) => {
                found.extend(errors);
                Vec::new()
            }
        };
        let object = self.schema(id).map_or_else(
            || Value::unknown(Type::Dynamic),
            |schema| Value::unknown_not_null(schema.block.implied_type()),
        );
        if let Some(Err(errors)) = instances.first().map(|instance| self.provider_of(*instance)) {
            found.extend(errors);
        }
        match (self.schema(id).cloned(), instances.first()) {
            (Some(schema), Some(instance)) => self.try_config(*instance, &schema.block, found),
            _ => {
                let repeated = decl.repetition.expr().is_some();
                self.try_body(&self.scope(module, repeated, None), &decl.body.body, found);
            }
        }
        self.try_lifecycle(module, decl, &object, found);
    }

    fn try_config(&self, instance: InstanceRef, schema: &Schema, found: &mut Diagnostics) {
        found.extend(self.config(instance, schema).1);
    }

    /// Conditions, provisioners and connections.
    fn try_lifecycle(&self, module: ModuleRef, decl: &ResourceDecl, object: &Value, found: &mut Diagnostics) {
        let repeated = decl.repetition.expr().is_some();
        self.try_conditions(&self.scope(module, repeated, None), &decl.lifecycle.preconditions, found);
        let scope = self.scope(module, repeated, Some(object));
        self.try_conditions(&scope, &decl.lifecycle.postconditions, found);
        for condition in decl.lifecycle.action_triggers.iter().filter_map(|t| t.condition.as_ref()) {
            self.try_expr(&scope, condition, found);
        }
        let blocks = decl
            .provisioners
            .iter()
            .flat_map(|provisioner| std::iter::once(&provisioner.body).chain(&provisioner.connection))
            .chain(&decl.connection);
        for block in blocks {
            self.try_body(&scope, &block.body, found);
        }
    }

    fn try_conditions(&self, scope: &Scope<'_>, conditions: &[Condition], found: &mut Diagnostics) {
        for condition in conditions {
            if let Outcome::Error(errors) = self.condition(scope, condition) {
                found.extend(errors);
            }
            self.try_expr(scope, &condition.message, found);
        }
    }

    fn try_expr(&self, scope: &Scope<'_>, expr: &Expr, found: &mut Diagnostics) {
        if let Err(errors) = self.eval_scoped(scope, expr) {
            found.extend(errors);
        }
    }

    /// The expressions of a block whose schema is not known.
    fn try_body(&self, scope: &Scope<'_>, body: &Body, found: &mut Diagnostics) {
        let dialect = self.program.module(scope.module.module).dialect;
        let functions = self.functions(scope.module.module);
        let mut eval = Eval::new(scope, &functions, self.rules(dialect));
        try_items(&mut eval, body);
        found.extend(eval.diagnostics);
    }
}

fn try_items(eval: &mut Eval<'_>, body: &Body) {
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => {
                // What is wrong is among the diagnostics.
                let _ = eval.eval(&attribute.value);
            }
            Item::Block(block) if block.kind.as_str() == "dynamic" => try_dynamic(eval, block),
            Item::Block(block) => try_items(eval, &block.body),
            Item::Error(_) => {}
        }
    }
}

/// With elements that are not known, as in `for`.
fn try_dynamic(eval: &mut Eval<'_>, block: &Block) {
    if let Some(attribute) = block.body.attribute("for_each") {
        let _ = eval.eval(&attribute.value);
    }
    eval.bind(iterator(block), Value::unknown(Type::Dynamic));
    for content in block.body.blocks_of("content") {
        try_items(eval, &content.body);
    }
    eval.unbind();
}
