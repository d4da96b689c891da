//! `plumb version`.

use crate::args::VersionArgs;
use crate::ui::{Exit, Ui};

/// Runs the command.
pub fn run(args: &VersionArgs, ui: &Ui) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let platform = format!("{}_{}", std::env::consts::OS, architecture());
    if args.json {
        let json = serde_json::json!({
            "plumb_version": version,
            "terraform_version": crate::render::state_json::TERRAFORM_VERSION,
            "platform": platform,
            "provider_selections": {},
        });
        ui.result(&format!("{json}\n"));
    } else {
        ui.result(&format!("Plumb v{version}\non {platform}\n"));
    }
    Exit::Done
}

/// The name that providers are published under for this architecture.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
