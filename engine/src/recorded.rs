//! Objects as they were saved, in the engine's terms.
//!
//! State keeps records of text; the engine works with addresses, paths and values. This module converts both ways. The
//! attributes of a [`Recorded`] stay JSON until a provider has been asked to bring them to its present schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use ecow::EcoString;
use plumb_model::address::{AddressError, ConfigResource, Instance, Mode, ProviderConfig, Target};
use plumb_model::json::{self, JsonError};
use plumb_model::{Diagnostic, Marks, Number, Path, Step, Type, Value};
use plumb_provider_api::RawState;
use plumb_state::json::JsonText;
use plumb_state::record::{self, InstanceRecord, InstanceStatus, StepAction, StepRecord};

use crate::plan::Change;
use crate::providers::TypeSchema;

/// An object as it was last saved.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The instance.
    pub address: Instance,
    /// The key of a former object that waits to be deleted.
    pub deposed: Option<EcoString>,
    /// The provider configuration that manages it.
    pub provider: ProviderConfig,
    /// The version of the schema that shapes the attributes.
    pub schema_version: i64,
    /// The attributes as JSON.
    pub attributes: JsonText,
    /// Whether the attributes are a flat map of text to text.
    pub flatmap: bool,
    /// What was sensitive in it.
    pub sensitive: Vec<Path>,
    /// What the provider wants remembered.
    pub private: Bytes,
    /// The resource blocks that it depends on.
    pub dependencies: Vec<ConfigResource>,
    /// Whether it was left half made.
    pub tainted: bool,
    /// Whether its replacement is to be created before it is deleted.
    pub create_before_destroy: bool,
    /// Its identity as JSON.
    pub identity: Option<JsonText>,
    /// The version of the identity schema that shapes the identity.
    pub identity_version: i64,
    /// The step that was about this object when its process ended, so that it is not known what became of it. For one
    /// that was being created, everything above is as it was planned.
    pub in_flight: Option<Arc<StepRecord>>,
}

/// A record that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordedError {
    /// An address in it is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The private data is not base64.
    #[error("the private data of `{address}` is not base64")]
    Private {
        /// The instance.
        address: String,
    },
    /// What a step in flight had planned is not a record.
    #[error("what was planned for `{address}` when it was interrupted is not understood")]
    Planned {
        /// The instance.
        address: String,
    },
    /// The paths of sensitive values are not understood.
    #[error("the sensitive paths of `{address}` are not understood")]
    SensitivePaths {
        /// The instance.
        address: String,
    },
}

impl RecordedError {
    /// For the user.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error("unreadable-record", "State holds a record that is not understood")
            .detail(format!("{self}."))
            .help("Look at it with `plumb state show`; `plumb state rm` removes a record without touching the object.")
    }
}

impl Recorded {
    /// Understands a record.
    ///
    /// # Errors
    /// If an address, the private data or a path in it is malformed.
    pub fn read(record: &InstanceRecord) -> Result<Recorded, RecordedError> {
        let private = match &record.private {
            None => Bytes::new(),
            Some(text) => BASE64
                .decode(text)
                .map_err(|_| RecordedError::Private { address: record.address.clone() })?
                .into(),
        };
        let sensitive = match &record.sensitive_paths {
            None => Vec::new(),
            Some(paths) => paths_from_json(paths.as_str())
                .ok_or_else(|| RecordedError::SensitivePaths { address: record.address.clone() })?,
        };
        Ok(Recorded {
            address: Instance::parse(&record.address)?,
            deposed: record.deposed.as_deref().map(EcoString::from),
            provider: ProviderConfig::parse(&record.provider)?,
            schema_version: record.schema_version as i64,
            attributes: record.attributes.clone(),
            flatmap: record.flatmap,
            sensitive,
            private,
            dependencies: record.dependencies.iter().map(|d| config_resource(d)).collect::<Result<_, _>>()?,
            tainted: record.status == InstanceStatus::Tainted,
            create_before_destroy: record.create_before_destroy,
            identity: record.identity.clone(),
            identity_version: record.identity_schema_version.unwrap_or(0) as i64,
            in_flight: None,
        })
    }

