//! Types as they are written: what [`Type`] cannot say, with places.
//!
//! A [`Type`] says what a value is made of. A [`Shape`] also says which values there are (enums, unions, conditions),
//! which may be null, which are secret, whether an object may have further attributes, and which name a type has been
//! given. Shapes are what authors write; [`Shape::ty`] is what values are converted to.
//!
//! One meaning for both languages: a type in a `.tf` file is a shape whose parts may all be null and whose objects are
//! all open, since that is what Terraform makes of it.
//!
//! Always true: names are resolved and no shape contains itself; a shape is at most [`MAX_DEPTH`] deep and has at most
//! [`MAX_SIZE`] parts, those of the types that it names included, so walks over it may recurse.
//!
//! Elsewhere: reading shapes is [`super::read`], giving them names [`super::define`], holding values against them
//! [`super::hold`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::defaults::Defaults;
use plumb_model::unify::unify;
use plumb_model::{ObjectType, Span, Type, Value};
use plumb_syntax::tree::{Expr, Ident};

/// How deep a type may be, with the types that it names.
pub const MAX_DEPTH: u32 = 128;

/// How many parts a type may have, with those of the types that it names.
pub const MAX_SIZE: u32 = 20_000;

/// A type as it is written, and its place. Cloning is cheap.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// What it is.
    pub kind: ShapeKind,
    /// Where it is written; of a named type, where it is named.
    pub span: Span,
    size: u32,
    depth: u32,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq)]
pub enum ShapeKind {
    /// `any`: every value, also null.
    Any,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Arc<Shape>),
    /// `set(T)`
    Set(Arc<Shape>),
    /// `map(T)`
    Map(Arc<Shape>),
    /// `tuple([T, U])`
    Tuple(Arc<[Shape]>),
    /// `object({ name = T })`
    Object(Arc<ObjectShape>),
    /// `enum("a", "b")`
    Enum(Arc<EnumShape>),
    /// `union("tag", { a = object({ … }) })`
    Union(Arc<UnionShape>),
    /// `T where condition`
    Where(Arc<WhereShape>),
    /// `T?`: also null.
    Nullable(Arc<Shape>),
    /// `secret(T)`: values are sensitive.
    Secret(Arc<Shape>),
    /// A type that has a name.
    Named(Arc<NamedType>),
}

/// The attributes of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectShape {
    /// By name, in the order in which they are written.
    pub attributes: Vec<AttributeShape>,
    /// Whether a value may have further attributes (`...`), which are then left out.
    pub open: bool,
}

impl ObjectShape {
    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&AttributeShape> {
        self.attributes.iter().find(|attribute| attribute.name.as_str() == name)
    }
}

/// An attribute of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeShape {
    /// The name and its place.
    pub name: Ident,
    /// The type of values.
    pub shape: Shape,
    /// `optional(T)`: whether it may be absent; it is then null, or what `default` says.
    pub optional: bool,
    /// `optional(T, default)`: what stands in where it is absent or null.
    pub default: Option<Value>,
}

/// The values of an `enum`.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumShape {
    /// The type of all of them: string, number or bool.
    pub ty: Type,
    /// The values with their places, in the order in which they are written; no two are equal.
    pub members: Vec<(Value, Span)>,
}

/// One of several objects, told apart by an attribute.
///
/// A value of it has the attributes of all variants, those of other variants null, so that all values of the type are
/// of one [`Type`] and can be in one list.
#[derive(Clone, Debug, PartialEq)]
pub struct UnionShape {
    /// The name of the attribute that says which variant a value is.
    pub tag: EcoString,
    /// The place of that name.
    pub tag_span: Span,
    /// The variants, in the order in which they are written; the name is the value of the tag.
    pub variants: Vec<Variant>,
    /// What each attribute but the tag can be, over all variants.
    pub attributes: BTreeMap<EcoString, Type>,
}

