//! Planning one object: complete, read, propose, ask the provider, check its promise, choose the action.
//!
//! [`plan`] is given everything by value and knows nothing of the configuration or of other instances, so any number
//! of objects can be planned at the same time. What the configuration says has been evaluated before; what depends on
//! the result is the coordinator's ([`super::walk`]) business.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use ecow::EcoString;
use plumb_model::address::{ConfigResource, Instance, ProviderConfig};
use plumb_model::{Diagnostic, Diagnostics, Marks, Path, Value, json};
use plumb_provider_api::{Capabilities, ImportTarget, PlanRequest, PlanResponse, Provider, ReadRequest};
use plumb_state::record::{InstanceRecord, StepAction, StepRecord};

use super::{Action, Change, Drift, Reason, moved};
use crate::object::{self, Ignored};
use crate::promise;
use crate::providers::TypeSchema;
use crate::recorded::Recorded;

/// An object to plan.
pub(crate) struct Job {
    /// The instance.
    pub address: Instance,
    /// Where it was recorded, if that is another address.
    pub previous_address: Option<Instance>,
    /// The provider, configured.
    pub provider: Arc<dyn Provider>,
    /// The configuration of the provider.
    pub provider_config: ProviderConfig,
    /// The schema of its type.
    pub schema: TypeSchema,
    /// The object as it was saved.
    pub recorded: Option<Arc<Recorded>>,
    /// What is wished.
    pub wish: Wish,
    /// Whether to look at the object before planning.
    pub refresh: bool,
    /// Whether only to look.
    pub refresh_only: bool,
    /// The resource blocks it depends on.
    pub dependencies: Vec<ConfigResource>,
    /// The module's `provider_meta`.
    pub meta: Option<Value>,
}

/// What is wished of an object.
pub(crate) enum Wish {
    /// That it is as configured.
    Exist(Box<Existence>),
    /// That it is not there.
    NotExist {
        /// Why.
        reason: Option<Reason>,
        /// Whether only to stop managing it.
        forget: bool,
    },
}

/// How an object is wished to be.
pub(crate) struct Existence {
    /// The configuration, of the schema's type, with marks.
    pub config: Value,
    /// What to leave as it is.
    pub ignore: Ignore,
    /// The order of a replacement.
    pub create_before_destroy: bool,
    /// Why to replace it whatever the provider says.
    pub replace: Option<Reason>,
    /// The object to take under management, if there is none yet.
    pub import: Option<ImportTarget>,
}

/// What of an object is to be left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ignore {
    /// Nothing.
    Nothing,
    /// What is at these paths.
    Paths(Vec<Path>),
    /// Everything.
    All,
}

impl Ignore {
    /// The configuration with prior values where changes are to be ignored.
    pub fn apply(&self, config: &Value, prior: &Value, block: &plumb_model::Block) -> Value {
        match self {
            Ignore::Nothing => config.clone(),
            Ignore::All => object::ignore_changes(config, prior, Ignored::All, block),
            Ignore::Paths(paths) => object::ignore_changes(config, prior, Ignored::Paths(paths), block),
        }
    }
}

/// What was found out about an object.
pub(crate) struct Planned {
    /// What becomes of it; `None` if there is nothing and nothing is wished.
    pub change: Option<Change>,
    /// How it differs from what was recorded.
    pub drift: Option<Drift>,
    /// What became of a step that was in flight. Then there is no change: it is to be planned again with this known.
    pub resolved: Option<Resolution>,
    /// Errors leave no change.
    pub diagnostics: Diagnostics,
}

/// What was found out about a step that was in flight when its process ended.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The step.
    pub step: Arc<StepRecord>,
    /// The object as it is now; `None` if there is none.
    pub found: Option<InstanceRecord>,
    /// Whether the provider could not tell for certain, so that an object may exist that nobody knows.
    pub in_doubt: bool,
}

/// An object as it is.
struct Prior {
    /// Null if there is none.
    value: Value,
    private: Bytes,
    identity: Option<Value>,
}

