//! Graph, plan, changeset and execution: what is to be done, in which order, and doing it.
//!
//! ```text
//! Program + Prior state ─plan::plan→ Plan ─execute::execute→ Journal, Events → state
//! ```
//!
//! [`plan`] decides everything; [`execute`] decides nothing. Providers are known by their contract alone and never
//! trusted: [`object`] computes and checks what goes to them and what comes back.

pub mod adopt;
pub mod cancel;
pub mod changeset;
mod ephemeral;
pub mod event;
pub mod execute;
pub mod graph;
pub mod limits;
mod meta;
pub mod object;
pub mod order;
pub mod plan;
mod promise;
pub mod providers;
pub mod recorded;
pub mod rollback;
mod schedule;
pub mod trouble;
