//! Assembling a provider of resource types and data sources.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Schema, Value, json};
use plumb_provider_api::{
    Answer, ApplyRequest, ApplyResponse, Capabilities, ImportTarget, ImportedResource, PlanRequest,
    PlanResponse, Provider, ProviderSchema, RawState, ReadRequest, ReadResponse,
};
use serde_json::{Map, Value as Json};
use tokio::sync::watch;

use crate::check::Checks;
use crate::context::{Context, Failed, Left, Stop};
use crate::model::Model;
use crate::plan::{self, Planning};
use crate::resource::{DataSource, Named, Resource};
use crate::shape::{Shape, read_model, unknown_kind};

/// The configuration of a provider, and what is made of it.
#[async_trait]
pub trait Configure: Send + Sync + 'static {
    /// The arguments in the `provider` block.
    type Config: Model;
    /// What resources work with: connections, credentials.
    type Client: Send + Sync + 'static;

    /// Checks the arguments, of which some may be unknown.
    fn validate(&self, _config: &Self::Config, _checks: &mut Checks) {}

    /// Makes the client. Defaults are filled in. While planning, arguments may be unknown.
    async fn configure(&self, config: Self::Config) -> Result<Self::Client, Diagnostics>;
}

/// Collects what a provider offers.
pub struct ProviderBuilder<C> {
    name: EcoString,
    configuration: Option<Box<dyn Configuration<C>>>,
    client: OnceLock<Arc<C>>,
    resources: Vec<Named<Box<dyn AnyResource<C>>>>,
    data_sources: Vec<Named<Box<dyn AnyData<C>>>>,
    ending: Option<Ending>,
}

/// What is done when everything that the provider did is recorded.
type Ending = Box<dyn Fn() + Send + Sync>;

impl ProviderBuilder<()> {
    /// A provider that is not configured.
    pub fn new(name: impl Into<EcoString>) -> ProviderBuilder<()> {
        ProviderBuilder {
            name: name.into(),
            configuration: None,
            client: OnceLock::from(Arc::new(())),
            resources: Vec::new(),
            data_sources: Vec::new(),
            ending: None,
        }
    }
}

impl<C: Send + Sync + 'static> ProviderBuilder<C> {
    /// A provider that is configured.
    pub fn configured(
        name: impl Into<EcoString>,
        configure: impl Configure<Client = C>,
    ) -> ProviderBuilder<C> {
        ProviderBuilder {
            name: name.into(),
            configuration: Some(Box::new(Configured::new(configure))),
            client: OnceLock::new(),
            resources: Vec::new(),
            data_sources: Vec::new(),
            ending: None,
        }
    }

    /// The same, managing a resource type.
    pub fn resource(mut self, kind: &str, resource: impl Resource<Client = C>) -> Self {
        self.resources.push((kind.into(), Box::new(Typed::resource(resource))));
        self
    }

    /// The same, with a data source.
    pub fn data_source(mut self, kind: &str, data: impl DataSource<Client = C>) -> Self {
        self.data_sources.push((kind.into(), Box::new(Typed::data(data))));
        self
    }

    /// The same, which does this when it is shut down: everything that it did is recorded by then. After a crash, or
    /// where recording failed, it is not done.
    pub fn on_shutdown(mut self, ending: impl Fn() + Send + Sync + 'static) -> Self {
        self.ending = Some(Box::new(ending));
        self
    }

    /// The provider.
    pub fn build(self) -> Arc<dyn Provider> {
        let resources: BTreeMap<_, _> = self.resources.into_iter().collect();
        let data_sources: BTreeMap<_, _> = self.data_sources.into_iter().collect();
        let schema = ProviderSchema {
            provider: self
                .configuration
                .as_ref()
                .map_or_else(Schema::default, |c| (*c.shape().schema).clone()),
            resources: resources.iter().map(|(k, r)| (k.clone(), r.shape().schema.clone())).collect(),
            data_sources: data_sources.iter().map(|(k, d)| (k.clone(), d.shape().schema.clone())).collect(),
            capabilities: Capabilities { plan_destroy: false, move_state: false, finds_planned: true },
            ..ProviderSchema::default()
        };
        Arc::new(Built {
            name: self.name,
            schema: Arc::new(schema),
            configuration: self.configuration,
            client: self.client,
            resources,
            data_sources,
            ending: self.ending,
            stop: watch::channel(false).0,
        })
    }
}

