//! Attributes, indices and splats of static types.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::diagnostic::nearest;
use plumb_model::{Diagnostic, Span, Type, Value};
use plumb_syntax::tree::{Access, AccessStep, Ident, TraversalStep};

use super::expr::{Infer, capitalized, literal_text};
use super::ty::{Field, Kind, Ty};

impl Infer<'_, '_> {
    pub(super) fn access(&mut self, access: &Access) -> Ty {
        let base = self.infer(&access.base);
        self.steps(base, &access.steps)
    }

    pub(super) fn literal_steps(&mut self, mut ty: Ty, steps: &[TraversalStep]) -> Ty {
        for step in steps {
            ty = match step {
                TraversalStep::Attribute(name) => self.attribute(&ty, name, false),
                TraversalStep::Index(number, span) => {
                    let key = Ty::new(Kind::Literal(Value::Number(number.clone())));
                    self.index(&ty, &key, *span, false)
                }
                TraversalStep::Key(key, span) => self.index(&ty, &Ty::text(key.clone()), *span, false),
            };
        }
        ty
    }

    fn steps(&mut self, mut ty: Ty, steps: &[AccessStep]) -> Ty {
        let mut perhaps_nothing = false;
        for step in steps {
            ty = match step {
                AccessStep::Attribute { name, optional } => {
                    perhaps_nothing |= optional;
                    self.attribute(&ty, name, *optional)
                }
                AccessStep::Index { key, optional, span } => {
                    perhaps_nothing |= optional;
                    let key = self.infer(key);
                    self.index(&ty, &key, *span, *optional)
                }
                AccessStep::Splat { each, .. } => self.splat(&ty, each),
            };
        }
        // What may be null is no literal any more.
        if perhaps_nothing { ty.widened() } else { ty }
    }

    fn attribute(&mut self, ty: &Ty, name: &Ident, optional: bool) -> Ty {
        let found = match &ty.kind {
            Kind::Error => return Ty::error(),
            Kind::Any => Ty::any(ty.phase),
            Kind::Null if optional => Ty::new(Kind::Null),
            Kind::Null => {
                return self.wrong(
                    Diagnostic::error("attribute-of-null", "Attempt to get attribute from null value")
                        .detail(eco_format!("The value is null, so it has no attribute `{name}`."))
                        .at(name.span)
                        .help("Test for null first, or write `?.`, which gives null then."),
                );
            }
            Kind::Map(part) | Kind::Dictionary(part) => (**part).clone(),
            Kind::Object(fields) => match fields.get(&name.name) {
                Some(Field { ty, sometimes: false }) => ty.clone(),
                Some(Field { ty, sometimes: true }) if optional => ty.clone(),
                Some(Field { sometimes: true, .. }) => return self.only_sometimes(name),
                None => return self.no_such_attribute(name, fields),
            },
            Kind::List(part) | Kind::Set(part) | Kind::Sequence(part) => {
                let found = capitalized(&ty.name());
                let diagnostic = unsupported(name, &eco_format!("{found} has no attributes."));
                let has_it = matches!(&part.kind, Kind::Object(fields) if fields.contains_key(&name.name));
                return self.wrong(match has_it {
                    true => diagnostic.help(eco_format!(
                        "Its elements have: name one (`[0].{name}`) or ask all of them (`[*].{name}`)."
                    )),
                    false => diagnostic,
                });
            }
            Kind::Tuple(_) | Kind::Bool | Kind::Number | Kind::String | Kind::Literal(_) | Kind::OneOf(_) => {
                let detail = eco_format!(
                    "{} has no attributes, but `{name}` is asked of it.",
                    capitalized(&ty.clone().widened().name())
                );
                return self.wrong(unsupported(name, &detail));
            }
        };
        found.at_least(ty.phase)
    }

    fn only_sometimes(&mut self, name: &Ident) -> Ty {
        let dot = Span { end: name.span.start, start: name.span.start.saturating_sub(1), ..name.span };
        self.wrong(
            Diagnostic::error("sometimes-attribute", "Attribute that may be absent")
                .detail(eco_format!(
                    "The value has the attribute `{name}` in only one of the shapes that a conditional gives it."
                ))
                .at(name.span)
                .help(eco_format!("Write `?.{name}`, which gives null where it is absent."))
                .suggest(dot, "?.", false),
        )
    }

    fn no_such_attribute(&mut self, name: &Ident, fields: &BTreeMap<EcoString, Field>) -> Ty {
        let names = fields.keys().map(EcoString::as_str);
        let diagnostic = unsupported(name, &eco_format!("This object has no attribute named `{name}`."));
        self.wrong(match nearest(&name.name, names) {
            Some(guess) => {
                diagnostic.help(eco_format!("Did you mean `{guess}`?")).suggest(name.span, guess, false)
            }
            None => has_only(diagnostic, fields),
        })
    }

