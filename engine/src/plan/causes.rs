//! Why attributes change: the line that says so, the drift that is undone, the reference that is not known yet.

use std::collections::BTreeSet;

use plumb_model::{Path, Step, Value};
use plumb_semantics::eval::{Evaluator, InstanceRef};
use plumb_semantics::program::Program;

use super::{Action, Cause, Change, Drift, Origin};
use crate::object;

/// The causes of a change to an object that exists, by attribute of the resource. Creations and deletions have none:
/// everything about them comes from the block being there or not.
pub(super) fn of(
    evaluator: &Evaluator,
    program: &Program,
    instance: InstanceRef,
    change: &Change,
    drift: Option<&Drift>,
) -> Vec<Cause> {
    if change.action != Action::Update && !change.action.is_replace() {
        return Vec::new();
    }
    let (before, after) = (change.before.unmark_deep().0, change.after.unmark_deep().0);
    let Some(schema) = evaluator.schema(instance.node) else { return Vec::new() };
    let names: BTreeSet<_> = object::differing_paths(&before, &after, &schema.block)
        .iter()
        .filter_map(|path| path.first_attribute().cloned())
        .collect();
    names
        .into_iter()
        .map(|name| {
            let path = Path::of(name);
            let origin = origin(evaluator, program, instance, &path, &after, drift);
            Cause { path, origin }
        })
        .collect()
}

fn origin(
    evaluator: &Evaluator,
    program: &Program,
    instance: InstanceRef,
    path: &Path,
    after: &Value,
    drift: Option<&Drift>,
) -> Origin {
    let Some(Step::Attribute(name)) = path.0.first() else { return Origin::Provider };
    let body = &program.resource(instance.node).expect("an instance belongs to a resource node").body.body;
    if body.attribute(name).is_none()
        && body.blocks_of(name).next().is_none()
        && body.blocks_of("dynamic").next().is_none()
    {
        return Origin::Provider;
    }
    let Some(span) = evaluator.attribute_span(instance, path) else { return Origin::Provider };
    if let (Some(value), Some(attribute)) = (after.at(path), body.attribute(name))
        && !value.is_wholly_known()
    {
        let unknown = evaluator.why_unknown(instance, &attribute.value);
        if !unknown.is_empty() {
            return Origin::Reference { addresses: unknown.into_iter().map(|(what, _)| what).collect() };
        }
    }
    if drift.is_some_and(|drift| drift.paths.iter().any(|drifted| drifted.starts_with(path))) {
        return Origin::Drift;
    }
    match program.sources.try_get(span.source) {
        Some(source) => Origin::Configuration {
            file: source.name.clone(),
            line: source.position(span.start as usize).line,
        },
        None => Origin::Provider,
    }
}
