//! `plumb plan`, and what planning has in common with applying.

use std::sync::Arc;
use std::time::SystemTime;

use plumb_engine::cancel;
use plumb_engine::event::Listener;
use plumb_engine::plan::{self, Inputs, Options, Plan, Planning, Prior, Purpose, Resolution};
use plumb_model::address::{Instance, Target};
use plumb_model::{Diagnostic, Diagnostics, Sources};
use plumb_semantics::eval::Phase;
use plumb_state::State;
use plumb_state::record::{StepAction, StepRecord, StepStatus};
use plumb_state::state::{After, StepOutcome};

use crate::args::{LockArgs, PlanArgs, PlanFormat, PlanningArgs};
use crate::ask::Missing;
use crate::commands::listen::Voice;
use crate::commands::state::report;
use crate::render::{plan_markdown, plan_text};
use crate::session::{self, Session};
use crate::store::{self, Store, StoreTrouble};
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs the command.
pub fn run(args: &PlanArgs, ui: &Ui) -> Exit {
    super::begin(ui);
    let world = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let mut planning = args.planning.clone();
    if let Some(file) = &args.generate_config_out {
        match super::generate::write(file, &planning, &world, ui) {
            // Nobody is asked twice.
            Ok(answers) => planning.variables.in_order.extend(answers),
            Err(exit) => return exit,
        }
    }
    let opened = match open_for_planning(&planning.lock, "plan") {
        Ok(opened) => opened,
        Err(trouble) => return report(trouble, ui),
    };
    let purpose = purpose(&planning, false);
    let Some((session, plan)) = make(&planning, purpose, world.clone(), &opened, ui) else {
        return Exit::Error;
    };
    show(&plan, &session, args.format, ui);
    if plan.errored {
        return Exit::Error;
    }
    if let Some(out) = &args.out {
        if let Err(found) = super::artifact::write(out, &plan, &session, &world, &planning) {
            ui.diagnostics(&found.into(), &Sources::new());
            return Exit::Error;
        }
        ui.remark(&format!("\nSaved to {0}. To do exactly this: plumb apply {0}", out.display()));
    }
    match args.detailed_exitcode && plan.has_changes() {
        true => Exit::Changes,
        false => Exit::Done,
    }
}

/// What is planned for.
pub fn purpose(args: &PlanningArgs, destroy: bool) -> Purpose {
    match (args.destroy || destroy, args.refresh_only) {
        (true, _) => Purpose::Destroy,
        (false, true) => Purpose::RefreshOnly,
        (false, false) => Purpose::Normal,
    }
}

/// A state to plan from: locked for changing where it must be mended first, else only read.
pub enum Opened {
    /// Nothing is going to be changed.
    Read(State),
    /// Nobody else can change it.
    Locked(Store),
}

impl Opened {
    /// The state.
    pub fn state(&self) -> &State {
        match self {
            Opened::Read(state) => state,
            Opened::Locked(store) => &store.state,
        }
    }
}

/// Opens the state for a plan. Planning locks nobody out, except where steps of a process that ended are in flight:
/// finding out what became of them changes state.
pub(super) fn open_for_planning(args: &LockArgs, command: &str) -> Result<Opened, StoreTrouble> {
    let state = store::read()?;
    if state.unfinished()?.is_empty() || !args.lock {
        return Ok(Opened::Read(state));
    }
    drop(state);
    match store::open(args, command, None) {
        Ok(store) => Ok(Opened::Locked(store)),
        // It is not a process that ended, but one that runs: plan from what is there.
        Err(StoreTrouble { exit: Exit::Locked, .. }) => Ok(Opened::Read(store::read()?)),
        Err(trouble) => Err(trouble),
    }
}

/// Makes a plan, after finding out what became of steps in flight. `None` after errors, which have been shown.
pub fn make(
    args: &PlanningArgs,
    purpose: Purpose,
    world: Arc<DiskWorld>,
    opened: &Opened,
    ui: &Ui,
) -> Option<(Session, Plan)> {
    let options = match options(args, purpose) {
        Ok(options) => options,
        Err(found) => {
            ui.diagnostics(&found, &Sources::new());
            return None;
        }
    };
    let session = session::open(world, &args.variables, Missing::by_flag(args.asking.input), ui)?;
    make_for(session, options, opened, ui)
}

