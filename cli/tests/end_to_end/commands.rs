//! The manners of the command line: exit codes, streams, formats, approval, locks.

use serde_json::Value;

use crate::support::Workspace;

const ONE: &str = r#"
resource "terraform_data" "a" {
  input = "x"
}

output "a" {
  value = terraform_data.a.output
}
"#;

#[test]
fn wrong_usage_is_an_error() {
    let workspace = Workspace::of(ONE);
    workspace.plumb(&["plna"]).exits(1).says("plan");
    workspace.plumb(&["plan", "-nope"]).exits(1);
    workspace.plumb(&["plan", "-var=a=b"]).exits(1);
    workspace.plumb(&["plan", "-target=]["]).exits(1).says("Not an address");
    workspace.plumb(&["-C", "nowhere", "plan"]).exits(1).says("nowhere");
    workspace.plumb(&["state", "show", "terraform_data.b"]).exits(1);
    Workspace::new(&[]).plumb(&["plan"]).exits(1).says("No configuration");
}

#[test]
fn exit_codes_tell_whether_there_are_changes() {
    let workspace = Workspace::of(ONE);
    workspace.plumb(&["plan"]).exits(0);
    workspace.plumb(&["plan", "-detailed-exitcode"]).exits(2);
    workspace.apply(&[]);
    workspace.plumb(&["plan", "-detailed-exitcode"]).exits(0);
    workspace.write("main.cfg", "resource \"nothing\" {\n}\n");
    workspace.plumb(&["plan", "-detailed-exitcode"]).exits(1);
    workspace.plumb(&["validate"]).exits(1);
}

#[test]
fn a_file_out_of_layout_has_an_exit_code_of_its_own() {
    let workspace = Workspace::of("a=1\n");
    workspace.write("main.cfg", "locals {\n  a=1\n}\n");
    workspace.plumb(&["fmt", "-check"]).exits(3).prints("main.cfg");
    assert_eq!(workspace.read("main.cfg"), "locals {\n  a=1\n}\n");
    workspace.plumb(&["fmt"]).succeeds();
    assert_eq!(workspace.read("main.cfg"), "locals {\n  a = 1\n}\n");
    workspace.plumb(&["fmt", "-check"]).succeeds();
}

#[test]
fn results_go_to_standard_output_and_the_rest_to_standard_error() {
    let workspace = Workspace::of(ONE);
    let run = workspace.apply(&[]);
    assert!(run.stdout.contains("Plan: 1 to create") && !run.stdout.contains("Creating..."), "{run}");
    assert!(run.stderr.contains("Creating...") && run.stderr.contains("Applied: 1 created."), "{run}");
    let run = workspace.plumb(&["output", "-raw", "a"]).succeeds();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("x", ""));
    let run = workspace.plumb(&["output", "-json"]).succeeds();
    let json: Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert_eq!(json["a"]["value"], "x");
    let run = workspace.plumb(&["output", "b"]).exits(1);
    assert_eq!(run.stdout, "");
}

#[test]
fn there_are_no_colours_where_nobody_sees_them() {
    let workspace = Workspace::of(ONE);
    for args in
        [&["plan"][..], &["plan", "-no-color"], &["-no-color", "plan"], &["plan", "-target=]["], &["--help"]]
    {
        workspace.plumb(args).lacks("\u{1b}");
    }
    Workspace::of(ONE).with("NO_COLOR", "1").plumb(&["plan"]).succeeds().lacks("\u{1b}");
}

#[test]
fn machines_get_json() {
    let workspace = Workspace::of(ONE);
    let json = |args: &[&str]| -> Value {
        let run = workspace.plumb(args).succeeds();
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
    };
    assert_eq!(json(&["validate", "-json"])["valid"], true);
    workspace.apply(&[]);
    let state = json(&["show", "-json"]);
    assert_eq!(state["format_version"], "1.0");
    assert_eq!(state["values"]["root_module"]["resources"][0]["address"], "terraform_data.a");
    let history = json(&["history", "-json"]);
    assert_eq!((&history[0]["kind"], &history[0]["status"]), (&"apply".into(), &"succeeded".into()));
    assert!(json(&["version", "-json"])["plumb_version"].is_string());
    assert_eq!(json(&["state", "export"])["version"], 4);

    workspace.write("main.cfg", "resource \"terraform_data\" \"a\" {\n  inptu = 1\n}\n");
    let run = workspace.plumb(&["validate", "-json"]).exits(1);
    let json: Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert_eq!(
        (&json["valid"], &json["diagnostics"][0]["range"]["start"]["line"]),
        (&false.into(), &2.into())
    );
}

