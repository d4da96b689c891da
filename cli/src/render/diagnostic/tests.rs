//! What diagnostics look like, whole outputs, and that odd places do no harm.

use expect_test::{Expect, expect};
use plumb_model::{SourceId, Suggestion};
use proptest::prelude::*;

use super::*;
use crate::render::sample::dedent;

const NOTES: &str = "resource \"file\" \"notes\" {\n  path    = \"a.txt\"\n  conten  = \"x\"\n}\n";

fn check(diagnostics: impl Into<Diagnostics>, sources: &Sources, expected: Expect) {
    let shown = text(&diagnostics.into(), sources, &Style { width: 80, ..Style::plain() });
    expected.assert_eq(&dedent(&shown));
}

#[test]
fn a_mistake_is_shown_with_its_line_and_what_to_do() {
    let mut sources = Sources::new();
    let id = sources.add("main.cfg", NOTES);
    let span = Span::new(id, 48, 54);
    let diagnostic = Diagnostic::error("unknown-attribute", "Unknown attribute")
        .detail("The resource type `file` has no attribute `conten`.")
        .label(span, "not an attribute of `file`")
        .about("file.notes")
        .help("Did you mean `content`?")
        .note("The attributes are content, mode, path.")
        .suggest(span, "content", true);
    check(
        diagnostic.clone(),
        &sources,
        expect![[r#"
              x Error: Unknown attribute [unknown-attribute]
              | in file.notes
              | The resource type `file` has no attribute `conten`.
               ,-[main.cfg:3:3]
             2 |   path    = "a.txt"
             3 |   conten  = "x"
               :   ^^^|^^
               :      `-- not an attribute of `file`
             4 | }
               `----
              help: Did you mean `content`?
                    write `content` in place of `conten` at main.cfg:3:3
                    The attributes are content, mode, path.

        "#]],
    );
    expect![[r#"{"severity":"error","summary":"Unknown attribute","detail":"The resource type `file` has no attribute `conten`.\n\nDid you mean `content`?","address":"file.notes","range":{"filename":"main.cfg","start":{"line":3,"column":3,"byte":48},"end":{"line":3,"column":9,"byte":54}},"snippet":{"context":"resource \"file\" \"notes\"","code":"  conten  = \"x\"","start_line":3,"highlight_start_offset":2,"highlight_end_offset":8,"values":[]},"code":"unknown-attribute","help":"Did you mean `content`?","notes":["The attributes are content, mode, path."],"suggestions":[{"range":{"filename":"main.cfg","start":{"line":3,"column":3,"byte":48},"end":{"line":3,"column":9,"byte":54}},"replacement":"content","safe":true}]}"#]].assert_eq(&json(&diagnostic, &sources));
    let fancy = Style { colour: true, unicode: true, width: 80 };
    expect![[r#"
          ^[31m×^[0m Error: Unknown attribute [unknown-attribute]
          ^[31m│^[0m in file.notes
          ^[31m│^[0m The resource type `file` has no attribute `conten`.
           ╭─[^[36;1;4mmain.cfg:3:3^[0m]
         ^[2m2^[0m │   path    = "a.txt"
         ^[2m3^[0m │   conten  = "x"
           · ^[35;1m  ───┬──^[0m
           ·      ^[35;1m╰── ^[35;1mnot an attribute of `file`^[0m^[0m
         ^[2m4^[0m │ }
           ╰────
        ^[36m  help: ^[0mDid you mean `content`?
                write `content` in place of `conten` at main.cfg:3:3
                The attributes are content, mode, path.
    "#]]
    .assert_eq(&one(&diagnostic, &sources, &fancy).replace('\u{1b}', "^"));
}

#[test]
fn places_in_several_files_and_far_apart_are_all_shown() {
    let mut sources = Sources::new();
    let a = sources.add("a.cfg", format!("locals {{\n{}  x = 1\n}}\n", "  # filler\n".repeat(30)));
    let b = sources.add("b.cfg", "locals {\n  x = 2\n}");
    let diagnostic = Diagnostic::error("duplicate-local", "Duplicate local value")
        .detail("A local value named `x` is defined more than once.")
        .label(Span::new(b, 11, 12), "defined again here")
        .label(Span::new(a, 341, 342), "first defined here")
        .label(Span::new(a, 0, 6), "in this block")
        .help("Rename one of them.");
    check(
        diagnostic,
        &sources,
        expect![[r#"
              x Error: Duplicate local value [duplicate-local]
              | A local value named `x` is defined more than once.
               ,-[b.cfg:2:3]
             1 | locals {
             2 |   x = 2
               :   |
               :   `-- defined again here
             3 | }
               `----
              > see also
               ,-[a.cfg:1:1]
             1 | locals {
               : ^^^|^^
               :    `-- in this block
             2 |   # filler
               `----
              > see also
                ,-[a.cfg:32:3]
             31 |   # filler
             32 |   x = 1
                :   |
                :   `-- first defined here
             33 | }
                `----
              help: Rename one of them.

        "#]],
    );
}

#[test]
fn warnings_come_before_errors_and_what_has_no_place_first() {
    let mut sources = Sources::new();
    let a = sources.add("a.cfg", "x = 1\ny = 2\n");
    let diagnostics = Diagnostics::from(vec![
        Diagnostic::error("b", "Second").at(Span::new(a, 6, 7)),
        Diagnostic::error("a", "First").at(Span::new(a, 0, 1)),
        Diagnostic::error("c", "Without place").detail("The disk is full."),
        Diagnostic::warning("d", "Only a warning").at(Span::new(a, 10, 11)),
    ]);
    check(
        diagnostics,
        &sources,
        expect![[r#"
          ! Warning: Only a warning [d]
           ,-[a.cfg:2:5]
         1 | x = 1
         2 | y = 2
           :     ^
         3 |
           `----

          x Error: Without place [c]
          | The disk is full.

          x Error: First [a]
           ,-[a.cfg:1:1]
         1 | x = 1
           : ^
         2 | y = 2
           `----

          x Error: Second [b]
           ,-[a.cfg:2:1]
         1 | x = 1
         2 | y = 2
           : ^
         3 |
           `----

        Found 3 errors and 1 warning.
    "#]],
    );
}

#[test]
fn of_many_messages_on_a_file_the_rest_is_counted() {
    let mut sources = Sources::new();
    let a = sources.add("a.cfg", "x = 1\n");
    let many: Diagnostics =
        (0..25).map(|_| Diagnostic::error("again", "Again and again").at(Span::new(a, 0, 1))).collect();
    let shown = text(&many, &sources, &Style::plain());
    assert_eq!(shown.matches("Again and again").count(), MOST_PER_FILE);
    assert!(shown.ends_with("... and 5 errors more in a.cfg\n\nFound 25 errors.\n"), "{shown}");
}

#[test]
fn wide_characters_tabs_and_control_characters_keep_their_place() {
    let mut sources = Sources::new();
    let text = "\tname = \"日本\u{1b}[2J\" + 1\r\nx = 1";
    let a = sources.add("a\u{7}.cfg", text);
    let plus = text.find('+').unwrap();
    let diagnostic = Diagnostic::error("bad-operand", "Bad \u{1b}[31moperand")
        .label(Span::new(a, plus, plus + 1), "adds\u{7} numbers")
        .label(Span::new(a, text.len(), text.len()), "ends here");
    check(
        diagnostic,
        &sources,
        expect![[r#"
              x Error: Bad \u001b[31moperand [bad-operand]
               ,-[a\u0007.cfg:1:18]
             1 |     name = "日本?[2J" + 1
               :                       |
               :                       `-- adds\u0007 numbers
             2 | x = 1
               :      ^
               :      `-- ends here
               `----

        "#]],
    );
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let mut sources = Sources::new();
    let long = format!("x = [{}oops, 1]", "1, ".repeat(1000));
    let at = long.find("oops").unwrap();
    let a = sources.add("a.cfg", long);
    check(
        Diagnostic::error("bad-name", "Bad name").label(Span::new(a, at, at + 4), "here"),
        &sources,
        expect![[r#"
              x Error: Bad name [bad-name]
               ,-[a.cfg:1:3006]
             1 | 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, oops, 1]
               :                                                             ^^|^
               :                                                               `-- here
               `----

        "#]],
    );
}

#[test]
fn the_json_has_the_block_and_the_lines() {
    let mut sources = Sources::new();
    let text = "resource \"terraform_data\" \"a\" {\n\tinput = nope.x\n  foo = 1\n  input = var.y\n}\n";
    let a = sources.add("main.tf", text);
    let diagnostic = Diagnostic::error("attribute-redefined", "Attribute redefined")
        .detail("The argument `input` was already set.")
        .at(Span::new(a, 60, 65));
    expect![[r#"{"format_version":"1.0","valid":false,"error_count":1,"warning_count":0,"diagnostics":[{"severity":"error","summary":"Attribute redefined","detail":"The argument `input` was already set.","range":{"filename":"main.tf","start":{"line":4,"column":3,"byte":60},"end":{"line":4,"column":8,"byte":65}},"snippet":{"context":"resource \"terraform_data\" \"a\"","code":"  input = var.y","start_line":4,"highlight_start_offset":2,"highlight_end_offset":7,"values":[]},"code":"attribute-redefined"}]}"#]].assert_eq(&validate_json(&diagnostic.into(), &sources));
}

proptest! {
    #[test]
    fn no_place_does_harm(
        text in r"(\PC|\n|\t|\r|日|\x1b|e\u0301){0,80}",
        spans in prop::collection::vec((0u32..3, 0u32..120, 0u32..120), 0..5),
        remark in r"(\PC|\n|\x1b){0,20}",
        width in 0usize..120,
        unicode: bool,
    ) {
        let mut sources = Sources::new();
        sources.add("a.cfg", text.as_str());
        sources.add("b.cfg", format!("{text}\n{text}"));
        let mut diagnostic = Diagnostic::warning("odd", remark.as_str()).detail(remark.as_str());
        for (source, start, end) in spans {
            let span = Span { source: SourceId(source), start, end };
            diagnostic = diagnostic.label(span, remark.as_str());
            diagnostic.suggestions.push(Suggestion { span, replacement: remark.as_str().into(), safe: false });
        }
        let style = Style { unicode, width: width.max(crate::render::style::MIN_WIDTH), colour: false };
        let shown = one(&diagnostic, &sources, &style);
        prop_assert!(!shown.chars().any(|c| escape::is_unsafe(c) && c != '\n'), "{shown:?}");
        prop_assert!(!shown.contains("Failed to read"), "{shown}");
        let json: serde_json::Value = serde_json::from_str(&json(&diagnostic, &sources)).unwrap();
        prop_assert!(json["summary"].is_string());
    }
}
