//! The coordinator of executing: visits the nodes of the program again, and runs the steps of the plan where they
//! belong.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use ecow::EcoString;
use plumb_model::address::{ConfigResource, Instance, Mode, ProviderConfig};
use plumb_model::{Diagnostic, Diagnostics, Label, Type, Value};
use plumb_provider_api::Provider;
use plumb_semantics::eval::{Evaluator, InstanceRef};
use plumb_semantics::program::{NodeId, NodeKind, Program, ResourceDecl};
use plumb_state::State;
use plumb_state::record::{InstanceKey, InstanceRecord, InstanceStatus, OperationRecord};
use plumb_state::state::{OperationHeader, OperationWriter, Ticket};

use super::invoke::{self, Invocations, Invoking};
use super::provision::{Provisioned, Provisioning};
use super::step::{self, Part};
use super::steps::{self, Extra, Steps};
use crate::cancel::{Cancel, Urgency};
use crate::event::{Event, Listener};
use crate::graph::Task;
use crate::order;
use crate::plan::conditions::{as_warning, judge};
use crate::plan::instance::Ignore;
use crate::plan::resource::{ignore_of, plumb_id, start_provider};
use crate::plan::target::Selection;
use crate::plan::{Action, Change, Plan, Purpose, Trigger};
use crate::providers::{Factory, Schemas, Started, TypeSchema};
use crate::rollback::RollbackPlan;
use crate::schedule::{self, Coordinator, Running, Schedule};

mod ending;

/// What an execution is made from.
pub struct Inputs<'a> {
    /// What to do.
    pub plan: Arc<Plan>,
    /// An evaluation of the program that the plan was made from, in the phase of applying, with the variables of the
    /// plan; nothing has been evaluated yet.
    pub evaluator: Evaluator,
    /// What the providers offer.
    pub schemas: Arc<Schemas>,
    /// Starts providers.
    pub factory: Arc<dyn Factory>,
    /// Where to save; locked by the caller, and as the plan says it was.
    pub state: &'a State,
    /// Who does this and why.
    pub header: OperationHeader,
    /// How many calls to providers may run at once.
    pub parallelism: usize,
    /// Whether to go on.
    pub cancel: Cancel,
    /// Who is told.
    pub listener: &'a mut dyn Listener,
}

/// How an execution ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// The operation as it is kept in history; `None` if it could not be begun or ended.
    pub operation: Option<OperationRecord>,
    /// The outputs of the root module now, with marks.
    pub outputs: BTreeMap<EcoString, Value>,
    /// Instances whose step was not tried, with the instance or node that failed.
    pub skipped: Vec<(Instance, EcoString)>,
    /// Whether it was stopped before its end.
    pub cancelled: bool,
}

/// Carries a plan out.
pub async fn execute(inputs: Inputs<'_>) -> (Report, Diagnostics) {
    run(inputs, None).await
}

/// Carries a way back out. The plan of the inputs is that of the way back, whatever they hold.
pub async fn roll_back(inputs: Inputs<'_>, back: Arc<RollbackPlan>) -> (Report, Diagnostics) {
    let plan = Arc::new(back.plan.clone());
    run(Inputs { plan, ..inputs }, Some(back)).await
}

async fn run(inputs: Inputs<'_>, back: Option<Arc<RollbackPlan>>) -> (Report, Diagnostics) {
    let program = inputs.evaluator.program().clone();
    let order = match order::of_program(&program) {
        Ok(order) => order,
        Err(cycles) => return (Report::nothing(), cycles),
    };
    let steps = match back {
        None => steps::order(&program, order, &inputs.plan),
        Some(_) => steps::order_back(&program, order, &inputs.plan),
    };
    if !steps.graph.cycles().is_empty() {
        return (Report::nothing(), contradicting_references().into());
    }
    let writer = match inputs.state.begin(inputs.header.clone()) {
        Ok(writer) => Arc::new(writer),
        Err(error) => return (Report::nothing(), crate::trouble::state(&error).into()),
    };
    let cancel = inputs.cancel.clone();
    let mut walker = match Walker::new(inputs, program, steps, writer, back) {
        Ok(walker) => walker,
        Err(error) => return (Report::nothing(), error.into()),
    };
    let graph = std::mem::take(&mut walker.steps.graph);
    schedule::drive(&mut walker, &graph, cancel).await;
    walker.finish().await
}

