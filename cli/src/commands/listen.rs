//! Who is told what happens while a command works.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use indicatif::MultiProgress;
use plumb_engine::event::{Listener, Silent};
use plumb_model::Sources;

use crate::render::events::Lines;
use crate::render::events::live::Live;
use crate::ui::Ui;

/// How many objects that are being worked on a live display shows at once.
const SHOWN_AT_ONCE: usize = 10;

/// What a person is told by others than the listener, who may have drawn on the terminal.
pub enum Voice {
    /// Above a live display.
    Above(MultiProgress),
    /// On standard error.
    Plain,
}

impl Voice {
    /// Says a line.
    pub fn say(&self, text: &str) {
        // Nobody can be told that nobody can be told.
        let _ = match self {
            Voice::Above(bars) => bars.println(text),
            Voice::Plain => writeln!(std::io::stderr().lock(), "\n{text}"),
        };
    }
}

/// A live display on a terminal, else a line now and then.
pub fn for_steps(steps: usize, ui: &Ui) -> (Box<dyn Listener>, Voice) {
    let sources = Arc::new(Sources::new());
    if ui.json {
        return (Box::new(ui.lines(&sources)), Voice::Plain);
    }
    if !std::io::stderr().is_terminal() {
        return (Box::new(Lines::new(std::io::stderr(), ui.err, sources)), Voice::Plain);
    }
    let live = Live::new(steps, SHOWN_AT_ONCE, ui.err, sources);
    let voice = Voice::Above(live.bars());
    (Box::new(live), voice)
}

/// As [`for_steps`], for planning: where nobody watches, reading is not worth a line for each object.
pub fn for_planning(ui: &Ui) -> (Box<dyn Listener>, Voice) {
    match ui.json || std::io::stderr().is_terminal() {
        true => for_steps(0, ui),
        false => (Box::new(Silent), Voice::Plain),
    }
}