/// Plans one object.
pub(crate) async fn plan(mut job: Job) -> Planned {
    let mut diagnostics = Diagnostics::new();
    if moved::is_of_another_type(&job) {
        match moved::take_over(&job).await {
            Ok((recorded, warnings)) => {
                job.recorded = Some(Arc::new(recorded));
                diagnostics = warnings;
            }
            Err(errors) => {
                let diagnostics = errors.about(&job.address);
                return Planned { change: None, drift: None, resolved: None, diagnostics };
            }
        }
    }
    let mut planner = Planner { diagnostics, drift: None, resolved: None, job: &job };
    let change = match job.recorded.as_ref().and_then(|recorded| recorded.in_flight.clone()) {
        Some(step) => {
            planner.resolve(step).await;
            None
        }
        None => planner.run().await,
    };
    let Planner { diagnostics, drift, resolved, .. } = planner;
    let diagnostics = diagnostics.about(&job.address);
    Planned { change: change.filter(|_| !diagnostics.has_errors()), drift, resolved, diagnostics }
}

struct Planner<'j> {
    job: &'j Job,
    diagnostics: Diagnostics,
    drift: Option<Drift>,
    resolved: Option<Resolution>,
}

impl Planner<'_> {
    /// `None` after errors, or if there is nothing to say.
    async fn run(&mut self) -> Option<Change> {
        let job = self.job;
        if let Wish::Exist(wish) = &job.wish {
            let plain = wish.config.unmark_deep().0;
            let found = job.provider.validate_resource(&job.address.resource.kind, plain).await;
            self.collect(found)?;
        }
        let recorded = self.recorded_value().await?;
        let prior = match (&recorded, &job.wish) {
            (None, Wish::Exist(wish)) if let Some(target) = &wish.import => self.import(target).await?,
            (None, _) => Prior { value: self.absent(), private: Bytes::new(), identity: None },
            (Some(recorded), _) => self.read(recorded).await?,
        };
        if let Some(recorded) = recorded {
            self.note_drift(&recorded, &prior.value);
        }
        if job.refresh_only {
            return self.leave(&prior);
        }
        match &job.wish {
            Wish::Exist(wish) => self.exist(wish, prior).await,
            Wish::NotExist { reason, forget } => self.not_exist(*reason, *forget, prior).await,
        }
    }

    /// Asks the provider what became of an object whose step was interrupted.
    async fn resolve(&mut self, step: Arc<StepRecord>) -> Option<()> {
        let job = self.job;
        let recorded = job.recorded.as_ref().expect("what is in flight is recorded");
        let value = self.recorded_value().await?.expect("what is recorded has a value");
        let identity = self.recorded_identity().await?;
        let creating = step.action == StepAction::Create;
        let finds_planned = capabilities(&*job.provider).await.is_ok_and(|can| can.finds_planned);
        let found = match self.look(&value, recorded.private.clone(), identity).await {
            Some(found) => found,
            // Most providers look an object up by what they chose when they made it, which nobody knows here.
            None if creating && !finds_planned => {
                self.diagnostics = std::mem::take(&mut self.diagnostics)
                    .into_iter()
                    .map(super::conditions::as_warning)
                    .collect();
                Prior { value: self.absent(), private: Bytes::new(), identity: None }
            }
            None => return None,
        };
        let found = match found.value.is_null() {
            true => None,
            false => {
                let schema = &job.schema;
                match recorded.refreshed(&found.value, schema, &found.private, found.identity.as_ref()) {
                    Ok(record) => Some(record),
                    Err(error) => return self.fail(crate::trouble::unsaveable(&error)),
                }
            }
        };
        self.resolved =
            Some(Resolution { step, in_doubt: creating && found.is_none() && !finds_planned, found });
        Some(())
    }

    fn absent(&self) -> Value {
        Value::Null((*self.job.schema.ty).clone())
    }

    /// Keeps what was said; `None` if there are errors among it.
    fn collect(&mut self, diagnostics: Diagnostics) -> Option<()> {
        let failed = diagnostics.has_errors();
        self.diagnostics.extend(diagnostics);
        (!failed).then_some(())
    }

    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    /// The recorded object in the form of the present schema; `Some(None)` if there is none.
    async fn recorded_value(&mut self) -> Option<Option<Value>> {
        let job = self.job;
        let Some(recorded) = &job.recorded else { return Some(None) };
        match upgrade(&*job.provider, &job.provider_config, recorded, &job.schema).await {
            Ok((value, warnings)) => {
                self.collect(warnings)?;
                Some(Some(value))
            }
            Err(errors) => {
                self.collect(errors);
                None
            }
        }
    }

    /// The recorded identity in the form of the present schema; `Some(None)` if there is none.
    async fn recorded_identity(&mut self) -> Option<Option<Value>> {
        let job = self.job;
        let kept = job.recorded.as_ref().expect("only what is recorded has an identity");
        let (Some(text), Some(schema)) = (&kept.identity, &job.schema.identity) else { return Some(None) };
        if kept.identity_version == schema.version {
            // What is not understood is told anew when the object is read.
            return Some(json::decode(text.as_str(), &schema.ty()).ok());
        }
        let (kind, text) = (&job.address.resource.kind, Bytes::copy_from_slice(text.as_str().as_bytes()));
        match job.provider.upgrade_identity(kind, kept.identity_version, text).await.into_result() {
            Ok((identity, warnings)) => {
                self.collect(warnings)?;
                Some(Some(identity))
            }
            Err(errors) => {
                self.collect(errors);
                None
            }
        }
    }

    /// The object as it is now.
    async fn read(&mut self, recorded: &Value) -> Option<Prior> {
        let job = self.job;
        let kept = job.recorded.as_ref().expect("there is a value only if there is a record");
        let identity = self.recorded_identity().await?;
        if !job.refresh {
            return Some(Prior { value: recorded.clone(), private: kept.private.clone(), identity });
        }
        self.look(recorded, kept.private.clone(), identity).await
    }

    async fn look(&mut self, current: &Value, private: Bytes, identity: Option<Value>) -> Option<Prior> {
        let job = self.job;
        let marks = current.unmark_with_paths().1;
        let request = ReadRequest {
            kind: job.address.resource.kind.clone(),
            current: current.unmark_deep().0,
            private,
            meta: job.meta.clone(),
            identity,
        };
        match job.provider.read(request).await.into_result() {
            Err(errors) => {
                self.collect(errors);
                None
            }
            Ok((response, warnings)) => {
                self.collect(warnings)?;
                let state = object::normalize_blocks(&job.schema.schema.block, &response.state);
                let broken = promise::check_read(&job.schema, &state);
                if !broken.is_empty() {
                    return self.broken(
                        "invalid-object-read",
                        "Provider returned an invalid object",
                        &broken,
                    );
                }
                let value = self.marked(&state).mark_paths(marks.iter().map(|(p, m)| (p, *m)));
                Some(Prior { value, private: response.private, identity: response.identity })
            }
        }
    }

    /// The object to take under management, as it is.
    async fn import(&mut self, target: &ImportTarget) -> Option<Prior> {
        let job = self.job;
        let kind = &job.address.resource.kind;
        let imported = match job.provider.import(kind, target.clone()).await.into_result() {
            Err(errors) => {
                self.collect(errors);
                return None;
            }
            Ok((imported, warnings)) => {
                self.collect(warnings)?;
                imported
            }
        };
        let [object] = &imported[..] else {
            return self.fail(promise::import_count(&job.provider_config, imported.len()));
        };
        if object.state.is_null() {
            return self.fail(promise::nothing_to_import(target));
        }
        let prior = self.look(&object.state, object.private.clone(), object.identity.clone()).await?;
        if prior.value.is_null() {
            return self.fail(promise::nothing_to_import(target));
        }
        Some(prior)
    }

    fn note_drift(&mut self, recorded: &Value, now: &Value) {
        let (before, after) = (recorded.unmark_deep().0, now.unmark_deep().0);
        if before == after {
            return;
        }
        self.drift = Some(Drift {
            address: self.job.address.clone(),
            deposed: self.deposed(),
            provider: self.job.provider_config.clone(),
            paths: object::differing_paths(&before, &after, &self.job.schema.schema.block),
            before: recorded.clone(),
            after: now.clone(),
            relevant: false,
        });
    }

    fn deposed(&self) -> Option<EcoString> {
        self.job.recorded.as_ref().and_then(|r| r.deposed.clone())
    }

    /// With the marks that the schema says.
    fn marked(&self, value: &Value) -> Value {
        let paths = self.job.schema.schema.block.sensitive_paths(value);
        value.mark_paths(paths.iter().map(|(path, marks)| (path, *marks)))
    }

    /// A change that leaves the object as it is.
    fn leave(&self, prior: &Prior) -> Option<Change> {
        if prior.value.is_null() {
            return None;
        }
        let mut change = self.change(Action::NoOp, prior, prior.value.clone(), prior.private.clone());
        change.importing = self.imported();
        change.identity = prior.identity.clone();
        Some(change)
    }

    /// What is taken under management, as text; none if the object has been managed before.
    fn imported(&self) -> Option<EcoString> {
        match &self.job.wish {
            Wish::Exist(wish) if self.job.recorded.is_none() => {
                wish.import.as_ref().map(promise::import_text)
            }
            _ => None,
        }
    }

    fn change(&self, action: Action, prior: &Prior, after: Value, planned_private: Bytes) -> Change {
        let job = self.job;
        Change {
            address: job.address.clone(),
            previous_address: job.previous_address.clone(),
            deposed: self.deposed(),
            provider: job.provider_config.clone(),
            action,
            reason: None,
            before: prior.value.clone(),
            after,
            replace_paths: Vec::new(),
            causes: Vec::new(),
            importing: None,
            create_before_destroy: match &job.wish {
                Wish::Exist(wish) => wish.create_before_destroy,
                Wish::NotExist { .. } => job.recorded.as_ref().is_some_and(|r| r.create_before_destroy),
            },
            dependencies: job.dependencies.clone(),
            prior_dependencies: job.recorded.as_ref().map(|r| r.dependencies.clone()).unwrap_or_default(),
            prior_private: prior.private.clone(),
            planned_private,
            schema_version: job.schema.schema.version,
            identity: prior.identity.clone(),
        }
    }

    async fn not_exist(&mut self, reason: Option<Reason>, forget: bool, prior: Prior) -> Option<Change> {
        if prior.value.is_null() {
            return None;
        }
        let job = self.job;
        let mut private = prior.private.clone();
        if !forget && capabilities(&*job.provider).await.is_ok_and(|can| can.plan_destroy) {
            let request = PlanRequest {
                kind: job.address.resource.kind.clone(),
                prior: prior.value.unmark_deep().0,
                proposed: self.absent(),
                config: self.absent(),
                prior_private: prior.private.clone(),
                meta: job.meta.clone(),
                prior_identity: prior.identity.clone(),
            };
            let response = self.ask(request).await?;
            if !response.planned.is_null() {
                return self.fail(promise::destroy_not_null(&job.provider_config));
            }
            private = response.private;
        }
        let action = if forget { Action::Forget } else { Action::Delete };
        let mut change = self.change(action, &prior, self.absent(), private);
        change.reason = reason;
        Some(change)
    }

    async fn ask(&mut self, request: PlanRequest) -> Option<PlanResponse> {
        match self.job.provider.plan(request).await.into_result() {
            Ok((response, warnings)) => {
                self.collect(warnings)?;
                Some(response)
            }
            Err(errors) => {
                self.collect(errors);
                None
            }
        }
    }

    async fn exist(&mut self, wish: &Existence, prior: Prior) -> Option<Change> {
        let job = self.job;
        let block = &job.schema.schema.block;
        let tainted = job.recorded.as_ref().is_some_and(|r| r.tainted) && !prior.value.is_null();
        let (config, config_marks) = wish.config.unmark_with_paths();
        let before = prior.value.unmark_deep().0;
        // A half-made object is planned as if there were none, and shown as a replacement.
        let basis = if tainted { self.absent() } else { before.clone() };
        let wanted = match basis.is_null() {
            true => config.clone(),
            false => wish.ignore.apply(&config, &basis, block),
        };
        let request = PlanRequest {
            kind: job.address.resource.kind.clone(),
            proposed: object::proposed(block, &basis, &wanted),
            prior: basis.clone(),
            config: wanted.clone(),
            prior_private: if tainted { Bytes::new() } else { prior.private.clone() },
            meta: job.meta.clone(),
            prior_identity: prior.identity.clone().filter(|_| !tainted),
        };
        let mut response = self.ask(request).await?;
        let broken = promise::check_planned(&job.schema, &basis, &wanted, &response);
        if !broken.is_empty() {
            return self.broken("invalid-plan", "Provider produced an invalid plan", &broken);
        }
        let (action, reason, replace_paths) = self.choose(wish, &before, &basis, tainted, &response)?;
        if action.is_replace() && !basis.is_null() {
            response = self.plan_successor(&config, response).await?;
        }
        let after = self.after(&response.planned, &config_marks);
        let action = match action {
            // Only what is secret about it changes: state must be written, the provider need not be asked.
            Action::NoOp if marks_differ(&prior.value, &after) => Action::Update,
            other => other,
        };
        let mut change = self.change(action, &prior, after, response.private);
        change.reason = reason;
        change.replace_paths = replace_paths;
        change.identity = response.identity;
        change.importing = self.imported();
        Some(change)
    }

    /// The action, why, and the paths that force a replacement.
    fn choose(
        &mut self,
        wish: &Existence,
        before: &Value,
        basis: &Value,
        tainted: bool,
        response: &PlanResponse,
    ) -> Option<(Action, Option<Reason>, Vec<Path>)> {
        let replace =
            if wish.create_before_destroy { Action::CreateThenDelete } else { Action::DeleteThenCreate };
        if before.is_null() {
            return Some((Action::Create, None, Vec::new()));
        }
        if tainted {
            return Some((replace, Some(Reason::ReplaceBecauseTainted), Vec::new()));
        }
        let block = &self.job.schema.schema.block;
        let paths = match object::replace_paths(basis, &response.planned, &response.requires_replace, block) {
            Ok(paths) => paths,
            Err(broken) => {
                return self.broken("invalid-plan", "Provider produced an invalid plan", &[broken]);
            }
        };
        if let Some(reason) = wish.replace {
            return Some((replace, Some(reason), paths));
        }
        if !paths.is_empty() {
            return Some((replace, Some(Reason::ReplaceBecauseCannotUpdate), paths));
        }
        let action = if *basis == response.planned { Action::NoOp } else { Action::Update };
        Some((action, None, Vec::new()))
    }

    /// The plan of the object that replaces this one: made from nothing, with nothing ignored.
    async fn plan_successor(&mut self, config: &Value, first: PlanResponse) -> Option<PlanResponse> {
        let job = self.job;
        let request = PlanRequest {
            kind: job.address.resource.kind.clone(),
            prior: self.absent(),
            proposed: object::proposed(&job.schema.schema.block, &self.absent(), config),
            config: config.clone(),
            prior_private: first.private,
            meta: job.meta.clone(),
            prior_identity: None,
        };
        let response = self.ask(request).await?;
        let broken = promise::check_successor(&job.schema, &response);
        if !broken.is_empty() {
            return self.broken("invalid-plan", "Provider produced an invalid plan", &broken);
        }
        Some(response)
    }

    /// The planned object with the marks of schema and configuration.
    fn after(&self, planned: &Value, config_marks: &[(Path, Marks)]) -> Value {
        self.marked(planned).mark_paths(config_marks.iter().map(|(path, marks)| (path, *marks)))
    }

    fn broken<T>(&mut self, code: &'static str, summary: &str, broken: &[object::Broken]) -> Option<T> {
        self.diagnostics.extend(promise::broken(code, summary, &self.job.provider_config, broken));
        None
    }
}

