//! `limits` blocks: how many calls a provider may get.
//!
//! ```hcl
//! language {
//!   limits "aws" {
//!     concurrency = 20
//!     per_second  = 50
//!
//!     resource "aws_route53_record" {
//!       concurrency = 2
//!       per_second  = 0.5
//!     }
//!   }
//! }
//! ```
//!
//! They stand in a block of the native language, so that they can never be mistaken for an argument of the provider.

use ecow::eco_format;
use indexmap::map::Entry;
use plumb_model::{Diagnostic, Diagnostics};
use plumb_syntax::tree::{Attribute, Block, Body, ExprKind};

use super::blocks::{Shape, check_labels, check_shape, duplicate};
use crate::program::{Limits, ProviderLimits, Settings};

const OF_PROVIDER: Shape =
    Shape { what: "a `limits` block", attributes: &["concurrency", "per_second"], blocks: &["resource"] };
const OF_TYPE: Shape =
    Shape { what: "a `resource` block of `limits`", attributes: &["concurrency", "per_second"], blocks: &[] };

/// Reads a `limits` block.
pub(super) fn read(settings: &mut Settings, block: &Block, found: &mut Diagnostics) {
    if !check_labels(block, &["provider"], found) {
        return;
    }
    check_shape(&block.body, &OF_PROVIDER, found);
    let mut limits =
        ProviderLimits { all: of(&block.body, found), types: Default::default(), span: block.header_span };
    for nested in block.body.blocks_of("resource") {
        if check_labels(nested, &["type"], found) {
            check_shape(&nested.body, &OF_TYPE, found);
            limits.types.insert(nested.labels[0].text.clone(), of(&nested.body, found));
        }
    }
    let name = &block.labels[0].text;
    match settings.limits.entry(name.clone()) {
        Entry::Occupied(first) => {
            found.push(duplicate("limits block", name, block.header_span, first.get().span));
        }
        Entry::Vacant(place) => drop(place.insert(limits)),
    }
}

fn of(body: &Body, found: &mut Diagnostics) -> Limits {
    let mut number = |name: &str| {
        let attribute = body.attribute(name)?;
        match &attribute.value.without_parens().kind {
            ExprKind::Number(number) if !number.is_negative() && !number.is_zero() => Some(number.clone()),
            ExprKind::Null | ExprKind::Error => None,
            _ => {
                found.push(not_a_limit(attribute));
                None
            }
        }
    };
    let concurrency = number("concurrency").map(|number| {
        // Whoever writes half a call or more than anybody makes means the nearest that there is.
        u32::try_from(number.to_i64().unwrap_or(1).max(1)).unwrap_or(u32::MAX)
    });
    Limits { concurrency, per_second: number("per_second").map(|number| number.to_f64()) }
}

fn not_a_limit(attribute: &Attribute) -> Diagnostic {
    Diagnostic::error("invalid-limit", "Invalid limit")
        .detail(eco_format!("`{}` must be a number above zero, written out.", attribute.name))
        .at(attribute.value.span)
        .help(eco_format!("Write for example `{} = 10`.", attribute.name))
}
