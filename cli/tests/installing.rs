//! `plumb init` and `plumb providers` with a registry and a mirror on loopback, beside Terraform where that is there.

#[allow(dead_code, reason = "other tests need more of it")]
mod support;

use std::time::{Duration, Instant};

use plumb_provider_install::Platform;
use plumb_provider_install::loopback::Registry;
use plumb_registry::loopback::Reply;
use support::{Run, Workspace};

const PROVIDER: &str = "acme/probe";
const OTHER: &str = "plan9_mips";

/// A registry with version 1.2.3 of a provider for two platforms.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.publish(PROVIDER, "1.2.3", &[&Platform::current().to_string(), OTHER]);
    registry
}

/// A directory that needs the provider, in an environment that trusts the registry.
fn workspace(registry: &Registry, version: &str) -> Workspace {
    let workspace = Workspace::new(&[("main.tf", &requirement(registry, version)), ("rc", "")]);
    let rc = workspace.path().join("rc").to_string_lossy().into_owned();
    workspace
        .with("SSL_CERT_FILE", &registry.server().certificate().to_string_lossy())
        .with("TF_CLI_CONFIG_FILE", &rc)
}

fn requirement(registry: &Registry, version: &str) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    probe = {{\n      source  = \"{}\"\n      version = \"{version}\"\n    }}\n  }}\n}}\n",
        registry.address(PROVIDER)
    )
}

fn downloads(registry: &Registry) -> usize {
    registry.server().paths().iter().filter(|path| path.ends_with(".zip")).count()
}

#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn terraform(workspace: &Workspace, args: &[&str]) -> Option<Run> {
    if std::process::Command::new("terraform").arg("version").output().is_err() {
        eprintln!("skipped: terraform is not installed");
        return None;
    }
    Some(workspace.shell(&format!("terraform {} -no-color", args.join(" "))))
}

#[test]
fn init_installs_locks_and_then_has_nothing_to_do() {
    let registry = registry();
    let workspace = workspace(&registry, "~> 1.0");
    let address = registry.address(PROVIDER);
    workspace
        .plumb(&["init"])
        .succeeds()
        .says(&format!("Provider {address} 1.2.3: installed, signed by key"))
        .says("(newest of ~> 1.0)")
        .says("Wrote .terraform.lock.hcl");
    let lock = workspace.read(".terraform.lock.hcl");
    workspace.plumb(&["init", "-lockfile=readonly"]).succeeds().says("already installed (as locked)");
    assert_eq!((workspace.read(".terraform.lock.hcl"), downloads(&registry)), (lock.clone(), 1));
    workspace.plumb(&["version", "-json"]).succeeds().prints(&format!("\"{address}\": \"1.2.3\""));
    workspace.plumb(&["version"]).succeeds().prints(&format!("+ provider {address} v1.2.3"));
    // One file serves both tools.
    let Some(run) = terraform(&workspace, &["init", "-lockfile=readonly"]) else { return };
    run.succeeds();
    assert_eq!(workspace.read(".terraform.lock.hcl"), lock);
    std::fs::remove_file(workspace.path().join(".terraform.lock.hcl")).unwrap();
    terraform(&workspace, &["init"]).unwrap().succeeds();
    assert_eq!(workspace.read(".terraform.lock.hcl"), lock);
    workspace.plumb(&["init", "-lockfile=readonly"]).succeeds();
    let theirs = terraform(&workspace, &["providers"]).unwrap().stdout;
    assert_eq!(workspace.plumb(&["providers"]).succeeds().stdout, theirs);
}

#[test]
fn init_tells_what_happens_as_json() {
    let registry = registry();
    let workspace = workspace(&registry, "1.2.3");
    let run = workspace.plumb(&["init", "-json"]).succeeds();
    let lines: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
        .collect();
    assert_eq!(lines[0]["type"], "version");
    assert!(lines.iter().any(|line| line["type"] == "log" && line["@message"].as_str().unwrap().contains("signed by key")), "{run}");
    assert_eq!(lines.last().unwrap()["message_code"], "output_init_success_message");
    let run = workspace.plumb(&["init", "-json", "-upgrade", "-lockfile=readonly"]).exits(1);
    assert!(run.stdout.contains("\"type\":\"diagnostic\""), "{run}");
}

