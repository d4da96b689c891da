//! Looking once more before a step: what somebody changed after the plan was made is not overwritten either.

use plumb_model::{Diagnostic, Diagnostics, Path, Value};
use plumb_provider_api::{Provider, ReadRequest};

use crate::object;
use crate::plan::Change;
use crate::promise;
use crate::providers::TypeSchema;

/// How many attributes a conflict names.
const NAMED: usize = 12;

/// Whether the object of a change is still as it was when the change was planned.
///
/// # Errors
/// If it is not, or cannot be read.
pub(crate) async fn unchanged(
    provider: &dyn Provider,
    change: &Change,
    schema: &TypeSchema,
) -> Result<(), Diagnostics> {
    let planned = change.before.unmark_deep().0;
    if planned.is_null() {
        return Ok(());
    }
    let request = ReadRequest {
        kind: change.address.resource.kind.clone(),
        current: planned.clone(),
        private: change.prior_private.clone(),
        meta: None,
        identity: change.identity.clone().filter(|_| !change.action.is_replace()),
    };
    let (response, _) = provider.read(request).await.into_result()?;
    let now = object::normalize_blocks(&schema.schema.block, &response.state);
    let broken = promise::check_read(schema, &now);
    if !broken.is_empty() {
        let summary = "Provider returned an invalid object";
        return Err(promise::broken("invalid-object-read", summary, &change.provider, &broken));
    }
    if now == planned {
        return Ok(());
    }
    let paths = object::differing_paths(&planned, &now, &schema.schema.block);
    Err(conflict(&change.address, &paths, &now).into())
}

/// Somebody changed an object since it was recorded.
pub(super) fn conflict(address: &plumb_model::address::Instance, paths: &[Path], now: &Value) -> Diagnostic {
    let mut names: Vec<String> = paths.iter().take(NAMED).map(|path| format!("`{path}`")).collect();
    if paths.len() > NAMED {
        names.push(format!("{} more", paths.len() - NAMED));
    }
    let what = match (now.is_null(), names.is_empty()) {
        (true, _) => "it does not exist any more".to_owned(),
        (false, true) => "it is another object".to_owned(),
        (false, false) => format!("{} not as recorded", listed(&names)),
    };
    Diagnostic::error("rollback-conflict", "Changed since by somebody else")
        .detail(format!("`{address}` is left as it is: {what}. Going back would overwrite that."))
        .help("See it with `plumb plan -refresh-only`. To give it up, record it with `plumb apply -refresh-only`, then roll back to the same operation by its number.")
        .about(address)
}

fn listed(names: &[String]) -> String {
    match names {
        [one] => format!("{one} is"),
        [head @ .., last] => format!("{} and {last} are", head.join(", ")),
        [] => String::new(),
    }
}
