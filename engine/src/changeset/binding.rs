//! Whether a plan may still be carried out: the state must be the one that it was made from.
//!
//! A plan is bound to a lineage, a serial and the digest of each record. [`check`] refuses it when it was carried out
//! before, when the state is another one, and when the state has moved since; then it says which instances moved.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use plumb_model::Diagnostic;

use super::seal::PlanDigest;
use crate::plan::StateBinding;

/// How many instances a message names.
const NAMED: usize = 10;

/// What became of a record since a plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MovedKind {
    /// It is another one.
    Changed,
    /// There was none.
    Added,
    /// There is none any more.
    Removed,
}

impl MovedKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            MovedKind::Changed => "changed",
            MovedKind::Added => "added",
            MovedKind::Removed => "removed",
        }
    }
}

/// An instance whose record is not the one that a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    /// The key of the record: an address, with the key of a former object in it if it is about one.
    pub address: String,
    /// What became of it.
    pub kind: MovedKind,
}

/// An operation that carried a plan out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its number.
    pub operation: u64,
    /// When it began.
    pub started: Timestamp,
}

/// Why a plan is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was carried out before.
    Applied {
        /// The plan.
        plan: PlanDigest,
        /// When.
        earlier: Earlier,
    },
    /// It was made from another state.
    OtherLineage {
        /// The lineage that it was made from; empty if there was no state.
        planned: String,
        /// The lineage of the state; empty if there is none.
        current: String,
    },
    /// The state was changed since.
    Moved {
        /// The serial that it was made from.
        planned: u64,
        /// The serial of the state.
        current: u64,
        /// The instances that moved, by address; none if other things did, such as outputs.
        moved: Vec<Moved>,
    },
}

/// Checks that a plan may be carried out on a state.
///
/// `earlier` is the operation in the state's history that carried out the plan of this digest, if there is one.
///
/// # Errors
/// If it may not.
pub fn check(
    plan: PlanDigest,
    planned: &StateBinding,
    current: &StateBinding,
    earlier: Option<Earlier>,
) -> Result<(), Refusal> {
    if let Some(earlier) = earlier {
        return Err(Refusal::Applied { plan, earlier });
    }
    if planned.lineage != current.lineage {
        return Err(Refusal::OtherLineage {
            planned: planned.lineage.clone(),
            current: current.lineage.clone(),
        });
    }
    let moved = moved(planned, current);
    if moved.is_empty() && planned.digest == current.digest {
        return Ok(());
    }
    Err(Refusal::Moved { planned: planned.serial, current: current.serial, moved })
}

/// The instances whose records differ, by address.
pub fn moved(planned: &StateBinding, current: &StateBinding) -> Vec<Moved> {
    let (before, after): (&BTreeMap<_, _>, &BTreeMap<_, _>) = (&planned.records, &current.records);
    let kind = |address: &String, digest: &String| match after.get(address) {
        None => Some(MovedKind::Removed),
        Some(now) if now != digest => Some(MovedKind::Changed),
        Some(_) => None,
    };
    let gone = before.iter().filter_map(|(address, digest)| Some((address, kind(address, digest)?)));
    let new = after.keys().filter(|address| !before.contains_key(*address)).map(|a| (a, MovedKind::Added));
    let mut moved: Vec<Moved> =
        gone.chain(new).map(|(address, kind)| Moved { address: address.clone(), kind }).collect();
    moved.sort();
    moved
}

impl Refusal {
    /// What to tell the user.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Refusal::Applied { plan, earlier: Earlier { operation, started } } => Diagnostic::error(
                "plan-already-applied",
                "Plan was applied before",
            )
            .detail(format!(
                "Operation {operation}, begun {started}, carried out the plan {plan}. A plan is carried out \
                         once, also if it did not get to its end."
            ))
            .help(format!(
                "Plan again to see what is left to do; `plumb history show {operation}` tells what was done."
            )),
            Refusal::OtherLineage { planned, current } => Diagnostic::error(
                "plan-for-another-state",
                "Plan was made for another state",
            )
            .detail(match (planned.is_empty(), current.is_empty()) {
                (true, _) => format!(
                    "The plan was made when there was no state; now there is one, of lineage `{current}`."
                ),
                (_, true) => {
                    format!("The plan was made from a state of lineage `{planned}`; here is no state at all.")
                }
                _ => format!(
                    "The plan was made from a state of lineage `{planned}`; the state here has lineage \
                             `{current}`."
                ),
            })
            .help("Apply it where it was made (directory, workspace, backend), or plan again here."),
            Refusal::Moved { planned, current, moved } => {
                let diagnostic =
                    Diagnostic::error("state-has-moved", "State has moved since the plan was made");
                let diagnostic = diagnostic.detail(format!(
                    "The plan was made from serial {planned}; the state is at serial {current}. {}",
                    said(moved)
                ));
                diagnostic.help("Plan again: the new plan shows what is different now.")
            }
        }
    }
}

