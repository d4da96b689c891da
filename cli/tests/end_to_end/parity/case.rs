//! A story of steps, as a text.
//!
//! ```text
//! What it is about.
//!
//! === apply -var=a=1
//! env TF_VAR_b=2
//! -- main.tf --
//! …
//! -- m/main.tf --
//! …
//!
//! === error
//! wants unknown-attribute
//! -- main.tf --
//! …
//! ```
//!
//! The files of a step replace those of the step before; a step without files goes on with what is there. `apply` plans
//! and applies, `apply-fails` plans and fails to apply. `error` fails to plan, in a new directory if it brings files;
//! `wants` names the code of a diagnostic that Plumb must give.

/// The steps of a file.
pub struct Case {
    /// In order.
    pub steps: Vec<Step>,
}

/// What is to be done, and how it must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plan and apply.
    Apply,
    /// Plan, and fail to apply.
    ApplyFails,
    /// Fail to plan.
    Error,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Where it begins in the file.
    pub line: usize,
    /// What is to be done.
    pub kind: Kind,
    /// For `plan`.
    pub args: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Codes of diagnostics.
    pub wants: Vec<String>,
    /// Paths and texts.
    pub files: Vec<(String, String)>,
}

impl Case {
    /// Reads a text.
    pub fn parse(text: &str) -> Case {
        let mut steps: Vec<Step> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if let Some(header) = line.strip_prefix("=== ") {
                let mut words = header.split(' ').map(str::to_owned);
                let kind = match words.next().as_deref() {
                    Some("apply") => Kind::Apply,
                    Some("apply-fails") => Kind::ApplyFails,
                    Some("error") => Kind::Error,
                    other => panic!("line {}: {other:?} is no kind of step", index + 1),
                };
                let (environment, wants, files) = Default::default();
                steps.push(Step { line: index + 1, kind, args: words.collect(), environment, wants, files });
                continue;
            }
            let Some(step) = steps.last_mut() else { continue };
            if let Some(path) = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
                step.files.push((path.to_owned(), String::new()));
            } else if let Some((_, text)) = step.files.last_mut() {
                text.push_str(line);
                text.push('\n');
            } else if let Some((name, value)) =
                line.strip_prefix("env ").and_then(|rest| rest.split_once('='))
            {
                step.environment.push((name.to_owned(), value.to_owned()));
            } else if let Some(code) = line.strip_prefix("wants ") {
                step.wants.push(code.to_owned());
            } else {
                assert!(line.is_empty(), "line {}: {line:?} is not understood", index + 1);
            }
        }
        Case { steps }
    }
}
