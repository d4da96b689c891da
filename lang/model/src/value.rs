//! Values, known, partly known and unknown.
//!
//! A [`Value`] is 24 bytes and cheap to clone: everything larger is shared. Strings are in Unicode normalisation
//! form C, objects and maps are sorted by key, sets are sorted by [`Value::set_order`] and hold no two equal known
//! elements. The constructors see to it; code that matches on the variants may rely on it.
//!
//! [`Value::Marked`] wraps what it marks and is never nested directly in another [`Value::Marked`]. An element of a
//! set is never marked: the whole set is.
//!
//! Elsewhere: conversion is [`crate::convert`], finding a common type [`crate::unify`], `==` [`crate::equality`].

use std::cmp::Ordering;
use std::sync::Arc;

use ecow::EcoString;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::marks::Marks;
use crate::number::Number;
use crate::path::{Path, Step};
use crate::types::Type;

/// A value of the language. Equality is structural and exact: types, marks and unknowns count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// No value of a type; the literal `null` has [`Type::Dynamic`].
    Null(Type),
    /// A value that will be known later.
    Unknown(Arc<Unknown>),
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text in normalisation form C.
    String(EcoString),
    /// Ordered elements of one type.
    List(Arc<Sequence>),
    /// Distinct elements of one type, in [`Value::set_order`].
    Set(Arc<Sequence>),
    /// Elements of one type by key.
    Map(Arc<MapValue>),
    /// Elements of any types.
    Tuple(Arc<Vec<Value>>),
    /// Attributes by name.
    Object(Arc<Entries>),
    /// A value with marks; not itself marked again.
    Marked(Arc<Marked>),
}

/// Elements of one type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// The type of every element.
    pub element: Type,
    /// The elements.
    pub items: Vec<Value>,
}

/// Elements of one type by key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MapValue {
    /// The type of every element.
    pub element: Type,
    /// The elements.
    pub entries: Entries,
}

/// A value with marks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Marked {
    /// The marks; at least one.
    pub marks: Marks,
    /// The value; not [`Value::Marked`].
    pub value: Value,
}

/// What is known of an unknown value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unknown {
    /// Its type; [`Type::Dynamic`] if even that is not known.
    pub ty: Type,
    /// What else is known of it.
    pub refinement: Refinement,
}

/// Facts about an unknown value that hold whatever it turns out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Refinement {
    /// It will not be null.
    pub not_null: bool,
    /// A string that it will start with.
    pub prefix: EcoString,
    /// Lower bound of a number, and whether the bound itself is possible.
    pub min: Option<(Number, bool)>,
    /// Upper bound of a number, and whether the bound itself is possible.
    pub max: Option<(Number, bool)>,
    /// Fewest elements of a collection.
    pub min_length: usize,
    /// Most elements of a collection.
    pub max_length: Option<usize>,
}

/// Values by name, sorted by name, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entries(Vec<(EcoString, Value)>);

impl Entries {
    /// Sorts by key; of equal keys the last one given wins.
    pub fn new(mut entries: Vec<(EcoString, Value)>) -> Entries {
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.reverse();
            entries.dedup_by(|a, b| a.0 == b.0);
            entries.reverse();
        }
        Entries(entries)
    }

    /// The value of a key; logarithmic.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok().map(|i| &self.0[i].1)
    }

    /// Whether there is a value of that key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Keys with values, by key.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&EcoString, &Value)> + ExactSizeIterator {
        self.0.iter().map(|(k, v)| (k, v))
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &EcoString> + ExactSizeIterator {
        self.0.iter().map(|(k, _)| k)
    }

    /// The values, by key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.0.iter().map(|(_, v)| v)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same keys with other values.
    pub fn map_values(&self, mut f: impl FnMut(&EcoString, &Value) -> Value) -> Entries {
        Entries(self.0.iter().map(|(k, v)| (k.clone(), f(k, v))).collect())
    }
}

