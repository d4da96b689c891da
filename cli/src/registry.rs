//! Which providers there are: those that are compiled in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use plumb_engine::providers::Factory;
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, diagnostic};
use plumb_provider_api::{Provider, ProviderSchema};

/// Finds providers by where they come from.
#[derive(Default)]
pub struct Registry {
    schemas: Mutex<HashMap<ProviderSource, Arc<ProviderSchema>>>,
}

impl Registry {
    /// Nothing has been asked yet.
    pub fn new() -> Registry {
        Registry::default()
    }

    fn find(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, Diagnostics> {
        if source.is_builtin() {
            return plumb_provider_builtin::lookup(&source.kind).ok_or_else(|| {
                Diagnostic::error("unknown-provider", "Unknown provider")
                    .detail(format!("No provider `{}` is compiled in.", source.kind))
                    .maybe_help(diagnostic::did_you_mean(
                        &source.kind,
                        plumb_provider_builtin::names().iter().copied(),
                    ))
                    .into()
            });
        }
        Err(Diagnostic::error("provider-not-installed", "Provider is not installed")
            .detail(format!("The configuration needs the provider {source}."))
            .help("Run `plumb init` to install it.")
            .into())
    }
}

#[async_trait]
impl Factory for Registry {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, Diagnostics> {
        self.find(source)
    }

    async fn schema(&self, source: &ProviderSource) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let known = self.schemas.lock().unwrap_or_else(PoisonError::into_inner).get(source).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let schema = self.find(source)?.schema().await?;
        self.schemas.lock().unwrap_or_else(PoisonError::into_inner).insert(source.clone(), schema.clone());
        Ok(schema)
    }
}
