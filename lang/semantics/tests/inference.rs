//! Static types agree with values: each pair in `expressions.jsonl` that has a result is checked without an error, and
//! its value is one of its static type.

mod common;

use std::path::Path;
use std::sync::Arc;

use plumb_model::{Diagnostics, Value};
use plumb_semantics::check::types::{Kind, Ty, Types};
use plumb_semantics::eval::{EvalOptions, Evaluator, Phase};
use plumb_semantics::{LoadOptions, MemoryWorld, NoSchemas, NodeKind, Program, Schemas, World, load};
use serde_json::Value as Json;

/// What the native language refuses although Terraform gives it a value.
const STRICTER: [&str; 5] =
    ["never-equal", "sometimes-attribute", "division-by-zero", "duplicate-key", "invalid-index"];

#[test]
fn what_has_a_value_in_terraform_is_checked_without_an_error() {
    each_pair(|text, files| {
        let found = check("main.tf", text, files);
        found.errors.is_empty().then_some(()).ok_or_else(|| found.errors.join("; "))
    });
}

#[test]
fn what_has_a_value_in_the_native_language_is_of_its_static_type() {
    each_pair(|text, files| {
        let found = check("main.cfg", text, files);
        let Some(value) = &found.value else { return Ok(()) };
        let stricter = !found.codes.is_empty() && found.codes.iter().all(|code| STRICTER.contains(code));
        if !stricter && !found.errors.is_empty() {
            return Err(found.errors.join("; "));
        }
        match admits(&found.ty, value) || stricter {
            true => Ok(()),
            false => {
                Err(format!("the type is {}, the value {}", found.ty, plumb_functions::console::print(value)))
            }
        }
    });
}

fn each_pair(test: impl Fn(&str, &[(String, String)]) -> Result<(), String>) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("expressions.jsonl").lines().filter(|line| !line.trim().is_empty()) {
        let pair: Json = serde_json::from_str(line).expect("the test data is JSON");
        // Some stand in a module that has locals.
        if pair["result"].is_null() || pair["expr"].as_str().is_some_and(|text| text.contains("local.")) {
            continue;
        }
        count += 1;
        let text = pair["expr"].as_str().expect("a pair has an expression");
        let files: Vec<(String, String)> = pair["files"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, content)| (name.clone(), content.as_str().unwrap_or_default().to_owned()))
            .collect();
        if let Err(problem) = test(text, &files) {
            wrong.push(format!("{text}\n  {problem}"));
        }
    }
    assert!(count >= 700, "the test data is complete");
    assert!(wrong.is_empty(), "{} of {count} pairs:\n{}", wrong.len(), wrong.join("\n"));
}

struct Found {
    errors: Vec<String>,
    codes: Vec<&'static str>,
    ty: Ty,
    /// What it evaluates to, if it does in that language.
    value: Option<Value>,
}

fn check(name: &str, text: &str, files: &[(String, String)]) -> Found {
    let source = format!("locals {{\n  x = {text}\n}}\n");
    let all = files.iter().cloned().chain([(name.to_owned(), source)]);
    let world: Arc<dyn World> = Arc::new(MemoryWorld::new(all));
    let loaded = load(&*world, Path::new("."), &LoadOptions::default());
    let schemas: Arc<dyn Schemas> = Arc::new(NoSchemas);
    let mut found = errors(&loaded.diagnostics);
    // What is only a form of the console stands in no file.
    if !found.0.is_empty() {
        return Found { errors: Vec::new(), codes: Vec::new(), ty: Ty::error(), value: None };
    }
    found = errors(&plumb_semantics::check(&loaded.program, &schemas, &world));
    let ty = local_type(&loaded.program, &*schemas, &*world);
    Found { errors: found.0, codes: found.1, ty, value: value(&loaded.program, schemas, world) }
}

fn errors(diagnostics: &Diagnostics) -> (Vec<String>, Vec<&'static str>) {
    let errors = || diagnostics.iter().filter(|d| d.is_error());
    (errors().map(|d| format!("{}: {}", d.code, d.detail)).collect(), errors().map(|d| d.code).collect())
}

fn local_type(program: &Program, schemas: &dyn Schemas, world: &dyn World) -> Ty {
    let types = Types::of(program, schemas, world);
    let local = program.nodes().find(|(_, node)| node.kind == NodeKind::Local).expect("there is a local");
    types.get(local.0).cloned().expect("a local has a type")
}

fn value(program: &Arc<Program>, schemas: Arc<dyn Schemas>, world: Arc<dyn World>) -> Option<Value> {
    let options = EvalOptions {
        world,
        variables: Default::default(),
        workspace: "default".into(),
        phase: Phase::Apply,
        schemas,
        provider_functions: None,
        plan_time: None,
        exactly_terraform_1_11: false,
    };
    let mut evaluator = Evaluator::new(program.clone(), options);
    let (id, _) = program.nodes().find(|(_, node)| node.kind == NodeKind::Local)?;
    match evaluator.evaluate(id).has_errors() {
        true => None,
        false => evaluator.value(id, 0).cloned(),
    }
}

/// Whether a value is one of a type. Null is one of every type, and what is not known may be.
fn admits(ty: &Ty, value: &Value) -> bool {
    let value = value.unmarked();
    match (&ty.kind, value) {
        (Kind::Error, _) => false,
        (Kind::Any, _) | (_, Value::Null(_) | Value::Unknown(_)) => true,
        (Kind::Literal(literal), value) => literal == value,
        (Kind::Bool, Value::Bool(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::String, Value::String(_)) => true,
        (Kind::List(part), Value::List(list)) => list.items.iter().all(|item| admits(part, item)),
        (Kind::Set(part), Value::Set(set)) => set.items.iter().all(|item| admits(part, item)),
        (Kind::Map(part), Value::Map(map)) => map.entries.values().all(|item| admits(part, item)),
        (Kind::Tuple(types), Value::Tuple(items)) => {
            types.len() == items.len() && types.iter().zip(items.iter()).all(|(ty, item)| admits(ty, item))
        }
        (Kind::Sequence(part), Value::Tuple(items)) => items.iter().all(|item| admits(part, item)),
        (Kind::Dictionary(part), Value::Object(entries)) => entries.values().all(|item| admits(part, item)),
        (Kind::Object(fields), Value::Object(entries)) => {
            entries.keys().all(|name| fields.contains_key(name))
                && fields.iter().all(|(name, field)| match entries.get(name) {
                    Some(item) => admits(&field.ty, item),
                    None => field.sometimes,
                })
        }
        _ => false,
    }
}
