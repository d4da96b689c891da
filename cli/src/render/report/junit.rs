//! JUnit XML, in the form that CI systems agree on.
//!
//! A case that could not be evaluated is an error and never a failure, and what is not known yet is skipped: whoever
//! reads the report must not take one for the other.

use std::fmt::Write as _;
use std::time::Duration;

use plumb_engine::plan::{CheckResult, CheckStatus};
use plumb_model::{Diagnostics, Sources};

use super::super::words;
use super::{markup, message};

/// A group of cases: an environment, a module, the checks of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// When it began, as RFC 3339, if that is to be told.
    pub timestamp: Option<String>,
    /// What was tested.
    pub cases: Vec<Case>,
}

/// Something that was tested.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What was tested.
    pub name: String,
    /// What it belongs to; by this CI systems group and remember cases.
    pub class: String,
    /// The file and the line from 1, if it has a place.
    pub place: Option<(String, usize)>,
    /// How long it took.
    pub took: Duration,
    /// How it turned out.
    pub outcome: Outcome,
}

/// How a case turned out.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// As it should.
    Passed,
    /// It was not tested, for this reason.
    Skipped(String),
    /// Not as it should: in a line, and in full.
    Failed(String, String),
    /// It could not be found out: in a line, and in full.
    Error(String, String),
}

/// The checks of a plan.
pub fn checks(name: &str, checks: &[CheckResult]) -> Suite {
    let cases = checks.iter().map(|check| {
        let text = check.messages.join("\n");
        let short =
            check.messages.first().map_or_else(|| words::check(check.status).to_owned(), |m| m.to_string());
        Case {
            name: check.address.to_string(),
            class: check.kind.to_owned(),
            place: None,
            took: Duration::ZERO,
            outcome: match check.status {
                CheckStatus::Pass => Outcome::Passed,
                CheckStatus::Fail => Outcome::Failed(short, text),
                CheckStatus::Error => Outcome::Error(short, text),
                CheckStatus::Unknown => Outcome::Skipped(short),
            },
        }
    });
    Suite { name: name.to_owned(), timestamp: None, cases: cases.collect() }
}

/// Messages as cases: errors fail, others pass with nothing to say. Without any there is one case that passes.
pub fn diagnostics(name: &str, diagnostics: &Diagnostics, sources: &Sources) -> Suite {
    let mut cases: Vec<Case> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| {
            let source = diagnostic.span().and_then(|span| Some((sources.try_get(span.source)?, span)));
            Case {
                name: diagnostic.summary.to_string(),
                class: diagnostic.code.to_owned(),
                place: source.map(|(source, span)| {
                    (source.name.to_string(), source.position(span.start as usize).line)
                }),
                took: Duration::ZERO,
                outcome: Outcome::Failed(diagnostic.summary.to_string(), message(diagnostic)),
            }
        })
        .collect();
    if cases.is_empty() {
        cases.push(Case {
            name: name.to_owned(),
            class: name.to_owned(),
            place: None,
            took: Duration::ZERO,
            outcome: Outcome::Passed,
        });
    }
    Suite { name: name.to_owned(), timestamp: None, cases }
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    took: Duration,
}

fn counts<'c>(cases: impl Iterator<Item = &'c Case>) -> Counts {
    cases.fold(Counts::default(), |mut counts, case| {
        counts.tests += 1;
        counts.took += case.took;
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Skipped(_) => counts.skipped += 1,
            Outcome::Failed(..) => counts.failures += 1,
            Outcome::Error(..) => counts.errors += 1,
        }
        counts
    })
}

impl Counts {
    fn attributes(&self) -> String {
        let Counts { tests, failures, errors, skipped, took } = self;
        let seconds = took.as_secs_f64();
        format!(
            r#"tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}" time="{seconds:.3}""#
        )
    }
}

/// The suites as one document.
pub fn junit(name: &str, suites: &[Suite]) -> String {
    let all = counts(suites.iter().flat_map(|suite| &suite.cases));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, r#"<testsuites name="{}" {}>"#, attribute(name), all.attributes());
    for suite in suites {
        let timestamp = suite.timestamp.iter().map(|t| format!(r#" timestamp="{}""#, attribute(t)));
        let _ = writeln!(
            out,
            r#"  <testsuite name="{}" {}{}>"#,
            attribute(&suite.name),
            counts(suite.cases.iter()).attributes(),
            timestamp.collect::<String>()
        );
        suite.cases.iter().for_each(|case| write_case(case, &mut out));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn write_case(case: &Case, out: &mut String) {
    let (name, class) = (attribute(&case.name), attribute(&case.class));
    let _ = write!(
        out,
        r#"    <testcase name="{name}" classname="{class}" time="{:.3}""#,
        case.took.as_secs_f64()
    );
    if let Some((file, line)) = &case.place {
        let _ = write!(out, r#" file="{}" line="{line}""#, attribute(file));
    }
    let (tag, short, text) = match &case.outcome {
        Outcome::Passed => return out.push_str("/>\n"),
        Outcome::Skipped(reason) => ("skipped", reason, ""),
        Outcome::Failed(short, text) => ("failure", short, text.as_str()),
        Outcome::Error(short, text) => ("error", short, text.as_str()),
    };
    let _ = write!(out, ">\n      <{tag} message=\"{}\"", attribute(short));
    let _ = match text {
        "" => write!(out, "/>"),
        text => write!(out, ">{}</{tag}>", markup(text)),
    };
    out.push_str("\n    </testcase>\n");
}

/// The text for an attribute, where line breaks would be read as spaces.
fn attribute(text: &str) -> String {
    markup(text).replace('\n', "&#10;").replace('\t', "&#9;")
}
