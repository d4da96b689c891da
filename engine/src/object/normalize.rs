//! Mending what older providers answer and older states contain.
//!
//! In a well-formed object nested blocks of which there are none are an empty list, set or map, and a block that is
//! always there is an object of nulls; older providers answer null for both. State that was written with another build
//! of a provider may have attributes that its schema of the same version lacks. And whatever is kept must not contain
//! write-only attributes. Plugin protocol 6 leaves all of that to the host.

use plumb_model::{Block, NestedBlock, Nesting, Type, Value};
use serde_json::Value as Json;

use super::members::{Member, Members, map_objects, replace_attributes, with_entries};

/// The object with every nested block in the form that the schema demands: what is null becomes empty, except a block
/// that may be absent; what is unknown becomes one block with unknown attributes.
pub fn normalize_blocks(schema: &Block, object: &Value) -> Value {
    if schema.blocks.is_empty() || !matches!(object, Value::Object(_)) {
        return object.clone();
    }
    with_entries(object, |name, value| match Members::of_block(schema).get(name) {
        Some(Member::Block(nested)) => normalize_block(nested, value),
        _ => value.clone(),
    })
}

fn normalize_block(nested: &NestedBlock, value: &Value) -> Value {
    match value {
        Value::Null(_) => nested.empty(),
        Value::Unknown(_) => stub(nested),
        _ => map_objects(nested.nesting, value, &mut |object| normalize_blocks(&nested.block, object)),
    }
}

/// What stands for blocks of which nothing is known.
fn stub(nested: &NestedBlock) -> Value {
    let attributes = nested.block.attributes.iter();
    let attributes = attributes.map(|(name, a)| (name.clone(), Value::unknown(a.implied_type())));
    let blocks = nested.block.blocks.iter().map(|(name, inner)| (name.clone(), stub(inner)));
    let object = Value::object(attributes.chain(blocks));
    let ty = nested.block.implied_type();
    match nested.nesting {
        Nesting::Single | Nesting::Group => object,
        Nesting::List if ty.has_dynamic() => Value::tuple(vec![object]),
        Nesting::List => Value::list(ty, vec![object]),
        Nesting::Set => Value::set(ty, vec![object]),
        // Without a label there can be no block.
        Nesting::Map => nested.empty(),
    }
}

/// The object with every write-only attribute null.
pub fn null_write_only(schema: &Block, object: &Value) -> Value {
    if !schema.has_write_only() {
        return object.clone();
    }
    replace_attributes(Members::of_block(schema), object, &|attribute, _| {
        attribute.write_only.then(|| Value::Null(attribute.implied_type()))
    })
}