/// A configuration, whatever its model.
#[async_trait]
trait Configuration<C>: Send + Sync {
    fn shape(&self) -> &Shape;
    fn validate(&self, config: &Value) -> Diagnostics;
    async fn configure(&self, config: Value) -> Result<C, Diagnostics>;
}

struct Configured<T> {
    inner: T,
    shape: Shape,
}

impl<T: Configure> Configured<T> {
    fn new(inner: T) -> Configured<T> {
        Configured { inner, shape: Shape::of::<T::Config>(0) }
    }
}

#[async_trait]
impl<T: Configure> Configuration<T::Client> for Configured<T> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut checks = Checks::new();
        match read_model(config) {
            Ok(model) => self.inner.validate(&model, &mut checks),
            Err(diagnostics) => return diagnostics,
        }
        checks.into_diagnostics()
    }

    async fn configure(&self, config: Value) -> Result<T::Client, Diagnostics> {
        let config = plan::with_defaults(&self.shape, &config)?;
        self.inner.configure(read_model(&config)?).await
    }
}

/// A resource or data source with its shape.
struct Typed<T> {
    inner: T,
    shape: Shape,
}

impl<R: Resource> Typed<R> {
    fn resource(inner: R) -> Typed<R> {
        let shape = Shape::of::<R::Model>(inner.version());
        Typed { inner, shape }
    }
}

impl<D: DataSource> Typed<D> {
    fn data(inner: D) -> Typed<D> {
        Typed { inner, shape: Shape::of::<D::Model>(0) }
    }
}

/// A resource type, whatever its model.
#[async_trait]
trait AnyResource<C>: Send + Sync {
    fn shape(&self) -> &Shape;
    fn validate(&self, config: &Value) -> Diagnostics;
    fn upgrade(&self, version: i64, state: Map<String, Json>) -> Result<Map<String, Json>, Diagnostics>;
    async fn plan(
        &self,
        request: &PlanRequest,
        context: &mut Context<C>,
    ) -> Result<(Value, Vec<plumb_model::Path>), Diagnostics>;
    async fn read(&self, current: &Value, context: &mut Context<C>) -> Result<Value, Diagnostics>;
    async fn apply(&self, request: &ApplyRequest, context: &mut Context<C>) -> (Option<Value>, Diagnostics);
    async fn import(&self, id: &str, context: &mut Context<C>) -> Result<Value, Diagnostics>;
}

#[async_trait]
impl<R: Resource> AnyResource<R::Client> for Typed<R> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut checks = Checks::new();
        match read_model(config) {
            Ok(model) => self.inner.validate(&model, &mut checks),
            Err(diagnostics) => return diagnostics,
        }
        checks.into_diagnostics()
    }

    fn upgrade(&self, version: i64, state: Map<String, Json>) -> Result<Map<String, Json>, Diagnostics> {
        self.inner.upgrade(version, state)
    }

    async fn plan(
        &self,
        request: &PlanRequest,
        context: &mut Context<R::Client>,
    ) -> Result<(Value, Vec<plumb_model::Path>), Diagnostics> {
        let mut planning = Planning::start(&self.shape, request)?;
        let changed = planning.changes();
        self.inner.plan(&mut planning, context).await?;
        Ok(planning.finish(changed))
    }

    async fn read(&self, current: &Value, context: &mut Context<R::Client>) -> Result<Value, Diagnostics> {
        let gone = || Value::Null(self.shape.ty.clone());
        let Some(model) = self.inner.read(read_model(current)?, context).await? else { return Ok(gone()) };
        let object = plan::settled(&self.shape, model.into_object(), false).map_err(|(_, errors)| errors)?;
        // An object that lacks what every object of its kind has was planned, and never came into being.
        Ok(if self.shape.is_complete(&object) { object } else { gone() })
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        context: &mut Context<R::Client>,
    ) -> (Option<Value>, Diagnostics) {
        let outcome = match (request.prior.is_null(), request.planned.is_null()) {
            (true, true) => Ok(None),
            (true, false) => match read_model(&request.planned) {
                Ok(planned) => self.inner.create(planned, context).await.map(Some),
                Err(diagnostics) => Err(diagnostics.into()),
            },
            (false, false) => match read_model(&request.prior)
                .and_then(|prior| Ok((prior, read_model(&request.planned)?)))
            {
                Ok((prior, planned)) => self.inner.update(prior, planned, context).await.map(Some),
                Err(diagnostics) => Err(diagnostics.into()),
            },
            (false, true) => match read_model(&request.prior) {
                Ok(prior) => self.inner.delete(prior, context).await.map(|()| None),
                Err(diagnostics) => Err(diagnostics.into()),
            },
        };
        self.outcome(outcome, &request.prior)
    }

    async fn import(&self, id: &str, context: &mut Context<R::Client>) -> Result<Value, Diagnostics> {
        let model = self.inner.import(id, context).await?;
        plan::settled(&self.shape, model.into_object(), true).map_err(|(_, diagnostics)| diagnostics)
    }
}

