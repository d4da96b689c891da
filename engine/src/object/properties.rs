//! What holds for every schema and every value, tried on generated ones.
//!
//! A provider is played that keeps its promise: it plans what is proposed, with every computed attribute unknown that
//! is null, and applies what is planned, with something for everything unknown.

use ecow::EcoString;
use plumb_model::{Attribute, AttributeType, Block, NestedBlock, NestedObject, Nesting, Path, Type, Value};
use proptest::prelude::*;
use proptest::sample::select;

use super::members::{Members, replace_attributes};
use super::testing::*;
use super::*;

/// Where in a schema something is generated.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    /// Types of elements of a set must be known. Sets in sets are left out as well: what a provider chooses in the inner
    /// one makes the outer elements unrecognisable.
    in_set: bool,
    /// Nested attributes are all of one type.
    in_attribute: bool,
}

fn schemas() -> BoxedStrategy<Block> {
    blocks(Place { depth: 2, in_set: false, in_attribute: false })
}

fn blocks(place: Place) -> BoxedStrategy<Block> {
    let nested_blocks = match place.depth {
        0 => Just(Vec::new()).boxed(),
        _ => proptest::collection::vec(nested_block(place), 0..3).boxed(),
    };
    (attributes(place), nested_blocks)
        .prop_map(|(attributes, blocks)| {
            let block = Block { attributes, ..Block::default() };
            blocks.into_iter().zip(["x", "y"]).fold(block, |block, (nested, name)| block.block(name, nested))
        })
        .boxed()
}

fn nested_block(place: Place) -> BoxedStrategy<NestedBlock> {
    nestings(place)
        .prop_flat_map(move |nesting| {
            let in_set = place.in_set || nesting == Nesting::Set;
            let block = blocks(Place { depth: place.depth - 1, in_set, ..place });
            block.prop_map(move |block| many(nesting, block))
        })
        .boxed()
}

fn nestings(place: Place) -> impl Strategy<Value = Nesting> {
    let mut nestings = vec![Nesting::Single, Nesting::List, Nesting::Map];
    if !place.in_set {
        nestings.push(Nesting::Set);
    }
    if !place.in_attribute {
        nestings.push(Nesting::Group);
    }
    select(nestings)
}

fn attributes(place: Place) -> BoxedStrategy<indexmap::IndexMap<EcoString, Attribute>> {
    let key = (EcoString::from("key"), Attribute::required(Type::String));
    proptest::collection::vec(attribute(place), 1..4)
        .prop_map(move |attributes| {
            let named = attributes.into_iter().zip(["a", "b", "c"]).map(|(a, name)| (name.into(), a));
            std::iter::once(key.clone()).chain(named).collect()
        })
        .boxed()
}

fn attribute(place: Place) -> BoxedStrategy<Attribute> {
    let mut types = vec![
        Type::String,
        Type::Number,
        Type::list(Type::String),
        Type::set(Type::String),
        Type::map(Type::Number),
        Type::object([("p", Type::Bool), ("q", Type::String)]),
    ];
    if !place.in_set && !place.in_attribute {
        types.push(Type::Dynamic);
    }
    let plain = select(types).prop_map(AttributeType::Plain).boxed();
    let ty = match place.depth {
        0 => plain,
        _ => prop_oneof![3 => plain, 1 => nested_object(place)].boxed(),
    };
    let flags = (0..5u8).prop_map(|kind| match kind {
        0 => Attribute::required(Type::String),
        1 => optional(),
        2 => computed(),
        3 => optional_computed(),
        _ => optional().write_only(),
    });
    (ty, flags).prop_map(|(ty, flags)| Attribute { ty, ..flags }).boxed()
}

fn nested_object(place: Place) -> BoxedStrategy<AttributeType> {
    nestings(Place { in_attribute: true, ..place })
        .prop_flat_map(move |nesting| {
            let in_set = place.in_set || nesting == Nesting::Set;
            let attributes = attributes(Place { depth: place.depth - 1, in_set, in_attribute: true });
            attributes.prop_map(move |attributes| {
                AttributeType::Nested(NestedObject { attributes, nesting }.into())
            })
        })
        .boxed()
}

