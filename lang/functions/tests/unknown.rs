//! What calls give for values that are not known yet, and for values with marks.

mod world;

use plumb_functions::{ErrorKind, call, console, lookup};
use plumb_model::{Marks, Number, Refinement, Type, Value};
use world::Nothing;

fn run(name: &str, args: &[Value]) -> Value {
    call(lookup(name).unwrap(), args, &Nothing).unwrap()
}

/// The result as the console prints it.
fn check(name: &str, args: &[Value], expected: &str) {
    let printed: Vec<String> =
        console::print(&run(name, args)).split_whitespace().map(str::to_owned).collect();
    assert_eq!(printed.join(" "), expected, "{name}");
}

fn id() -> Value {
    Value::unknown_not_null(Type::String)
}

const LATER: &str = "(known after apply)";

#[test]
fn unknown_arguments_give_unknown_results_of_the_right_type() {
    for (name, args, ty) in [
        ("upper", vec![id()], Type::String),
        ("split", vec![",".into(), id()], Type::list(Type::String)),
        ("startswith", vec![id(), "a".into()], Type::Bool),
        ("jsondecode", vec![id()], Type::Dynamic),
        ("element", vec![Value::unknown(Type::list(Type::Bool)), Value::int(0)], Type::Bool),
        ("lookup", vec![Value::map(Type::Number, []), id(), Value::int(1)], Type::Number),
        ("zipmap", vec![Value::tuple(vec![id()]), Value::tuple(vec!["a".into()])], Type::Dynamic),
        ("coalesce", vec![id(), "x".into()], Type::String),
        ("merge", vec![Value::unknown(Type::map(Type::Bool))], Type::map(Type::Bool)),
        ("format", vec!["%s-x".into(), id()], Type::String),
        ("join", vec![",".into(), Value::tuple(vec![id(), "a".into()])], Type::String),
    ] {
        let result = run(name, &args);
        assert!(!result.is_known() && result.ty() == ty, "{name}: {result:?}");
    }
}

#[test]
fn what_is_known_of_the_structure_stays_known() {
    check("length", &[Value::tuple(vec![id(), Value::int(1)])], "2");
    check("keys", &[Value::object([("a", id())])], "[ \"a\", ]");
    check("contains", &[Value::tuple(vec!["a".into(), id()]), "a".into()], "true");
    check("contains", &[Value::tuple(vec![id()]), "a".into()], LATER);
    check(
        "concat",
        &[Value::tuple(vec![id()]), Value::tuple(vec!["x".into()])],
        &format!("[ {LATER}, \"x\", ]"),
    );
    check(
        "flatten",
        &[Value::tuple(vec![Value::unknown(Type::String), Value::tuple(vec!["x".into()])])],
        &format!("[ {LATER}, \"x\", ]"),
    );
    check("sort", &[Value::tuple(vec!["b".into(), id()])], &format!("tolist([ {LATER}, {LATER}, ])"));
    check("coalesce", &["x".into(), id()], "\"x\"");
    check(
        "zipmap",
        &[Value::tuple(vec!["a".into()]), Value::tuple(vec![id()])],
        &format!("{{ \"a\" = {LATER} }}"),
    );
    check(
        "setunion",
        &[Value::tuple(vec![id()]), Value::tuple(vec!["a".into()])],
        &format!("toset([ \"a\", {LATER}, ])"),
    );
    check("formatlist", &["%s".into(), Value::tuple(vec![id()])], &format!("tolist([ {LATER}, ])"));
    check("lookup", &[Value::object([("a", id())]), "a".into(), Value::int(1)], LATER);
    check(
        "merge",
        &[Value::object([("a", Value::int(1))]), Value::object([("b", id())])],
        &format!("{{ \"a\" = 1 \"b\" = {LATER} }}"),
    );
}

#[test]
fn unknown_results_keep_what_is_known_of_them() {
    let text = run("format", &["pre-%s".into(), id()]);
    check("startswith", &[text.clone(), "pre-".into()], "true");
    check("startswith", &[text.clone(), "other".into()], "false");
    check("startswith", &[text, "pre-long".into()], LATER);
    let json = run("jsonencode", &[Value::object([("a", id())])]);
    check("startswith", &[json, "{".into()], "true");
    let Value::Unknown(length) = run("length", &[Value::unknown(Type::list(Type::String))]) else { panic!() };
    assert_eq!(length.refinement.min, Some((Number::from_i64(0), true)));
    let two = Refinement { not_null: true, min_length: 2, max_length: Some(2), ..Refinement::default() };
    check("length", &[Value::refined(Type::list(Type::String), two)], "2");
}

#[test]
fn authors_can_say_what_they_know() {
    let prefixed = run("assumestringprefix", &[Value::unknown(Type::String), "vpc-".into()]);
    check("startswith", &[prefixed, "vpc-".into()], "true");
    let list = Value::unknown_not_null(Type::list(Type::String));
    let list = run("assumelistlength", &[list, Value::int(1), Value::int(1)]);
    check("length", &[list], "1");
    check("assumeequal", &[id(), "x".into()], "\"x\"");
    let function = lookup("assumenotnull").unwrap();
    assert!(call(function, &[Value::NULL], &Nothing).is_err());
}

#[test]
fn impure_functions_are_unknown_while_planning() {
    for (name, args) in [("timestamp", vec![]), ("uuid", vec![]), ("bcrypt", vec!["x".into()])] {
        check(name, &args, LATER);
    }
}

#[test]
fn untyped_nulls_are_unknown_to_functions_that_cannot_tell_what_they_are() {
    check("format", &["%d".into(), Value::NULL], LATER);
    check("jsonencode", &[Value::NULL], "\"null\"");
}

#[test]
fn marks_stay_on_elements_or_go_to_the_whole() {
    let secret = || Value::int(1).with_marks(Marks::SENSITIVE);
    let hidden = "(sensitive value)";
    check("length", &[Value::tuple(vec![secret()])], "1");
    check("length", &[Value::tuple(vec![secret()]).with_marks(Marks::SENSITIVE)], hidden);
    check("values", &[Value::object([("a", secret())])], &format!("[ {hidden}, ]"));
    check("contains", &[Value::tuple(vec![secret()]), Value::int(1)], hidden);
    check("tostring", &[secret()], hidden);
    check(
        "nonsensitive",
        &[Value::tuple(vec![secret()]).with_marks(Marks::SENSITIVE)],
        &format!("[ {hidden}, ]"),
    );
    check("issensitive", &[secret()], "true");
    check("issensitive", &[Value::unknown(Type::String)], LATER);
    let object = Value::object([("a", Value::int(1).with_marks(Marks::EPHEMERAL)), ("b", Value::int(2))]);
    check("ephemeralasnull", &[object], "{ \"a\" = tonumber(null) \"b\" = 2 }");
}

#[test]
fn errors_say_which_argument_is_to_blame() {
    let error = |name: &str, args: &[Value]| call(lookup(name).unwrap(), args, &Nothing).unwrap_err();
    assert_eq!(error("upper", &[]).kind, ErrorKind::TooFewArguments);
    assert_eq!(error("upper", &["a".into(), "b".into()]).kind, ErrorKind::TooManyArguments);
    let null = error("substr", &["a".into(), Value::NULL, Value::int(1)]);
    assert_eq!((null.kind, null.argument), (ErrorKind::InvalidArgument, Some(1)));
    let sensitive = error("tonumber", &[Value::from("hunter2").with_marks(Marks::SENSITIVE)]);
    assert!(!sensitive.message.contains("hunter2"));
}
