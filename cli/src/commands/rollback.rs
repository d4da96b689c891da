//! `plumb rollback`: back to the state before an operation.
//!
//! What somebody else changed since is left as it is and named; everything else goes back, and the command ends with
//! [`Exit::Error`]. What cannot be taken back exactly is named with the reason, and is no error: it was shown before
//! anybody approved.

use std::sync::Arc;
use std::time::SystemTime;

use plumb_engine::cancel;
use plumb_engine::plan::{Options, Prior};
use plumb_engine::rollback::{self, Planning, RollbackPlan, Way};
use plumb_model::{Diagnostic, Diagnostics, Sources};
use plumb_semantics::eval::Phase;
use plumb_state::record::OperationKind;
use plumb_state::{State, StateError};

use crate::args::RollbackArgs;
use crate::ask::Missing;
use crate::commands::plan::{self, Opened};
use crate::commands::{apply, listen, output};
use crate::render::rollback_text;
use crate::session::{self, Session};
use crate::store::{self, StoreTrouble};
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs the command.
///
/// # Errors
/// If state cannot be read, written or locked, or there is no such operation.
pub fn run(args: &RollbackArgs, ui: &Ui) -> Result<Exit, StoreTrouble> {
    let opened = match args.preview {
        true => plan::open_for_planning(&args.lock, "rollback")?,
        false => Opened::Locked(store::open(&args.lock, "rollback", args.reason.as_deref())?),
    };
    ui.diagnostics(&store::warnings(opened.state()), &Sources::new());
    let Some(mut session) =
        session::open(Arc::new(DiskWorld::new()), &args.variables, Missing::by_flag(args.asking.input), ui)
    else {
        return Ok(Exit::Error);
    };
    let Some(back) = make(args, &mut session, &opened, ui)? else { return Ok(Exit::Error) };
    ui.write_result(|out| rollback_text::write_rollback(&back, &ui.out, out));
    let conflicts: Diagnostics = back.conflicts.iter().map(|conflict| conflict.diagnostic.clone()).collect();
    ui.diagnostics(&conflicts, session.sources());
    if back.plan.errored {
        return Ok(Exit::Error);
    }
    let exit = if conflicts.is_empty() { Exit::Done } else { Exit::Error };
    if args.preview || !back.has_changes() {
        return Ok(exit);
    }
    if !args.auto_approve
        && let Some(exit) = ask(&back, ui)
    {
        return Ok(exit);
    }
    let done = carry_out(args, back, &session, opened.state(), ui);
    Ok(if done == Exit::Done { exit } else { done })
}

/// Plans the way back, after finding out what became of steps in flight. `None` after errors, which have been shown.
fn make(
    args: &RollbackArgs,
    session: &mut Session,
    opened: &Opened,
    ui: &Ui,
) -> Result<Option<RollbackPlan>, StoreTrouble> {
    let state = opened.state();
    if let Opened::Locked(store) = opened {
        plan::settle_records(&store.state, ui)?;
    }
    loop {
        let way = match Way::read(state, args.operation) {
            Ok(way) => way,
            Err(StateError::NoSuchOperation(number)) => return Err(no_such_operation(state, number)?),
            Err(error) => return Err(error.into()),
        };
        let Some(planning) = plan_once(args, session, state, way, ui) else { return Ok(None) };
        match (planning.resolved.is_empty(), opened) {
            (false, Opened::Locked(store)) => {
                let errors = planning.diagnostics.iter().filter(|d| d.is_error()).cloned().collect();
                ui.diagnostics(&errors, session.sources());
                plan::resolve(&store.state, planning.resolved, ui)?;
            }
            (false, Opened::Read(_)) => return Err(still_running()),
            (true, _) => {
                ui.diagnostics(&planning.diagnostics, session.sources());
                return Ok(Some(planning.plan));
            }
        }
    }
}

