//! A terminal that shows what is running.
//!
//! The last lines of the terminal name the steps that are running and since when, and how far the whole is; what has
//! ended scrolls away above them. At most a handful of steps are shown, the ones that began first; the others are
//! counted. Drawing is left to indicatif, which redraws at a bounded rate and in one write, so that nothing flickers.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use plumb_engine::event::{Event, Listener};
use plumb_model::Sources;
use plumb_model::address::Instance;

use super::super::style::Style;
use super::super::{diagnostic, escape, value};
use super::{painted, verbs};

/// How often what has no event of its own, such as elapsed time, is drawn again.
const TICK: Duration = Duration::from_millis(200);

/// The live display. Dropping it removes what is running and leaves what has ended.
pub struct Live {
    bars: MultiProgress,
    style: Style,
    sources: Arc<Sources>,
    /// How many steps are shown at once.
    most: usize,
    running: IndexMap<Instance, Running>,
    shown: usize,
    total: ProgressBar,
    counts: Counts,
}

struct Running {
    text: String,
    bar: Option<ProgressBar>,
    began: std::time::Instant,
}

#[derive(Default)]
struct Counts {
    steps: usize,
    done: usize,
    failed: usize,
    read: usize,
}

impl Live {
    /// A display on standard error for so many steps (0 if that is not known), of which at most `most` are shown.
    pub fn new(steps: usize, most: usize, style: Style, sources: Arc<Sources>) -> Live {
        Live::on(ProgressDrawTarget::stderr(), steps, most, style, sources)
    }

    /// A display elsewhere.
    pub fn on(
        target: ProgressDrawTarget,
        steps: usize,
        most: usize,
        style: Style,
        sources: Arc<Sources>,
    ) -> Live {
        let bars = MultiProgress::with_draw_target(target);
        let total = bars.add(ProgressBar::new_spinner());
        total.set_style(template("{msg}"));
        Live {
            bars,
            style,
            sources,
            most: most.max(1),
            running: IndexMap::new(),
            shown: 0,
            total,
            counts: Counts { steps, ..Counts::default() },
        }
    }

    /// What is drawn on the terminal, for whoever has to say something beside it.
    pub fn bars(&self) -> MultiProgress {
        self.bars.clone()
    }

    /// Removes what is running from the terminal, for example to ask a question.
    pub fn clear(&mut self) {
        for (_, running) in self.running.drain(..) {
            running.bar.iter().for_each(ProgressBar::finish_and_clear);
        }
        self.shown = 0;
        self.total.finish_and_clear();
    }

    fn start(&mut self, address: &Instance, text: String) {
        let running = Running { text, bar: None, began: std::time::Instant::now() };
        self.running.insert(address.clone(), running);
        self.show_more();
    }

    fn end(&mut self, address: &Instance) {
        // The order in which steps began is the order in which they are shown.
        if let Some(bar) = self.running.shift_remove(address).and_then(|running| running.bar) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
            self.shown -= 1;
        }
        self.show_more();
    }

    /// Gives lines to the steps that began first and have none.
    fn show_more(&mut self) {
        while self.shown < self.most && self.shown < self.running.len() {
            let Some((_, running)) = self.running.iter_mut().find(|(_, running)| running.bar.is_none())
            else {
                break;
            };
            let bar = self.bars.insert_before(&self.total, ProgressBar::new_spinner());
            bar.set_style(template("  {spinner} {wide_msg} {elapsed:>4}"));
            bar.set_elapsed(running.began.elapsed());
            bar.set_message(running.text.clone());
            bar.enable_steady_tick(TICK);
            running.bar = Some(bar);
            self.shown += 1;
        }
        self.total.set_message(self.totals());
    }

    fn totals(&self) -> String {
        let Counts { steps, done, failed, read } = self.counts;
        let mut parts = Vec::new();
        if read > 0 && done == 0 {
            parts.push(format!("{} read", value::count(read, "object")));
        }
        if done > 0 || steps > 0 {
            let of = if steps > 0 { format!(" of {steps}") } else { String::new() };
            parts.push(format!("{done}{of} done"));
        }
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        if self.running.len() > self.shown {
            parts.push(format!("{} more running", self.running.len() - self.shown));
        }
        if parts.is_empty() { String::new() } else { format!("  {}", parts.join(", ")) }
    }

    fn say(&self, text: &str) {
        // A display that cannot be drawn does not stop the work.
        let _ = self.bars.println(text);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Listener for Live {
    fn event(&mut self, event: Event) {
        match &event {
            Event::ReadStarted { .. } | Event::StepProgress { .. } => {}
            Event::ReadEnded { .. } => {
                self.counts.read += 1;
                self.total.set_message(self.totals());
            }
            Event::StepStarted { address, action, .. } => {
                let text = format!("{}: {}", escape::line(&address.to_string()), verbs(*action).doing);
                self.start(address, text);
            }
            Event::Diagnostic(d) => self.say(&diagnostic::one(d, &self.sources, &self.style)),
            Event::StepEnded { address, .. }
            | Event::StepFailed { address, .. }
            | Event::StepSkipped { address, .. } => {
                match &event {
                    Event::StepEnded { .. } => self.counts.done += 1,
                    _ => self.counts.failed += 1,
                }
                if let Some(line) = painted(&event, &self.style) {
                    self.say(&line);
                }
                self.end(address);
            }
            Event::ProvisionStarted { .. }
            | Event::ProvisionEnded { .. }
            | Event::InvokeStarted { .. }
            | Event::InvokeProgress { .. }
            | Event::InvokeEnded { .. }
            | Event::Output { .. } => {
                if let Some(line) = painted(&event, &self.style) {
                    self.say(&line);
                }
            }
        }
    }
}

fn template(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates in this module are well formed")
}
