//! What providers offer, in the shape of `terraform providers schema -json`: format 1.0.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::address::ProviderSource;
use plumb_model::{
    Attribute, AttributeType, Block, DescriptionKind, NestedBlock, NestedObject, Nesting, Schema,
};
use plumb_provider_api::{FunctionParameter, FunctionSignature, IdentitySchema, ProviderSchema};

use super::json::Json;

/// The version of the format.
pub const FORMAT_VERSION: &str = "1.0";

/// Writes everything that these providers offer.
///
/// # Errors
/// If writing fails.
pub fn write_schemas(
    providers: &BTreeMap<ProviderSource, Arc<ProviderSchema>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let json = &mut Json::new(out);
    json.object(|json| {
        json.text("format_version", FORMAT_VERSION)?;
        if providers.is_empty() {
            return Ok(());
        }
        json.key("provider_schemas")?;
        json.object(|json| {
            providers.iter().try_for_each(|(source, offered)| {
                json.key(&source.to_string())?;
                json.object(|json| provider(json, offered))
            })
        })
    })
}

fn provider(json: &mut Json<'_>, offered: &ProviderSchema) -> io::Result<()> {
    json.key("provider")?;
    schema(json, &offered.provider)?;
    schemas(json, "resource_schemas", &offered.resources)?;
    schemas(json, "data_source_schemas", &offered.data_sources)?;
    schemas(json, "ephemeral_resource_schemas", &offered.ephemeral_resources)?;
    schemas(json, "action_schemas", &offered.actions)?;
    members(json, "functions", offered.functions.iter(), |json, function| signature(json, function))?;
    members(json, "resource_identity_schemas", offered.identities.iter(), |json, identity| {
        self::identity(json, identity)
    })
}

/// A member that is an object of others; absent if there are none.
fn members<'a, T: 'a>(
    json: &mut Json<'_>,
    name: &str,
    items: impl ExactSizeIterator<Item = (&'a EcoString, &'a T)>,
    write: impl Fn(&mut Json<'_>, &T) -> io::Result<()>,
) -> io::Result<()> {
    if items.len() == 0 {
        return Ok(());
    }
    json.key(name)?;
    json.object(|json| {
        for (name, item) in items {
            json.key(name)?;
            write(json, item)?;
        }
        Ok(())
    })
}

fn schemas(json: &mut Json<'_>, name: &str, all: &BTreeMap<EcoString, Arc<Schema>>) -> io::Result<()> {
    members(json, name, all.iter(), |json, one| schema(json, one))
}

fn schema(json: &mut Json<'_>, schema: &Schema) -> io::Result<()> {
    json.object(|json| {
        json.plain("version", schema.version)?;
        json.key("block")?;
        block(json, &schema.block)
    })
}

/// The words about something; where there are none, the kind says nothing.
fn description(json: &mut Json<'_>, text: &str, kind: DescriptionKind) -> io::Result<()> {
    if !text.is_empty() {
        json.text("description", text)?;
    }
    match kind {
        DescriptionKind::Markdown if !text.is_empty() => json.text("description_kind", "markdown"),
        DescriptionKind::Markdown | DescriptionKind::Plain => json.text("description_kind", "plain"),
    }
}

/// A member that is there only where it is true.
fn flag(json: &mut Json<'_>, name: &str, holds: bool) -> io::Result<()> {
    if holds { json.plain(name, true) } else { Ok(()) }
}

fn block(json: &mut Json<'_>, block: &Block) -> io::Result<()> {
    json.object(|json| {
        members(json, "attributes", block.attributes.iter(), attribute)?;
        members(json, "block_types", block.blocks.iter(), nested_block)?;
        description(json, &block.description, block.description_kind)?;
        flag(json, "deprecated", block.deprecated.is_some())
    })
}

fn nested_block(json: &mut Json<'_>, nested: &NestedBlock) -> io::Result<()> {
    json.object(|json| {
        json.text("nesting_mode", nesting(nested.nesting))?;
        json.key("block")?;
        block(json, &nested.block)?;
        if nested.min_items > 0 {
            json.plain("min_items", nested.min_items)?;
        }
        if nested.max_items > 0 {
            json.plain("max_items", nested.max_items)?;
        }
        Ok(())
    })
}

fn attribute(json: &mut Json<'_>, attribute: &Attribute) -> io::Result<()> {
    json.object(|json| {
        match &attribute.ty {
            AttributeType::Plain(ty) => json.ty("type", ty)?,
            AttributeType::Nested(nested) => {
                json.key("nested_type")?;
                nested_object(json, nested)?;
            }
        }
        description(json, &attribute.description, attribute.description_kind)?;
        flag(json, "deprecated", attribute.deprecated.is_some())?;
        flag(json, "required", attribute.required)?;
        flag(json, "optional", attribute.optional)?;
        flag(json, "computed", attribute.computed)?;
        flag(json, "sensitive", attribute.sensitive)?;
        flag(json, "write_only", attribute.write_only)
    })
}

fn nested_object(json: &mut Json<'_>, nested: &NestedObject) -> io::Result<()> {
    json.object(|json| {
        members(json, "attributes", nested.attributes.iter(), attribute)?;
        json.text("nesting_mode", nesting(nested.nesting))
    })
}

fn nesting(nesting: Nesting) -> &'static str {
    match nesting {
        Nesting::Single => "single",
        Nesting::Group => "group",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    }
}

