//! A plan as Terraform's `show -json` has it: format 1.2.
//!
//! Tools made for Terraform read it. Members come in Terraform's order; parts that would be empty are absent where
//! they are there. Sensitive values are in clear, as in Terraform's: who may read the document is for whoever writes
//! it to decide.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ecow::EcoString;
use plumb_engine::plan::{Action, Change, Drift, Invocation, OutputChange, Plan, Purpose, Reason, Trigger};
use plumb_model::address::{Instance, Mode};
use plumb_model::{Type, Value};

use super::check_json;
use super::configuration_view::{
    ConfigurationView, Expression, Expressions, ModuleCallView, ModuleView, OutputView, ProviderView,
    ResourceView, VariableView,
};
use super::json::Json;
use super::state_json::{self, InstanceView, OutputValue, StateView, TERRAFORM_VERSION};
use super::words;

/// The version of the format of plans.
pub const FORMAT_VERSION: &str = "1.2";

/// Writes the plan as a JSON document without a line break at its end. Where the prior state is not given, it is told
/// from the changes, which name every object that was considered.
///
/// # Errors
/// If writing fails.
pub fn write_plan_json(
    plan: &Plan,
    configuration: &ConfigurationView,
    prior_state: Option<&StateView>,
    out: &mut dyn Write,
) -> io::Result<()> {
    Json::new(out).object(|json| {
        json.text("format_version", FORMAT_VERSION)?;
        json.text("terraform_version", TERRAFORM_VERSION)?;
        variables(plan, configuration, json)?;
        json.key("planned_values")?;
        planned_values(plan, configuration, json)?;
        resource_drift(plan, json)?;
        resource_changes(plan, json)?;
        output_changes(plan, json)?;
        action_invocations(plan, json)?;
        prior(plan, prior_state, json)?;
        json.key("configuration")?;
        self::configuration(configuration, json)?;
        relevant_attributes(configuration, json)?;
        check_json::checks(&plan.checks, json)?;
        json.text("timestamp", &plan.timestamp)?;
        json.plain("applyable", plan.is_applyable())?;
        json.plain("complete", plan.targets.is_empty() && plan.excludes.is_empty() && !plan.errored)?;
        json.plain("errored", plan.errored)
    })
}

fn variables(plan: &Plan, view: &ConfigurationView, json: &mut Json<'_>) -> io::Result<()> {
    // The values of ephemeral ones are not kept.
    let is_kept = |name: &EcoString| view.root.variables.get(name).is_none_or(|variable| !variable.ephemeral);
    let kept = || plan.variables.iter().filter(|(name, _)| is_kept(name));
    if kept().next().is_none() {
        return Ok(());
    }
    json.key("variables")?;
    json.object(|json| {
        kept().try_for_each(|(name, value)| {
            json.key(name)?;
            json.object(|json| {
                json.key("value")?;
                json.value(value)
            })
        })
    })
}

/// Whether the change is one that Terraform's plans list: data sources that were read while planning are not.
fn is_listed(change: &Change) -> bool {
    change.address.resource.mode == Mode::Managed
        || change.address.resource.mode == Mode::Data && change.action != Action::NoOp
}

