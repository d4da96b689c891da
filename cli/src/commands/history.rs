//! `plumb history`: what was done, when, by whom and why.

use std::fmt::Write as _;

use plumb_state::State;
use plumb_state::record::{OperationRecord, StepRecord, StepStatus};
use serde_json::{Value as Json, json};

use crate::args::{HistoryArgs, HistoryCommand};
use crate::render::escape;
use crate::render::style::{Role, Style};
use crate::store::{self, StoreTrouble};
use crate::ui::{Exit, Ui};

/// Runs the command.
///
/// # Errors
/// If state cannot be read.
pub fn run(args: &HistoryArgs, ui: &Ui) -> Result<Exit, StoreTrouble> {
    let state = store::read()?;
    match &args.command {
        Some(HistoryCommand::Show { operation, json }) => show(&state, *operation, *json, ui),
        None => list(&state, args, ui),
    }
}

fn list(state: &State, args: &HistoryArgs, ui: &Ui) -> Result<Exit, StoreTrouble> {
    let operations: Vec<OperationRecord> =
        state.history().take(args.limit).collect::<Result<_, _>>().map_err(StoreTrouble::from)?;
    if args.json {
        let operations: Vec<Json> = operations.iter().map(operation_json).collect();
        ui.result(&format!("{}\n", Json::from(operations)));
        return Ok(Exit::Done);
    }
    if operations.is_empty() {
        ui.remark("Nothing has been done yet.");
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for operation in &operations {
        line(&mut text, operation, &ui.out);
    }
    ui.result(&text);
    Ok(Exit::Done)
}

fn line(text: &mut String, operation: &OperationRecord, style: &Style) {
    let status = match operation.status.as_str() {
        status @ "succeeded" => style.paint(Role::Good, status.to_owned()).to_string(),
        status => style.paint(Role::Error, status.to_owned()).to_string(),
    };
    let _ = write!(
        text,
        "{:>4}  {}  {:<10}  {status}  {}  {}",
        style.paint(Role::Strong, operation.number),
        operation.started.strftime("%Y-%m-%d %H:%M:%SZ"),
        operation.kind.as_str(),
        counts(operation),
        escape::line(&operation.who),
    );
    if let Some(reason) = &operation.reason {
        let _ = write!(text, "  {}", style.paint(Role::Faint, format!("({})", escape::line(reason))));
    }
    text.push('\n');
}

fn counts(operation: &OperationRecord) -> String {
    let counts = &operation.counts;
    let parts = [
        (counts.create, "created"),
        (counts.update, "updated"),
        (counts.delete, "destroyed"),
        (counts.forget, "forgotten"),
        (counts.state, "recorded"),
        (counts.failed, "failed"),
        (counts.in_doubt, "in doubt"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") }
}

fn show(state: &State, number: u64, as_json: bool, ui: &Ui) -> Result<Exit, StoreTrouble> {
    let operation = state.operation(number)?;
    if as_json {
        let mut json = operation_json(&operation.record);
        json["steps"] = operation.steps.iter().map(step_json).collect();
        ui.result(&format!("{json}\n"));
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    line(&mut text, &operation.record, &ui.out);
    let record = &operation.record;
    if let Some(digest) = &record.plan_digest {
        let _ = writeln!(text, "      plan {digest}");
    }
    let after = record.serial_after.map_or_else(|| "?".to_owned(), |serial| serial.to_string());
    let _ = writeln!(text, "      state {} → {after}", record.serial_before);
    for step in &operation.steps {
        step_lines(&mut text, step, &ui.out);
    }
    ui.result(&text);
    Ok(Exit::Done)
}

fn step_lines(text: &mut String, step: &StepRecord, style: &Style) {
    let role = match step.action.as_str() {
        "create" => Role::Add,
        "delete" => Role::Remove,
        "read" => Role::Read,
        _ => Role::Change,
    };
    let took = step.ended.map(|ended| ended.duration_since(step.started).as_millis());
    let _ = write!(
        text,
        "\n  {} {}",
        style.paint(role, step.action.as_str()),
        escape::line(&step.key.to_string())
    );
    match (step.status, took) {
        (StepStatus::Done, Some(ms)) => {
            let _ = writeln!(text, "  {}", style.paint(Role::Faint, format!("{ms} ms")));
        }
        (StepStatus::Intended, _) => {
            let _ = writeln!(text, "  {}", style.paint(Role::Error, "in flight"));
        }
        (StepStatus::InDoubt, _) => {
            let _ = writeln!(text, "  {}", style.paint(Role::Error, "in doubt"));
        }
        _ => {
            let _ = writeln!(text, "  {}", style.paint(Role::Error, "failed"));
        }
    }
    if let Some(error) = &step.error {
        let _ = writeln!(text, "      {}", style.paint(Role::Error, escape::line(error)));
    }
    for (name, before, after) in differences(step) {
        let _ = writeln!(text, "      {name}: {before} → {after}");
    }
}

/// The attributes that a step changed, with short texts of before and after. Sensitive ones are not shown.
fn differences(step: &StepRecord) -> Vec<(String, String, String)> {
    let object = |record: &Option<plumb_state::InstanceRecord>| -> serde_json::Map<String, Json> {
        let text = record.as_ref().map(|record| record.attributes.as_str());
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let (before, after) = (object(&step.before), object(&step.after));
    let secret: Vec<String> =
        [&step.before, &step.after].into_iter().flatten().flat_map(sensitive_attributes).collect();
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let text = |name: &String, value: Option<&Json>| match value {
        None | Some(Json::Null) => "none".to_owned(),
        Some(_) if secret.contains(name) => "(sensitive value)".to_owned(),
        Some(value) => brief(value),
    };
    names
        .into_iter()
        .filter(|name| before.get(*name).unwrap_or(&Json::Null) != after.get(*name).unwrap_or(&Json::Null))
        .map(|name| (name.clone(), text(name, before.get(name)), text(name, after.get(name))))
        .collect()
}

/// The top-level attributes of a record that hold something sensitive.
fn sensitive_attributes(record: &plumb_state::InstanceRecord) -> Vec<String> {
    let paths = record.sensitive_paths.as_ref();
    let paths = paths.and_then(|paths| plumb_engine::recorded::paths_from_json(paths.as_str()));
    let names = paths.unwrap_or_default().into_iter();
    names.filter_map(|path| path.first_attribute().map(|name| name.to_string())).collect()
}

/// JSON on one line, shortened.
fn brief(value: &Json) -> String {
    const LIMIT: usize = 60;
    let text = value.to_string();
    let text = escape::line(&text);
    match text.char_indices().nth(LIMIT) {
        None => text.into_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn operation_json(operation: &OperationRecord) -> Json {
    let counts = &operation.counts;
    json!({
        "number": operation.number,
        "kind": operation.kind.as_str(),
        "status": operation.status.as_str(),
        "who": operation.who,
        "started": operation.started.to_string(),
        "ended": operation.ended.map(|t| t.to_string()),
        "reason": operation.reason,
        "plan_digest": operation.plan_digest,
        "serial_before": operation.serial_before,
        "serial_after": operation.serial_after,
        "counts": {
            "create": counts.create, "read": counts.read, "update": counts.update, "delete": counts.delete,
            "forget": counts.forget, "state": counts.state, "failed": counts.failed, "in_doubt": counts.in_doubt,
        },
    })
}

fn step_json(step: &StepRecord) -> Json {
    let status = match step.status {
        StepStatus::Intended => "in-flight",
        StepStatus::Done => "done",
        StepStatus::Failed => "failed",
        StepStatus::InDoubt => "in-doubt",
    };
    let changes: Vec<Json> = differences(step)
        .into_iter()
        .map(|(attribute, before, after)| json!({"attribute": attribute, "before": before, "after": after}))
        .collect();
    json!({
        "index": step.id.index,
        "address": step.key.address,
        "deposed": step.key.deposed,
        "action": step.action.as_str(),
        "status": status,
        "error": step.error,
        "started": step.started.to_string(),
        "ended": step.ended.map(|t| t.to_string()),
        "changes": changes,
    })
}
