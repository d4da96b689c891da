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

#[cfg(test)]
mod tests {
    use plumb_model::{Refinement, Type};

    use super::super::testing::*;
    use super::*;

    const NEITHER: &str = "is planned with a value that is neither the configured nor the prior one";
    const NOT_CONFIGURED: &str = "is planned with a value that is not the configured one";
    const UNSET: &str = "is planned with a value although it is neither configured nor computed";
    const NULL: &str = "is planned as null although it is configured";
    const UNKNOWN: &str = "is planned as unknown although it is configured";
    const WHOLLY: &str = "is planned as wholly unknown; only attributes in it may be unknown";
    const ABSENT: &str = "is planned to be absent although the configuration has it";
    const PRESENT: &str = "is planned to exist although the configuration does not have it";

    #[track_caller]
    fn check(schema: &Block, [prior, config, planned]: [Value; 3], expected: &[&str]) {
        assert_broken(&check_planned(schema, &prior, &config, &planned), expected);
    }

    /// Checks the only member `x` of a schema; expects problems below it, or there if they begin with `is` or `must`.
    #[track_caller]
    fn check_member(schema: &Block, [prior, config, planned]: [Value; 3], expected: &[&str]) {
        let x = |value| obj([("x", value)]);
        let expected: Vec<_> = expected
            .iter()
            .map(|e| format!("x{}{e}", if e.starts_with(['.', '[']) { "" } else { ": " }))
            .collect();
        let broken = check_planned(schema, &x(prior), &x(config), &x(planned));
        assert_broken(&broken, &expected);
    }

    #[track_caller]
    fn check_attribute(attribute: Attribute, values: [Value; 3], expected: &[&str]) {
        check_member(&Block::of([("x", attribute)]), values, expected);
    }

    #[track_caller]
    fn check_blocks(nesting: Nesting, values: [Value; 3], expected: &[&str]) {
        let schema = Block::default().block("x", many(nesting, Block::of(inner())));
        check_member(&schema, values, expected);
    }

