//! The provider `time`: moments that are remembered, and waiting.
//!
//! Names, defaults and rules of replacement are those of Terraform's provider of this name, also where they surprise:
//! the components of a `time_rotating` are those of its next rotation, and a month after 31 January is 2 March, or 3
//! March.

use std::collections::BTreeMap;
use std::sync::Arc;

use plumb_model::{Diagnostic, Diagnostics, Path};
use plumb_provider_api::Provider;
use plumb_provider_sdk::{Attr, ProviderBuilder};

mod moment;
mod offset;
mod rotating;
mod sleep;
mod r#static;

use moment::Moment;

/// The provider.
pub fn provider() -> Arc<dyn Provider> {
    ProviderBuilder::new("time")
        .resource("time_offset", offset::TimeOffset)
        .resource("time_rotating", rotating::TimeRotating)
        .resource("time_sleep", sleep::TimeSleep)
        .resource("time_static", r#static::TimeStatic)
        .build()
}

/// Arbitrary values whose change makes another object.
type Triggers = BTreeMap<String, Attr<String>>;

/// Reads the moment in an attribute, or says what is wrong with it.
fn moment_in(name: &'static str, text: &str) -> Result<Moment, Diagnostics> {
    Moment::parse(text).map_err(|problem| {
        Diagnostic::error("bad-timestamp", "Unsuitable timestamp")
            .detail(problem)
            .attribute(Path::of(name))
            .into()
    })
}

/// What to say of a moment beyond the calendar.
fn out_of_range() -> Diagnostics {
    Diagnostic::error("timestamp-out-of-range", "Timestamp out of range")
        .detail("Found a moment before the year 0 or after the year 9999.")
        .into()
}

/// What to say of an import id of another form.
fn bad_import(found: &str, wanted: &str) -> Diagnostics {
    Diagnostic::error("bad-import-id", "Unsuitable import id")
        .detail(format!("Found `{found}`, wanted {wanted}."))
        .into()
}

/// The numbers in an import id; 0 stands for none.
fn numbers(parts: &[&str]) -> Option<Vec<Attr<i64>>> {
    parts.iter().map(|part| Some(Attr::from(Some(part.parse::<i64>().ok()?).filter(|n| *n != 0)))).collect()
}

/// What to say where none of several attributes is set.
fn missing(names: &str) -> Diagnostic {
    Diagnostic::error("missing-attribute", "Missing attribute")
        .detail(format!("At least one of {names} must be set."))
}