impl Report {
    fn nothing() -> Report {
        Report { operation: None, outputs: BTreeMap::new(), skipped: Vec::new(), cancelled: false }
    }
}

fn contradicting_references() -> Diagnostic {
    Diagnostic::error("contradicting-order", "Steps contradict each other")
        .detail("What is recorded of the references between objects contradicts the configuration, so that no order of the steps satisfies both.")
        .help("Apply in two plans: use `-target` for the part that deletes, then apply the rest.")
}

/// Something to do for a task.
pub(super) enum Work {
    Provider(ProviderConfig, Option<NodeId>),
    /// The step of an instance that the program declares.
    Declared(InstanceRef, Arc<Change>),
    /// The deletion of an object.
    Delete(Arc<Change>),
    /// A record to be saved.
    Record(Arc<Change>),
    /// The step of an object on the way back.
    Back(Arc<Change>),
    /// An ephemeral resource to open.
    Ephemeral(InstanceRef),
    /// The next provisioner of an object.
    Provision(Box<Provisioning>),
    /// The next action that is invoked.
    Invoke(Box<Invoking>),
}

/// What a future gives back.
pub(super) enum Done {
    Provider(ProviderConfig, Result<(Arc<dyn Provider>, Diagnostics), Diagnostics>),
    Step(Box<StepDone>),
    Provision(Box<Provisioning>, Result<(), Diagnostic>),
    Invoke(Box<Invoking>, invoke::Ended),
    Ephemeral(InstanceRef, Result<(crate::ephemeral::Open, Diagnostics), Diagnostics>),
}

pub(super) struct StepDone {
    change: Arc<Change>,
    part: Part,
    instance: Option<InstanceRef>,
    began: Instant,
    ended: step::Ended,
    /// Whether the object was made by a step before, and has been provisioned since.
    provisioned: bool,
}

pub(super) struct Walker<'a> {
    pub program: Arc<Program>,
    pub evaluator: Evaluator,
    pub state: &'a State,
    /// The way back that is carried out, if it is one, and what of the program configures its providers.
    pub back: Option<(Arc<RollbackPlan>, Selection)>,
    pub schemas: Arc<Schemas>,
    factory: Arc<dyn Factory>,
    pub plan: Arc<Plan>,
    steps: Steps,
    /// The changes of current objects.
    changes: HashMap<Instance, Arc<Change>>,
    /// The same by block.
    pub by_block: HashMap<ConfigResource, Vec<Arc<Change>>>,
    /// The actions that are invoked.
    pub invocations: Invocations,
    /// What is visited where only actions are invoked that were asked for.
    only: Option<Selection>,
    /// The records of objects that steps are about, as they are now.
    records: HashMap<InstanceKey, InstanceRecord>,
    /// Under which key the object waits that an instance replaces.
    beside: HashMap<Instance, EcoString>,
    pub writer: Arc<OperationWriter>,
    pub listener: &'a mut dyn Listener,
    pub providers: Started,
    ephemerals: Vec<crate::ephemeral::Open>,
    pub schedule: Schedule<Work, Done>,
    skipped: Vec<(Instance, EcoString)>,
    /// What providers are doing, since when.
    pub running: BTreeMap<Instance, (Action, Instant)>,
    /// Outcomes on their way to the disk, oldest first.
    saving: VecDeque<Ticket>,
    /// Whether an outcome did not reach the disk.
    unsaved: bool,
    pub urgency: Urgency,
    /// Whether nobody knows what became of a step, so that the operation stays unfinished.
    pub lost: bool,
    pub diagnostics: Diagnostics,
}

