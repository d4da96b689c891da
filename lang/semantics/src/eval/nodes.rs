//! Evaluating nodes: variables, locals, outputs, module calls, and the expansion of resources.

use std::sync::OnceLock;

use ecow::eco_format;
use plumb_model::convert::convert;
use plumb_model::{Diagnostic, Diagnostics, Marks, Type, Value, defaults};
use plumb_syntax::tree::Expr;

use super::names::Scope;
use super::{
    Evaluator, InstanceRef, ModuleRef, ModuleState, NodeState, Outcome, Phase, ResourceState, Stored,
};
use crate::expr::{Eval, FunctionContext, Rules};
use crate::program::{Node, NodeId, NodeKind, OutputDecl, VariableDecl};
use crate::types::Constraint;
use crate::world::World;

impl Evaluator {
    /// Evaluates a node, all of whose dependencies have been evaluated, in every instance of its module: a variable,
    /// local, output, or module call (its instances). For other nodes nothing happens: resources are expanded with
    /// [`Evaluator::expand_resource`], provider configurations asked for with [`Evaluator::provider_config`], checks
    /// with [`Evaluator::conditions`].
    ///
    /// What fails is unknown afterwards, and the errors are in the result.
    pub fn evaluate(&mut self, node: NodeId) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let Node { module, kind, .. } = self.program.node(node);
        let count = self.modules[module.0 as usize].instances.len() as u32;
        let instances = (0..count).map(|index| ModuleRef { module, index });
        match kind {
            NodeKind::Variable => {
                let values = instances.map(|at| self.variable(node, at, &mut diagnostics)).collect();
                self.store(node, values);
                self.validate_variable(node, count, &mut diagnostics);
            }
            NodeKind::Local => {
                let values = instances.map(|at| self.local(node, at, &mut diagnostics)).collect();
                self.store(node, values);
            }
            NodeKind::Output => {
                let values = instances.map(|at| self.output_value(node, at, &mut diagnostics)).collect();
                self.store(node, values);
            }
            NodeKind::Call => self.call(node, count, &mut diagnostics),
            NodeKind::Resource | NodeKind::Provider | NodeKind::Check | NodeKind::CallEnd => {}
        }
        diagnostics
    }

    fn store(&mut self, node: NodeId, values: Vec<Value>) {
        let stored = values.into_iter().map(|value| Stored { known: value.is_wholly_known(), value });
        self.nodes[node.0 as usize] = NodeState::Values(stored.collect());
    }

    /// What functions need to know that are called in a module.
    pub(super) fn functions(&self, module: crate::ModuleId) -> FunctionContext<'_> {
        let declared = &*self.program.module(module).declarations;
        FunctionContext {
            world: &*self.options.world as &dyn World,
            phase: self.options.phase,
            plan_time: self.options.plan_time,
            provider_functions: self.options.provider_functions.as_deref(),
            template_depth: 0,
            strict: self.options.exactly_terraform_1_11,
            dialect: declared.dialect,
            declared: Some(declared),
        }
    }

    /// The value of an expression in a scope.
    pub(super) fn eval_scoped(&self, scope: &Scope<'_>, expr: &Expr) -> Result<Value, Diagnostics> {
        let dialect = self.program.module(scope.module.module).dialect;
        Eval::new(scope, &self.functions(scope.module.module), self.rules(dialect)).finish(expr)
    }

    pub(super) fn rules(&self, dialect: plumb_syntax::Dialect) -> Rules {
        Rules::exactly(dialect, self.options.exactly_terraform_1_11)
    }

    fn eval_or_unknown(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value> {
        match self.eval_scoped(scope, expr) {
            Ok(value) => Some(value),
            Err(found) => {
                diagnostics.extend(found);
                None
            }
        }
    }

    fn local(&self, node: NodeId, at: ModuleRef, diagnostics: &mut Diagnostics) -> Value {
        let program = &self.program;
        let decl = &program.module(at.module).locals[program.node(node).index as usize];
        let value = self.eval_or_unknown(&Scope::module(self, at), &decl.value, diagnostics);
        value.unwrap_or_else(|| Value::unknown(Type::Dynamic))
    }

    fn variable(&self, node: NodeId, at: ModuleRef, diagnostics: &mut Diagnostics) -> Value {
        let module = self.program.module(at.module);
        let decl = &module.variables[self.program.node(node).index as usize];
        let unknown = || Value::unknown(decl.ty.clone()).with_marks(marks_of(decl.sensitive, decl.ephemeral));
        let (given, place) = match module.parent {
            None if self.options.phase == Phase::Validate => return unknown(),
            None => (self.options.variables.get(&decl.name.name).cloned(), decl.span),
            Some((parent, call)) => {
                let call_decl = &self.program.module(parent).calls[call as usize];
                let (parent_index, child) = self.modules[at.module.0 as usize].origins[at.index as usize];
                let call_node = self.program.node_id(parent, NodeKind::Call, call as usize);
                let NodeState::Call(calls) = &self.nodes[call_node.0 as usize] else { return unknown() };
                let scope = Scope {
                    each: calls[parent_index as usize].0.each(child as usize),
                    ..Scope::module(self, ModuleRef { module: parent, index: parent_index })
                };
                match (call_decl.arguments.get(&decl.name.name), &call_decl.pass_through) {
                    (Some(argument), _) => match self.eval_or_unknown(&scope, &argument.value, diagnostics) {
                        Some(value) => (Some(value), argument.value.span),
                        None => return unknown(),
                    },
                    (None, Some(all)) => match self.eval_or_unknown(&scope, all, diagnostics) {
                        Some(value) if !value.is_known() => return unknown(),
                        Some(value) => (value.get(&decl.name.name).cloned(), all.span),
                        None => return unknown(),
                    },
                    (None, None) => (None, call_decl.span),
                }
            }
        };
        match self.prepare(decl, given, at, diagnostics) {
            Ok(value) => value.with_marks(marks_of(decl.sensitive, decl.ephemeral)),
            Err(problem) => {
                diagnostics.extend(problem.map(|problem| match place == decl.span {
                    true => problem.at(place),
                    false => problem.at(place).label(decl.span, "declared here"),
                }));
                unknown()
            }
        }
    }

    /// Default, stand-ins, conversion, null: what is given becomes a value of the variable's type.
    fn prepare(
        &self,
        decl: &VariableDecl,
        given: Option<Value>,
        at: ModuleRef,
        diagnostics: &mut Diagnostics,
    ) -> Result<Value, Option<Box<Diagnostic>>> {
        let given = given.filter(|value| decl.nullable || !value.is_null() || decl.default.is_none());
        let value = match (given, &decl.default) {
            (Some(value), _) => value,
            (None, Some(default)) => {
                let scope = Scope::module(self, at);
                self.eval_or_unknown(&scope, default, diagnostics).ok_or(None)?
            }
            (None, None) => {
                return Err(Some(
                    Diagnostic::error("missing-variable", "No value for required variable")
                        .detail(eco_format!(
                            "The variable `{}` has no default and no value was given.",
                            decl.name
                        ))
                        .help(eco_format!(
                            "Give it with `-var {}=…`, in a `.tfvars` file, or as `TF_VAR_{}`.",
                            decl.name,
                            decl.name
                        ))
                        .into(),
                ));
            }
        };
        decl.typed(value).map_err(|problem| Some(problem.into()))
    }

    fn validate_variable(&self, node: NodeId, instances: u32, diagnostics: &mut Diagnostics) {
        let Node { module, index, .. } = self.program.node(node);
        let decl = &self.program.module(module).variables[index as usize];
        for instance in 0..instances {
            if decl.validations.is_empty() {
                return;
            }
            let at = ModuleRef { module, index: instance };
            for (outcome, condition) in
                self.conditions(at, &decl.validations, None).into_iter().zip(&decl.validations)
            {
                match outcome {
                    Outcome::Fail(message) => {
                        let shown = self.value(node, instance).map(crate::expr::describe).unwrap_or_default();
                        let mut diagnostic =
                            Diagnostic::error("invalid-variable-value", "Invalid value for variable")
                                .detail(message)
                                .label(decl.span, "")
                                .label(condition.condition.span, "this does not hold");
                        if !shown.is_empty() {
                            diagnostic = diagnostic.note(eco_format!("`var.{}` is {shown}.", decl.name));
                        }
                        diagnostics.push(diagnostic);
                    }
                    Outcome::Error(found) => diagnostics.extend(found),
                    Outcome::Pass | Outcome::Unknown => {}
                }
            }
        }
    }

    fn output_value(&self, node: NodeId, at: ModuleRef, diagnostics: &mut Diagnostics) -> Value {
        let decl = &self.program.module(at.module).outputs[self.program.node(node).index as usize];
        for (outcome, condition) in
            self.conditions(at, &decl.preconditions, None).into_iter().zip(&decl.preconditions)
        {
            match outcome {
                Outcome::Fail(message) => diagnostics.push(
                    Diagnostic::error("precondition-failed", "Module output value precondition failed")
                        .detail(message)
                        .label(condition.condition.span, "this does not hold"),
                ),
                Outcome::Error(found) => diagnostics.extend(found),
                Outcome::Pass | Outcome::Unknown => {}
            }
        }
        let Some(value) = self.eval_or_unknown(&Scope::module(self, at), &decl.value, diagnostics) else {
            return Value::unknown(Type::Dynamic);
        };
        let value = match &decl.ty {
            None => value,
            Some(Constraint { ty, defaults: stand_ins, .. }) => {
                let value = stand_ins.as_ref().map_or_else(|| value.clone(), |s| defaults::apply(&value, s));
                match convert(&value, ty) {
                    Ok(value) => value,
                    Err(error) => {
                        diagnostics.push(
                            Diagnostic::error("invalid-output-value", "Invalid value for output")
                                .detail(eco_format!(
                                    "The value of `{}` is not of its type {ty}: {error}.",
                                    decl.name
                                ))
                                .at(decl.value.span),
                        );
                        return Value::unknown(ty.clone());
                    }
                }
            }
        };
        self.marked_output(decl, value, at.module == crate::ModuleId::ROOT, diagnostics)
    }

    /// Reports marks that an output may not have, and adds those that it says.
    fn marked_output(
        &self,
        decl: &OutputDecl,
        value: Value,
        root: bool,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let marks = value.unmark_deep().1;
        if root && marks.contains(Marks::SENSITIVE) && !decl.sensitive {
            diagnostics.push(
                Diagnostic::error("sensitive-output", "Output refers to sensitive values")
                    .detail(eco_format!("The value of the output `{}` has sensitive parts, but the output is not marked so.", decl.name))
                    .label(decl.span, "")
                    .label(decl.value.span, "this is sensitive")
                    .help("Add `sensitive = true`; the value is then not shown. Or take the mark off with `nonsensitive(…)`."),
            );
        }
        if marks.contains(Marks::EPHEMERAL) && (root || !decl.ephemeral) {
            diagnostics.push(
                Diagnostic::error("ephemeral-output", "Ephemeral value not allowed")
                    .detail(eco_format!(
                        "The value of the output `{}` is ephemeral, but outputs are kept.",
                        decl.name
                    ))
                    .at(decl.value.span)
                    .maybe_help((!root).then_some("Add `ephemeral = true` to the output.")),
            );
        }
        value.with_marks(marks_of(decl.sensitive, decl.ephemeral && !root))
    }

    fn call(&mut self, node: NodeId, count: u32, diagnostics: &mut Diagnostics) {
        let Node { module, index, .. } = self.program.node(node);
        let program = self.program.clone();
        let decl = &program.module(module).calls[index as usize];
        let child = program.module(module).children[index as usize];
        let mut expansions = Vec::with_capacity(count as usize);
        let mut state = ModuleState::default();
        for instance in 0..count {
            let at = ModuleRef { module, index: instance };
            let expansion = match self.expansion(at, &decl.repetition) {
                Ok(expansion) => expansion,
                Err(found) => {
                    diagnostics.extend(found);
                    super::expand::Expansion::of(super::expand::Shape::Unknown)
                }
            };
            let failed =
                expansion.shape == super::expand::Shape::Unknown && self.options.phase != Phase::Validate;
            let first = state.instances.len() as u32;
            let parent = &self.modules[module.0 as usize].instances[instance as usize];
            if !failed {
                for index in expansion.range() {
                    state.instances.push(parent.child(decl.name.name.clone(), expansion.key(index)));
                    state.origins.push((instance, index as u32));
                }
            }
            expansions.push((expansion, first));
        }
        self.nodes[node.0 as usize] = NodeState::Call(expansions);
        if let Some(child) = child {
            self.modules[child.0 as usize] = state;
        }
    }

    /// The instances of a resource in every instance of its module, by `count`, `for_each` and `enabled`. In
    /// [`Phase::Validate`] one stands for instances that are not known.
    ///
    /// # Errors
    /// What the repetition argument must be and is not.
    pub fn expand_resource(&mut self, node: NodeId) -> Result<Vec<InstanceRef>, Diagnostics> {
        let Node { module, index, .. } = self.program.node(node);
        let program = self.program.clone();
        let Some(decl) = program.resource(node) else { return Ok(Vec::new()) };
        debug_assert!((index as usize) < program.module(module).resources.len());
        let count = self.modules[module.0 as usize].instances.len() as u32;
        let mut diagnostics = Diagnostics::new();
        let mut states = Vec::with_capacity(count as usize);
        for instance in 0..count {
            match self.expansion(ModuleRef { module, index: instance }, &decl.repetition) {
                Ok(expansion) => states.push(ResourceState {
                    objects: vec![None; expansion.len()],
                    expansion,
                    whole: OnceLock::new(),
                }),
                Err(found) => diagnostics.extend(found),
            }
        }
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        if let NodeState::Resource { states: stored, .. } = &mut self.nodes[node.0 as usize] {
            *stored = states;
        }
        Ok(self.instances(node))
    }

    /// An output of a module instance.
    pub(super) fn output(&self, at: ModuleRef, index: usize) -> Value {
        let node = self.program.node_id(at.module, NodeKind::Output, index);
        self.value(node, at.index).cloned().unwrap_or_else(|| Value::unknown(Type::Dynamic))
    }

    /// All outputs of a module instance as an object.
    pub(super) fn outputs_of(&self, at: ModuleRef) -> Value {
        let names = self.program.module(at.module).outputs.keys().enumerate();
        Value::object(names.map(|(index, name)| (name.clone(), self.output(at, index))).collect::<Vec<_>>())
    }
}

fn marks_of(sensitive: bool, ephemeral: bool) -> Marks {
    let mut marks = Marks::NONE;
    if sensitive {
        marks |= Marks::SENSITIVE;
    }
    if ephemeral {
        marks |= Marks::EPHEMERAL;
    }
    marks
}
