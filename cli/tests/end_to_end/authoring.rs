//! What helps authors: `explain`, `validate -fix`, `fmt`, `interface`, `migrate-config`.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{Run, Workspace};

#[test]
fn a_code_is_explained_and_a_wrong_one_is_guessed() {
    let workspace = Workspace::new(&[]);
    let page = workspace.plumb(&["explain", "attribute-redefined"]).succeeds();
    page.prints("Wrong:").prints("Right:").prints("[attribute-redefined]");
    // As it is copied from a message.
    workspace.plumb(&["explain", "[attribute-redefined]"]).succeeds().prints("Wrong:");
    workspace
        .plumb(&["explain"])
        .succeeds()
        .prints("  attribute-redefined")
        .prints("Text that cannot be read");
    workspace.plumb(&["explain", "atribute-redefined"]).exits(1).says("Did you mean `attribute-redefined`?");
    workspace.plumb(&["completions", "bash"]).succeeds().prints("attribute-redefined");
}

const FIXABLE: &str =
    "variable \"a\" {\n  type : string\n  default = 'x',\n}\n\noutput \"a\" {\n  value = var.a\n}\n";
const FIXED: &str =
    "variable \"a\" {\n  type = string\n  default = \"x\"\n}\n\noutput \"a\" {\n  value = var.a\n}\n";

#[test]
fn fixing_makes_safe_changes_and_shows_them() {
    let workspace = Workspace::of(FIXABLE);
    workspace
        .plumb(&["validate", "-fix", "-diff"])
        .exits(1)
        .prints("-  type : string")
        .prints("+  type = string");
    assert_eq!(workspace.read("main.cfg"), FIXABLE, "-diff writes nothing");
    workspace.plumb(&["validate", "-fix"]).succeeds().prints("+  type = string");
    assert_eq!(workspace.read("main.cfg"), FIXED);
    let again = workspace.plumb(&["validate", "-fix"]).succeeds();
    assert_eq!(again.stdout, "The configuration is valid.\n", "there is nothing left to fix");
}

#[test]
fn fixing_leaves_to_people_what_needs_one() {
    let text = "variable \"a\" {\n  tpye = string\n}\n";
    let workspace = Workspace::of(text);
    workspace.plumb(&["validate", "-fix"]).exits(1).says("Did you mean `type`?");
    assert_eq!(workspace.read("main.cfg"), text);
}

#[test]
fn a_file_keeps_its_mode_when_it_is_fixed_or_laid_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::of("locals {\na : 1,\n}\n");
    let path = workspace.path().join("main.cfg");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).expect("the mode can be set");
    workspace.plumb(&["validate", "-fix"]).succeeds();
    workspace.plumb(&["fmt"]).succeeds();
    assert_eq!(workspace.read("main.cfg"), "locals {\n  a = 1\n}\n");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o664);
}

const UGLY: &str = "locals {\na=1\n}\n";
const BROKEN: &str = "locals {\na=1\n}\nlocals {\n  b=\n}\n";

#[test]
fn fmt_ends_as_terraform_does() {
    let files = [("main.tf", UGLY), ("a.tftest.hcl", UGLY), ("v.tfvars", "a=1"), ("notes.txt", "x")];
    let cases: [&[&str]; 9] = [
        &["fmt"],
        &["fmt", "-check"],
        &["fmt", "-check", "-list=false"],
        &["fmt", "-diff"],
        &["fmt", "-write=false"],
        &["fmt", "-recursive", "-check"],
        &["fmt", "main.tf", "v.tfvars"],
        &["fmt", "nowhere.tf"],
        &["fmt", "notes.txt"],
    ];
    for arguments in cases {
        let ours = Workspace::new(&files);
        let Some(theirs) = terraform(&ours, arguments) else { return };
        let ours_after = Workspace::new(&files);
        let run = ours_after.plumb(arguments);
        assert_eq!((run.code, &run.stdout), (theirs.code, &theirs.stdout), "{arguments:?}: {run}\n{theirs}");
        for (name, _) in files {
            assert_eq!(ours_after.read(name), ours.read(name), "{arguments:?}");
        }
    }
}

/// What Terraform does in a directory with these arguments; none if it is not there.
fn terraform(workspace: &Workspace, arguments: &[&str]) -> Option<Run> {
    let output = workspace.program("terraform").args(arguments).arg("-no-color").output();
    match output {
        Ok(output) => Some(Run::of(format!("terraform {arguments:?}"), output)),
        Err(_) => {
            eprintln!("skipped: there is no terraform on the PATH");
            None
        }
    }
}

