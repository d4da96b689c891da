//! Syntax trees to a checked module, and a checked module to a configuration.
