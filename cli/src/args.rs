//! What can be typed after `plumb`.
//!
//! Flags are written in Terraform's way (`-out=plan`, `-auto-approve`) or in GNU's (`--out plan`): [`normalize`] turns
//! the first into the second before clap sees them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use plumb_provider_install::{Address, Platform};
use plumb_semantics::inputs::InputOption;

/// Keeps systems true to what is written down.
///
/// Declare resources in `.cfg` files (or the `.tf` files that you have), look at what would change, and carry it out.
/// Every change is journaled and can be gone back to.
#[derive(Debug, Parser)]
#[command(
    name = "plumb",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  plumb plan                       what would change, and why
  plumb apply                      show it, ask, and carry it out
  plumb plan -out=change.plan      keep the plan: what was reviewed is what is done
  plumb apply change.plan
  plumb history                    what was done, when, by whom
  plumb rollback                   take the last operation back
  plumb -C examples/first apply    work in another directory

Flags are written -like=this or --like this. `plumb COMMAND --help` shows each command."
)]
pub struct Cli {
    /// Work in this directory.
    #[arg(short = 'C', long = "chdir", value_name = "DIR", global = true)]
    pub chdir: Option<PathBuf>,
    /// No colours, whatever the terminal can do.
    #[arg(long, global = true)]
    pub no_color: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prepare a directory: install what it needs.
    Init(InitArgs),
    /// Install the modules that the configuration calls.
    #[command(after_help = "\
Examples:
  plumb get                        what the lock says, and what it does not know yet
  plumb get -upgrade               the newest that the addresses and versions allow
  plumb get -lockfile=readonly     exactly what the lock says, or fail")]
    Get(GetArgs),
    /// Which modules the configuration calls.
    Modules(ModulesArgs),
    /// Check the configuration; needs nothing but the files.
    Validate(ValidateArgs),
    /// Show what would change, and change nothing.
    #[command(after_help = "\
Exit codes: 0 done, 1 error; with -detailed-exitcode also 2: there are changes.

Examples:
  plumb plan -out=change.plan
  plumb plan -target='module.queues[\"sales\"]'
  plumb plan -format=markdown > plan.md        for a pull request
  plumb plan -destroy")]
    Plan(PlanArgs),
    /// Carry out a plan: the one in a file exactly as it is, or a new one after showing it.
    #[command(after_help = "\
Examples:
  plumb apply                          plan, show, ask, apply
  plumb apply -auto-approve            the same without asking
  plumb apply change.plan              exactly that plan, if state has not moved
  plumb apply -reason='CHG-1042'       kept in the history")]
    Apply(ApplyArgs),
    /// Delete everything that the configuration manages.
    Destroy(ApplyArgs),
    /// Take operations back: plan the way to the state before one, show it, and carry it out.
    #[command(after_help = "\
Examples:
  plumb rollback            take the last operation back
  plumb rollback 7          back to the state before operation 7
  plumb history show 7      what it did")]
    Rollback(RollbackArgs),
    /// Show a saved plan, or what is recorded.
    Show(ShowArgs),
    /// Show the outputs.
    Output(OutputArgs),
    /// Look at what is recorded, or edit it.
    #[command(subcommand)]
    State(StateCommand),
    /// What was done, when, by whom and why.
    History(HistoryArgs),
    /// Take an existing object under management.
    Import(ImportArgs),
    /// Print what depends on what, for Graphviz.
    Graph(GraphArgs),
    /// Try expressions, one a line.
    Console(ConsoleArgs),
    /// Put files into the standard layout.
    Fmt(FmtArgs),
    /// What a diagnostic means, by its code: an example that leads to it, and one that does not.
    Explain(ExplainArgs),
    /// What a module takes and gives, without evaluating it.
    Interface(InterfaceArgs),
    /// Turn `.tf` files into `.cfg` files that mean the same.
    #[command(after_help = "\
Examples:
  plumb migrate-config           only say what would be done
  plumb migrate-config -write    do it

Directories of local modules are turned too. Comments and layout stay; no plan changes.")]
    MigrateConfig(MigrateArgs),
    /// Which providers the configuration needs.
    Providers(ProvidersArgs),
    /// What the language offers, as JSON.
    #[command(subcommand)]
    Metadata(MetadataCommand),
    /// Print completions for a shell.
    Completions(CompletionArgs),
    /// Print the version.
    Version(VersionArgs),
}

