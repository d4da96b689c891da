//! `plumb metadata`: what the language offers.

use crate::args::MetadataCommand;
use crate::ui::{Exit, Ui};

/// Runs the command.
pub fn run(command: &MetadataCommand, ui: &Ui) -> Exit {
    match command {
        MetadataCommand::Functions { .. } => ui.result(&format!("{}\n", plumb_functions::metadata())),
    }
    Exit::Done
}
