//! Artifacts made by chance and by hand, sealed, opened, and damaged.

mod artifacts;
mod damage;
mod effects;
mod values;
