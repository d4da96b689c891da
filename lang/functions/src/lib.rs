//! The functions that expressions call.
