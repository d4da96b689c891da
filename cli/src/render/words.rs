//! The words in which plans are told, shared by every form of them.

use std::fmt::Write as _;

use plumb_engine::plan::{
    Action, Change, CheckStatus, Drift, Invocation, Origin, Plan, Purpose, Reason, Summary, Trigger,
};
use plumb_model::{Path, Step};
use plumb_semantics::program::TriggerEvent;

use super::diff::Remarks;
use super::escape;

/// The symbol of an action.
pub fn symbol(action: Action) -> &'static str {
    match action {
        Action::NoOp => " ",
        Action::Create => "+",
        Action::Read => "<=",
        Action::Update => "~",
        Action::DeleteThenCreate => "-/+",
        Action::CreateThenDelete => "+/-",
        Action::Delete => "-",
        Action::Forget => ".",
    }
}

/// The symbol of an action of a provider that is invoked.
pub const INVOKE: &str = ">>";

/// What is going to be invoked, and why: `action.aws_lambda_invoke.warm will be invoked after file.a is created`.
pub fn invocation(invocation: &Invocation) -> String {
    let address = escape::line(&invocation.address.to_string()).into_owned();
    let Trigger::Lifecycle { resource, event, .. } = &invocation.trigger else {
        return format!("{address} will be invoked, since it was asked for");
    };
    let when = match event {
        TriggerEvent::BeforeCreate | TriggerEvent::BeforeUpdate => "before",
        TriggerEvent::AfterCreate | TriggerEvent::AfterUpdate => "after",
    };
    let what = match event {
        TriggerEvent::BeforeCreate | TriggerEvent::AfterCreate => "created",
        TriggerEvent::BeforeUpdate | TriggerEvent::AfterUpdate => "updated",
    };
    format!("{address} will be invoked {when} {} is {what}", escape::line(&resource.to_string()))
}

/// An event in the terms of Terraform's plan JSON.
pub fn trigger_event(event: TriggerEvent) -> &'static str {
    match event {
        TriggerEvent::BeforeCreate => "BeforeCreate",
        TriggerEvent::AfterCreate => "AfterCreate",
        TriggerEvent::BeforeUpdate => "BeforeUpdate",
        TriggerEvent::AfterUpdate => "AfterUpdate",
    }
}

/// What a symbol means.
pub fn legend(action: Action) -> &'static str {
    match action {
        Action::NoOp => "stays as it is",
        Action::Create => "create",
        Action::Read => "read while applying",
        Action::Update => "update in place",
        Action::DeleteThenCreate => "destroy, then create another",
        Action::CreateThenDelete => "create another, then destroy",
        Action::Delete => "destroy",
        Action::Forget => "no longer manage, leave as it is",
    }
}

/// How much an action can do harm: the larger, the worse.
pub fn danger(change: &Change) -> u8 {
    match change.action {
        Action::Delete => 7,
        Action::DeleteThenCreate => 6,
        Action::CreateThenDelete => 5,
        Action::Forget => 4,
        Action::Update => 3,
        Action::Create => 2,
        Action::Read => 1,
        Action::NoOp => 0,
    }
}

/// The address, with the key of the former object where it is about one.
pub fn address(change: &Change) -> String {
    with_deposed(&change.address.to_string(), change.deposed.as_deref())
}

/// The address of what has drifted, with the key of the former object where it is about one.
pub fn drift_address(drift: &Drift) -> String {
    with_deposed(&drift.address.to_string(), drift.deposed.as_deref())
}

fn with_deposed(address: &str, deposed: Option<&str>) -> String {
    let address = escape::line(address).into_owned();
    match deposed {
        Some(key) => format!("{address} (former object {})", escape::line(key)),
        None => address,
    }
}

/// What becomes of it, to stand behind its address: `will be created`.
pub fn fate(change: &Change) -> String {
    match (change.action, why(change)) {
        (Action::NoOp, _) if change.is_effective() => {
            let moved = change.previous_address.as_ref();
            let moved = moved.map(|from| format!("has moved here from {}", escape::line(&from.to_string())));
            let taken = change.importing.as_ref();
            let taken = taken.map(|id| format!("will be imported from {}", escape::quoted(id)));
            listed([moved, taken].into_iter().flatten().collect::<Vec<_>>().into_iter(), 2)
        }
        (Action::NoOp, _) => "stays as it is".to_owned(),
        (Action::Create, _) => "will be created".to_owned(),
        (Action::Read, None) => "will be read while applying".to_owned(),
        (Action::Read, Some(why)) => format!("will be read while applying, since {why}"),
        (Action::Update, _) => "will be updated in place".to_owned(),
        (Action::DeleteThenCreate | Action::CreateThenDelete, None) => "will be replaced".to_owned(),
        (Action::DeleteThenCreate | Action::CreateThenDelete, Some(why)) => match change.reason {
            Some(Reason::ReplaceByRequest) => format!("will be replaced, since {why}"),
            _ => format!("must be replaced, since {why}"),
        },
        (Action::Delete, None) => "will be destroyed".to_owned(),
        (Action::Delete, Some(why)) => format!("will be destroyed, since {why}"),
        (Action::Forget, None) => "will no longer be managed, but not destroyed".to_owned(),
        (Action::Forget, Some(why)) => {
            format!("will no longer be managed, but not destroyed, since {why}")
        }
    }
}

