//! `plumb interface`.

use plumb_semantics::Loaded;

use crate::args::InterfaceArgs;
use crate::interface;
use crate::modules;
use crate::session;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs the command.
pub fn run(args: &InterfaceArgs, ui: &Ui) -> Exit {
    let world = DiskWorld::new();
    if !session::require_configuration_in(&world, &args.directory, ui) {
        return Exit::Error;
    }
    let Loaded { program, diagnostics, .. } = modules::load_alone(&world, &args.directory);
    if ui.diagnostics(&diagnostics, &program.sources) {
        return Exit::Error;
    }
    let found = interface::of(program.root(), &program.sources);
    let json = match (args.json, args.schema) {
        (_, true) => Some(interface::json::schema(&found)),
        (true, false) => Some(interface::json::interface(&found)),
        (false, false) => None,
    };
    ui.result(&match json {
        Some(json) => format!("{json:#}\n"),
        None => interface::text::interface(&found, &ui.out),
    });
    Exit::Done
}
