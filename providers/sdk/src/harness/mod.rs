//! Drives a provider through the lives of objects, as the engine does, for tests of providers.
//!
//! Every plan is held against the contract: what the configuration says must be planned, what the plan knew must be
//! the outcome, and nothing may be left unknown. A broken promise is an error like any other.
//!
//! ```
//! use plumb_provider_sdk::harness::Harness;
//! # use plumb_provider_sdk::{Attr, Context, Failed, Model, ProviderBuilder, Resource, async_trait};
//! # /// A greeting.
//! # #[derive(Clone, Debug, Model)]
//! # struct Greeting {
//! #     /// Whom to greet.
//! #     #[attribute(required, requires_replace)]
//! #     name: String,
//! #     /// The greeting.
//! #     #[attribute(computed)]
//! #     text: Attr<String>,
//! # }
//! # struct Greetings;
//! # #[async_trait]
//! # impl Resource for Greetings {
//! #     type Model = Greeting;
//! #     type Client = ();
//! #     async fn create(&self, planned: Greeting, _: &mut Context<()>) -> Result<Greeting, Failed<Greeting>> {
//! #         Ok(Greeting { text: format!("Hello {}!", planned.name).into(), ..planned })
//! #     }
//! # }
//! # let provider = ProviderBuilder::new("greetings").resource("greeting", Greetings).build();
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let harness = Harness::new(provider).await?;
//! let object = harness.create("greeting", &[("name", "Ada".into())]).await?;
//! assert_eq!(object.text("text"), "Hello Ada!");
//!
//! let plan = harness.plan("greeting", Some(&object), &[("name", "Grace".into())]).await?;
//! assert!(plan.is_replacement() && plan.is_unknown("text"));
//! # Ok::<_, plumb_provider_sdk::Diagnostics>(())
//! # }).unwrap();
//! ```
//!
//! [`Harness::life`] leads an object from its creation to its end and holds every step against the others. A harness takes
//! any provider: also one in a process of its own, which the host of Plumb makes look like any other.
//!
//! Elsewhere: what is held against the contract is in `promise`, lives are in [`life`].

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Block, Diagnostic, Diagnostics, Path, Value};
use plumb_provider_api::{
    ApplyRequest, FunctionError, ImportTarget, MoveRequest, OpenResponse, PlanRequest, Provider,
    ProviderSchema, RawState, ReadRequest,
};

pub mod life;
mod promise;

use promise::{check_outcome, check_plan, propose};

/// A provider under test.
pub struct Harness {
    provider: Arc<dyn Provider>,
    schema: Arc<ProviderSchema>,
}

/// An object that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its resource type.
    pub kind: EcoString,
    /// Its attributes.
    pub state: Value,
    /// What the provider wants remembered.
    pub private: Bytes,
    /// What tells it apart, if its type has an identity.
    pub identity: Option<Value>,
}

impl Object {
    /// An attribute.
    pub fn get(&self, name: &str) -> &Value {
        self.state.get(name).unwrap_or(&Value::NULL)
    }

    /// The text of an attribute; empty if it has none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).as_str().map_or("", |text| text.as_str())
    }
}

/// What would become of an object.
#[derive(Clone, Debug)]
pub struct Forecast {
    kind: EcoString,
    prior: Value,
    config: Value,
    /// The object afterwards.
    pub planned: Value,
    /// Why it must be another object. A replacement is planned like a creation.
    pub requires_replace: Vec<Path>,
    /// For the apply.
    pub private: Bytes,
    identity: Option<Value>,
}

impl Forecast {
    /// Whether nothing would change.
    pub fn is_no_op(&self) -> bool {
        self.prior == self.planned
    }

    /// Whether another object would take its place.
    pub fn is_replacement(&self) -> bool {
        !self.requires_replace.is_empty()
    }

    /// Whether an attribute is not known before the apply.
    pub fn is_unknown(&self, name: &str) -> bool {
        self.planned.get(name).is_some_and(|value| !value.is_known())
    }
}

