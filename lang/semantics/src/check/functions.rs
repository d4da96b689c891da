//! Functions that authors wrote, and named types: what their bodies and conditions mention and call.

use std::collections::HashSet;
use std::sync::Arc;

use plumb_model::Diagnostics;
use plumb_syntax::tree::Expr;

use super::calls::wrong_calls;
use crate::callee::impure_calls;
use crate::expr::{is_in_function, unknown_name};
use crate::program::{Declarations, FunctionDecl};

/// Reports what is wrong in the functions of a directory, and in those of the libraries that it imports.
pub(super) fn check(
    declared: &Arc<Declarations>,
    seen: &mut HashSet<*const Declarations>,
    diagnostics: &mut Diagnostics,
) {
    let mut pending = vec![declared];
    while let Some(declared) = pending.pop() {
        if !seen.insert(Arc::as_ptr(declared)) {
            continue;
        }
        for decl in declared.functions.values() {
            function(declared, decl, diagnostics);
        }
        let libraries = declared.libraries.values().filter_map(|decl| decl.library.as_ref());
        pending.extend(libraries.map(|library| &library.declarations));
    }
}

fn function(declared: &Declarations, decl: &FunctionDecl, diagnostics: &mut Diagnostics) {
    let bodies = decl.locals.values().map(|local| &local.value).chain([&decl.value]);
    for expr in bodies {
        body(declared, decl, expr, diagnostics);
    }
}

fn body(declared: &Declarations, decl: &FunctionDecl, expr: &Expr, diagnostics: &mut Diagnostics) {
    for traversal in expr.references() {
        if !is_in_function(decl, traversal) {
            diagnostics.push(unknown_name(decl, traversal));
        }
    }
    wrong_calls(declared, expr, &mut |diagnostic| diagnostics.push(diagnostic));
    diagnostics.extend(impure_calls(expr, "A function"));
}