#[test]
fn fmt_goes_on_around_what_is_broken() {
    let workspace = Workspace::new(&[("a.tf", UGLY), ("b.tf", BROKEN)]);
    workspace.plumb(&["fmt"]).exits(2).says("b.tf:5");
    assert_eq!(workspace.read("a.tf"), "locals {\n  a = 1\n}\n");
    assert_eq!(workspace.read("b.tf"), "locals {\n  a = 1\n}\nlocals {\n  b=\n}\n");
}

#[test]
fn fmt_reads_standard_input() {
    let workspace = Workspace::new(&[]);
    let format = |arguments: &[&str], text: &str| {
        let mut command = workspace.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("plumb starts");
        let mut input = child.stdin.take().expect("it was asked for");
        std::io::Write::write_all(&mut input, text.as_bytes()).expect("it reads");
        drop(input);
        Run::of(format!("{arguments:?}"), child.wait_with_output().expect("its output can be read"))
    };
    assert_eq!(format(&["fmt", "-"], UGLY).succeeds().stdout, "locals {\n  a = 1\n}\n");
    assert_eq!(format(&["fmt", "-check", "-"], UGLY).exits(3).stdout, "");
    format(&["fmt", "-"], BROKEN).exits(2);
    assert_eq!(
        format(&["fmt", "-"], "locals {\na=b??c\n}\n").succeeds().stdout,
        "locals {\n  a = b ?? c\n}\n"
    );
}

const MODULE: &str = r#"
variable "port" {
  type        = number
  default     = 8080
  description = "Where it listens."
  validation {
    condition     = var.port < 65536
    error_message = "A port is below 65536."
  }
}

variable "server" {
  type     = object({ name = string, zones = optional(list(string), ["a"]) })
  nullable = false
}

variable "password" {
  type      = string
  sensitive = true
}

resource "random_pet" "name" {}

output "url" {
  type  = string
  value = "https://${var.server.name}:${var.port}"
}
"#;

#[test]
fn the_interface_of_a_module_is_shown_without_evaluating_it() {
    let workspace = Workspace::new(&[("m/main.cfg", MODULE)]);
    let text = workspace.plumb(&["interface", "m"]).succeeds();
    text.prints("port  number  = 8080\n      Where it listens.\n      A port is below 65536.")
        .prints("password  string  (required)  (sensitive)")
        .prints("url  string")
        .prints("random  plumb.local/builtin/random");
    let run = workspace.plumb(&["interface", "-json", "m"]).succeeds();
    let json: Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert_eq!(json["inputs"]["port"]["default"], 8080);
    assert_eq!(json["inputs"]["port"]["validations"][0]["condition"], "var.port < 65536");
    assert_eq!(json["inputs"]["password"]["required"], true);
    assert_eq!(json["outputs"]["url"]["type"], "string");
    let schema = &json["inputs_schema"];
    assert_eq!(schema["required"], serde_json::json!(["server", "password"]));
    let server = &schema["properties"]["server"];
    assert_eq!((&server["type"], &server["required"]), (&"object".into(), &serde_json::json!(["name"])));
    assert_eq!(server["properties"]["zones"]["default"], serde_json::json!(["a"]));
    assert_eq!(
        schema["properties"]["port"]["type"], "number",
        "null is no value of a type that does not say so"
    );
    let alone = workspace.plumb(&["interface", "-schema", "m"]).succeeds();
    assert_eq!(&serde_json::from_str::<Value>(&alone.stdout).expect("it is JSON"), schema);
    workspace.plumb(&["interface", "nowhere"]).exits(1).says("No configuration");
}

const ROOT: &str = r#"# The service.
terraform {
  required_version = ">= 1.5"
}

variable "zones" {
  type    = list(string)
  default = ["a", "b"] # two of them
}

locals {
  odd = var.zones != null ?[1]:[2]
}

/* Each zone. */
module "zone" {
  source   = "./zone"
  for_each = toset(var.zones)
  name     = each.key
}

resource "terraform_data" "all" {
  input = { names = [for zone in module.zone : zone.name], odd = local.odd }
}
"#;
const ZONE: &str = r#"variable "name" {}

resource "terraform_data" "zone" {
  input = "zone ${var.name}" // its name
}

output "name" {
  value = var.name
}
"#;

/// A plan as JSON, without what is different each time.
fn plan(workspace: &Workspace) -> Value {
    workspace.plumb(&["plan", "-out=p"]).succeeds();
    let run = workspace.plumb(&["show", "-json", "p"]).succeeds();
    let mut json: Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    json.as_object_mut().expect("a plan is an object").remove("timestamp");
    json
}

