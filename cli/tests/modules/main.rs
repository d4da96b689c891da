//! Modules that are not local, with the real binary: what is fetched, what the lock says, and what happens when either
//! changes.
//!
//! - `git`: repositories on this machine; `web`: archives, pages, registries; `lock`: what the lock allows and notices.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod support;

mod git;
mod lock;
mod web;

use support::{Run, Workspace};

/// The lock of a working directory.
const LOCK: &str = ".plumb.modules.lock.hcl";

/// Says that a program is missing that a test needs.
fn skipped(program: &str) {
    eprintln!("skipped: there is no program {program}");
}

/// A workspace with a git repository `net` beside its configuration; none if there is no git.
struct Fixture {
    workspace: Workspace,
}

impl Fixture {
    /// The repository has a module at its top, `modules/sub` that calls it, and the tags v1 and v2, which differ in an output.
    fn new(main: &str) -> Option<Fixture> {
        let workspace = Workspace::new(&[
            ("net/main.tf", "output \"v\" {\n  value = \"one\"\n}\n"),
            (
                "net/modules/sub/main.tf",
                "module \"up\" {\n  source = \"../../\"\n}\noutput \"where\" {\n  value = path.module\n}\noutput \"text\" {\n  value = file(\"${path.module}/text.txt\")\n}\noutput \"v\" {\n  value = module.up.v\n}\n",
            ),
            ("net/modules/sub/text.txt", "text"),
        ]);
        if !workspace.shell("git --version").stdout.starts_with("git") {
            skipped("git");
            return None;
        }
        let fixture = Fixture { workspace };
        fixture.shell("cd net && git init -q && git add . && git commit -qm one && git tag v1");
        fixture.workspace.write("net/main.tf", "output \"v\" {\n  value = \"two\"\n}\n");
        fixture.shell("cd net && git commit -qam two && git tag v2");
        fixture.main(main);
        Some(fixture)
    }

    /// Writes the root module; `NET` stands for the repository.
    fn main(&self, text: &str) {
        let repository = self.workspace.path().join("net");
        self.workspace
            .write("root/main.tf", &text.replace("NET", &format!("file://{}", repository.display())));
    }

    fn shell(&self, line: &str) -> Run {
        let name = "export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t";
        self.workspace.shell(&format!("{name}; {line}")).succeeds()
    }

    /// Runs `plumb` in the directory of the root module.
    fn plumb(&self, args: &[&str]) -> Run {
        self.workspace.plumb(&[&["-C", "root"], args].concat())
    }

    fn lock(&self) -> String {
        self.workspace.read(&format!("root/{LOCK}"))
    }

    /// The commit that a revision of the repository is.
    fn commit(&self, revision: &str) -> String {
        self.shell(&format!("git -C net rev-parse {revision}^0")).stdout.trim().to_owned()
    }
}
