//! The saved form of an artifact: versioned records, which are what a sealed plan's digest is about.
//!
//! Written with `serde_json`, the records are canonical: fields and keys are sorted, nothing has two forms, no number
//! is a fraction, what is empty is left out. Fields therefore stand in alphabetical order here. Addresses are text as
//! users write them; values are JSON as [`super::value`] has it.
//!
//! What is unknown is refused: a later program that needs another field raises [`FORMAT`]. Elsewhere: from and to the
//! engine's own types is [`super::convert`].

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::plan::Layouts;

/// The version of the form that is written, and the only one that is read.
pub(super) const FORMAT: u32 = 2;

/// A value as JSON text.
pub(super) type Text = Box<RawValue>;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedArtifact {
    pub engine: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ephemeral_inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, SavedFile>,
    pub format: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Text>,
    /// The id of the key under which something is concealed, if something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub options: SavedOptions,
    pub plan: SavedPlan,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<SavedProvider>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, SavedFile>,
    pub workspace: String,
}

/// The content of a file: as text where it is text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum SavedFile {
    Base64(String),
    Text(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedOptions {
    pub refresh: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replace: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedProvider {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    pub source: String,
    pub version: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedPlan {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<SavedChange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<SavedCheck>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<SavedDataRead>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<SavedDrift>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub errored: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<String>,
    #[serde(default, skip_serializing_if = "Layouts::is_empty")]
    pub layouts: Layouts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invocations: Vec<SavedInvocation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, SavedOutput>,
    pub purpose: SavedPurpose,
    pub state: SavedState,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    pub timestamp: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Text>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedChange {
    pub action: SavedAction,
    pub address: String,
    pub after: Text,
    pub before: Text,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<SavedCause>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub create_before_destroy: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub identity: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importing: Option<String>,
    /// Concealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_private: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_address: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prior_dependencies: Vec<String>,
    /// Concealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_private: Option<String>,
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SavedReason>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replace_paths: Vec<SavedPath>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub schema_version: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedCause {
    pub origin: SavedOrigin,
    pub path: SavedPath,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum SavedOrigin {
    Configuration { file: String, line: usize },
    Drift,
    Provider,
    Reference(Vec<String>),
}

pub(super) type SavedPath = Vec<SavedStep>;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum SavedStep {
    Any,
    Attribute(String),
    Index(usize),
    Key(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedDrift {
    pub address: String,
    pub after: Text,
    pub before: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<SavedPath>,
    pub provider: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub relevant: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedDataRead {
    pub address: String,
    pub provider: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub schema_version: i64,
    pub value: Text,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedInvocation {
    pub address: String,
    pub config: Text,
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<SavedTrigger>,
}

/// What triggers an invocation; one that was asked for has none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedTrigger {
    pub block: usize,
    pub event: String,
    pub index: usize,
    pub resource: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedOutput {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub after: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub before: Option<Text>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub sensitive: bool,
    /// A null of the type, which is how a value says its type.
    pub ty: Text,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedCheck {
    pub address: String,
    pub config_address: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    pub status: SavedCheckStatus,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedState {
    pub digest: String,
    pub lineage: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub records: BTreeMap<String, String>,
    pub serial: u64,
}

/// Defines a saved word for each of an enumeration's words, with conversions both ways.
macro_rules! words {
    ($saved:ident, $domain:path { $($word:ident),* $(,)? }) => {
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub(super) enum $saved {
            $($word),*
        }

        impl From<$domain> for $saved {
            fn from(word: $domain) -> $saved {
                use $domain as Domain;
                match word {
                    $(Domain::$word => $saved::$word),*
                }
            }
        }

        impl From<$saved> for $domain {
            fn from(word: $saved) -> $domain {
                use $domain as Domain;
                match word {
                    $($saved::$word => Domain::$word),*
                }
            }
        }
    };
}

words!(SavedPurpose, crate::plan::Purpose { Normal, Destroy, RefreshOnly });
words!(
    SavedAction,
    crate::plan::Action { NoOp, Create, Read, Update, DeleteThenCreate, CreateThenDelete, Delete, Forget }
);
words!(SavedCheckStatus, crate::plan::CheckStatus { Pass, Fail, Error, Unknown });
words!(
    SavedReason,
    crate::plan::Reason {
        ReplaceBecauseCannotUpdate,
        ReplaceBecauseTainted,
        ReplaceByRequest,
        ReplaceByTriggers,
        DeleteBecauseNoResourceConfig,
        DeleteBecauseWrongRepetition,
        DeleteBecauseCountIndex,
        DeleteBecauseEachKey,
        DeleteBecauseNoModule,
        DeleteBecauseNoMoveTarget,
        DeleteBecauseDisabled,
        ReadBecauseConfigUnknown,
        ReadBecauseDependencyPending,
        ReadBecauseCheckNested,
    }
);

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A value that is there, also if it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Text::deserialize(deserializer).map(Some)
}
