//! `plumb validate` beside `terraform validate` and `tofu validate`, where they are on the PATH.
//!
//! ```console
//! $ cargo bench -p plumb-cli --bench validate -- --megabytes 0.4 --rounds 5
//! ```
//!
//! Whole processes run alternately on the same files, and the best of the rounds is printed. Others need long for
//! megabytes, so the standard is less than that.

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "../../lang/semantics/benches/corpus/mod.rs"]
mod corpus;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

fn main() {
    let (mut megabytes, mut rounds) = (0.4, 3);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number =
            |standard: f64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(standard);
        match argument.as_str() {
            "--megabytes" => megabytes = number(0.4),
            "--rounds" => rounds = number(3.0) as usize,
            _ => {}
        }
    }
    compare(megabytes, rounds);
}

/// Whole processes, each tool in turn.
fn compare(megabytes: f64, rounds: usize) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, text) in corpus::corpus((megabytes * 1e6) as usize) {
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
