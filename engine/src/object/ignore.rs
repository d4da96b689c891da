//! Changes that the author wants left alone, `ignore_changes`.
//!
//! What is ignored is taken out before anything is proposed: the prior value is written over the configured one, so
//! that for everybody after, the configuration already wants what is there. The provider receives the configuration in
//! this form too. A resource that does not exist yet is created as configured.
//!
//! For a provider that answers with `legacy_type_system` the ignored paths are put back in the same way into what it
//! plans.

use std::sync::Arc;

use plumb_model::value::{Entries, MapValue};
use plumb_model::{Block, Path, Step, Value};

use super::members::{Members, replace_attributes, with_items};

/// What to leave alone.
#[derive(Clone, Copy, Debug)]
pub enum Ignored<'p> {
    /// Everything: the object is only ever created and deleted.
    All,
    /// What is at these paths. They may lead to elements of maps and lists, and below; what is in a set cannot be
    /// addressed. A path to what exists neither before nor in the configuration changes nothing.
    Paths(&'p [Path]),
}

/// The configuration with the prior values in place of those to be ignored.
///
/// A key of a map is as it was before: present with its prior value, or absent. An element of a list, or an attribute of
/// an object, is replaced only where both sides have it. For [`Ignored::All`] the result is the prior state without
/// what only the provider sets.
pub fn ignore_changes(config: &Value, prior: &Value, ignored: Ignored<'_>, schema: &Block) -> Value {
    if prior.is_null() || config.is_null() {
        return config.clone();
    }
    match ignored {
        Ignored::All => replace_attributes(Members::of_block(schema), prior, &|attribute, _| {
            attribute.is_computed_only().then(|| Value::Null(attribute.implied_type()))
        }),
        Ignored::Paths(paths) => {
            paths.iter().fold(config.clone(), |config, path| restore(&config, prior, &path.0))
        }
    }
}

fn restore(config: &Value, prior: &Value, path: &[Step]) -> Value {
    let Some((step, rest)) = path.split_first() else { return prior.clone() };
    match (config, step) {
        (Value::Object(entries), Step::Attribute(name) | Step::Key(name)) => {
            match (entries.get(name), prior.get(name)) {
                (Some(config), Some(prior)) => {
                    let restored = restore(config, prior, rest);
                    let replace = |n: &_, v: &Value| if n == name { restored.clone() } else { v.clone() };
                    Value::Object(Arc::new(entries.map_values(replace)))
                }
                _ => config.clone(),
            }
        }
        (Value::Map(_) | Value::Null(_), Step::Attribute(name) | Step::Key(name)) => {
            restore_key(config, prior, name, rest)
        }
        (Value::List(_) | Value::Tuple(_), Step::Index(index)) => {
            let mut items = config.as_items().unwrap_or_default().to_vec();
            // A set has positions too, but they mean nothing.
            let prior = prior.as_items().filter(|_| !matches!(prior, Value::Set(_)));
            match (items.get_mut(*index), prior.and_then(|prior| prior.get(*index))) {
                (Some(item), Some(prior)) => {
                    *item = restore(item, prior, rest);
                    with_items(config, items)
                }
                _ => config.clone(),
            }
        }
        _ => config.clone(),
    }
}

/// The same for a key of a map, which either side may lack, as it may lack the map.
fn restore_key(config: &Value, prior: &Value, key: &str, rest: &[Step]) -> Value {
    let (element, mut entries) = match (config, prior) {
        (Value::Map(config), Value::Map(_) | Value::Null(_)) => {
            (config.element.clone(), config.entries.clone().into_iter().collect::<Vec<_>>())
        }
        (Value::Null(_), Value::Map(prior)) => (prior.element.clone(), Vec::new()),
        _ => return config.clone(),
    };
    let at = entries.iter().position(|(k, _)| k == key);
    match (at, prior.get(key), rest.is_empty()) {
        (Some(at), Some(prior), _) => entries[at].1 = restore(&entries[at].1, prior, rest),
        (Some(at), None, true) => drop(entries.remove(at)),
        (None, Some(prior), true) => entries.push((key.into(), prior.clone())),
        _ => return config.clone(),
    }
    Value::Map(Arc::new(MapValue { element, entries: Entries::new(entries) }))
}

#[cfg(test)]
mod tests {
    use plumb_model::{Nesting, Type};

    use super::super::testing::*;
    use super::*;

    fn schema() -> Block {
        let inner = || Block::of([("v", optional()), ("id", computed())]);
        Block::of([
            ("name", optional()),
            ("id", computed()),
            ("zone", optional_computed()),
            ("tags", optional_of(Type::map(Type::String))),
            ("list", optional_of(Type::list(Type::String))),
        ])
        .block("rule", many(Nesting::List, inner()))
        .block("tag", many(Nesting::Set, inner()))
    }