impl Harness {
    /// A provider, configured with nothing.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn new(provider: Arc<dyn Provider>) -> Result<Harness, Diagnostics> {
        Harness::configured(provider, &[]).await
    }

    /// A provider, configured.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn configured(
        provider: Arc<dyn Provider>,
        arguments: &[(&str, Value)],
    ) -> Result<Harness, Diagnostics> {
        let schema = provider.schema().await?;
        let config = body(&schema.provider.block, arguments)?;
        provider.validate_provider(config.clone()).await.into_result()?;
        provider.configure(config).await.into_result()?;
        Ok(Harness { provider, schema })
    }

    /// The provider itself.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    /// The configuration of a resource: the arguments given, the others null.
    ///
    /// # Errors
    /// If there is no such resource type or argument.
    pub fn config(&self, kind: &str, arguments: &[(&str, Value)]) -> Result<Value, Diagnostics> {
        body(self.block(kind)?, arguments)
    }

    fn block(&self, kind: &str) -> Result<&Block, Diagnostics> {
        let schema = self.schema.resources.get(kind);
        schema.map(|s| &s.block).ok_or_else(|| broken(format!("There is no resource type `{kind}`.")))
    }

    /// What is wrong with a configuration.
    ///
    /// # Errors
    /// As [`Harness::config`].
    pub async fn validate(
        &self,
        kind: &str,
        arguments: &[(&str, Value)],
    ) -> Result<Diagnostics, Diagnostics> {
        let config = self.config(kind, arguments)?;
        Ok(self.provider.validate_resource(kind, config).await)
    }

    /// What would become of an object, or of one that does not exist.
    ///
    /// # Errors
    /// What the provider says, and promises that it breaks.
    pub async fn plan(
        &self,
        kind: &str,
        prior: Option<&Object>,
        arguments: &[(&str, Value)],
    ) -> Result<Forecast, Diagnostics> {
        let config = self.config(kind, arguments)?;
        self.provider.validate_resource(kind, config.clone()).await.into_result()?;
        let first = self.forecast(kind, prior, config.clone(), None).await?;
        if !first.is_replacement() {
            return Ok(first);
        }
        let second = self.forecast(kind, None, config, Some(first.private.clone())).await?;
        Ok(Forecast { prior: first.prior, requires_replace: first.requires_replace, ..second })
    }

    async fn forecast(
        &self,
        kind: &str,
        object: Option<&Object>,
        config: Value,
        private: Option<Bytes>,
    ) -> Result<Forecast, Diagnostics> {
        let block = self.block(kind)?;
        let prior = object.map_or_else(|| Value::Null(block.implied_type()), |o| o.state.clone());
        let prior_private = private.or_else(|| object.map(|o| o.private.clone())).unwrap_or_default();
        let proposed = propose(block, &prior, &config);
        let request = PlanRequest {
            kind: kind.into(),
            prior: prior.clone(),
            proposed,
            config: config.clone(),
            prior_private,
            meta: None,
            prior_identity: object.and_then(|o| o.identity.clone()),
        };
        let (response, _) = self.provider.plan(request).await.into_result()?;
        check_plan(block, &prior, &config, &response.planned)?;
        Ok(Forecast {
            kind: kind.into(),
            prior,
            config,
            planned: response.planned,
            requires_replace: response.requires_replace,
            private: response.private,
            identity: response.identity,
        })
    }

    /// Carries a plan out. A replacement deletes first. The object that is left comes back even with errors.
    pub async fn apply(&self, forecast: &Forecast) -> (Option<Object>, Diagnostics) {
        let mut prior = forecast.prior.clone();
        if forecast.is_replacement() {
            let object = Object {
                kind: forecast.kind.clone(),
                state: prior.clone(),
                private: forecast.private.clone(),
                identity: None,
            };
            if let Err((left, diagnostics)) = self.delete(&object).await {
                return (left, diagnostics);
            }
            prior = Value::Null(prior.ty());
        }
        self.step(ApplyRequest {
            kind: forecast.kind.clone(),
            prior,
            planned: forecast.planned.clone(),
            config: forecast.config.clone(),
            planned_private: forecast.private.clone(),
            meta: None,
            planned_identity: forecast.identity.clone(),
        })
        .await
    }

    async fn step(&self, request: ApplyRequest) -> (Option<Object>, Diagnostics) {
        let (kind, planned) = (request.kind.clone(), request.planned.clone());
        let response = self.provider.apply(request).await;
        let mut diagnostics = response.diagnostics;
        let state = response.state.filter(|state| !state.is_null());
        if !diagnostics.has_errors() {
            let outcome = state.as_ref().unwrap_or(&Value::NULL);
            diagnostics.extend(check_outcome(&planned, outcome));
        }
        let (private, identity) = (response.private, response.identity);
        (state.map(|state| Object { kind, state, private, identity }), diagnostics)
    }

    /// Plans and creates an object.
    ///
    /// # Errors
    /// What the provider says, and promises that it breaks.
    pub async fn create(&self, kind: &str, arguments: &[(&str, Value)]) -> Result<Object, Diagnostics> {
        let forecast = self.plan(kind, None, arguments).await?;
        outcome(self.apply(&forecast).await)
    }

    /// Plans and changes, or replaces, an object.
    ///
    /// # Errors
    /// What the provider says, and promises that it breaks.
    pub async fn change(&self, object: &Object, arguments: &[(&str, Value)]) -> Result<Object, Diagnostics> {
        let forecast = self.plan(&object.kind, Some(object), arguments).await?;
        outcome(self.apply(&forecast).await)
    }

    /// Looks at an object. `None` if it is gone.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn read(&self, object: &Object) -> Result<Option<Object>, Diagnostics> {
        let request = ReadRequest {
            kind: object.kind.clone(),
            current: object.state.clone(),
            private: object.private.clone(),
            meta: None,
            identity: object.identity.clone(),
        };
        let (response, _) = self.provider.read(request).await.into_result()?;
        if !response.state.is_wholly_known() {
            return Err(broken("What was read is not wholly known.".into()));
        }
        let object = Object {
            kind: object.kind.clone(),
            state: response.state,
            private: response.private,
            identity: response.identity,
        };
        Ok((!object.state.is_null()).then_some(object))
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What the provider says, with what is left of the object.
    pub async fn delete(&self, object: &Object) -> Result<(), (Option<Object>, Diagnostics)> {
        let null = Value::Null(object.state.ty());
        let (left, diagnostics) = self
            .step(ApplyRequest {
                kind: object.kind.clone(),
                prior: object.state.clone(),
                planned: null.clone(),
                config: null,
                planned_private: object.private.clone(),
                meta: None,
                planned_identity: object.identity.clone(),
            })
            .await;
        if diagnostics.has_errors() { Err((left, diagnostics)) } else { Ok(()) }
    }

    /// Takes an object under management and reads it.
    ///
    /// # Errors
    /// What the provider says; and if there is no such object.
    pub async fn import(&self, kind: &str, id: &str) -> Result<Object, Diagnostics> {
        let found = self.take_over(kind, ImportTarget::Id(id.into())).await?;
        self.read(&found).await?.ok_or_else(|| broken(format!("There is no object `{id}`.")))
    }

    /// Takes an object under management by its identity and reads it.
    ///
    /// # Errors
    /// What the provider says; and if there is no such object.
    pub async fn import_identity(
        &self,
        kind: &str,
        identity: &[(&str, Value)],
    ) -> Result<Object, Diagnostics> {
        let identity = Value::object(identity.iter().map(|(name, value)| (*name, value.clone())));
        let found = self.take_over(kind, ImportTarget::Identity(identity.clone())).await?;
        self.read(&found).await?.ok_or_else(|| broken(format!("There is no object {identity:?}.")))
    }

    async fn take_over(&self, kind: &str, target: ImportTarget) -> Result<Object, Diagnostics> {
        let (mut found, _) = self.provider.import(kind, target).await.into_result()?;
        let found = found.pop().ok_or_else(|| broken("Nothing was imported.".into()))?;
        Ok(Object { kind: found.kind, state: found.state, private: found.private, identity: found.identity })
    }

    /// Turns a saved object of another resource type, as JSON, into one of this.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn moved(
        &self,
        from: (&str, &str),
        version: i64,
        json: &str,
        to: &str,
    ) -> Result<Object, Diagnostics> {
        let request = MoveRequest {
            source_provider: from.0.into(),
            source_kind: from.1.into(),
            source_version: version,
            source_state: RawState::Json(Bytes::copy_from_slice(json.as_bytes())),
            source_private: Bytes::new(),
            target_kind: to.into(),
        };
        let (moved, _) = self.provider.move_state(request).await.into_result()?;
        Ok(Object { kind: moved.kind, state: moved.state, private: moved.private, identity: moved.identity })
    }

    /// Reads a data source.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn data(&self, kind: &str, arguments: &[(&str, Value)]) -> Result<Value, Diagnostics> {
        let schema = self.schema.data_sources.get(kind);
        let schema = schema.ok_or_else(|| broken(format!("There is no data source `{kind}`.")))?;
        let config = body(&schema.block, arguments)?;
        self.provider.validate_data(kind, config.clone()).await.into_result()?;
        let (value, _) = self.provider.read_data(kind, config, None).await.into_result()?;
        Ok(value)
    }

    /// Opens an ephemeral resource.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn open(&self, kind: &str, arguments: &[(&str, Value)]) -> Result<OpenResponse, Diagnostics> {
        let schema = self.schema.ephemeral_resources.get(kind);
        let schema =
            schema.ok_or_else(|| broken(format!("There is no ephemeral resource type `{kind}`.")))?;
        let config = body(&schema.block, arguments)?;
        self.provider.validate_ephemeral(kind, config.clone()).await.into_result()?;
        let (opened, _) = self.provider.open(kind, config).await.into_result()?;
        Ok(opened)
    }

    /// Keeps an ephemeral resource open: what to hand to the next call, and when to come again.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn renew(
        &self,
        kind: &str,
        private: Bytes,
    ) -> Result<(Bytes, Option<SystemTime>), Diagnostics> {
        let (renewed, _) = self.provider.renew(kind, private).await.into_result()?;
        Ok(renewed)
    }

    /// Closes an ephemeral resource.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn close(&self, kind: &str, private: Bytes) -> Result<(), Diagnostics> {
        self.provider.close(kind, private).await.into_result().map(drop)
    }

    /// Calls a function.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn call(&self, name: &str, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        self.provider.call(name, arguments).await
    }

    /// Brings a saved object, as JSON, into the present form.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn upgrade(&self, kind: &str, version: i64, json: &str) -> Result<Object, Diagnostics> {
        let state = RawState::Json(Bytes::copy_from_slice(json.as_bytes()));
        let (state, _) = self.provider.upgrade(kind, version, state).await.into_result()?;
        Ok(Object { kind: kind.into(), state, private: Bytes::new(), identity: None })
    }
}

fn outcome((object, diagnostics): (Option<Object>, Diagnostics)) -> Result<Object, Diagnostics> {
    match object {
        Some(object) if !diagnostics.has_errors() => Ok(object),
        _ => Err(diagnostics),
    }
}

fn broken(problem: String) -> Diagnostics {
    Diagnostic::error("broken-promise", "Provider broke a promise").detail(problem).into()
}

/// A block with these arguments set.
fn body(block: &Block, arguments: &[(&str, Value)]) -> Result<Value, Diagnostics> {
    let ty = block.implied_type();
    let known = |name: &str| ty.attributes().is_some_and(|a| a.contains_key(name));
    if let Some((name, _)) = arguments.iter().find(|(name, _)| !known(name)) {
        return Err(broken(format!("There is no argument `{name}`.")));
    }
    let empty = block.empty();
    let entries = empty.as_entries().expect("a block becomes an object");
    Ok(Value::Object(Arc::new(entries.map_values(|name, empty| {
        let given = arguments.iter().find(|(given, _)| name == given);
        given.map_or_else(|| empty.clone(), |(_, value)| value.clone())
    }))))
}
