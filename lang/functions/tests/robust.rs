//! Whatever text a function is given, it has a result or says what is wrong; and what it writes reads back.

mod world;

use plumb_functions::{call, console, lookup};
use plumb_model::{Number, Type, Value};
use proptest::prelude::*;
use world::Nothing;

fn run(name: &str, args: &[Value]) -> Option<Value> {
    call(lookup(name).unwrap(), args, &Nothing).ok()
}

/// Text in which the signs that mean something to the functions are frequent.
fn text() -> impl Strategy<Value = String> {
    let signs = "[-a-c0-9 \\n\\t:{}\\[\\]|>&*!%#'\"\\\\,.$()?^+<=/~é😀\u{301}\u{feff}]{0,24}";
    prop_oneof![signs, ".{0,16}"]
}

/// Values as they come out of JSON.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::NULL),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::int),
        (-1e12..1e12f64).prop_map(|n| Value::Number(Number::parse(&format!("{n}")).unwrap())),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            prop::collection::vec((text(), inner), 0..4).prop_map(|entries| {
                Value::object(entries.into_iter().map(|(k, v)| (plumb_model::value::normalize(&k), v)))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn text_never_makes_a_function_panic(a in text(), b in text()) {
        let (a, b) = (Value::from(a), Value::from(b));
        for function in plumb_functions::all() {
            let signature = &function.signature;
            let name = signature.name;
            if function.takes_expressions() || name == "bcrypt" {
                continue;
            }
            let wanted = signature.parameters.len();
            let mut args: Vec<Value> = [&a, &b, &a].into_iter().cloned().cycle().take(wanted).collect();
            if signature.variadic.is_some() {
                args.push(b.clone());
            }
            if let Some(result) = run(name, &args) {
                console::print(&result);
            }
            // Numbers where text is, so that the functions get further than converting.
            for (i, arg) in args.iter_mut().enumerate() {
                if signature.parameter(i).is_some_and(|p| p.ty == Type::Number) {
                    *arg = Value::int(i64::from(name.len() as i32) - 9);
                }
            }
            run(name, &args);
        }
    }

    #[test]
    fn regular_expressions_have_matches_or_errors(pattern in text(), text in text()) {
        run("regexall", &[pattern.as_str().into(), text.as_str().into()]);
        run("replace", &[text.as_str().into(), format!("/{pattern}/").into(), pattern.into()]);
    }

    #[test]
    fn json_reads_back(value in value()) {
        let json = run("jsonencode", std::slice::from_ref(&value)).unwrap();
        prop_assert_eq!(run("jsondecode", &[json]), Some(value));
    }

    #[test]
    fn yaml_reads_back(value in value()) {
        let yaml = run("yamlencode", std::slice::from_ref(&value)).unwrap();
        prop_assert_eq!(run("yamldecode", std::slice::from_ref(&yaml)), Some(value), "{:?}", yaml);
    }

    #[test]
    fn encoded_text_reads_back(text in text()) {
        let text = Value::from(text);
        for (encode, decode) in
            [("base64encode", "base64decode"), ("base64gzip", "base64gunzip"), ("urlencode", "urldecode")]
        {
            let encoded = run(encode, std::slice::from_ref(&text)).unwrap();
            prop_assert_eq!(run(decode, &[encoded]), Some(text.clone()));
        }
        for encoding in ["UTF-8", "UTF-16", "UTF-16LE", "GB18030"] {
            let encoded = run("textencodebase64", &[text.clone(), encoding.into()]).unwrap();
            prop_assert_eq!(run("textdecodebase64", &[encoded, encoding.into()]), Some(text.clone()));
        }
    }
}

#[test]
fn deep_nesting_is_an_error_and_long_input_is_no_trouble() {
    let deep = "[".repeat(100_000);
    assert_eq!(run("jsondecode", &[deep.as_str().into()]), None);
    assert_eq!(run("yamldecode", &[deep.as_str().into()]), None);
    assert_eq!(run("regex", &["(".repeat(100_000).into(), "".into()]), None);
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &('b'..='k')
            .zip('a'..='j')
            .map(|(name, of)| format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(",")))
            .collect::<String>();
    assert_eq!(run("yamldecode", &[bomb.into()]), None);
    let many = Value::tuple((0..200_000).map(|i| Value::from(format!("{i}"))).collect());
    let list = run("tolist", &[many]).unwrap();
    for name in ["distinct", "sort", "reverse", "compact", "toset", "jsonencode", "yamlencode", "length"] {
        assert!(run(name, std::slice::from_ref(&list)).is_some(), "{name}");
    }
    assert_eq!(
        run("setintersection", &[list.clone(), list.clone()]),
        run("toset", std::slice::from_ref(&list))
    );
    assert!(run("zipmap", &[list.clone(), list.clone()]).is_some());
    assert!(run("matchkeys", &[list.clone(), list.clone(), list]).is_some());
}
