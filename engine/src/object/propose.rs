//! The proposed new state: what the configuration and the prior state say together.
//!
//! Where the configuration says something, it counts. Where it says nothing and the provider may choose, the provider
//! has chosen before: the prior value is proposed again. The provider starts its plan from this proposal. Computed
//! attributes of an object that does not exist yet are null in it; to make them unknown is the provider's part.
//!
//! Objects in a list are taken for the same by their index, objects in a map by their key. The elements of a set have
//! neither: an element of the configuration continues the prior element that [could have come](could_have_come) from
//! it, preferably one that is the same as a whole.
//!
//! The rules are those of plugin protocol 6 for `proposed_new_state`, in two places wider. If the prior object is
//! unknown, so are the prior elements of its sets. And a computed set that the configuration leaves null does not
//! keep elements from being correlated.

use plumb_model::{Attribute, AttributeType, Block, NestedBlock, NestedObject, Nesting, Value};

use super::correlate::{Candidates, Mask, mask_of};
use super::equal::same;
use super::members::{Member, Members, objects, part, with_entries, with_items};

/// The state to propose to the provider for a prior state and a configuration, both objects of the schema or null.
///
/// Null if both are null. The prior state if there is no configuration, or it is unknown. If the prior state is unknown,
/// so is every computed attribute that the configuration leaves null.
pub fn proposed(schema: &Block, prior: &Value, config: &Value) -> Value {
    match (prior, config) {
        (Value::Null(_), Value::Null(_)) => prior.clone(),
        (Value::Null(_), Value::Unknown(_)) => schema.empty(),
        // Nothing to merge: every computed attribute was null, and the configuration has it null.
        (Value::Null(_), _) => config.clone(),
        (_, Value::Null(_) | Value::Unknown(_)) => prior.clone(),
        _ => merge(Members::of_block(schema), Prior::of(prior), config),
    }
}

/// What there was before in the place of a value.
#[derive(Clone, Copy)]
enum Prior<'v> {
    Absent,
    Unknown,
    Known(&'v Value),
}

impl<'v> Prior<'v> {
    fn of(value: &'v Value) -> Prior<'v> {
        match value {
            Value::Null(_) => Prior::Absent,
            Value::Unknown(_) => Prior::Unknown,
            known => Prior::Known(known),
        }
    }

    fn part(self, find: impl FnOnce(&'v Value) -> Option<&'v Value>) -> Prior<'v> {
        match self {
            Prior::Known(value) => find(value).map_or(Prior::Absent, Prior::of),
            none => none,
        }
    }

    fn get(self, name: &str) -> Prior<'v> {
        self.part(|value| value.get(name))
    }

    fn index(self, index: usize) -> Prior<'v> {
        self.part(|value| value.as_items()?.get(index))
    }

    fn value(self, attribute: &Attribute) -> Value {
        match self {
            Prior::Absent => Value::Null(attribute.implied_type()),
            Prior::Unknown => Value::unknown(attribute.implied_type()),
            Prior::Known(value) => value.clone(),
        }
    }
}

fn merge(members: Members<'_>, prior: Prior<'_>, config: &Value) -> Value {
    with_entries(config, |name, config| match members.get(name) {
        Some(Member::Attribute(attribute)) => merge_attribute(attribute, prior.get(name), config),
        Some(Member::Block(nested)) => merge_block(nested, prior.get(name), config),
        None => config.clone(),
    })
}

fn merge_attribute(attribute: &Attribute, prior: Prior<'_>, config: &Value) -> Value {
    match &attribute.ty {
        _ if attribute.computed && config.is_null() => match prior {
            Prior::Known(prior) if was_configured(attribute, prior) => config.clone(),
            prior => prior.value(attribute),
        },
        AttributeType::Plain(_) => config.clone(),
        AttributeType::Nested(nested) => {
            merge_objects(nested.nesting, Members::of_nested(nested), prior, config)
        }
    }
}

fn merge_block(nested: &NestedBlock, prior: Prior<'_>, config: &Value) -> Value {
    merge_objects(nested.nesting, Members::of_block(&nested.block), prior, config)
}

/// Merges what one or several objects became together. Null and unknown configurations are left as they are.
fn merge_objects(nesting: Nesting, members: Members<'_>, prior: Prior<'_>, config: &Value) -> Value {
    // An object that is new has nothing to take over.
    let merge_one = |prior: Prior<'_>, config: &Value| match (prior, config) {
        (Prior::Absent, _) | (_, Value::Null(_) | Value::Unknown(_)) => config.clone(),
        (prior, config) => merge(members, prior, config),
    };
    match (nesting, config) {
        (_, Value::Null(_) | Value::Unknown(_)) => config.clone(),
        (_, _) if matches!(prior, Prior::Absent) => config.clone(),
        (Nesting::Single | Nesting::Group, _) => merge(members, prior, config),
        (Nesting::List, _) => {
            let items = config.as_items().into_iter().flatten().enumerate();
            with_items(config, items.map(|(i, config)| merge_one(prior.index(i), config)).collect())
        }
        (Nesting::Map, _) => with_entries(config, |key, config| merge_one(prior.get(key), config)),
        (Nesting::Set, _) => {
            let items = config.as_items().unwrap_or_default();
            let priors = correlate(members, prior, items);
            let merged = items.iter().zip(priors).map(|(config, prior)| merge_one(prior, config));
            with_items(config, merged.collect())
        }
    }
}

