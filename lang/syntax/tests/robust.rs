//! What holds for any text whatever: no panic, no hang, spans within the text, and a layout that is stable.

mod common;

use common::{show, show_body};
use plumb_model::{SourceId, Span};
use plumb_syntax::tree::{Body, Expr, Item};
use plumb_syntax::{Dialect, Origin, format, parse, parse_expression, parse_json, parse_template};
use proptest::prelude::*;

const WEB: &str = include_str!("corpus/web.tf");
const NATIVE: &str = include_str!("corpus/native.cfg");
const SOURCE: SourceId = SourceId(0);

/// Pieces that texts of the language are made of, valid and not.
const PIECES: &[&str] = &[
    "a",
    "b-c",
    "for",
    "in",
    "if",
    "else",
    "endif",
    "endfor",
    "true",
    "null",
    "where",
    "1",
    "2.5e3",
    "1.2.3",
    "\"",
    "\"s\"",
    "\"${",
    "\"a${x}b\"",
    "${",
    "%{",
    "~}",
    "${~",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "[*]",
    ".*",
    ".",
    "..",
    "...",
    "?.",
    "?[",
    "??",
    "::",
    ":",
    "=",
    "==",
    "!=",
    "=>",
    "<=",
    ">=",
    "<",
    ">",
    "<<",
    "<<E\n",
    "<<-E\n",
    "<<'E'\n",
    "E\n",
    "\nE\n",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "&&",
    "||",
    "&",
    "|",
    "?",
    ",",
    ";",
    "'",
    "`",
    "#",
    "//",
    "/*",
    "*/",
    "\\",
    "\\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "é",
    "“",
    "\u{feff}",
    "\0",
    "x = ",
    "resource \"a\" \"b\" {\n",
    "b {",
    "}\n",
    "f(",
    "%{ if x }",
    "%{ for x in y }",
    "%{ endfor ~}",
    "$${",
    "\u{301}",
];

fn texts() -> impl Strategy<Value = String> {
    let soup = prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.concat());
    let bytes = prop::collection::vec(any::<u8>(), 0..200)
        .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let corpus = prop::sample::select(vec![WEB, NATIVE]);
    let edits =
        prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(PIECES), 0..12usize), 1..6);
    let mutated = (corpus, edits).prop_map(|(text, edits)| {
        edits.into_iter().fold(text.to_owned(), |text, (at, piece, removed)| {
            let boundary = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at += 1;
                }
                at
            };
            let start = boundary(at.index(text.len() + 1));
            let end = boundary((start + removed).min(text.len()));
            [&text[..start], piece, &text[end..]].concat()
        })
    });
    prop_oneof![soup, bytes, mutated]
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Terraform), Just(Dialect::Native)]
}

fn check_span(span: Span, outer: Span, text: &str) {
    assert!(
        span.start <= span.end && outer.start <= span.start && span.end <= outer.end,
        "{span:?} in {outer:?}"
    );
    assert!(
        text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize),
        "{span:?}"
    );
}

fn check_body(body: &Body, outer: Span, text: &str) {
    check_span(body.span, outer, text);
    for item in &body.items {
        check_span(item.span(), body.span, text);
        match item {
            Item::Attribute(attribute) => {
                check_span(attribute.name.span, attribute.span, text);
                check_expr(&attribute.value, attribute.span, text);
            }
            Item::Block(block) => {
                check_span(block.header_span, block.span, text);
                check_body(&block.body, block.span, text);
            }
            Item::Error(_) => {}
        }
    }
}

fn check_expr(expr: &Expr, outer: Span, text: &str) {
    check_span(expr.span, outer, text);
    for child in expr.children() {
        check_expr(child, expr.span, text);
    }
}

