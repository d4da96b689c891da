//! `plumb providers`: which providers are needed, by what, and what they offer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, Sources};
use plumb_provider_install::config::{Method, Origin, parse_mirror_url};
use plumb_provider_install::gather::Gatherer;
use plumb_provider_install::{Constraints, LockFile, Platform, lock};
use plumb_semantics::program::ModuleId;
use plumb_semantics::{Loaded, Program};

use super::share;
use crate::args::{ProvidersArgs, ProvidersCommand, ProvidersLockArgs, ProvidersMirrorArgs};
use crate::installed::{self, Online};
use crate::installing::Installing;
use crate::registry::Registry;
use crate::render::schema_json;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;
use crate::{compiled, modules, session};

/// Runs the command.
pub fn run(args: &ProvidersArgs, ui: &Ui) -> Exit {
    match &args.command {
        Some(ProvidersCommand::Serve { name, debug }) => return share::serve(name, *debug, ui),
        Some(ProvidersCommand::Link { directory }) => return share::link(directory, ui),
        _ => {}
    }
    let world = Arc::new(DiskWorld::new());
    if !session::require_configuration(&*world, ui) {
        return Exit::Error;
    }
    let Loaded { program, diagnostics, .. } = modules::load(&*world, &[]);
    if ui.diagnostics(&diagnostics, &program.sources) {
        return Exit::Error;
    }
    let gathered = match &args.command {
        Some(ProvidersCommand::Lock(args)) => Some(lock(args, &program, ui)),
        Some(ProvidersCommand::Mirror(args)) => Some(mirror(args, &program, ui)),
        _ => None,
    };
    if let Some(gathered) = gathered {
        let failed = gathered.is_err_and(|found| ui.diagnostics(&found, &program.sources));
        return if failed { Exit::Error } else { Exit::Done };
    }
    let recorded = match installed::recorded() {
        Ok(recorded) => recorded,
        Err(found) => {
            ui.diagnostics(&found, &Sources::new());
            return Exit::Error;
        }
    };
    if args.command.is_some() {
        return schemas(&program, recorded, ui);
    }
    ui.result(&needed(&program, &recorded));
    Exit::Done
}

/// `plumb providers lock`
fn lock(args: &ProvidersLockArgs, program: &Program, ui: &Ui) -> Result<(), Diagnostics> {
    let Online { hosts, warnings, .. } = installed::online()?;
    ui.diagnostics(&warnings, &Sources::new());
    let origin = match (&args.fs_mirror, &args.net_mirror) {
        (Some(folder), _) => Origin::Filesystem(folder.clone()),
        (_, Some(url)) => Origin::Network(parse_mirror_url(url).map_err(|problem| {
            Diagnostic::error("wrong-usage", "Address of a mirror is not usable")
                .detail(format!("{problem}."))
        })?),
        _ => Origin::Direct,
    };
    let mut wanted = installed::needed(program)?;
    for address in &args.providers {
        if !wanted.contains_key(address) {
            return Err(Diagnostic::error("wrong-usage", "Provider is not needed here")
                .detail(format!("Nothing in this configuration or its state needs provider {address}."))
                .help("`plumb providers` shows which are needed.")
                .into());
        }
    }
    wanted.retain(|address, _| args.providers.is_empty() || args.providers.contains(address));
    let before = installed::read_lock()?;
    let progress = Installing::new(ui, &before).with_platforms();
    let gatherer = Gatherer {
        methods: vec![Method::all(origin)],
        platforms: platforms(&args.platform),
        hosts: &hosts,
        progress: &progress,
    };
    let lock = session::wait(gatherer.lock(&wanted, &before))?;
    if !installed::save_lock(&lock, &before, ui)? {
        ui.remark(&format!("{} has all of these hashes already.", lock::FILE_NAME));
    }
    Ok(())
}

