//! What a plan is: data that can be shown, saved, compared and executed.
//!
//! A [`Plan`] holds one [`Change`] for every instance that was considered, also for those that stay as they are. Its
//! values carry marks and unknowns. What reviewers read, what is saved, and what execution carries out are all made
//! from it; nothing in it depends on when or in which order things were planned.

use std::collections::BTreeMap;

use bytes::Bytes;
use ecow::EcoString;
use plumb_model::address::{ConfigResource, Instance, ModuleInstance, ProviderConfig};
use plumb_model::{Path, Type, Value};
use plumb_semantics::program::TriggerEvent;

use super::layout::Layouts;

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To make things as the configuration says.
    Normal,
    /// To delete everything.
    Destroy,
    /// To record what has changed outside, and change nothing.
    RefreshOnly,
}

/// What becomes of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Stays as it is.
    NoOp,
    /// Is created.
    Create,
    /// Is read while executing, since what it depends on is not known before.
    Read,
    /// Is changed in place.
    Update,
    /// Is deleted, then another is created.
    DeleteThenCreate,
    /// Another is created, then it is deleted.
    CreateThenDelete,
    /// Is deleted.
    Delete,
    /// Is left as it is and no longer managed.
    Forget,
}

impl Action {
    /// Whether the object is replaced by another, in either order.
    pub fn is_replace(self) -> bool {
        matches!(self, Action::DeleteThenCreate | Action::CreateThenDelete)
    }

    /// Whether an object ceases to exist.
    pub fn deletes(self) -> bool {
        self == Action::Delete || self.is_replace()
    }

    /// The word for it in machine-readable output, for example `create`, and `replace` for both orders.
    pub fn word(self) -> &'static str {
        match self {
            Action::NoOp => "no-op",
            Action::Create => "create",
            Action::Read => "read",
            Action::Update => "update",
            Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
            Action::Delete => "delete",
            Action::Forget => "forget",
        }
    }
}

/// Why an instance is replaced, deleted or read late, in the terms of Terraform's plan JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// An attribute changes that cannot change in place; see [`Change::replace_paths`].
    ReplaceBecauseCannotUpdate,
    /// The object was left half made.
    ReplaceBecauseTainted,
    /// `-replace` asked for it.
    ReplaceByRequest,
    /// Something in `replace_triggered_by` changes.
    ReplaceByTriggers,
    /// No block declares it any more.
    DeleteBecauseNoResourceConfig,
    /// The block says `count` or `for_each` where the instance has no key, or the reverse.
    DeleteBecauseWrongRepetition,
    /// `count` is no longer above its index.
    DeleteBecauseCountIndex,
    /// `for_each` no longer has its key.
    DeleteBecauseEachKey,
    /// The module instance is gone.
    DeleteBecauseNoModule,
    /// The destination of a `moved` block does not exist.
    DeleteBecauseNoMoveTarget,
    /// `enabled` is false.
    DeleteBecauseDisabled,
    /// The configuration of the data source is not known before executing.
    ReadBecauseConfigUnknown,
    /// Something that the data source waits for changes.
    ReadBecauseDependencyPending,
    /// A check reads it.
    ReadBecauseCheckNested,
}

impl Reason {
    /// As Terraform's plan JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            Reason::ReplaceBecauseCannotUpdate => "replace_because_cannot_update",
            Reason::ReplaceBecauseTainted => "replace_because_tainted",
            Reason::ReplaceByRequest => "replace_by_request",
            Reason::ReplaceByTriggers => "replace_by_triggers",
            Reason::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
            Reason::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
            Reason::DeleteBecauseCountIndex => "delete_because_count_index",
            Reason::DeleteBecauseEachKey => "delete_because_each_key",
            Reason::DeleteBecauseNoModule => "delete_because_no_module",
            Reason::DeleteBecauseNoMoveTarget => "delete_because_no_move_target",
            Reason::DeleteBecauseDisabled => "delete_because_disabled",
            Reason::ReadBecauseConfigUnknown => "read_because_config_unknown",
            Reason::ReadBecauseDependencyPending => "read_because_dependency_pending",
            Reason::ReadBecauseCheckNested => "read_because_check_nested",
        }
    }
}

/// What led to the change of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The attribute.
    pub path: Path,
    /// What led to it.
    pub origin: Origin,
}

