//! Type constraints: what stands behind `type =`.

use ecow::{EcoString, eco_format};
use plumb_model::convert::convert;
use plumb_model::defaults::Defaults;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, ObjectType, Span, Type, Value};
use plumb_syntax::tree::{Call, Expr, ExprKind, ObjectEntry};
use std::sync::Arc;

/// A type as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// The type, with marks of optional attributes.
    pub ty: Type,
    /// What stands in for attributes that are absent.
    pub defaults: Option<Arc<Defaults>>,
}

const PRIMITIVES: [&str; 4] = ["string", "number", "bool", "any"];
const KINDS: [&str; 9] = ["string", "number", "bool", "any", "list", "set", "map", "tuple", "object"];

/// Reads a type constraint. Parts that are wrong are reported and taken as `any`.
///
/// `constant` evaluates the defaults of optional attributes, which may not refer to anything.
pub fn constraint(
    expr: &Expr,
    constant: &dyn Fn(&Expr) -> Result<Value, Diagnostics>,
    diagnostics: &mut Diagnostics,
) -> Constraint {
    let mut reader = Reader { constant, diagnostics };
    let (ty, defaults) = reader.ty(expr);
    Constraint { ty, defaults: (!defaults.is_empty()).then(|| Arc::new(defaults)) }
}

