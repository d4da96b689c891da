//! Terraform's state format, version 4, in and out.
//!
//! A state file becomes records and records become a state file, without a value being understood: attribute values,
//! numbers above all, keep their text. What Plumb has no place for is kept beside the record that it came with
//! ([`InstanceRecord::extra`], [`InstanceRecord::resource_extra`], [`OutputRecord::extra`], [`TerraformState::foreign`])
//! and written again. Writing what was read gives the same bytes, in the order and layout that Terraform uses; from files
//! in another layout only white space and order differ, and `sensitive_attributes` and `attributes` are always written.
//!
//! Elsewhere: the other JSON, that of `show -json`, cannot be read back and is made by renderers.

mod address;
mod object;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    address::{Index, Parts, Quoting, parse_module},
    object::Object,
};
use crate::{
    json::JsonText,
    record::{InstanceKey, InstanceRecord, InstanceStatus, Mode, OutputRecord},
    state::{Edit, Edits, State, StateError},
};

/// The version of the format.
const VERSION: &str = "4";

/// A state as a state file has it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TerraformState {
    /// A UUID that stays the same for the life of the state.
    pub lineage: String,
    /// Grows with each change.
    pub serial: u64,
    /// The outputs of the root module.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// All objects, deposed ones too.
    pub instances: Vec<InstanceRecord>,
    /// What the file says beside that, one JSON object: `terraform_version`, `check_results`, and keys of later versions.
    pub foreign: Option<JsonText>,
}

/// Why a state file was not read, or records could not be written as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TfStateError {
    /// It is not JSON.
    #[error("the state file is not JSON: {0}")]
    Json(String),
    /// Its version is not 4.
    #[error("the state file has version {found}, version 4 is wanted; {}", version_help(found))]
    Version {
        /// The version, as the file has it.
        found: String,
    },
    /// Something in it is not as the format wants it.
    #[error("in the state file, {place}: {reason}")]
    Malformed {
        /// Where: an address or the name of a key.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// It has an object twice.
    #[error("the state file has {0} twice")]
    Duplicate(InstanceKey),
    /// An address of a record has no place in the format.
    #[error("{0:?} is not the address of an instance")]
    Address(String),
}

fn version_help(found: &str) -> &'static str {
    match found {
        "1" | "2" | "3" => "terraform 0.13 or later brings it up to date with `terraform refresh`",
        _ => "it was written by a newer program, or is no state file",
    }
}

fn malformed(place: impl Into<String>, reason: impl Into<String>) -> TfStateError {
    TfStateError::Malformed { place: place.into(), reason: reason.into() }
}

/// Reads a state file. An empty file is an empty state, as Terraform has it.
///
/// # Errors
/// The text is not a state file of version 4.
pub fn read(text: &str) -> Result<TerraformState, TfStateError> {
    if text.trim().is_empty() {
        return Ok(TerraformState::default());
    }
    let mut file: Object =
        serde_json::from_str(text).map_err(|error| TfStateError::Json(error.to_string()))?;
    let version = file.take("version").ok_or_else(|| malformed("version", "it is missing"))?;
    if version.as_str() != VERSION {
        return Err(TfStateError::Version { found: version.to_string() });
    }
    let mut state = TerraformState {
        lineage: file.required("lineage", "lineage")?,
        serial: file.required("serial", "serial")?,
        ..TerraformState::default()
    };
    let outputs: Object = file.optional("outputs", "outputs")?.unwrap_or_default();
    for (name, value) in outputs.into_entries() {
        let place = format!("outputs.{name}");
        let output = read_output(value.parse(&place)?, &place)?;
        state.outputs.insert(name, output);
    }
    let resources: Vec<Object> = file.optional("resources", "resources")?.unwrap_or_default();
    let mut seen = BTreeSet::new();
    for resource in resources {
        for record in read_resource(resource)? {
            if !seen.insert(record.key()) {
                return Err(TfStateError::Duplicate(record.key()));
            }
            state.instances.push(record);
        }
    }
    state.foreign = file.into_rest();
    Ok(state)
}

fn read_output(mut output: Object, place: &str) -> Result<OutputRecord, TfStateError> {
    let mut need =
        |key: &str| output.take(key).ok_or_else(|| malformed(place, format!("`{key}` is missing")));
    let (value, type_json) = (need("value")?.compacted(), need("type")?.compacted());
    let sensitive = output.optional("sensitive", place)?.unwrap_or(false);
    Ok(OutputRecord { value, type_json, sensitive, extra: output.into_rest() })
}

/// What the instances of a resource have in common.
struct Resource {
    parts: Parts,
    provider: Option<String>,
    extra: Option<JsonText>,
}

