//! Assembling a provider of resource types, data sources, ephemeral resource types, actions and functions.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use ecow::EcoString;
use plumb_model::{Diagnostics, Schema};
use plumb_provider_api::{Capabilities, Provider, ProviderSchema};
use tokio::sync::watch;

use crate::action::Action;
use crate::built::Built;
use crate::check::Checks;
use crate::ephemeral::EphemeralResource;
use crate::erased::{
    AnyAction, AnyConfiguration, AnyData, AnyEphemeral, AnyResource, Configured, TypedAction, TypedData,
    TypedEphemeral, TypedResource,
};
use crate::function::{AnyFunction, Function};
use crate::model::Model;
use crate::resource::{DataSource, Named, Resource};

/// The configuration of a provider, and what is made of it.
///
/// ```
/// use plumb_provider_sdk::{Configure, Diagnostics, Model, ProviderBuilder, async_trait};
///
/// /// Where the service is.
/// #[derive(Clone, Debug, Model)]
/// struct Config {
///     /// Its address.
///     #[attribute(required)]
///     url: String,
///     /// How it knows us.
///     #[attribute(optional, sensitive)]
///     token: Option<String>,
/// }
///
/// /// What resources talk to the service with.
/// struct Client {
///     url: String,
/// }
///
/// struct Connect;
///
/// #[async_trait]
/// impl Configure for Connect {
///     type Config = Config;
///     type Client = Client;
///
///     async fn configure(&self, config: Config) -> Result<Client, Diagnostics> {
///         Ok(Client { url: config.url })
///     }
/// }
///
/// let provider = ProviderBuilder::configured("service", Connect).build();
/// ```
#[async_trait]
pub trait Configure: Send + Sync + 'static {
    /// The arguments in the `provider` block.
    type Config: Model;
    /// What resources work with: connections, credentials.
    type Client: Send + Sync + 'static;

    /// Checks the arguments, of which some may be unknown.
    fn validate(&self, _config: &Self::Config, _checks: &mut Checks) {}

    /// Makes the client. Defaults are filled in. While planning, arguments may be unknown: if the model has no room for
    /// them, that is an error which names them.
    async fn configure(&self, config: Self::Config) -> Result<Self::Client, Diagnostics>;
}

/// Collects what a provider offers.
pub struct ProviderBuilder<C> {
    name: EcoString,
    configuration: Option<Box<dyn AnyConfiguration<C>>>,
    client: Option<Arc<C>>,
    meta: Option<Schema>,
    resources: Vec<Named<Box<dyn AnyResource<C>>>>,
    data_sources: Vec<Named<Box<dyn AnyData<C>>>>,
    ephemeral: Vec<Named<Box<dyn AnyEphemeral<C>>>>,
    actions: Vec<Named<Box<dyn AnyAction<C>>>>,
    functions: Vec<Named<Box<dyn AnyFunction>>>,
    ending: Option<Ending>,
}

/// What is done when everything that the provider did is recorded.
pub(crate) type Ending = Box<dyn Fn() + Send + Sync>;

impl ProviderBuilder<()> {
    /// A provider that is not configured.
    pub fn new(name: impl Into<EcoString>) -> ProviderBuilder<()> {
        ProviderBuilder::of(name, None, Some(Arc::new(())))
    }
}

impl<C: Send + Sync + 'static> ProviderBuilder<C> {
    /// A provider that is configured.
    pub fn configured(
        name: impl Into<EcoString>,
        configure: impl Configure<Client = C>,
    ) -> ProviderBuilder<C> {
        ProviderBuilder::of(name, Some(Box::new(Configured::new(configure))), None)
    }

    fn of(
        name: impl Into<EcoString>,
        configuration: Option<Box<dyn AnyConfiguration<C>>>,
        client: Option<Arc<C>>,
    ) -> ProviderBuilder<C> {
        ProviderBuilder {
            name: name.into(),
            configuration,
            client,
            meta: None,
            resources: Vec::new(),
            data_sources: Vec::new(),
            ephemeral: Vec::new(),
            actions: Vec::new(),
            functions: Vec::new(),
            ending: None,
        }
    }

    /// The same, managing a resource type.
    pub fn resource(mut self, kind: &str, resource: impl Resource<Client = C>) -> Self {
        self.resources.push((kind.into(), Box::new(TypedResource::new(resource))));
        self
    }

    /// The same, with a data source.
    pub fn data_source(mut self, kind: &str, data: impl DataSource<Client = C>) -> Self {
        self.data_sources.push((kind.into(), Box::new(TypedData::new(data))));
        self
    }

    /// The same, with an ephemeral resource type.
    pub fn ephemeral(mut self, kind: &str, resource: impl EphemeralResource<Client = C>) -> Self {
        self.ephemeral.push((kind.into(), Box::new(TypedEphemeral::new(resource))));
        self
    }

    /// The same, with an action.
    pub fn action(mut self, kind: &str, action: impl Action<Client = C>) -> Self {
        self.actions.push((kind.into(), Box::new(TypedAction::new(action))));
        self
    }

    /// The same, with a function.
    pub fn function(mut self, name: &str, function: impl Function) -> Self {
        self.functions.push((name.into(), Box::new(function)));
        self
    }

    /// The same, where modules may say something to the provider in `provider_meta`:
    /// [`Context::meta`](crate::Context::meta) has it.
    pub fn meta<M: Model>(mut self) -> Self {
        self.meta = Some(M::schema(0));
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
        let ephemeral: BTreeMap<_, _> = self.ephemeral.into_iter().collect();
        let actions: BTreeMap<_, _> = self.actions.into_iter().collect();
        let functions: BTreeMap<_, _> = self.functions.into_iter().collect();
        let configuration = self.configuration.as_ref();
        let identities = resources.iter().filter_map(|(k, r)| Some((k.clone(), r.shape().identity.clone()?)));
        let schema = ProviderSchema {
            provider: configuration.map_or_else(Schema::default, |c| (*c.shape().schema).clone()),
            identities: identities.collect(),
            resources: resources.iter().map(|(k, r)| (k.clone(), r.shape().schema.clone())).collect(),
            data_sources: data_sources.iter().map(|(k, d)| (k.clone(), d.shape().schema.clone())).collect(),
            ephemeral_resources: ephemeral
                .iter()
                .map(|(k, e)| (k.clone(), e.shape().schema.clone()))
                .collect(),
            actions: actions.iter().map(|(k, a)| (k.clone(), a.shape().schema.clone())).collect(),
            functions: functions.iter().map(|(k, f)| (k.clone(), Arc::new(f.signature()))).collect(),
            provider_meta: self.meta,
            capabilities: Capabilities { plan_destroy: false, move_state: true, finds_planned: true },
        };
        Arc::new(Built {
            name: self.name,
            schema: Arc::new(schema),
            configuration: self.configuration,
            client: RwLock::new(self.client),
            resources,
            data_sources,
            ephemeral,
            actions,
            functions,
            ending: self.ending,
            stop: watch::channel(false).0,
        })
    }
}
