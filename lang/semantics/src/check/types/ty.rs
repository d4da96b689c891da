//! Static types.
//!
//! A [`Ty`] says of an expression what is true of its value before anything is evaluated. It knows more than
//! [`plumb_model::Type`]: an object may have attributes that are there only sometimes ([`Field::sometimes`]), which is
//! what a conditional over two shapes gives; a `for` gives a tuple or object of which only the elements' type is known
//! ([`Kind::Sequence`], [`Kind::Dictionary`]); literals keep their value; and each level has a [`Phase`].
//!
//! [`Kind::Error`] stands for what has been reported already. It suits everything, so that each mistake is said once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::convert::{can_convert, convert};
use plumb_model::{Type, Value};

use crate::types::shape::literal;
use crate::types::{EnumShape, Shape, ShapeKind};

/// When a value is known. Later phases know more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// From the files alone.
    #[default]
    Const,
    /// When planning: variables, and what can be read.
    Plan,
    /// Only when providers have done their work.
    Apply,
}

/// A static type.
#[derive(Clone, Debug, PartialEq)]
pub struct Ty {
    /// What it is.
    pub kind: Kind,
    /// When this level is known: a primitive value; of a collection how many elements there are and their keys. What is
    /// below has phases of its own, which are at least this one, even where they say less.
    pub phase: Phase,
    /// The latest phase of any part.
    deepest: Phase,
    /// How many parts there are, each counted as often as it occurs, and how deep they are nested.
    size: u32,
    depth: u8,
}

