//! Which of the attributes that a provider names really make a replacement necessary.
//!
//! A provider may name, in `requires_replace`, every attribute that cannot change in place, whether it changes or not:
//! plugin protocol 6 leaves it to the host to keep those that do. An unknown planned value counts as a change, since what was there before is known. What is
//! in state of a write-only attribute is always null, so its provider is believed.

use std::collections::BTreeSet;

use plumb_model::{Block, Path, Value};

use super::broken::Broken;
use super::equal::same;

/// The paths among `requires` at which a planned state differs from the prior one, sorted, each once. A path into a set
/// ends at the set. None if there is no prior state: what does not exist is not replaced.
///
/// # Errors
/// If a path leads nowhere in either state.
pub fn replace_paths(
    prior: &Value,
    planned: &Value,
    requires: &[Path],
    schema: &Block,
) -> Result<Vec<Path>, Broken> {
    if prior.is_null() {
        return Ok(Vec::new());
    }
    let mut kept = BTreeSet::new();
    for path in requires {
        let (before, after) = (find(prior, path), find(planned, path));
        let Some(length) = before.map(|f| f.length).max(after.map(|f| f.length)) else {
            let problem = "is named as a reason to replace, but there is no such attribute";
            return Err(Broken { path: path.clone(), problem: problem.into() });
        };
        let write_only = schema.attribute_at(path).is_some_and(|attribute| attribute.write_only);
        if write_only || differs(before.map(|f| f.value), after.map(|f| f.value)) {
            kept.insert(Path(path.0[..length].to_vec()));
        }
    }
    Ok(kept.into_iter().collect())
}

/// What a path leads to, and how many of its steps lead there.
#[derive(Clone, Copy)]
struct Found<'v> {
    value: &'v Value,
    length: usize,
}

/// Follows a path as far as it can be followed: to its end, to a set, or to an unknown value.
fn find<'v>(value: &'v Value, path: &Path) -> Option<Found<'v>> {
    let mut found = Found { value, length: 0 };
    for step in &path.0 {
        match found.value {
            Value::Set(_) => break,
            // What is below is not known either; the path stays as it is.
            Value::Unknown(_) => return Some(Found { length: path.0.len(), ..found }),
            value => {
                found = Found { value: value.at(&Path(vec![step.clone()]))?, length: found.length + 1 };
            }
        }
    }
    Some(found)
}

fn differs(before: Option<&Value>, after: Option<&Value>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => !same(before, after),
        (Some(only), None) | (None, Some(only)) => !only.is_null(),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::{Nesting, Step};

    use super::super::testing::*;
    use super::*;

    fn schema() -> Block {
        let inner = || Block::of([("v", optional()), ("id", computed())]);
        Block::of([("name", optional()), ("id", computed()), ("token", optional().write_only())])
            .block("one", many(Nesting::Single, inner()))
            .block("rule", many(Nesting::List, inner()))
            .block("tag", many(Nesting::Set, inner()))
    }

    fn state(name: Value, one: Value, rules: &[&str], tags: &[&str]) -> Value {
        let inner = |v: &&str| obj([("v", s(v)), ("id", s("i"))]);
        obj([
            ("name", name),
            ("id", s("i-1")),
            ("token", null()),
            ("one", one),
            ("rule", list(rules.iter().map(inner))),
            ("tag", set(tags.iter().map(inner))),
        ])
    }

    fn check(prior: &Value, planned: &Value, requires: &[Path], expected: &[&str]) {
        let kept = replace_paths(prior, planned, requires, &schema()).unwrap();
        assert_eq!(kept.iter().map(Path::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn only_paths_that_change_are_kept() {
        let prior = state(s("a"), null(), &["x", "y"], &["t"]);
        let planned = state(s("b"), null(), &["x", "z"], &["t"]);
        let rule = |i| Path::of("rule").then(Step::Index(i)).attribute("v");
        check(
            &prior,
            &planned,
            &[rule(1), Path::of("name"), rule(0), Path::of("id"), Path::of("tag"), Path::of("name")],
            &["name", "rule[1].v"],
        );
        check(&null(), &planned, &[Path::of("name")], &[]);
    }

    #[test]
    fn unknown_is_a_change() {
        let prior = state(s("a"), null(), &[], &[]);
        check(&prior, &state(unknown(), null(), &[], &[]), &[Path::of("name")], &["name"]);
        let one = Value::unknown(schema().blocks["one"].implied_type());
        let below = Path::of("one").attribute("v");
        check(&prior, &state(s("a"), one, &[], &[]), &[below], &["one.v"]);
    }

    #[test]
    fn what_exists_on_one_side_only_is_compared_with_null() {
        let prior = state(s("a"), null(), &["x"], &[]);
        let planned = state(s("a"), obj([("v", s("v")), ("id", null())]), &[], &[]);
        let one = |name| Path::of("one").attribute(name);
        let rule = Path::of("rule").then(Step::Index(0)).attribute("v");
        check(&prior, &planned, &[one("v"), one("id"), rule], &["one.v", "rule[0].v"]);
    }

    #[test]
    fn paths_into_sets_end_there() {
        let path = Path::of("tag").then(Step::Any).attribute("v");
        let prior = state(s("a"), null(), &[], &["t"]);
        check(&prior, &state(s("a"), null(), &[], &["u"]), std::slice::from_ref(&path), &["tag"]);
        check(&prior, &prior, &[path], &[]);
    }

    #[test]
    fn write_only_attributes_are_believed() {
        let prior = state(s("a"), null(), &[], &[]);
        check(&prior, &prior, &[Path::of("token")], &["token"]);
    }

    #[test]
    fn a_path_to_nowhere_is_an_error() {
        let prior = state(s("a"), null(), &["x"], &[]);
        for path in [
            Path::of("nmae"),
            Path::of("rule").then(Step::Index(7)),
            Path::of("name").attribute("x"),
            Path::of("one").attribute("v"),
        ] {
            let broken = replace_paths(&prior, &prior, std::slice::from_ref(&path), &schema()).unwrap_err();
            assert_eq!(broken.path, path);
        }
    }
}