/// For each element of a set in the configuration, the prior element that it continues. No prior element is taken twice.
fn correlate<'v>(members: Members<'_>, prior: Prior<'v>, config: &[Value]) -> Vec<Prior<'v>> {
    let prior = match prior {
        Prior::Known(prior) => prior.as_items().unwrap_or_default(),
        none => return vec![none; config.len()],
    };
    let mut candidates = Candidates::new(prior);
    let mut used = vec![false; prior.len()];
    let mut find = |config: &Value, mask: Mask, test: &dyn Fn(&Value) -> bool| {
        let found = candidates.find(config, mask, |i| !used[i] && test(&prior[i]));
        found.inspect(|i| used[*i] = true)
    };
    let equal: Vec<_> = config
        .iter()
        .map(|config| find(config, mask_of(config, |_, _| true, |_| true), &|prior| same(prior, config)))
        .collect();
    let found = config.iter().zip(equal).map(|(config, equal)| {
        equal.or_else(|| {
            let mask = mask_of(config, |name, part| must_agree(members, name, part), |_| true);
            find(config, mask, &|prior| could_have_come(members, prior, config))
        })
    });
    found.map(|i| i.map_or(Prior::Absent, |i| Prior::of(&prior[i]))).collect()
}

/// Whether an element of the configuration can only continue a prior one that is the same in this part.
fn must_agree(members: Members<'_>, name: &str, config: &Value) -> bool {
    match members.get(name) {
        Some(Member::Attribute(attribute)) => match &attribute.ty {
            _ if attribute.computed && config.is_null() => false,
            AttributeType::Plain(_) => true,
            AttributeType::Nested(nested) => nested.nesting == Nesting::Set,
        },
        Some(Member::Block(nested)) => nested.nesting == Nesting::Set,
        None => true,
    }
}

/// Whether a prior object could be what became of a configured one: where they differ, the provider chose, because the
/// attribute is computed and not configured. Sets inside must be the same as a whole. Only what the prior object has is
/// looked at: the configuration may have gained elements.
fn could_have_come(members: Members<'_>, prior: &Value, config: &Value) -> bool {
    let (Value::Object(entries), Value::Object(_)) = (prior, config) else { return same(prior, config) };
    entries.iter().all(|(name, prior)| {
        let config = part(config, name);
        same(prior, config)
            || match members.get(name) {
                Some(Member::Attribute(attribute)) => attribute_could_have_come(attribute, prior, config),
                Some(Member::Block(nested)) => {
                    objects_could_have_come(nested.nesting, Members::of_block(&nested.block), prior, config)
                }
                None => false,
            }
    })
}

fn attribute_could_have_come(attribute: &Attribute, prior: &Value, config: &Value) -> bool {
    match &attribute.ty {
        _ if config.is_null() => attribute.computed && !was_configured(attribute, prior),
        AttributeType::Plain(_) => false,
        AttributeType::Nested(nested) => {
            objects_could_have_come(nested.nesting, Members::of_nested(nested), prior, config)
        }
    }
}

fn objects_could_have_come(nesting: Nesting, members: Members<'_>, prior: &Value, config: &Value) -> bool {
    match (nesting, prior, config) {
        (Nesting::Set, ..) => false,
        (_, Value::Null(_), _) => true,
        (_, _, Value::Null(_) | Value::Unknown(_)) | (_, Value::Unknown(_), _) => false,
        (Nesting::Single | Nesting::Group, ..) => could_have_come(members, prior, config),
        (Nesting::List, ..) => {
            let (prior, config) =
                (prior.as_items().unwrap_or_default(), config.as_items().unwrap_or_default());
            prior.len() <= config.len()
                && prior.iter().zip(config).all(|(prior, config)| could_have_come(members, prior, config))
        }
        (Nesting::Map, ..) => prior.as_entries().into_iter().flat_map(|e| e.iter()).all(|(key, prior)| {
            config.get(key).is_some_and(|config| could_have_come(members, prior, config))
        }),
    }
}

/// Whether a prior value of an attribute with nested attributes contains what only a configuration can have set. Then
/// the configuration that lacks it now means to remove it.
fn was_configured(attribute: &Attribute, prior: &Value) -> bool {
    match &attribute.ty {
        AttributeType::Nested(nested) if attribute.optional => holds_configured(nested, prior),
        _ => false,
    }
}

fn holds_configured(nested: &NestedObject, value: &Value) -> bool {
    objects(nested.nesting, value).any(|(_, object)| {
        nested.attributes.iter().any(|(name, attribute)| {
            let part = part(object, name);
            !part.is_null()
                && (!attribute.computed
                    || matches!(&attribute.ty, AttributeType::Nested(inner) if holds_configured(inner, part)))
        })
    })
}
