//! Expressions that someone types.

use plumb_model::{Diagnostics, SourceId, Value};
use plumb_syntax::tree::{Expr, ExprKind};
use plumb_syntax::{Origin, parse_expression};

use super::names::Scope;
use super::{Evaluator, ModuleRef};
use crate::check;
use crate::expr::{Eval, FunctionContext, Rules};

impl Evaluator {
    /// The value of an expression that someone typed, in the scope of a module instance. Diagnostics point into
    /// `source`, which should be [`crate::Program::console_source`].
    ///
    /// Where the root module has no files, nothing says which version of the language is meant, and expressions mean
    /// exactly what they mean in Terraform 1.11.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn eval_console(&self, at: ModuleRef, text: &str, source: SourceId) -> Result<Value, Diagnostics> {
        let module = self.program.module(at.module);
        let parsed = parse_expression(&Origin::whole(source), text, module.dialect);
        if parsed.diagnostics.has_errors() {
            return Err(parsed.diagnostics);
        }
        let expr = parsed.tree;
        let mut diagnostics = Diagnostics::new();
        check::expression(&self.program, at.module, &expr, &mut diagnostics);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let strict = self.options.exactly_terraform_1_11 || self.program.root().files.is_empty();
        let rules = Rules::exactly(module.dialect, strict);
        let scope = Scope::module(self, at);
        let functions = FunctionContext { strict, ..self.functions(at.module) };
        Eval::new(&scope, &functions, rules).finish(&expr)
    }

    /// Whether a text typed into a console is a call of `type`, whose result is printed as it is and not as a string.
    pub fn is_type_call(&self, at: ModuleRef, text: &str) -> bool {
        let dialect = self.program.module(at.module).dialect;
        let parsed = parse_expression(&Origin::whole(self.program.console_source()), text, dialect);
        is_type_call(&parsed.tree)
    }
}

fn is_type_call(expr: &Expr) -> bool {
    matches!(&expr.without_parens().kind, ExprKind::Call(call) if call.namespaces.is_empty() && call.name.as_str() == "type")
}
