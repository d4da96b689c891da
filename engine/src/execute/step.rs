//! One step: save the intent, call the provider, check the outcome, save it.
//!
//! A step never decides what to do; its [`Change`] says. It completes the planned object with what has become known,
//! lets the provider plan once more, and refuses to go on if that is not what was approved.
//!
//! The provider is called only when the intent is on disk. The outcome is on its way there when [`run`] returns, with a
//! [`Ticket`] to learn when it arrives: what is saved arrives in order, so the intent of a step that builds on this one
//! cannot be on disk before this outcome is, and its provider is not called before.

use std::sync::Arc;

use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Marks, Path, Value};
use plumb_provider_api::{ApplyRequest, ApplyResponse, PlanRequest, PlanResponse, Provider};
use plumb_state::json::JsonText;
use plumb_state::record::{InstanceKey, InstanceRecord, StepAction, StepStatus};
use plumb_state::state::{After, OperationWriter, RecordChange, StepIntent, StepOutcome, Ticket};

use crate::object;
use crate::plan::instance::Ignore;
use crate::plan::{Action, Change};
use crate::promise;
use crate::providers::TypeSchema;
use crate::recorded::Outcome;

/// Which part of a change a step carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Create an object where there is none.
    Create,
    /// Create an object while the one it replaces waits under this key.
    CreateBeside(EcoString),
    /// Change the object.
    Update,
    /// Delete the object.
    Delete,
    /// Delete the former object that waits under this key.
    DeleteDeposed(EcoString),
    /// Read a data source.
    Read,
    /// Drop the record, leave the object.
    Forget,
    /// Save what planning found out; no object is touched.
    Record,
    /// Save this record; no object is touched.
    Restore(Box<InstanceRecord>),
}

impl Part {
    /// The action as events name it.
    pub fn action(&self) -> Action {
        match self {
            Part::Create | Part::CreateBeside(_) => Action::Create,
            Part::Update => Action::Update,
            Part::Delete | Part::DeleteDeposed(_) => Action::Delete,
            Part::Read => Action::Read,
            Part::Forget => Action::Forget,
            Part::Record | Part::Restore(_) => Action::NoOp,
        }
    }

    fn saved(&self) -> StepAction {
        match self {
            Part::Create | Part::CreateBeside(_) => StepAction::Create,
            Part::Update => StepAction::Update,
            Part::Delete | Part::DeleteDeposed(_) => StepAction::Delete,
            Part::Read => StepAction::Read,
            Part::Forget => StepAction::Forget,
            Part::Record | Part::Restore(_) => StepAction::State,
        }
    }
}

/// A step to run.
pub(crate) struct Job {
    /// What was approved.
    pub change: Arc<Change>,
    /// The part of it.
    pub part: Part,
    /// The provider, configured. Not called where no object is touched.
    pub provider: Option<Arc<dyn Provider>>,
    /// The schema of the type.
    pub schema: TypeSchema,
    /// The configuration, wholly known, with marks; none for deletions.
    pub config: Option<Value>,
    /// What to leave as it is.
    pub ignore: Ignore,
    /// The record as it is now.
    pub record: Option<InstanceRecord>,
    /// Records that change with the intent, since the instance has another address now.
    pub moved_from: Option<InstanceKey>,
    /// Where to save.
    pub writer: Arc<OperationWriter>,
    /// The module's `provider_meta`.
    pub meta: Option<Value>,
    /// Whether provisioners have to run before what is created is whole: until then it is saved as tainted, so that it
    /// is replaced if this process ends before they have.
    pub provisional: bool,
}

/// How a step ended.
pub(crate) struct Ended {
    /// Whether it did what it should.
    pub done: bool,
    /// The object now, with marks; null if there is none.
    pub value: Value,
    /// Whether the outcome is on disk; none if nothing was done, or nobody knows what was.
    pub saved: Option<Ticket>,
    /// The record of what was created, if it waits for provisioners: as it is saved, tainted.
    pub provisional: Option<Box<InstanceRecord>>,
    /// Whether nobody knows what the provider did. The step stays in flight, as if this process had ended meanwhile: the
    /// next plan finds out.
    pub lost: bool,
    /// What there is to say.
    pub diagnostics: Diagnostics,
}

/// What the provider made of it.
struct Result {
    status: StepStatus,
    /// The object now; null if there is none.
    value: Value,
    private: Bytes,
    identity: Option<Value>,
    tainted: bool,
    /// Whether the provider gave no answer.
    lost: bool,
}

