//! What an object is like that is to be taken under management, before anybody has written a configuration of it.

use std::sync::Arc;

use plumb_model::address::{Mode, ProviderConfig};
use plumb_model::{Diagnostics, Value};
use plumb_provider_api::{ImportTarget, Provider, ReadRequest};
use plumb_semantics::eval::Evaluator;

use crate::object;
use crate::plan::resource::start_provider;
use crate::promise;
use crate::providers::{Factory, Schemas, TypeSchema};

/// Looks at an object: its schema, and the object as its provider reads it.
///
/// `evaluator` has evaluated what the configuration of the provider refers to, and expanded it.
///
/// # Errors
/// If there is no such type or object, or the provider cannot tell.
pub async fn look(
    evaluator: &Evaluator,
    schemas: &Schemas,
    factory: &dyn Factory,
    config: &ProviderConfig,
    kind: &ecow::EcoString,
    target: ImportTarget,
) -> Result<(TypeSchema, Value), Diagnostics> {
    let schema = schemas.require(&config.source, Mode::Managed, kind)?.clone();
    let known = schemas.provider(&config.source).expect("a provider whose types are known is known");
    let block = &known.provider.block;
    let value = match evaluator.program().provider_node(config) {
        Some(node) => {
            let (value, found) = evaluator.provider_config(node, &config.key, block);
            found.into_result()?;
            value
        }
        None => block.empty(),
    };
    let (provider, _) = start_provider(factory, config, value.unmark_deep().0).await?;
    let found = read(&provider, config, kind, &schema, target).await;
    provider.shutdown().await;
    found.map(|value| (schema, value))
}

async fn read(
    provider: &Arc<dyn Provider>,
    config: &ProviderConfig,
    kind: &ecow::EcoString,
    schema: &TypeSchema,
    target: ImportTarget,
) -> Result<Value, Diagnostics> {
    let (imported, _) = provider.import(kind, target.clone()).await.into_result()?;
    let [object] = &imported[..] else {
        return Err(promise::import_count(config, imported.len()).into());
    };
    if object.state.is_null() {
        return Err(promise::nothing_to_import(&target).into());
    }
    let request = ReadRequest {
        kind: kind.clone(),
        current: object.state.clone(),
        private: object.private.clone(),
        meta: None,
        identity: object.identity.clone(),
    };
    let (response, _) = provider.read(request).await.into_result()?;
    let state = object::normalize_blocks(&schema.schema.block, &response.state);
    let broken = promise::check_read(schema, &state);
    if !broken.is_empty() {
        let summary = "Provider returned an invalid object";
        return Err(promise::broken("invalid-object-read", summary, config, &broken));
    }
    if state.is_null() {
        return Err(promise::nothing_to_import(&target).into());
    }
    Ok(state)
}
