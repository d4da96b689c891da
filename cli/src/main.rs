//! The command `plumb`.

fn main() {}
