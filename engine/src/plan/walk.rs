//! The coordinator of planning: visits the nodes of a program in order, and asks providers about many objects at once.
//!
//! One task owns the evaluator and everything found out so far ([`crate::schedule`]); what takes time (providers) runs
//! beside it as futures that own what they need. A node is started when all that it depends on is done.
//!
//! Elsewhere: what is done for the instances of a resource is [`super::resource`], one object [`super::instance`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use plumb_model::address::{ConfigResource, Instance, Mode, ProviderConfig, Target};
use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_provider_api::Provider;
use plumb_semantics::eval::{Evaluator, InstanceRef};
use plumb_semantics::program::{NodeId, NodeKind, Program};

use super::instance::Resolution;
use super::resource::Work;
use super::target::Selection;
use super::{Change, CheckResult, Drift, Invocation, Plan, Prior, Purpose, instance, outcome};
use crate::cancel::{Cancel, Urgency};
use crate::event::Listener;
use crate::graph::Task;
use crate::order;
use crate::providers::{Factory, Schemas, Started};
use crate::rollback::Back;
use crate::schedule::{self, Coordinator, Running, Schedule};

/// What to plan, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// What for.
    pub purpose: Purpose,
    /// Whether to look at objects before planning.
    pub refresh: bool,
    /// Plan only these and what they need; empty for everything.
    pub targets: Vec<Target>,
    /// Plan everything but these and what needs them.
    pub excludes: Vec<Target>,
    /// Replace these whatever is found.
    pub replace: Vec<Instance>,
    /// Take these objects under management, by id, besides those that `import` blocks name.
    pub imports: Vec<(Instance, ecow::EcoString)>,
    /// Invoke these actions and do nothing else; empty for everything but that.
    pub invoke: Vec<Instance>,
    /// How many calls to providers may run at once; at least 1.
    pub parallelism: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            purpose: Purpose::Normal,
            refresh: true,
            targets: Vec::new(),
            excludes: Vec::new(),
            replace: Vec::new(),
            imports: Vec::new(),
            invoke: Vec::new(),
            parallelism: 10,
        }
    }
}

/// What a plan is made from.
pub struct Inputs<'a> {
    /// An evaluation of the program in the phase of planning, in which nothing has been evaluated yet.
    pub evaluator: Evaluator,
    /// What the providers offer.
    pub schemas: Arc<Schemas>,
    /// Starts providers.
    pub factory: Arc<dyn Factory>,
    /// What is recorded.
    pub prior: Prior,
    /// What to plan.
    pub options: Options,
    /// Whether to go on.
    pub cancel: Cancel,
    /// Who is told.
    pub listener: &'a mut dyn Listener,
}

