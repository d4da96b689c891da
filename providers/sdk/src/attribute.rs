//! Rust values for values of the language.
//!
//! [`Attr`] is an attribute: null, not known yet, or a Rust value. [`AttributeValue`] is implemented by what may
//! stand in one. Where a Rust type has no room for an unknown part, the whole counts as unknown: a `Vec<String>` with an
//! unknown element is [`Attr::Unknown`], a `Vec<Attr<String>>` is known and has an unknown element. Planning works on the
//! values themselves, and only what the author sets passes through here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::value::Entries;
use plumb_model::{AttributeType, NestedObject, Nesting, Number, Path, Step, Type, Value};

use crate::check::Group;
use crate::model::AttributeSpec;

/// Why a value does not fit a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where, from the value that was converted.
    pub path: Path,
    /// What was found and what was wanted; a sentence.
    pub problem: String,
}

impl Mismatch {
    /// A mismatch of the whole value.
    pub fn new(problem: impl Into<String>) -> Mismatch {
        Mismatch { path: Path::root(), problem: problem.into() }
    }

    /// The same, seen from one level further out.
    #[must_use]
    pub fn within(mut self, step: Step) -> Mismatch {
        self.path.0.insert(0, step);
        self
    }

    fn wanted(wanted: &str, found: &Value) -> Mismatch {
        Mismatch::new(format!("Found {}, wanted {wanted}.", found.ty().friendly_name()))
    }
}

/// What may stand in an attribute.
pub trait AttributeValue: Sized {
    /// What the schema says of the attribute.
    fn attribute_type() -> AttributeType;

    /// The attributes of each object, where these are objects with attributes that have flags of their own.
    fn attributes() -> Vec<AttributeSpec> {
        Vec::new()
    }

    /// What must hold for the attributes of each object together.
    fn groups() -> Vec<Group> {
        Vec::new()
    }

    /// Whether a value that is not null can be held with its unknown parts, if it has any.
    fn has_room(value: &Value) -> bool {
        value.is_wholly_known()
    }

    /// Reads a value that is known and not null, and that there is [room](AttributeValue::has_room) for.
    ///
    /// # Errors
    /// If it is of another type, or outside of what the Rust type can hold.
    fn from_value(value: &Value) -> Result<Self, Mismatch>;

    /// The value of the language.
    fn into_value(self) -> Value;

    /// The type of the value.
    fn value_type() -> Type {
        match Self::attribute_type() {
            AttributeType::Plain(ty) => ty,
            AttributeType::Nested(nested) => nested.implied_type(),
        }
    }

