//! Graph, plan, changeset and execution.
