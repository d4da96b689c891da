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
//! The rules are those of plugin protocol 6 for `proposed_new_state`, in four places more generous. If the prior object
//! is unknown, so are the prior elements of its sets. Neither a computed set that the configuration leaves null, nor a
//! write-only attribute, which no state has, keeps elements from being correlated. And elements of which the configuration says more choose before those of which it
//! says less.

use std::cmp::Reverse;

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
    let mut found: Vec<_> = config
        .iter()
        .map(|config| find(config, mask_of(config, |_, _| true, |_| true), &|prior| same(prior, config)))
        .collect();
    let mut rest: Vec<(usize, Mask)> = (0..config.len())
        .filter(|i| found[*i].is_none())
        .map(|i| (i, mask_of(&config[i], |name, part| must_agree(members, name, part), |_| true)))
        .collect();
    // Whoever says more goes first, lest one that fits anything takes the only prior element that fits it.
    rest.sort_by_key(|(_, mask)| Reverse(mask.iter().filter(|agrees| **agrees).count()));
    for (i, mask) in rest {
        found[i] = find(&config[i], mask, &|prior| could_have_come(members, prior, &config[i]));
    }
    found.into_iter().map(|i| i.map_or(Prior::Absent, |i| Prior::of(&prior[i]))).collect()
}

