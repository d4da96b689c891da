//! Killed processes, full disks, damaged files, absurd input: each ends with an exit code and, if it is an error, with
//! a diagnostic. Nothing panics, which [`crate::support`] looks for after each command, and nothing is lost.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};

use crate::support::{Run, Workspace};

/// Files and commands that append to a log, the first with a way to be found again, the others without.
fn many(n: usize) -> String {
    let mut text = format!(
        "resource \"file\" \"f\" {{\n  count   = {n}\n  path    = \"out/${{count.index % 7}}/f${{count.index}}\"\n  content = \"file ${{count.index}}\"\n}}\n"
    );
    let _ = write!(
        text,
        "resource \"command\" \"c\" {{\n  count  = {n}\n  create = [\"sh\", \"-c\", \"mkdir -p made && echo x >> made/${{count.index}}\"]\n  \
         read   = [\"cat\", \"made/${{count.index}}\"]\n  delete = [\"rm\", \"made/${{count.index}}\"]\n}}\n"
    );
    let _ = write!(
        text,
        "resource \"command\" \"blind\" {{\n  count  = {n}\n  create = [\"sh\", \"-c\", \"mkdir -p made && sleep 0.02 && echo x >> made/b${{count.index}}\"]\n  \
         delete = [\"rm\", \"made/b${{count.index}}\"]\n}}\n"
    );
    text
}

