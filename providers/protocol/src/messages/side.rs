//! The services beside the provider on the same connection: controller, standard output, broker, health.

use bytes::Bytes;
use prost::{Enumeration, Message};

/// A piece of what the plugin wrote to its standard output or error.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct StdioData {
    #[prost(enumeration = "StdioChannel", tag = "1")]
    pub channel: i32,
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum StdioChannel {
    Invalid = 0,
    Stdout = 1,
    Stderr = 2,
}

/// A connection that the broker offers.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ConnInfo {
    #[prost(uint32, tag = "1")]
    pub service_id: u32,
    #[prost(string, tag = "2")]
    pub network: String,
    #[prost(string, tag = "3")]
    pub address: String,
    #[prost(message, optional, tag = "4")]
    pub knock: Option<Knock>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Knock {
    #[prost(bool, tag = "1")]
    pub knock: bool,
    #[prost(bool, tag = "2")]
    pub ack: bool,
    #[prost(string, tag = "3")]
    pub error: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    pub service: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct HealthCheckResponse {
    #[prost(enumeration = "ServingStatus", tag = "1")]
    pub status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ServingStatus {
    Unknown = 0,
    Serving = 1,
    NotServing = 2,
}
