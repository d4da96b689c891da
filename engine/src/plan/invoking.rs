//! Which actions a plan invokes: those whose triggers fit what becomes of an instance, or the one that was asked for.
//!
//! When all instances of a resource are planned, and so are the actions that its triggers name, each trigger is looked
//! at for each instance. What an action is told is evaluated, and its provider is asked whether that will do; unknown
//! parts are evaluated again when it is invoked.
//!
//! Elsewhere: invoking is [`crate::execute`].

use plumb_model::address::{Instance, Key, Mode, Target};
use plumb_model::convert::convert;
use plumb_model::{Diagnostic, Diagnostics, Marks, Type, Value};
use plumb_semantics::eval::InstanceRef;
use plumb_semantics::program::{ActionTrigger, NodeId, Program, ResourceDecl, TriggerEvent};

use super::resource::Work;
use super::target::Selection;
use super::walk::{Done, Walker};
use super::{Action, Invocation, Purpose, Trigger};
use crate::graph::Task;
use crate::schedule::Running;

/// The resources that have triggers.
pub(super) fn triggering(program: &Program) -> Vec<NodeId> {
    let has_triggers = |decl: &ResourceDecl| {
        decl.resource.mode == Mode::Managed && !decl.lifecycle.action_triggers.is_empty()
    };
    program.nodes().map(|(id, _)| id).filter(|id| program.resource(*id).is_some_and(has_triggers)).collect()
}

/// The selection of what an action needs that is asked for.
pub(crate) fn selection(program: &Program, asked: &[Instance]) -> Selection {
    let nodes = asked.iter().filter_map(|address| program.resource_node(&address.config()));
    Selection::of_nodes(program, nodes.collect())
}

/// Whether a change is one before or after which actions are invoked.
fn fits(event: TriggerEvent, action: Action) -> bool {
    match event {
        TriggerEvent::BeforeCreate | TriggerEvent::AfterCreate => {
            action == Action::Create || action.is_replace()
        }
        TriggerEvent::BeforeUpdate | TriggerEvent::AfterUpdate => action == Action::Update,
    }
}

