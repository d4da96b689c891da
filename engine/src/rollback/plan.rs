//! The plan of the way back as a whole.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::address::{Instance, Mode};
use plumb_model::{Diagnostic, Diagnostics, Marks, Type, Value};
use plumb_semantics::program::Program;
use plumb_state::OutputRecord;
use plumb_state::record::InstanceRecord;

use super::history::{Born, Now, Slot};
use super::item::Outcome;
use super::{Back, ChangeKey, Class, Conflict, How, Item, Left, Planning, RollbackPlan, Undo, Way};
use crate::plan::prior::output_value;
use crate::plan::{self, Action, Change, Drift, Inputs, OutputChange, Plan, Prior};
use crate::providers::Schemas;
use crate::recorded::Recorded;

/// Plans the way back. Of the options only the parallelism counts.
pub async fn plan(inputs: Inputs<'_>, way: Way) -> Planning {
    let (program, schemas) = (inputs.evaluator.program().clone(), inputs.schemas.clone());
    let outputs = output_changes(&inputs.prior, way.outputs.as_ref());
    let in_flight = in_flight(&inputs.prior);
    let resolving = !in_flight.is_empty();
    let mut builder = Builder {
        program,
        schemas,
        changes: BTreeMap::new(),
        drift: Vec::new(),
        conflicts: Vec::new(),
        left: way.left.clone(),
        diagnostics: Diagnostics::new(),
    };
    let items = if resolving { in_flight } else { builder.sort_out(&way) };
    let (mut planning, back) = plan::plan_back(inputs, Back::new(items)).await;
    let mut resolved = Vec::new();
    let Back { items, results, .. } = back;
    for (at, mut outcome) in results {
        resolved.extend(outcome.resolved.take());
        builder.take_in(&items[at], outcome);
    }
    planning.diagnostics.extend(std::mem::take(&mut builder.diagnostics));
    planning.plan.errored = planning.diagnostics.has_errors();
    planning.plan.outputs = outputs;
    let plan = builder.finish(planning.plan, way);
    Planning { plan, resolved, diagnostics: planning.diagnostics }
}

/// Objects whose steps were in flight: their providers are asked what became of them, and nothing else is planned.
fn in_flight(prior: &Prior) -> Vec<Item> {
    let kept = prior.iter().flat_map(|(_, kept)| kept.current.iter().chain(&kept.deposed));
    kept.filter(|recorded| recorded.in_flight.is_some())
        .map(|recorded| Item { target: None, now: Some(recorded.clone()), previous: None, stored: true })
        .collect()
}

fn output_changes(
    prior: &Prior,
    then: Option<&BTreeMap<String, OutputRecord>>,
) -> BTreeMap<EcoString, OutputChange> {
    let marked = |value: Value, sensitive: bool| match sensitive {
        true => value.with_marks(Marks::SENSITIVE),
        false => value,
    };
    let mut changes: BTreeMap<EcoString, OutputChange> = BTreeMap::new();
    let Some(then) = then else { return changes };
    for (name, (value, sensitive)) in &prior.outputs {
        let before = Some(marked(value.clone(), *sensitive));
        changes.insert(
            name.clone(),
            OutputChange { before, after: None, sensitive: *sensitive, ty: Type::Dynamic },
        );
    }
    for (name, record) in then {
        let Some(value) = output_value(record) else { continue };
        let none = OutputChange { before: None, after: None, sensitive: false, ty: Type::Dynamic };
        let change = changes.entry(name.as_str().into()).or_insert(none);
        change.sensitive |= record.sensitive;
        change.ty = value.ty();
        change.after = Some(marked(value, record.sensitive));
    }
    changes
}

struct Builder {
    program: Arc<Program>,
    schemas: Arc<Schemas>,
    changes: BTreeMap<ChangeKey, (Change, Undo)>,
    drift: Vec<Drift>,
    conflicts: Vec<Conflict>,
    left: Vec<Left>,
    diagnostics: Diagnostics,
}

impl Builder {
    /// Decides what is about records alone; what providers must be asked about remains.
    fn sort_out(&mut self, way: &Way) -> Vec<Item> {
        let mut items = Vec::new();
        for slot in &way.slots {
            match self.sort_out_one(slot) {
                Ok(item) => items.extend(item),
                Err(found) => self.diagnostics.push(found),
            }
        }
        items
    }

    fn sort_out_one(&mut self, slot: &Slot) -> Result<Option<Item>, Diagnostic> {
        if slot.crossed {
            self.leave(slot, "it was moved, and another object has had its address since: roll later operations back first");
            return Ok(None);
        }
        let read = |record: &InstanceRecord| Recorded::read(record).map_err(|error| error.diagnostic());
        let target = slot.target.as_ref().map(&read).transpose()?;
        let now = slot.now.as_ref().map(|now| read(&now.record)).transpose()?;
        let is_data =
            target.as_ref().or(now.as_ref()).is_some_and(|r| r.address.resource.mode != Mode::Managed);
        match (target, now, &slot.now) {
            (None, Some(now), Some(Now { recorded: true, .. })) => {
                if slot.born == Born::Created && !is_data {
                    return Ok(Some(Item {
                        target: None,
                        now: Some(Arc::new(now)),
                        previous: None,
                        stored: true,
                    }));
                }
                self.forget(now, slot.touched);
                Ok(None)
            }
            (None, Some(_), _) => {
                if slot.born == Born::Created {
                    self.leave(
                        slot,
                        "it was created, and later dropped from state: the object stays where it is",
                    );
                }
                Ok(None)
            }
            (Some(_), None, _) if slot.key.deposed.is_some() => {
                self.leave(slot, "it had been replaced and waited to be deleted, which has been done");
                Ok(None)
            }
            (Some(target), Some(now), Some(found)) if !slot.touched || is_data => {
                let record = slot.target.clone().expect("a target was read from it");
                self.restore(target, now, found, record);
                Ok(None)
            }
            (Some(target), now, _) => {
                let mut now = now;
                let previous = now.as_ref().map(|now| now.address.clone()).filter(|at| *at != target.address);
                if let Some(now) = &mut now {
                    now.address = target.address.clone();
                }
                let stored = slot.now.as_ref().is_some_and(|now| now.recorded);
                let previous = previous.filter(|_| stored);
                Ok(Some(Item { target: Some(Arc::new(target)), now: now.map(Arc::new), previous, stored }))
            }
            (None, None, _) => Ok(None),
        }
    }

