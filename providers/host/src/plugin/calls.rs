//! The provider trait over the wire, one method after the other.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Schema, Type, Value};
use plumb_provider_api::{
    Answer, ApplyRequest, ApplyResponse, FunctionError, IdentitySchema, ImportTarget, ImportedResource,
    Invoked, MoveRequest, OpenResponse, PlanRequest, PlanResponse, Progress, Provider, ProviderSchema,
    RawState, ReadRequest, ReadResponse,
};
use plumb_provider_protocol::messages::{
    self, ApplyResourceChangeRequest, ApplyResourceChangeResponse, CallFunctionRequest, ConfigRequest,
    DynamicValue, EphemeralPrivateRequest, ImportResourceStateRequest, InvokeActionEventType,
    MoveResourceStateRequest, PlanResourceChangeRequest, ReadDataSourceRequest, ReadResourceRequest,
    ResourceIdentityData, Timestamp, UpgradeResourceIdentityRequest, UpgradeResourceStateRequest,
    ValidateProviderConfigRequest,
};
use plumb_provider_protocol::value;
use tokio::sync::Mutex;
use tonic::Status;

use super::fault::{Asked, Speaker};
use super::legacy::normalise;
use super::pool::{CAPABILITIES, Pool, Slot, unconfigured};
use crate::process::Process;
use crate::schema::store::Category;
use crate::schema::{Schemas, Typed};

/// How often a process that died is started again for one configuration.
const RESTARTS: u32 = 3;

/// A result with warnings, or errors.
type Outcome<T> = Result<(T, Diagnostics), Diagnostics>;

/// One configuration of a provider behind a process.
pub struct PluginProvider {
    pool: Arc<Pool>,
    assigned: Mutex<Option<Assigned>>,
    left: AtomicBool,
}

/// The process that a configuration has.
struct Assigned {
    config: Value,
    slot: Arc<Slot>,
    restarts: u32,
}

impl PluginProvider {
    pub(super) fn new(pool: Arc<Pool>) -> PluginProvider {
        pool.enter();
        PluginProvider { pool, assigned: Mutex::default(), left: AtomicBool::new(false) }
    }

    /// One that does not count among the users of the processes.
    pub(super) fn passing(pool: Arc<Pool>) -> PluginProvider {
        PluginProvider { pool, assigned: Mutex::default(), left: AtomicBool::new(true) }
    }

    fn speaker(&self) -> &Speaker {
        self.pool.speaker()
    }

    /// The process that has this configuration, started and configured again if it died.
    async fn working(&self) -> Result<Process, Diagnostics> {
        let mut assigned = self.assigned.lock().await;
        let assigned = assigned.as_mut().ok_or_else(|| unconfigured(self.pool.address()))?;
        if assigned.slot.is_dead() && assigned.restarts < RESTARTS {
            assigned.restarts += 1;
            let (slot, diagnostics) = self.pool.configured(&assigned.config).await?;
            diagnostics.into_result()?;
            assigned.slot = slot;
        }
        let slot = assigned.slot.clone();
        self.pool.process(&slot).await
    }

    /// The process that has this configuration, or else any.
    async fn either(&self) -> Result<Process, Diagnostics> {
        if self.assigned.lock().await.is_some() { self.working().await } else { self.pool.any().await }
    }

    async fn schemas(&self) -> Result<Arc<Schemas>, Diagnostics> {
        self.pool.schemas().await
    }

    async fn typed(&self, category: Category, kind: &str) -> Result<Typed<Schema>, Diagnostics> {
        self.schemas().await?.object(category, kind)
    }

    async fn quick<R>(
        &self,
        process: &Process,
        asked: &Asked<'_>,
        answer: impl Future<Output = Result<R, Status>>,
    ) -> Result<R, Diagnostics> {
        self.speaker().within(self.pool.options().quick_limit, process, asked, answer).await
    }

    async fn work<R>(
        &self,
        process: &Process,
        asked: &Asked<'_>,
        answer: impl Future<Output = Result<R, Status>>,
    ) -> Result<R, Diagnostics> {
        self.speaker().within(self.pool.options().work_limit, process, asked, answer).await
    }

    fn send(&self, asked: &Asked<'_>, value: &Value, ty: &Type) -> Result<Option<DynamicValue>, Diagnostics> {
        value::to_wire(value, ty).map(Some).map_err(|e| self.speaker().cannot_send(asked, &e).into())
    }

