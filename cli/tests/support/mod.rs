//! Runs the real binary in directories of its own.
//!
//! A [`Workspace`] is a temporary directory with some files or a copy of an example; [`Workspace::plumb`] runs the
//! command there in an environment that has nothing in it but what is said here, and gives a [`Run`] to look at.

pub mod api;
pub mod transcript;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The binary under test.
pub const PLUMB: &str = env!("CARGO_BIN_EXE_plumb");

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a folder of the workspace").to_owned()
}

/// A directory to work in. It goes away at the end.
pub struct Workspace {
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Workspace {
    /// With these files.
    pub fn new(files: &[(&str, &str)]) -> Workspace {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let workspace = Workspace { directory, environment: Vec::new() };
        files.iter().for_each(|(path, text)| workspace.write(path, text));
        workspace
    }

    /// With one file, `main.cfg`.
    pub fn of(configuration: &str) -> Workspace {
        Workspace::new(&[("main.cfg", configuration)])
    }

    /// With a copy of an example.
    pub fn example(name: &str) -> Workspace {
        let workspace = Workspace::new(&[]);
        copy(&root().join("examples").join(name), workspace.path());
        workspace
    }

    /// Sets an environment variable for all commands.
    pub fn with(mut self, name: &str, value: &str) -> Workspace {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file, and the directories above it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("directories can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Whether there is such a file.
    pub fn has(&self, path: &str) -> bool {
        self.path().join(path).exists()
    }

    /// All files below a directory, relative to it; none if it is not there.
    pub fn files(&self, below: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let base = self.path().join(below);
        let mut directories = vec![base.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                match entry.file_type().is_ok_and(|t| t.is_dir()) {
                    true => directories.push(entry.path()),
                    false => {
                        let path = entry.path();
                        let path = path.strip_prefix(&base).expect("it is below");
                        found.insert(path.to_string_lossy().into_owned());
                    }
                }
            }
        }
        found
    }

    /// A program to run here, in a clean environment, with nothing to read.
    pub fn program(&self, program: &str) -> Command {
        let binaries = Path::new(PLUMB).parent().expect("a binary is in a directory");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", format!("{}:{path}", binaries.display()))
            .env("HOME", self.path())
            .env("USER", "tester")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// The command `plumb`, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(PLUMB);
        command.args(args);
        command
    }

    /// Runs `plumb` to its end.
    pub fn plumb(&self, args: &[&str]) -> Run {
        Run::of(format!("plumb {}", args.join(" ")), self.command(args).output().expect("plumb starts"))
    }

    /// Runs a line of shell to its end.
    pub fn shell(&self, line: &str) -> Run {
        let output = self.program("/bin/sh").args(["-c", line]).output().expect("a shell starts");
        Run::of(line.to_owned(), output)
    }

    /// Starts `plumb` and goes on.
    pub fn start(&self, args: &[&str]) -> Started {
        let child =
            self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("plumb starts");
        Started { what: format!("plumb {}", args.join(" ")), child }
    }

    /// `plumb apply -auto-approve` with more arguments; it must succeed.
    pub fn apply(&self, args: &[&str]) -> Run {
        self.plumb(&[&["apply", "-auto-approve"], args].concat()).succeeds()
    }

    /// The plan must be empty.
    pub fn is_settled(&self, args: &[&str]) {
        self.plumb(&[&["plan", "-detailed-exitcode"], args].concat()).exits(0);
    }

    /// What `plumb state list` lists.
    pub fn recorded(&self) -> Vec<String> {
        self.plumb(&["state", "list"]).succeeds().stdout.lines().map(str::to_owned).collect()
    }

    /// Waits until a file is there.
    pub fn wait_for(&self, path: &str) {
        let since = Instant::now();
        while !self.has(path) {
            assert!(since.elapsed() < Duration::from_secs(120), "{path} does not come");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("directories can be made");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())).flatten() {
        let name = entry.file_name();
        // What somebody who tried the example has left is not part of it.
        if name == ".plumb" || name == "out" {
            continue;
        }
        match entry.file_type().is_ok_and(|t| t.is_dir()) {
            true => copy(&entry.path(), &to.join(name)),
            false => drop(fs::copy(entry.path(), to.join(name)).expect("a file can be copied")),
        }
    }
}

/// A command that runs.
pub struct Started {
    what: String,
    /// The process.
    pub child: Child,
}

impl Started {
    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(
            Command::new("/bin/sh").args(["-c", &line]).status().expect("a shell starts").success(),
            "{line}"
        );
    }

    /// Waits for its end.
    pub fn end(self) -> Run {
        Run::of(self.what, self.child.wait_with_output().expect("its output can be read"))
    }
}

/// A command that has ended.
#[derive(Clone, Debug)]
pub struct Run {
    what: String,
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// A command that has ended like this.
    pub fn of(what: String, output: Output) -> Run {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let run = Run {
            what,
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(!run.stderr.contains("panicked"), "{run}");
        run
    }

    /// It must have ended with this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// It must have ended well.
    #[track_caller]
    pub fn succeeds(self) -> Run {
        self.exits(0)
    }

    /// Standard output must contain this.
    #[track_caller]
    pub fn prints(self, text: &str) -> Run {
        assert!(self.stdout.contains(text), "no `{text}` in the output of {self}");
        self
    }

    /// Standard error must contain this, whatever the line breaks.
    #[track_caller]
    pub fn says(self, text: &str) -> Run {
        assert!(flat(&self.stderr).contains(&flat(text)), "no `{text}` in what is said by {self}");
        self
    }

    /// Neither stream may contain this.
    #[track_caller]
    pub fn lacks(self, text: &str) -> Run {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "`{text}` in {self}");
        self
    }
}

/// A text without the frame and the line breaks that a diagnostic is laid out with.
fn flat(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !matches!(*word, "│" | "╭" | "╰" | "·" | "|"));
    words.collect::<Vec<_>>().join(" ")
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Run { what, code, stdout, stderr } = self;
        write!(f, "{what} (exit code {code:?})\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
