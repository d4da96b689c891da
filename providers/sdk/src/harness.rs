//! Drives a provider through the lives of objects, as the engine does, for tests of providers.
//!
//! Every plan is held against the contract: what the configuration says must be planned, what the plan knew must be
//! the outcome, and nothing may be left unknown. A broken promise is an error like any other.

use std::sync::Arc;

use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Block, Diagnostic, Diagnostics, Path, Value};
use plumb_provider_api::{
    ApplyRequest, ImportTarget, PlanRequest, Provider, ProviderSchema, RawState, ReadRequest,
};

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
        let private = prior.map(|o| o.private.clone()).unwrap_or_default();
        let first = self.forecast(kind, prior.map(|o| o.state.clone()), config.clone(), private).await?;
        if !first.is_replacement() {
            return Ok(first);
        }
        let second = self.forecast(kind, None, config, first.private.clone()).await?;
        Ok(Forecast { prior: first.prior, requires_replace: first.requires_replace, ..second })
    }

    async fn forecast(
        &self,
        kind: &str,
        prior: Option<Value>,
        config: Value,
        prior_private: Bytes,
    ) -> Result<Forecast, Diagnostics> {
        let block = self.block(kind)?;
        let prior = prior.unwrap_or_else(|| Value::Null(block.implied_type()));
        let proposed = propose(block, &prior, &config);
        let request = PlanRequest {
            kind: kind.into(),
            prior: prior.clone(),
            proposed,
            config: config.clone(),
            prior_private,
            meta: None,
            prior_identity: None,
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
            };
            if let Err((left, diagnostics)) = self.delete(&object).await {
                return (left, diagnostics);
            }
            prior = Value::Null(prior.ty());
        }
        let (planned, config) = (forecast.planned.clone(), forecast.config.clone());
        self.step(&forecast.kind, prior, planned, config, forecast.private.clone()).await
    }

    async fn step(
        &self,
        kind: &str,
        prior: Value,
        planned: Value,
        config: Value,
        planned_private: Bytes,
    ) -> (Option<Object>, Diagnostics) {
        let response = self
            .provider
            .apply(ApplyRequest {
                kind: kind.into(),
                prior,
                planned: planned.clone(),
                config,
                planned_private,
                meta: None,
                planned_identity: None,
            })
            .await;
        let mut diagnostics = response.diagnostics;
        let state = response.state.filter(|state| !state.is_null());
        if !diagnostics.has_errors() {
            let outcome = state.as_ref().unwrap_or(&Value::NULL);
            diagnostics.extend(check_outcome(&planned, outcome));
        }
        let object = state.map(|state| Object { kind: kind.into(), state, private: response.private });
        (object, diagnostics)
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
            identity: None,
        };
        let (response, _) = self.provider.read(request).await.into_result()?;
        if !response.state.is_wholly_known() {
            return Err(broken("What was read is not wholly known.".into()));
        }
        let object = Object { kind: object.kind.clone(), state: response.state, private: response.private };
        Ok((!object.state.is_null()).then_some(object))
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What the provider says, with what is left of the object.
    pub async fn delete(&self, object: &Object) -> Result<(), (Option<Object>, Diagnostics)> {
        let null = Value::Null(object.state.ty());
        let private = object.private.clone();
        let (left, diagnostics) =
            self.step(&object.kind, object.state.clone(), null.clone(), null, private).await;
        if diagnostics.has_errors() { Err((left, diagnostics)) } else { Ok(()) }
    }

    /// Takes an object under management and reads it.
    ///
    /// # Errors
    /// What the provider says; and if there is no such object.
    pub async fn import(&self, kind: &str, id: &str) -> Result<Object, Diagnostics> {
        let target = ImportTarget::Id(id.into());
        let (mut found, _) = self.provider.import(kind, target).await.into_result()?;
        let found = found.pop().ok_or_else(|| broken("Nothing was imported.".into()))?;
        let object = Object { kind: found.kind, state: found.state, private: found.private };
        self.read(&object).await?.ok_or_else(|| broken(format!("There is no object `{id}`.")))
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

    /// Brings a saved object, as JSON, into the present form.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn upgrade(&self, kind: &str, version: i64, json: &str) -> Result<Object, Diagnostics> {
        let state = RawState::Json(Bytes::copy_from_slice(json.as_bytes()));
        let (state, _) = self.provider.upgrade(kind, version, state).await.into_result()?;
        Ok(Object { kind: kind.into(), state, private: Bytes::new() })
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

/// Prior and configuration merged, for blocks without computed attributes in nested objects.
fn propose(block: &Block, prior: &Value, config: &Value) -> Value {
    let entries = config.as_entries().expect("a configuration is an object");
    Value::Object(Arc::new(entries.map_values(|name, config| {
        let computed = block.attributes.get(name).is_some_and(|a| a.computed);
        match prior.get(name) {
            Some(prior) if computed && config.is_null() => prior.clone(),
            _ => config.clone(),
        }
    })))
}

fn check_plan(block: &Block, prior: &Value, config: &Value, planned: &Value) -> Result<(), Diagnostics> {
    let entries = planned.as_entries().ok_or_else(|| broken("No object was planned.".into()))?;
    for (name, planned) in entries.iter() {
        let config = config.get(name).unwrap_or(&Value::NULL);
        let attribute = block.attributes.get(name);
        let chosen = attribute.is_some_and(|a| a.computed && config.is_null());
        let hidden = attribute.is_some_and(|a| a.write_only) && planned.is_null();
        let kept = prior.get(name) == Some(planned) && !config.is_null() && !planned.is_null();
        if planned != config && !chosen && !hidden && !kept {
            return Err(broken(format!("`{name}` is configured as {config:?} but planned as {planned:?}.")));
        }
    }
    Ok(())
}

fn check_outcome(planned: &Value, outcome: &Value) -> Diagnostics {
    if !outcome.is_wholly_known() {
        return broken("The outcome is not wholly known.".into());
    }
    if planned.is_null() != outcome.is_null() {
        return broken(format!("Planned {planned:?}, got {outcome:?}."));
    }
    let differing = planned
        .as_entries()
        .into_iter()
        .flat_map(|entries| entries.iter())
        .find(|(name, value)| value.is_wholly_known() && outcome.get(name) != Some(*value));
    match differing {
        None => Diagnostics::new(),
        Some((name, value)) => {
            broken(format!("`{name}` was planned as {value:?} and is {:?}.", outcome.get(name)))
        }
    }
}
