//! Invoking actions: before the step of an instance, after it, or because somebody asked.
//!
//! What is invoked for one instance is invoked one after the other. That an action is going to be invoked is on disk
//! before its provider is called, and how it ended before anything else happens for that instance. An action leaves no
//! object that could be looked at, so where nobody knows how it ended, it stays in flight and the next command says so;
//! it is never invoked again by itself.
//!
//! Elsewhere: which actions are invoked is decided by [`crate::plan::invoking`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use plumb_model::address::Instance;
use plumb_model::{Diagnostic, Diagnostics, Label, Value};
use plumb_provider_api::{Invoked, Provider};
use plumb_semantics::eval::InstanceRef;
use plumb_semantics::program::NodeId;
use plumb_state::json::JsonText;
use plumb_state::record::{InstanceKey, StepAction};
use plumb_state::state::{After, OperationWriter, StepIntent, StepOutcome};

use super::step::durable;
use super::walk::{Done, Walker, Work};
use crate::event::Event;
use crate::graph::Task;
use crate::plan::{Action, Change, Invocation, Plan, Trigger};
use crate::schedule::Running;

/// The invocations of a plan, by what they wait for.
#[derive(Default)]
pub(super) struct Invocations {
    /// By instance: what is invoked before its step.
    before: HashMap<Instance, Vec<Arc<Invocation>>>,
    /// By instance: what is invoked after its step.
    after: HashMap<Instance, Vec<Arc<Invocation>>>,
    /// By action: what was asked for.
    requested: HashMap<Instance, Vec<Arc<Invocation>>>,
    /// The instances whose step is done.
    stepped: HashSet<Instance>,
    /// The instances after whose step actions have been invoked, or begin to be.
    followed: HashSet<Instance>,
}

impl Invocations {
    pub(super) fn of(plan: &Plan) -> Invocations {
        let mut invocations = Invocations::default();
        for invocation in &plan.invocations {
            let (map, key) = match &invocation.trigger {
                Trigger::Request => (&mut invocations.requested, &invocation.address),
                Trigger::Lifecycle { resource, event, .. } if event.is_before() => {
                    (&mut invocations.before, resource)
                }
                Trigger::Lifecycle { resource, .. } => (&mut invocations.after, resource),
            };
            map.entry(key.clone()).or_default().push(Arc::new(invocation.clone()));
        }
        invocations
    }

    /// Keeps that the step of an instance is done.
    pub(super) fn stepped(&mut self, address: &Instance) {
        if self.after.contains_key(address) {
            self.stepped.insert(address.clone());
        }
    }

    /// What was not invoked although the change that it was to follow has been made.
    pub(super) fn left(&self) -> Diagnostics {
        let mut left: Vec<&Instance> = self.stepped.difference(&self.followed).collect();
        left.sort_unstable();
        left.into_iter().flat_map(|resource| &self.after[resource]).map(|i| not_invoked(i)).collect()
    }
}

fn not_invoked(invocation: &Invocation) -> Diagnostic {
    let address = &invocation.address;
    let after =
        invocation.triggered_by().map(|(resource, _)| format!(" after `{resource}`")).unwrap_or_default();
    Diagnostic::warning("action-not-invoked", "Action was not invoked")
        .detail(format!("`{address}` was to be invoked{after}, which has been changed; then the execution ended early. The next plan sees no change there, and so does not invoke it."))
        .help(format!("Invoke it when the rest is in order: `plumb apply -invoke='{address}'`."))
}

/// Actions that are invoked one after the other.
pub(super) struct Invoking {
    invocations: Vec<Arc<Invocation>>,
    /// The first that has not been invoked.
    next: usize,
    /// The step that comes afterwards.
    then: Option<(InstanceRef, Arc<Change>)>,
}

/// How an action ended.
pub(super) struct Ended {
    invoked: Invoked,
    began: Instant,
}

