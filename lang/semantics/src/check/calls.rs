//! Calls: the function exists and takes as many arguments.

use ecow::eco_format;
use plumb_model::Diagnostic;
use plumb_syntax::tree::{Call, Expr, ExprKind};

use super::references::Checker;
use crate::callee::{self, Callee};
use crate::expr::{plural, wrong_count};
use crate::program::Declarations;

impl Checker<'_> {
    /// Reports calls in an expression, at any depth, that cannot work.
    pub(super) fn calls(&mut self, expr: &Expr) {
        let declared = self.declared();
        wrong_calls(declared, expr, &mut |diagnostic| self.push(diagnostic));
    }
}

/// Reports calls in an expression of a directory, at any depth, that cannot work, and names of libraries that mean
/// nothing.
pub(super) fn wrong_calls(declared: &Declarations, expr: &Expr, report: &mut dyn FnMut(Diagnostic)) {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Call(call) => {
                if let Some(diagnostic) = wrong_call(declared, call) {
                    report(diagnostic);
                }
                match call.name.as_str() {
                    _ if !call.namespaces.is_empty() => {}
                    // An unknown function within these is what they are asked about.
                    "try" | "can" => continue,
                    // What is behind the value is a type.
                    "convert" => {
                        pending.extend(call.arguments.first());
                        continue;
                    }
                    _ => {}
                }
            }
            ExprKind::Qualified(name) => {
                if let Err(diagnostic) = callee::constant(Some(declared), name) {
                    report(*diagnostic);
                }
            }
            _ => {}
        }
        pending.extend(expr.children());
    }
}

fn wrong_call(declared: &Declarations, call: &Call) -> Option<Diagnostic> {
    let function = match callee::resolve(Some(declared), call) {
        Ok(Callee::Builtin(function)) => function,
        Ok(Callee::Declared(_, decl)) => {
            let deprecated = || {
                let reason = decl.deprecated.as_ref()?;
                Some(
                    Diagnostic::warning("deprecated-function", "Deprecated function")
                        .detail(eco_format!("The function `{}` is deprecated: {reason}", call.full_name()))
                        .at(call.name_span),
                )
            };
            let counted = call.expand_final.is_none();
            return counted
                .then(|| wrong_count(call, decl, call.arguments.len()))
                .flatten()
                .or_else(deprecated);
        }
        Ok(Callee::Provider) => return None,
        Err(diagnostic) => return Some(*diagnostic),
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