/// Whether an element of the configuration can only continue a prior one that is the same in this part.
fn must_agree(members: Members<'_>, name: &str, config: &Value) -> bool {
    match members.get(name) {
        Some(Member::Attribute(attribute)) => match &attribute.ty {
            _ if attribute.write_only || (attribute.computed && config.is_null()) => false,
            AttributeType::Plain(_) => true,
            AttributeType::Nested(nested) => config.is_null() || nested.nesting == Nesting::Set,
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
        _ if attribute.write_only => true,
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

#[cfg(test)]
mod tests {
    use plumb_model::Type;

    use super::super::testing::*;
    use super::*;

    /// A configured attribute, one that the provider chooses, and one that either does.
    fn inner() -> [(&'static str, Attribute); 3] {
        [("v", optional()), ("id", computed()), ("zone", optional_computed())]
    }

    fn object(v: &str, id: &str, zone: &str) -> Value {
        let text = |text: &str| if text.is_empty() { Value::Null(Type::String) } else { s(text) };
        obj([("v", text(v)), ("id", text(id)), ("zone", text(zone))])
    }

    /// Merges a single member of a schema.
    #[track_caller]
    fn check_block(nesting: Nesting, prior: Value, config: Value, expected: Value) {
        let schema = Block::default().block("x", many(nesting, Block::of(inner())));
        check(&schema, obj([("x", prior)]), obj([("x", config)]), obj([("x", expected)]));
    }

    #[track_caller]
    fn check_attribute(attribute: Attribute, prior: Value, config: Value, expected: Value) {
        let schema = Block::of([("x", attribute)]);
        check(&schema, obj([("x", prior)]), obj([("x", config)]), obj([("x", expected)]));
    }

    #[track_caller]
    fn check(schema: &Block, prior: Value, config: Value, expected: Value) {
        assert_same(&proposed(schema, &prior, &config), &expected);
    }

    #[test]
    fn whole_objects() {
        let schema = Block::of(inner());
        let nothing = || Value::Null(schema.implied_type());
        check(&schema, nothing(), nothing(), nothing());
        check(&schema, nothing(), object("a", "", ""), object("a", "", ""));
        check(&schema, object("a", "i", "z"), nothing(), object("a", "i", "z"));
        let unknown = || Value::unknown(schema.implied_type());
        check(&schema, object("a", "i", "z"), unknown(), object("a", "i", "z"));
        check(&schema, nothing(), unknown(), object("", "", ""));
    }

    #[test]
    fn attributes() {
        let schema = Block::of(inner());
        check(&schema, object("a", "i", "z"), object("b", "", ""), object("b", "i", "z"));
        check(&schema, object("a", "i", "z"), object("", "", "y"), object("", "i", "y"));
        check_attribute(optional(), s("a"), unknown(), unknown());
        check_attribute(optional_computed(), s("a"), unknown(), unknown());
        check_attribute(computed(), unknown(), null(), unknown());
        check_attribute(optional().write_only(), null(), s("t"), s("t"));
    }

    #[test]
    fn single_blocks_and_nested_attributes() {
        for nesting in [Nesting::Single, Nesting::Group] {
            check_block(nesting, object("a", "i", "z"), object("b", "", ""), object("b", "i", "z"));
            check_block(nesting, null(), object("b", "", ""), object("b", "", ""));
        }
        check_block(Nesting::Single, object("a", "i", "z"), null(), null());
        let attribute = || nested(Nesting::Single, inner());
        check_attribute(attribute(), object("a", "i", "z"), object("b", "", ""), object("b", "i", "z"));
        check_attribute(attribute(), object("a", "i", "z"), null(), null());
        check_attribute(attribute(), null(), object("b", "", ""), object("b", "", ""));
    }

    #[test]
    fn lists_go_by_index() {
        let prior = || list([object("a", "1", "z"), object("b", "2", "z"), object("c", "3", "z")]);
        let config = || list([object("b", "", ""), object("a", "", "y")]);
        let expected = || list([object("b", "1", "z"), object("a", "2", "y")]);
        let attribute = || nested(Nesting::List, inner());
        check_block(Nesting::List, prior(), config(), expected());
        check_attribute(attribute(), prior(), config(), expected());
        let longer = || list([object("a", "", ""), object("b", "", ""), object("c", "", "")]);
        let one = || list([object("a", "1", "")]);
        let expected = || list([object("a", "1", ""), object("b", "", ""), object("c", "", "")]);
        check_block(Nesting::List, one(), longer(), expected());
        check_attribute(attribute(), one(), longer(), expected());
        for nothing in [null(), list([])] {
            check_block(Nesting::List, prior(), list([]), list([]));
            check_attribute(attribute(), prior(), nothing.clone(), nothing.clone());
            check_attribute(attribute(), nothing, config(), config());
        }
        let gap = || list([null(), object("b", "", "")]);
        check_attribute(attribute(), prior(), gap(), list([null(), object("b", "2", "z")]));
    }

    #[test]
    fn maps_go_by_key() {
        let prior = || map([("k", object("a", "1", "z")), ("l", object("b", "2", "z"))]);
        let config = || map([("l", object("c", "", "")), ("m", object("d", "", ""))]);
        let expected = || map([("l", object("c", "2", "z")), ("m", object("d", "", ""))]);
        check_block(Nesting::Map, prior(), config(), expected());
        check_attribute(nested(Nesting::Map, inner()), prior(), config(), expected());
    }

    #[test]
    fn unknown_collections_stay_unknown() {
        let object_type = Block::of(inner()).implied_type();
        for (nesting, prior, ty) in [
            (Nesting::List, list([object("a", "1", "z")]), Type::list(object_type.clone())),
            (Nesting::Set, set([object("a", "1", "z")]), Type::set(object_type.clone())),
            (Nesting::Map, map([("k", object("a", "1", "z"))]), Type::map(object_type)),
        ] {
            let unknown = || Value::unknown(ty.clone());
            check_block(nesting, prior.clone(), unknown(), unknown());
            check_attribute(nested(nesting, inner()), prior, unknown(), unknown());
        }
    }

    #[test]
    fn elements_of_sets_continue_what_could_have_come_from_them() {
        for (prior, config, expected) in [
            // The provider chose where nothing was configured.
            (
                vec![object("a", "1", "z"), object("b", "2", "z")],
                vec![object("b", "", ""), object("a", "", "")],
                vec![object("a", "1", "z"), object("b", "2", "z")],
            ),
            // What is configured differently, even a computed attribute, is another element.
            (vec![object("a", "1", "z")], vec![object("b", "", "")], vec![object("b", "", "")]),
            (vec![object("a", "1", "z")], vec![object("a", "", "y")], vec![object("a", "", "y")]),
            (vec![object("a", "1", "z")], vec![object("", "", "")], vec![object("", "", "")]),
            // No prior element is continued twice, and one that is the same as a whole goes first.
            (
                vec![object("a", "", "z")],
                vec![object("a", "", ""), object("a", "", "z")],
                vec![object("a", "", ""), object("a", "", "z")],
            ),
            // Whoever says more chooses first.
            (
                vec![object("a", "1", "y"), object("a", "2", "z")],
                vec![object("a", "", ""), object("a", "", "y")],
                vec![object("a", "2", "z"), object("a", "1", "y")],
            ),
            // Of several that could be, the first.
            (
                vec![object("a", "1", "z"), object("a", "2", "z")],
                vec![object("a", "", "")],
                vec![object("a", "1", "z")],
            ),
        ] {
            check_block(Nesting::Set, set(prior.clone()), set(config.clone()), set(expected.clone()));
            check_attribute(nested(Nesting::Set, inner()), set(prior), set(config), set(expected));
        }
    }

    /// A set of blocks with blocks, each of one object that the configuration and the provider share.
    #[track_caller]
    fn check_deep_set(nesting: Nesting, prior: Value, config: Value, continues: bool) {
        let element = Block::of([("id", computed())]).block("deep", many(nesting, Block::of(inner())));
        let schema = Block::default().block("x", many(Nesting::Set, element));
        let element = |id: Value, deep: Value| obj([("x", set([obj([("id", id), ("deep", deep)])]))]);
        let result =
            proposed(&schema, &element(s("i"), prior), &element(Value::Null(Type::String), config.clone()));
        let element = &result.get("x").unwrap().as_items().unwrap()[0];
        assert_eq!(element.get("id") == Some(&s("i")), continues, "{result:#?}");
    }

    #[test]
    fn elements_of_sets_are_looked_into() {
        let (old, new) = (|| object("a", "1", "z"), || object("a", "", ""));
        let other = || object("b", "", "");
        check_deep_set(Nesting::Single, old(), new(), true);
        check_deep_set(Nesting::Single, old(), other(), false);
        check_deep_set(Nesting::Single, old(), null(), false);
        check_deep_set(Nesting::Single, null(), new(), true);
        check_deep_set(Nesting::Group, old(), new(), true);
        check_deep_set(Nesting::List, list([old()]), list([new()]), true);
        check_deep_set(Nesting::List, list([old()]), list([other()]), false);
        check_deep_set(Nesting::List, list([old(), old()]), list([new()]), false);
        check_deep_set(Nesting::List, list([old()]), list([new(), other()]), true);
        check_deep_set(Nesting::Map, map([("k", old())]), map([("k", new()), ("l", other())]), true);
        check_deep_set(Nesting::Map, map([("k", old())]), map([("l", new())]), false);
        // Sets inside must be the same.
        check_deep_set(Nesting::Set, set([old()]), set([new()]), false);
        check_deep_set(Nesting::Set, set([new()]), set([new()]), true);
    }

    #[test]
    fn a_computed_nested_attribute_that_was_configured_is_removed() {
        let attribute = || nested_computed(Nesting::List, inner());
        // `v` cannot be the provider's choice, so the configuration had this attribute before.
        check_attribute(attribute(), list([object("a", "1", "z")]), null(), null());
        check_attribute(attribute(), list([object("", "1", "z")]), null(), list([object("", "1", "z")]));
        check_attribute(attribute(), null(), null(), null());
        let only_computed = Attribute { optional: false, ..attribute() };
        check_attribute(only_computed, list([object("a", "1", "z")]), null(), list([object("a", "1", "z")]));
        let inside = || nested_computed(Nesting::Single, [("deep", nested_computed(Nesting::Set, inner()))]);
        let deep = |v: &str| obj([("deep", set([object(v, "1", "z")]))]);
        check_attribute(inside(), deep("a"), null(), null());
        check_attribute(inside(), deep(""), null(), deep(""));
    }

    #[test]
    fn blocks_with_dynamic_attributes_are_tuples_and_objects() {
        let schema = |nesting| {
            let inner = Block::of([("v", optional_of(Type::Dynamic)), ("id", computed())]);
            Block::default().block("x", many(nesting, inner))
        };
        let object = |v: Value, id: Value| obj([("v", v), ("id", id)]);
        check(
            &schema(Nesting::List),
            obj([("x", tuple([object(n(1), s("i"))]))]),
            obj([("x", tuple([object(s("a"), null()), object(n(2), null())]))]),
            obj([("x", tuple([object(s("a"), s("i")), object(n(2), null())]))]),
        );
        check(
            &schema(Nesting::Map),
            obj([("x", obj([("k", object(n(1), s("i")))]))]),
            obj([("x", obj([("k", object(s("a"), null())), ("l", object(n(2), null()))]))]),
            obj([("x", obj([("k", object(s("a"), s("i"))), ("l", object(n(2), null()))]))]),
        );
    }

    #[test]
    fn large_sets_of_changed_elements_are_correlated() {
        let schema = Block::default().block("x", many(Nesting::Set, Block::of(inner())));
        let element = |i: usize, id: &str| object(&format!("v{i}"), id, "");
        let prior = obj([("x", set((0..3_000).map(|i| element(i, &format!("i{i}")))))]);
        let config = obj([("x", set((0..3_000).map(|i| element(i + 1_000, ""))))]);
        let proposed = proposed(&schema, &prior, &config);
        let ids = proposed.get("x").unwrap().as_items().unwrap().iter().filter(|e| {
            let number = e.get("v").unwrap().as_str().unwrap()[1..].to_string();
            e.get("id") == Some(&s(&format!("i{number}")))
        });
        assert_eq!(ids.count(), 2_000);
    }
}
