//! Plumb or its provider is killed at any moment of an apply. After the next apply the remote system is what is recorded,
//! nothing was made twice, and no process is left behind.
//!
//! The remote system refuses to make an object that exists, so that making something twice fails. How many rounds there
//! are is set with `PLUMB_TEST_KILLS`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use plumb_provider_testing::mirror::{self, Built};

use crate::support::Workspace;

const ADDRESS: &str = "example.com/plumb/conformance";
const THINGS: usize = 24;

/// The configuration of a round: in each, some things are made, some changed, some replaced and some deleted.
fn configuration(round: usize) -> String {
    let mut text = format!(
        "terraform {{\n  required_providers {{\n    conformance = {{ source = {ADDRESS:?} }}\n  }}\n}}\n"
    );
    for i in 0..THINGS {
        let name = match i % 4 {
            0 => format!("{i}-{round}"),
            1 if round % 2 == i / 4 % 2 => continue,
            _ => i.to_string(),
        };
        let _ = write!(text, "resource \"conformance_thing\" \"t{i}\" {{\n  name = {name:?}\n");
        if i % 4 == 2 {
            let _ = writeln!(text, "  title = \"round {round}\"");
        } else if i % 4 == 3 {
            let _ = writeln!(text, "  title = conformance_thing.t{}.label", i - 3);
        }
        if i % 8 == 0 {
            text.push_str("  lifecycle {\n    create_before_destroy = true\n  }\n");
        }
        text.push_str("}\n");
    }
    text
}

#[test]
fn nothing_is_lost_or_made_twice_when_plumb_or_a_provider_is_killed() {
    let Some(program) = plumb_provider_testing::conformance() else { return };
    let rounds = std::env::var("PLUMB_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let mirror = tempfile::tempdir().unwrap();
    let built = Built { address: ADDRESS.into(), version: "1.0.0".into(), program };
    let rc = mirror::create(mirror.path(), &[built]).unwrap();
    let workspace = Workspace::new(&[]).with("TF_CLI_CONFIG_FILE", rc.to_str().unwrap());
    let remote = workspace.path().join("remote.jsonl");
    let remote = remote.to_str().unwrap().to_owned();
    let workspace = workspace.with("CONFORMANCE_REMOTE", &remote);

    workspace.write("main.tf", &configuration(0));
    workspace.plumb(&["init"]).succeeds();
    let since = Instant::now();
    workspace.apply(&[]);
    let usual = since.elapsed();
    for round in 1..=rounds {
        workspace.write("main.tf", &configuration(round));
        let started = workspace.start(&["apply", "-auto-approve"]);
        // Another fraction of the usual time in each round, all over it.
        std::thread::sleep(usual.mul_f64((round as f64 * 0.618_034).fract()));
        let whole = [started.child.id()];
        let victims = match round % 2 {
            0 => processes(&remote).into_iter().filter(|id| *id != whole[0]).collect(),
            _ => whole.to_vec(),
        };
        victims.into_iter().for_each(kill);
        started.end();
        gone(&remote);
        workspace.apply(&[]);
        gone(&remote);
        let (there, recorded) = (existing(Path::new(&remote)), workspace.names());
        assert_eq!(there, recorded, "round {round}: what exists, and what is recorded");
        workspace.is_settled(&[]);
    }
}

impl Workspace {
    /// The names of the recorded things.
    fn names(&self) -> BTreeSet<String> {
        let state: serde_json::Value =
            serde_json::from_str(&self.plumb(&["state", "export"]).succeeds().stdout).unwrap();
        let resources = state["resources"].as_array().unwrap().iter();
        let instances = resources.flat_map(|resource| resource["instances"].as_array().unwrap());
        instances.map(|instance| instance["attributes"]["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The names of the things in the remote system.
fn existing(remote: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in std::fs::read_to_string(remote).unwrap().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = event["name"].as_str().unwrap().to_owned();
        match event["op"].as_str().unwrap() {
            "create" => assert!(names.insert(name.clone()), "{name} was made twice"),
            "delete" => assert!(names.remove(&name), "{name} was deleted twice"),
            _ => {}
        }
    }
    names
}

/// The processes that have this text in their environment.
fn processes(text: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let has = |id: &u32| {
        std::fs::read(format!("/proc/{id}/environ"))
            .is_ok_and(|all| all.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    numbers.filter(has).collect()
}

fn kill(id: u32) {
    // A process that has ended by itself meanwhile is as good.
    let _ =
        std::process::Command::new("/bin/sh").args(["-c", &format!("kill -KILL {id} 2>/dev/null")]).status();
}

/// Waits until no process has this text in its environment.
fn gone(text: &str) {
    let since = Instant::now();
    while !processes(text).is_empty() {
        assert!(since.elapsed() < Duration::from_secs(20), "still running: {:?}", processes(text));
        std::thread::sleep(Duration::from_millis(10));
    }
}
