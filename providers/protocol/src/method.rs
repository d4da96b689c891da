//! The calls of the protocol and the names that they have in each major version.

use std::fmt;

/// A major version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Protocol 5, which most providers written with the older SDK speak.
    V5,
    /// Protocol 6: nested attribute types, and clearer method names.
    V6,
}

impl Version {
    /// Both, in ascending order.
    pub const ALL: [Version; 2] = [Version::V5, Version::V6];

    /// The version of a number, if Plumb speaks it.
    pub fn from_number(number: u64) -> Option<Version> {
        Version::ALL.into_iter().find(|v| v.number() == number)
    }

    /// 5 or 6.
    pub fn number(self) -> u64 {
        match self {
            Version::V5 => 5,
            Version::V6 => 6,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// The one table of calls that have one request and one response: the name in protocol 6, the name in protocol 5
/// where it differs, the name in Rust, request and response. `$user` is a macro that makes something of it.
macro_rules! unary_calls {
    ($user:ident) => {
        $user! {
            /// Names of all types and functions, without schemas.
            GetMetadata, "GetMetadata", get_metadata(Empty) -> GetMetadataResponse;
            /// All schemas and capabilities.
            GetProviderSchema, "GetSchema", get_provider_schema(Empty) -> GetProviderSchemaResponse;
            /// Schemas of the identities of resources.
            GetResourceIdentitySchemas, "GetResourceIdentitySchemas",
                get_resource_identity_schemas(Empty) -> GetResourceIdentitySchemasResponse;
            /// Checks the provider's configuration.
            ValidateProviderConfig, "PrepareProviderConfig",
                validate_provider_config(ValidateProviderConfigRequest) -> ValidateProviderConfigResponse;
            /// Checks a resource's configuration.
            ValidateResourceConfig, "ValidateResourceTypeConfig",
                validate_resource_config(ConfigRequest) -> DiagnosticsResponse;
            /// Checks a data source's configuration.
            ValidateDataResourceConfig, "ValidateDataSourceConfig",
                validate_data_resource_config(ConfigRequest) -> DiagnosticsResponse;
            /// Brings saved state to the current schema.
            UpgradeResourceState, "UpgradeResourceState",
                upgrade_resource_state(UpgradeResourceStateRequest) -> UpgradeResourceStateResponse;
            /// Brings a saved identity to the current schema.
            UpgradeResourceIdentity, "UpgradeResourceIdentity",
                upgrade_resource_identity(UpgradeResourceIdentityRequest) -> UpgradeResourceIdentityResponse;
            /// Gives the provider its configuration.
            ConfigureProvider, "Configure", configure_provider(ConfigureProviderRequest) -> DiagnosticsResponse;
            /// Reads an object.
            ReadResource, "ReadResource", read_resource(ReadResourceRequest) -> ReadResourceResponse;
            /// Forecasts a change.
            PlanResourceChange, "PlanResourceChange",
                plan_resource_change(PlanResourceChangeRequest) -> PlanResourceChangeResponse;
            /// Makes a change.
            ApplyResourceChange, "ApplyResourceChange",
                apply_resource_change(ApplyResourceChangeRequest) -> ApplyResourceChangeResponse;
            /// Adopts an existing object.
            ImportResourceState, "ImportResourceState",
                import_resource_state(ImportResourceStateRequest) -> ImportResourceStateResponse;
            /// Adopts an object from another resource type.
            MoveResourceState, "MoveResourceState",
                move_resource_state(MoveResourceStateRequest) -> MoveResourceStateResponse;
            /// Reads a data source.
            ReadDataSource, "ReadDataSource", read_data_source(ReadDataSourceRequest) -> ReadDataSourceResponse;
            /// Writes the configuration that an object would have.
            GenerateResourceConfig, "GenerateResourceConfig",
                generate_resource_config(GenerateResourceConfigRequest) -> GenerateResourceConfigResponse;
            /// Checks an ephemeral resource's configuration.
            ValidateEphemeralResourceConfig, "ValidateEphemeralResourceConfig",
                validate_ephemeral_resource_config(ConfigRequest) -> DiagnosticsResponse;
            /// Opens an ephemeral resource.
            OpenEphemeralResource, "OpenEphemeralResource",
                open_ephemeral_resource(ConfigRequest) -> OpenEphemeralResourceResponse;
            /// Keeps an ephemeral resource open.
            RenewEphemeralResource, "RenewEphemeralResource",
                renew_ephemeral_resource(EphemeralPrivateRequest) -> RenewEphemeralResourceResponse;
            /// Closes an ephemeral resource.
            CloseEphemeralResource, "CloseEphemeralResource",
                close_ephemeral_resource(EphemeralPrivateRequest) -> DiagnosticsResponse;
            /// Checks the configuration of a listing.
            ValidateListResourceConfig, "ValidateListResourceConfig",
                validate_list_resource_config(ValidateListResourceConfigRequest) -> DiagnosticsResponse;
            /// Descriptions of functions, also those that only a configured provider has.
            GetFunctions, "GetFunctions", get_functions(Empty) -> GetFunctionsResponse;
            /// Calls a function.
            CallFunction, "CallFunction", call_function(CallFunctionRequest) -> CallFunctionResponse;
            /// Checks an action's configuration.
            ValidateActionConfig, "ValidateActionConfig",
                validate_action_config(ConfigRequest) -> DiagnosticsResponse;
            /// Asks whether an action can be invoked.
            PlanAction, "PlanAction", plan_action(ConfigRequest) -> PlanActionResponse;
            /// Asks the provider to end what it is doing.
            StopProvider, "Stop", stop_provider(Empty) -> StopProviderResponse;
        }
    };
}
pub(crate) use unary_calls;

macro_rules! method_enum {
    ($($(#[$doc:meta])* $six:ident, $five:literal, $_rust:ident($_request:ty) -> $_response:ty;)*) => {
        /// A call of the provider service, by its name in protocol 6.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Method {
            $($(#[$doc])* $six,)*
            /// Lists existing objects, as a stream.
            ListResource,
            /// Invokes an action; progress comes as a stream.
            InvokeAction,
        }

        impl Method {
            /// The path that the call has in HTTP/2.
            pub fn path(self, version: Version) -> &'static str {
                match (self, version) {
                    $(
                        (Method::$six, Version::V6) => concat!("/tfplugin6.Provider/", stringify!($six)),
                        (Method::$six, Version::V5) => concat!("/tfplugin5.Provider/", $five),
                    )*
                    (Method::ListResource, Version::V6) => "/tfplugin6.Provider/ListResource",
                    (Method::ListResource, Version::V5) => "/tfplugin5.Provider/ListResource",
                    (Method::InvokeAction, Version::V6) => "/tfplugin6.Provider/InvokeAction",
                    (Method::InvokeAction, Version::V5) => "/tfplugin5.Provider/InvokeAction",
                }
            }
        }
    };
}

unary_calls!(method_enum);

/// Paths of the services beside the provider.
pub mod side {
    /// Ends the plugin.
    pub const SHUTDOWN: &str = "/plugin.GRPCController/Shutdown";
    /// What the plugin writes to standard output and error, as a stream.
    pub const STREAM_STDIO: &str = "/plugin.GRPCStdio/StreamStdio";
    /// Offers of further connections, as a stream both ways.
    pub const BROKER: &str = "/plugin.GRPCBroker/StartStream";
    /// Whether a service is up.
    pub const HEALTH: &str = "/grpc.health.v1.Health/Check";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_5_has_names_of_its_own() {
        assert_eq!(Method::GetProviderSchema.path(Version::V5), "/tfplugin5.Provider/GetSchema");
        assert_eq!(Method::GetProviderSchema.path(Version::V6), "/tfplugin6.Provider/GetProviderSchema");
        assert_eq!(Method::ReadResource.path(Version::V5), "/tfplugin5.Provider/ReadResource");
    }
}
