//! What is different when a way back is carried out: steps bring their configurations with them, the program only
//! configures providers, and an object is looked at once more before it is changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::address::{ConfigResource, Mode};
use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_semantics::program::NodeId;
use plumb_state::record::{InstanceKey, InstanceRecord};

use super::step::{self, Part};
use super::steps;
use super::walk::{Done, Walker, Work};
use crate::cancel::Urgency;
use crate::graph::Task;
use crate::plan::Change;
use crate::plan::instance::Ignore;
use crate::rollback::{self, How};
use crate::schedule::Running;

/// Whether the object that a part is about is there and is going to be changed, so that it is looked at before.
pub(super) fn is_guarded(part: &Part) -> bool {
    matches!(part, Part::Update | Part::CreateBeside(_) | Part::Delete | Part::DeleteDeposed(_))
}

/// Runs a step, unless somebody has changed its object.
pub(super) async fn run_if_unchanged(job: step::Job) -> step::Ended {
    let unchanged = match &job.provider {
        Some(provider) => rollback::unchanged(&**provider, &job.change, &job.schema).await,
        None => Ok(()),
    };
    match unchanged {
        Ok(()) => step::run(job).await,
        Err(found) => step::Ended {
            done: false,
            value: job.change.before.clone(),
            saved: None,
            provisional: None,
            lost: false,
            diagnostics: found.about(&job.change.address),
        },
    }
}

impl Walker<'_> {
    pub(super) fn is_managed(&self, id: NodeId) -> bool {
        self.program.resource(id).is_some_and(|decl| decl.resource.mode == Mode::Managed)
    }

    /// Makes what is recorded of a block visible to the configurations of providers.
    pub(super) fn show_block(&mut self, task: Task, id: NodeId) {
        let refs = match self.evaluator.expand_resource(id) {
            Ok(refs) => refs,
            Err(found) => return self.say(task, found),
        };
        for instance in refs {
            let address = self.evaluator.address(instance);
            let record = match self.state.instance(&InstanceKey::current(address.to_string())) {
                Ok(record) => record,
                Err(error) => return self.say(task, crate::trouble::state(&error).into()),
            };
            let ty = self.evaluator.schema(id).map(|schema| schema.block.implied_type());
            let value = record
                .zip(ty)
                .and_then(|(record, ty)| plumb_model::json::decode(record.attributes.as_str(), &ty).ok());
            match value {
                Some(value) => self.evaluator.set_instance(instance, value),
                None => self.show_unplanned(instance, &address),
            }
        }
    }

    /// The changes of a block that are carried out together.
    fn changes_of(&self, block: &ConfigResource) -> Vec<Arc<Change>> {
        let changes = self.by_block.get(block).into_iter().flatten();
        changes.filter(|change| steps::is_at_node(change)).cloned().collect()
    }

    pub(super) fn start_block(&mut self, task: Task, block: &ConfigResource) {
        for change in self.changes_of(block) {
            self.schedule.push(task, Work::Back(change));
        }
    }

    pub(super) fn skip_block(&mut self, block: &ConfigResource, cause: Task) {
        for change in self.changes_of(block) {
            self.skip_change(&change, cause);
        }
    }

    pub(super) fn begin_back(
        &mut self,
        task: Task,
        change: Arc<Change>,
    ) -> Result<Running<Done>, Diagnostics> {
        let schema = self.type_schema(&change)?;
        let config = match self.how(&change) {
            Some(How::Provider(config)) => Some(config.clone()),
            _ => None,
        };
        let part = self.part(&change);
        let job = self.job(change, part, schema, config, Ignore::Nothing);
        Ok(self.step(task, None, job))
    }

    fn how(&self, change: &Change) -> Option<&How> {
        let (back, _) = self.back.as_ref()?;
        back.undo_of(change).map(|undo| &undo.how)
    }

    /// The record that a change puts back.
    pub(super) fn restored(&self, change: &Change) -> Option<Box<InstanceRecord>> {
        match self.how(change)? {
            How::Restore(record) => Some(record.clone()),
            _ => None,
        }
    }

    /// Puts the outputs back, if everything else was.
    pub(super) fn restore_outputs(&mut self) -> Result<BTreeMap<EcoString, Value>, Diagnostic> {
        let Some((back, _)) = &self.back else { return Ok(BTreeMap::new()) };
        if self.diagnostics.has_errors() || self.urgency != Urgency::None {
            return Ok(BTreeMap::new());
        }
        if let Some(outputs) = &back.outputs {
            self.writer.outputs(outputs.clone()).map_err(|error| crate::trouble::state(&error))?;
        }
        let outputs = self.plan.outputs.iter();
        Ok(outputs.filter_map(|(name, change)| Some((name.clone(), change.after.clone()?))).collect())
    }
}
