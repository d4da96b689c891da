//! The JSON syntax, by cases.

mod common;

use common::show;
use plumb_model::{Diagnostics, SourceId};
use plumb_syntax::json::{Object, ValueKind};
use plumb_syntax::{Dialect, parse_json};

fn object(text: &str) -> Object {
    let parsed = parse_json(SourceId(0), text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    match parsed.tree.kind {
        ValueKind::Object(object) => object,
        other => panic!("an object was expected, not {other:?}"),
    }
}

#[test]
fn attributes_are_templates_literals_or_expressions() {
    let text = r#"{"a": ["${1 + 1}", "x${y}", "$${z}", 1.50, null, true, {"${k}": "\u00e9\n"}]}"#;
    let object = object(text);
    let mut diagnostics = Diagnostics::new();
    let value = &object.attribute("a", &mut diagnostics).expect("it is there").value;
    let expr = value.to_expr(Dialect::Terraform, &mut diagnostics);
    assert_eq!(show(&expr), r#"[(+ 1 1) (template "x" ${y}) "${z}" 1.5 null true {<k>="é\n"}]"#);
    assert_eq!(show(&value.to_literal()), r#"["${1 + 1}" "x${y}" "$${z}" 1.5 null true {<"${k}">="é\n"}]"#);
    assert!(diagnostics.is_empty());
    let object = self::object(r#"{"depends_on": ["a.b", "c.d[0]"], "type": "list(string)"}"#);
    let shown: Vec<String> = object
        .settings()
        .map(|property| show(&property.value.to_static_expr(Dialect::Terraform, &mut diagnostics)))
        .collect();
    assert_eq!(shown, ["[a.b c.d[0]]", "(list string)"]);
}

#[test]
fn places_are_those_of_the_json_text() {
    let text = r#"{"a": "\"\u00e9\n ${1 + }"}"#;
    let object = object(text);
    let mut diagnostics = Diagnostics::new();
    object.properties[0].value.to_expr(Dialect::Terraform, &mut diagnostics);
    let span = diagnostics.iter().next().and_then(|d| d.span()).expect("the mistake is told with a place");
    assert_eq!(span.start as usize, text.find("+").expect("it is there") + 1);
}

#[test]
fn blocks_nest_by_label_and_arrays_are_several() {
    let object = object(
        r#"{
          "//": "a comment",
          "resource": {"//": "one more", "aws_x": {"a": {"n": 1}, "b": [{"n": 2}, {"n": 3}]}, "aws_y": [{"c": {}}]},
          "locals": [{"p": 1}, {"q": 2}],
          "resource": {"aws_z": {"d": {"n": 4}}}
        }"#,
    );
    let mut diagnostics = Diagnostics::new();
    let blocks: Vec<String> = object
        .blocks("resource", 2, &mut diagnostics)
        .iter()
        .map(|block| {
            let labels: Vec<&str> = block.labels.iter().map(|label| label.text.as_str()).collect();
            format!("{} {}", labels.join("."), block.body.properties.len())
        })
        .collect();
    assert_eq!(blocks, ["aws_x.a 1", "aws_x.b 1", "aws_x.b 1", "aws_y.c 0", "aws_z.d 1"]);
    assert_eq!(object.blocks("locals", 0, &mut diagnostics).len(), 2);
    assert!(diagnostics.is_empty());
    assert_eq!(object.settings().count(), 3);
}

fn check_error(text: &str, codes: &[&str]) {
    let parsed = parse_json(SourceId(0), text);
    let found: Vec<&str> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(found, codes, "{text}");
    assert!(parsed.diagnostics.iter().all(|diagnostic| diagnostic.help.is_some()));
}

#[test]
fn mistakes() {
    check_error("", &["invalid-json"]);
    check_error("{\"a\": 1,}", &["json-trailing-comma"]);
    check_error("{\"a\": 'b', \"c\": d, e: 1}", &["invalid-json", "invalid-json", "invalid-json"]);
    check_error("// c\n{\"a\": 1 /* d */}", &["json-comment", "json-comment"]);
    check_error("[1 2, 01, \"\\x\"]", &["invalid-json", "invalid-json", "invalid-escape"]);
    check_error("{\"a\": \"b\n\"}", &["unterminated-string"]);
    check_error("{} {}", &["extra-after-json"]);
    check_error("{\"a\": [1, 2}", &["invalid-json"]);
}

#[test]
fn an_attribute_is_set_once() {
    let object = object(r#"{"a": 1, "b": 2, "a": 3}"#);
    let mut diagnostics = Diagnostics::new();
    assert!(object.attribute("a", &mut diagnostics).is_some());
    assert_eq!(diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["duplicate-attribute"]);
}

#[test]
fn numbers_and_surrogate_pairs() {
    let object = object(r#"{"a": [0, -0.5, 1e3, 12345678901234567890123], "b": "\ud83d\ude00\/"}"#);
    assert_eq!(show(&object.properties[0].value.to_literal()), "[0 -0.5 1000 12345678901234567890123]");
    assert_eq!(show(&object.properties[1].value.to_literal()), r#""😀/""#);
}
