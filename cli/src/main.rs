//! The command `plumb`.

use std::process::ExitCode;

fn main() -> ExitCode {
    plumb_cli::start(plumb_cli::CompiledIn::default())
}
