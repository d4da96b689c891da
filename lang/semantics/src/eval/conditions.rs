//! Conditions, single expressions, imports and triggers: what the engine asks besides configurations.

use ecow::{EcoString, eco_format};
use plumb_model::address::{Instance, Key, ModuleInstance};
use plumb_model::convert::convert;
use plumb_model::{Diagnostic, Diagnostics, Marks, Path, Span, Step, Type, Value};
use plumb_syntax::tree::{AccessStep, Expr, ExprKind, Traversal, TraversalStep};

use super::expand::Shape;
use super::names::{Each, Scope};
use super::{At, Evaluator, InstanceRef, ModuleRef, NodeState, Phase};
use crate::graph::ResourceName;
use crate::program::{Condition, ImportDecl, ModuleId, NodeKind};
use crate::reference::{self, Subject};

/// What came of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold; the author's message.
    Fail(EcoString),
    /// It cannot be said yet.
    Unknown,
    /// It could not be evaluated.
    Error(Diagnostics),
}

/// An `import` block, evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportRequest {
    /// The instance to import to.
    pub to: Instance,
    /// The text that names the object; perhaps unknown.
    pub id: Option<Value>,
    /// The identity of the object; perhaps with unknown parts.
    pub identity: Option<Value>,
    /// The place of the block.
    pub span: Span,
}