/// The instances in words.
fn said(moved: &[Moved]) -> String {
    let mut text = match moved.len() {
        0 => return "No instance differs, but something else that is recorded does.".to_owned(),
        1 => "One instance moved:".to_owned(),
        n => format!("{n} instances moved:"),
    };
    for Moved { address, kind } in moved.iter().take(NAMED) {
        let _ = write!(text, "\n  {address} was {}", kind.word());
    }
    if moved.len() > NAMED {
        let _ = write!(text, "\n  and {} more", moved.len() - NAMED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(lineage: &str, serial: u64, records: &[(&str, &str)]) -> StateBinding {
        let records: BTreeMap<String, String> =
            records.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        StateBinding { lineage: lineage.to_owned(), serial, digest: format!("{lineage}{serial}"), records }
    }

    fn digest() -> PlanDigest {
        PlanDigest::parse(&format!("pl1:sha256:{}", "a".repeat(64))).unwrap()
    }

    /// The detail of the refusal.
    fn refused(
        planned: &StateBinding,
        current: &StateBinding,
        earlier: Option<Earlier>,
    ) -> (&'static str, String) {
        let diagnostic = check(digest(), planned, current, earlier).unwrap_err().diagnostic();
        (diagnostic.code, diagnostic.detail.to_string())
    }

    #[test]
    fn the_same_state_is_accepted() {
        let state = binding("l", 3, &[("file.a", "1")]);
        assert_eq!(check(digest(), &state, &state.clone(), None), Ok(()));
        assert_eq!(check(digest(), &StateBinding::default(), &StateBinding::default(), None), Ok(()));
    }

    #[test]
    fn the_instances_that_moved_are_named() {
        let planned = binding("l", 3, &[("file.a", "1"), ("file.b", "1"), ("file.c", "1")]);
        let current = binding("l", 5, &[("file.b", "2"), ("file.c", "1"), ("file.d", "1")]);
        let (code, detail) = refused(&planned, &current, None);
        assert_eq!(code, "state-has-moved");
        assert_eq!(
            detail,
            "The plan was made from serial 3; the state is at serial 5. 3 instances moved:\n  file.a was removed\n  \
             file.b was changed\n  file.d was added"
        );
    }

    #[test]
    fn many_instances_are_counted() {
        let records: Vec<(String, &str)> = (0..1000).map(|i| (format!("file.a[{i}]"), "1")).collect();
        let records: Vec<(&str, &str)> = records.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        let (_, detail) = refused(&binding("l", 1, &[]), &binding("l", 2, &records), None);
        assert!(detail.contains("1000 instances moved") && detail.ends_with("and 990 more"), "{detail}");
        assert!(detail.lines().count() < 15);
    }

    #[test]
    fn a_state_that_moved_in_other_ways_is_refused_too() {
        let (code, detail) = refused(&binding("l", 3, &[]), &binding("l", 4, &[]), None);
        assert_eq!(code, "state-has-moved");
        assert!(detail.contains("No instance differs"), "{detail}");
    }

    #[test]
    fn a_plan_for_another_state_is_refused() {
        for (planned, current, said) in
            [("x", "l", "`x`"), ("", "l", "no state"), ("x", "", "no state at all")]
        {
            let (code, detail) = refused(&binding(planned, 0, &[]), &binding(current, 0, &[]), None);
            assert_eq!(code, "plan-for-another-state");
            assert!(detail.contains(said), "{detail}");
        }
    }

    #[test]
    fn a_plan_is_carried_out_once() {
        // Also if the state has gone back to where it was.
        let state = binding("l", 3, &[("file.a", "1")]);
        let earlier = Earlier { operation: 7, started: "2026-01-02T03:04:05Z".parse().unwrap() };
        let (code, detail) = refused(&state, &state, Some(earlier));
        assert_eq!(code, "plan-already-applied");
        assert!(detail.contains("Operation 7, begun 2026-01-02T03:04:05Z"), "{detail}");
    }
}
