//! `plumb init`: installs the modules and the providers of a configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use plumb_engine::plan::Prior;
use plumb_engine::providers::Schemas;
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, Sources};
use plumb_provider_install::config::{Method, Origin};
use plumb_provider_install::{Address, Choice, Constraints, Installed, LockFile, lock};
use plumb_semantics::Loaded;

use crate::args::InitArgs;
use crate::registry::Registry;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;
use crate::{files, installed, modules, session, store};

/// Runs the command.
pub fn run(args: &InitArgs, ui: &Ui) -> Exit {
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
    let outcome = installed::required(&program).and_then(|wanted| install(args, wanted, ui));
    if let Err(found) = outcome {
        ui.diagnostics(&found, &program.sources);
        return Exit::Error;
    }
    // Asking the new providers what they offer shows now whether they run, and makes every later command start faster.
    let registry = Registry::for_program(&program);
    let used = session::used_providers(&program);
    let (_, trouble) = session::wait(Schemas::load(&registry, used.iter().cloned()));
    let found = trouble.into_iter().flat_map(|(_, errors)| errors).collect();
    if ui.diagnostics(&found, &program.sources) {
        return Exit::Error;
    }
    for source in used.iter().filter(|source| source.is_builtin()) {
        ui.remark(&format!("Provider {source}: compiled in."));
    }
    ui.result("Ready. `plumb plan` shows what would change.\n");
    Exit::Done
}

/// What may happen to what is locked.
fn choice(args: &InitArgs) -> Result<Choice, Diagnostics> {
    modules::choice(args.upgrade, args.lockfile.as_deref())
}

fn install(args: &InitArgs, mut wanted: BTreeMap<Address, Constraints>, ui: &Ui) -> Result<(), Diagnostics> {
    let choice = choice(args)?;
    for source in recorded_providers()?.iter().filter(|source| !source.is_builtin()) {
        wanted.entry(installed::address(source)?).or_default();
    }
    let mut installer = installed::installer()?;
    if !args.plugin_dir.is_empty() {
        let origins = args.plugin_dir.iter().map(|folder| Method::all(Origin::Filesystem(folder.clone())));
        installer.config.methods = Some(origins.collect());
    }
    // A process that runs already needs no package.
    let running = installed::running()?;
    wanted.retain(|address, _| !running.contains_key(&address.to_string()));
    let before = installed::read_lock()?;
    let done = installer.install(&wanted, &before, choice)?;
    ui.diagnostics(&done.warnings, &Sources::new());
    report(&done, &before, ui);
    save(&done.lock, &before, ui)
}

/// What state holds has to be managed by somebody until it is gone.
fn recorded_providers() -> Result<BTreeSet<ProviderSource>, Diagnostics> {
    let state = store::read().map_err(|trouble| Diagnostics::from(trouble.diagnostic))?;
    Ok(Prior::read(&state)?.types().into_keys().collect())
}

fn report(done: &Installed, before: &LockFile, ui: &Ui) {
    for (address, program) in &done.programs {
        let Some(now) = done.lock.providers.get(address) else {
            ui.remark(&format!("Provider {address}: {}.", program.display()));
            continue;
        };
        let how = match before.providers.get(address) {
            Some(was) if was.version == now.version => "as locked".to_owned(),
            Some(was) => format!("instead of {}", was.version),
            None if now.constraints.is_empty() => "newest".to_owned(),
            None => format!("newest of {}", now.constraints),
        };
        ui.remark(&format!("Provider {address} {}: installed ({how}).", now.version));
    }
}

fn save(lock: &LockFile, before: &LockFile, ui: &Ui) -> Result<(), Diagnostics> {
    if lock == before {
        return Ok(());
    }
    let path = Path::new(lock::FILE_NAME);
    files::write_shared(path, lock.to_string().as_bytes()).map_err(|error| {
        Diagnostic::error("lock-file-not-written", "The dependency lock file cannot be written")
            .detail(format!("{}: {error}.", path.display()))
            .help("Check the permissions of the directory, and that the disk is not full.")
    })?;
    let what = if before.providers.is_empty() { "Wrote" } else { "Changed" };
    ui.remark(&format!(
        "{what} {}: keep it in version control, so that everybody uses these versions.",
        lock::FILE_NAME
    ));
    Ok(())
}
