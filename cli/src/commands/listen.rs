//! Who is told what happens while a command works.

use std::io::IsTerminal as _;
use std::sync::Arc;

use plumb_engine::event::{Listener, Silent};
use plumb_model::Sources;

use crate::render::events::Lines;
use crate::render::events::live::Live;
use crate::ui::Ui;

/// How many objects that are being worked on a live display shows at once.
const SHOWN_AT_ONCE: usize = 10;

/// A live display on a terminal, else a line now and then.
pub fn for_steps(steps: usize, ui: &Ui) -> Box<dyn Listener> {
    let sources = Arc::new(Sources::new());
    if ui.json {
        return Box::new(ui.lines(&sources));
    }
    match std::io::stderr().is_terminal() {
        true => Box::new(Live::new(steps, SHOWN_AT_ONCE, ui.err, sources)),
        false => Box::new(Lines::new(std::io::stderr(), ui.err, sources)),
    }
}

/// As [`for_steps`], for planning: where nobody watches, reading is not worth a line for each object.
pub fn for_planning(ui: &Ui) -> Box<dyn Listener> {
    match ui.json || std::io::stderr().is_terminal() {
        true => for_steps(0, ui),
        false => Box::new(Silent),
    }
}
