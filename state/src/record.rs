//! The saved forms, and their versions.
//!
//! A record is saved as one byte with the version of its form, followed by JSON with short names; what is empty is left
//! out. Each kind of record counts its own versions. A version that is newer than this program knows is refused with
//! [`RecordError::Newer`] rather than half understood.
//!
//! These are saved forms and nothing else: the engine has its own types for instances and steps and converts.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::json::JsonText;

/// Why a saved record could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A newer program wrote it.
    #[error("{kind} has version {found}, this program reads up to version {known}: use a newer plumb")]
    Newer {
        /// What kind of record it is.
        kind: &'static str,
        /// The version that was found.
        found: u8,
        /// The newest version that this program reads.
        known: u8,
    },
    /// The bytes are not a record of this kind.
    #[error("{kind} cannot be read: {reason}")]
    Malformed {
        /// What kind of record it is.
        kind: &'static str,
        /// What is wrong with the bytes.
        reason: String,
    },
}

/// A saved form with a version.
pub(crate) trait Saved: Serialize + DeserializeOwned {
    /// What messages call it.
    const KIND: &'static str;
    /// The version that is written, and the newest that is read.
    const VERSION: u8;

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.push(Self::VERSION);
        serde_json::to_writer(&mut bytes, self)
            .expect("records have text keys only, and memory takes any bytes");
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let malformed = |reason: String| RecordError::Malformed { kind: Self::KIND, reason };
        match bytes.split_first() {
            Some((&version, json)) if version == Self::VERSION => {
                serde_json::from_slice(json).map_err(|error| malformed(error.to_string()))
            }
            Some((&found, _)) if found > Self::VERSION => {
                Err(RecordError::Newer { kind: Self::KIND, found, known: Self::VERSION })
            }
            _ => Err(malformed("it has no version".to_owned())),
        }
    }
}

/// Which object: the address of an instance, and the deposed key if it is not the current object there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceKey {
    /// The absolute address, for example `module.m["k"].aws_x.y[0]` or `data.file.z`.
    #[serde(rename = "a")]
    pub address: String,
    /// Eight hexadecimal digits for a deposed object; absent for the current one.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
}

impl InstanceKey {
    /// The current object at an address.
    pub fn current(address: impl Into<String>) -> Self {
        Self { address: address.into(), deposed: None }
    }

    /// A deposed object at an address.
    pub fn deposed(address: impl Into<String>, key: impl Into<String>) -> Self {
        Self { address: address.into(), deposed: Some(key.into()) }
    }
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.deposed {
            Some(key) => write!(f, "{} (deposed {key})", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// Whether a resource is managed or only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Mode {
    /// A `resource` block: created, changed and destroyed.
    #[default]
    #[serde(rename = "m")]
    Managed,
    /// A `data` block: read only.
    #[serde(rename = "d")]
    Data,
}

/// Whether an object is as its provider left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum InstanceStatus {
    /// Complete.
    #[default]
    #[serde(rename = "r")]
    Ready,
    /// Left half made; the next plan replaces it.
    #[serde(rename = "t")]
    Tainted,
}

/// One object as last saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// The absolute address, for example `module.m["k"].aws_x.y[0]` or `data.file.z`.
    #[serde(rename = "a")]
    pub address: String,
    /// Eight hexadecimal digits for a deposed object; absent for the current one.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
    /// Whether it is managed or only read.
    #[serde(rename = "m", default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// The absolute provider configuration, for example `provider["registry.terraform.io/hashicorp/time"].alias`.
    #[serde(rename = "p")]
    pub provider: String,
    /// The version of the provider's schema that shapes `attributes`.
    #[serde(rename = "s", default, skip_serializing_if = "is_default")]
    pub schema_version: u64,
    /// The attribute values: JSON shaped by the schema, as in Terraform's state format.
    #[serde(rename = "v")]
    pub attributes: JsonText,
    /// Whether `attributes` is a flat map of text to text, as programs before 2019 saved it.
    #[serde(rename = "fm", default, skip_serializing_if = "is_default")]
    pub flatmap: bool,
    /// The paths of sensitive values: a JSON array of paths as in Terraform's state format. Absent means none.
    #[serde(rename = "sp", default, skip_serializing_if = "Option::is_none")]
    pub sensitive_paths: Option<JsonText>,
    /// The provider's private bytes in standard base64; absent when empty.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub private: Option<String>,
    /// The addresses of the resources, without instance keys, that this one was made from; sorted.
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// Whether it is complete.
    #[serde(rename = "st", default, skip_serializing_if = "is_default")]
    pub status: InstanceStatus,
    /// Whether its replacement is created before it is destroyed.
    #[serde(rename = "c", default, skip_serializing_if = "is_default")]
    pub create_before_destroy: bool,
    /// The identity object, as JSON.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<JsonText>,
    /// The version of the identity's schema.
    #[serde(rename = "iv", default, skip_serializing_if = "Option::is_none")]
    pub identity_schema_version: Option<u64>,
    /// What a state file said about this object that has no place above: one JSON object, kept to be written out again.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<JsonText>,
    /// The same for the resource that it is an instance of.
    #[serde(rename = "re", default, skip_serializing_if = "Option::is_none")]
    pub resource_extra: Option<JsonText>,
}

