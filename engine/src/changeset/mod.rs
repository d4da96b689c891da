//! Changesets: a plan as a file that can be reviewed, approved, kept, and carried out exactly as it is.
//!
//! ```text
//! Artifact ─convert→ records ─seal→ bytes, digest       bytes ─open→ Artifact ─binding::check→ may be executed
//! ```
//!
//! - [`artifact`]: what is sealed: the plan, and everything besides that executing it needs.
//! - `saved`, `convert`: its versioned records, and the way there and back; [`value`] is the form of values.
//! - [`secret`]: sensitive values are concealed one by one under a key that does not travel with the plan.
//! - [`mod@seal`]: one canonical content, one digest; whatever is not exactly that is refused.
//! - [`mod@effect`]: what a plan does, without what differs between two plans that do the same.
//! - [`binding`]: whether the state is still the one that a plan was made from.
//!
//! What always holds: what is sealed can be opened and is equal to what was sealed, but for ephemeral values, which are
//! never saved; the same artifact gives the same bytes; no bytes make opening panic. Nothing here does input or output.

pub mod artifact;
pub mod binding;
mod convert;
pub mod effect;
mod saved;
pub mod seal;
pub mod secret;
mod text;
mod types;
pub mod value;

pub use artifact::{Artifact, PlanOptions, ProviderLock};
pub use convert::ConvertError;
pub use effect::{Effect, EffectDigest, effect};
pub use seal::{OpenError, Opened, PlanDigest, SealError, Sealed, open, seal};
pub use secret::Key;

#[cfg(test)]
mod tests;
