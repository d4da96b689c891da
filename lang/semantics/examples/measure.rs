//! Measures loading, checking and evaluating: `cargo run --release -p plumb-semantics --example measure -- [n]`.
//!
//! With a directory instead of a number, the files in it are read and checked. Two shapes: n small resource blocks with three references each, in layers; and one block with n instances of
//! `for_each`. Prints seconds for each stage.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use common::{TestSchemas, terraform_data};
use plumb_model::{Type, Value};
use plumb_semantics::eval::{EvalOptions, Evaluator, Phase};
use plumb_semantics::{LoadOptions, MemoryWorld, NodeKind, Schemas, World, load};

fn main() {
    if let Some(directory) =
        std::env::args().nth(1).filter(|argument| std::path::Path::new(argument).is_dir())
    {
        return read(&directory);
    }
    let n: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    measure("layers", layers(n));
    measure("for_each", for_each(n));
    measure("chain of locals", chain(n));
}

/// Reads and checks the files of a directory a few times.
fn read(directory: &str) {
    let entries = std::fs::read_dir(directory).expect("the directory can be read").flatten();
    let files: Vec<(String, String)> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).expect("a source is text");
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect();
    let schemas: Arc<dyn Schemas> = Arc::new(TestSchemas::new());
    let world: Arc<dyn World> = Arc::new(MemoryWorld::new(files));
    for _ in 0..5 {
        let start = Instant::now();
        let loaded = load(&*world, std::path::Path::new("."), &LoadOptions::default());
        let loading = start.elapsed();
        let found = plumb_semantics::check(&loaded.program, &schemas, &world);
        let both = start.elapsed();
        println!(
            "load {:.4} s, load and check {:.4} s, {} diagnostics",
            loading.as_secs_f64(),
            both.as_secs_f64(),
            loaded.diagnostics.len() + found.len()
        );
    }
}

fn layers(n: usize) -> String {
    let width = (n / 50).max(10);
    let mut text = String::new();
    for i in 0..n {
        let _ = write!(text, "resource \"terraform_data\" \"r{i}\" {{\n  input = {{ name = \"r{i}\"");
        if i >= width {
            for k in 0..3 {
                let to = i - width - (i % width) + (i * 7 + k * 13) % width;
                let _ = write!(text, ", v{k} = terraform_data.r{to}.output.name");
            }
        }
        text.push_str(" }\n}\n");
    }
    text
}

fn for_each(n: usize) -> String {
    format!(
        "locals {{\n  all = {{ for i in flatten([for a in range({0}) : [for b in range(100) : a * 100 + b]]) : \"k${{i}}\" => {{ name = \"n${{i}}\", size = i }} }}\n}}\n\
         resource \"terraform_data\" \"r\" {{\n  for_each = local.all\n  input = {{ name = each.value.name, key = each.key, size = each.value.size + 1, other = local.all[each.key].name }}\n}}\n\
         output \"names\" {{\n  value = values(terraform_data.r)[*].output.name\n}}\n",
        n / 100
    )
}

fn chain(n: usize) -> String {
    let mut text = String::from("locals {\n  a0 = 1\n");
    for i in 1..n {
        let _ = writeln!(text, "  a{i} = local.a{} + 1", i - 1);
    }
    text.push_str("}\n");
    text
}

fn measure(name: &str, text: String) {
    let megabytes = text.len() as f64 / 1e6;
    let world = Arc::new(MemoryWorld::new([("main.tf", text)]));
    let start = Instant::now();
    let loaded = load(&*world, std::path::Path::new("."), &LoadOptions::default());
    let loading = start.elapsed();
    assert!(!loaded.diagnostics.has_errors(), "{:?}", loaded.diagnostics.iter().next());
    let schemas: Arc<dyn Schemas> = Arc::new(TestSchemas::new());
    let world: Arc<dyn World> = world;
    let start = Instant::now();
    let found = plumb_semantics::check(&loaded.program, &schemas, &world);
    let checking = start.elapsed();
    assert!(!found.has_errors(), "{:?}", found.iter().next());
    let options = EvalOptions {
        world,
        variables: Default::default(),
        workspace: "default".into(),
        phase: Phase::Plan,
        schemas,
        provider_functions: None,
        plan_time: None,
        exactly_terraform_1_11: false,
    };
    let schema = terraform_data();
    let mut evaluator = Evaluator::new(loaded.program.clone(), options);
    let ordered = loaded.program.order();
    let start = Instant::now();
    let mut instances = 0;
    for id in ordered {
        match loaded.program.node(id).kind {
            NodeKind::Resource => {
                for instance in evaluator.expand_resource(id).expect("the program is right") {
                    let (config, found) = evaluator.config(instance, &schema.block);
                    assert!(!found.has_errors(), "{:?}", found.iter().next());
                    let input = config.get("input").cloned().unwrap_or(Value::NULL);
                    let object = Value::object([
                        ("id", Value::unknown_not_null(Type::String)),
                        ("input", input.clone()),
                        ("output", input),
                        ("triggers_replace", Value::NULL),
                    ]);
                    evaluator.set_instance(instance, object);
                    instances += 1;
                }
            }
            _ => assert!(!evaluator.evaluate(id).has_errors()),
        }
    }
    let evaluating = start.elapsed();
    println!(
        "{name}: {megabytes:.1} MB, load {:.3} s, check {:.3} s, evaluate {:.3} s ({instances} instances)",
        loading.as_secs_f64(),
        checking.as_secs_f64(),
        evaluating.as_secs_f64()
    );
}
