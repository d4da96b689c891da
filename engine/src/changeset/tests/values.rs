//! Values come back as they were written.

use std::sync::Arc;

use proptest::prelude::*;

use plumb_model::{Marks, Number, ObjectType, Refinement, Type, Value};

use super::super::value::{MAX_DEPTH, read, write};

pub(super) fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-e]{1,3}", 1 => "[\\PC\"\\\\\n]{0,4}"]
}

pub(super) fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::Dynamic), Just(Type::Bool), Just(Type::Number), Just(Type::String)];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let attributes = prop::collection::btree_map(name(), (inner.clone(), any::<bool>()), 0..4);
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            prop::collection::vec(inner, 0..4).prop_map(Type::tuple),
            attributes.prop_map(|attributes| {
                let mut object = ObjectType::default();
                for (name, (ty, optional)) in attributes {
                    if optional {
                        object.optional.insert(name.as_str().into());
                    }
                    object.attributes.insert(name.into(), ty);
                }
                Type::Object(Arc::new(object))
            }),
        ]
    })
}

pub(super) fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from_i64),
        (-100i64..100).prop_map(Number::from_count),
        any::<f64>().prop_filter_map("a number", |f| Number::from_f64(f).ok()),
        "-?[0-9]{1,200}(\\.[0-9]{1,200})?(e-?[0-9]{1,3})?".prop_map(|text| Number::parse(&text).unwrap()),
        any::<u64>().prop_map(Number::from_u64),
        // Powers of two, whose shortest text reads back as their neighbours.
        (0u32..600, 1u16..600).prop_map(|(power, precision)| {
            let two = Number::from_i64(2);
            let power = (0..power).fold(Number::from_i64(1), |n, _| n.mul(&two).unwrap());
            power.with_precision(precision)
        }),
        any::<bool>().prop_map(Number::infinity),
    ]
}

fn refinement() -> impl Strategy<Value = Refinement> {
    let bound = || prop::option::of((number(), any::<bool>()));
    let length = || any::<usize>();
    (any::<bool>(), name(), bound(), bound(), length(), prop::option::of(length())).prop_map(
        |(not_null, prefix, min, max, min_length, max_length)| Refinement {
            not_null,
            prefix: plumb_model::value::normalize(&prefix),
            min,
            max,
            min_length,
            max_length,
        },
    )
}

fn marks() -> impl Strategy<Value = Marks> {
    prop_oneof![
        8 => Just(Marks::NONE),
        2 => Just(Marks::SENSITIVE),
        1 => Just(Marks::EPHEMERAL),
        1 => Just(Marks::SENSITIVE | Marks::EPHEMERAL)
    ]
}

/// Any value; with ephemeral marks only where they are wanted.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        ty().prop_map(Value::Null),
        ty().prop_map(Value::unknown),
        (ty(), refinement()).prop_map(|(ty, refinement)| Value::refined(ty, refinement)),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        any::<String>().prop_map(Value::from),
        "[a-z]{0,8}".prop_map(Value::from),
    ];
    let leaf = (leaf, marks()).prop_map(|(value, marks)| value.with_marks(marks));
    leaf.prop_recursive(4, 40, 5, |inner| {
        let items = || prop::collection::vec(inner.clone(), 0..5);
        let entries = || {
            prop::collection::vec(
                (name().prop_map(|n| plumb_model::value::normalize(&n)), inner.clone()),
                0..5,
            )
        };
        let compound = prop_oneof![
            (ty(), items()).prop_map(|(ty, items)| Value::list(ty, items)),
            (ty(), items()).prop_map(|(ty, items)| Value::set(ty, items)),
            (ty(), entries()).prop_map(|(ty, entries)| Value::map(ty, entries)),
            items().prop_map(Value::tuple),
            entries().prop_map(Value::object),
        ];
        (compound, marks()).prop_map(|(value, marks)| value.with_marks(marks))
    })
}

