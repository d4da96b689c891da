//! The command `plumb`.

use std::process::ExitCode;

/// Plans and applies make millions of small values on two threads; the allocator of the C library takes an eighth of the
/// time for them, and keeps much of what was freed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    plumb_cli::start(plumb_cli::CompiledIn::default())
}
