//! Reading blocks: what may stand in them, and literal arguments.

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::tree::{Attribute, Block, Body, Expr, ExprKind, Item};
use plumb_syntax::{Dialect, Origin, parse_expression};

use crate::program::Condition;

/// The arguments and nested blocks that a kind of block may have.
pub(super) struct Shape {
    /// What the block is called: "a `variable` block".
    pub what: &'static str,
    pub attributes: &'static [&'static str],
    pub blocks: &'static [&'static str],
}

/// Reports everything in a body that may not be there.
pub(super) fn check_shape(body: &Body, shape: &Shape, diagnostics: &mut Diagnostics) {
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => {
                let name = attribute.name.as_str();
                if !shape.attributes.contains(&name) {
                    diagnostics.push(unexpected_argument(attribute, shape));
                }
            }
            Item::Block(block) if !shape.blocks.contains(&block.kind.as_str()) => {
                diagnostics.push(unexpected_block(block, shape));
            }
            Item::Block(_) | Item::Error(_) => {}
        }
    }
}

fn unexpected_argument(attribute: &Attribute, shape: &Shape) -> Diagnostic {
    let name = attribute.name.as_str();
    let diagnostic =
        Diagnostic::error("unsupported-argument", "Unsupported argument").at(attribute.name.span);
    if shape.blocks.contains(&name) {
        return diagnostic
            .detail(eco_format!("In {}, `{name}` is a block, not an argument.", shape.what))
            .help(eco_format!("Write `{name} {{ … }}` without `=`."));
    }
    diagnostic.detail(eco_format!("An argument `{name}` is not expected in {}.", shape.what)).instead(
        name,
        attribute.name.span,
        shape.attributes.iter().copied(),
    )
}

fn unexpected_block(block: &Block, shape: &Shape) -> Diagnostic {
    let kind = block.kind.as_str();
    let diagnostic = Diagnostic::error("unsupported-block", "Unsupported block type").at(block.kind.span);
    if shape.attributes.contains(&kind) {
        return diagnostic
            .detail(eco_format!("In {}, `{kind}` is an argument, not a block.", shape.what))
            .help(eco_format!("Write `{kind} = …`."));
    }
    diagnostic
        .detail(eco_format!("Blocks of type `{kind}` are not expected in {}.", shape.what))
        .maybe_help(did_you_mean(kind, shape.blocks.iter().copied()))
}

/// Reports labels that are missing, too many, or not names. `names` says what each label is.
pub(crate) fn check_labels(block: &Block, names: &[&str], diagnostics: &mut Diagnostics) -> bool {
    let kind = &block.kind;
    if block.labels.len() != names.len() {
        let wanted = match names {
            [] => "no label".to_owned(),
            [one] => format!("one label, the {one}"),
            many => format!("{} labels: the {}", many.len(), many.join(" and the ")),
        };
        let example: String = names.iter().map(|name| format!(" \"{}\"", name.replace(' ', "_"))).collect();
        diagnostics.push(
            Diagnostic::error("wrong-labels", "Wrong number of labels")
                .detail(eco_format!("A `{kind}` block has {wanted}; this one has {}.", block.labels.len()))
                .at(block.header_span)
                .help(eco_format!("Write `{kind}{example} {{ … }}`.")),
        );
        return false;
    }
    let mut valid = true;
    for (label, what) in block.labels.iter().zip(names) {
        if !is_name(&label.text) {
            valid = false;
            diagnostics.push(invalid_name(&label.text, label.span, what));
        }
    }
    valid
}

/// Reports a name that is none.
pub(super) fn check_name(name: &str, span: Span, what: &str, diagnostics: &mut Diagnostics) {
    if !is_name(name) {
        diagnostics.push(invalid_name(name, span, what));
    }
}

fn invalid_name(name: &str, span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("invalid-name", "Invalid name")
        .detail(eco_format!(
            "{} cannot be a {what}: a name starts with a letter or underscore and has only letters, digits, underscores and dashes.",
            plumb_syntax::quote(name)
        ))
        .at(span)
}

/// Whether the text can be a name.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first == '_' || unicode_ident::is_xid_start(first))
        && chars.all(|c| c == '-' || unicode_ident::is_xid_continue(c))
}

/// The value of an argument that must be a literal text.
pub(super) fn text(body: &Body, name: &str, diagnostics: &mut Diagnostics) -> Option<(EcoString, Span)> {
    let attribute = body.attribute(name)?;
    match &attribute.value.without_parens().kind {
        ExprKind::String(text) => Some((text.clone(), attribute.value.span)),
        ExprKind::Null | ExprKind::Error => None,
        _ => {
            diagnostics.push(not_literal(attribute, "a text in quotes without interpolations"));
            None
        }
    }
}

/// The value of an argument that must be `true` or `false`.
pub(super) fn flag(body: &Body, name: &str, diagnostics: &mut Diagnostics) -> Option<bool> {
    let attribute = body.attribute(name)?;
    match &attribute.value.without_parens().kind {
        ExprKind::Bool(value) => Some(*value),
        ExprKind::String(text) if text == "true" || text == "false" => Some(text == "true"),
        ExprKind::Null | ExprKind::Error => None,
        _ => {
            diagnostics.push(not_literal(attribute, "`true` or `false`"));
            None
        }
    }
}

fn not_literal(attribute: &Attribute, wanted: &str) -> Diagnostic {
    Diagnostic::error("not-literal", "Unsuitable value")
        .detail(eco_format!(
            "`{}` must be {wanted}, since it is needed before anything is evaluated.",
            attribute.name
        ))
        .at(attribute.value.span)
}

