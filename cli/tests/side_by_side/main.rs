//! The same configurations under the real Terraform and under Plumb, with real providers.
//!
//! A case is a file below `cases/PROVIDER` (see [`case`]). Each of its steps is planned and applied by both tools, each in a
//! directory and with a remote system of its own ([`pair`]); then the plans, the states and what was done to the remote
//! systems are compared ([`compare`]). After the last step each tool plans on the other's state, which must ask for
//! nothing, and both destroy everything.
//!
//! Differences that are intended are argued in `docs/compatibility.md`; [`compare`] names each of them.
//!
//! With `PLUMB_TEST_PROVIDERS=DIR` the cases of further providers run too, whose programs are in that directory as
//! `terraform-provider-NAME`; without one such a case is skipped.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

#[allow(dead_code, reason = "these tests use a part")]
#[path = "../support/mod.rs"]
mod support;

mod case;
mod compare;
mod pair;

use std::path::PathBuf;

use plumb_provider_testing::mirror::Built;

const CONFORMANCE: &str = "example.com/plumb/conformance";

/// Runs all cases of a folder; the failures of all are told.
fn check_cases(folder: &str, provider: &Built, environment: &[(&str, &str)]) {
    check_some_cases(folder, provider, environment, |_| true);
}

fn check_some_cases(
    folder: &str,
    provider: &Built,
    environment: &[(&str, &str)],
    wanted: impl Fn(&str) -> bool,
) {
    if !plumb_provider_testing::has_terraform("running configurations side by side") {
        return;
    }
    let folder = support::root().join("cli/tests/side_by_side/cases").join(folder);
    let only = std::env::var("PLUMB_TEST_CASE").ok();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("there are cases").map(|e| e.expect("an entry").path()).collect();
    files.retain(|file| only.as_ref().is_none_or(|only| file.ends_with(only)));
    files.retain(|file| file.file_stem().and_then(|stem| stem.to_str()).is_some_and(&wanted));
    files.sort();
    let run = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).expect("a case can be read");
        pair::run(&case::parse(&text), provider, environment)
    };
    let mut found = Vec::new();
    std::thread::scope(|scope| {
        let running: Vec<_> = files.iter().map(|file| (file, scope.spawn(|| run(file)))).collect();
        for (file, running) in running {
            let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
            let differences =
                running.join().unwrap_or_else(|_| vec!["it did not come to its end".to_owned()]);
            found.extend(differences.into_iter().map(|difference| format!("{name}, {difference}")));
        }
    });
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

fn conformance() -> Option<Built> {
    let program = plumb_provider_testing::conformance()?;
    Some(Built { address: CONFORMANCE.into(), version: "1.0.0".into(), program })
}

#[test]
fn the_conformance_provider_over_protocol_6() {
    let Some(provider) = conformance() else { return };
    check_cases("conformance", &provider, &[("CONFORMANCE_PROTOCOL", "6")]);
    check_cases("conformance-6", &provider, &[("CONFORMANCE_PROTOCOL", "6")]);
}

#[test]
fn the_conformance_provider_over_protocol_5() {
    let Some(provider) = conformance() else { return };
    // Only how things are said is another; these cases say most.
    let wanted = |name: &str| ["legacy", "others", "blocks"].contains(&name);
    check_some_cases("conformance", &provider, &[("CONFORMANCE_PROTOCOL", "5")], wanted);
}

#[test]
fn the_provider_time() {
    let Some(program) = plumb_provider_testing::time() else { return };
    let address = "registry.terraform.io/hashicorp/time".into();
    let provider = Built { address, version: plumb_provider_testing::TIME_VERSION.into(), program };
    check_cases("time", &provider, &[]);
}

#[test]
fn further_providers_that_are_at_hand() {
    let Some(folder) = std::env::var_os("PLUMB_TEST_PROVIDERS").map(PathBuf::from) else {
        eprintln!("skipped: PLUMB_TEST_PROVIDERS names no directory with further providers");
        return;
    };
    for (name, address) in [
        ("kubernetes", "registry.terraform.io/hashicorp/kubernetes"),
        ("openstack", "registry.terraform.io/terraform-provider-openstack/openstack"),
        ("docker", "registry.terraform.io/kreuzwerker/docker"),
    ] {
        let program = folder.join(format!("terraform-provider-{name}"));
        if !program.exists() {
            eprintln!("skipped: {} is not there", program.display());
            continue;
        }
        check_cases(name, &Built { address: address.into(), version: "1.0.0".into(), program }, &[]);
    }
}
