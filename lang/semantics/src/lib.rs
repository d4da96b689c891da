//! Syntax trees to a checked module, and a checked module to a configuration.
//!
//! ```text
//! files ─load→ Program ─check→ diagnostics
//!                 └──── Evaluator: variables, locals, outputs, instances, configurations
//! ```
//!
//! [`load`] reads the directories of a configuration into a [`Program`]; [`check`] finds what is wrong with it without
//! evaluating; [`eval::Evaluator`] computes values, node by node, in the order that the caller chooses.
//!
//! Nothing here does input or output: files and surroundings come through [`World`], schemas through [`Schemas`].

mod callee;
pub mod check;
pub mod eval;
mod expr;
mod graph;
pub mod inputs;
pub mod load;
pub mod mentions;
pub mod moves;
mod order;
pub mod program;
pub mod provisioner;
mod reasons;
pub mod reference;
pub mod schemas;
pub mod types;
pub mod world;

pub use check::check;
pub use load::{
    InstalledModule, InstalledModules, LoadOptions, ModuleRequest, NoneInstalled, NotInstalled, Texts, load,
    load_again,
};
pub use program::{Loaded, Module, ModuleId, Node, NodeId, NodeKind, Program};
pub use schemas::{NoSchemas, Schemas};
pub use world::{MemoryWorld, PathKind, World, WorldError};