impl<'a> Walker<'a> {
    fn new(
        inputs: Inputs<'a>,
        program: Arc<Program>,
        steps: Steps,
        writer: Arc<OperationWriter>,
        back: Option<Arc<RollbackPlan>>,
    ) -> Result<Walker<'a>, Diagnostic> {
        let mut changes = HashMap::new();
        let mut by_block: HashMap<ConfigResource, Vec<Arc<Change>>> = HashMap::new();
        let mut records = HashMap::new();
        for change in &inputs.plan.changes {
            if change.deposed.is_none() {
                let change = Arc::new(change.clone());
                by_block.entry(change.address.config()).or_default().push(change.clone());
                changes.insert(change.address.clone(), change);
            }
        }
        let drifted: std::collections::HashSet<&Instance> =
            inputs.plan.drift.iter().map(|d| &d.address).collect();
        let saved = |c: &&Change| back.is_some() || c.is_effective() || drifted.contains(&c.address);
        for change in inputs.plan.changes.iter().filter(saved) {
            let at = change.previous_address.as_ref().unwrap_or(&change.address);
            let key = crate::plan::prior::state_key(at, change.deposed.as_ref());
            if let Some(record) = inputs.state.instance(&key).map_err(|e| crate::trouble::state(&e))? {
                records.insert(key, record);
            }
        }
        let back = back.map(|back| {
            let selection = Selection::providers(&program, inputs.plan.changes.iter().map(|c| &c.provider));
            (back, selection)
        });
        let requested = inputs.plan.invocations.iter().filter(|i| i.trigger == Trigger::Request);
        let requested: Vec<Instance> = requested.map(|i| i.address.clone()).collect();
        let only = (!requested.is_empty()).then(|| crate::plan::invoking::selection(&program, &requested));
        Ok(Walker {
            invocations: Invocations::of(&inputs.plan),
            only,
            back,
            state: inputs.state,
            program,
            evaluator: inputs.evaluator,
            schemas: inputs.schemas,
            factory: inputs.factory,
            plan: inputs.plan,
            steps,
            changes,
            by_block,
            records,
            beside: HashMap::new(),
            writer,
            listener: inputs.listener,
            providers: Started::default(),
            ephemerals: Vec::new(),
            schedule: Schedule::new(inputs.parallelism),
            skipped: Vec::new(),
            running: BTreeMap::new(),
            saving: VecDeque::new(),
            unsaved: false,
            urgency: Urgency::None,
            lost: false,
            diagnostics: Diagnostics::new(),
        })
    }

    pub(super) fn say(&mut self, task: Task, diagnostics: Diagnostics) {
        if diagnostics.has_errors() {
            self.schedule.fail(task);
        }
        self.diagnostics.extend(diagnostics);
    }

    // --- starting ---

    fn start_resource(&mut self, task: Task, id: NodeId) {
        let program = self.program.clone();
        let decl = program.resource(id).expect("a resource node declares one");
        let refs = match self.evaluator.expand_resource(id) {
            Ok(refs) => refs,
            // When everything is deleted, nobody needs to know how many there would be.
            Err(_) if self.plan.purpose == Purpose::Destroy => return,
            Err(found) => return self.say(task, found),
        };
        for instance in refs {
            let address = self.evaluator.address(instance);
            if decl.resource.mode == Mode::Action {
                self.start_requested(task, &address);
                continue;
            }
            match self.changes.get(&address).cloned() {
                Some(change) => self.start_instance(task, instance, change),
                None if decl.resource.mode == Mode::Ephemeral => {
                    self.schedule.push(task, Work::Ephemeral(instance));
                }
                None => self.show_unplanned(instance, &address),
            }
        }
    }

    fn start_instance(&mut self, task: Task, instance: InstanceRef, change: Arc<Change>) {
        match change.action {
            Action::Create
            | Action::Update
            | Action::Read
            | Action::DeleteThenCreate
            | Action::CreateThenDelete => {
                self.start_step(task, instance, change);
            }
            Action::NoOp => {
                self.evaluator.set_instance(instance, change.after.clone());
                if self.is_worth_saving(&change) {
                    self.schedule.push(task, Work::Record(change));
                }
            }
            Action::Delete | Action::Forget => self.evaluator.set_instance(instance, change.before.clone()),
        }
    }

    /// Whether an object that stays as it is has another record than before.
    fn is_worth_saving(&self, change: &Change) -> bool {
        change.previous_address.is_some()
            || change.importing.is_some()
            || self
                .records
                .contains_key(&crate::plan::prior::state_key(&change.address, change.deposed.as_ref()))
    }

    /// An instance that the plan has nothing about: read while planning, or left out by a target.
    pub(super) fn show_unplanned(&mut self, instance: InstanceRef, address: &Instance) {
        let read = self.plan.data.binary_search_by(|read| read.address.cmp(address));
        let value = match read {
            Ok(at) => self.plan.data[at].value.clone(),
            Err(_) => {
                let ty =
                    self.evaluator.schema(instance.node).map_or(Type::Dynamic, |s| s.block.implied_type());
                Value::Null(ty)
            }
        };
        self.evaluator.set_instance(instance, value);
    }

    fn start_extra(&mut self, task: Task, extra: Extra) {
        match extra {
            Extra::Gate => {}
            Extra::Provider(config) => self.schedule.push(task, Work::Provider(config, None)),
            Extra::Delete(change) => self.schedule.push(task, Work::Delete(change)),
            Extra::Block(block) => self.start_block(task, &block),
            Extra::After(id) => self.start_after(task, id),
            Extra::Record(change) => {
                if self.back.is_some() || change.action == Action::Forget || self.is_worth_saving(&change) {
                    self.schedule.push(task, Work::Record(change));
                }
            }
        }
    }

    // --- from the queue into a slot ---

    fn begin_provider(
        &mut self,
        task: Task,
        config: ProviderConfig,
        node: Option<NodeId>,
    ) -> Option<Running<Done>> {
        let schema = self.schemas.provider(&config.source).cloned();
        let Some(schema) = schema else {
            let unknown = Diagnostic::error("provider-not-known", "Provider is not known")
                .detail(format!("What {config} offers could not be found out, so nothing of it was changed."))
                .help("Run `plumb init`, then plan again.");
            self.say(task, unknown.into());
            return None;
        };
        let value = match node {
            None => schema.provider.block.empty(),
            Some(node) => {
                let (value, found) =
                    self.evaluator.provider_config(node, &config.key, &schema.provider.block);
                let failed = found.has_errors();
                self.say(task, found);
                if failed {
                    return None;
                }
                value
            }
        };
        let factory = self.factory.clone();
        Some(Box::pin(async move {
            let started = start_provider(&*factory, &config, value.unmark_deep().0).await;
            (task, Done::Provider(config, started))
        }))
    }

    pub(super) fn type_schema(&self, change: &Change) -> Result<TypeSchema, Diagnostics> {
        let resource = &change.address.resource;
        let schema = self.schemas.require(&change.provider.source, resource.mode, &resource.kind);
        schema.cloned().map_err(|found| found.about(&change.address).into())
    }

    /// The part of a change that is carried out where its node is visited.
    pub(super) fn part(&mut self, change: &Change) -> Part {
        match change.action {
            Action::Update => Part::Update,
            Action::Read => Part::Read,
            Action::CreateThenDelete => {
                let key = deposed_key();
                self.beside.insert(change.address.clone(), key.clone());
                Part::CreateBeside(key)
            }
            _ => Part::Create,
        }
    }

    fn begin_declared(
        &mut self,
        task: Task,
        instance: InstanceRef,
        change: Arc<Change>,
    ) -> Result<Running<Done>, Diagnostics> {
        let program = self.program.clone();
        let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
        let schema = self.type_schema(&change)?;
        self.conditions(instance, decl, None)?;
        let (config, found) = self.evaluator.config(instance, &schema.schema.block);
        found.into_result().map_err(|found| found.about(&change.address))?;
        let part = self.part(&change);
        let ignore = ignore_of(&decl.lifecycle.ignore_changes);
        let mut job = self.job(change, part, schema, Some(config), ignore);
        job.provisional =
            job.part.action() == Action::Create && decl.provisioners.iter().any(|p| !p.on_destroy);
        Ok(self.step(task, Some(instance), job))
    }

    /// The record of the object that a change is about, as it is now.
    pub(super) fn record(&self, change: &Change) -> Option<&InstanceRecord> {
        let at = change.previous_address.as_ref().unwrap_or(&change.address);
        self.records.get(&crate::plan::prior::state_key(at, change.deposed.as_ref()))
    }

    pub(super) fn job(
        &mut self,
        change: Arc<Change>,
        part: Part,
        schema: TypeSchema,
        config: Option<Value>,
        ignore: Ignore,
    ) -> step::Job {
        let at = change.previous_address.as_ref().unwrap_or(&change.address);
        let deposed = match &part {
            Part::DeleteDeposed(key) => Some(key),
            _ => change.deposed.as_ref(),
        };
        let key = crate::plan::prior::state_key(at, deposed);
        let record = self.records.get(&key).cloned();
        let instance = self.evaluator.find(&change.address);
        // What is wrong with the block was an error when the plan was made.
        let meta = instance.and_then(|instance| {
            crate::meta::of(&self.evaluator, &self.schemas, instance, &change.provider.source).ok().flatten()
        });
        step::Job {
            provider: self.providers.get(&change.provider).cloned(),
            moved_from: change.previous_address.is_some().then_some(key).filter(|_| record.is_some()),
            record,
            writer: self.writer.clone(),
            meta,
            provisional: false,
            change,
            part,
            schema,
            config,
            ignore,
        }
    }

    pub(super) fn step(
        &mut self,
        task: Task,
        instance: Option<InstanceRef>,
        job: step::Job,
    ) -> Running<Done> {
        let action = job.part.action();
        if action != Action::NoOp {
            self.started(&job.change, action);
        }
        let (change, part) = (job.change.clone(), job.part.clone());
        let began = self.running.get(&change.address).map_or_else(Instant::now, |(_, since)| *since);
        let guarded = self.back.is_some() && super::back::is_guarded(&part);
        Box::pin(async move {
            let ended = match guarded {
                true => super::back::run_if_unchanged(job).await,
                false => step::run(job).await,
            };
            (
                task,
                Done::Step(Box::new(StepDone { change, part, instance, began, ended, provisioned: false })),
            )
        })
    }

    /// Tells that an object is being worked on, once.
    pub(super) fn started(&mut self, change: &Change, action: Action) {
        let address = change.address.clone();
        if self.running.contains_key(&address) {
            return;
        }
        self.running.insert(address.clone(), (action, Instant::now()));
        let id = plumb_id(&change.before).filter(|_| action != Action::Create);
        self.listener.event(Event::StepStarted { address, action, id });
    }

    /// The end of an object's provisioning after its creation: saves that it is whole.
    pub(super) fn finish_provisioned(
        &mut self,
        task: Task,
        done: Provisioned,
    ) -> Result<Running<Done>, Diagnostics> {
        let Provisioned { change, part, instance, value, record, began } = done;
        let schema = self.type_schema(&change)?;
        let whole = Box::new(InstanceRecord { status: InstanceStatus::Ready, ..(*record).clone() });
        let job = step::Job {
            record: Some(*record),
            moved_from: None,
            ..self.job(change.clone(), Part::Restore(whole), schema, None, Ignore::Nothing)
        };
        Ok(Box::pin(async move {
            let ended = step::Ended { value, ..step::run(job).await };
            let instance = Some(instance);
            (task, Done::Step(Box::new(StepDone { change, part, instance, began, ended, provisioned: true })))
        }))
    }

    /// Deletes an object, after the provisioners that run before that.
    fn begin_delete(
        &mut self,
        task: Task,
        change: Arc<Change>,
    ) -> Result<Option<Running<Done>>, Diagnostics> {
        match self.before_deletion(&change) {
            Some(provisioning) => {
                self.started(&change, Action::Delete);
                self.begin_provision(task, provisioning)
            }
            None => self.delete_now(task, change).map(Some),
        }
    }

    pub(super) fn delete_now(
        &mut self,
        task: Task,
        change: Arc<Change>,
    ) -> Result<Running<Done>, Diagnostics> {
        let schema = self.type_schema(&change)?;
        let part = match (&change.deposed, self.beside.get(&change.address)) {
            (Some(key), _) => Part::DeleteDeposed(key.clone()),
            (None, Some(key)) if change.action == Action::CreateThenDelete => {
                Part::DeleteDeposed(key.clone())
            }
            _ => Part::Delete,
        };
        let job = self.job(change, part, schema, None, Ignore::Nothing);
        Ok(self.step(task, None, job))
    }

    fn begin_record(&mut self, task: Task, change: Arc<Change>) -> Result<Running<Done>, Diagnostics> {
        let schema = self.type_schema(&change)?;
        let part = match (change.action, self.restored(&change)) {
            (Action::Forget, _) => Part::Forget,
            (_, Some(record)) => Part::Restore(record),
            (_, None) => Part::Record,
        };
        let job = self.job(change, part, schema, None, Ignore::Nothing);
        Ok(self.step(task, None, job))
    }

    fn begin_ephemeral(
        &mut self,
        task: Task,
        instance: InstanceRef,
    ) -> Result<Option<Running<Done>>, Diagnostics> {
        let program = self.program.clone();
        let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
        let config_of = self.evaluator.provider_of(instance)?;
        let schema = self.schemas.require(&config_of.source, Mode::Ephemeral, &decl.resource.kind)?.clone();
        let (config, found) = self.evaluator.config(instance, &schema.schema.block);
        found.into_result()?;
        let Some(provider) = self.providers.get(&config_of).cloned() else { return Ok(None) };
        let address = self.evaluator.address(instance);
        Ok(Some(Box::pin(async move {
            let opened = crate::ephemeral::Open::open(address, provider, config.unmark_deep().0).await;
            (task, Done::Ephemeral(instance, opened))
        })))
    }

    // --- what came back ---

    fn end_step(&mut self, task: Task, done: StepDone) {
        let StepDone { change, part, instance, began, mut ended, provisioned } = done;
        let (address, action, took) = (change.address.clone(), part.action(), began.elapsed());
        self.saving.extend(ended.saved.take());
        self.lost |= ended.lost;
        self.look_at_saving();
        if !provisioned {
            self.make_way(&change, &part, &ended);
        }
        if let (Some(record), Some(instance)) = (ended.provisional.take(), instance) {
            self.evaluator.set_instance(instance, ended.value.clone());
            self.say(task, std::mem::take(&mut ended.diagnostics));
            let made = Provisioned { change, part, instance, value: ended.value, record, began };
            self.schedule.push(task, Work::Provision(Box::new(Provisioning::after_creation(made))));
            return;
        }
        self.running.remove(&address);
        let mut found = self.place(instance, &change, ended.diagnostics);
        if instance.is_some_and(|instance| self.is_in_check(instance.node)) {
            found = found.into_iter().map(as_warning).collect();
        }
        if action != Action::NoOp {
            self.listener.event(match ended.done {
                true => {
                    let id = plumb_id(&ended.value).or_else(|| plumb_id(&change.before));
                    Event::StepEnded { address: address.clone(), action, id, took }
                }
                false => Event::StepFailed { address: address.clone(), action, took },
            });
        }
        self.say(task, found);
        let (Some(instance), true) = (instance, ended.done) else { return };
        self.invocations.stepped(&address);
        self.evaluator.set_instance(instance, ended.value.clone());
        let program = self.program.clone();
        let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
        if let Err(found) = self.conditions(instance, decl, Some(&ended.value)) {
            self.say(task, found);
        }
    }

    /// Whether a data source is written in a check block, which never stops what it checks.
    fn is_in_check(&self, node: NodeId) -> bool {
        self.program.resource(node).is_some_and(|decl| decl.check.is_some())
    }

    /// Keeps the records of what is replaced where the other half of the replacement looks for them.
    fn make_way(&mut self, change: &Change, part: &Part, ended: &step::Ended) {
        let address = &change.address;
        if let (Part::CreateBeside(key), true) = (part, ended.done) {
            // The object that was replaced is deleted from where it waits.
            let from =
                crate::plan::prior::state_key(change.previous_address.as_ref().unwrap_or(address), None);
            if let Some(mut old) = self.records.remove(&from) {
                old.address = address.to_string();
                old.deposed = Some(key.to_string());
                self.records.insert(crate::plan::prior::state_key(address, Some(key)), old);
            }
        }
        if change.action == Action::DeleteThenCreate && *part == Part::Delete {
            self.records.remove(&crate::plan::prior::state_key(address, None));
        }
    }

    /// Stops beginning anything new if an outcome did not reach the disk.
    fn look_at_saving(&mut self) {
        while let Some(result) = self.saving.front().and_then(Ticket::result) {
            self.saving.pop_front();
            if let Err(error) = result {
                self.diagnostics.push(crate::trouble::state(&error));
                self.unsaved = true;
                self.schedule.halt();
            }
        }
    }

    /// Looks at the conditions of an instance: before its step, or after it with its object.
    fn conditions(
        &mut self,
        instance: InstanceRef,
        decl: &ResourceDecl,
        this: Option<&Value>,
    ) -> Result<(), Diagnostics> {
        let (conditions, what) = match this {
            None => (&decl.lifecycle.preconditions, "precondition"),
            Some(_) => (&decl.lifecycle.postconditions, "postcondition"),
        };
        if conditions.is_empty() {
            return Ok(());
        }
        let outcomes = self.evaluator.conditions(instance, conditions, this);
        let (_, _, found) = judge(conditions, outcomes, what);
        let address = self.evaluator.address(instance);
        found.into_result().map(|_| ()).map_err(|found| found.about(address))
    }

    pub(super) fn place(
        &self,
        instance: Option<InstanceRef>,
        change: &Change,
        mut found: Diagnostics,
    ) -> Diagnostics {
        let node = instance.map(|i| i.node).or_else(|| self.program.resource_node(&change.address.config()));
        let Some(node) = node else { return found };
        for diagnostic in found.iter_mut().filter(|d| d.labels.is_empty()) {
            let attribute = match (instance, &diagnostic.attribute) {
                (Some(instance), Some(path)) => self.evaluator.attribute_span(instance, path),
                _ => None,
            };
            let span = attribute.unwrap_or_else(|| self.program.span(node));
            diagnostic.labels.push(Label { span, text: EcoString::new() });
        }
        found
    }

    /// What people call the task that others were skipped for.
    fn cause_name(&self, cause: Task) -> EcoString {
        match self.steps.extra(cause) {
            None => self.program.name(NodeId(cause as u32)),
            Some(Extra::Delete(change) | Extra::Record(change)) => ecow::eco_format!("{}", change.address),
            Some(Extra::Provider(config)) => ecow::eco_format!("{config}"),
            Some(Extra::Block(block)) => ecow::eco_format!("{block}"),
            Some(Extra::After(id)) => ecow::eco_format!("what follows {}", self.program.name(*id)),
            Some(Extra::Gate) => "an earlier step".into(),
        }
    }

    pub(super) fn skip_change(&mut self, change: &Change, cause: Task) {
        if change.action == Action::NoOp {
            return;
        }
        let because = self.cause_name(cause);
        let action = if change.action.is_replace() { Action::Create } else { change.action };
        self.skipped_because(change, action, because);
    }

    pub(super) fn skipped_because(&mut self, change: &Change, action: Action, because: EcoString) {
        let (address, reason) = (change.address.clone(), because.clone());
        self.listener.event(Event::StepSkipped { address: address.clone(), action, because });
        self.skipped.push((address, reason));
    }
}

