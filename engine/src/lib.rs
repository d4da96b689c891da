//! Graph, plan, changeset and execution: what is to be done, in which order, and doing it.

pub mod event;
pub mod graph;
pub mod plan;
pub mod providers;
pub mod recorded;
