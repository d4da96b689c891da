//! An interface as JSON, and its inputs as a JSON Schema (draft 2020-12).
//!
//! The schema is of a `.tfvars.json` file. Terraform's conversions, such as of a text that spells a number, are not in it:
//! it says what should be written.

use plumb_model::Value;
use plumb_semantics::types::{ObjectShape, Shape, ShapeKind};
use plumb_syntax::Dialect;
use serde_json::{Map, Value as Json, json};

use super::{Input, Interface, Output, Provider};

/// The whole interface.
pub fn interface(interface: &Interface) -> Json {
    let inputs = interface.inputs.iter().map(|input| (input.name.to_string(), self::input(input)));
    let outputs = interface.outputs.iter().map(|output| (output.name.to_string(), self::output(output)));
    let providers = interface.providers.iter().map(|(name, p)| (name.to_string(), provider(p)));
    let modules = interface.modules.iter().map(|(name, (source, version))| {
        let mut call = json!({ "source": source.as_str() });
        set(&mut call, "version", version.as_deref());
        (name.to_string(), call)
    });
    let types = interface.types.iter().map(|(name, shape)| (name.to_string(), Json::from(shape.to_string())));
    json!({
        "format_version": "1.0",
        "directory": interface.directory,
        "language": match interface.dialect {
            Dialect::Native => "plumb",
            Dialect::Terraform => "terraform",
        },
        "inputs": inputs.collect::<Map<_, _>>(),
        "inputs_schema": schema(interface),
        "types": types.collect::<Map<_, _>>(),
        "outputs": outputs.collect::<Map<_, _>>(),
        "providers": providers.collect::<Map<_, _>>(),
        "modules": modules.collect::<Map<_, _>>(),
    })
}

fn set(object: &mut Json, name: &str, value: Option<impl Into<Json>>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(name.to_owned(), value.into());
    }
}

fn input(input: &Input) -> Json {
    let mut found = json!({
        "type": input.shape.as_ref().map_or_else(|| "any".to_owned(), ToString::to_string),
        "required": input.default.is_none(),
        "nullable": input.nullable,
        "sensitive": input.sensitive,
        "ephemeral": input.ephemeral,
    });
    set(&mut found, "description", described(&input.description));
    set(
        &mut found,
        "default",
        input.default.as_ref().and_then(|default| default.value.as_ref()).and_then(plain),
    );
    set(&mut found, "const", input.constant.then_some(true));
    set(&mut found, "deprecated", input.deprecated.as_deref());
    let validations = input.validations.iter().map(|validation| {
        json!({ "condition": validation.condition.as_str(), "error_message": validation.message.as_str() })
    });
    set(&mut found, "validations", (!input.validations.is_empty()).then(|| validations.collect::<Vec<_>>()));
    found
}

fn output(output: &Output) -> Json {
    let mut found = json!({ "sensitive": output.sensitive, "ephemeral": output.ephemeral });
    set(&mut found, "type", output.shape.as_ref().map(ToString::to_string));
    set(&mut found, "description", described(&output.description));
    set(&mut found, "deprecated", output.deprecated.as_deref());
    found
}

fn provider(provider: &Provider) -> Json {
    let mut found = json!({ "source": provider.source.as_str() });
    set(&mut found, "version", provider.version.as_deref());
    let aliases: Vec<&str> = provider.aliases.iter().map(AsRef::as_ref).collect();
    set(&mut found, "configuration_aliases", (!aliases.is_empty()).then_some(aliases));
    found
}