impl Evaluator {
    /// The value of an expression, where `self` has a value if one is given.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn eval_in(
        &self,
        at: impl Into<At>,
        expr: &Expr,
        self_value: Option<&Value>,
    ) -> Result<Value, Diagnostics> {
        self.eval_scoped(&Scope::at(self, at.into(), self_value), expr)
    }

    /// What comes of conditions, in order.
    pub fn conditions(
        &self,
        at: impl Into<At>,
        conditions: &[Condition],
        self_value: Option<&Value>,
    ) -> Vec<Outcome> {
        if conditions.is_empty() {
            return Vec::new();
        }
        let scope = Scope::at(self, at.into(), self_value);
        conditions.iter().map(|condition| self.condition(&scope, condition)).collect()
    }

    pub(super) fn condition(&self, scope: &Scope<'_>, condition: &Condition) -> Outcome {
        let value = match self.eval_scoped(scope, &condition.condition) {
            Ok(value) => value,
            Err(found) => return Outcome::Error(found),
        };
        if value.is_null() {
            return Outcome::Error(
                Diagnostic::error("null-condition", "Invalid condition result")
                    .detail("The condition is null; it must be true or false.")
                    .at(condition.condition.span)
                    .into(),
            );
        }
        match convert(value.unmarked(), &Type::Bool) {
            Ok(Value::Bool(true)) => Outcome::Pass,
            Ok(Value::Bool(false)) => self.message(scope, condition),
            Ok(_) => Outcome::Unknown,
            Err(error) => Outcome::Error(
                Diagnostic::error("condition-not-bool", "Invalid condition result")
                    .detail(eco_format!("The condition must be true or false: {error}."))
                    .at(condition.condition.span)
                    .into(),
            ),
        }
    }

    fn message(&self, scope: &Scope<'_>, condition: &Condition) -> Outcome {
        let value = match self.eval_scoped(scope, &condition.message) {
            Ok(value) => value,
            Err(found) => return Outcome::Error(found),
        };
        let (value, marks) = value.unmark_deep();
        if marks.contains(Marks::SENSITIVE) {
            return Outcome::Fail(
                "The condition does not hold. Its message has sensitive parts, so it is not shown.".into(),
            );
        }
        if marks.contains(Marks::EPHEMERAL) {
            return Outcome::Fail(
                "The condition does not hold. Its message has ephemeral parts, so it is not shown.".into(),
            );
        }
        match convert(&value, &Type::String) {
            Ok(Value::String(text)) => Outcome::Fail(text),
            Ok(_) => Outcome::Fail("The condition does not hold. Its message is not known yet.".into()),
            Err(error) => Outcome::Error(
                Diagnostic::error("invalid-message", "Invalid error message")
                    .detail(eco_format!("`error_message` must be a text: {error}."))
                    .at(condition.message.span)
                    .into(),
            ),
        }
    }

    /// Which references make an expression unknown: what is written, and where.
    pub fn why_unknown(&self, at: impl Into<At>, expr: &Expr) -> Vec<(EcoString, Span)> {
        let scope = Scope::at(self, at.into(), None);
        let mut found: Vec<(EcoString, Span)> = Vec::new();
        for traversal in expr.references() {
            let alone =
                Expr::new(ExprKind::Traversal(std::sync::Arc::new(traversal.clone())), traversal.span);
            let unknown = self.eval_scoped(&scope, &alone).is_ok_and(|value| !value.is_wholly_known());
            let text = eco_format!("{traversal}");
            if unknown && !found.iter().any(|(written, _)| *written == text) {
                found.push((text, traversal.span));
            }
        }
        found
    }

    /// The instances and attributes that an expression in `replace_triggered_by` names: instances with the path of the
    /// attribute, empty for the whole object.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn replace_triggers(
        &self,
        instance: InstanceRef,
        expr: &Expr,
    ) -> Result<Vec<(InstanceRef, Path)>, Diagnostics> {
        let scope = Scope::at(self, At::Instance(instance), None);
        let (traversal, steps): (&Traversal, &[AccessStep]) = match &expr.kind {
            ExprKind::Traversal(traversal) => (traversal, &[]),
            ExprKind::Access(access) => match &access.base.kind {
                ExprKind::Traversal(traversal) => (traversal, &access.steps),
                _ => return Ok(Vec::new()),
            },
            _ => return Ok(Vec::new()),
        };
        let reference = reference::parse(traversal).map_err(|diagnostic| *diagnostic)?;
        let Subject::Resource { mode, kind, name, key } = reference.subject else {
            return Err(Diagnostic::error(
                "invalid-replace-trigger",
                "Invalid replace_triggered_by expression",
            )
            .detail("Only resources can trigger a replacement.")
            .at(expr.span)
            .help("To replace by another value, keep it in a `terraform_data` and name that.")
            .into());
        };
        let declared = self.program.module(scope.module.module);
        let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
        let Some(index) = declared.resources.get_index_of(&resource) else {
            return Err(super::names::undeclared_resource(mode, kind, name, declared).into());
        };
        let node = self.program.node_id(scope.module.module, NodeKind::Resource, index);
        let NodeState::Resource { states, .. } = &self.nodes[node.0 as usize] else { return Ok(Vec::new()) };
        let Some(state) = states.get(scope.module.index as usize) else { return Ok(Vec::new()) };
        let mut path: Vec<Step> = traversal.steps[reference.steps..].iter().map(literal_step).collect();
        let mut chosen = match key {
            Some(step) => reference::literal_key(step).map(|key| state.expansion.find(&key)),
            None => None,
        };
        let mut steps = steps.iter().peekable();
        if let (None, true, Some(AccessStep::Index { key, .. })) = (&chosen, path.is_empty(), steps.peek()) {
            let value = self.eval_scoped(&scope, key)?;
            chosen = Some(state.expansion.find_value(&value));
            steps.next();
        }
        for step in steps {
            match step {
                AccessStep::Attribute { name, .. } => path.push(Step::Attribute(name.name.clone())),
                AccessStep::Index { key, .. } => {
                    let value = self.eval_scoped(&scope, key)?;
                    path.push(match value.unmarked() {
                        Value::Number(number) => Step::from(number.clone()),
                        Value::String(text) => Step::Key(text.clone()),
                        _ => Step::Any,
                    });
                }
                AccessStep::Splat { .. } => break,
            }
        }
        let indices: Vec<usize> = match chosen {
            Some(Some(index)) => vec![index],
            Some(None) => Vec::new(),
            None => state.expansion.range().collect(),
        };
        let to = |index: usize| InstanceRef { node, module: scope.module.index, index: index as u32 };
        Ok(indices.into_iter().map(|index| (to(index), Path(path.clone()))).collect())
    }

    /// The instances of actions that an expression in `actions` of a trigger names.
    ///
    /// # Errors
    /// What is wrong with it, also that there is no instance of the key.
    pub fn triggered_actions(
        &self,
        instance: InstanceRef,
        expr: &Expr,
    ) -> Result<Vec<InstanceRef>, Diagnostics> {
        let actions = self.replace_triggers(instance, expr)?;
        let has_key = match &expr.kind {
            ExprKind::Traversal(traversal) => traversal.steps.len() > 2,
            _ => true,
        };
        if actions.is_empty() && has_key {
            return Err(Diagnostic::error("unknown-action-instance", "Unknown instance of an action")
                .detail("The action has no instance of that key.")
                .at(expr.span)
                .help("Make `count` or `for_each` of the action fit the keys that the trigger uses.")
                .into());
        }
        Ok(actions.into_iter().map(|(action, _)| action).collect())
    }

    /// The imports that a module asks for.
    ///
    /// # Errors
    /// What is wrong with the blocks.
    pub fn imports(&self, module: ModuleId) -> Result<Vec<ImportRequest>, Diagnostics> {
        let mut requests = Vec::new();
        let mut diagnostics = Diagnostics::new();
        let count = self.module_instances(module).len() as u32;
        for decl in &self.program.module(module).imports {
            for index in 0..count {
                let at = ModuleRef { module, index };
                if let Err(found) = self.import(at, decl, &mut requests) {
                    diagnostics.extend(found);
                }
            }
        }
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok(requests) }
    }

    fn import(
        &self,
        at: ModuleRef,
        decl: &ImportDecl,
        requests: &mut Vec<ImportRequest>,
    ) -> Result<(), Diagnostics> {
        let each: Vec<Each> = match &decl.for_each {
            None => vec![Each::None],
            Some(expr) => {
                let value = self.eval_scoped(&Scope::module(self, at), expr)?;
                let expansion = self.for_each_of_import(at, expr, &value)?;
                if expansion.shape == Shape::Unknown {
                    return Ok(());
                }
                expansion.range().map(|index| expansion.each(index)).collect()
            }
        };
        for each in each {
            let scope = Scope { each, ..Scope::module(self, at) };
            let evaluate =
                |expr: &Option<Expr>| expr.as_ref().map(|expr| self.eval_scoped(&scope, expr)).transpose();
            let id = evaluate(&decl.id)?;
            let identity = evaluate(&decl.identity)?;
            let id = id.map(|value| self.import_id(decl, value)).transpose()?;
            let to = self.import_address(&scope, decl)?;
            requests.push(ImportRequest { to, id, identity, span: decl.span });
        }
        Ok(())
    }

    fn for_each_of_import(
        &self,
        at: ModuleRef,
        expr: &Expr,
        value: &Value,
    ) -> Result<super::expand::Expansion, Diagnostics> {
        // Unlike for resources, a list or tuple will do: its indices are the keys.
        match value.unmarked() {
            Value::List(_) | Value::Tuple(_) => {
                let items = value.as_items().unwrap_or_default().iter().enumerate();
                let map = Value::object(
                    items.map(|(i, item)| (eco_format!("{i:08}"), item.clone())).collect::<Vec<_>>(),
                );
                self.for_each(at, expr, &map)
            }
            _ => self.for_each(at, expr, value),
        }
    }

    fn import_id(&self, decl: &ImportDecl, value: Value) -> Result<Value, Diagnostics> {
        let span = decl.id.as_ref().map_or(decl.span, |expr| expr.span);
        let error = |detail: &str| {
            Diagnostic::error("invalid-import", "Invalid import id argument").detail(detail).at(span)
        };
        let (value, marks) = value.unmark_deep();
        if marks.contains(Marks::SENSITIVE) || marks.contains(Marks::EPHEMERAL) {
            return Err(
                error("The import id is shown and kept, so it cannot be sensitive or ephemeral.").into()
            );
        }
        match convert(&value, &Type::String) {
            Ok(Value::Null(_)) => Err(error("The import id is null.").into()),
            Ok(Value::String(text)) if text.is_empty() => {
                Err(error("The import id is an empty text.").into())
            }
            Ok(Value::Unknown(_)) if self.options.phase == Phase::Plan => {
                Err(error("The import id must be known when planning, but it is known only after apply.")
                    .into())
            }
            Ok(value) => Ok(value),
            Err(problem) => Err(error(&format!("The import id must be a text: {problem}.")).into()),
        }
    }

    fn import_address(&self, scope: &Scope<'_>, decl: &ImportDecl) -> Result<Instance, Diagnostics> {
        let mut module: Vec<(EcoString, Key)> =
            self.modules[scope.module.module.0 as usize].instances[scope.module.index as usize].0.to_vec();
        let mut parts: Vec<(EcoString, Key)> = Vec::new();
        let (traversal, steps): (&Traversal, &[AccessStep]) = match &decl.to.kind {
            ExprKind::Access(access) => match &access.base.kind {
                ExprKind::Traversal(traversal) => (traversal, &access.steps),
                _ => return Err(Diagnostics::new()),
            },
            ExprKind::Traversal(traversal) => (traversal, &[]),
            _ => return Err(Diagnostics::new()),
        };
        parts.push((traversal.root.name.clone(), Key::None));
        for step in &traversal.steps {
            match (step, parts.last_mut()) {
                (TraversalStep::Attribute(name), _) => parts.push((name.name.clone(), Key::None)),
                (step, Some(last)) => last.1 = reference::literal_key(step).unwrap_or(Key::None),
                _ => {}
            }
        }
        for step in steps {
            match (step, parts.last_mut()) {
                (AccessStep::Attribute { name, .. }, _) => parts.push((name.name.clone(), Key::None)),
                (AccessStep::Index { key, .. }, Some(last)) => {
                    let value = self.eval_scoped(scope, key)?;
                    last.1 = match value.unmarked() {
                        Value::String(text) => Key::String(text.clone()),
                        Value::Number(number) => number.to_u64().map_or(Key::None, Key::Int),
                        _ => {
                            return Err(Diagnostic::error("invalid-import", "Invalid import address")
                                .detail(
                                    "The key of the instance to import to must be a known text or number.",
                                )
                                .at(key.span)
                                .into());
                        }
                    };
                }
                _ => {}
            }
        }
        let mut rest = parts.as_slice();
        while let [(word, Key::None), (name, key), after @ ..] = rest {
            if word != "module" {
                break;
            }
            module.push((name.clone(), key.clone()));
            rest = after;
        }
        let key = rest.last().map_or(Key::None, |(_, key)| key.clone());
        Ok(Instance { module: ModuleInstance(module.into()), resource: decl.resource.resource.clone(), key })
    }
}

fn literal_step(step: &TraversalStep) -> Step {
    match step {
        TraversalStep::Attribute(name) => Step::Attribute(name.name.clone()),
        TraversalStep::Index(number, _) => Step::from(number.clone()),
        TraversalStep::Key(key, _) => Step::Key(key.clone()),
    }
}
