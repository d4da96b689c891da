//! `docs/language/`: its examples, and the list of functions, which is written from the functions themselves.

use std::fs;

use plumb_functions::Function;

use crate::support::root;
use crate::{check, documents};

const MARKER: &str = "<!-- What follows is written from the functions by a test. -->\n";

#[test]
fn the_reference_is_true() {
    check(&documents(&root().join("docs/language")), |_, _| Vec::new());
}

#[test]
fn every_function_is_listed() {
    let path = root().join("docs/language/functions-list.md");
    let text = fs::read_to_string(&path).expect("the page is there");
    let (written, _) = text.split_once(MARKER).expect("the page has the marker");
    let mut functions: Vec<&Function> =
        plumb_functions::all().filter(|function| !function.signature.name.contains("::")).collect();
    functions.sort_by_key(|function| function.signature.name);
    let mut wanted = format!("{written}{MARKER}\n| function | gives | |\n|---|---|---|\n");
    functions.iter().for_each(|function| wanted.push_str(&row(function)));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, wanted).expect("the page can be written");
    } else {
        assert!(text == wanted, "the list of functions is old: run this test with UPDATE_EXPECT=1");
    }
}

fn row(function: &Function) -> String {
    let signature = &function.signature;
    let mut parameters: Vec<String> =
        signature.parameters.iter().map(|parameter| parameter.name.to_owned()).collect();
    parameters.extend(signature.variadic.as_ref().map(|rest| format!("{}...", rest.name)));
    format!(
        "| `{}({})` | {} | {} |\n",
        signature.name,
        parameters.join(", "),
        signature.returns.friendly_name(),
        signature.description.replace('|', "\\|")
    )
}
