//! Whether a planned state keeps the promise: what the configuration says will be so.
//!
//! A provider may plan, for an attribute that is configured, the configured value, or the prior value if it means the
//! same in another spelling. It may choose only what is computed and not configured. Blocks come as they are
//! configured, each of them known at least by its place.
//!
//! The rules are those by which hosts of plugin protocol 6 judge the answer to `PlanResourceChange`. Providers that
//! answer with `legacy_type_system` break them regularly: for those the caller only notes what is found here. The
//! elements of a set cannot be told apart well enough to be judged, and are trusted.
//!
//! Elsewhere: types and write-only attributes, to be checked before, are [`super::conform`]'s; nobody is exempt there.

use ecow::eco_format;
use plumb_model::{Attribute, AttributeType, Block, NestedBlock, NestedObject, Nesting, Step, Value};

use super::broken::{Broken, Findings};
use super::equal::same;
use super::members::{Members, part};

/// The places in which a planned state is neither what the configuration says nor what the provider may choose. `prior`
/// is null for a create.
pub fn check_planned(schema: &Block, prior: &Value, config: &Value, planned: &Value) -> Vec<Broken> {
    let mut findings = Findings::default();
    check_object(Members::of_block(schema), Triple { prior, config, planned }, &mut findings);
    findings.finish()
}

/// What there was, what is wanted and what is planned in one place.
#[derive(Clone, Copy)]
struct Triple<'v> {
    prior: &'v Value,
    config: &'v Value,
    planned: &'v Value,
}

impl<'v> Triple<'v> {
    fn part(self, name: &str) -> Triple<'v> {
        Triple {
            prior: part(self.prior, name),
            config: part(self.config, name),
            planned: part(self.planned, name),
        }
    }
}

fn check_object(members: Members<'_>, values: Triple<'_>, findings: &mut Findings) {
    let Triple { config, planned, .. } = values;
    if same(config, planned) {
        return;
    }
    if !present_alike(config, planned, findings) {
        return;
    }
    if !planned.is_known() {
        return findings.report("is planned as wholly unknown; only attributes in it may be unknown");
    }
    if !config.is_known() {
        return findings.report("is planned as known although the configuration is not known yet");
    }
    for (name, attribute) in members.attributes {
        findings.within(Step::Attribute(name.clone()), |f| check_attribute(attribute, values.part(name), f));
    }
    for (name, nested) in members.blocks() {
        findings.within(Step::Attribute(name.clone()), |f| check_block(nested, values.part(name), f));
    }
}

/// Whether both are null or none is; reports if not. What is null needs no further check.
fn present_alike(config: &Value, planned: &Value, findings: &mut Findings) -> bool {
    match (config.is_null(), planned.is_null()) {
        (false, false) => return true,
        (true, true) => {}
        (false, true) => findings.report("is planned to be absent although the configuration has it"),
        (true, false) => findings.report("is planned to exist although the configuration does not have it"),
    }
    false
}

fn check_attribute(attribute: &Attribute, values: Triple<'_>, findings: &mut Findings) {
    let Triple { prior, config, planned } = values;
    let equivalent = !prior.is_null() && !config.is_null() && same(planned, prior);
    let chosen = attribute.computed && (!attribute.optional || config.is_null());
    let withheld = attribute.write_only && planned.is_null();
    if same(planned, config) || equivalent || chosen || withheld {
        return;
    }
    if config.is_null() {
        return findings.report("is planned with a value although it is neither configured nor computed");
    }
    match &attribute.ty {
        AttributeType::Nested(nested) => check_nested(nested, values, findings),
        AttributeType::Plain(_) => findings.report(mismatch(prior, planned)),
    }
}

fn mismatch(prior: &Value, planned: &Value) -> &'static str {
    match (planned, prior) {
        (Value::Null(_), _) => "is planned as null although it is configured",
        (Value::Unknown(_), _) => "is planned as unknown although it is configured",
        (_, Value::Null(_)) => "is planned with a value that is not the configured one",
        _ => "is planned with a value that is neither the configured nor the prior one",
    }
}

fn check_nested(nested: &NestedObject, values: Triple<'_>, findings: &mut Findings) {
    let Triple { prior, config, planned } = values;
    if planned.is_null() || !planned.is_known() || !config.is_known() {
        return findings.report(mismatch(prior, planned));
    }
    let members = Members::of_nested(nested);
    match nested.nesting {
        Nesting::Single | Nesting::Group => check_object(members, values, findings),
        Nesting::List => check_list(members, "elements", values, findings),
        Nesting::Map => check_map(members, values, findings),
        // How many there are is certain only where all of them are known: unknown ones may turn out to be equal.
        Nesting::Set if config.is_wholly_known() && planned.is_wholly_known() => {
            check_count("elements", config, planned, findings);
        }
        Nesting::Set => {}
    }
}

fn check_block(nested: &NestedBlock, values: Triple<'_>, findings: &mut Findings) {
    let Triple { config, planned, .. } = values;
    let members = Members::of_block(&nested.block);
    match (nested.nesting, config, planned) {
        _ if same(config, planned) => {}
        (_, Value::Unknown(_), _) => {
            findings.report("must be planned as unknown, since how many blocks there are is not known yet");
        }
        (_, _, Value::Unknown(_)) => {
            findings.report("is planned as wholly unknown; only attributes in it may be unknown");
        }
        (Nesting::Single | Nesting::Group, ..) => check_object(members, values, findings),
        (_, _, Value::Null(_)) => {
            findings.report("is planned as null; where there are no blocks it is empty")
        }
        (Nesting::List, ..) => check_list(members, "blocks", values, findings),
        (Nesting::Map, ..) => check_map(members, values, findings),
        (Nesting::Set, ..) => {
            if planned.as_items().unwrap_or_default().iter().any(|block| !block.is_known()) {
                findings.within(Step::Any, |f| {
                    f.report("is planned as wholly unknown; only attributes in it may be unknown");
                });
            }
        }
    }
}

fn check_list(members: Members<'_>, noun: &str, values: Triple<'_>, findings: &mut Findings) {
    let Triple { prior, config, planned } = values;
    if !check_count(noun, config, planned, findings) {
        return;
    }
    let [prior, config, planned] = [prior, config, planned].map(|v| v.as_items().unwrap_or_default());
    for (i, (config, planned)) in config.iter().zip(planned).enumerate() {
        let prior = prior.get(i).unwrap_or(&Value::NULL);
        findings.within(Step::Index(i), |f| check_object(members, Triple { prior, config, planned }, f));
    }
}

fn check_count(noun: &str, config: &Value, planned: &Value, findings: &mut Findings) -> bool {
    let [config, planned] = [config, planned].map(|v| v.as_items().unwrap_or_default().len());
    if config != planned {
        findings.report(eco_format!("is planned with {planned} {noun}, but {config} are configured"));
    }
    config == planned
}

fn check_map(members: Members<'_>, values: Triple<'_>, findings: &mut Findings) {
    let (config, planned) = (values.config.as_entries(), values.planned.as_entries());
    for key in config.into_iter().flat_map(|e| e.keys()) {
        findings.within(Step::Key(key.clone()), |f| {
            if planned.is_some_and(|planned| planned.contains_key(key)) {
                check_object(members, values.part(key), f);
            } else {
                f.report("is configured but missing in the plan");
            }
        });
    }
    for key in planned.into_iter().flat_map(|e| e.keys()) {
        if !config.is_some_and(|config| config.contains_key(key)) {
            findings.within(Step::Key(key.clone()), |f| f.report("is planned but not configured"));
        }
    }
}
