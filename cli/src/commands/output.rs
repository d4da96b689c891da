//! `plumb output`.

use std::collections::BTreeMap;

use ecow::EcoString;
use plumb_engine::plan::prior::output_value;
use plumb_model::{Diagnostic, Marks, Value, diagnostic};

use crate::args::OutputArgs;
use crate::render::outputs;
use crate::render::state_json::OutputValue;
use crate::store::{self, StoreTrouble};
use crate::ui::{Exit, Ui};

/// Runs the command.
///
/// # Errors
/// If state cannot be read, or has no such output.
pub fn run(args: &OutputArgs, ui: &Ui) -> Result<Exit, StoreTrouble> {
    let all = recorded(&store::read()?)?;
    let Some(name) = &args.name else {
        if args.json {
            ui.result(&outputs::outputs_json(&all));
        } else if all.is_empty() {
            ui.remark("There are no outputs: none is declared, or nothing has been applied yet.");
        } else {
            ui.result(&outputs::outputs_text(&all));
        }
        return Ok(Exit::Done);
    };
    let Some(output) = all.get(name.as_str()) else { return Err(unknown(name, &all)) };
    let text = match (args.json, args.raw) {
        (true, _) => outputs::output_json(&output.value),
        (_, true) => outputs::output_raw(name, &output.value)
            .map_err(|diagnostic| StoreTrouble { diagnostic: *diagnostic, exit: Exit::Error })?,
        _ => outputs::output_text(&output.value),
    };
    ui.result(&text);
    Ok(Exit::Done)
}

/// The outputs that are recorded.
///
/// # Errors
/// If state cannot be read.
pub fn recorded(state: &plumb_state::State) -> Result<BTreeMap<EcoString, OutputValue>, StoreTrouble> {
    let records = state.outputs()?;
    let values = records.iter().filter_map(|(name, record)| {
        let value = output_value(record)?;
        Some((EcoString::from(name), OutputValue { value, sensitive: record.sensitive }))
    });
    Ok(values.collect())
}

/// Shows outputs at the end of a command, if there are any.
pub fn tell(outputs: &BTreeMap<EcoString, Value>, ui: &Ui) {
    if outputs.is_empty() {
        return;
    }
    let shown = outputs.iter().map(|(name, value)| {
        let sensitive = value.marks().contains(Marks::SENSITIVE);
        (name.clone(), OutputValue { value: value.clone(), sensitive })
    });
    let shown = shown.collect();
    match ui.json {
        true => ui.lines(&plumb_model::Sources::new()).outputs(&shown),
        false => ui.result(&format!("\nOutputs:\n\n{}", outputs::outputs_text(&shown))),
    }
}

fn unknown(name: &str, all: &BTreeMap<EcoString, OutputValue>) -> StoreTrouble {
    let guess = diagnostic::did_you_mean(name, all.keys().map(EcoString::as_str));
    let help = guess.unwrap_or_else(|| match all.is_empty() {
        true => "No output is recorded: declare one, and apply.".into(),
        false => "`plumb output` lists all.".into(),
    });
    let diagnostic = Diagnostic::error("unknown-output", "There is no such output")
        .detail(format!("State has no output `{name}`."))
        .help(help);
    StoreTrouble { diagnostic, exit: Exit::Error }
}