    fn receive(
        &self,
        asked: &Asked<'_>,
        value: Option<&DynamicValue>,
        ty: &Type,
    ) -> Result<Value, Diagnostics> {
        value::from_wire(value, ty).map_err(|e| self.speaker().cannot_read(asked, &e).into())
    }

    fn send_identity(
        &self,
        asked: &Asked<'_>,
        identity: Option<&Value>,
        schema: Option<&Typed<IdentitySchema>>,
    ) -> Result<Option<ResourceIdentityData>, Diagnostics> {
        let Some((identity, schema)) = identity.zip(schema) else { return Ok(None) };
        Ok(Some(ResourceIdentityData { identity_data: self.send(asked, identity, &schema.ty)? }))
    }

    fn receive_identity(
        &self,
        asked: &Asked<'_>,
        identity: Option<&ResourceIdentityData>,
        schema: Option<&Typed<IdentitySchema>>,
    ) -> Result<Option<Value>, Diagnostics> {
        let Some((identity, schema)) = identity.zip(schema) else { return Ok(None) };
        let value = self.receive(asked, identity.identity_data.as_ref(), &schema.ty)?;
        Ok((!value.is_null()).then_some(value))
    }

    /// The module's `provider_meta`, if the provider wants to know it.
    async fn send_meta(
        &self,
        asked: &Asked<'_>,
        meta: Option<&Value>,
    ) -> Result<Option<DynamicValue>, Diagnostics> {
        let Some(schema) = self.schemas().await?.find(Category::ProviderMeta, "")? else { return Ok(None) };
        let null = Value::Null(schema.ty.clone());
        self.send(asked, meta.unwrap_or(&null), &schema.ty)
    }

    /// Checks a configuration by a call that answers with diagnostics only.
    async fn validate<F>(
        &self,
        category: Category,
        asked: Asked<'_>,
        kind: &str,
        config: &Value,
        call: impl FnOnce(Process, ConfigRequest) -> F,
    ) -> Result<Diagnostics, Diagnostics>
    where
        F: Future<Output = Result<messages::DiagnosticsResponse, Status>>,
    {
        let ty = self.typed(category, kind).await?.ty;
        let request = ConfigRequest {
            type_name: kind.to_owned(),
            config: self.send(&asked, config, &ty)?,
            client_capabilities: Some(CAPABILITIES),
        };
        let process = self.either().await?;
        let answer = self.quick(&process, &asked, call(process.clone(), request)).await?;
        Ok(self.speaker().reported(&answer.diagnostics))
    }

    async fn try_validate_provider(&self, config: Value) -> Result<Diagnostics, Diagnostics> {
        let asked = Asked::provider("ValidateProviderConfig");
        let ty = self.typed(Category::Provider, "").await?.ty;
        let request = ValidateProviderConfigRequest { config: self.send(&asked, &config, &ty)? };
        let process = self.either().await?;
        let answer = process.client().validate_provider_config(request);
        let answer = self.quick(&process, &asked, answer).await?;
        Ok(self.speaker().reported(&answer.diagnostics))
    }

    async fn try_configure(&self, config: Value) -> Result<Diagnostics, Diagnostics> {
        let mut assigned = self.assigned.lock().await;
        let (slot, diagnostics) = self.pool.configured(&config).await?;
        if !diagnostics.has_errors() {
            *assigned = Some(Assigned { config, slot, restarts: 0 });
        }
        Ok(diagnostics)
    }

    async fn try_upgrade(&self, kind: &str, version: i64, state: RawState) -> Outcome<Value> {
        let asked = Asked::of("UpgradeResourceState", kind);
        let typed = self.typed(Category::Resource, kind).await?;
        let request =
            UpgradeResourceStateRequest { type_name: kind.to_owned(), version, raw_state: Some(raw(state)) };
        let process = self.either().await?;
        let answer = process.client().upgrade_resource_state(request);
        let answer = self.quick(&process, &asked, answer).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        let value = self.receive(&asked, answer.upgraded_state.as_ref(), &typed.ty)?;
        let value = self.speaker().known(&asked, normalise(value, &typed.schema.block))?;
        Ok((value, diagnostics))
    }

