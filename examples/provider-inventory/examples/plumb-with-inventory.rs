//! Plumb with the provider compiled in: it starts no process for it and needs no installation.

use std::process::ExitCode;

use plumb_cli::CompiledIn;

fn main() -> ExitCode {
    let inventory = (provider_inventory::ADDRESS, provider_inventory::provider as _);
    plumb_cli::start(CompiledIn::with([inventory]))
}
