//! The provider contract.
//!
//! A [`Provider`] manages resource types. Its semantics are those of plugin protocol 6, whoever implements it:
//! providers that are compiled in, and plugins behind the host. The engine knows only this trait.
//!
//! Promises, which the engine checks and never takes on trust:
//! - values given back are of the [implied type](plumb_model::Block::implied_type) of the resource's schema;
//! - a planned value is the configuration wherever the configuration says something; only computed attributes that
//!   it leaves null may be chosen or left unknown;
//! - an applied value is wholly known, and equals the planned one wherever that was known.
//!
//! Values cross this border without marks: sensitivity is the engine's matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Path, Schema, Type, Value};

/// What a provider offers.
#[derive(Clone, Debug, Default)]
pub struct ProviderSchema {
    /// The configuration of the provider itself.
    pub provider: Schema,
    /// Managed resource types.
    pub resources: BTreeMap<EcoString, Arc<Schema>>,
    /// Data sources.
    pub data_sources: BTreeMap<EcoString, Arc<Schema>>,
    /// Ephemeral resource types.
    pub ephemeral_resources: BTreeMap<EcoString, Arc<Schema>>,
    /// Actions.
    pub actions: BTreeMap<EcoString, Arc<Schema>>,
    /// Functions.
    pub functions: BTreeMap<EcoString, Arc<FunctionSignature>>,
    /// What tells objects of a managed resource type apart.
    pub identities: BTreeMap<EcoString, Arc<IdentitySchema>>,
    /// What modules may tell the provider in `provider_meta`.
    pub provider_meta: Option<Schema>,
    /// What the provider can do beyond the base of the contract.
    pub capabilities: Capabilities,
}

/// What a provider can do beyond the base of the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Wants [`Provider::plan`] called before deletions, with null configuration and proposal.
    pub plan_destroy: bool,
    /// Implements [`Provider::move_state`].
    pub move_state: bool,
    /// [`Provider::read`] finds an object by what was planned for it, with null for what was not known then: so it can
    /// be found out whether an interrupted creation made one.
    pub finds_planned: bool,
}

/// What tells the objects of a resource type apart.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentitySchema {
    /// Version of the form in which identities are kept.
    pub version: i64,
    /// The attributes by name.
    pub attributes: BTreeMap<EcoString, IdentityAttribute>,
}

/// A part of an identity.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityAttribute {
    /// Its type.
    pub ty: Type,
    /// Must be given to import by identity.
    pub required_for_import: bool,
    /// May be given to import by identity.
    pub optional_for_import: bool,
    /// Documentation.
    pub description: EcoString,
}

impl IdentitySchema {
    /// The type of an identity.
    pub fn ty(&self) -> Type {
        Type::object(self.attributes.iter().map(|(n, a)| (n.clone(), a.ty.clone())))
    }
}

/// How a function is called.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionSignature {
    /// The parameters in order.
    pub parameters: Vec<FunctionParameter>,
    /// What further arguments are, if there may be any.
    pub variadic: Option<FunctionParameter>,
    /// The type of the result.
    pub returns: Type,
    /// One line of documentation.
    pub summary: EcoString,
    /// Documentation; Markdown.
    pub description: EcoString,
    /// Why not to use it any more.
    pub deprecated: Option<EcoString>,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParameter {
    /// Its name.
    pub name: EcoString,
    /// Its type.
    pub ty: Type,
    /// Whether it may be null.
    pub allow_null: bool,
    /// Whether the function is called although it, or a part of it, is unknown.
    pub allow_unknown: bool,
    /// Documentation; Markdown.
    pub description: EcoString,
}

/// A value as it was saved, perhaps by another version of the provider.
#[derive(Clone, Debug, PartialEq)]
pub enum RawState {
    /// A JSON object, shaped by the schema version it was saved with.
    Json(Bytes),
    /// Dotted keys to strings, as states had before format version 4.
    Flatmap(BTreeMap<String, String>),
}