/// Where a change comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration says something else than what is recorded.
    Configuration {
        /// The file as the user knows it.
        file: EcoString,
        /// The line, from 1.
        line: usize,
    },
    /// Someone changed the object since it was recorded.
    Drift,
    /// What it refers to is known only after it has been changed.
    Reference {
        /// The addresses referred to, as written.
        addresses: Vec<EcoString>,
    },
    /// The provider chooses the value anew.
    Provider,
}

/// What becomes of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The instance.
    pub address: Instance,
    /// Where the instance was before it was moved.
    pub previous_address: Option<Instance>,
    /// The key of a former object that waits to be deleted, where the change is about that.
    pub deposed: Option<EcoString>,
    /// The provider configuration that manages it.
    pub provider: ProviderConfig,
    /// What is done.
    pub action: Action,
    /// Why, where that is not plain from the values.
    pub reason: Option<Reason>,
    /// The object as it is; null if there is none.
    pub before: Value,
    /// The object afterwards, as far as known; null if there is none.
    pub after: Value,
    /// Attributes that cannot change in place, and change.
    pub replace_paths: Vec<Path>,
    /// What led to the changes, by attribute.
    pub causes: Vec<Cause>,
    /// The id or identity, if the object is taken under management by this change.
    pub importing: Option<EcoString>,
    /// Whether a replacement is created before the object is deleted, now and when it is deleted later.
    pub create_before_destroy: bool,
    /// The resource blocks that it depends on, directly or through what is not a resource.
    pub dependencies: Vec<ConfigResource>,
    /// The resource blocks that the object, as recorded, depends on.
    pub prior_dependencies: Vec<ConfigResource>,
    /// What the provider wants remembered with the object as it is.
    pub prior_private: Bytes,
    /// What the provider wants back when it carries the change out.
    pub planned_private: Bytes,
    /// The version of the schema that the values have.
    pub schema_version: i64,
    /// The object's identity as planned.
    pub identity: Option<Value>,
}

impl Change {
    /// Whether anything is done: an action, a move, or an import.
    pub fn is_effective(&self) -> bool {
        self.action != Action::NoOp || self.previous_address.is_some() || self.importing.is_some()
    }
}

/// An object that is not as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The instance.
    pub address: Instance,
    /// The key of a former object, where it is about that.
    pub deposed: Option<EcoString>,
    /// The provider configuration that manages it.
    pub provider: ProviderConfig,
    /// As recorded.
    pub before: Value,
    /// As it is; null if it is gone.
    pub after: Value,
    /// The attributes that differ.
    pub paths: Vec<Path>,
    /// Whether the plan is different because of it.
    pub relevant: bool,
}

/// A data source that was read while planning.
#[derive(Clone, Debug, PartialEq)]
pub struct DataRead {
    /// The instance.
    pub address: Instance,
    /// The provider configuration that read it.
    pub provider: ProviderConfig,
    /// What was read, with marks.
    pub value: Value,
    /// The version of the schema that the value has.
    pub schema_version: i64,
}

/// An action that is going to be invoked.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The instance of the action.
    pub address: Instance,
    /// The provider configuration that invokes it.
    pub provider: ProviderConfig,
    /// What it is told, as far as known, with marks. Ephemeral parts are unknown here.
    pub config: Value,
    /// Why it is invoked.
    pub trigger: Trigger,
}

/// Why an action is invoked. The order is that in which actions are invoked for one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// Something happens to an instance of a resource.
    Lifecycle {
        /// The instance.
        resource: Instance,
        /// What happens to it.
        event: TriggerEvent,
        /// Which `action_trigger` block of it says so, from 0.
        block: usize,
        /// Which element of `actions` in that, from 0.
        index: usize,
    },
    /// `-invoke` asked for it.
    Request,
}

impl Invocation {
    /// The instance whose change triggers it, with the event.
    pub fn triggered_by(&self) -> Option<(&Instance, TriggerEvent)> {
        match &self.trigger {
            Trigger::Lifecycle { resource, event, .. } => Some((resource, *event)),
            Trigger::Request => None,
        }
    }
}

/// What becomes of an output of the root module.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputChange {
    /// As recorded; `None` if it was not.
    pub before: Option<Value>,
    /// Afterwards, as far as known; `None` if no block declares it any more.
    pub after: Option<Value>,
    /// Never shown.
    pub sensitive: bool,
    /// Its type, where that is known.
    pub ty: Type,
}

