//! Terraform's state files, read and written.

mod common;

use std::{fs, process::Command};

use common::header;
use plumb_state::{
    InstanceKey, OpenOptions, State,
    record::{InstanceStatus, Mode, OperationKind},
    tfstate::{TfStateError, read},
};

/// Everything the format has, in the layout and order of Terraform.
const SAMPLE: &str = include_str!("sample.tfstate.json");

/// Takes a state file in, opens the state again, and writes it out.
fn through_a_state(text: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path(), OpenOptions::default()).unwrap();
    state.edit(header(OperationKind::Import), read(text).unwrap().into_edits()).unwrap();
    state.close().unwrap();
    let state = State::open(dir.path(), OpenOptions { read_only: true }).unwrap();
    state.to_terraform().unwrap().write().unwrap()
}

#[test]
fn what_was_read_is_written() {
    assert_eq!(read(SAMPLE).unwrap().write().unwrap(), SAMPLE);
    assert_eq!(through_a_state(SAMPLE), SAMPLE);
}

#[test]
fn records_say_what_the_file_said() {
    let state = read(SAMPLE).unwrap();
    let find = |key: InstanceKey| {
        state
            .instances
            .iter()
            .find(|record| record.key() == key)
            .unwrap_or_else(|| panic!("{key} is missing"))
    };
    let deposed = find(InstanceKey::deposed("aws_x.y", "27c5263f"));
    assert_eq!(deposed.private.as_deref(), Some("cHJpdg=="));
    assert_eq!(deposed.dependencies, ["data.aws_z.d", "module.m.aws_x.y"]);
    let tainted = find(InstanceKey::current(r#"module.m["${n}"].aws_x.list[10]"#));
    assert_eq!(tainted.status, InstanceStatus::Tainted);
    assert!(tainted.create_before_destroy);
    assert_eq!(tainted.identity.as_ref().unwrap().as_str(), r#"{"arn":"a"}"#);
    let data = find(InstanceKey::current("data.aws_z.d"));
    assert_eq!((data.mode, data.schema_version), (Mode::Data, 3));
    assert!(data.attributes.as_str().contains("12345678901234567890.123456789"), "numbers keep their text");
    let keyed = find(InstanceKey::current(r#"aws_k.each["a\"b"]"#));
    assert_eq!(keyed.provider, r#"provider["registry.opentofu.org/hashicorp/aws"].r["eu"]"#);
    assert!(find(InstanceKey::current("old_flat.f")).flatmap);
    assert!(state.outputs["secret"].sensitive);
}

#[test]
fn layout_and_order_are_normalised() {
    let mut value: serde_json::Value = serde_json::from_str(SAMPLE).unwrap();
    let resources = value["resources"].as_array_mut().unwrap();
    resources.reverse();
    for resource in resources {
        resource["instances"].as_array_mut().unwrap().reverse();
    }
    let shuffled = read(&value.to_string()).unwrap().write().unwrap();
    // Keys of objects in values were sorted by the shuffling already, as Terraform sorts them.
    let wanted: serde_json::Value = serde_json::from_str(SAMPLE).unwrap();
    let found: serde_json::Value = serde_json::from_str(&shuffled).unwrap();
    assert_eq!(found, wanted);
}

#[test]
fn an_empty_state_is_written_as_terraform_does() {
    let text = "{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": 3,\n  \"lineage\": \"l\",\n  \
                \"outputs\": {},\n  \"resources\": [],\n  \"check_results\": null\n}\n";
    assert_eq!(read(text).unwrap().write().unwrap(), text);
    assert_eq!(through_a_state(text), text);
    assert_eq!(read(" \n").unwrap(), Default::default());
}

#[test]
fn what_is_no_state_file_is_explained() {
    let error = |text: &str| read(text).unwrap_err();
    assert!(matches!(error("{"), TfStateError::Json(_)));
    assert!(error(r#"{"version":3}"#).to_string().contains("terraform refresh"));
    assert!(error(r#"{"version":5}"#).to_string().contains("newer"));
    assert!(error(r#"{"format_version":"1.0"}"#).to_string().contains("version"));
    let with = |resources: &str| {
        error(&format!(r#"{{"version":4,"lineage":"l","serial":1,"resources":[{resources}]}}"#))
    };
    let instance = |key: &str| {
        format!(
            r#"{{"mode":"managed","type":"t","name":"n","provider":"p","instances":[{{"attributes":{{}}{key}}}]}}"#
        )
    };
    assert!(with(&instance(r#","index_key":1.5"#)).to_string().contains("t.n: the index key is 1.5"));
    assert!(with(&instance(r#","index_key":-1"#)).to_string().contains("-1"));
    assert!(with(&instance(r#","status":"odd""#)).to_string().contains("odd"));
    let twice = format!("{},{}", instance(""), instance(""));
    assert_eq!(with(&twice), TfStateError::Duplicate(InstanceKey::current("t.n")));
    assert!(with(r#"{"mode":"managed","type":"t.x","name":"n"}"#).to_string().contains("t.x.n"));
}

const CONFIGURATION: &str = r#"
variable "secret" {
  default   = "s<&>é"
  sensitive = true
}
resource "terraform_data" "a" {
  for_each = { "x y" = 1.50, "q\"t" = [1, "two", null], "$${n}" = { k = 12345678901234567890 } }
  input    = each.value
}
resource "terraform_data" "b" {
  count = 12
  input = { secret = var.secret, from = terraform_data.a["x y"].output }
  lifecycle { create_before_destroy = true }
}
module "m" {
  for_each = toset(["one", "two ${"$"}{x}"])
  source   = "./m"
  in       = terraform_data.b[0].id
}
output "all" { value = { for k, v in terraform_data.a : k => v.output } }
output "secret" {
  value     = var.secret
  sensitive = true
}
check "fine" {
  assert {
    condition     = terraform_data.b[0].id != null
    error_message = "no"
  }
}
"#;

const MODULE: &str = r#"
variable "in" {}
resource "terraform_data" "in" { input = var.in }
resource "terraform_data" "fails" {
  count      = 1
  depends_on = [terraform_data.in]
  provisioner "local-exec" { command = "false" }
}
"#;

#[test]
fn files_of_the_real_terraform_survive() {
    let dir = tempfile::tempdir().unwrap();
    let terraform = |arguments: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(arguments).arg("-no-color").current_dir(dir.path()).output()
    };
    fs::create_dir(dir.path().join("m")).unwrap();
    fs::write(dir.path().join("main.tf"), CONFIGURATION).unwrap();
    fs::write(dir.path().join("m/main.tf"), MODULE).unwrap();
    let Ok(init) = terraform(&["init"]) else {
        // Said where the person who runs the tests sees it.
        use std::io::Write;
        writeln!(std::io::stderr(), "skipped: there is no terraform on the PATH").unwrap();
        return;
    };
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    // One resource of each module fails, so that there are tainted objects.
    terraform(&["apply", "-auto-approve"]).unwrap();
    let path = dir.path().join("terraform.tfstate");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("tainted") && text.contains("check_results"), "{text}");
    let written = through_a_state(&text);
    assert_eq!(written, text);
    // And terraform reads what we write.
    fs::write(&path, written).unwrap();
    let list = terraform(&["state", "list"]).unwrap();
    let known = String::from_utf8_lossy(&list.stdout).lines().count();
    assert_eq!(known, read(&text).unwrap().instances.len());
}
