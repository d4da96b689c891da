//! The providers of a run: started once each, asked for their schemas first, configured where they are needed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use ecow::EcoString;
use plumb_model::address::{Mode, ProviderConfig, ProviderSource};
use plumb_model::{Diagnostic, Diagnostics, Schema, Type, diagnostic};
use plumb_provider_api::{IdentitySchema, Provider, ProviderSchema};

/// Finds and starts providers. The command line gives one that knows compiled-in and installed providers.
#[async_trait]
pub trait Factory: Send + Sync {
    /// A provider that is not configured yet.
    ///
    /// # Errors
    /// If there is no such provider, or it does not start.
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, Diagnostics>;

    /// What a provider offers; without starting it, where that is known.
    ///
    /// # Errors
    /// If it cannot be found out.
    async fn schema(&self, source: &ProviderSource) -> Result<Arc<ProviderSchema>, Diagnostics>;
}

/// The schema of one type and the type of its objects, which is expensive to assemble and so is kept.
#[derive(Clone, Debug)]
pub struct TypeSchema {
    /// The schema.
    pub schema: Arc<Schema>,
    /// [`plumb_model::Block::implied_type`] of it.
    pub ty: Arc<Type>,
    /// What tells objects of the type apart, where the provider says so.
    pub identity: Option<Arc<IdentitySchema>>,
}

impl TypeSchema {
    /// The schema with its type.
    pub fn new(schema: Arc<Schema>) -> TypeSchema {
        TypeSchema { ty: Arc::new(schema.block.implied_type()), schema, identity: None }
    }
}

/// What the providers of a run offer.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    providers: BTreeMap<ProviderSource, Arc<ProviderSchema>>,
    types: HashMap<(ProviderSource, Mode, EcoString), TypeSchema>,
}

impl Schemas {
    /// Asks for the schemas of all these providers, at the same time. Gives also what those said that could not tell.
    pub async fn load(
        factory: &dyn Factory,
        sources: impl IntoIterator<Item = ProviderSource>,
    ) -> (Schemas, Vec<(ProviderSource, Diagnostics)>) {
        let mut schemas = Schemas::default();
        let mut trouble = Vec::new();
        let asked = sources.into_iter().map(|source| async move {
            let schema = factory.schema(&source).await;
            (source, schema)
        });
        for (source, schema) in futures_util::future::join_all(asked).await {
            match schema {
                Ok(schema) => schemas.add(source, schema),
                Err(errors) => trouble.push((source, errors)),
            }
        }
        (schemas, trouble)
    }

    /// Adds what a provider offers.
    pub fn add(&mut self, source: ProviderSource, schema: Arc<ProviderSchema>) {
        let modes = [
            (Mode::Managed, &schema.resources),
            (Mode::Data, &schema.data_sources),
            (Mode::Ephemeral, &schema.ephemeral_resources),
            (Mode::Action, &schema.actions),
        ];
        for (mode, types) in modes {
            for (kind, of_type) in types {
                let key = (source.clone(), mode, kind.clone());
                let identity = schema.identities.get(kind).filter(|_| mode == Mode::Managed).cloned();
                self.types.insert(key, TypeSchema { identity, ..TypeSchema::new(of_type.clone()) });
            }
        }
        self.providers.insert(source, schema);
    }

    /// What a provider offers.
    pub fn provider(&self, source: &ProviderSource) -> Option<&Arc<ProviderSchema>> {
        self.providers.get(source)
    }

    /// The schema of a type.
    pub fn get(&self, source: &ProviderSource, mode: Mode, kind: &EcoString) -> Option<&TypeSchema> {
        self.types.get(&(source.clone(), mode, kind.clone()))
    }

    /// The schema of a type that the provider must have.
    ///
    /// # Errors
    /// If it does not, with the closest type that it has.
    pub fn require(
        &self,
        source: &ProviderSource,
        mode: Mode,
        kind: &EcoString,
    ) -> Result<&TypeSchema, Diagnostic> {
        self.get(source, mode, kind).ok_or_else(|| {
            let known = self.types.keys().filter(|(s, m, _)| s == source && *m == mode);
            Diagnostic::error("unknown-resource-type", "Unknown resource type")
                .detail(format!("The provider {source} has no {mode} type `{kind}`."))
                .maybe_help(diagnostic::did_you_mean(kind, known.map(|(_, _, kind)| kind.as_str())))
        })
    }

    /// Every provider with what it offers.
    pub fn iter(&self) -> impl Iterator<Item = (&ProviderSource, &Arc<ProviderSchema>)> {
        self.providers.iter()
    }
}

/// Providers that have been started, by configuration.
#[derive(Default)]
pub struct Started {
    configured: BTreeMap<ProviderConfig, Arc<dyn Provider>>,
}

impl Started {
    /// The provider of a configuration, if it has been started.
    pub fn get(&self, config: &ProviderConfig) -> Option<&Arc<dyn Provider>> {
        self.configured.get(config)
    }

    /// Keeps a provider that has been started and configured.
    pub fn add(&mut self, config: ProviderConfig, provider: Arc<dyn Provider>) {
        self.configured.insert(config, provider);
    }

    /// All that have been started, by configuration.
    pub fn all(&self) -> impl Iterator<Item = (&ProviderConfig, &Arc<dyn Provider>)> {
        self.configured.iter()
    }

    /// Ends all.
    pub async fn shutdown(self) {
        futures_util::future::join_all(self.configured.values().map(|p| p.shutdown())).await;
    }
}
