//! The real binary, from end to end: what a user types, what they see, and what is on disk afterwards.
//!
//! - `examples`: each of `examples/`, made, changed and destroyed;
//! - `documents`: every command that the documentation shows, and what it prints;
//! - `authoring`: what helps authors; `commands`: exit codes, streams, formats, approval, locks; `choosing`: what is planned;
//! - `layout`: `fmt` beside Terraform; `failing`: failed steps and interrupts; `robust`: killed processes, full disks, damaged files, absurd input;
//! - `sharing`: the compiled-in providers in Terraform; `tutorial`: the provider that `docs/providers/writing.md` builds;
//! - `plugins`: a provider in a process of its own; `actions`: what it is invoked for around changes; `killed`: it and Plumb, killed while they change things;
//! - `console`: what expressions print; `parity`: Terraform and Plumb side by side.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "../support/mod.rs"]
mod support;

mod actions;
mod authoring;
mod choosing;
mod commands;
mod console;
mod documents;
mod examples;
mod failing;
mod killed;
mod layout;
mod parity;
mod plugins;
mod provider_instances;
mod robust;
mod sharing;
mod tutorial;
mod variables;
