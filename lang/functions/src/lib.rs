//! The functions that expressions call.
//!
//! [`lookup`] finds a function by name, [`call`] calls it: it converts the arguments to the types of the parameters,
//! refuses nulls where they are not allowed, answers with an unknown value where an argument is not known yet, and
//! carries marks of arguments over to the result. What is left for a function is its own work. Functions that care
//! about unknown values or marks in their arguments say so in their [`Parameter`]s and do these things themselves.
//!
//! Functions know the world only through [`Context`]: there is no input or output in here.
//!
//! Elsewhere: `try`, `can`, `type` and `convert` take expressions, not values. Their signatures are here, but whoever
//! evaluates expressions carries them out; [`Function::takes_expressions`] tells them apart. Printing a value as the
//! console does is [`console`].

mod assume;
mod character_class;
mod cidr;
mod collection;
mod combine;
pub mod console;
mod context;
mod date;
mod digest;
mod double;
mod duration;
mod ebcdic;
mod element;
mod encode;
mod encoding;
mod error;
mod file;
mod float;
mod formatting;
mod glob;
mod gzip;
mod json;
mod meta;
mod metadata;
mod numeric;
mod pattern;
mod regular;
mod rsa_key;
mod set;
mod signature;
mod string;
mod syntax;
mod text_encoding;
mod verb;
mod yaml;
mod yaml_scalar;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plumb_model::convert::convert;
use plumb_model::{Marks, Type, Value};

pub use context::{Context, FileError, FileKind};
pub use error::{ErrorKind, FunctionError};
pub use metadata::metadata;
pub use signature::{Function, Origin, Parameter, Signature};

use signature::{Call, Run};

static FUNCTIONS: LazyLock<BTreeMap<&'static str, Function>> = LazyLock::new(|| {
    [
        numeric::functions(),
        string::functions(),
        formatting::functions(),
        regular::functions(),
        encoding::functions(),
        text_encoding::functions(),
        json::functions(),
        yaml::functions(),
        digest::functions(),
        collection::functions(),
        element::functions(),
        combine::functions(),
        set::functions(),
        cidr::functions(),
        date::functions(),
        file::functions(),
        meta::functions(),
        assume::functions(),
        syntax::functions(),
    ]
    .into_iter()
    .flatten()
    .map(|function| (function.signature.name, function))
    .collect()
});

/// The function of a name. `core::upper` is `upper`; functions that a provider could have are found by their full
/// name, `provider::terraform::encode_expr`.
pub fn lookup(name: &str) -> Option<&'static Function> {
    FUNCTIONS.get(name.strip_prefix("core::").unwrap_or(name))
}

/// All functions, by name.
pub fn all() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.values()
}

/// The names of all functions, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.keys().copied()
}

/// Calls a function.
///
/// # Errors
/// If there are too few or too many arguments, an argument is not of the type of its parameter or null, or the function
/// fails.
pub fn call(function: &Function, args: &[Value], context: &dyn Context) -> Result<Value, FunctionError> {
    let Run::Values(run) = function.run else {
        return Err(FunctionError::failed("its arguments must be expressions, which are not available here"));
    };
    let signature = &function.signature;
    signature.check_count(args.len())?;
    let mut marks = Marks::NONE;
    let mut unknown = None;
    let mut ready = Vec::with_capacity(args.len());
    for (i, arg) in args.iter().enumerate() {
        let parameter = signature.parameter(i).expect("the count has been checked");
        let mut value = convert(arg, &parameter.ty).map_err(|e| FunctionError::converting(i, &e))?;
        if value.is_null() && !parameter.allow_null {
            return Err(FunctionError::argument(i, "argument must not be null"));
        }
        if !parameter.allow_marked {
            let (unmarked, found) = value.unmark_deep();
            value = unmarked;
            marks |= found;
        }
        if !parameter.allow_dynamic && is_dynamic(&value) {
            unknown = Some(Type::Dynamic);
        } else if !parameter.takes(&value) && unknown.is_none() {
            unknown = Some(signature.returns.clone());
        }
        ready.push(value);
    }
    let result = match unknown {
        Some(Type::Dynamic) => Value::unknown(Type::Dynamic),
        Some(ty) => Value::unknown_not_null(ty),
        None => run(&Call { args: &ready, context })?,
    };
    Ok(result.with_marks(marks))
}

fn is_dynamic(value: &Value) -> bool {
    match value.unmarked() {
        Value::Null(ty) => *ty == Type::Dynamic,
        Value::Unknown(unknown) => unknown.ty == Type::Dynamic,
        _ => false,
    }
}
