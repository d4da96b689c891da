//! What a function takes and gives.

use std::sync::Arc;

use ecow::EcoString;
use plumb_model::{Number, Type, Value};

use crate::context::Context;
use crate::error::{ErrorKind, FunctionError};

/// Where a function comes from, for whoever wants to offer only some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Terraform and OpenTofu have it, in every version since 1.11.
    Common,
    /// OpenTofu or a later Terraform has it; in Terraform 1.11 its name means nothing.
    Later,
    /// Terraform's built-in provider has it; it is called as `provider::terraform::…`.
    BuiltinProvider,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name, as messages show it.
    pub name: &'static str,
    /// The type that arguments are converted to; [`Type::Dynamic`] takes any.
    pub ty: Type,
    /// Whether the argument may be null.
    pub allow_null: bool,
    /// Whether the function itself deals with an argument that is not known.
    pub allow_unknown: bool,
    /// Whether the function itself deals with an argument that is known, but of which parts are not.
    pub allow_unknown_parts: bool,
    /// Whether the function itself deals with marks on the argument and its parts.
    pub allow_marked: bool,
    /// Whether the function itself deals with an argument whose type is not known, such as an untyped null.
    pub allow_dynamic: bool,
    /// What it is for, in a sentence.
    pub description: &'static str,
}

impl Parameter {
    /// Whether the function is called with this argument, or its result is unknown.
    pub(crate) fn takes(&self, value: &Value) -> bool {
        if self.allow_unknown {
            true
        } else if self.allow_unknown_parts {
            value.is_known()
        } else {
            value.is_wholly_known()
        }
    }
}

/// What a function takes and gives.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The name that it is called by.
    pub name: &'static str,
    /// What each call has to give, in order.
    pub parameters: Vec<Parameter>,
    /// What a call may give any number of after that.
    pub variadic: Option<Parameter>,
    /// The type of the result; [`Type::Dynamic`] if it depends on the arguments.
    pub returns: Type,
    /// What it does, in a sentence or two.
    pub description: &'static str,
}

impl Signature {
    /// The parameter of an argument, counted from zero.
    pub fn parameter(&self, argument: usize) -> Option<&Parameter> {
        self.parameters.get(argument).or(self.variadic.as_ref())
    }

    pub(crate) fn check_count(&self, count: usize) -> Result<(), FunctionError> {
        let wanted = self.parameters.len();
        if let Some(missing) = self.parameters.get(count) {
            let at_least = if self.variadic.is_some() { "at least " } else { "" };
            return Err(FunctionError {
                argument: None,
                message: format!(
                    "function {:?} expects {at_least}{wanted} argument(s), and there are {count}; the value for \
                     {:?} is missing",
                    self.name, missing.name
                ),
                kind: ErrorKind::TooFewArguments,
            });
        }
        if count > wanted && self.variadic.is_none() {
            return Err(FunctionError {
                argument: Some(wanted),
                message: format!(
                    "function {:?} expects only {wanted} argument(s), and there are {count}",
                    self.name
                ),
                kind: ErrorKind::TooManyArguments,
            });
        }
        Ok(())
    }
}

/// A function that expressions can call.
#[derive(Clone, Debug)]
pub struct Function {
    /// What it takes and gives.
    pub signature: Signature,
    /// Where it comes from.
    pub origin: Origin,
    pub(crate) run: Run,
}