/// Types that are larger or deeper are taken for any: values are shared, so that a few lines can nest a value in itself
/// again and again, and whoever walks over its type would not come to an end.
const MAX_SIZE: u32 = 50_000;
const MAX_DEPTH: u8 = 64;

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Something wrong that has been reported.
    Error,
    /// Nothing is known.
    Any,
    /// `null`
    Null,
    /// A primitive value that is written in the text.
    Literal(Value),
    /// A primitive value that is one of these, by an `enum`.
    OneOf(Arc<EnumShape>),
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(…)`
    List(Arc<Ty>),
    /// `set(…)`
    Set(Arc<Ty>),
    /// `map(…)`
    Map(Arc<Ty>),
    /// `tuple([…])`
    Tuple(Arc<Vec<Ty>>),
    /// A tuple of any number of such elements.
    Sequence(Arc<Ty>),
    /// `object({…})`
    Object(Arc<BTreeMap<EcoString, Field>>),
    /// An object with any attributes, all of such a type.
    Dictionary(Arc<Ty>),
}

/// An attribute of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its type.
    pub ty: Ty,
    /// Whether it may be absent.
    pub sometimes: bool,
}

/// Why a type can never become another.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// Where in the value, as written behind its name: `.rules[2].port`; empty for the value itself.
    pub path: EcoString,
    /// What is wrong there, with what was found and what was wanted.
    pub problem: EcoString,
}

impl Misfit {
    fn new(problem: EcoString) -> Misfit {
        Misfit { path: EcoString::new(), problem }
    }

    fn within(mut self, step: &str) -> Misfit {
        self.path = eco_format!("{step}{}", self.path);
        self
    }
}

impl Ty {
    /// A type that is known from the files.
    pub fn new(kind: Kind) -> Ty {
        Ty::with(kind, Phase::Const)
    }

    /// A type of which this level is known in a phase.
    pub fn with(kind: Kind, phase: Phase) -> Ty {
        let (mut deepest, mut size, mut depth) = (phase, 1u32, 0);
        kind.each_part(&mut |part| {
            deepest = deepest.max(part.deepest);
            size = size.saturating_add(part.size);
            depth = depth.max(part.depth + 1);
        });
        match size > MAX_SIZE || depth > MAX_DEPTH {
            true => Ty::any(deepest),
            false => Ty { kind, phase, deepest, size, depth },
        }
    }

    /// What has been reported.
    pub fn error() -> Ty {
        Ty::new(Kind::Error)
    }

    /// Nothing is known of it, not even in a phase.
    pub fn any(phase: Phase) -> Ty {
        Ty { kind: Kind::Any, phase, deepest: phase, size: 1, depth: 0 }
    }

    /// A literal text.
    pub fn text(text: impl Into<EcoString>) -> Ty {
        Ty::new(Kind::Literal(Value::String(text.into())))
    }

    /// The same, known no earlier than that.
    pub fn at_least(mut self, phase: Phase) -> Ty {
        self.phase = self.phase.max(phase);
        self.deepest = self.deepest.max(phase);
        self
    }

    /// The same without the value of a literal.
    pub fn widened(self) -> Ty {
        let kind = match &self.kind {
            Kind::Literal(value) => Kind::of(&value.ty()),
            _ => self.kind,
        };
        Ty::with(kind, self.phase)
    }

    /// The static type of all values of a type.
    pub fn of(ty: &Type, phase: Phase) -> Ty {
        Ty::with(Kind::of(ty), phase)
    }

    /// The same, with what a type as it is written says besides: which values there are.
    pub fn refined(self, shape: &Shape) -> Ty {
        let phase = self.phase;
        let part = |ty: &Ty, shape: &Shape| Arc::new(ty.clone().refined(shape));
        let kind = match (&self.kind, &shape.structure().kind) {
            (Kind::Bool | Kind::Number | Kind::String, ShapeKind::Enum(members)) => {
                Kind::OneOf(members.clone())
            }
            (Kind::List(ty), ShapeKind::List(shape)) => Kind::List(part(ty, shape)),
            (Kind::Set(ty), ShapeKind::Set(shape)) => Kind::Set(part(ty, shape)),
            (Kind::Map(ty), ShapeKind::Map(shape)) => Kind::Map(part(ty, shape)),
            (Kind::Tuple(types), ShapeKind::Tuple(shapes)) if types.len() == shapes.len() => {
                let types = types.iter().zip(shapes.iter());
                Kind::Tuple(Arc::new(types.map(|(ty, shape)| ty.clone().refined(shape)).collect()))
            }
            (Kind::Object(fields), ShapeKind::Object(object)) => {
                let mut fields = (**fields).clone();
                for attribute in &object.attributes {
                    if let Some(field) = fields.get_mut(&attribute.name.name) {
                        field.ty = field.ty.clone().refined(&attribute.shape);
                    }
                }
                Kind::Object(Arc::new(fields))
            }
            _ => return self,
        };
        Ty::with(kind, phase)
    }

    /// The static type of a value, parts of which may be unknown.
    pub fn of_value(value: &Value) -> Ty {
        let kind = match value.unmarked() {
            Value::Null(Type::Dynamic) => Kind::Null,
            literal @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                Kind::Literal(literal.clone())
            }
            Value::Tuple(items) => Kind::Tuple(Arc::new(items.iter().map(Ty::of_value).collect())),
            Value::Object(entries) => {
                Kind::row(entries.iter().map(|(name, value)| (name.clone(), Ty::of_value(value))))
            }
            other => Kind::of(&other.ty()),
        };
        Ty::new(kind)
    }

    /// The type of the value, as far as it has one: [`Type::Dynamic`] for what is not known.
    pub fn model(&self) -> Type {
        match &self.kind {
            Kind::Error | Kind::Any | Kind::Null | Kind::Sequence(_) | Kind::Dictionary(_) => Type::Dynamic,
            Kind::Literal(value) => value.ty(),
            Kind::OneOf(members) => members.ty.clone(),
            Kind::Bool => Type::Bool,
            Kind::Number => Type::Number,
            Kind::String => Type::String,
            Kind::List(element) => Type::list(element.model()),
            Kind::Set(element) => Type::set(element.model()),
            Kind::Map(element) => Type::map(element.model()),
            Kind::Tuple(items) => Type::tuple(items.iter().map(Ty::model)),
            Kind::Object(fields) if fields.values().any(|field| field.sometimes) => Type::Dynamic,
            Kind::Object(fields) => {
                Type::object(fields.iter().map(|(name, field)| (name.clone(), field.ty.model())))
            }
        }
    }

    /// A value that stands for all of the type: known where it is known, unknown elsewhere.
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::NULL,
            Kind::Literal(value) => value.clone(),
            Kind::Tuple(items) => Value::tuple(items.iter().map(Ty::value).collect()),
            Kind::Object(fields) if !fields.values().any(|field| field.sometimes) => {
                Value::object(fields.iter().map(|(name, field)| (name.clone(), field.ty.value())))
            }
            _ => Value::unknown(self.model()),
        }
    }

    /// The latest phase of any part.
    pub fn deepest(&self) -> Phase {
        self.deepest
    }

    /// Whether nothing can be said of it.
    pub fn is_open(&self) -> bool {
        matches!(self.kind, Kind::Error | Kind::Any)
    }

    /// The type of what is in it, if it has elements: joined where they differ.
    pub fn element(&self) -> Option<Ty> {
        let element = match &self.kind {
            Kind::List(element)
            | Kind::Set(element)
            | Kind::Map(element)
            | Kind::Sequence(element)
            | Kind::Dictionary(element) => (**element).clone(),
            Kind::Tuple(items) => joined(items.iter()),
            Kind::Object(fields) => joined(fields.values().map(|field| &field.ty)),
            _ => return None,
        };
        Some(element.at_least(self.phase))
    }

    /// Whether a value of the type could be converted to another type, and if not, why.
    ///
    /// # Errors
    /// The first part that can never be converted.
    pub fn fits(&self, to: &Type) -> Result<(), Misfit> {
        let mismatch = || Err(Misfit::new(eco_format!("found {}, wanted {}", self.name(), wanted(to))));
        match (&self.kind, to) {
            (Kind::Error | Kind::Any | Kind::Null, _) | (_, Type::Dynamic) => Ok(()),
            (Kind::Literal(value), Type::Bool | Type::Number | Type::String) => match convert(value, to) {
                Ok(_) => Ok(()),
                Err(_) => mismatch(),
            },
            (Kind::Bool | Kind::Number | Kind::String | Kind::Literal(_) | Kind::OneOf(_), _) => {
                if can_convert(&self.model(), to) {
                    Ok(())
                } else {
                    mismatch()
                }
            }
            (
                Kind::List(element) | Kind::Set(element) | Kind::Sequence(element),
                Type::List(to) | Type::Set(to),
            ) => element.fits(to).map_err(|misfit| misfit.within("[*]")),
            (Kind::Tuple(items), Type::List(to) | Type::Set(to)) => {
                let fit = |(i, item): (usize, &Ty)| {
                    item.fits(to).map_err(|misfit| misfit.within(&eco_format!("[{i}]")))
                };
                items.iter().enumerate().try_for_each(fit)
            }
            (Kind::Sequence(_), Type::Tuple(_)) => Ok(()),
            (Kind::Tuple(items), Type::Tuple(types)) if items.len() == types.len() => {
                let fit = |(i, (item, ty)): (usize, (&Ty, &Type))| {
                    item.fits(ty).map_err(|misfit| misfit.within(&eco_format!("[{i}]")))
                };
                items.iter().zip(types.iter()).enumerate().try_for_each(fit)
            }
            (Kind::Map(element) | Kind::Dictionary(element), Type::Map(to)) => {
                element.fits(to).map_err(|misfit| misfit.within("[*]"))
            }
            (Kind::Object(fields), Type::Map(to)) => fields.iter().try_for_each(|(name, field)| {
                field.ty.fits(to).map_err(|misfit| misfit.within(&eco_format!(".{name}")))
            }),
            (Kind::Map(element) | Kind::Dictionary(element), Type::Object(object)) => {
                object.attributes.iter().try_for_each(|(name, ty)| {
                    element.fits(ty).map_err(|misfit| misfit.within(&eco_format!(".{name}")))
                })
            }
            (Kind::Object(fields), Type::Object(object)) => {
                object.attributes.iter().try_for_each(|(name, ty)| match fields.get(name) {
                    Some(field) => field.ty.fits(ty).map_err(|misfit| misfit.within(&eco_format!(".{name}"))),
                    None if object.optional.contains(name) => Ok(()),
                    None => Err(Misfit::new(eco_format!("the attribute `{name}` is missing"))),
                })
            }
            _ => mismatch(),
        }
    }

    /// What it becomes where it is converted to a type, as it is for a variable or an argument.
    pub fn converted(&self, to: &Type) -> Ty {
        let kind = match (&self.kind, to) {
            (_, Type::Dynamic) => return self.clone(),
            (Kind::Error, _) => Kind::Error,
            (_, Type::Bool | Type::Number | Type::String) => match &self.kind {
                Kind::OneOf(members) if members.ty == *to => self.kind.clone(),
                Kind::Literal(value) => convert(value, to).map_or_else(|_| Kind::of(to), Kind::Literal),
                _ => Kind::of(to),
            },
            (_, Type::Set(element)) => {
                let part =
                    self.element().map_or_else(|| Ty::of(element, Phase::Const), |e| e.converted(element));
                // The elements of a set are its keys.
                return Ty::with(Kind::Set(Arc::new(part.widened())), self.deepest);
            }
            (_, Type::List(element)) => Kind::List(Arc::new(self.part(element))),
            (_, Type::Map(element)) => Kind::Map(Arc::new(self.part(element))),
            (Kind::Tuple(items), Type::Tuple(types)) if items.len() == types.len() => Kind::Tuple(Arc::new(
                items.iter().zip(types.iter()).map(|(item, ty)| item.converted(ty).widened()).collect(),
            )),
            (Kind::Object(fields), Type::Object(object)) => {
                Kind::row(object.attributes.iter().map(|(name, ty)| {
                    let field = fields.get(name).map(|field| field.ty.converted(ty).widened());
                    (name.clone(), field.unwrap_or_else(|| Ty::of(ty, Phase::Const)))
                }))
            }
            (Kind::Map(element) | Kind::Dictionary(element), Type::Object(object)) => {
                Kind::row(object.attributes.iter().map(|(name, ty)| (name.clone(), element.converted(ty))))
            }
            _ => Kind::of(to),
        };
        Ty::with(kind, self.phase)
    }

    fn part(&self, to: &Type) -> Ty {
        match self.element() {
            Some(element) => element.converted(to).widened().at_least(element.deepest),
            None => Ty::of(to, Phase::Const),
        }
    }

    /// What holds of a value that is one of two; none if no conditional can have both as its results.
    pub fn join(&self, other: &Ty) -> Option<Ty> {
        let phase = self.phase.max(other.phase);
        let kind = match (&self.kind, &other.kind) {
            (Kind::Error, _) | (_, Kind::Null) => self.kind.clone(),
            (_, Kind::Error) | (Kind::Null, _) => other.kind.clone(),
            (Kind::Any, _) | (_, Kind::Any) => Kind::Any,
            (Kind::Object(a), Kind::Object(b)) => Kind::Object(Arc::new(rows(a, b))),
            (Kind::Tuple(a), Kind::Tuple(b)) if a.len() == b.len() => {
                Kind::Tuple(Arc::new(a.iter().zip(b.iter()).map(|(a, b)| a.either(b)).collect()))
            }
            (Kind::Tuple(_) | Kind::Sequence(_), Kind::Tuple(_) | Kind::Sequence(_)) => {
                Kind::Sequence(self.elements_of_either(other)?)
            }
            (Kind::Object(_) | Kind::Dictionary(_), Kind::Object(_) | Kind::Dictionary(_)) => {
                Kind::Dictionary(self.elements_of_either(other)?)
            }
            (Kind::List(_), Kind::List(_) | Kind::Tuple(_) | Kind::Sequence(_) | Kind::Set(_))
            | (Kind::Tuple(_) | Kind::Sequence(_) | Kind::Set(_), Kind::List(_)) => {
                Kind::List(self.elements_with(other)?)
            }
            (Kind::Set(_), Kind::Set(_) | Kind::Tuple(_) | Kind::Sequence(_))
            | (Kind::Tuple(_) | Kind::Sequence(_), Kind::Set(_)) => Kind::Set(self.elements_with(other)?),
            (Kind::Map(_), Kind::Map(_) | Kind::Object(_) | Kind::Dictionary(_))
            | (Kind::Object(_) | Kind::Dictionary(_), Kind::Map(_)) => Kind::Map(self.elements_with(other)?),
            (a, b) if a == b => a.clone(),
            _ => match plumb_model::unify::unify(&[self.model(), other.model()])? {
                ty if ty.is_primitive() => Kind::of(&ty),
                _ => return None,
            },
        };
        Some(Ty::with(kind, phase))
    }

    /// The elements of both, each as it is.
    fn elements_of_either(&self, other: &Ty) -> Option<Arc<Ty>> {
        Some(Arc::new(self.element()?.either(&other.element()?)))
    }

    /// The elements of both, converted to one type as those of a collection are.
    fn elements_with(&self, other: &Ty) -> Option<Arc<Ty>> {
        let (a, b) = (self.element()?.widened(), other.element()?.widened());
        let any = Ty::any(a.deepest.max(b.deepest));
        let primitive = |ty: &Ty| ty.model().is_primitive();
        Some(Arc::new(match a.model() == b.model() || primitive(&a) && primitive(&b) {
            true => a.join(&b).unwrap_or(any),
            false => any,
        }))
    }

    /// What holds of a value that is one of two and stays as it is; [`Kind::Any`] where that is nothing.
    pub fn either(&self, other: &Ty) -> Ty {
        let primitive = |ty: &Ty| ty.model().is_primitive();
        let (a, b) = (self.clone().widened(), other.clone().widened());
        match self.kind == other.kind || !primitive(&a) || !primitive(&b) {
            true => self.join(other),
            false if a.kind == b.kind => a.join(&b),
            false => None,
        }
        .unwrap_or(Ty::any(self.deepest.max(other.deepest)))
    }

    /// What a person calls it, shallowly: `list of string`, `object`, `number`.
    pub fn name(&self) -> EcoString {
        match &self.kind {
            Kind::Error | Kind::Any => "any value".into(),
            Kind::Null => "null".into(),
            Kind::Literal(value @ Value::String(text)) if text.chars().count() <= 40 => {
                eco_format!("the {} {}", value.ty().friendly_name(), plumb_syntax::quote(text))
            }
            Kind::Literal(value @ (Value::Number(_) | Value::Bool(_))) => {
                eco_format!("the {} {}", value.ty().friendly_name(), crate::expr::describe(value))
            }
            Kind::Literal(value) => eco_format!("a {}", value.ty().friendly_name()),
            Kind::OneOf(members) => {
                let mut words = EcoString::from("one of ");
                for (i, (member, _)) in members.members.iter().enumerate().take(4) {
                    words.push_str(if i == 0 { "" } else { ", " });
                    words.push_str(&literal(member));
                }
                if members.members.len() > 4 {
                    words.push_str(", …");
                }
                words
            }
            Kind::Tuple(_) | Kind::Sequence(_) => "a tuple".into(),
            Kind::Object(_) | Kind::Dictionary(_) => "an object".into(),
            _ => eco_format!("a {}", self.model().friendly_name().replace("dynamic", "any")),
        }
    }
}

impl Kind {
    /// The kind of all values of a type.
    pub fn of(ty: &Type) -> Kind {
        let part = |ty: &Type| Arc::new(Ty::of(ty, Phase::Const));
        match ty {
            Type::Dynamic => Kind::Any,
            Type::Bool => Kind::Bool,
            Type::Number => Kind::Number,
            Type::String => Kind::String,
            Type::List(element) => Kind::List(part(element)),
            Type::Set(element) => Kind::Set(part(element)),
            Type::Map(element) => Kind::Map(part(element)),
            Type::Tuple(types) => {
                Kind::Tuple(Arc::new(types.iter().map(|ty| Ty::of(ty, Phase::Const)).collect()))
            }
            Type::Object(object) => {
                Kind::row(object.attributes.iter().map(|(name, ty)| (name.clone(), Ty::of(ty, Phase::Const))))
            }
        }
    }

    fn each_part(&self, f: &mut dyn FnMut(&Ty)) {
        match self {
            Kind::List(part)
            | Kind::Set(part)
            | Kind::Map(part)
            | Kind::Sequence(part)
            | Kind::Dictionary(part) => f(part),
            Kind::Tuple(items) => items.iter().for_each(f),
            Kind::Object(fields) => fields.values().for_each(|field| f(&field.ty)),
            _ => {}
        }
    }

    /// An object with these attributes.
    pub fn row(fields: impl IntoIterator<Item = (EcoString, Ty)>) -> Kind {
        let fields = fields.into_iter().map(|(name, ty)| (name, Field { ty, sometimes: false }));
        Kind::Object(Arc::new(fields.collect()))
    }
}

impl fmt::Display for Ty {
    /// As an author would write it, with `?` behind attributes that are there only sometimes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Error | Kind::Any => f.write_str("any"),
            Kind::Null => f.write_str("null"),
            Kind::Literal(value) => write!(f, "{}", value.ty()),
            Kind::OneOf(members) => write!(f, "{}", members.ty),
            Kind::Bool => f.write_str("bool"),
            Kind::Number => f.write_str("number"),
            Kind::String => f.write_str("string"),
            Kind::List(element) => write!(f, "list({element})"),
            Kind::Set(element) => write!(f, "set({element})"),
            Kind::Map(element) => write!(f, "map({element})"),
            Kind::Sequence(element) => write!(f, "tuple([{element}, …])"),
            Kind::Dictionary(element) => write!(f, "object({{… = {element}}})"),
            Kind::Tuple(items) => {
                f.write_str("tuple([")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("])")
            }
            Kind::Object(fields) => {
                f.write_str("object({")?;
                for (i, (name, field)) in fields.iter().enumerate() {
                    let separator = if i == 0 { "" } else { ", " };
                    let sometimes = if field.sometimes { "?" } else { "" };
                    write!(f, "{separator}{name}{sometimes} = {}", field.ty)?;
                }
                f.write_str("})")
            }
        }
    }
}

/// What holds of every one of these, each as it is; [`Kind::Any`] where that is nothing.
pub fn joined<'t>(types: impl Iterator<Item = &'t Ty>) -> Ty {
    let mut result: Option<Ty> = None;
    for ty in types {
        result = Some(match result {
            None => ty.clone(),
            Some(so_far) if so_far == *ty => so_far,
            Some(so_far) => so_far.either(ty),
        });
    }
    result.unwrap_or(Ty::any(Phase::Const))
}

/// The attributes of either shape; those of one only are there sometimes.
fn rows(a: &BTreeMap<EcoString, Field>, b: &BTreeMap<EcoString, Field>) -> BTreeMap<EcoString, Field> {
    let mut fields = BTreeMap::new();
    for (name, field) in a {
        let field = match b.get(name) {
            Some(other) => {
                Field { ty: field.ty.either(&other.ty), sometimes: field.sometimes || other.sometimes }
            }
            None => Field { ty: field.ty.clone(), sometimes: true },
        };
        fields.insert(name.clone(), field);
    }
    for (name, field) in b {
        if !a.contains_key(name) {
            fields.insert(name.clone(), Field { ty: field.ty.clone(), sometimes: true });
        }
    }
    fields
}

fn wanted(ty: &Type) -> EcoString {
    match ty {
        Type::Object(_) => "an object".into(),
        ty => eco_format!("a {}", ty.friendly_name().replace("dynamic", "any")),
    }
}
