//! Archives, pages and registries, on a web server of the test.

use std::path::Path;

use plumb_registry::loopback::{Asked, Reply, Server};

use super::support::{Run, Workspace};
use super::{LOCK, skipped};

/// A workspace that trusts a server; `HOST` in the configuration stands for its name.
struct Web {
    workspace: Workspace,
    server: Server,
}

impl Web {
    fn new(main: &str, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Web {
        let server = Server::start(answer);
        let workspace = Workspace::new(&[("main.tf", &main.replace("HOST", &server.host()))])
            .with("SSL_CERT_FILE", &server.certificate().to_string_lossy());
        Web { workspace, server }
    }

    fn plumb(&self, args: &[&str]) -> Run {
        self.workspace.plumb(args)
    }
}

const MODULE: &str = "output \"v\" {\n  value = \"fetched\"\n}\nmodule \"sub\" {\n  source = \"./sub\"\n}\n";
const SUB: &str = "output \"w\" {\n  value = path.module\n}\n";

/// The bytes of an archive of a module that a program packs; none if there is no such program.
fn packed(command: &str) -> Option<Vec<u8>> {
    let workspace = Workspace::new(&[("m/main.tf", MODULE), ("m/sub/main.tf", SUB)]);
    let run = workspace.shell(&format!("cd m && {command}"));
    if run.code != Some(0) {
        eprintln!("skipped: {command}: {}", run.stderr.trim());
        return None;
    }
    std::fs::read(workspace.path().join("archive")).ok()
}

fn tar_gz() -> Vec<u8> {
    packed("tar czf ../archive .").expect("there is a program tar")
}

fn call(source: &str) -> String {
    format!("module \"net\" {{\n  source = \"{source}\"\n}}\noutput \"v\" {{\n  value = module.net.v\n}}\n")
}

#[test]
fn archives_of_every_kind_are_unpacked() {
    for (name, command) in [
        ("m.tar", "tar cf ../archive ."),
        ("m.tar.gz", "tar czf ../archive ."),
        ("m.tgz", "tar czf ../archive main.tf sub"),
        ("m.tar.bz2", "tar cf - . | bzip2 > ../archive"),
        ("m.tar.xz", "tar cf - . | xz > ../archive"),
        ("m.tar.zst", "tar cf - . | zstd -q > ../archive"),
        ("m.zip", "python3 -m zipfile -c ../archive main.tf sub"),
        ("m?archive=tar.gz", "tar czf ../archive ."),
    ] {
        let Some(archive) = packed(command) else { continue };
        let web = Web::new(&call(&format!("https://HOST/{name}")), move |_| Reply::file(archive.clone()));
        web.plumb(&["init"]).succeeds();
        web.plumb(&["plan"]).succeeds().prints("fetched");
        let lock = web.workspace.read(LOCK);
        assert!(lock.contains("digest = \"h1:") && !lock.contains("commit"), "{name}: {lock}");
        assert!(web.server.paths().iter().all(|path| !path.contains("archive=")), "{:?}", web.server.paths());
    }
}

#[test]
fn a_folder_of_an_archive_is_one_module_and_the_whole_is_its_package() {
    let archive = tar_gz();
    let main = "module \"sub\" {\n  source = \"https://HOST/m.tar.gz//sub\"\n}\nmodule \"top\" {\n  source = \"https://HOST/m.tar.gz\"\n}\noutput \"w\" {\n  value = module.sub.w\n}\n";
    let web = Web::new(main, move |_| Reply::file(archive.clone()));
    web.plumb(&["get"]).succeeds();
    web.plumb(&["plan"]).succeeds().prints(".plumb/modules/sub/sub");
    assert_eq!(web.server.paths(), ["/m.tar.gz"], "fetched once");
}

#[test]
fn names_and_passwords_come_from_the_address_or_from_netrc() {
    let archive = tar_gz();
    let answer = move |asked: &Asked| match asked.header("authorization") {
        // "ada:secret"
        Some("Basic YWRhOnNlY3JldA==") => Reply::file(archive.clone()),
        _ => Reply::status(401),
    };
    let web = Web::new(&call("https://ada:secret@HOST/m.tar.gz"), answer.clone());
    web.plumb(&["get"]).succeeds().lacks("secret");
    assert!(!web.workspace.read(LOCK).contains("secret"));
    let web = Web::new(&call("https://HOST/m.tar.gz"), answer);
    web.plumb(&["get"]).exits(1).says("401");
    web.workspace.write(".netrc", "machine localhost login ada password secret\n");
    web.plumb(&["get"]).succeeds();
}

#[test]
fn a_checksum_in_the_address_must_be_that_of_the_archive() {
    let archive = tar_gz();
    let workspace = Workspace::new(&[]);
    std::fs::write(workspace.path().join("archive"), &archive).unwrap();
    let right = workspace.shell("sha256sum archive").stdout[..64].to_owned();
    for (digits, fine) in [(right.clone(), true), (right.replace(['1', '2', '3'], "0"), false)] {
        let archive = archive.clone();
        let source = format!("https://HOST/m.tar.gz?checksum=sha256:{digits}");
        let web = Web::new(&call(&source), move |_| Reply::file(archive.clone()));
        match fine {
            true => drop(web.plumb(&["get"]).succeeds()),
            false => drop(web.plumb(&["get"]).exits(1).says(&right).says("main.tf:2:12")),
        }
    }
}

#[test]
fn an_archive_that_changes_is_noticed() {
    let first = tar_gz();
    let second = packed("echo '# changed' >> main.tf && tar czf ../archive .").unwrap();
    let web = {
        let times = std::sync::atomic::AtomicUsize::new(0);
        Web::new(&call("https://HOST/m.tar.gz"), move |_| {
            let first_time = times.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            Reply::file(if first_time { first.clone() } else { second.clone() })
        })
    };
    web.plumb(&["get"]).succeeds();
    let lock = web.workspace.read(LOCK);
    web.workspace.shell("rm -rf .plumb").succeeds();
    web.plumb(&["get"]).exits(1).says("is not what the lock says").says("`plumb get -upgrade`");
    assert_eq!(web.workspace.read(LOCK), lock);
    web.plumb(&["get", "-upgrade"]).succeeds().says("instead of other content");
    assert_ne!(web.workspace.read(LOCK), lock);
}

#[test]
fn a_page_may_say_where_the_module_is() {
    let archive = tar_gz();
    for (page, to) in [
        (Reply::status(204).with("X-Terraform-Get", "./m.tar.gz?token=1"), "a header"),
        (
            Reply::file(
                "<html><head><META content='/m.tar.gz//sub/..//' name=other><meta name=\"terraform-get\" content=\"/m.tar.gz\"></head>",
            ),
            "an element",
        ),
    ] {
        let archive = archive.clone();
        let web = Web::new(&call("https://HOST/modules/net"), move |asked| match asked.path.as_str() {
            "/modules/net?terraform-get=1" => page.clone(),
            "/m.tar.gz" | "/modules/m.tar.gz?token=1" => Reply::file(archive.clone()),
            _ => Reply::status(404),
        });
        web.plumb(&["get"]).succeeds();
        web.plumb(&["plan"]).succeeds().prints("fetched");
        let lock = web.workspace.read(LOCK);
        assert!(lock.contains("m.tar.gz\"") && !lock.contains("token"), "{to}: {lock}");
    }
}

#[test]
fn a_page_may_not_lead_to_files_of_this_machine_or_round_in_circles() {
    for (to, wanted) in [
        ("git::file:///etc", "leads to files of this machine"),
        ("acme/net/aws", "is one of a registry again"),
        ("s3::https://s3.amazonaws.com/b/m.zip", "Amazon S3"),
        ("./net", "leads from one address to another without an end"),
        ("", "the address is empty"),
    ] {
        let web =
            Web::new(&call("https://HOST/net"), move |_| Reply::status(204).with("X-Terraform-Get", to));
        web.plumb(&["get"]).exits(1).says(wanted);
    }
    let web = Web::new(&call("https://HOST/net"), |_| Reply::file("<html>hello</html>"));
    web.plumb(&["get"]).exits(1).says("neither an archive, by its name, nor a page");
}

#[test]
fn an_archive_cannot_write_anywhere_else() {
    for command in [
        "mkdir -p ../out && touch ../out/evil && tar cPf - ../out/evil | gzip > ../archive",
        "ln -s /etc/passwd secret && tar czf ../archive .",
        "ln -s .. up && ln -s up/.. further && tar czf ../archive .",
        "mkfifo pipe && tar czf ../archive .",
        "echo no archive > ../archive",
    ] {
        let Some(archive) = packed(command) else { continue };
        let web = Web::new(&call("https://HOST/m.tar.gz"), move |_| Reply::file(archive.clone()));
        web.plumb(&["get"]).exits(1).says("main.tf:2:12");
        assert!(!web.workspace.has(LOCK), "{command}");
        assert!(!Path::new("/out/evil").exists());
    }
}

/// A registry with the module acme/net/aws in a few versions, which is in a folder of its archive.
fn registry(archive: Vec<u8>, folder: &'static str) -> impl Fn(&Asked) -> Reply + Send + Sync + 'static {
    move |asked| match asked.path.as_str() {
        "/.well-known/terraform.json" => Reply::json(r#"{"modules.v1":"/api/modules/"}"#),
        "/api/modules/acme/net/aws/versions" => Reply::json(
            r#"{"modules":[{"versions":[{"version":"1.0.0"},{"version":"1.2.0"},{"version":"1.10.0"},{"version":"2.0.0-rc1"},{"version":"junk"}]}]}"#,
        ),
        "/api/modules/acme/net/aws/1.10.0/download" | "/api/modules/acme/net/aws/1.2.0/download" => {
            let location = format!("/files/net.tgz//{folder}?signature=secret&archive=tar.gz");
            Reply::status(204).with("X-Terraform-Get", location)
        }
        "/files/net.tgz?signature=secret" => Reply::file(archive.clone()),
        _ => Reply::status(404),
    }
}

fn in_a_folder() -> Vec<u8> {
    packed("cd .. && tar czf archive m").expect("there is a program tar")
}

#[test]
fn a_registry_is_asked_for_the_newest_version_that_fits() {
    let main = "module \"net\" {\n  source  = \"HOST/acme/net/aws\"\n  version = \"~> 1.0\"\n}\nmodule \"sub\" {\n  source  = \"HOST/acme/net/aws//sub\"\n  version = \">= 1.2\"\n}\nmodule \"old\" {\n  source  = \"HOST/acme/net/aws\"\n  version = \"~> 1.2.0\"\n}\noutput \"v\" {\n  value = \"${module.net.v} ${module.sub.w}\"\n}\n";
    let web = Web::new(main, registry(in_a_folder(), "*"));
    web.plumb(&["init"]).succeeds().says("installed");
    web.plumb(&["plan"]).succeeds().prints("fetched .plumb/modules/sub/m/sub");
    let lock = web.workspace.read(LOCK);
    assert_eq!(lock.matches("\nmodule ").count(), 2, "{lock}");
    assert!(lock.contains("version = \"1.10.0\"") && lock.contains("version = \"1.2.0\""), "{lock}");
    assert!(lock.contains("/files/net.tgz//*\"") && !lock.contains("secret"), "{lock}");
    let listed = web.plumb(&["modules", "-json"]).succeeds().stdout;
    assert!(listed.contains(r#""version":"1.10.0""#) && listed.contains("/acme/net/aws//sub"), "{listed}");
    web.plumb(&["modules"]).succeeds().prints("/acme/net/aws] 1.2.0 (~> 1.2.0)");
    // What is locked needs no list of versions, and stays when there are newer ones.
    let before = web.server.paths().len();
    web.workspace.shell("rm -rf .plumb").succeeds();
    web.plumb(&["init"]).succeeds();
    assert_eq!(web.workspace.read(LOCK), lock);
    assert!(!web.server.paths()[before..].iter().any(|path| path.ends_with("/versions")));
}

#[test]
fn what_a_registry_does_not_have_is_said_with_what_it_has() {
    let versioned = |version: &str| {
        format!("module \"net\" {{\n  source  = \"HOST/acme/net/aws\"\n  version = \"{version}\"\n}}\n")
    };
    for (main, wanted) in [
        (versioned("~> 3.0"), "the newest is 1.10.0"),
        (versioned("soon"), "soon"),
        (call("HOST/acme/other/aws"), "has no module acme/other/aws"),
        (versioned("1.0.0"), "has no module acme/net/aws"),
        (
            "module \"net\" {\n  source = \"git::https://HOST/x\"\n  version = \"1.0.0\"\n}\n".to_owned(),
            "Only modules in a registry have versions",
        ),
    ] {
        let web = Web::new(&main, registry(tar_gz(), "*"));
        web.plumb(&["get"]).exits(1).says(wanted);
    }
}

#[test]
fn a_registry_is_told_the_token_that_is_for_it() {
    let archive = in_a_folder();
    let answer = registry(archive, "*");
    let web = Web::new("module \"net\" {\n  source = \"HOST/acme/net/aws\"\n}\n", move |asked| {
        let known = asked.header("authorization") == Some("Bearer let-me-in");
        if asked.path.starts_with("/api/") && !known { Reply::status(401) } else { answer(asked) }
    });
    web.plumb(&["get"]).exits(1).says("terraform login");
    let host = web.server.host();
    web.workspace.write("rc", &format!("credentials \"{host}\" {{\n  token = \"let-me-in\"\n}}\n"));
    let output = web.workspace.command(&["get"]).env("TF_CLI_CONFIG_FILE", "rc").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = web.server.asked();
    let download = files.iter().find(|asked| asked.path.starts_with("/files/")).unwrap();
    assert_eq!(
        download.header("authorization"),
        None,
        "the token is for the registry, not for what it leads to"
    );
}

#[test]
fn the_same_registry_gives_terraform_and_plumb_the_same() {
    let main = "module \"net\" {\n  source  = \"HOST/acme/net/aws\"\n  version = \"< 2\"\n}\nmodule \"sub\" {\n  source  = \"HOST/acme/net/aws//sub\"\n  version = \"1.2.0\"\n}\n";
    // Terraform wants a point in the name of a registry's host.
    let web = Web::new(&main.replace("HOST", "127.0.0.1:PORT"), registry(in_a_folder(), "m"));
    let port = web.server.host().replace("localhost:", "");
    web.workspace.write("main.tf", &web.workspace.read("main.tf").replace("PORT", &port));
    if !web.workspace.shell("terraform version").stdout.starts_with("Terraform") {
        skipped("terraform");
        return;
    }
    web.plumb(&["get"]).succeeds();
    web.workspace.shell("terraform get >&2").succeeds();
    let ours = web.plumb(&["modules", "-json"]).succeeds().stdout;
    let theirs = web.workspace.shell("terraform modules -json 2>/dev/null").succeeds().stdout;
    assert_eq!(ours.trim(), theirs.trim());
}
