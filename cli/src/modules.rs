//! Modules that are not local: where they are installed, loading a configuration with them, and installing them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_model::diagnostic::Severity;
use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_modules::{Event, Installation, Installer, fetch::Fetcher, lock};
use plumb_provider_install::Choice;
use plumb_semantics::inputs::{self, InputOption};
use plumb_semantics::load::has_configuration;
use plumb_semantics::{InstalledModules, LoadOptions, Loaded, Module, NoneInstalled, Texts, World};

use crate::archive::ArchiveWorld;
use crate::files;
use crate::session::{self, TERRAFORM_VERSION, WORKSPACE};
use crate::store::DATA_DIRECTORY;
use crate::ui::Ui;
use crate::world::DiskWorld;

/// Trouble with what a module needs to be loaded, and with nothing in the files.
const NOT_HERE: [&str; 2] = ["module-not-installed", "constant-without-value"];

/// Where modules are installed.
pub fn folder() -> PathBuf {
    Path::new(DATA_DIRECTORY).join("modules")
}

/// Loads the configuration of the working directory with the modules that are installed.
pub fn load(world: &dyn World, options: &[InputOption]) -> Loaded {
    load_again(world, options, None)
}

/// The same where it is loaded again and again: texts that did not change are not parsed again.
fn load_again(world: &dyn World, options: &[InputOption], texts: Option<&mut Texts>) -> Loaded {
    let constants = |root: &Module| given(world, root, options);
    match Installation::open(world, &folder(), Path::new(lock::FILE_NAME)) {
        Ok(installed) => load_in(Path::new("."), world, &installed, &constants, texts),
        Err(found) => {
            let mut loaded = load_in(Path::new("."), world, &NoneInstalled, &constants, texts);
            // Whether anything is missing cannot be said without the lock.
            let others = loaded.diagnostics.into_iter().filter(|d| d.code != NOT_HERE[0]);
            loaded.diagnostics = others.chain(found).collect();
            loaded
        }
    }
}

/// The same for a command that needs nothing but the files: modules that are not there are worth a warning, and the rest is
/// looked at. `texts` has what was parsed when it was loaded before, where it is loaded again and again.
pub fn load_leniently(world: &dyn World, options: &[InputOption], texts: Option<&mut Texts>) -> Loaded {
    let mut loaded = load_again(world, options, texts);
    if loaded.missing.iter().any(|request| request.library) {
        // Without a library nobody knows what its types and functions are, and little can be checked.
        return loaded;
    }
    for diagnostic in loaded.diagnostics.iter_mut().filter(|d| NOT_HERE.contains(&d.code)) {
        diagnostic.severity = Severity::Warning;
        diagnostic.notes.push("Calls of it are not checked.".into());
    }
    loaded
}

/// Loads the module in a directory, to look at what it declares: what it calls need not be installed.
pub fn load_alone(world: &dyn World, directory: &Path) -> Loaded {
    let mut loaded = load_in(directory, world, &NoneInstalled, &|_| IndexMap::new(), None);
    loaded.diagnostics = loaded.diagnostics.into_iter().filter(|d| !NOT_HERE.contains(&d.code)).collect();
    loaded
}

/// Loads the configuration of a saved plan: its modules are in it.
pub fn load_archived(world: &ArchiveWorld, variables: &IndexMap<EcoString, Value>) -> Loaded {
    let kept = |path: &Path| world.kept(path).map(<[u8]>::to_vec);
    load_with(world, &Installation::archived(kept, &folder()), &|_| variables.clone())
}

fn load_with(
    world: &dyn World,
    installed: &dyn InstalledModules,
    constants: &dyn Fn(&Module) -> IndexMap<EcoString, Value>,
) -> Loaded {
    load_in(Path::new("."), world, installed, constants, None)
}

fn load_in(
    directory: &Path,
    world: &dyn World,
    installed: &dyn InstalledModules,
    constants: &dyn Fn(&Module) -> IndexMap<EcoString, Value>,
    texts: Option<&mut Texts>,
) -> Loaded {
    let options = LoadOptions {
        installed,
        constants,
        workspace: WORKSPACE.into(),
        terraform_version: TERRAFORM_VERSION,
    };
    match texts {
        Some(texts) => plumb_semantics::load_again(world, directory, &options, texts),
        None => plumb_semantics::load(world, directory, &options),
    }
}

