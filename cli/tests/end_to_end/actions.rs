//! Actions through the whole binary, with the conformance provider: its action `conformance_notify` notes in the history
//! of the remote system that it was invoked.

use crate::plugins::workspace;
use crate::support::Workspace;

const THING: &str = r#"
variable "title" {
  default = "one"
}

resource "conformance_thing" "a" {
  name  = "a"
  title = var.title

  lifecycle {
    action_trigger {
      events  = [before_create, before_update]
      actions = [action.conformance_notify.before]
    }
    action_trigger {
      events    = [after_create, after_update]
      condition = var.title != "quiet"
      actions   = [action.conformance_notify.after["x"], action.conformance_notify.after["y"]]
    }
  }
}

action "conformance_notify" "before" {
  config {
    name  = "before"
    times = 2
  }
}

action "conformance_notify" "after" {
  for_each = toset(["x", "y"])

  config {
    name = "${each.key}-${conformance_thing.a.revision}"
  }
}
"#;

/// What happened in the remote system, in order: `create a`, `notify before`.
fn history(workspace: &Workspace) -> Vec<String> {
    if !workspace.has("remote.jsonl") {
        return Vec::new();
    }
    let text = workspace.read("remote.jsonl");
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines
        .map(|event| format!("{} {}", event["op"].as_str().unwrap(), event["name"].as_str().unwrap()))
        .collect()
}

#[test]
fn actions_are_invoked_around_the_change_that_triggers_them() {
    let Some((workspace, _)) = workspace(THING) else { return };
    workspace
        .plumb(&["plan"])
        .succeeds()
        .prints("action.conformance_notify.before will be invoked before conformance_thing.a is created")
        .prints("Actions: 3 to invoke.");
    workspace
        .apply(&[])
        .says("action.conformance_notify.before: step 1")
        .says("action.conformance_notify.before: step 2")
        .says("Applied: 1 created, 3 actions invoked.");
    let made = ["notify before", "create a", "notify x-1", "notify y-1"];
    assert_eq!(history(&workspace), made);
    workspace.is_settled(&[]);

    workspace.apply(&["-var=title=quiet"]).says("1 action invoked");
    assert_eq!(history(&workspace)[4..], ["notify before", "update a"], "the condition does not hold");
    assert_eq!(workspace.recorded(), ["conformance_thing.a"], "an action leaves no record");
}

#[test]
fn a_saved_plan_has_its_actions() {
    let Some((workspace, _)) = workspace(THING) else { return };
    workspace.plumb(&["plan", "-out=change.plan"]).succeeds();
    let shown = workspace.plumb(&["show", "-json", "change.plan"]).succeeds();
    let plan: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let invocations = plan["action_invocations"].as_array().unwrap();
    assert_eq!(invocations.len(), 3);
    assert_eq!(invocations[0]["config_values"]["name"], "before");
    assert_eq!(invocations[1]["address"], "action.conformance_notify.after[\"x\"]");
    assert_eq!(invocations[1]["config_unknown"]["name"], true);
    let trigger = &invocations[1]["lifecycle_action_trigger"];
    assert_eq!(trigger["triggering_resource_address"], "conformance_thing.a");
    assert_eq!(trigger["action_trigger_event"], "AfterCreate");
    assert_eq!(trigger["action_trigger_block_index"], 1);
    workspace.plumb(&["apply", "change.plan"]).succeeds();
    assert_eq!(history(&workspace).len(), 4);
}

