//! What the coordinator does for resources and providers: find the instances, evaluate what is asked for, hand it to a
//! future, and take in what comes back.
//!
//! Elsewhere: data sources and ephemeral resources, which change nothing, are [`reading`].

use std::collections::HashMap;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::address::{Instance, Key, Mode, ProviderConfig, Target};
use plumb_model::{Diagnostic, Diagnostics, Label, Marks, Path, Value};
use plumb_provider_api::{ImportTarget, Provider};
use plumb_semantics::eval::InstanceRef;
use plumb_semantics::program::{Condition, IgnoreChanges, ModuleId, NodeId, Program, ResourceDecl};

use super::conditions::{self, judge};
use super::instance::{self, Ignore};
use super::walk::{Done, Walker};
use super::{Action, Change, CheckResult, Kept, Purpose, Reason, Trigger, causes};
use crate::event::Event;
use crate::graph::Task;
use crate::order;
use crate::providers::{Factory, Schemas, TypeSchema};
use crate::recorded::Recorded;

mod reading;

/// Something to do for a task.
#[derive(Clone)]
pub(super) enum Work {
    /// Start and configure a provider.
    Provider(ProviderConfig, Option<NodeId>),
    /// Plan an instance that the configuration declares.
    Declared(InstanceRef),
    /// Plan an instance that it does not, or that is to be deleted with everything.
    Undeclared {
        address: Instance,
        node: Option<NodeId>,
        reason: Option<Reason>,
        visible: Option<InstanceRef>,
    },
    /// Plan the deletion of a former object.
    Deposed { recorded: Arc<Recorded>, node: Option<NodeId> },
    /// Plan the way back of an object.
    Back(usize),
    /// Plan that an action is invoked.
    Action(InstanceRef, Trigger),
}

type Future = crate::schedule::Running<Done>;