#[test]
fn nobody_to_ask_means_no() {
    let workspace = Workspace::of(ONE);
    workspace.plumb(&["apply"]).exits(1).prints("Plan: 1 to create").says("Nobody is there to approve");
    workspace.plumb(&["apply", "-auto-approve=false"]).exits(1);
    assert!(workspace.recorded().is_empty());
    workspace.apply(&[]);
    workspace.plumb(&["destroy"]).exits(1).says("Nobody is there to approve");
    assert_eq!(workspace.recorded(), ["terraform_data.a"]);
    // Nothing to do needs nobody.
    workspace.plumb(&["apply"]).exits(0);
}

#[test]
fn values_of_variables_come_in_the_known_order() {
    let workspace =
        Workspace::of("variable \"a\" {\n  default = 0\n}\n\noutput \"a\" {\n  value = var.a\n}\n")
            .with("TF_VAR_a", "1");
    let value = |args: &[&str]| {
        workspace.apply(args);
        workspace.plumb(&["output", "a"]).succeeds().stdout.trim().to_owned()
    };
    assert_eq!(value(&[]), "\"1\"");
    workspace.write("x.auto.tfvars", "a = 2\n");
    assert_eq!(value(&[]), "2");
    workspace.write("y.tfvars", "a = 3\n");
    assert_eq!(value(&["-var-file=y.tfvars"]), "3");
    assert_eq!(value(&["-var-file", "y.tfvars", "-var", "a=4"]), "\"4\"");
    assert_eq!(value(&["--var=a=4", "--var-file=y.tfvars"]), "3");
}

#[test]
fn a_second_command_says_who_holds_the_lock_or_waits() {
    let workspace = Workspace::of(
        "resource \"command\" \"slow\" {\n  create = [\"sh\", \"-c\", \"touch started; while ! test -e go; do sleep 0.05; done\"]\n}\n",
    );
    let first = workspace.start(&["apply", "-auto-approve", "-reason=CHG-1042"]);
    workspace.wait_for("started");
    let refused = workspace.plumb(&["apply", "-auto-approve"]).exits(7).says("State is locked");
    refused.says("tester@").exits(7);
    // Looking disturbs nobody.
    workspace.plumb(&["state", "list"]).succeeds();
    workspace.plumb(&["plan"]).succeeds();
    let second = workspace.start(&["apply", "-auto-approve", "-lock-timeout=2m"]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    workspace.write("go", "");
    first.end().succeeds();
    second.end().succeeds();
    let history = workspace.plumb(&["history"]).succeeds().prints("(CHG-1042)");
    assert_eq!(history.stdout.lines().count(), 1, "{history}");
}

#[test]
fn state_can_be_edited_and_each_edit_is_kept() {
    let workspace = Workspace::of(ONE);
    workspace.apply(&[]);
    workspace.plumb(&["state", "mv", "-dry-run", "terraform_data.a", "terraform_data.b"]).succeeds();
    assert_eq!(workspace.recorded(), ["terraform_data.a"]);
    workspace.plumb(&["state", "mv", "terraform_data.a", "terraform_data.b"]).succeeds();
    assert_eq!(workspace.recorded(), ["terraform_data.b"]);
    let exported = workspace.plumb(&["state", "export"]).succeeds().stdout;
    workspace.plumb(&["state", "rm", "terraform_data.b", "-reason=moved away"]).succeeds();
    assert!(workspace.recorded().is_empty());
    workspace.plumb(&["history"]).succeeds().prints("(moved away)");

    let other = Workspace::new(&[("terraform.tfstate", &exported)]);
    other.plumb(&["state", "import", "terraform.tfstate"]).succeeds();
    assert_eq!(other.recorded(), ["terraform_data.b"]);
}

#[test]
fn the_console_knows_configuration_and_state() {
    let workspace = Workspace::of(ONE);
    workspace.apply(&[]);
    let run = workspace.shell("echo 'upper(terraform_data.a.output)' | plumb console").succeeds();
    assert_eq!(run.stdout, "\"X\"\n");
}

#[test]
fn completions_and_help_are_there() {
    let workspace = Workspace::new(&[]);
    workspace.plumb(&["completions", "bash"]).succeeds().prints("complete");
    workspace.plumb(&["apply", "--help"]).succeeds().prints("Examples:");
    workspace.plumb(&["version"]).succeeds().prints("Plumb v");
    workspace.plumb(&["--version"]).succeeds();
}
