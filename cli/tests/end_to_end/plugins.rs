//! A provider in a process of its own, as somebody uses it who develops it: `dev_overrides` names its folder.

use std::path::PathBuf;

use crate::support::Workspace;

const ADDRESS: &str = "example.com/plumb/conformance";

/// A directory that uses the conformance provider, and the copy of its program; `None` without Go.
pub fn workspace(text: &str) -> Option<(Workspace, PathBuf)> {
    let program = plumb_provider_testing::conformance()?;
    let required = format!(
        "terraform {{\n  required_providers {{\n    conformance = {{ source = {ADDRESS:?} }}\n  }}\n}}\n"
    );
    let workspace = Workspace::new(&[("required.tf", required.as_str()), ("main.tf", text)]);
    workspace.write("program/README", "A folder for the program under development.\n");
    let copy = workspace.path().join("program/terraform-provider-conformance");
    std::fs::copy(program, &copy).expect("a file can be copied");
    let folder = copy.parent().expect("it is in a folder").to_owned();
    workspace.write(
        "rc",
        &format!(
            "provider_installation {{\n  dev_overrides {{\n    {ADDRESS:?} = {folder:?}\n  }}\n  direct {{}}\n}}\n"
        ),
    );
    let [rc, remote] = ["rc", "remote.jsonl"].map(|name| workspace.path().join(name));
    let workspace = workspace.with("TF_CLI_CONFIG_FILE", rc.to_str().expect("a path of text"));
    Some((workspace.with("CONFORMANCE_REMOTE", remote.to_str().expect("a path of text")), copy))
}

#[test]
fn another_build_of_a_provider_does_not_carry_out_the_plan_of_the_first() {
    let text = "resource \"conformance_thing\" \"a\" {\n  name = \"a\"\n}\n";
    let Some((workspace, program)) = workspace(text) else { return };
    workspace.plumb(&["plan", "-out=change.plan"]).succeeds();
    let mut bytes = std::fs::read(&program).unwrap();
    bytes.push(0);
    std::fs::write(&program, bytes).unwrap();
    workspace
        .plumb(&["apply", "change.plan"])
        .exits(6)
        .says("Plan was made with another provider")
        .says("Make the plan again");
    assert!(!workspace.has("remote.jsonl"), "nothing was done");
    workspace.plumb(&["plan", "-out=change.plan"]).succeeds();
    workspace.plumb(&["apply", "change.plan"]).succeeds();
}

#[test]
fn an_object_whose_provider_crashed_after_making_it_is_found_again() {
    let text = "resource \"conformance_thing\" \"a\" {\n  name      = \"a\"\n  misbehave = \"apply-crash-after-once\"\n}\n";
    let Some((workspace, _)) = workspace(text) else { return };
    workspace
        .plumb(&["apply", "-auto-approve"])
        .exits(1)
        .says("Provider crashed")
        .says("It is not known what became of a step");
    workspace.apply(&[]).says("The provider was asked: the object exists, and is recorded as it is.");
    assert_eq!(workspace.recorded(), ["conformance_thing.a"]);
    assert_eq!(workspace.read("remote.jsonl").matches(r#""op":"create""#).count(), 1);
    workspace.is_settled(&[]);
}

#[test]
fn calls_are_kept_within_the_limits_that_are_set() {
    let text = "language {\n  limits \"conformance\" {\n    concurrency = 1\n\n    resource \"conformance_thing\" {\n      per_second = 1000\n    }\n  }\n}\n\
        resource \"conformance_thing\" \"many\" {\n  count = 8\n  name  = \"${count.index}\"\n}\n";
    let Some((workspace, _)) = workspace(text) else { return };
    workspace.apply(&[]).lacks("limits");
    assert_eq!(workspace.recorded().len(), 8);
}
