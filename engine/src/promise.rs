//! Whether providers keep their promises, and what is said when they do not.
//!
//! The rules are those of plugin protocol 6; the checks of values themselves are in [`crate::object`]. A broken
//! promise is always reported with the provider's address: it is the provider that needs mending.

use plumb_model::address::ProviderConfig;
use plumb_model::{Diagnostic, Diagnostics, Path, Value};
use plumb_provider_api::{ApplyResponse, ImportTarget, PlanResponse};

use crate::object::{self, Broken};
use crate::providers::TypeSchema;
use crate::recorded::Recorded;

/// What is wrong with an object that was read, upgraded or imported.
pub(crate) fn check_read(schema: &TypeSchema, state: &Value) -> Vec<Broken> {
    let mut broken = object::check_type(state, &schema.ty);
    if broken.is_empty() {
        broken.extend(object::check_known(state));
        broken.extend(object::check_write_only(&schema.schema.block, state));
    }
    broken
}

/// What is wrong with a planned object.
pub(crate) fn check_planned(
    schema: &TypeSchema,
    prior: &Value,
    config: &Value,
    response: &PlanResponse,
) -> Vec<Broken> {
    let mut broken = check_successor(schema, response);
    // A provider that says so cannot keep the rules about which attributes it may choose.
    if broken.is_empty() && !response.legacy_type_system {
        broken.extend(object::check_planned(&schema.schema.block, prior, config, &response.planned));
    }
    broken
}

/// What is wrong with the planned object of a replacement, for which less is promised.
pub(crate) fn check_successor(schema: &TypeSchema, response: &PlanResponse) -> Vec<Broken> {
    let mut broken = object::check_type(&response.planned, &schema.ty);
    if broken.is_empty() {
        broken.extend(object::check_write_only(&schema.schema.block, &response.planned));
    }
    broken
}

/// What is wrong with an object after it has been created or changed without errors, compared with its plan.
pub(crate) fn check_applied(schema: &TypeSchema, planned: &Value, response: &ApplyResponse) -> Vec<Broken> {
    let Some(state) = &response.state else {
        return vec![Broken {
            path: Path::root(),
            problem: "is missing: it was not said what became of the object".into(),
        }];
    };
    let mut broken = object::check_write_only(&schema.schema.block, state);
    if !response.legacy_type_system {
        broken.extend(object::check_applied(&schema.schema.block, planned, state));
    }
    broken
}

/// Each broken promise for the user.
pub(crate) fn broken(
    code: &'static str,
    summary: &str,
    provider: &ProviderConfig,
    broken: &[Broken],
) -> Diagnostics {
    let one = |path: Path, problem: &str| {
        let place = if path.is_root() { "the object".to_owned() } else { format!("`{path}`") };
        Diagnostic::error(code, summary)
            .detail(format!("{} did not keep its promise: {place} {problem}.", provider.source))
            .help("This is a bug in the provider: report it to its developers. Nothing was lost.")
            .attribute(path)
    };
    if broken.is_empty() {
        return one(Path::root(), "is missing").into();
    }
    broken.iter().map(|b| one(b.path.clone(), &b.problem)).collect()
}

/// A newer version of the provider saved the object.
pub(crate) fn newer_schema(config: &ProviderConfig, recorded: &Recorded, schema: &TypeSchema) -> Diagnostic {
    Diagnostic::error("newer-schema", "Object was saved by a newer provider")
        .detail(format!(
            "`{}` was saved with version {} of its schema; {} has version {}.",
            recorded.address, recorded.schema_version, config.source, schema.schema.version
        ))
        .help("Install the version of the provider that saved it, or a newer one.")
}

/// A deletion was planned as something else.
pub(crate) fn destroy_not_null(config: &ProviderConfig) -> Diagnostic {
    Diagnostic::error("invalid-plan", "Provider produced an invalid plan")
        .detail(format!("{} planned an object where it was asked to plan its deletion.", config.source))
        .help("This is a bug in the provider: report it to its developers.")
}

/// An import found not exactly one object.
pub(crate) fn import_count(config: &ProviderConfig, found: usize) -> Diagnostic {
    Diagnostic::error("import-count", "Import found not exactly one object")
        .detail(format!("{} gave {found} objects where one was wanted.", config.source))
}

/// There is nothing to import.
pub(crate) fn nothing_to_import(target: &ImportTarget) -> Diagnostic {
    Diagnostic::error("nothing-to-import", "There is no such object to import")
        .detail(format!("The provider found nothing by {}.", import_text(target)))
        .help("Check the id, and that the provider is configured for the account and region that hold the object.")
}

/// What is imported, as text.
pub(crate) fn import_text(target: &ImportTarget) -> ecow::EcoString {
    match target {
        ImportTarget::Id(id) => id.clone(),
        ImportTarget::Identity(identity) => plumb_model::json::encode(identity, &identity.ty())
            .map_or_else(|_| "an identity".into(), ecow::EcoString::from),
    }
}
