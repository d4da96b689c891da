//! Going back to the state before an operation.
//!
//! [`Way::read`] finds out from history what was recorded then and what is recorded now (`history`). [`plan`] makes a
//! [`Plan`](crate::plan::Plan) of it, object by object, by asking providers as any planning does; the configuration it
//! asks with is derived from the recorded before-image. [`execute`] carries it out like any plan.
//!
//! - Was there and is there: updated or replaced, as the provider says.
//! - Was there and is not: created anew from its before-image. It is another object, with another identity.
//! - Was not there and is: deleted, if a step made it; if it was taken under management, only its record goes.
//! - Only records changed (moved, removed, taken in, refreshed): the record goes back, no object is touched.
//!
//! What always holds: nothing that somebody else changed is overwritten. Every object is read while planning, and once
//! more right before its step. If it is not as recorded, it is a [`Conflict`] and is left out; everything else goes back.
//! An object that is gone is made anew, which overwrites nothing. `prevent_destroy` of the present configuration holds.
//!
//! The configuration of the working directory serves for one thing: it configures the providers. Its resources are
//! neither evaluated nor planned, except as far as provider configurations refer to them, and then as recorded.
//!
//! How exactly each object comes back is its [`Class`], with reasons.

mod guard;
mod history;
mod item;
mod plan;

use std::collections::BTreeMap;

use ecow::EcoString;
use plumb_model::address::Instance;
use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_state::OutputRecord;
use plumb_state::record::InstanceRecord;

pub use crate::execute::roll_back as execute;
pub use history::{Left, Way};
pub use plan::plan;

pub(crate) use guard::unchanged;
pub(crate) use item::{Back, Item, Outcome, plan_item};

use crate::plan::{Action, Plan, Resolution};

/// How exactly an object is as it was, afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// As it was.
    Exact,
    /// There is one like it, which is another object.
    Recreate,
    /// As near as it gets; the reasons say what is different.
    None,
}

/// How a change is taken back.
#[derive(Clone, Debug)]
pub struct Undo {
    /// How exactly.
    pub class: Class,
    /// Why not exactly, in whole phrases without a full stop.
    pub reasons: Vec<EcoString>,
    pub(crate) how: How,
}

/// What a step of a rollback does, where the change does not say.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// What the action says, with this configuration; null for deletions.
    Provider(Value),
    /// This becomes the record; the object is not touched.
    Restore(Box<InstanceRecord>),
    /// The record is dropped; the object is not touched.
    Forget,
    /// The record becomes what was found; the object is not touched.
    Record,
}

/// Which change.
pub type ChangeKey = (Instance, Option<EcoString>);

/// An object that somebody changed since, or that must not be changed. It is left out.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The instance.
    pub address: Instance,
    /// What was found, for the user; names the attributes.
    pub diagnostic: Diagnostic,
}

/// The way back as a plan.
#[derive(Clone, Debug)]
pub struct RollbackPlan {
    /// The operation whose state before is gone back to.
    pub number: u64,
    /// The last operation that is taken back.
    pub last: u64,
    /// What is done, in the terms of any plan. Steps about records alone are no-ops in it.
    pub plan: Plan,
    /// How each change of the plan is taken back.
    pub undo: BTreeMap<ChangeKey, Undo>,
    /// What is left out since somebody changed it.
    pub conflicts: Vec<Conflict>,
    /// What cannot be taken back at all.
    pub left: Vec<Left>,
    pub(crate) outputs: Option<BTreeMap<String, OutputRecord>>,
}

/// What planning the way back gives.
pub struct Planning {
    /// The plan. With errors among the diagnostics it is only to be looked at.
    pub plan: RollbackPlan,
    /// What became of steps that were in flight when their process ended. If there are any, they must be saved, the
    /// way be read again and a new plan be made: this one is empty.
    pub resolved: Vec<Resolution>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl Undo {
    /// What is done about records alone, as a phrase; `None` if a provider is asked to do something.
    pub fn record_only(&self) -> Option<&'static str> {
        match &self.how {
            How::Provider(_) => None,
            How::Restore(_) => Some("its record goes back, the object is not touched"),
            How::Forget => Some("its record is dropped, the object is not touched"),
            How::Record => Some("is as it was already, and is recorded so"),
        }
    }
}

impl RollbackPlan {
    /// Whether executing it would change an object, a record or an output.
    pub fn has_changes(&self) -> bool {
        !self.undo.is_empty() || self.plan.outputs.values().any(|output| output.action() != Action::NoOp)
    }

    /// Whether everything that was done is taken back, if all of its steps succeed.
    pub fn is_whole(&self) -> bool {
        self.conflicts.is_empty() && self.left.is_empty()
    }

    /// How a change is taken back.
    pub fn undo_of(&self, change: &crate::plan::Change) -> Option<&Undo> {
        self.undo.get(&(change.address.clone(), change.deposed.clone()))
    }
}
