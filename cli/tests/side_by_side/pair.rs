//! Two directories with the same configuration: one for Terraform, one for Plumb.

use std::path::Path;

use plumb_provider_testing::mirror::{self, Built};
use serde_json::Value as Json;

use crate::case::{Case, Fails, Step};
use crate::compare;
use crate::support::{PLUMB, Run, Workspace};

const REMOTE: &str = "remote.jsonl";
const PLAN: &str = "change.plan";

/// One of the tools, in a directory of its own.
struct Tool {
    program: &'static str,
    workspace: Workspace,
}

impl Tool {
    fn new(program: &'static str, configuration: &Path, environment: &[(&str, &str)]) -> Tool {
        let mut workspace = Workspace::new(&[])
            .with("TF_CLI_CONFIG_FILE", configuration.to_str().expect("a path of text"))
            .with("CHECKPOINT_DISABLE", "1");
        for (name, value) in environment {
            workspace = workspace.with(name, value);
        }
        let tool = Tool { program, workspace };
        let remote = tool.workspace.path().join(REMOTE);
        tool.with_remote(&remote)
    }

    fn with_remote(self, remote: &Path) -> Tool {
        let remote = remote.to_str().expect("a path of text");
        Tool { workspace: self.workspace.with("CONFORMANCE_REMOTE", remote), ..self }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = self.workspace.program(self.program).args(arguments).output().expect("the tool starts");
        let name = Path::new(self.program).file_name().unwrap_or_default().to_string_lossy();
        Run::of(format!("{name} {}", arguments.join(" ")), output)
    }

    /// Writes the files of a step, and installs the provider.
    fn prepare(&self, step: &Step, provider: &Built) {
        let name = provider.address.rsplit('/').next().expect("an address has a name");
        let required = format!(
            "terraform {{\n  required_providers {{\n    {name} = {{ source = {:?} }}\n  }}\n}}\n",
            provider.address
        );
        self.workspace.write("required.tf", &required);
        for (path, text) in &step.files {
            self.workspace.write(path, text);
        }
        self.run(&["init", "-no-color"]).succeeds();
    }

    /// Somebody else does something to the remote system.
    fn disturb(&self, step: &Step) {
        let events: String = step.events.iter().map(|event| format!("{event}\n")).collect();
        self.workspace.write(REMOTE, &(self.events() + &events));
    }

    /// The history of the remote system.
    fn events(&self) -> String {
        std::fs::read_to_string(self.workspace.path().join(REMOTE)).unwrap_or_default()
    }

    fn plan(&self, arguments: &[&str], fails: bool) -> Option<Json> {
        let out = format!("-out={PLAN}");
        let run = self.run(&[&["plan", "-no-color", "-input=false", &out], arguments].concat());
        if fails {
            run.exits(1);
            return None;
        }
        run.succeeds();
        Some(self.json(&["show", "-json", PLAN]))
    }

    fn apply(&self, fails: bool) {
        self.run(&["apply", "-no-color", "-input=false", PLAN]).exits(i32::from(fails));
    }

    fn json(&self, arguments: &[&str]) -> Json {
        let run = self.run(arguments).succeeds();
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
    }

    /// What is planned although nothing should be.
    fn unsettled(&self) -> Option<String> {
        let run = self.run(&["plan", "-no-color", "-input=false", "-detailed-exitcode"]);
        (run.code != Some(0)).then(|| run.to_string())
    }
}

/// Goes through a case with both tools. What is given are the differences, one a line.
pub fn run(case: &Case, provider: &Built, environment: &[(&str, &str)]) -> Vec<String> {
    let shared = tempfile::tempdir().expect("a temporary directory can be made");
    let configuration =
        mirror::create(shared.path(), std::slice::from_ref(provider)).expect("a mirror can be made");
    let new = |program| Tool::new(program, &configuration, environment);
    let (terraform, plumb) = (new("terraform"), new(PLUMB));
    let mut found = Vec::new();
    for step in &case.steps {
        let tell = |difference: String| format!("{}: {difference}", step.name);
        let carry_out = |tool: &Tool| {
            tool.prepare(step, provider);
            tool.disturb(step);
            let plan = tool.plan(&[], step.fails == Some(Fails::Plan));
            if plan.is_some() {
                tool.apply(step.fails == Some(Fails::Apply));
            }
            plan
        };
        let (theirs, ours) = (carry_out(&terraform), carry_out(&plumb));
        found.extend(compare::plans(theirs.as_ref(), ours.as_ref()).into_iter().map(tell));
        found.extend(compare::states(&state(&terraform), &state(&plumb)).into_iter().map(tell));
        found.extend(compare::histories(&terraform.events(), &plumb.events()).into_iter().map(tell));
    }
    let last = case.steps.last().expect("a case has a step");
    let beside = |tool: &Tool, other: &Tool| {
        let beside = new(tool.program).with_remote(&other.workspace.path().join(REMOTE));
        beside.prepare(last, provider);
        beside
    };
    found.extend(on_state_of_plumb(&beside(&terraform, &plumb), &plumb));
    found.extend(on_state_of_terraform(&beside(&plumb, &terraform), &terraform));
    for tool in [&terraform, &plumb] {
        tool.plan(&["-destroy"], false);
        tool.apply(false);
    }
    let ends = compare::histories(&terraform.events(), &plumb.events());
    found.extend(ends.into_iter().map(|difference| format!("destroy: {difference}")));
    found
}

/// The state in Terraform's format; empty if there is none.
fn state_file(tool: &Tool) -> String {
    if tool.program == PLUMB {
        tool.run(&["state", "export"]).succeeds().stdout
    } else {
        std::fs::read_to_string(tool.workspace.path().join("terraform.tfstate")).unwrap_or_default()
    }
}

fn state(tool: &Tool) -> Json {
    serde_json::from_str(&state_file(tool)).unwrap_or_default()
}

/// Terraform goes on with the state of Plumb, and finds nothing to do.
fn on_state_of_plumb(terraform: &Tool, plumb: &Tool) -> Option<String> {
    terraform.workspace.write("terraform.tfstate", &state_file(plumb));
    terraform.unsettled().map(|plan| format!("terraform on the state of plumb: {plan}"))
}

/// Plumb goes on with the state of Terraform, and finds nothing to do; it gives back what it was given.
fn on_state_of_terraform(plumb: &Tool, terraform: &Tool) -> Vec<String> {
    let theirs = state_file(terraform);
    plumb.workspace.write("their.tfstate", &theirs);
    plumb.run(&["state", "import", "their.tfstate"]).succeeds();
    let again = state_file(plumb);
    let mut found = Vec::new();
    if again != theirs {
        found.push(format!("a state file comes back otherwise:\n--- in\n{theirs}\n--- out\n{again}"));
    }
    found.extend(plumb.unsettled().map(|plan| format!("plumb on the state of terraform: {plan}")));
    found
}
