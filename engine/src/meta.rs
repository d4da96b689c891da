//! What modules tell their providers in `provider_meta` blocks.

use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostics, Value};
use plumb_semantics::eval::{Evaluator, InstanceRef, ModuleRef};

use crate::providers::Schemas;

/// What the module of an instance tells the provider of that instance; `None` if it tells nothing, or the provider does
/// not ask for anything.
///
/// # Errors
/// What is wrong with the block.
pub(crate) fn of(
    evaluator: &Evaluator,
    schemas: &Schemas,
    instance: InstanceRef,
    source: &ProviderSource,
) -> Result<Option<Value>, Diagnostics> {
    let program = evaluator.program();
    let Some(decl) = program.resource(instance.node) else { return Ok(None) };
    let module = program.node(instance.node).module;
    let Some(block) = program.module(module).settings.provider_meta.get(&decl.provider.name) else {
        return Ok(None);
    };
    let Some(schema) = schemas.provider(source).and_then(|schema| schema.provider_meta.as_ref()) else {
        return Ok(None);
    };
    let (value, found) =
        evaluator.block(ModuleRef { module, index: instance.module }, block, &schema.block, None);
    found.into_result()?;
    Ok(Some(value.unmark_deep().0))
}
