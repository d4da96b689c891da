//! A text that is parsed again after edits gives what it gives when it is parsed for the first time: tree, places, words.

use std::sync::Arc;

use plumb_model::SourceId;
use plumb_syntax::{Dialect, Reading, parse};
use proptest::prelude::*;

const WEB: &str = include_str!("corpus/web.tf");
const NATIVE: &str = include_str!("corpus/native.cfg");

/// What edits put in, whole and broken.
const PIECES: &[&str] = &[
    "",
    "a",
    " ",
    "\n",
    "\n\n",
    "x = 1\n",
    "= ",
    "{",
    "}",
    "[",
    ")",
    "\"",
    "${",
    "}\n",
    "<<EOT\n",
    "EOT\n",
    "/*",
    "*/",
    "# ",
    "é",
    "? 1 : 2",
    "\n  + 1\n",
    "block \"b\" {\n  a = [1, 2]\n}\n",
    "block {\n",
    "\u{feff}",
    "%{ if a }",
    "\r\n",
];

/// Replaces a stretch of characters near a place, given as a share of the text.
fn edited(text: &str, at: f64, length: usize, piece: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let start = (at * chars.len() as f64) as usize;
    let end = (start + length).min(chars.len());
    chars[..start].iter().chain(piece.chars().collect::<Vec<_>>().iter()).chain(&chars[end..]).collect()
}

fn edit() -> impl Strategy<Value = (f64, usize, &'static str)> {
    (0.0..1.0, prop_oneof![3 => 0..3usize, 1 => 0..80usize], proptest::sample::select(PIECES))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_again_is_parsing(native: bool, edits in proptest::collection::vec(edit(), 1..12)) {
        let (text, dialect) =
            if native { (NATIVE, Dialect::Native) } else { (WEB, Dialect::Terraform) };
        let mut text = text.to_owned();
        let mut reading = Reading::new(SourceId(0), text.as_str().into(), dialect);
        for (i, (at, length, piece)) in edits.into_iter().enumerate() {
            text = edited(&text, at, length, piece);
            // The number of a file changes when another one appears before it.
            let source = SourceId(i as u32 / 4);
            reading = reading.again(source, text.as_str().into());
            prop_assert_eq!(reading.parsed(), &parse(source, &text, dialect), "text: {}", text);
        }
    }
}

#[test]
fn blocks_that_did_not_change_keep_their_trees() {
    let text = "a \"one\" {\n  x = 1\n}\nb \"two\" {\n  y = [z]\n}\nc \"three\" {\n}\n";
    let block = |reading: &Reading, i: usize| reading.parsed().tree.body.blocks().nth(i).map(Arc::as_ptr);
    let reading = Reading::new(SourceId(0), text.into(), Dialect::Terraform);
    let before = [0, 1, 2].map(|i| block(&reading, i));
    let text = text.replace("[z]", "[zz, 1]");
    let reading = reading.again(SourceId(0), text.as_str().into());
    let after = [0, 1, 2].map(|i| block(&reading, i));
    assert_eq!((before[0], before[2]), (after[0], after[2]));
    let start = reading.parsed().tree.body.blocks().nth(2).map(|block| block.span.start as usize);
    assert_eq!(start, text.find("c \"three\""));
}