#[test]
fn an_action_that_is_asked_for_is_invoked_alone() {
    let Some((workspace, _)) = workspace(THING) else { return };
    workspace.apply(&[]);
    let asked = "-invoke=action.conformance_notify.after[\"y\"]";
    // The title would change, but nothing is done to resources.
    workspace
        .plumb(&["apply", "-auto-approve", asked, "-var=title=two"])
        .succeeds()
        .says("Applied: 1 action invoked.");
    assert_eq!(history(&workspace)[4..], ["notify y-1"]);
    workspace.plumb(&["plan", "-out=again.plan", asked]).succeeds();
    workspace.plumb(&["apply", "again.plan"]).succeeds();
    assert_eq!(history(&workspace)[4..], ["notify y-1", "notify y-1"]);
    workspace
        .plumb(&["plan", "-invoke=action.conformance_notify.befor"])
        .exits(1)
        .says("Did you mean `action.conformance_notify.before`?");
}

fn failing(event: &str, how: &str) -> String {
    format!(
        r#"
resource "conformance_thing" "a" {{
  name = "a"

  lifecycle {{
    action_trigger {{
      events  = [{event}]
      actions = [action.conformance_notify.hook, action.conformance_notify.second]
    }}
  }}
}}

resource "conformance_thing" "b" {{
  name = "b-${{conformance_thing.a.name}}"
}}

action "conformance_notify" "hook" {{
  config {{
    name = "hook"
    {how} = true
  }}
}}

action "conformance_notify" "second" {{
  config {{
    name = "second"
  }}
}}
"#
    )
}

#[test]
fn what_an_action_before_it_refuses_is_not_done() {
    let Some((workspace, _)) = workspace(&failing("before_create", "fail")) else { return };
    workspace.plumb(&["apply", "-auto-approve"]).exits(1).says("Not notified").says("conformance_thing.b");
    assert!(history(&workspace).is_empty());
    assert!(workspace.recorded().is_empty());
}

#[test]
fn what_an_action_after_it_fails_for_stays_and_is_recorded() {
    let Some((workspace, _)) = workspace(&failing("after_create", "fail")) else { return };
    workspace
        .plumb(&["apply", "-auto-approve"])
        .exits(1)
        .says("Not notified")
        .says("`action.conformance_notify.second` was to be invoked after `conformance_thing.a`")
        .says("-invoke='action.conformance_notify.second'");
    assert_eq!(workspace.recorded(), ["conformance_thing.a", "conformance_thing.b"]);
    assert!(!history(&workspace).iter().any(|event| event == "notify second"));
}

#[test]
fn an_action_whose_end_nobody_knows_is_named_and_not_invoked_again() {
    let Some((workspace, _)) = workspace(&failing("after_create", "crash")) else { return };
    workspace
        .plumb(&["apply", "-auto-approve"])
        .exits(1)
        .says("It is not known what became of an action [action-outcome-unknown]");
    workspace
        .apply(&[])
        .says("[action-in-doubt]")
        .says("while `action.conformance_notify.hook` was being invoked for `conformance_thing.a`");
    assert_eq!(history(&workspace).iter().filter(|event| *event == "notify hook").count(), 1);
    workspace.apply(&[]).lacks("action-in-doubt");
}

#[test]
fn what_is_wrong_with_actions_is_said_before_anything_is_done() {
    let text = r#"
resource "conformance_thing" "a" {
  name  = "a"
  title = action.conformance_notify.hook.name

  lifecycle {
    action_trigger {
      events  = [after_creat, before_destroy]
      actions = [conformance_thing.a, action.conformance_notify.hok]
    }
  }
}

action "conformance_notify" "hook" {
  config {
    nam = "hook"
  }
}
"#;
    let Some((workspace, _)) = workspace(text) else { return };
    workspace
        .plumb(&["validate"])
        .exits(1)
        .says("[action-has-no-value]")
        .says("Did you mean `after_create`?")
        .says("Destroying an object triggers no action")
        .says("[not-an-action]")
        .says("An argument named `nam` is not expected");
    // An action that has to come before needs what it is told before.
    workspace.write(
        "main.tf",
        &THING.replace("events    = [after_create, after_update]", "events    = [before_create]"),
    );
    workspace.plumb(&["plan"]).exits(1).says("Cycle in the configuration");
}
