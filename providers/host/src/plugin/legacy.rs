//! Objects as older development kits leave them, brought into the form that schemas promise.
//!
//! Such kits do not tell null from empty: a collection of blocks may come as null, and a block that always exists as null.
//! Only blocks are mended; attributes are the provider's.

use plumb_model::value::Entries;
use plumb_model::{Block, NestedBlock, Nesting, Value};

/// The object of a block with its nested blocks in the promised form.
pub fn normalise(value: Value, block: &Block) -> Value {
    if block.blocks.is_empty() {
        return value;
    }
    let Value::Object(entries) = &value else { return value };
    if !block.blocks.iter().any(|(name, nested)| entries.get(name).is_some_and(|v| !is_normal(v, nested))) {
        return value;
    }
    Value::Object(normal_entries(entries, block).into())
}

fn normal_entries(entries: &Entries, block: &Block) -> Entries {
    entries.map_values(|name, value| match block.blocks.get(name) {
        Some(nested) => normal_block(value, nested),
        None => value.clone(),
    })
}

/// Whether nothing needs to be done, which is the rule.
fn is_normal(value: &Value, nested: &NestedBlock) -> bool {
    match value {
        Value::Null(_) => nested.nesting == Nesting::Single,
        // How many blocks there are going to be is not known yet, which such kits may say of a planned object.
        Value::Unknown(_) => true,
        _ if nested.block.blocks.is_empty() => true,
        Value::Object(entries) if matches!(nested.nesting, Nesting::Single | Nesting::Group) => {
            object_is_normal(entries, &nested.block)
        }
        _ => elements(value).all(|element| match element {
            Value::Object(entries) => object_is_normal(entries, &nested.block),
            _ => true,
        }),
    }
}

fn object_is_normal(entries: &Entries, block: &Block) -> bool {
    block.blocks.iter().all(|(name, nested)| entries.get(name).is_none_or(|v| is_normal(v, nested)))
}

fn elements(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value.as_entries() {
        Some(entries) => Box::new(entries.values()),
        None => Box::new(value.as_items().into_iter().flatten()),
    }
}

fn normal_block(value: &Value, nested: &NestedBlock) -> Value {
    let object = |value: &Value| match value {
        Value::Object(entries) => Value::Object(normal_entries(entries, &nested.block).into()),
        other => other.clone(),
    };
    match (value, nested.nesting) {
        (Value::Null(_), Nesting::Single) => value.clone(),
        (Value::Null(_), _) => nested.empty(),
        (_, Nesting::Single | Nesting::Group) => object(value),
        (Value::List(s), _) => Value::list(s.element.clone(), s.items.iter().map(object).collect()),
        (Value::Set(s), _) => Value::set(s.element.clone(), s.items.iter().map(object).collect()),
        (Value::Tuple(items), _) => Value::tuple(items.iter().map(object).collect()),
        (Value::Map(map), _) => {
            Value::map(map.element.clone(), map.entries.iter().map(|(k, v)| (k.clone(), object(v))))
        }
        (Value::Object(entries), _) => Value::object(entries.iter().map(|(k, v)| (k.clone(), object(v)))),
        (other, _) => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::{Attribute, Type};

    use super::*;

    fn schema() -> Block {
        let inner = Block::of([("port", Attribute::optional(Type::Number))]);
        let of = |nesting, block| NestedBlock { block, nesting, min_items: 0, max_items: 0 };
        let outer = inner.clone().block("deep", of(Nesting::List, inner.clone()));
        Block::default()
            .block("list", of(Nesting::List, outer))
            .block("group", of(Nesting::Group, inner.clone()))
            .block("single", of(Nesting::Single, inner))
    }

    fn object(list: Value, group: Value, single: Value) -> Value {
        Value::object([("list", list), ("group", group), ("single", single)])
    }

    #[test]
    fn null_collections_become_empty_at_every_depth() {
        let block = schema();
        let group = Value::object([("port", Value::Null(Type::Number))]);
        let empty = block.empty();
        assert_eq!(
            normalise(object(Value::NULL, Value::NULL, empty.get("single").unwrap().clone()), &block),
            empty
        );
        let element = block.blocks["list"].block.implied_type();
        let item = |deep| Value::object([("port", Value::int(1)), ("deep", deep)]);
        let list = |deep| Value::list(element.clone(), vec![item(deep)]);
        let deep = block.blocks["list"].block.blocks["deep"].empty();
        let single = empty.get("single").unwrap().clone();
        assert_eq!(
            normalise(object(list(Value::NULL), group.clone(), single.clone()), &block),
            object(list(deep), group, single)
        );
    }

    #[test]
    fn what_is_normal_stays() {
        let block = schema();
        assert_eq!(normalise(block.empty(), &block), block.empty());
        assert_eq!(normalise(Value::NULL, &block), Value::NULL);
    }
}