fn signature(json: &mut Json<'_>, function: &FunctionSignature) -> io::Result<()> {
    let text = |json: &mut Json<'_>, name: &str, text: &str| {
        if text.is_empty() { Ok(()) } else { json.text(name, text) }
    };
    json.object(|json| {
        text(json, "description", &function.description)?;
        text(json, "summary", &function.summary)?;
        text(json, "deprecation_message", function.deprecated.as_deref().unwrap_or_default())?;
        json.ty("return_type", &function.returns)?;
        if !function.parameters.is_empty() {
            json.key("parameters")?;
            json.array(|json| function.parameters.iter().try_for_each(|one| parameter(json, one)))?;
        }
        let Some(variadic) = &function.variadic else { return Ok(()) };
        json.key("variadic_parameter")?;
        parameter(json, variadic)
    })
}

fn parameter(json: &mut Json<'_>, parameter: &FunctionParameter) -> io::Result<()> {
    json.object(|json| {
        json.text("name", &parameter.name)?;
        if !parameter.description.is_empty() {
            json.text("description", &parameter.description)?;
        }
        flag(json, "is_nullable", parameter.allow_null)?;
        json.ty("type", &parameter.ty)
    })
}

fn identity(json: &mut Json<'_>, identity: &IdentitySchema) -> io::Result<()> {
    json.object(|json| {
        json.plain("version", identity.version)?;
        members(json, "attributes", identity.attributes.iter(), |json, attribute| {
            json.object(|json| {
                json.ty("type", &attribute.ty)?;
                if !attribute.description.is_empty() {
                    json.text("description", &attribute.description)?;
                }
                flag(json, "required_for_import", attribute.required_for_import)?;
                flag(json, "optional_for_import", attribute.optional_for_import)
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use plumb_model::Type;

    use super::*;

    #[test]
    fn schemas_have_the_shape_that_tools_know() {
        let mut block = Block::default();
        block.attributes.insert("name".into(), Attribute::required(Type::String).describe("Unique."));
        block.attributes.insert("key".into(), Attribute::computed(Type::list(Type::String)).sensitive());
        let schema = Arc::new(Schema { version: 2, block });
        let offered =
            ProviderSchema { resources: [("thing".into(), schema)].into(), ..ProviderSchema::default() };
        let source = ProviderSource::parse("example.com/acme/probe").unwrap();
        let mut out = Vec::new();
        write_schemas(&[(source, Arc::new(offered))].into(), &mut out).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let wanted = serde_json::json!({
            "format_version": "1.0",
            "provider_schemas": {
                "example.com/acme/probe": {
                    "provider": { "version": 0, "block": { "description_kind": "plain" } },
                    "resource_schemas": {
                        "thing": {
                            "version": 2,
                            "block": {
                                "attributes": {
                                    "name": {
                                        "type": "string", "description": "Unique.", "description_kind": "markdown",
                                        "required": true
                                    },
                                    "key": {
                                        "type": ["list", "string"], "description_kind": "plain",
                                        "computed": true, "sensitive": true
                                    }
                                },
                                "description_kind": "plain"
                            }
                        }
                    }
                }
            }
        });
        assert_eq!(written, wanted);
    }
}
