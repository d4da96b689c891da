//! Starts plugins; each then looks like any provider.
