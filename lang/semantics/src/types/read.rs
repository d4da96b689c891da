//! Reading types: from an expression that is never evaluated to a [`Shape`].

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::convert::convert;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Span, Value, defaults};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Call, Expr, ExprKind, Ident, Object, ObjectEntry};

use super::TypeScope;
use super::hold::{Place, diagnostics as misfits, hold};
use super::shape::{
    AttributeShape, EnumShape, MAX_DEPTH, MAX_SIZE, ObjectShape, Shape, ShapeKind, UnionShape, Variant,
    WhereShape,
};

/// The types that need no parts.
const PRIMITIVES: [&str; 4] = ["string", "number", "bool", "any"];
/// The words that types are made of in both languages.
const KINDS: [&str; 9] = ["string", "number", "bool", "any", "list", "set", "map", "tuple", "object"];
/// The words that types are made of in the native language.
pub(super) const NATIVE_KINDS: [&str; 13] = [
    "string", "number", "bool", "any", "list", "set", "map", "tuple", "object", "enum", "union", "secret",
    "optional",
];

/// Reads a type. Parts that are wrong are reported and taken as `any`.
pub(super) fn shape(
    expr: &Expr,
    dialect: Dialect,
    scope: &dyn TypeScope,
    constant: &dyn Fn(&Expr) -> Result<Value, Diagnostics>,
    diagnostics: &mut Diagnostics,
) -> Shape {
    let native = dialect == Dialect::Native;
    let mut reader = Reader { native, scope, constant, diagnostics };
    let shape = reader.shape(expr);
    if native && !shape.fits() {
        reader.diagnostics.push(too_large(expr.span));
        return Shape::any(expr.span);
    }
    shape
}