#[test]
fn tokens_are_sent_to_their_host_alone() {
    let registry = registry();
    let asks =
        |asked: &plumb_registry::loopback::Asked| asked.header("authorization") == Some("Bearer secret");
    registry.instead(move |asked| (asked.path.contains("/v1/") && !asks(asked)).then(|| Reply::status(401)));
    let host = registry.server().host();
    let workspace = workspace(&registry, "1.2.3");
    workspace.plumb(&["init"]).exits(1).says("401 Unauthorized").says("Give the token for localhost");
    workspace.write("rc", &format!("credentials \"{host}\" {{\n  token = \"secret\"\n}}\n"));
    workspace.plumb(&["init"]).succeeds().lacks("secret");
    std::fs::remove_dir_all(workspace.path().join(".plumb")).unwrap();
    workspace.write("rc", "credentials_helper \"vault\" {\n  args = [\"--verbose\"]\n}\n");
    workspace.plumb(&["init"]).exits(1).says("no folder of plugins has a file terraform-credentials-vault");
    let helper =
        format!("#!/bin/sh\n[ \"$*\" = \"--verbose get {host}\" ] && echo '{{\"token\": \"secret\"}}'\n");
    workspace.write(".terraform.d/plugins/terraform-credentials-vault", &helper);
    workspace.shell("chmod +x .terraform.d/plugins/terraform-credentials-vault").succeeds();
    workspace.plumb(&["init"]).succeeds();
    std::fs::remove_dir_all(workspace.path().join(".plumb")).unwrap();
    workspace.write("rc", "");
    workspace.with(&format!("TF_TOKEN_{host}"), "secret").plumb(&["init"]).succeeds();
}

#[test]
fn the_command_line_configuration_is_read_and_checked() {
    let registry = registry();
    let workspace = workspace(&registry, "1.2.3");
    workspace.write("rc", "plugin_cash_dir = \"/x\"\n");
    workspace
        .plumb(&["init"])
        .succeeds()
        .says("`plugin_cash_dir` means nothing")
        .says("Did you mean `plugin_cache_dir`?");
    workspace.write("rc", "provider_installation {\n  mirror {}\n}\n");
    workspace.plumb(&["init"]).exits(1).says("rc, line 2: `mirror` is no way to install providers");
    // Plumb's own file comes before Terraform's.
    workspace.write(".config/plumb/config.json", "{\"disable_checkpoint\": true}");
    workspace.plumb(&["init"]).succeeds();
    workspace.with("PLUMB_CLI_CONFIG_FILE", "nowhere").plumb(&["init"]).succeeds().says("cannot be read");
}

#[test]
fn a_mirror_is_written_and_used() {
    let registry = registry();
    let workspace = workspace(&registry, "1.2.3");
    let platforms = [format!("-platform={}", Platform::current()), format!("-platform={OTHER}")];
    workspace
        .plumb(&["providers", "mirror", &platforms[0], &platforms[1], "there"])
        .succeeds()
        .says(&format!("for {OTHER}: signed by key"));
    assert_eq!(workspace.files("there").len(), 4);
    workspace
        .plumb(&["init", "-plugin-dir=there"])
        .succeeds()
        .says("installed, not signed")
        .says("hashes for");
    workspace
        .plumb(&["providers", "lock", "-fs-mirror=there", &platforms[0], &platforms[1]])
        .succeeds()
        .says("Changed .terraform.lock.hcl");
    assert_eq!(workspace.read(".terraform.lock.hcl").matches("\"h1:").count(), 2);
    workspace.plumb(&["providers", "lock"]).succeeds().says("Changed .terraform.lock.hcl");
    workspace.plumb(&["providers", "lock"]).succeeds().says("has all of these hashes already");
    assert_eq!(workspace.read(".terraform.lock.hcl").matches("\"zh:").count(), 2);
    let mirror = format!("-net-mirror={}", registry.mirror());
    workspace.plumb(&["providers", "lock", &mirror]).succeeds();
    workspace.plumb(&["providers", "lock", &mirror, "-fs-mirror=there"]).exits(1);
    workspace.plumb(&["providers", "lock", "-net-mirror=http://x/"]).exits(1).says("no HTTPS address");
    workspace.plumb(&["providers", "lock", "-platform=linux"]).exits(1).says("os_arch");
}