/// Runs a step.
pub(crate) async fn run(job: Job) -> Ended {
    let mut step =
        Run { diagnostics: Diagnostics::new(), saved: None, provisional: None, lost: false, job: &job };
    let value = step.run().await;
    let Run { diagnostics, saved, provisional, lost, .. } = step;
    let diagnostics = diagnostics.about(&job.change.address);
    let done = !diagnostics.has_errors();
    let value = value.unwrap_or_else(|| job.change.before.clone());
    Ended { done, value, saved, provisional: provisional.filter(|_| done), lost, diagnostics }
}

/// Waits, without blocking the thread, until something is on disk.
pub(crate) async fn durable(ticket: Ticket) -> std::result::Result<(), Diagnostic> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    ticket.on_durable(move |result| {
        // Nobody listens any more after an abort, and then nobody needs to know.
        let _ = sender.send(result);
    });
    match receiver.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(crate::trouble::state(&error)),
        Err(_) => Err(crate::trouble::state(&plumb_state::StateError::Closed)),
    }
}

struct Run<'j> {
    job: &'j Job,
    diagnostics: Diagnostics,
    saved: Option<Ticket>,
    provisional: Option<Box<InstanceRecord>>,
    lost: bool,
}

impl Run<'_> {
    fn absent(&self) -> Value {
        Value::Null((*self.job.schema.ty).clone())
    }

    /// The object afterwards. `None` if nothing was done to it.
    async fn run(&mut self) -> Option<Value> {
        let job = self.job;
        let request = match job.part {
            Part::Read => return self.read_data().await,
            Part::Forget | Part::Record | Part::Restore(_) => None,
            Part::Delete | Part::DeleteDeposed(_) => Some(self.deletion()),
            Part::Create | Part::CreateBeside(_) | Part::Update => match self.complete().await {
                Some(request) => Some(request),
                None => return None,
            },
        };
        let (step, ticket) = match self.intent(request.as_ref()) {
            Ok(intent) => job.writer.intend(intent),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                return None;
            }
        };
        if let Err(diagnostic) = durable(ticket).await {
            self.diagnostics.push(diagnostic);
            return None;
        }
        let result = match request {
            None => self.without_provider(),
            Some(request) => self.call(request).await,
        };
        if result.lost {
            self.lost = true;
            self.diagnostics.push(outcome_unknown());
            return Some(result.value);
        }
        let outcome = self.outcome(&result);
        self.saved = Some(job.writer.outcome(&step, outcome));
        Some(result.value)
    }

    fn deletion(&self) -> ApplyRequest {
        let change = &self.job.change;
        ApplyRequest {
            kind: change.address.resource.kind.clone(),
            prior: change.before.unmark_deep().0,
            planned: self.absent(),
            config: self.absent(),
            planned_private: change.planned_private.clone(),
            meta: self.job.meta.clone(),
            planned_identity: change.identity.clone(),
        }
    }

    /// The planned object, completed by planning once more with everything known. Errors if it is no longer what was
    /// approved.
    async fn complete(&mut self) -> Option<ApplyRequest> {
        let job = self.job;
        let change = &job.change;
        let block = &job.schema.schema.block;
        let config = job.config.as_ref().expect("creating and updating have a configuration").unmark_deep().0;
        let prior = if job.part == Part::Update { change.before.unmark_deep().0 } else { self.absent() };
        let wanted = match prior.is_null() {
            true => config,
            false => job.ignore.apply(&config, &prior, block),
        };
        if !wanted.is_wholly_known() {
            return self.fail(crate::trouble::unknown_config(&wanted));
        }
        let request = PlanRequest {
            kind: change.address.resource.kind.clone(),
            proposed: object::proposed(block, &prior, &wanted),
            prior: prior.clone(),
            config: wanted.clone(),
            prior_private: if prior.is_null() { Bytes::new() } else { change.prior_private.clone() },
            meta: job.meta.clone(),
            prior_identity: change.identity.clone().filter(|_| !prior.is_null()),
        };
        let planned = self.plan_again(request).await?;
        let approved = change.after.unmark_deep().0;
        let broken = object::check_applied(block, &approved, &planned.planned);
        if !broken.is_empty() {
            let provider = &change.provider;
            self.diagnostics.extend(promise::broken(
                "inconsistent-final-plan",
                "Provider would do something else than was planned",
                provider,
                &broken,
            ));
            return None;
        }
        Some(ApplyRequest {
            kind: change.address.resource.kind.clone(),
            prior,
            planned: planned.planned,
            config: wanted,
            planned_private: planned.private,
            meta: job.meta.clone(),
            planned_identity: planned.identity,
        })
    }

    async fn plan_again(&mut self, request: PlanRequest) -> Option<PlanResponse> {
        let job = self.job;
        let provider = job.provider.as_ref().expect("this part has a provider");
        let (prior, config) = (request.prior.clone(), request.config.clone());
        match provider.plan(request).await.into_result() {
            Err(errors) => {
                self.diagnostics.extend(errors);
                None
            }
            Ok((response, warnings)) => {
                self.diagnostics.extend(warnings);
                let broken = promise::check_planned(&job.schema, &prior, &config, &response);
                if broken.is_empty() {
                    return Some(response);
                }
                let summary = "Provider produced an invalid plan";
                self.diagnostics.extend(promise::broken(
                    "invalid-plan",
                    summary,
                    &job.change.provider,
                    &broken,
                ));
                None
            }
        }
    }

    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    /// What is saved before the provider is called.
    fn intent(&self, request: Option<&ApplyRequest>) -> std::result::Result<StepIntent, Diagnostic> {
        let job = self.job;
        let address = job.change.address.to_string();
        let key = match &job.part {
            Part::DeleteDeposed(key) => InstanceKey::deposed(address.clone(), key.to_string()),
            _ => InstanceKey {
                address: address.clone(),
                deposed: job.change.deposed.as_ref().map(|k| k.to_string()),
            },
        };
        let mut also = Vec::new();
        if let (Part::CreateBeside(deposed), Some(record)) = (&job.part, &job.record) {
            let mut record = record.clone();
            record.address = address;
            record.deposed = Some(deposed.to_string());
            also.push(RecordChange::Remove(key.clone()));
            also.push(RecordChange::Put(Box::new(record)));
        }
        if let Some(old) = &job.moved_from {
            also.push(RecordChange::Remove(old.clone()));
        }
        let planned = request.filter(|r| !r.planned.is_null()).map(|r| self.planned_record(r)).transpose()?;
        Ok(StepIntent { key, action: job.part.saved(), before: job.record.clone(), planned, also })
    }

    /// The planned object in the form of a record, with null for what is not known: enough to look for the object if
    /// its outcome is never saved.
    fn planned_record(&self, request: &ApplyRequest) -> std::result::Result<JsonText, Diagnostic> {
        let planned = object::unknown_as_null(&request.planned);
        let planned = self.marked(&planned);
        let identity = request.planned_identity.as_ref().filter(|identity| identity.is_wholly_known());
        let record = self.outcome_of(&planned, &request.planned_private, identity, false).record();
        let record = record.map_err(|e| crate::trouble::unsaveable(&e))?;
        JsonText::of(&record).map_err(|e| crate::trouble::unsaveable(&e))
    }

    fn outcome_of<'a>(
        &'a self,
        value: &'a Value,
        private: &'a Bytes,
        identity: Option<&'a Value>,
        tainted: bool,
    ) -> Outcome<'a> {
        let change = &self.job.change;
        let deposed = match &self.job.part {
            Part::DeleteDeposed(key) => Some(key.clone()),
            _ => change.deposed.clone(),
        };
        Outcome { change, value, schema: &self.job.schema, private, identity, tainted, deposed }
    }

    /// With the marks of the schema and those that the planned object has.
    fn marked(&self, value: &Value) -> Value {
        if value.is_null() {
            return value.clone();
        }
        let schema = self.job.schema.schema.block.sensitive_paths(value);
        let planned: Vec<(Path, Marks)> = self.job.change.after.unmark_with_paths().1;
        value
            .mark_paths(schema.iter().map(|(path, marks)| (path, *marks)))
            .mark_paths(planned.iter().map(|(path, marks)| (path, *marks)))
    }

    fn without_provider(&self) -> Result {
        let change = &self.job.change;
        let value = if self.job.part == Part::Forget { self.absent() } else { change.after.clone() };
        Result {
            status: StepStatus::Done,
            value,
            private: change.planned_private.clone(),
            identity: change.identity.clone(),
            tainted: self
                .job
                .record
                .as_ref()
                .is_some_and(|r| r.status == plumb_state::record::InstanceStatus::Tainted),
            lost: false,
        }
    }

    /// Calls the provider and weighs its answer.
    async fn call(&mut self, request: ApplyRequest) -> Result {
        let job = self.job;
        let provider = job.provider.as_ref().expect("this part has a provider");
        let (planned, prior) = (request.planned.clone(), request.prior.clone());
        let creating = prior.is_null();
        let mut response = provider.apply(request).await;
        self.diagnostics.extend(std::mem::take(&mut response.diagnostics));
        let failed = self.diagnostics.has_errors();
        let value = self.outcome_value(&response, &planned, &prior, failed);
        let failed = self.diagnostics.has_errors();
        Result {
            status: if failed { StepStatus::Failed } else { StepStatus::Done },
            tainted: (failed || job.provisional) && creating && !value.is_null(),
            value: self.marked(&value),
            private: response.private,
            identity: response.identity,
            lost: failed && response.state.is_none(),
        }
    }

    /// The object as the provider left it, as far as it can be believed. Broken promises become diagnostics.
    fn outcome_value(
        &mut self,
        response: &ApplyResponse,
        planned: &Value,
        prior: &Value,
        failed: bool,
    ) -> Value {
        let job = self.job;
        let state = match &response.state {
            None if failed => return prior.clone(),
            None => Value::Null((*job.schema.ty).clone()),
            Some(state) => state.clone(),
        };
        let mut broken = object::check_type(&state, &job.schema.ty);
        if !broken.is_empty() {
            self.broken(&broken);
            return prior.clone();
        }
        if failed && state.is_null() && !planned.is_null() {
            // What was there stays recorded until it has been looked at.
            return prior.clone();
        }
        broken.extend(object::check_known(&state));
        if !failed {
            broken.extend(promise::check_applied(&job.schema, planned, response));
        }
        self.broken(&broken);
        object::unknown_as_null(&state)
    }

    fn broken(&mut self, broken: &[object::Broken]) {
        if !broken.is_empty() {
            let summary = "Provider produced another result than planned";
            self.diagnostics.extend(promise::broken(
                "inconsistent-result",
                summary,
                &self.job.change.provider,
                broken,
            ));
        }
    }

    /// What is saved after the provider was called.
    fn outcome(&mut self, result: &Result) -> StepOutcome {
        let job = self.job;
        let mut outcome =
            StepOutcome { status: result.status, after: After::Gone, error: None, also: Vec::new() };
        if let Part::Restore(restored) = &job.part {
            outcome.after = After::Record(restored.clone());
        } else if !result.value.is_null() {
            let saved =
                self.outcome_of(&result.value, &result.private, result.identity.as_ref(), result.tainted);
            match saved.record() {
                Ok(saved) => {
                    let saved = Box::new(saved);
                    self.provisional = job.provisional.then(|| saved.clone());
                    outcome.after = After::Record(saved);
                }
                Err(error) => {
                    self.diagnostics.push(crate::trouble::unsaveable(&error));
                    outcome.after = After::Kept;
                    outcome.status = StepStatus::Failed;
                }
            }
        } else if let (Part::CreateBeside(deposed), Some(old), StepStatus::Failed) =
            (&job.part, &job.record, result.status)
        {
            // Nothing was created: the object that waited to be replaced is the current one again.
            let mut old = old.clone();
            old.address = job.change.address.to_string();
            outcome
                .also
                .push(RecordChange::Remove(InstanceKey::deposed(old.address.clone(), deposed.to_string())));
            outcome.after = After::Record(Box::new(old));
        }
        if result.status == StepStatus::Failed {
            outcome.error = self
                .diagnostics
                .iter()
                .find(|d| d.is_error())
                .map(|d| format!("{}: {}", d.summary, d.detail));
        }
        outcome
    }

    /// Reads a data source, whose outcome alone is saved: nothing is lost if it is read twice.
    async fn read_data(&mut self) -> Option<Value> {
        let job = self.job;
        let config = job.config.as_ref().expect("reading has a configuration").unmark_deep().0;
        let provider = job.provider.as_ref().expect("reading has a provider");
        let kind = &job.change.address.resource.kind;
        match crate::plan::data::read(
            &**provider,
            &job.change.provider,
            kind,
            &job.schema,
            config,
            job.meta.clone(),
        )
        .await
        {
            Err(errors) => {
                self.diagnostics.extend(errors);
                None
            }
            Ok((value, warnings)) => {
                self.diagnostics.extend(warnings);
                Some(self.marked(&value))
            }
        }
    }
}

fn outcome_unknown() -> Diagnostic {
    Diagnostic::warning("outcome-unknown", "It is not known what became of a step")
        .detail("The provider gave no answer that tells whether it changed the object.")
        .help("Plan again: `plumb plan` first asks the provider how the object is now, and records that.")
}