impl FromIterator<(EcoString, Value)> for Entries {
    fn from_iter<I: IntoIterator<Item = (EcoString, Value)>>(iter: I) -> Entries {
        Entries::new(iter.into_iter().collect())
    }
}

impl IntoIterator for Entries {
    type Item = (EcoString, Value);
    type IntoIter = std::vec::IntoIter<(EcoString, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The text in normalisation form C; free of cost where it is ASCII.
pub fn normalize(text: &str) -> EcoString {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        EcoString::from(text)
    } else {
        text.nfc().collect()
    }
}

impl Value {
    /// The literal `null`.
    pub const NULL: Value = Value::Null(Type::Dynamic);

    /// Text, normalised.
    pub fn string(text: impl AsRef<str>) -> Value {
        Value::String(normalize(text.as_ref()))
    }

    /// A whole number.
    pub fn int(value: i64) -> Value {
        Value::Number(Number::from_i64(value))
    }

    /// An unknown value of a type, of which nothing else is known.
    pub fn unknown(ty: Type) -> Value {
        Value::refined(ty, Refinement::default())
    }

    /// An unknown value of which something is known.
    pub fn refined(ty: Type, refinement: Refinement) -> Value {
        Value::Unknown(Arc::new(Unknown { ty, refinement }))
    }

    /// An unknown value that will not be null.
    pub fn unknown_not_null(ty: Type) -> Value {
        Value::refined(ty, Refinement { not_null: true, ..Refinement::default() })
    }

    /// A list; the items must be of the element type.
    pub fn list(element: Type, items: Vec<Value>) -> Value {
        Value::List(Arc::new(Sequence { element, items }))
    }

    /// A set of items of the element type: sorted, equal known items merged, marks of items moved to the set.
    pub fn set(element: Type, items: Vec<Value>) -> Value {
        let mut marks = Marks::NONE;
        let mut items: Vec<Value> = items
            .into_iter()
            .map(|item| {
                let (item, m) = item.unmark_deep();
                marks |= m;
                item
            })
            .collect();
        items.sort_by(Value::set_order);
        items.dedup_by(|a, b| a == b && a.is_wholly_known());
        Value::Set(Arc::new(Sequence { element, items })).with_marks(marks)
    }

    /// A map; the values must be of the element type. Of equal keys the last wins.
    pub fn map(element: Type, entries: impl IntoIterator<Item = (EcoString, Value)>) -> Value {
        Value::Map(Arc::new(MapValue { element, entries: entries.into_iter().collect() }))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Value>) -> Value {
        Value::Tuple(Arc::new(items))
    }

    /// An object. Of equal names the last wins.
    pub fn object<N: Into<EcoString>>(entries: impl IntoIterator<Item = (N, Value)>) -> Value {
        Value::Object(Arc::new(entries.into_iter().map(|(n, v)| (n.into(), v)).collect()))
    }

    /// The type. For tuples and objects it is assembled; to ask for a kind of value, match on the variant instead.
    pub fn ty(&self) -> Type {
        match self {
            Value::Null(ty) => ty.clone(),
            Value::Unknown(unknown) => unknown.ty.clone(),
            Value::Bool(_) => Type::Bool,
            Value::Number(_) => Type::Number,
            Value::String(_) => Type::String,
            Value::List(list) => Type::list(list.element.clone()),
            Value::Set(set) => Type::set(set.element.clone()),
            Value::Map(map) => Type::map(map.element.clone()),
            Value::Tuple(items) => Type::tuple(items.iter().map(Value::ty)),
            Value::Object(entries) => Type::object(entries.iter().map(|(n, v)| (n.clone(), v.ty()))),
            Value::Marked(marked) => marked.value.ty(),
        }
    }

    /// Whether it is null, marked or not.
    pub fn is_null(&self) -> bool {
        matches!(self.unmarked(), Value::Null(_))
    }

    /// Whether it is itself known (its parts may be unknown).
    pub fn is_known(&self) -> bool {
        !matches!(self.unmarked(), Value::Unknown(_))
    }