fn planned_values(plan: &Plan, view: &ConfigurationView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        // An output that is declared and has no value is null.
        let declared =
            |name: &EcoString| plan.purpose != Purpose::Destroy && view.root.outputs.contains_key(name);
        let null = |name: &EcoString| declared(name).then_some(&Value::NULL);
        let outputs =
            || plan.outputs.iter().filter_map(|(name, o)| Some((name, o, o.after.as_ref().or(null(name))?)));
        if outputs().next().is_some() {
            json.key("outputs")?;
            json.object(|json| {
                outputs().try_for_each(|(name, output, after)| {
                    json.key(name)?;
                    json.object(|json| {
                        json.plain("sensitive", output.sensitive)?;
                        if !after.is_wholly_known() {
                            return Ok(());
                        }
                        json.ty("type", &if after.is_null() { Type::Dynamic } else { after.ty() })?;
                        json.key("value")?;
                        json.value(after)
                    })
                })
            })?;
        }
        json.key("root_module")?;
        // What is no longer managed stays, but without values.
        let stays = |change: &Change| !change.after.is_null() || change.action == Action::Forget;
        let remaining = plan
            .changes
            .iter()
            .filter(|change| is_listed(change) && change.deposed.is_none() && stays(change));
        state_json::tree(remaining.map(|change| (&change.address, change))).write(
            json,
            &mut |change, json| {
                json.object(|json| {
                    state_json::identity(&change.address, &change.provider, json)?;
                    json.plain("schema_version", change.schema_version)?;
                    if has_known_part(&change.after) {
                        json.key("values")?;
                        json.value(&change.after)?;
                    }
                    json.key("sensitive_values")?;
                    json.sensitive_parts(&change.after)
                })
            },
        )
    })
}

/// Whether anything of an object is known already.
fn has_known_part(object: &Value) -> bool {
    !object.is_null()
        && object.as_entries().is_none_or(|entries| entries.iter().any(|(_, value)| value.is_known()))
}

fn resource_drift(plan: &Plan, json: &mut Json<'_>) -> io::Result<()> {
    if plan.drift.is_empty() {
        return Ok(());
    }
    json.key("resource_drift")?;
    let moved = plan.changes.iter().filter_map(|c| Some((&c.address, c.previous_address.as_ref()?)));
    let moved: BTreeMap<_, _> = moved.collect();
    json.array(|json| {
        plan.drift.iter().try_for_each(|drift| {
            let previous = moved.get(&drift.address).copied().filter(|_| drift.deposed.is_none());
            drift_object(drift, previous, json)
        })
    })
}

fn drift_object(drift: &Drift, previous: Option<&Instance>, json: &mut Json<'_>) -> io::Result<()> {
    let actions: &[&str] = match (drift.before.is_null(), drift.after.is_null()) {
        (_, true) => &["delete"],
        (true, false) => &["create"],
        (false, false) => &["update"],
    };
    json.object(|json| {
        head(&drift.address, previous, json)?;
        state_json::block(&drift.address, &drift.provider, json)?;
        if let Some(deposed) = &drift.deposed {
            json.text("deposed", deposed)?;
        }
        json.key("change")?;
        json.object(|json| change_members(actions, &drift.before, &drift.after, json))
    })
}

fn resource_changes(plan: &Plan, json: &mut Json<'_>) -> io::Result<()> {
    let listed = || plan.changes.iter().filter(|change| is_listed(change));
    if listed().next().is_none() {
        return Ok(());
    }
    json.key("resource_changes")?;
    json.array(|json| listed().try_for_each(|change| change_object(change, json)))
}

/// The address, the address before, and the module.
fn head(address: &Instance, previous: Option<&Instance>, json: &mut Json<'_>) -> io::Result<()> {
    json.text("address", &address.to_string())?;
    if let Some(previous) = previous {
        json.text("previous_address", &previous.to_string())?;
    }
    if !address.module.is_root() {
        json.text("module_address", &address.module.to_string())?;
    }
    Ok(())
}

fn change_object(change: &Change, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        head(&change.address, change.previous_address.as_ref(), json)?;
        state_json::block(&change.address, &change.provider, json)?;
        if let Some(deposed) = &change.deposed {
            json.text("deposed", deposed)?;
        }
        json.key("change")?;
        json.object(|json| {
            change_members(actions(change.action), &change.before, &change.after, json)?;
            if !change.replace_paths.is_empty() {
                json.key("replace_paths")?;
                json.array(|json| change.replace_paths.iter().try_for_each(|path| json.path(path)))?;
            }
            if let Some(id) = &change.importing {
                json.key("importing")?;
                json.object(|json| json.text("id", id))?;
            }
            Ok(())
        })?;
        match change.reason {
            // Terraform has no word for what OpenTofu and Plumb call disabled.
            Some(Reason::DeleteBecauseDisabled) => {
                json.text("action_reason", Reason::DeleteBecauseCountIndex.word())
            }
            Some(reason) => json.text("action_reason", reason.word()),
            None => Ok(()),
        }
    })
}

