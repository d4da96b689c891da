//! Where two states of an object differ.
//!
//! The answer names the smallest parts that differ: an attribute of an object, a key of a map, an index of a list or
//! tuple. A set is named as a whole, since its elements have no names. It serves to show drift, to tell which changes
//! outside matter to the configuration, and to say why something changes.

use plumb_model::{Block, Path, Step, Value};

use super::equal::same;
use super::members::Declared;

/// The paths at which two objects of a schema differ, in the order of their parts. Nothing in the list lies below
/// anything else in it. Where one side lacks a part that the other has, or has null, the path leads to that part; the
/// path is the root where one of the objects is null. Refinements of unknown values and types of nulls are no
/// differences.
pub fn differing_paths(before: &Value, after: &Value, schema: &Block) -> Vec<Path> {
    let mut differences = Differences { path: Path::root(), found: Vec::new() };
    differences.compare(Declared::root(schema), before, after);
    differences.found
}

struct Differences {
    path: Path,
    found: Vec<Path>,
}

impl Differences {
    fn compare(&mut self, declared: Declared<'_>, before: &Value, after: &Value) {
        match (before, after) {
            (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
                self.compare_items(declared, before, after);
            }
            (Value::Map(_), Value::Map(_)) | (Value::Object(_), Value::Object(_)) => {
                self.compare_entries(declared, before, after);
            }
            _ if same(before, after) => {}
            _ => self.found.push(self.path.clone()),
        }
    }

    fn compare_items(&mut self, declared: Declared<'_>, before: &Value, after: &Value) {
        let [before, after] = [before, after].map(|v| v.as_items().unwrap_or_default());
        for i in 0..before.len().max(after.len()) {
            self.compare_parts((Step::Index(i), declared.element(i)), before.get(i), after.get(i));
        }
    }

    fn compare_entries(&mut self, declared: Declared<'_>, before: &Value, after: &Value) {
        let (Some(old), Some(new)) = (before.as_entries(), after.as_entries()) else { return };
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        while let Some(name) = first(old.peek().map(|e| e.0), new.peek().map(|e| e.0)) {
            let before_part = old.next_if(|(n, _)| *n == name).map(|(_, v)| v);
            let after_part = new.next_if(|(n, _)| *n == name).map(|(_, v)| v);
            self.compare_parts(declared.entry(before, name), before_part, after_part);
        }
    }

    fn compare_parts(
        &mut self,
        (step, declared): (Step, Declared<'_>),
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        self.path.0.push(step);
        match (before, after) {
            (Some(before), Some(after)) => self.compare(declared, before, after),
            _ => self.found.push(self.path.clone()),
        }
        self.path.0.pop();
    }
}

fn first<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::{Nesting, Type};

    use super::super::testing::*;
    use super::*;

    fn schema() -> Block {
        let inner = || Block::of([("v", optional())]);
        let dynamic = Block::of([("v", optional_of(Type::Dynamic))]);
        Block::of([("a", optional()), ("any", optional_of(Type::Dynamic))])
            .block("rule", many(Nesting::List, inner()))
            .block("tag", many(Nesting::Set, inner()))
            .block("label", many(Nesting::Map, dynamic))
    }

    fn check(before: Value, after: Value, expected: &[&str]) {
        let paths = differing_paths(&before, &after, &schema());
        assert_eq!(paths.iter().map(Path::to_string).collect::<Vec<_>>(), expected);
        let back: Vec<_> = differing_paths(&after, &before, &schema());
        assert_eq!(back, paths, "a difference is one from both sides");
        assert!(differing_paths(&before, &before, &schema()).is_empty());
    }

    #[test]
    fn the_smallest_differing_parts_are_named() {
        let v = |text: &str| obj([("v", s(text))]);
        check(obj([("a", s("x"))]), obj([("a", s("x"))]), &[]);
        check(obj([("a", s("x"))]), obj([("a", s("y"))]), &["a"]);
        check(obj([("a", s("x"))]), obj([("a", unknown())]), &["a"]);
        check(obj([("a", Value::Null(Type::String))]), obj([("a", null())]), &[]);
        check(
            obj([("rule", list([v("1"), v("2")]))]),
            obj([("rule", list([v("1"), v("3"), v("4")]))]),
            &["rule[1].v", "rule[2]"],
        );
        check(obj([("tag", set([v("1"), v("2")]))]), obj([("tag", set([v("2"), v("3")]))]), &["tag"]);
        check(null(), obj([("a", s("x"))]), &[""]);
    }

    #[test]
    fn keys_are_keys_and_attributes_are_attributes() {
        let any = |value| obj([("any", value)]);
        check(
            any(map([("k", s("1")), ("m", s("1"))])),
            any(map([("k", s("2")), ("l", s("1"))])),
            &[r#"any["k"]"#, r#"any["l"]"#, r#"any["m"]"#],
        );
        check(any(obj([("k", tuple([n(1)]))])), any(obj([("k", tuple([n(2)]))])), &["any.k[0]"]);
        check(any(obj([])), any(map([])), &["any"]);
        // Blocks by label are an object where their types may differ, but labels remain keys.
        let label = |v: Value| obj([("label", obj([("k", obj([("v", v)]))]))]);
        check(label(s("1")), label(n(1)), &[r#"label["k"].v"#]);
    }
}
