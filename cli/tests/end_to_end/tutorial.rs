//! `docs/providers/writing.md` builds the provider in `examples/provider-template`, and that provider works.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{PLUMB, Workspace, root};

const TEMPLATE: &str = "examples/provider-template";

/// The files that the tutorial has its reader write, by path.
fn files() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/providers/writing.md")).expect("there is a tutorial");
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let fence = lines.next().unwrap_or_default();
        assert!(fence.starts_with("```"), "{name}: {fence:?} begins no block");
        let inside: String =
            lines.by_ref().take_while(|line| *line != "```").map(|l| format!("{l}\n")).collect();
        found.insert(name.to_owned(), inside);
    }
    found
}

#[test]
fn the_tutorial_has_the_files_of_the_template() {
    let wanted = ["Cargo.toml", "main.tf", "src/lib.rs", "src/main.rs", "tests/life.rs"];
    let written = files();
    assert_eq!(written.keys().collect::<Vec<_>>(), wanted);
    for (name, text) in written {
        let file = fs::read_to_string(root().join(TEMPLATE).join(&name)).expect("the template has the file");
        assert_eq!(text, file, "{name} in docs/providers/writing.md is not {TEMPLATE}/{name}");
    }
}

/// The folder with the built provider.
fn built() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--workspace", "--bin", "terraform-provider-shelf"]);
    assert!(cargo.current_dir(root()).status().expect("cargo runs").success(), "the template can be built");
    Path::new(PLUMB).parent().expect("a binary is in a directory").to_owned()
}

#[test]
fn the_provider_of_the_tutorial_works() {
    let folder = built();
    let rc = format!(
        "provider_installation {{\n  dev_overrides {{\n    \"example.com/tutorial/shelf\" = {folder:?}\n  }}\n  direct {{}}\n}}\n"
    );
    let workspace = Workspace::new(&[("main.tf", &files()["main.tf"]), ("dev.tfrc", &rc)]);
    for tool in ["plumb", "terraform"] {
        if Command::new(tool).arg("version").output().is_err() && tool == "terraform" {
            eprintln!("skipped: terraform is not installed");
            continue;
        }
        let run = |line: &str| {
            workspace.shell(&format!("TF_CLI_CONFIG_FILE=$PWD/dev.tfrc {tool} {line} -no-color"))
        };
        run("validate").succeeds();
        run("apply -auto-approve").succeeds().prints("words");
        assert_eq!(workspace.read("notes/milk.txt"), "Buy some milk.");
        run("plan -detailed-exitcode").exits(0);
        workspace.write("notes/milk.txt", "Drink it.");
        run("plan -detailed-exitcode").exits(2).prints("Drink it.");
        run("apply -auto-approve -var text=Cheese").succeeds();
        assert_eq!(workspace.read("notes/milk.txt"), "Cheese");
        run("destroy -auto-approve").succeeds();
        assert!(!workspace.has("notes/milk.txt"), "{tool}");
    }
}
