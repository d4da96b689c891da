//! A provider written for Plumb, as a plugin of Plumb and of Terraform.

mod support;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use plumb_provider_api::Provider;
use plumb_provider_host::Options;

const ADDRESS: &str = "example.com/plumb/random";

/// The example that serves a compiled-in provider, built if only this test was.
fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", "served"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(cargo.status().unwrap().success(), "the example can be built");
        let test = std::env::current_exe().unwrap();
        test.parent().unwrap().parent().unwrap().join("examples/served")
    };
    BUILT.get_or_init(build).clone()
}

#[tokio::test]
async fn a_served_provider_is_the_same_as_compiled_in() {
    let compiled_in = plumb_provider_builtin::lookup("random").unwrap().schema().await.unwrap();
    let plugin = support::plugin(ADDRESS, program(), Options::default());
    let provider = plugin.provider();
    let served = provider.schema().await.unwrap();
    assert_eq!(served.resources, compiled_in.resources);
    assert_eq!(served.functions, compiled_in.functions);
    assert!(provider.validate_provider(compiled_in.provider.block.empty()).await.is_empty());
    assert!(provider.configure(compiled_in.provider.block.empty()).await.is_empty());
    plugin.stop().await;
}

#[test]
fn a_person_who_starts_it_is_told_what_it_is() {
    let output = Command::new(program()).env_remove("TF_PLUGIN_MAGIC_COOKIE").output().unwrap();
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("This program is a provider, example.com/plumb/random.")
    );
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn terraform_plans_and_applies_with_it() {
    if Command::new("terraform").arg("version").output().is_err() {
        eprintln!("skipped: terraform is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::os::unix::fs::symlink(program(), plugins.join("terraform-provider-random")).unwrap();
    let rc = folder.path().join("rc");
    let overrides = format!(
        "provider_installation {{\n dev_overrides {{\n {ADDRESS:?} = {plugins:?}\n }}\n direct {{}}\n}}\n"
    );
    std::fs::write(&rc, overrides).unwrap();
    let source = format!(
        "terraform {{\n required_providers {{\n random = {{ source = {ADDRESS:?} }}\n }}\n}}\n\
         resource \"random_id\" \"a\" {{\n byte_length = 4\n}}\noutput \"hex\" {{\n value = random_id.a.hex\n}}\n"
    );
    std::fs::write(folder.path().join("main.tf"), source).unwrap();
    let terraform = |arguments: &[&str]| {
        let mut command = Command::new("terraform");
        let output = command
            .args(arguments)
            .current_dir(folder.path())
            .env("TF_CLI_CONFIG_FILE", &rc)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, text) = terraform(&["apply", "-auto-approve", "-no-color"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = terraform(&["plan", "-detailed-exitcode", "-no-color"]);
    assert_eq!(code, Some(0), "the plan is not empty: {text}");
    let (code, text) = terraform(&["destroy", "-auto-approve", "-no-color"]);
    assert_eq!(code, Some(0), "{text}");
}