/// An argument's expression.
pub(super) fn expr(body: &Body, name: &str) -> Option<Expr> {
    body.attribute(name).map(|attribute| attribute.value.clone())
}

/// An argument that must be there.
pub(super) fn required(block: &Block, name: &str, diagnostics: &mut Diagnostics) -> Option<Expr> {
    let found = expr(&block.body, name);
    if found.is_none() {
        diagnostics.push(missing_argument(block, name));
    }
    found
}

pub(super) fn missing_argument(block: &Block, name: &str) -> Diagnostic {
    Diagnostic::error("missing-argument", "Missing required argument")
        .detail(eco_format!("The block `{}` needs the argument `{name}`.", block.kind))
        .at(block.header_span)
        .help(eco_format!("Add `{name} = …`."))
}

/// The elements of an argument that must be written as a list.
pub(super) fn list(body: &Body, name: &str, diagnostics: &mut Diagnostics) -> Vec<Expr> {
    let Some(attribute) = body.attribute(name) else { return Vec::new() };
    match &attribute.value.without_parens().kind {
        ExprKind::Tuple(tuple) => tuple.elements.clone(),
        ExprKind::Error => Vec::new(),
        _ => {
            diagnostics.push(
                Diagnostic::error("not-a-list", "A list is required")
                    .detail(eco_format!("`{name}` is written as a list in brackets."))
                    .at(attribute.value.span)
                    .help(eco_format!("Write `{name} = [ … ]`.")),
            );
            Vec::new()
        }
    }
}

/// The elements of an argument that must be written as a list of references.
pub(super) fn references(body: &Body, name: &str, diagnostics: &mut Diagnostics) -> Vec<Expr> {
    let mut found = list(body, name, diagnostics);
    found.retain_mut(|element| match &element.kind {
        ExprKind::Traversal(_) => true,
        ExprKind::Error => false,
        ExprKind::String(text) if is_reference(text) => {
            diagnostics.push(quoted("Quoted references are deprecated", text, element.span));
            let origin = Origin::at(element.span.source, element.span.start + 1);
            *element = parse_expression(&origin, &text.clone(), Dialect::Terraform).tree;
            true
        }
        _ => {
            diagnostics.push(
                Diagnostic::error("not-a-reference", "A reference is required")
                    .detail(eco_format!("`{name}` lists references such as `terraform_data.example`, and nothing that has to be evaluated."))
                    .at(element.span),
            );
            false
        }
    });
    found
}

/// Whether a text is a reference in the form that Terraform 0.11 wanted in quotes: names and dots.
fn is_reference(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_name)
}

/// Says that something stands in quotes that should not.
pub(super) fn quoted(summary: &'static str, text: &str, span: Span) -> Diagnostic {
    Diagnostic::warning("quoted-reference", summary)
        .detail("Early versions of Terraform wanted quotes here; they mean nothing any more.")
        .at(span)
        .help(eco_format!("Write `{text}`."))
        .suggest(span, text, true)
}

const CONDITION: Shape =
    Shape { what: "a condition block", attributes: &["condition", "error_message"], blocks: &[] };

/// The conditions that stand in blocks of a kind.
pub(super) fn conditions(body: &Body, kind: &str, diagnostics: &mut Diagnostics) -> Vec<Condition> {
    body.blocks_of(kind).filter_map(|block| condition(block, diagnostics)).collect()
}

fn condition(block: &Block, diagnostics: &mut Diagnostics) -> Option<Condition> {
    check_labels(block, &[], diagnostics);
    check_shape(&block.body, &CONDITION, diagnostics);
    let condition = required(block, "condition", diagnostics);
    let message = required(block, "error_message", diagnostics);
    Some(Condition { condition: condition?, message: message?, span: block.header_span })
}

/// The only nested block of a kind; others are reported.
pub(super) fn only_block<'a>(
    body: &'a Body,
    kind: &'a str,
    diagnostics: &mut Diagnostics,
) -> Option<&'a Arc<Block>> {
    let mut blocks = body.blocks_of(kind);
    let first = blocks.next()?;
    for block in blocks {
        diagnostics.push(
            Diagnostic::error("duplicate-block", eco_format!("Duplicate {kind} block"))
                .detail(eco_format!("Only one `{kind}` block may be here."))
                .label(block.header_span, "again here")
                .label(first.header_span, "first here"),
        );
    }
    Some(first)
}

/// The block without the arguments and nested blocks of these names; what stands in a block `_` is taken out of it, so
/// that arguments of a provider may have any name.
pub(super) fn without(block: &Arc<Block>, attributes: &[&str], blocks: &[&str]) -> Arc<Block> {
    let meta = |item: &Item| match item {
        Item::Attribute(attribute) => attributes.contains(&attribute.name.as_str()),
        Item::Block(nested) => blocks.contains(&nested.kind.as_str()) || nested.kind.as_str() == "_",
        Item::Error(_) => false,
    };
    if !block.body.items.iter().any(meta) {
        return block.clone();
    }
    let mut items: Vec<Item> = block.body.items.iter().filter(|item| !meta(item)).cloned().collect();
    for escaped in block.body.blocks_of("_") {
        items.extend(escaped.body.items.iter().cloned());
    }
    let body = Body { items, span: block.body.span };
    Arc::new(Block { body, ..(**block).clone() })
}

/// That something is declared twice.
pub(crate) fn duplicate(what: &str, name: &str, again: Span, first: Span) -> Diagnostic {
    Diagnostic::error("duplicate-declaration", eco_format!("Duplicate {what}"))
        .detail(eco_format!(
            "The {what} `{name}` is declared twice in this module; names are unique in a module."
        ))
        .label(again, "again here")
        .label(first, "first here")
        .help("Rename or remove one of them.")
}
