//! Mistakes and what is said about them: the files in `cases/`.
//!
//! A case begins with a line `--- title`, or `--- title (native)` for the native dialect. Behind a line stands `#! code:
//! summary` for each diagnostic whose primary place begins in it; those marks are not part of the text that is parsed.
//! With `UPDATE_EXPECT=1` the marks are written anew; read the difference before you keep it.

use std::path::Path;

use plumb_model::SourceId;
use plumb_syntax::{Dialect, parse};

fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    let cases = std::fs::read_to_string(&path).expect("the file of cases is there");
    let mut marked = String::new();
    for case in cases.split("--- ").skip(1) {
        let (title, text) = case.split_once('\n').expect("a case has lines");
        marked.push_str(&format!("--- {title}\n{}", mark(title, text)));
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &marked).expect("the file of cases can be written");
    }
    let differences = cases.lines().zip(marked.lines()).filter(|(expected, actual)| expected != actual);
    let differences: Vec<String> =
        differences.map(|(expected, actual)| format!("- {expected}\n+ {actual}")).collect();
    assert!(differences.is_empty(), "{name}:\n{}", differences.join("\n"));
}

/// The text of a case with the marks that belong behind its lines.
fn mark(title: &str, text: &str) -> String {
    let dialect = if title.ends_with("(native)") { Dialect::Native } else { Dialect::Terraform };
    let source: String =
        text.lines().map(|line| format!("{}\n", line.split("#!").next().unwrap_or("").trim_end())).collect();
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    for diagnostic in parse(SourceId(0), &source, dialect).diagnostics.iter() {
        assert!(diagnostic.help.is_some(), "{}: without help", diagnostic.code);
        let start = diagnostic.span().expect("each diagnostic has a place").start as usize;
        let line = source[..start].matches('\n').count().min(lines.len() - 1);
        lines[line].push_str(&format!(" #! {}: {}", diagnostic.code, diagnostic.summary));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[test]
fn items() {
    check("items.txt");
}

#[test]
fn expressions() {
    check("expressions.txt");
}

#[test]
fn text() {
    check("text.txt");
}

#[test]
fn brackets() {
    check("brackets.txt");
}

/// Ten independent mistakes are ten diagnostics, each in its line.
#[test]
fn recovery() {
    check("recovery.txt");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/recovery.txt");
    let cases = std::fs::read_to_string(path).expect("the file of cases is there");
    for case in cases.split("--- ").skip(1) {
        assert_eq!(case.matches("#! ").count(), 10, "{case}");
    }
}
