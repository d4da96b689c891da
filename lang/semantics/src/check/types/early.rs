//! What must be known before applying: which instances there are.
//!
//! `count`, `enabled` and the keys of `for_each` need [`Phase::Plan`]; the values of `for_each` may come later. Whether
//! an attribute that the provider chooses is recorded already does not count: a configuration has to work for the first
//! time too. In Terraform's language nothing of this is said before planning.

use ecow::{EcoString, eco_format};
use plumb_model::Diagnostic;
use plumb_syntax::tree::{Expr, ExprKind, Traversal};

use super::Typer;
use super::expr::{Infer, Place};
use super::ty::{Kind, Phase, Ty};
use crate::program::ModuleId;
use crate::reasons::{self, Lateness};

/// Which argument it is that must be known when planning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Count,
    ForEach,
    Enabled,
}

impl Typer<'_> {
    /// Reports an argument that is known only after apply.
    pub(super) fn early(&mut self, place: &Place, expr: &Expr, ty: &Ty, wanted: Wanted) {
        if ty.deepest() == Phase::Apply && !ty.is_open() {
            self.too_late(place, expr, wanted);
        }
    }

    /// Reports keys of a `for_each` that are known only after apply.
    pub(super) fn early_keys(&mut self, place: &Place, expr: &Expr, ty: &Ty) {
        let late = match &ty.kind {
            Kind::Error => false,
            // The elements of a set are its keys.
            Kind::Set(_) => ty.deepest() == Phase::Apply,
            _ => ty.phase == Phase::Apply,
        };
        if late {
            self.too_late(place, expr, Wanted::ForEach);
        }
    }

    fn too_late(&mut self, place: &Place, expr: &Expr, wanted: Wanted) {
        if !self.is_native(place.module) {
            return;
        }
        let way = {
            let lateness = |module: ModuleId, traversal: &Traversal| self.lateness(module, traversal);
            reasons::way(self.program, place.module, expr, &lateness)
        };
        let (code, name, detail) = match wanted {
            Wanted::ForEach => (
                "unknown-for-each",
                "for_each",
                "The keys of `for_each` are known only after apply, so it cannot be said which instances there are.",
            ),
            Wanted::Count => (
                "unknown-count",
                "count",
                "`count` is known only after apply, so it cannot be said how many instances there are.",
            ),
            Wanted::Enabled => (
                "unknown-enabled",
                "enabled",
                "`enabled` is known only after apply, so it cannot be said whether there is an instance.",
            ),
        };
        let help: EcoString = match (wanted, way.keyed()) {
            (Wanted::ForEach, Some(keyed)) => {
                eco_format!("Key the map by something you write: `{keyed}`. Values may be known later.")
            }
            (Wanted::ForEach, None) => {
                "Key the map by something you write; values may be known later.".into()
            }
            _ => "Decide by a value that you write, such as a variable.".into(),
        };
        let diagnostic = Diagnostic::error(code, eco_format!("Invalid {name} argument")).detail(detail);
        let diagnostic = match reasons::is_reference(expr) {
            true => diagnostic,
            false => diagnostic.label(expr.span, "has to be known when planning"),
        };
        let diagnostic = match way.links.is_empty() {
            true => diagnostic.at(expr.span),
            false => way.explain(diagnostic, name),
        };
        self.report(place, diagnostic.help(help));
    }

    fn lateness(&self, module: ModuleId, traversal: &Traversal) -> Lateness {
        let place = Place::module(module);
        let mut infer = Infer::new(self, &place);
        let expr = Expr::new(ExprKind::Traversal(std::sync::Arc::new(traversal.clone())), traversal.span);
        let ty = infer.infer(&expr);
        match (ty.phase, ty.deepest()) {
            (Phase::Apply, _) => Lateness::Wholly,
            (_, Phase::Apply) => Lateness::InPart,
            _ => Lateness::Not,
        }
    }
}
