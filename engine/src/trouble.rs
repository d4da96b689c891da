//! Words for trouble that has no better place.

use plumb_model::{Diagnostic, Value};
use plumb_state::StateError;

/// State could not be read or written.
pub fn state(error: &StateError) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error("state-trouble", "State cannot be read or written").detail(format!("{error}."));
    if let StateError::Store(store) = error {
        diagnostic = diagnostic.maybe_help(store.help());
    }
    diagnostic
}

/// An object has a part that no record can hold.
pub(crate) fn unsaveable(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error("unsaveable-object", "Object cannot be saved")
        .detail(format!("{error}."))
        .help("This is a bug in the provider: report it to its developers.")
}

/// A configuration still has unknown parts when it is carried out.
pub(crate) fn unknown_config(config: &Value) -> Diagnostic {
    let mut unknown = plumb_model::Path::root();
    config.walk(&mut |path, value| {
        if !value.is_known() && unknown.is_root() {
            unknown = path.clone();
        }
        unknown.is_root()
    });
    Diagnostic::error("config-still-unknown", "Configuration is still unknown")
        .detail(format!(
            "`{unknown}` should have become known by the steps before this one, and has not: \
             an object that it refers to was not made as planned."
        ))
        .help("Plan and apply again.")
        .attribute(unknown)
}
