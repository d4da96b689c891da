//! Checks of a configuration, reported with the attribute they are about.
//!
//! Values that are not known yet pass every check; they are checked again when they are known.

use std::fmt::Display;

use plumb_model::{Diagnostic, Diagnostics, Path};

use crate::attribute::Attr;

/// Collects what is wrong with a configuration.
#[derive(Debug, Default)]
pub struct Checks {
    diagnostics: Diagnostics,
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

    /// Reports anything.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Of the attributes, given by name and whether they are set, exactly one must be. With unknown values,
    /// which may turn out to be null, at least one.
    pub fn exactly_one_of(&mut self, attributes: &[(&str, Presence)]) {
        let set = attributes.iter().filter(|(_, p)| *p == Presence::Set).count();
        let perhaps = attributes.iter().any(|(_, p)| *p == Presence::Perhaps);
        if set == 0 && !perhaps {
            self.push(
                Diagnostic::error("missing-attribute", "Missing attribute")
                    .detail(format!("One of {} must be set.", list(attributes))),
            );
        }
        self.at_most_one_of(attributes);
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

fn list(attributes: &[(&str, Presence)]) -> String {
    attributes.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// At least `min`.
pub fn at_least<T: PartialOrd + Display>(min: T) -> impl FnOnce(&T) -> Result<(), String> {
    move |value| {
        if *value >= min { Ok(()) } else { Err(format!("Found {value}, wanted at least {min}.")) }
    }
}

/// From `min` to `max`.
pub fn between<T: PartialOrd + Display>(min: T, max: T) -> impl FnOnce(&T) -> Result<(), String> {
    move |value| {
        if *value >= min && *value <= max {
            Ok(())
        } else {
            Err(format!("Found {value}, wanted a number from {min} to {max}."))
        }
    }
}

/// One of `allowed`, with a guess which one was meant.
pub fn one_of<'a>(allowed: &'a [&'a str]) -> impl FnOnce(&String) -> Result<(), String> + 'a {
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
pub fn not_empty() -> impl FnOnce(&String) -> Result<(), String> {
    |value| match value.is_empty() {
        true => Err("Found empty text, wanted at least one character.".into()),
        false => Ok(()),
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
            problems(|c| c.exactly_one_of(&[("a", Presence::Set), ("b", Presence::Set)])),
            ["Of `a`, `b` only one may be set."]
        );
    }
}
