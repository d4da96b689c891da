//! The compiled-in providers.
