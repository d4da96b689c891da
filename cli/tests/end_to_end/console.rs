//! The real console: every expression whose result is known, one a line, and what it prints for all of them.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value as Json;

use crate::support::{Run, Workspace, root};

/// Expressions that are one line, need no files, and mean the same in all versions; with what is printed.
fn pairs() -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for file in ["expressions", "functions", "combinations"] {
        let path = root().join("lang/semantics/tests").join(file).with_extension("jsonl");
        let text = std::fs::read_to_string(path).expect("the test data is there");
        for line in text.lines() {
            let pair: Json = serde_json::from_str(line).expect("the test data is JSON");
            let (Some(expr), Some(result)) = (pair["expr"].as_str(), pair["result"].as_str()) else {
                continue;
            };
            let alone = pair.get("files").is_none() && pair.get("via").is_none() && !expr.contains('\n');
            // What a line is trimmed of is no part of it.
            if alone && expr.trim() == expr && expr != "exit" {
                pairs.push((expr.to_owned(), result.to_owned()));
            }
        }
    }
    pairs
}

fn console(workspace: &Workspace, input: &str) -> Run {
    let mut command = workspace.command(&["console"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("plumb starts");
    let mut stdin = child.stdin.take().expect("it reads");
    let input = input.to_owned();
    let feeding = std::thread::spawn(move || {
        // It may end before it has read everything.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().expect("its output can be read");
    feeding.join().expect("writing does not panic");
    Run::of("plumb console".to_owned(), output)
}

#[test]
fn results_are_printed_to_the_character() {
    let workspace = Workspace::new(&[]);
    let pairs = pairs();
    assert!(pairs.len() > 3_000, "{} pairs", pairs.len());
    let input: String = pairs.iter().map(|(expr, _)| format!("{expr}\n")).collect();
    let run = console(&workspace, &input).succeeds();
    let mut rest = run.stdout.as_str();
    for (expr, result) in &pairs {
        let wanted = format!("{result}\n");
        assert!(rest.starts_with(&wanted), "{expr}\nwanted\n{wanted}found\n{}", &rest[..rest.len().min(400)]);
        rest = &rest[wanted.len()..];
    }
    assert_eq!(rest, "");
}

#[test]
fn the_first_error_ends_it() {
    let workspace = Workspace::new(&[]);
    let run = console(&workspace, "1 + 1\n[][0]\n2 + 2\n").exits(1).says("the collection is empty");
    assert_eq!(run.stdout, "2\n");
}

#[test]
fn what_is_sensitive_in_state_is_not_shown() {
    let workspace =
        Workspace::of("resource \"terraform_data\" \"a\" {\n  input = sensitive(\"hunter2\")\n}\n");
    workspace.apply(&[]);
    let run = console(&workspace, "terraform_data.a.input\n").succeeds().prints("(sensitive value)");
    run.lacks("hunter2");
}
