//! Functions that configurations call: `provider::NAME::FUNCTION(…)`.
//!
//! A function is pure: the same arguments give the same result. It is called whether or not the provider is configured,
//! so it has no client.

use async_trait::async_trait;
use ecow::EcoString;
use plumb_model::{Type, Value};
use plumb_provider_api::{FunctionError, FunctionParameter, FunctionSignature};

use crate::attribute::{Attr, AttributeValue, Mismatch};
use crate::model::doc_text;

/// A function.
///
/// ```
/// use plumb_provider_sdk::{Arguments, Function, FunctionError, async_trait};
///
/// /// Joins the parts of a name with dots.
/// #[derive(Arguments)]
/// struct Join {
///     /// The first part.
///     first: String,
///     /// More of them.
///     #[argument(variadic)]
///     more: Vec<String>,
/// }
///
/// struct JoinNames;
///
/// #[async_trait]
/// impl Function for JoinNames {
///     type Arguments = Join;
///     type Result = String;
///
///     async fn call(&self, join: Join) -> Result<String, FunctionError> {
///         if join.first.is_empty() {
///             return Err(FunctionError::about(0, "Found empty text, wanted at least one character."));
///         }
///         Ok(std::iter::once(join.first).chain(join.more).collect::<Vec<_>>().join("."))
///     }
/// }
/// ```
#[async_trait]
pub trait Function: Send + Sync + 'static {
    /// What it is called with.
    type Arguments: Arguments;
    /// What comes back. An [`Attr`] may be null, and unknown where an argument is.
    type Result: AttributeValue + Send;

    /// Why not to use it any more.
    fn deprecated(&self) -> Option<&str> {
        None
    }

    /// Calls it.
    ///
    /// # Errors
    /// What is wrong, and with which argument, where it is about one.
    async fn call(&self, arguments: Self::Arguments) -> Result<Self::Result, FunctionError>;
}

/// The arguments of a function: a struct whose fields are the parameters in order.
///
/// Doc comments are the documentation: that of the struct is the function's, and its first paragraph the summary. A
/// field of type `T` takes values that are known and not null, an `Option<T>` also null, an [`Attr<T>`] also what is
/// unknown. The last field may be a `Vec` with `#[argument(variadic)]`, which takes all further arguments.
pub trait Arguments: Sized + Send + 'static {
    /// Documentation; Markdown.
    fn description() -> EcoString;

    /// The parameters.
    fn parameters() -> Vec<Parameter>;

    /// What further arguments are, if there may be any.
    fn variadic() -> Option<Parameter>;

    /// Reads them.
    ///
    /// # Errors
    /// Which one does not fit.
    fn read(arguments: &mut Reader) -> Result<Self, FunctionError>;
}

/// A parameter of a function.
pub type Parameter = FunctionParameter;

/// The parameter for values of a Rust type.
pub fn parameter<T: AttributeValue>(name: &str, doc: &str, null: bool, unknown: bool) -> Parameter {
    Parameter {
        name: name.into(),
        ty: T::value_type(),
        allow_null: null,
        allow_unknown: unknown,
        description: doc_text(doc),
    }
}

/// The parameter for one element of a list.
pub fn element(list: Parameter) -> Parameter {
    let ty = match list.ty {
        Type::List(element) => (*element).clone(),
        other => other,
    };
    Parameter { ty, ..list }
}

/// The arguments of one call, read in order.
#[derive(Debug)]
pub struct Reader {
    arguments: std::vec::IntoIter<Value>,
    next: usize,
}

impl Reader {
    fn new(arguments: Vec<Value>) -> Reader {
        Reader { arguments: arguments.into_iter(), next: 0 }
    }

    fn take(&mut self) -> (usize, Option<Value>) {
        self.next += 1;
        (self.next - 1, self.arguments.next())
    }

    /// The next argument, which may be null or unknown.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn read_any<T: AttributeValue>(&mut self) -> Result<Attr<T>, FunctionError> {
        let (index, value) = self.take();
        Attr::read(&value.unwrap_or(Value::NULL)).map_err(|error| unsuitable(index, error))
    }

    /// The next argument, which may be null.
    ///
    /// # Errors
    /// If it does not fit, or is unknown.
    pub fn read_known<T: AttributeValue>(&mut self) -> Result<Option<T>, FunctionError> {
        match self.read_any()? {
            Attr::Null => Ok(None),
            Attr::Known(value) => Ok(Some(value)),
            Attr::Unknown => Err(FunctionError::about(self.next - 1, "Found a value that is not known yet.")),
        }
    }

    /// The next argument.
    ///
    /// # Errors
    /// If it does not fit, or is null or unknown.
    pub fn read_set<T: AttributeValue>(&mut self) -> Result<T, FunctionError> {
        let wanted = T::value_type();
        self.read_known()?.ok_or_else(|| {
            FunctionError::about(self.next - 1, format!("Found null, wanted {}.", wanted.friendly_name()))
        })
    }

    /// All further arguments.
    ///
    /// # Errors
    /// Which one does not fit.
    pub fn read_rest<T: AttributeValue>(&mut self) -> Result<Vec<T>, FunctionError> {
        let mut rest = Vec::new();
        while !self.arguments.as_slice().is_empty() {
            let (index, value) = self.take();
            let value = value.unwrap_or(Value::NULL);
            rest.push(T::from_element(&value).map_err(|error| unsuitable(index, error))?);
        }
        Ok(rest)
    }
}

fn unsuitable(index: usize, mismatch: Mismatch) -> FunctionError {
    let place = if mismatch.path.is_root() { String::new() } else { format!("At {}: ", mismatch.path) };
    FunctionError::about(index, format!("{place}{}", mismatch.problem))
}

/// A function, whatever its arguments.
#[async_trait]
pub(crate) trait AnyFunction: Send + Sync {
    fn signature(&self) -> FunctionSignature;
    async fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError>;
}

#[async_trait]
impl<F: Function> AnyFunction for F {
    fn signature(&self) -> FunctionSignature {
        let description = F::Arguments::description();
        let summary = description.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        FunctionSignature {
            parameters: F::Arguments::parameters(),
            variadic: F::Arguments::variadic(),
            returns: F::Result::value_type(),
            summary: summary.into(),
            description,
            deprecated: self.deprecated().map(EcoString::from),
        }
    }

    async fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let arguments = F::Arguments::read(&mut Reader::new(arguments))?;
        Function::call(self, arguments).await.map(F::Result::into_value)
    }
}
