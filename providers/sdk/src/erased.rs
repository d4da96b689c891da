//! What authors write, without its types: values go in and come out.
//!
//! Each wrapper keeps the [`Shape`] of a model, turns values into the model before the author is called, and holds the
//! result against the contract afterwards.

use std::time::SystemTime;

use async_trait::async_trait;
use plumb_model::{Diagnostics, Path, Value};
use plumb_provider_api::{ApplyRequest, PlanRequest};
use serde_json::{Map, Value as Json};

use crate::action::{Action, Reporter};
use crate::check::Checks;
use crate::context::{Context, Failed, Left, Private};
use crate::declared;
use crate::ephemeral::{EphemeralResource, Opened};
use crate::plan::{self, Planning};
use crate::provider::Configure;
use crate::resource::{DataSource, Identity, MoveSource, Resource};
use crate::rules::{Shape, read_model};

/// A configuration of a provider, whatever its model.
#[async_trait]
pub(crate) trait AnyConfiguration<C>: Send + Sync {
    fn shape(&self) -> &Shape;
    fn validate(&self, config: &Value) -> Diagnostics;
    async fn configure(&self, config: Value) -> Result<C, Diagnostics>;
}

pub(crate) struct Configured<T> {
    inner: T,
    shape: Shape,
}

impl<T: Configure> Configured<T> {
    pub(crate) fn new(inner: T) -> Configured<T> {
        Configured { inner, shape: Shape::of::<T::Config>(0) }
    }
}

#[async_trait]
impl<T: Configure> AnyConfiguration<T::Client> for Configured<T> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        declared::check(&self.shape, config, |model, checks| self.inner.validate(model, checks))
    }

    async fn configure(&self, config: Value) -> Result<T::Client, Diagnostics> {
        let config = plan::with_defaults(&self.shape, &config);
        self.inner.configure(read_model(&config)?).await
    }
}

/// A resource type, whatever its model.
#[async_trait]
pub(crate) trait AnyResource<C>: Send + Sync {
    fn shape(&self) -> &Shape;
    fn validate(&self, config: &Value) -> Diagnostics;
    fn upgrade(&self, version: i64, state: Map<String, Json>) -> Result<Map<String, Json>, Diagnostics>;
    fn move_from(&self, source: &MoveSource, private: &mut Private) -> Result<Option<Value>, Diagnostics>;
    async fn plan(
        &self,
        request: &PlanRequest,
        context: &mut Context<C>,
    ) -> Result<(Value, Vec<Path>), Diagnostics>;
    async fn read(&self, current: &Value, context: &mut Context<C>) -> Result<Value, Diagnostics>;
    async fn apply(&self, request: &ApplyRequest, context: &mut Context<C>) -> (Option<Value>, Diagnostics);
    async fn import(&self, id: &str, context: &mut Context<C>) -> Result<Value, Diagnostics>;
    async fn import_identity(&self, identity: Value, context: &mut Context<C>) -> Result<Value, Diagnostics>;
}

pub(crate) struct TypedResource<R> {
    inner: R,
    shape: Shape,
}

impl<R: Resource> TypedResource<R> {
    pub(crate) fn new(inner: R) -> TypedResource<R> {
        let shape = Shape::of::<R::Model>(inner.version());
        TypedResource { inner, shape }
    }

    /// What is recorded after a change, and what there is to say.
    fn outcome(
        &self,
        outcome: Result<Option<R::Model>, Failed<R::Model>>,
        prior: &Value,
    ) -> (Option<Value>, Diagnostics) {
        let null = || Value::Null(self.shape.ty.clone());
        match outcome {
            Ok(None) => (Some(null()), Diagnostics::new()),
            Ok(Some(model)) => match plan::settled(&self.shape, object(model), false) {
                Ok(object) => (Some(object), Diagnostics::new()),
                Err((object, diagnostics)) => (Some(object), diagnostics),
            },
            Err(Failed { diagnostics, left }) => {
                let state = match left {
                    Left::Unchanged => Some(prior.clone()),
                    Left::Nothing => Some(null()),
                    Left::Unsure => None,
                    Left::Object(model) => {
                        Some(plan::settled(&self.shape, object(*model), true).unwrap_or_else(|(o, _)| o))
                    }
                };
                (state, diagnostics)
            }
        }
    }

    fn taken_over(&self, model: R::Model) -> Result<Value, Diagnostics> {
        plan::settled(&self.shape, object(model), true).map_err(|(_, diagnostics)| diagnostics)
    }
}

fn object<M: crate::Model>(model: M) -> Value {
    model.into_object()
}

