//! `function` blocks.
//!
//! A function is read like other blocks; then those of a directory are looked at together. No function may call itself,
//! not even through others, and how deep a function is nested counts with what it calls, so that evaluating a call
//! needs a stack that is known beforehand. A function that breaks this is reported and has no body afterwards.
//!
//! Elsewhere: what a body may mention and call is said by [`crate::check`]; calls are evaluated in [`crate::expr`].

use std::collections::HashSet;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::{Diagnostic, Span, Value};
use plumb_syntax::tree::{Block, Call, Expr, ExprKind};

use super::blocks::{self, Shape, check_labels, check_shape, text};
use super::declare::{Declaring, insert, label, read_locals};
use super::resource::is_broken;
use crate::callee::{Callee, resolve};
use crate::order::{Cycle, Needs, SHOWN_EDGES, order};
use crate::program::{Declarations, FunctionDecl, LocalDecl, ParameterDecl};
use crate::types::hold::{Place, diagnostics as misfits, hold};
use crate::types::{Constraint, Shape as TypeShape};

const FUNCTION: Shape = Shape {
    what: "a `function` block",
    attributes: &["type", "return", "description", "deprecated"],
    blocks: &["parameter", "locals"],
};
const PARAMETER: Shape =
    Shape { what: "a `parameter` block", attributes: &["type", "default", "description"], blocks: &[] };

/// How deep a function may be nested, with the functions that it calls.
const MAX_DEPTH: usize = 100;

/// Names that mean something else in the body of a function, or would be taken for it.
const RESERVED: [&str; 3] = ["var", "local", "param"];

