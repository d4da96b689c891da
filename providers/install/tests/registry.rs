//! Installing from a registry and a network mirror on loopback, good and bad, and what Terraform makes of the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use plumb_model::{Diagnostic, Diagnostics, SourceId};
use plumb_provider_install::config::{CliConfig, Method, Origin};
use plumb_provider_install::gather::Gatherer;
use plumb_provider_install::loopback::{Registry, TestKey};
use plumb_provider_install::progress::{How, Progress, Quiet, Step};
use plumb_provider_install::{Address, Choice, Constraints, Installed, Installer, LockFile, Platform};
use plumb_registry::client::Patience;
use plumb_registry::loopback::Reply;
use plumb_registry::{Client, Hosts, Settings};

const PROVIDER: &str = "acme/probe";
const OTHER: &str = "plan9_mips";

/// A working directory, and a registry.
struct Bench {
    folder: tempfile::TempDir,
    registry: Registry,
    installer: Installer,
    /// The address of the provider, if it is not that of the registry.
    address: Option<Address>,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start();
        let config = CliConfig { methods: Some(vec![Method::all(Origin::Direct)]), ..CliConfig::default() };
        let installed = folder.path().join(".plumb/providers");
        let installer = Installer { config, platform: Platform::current(), folder: installed };
        Bench { folder, registry, installer, address: None }
    }

    /// With version 1.2.3 for two platforms.
    fn usual() -> Bench {
        let bench = Bench::new();
        bench.registry.publish(PROVIDER, "1.2.3", &[&Platform::current().to_string(), OTHER]);
        bench
    }

    fn hosts(&self) -> Hosts {
        let patience = Patience {
            retries: 2,
            wait: Duration::from_millis(1),
            timeout: Duration::from_secs(10),
            stall: Duration::from_secs(10),
        };
        let trusted = std::fs::read(self.registry.server().certificate()).unwrap();
        Hosts::new(Settings::default(), Client::trusting(patience, trusted))
    }

    fn address(&self) -> Address {
        self.address.clone().unwrap_or_else(|| self.registry.address(PROVIDER).parse().unwrap())
    }

    fn wanted(&self, constraints: &str) -> BTreeMap<Address, Constraints> {
        BTreeMap::from([(self.address(), constraints.parse().unwrap())])
    }

    fn install(&self, constraints: &str, lock: &LockFile, choice: Choice) -> Result<Installed, Diagnostics> {
        self.install_telling(constraints, lock, choice, &Quiet)
    }

    fn install_telling(
        &self,
        constraints: &str,
        lock: &LockFile,
        choice: Choice,
        progress: &dyn Progress,
    ) -> Result<Installed, Diagnostics> {
        let (hosts, wanted) = (self.hosts(), self.wanted(constraints));
        wait(self.installer.install(&wanted, lock, choice, &hosts, progress))
    }

    /// The error of installing what is to be had now; nothing may be left behind.
    fn refused(&self) -> Diagnostic {
        let mut found = self.install("", &LockFile::default(), Choice::Keep).unwrap_err();
        assert_eq!(found.len(), 1, "{found:?}");
        let left = files(&self.installer.folder);
        assert!(left.iter().all(|path| path.extension().is_some_and(|e| e == "lock")), "{left:?}");
        let diagnostic = found.iter_mut().next().unwrap().clone();
        assert!(diagnostic.detail.contains(&self.address().to_string()), "{diagnostic:?}");
        assert!(diagnostic.help.is_some(), "{diagnostic:?}");
        diagnostic
    }

    fn check_refused(&self, code: &str, wanted: &str) {
        let diagnostic = self.refused();
        assert_eq!(diagnostic.code, code, "{diagnostic:?}");
        assert!(diagnostic.detail.contains(wanted), "{diagnostic:?}");
    }

    /// Runs Terraform in a directory with this configuration; `None` if there is no Terraform.
    fn terraform(&self, name: &str, constraints: &str, rc: &str, args: &[&str]) -> Option<PathBuf> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("rc"), rc).unwrap();
        let body = format!(
            "terraform {{\n required_providers {{\n probe = {{\n source = \"{}\"\n version = {constraints:?}\n }}\n }}\n}}\n",
            self.address()
        );
        std::fs::write(folder.join("main.tf"), body).unwrap();
        let mut command = Command::new("terraform");
        command.args(args).current_dir(&folder).env_clear();
        command.env("PATH", std::env::var("PATH").unwrap_or_default()).env("HOME", &folder);
        command.env("TF_CLI_CONFIG_FILE", folder.join("rc"));
        command.env("SSL_CERT_FILE", self.registry.server().certificate());
        let output = command.output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(folder)
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped() {
    eprintln!("skipped: terraform is not installed");
}

