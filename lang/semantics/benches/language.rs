//! How fast the language is: reading, checking and evaluating, in process and on one thread.
//!
//! ```console
//! $ cargo bench -p plumb-semantics --bench language
//! $ cargo bench -p plumb-semantics --bench language -- --megabytes 1 --rounds 9
//! ```
//!
//! The best of the rounds is printed, beside the limit where there is one; for expressions over n things, how the time grows
//! when n is doubled, as the exponent of a power: 1 is linear. Elsewhere: whole processes beside other tools are
//! `cargo bench -p plumb-cli --bench validate`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]

mod corpus;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use corpus::corpus;
use ecow::EcoString;
use indexmap::IndexMap;
use plumb_model::address::{Mode, ProviderSource};
use plumb_model::{Attribute, Block, Schema, SourceId, Type};
use plumb_semantics::eval::{EvalOptions, Evaluator, Phase};
use plumb_semantics::{
    LoadOptions, MemoryWorld, NodeId, NodeKind, Program, Schemas, Texts, World, load_again,
};
use plumb_syntax::{Dialect, parse};

/// As in `plumb`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The size of a module that somebody edits, in bytes.
const EDITED: usize = 200_000;

/// What is known of `terraform_data`.
struct OneType(Arc<Schema>);

impl OneType {
    fn new() -> OneType {
        let attributes = [
            ("id", Attribute::computed(Type::String)),
            ("input", Attribute::optional(Type::Dynamic)),
            ("output", Attribute::computed(Type::Dynamic)),
            ("triggers_replace", Attribute::optional(Type::Dynamic)),
        ];
        OneType(Arc::new(Schema { version: 0, block: Block::of(attributes) }))
    }
}

impl Schemas for OneType {
    fn knows(&self, _: &ProviderSource) -> bool {
        true
    }

    fn resource(&self, _: &ProviderSource, _: Mode, kind: &str) -> Option<Arc<Schema>> {
        (kind == "terraform_data").then(|| self.0.clone())
    }

    fn provider(&self, _: &ProviderSource) -> Option<Arc<Schema>> {
        Some(Arc::new(Schema::default()))
    }

    fn kinds(&self, _: &ProviderSource, _: Mode) -> Vec<EcoString> {
        vec!["terraform_data".into()]
    }

    fn has_function(&self, _: &ProviderSource, _: &str) -> bool {
        false
    }
}

/// The best of some rounds, in seconds.
fn best<T>(rounds: usize, mut work: impl FnMut() -> T) -> f64 {
    let time = |_| {
        let began = Instant::now();
        let result = work();
        let seconds = began.elapsed().as_secs_f64();
        drop(result);
        seconds
    };
    (0..rounds.max(1)).map(time).fold(f64::INFINITY, f64::min)
}

