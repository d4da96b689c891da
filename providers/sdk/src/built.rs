//! The provider that [`ProviderBuilder`](crate::ProviderBuilder) builds: finds the type that a call is about, gives its
//! author a context, and puts the answer together.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Value, json};
use plumb_provider_api::{
    Answer, ApplyRequest, ApplyResponse, FunctionError, ImportTarget, ImportedResource, Invoked, MoveRequest,
    OpenResponse, PlanRequest, PlanResponse, Progress, Provider, ProviderSchema, RawState, ReadRequest,
    ReadResponse,
};
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use tracing::{Instrument as _, Span, debug_span};

use crate::action::Reporter;
use crate::context::{Context, Private, Stop};
use crate::erased::{AnyAction, AnyConfiguration, AnyData, AnyEphemeral, AnyResource};
use crate::function::AnyFunction;
use crate::plan;
use crate::provider::Ending;
use crate::resource::MoveSource;
use crate::rules::{Shape, unknown_kind};

/// What [`ProviderBuilder`](crate::ProviderBuilder) builds.
pub(crate) struct Built<C> {
    pub name: EcoString,
    pub schema: Arc<ProviderSchema>,
    pub configuration: Option<Box<dyn AnyConfiguration<C>>>,
    /// What the configuration last made. A provider that is debugged serves one host after another, and each configures it.
    pub client: RwLock<Option<Arc<C>>>,
    pub resources: BTreeMap<EcoString, Box<dyn AnyResource<C>>>,
    pub data_sources: BTreeMap<EcoString, Box<dyn AnyData<C>>>,
    pub ephemeral: BTreeMap<EcoString, Box<dyn AnyEphemeral<C>>>,
    pub actions: BTreeMap<EcoString, Box<dyn AnyAction<C>>>,
    pub functions: BTreeMap<EcoString, Box<dyn AnyFunction>>,
    pub ending: Option<Ending>,
    pub stop: watch::Sender<bool>,
}

impl<C: Send + Sync + 'static> Built<C> {
    fn find<'t, T: ?Sized>(
        &self,
        all: &'t BTreeMap<EcoString, Box<T>>,
        what: &'static str,
        kind: &str,
    ) -> Result<&'t T, Diagnostics> {
        all.get(kind)
            .map(Box::as_ref)
            .ok_or_else(|| unknown_kind(what, kind, &self.name, all.keys().map(EcoString::as_str)).into())
    }

    fn resource(&self, kind: &str) -> Result<&dyn AnyResource<C>, Diagnostics> {
        self.find(&self.resources, "resource type", kind)
    }

    fn data_source(&self, kind: &str) -> Result<&dyn AnyData<C>, Diagnostics> {
        self.find(&self.data_sources, "data source", kind)
    }

    fn ephemeral(&self, kind: &str) -> Result<&dyn AnyEphemeral<C>, Diagnostics> {
        self.find(&self.ephemeral, "ephemeral resource type", kind)
    }

    fn action(&self, kind: &str) -> Result<&dyn AnyAction<C>, Diagnostics> {
        self.find(&self.actions, "action", kind)
    }

    fn context(&self, private: Bytes) -> Result<Context<C>, Diagnostics> {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        let client = client.ok_or_else(|| {
            Diagnostics::from(
                Diagnostic::error("provider-not-configured", "Provider is not configured")
                    .detail(format!("The provider `{}` was called before it was configured.", self.name)),
            )
        })?;
        Ok(Context::new(client, private, Stop::new(self.stop.subscribe())))
    }

    /// What log lines of a call have in common, in the words that hosts expect.
    fn span(&self, call: &'static str, kind: &str) -> Span {
        debug_span!("call", tf_rpc = call, tf_resource_type = kind, tf_provider = %self.name)
    }
}

/// What tells an object apart when it is planned: known parts are planned ones, the others follow.
fn planned_identity(shape: &Shape, planned: &Value) -> Option<Value> {
    let identity = shape.identity.as_ref()?;
    let parts = identity.attributes.iter().map(|(name, part)| {
        let value = planned.get(name).filter(|value| !value.is_null()).cloned();
        (name.clone(), value.unwrap_or_else(|| Value::unknown(part.ty.clone())))
    });
    (!planned.is_null()).then(|| Value::object(parts))
}

