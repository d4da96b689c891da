//! Fetches revisions with the program `git`.
//!
//! The program is used, and no library, so that whatever lets people fetch lets Plumb fetch: SSH agents and configuration,
//! credential helpers, proxies, certificates. It is told not to ask questions, to run no hooks, and to use no remote helpers;
//! nothing that comes from an address can become an option ([`crate::address`] sees to that).
//!
//! One revision is fetched without its history where the server allows that, else the whole repository. The result is
//! the tree of files with its submodules, without `.git`.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use plumb_model::Diagnostic;
use tokio::process::Command;

use crate::address::{GitPackage, without_password};
use crate::lock::is_commit;

/// How long one call of git may take. It has its own, shorter limits for a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// Variables that would make git work on another repository than ours: they are set while a hook runs.
const FOREIGN: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
];

/// Why git gave nothing.
#[derive(Debug)]
enum Failure {
    /// The program is not there.
    Missing,
    /// It could not be started.
    Start(io::Error),
    /// It took too long.
    Slow,
    /// It failed; the last of what it said.
    Said(String),
}

/// Fetches a package into a folder that is empty, and gives the commit. If a commit is wanted, exactly that one is
/// fetched, whatever the branch or tag is now.
///
/// # Errors
/// Git is not there, cannot reach the repository, or does not find the revision.
pub async fn fetch(package: &GitPackage, wanted: Option<&str>, folder: &Path) -> Result<String, Diagnostic> {
    let repository = Repository { folder: folder.to_owned(), url: &package.url };
    repository.begin().await.map_err(|failure| failure.diagnostic(package))?;
    let revision = wanted.or(package.reference.as_deref()).unwrap_or("HEAD");
    let depth = package.depth.unwrap_or(1);
    // Not every server gives a commit by its name, or a part of the history; and a revision may be an expression.
    let commit = match repository.fetch_one(revision, depth).await {
        Ok(commit) => commit,
        Err(Failure::Said(first)) => {
            repository.fetch_all().await.map_err(|failure| failure.diagnostic(package))?;
            match repository.find(revision).await {
                Ok(commit) => commit,
                Err(Failure::Said(_)) => return Err(not_found(package, wanted, &first)),
                Err(other) => return Err(other.diagnostic(package)),
            }
        }
        Err(other) => return Err(other.diagnostic(package)),
    };
    repository.check_out(&commit).await.map_err(|failure| failure.diagnostic(package))?;
    Ok(commit)
}

struct Repository<'a> {
    folder: PathBuf,
    url: &'a str,
}

impl Repository<'_> {
    async fn begin(&self) -> Result<(), Failure> {
        self.git(["init", "--quiet", "--template="]).await?;
        // Submodules with relative URLs are relative to this one.
        self.git(["remote", "add", "origin", self.url]).await.map(drop)
    }

    async fn fetch_one(&self, revision: &str, depth: u32) -> Result<String, Failure> {
        let depth = format!("--depth={depth}");
        self.git(["fetch", "--quiet", "--no-tags", &depth, "--", "origin", revision]).await?;
        self.commit("FETCH_HEAD").await
    }

    async fn fetch_all(&self) -> Result<(), Failure> {
        let (branches, tags) = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*");
        self.git(["fetch", "--quiet", "--", "origin", branches, tags]).await.map(drop)
    }

    /// The commit that a revision names, tags before branches as `git checkout` has it.
    async fn find(&self, revision: &str) -> Result<String, Failure> {
        for name in [format!("refs/tags/{revision}"), format!("refs/remotes/origin/{revision}")] {
            if let Ok(commit) = self.commit(&name).await {
                return Ok(commit);
            }
        }
        self.commit(revision).await
    }

    async fn commit(&self, name: &str) -> Result<String, Failure> {
        let said = self.git(["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]).await?;
        let commit = said.trim();
        if is_commit(commit) { Ok(commit.to_owned()) } else { Err(Failure::Said(String::new())) }
    }

    async fn check_out(&self, commit: &str) -> Result<(), Failure> {
        self.git(["checkout", "--quiet", "--detach", commit]).await?;
        if self.folder.join(".gitmodules").exists() {
            self.git(["submodule", "--quiet", "update", "--init", "--recursive"]).await?;
        }
        Ok(())
    }

    async fn git<const N: usize>(&self, arguments: [&str; N]) -> Result<String, Failure> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.folder)
            // The same files on every machine, and nobody's programs but git's own.
            .args(["-c", "core.autocrlf=false", "-c", "core.hooksPath=/dev/null"])
            .args(["-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false"])
            .args(["-c", "http.lowSpeedLimit=100", "-c", "http.lowSpeedTime=60"])
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .args(arguments.map(OsStr::new))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        FOREIGN.iter().for_each(|name| {
            command.env_remove(name);
        });
        let output = match tokio::time::timeout(PATIENCE, command.output()).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Err(Failure::Missing),
            Ok(Err(error)) => return Err(Failure::Start(error)),
            Err(_) => return Err(Failure::Slow),
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Failure::Said(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

impl Failure {
    fn diagnostic(self, package: &GitPackage) -> Diagnostic {
        let failed = |detail: String| {
            Diagnostic::error("module-not-fetched", "Module cannot be fetched").detail(detail)
        };
        match self {
            Failure::Missing => failed(format!("{package} is in a git repository, and there is no program `git`."))
                .help("Install git, or put it on the PATH."),
            Failure::Start(error) => failed(format!("The program `git` cannot be started: {error}."))
                .help("Check that `git --version` works here."),
            Failure::Slow => failed(format!(
                "git did not finish fetching {package} within {} minutes.",
                PATIENCE.as_secs() / 60
            ))
            .help("Check that the repository can be reached from here."),
            Failure::Said(words) => failed(format!("git cannot fetch {package}{}", quoted(&words, package)))
                .help("Check the address, and that `git ls-remote` of it works here without asking for anything."),
        }
    }
}

fn not_found(package: &GitPackage, wanted: Option<&str>, words: &str) -> Diagnostic {
    let diagnostic =
        |detail: String| Diagnostic::error("module-not-fetched", "Module cannot be fetched").detail(detail);
    match (wanted, &package.reference) {
        (Some(commit), _) => diagnostic(format!(
            "The lock says that {package} is the commit {commit}, and the repository does not have it any more."
        ))
        .help("If its history was meant to be rewritten, take the new one with `plumb get -upgrade` and review it."),
        (None, Some(reference)) => {
            diagnostic(format!("The repository of {package} has no branch, tag or commit `{reference}`."))
                .help("Name one that `git ls-remote` shows, or a whole commit.")
        }
        (None, None) => diagnostic(format!("The repository of {package} is empty{}", quoted(words, package)))
            .help("Name a branch with `?ref=`."),
    }
}

/// The last lines of what git said, without passwords.
fn quoted(words: &str, package: &GitPackage) -> String {
    let words = match without_password(&package.url) {
        Some(clean) => words.replace(&package.url, clean.as_str()),
        None => words.to_owned(),
    };
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [] => ".".to_owned(),
        lines => format!(": {}", lines[lines.len().saturating_sub(3)..].join(" ")),
    }
}
