//! Whether a diagnostic is about a place that others are about too.

use std::collections::HashMap;

use plumb_model::{Diagnostic, Diagnostics, SourceId};

/// The primary places of diagnostics.
pub(super) struct Places {
    /// For each source: starts in order, and with each the farthest end of those up to it.
    by_source: HashMap<SourceId, Vec<(u32, u32)>>,
}

impl Places {
    /// Sorts the places once, so that each question costs a search.
    pub(super) fn of(diagnostics: &Diagnostics) -> Places {
        let mut by_source: HashMap<SourceId, Vec<(u32, u32)>> = HashMap::new();
        for span in diagnostics.iter().filter_map(Diagnostic::span) {
            by_source.entry(span.source).or_default().push((span.start, span.end));
        }
        for places in by_source.values_mut() {
            places.sort_unstable();
            let mut farthest = 0;
            for (_, end) in places {
                farthest = farthest.max(*end);
                *end = farthest;
            }
        }
        Places { by_source }
    }

    /// Whether one of them has a byte in common with the place of the diagnostic, or lies within it.
    pub(super) fn overlap(&self, diagnostic: &Diagnostic) -> bool {
        let Some(span) = diagnostic.span() else { return false };
        let Some(places) = self.by_source.get(&span.source) else { return false };
        let before = places.partition_point(|(start, _)| *start < span.end);
        before.checked_sub(1).is_some_and(|last| span.start < places[last].1)
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::Span;

    use super::*;

    fn at(source: u32, start: usize, end: usize) -> Diagnostic {
        Diagnostic::error("test", "Test").at(Span::new(SourceId(source), start, end))
    }

    #[test]
    fn a_wide_place_counts_behind_narrow_ones() {
        let places = Places::of(&Diagnostics::from(vec![at(0, 5, 6), at(0, 0, 100), at(1, 0, 5)]));
        let overlaps = |source, start, end| places.overlap(&at(source, start, end));
        assert!(overlaps(0, 50, 51) && overlaps(0, 0, 1) && overlaps(1, 4, 9));
        assert!(!overlaps(0, 100, 101) && !overlaps(1, 5, 6) && !overlaps(2, 0, 1));
        assert!(!places.overlap(&Diagnostic::error("test", "Test")));
    }
}