    /// Understands what a step in flight was about: the object as it was before, or as it was planned to be created.
    /// `None` if there is nothing to look for.
    ///
    /// # Errors
    /// As [`Recorded::read`], and if the planned object is not a record.
    pub fn read_in_flight(step: StepRecord) -> Result<Option<Recorded>, RecordedError> {
        let record = match step.action {
            StepAction::Create => step.planned.as_ref().map(|text| {
                serde_json::from_str::<InstanceRecord>(text.as_str())
                    .map_err(|_| RecordedError::Planned { address: step.key.address.clone() })
            }),
            _ => step.before.clone().map(Ok),
        };
        let Some(mut record) = record.transpose()? else { return Ok(None) };
        record.address = step.key.address.clone();
        record.deposed = step.key.deposed.clone();
        let mut recorded = Recorded::read(&record)?;
        recorded.in_flight = Some(Arc::new(step));
        Ok(Some(recorded))
    }

    /// The record of the same object in another condition.
    ///
    /// # Errors
    /// If the value is not wholly known, or not of the type.
    pub fn refreshed(
        &self,
        value: &Value,
        schema: &TypeSchema,
        private: &Bytes,
        identity: Option<&Value>,
    ) -> Result<InstanceRecord, JsonError> {
        let (plain, marks) = value.unmark_with_paths();
        let text = json_text(json::encode(&plain, &schema.ty)?);
        let mut record = InstanceRecord::new(self.address.to_string(), self.provider.to_string(), text);
        record.deposed = self.deposed.as_ref().map(EcoString::to_string);
        record.schema_version = u64::try_from(schema.schema.version).unwrap_or(0);
        record.sensitive_paths = sensitive_paths(&marks);
        record.private = (!private.is_empty()).then(|| BASE64.encode(private));
        record.dependencies = self.dependencies.iter().map(ToString::to_string).collect();
        record.create_before_destroy = self.create_before_destroy;
        set_identity(&mut record, identity, schema)?;
        record.status = if self.tainted { InstanceStatus::Tainted } else { InstanceStatus::Ready };
        Ok(record)
    }

    /// The attributes as a provider takes them.
    pub fn raw(&self) -> RawState {
        if self.flatmap {
            let flat: BTreeMap<String, String> =
                serde_json::from_str(self.attributes.as_str()).unwrap_or_default();
            return RawState::Flatmap(flat);
        }
        RawState::Json(Bytes::copy_from_slice(self.attributes.as_str().as_bytes()))
    }

    /// The attributes as a provider takes them, without those that the present type does not have any more.
    pub fn raw_for(&self, ty: &Type) -> RawState {
        let raw = self.raw();
        let RawState::Json(bytes) = &raw else { return raw };
        let Ok(mut json) = serde_json::from_slice(bytes) else { return raw };
        if crate::object::strip_removed(&mut json, ty) {
            RawState::Json(json.to_string().into())
        } else {
            raw
        }
    }
}

/// Saves an identity with an object, where the type has identities.
fn set_identity(
    record: &mut InstanceRecord,
    identity: Option<&Value>,
    schema: &TypeSchema,
) -> Result<(), JsonError> {
    if let (Some(identity), Some(schema)) = (identity, &schema.identity) {
        record.identity = Some(json_text(json::encode(identity, &schema.ty())?));
        record.identity_schema_version = u64::try_from(schema.version).ok();
    }
    Ok(())
}

/// What is to be saved of an object.
pub struct Outcome<'a> {
    /// The change that led to it.
    pub change: &'a Change,
    /// The object, wholly known, with marks; not null.
    pub value: &'a Value,
    /// The schema of its type.
    pub schema: &'a TypeSchema,
    /// What the provider wants remembered.
    pub private: &'a Bytes,
    /// Its identity.
    pub identity: Option<&'a Value>,
    /// Whether it was left half made.
    pub tainted: bool,
    /// The key under which it waits to be deleted.
    pub deposed: Option<EcoString>,
}

