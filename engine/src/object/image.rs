//! The configuration that an object would have been made from.
//!
//! Going back to a recorded object means asking its provider for one that is configured like it. What the author had
//! written is not recorded, but what the provider made of it is: every attribute that could have been written is
//! taken as if it had been. What only the provider chooses is left to it, and so is what is never kept.

use ecow::EcoString;
use plumb_model::{Attribute, AttributeType, Block, NestedObject, Value};

use super::members::{Members, replace_attributes, with_entries};

/// A configuration that asks for an object like this one.
///
/// Attributes that only the provider chooses, and write-only ones, are null; all others are as in the object. An `id`
/// that could be set is left out nevertheless: providers of the older kind declare theirs so and refuse one that is set.
pub fn configuration_of(schema: &Block, object: &Value) -> Value {
    let config = replace_attributes(Members::of_block(schema), object, &|attribute, _| {
        is_left_out(attribute).then(|| Value::Null(attribute.implied_type()))
    });
    let chosen_id = schema.attributes.get("id").filter(|id| id.optional && id.computed);
    match chosen_id {
        None => config,
        Some(id) => with_entries(&config, |name, value| match name == "id" {
            true => Value::Null(id.implied_type()),
            false => value.clone(),
        }),
    }
}

/// Whether a configuration cannot say what the attribute is, or nobody knows any more what it said.
fn is_left_out(attribute: &Attribute) -> bool {
    attribute.write_only || is_chosen(attribute)
}

/// Whether only the provider chooses the value.
pub fn is_chosen(attribute: &Attribute) -> bool {
    attribute.computed && !attribute.optional && !attribute.required
}

/// The write-only attributes that a schema has, as dotted names.
pub fn write_only_names(schema: &Block) -> Vec<EcoString> {
    let mut names = Vec::new();
    of_block(schema, "", &mut names);
    names
}

fn of_block(block: &Block, prefix: &str, names: &mut Vec<EcoString>) {
    of_attributes(block.attributes.iter(), prefix, names);
    for (name, nested) in &block.blocks {
        of_block(&nested.block, &format!("{prefix}{name}."), names);
    }
}

fn of_attributes<'a>(
    attributes: impl Iterator<Item = (&'a EcoString, &'a Attribute)>,
    prefix: &str,
    names: &mut Vec<EcoString>,
) {
    for (name, attribute) in attributes {
        if attribute.write_only {
            names.push(ecow::eco_format!("{prefix}{name}"));
        } else if let AttributeType::Nested(nested) = &attribute.ty {
            let nested: &NestedObject = nested;
            of_attributes(nested.attributes.iter(), &format!("{prefix}{name}."), names);
        }
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::{Nesting, Type};

    use super::super::testing::*;
    use super::*;

    #[test]
    fn what_only_the_provider_chooses_is_left_to_it() {
        let inner = || Block::of([("v", optional()), ("etag", computed())]);
        let schema = Block::of([
            ("name", Attribute::required(Type::String)),
            ("zone", optional_computed()),
            ("id", computed()),
        ])
        .block("list", many(Nesting::List, inner()));
        let object = |id: Value, etag: Value| {
            obj([
                ("name", s("n")),
                ("zone", s("z")),
                ("id", id),
                ("list", list([obj([("v", s("a")), ("etag", etag)])])),
            ])
        };
        let none = || Value::Null(Type::String);
        assert_eq!(configuration_of(&schema, &object(s("1"), s("e"))), object(none(), none()));
    }

    #[test]
    fn write_only_attributes_and_an_id_that_may_be_set_are_left_out() {
        let schema = Block::of([("id", optional_computed()), ("token", optional().write_only())]);
        let none = || Value::Null(Type::String);
        let config = configuration_of(&schema, &obj([("id", s("1")), ("token", s("t"))]));
        assert_eq!(config, obj([("id", none()), ("token", none())]));
        assert_eq!(write_only_names(&schema), ["token"]);
    }
}
