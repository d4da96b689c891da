//! The commands: each reads its arguments, asks the engine or the state, and shows what came of it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use plumb_engine::cancel::{Canceller, Urgency};
use plumb_model::{Diagnostic, Sources};

use crate::args::{Cli, Command};
use crate::commands::listen::Voice;
use crate::ui::{Exit, Ui};

mod apply;
mod artifact;
mod completion;
pub(crate) mod configuration;
mod console;
mod explain;
mod fmt;
mod generate;
mod get;
mod graph;
mod history;
mod import;
mod init;
mod inputs_again;
mod interface;
pub(crate) mod listen;
mod metadata;
mod migrate;
mod modules;
mod output;
mod plan;
mod providers;
mod relevant;
mod rollback;
mod share;
mod show;
mod state;
mod validate;
mod version;

/// Runs the command that the arguments ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::read(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output and is no failure; everything else is.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Error as u8 } else { Exit::Done as u8 });
        }
    };
    let ui = Ui::new(cli.no_color, cli.command.tells_json());
    if let Some(directory) = &cli.chdir
        && let Err(error) = std::env::set_current_dir(directory)
    {
        let wrong = Diagnostic::error("no-directory", "Cannot work in this directory")
            .detail(format!("{}: {error}.", directory.display()))
            .help("`-C` takes the directory that holds the configuration.");
        ui.diagnostics(&wrong.into(), &Sources::new());
        return ExitCode::from(Exit::Error as u8);
    }
    ExitCode::from(run(&cli.command, &ui) as u8)
}

fn run(command: &Command, ui: &Ui) -> Exit {
    match command {
        Command::Init(args) => init::run(args, ui),
        Command::Get(args) => get::run(args, ui),
        Command::Modules(args) => modules::run(args, ui),
        Command::Validate(args) => validate::run(args, ui),
        Command::Plan(args) => plan::run(args, ui),
        Command::Apply(args) => apply::run(args, false, ui),
        Command::Destroy(args) => apply::run(args, true, ui),
        Command::Show(args) => show::run(args, ui),
        Command::Output(args) => output::run(args, ui).unwrap_or_else(|trouble| state::report(trouble, ui)),
        Command::State(command) => {
            state::run(command, ui).unwrap_or_else(|trouble| state::report(trouble, ui))
        }
        Command::History(args) => history::run(args, ui).unwrap_or_else(|trouble| state::report(trouble, ui)),
        Command::Rollback(args) => {
            rollback::run(args, ui).unwrap_or_else(|trouble| state::report(trouble, ui))
        }
        Command::Import(args) => import::run(args, ui),
        Command::Graph(args) => graph::run(args, ui),
        Command::Console(args) => console::run(args, ui),
        Command::Explain(args) => explain::run(args, ui),
        Command::Fmt(args) => fmt::run(args, ui),
        Command::Interface(args) => interface::run(args, ui),
        Command::MigrateConfig(args) => migrate::run(args, ui),
        Command::Providers(args) => providers::run(args, ui),
        Command::Metadata(command) => metadata::run(command, ui),
        Command::Completions(args) => {
            let mut out = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "plumb", &mut out);
            ui.result(&String::from_utf8_lossy(&out));
            Exit::Done
        }
        Command::Version(args) => version::run(args, ui),
    }
}

/// The first line of a command that tells what happens as JSON.
fn begin(ui: &Ui) {
    if ui.json {
        ui.lines(&Sources::new()).version(env!("CARGO_PKG_VERSION"));
    }
}

/// Said when planning is interrupted.
const STOPPING_PLAN: &str = "Stopping. Nothing has been changed.";
/// Said when carrying out is interrupted.
const STOPPING_STEPS: &str =
    "Stopping: what runs is finished first. Press again to stop at once; nothing is lost either way.";

/// Works until it is done, and passes interrupts on meanwhile.
fn interruptibly<T>(
    canceller: Canceller,
    stopping: &'static str,
    voice: Voice,
    work: impl Future<Output = T>,
) -> T {
    crate::session::runtime().block_on(async {
        let interrupts = tokio::spawn(watch_interrupts(canceller, stopping, voice));
        let done = work.await;
        interrupts.abort();
        done
    })
}

/// Passes interrupts on, as long as it is polled: the first stops gently, the second at once.
async fn watch_interrupts(canceller: Canceller, stopping: &'static str, voice: Voice) {
    while tokio::signal::ctrl_c().await.is_ok() {
        match canceller.press() {
            Urgency::Graceful => voice.say(stopping),
            _ => return,
        }
    }
}