impl Outcome<'_> {
    /// The record to save.
    ///
    /// # Errors
    /// If the value is not wholly known, or not of its type.
    pub fn record(&self) -> Result<InstanceRecord, JsonError> {
        let (value, marks) = self.value.unmark_with_paths();
        let text = json::encode(&value, &self.schema.ty)?;
        let attributes = json_text(text);
        let change = self.change;
        let mut record =
            InstanceRecord::new(change.address.to_string(), change.provider.to_string(), attributes);
        record.deposed = self.deposed.as_ref().map(EcoString::to_string);
        record.mode = match change.address.resource.mode {
            Mode::Data => record::Mode::Data,
            Mode::Managed | Mode::Ephemeral | Mode::Action => record::Mode::Managed,
        };
        record.schema_version = u64::try_from(change.schema_version).unwrap_or(0);
        record.sensitive_paths = sensitive_paths(&marks);
        record.private = (!self.private.is_empty()).then(|| BASE64.encode(self.private));
        record.dependencies = change.dependencies.iter().map(ToString::to_string).collect();
        record.dependencies.sort();
        record.status = if self.tainted { InstanceStatus::Tainted } else { InstanceStatus::Ready };
        record.create_before_destroy = change.create_before_destroy;
        set_identity(&mut record, self.identity, self.schema)?;
        Ok(record)
    }
}

fn sensitive_paths(marks: &[(Path, Marks)]) -> Option<JsonText> {
    let sensitive = marks.iter().filter(|(_, marks)| marks.contains(Marks::SENSITIVE));
    (!marks.is_empty()).then(|| json_text(paths_to_json(sensitive.map(|(path, _)| path))))
}

fn json_text(text: String) -> JsonText {
    JsonText::new(text).expect("what this program encodes is JSON")
}

fn config_resource(text: &str) -> Result<ConfigResource, AddressError> {
    match Target::parse(text)? {
        Target::Resource(instance) => Ok(instance.config()),
        Target::Module(_) => {
            Err(AddressError { text: text.into(), problem: "a resource was expected".into() })
        }
    }
}

/// Paths in the form of state format v4: steps of `{"type": "get_attr", "value": name}` and
/// `{"type": "index", "value": {"value": key, "type": T}}`.
pub fn paths_to_json<'a>(paths: impl Iterator<Item = &'a Path>) -> String {
    let step = |step: &Step| match step {
        Step::Attribute(name) => serde_json::json!({"type": "get_attr", "value": name.as_str()}),
        Step::Key(key) => {
            serde_json::json!({"type": "index", "value": {"value": key.as_str(), "type": "string"}})
        }
        Step::Index(index) => {
            serde_json::json!({"type": "index", "value": {"value": index, "type": "number"}})
        }
        Step::Any => serde_json::Value::Null,
    };
    let paths: Vec<serde_json::Value> =
        paths.map(|path| path.0.iter().take_while(|s| **s != Step::Any).map(step).collect()).collect();
    serde_json::Value::from(paths).to_string()
}

/// Reads what [`paths_to_json`] writes; `None` if it is something else.
pub fn paths_from_json(text: &str) -> Option<Vec<Path>> {
    let paths: Vec<Vec<serde_json::Value>> = serde_json::from_str(text).ok()?;
    let step = |step: &serde_json::Value| {
        let value = step.get("value")?;
        Some(match step.get("type")?.as_str()? {
            "get_attr" => Step::Attribute(value.as_str()?.into()),
            "index" => match value.get("value")? {
                serde_json::Value::String(key) => Step::Key(key.as_str().into()),
                serde_json::Value::Number(index) => Number::parse(index.as_str()).ok()?.into(),
                _ => return None,
            },
            _ => return None,
        })
    };
    paths.iter().map(|steps| steps.iter().map(step).collect::<Option<Vec<_>>>().map(Path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back_as_they_are_written() {
        let path = Path::of("a").then(Step::Key("k".into())).then(Step::Index(3)).attribute("b");
        let text = paths_to_json([&path].into_iter());
        assert_eq!(
            text,
            r#"[[{"type":"get_attr","value":"a"},{"type":"index","value":{"type":"string","value":"k"}},{"type":"index","value":{"type":"number","value":3}},{"type":"get_attr","value":"b"}]]"#
        );
        assert_eq!(paths_from_json(&text), Some(vec![path]));
        assert_eq!(paths_from_json("[[{}]]"), None);
    }
}