/// A variant of a union.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// The value of the tag.
    pub name: Ident,
    /// The attributes besides the tag.
    pub object: Arc<ObjectShape>,
}

impl UnionShape {
    /// The variant of that name.
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name.as_str() == name)
    }

    /// What each attribute of the variants is, or the name of one that has no one type.
    pub(super) fn common_attributes(variants: &[Variant]) -> Result<BTreeMap<EcoString, Type>, EcoString> {
        let mut types: BTreeMap<EcoString, Vec<Type>> = BTreeMap::new();
        for attribute in variants.iter().flat_map(|variant| &variant.object.attributes) {
            types
                .entry(attribute.name.name.clone())
                .or_default()
                .push(attribute.shape.ty().without_optional());
        }
        let unified = types.into_iter().map(|(name, types)| match unify(&types) {
            Some(ty) => Ok((name, ty)),
            None => Err(name),
        });
        unified.collect()
    }
}

/// `T where condition`
#[derive(Clone, Debug, PartialEq)]
pub struct WhereShape {
    /// The type that is narrowed.
    pub base: Shape,
    /// What must hold of `value`; it mentions nothing else. It is not asked of null.
    pub condition: Expr,
}

/// A type that has a name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedType {
    /// The name as it is declared.
    pub name: EcoString,
    /// The place of the name where it is declared.
    pub span: Span,
    /// What it is.
    pub shape: Shape,
}

impl Shape {
    /// A type at a place.
    pub(super) fn new(kind: ShapeKind, span: Span) -> Shape {
        let mut size = 1u32;
        let mut depth = 0;
        let mut inner = |shape: &Shape| {
            size = size.saturating_add(shape.size);
            depth = depth.max(shape.depth);
        };
        match &kind {
            ShapeKind::Any | ShapeKind::Bool | ShapeKind::Number | ShapeKind::String => {}
            ShapeKind::List(shape)
            | ShapeKind::Set(shape)
            | ShapeKind::Map(shape)
            | ShapeKind::Nullable(shape)
            | ShapeKind::Secret(shape) => inner(shape),
            ShapeKind::Tuple(shapes) => shapes.iter().for_each(inner),
            ShapeKind::Object(object) => object.attributes.iter().for_each(|part| inner(&part.shape)),
            ShapeKind::Enum(members) => size = members.members.len() as u32,
            ShapeKind::Union(union) => union
                .variants
                .iter()
                .flat_map(|variant| &variant.object.attributes)
                .for_each(|part| inner(&part.shape)),
            ShapeKind::Where(narrowed) => inner(&narrowed.base),
            ShapeKind::Named(named) => inner(&named.shape),
        }
        Shape { kind, span, size, depth: depth + 1 }
    }

    /// `any` at a place.
    pub fn any(span: Span) -> Shape {
        Shape::new(ShapeKind::Any, span)
    }

    /// Whether it, with what it names, is small enough to be worked with.
    pub(super) fn fits(&self) -> bool {
        self.size <= MAX_SIZE && self.depth <= MAX_DEPTH
    }

    /// The same type, but null is a value of it.
    pub fn or_null(self) -> Shape {
        let span = self.span;
        match self.is_nullable() {
            true => self,
            false => Shape::new(ShapeKind::Nullable(Arc::new(self)), span),
        }
    }

    /// The type without names, conditions, secrecy and null around it: what it is made of.
    pub fn structure(&self) -> &Shape {
        let mut shape = self;
        loop {
            shape = match &shape.kind {
                ShapeKind::Named(named) => &named.shape,
                ShapeKind::Where(narrowed) => &narrowed.base,
                ShapeKind::Nullable(inner) | ShapeKind::Secret(inner) => inner,
                _ => return shape,
            };
        }
    }

    /// Whether null is a value of it.
    pub fn is_nullable(&self) -> bool {
        let mut shape = self;
        loop {
            shape = match &shape.kind {
                ShapeKind::Named(named) => &named.shape,
                ShapeKind::Where(narrowed) => &narrowed.base,
                ShapeKind::Secret(inner) => inner,
                ShapeKind::Nullable(_) | ShapeKind::Any => return true,
                _ => return false,
            };
        }
    }