impl Walker<'_> {
    // --- providers ---

    pub(super) fn start_provider(&mut self, task: Task, id: NodeId) {
        match self.evaluator.expand_provider(id) {
            Ok(configs) => configs.into_iter().for_each(|c| self.push(task, Work::Provider(c, Some(id)))),
            Err(found) => self.say(task, found),
        }
    }

    fn begin_provider(&mut self, task: Task, config: ProviderConfig, node: Option<NodeId>) -> Option<Future> {
        let Some(schema) = self.schemas.provider(&config.source).cloned() else {
            // That the provider could not be asked has been said when schemas were loaded.
            self.schedule.fail(task);
            return None;
        };
        let block = &schema.provider.block;
        let value = match node {
            Some(node) => {
                let (value, found) = self.evaluator.provider_config(node, &config.key, block);
                let failed = found.has_errors();
                self.say(task, found);
                if failed {
                    return None;
                }
                value
            }
            None => block.empty(),
        };
        let factory = self.factory.clone();
        Some(Box::pin(async move {
            let started = start_provider(&*factory, &config, value.unmark_deep().0).await;
            (task, Done::Provider(config, started))
        }))
    }

    // --- which instances there are ---

    pub(super) fn start_resource(&mut self, task: Task, id: NodeId) {
        let program = self.program.clone();
        let decl = program.resource(id).expect("a resource node declares one");
        let refs = match self.evaluator.expand_resource(id) {
            Ok(refs) => refs,
            Err(found) => return self.say(task, found),
        };
        let destroying = self.options.purpose == Purpose::Destroy;
        for instance in &refs {
            let address = self.evaluator.address(*instance);
            // What is read is needed by what is deleted, for example by a provider.
            let read = destroying && decl.resource.mode != Mode::Managed;
            let selected = read || self.selection.instance(id, &address);
            match (destroying && decl.resource.mode == Mode::Managed, selected) {
                (false, true) => self.push(task, Work::Declared(*instance)),
                (true, true) => {
                    let visible = Some(*instance);
                    self.push(task, Work::Undeclared { address, node: Some(id), reason: None, visible });
                }
                (_, false) => self.show_recorded(*instance, &address),
            }
        }
        self.start_leftovers(task, id, decl);
    }

    /// What is recorded of a block at addresses that it does not expand to, and its former objects.
    fn start_leftovers(&mut self, task: Task, id: NodeId, decl: &ResourceDecl) {
        let block = order::block(&self.program, id).expect("a resource node has an address");
        let prior = std::mem::take(&mut self.prior);
        for address in prior.of_block(&block) {
            let kept = prior.get(address).expect("a block lists addresses that are kept");
            if !self.selection.instance(id, address) {
                continue;
            }
            if decl.resource.mode == Mode::Managed
                && kept.current.is_some()
                && self.evaluator.find(address).is_none()
            {
                let reason = Some(self.why_undeclared(id, decl, address))
                    .filter(|_| self.options.purpose != Purpose::Destroy);
                let work =
                    Work::Undeclared { address: address.clone(), node: Some(id), reason, visible: None };
                self.push(task, work);
            }
            self.start_deposed(task, Some(id), kept);
        }
        self.prior = prior;
    }

    fn start_deposed(&mut self, task: Task, node: Option<NodeId>, kept: &Kept) {
        if self.options.purpose == Purpose::RefreshOnly {
            return;
        }
        for recorded in &kept.deposed {
            self.push(task, Work::Deposed { recorded: recorded.clone(), node });
        }
    }

    /// What is recorded of blocks that are not there any more.
    pub(super) fn start_undeclared(&mut self, task: Task) {
        let group = &self.groups[task - self.program.node_count()];
        let (provider, blocks) = (group.provider.clone(), group.blocks.clone());
        if self.providers.get(&provider).is_none() {
            if self.program.provider_node(&provider).is_some() || provider.key != Key::None {
                // Another configuration of that provider might reach other objects of the same name.
                let made_with = |address: &&Instance| {
                    let kept = self.prior.get(address);
                    kept.is_some_and(|k| k.current.iter().chain(&k.deposed).any(|r| r.provider == provider))
                };
                let example = blocks.iter().flat_map(|block| self.prior.of_block(block)).find(made_with);
                let found = no_provider_instance(&provider, example);
                return self.say(task, found.into());
            }
            // No block configures it. It is started with an empty configuration, and this is called again.
            return self.push(task, Work::Provider(provider, None));
        }
        if let Some(back) = &self.back {
            for at in back.by_provider.get(&provider).cloned().unwrap_or_default() {
                self.push(task, Work::Back(at));
            }
            return;
        }
        let prior = std::mem::take(&mut self.prior);
        for address in blocks.iter().flat_map(|block| prior.of_block(block)) {
            let kept = prior.get(address).expect("a block lists addresses that are kept");
            let managed = kept.current.as_ref().is_some_and(|r| r.provider == provider)
                && super::prior::managed(address);
            if !self.selection.orphan(address) {
                continue;
            }
            if managed {
                let reason = Some(Reason::DeleteBecauseNoResourceConfig)
                    .filter(|_| self.options.purpose != Purpose::Destroy);
                let work = Work::Undeclared { address: address.clone(), node: None, reason, visible: None };
                self.push(task, work);
            }
            self.start_deposed(task, None, kept);
        }
        self.prior = prior;
    }

    fn why_undeclared(&self, id: NodeId, decl: &ResourceDecl, address: &Instance) -> Reason {
        let modules = self.evaluator.module_instances(self.program.node(id).module);
        if !modules.contains(&address.module) {
            return Reason::DeleteBecauseNoModule;
        }
        let repetition = &decl.repetition;
        match (&address.key, repetition.count.is_some(), repetition.for_each.is_some()) {
            (Key::Int(_), true, _) => Reason::DeleteBecauseCountIndex,
            (Key::String(_), _, true) => Reason::DeleteBecauseEachKey,
            (Key::None, false, false) => Reason::DeleteBecauseDisabled,
            _ => Reason::DeleteBecauseWrongRepetition,
        }
    }

    /// Makes what is recorded visible to references, for an instance that is not planned.
    fn show_recorded(&mut self, instance: InstanceRef, address: &Instance) {
        let decl = self.program.resource(instance.node).expect("an instance belongs to a resource node");
        let source = &self.program.provider_of(instance.node).expect("a resource has a provider").source;
        let Some(schema) = self.schemas.get(source, decl.resource.mode, &decl.resource.kind) else { return };
        let recorded = self.prior.get(address).and_then(|kept| kept.current.as_ref());
        let value = recorded
            .and_then(|recorded| plumb_model::json::decode(recorded.attributes.as_str(), &schema.ty).ok())
            .unwrap_or_else(|| Value::unknown((*schema.ty).clone()));
        self.evaluator.set_instance(instance, value);
    }

    // --- from the queue into a slot ---

    /// The future that does the work; `None` if there is nothing to wait for.
    pub(super) fn begin_work(&mut self, task: Task, work: Work) -> Option<Future> {
        match work {
            Work::Provider(config, node) => self.begin_provider(task, config, node),
            Work::Declared(instance) => {
                let mode = self.program.resource(instance.node)?.resource.mode;
                let found = match mode {
                    Mode::Managed => self.begin_declared(task, instance),
                    Mode::Data => self.begin_data(task, instance),
                    Mode::Ephemeral => self.begin_ephemeral(task, instance),
                    Mode::Action => self.begin_action(task, instance, None),
                };
                found.unwrap_or_else(|found| {
                    self.say(task, found);
                    None
                })
            }
            Work::Undeclared { ref address, node, reason, .. } => {
                let recorded = self.prior.get(address).and_then(|kept| kept.current.clone());
                let Some(recorded) = recorded else {
                    self.show_absent(&work);
                    return None;
                };
                let forget = self.is_forgotten(node, address);
                self.begin_unwished(task, work.clone(), recorded, instance::Wish::NotExist { reason, forget })
            }
            Work::Back(at) => self.begin_back(task, at),
            Work::Action(instance, trigger) => {
                self.begin_action(task, instance, Some(trigger)).unwrap_or_else(|found| {
                    self.say(task, found);
                    None
                })
            }
            Work::Deposed { ref recorded, .. } => {
                let wish = instance::Wish::NotExist { reason: None, forget: false };
                self.begin_unwished(task, work.clone(), recorded.clone(), wish)
            }
        }
    }

    /// An instance of a plan to delete everything that is not recorded: it has no object, and nobody will know what it
    /// would have been.
    fn show_absent(&mut self, work: &Work) {
        if let Work::Undeclared { visible: Some(instance), .. } = work {
            let schema = self.evaluator.schema(instance.node).map(|s| s.block.implied_type());
            self.evaluator
                .set_instance(*instance, Value::unknown(schema.unwrap_or(plumb_model::Type::Dynamic)));
        }
    }

    /// Whether a block says that its objects are to be left alone when they are no longer wished.
    fn is_forgotten(&self, node: Option<NodeId>, address: &Instance) -> bool {
        if let Some(decl) = node.and_then(|id| self.program.resource(id)) {
            return decl.lifecycle.destroy == Some(false);
        }
        removed_by(&self.program, address)
            .is_some_and(|(module, index)| !self.program.module(module).removed[index].destroy)
    }

    fn begin_back(&mut self, task: Task, at: usize) -> Option<Future> {
        let item = self.back.as_ref()?.items[at].clone();
        let (address, config) = (item.recorded().address.clone(), item.provider());
        let schema = match self.schemas.require(&config.source, address.resource.mode, &address.resource.kind)
        {
            Ok(schema) => schema.clone(),
            Err(found) => {
                self.say(task, Diagnostics::from(found.about(&address)));
                return None;
            }
        };
        let provider = self.providers.get(config)?.clone();
        self.listener.event(Event::ReadStarted { address, id: None });
        Some(Box::pin(async move {
            let outcome = crate::rollback::plan_item(item, provider, schema).await;
            (task, Done::Back(at, Box::new(outcome)))
        }))
    }

    /// On a way back, only what the configurations of providers refer to is visited: as it is recorded.
    pub(super) fn show_block(&mut self, task: Task, id: NodeId) {
        match self.evaluator.expand_resource(id) {
            Err(found) => self.say(task, found),
            Ok(refs) => {
                for instance in refs {
                    let address = self.evaluator.address(instance);
                    self.show_recorded(instance, &address);
                }
            }
        }
    }

    fn begin_unwished(
        &mut self,
        task: Task,
        work: Work,
        recorded: Arc<Recorded>,
        wish: instance::Wish,
    ) -> Option<Future> {
        let node = match &work {
            Work::Undeclared { node, .. } | Work::Deposed { node, .. } => *node,
            _ => None,
        };
        let config = match self.provider_of_unwished(&work, node, &recorded) {
            Ok(config) => config,
            Err(found) => {
                self.say(task, found.about(&recorded.address));
                return None;
            }
        };
        let Some(provider) = self.providers.get(&config).cloned() else {
            self.say(task, no_provider_instance(&config, Some(&recorded.address)).into());
            return None;
        };
        let resource = &recorded.address.resource;
        let schema = match self.schemas.require(&config.source, Mode::Managed, &resource.kind) {
            Ok(schema) => schema.clone(),
            Err(found) => {
                self.say(task, Diagnostics::from(found.about(&recorded.address)));
                return None;
            }
        };
        let kept = self.prior.get(&recorded.address);
        let job = instance::Job {
            address: recorded.address.clone(),
            previous_address: kept.and_then(|kept| kept.moved_from.clone()),
            provider,
            provider_config: config,
            schema,
            dependencies: recorded.dependencies.clone(),
            recorded: Some(recorded),
            wish,
            refresh: self.options.refresh,
            refresh_only: self.options.purpose == Purpose::RefreshOnly,
            meta: None,
        };
        Some(self.plan_object(task, work, job))
    }

    /// The provider that deletes an object: that of its block; where the block has instances to choose from, the one that
    /// the object was made with, and for what is recorded of another one the one that would be chosen now.
    fn provider_of_unwished(
        &self,
        work: &Work,
        node: Option<NodeId>,
        recorded: &Recorded,
    ) -> Result<ProviderConfig, Diagnostics> {
        let Some(node) = node else { return Ok(recorded.provider.clone()) };
        let config = self.program.provider_of(node).expect("a resource has a provider");
        match work {
            _ if self.program.provider_choice(node).is_none() => Ok(config.clone()),
            Work::Undeclared { visible: Some(instance), .. } if !recorded.provider.same_block(config) => {
                self.evaluator.provider_of(*instance)
            }
            _ => Ok(recorded.provider.clone()),
        }
    }

    fn plan_object(&mut self, task: Task, work: Work, job: instance::Job) -> Future {
        if job.recorded.is_some() && job.refresh {
            self.listener.event(Event::ReadStarted { address: job.address.clone(), id: None });
        }
        Box::pin(async move { (task, Done::Managed(work, Box::new(instance::plan(job).await))) })
    }

    pub(super) fn type_schema(
        &self,
        instance: InstanceRef,
        decl: &ResourceDecl,
    ) -> Result<(ProviderConfig, TypeSchema), Diagnostics> {
        let config = self.evaluator.provider_of(instance);
        let config = config.map_err(|found| found.about(self.evaluator.address(instance)))?;
        let schema = self.schemas.require(&config.source, decl.resource.mode, &decl.resource.kind);
        let schema = schema.map_err(|found| Diagnostics::from(found.at(decl.kind_span)))?.clone();
        Ok((config, schema))
    }

    /// The configuration of an instance, after its preconditions have been looked at.
    fn configuration(
        &mut self,
        instance: InstanceRef,
        decl: &ResourceDecl,
        schema: &TypeSchema,
    ) -> Result<Value, Diagnostics> {
        self.conditions(instance, &decl.lifecycle.preconditions, None, "precondition")?;
        let (config, found) = self.evaluator.config(instance, &schema.schema.block);
        let warnings = found.into_result().map_err(|found| found.about(self.evaluator.address(instance)))?;
        self.diagnostics.extend(warnings);
        let misplaced = ephemeral_outside_write_only(&schema.schema.block, &config);
        if !misplaced.is_empty() && decl.resource.mode == Mode::Managed {
            let place = |path: &Path| self.evaluator.attribute_span(instance, path).unwrap_or(decl.span);
            return Err(misplaced.iter().map(|path| ephemeral_value(path).at(place(path))).collect());
        }
        self.provisioners(instance, decl, schema)?;
        Ok(config)
    }

    /// Evaluates what provisioners are told, so that what is wrong with it is found before anything is made.
    fn provisioners(
        &self,
        instance: InstanceRef,
        decl: &ResourceDecl,
        schema: &TypeSchema,
    ) -> Result<(), Diagnostics> {
        let object = Value::unknown((*schema.ty).clone());
        let mut found = Diagnostics::new();
        for provisioner in &decl.provisioners {
            if let Some(schema) = plumb_semantics::provisioner::schema(provisioner.kind.as_str()) {
                found.extend(self.evaluator.block(instance, &provisioner.body, &schema, Some(&object)).1);
            }
        }
        found.into_result().map(|_| ()).map_err(|found| found.about(self.evaluator.address(instance)))
    }

    pub(super) fn provider(
        &self,
        config: &ProviderConfig,
        decl: &ResourceDecl,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        // Resources wait for the node of their provider, and do not start if that failed.
        self.providers.get(config).cloned().ok_or_else(|| {
            Diagnostic::error("provider-not-configured", "Provider is not configured")
                .detail(format!("{config} is needed here and was not configured."))
                .at(decl.span)
                .into()
        })
    }

    fn begin_declared(&mut self, task: Task, instance: InstanceRef) -> Result<Option<Future>, Diagnostics> {
        let program = self.program.clone();
        let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
        let (provider_config, schema) = self.type_schema(instance, decl)?;
        let address = self.evaluator.address(instance);
        let config = self.configuration(instance, decl, &schema)?;
        let kept = self.prior.get(&address);
        let (recorded, previous) = match kept {
            Some(kept) => (kept.current.clone(), kept.moved_from.clone()),
            None => (None, None),
        };
        let existence = instance::Existence {
            config,
            ignore: ignore_of(&decl.lifecycle.ignore_changes),
            create_before_destroy: self.create_first[instance.node.0 as usize],
            replace: self.wished_replacement(instance, decl, &address)?,
            import: if recorded.is_none() { self.import_of(&address)? } else { None },
        };
        let meta = crate::meta::of(&self.evaluator, &self.schemas, instance, &provider_config.source)?;
        let job = instance::Job {
            provider: self.provider(&provider_config, decl)?,
            provider_config,
            schema,
            recorded,
            previous_address: previous,
            wish: instance::Wish::Exist(Box::new(existence)),
            refresh: self.options.refresh,
            refresh_only: self.options.purpose == Purpose::RefreshOnly,
            dependencies: self.dependencies.blocks(&program, instance.node),
            meta,
            address,
        };
        Ok(Some(self.plan_object(task, Work::Declared(instance), job)))
    }

    fn wished_replacement(
        &self,
        instance: InstanceRef,
        decl: &ResourceDecl,
        address: &Instance,
    ) -> Result<Option<Reason>, Diagnostics> {
        if self.replace.contains(address) {
            return Ok(Some(Reason::ReplaceByRequest));
        }
        for trigger in &decl.lifecycle.replace_triggered_by {
            for (of, path) in self.evaluator.replace_triggers(instance, trigger)? {
                let key = (self.evaluator.address(of), None);
                if self.changes.get(&key).is_some_and(|change| is_triggering(change, &path)) {
                    return Ok(Some(Reason::ReplaceByTriggers));
                }
            }
        }
        Ok(None)
    }

    fn import_of(&mut self, address: &Instance) -> Result<Option<ImportTarget>, Diagnostics> {
        if let Some((_, id)) = self.options.imports.iter().find(|(to, _)| to == address) {
            return Ok(Some(ImportTarget::Id(id.clone())));
        }
        if self.program.root().imports.is_empty() {
            return Ok(None);
        }
        if self.imports.is_none() {
            let mut imports = HashMap::new();
            for request in self.evaluator.imports(ModuleId::ROOT)? {
                let target = import_target(request.id, request.identity)
                    .ok_or_else(|| Diagnostics::from(unknown_import().at(request.span)))?;
                imports.insert(request.to, (target, request.span));
            }
            self.imports = Some(imports);
        }
        let imports = self.imports.as_ref().and_then(|imports| imports.get(address));
        Ok(imports.map(|(target, _)| target.clone()))
    }

    /// Reports imports to instances that the configuration does not have.
    pub(super) fn unmatched_imports(&self) -> Diagnostics {
        let wrong = self.imports.iter().flatten().filter(|(to, _)| self.evaluator.find(to).is_none());
        let mut wrong: Vec<_> = wrong.collect();
        wrong.sort_by_key(|(to, _)| *to);
        let found = wrong.into_iter().map(|(to, (_, span))| {
            Diagnostic::error("unknown-import-target", "Configuration for import target does not exist")
                .detail(format!("There is no instance `{to}` to import to."))
                .at(*span)
                .help("Import to an instance that `count` or `for_each` makes, or change those.")
        });
        found.collect()
    }

    // --- what came back ---

    pub(super) fn end_work(&mut self, task: Task, done: Done) {
        match done {
            Done::Provider(config, Ok((provider, warnings))) => {
                self.diagnostics.extend(warnings);
                self.providers.add(config, provider);
                if task >= self.program.node_count() {
                    self.start_undeclared(task);
                }
            }
            Done::Provider(config, Err(found)) => {
                let node = self.program.provider_node(&config);
                let found = self.place_provider(node, found);
                self.say(task, found);
            }
            Done::Action(instance, invocation, found) => {
                self.end_action(task, instance, invocation, found);
            }
            Done::Managed(work, planned) => self.end_managed(task, work, *planned),
            Done::Back(at, outcome) => {
                let back = self.back.as_mut().expect("only a way back plans such work");
                self.listener.event(Event::ReadEnded {
                    address: back.items[at].recorded().address.clone(),
                    id: None,
                    took: Default::default(),
                });
                back.results.push((at, *outcome));
            }
            Done::Data(Work::Declared(instance), read) => self.end_data(task, instance, read),
            Done::Ephemeral(Work::Declared(instance), Ok((open, warnings))) => {
                self.diagnostics.extend(warnings);
                self.evaluator.set_instance(instance, open.value.clone());
                self.ephemerals.push(open);
            }
            Done::Ephemeral(work, Err(found)) => {
                let found = self.place(&work, found);
                self.say(task, found);
            }
            Done::Data(..) | Done::Ephemeral(..) => {}
        }
    }

    fn end_managed(&mut self, task: Task, work: Work, planned: instance::Planned) {
        let instance::Planned { change, drift, resolved, diagnostics } = planned;
        let found = self.place(&work, diagnostics);
        let failed = found.has_errors();
        self.say(task, found);
        self.resolved.extend(resolved);
        self.drift.extend(drift);
        if failed {
            return;
        }
        let (node, visible) = match &work {
            Work::Declared(instance) => (Some(instance.node), Some(*instance)),
            Work::Undeclared { node, visible, .. } => (*node, *visible),
            Work::Deposed { node, .. } => (*node, None),
            Work::Provider(..) | Work::Back(_) | Work::Action(..) => (None, None),
        };
        let Some(mut change) = change else {
            self.show_absent(&work);
            return;
        };
        if self.options.refresh && !change.before.is_null() {
            let (address, id) = (change.address.clone(), plumb_id(&change.before));
            self.listener.event(Event::ReadEnded { address, id, took: Default::default() });
        }
        if let Some(found) = prevented(&self.program, node, &change) {
            return self.say(task, found.into());
        }
        if let Some(node) = node
            && change.action != Action::NoOp
        {
            self.pending[node.0 as usize] = true;
        }
        if let Some(instance) = visible {
            // What is deleted is still there for what is deleted before it, such as a provider's configuration.
            let shown = if change.after.is_null() { &change.before } else { &change.after };
            self.evaluator.set_instance(instance, shown.clone());
        }
        if let Work::Declared(instance) = &work {
            let drifted = self.drift.last().filter(|drift| drift.address == change.address);
            change.causes = causes::of(&self.evaluator, &self.program, *instance, &change, drifted);
            let program = self.program.clone();
            let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
            if let Err(found) = self.conditions(
                *instance,
                &decl.lifecycle.postconditions,
                Some(&change.after),
                "postcondition",
            ) {
                self.say(task, found);
            }
        }
        self.changes.insert((change.address.clone(), change.deposed.clone()), change);
    }

    // --- conditions ---

    /// Looks at the conditions of an instance.
    ///
    /// # Errors
    /// What those say that do not hold.
    fn conditions(
        &mut self,
        instance: InstanceRef,
        conditions: &[Condition],
        this: Option<&Value>,
        what: &str,
    ) -> Result<(), Diagnostics> {
        if conditions.is_empty() {
            return Ok(());
        }
        let address = self.evaluator.address(instance);
        let outcomes = self.evaluator.conditions(instance, conditions, this);
        let (status, messages, found) = judge(conditions, outcomes, what);
        let config_address = ecow::eco_format!("{}", address.config());
        let result = CheckResult {
            kind: "resource",
            config_address,
            address: ecow::eco_format!("{address}"),
            status,
            messages,
        };
        self.checks.push(result);
        found.into_result().map(|_| ()).map_err(|found| found.about(&address))
    }

    /// Looks at the assertions of a check block: those that do not hold are warnings.
    pub(super) fn check(&mut self, id: NodeId) {
        let (results, found) = conditions::check(&self.evaluator, id);
        self.diagnostics.extend(found);
        self.checks.extend(results);
    }

    // --- places ---

    /// Gives diagnostics the place of the attribute that they are about, or of the block.
    pub(super) fn place(&self, work: &Work, mut found: Diagnostics) -> Diagnostics {
        let node = match work {
            Work::Declared(instance) => Some(instance.node),
            Work::Undeclared { node, .. } | Work::Deposed { node, .. } => *node,
            Work::Action(instance, _) => Some(instance.node),
            Work::Provider(..) | Work::Back(_) => None,
        };
        let Some(decl) = node.and_then(|id| self.program.resource(id)) else { return found };
        for diagnostic in found.iter_mut().filter(|d| d.labels.is_empty()) {
            let attribute = match (work, &diagnostic.attribute) {
                (Work::Declared(instance), Some(path)) => self.evaluator.attribute_span(*instance, path),
                _ => None,
            };
            diagnostic.labels.push(Label { span: attribute.unwrap_or(decl.span), text: EcoString::new() });
        }
        found
    }

    fn place_provider(&self, node: Option<NodeId>, mut found: Diagnostics) -> Diagnostics {
        let Some(node) = node else { return found };
        for diagnostic in found.iter_mut().filter(|d| d.labels.is_empty()) {
            let attribute = diagnostic.attribute.as_ref();
            let span = attribute.and_then(|path| self.evaluator.provider_attribute_span(node, path));
            let span = span.unwrap_or_else(|| self.program.span(node));
            diagnostic.labels.push(Label { span, text: EcoString::new() });
        }
        found
    }
}