/// The values that the user gave to variables. What is wrong with them is said when all of them are collected.
fn given(world: &dyn World, root: &Module, options: &[InputOption]) -> IndexMap<EcoString, Value> {
    let nowhere = plumb_model::SourceId(u32::MAX / 2);
    inputs::collect(world, root, Path::new("."), options, nowhere).values
}

/// What may happen to locked choices, as the flags of `init` and `get` have it.
///
/// # Errors
/// The flags contradict each other, or are none.
pub fn choice(upgrade: bool, lockfile: Option<&str>) -> Result<Choice, Diagnostics> {
    match (lockfile, upgrade) {
        (None, false) => Ok(Choice::Keep),
        (None, true) => Ok(Choice::Upgrade),
        (Some("readonly"), false) => Ok(Choice::Readonly),
        (Some("readonly"), true) => Err(Diagnostic::error("wrong-usage", "Conflicting flags")
            .detail("`-upgrade` chooses new versions, and `-lockfile=readonly` allows none.")
            .into()),
        (Some(mode), _) => Err(Diagnostic::error("wrong-usage", "Unknown mode of the lock file")
            .detail(format!("`-lockfile={mode}` means nothing."))
            .help("The only mode is `-lockfile=readonly`.")
            .into()),
    }
}

/// Installs the modules of the working directory, and gives the configuration with them. What could not be installed
/// is among its diagnostics.
///
/// # Errors
/// Nothing can be installed here at all.
pub fn install(
    world: Arc<DiskWorld>,
    options: &[InputOption],
    choice: Choice,
    ui: &Ui,
) -> Result<Loaded, Diagnostics> {
    let loaded = load(&*world, options);
    let concerned = !loaded.missing.is_empty()
        || loaded.program.modules().any(|(_, module)| module.is_fetched())
        || Path::new(lock::FILE_NAME).exists();
    if !concerned {
        return Ok(loaded);
    }
    let constants = |root: &Module| given(&*world, root, options);
    let installer = Installer {
        folder: folder(),
        lock: lock::FILE_NAME.into(),
        choice,
        fetcher: Fetcher::default(),
        tell: &|event| tell(&event, ui),
        write: &files::write_shared,
    };
    let outcome = session::wait(installer.install(|installed| load_with(&*world, installed, &constants)))?;
    let mut loaded = outcome.loaded;
    if outcome.diagnostics.has_errors() {
        // Why they are not installed is said below.
        loaded.diagnostics = loaded.diagnostics.into_iter().filter(|d| d.code != NOT_HERE[0]).collect();
    }
    loaded.diagnostics.extend(outcome.diagnostics);
    loaded.diagnostics.sort();
    if let Some(there) = outcome.wrote_lock {
        let what = if there { "Changed" } else { "Wrote" };
        ui.remark(&format!(
            "{what} {}: keep it in version control, so that everybody uses these modules.",
            lock::FILE_NAME
        ));
    }
    Ok(loaded)
}

/// Begins with a copy of a module, in a directory that has no configuration.
///
/// # Errors
/// It has one, or the module cannot be fetched or copied.
pub fn copy(world: &dyn World, source: &str, ui: &Ui) -> Result<(), Diagnostic> {
    if has_configuration(world, Path::new(".")) {
        return Err(Diagnostic::error("module-not-copied", "Module cannot be copied")
            .detail("This directory has configuration files already.")
            .help("Use `-from-module` in an empty directory."));
    }
    session::wait(plumb_modules::copy(&Fetcher::default(), source, Path::new(".")))?;
    ui.remark(&format!("Copied {source} into this directory."));
    Ok(())
}

fn tell(event: &Event<'_>, ui: &Ui) {
    let short = |commit: &Option<String>| commit.as_ref().map(|commit| commit[..12].to_owned());
    match event {
        Event::Waiting => ui.remark("Another process is installing modules here; waiting for it."),
        Event::Fetching(package) => ui.remark(&format!("Module {package}: fetching.")),
        Event::Fetched(package, now, before) => {
            let commit = short(&now.commit).map_or_else(String::new, |commit| format!(", commit {commit}"));
            let before = before.map(|before| short(&before.commit).unwrap_or_else(|| "other content".into()));
            let before = before.map_or_else(String::new, |before| format!(" instead of {before}"));
            ui.remark(&format!("Module {package}: installed{commit}{before}."));
        }
    }
}