#[async_trait]
impl<R: Resource> AnyResource<R::Client> for TypedResource<R> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        declared::check(&self.shape, config, |model, checks| self.inner.validate(model, checks))
    }

    fn upgrade(&self, version: i64, state: Map<String, Json>) -> Result<Map<String, Json>, Diagnostics> {
        self.inner.upgrade(version, state)
    }

    fn move_from(&self, source: &MoveSource, private: &mut Private) -> Result<Option<Value>, Diagnostics> {
        self.inner.move_from(source, private)?.map(|model| self.taken_over(model)).transpose()
    }

    async fn plan(
        &self,
        request: &PlanRequest,
        context: &mut Context<R::Client>,
    ) -> Result<(Value, Vec<Path>), Diagnostics> {
        let mut planning = Planning::start(&self.shape, request)?;
        let changed = planning.changes();
        self.inner.plan(&mut planning, context).await?;
        Ok(planning.finish(changed))
    }

    async fn read(&self, current: &Value, context: &mut Context<R::Client>) -> Result<Value, Diagnostics> {
        let gone = || Value::Null(self.shape.ty.clone());
        let Some(model) = self.inner.read(read_model(current)?, context).await? else { return Ok(gone()) };
        let object = plan::settled(&self.shape, object(model), false).map_err(|(_, errors)| errors)?;
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
        self.inner.import(id, context).await.and_then(|model| self.taken_over(model))
    }

    async fn import_identity(
        &self,
        identity: Value,
        context: &mut Context<R::Client>,
    ) -> Result<Value, Diagnostics> {
        let model = self.inner.import_identity(Identity(identity), context).await?;
        self.taken_over(model)
    }
}

/// A data source, whatever its model.
#[async_trait]
pub(crate) trait AnyData<C>: Send + Sync {
    fn shape(&self) -> &Shape;
    fn validate(&self, config: &Value) -> Diagnostics;
    async fn read(&self, config: &Value, context: &mut Context<C>) -> Result<Value, Diagnostics>;
}

pub(crate) struct TypedData<D> {
    inner: D,
    shape: Shape,
}

impl<D: DataSource> TypedData<D> {
    pub(crate) fn new(inner: D) -> TypedData<D> {
        TypedData { inner, shape: Shape::of::<D::Model>(0) }
    }
}

#[async_trait]
impl<D: DataSource> AnyData<D::Client> for TypedData<D> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        declared::check(&self.shape, config, |model, checks| self.inner.validate(model, checks))
    }

    async fn read(&self, config: &Value, context: &mut Context<D::Client>) -> Result<Value, Diagnostics> {
        let config = plan::with_defaults(&self.shape, config);
        let model = self.inner.read(read_model(&config)?, context).await?;
        plan::settled(&self.shape, object(model), false).map_err(|(_, diagnostics)| diagnostics)
    }
}

/// An ephemeral resource type, whatever its model.
#[async_trait]
pub(crate) trait AnyEphemeral<C>: Send + Sync {
    fn shape(&self) -> &Shape;
    fn validate(&self, config: &Value) -> Diagnostics;
    async fn open(&self, config: &Value, context: &mut Context<C>) -> Result<Opened<Value>, Diagnostics>;
    async fn renew(&self, context: &mut Context<C>) -> Result<Option<SystemTime>, Diagnostics>;
    async fn close(&self, context: &mut Context<C>) -> Result<(), Diagnostics>;
}

pub(crate) struct TypedEphemeral<E> {
    inner: E,
    shape: Shape,
}

impl<E: EphemeralResource> TypedEphemeral<E> {
    pub(crate) fn new(inner: E) -> TypedEphemeral<E> {
        TypedEphemeral { inner, shape: Shape::of::<E::Model>(0) }
    }
}

#[async_trait]
impl<E: EphemeralResource> AnyEphemeral<E::Client> for TypedEphemeral<E> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        declared::check(&self.shape, config, |model, checks: &mut Checks| self.inner.validate(model, checks))
    }

    async fn open(
        &self,
        config: &Value,
        context: &mut Context<E::Client>,
    ) -> Result<Opened<Value>, Diagnostics> {
        let config = plan::with_defaults(&self.shape, config);
        let opened = self.inner.open(read_model(&config)?, context).await?;
        let object =
            plan::settled(&self.shape, object(opened.object), false).map_err(|(_, errors)| errors)?;
        Ok(Opened { object, renew_at: opened.renew_at })
    }

    async fn renew(&self, context: &mut Context<E::Client>) -> Result<Option<SystemTime>, Diagnostics> {
        self.inner.renew(context).await
    }

    async fn close(&self, context: &mut Context<E::Client>) -> Result<(), Diagnostics> {
        self.inner.close(context).await
    }
}

/// An action, whatever its model.
#[async_trait]
pub(crate) trait AnyAction<C>: Send + Sync {
    fn shape(&self) -> &Shape;
    fn validate(&self, config: &Value) -> Diagnostics;
    async fn invoke(
        &self,
        config: &Value,
        progress: &Reporter,
        context: &mut Context<C>,
    ) -> Result<(), Diagnostics>;
}

pub(crate) struct TypedAction<A> {
    inner: A,
    shape: Shape,
}

impl<A: Action> TypedAction<A> {
    pub(crate) fn new(inner: A) -> TypedAction<A> {
        TypedAction { inner, shape: Shape::of::<A::Model>(0) }
    }
}

#[async_trait]
impl<A: Action> AnyAction<A::Client> for TypedAction<A> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        declared::check(&self.shape, config, |model, checks: &mut Checks| self.inner.validate(model, checks))
    }

    async fn invoke(
        &self,
        config: &Value,
        progress: &Reporter,
        context: &mut Context<A::Client>,
    ) -> Result<(), Diagnostics> {
        let config = plan::with_defaults(&self.shape, config);
        self.inner.invoke(read_model(&config)?, progress, context).await
    }
}
