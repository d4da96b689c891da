//! What the language knows of resource types.

use std::sync::Arc;

use ecow::EcoString;
use plumb_model::Schema;
use plumb_model::address::{Mode, ProviderSource};

/// Schemas of providers that can be asked without starting anything. Answers never change.
pub trait Schemas: Send + Sync {
    /// Whether the schemas of a provider are at hand; if not, the other methods answer nothing, which says nothing.
    fn knows(&self, provider: &ProviderSource) -> bool;

    /// The schema of a resource type.
    fn resource(&self, provider: &ProviderSource, mode: Mode, kind: &str) -> Option<Arc<Schema>>;

    /// The schema of the configuration of the provider itself.
    fn provider(&self, provider: &ProviderSource) -> Option<Arc<Schema>>;

    /// The resource types of a provider, for guesses at what was meant.
    fn kinds(&self, provider: &ProviderSource, mode: Mode) -> Vec<EcoString>;

    /// Whether a provider has a function of that name.
    fn has_function(&self, provider: &ProviderSource, name: &str) -> bool;
}

/// No schema at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSchemas;

impl Schemas for NoSchemas {
    fn knows(&self, _: &ProviderSource) -> bool {
        false
    }

    fn resource(&self, _: &ProviderSource, _: Mode, _: &str) -> Option<Arc<Schema>> {
        None
    }

    fn provider(&self, _: &ProviderSource) -> Option<Arc<Schema>> {
        None
    }

    fn kinds(&self, _: &ProviderSource, _: Mode) -> Vec<EcoString> {
        Vec::new()
    }

    fn has_function(&self, _: &ProviderSource, _: &str) -> bool {
        false
    }
}
