//! How fast Plumb is with a provider in a process of its own, beside Terraform where it is on the PATH.
//!
//! ```console
//! $ cargo bench -p plumb-cli --bench wire -- --size 2000 --compare
//! ```
//!
//! The conformance provider, which needs Go to be built, manages so many things in layers: each refers to a computed
//! attribute of three in the layer before. They are planned, applied, planned again with nothing to do, and destroyed.
//! For each step the whole time is printed, and how much of it the provider had calls to work on; what is left is the
//! tool's. With `--compare` Terraform does the same, and the ratio of what is left is printed beside that of the whole.
//!
//! Last comes a schema of some sixty megabytes: a first plan, which has to ask for it, and a second one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plumb_provider_testing::mirror::{self, Built};

const ADDRESS: &str = "example.com/plumb/conformance";
const PLUMB: &str = env!("CARGO_BIN_EXE_plumb");
/// How many copies of a type make a schema of sixty megabytes.
const MANY_TYPES: &str = "30000";

/// Layers of max(10, n/50) things; each refers to the label of three in the layer before.
fn layers(n: usize) -> String {
    let width = (n / 50).max(10);
    let mut text = format!(
        "terraform {{\n  required_providers {{\n    conformance = {{ source = {ADDRESS:?} }}\n  }}\n}}\n\n"
    );
    for i in 0..n {
        let (layer, at) = (i / width, i % width);
        let _ = write!(text, "resource \"conformance_thing\" \"r{i}\" {{\n  name = \"n{i}\"\n");
        if layer > 0 {
            let before = (layer - 1) * width;
            let names: Vec<String> = (0..3)
                .map(|k| format!("conformance_thing.r{}.label", before + (at + k * 7) % width))
                .collect();
            let _ = writeln!(text, "  steps = [{}]", names.join(", "));
        }
        text.push_str("}\n\n");
    }
    text
}

/// What one command took.
#[derive(Clone, Copy)]
struct Took {
    whole: Duration,
    /// For how long its provider had something to do.
    provider: Duration,
}

impl Took {
    fn rest(self) -> Duration {
        self.whole.saturating_sub(self.provider)
    }
}

/// One of the tools in a directory of its own.
struct Tool<'a> {
    program: &'a str,
    folder: tempfile::TempDir,
    configuration: &'a Path,
    variables: &'a [(&'a str, &'a str)],
}

impl Tool<'_> {
    fn run(&self, arguments: &[&str]) -> Took {
        let busy = tempfile::tempdir().expect("a temporary directory can be made");
        let since = Instant::now();
        let output = Command::new(self.program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.configuration)
            .env("CONFORMANCE_REMOTE", self.folder.path().join("remote.jsonl"))
            .env("CONFORMANCE_BUSY", busy.path())
            .env("PLUMB_CACHE_DIR", self.folder.path().join("cache"))
            .env("CHECKPOINT_DISABLE", "1")
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("the tool starts");
        let whole = since.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {arguments:?}: {said}", self.program);
        let entries = std::fs::read_dir(busy.path()).expect("it is there").flatten();
        let times =
            entries.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()?.parse::<u64>().ok());
        Took { whole, provider: Duration::from_micros(times.sum()) }
    }
}

const STEPS: [(&str, &[&str]); 4] = [
    ("plan", &["plan", "-no-color"]),
    ("apply", &["apply", "-no-color", "-auto-approve"]),
    ("plan, nothing to do", &["plan", "-no-color"]),
    ("destroy", &["destroy", "-no-color", "-auto-approve"]),
];

fn measure(tool: &Tool<'_>, text: &str) -> Vec<Took> {
    std::fs::write(tool.folder.path().join("main.tf"), text).expect("a file can be written");
    tool.run(&["init", "-no-color"]);
    STEPS.iter().map(|(_, arguments)| tool.run(arguments)).collect()
}

fn new<'a>(program: &'a str, configuration: &'a Path, variables: &'a [(&'a str, &'a str)]) -> Tool<'a> {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    Tool { program, folder, configuration, variables }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let size = arguments.iter().position(|a| a == "--size").and_then(|at| arguments.get(at + 1));
    let size: usize = size.map_or(2000, |text| text.parse().expect("--size takes a number"));
    let Some(program) = plumb_provider_testing::conformance() else { return };
    let shared = tempfile::tempdir().expect("a temporary directory can be made");
    let configuration = installed(shared.path(), program);
    let text = layers(size);
    let ours = measure(&new(PLUMB, &configuration, &[]), &text);
    let theirs = (arguments.iter().any(|a| a == "--compare")
        && plumb_provider_testing::has_terraform("the comparison"))
    .then(|| measure(&new("terraform", &configuration, &[]), &text));
    println!("{size} things in layers; seconds: whole, of that the provider, the rest");
    for (i, (name, _)) in STEPS.iter().enumerate() {
        print!("{name:22} plumb {}", row(ours[i]));
        if let Some(theirs) = &theirs {
            let ratio = |of: fn(Took) -> Duration| of(theirs[i]).as_secs_f64() / of(ours[i]).as_secs_f64();
            print!("   terraform {}", row(theirs[i]));
            print!("   {:.1} times, of the rest {:.1} times", ratio(|took| took.whole), ratio(Took::rest));
        }
        println!();
    }
    large_schema(&configuration);
}

fn installed(folder: &Path, program: PathBuf) -> PathBuf {
    let built = Built { address: ADDRESS.into(), version: "1.0.0".into(), program };
    mirror::create(folder, &[built]).expect("a mirror can be made")
}

fn row(took: Took) -> String {
    let [whole, provider, rest] = [took.whole, took.provider, took.rest()].map(|time| time.as_secs_f64());
    format!("{whole:7.3} {provider:7.3} {rest:7.3}")
}

fn large_schema(configuration: &Path) {
    let tool = new(PLUMB, configuration, &[("CONFORMANCE_TYPES", MANY_TYPES)]);
    std::fs::write(tool.folder.path().join("main.tf"), layers(1)).expect("a file can be written");
    tool.run(&["init", "-no-color"]);
    for what in ["asked for", "cached"] {
        println!(
            "validate with a large schema, {what}: {:.3} s",
            tool.run(&["validate"]).whole.as_secs_f64()
        );
    }
    tool.run(&["apply", "-auto-approve"]);
    println!("plan with it and nothing to do: {:.3} s", tool.run(&["plan"]).whole.as_secs_f64());
    let schemas = tool.folder.path().join("cache/schemas");
    for file in std::fs::read_dir(schemas).into_iter().flatten().flatten() {
        println!("the schema has {} MB", file.metadata().map_or(0, |data| data.len() / 1_000_000));
    }
}
