//! Which parts of objects are nested blocks: what a reader needs, beside the values, to see a change laid out as its author
//! wrote it. A plan carries this for its types, so that it can be shown where no schema is at hand.

use std::collections::BTreeMap;

use plumb_model::Block;
use plumb_model::address::{Mode, ProviderSource, Resource};
use serde::{Deserialize, Serialize};

/// The nested blocks of a block, by name; everything else in it is an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Layout(BTreeMap<String, Layout>);

impl Layout {
    /// The layout of a block.
    pub fn of(block: &Block) -> Layout {
        Layout(
            block.blocks.iter().map(|(name, nested)| (name.to_string(), Layout::of(&nested.block))).collect(),
        )
    }

    /// What is nested in the block of a name; none if that is no block.
    pub fn block(&self, name: &str) -> Option<&Layout> {
        self.0.get(name)
    }
}

/// The layouts of types that have nested blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Layouts(BTreeMap<String, Layout>);

impl Layouts {
    /// Takes in the layout of a type, if it has nested blocks.
    pub fn add(&mut self, source: &ProviderSource, resource: &Resource, block: &Block) {
        if !block.blocks.is_empty() {
            self.0.entry(key(source, resource)).or_insert_with(|| Layout::of(block));
        }
    }

    /// The layout of a type; none if it has no nested blocks.
    pub fn get(&self, source: &ProviderSource, resource: &Resource) -> Option<&Layout> {
        // Most plans have none, and a key has to be made for each question.
        if self.0.is_empty() { None } else { self.0.get(&key(source, resource)) }
    }

    /// Whether no type has nested blocks.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn key(source: &ProviderSource, resource: &Resource) -> String {
    match resource.mode {
        Mode::Managed => format!("{source} {}", resource.kind),
        mode => format!("{source} {mode}.{}", resource.kind),
    }
}
