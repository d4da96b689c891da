//! Checks of a configuration, reported with the attribute they are about.
//!
//! What can be said of one attribute is said in its model: `validate = between(1, 10)`. The functions of this module make
//! such rules, and a function of one's own is one too: it takes the value and says in a sentence what was found and what was
//! wanted. What needs several attributes is either a [`Group`] or code, in `validate` of the resource, which is given
//! [`Checks`].
//!
//! Values that are not known yet pass every check; they are checked again when they are known.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::{Bound, RangeBounds};

use plumb_model::{Diagnostic, Diagnostics, Path, Step, Value};
use regex::Regex;

use crate::attribute::Attr;

/// Collects what is wrong with a configuration.
#[derive(Debug, Default)]
pub struct Checks {
    diagnostics: Diagnostics,
    /// The object that is looked at; names of attributes are relative to it.
    at: Path,
}

impl Checks {
    /// Nothing is wrong so far.
    pub fn new() -> Checks {
        Checks::default()
    }

    /// Reports what `test` says of a known value.
    pub fn attribute<T>(&mut self, name: &str, value: &Attr<T>, test: impl FnOnce(&T) -> Result<(), String>) {
        if let Some(Err(problem)) = value.known().map(test) {
            self.error(name, problem);
        }
    }

    /// Reports that an attribute is wrong.
    pub fn error(&mut self, name: &str, problem: impl Into<String>) {
        self.push(
            Diagnostic::error("invalid-attribute-value", "Invalid attribute value")
                .detail(problem.into())
                .attribute(Path::of(name)),
        );
    }

    /// Looks at what a step leads to.
    pub(crate) fn under(&mut self, step: Step, look: impl FnOnce(&mut Checks)) {
        self.at.0.push(step);
        look(self);
        self.at.0.pop();
    }

    /// Whether something is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.has_errors()
    }

    /// Reports two attributes that are set and must not be together.
    pub(crate) fn conflict(&mut self, name: &str, other: &str) {
        self.push(
            Diagnostic::error("conflicting-attributes", "Conflicting attributes")
                .detail(format!("Found both `{name}` and `{other}`, wanted only one of them."))
                .help(format!("Keep `{name}` and remove `{other}`, or the other way round."))
                .attribute(Path::of(name)),
        );
    }

    /// Reports an attribute that is set without another that it needs.
    pub(crate) fn lonely(&mut self, name: &str, other: &str) {
        self.push(
            Diagnostic::error("missing-attribute", "Missing attribute")
                .detail(format!("Found `{name}` without `{other}`, wanted both or neither."))
                .help(format!("Set `{other}`, or remove `{name}`."))
                .attribute(Path::of(name)),
        );
    }

    /// Reports anything. The attribute of the diagnostic is relative to the object that is looked at.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        if !self.at.is_root() {
            let mut steps = self.at.0.clone();
            steps.extend(diagnostic.attribute.take().into_iter().flat_map(|path| path.0));
            diagnostic = diagnostic.attribute(Path(steps));
        }
        self.diagnostics.push(diagnostic);
    }

    /// Of the attributes, given by name and whether they are set, exactly one must be. With unknown values,
    /// which may turn out to be null, at least one.
    pub fn exactly_one_of(&mut self, attributes: &[(&str, Presence)]) {
        self.at_least_one_of(attributes);
        self.at_most_one_of(attributes);
    }

    /// Of the attributes, given by name and whether they are set, at least one must be. Unknown values may be.
    pub fn at_least_one_of(&mut self, attributes: &[(&str, Presence)]) {
        if attributes.iter().all(|(_, presence)| *presence == Presence::Absent) {
            self.push(
                Diagnostic::error("missing-attribute", "Missing attribute")
                    .detail(format!("One of {} must be set.", list(attributes))),
            );
        }
    }

    /// Of the attributes, given by name and whether they are set, at most one may be.
    pub fn at_most_one_of(&mut self, attributes: &[(&str, Presence)]) {
        let set: Vec<&str> =
            attributes.iter().filter(|(_, p)| *p == Presence::Set).map(|(n, _)| *n).collect();
        if let [first, .., last] = set.as_slice() {
            self.push(
                Diagnostic::error("conflicting-attributes", "Conflicting attributes")
                    .detail(format!("Of {} only one may be set.", list(attributes)))
                    .help(format!("Keep `{first}` and remove `{last}`, or the other way round."))
                    .attribute(Path::of(*last)),
            );
        }
    }

    /// What was found.
    pub fn into_diagnostics(self) -> Diagnostics {
        self.diagnostics
    }
}