#[async_trait]
impl<C: Send + Sync + 'static> Provider for Built<C> {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(self.schema.clone())
    }

    async fn validate_provider(&self, config: Value) -> Diagnostics {
        match &self.configuration {
            Some(configuration) if !config.is_null() => configuration.validate(&config),
            _ => Diagnostics::new(),
        }
    }

    async fn configure(&self, config: Value) -> Diagnostics {
        self.stop.send_replace(false);
        let Some(configuration) = &self.configuration else { return Diagnostics::new() };
        let config = if config.is_null() { configuration.shape().schema.block.empty() } else { config };
        match configuration.configure(config).instrument(self.span("ConfigureProvider", "")).await {
            Ok(client) => {
                *self.client.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(client));
                Diagnostics::new()
            }
            Err(diagnostics) => diagnostics,
        }
    }

    async fn validate_resource(&self, kind: &str, config: Value) -> Diagnostics {
        self.resource(kind).map_or_else(|d| d, |r| r.validate(&config))
    }

    async fn validate_data(&self, kind: &str, config: Value) -> Diagnostics {
        self.data_source(kind).map_or_else(|d| d, |r| r.validate(&config))
    }

    async fn upgrade(&self, kind: &str, version: i64, state: RawState) -> Answer<Value> {
        let result = self.resource(kind).and_then(|resource| upgrade(resource, kind, version, &state));
        result.map_or_else(Answer::error, Answer::ok)
    }

    async fn read(&self, request: ReadRequest) -> Answer<ReadResponse> {
        let (resource, mut context) =
            match self.resource(&request.kind).and_then(|r| Ok((r, self.context(request.private)?))) {
                Ok(found) => found,
                Err(diagnostics) => return Answer::error(diagnostics),
            };
        context.meta = request.meta;
        let span = self.span("ReadResource", &request.kind);
        let result = resource.read(&request.current, &mut context).instrument(span).await;
        answer(result, context, |state, context| ReadResponse {
            identity: resource.shape().identity_of(&state).or(request.identity),
            state,
            private: context.private.into(),
        })
    }

    async fn plan(&self, request: PlanRequest) -> Answer<PlanResponse> {
        let private = request.prior_private.clone();
        let (resource, mut context) =
            match self.resource(&request.kind).and_then(|r| Ok((r, self.context(private)?))) {
                Ok(found) => found,
                Err(diagnostics) => return Answer::error(diagnostics),
            };
        context.meta = request.meta.clone();
        let result = match request.proposed.is_null() || request.config.is_null() {
            true => Ok((Value::Null(resource.shape().ty.clone()), Vec::new())),
            false => {
                let span = self.span("PlanResourceChange", &request.kind);
                resource.plan(&request, &mut context).instrument(span).await
            }
        };
        answer(result, context, |(planned, requires_replace), context| PlanResponse {
            identity: request.prior_identity.or_else(|| planned_identity(resource.shape(), &planned)),
            planned,
            requires_replace,
            private: context.private.into(),
            legacy_type_system: false,
        })
    }

    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        let private = request.planned_private.clone();
        let failed = |diagnostics| ApplyResponse {
            state: Some(request.prior.clone()),
            private: request.planned_private.clone(),
            identity: None,
            legacy_type_system: false,
            diagnostics,
        };
        let (resource, mut context) =
            match self.resource(&request.kind).and_then(|r| Ok((r, self.context(private)?))) {
                Ok(found) => found,
                Err(diagnostics) => return failed(diagnostics),
            };
        let config = (!request.config.is_null()).then_some(&request.config);
        context.config = config.map(|config| plan::with_defaults(resource.shape(), config));
        context.meta = request.meta.clone();
        let span = self.span("ApplyResourceChange", &request.kind);
        let (state, diagnostics) = resource.apply(&request, &mut context).instrument(span).await;
        let mut all = context.diagnostics;
        all.extend(diagnostics);
        let identity = state.as_ref().and_then(|state| resource.shape().identity_of(state));
        ApplyResponse {
            state,
            private: context.private.into(),
            identity: identity.or(request.planned_identity.filter(Value::is_wholly_known)),
            legacy_type_system: false,
            diagnostics: all,
        }
    }

    async fn import(&self, kind: &str, target: ImportTarget) -> Answer<Vec<ImportedResource>> {
        let (resource, mut context) =
            match self.resource(kind).and_then(|r| Ok((r, self.context(Bytes::new())?))) {
                Ok(found) => found,
                Err(diagnostics) => return Answer::error(diagnostics),
            };
        let span = self.span("ImportResourceState", kind);
        let result = match target {
            ImportTarget::Id(id) => resource.import(&id, &mut context).instrument(span).await,
            ImportTarget::Identity(identity) if resource.shape().identity.is_some() => {
                resource.import_identity(identity, &mut context).instrument(span).await
            }
            ImportTarget::Identity(_) => {
                Err(Diagnostic::error("no-identity", "Resource type has no identity")
                    .detail(format!("Objects of type `{kind}` are imported by id."))
                    .help("Give an `id` in place of an `identity`.")
                    .into())
            }
        };
        answer(result, context, |state, context| {
            vec![ImportedResource {
                kind: kind.into(),
                identity: resource.shape().identity_of(&state),
                state,
                private: context.private.into(),
            }]
        })
    }

    async fn move_state(&self, request: MoveRequest) -> Answer<ImportedResource> {
        let moved = self.resource(&request.target_kind).and_then(|resource| moved(resource, &request));
        moved.map_or_else(Answer::error, Answer::ok)
    }

    async fn read_data(&self, kind: &str, config: Value, meta: Option<Value>) -> Answer<Value> {
        let (data, mut context) =
            match self.data_source(kind).and_then(|d| Ok((d, self.context(Bytes::new())?))) {
                Ok(found) => found,
                Err(diagnostics) => return Answer::error(diagnostics),
            };
        context.meta = meta;
        let result = data.read(&config, &mut context).instrument(self.span("ReadDataSource", kind)).await;
        answer(result, context, |value, _| value)
    }

    async fn validate_ephemeral(&self, kind: &str, config: Value) -> Diagnostics {
        self.ephemeral(kind).map_or_else(|d| d, |e| e.validate(&config))
    }

    async fn open(&self, kind: &str, config: Value) -> Answer<OpenResponse> {
        let (resource, mut context) =
            match self.ephemeral(kind).and_then(|e| Ok((e, self.context(Bytes::new())?))) {
                Ok(found) => found,
                Err(diagnostics) => return Answer::error(diagnostics),
            };
        let span = self.span("OpenEphemeralResource", kind);
        let result = resource.open(&config, &mut context).instrument(span).await;
        answer(result, context, |opened, context| OpenResponse {
            result: opened.object,
            private: context.private.into(),
            renew_at: opened.renew_at,
        })
    }

    async fn renew(&self, kind: &str, private: Bytes) -> Answer<(Bytes, Option<SystemTime>)> {
        let (resource, mut context) = match self.ephemeral(kind).and_then(|e| Ok((e, self.context(private)?)))
        {
            Ok(found) => found,
            Err(diagnostics) => return Answer::error(diagnostics),
        };
        let result = resource.renew(&mut context).instrument(self.span("RenewEphemeralResource", kind)).await;
        answer(result, context, |renew_at, context| (context.private.into(), renew_at))
    }

    async fn close(&self, kind: &str, private: Bytes) -> Diagnostics {
        let (resource, mut context) = match self.ephemeral(kind).and_then(|e| Ok((e, self.context(private)?)))
        {
            Ok(found) => found,
            Err(diagnostics) => return diagnostics,
        };
        let result = resource.close(&mut context).instrument(self.span("CloseEphemeralResource", kind)).await;
        answer(result, context, |(), _| ()).diagnostics
    }

    async fn validate_action(&self, kind: &str, config: Value) -> Diagnostics {
        self.action(kind).map_or_else(|d| d, |a| a.validate(&config))
    }

    async fn plan_action(&self, kind: &str, config: Value) -> Diagnostics {
        self.validate_action(kind, config).await
    }

    async fn invoke(&self, kind: &str, config: Value, progress: Progress) -> Invoked {
        let (action, mut context) = match self.action(kind).and_then(|a| Ok((a, self.context(Bytes::new())?)))
        {
            Ok(found) => found,
            Err(diagnostics) => return Invoked::ended(diagnostics),
        };
        let span = self.span("InvokeAction", kind);
        let progress = Reporter::new(progress);
        let result = action.invoke(&config, &progress, &mut context).instrument(span).await;
        Invoked::ended(answer(result, context, |(), _| ()).diagnostics)
    }

    async fn call(&self, name: &str, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        match self.functions.get(name) {
            Some(function) => function.call(arguments).instrument(self.span("CallFunction", name)).await,
            None => {
                let known = self.functions.keys().map(EcoString::as_str);
                let guess = plumb_model::diagnostic::did_you_mean(name, known).unwrap_or_default();
                let text = format!("The provider `{}` has no function `{name}`. {guess}", self.name);
                Err(FunctionError::new(text.trim_end()))
            }
        }
    }

    async fn stop(&self) {
        self.stop.send_replace(true);
    }

    async fn shutdown(&self) {
        if let Some(ending) = &self.ending {
            ending();
        }
    }
}

