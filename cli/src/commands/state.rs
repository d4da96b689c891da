//! `plumb state`: looking at what is recorded, and editing it without touching objects.

use std::fmt::Write as _;
use std::path::Path;

use plumb_model::address::Target;
use plumb_model::{Diagnostic, Diagnostics};
use plumb_state::record::OperationKind;
use plumb_state::state::{Edit, Edits};
use plumb_state::{InstanceKey, InstanceRecord, State};

use crate::args::{LockArgs, StateCommand};
use crate::store::{self, StoreTrouble};
use crate::ui::{Exit, Ui};

/// Runs the command.
///
/// # Errors
/// If state cannot be read or written, or does not hold what was named.
pub fn run(command: &StateCommand, ui: &Ui) -> Result<Exit, StoreTrouble> {
    match command {
        StateCommand::List { addresses } => list(addresses, ui),
        StateCommand::Show { address } => show(address, ui),
        StateCommand::Rm { addresses, dry_run, reason, lock } => {
            remove(addresses, *dry_run, reason.as_deref(), lock, ui)
        }
        StateCommand::Mv { from, to, dry_run, reason, lock } => {
            rename(from, to, *dry_run, reason.as_deref(), lock, ui)
        }
        StateCommand::Import { file, reason, lock } => import(file, reason.as_deref(), lock, ui),
        StateCommand::Export { file } => export(file.as_deref(), ui),
    }
}

fn records(state: &State) -> Result<Vec<InstanceRecord>, StoreTrouble> {
    state.snapshot()?.instances.map(|instance| Ok(instance?.record)).collect()
}

fn targets(texts: &[String]) -> Result<Vec<Target>, StoreTrouble> {
    texts.iter().map(|text| Target::parse(text).map_err(|e| wrong_address(&e.to_string()))).collect()
}

fn names(targets: &[Target], record: &InstanceRecord) -> bool {
    plumb_model::address::Instance::parse(&record.address)
        .is_ok_and(|address| targets.iter().any(|target| target.contains(&address)))
}

fn list(addresses: &[String], ui: &Ui) -> Result<Exit, StoreTrouble> {
    let targets = targets(addresses)?;
    let mut text = String::new();
    for record in records(&store::read()?)? {
        if (targets.is_empty() || names(&targets, &record)) && record.deposed.is_none() {
            let _ = writeln!(text, "{}", record.address);
        }
    }
    ui.result(&text);
    Ok(Exit::Done)
}

fn show(address: &str, ui: &Ui) -> Result<Exit, StoreTrouble> {
    let state = store::read()?;
    let Some(record) = state.instance(&InstanceKey::current(address))? else {
        return Err(unknown(address, &records(&state)?));
    };
    super::show::record(&record, ui);
    Ok(Exit::Done)
}

fn remove(
    addresses: &[String],
    dry_run: bool,
    reason: Option<&str>,
    lock: &LockArgs,
    ui: &Ui,
) -> Result<Exit, StoreTrouble> {
    let targets = targets(addresses)?;
    let opened = store::open(lock, "state rm", reason)?;
    let all = records(&opened.state)?;
    for (text, target) in addresses.iter().zip(&targets) {
        if !all.iter().any(|record| names(std::slice::from_ref(target), record)) {
            return Err(unknown(text, &all));
        }
    }
    let chosen: Vec<InstanceKey> =
        all.iter().filter(|record| names(&targets, record)).map(InstanceRecord::key).collect();
    for key in &chosen {
        ui.result(&format!("{} {key}\n", if dry_run { "Would remove" } else { "Removed" }));
    }
    if !dry_run {
        let records = chosen.into_iter().map(Edit::Remove).collect();
        let header = store::header(OperationKind::StateEdit, reason, None);
        opened.state.edit(header, Edits { records, ..Edits::default() })?;
    }
    Ok(Exit::Done)
}