    /// Whether every value of it is sensitive as a whole.
    pub fn is_secret(&self) -> bool {
        let mut shape = self;
        loop {
            shape = match &shape.kind {
                ShapeKind::Named(named) => &named.shape,
                ShapeKind::Where(narrowed) => &narrowed.base,
                ShapeKind::Nullable(inner) => inner,
                ShapeKind::Secret(_) => return true,
                _ => return false,
            };
        }
    }

    /// Whether a part of it is secret.
    pub fn has_secret(&self) -> bool {
        self.any_part(&mut |shape| matches!(shape.kind, ShapeKind::Secret(_)))
    }

    /// Whether something holds of the type or of a part of it, those of types that it names included.
    pub(crate) fn any_part(&self, is: &mut dyn FnMut(&Shape) -> bool) -> bool {
        is(self)
            || match &self.kind {
                ShapeKind::Any
                | ShapeKind::Bool
                | ShapeKind::Number
                | ShapeKind::String
                | ShapeKind::Enum(_) => false,
                ShapeKind::List(inner)
                | ShapeKind::Set(inner)
                | ShapeKind::Map(inner)
                | ShapeKind::Nullable(inner)
                | ShapeKind::Secret(inner) => inner.any_part(is),
                ShapeKind::Tuple(shapes) => shapes.iter().any(|shape| shape.any_part(is)),
                ShapeKind::Object(object) => object.attributes.iter().any(|part| part.shape.any_part(is)),
                ShapeKind::Union(union) => union
                    .variants
                    .iter()
                    .any(|variant| variant.object.attributes.iter().any(|part| part.shape.any_part(is))),
                ShapeKind::Where(narrowed) => narrowed.base.any_part(is),
                ShapeKind::Named(named) => named.shape.any_part(is),
            }
    }

    /// The type that values are converted to, with marks of optional attributes.
    pub fn ty(&self) -> Type {
        match &self.kind {
            ShapeKind::Any => Type::Dynamic,
            ShapeKind::Bool => Type::Bool,
            ShapeKind::Number => Type::Number,
            ShapeKind::String => Type::String,
            ShapeKind::List(element) => Type::list(element.ty()),
            ShapeKind::Set(element) => Type::set(element.ty()),
            ShapeKind::Map(element) => Type::map(element.ty()),
            ShapeKind::Tuple(shapes) => Type::tuple(shapes.iter().map(Shape::ty)),
            ShapeKind::Object(object) => {
                let mut parts = ObjectType::default();
                for attribute in &object.attributes {
                    parts.attributes.insert(attribute.name.name.clone(), attribute.shape.ty());
                    if attribute.optional {
                        parts.optional.insert(attribute.name.name.clone());
                    }
                }
                Type::Object(Arc::new(parts))
            }
            ShapeKind::Enum(members) => members.ty.clone(),
            ShapeKind::Union(union) => {
                let mut parts = ObjectType {
                    attributes: union.attributes.clone(),
                    optional: union.attributes.keys().cloned().collect(),
                };
                parts.attributes.insert(union.tag.clone(), Type::String);
                Type::Object(Arc::new(parts))
            }
            ShapeKind::Where(narrowed) => narrowed.base.ty(),
            ShapeKind::Nullable(inner) | ShapeKind::Secret(inner) => inner.ty(),
            ShapeKind::Named(named) => named.shape.ty(),
        }
    }

