//! `resource`, `data`, `ephemeral` and `action` blocks.

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::address::{Mode, Resource};
use plumb_model::{Diagnostic, Diagnostics, Path, Span, Step};
use plumb_syntax::tree::{Block, Body, Expr, ExprKind, Ident, Item, Traversal, TraversalStep};

use super::blocks::{self, Shape, check_labels, check_shape, flag, only_block, references, without};
use super::provider_name::provider_name;
use crate::program::{
    ActionTrigger, IgnoreChanges, Lifecycle, ProviderKey, ProvisionerDecl, Repetition, ResourceDecl,
    TriggerEvent,
};
use crate::reference::{self, Subject};

/// The arguments of a resource that are the language's own; the last only in native files.
const META_ARGUMENTS: [&str; 5] = ["count", "for_each", "depends_on", "provider", "enabled"];
const META_BLOCKS: [&str; 3] = ["lifecycle", "provisioner", "connection"];

const LIFECYCLE: Shape = Shape {
    what: "the `lifecycle` block of a resource",
    attributes: &[
        "create_before_destroy",
        "prevent_destroy",
        "ignore_changes",
        "replace_triggered_by",
        "destroy",
        "enabled",
    ],
    blocks: &["precondition", "postcondition", "action_trigger"],
};
const LIFECYCLE_OF_DATA: Shape = Shape {
    what: "the `lifecycle` block of a data source or ephemeral resource",
    attributes: &["enabled"],
    blocks: &["precondition", "postcondition"],
};

/// The arguments of a resource that are the language's own.
pub(crate) fn meta_arguments(native: bool) -> &'static [&'static str] {
    if native { &META_ARGUMENTS } else { &META_ARGUMENTS[..4] }
}

/// Reads a resource block. `enabled` is a meta-argument in the native language; elsewhere it stands in `lifecycle`.
pub(super) fn resource(
    block: &Arc<Block>,
    mode: Mode,
    native: bool,
    check: Option<u32>,
    diagnostics: &mut Diagnostics,
) -> Option<ResourceDecl> {
    if !check_labels(block, &["type", "name"], diagnostics) {
        return None;
    }
    let (kind, name) = (&block.labels[0], &block.labels[1]);
    let resource = Resource { mode, kind: kind.text.clone(), name: name.text.clone() };
    let body = &block.body;
    let lifecycle_block = only_block(body, "lifecycle", diagnostics);
    let in_lifecycle = lifecycle_block.and_then(|block| blocks::expr(&block.body, "enabled"));
    let enabled = in_lifecycle.or_else(|| if native { blocks::expr(body, "enabled") } else { None });
    let repetition = repetition(body, enabled, diagnostics);
    let lifecycle = lifecycle_block.map(|block| lifecycle(block, mode, diagnostics)).unwrap_or_default();
    let (provider, provider_instance) = provider(body, &resource, diagnostics);
    check_kept_for_later(body, diagnostics);
    let provisioners = if mode == Mode::Managed {
        body.blocks_of("provisioner").filter_map(|block| provisioner(block, diagnostics)).collect()
    } else {
        for block in body.blocks().filter(|block| matches!(block.kind.as_str(), "provisioner" | "connection"))
        {
            diagnostics.push(
                Diagnostic::error("unsupported-block", "Unsupported block type")
                    .detail(eco_format!(
                        "A `{}` block belongs to a managed resource, not to `{mode}`.",
                        block.kind
                    ))
                    .at(block.header_span),
            );
        }
        Vec::new()
    };
    Some(ResourceDecl {
        resource,
        span: block.header_span,
        kind_span: kind.span,
        provider,
        provider_span: body.attribute("provider").map(|attribute| attribute.value.span),
        provider_instance,
        repetition,
        depends_on: references(body, "depends_on", diagnostics),
        lifecycle,
        provisioners,
        connection: only_block(body, "connection", diagnostics).cloned(),
        body: without(block, meta_arguments(native), &META_BLOCKS),
        check,
    })
}

const ACTION: Shape =
    Shape { what: "an `action` block", attributes: &["count", "for_each", "provider"], blocks: &["config"] };
const NATIVE_ACTION: Shape = Shape {
    what: "an `action` block",
    attributes: &["count", "for_each", "enabled", "provider"],
    blocks: &["config"],
};