impl Declaring<'_> {
    /// Reads the `function` blocks, which the other blocks may call.
    pub(super) fn functions(&mut self, blocks: &[Arc<Block>]) {
        let mut functions: IndexMap<EcoString, FunctionDecl> = IndexMap::new();
        for block in blocks.iter().filter(|block| block.kind.as_str() == "function") {
            let Some(decl) = self.function(block) else { continue };
            let (key, name) = (decl.name.name.clone(), decl.name.name.clone());
            insert(&mut functions, key, decl, "function", &name, |decl| decl.span, &mut self.diagnostics);
        }
        self.refuse_recursion(&mut functions);
        self.declarations.functions =
            functions.into_iter().map(|(name, decl)| (name, Arc::new(decl))).collect();
    }

    fn function(&mut self, block: &Arc<Block>) -> Option<FunctionDecl> {
        if !check_labels(block, &["name"], &mut self.diagnostics) {
            return None;
        }
        let name = label(block, 0);
        let body = &block.body;
        check_shape(body, &FUNCTION, &mut self.diagnostics);
        if plumb_functions::lookup(&name.name).is_some() {
            self.diagnostics.push(
                Diagnostic::error("reserved-name", "Reserved function name")
                    .detail(eco_format!("`{name}` is a function of the language already."))
                    .at(name.span)
                    .help("Choose another name."),
            );
        }
        let parameters = self.parameters(block);
        let locals = self.locals_of_function(block);
        let result = self.constraint(body);
        let found = &mut self.diagnostics;
        let value = blocks::expr(body, "return").unwrap_or_else(|| {
            if !is_broken(block) {
                found.push(blocks::missing_argument(block, "return"));
            }
            Expr::new(ExprKind::Error, block.header_span)
        });
        Some(FunctionDecl {
            span: block.header_span,
            parameters,
            locals,
            result,
            value,
            description: text(body, "description", found).map(|(text, _)| text).unwrap_or_default(),
            deprecated: text(body, "deprecated", found).map(|(text, _)| text),
            depth: 0,
            name,
        })
    }

    fn parameters(&mut self, function: &Block) -> IndexMap<EcoString, ParameterDecl> {
        let mut parameters: IndexMap<EcoString, ParameterDecl> = IndexMap::new();
        for block in function.body.blocks_of("parameter") {
            if !check_labels(block, &["name"], &mut self.diagnostics) {
                continue;
            }
            let name = label(block, 0);
            check_shape(&block.body, &PARAMETER, &mut self.diagnostics);
            if RESERVED.contains(&name.as_str()) {
                self.diagnostics.push(
                    Diagnostic::error("reserved-name", "Reserved parameter name")
                        .detail(eco_format!("`{name}` means something in expressions already."))
                        .at(name.span)
                        .help("Choose another name."),
                );
            }
            let constraint = self.constraint(&block.body).unwrap_or_else(|| {
                if !is_broken(block) {
                    self.diagnostics.push(blocks::missing_argument(block, "type"));
                }
                Constraint::of(TypeShape::any(block.header_span))
            });
            let default = self.parameter_default(block, &name.name, &constraint);
            if let (None, Some((optional, _))) =
                (&default, parameters.iter().find(|(_, earlier)| earlier.default.is_some()))
                && block.body.attribute("default").is_none()
            {
                self.diagnostics.push(
                    Diagnostic::error("parameter-order", "Required parameter after an optional one")
                        .detail(eco_format!(
                            "`{name}` has no default but stands behind `{optional}`, which has one: arguments are given in order, so the default could never be used."
                        ))
                        .at(name.span)
                        .help("Put parameters with defaults last."),
                );
            }
            let decl = ParameterDecl {
                constraint,
                default,
                description: text(&block.body, "description", &mut self.diagnostics)
                    .map(|(text, _)| text)
                    .unwrap_or_default(),
                name: name.clone(),
            };
            let span = |decl: &ParameterDecl| decl.name.span;
            insert(
                &mut parameters,
                name.name.clone(),
                decl,
                "parameter",
                &name.name,
                span,
                &mut self.diagnostics,
            );
        }
        parameters
    }

    fn parameter_default(&mut self, block: &Block, name: &str, constraint: &Constraint) -> Option<Value> {
        let written = &block.body.attribute("default")?.value;
        let value = match self.constant_value(written) {
            Ok(value) => value,
            Err(found) => {
                self.diagnostics.extend(found);
                return None;
            }
        };
        match hold(&value, &constraint.shape) {
            Ok(value) => Some(value),
            Err(found) => {
                self.diagnostics.extend(misfits(found, name, Place::Written(written)));
                None
            }
        }
    }

    /// The entries of `locals` blocks in a function, each behind those that it mentions.
    fn locals_of_function(&mut self, function: &Block) -> IndexMap<EcoString, LocalDecl> {
        let mut locals: IndexMap<EcoString, LocalDecl> = IndexMap::new();
        for block in function.body.blocks_of("locals") {
            read_locals(block, &mut locals, &mut self.diagnostics);
        }
        let (sorted, cycles) = order(&needs_of_locals(&locals));
        for cycle in &cycles {
            self.diagnostics.push(cyclic_locals(&locals, cycle));
        }
        let cyclic: HashSet<usize> = cycles.iter().flatten().map(|(i, _)| *i).collect();
        let mut entries: Vec<Option<LocalDecl>> = locals.into_values().map(Some).collect();
        sorted
            .into_iter()
            .filter_map(|i| {
                let mut decl = entries[i].take()?;
                if cyclic.contains(&i) {
                    decl.value = Expr::new(ExprKind::Error, decl.value.span);
                }
                Some((decl.name.name.clone(), decl))
            })
            .collect()
    }

    /// Takes the bodies of functions that call themselves, and of those that are nested too deep with what they call.
    fn refuse_recursion(&mut self, functions: &mut IndexMap<EcoString, FunctionDecl>) {
        let needs: Needs = functions
            .values()
            .map(|decl| {
                let calls = bodies(decl).flat_map(calls).filter(|call| call.namespaces.is_empty());
                calls
                    .filter_map(|call| Some((functions.get_index_of(&call.name.name)?, call.name_span)))
                    .collect()
            })
            .collect();
        let (sorted, cycles) = order(&needs);
        for cycle in &cycles {
            self.diagnostics.push(recursive(functions, cycle));
        }
        let cyclic: HashSet<usize> = cycles.iter().flatten().map(|(i, _)| *i).collect();
        for i in sorted {
            let depth = bodies(&functions[i]).map(|expr| depth(expr, functions, &self.declarations)).max();
            let depth = depth.unwrap_or(0);
            let decl = &mut functions[i];
            decl.depth = depth;
            if depth > MAX_DEPTH {
                self.diagnostics.push(
                    Diagnostic::error("function-too-deep", "Function nested too deep")
                        .detail(eco_format!(
                            "With the functions that it calls, `{}` is nested more than {MAX_DEPTH} deep.",
                            decl.name
                        ))
                        .at(decl.span)
                        .help("Pass on what a call gives instead of calling from within the function."),
                );
            }
            if depth > MAX_DEPTH || cyclic.contains(&i) {
                decl.value = Expr::new(ExprKind::Error, decl.value.span);
                decl.locals.clear();
                decl.depth = 1;
            }
        }
    }
}