    /// Reads an element of a collection, which must not be null.
    ///
    /// # Errors
    /// As [`AttributeValue::from_value`], and for null.
    fn from_element(value: &Value) -> Result<Self, Mismatch> {
        if value.is_null() {
            return Err(Mismatch::new(format!("Found null, wanted {}.", Self::value_type().friendly_name())));
        }
        Self::from_value(value)
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attr<T> {
    /// Not set.
    #[default]
    Null,
    /// Not known yet.
    Unknown,
    /// Known.
    Known(T),
}

impl<T> Attr<T> {
    /// The value, if it is known and not null.
    pub fn known(&self) -> Option<&T> {
        match self {
            Attr::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The value, if it is known and not null.
    pub fn into_known(self) -> Option<T> {
        match self {
            Attr::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Attr::Null)
    }

    /// Whether it is not known yet.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Attr::Unknown)
    }

    /// Whether it is, or will be, something other than null.
    pub fn is_set(&self) -> bool {
        !self.is_null()
    }
}

impl Attr<String> {
    /// The text, or nothing if it is null or unknown.
    pub fn text(&self) -> &str {
        self.known().map_or("", String::as_str)
    }
}

impl<T> From<T> for Attr<T> {
    fn from(value: T) -> Attr<T> {
        Attr::Known(value)
    }
}

impl From<&str> for Attr<String> {
    fn from(text: &str) -> Attr<String> {
        Attr::Known(text.to_owned())
    }
}

impl<T> From<Option<T>> for Attr<T> {
    fn from(value: Option<T>) -> Attr<T> {
        value.map_or(Attr::Null, Attr::Known)
    }
}

impl<T: AttributeValue> Attr<T> {
    /// Reads any value.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn read(value: &Value) -> Result<Attr<T>, Mismatch> {
        let value = value.unmarked();
        if value.is_null() {
            Ok(Attr::Null)
        } else if value.is_known() && T::has_room(value) {
            T::from_value(value).map(Attr::Known)
        } else {
            Ok(Attr::Unknown)
        }
    }

    /// The value of the language.
    pub fn write(self) -> Value {
        match self {
            Attr::Null => Value::Null(T::value_type()),
            Attr::Unknown => Value::unknown(T::value_type()),
            Attr::Known(value) => value.into_value(),
        }
    }
}

/// An element that may be null or unknown.
impl<T: AttributeValue> AttributeValue for Attr<T> {
    fn attribute_type() -> AttributeType {
        T::attribute_type()
    }

    fn attributes() -> Vec<AttributeSpec> {
        T::attributes()
    }

    fn groups() -> Vec<Group> {
        T::groups()
    }

    fn has_room(_value: &Value) -> bool {
        true
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        Attr::read(value)
    }

    fn into_value(self) -> Value {
        self.write()
    }

    fn from_element(value: &Value) -> Result<Self, Mismatch> {
        Attr::read(value)
    }
}

macro_rules! plain {
    ($rust:ty, $ty:expr, $wanted:literal, $read:expr, $write:expr) => {
        impl AttributeValue for $rust {
            fn attribute_type() -> AttributeType {
                AttributeType::Plain($ty)
            }

            fn from_value(value: &Value) -> Result<Self, Mismatch> {
                let read: fn(&Value) -> Option<$rust> = $read;
                read(value).ok_or_else(|| Mismatch::wanted($wanted, value))
            }

            fn into_value(self) -> Value {
                let write: fn($rust) -> Value = $write;
                write(self)
            }
        }
    };
}

plain!(bool, Type::Bool, "a bool", Value::as_bool, Value::Bool);
plain!(String, Type::String, "a string", |v| v.as_str().map(|s| s.to_string()), Value::from);
plain!(EcoString, Type::String, "a string", |v| v.as_str().cloned(), |s| Value::string(s));
plain!(Number, Type::Number, "a number", |v| v.as_number().cloned(), Value::Number);

impl AttributeValue for Value {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::Dynamic)
    }

    fn has_room(_value: &Value) -> bool {
        true
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        Ok(value.clone())
    }

    fn into_value(self) -> Value {
        self
    }
}

macro_rules! integer {
    ($rust:ty, $wide:ty, $read:ident, $write:ident) => {
        impl AttributeValue for $rust {
            fn attribute_type() -> AttributeType {
                AttributeType::Plain(Type::Number)
            }

            fn from_value(value: &Value) -> Result<Self, Mismatch> {
                let number = value.as_number().ok_or_else(|| Mismatch::wanted("a whole number", value))?;
                number.$read().and_then(|wide| <$rust>::try_from(wide).ok()).ok_or_else(|| {
                    let (min, max) = (<$rust>::MIN, <$rust>::MAX);
                    Mismatch::new(format!("Found {number}, wanted a whole number from {min} to {max}."))
                })
            }

            fn into_value(self) -> Value {
                Value::Number(Number::$write(<$wide>::from(self)))
            }
        }
    };
}

integer!(i32, i64, to_i64, from_i64);
integer!(i64, i64, to_i64, from_i64);
integer!(u16, u64, to_u64, from_u64);
integer!(u32, u64, to_u64, from_u64);
integer!(u64, u64, to_u64, from_u64);

/// The nearest number of 53 bits, which is not always the one that was written: [`Number`] has them all.
impl AttributeValue for f64 {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::Number)
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        value.as_number().map(Number::to_f64).ok_or_else(|| Mismatch::wanted("a number", value))
    }

    /// What is not a number becomes null.
    fn into_value(self) -> Value {
        Number::from_f64(self).map_or(Value::Null(Type::Number), Value::Number)
    }
}