impl Walker<'_> {
    /// Begins the step of an instance, after the actions that come before it.
    pub(super) fn start_step(&mut self, task: Task, instance: InstanceRef, change: Arc<Change>) {
        let work = match self.invocations.before.get(&change.address).cloned() {
            Some(invocations) => {
                Work::Invoke(Box::new(Invoking { invocations, next: 0, then: Some((instance, change)) }))
            }
            None => Work::Declared(instance, change),
        };
        self.schedule.push(task, work);
    }

    /// Begins what is invoked after the steps of a resource.
    pub(super) fn start_after(&mut self, task: Task, id: NodeId) {
        let Some(block) = crate::order::block(&self.program, id) else { return };
        for change in self.by_block.get(&block).cloned().unwrap_or_default() {
            if let Some(invocations) = self.invocations.after.get(&change.address).cloned() {
                self.invocations.followed.insert(change.address.clone());
                let invoking = Invoking { invocations, next: 0, then: None };
                self.schedule.push(task, Work::Invoke(Box::new(invoking)));
            }
        }
    }

    /// Begins what was asked for of an action.
    pub(super) fn start_requested(&mut self, task: Task, address: &Instance) {
        if let Some(invocations) = self.invocations.requested.get(address).cloned() {
            let invoking = Invoking { invocations, next: 0, then: None };
            self.schedule.push(task, Work::Invoke(Box::new(invoking)));
        }
    }

    pub(super) fn begin_invoke(&mut self, task: Task, invoking: Box<Invoking>) -> Option<Running<Done>> {
        let invocation = invoking.invocations[invoking.next].clone();
        let (config, provider) = match self.told(&invocation) {
            Ok(found) => found,
            Err(found) => {
                self.failed_invoking(task, &invoking, found);
                return None;
            }
        };
        let (address, began) = (invocation.address.clone(), Instant::now());
        self.listener.event(Event::InvokeStarted { address: address.clone() });
        let notices = self.schedule.notifier();
        let progress = Arc::new(move |message| {
            // After an abort nobody listens any more.
            let _ = notices.send(Event::InvokeProgress { address: address.clone(), message });
        });
        let writer = self.writer.clone();
        Some(Box::pin(async move {
            let invoked = invoke(&writer, &invocation, &*provider, config, progress).await;
            (task, Done::Invoke(invoking, Ended { invoked, began }))
        }))
    }

    /// What an action is told, and by whom it is invoked.
    fn told(&self, invocation: &Invocation) -> Result<(Value, Arc<dyn Provider>), Diagnostics> {
        let address = &invocation.address;
        let refused = |code: &'static str, summary: &'static str, detail: &str| {
            Diagnostics::from(
                Diagnostic::error(code, summary)
                    .detail(detail)
                    .help("Plan again, and look at what the plan says of it."),
            )
        };
        let missing = || {
            refused(
                "action-not-planned",
                "Action is not as planned",
                "The configuration has no such action any more.",
            )
        };
        let instance = self.evaluator.find(address).ok_or_else(missing)?;
        let schema = self.schemas.require(
            &invocation.provider.source,
            address.resource.mode,
            &address.resource.kind,
        )?;
        let (config, found) = self.evaluator.config(instance, &schema.schema.block);
        found.into_result()?;
        let plain = config.unmark_deep().0;
        if !plain.is_wholly_known() {
            return Err(refused(
                "action-config-unknown",
                "Arguments of an action are not known",
                "Not everything that the action is told is known now, although all that it refers to is done.",
            ));
        }
        let planned = invocation.config.unmark_deep().0;
        if !agrees(&planned, &plain) {
            return Err(refused(
                "action-not-planned",
                "Action is not as planned",
                "What the action would be told now is not what was planned and approved.",
            ));
        }
        let provider = self.providers.get(&invocation.provider).cloned();
        Ok((plain, provider.ok_or_else(missing)?))
    }

    pub(super) fn end_invoke(&mut self, task: Task, mut invoking: Box<Invoking>, ended: Ended) {
        let Ended { invoked, began } = ended;
        let invocation = invoking.invocations[invoking.next].clone();
        let (address, took) = (invocation.address.clone(), began.elapsed());
        self.lost |= !invoked.certain;
        let done = invoked.certain && !invoked.diagnostics.has_errors();
        self.listener.event(Event::InvokeEnded { address, took, done });
        if !done {
            return self.failed_invoking(task, &invoking, invoked.diagnostics);
        }
        let warnings = self.placed(&invocation, invoked.diagnostics);
        self.say(task, warnings);
        invoking.next += 1;
        if invoking.next < invoking.invocations.len() {
            self.schedule.push(task, Work::Invoke(invoking));
        } else if let Some((instance, change)) = invoking.then {
            self.schedule.push(task, Work::Declared(instance, change));
        }
    }

    /// An action failed: what was to come after it for its instance is not done.
    fn failed_invoking(&mut self, task: Task, invoking: &Invoking, found: Diagnostics) {
        let invocation = &invoking.invocations[invoking.next];
        let mut found = self.placed(invocation, found);
        if invoking.then.is_none() {
            let rest = &invoking.invocations[invoking.next + 1..];
            found.extend(rest.iter().map(|left| not_invoked(left)));
        }
        self.say(task, found);
        if let Some((_, change)) = &invoking.then {
            let because = ecow::eco_format!("{}", invocation.address);
            let action = if change.action.is_replace() { Action::Create } else { change.action };
            self.skipped_because(change, action, because);
        }
    }

    fn placed(&self, invocation: &Invocation, found: Diagnostics) -> Diagnostics {
        let mut found = found.about(&invocation.address);
        if let Some(instance) = self.evaluator.find(&invocation.address) {
            for diagnostic in found.iter_mut().filter(|d| d.labels.is_empty()) {
                let attribute = diagnostic.attribute.as_ref();
                let span = attribute.and_then(|path| self.evaluator.attribute_span(instance, path));
                let span = span.unwrap_or_else(|| self.program.span(instance.node));
                diagnostic.labels.push(Label { span, text: Default::default() });
            }
        }
        found
    }
}

