//! Carrying a plan out.

mod step;
