//! What is planned: part of the configuration, replacements, destruction, what others changed, moves, fewer instances.

use crate::support::Workspace;

const THREE: &str = r#"
resource "file" "a" {
  path    = "out/a"
  content = "a\n"
}

resource "file" "b" {
  path    = "out/b"
  content = "b after ${file.a.path}\n"
}

resource "file" "c" {
  path    = "out/c"
  content = "c\n"
}
"#;

#[test]
fn a_target_brings_what_it_needs_and_nothing_else() {
    let workspace = Workspace::of(THREE);
    workspace.apply(&["-target=file.b"]);
    assert_eq!(workspace.recorded(), ["file.a", "file.b"]);
    workspace.plumb(&["plan", "-detailed-exitcode"]).exits(2).prints("1 to create");
}

#[test]
fn destroying_a_target_takes_what_depends_on_it_and_leaves_what_it_needs() {
    let destroy = |limit: &str| {
        let workspace = Workspace::of(THREE);
        workspace.apply(&[]);
        workspace.plumb(&["destroy", "-auto-approve", limit]).succeeds();
        workspace.recorded()
    };
    assert_eq!(destroy("-target=file.a"), ["file.c"]);
    assert_eq!(destroy("-target=file.b"), ["file.a", "file.c"]);
    assert_eq!(destroy("-exclude=file.a"), ["file.a"]);
    assert_eq!(destroy("-exclude=file.b"), ["file.a", "file.b"]);
}

#[test]
fn what_is_excluded_stays_away_with_what_needs_it() {
    let workspace = Workspace::of(THREE);
    workspace.apply(&["-exclude=file.a"]);
    assert_eq!(workspace.recorded(), ["file.c"]);
    workspace.plumb(&["plan", "-exclude=file.a", "-target=file.c"]).exits(1).says("cannot be used together");
}

#[test]
fn a_replacement_can_be_asked_for() {
    let workspace = Workspace::of("resource \"terraform_data\" \"a\" {\n  input = 1\n}\n");
    workspace.apply(&[]);
    let before = workspace.plumb(&["state", "show", "terraform_data.a"]).succeeds().stdout;
    workspace.plumb(&["plan", "-replace=terraform_data.a"]).succeeds().prints("1 to replace");
    workspace.apply(&["-replace=terraform_data.a"]).says("1 replaced");
    assert_ne!(before, workspace.plumb(&["state", "show", "terraform_data.a"]).succeeds().stdout);
}

#[test]
fn destroying_everything_can_be_planned() {
    let workspace = Workspace::of(THREE);
    workspace.apply(&[]);
    workspace
        .plumb(&["plan", "-destroy", "-detailed-exitcode"])
        .exits(2)
        .prints("3 to destroy")
        .prints("What is lost:");
    workspace.apply(&["-destroy"]);
    assert!(!workspace.has("out"));
}

#[test]
fn drift_is_shown_and_can_be_recorded_alone() {
    let workspace = Workspace::of(THREE);
    workspace.apply(&[]);
    workspace.write("out/c", "other\n");
    workspace
        .plumb(&["plan"])
        .succeeds()
        .prints("Changed outside of Plumb")
        .prints("other")
        .prints("1 to update");
    workspace.plumb(&["plan", "-refresh=false", "-detailed-exitcode"]).exits(0);
    workspace.apply(&["-refresh-only"]);
    assert_eq!(workspace.read("out/c"), "other\n");
    workspace.plumb(&["plan", "-refresh-only", "-detailed-exitcode"]).exits(0);
    workspace.plumb(&["plan", "-detailed-exitcode"]).exits(2);
    std::fs::remove_file(workspace.path().join("out/a")).expect("it is there");
    workspace.plumb(&["plan"]).succeeds().prints("1 to create, 1 to update");
    workspace.apply(&[]);
    workspace.is_settled(&[]);
}

#[test]
fn what_must_not_be_destroyed_is_not() {
    let guarded = "resource \"file\" \"a\" {\n  path    = \"out/a\"\n  content = \"a\"\n\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n";
    let workspace = Workspace::of(guarded);
    workspace.apply(&[]);
    workspace
        .plumb(&["destroy", "-auto-approve"])
        .exits(1)
        .says("Instance cannot be destroyed")
        .says("main.cfg:6");
    workspace.write("main.cfg", &guarded.replace("out/a", "out/b"));
    workspace.plumb(&["apply", "-auto-approve"]).exits(1).says("would be replaced");
    assert_eq!(workspace.files("out"), ["a".to_owned()].into());
}

