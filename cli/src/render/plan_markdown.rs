//! A plan for a pull request: Markdown as GitHub, GitLab and Bitbucket render it.
//!
//! The summary comes first: counts, failed checks, and a table of every change, worst first. Below are the details of
//! each change, folded, again worst first. The whole never exceeds a number of bytes, since code hosts refuse longer
//! comments: what is least dangerous goes first, it is said what was left out, and the counts always stay.
//!
//! Nothing in a plan can break out of its place: in prose every character that Markdown, HTML or a code host gives a
//! meaning to is an entity, and a code fence is longer than any run of backticks in it.

use std::borrow::Cow;
use std::fmt::Write as _;

use plumb_engine::plan::{Action, Change, CheckStatus, Layouts, Plan, Purpose};

use super::diff::{Line, Mark};
use super::plan_text::{change_lines, drift_lines, invocation_lines, output_lines};
use super::value::count;
use super::{escape, words};

/// What every code host takes: GitHub's limit is 65,536 characters.
pub const DEFAULT_LIMIT: usize = 65_000;
/// How many changes the table names before it only counts them.
const ROWS: usize = 200;
/// Less than this is not worth a part of a detail.
const WORTH: usize = 600;
/// What is kept free for saying what was left out.
const RESERVE: usize = 400;

/// The plan as Markdown of at most `limit` bytes, under a heading of this text. Limits below about 1,000 bytes are
/// exceeded rather than the counts left out.
pub fn plan_markdown(plan: &Plan, heading: &str, limit: usize) -> String {
    let mut page = Page { text: String::new(), limit: limit.saturating_sub(RESERVE), left_out: Vec::new() };
    let _ = writeln!(page.text, "### {}\n", prose(heading));
    page.summary(plan);
    let mut changes: Vec<&Change> = plan.changes.iter().filter(|change| change.is_effective()).collect();
    changes.sort_by_key(|change| std::cmp::Reverse(words::danger(change)));
    page.checks(plan);
    page.table(&changes);
    page.invocations(plan);
    page.details(&changes, &plan.layouts);
    page.outputs(plan);
    page.drift(plan);
    page.say_what_is_left_out();
    page.text
}

struct Page {
    text: String,
    limit: usize,
    left_out: Vec<String>,
}

impl Page {
    fn room(&self) -> usize {
        self.limit.saturating_sub(self.text.len())
    }

