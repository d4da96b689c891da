//! Calls over a connection, for either major version.
//!
//! A [`Client`] is cheap to clone and can have any number of calls in flight. It knows names and numbers only:
//! requests and responses are the structs of [`crate::messages`], and what a failure means to the user is said
//! by the caller, who knows the provider.

use prost::Message;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::messages::side::StdioData;
use crate::messages::{
    ApplyResourceChangeRequest, ApplyResourceChangeResponse, CallFunctionRequest, CallFunctionResponse,
    ConfigRequest, ConfigureProviderRequest, DiagnosticsResponse, Empty, EphemeralPrivateRequest,
    GenerateResourceConfigRequest, GenerateResourceConfigResponse, GetFunctionsResponse, GetMetadataResponse,
    GetProviderSchemaResponse, GetResourceIdentitySchemasResponse, ImportResourceStateRequest,
    ImportResourceStateResponse, InvokeActionEvent, ListResourceEvent, ListResourceRequest,
    MoveResourceStateRequest, MoveResourceStateResponse, OpenEphemeralResourceResponse, PlanActionResponse,
    PlanResourceChangeRequest, PlanResourceChangeResponse, ReadDataSourceRequest, ReadDataSourceResponse,
    ReadResourceRequest, ReadResourceResponse, RenewEphemeralResourceResponse, StopProviderResponse,
    UpgradeResourceIdentityRequest, UpgradeResourceIdentityResponse, UpgradeResourceStateRequest,
    UpgradeResourceStateResponse, ValidateListResourceConfigRequest, ValidateProviderConfigRequest,
    ValidateProviderConfigResponse,
};
use crate::method::{Method, Version, side, unary_calls};

/// Makes calls to one plugin.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    version: Version,
    limit: usize,
}

impl Client {
    /// Calls over `channel` in the given version of the protocol; no message may be larger than `limit` bytes.
    pub fn new(channel: Channel, version: Version, limit: usize) -> Client {
        Client { channel, version, limit }
    }

    /// The major version of the protocol that is spoken.
    pub fn version(&self) -> Version {
        self.version
    }

    async fn unary<Q, R>(&self, path: &'static str, request: Q) -> Result<R, Status>
    where
        Q: Message + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.grpc().await?;
        let codec = ProstCodec::<Q, R>::default();
        let response = grpc.unary(Request::new(request), PathAndQuery::from_static(path), codec).await?;
        Ok(response.into_inner())
    }

    async fn streaming<Q, R>(&self, path: &'static str, request: Q) -> Result<Streaming<R>, Status>
    where
        Q: Message + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.grpc().await?;
        let codec = ProstCodec::<Q, R>::default();
        let response =
            grpc.server_streaming(Request::new(request), PathAndQuery::from_static(path), codec).await?;
        Ok(response.into_inner())
    }

    async fn grpc(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone())
            .max_decoding_message_size(self.limit)
            .max_encoding_message_size(self.limit);
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        Ok(grpc)
    }

    /// Lists existing objects.
    ///
    /// # Errors
    /// As [`Client::read_resource`].
    pub async fn list_resource(
        &self,
        request: ListResourceRequest,
    ) -> Result<Streaming<ListResourceEvent>, Status> {
        self.streaming(Method::ListResource.path(self.version), request).await
    }

    /// Invokes an action.
    ///
    /// # Errors
    /// As [`Client::read_resource`].
    pub async fn invoke_action(
        &self,
        request: ConfigRequest,
    ) -> Result<Streaming<InvokeActionEvent>, Status> {
        self.streaming(Method::InvokeAction.path(self.version), request).await
    }

    /// What the plugin writes to its standard output and error, until it ends.
    ///
    /// # Errors
    /// As [`Client::read_resource`]; plugins without the service answer [`tonic::Code::Unimplemented`].
    pub async fn stream_stdio(&self) -> Result<Streaming<StdioData>, Status> {
        self.streaming(side::STREAM_STDIO, Empty {}).await
    }

    /// Ends the plugin. Plugins often end before they have answered, so that an error says nothing.
    ///
    /// # Errors
    /// As [`Client::read_resource`].
    pub async fn shutdown(&self) -> Result<Empty, Status> {
        self.unary(side::SHUTDOWN, Empty {}).await
    }
}

macro_rules! client_calls {
    ($($(#[$doc:meta])* $six:ident, $_five:literal, $rust:ident($request:ty) -> $response:ty;)*) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// The status of the call; a connection that is lost or cannot be made is
                /// [`tonic::Code::Unavailable`], a method that the plugin lacks [`tonic::Code::Unimplemented`].
                pub async fn $rust(&self, request: $request) -> Result<$response, Status> {
                    self.unary(Method::$six.path(self.version), request).await
                }
            )*
        }
    };
}

unary_calls!(client_calls);