impl InstanceRecord {
    /// A complete managed object with nothing but what every object has; schema version 0.
    pub fn new(address: impl Into<String>, provider: impl Into<String>, attributes: JsonText) -> Self {
        Self {
            address: address.into(),
            deposed: None,
            mode: Mode::Managed,
            provider: provider.into(),
            schema_version: 0,
            attributes,
            flatmap: false,
            sensitive_paths: None,
            private: None,
            dependencies: Vec::new(),
            status: InstanceStatus::Ready,
            create_before_destroy: false,
            identity: None,
            identity_schema_version: None,
            extra: None,
            resource_extra: None,
        }
    }

    /// Which object this is the record of.
    pub fn key(&self) -> InstanceKey {
        InstanceKey { address: self.address.clone(), deposed: self.deposed.clone() }
    }
}

impl Saved for InstanceRecord {
    const KIND: &'static str = "the record of an instance";
    const VERSION: u8 = 1;
}

/// One output value of the root module as last saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// The value as JSON, encoded by `type_json`.
    #[serde(rename = "v")]
    pub value: JsonText,
    /// The type constraint as JSON, for example `["list","string"]`.
    #[serde(rename = "t")]
    pub type_json: JsonText,
    /// Whether the value must not be shown.
    #[serde(rename = "s", default, skip_serializing_if = "is_default")]
    pub sensitive: bool,
    /// Keys of a state file that have no place above: one JSON object.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<JsonText>,
}

impl Saved for OutputRecord {
    const KIND: &'static str = "the record of an output";
    const VERSION: u8 = 1;
}

/// What kind of work an operation was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// A configuration was made true.
    Apply,
    /// Everything was destroyed.
    Destroy,
    /// Only what is recorded was brought up to date.
    Refresh,
    /// Existing objects were taken in.
    Import,
    /// An earlier state was gone back to.
    Rollback,
    /// Records were edited, objects were not touched.
    StateEdit,
}

impl OperationKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Destroy => "destroy",
            Self::Refresh => "refresh",
            Self::Import => "import",
            Self::Rollback => "rollback",
            Self::StateEdit => "state-edit",
        }
    }
}

/// How far an operation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationStatus {
    /// It has not ended, or its process has and nobody has looked since.
    Running,
    /// It ended and did all it meant to.
    Succeeded,
    /// It ended with steps that failed.
    Failed,
    /// Its user stopped it.
    Cancelled,
    /// Its process ended before it did.
    Interrupted,
}

impl OperationStatus {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// How many steps of each action were done, and how many of any action were not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Objects created.
    #[serde(rename = "c", skip_serializing_if = "is_default")]
    pub create: u64,
    /// Objects or data read.
    #[serde(rename = "r", skip_serializing_if = "is_default")]
    pub read: u64,
    /// Objects updated in place.
    #[serde(rename = "u", skip_serializing_if = "is_default")]
    pub update: u64,
    /// Objects destroyed.
    #[serde(rename = "d", skip_serializing_if = "is_default")]
    pub delete: u64,
    /// Records dropped while their objects stay.
    #[serde(rename = "f", skip_serializing_if = "is_default")]
    pub forget: u64,
    /// Records edited.
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub state: u64,
    /// Steps that failed, of any action.
    #[serde(rename = "x", skip_serializing_if = "is_default")]
    pub failed: u64,
    /// Steps whose outcome nobody could find out.
    #[serde(rename = "q", skip_serializing_if = "is_default")]
    pub in_doubt: u64,
    /// Actions invoked.
    #[serde(rename = "i", skip_serializing_if = "is_default")]
    pub invoke: u64,
}

impl Counts {
    /// Counts one step; steps that have no outcome yet are not counted.
    pub fn count(&mut self, action: StepAction, status: StepStatus) {
        let count = match (status, action) {
            (StepStatus::Intended, _) => return,
            (StepStatus::Failed, _) => &mut self.failed,
            (StepStatus::InDoubt, _) => &mut self.in_doubt,
            (StepStatus::Done, StepAction::Create) => &mut self.create,
            (StepStatus::Done, StepAction::Read) => &mut self.read,
            (StepStatus::Done, StepAction::Update) => &mut self.update,
            (StepStatus::Done, StepAction::Delete) => &mut self.delete,
            (StepStatus::Done, StepAction::Forget) => &mut self.forget,
            (StepStatus::Done, StepAction::State) => &mut self.state,
            (StepStatus::Done, StepAction::Invoke) => &mut self.invoke,
        };
        *count += 1;
    }
}

