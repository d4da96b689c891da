//! Shows how providers are installed: live on a terminal, as lines elsewhere, as lines of JSON where they are asked for.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use plumb_model::Sources;
use plumb_provider_install::progress::{How, Progress, Step};
use plumb_provider_install::version::Version;
use plumb_provider_install::{Address, LockFile, Platform};

use crate::ui::Ui;

/// Shows what happens to providers.
pub struct Installing<'a> {
    ui: &'a Ui,
    /// What was locked before.
    before: &'a LockFile,
    /// Whether packages of several platforms are fetched, and lines name the platform.
    platforms: bool,
    live: Option<MultiProgress>,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    bars: BTreeMap<(Address, Platform), ProgressBar>,
    /// Why a version was chosen, by provider.
    why: BTreeMap<Address, String>,
}

impl<'a> Installing<'a> {
    /// Shows the installation of providers of which `before` was locked.
    pub fn new(ui: &'a Ui, before: &'a LockFile) -> Installing<'a> {
        let live = !ui.json && std::io::stderr().is_terminal();
        let live = live.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Installing { ui, before, platforms: false, live, shown: Mutex::default() }
    }

    /// With the platform in every line.
    pub fn with_platforms(self) -> Installing<'a> {
        Installing { platforms: true, ..self }
    }

    fn say(&self, text: &str) {
        match &self.live {
            // A terminal that cannot be written to is nobody who listens.
            Some(live) => drop(live.println(text)),
            None if self.ui.json => self.ui.lines(&Sources::new()).log(text),
            None => self.ui.remark(text),
        }
    }

    fn name(&self, address: &Address, platform: &Platform, version: &Version) -> String {
        let platform = if self.platforms { format!(" for {platform}") } else { String::new() };
        format!("Provider {address} {version}{platform}")
    }

    fn why(&self, address: &Address, version: &Version, shown: &Shown) -> String {
        match self.before.providers.get(address) {
            Some(was) if was.version == *version => "as locked".to_owned(),
            Some(was) => format!("instead of {}", was.version),
            None => shown.why.get(address).cloned().unwrap_or_else(|| "newest".to_owned()),
        }
    }
}

/// What is known about where a package comes from.
fn origin(how: &How) -> String {
    match how {
        How::AlreadyThere => "already installed".to_owned(),
        How::Cached => "from the shared cache".to_owned(),
        How::Linked(folder) => format!("linked to {}", folder.display()),
        How::Unverified => "not signed".to_owned(),
        How::Checked => "checked by its mirror's hash".to_owned(),
        How::Signed(key) => format!("signed by key {key}"),
    }
}

fn bar(text: String) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix}: {bytes} of {total_bytes} {wide_bar}");
    // The template is right, and the usual style also shows what matters.
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_prefix(text)
}

impl Progress for Installing<'_> {
    fn tell(&self, address: &Address, platform: &Platform, step: Step) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (address.clone(), platform.clone());
        match step {
            Step::Choosing(constraints) => {
                let why =
                    if constraints.is_empty() { "newest".into() } else { format!("newest of {constraints}") };
                shown.why.insert(address.clone(), why);
            }
            Step::Reusing(_) => {}
            Step::Fetching(version) => {
                let name = self.name(address, platform, &version);
                match &self.live {
                    Some(live) => drop(shown.bars.insert(key, live.add(bar(name)))),
                    None => self.say(&format!("{name}: fetching…")),
                }
            }
            Step::Received(received, total) => {
                if let Some(bar) = shown.bars.get(&key) {
                    bar.set_length(total.unwrap_or(received));
                    bar.set_position(received);
                }
            }
            Step::Done(version, how) => {
                if let Some(bar) = shown.bars.remove(&key) {
                    bar.finish_and_clear();
                }
                let name = self.name(address, platform, &version);
                let text = match self.platforms {
                    true => format!("{name}: {}.", origin(&how)),
                    false => {
                        let done = if how == How::AlreadyThere { "" } else { "installed, " };
                        format!("{name}: {done}{} ({}).", origin(&how), self.why(address, &version, &shown))
                    }
                };
                self.say(&text);
            }
            Step::Failed => {
                if let Some(bar) = shown.bars.remove(&key) {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
