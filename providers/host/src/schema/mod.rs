//! The schemas of a provider, decoded as they are asked for.
//!
//! Big providers have thousands of types, and a configuration uses a few. So the answer of a plugin is kept as it came, one
//! blob for each type, in memory or in the [`store`] on disk, and a type is decoded when somebody names it.

pub mod digest;
pub mod store;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ecow::EcoString;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Schema, Type};
use plumb_provider_api::{Capabilities, FunctionSignature, IdentitySchema, ProviderSchema};
use plumb_provider_protocol::Version;
use plumb_provider_protocol::messages::schema::ResourceIdentitySchema;
use plumb_provider_protocol::schema::{self as wire, SchemaError};
use prost::Message;

use store::{Category, Store};

/// The schema of a type, with the type of its objects.
#[derive(Clone, Debug)]
pub struct Typed<S> {
    /// The schema.
    pub schema: Arc<S>,
    /// What its objects are.
    pub ty: Type,
}

/// The schemas of one provider.
pub struct Schemas {
    provider: String,
    store: Store,
    objects: Memo<(Category, EcoString), Typed<Schema>>,
    identities: Memo<EcoString, Typed<IdentitySchema>>,
    functions: Memo<EcoString, Arc<FunctionSignature>>,
    all: OnceLock<Arc<ProviderSchema>>,
}

impl Schemas {
    /// The schemas in a store. `provider` is who the user knows them from.
    pub fn new(provider: String, store: Store) -> Schemas {
        Schemas {
            provider,
            store,
            objects: Memo::default(),
            identities: Memo::default(),
            functions: Memo::default(),
            all: OnceLock::new(),
        }
    }

    /// What the provider can do beyond the base of the contract.
    pub fn capabilities(&self) -> Capabilities {
        let capabilities = self.store.capabilities();
        Capabilities {
            plan_destroy: capabilities.plan_destroy,
            move_state: capabilities.move_resource_state,
            finds_planned: false,
        }
    }

    /// Whether a plugin works without having been asked for its schema.
    pub fn optional(&self) -> bool {
        self.store.capabilities().get_provider_schema_optional
    }

    /// The schema of a type; for the provider itself and its `provider_meta` the name is empty.
    ///
    /// # Errors
    /// If there is no such type, or its schema makes no sense.
    pub fn object(&self, category: Category, name: &str) -> Result<Typed<Schema>, Diagnostics> {
        self.objects.get((category, name.into()), || {
            let schema = self.decode(category, name, wire::decode)?;
            let ty = schema.block.implied_type();
            Ok(Typed { schema: schema.into(), ty })
        })
    }

    /// The schema of a type that need not exist.
    ///
    /// # Errors
    /// If its schema makes no sense.
    pub fn find(&self, category: Category, name: &str) -> Result<Option<Typed<Schema>>, Diagnostics> {
        self.store.contains(category, name).then(|| self.object(category, name)).transpose()
    }

    /// The identity of a resource type, if it has one.
    ///
    /// # Errors
    /// If its schema makes no sense.
    pub fn identity(&self, name: &str) -> Result<Option<Typed<IdentitySchema>>, Diagnostics> {
        if !self.store.contains(Category::Identity, name) {
            return Ok(None);
        }
        let identity = self.identities.get(name.into(), || {
            let schema = self.decode(Category::Identity, name, |_, bytes| {
                wire::identity(ResourceIdentitySchema::decode(bytes)?)
            })?;
            let ty = schema.ty();
            Ok(Typed { schema: schema.into(), ty })
        })?;
        Ok(Some(identity))
    }

    /// The signature of a function.
    ///
    /// # Errors
    /// If there is no such function, or its signature makes no sense.
    pub fn function(&self, name: &str) -> Result<Arc<FunctionSignature>, Diagnostics> {
        self.functions.get(name.into(), || {
            self.decode(Category::Function, name, |_, bytes| wire::decode_function(name, bytes)).map(Arc::new)
        })
    }