/// The result with what was said beside it.
fn answer<C, T, U>(
    result: Result<T, Diagnostics>,
    mut context: Context<C>,
    respond: impl FnOnce(T, Context<C>) -> U,
) -> Answer<U> {
    let mut diagnostics = std::mem::take(&mut context.diagnostics);
    match result {
        Ok(value) => Answer { value: Some(respond(value, context)), diagnostics },
        Err(errors) => {
            diagnostics.extend(errors);
            Answer { value: None, diagnostics }
        }
    }
}

/// The attributes of a saved object.
fn saved(kind: &str, state: &RawState) -> Result<Map<String, Json>, Diagnostics> {
    let RawState::Json(bytes) = state else {
        return Err(unreadable(kind, "it is in a form older than this resource type"));
    };
    match serde_json::from_slice(bytes) {
        Ok(Json::Object(attributes)) => Ok(attributes),
        Ok(_) => Err(unreadable(kind, "it is not an object")),
        Err(error) => Err(unreadable(kind, &error.to_string())),
    }
}

fn unreadable(kind: &str, problem: &str) -> Diagnostics {
    Diagnostic::error("unreadable-state", "Saved object cannot be read")
        .detail(format!("The saved object of type `{kind}`: {problem}."))
        .into()
}

/// Saved attributes in the present form. Attributes that the schema does not have any more are left out.
fn upgrade<C>(
    resource: &dyn AnyResource<C>,
    kind: &str,
    version: i64,
    state: &RawState,
) -> Result<Value, Diagnostics> {
    let shape = resource.shape();
    let attributes = saved(kind, state)?;
    let attributes = match version < shape.schema.version {
        true => resource.upgrade(version, attributes)?,
        false => attributes,
    };
    let known = |name: &str| shape.position(name).is_some();
    let attributes = attributes.into_iter().filter(|(name, _)| known(name)).collect();
    let object = json::from_json(&Json::Object(attributes), &shape.ty);
    let object = object.map_err(|error| unreadable(kind, &error.to_string()))?;
    // Blocks that were not there yet when the object was saved are none, not null.
    Ok(shape
        .rules
        .map(&object, |rule, value| if value.is_null() { rule.null.clone() } else { value.clone() }))
}

fn moved<C>(resource: &dyn AnyResource<C>, request: &MoveRequest) -> Result<ImportedResource, Diagnostics> {
    let source = MoveSource {
        provider: request.source_provider.clone(),
        kind: request.source_kind.clone(),
        version: request.source_version,
        state: saved(&request.source_kind, &request.source_state)?,
        private: request.source_private.clone().into(),
    };
    let mut private = Private::default();
    let state = resource.move_from(&source, &mut private)?.ok_or_else(|| {
        Diagnostics::from(
            Diagnostic::error("move-not-supported", "Resource type cannot be moved to")
                .detail(format!(
                    "An object of type `{}` of {} cannot become one of type `{}`.",
                    source.kind, source.provider, request.target_kind
                ))
                .help("Remove the `moved` block; the one object is then deleted and the other created."),
        )
    })?;
    let identity = resource.shape().identity_of(&state);
    Ok(ImportedResource { kind: request.target_kind.clone(), state, private: private.into(), identity })
}