    /// Whether it and all of its parts are known.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Value::Unknown(_) => false,
            Value::Null(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            Value::List(s) | Value::Set(s) => s.items.iter().all(Value::is_wholly_known),
            Value::Map(map) => map.entries.values().all(Value::is_wholly_known),
            Value::Tuple(items) => items.iter().all(Value::is_wholly_known),
            Value::Object(entries) => entries.values().all(Value::is_wholly_known),
            Value::Marked(marked) => marked.value.is_wholly_known(),
        }
    }

    /// The value without the marks on it itself; parts keep theirs.
    pub fn unmarked(&self) -> &Value {
        match self {
            Value::Marked(marked) => &marked.value,
            value => value,
        }
    }

    /// The marks on the value itself.
    pub fn marks(&self) -> Marks {
        match self {
            Value::Marked(marked) => marked.marks,
            _ => Marks::NONE,
        }
    }

    /// The value without the marks on itself, and those marks.
    pub fn unmark(&self) -> (&Value, Marks) {
        (self.unmarked(), self.marks())
    }

    /// The same value with these marks added.
    pub fn with_marks(self, marks: Marks) -> Value {
        if marks.is_empty() {
            return self;
        }
        let (marks, value) = match self {
            Value::Marked(inner) => (inner.marks | marks, inner.value.clone()),
            value => (marks, value),
        };
        Value::Marked(Arc::new(Marked { marks, value }))
    }

    /// Whether any part of it carries marks.
    pub fn has_marks(&self) -> bool {
        match self {
            Value::Marked(_) => true,
            Value::List(s) | Value::Set(s) => s.items.iter().any(Value::has_marks),
            Value::Map(map) => map.entries.values().any(Value::has_marks),
            Value::Tuple(items) => items.iter().any(Value::has_marks),
            Value::Object(entries) => entries.values().any(Value::has_marks),
            _ => false,
        }
    }

    /// The value without any marks at any depth, and all the marks there were.
    pub fn unmark_deep(&self) -> (Value, Marks) {
        if !self.has_marks() {
            return (self.clone(), Marks::NONE);
        }
        let mut marks = Marks::NONE;
        let value = self.rebuild(&mut |value| match value {
            Value::Marked(marked) => {
                marks |= marked.marks;
                marked.value.clone()
            }
            other => other.clone(),
        });
        (value, marks)
    }

    /// The value without any marks, and the path and marks of every part that had some, outermost first.
    pub fn unmark_with_paths(&self) -> (Value, Vec<(Path, Marks)>) {
        let mut found = Vec::new();
        if !self.has_marks() {
            return (self.clone(), found);
        }
        self.walk(&mut |path, value| {
            if let Value::Marked(marked) = value {
                found.push((path.clone(), marked.marks));
            }
            true
        });
        (self.unmark_deep().0, found)
    }

