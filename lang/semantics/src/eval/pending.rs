//! Entry points whose evaluation is being written; the signatures stand.

use ecow::EcoString;
use plumb_model::address::Instance;
use plumb_model::{Block, Diagnostics, Path, SourceId, Span, Value};
use plumb_syntax::tree::Expr;

use super::{At, Evaluator, InstanceRef, ModuleRef};
use crate::program::{Condition, ModuleId, NodeId};

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
    /// Evaluates a node, all of whose dependencies have been evaluated, in every instance of its module: a variable,
    /// local, output, module call (its instances), or check (nothing happens: see [`Evaluator::conditions`]).
    pub fn evaluate(&mut self, _node: NodeId) -> Diagnostics {
        Diagnostics::new()
    }

    /// The instances of a resource in every instance of its module, by `count`, `for_each` and `enabled`. In
    /// [`super::Phase::Validate`] one stands for instances that are not known.
    ///
    /// # Errors
    /// What the repetition argument must be and is not.
    pub fn expand_resource(&mut self, node: NodeId) -> Result<Vec<InstanceRef>, Diagnostics> {
        Ok(self.instances(node))
    }

    /// The configuration of an instance as an object of the schema's implied type. With errors among the diagnostics
    /// the parts that failed are unknown.
    pub fn config(&self, _instance: InstanceRef, schema: &Block) -> (Value, Diagnostics) {
        (schema.empty(), Diagnostics::new())
    }

    /// The configuration of a provider in an instance of its module (the root has one).
    pub fn provider_config(&self, _node: NodeId, _module: u32, schema: &Block) -> (Value, Diagnostics) {
        (schema.empty(), Diagnostics::new())
    }

    /// A provisioner's or connection's block as an object of a schema, where `self` is the instance's object.
    pub fn block(
        &self,
        _at: impl Into<At>,
        _block: &plumb_syntax::tree::Block,
        schema: &Block,
        _self_value: Option<&Value>,
    ) -> (Value, Diagnostics) {
        (schema.empty(), Diagnostics::new())
    }

    /// The place in the sources that an attribute of an instance's configuration comes from: the place of the
    /// nearest enclosing thing that is written.
    pub fn attribute_span(&self, _instance: InstanceRef, _path: &Path) -> Option<Span> {
        None
    }

    /// As [`Evaluator::attribute_span`], for a provider configuration.
    pub fn provider_attribute_span(&self, _node: NodeId, _path: &Path) -> Option<Span> {
        None
    }

    /// The value of an expression, where `self` has a value if one is given.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn eval_in(&self, _at: impl Into<At>, _expr: &Expr, _self_value: Option<&Value>) -> Result<Value, Diagnostics> {
        Ok(Value::NULL)
    }

    /// The instances and attributes that an expression in `replace_triggered_by` names: the resource's instances with
    /// the path of the attribute, empty for the whole object.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn replace_triggers(&self, _instance: InstanceRef, _expr: &Expr) -> Result<Vec<(InstanceRef, Path)>, Diagnostics> {
        Ok(Vec::new())
    }

    /// What comes of conditions, in order.
    pub fn conditions(&self, _at: impl Into<At>, conditions: &[Condition], _self_value: Option<&Value>) -> Vec<Outcome> {
        conditions.iter().map(|_| Outcome::Pass).collect()
    }

    /// Which references make an expression unknown: what is written, and where.
    pub fn why_unknown(&self, _at: impl Into<At>, _expr: &Expr) -> Vec<(EcoString, Span)> {
        Vec::new()
    }

    /// The imports that a module asks for.
    ///
    /// # Errors
    /// What is wrong with the blocks.
    pub fn imports(&self, _module: ModuleId) -> Result<Vec<ImportRequest>, Diagnostics> {
        Ok(Vec::new())
    }

    /// The value of an expression that someone typed, in the scope of a module instance. Diagnostics point into
    /// `source`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn eval_console(&self, _at: ModuleRef, _text: &str, _source: SourceId) -> Result<Value, Diagnostics> {
        Ok(Value::NULL)
    }
}
