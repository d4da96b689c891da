//! `plumb get`: installs the modules that a configuration calls, and nothing else.

use std::fmt::Write as _;
use std::sync::Arc;

use plumb_model::Sources;
use plumb_semantics::{Loaded, Program};

use crate::args::GetArgs;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;
use crate::{modules, session};

/// Runs the command.
pub fn run(args: &GetArgs, ui: &Ui) -> Exit {
    let world = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let installed = modules::choice(args.upgrade, args.lockfile.as_deref())
        .and_then(|choice| modules::install(world, &args.variables.in_order, choice, ui));
    match installed {
        Ok(Loaded { program, diagnostics, .. }) => {
            if ui.diagnostics(&diagnostics, &program.sources) {
                return Exit::Error;
            }
            ui.result(&list(&program));
            Exit::Done
        }
        Err(found) => {
            ui.diagnostics(&found, &Sources::new());
            Exit::Error
        }
    }
}

/// Where each called module is.
fn list(program: &Program) -> String {
    let mut text = String::new();
    for (_, module) in program.modules().filter(|(_, module)| module.parent.is_some()) {
        let version = module.origin.as_ref().and_then(|origin| origin.version.as_ref());
        let version = version.map_or_else(String::new, |version| format!(" {version}"));
        let names: Vec<&str> = module.path.0.iter().map(|name| name.as_str()).collect();
        let _ = writeln!(text, "- {}{version} in {}", names.join("."), module.directory.display());
    }
    if text.is_empty() { "The configuration calls no modules.\n".to_owned() } else { text }
}