/// `plumb init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Take the newest acceptable versions instead of the locked ones.
    #[arg(long)]
    pub upgrade: bool,
    /// Accepted for scripts; Plumb asks nothing here.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", hide = true, action = clap::ArgAction::Set)]
    pub input: bool,
    /// `readonly`: fail instead of changing the lock files.
    #[arg(long, value_name = "MODE")]
    pub lockfile: Option<String>,
    /// Whether to install modules.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = clap::ArgAction::Set)]
    pub get: bool,
    /// Begin with a copy of this module, in a directory without configuration.
    #[arg(long, value_name = "SOURCE")]
    pub from_module: Option<String>,
    /// Look for plugins here and nowhere else.
    #[arg(long, value_name = "DIR")]
    pub plugin_dir: Vec<PathBuf>,
    /// Tell what happens as lines of JSON.
    #[arg(long)]
    pub json: bool,
    /// Accepted for scripts: state is found where it is.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", hide = true, action = clap::ArgAction::Set)]
    pub backend: bool,
    /// Accepted for scripts.
    #[arg(long, hide = true)]
    pub reconfigure: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: VariableArgs,
}

/// `plumb get`
#[derive(Debug, Args)]
pub struct GetArgs {
    /// Take the newest of what the addresses and versions allow instead of what is locked.
    #[arg(long, visible_alias = "update")]
    pub upgrade: bool,
    /// `readonly`: fail instead of changing the lock.
    #[arg(long, value_name = "MODE")]
    pub lockfile: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: VariableArgs,
}

/// `plumb modules`
#[derive(Debug, Args)]
pub struct ModulesArgs {
    /// The result as JSON, as Terraform prints it.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: VariableArgs,
}

/// `plumb validate`
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The result as JSON.
    #[arg(long)]
    pub json: bool,
    /// Make the changes that are safe without a person looking, and show them.
    #[arg(long)]
    pub fix: bool,
    /// With -fix: only show the changes, and write nothing.
    #[arg(long, requires = "fix")]
    pub diff: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: VariableArgs,
}

/// Whether somebody may be asked.
#[derive(Clone, Debug, Args)]
pub struct AskingArgs {
    /// Whether to ask for variables without a value, where somebody sits at the terminal.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = clap::ArgAction::Set, help_heading = "Variables")]
    pub input: bool,
}

/// Values for variables.
#[derive(Clone, Debug, Default, Args)]
pub struct VariableArgs {
    /// The value of a variable: NAME=VALUE. May be given many times.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment, help_heading = "Variables")]
    pub var: Vec<String>,
    /// A file of values (.tfvars or .tfvars.json). May be given many times.
    #[arg(long, value_name = "FILE", help_heading = "Variables")]
    pub var_file: Vec<PathBuf>,
    /// Both kinds in the order in which they were given, since later ones win.
    #[arg(skip)]
    pub in_order: Vec<InputOption>,
}

impl Cli {
    /// Reads arguments that [`normalize`] has gone over.
    ///
    /// # Errors
    /// What clap has to say: wrong usage, or help that was asked for.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
        let matches = Cli::command().try_get_matches_from(normalize(arguments))?;
        let mut cli = Cli::from_arg_matches(&matches)?;
        if let (Some(variables), Some((_, matches))) = (cli.command.variables(), matches.subcommand()) {
            variables.in_order = in_order(variables, matches);
        }
        Ok(cli)
    }
}

fn in_order(variables: &VariableArgs, matches: &clap::ArgMatches) -> Vec<InputOption> {
    let indices = |id: &str| matches.indices_of(id).into_iter().flatten();
    let values = variables.var.iter().map(|text| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        InputOption::Variable(name.into(), value.into())
    });
    let files = variables.var_file.iter().map(|path| InputOption::File(path.clone()));
    let mut all: Vec<(usize, InputOption)> =
        indices("var").zip(values).chain(indices("var_file").zip(files)).collect();
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, option)| option).collect()
}

impl Command {
    /// Whether what happens is told as lines of JSON.
    pub fn tells_json(&self) -> bool {
        match self {
            Command::Init(args) => args.json,
            Command::Plan(args) => args.json,
            Command::Apply(args) | Command::Destroy(args) => args.json,
            _ => false,
        }
    }