/// Starts and configures a provider.
///
/// # Errors
/// If it does not start, or does not accept the configuration.
pub(crate) async fn start_provider(
    factory: &dyn Factory,
    config: &ProviderConfig,
    value: Value,
) -> Result<(Arc<dyn Provider>, Diagnostics), Diagnostics> {
    let provider = factory.start(&config.source).await?;
    let mut warnings = provider.validate_provider(value.clone()).await.into_result()?;
    warnings.extend(provider.configure(value).await.into_result()?);
    Ok((provider, warnings))
}

/// Tells that an object cannot be looked at or deleted, since nothing configures the provider that it was made with.
fn no_provider_instance(config: &ProviderConfig, address: Option<&Instance>) -> Diagnostic {
    let what = address.map_or_else(|| "A recorded object".to_owned(), |address| format!("`{address}`"));
    let again = match &config.key {
        Key::String(key) => format!("Put the key {key:?} back into `for_each` of the `provider` block"),
        _ => format!("Declare {config} again"),
    };
    let forget = address.map_or_else(String::new, |address| {
        format!(" If the object is not to be managed any more, run `plumb state rm '{address}'`.")
    });
    let diagnostic = Diagnostic::error("provider-instance-gone", "Provider instance is not there any more")
        .detail(format!("{what} was made with {config}, which the configuration no longer has, so nobody can look at it or delete it."))
        .help(format!("{again}, apply, and take it out when no object needs it any more.{forget}"));
    match address {
        Some(address) => diagnostic.about(address),
        None => diagnostic,
    }
}

