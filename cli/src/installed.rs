//! Installed providers: what the configuration requires, and where the programs are.
//!
//! Packages lie in a folder of the working directory, and the lock file, which Terraform shares, says which of them are meant.
//! Programs that the command-line configuration names for development (`dev_overrides`), and processes that somebody
//! else started (`TF_REATTACH_PROVIDERS`), need no installation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use plumb_engine::plan::Prior;
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, SourceId};
use plumb_provider_host::Source;
use plumb_provider_host::reattach::{self, Reattach};
use plumb_provider_install::config::CliConfig;
use plumb_provider_install::{Address, Constraints, Installer, LockFile, Platform, lock};
use plumb_registry::client::Patience;
use plumb_registry::{Client, Hosts, Settings};
use plumb_semantics::Program;

use crate::store::{self, DATA_DIRECTORY};
use crate::ui::Ui;
use crate::{compiled, files};

/// The installed providers of a working directory. Files are read when the first provider is looked for.
#[derive(Default)]
pub struct Installation {
    required: BTreeMap<Address, Constraints>,
    setup: OnceLock<Result<Setup, Diagnostics>>,
}

/// What the files of the working directory and of the user say.
struct Setup {
    installer: Installer,
    lock: LockFile,
    running: BTreeMap<String, Reattach>,
}

impl Setup {
    fn read() -> Result<Setup, Diagnostics> {
        Ok(Setup { installer: installer()?, lock: read_lock()?, running: running()? })
    }
}

impl Installation {
    /// What a configuration requires. A constraint that cannot be read was reported when the configuration was loaded.
    pub fn for_program(program: &Program) -> Installation {
        Installation { required: required(program).unwrap_or_default(), setup: OnceLock::new() }
    }

    fn setup(&self) -> Result<&Setup, Diagnostics> {
        self.setup.get_or_init(Setup::read).as_ref().map_err(Clone::clone)
    }

    /// Where the processes of a provider come from.
    ///
    /// # Errors
    /// If it is not installed, or what is installed is not what the lock file says.
    pub fn find(&self, source: &ProviderSource) -> Result<Source, Diagnostics> {
        let setup = self.setup()?;
        if let Some(running) = setup.running.get(&source.to_string()) {
            return Ok(Source::Running(running.clone()));
        }
        let address = address(source)?;
        let constraints = self.required.get(&address).cloned().unwrap_or_default();
        let wanted = BTreeMap::from([(address.clone(), constraints)]);
        let mut found = setup.installer.find(&wanted, &setup.lock)?;
        let program = found.programs.remove(&address).expect("what was looked for was found, or is an error");
        Ok(Source::Program(program))
    }

    /// The version of a provider that the lock file names; none of one that needs no installation.
    pub fn version(&self, source: &ProviderSource) -> Option<String> {
        let setup = self.setup().ok()?;
        let address = address(source).ok()?;
        if setup.running.contains_key(&source.to_string())
            || setup.installer.config.overrides.contains_key(&address)
        {
            return None;
        }
        setup.lock.providers.get(&address).map(|locked| locked.version.to_string())
    }

    /// Which of these providers are stood in for by programs under development.
    pub fn remarks(&self, sources: &BTreeSet<ProviderSource>) -> Diagnostics {
        let overridden = |setup: &Setup| {
            let wanted =
                sources.iter().filter_map(|source| Some((address(source).ok()?, Constraints::default())));
            let wanted = wanted.filter(|(address, _)| setup.installer.config.overrides.contains_key(address));
            setup
                .installer
                .find(&wanted.collect(), &setup.lock)
                .map(|found| found.warnings)
                .unwrap_or_default()
        };
        if sources.iter().all(compiled::is_compiled_in) {
            return Diagnostics::new();
        }
        self.setup().map(overridden).unwrap_or_default()
    }
}

/// What finds, in this working directory.
///
/// # Errors
/// What is wrong with the command-line configuration.
pub fn installer() -> Result<Installer, Diagnostics> {
    Ok(online()?.installer)
}

/// What installs into this working directory, and whom it can ask.
pub struct Online {
    /// Where providers come from and go to.
    pub installer: Installer,
    /// The servers.
    pub hosts: Hosts,
    /// What there is to say about the command-line configuration.
    pub warnings: Diagnostics,
}

/// What installs into this working directory. Nobody is asked before something is wanted.
///
/// # Errors
/// What is wrong with the command-line configuration.
pub fn online() -> Result<Online, Diagnostics> {
    let (settings, mut warnings) = Settings::load()?;
    let (config, more) = CliConfig::read(&settings)?;
    warnings.extend(more);
    let folder = absolute(Path::new(DATA_DIRECTORY).join("providers"));
    let installer = Installer { config, platform: Platform::current(), folder };
    let hosts = Hosts::new(settings, Client::new(Patience::from_environment()));
    Ok(Online { installer, hosts, warnings })
}