/// Whether an attribute is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is null.
    Absent,
    /// It is not known yet, so it may be null.
    Perhaps,
    /// It has a value.
    Set,
}

impl<T> From<&Attr<T>> for Presence {
    fn from(value: &Attr<T>) -> Presence {
        match value {
            Attr::Null => Presence::Absent,
            Attr::Unknown => Presence::Perhaps,
            Attr::Known(_) => Presence::Set,
        }
    }
}

impl From<&Value> for Presence {
    /// Collections without elements count as absent: that is what blocks become of which there are none.
    fn from(value: &Value) -> Presence {
        let value = value.unmarked();
        let is_empty = |value: &Value| match value {
            Value::Object(_) => false,
            value => {
                value.as_items().is_some_and(<[Value]>::is_empty)
                    || value.as_entries().is_some_and(|e| e.is_empty())
            }
        };
        match value {
            Value::Null(_) => Presence::Absent,
            value if !value.is_known() => Presence::Perhaps,
            value if is_empty(value) => Presence::Absent,
            _ => Presence::Set,
        }
    }
}

fn list(attributes: &[(&str, Presence)]) -> String {
    attributes.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What must hold for several attributes of an object together.
#[derive(Clone, Debug)]
pub struct Group {
    names: Vec<String>,
    report: fn(&mut Checks, &[(&str, Presence)]),
}

impl Group {
    fn new(names: &[&str], report: fn(&mut Checks, &[(&str, Presence)])) -> Group {
        Group { names: names.iter().map(|name| (*name).to_owned()).collect(), report }
    }

    /// Exactly one of them must be set.
    pub fn exactly_one_of(names: &[&str]) -> Group {
        Group::new(names, Checks::exactly_one_of)
    }

    /// At most one of them may be set.
    pub fn at_most_one_of(names: &[&str]) -> Group {
        Group::new(names, Checks::at_most_one_of)
    }

    /// At least one of them must be set.
    pub fn at_least_one_of(names: &[&str]) -> Group {
        Group::new(names, Checks::at_least_one_of)
    }

    pub(crate) fn check(&self, object: &Value, checks: &mut Checks) {
        let presence = |name: &str| object.get(name).map_or(Presence::Absent, Presence::from);
        let attributes: Vec<_> = self.names.iter().map(|name| (name.as_str(), presence(name))).collect();
        (self.report)(checks, &attributes);
    }
}

/// At least `min`.
pub fn at_least<T: PartialOrd + Display>(min: T) -> impl Fn(&T) -> Result<(), String> {
    move |value| {
        if *value >= min { Ok(()) } else { Err(format!("Found {value}, wanted at least {min}.")) }
    }
}

/// At most `max`.
pub fn at_most<T: PartialOrd + Display>(max: T) -> impl Fn(&T) -> Result<(), String> {
    move |value| {
        if *value <= max { Ok(()) } else { Err(format!("Found {value}, wanted at most {max}.")) }
    }
}

/// From `min` to `max`, both included.
pub fn between<T: PartialOrd + Display>(min: T, max: T) -> impl Fn(&T) -> Result<(), String> {
    move |value| {
        if *value >= min && *value <= max {
            Ok(())
        } else {
            Err(format!("Found {value}, wanted a number from {min} to {max}."))
        }
    }
}

/// One of `allowed`, with a guess which one was meant.
pub fn one_of<'a>(allowed: &'a [&'a str]) -> impl Fn(&String) -> Result<(), String> + 'a {
    move |value| {
        if allowed.contains(&value.as_str()) {
            return Ok(());
        }
        let known = allowed.iter().map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ");
        let guess = plumb_model::diagnostic::did_you_mean(value, allowed.iter().copied());
        let guess = guess.map(|g| format!(" {g}")).unwrap_or_default();
        Err(format!("Found `{value}`, wanted one of {known}.{guess}"))
    }
}

/// Not empty text.
pub fn not_empty() -> impl Fn(&String) -> Result<(), String> {
    |value| match value.is_empty() {
        true => Err("Found empty text, wanted at least one character.".into()),
        false => Ok(()),
    }
}

/// Text that a regular expression matches. It matches anywhere in the text, unless it has `^` and `$`.
///
/// # Panics
/// If it is not a regular expression, when the provider is built: every test of the provider finds it.
pub fn matches(pattern: &str) -> impl Fn(&String) -> Result<(), String> + use<> {
    let regex =
        Regex::new(pattern).unwrap_or_else(|error| panic!("`{pattern}` is no regular expression: {error}"));
    move |value| match regex.is_match(value) {
        true => Ok(()),
        false => Err(format!("Found `{value}`, wanted text that matches `{regex}`.")),
    }
}

/// What has a length: text, in characters, and collections, in elements.
pub trait HasLength {
    /// What the length is counted in.
    const UNIT: &'static str;

    /// The length.
    fn length(&self) -> usize;
}

impl HasLength for String {
    const UNIT: &'static str = "characters";

    fn length(&self) -> usize {
        self.chars().count()
    }
}

macro_rules! has_length {
    ($($generics:ident),+ => $collection:ty) => {
        impl<$($generics),+> HasLength for $collection {
            const UNIT: &'static str = "elements";

            fn length(&self) -> usize {
                self.len()
            }
        }
    };
}

has_length!(T => Vec<T>);
has_length!(T => BTreeSet<T>);
has_length!(K, T => BTreeMap<K, T>);

/// Text or a collection with a length in a range: `length(1..=64)`, `length(1..)`.
pub fn length<T: HasLength>(range: impl RangeBounds<usize>) -> impl Fn(&T) -> Result<(), String> {
    let least = match range.start_bound() {
        Bound::Included(least) => *least,
        Bound::Excluded(below) => below.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let most = match range.end_bound() {
        Bound::Included(most) => Some(*most),
        Bound::Excluded(above) => Some(above.saturating_sub(1)),
        Bound::Unbounded => None,
    };
    move |value| {
        let (length, unit) = (value.length(), T::UNIT);
        if length >= least && most.is_none_or(|most| length <= most) {
            return Ok(());
        }
        Err(match most {
            Some(most) => format!("Found {length} {unit}, wanted {least} to {most}."),
            None => format!("Found {length} {unit}, wanted at least {least}."),
        })
    }
}

/// A list each of whose elements follows a rule.
pub fn each<T>(rule: impl Fn(&T) -> Result<(), String>) -> impl Fn(&Vec<T>) -> Result<(), String> {
    move |items| {
        items
            .iter()
            .enumerate()
            .try_for_each(|(i, item)| rule(item).map_err(|problem| format!("Element {i}: {problem}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(check: impl FnOnce(&mut Checks)) -> Vec<String> {
        let mut checks = Checks::new();
        check(&mut checks);
        checks.into_diagnostics().iter().map(|d| d.detail.to_string()).collect()
    }

    #[test]
    fn unknown_values_pass() {
        assert!(problems(|c| c.attribute("n", &Attr::<i64>::Unknown, at_least(1))).is_empty());
        assert!(
            problems(|c| c.exactly_one_of(&[("a", Presence::Absent), ("b", Presence::Perhaps)])).is_empty()
        );
    }

    #[test]
    fn problems_name_what_was_found_and_wanted() {
        assert_eq!(
            problems(|c| c.attribute("n", &Attr::Known(0), at_least(1))),
            ["Found 0, wanted at least 1."]
        );
        assert_eq!(
            problems(|c| c.attribute("m", &Attr::from("PTU"), one_of(&["PUT", "POST"]))),
            ["Found `PTU`, wanted one of `PUT`, `POST`. Did you mean `PUT`?"]
        );
        assert_eq!(
            problems(|c| c.attribute("t", &Attr::from("A1"), matches("^[a-z]+$"))),
            ["Found `A1`, wanted text that matches `^[a-z]+$`."]
        );
        assert_eq!(
            problems(|c| c.attribute("t", &Attr::<String>::from("äö"), length(..2))),
            ["Found 2 characters, wanted 0 to 1."]
        );
        assert_eq!(
            problems(|c| c.attribute("l", &Attr::Known(vec![1, 9]), each(at_most(5)))),
            ["Element 1: Found 9, wanted at most 5."]
        );
        assert_eq!(
            problems(|c| c.exactly_one_of(&[("a", Presence::Set), ("b", Presence::Set)])),
            ["Of `a`, `b` only one may be set."]
        );
    }
}