/// A configuration to carry out the plan of.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The resource type.
    pub kind: EcoString,
    /// The object as it was last seen; not null.
    pub current: Value,
    /// What the provider wants remembered with it.
    pub private: Bytes,
    /// The module's `provider_meta`.
    pub meta: Option<Value>,
    /// The object's identity, if its type has one.
    pub identity: Option<Value>,
}

/// The object as it is.
#[derive(Clone, Debug)]
pub struct ReadResponse {
    /// The object; null if it is gone.
    pub state: Value,
    /// Replaces what was remembered.
    pub private: Bytes,
    /// Its identity.
    pub identity: Option<Value>,
}

/// A question what would become of an object.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The resource type.
    pub kind: EcoString,
    /// The object as it is; null to create one.
    pub prior: Value,
    /// Prior and configuration merged; null to delete.
    pub proposed: Value,
    /// The configuration; null to delete.
    pub config: Value,
    /// What the provider wanted remembered with the object.
    pub prior_private: Bytes,
    /// The module's `provider_meta`.
    pub meta: Option<Value>,
    /// The object's identity.
    pub prior_identity: Option<Value>,
}

/// A forecast.
#[derive(Clone, Debug)]
pub struct PlanResponse {
    /// The object afterwards, with unknown parts; null when deleted.
    pub planned: Value,
    /// Attributes whose change needs another object.
    pub requires_replace: Vec<Path>,
    /// Handed to [`Provider::apply`].
    pub private: Bytes,
    /// The identity afterwards.
    pub identity: Option<Value>,
    /// The provider's SDK cannot keep all promises; the engine looks away where it safely can.
    pub legacy_type_system: bool,
}

/// A change to carry out.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The resource type.
    pub kind: EcoString,
    /// The object as it is; null to create one.
    pub prior: Value,
    /// The object as it was planned; null to delete.
    pub planned: Value,
    /// The configuration, wholly known; null to delete.
    pub config: Value,
    /// From [`PlanResponse::private`].
    pub planned_private: Bytes,
    /// The module's `provider_meta`.
    pub meta: Option<Value>,
    /// From [`PlanResponse::identity`].
    pub planned_identity: Option<Value>,
}

/// An outcome. It counts whatever the diagnostics say: with errors among them, `state` is what became of the object.
#[derive(Clone, Debug)]
pub struct ApplyResponse {
    /// The object; null if it does not exist. `None` if the provider could not say.
    pub state: Option<Value>,
    /// What the provider wants remembered with it.
    pub private: Bytes,
    /// Its identity.
    pub identity: Option<Value>,
    /// As [`PlanResponse::legacy_type_system`].
    pub legacy_type_system: bool,
    /// What went wrong.
    pub diagnostics: Diagnostics,
}

/// What to take under management.
#[derive(Clone, Debug)]
pub enum ImportTarget {
    /// By the text that the resource type documents.
    Id(EcoString),
    /// By identity.
    Identity(Value),
}

/// An object that was found.
#[derive(Clone, Debug)]
pub struct ImportedResource {
    /// Its resource type.
    pub kind: EcoString,
    /// What is known of it before it is read.
    pub state: Value,
    /// What the provider wants remembered with it.
    pub private: Bytes,
    /// Its identity.
    pub identity: Option<Value>,
}

/// An object of another type, to become one of this.
#[derive(Clone, Debug)]
pub struct MoveRequest {
    /// The other type's provider: `host/namespace/type`.
    pub source_provider: EcoString,
    /// The other resource type.
    pub source_kind: EcoString,
    /// The schema version it was saved with.
    pub source_version: i64,
    /// The object as it was saved.
    pub source_state: RawState,
    /// What its provider wanted remembered.
    pub source_private: Bytes,
    /// The resource type wanted.
    pub target_kind: EcoString,
}

