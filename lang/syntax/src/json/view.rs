//! JSON values as attributes and blocks.

use std::sync::Arc;

use ecow::eco_format;
use plumb_model::{Diagnostic, Diagnostics, Span};

use super::{JsonString, Object, Property, Value, ValueKind};
use crate::parse::{parse_expression, parse_template};
use crate::tree::{BlockLabel, Dialect, Expr, ExprKind, ObjectEntry, ObjectKey, Tuple};

/// A block in JSON: its labels, and its body as an object.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonBlock<'a> {
    /// The labels, from the names of the properties on the way.
    pub labels: Vec<BlockLabel>,
    /// What is in it.
    pub body: &'a Object,
    /// The place of the last label, or of the name of the block's kind; what messages about the whole block point at.
    pub header_span: Span,
    /// The place of the body.
    pub span: Span,
}

impl Value {
    /// The value of an attribute: strings, also as keys of objects, are templates.
    pub fn to_expr(&self, dialect: Dialect, diagnostics: &mut Diagnostics) -> Expr {
        self.convert(&mut |string, span| {
            let parsed = parse_template(&string.origin, &string.text, dialect);
            diagnostics.extend(parsed.diagnostics);
            Expr::new(parsed.tree.kind, span)
        })
    }

    /// The value of an attribute where only a literal may stand: strings are texts as they are.
    pub fn to_literal(&self) -> Expr {
        self.convert(&mut |string, span| Expr::new(ExprKind::String(string.text.clone()), span))
    }

    /// The value of an attribute that is understood without evaluating it, such as a type or an element of
    /// `depends_on`: each string holds an expression.
    pub fn to_static_expr(&self, dialect: Dialect, diagnostics: &mut Diagnostics) -> Expr {
        self.convert(&mut |string, _| {
            let parsed = parse_expression(&string.origin, &string.text, dialect);
            diagnostics.extend(parsed.diagnostics);
            parsed.tree
        })
    }

    fn convert(&self, string: &mut dyn FnMut(&JsonString, Span) -> Expr) -> Expr {
        let kind = match &self.kind {
            ValueKind::Null => ExprKind::Null,
            ValueKind::Bool(value) => ExprKind::Bool(*value),
            ValueKind::Number(number) => ExprKind::Number(number.clone()),
            ValueKind::String(text) => return string(text, self.span),
            ValueKind::Array(values) => {
                let elements = values.iter().map(|value| value.convert(string)).collect();
                ExprKind::Tuple(Arc::new(Tuple { elements }))
            }
            ValueKind::Object(object) => {
                let mut entries = Vec::with_capacity(object.properties.len());
                for property in &object.properties {
                    let key = ObjectKey::Expr(string(&property.name, property.name_span));
                    entries.push(ObjectEntry::Pair { key, value: property.value.convert(string) });
                }
                ExprKind::Object(Arc::new(crate::tree::Object { entries }))
            }
            ValueKind::Error => ExprKind::Error,
        };
        Expr::new(kind, self.span)
    }

    /// The body, or the bodies, that a value at the top or at the place of a body stands for: an object, or an array of
    /// objects.
    pub fn bodies<'a>(&'a self, diagnostics: &mut Diagnostics) -> Vec<(&'a Object, Span)> {
        match &self.kind {
            ValueKind::Object(object) => vec![(object, self.span)],
            ValueKind::Array(values) => values.iter().flat_map(|value| value.bodies(diagnostics)).collect(),
            ValueKind::Null | ValueKind::Error => Vec::new(),
            other => {
                diagnostics.push(wrong_kind(other, self.span, "an object or an array of objects"));
                Vec::new()
            }
        }
    }
}

impl Object {
    /// The properties that are not comments, in the order in which they are written.
    pub fn settings(&self) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(|property| property.name.text != "//")
    }

    /// The properties of that name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |property| property.name.text == name)
    }

    /// The property of that name as an attribute. Stating it twice is an error.
    pub fn attribute(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<&Property> {
        let mut found = self.properties.iter().filter(|property| property.name.text == name);
        let first = found.next()?;
        for again in found {
            diagnostics.push(
                Diagnostic::error("duplicate-attribute", "Duplicate attribute definition")
                    .detail(eco_format!("The argument `{name}` has been set before in this object."))
                    .label(again.name_span, "set again here")
                    .label(first.name_span, "first set here")
                    .help("Remove one of them."),
            );
        }
        Some(first)
    }

    /// The blocks of a kind that has so many labels: one level of objects for each label, where an array stands for
    /// several objects. Properties that repeat accumulate.
    pub fn blocks<'a>(
        &'a self,
        kind: &'a str,
        labels: usize,
        diagnostics: &mut Diagnostics,
    ) -> Vec<JsonBlock<'a>> {
        let mut blocks = Vec::new();
        for property in self.named(kind) {
            collect(&property.value, labels, &mut Vec::new(), property.name_span, &mut blocks, diagnostics);
        }
        blocks
    }
}

fn collect<'a>(
    value: &'a Value,
    missing: usize,
    labels: &mut Vec<BlockLabel>,
    header_span: Span,
    blocks: &mut Vec<JsonBlock<'a>>,
    diagnostics: &mut Diagnostics,
) {
    for (object, span) in value.bodies(diagnostics) {
        if missing == 0 {
            blocks.push(JsonBlock { labels: labels.clone(), body: object, header_span, span });
            continue;
        }
        for property in object.settings() {
            let (text, span) = (property.name.text.clone(), property.name_span);
            labels.push(BlockLabel { text, span, quoted: true });
            collect(&property.value, missing - 1, labels, span, blocks, diagnostics);
            labels.pop();
        }
    }
}

fn wrong_kind(found: &ValueKind, span: Span, wanted: &str) -> Diagnostic {
    Diagnostic::error("wrong-json-type", "Incorrect JSON value type")
        .detail(eco_format!("Found {}, wanted {wanted}.", found.name()))
        .at(span)
        .help("Blocks are objects in JSON, with one level of objects for each label.")
}
