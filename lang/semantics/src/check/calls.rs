//! Calls: the function exists and takes as many arguments.

use ecow::eco_format;
use plumb_model::Diagnostic;
use plumb_syntax::tree::{Call, Expr, ExprKind};

use super::references::Checker;
use crate::expr::{plural, unknown_function, unknown_namespace};

impl Checker<'_> {
    /// Reports calls in an expression, at any depth, that cannot work.
    pub(super) fn calls(&mut self, expr: &Expr) {
        let mut pending = vec![expr];
        while let Some(expr) = pending.pop() {
            if let ExprKind::Call(call) = &expr.kind {
                if let Some(diagnostic) = wrong_call(call) {
                    self.push(diagnostic);
                }
                // An unknown function within `try` and `can` is what they are asked about.
                if call.namespaces.is_empty() && matches!(call.name.as_str(), "try" | "can") {
                    continue;
                }
            }
            pending.extend(expr.children());
        }
    }
}

fn wrong_call(call: &Call) -> Option<Diagnostic> {
    match call.namespaces.first().map(|namespace| namespace.as_str()) {
        None => {}
        Some("core") if call.namespaces.len() == 1 => {}
        Some("provider") if call.namespaces.len() == 2 => return None,
        Some(_) => return Some(unknown_namespace(call, &call.full_name())),
    }
    let Some(function) = plumb_functions::lookup(&call.name.name) else {
        return Some(unknown_function(call));
    };
    if function.takes_expressions() || call.expand_final.is_some() {
        return None;
    }
    let signature = &function.signature;
    let (given, wanted) = (call.arguments.len(), signature.parameters.len());
    if let Some(missing) = signature.parameters.get(given) {
        let at_least = if signature.variadic.is_some() { "at least " } else { "" };
        return Some(
            Diagnostic::error("too-few-arguments", "Not enough function arguments")
                .detail(eco_format!(
                    "`{}` takes {at_least}{wanted} {}, and there are {given}: `{}` is missing.",
                    call.name,
                    plural(wanted, "argument"),
                    missing.name
                ))
                .at(call.arguments_span),
        );
    }
    if given > wanted && signature.variadic.is_none() {
        return Some(
            Diagnostic::error("too-many-arguments", "Too many function arguments")
                .detail(eco_format!(
                    "`{}` takes {wanted} {}, and there are {given}.",
                    call.name,
                    plural(wanted, "argument")
                ))
                .at(call.arguments[wanted].span),
        );
    }
    None
}
