//! What the documentation shows is true: every command in a block of kind `console` is run, and prints what is there.
//!
//! All blocks of a document are run in one directory, which has a copy of `examples/` for documents elsewhere, or of
//! the example for its README. A line `$ command` is given to a shell, with the lines after it that begin with `> `; the others are its output, both streams
//! together, where `…` stands for any lines and `[..]` for anything in a line. A command must succeed unless its output
//! ends with `(exit code N)`. A block after `<!-- file: NAME -->` is written to this file.

use std::fs;
use std::path::PathBuf;

use crate::support::api::Api;
use crate::support::{Workspace, root, transcript};

enum Block {
    File { name: String, text: String },
    Console(Vec<(String, Vec<String>)>),
}

/// The blocks of a document that can be tried.
fn blocks(text: &str) -> Vec<Block> {
    let (mut found, mut file) = (Vec::new(), None);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->")) {
            file = Some(name.to_owned());
        } else if let Some(kind) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            match (file.take(), kind) {
                (Some(name), _) => found.push(Block::File { name, text: inside.join("\n") + "\n" }),
                (None, "console") => found.push(Block::Console(transcript::commands(&inside, "$ "))),
                _ => {}
            }
        }
    }
    found
}

fn check_command(document: &str, workspace: &Workspace, command: &str, expected: &[String]) {
    let run = workspace.shell(&format!("exec 2>&1\n{command}"));
    let (expected, code) = transcript::exit_code(expected);
    let lines = transcript::without_edges(&run.stdout);
    assert_eq!(run.code, Some(code), "{document}: {run}");
    assert!(
        transcript::matches(expected, &lines),
        "{document} shows\n{}\nbut it is {run}",
        expected.join("\n")
    );
}

fn check(document: &str, workspace: &Workspace) {
    let text =
        fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
    for block in blocks(&text) {
        match block {
            Block::File { name, text } => workspace.write(&name, &text),
            Block::Console(commands) => {
                for (command, expected) in commands {
                    check_command(document, workspace, &command, &expected);
                }
            }
        }
    }
}

#[test]
fn readmes_of_examples() {
    let api = Api::start(0, "secret").expect("a port of this machine is free");
    for name in ["first", "service", "history", "contact-centre", "typed"] {
        let workspace =
            Workspace::example(name).with("TF_VAR_url", &api.url()).with("CONTACT_CENTRE_TOKEN", "secret");
        check(&format!("examples/{name}/README.md"), &workspace);
    }
}

/// The documents outside of `examples/`, by path from the root.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("README.md")];
    for directory in ["docs", "docs/providers"] {
        for entry in fs::read_dir(root().join(directory)).expect("there is documentation").flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "md") {
                found.push(PathBuf::from(directory).join(entry.file_name()));
            }
        }
    }
    found
}

#[test]
fn the_documentation() {
    for document in documents() {
        let workspace = Workspace::new(&[]);
        check(&document.to_string_lossy(), &workspace);
    }
}

#[test]
fn links_lead_somewhere() {
    let examples = ["first", "service", "history", "contact-centre", "typed"]
        .map(|name| PathBuf::from(format!("examples/{name}/README.md")));
    for document in documents().into_iter().chain(examples) {
        let text = fs::read_to_string(root().join(&document)).expect("it is there");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or("");
            if path.is_empty() || path.contains("://") || path.contains(' ') {
                continue;
            }
            let base = root().join(document.parent().expect("a document is in a directory"));
            assert!(base.join(path).exists(), "{}: {target} is not there", document.display());
        }
    }
}

#[test]
fn every_direct_dependency_is_explained() {
    let explained = fs::read_to_string(root().join("docs/dependencies.md")).expect("it is there");
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("it is there");
    let members = manifest
        .split("members = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next())
        .expect("there are members");
    for member in members.split('"').skip(1).step_by(2) {
        let manifest =
            fs::read_to_string(root().join(member).join("Cargo.toml")).expect("a member has a manifest");
        let mut within = false;
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                within = line.ends_with("dependencies]");
                continue;
            }
            let name = line.split(['.', '=', ' ']).next().unwrap_or("");
            if !within || name.is_empty() || name.starts_with('#') || name.starts_with("plumb-") {
                continue;
            }
            assert!(
                explained.contains(&format!("| `{name}` |")),
                "{member} depends on {name}: say in docs/dependencies.md what for"
            );
        }
    }
}