/// Removes from the JSON of a stored object what its type does not have, at every depth, and says whether there was
/// anything. To be used where the state was stored at the schema's version: at an older one the provider knows better.
pub fn strip_removed(json: &mut Json, ty: &Type) -> bool {
    let mut removed = false;
    match (json, ty) {
        (Json::Object(attributes), Type::Object(object)) => {
            let before = attributes.len();
            attributes.retain(|name, _| object.attributes.contains_key(name.as_str()));
            removed = attributes.len() < before;
            for (name, json) in attributes.iter_mut() {
                removed |= object.attributes.get(name.as_str()).is_some_and(|ty| strip_removed(json, ty));
            }
        }
        (Json::Object(entries), Type::Map(element)) => {
            for (_, json) in entries.iter_mut() {
                removed |= strip_removed(json, element);
            }
        }
        (Json::Array(items), Type::List(element) | Type::Set(element)) => {
            for json in items {
                removed |= strip_removed(json, element);
            }
        }
        (Json::Array(items), Type::Tuple(types)) => {
            for (json, ty) in items.iter_mut().zip(types.iter()) {
                removed |= strip_removed(json, ty);
            }
        }
        _ => {}
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn schema() -> Block {
        let inner = || Block::of([("v", optional()), ("token", optional().write_only())]);
        let deep = || inner().block("deep", many(Nesting::List, inner()));
        let schema = Block::of([("id", computed()), ("token", optional().write_only())])
            .block("single", many(Nesting::Single, deep()))
            .block("group", many(Nesting::Group, deep()))
            .block("list", many(Nesting::List, deep()))
            .block("set", many(Nesting::Set, deep()))
            .block("map", many(Nesting::Map, deep()));
        with_attribute(schema, "attribute", nested(Nesting::List, [("token", optional().write_only())]))
    }

    #[test]
    fn null_blocks_become_empty() {
        let ty = schema().implied_type();
        let nulls = ty.attributes().unwrap().iter().map(|(n, t)| (n.clone(), Value::Null(t.clone())));
        assert_eq!(normalize_blocks(&schema(), &Value::object(nulls)), schema().empty());
        assert_eq!(normalize_blocks(&schema(), &null()), null());
    }

    #[test]
    fn blocks_in_blocks_become_empty_too() {
        let block = |deep: Value| obj([("v", s("x")), ("token", null()), ("deep", deep)]);
        let object = obj([
            ("list", list([block(null()), block(list([]))])),
            ("map", map([("k", block(null()))])),
            ("single", block(null())),
        ]);
        let normalized = normalize_blocks(&schema(), &object);
        for object in normalized.get("list").unwrap().as_items().unwrap() {
            assert_eq!(object.get("deep").unwrap().as_items(), Some(&[][..]));
        }
        let deep = normalized.get("map").and_then(|map| map.get("k")?.get("deep"));
        assert_eq!(deep.unwrap().as_items(), Some(&[][..]));
        assert_eq!(normalized.get("single").unwrap().get("deep").unwrap().as_items(), Some(&[][..]));
    }

    #[test]
    fn unknown_blocks_become_one_of_unknown_attributes() {
        let object = obj(["single", "list", "map"]
            .map(|name| (name, Value::unknown(schema().blocks[name].implied_type()))));
        let normalized = normalize_blocks(&schema(), &object);
        let inner = || [("v", unknown()), ("token", unknown())];
        let stub = obj(inner().into_iter().chain([("deep", list([obj(inner())]))]));
        assert!(super::super::same(normalized.get("single").unwrap(), &stub));
        assert!(super::super::same(normalized.get("list").unwrap(), &list([stub])));
        assert_eq!(normalized.get("map").unwrap(), &schema().blocks["map"].empty());
    }

    #[test]
    fn write_only_attributes_become_null_at_every_depth() {
        let token = || ("token", s("t"));
        let object = obj([
            ("id", s("i")),
            token(),
            ("attribute", list([obj([token()])])),
            ("single", obj([("v", s("x")), token(), ("deep", list([obj([token()])]))])),
            ("list", null()),
        ]);
        let nulled = null_write_only(&schema(), &object);
        let token = || ("token", Value::Null(Type::String));
        let expected = obj([
            ("id", s("i")),
            token(),
            ("attribute", list([obj([token()])])),
            ("single", obj([("v", s("x")), token(), ("deep", list([obj([token()])]))])),
            ("list", null()),
        ]);
        assert!(super::super::same(&nulled, &expected), "{nulled:?}");
        assert!(super::super::check_write_only(&schema(), &nulled).is_empty());
    }

    #[test]
    fn attributes_that_the_schema_lacks_are_removed_from_stored_json() {
        let inner = Type::object([("v", Type::String)]);
        let ty = Type::object([
            ("a", Type::list(inner.clone())),
            ("m", Type::map(inner.clone())),
            ("d", Type::Dynamic),
            ("t", Type::tuple([inner])),
        ]);
        let json = |extra: &str| -> Json {
            let text = format!(
                r#"{{"a":[{{"v":"x"{extra}}}],"m":{{"w":{{"v":"x"{extra}}}}},"d":{{"value":1,"type":"number"}},"t":[{{"v":null{extra}}}]{extra}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let mut stored = json(r#","w":1"#);
        assert!(strip_removed(&mut stored, &ty));
        assert_eq!(stored, json(""));
        assert!(!strip_removed(&mut stored, &ty));
    }
}