/// A new key for an object that waits to be deleted: eight hexadecimal digits.
fn deposed_key() -> EcoString {
    let random = uuid::Uuid::new_v4();
    hex::encode(&random.as_bytes()[..4]).into()
}

impl Coordinator for Walker<'_> {
    type Work = Work;
    type Done = Done;

    fn schedule(&mut self) -> &mut Schedule<Work, Done> {
        &mut self.schedule
    }

    fn start(&mut self, task: Task) {
        if let Some(extra) = self.steps.extra(task).cloned() {
            return self.start_extra(task, extra);
        }
        let id = NodeId(task as u32);
        let needed = self.back.as_ref().map(|(_, needed)| needed).or(self.only.as_ref());
        if needed.is_some_and(|needed| !needed.node(id)) {
            return;
        }
        match self.program.node(id).kind {
            NodeKind::Resource if needed.is_some() && self.is_managed(id) => self.show_block(task, id),
            NodeKind::Resource => self.start_resource(task, id),
            NodeKind::Provider => match self.evaluator.expand_provider(id) {
                Ok(configs) => {
                    configs.into_iter().for_each(|c| self.schedule.push(task, Work::Provider(c, Some(id))));
                }
                Err(found) => self.say(task, found),
            },
            NodeKind::Check if self.plan.purpose == Purpose::Destroy => {}
            NodeKind::Check => {
                // What was not known when the plan was made may be now.
                let (_, found) = crate::plan::conditions::check(&self.evaluator, id);
                self.diagnostics.extend(found);
            }
            NodeKind::Output if self.plan.purpose == Purpose::Destroy => {}
            NodeKind::Variable | NodeKind::Local | NodeKind::Output | NodeKind::Call | NodeKind::CallEnd => {
                let found = self.evaluator.evaluate(id);
                self.say(task, found);
            }
        }
    }

    fn skip(&mut self, task: Task, cause: Task) {
        if let Some(extra) = self.steps.extra(task).cloned() {
            match extra {
                Extra::Delete(change) | Extra::Record(change) => self.skip_change(&change, cause),
                Extra::Block(block) => self.skip_block(&block, cause),
                Extra::Gate | Extra::Provider(_) | Extra::After(_) => {}
            }
            return;
        }
        if self.back.is_some() {
            return;
        }
        let id = NodeId(task as u32);
        if let Some(block) = order::block(&self.program, id) {
            let changes = self.by_block.get(&block).cloned().unwrap_or_default();
            for change in changes.iter().filter(|c| !matches!(c.action, Action::Delete | Action::Forget)) {
                self.skip_change(change, cause);
            }
        }
    }

    fn begin(&mut self, task: Task, work: Work) -> Option<Running<Done>> {
        let begun = match work {
            Work::Provider(config, node) => return self.begin_provider(task, config, node),
            Work::Declared(instance, change) => self.begin_declared(task, instance, change),
            Work::Delete(change) => match self.begin_delete(task, change) {
                Ok(running) => return running,
                Err(found) => Err(found),
            },
            Work::Invoke(invoking) => return self.begin_invoke(task, invoking),
            Work::Provision(provisioning) => match self.begin_provision(task, *provisioning) {
                Ok(running) => return running,
                Err(found) => Err(found),
            },
            Work::Record(change) => self.begin_record(task, change),
            Work::Back(change) => self.begin_back(task, change),
            Work::Ephemeral(instance) => match self.begin_ephemeral(task, instance) {
                Ok(running) => return running,
                Err(found) => Err(found),
            },
        };
        match begun {
            Ok(running) => Some(running),
            Err(found) => {
                self.say(task, found);
                None
            }
        }
    }

    fn end(&mut self, task: Task, done: Done) {
        match done {
            Done::Provider(config, Ok((provider, warnings))) => {
                self.diagnostics.extend(warnings);
                self.providers.add(config, provider);
            }
            Done::Provider(config, Err(mut found)) => {
                if let Some(node) = self.program.provider_node(&config) {
                    found = found.place(self.program.span(node));
                }
                self.say(task, found);
            }
            Done::Step(done) => self.end_step(task, *done),
            Done::Invoke(invoking, ended) => self.end_invoke(task, invoking, ended),
            Done::Provision(provisioning, result) => self.end_provision(task, *provisioning, result),
            Done::Ephemeral(instance, Ok((open, warnings))) => {
                self.diagnostics.extend(warnings);
                self.evaluator.set_instance(instance, open.value.clone());
                self.ephemerals.push(open);
            }
            Done::Ephemeral(_, Err(found)) => self.say(task, found),
        }
    }

    fn notice(&mut self, event: Event) {
        self.listener.event(event);
    }

    fn tick(&mut self) {
        for (address, (action, since)) in &self.running {
            let (address, action, elapsed) = (address.clone(), *action, since.elapsed());
            self.listener.event(Event::StepProgress { address, action, elapsed });
        }
    }

    fn cancelled(&mut self, urgency: Urgency) -> bool {
        self.urgency = urgency;
        if urgency == Urgency::Graceful {
            // Plugins are told, as their protocol wants it. What compiled-in providers do is let come to its end.
            let plugins = self.providers.all().filter(|(config, _)| !config.source.is_builtin());
            let providers: Vec<Arc<dyn Provider>> = plugins.map(|(_, provider)| provider.clone()).collect();
            tokio::spawn(async move {
                futures_util::future::join_all(providers.iter().map(|p| p.stop())).await;
            });
        }
        true
    }
}
