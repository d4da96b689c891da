//! `plumb version`: the version of the program, and the locked versions of the providers of this directory.

use std::collections::BTreeMap;

use plumb_model::Sources;
use plumb_provider_install::Platform;
use serde_json::json;

use crate::args::VersionArgs;
use crate::installed;
use crate::ui::{Exit, Ui};

/// Runs the command.
pub fn run(args: &VersionArgs, ui: &Ui) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let platform = Platform::current().to_string();
    // The version is told whatever the lock file is like.
    let lock = installed::read_lock().unwrap_or_else(|found| {
        ui.diagnostics(&found, &Sources::new());
        Default::default()
    });
    let locked =
        lock.providers.iter().map(|(address, locked)| (address.to_string(), locked.version.to_string()));
    let locked: BTreeMap<String, String> = locked.collect();
    if args.json {
        let json = json!({
            "plumb_version": version,
            "terraform_version": crate::render::state_json::TERRAFORM_VERSION,
            "platform": platform,
            "provider_selections": locked,
            "terraform_outdated": false,
        });
        ui.result(&format!("{json:#}\n"));
    } else {
        let providers: String =
            locked.iter().map(|(address, version)| format!("+ provider {address} v{version}\n")).collect();
        ui.result(&format!("Plumb v{version}\non {platform}\n{providers}"));
    }
    Exit::Done
}
