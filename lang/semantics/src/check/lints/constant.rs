//! Conditions that are always one thing.
//!
//! Only what the condition itself says counts: one that is decided by a local value is a switch that somebody set.

use ecow::{EcoString, eco_format};
use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_syntax::tree::{BinaryOp, Expr, ExprKind, Template, TemplatePart, UnaryOp};

use crate::check::schema::each_module_expr;
use crate::program::{ModuleId, Program};

/// Reports conditions in a module that are decided as they are written.
pub(super) fn check(program: &Program, id: ModuleId, found: &mut Diagnostics) {
    let constant = Constant { program };
    each_module_expr(program.module(id), &mut |expr, _| {
        let mut pending = vec![expr];
        while let Some(expr) = pending.pop() {
            match &expr.kind {
                ExprKind::Conditional(conditional) => {
                    if let Some(value) = constant.decides(&conditional.condition, 0) {
                        let never = if value { &conditional.otherwise } else { &conditional.then };
                        found.push(
                            always(&conditional.condition, value)
                                .label(never.span, "never taken")
                                .help("Write the result that is taken, without the condition."),
                        );
                    }
                }
                ExprKind::For(each) => {
                    let condition = each.condition.iter();
                    found
                        .extend(condition.filter_map(|condition| {
                            Some(always(condition, constant.decides(condition, 0)?))
                        }));
                }
                ExprKind::Template(template) => constant.template(template, found),
                _ => {}
            }
            pending.extend(expr.children());
        }
    });
}

fn always(condition: &Expr, value: bool) -> Diagnostic {
    Diagnostic::warning("constant-condition", "Condition that is always one thing")
        .detail(eco_format!("This condition is always {value}."))
        .label(condition.span, eco_format!("always {value}"))
}

struct Constant<'a> {
    program: &'a Program,
}

impl Constant<'_> {
    fn template(&self, template: &Template, found: &mut Diagnostics) {
        let mut pending: Vec<&TemplatePart> = template.parts.iter().collect();
        while let Some(part) = pending.pop() {
            match part {
                TemplatePart::If(branch) => {
                    if let Some(value) = self.decides(&branch.condition, 0) {
                        found.push(always(&branch.condition, value));
                    }
                    pending.extend(branch.then.iter().chain(&branch.otherwise));
                }
                TemplatePart::For(each) => pending.extend(&each.body),
                TemplatePart::Literal(_) | TemplatePart::Interpolation(_) => {}
            }
        }
    }

    /// What a condition is by what is written in it.
    fn decides(&self, expr: &Expr, depth: usize) -> Option<bool> {
        if depth > plumb_syntax::tree::MAX_DEPTH {
            return None;
        }
        let inner = |expr| self.decides(expr, depth + 1);
        match &expr.without_parens().kind {
            ExprKind::Bool(value) => Some(*value),
            ExprKind::Unary(unary) if unary.op == UnaryOp::Not => inner(&unary.operand).map(|value| !value),
            ExprKind::Binary(binary) => match binary.op {
                BinaryOp::And => match (inner(&binary.left), inner(&binary.right)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                },
                BinaryOp::Or => match (inner(&binary.left), inner(&binary.right)) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                },
                BinaryOp::Equal | BinaryOp::NotEqual => {
                    let equal = self.equal(&binary.left, &binary.right)?;
                    Some(equal == (binary.op == BinaryOp::Equal))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether two expressions have equal values by how they are written.
    fn equal(&self, left: &Expr, right: &Expr) -> Option<bool> {
        if let (Some(left), Some(right)) = (literal(left), literal(right)) {
            return Some(left == right);
        }
        // Functions may give something else each time.
        let pure = left.references().next().is_some() && !has_call(left);
        (pure && self.text(left) == self.text(right)).then_some(true)
    }

    fn text(&self, expr: &Expr) -> EcoString {
        let text = self.program.sources.text(expr.without_parens().span);
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }
}

fn literal(expr: &Expr) -> Option<Value> {
    match &expr.without_parens().kind {
        ExprKind::Bool(value) => Some(Value::Bool(*value)),
        ExprKind::Number(number) => Some(Value::Number(number.clone())),
        ExprKind::String(text) => Some(Value::String(text.clone())),
        ExprKind::Null => Some(Value::NULL),
        _ => None,
    }
}

fn has_call(expr: &Expr) -> bool {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if matches!(expr.kind, ExprKind::Call(_)) {
            return true;
        }
        pending.extend(expr.children());
    }
    false
}
