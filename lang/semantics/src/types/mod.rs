//! Types: what stands behind `type =`, and what `types` blocks give names to.
//!
//! [`constraint`] reads a type where it is used. What it gives is a [`Constraint`]: the [`Shape`], which is all that was
//! written, and what follows from it for values.
//!
//! Elsewhere: what a type is made of is [`shape`], how it is read `read`, how types get names `define`, and how values are held against them `hold`.

use std::sync::Arc;

use indexmap::IndexMap;
use plumb_model::defaults::Defaults;
use plumb_model::{Diagnostics, Type, Value};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Expr, Qualified};

pub(crate) mod define;
pub(crate) mod hold;
mod read;
pub mod shape;

pub use shape::{
    AttributeShape, EnumShape, NamedType, ObjectShape, Shape, ShapeKind, UnionShape, Variant, WhereShape,
};

/// A type as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// The type, with marks of optional attributes.
    pub ty: Type,
    /// What stands in for attributes that are absent.
    pub defaults: Option<Arc<Defaults>>,
    /// All that was written.
    pub shape: Shape,
}

impl Constraint {
    /// What follows from a shape.
    pub(crate) fn of(shape: Shape) -> Constraint {
        let defaults = shape.defaults();
        Constraint { ty: shape.ty(), defaults: (!defaults.is_empty()).then(|| Arc::new(defaults)), shape }
    }
}

/// The types by name.
pub type NamedTypes = IndexMap<ecow::EcoString, Arc<NamedType>>;

/// Which named types a type may mention.
pub(crate) trait TypeScope {
    /// The type of that name in the module.
    fn named(&self, name: &str) -> Option<Arc<NamedType>>;

    /// The names of the types in the module, for guesses.
    fn names(&self) -> Vec<&str>;

    /// The type of that name in a library, or what is wrong with it.
    fn qualified(&self, name: &Qualified) -> Result<Arc<NamedType>, Box<plumb_model::Diagnostic>>;
}

/// Reads a type. Parts that are wrong are reported and taken as `any`.
///
/// `constant` evaluates the defaults of optional attributes, which may not refer to anything.
pub(crate) fn constraint(
    expr: &Expr,
    dialect: Dialect,
    scope: &dyn TypeScope,
    constant: &dyn Fn(&Expr) -> Result<Value, Diagnostics>,
    diagnostics: &mut Diagnostics,
) -> Constraint {
    Constraint::of(read::shape(expr, dialect, scope, constant, diagnostics))
}
