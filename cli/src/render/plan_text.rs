//! A plan as a person reads it on a terminal.
//!
//! Only what changes is shown, in the order of addresses, laid out like the blocks that authors write. Before it
//! stands what was changed outside, apart from what the configuration wants; after it outputs, checks, and a summary
//! that names every object that is destroyed or replaced before it counts.
//!
//! The plan is written as it is walked: memory is that of the largest single change.

use std::io::{self, Write};

use plumb_engine::plan::{
    Action, Change, CheckResult, CheckStatus, Drift, Invocation, Layouts, OutputChange, Plan, Purpose,
};
use plumb_model::{Marks, Value};
use unicode_width::UnicodeWidthStr;

use super::diff::{self, Line, Mark, Remarks};
use super::style::{Role, Style};
use super::{escape, value, words};

/// How many losses the summary names before it only counts them.
const LOSSES: usize = 100;
/// How many objects that drifted without effect are named.
const IDLE_DRIFT: usize = 10;

/// The whole plan as text.
pub fn plan_text(plan: &Plan, style: &Style) -> String {
    let mut out = Vec::new();
    write_plan(plan, style, &mut out).expect("writing to memory does not fail");
    String::from_utf8(out).expect("only whole strings were written")
}

/// Writes the whole plan as text.
///
/// # Errors
/// If writing fails.
pub fn write_plan(plan: &Plan, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = Writer { style: *style, out };
    writer.drift(plan)?;
    if !plan.has_changes() {
        writer.nothing_to_do(plan)?;
        return writer.checks(&plan.checks);
    }
    if plan.errored {
        writeln!(writer.out, "Planning failed. This is what was found before; it cannot be applied.\n")?;
    }
    writer.changes(plan)?;
    writer.invocations(plan)?;
    writer.outputs(plan)?;
    writer.checks(&plan.checks)?;
    writer.summary(plan)
}

/// The lines of one change: what differs between the object as it is and as it will be.
pub fn change_lines(change: &Change, layouts: &Layouts) -> Vec<Line> {
    let layout = layouts.get(&change.provider.source, &change.address.resource);
    let keep: &[&str] = if change.action == Action::Create { &[] } else { &["id", "name"] };
    match change.action {
        // What is no longer managed does not itself change.
        Action::Forget | Action::NoOp => {
            diff::attributes(&change.before, &change.before, &Remarks::default(), keep, layout)
        }
        // What a data source gives is not known; what it is asked with is.
        Action::Read => {
            diff::attributes(&Value::NULL, &change.after, &words::attribute_remarks(change), keep, layout)
        }
        _ => diff::attributes(&change.before, &change.after, &words::attribute_remarks(change), keep, layout),
    }
}

/// The lines of one object that was changed outside.
pub fn drift_lines(drift: &Drift, layouts: &Layouts) -> Vec<Line> {
    let layout = layouts.get(&drift.provider.source, &drift.address.resource);
    diff::attributes(&drift.before, &drift.after, &Remarks::default(), &["id", "name"], layout)
}

/// The lines of what an action is told.
pub fn invocation_lines(invocation: &Invocation, layouts: &Layouts) -> Vec<Line> {
    let layout = layouts.get(&invocation.provider.source, &invocation.address.resource);
    let lines = diff::attributes(&Value::NULL, &invocation.config, &Remarks::default(), &[], layout);
    lines.into_iter().map(|line| Line { mark: Mark::Same, ..line }).collect()
}

/// The lines of outputs that change, their names aligned.
pub fn output_lines(plan: &Plan) -> Vec<Line> {
    let changed = || plan.outputs.iter().filter(|(_, output)| output.action() != Action::NoOp);
    let labels: Vec<String> = changed().map(|(name, _)| value::key(name)).collect();
    let width = diff::label_width(&labels);
    let lines = changed().zip(labels).flat_map(|((_, change), label)| {
        let padding = " ".repeat(width.saturating_sub(label.width()));
        output(&format!("{label}{padding} = "), change)
    });
    lines.collect()
}

