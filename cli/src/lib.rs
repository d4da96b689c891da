//! The command line of Plumb, as a library so that tests reach what it prints.
//!
//! The binary `plumb` is a thin shell around [`start`], and so is a program that compiles further providers in. Elsewhere: what is decided is in `plumb-engine`, what is read in
//! `plumb-semantics`; here it is asked for and shown.
//!
//! - [`args`]: what can be typed; `commands`: what is done for it, a file for each;
//! - `session`: configuration, variables, schemas; `modules`: modules that are not local; `store`: state and locks;
//!   `registry`: providers, `compiled`: those in the program, `installed`: where they are, `installing`: how that is shown, `functions`: what expressions
//!   call of them, `log`: what they log; `world`: the disk, `archive`: the disk as a saved plan remembers it;
//! - `explain`: the pages about diagnostics; `fix`: the changes that they are sure of;
//! - `interface`: what a module takes and gives; `migrate`: `.tf` files to `.cfg` files;
//! - [`render`]: everything that is shown; `ui`: the streams that it goes to.

mod archive;
pub mod args;
mod ask;
mod commands;
mod compiled;
pub mod explain;
mod files;
mod fix;
mod functions;
mod installed;
mod installing;
mod interface;
mod log;
mod migrate;
mod modules;
mod registry;
pub mod render;
mod session;
mod store;
mod ui;
mod world;

pub use commands::main;
pub use compiled::{CompiledIn, Make};

/// The whole program `plumb`, with providers that are compiled in beside its own. It is all that the `main` of such a
/// program needs.
pub fn start(providers: CompiledIn) -> std::process::ExitCode {
    // Plugins are started through this same program, so that none outlives it.
    if let Some(code) = plumb_provider_host::guard::enter() {
        return code;
    }
    providers.settle();
    main(std::env::args_os())
}
