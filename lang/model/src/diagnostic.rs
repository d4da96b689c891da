//! What is wrong, said to the user.
//!
//! A [`Diagnostic`] is data: a code, a message, places, and what to do about it. Stages collect diagnostics in
//! [`Diagnostics`] and go on; the command line renders them for terminals (miette) and as JSON.
//!
//! Wording: `summary` is constant for a code, so that it becomes familiar. `detail` says what was found and what
//! was wanted, with names. `help` is one concrete thing to do; a guess is a question ("Did you mean …?").

use ecow::EcoString;

use crate::path::Path;
use crate::span::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something to know; never a failure.
    Note,
    /// Works, but is likely not what was meant.
    Warning,
    /// The command cannot do what was asked.
    Error,
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A remark shown at the place; may be empty.
    pub text: EcoString,
}

/// A change of the source text that would help.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The text to replace; empty to insert.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: EcoString,
    /// Whether it can be made without a person looking.
    pub safe: bool,
}

/// One message to the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// A stable name in kebab case, for example `unknown-attribute`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a few constant words without a full stop.
    pub summary: EcoString,
    /// What was found and what was wanted; whole sentences. May be empty.
    pub detail: EcoString,
    /// Places; the first is the primary one. May be empty for trouble that has no place.
    pub labels: Vec<Label>,
    /// One concrete thing to do.
    pub help: Option<EcoString>,
    /// Further facts, one sentence each.
    pub notes: Vec<EcoString>,
    /// Changes of the source text that would help.
    pub suggestions: Vec<Suggestion>,
    /// The address of the object it is about, if it is about one.
    pub address: Option<EcoString>,
    /// The attribute it is about, relative to the object; the engine turns it into a place.
    pub attribute: Option<Path>,
}

impl Diagnostic {
    /// A message of the given severity.
    pub fn new(severity: Severity, code: &'static str, summary: impl Into<EcoString>) -> Diagnostic {
        Diagnostic {
            code,
            severity,
            summary: summary.into(),
            detail: EcoString::new(),
            labels: Vec::new(),
            help: None,
            notes: Vec::new(),
            suggestions: Vec::new(),
            address: None,
            attribute: None,
        }
    }

    /// An error.
    pub fn error(code: &'static str, summary: impl Into<EcoString>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, summary)
    }

    /// A warning.
    pub fn warning(code: &'static str, summary: impl Into<EcoString>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, summary)
    }

    /// A note.
    pub fn note_only(code: &'static str, summary: impl Into<EcoString>) -> Diagnostic {
        Diagnostic::new(Severity::Note, code, summary)
    }

    /// Says what was found and what was wanted.
    pub fn detail(mut self, detail: impl Into<EcoString>) -> Diagnostic {
        self.detail = detail.into();
        self
    }

    /// Adds a place; the first one added is the primary one.
    pub fn label(mut self, span: Span, text: impl Into<EcoString>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a place without a remark.
    pub fn at(self, span: Span) -> Diagnostic {
        self.label(span, "")
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<EcoString>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Says what to do, where there is something to say.
    pub fn maybe_help(mut self, help: Option<impl Into<EcoString>>) -> Diagnostic {
        self.help = help.map(Into::into).or(self.help);
        self
    }

    /// Adds a further fact.
    pub fn note(mut self, note: impl Into<EcoString>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Proposes a change of the source text.
    pub fn suggest(mut self, span: Span, replacement: impl Into<EcoString>, safe: bool) -> Diagnostic {
        self.suggestions.push(Suggestion { span, replacement: replacement.into(), safe });
        self
    }

    /// Says what to write instead of a name that is not known, as [`name_help`] does, and proposes it if one is close.
    pub fn instead<'a>(
        self,
        written: &str,
        span: Span,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Diagnostic {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        let diagnostic = self.maybe_help(name_help(written, candidates.iter().copied()));
        match nearest(written, candidates) {
            Some(guess) => diagnostic.suggest(span, guess, false),
            None => diagnostic,
        }
    }

    /// Names the object it is about.
    pub fn about(mut self, address: impl std::fmt::Display) -> Diagnostic {
        self.address = Some(ecow::eco_format!("{address}"));
        self
    }

    /// Names the attribute it is about, relative to the object.
    pub fn attribute(mut self, path: Path) -> Diagnostic {
        self.attribute = Some(path);
        self
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The primary place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|l| l.span)
    }
}

/// Messages in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(other);
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each in turn.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Each in turn, to complete it.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.0.iter_mut()
    }

    /// Adds a place to every message that has none: the caller knows where, the callee knew what.
    pub fn place(mut self, span: Span) -> Diagnostics {
        for diagnostic in &mut self.0 {
            if diagnostic.labels.is_empty() {
                diagnostic.labels.push(Label { span, text: EcoString::new() });
            }
        }
        self
    }

    /// Names the object that every message without one is about.
    pub fn about(mut self, address: impl std::fmt::Display) -> Diagnostics {
        let address = ecow::eco_format!("{address}");
        for diagnostic in &mut self.0 {
            diagnostic.address.get_or_insert_with(|| address.clone());
        }
        self
    }

    /// By source and offset, those without a place last; the order of equals is kept.
    pub fn sort(&mut self) {
        self.0.sort_by_key(|d| d.span().map_or((1, None), |s| (0, Some(s))));
    }

    /// Splits into the value and the messages it came with: `Err` if there is an error among them.
    pub fn into_result(self) -> Result<Diagnostics, Diagnostics> {
        if self.has_errors() { Err(self) } else { Ok(self) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(diagnostics: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics(diagnostics)
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Diagnostics {
        Diagnostics(iter.into_iter().collect())
    }
}

/// "Did you mean `x`?", where one of the candidates is close to what was written.
///
/// Close is an edit distance of at most a third of the written length, and at least one edit.
pub fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<EcoString> {
    nearest(written, candidates).map(|name| ecow::eco_format!("Did you mean `{name}`?"))
}

/// How many names [`name_help`] lists at most.
const LISTED: usize = 8;

/// What to write instead of a name that is not known: the closest candidate, or else some of those that there are. None
/// where there are none.
pub fn name_help<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<EcoString> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(help) = did_you_mean(written, candidates.iter().copied()) {
        return Some(help);
    }
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match candidates.as_slice() {
        [] => None,
        [only] => Some(ecow::eco_format!("The only one is `{only}`.")),
        all if all.len() > LISTED => {
            Some(ecow::eco_format!("There are {} and {} more.", quoted(&all[..LISTED]), all.len() - LISTED))
        }
        [first @ .., last] => Some(ecow::eco_format!("There are {} and `{last}`.", quoted(first))),
    }
}

/// The candidate closest to what was written, where one is close enough for [`did_you_mean`].
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = written.chars().count().div_ceil(3).max(1);
    candidates
        .into_iter()
        .filter(|name| *name != written)
        .map(|name| (edit_distance(written, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment distance).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_are_close_or_absent() {
        assert_eq!(nearest("conten", ["content", "mode"]), Some("content"));
        assert_eq!(nearest("ocntent", ["content", "mode"]), Some("content"));
        assert_eq!(nearest("zzz", ["content", "mode"]), None);
    }
}
