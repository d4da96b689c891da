//! Values that are not known yet: every pair in `unknown.jsonl` holds.
//!
//! The pairs are from a plan of the module below, in which `local.id` is an unknown text that will not be null and
//! `local.out` one that may be. Line breaks in results are single spaces.

mod common;

use common::{Setup, TestSchemas, terraform_data};
use plumb_model::{Type, Value};
use plumb_semantics::NodeKind;
use plumb_semantics::eval::Phase;

const MODULE: &str = r#"
variable "s" {
  default   = "sec"
  sensitive = true
}
variable "n" {
  default = 5
}
resource "terraform_data" "u" {
  input = "v"
}
resource "terraform_data" "none" {
  count = 0
}
locals {
  id  = terraform_data.u.id
  out = tostring(terraform_data.u.output)
}
"#;

#[test]
fn every_pair_holds() {
    let mut setup =
        Setup::with([("main.tf", MODULE)], TestSchemas::new(), Phase::Plan, Default::default(), true);
    setup.evaluate(|evaluator, instance| {
        let (config, _) = evaluator.config(instance, &terraform_data().block);
        let parts = [
            ("id", Value::unknown_not_null(Type::String)),
            ("input", config.get("input").cloned().unwrap_or(Value::NULL)),
            ("output", Value::unknown(Type::String)),
            ("triggers_replace", Value::NULL),
        ];
        Value::object(parts)
    });
    assert!(setup.program.nodes().any(|(_, node)| node.kind == NodeKind::Resource));
    let mut wrong = Vec::new();
    for line in include_str!("unknown.jsonl").lines() {
        let pair: serde_json::Value = serde_json::from_str(line).expect("the test data is JSON");
        let text = pair["expr"].as_str().expect("a pair has an expression");
        let found = setup.console(text);
        let found = found.map(|printed| printed.split_whitespace().collect::<Vec<_>>().join(" "));
        match (pair["result"].as_str(), found) {
            (Some(wanted), Ok(found)) if wanted == found => {}
            (None, Err(_)) => {}
            (wanted, found) => wrong.push(format!("{text}\n  wanted {wanted:?}\n  found  {found:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} pairs do not hold:\n{}", wrong.len(), wrong.join("\n"));
}
