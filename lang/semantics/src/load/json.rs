//! Files in JSON as if they were written in the native syntax.
//!
//! What a property is, an attribute or blocks, and how its strings are read, depends on where it stands: that is the
//! table in [`Place`]. In the body of a resource the provider's schema would be needed to tell its nested blocks from
//! attributes; they are all read as attributes, and decoding by schema takes attributes for blocks.

use std::collections::HashSet;
use std::sync::Arc;

use plumb_model::{Diagnostics, Span};
use plumb_syntax::Dialect;
use plumb_syntax::json::{JsonBlock, Object, Property, Value};
use plumb_syntax::tree::{Attribute, Block, Body, Ident, Item};

/// What an object stands for.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    Resource,
    Action,
    Lifecycle,
    Trigger,
    Provisioner,
    Dynamic,
    Content,
    Variable,
    Output,
    Module,
    Terraform,
    Providers,
    Check,
    Removed,
    Addresses,
    Import,
    Literal,
    Plain,
}

/// How the strings of an attribute are read.
enum Reading {
    Template,
    Static,
    Literal,
}

impl Place {
    /// The labels of a nested block of that name and what its body is; none for attributes.
    fn nested(self, name: &str) -> Option<(usize, Place)> {
        match (self, name) {
            (Place::Top, "resource" | "data" | "ephemeral") => Some((2, Place::Resource)),
            (Place::Top, "action") => Some((2, Place::Action)),
            (Place::Top, "variable") => Some((1, Place::Variable)),
            (Place::Top, "output") => Some((1, Place::Output)),
            (Place::Top, "module") => Some((1, Place::Module)),
            (Place::Top, "provider") => Some((1, Place::Content)),
            (Place::Top, "locals") => Some((0, Place::Plain)),
            (Place::Top, "terraform") => Some((0, Place::Terraform)),
            (Place::Top, "check") => Some((1, Place::Check)),
            (Place::Top, "moved") => Some((0, Place::Addresses)),
            (Place::Top, "removed") => Some((0, Place::Removed)),
            (Place::Top, "import") => Some((0, Place::Import)),
            // Anything else at the top is no block that is known; it is reported as such.
            (Place::Top, _) => Some((0, Place::Plain)),
            (Place::Resource | Place::Module | Place::Removed, "lifecycle") => Some((0, Place::Lifecycle)),
            (Place::Resource | Place::Removed, "provisioner") => Some((1, Place::Provisioner)),
            (Place::Resource | Place::Removed | Place::Provisioner, "connection") => Some((0, Place::Plain)),
            (Place::Resource | Place::Content, "dynamic") => Some((1, Place::Dynamic)),
            (Place::Dynamic, "content") => Some((0, Place::Content)),
            // What is in it is the provider's, whatever its names are.
            (Place::Resource | Place::Content | Place::Provisioner, "_") => Some((0, Place::Content)),
            (Place::Lifecycle, "precondition" | "postcondition") => Some((0, Place::Plain)),
            (Place::Lifecycle, "action_trigger") => Some((0, Place::Trigger)),
            (Place::Action, "config") => Some((0, Place::Content)),
            (Place::Variable, "validation") | (Place::Output, "precondition") => Some((0, Place::Plain)),
            (Place::Terraform, "required_providers") => Some((0, Place::Providers)),
            (Place::Terraform, "backend" | "provider_meta") => Some((1, Place::Literal)),
            (Place::Terraform, "cloud" | "encryption") => Some((0, Place::Literal)),
            (Place::Check, "data") => Some((2, Place::Resource)),
            (Place::Check, "assert") => Some((0, Place::Plain)),
            _ => None,
        }
    }

    fn reading(self, name: &str) -> Reading {
        match (self, name) {
            (Place::Literal, _)
            | (Place::Variable, "default" | "description" | "deprecated")
            | (Place::Output, "description" | "deprecated")
            | (Place::Module, "source" | "version")
            | (Place::Terraform, "required_version") => Reading::Literal,
            (Place::Addresses, _)
            | (Place::Import, "to" | "provider")
            | (Place::Removed, "from")
            | (Place::Variable | Place::Output, "type")
            | (Place::Resource | Place::Module | Place::Output, "depends_on")
            | (Place::Resource | Place::Action, "provider")
            | (Place::Trigger, "events" | "actions")
            | (Place::Module, "providers")
            | (Place::Lifecycle, "ignore_changes" | "replace_triggered_by")
            | (Place::Provisioner, "when" | "on_failure")
            | (Place::Dynamic, "iterator") => Reading::Static,
            _ => Reading::Template,
        }
    }
}

/// The blocks of a file.
pub(super) fn items(value: &Value, dialect: Dialect, diagnostics: &mut Diagnostics) -> Vec<Item> {
    let mut reader = Reader { dialect, diagnostics };
    let bodies = value.bodies(reader.diagnostics);
    bodies.into_iter().flat_map(|(object, _)| reader.items(object, Place::Top)).collect()
}

struct Reader<'a> {
    dialect: Dialect,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn items(&mut self, object: &Object, place: Place) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::with_capacity(object.properties.len());
        let mut done: HashSet<&str> = HashSet::new();
        for property in object.settings() {
            let name = property.name.text.as_str();
            if !done.insert(name) {
                // Blocks accumulate; for an attribute this reports that it is there twice.
                if place.nested(name).is_none() {
                    object.attribute(name, self.diagnostics);
                }
                continue;
            }
            match place.nested(name) {
                Some((labels, inner)) => {
                    for block in object.blocks(name, labels, self.diagnostics) {
                        items.push(self.block(property, &block, inner));
                    }
                }
                None => items.push(self.attribute(property, place)),
            }
        }
        items
    }

    fn block(&mut self, property: &Property, block: &JsonBlock<'_>, place: Place) -> Item {
        Item::Block(Arc::new(Block {
            kind: ident(property),
            labels: block.labels.clone(),
            body: Body { items: self.items(block.body, place), span: block.span },
            header_span: block.header_span,
            span: block.span,
        }))
    }

    fn attribute(&mut self, property: &Property, place: Place) -> Item {
        let value = match place.reading(&property.name.text) {
            // A configuration's name in `required_providers` is a reference; the rest are texts.
            _ if place == Place::Providers => self.requirement(&property.value),
            Reading::Template => property.value.to_expr(self.dialect, self.diagnostics),
            Reading::Static => property.value.to_static_expr(self.dialect, self.diagnostics),
            Reading::Literal => property.value.to_literal(),
        };
        let span = Span::to(property.name_span, property.value.span);
        Item::Attribute(Attribute { name: ident(property), value, span })
    }

    fn requirement(&mut self, value: &Value) -> plumb_syntax::tree::Expr {
        use plumb_syntax::tree::{ExprKind, ObjectEntry, ObjectKey};
        let mut expr = value.to_literal();
        let plumb_syntax::json::ValueKind::Object(object) = &value.kind else { return expr };
        let aliases = object.named("configuration_aliases").next();
        if let (Some(aliases), ExprKind::Object(entries)) = (aliases, &mut expr.kind) {
            let written = aliases.value.to_static_expr(self.dialect, self.diagnostics);
            for entry in &mut Arc::make_mut(entries).entries {
                if let ObjectEntry::Pair { key: ObjectKey::Expr(key), value } = entry
                    && key.as_string().is_some_and(|name| name == "configuration_aliases")
                {
                    *value = written.clone();
                }
            }
        }
        expr
    }
}

fn ident(property: &Property) -> Ident {
    Ident { name: property.name.text.clone(), span: property.name_span }
}
