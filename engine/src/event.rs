//! What happens while a command works, for whoever shows it.
//!
//! The engine prints nothing. It tells a [`Listener`] what begins and ends; the command line turns that into a live
//! display, lines, or Terraform's JSON lines.

use std::time::Duration;

use ecow::EcoString;
use plumb_model::Diagnostic;
use plumb_model::address::Instance;

use crate::plan::Action;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// An object begins to be read.
    ReadStarted {
        /// The instance.
        address: Instance,
        /// What tells the object apart, as attribute name and text, where it has an `id` or the like.
        id: Option<(EcoString, EcoString)>,
    },
    /// An object has been read.
    ReadEnded {
        /// The instance.
        address: Instance,
        /// What tells the object apart.
        id: Option<(EcoString, EcoString)>,
        /// How long it took.
        took: Duration,
    },
    /// A provider has been asked to do something to an object.
    StepStarted {
        /// The instance.
        address: Instance,
        /// What is done: never a replacement, whose halves are two steps.
        action: Action,
        /// What tells the object apart.
        id: Option<(EcoString, EcoString)>,
    },
    /// A step is still running.
    StepProgress {
        /// The instance.
        address: Instance,
        /// What is done.
        action: Action,
        /// Since when.
        elapsed: Duration,
    },
    /// A step is done.
    StepEnded {
        /// The instance.
        address: Instance,
        /// What was done.
        action: Action,
        /// What tells the object apart.
        id: Option<(EcoString, EcoString)>,
        /// How long it took.
        took: Duration,
    },
    /// A step failed.
    StepFailed {
        /// The instance.
        address: Instance,
        /// What was to be done.
        action: Action,
        /// How long it took.
        took: Duration,
    },
    /// A step is not tried because something it depends on failed.
    StepSkipped {
        /// The instance.
        address: Instance,
        /// What was to be done.
        action: Action,
        /// What failed.
        because: EcoString,
    },
    /// A provisioner begins to run.
    ProvisionStarted {
        /// The instance.
        address: Instance,
        /// The type of the provisioner.
        kind: EcoString,
    },
    /// A provisioner has run.
    ProvisionEnded {
        /// The instance.
        address: Instance,
        /// The type of the provisioner.
        kind: EcoString,
        /// Whether it did what it should.
        done: bool,
    },
    /// An action begins to be invoked.
    InvokeStarted {
        /// The action.
        address: Instance,
    },
    /// An action says what it is doing.
    InvokeProgress {
        /// The action.
        address: Instance,
        /// What it says.
        message: EcoString,
    },
    /// An action has ended.
    InvokeEnded {
        /// The action.
        address: Instance,
        /// How long it took.
        took: Duration,
        /// Whether it did what it should.
        done: bool,
    },
    /// A program that a provisioner runs, or a plugin, wrote a line.
    Output {
        /// Where it comes from.
        from: EcoString,
        /// The line.
        line: EcoString,
    },
    /// A message to the user that cannot wait.
    Diagnostic(Box<Diagnostic>),
}

/// Who is told what happens. Calls come from one task and must return soon.
pub trait Listener: Send {
    /// Something happened.
    fn event(&mut self, event: Event);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Listener for Silent {
    fn event(&mut self, _: Event) {}
}
