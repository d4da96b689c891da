//! From a configuration and a state to what is to be done.

//!
//! [`plan`] visits a program in the order of its references and gives a [`Plan`]. The stages:
//!
//! - [`prior`]: what is recorded, `moves`: with `moved` blocks applied;
//! - [`target`]: which part is planned;
//! - `walk`: the coordinator; `resource`: what it does for resources and providers;
//! - `instance`: one object, `data`: reading data sources;
//! - `conditions`: what came of checks and other conditions;
//! - `causes`: why an attribute changes; `outcome`: the plan as a whole.
//!
//! Elsewhere: comparing and merging objects is [`crate::object`], carrying a plan out [`crate::execute`].

mod causes;
pub(crate) mod conditions;
pub(crate) mod data;
pub(crate) mod instance;
pub mod invoking;
mod layout;
mod model;
mod moved;
mod moves;
pub(crate) mod outcome;
pub mod prior;
pub(crate) mod resource;
pub mod target;
mod walk;

pub use instance::Resolution;
pub use layout::{Layout, Layouts};
pub use model::{
    Action, Cause, Change, CheckResult, CheckStatus, DataRead, Drift, Invocation, Origin, OutputChange, Plan,
    Purpose, Reason, StateBinding, Summary, Trigger,
};
pub use prior::{Kept, Prior};
pub(crate) use walk::plan_back;
pub use walk::{Inputs, Options, Planning, plan};