struct Reader<'a> {
    native: bool,
    scope: &'a dyn TypeScope,
    constant: &'a dyn Fn(&Expr) -> Result<Value, Diagnostics>,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn shape(&mut self, expr: &Expr) -> Shape {
        let shape = self.as_written(expr);
        // In Terraform's language every part of every value may be null.
        if self.native { shape } else { shape.or_null() }
    }

    fn as_written(&mut self, expr: &Expr) -> Shape {
        match &expr.kind {
            ExprKind::Paren(inner) => self.as_written(inner),
            ExprKind::Nullable(inner) => {
                let inner = self.shape(inner);
                Shape::new(ShapeKind::Nullable(Arc::new(inner)), expr.span)
            }
            ExprKind::Where(narrowed) => {
                let base = self.shape(&narrowed.base);
                super::define::check_condition(&narrowed.condition, self.diagnostics);
                let narrowed = WhereShape { base, condition: narrowed.condition.clone() };
                Shape::new(ShapeKind::Where(Arc::new(narrowed)), expr.span)
            }
            ExprKind::Call(call) if call.namespaces.is_empty() => self.call(call, expr.span),
            ExprKind::Qualified(name) => match self.scope.qualified(name) {
                Ok(named) => Shape::new(ShapeKind::Named(named), expr.span),
                Err(diagnostic) => self.wrong(expr.span, *diagnostic),
            },
            ExprKind::String(text) => {
                let diagnostic = invalid(expr.span, "A type is written without quotes.")
                    .suggest(expr.span, text.clone(), KINDS.contains(&text.as_str()))
                    .help(eco_format!("Write `type = {text}`."));
                self.wrong(expr.span, diagnostic)
            }
            ExprKind::Error => Shape::any(expr.span),
            _ => match expr.as_keyword() {
                Some(word) => self.word(word, expr.span),
                None => self.wrong(expr.span, invalid(
                    expr.span,
                    "Found an expression that has to be evaluated; a type is written out, as in `list(string)`.",
                )),
            },
        }
    }

    fn word(&mut self, word: &str, span: Span) -> Shape {
        let any = || Arc::new(Shape::any(span));
        let kind = match word {
            "string" => ShapeKind::String,
            "number" => ShapeKind::Number,
            "bool" => ShapeKind::Bool,
            "any" => ShapeKind::Any,
            "list" => ShapeKind::List(any()),
            "set" => ShapeKind::Set(any()),
            "map" => ShapeKind::Map(any()),
            "object" => return self.needs_parts(word, "object({ name = string })", span),
            "tuple" => return self.needs_parts(word, "tuple([string, number])", span),
            "enum" if self.native => return self.needs_parts(word, "enum(\"a\", \"b\")", span),
            "secret" if self.native => return self.needs_parts(word, "secret(string)", span),
            "union" if self.native => {
                return self.needs_parts(word, "union(\"kind\", { a = object({}) })", span);
            }
            word => match self.scope.named(word) {
                Some(named) => ShapeKind::Named(named),
                None => return self.unknown(word, span),
            },
        };
        Shape::new(kind, span)
    }

    fn needs_parts(&mut self, word: &str, example: &str, span: Span) -> Shape {
        self.wrong(span, invalid(span, &eco_format!("`{word}` needs its parts: `{example}`.")))
    }

    fn unknown(&mut self, word: &str, span: Span) -> Shape {
        let detail = eco_format!("`{word}` is not a type.");
        let guess = if self.native {
            let names = NATIVE_KINDS.into_iter().chain(self.scope.names());
            did_you_mean(word, names).or_else(|| {
                let declare = eco_format!("Give a type that name: `types {{ {word} = … }}`.");
                word.starts_with(char::is_uppercase).then_some(declare)
            })
        } else {
            did_you_mean(word, KINDS)
        };
        self.wrong(span, invalid(span, &detail).maybe_help(guess))
    }

    fn call(&mut self, call: &Call, span: Span) -> Shape {
        let name = call.name.as_str();
        match name {
            "list" | "set" | "map" => {
                let Some(argument) = self.only_argument(call, span) else { return Shape::any(span) };
                let element = Arc::new(self.shape(argument));
                let kind = match name {
                    "list" => ShapeKind::List(element),
                    "set" => ShapeKind::Set(element),
                    _ => ShapeKind::Map(element),
                };
                Shape::new(kind, span)
            }
            "secret" if self.native => {
                let Some(argument) = self.only_argument(call, span) else { return Shape::any(span) };
                let inner = self.shape(argument);
                Shape::new(ShapeKind::Secret(Arc::new(inner)), span)
            }
            "tuple" => self.tuple(call, span),
            "object" => self.object_call(call, span),
            "enum" if self.native => self.members(call, span),
            "union" if self.native => self.union(call, span),
            "optional" => self.wrong(
                span,
                invalid(span, "`optional` can only stand for the type of an attribute of an object.")
                    .help("Write `object({ name = optional(string) })`."),
            ),
            name if PRIMITIVES.contains(&name) => {
                self.wrong(span, invalid(span, &eco_format!("The type `{name}` has no parts.")))
            }
            "enum" | "union" | "secret" => self.wrong(span, native_only(call)),
            name if self.scope.named(name).is_some() => {
                let detail = eco_format!("The type `{name}` has no parts to be given.");
                self.wrong(span, invalid(call.arguments_span, &detail).help(eco_format!("Write `{name}`.")))
            }
            name => self.unknown(name, call.name_span),
        }
    }

    fn tuple(&mut self, call: &Call, span: Span) -> Shape {
        let Some(ExprKind::Tuple(tuple)) =
            self.only_argument(call, span).map(|argument| &argument.without_parens().kind)
        else {
            return self.wrong(
                span,
                invalid(span, "`tuple` takes a list of types.").help("Write `tuple([string, number])`."),
            );
        };
        let shapes = tuple.elements.iter().map(|element| self.shape(element)).collect();
        Shape::new(ShapeKind::Tuple(shapes), span)
    }

    fn object_call(&mut self, call: &Call, span: Span) -> Shape {
        let Some(ExprKind::Object(object)) =
            self.only_argument(call, span).map(|argument| &argument.without_parens().kind)
        else {
            return self.wrong(
                span,
                invalid(span, "`object` takes attributes with their types.")
                    .help("Write `object({ name = string })`."),
            );
        };
        let object = self.object(object);
        Shape::new(ShapeKind::Object(Arc::new(object)), span)
    }

    fn object(&mut self, object: &Object) -> ObjectShape {
        let mut shape = ObjectShape { attributes: Vec::new(), open: !self.native };
        let mut seen = std::collections::HashSet::new();
        for entry in &object.entries {
            let (key, value) =
                match entry {
                    ObjectEntry::Pair { key, value } => (key, value),
                    ObjectEntry::Open(_) => {
                        shape.open = true;
                        continue;
                    }
                    ObjectEntry::Spread(_, span) => {
                        self.diagnostics.push(invalid(*span, "An object type cannot be spread.").help(
                            "Write the attributes out; `...` alone, at the end, allows for further ones.",
                        ));
                        continue;
                    }
                };
            let Some(name) = key.as_literal() else {
                self.diagnostics.push(invalid(key.span(), "The name of an attribute is written out."));
                continue;
            };
            if !seen.insert(name.clone()) {
                let detail = eco_format!("The attribute `{name}` is written twice in this type.");
                self.diagnostics.push(invalid(key.span(), &detail));
                continue;
            }
            let name = Ident { name: name.clone(), span: key.span() };
            let attribute = self.attribute(name, value);
            shape.attributes.push(attribute);
        }
        shape
    }

    /// The type of an attribute, `optional` taken off and remembered.
    fn attribute(&mut self, name: Ident, expr: &Expr) -> AttributeShape {
        let call = match &expr.without_parens().kind {
            ExprKind::Call(call) if call.name.as_str() == "optional" && call.namespaces.is_empty() => call,
            _ => {
                return AttributeShape { name, shape: self.shape(expr), optional: false, default: None };
            }
        };
        let (shape, default) = match call.arguments.as_slice() {
            [ty] => (self.shape(ty), None),
            [ty, default] => {
                let shape = self.shape(ty);
                let default = self.default(default, &shape);
                (shape, default)
            }
            _ => {
                self.diagnostics.push(
                    invalid(expr.span, "`optional` takes a type and perhaps a default.")
                        .help("Write `optional(string)` or `optional(string, \"default\")`."),
                );
                (Shape::any(expr.span), None)
            }
        };
        AttributeShape { name, shape, optional: true, default }
    }

    fn default(&mut self, expr: &Expr, shape: &Shape) -> Option<Value> {
        let value = match (self.constant)(expr) {
            Ok(value) => value,
            Err(found) => {
                self.diagnostics.extend(found);
                return None;
            }
        };
        if self.native {
            // `optional(T, null)` says no more than `optional(T)`.
            if value.is_null() {
                return None;
            }
            let held = hold(&value, shape);
            return held
                .map_err(|found| self.diagnostics.extend(misfits(found, "default", Place::Written(expr))))
                .ok();
        }
        let value = defaults::apply(&value, &shape.defaults());
        match convert(&value, &shape.ty()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::error("invalid-default", "Invalid default value for optional attribute")
                        .detail(eco_format!(
                            "The default is not of the attribute's type {}: {error}.",
                            shape.ty()
                        ))
                        .at(expr.span),
                );
                None
            }
        }
    }

    /// `enum("a", "b")`
    fn members(&mut self, call: &Call, span: Span) -> Shape {
        let mut members: Vec<(Value, Span)> = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let value = match &argument.without_parens().kind {
                ExprKind::String(text) => Value::String(text.clone()),
                ExprKind::Number(number) => Value::Number(number.clone()),
                ExprKind::Bool(value) => Value::Bool(*value),
                ExprKind::Error => continue,
                _ => {
                    self.diagnostics.push(
                        invalid(
                            argument.span,
                            "The values of an `enum` are written out: texts, numbers or bools.",
                        )
                        .help("Write `enum(\"small\", \"large\")`."),
                    );
                    continue;
                }
            };
            let first = members.iter().find(|(member, _)| *member == value);
            if let Some((_, first)) = first {
                self.diagnostics.push(
                    Diagnostic::error("invalid-type", "Invalid type specification")
                        .detail("The value is written twice in this `enum`.")
                        .label(argument.span, "again here")
                        .label(*first, "first here")
                        .help("Remove one of them."),
                );
            } else if let Some((first, place)) = members.first()
                && first.ty() != value.ty()
            {
                self.diagnostics.push(
                    Diagnostic::error("invalid-type", "Invalid type specification")
                        .detail(eco_format!(
                            "All values of an `enum` are of one type; this is a {}, the first one a {}.",
                            value.ty(),
                            first.ty()
                        ))
                        .label(argument.span, "")
                        .label(*place, "the first one"),
                );
            } else {
                members.push((value, argument.span));
            }
        }
        match members.first() {
            Some((first, _)) => {
                let ty = first.ty();
                Shape::new(ShapeKind::Enum(Arc::new(EnumShape { ty, members })), span)
            }
            None if call.arguments.is_empty() => self.wrong(
                span,
                invalid(span, "An `enum` without values has none to be.")
                    .help("Write the values that there are: `enum(\"small\", \"large\")`."),
            ),
            None => Shape::any(span),
        }
    }

    /// `union("tag", { a = object({ … }) })`
    fn union(&mut self, call: &Call, span: Span) -> Shape {
        let parts = match call.arguments.as_slice() {
            [tag, variants] => match (&tag.without_parens().kind, &variants.without_parens().kind) {
                (ExprKind::String(tag_name), ExprKind::Object(variants)) => {
                    Some((tag_name.clone(), tag.span, variants.clone()))
                }
                (ExprKind::Error, _) | (_, ExprKind::Error) => return Shape::any(span),
                _ => None,
            },
            _ => None,
        };
        let Some((tag, tag_span, written)) = parts else {
            return self.wrong(
                span,
                invalid(span, "`union` takes the name of the attribute that tells the variants apart, and the variants.")
                    .help("Write `union(\"kind\", { a = object({ … }), b = object({ … }) })`."),
            );
        };
        let mut variants: Vec<Variant> = Vec::with_capacity(written.entries.len());
        for entry in &written.entries {
            let ObjectEntry::Pair { key, value } = entry else {
                let place = match entry {
                    ObjectEntry::Open(span) | ObjectEntry::Spread(_, span) => *span,
                    ObjectEntry::Pair { key, .. } => key.span(),
                };
                self.diagnostics.push(invalid(place, "The variants of a `union` are all written out."));
                continue;
            };
            let Some(name) = key.as_literal() else {
                self.diagnostics.push(invalid(key.span(), "The name of a variant is written out."));
                continue;
            };
            let name = Ident { name: name.clone(), span: key.span() };
            if let Some(first) = variants.iter().find(|variant| variant.name.name == name.name) {
                self.diagnostics.push(
                    Diagnostic::error("invalid-type", "Invalid type specification")
                        .detail(eco_format!("The variant `{name}` is written twice in this `union`."))
                        .label(name.span, "again here")
                        .label(first.name.span, "first here"),
                );
                continue;
            }
            if let Some(object) = self.variant(&name, value, &tag, tag_span) {
                variants.push(Variant { name, object });
            }
        }
        if variants.is_empty() {
            if written.entries.is_empty() {
                self.diagnostics.push(invalid(span, "A `union` without variants has none to be."));
            }
            return Shape::any(span);
        }
        match UnionShape::common_attributes(&variants) {
            Ok(attributes) => {
                let union = UnionShape { tag, tag_span, variants, attributes };
                Shape::new(ShapeKind::Union(Arc::new(union)), span)
            }
            Err(name) => self.conflicting(&variants, &name, span),
        }
    }

    /// The attributes of a variant; none if it is no object or has the tag among them.
    fn variant(&mut self, name: &Ident, expr: &Expr, tag: &str, tag_span: Span) -> Option<Arc<ObjectShape>> {
        let before = self.diagnostics.len();
        let shape = self.shape(expr);
        let object = match &shape.structure().kind {
            ShapeKind::Object(object) if !shape.is_nullable() => object.clone(),
            ShapeKind::Any if self.diagnostics.len() > before => return None,
            _ => {
                let detail = eco_format!(
                    "The variant `{name}` is {shape}, but the variants of a `union` are objects."
                );
                self.diagnostics.push(invalid(expr.span, &detail).help("Write `object({ … })`."));
                return None;
            }
        };
        let Some(attribute) = object.attribute(tag) else { return Some(object) };
        self.diagnostics.push(
            Diagnostic::error("invalid-type", "Invalid type specification")
                .detail(eco_format!(
                    "The attribute `{tag}` tells the variants apart, so the variant `{name}` cannot declare it."
                ))
                .label(attribute.name.span, "declared here")
                .label(tag_span, "the tag")
                .help("Remove the attribute: every value of the union has it."),
        );
        None
    }

    fn conflicting(&mut self, variants: &[Variant], name: &str, span: Span) -> Shape {
        let mut diagnostic =
            Diagnostic::error("invalid-type", "Invalid type specification").detail(eco_format!(
                "The variants of this `union` have an attribute `{name}` of types that do not go together."
            ));
        for variant in variants {
            if let Some(attribute) = variant.object.attribute(name) {
                let text = eco_format!("in `{}` it is {}", variant.name, attribute.shape);
                diagnostic = diagnostic.label(attribute.name.span, text);
            }
        }
        self.diagnostics.push(diagnostic.help("Give it one type, or another name in one of the variants."));
        Shape::any(span)
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

    fn wrong(&mut self, span: Span, diagnostic: Diagnostic) -> Shape {
        self.diagnostics.push(diagnostic);
        Shape::any(span)
    }
}

pub(super) fn invalid(span: Span, detail: &str) -> Diagnostic {
    Diagnostic::error("invalid-type", "Invalid type specification").detail(detail).at(span)
}

fn native_only(call: &Call) -> Diagnostic {
    Diagnostic::error("needs-native-dialect", "Not available in Terraform's language")
        .detail(eco_format!(
            "The type `{}` is understood in `.cfg` files; in `.tf` files it would mean nothing to Terraform.",
            call.name
        ))
        .at(call.name_span)
        .help(match call.name.as_str() {
            "enum" => EcoString::from(
                "Use a `validation` block with `contains([…], var.name)`, or rename the file to `.cfg`.",
            ),
            "secret" => "Write `sensitive = true`, or rename the file to `.cfg`.".into(),
            _ => "Rename the file to `.cfg`.".into(),
        })
}

pub(super) fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error("type-too-large", "Type too large")
        .detail(eco_format!(
            "With the types that it names, this type is more than {MAX_DEPTH} deep or has more than {MAX_SIZE} parts."
        ))
        .at(span)
        .help("Use `any` for the parts that need no checking.")
}