/// Configurations of a block; wholly known, or with unknown parts.
fn configs(block: &Block, unknowns: bool) -> BoxedStrategy<Value> {
    let mut members = attribute_configs(&block.attributes, unknowns);
    for (name, nested) in &block.blocks {
        members.push((name.clone(), block_configs(nested, unknowns)));
    }
    object_of(members)
}

fn object_of(members: Vec<(EcoString, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    values.prop_map(move |values| Value::object(names.iter().cloned().zip(values))).boxed()
}

fn attribute_configs(
    attributes: &indexmap::IndexMap<EcoString, Attribute>,
    unknowns: bool,
) -> Vec<(EcoString, BoxedStrategy<Value>)> {
    let config = |attribute: &Attribute| {
        let ty = attribute.implied_type();
        let null = Just(Value::Null(ty.clone())).boxed();
        if attribute.is_computed_only() {
            return null;
        }
        let value = match &attribute.ty {
            AttributeType::Plain(ty) => values(ty),
            AttributeType::Nested(nested) => {
                let object = object_of(attribute_configs(&nested.attributes, unknowns));
                collections(nested.nesting, nested.object_type(), false, object)
            }
        };
        let unknown = Just(Value::unknown(ty)).boxed();
        let (nulls, unknowns) = (u32::from(!attribute.required), u32::from(unknowns));
        prop_oneof![3 => value, nulls => null, unknowns => unknown].boxed()
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), config(attribute))).collect()
}

fn block_configs(nested: &NestedBlock, unknowns: bool) -> BoxedStrategy<Value> {
    let object = nested.block.implied_type();
    let value =
        collections(nested.nesting, object.clone(), object.has_dynamic(), configs(&nested.block, unknowns));
    let absent = Just(Value::Null(object.clone()));
    let unknown = Just(Value::unknown(nested.implied_type()));
    match nested.nesting {
        Nesting::Single => prop_oneof![2 => value, 1 => absent].boxed(),
        Nesting::Group => value,
        _ if unknowns && !object.has_dynamic() => prop_oneof![4 => value, 1 => unknown].boxed(),
        _ => value,
    }
}

fn collections(
    nesting: Nesting,
    ty: Type,
    dynamic: bool,
    object: BoxedStrategy<Value>,
) -> BoxedStrategy<Value> {
    if matches!(nesting, Nesting::Single | Nesting::Group) {
        return object;
    }
    // Elements keep their key whichever others there are, so that two configurations share some of them.
    proptest::collection::vec(proptest::option::of(object), 3)
        .prop_map(move |slots| {
            let elements = slots.into_iter().zip(["k", "l", "m"]).filter_map(|(o, key)| Some((key, o?)));
            let keyed = elements.map(|(key, object)| {
                let entries = object.as_entries().cloned().unwrap_or_default();
                (EcoString::from(key), Value::object(entries.into_iter().chain([("key".into(), s(key))])))
            });
            match nesting {
                Nesting::Map if dynamic => Value::object(keyed),
                Nesting::Map => Value::map(ty.clone(), keyed),
                Nesting::Set => Value::set(ty.clone(), keyed.map(|e| e.1).collect()),
                _ if dynamic => Value::tuple(keyed.map(|e| e.1).collect()),
                _ => Value::list(ty.clone(), keyed.map(|e| e.1).collect()),
            }
        })
        .boxed()
}

/// Known values of a type, few enough that equal ones occur.
fn values(ty: &Type) -> BoxedStrategy<Value> {
    match ty {
        Type::Dynamic => select(vec![s("a"), n(1), tuple([n(1)]), obj([("p", s("a"))])]).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => (0..3i64).prop_map(Value::int).boxed(),
        Type::String => select(vec!["a", "b", "c"]).prop_map(s).boxed(),
        Type::List(element) | Type::Set(element) => {
            let (set, element) = (matches!(ty, Type::Set(_)), (**element).clone());
            proptest::collection::vec(values(&element), 0..3)
                .prop_map(move |items| match set {
                    true => Value::set(element.clone(), items),
                    false => Value::list(element.clone(), items),
                })
                .boxed()
        }
        Type::Map(element) => {
            let ty = (**element).clone();
            proptest::collection::btree_map(select(vec!["k", "l"]), values(element), 0..3)
                .prop_map(move |map| Value::map(ty.clone(), map.into_iter().map(|(k, v)| (k.into(), v))))
                .boxed()
        }
        Type::Tuple(types) => types.iter().map(values).collect::<Vec<_>>().prop_map(tuple).boxed(),
        Type::Object(object) => {
            object_of(object.attributes.iter().map(|(name, ty)| (name.clone(), values(ty))).collect())
        }
    }
}

