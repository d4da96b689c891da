//! The text of a case.
//!
//! A case is a `.tf` file with more than one version of a configuration in it. A line that begins with `####` starts a step, whose
//! name follows; what comes before the first one belongs to every step. In a step these lines mean something:
//!
//! - `#> EVENT`: before the step, this line is added to the history of the remote system, as if somebody else had done it;
//! - `#! plan` or `#! apply`: planning or applying must fail in both tools;
//! - `#- NAME`: what follows is another file.

/// A configuration in its versions.
pub struct Case {
    pub steps: Vec<Step>,
}

/// One version of the configuration.
#[derive(Default)]
pub struct Step {
    pub name: String,
    /// Names and texts.
    pub files: Vec<(String, String)>,
    /// What somebody else does to the remote system before.
    pub events: Vec<String>,
    pub fails: Option<Fails>,
}

/// Where a step fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fails {
    Plan,
    Apply,
}

pub fn parse(text: &str) -> Case {
    let mut common = String::new();
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("####") {
            let files = vec![("main.tf".to_owned(), common.clone())];
            steps.push(Step { name: name.trim().to_owned(), files, ..Step::default() });
            continue;
        }
        let Some(step) = steps.last_mut() else {
            common += line;
            common.push('\n');
            continue;
        };
        if let Some(event) = line.strip_prefix("#> ") {
            step.events.push(event.to_owned());
        } else if let Some(name) = line.strip_prefix("#- ") {
            step.files.push((name.trim().to_owned(), String::new()));
        } else if let Some(stage) = line.strip_prefix("#! ") {
            step.fails = Some(if stage.trim() == "plan" { Fails::Plan } else { Fails::Apply });
        } else {
            let (_, file) = step.files.last_mut().expect("a step has a first file");
            *file += line;
            file.push('\n');
        }
    }
    Case { steps }
}
