//! Installing from mirrors in the file system, and what Terraform makes of the same mirrors.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use plumb_model::{Diagnostics, SourceId};
use plumb_provider_install::config::{CliConfig, Method, Origin};
use plumb_provider_install::progress::Quiet;
use plumb_provider_install::{Address, Choice, Constraints, Installed, Installer, LockFile, Platform};
use plumb_registry::client::Patience;
use plumb_registry::{Client, Hosts, Settings};

const ADDRESS: &str = "example.com/acme/probe";

/// A working directory and a mirror.
struct Bench {
    folder: tempfile::TempDir,
    installer: Installer,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let methods = vec![Method::all(Origin::Filesystem(folder.path().join("mirror")))];
        let config = CliConfig { methods: Some(methods), ..CliConfig::default() };
        let installed = folder.path().join(".terraform/providers");
        let installer = Installer { config, platform: Platform::current(), folder: installed };
        Bench { folder, installer }
    }

    fn mirror(&self) -> PathBuf {
        self.folder.path().join("mirror").join(ADDRESS)
    }

    /// Adds an unpacked package.
    fn unpacked(&self, version: &str, text: &str) -> &Bench {
        let folder = self.mirror().join(version).join(Platform::current().to_string());
        std::fs::create_dir_all(folder.join("docs")).unwrap();
        std::fs::write(folder.join("docs/readme"), "read me").unwrap();
        program(&folder.join(format!("terraform-provider-probe_v{version}")), text);
        self
    }

    /// Adds an archive.
    fn packed(&self, version: &str, text: &str) -> &Bench {
        std::fs::create_dir_all(self.mirror()).unwrap();
        let name = format!("terraform-provider-probe_{version}_{}.zip", Platform::current());
        let mut zip = zip::ZipWriter::new(File::create(self.mirror().join(name)).unwrap());
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file(format!("terraform-provider-probe_v{version}"), options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
        zip.finish().unwrap();
        self
    }

    fn install(&self, constraints: &str, lock: &LockFile, choice: Choice) -> Result<Installed, Diagnostics> {
        install(&self.installer, &wanted(constraints), lock, choice)
    }

    /// What `terraform init` writes into the lock file, if there is a `terraform`.
    fn terraform(&self, constraints: &str) -> Option<String> {
        let folder = self.folder.path().join("terraform");
        std::fs::create_dir_all(&folder).unwrap();
        let rc = self.folder.path().join("rc");
        let mirror = self.folder.path().join("mirror");
        std::fs::write(
            &rc,
            format!("provider_installation {{\n filesystem_mirror {{\n path = {mirror:?}\n }}\n}}\n"),
        )
        .unwrap();
        let body = format!(
            "terraform {{\n required_providers {{\n probe = {{\n source = {ADDRESS:?}\n version = {constraints:?}\n }}\n }}\n}}\n"
        );
        std::fs::write(folder.join("main.tf"), body).unwrap();
        let mut command = Command::new("terraform");
        command.arg("init").current_dir(&folder).env("TF_CLI_CONFIG_FILE", &rc);
        let output = command.output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(std::fs::read_to_string(folder.join(".terraform.lock.hcl")).unwrap())
    }
}

