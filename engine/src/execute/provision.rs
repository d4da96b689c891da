//! Provisioners: what runs after an object has been created, and before it is destroyed.
//!
//! They run one after the other. What is created is saved as tainted before the first of them runs, and as whole after
//! the last, so that an object whose provisioners did not all succeed, or that nobody knows of, is replaced by the next
//! plan. Before an object is destroyed it must be whole: of a tainted one, whose creation did not come to its end, none
//! is run. Where one fails the object stays as it is, unless it says `on_failure = continue`.
//!
//! On a way back no provisioners run: what they did elsewhere is not recorded.

use std::sync::Arc;
use std::time::Instant;

use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Marks, Severity, Value};
use plumb_semantics::eval::InstanceRef;
use plumb_semantics::program::{ModuleId, NodeId, Program, ProvisionerDecl};
use plumb_semantics::provisioner;
use plumb_state::record::{InstanceRecord, InstanceStatus};

use super::local_exec::LocalExec;
use super::step::Part;
use super::walk::{Done, Walker};
use crate::event::Event;
use crate::graph::Task;
use crate::plan::resource::removed_by;
use crate::plan::{Action, Change};
use crate::schedule::Running;

/// An object that has been created, and is whole when its provisioners have run.
pub(super) struct Provisioned {
    pub change: Arc<Change>,
    pub part: Part,
    pub instance: InstanceRef,
    /// The object.
    pub value: Value,
    /// Its record as it is saved, tainted.
    pub record: Box<InstanceRecord>,
    /// Since when it is worked on.
    pub began: Instant,
}

/// The provisioners of an object that are still to run.
pub(super) struct Provisioning {
    what: What,
    place: Place,
    /// The first that has not run.
    next: usize,
}

enum What {
    Created(Provisioned),
    Deleting(Arc<Change>),
}

/// Where provisioners are written.
#[derive(Clone, Copy)]
enum Place {
    Resource(NodeId),
    Removed(ModuleId, usize),
}

impl Place {
    fn of(program: &Program, change: &Change) -> Option<Place> {
        let node = program.resource_node(&change.address.config()).map(Place::Resource);
        node.or_else(|| {
            removed_by(program, &change.address).map(|(module, index)| Place::Removed(module, index))
        })
    }

    fn declared(self, program: &Program) -> &[ProvisionerDecl] {
        match self {
            Place::Resource(node) => program.resource(node).map_or(&[], |decl| &decl.provisioners),
            Place::Removed(module, index) => &program.module(module).removed[index].provisioners,
        }
    }

    fn module(self, program: &Program) -> ModuleId {
        match self {
            Place::Resource(node) => program.node(node).module,
            Place::Removed(module, _) => module,
        }
    }
}

impl Provisioning {
    /// Those that run after an object has been created.
    pub fn after_creation(made: Provisioned) -> Provisioning {
        let place = Place::Resource(made.instance.node);
        Provisioning { what: What::Created(made), place, next: 0 }
    }

    fn change(&self) -> &Arc<Change> {
        match &self.what {
            What::Created(made) => &made.change,
            What::Deleting(change) => change,
        }
    }

    fn action(&self) -> Action {
        match self.what {
            What::Created(_) => Action::Create,
            What::Deleting(_) => Action::Delete,
        }
    }

    /// The index of the next that is to run.
    fn following(&self, program: &Program) -> Option<usize> {
        let on_destroy = matches!(self.what, What::Deleting(_));
        let declared = self.place.declared(program);
        (self.next..declared.len()).find(|index| declared[*index].on_destroy == on_destroy)
    }
}

