//! Values that are known before anything is evaluated: addresses and versions of modules.
//!
//! They may mention what is known from the files and the values that the user gave: variables, locals, `path` and
//! `terraform.workspace`. A variable of a called module has the value of the argument, if that is constant again. The
//! evaluator does the same later, when what a call leads to has been loaded; here it is done on demand and remembered,
//! so that a thousand calls that mention one local evaluate it once.
//!
//! Always true: evaluating ends, since what is being evaluated may not be asked for again, and the depth is limited.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Span, Value};
use plumb_syntax::tree::{Expr, Traversal};

use crate::eval::Phase;
use crate::expr::{Eval, Failed, FunctionContext, Names, Outcome, Rules};
use crate::program::{Module, ModuleId};
use crate::reference::{self, Subject};
use crate::types::hold::Place;
use crate::world::World;

/// How many variables and locals may be between an address and what it depends on.
const MAX_DEPTH: u32 = 100;

/// What has been evaluated so far, of all modules.
#[derive(Default)]
pub(super) struct Memory {
    values: RefCell<HashMap<(ModuleId, Kind, EcoString), Remembered>>,
    depth: Cell<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Variable,
    Local,
}

#[derive(Clone)]
enum Remembered {
    /// Somebody further up waits for it.
    Running,
    Known(Value),
    /// It has been said why.
    Failed,
}

/// Evaluates in one module.
pub(super) struct Constants<'a> {
    pub world: &'a dyn World,
    pub modules: &'a [Module],
    pub module: ModuleId,
    /// The values of root variables that the user gave.
    pub given: &'a IndexMap<EcoString, Value>,
    pub workspace: &'a str,
    pub memory: &'a Memory,
    /// What the value is for, for messages: "The source of a module".
    pub purpose: &'static str,
}

