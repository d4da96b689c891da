//! How fast Plumb is on shapes of configurations, beside Terraform and OpenTofu where they are on the PATH.
//!
//! ```console
//! $ cargo bench -p plumb-cli --bench shapes -- --shapes layers,flat --sizes 2000,20000
//! ```
//!
//! For each shape and size it writes a configuration of `terraform_data`, then plans, applies and plans again, and
//! prints seconds and peak memory; then how the time grows from one size to the next, as the exponent of a power:
//! 1 is linear. With `--compare N` the other tools run on sizes up to N, alternately with Plumb, and the ratio to
//! Plumb's time is printed. Whole processes are measured, with real flushes to the disk that holds the temporary
//! directory. Peak memory is read from `/usr/bin/time`, if it is there.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Writes a configuration of so many resources.
type Write = fn(usize) -> String;

/// The shapes by name.
const SHAPES: [(&str, Write); 4] = [("flat", flat), ("layers", layers), ("count", count), ("chain", chain)];

/// n resources with no references.
fn flat(n: usize) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        let _ = write!(
            text,
            "resource \"terraform_data\" \"r{i}\" {{\n  input = {{ name = \"n{i}\", size = {i} }}\n}}\n\n"
        );
        text
    })
}

/// Layers of max(10, n/50) resources; each refers to the name of three in the layer before.
fn layers(n: usize) -> String {
    let width = (n / 50).max(10);
    let mut text = String::new();
    for i in 0..n {
        let (layer, at) = (i / width, i % width);
        let _ = write!(text, "resource \"terraform_data\" \"r{i}\" {{\n  input = {{\n    name = \"n{i}\"\n");
        if layer > 0 {
            let before = (layer - 1) * width;
            let names: Vec<String> = (0..3)
                .map(|k| format!("terraform_data.r{}.output.name", before + (at + k * 7) % width))
                .collect();
            let _ = writeln!(text, "    from = [{}]", names.join(", "));
        }
        text.push_str("  }\n}\n\n");
    }
    text
}

/// One block with `count = n`.
fn count(n: usize) -> String {
    format!(
        "resource \"terraform_data\" \"r\" {{\n  count = {n}\n  input = {{ name = \"n${{count.index}}\" }}\n}}\n"
    )
}

/// Each refers to the one before.
fn chain(n: usize) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        let input = match i {
            0 => "\"start\"".to_owned(),
            _ => format!("\"n{i}-${{substr(terraform_data.r{}.output, 0, 2)}}\"", i - 1),
        };
        let _ = write!(text, "resource \"terraform_data\" \"r{i}\" {{\n  input = {input}\n}}\n\n");
        text
    })
}

/// What is measured of one run.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    megabytes: Option<f64>,
}

/// Runs a program in a directory.
fn run(directory: &Path, program: &str, arguments: &[&str]) -> Option<Run> {
    let time = Path::new("/usr/bin/time");
    let report = directory.join(".measured");
    let mut command = match time.exists() {
        true => {
            let mut command = Command::new(time);
            command.args(["-f", "%M", "-o"]).arg(&report).arg(program);
            command
        }
        false => Command::new(program),
    };
    command
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let began = Instant::now();
    let output = command.output().ok()?;
    let seconds = began.elapsed().as_secs_f64();
    if !output.status.success() {
        eprintln!("{program} {arguments:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    let kilobytes = std::fs::read_to_string(&report).ok().and_then(|text| text.trim().parse::<f64>().ok());
    Some(Run { seconds, megabytes: kilobytes.map(|k| k / 1024.0) })
}

/// Plan, apply, plan again.
fn measure(program: &str, configuration: &str) -> Option<[Run; 3]> {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    std::fs::write(directory.path().join("main.tf"), configuration)
        .expect("the temporary directory can be written");
    if !program.ends_with("plumb") {
        run(directory.path(), program, &["init", "-no-color"])?;
    }
    Some([
        run(directory.path(), program, &["plan", "-no-color"])?,
        run(directory.path(), program, &["apply", "-auto-approve", "-no-color"])?,
        run(directory.path(), program, &["plan", "-no-color"])?,
    ])
}

struct Options {
    shapes: Vec<String>,
    sizes: Vec<usize>,
    compare: usize,
}

fn options() -> Options {
    let mut options = Options {
        shapes: SHAPES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        sizes: vec![2_000, 20_000],
        compare: 200,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut list =
            || arguments.next().unwrap_or_default().split(',').map(str::to_owned).collect::<Vec<_>>();
        match argument.as_str() {
            "--shapes" => options.shapes = list(),
            "--sizes" => options.sizes = list().iter().filter_map(|n| n.parse().ok()).collect(),
            "--compare" => options.compare = list().first().and_then(|n| n.parse().ok()).unwrap_or(0),
            _ => {}
        }
    }
    options
}

fn row(name: &str, n: usize, tool: &str, runs: &[Run; 3], ratio: Option<&[Run; 3]>) {
    let memory = runs
        .iter()
        .filter_map(|r| r.megabytes)
        .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
    let memory = memory.map_or_else(|| "?".to_owned(), |m| format!("{m:.0}"));
    let times: Vec<String> = runs.iter().map(|r| format!("{:>9.3}", r.seconds)).collect();
    let ratio = ratio.map_or_else(String::new, |base| {
        let ratios: Vec<String> =
            runs.iter().zip(base).map(|(a, b)| format!("{:.0}x", a.seconds / b.seconds)).collect();
        format!("  ({})", ratios.join(", "))
    });
    println!("{name:<8} {n:>7} {tool:<10} {} {memory:>8}{ratio}", times.join(" "));
}

fn main() {
    let options = options();
    let others: Vec<&str> = ["terraform", "tofu"]
        .into_iter()
        .filter(|tool| Command::new(tool).arg("version").output().is_ok())
        .collect();
    println!(
        "{:<8} {:>7} {:<10} {:>9} {:>9} {:>9} {:>8}",
        "shape", "n", "tool", "plan s", "apply s", "no-op s", "peak MB"
    );
    for (name, write) in SHAPES.iter().filter(|(name, _)| options.shapes.iter().any(|s| s == name)) {
        let mut before: Option<(usize, [Run; 3])> = None;
        for &n in &options.sizes {
            let configuration = write(n);
            let Some(ours) = measure(env!("CARGO_BIN_EXE_plumb"), &configuration) else { return };
            row(name, n, "plumb", &ours, None);
            for tool in others.iter().filter(|_| n <= options.compare) {
                if let Some(theirs) = measure(tool, &configuration) {
                    row(name, n, tool, &theirs, Some(&ours));
                }
            }
            if let Some((m, earlier)) = before {
                let exponent = |i: usize| {
                    let (a, b): (&Run, &Run) = (&earlier[i], &ours[i]);
                    (b.seconds / a.seconds).ln() / (n as f64 / m as f64).ln()
                };
                println!(
                    "{name:<8} growth from {m} to {n}: plan {:.2}, apply {:.2}, no-op {:.2}",
                    exponent(0),
                    exponent(1),
                    exponent(2)
                );
            }
            before = Some((n, ours));
        }
    }
}
