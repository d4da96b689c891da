//! The signatures of all functions as `metadata functions -json` prints them.

use plumb_model::json::type_to_json;
use serde_json::{Map, Value as Json, json};

use crate::signature::{Origin, Parameter};

/// The signatures in the shape that tools for Terraform read. Each function is there by its name and in the namespace
/// `core`; those that are only for the console, always fail or belong to a provider are not.
pub fn metadata() -> Json {
    let mut signatures = Map::new();
    for function in crate::all() {
        let name = function.signature.name;
        if function.origin == Origin::BuiltinProvider || matches!(name, "type" | "list" | "map") {
            continue;
        }
        let signature = &function.signature;
        let mut json = json!({
            "description": signature.description,
            "return_type": type_to_json(&signature.returns),
        });
        if !signature.parameters.is_empty() {
            json["parameters"] = signature.parameters.iter().map(describe).collect();
        }
        if let Some(variadic) = &signature.variadic {
            json["variadic_parameter"] = describe(variadic);
        }
        signatures.insert(format!("core::{name}"), json.clone());
        signatures.insert(name.to_owned(), json);
    }
    json!({ "format_version": "1.0", "function_signatures": signatures })
}

fn describe(parameter: &Parameter) -> Json {
    let mut json = json!({
        "name": parameter.name,
        "description": parameter.description,
        "type": type_to_json(&parameter.ty),
    });
    if parameter.allow_null {
        json["is_nullable"] = true.into();
    }
    json
}
