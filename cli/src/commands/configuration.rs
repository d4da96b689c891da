//! x
pub fn view(_: &plumb_semantics::Program, _: &plumb_engine::providers::Schemas) -> crate::render::configuration_view::ConfigurationView { Default::default() }