    /// The values of variables that it was given, if it takes any.
    fn variables(&mut self) -> Option<&mut VariableArgs> {
        match self {
            Command::Init(args) => Some(&mut args.variables),
            Command::Get(args) => Some(&mut args.variables),
            Command::Modules(args) => Some(&mut args.variables),
            Command::Validate(args) => Some(&mut args.variables),
            Command::Plan(args) => Some(&mut args.planning.variables),
            Command::Apply(args) | Command::Destroy(args) => Some(&mut args.planning.variables),
            Command::Rollback(args) => Some(&mut args.variables),
            Command::Import(args) => Some(&mut args.variables),
            Command::Console(args) => Some(&mut args.variables),
            _ => None,
        }
    }
}

/// `NAME=VALUE`
fn assignment(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        _ => Err("write NAME=VALUE, for example -var 'region=eu-1'".to_owned()),
    }
}

/// Waiting for others who use the same state.
#[derive(Clone, Debug, Args)]
pub struct LockArgs {
    /// Whether to keep others from changing state at the same time.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = clap::ArgAction::Set, help_heading = "State")]
    pub lock: bool,
    /// How long to wait for someone who changes state: 30s, 5m.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration, help_heading = "State")]
    pub lock_timeout: std::time::Duration,
}

/// What to plan.
#[derive(Clone, Debug, Args)]
pub struct PlanningArgs {
    /// Plan to delete everything.
    #[arg(long, help_heading = "What to plan")]
    pub destroy: bool,
    /// Plan to record what was changed outside, and to change nothing.
    #[arg(long, conflicts_with = "destroy", help_heading = "What to plan")]
    pub refresh_only: bool,
    /// Whether to look at objects before planning.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = clap::ArgAction::Set, help_heading = "What to plan")]
    pub refresh: bool,
    /// Plan only this module, resource or instance, and what it needs. May be given many times.
    #[arg(long, value_name = "ADDRESS", help_heading = "What to plan")]
    pub target: Vec<String>,
    /// Plan everything but this, and what needs it. May be given many times.
    #[arg(long, value_name = "ADDRESS", help_heading = "What to plan")]
    pub exclude: Vec<String>,
    /// Replace this instance whatever is found. May be given many times.
    #[arg(long, value_name = "ADDRESS", help_heading = "What to plan")]
    pub replace: Vec<String>,
    /// Invoke this action, and change no resource. May be given many times.
    #[arg(long, value_name = "ADDRESS", help_heading = "What to plan", conflicts_with_all = ["destroy", "refresh_only", "target", "exclude", "replace"])]
    pub invoke: Vec<String>,
    /// How many calls to providers may run at once.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..), help_heading = "How")]
    pub parallelism: u16,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskingArgs,
    /// Accepted for scripts; unchanged parts are always left out.
    #[arg(long, hide = true)]
    pub compact_warnings: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: VariableArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub lock: LockArgs,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For a terminal.
    #[default]
    Text,
    /// For a pull request.
    Markdown,
    /// Terraform's plan JSON.
    Json,
}

/// `plumb plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub planning: PlanningArgs,
    /// Keep the plan in this file, to be applied exactly as it is.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Write configuration for `import` blocks without a resource into this file, which must be new.
    #[arg(long, value_name = "FILE", help_heading = "What to plan")]
    pub generate_config_out: Option<PathBuf>,
    /// Exit with 2 if there are changes.
    #[arg(long, help_heading = "Output")]
    pub detailed_exitcode: bool,
    /// What happens as JSON lines, as Terraform prints them.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// How the plan is shown.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: PlanFormat,
}

/// `plumb apply`, `plumb destroy`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A plan made with `plumb plan -out`.
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub planning: PlanningArgs,
    /// Do not ask.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = clap::ArgAction::Set, value_name = "BOOL", hide_default_value = true)]
    pub auto_approve: bool,
    /// Why this is done; kept in the history.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// What happens as JSON lines, as Terraform prints them.
    #[arg(long)]
    pub json: bool,
}

/// `plumb rollback`
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The operation to go back before; the last one if not given.
    pub operation: Option<u64>,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// Show the way back, and change nothing.
    #[arg(long)]
    pub preview: bool,
    /// Why this is done; kept in the history.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// How many calls to providers may run at once.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub parallelism: u16,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskingArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: VariableArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub lock: LockArgs,
}