/// What a provider that keeps its promise plans.
fn plan(schema: &Block, proposed: &Value) -> Value {
    let filled = replace_attributes(Members::of_block(schema), proposed, &|attribute, value| {
        (attribute.computed && value.is_null()).then(|| Value::unknown(attribute.implied_type()))
    });
    null_write_only(schema, &filled)
}

/// What a provider that keeps its promise makes of a plan.
fn apply(planned: &Value) -> Value {
    fn some(ty: &Type) -> Value {
        match ty {
            Type::Dynamic | Type::Number => n(7),
            Type::Bool => Value::Bool(true),
            Type::String => s("chosen"),
            Type::List(element) => Value::list((**element).clone(), vec![]),
            Type::Set(element) => Value::set((**element).clone(), vec![]),
            Type::Map(element) => Value::map((**element).clone(), []),
            Type::Tuple(types) => tuple(types.iter().map(some)),
            Type::Object(_) => Value::Null(ty.clone()),
        }
    }
    planned.rebuild(&mut |part| match part {
        Value::Unknown(unknown) => some(&unknown.ty),
        known => known.clone(),
    })
}

/// What is there after a configuration was applied for the first time.
fn created(schema: &Block, config: &Value) -> Value {
    apply(&plan(schema, &proposed(schema, &Value::Null(schema.implied_type()), config)))
}

fn nothing(schema: &Block) -> Value {
    Value::Null(schema.implied_type())
}

/// A schema and two configurations of it.
fn cases(unknowns: bool) -> impl Strategy<Value = (Block, Value, Value)> {
    schemas().prop_flat_map(move |schema| {
        let (before, after) = (configs(&schema, false), configs(&schema, unknowns));
        (Just(schema), before, after)
    })
}

