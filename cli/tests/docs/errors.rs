//! `docs/errors/`: each code in the sources has a page, each page belongs to a code, and what it shows is true.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::fences::Document;
use crate::support::root;
use crate::{check, documents};

/// Begins the line that says why a page has no example that is run.
const NOT_RUN: &str = "No example is run here: ";
/// Longer sentences do not fit beside a code in the list.
const LONGEST_MEANING: usize = 110;

/// The folders with pages.
fn areas() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs/errors")).expect("there are pages");
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn pages() -> Vec<PathBuf> {
    areas().iter().flat_map(|area| documents(area)).collect()
}

fn code_of(page: &Path) -> String {
    page.file_stem().expect("a page has a name").to_string_lossy().into_owned()
}

#[test]
fn what_the_pages_show_is_true() {
    check(&pages(), |path, document| form(&code_of(path), document));
}

/// What is wrong with the form of a page.
fn form(code: &str, document: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut text = document.text();
    if text.next() != Some(&format!("# {code}")) {
        wrong.push(format!("1: the first line is not `# {code}`"));
    }
    let meaning: Vec<&str> =
        text.by_ref().skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()).collect();
    if meaning.len() != 1 || meaning[0].chars().count() > LONGEST_MEANING || !meaning[0].ends_with('.') {
        wrong.push(format!(
            "3: the first paragraph is not one sentence in a line of at most {LONGEST_MEANING} characters"
        ));
    }
    let leads = |kind| document.fences().any(|fence| fence.tag(kind) == Some(code));
    if !leads("error") && !leads("warning") && !document.text().any(|line| line.starts_with(NOT_RUN)) {
        wrong.push(format!(
            "1: no example has the tag `error={code}`; where none can, a line begins with `{NOT_RUN}` and says why"
        ));
    }
    wrong
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let pages: BTreeSet<String> = pages().iter().map(|page| code_of(page)).collect();
    let sources = sources();
    let mut codes = BTreeSet::new();
    let constructor = pattern(r#"Diagnostic::(?:error|warning|note_only)\(\s*"([a-z0-9-]+)"\s*,"#);
    let before_a_summary = pattern(r#""([a-z0-9]+(?:-[a-z0-9]+)+)",\s*(?:(?:eco_)?format!\(\s*)?"[A-Z]"#);
    let chosen = pattern(r"let code = match ([^;]*);|const CODE: &str = ([^;]*);");
    let text = pattern(r#""([a-z0-9]+(?:-[a-z0-9]+)+)""#);
    for source in &sources {
        for pattern in [&constructor, &before_a_summary] {
            codes.extend(pattern.captures_iter(source).map(|found| found[1].to_owned()));
        }
        for choice in chosen.find_iter(source) {
            let arms = choice.as_str().split("=>").skip(usize::from(choice.as_str().contains("=>")));
            codes.extend(arms.filter_map(|arm| Some(text.captures(arm)?[1].to_owned())));
        }
    }
    let missing: Vec<&String> = codes.difference(&pages).collect();
    assert!(
        missing.is_empty(),
        "{} codes need a page in docs/errors/AREA/CODE.md: {missing:?}",
        missing.len()
    );
    let unused: Vec<&String> = pages
        .iter()
        .filter(|code| !sources.iter().any(|text| text.contains(&format!("\"{code}\""))))
        .collect();
    assert!(unused.is_empty(), "these pages are about codes that nothing has: {unused:?}");
}

fn pattern(text: &str) -> Regex {
    Regex::new(&format!("(?s){text}")).expect("it is a pattern")
}

#[test]
fn every_area_has_a_heading() {
    for area in areas() {
        let name = code_of(&area);
        let known = plumb_cli::explain::AREAS.iter().any(|(known, _)| *known == name);
        assert!(known, "docs/errors/{name}: say what it is about in AREAS");
    }
}

/// The texts of all sources of the program, without their tests. Examples have codes of their own.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![root()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                let skipped = name.starts_with('.')
                    || matches!(&*name, "tests" | "target" | "benches" | "docs" | "examples");
                directories.extend((!skipped).then_some(path));
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
                found.push(text[..end].to_owned());
            }
        }
    }
    found
}