/// The `removed` block that says what becomes of an object: its module, and which one there.
pub(crate) fn removed_by(program: &Program, address: &Instance) -> Option<(ModuleId, usize)> {
    let path = address.module.path();
    program.modules().find_map(|(id, module)| {
        let rest = path.0.strip_prefix(&module.path.0[..])?;
        let index = module.removed.iter().position(|removed| match &removed.from {
            Target::Module(from) => rest.starts_with(&from.path().0),
            Target::Resource(from) => *rest == **from.module.path().0 && from.resource == address.resource,
        })?;
        Some((id, index))
    })
}

/// Why the present configuration does not let an object go, if it would.
pub(crate) fn prevented(program: &Program, node: Option<NodeId>, change: &Change) -> Option<Diagnostic> {
    let decl = node.and_then(|id| program.resource(id))?;
    if !decl.lifecycle.prevent_destroy || !change.action.deletes() || change.deposed.is_some() {
        return None;
    }
    let what = if change.action.is_replace() { "replaced" } else { "destroyed" };
    Some(
        Diagnostic::error("destroy-prevented", "Instance cannot be destroyed")
            .detail(format!(
                "`{}` would be {what}, and its block says `prevent_destroy = true`.",
                change.address
            ))
            .label(decl.lifecycle.prevent_destroy_span.unwrap_or(decl.span), "forbidden here")
            .help(format!(
                "Set `prevent_destroy = false` first if it really is to go, or leave it out of this plan with `-exclude='{}'`.",
                change.address
            ))
            .about(&change.address),
    )
}

