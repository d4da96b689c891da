//! Data sources and ephemeral resources: read while planning, or planned to be read while executing where something that
//! they need is not known yet.

use plumb_model::address::ProviderConfig;
use plumb_model::{Diagnostics, Marks, Path, Type, Value};
use plumb_semantics::eval::InstanceRef;
use plumb_semantics::program::{NodeId, ResourceDecl};

use super::{Future, Work, plumb_id};
use crate::event::Event;
use crate::graph::Task;
use crate::object;
use crate::plan::conditions::as_warning;
use crate::plan::walk::{Done, Walker};
use crate::plan::{Action, Change, Reason, data};
use crate::providers::TypeSchema;

impl Walker<'_> {
    pub(super) fn begin_data(
        &mut self,
        task: Task,
        instance: InstanceRef,
    ) -> Result<Option<Future>, Diagnostics> {
        let program = self.program.clone();
        let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
        let (provider_config, schema) = self.type_schema(instance, decl)?;
        let config = self.configuration(instance, decl, &schema)?;
        let waits = self.waits_for_change(instance.node, decl);
        let reason = match (config.is_wholly_known(), waits) {
            (true, false) => None,
            (false, _) => Some(Reason::ReadBecauseConfigUnknown),
            (true, true) => Some(Reason::ReadBecauseDependencyPending),
        };
        if let Some(reason) = reason {
            self.read_later(instance, decl, provider_config, &schema, &config, reason);
            return Ok(None);
        }
        let provider = self.provider(&provider_config, decl)?;
        let address = self.evaluator.address(instance);
        let kind = decl.resource.kind.clone();
        let meta = crate::meta::of(&self.evaluator, &self.schemas, instance, &provider_config.source)?;
        self.listener.event(Event::ReadStarted { address, id: None });
        let marks = config.unmark_with_paths();
        Ok(Some(Box::pin(async move {
            let (plain, marks) = marks;
            let read = data::read(&*provider, &provider_config, &kind, &schema, plain, meta).await;
            let read = read.map(|(value, warnings)| (marked(&schema, value, &marks), warnings));
            (task, Done::Data(Work::Declared(instance), read))
        })))
    }

    /// Whether a resource, or a call of the module that it is in, says `depends_on`.
    fn is_told_to_wait(&self, node: NodeId, decl: &ResourceDecl) -> bool {
        let mut at = self.program.module(self.program.node(node).module);
        let mut told = !decl.depends_on.is_empty();
        while let (false, Some((parent, call))) = (told, at.parent) {
            at = self.program.module(parent);
            told = !at.calls[call as usize].depends_on.is_empty();
        }
        told
    }

    /// Whether a data source is about something that is going to change: a managed resource that its block refers to
    /// itself, or anything behind what `depends_on` names. What it would tell now need not be true then.
    fn waits_for_change(&mut self, node: NodeId, decl: &ResourceDecl) -> bool {
        let program = self.program.clone();
        let mut direct = program.dependencies(node).iter().map(|dependency| dependency.to);
        if direct.any(|id| self.is_managed(id) && self.pending[id.0 as usize]) {
            return true;
        }
        self.is_told_to_wait(node, decl)
            && self.dependencies.nodes(&program, node).iter().any(|id| self.pending[id.0 as usize])
    }

    /// Plans to read a data source while executing.
    fn read_later(
        &mut self,
        instance: InstanceRef,
        decl: &ResourceDecl,
        provider: ProviderConfig,
        schema: &TypeSchema,
        config: &Value,
        reason: Reason,
    ) {
        let (plain, marks) = config.unmark_with_paths();
        let after = object::set_unknown_for_computed(&schema.schema.block, &plain);
        let after = marked(schema, after, &marks);
        self.evaluator.set_instance(instance, after.clone());
        self.pending[instance.node.0 as usize] = true;
        let address = self.evaluator.address(instance);
        let change = Change {
            previous_address: None,
            deposed: None,
            provider,
            action: Action::Read,
            reason: Some(if decl.check.is_some() { Reason::ReadBecauseCheckNested } else { reason }),
            before: Value::Null((*schema.ty).clone()),
            after,
            replace_paths: Vec::new(),
            causes: Vec::new(),
            importing: None,
            create_before_destroy: false,
            dependencies: self.dependencies.blocks(&self.program.clone(), instance.node),
            prior_dependencies: Vec::new(),
            prior_private: Default::default(),
            planned_private: Default::default(),
            schema_version: schema.schema.version,
            identity: None,
            address: address.clone(),
        };
        self.changes.insert((address, None), change);
    }

    pub(super) fn begin_ephemeral(
        &mut self,
        task: Task,
        instance: InstanceRef,
    ) -> Result<Option<Future>, Diagnostics> {
        let program = self.program.clone();
        let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
        let (provider_config, schema) = self.type_schema(instance, decl)?;
        let config = self.configuration(instance, decl, &schema)?.unmark_deep().0;
        if !config.is_wholly_known() {
            let value =
                object::set_unknown_for_computed(&schema.schema.block, &config).with_marks(Marks::EPHEMERAL);
            self.evaluator.set_instance(instance, value);
            return Ok(None);
        }
        let provider = self.provider(&provider_config, decl)?;
        let address = self.evaluator.address(instance);
        Ok(Some(Box::pin(async move {
            let opened = crate::ephemeral::Open::open(address, provider, config).await;
            (task, Done::Ephemeral(Work::Declared(instance), opened))
        })))
    }

    pub(super) fn end_data(
        &mut self,
        task: Task,
        instance: InstanceRef,
        read: Result<(Value, Diagnostics), Diagnostics>,
    ) {
        let work = Work::Declared(instance);
        let program = self.program.clone();
        let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
        let address = self.evaluator.address(instance);
        let value = match read {
            Ok((value, warnings)) => {
                let warnings = self.place(&work, warnings);
                self.diagnostics.extend(warnings);
                value
            }
            Err(found) => {
                let found = self.place(&work, found);
                if decl.check.is_some() {
                    // A check never stops what it checks.
                    self.failed_reads.push((instance, found.iter().map(|d| d.detail.clone()).collect()));
                    self.diagnostics.extend(found.into_iter().map(as_warning));
                    let ty = self.evaluator.schema(instance.node).map(|s| s.block.implied_type());
                    self.evaluator.set_instance(instance, Value::unknown(ty.unwrap_or(Type::Dynamic)));
                } else {
                    self.say(task, found);
                }
                return;
            }
        };
        let id = plumb_id(&value);
        self.listener.event(Event::ReadEnded { address, id, took: Default::default() });
        self.evaluator.set_instance(instance, value.clone());
        self.read_now.push((instance, value.clone()));
        if let Err(found) =
            self.conditions(instance, &decl.lifecycle.postconditions, Some(&value), "postcondition")
        {
            self.say(task, found);
        }
    }
}

/// A value with the marks of its schema and those of the configuration that it comes from.
fn marked(schema: &TypeSchema, value: Value, marks: &[(Path, Marks)]) -> Value {
    let sensitive = schema.schema.block.sensitive_paths(&value);
    value.mark_paths(sensitive.iter().chain(marks).map(|(path, marks)| (path, *marks)))
}
