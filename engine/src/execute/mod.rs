//! Carrying a plan out.
//!
//! [`execute`] evaluates the program once more, now with what providers really made, and runs the steps that the plan's
//! changes consist of, in an order that [`steps`] fixes beforehand. It decides nothing: what a step does is in the
//! plan, and a step whose outcome would be another than planned fails.
//!
//! What is independent of a failed step goes on; what depends on it is skipped and named. Everything that was done is in
//! the journal before anything that builds on it starts, so the process may end at any moment.
//!
//! `steps`: which steps there are and what waits for what; `walk`: the coordinator; `back`: what is different on the way back; `step`: one
//! step; `provision`: what runs after creating and before deleting, `invoke`: actions, `local_exec`: a program that does.
//!
//! [`roll_back`] does the same for the way back to an earlier state, whose steps bring their configurations with them: the
//! program then only configures providers.
//!
//! Elsewhere: what an interrupted execution left in flight is found out by the next plan ([`crate::plan::Resolution`]).

mod back;
mod invoke;
mod local_exec;
mod provision;
mod step;
mod steps;
mod walk;

pub use walk::{Inputs, Report, execute, roll_back};
