//! The providers that are compiled into Plumb, used by Terraform.

use std::process::Command;

use crate::support::Workspace;

const MAIN: &str = r#"
terraform {
  required_providers {
    file = {
      source = "plumb.local/builtin/file"
    }
    random = {
      source = "plumb.local/builtin/random"
    }
  }
}

variable "text" {
  default = "Hello!"
}

resource "random_pet" "name" {}

resource "file" "greeting" {
  path    = "out/${random_pet.name.id}.txt"
  content = var.text
}
"#;

#[test]
fn linked_providers_are_programs_in_a_mirror() {
    let workspace = Workspace::new(&[]);
    let linked = workspace.plumb(&["providers", "link", "shared"]).succeeds();
    assert!(
        linked.stdout.starts_with("provider_installation {\n  filesystem_mirror {\n    path    = \"/"),
        "{linked}"
    );
    let linked =
        linked.prints("include = [\"plumb.local/builtin/*\"]").says("command, file, random, rest, time");
    let programs = workspace.files("shared");
    assert!(programs.iter().any(|path| path.starts_with("plumb.local/builtin/file/")), "{programs:?}");
    assert_eq!(programs.len(), 5, "{linked}");

    let by_hand = workspace.plumb(&["providers", "serve", "file"]).exits(1);
    by_hand.says("Found a person").says("Run `plumb providers link DIRECTORY`");
    workspace.plumb(&["providers", "serve", "flie"]).exits(1).says("Did you mean `file`?");
    workspace.plumb(&["providers", "serve", "terraform"]).exits(1).says("a part of Terraform");
}

#[test]
fn terraform_and_plumb_use_the_same_files() {
    if Command::new("terraform").arg("version").output().is_err() {
        eprintln!("skipped: terraform is not installed");
        return;
    }
    let workspace = Workspace::new(&[("main.tf", MAIN)]);
    let rc = workspace.plumb(&["providers", "link", "shared"]).succeeds().stdout;
    workspace.write("rc", &rc);
    let run = |line: &str| workspace.shell(&format!("TF_CLI_CONFIG_FILE=$PWD/rc terraform {line} -no-color"));
    run("init").succeeds();
    run("validate").succeeds();
    run("apply -auto-approve").succeeds();
    assert_eq!(workspace.files("out").len(), 1);
    run("plan -detailed-exitcode").exits(0);
    run("plan -detailed-exitcode -var text=Bye").exits(2);
    run("destroy -auto-approve").succeeds();
    assert!(workspace.files("out").is_empty());

    // The same directory with Plumb, which needs no program for them.
    workspace.plumb(&["init"]).succeeds().says("compiled in");
    workspace.apply(&[]);
    assert_eq!(workspace.files("out").len(), 1);
    workspace.is_settled(&[]);
    workspace.plumb(&["destroy", "-auto-approve"]).succeeds();
}
