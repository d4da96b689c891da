//! Provider configurations: their instances, what is set in each, and which one an instance of a resource uses.
//!
//! A configuration with `for_each` has an instance for each key. Which one is meant is an expression, of the resource or
//! of a call of its module; it is evaluated for each instance of the resource, in the scope of what it is written in.
//!
//! Invariant: a module with `provider` blocks has exactly one instance, so what they say is evaluated in the first.

use ecow::eco_format;
use plumb_model::address::{Key, ProviderConfig};
use plumb_model::convert::convert;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Block as Schema, Diagnostic, Diagnostics, Marks, Type, Value};
use plumb_syntax::tree::Expr;

use super::expand::{Expansion, Shape};
use super::names::{Each, Scope};
use super::{At, Evaluator, InstanceRef, ModuleRef, NodeState, Phase};
use crate::program::{ModuleId, NodeId, NodeKind, ProviderDecl, ProviderName, Repetition};

impl Evaluator {
    /// The instances of a provider configuration: one without key, or one for each key of `for_each`.
    ///
    /// # Errors
    /// What `for_each` must be and is not.
    pub fn expand_provider(&mut self, node: NodeId) -> Result<Vec<ProviderConfig>, Diagnostics> {
        let program = self.program.clone();
        let Some(decl) = program.provider(node) else { return Ok(Vec::new()) };
        let at = ModuleRef { module: program.node(node).module, index: 0 };
        let repetition = Repetition { for_each: decl.for_each.clone(), ..Repetition::default() };
        let expansion = self.expansion(at, &repetition)?;
        let configs = expansion.range().map(|index| decl.config.instance(expansion.key(index))).collect();
        self.nodes[node.0 as usize] = NodeState::Provider(expansion);
        Ok(configs)
    }

    /// Whether a provider configuration has an instance of this key.
    pub fn has_provider_instance(&self, node: NodeId, key: &Key) -> bool {
        match &self.nodes[node.0 as usize] {
            NodeState::Provider(expansion) => expansion.find(key).is_some(),
            _ => false,
        }
    }

    /// What is set in an instance of a provider configuration, which has been expanded where it has `for_each`. With
    /// errors among the diagnostics the parts that failed are unknown.
    pub fn provider_config(&self, node: NodeId, key: &Key, schema: &Schema) -> (Value, Diagnostics) {
        let Some(decl) = self.program.provider(node) else { return (schema.empty(), Diagnostics::new()) };
        let Some(block) = &decl.body else {
            let found = missing_configuration(decl, schema).into_iter().collect();
            return (schema.empty(), found);
        };
        let each = match &self.nodes[node.0 as usize] {
            NodeState::Provider(expansion) => {
                expansion.find(key).map_or(Each::None, |index| expansion.each(index))
            }
            _ => Each::None,
        };
        let module = ModuleRef { module: self.program.node(node).module, index: 0 };
        let scope = Scope { each, ..Scope::module(self, module) };
        self.decode(&scope, &block.body, decl.span, schema)
    }

    /// The provider configuration that an instance of a resource uses: the one of its block, or the instance of it that
    /// is chosen. While nothing is known but the files, it is the block that the instances belong to.
    ///
    /// # Errors
    /// The key cannot be evaluated or is not known, or there is no instance of that key.
    pub fn provider_of(&self, instance: InstanceRef) -> Result<ProviderConfig, Diagnostics> {
        let config = self.program.provider_of(instance.node).expect("a resource has a provider");
        let Some(choice) = self.program.provider_choice(instance.node) else { return Ok(config.clone()) };
        let own = Scope::at(self, At::Instance(instance), None);
        let scope = match choice.call {
            None => own,
            Some(call) => self.scope_of_call(own.module, call),
        };
        self.choose(config, &scope, &choice.key)
    }

    /// As [`Evaluator::provider_of`], for a configuration that the root module names outside of resources.
    ///
    /// # Errors
    /// As for [`Evaluator::provider_of`].
    pub fn provider_named(
        &self,
        config: &ProviderConfig,
        name: &ProviderName,
    ) -> Result<ProviderConfig, Diagnostics> {
        match &name.instance {
            None => Ok(config.clone()),
            Some(key) => self.choose(config, &Scope::module(self, ModuleRef::ROOT), key),
        }
    }