    /// Everything, decoded.
    ///
    /// # Errors
    /// If a schema makes no sense.
    pub fn all(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        if let Some(all) = self.all.get() {
            return Ok(all.clone());
        }
        let all = self.assemble(|_| true)?;
        Ok(self.all.get_or_init(|| all.into()).clone())
    }

    /// The provider's own schema, functions, and the types of which `wanted` says so.
    ///
    /// # Errors
    /// If one of these schemas makes no sense.
    pub fn assemble(&self, wanted: impl Fn(&str) -> bool) -> Result<ProviderSchema, Diagnostics> {
        let names = |category| self.store.names(category).filter(|name| wanted(name));
        let objects = |category| -> Result<BTreeMap<EcoString, Arc<Schema>>, Diagnostics> {
            names(category).map(|name| Ok((name.into(), self.object(category, name)?.schema))).collect()
        };
        let mut functions = BTreeMap::new();
        for name in self.store.names(Category::Function) {
            functions.insert(name.into(), self.function(name)?);
        }
        let mut identities = BTreeMap::new();
        for name in names(Category::Identity) {
            identities.extend(self.identity(name)?.map(|identity| (name.into(), identity.schema)));
        }
        let meta = self.find(Category::ProviderMeta, "")?;
        Ok(ProviderSchema {
            provider: (*self.object(Category::Provider, "")?.schema).clone(),
            resources: objects(Category::Resource)?,
            data_sources: objects(Category::DataSource)?,
            ephemeral_resources: objects(Category::Ephemeral)?,
            actions: objects(Category::Action)?,
            functions,
            identities,
            provider_meta: meta.map(|m| (*m.schema).clone()),
            capabilities: self.capabilities(),
        })
    }

    fn decode<T>(
        &self,
        category: Category,
        name: &str,
        decode: impl FnOnce(Version, &[u8]) -> Result<T, SchemaError>,
    ) -> Result<T, Diagnostics> {
        let Some(bytes) =
            self.store.read(category, name).map_err(|e| self.invalid(category, name, &e.to_string()))?
        else {
            return Err(self.unknown(category, name));
        };
        decode(self.store.version(), &bytes).map_err(|e| self.invalid(category, name, &e.to_string()))
    }

    fn invalid(&self, category: Category, name: &str, problem: &str) -> Diagnostics {
        let what = category.describe(name);
        Diagnostic::error("invalid-provider-schema", "Provider has an invalid schema")
            .detail(format!("The schema of {what} of provider {} cannot be used: {problem}.", self.provider))
            .help("This is a fault of the provider: report it to its maintainers, and use another version until then.")
            .into()
    }

    fn unknown(&self, category: Category, name: &str) -> Diagnostics {
        let (code, summary) = match category {
            Category::Resource => ("unknown-resource-type", "Unknown resource type"),
            Category::DataSource => ("unknown-data-source", "Unknown data source"),
            Category::Ephemeral => ("unknown-ephemeral-type", "Unknown ephemeral resource type"),
            Category::Action => ("unknown-action-type", "Unknown action type"),
            Category::Function => ("unknown-provider-function", "Unknown function of a provider"),
            _ => ("missing-provider-schema", "Provider has no schema"),
        };
        Diagnostic::error(code, summary)
            .detail(format!("Provider {} has no {}.", self.provider, category.describe(name)))
            .maybe_help(did_you_mean(name, self.store.names(category)))
            .into()
    }
}

/// Remembers what was made.
struct Memo<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Memo<K, V> {
        Memo(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// What was made for a key; two who ask at the same time may both make it.
    fn get(&self, key: K, make: impl FnOnce() -> Result<V, Diagnostics>) -> Result<V, Diagnostics> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = lock().get(&key) {
            return Ok(made.clone());
        }
        let made = make()?;
        lock().insert(key, made.clone());
        Ok(made)
    }
}
