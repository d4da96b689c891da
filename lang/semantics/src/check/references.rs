//! References: what they name is declared, and may be named where they stand.

use ecow::{EcoString, eco_format};
use plumb_model::address::Mode;
use plumb_model::{Diagnostic, Diagnostics};
use plumb_syntax::tree::{Expr, Ident, Traversal};

use crate::eval::names;
use crate::graph::ResourceName;
use crate::program::{Declarations, ModuleId, Program};
use crate::reference::{self, Subject};

/// What may be mentioned besides what the module declares.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context<'a> {
    /// `each`
    pub each: bool,
    /// `count`
    pub count: bool,
    /// `self`
    pub this: bool,
    /// Actions, which have no value and can only be named where they are triggered.
    pub action: bool,
    /// Variables of `dynamic` blocks.
    pub iterators: &'a [EcoString],
}

/// Checks expressions of a module.
pub(super) struct Checker<'a> {
    program: &'a Program,
    module: ModuleId,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        program: &'a Program,
        module: ModuleId,
        diagnostics: &'a mut Diagnostics,
    ) -> Checker<'a> {
        Checker { program, module, diagnostics }
    }

    /// Reports references in an expression that mean nothing.
    pub(super) fn references(&mut self, expr: &Expr, context: Context<'_>) {
        for traversal in expr.references() {
            if !context.iterators.contains(&traversal.root.name)
                && let Err(diagnostic) = self.traversal(traversal, context)
            {
                self.diagnostics.push(*diagnostic);
            }
        }
    }

    /// What the module declares.
    pub(super) fn declared(&self) -> &'a Declarations {
        &self.program.module(self.module).declarations
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn traversal(&self, traversal: &Traversal, context: Context<'_>) -> Result<(), Box<Diagnostic>> {
        let reference = reference::parse(traversal)?;
        let module = self.program.module(self.module);
        match reference.subject {
            Subject::Variable(name) if !module.variables.contains_key(&name.name) => {
                Err(Box::new(names::undeclared_variable(name, module)))
            }
            Subject::Local(name) if !module.locals.contains_key(&name.name) => {
                Err(Box::new(names::undeclared_local(name, module)))
            }
            Subject::Module { name, output, .. } => match module.calls.get_index_of(&name.name) {
                None => Err(Box::new(names::undeclared_module(name, module))),
                Some(index) => self.output(name, index, output),
            },
            Subject::Resource { mode, kind, name, .. } => {
                let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
                match module.resources.contains_key(&resource) {
                    true if mode == Mode::Action && !context.action => Err(Box::new(no_value(traversal))),
                    true => Ok(()),
                    false => Err(Box::new(names::undeclared_resource(mode, kind, name, module))),
                }
            }
            Subject::Each(name) if !context.each => Err(Box::new(names::no_each(name.span))),
            Subject::Count(name) if !context.count => Err(Box::new(names::no_count(name.span))),
            Subject::SelfObject(span) if !context.this => Err(Box::new(names::no_self(span))),
            _ => Ok(()),
        }
    }

    fn output(&self, name: &Ident, index: usize, output: Option<&Ident>) -> Result<(), Box<Diagnostic>> {
        let (Some(output), Some(child)) = (output, self.program.module(self.module).children[index]) else {
            return Ok(());
        };
        let outputs = &self.program.module(child).declarations.outputs;
        if let Some(decl) = outputs.get(&output.name) {
            return match &decl.deprecated {
                None => Ok(()),
                Some(reason) => Err(Box::new(
                    Diagnostic::warning("deprecated-output", "Deprecated output")
                        .detail(eco_format!(
                            "The output `{output}` of `module.{name}` is deprecated: {reason}"
                        ))
                        .at(output.span),
                )),
            };
        }
        let called = eco_format!("module.{name}");
        Err(Box::new(names::undeclared_output(&called, output, outputs.keys())))
    }
}

fn no_value(traversal: &Traversal) -> Diagnostic {
    Diagnostic::error("action-has-no-value", "Action has no value")
        .detail(eco_format!(
            "`{traversal}` names an action, which is invoked and leaves nothing to refer to."
        ))
        .at(traversal.span)
        .help("Name actions only in `actions` of an `action_trigger` block.")
}
