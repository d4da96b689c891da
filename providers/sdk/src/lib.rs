//! What the author of a provider writes against.
