//! Type constraints: what stands behind `type =`, and what stands in for attributes that a value lacks.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::Value;

/// What stands in for optional attributes that are absent or null, at any depth of a type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Of an object: values by attribute.
    pub values: BTreeMap<EcoString, Value>,
    /// Of an object or tuple: what stands in within attributes or elements; tuples have indices as names.
    pub children: BTreeMap<EcoString, Arc<Defaults>>,
    /// Of a collection: what stands in within each element.
    pub element: Option<Arc<Defaults>>,
}