/// The actions that a plan's action consists of.
pub(super) fn actions(action: Action) -> &'static [&'static str] {
    match action {
        Action::NoOp => &["no-op"],
        Action::Create => &["create"],
        Action::Read => &["read"],
        Action::Update => &["update"],
        Action::DeleteThenCreate => &["delete", "create"],
        Action::CreateThenDelete => &["create", "delete"],
        Action::Delete => &["delete"],
        Action::Forget => &["forget"],
    }
}

fn change_members(actions: &[&str], before: &Value, after: &Value, json: &mut Json<'_>) -> io::Result<()> {
    json.texts("actions", actions)?;
    json.key("before")?;
    json.value(before)?;
    json.key("after")?;
    json.value(after)?;
    json.key("after_unknown")?;
    if after.is_wholly_known() {
        json.raw("{}")?;
    } else {
        json.unknown_parts(after)?;
    }
    json.key("before_sensitive")?;
    json.sensitive_parts(before)?;
    json.key("after_sensitive")?;
    json.sensitive_parts(after)
}

fn action_invocations(plan: &Plan, json: &mut Json<'_>) -> io::Result<()> {
    if plan.invocations.is_empty() {
        return Ok(());
    }
    json.key("action_invocations")?;
    json.array(|json| plan.invocations.iter().try_for_each(|invocation| action_invocation(invocation, json)))
}

fn action_invocation(invocation: &Invocation, json: &mut Json<'_>) -> io::Result<()> {
    let Invocation { address, provider, config, trigger } = invocation;
    json.object(|json| {
        json.text("address", &address.to_string())?;
        json.text("type", &address.resource.kind)?;
        json.text("name", &address.resource.name)?;
        json.key("config_values")?;
        json.value(config)?;
        json.key("config_sensitive")?;
        json.sensitive_parts(config)?;
        json.key("config_unknown")?;
        json.unknown_parts(config)?;
        json.text("provider_name", &provider.source.to_string())?;
        match trigger {
            Trigger::Request => {
                json.key("invoke_action_trigger")?;
                json.object(|_| Ok(()))
            }
            Trigger::Lifecycle { resource, event, block, index } => {
                json.key("lifecycle_action_trigger")?;
                json.object(|json| {
                    json.text("triggering_resource_address", &resource.to_string())?;
                    json.text("action_trigger_event", words::trigger_event(*event))?;
                    json.plain("action_trigger_block_index", block)?;
                    json.plain("actions_list_index", index)
                })
            }
        }
    })
}

fn output_changes(plan: &Plan, json: &mut Json<'_>) -> io::Result<()> {
    if plan.outputs.is_empty() {
        return Ok(());
    }
    json.key("output_changes")?;
    json.object(|json| {
        plan.outputs.iter().try_for_each(|(name, output)| {
            json.key(name)?;
            json.object(|json| output_change(output, json))
        })
    })
}

fn output_change(output: &OutputChange, json: &mut Json<'_>) -> io::Result<()> {
    json.texts("actions", actions(output.action()))?;
    json.key("before")?;
    json.value(output.before.as_ref().unwrap_or(&Value::NULL))?;
    let after = output.after.as_ref().unwrap_or(&Value::NULL);
    if after.is_known() {
        json.key("after")?;
        json.value(after)?;
    }
    json.key("after_unknown")?;
    if after.is_wholly_known() {
        json.raw(false)?;
    } else {
        json.unknown_parts(after)?;
    }
    let sensitive = output.sensitive || state_json::is_sensitive(after);
    json.plain("before_sensitive", sensitive)?;
    json.plain("after_sensitive", sensitive)
}

