//! The words everybody shares: plain data, no input or output.
//!
//! Everything here knows nothing of files, providers or plans. The other crates know this one.

pub mod diagnostic;
pub mod number;
pub mod path;
pub mod span;

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity, Suggestion};
pub use number::Number;
pub use path::{Path, Step};
pub use span::{Position, Source, SourceId, Sources, Span};