    /// Appends the text if there is room; says whether there was.
    fn add(&mut self, text: &str) -> bool {
        let fits = text.len() <= self.room();
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    fn summary(&mut self, plan: &Plan) {
        let out = &mut self.text;
        if plan.errored {
            out.push_str("**Planning failed.** This is what was found before; it cannot be applied.\n\n");
        }
        if plan.has_changes() && plan.purpose == Purpose::RefreshOnly {
            let _ = writeln!(out, "{}\n", words::REFRESH_ONLY);
        } else if plan.has_changes() {
            let _ = writeln!(out, "**{}**\n", words::summary(&plan.summary()));
        } else if !plan.errored {
            let text = match plan.purpose {
                Purpose::Normal => "Everything is as the configuration says.",
                Purpose::Destroy => "There is nothing to destroy.",
                Purpose::RefreshOnly => "Everything is as it was recorded.",
            };
            let _ = writeln!(out, "**No changes.** {text}\n");
        }
        for (names, what) in [(&plan.targets, "Limited to"), (&plan.excludes, "Left out")] {
            if !names.is_empty() {
                let names = words::listed(names.iter().map(|name| code(name)), 5);
                let _ =
                    writeln!(out, "{what} {names}: the rest of the configuration may not be in effect.\n");
            }
        }
    }

    fn checks(&mut self, plan: &Plan) {
        let failed =
            plan.checks.iter().filter(|c| matches!(c.status, CheckStatus::Fail | CheckStatus::Error));
        let mut left_out = 0;
        let mut any = false;
        for check in failed {
            let messages: Vec<_> = check.messages.iter().map(|message| prose(message)).collect();
            let line = format!(
                "- {} **{}** {}\n",
                code(&check.address),
                words::check(check.status),
                messages.join(" ")
            );
            if self.add(&line) { any = true } else { left_out += 1 }
        }
        if any {
            self.text.push('\n');
        }
        if left_out > 0 {
            self.left_out.push(count(left_out, "failed check"));
        }
    }

    fn table(&mut self, changes: &[&Change]) {
        if changes.is_empty() || !self.add("| | | |\n|-|-|-|\n") {
            return;
        }
        let mut shown = 0;
        for change in changes.iter().take(ROWS) {
            let row = format!(
                "| {} | {} | {} |\n",
                symbol(change),
                code(&words::address(change)),
                prose(&with_remarks(change)),
            );
            // Naming more creations is worth less than the details of what is dangerous.
            let crowded = self.text.len() + row.len() > self.limit / 2;
            if crowded || !self.add(&row) {
                break;
            }
            shown += 1;
        }
        if shown < changes.len() {
            let rest = kinds(&changes[shown..]);
            let _ = writeln!(self.text, "| | {} | {rest} |", count(changes.len() - shown, "other object"));
        }
        self.text.push('\n');
    }

    /// Actions with what is known of what they are told.
    fn invocations(&mut self, plan: &Plan) {
        let mut left_out = 0;
        for invocation in &plan.invocations {
            let mut item = format!("- {}\n", prose(&words::invocation(invocation)));
            for line in invocation_lines(invocation, &plan.layouts) {
                let _ = writeln!(item, "  {}- {}", "  ".repeat(line.depth), code(&line.text));
            }
            left_out += usize::from(!self.add(&item));
        }
        if !plan.invocations.is_empty() {
            self.text.push('\n');
        }
        if left_out > 0 {
            self.left_out.push(count(left_out, "action"));
        }
    }

    fn details(&mut self, changes: &[&Change], layouts: &Layouts) {
        // Of what only moves or is imported there is nothing more to show.
        let end = changes.iter().position(|c| c.action == Action::NoOp).unwrap_or(changes.len());
        let changes = &changes[..end];
        for (i, change) in changes.iter().enumerate() {
            let lines = change_lines(change, layouts);
            let summary = format!(
                "{} {} {}",
                symbol(change),
                code(&words::address(change)),
                prose(&words::fate(change))
            );
            if !self.fold(&summary, &lines) {
                let rest = &changes[i..];
                self.left_out.push(format!(
                    "the details of {} ({})",
                    count(rest.len(), "change"),
                    kinds(rest)
                ));
                return;
            }
        }
    }

    fn outputs(&mut self, plan: &Plan) {
        let lines = output_lines(plan);
        if !lines.is_empty() && !self.fold("Outputs", &lines) {
            self.left_out.push("outputs".to_owned());
        }
    }

    fn drift(&mut self, plan: &Plan) {
        let mut drift: Vec<_> = plan.drift.iter().collect();
        drift.sort_by_key(|drift| !drift.relevant);
        for (i, drift) in drift.iter().enumerate() {
            let lines = drift_lines(drift, &plan.layouts);
            let fate = if drift.after.is_null() { "is gone" } else { "was changed" };
            let effect = if drift.relevant { "with" } else { "without" };
            let summary = format!(
                "Outside of Plumb {} {fate}, {effect} effect on this plan",
                code(&words::drift_address(drift))
            );
            if !self.fold(&summary, &lines) {
                self.left_out
                    .push(format!("{} that changed outside of Plumb", count(plan.drift.len() - i, "object")));
                return;
            }
        }
    }

    /// Folded lines, cut at the end if there is not enough room for all. Gives false if nothing was added.
    fn fold(&mut self, summary: &str, lines: &[Line]) -> bool {
        let rendered: Vec<String> = lines.iter().map(diff_line).collect();
        let fence = fence(&rendered);
        let before = format!("<details><summary>{summary}</summary>\n\n{fence}diff\n");
        let after = format!("{fence}\n\n</details>\n");
        let frame = before.len() + after.len();
        let whole = frame + rendered.iter().map(|line| line.len() + 1).sum::<usize>();
        if whole > self.room() && self.room() < frame + WORTH {
            return false;
        }
        // One line says how many are missing.
        let mut room = self.room().saturating_sub(frame + if whole > self.room() { 60 } else { 0 });
        self.text.push_str(&before);
        let mut shown = 0;
        for line in &rendered {
            if line.len() + 1 > room {
                break;
            }
            room -= line.len() + 1;
            self.text.push_str(line);
            self.text.push('\n');
            shown += 1;
        }
        if shown < rendered.len() {
            let _ = writeln!(self.text, "# ({} left out)", count(rendered.len() - shown, "line"));
        }
        self.text.push_str(&after);
        true
    }

    fn say_what_is_left_out(&mut self) {
        if !self.left_out.is_empty() {
            let what = words::listed(self.left_out.drain(..).collect::<Vec<_>>().into_iter(), 4);
            let _ = writeln!(self.text, "\n_Left out to keep this short: {what}._");
        }
    }
}

/// The symbol of its action, in a cell or a title.
fn symbol(change: &Change) -> String {
    match change.action {
        Action::NoOp => String::new(),
        action => code(words::symbol(action)),
    }
}

/// What becomes of it, and what else is said of it.
fn with_remarks(change: &Change) -> String {
    let mut text = words::fate(change);
    for remark in words::remarks_on(change) {
        let _ = write!(text, "; {remark}");
    }
    text
}

/// How many changes of each kind: `3 to create, 1 to update`.
fn kinds(changes: &[&Change]) -> String {
    let number = |test: &dyn Fn(&Change) -> bool| changes.iter().filter(|change| test(change)).count();
    let parts = [
        (number(&|c| c.action == Action::Delete), "to destroy"),
        (number(&|c| c.action.is_replace()), "to replace"),
        (number(&|c| c.action == Action::Forget), "to forget"),
        (number(&|c| c.action == Action::Update), "to update"),
        (number(&|c| c.action == Action::Create), "to create"),
        (number(&|c| c.action == Action::Read), "to read"),
        (number(&|c| c.action == Action::NoOp), "to move or import"),
    ];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// A line of a code block of language `diff`, which colours by the first character.
fn diff_line(line: &Line) -> String {
    let mark = match line.mark {
        Mark::Same => ' ',
        Mark::Add => '+',
        Mark::Remove => '-',
        Mark::Change => '!',
    };
    let indent = line.depth * 2 + 1;
    let note = if line.note.is_empty() { String::new() } else { format!("  # {}", line.note) };
    format!("{mark}{:indent$}{}{note}", "", line.text)
}

/// A fence that nothing in the lines ends.
fn fence(lines: &[String]) -> String {
    let runs = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

/// A name, to be read letter by letter.
fn code(text: &str) -> String {
    format!("<code>{}</code>", prose(text))
}

/// Text in which nothing has a meaning to Markdown, to HTML, or to a code host that looks for mentions and links.
pub fn prose(text: &str) -> Cow<'_, str> {
    let text = escape::line(text);
    let special =
        |c: char| c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '-' | '/' | '(' | ')' | '=' | '?');
    if !text.contains(special) && !text.contains("://") {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '"' => out.push_str("&quot;"),
            c if special(c) && c != '+' && c != ';' && c != '%' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
