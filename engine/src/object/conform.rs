//! Whether a value is of the type that its schema implies, and holds nothing that must not be kept.
//!
//! Both hold for everything that a provider gives back, whatever type system it says it has.

use ecow::eco_format;
use plumb_model::{AttributeType, Block, Step, Type, Value};

use super::broken::{Broken, Findings};
use super::members::{Members, objects, part};

/// Whether a value is of a type. [`Type::Dynamic`] admits every value, and so does every type a null, whatever type
/// the null says it has: that is lost on the wire.
pub fn conforms(value: &Value, ty: &Type) -> bool {
    let mut findings = Findings::default();
    check(value, ty, &mut findings);
    findings.is_clean()
}

/// The parts of a value that are not of the type wanted in their place, as [`conforms`] understands it.
pub fn check_type(value: &Value, ty: &Type) -> Vec<Broken> {
    let mut findings = Findings::default();
    check(value, ty, &mut findings);
    findings.finish()
}

fn check(value: &Value, ty: &Type, findings: &mut Findings) {
    match (value, ty) {
        (_, Type::Dynamic) | (Value::Null(_), _) => {}
        (Value::Bool(_), Type::Bool)
        | (Value::Number(_), Type::Number)
        | (Value::String(_), Type::String) => {}
        (Value::Unknown(unknown), _) if type_conforms(&unknown.ty, ty) => {}
        (Value::List(s), Type::List(element)) | (Value::Set(s), Type::Set(element)) => {
            let set = matches!(value, Value::Set(_));
            if s.items.is_empty() && !type_conforms(&s.element, element) && s.element != Type::Dynamic {
                mismatch(value, ty, findings);
            }
            for (i, item) in s.items.iter().enumerate() {
                let step = if set { Step::Any } else { Step::Index(i) };
                findings.within(step, |f| check(item, element, f));
            }
        }
        (Value::Map(map), Type::Map(element)) => {
            for (key, value) in map.entries.iter() {
                findings.within(Step::Key(key.clone()), |f| check(value, element, f));
            }
        }
        (Value::Tuple(items), Type::Tuple(types)) if items.len() == types.len() => {
            for (i, (item, ty)) in items.iter().zip(types.iter()).enumerate() {
                findings.within(Step::Index(i), |f| check(item, ty, f));
            }
        }
        (Value::Object(_), Type::Object(_)) => check_object(value, ty, findings),
        _ => mismatch(value, ty, findings),
    }
}

fn check_object(value: &Value, ty: &Type, findings: &mut Findings) {
    let (Some(entries), Some(types)) = (value.as_entries(), ty.attributes()) else { return };
    for (name, ty) in types {
        findings.within(Step::Attribute(name.clone()), |f| match entries.get(name) {
            Some(value) => check(value, ty, f),
            None => f.report("is missing"),
        });
    }
    for name in entries.keys().filter(|name| !types.contains_key(*name)) {
        findings.within(Step::Attribute(name.clone()), |f| f.report("is not in the schema"));
    }
}

fn mismatch(value: &Value, ty: &Type, findings: &mut Findings) {
    findings.report(eco_format!("is of type {}, but the schema wants {ty}", value.ty()));
}

/// Whether all values of one type are of the other.
fn type_conforms(ty: &Type, wanted: &Type) -> bool {
    match (ty, wanted) {
        (_, Type::Dynamic) => true,
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            type_conforms(a, b)
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| type_conforms(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            a.attributes.len() == b.attributes.len()
                && a.attributes
                    .iter()
                    .zip(&b.attributes)
                    .all(|((an, at), (bn, bt))| an == bn && type_conforms(at, bt))
        }
        (a, b) => a == b,
    }
}

/// The write-only attributes in an object that are not null. They exist in configurations only: a provider must give
/// back null for them in every state.
pub fn check_write_only(schema: &Block, value: &Value) -> Vec<Broken> {
    let mut findings = Findings::default();
    if schema.has_write_only() {
        find_write_only(Members::of_block(schema), value, &mut findings);
    }
    findings.finish()
}