impl<R: Resource> Typed<R> {
    /// What is recorded after a change, and what there is to say.
    fn outcome(
        &self,
        outcome: Result<Option<R::Model>, Failed<R::Model>>,
        prior: &Value,
    ) -> (Option<Value>, Diagnostics) {
        let null = || Value::Null(self.shape.ty.clone());
        match outcome {
            Ok(None) => (Some(null()), Diagnostics::new()),
            Ok(Some(model)) => match plan::settled(&self.shape, model.into_object(), false) {
                Ok(object) => (Some(object), Diagnostics::new()),
                Err((object, diagnostics)) => (Some(object), diagnostics),
            },
            Err(Failed { diagnostics, left }) => {
                let state = match left {
                    Left::Unchanged => Some(prior.clone()),
                    Left::Nothing => Some(null()),
                    Left::Unsure => None,
                    Left::Object(model) => {
                        Some(plan::settled(&self.shape, model.into_object(), true).unwrap_or_else(|(o, _)| o))
                    }
                };
                (state, diagnostics)
            }
        }
    }
}

/// A data source, whatever its model.
#[async_trait]
trait AnyData<C>: Send + Sync {
    fn shape(&self) -> &Shape;
    fn validate(&self, config: &Value) -> Diagnostics;
    async fn read(&self, config: &Value, context: &mut Context<C>) -> Result<Value, Diagnostics>;
}

#[async_trait]
impl<D: DataSource> AnyData<D::Client> for Typed<D> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut checks = Checks::new();
        match read_model(config) {
            Ok(model) => self.inner.validate(&model, &mut checks),
            Err(diagnostics) => return diagnostics,
        }
        checks.into_diagnostics()
    }

    async fn read(&self, config: &Value, context: &mut Context<D::Client>) -> Result<Value, Diagnostics> {
        let config = plan::with_defaults(&self.shape, config)?;
        let model = self.inner.read(read_model(&config)?, context).await?;
        plan::settled(&self.shape, model.into_object(), false).map_err(|(_, diagnostics)| diagnostics)
    }
}

/// What [`ProviderBuilder`] builds.
struct Built<C> {
    name: EcoString,
    schema: Arc<ProviderSchema>,
    configuration: Option<Box<dyn Configuration<C>>>,
    client: OnceLock<Arc<C>>,
    resources: BTreeMap<EcoString, Box<dyn AnyResource<C>>>,
    data_sources: BTreeMap<EcoString, Box<dyn AnyData<C>>>,
    ending: Option<Ending>,
    stop: watch::Sender<bool>,
}

