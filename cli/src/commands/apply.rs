//! `plumb apply` and `plumb destroy`.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use plumb_engine::cancel;
use plumb_engine::execute::{self, Inputs, Report};
use plumb_engine::plan::{Plan, Purpose};
use plumb_model::{Diagnostic, Diagnostics, Sources};
use plumb_semantics::eval::Phase;
use plumb_state::State;
use plumb_state::record::OperationKind;

use crate::args::{ApplyArgs, PlanFormat};
use crate::commands::plan::{self, Opened};
use crate::commands::state::report;
use crate::session::{self, Session};
use crate::store;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs the command.
pub fn run(args: &ApplyArgs, destroy: bool, ui: &Ui) -> Exit {
    super::begin(ui);
    let command = if destroy { "destroy" } else { "apply" };
    if let Some(file) = &args.plan {
        return apply_saved(file, args, ui);
    }
    let world = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let opened = match store::open(&args.planning.lock, command, args.reason.as_deref()) {
        Ok(opened) => Opened::Locked(opened),
        Err(trouble) => return report(trouble, ui),
    };
    let purpose = plan::purpose(&args.planning, destroy);
    let Some((session, plan)) = plan::make(&args.planning, purpose, world, &opened, ui) else {
        return Exit::Error;
    };
    plan::show(&plan, &session, PlanFormat::Text, ui);
    if plan.errored {
        return Exit::Error;
    }
    if nothing_to_save(&plan) {
        finish_unchanged(&plan, ui);
        return Exit::Done;
    }
    if plan.has_changes()
        && !args.auto_approve
        && let Some(exit) = ask(&plan, ui)
    {
        return exit;
    }
    let kind = kind(&plan);
    carry_out(
        Work { plan, session, state: opened.state(), kind, digest: None },
        args.reason.as_deref(),
        usize::from(args.planning.parallelism),
        ui,
    )
}

fn kind(plan: &Plan) -> OperationKind {
    match plan.purpose {
        Purpose::Normal => OperationKind::Apply,
        Purpose::Destroy => OperationKind::Destroy,
        Purpose::RefreshOnly => OperationKind::Refresh,
    }
}

/// Asks whether to go on; the exit code if not.
pub fn ask(plan: &Plan, ui: &Ui) -> Option<Exit> {
    let question = match plan.purpose {
        Purpose::Destroy => "Really destroy all of this? It cannot be undone.",
        Purpose::RefreshOnly => "Record what has changed outside?",
        Purpose::Normal => "Carry this out?",
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
                .help("Apply with `-auto-approve`, or apply a plan that was made and reviewed before: `plumb plan -out=FILE`, `plumb apply FILE`.");
            ui.diagnostics(&refused.into(), &Sources::new());
            Some(Exit::Error)
        }
    }
}

fn apply_saved(file: &Path, args: &ApplyArgs, ui: &Ui) -> Exit {
    let opened = match store::open(&args.planning.lock, "apply", args.reason.as_deref()) {
        Ok(opened) => opened,
        Err(trouble) => return report(trouble, ui),
    };
    let (plan, session, digest) =
        match super::artifact::open_for_applying(file, &args.planning, &opened.state, ui) {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
    if nothing_to_save(&plan) {
        finish_unchanged(&plan, ui);
        return Exit::Done;
    }
    let kind = kind(&plan);
    let work = Work { plan, session, state: &opened.state, kind, digest: Some(digest) };
    carry_out(work, args.reason.as_deref(), usize::from(args.planning.parallelism), ui)
}

/// Whether state stays as it is. Objects that were found otherwise than recorded are recorded anew, although nothing is done to
/// them; nobody needs to approve of that.
fn nothing_to_save(plan: &Plan) -> bool {
    !plan.has_changes() && plan.drift.is_empty()
}

/// There is nothing to do: says so, and shows the outputs.
fn finish_unchanged(plan: &Plan, ui: &Ui) {
    let outputs =
        plan.outputs.iter().filter_map(|(name, o)| Some((name.clone(), o.after.clone()?))).collect();
    super::output::tell(&outputs, ui);
}

/// A plan to carry out, with all that it takes.
pub struct Work<'a> {
    /// What to do.
    pub plan: Plan,
    /// The configuration that it was made from.
    pub session: Session,
    /// The state, locked.
    pub state: &'a State,
    /// What history calls it.
    pub kind: OperationKind,
    /// The digest of the saved plan.
    pub digest: Option<String>,
}

