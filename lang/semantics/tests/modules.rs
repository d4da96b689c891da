//! Where module calls lead: computed addresses, installed modules, packages that may not be left.

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use common::report;
use indexmap::IndexMap;
use plumb_model::Value;
use plumb_semantics::{
    InstalledModule, InstalledModules, LoadOptions, Loaded, MemoryWorld, Module, ModuleRequest, NotInstalled,
    load,
};

/// Modules in `/store`, by the address that they are called by.
#[derive(Default)]
struct Shelf {
    modules: BTreeMap<&'static str, InstalledModule>,
    asked: RefCell<Vec<String>>,
}

impl InstalledModules for Shelf {
    fn find(&self, request: &ModuleRequest) -> Result<InstalledModule, NotInstalled> {
        let version = request.version.as_deref().map_or_else(String::new, |version| format!(" {version}"));
        self.asked.borrow_mut().push(format!("{} = {}{version}", request.path, request.source));
        self.modules.get(request.source.as_str()).cloned().ok_or(NotInstalled::Missing)
    }
}

fn installed(directory: &str, read_from: &str, package: &str) -> InstalledModule {
    InstalledModule {
        directory: directory.into(),
        read_from: read_from.into(),
        package: package.into(),
        version: Some("1.2.3".into()),
    }
}

fn loaded(files: &[(&str, &str)], shelf: &Shelf, given: &[(&str, &str)]) -> Loaded {
    let world = MemoryWorld::new(files.iter().copied());
    let given: IndexMap<_, _> =
        given.iter().map(|(name, value)| ((*name).into(), Value::string(value))).collect();
    let constants = |_: &Module| given.clone();
    let options = LoadOptions { installed: shelf, constants: &constants, ..LoadOptions::default() };
    load(&world, Path::new("."), &options)
}

fn directories(loaded: &Loaded) -> Vec<String> {
    let modules = loaded.program.modules();
    modules.map(|(_, module)| format!("{} {}", module.path, module.directory.display())).collect()
}

#[test]
fn an_address_may_be_computed_from_constants() {
    let main = r#"
variable "base" {
  type    = string
  default = "registry"
}
variable "wanted" {}
locals {
  place = "${local.kind}/${var.base}"
  kind  = lower("GIT")
}
module "a" {
  source  = "${local.place}/x"
  version = var.wanted
}
module "b" {
  source = "./b"
  inner  = "${local.kind}/inner"
}
"#;
    let called = "variable \"inner\" {}\nmodule \"c\" {\n  source = var.inner\n}\n";
    let shelf = Shelf::default();
    let loaded = loaded(&[("main.tf", main), ("b/main.tf", called)], &shelf, &[("wanted", "~> 1.2")]);
    assert_eq!(*shelf.asked.borrow(), ["module.a = git/registry/x ~> 1.2", "module.b.module.c = git/inner"]);
    assert_eq!(loaded.missing.len(), 2);
    assert_eq!(
        report(&loaded.program, &loaded.diagnostics),
        "Error main.tf:12:13 Module not installed. 2 modules have not been installed: \"git/inner\", \"git/registry/x\".\n  help: Run `plumb init`.\n"
    );
}

#[test]
fn what_is_not_constant_is_no_address() {
    for (source, wanted) in [
        ("terraform_data.a.id", "`terraform_data.a.id` gets its value later"),
        ("var.secret", "the variable `secret` is sensitive or ephemeral"),
        ("local.loop", "it depends on itself"),
        ("var.free", "which has no default and was given no value"),
        ("timestamp()", "it is known only when a plan is made"),
        ("[\"a\"]", "is a text, but this is of type tuple"),
    ] {
        let main = format!(
            "variable \"secret\" {{\n  default   = \"x\"\n  sensitive = true\n}}\nvariable \"free\" {{}}\nlocals {{\n  loop = local.loop\n}}\nresource \"terraform_data\" \"a\" {{}}\nmodule \"m\" {{\n  source = {source}\n}}\n"
        );
        let loaded = loaded(&[("main.tf", &main)], &Shelf::default(), &[]);
        let text = report(&loaded.program, &loaded.diagnostics);
        assert!(text.contains(wanted), "{source}: {text}");
        assert!(loaded.missing.is_empty());
    }
}

#[test]
fn installed_modules_with_the_same_files_are_read_once() {
    let main = "module \"a\" {\n  source = \"x\"\n}\nmodule \"b\" {\n  source = \"y\"\n}\n";
    let broken = "output \"o\" {\n  value = nonsense(1)\n}\nmodule \"sub\" {\n  source = \"./sub\"\n}\n";
    let shelf = Shelf {
        modules: BTreeMap::from([
            ("x", installed("modules/a", "modules/a", "modules/a")),
            ("y", installed("modules/b", "modules/a", "modules/a")),
        ]),
        ..Shelf::default()
    };
    let files = [("main.tf", main), ("modules/a/main.tf", broken), ("modules/a/sub/main.tf", "")];
    let loaded = loaded(&files, &shelf, &[]);
    assert_eq!(report(&loaded.program, &loaded.diagnostics), "");
    assert_eq!(
        directories(&loaded),
        [
            " .",
            "module.a modules/a",
            "module.b modules/b",
            "module.a.module.sub modules/a/sub",
            "module.b.module.sub modules/b/sub"
        ]
    );
    assert_eq!(loaded.program.sources.iter().count(), 3);
}

#[test]
fn a_local_module_stays_in_the_package_that_it_was_fetched_with() {
    let main = "module \"a\" {\n  source = \"x\"\n}\n";
    let inner =
        "module \"up\" {\n  source = \"../..\"\n}\nmodule \"out\" {\n  source = \"../../../other\"\n}\n";
    let shelf = Shelf {
        modules: BTreeMap::from([("x", installed("p/a/modules/m", "p/a/modules/m", "p/a"))]),
        ..Shelf::default()
    };
    let files =
        [("main.tf", main), ("p/a/modules/m/main.tf", inner), ("p/a/main.tf", ""), ("p/other/main.tf", "")];
    let loaded = loaded(&files, &shelf, &[]);
    assert_eq!(
        report(&loaded.program, &loaded.diagnostics),
        "Error p/a/modules/m/main.tf:5:12 Local module outside of its package. module.a is in a package that was fetched, and \"../../../other\" leads out of it.\n  help: Only the package itself is there on every machine: name the other module by an address that can be fetched, or fetch a larger package and select this module behind `//`.\n"
    );
    assert_eq!(directories(&loaded).last().unwrap(), "module.a.module.up p/a");
}