#[test]
fn files_are_turned_without_changing_the_plan() {
    let workspace = Workspace::new(&[
        ("main.tf", ROOT),
        ("more.tofu", "output \"more\" {\n  value = 1\n}\n"),
        ("zone/main.tf", ZONE),
    ]);
    let before = plan(&workspace);
    let run = workspace.plumb(&["migrate-config"]).succeeds();
    run.prints("main.tf -> main.cfg").prints("zone/main.tf -> zone/main.cfg").says("Nothing was written");
    assert!(!workspace.has("main.cfg"));
    workspace.plumb(&["migrate-config", "-write"]).succeeds();
    let files = workspace.files("");
    for name in ["main.cfg", "more.cfg", "zone/main.cfg"] {
        assert!(files.contains(name), "{files:?}");
    }
    assert!(!files.iter().any(|name| name.ends_with(".tf") || name.ends_with(".tofu")), "{files:?}");
    assert_eq!(plan(&workspace), before);
    let text = workspace.read("main.cfg");
    for comment in ["# The service.", "# two of them", "/* Each zone. */"] {
        assert!(text.contains(comment), "{text}");
    }
    assert_eq!(workspace.read("zone/main.cfg"), ZONE);
    workspace.plumb(&["migrate-config"]).succeeds().prints("in `.cfg` files already");
}

#[test]
fn implied_providers_are_named() {
    let resource = "resource \"random_pet\" \"a\" {}\n";
    for (before, after) in [
        (
            "terraform {\n  required_providers {\n    time = {\n      source = \"hashicorp/time\"\n    }\n  }\n}\n",
            "terraform {\n  required_providers {\n    time = {\n      source = \"hashicorp/time\"\n    }\n    random = {\n      source = \"registry.terraform.io/hashicorp/random\"\n    }\n  }\n}\n",
        ),
        (
            "terraform {\n  required_version = \">= 1.0\"\n}\n",
            "terraform {\n  required_version = \">= 1.0\"\n  required_providers {\n    random = {\n      source = \"registry.terraform.io/hashicorp/random\"\n    }\n  }\n}\n",
        ),
        (
            "",
            "terraform {\n  required_providers {\n    random = {\n      source = \"registry.terraform.io/hashicorp/random\"\n    }\n  }\n}\n\n",
        ),
    ] {
        let workspace = Workspace::new(&[("main.tf", &format!("{before}{resource}"))]);
        workspace.plumb(&["migrate-config", "-write"]).succeeds();
        assert_eq!(workspace.read("main.cfg"), format!("{after}{resource}"));
    }
}

const LENIENT: &str = r#"variable "net" {
  type = object({
    name    = string
    subnets = map(object({ cidr = string, public = optional(bool, false) }))
  })
  default = { name = null, subnets = { a = { cidr = "10.0.0.0/8", extra = 1 } }, more = true }
}

variable "names" {
  type     = list(string)
  nullable = false
  default  = ["a", null]
}

variable "empty" {
  type    = object({})
  default = null
}

resource "terraform_data" "all" {
  input = [var.net, var.names, var.empty]
}
"#;

#[test]
fn types_mean_the_same_afterwards() {
    let workspace = Workspace::new(&[("main.tf", LENIENT)]);
    let before = workspace.plumb(&["plan"]).succeeds().stdout;
    workspace.plumb(&["migrate-config", "-write"]).succeeds();
    let text = workspace.read("main.cfg");
    for part in [
        "    name    = string?\n",
        "map(object({ cidr = string?, public = optional(bool, false), ... })?)?\n    ...\n  })?\n",
        "type     = list(string?)\n",
        "type    = object({ ... })?\n",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    workspace.plumb(&["fmt", "-check"]).succeeds();
    assert_eq!(workspace.plumb(&["plan"]).succeeds().stdout, before);
}

#[test]
fn an_argument_that_would_become_a_meta_argument_is_escaped() {
    let workspace = Workspace::new(&[(
        "main.tf",
        "resource \"aws_thing\" \"a\" {\n  name    = \"a\"\n  enabled = true # on\n}\n",
    )]);
    workspace.plumb(&["migrate-config", "-write"]).succeeds();
    let text = workspace.read("main.cfg");
    assert!(text.contains("  _ {\n    enabled = true\n  } # on\n"), "{text}");
}

#[test]
fn what_cannot_be_turned_is_refused_with_reasons() {
    for (name, text, reason) in [
        ("main.tf", "output \"a\" {\n  value = { b = 1, b = 2 }\n}\n", "written twice"),
        ("main.tf", "output \"a\" {\n  value = 1 / 0\n}\n", "division by zero"),
        ("main.tf.json", "{\"output\": {\"a\": {\"value\": 1}}}", "JSON"),
    ] {
        let workspace = Workspace::new(&[(name, text)]);
        workspace.plumb(&["migrate-config", "-write"]).exits(1).says(reason);
        assert_eq!(workspace.read(name), text);
        assert!(!workspace.has("main.cfg"));
    }
}
