//! The command line of Plumb, as a library so that tests reach what it prints.
//!
//! The binary `plumb` is a thin shell around this crate. Elsewhere: what is decided is in `plumb-engine`, what is read
//! in `plumb-semantics`; here it is asked for and shown.

pub mod render;