fn install(
    installer: &Installer,
    wanted: &BTreeMap<Address, Constraints>,
    lock: &LockFile,
    choice: Choice,
) -> Result<Installed, Diagnostics> {
    let hosts = Hosts::new(Settings::default(), Client::new(Patience::default()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(installer.install(wanted, lock, choice, &hosts, &Quiet))
}

fn wanted(constraints: &str) -> BTreeMap<Address, Constraints> {
    BTreeMap::from([(address(), constraints.parse().unwrap())])
}

fn address() -> Address {
    ADDRESS.parse().unwrap()
}

fn program(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn code(outcome: Result<Installed, Diagnostics>) -> &'static str {
    let diagnostics = outcome.unwrap_err();
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    diagnostics.iter().next().unwrap().code
}

#[test]
fn the_newest_allowed_version_is_installed_and_found_again() {
    let bench = Bench::new();
    bench.unpacked("1.2.3", "one").packed("1.4.0", "two").packed("2.0.0", "three");
    let installed = bench.install("~> 1.2", &LockFile::default(), Choice::Keep).unwrap();
    let locked = &installed.lock.providers[&address()];
    assert_eq!(locked.version.to_string(), "1.4.0");
    let program = &installed.programs[&address()];
    assert_eq!(std::fs::read_to_string(program).unwrap(), "two");
    assert_eq!(std::fs::metadata(program).unwrap().permissions().mode() & 0o111, 0o111);
    let found = bench.installer.find(&wanted("~> 1.2"), &installed.lock).unwrap();
    assert_eq!(found.programs, installed.programs);
}

#[test]
fn a_choice_stays_until_it_is_made_again() {
    let bench = Bench::new();
    bench.unpacked("1.2.3", "one");
    let first = bench.install(">= 1.0", &LockFile::default(), Choice::Keep).unwrap();
    bench.unpacked("1.3.0", "two");
    let version = |installed: &Installed| installed.lock.providers[&address()].version.to_string();
    assert_eq!(version(&bench.install(">= 1.0", &first.lock, Choice::Keep).unwrap()), "1.2.3");
    assert_eq!(version(&bench.install(">= 1.0", &first.lock, Choice::Upgrade).unwrap()), "1.3.0");
    assert_eq!(code(bench.install(">= 1.3", &first.lock, Choice::Keep)), "locked-version-not-allowed");
    assert_eq!(bench.install(">= 1.0", &first.lock, Choice::Readonly).unwrap().lock, first.lock);
    assert_eq!(
        code(bench.install(">= 1.0", &LockFile::default(), Choice::Readonly)),
        "lock-file-would-change"
    );
}

#[test]
fn a_changed_package_is_refused() {
    for packed in [false, true] {
        let bench = Bench::new();
        let add =
            |text: &str| if packed { bench.packed("1.0.0", text) } else { bench.unpacked("1.0.0", text) };
        add("one");
        let installed = bench.install("", &LockFile::default(), Choice::Keep).unwrap();
        program(&installed.programs[&address()], "changed");
        assert_eq!(code(bench.installer.find(&wanted(""), &installed.lock)), "provider-hash-mismatch");
        add("other");
        assert_eq!(code(bench.install("", &installed.lock, Choice::Keep)), "provider-hash-mismatch");
        add("one");
        bench.install("", &installed.lock, Choice::Keep).unwrap();
        bench.installer.find(&wanted(""), &installed.lock).unwrap();
    }
}

#[test]
fn what_is_missing_is_said() {
    let bench = Bench::new();
    bench.unpacked("1.0.0", "one");
    assert_eq!(code(bench.install("> 2.0", &LockFile::default(), Choice::Keep)), "no-provider-version");
    assert_eq!(code(bench.installer.find(&wanted(""), &LockFile::default())), "provider-not-installed");
    let mistyped = BTreeMap::from([("example.com/acme/prob".parse().unwrap(), Constraints::default())]);
    let diagnostics = install(&bench.installer, &mistyped, &LockFile::default(), Choice::Keep).unwrap_err();
    let diagnostic = diagnostics.iter().next().unwrap();
    assert_eq!(diagnostic.help.as_deref(), Some("Did you mean `example.com/acme/probe`?"));
}

#[test]
fn where_nobody_looks_is_said() {
    let mut bench = Bench::new();
    bench.installer.config.methods = Some(Vec::new());
    let diagnostics = bench.install("", &LockFile::default(), Choice::Keep).unwrap_err();
    let diagnostic = diagnostics.iter().next().unwrap();
    assert!(diagnostic.detail.contains("is looked for nowhere"), "{diagnostic:?}");
}

#[test]
fn the_platform_does_not_count_for_the_choice() {
    let bench = Bench::new();
    bench.unpacked("1.2.3", "one");
    let other = bench.mirror().join("1.3.0/plan9_mips");
    std::fs::create_dir_all(&other).unwrap();
    assert_eq!(
        code(bench.install("", &LockFile::default(), Choice::Keep)),
        "provider-platform-not-supported"
    );
    bench.install("1.2.3", &LockFile::default(), Choice::Keep).unwrap();
}

#[test]
fn an_override_needs_neither_version_nor_hash() {
    let mut bench = Bench::new();
    let folder = bench.folder.path().join("dev");
    std::fs::create_dir(&folder).unwrap();
    bench.installer.config.overrides.insert(address(), folder.clone());
    assert_eq!(code(bench.installer.find(&wanted("~> 9"), &LockFile::default())), "override-without-program");
    program(&folder.join("terraform-provider-probe"), "dev");
    let found = bench.installer.find(&wanted("~> 9"), &LockFile::default()).unwrap();
    assert_eq!(found.programs[&address()], folder.join("terraform-provider-probe"));
    assert_eq!(found.warnings.iter().next().unwrap().code, "provider-overridden");
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn terraform_writes_the_same_lock_file() {
    for constraints in ["~> 1.2, >= 1.2.3", ">= 1", "1.4.0"] {
        let bench = Bench::new();
        bench.unpacked("1.2.3", "one").packed("1.4.0", "two").unpacked("2.0.0-rc1", "three");
        let Some(wanted) = bench.terraform(constraints) else {
            eprintln!("skipped: terraform is not installed");
            return;
        };
        let installed = bench.install(constraints, &LockFile::default(), Choice::Keep).unwrap();
        assert_eq!(installed.lock.to_string(), wanted);
        let lock = LockFile::parse(SourceId(0), &wanted).unwrap();
        assert_eq!(bench.install(constraints, &lock, Choice::Readonly).unwrap().lock, lock);
    }
}