/// Remembers what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<Step>>);

impl Progress for Told {
    fn tell(&self, _: &Address, _: &Platform, step: Step) {
        self.0.lock().unwrap().push(step);
    }
}

#[test]
fn a_signed_package_is_installed_and_the_hashes_of_all_platforms_are_locked() {
    let bench = Bench::usual();
    bench.registry.behaviour().warnings.push("It is archived.".into());
    let told = Told::default();
    let installed = bench.install_telling("~> 1.0", &LockFile::default(), Choice::Keep, &told).unwrap();
    let program = &installed.programs[&bench.address()];
    assert!(std::fs::read_to_string(program).unwrap().contains("echo 1.2.3"));
    let locked = &installed.lock.providers[&bench.address()];
    let schemes: Vec<&str> = locked.hashes.iter().map(|hash| &hash[..3]).collect();
    assert_eq!(schemes, ["h1:", "zh:", "zh:"]);
    assert_eq!(installed.warnings.iter().map(|d| d.code).collect::<Vec<_>>(), ["registry-warning"]);
    let told = told.0.into_inner().unwrap();
    assert!(matches!(told.first(), Some(Step::Choosing(_))), "{told:?}");
    assert!(
        told.iter().any(|step| matches!(step, Step::Received(bytes, Some(total)) if bytes == total)),
        "{told:?}"
    );
    let how = How::Signed(TestKey::Publisher.id());
    assert!(matches!(told.last(), Some(Step::Done(_, there)) if *there == how), "{told:?}");
    bench.installer.find(&bench.wanted("~> 1.0"), &installed.lock).unwrap();
}

#[test]
fn what_is_in_place_is_not_fetched_again() {
    let bench = Bench::usual();
    let installed = bench.install("", &LockFile::default(), Choice::Keep).unwrap();
    let asked = bench.registry.server().paths().len();
    let again = bench.install("", &installed.lock, Choice::Readonly).unwrap();
    assert_eq!((again.lock, bench.registry.server().paths().len()), (installed.lock, asked));
}

#[test]
fn a_lock_file_of_another_platform_is_enough_where_a_publisher_signed() {
    let bench = Bench::usual();
    let mut lock = bench.install("", &LockFile::default(), Choice::Keep).unwrap().lock;
    let locked = lock.providers.get_mut(&bench.address()).unwrap();
    locked.hashes.retain(|hash| hash.starts_with("zh:"));
    std::fs::remove_dir_all(&bench.installer.folder).unwrap();
    // Nothing may be written down: what is installed is good all the same.
    let readonly = bench.install("", &lock, Choice::Readonly).unwrap();
    assert_eq!(
        (&readonly.lock, readonly.warnings.iter().next().unwrap().code),
        (&lock, "lock-file-not-updated")
    );
    bench.installer.find(&bench.wanted(""), &lock).unwrap();
    std::fs::remove_dir_all(&bench.installer.folder).unwrap();
    let after = bench.install("", &lock, Choice::Keep).unwrap().lock;
    assert_eq!(after.providers[&bench.address()].hashes.len(), 3);
}

#[test]
fn a_package_that_is_none_of_the_locked_ones_is_refused() {
    let bench = Bench::usual();
    let mut lock = bench.install("", &LockFile::default(), Choice::Keep).unwrap().lock;
    lock.providers.get_mut(&bench.address()).unwrap().hashes =
        BTreeSet::from([format!("zh:{}", "0".repeat(64))]);
    std::fs::remove_dir_all(&bench.installer.folder).unwrap();
    for choice in [Choice::Keep, Choice::Upgrade] {
        let found = bench.install("", &lock, choice).unwrap_err();
        assert_eq!(found.iter().next().unwrap().code, "provider-hash-mismatch");
        assert!(
            files(&bench.installer.folder).iter().all(|path| path.extension().is_some_and(|e| e == "lock"))
        );
    }
}