/// Whether a value is what was planned, wherever that was known.
fn agrees(planned: &Value, now: &Value) -> bool {
    if planned.is_wholly_known() {
        return planned == now;
    }
    match (planned.as_entries(), now.as_entries()) {
        _ if !planned.is_known() => true,
        (Some(planned), Some(now)) => {
            planned.iter().all(|(name, value)| now.get(name).is_some_and(|now| agrees(value, now)))
        }
        _ => match (planned.as_items(), now.as_items()) {
            (Some(planned), Some(now)) if !now.is_empty() && planned.len() == now.len() => {
                planned.iter().zip(now).all(|(planned, now)| agrees(planned, now))
            }
            // The elements of a set with unknown parts have no order in which they could be compared.
            _ => planned.ty() == now.ty(),
        },
    }
}

async fn invoke(
    writer: &OperationWriter,
    invocation: &Invocation,
    provider: &dyn Provider,
    config: Value,
    progress: plumb_provider_api::Progress,
) -> Invoked {
    let why = match invocation.triggered_by() {
        Some((resource, event)) => {
            serde_json::json!({"event": event.word(), "resource": resource.to_string()})
        }
        None => serde_json::json!({}),
    };
    let planned = match JsonText::new(why.to_string()) {
        Ok(text) => Some(text),
        Err(error) => return Invoked::ended(crate::trouble::unsaveable(&error)),
    };
    let (step, ticket) = writer.intend(StepIntent {
        key: InstanceKey::current(invocation.address.to_string()),
        action: StepAction::Invoke,
        before: None,
        planned,
        also: Vec::new(),
    });
    if let Err(diagnostic) = durable(ticket).await {
        return Invoked::ended(diagnostic);
    }
    let mut invoked = provider.invoke(&invocation.address.resource.kind, config, progress).await;
    if !invoked.certain {
        invoked.diagnostics.push(outcome_unknown(&invocation.address));
        return invoked;
    }
    let outcome = match invoked.diagnostics.iter().find(|d| d.is_error()) {
        None => StepOutcome::kept(),
        Some(error) => StepOutcome::failed(error.summary.to_string(), After::Kept),
    };
    if let Err(diagnostic) = durable(writer.outcome(&step, outcome)).await {
        invoked.diagnostics.push(diagnostic);
    }
    invoked
}

fn outcome_unknown(address: &Instance) -> Diagnostic {
    Diagnostic::error("action-outcome-unknown", "It is not known what became of an action")
        .detail(format!("The provider gave no answer that tells whether `{address}` did what it should. It is not invoked again by itself."))
        .help(format!("Look at the system that it works on; if it did nothing, `plumb apply -invoke='{address}'` invokes it."))
}
