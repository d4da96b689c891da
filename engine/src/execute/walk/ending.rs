//! The end of an execution: outputs are saved, ephemeral resources closed, providers ended, and the operation gets its
//! status.
//!
//! Invariant: providers are told to end, and so may forget, only when every outcome is on disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_state::OutputRecord;
use plumb_state::json::JsonText;
use plumb_state::record::OperationStatus;

use super::{Report, Walker};
use crate::cancel::Urgency;
use crate::execute::step;
use crate::plan::Purpose;

impl Walker<'_> {
    /// The outputs to save: those that were evaluated, and of the others what is saved already.
    fn save_outputs(&mut self) -> Result<BTreeMap<EcoString, Value>, Diagnostic> {
        let mut outputs = BTreeMap::new();
        let mut records = BTreeMap::new();
        let evaluated = self.evaluator.outputs();
        for (name, change) in &self.plan.outputs {
            let value = match (&change.after, self.plan.purpose) {
                (None, _) => continue,
                (Some(_), Purpose::Destroy) => continue,
                (Some(after), _) => match evaluated.get(name) {
                    Some(value) => value.clone(),
                    None if after.is_wholly_known() => change.before.clone().unwrap_or_else(|| after.clone()),
                    None => match &change.before {
                        Some(before) => before.clone(),
                        None => continue,
                    },
                },
            };
            let value = match change.sensitive {
                true => value.with_marks(plumb_model::Marks::SENSITIVE),
                false => value,
            };
            let plain = value.unmark_deep().0;
            if !plain.is_wholly_known() || (plain.is_null() && change.before.is_none()) {
                continue;
            }
            let ty = plain.ty();
            let text = plumb_model::json::encode(&plain, &ty).map_err(|e| crate::trouble::unsaveable(&e))?;
            let json = |text: String| JsonText::new(text).map_err(|e| crate::trouble::unsaveable(&e));
            let record = OutputRecord {
                value: json(text)?,
                type_json: json(plumb_model::json::type_to_json(&ty).to_string())?,
                sensitive: change.sensitive,
                extra: None,
            };
            records.insert(name.to_string(), record);
            outputs.insert(name.clone(), value);
        }
        self.writer.outputs(records).map_err(|e| crate::trouble::state(&e))?;
        Ok(outputs)
    }

    /// Waits for what is on its way to the disk, ends the providers, and closes the operation.
    pub(super) async fn finish(mut self) -> (Report, Diagnostics) {
        let saved = if self.back.is_some() { self.restore_outputs() } else { self.save_outputs() };
        let outputs = saved.unwrap_or_else(|found| {
            self.diagnostics.push(found);
            BTreeMap::new()
        });
        for open in std::mem::take(&mut self.ephemerals) {
            let found = open.close().await;
            self.diagnostics.extend(found);
        }
        if self.urgency != Urgency::Immediate {
            for ticket in std::mem::take(&mut self.saving) {
                if let Err(found) = step::durable(ticket).await {
                    self.diagnostics.push(found);
                    self.unsaved = true;
                }
            }
        }
        let left = self.invocations.left();
        self.diagnostics.extend(left);
        let providers = std::mem::take(&mut self.providers);
        let cancelled = self.urgency != Urgency::None;
        let status = match (cancelled, self.diagnostics.has_errors()) {
            (true, _) => OperationStatus::Cancelled,
            (false, true) => OperationStatus::Failed,
            (false, false) => OperationStatus::Succeeded,
        };
        let Walker { writer, schedule, skipped, mut diagnostics, urgency, unsaved, lost, .. } = self;
        // What still runs is abandoned with its intent in the journal.
        drop(schedule);
        if urgency != Urgency::Immediate && !unsaved {
            providers.shutdown().await;
        }
        let operation = match Arc::into_inner(writer) {
            Some(writer) if urgency != Urgency::Immediate && !lost => match writer.finish(status) {
                Ok(operation) => Some(operation),
                Err(error) => {
                    diagnostics.push(crate::trouble::state(&error));
                    None
                }
            },
            _ => None,
        };
        (Report { operation, outputs, skipped, cancelled }, diagnostics)
    }
}
