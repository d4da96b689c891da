//! What a sealed plan holds: a plan, and everything besides that executing it needs.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use plumb_model::Value;
use plumb_model::address::{Instance, ProviderSource};

use crate::plan::Plan;

/// A plan with everything that executing it needs, so that nothing is read from a working directory again.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// The plan.
    pub plan: Plan,
    /// Every file of the configuration, of the root module and of those that it calls, by path relative to the
    /// directory of the root module.
    pub sources: BTreeMap<String, Vec<u8>>,
    /// Files that functions read, by path relative to the directory of the root module.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The values of root variables as they were given, before conversion. Sensitive ones are marked; those of
    /// variables whose value in the plan is ephemeral are not saved and must be given again.
    pub inputs: BTreeMap<EcoString, Value>,
    /// The ephemeral root variables that were given a value, which must be given one again, and no others.
    pub ephemeral_inputs: BTreeSet<EcoString>,
    /// The name of the workspace.
    pub workspace: String,
    /// How the plan was made.
    pub options: PlanOptions,
    /// The providers that the plan was made with.
    pub providers: Vec<ProviderLock>,
    /// The version of the program that made the plan.
    pub engine: String,
}

/// How a plan was made, as far as the plan itself does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Whether objects were looked at before planning.
    pub refresh: bool,
    /// What was to be replaced whatever is found.
    pub replace: Vec<Instance>,
}

/// Exactly which provider a plan was made with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProviderLock {
    /// Where the provider comes from.
    pub source: ProviderSource,
    /// Its version; that of the program for one that is compiled in.
    pub version: String,
    /// A digest of its executable with the name of the algorithm before it, for example `sha256:…`; empty for one that
    /// is compiled in.
    pub digest: String,
}
