//! Real providers for the tests.

#![allow(dead_code, reason = "each test uses a part")]

pub mod bench;

use std::path::PathBuf;

use plumb_provider_host::{Options, Plugin, Source};
pub use plumb_provider_testing::conformance;

/// Starts guards, so that no test leaves a process behind.
pub fn guard() {
    plumb_provider_host::guard::use_program(env!("CARGO_BIN_EXE_plumb-plugin-guard").into());
}

/// A provider to be started from a program.
pub fn plugin(address: &str, program: PathBuf, options: Options) -> Plugin {
    guard();
    Plugin::new(address, Source::Program(program), options)
}