#[test]
fn signatures_are_insisted_on() {
    let bench = Bench::usual();
    let sign = |signer, keys: &[TestKey]| {
        let mut behaviour = bench.registry.behaviour();
        behaviour.signer = signer;
        behaviour.keys = keys.to_vec();
    };
    for (signer, keys, wanted) in [
        ((TestKey::Stranger, None), vec![TestKey::Publisher], "none of the registry's"),
        ((TestKey::Publisher, None), vec![], "names no key"),
        ((TestKey::Expired, None), vec![TestKey::Expired], "had expired on 2021-01-01"),
        ((TestKey::Revoked, None), vec![TestKey::Revoked], "is revoked"),
    ] {
        sign(signer, &keys);
        bench.check_refused("provider-signature-invalid", wanted);
    }
    sign((TestKey::Publisher, None), &[TestKey::Publisher]);
    bench.registry.instead(|asked| asked.path.ends_with("SHA256SUMS.sig").then(|| Reply::file("garbage")));
    bench.check_refused("provider-signature-invalid", "cannot be read");
    bench.registry.instead(|asked| asked.path.ends_with("SHA256SUMS").then(|| Reply::file("other")));
    bench.check_refused("provider-signature-invalid", "not of this document");
}

#[test]
fn a_key_that_has_expired_since_is_told() {
    let bench = Bench::usual();
    bench.registry.behaviour().keys = vec![TestKey::Expired];
    // In June of 2020.
    bench.registry.behaviour().signer = (TestKey::Expired, Some(1_590_969_600));
    let installed = bench.install("", &LockFile::default(), Choice::Keep).unwrap();
    assert_eq!(installed.warnings.iter().next().unwrap().code, "provider-key-expired");
}

#[test]
fn a_package_that_is_not_the_published_one_is_refused() {
    let bench = Bench::usual();
    bench.registry.instead(|asked| asked.path.ends_with(".zip").then(|| Reply::file("changed")));
    bench.check_refused("provider-checksum-mismatch", "its publisher signed");
    let other = hex_of("other");
    bench.registry.instead(move |asked| {
        let document = asked.path.contains("/download/").then(|| {
            format!(
                r#"{{"os":"{}","arch":"{}","filename":"x.zip","download_url":"/x","shasum":"{other}",
                "shasums_url":"/files/acme/probe/1.2.3/SHA256SUMS","shasums_signature_url":"/files/acme/probe/1.2.3/SHA256SUMS.sig",
                "signing_keys":{{"gpg_public_keys":[{{"ascii_armor":{}}}]}}}}"#,
                Platform::current().os,
                Platform::current().arch,
                serde_json::to_string(&TestKey::Publisher.public()).unwrap()
            )
        });
        document.map(Reply::json)
    });
    bench.check_refused("provider-checksum-mismatch", "signed no digest");
}

fn hex_of(text: &str) -> String {
    plumb_provider_install::hash::sha256(text.as_bytes()).unwrap()
}

#[test]
fn servers_that_fail_are_told_apart() {
    let bench = Bench::usual();
    let at = |part: &'static str, reply: Reply| {
        bench.registry.instead(move |asked| asked.path.contains(part).then(|| reply.clone()));
    };
    for (part, reply, code, wanted) in [
        ("terraform.json", Reply::status(404), "no-provider-registry", "does not offer"),
        ("terraform.json", Reply::json("<html>"), "invalid-registry-answer", "no list of services"),
        ("/versions", Reply::status(404), "unknown-provider-address", "is not known to the registry"),
        ("/versions", Reply::status(401), "provider-not-fetched", "401 Unauthorized"),
        ("/versions", Reply::status(429).with("Retry-After", "0"), "provider-not-fetched", "asked 3 times"),
        ("/versions", Reply::status(502), "provider-not-fetched", "502 Bad Gateway (asked 3 times)"),
        ("/versions", Reply::json("{\"versions\": 1}"), "invalid-registry-answer", "invalid type"),
        ("/versions", Reply::file("<html>"), "invalid-registry-answer", "application/octet-stream"),
        (
            "/versions",
            Reply::json("[".repeat(100_000)),
            "invalid-registry-answer",
            "is not what the protocol wants",
        ),
        ("/versions", Reply::file(vec![b' '; 33 * 1024 * 1024]), "provider-not-fetched", "more than"),
        (
            "/versions",
            Reply::redirect("/v1/providers/acme/probe/versions"),
            "provider-not-fetched",
            "in a circle",
        ),
        ("/download/", Reply::status(404), "provider-platform-not-supported", OTHER),
        ("/download/", Reply::json("{}"), "invalid-registry-answer", "missing field"),
        ("SHA256SUMS", Reply::status(500), "provider-not-fetched", "500"),
        (".zip", Reply::status(403), "provider-not-fetched", "403 Forbidden"),
        (".zip", Reply::file(vec![1; 1000]).cut(10), "provider-not-fetched", "broke off"),
    ] {
        at(part, reply);
        bench.check_refused(code, wanted);
    }
    // What passes is tried again.
    let failures = std::sync::atomic::AtomicUsize::new(2);
    bench.registry.instead(move |asked| {
        let fails = asked.path.ends_with(".zip")
            && failures
                .fetch_update(std::sync::atomic::Ordering::SeqCst, std::sync::atomic::Ordering::SeqCst, |n| {
                    n.checked_sub(1)
                })
                .is_ok();
        fails.then(|| Reply::file(vec![1; 1000]).cut(10))
    });
    bench.install("", &LockFile::default(), Choice::Keep).unwrap();
}

