//! The provider trait behind the messages: each call is taken apart, made, and its answer put together.
//!
//! What is wrong with a call becomes diagnostics of its answer, never a failure of the transport.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Schema, Type, Value};
use plumb_provider_api::{
    ApplyRequest, ImportTarget, MoveRequest, PlanRequest, Progress, Provider, ProviderSchema, RawState,
    ReadRequest,
};
use prost::Message;
use tokio::sync::OnceCell;
use tonic::Status;

use crate::messages::{
    self, ActionSchema, ApplyResourceChangeRequest, ApplyResourceChangeResponse, CallFunctionRequest,
    CallFunctionResponse, ConfigRequest, ConfigureProviderRequest, DiagnosticsResponse, DynamicValue, Empty,
    EphemeralPrivateRequest, FunctionError, GenerateResourceConfigRequest, GenerateResourceConfigResponse,
    GetFunctionsResponse, GetMetadataResponse, GetProviderSchemaResponse, GetResourceIdentitySchemasResponse,
    ImportResourceStateRequest, ImportResourceStateResponse, ImportedResource, MoveResourceStateRequest,
    MoveResourceStateResponse, Named, OpenEphemeralResourceResponse, PlanActionResponse,
    PlanResourceChangeRequest, PlanResourceChangeResponse, ReadDataSourceRequest, ReadDataSourceResponse,
    ReadResourceRequest, ReadResourceResponse, RenewEphemeralResourceResponse, ResourceIdentityData,
    ServerCapabilities, StopProviderResponse, Timestamp, UpgradeResourceIdentityRequest,
    UpgradeResourceIdentityResponse, UpgradeResourceStateRequest, UpgradeResourceStateResponse,
    ValidateListResourceConfigRequest, ValidateProviderConfigRequest, ValidateProviderConfigResponse,
};
use crate::{CodecError, diagnostic, schema, value};

/// What a schema is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Resource,
    Data,
    Ephemeral,
    Action,
    Identity,
}

/// A provider that answers messages.
pub struct Served {
    provider: Arc<dyn Provider>,
    schema: OnceCell<Arc<ProviderSchema>>,
    types: Mutex<HashMap<(Of, String), Type>>,
}

/// Diagnostics as an answer has them, where the answer has nothing else.
pub(super) type Failed = Vec<messages::Diagnostic>;

fn sent(diagnostics: &Diagnostics) -> Failed {
    diagnostic::to_wire(diagnostics)
}

fn wrong_value(error: CodecError) -> Diagnostics {
    Diagnostic::error("invalid-request", "Host sent a value that does not fit the schema")
        .detail(format!("{error}."))
        .attribute(error.path)
        .into()
}

fn raw(state: Option<messages::RawState>) -> RawState {
    let state = state.unwrap_or_default();
    if state.json.is_empty() && !state.flatmap.is_empty() {
        RawState::Flatmap(state.flatmap)
    } else {
        RawState::Json(state.json)
    }
}

fn timestamp(time: SystemTime) -> Option<Timestamp> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    let nanos = i32::try_from(since.subsec_nanos()).ok()?;
    Some(Timestamp { seconds: i64::try_from(since.as_secs()).ok()?, nanos })
}

impl Served {
    pub fn new(provider: Arc<dyn Provider>) -> Served {
        Served { provider, schema: OnceCell::new(), types: Mutex::default() }
    }

    async fn schema(&self) -> Result<&ProviderSchema, Diagnostics> {
        self.schema.get_or_try_init(|| self.provider.schema()).await.map(|schema| &**schema)
    }

