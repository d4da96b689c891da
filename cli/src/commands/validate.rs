//! `plumb validate`, and `plumb init` as far as a configuration needs it.

use std::sync::Arc;

use crate::args::{InitArgs, ValidateArgs, VariableArgs};
use crate::render::diagnostic;
use crate::session;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs `plumb validate`.
pub fn run(args: &ValidateArgs, ui: &Ui) -> Exit {
    let world = Arc::new(DiskWorld::new());
    let checked = session::check_only(&*world);
    if args.json {
        ui.result(&format!("{}\n", diagnostic::validate_json(&checked.diagnostics, &checked.program.sources)));
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

/// Runs `plumb init`: makes sure that the configuration loads and that its providers are there.
pub fn init(_: &InitArgs, ui: &Ui) -> Exit {
    let world = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let Some(session) = session::open(world, &VariableArgs::default(), ui) else {
        return Exit::Error;
    };
    for source in session::used_providers(&session.program) {
        let what = if source.is_builtin() { "compiled in" } else { "installed" };
        ui.remark(&format!("Provider {source}: {what}."));
    }
    ui.result("Ready. `plumb plan` shows what would change.\n");
    Exit::Done
}
