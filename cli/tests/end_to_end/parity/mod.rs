//! Terraform and Plumb side by side on the same directories: the plan, the state afterwards, and what is an error.
//!
//! Each file in `cases/` is a story of steps that both commands go through in directories of their own ([`case`] tells
//! the form). After each step the documents that they write are compared member by member ([`compare`]). Only what is
//! random or a clock differs: ids, times, versions.
//!
//! Where there is no `terraform`, nothing can be compared; the tests say so.

mod case;
mod compare;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{PLUMB, Run, Workspace, root};
use case::{Case, Kind, Step};

/// A test for each file of cases.
macro_rules! cases {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn each_file_of_cases_is_run() {
            let named = [$(stringify!($name)),*];
            for entry in fs::read_dir(directory()).expect("there are cases").flatten() {
                let path = entry.path();
                let stem = path.file_stem().expect("a case has a name").to_string_lossy();
                assert!(named.contains(&&*stem), "{stem} has no test");
            }
        }
    };
}

cases! { data imports lifecycle moved outputs prevent provisioners repetition syntax variables }

fn directory() -> std::path::PathBuf {
    root().join("cli/tests/end_to_end/parity/cases")
}

/// Terraform and Plumb do the same in each step.
fn check(name: &str) {
    if Command::new("terraform").arg("version").output().is_err() {
        eprintln!("skipped: there is no terraform on the path to compare with");
        return;
    }
    let text = fs::read_to_string(directory().join(name).with_extension("txt")).expect("the case is there");
    let case = Case::parse(&text);
    let mut sides = [Side::new("terraform"), Side::new(PLUMB)];
    let mut differences = Vec::new();
    for step in &case.steps {
        let mut fresh = [Side::new("terraform"), Side::new(PLUMB)];
        let sides = if step.kind == Kind::Error && !step.files.is_empty() { &mut fresh } else { &mut sides };
        differences.extend(take(step, sides).into_iter().map(|found| format!("line {}: {found}", step.line)));
    }
    assert!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
}

/// Goes through a step on both sides, and says what differs.
fn take(step: &Step, sides: &mut [Side; 2]) -> Vec<String> {
    let mut found = Vec::new();
    sides.iter_mut().for_each(|side| side.lay_out(step));
    let sides: &[Side; 2] = sides;
    let [theirs, ours] = sides;
    if step.files.iter().any(|(path, _)| path.contains('/')) {
        // Only Terraform wants to be told that there are modules; where that fails, so does the plan.
        theirs.run(step, &["init", "-input=false"]);
    }
    let plans = [theirs.plan(step), ours.plan(step)];
    if step.kind == Kind::Error {
        let [theirs, ours] = &plans;
        if theirs.code == Some(0) {
            found.push(format!("terraform sees no error: {theirs}"));
        }
        if ours.code == Some(0) {
            found.push(format!("plumb sees no error: {ours}\nterraform says\n{}", theirs.stderr));
        }
        found.extend(
            step.wants
                .iter()
                .filter(|code| !ours.stderr.contains(code.as_str()))
                .map(|code| format!("no `{code}` in {ours}")),
        );
        return found;
    }
    for run in plans.iter().filter(|run| run.code != Some(0)) {
        found.push(format!("no plan: {run}"));
    }
    if !found.is_empty() {
        return found;
    }
    let mut documents = sides.each_ref().map(|side| side.document(step, &["show", "-json", "saved"]));
    if step.files.iter().any(|(path, _)| path.ends_with(".tf.json")) {
        // Terraform tells templates in JSON as if they were plain texts.
        documents
            .iter_mut()
            .for_each(|plan| drop(plan.as_object_mut().map(|plan| plan.remove("configuration"))));
    }
    found.extend(compare::documents("plan", &documents[0], &documents[1]));
    let applied = sides.each_ref().map(|side| side.run(step, &["apply", "saved"]));
    for run in &applied {
        if (run.code == Some(0)) != (step.kind == Kind::Apply) {
            found.push(format!("unexpected end: {run}"));
        }
    }
    let documents = sides.each_ref().map(|side| compare::recorded(&side.document(step, &["show", "-json"])));
    found.extend(compare::documents("state", &documents[0], &documents[1]));
    let files = sides.each_ref().map(Side::left);
    if files[0] != files[1] {
        found.push(format!("files: terraform left {:?}, plumb {:?}", files[0], files[1]));
    }
    found
}

/// One of the two commands, and where it works.
struct Side {
    program: &'static str,
    workspace: Workspace,
    /// The files that the last step brought.
    laid: Vec<String>,
}

impl Side {
    fn new(program: &'static str) -> Side {
        let workspace =
            Workspace::new(&[]).with("CHECKPOINT_DISABLE", "1").with("TF_CLI_CONFIG_FILE", "/dev/null");
        Side { program, workspace, laid: Vec::new() }
    }

    /// Puts the files of a step in the place of those of the step before.
    fn lay_out(&mut self, step: &Step) {
        if step.files.is_empty() {
            return;
        }
        for path in self.laid.drain(..) {
            fs::remove_file(self.workspace.path().join(path)).expect("what was written is there");
        }
        for (path, text) in &step.files {
            self.workspace.write(path, text);
            self.laid.push(path.clone());
        }
    }

    fn run(&self, step: &Step, args: &[&str]) -> Run {
        let mut command = self.workspace.program(self.program);
        command.envs(step.environment.iter().map(|(name, value)| (name, value))).args(args).arg("-no-color");
        if args[0] == "show" {
            command = self.workspace.program(self.program);
            command.args(args);
        }
        Run::of(format!("{} {}", self.program, args.join(" ")), command.output().expect("the command starts"))
    }

    fn plan(&self, step: &Step) -> Run {
        let mut args = vec!["plan", "-input=false", "-out=saved"];
        args.extend(step.args.iter().map(String::as_str));
        self.run(step, &args)
    }

    fn document(&self, step: &Step, args: &[&str]) -> serde_json::Value {
        let run = self.run(step, args);
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
    }

    /// What provisioners left here: files and their texts.
    fn left(&self) -> Vec<(String, String)> {
        let own = |path: &str| {
            let first = Path::new(path).components().next().expect("a file has a name");
            let first = first.as_os_str().to_string_lossy();
            first.starts_with(".terraform")
                || first.starts_with("terraform.tfstate")
                || first == ".plumb"
                || first == "saved"
        };
        let files = self.workspace.files("");
        let files = files.into_iter().filter(|path| !own(path) && !self.laid.contains(path));
        files.map(|path| (path.clone(), self.workspace.read(&path))).collect()
    }
}
