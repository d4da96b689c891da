//! `plumb validate`.

use std::sync::Arc;

use plumb_semantics::World;

use crate::args::ValidateArgs;
use crate::render::diagnostic;
use crate::session;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs `plumb validate`.
pub fn run(args: &ValidateArgs, ui: &Ui) -> Exit {
    let world: Arc<dyn World> = Arc::new(DiskWorld::new());
    let checked = session::check_only(&world);
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
