//! Objects that a `moved` block gives another resource type, or the same one of another provider.
//!
//! The provider of the new type is shown what was saved, and says what that is as an object of its own. From then on
//! the object is planned as if it had been recorded so.

use plumb_model::{Diagnostic, Diagnostics};
use plumb_provider_api::MoveRequest;

use super::instance::{self, Job};
use crate::promise;
use crate::recorded::Recorded;

/// Whether an object was saved as one of another type than it is to be now.
pub(super) fn is_of_another_type(job: &Job) -> bool {
    let (Some(previous), Some(recorded)) = (&job.previous_address, &job.recorded) else { return false };
    recorded.in_flight.is_none()
        && (previous.resource.kind != job.address.resource.kind
            || recorded.provider.source != job.provider_config.source)
}

/// Asks the provider of the new type to take the object over.
///
/// # Errors
/// What the provider says, or that what it gave cannot be used.
pub(super) async fn take_over(job: &Job) -> Result<(Recorded, Diagnostics), Diagnostics> {
    let recorded = job.recorded.as_ref().expect("what moves is recorded");
    let previous = job.previous_address.as_ref().expect("what moves was elsewhere");
    if !instance::capabilities(&*job.provider).await?.move_state {
        return Err(cannot_move(job, &previous.resource.kind).into());
    }
    let request = MoveRequest {
        source_provider: recorded.provider.source.to_string().into(),
        source_kind: previous.resource.kind.clone(),
        source_version: recorded.schema_version,
        source_state: recorded.raw(),
        source_private: recorded.private.clone(),
        target_kind: job.address.resource.kind.clone(),
    };
    let (object, warnings) = job.provider.move_state(request).await.into_result()?;
    let broken = promise::check_read(&job.schema, &object.state);
    if !broken.is_empty() || object.state.is_null() {
        let summary = "Provider returned an invalid object";
        return Err(promise::broken("invalid-object-moved", summary, &job.provider_config, &broken));
    }
    let record = recorded
        .refreshed(&object.state, &job.schema, &object.private, object.identity.as_ref())
        .map_err(|error| crate::trouble::unsaveable(&error))?;
    let mut moved = Recorded::read(&record).map_err(|error| error.diagnostic())?;
    moved.provider = job.provider_config.clone();
    Ok((moved, warnings))
}

fn cannot_move(job: &Job, from: &str) -> Diagnostic {
    let (to, source) = (&job.address.resource.kind, &job.provider_config.source);
    Diagnostic::error("move-not-supported", "Resource type cannot be moved to")
        .detail(format!("The provider {source} of `{to}` cannot take over an object of type `{from}`."))
        .help(format!(
            "Let the object go with a `removed` block and `destroy = false`, and take it in as `{to}` with an `import` block."
        ))
}
