//! A plan as a page that needs nothing but a browser: no scripts, no fonts, no addresses to fetch.
//!
//! It has the order of the Markdown form: counts, what is lost, then every change, worst first, folded unless something
//! is lost. Sensitive values are hidden.

use std::io::{self, Write};

use plumb_engine::plan::{Action, Change, CheckStatus, Plan};

use super::super::diff::{Line, Mark};
use super::super::plan_text::{block_header, change_lines, drift_lines, invocation_lines, output_lines};
use super::super::{escape, words};
use super::markup;

const STYLE: &str = "\
:root{color-scheme:light dark;--add:#1a7f37;--del:#cf222e;--chg:#9a6700;--dim:#6e7781;--line:#d0d7de}\
@media(prefers-color-scheme:dark){:root{--add:#3fb950;--del:#f85149;--chg:#d29922;--dim:#8b949e;--line:#30363d}}\
body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}\
pre,code{font:13px/1.45 ui-monospace,monospace}pre{overflow-x:auto;margin:.5rem 0 1rem}\
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.3rem .8rem}summary{cursor:pointer}\
.add{color:var(--add)}.del{color:var(--del)}.chg{color:var(--chg)}.dim{color:var(--dim)}\
td{padding:.1rem 1rem .1rem 0;vertical-align:top}";

/// Writes the page under a title.
///
/// # Errors
/// If writing fails.
pub fn write_html(plan: &Plan, title: &str, out: &mut dyn Write) -> io::Result<()> {
    let title = text(title);
    writeln!(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width\">")?;
    // Nothing in a value could run or be fetched, even if it got out of its place.
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )?;
    writeln!(out, "<title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>")?;
    summary(plan, out)?;
    checks(plan, out)?;
    losses(plan, out)?;
    changes(plan, out)?;
    invocations(plan, out)?;
    let outputs = output_lines(plan);
    if !outputs.is_empty() {
        writeln!(out, "<h2>Outputs</h2>\n<pre>")?;
        lines(&outputs, 0, out)?;
        writeln!(out, "</pre>")?;
    }
    drift(plan, out)?;
    writeln!(out, "<p class=\"dim\">Planned at {}.</p>\n</body></html>", text(&plan.timestamp))
}

fn text(text: &str) -> String {
    markup(&escape::line(text)).into_owned()
}

fn summary(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.errored {
        writeln!(out, "<p class=\"del\"><b>Planning failed.</b> This cannot be applied.</p>")?;
    }
    let counts = match plan.has_changes() {
        true => words::summary(&plan.summary()),
        false => "No changes.".to_owned(),
    };
    writeln!(out, "<p><b>{}</b></p>", text(&counts))?;
    for (names, what) in [(&plan.targets, "Limited to"), (&plan.excludes, "Left out")] {
        if !names.is_empty() {
            let names = words::listed(names.iter().map(|name| text(name)), 20);
            writeln!(out, "<p class=\"chg\">{what} {names}.</p>")?;
        }
    }
    Ok(())
}

fn checks(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let shown = || plan.checks.iter().filter(|check| check.status != CheckStatus::Pass);
    if shown().next().is_none() {
        return Ok(());
    }
    writeln!(out, "<h2>Checks</h2>\n<ul>")?;
    for check in shown() {
        let status = words::check(check.status);
        let class = if check.status == CheckStatus::Unknown { "dim" } else { "del" };
        let messages: Vec<String> = check.messages.iter().map(|message| text(message)).collect();
        let address = text(&check.address);
        let messages = messages.join("<br>");
        writeln!(out, "<li><code>{address}</code> <span class=\"{class}\">{status}</span> {messages}</li>")?;
    }
    writeln!(out, "</ul>")
}

fn losses(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let losses = words::losses(plan);
    if losses.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>What is lost</h2>\n<table>")?;
    for change in losses {
        let (symbol, address) = (text(words::symbol(change.action)), text(&words::address(change)));
        let fate = text(&words::fate(change));
        writeln!(
            out,
            "<tr><td><code class=\"del\">{symbol}</code></td><td><code>{address}</code></td><td>{fate}</td></tr>"
        )?;
    }
    writeln!(out, "</table>")
}

fn invocations(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.invocations.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Actions to be invoked</h2>")?;
    for invocation in &plan.invocations {
        writeln!(out, "<p>{}</p>\n<pre>", text(&words::invocation(invocation)))?;
        lines(&invocation_lines(invocation, &plan.layouts), 0, out)?;
        writeln!(out, "</pre>")?;
    }
    Ok(())
}

fn changes(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let mut changes: Vec<&Change> = plan.changes.iter().filter(|change| change.is_effective()).collect();
    if changes.is_empty() {
        return Ok(());
    }
    changes.sort_by_key(|change| std::cmp::Reverse(words::danger(change)));
    writeln!(out, "<h2>Changes</h2>")?;
    for change in changes {
        let class = class_of(change.action);
        let open = if change.action.deletes() { " open" } else { "" };
        let (symbol, address) = (text(words::symbol(change.action)), text(&words::address(change)));
        let mut fate = text(&words::fate(change));
        for remark in words::remarks_on(change) {
            fate.push_str(&format!(" <span class=\"dim\">({})</span>", text(&remark)));
        }
        writeln!(
            out,
            "<details{open}><summary><code class=\"{class}\">{symbol}</code> <code>{address}</code> {fate}</summary>"
        )?;
        writeln!(out, "<pre>  {}", text(&block_header(&change.address)))?;
        lines(&change_lines(change, &plan.layouts), 1, out)?;
        writeln!(out, "  }}</pre></details>")?;
    }
    Ok(())
}

fn drift(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.drift.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Changed outside of Plumb</h2>")?;
    for drift in &plan.drift {
        let effect = if drift.relevant { "with" } else { "without" };
        let address = text(&words::drift_address(drift));
        let fate = if drift.after.is_null() { "is gone" } else { "has changed" };
        writeln!(
            out,
            "<details><summary><code>{address}</code> {fate}, {effect} effect on this plan</summary><pre>"
        )?;
        lines(&drift_lines(drift, &plan.layouts), 0, out)?;
        writeln!(out, "</pre></details>")?;
    }
    Ok(())
}

fn class_of(action: Action) -> &'static str {
    match action {
        Action::Create => "add",
        Action::Update | Action::Forget => "chg",
        Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete => "del",
        Action::NoOp | Action::Read => "dim",
    }
}

fn lines(lines: &[Line], depth: usize, out: &mut dyn Write) -> io::Result<()> {
    for line in lines {
        let indent = (line.depth + depth) * 2;
        let shown = markup(&line.text);
        let note = match line.note.as_str() {
            "" => String::new(),
            note if note.starts_with("forces") => format!("  <span class=\"del\"># {}</span>", markup(note)),
            note => format!("  <span class=\"dim\"># {}</span>", markup(note)),
        };
        let symbol = line.mark.symbol();
        match line.mark {
            Mark::Same if line.elided => {
                writeln!(out, "{:indent$}  <span class=\"dim\">{shown}</span>", "")?;
            }
            Mark::Same => writeln!(out, "{:indent$}  {shown}{note}", "")?,
            Mark::Add => writeln!(out, "{:indent$}<span class=\"add\">{symbol} {shown}</span>{note}", "")?,
            Mark::Remove => writeln!(out, "{:indent$}<span class=\"del\">{symbol} {shown}</span>{note}", "")?,
            Mark::Change => writeln!(out, "{:indent$}<span class=\"chg\">{symbol} {shown}</span>{note}", "")?,
        }
    }
    Ok(())
}
