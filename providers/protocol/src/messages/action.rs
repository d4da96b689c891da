//! Actions. They are validated, planned and invoked with a [`super::ConfigRequest`].

use prost::{Message, Oneof};

use super::common::{Deferred, Diagnostic};

/// The schema of an action: a schema in a message of its own, still encoded.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ActionSchema {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub schema: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct PlanActionResponse {
    #[prost(message, repeated, tag = "1")]
    pub diagnostics: Vec<Diagnostic>,
    #[prost(message, optional, tag = "2")]
    pub deferred: Option<Deferred>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct InvokeActionEvent {
    #[prost(oneof = "InvokeActionEventType", tags = "1, 2")]
    pub r#type: Option<InvokeActionEventType>,
}

#[derive(Clone, PartialEq, Eq, Oneof)]
pub enum InvokeActionEventType {
    #[prost(message, tag = "1")]
    Progress(ActionProgress),
    #[prost(message, tag = "2")]
    Completed(super::common::DiagnosticsResponse),
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ActionProgress {
    #[prost(string, tag = "1")]
    pub message: String,
}
