//! Why a call has no result.

use plumb_model::convert::ConvertError;

/// What kind of mistake it is; each has its own summary for the author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A parameter has no argument.
    TooFewArguments,
    /// There are more arguments than parameters.
    TooManyArguments,
    /// An argument is not one that the function takes.
    InvalidArgument,
    /// The function could not do its work.
    Failed,
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FunctionError {
    /// The argument that is to blame, counted from zero.
    pub argument: Option<usize>,
    /// What was found and what was wanted; begins in lower case and has no full stop.
    pub message: String,
    /// What kind of mistake it is.
    pub kind: ErrorKind,
}

impl FunctionError {
    /// An argument is not one that the function takes.
    pub fn argument(argument: usize, message: impl Into<String>) -> FunctionError {
        FunctionError { argument: Some(argument), message: message.into(), kind: ErrorKind::InvalidArgument }
    }

    /// The function could not do its work.
    pub fn failed(message: impl Into<String>) -> FunctionError {
        FunctionError { argument: None, message: message.into(), kind: ErrorKind::Failed }
    }

    pub(crate) fn converting(argument: usize, error: &ConvertError) -> FunctionError {
        FunctionError::argument(argument, error.to_string())
    }
}
