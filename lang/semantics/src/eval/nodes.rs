//! Evaluating nodes: variables, locals, outputs, module calls, and the expansion of resources.

use std::sync::OnceLock;

use ecow::eco_format;
use plumb_model::convert::convert;
use plumb_model::{Diagnostic, Diagnostics, Marks, Span, Type, Value, defaults};
use plumb_syntax::tree::Expr;

use super::names::Scope;
use super::{
    Checked, Evaluator, InstanceRef, ModuleRef, ModuleState, NodeState, Outcome, Phase, ResourceState, Stored,
};
use crate::expr::{Eval, FunctionContext, Rules};
use crate::inputs;
use crate::program::{Node, NodeId, NodeKind, OutputDecl, VariableDecl};
use crate::types::Constraint;
use crate::types::hold::{Place, diagnostics as misfits, hold};
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
                let checked = self.validate_variable(node, count, &mut diagnostics);
                self.checked.extend(checked);
            }
            NodeKind::Local => {
                let values = instances.map(|at| self.local(node, at, &mut diagnostics)).collect();
                self.store(node, values);
            }
            NodeKind::Output => {
                let checked = self.output_preconditions(node, count, &mut diagnostics);
                self.checked.extend(checked);
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
        let marks = marks_of(decl.sensitive, decl.ephemeral);
        let unknown = || Value::unknown(decl.ty.clone()).with_marks(marks);
        let given = match module.parent {
            None if self.options.phase == Phase::Validate => return unknown(),
            None => Given {
                value: self.options.variables.get(&decl.name.name).cloned(),
                written: None,
                place: decl.span,
            },
            Some(_) => match self.passed(decl, at, diagnostics) {
                Some(given) => given,
                None => return unknown(),
            },
        };
        let validating = self.options.phase == Phase::Validate;
        if validating && given.value.is_none() && decl.default.is_none() {
            return unknown();
        }
        match self.prepare(decl, given, at, diagnostics) {
            // What a module does has to be right for every value, not only for those that this caller gives.
            Some(_) if validating => unknown(),
            Some(value) => value.with_marks(marks),
            None => unknown(),
        }
    }

    /// What the caller of a module passes to a variable; none if that is not known or has no value.
    fn passed(&self, decl: &VariableDecl, at: ModuleRef, diagnostics: &mut Diagnostics) -> Option<Given<'_>> {
        let module = self.program.module(at.module);
        let (parent, call) = module.parent?;
        let caller = self.program.module(parent);
        let call_decl = &caller.calls[call as usize];
        let (parent_index, child) = self.modules[at.module.0 as usize].origins[at.index as usize];
        let call_node = self.program.node_id(parent, NodeKind::Call, call as usize);
        let NodeState::Call(calls) = &self.nodes[call_node.0 as usize] else { return None };
        let scope = Scope {
            each: calls[parent_index as usize].0.each(child as usize),
            ..Scope::module(self, ModuleRef { module: parent, index: parent_index })
        };
        let name = &decl.name.name;
        if let Some(written) = call_decl.given(name) {
            let value = self.eval_or_unknown(&scope, written, diagnostics)?;
            return Some(Given { value: Some(value), written: Some(written), place: written.span });
        }
        let Some(all) = call_decl.passed_object() else {
            return Some(Given { value: None, written: None, place: call_decl.span });
        };
        let value = self.eval_or_unknown(&scope, all, diagnostics)?;
        self.check_passed_object(decl, at, all, &value, diagnostics)?;
        let part = value.get(name).map(|part| part.clone().with_marks(value.marks()));
        Some(Given { value: part, written: None, place: all.span })
    }

    /// Reports what is spread as the inputs of a module and is no object, or has entries that are no variables; once,
    /// for the first variable that takes part. None if there is nothing in it that could be taken.
    fn check_passed_object(
        &self,
        decl: &VariableDecl,
        at: ModuleRef,
        written: &Expr,
        value: &Value,
        diagnostics: &mut Diagnostics,
    ) -> Option<()> {
        let module = self.program.module(at.module);
        let (parent, call) = module.parent?;
        let call = &self.program.module(parent).calls[call as usize];
        let first = module.variables.keys().find(|name| !call.arguments.contains_key(*name));
        let first = first == Some(&decl.name.name);
        let inner = value.unmarked();
        if !inner.is_known() {
            return None;
        }
        let Some(entries) = inner.as_entries() else {
            if first {
                let found = if inner.is_null() { "null".into() } else { inner.ty().friendly_name() };
                diagnostics.push(
                    Diagnostic::error("invalid-spread", "Invalid spread")
                        .detail(eco_format!(
                            "Only an object or map can be spread into the inputs of a module, not {found}."
                        ))
                        .at(written.span)
                        .maybe_help(
                            inner.is_null().then_some("Give an empty one for null: `...(value ?? {})`."),
                        ),
                );
            }
            return None;
        };
        if first {
            for name in entries.keys().filter(|name| !module.variables.contains_key(*name)) {
                let names = module.variables.keys().map(ecow::EcoString::as_str);
                diagnostics.push(
                    Diagnostic::error("unsupported-argument", "Unsupported argument")
                        .detail(eco_format!(
                            "What is spread here has an entry `{name}`, but the module `{}` has no input variable of that name.",
                            call.name
                        ))
                        .at(written.span)
                        .maybe_help(plumb_model::diagnostic::did_you_mean(name, names)),
                );
            }
        }
        Some(())
    }

    /// Default, stand-ins, conversion, null: what is given becomes a value of the variable's type. None if it cannot;
    /// why is reported.
    fn prepare(
        &self,
        decl: &VariableDecl,
        given: Given<'_>,
        at: ModuleRef,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value> {
        let module = self.program.module(at.module);
        let place = given.place;
        let mut report = |diagnostic: Diagnostic| {
            let diagnostic = if diagnostic.labels.is_empty() { diagnostic.at(place) } else { diagnostic };
            diagnostics.push(match place == decl.span {
                true => diagnostic,
                false => diagnostic.label(decl.span, "declared here"),
            });
        };
        let value = given.value.filter(|value| decl.nullable || !value.is_null() || decl.default.is_none());
        let (value, written) = match (value, &decl.default) {
            (Some(value), _) => (value, given.written),
            (None, Some(default)) => match self.eval_scoped(&Scope::module(self, at), default) {
                Ok(value) => (value, Some(default)),
                Err(found) => {
                    diagnostics.extend(found);
                    return None;
                }
            },
            (None, None) => {
                report(missing_variable(decl, module.parent.is_none()));
                return None;
            }
        };
        let from = written.map_or(Place::At(place), Place::Written);
        match decl.typed(value, from) {
            Ok(value) => Some(value),
            Err(found) => {
                found.into_iter().for_each(report);
                None
            }
        }
    }

    fn validate_variable(&self, node: NodeId, instances: u32, diagnostics: &mut Diagnostics) -> Vec<Checked> {
        let Node { module, index, .. } = self.program.node(node);
        let decl = &self.program.module(module).variables[index as usize];
        let mut checked = Vec::new();
        if decl.validations.is_empty() {
            return checked;
        }
        for instance in 0..instances {
            let at = ModuleRef { module, index: instance };
            let outcomes = self.conditions(at, &decl.validations, None);
            for (outcome, condition) in outcomes.iter().zip(&decl.validations) {
                match outcome {
                    Outcome::Fail(message) => {
                        let shown = self.value(node, instance).map(crate::expr::describe).unwrap_or_default();
                        let mut diagnostic =
                            Diagnostic::error("invalid-variable-value", "Invalid value for variable")
                                .detail(message.clone())
                                .label(decl.span, "")
                                .label(condition.condition.span, "this does not hold");
                        if !shown.is_empty() {
                            diagnostic = diagnostic.note(eco_format!("`var.{}` is {shown}.", decl.name));
                        }
                        diagnostics.push(diagnostic);
                    }
                    Outcome::Error(found) => diagnostics.extend(found.clone()),
                    Outcome::Pass | Outcome::Unknown => {}
                }
            }
            checked.push(Checked { node, module: instance, outcomes });
        }
        checked
    }

    fn output_preconditions(
        &self,
        node: NodeId,
        instances: u32,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Checked> {
        let Node { module, index, .. } = self.program.node(node);
        let decl = &self.program.module(module).outputs[index as usize];
        let mut checked = Vec::new();
        if decl.preconditions.is_empty() {
            return checked;
        }
        for instance in 0..instances {
            let at = ModuleRef { module, index: instance };
            let outcomes = self.conditions(at, &decl.preconditions, None);
            for (outcome, condition) in outcomes.iter().zip(&decl.preconditions) {
                match outcome {
                    Outcome::Fail(message) => diagnostics.push(
                        Diagnostic::error("precondition-failed", "Module output value precondition failed")
                            .detail(message.clone())
                            .label(condition.condition.span, "this does not hold"),
                    ),
                    Outcome::Error(found) => diagnostics.extend(found.clone()),
                    Outcome::Pass | Outcome::Unknown => {}
                }
            }
            checked.push(Checked { node, module: instance, outcomes });
        }
        checked
    }

    fn output_value(&self, node: NodeId, at: ModuleRef, diagnostics: &mut Diagnostics) -> Value {
        let decl = &self.program.module(at.module).outputs[self.program.node(node).index as usize];
        let Some(value) = self.eval_or_unknown(&Scope::module(self, at), &decl.value, diagnostics) else {
            return Value::unknown(Type::Dynamic);
        };
        let native = self.program.module(at.module).dialect == plumb_syntax::Dialect::Native;
        let value = match &decl.ty {
            None => value,
            Some(wanted) if native => match hold(&value, &wanted.shape) {
                Ok(value) => value,
                Err(found) => {
                    for diagnostic in misfits(found, &decl.name.name, Place::Written(&decl.value)) {
                        diagnostics.push(diagnostic.label(wanted.shape.span, "the type of the output"));
                    }
                    return Value::unknown(wanted.ty.without_optional());
                }
            },
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
        // What is kept of the root module is sensitive as a whole or not at all.
        let secret = root && decl.ty.as_ref().is_some_and(|wanted| wanted.shape.has_secret());
        if root && marks.contains(Marks::SENSITIVE) && !decl.sensitive && !secret {
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
        value.with_marks(marks_of(decl.sensitive || secret, decl.ephemeral && !root))
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

/// What is given to a variable.
struct Given<'a> {
    /// The value, before conversion.
    value: Option<Value>,
    /// The expression that it is the value of.
    written: Option<&'a Expr>,
    /// The place where it is given, or where it could have been.
    place: Span,
}

fn missing_variable(decl: &VariableDecl, root: bool) -> Diagnostic {
    if root {
        return inputs::without_value(decl);
    }
    inputs::no_value(decl).help(eco_format!("Add `{} = …` to the call of the module.", decl.name))
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