    fn inner() -> [(&'static str, Attribute); 2] {
        [("v", optional()), ("id", computed())]
    }

    fn object(v: &str, id: Value) -> Value {
        obj([("v", s(v)), ("id", id)])
    }

    /// As configured.
    fn c(v: &str) -> Value {
        object(v, Value::Null(Type::String))
    }

    /// As planned.
    fn p(v: &str) -> Value {
        object(v, unknown())
    }

    #[test]
    fn existence_is_as_configured() {
        let schema = Block::of(inner());
        let root = |problem| [problem];
        check(&schema, [null(), null(), null()], &[]);
        check(&schema, [c("a"), null(), null()], &[]);
        check(&schema, [null(), c("a"), null()], &root(ABSENT));
        check(&schema, [null(), null(), p("a")], &root(PRESENT));
        check(&schema, [null(), c("a"), Value::unknown(schema.implied_type())], &root(WHOLLY));
        check(&schema, [null(), c("a"), p("a")], &[]);
    }

    #[test]
    fn configured_attributes_are_planned_as_configured_or_as_before() {
        for attribute in [optional, optional_computed] {
            let check = |values, expected: &[&str]| check_attribute(attribute(), values, expected);
            check([null(), s("a"), s("a")], &[]);
            check([s("A"), s("a"), s("A")], &[]);
            check([null(), s("a"), s("b")], &[NOT_CONFIGURED]);
            check([s("A"), s("a"), s("b")], &[NEITHER]);
            check([null(), s("a"), null()], &[NULL]);
            check([s("a"), s("a"), unknown()], &[UNKNOWN]);
            check([s("A"), unknown(), s("A")], &[]);
            check([null(), unknown(), unknown()], &[]);
            check([null(), unknown(), s("b")], &[NOT_CONFIGURED]);
            let refined =
                Value::refined(Type::String, Refinement { not_null: true, ..Refinement::default() });
            check([null(), refined.clone(), unknown()], &[]);
            check([null(), unknown(), refined], &[]);
        }
    }

    #[test]
    fn what_is_not_configured_is_null_unless_computed() {
        check_attribute(optional(), [null(), null(), null()], &[]);
        check_attribute(optional(), [null(), null(), s("a")], &[UNSET]);
        check_attribute(optional(), [null(), null(), unknown()], &[UNSET]);
        // Even what was there before: the configuration has removed it.
        check_attribute(optional(), [s("a"), null(), s("a")], &[UNSET]);
        for planned in [null(), s("b"), unknown()] {
            check_attribute(computed(), [s("a"), null(), planned.clone()], &[]);
            check_attribute(optional_computed(), [s("a"), null(), planned], &[]);
        }
    }

    #[test]
    fn write_only_attributes_are_planned_as_null() {
        check_attribute(optional().write_only(), [null(), s("t"), null()], &[]);
        check_attribute(optional().write_only(), [null(), s("t"), s("u")], &[NOT_CONFIGURED]);
    }

    #[test]
    fn nested_attributes_are_judged_one_by_one() {
        let nested_in = |nesting| nested(nesting, inner());
        let single = || nested_in(Nesting::Single);
        check_attribute(single(), [null(), c("a"), p("a")], &[]);
        check_attribute(single(), [null(), c("a"), p("b")], &[&format!(".v: {NOT_CONFIGURED}")]);
        check_attribute(single(), [null(), c("a"), null()], &[NULL]);
        check_attribute(single(), [null(), null(), p("a")], &[UNSET]);
        let ty = || nested_in(Nesting::Single).implied_type();
        check_attribute(single(), [null(), c("a"), Value::unknown(ty())], &[UNKNOWN]);
        check_attribute(single(), [null(), Value::unknown(ty()), Value::unknown(ty())], &[]);
        check_attribute(single(), [null(), Value::unknown(ty()), p("a")], &[NOT_CONFIGURED]);
        let computed = || nested_computed(Nesting::Single, inner());
        check_attribute(computed(), [null(), null(), p("a")], &[]);
        check_attribute(computed(), [null(), null(), Value::unknown(ty())], &[]);
        check_attribute(computed(), [null(), c("a"), p("b")], &[&format!(".v: {NOT_CONFIGURED}")]);

        let listed = || nested_in(Nesting::List);
        check_attribute(listed(), [null(), list([c("a"), c("b")]), list([p("a"), p("b")])], &[]);
        check_attribute(
            listed(),
            [list([c("A"), c("B")]), list([c("a"), c("b")]), list([p("x"), p("B")])],
            &[&format!("[0].v: {NEITHER}")],
        );
        check_attribute(
            listed(),
            [null(), list([c("a"), c("b")]), list([p("a")])],
            &["is planned with 1 elements, but 2 are configured"],
        );
        check_attribute(listed(), [null(), list([c("a"), null()]), list([p("a"), null()])], &[]);
        check_attribute(
            listed(),
            [null(), list([c("a"), null()]), list([p("a"), p("b")])],
            &[&format!("[1]: {PRESENT}")],
        );

        let mapped = || nested_in(Nesting::Map);
        check_attribute(mapped(), [null(), map([("k", c("a"))]), map([("k", p("a"))])], &[]);
        check_attribute(
            mapped(),
            [map([("k", c("A"))]), map([("k", c("a")), ("l", c("b"))]), map([("k", p("x")), ("m", p("b"))])],
            &[
                &format!(r#"["k"].v: {NEITHER}"#),
                r#"["l"]: is configured but missing in the plan"#,
                r#"["m"]: is planned but not configured"#,
            ],
        );

        let in_set = || nested_in(Nesting::Set);
        check_attribute(in_set(), [null(), set([c("a")]), set([p("x")])], &[]);
        check_attribute(in_set(), [null(), set([c("a"), c("b")]), set([p("x")])], &[]);
        check_attribute(
            in_set(),
            [null(), set([c("a"), c("b")]), set([c("x")])],
            &["is planned with 1 elements, but 2 are configured"],
        );
    }

    #[test]
    fn blocks_come_as_configured() {
        for nesting in [Nesting::Single, Nesting::Group] {
            check_blocks(nesting, [null(), c("a"), p("a")], &[]);
            check_blocks(nesting, [null(), c("a"), p("b")], &[&format!(".v: {NOT_CONFIGURED}")]);
            check_blocks(nesting, [c("A"), c("a"), p("A")], &[]);
            check_blocks(nesting, [null(), c("a"), null()], &[ABSENT]);
            check_blocks(nesting, [null(), null(), p("a")], &[PRESENT]);
        }
        check_blocks(Nesting::List, [null(), list([c("a")]), list([p("a")])], &[]);
        check_blocks(
            Nesting::List,
            [list([c("A")]), list([c("a"), c("b")]), list([p("x"), p("x")])],
            &[&format!("[0].v: {NEITHER}"), &format!("[1].v: {NOT_CONFIGURED}")],
        );
        check_blocks(
            Nesting::List,
            [null(), list([c("a")]), list([])],
            &["is planned with 0 blocks, but 1 are configured"],
        );
        check_blocks(
            Nesting::Map,
            [null(), map([("k", c("a"))]), map([("k", p("b")), ("l", p("a"))])],
            &[&format!(r#"["k"].v: {NOT_CONFIGURED}"#), r#"["l"]: is planned but not configured"#],
        );
        check_blocks(Nesting::Set, [null(), set([c("a"), c("b")]), set([p("x")])], &[]);
    }

    #[test]
    fn blocks_are_neither_null_nor_unknown_unless_configured_so() {
        let ty = Block::of(inner()).implied_type();
        for (nesting, ty, config) in [
            (Nesting::List, Type::list(ty.clone()), list([c("a")])),
            (Nesting::Set, Type::set(ty.clone()), set([c("a")])),
            (Nesting::Map, Type::map(ty.clone()), map([("k", c("a"))])),
        ] {
            let unknown = || Value::unknown(ty.clone());
            check_blocks(nesting, [null(), unknown(), unknown()], &[]);
            check_blocks(
                nesting,
                [null(), unknown(), config.clone()],
                &["must be planned as unknown, since how many blocks there are is not known yet"],
            );
            check_blocks(nesting, [null(), config.clone(), unknown()], &[WHOLLY]);
            check_blocks(
                nesting,
                [null(), config, null()],
                &["is planned as null; where there are no blocks it is empty"],
            );
        }
        let unknown = || Value::unknown(ty.clone());
        check_blocks(
            Nesting::List,
            [null(), list([c("a")]), list([unknown()])],
            &[&format!("[0]: {WHOLLY}")],
        );
        check_blocks(Nesting::Set, [null(), set([c("a")]), set([unknown()])], &[&format!("[*]: {WHOLLY}")]);
    }

    #[test]
    fn blocks_with_dynamic_attributes_are_judged_too() {
        let inner = Block::of([("v", optional_of(Type::Dynamic))]);
        let schema = Block::default().block("x", many(Nesting::List, inner));
        let v = |v: Value| obj([("v", v)]);
        let values = |a: Value, b: Value| [null(), tuple([v(n(1)), v(s("a"))]), tuple([v(a), v(b)])];
        check_member(&schema, values(n(1), s("a")), &[]);
        check_member(&schema, values(s("1"), s("a")), &[&format!("[0].v: {NOT_CONFIGURED}")]);
    }
}
