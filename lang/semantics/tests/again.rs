//! A configuration that is loaded again after edits, and checked, has the diagnostics that it has when nothing of it is
//! known: the same ones, at the same places, in the same order.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::TestSchemas;
use plumb_model::Diagnostics;
use plumb_semantics::{LoadOptions, Loaded, MemoryWorld, Schemas, Texts, World, check, load, load_again};
use proptest::prelude::*;

const FILES: [(&str, &str); 3] = [
    (
        "main.tf",
        r#"
variable "zones" {
  type    = set(string)
  default = ["a"]
  validation {
    condition     = length(var.zones) > 0
    error_message = "No zones: ${join(", ", var.zones)}."
  }
}

locals {
  names  = { for zone in var.zones : zone => upper(zone) }
  script = <<-EOT
    echo ${join(" ", values(local.names))}
  EOT
}

resource "terraform_data" "a" {
  for_each = local.names
  input    = "${each.key} of ${local.script}"
}

module "child" {
  source = "./child"
  given  = [for a in terraform_data.a : a.output]
}

output "all" {
  value = module.child.back
}
"#,
    ),
    ("more.tf", "resource \"terraform_data\" \"b\" {\n  input = terraform_data.a[\"a\"].id\n}\n"),
    ("child/main.tf", "variable \"given\" {\n}\n\noutput \"back\" {\n  value = var.given\n}\n"),
];

const PIECES: &[&str] = &[
    "",
    "a",
    "\n",
    "x = 1\n",
    "=",
    "{",
    "}",
    "[",
    "\"",
    "${",
    "local.names",
    "local.none",
    "var.zones",
    "# plumb:allow(unused-local)\n",
    "locals {\n  names = 1\n}\n",
    "<<EOT\n",
    "/*",
    "variable \"given\" {\n  type = string\n}\n",
];

fn edited(text: &str, at: f64, length: usize, piece: &str) -> String {
    // The texts are ASCII.
    let start = (at * text.len() as f64) as usize;
    let end = (start + length).min(text.len());
    format!("{}{piece}{}", &text[..start], &text[end..])
}

fn found(loaded: Loaded, schemas: &Arc<dyn Schemas>, world: &Arc<dyn World>) -> Diagnostics {
    let mut all = loaded.diagnostics;
    all.extend(check(&loaded.program, schemas, world));
    all
}

fn edit() -> impl Strategy<Value = (usize, f64, usize, &'static str)> {
    (0..FILES.len(), 0.0..1.0, prop_oneof![3 => 0..3usize, 1 => 0..60usize], proptest::sample::select(PIECES))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loading_again_is_loading(edits in proptest::collection::vec(edit(), 1..8)) {
        let schemas: Arc<dyn Schemas> = Arc::new(TestSchemas::new());
        let mut files = FILES.map(|(name, text)| (name, text.to_owned()));
        let mut texts = Texts::default();
        let options = LoadOptions::default();
        for (file, at, length, piece) in edits {
            files[file].1 = edited(&files[file].1, at, length, piece);
            let given = files.iter().map(|(name, text)| (*name, text.as_str()));
            let world: Arc<dyn World> = Arc::new(MemoryWorld::new(given));
            let again = found(load_again(&*world, Path::new("."), &options, &mut texts), &schemas, &world);
            let anew = found(load(&*world, Path::new("."), &options), &schemas, &world);
            prop_assert_eq!(again, anew, "files: {:?}", files);
        }
    }
}

#[test]
fn a_new_file_in_front_of_others_moves_them_to_other_sources() {
    let schemas: Arc<dyn Schemas> = Arc::new(TestSchemas::new());
    let (mut texts, options) = (Texts::default(), LoadOptions::default());
    let wrong = ("main.tf", "output \"a\" {\n  value = local.none\n}\n");
    for files in [vec![wrong], vec![("a.tf", "locals {\n}\n"), wrong], vec![wrong]] {
        let world: Arc<dyn World> = Arc::new(MemoryWorld::new(files));
        let again = found(load_again(&*world, Path::new("."), &options, &mut texts), &schemas, &world);
        let anew = found(load(&*world, Path::new("."), &options), &schemas, &world);
        assert!(again.iter().any(|d| d.code == "unknown-local"));
        assert_eq!(again, anew);
    }
}