/// Reads an `action` block: what is the provider's stands in its `config` block.
pub(super) fn action(
    block: &Arc<Block>,
    native: bool,
    diagnostics: &mut Diagnostics,
) -> Option<ResourceDecl> {
    if !check_labels(block, &["type", "name"], diagnostics) {
        return None;
    }
    let (kind, name) = (&block.labels[0], &block.labels[1]);
    let resource = Resource { mode: Mode::Action, kind: kind.text.clone(), name: name.text.clone() };
    let body = &block.body;
    check_shape(body, if native { &NATIVE_ACTION } else { &ACTION }, diagnostics);
    let enabled = if native { blocks::expr(body, "enabled") } else { None };
    let (provider, provider_instance) = provider(body, &resource, diagnostics);
    let config = only_block(body, "config", diagnostics);
    let config = config.map(|block| {
        check_labels(block, &[], diagnostics);
        block.clone()
    });
    let nothing = || {
        let body = Body { items: Vec::new(), span: block.header_span };
        Arc::new(Block { body, ..(**block).clone() })
    };
    Some(ResourceDecl {
        resource,
        span: block.header_span,
        kind_span: kind.span,
        provider,
        provider_span: body.attribute("provider").map(|attribute| attribute.value.span),
        provider_instance,
        repetition: repetition(body, enabled, diagnostics),
        depends_on: Vec::new(),
        lifecycle: Lifecycle::default(),
        provisioners: Vec::new(),
        connection: None,
        body: config.unwrap_or_else(nothing),
        check: None,
    })
}

const TRIGGER: Shape =
    Shape { what: "an `action_trigger` block", attributes: &["events", "condition", "actions"], blocks: &[] };

fn action_trigger(block: &Block, diagnostics: &mut Diagnostics) -> Option<ActionTrigger> {
    check_labels(block, &[], diagnostics);
    let body = &block.body;
    check_shape(body, &TRIGGER, diagnostics);
    for name in ["events", "actions"] {
        blocks::required(block, name, diagnostics)?;
    }
    let mut events: Vec<TriggerEvent> = Vec::new();
    for element in blocks::list(body, "events", diagnostics) {
        let word = element.as_keyword().or(element.as_string().map(EcoString::as_str)).unwrap_or_default();
        match TriggerEvent::of_word(word) {
            Some(event) if events.contains(&event) => diagnostics.push(
                Diagnostic::error("duplicate-event", "Duplicate event")
                    .detail(eco_format!("`{word}` is listed twice; an action is invoked once for it."))
                    .at(element.span)
                    .help("Remove it here."),
            ),
            Some(event) => events.push(event),
            None => diagnostics.push(unknown_event(&element, word)),
        }
    }
    let mut actions = blocks::list(body, "actions", diagnostics);
    actions.retain(|element| {
        let root = match &element.kind {
            ExprKind::Traversal(traversal) => Some(&traversal.root),
            ExprKind::Access(access) => access.base.as_traversal().map(|traversal| &traversal.root),
            ExprKind::Error => return false,
            _ => None,
        };
        let is_action = root.is_some_and(|root| root.as_str() == "action");
        if !is_action {
            diagnostics.push(
                Diagnostic::error("not-an-action", "Reference to an action is required")
                    .detail("`actions` lists references to `action` blocks of this module, or to their instances.")
                    .at(element.span)
                    .help("Write `actions = [action.type.name]`."),
            );
        }
        is_action
    });
    let condition = blocks::expr(body, "condition");
    (!events.is_empty()).then_some(ActionTrigger { events, condition, actions, span: block.header_span })
}

fn unknown_event(element: &Expr, word: &str) -> Diagnostic {
    let known = TriggerEvent::ALL.map(TriggerEvent::word);
    let diagnostic = Diagnostic::error("unknown-event", "Unknown event").at(element.span);
    if matches!(word, "before_destroy" | "after_destroy") {
        return diagnostic
            .detail("Destroying an object triggers no action; creating and updating one do.")
            .help("Remove it; a `provisioner` with `when = destroy` runs a program before an object is destroyed.");
    }
    let guess = plumb_model::diagnostic::did_you_mean(word, known);
    diagnostic
        .detail(eco_format!("The events are `{}`.", known.join("`, `")))
        .maybe_help(guess.or(Some("Write them without quotes: `events = [after_create]`.".into())))
}

