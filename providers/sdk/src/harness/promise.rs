//! What an engine makes of prior object and configuration, and what it holds against the answers.

use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_model::{Attribute, AttributeType, Block, Diagnostics, NestedBlock, Nesting, Step, Value};

use super::broken;
use crate::rules::Nested;

type Attributes = IndexMap<EcoString, Attribute>;
type Blocks = IndexMap<EcoString, NestedBlock>;

/// Prior and configuration merged: what the configuration leaves to the provider is as it was.
pub(super) fn propose(block: &Block, prior: &Value, config: &Value) -> Value {
    proposed(&block.attributes, &block.blocks, prior, config)
}

fn proposed(attributes: &Attributes, blocks: &Blocks, prior: &Value, config: &Value) -> Value {
    let Some(entries) = config.as_entries() else { return config.clone() };
    Value::Object(Arc::new(entries.map_values(|name, config| {
        let prior = prior.get(name).unwrap_or(&Value::NULL);
        if let Some(nested) = blocks.get(name) {
            let (attributes, blocks) = (&nested.block.attributes, &nested.block.blocks);
            return each_proposed(attributes, blocks, nested.nesting, prior, config);
        }
        match attributes.get(name) {
            Some(attribute) if attribute.computed && config.is_null() => match prior.is_null() {
                true => config.clone(),
                false => prior.clone(),
            },
            Some(Attribute { ty: AttributeType::Nested(nested), .. }) => {
                each_proposed(&nested.attributes, &Blocks::new(), nested.nesting, prior, config)
            }
            _ => config.clone(),
        }
    })))
}

fn each_proposed(
    attributes: &Attributes,
    blocks: &Blocks,
    nesting: Nesting,
    prior: &Value,
    config: &Value,
) -> Value {
    Nested::map_objects(nesting, config, &mut |step, object| match step {
        // An element of a set is the prior one that it would be if nothing had changed.
        Some(Step::Any) => {
            let candidates = prior.as_items().into_iter().flatten();
            let mut proposals = candidates.map(|prior| (prior, proposed(attributes, blocks, prior, object)));
            let same = proposals.find(|(prior, proposal)| *prior == proposal);
            same.map_or_else(|| object.clone(), |(_, proposal)| proposal)
        }
        step => {
            let prior = Nested::other(Some(prior), step).unwrap_or(&Value::NULL);
            proposed(attributes, blocks, prior, object)
        }
    })
}

/// That what the configuration says is planned.
///
/// # Errors
/// Where it is not.
pub(super) fn check_plan(
    block: &Block,
    prior: &Value,
    config: &Value,
    planned: &Value,
) -> Result<(), Diagnostics> {
    if planned.as_entries().is_none() {
        return Err(broken("No object was planned.".into()));
    }
    plan_of(&block.attributes, &block.blocks, prior, config, planned)
}

fn plan_of(
    attributes: &Attributes,
    blocks: &Blocks,
    prior: &Value,
    config: &Value,
    planned: &Value,
) -> Result<(), Diagnostics> {
    for (name, planned) in planned.as_entries().into_iter().flat_map(|entries| entries.iter()) {
        let part = |value: &Value| value.get(name).cloned().unwrap_or(Value::NULL);
        let (prior, config) = (part(prior), part(config));
        let attribute = attributes.get(name);
        let chosen = attribute.is_some_and(|a| a.computed && config.is_null());
        let hidden = attribute.is_some_and(|a| a.write_only) && planned.is_null();
        let kept = prior == *planned && !config.is_null() && !planned.is_null();
        if *planned == config || chosen || hidden || kept {
            continue;
        }
        let nested = match (blocks.get(name), attribute.map(|a| &a.ty)) {
            (Some(block), _) => Some((&block.block.attributes, &block.block.blocks, block.nesting)),
            (None, Some(AttributeType::Nested(nested))) => {
                Some((&nested.attributes, blocks, nested.nesting)).filter(|_| !planned.is_null())
            }
            _ => None,
        };
        let Some((attributes, blocks, nesting)) = nested.filter(|_| length(planned) == length(&config))
        else {
            return Err(broken(format!("`{name}` is configured as {config:?} but planned as {planned:?}.")));
        };
        let mut found = Ok(());
        Nested::map_objects(nesting, planned, &mut |step, object| {
            let at = |value| Nested::other(Some(value), step).cloned().unwrap_or(Value::NULL);
            // Which element of the configuration one of a set comes from cannot be told.
            if found.is_ok() && step != Some(&Step::Any) {
                found = plan_of(attributes, blocks, &at(&prior), &at(&config), object);
            }
            object.clone()
        });
        found?;
    }
    Ok(())
}

/// How many elements a collection has; one for an object.
fn length(value: &Value) -> usize {
    match value.unmarked() {
        Value::Null(_) | Value::Unknown(_) => 0,
        Value::Object(_) => 1,
        Value::Map(map) => map.entries.len(),
        value => value.as_items().map_or(1, <[Value]>::len),
    }
}

/// That an outcome is wholly known, and what was planned wherever that was known.
pub(super) fn check_outcome(planned: &Value, outcome: &Value) -> Diagnostics {
    if !outcome.is_wholly_known() {
        return broken("The outcome is not wholly known.".into());
    }
    if planned.is_null() != outcome.is_null() {
        return broken(format!("Planned {planned:?}, got {outcome:?}."));
    }
    let differing = planned
        .as_entries()
        .into_iter()
        .flat_map(|entries| entries.iter())
        .find(|(name, value)| !outcome.get(name).is_some_and(|outcome| conforms(value, outcome)));
    match differing {
        None => Diagnostics::new(),
        Some((name, value)) => {
            broken(format!("`{name}` was planned as {value:?} and is {:?}.", outcome.get(name)))
        }
    }
}

/// Whether a value is what was planned, wherever that was known.
fn conforms(planned: &Value, outcome: &Value) -> bool {
    if !planned.is_known() || planned == outcome {
        return true;
    }
    if planned.is_wholly_known() || length(planned) != length(outcome) {
        return false;
    }
    match (planned, outcome) {
        (Value::Set(_), Value::Set(_)) => true,
        (Value::Object(_) | Value::Map(_), _) => planned
            .as_entries()
            .into_iter()
            .flat_map(|entries| entries.iter())
            .all(|(key, planned)| outcome.get(key).is_some_and(|outcome| conforms(planned, outcome))),
        _ => match (planned.as_items(), outcome.as_items()) {
            (Some(planned), Some(outcome)) => planned.iter().zip(outcome).all(|(p, o)| conforms(p, o)),
            _ => false,
        },
    }
}
