//! A JSON object whose known keys are taken out, so that the unknown ones are left.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};

use super::{TfStateError, malformed};
use crate::json::JsonText;

/// A JSON object: keys with the text of their values, in the order of the file.
#[derive(Default)]
pub(super) struct Object(Vec<(String, JsonText)>);

impl Object {
    /// The value of a key, which is then gone. Of two equal keys the last one counts.
    pub(super) fn take(&mut self, key: &str) -> Option<JsonText> {
        let mut value = None;
        self.0.retain_mut(|(name, json)| {
            let found = name == key;
            if found {
                value = Some(json.clone());
            }
            !found
        });
        value
    }

    /// The value of a key that may be missing or null; `place` is for the message.
    pub(super) fn optional<T: DeserializeOwned>(
        &mut self,
        key: &str,
        place: &str,
    ) -> Result<Option<T>, TfStateError> {
        match self.take(key) {
            Some(json) => json.parse(&describe(place, key)),
            None => Ok(None),
        }
    }

    /// The value of a key that must be there.
    pub(super) fn required<T: DeserializeOwned>(
        &mut self,
        key: &str,
        place: &str,
    ) -> Result<T, TfStateError> {
        self.optional(key, place)?.ok_or_else(|| malformed(place, format!("`{key}` is missing")))
    }

    pub(super) fn into_entries(self) -> Vec<(String, JsonText)> {
        self.0
    }

    /// What is left, as one JSON object; none if nothing is.
    pub(super) fn into_rest(self) -> Option<JsonText> {
        if self.0.is_empty() {
            return None;
        }
        let mut text = String::from("{");
        for (key, value) in self.0 {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&serde_json::Value::from(key).to_string());
            text.push(':');
            text.push_str(value.compacted().as_str());
        }
        text.push('}');
        Some(JsonText::new(text).expect("an object of JSON values is JSON"))
    }
}

fn describe(place: &str, key: &str) -> String {
    if place == key { key.to_owned() } else { format!("{place}, `{key}`") }
}

impl JsonText {
    pub(super) fn is_null(&self) -> bool {
        self.as_str() == "null"
    }

    pub(super) fn empty_object() -> Self {
        Self::new("{}").expect("this is JSON")
    }

    /// The value that the text is of.
    pub(super) fn parse<T: DeserializeOwned>(&self, place: &str) -> Result<T, TfStateError> {
        serde_json::from_str(self.as_str()).map_err(|error| malformed(place, error.to_string()))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Object(entries))
    }
}