impl OutputChange {
    /// Whether it is created, changed or deleted.
    pub fn action(&self) -> Action {
        match (&self.before, &self.after) {
            (None, None) => Action::NoOp,
            (None, Some(_)) => Action::Create,
            (Some(_), None) => Action::Delete,
            (Some(before), Some(after)) if before.unmark_deep().0 == after.unmark_deep().0 => Action::NoOp,
            _ => Action::Update,
        }
    }
}

/// How a check turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// Every condition holds.
    Pass,
    /// A condition does not hold.
    Fail,
    /// A condition could not be evaluated.
    Error,
    /// A condition is not known before executing.
    Unknown,
}

/// How the conditions of one object turned out.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    /// What has the conditions: `resource`, `output`, `check` or `var`.
    pub kind: &'static str,
    /// The address of the block.
    pub config_address: EcoString,
    /// The address of the instance.
    pub address: EcoString,
    /// How it turned out.
    pub status: CheckStatus,
    /// What the failed conditions say.
    pub messages: Vec<EcoString>,
}

/// The state that a plan was made from. Executing it on another is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateBinding {
    /// Fixed when the state was made.
    pub lineage: String,
    /// Counts the changes of the state.
    pub serial: u64,
    /// Digest over the records of the state.
    pub digest: String,
    /// Digest of each record by its key, so that it can be said which moved.
    pub records: BTreeMap<String, String>,
}

/// What is going to be done, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it is for.
    pub purpose: Purpose,
    /// What becomes of each object, by address.
    pub changes: Vec<Change>,
    /// What was changed outside, by address.
    pub drift: Vec<Drift>,
    /// Actions that are invoked, in order for each resource.
    pub invocations: Vec<Invocation>,
    /// Data sources that were read, by address.
    pub data: Vec<DataRead>,
    /// What becomes of each output of the root module.
    pub outputs: BTreeMap<EcoString, OutputChange>,
    /// How conditions turned out, by address.
    pub checks: Vec<CheckResult>,
    /// The variables of the root module as they were given or by default.
    pub variables: BTreeMap<EcoString, Value>,
    /// What `-target` named.
    pub targets: Vec<EcoString>,
    /// What `-exclude` named.
    pub excludes: Vec<EcoString>,
    /// Every module instance that the configuration expands to.
    pub modules: Vec<ModuleInstance>,
    /// What the types of the objects look like to a reader.
    pub layouts: Layouts,
    /// The state it was made from.
    pub state: StateBinding,
    /// When it was made, as RFC 3339 in UTC.
    pub timestamp: String,
    /// Whether planning stopped with errors; such a plan is only to be looked at.
    pub errored: bool,
}

/// How many objects a plan creates, changes and so on. A replacement is counted once, as such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Created.
    pub create: usize,
    /// Changed in place.
    pub update: usize,
    /// Replaced.
    pub replace: usize,
    /// Deleted.
    pub delete: usize,
    /// No longer managed.
    pub forget: usize,
    /// Taken under management.
    pub import: usize,
    /// Moved to another address.
    pub moved: usize,
    /// Read while executing.
    pub read: usize,
    /// Actions invoked.
    pub invoke: usize,
}

impl Plan {
    /// Counts the changes.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { invoke: self.invocations.len(), ..Summary::default() };
        for change in &self.changes {
            match change.action {
                Action::NoOp => {}
                Action::Create => summary.create += 1,
                Action::Read => summary.read += 1,
                Action::Update => summary.update += 1,
                Action::DeleteThenCreate | Action::CreateThenDelete => summary.replace += 1,
                Action::Delete => summary.delete += 1,
                Action::Forget => summary.forget += 1,
            }
            summary.import += usize::from(change.importing.is_some());
            summary.moved += usize::from(change.previous_address.is_some());
        }
        summary
    }

    /// Whether executing it would change an object, the state or an output.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(Change::is_effective)
            || !self.invocations.is_empty()
            || self.outputs.values().any(|o| o.action() != Action::NoOp)
            || self.purpose == Purpose::RefreshOnly && !self.drift.is_empty()
    }

    /// Whether it may be executed.
    pub fn is_applyable(&self) -> bool {
        !self.errored && self.has_changes()
    }
}
