//! Variables without a value: who is asked, who is told, and what a saved plan needs to be given again.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::support::Workspace;
use crate::support::api::Api;

const THREE: &str = r#"
variable "region" {
  type        = string
  description = "Where the queues are."
}
variable "sizes" {
  type = list(number)
}
variable "token" {
  type      = string
  ephemeral = true
}
output "region" {
  value = "${var.region} ${sum(var.sizes)}"
}
"#;

/// Runs a command at a terminal of its own; each time that a value is asked for, the next answer is typed. Gives what the
/// terminal shows, or nothing where the program `script`, which makes the terminal, is missing.
fn at_a_terminal(workspace: &Workspace, line: &str, answers: &[&str]) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no program `script`, which makes a terminal");
        return None;
    }
    let mut command = workspace.program("script");
    let command = command.args(["-qec", line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("script starts");
    let mut keyboard = child.stdin.take();
    let mut screen = child.stdout.take().expect("it is piped");
    let (mut shown, mut typed) = (Vec::new(), 0);
    let mut buffer = [0; 4096];
    loop {
        let read = screen.read(&mut buffer).expect("the screen can be read");
        if read == 0 {
            break;
        }
        shown.extend_from_slice(&buffer[..read]);
        let asked = String::from_utf8_lossy(&shown).matches("Enter a value: ").count();
        while typed < asked {
            match answers.get(typed) {
                Some(answer) => {
                    let keys = format!("{answer}\n");
                    keyboard.as_mut().expect("it is piped").write_all(keys.as_bytes()).expect("it types");
                }
                None => keyboard = None,
            }
            typed += 1;
        }
    }
    child.wait().expect("script ends");
    Some(String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn at_a_terminal_somebody_is_asked_and_secrets_are_not_shown() {
    let workspace = Workspace::of(THREE);
    let plan = "plumb plan -no-color";
    let Some(shown) = at_a_terminal(&workspace, plan, &["eu-1", "[1, 2]", "hunter2"]) else { return };
    assert!(shown.contains("var.region\r\n  Where the queues are.\r\n\r\n  Enter a value: eu-1"), "{shown}");
    assert!(shown.contains("var.token (ephemeral, not shown while you type)"), "{shown}");
    assert!(shown.contains(r#"region = "eu-1 3""#), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn who_does_not_answer_is_told_what_is_missing() {
    let workspace = Workspace::of(THREE);
    let Some(shown) = at_a_terminal(&workspace, "plumb plan -no-color", &["eu-1"]) else { return };
    assert!(shown.contains("The variable `sizes` has no default"), "{shown}");
    assert!(!shown.contains("The variable `region` has no default"), "{shown}");
}

#[test]
fn without_a_terminal_or_with_input_false_everything_missing_is_told_at_once() {
    let workspace = Workspace::of(THREE);
    for command in ["plan", "apply", "destroy"] {
        let run = workspace.plumb(&[command]).exits(1).says("The variable `region`").says("TF_VAR_region");
        run.says("-var sizes=…").says("variable \"token\" {").says("Found 3 errors.");
    }
    let Some(shown) = at_a_terminal(&workspace, "plumb plan -no-color -input=false", &[]) else { return };
    assert!(!shown.contains("Enter a value") && shown.contains("Found 3 errors."), "{shown}");
}

#[test]
fn a_plan_is_applied_with_ephemeral_values_that_are_given_again() {
    let api = Api::start(0, "s3cret-token").expect("a port is free");
    let workspace = Workspace::of(&format!(
        r#"
variable "token" {{
  type      = string
  ephemeral = true
}}
variable "other" {{
  type      = string?
  ephemeral = true
  default   = null
}}
variable "name" {{
  type    = string
  default = "sales"
}}
variable "sizes" {{
  type    = list(number)
  default = [1]
}}
provider "rest" {{
  url          = "{}"
  bearer_token = var.token
  username     = var.other
}}
resource "rest_object" "queue" {{
  path = "/queues"
  data = jsonencode({{ name = var.name, sizes = var.sizes }})
}}
"#,
        api.url()
    ));
    let given = ["-var=token=s3cret-token", "-var=name=support"];
    workspace.plumb(&["plan", "-out=p", given[0], given[1]]).succeeds();
    let refused = |args: &[&str], code: &str, words: &str| {
        let args: Vec<&str> = ["apply"].iter().chain(args).chain(&["p"]).copied().collect();
        workspace.plumb(&args).exits(1).says(code).says(words);
    };
    refused(&[], "ephemeral-value-needed", "The variable `token` is ephemeral");
    refused(&[given[0], "-var=name=x"], "variable-differs-from-plan", r#"there it is "support""#);
    refused(&[given[0], "-var=sizes=[2]"], "variable-differs-from-plan", "`sizes` is given another value");
    refused(&[given[0], "-var=other=x"], "variable-differs-from-plan", "the plan was made without one");
    assert_eq!(api.objects().len(), 1);

    // The same value in another form is the same value, and a file is for making plans.
    workspace.write("terraform.tfvars", "name = \"from a file\"\n");
    let mut command = workspace.command(&["apply", given[0], given[1], "-var=sizes=[\"1\"]", "p"]);
    let applied = command.env("TF_VAR_sizes", "[7]").output().expect("plumb runs");
    let said = String::from_utf8_lossy(&applied.stderr);
    assert!(applied.status.success(), "{said}");
    assert_eq!(api.objects()["/queues/queues-1"]["name"], "support");

    let plan = std::fs::read(workspace.path().join("p")).expect("the plan is there");
    assert!(!String::from_utf8_lossy(&plan).contains("s3cret-token"));
    let shown = workspace.plumb(&["show", "-json", "p"]).succeeds();
    shown.lacks("s3cret-token");
}

#[test]
fn at_a_terminal_somebody_is_asked_for_ephemeral_values_of_a_saved_plan() {
    let workspace = Workspace::of(
        r#"
variable "token" {
  type      = string
  ephemeral = true
}
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command     = "printf %s \"$TOKEN\" > token"
    environment = { TOKEN = var.token }
  }
}
"#,
    );
    workspace.plumb(&["plan", "-out=p", "-var=token=first"]).succeeds();
    let Some(shown) = at_a_terminal(&workspace, "plumb apply p", &["second"]) else { return };
    assert!(!shown.contains("second"), "{shown}");
    assert_eq!(workspace.read("token"), "second");
}

#[test]
fn a_value_from_the_environment_does_not_change_a_saved_plan() {
    let workspace =
        Workspace::of("variable \"name\" {\n  type = string\n}\noutput \"name\" {\n  value = var.name\n}\n");
    workspace.plumb(&["plan", "-out=p", "-var=name=a"]).succeeds();
    let applied = workspace.with("TF_VAR_name", "b");
    applied.plumb(&["apply", "p"]).succeeds().says("`TF_VAR_name` says something else than the plan");
    applied.plumb(&["output", "-raw", "name"]).prints("a");
}