#[test]
fn what_moves_is_not_made_anew() {
    let workspace = Workspace::of(THREE);
    workspace.apply(&[]);
    let moved = THREE.replace("\"file\" \"c\"", "\"file\" \"d\"")
        + "\nmoved {\n  from = file.c\n  to   = file.d\n}\n";
    workspace.write("main.cfg", &moved);
    workspace
        .plumb(&["plan"])
        .succeeds()
        .prints("file.d has moved here from file.c")
        .prints("0 to destroy, 1 moved");
    workspace.apply(&[]);
    assert_eq!(workspace.recorded(), ["file.a", "file.b", "file.d"]);
    workspace.is_settled(&[]);
}

#[test]
fn fewer_instances_leave_the_others_alone() {
    let of = |count: &str, each: &str| {
        format!(
            "resource \"file\" \"n\" {{\n  count   = {count}\n  path    = \"out/n${{count.index}}\"\n  content = \"n\"\n}}\n\n\
             resource \"file\" \"k\" {{\n  for_each = toset({each})\n  path     = \"out/${{each.key}}\"\n  content  = \"k\"\n}}\n"
        )
    };
    let workspace = Workspace::of(&of("3", r#"["x", "y", "z"]"#));
    workspace.apply(&[]);
    workspace.write("main.cfg", &of("1", r#"["x", "z"]"#));
    workspace.plumb(&["plan"]).succeeds().prints("0 to create, 0 to update, 0 to replace, 3 to destroy");
    workspace.apply(&[]);
    assert_eq!(workspace.recorded(), ["file.k[\"x\"]", "file.k[\"z\"]", "file.n[0]"]);
    assert_eq!(workspace.files("out"), ["n0", "x", "z"].map(String::from).into());
}

#[test]
fn the_new_one_can_come_before_the_old_one_goes() {
    let of = |version: &str, first: bool| {
        format!(
            "resource \"command\" \"a\" {{\n  create = [\"sh\", \"-c\", \"echo create >> log\"]\n  delete = [\"sh\", \"-c\", \"echo delete >> log\"]\n\n  \
             triggers_replace = \"{version}\"\n\n  lifecycle {{\n    create_before_destroy = {first}\n  }}\n}}\n"
        )
    };
    let workspace = Workspace::of(&of("1", true));
    workspace.apply(&[]);
    workspace.write("main.cfg", &of("2", true));
    workspace.apply(&[]);
    workspace.write("main.cfg", &of("3", false));
    workspace.apply(&[]);
    assert_eq!(workspace.read("log"), "create\ncreate\ndelete\ndelete\ncreate\n");
    workspace.is_settled(&[]);
}

#[test]
fn no_more_calls_run_at_once_than_allowed() {
    let workspace = Workspace::of(
        "resource \"command\" \"a\" {\n  count  = 4\n  create = [\"sh\", \"-c\", \"mkdir busy && sleep 0.05 && rmdir busy\"]\n}\n",
    );
    workspace.apply(&["-parallelism=1"]);
    workspace.plumb(&["plan", "-parallelism=0"]).exits(1);
}

#[test]
fn an_object_is_imported_by_command() {
    let workspace = Workspace::of(
        "variable \"v\" {}\n\nresource \"terraform_data\" \"a\" {\n  for_each = toset([\"k\"])\n  input    = var.v\n}\n",
    );
    let import = |address: &str| workspace.plumb(&["import", "-var", "v=x", address, "abc", "-reason=CHG-7"]);
    import("terraform_data.b").exits(1).says("There is no resource `terraform_data.b`");
    import("terraform_data.a[\"other\"]").exits(1).says("There is no instance");
    import("terraform_data.a[\"k\"]").succeeds().says("1 imported");
    assert_eq!(workspace.recorded(), ["terraform_data.a[\"k\"]"]);
    workspace.plumb(&["state", "show", "terraform_data.a[\"k\"]"]).succeeds().prints("abc");
    workspace.plumb(&["history"]).succeeds().prints("import").prints("(CHG-7)");
    import("terraform_data.a[\"k\"]").exits(1).says("managed already");
    workspace.plumb(&["plan", "-var=v=x", "-detailed-exitcode"]).exits(2).prints("1 to update");
}

#[test]
fn configuration_is_written_for_what_is_imported() {
    let workspace = Workspace::of("import {\n  to = terraform_data.a\n  id = \"abc\"\n}\n");
    workspace.plumb(&["plan"]).exits(1).says("There is no resource `terraform_data.a`");
    let run = workspace.plumb(&["plan", "-generate-config-out=new.cfg"]).succeeds();
    run.prints("will be imported").says("Wrote configuration for 1 object to new.cfg");
    let text = workspace.read("new.cfg");
    assert!(text.contains("resource \"terraform_data\" \"a\" {"), "{text}");
    workspace.plumb(&["fmt", "-check"]).succeeds();
    workspace.plumb(&["plan", "-generate-config-out=new.cfg"]).exits(1).says("is there already");
    workspace.apply(&[]);
    workspace.is_settled(&[]);
}
