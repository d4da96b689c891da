//! The command-line configuration as JSON. The order of members counts: it is the order of methods of installation.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Item, MAX_DEPTH, Setting};
use crate::settings::SettingsError;

/// Blocks whose members are labelled blocks.
const LABELLED: [&str; 3] = ["credentials", "credentials_helper", "host"];

/// Reads a file.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(text: &str) -> Result<Vec<Item>, SettingsError> {
    // serde_json refuses what is nested deeper than 128 levels.
    let whole: Json = serde_json::from_str(text)
        .map_err(|error| SettingsError { line: error.line().max(1), problem: error.to_string() })?;
    let Json::Object(members) = whole else { unreachable!("the text begins with a brace") };
    let mut items = Vec::new();
    for (name, value) in members {
        match value {
            Json::Object(blocks) if LABELLED.contains(&name.as_str()) => {
                for (label, body) in blocks {
                    items.push(item(text, vec![name.clone(), label], body)?);
                }
            }
            value => items.push(item(text, vec![name], value)?),
        }
    }
    Ok(items)
}

/// JSON says nothing about lines: the first line that has the last name in it is near enough for a message.
fn item(text: &str, names: Vec<String>, value: Json) -> Result<Item, SettingsError> {
    let quoted = names.last().map(|name| format!("{name:?}")).unwrap_or_default();
    let line = text.find(&quoted).map_or(1, |at| text[..at].matches('\n').count() + 1);
    let value = setting(text, value, 0).map_err(|problem| SettingsError { line, problem })?;
    Ok(Item { names, value, line })
}

fn setting(text: &str, value: Json, depth: usize) -> Result<Setting, String> {
    if depth > MAX_DEPTH {
        return Err("values are nested too deeply".into());
    }
    let inner = |name: String, value: Json| {
        let line = text.find(&format!("{name:?}")).map_or(1, |at| text[..at].matches('\n').count() + 1);
        Ok(Item { names: vec![name], value: setting(text, value, depth + 1)?, line })
    };
    Ok(match value {
        Json::Text(text) => Setting::Text(text),
        Json::Object(members) => Setting::Block(
            members.into_iter().map(|(name, value)| inner(name, value)).collect::<Result<_, String>>()?,
        ),
        // A list of objects says the order of blocks, some of which may have the same name.
        Json::List(elements)
            if elements.iter().all(|e| matches!(e, Json::Object(_))) && !elements.is_empty() =>
        {
            let members = elements.into_iter().flat_map(|element| match element {
                Json::Object(members) => members,
                _ => Vec::new(),
            });
            Setting::Block(members.map(|(name, value)| inner(name, value)).collect::<Result<_, String>>()?)
        }
        Json::List(elements) => Setting::List(
            elements
                .into_iter()
                .map(|element| setting(text, element, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
    })
}

/// A value whose members keep their order.
enum Json {
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a truth value, a list or an object")
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
                Ok(Json::Text(truth.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = elements.next_element()? {
                    list.push(element);
                }
                Ok(Json::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
                let mut object = Vec::new();
                while let Some(member) = members.next_entry()? {
                    object.push(member);
                }
                Ok(Json::Object(object))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_lines_are_kept() {
        let items = parse(
            "{\n \"plugin_cache_dir\": \"/c\",\n \"provider_installation\": {\"network_mirror\": {\"url\": \"u\"}, \"direct\": {}},\n \"provider_list\": [{\"direct\": {}}, {\"direct\": {}}]}",
        )
        .unwrap();
        assert_eq!((items[0].text().unwrap(), items[0].line), ("/c", 2));
        let names =
            |item: &Item| item.block().unwrap().iter().map(|i| i.names[0].clone()).collect::<Vec<_>>();
        assert_eq!(names(&items[1]), ["network_mirror", "direct"]);
        assert_eq!(names(&items[2]), ["direct", "direct"]);
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        for text in ["{\n\"a\": }", "{\n\"a\": null}", "{\n\"a\": 1"] {
            assert_eq!(parse(text).err().map(|error| error.line), Some(2), "{text}");
        }
        assert!(parse(&"{\"a\":".repeat(100_000)).is_err());
    }
}
