//! What is said about configurations: the cases in `tests/cases`.
//!
//! A case begins with `=== name`, has files (`--- path`) and ends with what is reported (`--- expect`): diagnostics of
//! loading and checking; in `evaluate.txt` those of loading and evaluating, with the values; in `types.txt` all of these. `UPDATE_EXPECT=1` writes what
//! is reported into the files.

mod common;

use std::path::Path;

use common::{Setup, TestSchemas};
use ecow::EcoString;
use indexmap::IndexMap;
use plumb_model::schema::{NestedBlock, Nesting};
use plumb_model::{Attribute, Block, Type, Value};
use plumb_semantics::eval::Phase;

#[test]
fn loading() {
    check_cases("load");
}

#[test]
fn checking() {
    check_cases("check");
}

#[test]
fn types() {
    check_cases("types");
}

#[test]
fn functions() {
    check_cases("functions");
}

#[test]
fn inferring() {
    check_cases("inference");
}

#[test]
fn checking_phases() {
    check_cases("phases");
}

#[test]
fn checking_with_lints() {
    check_cases("lints");
}

#[test]
fn checking_terraform() {
    check_cases("validate");
}

#[test]
fn evaluating() {
    check_cases("evaluate");
}

fn schemas() -> TestSchemas {
    let rule =
        Block::of([("port", Attribute::required(Type::Number)), ("note", Attribute::optional(Type::String))]);
    let tag = Block::of([("value", Attribute::optional(Type::String))]);
    let mut server = Block::of([
        ("name", Attribute::required(Type::String)),
        ("size", Attribute::optional(Type::Number)),
        ("address", Attribute::computed(Type::String)),
        (
            "disks",
            Attribute::optional(Type::list(Type::object([("path", Type::String), ("gb", Type::Number)]))),
        ),
        ("password", Attribute::optional(Type::String).write_only()),
    ]);
    server.blocks.insert(
        "rule".into(),
        NestedBlock { block: rule, nesting: Nesting::List, min_items: 0, max_items: 3 },
    );
    server
        .blocks
        .insert("tag".into(), NestedBlock { block: tag, nesting: Nesting::Map, min_items: 0, max_items: 0 });
    TestSchemas::new().with("test_server", server)
}

fn check_cases(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(format!("{name}.txt"));
    let text = std::fs::read_to_string(&path).expect("the cases are there");
    let mut updated = String::new();
    let mut wrong = Vec::new();
    for case in text.split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').expect("a case has a name");
        let mut parts: Vec<(&str, &str)> = Vec::new();
        for part in rest.split("--- ").skip(1) {
            parts.push(part.split_once('\n').unwrap_or((part.trim_end(), "")));
        }
        let expected = parts.pop().filter(|(name, _)| *name == "expect").map_or("", |(_, text)| text);
        let found = match name {
            "evaluate" => evaluate(setup(&parts, Setup::unchecked)),
            "types" | "functions" => evaluate(without_lints(setup(&parts, Setup::of))),
            _ => setup(&parts, Setup::of).report(),
        };
        updated.push_str(&format!("=== {title}\n"));
        for (name, content) in &parts {
            updated.push_str(&format!("--- {name}\n{content}"));
        }
        updated.push_str(&format!("--- expect\n{found}\n"));
        if found.trim_end() != expected.trim_end() {
            wrong.push(format!("=== {title}\n--- expected\n{expected}--- found\n{found}"));
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, updated).expect("the cases can be written");
    } else {
        assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    }
}

type Make = fn(&[(&str, &str)], TestSchemas, Phase, IndexMap<EcoString, Value>, bool) -> Setup;

fn setup(files: &[(&str, &str)], make: Make) -> Setup {
    make(files, schemas(), Phase::Plan, IndexMap::new(), false)
}

/// These cases are about other things.
fn without_lints(mut setup: Setup) -> Setup {
    let lint = |code: &str| plumb_semantics::check::lints::LINTS.contains(&code);
    setup.diagnostics = setup.diagnostics.into_iter().filter(|diagnostic| !lint(diagnostic.code)).collect();
    setup
}

fn evaluate(mut setup: Setup) -> String {
    if setup.diagnostics.has_errors() {
        return setup.report();
    }
    let mut configs = String::new();
    let mut found = Vec::new();
    setup.evaluate(|evaluator, instance| {
        let schema = evaluator.schema(instance.node).cloned().unwrap_or_default();
        let (config, diagnostics) = evaluator.config(instance, &schema.block);
        found.extend(diagnostics);
        configs.push_str(&format!(
            "{} = {}\n",
            evaluator.address(instance),
            plumb_functions::console::print(&config)
        ));
        // What the provider will choose is not known yet.
        let Value::Object(entries) = &config else { return config };
        Value::object(entries.iter().map(|(name, value)| {
            let computed = schema.block.attributes.get(name).filter(|a| a.computed && value.is_null());
            (name.clone(), computed.map_or_else(|| value.clone(), |a| Value::unknown(a.implied_type())))
        }))
    });
    setup.diagnostics.extend(found);
    let mut report = setup.report();
    report.push_str(&configs);
    for (name, value) in setup.evaluator.outputs() {
        report.push_str(&format!("output.{name} = {}\n", plumb_functions::console::print(&value)));
    }
    report
}
