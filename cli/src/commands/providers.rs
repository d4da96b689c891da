//! `plumb providers`: which providers are needed, by what, and what they offer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use plumb_engine::plan::Prior;
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostics, Sources};
use plumb_semantics::program::ModuleId;
use plumb_semantics::{Loaded, Program};

use super::share;
use crate::args::{ProvidersArgs, ProvidersCommand};
use crate::registry::Registry;
use crate::render::schema_json;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;
use crate::{compiled, modules, session, store};

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
    let recorded = match recorded() {
        Ok(recorded) => recorded,
        Err(found) => {
            ui.diagnostics(&found, &Sources::new());
            return Exit::Error;
        }
    };
    match &args.command {
        None => {
            ui.result(&needed(&program, &recorded));
            Exit::Done
        }
        Some(ProvidersCommand::Schema { .. }) => schemas(&program, recorded, ui),
        Some(ProvidersCommand::Serve { .. } | ProvidersCommand::Link { .. }) => Exit::Done,
    }
}

fn recorded() -> Result<BTreeSet<ProviderSource>, Diagnostics> {
    let state = store::read().map_err(|trouble| Diagnostics::from(trouble.diagnostic))?;
    Ok(Prior::read(&state)?.types().into_keys().collect())
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

/// The tree of modules with what each needs, and what state needs besides.
fn needed(program: &Program, recorded: &BTreeSet<ProviderSource>) -> String {
    let mut text = String::from("Providers required by configuration:\n.\n");
    module(program, ModuleId(0), "", &mut text);
    if !recorded.is_empty() {
        text.push_str("\nProviders required by state:\n");
        for source in recorded {
            let _ = writeln!(text, "  provider[{source}]");
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
        let here = if compiled::is_compiled_in(source) { " (compiled in)" } else { "" };
        let constraints = constraints.iter().map(|text| format!(" {text}")).collect::<Vec<_>>().join(",");
        let _ = writeln!(text, "{indent}{}provider[{source}]{constraints}{here}", branch().0);
    }
    for (name, child) in calls {
        let (corner, below) = branch();
        let _ = writeln!(text, "{indent}{corner}module.{name}");
        self::module(program, child, &format!("{indent}{below}"), text);
    }
}
