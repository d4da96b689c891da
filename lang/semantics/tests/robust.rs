//! Nothing that an author writes makes loading, checking or evaluating panic.

mod common;

use common::{Setup, TestSchemas};
use plumb_semantics::eval::Phase;
use proptest::prelude::*;

/// Words that mean something, to be put together at random.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "resource",
        "\"terraform_data\"",
        "\"a\"",
        "data",
        "variable",
        "locals",
        "output",
        "module",
        "provider",
        "terraform",
        "check",
        "moved",
        "removed",
        "import",
        "dynamic",
        "lifecycle",
        "count",
        "for_each",
        "each.key",
        "each.value",
        "count.index",
        "self",
        "local.a",
        "var.a",
        "module.a",
        "module.a.b",
        "terraform_data.a",
        "terraform_data.a[0].input",
        "data.x.y",
        "path.module",
        "{",
        "}",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "=",
        "=",
        "\n",
        "\n",
        "\n",
        ",",
        ".",
        "?",
        ":",
        "...",
        "==",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "/",
        "%",
        "\"${",
        "}\"",
        "\"",
        "null",
        "true",
        "1",
        "0",
        "-1",
        "1e400",
        "\"x\"",
        "for",
        "x",
        "in",
        "=>",
        "if",
        "[*]",
        ".*",
        "try(",
        "can(",
        "merge(",
        "tolist(",
        "toset(",
        "sensitive(",
        "templatestring(",
        "type",
        "object({",
        "optional(",
        "string",
        "any",
        "source",
        "\"./\"",
        "\"./m\"",
        "condition",
        "error_message",
        "from",
        "to",
        "id",
        "value",
        "default",
        "input",
        "content",
        "providers",
        "depends_on",
        "replace_triggered_by",
        "ignore_changes",
        "validation",
        "precondition",
        "??",
        "?.",
        "enabled",
        "range(",
        "1024",
        "types",
        "function",
        "parameter",
        "return",
        "where",
        "enum(",
        "union(",
        "secret(",
        "::",
        "lib",
        "f",
        "inputs",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn run(name: &str, text: &str) {
    for phase in [Phase::Validate, Phase::Plan] {
        let files = [(name, text), ("m/main.tf", "variable \"a\" {}\noutput \"b\" {\n  value = var.a\n}\n")];
        let mut setup = Setup::of(&files, TestSchemas::new(), phase, Default::default(), false);
        setup.evaluate(|evaluator, instance| {
            let schema = evaluator.schema(instance.node).cloned().unwrap_or_default();
            evaluator.config(instance, &schema.block).0
        });
        let _ = setup.report();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn words_in_any_order(words in prop::collection::vec(word(), 0..60)) {
        run("main.tf", &words.join(" "));
        run("main.cfg", &words.join(" "));
    }

    #[test]
    fn expressions_in_any_order(words in prop::collection::vec(word(), 0..12)) {
        let text = words.join(" ").replace('\n', " ");
        run("main.cfg", &format!("locals {{\n  a = {text}\n}}\nvariable \"a\" {{\n  default = 1\n}}\nresource \"terraform_data\" \"a\" {{\n  input = {text}\n}}\n"));
        let setup = Setup::new([("main.tf", "locals {\n  a = 1\n}\n")]);
        let _ = setup.console(&text);
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        run("main.tf", &text);
        run("main.tf.json", &text);
    }
}

#[test]
fn deep_nesting_is_reported_or_evaluated() {
    for depth in [200, 255, 256, 300, 10_000] {
        for (open, close) in
            [("[", "]"), ("(", ")"), ("{a=", "}"), ("[for x in [1] : ", "]"), ("!", ""), ("-", "")]
        {
            let text = format!("locals {{\n  a = {}1{}\n}}\n", open.repeat(depth), close.repeat(depth));
            run("main.tf", &text);
        }
        let text = format!("locals {{\n  a = {}1{}\n}}\n", "true ? ".repeat(depth), " : 2".repeat(depth));
        run("main.tf", &text);
        let text = format!(
            "locals {{\n  a = 1{}\n  b = true{}\n}}\n",
            " + 1".repeat(depth),
            " && true".repeat(depth)
        );
        run("main.tf", &text);
        let text = format!("locals {{\n  a = {}1{}\n}}\n", "\"${\"x${".repeat(depth), "}\"}\"".repeat(depth));
        run("main.tf", &text);
    }
}

/// What is evaluated twice at each level would not end.
#[test]
fn nesting_does_not_double_the_work() {
    let keys = format!("{}0{}", "local.a[".repeat(100), "]".repeat(100));
    let conditions = format!("{}true{}", "length([for x in [1] : x if ".repeat(80), "]) > 0".repeat(80));
    let calls = format!("{}1{}", "try(".repeat(100), ")".repeat(100));
    let text = format!("locals {{\n  a = [0]\n  b = {keys}\n  c = {conditions}\n  d = {calls}\n}}\n");
    let mut setup = Setup::new([("main.tf", &text)]);
    setup.evaluate(|_, _| unreachable!("there are no resources"));
    assert_eq!(setup.report(), "");
    assert_eq!(setup.console("[local.b, local.d]"), Ok("[\n  0,\n  1,\n]".into()));
}

#[test]
fn a_long_chain_of_locals_is_no_recursion() {
    let mut text = String::from("locals {\n  a0 = 1\n");
    for i in 1..50_000 {
        text.push_str(&format!("  a{i} = local.a{} + 1\n", i - 1));
    }
    text.push_str("}\noutput \"last\" {\n  value = local.a49999\n}\n");
    let mut setup = Setup::new([("main.tf", &text)]);
    setup.evaluate(|_, _| unreachable!("there are no resources"));
    assert_eq!(setup.report(), "");
    assert_eq!(setup.console("local.a49999"), Ok("50000".into()));
}