/// An ephemeral resource that was opened.
#[derive(Clone, Debug)]
pub struct OpenResponse {
    /// The object.
    pub result: Value,
    /// Handed to renew and close.
    pub private: Bytes,
    /// When to renew it, if it must be.
    pub renew_at: Option<SystemTime>,
}

/// Takes the messages that an action gives while it runs. May be called from any task, and returns at once.
pub type Progress = Arc<dyn Fn(EcoString) + Send + Sync>;

/// How an action ended.
#[derive(Clone, Debug)]
pub struct Invoked {
    /// Whether the provider said how it ended, with or without errors. If it did not, nobody knows what was done.
    pub certain: bool,
    /// Warnings and errors.
    pub diagnostics: Diagnostics,
}

impl Invoked {
    /// The provider said this of it.
    pub fn ended(diagnostics: impl Into<Diagnostics>) -> Invoked {
        Invoked { certain: true, diagnostics: diagnostics.into() }
    }

    /// Nobody said what became of it, and this is why.
    pub fn lost(diagnostics: impl Into<Diagnostics>) -> Invoked {
        Invoked { certain: false, diagnostics: diagnostics.into() }
    }
}

/// Manages resource types.
///
/// Calls for different objects come concurrently. No method panics on any input. Errors are diagnostics whose
/// `attribute` names the part they are about, relative to the resource; warnings come beside results in
/// [`Answer::diagnostics`].
#[async_trait]
pub trait Provider: Send + Sync {
    /// What the provider offers. Constant while it runs, and asked for first.
    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics>;