fn comments_of(text: &str) -> Vec<String> {
    let mut comments: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once("# "))
        .map(|(_, comment)| comment.trim().to_owned())
        .collect();
    comments.sort();
    comments
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn spans_lie_in_the_text_and_errors_are_told(text in texts(), dialect in dialects()) {
        let parsed = parse(SOURCE, &text, dialect);
        let whole = Span::new(SOURCE, 0, text.len());
        check_body(&parsed.tree.body, whole, &text);
        for label in parsed.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
            check_span(label.span, whole, &text);
        }
        if show_body(&parsed.tree.body).contains("<error>") {
            prop_assert!(parsed.diagnostics.has_errors(), "an error in the tree without a diagnostic");
        }
    }

    #[test]
    fn parts_are_parsed_without_panic(text in texts(), dialect in dialects()) {
        let origin = Origin::whole(SOURCE);
        let whole = Span::new(SOURCE, 0, text.len());
        check_expr(&parse_expression(&origin, &text, dialect).tree, whole, &text);
        check_expr(&parse_template(&origin, &text, dialect).tree, whole, &text);
    }

    #[test]
    fn json_is_read_without_panic(text in texts(), cut in any::<prop::sample::Index>()) {
        let _ = parse_json(SOURCE, &text);
        let json = format!("{{\"a\": [1, {{\"b\\n\": \"${{x}}\"}}, null, {text:?}], \"c\": {{\"//\": true}}}}");
        let mut cut = cut.index(json.len());
        while !json.is_char_boundary(cut) {
            cut -= 1;
        }
        let _ = parse_json(SOURCE, &json[..cut]);
    }

    #[test]
    fn formatting_is_idempotent_and_keeps_the_meaning(text in texts(), dialect in dialects()) {
        let once = format(SOURCE, &text, dialect);
        let before = parse(SOURCE, &text, dialect);
        if before.diagnostics.is_empty() {
            let twice = format(SOURCE, &once.text, dialect);
            prop_assert_eq!(&twice.text, &once.text);
            let after = parse(SOURCE, &once.text, dialect);
            prop_assert!(after.diagnostics.is_empty(), "{:?}\n{}", after.diagnostics, once.text);
            prop_assert_eq!(show_body(&after.tree.body), show_body(&before.tree.body));
        }
    }
}

#[test]
fn the_corpus_is_valid_and_keeps_its_comments() {
    for (text, dialect) in [(WEB, Dialect::Terraform), (NATIVE, Dialect::Native)] {
        let parsed = parse(SOURCE, text, dialect);
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        assert_eq!(comments_of(&format(SOURCE, text, dialect).text), comments_of(text));
    }
}

/// Runs on a stack of 1 MB, as threads of editors and of async runtimes have.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread =
        std::thread::Builder::new().stack_size(1 << 20).spawn(work).expect("a thread can be started");
    thread.join().expect("the work ends without a panic");
}

#[test]
fn deep_nesting_is_one_diagnostic() {
    on_small_stack(|| {
        for open in [
            "[",
            "(",
            "{a=",
            "f(",
            "\"${",
            "-",
            "!",
            "x ? ",
            "b {\n",
            "[for x in ",
            "%{ if x }",
            "a[",
            "\"%{ if ",
            "x[*]",
        ] {
            for text in [format!("a = {}", open.repeat(10_000)), open.repeat(10_000)] {
                let parsed = parse(SOURCE, &text, Dialect::Native);
                assert!(parsed.diagnostics.len() <= 2, "{open}: {} diagnostics", parsed.diagnostics.len());
                let _ = format(SOURCE, &text, Dialect::Native);
                let _ = parse_template(&Origin::whole(SOURCE), &text, Dialect::Terraform);
            }
        }
        let json = "[".repeat(10_000);
        assert_eq!(parse_json(SOURCE, &json).diagnostics.len(), 1);
        let json = "{\"a\":".repeat(10_000);
        assert_eq!(parse_json(SOURCE, &json).diagnostics.len(), 1);
    });
}

