//! Where the text that is parsed comes from.
//!
//! Mostly it is a whole source, and offsets are what they are. A template in a JSON string is a text of its own, with
//! the escapes of JSON decoded; its offsets are then mapped to those of the source.

use plumb_model::{SourceId, Span};

/// Maps offsets in a text to places in a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    source: SourceId,
    /// Offsets in the text and in the source from which on both advance alike; in order, the first for offset 0.
    anchors: Vec<(u32, u32)>,
}

impl Origin {
    /// The text is the source.
    pub fn whole(source: SourceId) -> Origin {
        Origin { source, anchors: Vec::new() }
    }

    /// The text stands in the source as it is, from that offset on.
    pub fn at(source: SourceId, offset: u32) -> Origin {
        Origin { source, anchors: vec![(0, offset)] }
    }

    /// The text stands in the source with differences: from each anchor (offset in the text, offset in the source) on
    /// both advance alike up to the next anchor. The anchors are in order.
    pub fn anchored(source: SourceId, anchors: Vec<(u32, u32)>) -> Origin {
        Origin { source, anchors }
    }

    /// The source.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// The place of a range of the text.
    pub fn span(&self, start: u32, end: u32) -> Span {
        Span { source: self.source, start: self.offset(start), end: self.offset(end) }
    }

    fn offset(&self, at: u32) -> u32 {
        if self.anchors.is_empty() {
            return at;
        }
        let next = self.anchors.partition_point(|(text, _)| *text <= at);
        match next.checked_sub(1).map(|i| self.anchors[i]) {
            None => at,
            Some((text, source)) => {
                let mapped = source + (at - text);
                // Behind a decoded escape the text may not run past where the next piece begins.
                self.anchors.get(next).map_or(mapped, |(_, limit)| mapped.min(*limit))
            }
        }
    }
}