/// A recorded object in the form of the present schema, with the marks that were recorded and those of the schema.
///
/// # Errors
/// If a newer provider wrote it, if the provider cannot bring it to its schema, or breaks its promise doing so.
pub(crate) async fn upgrade(
    provider: &dyn Provider,
    config: &ProviderConfig,
    recorded: &Recorded,
    schema: &TypeSchema,
) -> Result<(Value, Diagnostics), Diagnostics> {
    if recorded.schema_version > schema.schema.version {
        return Err(promise::newer_schema(config, recorded, schema).into());
    }
    let kind = &recorded.address.resource.kind;
    let raw = match recorded.schema_version == schema.schema.version {
        true => recorded.raw_for(&schema.ty),
        false => recorded.raw(),
    };
    let (value, warnings) = provider.upgrade(kind, recorded.schema_version, raw).await.into_result()?;
    let broken = promise::check_read(schema, &value);
    if !broken.is_empty() || value.is_null() {
        return Err(promise::broken(
            "invalid-upgrade",
            "Provider returned an invalid object",
            config,
            &broken,
        ));
    }
    let sensitive = schema.schema.block.sensitive_paths(&value);
    let value = value
        .mark_paths(sensitive.iter().map(|(path, marks)| (path, *marks)))
        .mark_paths(recorded.sensitive.iter().map(|path| (path, Marks::SENSITIVE)));
    Ok((value, warnings))
}

/// Whether something becomes a secret, or ceases to be one. Where there is nothing, nothing can be one: an attribute
/// that was marked while it was unknown may turn out null.
fn marks_differ(before: &Value, after: &Value) -> bool {
    let telling = |value: &Value| {
        let (plain, mut marks) = value.unmark_with_paths();
        marks.retain(|(path, _)| !plain.at(path).is_some_and(Value::is_null));
        marks
    };
    (before.has_marks() || after.has_marks()) && telling(before) != telling(after)
}

/// What a provider can do; asks for no more of what it offers.
pub(super) async fn capabilities(provider: &dyn Provider) -> Result<Capabilities, Diagnostics> {
    Ok(provider.schema_for(&BTreeSet::new()).await?.capabilities)
}