/// `plumb show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A saved plan; what is recorded if not given.
    pub file: Option<PathBuf>,
    /// As Terraform's JSON.
    #[arg(long)]
    pub json: bool,
    /// How a plan is shown.
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
}

/// `plumb output`
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// One output; all if not given.
    pub name: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// A single text, number or bool without quotes.
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub raw: bool,
}

/// `plumb state`
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List what is recorded.
    List {
        /// Only these modules, resources or instances.
        addresses: Vec<String>,
    },
    /// Show what is recorded of an instance.
    Show {
        /// The instance.
        address: String,
    },
    /// Stop managing something; the object stays.
    Rm {
        /// What to drop.
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Only say what would be dropped.
        #[arg(long)]
        dry_run: bool,
        /// Why this is done; kept in the history.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        lock: LockArgs,
    },
    /// Record something under another address.
    Mv {
        /// Where it is.
        from: String,
        /// Where it goes.
        to: String,
        /// Only say what would be moved.
        #[arg(long)]
        dry_run: bool,
        /// Why this is done; kept in the history.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        lock: LockArgs,
    },
    /// Take over a Terraform state file (format 4).
    Import {
        /// The file.
        file: PathBuf,
        /// Why this is done; kept in the history.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        lock: LockArgs,
    },
    /// Write a Terraform state file (format 4).
    #[command(alias = "pull")]
    Export {
        /// The file; standard output if not given.
        file: Option<PathBuf>,
    },
}

/// `plumb history`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HistoryArgs {
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub command: Option<HistoryCommand>,
    /// How many operations to list.
    #[arg(short = 'n', long, default_value_t = 20)]
    pub limit: usize,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `plumb history show`
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// What an operation did, step by step.
    Show {
        /// Its number.
        operation: u64,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// `plumb import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The instance that it becomes; its block must be there.
    pub address: String,
    /// What tells the object apart, as the resource type documents.
    pub id: String,
    /// Why this is done; kept in the history.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskingArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: VariableArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub lock: LockArgs,
}

/// `plumb graph`
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// Also variables, locals, outputs and providers.
    #[arg(long)]
    pub all: bool,
}

/// `plumb console`
#[derive(Debug, Args)]
pub struct ConsoleArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub variables: VariableArgs,
    /// Evaluate with planned values.
    #[arg(long)]
    pub plan: bool,
}

/// `plumb fmt`
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files or directories; `-` for standard input.
    pub paths: Vec<PathBuf>,
    /// Change nothing, exit with 3 if something is not in the layout.
    #[arg(long)]
    pub check: bool,
    /// Show what changes.
    #[arg(long)]
    pub diff: bool,
    /// Also directories below.
    #[arg(long)]
    pub recursive: bool,
    /// Whether to name the files that change.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = clap::ArgAction::Set)]
    pub list: bool,
    /// Whether to write the files.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = clap::ArgAction::Set)]
    pub write: bool,
}

/// `plumb providers`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ProvidersArgs {
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub command: Option<ProvidersCommand>,
}

/// `plumb providers …`
#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    /// Add the hashes of packages for other platforms to the lock file.
    #[command(after_help = "\
Examples:
  plumb providers lock -platform=linux_amd64 -platform=darwin_arm64
  plumb providers lock -fs-mirror=/srv/providers")]
    Lock(ProvidersLockArgs),
    /// Fetch the packages into a folder that is a mirror then.
    #[command(after_help = "\
The folder is good for `filesystem_mirror` and, served over HTTPS, for `network_mirror`.

Example:
  plumb providers mirror -platform=linux_amd64 /srv/providers")]
    Mirror(ProvidersMirrorArgs),
    /// Let Terraform and OpenTofu use the providers that are compiled into Plumb.
    #[command(after_help = "\
It makes a small program for each provider in DIRECTORY, and prints the lines that tell Terraform to look there:

  plumb providers link ~/plumb-providers >> ~/.terraformrc

