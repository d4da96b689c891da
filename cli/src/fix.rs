//! Makes the changes that diagnostics are sure of.
//!
//! A suggestion is *safe* where nobody has to look at it: a superfluous comma, a quote of the wrong kind. All safe ones of a
//! diagnostic are made together, or none of them; of two that overlap, the first is made, and the next round sees what
//! is left. A file is written in one piece, and only if it still has the text that the diagnostics are about.
//!
//! Only files below the working directory are changed, and none that was installed there.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path};

use plumb_model::{Diagnostic, Diagnostics, Source, SourceId, Sources, Suggestion};

use crate::files;

/// What the safe suggestions make of one file.
#[derive(Debug, PartialEq, Eq)]
pub struct Fix {
    /// The path of the file, from the working directory.
    pub path: String,
    /// What it holds.
    pub before: String,
    /// What it should hold.
    pub after: String,
    /// How many diagnostics are settled so.
    pub settled: usize,
}

impl Fix {
    /// Writes the file.
    ///
    /// # Errors
    /// If it has changed meanwhile, or what the operating system says.
    pub fn write(&self) -> Result<(), Diagnostic> {
        let path = Path::new(&self.path);
        let problem = match std::fs::read(path) {
            Ok(content) if content == self.before.as_bytes() => {
                match files::rewrite(path, self.after.as_bytes()) {
                    Ok(()) => return Ok(()),
                    Err(error) => error.to_string(),
                }
            }
            Ok(_) => "it has changed since it was checked".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(Diagnostic::error("unreadable-file", "File cannot be read or written")
            .detail(format!("{}: {problem}.", self.path)))
    }
}

/// What to replace in a file, and by what.
type Edits<'a> = Vec<(Range<usize>, &'a str)>;

/// What the safe suggestions of these diagnostics make of the files, by path.
pub fn of(diagnostics: &Diagnostics, sources: &Sources) -> Vec<Fix> {
    let mut files: BTreeMap<SourceId, (Edits<'_>, usize)> = BTreeMap::new();
    for diagnostic in diagnostics {
        let Some((source, edits)) = edits(&diagnostic.suggestions) else { continue };
        let Some(text) = sources.try_get(source).filter(|source| may_change(source)).map(|s| &s.text) else {
            continue;
        };
        let (made, settled) = files.entry(source).or_default();
        let fits = |edit: &Range<usize>| {
            text.get(edit.clone()).is_some() && made.iter().all(|(other, _)| apart(edit, other))
        };
        if edits.iter().all(|(edit, _)| fits(edit)) {
            made.extend(edits);
            *settled += 1;
        }
    }
    let fixes = files.into_iter().filter(|(_, (_, settled))| *settled > 0).map(|(id, (edits, settled))| {
        let source = sources.get(id);
        let before = source.text.to_string();
        Fix { path: source.name.to_string(), after: edited(&before, edits), before, settled }
    });
    let mut fixes: Vec<Fix> = fixes.collect();
    fixes.sort_by(|a, b| a.path.cmp(&b.path));
    fixes
}

/// The changes of one diagnostic, if all of them are safe, apart from each other, and in one file.
fn edits(suggestions: &[Suggestion]) -> Option<(SourceId, Edits<'_>)> {
    let source = suggestions.first()?.span.source;
    let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
    for suggestion in suggestions {
        let edit = suggestion.span.range();
        let fits = suggestion.safe
            && suggestion.span.source == source
            && edits.iter().all(|(other, _)| apart(&edit, other));
        if !fits {
            return None;
        }
        edits.push((edit, suggestion.replacement.as_str()));
    }
    Some((source, edits))
}

/// Whether two changes do not touch the same text. Two insertions at one place do: their order would matter.
fn apart(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.end < b.start
        || b.end < a.start
        || (a.end == b.start || b.end == a.start) && !(a.is_empty() || b.is_empty())
}

/// Whether a file belongs to whoever works in this directory.
fn may_change(source: &Source) -> bool {
    Path::new(source.name.as_str()).components().all(|part| match part {
        Component::Normal(name) => !name.to_string_lossy().starts_with('.') && !source.name.starts_with('<'),
        Component::CurDir => true,
        _ => false,
    })
}

fn edited(text: &str, mut edits: Vec<(Range<usize>, &str)>) -> String {
    edits.sort_by_key(|(edit, _)| edit.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (edit, replacement) in edits {
        out.push_str(&text[at..edit.start]);
        out.push_str(replacement);
        at = edit.end;
    }
    out + &text[at..]
}

#[cfg(test)]
mod tests {
    use plumb_model::Span;

    use super::*;

    fn fixed(name: &str, text: &str, suggested: &[&[(usize, usize, &str, bool)]]) -> Option<String> {
        let mut sources = Sources::new();
        let id = sources.add(name, text);
        let diagnostics = suggested.iter().map(|suggestions| {
            suggestions.iter().fold(Diagnostic::error("x", "X"), |found, (start, end, new, safe)| {
                found.suggest(Span::new(id, *start, *end), *new, *safe)
            })
        });
        of(&diagnostics.collect(), &sources).pop().map(|fix| fix.after)
    }

    #[test]
    fn safe_suggestions_are_made_and_others_are_not() {
        assert_eq!(fixed("a.cfg", "a : 1,", &[&[(1, 3, " =", true)], &[(5, 6, "", true)]]).unwrap(), "a = 1");
        assert_eq!(fixed("a.cfg", "a : 1", &[&[(1, 3, " =", false)]]), None);
        assert_eq!(fixed("a.cfg", "abc", &[&[(0, 1, "x", true), (2, 3, "y", false)]]), None);
    }

    #[test]
    fn of_two_that_overlap_the_first_is_made() {
        assert_eq!(fixed("a.cfg", "abc", &[&[(0, 2, "x", true)], &[(1, 3, "y", true)]]).unwrap(), "xc");
        assert_eq!(fixed("a.cfg", "ab", &[&[(1, 1, "x", true)], &[(1, 1, "y", true)]]).unwrap(), "axb");
    }

    #[test]
    fn files_of_others_are_left_alone() {
        for name in ["../a.cfg", "/a.cfg", ".plumb/modules/a/main.tf", "<stdin>"] {
            assert_eq!(fixed(name, "a", &[&[(0, 1, "b", true)]]), None, "{name}");
        }
        assert!(fixed("./m/a.cfg", "a", &[&[(0, 1, "b", true)]]).is_some());
    }
}