impl Walker<'_> {
    /// What runs before an object is deleted, if there is anything.
    pub(super) fn before_deletion(&self, change: &Arc<Change>) -> Option<Provisioning> {
        if self.back.is_some() || change.deposed.is_some() || change.action == Action::CreateThenDelete {
            return None;
        }
        let record = self.record(change)?;
        let place = Place::of(&self.program, change)?;
        let provisioning = Provisioning { what: What::Deleting(change.clone()), place, next: 0 };
        (record.status != InstanceStatus::Tainted && provisioning.following(&self.program).is_some())
            .then_some(provisioning)
    }

    /// Runs the next provisioner, or goes on with what follows the last.
    pub(super) fn begin_provision(
        &mut self,
        task: Task,
        mut provisioning: Provisioning,
    ) -> Result<Option<Running<Done>>, Diagnostics> {
        let program = self.program.clone();
        let Some(index) = provisioning.following(&program) else {
            return match provisioning.what {
                What::Created(made) => self.finish_provisioned(task, made).map(Some),
                What::Deleting(change) => self.delete_now(task, change).map(Some),
            };
        };
        provisioning.next = index;
        let declared = &provisioning.place.declared(&program)[index];
        let program_to_run = match self.local_exec(&provisioning, declared) {
            Ok(program) => program,
            Err(found) => {
                self.stop_provisioning(task, &provisioning, found);
                return Ok(None);
            }
        };
        let (address, kind) = (provisioning.change().address.clone(), declared.kind.name.clone());
        self.listener.event(Event::ProvisionStarted { address: address.clone(), kind: kind.clone() });
        let notices = self.schedule.notifier();
        Ok(Some(Box::pin(async move {
            let from = ecow::eco_format!("{address} ({kind})");
            let say = move |line: EcoString| {
                // Nobody listens any more when all has been stopped at once.
                let _ = notices.send(Event::Output { from: from.clone(), line });
            };
            let result = program_to_run.run(&say).await;
            (task, Done::Provision(Box::new(provisioning), result))
        })))
    }

    fn local_exec(
        &self,
        provisioning: &Provisioning,
        declared: &ProvisionerDecl,
    ) -> Result<LocalExec, Diagnostics> {
        let schema = provisioner::schema(declared.kind.as_str()).expect("checking lets no other kind pass");
        let (config, found) = match &provisioning.what {
            What::Created(made) => {
                self.evaluator.block(made.instance, &declared.body, &schema, Some(&made.value))
            }
            What::Deleting(change) => {
                let module = provisioning.place.module(&self.program);
                let key = &change.address.key;
                self.evaluator.block_of_gone(module, key, &declared.body, &schema, &change.before)
            }
        };
        found.into_result()?;
        let (config, marks) = config.unmark_deep();
        let secret = match (marks.contains(Marks::SENSITIVE), marks.contains(Marks::EPHEMERAL)) {
            (true, _) => Some("sensitive"),
            (false, true) => Some("ephemeral"),
            (false, false) => None,
        };
        LocalExec::read(&config, secret).map_err(|found| found.at(declared.span).into())
    }

    /// A provisioner has run, or not.
    pub(super) fn end_provision(
        &mut self,
        task: Task,
        mut provisioning: Provisioning,
        result: Result<(), Diagnostic>,
    ) {
        let program = self.program.clone();
        let declared = &provisioning.place.declared(&program)[provisioning.next];
        let (address, kind) = (provisioning.change().address.clone(), declared.kind.name.clone());
        self.listener.event(Event::ProvisionEnded { address: address.clone(), kind, done: result.is_ok() });
        if let Err(mut found) = result.map_err(|found| found.at(declared.span).about(&address)) {
            if !declared.continue_on_failure {
                return self.stop_provisioning(task, &provisioning, found.into());
            }
            found.severity = Severity::Warning;
            self.diagnostics.push(found.note("It says `on_failure = continue`, so the rest goes on."));
        }
        provisioning.next += 1;
        self.schedule.push(task, super::walk::Work::Provision(Box::new(provisioning)));
    }

    /// What is being created stays tainted, what was to be destroyed stays.
    fn stop_provisioning(&mut self, task: Task, provisioning: &Provisioning, found: Diagnostics) {
        let (change, action) = (provisioning.change().clone(), provisioning.action());
        let since = self.running.remove(&change.address);
        let took = since.map(|(_, since)| since.elapsed()).unwrap_or_default();
        self.listener.event(Event::StepFailed { address: change.address.clone(), action, took });
        let instance = match &provisioning.what {
            What::Created(made) => Some(made.instance),
            What::Deleting(_) => None,
        };
        let found = self.place(instance, &change, found);
        self.say(task, found.about(&change.address));
    }
}
