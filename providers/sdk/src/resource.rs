//! Resource types and data sources, as their authors write them.

use async_trait::async_trait;
use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Value, json};
use serde_json::{Map, Value as Json};

use crate::attribute::AttributeValue;
use crate::check::Checks;
use crate::context::{Context, Failed, Private};
use crate::model::{self, Model};
use crate::plan::Planning;
use crate::rules;

/// A managed resource type.
///
/// Only [`create`](Resource::create) must be written. What is not written does the least that is right: planning
/// follows the flags in the model, reading finds what was recorded, updating records what was planned, deleting
/// forgets.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// What an object is made of.
    type Model: Model;
    /// What [`Configure`](crate::Configure) makes of the provider's configuration; `()` if it has none.
    type Client: Send + Sync + 'static;

    /// Version of the form in which state is kept. Raise it when old state needs [`upgrade`](Resource::upgrade).
    fn version(&self) -> i64 {
        0
    }

    /// Checks a configuration, with defaults, in which parts may be unknown, after what the model declares was found to
    /// hold. It is not asked while something is unknown that the model has no room for.
    fn validate(&self, _config: &Self::Model, _checks: &mut Checks) {}

    /// Completes the plan of a creation or an update. It holds already what follows from the flags in the model.
    async fn plan(
        &self,
        _plan: &mut Planning<'_>,
        _context: &mut Context<Self::Client>,
    ) -> Result<(), Diagnostics> {
        Ok(())
    }

    /// Creates the object. What is unknown in `planned` must be known in the result.
    async fn create(
        &self,
        planned: Self::Model,
        context: &mut Context<Self::Client>,
    ) -> Result<Self::Model, Failed<Self::Model>>;

    /// Looks at the object. `None` if it is gone. It must cope with attributes that are null although the object
    /// has them: after an import, and after an interrupted creation, when `current` is what was planned. An object in
    /// whose result an attribute is null that the model declares `not_null` counts as gone.
    async fn read(
        &self,
        current: Self::Model,
        _context: &mut Context<Self::Client>,
    ) -> Result<Option<Self::Model>, Diagnostics> {
        Ok(Some(current))
    }

    /// Changes the object. What is unknown in `planned` must be known in the result.
    async fn update(
        &self,
        _prior: Self::Model,
        planned: Self::Model,
        _context: &mut Context<Self::Client>,
    ) -> Result<Self::Model, Failed<Self::Model>> {
        Ok(planned)
    }

    /// Deletes the object. It is a success if it is gone already.
    async fn delete(
        &self,
        _prior: Self::Model,
        _context: &mut Context<Self::Client>,
    ) -> Result<(), Failed<Self::Model>> {
        Ok(())
    }

    /// Finds the object of an import id, whose form the documentation gives. It is read afterwards.
    async fn import(
        &self,
        _id: &str,
        _context: &mut Context<Self::Client>,
    ) -> Result<Self::Model, Diagnostics> {
        Err(Diagnostic::error("import-not-supported", "Resource type cannot be imported")
            .detail("Objects of this type exist only in state.")
            .into())
    }

    /// Finds the object of an identity, which is made of the attributes that the model marks with `identity`. It is read
    /// afterwards. What is not written makes an object in which only these attributes are set.
    async fn import_identity(
        &self,
        identity: Identity,
        _context: &mut Context<Self::Client>,
    ) -> Result<Self::Model, Diagnostics> {
        rules::read_model(&identity.0)
    }

    /// Turns an object of another resource type into one of this, where a configuration says that it has moved. `None` if
    /// objects of that type cannot become ones of this. `private` is what is remembered with the new object.
    fn move_from(
        &self,
        _source: &MoveSource,
        _private: &mut Private,
    ) -> Result<Option<Self::Model>, Diagnostics> {
        Ok(None)
    }

    /// Brings saved attributes of an older [`version`](Resource::version) into the present form.
    fn upgrade(&self, _version: i64, state: Map<String, Json>) -> Result<Map<String, Json>, Diagnostics> {
        Ok(state)
    }
}

/// The attributes by which an object is to be imported.
#[derive(Clone, Debug)]
pub struct Identity(pub(crate) Value);

impl Identity {
    /// One of them.
    ///
    /// # Errors
    /// If it has no value, or one of another type.
    pub fn get<T: AttributeValue>(&self, name: &str) -> Result<T, Diagnostics> {
        model::read_set(&self.0, name).map_err(|error| rules::mismatch(error).into())
    }
}

/// An object of another resource type, perhaps of another provider.
#[derive(Clone, Debug)]
pub struct MoveSource {
    /// The address of its provider: `example.com/acme/inventory`.
    pub provider: EcoString,
    /// Its resource type.
    pub kind: EcoString,
    /// The schema version it was saved with.
    pub version: i64,
    /// Its attributes as they were saved.
    pub state: Map<String, Json>,
    /// What its provider wanted remembered.
    pub private: Private,
}

impl MoveSource {
    /// The object as a model. Attributes that the model does not have are left out, others that are missing are null.
    ///
    /// # Errors
    /// If an attribute does not fit.
    pub fn read<M: Model>(&self) -> Result<M, Diagnostics> {
        let ty = M::schema(self.version).block.implied_type();
        let known = |name: &str| ty.attributes().is_some_and(|attributes| attributes.contains_key(name));
        let state = self.state.iter().filter(|(name, _)| known(name));
        let state = Json::Object(state.map(|(name, value)| (name.clone(), value.clone())).collect());
        let object = json::from_json(&state, &ty).map_err(|error| {
            Diagnostics::from(
                Diagnostic::error("unreadable-state", "Saved object cannot be read")
                    .detail(format!("The saved object of type `{}`: {error}.", self.kind)),
            )
        })?;
        rules::read_model(&object)
    }
}

/// A data source.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// Arguments and results.
    type Model: Model;
    /// As [`Resource::Client`].
    type Client: Send + Sync + 'static;

    /// Checks a configuration, in which parts may be unknown.
    fn validate(&self, _config: &Self::Model, _checks: &mut Checks) {}

    /// Reads. Defaults are filled in; computed attributes are null in `config` and set in the result.
    async fn read(
        &self,
        config: Self::Model,
        context: &mut Context<Self::Client>,
    ) -> Result<Self::Model, Diagnostics>;
}

/// A resource type or data source by name.
pub(crate) type Named<T> = (EcoString, T);