    fn with(changes: &[(&str, Value)]) -> Value {
        let mut object = vec![
            ("name", s("a")),
            ("id", null()),
            ("zone", null()),
            ("tags", null()),
            ("list", null()),
            ("rule", list([])),
            ("tag", set([])),
        ];
        for (name, value) in changes {
            object.push((name, value.clone()));
        }
        obj(object)
    }

    fn check(path: Path, prior: (&str, Value), config: (&str, Value), expected: (&str, Value)) {
        let result = ignore_changes(
            &with(&[config]),
            &with(&[("id", s("i-1")), prior]),
            Ignored::Paths(&[path]),
            &schema(),
        );
        assert_eq!(result, with(&[expected]));
    }

    #[test]
    fn an_attribute_keeps_its_prior_value() {
        check(Path::of("name"), ("name", s("old")), ("name", s("new")), ("name", s("old")));
        check(Path::of("name"), ("name", s("old")), ("name", unknown()), ("name", s("old")));
        check(Path::of("name"), ("name", null()), ("name", s("new")), ("name", null()));
        check(Path::of("nmae"), ("name", s("old")), ("name", s("new")), ("name", s("new")));
    }

    #[test]
    fn a_key_of_a_map_is_as_it_was() {
        let key = || Path::of("tags").then(Step::Key("k".into()));
        let (old, new) = (|| ("k", s("old")), || ("k", s("new")));
        let other = || ("o", s("new"));
        let tags = |entries: &[(&'static str, Value)]| ("tags", map(entries.iter().cloned()));
        check(key(), tags(&[old(), ("o", s("old"))]), tags(&[new(), other()]), tags(&[old(), other()]));
        check(key(), tags(&[old()]), tags(&[other()]), tags(&[old(), other()]));
        check(key(), tags(&[]), tags(&[new(), other()]), tags(&[other()]));
        check(key(), ("tags", null()), tags(&[new()]), ("tags", Value::map(Type::String, [])));
        check(key(), tags(&[old()]), ("tags", null()), tags(&[old()]));
        check(key(), tags(&[("o", s("old"))]), ("tags", null()), ("tags", null()));
        let unknown_map = || ("tags", Value::unknown(Type::map(Type::String)));
        check(key(), tags(&[old()]), unknown_map(), unknown_map());
        check(Path::of("tags").attribute("k"), tags(&[old()]), tags(&[new()]), tags(&[old()]));
    }

    #[test]
    fn an_element_of_a_list_is_replaced_where_both_have_it() {
        let at = |i| Path::of("list").then(Step::Index(i));
        let items = |items: &[&str]| ("list", list(items.iter().map(|t| s(t))));
        check(at(1), items(&["a", "b"]), items(&["c", "d", "e"]), items(&["c", "b", "e"]));
        check(at(1), items(&["a"]), items(&["c", "d"]), items(&["c", "d"]));
        check(at(1), items(&["a", "b"]), items(&["c"]), items(&["c"]));
    }

    #[test]
    fn paths_lead_into_blocks_but_not_into_sets() {
        let block = |v: &str| obj([("v", s(v)), ("id", null())]);
        let below = |name, i| Path::of(name).then(Step::Index(i)).attribute("v");
        check(
            below("rule", 0),
            ("rule", list([block("old")])),
            ("rule", list([block("new"), block("more")])),
            ("rule", list([block("old"), block("more")])),
        );
        check(
            below("tag", 0),
            ("tag", set([block("old")])),
            ("tag", set([block("new")])),
            ("tag", set([block("new")])),
        );
    }

    #[test]
    fn all_is_the_prior_state_without_what_only_the_provider_sets() {
        let block = |v: &str, id: Value| obj([("v", s(v)), ("id", id)]);
        let prior = with(&[
            ("name", s("old")),
            ("id", s("i-1")),
            ("zone", s("z")),
            ("tag", set([block("old", s("b-1"))])),
        ]);
        let config = with(&[("name", unknown()), ("rule", list([block("new", null())]))]);
        let expected = with(&[
            ("name", s("old")),
            ("zone", s("z")),
            ("tag", set([block("old", Value::Null(Type::String))])),
            ("id", Value::Null(Type::String)),
        ]);
        assert_eq!(ignore_changes(&config, &prior, Ignored::All, &schema()), expected);
    }

    #[test]
    fn what_does_not_exist_is_created_as_configured() {
        let config = with(&[("name", s("new"))]);
        for ignored in [Ignored::All, Ignored::Paths(&[Path::of("name")])] {
            assert_eq!(ignore_changes(&config, &null(), ignored, &schema()), config);
        }
    }
}
