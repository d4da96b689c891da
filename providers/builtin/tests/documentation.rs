//! The pages in `docs/providers` say what the schemas say.
//!
//! Below its marker, each page has the tables of arguments and attributes. To write them anew after a change of a
//! schema, run this test with `PLUMB_WRITE_DOCS=1` in the environment.

use std::fmt::Write as _;
use std::path::PathBuf;

use plumb_model::{Attribute, Schema};
use plumb_provider_builtin::{lookup, names};

const MARKER: &str = "<!-- What follows is written from the schemas by a test. -->\n";

fn page(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers").join(format!("{name}.md"))
}

fn row(text: &mut String, name: &str, attribute: &Attribute) {
    let mut notes = Vec::new();
    for (flag, note) in [
        (attribute.required, "required"),
        (attribute.sensitive, "sensitive"),
        (attribute.write_only, "never kept"),
        (attribute.deprecated.is_some(), "deprecated"),
    ] {
        notes.extend(flag.then_some(note));
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" *({})*", notes.join(", ")) };
    let description = attribute.description.replace("\n", " ").replace("|", "\\|");
    let _ = writeln!(text, "| `{name}` | `{}` | {description}{notes} |", attribute.implied_type());
}

fn table(text: &mut String, title: &str, schema: &Schema, wanted: impl Fn(&Attribute) -> bool) {
    let attributes = || schema.block.attributes.iter().filter(|(_, a)| wanted(a));
    if attributes().next().is_none() {
        return;
    }
    let _ = writeln!(text, "\n| {title} | type | |\n| --- | --- | --- |");
    attributes().for_each(|(name, attribute)| row(text, name, attribute));
}

fn section(text: &mut String, title: &str, schema: &Schema) {
    let _ = writeln!(text, "\n## {title}\n\n{}", schema.block.description);
    table(text, "argument", schema, |a| !a.is_computed_only());
    table(text, "attribute", schema, Attribute::is_computed_only);
}

async fn reference(name: &str) -> String {
    let schema = lookup(name).unwrap().schema().await.unwrap();
    let mut text = String::new();
    if !schema.provider.block.attributes.is_empty() {
        section(&mut text, &format!("Provider `{name}`"), &schema.provider);
    }
    for (kind, schema) in &schema.resources {
        section(&mut text, &format!("Resource `{kind}`"), schema);
    }
    for (kind, schema) in &schema.data_sources {
        section(&mut text, &format!("Data source `{kind}`"), schema);
    }
    text
}

#[tokio::test]
async fn every_provider_has_a_true_page() {
    for name in names() {
        let page = page(name);
        let text = std::fs::read_to_string(&page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        let (written, tables) = text.split_once(MARKER).expect("each page has the marker");
        let reference = reference(name).await;
        if std::env::var_os("PLUMB_WRITE_DOCS").is_some() {
            std::fs::write(&page, format!("{written}{MARKER}{reference}")).unwrap();
        } else {
            assert_eq!(tables, reference, "{} is out of date", page.display());
        }
    }
}

#[tokio::test]
async fn everything_is_documented() {
    for name in names() {
        let schema = lookup(name).unwrap().schema().await.unwrap();
        for (kind, schema) in schema.resources.iter().chain(&schema.data_sources) {
            assert!(!schema.block.description.is_empty(), "{kind}");
            for (attribute, spec) in &schema.block.attributes {
                assert!(!spec.description.is_empty(), "{kind}.{attribute}");
                let set = spec.required || spec.optional || spec.computed;
                assert!(set && !(spec.required && (spec.optional || spec.computed)), "{kind}.{attribute}");
            }
        }
    }
}

#[test]
fn names_and_providers_are_the_same() {
    assert!(names().is_sorted());
    assert!(names().iter().all(|name| lookup(name).is_some()));
    assert!(lookup("nothing").is_none());
}