/// Why it is replaced, deleted, or read late, to stand behind "since": `path changes`.
pub fn why(change: &Change) -> Option<String> {
    let resource = || match change.address.config().to_string() {
        resource if resource == change.address.to_string() => "it".to_owned(),
        resource => escape::line(&resource).into_owned(),
    };
    if change.deposed.is_some() && change.action == Action::Delete {
        return Some("it is left over from an earlier replacement".to_owned());
    }
    Some(match change.reason? {
        Reason::ReplaceBecauseCannotUpdate => match paths(&change.replace_paths) {
            Some((names, 1)) => format!("{names} changes"),
            Some((names, _)) => format!("{names} change"),
            None => "it cannot change in place".to_owned(),
        },
        Reason::ReplaceBecauseTainted => "it is tainted".to_owned(),
        Reason::ReplaceByRequest => "-replace asks for it".to_owned(),
        Reason::ReplaceByTriggers => match triggers(change) {
            Some(triggers) => format!("{triggers} in replace_triggered_by changes"),
            None => "something in replace_triggered_by changes".to_owned(),
        },
        Reason::DeleteBecauseNoResourceConfig => format!("{} is not in the configuration", resource()),
        Reason::DeleteBecauseWrongRepetition => match change.address.key {
            plumb_model::address::Key::None => "the resource now has count or for_each".to_owned(),
            plumb_model::address::Key::Int(_) => "the resource no longer has count".to_owned(),
            plumb_model::address::Key::String(_) => "the resource no longer has for_each".to_owned(),
        },
        Reason::DeleteBecauseCountIndex => {
            format!("index {} is not below count", escape::line(&change.address.key.to_string()))
        }
        Reason::DeleteBecauseEachKey => {
            format!("for_each has no key {}", escape::line(&change.address.key.to_string()))
        }
        Reason::DeleteBecauseNoModule => {
            format!("{} is not in the configuration", escape::line(&change.address.module.to_string()))
        }
        Reason::DeleteBecauseNoMoveTarget => {
            "it was moved to an address that is not in the configuration".to_owned()
        }
        Reason::DeleteBecauseDisabled => "enabled is false".to_owned(),
        Reason::ReadBecauseConfigUnknown => "its configuration is not known before".to_owned(),
        Reason::ReadBecauseDependencyPending => "something that it waits for changes".to_owned(),
        Reason::ReadBecauseCheckNested => "a check reads it".to_owned(),
    })
}

/// What was named in `replace_triggered_by` and changes, as far as the causes say.
fn triggers(change: &Change) -> Option<String> {
    change.causes.iter().find_map(|cause| match &cause.origin {
        Origin::Reference { addresses } if cause.path.is_root() && !addresses.is_empty() => {
            Some(listed(addresses.iter().map(|a| escape::line(a).into_owned()), 3))
        }
        _ => None,
    })
}

/// The paths as an author would write them, and how many there are; `None` if there are none.
fn paths(paths: &[Path]) -> Option<(String, usize)> {
    (!paths.is_empty()).then(|| (listed(paths.iter().map(path), 4), paths.len()))
}

/// The path as an author would write it, safe to show.
pub fn path(path: &Path) -> String {
    let mut out = String::new();
    for (i, step) in path.0.iter().enumerate() {
        match step {
            Step::Attribute(name) if i == 0 => out.push_str(&escape::line(name)),
            Step::Attribute(name) => {
                let _ = write!(out, ".{}", escape::line(name));
            }
            Step::Key(key) => {
                let _ = write!(out, "[{}]", escape::quoted(key));
            }
            Step::Index(index) => {
                let _ = write!(out, "[{index}]");
            }
            Step::Any => out.push_str("[*]"),
        }
    }
    if out.is_empty() { "the whole object".to_owned() } else { out }
}

