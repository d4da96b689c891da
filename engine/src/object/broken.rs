//! A promise that a provider did not keep, and how a check collects several of them.

use ecow::EcoString;
use plumb_model::{Path, Step};

/// Something in an object that is not as the provider contract demands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_root() { String::new() } else { format!("{path}: ") })]
pub struct Broken {
    /// Where in the object.
    pub path: Path,
    /// What is wrong there, as the predicate of a sentence about that place: "is planned as null although …". It
    /// never quotes a value, which may be sensitive.
    pub problem: EcoString,
}

/// What a check has found so far, and where it is.
#[derive(Default)]
pub(super) struct Findings {
    path: Path,
    found: Vec<Broken>,
}

impl Findings {
    /// Goes one step further for as long as `check` runs.
    pub(super) fn within<R>(&mut self, step: Step, check: impl FnOnce(&mut Findings) -> R) -> R {
        self.path.0.push(step);
        let result = check(self);
        self.path.0.pop();
        result
    }

    /// The same, where there may be no step to go.
    pub(super) fn maybe_within<R>(
        &mut self,
        step: Option<Step>,
        check: impl FnOnce(&mut Findings) -> R,
    ) -> R {
        match step {
            Some(step) => self.within(step, check),
            None => check(self),
        }
    }

    /// Something is wrong here.
    pub(super) fn report(&mut self, problem: impl Into<EcoString>) {
        self.found.push(Broken { path: self.path.clone(), problem: problem.into() });
    }

    /// What was found, in the order in which it was found.
    pub(super) fn finish(self) -> Vec<Broken> {
        self.found
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }
}