/// The expressions that are evaluated when a function is called.
fn bodies(decl: &FunctionDecl) -> impl Iterator<Item = &Expr> {
    decl.locals.values().map(|local| &local.value).chain([&decl.value])
}

/// The calls in an expression, at any depth.
fn calls(expr: &Expr) -> Vec<&Call> {
    let mut found = Vec::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if let ExprKind::Call(call) = &expr.kind {
            found.push(&**call);
        }
        pending.extend(expr.children().into_iter().rev());
    }
    found
}

/// How deep an expression is nested, with the functions that it calls.
fn depth(expr: &Expr, functions: &IndexMap<EcoString, FunctionDecl>, declared: &Declarations) -> usize {
    let mut deepest = 0;
    let mut pending = vec![(expr, 1)];
    while let Some((expr, depth)) = pending.pop() {
        let below = match &expr.kind {
            ExprKind::Call(call) if call.namespaces.is_empty() => {
                functions.get(&call.name.name).map_or(0, |callee| callee.depth)
            }
            ExprKind::Call(call) => match resolve(Some(declared), call) {
                Ok(Callee::Declared(_, callee)) => callee.depth,
                _ => 0,
            },
            _ => 0,
        };
        // The call itself takes as much as a level of nesting.
        deepest = deepest.max(depth + below + usize::from(below > 0));
        pending.extend(expr.children().into_iter().map(|child| (child, depth + 1)));
    }
    deepest
}

/// Which local values of a function or library mention which.
pub(super) fn needs_of_locals(locals: &IndexMap<EcoString, LocalDecl>) -> Needs {
    let mentioned = |decl: &LocalDecl| -> Vec<(usize, Span)> {
        decl.value
            .references()
            .filter(|traversal| traversal.root.as_str() == "local")
            .filter_map(|traversal| {
                Some((locals.get_index_of(&traversal.attribute(0)?.name)?, traversal.span))
            })
            .collect()
    };
    locals.values().map(mentioned).collect()
}

/// That local values are made of each other.
pub(super) fn cyclic_locals(locals: &IndexMap<EcoString, LocalDecl>, cycle: &Cycle) -> Diagnostic {
    let first = &locals[cycle[0].0].name;
    let mut diagnostic = Diagnostic::error("cycle", "Cycle in the configuration").detail(eco_format!(
        "The local value `{first}` is made of itself, so there is nothing to begin with."
    ));
    for (at, (i, span)) in cycle.iter().enumerate().take(SHOWN_EDGES) {
        let next = cycle[(at + 1) % cycle.len()].0;
        let text = eco_format!("`local.{}` needs `local.{}`", locals[*i].name, locals[next].name);
        diagnostic = diagnostic.label(*span, text);
    }
    diagnostic
}

fn recursive(functions: &IndexMap<EcoString, FunctionDecl>, cycle: &Cycle) -> Diagnostic {
    let first = &functions[cycle[0].0].name;
    let how = if cycle.len() == 1 { "itself" } else { "itself through others" };
    let mut diagnostic =
        Diagnostic::error("recursive-function", "Function calls itself").detail(eco_format!(
            "The function `{first}` calls {how}; functions cannot, so that every call comes to an end."
        ));
    for (at, (i, span)) in cycle.iter().enumerate().take(SHOWN_EDGES) {
        let next = cycle[(at + 1) % cycle.len()].0;
        let text = eco_format!("`{}` calls `{}`", functions[*i].name, functions[next].name);
        diagnostic = diagnostic.label(*span, text);
    }
    diagnostic.help("To do something with each element, use a `for` expression.")
}
