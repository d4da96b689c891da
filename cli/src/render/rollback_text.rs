//! The way back as a person reads it on a terminal: what does not come back exactly and why, what is about records
//! alone, then the plan as any plan is shown.
//!
//! What is left out because somebody changed it is a diagnostic each, and not shown here.

use std::io::{self, Write};

use plumb_engine::plan::Change;
use plumb_engine::rollback::{Class, RollbackPlan, Undo};

use super::style::{Role, Style};
use super::{escape, plan_text, value, words};

/// Writes the way back.
///
/// # Errors
/// If writing fails.
pub fn write_rollback(back: &RollbackPlan, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let title = match back.number == back.last {
        true => format!("Taking back operation {}.", back.number),
        false => format!("Taking back operations {} to {}.", back.number, back.last),
    };
    writeln!(out, "{}\n", style.paint(Role::Strong, title))?;
    let changes = || back.plan.changes.iter().filter_map(|change| Some((change, back.undo_of(change)?)));
    inexact(back, &changes().filter(|(_, undo)| undo.class != Class::Exact).collect::<Vec<_>>(), style, out)?;
    let mut records = changes().filter_map(|(change, undo)| Some((change, undo.record_only()?))).peekable();
    if records.peek().is_some() {
        writeln!(out, "{}", style.paint(Role::Strong, "Only recorded otherwise:"))?;
        for (change, what) in records {
            writeln!(out, "  {}: {what}", words::address(change))?;
        }
        writeln!(out)?;
    }
    match (back.plan.has_changes() || back.plan.errored, back.has_changes()) {
        (true, _) => plan_text::write_plan(&back.plan, style, out),
        (false, true) => writeln!(out, "{} No object is touched.", style.paint(Role::Good, "Records only.")),
        (false, false) => writeln!(out, "{}", style.paint(Role::Good, "There is nothing to do.")),
    }
}

/// What is not as it was afterwards, with the reasons.
fn inexact(
    back: &RollbackPlan,
    changes: &[(&Change, &Undo)],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let count = changes.len() + back.left.len();
    if count == 0 {
        return Ok(());
    }
    let title = format!("{} cannot be taken back exactly:", value::count(count, "change"));
    writeln!(out, "{}", style.paint(Role::Warning, title))?;
    for (change, undo) in changes {
        let class = match undo.class {
            Class::Recreate => "recreated",
            Class::None | Class::Exact => "not as it was",
        };
        let reasons = undo.reasons.iter().map(|reason| escape::line(reason)).collect::<Vec<_>>().join("; ");
        writeln!(out, "  {} ({class}): {reasons}", words::address(change))?;
    }
    for left in &back.left {
        writeln!(out, "  {} (stays): {}", escape::line(&left.address), escape::line(&left.reason))?;
    }
    writeln!(out)
}
