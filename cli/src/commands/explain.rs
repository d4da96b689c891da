//! `plumb explain`.

use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Sources};

use crate::args::ExplainArgs;
use crate::explain;
use crate::ui::{Exit, Ui};

/// Runs the command.
pub fn run(args: &ExplainArgs, ui: &Ui) -> Exit {
    let Some(code) = &args.code else {
        ui.result(&explain::list(&ui.out));
        return Exit::Done;
    };
    // Copied from a message, a code may come in its brackets.
    let code = code.trim_matches(['[', ']']);
    if let Some(page) = explain::page(code) {
        ui.result(&page.show(&ui.out));
        return Exit::Done;
    }
    let unknown = Diagnostic::error("unknown-code", "Unknown code")
        .detail(format!("No diagnostic has the code `{code}`."))
        .help("`plumb explain` lists all codes.")
        .maybe_help(did_you_mean(code, explain::PAGES.iter().map(|page| page.code)));
    ui.diagnostics(&unknown.into(), &Sources::new());
    Exit::Error
}