    /// The type of the objects of a resource type, data source, ephemeral resource type, action or identity.
    async fn ty(&self, of: Of, kind: &str) -> Result<Type, Diagnostics> {
        let key = (of, kind.to_owned());
        let types = || self.types.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ty) = types().get(&key) {
            return Ok(ty.clone());
        }
        let schema = self.schema().await?;
        let object = |map: &BTreeMap<EcoString, Arc<Schema>>| map.get(kind).map(|s| s.block.implied_type());
        let ty = match of {
            Of::Resource => object(&schema.resources),
            Of::Data => object(&schema.data_sources),
            Of::Ephemeral => object(&schema.ephemeral_resources),
            Of::Action => object(&schema.actions),
            Of::Identity => schema.identities.get(kind).map(|identity| identity.ty()),
        };
        let ty = ty.ok_or_else(|| {
            Diagnostics::from(
                Diagnostic::error("unknown-type", "Unknown type")
                    .detail(format!("This provider has no type `{kind}` of that kind.")),
            )
        })?;
        types().insert(key, ty.clone());
        Ok(ty)
    }

    async fn has_identity(&self, kind: &str) -> Result<bool, Diagnostics> {
        Ok(self.schema().await?.identities.contains_key(kind))
    }

    fn read_value(&self, value: Option<&DynamicValue>, ty: &Type) -> Result<Value, Diagnostics> {
        value::from_wire(value, ty).map_err(wrong_value)
    }

    /// A value of the provider's own that is not of its type is the provider's fault.
    fn write_value(&self, value: &Value, ty: &Type) -> Result<Option<DynamicValue>, Diagnostics> {
        value::to_wire(value, ty).map(Some).map_err(|error| {
            Diagnostic::error("invalid-answer", "Provider made a value that does not fit its schema")
                .detail(format!("{error}."))
                .help("This is a fault of the provider: report it to its maintainers.")
                .into()
        })
    }

    async fn read_identity(
        &self,
        data: Option<&ResourceIdentityData>,
        kind: &str,
    ) -> Result<Option<Value>, Diagnostics> {
        match data {
            Some(data) if self.has_identity(kind).await? => {
                let ty = self.ty(Of::Identity, kind).await?;
                Ok(Some(self.read_value(data.identity_data.as_ref(), &ty)?).filter(|value| !value.is_null()))
            }
            _ => Ok(None),
        }
    }

    async fn write_identity(
        &self,
        identity: Option<&Value>,
        kind: &str,
    ) -> Result<Option<ResourceIdentityData>, Diagnostics> {
        let Some(identity) = identity else { return Ok(None) };
        let ty = self.ty(Of::Identity, kind).await?;
        Ok(Some(ResourceIdentityData { identity_data: self.write_value(identity, &ty)? }))
    }

    async fn meta(&self, meta: Option<&DynamicValue>) -> Result<Option<Value>, Diagnostics> {
        let Some((meta, schema)) = meta.zip(self.schema().await?.provider_meta.as_ref()) else {
            return Ok(None);
        };
        self.read_value(Some(meta), &schema.block.implied_type()).map(Some)
    }

    pub async fn get_metadata(&self, _: Empty) -> Result<GetMetadataResponse, Status> {
        let schema = match self.schema().await {
            Ok(schema) => schema,
            Err(errors) => {
                return Ok(GetMetadataResponse { diagnostics: sent(&errors), ..Default::default() });
            }
        };
        fn named<T>(map: &BTreeMap<EcoString, T>) -> Vec<Named> {
            map.keys().map(|name| Named { name: name.to_string() }).collect()
        }
        Ok(GetMetadataResponse {
            server_capabilities: Some(capabilities(schema)),
            data_sources: named(&schema.data_sources),
            resources: named(&schema.resources),
            functions: named(&schema.functions),
            ephemeral_resources: named(&schema.ephemeral_resources),
            actions: named(&schema.actions),
            ..Default::default()
        })
    }

    pub async fn get_provider_schema(&self, _: Empty) -> Result<GetProviderSchemaResponse, Status> {
        let schema = match self.schema().await {
            Ok(schema) => schema,
            Err(errors) => {
                return Ok(GetProviderSchemaResponse { diagnostics: sent(&errors), ..Default::default() });
            }
        };
        let objects = |map: &BTreeMap<EcoString, Arc<Schema>>| {
            map.iter().map(|(name, s)| (name.to_string(), schema::to_wire(s).encode_to_vec())).collect()
        };
        let functions = schema.functions.iter();
        Ok(GetProviderSchemaResponse {
            provider: Some(schema::to_wire(&schema.provider).encode_to_vec()),
            resource_schemas: objects(&schema.resources),
            data_source_schemas: objects(&schema.data_sources),
            provider_meta: schema.provider_meta.as_ref().map(|meta| schema::to_wire(meta).encode_to_vec()),
            server_capabilities: Some(capabilities(schema)),
            functions: functions
                .map(|(name, f)| (name.to_string(), schema::function_to_wire(f).encode_to_vec()))
                .collect(),
            ephemeral_resource_schemas: objects(&schema.ephemeral_resources),
            action_schemas: schema.actions.iter().map(|(name, s)| (name.to_string(), action(s))).collect(),
            ..Default::default()
        })
    }

    pub async fn get_resource_identity_schemas(
        &self,
        _: Empty,
    ) -> Result<GetResourceIdentitySchemasResponse, Status> {
        Ok(match self.schema().await {
            Ok(schema) => GetResourceIdentitySchemasResponse {
                identity_schemas: schema
                    .identities
                    .iter()
                    .map(|(name, identity)| (name.to_string(), schema::identity_to_wire(identity)))
                    .collect(),
                ..Default::default()
            },
            Err(errors) => {
                GetResourceIdentitySchemasResponse { diagnostics: sent(&errors), ..Default::default() }
            }
        })
    }

    pub async fn validate_provider_config(
        &self,
        request: ValidateProviderConfigRequest,
    ) -> Result<ValidateProviderConfigResponse, Status> {
        let outcome = async {
            let ty = self.schema().await?.provider.block.implied_type();
            let config = self.read_value(request.config.as_ref(), &ty)?;
            Ok(self.provider.validate_provider(config).await)
        };
        Ok(ValidateProviderConfigResponse { diagnostics: either(outcome.await), ..Default::default() })
    }

    pub async fn configure_provider(
        &self,
        request: ConfigureProviderRequest,
    ) -> Result<DiagnosticsResponse, Status> {
        let outcome = async {
            let ty = self.schema().await?.provider.block.implied_type();
            let config = self.read_value(request.config.as_ref(), &ty)?;
            Ok(self.provider.configure(config).await)
        };
        Ok(DiagnosticsResponse { diagnostics: either(outcome.await) })
    }

    pub async fn validate_resource_config(
        &self,
        request: ConfigRequest,
    ) -> Result<DiagnosticsResponse, Status> {
        let outcome = async {
            let config = self.config(Of::Resource, &request).await?;
            Ok(self.provider.validate_resource(&request.type_name, config).await)
        };
        Ok(DiagnosticsResponse { diagnostics: either(outcome.await) })
    }

    pub async fn validate_data_resource_config(
        &self,
        request: ConfigRequest,
    ) -> Result<DiagnosticsResponse, Status> {
        let outcome = async {
            let config = self.config(Of::Data, &request).await?;
            Ok(self.provider.validate_data(&request.type_name, config).await)
        };
        Ok(DiagnosticsResponse { diagnostics: either(outcome.await) })
    }

    pub async fn validate_ephemeral_resource_config(
        &self,
        request: ConfigRequest,
    ) -> Result<DiagnosticsResponse, Status> {
        let outcome = async {
            let config = self.config(Of::Ephemeral, &request).await?;
            Ok(self.provider.validate_ephemeral(&request.type_name, config).await)
        };
        Ok(DiagnosticsResponse { diagnostics: either(outcome.await) })
    }

    async fn config(&self, of: Of, request: &ConfigRequest) -> Result<Value, Diagnostics> {
        self.read_value(request.config.as_ref(), &self.ty(of, &request.type_name).await?)
    }

    pub async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceStateRequest,
    ) -> Result<UpgradeResourceStateResponse, Status> {
        let outcome = async {
            let ty = self.ty(Of::Resource, &request.type_name).await?;
            let answer =
                self.provider.upgrade(&request.type_name, request.version, raw(request.raw_state)).await;
            let (state, warnings) = answer.into_result()?;
            let upgraded_state = self.write_value(&state, &ty)?;
            Ok(UpgradeResourceStateResponse { upgraded_state, diagnostics: sent(&warnings) })
        };
        let failed =
            |errors| UpgradeResourceStateResponse { diagnostics: sent(&errors), ..Default::default() };
        Ok(outcome.await.unwrap_or_else(failed))
    }

    pub async fn upgrade_resource_identity(
        &self,
        _: UpgradeResourceIdentityRequest,
    ) -> Result<UpgradeResourceIdentityResponse, Status> {
        Err(Status::unimplemented("identities of this provider have one version"))
    }

    pub async fn read_resource(&self, request: ReadResourceRequest) -> Result<ReadResourceResponse, Status> {
        let kind = request.type_name.as_str();
        let outcome = async {
            let ty = self.ty(Of::Resource, kind).await?;
            let read = ReadRequest {
                kind: kind.into(),
                current: self.read_value(request.current_state.as_ref(), &ty)?,
                private: request.private,
                meta: self.meta(request.provider_meta.as_ref()).await?,
                identity: self.read_identity(request.current_identity.as_ref(), kind).await?,
            };
            let (read, warnings) = self.provider.read(read).await.into_result()?;
            Ok(ReadResourceResponse {
                new_state: self.write_value(&read.state, &ty)?,
                diagnostics: sent(&warnings),
                private: read.private,
                deferred: None,
                new_identity: self.write_identity(read.identity.as_ref(), kind).await?,
            })
        };
        Ok(outcome.await.unwrap_or_else(|errors: Diagnostics| ReadResourceResponse {
            diagnostics: sent(&errors),
            ..Default::default()
        }))
    }

    pub async fn plan_resource_change(
        &self,
        request: PlanResourceChangeRequest,
    ) -> Result<PlanResourceChangeResponse, Status> {
        let kind = request.type_name.as_str();
        let outcome = async {
            let ty = self.ty(Of::Resource, kind).await?;
            let plan = PlanRequest {
                kind: kind.into(),
                prior: self.read_value(request.prior_state.as_ref(), &ty)?,
                proposed: self.read_value(request.proposed_new_state.as_ref(), &ty)?,
                config: self.read_value(request.config.as_ref(), &ty)?,
                prior_private: request.prior_private,
                meta: self.meta(request.provider_meta.as_ref()).await?,
                prior_identity: self.read_identity(request.prior_identity.as_ref(), kind).await?,
            };
            let (plan, warnings) = self.provider.plan(plan).await.into_result()?;
            Ok(PlanResourceChangeResponse {
                planned_state: self.write_value(&plan.planned, &ty)?,
                requires_replace: plan.requires_replace.iter().map(value::path_to_wire).collect(),
                planned_private: plan.private,
                diagnostics: sent(&warnings),
                legacy_type_system: plan.legacy_type_system,
                deferred: None,
                planned_identity: self.write_identity(plan.identity.as_ref(), kind).await?,
            })
        };
        Ok(outcome.await.unwrap_or_else(|errors: Diagnostics| PlanResourceChangeResponse {
            diagnostics: sent(&errors),
            ..Default::default()
        }))
    }

    pub async fn apply_resource_change(
        &self,
        request: ApplyResourceChangeRequest,
    ) -> Result<ApplyResourceChangeResponse, Status> {
        let kind = request.type_name.as_str();
        let prior_state = request.prior_state.clone();
        let outcome = async {
            let ty = self.ty(Of::Resource, kind).await?;
            let apply = ApplyRequest {
                kind: kind.into(),
                prior: self.read_value(request.prior_state.as_ref(), &ty)?,
                planned: self.read_value(request.planned_state.as_ref(), &ty)?,
                config: self.read_value(request.config.as_ref(), &ty)?,
                planned_private: request.planned_private,
                meta: self.meta(request.provider_meta.as_ref()).await?,
                planned_identity: self.read_identity(request.planned_identity.as_ref(), kind).await?,
            };
            let prior = apply.prior.clone();
            let done = self.provider.apply(apply).await;
            // A provider that cannot say has left the object as it was, as far as anybody knows.
            let state = done.state.as_ref().unwrap_or(&prior);
            Ok(ApplyResourceChangeResponse {
                new_state: self.write_value(state, &ty)?,
                private: done.private,
                diagnostics: sent(&done.diagnostics),
                legacy_type_system: done.legacy_type_system,
                new_identity: self.write_identity(done.identity.as_ref(), kind).await?,
            })
        };
        Ok(outcome.await.unwrap_or_else(|errors: Diagnostics| ApplyResourceChangeResponse {
            new_state: prior_state,
            diagnostics: sent(&errors),
            ..Default::default()
        }))
    }

    pub async fn import_resource_state(
        &self,
        request: ImportResourceStateRequest,
    ) -> Result<ImportResourceStateResponse, Status> {
        let kind = request.type_name.as_str();
        let outcome = async {
            let target = match self.read_identity(request.identity.as_ref(), kind).await? {
                Some(identity) if request.id.is_empty() => ImportTarget::Identity(identity),
                _ => ImportTarget::Id(request.id.as_str().into()),
            };
            let (found, warnings) = self.provider.import(kind, target).await.into_result()?;
            let mut imported_resources = Vec::with_capacity(found.len());
            for resource in found {
                let ty = self.ty(Of::Resource, &resource.kind).await?;
                imported_resources.push(ImportedResource {
                    state: self.write_value(&resource.state, &ty)?,
                    private: resource.private,
                    identity: self.write_identity(resource.identity.as_ref(), &resource.kind).await?,
                    type_name: resource.kind.to_string(),
                });
            }
            Ok(ImportResourceStateResponse {
                imported_resources,
                diagnostics: sent(&warnings),
                deferred: None,
            })
        };
        Ok(outcome.await.unwrap_or_else(|errors: Diagnostics| ImportResourceStateResponse {
            diagnostics: sent(&errors),
            ..Default::default()
        }))
    }

    pub async fn move_resource_state(
        &self,
        request: MoveResourceStateRequest,
    ) -> Result<MoveResourceStateResponse, Status> {
        let kind = request.target_type_name.as_str();
        let outcome = async {
            let ty = self.ty(Of::Resource, kind).await?;
            let moved = MoveRequest {
                source_provider: request.source_provider_address.into(),
                source_kind: request.source_type_name.into(),
                source_version: request.source_schema_version,
                source_state: raw(request.source_state),
                source_private: request.source_private,
                target_kind: kind.into(),
            };
            let (moved, warnings) = self.provider.move_state(moved).await.into_result()?;
            Ok(MoveResourceStateResponse {
                target_state: self.write_value(&moved.state, &ty)?,
                diagnostics: sent(&warnings),
                target_private: moved.private,
                target_identity: self.write_identity(moved.identity.as_ref(), kind).await?,
            })
        };
        Ok(outcome.await.unwrap_or_else(|errors: Diagnostics| MoveResourceStateResponse {
            diagnostics: sent(&errors),
            ..Default::default()
        }))
    }

    pub async fn read_data_source(
        &self,
        request: ReadDataSourceRequest,
    ) -> Result<ReadDataSourceResponse, Status> {
        let kind = request.type_name.as_str();
        let outcome = async {
            let ty = self.ty(Of::Data, kind).await?;
            let config = self.read_value(request.config.as_ref(), &ty)?;
            let meta = self.meta(request.provider_meta.as_ref()).await?;
            let (state, warnings) = self.provider.read_data(kind, config, meta).await.into_result()?;
            let state = self.write_value(&state, &ty)?;
            Ok(ReadDataSourceResponse { state, diagnostics: sent(&warnings), deferred: None })
        };
        Ok(outcome.await.unwrap_or_else(|errors: Diagnostics| ReadDataSourceResponse {
            diagnostics: sent(&errors),
            ..Default::default()
        }))
    }

    pub async fn open_ephemeral_resource(
        &self,
        request: ConfigRequest,
    ) -> Result<OpenEphemeralResourceResponse, Status> {
        let outcome = async {
            let ty = self.ty(Of::Ephemeral, &request.type_name).await?;
            let config = self.read_value(request.config.as_ref(), &ty)?;
            let (opened, warnings) = self.provider.open(&request.type_name, config).await.into_result()?;
            Ok(OpenEphemeralResourceResponse {
                diagnostics: sent(&warnings),
                renew_at: opened.renew_at.and_then(timestamp),
                result: self.write_value(&opened.result, &ty)?,
                private: Some(opened.private),
                deferred: None,
            })
        };
        Ok(outcome.await.unwrap_or_else(|errors: Diagnostics| OpenEphemeralResourceResponse {
            diagnostics: sent(&errors),
            ..Default::default()
        }))
    }

    pub async fn renew_ephemeral_resource(
        &self,
        request: EphemeralPrivateRequest,
    ) -> Result<RenewEphemeralResourceResponse, Status> {
        let private = request.private.unwrap_or_default();
        Ok(match self.provider.renew(&request.type_name, private).await.into_result() {
            Ok(((private, renew_at), warnings)) => RenewEphemeralResourceResponse {
                diagnostics: sent(&warnings),
                renew_at: renew_at.and_then(timestamp),
                private: Some(private),
            },
            Err(errors) => {
                RenewEphemeralResourceResponse { diagnostics: sent(&errors), ..Default::default() }
            }
        })
    }

    pub async fn close_ephemeral_resource(
        &self,
        request: EphemeralPrivateRequest,
    ) -> Result<DiagnosticsResponse, Status> {
        let private: Bytes = request.private.unwrap_or_default();
        let diagnostics = self.provider.close(&request.type_name, private).await;
        Ok(DiagnosticsResponse { diagnostics: sent(&diagnostics) })
    }

    pub async fn call_function(&self, request: CallFunctionRequest) -> Result<CallFunctionResponse, Status> {
        let failed = |text: String, argument: Option<usize>| CallFunctionResponse {
            result: None,
            error: Some(FunctionError {
                text,
                function_argument: argument.and_then(|a| i64::try_from(a).ok()),
            }),
        };
        let Ok(schema) = self.schema().await else {
            return Ok(failed("The provider has no schema.".into(), None));
        };
        let Some(signature) = schema.functions.get(request.name.as_str()) else {
            return Ok(failed(format!("There is no function named `{}`.", request.name), None));
        };
        let parameters = signature.parameters.iter().chain(signature.variadic.iter().cycle());
        let mut arguments = Vec::with_capacity(request.arguments.len());
        for (i, (argument, parameter)) in request.arguments.iter().zip(parameters).enumerate() {
            match value::from_wire(Some(argument), &parameter.ty) {
                Ok(value) => arguments.push(value),
                Err(error) => return Ok(failed(format!("{error}."), Some(i))),
            }
        }
        Ok(match self.provider.call(&request.name, arguments).await {
            Ok(result) => match value::to_wire(&result, &signature.returns) {
                Ok(result) => CallFunctionResponse { result: Some(result), error: None },
                Err(error) => failed(format!("The result is not of the promised type: {error}."), None),
            },
            Err(error) => failed(error.text, error.argument),
        })
    }

    pub async fn stop_provider(&self, _: Empty) -> Result<StopProviderResponse, Status> {
        self.provider.stop().await;
        Ok(StopProviderResponse::default())
    }

    pub async fn get_functions(&self, _: Empty) -> Result<GetFunctionsResponse, Status> {
        let all = self.get_provider_schema(Empty {}).await?;
        Ok(GetFunctionsResponse { functions: all.functions, diagnostics: all.diagnostics })
    }

    pub async fn generate_resource_config(
        &self,
        _: GenerateResourceConfigRequest,
    ) -> Result<GenerateResourceConfigResponse, Status> {
        Err(Status::unimplemented("this provider writes no configuration"))
    }

    pub async fn validate_list_resource_config(
        &self,
        _: ValidateListResourceConfigRequest,
    ) -> Result<DiagnosticsResponse, Status> {
        Err(Status::unimplemented("this provider lists nothing"))
    }

    pub async fn validate_action_config(
        &self,
        request: ConfigRequest,
    ) -> Result<DiagnosticsResponse, Status> {
        let outcome = async {
            let config = self.config(Of::Action, &request).await?;
            Ok(self.provider.validate_action(&request.type_name, config).await)
        };
        Ok(DiagnosticsResponse { diagnostics: either(outcome.await) })
    }

    pub async fn plan_action(&self, request: ConfigRequest) -> Result<PlanActionResponse, Status> {
        let outcome = async {
            let config = self.config(Of::Action, &request).await?;
            Ok(self.provider.plan_action(&request.type_name, config).await)
        };
        Ok(PlanActionResponse { diagnostics: either(outcome.await), deferred: None })
    }

    /// Invokes an action; what it says while it runs goes through the progress, its end is the result. None if the
    /// provider itself does not know what became of it.
    pub async fn invoke_action(&self, request: ConfigRequest, progress: Progress) -> Option<Failed> {
        match self.config(Of::Action, &request).await {
            Err(errors) => Some(sent(&errors)),
            Ok(config) => {
                let invoked = self.provider.invoke(&request.type_name, config, progress).await;
                invoked.certain.then(|| sent(&invoked.diagnostics))
            }
        }
    }
}

/// The schema of an action, which has a message of its own around it.
fn action(of: &Schema) -> Vec<u8> {
    ActionSchema { schema: Some(schema::to_wire(of).encode_to_vec()) }.encode_to_vec()
}

fn either(outcome: Result<Diagnostics, Diagnostics>) -> Failed {
    sent(&outcome.unwrap_or_else(|errors| errors))
}

/// The schema is asked for in the first call of each process, and nothing depends on it here.
fn capabilities(schema: &ProviderSchema) -> ServerCapabilities {
    ServerCapabilities {
        plan_destroy: schema.capabilities.plan_destroy,
        get_provider_schema_optional: true,
        move_resource_state: schema.capabilities.move_state,
        generate_resource_config: false,
    }
}