/// How often a process is killed; the environment says if it is to be more often.
fn rounds() -> u64 {
    std::env::var("PLUMB_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn whatever_moment_a_process_is_killed_at_nothing_is_lost_and_nothing_is_made_twice() {
    for round in 0..rounds() {
        let n = if rounds() > 100 { 100 } else { 30 };
        let workspace = Workspace::of(&many(n));
        let mut random = rand::rngs::StdRng::seed_from_u64(round);
        let mut killed = 0;
        for _ in 0..3 {
            let mut apply = workspace.start(&["apply", "-auto-approve"]);
            std::thread::sleep(Duration::from_millis(random.random_range(20..600)));
            if apply.child.try_wait().expect("it can be asked").is_none() {
                apply.child.kill().expect("it can be killed");
                killed += 1;
            }
            let _ = apply.child.wait();
        }
        check_after_kill(&workspace, n, round, killed);
    }
}

fn check_after_kill(workspace: &Workspace, n: usize, round: u64, killed: usize) {
    let what = format!("round {round}, killed {killed} times");
    workspace.plumb(&["plan"]).succeeds();
    workspace.apply(&[]);
    workspace.is_settled(&[]);
    assert_eq!(workspace.recorded().len(), 3 * n, "{what}");
    let expected: std::collections::BTreeSet<String> = (0..n).map(|i| format!("{}/f{i}", i % 7)).collect();
    assert_eq!(workspace.files("out"), expected, "{what}: no other file, also no temporary one");
    for i in 0..n {
        assert_eq!(workspace.read(&format!("made/{i}")), "x\n", "{what}: command {i} ran once");
        assert_eq!(workspace.read(&format!("made/b{i}")), "x\n", "{what}: blind command {i} ran once");
    }
    let history = workspace.plumb(&["history", "-json"]).succeeds().stdout;
    let history: serde_json::Value = serde_json::from_str(&history).expect("it is JSON");
    let operations = history.as_array().expect("it is a list");
    assert!(operations.iter().all(|operation| operation["status"] != "running"), "{what}: {history}");
    for operation in operations {
        workspace.plumb(&["history", "show", &operation["number"].to_string()]).succeeds();
    }
    workspace.plumb(&["destroy", "-auto-approve"]).succeeds();
    assert_eq!(workspace.recorded(), [""; 0], "{what}: nothing is recorded any more");
    assert!(!workspace.has("out"), "{what}: left is {:?}", workspace.shell("find out").stdout);
    assert_eq!(workspace.files("made"), Default::default(), "{what}: every command was undone");
}

/// It must end with a diagnostic, not by a signal.
#[track_caller]
fn is_refused(run: Run) -> Run {
    let run = run.exits(1);
    assert!(run.stderr.contains("Error: ") && run.stderr.contains('['), "no diagnostic in {run}");
    run
}

#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let workspace = Workspace::of(&many(20));
    workspace.apply(&["-target=file.f"]);
    // No file may grow beyond this many blocks, which is how a full disk looks; the signal that comes with it is ignored.
    for blocks in [0, 1, 8, 24, 40, 64] {
        let run = workspace.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; plumb apply -auto-approve"));
        assert!(matches!(run.code, Some(0 | 1)), "{run}");
        if run.code == Some(1) {
            assert!(run.stderr.contains("Error: "), "{run}");
        }
    }
    assert!(workspace.recorded().len() >= 20);
    workspace.apply(&[]);
    workspace.is_settled(&[]);
    for i in 0..20 {
        assert_eq!(workspace.read(&format!("made/{i}")), "x\n", "command {i} ran once");
        assert_eq!(workspace.read(&format!("made/b{i}")), "x\n", "blind command {i} ran once");
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_is_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::of("resource \"terraform_data\" \"a\" {\n}\n");
    let set =
        |mode| fs::set_permissions(workspace.path(), fs::Permissions::from_mode(mode)).expect("it is ours");
    set(0o555);
    if fs::write(workspace.path().join("probe"), "").is_ok() {
        set(0o755);
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    let run = workspace.plumb(&["apply", "-auto-approve"]);
    set(0o755);
    is_refused(run).says("Check the permissions");
    workspace.apply(&[]);
}

#[test]
fn damaged_state_is_refused_or_mended_and_said() {
    let whole =
        Workspace::of("resource \"terraform_data\" \"a\" {\n  count = 30\n  input = count.index\n}\n");
    whole.apply(&[]);
    let files: Vec<String> = whole.files(".plumb/state").into_iter().collect();
    assert!(!files.is_empty());
    for file in files {
        let path = format!(".plumb/state/{file}");
        let intact = fs::read(whole.path().join(&path)).expect("state can be read");
        for damage in [0, intact.len() / 2, intact.len().saturating_sub(1)] {
            fs::write(whole.path().join(&path), &intact[..damage]).expect("it can be written");
            survives(&whole, &format!("{path} cut to {damage} of {} bytes", intact.len()));
            fs::write(whole.path().join(&path), &intact).expect("it can be written");
        }
        let mut flipped = intact.clone();
        if let Some(byte) = flipped.get_mut(intact.len() / 3) {
            *byte ^= 0x40;
            fs::write(whole.path().join(&path), &flipped).expect("it can be written");
            survives(&whole, &format!("{path} with a flipped bit"));
            fs::write(whole.path().join(&path), &intact).expect("it can be written");
        }
    }
    whole.is_settled(&[]);
}

/// Commands end well with all instances, or with a diagnostic: never with fewer instances as if nothing had happened.
fn survives(workspace: &Workspace, damage: &str) {
    let listed = workspace.plumb(&["state", "list"]);
    match listed.code {
        Some(0) => {
            let warned = workspace.plumb(&["plan"]);
            let complete = listed.stdout.lines().count() == 30;
            assert!(
                complete || warned.stderr.contains("Warning: "),
                "{damage}: silently incomplete: {listed}\n{warned}"
            );
        }
        Some(1) => assert!(listed.stderr.contains("Error: "), "{damage}: {listed}"),
        _ => panic!("{damage}: {listed}"),
    }
    let planned = workspace.plumb(&["plan"]);
    assert!(matches!(planned.code, Some(0 | 1)), "{damage}: {planned}");
}

#[test]
fn random_bytes_are_no_configuration() {
    let mut bytes = vec![0; 1 << 20];
    rand::rngs::StdRng::seed_from_u64(7).fill(&mut bytes[..]);
    let workspace = Workspace::new(&[]);
    fs::write(workspace.path().join("main.cfg"), &bytes).expect("it can be written");
    is_refused(workspace.plumb(&["plan"]));
    // As Terraform's.
    workspace.plumb(&["fmt"]).exits(2).says("Error: ");
    assert!(fs::read(workspace.path().join("main.cfg")).expect("it is there") == bytes, "fmt left it alone");

    // The same with nothing but text in it.
    let text: String = bytes.iter().map(|byte| char::from(byte % 95 + 32)).collect();
    is_refused(Workspace::of(&text).plumb(&["plan"]));
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("(", ")"), ("{ a = ", " }"), ("-", ""), ("!", ""), ("\"${", "}\"")] {
        let text = format!("locals {{\n  a = {}1{}\n}}\n", open.repeat(10_000), close.repeat(10_000));
        is_refused(Workspace::of(&text).plumb(&["plan"]));
    }
    let blocks = format!("{}{}", "a {\n".repeat(10_000), "}\n".repeat(10_000));
    is_refused(Workspace::of(&blocks).plumb(&["plan"]));
}

#[test]
fn long_chains_need_no_stack() {
    let n = 20_000;
    let mut locals = String::from("locals {\n  a0 = 1\n");
    (1..n).for_each(|i| writeln!(locals, "  a{i} = local.a{} + 1", i - 1).expect("text can be written to"));
    let _ = write!(locals, "}}\n\noutput \"last\" {{\n  value = local.a{}\n}}\n", n - 1);
    let workspace = Workspace::of(&locals);
    workspace.apply(&[]);
    assert_eq!(workspace.plumb(&["output", "last"]).succeeds().stdout.trim(), "20000");

    let mut resources = String::from("resource \"terraform_data\" \"a0\" {\n}\n");
    for i in 1..n {
        let _ = writeln!(
            resources,
            "resource \"terraform_data\" \"a{i}\" {{\n  input = terraform_data.a{}.id\n}}",
            i - 1
        );
    }
    let workspace = Workspace::of(&resources);
    workspace.plumb(&["plan"]).succeeds().prints("20000 to create");
    workspace.plumb(&["validate"]).succeeds();

    let cycle =
        resources.replacen("\"a0\" {\n", &format!("\"a0\" {{\n  input = terraform_data.a{}.id\n", n - 1), 1);
    is_refused(Workspace::of(&cycle).plumb(&["plan"]));
}
