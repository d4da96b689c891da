//! A guard on its own, for programs that cannot be one themselves: see `plumb_provider_host::guard`.

use std::process::ExitCode;

fn main() -> ExitCode {
    plumb_provider_host::guard::enter().unwrap_or(ExitCode::FAILURE)
}