/// Names that mean nothing yet, but are kept free.
fn check_kept_for_later(body: &Body, diagnostics: &mut Diagnostics) {
    for block in body.blocks().filter(|block| matches!(block.kind.as_str(), "locals")) {
        diagnostics.push(
            Diagnostic::error("reserved-name", "Reserved block type name")
                .detail(eco_format!(
                    "The block type name `{}` is kept for later versions of the language.",
                    block.kind
                ))
                .at(block.kind.span),
        );
    }
}

/// `count`, `for_each` and `enabled`, of which at most one may be there.
pub(super) fn repetition(body: &Body, enabled: Option<Expr>, diagnostics: &mut Diagnostics) -> Repetition {
    let repetition =
        Repetition { count: blocks::expr(body, "count"), for_each: blocks::expr(body, "for_each"), enabled };
    let written: Vec<(&str, Span)> =
        [("count", &repetition.count), ("for_each", &repetition.for_each), ("enabled", &repetition.enabled)]
            .into_iter()
            .filter_map(|(name, expr)| expr.as_ref().map(|expr| (name, expr.span)))
            .collect();
    if let [(first, first_span), (second, second_span), ..] = written[..] {
        diagnostics.push(
            Diagnostic::error("exclusive-arguments", eco_format!("Invalid combination of \"{first}\" and \"{second}\""))
                .detail(eco_format!("`{first}` and `{second}` each say how many instances there are; only one of them may be used."))
                .label(second_span, "")
                .label(first_span, "")
                .help(eco_format!("Remove one. To leave out single instances, filter the collection of `for_each`.")),
        );
    }
    repetition
}

/// The provider configuration that a block names, with the instance of it, or the default one of its type's provider.
fn provider(body: &Body, resource: &Resource, diagnostics: &mut Diagnostics) -> (ProviderKey, Option<Expr>) {
    let written = body.attribute("provider").and_then(|named| provider_name(&named.value, diagnostics));
    match written {
        Some(name) => (name.key, name.instance),
        None => (ProviderKey { name: EcoString::from(resource.provider_prefix()), alias: None }, None),
    }
}

fn lifecycle(block: &Block, mode: Mode, diagnostics: &mut Diagnostics) -> Lifecycle {
    check_labels(block, &[], diagnostics);
    let body = &block.body;
    check_shape(body, if mode == Mode::Managed { &LIFECYCLE } else { &LIFECYCLE_OF_DATA }, diagnostics);
    let prevent_destroy = body.attribute("prevent_destroy").map(|attribute| attribute.value.span);
    Lifecycle {
        create_before_destroy: flag(body, "create_before_destroy", diagnostics),
        prevent_destroy: flag(body, "prevent_destroy", diagnostics).unwrap_or(false),
        prevent_destroy_span: prevent_destroy,
        destroy: flag(body, "destroy", diagnostics),
        ignore_changes: ignore_changes(body, diagnostics),
        replace_triggered_by: replace_triggered_by(body, diagnostics),
        action_triggers: body
            .blocks_of("action_trigger")
            .filter_map(|block| action_trigger(block, diagnostics))
            .collect(),
        preconditions: blocks::conditions(body, "precondition", diagnostics),
        postconditions: blocks::conditions(body, "postcondition", diagnostics),
    }
}

fn ignore_changes(body: &Body, diagnostics: &mut Diagnostics) -> IgnoreChanges {
    let Some(attribute) = body.attribute("ignore_changes") else { return IgnoreChanges::Nothing };
    let is_all = |expr: &Expr| {
        expr.as_keyword() == Some("all") || expr.as_string().is_some_and(|text| text == "all" || text == "*")
    };
    if is_all(&attribute.value) {
        return IgnoreChanges::All;
    }
    let elements = blocks::list(body, "ignore_changes", diagnostics);
    if let [only] = elements.as_slice()
        && only.as_string().is_some_and(|text| text == "*")
    {
        return IgnoreChanges::All;
    }
    let mut paths = Vec::new();
    for element in elements {
        match ignored_path(&element) {
            Some(path) => paths.push((path, element.span)),
            None => diagnostics.push(
                Diagnostic::error("invalid-ignore-changes", "Invalid ignore_changes argument")
                    .detail("`ignore_changes` lists attributes of this resource, or is `all`.")
                    .at(element.span)
                    .help("Write `ignore_changes = [tags, rules[0].port]`."),
            ),
        }
    }
    IgnoreChanges::Paths(paths)
}

