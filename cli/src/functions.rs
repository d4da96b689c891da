//! Functions of providers, for expressions: `provider::time::rfc3339_parse("…")`.
//!
//! The evaluator asks and waits; the provider is found, and started if its function is the first thing that anybody
//! wants from it, by the registry. Arguments are counted and converted here, and a function sees null or unknown
//! arguments only where its signature says that it can handle them.

use std::sync::Arc;

use plumb_engine::providers::Factory as _;
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostics, Value, convert, diagnostic};
use plumb_provider_api::{FunctionParameter, FunctionSignature};
use plumb_semantics::eval::ProviderFunctions;

use crate::registry::Registry;
use crate::session;

/// What is wrong, and with which argument.
type Wrong = (String, Option<usize>);

/// Calls functions of the providers of a registry.
pub struct Functions {
    registry: Arc<Registry>,
}

impl Functions {
    /// Those of a registry.
    pub fn new(registry: Arc<Registry>) -> Functions {
        Functions { registry }
    }
}

impl ProviderFunctions for Functions {
    fn call(&self, source: &ProviderSource, function: &str, arguments: Vec<Value>) -> Result<Value, Wrong> {
        let schema = session::wait(self.registry.schema(source)).map_err(|found| (words(&found), None))?;
        let Some(signature) = schema.functions.get(function) else {
            let guess = diagnostic::did_you_mean(function, schema.functions.keys().map(|name| name.as_str()));
            let guess = guess.map(|guess| format!(" {guess}")).unwrap_or_default();
            return Err((format!("the provider {source} has no function `{function}`.{guess}"), None));
        };
        let Some(arguments) = prepare(signature, arguments)? else {
            return Ok(Value::unknown(signature.returns.clone()));
        };
        let provider = self.registry.describing(source).map_err(|found| (words(&found), None))?;
        session::wait(provider.call(function, arguments)).map_err(|error| (error.text, error.argument))
    }
}

/// The arguments as the function wants them; `None` if its result cannot be known yet.
fn prepare(signature: &FunctionSignature, arguments: Vec<Value>) -> Result<Option<Vec<Value>>, Wrong> {
    let (given, wanted) = (arguments.len(), signature.parameters.len());
    if given < wanted || (given > wanted && signature.variadic.is_none()) {
        let least = if signature.variadic.is_some() { "at least " } else { "" };
        let plural = if wanted == 1 { "" } else { "s" };
        return Err((format!("it takes {least}{wanted} argument{plural}, and there are {given}"), None));
    }
    let parameters = signature.parameters.iter().chain(signature.variadic.iter().cycle());
    let mut prepared = Vec::with_capacity(given);
    let mut known = true;
    for (index, (argument, parameter)) in arguments.iter().zip(parameters).enumerate() {
        let argument = prepare_one(argument, parameter).map_err(|text| (text, Some(index)))?;
        known &= parameter.allow_unknown || argument.is_wholly_known();
        prepared.push(argument);
    }
    Ok(known.then_some(prepared))
}

fn prepare_one(argument: &Value, parameter: &FunctionParameter) -> Result<Value, String> {
    let argument = convert::convert(argument, &parameter.ty).map_err(|error| error.to_string())?;
    if argument.is_null() && !parameter.allow_null {
        return Err(format!("`{}` must not be null", parameter.name));
    }
    Ok(argument)
}

/// What diagnostics say, as a sentence within another diagnostic.
fn words(found: &Diagnostics) -> String {
    let errors = found.iter().filter(|diagnostic| diagnostic.is_error());
    errors.map(|diagnostic| diagnostic.detail.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use plumb_model::Type;

    use super::*;

    fn parameter(name: &str, allow_unknown: bool) -> FunctionParameter {
        let description = String::new().into();
        FunctionParameter {
            name: name.into(),
            ty: Type::String,
            allow_null: false,
            allow_unknown,
            description,
        }
    }

    fn join(allow_unknown: bool) -> FunctionSignature {
        FunctionSignature {
            parameters: vec![parameter("separator", allow_unknown)],
            variadic: Some(parameter("words", allow_unknown)),
            returns: Type::String,
            summary: String::new().into(),
            description: String::new().into(),
            deprecated: None,
        }
    }

    #[test]
    fn arguments_are_counted_and_converted() {
        let call = |arguments| prepare(&join(false), arguments);
        let wanted = vec![Value::string("-"), Value::string("1"), Value::string("true")];
        assert_eq!(call(vec![Value::string("-"), Value::int(1), Value::Bool(true)]), Ok(Some(wanted)));
        assert!(call(vec![]).unwrap_err().0.contains("at least 1 argument"));
        assert_eq!(call(vec![Value::string("-"), Value::Null(Type::String)]).unwrap_err().1, Some(1));
        let fixed = FunctionSignature { variadic: None, ..join(false) };
        assert!(prepare(&fixed, vec![Value::string("a"); 2]).is_err());
    }

    #[test]
    fn what_is_unknown_is_shown_only_to_those_who_can_bear_it() {
        let unknown = || vec![Value::unknown(Type::String)];
        assert_eq!(prepare(&join(false), unknown()), Ok(None));
        assert_eq!(prepare(&join(true), unknown()), Ok(Some(unknown())));
    }
}