fn find_write_only(members: Members<'_>, object: &Value, findings: &mut Findings) {
    for (name, attribute) in members.attributes {
        let value = part(object, name);
        findings.within(Step::Attribute(name.clone()), |f| match &attribute.ty {
            _ if attribute.write_only && !value.is_null() => {
                f.report("is write-only and must be null, but a value was given back");
            }
            AttributeType::Plain(_) => {}
            AttributeType::Nested(nested) => {
                for (step, object) in objects(nested.nesting, value) {
                    f.maybe_within(step, |f| find_write_only(Members::of_nested(nested), object, f));
                }
            }
        });
    }
    for (name, nested) in members.blocks() {
        findings.within(Step::Attribute(name.clone()), |f| {
            for (step, object) in objects(nested.nesting, part(object, name)) {
                f.maybe_within(step, |f| find_write_only(Members::of_block(&nested.block), object, f));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::{Attribute, Nesting, Refinement};

    use super::super::testing::*;
    use super::*;

    #[test]
    fn values_of_the_type_conform() {
        for (value, ty) in [
            (s("a"), Type::String),
            (null(), Type::Bool),
            (Value::Null(Type::Number), Type::String),
            (s("a"), Type::Dynamic),
            (Value::refined(Type::String, Refinement::default()), Type::String),
            (list([s("a")]), Type::list(Type::String)),
            (Value::list(Type::Dynamic, vec![]), Type::list(Type::String)),
            (set([n(1), n(2)]), Type::set(Type::Number)),
            (map([("k", n(1))]), Type::map(Type::Number)),
            (tuple([n(1), s("a")]), Type::tuple([Type::Number, Type::String])),
            (obj([("a", tuple([n(1)]))]), Type::object([("a", Type::Dynamic)])),
            (
                Value::unknown(Type::list(Type::object([("a", Type::Bool)]))),
                Type::list(Type::object([("a", Type::Dynamic)])),
            ),
        ] {
            assert!(conforms(&value, &ty), "{value:?} is a {ty}");
        }
    }

    #[test]
    fn other_values_are_named_with_their_place() {
        let ty = Type::object([
            ("a", Type::list(Type::String)),
            ("b", Type::map(Type::set(Type::Number))),
            ("c", Type::Bool),
            ("d", Type::tuple([Type::Bool])),
        ]);
        let value = obj([
            ("a", list([s("x"), n(1)])),
            ("b", map([("k", set([s("1")]))])),
            ("d", tuple([])),
            ("e", n(1)),
        ]);
        assert_broken(
            &check_type(&value, &ty),
            &[
                "a[1]: is of type number, but the schema wants string",
                r#"b["k"][*]: is of type string, but the schema wants number"#,
                "c: is missing",
                "d: is of type tuple([]), but the schema wants tuple([bool])",
                "e: is not in the schema",
            ],
        );
        assert!(!conforms(&Value::unknown(Type::Dynamic), &Type::String));
        assert!(!conforms(&Value::list(Type::Number, vec![]), &Type::list(Type::String)));
        assert!(!conforms(&list([s("a")]), &Type::set(Type::String)));
    }

    #[test]
    fn write_only_attributes_must_be_null_at_every_depth() {
        let secret = || [("token", optional().write_only()), ("name", optional())];
        let schema = Block::of(secret())
            .block("item", many(Nesting::Set, Block::of(secret())))
            .block("at", many(Nesting::Map, Block::of(secret())));
        let schema = with_attribute(schema, "inner", nested(Nesting::List, secret()));
        let object = |token: Value| obj([("token", token), ("name", s("n"))]);
        let value = obj([
            ("token", s("t")),
            ("name", s("n")),
            ("item", set([object(null()), object(unknown())])),
            ("at", map([("k", object(s("t"))), ("l", object(null()))])),
            ("inner", list([object(null()), object(s("t"))])),
        ]);
        let problem = "is write-only and must be null, but a value was given back";
        assert_broken(
            &check_write_only(&schema, &value),
            &["token", "inner[1].token", "item[*].token", r#"at["k"].token"#]
                .map(|path| format!("{path}: {problem}")),
        );
        assert_broken::<&str>(&check_write_only(&schema, &null()), &[]);
        let plain = Block::of([("name", Attribute::optional(Type::String))]);
        assert_broken::<&str>(&check_write_only(&plain, &obj([("name", s("n"))])), &[]);
    }
}
