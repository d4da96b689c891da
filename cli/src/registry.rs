//! Which providers there are: those that are compiled in ([`crate::compiled`]), and those that are installed.
//!
//! An installed provider is found through the lock file and the folder of installed packages ([`crate::installed`]), and is one
//! [`Plugin`] however many configurations of it there are. Nothing is started before somebody calls: schemas come from the
//! cache where they are known. All processes end with the registry.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ecow::EcoString;
use plumb_engine::changeset::ProviderLock;
use plumb_engine::limits::Limiter;
use plumb_engine::providers::Factory;
use plumb_model::address::{Mode, ProviderSource};
use plumb_model::{Diagnostic, Diagnostics};
use plumb_provider_api::{Provider, ProviderSchema};
use plumb_provider_host::schema::digest;
use plumb_provider_host::{Options, Plugin, Source};
use plumb_semantics::Program;
use plumb_semantics::program::ProviderLimits;

use crate::installed::Installation;
use crate::{compiled, log, session};

/// Finds providers by where they come from.
#[derive(Default)]
pub struct Registry {
    installation: Installation,
    plugins: Mutex<HashMap<ProviderSource, Plugin>>,
    known: Mutex<HashMap<ProviderSource, Known>>,
    limiters: HashMap<ProviderSource, Arc<Limiter>>,
    /// What is wrong with the limits that are set.
    limitless: Diagnostics,
}

/// What is known of what a provider offers.
#[derive(Default)]
struct Known {
    /// The types that somebody needs.
    needed: BTreeSet<EcoString>,
    /// The schemas of these types at least.
    schema: Option<Arc<ProviderSchema>>,
}

impl Registry {
    /// For what is recorded, whatever the configuration says.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// For a configuration: its version constraints must be met, and its resource types are those that are needed.
    pub fn for_program(program: &Program) -> Registry {
        let installation = Installation::for_program(program);
        let mut registry = Registry::default();
        registry.installation = installation;
        for (name, limits) in &program.root().settings.limits {
            match named(program, name) {
                Some(source) => drop(registry.limiters.insert(source, Arc::new(Limiter::new(limits)))),
                None => registry.limitless.push(limits_for_nobody(name, limits)),
            }
        }
        for (_, module) in program.modules() {
            for (decl, config) in module.resources.values().zip(&module.resource_providers) {
                registry.need(&config.source, [decl.resource.kind.clone()]);
            }
        }
        registry
    }

    /// The schemas of these types are going to be asked for.
    pub fn need(&self, source: &ProviderSource, kinds: impl IntoIterator<Item = EcoString>) {
        let mut known = lock(&self.known);
        let known = known.entry(source.clone()).or_default();
        for kind in kinds {
            if known.needed.insert(kind) {
                known.schema = None;
            }
        }
    }

