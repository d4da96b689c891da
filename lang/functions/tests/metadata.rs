//! The signatures that tools read.

use plumb_functions::{all, metadata};
use serde_json::json;

#[test]
fn signatures_have_the_shape_that_tools_read() {
    let metadata = metadata();
    assert_eq!(metadata["format_version"], "1.0");
    let signatures = metadata["function_signatures"].as_object().unwrap();
    let mut substr = signatures["substr"].clone();
    assert!(!substr["description"].as_str().unwrap().is_empty());
    for parameter in substr["parameters"].as_array_mut().unwrap() {
        assert!(parameter.as_object_mut().unwrap().remove("description").is_some());
    }
    assert_eq!(substr["return_type"], "string");
    assert_eq!(
        substr["parameters"],
        json!([
            { "name": "str", "type": "string" },
            { "name": "offset", "type": "number" },
            { "name": "length", "type": "number" },
        ])
    );
    assert_eq!(signatures["merge"]["variadic_parameter"]["is_nullable"], true);
    assert_eq!(signatures["chunklist"]["return_type"], json!(["list", ["list", "dynamic"]]));
    assert_eq!(signatures["core::upper"], signatures["upper"]);
    assert!(!signatures.contains_key("type") && !signatures.contains_key("provider::terraform::encode_expr"));
}

#[test]
fn every_function_and_parameter_is_described() {
    for function in all() {
        let signature = &function.signature;
        let described = |text: &str| !text.is_empty() && text.ends_with('.');
        assert!(described(signature.description), "{}", signature.name);
        for parameter in signature.parameters.iter().chain(&signature.variadic) {
            assert!(described(parameter.description), "{} {}", signature.name, parameter.name);
        }
    }
}

#[test]
#[ignore = "prints the signatures, for comparing them by hand"]
#[allow(clippy::print_stdout)]
fn print() {
    println!("{}", metadata());
}