/// What planning gives.
pub struct Planning {
    /// The plan. With errors among the diagnostics it is [`Plan::errored`], and holds what could be planned.
    pub plan: Plan,
    /// What became of steps that were in flight when their process ended. If there are any, they must be saved and a
    /// new plan made: this one says nothing of their instances.
    pub resolved: Vec<Resolution>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// Makes a plan.
pub async fn plan(inputs: Inputs<'_>) -> Planning {
    run(inputs, None).await.0
}

/// Plans the way back of some objects, whatever the configuration says of them: of the program, only what configures
/// their providers is visited. Changes are not in the plan, but in the outcomes.
pub(crate) async fn plan_back(inputs: Inputs<'_>, back: Back) -> (Planning, Back) {
    let (planning, back) = run(inputs, Some(back)).await;
    (planning, back.unwrap_or_else(|| Back::new(Vec::new())))
}

async fn run(inputs: Inputs<'_>, back: Option<Back>) -> (Planning, Option<Back>) {
    let program = inputs.evaluator.program().clone();
    let mut order = match order::of_program(&program) {
        Ok(order) => order,
        Err(diagnostics) => {
            return (
                Planning { plan: outcome::empty_plan(&inputs), resolved: Vec::new(), diagnostics },
                back,
            );
        }
    };
    let mut walker = Walker::new(inputs, program);
    let extra = match &back {
        None if walker.invokes() => {
            walker.selection = super::invoking::selection(&walker.program, &walker.options.invoke);
            Vec::new()
        }
        None => walker.undeclared_groups(),
        Some(back) => {
            walker.selection = Selection::providers(&walker.program, back.by_provider.keys());
            let group = |provider: &ProviderConfig| Group { provider: provider.clone(), blocks: Vec::new() };
            back.by_provider.keys().map(group).collect()
        }
    };
    walker.back = back;
    let first = order.extend(extra.len());
    for (i, group) in extra.iter().enumerate() {
        if let Some(node) = walker.program.provider_node(&group.provider) {
            order.wait(first + i, node.0 as usize, 0);
        }
    }
    walker.groups = extra;
    if walker.back.is_none() && !walker.invokes() {
        walker.triggering = super::invoking::triggering(&walker.program);
        let first = order.extend(walker.triggering.len());
        for (i, id) in walker.triggering.iter().enumerate() {
            order.wait(first + i, id.0 as usize, 0);
            for action in walker.program.triggered(*id) {
                order.wait(first + i, action.0 as usize, 0);
            }
        }
    }
    let cancel = walker.cancel.clone();
    schedule::drive(&mut walker, &order, cancel).await;
    let back = walker.back.take();
    (walker.finish().await, back)
}

/// Recorded objects that no block declares, by the provider configuration that manages them.
pub(super) struct Group {
    pub provider: ProviderConfig,
    pub blocks: Vec<ConfigResource>,
}

/// What a future gives back.
pub(super) enum Done {
    /// A provider was started and configured, or not.
    Provider(ProviderConfig, Result<(Arc<dyn Provider>, Diagnostics), Diagnostics>),
    /// An object was planned.
    Managed(Work, Box<instance::Planned>),
    /// The way back of an object was planned.
    Back(usize, Box<crate::rollback::Outcome>),
    /// An action was planned; without an invocation, only its arguments were looked at.
    Action(InstanceRef, Option<Box<Invocation>>, Diagnostics),
    /// A data source was read.
    Data(Work, Result<(Value, Diagnostics), Diagnostics>),
    /// An ephemeral resource was opened.
    Ephemeral(Work, Result<(crate::ephemeral::Open, Diagnostics), Diagnostics>),
}

pub(super) struct Walker<'a> {
    pub program: Arc<Program>,
    pub evaluator: Evaluator,
    pub schemas: Arc<Schemas>,
    pub factory: Arc<dyn Factory>,
    pub prior: Prior,
    pub options: Options,
    pub selection: Selection,
    pub listener: &'a mut dyn Listener,
    pub cancel: Cancel,
    pub providers: Started,
    pub ephemerals: Vec<crate::ephemeral::Open>,
    pub groups: Vec<Group>,
    /// The resources that have triggers; a task for each comes after those of the groups.
    pub triggering: Vec<NodeId>,
    /// What is invoked.
    pub invocations: Vec<Invocation>,
    /// Objects whose way back is planned, instead of what the configuration says.
    pub back: Option<Back>,
    /// By node: whether an instance of the resource changes.
    pub pending: Vec<bool>,
    /// By node: whether replacements create first, by its own wish or that of something that depends on it.
    pub create_first: Vec<bool>,
    /// Import blocks, evaluated when the first resource that has one is planned.
    pub imports: Option<HashMap<Instance, (plumb_provider_api::ImportTarget, plumb_model::Span)>>,
    pub replace: HashSet<Instance>,
    pub dependencies: order::ResourceDependencies,
    pub changes: BTreeMap<(Instance, Option<ecow::EcoString>), Change>,
    pub drift: Vec<Drift>,
    pub checks: Vec<CheckResult>,
    /// Data sources in check blocks that could not be read, and why.
    pub failed_reads: Vec<(InstanceRef, Vec<ecow::EcoString>)>,
    /// What became of steps in flight.
    pub resolved: Vec<Resolution>,
    /// Data sources that have been read.
    pub read_now: Vec<(InstanceRef, Value)>,
    pub diagnostics: Diagnostics,
    pub timestamp: String,
    pub schedule: Schedule<Work, Done>,
}

