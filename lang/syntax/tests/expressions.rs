//! What expressions mean structurally, by cases.

mod common;

use common::{show, show_body};
use expect_test::{Expect, expect};
use plumb_model::SourceId;
use plumb_syntax::{Dialect, Origin, parse, parse_expression, parse_template, parse_traversal};

const SOURCE: SourceId = SourceId(0);

fn check_in(dialect: Dialect, text: &str, expected: &str) {
    let parsed = parse_expression(&Origin::whole(SOURCE), text, dialect);
    assert!(parsed.diagnostics.is_empty(), "{text}: {:?}", parsed.diagnostics);
    assert_eq!(show(&parsed.tree), expected, "{text}");
}

fn check(text: &str, expected: &str) {
    check_in(Dialect::Terraform, text, expected);
}

fn check_native(text: &str, expected: &str) {
    check_in(Dialect::Native, text, expected);
}

#[test]
fn literals() {
    check("42", "42");
    check("007", "7");
    check("1.50e2", "150");
    check("12345678901234567890.5", "12345678901234567890.5");
    check("null", "null");
    check(r#""a\tb\"\\\u00e9\U0001F600""#, r#""a\tb\"\\é😀""#);
    check(r#""$${x} $$ $$$${y %%{z}""#, r#""${x} $$ $$${y %{z}""#);
    check("größe-x", "größe-x");
    check("\"e\u{301}\"", "\"é\"");
}

#[test]
fn operators_bind_as_their_levels_say() {
    check("1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)");
    check("-a.b[0] % 2", "(% (- a.b[0]) 2)");
    check("!a == b", "(== (! a) b)");
    check("1 < 2 == true && x || y", "(|| (&& (== (< 1 2) true) x) y)");
    check("a ? b : c ? d : e", "(? a b (? c d e))");
    check("a ? b ? c : d : e", "(? a (? b c d) e)");
    check("a -b", "(- a b)");
    check("a-b", "a-b");
    check("- -1", "(- (- 1))");
}

#[test]
fn words_are_special_only_where_they_must_be() {
    check("[for for in [1] : for]", "(for for in [1] : for)");
    check("[for in in in : in]", "(for in in in : in)");
    check("{if = 1, true = 2}", "{if=1 true=2}");
    check("null[0]", "(access null [0])");
    check("true(1)", "(true 1)");
    check("if", "if");
}

#[test]
fn chains_are_traversals_as_far_as_they_are_literal() {
    check(r#"a.b[0]["k"].0.c"#, r#"a.b[0]["k"][0].c"#);
    check("a.b[c].d", "(access a.b [c] .d)");
    check("f(x).a", "(access (f x) .a)");
    check("a[*].b[0]", "(access a [*]{.b [0]})");
    check("a.*.b[0]", "(access a .*{.b} [0])");
    check("a[*].b[*].c", "(access a [*]{.b [*]{.c}})");
    check("a[true]", "(access a [true])");
    check("a . b [ 0 ]", "a.b[0]");
    check("[1, 2].1", "(access [1 2] [1])");
}

#[test]
fn calls() {
    check("f()", "(f)");
    check("f(1, x...)", "(f 1 x...)");
    check("provider::aws::arn_parse ( x, )", "(provider::aws::arn_parse x)");
}

#[test]
fn collections_and_for() {
    check("[1, 2,]", "[1 2]");
    check("{a = 1, \"b\" : 2\n (c) = 3\n}", "{a=1 <\"b\">=2 <(paren c)>=3}");
    check("{a = 1,\n\n b = 2}", "{a=1 b=2}");
    check("{\n\nfor k,\nv in x\n: k\n=> v... if v }", "(for k,v in x : k => v... if v)");
    check("[for x in a ? b : c : x if x ? y : z]", "(for x in (? a b c) : x if (? x y z))");
}

#[test]
fn templates() {
    check(r#""${x}""#, "x");
    check(r#""${~ x ~}""#, "x");
    check(r#""a ${~ x ~} b""#, r#"(template "a" ${x} "b")"#);
    check(r#"" ${~ x}""#, r#"(template ${x})"#);
    check(r#""${"a${"b"}"}""#, r#"(template "a" ${"b"})"#);
    check(
        r#""%{ if a }b%{ else }c%{ endif }%{for k, v in x}${v}%{endfor}""#,
        r#"(template (if a ["b"] ["c"]) (for k,v in x [${v}]))"#,
    );
}

#[test]
fn heredocs() {
    check("<<E\nhello\nE", r#""hello\n""#);
    check("<<E\nE", r#""""#);
    check("<<E\n  a\\n\"$${x}\n  E", r#""  a\\n\"${x}\n""#);
    check("f(<<E-1\nx\nE-1\n, 2)", r#"(f "x\n" 2)"#);
    check("<<-E\n    a\n\n      b\n   \n  E", r#""a\n\n  b\n   \n""#);
    check("<<-E\n\ttab\n    spaces\nE", r#""tab\n   spaces\n""#);
    check("<<-E\n    ${x}\n      y\n  E", r#"(template ${x} "\n  y\n")"#);
    check("<<-E\n  a\n${x}\nE", r#"(template "  a\n" ${x} "\n")"#);
    check(
        "<<-EOT\n    %{ for x in y ~}\n    - ${x}\n    %{ endfor ~}\n    end\n  EOT",
        r#"(template (for x in y ["    - " ${x} "\n"]) "    end\n")"#,
    );
}

#[test]
fn native_forms() {
    check_native("a ?? b ?? c || d", "(?? a (?? b (|| c d)))");
    check_native(r#"var.net?.subnets["a"]?.az ?? "x""#, r#"(?? (access var.net ?.subnets ["a"] ?.az) "x")"#);
    check_native("a?[k]", "(access a ?[k])");
    check_native("a ? [1] : [2]", "(? a [1] [2])");
    check_native("[...a, 1, ...b]", "[(... a) 1 (... b)]");
    check_native("{ ...a, b = 1, ... }", "{(... a) b=1 ...}");
    check_native("object({ a = string?, ... })", "(object {a=(nullable string) ...})");
    check_native("number where value >= 1 && value < 9", "(where number (&& (>= value 1) (< value 9)))");
    check_native("<<'E'\n${x} $${y}\nE", r#""${x} $${y}\n""#);
}

fn check_file(dialect: Dialect, text: &str, expected: Expect) {
    let parsed = parse(SOURCE, text, dialect);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    expected.assert_eq(&show_body(&parsed.tree.body));
}

#[test]
fn bodies() {
    check_file(
        Dialect::Terraform,
        "\u{feff}# c\na = 1 // c\r\nresource aws_x \"y\" {\n  b { c = 2 }\n  d {}\n\n  e = {\n    f = 1\n  }\n}",
        expect![[r#"
            a = 1
            resource "aws_x" "y"
              b
                c = 2
              d
              e = {f=1}
        "#]],
    );
}

#[test]
fn lines_that_begin_with_an_operator_go_on() {
    check_file(
        Dialect::Native,
        "a = x\n  && y # c\n  # own\n\n  || z\nb = c\n  ? 1\n  : d\n  ? 2\n  : 3\ne = { f = g\n  + 1\n}\ninputs = ...var\nh = i\n  .j\n",
        expect![[r#"
            a = (|| (&& x y) z)
            b = (? c 1 (? d 2 3))
            e = {f=(+ g 1)}
            inputs = (... var)
            h = i.j
        "#]],
    );
}

#[test]
fn references_leave_out_what_for_binds() {
    let text = r#"[for k, v in var.a : "${k}${v.x}${local.b}%{ for q in data.c.d }${q}%{ endfor }" if each.key] + v[w].y + f(z)"#;
    let parsed = parse_expression(&Origin::whole(SOURCE), text, Dialect::Terraform);
    let found: Vec<String> = parsed.tree.references().map(ToString::to_string).collect();
    assert_eq!(found, ["var.a", "local.b", "data.c.d", "each.key", "v", "w", "z"]);
}

#[test]
fn templates_of_their_own_have_no_backslash_escapes() {
    let text = "a\\n \"q\" $${x}\n${~ y ~}\n  z";
    let parsed = parse_template(&Origin::whole(SOURCE), text, Dialect::Terraform);
    assert_eq!(show(&parsed.tree), r#"(template "a\\n \"q\" ${x}" ${y} "  z")"#);
    let parsed = parse_template(&Origin::whole(SOURCE), "${[1]}", Dialect::Terraform);
    assert_eq!(show(&parsed.tree), "[1]");
    let parsed = parse_template(&Origin::whole(SOURCE), "", Dialect::Terraform);
    assert_eq!(show(&parsed.tree), r#""""#);
}

#[test]
fn only_static_references_are_traversals() {
    let whole = Origin::whole(SOURCE);
    let parsed = parse_traversal(&whole, "aws_x.y[0]", Dialect::Terraform);
    assert_eq!(parsed.tree.map(|t| t.to_string()).as_deref(), Some("aws_x.y[0]"));
    let parsed = parse_traversal(&whole, "aws_x.y[z]", Dialect::Terraform);
    assert!(parsed.tree.is_none());
    assert_eq!(parsed.diagnostics.iter().next().map(|d| d.code), Some("not-a-reference"));
}

#[test]
fn long_chains_are_not_deep() {
    let chain = |operator: &str| vec!["a"; 10_000].join(operator);
    for text in [chain(" && "), chain(" || ")] {
        let parsed = parse_expression(&Origin::whole(SOURCE), &text, Dialect::Terraform);
        assert!(parsed.diagnostics.is_empty());
        assert_eq!(parsed.tree.references().count(), 10_000);
    }
    let parsed = parse_expression(&Origin::whole(SOURCE), &chain(" + "), Dialect::Terraform);
    assert_eq!(parsed.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["nested-too-deep"]);
    let conditionals = format!("{}z", "a == 1 ? b : ".repeat(100));
    let parsed = parse_expression(&Origin::whole(SOURCE), &conditionals, Dialect::Terraform);
    assert!(parsed.diagnostics.is_empty());
}