fn rename(
    from: &str,
    to: &str,
    dry_run: bool,
    reason: Option<&str>,
    lock: &LockArgs,
    ui: &Ui,
) -> Result<Exit, StoreTrouble> {
    let (source, destination) = (Target::parse(from), Target::parse(to));
    let source = source.map_err(|e| wrong_address(&e.to_string()))?;
    let destination = destination.map_err(|e| wrong_address(&e.to_string()))?;
    let opened = store::open(lock, "state mv", reason)?;
    let all = records(&opened.state)?;
    let mut edits = Vec::new();
    for record in all.iter().filter(|record| names(std::slice::from_ref(&source), record)) {
        let Some(address) = moved(&record.address, &source, &destination) else {
            return Err(wrong_address(&format!(
                "`{from}` cannot become `{to}`: one is a module, the other is not"
            )));
        };
        let (from, to) = (record.key(), InstanceKey { address, deposed: record.deposed.clone() });
        ui.result(&format!("{} {from} to {to}\n", if dry_run { "Would move" } else { "Moved" }));
        edits.push(Edit::Move { from, to });
    }
    if edits.is_empty() {
        return Err(unknown(from, &all));
    }
    if !dry_run {
        let header = store::header(OperationKind::StateEdit, reason, None);
        opened.state.edit(header, Edits { records: edits, ..Edits::default() })?;
    }
    Ok(Exit::Done)
}

/// The address that an instance gets when what contains it moves.
fn moved(address: &str, from: &Target, to: &Target) -> Option<String> {
    let mut instance = plumb_model::address::Instance::parse(address).ok()?;
    match (from, to) {
        (Target::Resource(from), Target::Resource(to)) => {
            instance.module = to.module.clone();
            instance.resource = to.resource.clone();
            if from.key != plumb_model::address::Key::None || to.key != plumb_model::address::Key::None {
                instance.key = to.key.clone();
            }
        }
        (Target::Module(from), Target::Module(to)) => {
            let rest = instance.module.0[from.0.len()..].iter().cloned();
            let steps = to.0.iter().cloned().chain(rest).collect();
            instance.module = plumb_model::address::ModuleInstance(std::sync::Arc::new(steps));
        }
        _ => return None,
    }
    Some(instance.to_string())
}

fn import(file: &Path, reason: Option<&str>, lock: &LockArgs, ui: &Ui) -> Result<Exit, StoreTrouble> {
    let text = std::fs::read_to_string(file).map_err(|e| unreadable(file, &e.to_string()))?;
    let taken = plumb_state::tfstate::read(&text).map_err(|e| unreadable(file, &e.to_string()))?;
    let count = taken.instances.len();
    let opened = store::open(lock, "state import", reason)?;
    opened.state.edit(store::header(OperationKind::Import, reason, None), taken.into_edits())?;
    ui.remark(&format!("Took over {count} objects from {}.", file.display()));
    Ok(Exit::Done)
}

fn export(file: Option<&Path>, ui: &Ui) -> Result<Exit, StoreTrouble> {
    let text = store::read()?.to_terraform()?.write().map_err(|e| {
        trouble(
            Diagnostic::error("state-file", "State cannot be written in this format").detail(format!("{e}.")),
        )
    })?;
    match file {
        None => ui.result(&text),
        Some(file) => {
            crate::files::write_private(file, text.as_bytes())
                .map_err(|e| unreadable(file, &e.to_string()))?;
        }
    }
    Ok(Exit::Done)
}

fn trouble(diagnostic: Diagnostic) -> StoreTrouble {
    StoreTrouble { diagnostic, exit: Exit::Error }
}

fn wrong_address(problem: &str) -> StoreTrouble {
    trouble(
        Diagnostic::error("wrong-address", "Not an address")
            .detail(format!("{problem}."))
            .help("`plumb state list` shows the addresses of everything that is recorded."),
    )
}

fn unreadable(file: &Path, problem: &str) -> StoreTrouble {
    trouble(
        Diagnostic::error("state-file", "State file cannot be used")
            .detail(format!("{}: {problem}.", file.display())),
    )
}

fn unknown(address: &str, all: &[InstanceRecord]) -> StoreTrouble {
    let guess =
        plumb_model::diagnostic::did_you_mean(address, all.iter().map(|record| record.address.as_str()));
    trouble(
        Diagnostic::error("not-recorded", "Nothing is recorded under this address")
            .detail(format!("State holds nothing under `{address}`."))
            .help(guess.unwrap_or_else(|| "`plumb state list` shows what is recorded.".into())),
    )
}

/// Shows trouble with the state.
pub fn report(trouble: StoreTrouble, ui: &Ui) -> Exit {
    ui.diagnostics(&Diagnostics::from(trouble.diagnostic), &plumb_model::Sources::new());
    trouble.exit
}