impl Walker<'_> {
    /// Looks at the triggers of a resource, all of whose instances are planned.
    pub(super) fn start_triggers(&mut self, task: Task, id: NodeId) {
        let program = self.program.clone();
        let Some(decl) = program.resource(id) else { return };
        if self.options.purpose != Purpose::Normal || !self.selection.node(id) {
            return;
        }
        let Ok(instances) = self.evaluator.expand_resource(id) else { return };
        for instance in instances {
            let address = self.evaluator.address(instance);
            let Some(change) = self.changes.get(&(address.clone(), None)) else { continue };
            let (action, after) = (change.action, change.after.clone());
            for (block, trigger) in decl.lifecycle.action_triggers.iter().enumerate() {
                let events = trigger.events.iter().copied().filter(|event| fits(*event, action));
                for event in events {
                    let found = self.trigger(task, instance, (block, trigger), event, &after);
                    if let Err(found) = found {
                        self.say(task, found.about(&address));
                    }
                }
            }
        }
    }

    fn trigger(
        &mut self,
        task: Task,
        instance: InstanceRef,
        (block, trigger): (usize, &ActionTrigger),
        event: TriggerEvent,
        after: &Value,
    ) -> Result<(), Diagnostics> {
        let this = (!trigger.is_before()).then_some(after);
        if !self.holds(instance, trigger, this)? {
            return Ok(());
        }
        let resource = self.evaluator.address(instance);
        for (index, expr) in trigger.actions.iter().enumerate() {
            let actions = self.evaluator.triggered_actions(instance, expr)?;
            for action in actions {
                if !self.selection.node(action.node) {
                    continue;
                }
                let resource = resource.clone();
                let trigger = Trigger::Lifecycle { resource, event, block, index };
                self.push(task, Work::Action(action, trigger));
            }
        }
        Ok(())
    }

    fn holds(
        &self,
        instance: InstanceRef,
        trigger: &ActionTrigger,
        this: Option<&Value>,
    ) -> Result<bool, Diagnostics> {
        let Some(condition) = &trigger.condition else { return Ok(true) };
        let value = self.evaluator.eval_in(instance, condition, this)?;
        let wrong = |detail: &str| {
            Diagnostic::error("invalid-trigger-condition", "Invalid condition of a trigger")
                .detail(detail)
                .at(condition.span)
        };
        match convert(value.unmarked(), &Type::Bool) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(Value::Null(_)) => Err(wrong("The condition is null; it must be true or false.").into()),
            Ok(_) => Err(wrong("The condition is known only after apply, so the plan cannot say whether the actions are invoked.")
                .help("Use what is known when planning: variables, and what the configuration says.")
                .into()),
            Err(error) => Err(wrong(&format!("The condition must be true or false: {error}.")).into()),
        }
    }

    /// The instances of an action that was asked for are planned where its node is visited.
    pub(super) fn start_action(&mut self, task: Task, id: NodeId) {
        let refs = match self.evaluator.expand_resource(id) {
            Ok(refs) => refs,
            Err(found) => return self.say(task, found),
        };
        for instance in refs {
            let address = self.evaluator.address(instance);
            let asked = |of: &Instance| Target::Resource(of.clone()).contains(&address);
            if self.options.invoke.iter().any(asked) {
                self.push(task, Work::Action(instance, Trigger::Request));
            }
        }
    }

    /// Evaluates what an action is told and has its provider look at it. With a trigger, it is asked whether the action can
    /// be invoked so; without one, or where nothing else visits the action, whether the arguments will do.
    pub(super) fn begin_action(
        &mut self,
        task: Task,
        instance: InstanceRef,
        trigger: Option<Trigger>,
    ) -> Result<Option<Running<Done>>, Diagnostics> {
        let program = self.program.clone();
        let decl = program.resource(instance.node).expect("an instance belongs to a resource node");
        let (provider_config, schema) = self.type_schema(instance, decl)?;
        let address = self.evaluator.address(instance);
        let (config, found) = self.evaluator.config(instance, &schema.schema.block);
        self.diagnostics.extend(found.into_result().map_err(|found| found.about(&address))?);
        let provider = self.provider(&provider_config, decl)?;
        let plain = config.unmark_deep().0;
        let validates = !matches!(trigger, Some(Trigger::Lifecycle { .. }));
        let invocation = trigger.map(|trigger| {
            let sensitive = schema.schema.block.sensitive_paths(&config);
            let config = config.mark_paths(sensitive.iter().map(|(path, marks)| (path, *marks)));
            let config = without_ephemeral(&config);
            Box::new(Invocation { address: address.clone(), provider: provider_config, config, trigger })
        });
        let kind = decl.resource.kind.clone();
        Ok(Some(Box::pin(async move {
            let mut found = Diagnostics::new();
            if validates {
                found = provider.validate_action(&kind, plain.clone()).await;
            }
            if invocation.is_some() && !found.has_errors() {
                found.extend(provider.plan_action(&kind, plain).await);
            }
            (task, Done::Action(instance, invocation, found.about(&address)))
        })))
    }

    pub(super) fn end_action(
        &mut self,
        task: Task,
        instance: InstanceRef,
        invocation: Option<Box<Invocation>>,
        found: Diagnostics,
    ) {
        let found = self.place(&Work::Declared(instance), found);
        let failed = found.has_errors();
        self.say(task, found);
        if !failed {
            self.invocations.extend(invocation.map(|invocation| *invocation));
        }
    }

    /// What is going to be invoked, by resource and in the order of invoking.
    pub(super) fn invocations(&mut self) -> Vec<Invocation> {
        let mut invocations = std::mem::take(&mut self.invocations);
        invocations.sort_by(|a, b| (&a.trigger, &a.address).cmp(&(&b.trigger, &b.address)));
        invocations
    }
}

/// The same, where what must not be kept is unknown.
fn without_ephemeral(config: &Value) -> Value {
    let Some(attributes) = config.as_entries() else { return config.clone() };
    let kept = |value: &Value| match value.unmark_deep() {
        (plain, marks) if marks.contains(Marks::EPHEMERAL) => Value::unknown(plain.ty()),
        _ => value.clone(),
    };
    Value::object(attributes.iter().map(|(name, value)| (name.clone(), kept(value))))
}

/// Reports what `-invoke` names that is no action of the configuration.
pub fn check_asked(program: &Program, asked: &[Instance]) -> Diagnostics {
    let unknown = asked.iter().filter(|address| {
        address.resource.mode != Mode::Action || program.resource_node(&address.config()).is_none()
    });
    let known = || {
        program.nodes().filter_map(|(id, _)| {
            let decl = program.resource(id)?;
            (decl.resource.mode == Mode::Action).then(|| program.name(id))
        })
    };
    unknown
        .map(|address| {
            let keyless = Instance { key: Key::None, ..address.clone() }.to_string();
            let known: Vec<_> = known().collect();
            let guess =
                plumb_model::diagnostic::did_you_mean(&keyless, known.iter().map(|name| name.as_str()));
            let help = guess.or_else(|| {
                (!known.is_empty()).then(|| format!("The configuration has `{}`.", known.join("`, `")).into())
            });
            Diagnostic::error("unknown-action", "Action is not declared")
                .detail(format!("`-invoke` names `{address}`, which is no action of the configuration."))
                .maybe_help(help)
        })
        .collect()
}