impl<'a> Walker<'a> {
    fn new(inputs: Inputs<'a>, program: Arc<Program>) -> Walker<'a> {
        let Inputs { evaluator, schemas, factory, mut prior, options, cancel, listener } = inputs;
        let diagnostics = prior.apply_moves(&program);
        let count = program.node_count();
        Walker {
            selection: Selection::new(
                &program,
                &options.targets,
                &options.excludes,
                options.purpose == Purpose::Destroy,
            ),
            create_first: order::create_before_destroy(&program),
            timestamp: outcome::timestamp(evaluator.options().plan_time),
            replace: options.replace.iter().cloned().collect(),
            imports: None,
            pending: vec![false; count],
            dependencies: order::ResourceDependencies::default(),
            providers: Started::default(),
            ephemerals: Vec::new(),
            groups: Vec::new(),
            triggering: Vec::new(),
            invocations: Vec::new(),
            back: None,
            changes: BTreeMap::new(),
            drift: Vec::new(),
            checks: Vec::new(),
            failed_reads: Vec::new(),
            resolved: Vec::new(),
            read_now: Vec::new(),
            schedule: Schedule::new(options.parallelism),
            program,
            evaluator,
            schemas,
            factory,
            prior,
            options,
            listener,
            cancel,
            diagnostics,
        }
    }

    /// What is recorded of blocks that are not there any more.
    fn undeclared_groups(&self) -> Vec<Group> {
        let mut groups: BTreeMap<ProviderConfig, BTreeSet<ConfigResource>> = BTreeMap::new();
        for block in self.prior.blocks() {
            if self.program.resource_node(block).is_some() {
                continue;
            }
            for address in self.prior.of_block(block) {
                let kept = self.prior.get(address).expect("a block lists addresses that are kept");
                for recorded in kept.current.iter().chain(&kept.deposed) {
                    groups.entry(recorded.provider.clone()).or_default().insert(block.clone());
                }
            }
        }
        groups
            .into_iter()
            .map(|(provider, blocks)| Group { provider, blocks: blocks.into_iter().collect() })
            .collect()
    }

    /// Whether only actions are invoked that were asked for.
    pub(super) fn invokes(&self) -> bool {
        !self.options.invoke.is_empty()
    }

    pub(super) fn is_action(&self, id: NodeId) -> bool {
        self.program.resource(id).is_some_and(|decl| decl.resource.mode == Mode::Action)
    }

    pub(super) fn is_managed(&self, id: NodeId) -> bool {
        self.program.resource(id).is_some_and(|decl| decl.resource.mode == Mode::Managed)
    }

    /// Adds work to a task that has been started.
    pub(super) fn push(&mut self, task: Task, work: Work) {
        self.schedule.push(task, work);
    }

    /// Keeps what was said about a task; errors make it fail.
    pub(super) fn say(&mut self, task: Task, diagnostics: Diagnostics) {
        if diagnostics.has_errors() {
            self.schedule.fail(task);
        }
        self.diagnostics.extend(diagnostics);
    }

    async fn finish(mut self) -> Planning {
        let plan = outcome::plan(&mut self);
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        if self.back.is_none()
            && !self.invokes()
            && self.selection.is_everything()
            && !diagnostics.has_errors()
        {
            diagnostics.extend(super::moves::still_declared(&self.program, &self.evaluator));
            diagnostics.extend(self.unmatched_imports());
        }
        for open in std::mem::take(&mut self.ephemerals) {
            diagnostics.extend(open.close().await);
        }
        self.providers.shutdown().await;
        Planning { plan, resolved: self.resolved, diagnostics }
    }
}

impl Coordinator for Walker<'_> {
    type Work = Work;
    type Done = Done;

    fn schedule(&mut self) -> &mut Schedule<Work, Done> {
        &mut self.schedule
    }

    fn start(&mut self, task: Task) {
        if let Some(extra) = task.checked_sub(self.program.node_count()) {
            if let Some(id) = extra.checked_sub(self.groups.len()) {
                return self.start_triggers(task, self.triggering[id]);
            }
            return self.start_undeclared(task);
        }
        let id = NodeId(task as u32);
        if !self.selection.node(id) {
            return;
        }
        match self.program.node(id).kind {
            NodeKind::Resource if (self.back.is_some() || self.invokes()) && self.is_managed(id) => {
                self.show_block(task, id);
            }
            NodeKind::Resource if self.is_action(id) => self.start_action(task, id),
            NodeKind::Resource => self.start_resource(task, id),
            NodeKind::Provider => self.start_provider(task, id),
            NodeKind::Check => self.check(id),
            NodeKind::Variable | NodeKind::Local | NodeKind::Output | NodeKind::Call | NodeKind::CallEnd => {
                let found = self.evaluator.evaluate(id);
                self.say(task, found);
            }
        }
    }

    fn skip(&mut self, _: Task, _: Task) {
        // What failed has been reported; what could not be planned because of it would only repeat that.
    }

    fn begin(&mut self, task: Task, work: Work) -> Option<Running<Done>> {
        self.begin_work(task, work)
    }

    fn end(&mut self, task: Task, done: Done) {
        self.end_work(task, done);
    }

    fn cancelled(&mut self, _: Urgency) -> bool {
        self.diagnostics
            .push(Diagnostic::error("cancelled", "Planning was cancelled").detail("Nothing was changed."));
        false
    }
}
