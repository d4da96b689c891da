//! Whether an outcome is what was planned: whatever was known in the plan is so, and what was unknown has turned out as
//! was said of it.
//!
//! The rules are those by which hosts of plugin protocol 6 judge the answer to `ApplyResourceChange`, and the second
//! plan that is made while a changeset runs. For providers that answer with `legacy_type_system` the caller only notes
//! what is found about an outcome; a second plan, and unknown values in an outcome, are never excused.
//!
//! A set may have shrunk, since planned elements that were not wholly known may have turned out equal. Apart from that
//! each planned element must have become some element, and each element must have been planned.

use ecow::eco_format;
use plumb_model::value::{Refinement, Unknown};
use plumb_model::{Block, NestedBlock, Nesting, Step, Type, Value};

use super::broken::{Broken, Findings};
use super::conform::conforms;
use super::correlate::{Candidates, Mask, Patterns, mask_of};
use super::members::{Declared, Member, Members, part};
use super::unknowns::unknown_paths;

/// The places in which an outcome, or a second plan, is not compatible with what was planned.
pub fn check_applied(schema: &Block, planned: &Value, actual: &Value) -> Vec<Broken> {
    let mut findings = Findings::default();
    check_object(Members::of_block(schema), planned, actual, &mut findings);
    findings.finish()
}

/// The parts of an outcome that are not known. There must be none.
pub fn check_known(actual: &Value) -> Vec<Broken> {
    let problem = "is still unknown after the change was made";
    unknown_paths(actual).into_iter().map(|path| Broken { path, problem: problem.into() }).collect()
}

fn check_object(members: Members<'_>, planned: &Value, actual: &Value, findings: &mut Findings) {
    match (planned, actual) {
        (Value::Null(_), Value::Null(_)) | (Value::Unknown(_), _) => return,
        (Value::Null(_), _) => return findings.report("was planned to be absent, but is present"),
        (_, Value::Null(_)) => return findings.report("was planned to be present, but is absent"),
        (_, Value::Unknown(_)) => return findings.report("was known in the plan, but is unknown now"),
        _ => {}
    }
    for (name, attribute) in members.attributes {
        let declared = Declared::of_attribute(attribute);
        let (planned, actual) = (part(planned, name), part(actual, name));
        findings.within(Step::Attribute(name.clone()), |f| check_value(declared, planned, actual, f));
    }
    for (name, nested) in members.blocks() {
        let (planned, actual) = (part(planned, name), part(actual, name));
        findings.within(Step::Attribute(name.clone()), |f| check_block(nested, planned, actual, f));
    }
}

fn check_block(nested: &NestedBlock, planned: &Value, actual: &Value, findings: &mut Findings) {
    let members = Members::of_block(&nested.block);
    match (nested.nesting, planned, actual) {
        (_, Value::Unknown(_), _) => {}
        (Nesting::Single | Nesting::Group, ..) => check_object(members, planned, actual, findings),
        // Whether blocks of which there are none are null or empty is not held against anybody.
        (_, Value::Null(_), _) | (_, _, Value::Null(_) | Value::Unknown(_)) => {}
        (Nesting::List, ..) => {
            let (planned, actual) = (items(planned), items(actual));
            if planned.len() != actual.len() {
                let (was, is) = (planned.len(), actual.len());
                return findings.report(eco_format!("was planned with {was} blocks, but has {is}"));
            }
            for (i, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                findings.within(Step::Index(i), |f| check_object(members, planned, actual, f));
            }
        }
        (Nesting::Map, ..) => {
            let declared = Declared::of_block(nested);
            check_keys(declared, planned, actual, findings, &|_, p, a, f| check_object(members, p, a, f));
        }
        (Nesting::Set, ..) => {
            let mask = |element: &Value| {
                let fixed = |name: &str, part: &Value| {
                    !matches!(members.get(name), Some(Member::Block(_))) && is_fixed(part)
                };
                mask_of(element, fixed, is_fixed)
            };
            check_set(items(planned), items(actual), &mask, findings, &|p, a, f| {
                check_object(members, p, a, f);
            });
        }
    }
}

