//! Graph, plan, changeset and execution.

pub mod object;