#[test]
fn archives_that_do_harm_are_refused() {
    let bench = Bench::usual();
    let platform = Platform::current().to_string();
    let publish = |archive: Vec<u8>| {
        let mut behaviour = bench.registry.behaviour();
        let published = behaviour.published.get_mut(PROVIDER).unwrap().get_mut("1.2.3").unwrap();
        published.archives.insert(platform.clone(), archive);
    };
    type Archive = zip::ZipWriter<std::io::Cursor<Vec<u8>>>;
    let made = |make: &dyn Fn(&mut Archive)| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        make(&mut zip);
        zip.finish().unwrap().into_inner()
    };
    let options = zip::write::SimpleFileOptions::default();
    publish(made(&|zip| zip.start_file("../../out", options).unwrap()));
    bench.check_refused("provider-archive-refused", "leads out");
    publish(made(&|zip| zip.add_symlink("terraform-provider-probe", "/bin/sh", options).unwrap()));
    bench.check_refused("provider-archive-refused", "is a link");
    publish(made(&|zip| zip.start_file("readme", options).unwrap()));
    bench.check_refused("provider-archive-refused", "no file terraform-provider-probe");
    publish(b"no archive".to_vec());
    bench.check_refused("provider-archive-refused", "no readable archive");
}

#[test]
fn other_platforms_and_protocols_are_said() {
    let bench = Bench::new();
    bench.registry.publish(PROVIDER, "1.0.0", &[OTHER]);
    bench.check_refused("provider-platform-not-supported", OTHER);
    let platform = Platform::current().to_string();
    bench.registry.publish(PROVIDER, "1.1.0", &[&platform]).publish(PROVIDER, "1.2.0", &[&platform]);
    bench.registry.behaviour().published.get_mut(PROVIDER).unwrap().get_mut("1.2.0").unwrap().protocols =
        vec!["7.0".into()];
    let diagnostic = bench.refused();
    assert_eq!(diagnostic.code, "provider-protocol-not-supported");
    assert!(diagnostic.help.unwrap().contains("1.1.0"));
    bench.install("1.1.0", &LockFile::default(), Choice::Keep).unwrap();
    let found = bench.install(">= 2", &LockFile::default(), Choice::Keep).unwrap_err();
    let diagnostic = found.iter().next().unwrap();
    assert_eq!(diagnostic.code, "no-provider-version");
    assert!(diagnostic.detail.contains("found: 1.2.0, 1.1.0, 1.0.0"), "{diagnostic:?}");
}

