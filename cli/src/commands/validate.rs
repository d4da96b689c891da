//! `plumb validate`.

use std::sync::Arc;

use crate::args::ValidateArgs;
use crate::modules;
use crate::render::diagnostic;
use crate::session;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs `plumb validate`.
pub fn run(args: &ValidateArgs, ui: &Ui) -> Exit {
    let world = Arc::new(DiskWorld::new());
    let checked = session::check(modules::load_leniently(&*world, &args.variables.in_order));
    if args.json {
        ui.result(&format!(
            "{}\n",
            diagnostic::validate_json(&checked.diagnostics, &checked.program.sources)
        ));
    } else {
        ui.diagnostics(&checked.diagnostics, &checked.program.sources);
    }
    if checked.diagnostics.has_errors() {
        return Exit::Error;
    }
    if !args.json {
        ui.result("The configuration is valid.\n");
    }
    Exit::Done
}
