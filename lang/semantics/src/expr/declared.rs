//! Calls of functions that authors wrote.
//!
//! Arguments are held against the types of the parameters, the body is evaluated with nothing but the arguments in
//! scope, and what comes out is held against the type of the result. Bodies were read once; a call costs what its body
//! costs. What goes wrong in a body is told with the call that led there, and the call that led to that.
//!
//! Always true: functions do not call themselves and are not nested deeper than an expression may be, which was made
//! sure when they were read.

use ecow::{EcoString, eco_format};
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Type, Value};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Call, Traversal};

use super::{Eval, Failed, FunctionContext, Names, Outcome, Rules, plural};
use crate::program::{Declarations, FunctionDecl, ParameterDecl};
use crate::types::hold::{Place, diagnostics as misfits, hold};

/// How many calls within each other are shown.
const MOST_CALLS_SHOWN: usize = 6;

impl Eval<'_> {
    /// The value of a call of a function that is declared in a directory.
    pub(super) fn call_declared(&mut self, home: &Declarations, decl: &FunctionDecl, call: &Call) -> Outcome {
        let result = || {
            Value::unknown(decl.result.as_ref().map_or(Type::Dynamic, |r| r.shape.ty().without_optional()))
        };
        let (given, marks) = self.arguments(call)?;
        // How many arguments there are is not known yet.
        let Some(given) = given else { return Ok(result().with_marks(marks)) };
        if let Some(diagnostic) = wrong_count(call, decl, given.len()) {
            return self.fail(diagnostic);
        }
        let mut arguments = Vec::with_capacity(decl.parameters.len());
        let mut failed = false;
        for (i, parameter) in decl.parameters.values().enumerate() {
            match given.get(i) {
                Some(value) => match self.argument(call, decl, parameter, i, value) {
                    Ok(value) => arguments.push(value.with_marks(marks)),
                    Err(Failed) => failed = true,
                },
                None => arguments.push(parameter.default.clone().unwrap_or(Value::NULL)),
            }
        }
        if failed {
            return Err(Failed);
        }
        let value = self.body(home, decl, call, arguments)?;
        let Some(wanted) = &decl.result else { return Ok(value) };
        match hold(&value, &wanted.shape) {
            Ok(value) => Ok(value),
            Err(found) => {
                let name = eco_format!("{}(…)", decl.name);
                for diagnostic in misfits(found, &name, Place::Written(&decl.value)) {
                    let diagnostic = diagnostic.label(wanted.shape.span, "the type of the result");
                    self.diagnostics.push(called_from(diagnostic, decl, call));
                }
                Err(Failed)
            }
        }
    }

    fn argument(
        &mut self,
        call: &Call,
        decl: &FunctionDecl,
        parameter: &ParameterDecl,
        index: usize,
        value: &Value,
    ) -> Outcome {
        // What is expanded from a sequence has no place of its own.
        let expanded = call.expand_final.is_some() && index + 1 >= call.arguments.len();
        let from = match call.arguments.get(index) {
            Some(written) if !expanded => Place::Written(written),
            _ => Place::At(call.arguments_span),
        };
        hold(value, &parameter.constraint.shape).map_err(|found| {
            for diagnostic in misfits(found, &parameter.name.name, from) {
                let text = eco_format!("the parameter `{}` of `{}`", parameter.name, decl.name);
                self.diagnostics.push(diagnostic.label(parameter.name.span, text));
            }
            Failed
        })
    }

    fn body(
        &mut self,
        home: &Declarations,
        decl: &FunctionDecl,
        call: &Call,
        arguments: Vec<Value>,
    ) -> Outcome {
        let context = FunctionContext {
            provider_functions: None,
            dialect: Dialect::Native,
            strict: false,
            declared: Some(home),
            ..*self.functions
        };
        let mut names = Body { decl, arguments, locals: Vec::with_capacity(decl.locals.len()) };
        for local in decl.locals.values() {
            // Only a local value that is needed must have one.
            let value = self.within(&names, &context).finish(&local.value);
            names.locals.push(value);
        }
        let mut eval = self.within(&names, &context);
        let value = eval.eval(&decl.value);
        for diagnostic in std::mem::take(&mut eval.diagnostics) {
            self.diagnostics.push(called_from(diagnostic, decl, call));
        }
        value
    }

    /// A walk through the body of a function.
    fn within<'n>(&self, names: &'n Body<'_>, context: &'n FunctionContext<'n>) -> Eval<'n> {
        Eval { quiet: self.quiet, ..Eval::new(names, context, Rules::of(Dialect::Native)) }
    }
}

/// Says which call led to what went wrong.
fn called_from(diagnostic: Diagnostic, decl: &FunctionDecl, call: &Call) -> Diagnostic {
    let in_call = |text: &EcoString| text.starts_with("in this call of ");
    match diagnostic.labels.iter().filter(|label| in_call(&label.text)).count() {
        shown if shown < MOST_CALLS_SHOWN => {
            diagnostic.label(call.name_span, eco_format!("in this call of `{}`", decl.name))
        }
        _ => diagnostic,
    }
}

