//! Planning the way back of one object: its before-image in the form of the present schema, a configuration from it,
//! the provider's plan for that, and how exactly it leads back.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::address::{Instance, ProviderConfig};
use plumb_model::{Block, Diagnostics, Path, Value};
use plumb_provider_api::Provider;

use super::{Class, How, Undo, guard};
use crate::object;
use crate::plan::instance::{self, Existence, Ignore, Job, Wish};
use crate::plan::{Action, Change, Drift, Resolution};
use crate::providers::TypeSchema;
use crate::recorded::Recorded;

/// An object whose provider is asked about the way back.
#[derive(Clone)]
pub(crate) struct Item {
    /// As it was, at the address that it had; `None` if there was none.
    pub target: Option<Arc<Recorded>>,
    /// As it was last recorded, under the address that it had; `None` if there is none.
    pub now: Option<Arc<Recorded>>,
    /// Where state has it, if that is another address.
    pub previous: Option<Instance>,
    /// Whether state has it.
    pub stored: bool,
}

/// The objects that a walk plans the way back for, and what came of it.
pub(crate) struct Back {
    pub items: Vec<Item>,
    /// Which items each provider configuration manages.
    pub by_provider: BTreeMap<ProviderConfig, Vec<usize>>,
    /// What was found out, in the order in which it was.
    pub results: Vec<(usize, Outcome)>,
}

/// What was found out about an object.
#[derive(Default)]
pub(crate) struct Outcome {
    /// What is done, and how exactly that leads back.
    pub change: Option<(Change, Undo)>,
    /// How it differs from what is recorded.
    pub drift: Option<Drift>,
    /// Whether there is no object any more, and only the record is to go.
    pub gone: bool,
    /// Why it must be left as it is.
    pub conflict: Option<plumb_model::Diagnostic>,
    /// What does not come back although nothing can be done about it.
    pub lost: Vec<EcoString>,
    /// What became of a step in flight.
    pub resolved: Option<Resolution>,
    pub diagnostics: Diagnostics,
}

impl Item {
    /// The object, as it was or else as it is.
    pub fn recorded(&self) -> &Arc<Recorded> {
        let either = self.target.as_ref().or(self.now.as_ref());
        either.expect("an item is about an object that was or is there")
    }

    /// What manages it.
    pub fn provider(&self) -> &ProviderConfig {
        &self.recorded().provider
    }
}

impl Back {
    pub fn new(items: Vec<Item>) -> Back {
        let mut by_provider: BTreeMap<ProviderConfig, Vec<usize>> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            by_provider.entry(item.provider().clone()).or_default().push(at);
        }
        Back { items, by_provider, results: Vec::new() }
    }
}

/// Plans the way back of one object.
pub(crate) async fn plan_item(item: Item, provider: Arc<dyn Provider>, schema: TypeSchema) -> Outcome {
    let block = schema.schema.block.clone();
    let mut warnings = Diagnostics::new();
    let image = match &item.target {
        None => None,
        Some(target) => match instance::upgrade(&*provider, &target.provider, target, &schema).await {
            Ok((value, found)) => {
                warnings = found.about(&target.address);
                Some(value)
            }
            Err(errors) => {
                return Outcome { diagnostics: errors.about(&target.address), ..Outcome::default() };
            }
        },
    };
    let config = image.as_ref().map(|image| configuration(&block, image));
    let planned = instance::plan(job(&item, provider, schema, config.clone())).await;
    let instance::Planned { change, drift, resolved, diagnostics } = planned;
    let mut outcome = Outcome { resolved, diagnostics, drift, ..Outcome::default() };
    outcome.diagnostics.extend(warnings);
    if outcome.resolved.is_some() || outcome.diagnostics.has_errors() {
        return outcome;
    }
    outcome.weigh(&item, change, image, config, &block);
    outcome
}

