//! What came of conditions: those of check blocks, variables and outputs, and how several are told as one.

use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics};
use plumb_semantics::eval::{Evaluator, ModuleRef, Outcome};
use plumb_semantics::program::{Condition, NodeId, NodeKind};

use super::{CheckResult, CheckStatus};

/// Looks at the assertions of a check block in each instance of its module. Those that do not hold are warnings.
pub(crate) fn check(evaluator: &Evaluator, id: NodeId) -> (Vec<CheckResult>, Diagnostics) {
    let program = evaluator.program();
    let node = program.node(id);
    debug_assert_eq!(node.kind, NodeKind::Check);
    let check = &program.module(node.module).checks[node.index as usize];
    let (mut results, mut diagnostics) = (Vec::new(), Diagnostics::new());
    for (index, instance) in evaluator.module_instances(node.module).iter().enumerate() {
        let at = ModuleRef { module: node.module, index: index as u32 };
        let outcomes = evaluator.conditions(at, &check.asserts, None);
        let (status, messages, found) = judge(&check.asserts, outcomes, "assertion");
        diagnostics.extend(found.into_iter().map(as_warning));
        let within = if instance.is_root() { EcoString::new() } else { ecow::eco_format!("{instance}.") };
        results.push(CheckResult {
            kind: "check",
            config_address: program.name(id),
            address: ecow::eco_format!("{within}check.{}", check.name),
            status,
            messages,
        });
    }
    (results, diagnostics)
}

/// What came of the conditions of the variables and outputs that have been evaluated.
pub(super) fn of_values(evaluator: &Evaluator) -> Vec<CheckResult> {
    let program = evaluator.program();
    let results = evaluator.checked().iter().map(|checked| {
        let node = program.node(checked.node);
        let module = program.module(node.module);
        let (kind, name, conditions) = match node.kind {
            NodeKind::Variable => {
                let decl = &module.variables[node.index as usize];
                ("var", &decl.name, &decl.validations)
            }
            _ => {
                let decl = &module.outputs[node.index as usize];
                ("output", &decl.name, &decl.preconditions)
            }
        };
        let instance = &evaluator.module_instances(node.module)[checked.module as usize];
        let within = if instance.is_root() { EcoString::new() } else { ecow::eco_format!("{instance}.") };
        let (status, messages, _) = judge(conditions, checked.outcomes.clone(), "condition");
        CheckResult {
            kind,
            config_address: program.name(checked.node),
            address: ecow::eco_format!("{within}{kind}.{name}"),
            status,
            messages,
        }
    });
    results.collect()
}

/// The status of conditions together, what the failed ones say, and that as diagnostics.
pub(crate) fn judge(
    conditions: &[Condition],
    outcomes: Vec<Outcome>,
    what: &str,
) -> (CheckStatus, Vec<EcoString>, Diagnostics) {
    let (mut messages, mut found) = (Vec::new(), Diagnostics::new());
    let (mut failed, mut error, mut unknown) = (false, false, false);
    for (condition, outcome) in conditions.iter().zip(outcomes) {
        match outcome {
            Outcome::Pass => {}
            Outcome::Unknown => unknown = true,
            Outcome::Fail(message) => {
                failed = true;
                found.push(
                    Diagnostic::error(
                        "condition-failed",
                        format!("Resource {what} failed").replace("Resource assertion", "Check assertion"),
                    )
                    .detail(message.clone())
                    .label(condition.condition.span, "does not hold"),
                );
                messages.push(message);
            }
            Outcome::Error(errors) => {
                error = true;
                found.extend(errors);
            }
        }
    }
    let status = match (error, failed, unknown) {
        (true, _, _) => CheckStatus::Error,
        (_, true, _) => CheckStatus::Fail,
        (_, _, true) => CheckStatus::Unknown,
        _ => CheckStatus::Pass,
    };
    (status, messages, found)
}

/// The same as a warning: a check never stops what it checks.
pub(crate) fn as_warning(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.severity = plumb_model::Severity::Warning;
    diagnostic
}