pub(crate) type Outcome = Result<Value, FunctionError>;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// Works on values.
    Values(fn(&Call<'_>) -> Outcome),
    /// Works on expressions, which only the evaluator has.
    Expressions,
}

impl Function {
    /// Whether it takes expressions rather than values, so that only the evaluator can carry it out.
    pub fn takes_expressions(&self) -> bool {
        matches!(self.run, Run::Expressions)
    }

    /// Whether it reads files or asks where they are, so that its results depend on more than its arguments.
    pub fn reads_files(&self) -> bool {
        let name = self.signature.name;
        name == "abspath" || name == "pathexpand" || name == "templatefile" || name.starts_with("file")
    }

    pub(crate) fn new(name: &'static str, returns: Type, run: fn(&Call<'_>) -> Outcome) -> Function {
        Function {
            signature: Signature { name, parameters: Vec::new(), variadic: None, returns, description: "" },
            origin: Origin::Common,
            run: Run::Values(run),
        }
    }

    /// One that the evaluator carries out.
    pub(crate) fn of_expressions(name: &'static str, returns: Type) -> Function {
        Function {
            signature: Signature { name, parameters: Vec::new(), variadic: None, returns, description: "" },
            origin: Origin::Common,
            run: Run::Expressions,
        }
    }

    pub(crate) fn describe(mut self, description: &'static str) -> Function {
        self.signature.description = description;
        self
    }

    pub(crate) fn origin(mut self, origin: Origin) -> Function {
        self.origin = origin;
        self
    }

    pub(crate) fn takes(mut self, parameter: Parameter) -> Function {
        self.signature.parameters.push(parameter);
        self
    }

    pub(crate) fn takes_many(mut self, parameter: Parameter) -> Function {
        self.signature.variadic = Some(parameter);
        self
    }
}

/// A parameter that takes known values without marks that are not null.
pub(crate) fn parameter(name: &'static str, ty: Type, description: &'static str) -> Parameter {
    Parameter {
        name,
        ty,
        allow_null: false,
        allow_unknown: false,
        allow_unknown_parts: false,
        allow_marked: false,
        allow_dynamic: false,
        description,
    }
}

impl Parameter {
    pub(crate) fn nullable(mut self) -> Parameter {
        self.allow_null = true;
        self
    }

    pub(crate) fn unknown(mut self) -> Parameter {
        self.allow_unknown = true;
        self.allow_unknown_parts = true;
        self
    }

    pub(crate) fn unknown_parts(mut self) -> Parameter {
        self.allow_unknown_parts = true;
        self
    }

    pub(crate) fn marked(mut self) -> Parameter {
        self.allow_marked = true;
        self
    }

    pub(crate) fn dynamic(mut self) -> Parameter {
        self.allow_dynamic = true;
        self
    }
}

/// The arguments of a call, converted, and the world.
pub(crate) struct Call<'a> {
    pub args: &'a [Value],
    pub context: &'a dyn Context,
}

impl Call<'_> {
    /// The text of an argument whose parameter is a string that must be known.
    pub fn text(&self, i: usize) -> &EcoString {
        self.args[i].as_str().expect("the parameter is a string that is known")
    }

    /// The number of an argument whose parameter is a number that must be known.
    pub fn number(&self, i: usize) -> &Number {
        self.args[i].as_number().expect("the parameter is a number that is known")
    }

    /// The whole number of an argument whose parameter is a number that must be known.
    pub fn integer(&self, i: usize) -> Result<i64, FunctionError> {
        whole(self.number(i)).map_err(FunctionError::failed)
    }

    /// The items of an argument whose parameter is a list or set that must be known.
    pub fn items(&self, i: usize) -> &[Value] {
        self.args[i].as_items().expect("the parameter is a sequence that is known")
    }
}

/// The number as `i64`, or what is wanted instead.
pub(crate) fn whole(number: &Number) -> Result<i64, String> {
    number.to_i64().ok_or_else(|| {
        format!("value must be a whole number, between {} and {}, not {}", i64::MIN, i64::MAX, short(number))
    })
}

/// A number for a message: huge ones by their size.
fn short(number: &Number) -> String {
    let text = number.to_string();
    if text.len() > 60 { format!("one of {} characters", text.len()) } else { text }
}

/// A list of strings.
pub(crate) fn strings(items: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    Value::list(Type::String, items.into_iter().map(|item| Value::string(item.as_ref())).collect())
}

/// A whole number as functions return it.
pub(crate) fn count(n: usize) -> Value {
    Value::Number(Number::from_count(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// The entries of a sequence as a shared list of the same element type.
pub(crate) fn list_like(element: &Type, items: Vec<Value>) -> Value {
    Value::List(Arc::new(plumb_model::value::Sequence { element: element.clone(), items }))
}
