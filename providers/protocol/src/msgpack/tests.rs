//! Known encodings, round trips of arbitrary values, and bytes that nobody should send.

use plumb_model::{Number, Refinement, Type, Value};
use proptest::prelude::*;

use super::{decode, encode};

fn check(value: Value, ty: Type, bytes: &[u8]) {
    assert_eq!(encode(&value, &ty).unwrap(), bytes, "{value:?}");
    assert_eq!(decode(bytes, &ty).unwrap(), value);
}

fn number(text: &str) -> Value {
    Value::Number(Number::parse(text).unwrap())
}

#[test]
fn values_have_the_bytes_that_providers_expect() {
    check(Value::Null(Type::String), Type::String, &[0xc0]);
    check(Value::unknown(Type::String), Type::String, &[0xd4, 0, 0]);
    check(Value::NULL, Type::Dynamic, &[0xc0]);
    check(Value::unknown(Type::Dynamic), Type::Dynamic, &[0xd4, 0, 0]);
    check(Value::Null(Type::Bool), Type::Dynamic, b"\x92\xc4\x06\"bool\"\xc0");
    check(Value::unknown(Type::Bool), Type::Dynamic, b"\x92\xc4\x06\"bool\"\xd4\x00\x00");
    check(number("3"), Type::Number, &[3]);
    check(number("-1"), Type::Number, &[0xff]);
    check(number("0.5"), Type::Number, &[0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]);
    check(number("0.1"), Type::Number, b"\xa30.1");
    check(number("9223372036854775808"), Type::Number, b"\xb39223372036854775808");
    check(Value::Number(Number::infinity(true)), Type::Number, &[0xcb, 0xff, 0xf0, 0, 0, 0, 0, 0, 0]);
    let refinement = Refinement { not_null: true, prefix: "pre-".into(), ..Refinement::default() };
    check(Value::refined(Type::String, refinement), Type::String, b"\xc7\x09\x0c\x82\x01\xc2\x02\xa4pre-");
    check(
        Value::object([("a", Value::string("x")), ("b", Value::Null(Type::Number))]),
        Type::object([("a", Type::String), ("b", Type::Number)]),
        b"\x82\xa1a\xa1x\xa1b\xc0",
    );
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let ty = Type::object([("a", Type::list(Type::Number)), ("b", Type::Bool)]);
    let say = |bytes: &[u8]| decode(bytes, &ty).unwrap_err().to_string();
    assert_eq!(say(b"\x82\xa1a\x92\x01\xc3\xa1b\xc0"), "a[1]: found a bool, wanted number");
    assert_eq!(say(b"\x81\xa1a\xc0"), "attribute `b` is missing");
    assert_eq!(say(b"\x81\xa1z\xc0"), "unsupported attribute `z`");
    assert_eq!(say(b"\x82\xa1a\xc0\xa1a\xc0"), "attribute `b` is missing");
    assert_eq!(say(b"\xc0\xc0"), "1 bytes follow the value");
    assert_eq!(say(b"\xdf\xff\xff\xff\xff"), "the message ends in the middle of a value");
    assert_eq!(
        encode(&Value::object([("a", Value::NULL)]), &ty).unwrap_err().to_string(),
        "attribute `b` is missing"
    );
}

#[test]
fn nesting_without_end_is_refused() {
    let level = b"\x92\xc4\x12[\"list\",\"dynamic\"]\x91";
    let bytes = level.repeat(10_000);
    assert!(decode(&bytes, &Type::Dynamic).unwrap_err().problem.contains("nested deeper"));
}

#[test]
fn refinements_of_the_future_are_passed_over() {
    let bytes = b"\xc7\x08\x0c\x82\x63\x92\x01\x81\x01\x02\x01\xc2";
    let bytes = [&bytes[..1], &[bytes.len() as u8 - 3], &bytes[2..]].concat();
    assert_eq!(decode(&bytes, &Type::Bool).unwrap(), Value::unknown_not_null(Type::Bool));
}

fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String), Just(Type::Dynamic)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_filter("sets hold no dynamic", |t| !t.has_dynamic()).prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Type::tuple),
            prop::collection::btree_map("[a-c]{1,2}", inner, 0..3).prop_map(Type::object),
        ]
    })
}

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::int),
        any::<u64>().prop_map(|n| Value::Number(Number::from_u64(n))),
        any::<f64>()
            .prop_filter("a number", |n| !n.is_nan() && *n != 0.0)
            .prop_map(|n| { Value::Number(Number::from_f64(n).unwrap()) }),
        "-?[1-9][0-9]{0,40}(\\.[0-9]{0,40}[1-9])?".prop_map(|text| number(&text)),
    ]
}

fn unknowns(ty: Type) -> impl Strategy<Value = Value> {
    (any::<bool>(), "[a-z]{0,4}", any::<i32>(), 0usize..4).prop_map(
        move |(not_null, prefix, bound, length)| {
            let mut refinement = Refinement::default();
            match &ty {
                Type::Dynamic => {}
                Type::String => refinement.prefix = prefix.as_str().into(),
                Type::Number => refinement.min = Some((Number::from_i64(bound.into()), not_null)),
                ty if ty.is_collection() => {
                    refinement.min_length = length;
                    refinement.max_length = not_null.then_some(length + 1);
                }
                _ => {}
            }
            refinement.not_null = not_null && ty != Type::Dynamic;
            Value::refined(ty.clone(), refinement)
        },
    )
}

fn values(ty: Type) -> BoxedStrategy<Value> {
    let known: BoxedStrategy<Value> = match &ty {
        Type::Dynamic => types()
            .prop_filter("known", |t| *t != Type::Dynamic)
            .prop_flat_map(values)
            // The type of a value is what it says itself, which for nulls within it is not the declared one.
            .boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => numbers().boxed(),
        Type::String => any::<String>().prop_map(Value::string).boxed(),
        Type::List(element) => {
            let element = (**element).clone();
            prop::collection::vec(values(element.clone()), 0..3)
                .prop_map(move |items| Value::list(element.clone(), items))
                .boxed()
        }
        Type::Set(element) => {
            let element = (**element).clone();
            prop::collection::vec(values(element.clone()), 0..3)
                .prop_map(move |items| Value::set(element.clone(), items))
                .boxed()
        }
        Type::Map(element) => {
            let element = (**element).clone();
            prop::collection::btree_map("[a-z]{0,3}", values(element.clone()), 0..3)
                .prop_map(move |map| Value::map(element.clone(), map.into_iter().map(|(k, v)| (k.into(), v))))
                .boxed()
        }
        Type::Tuple(types) => {
            types.iter().cloned().map(values).collect::<Vec<_>>().prop_map(Value::tuple).boxed()
        }
        Type::Object(object) => {
            let names: Vec<_> = object.attributes.keys().cloned().collect();
            let parts: Vec<_> = object.attributes.values().cloned().map(values).collect();
            parts.prop_map(move |parts| Value::object(names.iter().cloned().zip(parts))).boxed()
        }
    };
    prop_oneof![
        8 => known,
        1 => Just(Value::Null(ty.clone())),
        1 => unknowns(ty),
    ]
    .boxed()
}

proptest! {
    #[test]
    fn every_value_reads_back_as_it_is_written(
        (ty, value) in types().prop_flat_map(|ty| (Just(ty.clone()), values(ty)))
    ) {
        let bytes = encode(&value, &ty).unwrap();
        prop_assert_eq!(decode(&bytes, &ty).unwrap(), value);
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..64), ty in types()) {
        let _ = decode(&bytes, &ty);
    }

    #[test]
    fn damaged_values_are_values_or_errors(
        (ty, value) in types().prop_flat_map(|ty| (Just(ty.clone()), values(ty))), at in any::<usize>(), byte in any::<u8>()
    ) {
        let mut bytes = encode(&value, &ty).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = decode(&bytes, &ty);
        let _ = decode(&bytes[..at], &ty);
    }
}