proptest! {
    #[test]
    fn what_is_new_is_proposed_as_configured((schema, _, config) in cases(true)) {
        prop_assert_eq!(&proposed(&schema, &nothing(&schema), &config), &config);
    }

    #[test]
    fn an_unchanged_configuration_proposes_what_is_there((schema, config, _) in cases(false)) {
        let prior = created(&schema, &config);
        let proposed = null_write_only(&schema, &proposed(&schema, &prior, &config));
        prop_assert!(same(&proposed, &prior), "prior {prior:#?}\nproposed {proposed:#?}");
    }

    #[test]
    fn proposing_twice_changes_nothing((schema, before, config) in cases(true)) {
        let prior = created(&schema, &before);
        let once = proposed(&schema, &prior, &config);
        prop_assert!(same(&proposed(&schema, &once, &config), &once));
        prop_assert!(check_type(&once, &schema.implied_type()).is_empty());
    }

    #[test]
    fn a_kept_promise_is_not_found_broken((schema, before, config) in cases(true)) {
        let (prior, ty) = (created(&schema, &before), schema.implied_type());
        for prior in [nothing(&schema), prior] {
            let planned = plan(&schema, &proposed(&schema, &prior, &config));
            prop_assert_eq!(check_type(&planned, &ty), vec![]);
            prop_assert_eq!(check_write_only(&schema, &planned), vec![]);
            prop_assert_eq!(check_planned(&schema, &prior, &config, &planned), vec![]);
            let actual = apply(&planned);
            prop_assert_eq!(check_type(&actual, &ty), vec![]);
            prop_assert_eq!(check_known(&actual), vec![]);
            prop_assert_eq!(check_applied(&schema, &planned, &actual), vec![]);
        }
    }

    #[test]
    fn ignoring_everything_changes_nothing((schema, before, config) in cases(true)) {
        let prior = created(&schema, &before);
        let config = ignore_changes(&config, &prior, Ignored::All, &schema);
        let proposed = null_write_only(&schema, &proposed(&schema, &prior, &config));
        prop_assert_eq!(check_planned(&schema, &prior, &config, &proposed), vec![]);
        prop_assert!(same(&proposed, &prior), "prior {prior:#?}\nproposed {proposed:#?}");
    }

    #[test]
    fn known_values_are_applied_as_they_were_planned((schema, before, after) in cases(false)) {
        let [planned, actual] = [before, after].map(|config| created(&schema, &config));
        prop_assert_eq!(check_applied(&schema, &planned, &planned), vec![]);
        // A null of which not even the type was planned is no promise.
        let promised = |path: &Path| !matches!(planned.at(path), Some(Value::Null(Type::Dynamic)));
        let broken = differing_paths(&planned, &actual, &schema).iter().any(promised);
        prop_assert_eq!(!check_applied(&schema, &planned, &actual).is_empty(), broken);
    }

    #[test]
    fn differences_are_the_smallest_parts_that_differ((schema, before, after) in cases(true)) {
        let paths = differing_paths(&before, &after, &schema);
        prop_assert!(differing_paths(&after, &after, &schema).is_empty());
        prop_assert_eq!(paths.is_empty(), same(&before, &after));
        for (i, path) in paths.iter().enumerate() {
            let (old, new) = (before.at(path), after.at(path));
            prop_assert!(old.is_some() || new.is_some(), "{path} leads nowhere");
            prop_assert!(!old.zip(new).is_some_and(|(old, new)| same(old, new)), "{path} does not differ");
            prop_assert!(paths[i + 1..].iter().all(|other| !other.starts_with(path)), "{path} is not alone");
        }
    }

    #[test]
    fn every_difference_can_be_a_reason_to_replace((schema, before, config) in cases(true)) {
        let prior = created(&schema, &before);
        let planned = plan(&schema, &proposed(&schema, &prior, &config));
        let mut paths = differing_paths(&prior, &planned, &schema);
        paths.sort();
        prop_assert_eq!(replace_paths(&prior, &planned, &paths, &schema), Ok(paths.clone()));
        let all: Vec<Path> = schema.attributes.keys().map(|name| Path::of(name.clone())).collect();
        let kept = replace_paths(&prior, &planned, &all, &schema).unwrap();
        for path in all {
            let believed = schema.attribute_at(&path).is_some_and(|a| a.write_only);
            let differs = paths.iter().any(|p| p.starts_with(&path));
            prop_assert_eq!(kept.contains(&path), believed || differs, "{}", path);
        }
    }

    #[test]
    fn well_formed_objects_need_no_mending((schema, before, _) in cases(false)) {
        prop_assert_eq!(&normalize_blocks(&schema, &before), &before);
        let kept = null_write_only(&schema, &before);
        prop_assert_eq!(check_write_only(&schema, &kept), vec![]);
        prop_assert_eq!(unknown_paths(&kept), vec![]);
    }

    #[test]
    fn sets_are_judged_as_if_each_element_were_compared_with_each(
        planned in proptest::collection::vec(elements(true), 0..6),
        actual in proptest::collection::vec(elements(false), 0..6),
    ) {
        let schema = |nesting| Block::default().block("x", many(nesting, element_block()));
        let x = |value| obj([("x", value)]);
        let compatible = |planned: &Value, actual: &Value| {
            let schema = schema(Nesting::Single);
            check_applied(&schema, &x(planned.clone()), &x(actual.clone())).is_empty()
        };
        let [planned, actual] = [set(planned), set(actual)];
        let [was, is] = [&planned, &actual].map(|v| v.as_items().unwrap());
        let expected = is.len() <= was.len()
            && was.iter().all(|planned| is.iter().any(|actual| compatible(planned, actual)))
            && is.iter().all(|actual| was.iter().any(|planned| compatible(planned, actual)));
        let broken = check_applied(&schema(Nesting::Set), &x(planned.clone()), &x(actual.clone()));
        prop_assert_eq!(broken.is_empty(), expected, "{:?}", broken);
    }
}

fn element_block() -> Block {
    Block::of([("a", optional()), ("b", optional_computed())])
        .block("x", many(Nesting::List, Block::of([("c", computed())])))
}

fn elements(unknowns: bool) -> impl Strategy<Value = Value> {
    let string = move || select(vec![s("1"), s("2"), if unknowns { unknown() } else { s("3") }]);
    let inner = proptest::collection::vec(string().prop_map(|c| obj([("c", c)])), 0..2).prop_map(list);
    (string(), string(), inner).prop_map(|(a, b, x)| obj([("a", a), ("b", b), ("x", x)]))
}
