//! x
pub fn providers(_: &plumb_engine::providers::Schemas) -> String { String::new() }
