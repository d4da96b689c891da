//! How fast the language is: reading, checking and evaluating, beside `terraform validate` and `tofu validate` where they
//! are on the PATH.
//!
//! ```console
//! $ cargo bench -p plumb-cli --bench language
//! $ cargo bench -p plumb-cli --bench language -- --megabytes 1 --rounds 5 --compare 0.2
//! ```
//!
//! It writes a realistic corpus: typed variables with validations, locals with `for` and templates, heredocs, resources with
//! nested blocks, outputs; only of `terraform_data`, so that no provider is needed. Everything in process runs on one
//! thread, and the best of the rounds is printed. Other tools run alternately with `plumb validate`, as whole processes, on
//! a corpus of `--compare` megabytes, since they need long for the whole one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_engine::graph::Progress;
use plumb_model::address::{Mode, ProviderSource};
use plumb_model::{Attribute, Block, Schema, SourceId, Type};
use plumb_semantics::eval::{EvalOptions, Evaluator, Phase};
use plumb_semantics::{LoadOptions, MemoryWorld, NodeId, NodeKind, Program, Schemas, World};
use plumb_syntax::{Dialect, parse};

/// How many services a file of the corpus declares.
const SERVICES_PER_FILE: usize = 100;
/// The size of a module that somebody edits, in bytes.
const EDITED: usize = 200_000;

/// One service: about 1,300 bytes. It refers to the one before and to one further up.
fn service(i: usize, text: &mut String) {
    let (before, far) = (i.saturating_sub(1), i.saturating_sub(37));
    let reference = if i == 0 { "null".to_owned() } else { format!("local.endpoint_{before}") };
    let _ = write!(
        text,
        r#"# Service {i}: what runs where.
variable "service_{i}" {{
  description = "How service {i} is run."
  type = object({{
    image    = optional(string, "registry.example.com/service-{i}:1.{i}.0")
    replicas = optional(number, 2)
    zones    = optional(list(string), ["a", "b"])
    labels   = optional(map(string), {{}})
  }})
  default = {{}}

  validation {{
    condition     = var.service_{i}.replicas > 0 && var.service_{i}.replicas < 100
    error_message = "Service {i} has 1 to 99 replicas, not ${{var.service_{i}.replicas}}."
  }}
}}

locals {{
  endpoint_{i} = "https://service-{i}.${{join(".", reverse(["internal", "example"]))}}:${{8000 + {i} % 1000}}"
  labels_{i} = merge(var.service_{i}.labels, {{
    name  = "service-{i}"
    tier  = {i} % 3 == 0 ? "edge" : "core"
    zones = join(",", [for zone in var.service_{i}.zones : upper(zone) if zone != ""])
  }})
  peers_{i} = {reference}
  script_{i} = <<-EOT
    #!/bin/sh
    exec service --port=${{8000 + {i} % 1000}} \
      %{{ for name, value in local.labels_{i} ~}}
      --label=${{name}}=${{value}} \
      %{{ endfor ~}}
      --peer=${{coalesce(local.peers_{i}, "none")}}
  EOT
}}

resource "terraform_data" "service_{i}" {{
  for_each = toset(var.service_{i}.zones)

  input = {{
    name   = "service-{i}-${{each.key}}"
    image  = var.service_{i}.image
    labels = local.labels_{i}
    script = local.script_{i}
    far    = local.endpoint_{far}
  }}
  triggers_replace = [var.service_{i}.image, sha256(local.script_{i})]

  lifecycle {{
    create_before_destroy = true
    ignore_changes        = [input]

    precondition {{
      condition     = length(local.labels_{i}) >= 3
      error_message = "Service {i} lacks labels."
    }}
  }}
}}

output "service_{i}" {{
  value = {{ for zone, instance in terraform_data.service_{i} : zone => instance.input.name }}
}}

"#
    );
}

/// Files of a module of at least so many bytes.
fn corpus(bytes: usize) -> Vec<(String, String)> {
    let (mut files, mut size, mut next) = (Vec::new(), 0, 0);
    while size < bytes {
        let mut text = String::new();
        while text.len() + size < bytes && next < (files.len() + 1) * SERVICES_PER_FILE {
            service(next, &mut text);
            next += 1;
        }
        size += text.len();
        files.push((format!("services_{}.tf", files.len()), text));
    }
    files
}

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
    let order = plumb_engine::order::of_program(program).expect("there are no cycles");
    let (mut progress, mut ready) = Progress::start(&order);
    while let Some(task) = ready.pop() {
        let id = NodeId(task as u32);
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
        ready.extend(progress.done(task));
    }
    std::hint::black_box(evaluator.outputs());
}

fn evaluation(text: &str, rounds: usize) -> f64 {
    let world = world(&[("main.tf".to_owned(), text.to_owned())]);
    let program = checked(&world);
    best(rounds, || evaluated(&program, &world))
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

/// Whole processes, each tool in turn.
fn compare(megabytes: f64, rounds: usize) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, text) in corpus((megabytes * 1e6) as usize) {
        std::fs::write(directory.path().join(name), text).expect("the temporary directory can be written");
    }
    let run = |program: &str, arguments: &[&str]| -> Option<f64> {
        let began = Instant::now();
        let status = Command::new(program)
            .args(arguments)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        status.success().then(|| began.elapsed().as_secs_f64())
    };
    let tools: Vec<&str> = [env!("CARGO_BIN_EXE_plumb"), "terraform", "tofu"]
        .into_iter()
        .filter(|tool| tool.ends_with("plumb") || run(tool, &["init", "-backend=false"]).is_some())
        .collect();
    let mut times = vec![f64::INFINITY; tools.len()];
    for _ in 0..rounds {
        for (time, tool) in times.iter_mut().zip(&tools) {
            *time = run(tool, &["validate"]).unwrap_or(f64::INFINITY).min(*time);
        }
    }
    for (tool, time) in tools.iter().zip(&times) {
        let name = Path::new(tool).file_name().map_or((*tool).into(), |name| name.to_string_lossy());
        let ratio = if *time == times[0] { String::new() } else { format!("  {:.1}x", time / times[0]) };
        println!("{:<58} {time:>9.4} s{ratio}", format!("{name} validate, {megabytes} MB, whole process"));
    }
}

struct Options {
    megabytes: f64,
    rounds: usize,
    compare: f64,
}

fn options() -> Options {
    let mut options = Options { megabytes: 3.8, rounds: 5, compare: 0.4 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number =
            |standard: f64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(standard);
        match argument.as_str() {
            "--megabytes" => options.megabytes = number(3.8),
            "--rounds" => options.rounds = number(5.0) as usize,
            "--compare" => options.compare = number(0.4),
            _ => {}
        }
    }
    options
}

fn main() {
    let Options { megabytes, rounds, compare: compared } = options();
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

    let instances = |n: usize| {
        format!(
            "resource \"terraform_data\" \"all\" {{\n  for_each = {{ for i in range(1024) : i => i }}\n  input = {{ name = \"n${{each.key}}\", size = each.value }}\n}}\n"
        )
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

    if compared > 0.0 {
        compare(compared, rounds.min(3));
    }
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