fn check_value(declared: Declared<'_>, planned: &Value, actual: &Value, findings: &mut Findings) {
    match (planned, actual) {
        // Not even the type was promised.
        (Value::Null(Type::Dynamic), _) if declared.is_dynamic() => {}
        (Value::Unknown(unknown), _) if unknown.ty == Type::Dynamic && declared.is_dynamic() => {}
        (Value::Unknown(unknown), _) => check_was_unknown(unknown, actual, findings),
        (Value::Null(_), Value::Null(_)) => {}
        (Value::Null(_), _) => findings.report("was planned as null, but has a value"),
        (_, Value::Null(_)) => findings.report("was planned with a value, but is null"),
        (_, Value::Unknown(_)) => findings.report("was known in the plan, but is unknown now"),
        (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
            check_items(declared, items(planned), items(actual), findings);
        }
        (Value::Map(_), Value::Map(_)) | (Value::Object(_), Value::Object(_)) => {
            check_keys(declared, planned, actual, findings, &check_value);
        }
        (Value::Set(_), Value::Set(_)) => {
            let mask = |element: &Value| mask_of(element, |_, part| is_fixed(part), is_fixed);
            let element = declared.element(0);
            check_set(items(planned), items(actual), &mask, findings, &|p, a, f| {
                check_value(element, p, a, f);
            });
        }
        (Value::Bool(_) | Value::Number(_) | Value::String(_), _) if planned == actual => {}
        _ if std::mem::discriminant(planned) == std::mem::discriminant(actual) => {
            findings.report("is not the value that was planned");
        }
        _ => findings.report(eco_format!("is {}, but was planned as {}", actual.ty(), planned.ty())),
    }
}

fn check_was_unknown(planned: &Unknown, actual: &Value, findings: &mut Findings) {
    if !conforms(actual, &planned.ty) {
        findings.report(eco_format!("is {}, but was planned as {}", actual.ty(), planned.ty));
    } else if let Err(fact) = fits(&planned.refinement, actual) {
        findings.report(eco_format!("{fact}, which the plan had ruled out"));
    }
}

/// Whether a value is as was said of it while it was unknown. The error says what it is instead.
fn fits(refinement: &Refinement, actual: &Value) -> Result<(), &'static str> {
    if !actual.is_known() {
        return Ok(());
    }
    let number = actual.as_number();
    let (items, entries) = (actual.as_items().map(<[_]>::len), actual.as_entries().map(|e| e.len()));
    let length = items.or(entries.filter(|_| matches!(actual, Value::Map(_))));
    let below = |(min, inclusive): &(_, bool)| number.is_some_and(|n| n < min || (n == min && !inclusive));
    let above = |(max, inclusive): &(_, bool)| number.is_some_and(|n| n > max || (n == max && !inclusive));
    if actual.is_null() {
        return if refinement.not_null { Err("is null") } else { Ok(()) };
    }
    if actual.as_str().is_some_and(|text| !text.starts_with(refinement.prefix.as_str())) {
        return Err("does not have the planned beginning");
    }
    if refinement.min.as_ref().is_some_and(below) {
        return Err("is a lower number");
    }
    if refinement.max.as_ref().is_some_and(above) {
        return Err("is a higher number");
    }
    match length {
        Some(length) if length < refinement.min_length => Err("has fewer elements"),
        Some(length) if refinement.max_length.is_some_and(|max| length > max) => Err("has more elements"),
        _ => Ok(()),
    }
}

fn check_items(declared: Declared<'_>, planned: &[Value], actual: &[Value], findings: &mut Findings) {
    if planned.len() != actual.len() {
        let (was, is) = (planned.len(), actual.len());
        return findings.report(eco_format!("was planned with {was} elements, but has {is}"));
    }
    for (i, (planned, actual)) in planned.iter().zip(actual).enumerate() {
        findings.within(Step::Index(i), |f| check_value(declared.element(i), planned, actual, f));
    }
}

