//! Ephemeral resources. They are validated and opened with a [`super::ConfigRequest`].

use bytes::Bytes;
use prost::Message;

use super::common::{Deferred, Diagnostic, DynamicValue, Timestamp};

#[derive(Clone, PartialEq, Eq, Message)]
pub struct OpenEphemeralResourceResponse {
    #[prost(message, repeated, tag = "1")]
    pub diagnostics: Vec<Diagnostic>,
    #[prost(message, optional, tag = "2")]
    pub renew_at: Option<Timestamp>,
    #[prost(message, optional, tag = "3")]
    pub result: Option<DynamicValue>,
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub private: Option<Bytes>,
    #[prost(message, optional, tag = "5")]
    pub deferred: Option<Deferred>,
}

/// Renews or closes.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct EphemeralPrivateRequest {
    #[prost(string, tag = "1")]
    pub type_name: String,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub private: Option<Bytes>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct RenewEphemeralResourceResponse {
    #[prost(message, repeated, tag = "1")]
    pub diagnostics: Vec<Diagnostic>,
    #[prost(message, optional, tag = "2")]
    pub renew_at: Option<Timestamp>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub private: Option<Bytes>,
}
