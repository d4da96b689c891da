//! The provider as a plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    plumb_provider_sdk::serve(provider_inventory::ADDRESS, provider_inventory::provider())
}