/// The attribute type of a collection of `T`.
fn collection<T: AttributeValue>(nesting: Nesting, plain: fn(Type) -> Type) -> AttributeType {
    match T::attribute_type() {
        AttributeType::Nested(nested) if nested.nesting == Nesting::Single => {
            AttributeType::Nested(Arc::new(NestedObject { attributes: nested.attributes.clone(), nesting }))
        }
        AttributeType::Nested(nested) => AttributeType::Plain(plain(nested.implied_type())),
        AttributeType::Plain(ty) => AttributeType::Plain(plain(ty)),
    }
}

/// Whether a collection of `T` is one of objects whose attributes have flags of their own: see [`collection`].
fn are_objects<T: AttributeValue>() -> bool {
    matches!(T::attribute_type(), AttributeType::Nested(nested) if nested.nesting == Nesting::Single)
}

/// What the objects in a collection of `T` have, given what a single one has.
fn of_objects<T: AttributeValue, S>(single: fn() -> Vec<S>) -> Vec<S> {
    if are_objects::<T>() { single() } else { Vec::new() }
}

/// Whether there is room for each element of a collection.
fn have_room<'a, T: AttributeValue>(items: impl IntoIterator<Item = &'a Value>) -> bool {
    items.into_iter().all(|item| item.is_null() || T::has_room(item))
}

fn elements<T: AttributeValue>(value: &Value) -> impl Iterator<Item = Result<T, Mismatch>> {
    value
        .as_items()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(i, item)| T::from_element(item).map_err(|e| e.within(Step::Index(i))))
}

impl<T: AttributeValue> AttributeValue for Vec<T> {
    fn attribute_type() -> AttributeType {
        collection::<T>(Nesting::List, Type::list)
    }

    fn attributes() -> Vec<AttributeSpec> {
        of_objects::<T, _>(T::attributes)
    }

    fn groups() -> Vec<Group> {
        of_objects::<T, _>(T::groups)
    }

    fn has_room(value: &Value) -> bool {
        value.is_known() && have_room::<T>(value.as_items().into_iter().flatten())
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        match value {
            Value::List(_) | Value::Tuple(_) => elements(value).collect(),
            _ => Err(Mismatch::wanted("a list", value)),
        }
    }

    fn into_value(self) -> Value {
        Value::list(T::value_type(), self.into_iter().map(T::into_value).collect())
    }
}

impl<T: AttributeValue + Ord> AttributeValue for BTreeSet<T> {
    fn attribute_type() -> AttributeType {
        collection::<T>(Nesting::Set, Type::set)
    }

    fn attributes() -> Vec<AttributeSpec> {
        of_objects::<T, _>(T::attributes)
    }

    fn groups() -> Vec<Group> {
        of_objects::<T, _>(T::groups)
    }

    fn has_room(value: &Value) -> bool {
        value.is_known() && have_room::<T>(value.as_items().into_iter().flatten())
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        match value {
            Value::Set(_) => elements(value).collect(),
            _ => Err(Mismatch::wanted("a set", value)),
        }
    }

    fn into_value(self) -> Value {
        Value::set(T::value_type(), self.into_iter().map(T::into_value).collect())
    }
}

impl<T: AttributeValue> AttributeValue for BTreeMap<String, T> {
    fn attribute_type() -> AttributeType {
        collection::<T>(Nesting::Map, Type::map)
    }

    fn attributes() -> Vec<AttributeSpec> {
        of_objects::<T, _>(T::attributes)
    }

    fn groups() -> Vec<Group> {
        of_objects::<T, _>(T::groups)
    }

    fn has_room(value: &Value) -> bool {
        value.is_known() && have_room::<T>(value.as_entries().into_iter().flat_map(Entries::values))
    }

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let Value::Map(map) = value else { return Err(Mismatch::wanted("a map", value)) };
        map.entries
            .iter()
            .map(|(key, item)| {
                let item = T::from_element(item).map_err(|e| e.within(Step::Key(key.clone())))?;
                Ok((key.to_string(), item))
            })
            .collect()
    }

    fn into_value(self) -> Value {
        let entries = self.into_iter().map(|(k, v)| (plumb_model::value::normalize(&k), v.into_value()));
        Value::map(T::value_type(), entries)
    }
}