/// `a`, `a and b`, `a, b and c`, `a, b and 3 more`.
pub fn listed(items: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let n = items.len();
    let shown = if n > most { most.saturating_sub(1).max(1) } else { n };
    let mut parts: Vec<String> = items.take(shown).collect();
    if shown < n {
        parts.push(format!("{} more", n - shown));
    }
    match parts.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// What is said of a change besides its fate, if its fate does not say it.
pub fn remarks_on(change: &Change) -> Vec<String> {
    let mut out = Vec::new();
    if change.action == Action::NoOp {
        return out;
    }
    if let Some(previous) = &change.previous_address {
        out.push(format!("moved from {}", escape::line(&previous.to_string())));
    }
    if let Some(id) = &change.importing {
        out.push(format!("imported from {}", escape::quoted(id)));
        if change.action.deletes() {
            out.push("the imported object will be destroyed".to_owned());
        }
    }
    out
}

/// What is said beside the attributes of a change: which force a replacement, and what led to each.
pub fn attribute_remarks(change: &Change) -> Remarks {
    let mut remarks = Remarks::default();
    change.replace_paths.iter().for_each(|path| remarks.forces_replacement(path));
    for cause in &change.causes {
        if let Some(text) = origin(&cause.origin, change.action) {
            remarks.remark(&cause.path, text);
        }
    }
    remarks
}

/// Where a change comes from, in a few words, if that is worth a remark. What is created or read follows its block
/// as a whole, so there only references are.
fn origin(origin: &Origin, action: Action) -> Option<String> {
    let compares = matches!(action, Action::Update | Action::DeleteThenCreate | Action::CreateThenDelete);
    match origin {
        Origin::Configuration { file, line } if compares => Some(format!("{}:{line}", escape::line(file))),
        Origin::Drift if compares => Some("changed outside".to_owned()),
        Origin::Reference { addresses } if !addresses.is_empty() => {
            Some(format!("from {}", listed(addresses.iter().map(|a| escape::line(a).into_owned()), 3)))
        }
        _ => None,
    }
}

/// The sentence that counts what a plan does: `Plan: 2 to create, 1 to update, 1 to replace, 1 to destroy.`
pub fn summary(summary: &Summary) -> String {
    let Summary { create, update, replace, delete, forget, import, moved, read, invoke } = *summary;
    let always =
        [(create, "to create"), (update, "to update"), (replace, "to replace"), (delete, "to destroy")];
    let sometimes =
        [(import, "to import"), (moved, "moved"), (forget, "to forget"), (read, "to read while applying")];
    let parts: Vec<String> = always
        .into_iter()
        .chain(sometimes.into_iter().filter(|(n, _)| *n > 0))
        .map(|(n, words)| format!("{n} {words}"))
        .collect();
    let actions = if invoke > 0 { format!(" Actions: {invoke} to invoke.") } else { String::new() };
    format!("Plan: {}.{actions}", parts.join(", "))
}

/// The sentence that counts what was done, for what was done by the steps that succeeded:
/// `Apply complete! Resources: 2 created, 1 updated, 1 replaced, 1 destroyed.`
pub fn applied(summary: &Summary, purpose: Purpose) -> String {
    let Summary { create, update, replace, delete, forget, import, moved, read: _, invoke } = *summary;
    if purpose == Purpose::Destroy && create + update + replace == 0 {
        return format!("Destroy complete! Resources: {delete} destroyed.");
    }
    let always = [(create, "created"), (update, "updated"), (replace, "replaced"), (delete, "destroyed")];
    let sometimes = [(import, "imported"), (moved, "moved"), (forget, "forgotten")];
    let parts: Vec<String> = always
        .into_iter()
        .chain(sometimes.into_iter().filter(|(n, _)| *n > 0))
        .map(|(n, words)| format!("{n} {words}"))
        .collect();
    let actions = if invoke > 0 { format!(" Actions: {invoke} invoked.") } else { String::new() };
    format!("Apply complete! Resources: {}.{actions}", parts.join(", "))
}

/// What is said of a plan that only records.
pub const REFRESH_ONLY: &str =
    "Applying this records what has changed outside of Plumb; it changes nothing else.";

/// The changes by which an object ceases to exist or to be managed, worst first, then by address.
pub fn losses(plan: &Plan) -> Vec<&Change> {
    let mut losses: Vec<&Change> =
        plan.changes.iter().filter(|c| c.action.deletes() || c.action == Action::Forget).collect();
    losses.sort_by_key(|change| std::cmp::Reverse(danger(change)));
    losses
}

/// The word for how a check turned out.
pub fn check(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pass => "holds",
        CheckStatus::Fail => "does not hold",
        CheckStatus::Error => "could not be evaluated",
        CheckStatus::Unknown => "is not known before applying",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_counted() {
        let summary = Summary { create: 1, replace: 2, import: 1, ..Summary::default() };
        assert_eq!(
            applied(&summary, Purpose::Normal),
            "Apply complete! Resources: 1 created, 0 updated, 2 replaced, 0 destroyed, 1 imported."
        );
        let summary = Summary { delete: 3, ..Summary::default() };
        assert_eq!(applied(&summary, Purpose::Destroy), "Destroy complete! Resources: 3 destroyed.");
    }

    #[test]
    fn lists_are_read_aloud() {
        let list = |n: usize| listed((0..n).map(|i| i.to_string()), 3);
        assert_eq!(
            [list(0), list(1), list(2), list(3), list(9)],
            ["", "0", "0 and 1", "0, 1 and 2", "0, 1 and 7 more"]
        );
    }
}
