//! The command `plumb`.

use std::process::ExitCode;

fn main() -> ExitCode {
    plumb_cli::main(std::env::args_os())
}