    async fn try_upgrade_identity(&self, kind: &str, version: i64, identity: Bytes) -> Outcome<Value> {
        let asked = Asked::of("UpgradeResourceIdentity", kind);
        let schema = self.schemas().await?.identity(kind)?.ok_or_else(|| no_identity(kind))?;
        let request = UpgradeResourceIdentityRequest {
            type_name: kind.to_owned(),
            version,
            raw_identity: Some(raw(RawState::Json(identity))),
        };
        let process = self.either().await?;
        let answer =
            self.quick(&process, &asked, process.client().upgrade_resource_identity(request)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        let identity = self.receive_identity(&asked, answer.upgraded_identity.as_ref(), Some(&schema))?;
        let identity = identity.ok_or_else(|| self.speaker().broken(&asked, "there is no identity in it"))?;
        Ok((self.speaker().known(&asked, identity)?, diagnostics))
    }

    async fn try_read(&self, request: ReadRequest) -> Outcome<ReadResponse> {
        let kind = request.kind.as_str();
        let asked = Asked::of("ReadResource", kind);
        let typed = self.typed(Category::Resource, kind).await?;
        let identity = self.schemas().await?.identity(kind)?;
        let message = ReadResourceRequest {
            type_name: kind.to_owned(),
            current_state: self.send(&asked, &request.current, &typed.ty)?,
            private: request.private,
            provider_meta: self.send_meta(&asked, request.meta.as_ref()).await?,
            client_capabilities: Some(CAPABILITIES),
            current_identity: self.send_identity(&asked, request.identity.as_ref(), identity.as_ref())?,
        };
        let process = self.working().await?;
        let answer = self.work(&process, &asked, process.client().read_resource(message)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        self.speaker().not_deferred(&asked, answer.deferred)?;
        let state = self.receive(&asked, answer.new_state.as_ref(), &typed.ty)?;
        let state = self.speaker().known(&asked, normalise(state, &typed.schema.block))?;
        let identity = self.receive_identity(&asked, answer.new_identity.as_ref(), identity.as_ref())?;
        Ok((ReadResponse { state, private: answer.private, identity }, diagnostics))
    }

    async fn try_plan(&self, request: PlanRequest) -> Outcome<PlanResponse> {
        let kind = request.kind.as_str();
        let asked = Asked::of("PlanResourceChange", kind);
        let typed = self.typed(Category::Resource, kind).await?;
        let identity = self.schemas().await?.identity(kind)?;
        let prior_identity = request.prior_identity.as_ref();
        let message = PlanResourceChangeRequest {
            type_name: kind.to_owned(),
            prior_state: self.send(&asked, &request.prior, &typed.ty)?,
            proposed_new_state: self.send(&asked, &request.proposed, &typed.ty)?,
            config: self.send(&asked, &request.config, &typed.ty)?,
            prior_private: request.prior_private,
            provider_meta: self.send_meta(&asked, request.meta.as_ref()).await?,
            client_capabilities: Some(CAPABILITIES),
            prior_identity: self.send_identity(&asked, prior_identity, identity.as_ref())?,
        };
        let process = self.working().await?;
        let answer = self.work(&process, &asked, process.client().plan_resource_change(message)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        self.speaker().not_deferred(&asked, answer.deferred)?;
        let mut planned = self.receive(&asked, answer.planned_state.as_ref(), &typed.ty)?;
        if answer.legacy_type_system {
            planned = normalise(planned, &typed.schema.block);
        }
        let response = PlanResponse {
            planned,
            requires_replace: answer.requires_replace.iter().map(value::path_from_wire).collect(),
            private: answer.planned_private,
            identity: self.receive_identity(&asked, answer.planned_identity.as_ref(), identity.as_ref())?,
            legacy_type_system: answer.legacy_type_system,
        };
        Ok((response, diagnostics))
    }

    async fn try_apply(&self, request: ApplyRequest) -> Result<ApplyResponse, Diagnostics> {
        let kind = request.kind.as_str();
        let asked = Asked::of("ApplyResourceChange", kind);
        let typed = self.typed(Category::Resource, kind).await?;
        let identity = self.schemas().await?.identity(kind)?;
        let planned_identity = request.planned_identity.as_ref();
        let message = ApplyResourceChangeRequest {
            type_name: kind.to_owned(),
            prior_state: self.send(&asked, &request.prior, &typed.ty)?,
            planned_state: self.send(&asked, &request.planned, &typed.ty)?,
            config: self.send(&asked, &request.config, &typed.ty)?,
            planned_private: request.planned_private,
            provider_meta: self.send_meta(&asked, request.meta.as_ref()).await?,
            planned_identity: self.send_identity(&asked, planned_identity, identity.as_ref())?,
        };
        let process = self.working().await?;
        let answer = process.client().apply_resource_change(message);
        let answer = self.speaker().within(None, &process, &asked, answer).await?;
        Ok(self.applied(&asked, answer, &typed, identity.as_ref()))
    }

    /// The outcome counts whatever else is wrong with the answer.
    fn applied(
        &self,
        asked: &Asked<'_>,
        answer: ApplyResourceChangeResponse,
        typed: &Typed<Schema>,
        identity: Option<&Typed<IdentitySchema>>,
    ) -> ApplyResponse {
        let mut diagnostics = self.speaker().reported(&answer.diagnostics);
        let legacy_type_system = answer.legacy_type_system;
        let mended = |value| if legacy_type_system { normalise(value, &typed.schema.block) } else { value };
        let state = self.receive(asked, answer.new_state.as_ref(), &typed.ty).map(mended);
        let identity = self.receive_identity(asked, answer.new_identity.as_ref(), identity);
        ApplyResponse {
            state: state.map_err(|errors| diagnostics.extend(errors)).ok(),
            private: answer.private,
            identity: identity.map_err(|errors| diagnostics.extend(errors)).ok().flatten(),
            legacy_type_system,
            diagnostics,
        }
    }

    async fn try_import(&self, kind: &str, target: ImportTarget) -> Outcome<Vec<ImportedResource>> {
        let asked = Asked::of("ImportResourceState", kind);
        self.typed(Category::Resource, kind).await?;
        let (id, identity) = match target {
            ImportTarget::Id(id) => (id.to_string(), None),
            ImportTarget::Identity(identity) => {
                let schema = self.schemas().await?.identity(kind)?.ok_or_else(|| no_identity(kind))?;
                (String::new(), self.send_identity(&asked, Some(&identity), Some(&schema))?)
            }
        };
        let request = ImportResourceStateRequest {
            type_name: kind.to_owned(),
            id,
            client_capabilities: Some(CAPABILITIES),
            identity,
        };
        let process = self.working().await?;
        let answer = self.work(&process, &asked, process.client().import_resource_state(request)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        self.speaker().not_deferred(&asked, answer.deferred)?;
        let mut found = Vec::with_capacity(answer.imported_resources.len());
        for resource in answer.imported_resources {
            let typed = self.typed(Category::Resource, &resource.type_name).await?;
            let identity = self.schemas().await?.identity(&resource.type_name)?;
            let state = self.receive(&asked, resource.state.as_ref(), &typed.ty)?;
            found.push(ImportedResource {
                state: normalise(state, &typed.schema.block),
                private: resource.private,
                identity: self.receive_identity(&asked, resource.identity.as_ref(), identity.as_ref())?,
                kind: resource.type_name.into(),
            });
        }
        Ok((found, diagnostics))
    }

    async fn try_move(&self, request: MoveRequest) -> Outcome<ImportedResource> {
        let kind = request.target_kind;
        let asked = Asked::of("MoveResourceState", &kind);
        let schemas = self.schemas().await?;
        if !schemas.capabilities().move_state {
            return Err(no_move(self.pool.address(), &kind, &request.source_kind).into());
        }
        let (typed, identity) = (schemas.object(Category::Resource, &kind)?, schemas.identity(&kind)?);
        let message = MoveResourceStateRequest {
            source_provider_address: request.source_provider.to_string(),
            source_type_name: request.source_kind.to_string(),
            source_schema_version: request.source_version,
            source_state: Some(raw(request.source_state)),
            target_type_name: kind.to_string(),
            source_private: request.source_private,
            source_identity: None,
            source_identity_schema_version: 0,
        };
        let process = self.either().await?;
        let answer = self.quick(&process, &asked, process.client().move_resource_state(message)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        let state = self.receive(&asked, answer.target_state.as_ref(), &typed.ty)?;
        let identity = self.receive_identity(&asked, answer.target_identity.as_ref(), identity.as_ref())?;
        let state = self.speaker().known(&asked, normalise(state, &typed.schema.block))?;
        Ok((
            ImportedResource { kind: kind.clone(), state, private: answer.target_private, identity },
            diagnostics,
        ))
    }

    async fn try_read_data(&self, kind: &str, config: Value, meta: Option<Value>) -> Outcome<Value> {
        let asked = Asked::of("ReadDataSource", kind);
        let typed = self.typed(Category::DataSource, kind).await?;
        let request = ReadDataSourceRequest {
            type_name: kind.to_owned(),
            config: self.send(&asked, &config, &typed.ty)?,
            provider_meta: self.send_meta(&asked, meta.as_ref()).await?,
            client_capabilities: Some(CAPABILITIES),
        };
        let process = self.working().await?;
        let answer = self.work(&process, &asked, process.client().read_data_source(request)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        self.speaker().not_deferred(&asked, answer.deferred)?;
        let state = self.receive(&asked, answer.state.as_ref(), &typed.ty)?;
        if state.is_null() {
            return Err(self.speaker().broken(&asked, "it is null, although nothing is wrong").into());
        }
        let state = normalise(state, &typed.schema.block);
        Ok((self.speaker().known(&asked, state)?, diagnostics))
    }

    async fn try_open(&self, kind: &str, config: Value) -> Outcome<OpenResponse> {
        let asked = Asked::of("OpenEphemeralResource", kind);
        let typed = self.typed(Category::Ephemeral, kind).await?;
        let request = ConfigRequest {
            type_name: kind.to_owned(),
            config: self.send(&asked, &config, &typed.ty)?,
            client_capabilities: None,
        };
        let process = self.working().await?;
        let answer = self.work(&process, &asked, process.client().open_ephemeral_resource(request)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        self.speaker().not_deferred(&asked, answer.deferred)?;
        let result = self.receive(&asked, answer.result.as_ref(), &typed.ty)?;
        let response = OpenResponse {
            result: self.speaker().known(&asked, result)?,
            private: answer.private.unwrap_or_default(),
            renew_at: answer.renew_at.and_then(time),
        };
        Ok((response, diagnostics))
    }

    async fn try_renew(&self, kind: &str, private: Bytes) -> Outcome<(Bytes, Option<SystemTime>)> {
        let asked = Asked::of("RenewEphemeralResource", kind);
        let request = EphemeralPrivateRequest { type_name: kind.to_owned(), private: Some(private.clone()) };
        let process = self.working().await?;
        let answer = self.work(&process, &asked, process.client().renew_ephemeral_resource(request)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        Ok(((answer.private.unwrap_or(private), answer.renew_at.and_then(time)), diagnostics))
    }

    async fn try_close(&self, kind: &str, private: Bytes) -> Result<Diagnostics, Diagnostics> {
        let asked = Asked::of("CloseEphemeralResource", kind);
        let request = EphemeralPrivateRequest { type_name: kind.to_owned(), private: Some(private) };
        let process = self.working().await?;
        let answer = self.work(&process, &asked, process.client().close_ephemeral_resource(request)).await?;
        Ok(self.speaker().reported(&answer.diagnostics))
    }

    async fn action_request(
        &self,
        asked: &Asked<'_>,
        kind: &str,
        config: &Value,
    ) -> Result<ConfigRequest, Diagnostics> {
        let ty = self.typed(Category::Action, kind).await?.ty;
        let config = self.send(asked, config, &ty)?;
        Ok(ConfigRequest { type_name: kind.to_owned(), config, client_capabilities: Some(CAPABILITIES) })
    }

    async fn try_plan_action(&self, kind: &str, config: &Value) -> Result<Diagnostics, Diagnostics> {
        let asked = Asked::of("PlanAction", kind);
        let request = self.action_request(&asked, kind, config).await?;
        let process = self.working().await?;
        let answer = self.work(&process, &asked, process.client().plan_action(request)).await?;
        let diagnostics = self.speaker().reported(&answer.diagnostics).into_result()?;
        self.speaker().not_deferred(&asked, answer.deferred)?;
        Ok(diagnostics)
    }

    /// Errors are those from before the provider was asked; afterwards, what is not said to have ended is lost.
    async fn try_invoke(
        &self,
        kind: &str,
        config: &Value,
        progress: Progress,
    ) -> Result<Invoked, Diagnostics> {
        let asked = Asked::of("InvokeAction", kind);
        let request = self.action_request(&asked, kind, config).await?;
        let process = self.working().await?;
        let client = process.client();
        let events = async {
            let mut events = client.invoke_action(request).await?;
            while let Some(event) = events.message().await? {
                match event.r#type {
                    Some(InvokeActionEventType::Progress(said)) => progress(said.message.into()),
                    Some(InvokeActionEventType::Completed(end)) => return Ok(Some(end)),
                    None => {}
                }
            }
            Ok(None)
        };
        Ok(match self.speaker().within(None, &process, &asked, events).await {
            Ok(Some(end)) => Invoked::ended(self.speaker().reported(&end.diagnostics)),
            Ok(None) => Invoked::lost(
                self.speaker().broken(&asked, "the stream ended before the action was completed"),
            ),
            Err(errors) => Invoked::lost(errors),
        })
    }

    async fn try_call(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, FunctionError>, Diagnostics> {
        let asked = Asked::of("CallFunction", name);
        let signature = self.schemas().await?.function(name)?;
        let types = signature.parameters.iter().chain(signature.variadic.iter().cycle()).map(|p| &p.ty);
        let mut sent = Vec::with_capacity(arguments.len());
        for (argument, ty) in arguments.iter().zip(types) {
            sent.extend(self.send(&asked, argument, ty)?);
        }
        if sent.len() < arguments.len() || sent.len() < signature.parameters.len() {
            let text = format!(
                "`{name}` was given {} arguments; it takes {}.",
                arguments.len(),
                signature.parameters.len()
            );
            return Ok(Err(FunctionError { text, argument: None }));
        }
        let process = self.either().await?;
        let request = CallFunctionRequest { name: name.to_owned(), arguments: sent };
        let answer = self.quick(&process, &asked, process.client().call_function(request)).await?;
        if let Some(error) = answer.error {
            let argument = error.function_argument.and_then(|index| usize::try_from(index).ok());
            return Ok(Err(FunctionError { text: error.text, argument }));
        }
        Ok(Ok(self.receive(&asked, answer.result.as_ref(), &signature.returns)?))
    }
}

fn raw(state: RawState) -> messages::RawState {
    match state {
        RawState::Json(json) => messages::RawState { json, ..Default::default() },
        RawState::Flatmap(flatmap) => messages::RawState { flatmap, ..Default::default() },
    }
}

/// A moment that a plugin named; moments outside of the calendar of this system are none.
fn time(timestamp: Timestamp) -> Option<SystemTime> {
    let nanos = Duration::from_nanos(u64::try_from(timestamp.nanos).ok()?);
    let seconds = Duration::from_secs(timestamp.seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let moment = if timestamp.seconds < 0 { epoch.checked_sub(seconds) } else { epoch.checked_add(seconds) };
    moment?.checked_add(nanos)
}

fn no_identity(kind: &str) -> Diagnostic {
    Diagnostic::error("no-identity", "Resource type has no identity")
        .detail(format!("Objects of type `{kind}` cannot be imported by identity."))
        .help("Import by `id` instead.")
}

fn no_move(provider: &str, target: &str, source: &str) -> Diagnostic {
    Diagnostic::error("move-not-supported", "Resource type cannot be moved to").detail(format!(
        "Provider {provider} cannot turn an object of type `{source}` into one of type `{target}`."
    ))
}

fn answer<T>(outcome: Outcome<T>) -> Answer<T> {
    match outcome {
        Ok((value, diagnostics)) => Answer { value: Some(value), diagnostics },
        Err(diagnostics) => Answer::error(diagnostics),
    }
}

fn either_way(outcome: Result<Diagnostics, Diagnostics>) -> Diagnostics {
    outcome.unwrap_or_else(|diagnostics| diagnostics)
}

#[async_trait]
impl Provider for PluginProvider {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.schemas().await?.all()
    }

    async fn schema_for(&self, kinds: &BTreeSet<EcoString>) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(self.schemas().await?.assemble(|name| kinds.contains(name))?.into())
    }

    async fn validate_provider(&self, config: Value) -> Diagnostics {
        either_way(self.try_validate_provider(config).await)
    }

    async fn configure(&self, config: Value) -> Diagnostics {
        either_way(self.try_configure(config).await)
    }

    async fn validate_resource(&self, kind: &str, config: Value) -> Diagnostics {
        let asked = Asked::of("ValidateResourceConfig", kind);
        let call = |process: Process, request| async move {
            process.client().validate_resource_config(request).await
        };
        either_way(self.validate(Category::Resource, asked, kind, &config, call).await)
    }

    async fn validate_data(&self, kind: &str, config: Value) -> Diagnostics {
        let asked = Asked::of("ValidateDataResourceConfig", kind);
        let call = |process: Process, request| async move {
            process.client().validate_data_resource_config(request).await
        };
        either_way(self.validate(Category::DataSource, asked, kind, &config, call).await)
    }

    async fn upgrade(&self, kind: &str, version: i64, state: RawState) -> Answer<Value> {
        answer(self.try_upgrade(kind, version, state).await)
    }

    async fn upgrade_identity(&self, kind: &str, version: i64, identity: Bytes) -> Answer<Value> {
        answer(self.try_upgrade_identity(kind, version, identity).await)
    }

    async fn read(&self, request: ReadRequest) -> Answer<ReadResponse> {
        answer(self.try_read(request).await)
    }

    async fn plan(&self, request: PlanRequest) -> Answer<PlanResponse> {
        answer(self.try_plan(request).await)
    }

    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        self.try_apply(request).await.unwrap_or_else(|diagnostics| ApplyResponse {
            state: None,
            private: Bytes::new(),
            identity: None,
            legacy_type_system: false,
            diagnostics,
        })
    }

    async fn import(&self, kind: &str, target: ImportTarget) -> Answer<Vec<ImportedResource>> {
        answer(self.try_import(kind, target).await)
    }

    async fn move_state(&self, request: MoveRequest) -> Answer<ImportedResource> {
        answer(self.try_move(request).await)
    }

    async fn read_data(&self, kind: &str, config: Value, meta: Option<Value>) -> Answer<Value> {
        answer(self.try_read_data(kind, config, meta).await)
    }

    async fn validate_ephemeral(&self, kind: &str, config: Value) -> Diagnostics {
        let asked = Asked::of("ValidateEphemeralResourceConfig", kind);
        let call = |process: Process, request| async move {
            process.client().validate_ephemeral_resource_config(request).await
        };
        either_way(self.validate(Category::Ephemeral, asked, kind, &config, call).await)
    }

    async fn open(&self, kind: &str, config: Value) -> Answer<OpenResponse> {
        answer(self.try_open(kind, config).await)
    }

    async fn renew(&self, kind: &str, private: Bytes) -> Answer<(Bytes, Option<SystemTime>)> {
        answer(self.try_renew(kind, private).await)
    }

    async fn close(&self, kind: &str, private: Bytes) -> Diagnostics {
        either_way(self.try_close(kind, private).await)
    }

    async fn validate_action(&self, kind: &str, config: Value) -> Diagnostics {
        let asked = Asked::of("ValidateActionConfig", kind);
        let call =
            |process: Process, request| async move { process.client().validate_action_config(request).await };
        either_way(self.validate(Category::Action, asked, kind, &config, call).await)
    }

    async fn plan_action(&self, kind: &str, config: Value) -> Diagnostics {
        either_way(self.try_plan_action(kind, &config).await)
    }

    async fn invoke(&self, kind: &str, config: Value, progress: Progress) -> Invoked {
        self.try_invoke(kind, &config, progress).await.unwrap_or_else(Invoked::ended)
    }

    async fn call(&self, name: &str, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        self.try_call(name, arguments).await.unwrap_or_else(|diagnostics| {
            let text = diagnostics.iter().map(|d| d.detail.as_str()).collect::<Vec<_>>().join(" ");
            Err(FunctionError { text, argument: None })
        })
    }

    async fn stop(&self) {
        if let Some(assigned) = &*self.assigned.lock().await {
            self.pool.interrupt_one(&assigned.slot).await;
        }
    }

    async fn shutdown(&self) {
        if !self.left.swap(true, Ordering::AcqRel) && self.pool.leave() {
            self.pool.stop().await;
        }
    }
}
