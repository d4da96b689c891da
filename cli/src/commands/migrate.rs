//! `plumb migrate-config`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use plumb_model::{Diagnostic, Diagnostics, Sources};
use plumb_semantics::World;

use crate::args::MigrateArgs;
use crate::files;
use crate::migrate::overlay::Overlay;
use crate::migrate::{self, Migration};
use crate::session;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

use super::fmt::difference;

/// Runs the command.
pub fn run(args: &MigrateArgs, ui: &Ui) -> Exit {
    let world: Arc<dyn World> = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let before = session::check_leniently(&world, &[], None);
    if ui.diagnostics(&before.diagnostics, &before.program.sources) {
        ui.remark("Nothing was changed: only a configuration without errors can be turned.");
        return Exit::Error;
    }
    let migration = migrate::plan(&before.program);
    let refused = ui.diagnostics(&migration.refusals, &before.program.sources);
    if migration.files.is_empty() {
        if !refused {
            ui.result("Everything is in `.cfg` files already.\n");
        }
        return if refused { Exit::Error } else { Exit::Done };
    }
    let world: Arc<dyn World> = Arc::new(Overlay::new(world, &migration));
    let after = session::check_leniently(&world, &[], None);
    if after.diagnostics.has_errors() {
        ui.diagnostics(&after.diagnostics, &after.program.sources);
        ui.remark("Nothing was changed: as `.cfg` files these would have the errors above.");
        return Exit::Error;
    }
    let changed = migrate::changed_providers(&before.program, &after.program);
    if !changed.is_empty() {
        let bug = Diagnostic::error("not-migratable", "Cannot be turned into a `.cfg` file")
            .detail(format!("Another provider would manage {}.", changed.join(", ")))
            .help("Name the providers of all modules in `required_providers`, then try again.");
        ui.diagnostics(&bug.into(), &Sources::new());
        return Exit::Error;
    }
    show(&migration, args, ui);
    if args.write
        && let Err(trouble) = write(&migration)
    {
        ui.diagnostics(&Diagnostics::from(trouble), &Sources::new());
        return Exit::Error;
    }
    if refused { Exit::Error } else { Exit::Done }
}

/// The new names, and what is inserted.
fn show(migration: &Migration, args: &MigrateArgs, ui: &Ui) {
    let mut out = String::new();
    for file in &migration.files {
        let (from, to) = (file.from.display().to_string(), file.to.display().to_string());
        out.push_str(&format!("{from} -> {to}\n"));
        if file.before != file.after {
            out.push_str(&difference(&to, &file.before, &file.after));
        }
    }
    ui.result(&out);
    let count = migration.files.len();
    ui.remark(&match args.write {
        true => format!("\nTurned {}. Plans are what they were.", named(count)),
        false => format!("\nNothing was written. `plumb migrate-config -write` turns {}.", named(count)),
    });
}

fn named(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// Writes all new files, then removes the old ones: `.cfg` files hide others, so nothing is read twice. If a file cannot
/// be written, those before it are removed again.
fn write(migration: &Migration) -> Result<(), Diagnostic> {
    let trouble = |path: &Path, error: &std::io::Error| {
        Diagnostic::error("unreadable-file", "File cannot be read or written")
            .detail(format!("{}: {error}.", path.display()))
            .help(
                "Nothing was changed. Check the permissions of the directory, and that the disk is not full.",
            )
    };
    for (at, file) in migration.files.iter().enumerate() {
        if let Err(error) = files::write_shared(&file.to, file.after.as_bytes()) {
            for written in &migration.files[..at] {
                // What cannot be removed again is hidden by nothing, and the message names the directory.
                let _ = fs::remove_file(&written.to);
            }
            return Err(trouble(&file.to, &error));
        }
    }
    for file in &migration.files {
        if let Err(error) = fs::remove_file(&file.from) {
            return Err(
                trouble(&file.from, &error).help("The new files are complete; remove the old one by hand.")
            );
        }
    }
    Ok(())
}