#[test]
fn many_processes_share_a_cache() {
    const MANY: usize = 8;
    let registry = registry();
    let workspaces: Vec<Workspace> = (0..MANY).map(|_| workspace(&registry, "1.2.3")).collect();
    let cache = tempfile::tempdir().unwrap();
    let at_once = |locked: bool| {
        let lock = locked.then(|| workspaces[0].read(".terraform.lock.hcl"));
        let started: Vec<_> = workspaces
            .iter()
            .map(|workspace| {
                let _ = std::fs::remove_dir_all(workspace.path().join(".plumb"));
                lock.iter().for_each(|lock| workspace.write(".terraform.lock.hcl", lock));
                let mut command = workspace.command(&["init"]);
                command.env("TF_PLUGIN_CACHE_DIR", cache.path());
                command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for child in started {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let locks: std::collections::BTreeSet<String> =
            workspaces.iter().map(|workspace| workspace.read(".terraform.lock.hcl")).collect();
        assert_eq!(locks.len(), 1);
    };
    at_once(false);
    let package =
        cache.path().join(registry.address(PROVIDER)).join("1.2.3").join(Platform::current().to_string());
    assert_eq!(std::fs::read_dir(&package).unwrap().count(), 2);
    // With a lock file one process fetches, and the others find what it has fetched.
    std::fs::remove_dir_all(cache.path().join(registry.server().host())).unwrap();
    let before = downloads(&registry);
    at_once(true);
    assert_eq!(downloads(&registry) - before, 1);
    let link = workspaces[1].path().join(".plumb/providers").join(registry.address(PROVIDER)).join("1.2.3");
    assert_eq!(
        std::fs::read_link(link.join(Platform::current().to_string())).unwrap(),
        package.canonicalize().unwrap()
    );
}

#[test]
fn a_killed_installation_leaves_nothing_behind() {
    let registry = registry();
    let workspace = workspace(&registry, "1.2.3");
    registry.instead(|asked| {
        let is_archive = asked.path.ends_with(".zip");
        is_archive.then(|| {
            std::thread::sleep(Duration::from_secs(120));
            Reply::status(500)
        })
    });
    let mut started = workspace.start(&["init"]);
    let since = Instant::now();
    while downloads(&registry) == 0 {
        assert!(since.elapsed() < Duration::from_secs(120), "nothing is downloaded");
        std::thread::sleep(Duration::from_millis(5));
    }
    started.child.kill().unwrap();
    started.end();
    assert!(!workspace.has(".terraform.lock.hcl"));
    registry.instead(|_| None);
    workspace.plumb(&["init"]).succeeds();
    let left = workspace.files(".plumb/providers/.plumb-work");
    assert!(left.iter().all(|file| file.ends_with(".lock")), "{left:?}");
}

#[test]
fn what_goes_wrong_is_said_with_the_provider_and_what_to_do() {
    let registry = registry();
    let address = registry.address(PROVIDER);
    let workspace = workspace(&registry, "~> 2.0");
    workspace
        .plumb(&["init"])
        .exits(1)
        .says(&format!("Provider {address} is wanted as `~> 2.0`"))
        .says("found: 1.2.3");
    workspace.write("main.tf", &requirement(&registry, "1.2.3"));
    registry.instead(|asked| asked.path.ends_with(".zip").then(|| Reply::file("changed")));
    workspace.plumb(&["init"]).exits(1).says("not the published one").says("Nothing was installed");
    assert!(!workspace.has(".terraform.lock.hcl"));
}