    fn leave(&mut self, slot: &Slot, reason: &str) {
        self.left.push(Left { address: ecow::eco_format!("{}", slot.key), reason: reason.into() });
    }

    /// What was taken under management is left as it is, and no longer managed.
    fn forget(&mut self, now: Recorded, touched: bool) {
        let value = self.value(&now);
        let change = Change { action: Action::Forget, ..blank(&now, value.clone(), value) };
        let mut undo = Undo { class: Class::Exact, reasons: Vec::new(), how: How::Forget };
        if touched {
            undo.class = Class::None;
            undo.reasons.push(
                "it was changed after it was taken under management: how it was before is not recorded"
                    .into(),
            );
        }
        self.insert(change, undo);
    }

    /// Only records changed: the one that was is put back.
    fn restore(&mut self, target: Recorded, now: Recorded, found: &Now, record: InstanceRecord) {
        let (before, after) = (self.value(&now), self.value(&target));
        let mut change = blank(&target, before, after);
        change.previous_address = Some(now.address).filter(|at| *at != target.address && found.recorded);
        let how = How::Restore(Box::new(record));
        self.insert(change, Undo { class: Class::Exact, reasons: Vec::new(), how });
    }

    /// A recorded object as far as it has the form of the present schema, to be shown.
    fn value(&self, recorded: &Recorded) -> Value {
        let resource = &recorded.address.resource;
        let Some(schema) = self.schemas.get(&recorded.provider.source, resource.mode, &resource.kind) else {
            return Value::NULL;
        };
        let value = plumb_model::json::decode(recorded.attributes.as_str(), &schema.ty);
        let value = value.unwrap_or_else(|_| Value::Null((*schema.ty).clone()));
        let sensitive = schema.schema.block.sensitive_paths(&value);
        value
            .mark_paths(sensitive.iter().map(|(path, marks)| (path, *marks)))
            .mark_paths(recorded.sensitive.iter().map(|path| (path, Marks::SENSITIVE)))
    }

    fn insert(&mut self, change: Change, undo: Undo) {
        self.changes.insert((change.address.clone(), change.deposed.clone()), (change, undo));
    }

    fn take_in(&mut self, item: &Item, outcome: Outcome) {
        let address = &item.recorded().address;
        self.diagnostics.extend(outcome.diagnostics);
        self.drift.extend(outcome.drift);
        if let Some(diagnostic) = outcome.conflict {
            self.conflicts.push(Conflict { address: address.clone(), diagnostic });
            return;
        }
        if !outcome.lost.is_empty() {
            let reason = outcome.lost.join("; ").into();
            self.left.push(Left { address: ecow::eco_format!("{address}"), reason });
        }
        if outcome.gone
            && let Some(now) = &item.now
        {
            return self.forget((**now).clone(), false);
        }
        let Some((change, undo)) = outcome.change else { return };
        match self.prevented(&change) {
            Some(diagnostic) => self.conflicts.push(Conflict { address: address.clone(), diagnostic }),
            None => self.insert(change, undo),
        }
    }

    /// The present configuration may say that an object must not be destroyed.
    fn prevented(&self, change: &Change) -> Option<Diagnostic> {
        let node = self.program.resource_node(&change.address.config());
        plan::resource::prevented(&self.program, node, change)
    }

    fn finish(self, mut plan: Plan, way: Way) -> RollbackPlan {
        let mut undo = BTreeMap::new();
        for (key, (change, how)) in self.changes {
            plan.changes.push(change);
            undo.insert(key, how);
        }
        let conflicting = self.conflicts.iter().map(|conflict| &conflict.address);
        let changing: HashSet<&Instance> =
            plan.changes.iter().map(|change| &change.address).chain(conflicting).collect();
        plan.drift = self.drift;
        plan.drift.iter_mut().for_each(|drift| drift.relevant = changing.contains(&drift.address));
        plan.drift.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
        plan.layouts = plan::outcome::layouts(&self.schemas, &plan.changes, &plan.drift, &plan.invocations);
        let (mut conflicts, mut left) = (self.conflicts, self.left);
        conflicts.sort_by(|a, b| a.address.cmp(&b.address));
        left.sort_by(|a, b| a.address.cmp(&b.address));
        let Way { number, last, outputs, .. } = way;
        RollbackPlan { number, last, plan, undo, conflicts, left, outputs }
    }
}

/// A change that does nothing.
fn blank(recorded: &Recorded, before: Value, after: Value) -> Change {
    Change {
        address: recorded.address.clone(),
        previous_address: None,
        deposed: recorded.deposed.clone(),
        provider: recorded.provider.clone(),
        action: Action::NoOp,
        reason: None,
        before,
        after,
        replace_paths: Vec::new(),
        causes: Vec::new(),
        importing: None,
        create_before_destroy: recorded.create_before_destroy,
        dependencies: recorded.dependencies.clone(),
        prior_dependencies: recorded.dependencies.clone(),
        prior_private: recorded.private.clone(),
        planned_private: recorded.private.clone(),
        schema_version: recorded.schema_version,
        identity: None,
    }
}
