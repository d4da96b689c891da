//! Real providers for tests and benchmarks: built with Go, which need not be there.
//!
//! Each is built once for a program that asks; what Go has built before it only links. Whoever asks for a provider that
//! cannot be built gets `None`, and a line on standard error says why the test is skipped.
//!
//! [`mirror`] lays built providers out so that Terraform and Plumb install them in the same way.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]

pub mod mirror;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The version of HashiCorp's provider `time` that is built.
pub const TIME_VERSION: &str = "0.14.2";

/// HashiCorp's provider `time`.
pub fn time() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        build("terraform-provider-time", |folder| {
            let mut go = Command::new("go");
            go.args(["install", &format!("github.com/hashicorp/terraform-provider-time@v{TIME_VERSION}")]);
            go.env("GOBIN", folder);
            go
        })
    };
    BUILT.get_or_init(build).clone()
}

/// The conformance provider of this repository.
pub fn conformance() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        build("terraform-provider-conformance", |folder| {
            let mut go = Command::new("go");
            go.args(["build", "-o"]).arg(folder.join("terraform-provider-conformance")).arg(".");
            go.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance"));
            go
        })
    };
    BUILT.get_or_init(build).clone()
}

/// Whether the real Terraform can be run; says that something is skipped if not.
pub fn has_terraform(what: &str) -> bool {
    let there = Command::new("terraform").arg("version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: {what} needs terraform, which is not installed");
    }
    there
}

/// Where built providers are kept between runs: beside the program that asks.
fn folder() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let folder = program.parent().expect("it lies in a folder").join("providers");
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

fn build(name: &str, command: impl FnOnce(&Path) -> Command) -> Option<PathBuf> {
    if Command::new("go").arg("version").output().is_err() {
        eprintln!("skipped: {name} needs Go, which is not installed");
        return None;
    }
    // Built aside and moved into place: another program may run the provider that is there.
    let folder = folder();
    let aside = tempfile::tempdir_in(&folder).expect("the build folder can be written");
    let output = command(aside.path()).output().expect("go runs");
    if !output.status.success() {
        eprintln!("skipped: {name} cannot be built: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    std::fs::rename(aside.path().join(name), folder.join(name)).expect("what was built can be moved");
    Some(folder.join(name))
}
