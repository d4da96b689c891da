//! `plumb metadata` and `plumb providers`: what the language and the providers offer.

use std::sync::Arc;

use crate::args::{MetadataCommand, ProvidersArgs, VariableArgs};
use crate::session;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs `plumb metadata`.
pub fn run(command: &MetadataCommand, ui: &Ui) -> Exit {
    match command {
        MetadataCommand::Functions { .. } => ui.result(&format!("{}\n", plumb_functions::metadata())),
    }
    Exit::Done
}

/// Runs `plumb providers`.
pub fn providers(args: &ProvidersArgs, ui: &Ui) -> Exit {
    let world = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let Some(session) = session::open(world, &VariableArgs::default(), ui) else {
        return Exit::Error;
    };
    match &args.command {
        Some(_) => ui.result(&format!("{}\n", crate::render::schema_json::providers(&session.schemas))),
        None => {
            for source in session::used_providers(&session.program) {
                let what = if source.is_builtin() { " (compiled in)" } else { "" };
                ui.result(&format!("{source}{what}\n"));
            }
        }
    }
    Exit::Done
}
