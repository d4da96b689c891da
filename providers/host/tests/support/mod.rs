//! Real providers for the tests: built with Go, which need not be there.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

pub mod bench;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use plumb_provider_host::{Options, Plugin, Source};

/// Where built providers are kept between runs: beside the tests themselves.
fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.parent().expect("it lies in a folder").join("providers");
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

/// Builds once for each test program; `None`, and a line that says so, without Go.
fn build(name: &str, run: impl FnOnce(&Path) -> Command) -> Option<PathBuf> {
    if Command::new("go").arg("version").output().is_err() {
        eprintln!("skipped: {name} needs Go, which is not installed");
        return None;
    }
    // Built aside and moved into place: another test may run the program that is there.
    let folder = folder();
    let aside = tempfile::tempdir_in(&folder).expect("the build folder can be written");
    let output = run(aside.path()).output().expect("go runs");
    if !output.status.success() {
        eprintln!("skipped: {name} cannot be built: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    std::fs::rename(aside.path().join(name), folder.join(name)).expect("what was built can be moved");
    Some(folder.join(name))
}

/// HashiCorp's provider `time`.
pub fn time() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            build("terraform-provider-time", |folder| {
                let mut go = Command::new("go");
                go.args(["install", "github.com/hashicorp/terraform-provider-time@v0.14.2"])
                    .env("GOBIN", folder);
                go
            })
        })
        .clone()
}

/// The conformance provider of this repository.
pub fn conformance() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            build("terraform-provider-conformance", |folder| {
                let mut go = Command::new("go");
                go.args(["build", "-o"]).arg(folder.join("terraform-provider-conformance")).arg(".");
                go.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance"));
                go
            })
        })
        .clone()
}

/// Starts guards, so that no test leaves a process behind.
pub fn guard() {
    plumb_provider_host::guard::use_program(env!("CARGO_BIN_EXE_plumb-plugin-guard").into());
}

/// A provider to be started from a program.
pub fn plugin(address: &str, program: PathBuf, options: Options) -> Plugin {
    guard();
    Plugin::new(address, Source::Program(program), options)
}
