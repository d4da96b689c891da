//! `plumb modules`: which modules a configuration calls, from where, in which version.

use std::fmt::Write as _;
use std::path::Path;

use plumb_modules::address::ModuleAddress;
use plumb_semantics::program::{Module, ModuleId, ModuleOrigin};
use plumb_semantics::{Loaded, Program};
use serde_json::json;

use crate::args::ModulesArgs;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;
use crate::{modules, session};

/// Runs the command.
pub fn run(args: &ModulesArgs, ui: &Ui) -> Exit {
    let world = DiskWorld::new();
    if !session::require_configuration(&world, ui) {
        return Exit::Error;
    }
    let Loaded { program, diagnostics, .. } = modules::load(&world, &args.variables.in_order);
    if ui.diagnostics(&diagnostics, &program.sources) {
        return Exit::Error;
    }
    if args.json {
        let mut list = Vec::new();
        visit(&program, ModuleId::ROOT, &mut |name, origin, _| {
            let version = origin.version.as_deref().unwrap_or_default();
            list.push(json!({ "key": name, "source": canonical(&origin.source), "version": version }));
        });
        ui.result(&format!("{}\n", json!({ "format_version": "1.0", "modules": list })));
        return Exit::Done;
    }
    ui.result(&tree(&program));
    Exit::Done
}

/// The called modules of a module in the order of their names, each with what it calls; `last` tells for each level whether
/// more follow on it.
fn visit<'p>(program: &'p Program, from: ModuleId, f: &mut dyn FnMut(&'p str, &'p ModuleOrigin, &[bool])) {
    let mut open: Vec<(ModuleId, Vec<bool>)> = vec![(from, Vec::new())];
    while let Some((id, last)) = open.pop() {
        let module = program.module(id);
        if let (Some(origin), Some(name)) = (&module.origin, module.path.0.last()) {
            f(name, origin, &last);
        }
        let calls = children(module);
        for (index, (_, child)) in calls.iter().enumerate().rev() {
            let mut last = last.clone();
            last.push(index + 1 == calls.len());
            open.push((*child, last));
        }
    }
}

fn children(module: &Module) -> Vec<(&str, ModuleId)> {
    let calls = module.calls.keys().zip(&module.children);
    let mut calls: Vec<(&str, ModuleId)> =
        calls.filter_map(|(name, child)| Some((name.as_str(), (*child)?))).collect();
    calls.sort_unstable();
    calls
}

fn tree(program: &Program) -> String {
    let mut text = String::new();
    visit(program, ModuleId::ROOT, &mut |name, origin, last| {
        let (own, above) = last.split_last().expect("a called module is below the root");
        for last in above {
            text.push_str(if *last { "    " } else { "│   " });
        }
        let corner = if *own { "└── " } else { "├── " };
        let _ = write!(text, "{corner}\"{name}\"[{}]", canonical(&origin.source));
        if let Some(version) = &origin.version {
            let _ = write!(text, " {version}");
        }
        if let Some(constraint) = &origin.constraint {
            let _ = write!(text, " ({constraint})");
        }
        text.push('\n');
    });
    match text.is_empty() {
        true => "No modules found in configuration.\n".to_owned(),
        false => format!("\nModules declared by configuration:\n.\n{text}\n"),
    }
}

/// One spelling for each address.
fn canonical(source: &str) -> String {
    match ModuleAddress::parse(source) {
        Ok(address) => address.to_string(),
        Err(_) => local(source),
    }
}

/// A path without what does not change where it leads.
fn local(source: &str) -> String {
    use std::path::Component;
    let mut clean = std::path::PathBuf::new();
    for part in Path::new(source).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    if clean.is_absolute() || clean.starts_with("..") {
        clean.display().to_string()
    } else {
        format!("./{}", clean.display())
    }
}