fn prior(plan: &Plan, prior_state: Option<&StateView>, json: &mut Json<'_>) -> io::Result<()> {
    let told;
    let state = match prior_state {
        Some(state) => state,
        None => {
            told = prior_state_of(plan);
            &told
        }
    };
    if state.instances.is_empty() && state.outputs.is_empty() {
        return Ok(());
    }
    json.key("prior_state")?;
    state_json::document(state, json)
}

/// The state before the plan is executed, refreshed, as far as the plan tells it. Outputs whose values are known
/// already have them, as in Terraform's plans.
pub fn prior_state_of(plan: &Plan) -> StateView {
    let recorded = plan.changes.iter().filter(|change| !change.before.is_null());
    let mut instances: Vec<InstanceView> = recorded
        .map(|change| {
            let mut dependencies: Vec<EcoString> =
                change.prior_dependencies.iter().map(|d| ecow::eco_format!("{d}")).collect();
            dependencies.sort();
            InstanceView {
                address: change.address.clone(),
                provider: change.provider.clone(),
                schema_version: change.schema_version,
                value: change.before.clone(),
                dependencies,
                tainted: change.reason == Some(Reason::ReplaceBecauseTainted),
                deposed: change.deposed.clone(),
            }
        })
        .collect();
    instances.extend(plan.data.iter().map(|read| InstanceView {
        address: read.address.clone(),
        provider: read.provider.clone(),
        schema_version: read.schema_version,
        value: read.value.clone(),
        dependencies: Vec::new(),
        tainted: false,
        deposed: None,
    }));
    instances.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
    let outputs = plan.outputs.iter().filter_map(|(name, output)| {
        let after = output.after.as_ref().filter(|value| value.is_wholly_known());
        let value = after.or(output.before.as_ref()).filter(|value| !value.is_null())?;
        Some((name.clone(), OutputValue { value: value.clone(), sensitive: output.sensitive }))
    });
    StateView { instances, outputs: outputs.collect(), checks: Vec::new() }
}

fn relevant_attributes(view: &ConfigurationView, json: &mut Json<'_>) -> io::Result<()> {
    if view.relevant.is_empty() {
        return Ok(());
    }
    json.key("relevant_attributes")?;
    json.array(|json| {
        view.relevant.iter().try_for_each(|(address, path)| {
            json.object(|json| {
                json.text("resource", &address.to_string())?;
                json.key("attribute")?;
                json.path(path)
            })
        })
    })
}

fn configuration(view: &ConfigurationView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        members("provider_config", &view.providers, json, provider)?;
        json.key("root_module")?;
        module(&view.root, json)
    })
}

/// A member that is an object of things by name, absent if there are none.
fn members<T>(
    name: &str,
    things: &BTreeMap<EcoString, T>,
    json: &mut Json<'_>,
    mut write: impl FnMut(&T, &mut Json<'_>) -> io::Result<()>,
) -> io::Result<()> {
    if things.is_empty() {
        return Ok(());
    }
    json.key(name)?;
    json.object(|json| {
        things.iter().try_for_each(|(name, thing)| {
            json.key(name)?;
            write(thing, json)
        })
    })
}

fn some_text(name: &str, text: Option<&EcoString>, json: &mut Json<'_>) -> io::Result<()> {
    text.map_or(Ok(()), |text| json.text(name, text))
}

fn if_true(name: &str, flag: bool, json: &mut Json<'_>) -> io::Result<()> {
    if flag { json.plain(name, true) } else { Ok(()) }
}

fn provider(view: &ProviderView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        json.text("name", &view.name)?;
        json.text("full_name", &view.full_name)?;
        some_text("alias", view.alias.as_ref(), json)?;
        some_text("version_constraint", view.version_constraint.as_ref(), json)?;
        some_text("module_address", view.module_address.as_ref(), json)?;
        members("expressions", &view.expressions, json, expression)
    })
}

