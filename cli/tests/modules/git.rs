//! Modules in git repositories.

use super::{Fixture, LOCK, skipped};

const TREE: &str = r#"
module "net" {
  source = "git::NET?ref=v1"
}
module "again" {
  source = "git::NET?ref=v1"
}
module "sub" {
  source = "git::NET//modules/sub?ref=v1"
}
module "newest" {
  source = "git::NET"
}
output "net" {
  value = module.net.v
}
output "newest" {
  value = module.newest.v
}
output "inner" {
  value = module.sub.v
}
output "where" {
  value = module.sub.where
}
output "text" {
  value = module.sub.text
}
"#;

#[test]
fn modules_from_git_are_installed_locked_and_used() {
    let Some(fixture) = Fixture::new(TREE) else { return };
    fixture
        .plumb(&["get"])
        .succeeds()
        .prints("- net in .plumb/modules/net\n")
        .prints("- sub in .plumb/modules/sub/modules/sub\n")
        .prints("- sub.up in .plumb/modules/sub\n")
        .says("Wrote .plumb.modules.lock.hcl: keep it in version control");
    let (lock, one, two) = (fixture.lock(), fixture.commit("v1"), fixture.commit("v2"));
    assert_eq!(lock.matches("\nmodule ").count(), 2, "each package once: {lock}");
    assert!(lock.contains(&format!("?ref=v1\" {{\n  commit = \"{one}\"\n  digest = \"h1:")), "{lock}");
    assert!(lock.contains(&format!("commit = \"{two}\"")), "{lock}");
    fixture.plumb(&["apply", "-auto-approve"]).succeeds();
    for (output, wanted) in [
        ("net", "one"),
        ("newest", "two"),
        ("inner", "one"),
        ("text", "text"),
        ("where", ".plumb/modules/sub/modules/sub"),
    ] {
        fixture.plumb(&["output", "-raw", output]).succeeds().prints(wanted);
    }
    // Nothing to do, and nothing is done.
    fixture.plumb(&["get"]).succeeds().lacks("fetching").lacks("Wrote");
    assert_eq!(fixture.lock(), lock);
}

#[test]
fn modules_are_listed_as_terraform_lists_them() {
    let Some(fixture) = Fixture::new(TREE) else { return };
    fixture.plumb(&["init"]).succeeds();
    if !fixture.workspace.shell("terraform version").stdout.starts_with("Terraform") {
        skipped("terraform");
        return;
    }
    fixture.shell("cd root && terraform get >&2");
    for args in [&["modules", "-json"][..], &["modules"]] {
        let ours = fixture.plumb(args).succeeds().stdout;
        let theirs = fixture.shell(&format!("cd root && terraform {} 2>/dev/null", args.join(" "))).stdout;
        // Terraform lists them in an order that changes from run to run.
        let sorted = |text: &str| {
            let separators = |c: char| "\n{}[]".contains(c);
            let mut parts: Vec<String> = text.split(separators).map(|part| part.trim().to_owned()).collect();
            parts.sort();
            parts
        };
        assert_eq!(sorted(&ours), sorted(&theirs));
    }
}

#[test]
fn what_terraform_installed_can_be_used_until_there_is_a_lock() {
    let Some(fixture) = Fixture::new(TREE) else { return };
    if !fixture.workspace.shell("terraform version").stdout.starts_with("Terraform") {
        skipped("terraform");
        return;
    }
    fixture.shell("cd root && terraform get >&2");
    fixture.plumb(&["validate"]).succeeds().lacks("not been installed");
    fixture.plumb(&["plan"]).succeeds().prints(".terraform/modules/sub/modules/sub");
    assert!(!fixture.workspace.has(&format!("root/{LOCK}")));
    fixture.plumb(&["get"]).succeeds();
    fixture.plumb(&["plan"]).succeeds().prints(".plumb/modules/sub/modules/sub");
}

