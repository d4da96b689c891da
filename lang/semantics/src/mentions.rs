//! What the value of a node is made from, one step of the graph at a time: for those who want to show where a value comes
//! from. Order and cycles are the business of `graph`, which knows dependencies that give no value, too.

use plumb_model::address::Key;
use plumb_model::{Path, Step};
use plumb_syntax::tree::{Body, Expr, Item, Traversal, TraversalStep};

use crate::program::{ModuleId, NodeId, NodeKind, Program};
use crate::reference::{self, Subject};

/// A reference in an expression that a node's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    /// What it names: a variable, a local, an output of a called module, or a resource.
    pub to: NodeId,
    /// The literal key of the resource or of the module call.
    pub key: Key,
    /// Where it leads in the value, as far as its steps are literal.
    pub path: Path,
}

/// The references that a node's value comes from, in the order of the text. Those of a resource are in its arguments and
/// in its `count` or `for_each`; those of a variable are in the argument of the call.
pub fn mentions(program: &Program, id: NodeId) -> Vec<Mention> {
    let node = program.node(id);
    let module = program.module(node.module);
    let index = node.index as usize;
    let mut finder = Finder { program, module: node.module, found: Vec::new() };
    match node.kind {
        NodeKind::Local => finder.expr(&module.locals[index].value),
        NodeKind::Output => finder.expr(&module.outputs[index].value),
        NodeKind::Resource => {
            let decl = &module.resources[index];
            let repetition = &decl.repetition;
            for expr in [&repetition.count, &repetition.for_each, &repetition.enabled].into_iter().flatten() {
                finder.expr(expr);
            }
            finder.body(&decl.body.body);
        }
        NodeKind::Variable => {
            let Some((parent, call)) = module.parent else { return Vec::new() };
            let call = &program.module(parent).calls[call as usize];
            finder.module = parent;
            let given = call.given(&module.variables[index].name.name);
            given.or(call.passed_object()).into_iter().for_each(|expr| finder.expr(expr));
        }
        NodeKind::Call | NodeKind::CallEnd | NodeKind::Provider | NodeKind::Check => {}
    }
    finder.found
}

struct Finder<'a> {
    program: &'a Program,
    module: ModuleId,
    found: Vec<Mention>,
}

impl Finder<'_> {
    fn body(&mut self, body: &Body) {
        for item in &body.items {
            match item {
                Item::Attribute(attribute) => self.expr(&attribute.value),
                Item::Block(block) => self.body(&block.body),
                Item::Error(_) => {}
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        expr.references().for_each(|traversal| self.traversal(traversal));
    }

    fn traversal(&mut self, traversal: &Traversal) {
        let Ok(reference) = reference::parse(traversal) else { return };
        let Some(to) = self.program.named(self.module, &reference.subject) else { return };
        let key = match reference.subject {
            Subject::Resource { key, .. } | Subject::Module { key, .. } => key,
            _ => None,
        };
        let key = key.and_then(reference::literal_key).unwrap_or(Key::None);
        let path = Path(traversal.steps[reference.steps..].iter().map_while(step).collect());
        self.found.push(Mention { to, key, path });
    }
}

fn step(step: &TraversalStep) -> Option<Step> {
    match step {
        TraversalStep::Attribute(name) => Some(Step::Attribute(name.name.clone())),
        TraversalStep::Index(number, _) => Some(Step::Index(usize::try_from(number.to_u64()?).ok()?)),
        TraversalStep::Key(key, _) => Some(Step::Key(key.clone())),
    }
}
