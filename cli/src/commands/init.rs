//! `plumb init`: installs the modules and the providers of a configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use plumb_engine::providers::Schemas;
use plumb_model::diagnostic::Severity;
use plumb_model::{Diagnostics, Sources};
use plumb_provider_install::config::{Method, Origin};
use plumb_provider_install::{Address, Choice, Constraints, Installed};
use plumb_semantics::Loaded;

use super::begin;
use crate::args::InitArgs;
use crate::installed::{self, Online};
use crate::installing::Installing;
use crate::registry::Registry;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;
use crate::{compiled, modules, session};

/// Runs the command.
pub fn run(args: &InitArgs, ui: &Ui) -> Exit {
    begin(ui);
    let world = Arc::new(DiskWorld::new());
    if let Some(source) = &args.from_module
        && let Err(problem) = modules::copy(&*world, source, ui)
    {
        ui.diagnostics(&problem.into(), &Sources::new());
        return Exit::Error;
    }
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let options = &args.variables.in_order;
    let loaded = match args.get {
        true => match choice(args).and_then(|choice| modules::install(world.clone(), options, choice, ui)) {
            Ok(loaded) => loaded,
            Err(found) => {
                ui.diagnostics(&found, &Sources::new());
                return Exit::Error;
            }
        },
        false => modules::load(&*world, options),
    };
    let Loaded { program, diagnostics, .. } = loaded;
    if ui.diagnostics(&diagnostics, &program.sources) {
        return Exit::Error;
    }
    let outcome = installed::needed(&program).and_then(|wanted| install(args, &wanted, ui));
    if let Err(found) = outcome {
        ui.diagnostics(&found, &program.sources);
        return Exit::Error;
    }
    // Asking the new providers what they offer shows now whether they run, and makes every later command start faster.
    let registry = Registry::for_program(&program);
    let used = session::used_providers(&program);
    let (_, trouble) = session::wait(Schemas::load(&registry, used.iter().cloned()));
    // They are installed all the same, as after `terraform init`: who only needs their packages is not held up.
    let mut found: Diagnostics = trouble.into_iter().flat_map(|(_, errors)| errors).collect();
    found.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Warning);
    ui.diagnostics(&found, &program.sources);
    for source in used.iter().filter(|source| compiled::is_compiled_in(source)) {
        ui.remark(&format!("Provider {source}: compiled in."));
    }
    let ready = "Ready. `plumb plan` shows what would change.";
    if ui.json {
        ui.step("output_init_success_message", ready);
    } else {
        ui.result(&format!("{ready}\n"));
    }
    Exit::Done
}

/// What may happen to what is locked.
fn choice(args: &InitArgs) -> Result<Choice, Diagnostics> {
    modules::choice(args.upgrade, args.lockfile.as_deref())
}

fn install(args: &InitArgs, wanted: &BTreeMap<Address, Constraints>, ui: &Ui) -> Result<(), Diagnostics> {
    let choice = choice(args)?;
    let Online { mut installer, hosts, warnings } = installed::online()?;
    ui.diagnostics(&warnings, &Sources::new());
    if !args.plugin_dir.is_empty() {
        let origins = args.plugin_dir.iter().map(|folder| Method::all(Origin::Filesystem(folder.clone())));
        installer.config.methods = Some(origins.collect());
    }
    let before = installed::read_lock()?;
    if ui.json && !wanted.is_empty() {
        ui.step("initializing_provider_plugin_message", "Installing providers");
    }
    let progress = Installing::new(ui, &before);
    let done = session::wait(installer.install(wanted, &before, choice, &hosts, &progress));
    drop(progress);
    let Installed { mut lock, warnings, .. } = done?;
    ui.diagnostics(&warnings, &Sources::new());
    // A process that runs already stands in for a package that may be locked.
    let running = installed::running()?;
    let kept = before.providers.iter().filter(|(address, _)| running.contains_key(&address.to_string()));
    lock.providers.extend(kept.map(|(address, locked)| (address.clone(), locked.clone())));
    installed::save_lock(&lock, &before, ui).map(drop)
}