#[test]
fn modules_that_are_not_there_are_named_once_and_the_rest_is_checked() {
    let Some(fixture) = Fixture::new(TREE) else { return };
    let text = fixture.workspace.read("root/main.tf");
    fixture.workspace.write("root/main.tf", &format!("{text}output \"bad\" {{\n  value = var.nothing\n}}\n"));
    let run = fixture.plumb(&["validate"]).exits(1).says("undeclared input variable");
    assert_eq!(run.stderr.matches("Module not installed").count(), 1, "{run}");
    fixture.workspace.write("root/main.tf", &text);
    fixture.plumb(&["validate"]).succeeds().says("3 modules have not been installed");
    fixture.plumb(&["plan"]).exits(1).says("Run `plumb init`");
}

#[test]
fn addresses_are_computed_from_constants() {
    let Some(fixture) = Fixture::new(
        "variable \"tag\" {\n  type = string\n}\nlocals {\n  base = \"git::NET\"\n}\nmodule \"net\" {\n  source = \"${local.base}?ref=${var.tag}\"\n}\noutput \"v\" {\n  value = module.net.v\n}\n",
    ) else {
        return;
    };
    fixture.plumb(&["init"]).exits(1).says("depends on the variable `tag`");
    fixture.plumb(&["validate"]).succeeds();
    fixture.plumb(&["init", "-var", "tag=v1"]).succeeds();
    fixture.plumb(&["apply", "-auto-approve", "-var", "tag=v1"]).succeeds().prints("one");
    fixture.plumb(&["plan", "-var", "tag=v2"]).exits(1).says("has not been installed");
    fixture.workspace.write("root/terraform.tfvars", "tag = \"v2\"\n");
    fixture.plumb(&["init"]).succeeds();
    fixture.plumb(&["plan"]).succeeds().prints("two");
}

#[test]
fn a_saved_plan_needs_neither_the_repository_nor_what_is_installed() {
    let Some(fixture) = Fixture::new(TREE) else { return };
    fixture.plumb(&["init"]).succeeds();
    fixture.plumb(&["plan", "-out=saved.plan"]).succeeds();
    fixture.shell(&format!("rm -rf net root/.plumb/modules root/main.tf root/{LOCK}"));
    fixture.plumb(&["show", "saved.plan"]).succeeds().prints("one");
    fixture.plumb(&["apply", "saved.plan"]).succeeds();
    fixture.plumb(&["output", "-raw", "text"]).succeeds().prints("text");
    fixture.plumb(&["output", "-raw", "inner"]).succeeds().prints("one");
}

#[test]
fn what_cannot_be_fetched_is_said_with_its_place() {
    for (source, wanted) in [
        ("git::NET?ref=v9", "has no branch, tag or commit `v9`"),
        ("git::NET//modules/nothing?ref=v1", "`modules` has `sub`"),
        ("git::NETWORK", "git cannot fetch"),
        ("git::NET?ref=--upload-pack=touch", "is no revision"),
        ("git::NET?ref=v1//modules/sub", "write \"//modules/sub?ref=v1\""),
        ("network", "none of the forms"),
        ("s3::https://s3.amazonaws.com/b/x.zip", "Amazon S3"),
    ] {
        let Some(fixture) = Fixture::new(&format!("module \"net\" {{\n  source = \"{source}\"\n}}\n")) else {
            return;
        };
        fixture.plumb(&["get"]).exits(1).says(wanted).says("main.tf:2:12");
    }
}

#[test]
fn a_local_module_may_not_leave_the_package() {
    let Some(fixture) = Fixture::new("module \"net\" {\n  source = \"git::NET\"\n}\n") else { return };
    fixture.workspace.write("net/main.tf", "module \"out\" {\n  source = \"../other\"\n}\n");
    fixture.shell("cd net && git commit -qam out");
    fixture.plumb(&["get"]).exits(1).says("\"../other\" leads out of it");
}

