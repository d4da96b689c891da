//! What is computed and checked around each call of a provider, about the object of one instance.
//!
//! Before planning, [`ignore_changes`] takes what the author wants left alone out of the configuration, and [`proposed`]
//! merges the configuration with the prior state. The provider answers with a planned state: [`check_type`],
//! [`check_write_only`] and [`check_planned`] hold it to its promise, and [`replace_paths`] finds which of its demands
//! for replacement count. After applying, [`check_known`] and [`check_applied`] hold the outcome to the plan.
//! [`normalize_blocks`], [`null_write_only`] and [`strip_removed`] mend what older providers and older states contain;
//! [`differing_paths`] says where two states differ.
//!
//! Everything here is a pure function of a schema and values. All values are objects of the schema's
//! [implied type](plumb_model::Block::implied_type), null where there is no object, and carry no marks: the caller takes
//! marks off before and puts them back after. Work is linear in the size of the values, sets included, except for
//! elements of a set that only their nested blocks tell apart.
//!
//! The rules are those of plugin protocol 6, which every provider of that protocol relies on: a host that
//! proposes or accepts something else breaks providers that work elsewhere.
//!
//! Since values here have lost their marks, no problem that is reported ever quotes a value: it may be sensitive.
//!
//! Elsewhere: when these are called, and what a broken promise leads to, is the planner's and the executor's matter.

mod applied;
mod broken;
mod conform;
mod correlate;
mod difference;
mod equal;
mod ignore;
mod image;
mod members;
mod normalize;
mod planned;
mod propose;
mod replace;
mod unknowns;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub use applied::{check_applied, check_known};
pub use broken::Broken;
pub use conform::{check_type, check_write_only, conforms};
pub use difference::differing_paths;
pub use equal::same;
pub use ignore::{Ignored, ignore_changes};
pub use image::{configuration_of, is_chosen, write_only_names};
pub use normalize::{normalize_blocks, null_write_only, strip_removed};
pub use planned::check_planned;
pub use propose::proposed;
pub use replace::replace_paths;
pub use unknowns::{set_unknown_for_computed, unknown_as_null, unknown_paths};
