//! The plan as a whole, from what was found out piece by piece.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use ecow::EcoString;
use plumb_model::address::{ConfigResource, Instance};
use plumb_model::{Marks, Type, Value};
use plumb_semantics::eval::Evaluator;
use plumb_semantics::program::{ModuleId, NodeKind};

use super::layout::Layouts;
use super::walk::{Inputs, Walker};
use super::{
    Action, Change, CheckResult, CheckStatus, DataRead, Drift, Invocation, OutputChange, Plan, Prior, Purpose,
};
use crate::providers::Schemas;

/// A plan of nothing, for when nothing could be planned.
pub(super) fn empty_plan(inputs: &Inputs) -> Plan {
    Plan {
        purpose: inputs.options.purpose,
        changes: Vec::new(),
        drift: Vec::new(),
        invocations: Vec::new(),
        data: Vec::new(),
        outputs: BTreeMap::new(),
        checks: Vec::new(),
        variables: BTreeMap::new(),
        targets: Vec::new(),
        excludes: Vec::new(),
        modules: Vec::new(),
        layouts: Layouts::default(),
        state: inputs.prior.binding.clone(),
        timestamp: timestamp(inputs.evaluator.options().plan_time),
        errored: true,
    }
}

/// A time as RFC 3339 in UTC, to the second.
pub(crate) fn timestamp(time: Option<SystemTime>) -> String {
    let time = time.unwrap_or(SystemTime::UNIX_EPOCH);
    jiff::Timestamp::try_from(time).map(|t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}

/// Puts the plan together.
pub(super) fn plan(walker: &mut Walker) -> Plan {
    let errored = walker.diagnostics.has_errors();
    let changes: Vec<Change> = std::mem::take(&mut walker.changes).into_values().collect();
    let mut drift = std::mem::take(&mut walker.drift);
    drift.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
    mark_relevant(&mut drift, &changes);
    let mut checks = std::mem::take(&mut walker.checks);
    checks.extend(super::conditions::of_values(&walker.evaluator));
    blame_reads(walker, &mut checks);
    checks.sort_by(|a, b| (&a.kind, &a.address).cmp(&(&b.kind, &b.address)));
    let text = |targets: &[plumb_model::address::Target]| {
        targets.iter().map(|target| ecow::eco_format!("{target}")).collect()
    };
    let invocations = walker.invocations();
    Plan {
        purpose: walker.options.purpose,
        layouts: layouts(&walker.schemas, &changes, &drift, &invocations),
        invocations,
        data: data(walker),
        outputs: outputs(walker),
        variables: variables(&walker.evaluator),
        targets: text(&walker.options.targets),
        excludes: text(&walker.options.excludes),
        modules: walker
            .program
            .modules()
            .flat_map(|(id, _)| walker.evaluator.module_instances(id).to_vec())
            .collect(),
        state: std::mem::take(&mut walker.prior.binding),
        timestamp: walker.timestamp.clone(),
        changes,
        drift,
        checks,
        errored,
    }
}

/// The layouts of the types of all that changes, has changed, or is invoked.
pub(crate) fn layouts(
    schemas: &Schemas,
    changes: &[Change],
    drift: &[Drift],
    invocations: &[Invocation],
) -> Layouts {
    let changing = changes.iter().filter(|change| change.is_effective());
    let changing = changing.map(|change| (&change.provider.source, &change.address.resource));
    let drifted = drift.iter().map(|drift| (&drift.provider.source, &drift.address.resource));
    let invoked = invocations.iter().map(|i| (&i.provider.source, &i.address.resource));
    let mut layouts = Layouts::default();
    let mut last = None;
    for (source, resource) in changing.chain(drifted).chain(invoked) {
        // Neighbours mostly are of the same type.
        let this = (source, resource.mode, &resource.kind);
        if last.replace(this) != Some(this)
            && let Some(known) = schemas.get(source, resource.mode, &resource.kind)
        {
            layouts.add(source, resource, &known.schema.block);
        }
    }
    layouts
}

/// A check whose data source could not be read fails, whatever its assertions say.
fn blame_reads(walker: &mut Walker, checks: &mut [CheckResult]) {
    for (instance, messages) in std::mem::take(&mut walker.failed_reads) {
        let node = walker.program.node(instance.node);
        let module = walker.program.module(node.module);
        let Some(check) = module.resources[node.index as usize].check else { continue };
        let id = walker.program.node_id(node.module, NodeKind::Check, check as usize);
        let name = walker.program.name(id);
        for result in
            checks.iter_mut().filter(|result| result.kind == "check" && result.config_address == name)
        {
            result.status = CheckStatus::Fail;
            result.messages.extend(messages.iter().cloned());
        }
    }
}

/// Drift matters where the object itself changes, or something that depends on it.
fn mark_relevant(drift: &mut [Drift], changes: &[Change]) {
    if drift.is_empty() {
        return;
    }
    let changing = || changes.iter().filter(|change| change.action != Action::NoOp);
    let themselves: BTreeSet<&Instance> = changing().map(|change| &change.address).collect();
    let needed: BTreeSet<&ConfigResource> = changing().flat_map(|change| &change.dependencies).collect();
    for drift in drift {
        drift.relevant = themselves.contains(&drift.address) || needed.contains(&drift.address.config());
    }
}

fn data(walker: &mut Walker) -> Vec<DataRead> {
    let read = std::mem::take(&mut walker.read_now);
    let mut data: Vec<DataRead> = read
        .into_iter()
        .filter_map(|(instance, value)| {
            Some(DataRead {
                address: walker.evaluator.address(instance),
                provider: walker.evaluator.provider_of(instance).ok()?,
                schema_version: walker.evaluator.schema(instance.node)?.version,
                value,
            })
        })
        .collect();
    data.sort_by(|a, b| a.address.cmp(&b.address));
    data
}

fn outputs(walker: &Walker) -> BTreeMap<EcoString, OutputChange> {
    let destroying = walker.options.purpose == Purpose::Destroy;
    let values = if destroying { Default::default() } else { walker.evaluator.outputs() };
    let declared = &walker.program.root().outputs;
    let prior: &Prior = &walker.prior;
    let names: BTreeSet<&EcoString> = prior.outputs.keys().chain(values.keys()).collect();
    let everything = walker.selection.is_everything();
    let mut outputs = BTreeMap::new();
    for name in names {
        let before = prior.outputs.get(name).map(|(value, sensitive)| {
            let marks = if *sensitive { Marks::SENSITIVE } else { Marks::NONE };
            value.clone().with_marks(marks)
        });
        let declaration = declared.get(name);
        if declaration.is_some_and(|output| output.ephemeral) {
            continue;
        }
        let mut after = values.get(name).cloned();
        if after.is_none() && declaration.is_some() && !destroying {
            // Not evaluated: left out by a target, or failed. It stays as it is.
            after = before.clone();
        }
        if after.is_none() && !everything {
            after = before.clone();
        }
        let sensitive = match declaration {
            Some(output) => output.sensitive,
            None => prior.outputs.get(name).is_some_and(|(_, sensitive)| *sensitive),
        };
        let after =
            after.filter(|value| !(value.is_null() && before.is_none()) || value.marks() != Marks::NONE);
        let after = after.map(|value| if sensitive { value.with_marks(Marks::SENSITIVE) } else { value });
        let ty = after.as_ref().map_or(Type::Dynamic, Value::ty);
        outputs.insert(name.clone(), OutputChange { before, after, sensitive, ty });
    }
    outputs
}

/// The variables of the root module by name, with marks.
pub(crate) fn variables(evaluator: &Evaluator) -> BTreeMap<EcoString, Value> {
    let program = evaluator.program();
    let names = program.root().variables.keys().enumerate();
    names
        .filter_map(|(index, name)| {
            let node = program.node_id(ModuleId::ROOT, NodeKind::Variable, index);
            Some((name.clone(), evaluator.value(node, 0)?.clone()))
        })
        .collect()
}