/// The path in the resource's object that a reference relative to it means.
fn ignored_path(expr: &Expr) -> Option<Path> {
    match &expr.kind {
        ExprKind::Traversal(traversal) => traversal_path(traversal),
        ExprKind::String(text) if blocks::is_name(text) => Some(Path::of(text.clone())),
        _ => None,
    }
}

fn traversal_path(traversal: &Traversal) -> Option<Path> {
    let steps = traversal.steps.iter().map(|step| {
        Some(match step {
            TraversalStep::Attribute(name) => Step::Attribute(name.name.clone()),
            TraversalStep::Index(number, _) => Step::Index(usize::try_from(number.to_u64()?).ok()?),
            TraversalStep::Key(key, _) => Step::Key(key.clone()),
        })
    });
    let root = Some(Step::Attribute(traversal.root.name.clone()));
    std::iter::once(root).chain(steps).collect::<Option<Vec<_>>>().map(Path)
}

/// Whether a reference names a managed resource.
fn is_managed(traversal: &Traversal) -> bool {
    let reference = reference::parse(traversal).map(|reference| reference.subject);
    matches!(reference, Ok(Subject::Resource { mode: Mode::Managed, .. }))
}

/// References to resources, whose keys may be `each.key` or `count.index`.
fn replace_triggered_by(body: &Body, diagnostics: &mut Diagnostics) -> Vec<Expr> {
    let mut elements = blocks::list(body, "replace_triggered_by", diagnostics);
    elements.retain(|element| {
        let reference = match &element.kind {
            ExprKind::Traversal(traversal) => is_managed(traversal),
            ExprKind::Access(access) => {
                matches!(&access.base.kind, ExprKind::Traversal(base) if is_managed(base))
            }
            _ => false,
        };
        if !reference && !matches!(element.kind, ExprKind::Error) {
            diagnostics.push(
                Diagnostic::error("invalid-replace-trigger", "Invalid replace_triggered_by expression")
                    .detail("`replace_triggered_by` lists references to managed resources, their instances or attributes.")
                    .at(element.span)
                    .help("Write `replace_triggered_by = [terraform_data.version.output]`."),
            );
        }
        reference
    });
    elements
}

/// Reads a provisioner.
pub(super) fn provisioner(block: &Arc<Block>, diagnostics: &mut Diagnostics) -> Option<ProvisionerDecl> {
    if !check_labels(block, &["type"], diagnostics) {
        return None;
    }
    let label = &block.labels[0];
    let body = &block.body;
    let on_destroy = match keyword(body, "when", &["create", "destroy"], diagnostics) {
        Some(when) => when == "destroy",
        None => false,
    };
    let continue_on_failure = keyword(body, "on_failure", &["continue", "fail"], diagnostics)
        .is_some_and(|word| word == "continue");
    Some(ProvisionerDecl {
        kind: Ident { name: label.text.clone(), span: label.span },
        on_destroy,
        continue_on_failure,
        connection: only_block(body, "connection", diagnostics).cloned(),
        body: without(block, &["when", "on_failure"], &["connection"]),
        span: block.header_span,
    })
}

fn keyword(body: &Body, name: &str, words: &[&str], diagnostics: &mut Diagnostics) -> Option<EcoString> {
    let attribute = body.attribute(name)?;
    let quoted = attribute.value.as_string().map(EcoString::as_str);
    let written = attribute.value.as_keyword().or(quoted);
    match written.filter(|word| words.contains(word)) {
        Some(word) => {
            if quoted.is_some() {
                diagnostics.push(blocks::quoted(
                    "Quoted keywords are deprecated",
                    word,
                    attribute.value.span,
                ));
            }
            Some(word.into())
        }
        None => {
            diagnostics.push(
                Diagnostic::error("invalid-keyword", "Invalid keyword")
                    .detail(eco_format!("`{name}` is one of: {}.", words.join(", ")))
                    .at(attribute.value.span)
                    .maybe_help(
                        written.and_then(|word| {
                            plumb_model::diagnostic::did_you_mean(word, words.iter().copied())
                        }),
                    ),
            );
            None
        }
    }
}

/// Whether a block has items that could not be understood, so that what is missing in it says nothing.
pub(super) fn is_broken(block: &Block) -> bool {
    block.body.items.iter().any(|item| matches!(item, Item::Error(_)))
}