/// `plumb providers mirror`
fn mirror(args: &ProvidersMirrorArgs, program: &Program, ui: &Ui) -> Result<(), Diagnostics> {
    let Online { hosts, warnings, .. } = installed::online()?;
    ui.diagnostics(&warnings, &Sources::new());
    let wanted = installed::needed(program)?;
    let before = if args.lock_file { installed::read_lock()? } else { LockFile::default() };
    let progress = Installing::new(ui, &before).with_platforms();
    let gatherer = Gatherer {
        // A mirror is made of what is published, not of other mirrors.
        methods: vec![Method::all(Origin::Direct)],
        platforms: platforms(&args.platform),
        hosts: &hosts,
        progress: &progress,
    };
    session::wait(gatherer.mirror(&wanted, &before, &args.folder))?;
    let providers =
        if wanted.len() == 1 { "1 provider".to_owned() } else { format!("{} providers", wanted.len()) };
    ui.remark(&format!("{} has the packages of {providers}.", args.folder.display()));
    Ok(())
}

/// The platforms that were named, or this one.
fn platforms(named: &[Platform]) -> BTreeSet<Platform> {
    if named.is_empty() { BTreeSet::from([Platform::current()]) } else { named.iter().cloned().collect() }
}

fn schemas(program: &Program, recorded: BTreeSet<ProviderSource>, ui: &Ui) -> Exit {
    let registry = Registry::for_program(program);
    let mut sources = session::used_providers(program);
    sources.extend(recorded);
    let asked = sources.into_iter().map(|source| {
        let registry = &registry;
        async move {
            let schema = registry.whole_schema(&source).await;
            (source, schema)
        }
    });
    let mut offered = BTreeMap::new();
    let mut found = Diagnostics::new();
    for (source, schema) in session::wait(futures_util::future::join_all(asked)) {
        match schema {
            Ok(schema) => drop(offered.insert(source, schema)),
            Err(errors) => found.extend(errors),
        }
    }
    if ui.diagnostics(&found, &program.sources) {
        return Exit::Error;
    }
    ui.write_result(|out| {
        schema_json::write_schemas(&offered, out)?;
        writeln!(out)
    });
    Exit::Done
}

/// The tree of modules with what each needs, and what state needs besides, as Terraform prints them.
fn needed(program: &Program, recorded: &BTreeSet<ProviderSource>) -> String {
    let mut text = String::from("\nProviders required by configuration:\n.\n");
    module(program, ModuleId(0), "", &mut text);
    text.push('\n');
    if !recorded.is_empty() {
        text.push_str("Providers required by state:\n\n");
        for source in recorded {
            let _ = writeln!(text, "    provider[{source}]\n");
        }
    }
    text
}

fn module(program: &Program, id: ModuleId, indent: &str, text: &mut String) {
    let module = program.module(id);
    let mut lines: BTreeMap<&ProviderSource, Vec<&str>> = BTreeMap::new();
    let used = module.providers.values().map(|decl| &decl.config.source);
    for source in used.chain(module.resource_providers.iter().map(|config| &config.source)) {
        lines.entry(source).or_default();
    }
    for requirement in module.required_providers.values() {
        let constraints = lines.entry(&requirement.source).or_default();
        constraints.extend(requirement.version.iter().map(|(version, _)| version.as_str()));
    }
    let calls: Vec<(&str, ModuleId)> = module
        .calls
        .keys()
        .zip(&module.children)
        .filter_map(|(name, child)| Some((name.as_str(), (*child)?)))
        .collect();
    let mut left = lines.len() + calls.len();
    let mut branch = || {
        left -= 1;
        if left == 0 { ("└── ", "    ") } else { ("├── ", "│   ") }
    };
    for (source, constraints) in &lines {
        // Terraform has its own provider too, and says nothing about it.
        let here = if compiled::is_compiled_in(source) && source.host != "terraform.io" {
            " (compiled in)"
        } else {
            ""
        };
        let all = constraints.iter().filter_map(|text| text.parse::<Constraints>().ok());
        let all = all.fold(Constraints::default(), |all, more| all.and(&more));
        let constraints = if all.is_empty() { String::new() } else { format!(" {all}") };
        let _ = writeln!(text, "{indent}{}provider[{source}]{constraints}{here}", branch().0);
    }
    for (name, child) in calls {
        let (corner, below) = branch();
        let _ = writeln!(text, "{indent}{corner}module.{name}");
        self::module(program, child, &format!("{indent}{below}"), text);
    }
}