fn read_resource(mut resource: Object) -> Result<Vec<InstanceRecord>, TfStateError> {
    let type_name: String = resource.required("type", "the type of a resource")?;
    let name: String = resource.required("name", "the name of a resource")?;
    let place = format!("{type_name}.{name}");
    let mode = match resource.required::<String>("mode", &place)?.as_str() {
        "managed" => Mode::Managed,
        "data" => Mode::Data,
        mode => return Err(malformed(place, format!("the mode is {mode:?}, `managed` or `data` is wanted"))),
    };
    let module: String = resource.optional("module", &place)?.unwrap_or_default();
    let module = match parse_module(&module, Quoting::Language) {
        Some((module, "")) => module,
        _ => return Err(malformed(place, format!("{module:?} is no module"))),
    };
    let provider = resource.optional("provider", &place)?;
    let instances: Vec<Object> = resource.optional("instances", &place)?.unwrap_or_default();
    // A remnant of old versions that says nothing.
    resource.take("each");
    let parts = Parts { module, mode, type_name, name, index: Index::None };
    if Parts::parse(&parts.address()).as_ref() != Some(&parts) {
        return Err(malformed(place, "its type, its name or its module is not one"));
    }
    let resource = Resource { parts, provider, extra: resource.into_rest() };
    instances.into_iter().map(|instance| read_instance(&resource, instance)).collect()
}

fn read_instance(resource: &Resource, mut instance: Object) -> Result<InstanceRecord, TfStateError> {
    let index = read_index(instance.take("index_key")).map_err(|found| {
        malformed(
            resource.parts.address(),
            format!("the index key is {found}, a whole number or text is wanted"),
        )
    })?;
    let address = Parts { index, ..resource.parts.clone() }.address();
    let place = address.as_str();
    let status = match instance.optional::<String>("status", place)?.as_deref() {
        None | Some("") => InstanceStatus::Ready,
        Some("tainted") => InstanceStatus::Tainted,
        Some(status) => return Err(malformed(place, format!("the status is {status:?}, which is unknown"))),
    };
    let provider = match (instance.optional("provider", place)?, &resource.provider) {
        (Some(provider), _) => provider,
        (None, Some(provider)) => provider.clone(),
        (None, None) => return Err(malformed(place, "it has no provider")),
    };
    let flat = instance.take("attributes_flat").filter(|flat| !flat.is_null());
    let nested = instance.take("attributes").filter(|nested| !nested.is_null());
    let flatmap = nested.is_none() && flat.is_some();
    let attributes = nested.or(flat).map_or_else(JsonText::empty_object, |json| json.compacted());
    if !attributes.as_str().starts_with('{') {
        return Err(malformed(place, "its attributes are not an object"));
    }
    Ok(InstanceRecord {
        deposed: instance.optional::<String>("deposed", place)?.filter(|key| !key.is_empty()),
        mode: resource.parts.mode,
        provider,
        schema_version: instance.optional("schema_version", place)?.unwrap_or(0),
        attributes,
        flatmap,
        sensitive_paths: instance.take("sensitive_attributes").map(|paths| paths.compacted()).filter(
            |paths| {
                // An empty list says what a list that is absent says.
                paths.as_str() != "[]" && !paths.is_null()
            },
        ),
        private: instance.optional("private", place)?,
        dependencies: instance.optional("dependencies", place)?.unwrap_or_default(),
        status,
        create_before_destroy: instance.optional("create_before_destroy", place)?.unwrap_or(false),
        identity: instance.take("identity").filter(|json| !json.is_null()).map(|json| json.compacted()),
        identity_schema_version: instance.optional("identity_schema_version", place)?,
        extra: instance.into_rest(),
        resource_extra: resource.extra.clone(),
        address,
    })
}

fn read_index(key: Option<JsonText>) -> Result<Index, String> {
    let Some(key) = key.filter(|key| !key.is_null()) else { return Ok(Index::None) };
    if let Ok(number) = serde_json::from_str(key.as_str()) {
        return Ok(Index::Number(number));
    }
    serde_json::from_str(key.as_str()).map(Index::Text).map_err(|_| key.to_string())
}

impl TerraformState {
    /// The changes that take this state in. A state without a lineage takes this one's over, and its serial.
    pub fn into_edits(self) -> Edits {
        Edits {
            records: self.instances.into_iter().map(|record| Edit::Put(Box::new(record))).collect(),
            outputs: Some(self.outputs),
            foreign: self.foreign,
            lineage: Some(self.lineage).filter(|lineage| !lineage.is_empty()),
            serial: Some(self.serial),
        }
    }
}

impl State {
    /// The state as Terraform would have it.
    ///
    /// # Errors
    /// The store or a record cannot be read.
    pub fn to_terraform(&self) -> Result<TerraformState, StateError> {
        let snapshot = self.snapshot()?;
        Ok(TerraformState {
            lineage: snapshot.lineage.unwrap_or_default(),
            serial: snapshot.serial,
            outputs: snapshot.outputs,
            instances: snapshot
                .instances
                .map(|instance| Ok(instance?.record))
                .collect::<Result<_, StateError>>()?,
            foreign: self.foreign()?,
        })
    }
}