impl Constants<'_> {
    /// The value of an expression, wholly known and without secrets.
    pub(super) fn value(&self, expr: &Expr) -> Result<Value, Diagnostics> {
        let value = self.eval(expr)?;
        if !value.is_wholly_known() {
            return Err(self.not_constant("it is known only when a plan is made", expr.span).into());
        }
        if value.has_marks() {
            return Err(self.not_constant("it contains a sensitive or ephemeral value", expr.span).into());
        }
        Ok(value)
    }

    fn eval(&self, expr: &Expr) -> Result<Value, Diagnostics> {
        let dialect = self.modules[self.module.0 as usize].dialect;
        let context = FunctionContext {
            phase: Phase::Plan,
            declared: Some(&self.modules[self.module.0 as usize].declarations),
            ..FunctionContext::alone(self.world, dialect)
        };
        Eval::new(self, &context, Rules::of(dialect)).finish(expr)
    }

    fn within(&self, module: ModuleId) -> Constants<'_> {
        Constants { module, ..*self }
    }

    fn not_constant(&self, why: &str, span: Span) -> Diagnostic {
        Diagnostic::error("not-constant", "Value not known early enough")
            .detail(eco_format!("{} is needed before anything is evaluated, but {why}.", self.purpose))
            .at(span)
            .help("Use literals, and variables and locals whose values are constant.")
    }

    /// Evaluates something with a name, or remembers what it was.
    fn remembered(
        &self,
        kind: Kind,
        name: &EcoString,
        span: Span,
        diagnostics: &mut Diagnostics,
        evaluate: impl FnOnce(&mut Diagnostics) -> Outcome,
    ) -> Outcome {
        let key = (self.module, kind, name.clone());
        let before = self.memory.values.borrow_mut().insert(key.clone(), Remembered::Running);
        let outcome = match before {
            Some(Remembered::Known(value)) => Ok(value),
            Some(Remembered::Failed) => Err(Failed),
            Some(Remembered::Running) => {
                diagnostics.push(self.not_constant("it depends on itself", span));
                return Err(Failed);
            }
            None if self.memory.depth.get() >= MAX_DEPTH => {
                let why = eco_format!("more than {MAX_DEPTH} variables and locals lead to its value");
                diagnostics.push(self.not_constant(&why, span));
                Err(Failed)
            }
            None => {
                self.memory.depth.set(self.memory.depth.get() + 1);
                let outcome = evaluate(diagnostics);
                self.memory.depth.set(self.memory.depth.get() - 1);
                outcome
            }
        };
        let remembered = match &outcome {
            Ok(value) => Remembered::Known(value.clone()),
            Err(Failed) => Remembered::Failed,
        };
        self.memory.values.borrow_mut().insert(key, remembered);
        outcome
    }

    fn expression(&self, expr: &Expr, diagnostics: &mut Diagnostics) -> Outcome {
        self.eval(expr).map_err(|found| {
            diagnostics.extend(found);
            Failed
        })
    }

    fn local(&self, name: &EcoString, span: Span, diagnostics: &mut Diagnostics) -> Outcome {
        let module = &self.modules[self.module.0 as usize];
        let Some(decl) = module.locals.get(name) else {
            let guess = did_you_mean(name, module.locals.keys().map(EcoString::as_str));
            diagnostics.push(unknown("unknown-local", "Reference to undeclared local value", span, guess));
            return Err(Failed);
        };
        self.remembered(Kind::Local, name, span, diagnostics, |found| self.expression(&decl.value, found))
    }

    fn variable(&self, name: &EcoString, span: Span, diagnostics: &mut Diagnostics) -> Outcome {
        let module = &self.modules[self.module.0 as usize];
        let Some(decl) = module.variables.get(name) else {
            let guess = did_you_mean(name, module.variables.keys().map(EcoString::as_str));
            diagnostics.push(unknown(
                "unknown-variable",
                "Reference to undeclared input variable",
                span,
                guess,
            ));
            return Err(Failed);
        };
        if decl.sensitive || decl.ephemeral {
            let why = eco_format!("the variable `{name}` is sensitive or ephemeral");
            diagnostics.push(self.not_constant(&why, span).label(decl.span, "declared here"));
            return Err(Failed);
        }
        self.remembered(Kind::Variable, name, span, diagnostics, |found| {
            let given = self.given_to(module, name, found)?;
            let given = given.filter(|value| decl.nullable || !value.is_null() || decl.default.is_none());
            let value = match (given, &decl.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.expression(default, found)?,
                (None, None) => {
                    found.push(self.without_value(name, span, module.path.is_root()));
                    return Err(Failed);
                }
            };
            decl.typed(value, Place::At(span)).map_err(|problems| {
                found.extend(problems.into_iter().map(|problem| problem.label(decl.span, "declared here")));
                Failed
            })
        })
    }

    /// What a variable is given from outside of its module.
    fn given_to(
        &self,
        module: &Module,
        name: &EcoString,
        diagnostics: &mut Diagnostics,
    ) -> Outcome<Option<Value>> {
        let Some((parent, call)) = module.parent else { return Ok(self.given.get(name).cloned()) };
        let call = &self.modules[parent.0 as usize].calls[call as usize];
        let caller = self.within(parent);
        if let Some(written) = call.given(name) {
            return caller.expression(written, diagnostics).map(Some);
        }
        match call.passed_object() {
            Some(all) => caller.expression(all, diagnostics).map(|value| value.get(name).cloned()),
            None => Ok(None),
        }
    }

    fn without_value(&self, name: &str, span: Span, root: bool) -> Diagnostic {
        let diagnostic = Diagnostic::error("constant-without-value", "No value for a variable that is needed early")
            .detail(eco_format!(
                "{} is needed before anything is evaluated. It depends on the variable `{name}`, which has no default and was given no value.",
                self.purpose
            ))
            .at(span);
        if root {
            diagnostic.help(eco_format!(
                "Give it with `-var {name}=…`, in a `.tfvars` file, or as `TF_VAR_{name}`, or write a default."
            ))
        } else {
            diagnostic
                .help(eco_format!("Add the argument `{name}` to the `module` block, or write a default."))
        }
    }
}

fn unknown(code: &'static str, summary: &'static str, span: Span, guess: Option<EcoString>) -> Diagnostic {
    Diagnostic::error(code, summary)
        .detail("The source and the version of a module are looked up before anything else, and there is no such name in this module.")
        .at(span)
        .maybe_help(guess)
}

impl Names for Constants<'_> {
    fn lookup(&self, traversal: &Traversal, diagnostics: &mut Diagnostics) -> Outcome<(Value, usize)> {
        let reference = reference::parse(traversal).map_err(|problem| {
            diagnostics.push(*problem);
            Failed
        })?;
        let module = &self.modules[self.module.0 as usize];
        let shown = |path: &std::path::Path| Value::string(path.to_string_lossy());
        let value = match reference.subject {
            Subject::Variable(name) => self.variable(&name.name, traversal.span, diagnostics)?,
            Subject::Local(name) => self.local(&name.name, traversal.span, diagnostics)?,
            Subject::Path(name) if name.as_str() == "module" => shown(&module.directory),
            Subject::Path(name) if name.as_str() == "root" => shown(&self.modules[0].directory),
            Subject::Path(name) if name.as_str() == "cwd" => shown(&self.world.cwd()),
            Subject::Terraform(name) if name.as_str() == "workspace" => Value::string(self.workspace),
            _ => {
                let why = eco_format!("`{traversal}` gets its value later");
                diagnostics.push(self.not_constant(&why, traversal.span));
                return Err(Failed);
            }
        };
        Ok((value, reference.steps))
    }
}
