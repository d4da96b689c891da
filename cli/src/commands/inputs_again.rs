//! Values of variables when a saved plan is applied.
//!
//! A saved plan has the values that it was made with, but for those of ephemeral variables, which are nowhere kept: they
//! are given again, in the ways in which all values are given, or somebody is asked. Ephemeral variables that had no
//! value then get none now. A value for any other variable changes nothing: an option that says otherwise is an error,
//! the environment may say what it likes, and variable files are for making plans.

use std::collections::BTreeSet;
use std::path::Path;

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_engine::plan::Plan;
use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_semantics::inputs::{self, Giver, Inputs};
use plumb_semantics::program::{Module, VariableDecl};

use crate::args::PlanningArgs;
use crate::ask::{self, Missing};
use crate::session::{self, Session};
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Gives ephemeral variables their values again, and compares the others with those of the plan.
///
/// # Errors
/// A value is missing, or differs from the one that the plan was made with; that has been shown.
pub fn give(
    session: &mut Session,
    plan: &Plan,
    ephemeral: &BTreeSet<EcoString>,
    args: &PlanningArgs,
    ui: &Ui,
) -> Result<(), Exit> {
    let program = session.program.clone();
    let (root, first) = (program.root(), program.console_source());
    let mut options = args.variables.in_order.clone();
    let collect = |options: &[_]| inputs::collect(&DiskWorld::new(), root, Path::new("."), options, first);
    let mut given = collect(&options);
    let missing = |given: &Inputs| -> Vec<&VariableDecl> {
        let names = ephemeral.iter().filter(|name| !given.values.contains_key(*name));
        names.filter_map(|name| root.variables.get(name)).collect()
    };
    if Missing::by_flag(args.asking.input) == Missing::Ask && !missing(&given).is_empty() {
        options.extend(ask::values(&missing(&given), ui));
        given = collect(&options);
    }
    let mut found: Diagnostics = missing(&given).into_iter().map(not_given_again).collect();
    found.extend(compare(root, plan, ephemeral, &given));
    // What is wrong with values that do not count was said, if at all, when the plan was made.
    found.extend(given.diagnostics.iter().filter(|found| found.is_error()).cloned());
    session.sources = session::texts(&program, &given);
    if ui.diagnostics(&found, session.sources()) {
        return Err(Exit::Error);
    }
    let again: IndexMap<EcoString, Value> =
        given.values.into_iter().filter(|(name, _)| ephemeral.contains(name)).collect();
    session.variables.extend(again);
    Ok(())
}

/// What is given now and was not so when the plan was made.
fn compare(root: &Module, plan: &Plan, ephemeral: &BTreeSet<EcoString>, given: &Inputs) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (name, value) in &given.values {
        let Some(decl) = root.variables.get(name) else { continue };
        if decl.ephemeral {
            if !ephemeral.contains(name) {
                found.push(was_not_given(decl));
            }
            continue;
        }
        let same = plan.variables.get(name).is_some_and(|planned| inputs::becomes(decl, value, planned));
        match given.givers.get(name) {
            _ if same => {}
            Some(Giver::Option) => found.push(differs(decl, plan)),
            Some(Giver::Environment) => found.push(is_ignored(decl)),
            Some(Giver::Automatic) | None => {}
        }
    }
    found
}

fn not_given_again(decl: &VariableDecl) -> Diagnostic {
    let name = &decl.name;
    Diagnostic::error("ephemeral-value-needed", "No value for ephemeral variable")
        .detail(format!("The variable `{name}` is ephemeral, so that the plan does not hold the value that it was made with; applying it needs the value again."))
        .at(decl.span)
        .help(inputs::ways_to_give(name.as_str()))
}

fn was_not_given(decl: &VariableDecl) -> Diagnostic {
    let name = &decl.name;
    Diagnostic::error("variable-differs-from-plan", "Variable had no value when the plan was made")
        .detail(format!(
            "The ephemeral variable `{name}` is given a value now, and the plan was made without one."
        ))
        .at(decl.span)
        .help("Apply without the value, or make the plan again with it.")
}

fn differs(decl: &VariableDecl, plan: &Plan) -> Diagnostic {
    let name = &decl.name;
    let planned = plan.variables.get(name.as_str()).filter(|value| !value.has_marks());
    let planned = planned.map_or_else(String::new, |value| {
        format!(": there it is {}", plumb_functions::console::print(value))
    });
    Diagnostic::error("variable-differs-from-plan", "Variable has another value in the plan")
        .detail(format!("`{name}` is given another value than the plan was made with{planned}."))
        .at(decl.span)
        .help("Leave the option out, since the plan has its values; or make the plan again with the other value.")
}

fn is_ignored(decl: &VariableDecl) -> Diagnostic {
    let name = &decl.name;
    Diagnostic::warning("variable-differs-from-plan", "Variable has another value in the plan")
        .detail(format!("`TF_VAR_{name}` says something else than the plan was made with, and is not used."))
        .at(decl.span)
        .help("To use it, make the plan again.")
}
