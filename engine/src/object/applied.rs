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