#[test]
fn a_link_out_of_the_repository_is_refused() {
    let Some(fixture) = Fixture::new("module \"net\" {\n  source = \"git::NET\"\n}\n") else { return };
    fixture.shell("cd net && ln -s /etc/passwd secret.txt && git add . && git commit -qm link");
    fixture.plumb(&["get"]).exits(1).says("the link `secret.txt` leads to `/etc/passwd`");
    fixture.shell("cd net && git rm -q secret.txt && ln -s ../../main.tf modules/sub/linked.tf && git add . && git commit -qm inside");
    fixture.plumb(&["get"]).succeeds();
}

#[test]
fn git_that_is_missing_is_said_plainly() {
    let Some(fixture) = Fixture::new("module \"net\" {\n  source = \"git::NET\"\n}\n") else { return };
    let output = fixture.workspace.command(&["-C", "root", "get"]).env("PATH", "/nowhere").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there is no program `git`"), "{said}");
}

#[test]
fn branches_commits_and_depths_are_all_revisions() {
    let Some(fixture) = Fixture::new("") else { return };
    fixture.shell("cd net && git checkout -q -b feature/x v1");
    let commit = fixture.commit("v1");
    for revision in ["feature/x", &commit, &commit[..10], "v1&depth=1", "v2~1"] {
        fixture.main(&format!(
            "module \"net\" {{\n  source = \"git::NET?ref={revision}\"\n}}\noutput \"v\" {{\n  value = module.net.v\n}}\n"
        ));
        fixture.plumb(&["get"]).succeeds();
        assert!(fixture.lock().contains(&commit), "{revision}: {}", fixture.lock());
        fixture.plumb(&["plan"]).succeeds().prints("one");
    }
}

#[test]
fn a_configuration_may_begin_as_a_copy_of_a_module() {
    let Some(fixture) = Fixture::new("") else { return };
    fixture.workspace.write("fresh/notes.txt", "");
    let source = format!("git::file://{}/net?ref=v1", fixture.workspace.path().display());
    fixture.workspace.plumb(&["-C", "fresh", "init", "-from-module", &source]).succeeds().says("Copied");
    fixture.workspace.plumb(&["-C", "fresh", "plan"]).succeeds().prints("one");
    assert!(!fixture.workspace.has("fresh/.git"));
    fixture
        .workspace
        .plumb(&["-C", "fresh", "init", "-from-module", &source])
        .exits(1)
        .says("has configuration files");
    fixture.workspace.write("other/notes.txt", "");
    fixture.workspace.plumb(&["-C", "other", "init", "-from-module=../net/"]).succeeds();
    fixture.workspace.plumb(&["-C", "other", "plan"]).succeeds().prints("two");
}

#[test]
fn libraries_come_from_the_same_places() {
    let Some(fixture) = Fixture::new("") else { return };
    let repository = &fixture.workspace;
    repository.write(
        "net/lib/lib.cfg",
        "import \"more\" {\n  source = \"../more\"\n}\nlocals {\n  zones = [\"a\", more::last]\n}\n",
    );
    repository.write("net/more/more.cfg", "locals {\n  last = \"z\"\n}\n");
    repository.write("net/bad/bad.cfg", "import \"out\" {\n  source = \"../../root\"\n}\n");
    fixture.shell("cd net && git add . && git commit -qm libraries && git tag v3");
    let main = |folder: &str| {
        let path = repository.path().display();
        let source = format!("git::file://{path}/net//{folder}?ref=v3");
        format!(
            "import \"net\" {{\n  source = \"{source}\"\n}}\noutput \"zones\" {{\n  value = join(\"-\", net::zones)\n}}\n"
        )
    };
    repository.write("root/main.cfg", &main("lib"));
    fixture.plumb(&["plan"]).exits(1).says("has not been installed");
    fixture.plumb(&["init"]).succeeds();
    fixture.plumb(&["apply", "-auto-approve"]).succeeds().prints("a-z");
    assert!(fixture.lock().contains("?ref=v3"));
    fixture.plumb(&["plan", "-out=saved.plan"]).succeeds();
    fixture.shell("rm -rf root/.plumb/modules");
    fixture.plumb(&["show", "saved.plan"]).succeeds();
    repository.write("root/main.cfg", &main("bad"));
    fixture.plumb(&["init"]).exits(1).says("leads out of it");
}
