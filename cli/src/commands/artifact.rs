//! Plans as files: saved by `plumb plan -out`, shown by `plumb show`, carried out by `plumb apply FILE`.
//!
//! A saved plan holds the configuration that it was made from, so applying reads nothing of it from the working
//! directory: what was reviewed is what is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use ecow::EcoString;
use plumb_engine::changeset::binding::{self, Earlier};
use plumb_engine::changeset::{self, Artifact, Key, Opened, PlanOptions, ProviderLock};
use plumb_engine::plan::{Plan, Prior};
use plumb_model::address::{Instance, Target};
use plumb_model::{Diagnostic, Marks, Sources};
use plumb_state::State;

use crate::archive::ArchiveWorld;
use crate::args::PlanningArgs;
use crate::commands::state::report;
use crate::files;
use crate::registry::Registry;
use crate::session::{self, Session};
use crate::store;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Where the key is kept under which sensitive values in saved plans are concealed.
const KEY_FILE: &str = "plan-key";

/// The most bytes that a plan file may have; a longer one is not read into memory.
const MAX_FILE: u64 = 4 << 30;

/// Saves a plan.
///
/// # Errors
/// If a value has no saved form, or the file cannot be written.
pub fn write(
    path: &Path,
    plan: &Plan,
    session: &Session,
    world: &DiskWorld,
    args: &PlanningArgs,
) -> Result<(), Diagnostic> {
    let key = key_or_new()?;
    let sealed = changeset::seal(&artifact(plan, session, world, args)?, &key).map_err(|e| e.diagnostic())?;
    files::write_private(path, &sealed.bytes).map_err(|error| {
        Diagnostic::error("plan-file", "Plan cannot be saved")
            .detail(format!("{}: {error}.", path.display()))
            .help("Choose a directory that exists and can be written, with `-out=FILE`.")
    })
}