impl<C: Send + Sync + 'static> Built<C> {
    fn resource(&self, kind: &str) -> Result<&dyn AnyResource<C>, Diagnostics> {
        self.resources.get(kind).map(Box::as_ref).ok_or_else(|| {
            unknown_kind("resource type", kind, &self.name, self.resources.keys().map(EcoString::as_str))
                .into()
        })
    }

    fn data_source(&self, kind: &str) -> Result<&dyn AnyData<C>, Diagnostics> {
        self.data_sources.get(kind).map(Box::as_ref).ok_or_else(|| {
            unknown_kind("data source", kind, &self.name, self.data_sources.keys().map(EcoString::as_str))
                .into()
        })
    }

    fn context(&self, private: Bytes) -> Result<Context<C>, Diagnostics> {
        let client = self.client.get().ok_or_else(|| {
            Diagnostics::from(
                Diagnostic::error("provider-not-configured", "Provider is not configured")
                    .detail(format!("The provider `{}` was called before it was configured.", self.name)),
            )
        })?;
        Ok(Context::new(client.clone(), private, Stop::new(self.stop.subscribe())))
    }
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
        let Some(configuration) = &self.configuration else { return Diagnostics::new() };
        let config = if config.is_null() { configuration.shape().schema.block.empty() } else { config };
        match configuration.configure(config).await {
            // A second configuration is not part of the contract; the first one stays.
            Ok(client) => {
                self.client.get_or_init(|| Arc::new(client));
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
        let result = resource.read(&request.current, &mut context).await;
        answer(result, context, |state, context| ReadResponse {
            state,
            private: context.private.into(),
            identity: request.identity,
        })
    }

    async fn plan(&self, request: PlanRequest) -> Answer<PlanResponse> {
        let private = request.prior_private.clone();
        let (resource, mut context) =
            match self.resource(&request.kind).and_then(|r| Ok((r, self.context(private)?))) {
                Ok(found) => found,
                Err(diagnostics) => return Answer::error(diagnostics),
            };
        let result = match request.proposed.is_null() || request.config.is_null() {
            true => Ok((Value::Null(resource.shape().ty.clone()), Vec::new())),
            false => resource.plan(&request, &mut context).await,
        };
        answer(result, context, |(planned, requires_replace), context| PlanResponse {
            planned,
            requires_replace,
            private: context.private.into(),
            identity: request.prior_identity,
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
        context.config = (!request.config.is_null()).then(|| request.config.clone());
        let (state, diagnostics) = resource.apply(&request, &mut context).await;
        let mut all = context.diagnostics;
        all.extend(diagnostics);
        ApplyResponse {
            state,
            private: context.private.into(),
            identity: request.planned_identity,
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
        let ImportTarget::Id(id) = target else {
            return Answer::error(
                Diagnostic::error("no-identity", "Resource type has no identity")
                    .detail(format!("Objects of type `{kind}` are imported by id."))
                    .help("Give an `id` in place of an `identity`."),
            );
        };
        let result = resource.import(&id, &mut context).await;
        answer(result, context, |state, context| {
            vec![ImportedResource {
                kind: kind.into(),
                state,
                private: context.private.into(),
                identity: None,
            }]
        })
    }

    async fn read_data(&self, kind: &str, config: Value, _meta: Option<Value>) -> Answer<Value> {
        let (data, mut context) =
            match self.data_source(kind).and_then(|d| Ok((d, self.context(Bytes::new())?))) {
                Ok(found) => found,
                Err(diagnostics) => return Answer::error(diagnostics),
            };
        let result = data.read(&config, &mut context).await;
        answer(result, context, |value, _| value)
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

/// Saved attributes in the present form. Attributes that the schema does not have any more are left out.
fn upgrade<C>(
    resource: &dyn AnyResource<C>,
    kind: &str,
    version: i64,
    state: &RawState,
) -> Result<Value, Diagnostics> {
    let unreadable = |problem: String| {
        Diagnostics::from(
            Diagnostic::error("unreadable-state", "Saved object cannot be read")
                .detail(format!("The saved object of type `{kind}`: {problem}.")),
        )
    };
    let RawState::Json(bytes) = state else {
        return Err(unreadable("it is in a form older than this resource type".into()));
    };
    let json: Json = serde_json::from_slice(bytes).map_err(|e| unreadable(e.to_string()))?;
    let Json::Object(attributes) = json else {
        return Err(unreadable("it is not an object".into()));
    };
    let attributes = match version < resource.shape().schema.version {
        true => resource.upgrade(version, attributes)?,
        false => attributes,
    };
    let known = |name: &str| resource.shape().position(name).is_some();
    let attributes = attributes.into_iter().filter(|(name, _)| known(name)).collect();
    json::from_json(&Json::Object(attributes), &resource.shape().ty).map_err(|e| unreadable(e.to_string()))
}
