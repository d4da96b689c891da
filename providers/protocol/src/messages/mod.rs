//! The messages of plugin protocol 6, written down as structs; protocol 5 uses the same ones.
//!
//! Field numbers and meanings are those of the published protocol up to minor version 10. The two major versions
//! agree number for number, except in the attributes of a schema (see [`schema`]); where one of them lacks a field
//! or a method, the field is simply never set. Messages of equal shape share one struct, and a request or response
//! that has no fields is [`Empty`]. State stores, which only some hosts keep their state in, are left out.
//!
//! Invariant: nothing is interpreted here. What a message means as values and schemas is [`crate::value`],
//! [`crate::schema`] and [`crate::diagnostic`].

#![expect(missing_docs, reason = "names and meanings are the protocol's; the structs are its listing")]

pub mod action;
pub mod common;
pub mod ephemeral;
pub mod function;
pub mod provider;
pub mod resource;
pub mod schema;
pub mod side;

pub use action::*;
pub use common::*;
pub use ephemeral::*;
pub use function::*;
pub use provider::*;
pub use resource::*;
