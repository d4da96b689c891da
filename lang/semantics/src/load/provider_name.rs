//! How a provider configuration is named: `aws`, `aws.west`, `aws.by_region[each.key]`.

use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::tree::{AccessStep, Expr, ExprKind, TraversalStep};

use super::blocks;
use crate::program::{ProviderKey, ProviderName};

/// Reads the name of a configuration, with an instance of it behind in brackets where it has several.
pub(super) fn provider_name(expr: &Expr, diagnostics: &mut Diagnostics) -> Option<ProviderName> {
    let name = |key: ProviderKey, instance| Some(ProviderName { key, instance, span: expr.span });
    let expr = expr.without_parens();
    if let Some(key) = plain(expr) {
        return name(key, None);
    }
    match &expr.kind {
        // A literal key is a step like others.
        ExprKind::Traversal(traversal) => {
            if let [TraversalStep::Attribute(alias), key] = traversal.steps.as_slice()
                && let Some(key) = literal(key)
            {
                let alias = Some(alias.name.clone());
                return name(ProviderKey { name: traversal.root.name.clone(), alias }, Some(key));
            }
        }
        ExprKind::Access(access) => {
            if let [AccessStep::Index { key, optional: false, .. }] = access.steps.as_slice()
                && let ExprKind::Traversal(_) = access.base.kind
                && let Some(base) = plain(&access.base).filter(|base| base.alias.is_some())
            {
                return name(base, Some(key.clone()));
            }
        }
        ExprKind::Error => return None,
        _ => {}
    }
    diagnostics.push(invalid(expr.span));
    None
}

/// Reads the name of a configuration where there are no instances to choose from: what a module calls it, or asks for.
pub(super) fn provider_key(expr: &Expr, diagnostics: &mut Diagnostics) -> Option<ProviderKey> {
    let name = provider_name(expr, diagnostics)?;
    if name.instance.is_none() {
        return Some(name.key);
    }
    diagnostics.push(
        Diagnostic::error("invalid-provider-reference", "Invalid provider configuration reference")
            .detail("Within a module, what its caller hands down is one configuration, so it has a name and no key.")
            .at(expr.span)
            .help("Write the name alone, such as `aws` or `aws.west`. The caller chooses: `providers = { aws = aws.by_region[\"…\"] }`."),
    );
    None
}

/// `aws` or `aws.west`; also as a text, as it was once written.
fn plain(expr: &Expr) -> Option<ProviderKey> {
    match &expr.kind {
        ExprKind::Traversal(traversal) => match traversal.steps.as_slice() {
            [] => Some(ProviderKey { name: traversal.root.name.clone(), alias: None }),
            [TraversalStep::Attribute(alias)] => {
                Some(ProviderKey { name: traversal.root.name.clone(), alias: Some(alias.name.clone()) })
            }
            _ => None,
        },
        ExprKind::String(text) => {
            let (name, alias) = match text.split_once('.') {
                Some((name, alias)) => (name, Some(EcoString::from(alias))),
                None => (text.as_str(), None),
            };
            blocks::is_name(name).then(|| ProviderKey { name: name.into(), alias })
        }
        _ => None,
    }
}

/// A literal key as the expression that it would be in brackets.
fn literal(key: &TraversalStep) -> Option<Expr> {
    Some(match key {
        TraversalStep::Key(key, span) => Expr::new(ExprKind::String(key.clone()), *span),
        TraversalStep::Index(number, span) => Expr::new(ExprKind::Number(number.clone()), *span),
        TraversalStep::Attribute(_) => return None,
    })
}

fn invalid(span: Span) -> Diagnostic {
    Diagnostic::error("invalid-provider-reference", "Invalid provider configuration reference")
        .detail("A provider configuration is named by the provider's local name, with its alias behind a dot if it has one, and the key of an instance behind that if it has `for_each`.")
        .at(span)
        .help("Write `provider = aws`, `provider = aws.west` or `provider = aws.by_region[each.key]`.")
}