/// What the language knows of schemas, from what the engine knows.
pub(crate) fn ignore_of(ignore: &IgnoreChanges) -> Ignore {
    match ignore {
        IgnoreChanges::Nothing => Ignore::Nothing,
        IgnoreChanges::All => Ignore::All,
        IgnoreChanges::Paths(paths) => Ignore::Paths(paths.iter().map(|(path, _)| path.clone()).collect()),
    }
}

fn is_triggering(change: &Change, path: &Path) -> bool {
    if path.is_root() {
        return matches!(change.action, Action::Update | Action::Create) || change.action.is_replace();
    }
    let part = |value: &Value| value.at(path).map(|v| v.unmark_deep().0);
    change.action != Action::NoOp && part(&change.before) != part(&change.after)
}

fn import_target(id: Option<Value>, identity: Option<Value>) -> Option<ImportTarget> {
    match (id, identity) {
        (Some(id), _) => id.as_str().cloned().map(ImportTarget::Id),
        (None, Some(identity)) if identity.is_wholly_known() => {
            Some(ImportTarget::Identity(identity.unmark_deep().0))
        }
        _ => None,
    }
}

fn unknown_import() -> Diagnostic {
    Diagnostic::error("import-id-unknown", "What to import is not known yet")
        .detail("The id of an object to import must be known when the plan is made; this one depends on something that is not.")
        .help("Write the id, or take it from a variable.")
}

