//! Reading data sources.

use plumb_model::address::ProviderConfig;
use plumb_model::{Diagnostics, Value};
use plumb_provider_api::Provider;

use crate::promise;
use crate::providers::TypeSchema;

/// Checks the configuration, reads the data source, and checks what was given back. Everything is without marks.
///
/// # Errors
/// What the provider says, or that it broke its promise.
pub(crate) async fn read(
    provider: &dyn Provider,
    config_of: &ProviderConfig,
    kind: &str,
    schema: &TypeSchema,
    config: Value,
    meta: Option<Value>,
) -> Result<(Value, Diagnostics), Diagnostics> {
    let mut warnings = provider.validate_data(kind, config.clone()).await.into_result()?;
    let (value, more) = provider.read_data(kind, config, meta).await.into_result()?;
    warnings.extend(more);
    let broken = promise::check_read(schema, &value);
    if !broken.is_empty() || value.is_null() {
        let summary = "Provider returned an invalid object";
        return Err(promise::broken("invalid-object-read", summary, config_of, &broken));
    }
    Ok((value, warnings))
}