/// Makes a plan of a configuration that has been opened. `None` after errors, which have been shown.
pub(super) fn make_for(
    mut session: Session,
    options: Options,
    opened: &Opened,
    ui: &Ui,
) -> Option<(Session, Plan)> {
    ui.diagnostics(&store::warnings(opened.state()), &Sources::new());
    if let Opened::Locked(store) = opened
        && let Err(error) = settle_records(&store.state, ui)
    {
        report(error.into(), ui);
        return None;
    }
    let unknown = plan::invoking::check_asked(&session.program, &options.invoke);
    if ui.diagnostics(&unknown, session.sources()) {
        return None;
    }
    loop {
        let planning = plan_once(&mut session, opened.state(), options.clone(), ui)?;
        let resolved = !planning.resolved.is_empty();
        if resolved && let Opened::Locked(store) = opened {
            ui.diagnostics(
                &planning.diagnostics.iter().filter(|d| d.is_error()).cloned().collect(),
                session.sources(),
            );
            if let Err(error) = resolve(&store.state, planning.resolved, ui) {
                report(error.into(), ui);
                return None;
            }
            continue;
        }
        ui.diagnostics(&planning.diagnostics, session.sources());
        return Some((session, planning.plan));
    }
}

/// Steps in flight that were about records alone changed nothing outside: their records are as they were. Nobody can be
/// asked what became of an action, so the user is told.
pub(super) fn settle_records(state: &State, ui: &Ui) -> Result<(), plumb_state::StateError> {
    let mut outcomes = Vec::new();
    let mut found = Diagnostics::new();
    for step in state.in_flight()? {
        let outcome = match step.action {
            StepAction::State | StepAction::Forget | StepAction::Read => {
                StepOutcome::failed("interrupted", After::Kept)
            }
            StepAction::Invoke => {
                found.push(action_in_doubt(&step));
                StepOutcome { status: StepStatus::InDoubt, ..StepOutcome::kept() }
            }
            StepAction::Create | StepAction::Update | StepAction::Delete => continue,
        };
        outcomes.push((step.step(), outcome));
    }
    ui.diagnostics(&found, &Sources::new());
    state.resolve(outcomes)
}

fn action_in_doubt(step: &StepRecord) -> Diagnostic {
    let address = &step.key.address;
    let why = step.planned.as_ref().and_then(|text| serde_json::from_str(text.as_str()).ok());
    let why: serde_json::Value = why.unwrap_or_default();
    let trigger = match (why["event"].as_str(), why["resource"].as_str()) {
        (Some(event), Some(resource)) => format!(" for `{resource}` ({event})"),
        _ => String::new(),
    };
    Diagnostic::warning("action-in-doubt", "It is not known what became of an action")
        .detail(format!("A process ended while `{address}` was being invoked{trigger}. Nobody knows how far it came, and it is not invoked again by itself."))
        .help(format!("Look at the system that it works on; if it has to be invoked again: `plumb apply -invoke='{address}'`."))
}

/// Saves what became of steps in flight, and says so.
pub(super) fn resolve(
    state: &State,
    resolved_now: Vec<Resolution>,
    ui: &Ui,
) -> Result<(), plumb_state::StateError> {
    let mut outcomes = Vec::new();
    let mut found = Diagnostics::new();
    for resolution in resolved_now {
        let (step, key) = (resolution.step.step(), &resolution.step.key);
        let outcome = match (&resolution.found, resolution.in_doubt) {
            (Some(record), _) => StepOutcome::done(record.clone()),
            (None, true) => StepOutcome { status: StepStatus::InDoubt, ..StepOutcome::gone() },
            (None, false) if step.action == StepAction::Delete => StepOutcome::gone(),
            (None, false) => StepOutcome {
                status: StepStatus::Failed,
                error: Some("interrupted".into()),
                ..StepOutcome::gone()
            },
        };
        found.push(resolved(key, step.action, resolution.found.is_some(), resolution.in_doubt));
        outcomes.push((step, outcome));
    }
    ui.diagnostics(&found, &Sources::new());
    state.resolve(outcomes)
}