fn world(files: &[(String, String)]) -> MemoryWorld {
    MemoryWorld::new(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// Loads and checks; there must be nothing to say.
fn checked(world: &MemoryWorld) -> Arc<Program> {
    let loaded = plumb_semantics::load(world, Path::new("."), &LoadOptions::default());
    let mut found = loaded.diagnostics;
    let schemas: Arc<dyn Schemas> = Arc::new(OneType::new());
    let world: Arc<dyn World> = Arc::new(world.clone());
    found.extend(plumb_semantics::check(&loaded.program, &schemas, &world));
    assert!(!found.has_errors(), "the corpus is valid: {:?}", found.iter().find(|d| d.is_error()));
    loaded.program
}

/// The nodes, each after those it depends on.
fn order(program: &Program) -> Vec<NodeId> {
    let count = program.node_count();
    let mut visited = vec![false; count];
    let mut ordered = Vec::with_capacity(count);
    for start in 0..count as u32 {
        let mut stack = vec![(NodeId(start), 0)];
        while let Some((id, next)) = stack.pop() {
            if next == 0 && std::mem::replace(&mut visited[id.0 as usize], true) {
                continue;
            }
            match program.dependencies(id).get(next) {
                Some(dependency) => {
                    stack.push((id, next + 1));
                    if !visited[dependency.to.0 as usize] {
                        stack.push((dependency.to, 0));
                    }
                }
                None => ordered.push(id),
            }
        }
    }
    ordered
}

/// Evaluates everything, each instance as its configuration.
fn evaluated(program: &Arc<Program>, world: &MemoryWorld) {
    let options = EvalOptions {
        plan_time: None,
        exactly_terraform_1_11: false,
        world: Arc::new(world.clone()),
        variables: IndexMap::new(),
        workspace: "default".into(),
        phase: Phase::Plan,
        schemas: Arc::new(OneType::new()),
        provider_functions: None,
    };
    let mut evaluator = Evaluator::new(program.clone(), options);
    for id in order(program) {
        if program.node(id).kind == NodeKind::Resource {
            let schema = evaluator.schema(id).expect("there is one type").clone();
            for instance in evaluator.expand_resource(id).expect("its keys are known") {
                let (value, found) = evaluator.config(instance, &schema.block);
                assert!(!found.has_errors(), "{:?}", found.iter().next());
                evaluator.set_instance(instance, value);
            }
        } else {
            let found = evaluator.evaluate(id);
            assert!(!found.has_errors(), "{:?}", found.iter().next());
        }
    }
    std::hint::black_box(evaluator.outputs());
}

fn evaluation(text: &str, rounds: usize) -> f64 {
    let world = world(&[("main.tf".to_owned(), text.to_owned())]);
    let program = checked(&world);
    best(rounds, || evaluated(&program, &world))
}

/// What an editor waits for after each change of one item in a module of [`EDITED`] bytes: all of its diagnostics.
fn keystrokes(rounds: usize) {
    let files = corpus(EDITED);
    let (name, whole) = &files[0];
    let edits = [
        ("a keystroke in a value", "Service 50 lacks labels", "Service 50 lacks most labels"),
        ("a renamed local", "endpoint_50 =", "endpoint_fifty ="),
        ("a value that is missing", "image  = var.service_50.image", "image  ="),
        ("a bracket that is not closed", "toset(var.service_50.zones)", "toset(var.service_50.zones"),
    ];
    for (what, from, to) in edits {
        let changed = whole.replacen(from, to, 1);
        assert_ne!(*whole, changed, "the text has `{from}`");
        let schemas: Arc<dyn Schemas> = Arc::new(OneType::new());
        let worlds = [whole, &changed].map(|text| {
            let mut world = world(&files);
            let path = Path::new("/work").join(name);
            world.files.insert(path, text.clone().into_bytes());
            Arc::new(world) as Arc<dyn World>
        });
        let mut texts = Texts::default();
        let mut seconds = [f64::INFINITY; 2];
        for round in 0..2 * (rounds + 1) {
            let world = &worlds[round % 2];
            let began = Instant::now();
            let loaded = load_again(&**world, Path::new("."), &LoadOptions::default(), &mut texts);
            let loading = began.elapsed().as_secs_f64();
            std::hint::black_box(plumb_semantics::check(&loaded.program, &schemas, world));
            let all = began.elapsed().as_secs_f64();
            if round >= 2 {
                seconds = [seconds[0].min(loading), seconds[1].min(all)];
            }
        }
        line(&format!("{what}: loaded again"), seconds[0], None);
        line(&format!("{what}: loaded again and checked"), seconds[1], Some(0.005));
    }
}

fn line(what: &str, seconds: f64, limit: Option<f64>) {
    let limit = limit.map_or_else(String::new, |limit| {
        let verdict = if seconds <= limit { "within" } else { "OVER" };
        format!("  {verdict} {limit} s")
    });
    println!("{what:<58} {seconds:>9.4} s{limit}");
}

/// How the time for n things grows when n is doubled, as the exponent of a power.
fn growth(what: &str, text: impl Fn(usize) -> String, n: usize, rounds: usize) {
    let (once, twice) = (evaluation(&text(n), rounds), evaluation(&text(2 * n), rounds));
    println!("{what:<58} {once:>9.4} s for {n}, {twice:.4} s for {}: n^{:.2}", 2 * n, (twice / once).log2());
}

struct Options {
    megabytes: f64,
    rounds: usize,
}

fn options() -> Options {
    let mut options = Options { megabytes: 3.8, rounds: 5 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number =
            |standard: f64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(standard);
        match argument.as_str() {
            "--megabytes" => options.megabytes = number(3.8),
            "--rounds" => options.rounds = number(5.0) as usize,
            _ => {}
        }
    }
    options
}

fn main() {
    let Options { megabytes, rounds } = options();
    let files = corpus((megabytes * 1e6) as usize);
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    println!("{:.2} MB in {} files, best of {rounds}", bytes as f64 / 1e6, files.len());

    let parsed = best(rounds, || {
        let parse = |(_, text): &(String, String)| parse(SourceId(0), text, Dialect::Terraform);
        files.iter().map(parse).collect::<Vec<_>>()
    });
    line("parse", parsed, Some(0.25));
    let memory = world(&files);
    line("parse and check", best(rounds, || checked(&memory)), Some(0.6));

    let edited = world(&corpus(EDITED));
    line("parse and check, module of 200 kB", best(rounds, || checked(&edited)), None);

    keystrokes(rounds);

    let instances = |n: usize| {
        "resource \"terraform_data\" \"all\" {\n  for_each = { for i in range(1024) : i => i }\n  input = { name = \"n${each.key}\", size = each.value }\n}\n".to_string()
        .replace("range(1024)", &format!("concat({})", chunks(n)))
    };
    line("100,000 instances of one for_each", evaluation(&instances(100_000), rounds), Some(0.6));

    growth(
        "concat of n lists",
        |n| locals(&format!("concat([for i in {} : [i]]...)", numbers(n))),
        50_000,
        rounds,
    );
    growth(
        "merge of n objects",
        |n| locals(&format!("merge([for i in {} : {{ \"k${{i}}\" = i }}]...)", numbers(n))),
        50_000,
        rounds,
    );
    growth(
        "join of n texts",
        |n| locals(&format!("join(\",\", [for i in {} : \"t${{i}}\"])", numbers(n))),
        50_000,
        rounds,
    );
    growth(
        "a template with n parts",
        |n| locals(&format!("\"%{{ for i in {} }}<${{i}}>%{{ endfor }}\"", numbers(n))),
        50_000,
        rounds,
    );
    growth(
        "flatten, distinct and sort of n",
        |n| locals(&format!("sort(distinct(flatten([for i in {} : [\"t${{i}}\"]])))", numbers(n))),
        50_000,
        rounds,
    );
    growth(
        "a set of n",
        |n| locals(&format!("toset([for i in {} : \"t${{i}}\"])", numbers(n))),
        50_000,
        rounds,
    );
    growth("a chain of n locals, each longer than the last", chain, 500, rounds);
}

/// An expression for the numbers below n. `range` makes at most 1,024.
fn numbers(n: usize) -> String {
    format!("concat({})", chunks(n))
}

fn chunks(n: usize) -> String {
    let chunk = |from: usize| format!("range({from}, {})", (from + 1024).min(n));
    (0..n).step_by(1024).map(chunk).collect::<Vec<_>>().join(", ")
}

fn locals(expression: &str) -> String {
    format!("locals {{\n  all = {expression}\n}}\noutput \"size\" {{\n  value = length(local.all)\n}}\n")
}

/// `a1 = concat(a0, [1])`, and so on: what is shared need not be copied, so it is the sum of the lengths at most.
fn chain(n: usize) -> String {
    let mut text = String::from("locals {\n  a0 = []\n");
    for i in 1..n {
        let _ = writeln!(text, "  a{i} = concat(local.a{}, [{i}])", i - 1);
    }
    let _ = write!(text, "}}\noutput \"size\" {{\n  value = length(local.a{})\n}}\n", n - 1);
    text
}
