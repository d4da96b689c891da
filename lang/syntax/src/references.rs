//! What an expression mentions: the traversals in it whose root is not a variable of an enclosing `for`.
//!
//! This is lexical: a `for` in an expression or in a template binds its variables for its results and its condition,
//! not for its collection. Function names are not references, and bare object keys are texts.

use plumb_model::Span;

use crate::tree::{AccessStep, Expr, ExprKind, For, Ident, ObjectEntry, ObjectKey, TemplatePart, Traversal};

/// The references of an expression, in the order in which they are written. See [`Expr::references`].
pub struct References<'a> {
    /// What is still to be visited, last first.
    pending: Vec<Visit<'a>>,
    /// The variables in scope.
    bound: Vec<&'a str>,
}

enum Visit<'a> {
    Expr(&'a Expr),
    Part(&'a TemplatePart),
    Bind(&'a Ident),
    Unbind,
}

impl Expr {
    /// Each maximal static traversal in the expression whose root is not bound by a `for` within it, in the order in
    /// which they are written. A reference that occurs twice comes twice.
    pub fn references(&self) -> References<'_> {
        References { pending: vec![Visit::Expr(self)], bound: Vec::new() }
    }

    /// The expression's direct parts that are expressions, in the order in which they are written.
    pub fn children(&self) -> Vec<&Expr> {
        let mut visits = Vec::new();
        push_children(self, &mut visits);
        let mut children = Vec::new();
        while let Some(visit) = visits.pop() {
            match visit {
                Visit::Expr(expr) => children.push(expr),
                Visit::Part(part) => push_part(part, &mut visits),
                Visit::Bind(_) | Visit::Unbind => {}
            }
        }
        children
    }
}

impl<'a> Iterator for References<'a> {
    type Item = &'a Traversal;

    fn next(&mut self) -> Option<&'a Traversal> {
        while let Some(visit) = self.pending.pop() {
            match visit {
                Visit::Expr(Expr { kind: ExprKind::Traversal(traversal), .. }) => {
                    if !self.bound.contains(&traversal.root.name.as_str()) {
                        return Some(traversal);
                    }
                }
                // The second argument of `convert` is a type: its words are no references.
                Visit::Expr(Expr { kind: ExprKind::Call(call), .. }) if call.is("convert") => {
                    self.pending.extend(call.arguments.first().map(Visit::Expr));
                }
                Visit::Expr(expr) => push_children(expr, &mut self.pending),
                Visit::Part(part) => push_part(part, &mut self.pending),
                Visit::Bind(name) => self.bound.push(&name.name),
                Visit::Unbind => {
                    self.bound.pop();
                }
            }
        }
        None
    }
}

/// Pushes what is directly below, so that what is written first is popped first.
fn push_children<'a>(expr: &'a Expr, pending: &mut Vec<Visit<'a>>) {
    let start = pending.len();
    match &expr.kind {
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Traversal(_)
        | ExprKind::Qualified(_)
        | ExprKind::Error => {}
        ExprKind::Template(template) => pending.extend(template.parts.iter().map(Visit::Part)),
        ExprKind::Access(access) => {
            pending.push(Visit::Expr(&access.base));
            push_steps(&access.steps, pending);
        }
        ExprKind::Call(call) => pending.extend(call.arguments.iter().map(Visit::Expr)),
        ExprKind::Tuple(tuple) => pending.extend(tuple.elements.iter().map(Visit::Expr)),
        ExprKind::Object(object) => {
            for entry in &object.entries {
                match entry {
                    ObjectEntry::Pair { key: ObjectKey::Expr(key), value } => {
                        pending.extend([Visit::Expr(key), Visit::Expr(value)]);
                    }
                    ObjectEntry::Pair { value, .. } | ObjectEntry::Spread(value, _) => {
                        pending.push(Visit::Expr(value));
                    }
                    ObjectEntry::Open(_) => {}
                }
            }
        }
        ExprKind::For(each) => push_for(each, pending),
        ExprKind::Conditional(conditional) => pending.extend([
            Visit::Expr(&conditional.condition),
            Visit::Expr(&conditional.then),
            Visit::Expr(&conditional.otherwise),
        ]),
        ExprKind::Binary(binary) => {
            pending.extend([Visit::Expr(&binary.left), Visit::Expr(&binary.right)]);
        }
        ExprKind::Unary(unary) => pending.push(Visit::Expr(&unary.operand)),
        ExprKind::Paren(inner) | ExprKind::Spread(inner) | ExprKind::Nullable(inner) => {
            pending.push(Visit::Expr(inner));
        }
        ExprKind::Where(narrowed) => {
            pending.extend([Visit::Expr(&narrowed.base), Visit::Expr(&narrowed.condition)]);
        }
    }
    pending[start..].reverse();
}

fn push_for<'a>(each: &'a For, pending: &mut Vec<Visit<'a>>) {
    pending.push(Visit::Expr(&each.collection));
    pending.extend(each.key.as_ref().map(Visit::Bind));
    pending.push(Visit::Bind(&each.value));
    pending.extend(each.result_key.as_ref().map(Visit::Expr));
    pending.push(Visit::Expr(&each.result));
    pending.extend(each.condition.as_ref().map(Visit::Expr));
    pending.extend(each.key.as_ref().map(|_| Visit::Unbind));
    pending.push(Visit::Unbind);
}

fn push_steps<'a>(steps: &'a [AccessStep], pending: &mut Vec<Visit<'a>>) {
    for step in steps {
        match step {
            AccessStep::Attribute { .. } => {}
            AccessStep::Index { key, .. } => pending.push(Visit::Expr(key)),
            AccessStep::Splat { each, .. } => push_steps(each, pending),
        }
    }
}

fn push_part<'a>(part: &'a TemplatePart, pending: &mut Vec<Visit<'a>>) {
    let start = pending.len();
    match part {
        TemplatePart::Literal(_) => {}
        TemplatePart::Interpolation(expr) => pending.push(Visit::Expr(expr)),
        TemplatePart::If(branch) => {
            pending.push(Visit::Expr(&branch.condition));
            pending.extend(branch.then.iter().chain(&branch.otherwise).map(Visit::Part));
        }
        TemplatePart::For(each) => {
            pending.push(Visit::Expr(&each.collection));
            pending.extend(each.key.as_ref().map(Visit::Bind));
            pending.push(Visit::Bind(&each.value));
            pending.extend(each.body.iter().map(Visit::Part));
            pending.extend(each.key.as_ref().map(|_| Visit::Unbind));
            pending.push(Visit::Unbind);
        }
    }
    pending[start..].reverse();
}

impl Traversal {
    /// The place from the root to the step of that index, for messages about a prefix.
    pub fn span_to(&self, step: usize) -> Span {
        self.steps.get(step).map_or(self.root.span, |step| self.root.span.to(step.span()))
    }
}