fn module(view: &ModuleView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        members("outputs", &view.outputs, json, output)?;
        if !view.resources.is_empty() {
            json.key("resources")?;
            json.array(|json| view.resources.iter().try_for_each(|view| resource(view, json)))?;
        }
        members("module_calls", &view.module_calls, json, module_call)?;
        members("variables", &view.variables, json, variable)
    })
}

fn output(view: &OutputView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        if_true("sensitive", view.sensitive, json)?;
        json.key("expression")?;
        expression(&view.expression, json)?;
        depends_on(&view.depends_on, json)?;
        some_text("description", view.description.as_ref(), json)
    })
}

fn depends_on(addresses: &[EcoString], json: &mut Json<'_>) -> io::Result<()> {
    if addresses.is_empty() { Ok(()) } else { json.texts("depends_on", addresses) }
}

fn resource(view: &ResourceView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        json.text("address", &view.address)?;
        json.text("mode", state_json::mode(view.mode))?;
        json.text("type", &view.kind)?;
        json.text("name", &view.name)?;
        json.text("provider_config_key", &view.provider_config_key)?;
        if !view.provisioners.is_empty() {
            json.key("provisioners")?;
            json.array(|json| {
                view.provisioners.iter().try_for_each(|(kind, arguments)| {
                    json.object(|json| {
                        json.text("type", kind)?;
                        members("expressions", arguments, json, expression)
                    })
                })
            })?;
        }
        members("expressions", &view.expressions, json, expression)?;
        json.plain("schema_version", view.schema_version)?;
        repetition(view.count.as_ref(), view.for_each.as_ref(), json)?;
        depends_on(&view.depends_on, json)
    })
}

fn repetition(
    count: Option<&Expression>,
    for_each: Option<&Expression>,
    json: &mut Json<'_>,
) -> io::Result<()> {
    for (name, value) in [("count_expression", count), ("for_each_expression", for_each)] {
        // Of one that is neither constant nor mentions anything there is nothing to tell.
        if let Some(value) = value.filter(|value| !matches!(value, Expression::Opaque)) {
            json.key(name)?;
            expression(value, json)?;
        }
    }
    Ok(())
}

fn module_call(view: &ModuleCallView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        json.text("source", &view.source)?;
        members("expressions", &view.expressions, json, expression)?;
        repetition(view.count.as_ref(), view.for_each.as_ref(), json)?;
        json.key("module")?;
        module(&view.module, json)?;
        some_text("version_constraint", view.version_constraint.as_ref(), json)?;
        depends_on(&view.depends_on, json)
    })
}

fn variable(view: &VariableView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        if let Some(default) = &view.default {
            json.key("default")?;
            json.value(default)?;
        }
        some_text("description", view.description.as_ref(), json)?;
        if_true("sensitive", view.sensitive, json)
    })
}

fn expressions(view: &Expressions, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        view.iter().try_for_each(|(name, argument)| {
            json.key(name)?;
            expression(argument, json)
        })
    })
}

fn expression(view: &Expression, json: &mut Json<'_>) -> io::Result<()> {
    match view {
        Expression::Opaque => json.raw("{}"),
        Expression::Constant(value) => json.object(|json| {
            json.key("constant_value")?;
            json.value(value)
        }),
        Expression::References(references) => json.object(|json| json.texts("references", references)),
        Expression::Block(block) => expressions(block, json),
        Expression::Blocks(blocks) => {
            json.array(|json| blocks.iter().try_for_each(|block| expressions(block, json)))
        }
        Expression::LabelledBlocks(blocks) => json.object(|json| {
            blocks.iter().try_for_each(|(label, block)| {
                json.key(label)?;
                expressions(block, json)
            })
        }),
    }
}
