//! Every pair in `expressions.jsonl`, `functions.jsonl` and `combinations.jsonl` holds: results are printed exactly so, errors are errors.
//!
//! Each line is an expression and what Terraform 1.11 prints for it, or the summary of its error. `files` are put in an
//! otherwise empty directory; with `via: "local"` the expression stands in a file, since it has several lines.

use std::sync::Arc;

use plumb_semantics::eval::{EvalOptions, Evaluator, ModuleRef, Phase};
use plumb_semantics::{LoadOptions, MemoryWorld, NoSchemas, NodeKind, load};
use serde_json::Value as Json;

#[test]
fn every_pair_holds() {
    check_pairs(include_str!("expressions.jsonl"), 1_000);
}

#[test]
fn every_pair_of_functions_in_corner_cases_holds() {
    check_pairs(include_str!("functions.jsonl"), 4_000);
}

#[test]
fn every_pair_of_combinations_holds() {
    check_pairs(include_str!("combinations.jsonl"), 1_500);
}

fn check_pairs(text: &str, at_least: usize) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let pair: Json = serde_json::from_str(line).expect("the test data is JSON");
        count += 1;
        if let Err(problem) = check_pair(&pair) {
            wrong.push(problem);
        }
    }
    assert!(count >= at_least, "the test data is complete");
    assert!(wrong.is_empty(), "{} of {count} pairs do not hold:\n{}", wrong.len(), wrong.join("\n"));
}

fn check_pair(pair: &Json) -> Result<(), String> {
    let text = pair["expr"].as_str().expect("a pair has an expression");
    let found = evaluate(text, pair);
    match (pair["result"].as_str(), pair["error"].as_str(), found) {
        (Some(wanted), _, Ok(found)) if wanted == found => Ok(()),
        (Some(wanted), _, Ok(found)) => Err(format!("{text}\n  wanted {wanted}\n  found  {found}")),
        (Some(wanted), _, Err(error)) => Err(format!("{text}\n  wanted {wanted}\n  found an error: {error}")),
        (_, _, Err(_)) => Ok(()),
        (_, wanted, Ok(found)) => Err(format!("{text}\n  wanted the error {wanted:?}\n  found  {found}")),
    }
}

/// What the console prints, or the first error.
fn evaluate(text: &str, pair: &Json) -> Result<String, String> {
    let mut files: Vec<(String, String)> = Vec::new();
    for (name, content) in pair["files"].as_object().into_iter().flatten() {
        files.push((name.clone(), content.as_str().unwrap_or_default().to_owned()));
    }
    let via_local = pair["via"] == "local";
    if via_local {
        files.push(("main.tf".into(), format!("locals {{\n  x = {text}\n}}\n")));
    }
    let world = Arc::new(MemoryWorld::new(files));
    let loaded = load(&*world, std::path::Path::new("."), &LoadOptions::default());
    let first = |found: &plumb_model::Diagnostics| {
        found.iter().find(|d| d.is_error()).map(|d| format!("{}: {}", d.summary, d.detail))
    };
    if let Some(error) = first(&loaded.diagnostics) {
        return Err(error);
    }
    let program = loaded.program;
    let options = EvalOptions {
        world,
        variables: Default::default(),
        workspace: "default".into(),
        phase: Phase::Apply,
        schemas: Arc::new(NoSchemas),
        provider_functions: None,
        plan_time: None,
        exactly_terraform_1_11: true,
    };
    let mut evaluator = Evaluator::new(program.clone(), options);
    for (id, node) in program.nodes() {
        if node.kind == NodeKind::Local
            && let Some(error) = first(&evaluator.evaluate(id))
        {
            return Err(error);
        }
    }
    let text = if via_local { "local.x" } else { text };
    match evaluator.eval_console(ModuleRef::ROOT, text, program.console_source()) {
        Ok(value) if evaluator.is_type_call(ModuleRef::ROOT, text) => {
            Ok(value.as_str().map(ToString::to_string).unwrap_or_default())
        }
        Ok(value) => Ok(plumb_functions::console::print(&value)),
        Err(found) => Err(first(&found).unwrap_or_default()),
    }
}