type CheckEntry<'c> = &'c dyn Fn(Declared<'_>, &Value, &Value, &mut Findings);

fn check_keys(
    declared: Declared<'_>,
    planned: &Value,
    actual: &Value,
    findings: &mut Findings,
    check: CheckEntry<'_>,
) {
    let [was, is] = [planned, actual].map(|v| v.as_entries());
    for (key, planned) in was.into_iter().flat_map(|e| e.iter()) {
        let (step, declared) = declared.entry(actual, key);
        findings.within(step, |f| match actual.get(key) {
            Some(actual) => check(declared, planned, actual, f),
            None => f.report("was planned, but is missing"),
        });
    }
    for key in is.into_iter().flat_map(|e| e.keys()).filter(|key| planned.get(key).is_none()) {
        findings.within(declared.entry(actual, key).0, |f| f.report("was not planned"));
    }
}

type CheckElement<'c> = &'c dyn Fn(&Value, &Value, &mut Findings);

fn check_set(
    planned: &[Value],
    actual: &[Value],
    mask: &dyn Fn(&Value) -> Mask,
    findings: &mut Findings,
    check: CheckElement<'_>,
) {
    if actual.len() > planned.len() {
        let (was, is) = (planned.len(), actual.len());
        findings.report(eco_format!("was planned with {was} elements, but has {is}"));
    }
    let compatible = |planned: &Value, actual: &Value| {
        let mut findings = Findings::default();
        check(planned, actual, &mut findings);
        findings.is_clean()
    };
    let mut candidates = Candidates::new(actual);
    let mut matched = vec![false; actual.len()];
    let mut missing = 0usize;
    for planned in planned {
        match candidates.find(planned, mask(planned), |i| compatible(planned, &actual[i])) {
            Some(i) => matched[i] = true,
            None => missing += 1,
        }
    }
    if missing > 0 {
        findings.report(eco_format!("lacks {missing} of the elements that were planned"));
    }
    let patterns = Patterns::new(planned, mask);
    let unplanned = actual
        .iter()
        .zip(&matched)
        .filter(|(actual, matched)| !**matched && !patterns.any(actual, |i| compatible(&planned[i], actual)))
        .count();
    if unplanned > 0 {
        findings.report(eco_format!("has {unplanned} elements that were not planned"));
    }
}

/// Whether only an equal value is compatible with this planned one.
fn is_fixed(planned: &Value) -> bool {
    match planned {
        Value::Unknown(_) | Value::Null(Type::Dynamic) => false,
        Value::Map(_) | Value::Object(_) => {
            planned.as_entries().is_some_and(|entries| entries.values().all(is_fixed))
        }
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => items(planned).iter().all(is_fixed),
        _ => true,
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_items().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use plumb_model::{Attribute, Number};

    use super::super::testing::*;
    use super::*;

    /// Checks an attribute `x`; expects problems below it, or there if they do not begin with a step.
    #[track_caller]
    fn check(attribute: Attribute, planned: Value, actual: Value, expected: &[&str]) {
        check_member(&Block::of([("x", attribute)]), planned, actual, expected);
    }

    #[track_caller]
    fn check_blocks(nesting: Nesting, planned: Value, actual: Value, expected: &[&str]) {
        let inner = Block::of([("v", optional()), ("id", computed())]);
        check_member(&Block::default().block("x", many(nesting, inner)), planned, actual, expected);
    }

    #[track_caller]
    fn check_member(schema: &Block, planned: Value, actual: Value, expected: &[&str]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|e| format!("x{}{e}", if e.starts_with(['.', '[']) { "" } else { ": " }))
            .collect();
        assert_broken(&check_applied(schema, &obj([("x", planned)]), &obj([("x", actual)])), &expected);
    }

    fn object(v: &str, id: Value) -> Value {
        obj([("v", s(v)), ("id", id)])
    }

    #[test]
    fn existence_is_as_planned() {
        let schema = Block::of([("v", optional())]);
        let object = || obj([("v", s("a"))]);
        let check = |planned: Value, actual: Value, expected: &[&str]| {
            assert_broken(&check_applied(&schema, &planned, &actual), expected);
        };
        check(null(), null(), &[]);
        check(null(), object(), &["was planned to be absent, but is present"]);
        check(object(), null(), &["was planned to be present, but is absent"]);
        check(
            object(),
            Value::unknown(schema.implied_type()),
            &["was known in the plan, but is unknown now"],
        );
    }

    #[test]
    fn known_values_are_kept() {
        let primitive = || optional_of(Type::Dynamic);
        check(primitive(), s("a"), s("a"), &[]);
        check(primitive(), s("a"), s("b"), &["is not the value that was planned"]);
        check(primitive(), n(1), Number::parse("1.0").unwrap().into(), &[]);
        check(
            primitive(),
            n(1),
            Number::parse("1.5").unwrap().into(),
            &["is not the value that was planned"],
        );
        check(primitive(), n(1), s("1"), &["is string, but was planned as number"]);
        check(optional(), null(), null(), &[]);
        check(optional(), null(), s("a"), &["was planned as null, but has a value"]);
        check(optional(), s("a"), null(), &["was planned with a value, but is null"]);
        check(optional(), s("a"), unknown(), &["was known in the plan, but is unknown now"]);
    }

    #[test]
    fn unknown_values_become_anything_of_their_type() {
        for actual in [s("a"), null(), unknown()] {
            check(computed(), unknown(), actual, &[]);
        }
        check(computed(), unknown(), n(1), &["is number, but was planned as string"]);
        let objects = || Value::unknown(Type::list(Type::object([("a", Type::String)])));
        check(optional_of(Type::Dynamic), objects(), list([obj([("a", s("x"))])]), &[]);
        check(optional_of(Type::Dynamic), Value::unknown(Type::Dynamic), n(1), &[]);
    }

    #[test]
    fn a_dynamic_attribute_without_a_planned_type_may_become_anything() {
        check(optional_of(Type::Dynamic), Value::unknown_not_null(Type::Dynamic), null(), &[]);
        check(optional_of(Type::Dynamic), null(), n(1), &[]);
        let typed = Value::Null(Type::String);
        check(optional_of(Type::Dynamic), typed, s("a"), &["was planned as null, but has a value"]);
        let ty = Type::object([("a", Type::Dynamic), ("b", Type::String)]);
        check(
            optional_of(ty),
            obj([("a", null()), ("b", null())]),
            obj([("a", n(1)), ("b", s("x"))]),
            &[".b: was planned as null, but has a value"],
        );
        let element = |a: Value| set([obj([("a", a), ("b", s("x"))])]);
        check(optional_of(Type::Dynamic), element(null()), element(n(1)), &[]);
    }

    #[test]
    fn what_was_said_of_unknown_values_holds() {
        let refine = |ty: &Type, change: &dyn Fn(&mut Refinement)| {
            let mut refinement = Refinement::default();
            change(&mut refinement);
            Value::refined(ty.clone(), refinement)
        };
        let number = |min: Option<(i64, bool)>, max: Option<(i64, bool)>| {
            refine(&Type::Number, &|r| {
                r.min = min.map(|(n, inclusive)| (Number::from(n), inclusive));
                r.max = max.map(|(n, inclusive)| (Number::from(n), inclusive));
            })
        };
        let strings = Type::list(Type::String);
        let length = |min, max| {
            refine(&strings, &|r| {
                r.min_length = min;
                r.max_length = max;
            })
        };
        let of = |ty| Attribute::computed(ty);
        let not_null = || Value::unknown_not_null(Type::String);
        check(computed(), not_null(), s(""), &[]);
        check(computed(), not_null(), null(), &["is null, which the plan had ruled out"]);
        let prefix = || refine(&Type::String, &|r| r.prefix = "pre-".into());
        check(computed(), prefix(), s("pre-1"), &[]);
        check(computed(), prefix(), null(), &[]);
        let beginning = "does not have the planned beginning, which the plan had ruled out";
        check(computed(), prefix(), s("pr"), &[beginning]);
        let low = "is a lower number, which the plan had ruled out";
        let high = "is a higher number, which the plan had ruled out";
        check(of(Type::Number), number(Some((1, true)), Some((3, true))), n(1), &[]);
        check(of(Type::Number), number(Some((1, true)), Some((3, true))), n(3), &[]);
        check(of(Type::Number), number(Some((1, false)), None), n(1), &[low]);
        check(of(Type::Number), number(Some((1, true)), None), n(0), &[low]);
        check(of(Type::Number), number(None, Some((3, false))), n(3), &[high]);
        check(of(Type::Number), number(None, Some((3, true))), n(4), &[high]);
        let items = |count: usize| list((0..count).map(|_| s("a")));
        check(of(strings.clone()), length(1, Some(2)), items(1), &[]);
        check(of(strings.clone()), length(1, Some(2)), items(2), &[]);
        let few = "has fewer elements, which the plan had ruled out";
        let many = "has more elements, which the plan had ruled out";
        check(of(strings.clone()), length(1, None), Value::list(Type::String, vec![]), &[few]);
        check(of(strings.clone()), length(0, Some(2)), items(3), &[many]);
    }

    #[test]
    fn lists_maps_and_objects_are_compared_part_by_part() {
        let strings = || optional_of(Type::list(Type::String));
        check(strings(), list([s("a"), unknown()]), list([s("a"), s("b")]), &[]);
        check(
            strings(),
            list([s("a"), s("b")]),
            list([s("a"), s("c")]),
            &["[1]: is not the value that was planned"],
        );
        check(strings(), list([s("a")]), list([]), &["was planned with 1 elements, but has 0"]);
        check(
            optional_of(Type::map(Type::String)),
            map([("k", unknown()), ("l", s("a"))]),
            map([("k", s("x")), ("m", s("a"))]),
            &[r#"["l"]: was planned, but is missing"#, r#"["m"]: was not planned"#],
        );
        check(
            optional_of(Type::Dynamic),
            obj([("a", tuple([n(1)]))]),
            obj([("a", tuple([n(2)]))]),
            &[".a[0]: is not the value that was planned"],
        );
        let attribute = nested(Nesting::Map, [("v", optional()), ("id", computed())]);
        check(
            attribute,
            map([("k", object("a", unknown()))]),
            map([("k", object("b", s("i")))]),
            &[r#"["k"].v: is not the value that was planned"#],
        );
    }

    #[test]
    fn sets_are_compared_as_sets() {
        let strings = || optional_of(Type::set(Type::String));
        check(strings(), set([s("a"), s("b")]), set([s("b"), s("a")]), &[]);
        check(
            strings(),
            set([s("a"), s("b")]),
            set([s("a"), s("c")]),
            &["lacks 1 of the elements that were planned", "has 1 elements that were not planned"],
        );
        check(
            strings(),
            set([s("a"), s("b")]),
            set([s("a")]),
            &["lacks 1 of the elements that were planned"],
        );
        check(
            strings(),
            set([s("a")]),
            set([s("a"), s("b")]),
            &["was planned with 1 elements, but has 2", "has 1 elements that were not planned"],
        );
        // An unknown element may turn out to be the same as another.
        check(strings(), set([s("a"), unknown()]), set([s("a")]), &[]);
        check(strings(), set([s("a"), unknown()]), set([s("a"), s("b")]), &[]);
        check(
            strings(),
            set([s("a"), unknown(), unknown()]),
            set([s("b"), s("c")]),
            &["lacks 1 of the elements that were planned"],
        );
        check(strings(), set([]), set([]), &[]);
    }

    #[test]
    fn elements_of_sets_are_found_by_what_was_known() {
        for check in [
            |planned, actual, expected: &[&str]| check_blocks(Nesting::Set, planned, actual, expected),
            |planned, actual, expected: &[&str]| {
                let attribute = nested(Nesting::Set, [("v", optional()), ("id", computed())]);
                check(attribute, planned, actual, expected);
            },
        ] {
            let planned = || set([object("a", unknown()), object("b", s("2")), object("c", unknown())]);
            check(planned(), set([object("c", s("3")), object("b", s("2")), object("a", s("1"))]), &[]);
            check(
                planned(),
                set([object("c", s("3")), object("b", s("9")), object("a", s("1"))]),
                &["lacks 1 of the elements that were planned", "has 1 elements that were not planned"],
            );
            // Both halves of one planned element cannot hide that there are more.
            check(
                set([object("a", unknown())]),
                set([object("a", s("1")), object("a", s("2"))]),
                &["was planned with 1 elements, but has 2"],
            );
        }
    }

    #[test]
    fn blocks_are_compared_block_by_block() {
        let (planned, actual) = (|| object("a", unknown()), || object("a", s("1")));
        let other = || object("b", s("1"));
        let ty = planned().ty();
        let changed = ".v: is not the value that was planned";
        for nesting in [Nesting::Single, Nesting::Group] {
            check_blocks(nesting, planned(), actual(), &[]);
            check_blocks(nesting, planned(), other(), &[changed]);
            check_blocks(nesting, planned(), null(), &["was planned to be present, but is absent"]);
            check_blocks(nesting, Value::unknown(ty.clone()), null(), &[]);
            check_blocks(nesting, Value::unknown(ty.clone()), actual(), &[]);
        }
        check_blocks(Nesting::List, list([planned()]), list([actual()]), &[]);
        check_blocks(Nesting::List, list([planned()]), list([other()]), &[&format!("[0]{changed}")]);
        check_blocks(Nesting::List, list([planned()]), list([]), &["was planned with 1 blocks, but has 0"]);
        check_blocks(Nesting::List, null(), list([]), &[]);
        check_blocks(Nesting::List, list([]), null(), &[]);
        check_blocks(Nesting::List, Value::unknown(Type::list(ty)), list([other()]), &[]);
        check_blocks(Nesting::Map, map([("k", planned())]), map([("k", actual())]), &[]);
        check_blocks(
            Nesting::Map,
            map([("k", planned()), ("l", planned())]),
            map([("k", other()), ("m", actual())]),
            &[
                &format!(r#"["k"]{changed}"#),
                r#"["l"]: was planned, but is missing"#,
                r#"["m"]: was not planned"#,
            ],
        );
    }

    #[test]
    fn inner_blocks_of_which_there_are_none_may_be_null_or_empty() {
        let inner = Block::of([("v", optional())]).block("deep", many(Nesting::List, Block::default()));
        let schema = Block::default().block("x", many(Nesting::Set, inner));
        let element = |deep: Value| set([obj([("v", s("a")), ("deep", deep)])]);
        check_member(&schema, element(null()), element(list([])), &[]);
        check_member(&schema, element(list([])), element(null()), &[]);
    }

    #[test]
    fn an_outcome_is_wholly_known() {
        let value = obj([("a", s("x")), ("b", list([unknown()])), ("c", set([unknown()]))]);
        let problem = "is still unknown after the change was made";
        assert_broken(&check_known(&value), &[format!("b[0]: {problem}"), format!("c: {problem}")]);
        assert_broken::<&str>(&check_known(&obj([("a", null())])), &[]);
    }

    #[test]
    fn large_sets_of_partly_unknown_elements_are_compared() {
        let schema = Block::of([("x", nested(Nesting::Set, [("v", optional()), ("id", computed())]))]);
        let planned = obj([("x", set((0..3_000).map(|i| object(&format!("v{i}"), unknown()))))]);
        let actual = obj([("x", set((0..3_000).map(|i| object(&format!("v{i}"), s(&format!("i{i}"))))))]);
        assert_broken::<&str>(&check_applied(&schema, &planned, &actual), &[]);
    }
}