fn artifact(
    plan: &Plan,
    session: &Session,
    world: &DiskWorld,
    args: &PlanningArgs,
) -> Result<Artifact, Diagnostic> {
    let configuration: BTreeSet<&str> =
        session.program.sources.iter().map(|(_, source)| source.name.as_str()).collect();
    let (mut sources, mut read) = (BTreeMap::new(), BTreeMap::new());
    for file in world.files() {
        let content = std::fs::read(&file).map_err(|error| {
            Diagnostic::error("plan-file", "Plan cannot be saved").detail(format!(
                "{} was read while planning and cannot be read again: {error}.",
                file.display()
            ))
        })?;
        let name = file.strip_prefix(".").unwrap_or(&file).to_string_lossy().into_owned();
        if configuration.contains(name.as_str()) {
            sources.insert(name, content);
        } else {
            read.insert(name, content);
        }
    }
    let secret = |name: &str| session.program.root().variables.get(name).is_some_and(|v| v.sensitive);
    let inputs = session.variables.iter().map(|(name, value)| {
        let marks = if secret(name) { Marks::SENSITIVE } else { Marks::NONE };
        (name.clone(), value.clone().with_marks(marks))
    });
    let is_ephemeral =
        |name: &EcoString| session.program.root().variables.get(name).is_some_and(|decl| decl.ephemeral);
    let replace = args.replace.iter().filter_map(|text| match Target::parse(text) {
        Ok(Target::Resource(instance)) => Some(instance),
        _ => None,
    });
    Ok(Artifact {
        plan: plan.clone(),
        sources,
        files: read,
        inputs: inputs.collect(),
        ephemeral_inputs: session.variables.keys().filter(|name| is_ephemeral(name)).cloned().collect(),
        workspace: session::WORKSPACE.to_owned(),
        options: PlanOptions { refresh: args.refresh, replace: replace.collect::<Vec<Instance>>() },
        providers: providers(session),
        engine: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Exactly which providers a plan was made with.
fn providers(session: &Session) -> Vec<ProviderLock> {
    session.schemas.iter().map(|(source, _)| session.registry.build(source)).collect()
}

/// Refuses a plan that another build of a provider has made: what it forecast need not be what this one does.
fn check_providers(made_with: &[ProviderLock], registry: &Registry) -> Result<(), Diagnostic> {
    for before in made_with.iter().filter(|lock| !lock.digest.is_empty()) {
        let now = registry.build(&before.source);
        if now.digest != before.digest {
            let version = |lock: &ProviderLock| match lock.version.as_str() {
                "" => "a build without a version".to_owned(),
                version => format!("version {version}"),
            };
            return Err(Diagnostic::error("plan-for-another-provider", "Plan was made with another provider")
                .detail(format!(
                    "The plan was made with {} of provider {} ({}); {} is used here ({}).",
                    version(before),
                    before.source,
                    short(&before.digest),
                    version(&now),
                    short(&now.digest),
                ))
                .help("Make the plan again with the provider that is to carry it out, or install the one that made it."));
        }
    }
    Ok(())
}

/// The beginning of a digest, which is enough to tell two apart.
fn short(digest: &str) -> &str {
    match digest {
        "" => "not an installed program",
        digest => digest.get(..19).unwrap_or(digest),
    }
}

/// A saved plan to be carried out: the plan, what it was made from, and its digest.
///
/// # Errors
/// If it cannot be opened, or may not be carried out on this state; that has been shown.
pub fn open_for_applying(
    path: &Path,
    args: &PlanningArgs,
    state: &State,
    ui: &Ui,
) -> Result<(Plan, Session, String), Exit> {
    let opened = open(path, ui)?;
    let digest = opened.digest;
    let artifact = opened.for_applying().map_err(|error| refuse(error.diagnostic(), ui))?;
    let prior = match Prior::read(state) {
        Ok(prior) => prior,
        Err(found) => {
            ui.diagnostics(&found, &Sources::new());
            return Err(Exit::Error);
        }
    };
    let text = digest.to_string();
    let mut earlier = None;
    for operation in state.history() {
        let operation = operation.map_err(|error| report(error.into(), ui))?;
        if operation.plan_digest.as_deref() == Some(text.as_str()) {
            earlier = Some(Earlier { operation: operation.number, started: operation.started });
            break;
        }
    }
    if let Err(refusal) = binding::check(digest, &artifact.plan.state, &prior.binding, earlier) {
        refuse(refusal.diagnostic(), ui);
        return Err(Exit::Stale);
    }
    let (plan, made_with) = (artifact.plan.clone(), artifact.providers.clone());
    let ephemeral = artifact.ephemeral_inputs.clone();
    let mut session = session_of(artifact, ui).ok_or(Exit::Error)?;
    super::inputs_again::give(&mut session, &plan, &ephemeral, args, ui)?;
    if let Err(refusal) = check_providers(&made_with, &session.registry) {
        refuse(refusal, ui);
        return Err(Exit::Stale);
    }
    // What is deleted may be of a type that the configuration no longer names.
    let found = session.with_schemas(prior.types());
    if ui.diagnostics(&found, session.sources()) {
        return Err(Exit::Error);
    }
    Ok((plan, session, text))
}

/// A saved plan to be looked at.
///
/// # Errors
/// If it cannot be opened; that has been shown.
pub fn open_for_showing(path: &Path, ui: &Ui) -> Result<(Plan, Session), Exit> {
    let opened = open(path, ui)?;
    let plan = opened.artifact.plan.clone();
    let session = session_of(opened.artifact, ui).ok_or(Exit::Error)?;
    Ok((plan, session))
}

fn refuse(diagnostic: Diagnostic, ui: &Ui) -> Exit {
    ui.diagnostics(&diagnostic.into(), &Sources::new());
    Exit::Error
}

fn open(path: &Path, ui: &Ui) -> Result<Opened, Exit> {
    let unreadable = |problem: String| {
        Diagnostic::error("plan-file", "Plan cannot be read")
            .detail(format!("{}: {problem}.", path.display()))
            .help("Make one with `plumb plan -out=FILE`.")
    };
    let size = std::fs::metadata(path).map_err(|e| refuse(unreadable(e.to_string()), ui))?.len();
    if size > MAX_FILE {
        return Err(refuse(unreadable(format!("it has {size} bytes, more than any plan")), ui));
    }
    let bytes = std::fs::read(path).map_err(|e| refuse(unreadable(e.to_string()), ui))?;
    let key = key().map_err(|diagnostic| refuse(diagnostic, ui))?;
    changeset::open(&bytes, key.as_ref()).map_err(|error| refuse(error.diagnostic(), ui))
}

/// The configuration that a plan was made from.
fn session_of(artifact: Artifact, ui: &Ui) -> Option<Session> {
    let variables = artifact.inputs.into_iter().collect();
    let world = Arc::new(ArchiveWorld::new(artifact.sources, artifact.files));
    session::open_archived(world, variables, ui)
}

fn key() -> Result<Option<Key>, Diagnostic> {
    let path = Path::new(store::DATA_DIRECTORY).join(KEY_FILE);
    let bytes = files::read_if_there(&path).map_err(|error| key_trouble(&path, &error.to_string()))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let bytes: [u8; 32] =
        bytes.try_into().map_err(|_| key_trouble(&path, "it does not have the 32 bytes of a key"))?;
    Ok(Some(Key::new(bytes)))
}

fn key_or_new() -> Result<Key, Diagnostic> {
    if let Some(key) = key()? {
        return Ok(key);
    }
    let path = Path::new(store::DATA_DIRECTORY).join(KEY_FILE);
    let mut bytes = [0; 32];
    rand::fill(&mut bytes);
    std::fs::create_dir_all(store::DATA_DIRECTORY)
        .and_then(|()| files::write_private(&path, &bytes))
        .map_err(|error| key_trouble(&path, &error.to_string()))?;
    Ok(Key::new(bytes))
}

fn key_trouble(path: &Path, problem: &str) -> Diagnostic {
    Diagnostic::error("plan-key", "The key of saved plans cannot be used")
        .detail(format!("{}: {problem}.", path.display()))
        .help("Sensitive values in saved plans are concealed under this key. If it is lost, make the plan again.")
}