fn output(label: &str, change: &OutputChange) -> Vec<Line> {
    let hide = |value: &Option<Value>| {
        value.clone().map(|v| if change.sensitive { v.with_marks(Marks::SENSITIVE) } else { v })
    };
    let (before, after) = (hide(&change.before), hide(&change.after));
    match (&before, &after) {
        // The sensitivity of an output is that of now; what was recorded is hidden alike.
        (Some(_), Some(after)) if change.sensitive => {
            let lines = diff::whole(label, after, Mark::Change);
            lines.into_iter().take(1).collect()
        }
        // Null is a value that an output can have.
        (Some(before), Some(after)) if before.is_null() || after.is_null() => {
            let mut lines = diff::whole(label, before, Mark::Remove);
            lines.extend(diff::whole(label, after, Mark::Add));
            lines
        }
        _ => diff::named(label, before.as_ref(), after.as_ref()),
    }
}

/// The line that opens the block of an instance: `resource "file" "notes" {`.
pub fn block_header(address: &plumb_model::address::Instance) -> String {
    let resource = &address.resource;
    format!("{} {} {} {{", resource.mode, escape::quoted(&resource.kind), escape::quoted(&resource.name))
}

struct Writer<'a> {
    style: Style,
    out: &'a mut dyn Write,
}