    /// The value with marks added at paths. Paths that lead nowhere in it are passed over; a path into a set marks
    /// the set.
    pub fn mark_paths<'a>(&self, marks: impl IntoIterator<Item = (&'a Path, Marks)>) -> Value {
        marks.into_iter().fold(self.clone(), |value, (path, marks)| value.mark_at(&path.0, marks))
    }

    fn mark_at(&self, steps: &[Step], marks: Marks) -> Value {
        let Some((step, rest)) = steps.split_first() else { return self.clone().with_marks(marks) };
        let inner = self.unmarked();
        let marked = match (inner, step) {
            (Value::Set(_), _) => inner.clone().with_marks(marks),
            (Value::List(list), Step::Index(_) | Step::Any) => Value::List(Arc::new(Sequence {
                element: list.element.clone(),
                items: mark_items(&list.items, step, rest, marks),
            })),
            (Value::Tuple(items), Step::Index(_) | Step::Any) => {
                Value::Tuple(Arc::new(mark_items(items, step, rest, marks)))
            }
            (Value::Map(map), step) => Value::Map(Arc::new(MapValue {
                element: map.element.clone(),
                entries: mark_entries(&map.entries, step, rest, marks),
            })),
            (Value::Object(entries), step) => {
                Value::Object(Arc::new(mark_entries(entries, step, rest, marks)))
            }
            _ => inner.clone(),
        };
        marked.with_marks(self.marks())
    }

    /// Calls `f` for the value and each of its parts with its path, outermost first; `f` returns whether to go on
    /// into the parts. A marked value is visited once, as [`Value::Marked`].
    pub fn walk(&self, f: &mut impl FnMut(&Path, &Value) -> bool) {
        let mut path = Path::root();
        self.walk_from(&mut path, f);
    }

    fn walk_from(&self, path: &mut Path, f: &mut impl FnMut(&Path, &Value) -> bool) {
        if !f(path, self) {
            return;
        }
        let mut visit = |step: Step, value: &Value| {
            path.0.push(step);
            value.walk_from(path, f);
            path.0.pop();
        };
        match self.unmarked() {
            Value::List(list) => {
                list.items.iter().enumerate().for_each(|(i, v)| visit(Step::Index(i), v));
            }
            Value::Tuple(items) => items.iter().enumerate().for_each(|(i, v)| visit(Step::Index(i), v)),
            Value::Set(set) => set.items.iter().for_each(|v| visit(Step::Any, v)),
            Value::Map(map) => map.entries.iter().for_each(|(k, v)| visit(Step::Key(k.clone()), v)),
            Value::Object(entries) => {
                entries.iter().for_each(|(n, v)| visit(Step::Attribute(n.clone()), v));
            }
            _ => {}
        }
    }

    /// The value with `f` applied to it and to each of its parts, outermost first: what `f` returns is gone into.
    pub fn rebuild(&self, f: &mut impl FnMut(&Value) -> Value) -> Value {
        let value = f(self);
        let (inner, marks) = value.unmark();
        let rebuilt = match inner {
            Value::List(list) => {
                Value::list(list.element.clone(), list.items.iter().map(|v| v.rebuild(f)).collect())
            }
            Value::Set(set) => {
                Value::set(set.element.clone(), set.items.iter().map(|v| v.rebuild(f)).collect())
            }
            Value::Map(map) => Value::Map(Arc::new(MapValue {
                element: map.element.clone(),
                entries: map.entries.map_values(|_, v| v.rebuild(f)),
            })),
            Value::Tuple(items) => Value::tuple(items.iter().map(|v| v.rebuild(f)).collect()),
            Value::Object(entries) => Value::Object(Arc::new(entries.map_values(|_, v| v.rebuild(f)))),
            leaf => leaf.clone(),
        };
        rebuilt.with_marks(marks)
    }

    /// The part at a path; marks on the way are passed over. `None` if there is nothing there, also below null and
    /// unknown values, and for steps into sets.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(self, |value, step| match (value.unmarked(), step) {
            (Value::Object(entries), Step::Attribute(name) | Step::Key(name)) => entries.get(name),
            (Value::Map(map), Step::Attribute(name) | Step::Key(name)) => map.entries.get(name),
            (Value::List(list), Step::Index(i)) => list.items.get(*i),
            (Value::Tuple(items), Step::Index(i)) => items.get(*i),
            _ => None,
        })
    }

    /// An attribute of an object or an element of a map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self.unmarked() {
            Value::Object(entries) => entries.get(name),
            Value::Map(map) => map.entries.get(name),
            _ => None,
        }
    }

    /// The text of a known string.
    pub fn as_str(&self) -> Option<&EcoString> {
        match self.unmarked() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.unmarked() {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A known number.
    pub fn as_number(&self) -> Option<&Number> {
        match self.unmarked() {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The elements of a known list, set or tuple.
    pub fn as_items(&self) -> Option<&[Value]> {
        match self.unmarked() {
            Value::List(s) | Value::Set(s) => Some(&s.items),
            Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a known map or object.
    pub fn as_entries(&self) -> Option<&Entries> {
        match self.unmarked() {
            Value::Map(map) => Some(&map.entries),
            Value::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The order of elements in a set, total over all values: known before null before unknown; false before true;
    /// numbers ascending; strings by bytes; compound values by their parts in order, a prefix before what it starts.
    pub fn set_order(&self, other: &Value) -> Ordering {
        fn rank(value: &Value) -> u8 {
            match value {
                Value::Bool(_) => 0,
                Value::Number(_) => 1,
                Value::String(_) => 2,
                Value::List(_) | Value::Set(_) | Value::Tuple(_) => 3,
                Value::Map(_) | Value::Object(_) => 4,
                Value::Marked(marked) => rank(&marked.value),
                Value::Null(_) => 5,
                Value::Unknown(_) => 6,
            }
        }
        let (a, b) = (self.unmarked(), other.unmarked());
        match (a, b) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => a.cmp(b),
            (Value::String(a), Value::String(b)) => a.cmp(b),
            _ => match (a.as_items(), b.as_items(), a.as_entries(), b.as_entries()) {
                (Some(a), Some(b), _, _) => {
                    compare_all(a.iter().zip(b), a.len(), b.len(), |(x, y)| x.set_order(y))
                }
                (_, _, Some(a), Some(b)) => {
                    compare_all(a.iter().zip(b.iter()), a.len(), b.len(), |((ak, av), (bk, bv))| {
                        ak.cmp(bk).then_with(|| av.set_order(bv))
                    })
                }
                _ => rank(a).cmp(&rank(b)),
            },
        }
    }
}

fn compare_all<T>(
    pairs: impl Iterator<Item = T>,
    a_len: usize,
    b_len: usize,
    compare: impl Fn(T) -> Ordering,
) -> Ordering {
    pairs.map(compare).find(|o| o.is_ne()).unwrap_or_else(|| a_len.cmp(&b_len))
}

fn mark_items(items: &[Value], step: &Step, rest: &[Step], marks: Marks) -> Vec<Value> {
    let chosen = |i: usize| matches!(step, Step::Any) || *step == Step::Index(i);
    items
        .iter()
        .enumerate()
        .map(|(i, v)| if chosen(i) { v.mark_at(rest, marks) } else { v.clone() })
        .collect()
}

fn mark_entries(entries: &Entries, step: &Step, rest: &[Step], marks: Marks) -> Entries {
    entries.map_values(|key, value| {
        let chosen = match step {
            Step::Attribute(name) | Step::Key(name) => name == key,
            Step::Any => true,
            Step::Index(_) => false,
        };
        if chosen { value.mark_at(rest, marks) } else { value.clone() }
    })
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::string(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_small() {
        assert_eq!(size_of::<Value>(), 24);
    }

    #[test]
    fn equal_keys_after_normalisation_collide_and_the_last_wins() {
        let object = Value::object([
            (normalize("e\u{301}"), Value::int(1)),
            (normalize("é"), Value::int(2)),
            (normalize("a"), Value::int(3)),
        ]);
        assert_eq!(object, Value::object([("a", Value::int(3)), ("é", Value::int(2))]));
    }

    #[test]
    fn marks_of_elements_mark_the_whole_set() {
        let set = Value::set(Type::Number, vec![Value::int(1).with_marks(Marks::SENSITIVE), Value::int(1)]);
        assert_eq!(set.marks(), Marks::SENSITIVE);
        assert_eq!(set.as_items().unwrap().len(), 1);
    }

    #[test]
    fn marks_are_taken_off_and_put_back_by_path() {
        let value = Value::object([("a", Value::tuple(vec![Value::int(1).with_marks(Marks::SENSITIVE)]))]);
        let (plain, marks) = value.unmark_with_paths();
        assert!(!plain.has_marks());
        assert_eq!(plain.mark_paths(marks.iter().map(|(p, m)| (p, *m))), value);
    }
}