impl Outcome {
    /// Decides what is done, from what the provider planned.
    fn weigh(
        &mut self,
        item: &Item,
        change: Option<Change>,
        image: Option<Value>,
        config: Option<Value>,
        block: &Block,
    ) {
        let gone = self.drift.as_ref().is_some_and(|drift| drift.after.is_null());
        let Some(change) = change else {
            self.gone = gone;
            return;
        };
        if change.action != Action::NoOp
            && !gone
            && let Some(drift) = &self.drift
        {
            self.conflict = Some(guard::conflict(&change.address, &drift.paths, &drift.after));
            return;
        }
        let mut undo = match image {
            None => Undo { class: Class::Exact, reasons: Vec::new(), how: How::Provider(Value::NULL) },
            Some(image) => classify(&change, &image, config.unwrap_or(Value::NULL), block),
        };
        if gone {
            undo.reasons.insert(0, "somebody deleted the object".into());
        }
        if change.action == Action::NoOp {
            self.lost = std::mem::take(&mut undo.reasons);
            if self.drift.is_none() && change.previous_address.is_none() && item.stored {
                return;
            }
            undo.class = Class::Exact;
            undo.how = How::Record;
        }
        self.change = Some((change, undo));
    }
}

/// The configuration that an object would have been made from, with its marks.
fn configuration(block: &Block, image: &Value) -> Value {
    let (plain, marks) = image.unmark_with_paths();
    let config = object::configuration_of(block, &plain);
    config.mark_paths(marks.iter().map(|(path, marks)| (path, *marks)))
}

fn job(item: &Item, provider: Arc<dyn Provider>, schema: TypeSchema, config: Option<Value>) -> Job {
    let recorded = item.recorded();
    let wish = match (config, &item.target) {
        (Some(config), Some(target)) => Wish::Exist(Box::new(Existence {
            config,
            ignore: Ignore::Nothing,
            create_before_destroy: target.create_before_destroy,
            replace: None,
            import: None,
        })),
        _ => Wish::NotExist { reason: None, forget: false },
    };
    Job {
        address: recorded.address.clone(),
        previous_address: item.previous.clone(),
        provider,
        provider_config: recorded.provider.clone(),
        schema,
        recorded: item.now.clone(),
        wish,
        refresh: true,
        refresh_only: false,
        dependencies: recorded.dependencies.clone(),
        meta: None,
    }
}

/// How exactly a change leads back to an image.
fn classify(change: &Change, image: &Value, config: Value, block: &Block) -> Undo {
    let (image, after) = (image.unmark_deep().0, change.after.unmark_deep().0);
    let differing = object::differing_paths(&image, &after, block);
    let (chosen, wished): (Vec<Path>, Vec<Path>) =
        differing.into_iter().partition(|path| block.attribute_at(path).is_some_and(object::is_chosen));
    let mut reasons = Vec::new();
    let another = change.action == Action::Create || change.action.is_replace();
    if another {
        reasons.push(match names(&chosen) {
            None => "it becomes a new object".into(),
            Some(names) => ecow::eco_format!("it becomes a new object: {names} will be chosen anew"),
        });
    } else if change.action == Action::NoOp
        && let Some(names) = names(&chosen)
    {
        reasons.push(ecow::eco_format!("only the provider chooses {names}, which cannot be set back"));
    }
    let mut class = if another { Class::Recreate } else { Class::Exact };
    if let Some(names) = names(&wished) {
        reasons.push(ecow::eco_format!("the provider would not set {names} back"));
        class = Class::None;
    }
    let unknown: Vec<String> =
        object::write_only_names(block).iter().map(|name| format!("`{name}`")).collect();
    if !unknown.is_empty() && change.action != Action::NoOp {
        reasons.push(ecow::eco_format!("{} write-only: what was written is not recorded", are(&unknown)));
        class = Class::None;
    }
    Undo { class, reasons, how: How::Provider(config) }
}

fn names(paths: &[Path]) -> Option<String> {
    let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    match &names[..] {
        [] => None,
        [one] => Some(one.clone()),
        [head @ .., last] => Some(format!("{} and {last}", head.join(", "))),
    }
}

fn are(names: &[String]) -> String {
    match names {
        [one] => format!("{one} is"),
        [head @ .., last] => format!("{} and {last} are", head.join(", ")),
        [] => String::new(),
    }
}