/// What the configuration and the state of the working directory need to be installed; a process that runs already needs no
/// package.
///
/// # Errors
/// Constraints that are none, or state that cannot be read.
pub fn needed(program: &Program) -> Result<BTreeMap<Address, Constraints>, Diagnostics> {
    let mut needed = required(program)?;
    for source in recorded()?.iter().filter(|source| !compiled::is_compiled_in(source)) {
        needed.entry(address(source)?).or_default();
    }
    let running = running()?;
    needed.retain(|address, _| !running.contains_key(&address.to_string()));
    Ok(needed)
}

/// The providers of what state holds: it has to be managed by somebody until it is gone.
///
/// # Errors
/// If state cannot be read.
pub fn recorded() -> Result<BTreeSet<ProviderSource>, Diagnostics> {
    let state = store::read().map_err(|trouble| Diagnostics::from(trouble.diagnostic))?;
    Ok(Prior::read(&state)?.types().into_keys().collect())
}

/// The processes that somebody else started, by the address of their provider.
///
/// # Errors
/// What is wrong with the variable that names them.
pub fn running() -> Result<BTreeMap<String, Reattach>, Diagnostics> {
    match std::env::var(reattach::VARIABLE) {
        Ok(text) if !text.trim().is_empty() => reattach::parse(&text),
        _ => Ok(BTreeMap::new()),
    }
}

/// Programs are started in other directories too, and links lead from there.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// The lock file of the working directory; empty if there is none.
///
/// # Errors
/// What is wrong with it.
pub fn read_lock() -> Result<LockFile, Diagnostics> {
    let path = Path::new(lock::FILE_NAME);
    let unreadable = |error: String| {
        let wrong = Diagnostic::error("invalid-lock-file", "Invalid dependency lock file");
        wrong.detail(format!("{}: {error}.", path.display()))
    };
    let Some(content) = files::read_if_there(path).map_err(|error| unreadable(error.to_string()))? else {
        return Ok(LockFile::default());
    };
    let text = String::from_utf8(content).map_err(|error| unreadable(error.to_string()))?;
    LockFile::parse(SourceId(u32::MAX), &text).map_err(|mut found| {
        // Whoever shows these knows only the texts of the configuration, so the place becomes part of the words.
        for diagnostic in found.iter_mut() {
            let line =
                diagnostic.span().map_or(1, |span| 1 + text[..span.start as usize].matches('\n').count());
            diagnostic.labels.clear();
            diagnostic.detail = format!("{}, line {line}: {}", path.display(), diagnostic.detail).into();
        }
        found
    })
}

/// Writes the lock file if it changes, and says so; gives whether it did.
///
/// # Errors
/// If it cannot be written.
pub fn save_lock(lock: &LockFile, before: &LockFile, ui: &Ui) -> Result<bool, Diagnostics> {
    if lock == before {
        return Ok(false);
    }
    let path = Path::new(lock::FILE_NAME);
    files::write_shared(path, lock.to_string().as_bytes()).map_err(|error| {
        Diagnostic::error("lock-file-not-written", "The dependency lock file cannot be written")
            .detail(format!("{}: {error}.", path.display()))
            .help("Check the permissions of the directory, and that the disk is not full.")
    })?;
    let what = if before.providers.is_empty() { "Wrote" } else { "Changed" };
    ui.step(
        "lock_info",
        &format!(
            "{what} {}: keep it in version control, so that everybody uses these versions.",
            lock::FILE_NAME
        ),
    );
    Ok(true)
}

/// The address under which a provider is installed.
///
/// # Errors
/// If no provider can have this name.
pub fn address(source: &ProviderSource) -> Result<Address, Diagnostics> {
    source.to_string().parse().map_err(|error| {
        Diagnostic::error("invalid-provider-source", "Invalid provider source string")
            .detail(format!("{error}."))
            .into()
    })
}

/// What the modules of a program require that is not compiled in: what they name, and what they use without naming it.
///
/// # Errors
/// Constraints that are none.
pub fn required(program: &Program) -> Result<BTreeMap<Address, Constraints>, Diagnostics> {
    let mut required: BTreeMap<Address, Constraints> = BTreeMap::new();
    let mut found = Diagnostics::new();
    for source in
        crate::session::used_providers(program).iter().filter(|source| !compiled::is_compiled_in(source))
    {
        match address(source) {
            Ok(address) => drop(required.entry(address).or_default()),
            Err(errors) => found.extend(errors),
        }
    }
    let modules = program.modules();
    for requirement in modules.flat_map(|(_, module)| module.required_providers.values()) {
        let Some((text, span)) = &requirement.version else { continue };
        let Ok(address) = address(&requirement.source) else { continue };
        match text.parse::<Constraints>() {
            Ok(constraints) => {
                required.entry(address).and_modify(|all| *all = all.and(&constraints)).or_insert(constraints);
            }
            Err(error) => found.push(
                Diagnostic::error("invalid-version-constraint", "Invalid version constraint")
                    .detail(format!("{error}."))
                    .at(*span),
            ),
        }
    }
    let installable = |address: &Address| {
        let source = ProviderSource::parse(&address.to_string());
        source.is_ok_and(|source| !compiled::is_compiled_in(&source))
    };
    required.retain(|address, _| installable(address));
    found.into_result().map(|_| required)
}
