//! `plumb show`: a saved plan, or what is recorded.

use std::sync::Arc;

use plumb_engine::plan::Plan;
use plumb_engine::providers::Factory as _;
use plumb_engine::recorded::Recorded;
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, Marks, Sources, Value, json};
use plumb_state::InstanceRecord;

use crate::args::{PlanFormat, ShowArgs};
use crate::commands::state::report;
use crate::registry::Registry;
use crate::render::state_json::{InstanceView, StateView};
use crate::render::{plan_json, state_json, state_text};
use crate::session::{self, Session};
use crate::store::{self, StoreTrouble};
use crate::ui::{Exit, Ui};

/// Runs the command.
pub fn run(args: &ShowArgs, ui: &Ui) -> Exit {
    if let Some(file) = &args.file {
        let (plan, session) = match super::artifact::open_for_showing(file, ui) {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let format = if args.json { PlanFormat::Json } else { args.format };
        super::plan::show(&plan, &session, format, ui);
        return Exit::Done;
    }
    match state_view() {
        Err(trouble) => report(trouble, ui),
        Ok(view) => {
            if args.json {
                ui.write_result(|out| {
                    state_json::write_state_json(&view, out)?;
                    writeln!(out)
                });
            } else if view.instances.is_empty() && view.outputs.is_empty() {
                ui.remark("State is empty: nothing has been applied here.");
            } else {
                ui.write_result(|out| state_text::write_state_text(&view, &ui.out, out));
            }
            Exit::Done
        }
    }
}

/// Shows a plan as Terraform's JSON.
pub fn plan_json(plan: &Plan, session: &Session, ui: &Ui) {
    let configuration = super::configuration::view(&session.program, &session.schemas, plan);
    ui.write_result(|out| {
        plan_json::write_plan_json(plan, &configuration, None, out)?;
        writeln!(out)
    });
}

/// Shows one record.
pub fn record(record: &InstanceRecord, ui: &Ui) {
    match instance_view(record, &Arc::new(Registry::new())) {
        Ok(view) => ui.write_result(|out| state_text::write_instance(&view, &ui.out, out)),
        Err(found) => {
            ui.diagnostics(&found.into(), &Sources::new());
        }
    }
}

fn state_view() -> Result<StateView, StoreTrouble> {
    let state = store::read()?;
    let registry = Arc::new(Registry::new());
    let mut view = StateView { outputs: super::output::recorded(&state)?, ..StateView::default() };
    let mut records = Vec::new();
    for instance in state.snapshot()?.instances {
        records.push(instance?.record);
    }
    // Each provider is asked once for all of its types.
    for recorded in records.iter().filter_map(|record| Recorded::read(record).ok()) {
        registry.need(&recorded.provider.source, [recorded.address.resource.kind.clone()]);
    }
    for record in records {
        let instance = instance_view(&record, &registry);
        view.instances.push(instance.map_err(|diagnostic| StoreTrouble { diagnostic, exit: Exit::Error })?);
    }
    Ok(view)
}

/// A record as it is shown. The provider's schema says what its values are; where that cannot be had, the JSON itself
/// does.
fn instance_view(record: &InstanceRecord, registry: &Arc<Registry>) -> Result<InstanceView, Diagnostic> {
    let recorded = Recorded::read(record).map_err(|error| error.diagnostic())?;
    let resource = &recorded.address.resource;
    registry.need(&recorded.provider.source, [resource.kind.clone()]);
    let schema = schema(&recorded.provider.source, registry).ok().and_then(|schema| {
        schema.resources.get(&resource.kind).or(schema.data_sources.get(&resource.kind)).cloned()
    });
    let text = recorded.attributes.as_str();
    let value = match &schema {
        Some(schema) => json::decode(text, &schema.block.implied_type()).ok(),
        None => None,
    };
    let value = value.unwrap_or_else(|| {
        let parsed: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        json::from_json(&parsed, &json::implied_type(&parsed)).unwrap_or(Value::NULL)
    });
    let declared = schema.map(|schema| schema.block.sensitive_paths(&value)).unwrap_or_default();
    let value = value
        .mark_paths(declared.iter().map(|(path, marks)| (path, *marks)))
        .mark_paths(recorded.sensitive.iter().map(|path| (path, Marks::SENSITIVE)));
    Ok(InstanceView {
        provider: recorded.provider.clone(),
        schema_version: recorded.schema_version,
        value,
        dependencies: recorded.dependencies.iter().map(|d| ecow::eco_format!("{d}")).collect(),
        tainted: recorded.tainted,
        deposed: recorded.deposed.clone(),
        address: recorded.address,
    })
}

fn schema(
    source: &ProviderSource,
    registry: &Arc<Registry>,
) -> Result<Arc<plumb_provider_api::ProviderSchema>, Diagnostics> {
    session::wait(registry.schema(source))
}
