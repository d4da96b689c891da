//! Every example is made, changed and destroyed for real.

use serde_json::json;

use crate::support::api::Api;
use crate::support::{Workspace, root};

/// Applies, changes with these arguments, and destroys. Each plan after an apply is empty, and nothing is left.
fn live(workspace: &Workspace, change: &[&str]) {
    workspace.plumb(&["fmt", "-check", "-recursive"]).succeeds();
    workspace.plumb(&["validate"]).succeeds().lacks("warning");
    workspace.apply(&[]);
    workspace.is_settled(&[]);
    workspace.plumb(&[&["plan", "-detailed-exitcode"], change].concat()).exits(2);
    workspace.apply(change);
    workspace.is_settled(change);
}

fn destroy(workspace: &Workspace, args: &[&str]) {
    workspace.plumb(&[&["destroy", "-auto-approve"], args].concat()).succeeds();
    assert!(workspace.recorded().is_empty());
    assert!(!workspace.has("out"), "{:?} are left", workspace.files("out"));
}

#[test]
fn every_example_has_a_test_and_a_readme() {
    // Providers have tests of their own, beside them.
    let tested =
        ["contact-centre", "first", "history", "provider-inventory", "provider-template", "service", "typed"];
    let mut found: Vec<String> = std::fs::read_dir(root().join("examples"))
        .expect("there are examples")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, tested);
    for name in tested {
        assert!(root().join("examples").join(name).join("README.md").exists(), "{name} has no README.md");
    }
}

#[test]
fn first() {
    let workspace = Workspace::example("first");
    live(&workspace, &["-var", r#"guests={ grace = "tea", mary = "water" }"#]);
    assert_eq!(workspace.files("out/cards"), ["grace.txt", "mary.txt"].map(String::from).into());

    // What somebody else changes is noticed and put right.
    workspace.write("out/welcome.txt", "Go away.\n");
    let same = ["-var", r#"guests={ grace = "tea", mary = "water" }"#];
    workspace
        .plumb(&[&["plan"], &same[..]].concat())
        .succeeds()
        .prints("Changed outside of Plumb")
        .prints("Go away.");
    workspace.apply(&same);
    assert_eq!(workspace.read("out/welcome.txt"), "Welcome! 2 guests are expected.\n");
    destroy(&workspace, &[]);
}

#[test]
fn typed() {
    let workspace = Workspace::example("typed");
    live(&workspace, &["-var=env=prod"]);
    workspace.plumb(&["plan", "-var=env=prd"]).exits(1).says("which is none of \"dev\", \"stage\", \"prod\"");

    // A plan holds the library too, and does what it was made for when that has changed.
    workspace.plumb(&["plan", "-out=saved.plan", "-var=env=stage"]).succeeds();
    workspace.write("network/functions.cfg", "");
    workspace.plumb(&["plan"]).exits(1).says("has no function `subnets`");
    workspace.plumb(&["apply", "saved.plan"]).succeeds().prints("10.1.1.0/24");
    let restored = Workspace::example("typed").read("network/functions.cfg");
    workspace.write("network/functions.cfg", &restored);
    destroy(&workspace, &[]);
}

#[test]
fn service() {
    let workspace = Workspace::example("service");
    live(&workspace, &["-var=log_level=debug"]);
    assert!(workspace.read("out/test/service.ini").contains("log_level = debug\n"));
    assert!(workspace.read("out/production/service.ini").contains("worker.3 = 127.0.0.1:9094\n"));

    // The password is in its file, and can be asked for, and nowhere else.
    let passwords = workspace.plumb(&["output", "-json", "passwords"]).succeeds().stdout;
    let passwords: serde_json::Value = serde_json::from_str(&passwords).expect("it is JSON");
    let password = passwords["test"].as_str().expect("it is text");
    assert_eq!(workspace.read("out/test/secrets.env"), format!("DATABASE_PASSWORD={password}\n"));
    for command in [&["show"][..], &["output"], &["plan", "-destroy"], &["history", "show", "1"]] {
        workspace.plumb(command).succeeds().lacks(password);
    }
    workspace.plumb(&["plan", "-var=log_level=loud"]).exits(1).says("must be debug, info, warn or error");
    destroy(&workspace, &[]);
}

#[test]
fn contact_centre() {
    let api = Api::start(0, "letmein").expect("a port of this machine is free");
    let workspace = Workspace::example("contact-centre").with("TF_VAR_url", &api.url());
    workspace.plumb(&["plan"]).exits(1).says("no environment variable `CONTACT_CENTRE_TOKEN`");
    let workspace = workspace.with("CONTACT_CENTRE_TOKEN", "wrong");
    workspace.plumb(&["plan"]).exits(1).says("401");
    let workspace = workspace.with("CONTACT_CENTRE_TOKEN", "letmein");
    live(&workspace, &["-var", r#"queues={ sales = { skill = "sales", max_wait = 30 } }"#]);
    let queues: Vec<_> = api
        .objects()
        .iter()
        .filter(|(path, _)| path.starts_with("/queues/"))
        .map(|(_, q)| q.clone())
        .collect();
    assert_eq!(queues.len(), 1);
    assert_eq!((&queues[0]["name"], &queues[0]["max_wait_seconds"]), (&json!("sales"), &json!(30)));
    assert_eq!(api.objects()["/routing/main"]["rules"][0]["queue"], queues[0]["id"]);

    // Somebody changes a queue in the web interface, and a field that is not ours.
    let path = format!("/queues/{}", queues[0]["id"].as_str().expect("an id is text"));
    let change = |field: &str, value| api.objects().get_mut(&path).expect("it is there")[field] = value;
    let same = ["-var", r#"queues={ sales = { skill = "sales", max_wait = 30 } }"#];
    change("colour", json!("red"));
    workspace.plumb(&[&["plan", "-detailed-exitcode"], &same[..]].concat()).exits(0);
    change("max_wait_seconds", json!(999));
    workspace
        .plumb(&[&["plan"], &same[..]].concat())
        .succeeds()
        .prints("Changed outside of Plumb")
        .prints("999");
    workspace.apply(&same);
    assert_eq!(api.objects()[&path]["max_wait_seconds"], json!(30));

    let nobody = r#"queues={ sales = { skill = "chinese" } }"#;
    workspace.plumb(&["plan", "-var", nobody]).exits(1).says("Nobody has the skill chinese");
    for (path, text) in workspace
        .files(".plumb")
        .iter()
        .map(|path| (path, std::fs::read(workspace.path().join(".plumb").join(path))))
    {
        let text = text.expect("state can be read");
        assert!(!text.windows(7).any(|window| window == b"letmein"), "the token is in {path}");
    }
    destroy(&workspace, &[]);
    assert_eq!(api.objects().keys().collect::<Vec<_>>(), ["/organization"]);
}

#[test]
fn history() {
    let workspace = Workspace::example("history");
    live(&workspace, &["-var=banner=Open"]);
    let listed = workspace.plumb(&["history"]).succeeds().stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    workspace.plumb(&["history", "show", "2"]).succeeds().prints(r#""Opening soon\n" → "Open\n""#);
    destroy(&workspace, &[]);
    assert_eq!(workspace.plumb(&["history"]).succeeds().stdout.lines().count(), 3);
}
