//! What the module lock allows, and what it notices.

use std::thread;
use std::time::Duration;

use super::Fixture;

const ONE: &str =
    "module \"net\" {\n  source = \"git::NET?ref=v1\"\n}\noutput \"v\" {\n  value = module.net.v\n}\n";

#[test]
fn a_tag_that_moves_changes_nothing_until_that_is_asked_for() {
    let Some(fixture) = Fixture::new(ONE) else { return };
    fixture.plumb(&["get"]).succeeds();
    let (lock, one) = (fixture.lock(), fixture.commit("v1"));
    fixture.shell("cd net && git tag -f v1 v2 && rm -rf ../root/.plumb");
    fixture.plumb(&["get"]).succeeds();
    assert_eq!(fixture.lock(), lock);
    fixture.plumb(&["plan"]).succeeds().prints("one");
    let two = fixture.commit("v2");
    fixture
        .plumb(&["get", "-upgrade"])
        .succeeds()
        .says(&format!("commit {} instead of {}", &two[..12], &one[..12]))
        .says("Changed .plumb.modules.lock.hcl");
    assert!(fixture.lock().contains(&two) && !fixture.lock().contains(&one));
    fixture.plumb(&["plan"]).succeeds().prints("two");
}

#[test]
fn a_commit_that_is_gone_is_not_replaced_by_another() {
    let Some(fixture) = Fixture::new("module \"net\" {\n  source = \"git::NET\"\n}\n") else { return };
    fixture.plumb(&["get"]).succeeds();
    fixture.shell("cd net && git tag -d v2 && git reset -q --hard v1 && git reflog expire --expire=now --all && git gc -q --prune=now && rm -rf ../root/.plumb");
    fixture.plumb(&["get"]).exits(1).says("the repository does not have it any more");
    fixture.plumb(&["get", "-update"]).succeeds();
}

#[test]
fn installed_files_that_somebody_changed_are_noticed_by_name_and_restored() {
    let Some(fixture) = Fixture::new(ONE) else { return };
    fixture.plumb(&["init"]).succeeds();
    fixture.workspace.write("root/.plumb/modules/net/main.tf", "output \"v\" {\n  value = \"forged\"\n}\n");
    for command in ["plan", "validate"] {
        fixture.plumb(&[command]).exits(1).says("`main.tf` is changed").says("main.tf:2:12");
    }
    fixture.plumb(&["init"]).succeeds();
    fixture.plumb(&["plan"]).succeeds().prints("one").lacks("forged");
}

#[test]
fn content_that_is_not_what_the_lock_says_is_refused() {
    let Some(fixture) = Fixture::new(ONE) else { return };
    fixture.plumb(&["get"]).succeeds();
    let lock = fixture.lock();
    let at = lock.find("h1:").expect("the lock has a digest");
    let forged = format!("{}h1:AAAA{}", &lock[..at], &lock[at + 7..]);
    fixture.workspace.write("root/.plumb.modules.lock.hcl", &forged);
    // What is here is not what the lock has: it counts as not installed.
    fixture.plumb(&["plan"]).exits(1).says("has not been installed");
    fixture.plumb(&["get"]).exits(1).says("What was fetched for").says("and was h1:AAAA");
    assert_eq!(fixture.lock(), forged);
    fixture.plumb(&["get", "-upgrade"]).succeeds();
    assert_eq!(fixture.lock(), lock);
}

#[test]
fn a_lock_that_may_not_change_does_not() {
    let Some(fixture) = Fixture::new(ONE) else { return };
    fixture.plumb(&["get", "-lockfile=readonly"]).exits(1).says("is not in the lock");
    fixture.plumb(&["get"]).succeeds();
    fixture.shell("rm -rf root/.plumb");
    fixture.plumb(&["init", "-lockfile=readonly"]).succeeds();
    fixture.main(&ONE.replace("v1", "v2"));
    fixture.plumb(&["get", "-lockfile=readonly"]).exits(1).says("is not in the lock");
    fixture.plumb(&["get", "-lockfile=readonly", "-upgrade"]).exits(1).says("Conflicting flags");
    fixture.plumb(&["get"]).succeeds();
    assert_eq!(fixture.lock().matches("\nmodule ").count(), 1, "what nobody calls any more is not locked");
}

#[test]
fn a_lock_that_cannot_be_read_is_said_once() {
    let Some(fixture) = Fixture::new(ONE) else { return };
    fixture.plumb(&["get"]).succeeds();
    fixture.workspace.write("root/.plumb.modules.lock.hcl", "module \"x\" {\n}\n<<<<<<< ours\n");
    for command in ["get", "plan", "validate"] {
        fixture
            .plumb(&[command])
            .exits(1)
            .says(".plumb.modules.lock.hcl, line 1")
            .lacks("not been installed");
    }
}

#[test]
fn two_machines_write_the_same_lock() {
    let Some(fixture) = Fixture::new(ONE) else { return };
    fixture.plumb(&["get"]).succeeds();
    let lock = fixture.lock();
    fixture.shell("rm -rf root/.plumb root/.plumb.modules.lock.hcl");
    fixture.plumb(&["get"]).succeeds();
    assert_eq!(fixture.lock(), lock);
}

#[test]
fn many_processes_install_at_once() {
    let Some(fixture) = Fixture::new(ONE) else { return };
    let started: Vec<_> = (0..4).map(|_| fixture.workspace.start(&["-C", "root", "get"])).collect();
    for process in started {
        process.end().succeeds().prints("- net in .plumb/modules/net");
    }
    fixture.plumb(&["plan"]).succeeds().prints("one");
}

#[test]
fn a_killed_process_leaves_nothing_that_is_taken_for_a_module() {
    let Some(fixture) = Fixture::new(ONE) else { return };
    for wait in [0, 20, 40, 60, 80, 120, 160] {
        fixture.shell("rm -rf root/.plumb");
        let process = fixture.workspace.start(&["-C", "root", "get"]);
        thread::sleep(Duration::from_millis(wait));
        process.signal("KILL");
        let _ = process.child.wait_with_output();
        let plan = fixture.plumb(&["plan"]);
        match plan.code {
            Some(0) => drop(plan.prints("one")),
            _ => drop(plan.exits(1).says("has not been installed")),
        }
        fixture.plumb(&["get"]).succeeds();
        fixture.plumb(&["plan"]).succeeds().prints("one");
        let left = fixture.shell("ls -A root/.plumb/modules/.packages").stdout;
        assert!(!left.contains(".new-"), "{left}");
    }
}