/// Chains are long, not deep: they are read, or refused with one diagnostic, and never a matter of the stack.
#[test]
fn long_chains_fit_a_small_stack() {
    on_small_stack(|| {
        for (piece, times) in [
            (".b", 100_000),
            ("[0]", 100_000),
            ("[*].b", 100_000),
            (".*.b", 10_000),
            ("?.b", 100_000),
            ("?[0]", 100_000),
            (" + 1", 100_000),
            (" && b", 100_000),
            (" == b", 100_000),
            (" ?? b", 100_000),
            (" ? b : c", 100_000),
            (" where b", 100_000),
            ("?", 10_000),
            ("::b", 100_000),
            ("(1)", 10_000),
        ] {
            let text = format!("a = b{}\n", piece.repeat(times));
            for dialect in [Dialect::Native, Dialect::Terraform] {
                let parsed = parse(SOURCE, &text, dialect);
                // In Terraform's language each operator that it lacks is a mistake of its own.
                let lacking = dialect == Dialect::Terraform
                    && ["?.", "?[", "??"].iter().any(|lacking| text.contains(lacking));
                let count = parsed.diagnostics.len();
                assert!(lacking || count <= 2, "{piece}: {count} diagnostics");
                let _ = format(SOURCE, &text, dialect);
            }
        }
    });
}

#[test]
fn heredocs_in_heredocs_and_types_in_types_are_limited() {
    on_small_stack(|| {
        let heredocs: String = (0..10_000).map(|i| format!("${{<<E{i}\n")).collect();
        for text in [
            format!("a = <<E\n{heredocs}"),
            format!(
                "variable \"a\" {{\n  type = {}string{}\n}}\n",
                "list(".repeat(10_000),
                ")".repeat(10_000)
            ),
            format!("variable \"a\" {{\n  type = {}", "object({a=".repeat(10_000)),
            format!("variable \"a\" {{\n  type = {}", "optional(".repeat(10_000)),
            format!("a = \"{}", "%{ for x in \"".repeat(10_000)),
        ] {
            let parsed = parse(SOURCE, &text, Dialect::Native);
            assert!(parsed.diagnostics.has_errors() && parsed.diagnostics.len() <= 2, "{}", &text[..60]);
            let _ = format(SOURCE, &text, Dialect::Native);
        }
        let json = format!("{{\"a\": \"{}\"}}", "${[".repeat(10_000));
        assert!(parse_json(SOURCE, &json).diagnostics.len() <= 2);
    });
}

#[test]
fn what_the_limit_allows_fits_a_small_stack() {
    on_small_stack(|| {
        for (open, inner, close) in [
            ("[", "1", "]"),
            ("(", "1", ")"),
            ("{a=", "1", "}"),
            ("f(", "x", ")"),
            ("\"${", "x", "}\""),
            ("x[", "1", "]"),
            ("[for x in ", "y", " : x]"),
            ("-", "1", ""),
            ("x ? y : ", "z", ""),
        ] {
            let depth = 120;
            let text = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            let parsed = parse_expression(&Origin::whole(SOURCE), &text, Dialect::Native);
            assert!(parsed.diagnostics.is_empty(), "{open}: {:?}", parsed.diagnostics.iter().next());
            assert!(show(&parsed.tree).contains(inner), "{open}");
        }
        let nested = format!("{}x{}", "%{ if x }".repeat(200), "%{ endif }".repeat(200));
        let parsed = parse_template(&Origin::whole(SOURCE), &nested, Dialect::Terraform);
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics.iter().next());
        let blocks = format!("{}{}", "b {\n".repeat(200), "}\n".repeat(200));
        assert!(parse(SOURCE, &blocks, Dialect::Terraform).diagnostics.is_empty());
    });
}

/// Work per byte must not grow with the text. A text that is quadratic in anything takes minutes here.
#[test]
fn large_texts_of_mistakes_end() {
    for piece in [
        "a = [1 2]\n",
        "}\n",
        "b {\n",
        "x = \"${\n",
        "'",
        "a = <<E\n",
        "/*",
        "[1,,",
        "a ? ",
        "\"",
        "a = b c\n",
        "%{ if",
        "(",
    ] {
        let text = piece.repeat(20_000);
        let _ = parse(SOURCE, &text, Dialect::Native);
        let _ = format(SOURCE, &text, Dialect::Terraform);
        let _ = parse_json(SOURCE, &text);
    }
}