    /// What stands in for attributes that are absent. Those of unions depend on the value and are not in it.
    pub fn defaults(&self) -> Defaults {
        match &self.kind {
            ShapeKind::Any
            | ShapeKind::Bool
            | ShapeKind::Number
            | ShapeKind::String
            | ShapeKind::Enum(_)
            | ShapeKind::Union(_) => Defaults::default(),
            ShapeKind::List(element) | ShapeKind::Set(element) | ShapeKind::Map(element) => {
                let inner = element.defaults();
                let elements = (!inner.is_empty()).then(|| Box::new(inner));
                Defaults { elements, ..Defaults::default() }
            }
            ShapeKind::Tuple(shapes) => {
                let members = shapes.iter().map(Shape::defaults).enumerate();
                Defaults { members: members.filter(|(_, d)| !d.is_empty()).collect(), ..Defaults::default() }
            }
            ShapeKind::Object(object) => {
                let mut defaults = Defaults::default();
                for attribute in &object.attributes {
                    let name = &attribute.name.name;
                    if let Some(value) = &attribute.default {
                        defaults.values.insert(name.clone(), value.clone());
                    }
                    let inner = attribute.shape.defaults();
                    if !inner.is_empty() {
                        defaults.attributes.insert(name.clone(), inner);
                    }
                }
                defaults
            }
            ShapeKind::Where(narrowed) => narrowed.base.defaults(),
            ShapeKind::Nullable(inner) | ShapeKind::Secret(inner) => inner.defaults(),
            ShapeKind::Named(named) => named.shape.defaults(),
        }
    }
}

impl fmt::Display for Shape {
    /// As an author writes it, on one line, named types by their names. Conditions are not repeated.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ShapeKind::Any => f.write_str("any"),
            ShapeKind::Bool => f.write_str("bool"),
            ShapeKind::Number => f.write_str("number"),
            ShapeKind::String => f.write_str("string"),
            ShapeKind::List(element) => write!(f, "list({element})"),
            ShapeKind::Set(element) => write!(f, "set({element})"),
            ShapeKind::Map(element) => write!(f, "map({element})"),
            ShapeKind::Tuple(shapes) => {
                f.write_str("tuple([")?;
                for (i, shape) in shapes.iter().enumerate() {
                    write!(f, "{}{shape}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("])")
            }
            ShapeKind::Object(object) => object.fmt(f),
            ShapeKind::Enum(members) => {
                f.write_str("enum(")?;
                for (i, (member, _)) in members.members.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, literal(member))?;
                }
                f.write_str(")")
            }
            ShapeKind::Union(union) => {
                write!(f, "union({}, {{ ", plumb_syntax::quote(&union.tag))?;
                for (i, variant) in union.variants.iter().enumerate() {
                    let separator = if i == 0 { "" } else { ", " };
                    write!(f, "{separator}{} = {}", variant.name, variant.object)?;
                }
                f.write_str(" })")
            }
            ShapeKind::Where(narrowed) => write!(f, "{} where …", narrowed.base),
            ShapeKind::Nullable(inner) => write!(f, "{inner}?"),
            ShapeKind::Secret(inner) => write!(f, "secret({inner})"),
            ShapeKind::Named(named) => f.write_str(&named.name),
        }
    }
}

impl fmt::Display for ObjectShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("object({ ")?;
        for (i, attribute) in self.attributes.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            let AttributeShape { name, shape, optional, default } = attribute;
            match (optional, default) {
                (false, _) => write!(f, "{separator}{name} = {shape}")?,
                (true, None) => write!(f, "{separator}{name} = optional({shape})")?,
                (true, Some(_)) => write!(f, "{separator}{name} = optional({shape}, …)")?,
            }
        }
        match (self.open, self.attributes.is_empty()) {
            (true, true) => f.write_str("... })"),
            (true, false) => f.write_str(", ... })"),
            (false, _) => f.write_str(" })"),
        }
    }
}

/// A member of an enum as it is written.
pub(crate) fn literal(value: &Value) -> EcoString {
    match value {
        Value::String(text) => plumb_syntax::quote(text),
        Value::Number(number) => ecow::eco_format!("{number}"),
        Value::Bool(value) => ecow::eco_format!("{value}"),
        _ => "…".into(),
    }
}