#[test]
fn a_network_mirror_stands_in_for_any_registry() {
    let mut bench = Bench::usual();
    let mirror = Origin::Network(bench.registry.mirror());
    bench.installer.config.methods = Some(vec![Method::all(mirror.clone())]);
    let installed = bench.install("", &LockFile::default(), Choice::Keep).unwrap();
    assert_eq!(installed.warnings.iter().next().unwrap().code, "lock-file-for-one-platform");
    assert!(bench.registry.server().paths().iter().all(|path| !path.contains("/v1/")));
    std::fs::remove_dir_all(&bench.installer.folder).unwrap();
    for (part, reply, code, wanted) in [
        ("index.json", Reply::status(404), "unknown-provider-address", "the mirror https://"),
        ("index.json", Reply::json("{}"), "invalid-registry-answer", "missing field"),
        ("1.2.3.json", Reply::status(404), "provider-platform-not-supported", "1.2.3"),
        (
            "1.2.3.json",
            Reply::json(r#"{"archives":{"plan9_mips":{"url":"x"}}}"#),
            "provider-platform-not-supported",
            OTHER,
        ),
        (".zip", Reply::file("changed"), "provider-checksum-mismatch", "its mirror says zh:"),
    ] {
        bench.registry.instead(move |asked| asked.path.contains(part).then(|| reply.clone()));
        bench.check_refused(code, wanted);
    }
    // The next method is asked where the mirror has nothing.
    bench.installer.config.methods = Some(vec![Method::all(mirror), Method::all(Origin::Direct)]);
    bench.registry.instead(|asked| asked.path.ends_with("index.json").then(|| Reply::status(404)));
    bench.install("", &LockFile::default(), Choice::Keep).unwrap();
}

#[test]
fn a_cache_serves_many_working_directories() {
    let mut bench = Bench::usual();
    let cache = bench.folder.path().join("cache");
    bench.installer.config.cache = Some(cache.clone());
    let found = bench.install("", &LockFile::default(), Choice::Keep).unwrap_err();
    assert_eq!(found.iter().next().unwrap().code, "no-plugin-cache");
    std::fs::create_dir(&cache).unwrap();
    let first = bench.install("", &LockFile::default(), Choice::Keep).unwrap();
    let downloads = || bench.registry.server().paths().iter().filter(|path| path.ends_with(".zip")).count();
    assert_eq!(downloads(), 1);
    let elsewhere = bench.folder.path().join("elsewhere");
    let second = Installer { folder: elsewhere, ..bench.installer.clone() };
    let install = |installer: &Installer, lock: &LockFile| {
        let hosts = bench.hosts();
        wait(installer.install(&bench.wanted(""), lock, Choice::Keep, &hosts, &Quiet)).unwrap()
    };
    // The lock file knows what the cache has.
    assert_eq!(install(&second, &first.lock).lock, first.lock);
    assert_eq!(downloads(), 1);
    // Without a lock file the hashes of other platforms have to be learned, unless somebody does not want them.
    let third = Installer { folder: bench.folder.path().join("third"), ..bench.installer.clone() };
    assert_eq!(install(&third, &LockFile::default()).lock, first.lock);
    assert_eq!(downloads(), 2);
    let mut fourth = Installer { folder: bench.folder.path().join("fourth"), ..bench.installer.clone() };
    fourth.config.cache_may_break_lock = true;
    let short = install(&fourth, &LockFile::default()).lock;
    assert_eq!((short.providers[&bench.address()].hashes.len(), downloads()), (1, 2));
    // What somebody changed in the cache is put right.
    let program = first.programs[&bench.address()].canonicalize().unwrap();
    std::fs::write(&program, "changed").unwrap();
    let fifth = Installer { folder: bench.folder.path().join("fifth"), ..bench.installer.clone() };
    install(&fifth, &first.lock);
    assert!(std::fs::read_to_string(&program).unwrap().contains("echo 1.2.3"));
}

#[test]
fn packages_are_gathered_for_other_platforms_and_into_mirrors() {
    let bench = Bench::usual();
    bench.registry.publish(PROVIDER, "1.3.0", &[OTHER]);
    let hosts = bench.hosts();
    let platforms = BTreeSet::from([Platform::current(), OTHER.parse().unwrap()]);
    let methods = vec![Method::all(Origin::Direct)];
    let gatherer = Gatherer { methods, platforms, hosts: &hosts, progress: &Quiet };
    let wanted = bench.wanted("~> 1.2.0");
    let lock = wait(gatherer.lock(&wanted, &LockFile::default())).unwrap();
    let hashes = &lock.providers[&bench.address()].hashes;
    assert_eq!(hashes.iter().map(|hash| &hash[..3]).collect::<Vec<_>>(), ["h1:", "h1:", "zh:", "zh:"]);
    assert_eq!(wait(gatherer.lock(&wanted, &lock)).unwrap(), lock);
    let mirror = bench.folder.path().join("mirror");
    wait(gatherer.mirror(&wanted, &lock, &mirror)).unwrap();
    let inside = mirror.join(bench.address().to_string());
    let mut names: Vec<_> =
        files(&mirror).into_iter().map(|path| path.strip_prefix(&inside).unwrap().to_owned()).collect();
    names.sort();
    let current = format!("terraform-provider-probe_1.2.3_{}.zip", Platform::current());
    let other = format!("terraform-provider-probe_1.2.3_{OTHER}.zip");
    let wanted_names: Vec<PathBuf> = ["1.2.3.json", "index.json", &current, &other].map(PathBuf::from).into();
    assert_eq!(names, wanted_names);
    // The mirror is good for installing.
    let mut installer = bench.installer.clone();
    installer.config.methods = Some(vec![Method::all(Origin::Filesystem(mirror))]);
    wait(installer.install(&wanted, &lock, Choice::Readonly, &hosts, &Quiet)).unwrap();
}

#[test]
fn terraform_writes_the_same_lock_files() {
    let bench = Bench::usual();
    bench.registry.publish(PROVIDER, "1.0.0", &[&Platform::current().to_string()]);
    bench.registry.publish(PROVIDER, "2.0.0-beta1", &[&Platform::current().to_string()]);
    let text = |folder: &Path| std::fs::read_to_string(folder.join(".terraform.lock.hcl")).unwrap();
    for constraints in [">= 0.1", "~> 1.0", "1.0.0", "2.0.0-beta1"] {
        let Some(folder) = bench.terraform("direct", constraints, "", &["init"]) else { return skipped() };
        let installed = bench.install(constraints, &LockFile::default(), Choice::Keep).unwrap();
        assert_eq!(installed.lock.to_string(), text(&folder), "{constraints}");
        let lock = LockFile::parse(SourceId(0), &text(&folder)).unwrap();
        assert_eq!(bench.install(constraints, &lock, Choice::Readonly).unwrap().lock, lock);
        std::fs::remove_dir_all(folder).unwrap();
    }
    let both = [format!("-platform={}", Platform::current()), format!("-platform={OTHER}")];
    let folder = bench.terraform("lock", "~> 1.0", "", &["providers", "lock", &both[0], &both[1]]).unwrap();
    let hosts = bench.hosts();
    let platforms = BTreeSet::from([Platform::current(), OTHER.parse().unwrap()]);
    let methods = vec![Method::all(Origin::Direct)];
    let gatherer = Gatherer { methods, platforms, hosts: &hosts, progress: &Quiet };
    let lock = wait(gatherer.lock(&bench.wanted("~> 1.0"), &LockFile::default())).unwrap();
    assert_eq!(lock.to_string(), text(&folder));
    let folder = bench
        .terraform("mirror", "~> 1.0", "", &["providers", "mirror", &both[0], &both[1], "there"])
        .unwrap();
    wait(gatherer.mirror(&bench.wanted("~> 1.0"), &lock, &folder.join("here"))).unwrap();
    let content = |name: &str| {
        let root = folder.join(name);
        let file =
            |path: PathBuf| (path.strip_prefix(&root).unwrap().to_owned(), std::fs::read(path).unwrap());
        files(&root).into_iter().map(file).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(content("here"), content("there"));
}

#[test]
fn terraform_writes_the_same_lock_file_for_a_mirror() {
    let mut bench = Bench::usual();
    // Terraform takes a port in the address of a provider for a scheme, if it asks a mirror.
    bench.address = Some("example.com/acme/probe".parse().unwrap());
    let mirror = bench.registry.mirror();
    let rc = format!("provider_installation {{\n network_mirror {{\n url = \"{mirror}\"\n }}\n}}\n");
    let Some(folder) = bench.terraform("network", "~> 1.0", &rc, &["init"]) else { return skipped() };
    bench.installer.config.methods = Some(vec![Method::all(Origin::Network(mirror))]);
    let installed = bench.install("~> 1.0", &LockFile::default(), Choice::Keep).unwrap();
    let text = std::fs::read_to_string(folder.join(".terraform.lock.hcl")).unwrap();
    assert_eq!(installed.lock.to_string(), text);
}
