//! The words everybody shares: plain data, no input or output.
//!
//! Everything here knows nothing of files, providers or plans. The other crates know this one.

pub mod address;
pub mod convert;
pub mod defaults;
pub mod diagnostic;
pub mod equality;
pub mod json;
pub mod marks;
pub mod number;
pub mod operators;
pub mod path;
pub mod schema;
pub mod span;
pub mod types;
pub mod unify;
pub mod value;

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity, Suggestion};
pub use marks::Marks;
pub use number::Number;
pub use path::{Path, Step};
pub use schema::{
    Attribute, AttributeType, Block, DescriptionKind, NestedBlock, NestedObject, Nesting, Schema,
};
pub use span::{Position, Source, SourceId, Sources, Span};
pub use types::{ObjectType, Type};
pub use value::{Entries, Refinement, Unknown, Value};
