//! Moves a tree to another place in its text.
//!
//! Trees that nobody else holds are changed where they are; of others a copy is made.

use std::sync::Arc;

use plumb_model::{SourceId, Span};

use crate::tree::{
    AccessStep, Block, Expr, ExprKind, Ident, Item, ObjectEntry, ObjectKey, TemplatePart, TraversalStep,
};

/// To which source, and by how many bytes.
#[derive(Clone, Copy)]
pub(super) struct Shift {
    pub source: SourceId,
    pub offset: i64,
}

impl Shift {
    fn span(self, span: &mut Span) {
        let moved = |at: u32| (i64::from(at) + self.offset) as u32;
        *span = Span { source: self.source, start: moved(span.start), end: moved(span.end) };
    }

    fn ident(self, ident: &mut Ident) {
        self.span(&mut ident.span);
    }

    fn exprs<'a>(self, exprs: impl IntoIterator<Item = &'a mut Expr>) {
        exprs.into_iter().for_each(|inner| expr(inner, self));
    }
}

/// Moves a block and all that is in it.
pub(super) fn block(block: &mut Arc<Block>, by: Shift) {
    let block = Arc::make_mut(block);
    by.ident(&mut block.kind);
    block.labels.iter_mut().for_each(|label| by.span(&mut label.span));
    by.span(&mut block.header_span);
    by.span(&mut block.span);
    by.span(&mut block.body.span);
    for item in &mut block.body.items {
        match item {
            Item::Attribute(attribute) => {
                by.ident(&mut attribute.name);
                expr(&mut attribute.value, by);
                by.span(&mut attribute.span);
            }
            Item::Block(inner) => self::block(inner, by),
            Item::Error(span) => by.span(span),
        }
    }
}

fn expr(it: &mut Expr, by: Shift) {
    by.span(&mut it.span);
    match &mut it.kind {
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Error => {}
        ExprKind::Template(template) => parts(&mut Arc::make_mut(template).parts, by),
        ExprKind::Traversal(traversal) => {
            let traversal = Arc::make_mut(traversal);
            by.ident(&mut traversal.root);
            by.span(&mut traversal.span);
            for step in &mut traversal.steps {
                match step {
                    TraversalStep::Attribute(name) => by.ident(name),
                    TraversalStep::Index(_, span) | TraversalStep::Key(_, span) => by.span(span),
                }
            }
        }
        ExprKind::Access(access) => {
            let access = Arc::make_mut(access);
            expr(&mut access.base, by);
            steps(&mut access.steps, by);
        }
        ExprKind::Call(call) => {
            let call = Arc::make_mut(call);
            call.namespaces.iter_mut().for_each(|name| by.ident(name));
            by.ident(&mut call.name);
            by.exprs(&mut call.arguments);
            call.expand_final.iter_mut().for_each(|span| by.span(span));
            by.span(&mut call.name_span);
            by.span(&mut call.arguments_span);
        }
        ExprKind::Qualified(qualified) => {
            let qualified = Arc::make_mut(qualified);
            qualified.namespaces.iter_mut().for_each(|name| by.ident(name));
            by.ident(&mut qualified.name);
            by.span(&mut qualified.span);
        }
        ExprKind::Tuple(tuple) => by.exprs(&mut Arc::make_mut(tuple).elements),
        ExprKind::Object(object) => {
            for entry in &mut Arc::make_mut(object).entries {
                match entry {
                    ObjectEntry::Pair { key, value } => {
                        match key {
                            ObjectKey::Name(name) => by.ident(name),
                            ObjectKey::Expr(key) => expr(key, by),
                        }
                        expr(value, by);
                    }
                    ObjectEntry::Spread(value, span) => {
                        expr(value, by);
                        by.span(span);
                    }
                    ObjectEntry::Open(span) => by.span(span),
                }
            }
        }
        ExprKind::For(it) => {
            let it = Arc::make_mut(it);
            it.key.iter_mut().for_each(|name| by.ident(name));
            by.ident(&mut it.value);
            by.exprs([&mut it.collection, &mut it.result]);
            by.exprs(it.result_key.iter_mut().chain(&mut it.condition));
            it.grouping.iter_mut().for_each(|span| by.span(span));
        }
        ExprKind::Conditional(it) => {
            let it = Arc::make_mut(it);
            by.exprs([&mut it.condition, &mut it.then, &mut it.otherwise]);
        }
        ExprKind::Binary(it) => {
            let it = Arc::make_mut(it);
            by.span(&mut it.op_span);
            by.exprs([&mut it.left, &mut it.right]);
        }
        ExprKind::Unary(it) => {
            let it = Arc::make_mut(it);
            by.span(&mut it.op_span);
            expr(&mut it.operand, by);
        }
        ExprKind::Paren(inner) | ExprKind::Spread(inner) | ExprKind::Nullable(inner) => {
            expr(Arc::make_mut(inner), by);
        }
        ExprKind::Where(it) => {
            let it = Arc::make_mut(it);
            by.exprs([&mut it.base, &mut it.condition]);
        }
    }
}

fn steps(steps: &mut [AccessStep], by: Shift) {
    for step in steps {
        match step {
            AccessStep::Attribute { name, .. } => by.ident(name),
            AccessStep::Index { key, span, .. } => {
                expr(key, by);
                by.span(span);
            }
            AccessStep::Splat { each, span, .. } => {
                self::steps(each, by);
                by.span(span);
            }
        }
    }
}

fn parts(parts: &mut [TemplatePart], by: Shift) {
    for part in parts {
        match part {
            TemplatePart::Literal(_) => {}
            TemplatePart::Interpolation(value) => expr(value, by),
            TemplatePart::If(it) => {
                let it = Arc::make_mut(it);
                expr(&mut it.condition, by);
                self::parts(&mut it.then, by);
                self::parts(&mut it.otherwise, by);
                by.span(&mut it.span);
            }
            TemplatePart::For(it) => {
                let it = Arc::make_mut(it);
                it.key.iter_mut().for_each(|name| by.ident(name));
                by.ident(&mut it.value);
                expr(&mut it.collection, by);
                self::parts(&mut it.body, by);
                by.span(&mut it.span);
            }
        }
    }
}