fn described(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A value that is wholly known, as JSON without its type.
fn plain(value: &Value) -> Option<Json> {
    let text = plumb_model::json::encode(value, &value.ty()).ok()?;
    serde_json::from_str(&text).ok()
}

/// What a file with values for the inputs looks like.
pub fn schema(interface: &Interface) -> Json {
    let properties = interface.inputs.iter().map(|input| {
        let mut found = input.shape.as_ref().map_or_else(|| json!({}), of_shape);
        if input.nullable {
            found = or_null(found);
        }
        set(&mut found, "description", described(&input.description));
        set(&mut found, "default", input.default.as_ref().and_then(|d| d.value.as_ref()).and_then(plain));
        set(&mut found, "deprecated", input.deprecated.is_some().then_some(true));
        set(&mut found, "writeOnly", input.sensitive.then_some(true));
        (input.name.to_string(), found)
    });
    let required = interface.inputs.iter().filter(|input| input.default.is_none());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "required": required.map(|input| input.name.as_str()).collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}

/// A schema that allows null besides.
fn or_null(schema: Json) -> Json {
    match schema {
        Json::Object(mut found) => match found.get("type").cloned() {
            Some(Json::String(ty)) => {
                found.insert("type".to_owned(), json!([ty, "null"]));
                Json::Object(found)
            }
            None if found.contains_key("enum") || found.contains_key("oneOf") => {
                json!({ "anyOf": [found, { "type": "null" }] })
            }
            // Without a type anything is allowed already, or null is among the types.
            _ => Json::Object(found),
        },
        other => other,
    }
}

fn of_shape(shape: &Shape) -> Json {
    match &shape.kind {
        ShapeKind::Any => json!({}),
        ShapeKind::Bool => json!({ "type": "boolean" }),
        ShapeKind::Number => json!({ "type": "number" }),
        ShapeKind::String => json!({ "type": "string" }),
        ShapeKind::List(element) => json!({ "type": "array", "items": of_shape(element) }),
        ShapeKind::Set(element) => {
            json!({ "type": "array", "items": of_shape(element), "uniqueItems": true })
        }
        ShapeKind::Map(element) => json!({ "type": "object", "additionalProperties": of_shape(element) }),
        ShapeKind::Tuple(members) => {
            let schemas: Vec<Json> = members.iter().map(of_shape).collect();
            json!({ "type": "array", "prefixItems": schemas, "items": false, "minItems": members.len() })
        }
        ShapeKind::Object(object) => of_object(object, None),
        ShapeKind::Enum(members) => {
            let values: Vec<Json> = members.members.iter().filter_map(|(value, _)| plain(value)).collect();
            json!({ "enum": values })
        }
        ShapeKind::Union(union) => {
            let variants = union.variants.iter();
            let variants =
                variants.map(|variant| of_object(&variant.object, Some((&union.tag, &variant.name.name))));
            json!({ "oneOf": variants.collect::<Vec<_>>() })
        }
        // Conditions are not something that a schema can say.
        ShapeKind::Where(narrowed) => of_shape(&narrowed.base),
        ShapeKind::Nullable(inner) => or_null(of_shape(inner)),
        ShapeKind::Secret(inner) => {
            let mut schema = of_shape(inner);
            set(&mut schema, "writeOnly", Some(true));
            schema
        }
        ShapeKind::Named(named) => {
            let mut schema = of_shape(&named.shape);
            set(&mut schema, "title", Some(named.name.as_str()));
            schema
        }
    }
}

/// `tag`: the attribute that tells a variant of a union apart, and its value.
fn of_object(object: &ObjectShape, tag: Option<(&str, &str)>) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if let Some((tag, variant)) = tag {
        properties.insert(tag.to_owned(), json!({ "const": variant }));
        required.push(tag);
    }
    for attribute in &object.attributes {
        let mut schema = of_shape(&attribute.shape);
        if attribute.optional {
            schema = or_null(schema);
            set(&mut schema, "default", attribute.default.as_ref().and_then(plain));
        } else {
            required.push(attribute.name.as_str());
        }
        properties.insert(attribute.name.to_string(), schema);
    }
    let mut schema = json!({ "type": "object", "properties": properties, "required": required });
    set(&mut schema, "additionalProperties", (!object.open).then_some(false));
    schema
}