fn plan_once(
    args: &RollbackArgs,
    session: &mut Session,
    state: &State,
    way: Way,
    ui: &Ui,
) -> Option<Planning> {
    let prior = match Prior::read(state) {
        Ok(prior) => prior,
        Err(found) => {
            ui.diagnostics(&found, session.sources());
            return None;
        }
    };
    let mut needed = prior.types();
    for (source, kinds) in way.types() {
        needed.entry(source).or_default().extend(kinds);
    }
    let found = session.with_schemas(needed);
    if ui.diagnostics(&found, session.sources()) {
        return None;
    }
    let (mut listener, voice) = listen::for_planning(ui);
    let (canceller, cancel) = cancel::channel();
    let inputs = plumb_engine::plan::Inputs {
        evaluator: session.evaluator(Phase::Plan, SystemTime::now()),
        schemas: session.schemas.clone(),
        factory: session.registry.clone(),
        prior,
        options: Options { parallelism: usize::from(args.parallelism), ..Options::default() },
        cancel,
        listener: &mut *listener,
    };
    Some(super::interruptibly(canceller, super::STOPPING_PLAN, voice, rollback::plan(inputs, way)))
}

/// Asks whether to go on; the exit code if not.
fn ask(back: &RollbackPlan, ui: &Ui) -> Option<Exit> {
    let question = match back.conflicts.is_empty() {
        true => "Go back?",
        false => "Go back as far as shown, and leave the rest?",
    };
    match ui.confirm(question) {
        Some(true) => None,
        Some(false) => {
            ui.remark("Not confirmed: nothing was changed.");
            Some(Exit::Error)
        }
        None => {
            let refused = Diagnostic::error("not-approved", "Nobody is there to approve")
                .detail("Standard input is not a terminal, so nobody can be asked. Nothing was changed.")
                .help("Look at the way back with `-preview`, then roll back with `-auto-approve`.");
            ui.diagnostics(&refused.into(), &Sources::new());
            Some(Exit::Error)
        }
    }
}

fn carry_out(args: &RollbackArgs, back: RollbackPlan, session: &Session, state: &State, ui: &Ui) -> Exit {
    let summary = back.plan.summary();
    let (mut listener, voice) = listen::for_steps(apply::steps(&summary), ui);
    let header = store::header(OperationKind::Rollback, Some(&reason(args, &back)), None);
    let back = Arc::new(back);
    let (canceller, cancel) = cancel::channel();
    let inputs = plumb_engine::execute::Inputs {
        plan: Arc::new(back.plan.clone()),
        evaluator: session.evaluator(Phase::Apply, SystemTime::now()),
        schemas: session.schemas.clone(),
        factory: session.registry.clone(),
        state,
        header,
        parallelism: usize::from(args.parallelism),
        cancel,
        listener: &mut *listener,
    };
    let work = rollback::execute(inputs, back.clone());
    let (report, found) = super::interruptibly(canceller, super::STOPPING_STEPS, voice, work);
    drop(listener);
    let failed = ui.diagnostics(&found, session.sources());
    apply::tell(&report, &found, ui);
    if failed || report.cancelled {
        return Exit::Error;
    }
    ui.remark(&apply::done(OperationKind::Rollback, &summary, &report));
    if !back.conflicts.is_empty() {
        ui.remark("What somebody changed since was left as it is; see above.");
    }
    output::tell(&report.outputs, ui);
    Exit::Done
}

/// Why, for the history: what the user said, else where it went back to.
fn reason(args: &RollbackArgs, back: &RollbackPlan) -> String {
    args.reason.clone().unwrap_or_else(|| format!("back to the state before operation {}", back.number))
}

fn no_such_operation(state: &State, number: u64) -> Result<StoreTrouble, StateError> {
    let last = state.history().next().transpose()?;
    let diagnostic = match last {
        None => Diagnostic::error("nothing-to-roll-back", "There is nothing to roll back")
            .detail("Nothing has been done yet: state has no operation."),
        Some(last) => Diagnostic::error("no-such-operation", "There is no such operation")
            .detail(format!("State has no operation {number}; the last one is {}.", last.number))
            .help("`plumb history` lists all."),
    };
    Ok(StoreTrouble { diagnostic, exit: Exit::Error })
}

fn still_running() -> StoreTrouble {
    let diagnostic = Diagnostic::error("operation-running", "An operation is still running")
        .detail("Steps of it have not ended, so what they come to is not known yet.")
        .help("Wait for it with `-lock-timeout=5m`, then look again.");
    StoreTrouble { diagnostic, exit: Exit::Locked }
}