    /// Everything that a provider offers.
    ///
    /// # Errors
    /// As [`Factory::schema`].
    pub async fn whole_schema(&self, source: &ProviderSource) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.describing(source)?.schema().await
    }

    /// What there is to say about how these providers were found.
    pub fn remarks(&self, sources: &BTreeSet<ProviderSource>) -> Diagnostics {
        let mut remarks = self.installation.remarks(sources);
        remarks.extend(self.limitless.clone());
        remarks
    }

    /// A provider for calls that need no configuration.
    ///
    /// # Errors
    /// If there is no such provider.
    pub fn describing(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, Diagnostics> {
        if compiled::is_compiled_in(source) {
            compiled::make(source)
        } else {
            Ok(Arc::new(self.plugin(source)?.unconfigured()))
        }
    }

    /// Exactly which build of a provider is used here.
    pub fn build(&self, source: &ProviderSource) -> ProviderLock {
        let source = source.clone();
        if compiled::is_compiled_in(&source) {
            return ProviderLock {
                source,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                digest: String::new(),
            };
        }
        // What runs already, or cannot be found any more, cannot be told apart from others.
        let digest = match self.installation.find(&source) {
            Ok(Source::Program(program)) => {
                digest::digest(&program, &cache().unwrap_or_else(std::env::temp_dir).join("digests")).ok()
            }
            _ => None,
        };
        ProviderLock {
            version: self.installation.version(&source).unwrap_or_default(),
            digest: digest.map(|digest| format!("sha256:{digest}")).unwrap_or_default(),
            source,
        }
    }

    fn plugin(&self, source: &ProviderSource) -> Result<Plugin, Diagnostics> {
        let mut plugins = lock(&self.plugins);
        if let Some(plugin) = plugins.get(source) {
            return Ok(plugin.clone());
        }
        let place = self.installation.find(source)?;
        let options = Options { log: log::from_environment(), cache: cache(), ..Options::default() };
        let plugin = Plugin::new(source.to_string(), place, options);
        plugins.insert(source.clone(), plugin.clone());
        Ok(plugin)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let plugins = std::mem::take(self.plugins.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !plugins.is_empty() {
            session::wait(futures_util::future::join_all(plugins.values().map(Plugin::stop)));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the provider comes from that modules call by a name; the root module's word counts first.
fn named(program: &Program, name: &str) -> Option<ProviderSource> {
    let required = program.root().required_providers.get(name).map(|requirement| requirement.source.clone());
    required.or_else(|| {
        let used = program.modules().flat_map(|(_, m)| m.resources.values().zip(&m.resource_providers));
        let mut used = used.filter(|(decl, _)| decl.provider.name == name);
        used.next().map(|(_, config)| config.source.clone())
    })
}

fn limits_for_nobody(name: &str, limits: &ProviderLimits) -> Diagnostic {
    Diagnostic::warning("unused-limits", "Limits for a provider that is not used")
        .detail(format!("No module requires or uses a provider `{name}`."))
        .at(limits.span)
        .help("Write the name that the root module calls the provider by, or remove the block.")
}

/// Where schemas are kept: a folder of the user's, since many working directories use the same providers.
fn cache() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("PLUMB_CACHE_DIR")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("plumb")))
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache/plumb")))
        .filter(|folder| folder.is_absolute())
}

/// Whether all these types are among those that a provider offers.
fn has_all(schema: &ProviderSchema, kinds: &BTreeSet<EcoString>) -> bool {
    kinds.iter().all(|kind| {
        schema.resources.contains_key(kind)
            || schema.data_sources.contains_key(kind)
            || schema.ephemeral_resources.contains_key(kind)
            || schema.actions.contains_key(kind)
    })
}

#[async_trait]
impl Factory for Registry {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, Diagnostics> {
        let provider: Arc<dyn Provider> = if compiled::is_compiled_in(source) {
            compiled::make(source)?
        } else {
            Arc::new(self.plugin(source)?.provider())
        };
        Ok(match self.limiters.get(source) {
            Some(limiter) => limiter.limit(provider),
            None => provider,
        })
    }

    async fn schema(&self, source: &ProviderSource) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let needed = {
            let mut known = lock(&self.known);
            let known = known.entry(source.clone()).or_default();
            if let Some(schema) = &known.schema {
                return Ok(schema.clone());
            }
            known.needed.clone()
        };
        let provider = self.describing(source)?;
        let mut schema = provider.schema_for(&needed).await?;
        if !has_all(&schema, &needed) {
            // What is not there may be a slip of the pen: what was meant is found among all types.
            schema = provider.schema().await?;
        }
        lock(&self.known).entry(source.clone()).or_default().schema = Some(schema.clone());
        Ok(schema)
    }
}

/// Types by provider.
pub type Kinds = BTreeMap<ProviderSource, BTreeSet<EcoString>>;

/// Whether a provider offers a type.
pub fn offers(schemas: &plumb_engine::providers::Schemas, source: &ProviderSource, kind: &EcoString) -> bool {
    [Mode::Managed, Mode::Data, Mode::Ephemeral, Mode::Action]
        .iter()
        .any(|mode| schemas.get(source, *mode, kind).is_some())
}