    /// What the provider offers, where only the resource types, data sources and ephemeral resource types of these names
    /// are needed: others may be absent. Providers with thousands of types answer this far faster than
    /// [`Provider::schema`].
    async fn schema_for(&self, _kinds: &BTreeSet<EcoString>) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.schema().await
    }

    /// Checks the configuration of the provider, in which parts may be unknown.
    async fn validate_provider(&self, config: Value) -> Diagnostics;

    /// Gives the provider its configuration, once and before any resource is read, planned or applied. Parts may be
    /// unknown while planning.
    async fn configure(&self, config: Value) -> Diagnostics;

    /// Checks the configuration of a managed resource, in which parts may be unknown.
    async fn validate_resource(&self, kind: &str, config: Value) -> Diagnostics;

    /// Checks the configuration of a data source, in which parts may be unknown.
    async fn validate_data(&self, kind: &str, config: Value) -> Diagnostics;

    /// Brings a saved object into the form of the present schema.
    async fn upgrade(&self, kind: &str, version: i64, state: RawState) -> Answer<Value>;

    /// Brings a saved identity, a JSON object, into the form of the present identity schema.
    async fn upgrade_identity(&self, kind: &str, version: i64, _identity: Bytes) -> Answer<Value> {
        Answer::error(Diagnostic::error("identity-not-upgraded", "Identity cannot be used").detail(format!(
            "The identity of an object of type `{kind}` was saved in version {version}, which the provider does not know."
        )))
    }

    /// Looks at the object.
    async fn read(&self, request: ReadRequest) -> Answer<ReadResponse>;

    /// Forecasts what becomes of the object. Changes nothing.
    async fn plan(&self, request: PlanRequest) -> Answer<PlanResponse>;

    /// Creates, changes or deletes the object.
    async fn apply(&self, request: ApplyRequest) -> ApplyResponse;

    /// Finds an object to take under management.
    async fn import(&self, kind: &str, target: ImportTarget) -> Answer<Vec<ImportedResource>>;

    /// Turns an object of another type into one of this provider's.
    async fn move_state(&self, request: MoveRequest) -> Answer<ImportedResource> {
        Answer::error(Diagnostic::error("move-not-supported", "Resource type cannot be moved to").detail(
            format!(
                "The provider of `{}` cannot take over an object of type `{}`.",
                request.target_kind, request.source_kind
            ),
        ))
    }

    /// Reads a data source. The configuration is wholly known.
    async fn read_data(&self, kind: &str, config: Value, meta: Option<Value>) -> Answer<Value>;

    /// Checks the configuration of an ephemeral resource, in which parts may be unknown.
    async fn validate_ephemeral(&self, _kind: &str, _config: Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Opens an ephemeral resource. The configuration is wholly known.
    async fn open(&self, kind: &str, _config: Value) -> Answer<OpenResponse> {
        Answer::error(no_ephemeral(kind))
    }

    /// Keeps an ephemeral resource open.
    async fn renew(&self, kind: &str, _private: Bytes) -> Answer<(Bytes, Option<SystemTime>)> {
        Answer::error(no_ephemeral(kind))
    }

    /// Closes an ephemeral resource.
    async fn close(&self, _kind: &str, _private: Bytes) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks the configuration of an action, in which parts may be unknown.
    async fn validate_action(&self, _kind: &str, _config: Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Says whether an action can be invoked with a configuration, in which parts may be unknown. Changes nothing.
    async fn plan_action(&self, kind: &str, _config: Value) -> Diagnostics {
        no_action(kind).into()
    }

    /// Invokes an action. The configuration is wholly known.
    async fn invoke(&self, kind: &str, _config: Value, _progress: Progress) -> Invoked {
        Invoked::ended(no_action(kind))
    }

    /// Calls a function. Arguments are of the parameters' types.
    ///
    /// # Errors
    /// What is wrong, and the index of the argument it is about.
    async fn call(&self, name: &str, _arguments: Vec<Value>) -> Result<Value, FunctionError> {
        Err(FunctionError { text: format!("There is no function named `{name}`."), argument: None })
    }

    /// Asks running calls to end soon and to say truthfully how far they came. Idempotent.
    async fn stop(&self) {}

    /// Ends the provider: everything that it did is recorded. Nothing is called afterwards. Not called where recording
    /// failed, so that what the provider keeps of its own is there for the next time.
    async fn shutdown(&self) {}
}

fn no_ephemeral(kind: &str) -> Diagnostic {
    Diagnostic::error("unknown-ephemeral-type", "Unknown ephemeral resource type")
        .detail(format!("The provider has no ephemeral resource type `{kind}`."))
}

fn no_action(kind: &str) -> Diagnostic {
    Diagnostic::error("unknown-action-type", "Unknown action type")
        .detail(format!("The provider has no action `{kind}`."))
}

/// Why a function has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// What is wrong; a sentence.
    pub text: String,
    /// The argument it is about, from 0.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// Not about one argument.
    pub fn new(text: impl Into<String>) -> FunctionError {
        FunctionError { text: text.into(), argument: None }
    }

    /// About an argument, counted from 0.
    pub fn about(argument: usize, text: impl Into<String>) -> FunctionError {
        FunctionError { text: text.into(), argument: Some(argument) }
    }
}

/// A result and what there is to say about it.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The result; `None` only if there are errors among the diagnostics.
    pub value: Option<T>,
    /// Warnings and errors.
    pub diagnostics: Diagnostics,
}

impl<T> Answer<T> {
    /// A result without remarks.
    pub fn ok(value: T) -> Answer<T> {
        Answer { value: Some(value), diagnostics: Diagnostics::new() }
    }

    /// No result.
    pub fn error(diagnostics: impl Into<Diagnostics>) -> Answer<T> {
        Answer { value: None, diagnostics: diagnostics.into() }
    }

    /// The result with the warnings, or the errors.
    ///
    /// # Errors
    /// The diagnostics, if there is no result or an error among them.
    pub fn into_result(self) -> Result<(T, Diagnostics), Diagnostics> {
        match self.value {
            Some(value) if !self.diagnostics.has_errors() => Ok((value, self.diagnostics)),
            _ => Err(self.diagnostics),
        }
    }
}