fn resolved(key: &plumb_state::InstanceKey, action: StepAction, exists: bool, in_doubt: bool) -> Diagnostic {
    let was = format!("A process ended while it was to {} `{key}`.", action.as_str());
    let now = match (exists, in_doubt) {
        (true, _) => "The provider was asked: the object exists, and is recorded as it is.",
        (false, false) => "The provider was asked: there is no object.",
        (false, true) => "The provider cannot tell whether an object was made.",
    };
    let diagnostic = Diagnostic::warning("interrupted-step", "An interrupted step was looked into")
        .detail(format!("{was} {now}"));
    match in_doubt {
        true => diagnostic.help("Look for the object where it would be. If it is there, import it or delete it before applying: otherwise another is made."),
        false => diagnostic,
    }
}

fn options(args: &PlanningArgs, purpose: Purpose) -> Result<Options, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut targets = |texts: &[String], flag: &str| -> Vec<Target> {
        let parsed = texts.iter().filter_map(|text| match Target::parse(text) {
            Ok(target) => Some(target),
            Err(error) => {
                found.push(wrong_target(flag, &error.to_string()));
                None
            }
        });
        parsed.collect()
    };
    let (wanted, excludes) = (targets(&args.target, "-target"), targets(&args.exclude, "-exclude"));
    let (replace, invoke) = (targets(&args.replace, "-replace"), targets(&args.invoke, "-invoke"));
    let mut instances = |targets: Vec<Target>, flag: &str| -> Vec<Instance> {
        let named = targets.into_iter().filter_map(|target| match target {
            Target::Resource(instance) => Some(instance),
            Target::Module(module) => {
                found.push(wrong_target(flag, &format!("`{module}` is a module, an instance is wanted")));
                None
            }
        });
        named.collect()
    };
    let (replace, invoke) = (instances(replace, "-replace"), instances(invoke, "-invoke"));
    if !wanted.is_empty() && !excludes.is_empty() {
        found.push(
            Diagnostic::error("target-and-exclude", "Conflicting flags")
                .detail("`-target` and `-exclude` cannot be used together."),
        );
    }
    found.into_result()?;
    Ok(Options {
        purpose,
        refresh: args.refresh,
        targets: wanted,
        excludes,
        replace,
        imports: Vec::new(),
        invoke,
        parallelism: usize::from(args.parallelism),
    })
}

fn wrong_target(flag: &str, problem: &str) -> Diagnostic {
    Diagnostic::error("wrong-address", "Not an address")
        .detail(format!("{flag}: {problem}."))
        .help("Put addresses with brackets in single quotes: -target='module.m[\"k\"].file.a[0]'.")
}

/// Plans once. `None` after errors that leave nothing to show.
fn plan_once(session: &mut Session, state: &State, options: Options, ui: &Ui) -> Option<Planning> {
    let prior = match Prior::read(state) {
        Ok(prior) => prior,
        Err(found) => {
            ui.diagnostics(&found, session.sources());
            return None;
        }
    };
    let found = session.with_schemas(prior.types());
    if ui.diagnostics(&found, session.sources()) {
        return None;
    }
    let (mut listener, voice) = super::listen::for_planning(ui);
    let planning = run_plan(session, prior, options, &mut *listener, voice);
    drop(listener);
    Some(planning)
}

fn run_plan(
    session: &Session,
    prior: Prior,
    options: Options,
    listener: &mut dyn Listener,
    voice: Voice,
) -> Planning {
    let (canceller, cancel) = cancel::channel();
    let inputs = Inputs {
        evaluator: session.evaluator(Phase::Plan, SystemTime::now()),
        schemas: session.schemas.clone(),
        factory: session.registry.clone(),
        prior,
        options,
        cancel,
        listener,
    };
    super::interruptibly(canceller, super::STOPPING_PLAN, voice, plan::plan(inputs))
}

/// Shows a plan as a result.
pub fn show(plan: &Plan, session: &Session, format: PlanFormat, ui: &Ui) {
    if ui.json {
        return ui.lines(session.sources()).plan(plan);
    }
    match format {
        PlanFormat::Text => ui.write_result(|out| plan_text::write_plan(plan, &ui.out, out)),
        PlanFormat::Markdown => {
            ui.result(&plan_markdown::plan_markdown(plan, "Plan", plan_markdown::DEFAULT_LIMIT))
        }
        PlanFormat::Json => super::show::plan_json(plan, session, ui),
    }
}
