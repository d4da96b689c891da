//! Where in a value something is.

use std::fmt;

use ecow::EcoString;

use crate::number::Number;

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// An attribute of an object.
    Attribute(EcoString),
    /// An element of a map.
    Key(EcoString),
    /// An element of a list or tuple.
    Index(usize),
    /// Any element of a set, since they cannot be told apart by a path, or of a collection whose key is unknown.
    Any,
}

/// Steps from a value to a part of it. The empty path is the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The value itself.
    pub fn root() -> Path {
        Path::default()
    }

    /// This path and one step further.
    pub fn then(&self, step: Step) -> Path {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Path(steps)
    }

    /// This path and an attribute further.
    pub fn attribute(&self, name: impl Into<EcoString>) -> Path {
        self.then(Step::Attribute(name.into()))
    }

    /// A single attribute of the root.
    pub fn of(name: impl Into<EcoString>) -> Path {
        Path::root().attribute(name)
    }

    /// Whether this is the value itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `self` is `prefix` or lies below it. [`Step::Any`] matches every step.
    pub fn starts_with(&self, prefix: &Path) -> bool {
        self.0.len() >= prefix.0.len()
            && self.0.iter().zip(&prefix.0).all(|(a, b)| a == b || *a == Step::Any || *b == Step::Any)
    }

    /// The name of the first step, if it is an attribute.
    pub fn first_attribute(&self) -> Option<&EcoString> {
        match self.0.first() {
            Some(Step::Attribute(name)) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    /// As an author would write it behind a value's name: `tags["a"].rules[0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if i == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Any => write!(f, "[*]")?,
            }
        }
        Ok(())
    }
}

impl From<Number> for Step {
    /// A whole number as an index; others, which index nothing, as [`Step::Any`].
    fn from(number: Number) -> Step {
        number.to_i64().and_then(|n| usize::try_from(n).ok()).map_or(Step::Any, Step::Index)
    }
}
