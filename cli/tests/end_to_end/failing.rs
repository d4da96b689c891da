//! Steps that fail, and people who lose patience.

use crate::support::Workspace;

const CHAIN: &str = r#"
resource "command" "bad" {
  create = ["sh", "-c", "test -e repaired || { echo 'no luck' >&2; exit 4; }"]
}

resource "file" "after" {
  path    = "out/after"
  content = "after ${command.bad.id}"
}

resource "file" "beyond" {
  path    = "out/beyond"
  content = "beyond ${file.after.path}"
}

resource "file" "elsewhere" {
  path    = "out/elsewhere"
  content = "independent"
}
"#;

#[test]
fn what_is_independent_goes_on_and_the_next_apply_finishes() {
    let workspace = Workspace::of(CHAIN);
    let run = workspace.plumb(&["apply", "-auto-approve"]).exits(1);
    let run = run.says("Command failed").says("no luck").says("main.cfg:3");
    let run = run.says("Not tried, since something they depend on failed:");
    run.says("file.after (because of command.bad)").says("file.beyond (because of");
    assert_eq!(workspace.files("out"), ["elsewhere".to_owned()].into());
    workspace.plumb(&["history", "show", "1"]).succeeds().prints("failed").prints("create file.elsewhere");

    workspace.write("repaired", "");
    workspace.apply(&[]);
    assert_eq!(workspace.files("out").len(), 3);
    workspace.is_settled(&[]);
}

#[test]
fn a_failed_deletion_keeps_the_object() {
    let workspace = Workspace::of(
        "resource \"command\" \"a\" {\n  create = [\"true\"]\n  delete = [\"test\", \"-e\", \"allowed\"]\n}\n",
    );
    workspace.apply(&[]);
    workspace.plumb(&["destroy", "-auto-approve"]).exits(1).says("Command failed");
    assert_eq!(workspace.recorded(), ["command.a"]);
    workspace.write("allowed", "");
    workspace.plumb(&["destroy", "-auto-approve"]).succeeds();
    assert!(workspace.recorded().is_empty());
}

#[cfg(unix)]
const SLOW: &str = r#"
resource "command" "slow" {
  create = ["sh", "-c", "echo begin >> log; touch started; while ! test -e go; do sleep 0.05; done; echo end >> log"]
}

resource "file" "next" {
  path    = "out/next"
  content = command.slow.id
}
"#;

#[cfg(unix)]
#[test]
fn an_interrupt_finishes_what_runs_and_begins_nothing() {
    let workspace = Workspace::of(SLOW);
    let apply = workspace.start(&["apply", "-auto-approve"]);
    workspace.wait_for("started");
    apply.signal("INT");
    std::thread::sleep(std::time::Duration::from_millis(300));
    workspace.write("go", "");
    apply.end().exits(1).says("Stopping").says("Everything that was done is recorded");
    assert_eq!(workspace.read("log"), "begin\nend\n");
    assert_eq!(workspace.recorded(), ["command.slow"]);
    assert!(!workspace.has("out"));

    workspace.apply(&[]);
    assert_eq!(workspace.read("log"), "begin\nend\n", "nothing is made twice");
    workspace.is_settled(&[]);
}

#[cfg(unix)]
#[test]
fn a_second_interrupt_ends_at_once_and_forgets_nothing() {
    let workspace = Workspace::of(SLOW);
    let apply = workspace.start(&["apply", "-auto-approve"]);
    workspace.wait_for("started");
    apply.signal("INT");
    std::thread::sleep(std::time::Duration::from_millis(300));
    apply.signal("INT");
    let run = apply.end();
    assert_ne!(run.code, Some(0), "{run}");
    assert_eq!(workspace.read("log"), "begin\n");
    assert!(!workspace.has("out"));

    workspace.write("go", "");
    workspace.apply(&[]);
    assert!(workspace.has("out/next"));
    workspace.is_settled(&[]);
    workspace.plumb(&["destroy", "-auto-approve"]).succeeds();
    assert!(workspace.recorded().is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupt_while_planning_changes_nothing() {
    let workspace = Workspace::of(
        "data \"command\" \"slow\" {\n  command = [\"sh\", \"-c\", \"touch started; sleep 60\"]\n}\n",
    );
    let plan = workspace.start(&["plan"]);
    workspace.wait_for("started");
    plan.signal("INT");
    let run = plan.end();
    assert_ne!(run.code, Some(0), "{run}");
}