/// What tells an object apart, for people who watch.
pub(crate) fn plumb_id(value: &Value) -> Option<(EcoString, EcoString)> {
    ["id", "name", "path"].iter().find_map(|name| {
        let text = value.get(name).filter(|v| v.marks().is_empty())?.as_str()?;
        Some((EcoString::from(*name), text.clone()))
    })
}

/// Paths of attributes that hold ephemeral values and would be kept.
fn ephemeral_outside_write_only(block: &plumb_model::Block, config: &Value) -> Vec<Path> {
    if !config.has_marks() {
        return Vec::new();
    }
    let marked = config.unmark_with_paths().1.into_iter();
    marked
        .filter(|(path, marks)| {
            marks.contains(Marks::EPHEMERAL) && !block.attribute_at(path).is_some_and(|a| a.write_only)
        })
        .map(|(path, _)| path)
        .collect()
}

fn ephemeral_value(path: &Path) -> Diagnostic {
    Diagnostic::error("ephemeral-value-kept", "Ephemeral value would be kept")
        .detail(format!(
            "`{path}` is saved in state, where a value that exists only while a command runs cannot be."
        ))
        .help("Use a write-only attribute of the resource, or a value that is not ephemeral.")
        .attribute(path.clone())
}

impl plumb_semantics::Schemas for Schemas {
    fn knows(&self, provider: &plumb_model::address::ProviderSource) -> bool {
        self.provider(provider).is_some()
    }

    fn resource(
        &self,
        provider: &plumb_model::address::ProviderSource,
        mode: Mode,
        kind: &str,
    ) -> Option<Arc<plumb_model::Schema>> {
        self.get(provider, mode, &kind.into()).map(|known| known.schema.clone())
    }

    fn provider(&self, provider: &plumb_model::address::ProviderSource) -> Option<Arc<plumb_model::Schema>> {
        Schemas::provider(self, provider).map(|known| Arc::new(known.provider.clone()))
    }

    fn kinds(&self, provider: &plumb_model::address::ProviderSource, mode: Mode) -> Vec<EcoString> {
        let Some(known) = Schemas::provider(self, provider) else { return Vec::new() };
        match mode {
            Mode::Managed => known.resources.keys().cloned().collect(),
            Mode::Data => known.data_sources.keys().cloned().collect(),
            Mode::Ephemeral => known.ephemeral_resources.keys().cloned().collect(),
            Mode::Action => known.actions.keys().cloned().collect(),
        }
    }

    fn has_function(&self, provider: &plumb_model::address::ProviderSource, name: &str) -> bool {
        Schemas::provider(self, provider).is_some_and(|known| known.functions.contains_key(name))
    }
}
