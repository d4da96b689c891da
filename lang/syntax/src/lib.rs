//! Text to syntax tree, and back to text.