impl Writer<'_> {
    fn nothing_to_do(&mut self, plan: &Plan) -> io::Result<()> {
        let head = if plan.errored { "Planning failed." } else { "No changes." };
        let text = match plan.purpose {
            _ if plan.errored => "Nothing to change had been found before.",
            Purpose::Normal => "Everything is as the configuration says.",
            Purpose::Destroy => "There is nothing to destroy.",
            Purpose::RefreshOnly => "Everything is as it was recorded.",
        };
        let role = if plan.errored { Role::Error } else { Role::Good };
        writeln!(self.out, "{} {text}", self.style.paint(role, head))?;
        self.limits(plan)
    }

    fn changes(&mut self, plan: &Plan) -> io::Result<()> {
        let shown = || plan.changes.iter().filter(|change| change.is_effective());
        if shown().next().is_none() {
            return Ok(());
        }
        writeln!(self.out, "{}", self.style.paint(Role::Strong, "Plumb will do this:"))?;
        for action in [
            Action::Create,
            Action::Update,
            Action::DeleteThenCreate,
            Action::CreateThenDelete,
            Action::Delete,
            Action::Forget,
            Action::Read,
        ] {
            if shown().any(|change| change.action == action) {
                let symbol = self.style.paint(role(action), format!("{:>3}", words::symbol(action)));
                writeln!(self.out, "{symbol} {}", words::legend(action))?;
            }
        }
        writeln!(self.out)?;
        for change in shown() {
            self.change(change, &plan.layouts)?;
        }
        Ok(())
    }

    fn change(&mut self, change: &Change, layouts: &Layouts) -> io::Result<()> {
        let title = format!("# {} {}", words::address(change), words::fate(change));
        writeln!(self.out, "  {}", self.style.paint(Role::Strong, title))?;
        for remark in words::remarks_on(change) {
            writeln!(self.out, "  # ({remark})")?;
        }
        self.block(
            words::symbol(change.action),
            role(change.action),
            &change.address,
            &change_lines(change, layouts),
        )
    }

    /// Actions, in the order in which they are invoked for each resource.
    fn invocations(&mut self, plan: &Plan) -> io::Result<()> {
        if plan.invocations.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{}\n", self.style.paint(Role::Strong, "Actions to be invoked:"))?;
        for invocation in &plan.invocations {
            let title = format!("# {}", words::invocation(invocation));
            writeln!(self.out, "  {}", self.style.paint(Role::Strong, title))?;
            self.block(
                words::INVOKE,
                Role::Change,
                &invocation.address,
                &invocation_lines(invocation, &plan.layouts),
            )?;
        }
        Ok(())
    }

    fn block(
        &mut self,
        symbol: &str,
        role: Role,
        address: &plumb_model::address::Instance,
        lines: &[Line],
    ) -> io::Result<()> {
        let symbol = self.style.paint(role, format!("{symbol:>3}"));
        writeln!(self.out, "{symbol} {}", block_header(address))?;
        self.lines(lines, 1)?;
        writeln!(self.out, "    }}\n")
    }

    fn lines(&mut self, lines: &[Line], depth: usize) -> io::Result<()> {
        for line in lines {
            let indent = (line.depth + depth) * 4;
            let symbol = line.mark.symbol();
            if line.elided {
                let text = self.style.paint(Role::Faint, &line.text);
                writeln!(self.out, "{:indent$}    {text}", "")?;
                continue;
            }
            if line.text.is_empty() && line.mark == Mark::Same {
                writeln!(self.out)?;
                continue;
            }
            match mark_role(line.mark) {
                Some(role) => {
                    write!(self.out, "{:indent$}  {} {}", "", self.style.paint(role, symbol), line.text)?;
                }
                None => write!(self.out, "{:indent$}    {}", "", line.text)?,
            }
            if !line.note.is_empty() {
                let role = if line.note.starts_with("forces") { Role::Remove } else { Role::Faint };
                write!(self.out, "  {}", self.style.paint(role, format!("# {}", line.note)))?;
            }
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn drift(&mut self, plan: &Plan) -> io::Result<()> {
        if plan.drift.is_empty() {
            return Ok(());
        }
        let all = plan.purpose == Purpose::RefreshOnly;
        let (shown, idle): (Vec<&Drift>, Vec<&Drift>) =
            plan.drift.iter().partition(|drift| all || drift.relevant);
        if !shown.is_empty() {
            let title = match all {
                true => "Changed outside of Plumb since it was recorded:",
                false => "Changed outside of Plumb since it was recorded, with effect on this plan:",
            };
            writeln!(self.out, "{}\n", self.style.paint(Role::Strong, title))?;
        }
        for drift in &shown {
            let (fate, symbol, role) = drift_fate(drift);
            let title = format!("# {} {fate}", words::drift_address(drift));
            writeln!(self.out, "  {}", self.style.paint(Role::Strong, title))?;
            let lines = drift_lines(drift, &plan.layouts);
            self.block(symbol, role, &drift.address, &lines)?;
        }
        if idle.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "Changed outside of Plumb as well, without effect on this plan:")?;
        for drift in idle.iter().take(IDLE_DRIFT) {
            writeln!(self.out, "  {}", self.style.paint(Role::Faint, idle_drift(drift)))?;
        }
        if idle.len() > IDLE_DRIFT {
            writeln!(self.out, "  and {}", value::count(idle.len() - IDLE_DRIFT, "other object"))?;
        }
        writeln!(self.out)
    }

    fn outputs(&mut self, plan: &Plan) -> io::Result<()> {
        let lines = output_lines(plan);
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{}", self.style.paint(Role::Strong, "Outputs will change:"))?;
        self.lines(&lines, 0)?;
        writeln!(self.out)
    }

    fn checks(&mut self, checks: &[CheckResult]) -> io::Result<()> {
        let mut shown = checks.iter().filter(|check| check.status != CheckStatus::Pass).peekable();
        if shown.peek().is_none() {
            return Ok(());
        }
        writeln!(self.out, "{}", self.style.paint(Role::Strong, "Checks:"))?;
        for check in shown {
            let role = match check.status {
                CheckStatus::Pass | CheckStatus::Unknown => Role::Faint,
                CheckStatus::Fail => Role::Warning,
                CheckStatus::Error => Role::Error,
            };
            let status = self.style.paint(role, words::check(check.status));
            writeln!(self.out, "  {} {status}", escape::line(&check.address))?;
            for message in &check.messages {
                for line in escape::lines(message).lines() {
                    writeln!(self.out, "      {line}")?;
                }
            }
        }
        writeln!(self.out)
    }

    fn summary(&mut self, plan: &Plan) -> io::Result<()> {
        let losses = words::losses(plan);
        if !losses.is_empty() {
            self.losses(&losses)?;
        }
        let summary = plan.summary();
        let text = match plan.purpose {
            Purpose::RefreshOnly => words::REFRESH_ONLY.to_owned(),
            _ => words::summary(&summary),
        };
        let role = if summary.delete + summary.replace > 0 { Role::Warning } else { Role::Strong };
        writeln!(self.out, "{}", self.style.paint(role, text))?;
        self.limits(plan)
    }

    fn losses(&mut self, losses: &[&Change]) -> io::Result<()> {
        let title = self.style.paint(Role::Strong, "What is lost:");
        writeln!(self.out, "{title}")?;
        let named: Vec<(String, &Change)> =
            losses.iter().take(LOSSES).map(|change| (words::address(change), *change)).collect();
        let width = named.iter().map(|(address, _)| address.chars().count()).max().unwrap_or(0).min(60);
        for (address, change) in named {
            let fate = match (change.action, words::why(change)) {
                (Action::Delete, why) => ("destroyed", why),
                (Action::Forget, why) => ("no longer managed", why),
                (_, why) => ("replaced", why),
            };
            let text = match fate {
                (word, Some(why)) => format!("{word}: {why}"),
                (word, None) => word.to_owned(),
            };
            let symbol =
                self.style.paint(role(change.action), format!("{:>3}", words::symbol(change.action)));
            writeln!(self.out, "{symbol} {address:width$}  {text}")?;
        }
        if losses.len() > LOSSES {
            writeln!(self.out, "    and {}", value::count(losses.len() - LOSSES, "other object"))?;
        }
        writeln!(self.out)
    }

    fn limits(&mut self, plan: &Plan) -> io::Result<()> {
        for (names, what) in [(&plan.targets, "Limited to"), (&plan.excludes, "Left out")] {
            if !names.is_empty() {
                let names = words::listed(names.iter().map(|n| escape::line(n).into_owned()), 5);
                let text = format!("{what} {names}: the rest of the configuration may not be in effect.");
                writeln!(self.out, "{}", self.style.paint(Role::Warning, text))?;
            }
        }
        Ok(())
    }
}