/// That there are too few or too many arguments.
pub(crate) fn wrong_count(call: &Call, decl: &FunctionDecl, given: usize) -> Option<Diagnostic> {
    let wanted = decl.parameters.len();
    let required = decl.parameters.values().filter(|parameter| parameter.default.is_none()).count();
    let counted = |count: usize| eco_format!("{count} {}", plural(count, "argument"));
    let takes = match required == wanted {
        true => counted(wanted),
        false => eco_format!("{required} to {}", counted(wanted)),
    };
    if let Some((name, _)) = decl.parameters.get_index(given).filter(|_| given < required) {
        return Some(
            Diagnostic::error("too-few-arguments", "Not enough function arguments")
                .detail(eco_format!(
                    "`{}` takes {takes}, and there are {given}: `{name}` is missing.",
                    decl.name
                ))
                .at(call.arguments_span)
                .help(eco_format!("It is declared as `{}`.", signature(decl))),
        );
    }
    (given > wanted).then(|| {
        let place = call.arguments.get(wanted).map_or(call.arguments_span, |argument| argument.span);
        Diagnostic::error("too-many-arguments", "Too many function arguments")
            .detail(eco_format!("`{}` takes {takes}, and there are {given}.", decl.name))
            .at(place)
            .help(eco_format!("It is declared as `{}`.", signature(decl)))
    })
}

/// A function as a person would write what it takes: `name(a: string, b: number?)`.
fn signature(decl: &FunctionDecl) -> EcoString {
    let parameters: Vec<String> = decl
        .parameters
        .values()
        .map(|parameter| {
            let default = if parameter.default.is_some() { " = …" } else { "" };
            format!("{}: {}{default}", parameter.name, parameter.constraint.shape)
        })
        .collect();
    eco_format!("{}({})", decl.name, parameters.join(", "))
}

/// The names in the body of a function.
struct Body<'a> {
    decl: &'a FunctionDecl,
    /// By the index of the parameter.
    arguments: Vec<Value>,
    /// By the index of the local value, as far as they have been evaluated.
    locals: Vec<Result<Value, Diagnostics>>,
}

impl Names for Body<'_> {
    fn lookup(&self, traversal: &Traversal, diagnostics: &mut Diagnostics) -> Outcome<(Value, usize)> {
        let argument = |name: &EcoString| self.arguments.get(self.decl.parameters.get_index_of(name)?);
        let name = traversal.attribute(0);
        match traversal.root.as_str() {
            "param" => {
                if let Some(value) = name.and_then(|name| argument(&name.name)) {
                    return Ok((value.clone(), 1));
                }
            }
            "local" => {
                let index = name.and_then(|name| self.decl.locals.get_index_of(&name.name));
                match index.and_then(|index| self.locals.get(index)) {
                    Some(Ok(value)) => return Ok((value.clone(), 1)),
                    Some(Err(found)) => {
                        diagnostics.extend(found.clone());
                        return Err(Failed);
                    }
                    None => {}
                }
            }
            _ => {
                if let Some(value) = argument(&traversal.root.name) {
                    return Ok((value.clone(), 0));
                }
            }
        }
        diagnostics.push(unknown_name(self.decl, traversal));
        Err(Failed)
    }
}

/// That a function mentions what is not in it.
pub(crate) fn unknown_name(decl: &FunctionDecl, traversal: &Traversal) -> Diagnostic {
    let parameters = || decl.parameters.keys().map(EcoString::as_str);
    let locals = decl.locals.keys().map(EcoString::as_str);
    let root = traversal.root.as_str();
    let (what, guess) = match (root, traversal.attribute(0)) {
        ("local", Some(name)) => (
            eco_format!("The function `{}` has no local value `{name}`", decl.name),
            did_you_mean(name.as_str(), locals),
        ),
        ("param", Some(name)) => (
            eco_format!("The function `{}` has no parameter `{name}`", decl.name),
            did_you_mean(name.as_str(), parameters()),
        ),
        _ => (
            eco_format!("`{traversal}` is not in the function `{}`", decl.name),
            did_you_mean(root, parameters()),
        ),
    };
    Diagnostic::error("not-in-function", "Reference to what is outside of the function")
        .detail(eco_format!(
            "{what}: it sees its parameters and its own local values, and nothing of the module around it."
        ))
        .at(traversal.span)
        .help(guess.unwrap_or_else(|| {
            eco_format!("Add a parameter, and pass the value on where `{}` is called.", decl.name)
        }))
}

/// Whether a traversal names something in a function.
pub(crate) fn is_in_function(decl: &FunctionDecl, traversal: &Traversal) -> bool {
    let name = traversal.attribute(0).map(|name| &name.name);
    match traversal.root.as_str() {
        "param" => name.is_some_and(|name| decl.parameters.contains_key(name)),
        "local" => name.is_some_and(|name| decl.locals.contains_key(name)),
        _ => decl.parameters.contains_key(&traversal.root.name),
    }
}
