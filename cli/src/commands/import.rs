//! `plumb import`: takes an existing object under management.
//!
//! It is planned like an `import` block, and kept in history as an operation of its own. Nothing else changes: how the
//! object differs from its configuration, the next plan tells.

use std::sync::Arc;

use plumb_engine::plan::{Options, Purpose};
use plumb_model::Diagnostic;
use plumb_model::address::{Instance, Mode, Target};
use plumb_state::InstanceKey;
use plumb_state::record::OperationKind;

use super::apply::{Work, carry_out};
use super::plan::{self, Opened};
use super::state::report;
use crate::args::ImportArgs;
use crate::ask::Missing;
use crate::session::{self, Session};
use crate::store;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs the command.
pub fn run(args: &ImportArgs, ui: &Ui) -> Exit {
    let world = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let Some(session) = session::open(world, &args.variables, Missing::by_flag(args.asking.input), ui) else {
        return Exit::Error;
    };
    let address = match address(&args.address, &session) {
        Ok(address) => address,
        Err(diagnostic) => return refuse(*diagnostic, &session, ui),
    };
    let opened = match store::open(&args.lock, "import", args.reason.as_deref()) {
        Ok(opened) => opened,
        Err(trouble) => return report(trouble, ui),
    };
    match opened.state.instance(&InstanceKey::current(address.to_string())) {
        Ok(None) => {}
        Ok(Some(_)) => return refuse(managed_already(&address), &session, ui),
        Err(error) => return report(error.into(), ui),
    }
    let options = Options {
        purpose: Purpose::RefreshOnly,
        refresh: false,
        targets: vec![Target::Resource(address.clone())],
        imports: vec![(address.clone(), args.id.as_str().into())],
        ..Options::default()
    };
    let opened = Opened::Locked(opened);
    let Some((session, plan)) = plan::make_for(session, options, &opened, ui) else { return Exit::Error };
    if plan.errored {
        return Exit::Error;
    }
    if !plan.changes.iter().any(|change| change.address == address && change.importing.is_some()) {
        return refuse(not_made(&address), &session, ui);
    }
    ui.remark(&format!("{address}: importing {}", plumb_syntax::quote(&args.id)));
    let parallelism = Options::default().parallelism;
    let work = Work { plan, session, state: opened.state(), kind: OperationKind::Import, digest: None };
    let exit = carry_out(work, args.reason.as_deref(), parallelism, ui);
    if exit == Exit::Done {
        ui.remark("How the object differs from its configuration: plumb plan");
    }
    exit
}

fn refuse(diagnostic: Diagnostic, session: &Session, ui: &Ui) -> Exit {
    ui.diagnostics(&diagnostic.into(), session.sources());
    Exit::Error
}

/// The instance that an address names, whose block is there.
fn address(text: &str, session: &Session) -> Result<Instance, Box<Diagnostic>> {
    let wrong = |problem: String| {
        Box::new(
            Diagnostic::error("wrong-address", "Not an address").detail(format!("ADDRESS: {problem}.")).help(
                "Put addresses with brackets in single quotes: plumb import 'module.m[\"k\"].file.a[0]' ID",
            ),
        )
    };
    let address = match Target::parse(text) {
        Ok(Target::Resource(address)) => address,
        Ok(Target::Module(module)) => {
            return Err(wrong(format!("`{module}` is a module, an instance is wanted")));
        }
        Err(error) => return Err(wrong(error.to_string())),
    };
    if address.resource.mode != Mode::Managed {
        return Err(wrong(format!("`{address}` is nothing that is managed, so it cannot be imported")));
    }
    match session.program.resource_node(&address.config()) {
        Some(_) => Ok(address),
        None => Err(Box::new(undeclared(&address))),
    }
}

fn undeclared(address: &Instance) -> Diagnostic {
    let resource = &address.resource;
    Diagnostic::error("unknown-import-target", "Configuration for import target does not exist")
        .detail(format!("There is no resource `{}` to import to.", address.config()))
        .help(format!(
            "Write `resource \"{}\" \"{}\" {{ … }}` first. Or write an `import` block, and let `plumb plan -generate-config-out=FILE` write the resource.",
            resource.kind, resource.name
        ))
}

fn not_made(address: &Instance) -> Diagnostic {
    Diagnostic::error("unknown-import-target", "Configuration for import target does not exist")
        .detail(format!("There is no instance `{address}` to import to."))
        .help("Import to an instance that `count` or `for_each` makes, or change those.")
}

fn managed_already(address: &Instance) -> Diagnostic {
    Diagnostic::error("already-managed", "Instance is managed already")
        .detail(format!("State has an object for `{address}`, and an instance is one object."))
        .help(format!("To take another object, let go of this one first: plumb state rm '{address}'"))
}
