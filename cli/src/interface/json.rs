//! An interface as JSON, and its inputs as a JSON Schema (draft 2020-12).
//!
//! The schema is of a `.tfvars.json` file. Terraform's conversions, such as of a text that spells a number, are not in it:
//! it says what should be written.

use plumb_model::defaults::Defaults;
use plumb_model::{Type, Value};
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
    json!({
        "format_version": "1.0",
        "directory": interface.directory,
        "language": match interface.dialect {
            Dialect::Native => "plumb",
            Dialect::Terraform => "terraform",
        },
        "inputs": inputs.collect::<Map<_, _>>(),
        "inputs_schema": schema(interface),
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
        "type": input.ty.as_ref().unwrap_or(&Type::Dynamic).to_string(),
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
    set(&mut found, "type", output.ty.as_ref().map(ToString::to_string));
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
    let closed = interface.dialect == Dialect::Native;
    let properties = interface.inputs.iter().map(|input| {
        let ty = input.ty.as_ref().unwrap_or(&Type::Dynamic);
        let mut found = of_type(ty, input.defaults.as_deref(), closed);
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
            // Without a type anything is allowed already.
            _ => Json::Object(found),
        },
        other => other,
    }
}

/// `closed`: whether attributes that an object type does not name are an error.
fn of_type(ty: &Type, defaults: Option<&Defaults>, closed: bool) -> Json {
    let elements = |defaults: Option<&Defaults>, ty: &Type| {
        of_type(ty, defaults.and_then(|defaults| defaults.elements.as_deref()), closed)
    };
    match ty {
        Type::Dynamic => json!({}),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Number => json!({ "type": "number" }),
        Type::String => json!({ "type": "string" }),
        Type::List(element) => json!({ "type": "array", "items": elements(defaults, element) }),
        Type::Set(element) => {
            json!({ "type": "array", "items": elements(defaults, element), "uniqueItems": true })
        }
        Type::Map(element) => {
            json!({ "type": "object", "additionalProperties": elements(defaults, element) })
        }
        Type::Tuple(members) => {
            let schemas = members.iter().enumerate().map(|(at, member)| {
                of_type(member, defaults.and_then(|defaults| defaults.members.get(&at)), closed)
            });
            let schemas: Vec<Json> = schemas.collect();
            json!({ "type": "array", "prefixItems": schemas, "items": false, "minItems": members.len() })
        }
        Type::Object(object) => {
            let properties = object.attributes.iter().map(|(name, ty)| {
                let inner = defaults.and_then(|defaults| defaults.attributes.get(name));
                let mut schema = of_type(ty, inner, closed);
                if object.optional.contains(name) {
                    schema = or_null(schema);
                }
                let default = defaults.and_then(|defaults| defaults.values.get(name));
                set(&mut schema, "default", default.and_then(plain));
                (name.to_string(), schema)
            });
            let required = object.attributes.keys().filter(|name| !object.optional.contains(*name));
            let mut schema = json!({
                "type": "object",
                "properties": properties.collect::<Map<_, _>>(),
                "required": required.map(|name| name.as_str()).collect::<Vec<_>>(),
            });
            set(&mut schema, "additionalProperties", closed.then_some(false));
            schema
        }
    }
}
