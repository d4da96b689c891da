//! What the blocks of provisioners may say.
//!
//! A provisioner runs on the machine of whoever runs Plumb (`local-exec`), or would need a connection to another
//! machine, which Plumb does not make. Running one is the engine's work.

use plumb_model::{Attribute, Block, Type};

/// The provisioners that a configuration may name.
pub const KINDS: [&str; 3] = ["local-exec", "remote-exec", "file"];

/// The arguments of a provisioner; `None` for one that cannot be run.
pub fn schema(kind: &str) -> Option<Block> {
    (kind == "local-exec").then(|| {
        Block::of([
            ("command", Attribute::required(Type::String).describe("What to run.")),
            (
                "interpreter",
                Attribute::optional(Type::list(Type::String))
                    .describe("The program that is given the command, and arguments that come before it."),
            ),
            ("working_dir", Attribute::optional(Type::String).describe("Where to run it.")),
            (
                "environment",
                Attribute::optional(Type::map(Type::String))
                    .describe("Added to the environment of this process."),
            ),
            ("quiet", Attribute::optional(Type::Bool).describe("Whether to keep the command itself unsaid.")),
        ])
    })
}