struct Reader<'a> {
    constant: &'a dyn Fn(&Expr) -> Result<Value, Diagnostics>,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn ty(&mut self, expr: &Expr) -> (Type, Defaults) {
        match &expr.kind {
            ExprKind::Paren(inner) | ExprKind::Nullable(inner) => self.ty(inner),
            ExprKind::Where(narrowed) => self.ty(&narrowed.base),
            ExprKind::Call(call) if call.namespaces.is_empty() => self.call(call, expr.span),
            ExprKind::String(text) => {
                let diagnostic = invalid(expr.span, "A type is written without quotes.")
                    .suggest(expr.span, text.clone(), KINDS.contains(&text.as_str()))
                    .help(eco_format!("Write `type = {text}`."));
                self.wrong(diagnostic)
            }
            ExprKind::Error => (Type::Dynamic, Defaults::default()),
            _ => match expr.as_keyword() {
                Some("string") => (Type::String, Defaults::default()),
                Some("number") => (Type::Number, Defaults::default()),
                Some("bool") => (Type::Bool, Defaults::default()),
                Some("any") => (Type::Dynamic, Defaults::default()),
                Some("list") => (Type::list(Type::Dynamic), Defaults::default()),
                Some("set") => (Type::set(Type::Dynamic), Defaults::default()),
                Some("map") => (Type::map(Type::Dynamic), Defaults::default()),
                Some(word @ ("object" | "tuple")) => {
                    let example =
                        if word == "object" { "object({ name = string })" } else { "tuple([string, number])" };
                    self.wrong(invalid(expr.span, &eco_format!("`{word}` needs its parts: `{example}`.")))
                }
                Some(word) => {
                    let diagnostic = invalid(expr.span, &eco_format!("`{word}` is not a type."))
                        .maybe_help(did_you_mean(word, KINDS));
                    self.wrong(diagnostic)
                }
                None => self.wrong(invalid(
                    expr.span,
                    "Found an expression that has to be evaluated; a type is written out, as in `list(string)`.",
                )),
            },
        }
    }

    fn call(&mut self, call: &Call, span: Span) -> (Type, Defaults) {
        let name = call.name.as_str();
        match name {
            "list" | "set" | "map" => {
                let Some(argument) = self.only_argument(call, span) else {
                    return (Type::Dynamic, Defaults::default());
                };
                let (element, defaults) = self.ty(argument);
                let ty = match name {
                    "list" => Type::list(element),
                    "set" => Type::set(element),
                    _ => Type::map(element),
                };
                let elements = (!defaults.is_empty()).then(|| Box::new(defaults));
                (ty, Defaults { elements, ..Defaults::default() })
            }
            "tuple" => self.tuple(call, span),
            "object" => self.object(call, span),
            "optional" => self.wrong(
                invalid(span, "`optional` can only stand for the type of an attribute of an object.")
                    .help("Write `object({ name = optional(string) })`."),
            ),
            name if PRIMITIVES.contains(&name) => {
                self.wrong(invalid(span, &eco_format!("The type `{name}` has no parts.")))
            }
            name => {
                let diagnostic = invalid(call.name_span, &eco_format!("`{name}` is not a type."))
                    .maybe_help(did_you_mean(name, KINDS));
                self.wrong(diagnostic)
            }
        }
    }

    fn tuple(&mut self, call: &Call, span: Span) -> (Type, Defaults) {
        let Some(ExprKind::Tuple(tuple)) =
            self.only_argument(call, span).map(|argument| &argument.without_parens().kind)
        else {
            return self.wrong(
                invalid(span, "`tuple` takes a list of types.").help("Write `tuple([string, number])`."),
            );
        };
        let mut types = Vec::new();
        let mut defaults = Defaults::default();
        for (i, element) in tuple.elements.iter().enumerate() {
            let (ty, inner) = self.ty(element);
            types.push(ty);
            if !inner.is_empty() {
                defaults.members.insert(i, inner);
            }
        }
        (Type::tuple(types), defaults)
    }

    fn object(&mut self, call: &Call, span: Span) -> (Type, Defaults) {
        let Some(ExprKind::Object(object)) =
            self.only_argument(call, span).map(|argument| &argument.without_parens().kind)
        else {
            return self.wrong(
                invalid(span, "`object` takes attributes with their types.")
                    .help("Write `object({ name = string })`."),
            );
        };
        let mut parts = ObjectType::default();
        let mut defaults = Defaults::default();
        for entry in &object.entries {
            let (key, value) = match entry {
                ObjectEntry::Pair { key, value } => (key, value),
                ObjectEntry::Open(_) => continue,
                ObjectEntry::Spread(_, span) => {
                    self.diagnostics.push(invalid(*span, "An object type cannot be spread."));
                    continue;
                }
            };
            let Some(name) = key.as_literal() else {
                self.diagnostics.push(invalid(key.span(), "The name of an attribute is written out."));
                continue;
            };
            if parts.attributes.contains_key(name) {
                let detail = eco_format!("The attribute `{name}` is written twice in this type.");
                self.diagnostics.push(invalid(key.span(), &detail));
                continue;
            }
            let ty = self.attribute(name, value, &mut parts, &mut defaults);
            parts.attributes.insert(name.clone(), ty);
        }
        (Type::Object(Arc::new(parts)), defaults)
    }

    /// The type of an attribute, `optional` taken off and remembered.
    fn attribute(
        &mut self,
        name: &EcoString,
        expr: &Expr,
        parts: &mut ObjectType,
        defaults: &mut Defaults,
    ) -> Type {
        let (ty, inner, default) = match &expr.without_parens().kind {
            ExprKind::Call(call) if call.name.as_str() == "optional" && call.namespaces.is_empty() => {
                parts.optional.insert(name.clone());
                match call.arguments.as_slice() {
                    [ty] => {
                        let (ty, inner) = self.ty(ty);
                        (ty, inner, None)
                    }
                    [ty, default] => {
                        let (ty, inner) = self.ty(ty);
                        (ty, inner, Some(default))
                    }
                    _ => {
                        self.diagnostics.push(
                            invalid(expr.span, "`optional` takes a type and perhaps a default.")
                                .help("Write `optional(string)` or `optional(string, \"default\")`."),
                        );
                        (Type::Dynamic, Defaults::default(), None)
                    }
                }
            }
            ExprKind::Nullable(base) => {
                let (ty, inner) = self.ty(base);
                (ty, inner, None)
            }
            _ => {
                let (ty, inner) = self.ty(expr);
                (ty, inner, None)
            }
        };
        if let Some(value) = default.and_then(|default| self.default(default, &ty, &inner)) {
            defaults.values.insert(name.clone(), value);
        }
        if !inner.is_empty() {
            defaults.attributes.insert(name.clone(), inner);
        }
        ty
    }

    fn default(&mut self, expr: &Expr, ty: &Type, inner: &Defaults) -> Option<Value> {
        let value = match (self.constant)(expr) {
            Ok(value) => plumb_model::defaults::apply(&value, inner),
            Err(found) => {
                self.diagnostics.extend(found);
                return None;
            }
        };
        match convert(&value, ty) {
            Ok(value) => Some(value),
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::error("invalid-default", "Invalid default value for optional attribute")
                        .detail(eco_format!("The default is not of the attribute's type {ty}: {error}."))
                        .at(expr.span),
                );
                None
            }
        }
    }

    fn only_argument<'c>(&mut self, call: &'c Call, span: Span) -> Option<&'c Expr> {
        match call.arguments.as_slice() {
            [argument] => Some(argument),
            _ => {
                let detail = eco_format!("`{}` takes one argument, the type of what is in it.", call.name);
                self.diagnostics.push(invalid(span, &detail));
                None
            }
        }
    }

    fn wrong(&mut self, diagnostic: Diagnostic) -> (Type, Defaults) {
        self.diagnostics.push(diagnostic);
        (Type::Dynamic, Defaults::default())
    }
}

fn invalid(span: Span, detail: &str) -> Diagnostic {
    Diagnostic::error("invalid-type", "Invalid type specification").detail(detail).at(span)
}