/// One operation: who changed state, when, why, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRecord {
    /// Its number; the first is 1.
    #[serde(rename = "n")]
    pub number: u64,
    /// What kind of work it was.
    #[serde(rename = "k")]
    pub kind: OperationKind,
    /// `user@host`.
    #[serde(rename = "w")]
    pub who: String,
    /// When it began, to the millisecond.
    #[serde(rename = "t", with = "millis")]
    pub started: Timestamp,
    /// When it ended, to the millisecond.
    #[serde(rename = "e", with = "optional_millis", default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Why, in the words of the user.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The digest of the plan that it carried out.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<String>,
    /// How far it has come.
    #[serde(rename = "s")]
    pub status: OperationStatus,
    /// The serial of the state when it began.
    #[serde(rename = "b")]
    pub serial_before: u64,
    /// The serial of the state when it ended.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub serial_after: Option<u64>,
    /// What its steps did; filled in when it ends.
    #[serde(rename = "c", default)]
    pub counts: Counts,
}

impl Saved for OperationRecord {
    const KIND: &'static str = "the record of an operation";
    const VERSION: u8 = 1;
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepAction {
    /// Makes a new object.
    Create,
    /// Reads an object or data.
    Read,
    /// Changes an object in place.
    Update,
    /// Destroys an object.
    Delete,
    /// Drops a record; its object stays.
    Forget,
    /// Edits a record; its object is not touched.
    State,
    /// Invokes an action, which has no record.
    Invoke,
}

impl StepAction {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Forget => "forget",
            Self::State => "state",
            Self::Invoke => "invoke",
        }
    }
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// Its intent is saved; what came of it is not.
    Intended,
    /// It did what it meant to.
    Done,
    /// It did not; `error` says why, and the record says what is left.
    Failed,
    /// It was interrupted, and nobody could find out what came of it.
    InDoubt,
}

/// Which step: the number of its operation, and its own number in it, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId {
    /// The number of the operation.
    pub operation: u64,
    /// The number of the step in the operation, in the order in which steps were intended.
    pub index: u32,
}

/// One step of an operation, put together from its intent and, if there is one, its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// Which step it is.
    pub id: StepId,
    /// The object that it is about.
    pub key: InstanceKey,
    /// What it does.
    pub action: StepAction,
    /// The record before the step.
    pub before: Option<InstanceRecord>,
    /// The planned value, as JSON text. What it means is the engine's business.
    pub planned: Option<JsonText>,
    /// The record after the step; absent if there is none any more, or no outcome yet.
    pub after: Option<InstanceRecord>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was intended, to the millisecond.
    pub started: Timestamp,
    /// When its outcome was known, to the millisecond.
    pub ended: Option<Timestamp>,
    /// How far it has come.
    pub status: StepStatus,
}

/// What is saved of a step before it runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedIntent {
    #[serde(rename = "i")]
    pub key: InstanceKey,
    #[serde(rename = "k")]
    pub action: StepAction,
    #[serde(rename = "t", with = "millis")]
    pub started: Timestamp,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub before: Option<InstanceRecord>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<JsonText>,
}

impl Saved for SavedIntent {
    const KIND: &'static str = "the intent of a step";
    const VERSION: u8 = 1;
}

/// What is saved of a step after it ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedOutcome {
    #[serde(rename = "s")]
    pub status: StepStatus,
    #[serde(rename = "t", with = "millis")]
    pub ended: Timestamp,
    /// Whether the record stayed as it was, so that `after` need not be saved again.
    #[serde(rename = "k", default, skip_serializing_if = "is_default")]
    pub kept: bool,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub after: Option<InstanceRecord>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Saved for SavedOutcome {
    const KIND: &'static str = "the outcome of a step";
    const VERSION: u8 = 1;
}

impl StepRecord {
    pub(crate) fn new(id: StepId, intent: SavedIntent, outcome: Option<SavedOutcome>) -> Self {
        let SavedIntent { key, action, started, before, planned } = intent;
        let (status, ended, after, error) = match outcome {
            None => (StepStatus::Intended, None, None, None),
            Some(outcome) => {
                let after = if outcome.kept { before.clone() } else { outcome.after };
                (outcome.status, Some(outcome.ended), after, outcome.error)
            }
        };
        Self { id, key, action, before, planned, after, error, started, ended, status }
    }
}

/// The present moment, to the millisecond, as records save it.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Moments are saved as milliseconds since 1970.
mod millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(moment.as_millisecond())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::from_millisecond(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The same for a moment that may not have come.
mod optional_millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        moment: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => serializer.serialize_some(&moment.as_millisecond()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let millis = Option::<i64>::deserialize(deserializer)?;
        millis.map(Timestamp::from_millisecond).transpose().map_err(D::Error::custom)
    }
}
