//! The provider as a whole: metadata, schemas, configuration, stop.

use std::collections::BTreeMap;

use prost::Message;

use super::common::{ClientCapabilities, Diagnostic, DynamicValue, ServerCapabilities};
use super::schema::ResourceIdentitySchema;

#[derive(Clone, PartialEq, Message)]
pub struct GetMetadataResponse {
    #[prost(message, optional, tag = "1")]
    pub server_capabilities: Option<ServerCapabilities>,
    #[prost(message, repeated, tag = "2")]
    pub diagnostics: Vec<Diagnostic>,
    #[prost(message, repeated, tag = "3")]
    pub data_sources: Vec<Named>,
    #[prost(message, repeated, tag = "4")]
    pub resources: Vec<Named>,
    #[prost(message, repeated, tag = "5")]
    pub functions: Vec<Named>,
    #[prost(message, repeated, tag = "6")]
    pub ephemeral_resources: Vec<Named>,
    #[prost(message, repeated, tag = "7")]
    pub list_resources: Vec<Named>,
    #[prost(message, repeated, tag = "8")]
    pub state_stores: Vec<Named>,
    #[prost(message, repeated, tag = "9")]
    pub actions: Vec<Named>,
}

/// The metadata of one type or function: its name.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Named {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// All schemas of a provider.
///
/// Schemas and functions stay encoded, each as the bytes of its message: a big provider has thousands of types and
/// a configuration uses a few, so each is decoded when it is asked for, and the bytes are what the cache keeps.
#[derive(Clone, PartialEq, Message)]
pub struct GetProviderSchemaResponse {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub provider: Option<Vec<u8>>,
    #[prost(btree_map = "string, bytes", tag = "2")]
    pub resource_schemas: BTreeMap<String, Vec<u8>>,
    #[prost(btree_map = "string, bytes", tag = "3")]
    pub data_source_schemas: BTreeMap<String, Vec<u8>>,
    #[prost(message, repeated, tag = "4")]
    pub diagnostics: Vec<Diagnostic>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub provider_meta: Option<Vec<u8>>,
    #[prost(message, optional, tag = "6")]
    pub server_capabilities: Option<ServerCapabilities>,
    #[prost(btree_map = "string, bytes", tag = "7")]
    pub functions: BTreeMap<String, Vec<u8>>,
    #[prost(btree_map = "string, bytes", tag = "8")]
    pub ephemeral_resource_schemas: BTreeMap<String, Vec<u8>>,
    #[prost(btree_map = "string, bytes", tag = "9")]
    pub list_resource_schemas: BTreeMap<String, Vec<u8>>,
    #[prost(btree_map = "string, bytes", tag = "10")]
    pub state_store_schemas: BTreeMap<String, Vec<u8>>,
    #[prost(btree_map = "string, bytes", tag = "11")]
    pub action_schemas: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetResourceIdentitySchemasResponse {
    #[prost(btree_map = "string, message", tag = "1")]
    pub identity_schemas: BTreeMap<String, ResourceIdentitySchema>,
    #[prost(message, repeated, tag = "2")]
    pub diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ValidateProviderConfigRequest {
    #[prost(message, optional, tag = "1")]
    pub config: Option<DynamicValue>,
}

/// `prepared_config` exists in protocol 5 only, and hosts do not use it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ValidateProviderConfigResponse {
    #[prost(message, optional, tag = "1")]
    pub prepared_config: Option<DynamicValue>,
    #[prost(message, repeated, tag = "2")]
    pub diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ConfigureProviderRequest {
    #[prost(string, tag = "1")]
    pub terraform_version: String,
    #[prost(message, optional, tag = "2")]
    pub config: Option<DynamicValue>,
    #[prost(message, optional, tag = "3")]
    pub client_capabilities: Option<ClientCapabilities>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct StopProviderResponse {
    #[prost(string, tag = "1")]
    pub error: String,
}