/// Every number in a value with its precision and sign, which equality of numbers passes over.
fn numbers(value: &Value) -> Vec<(u16, bool)> {
    let mut found = Vec::new();
    value.walk(&mut |_, part| {
        if let Value::Number(number) = part.unmarked() {
            found.push((number.precision(), number.is_negative()));
        }
        true
    });
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn values_come_back_exactly(value in value()) {
        let text = write(&value).unwrap();
        let back = read(&text).unwrap();
        prop_assert_eq!(&back, &value, "{}", text);
        prop_assert_eq!(numbers(&back), numbers(&value), "{}", text);
        prop_assert_eq!(write(&back).unwrap(), text);
    }

    #[test]
    fn numbers_come_back_exactly(number in number()) {
        let back = read(&write(&Value::Number(number.clone())).unwrap()).unwrap();
        let back = back.as_number().unwrap();
        prop_assert_eq!(back, &number);
        prop_assert_eq!(back.precision(), number.precision());
        prop_assert_eq!(back.to_string(), number.to_string());
    }

    #[test]
    fn what_is_written_is_json_with_sorted_keys(value in value()) {
        let text = write(&value).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(json.to_string(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn damaged_text_is_read_or_refused(value in value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = write(&value).unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes) && let Ok(value) = read(&text) {
            prop_assert!(write(&value).is_ok());
        }
    }
}

#[test]
fn the_form_is_what_the_documentation_says() {
    let check = |value: Value, text: &str| assert_eq!(write(&value).unwrap(), text);
    check(Value::NULL, "null");
    check(Value::Null(Type::list(Type::String)), r#"["null",["list","string"]]"#);
    check(Value::int(-5), "-5");
    check(Value::Number(Number::from_count(5)), r#"["number","5",64]"#);
    check(Value::Number(Number::parse("0.1").unwrap()), r#"["number","0.1"]"#);
    check(Value::unknown_not_null(Type::Bool), r#"["unknown","bool",{"not_null":true}]"#);
    let secret = Value::string("a\"b").with_marks(Marks::SENSITIVE | Marks::EPHEMERAL);
    check(
        Value::object([("b", secret), ("a", Value::list(Type::Number, vec![Value::int(1)]))]),
        r#"{"a":["list","number",[1]],"b":["marked",["ephemeral","sensitive"],"a\"b"]}"#,
    );
}

#[test]
fn nesting_is_bounded_both_ways() {
    let nested = |depth| (0..depth).fold(Value::int(1), |value, _| Value::tuple(vec![value]));
    let deepest = nested(MAX_DEPTH);
    assert_eq!(read(&write(&deepest).unwrap()), Ok(deepest));
    assert!(write(&nested(MAX_DEPTH + 1)).is_err());
    let deep_type = (0..1000).fold(Type::Bool, |ty, _| Type::list(ty));
    assert!(write(&Value::Null(deep_type)).is_err());
    for open in ["{\"a\":", "[\"tuple\",[", "[\"null\",[\"list\",", "[\"marked\",[\"sensitive\"],"] {
        assert!(read(&open.repeat(100_000)).is_err(), "{open}");
    }
}

#[test]
fn what_is_no_value_is_refused() {
    for text in [
        "",
        "nul",
        "01",
        "-0",
        "1.5",
        "1e3",
        "99999999999999999999",
        r#"{"b":1,"a":2}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":1}x"#,
        r#" 1"#,
        r#"["what",1]"#,
        r#"["number","x"]"#,
        r#"["number","1",0]"#,
        r#"["number","1",65535]"#,
        r#"["unknown","string",{"what":true}]"#,
        r#"["unknown","string",{"not_null":false}]"#,
        r#"["marked",[],1]"#,
        r#"["marked",["loud"],1]"#,
        r#"["marked",["sensitive"],["marked",["sensitive"],1]]"#,
        r#"["marked",["sensitive"],["concealed","string","AAAA"]]"#,
        r#""\"#,
        r#""\ud800""#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}
