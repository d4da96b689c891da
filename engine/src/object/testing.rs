//! Short ways to write schemas and values in tests.

use std::sync::Arc;

use ecow::EcoString;
use plumb_model::{Attribute, AttributeType, Block, NestedBlock, NestedObject, Nesting, Type, Value};

use super::{Broken, same};

/// Checks that two values are the same, but for refinements and types of nulls.
#[track_caller]
pub(super) fn assert_same(found: &Value, expected: &Value) {
    assert!(same(found, expected), "found {found:#?}\nexpected {expected:#?}");
}

/// Checks what is broken, each as `path: problem`.
#[track_caller]
pub(super) fn assert_broken<T: AsRef<str>>(found: &[Broken], expected: &[T]) {
    let found: Vec<_> = found.iter().map(Broken::to_string).collect();
    assert_eq!(found, expected.iter().map(AsRef::as_ref).collect::<Vec<_>>());
}

pub(super) fn null() -> Value {
    Value::NULL
}

/// An unknown string.
pub(super) fn unknown() -> Value {
    Value::unknown(Type::String)
}

pub(super) fn s(text: &str) -> Value {
    Value::string(text)
}

pub(super) fn n(number: i64) -> Value {
    Value::int(number)
}

fn element(items: &[Value]) -> Type {
    items.iter().find(|v| !v.is_null()).map_or(Type::Dynamic, Value::ty)
}

pub(super) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    let items: Vec<_> = items.into_iter().collect();
    Value::list(element(&items), items)
}

pub(super) fn set(items: impl IntoIterator<Item = Value>) -> Value {
    let items: Vec<_> = items.into_iter().collect();
    Value::set(element(&items), items)
}

pub(super) fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
    Value::tuple(items.into_iter().collect())
}

pub(super) fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let entries: Vec<(EcoString, Value)> = entries.into_iter().map(|(k, v)| (k.into(), v)).collect();
    let element = entries.first().map_or(Type::String, |(_, v)| v.ty());
    Value::map(element, entries)
}

pub(super) fn obj<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    Value::object(entries)
}

/// An optional string.
pub(super) fn optional() -> Attribute {
    Attribute::optional(Type::String)
}

pub(super) fn optional_of(ty: Type) -> Attribute {
    Attribute::optional(ty)
}

/// A string that only the provider sets.
pub(super) fn computed() -> Attribute {
    Attribute::computed(Type::String)
}

/// A string that the provider may choose where it is not configured.
pub(super) fn optional_computed() -> Attribute {
    Attribute::optional_computed(Type::String)
}

/// An optional attribute with nested attributes.
pub(super) fn nested<'n>(
    nesting: Nesting,
    attributes: impl IntoIterator<Item = (&'n str, Attribute)>,
) -> Attribute {
    let attributes = attributes.into_iter().map(|(name, a)| (name.into(), a)).collect();
    let ty = AttributeType::Nested(Arc::new(NestedObject { attributes, nesting }));
    Attribute { ty, ..optional() }
}

/// The same, which the provider may choose where it is not configured.
pub(super) fn nested_computed<'n>(
    nesting: Nesting,
    attributes: impl IntoIterator<Item = (&'n str, Attribute)>,
) -> Attribute {
    Attribute { computed: true, ..nested(nesting, attributes) }
}

/// A nested block, any number of times.
pub(super) fn many(nesting: Nesting, block: Block) -> NestedBlock {
    NestedBlock { block, nesting, min_items: 0, max_items: 0 }
}

pub(super) fn with_attribute(mut block: Block, name: &str, attribute: Attribute) -> Block {
    block.attributes.insert(name.into(), attribute);
    block
}
