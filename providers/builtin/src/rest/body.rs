//! JSON bodies: finding, cutting, merging, and comparing with what was written.

use ecow::EcoString;
use plumb_model::value::normalize;
use plumb_model::{Value, json};
use serde_json::Value as Json;

/// The steps of a place in JSON: `a.b.0`, or a JSON pointer `/a/b/0`.
fn steps(place: &str) -> Vec<String> {
    match place.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|s| s.replace("~1", "/").replace("~0", "~")).collect(),
        None => place.split('.').map(str::to_owned).collect(),
    }
}

/// What is at a place.
pub(super) fn at<'j>(json: &'j Json, place: &str) -> Option<&'j Json> {
    steps(place).iter().try_fold(json, |json, step| match json {
        Json::Object(fields) => fields.get(step),
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Takes out what is at a place, in each element where arrays are on the way and the step is no index.
pub(super) fn remove(json: &mut Json, place: &str) {
    fn go(json: &mut Json, steps: &[String]) {
        let Some((step, rest)) = steps.split_first() else { return };
        match json {
            Json::Object(fields) if rest.is_empty() => drop(fields.remove(step)),
            Json::Object(fields) => fields.get_mut(step).into_iter().for_each(|field| go(field, rest)),
            Json::Array(items) => match step.parse::<usize>() {
                Ok(index) => items.get_mut(index).into_iter().for_each(|item| go(item, rest)),
                Err(_) => items.iter_mut().for_each(|item| go(item, steps)),
            },
            _ => {}
        }
    }
    go(json, &steps(place));
}

/// Puts the fields of `more` over those of `json`, at every depth.
pub(super) fn merge(json: &mut Json, more: Json) {
    match (json, more) {
        (Json::Object(fields), Json::Object(more)) => {
            for (key, value) in more {
                merge(fields.entry(key).or_insert(Json::Null), value);
            }
        }
        (json, more) => *json = more,
    }
}

/// The places of all that is not an object, as JSON pointers, and the texts among them.
pub(super) fn leaves(json: &Json, at: &str, places: &mut Vec<String>, texts: &mut Vec<String>) {
    match json {
        Json::Object(fields) => {
            for (key, value) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{at}/{key}"), places, texts);
            }
        }
        leaf => {
            places.push(at.to_owned());
            collect_texts(leaf, texts);
        }
    }
}

fn collect_texts(json: &Json, texts: &mut Vec<String>) {
    match json {
        Json::String(text) => texts.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Json::Object(fields) => fields.values().for_each(|field| collect_texts(field, texts)),
        _ => {}
    }
}

/// JSON as a value.
pub(super) fn to_value(json: &Json) -> Value {
    json::from_json(json, &json::implied_type(json)).expect("JSON is of its own type")
}

/// A value as JSON. Text that stands for the whole is JSON itself.
///
/// # Errors
/// What is wrong with it; a sentence.
pub(super) fn from_value(value: &Value) -> Result<Json, String> {
    let text = match value.unmarked() {
        Value::String(text) => text.to_string(),
        value => {
            json::encode(value, &value.ty()).map_err(|e| format!("Found a value that has no JSON: {e}."))?
        }
    };
    serde_json::from_str(&text).map_err(|e| format!("Found text that is not JSON: {e}."))
}

/// What was written, as the server has it now: the very same where nothing differs. Fields that were not written do not
/// count, nor does a field that is null on one side and absent on the other.
pub(super) fn seen(written: &Value, server: &Json) -> Value {
    match written.unmarked() {
        Value::String(text) => match serde_json::from_str::<Json>(text) {
            Ok(json) => {
                let (before, after) = (to_value(&json), seen_part(&to_value(&json), server));
                if before == after { written.clone() } else { Value::from(encoded(&after)) }
            }
            Err(_) => seen_part(written, server),
        },
        _ => seen_part(written, server),
    }
}

fn encoded(value: &Value) -> String {
    json::encode(value, &value.ty()).expect("what came from JSON goes back")
}

fn seen_part(written: &Value, server: &Json) -> Value {
    match (written.unmarked(), server) {
        (Value::Object(entries), Json::Object(fields)) => {
            let fields: Vec<(EcoString, Value)> = entries
                .iter()
                .map(|(key, value)| {
                    let field =
                        fields.iter().find(|(name, _)| normalize(name) == *key).map(|(_, field)| field);
                    (key.clone(), seen_part(value, field.unwrap_or(&Json::Null)))
                })
                .collect();
            Value::object(fields)
        }
        (Value::Map(map), Json::Object(fields)) => {
            let now: Vec<(EcoString, Value)> = map
                .entries
                .iter()
                .map(|(key, value)| {
                    let field =
                        fields.iter().find(|(name, _)| normalize(name) == *key).map(|(_, field)| field);
                    (key.clone(), seen_part(value, field.unwrap_or(&Json::Null)))
                })
                .collect();
            if now.iter().zip(map.entries.values()).all(|((_, now), before)| now == before) {
                written.clone()
            } else {
                Value::object(now)
            }
        }
        (Value::List(_) | Value::Tuple(_), Json::Array(items)) => {
            let before = written.as_items().unwrap_or_default();
            if before.len() != items.len() {
                return to_value(server);
            }
            let now: Vec<Value> = before.iter().zip(items).map(|(b, item)| seen_part(b, item)).collect();
            if now == before { written.clone() } else { Value::tuple(now) }
        }
        (Value::Set(set), Json::Array(items)) => {
            let mut left: Vec<&Json> = items.iter().collect();
            let same = set.items.len() == items.len()
                && set.items.iter().all(|item| {
                    let found = left.iter().position(|json| seen_part(item, json) == *item);
                    found.map(|i| left.swap_remove(i)).is_some()
                });
            if same { written.clone() } else { to_value(server) }
        }
        (Value::Null(_), Json::Null) => written.clone(),
        (leaf, json) => {
            let now = to_value(json);
            if now == *leaf { written.clone() } else { now }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumb_model::Type;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn places_are_dotted_or_pointers() {
        let json = json!({"a": {"b.c": [1, {"d/e": 2}]}});
        assert_eq!(at(&json, "/a/b.c/1/d~1e"), Some(&json!(2)));
        assert_eq!(at(&json!({"a": [{"b": 1}]}), "a.0.b"), Some(&json!(1)));
        assert_eq!(at(&json, "a.x"), None);
    }

    #[test]
    fn only_what_was_written_counts() {
        let written = Value::object([
            ("name", Value::from("a")),
            ("tags", Value::list(Type::String, vec!["x".into()])),
            ("gone", Value::NULL),
        ]);
        let server = json!({"name": "a", "tags": ["x"], "id": 5, "n": {"m": 1}});
        assert_eq!(seen(&written, &server), written);
        let server = json!({"name": "b", "tags": ["x"]});
        assert_eq!(seen(&written, &server).get("name"), Some(&Value::from("b")));
        assert_eq!(seen(&written, &server).get("tags"), written.get("tags"));
        assert!(seen(&written, &json!({"tags": ["x"]})).get("name").unwrap().is_null());
    }

    #[test]
    fn spelling_does_not_count() {
        let text = Value::from(r#"{ "b": 1.0, "a": [] }"#);
        assert_eq!(seen(&text, &json!({"a": [], "b": 1, "c": 2})), text);
        assert_eq!(seen(&text, &json!({"a": [], "b": 2})), Value::from(r#"{"a":[],"b":2}"#));
        let set = Value::set(Type::String, vec!["a".into(), "b".into()]);
        assert_eq!(seen(&set, &json!(["b", "a"])), set);
    }

    #[test]
    fn places_are_removed_from_every_element() {
        let mut json = json!({"items": [{"at": 1, "v": 1}, {"at": 2}], "at": 3});
        remove(&mut json, "items.at");
        remove(&mut json, "x.y");
        assert_eq!(json, json!({"items": [{"v": 1}, {}], "at": 3}));
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            "[a-zé]{0,4}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_seen_unchanged(json in any_json()) {
            let value = to_value(&json);
            prop_assert_eq!(seen_part(&value, &json), value);
        }

        #[test]
        fn seeing_twice_is_seeing_once(written in any_json(), server in any_json()) {
            let once = seen_part(&to_value(&written), &server);
            prop_assert_eq!(seen_part(&once, &server), once);
        }
    }
}
