//! The command `plumb`.

use std::process::ExitCode;

use plumb_provider_host::guard;

fn main() -> ExitCode {
    // Plugins are started through this same program, so that none outlives it.
    if let Some(code) = guard::enter() {
        return code;
    }
    plumb_cli::main(std::env::args_os())
}
