//! Override files: what they say takes the place of what the other files say.
//!
//! Works on syntax, before anything is understood: the result is a list of blocks as if written so at once. Attributes
//! replace attributes; nested blocks replace all nested blocks of their type, but `lifecycle` is merged argument by
//! argument; entries of `locals` and of `required_providers` replace those of the same name.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::{Diagnostic, Diagnostics};
use plumb_syntax::tree::{Block, Body, Item};

/// Applies override blocks to the blocks of a module.
pub(super) fn apply(blocks: &mut Vec<Arc<Block>>, overrides: Vec<Arc<Block>>, diagnostics: &mut Diagnostics) {
    let mut places: HashMap<EcoString, usize> = HashMap::new();
    for (index, block) in blocks.iter().enumerate() {
        places.entry(identity(block)).or_insert(index);
    }
    for over in overrides {
        match over.kind.as_str() {
            "locals" => override_locals(blocks, &over, diagnostics),
            "terraform" | "language" => override_settings(blocks, &over),
            "moved" | "import" | "removed" | "check" | "types" | "function" => {
                diagnostics.push(
                    Diagnostic::error("cannot-override", "Block not allowed in an override file")
                        .detail(eco_format!("A `{}` block has nothing to override.", over.kind))
                        .at(over.header_span)
                        .help("Move the block to a file that is no override file."),
                );
            }
            _ => match places.get(&identity(&over)) {
                Some(index) => blocks[*index] = Arc::new(merged(&blocks[*index], &over, diagnostics)),
                None => {
                    let name = describe(&over);
                    diagnostics.push(
                        Diagnostic::error(
                            "nothing-to-override",
                            eco_format!("Missing {} to override", word(&over)),
                        )
                        .detail(eco_format!(
                            "There is no {name} in the other files that this could override."
                        ))
                        .at(over.header_span)
                        .help("Declare it in a file that is no override file, or remove this block."),
                    );
                }
            },
        }
    }
}

fn word(block: &Block) -> &str {
    match block.kind.as_str() {
        "data" => "data resource",
        "module" => "module call",
        "provider" => "provider configuration",
        kind => kind,
    }
}

fn describe(block: &Block) -> String {
    let labels: Vec<&str> = block.labels.iter().map(|label| label.text.as_str()).collect();
    format!("{} `{}`", word(block), labels.join("."))
}

/// What makes two blocks declarations of the same thing.
fn identity(block: &Block) -> EcoString {
    let mut identity = block.kind.name.clone();
    for label in &block.labels {
        identity.push('\0');
        identity.push_str(&label.text);
    }
    if block.kind.as_str() == "provider" {
        let alias = block.body.attribute("alias").and_then(|alias| alias.value.as_string());
        identity.push('\0');
        identity.push_str(alias.map_or("", EcoString::as_str));
    }
    identity
}

/// The block with what the override says in the place of what it says.
fn merged(block: &Block, over: &Block, diagnostics: &mut Diagnostics) -> Block {
    if let Some(depends_on) = over.body.attribute("depends_on") {
        diagnostics.push(
            Diagnostic::error("cannot-override", "Unsupported override")
                .detail("`depends_on` cannot be overridden.")
                .at(depends_on.name.span),
        );
    }
    let lifecycle =
        if matches!(over.kind.as_str(), "resource" | "data" | "ephemeral") { "lifecycle" } else { "" };
    let body = merged_body(&block.body, &over.body, lifecycle, diagnostics);
    Block { body, ..block.clone() }
}

fn merged_body(base: &Body, over: &Body, merge_within: &str, diagnostics: &mut Diagnostics) -> Body {
    let attributes: BTreeSet<&str> = over.attributes().map(|attribute| attribute.name.as_str()).collect();
    let blocks: BTreeSet<&str> = over.blocks().map(|block| produced(block)).collect();
    let mut items: Vec<Item> = Vec::with_capacity(base.items.len() + over.items.len());
    for item in &base.items {
        match item {
            Item::Attribute(attribute) if attributes.contains(attribute.name.as_str()) => {}
            Item::Block(block) if block.kind.as_str() == merge_within && blocks.contains(merge_within) => {
                let over =
                    over.blocks().find(|over| over.kind.as_str() == merge_within).expect("it is among them");
                items.push(Item::Block(Arc::new(merged(block, over, diagnostics))));
            }
            Item::Block(block) if blocks.contains(produced(block)) => {}
            item => items.push(item.clone()),
        }
    }
    let had_lifecycle = base.blocks().any(|block| block.kind.as_str() == merge_within);
    let added = over.items.iter().filter(
        |item| !matches!(item, Item::Block(block) if had_lifecycle && block.kind.as_str() == merge_within),
    );
    items.extend(added.cloned());
    Body { items, span: base.span }
}

/// The kind of block that a block stands for.
fn produced(block: &Block) -> &str {
    match (block.kind.as_str(), block.labels.first()) {
        ("dynamic", Some(label)) => label.text.as_str(),
        (kind, _) => kind,
    }
}

fn override_locals(blocks: &mut [Arc<Block>], over: &Block, diagnostics: &mut Diagnostics) {
    for attribute in over.body.attributes() {
        let name = attribute.name.as_str();
        let declared =
            |block: &&mut Arc<Block>| block.kind.as_str() == "locals" && block.body.attribute(name).is_some();
        match blocks.iter_mut().find(declared) {
            Some(block) => {
                let mut changed = (**block).clone();
                for item in &mut changed.body.items {
                    if matches!(item, Item::Attribute(found) if found.name.as_str() == name) {
                        *item = Item::Attribute(attribute.clone());
                    }
                }
                *block = Arc::new(changed);
            }
            None => diagnostics.push(
                Diagnostic::error("nothing-to-override", "Missing local value to override")
                    .detail(eco_format!(
                        "There is no local value `{name}` in the other files that this could override."
                    ))
                    .at(attribute.name.span),
            ),
        }
    }
}

/// Settings: an override's argument or block takes the place of all others of its kind.
fn override_settings(blocks: &mut Vec<Arc<Block>>, over: &Arc<Block>) {
    for block in blocks.iter_mut().filter(|block| block.kind.as_str() == over.kind.as_str()) {
        let mut changed = (**block).clone();
        changed.body.items.retain_mut(|item| match item {
            Item::Attribute(attribute) => over.body.attribute(&attribute.name.name).is_none(),
            Item::Block(nested) if nested.kind.as_str() == "required_providers" => {
                let mut kept = (**nested).clone();
                kept.body.items.retain(|item| {
                    !matches!(item, Item::Attribute(entry)
                        if over.body.blocks_of("required_providers").any(|o| o.body.attribute(&entry.name.name).is_some()))
                });
                *nested = Arc::new(kept);
                true
            }
            Item::Block(nested) if matches!(nested.kind.as_str(), "backend" | "cloud") => {
                over.body.blocks().all(|o| !matches!(o.kind.as_str(), "backend" | "cloud"))
            }
            Item::Block(nested) if nested.kind.as_str() == "limits" => {
                let of = |block: &Block| block.labels.first().map(|label| label.text.clone());
                over.body.blocks_of("limits").all(|other| of(other) != of(nested))
            }
            _ => true,
        });
        *block = Arc::new(changed);
    }
    blocks.push(over.clone());
}