/// Carries a plan out and tells how it went.
pub fn carry_out(work: Work, reason: Option<&str>, parallelism: usize, ui: &Ui) -> Exit {
    let Work { plan, session, state, kind, digest } = work;
    let summary = plan.summary();
    let (mut listener, voice) = super::listen::for_steps(steps(&summary), ui);
    let header = store::header(kind, reason, digest);
    let (canceller, cancel) = cancel::channel();
    let inputs = Inputs {
        plan: Arc::new(plan),
        evaluator: session.evaluator(Phase::Apply, SystemTime::now()),
        schemas: session.schemas.clone(),
        factory: session.registry.clone(),
        state,
        header,
        parallelism,
        cancel,
        listener: &mut *listener,
    };
    let work = execute::execute(inputs);
    let (report, found) = super::interruptibly(canceller, super::STOPPING_STEPS, voice, work);
    drop(listener);
    let failed = ui.diagnostics(&found, session.sources());
    tell(&report, &found, ui);
    if ui.json {
        ui.lines(session.sources())
            .summary(&summary, if kind == OperationKind::Destroy { "destroy" } else { "apply" });
    }
    if !failed && !report.cancelled {
        ui.remark(&done(kind, &summary, &report));
        super::output::tell(&report.outputs, ui);
    }
    if failed || report.cancelled { Exit::Error } else { Exit::Done }
}

/// Names what was not tried, and says how to go on after trouble.
pub(super) fn tell(report: &Report, found: &Diagnostics, ui: &Ui) {
    const LISTED: usize = 20;
    if !report.skipped.is_empty() {
        ui.remark("\nNot tried, since something they depend on failed:");
        for (address, because) in report.skipped.iter().take(LISTED) {
            ui.remark(&format!("  {address} (because of {because})"));
        }
        if report.skipped.len() > LISTED {
            ui.remark(&format!("  and {} more", report.skipped.len() - LISTED));
        }
    }
    if report.cancelled {
        ui.remark("\nStopped before the end. Everything that was done is recorded; `plumb plan` shows what is left.");
    } else if found.has_errors()
        && let Some(operation) = &report.operation
    {
        ui.remark(&format!(
            "\nWhat succeeded is recorded as operation {0}. `plumb plan` shows what is left, `plumb rollback {0}` goes back.",
            operation.number
        ));
    }
}

/// How many steps a plan has, as far as they can be counted beforehand.
pub(super) fn steps(summary: &plumb_engine::plan::Summary) -> usize {
    summary.create + summary.update + summary.delete + 2 * summary.replace + summary.read
}

pub(super) fn done(kind: OperationKind, planned: &plumb_engine::plan::Summary, report: &Report) -> String {
    let counts = report.operation.as_ref().map(|operation| operation.counts).unwrap_or_default();
    let replaced = planned.replace as u64;
    let parts = [
        (counts.create.saturating_sub(replaced), "created"),
        (counts.update, "updated"),
        (replaced, "replaced"),
        (counts.delete.saturating_sub(replaced), "destroyed"),
        (counts.forget, "forgotten"),
        (planned.import as u64, "imported"),
        (counts.invoke, if counts.invoke == 1 { "action invoked" } else { "actions invoked" }),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let what = if parts.is_empty() { "state is up to date".to_owned() } else { parts.join(", ") };
    let number = report.operation.as_ref().map(|operation| format!(" (operation {})", operation.number));
    let verb = match kind {
        OperationKind::Destroy => "Destroyed",
        OperationKind::Rollback => "Rolled back",
        _ => "Applied",
    };
    format!("\n{verb}: {what}.{}", number.unwrap_or_default())
}