/// What has become of an object outside, with its symbol.
fn drift_fate(drift: &Drift) -> (&'static str, &'static str, Role) {
    if drift.after.is_null() {
        ("is gone", "-", Role::Remove)
    } else if drift.before.is_null() {
        ("has appeared", "+", Role::Add)
    } else {
        ("has changed", "~", Role::Change)
    }
}

/// One line on an object that drifted without effect.
fn idle_drift(drift: &Drift) -> String {
    let address = words::drift_address(drift);
    if drift.after.is_null() {
        return format!("{address} is gone");
    }
    match drift.paths.len() {
        0 => format!("{address} has changed"),
        _ => format!("{address}: {}", words::listed(drift.paths.iter().map(words::path), 4)),
    }
}

/// The colour of an action.
pub fn role(action: Action) -> Role {
    match action {
        Action::NoOp => Role::Faint,
        Action::Create => Role::Add,
        Action::Read => Role::Read,
        Action::Update => Role::Change,
        Action::DeleteThenCreate | Action::CreateThenDelete | Action::Delete => Role::Remove,
        Action::Forget => Role::Warning,
    }
}

fn mark_role(mark: Mark) -> Option<Role> {
    match mark {
        Mark::Same => None,
        Mark::Add => Some(Role::Add),
        Mark::Remove => Some(Role::Remove),
        Mark::Change => Some(Role::Change),
    }
}

#[cfg(test)]
mod tests;