    fn choose(
        &self,
        config: &ProviderConfig,
        scope: &Scope<'_>,
        expr: &Expr,
    ) -> Result<ProviderConfig, Diagnostics> {
        let (value, marks) = self.eval_scoped(scope, expr)?.unmark_deep();
        let key = match convert(&value, &Type::String) {
            _ if marks.contains(Marks::SENSITIVE) || marks.contains(Marks::EPHEMERAL) => {
                return Err(unsuitable_key("it is sensitive or ephemeral, and it is kept in state", expr));
            }
            Ok(Value::String(key)) => key,
            Ok(Value::Null(_)) => return Err(unsuitable_key("it is null", expr)),
            Ok(_) if self.options.phase == Phase::Validate => return Ok(config.clone()),
            Ok(_) => return Err(unsuitable_key("it is known only after apply", expr)),
            Err(problem) => return Err(unsuitable_key(&problem.to_string(), expr)),
        };
        let node = self.program.provider_node(config).expect("what can be chosen from has a block");
        let instance = config.instance(Key::String(key.clone()));
        let NodeState::Provider(expansion) = &self.nodes[node.0 as usize] else { return Ok(instance) };
        if expansion.shape == Shape::Unknown || expansion.find(&instance.key).is_some() {
            return Ok(instance);
        }
        Err(self.unknown_instance(node, expansion, &key, expr).into())
    }

    fn unknown_instance(&self, node: NodeId, expansion: &Expansion, key: &str, expr: &Expr) -> Diagnostic {
        const SHOWN: usize = 10;
        let keys: Vec<&str> =
            expansion.keys.iter().filter_map(Value::as_str).map(|key| key.as_str()).collect();
        let decl = self.program.provider(node);
        let what = decl.map(|decl| eco_format!("{}", decl.config)).unwrap_or_default();
        let quoted: Vec<String> = keys.iter().take(SHOWN).map(|key| format!("{key:?}")).collect();
        let more = if keys.len() > SHOWN { ", …" } else { "" };
        let there = match quoted.is_empty() {
            true => "it has none".into(),
            false => eco_format!("there are {}{more}", quoted.join(", ")),
        };
        let mut diagnostic = Diagnostic::error("unknown-provider-instance", "No such provider instance")
            .detail(eco_format!("{what} has no instance {key:?}: {there}."))
            .label(expr.span, "this is the key");
        if let Some(for_each) = decl.and_then(|decl| decl.for_each.as_ref()) {
            diagnostic = diagnostic.label(for_each.span, "the keys come from here");
        }
        let guess = did_you_mean(key, keys.iter().copied());
        diagnostic.help(guess.unwrap_or_else(|| {
            eco_format!("Add {key:?} to `for_each` of the `provider` block, or choose one that is there.")
        }))
    }

    /// The scope of the arguments of a call, as seen from an instance of a module that it leads to.
    fn scope_of_call(&self, from: ModuleRef, call: (ModuleId, u32)) -> Scope<'_> {
        let mut at = from;
        while let Some((parent, index)) = self.program.module(at.module).parent {
            let (instance, nth) = self.modules[at.module.0 as usize].origins[at.index as usize];
            at = ModuleRef { module: parent, index: instance };
            if (parent, index) == call {
                let node = self.program.node_id(parent, NodeKind::Call, index as usize);
                let each = match &self.nodes[node.0 as usize] {
                    NodeState::Call(calls) => calls[instance as usize].0.each(nth as usize),
                    _ => Each::Unknown,
                };
                return Scope { each, ..Scope::module(self, at) };
            }
        }
        Scope::module(self, at)
    }
}

fn unsuitable_key(problem: &str, expr: &Expr) -> Diagnostics {
    Diagnostic::error("unsuitable-provider-key", "Unsuitable key of a provider instance")
        .detail(eco_format!(
            "The key of a provider instance must be a text that is known when the plan is made: {problem}."
        ))
        .at(expr.span)
        .help("Use `each.key`, a literal, or something that comes from variables and locals.")
        .into()
}

/// What a provider needs to be told, and nobody does.
fn missing_configuration(decl: &ProviderDecl, schema: &Schema) -> Option<Diagnostic> {
    let required = schema.attributes.iter().filter(|(_, attribute)| attribute.required);
    let missing: Vec<&str> = required.map(|(name, _)| name.as_str()).collect();
    if missing.is_empty() {
        return None;
    }
    let name = &decl.config.source.kind;
    Some(
        Diagnostic::error("missing-provider-configuration", "Missing required provider configuration")
            .detail(eco_format!("The provider `{name}` needs {} in its configuration.", missing.join(", ")))
            .at(decl.span)
            .help(eco_format!("Add `provider \"{name}\" {{ … }}` to the root module.")),
    )
}
