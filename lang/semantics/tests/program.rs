//! What depends on what, and where values of root variables come from.

mod common;

use std::path::Path;

use common::{Setup, report};
use plumb_model::SourceId;
use plumb_semantics::inputs::{InputOption, collect};
use plumb_semantics::{LoadOptions, MemoryWorld, Program, load};

fn dependencies(program: &Program) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, _) in program.nodes() {
        let to = program.dependencies(id).iter().map(|d| format!("{} ({})", program.name(d.to), d.what));
        lines.push(format!("{} <- {}", program.name(id), to.collect::<Vec<_>>().join(", ")));
    }
    lines
}

#[test]
fn dependencies_follow_references_through_modules() {
    let main = r#"
variable "v" {}
locals {
  a = [for x in var.v : x]
}
module "m" {
  source     = "./m"
  count      = 2
  input      = local.a
  depends_on = [terraform_data.first]
}
resource "terraform_data" "first" {}
resource "terraform_data" "last" {
  input      = module.m[0].out
  depends_on = [module.m]
}
"#;
    let child = "variable \"input\" {}\nresource \"terraform_data\" \"in\" {\n  input = var.input\n}\noutput \"out\" {\n  value = terraform_data.in.id\n}\n";
    let setup = Setup::new([("main.tf", main), ("m/main.tf", child)]);
    assert_eq!(setup.report(), "");
    let provider = "provider[\"terraform.io/builtin/terraform\"] (uses the provider terraform)";
    assert_eq!(
        dependencies(&setup.program),
        [
            "var.v <- ".to_owned(),
            "local.a <- var.v (var.v)".into(),
            format!("terraform_data.first <- {provider}"),
            format!("terraform_data.last <- {provider}, module.m (module.m[0].out), module.m.output.out (module.m[0].out), module.m (end) (module.m)"),
            "module.m <- terraform_data.first (terraform_data.first)".into(),
            "provider[\"terraform.io/builtin/terraform\"] <- ".into(),
            "module.m (end) <- module.m (is called), module.m.output.out (is in it), module.m.terraform_data.in (is in it)".into(),
            "module.m.var.input <- module.m (is in module.m), local.a (local.a)".into(),
            "module.m.output.out <- module.m (is in module.m), module.m.terraform_data.in (terraform_data.in.id)".into(),
            format!("module.m.terraform_data.in <- module.m (is in module.m), {provider}, module.m.var.input (var.input)"),
        ]
    );
}

#[test]
fn variables_of_for_and_dynamic_are_no_references() {
    let main = "resource \"terraform_data\" \"a\" {\n  input = [for local in [{ x = 1 }] : local.x]\n  dynamic \"x\" {\n    for_each = []\n    content {\n      y = x.value\n    }\n  }\n}\n";
    let world = MemoryWorld::new([("main.tf", main)]);
    let loaded = load(&world, Path::new("."), &LoadOptions::default());
    assert_eq!(report(&loaded.program, &loaded.diagnostics), "");
    let node = loaded.program.nodes().next().expect("there is a resource").0;
    assert_eq!(loaded.program.dependencies(node).len(), 1, "only the provider");
}

#[test]
fn later_sources_of_variables_win() {
    let main = "variable \"a\" {}\nvariable \"b\" {\n  type = list(number)\n}\nvariable \"c\" {\n  type = number\n}\nvariable \"d\" {\n  type = string\n}\nvariable \"e\" {}\n";
    let mut world = MemoryWorld::new([
        ("main.tf", main),
        ("terraform.tfvars", "a = \"tfvars\"\nc = 1\nunknown = 1\n"),
        ("z.auto.tfvars", "c = 2\n"),
        ("b.auto.tfvars.json", "{\"c\": 3, \"e\": [\"${x}\"]}"),
        ("more.tfvars", "d = \"file\"\na = upper(\"x\")\n"),
    ]);
    world.environment.insert("TF_VAR_a".into(), "env".into());
    world.environment.insert("TF_VAR_b".into(), "[1, 2]".into());
    let loaded = load(&world, Path::new("."), &LoadOptions::default());
    let options = [
        InputOption::Variable("d".into(), "[text]".into()),
        InputOption::File("more.tfvars".into()),
        InputOption::Variable("a".into(), "[1]".into()),
        InputOption::Variable("zzz".into(), "1".into()),
    ];
    let inputs = collect(&world, loaded.program.root(), Path::new("."), &options, SourceId(100));
    let mut values: Vec<String> = inputs
        .values
        .iter()
        .map(|(name, value)| {
            format!(
                "{name}={}",
                plumb_functions::console::print(value).split_whitespace().collect::<String>()
            )
        })
        .collect();
    values.sort();
    assert_eq!(values, ["a=\"[1]\"", "b=[1,2,]", "c=2", "d=\"file\"", "e=[\"${x}\",]"]);
    let found: Vec<String> =
        inputs.diagnostics.iter().map(|d| format!("{:?} {}: {}", d.severity, d.summary, d.detail)).collect();
    assert_eq!(
        found,
        [
            "Warning Value for undeclared variable: The root module has no variable `unknown`, so this value is not used.",
            "Error Function calls not allowed: The value of a variable is written out, but this calls `upper`.",
            "Error Value for undeclared variable: The root module has no variable `zzz`.",
        ]
    );
}
