//! From a configuration and a state to what is to be done.

mod model;

pub use model::{
    Action, Cause, Change, CheckResult, CheckStatus, Drift, Origin, OutputChange, Plan, Purpose, Reason,
    StateBinding, Summary,
};