Modules then name a provider by its address, which Plumb knows too: the same files work with both.

  terraform {
    required_providers {
      file = {
        source = \"plumb.local/builtin/file\"
      }
    }
  }")]
    Link {
        /// Where the programs are put.
        directory: PathBuf,
    },
    /// Serve a provider that is compiled into Plumb as a plugin: what `plumb providers link` makes does this.
    Serve {
        /// The name of the provider.
        name: String,
        /// Serve without encryption, one host after another, and print the `TF_REATTACH_PROVIDERS` with which they find
        /// it.
        #[arg(long)]
        debug: bool,
    },
    /// What the providers offer, as Terraform's JSON.
    Schema {
        /// As JSON, which is the only form.
        #[arg(long)]
        json: bool,
    },
}

/// `plumb providers lock`
#[derive(Debug, Args)]
pub struct ProvidersLockArgs {
    /// For this platform; may be given many times. Without it, for this one.
    #[arg(long, value_name = "OS_ARCH")]
    pub platform: Vec<Platform>,
    /// From this folder instead of the registry.
    #[arg(long, value_name = "DIR", conflicts_with = "net_mirror")]
    pub fs_mirror: Option<PathBuf>,
    /// From this network mirror instead of the registry.
    #[arg(long, value_name = "URL")]
    pub net_mirror: Option<String>,
    /// Only for these providers, by their source.
    #[arg(value_name = "PROVIDER")]
    pub providers: Vec<Address>,
}

/// `plumb providers mirror`
#[derive(Debug, Args)]
pub struct ProvidersMirrorArgs {
    /// For this platform; may be given many times. Without it, for this one.
    #[arg(long, value_name = "OS_ARCH")]
    pub platform: Vec<Platform>,
    /// `-lock-file=false`: the newest versions instead of the locked ones.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", action = clap::ArgAction::Set)]
    pub lock_file: bool,
    /// The folder.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `plumb metadata`
#[derive(Debug, Subcommand)]
pub enum MetadataCommand {
    /// The functions of the language.
    Functions {
        /// As JSON, which is the only form.
        #[arg(long)]
        json: bool,
    },
}

/// `plumb interface`
#[derive(Debug, Args)]
pub struct InterfaceArgs {
    /// The directory of the module.
    #[arg(default_value = ".")]
    pub directory: PathBuf,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Only the JSON Schema of the inputs, for editors of `.tfvars.json` files.
    #[arg(long, conflicts_with = "json")]
    pub schema: bool,
}

/// `plumb migrate-config`
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Write the `.cfg` files and remove the others.
    #[arg(long)]
    pub write: bool,
}

/// `plumb explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, as it is shown behind the first line of a diagnostic; all codes are listed if not given.
    #[arg(value_parser = CodeParser, hide_possible_values = true)]
    pub code: Option<String>,
}

/// Takes any text, and tells shells which codes there are.
#[derive(Clone, Debug)]
struct CodeParser;

impl TypedValueParser for CodeParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(crate::explain::PAGES.iter().map(|page| PossibleValue::new(page.code))))
    }
}

/// `plumb completions`
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// `plumb version`
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Turns flags of one dash and many letters into those of two dashes: `-out=x` into `--out=x`. What follows `--` is
/// left as it is, and so are single letters and negative numbers.
pub fn normalize(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut plain = false;
    let turn = |arg: OsString| {
        plain |= arg == "--";
        let Some(text) = arg.to_str().filter(|_| !plain) else { return arg };
        let Some(flag) = text.strip_prefix('-') else { return arg };
        let name = flag.split('=').next().unwrap_or(flag);
        let long = name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if long { format!("--{flag}").into() } else { arg }
    };
    args.into_iter().map(turn).collect()
}

/// A duration as `30s`, `5m`, `1h30m`; a number alone is seconds.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as `30s` or `5m`");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(std::time::Duration::from_secs(seconds));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    span.try_into().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_flags_mean_the_same() {
        let parse = |args: &[&str]| {
            Cli::read(args.iter().map(OsString::from))
                .map(|cli| format!("{cli:?}"))
                .map_err(|e| e.to_string())
        };
        assert_eq!(
            parse(&["plumb", "-chdir=x", "plan", "-out=p", "-var", "a=-b", "-refresh=false"]).unwrap(),
            parse(&["plumb", "--chdir", "x", "plan", "--out", "p", "--var", "a=-b", "--refresh=false"])
                .unwrap(),
        );
        assert!(parse(&["plumb", "plan", "-nope"]).is_err());
    }

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }
}