    fn index(&mut self, ty: &Ty, key: &Ty, span: Span, optional: bool) -> Ty {
        if key.kind == Kind::Error || ty.kind == Kind::Error {
            return Ty::error();
        }
        let phase = ty.phase.max(key.deepest());
        let found = match &ty.kind {
            Kind::Error => return Ty::error(),
            Kind::Any => Ty::any(phase),
            Kind::Null if optional => Ty::new(Kind::Null),
            Kind::Null => {
                return self.wrong(
                    Diagnostic::error("index-of-null", "Attempt to index null value")
                        .detail("The value is null, so it has no elements.")
                        .at(span)
                        .help("Test for null first, or write `?[…]`, which gives null then."),
                );
            }
            Kind::Set(_) => {
                return self.wrong(
                    invalid_index(span, "The elements of a set have no order and no keys, so none can be selected.")
                        .help("Use `one(set)` for the only element, `tolist(set)[0]` for the first in the set's order, or a `for` expression for all."),
                );
            }
            Kind::List(part) | Kind::Sequence(part) => {
                if !self.is_key(key, &Type::Number, "a sequence", span) {
                    return Ty::error();
                }
                (**part).clone()
            }
            Kind::Tuple(items) => {
                if !self.is_key(key, &Type::Number, "a sequence", span) {
                    return Ty::error();
                }
                match position(key) {
                    None => ty.element().unwrap_or(Ty::any(phase)),
                    Some(at) => match items.get(at) {
                        Some(item) => item.clone(),
                        None if optional => Ty::new(Kind::Null),
                        None => {
                            let count = items.len();
                            let detail = match count {
                                0 => eco_format!("There is no element {at}: the collection is empty."),
                                _ => eco_format!(
                                    "There is no element {at}: there are {count}, the last is {}.",
                                    count - 1
                                ),
                            };
                            return self.wrong(invalid_index(span, &detail));
                        }
                    },
                }
            }
            Kind::Map(part) | Kind::Dictionary(part) => {
                if !self.is_key(key, &Type::String, "a map", span) {
                    return Ty::error();
                }
                (**part).clone()
            }
            Kind::Object(fields) => {
                if !self.is_key(key, &Type::String, "an object", span) {
                    return Ty::error();
                }
                match literal_text(key) {
                    None => ty.element().unwrap_or(Ty::any(phase)),
                    Some(name) => match fields.get(&name) {
                        Some(field) if optional || !field.sometimes => field.ty.clone(),
                        Some(_) => {
                            return self.wrong(
                                Diagnostic::error("sometimes-attribute", "Attribute that may be absent")
                                    .detail(eco_format!("The value has the attribute `{name}` in only one of the shapes that a conditional gives it."))
                                    .at(span)
                                    .help(eco_format!("Write `?[{}]`, which gives null where it is absent.", plumb_syntax::quote(&name))),
                            );
                        }
                        // Which keys there are may be asked of an object as of a map.
                        None if optional => Ty::new(Kind::Null),
                        None => {
                            let detail = eco_format!(
                                "The object has no attribute named {}.",
                                plumb_syntax::quote(&name)
                            );
                            let diagnostic = invalid_index(span, &detail);
                            let guess = nearest(&name, fields.keys().map(EcoString::as_str));
                            return self.wrong(match guess {
                                Some(guess) => diagnostic.help(eco_format!("Did you mean `{guess}`?")),
                                None => has_only(diagnostic, fields),
                            });
                        }
                    },
                }
            }
            Kind::Bool | Kind::Number | Kind::String | Kind::Literal(_) | Kind::OneOf(_) => {
                let found = capitalized(&ty.clone().widened().name());
                let detail = eco_format!("{found} has no elements to select with a key.");
                return self.wrong(invalid_index(span, &detail));
            }
        };
        found.at_least(phase)
    }

    fn is_key(&mut self, key: &Ty, wanted: &Type, of: &str, span: Span) -> bool {
        let Err(misfit) = key.fits(wanted) else { return true };
        self.wrong(invalid_index(
            span,
            &eco_format!("The key of {of} is a {}: {}.", wanted.friendly_name(), misfit.problem),
        ));
        false
    }

    /// `value[*]…`: what follows is done with each element.
    fn splat(&mut self, ty: &Ty, each: &[AccessStep]) -> Ty {
        let mut one = |part: &Ty| Arc::new(self.steps(part.clone().at_least(ty.phase), each));
        let kind = match &ty.kind {
            Kind::Error => return Ty::error(),
            Kind::Any => return Ty::any(ty.phase),
            Kind::Null => Kind::Tuple(Arc::new(Vec::new())),
            Kind::List(part) | Kind::Set(part) => Kind::List(one(part)),
            Kind::Sequence(part) => Kind::Sequence(one(part)),
            Kind::Tuple(items) => {
                Kind::Tuple(Arc::new(items.iter().map(|item| (*one(item)).clone()).collect()))
            }
            // A value that is no sequence stands for one with that element, and null for an empty one.
            _ => Kind::Sequence(one(ty)),
        };
        Ty::with(kind, ty.phase)
    }
}

fn unsupported(name: &Ident, detail: &str) -> Diagnostic {
    Diagnostic::error("unsupported-attribute", "Unsupported attribute").detail(detail).at(name.span)
}

fn invalid_index(span: Span, detail: &str) -> Diagnostic {
    Diagnostic::error("invalid-index", "Invalid index").detail(detail).at(span)
}

/// A note of what there is, where it is short enough to be read.
fn has_only(diagnostic: Diagnostic, fields: &BTreeMap<EcoString, Field>) -> Diagnostic {
    let names: Vec<&str> = fields.keys().map(EcoString::as_str).collect();
    match names.len() {
        0 => diagnostic.note("It is empty."),
        n if n <= 8 => diagnostic.note(eco_format!("It has {}.", names.join(", "))),
        n => diagnostic.note(eco_format!("It has {}, … ({n} in all).", names[..8].join(", "))),
    }
}

/// The index that a key says.
fn position(key: &Ty) -> Option<usize> {
    let Kind::Literal(value) = &key.kind else { return None };
    let number = plumb_model::convert::convert(value, &Type::Number).ok()?;
    number.as_number()?.to_u64().and_then(|at| usize::try_from(at).ok())
}
