//! What other tools read: GitLab's plan widget, GitHub's annotations, JUnit, SARIF, and a page for the browser.
//!
//! Reports are artifacts that more people can read than may see the values in a plan, so the formats for tools hold
//! counts, addresses and messages, and only the page ([`html`]) holds values, sensitive ones hidden.

pub mod html;
pub mod junit;
pub mod sarif;

use std::borrow::Cow;
use std::fmt::Write as _;

use plumb_engine::plan::Plan;
use plumb_model::{Diagnostic, Diagnostics, Severity, Sources};

use super::value::count;

/// The file that GitLab takes as `artifacts:reports:terraform`. Of a replacement GitLab has no notion: it counts as one
/// to create and one to delete.
pub fn gitlab(plan: &Plan) -> String {
    let summary = plan.summary();
    format!(
        r#"{{"create":{},"update":{},"delete":{}}}"#,
        summary.create + summary.replace,
        summary.update,
        summary.delete + summary.replace
    )
}

/// How many annotations of one kind GitHub shows for a step; it drops the others without a word.
const ANNOTATIONS: usize = 10;

/// Commands that make GitHub annotate files: errors first, and a count of those beyond what GitHub shows.
pub fn github(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut out = String::new();
    for (severity, command) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "notice")]
    {
        let all: Vec<&Diagnostic> = diagnostics.iter().filter(|d| d.severity == severity).collect();
        let shown = if all.len() > ANNOTATIONS { ANNOTATIONS - 1 } else { all.len() };
        for diagnostic in &all[..shown] {
            out.push_str(&annotation(command, diagnostic, sources));
        }
        if shown < all.len() {
            let _ = writeln!(out, "::{command}::There are {}.", count(all.len() - shown, "more message"));
        }
    }
    out
}

fn annotation(command: &str, diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut properties = Vec::new();
    if let Some((source, span)) = diagnostic.span().and_then(|s| Some((sources.try_get(s.source)?, s))) {
        let (start, end) = (source.position(span.start as usize), source.position(span.end as usize));
        properties.push(format!("file={}", github_property(&source.name)));
        properties.push(format!("line={},endLine={}", start.line, end.line.max(start.line)));
        // GitHub takes columns only within one line.
        if end.line == start.line {
            properties.push(format!("col={},endColumn={}", start.column, end.column.max(start.column)));
        }
    }
    properties.push(format!("title={}", github_property(&diagnostic.summary)));
    format!("::{command} {}::{}\n", properties.join(","), github_data(&message(diagnostic)))
}

/// What a message says in running text: what was found, where nothing else says it the summary, and what to do.
fn message(diagnostic: &Diagnostic) -> String {
    let label = diagnostic.labels.first().map(|label| &label.text);
    let parts = [Some(&diagnostic.detail), label, diagnostic.help.as_ref()];
    let text =
        parts.into_iter().flatten().filter(|text| !text.is_empty()).fold(String::new(), |out, text| {
            if out.is_empty() { text.to_string() } else { format!("{out}\n{text}") }
        });
    if text.is_empty() { diagnostic.summary.to_string() } else { text }
}

fn github_data(text: &str) -> String {
    super::escape::lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn github_property(text: &str) -> String {
    github_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text for a log of GitHub Actions in which no line is taken for a command. The token must not be guessable, and must
/// not occur in the text.
pub fn github_log(text: &str, token: &str) -> String {
    format!("::stop-commands::{token}\n{}\n::{token}::\n", text.trim_end_matches('\n'))
}

/// The text with what XML and HTML give a meaning to as entities, and without characters that XML has no place for.
fn markup(text: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'') || has_no_place(c);
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if has_no_place(c) => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn has_no_place(c: char) -> bool {
    super::escape::is_unsafe(c) && !matches!(c, '\n' | '\t') || matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests;
