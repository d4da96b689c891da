//! A text that is parsed again after it was changed somewhere.
//!
//! The whole text is scanned anew, which is cheap and needs no assumption about what an edit does: a bracket that is
//! opened in one block may swallow those behind it. What is kept are the trees of blocks at the top of the file. The tree of
//! a block is made from nothing but its text, its tokens and its groups, so where all three are what they were, the tree
//! is what it was too, but for its place. Blocks in which something was wrong are not kept, so no diagnostic is ever
//! moved.
//!
//! Spans are offsets in the whole text, and the trees behind an edit are moved by its difference. Offsets relative to the
//! block would need no moving, but everybody who shows, sorts or compares places would have to know of blocks; moving
//! costs a small part of what parsing costs.
//!
//! Always true: [`Reading::again`] gives what [`parse`](crate::parse()) gives for the new text.

mod shift;

use std::sync::Arc;

use plumb_model::SourceId;

use crate::parse::{Parsed, parse_whole};
use crate::token::{Group, NO_GROUP, Scan, Token};
use crate::tree::{Block, Dialect, File};

/// A text, its tree, and what is needed to parse it again.
#[derive(Debug)]
pub struct Reading {
    text: Arc<str>,
    scan: Scan,
    /// Blocks at the top in which nothing was wrong, in order.
    blocks: Vec<Kept>,
    parsed: Parsed<File>,
}

/// A block at the top of a text.
#[derive(Debug)]
pub(crate) struct Kept {
    block: Arc<Block>,
    extent: Extent,
}

/// What a block is made from, as ranges of a scan.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// The tokens of the header and the token that is the body, in the run of the file.
    header: (u32, u32),
    /// The groups within the block.
    groups: (u32, u32),
    /// The tokens within the groups.
    tokens: (u32, u32),
}

impl Reading {
    /// Parses a text for the first time.
    pub fn new(source: SourceId, text: Arc<str>, dialect: Dialect) -> Reading {
        Reading::read(source, text, dialect, None)
    }

    /// Parses the text as it is now. Cheapest where nobody else holds the trees any more: they are then moved where they
    /// are.
    pub fn again(self, source: SourceId, text: Arc<str>) -> Reading {
        let dialect = self.parsed.tree.dialect;
        if self.parsed.tree.source == source && self.text == text {
            return self;
        }
        Reading::read(source, text, dialect, Some(self))
    }

    /// The tree and what was wrong with the text.
    pub fn parsed(&self) -> &Parsed<File> {
        &self.parsed
    }

    fn read(source: SourceId, text: Arc<str>, dialect: Dialect, before: Option<Reading>) -> Reading {
        let mut memory = Memory { before: before.map(|before| Before::new(before, &text)), kept: Vec::new() };
        let (parsed, scan) = parse_whole(source, &text, dialect, Some(&mut memory));
        Reading { text, scan, blocks: memory.kept, parsed }
    }
}

/// The text as it was, and where it is the same as now.
struct Before {
    text_len: usize,
    scan: Scan,
    blocks: Vec<Option<Kept>>,
    /// How many bytes are the same at the start.
    same_start: usize,
    /// From where on the bytes are the same up to the end, in the old text.
    same_end: usize,
}

impl Before {
    fn new(reading: Reading, now: &str) -> Before {
        let Reading { text, scan, blocks, parsed } = reading;
        // Its items share the blocks, which are to be moved where they are.
        drop(parsed);
        let (old, new) = (text.as_bytes(), now.as_bytes());
        let same_start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let left = old.len().min(new.len()) - same_start;
        let behind = old.iter().rev().zip(new.iter().rev()).take(left).take_while(|(a, b)| a == b).count();
        Before {
            text_len: old.len(),
            scan,
            blocks: blocks.into_iter().map(Some).collect(),
            same_start,
            same_end: old.len() - behind,
        }
    }
}

/// What the walk over a scan asks for blocks, and where it leaves them.
pub(crate) struct Memory {
    before: Option<Before>,
    kept: Vec<Kept>,
}

impl Memory {
    /// The tree of a block that stood in the text before. `header` is its range in the tokens of the scan.
    pub(crate) fn find(
        &mut self,
        source: SourceId,
        text: &str,
        scan: &Scan,
        header: (u32, u32),
    ) -> Option<Arc<Block>> {
        let extent = Extent::of(scan, header)?;
        let (start, end) = extent.text(scan);
        let before = self.before.as_mut()?;
        // Where it would have stood.
        let moved = text.len() as i64 - before.text_len as i64;
        let offset = if end as usize <= before.same_start {
            0
        } else if i64::from(start) - moved >= before.same_end as i64 {
            moved
        } else {
            return None;
        };
        let old_start = (i64::from(start) - offset) as u32;
        let starts =
            |kept: &Option<Kept>| kept.as_ref().is_some_and(|kept| kept.start(&before.scan) == old_start);
        let index = before.candidates(old_start).find(|index| starts(&before.blocks[*index]))?;
        let same = before.blocks[index]
            .as_ref()
            .is_some_and(|kept| kept.extent.is_same(&before.scan, extent, scan, offset));
        if !same {
            return None;
        }
        let mut block = before.blocks[index].take()?.block;
        if offset != 0 || block.span.source != source {
            shift::block(&mut block, shift::Shift { source, offset });
        }
        self.kept.push(Kept { block: block.clone(), extent });
        Some(block)
    }

    /// Keeps a block in which nothing was wrong.
    pub(crate) fn keep(&mut self, scan: &Scan, header: (u32, u32), block: &Arc<Block>) {
        if let Some(extent) = Extent::of(scan, header) {
            self.kept.push(Kept { block: block.clone(), extent });
        }
    }
}

impl Before {
    /// Blocks that may begin at an offset: those that are left are in order, with gaps where some were taken.
    fn candidates(&self, start: u32) -> std::ops::Range<usize> {
        let (mut low, mut high) = (0, self.blocks.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.blocks[middle].as_ref().map(|kept| kept.start(&self.scan)) {
                Some(at) if at > start => high = middle,
                Some(at) if at == start => return middle..middle + 1,
                // What was taken stood before everything that is still asked for.
                _ => low = middle + 1,
            }
        }
        low..low
    }
}

impl Kept {
    fn start(&self, scan: &Scan) -> u32 {
        self.extent.text(scan).0
    }
}

impl Extent {
    /// None if the last token of the header is no group.
    fn of(scan: &Scan, header: (u32, u32)) -> Option<Extent> {
        let run = &scan.tokens[header.0 as usize..header.1 as usize];
        let last = run.last()?.group;
        if last == NO_GROUP {
            return None;
        }
        // Groups are numbered when they close, so the first of all is the innermost one at the very left.
        let first_in =
            |tokens: &[Token]| tokens.iter().map(|token| token.group).find(|group| *group != NO_GROUP);
        let mut first = first_in(run)?;
        while let Some(inner) = first_in(scan.run(&scan.groups[first as usize]).0) {
            first = inner;
        }
        let tokens = (scan.groups[first as usize].first, scan.groups[last as usize].last);
        Some(Extent { header, groups: (first, last + 1), tokens })
    }

    /// The offsets of its first byte and behind its last.
    fn text(self, scan: &Scan) -> (u32, u32) {
        (scan.tokens[self.header.0 as usize].start, scan.tokens[self.header.1 as usize - 1].end)
    }

    /// Whether tokens and groups are the same as those of another scan, but for the offset of the text.
    fn is_same(self, scan: &Scan, other: Extent, other_scan: &Scan, offset: i64) -> bool {
        let moved = |old: u32, new: u32, by: i64| i64::from(old) + by == i64::from(new);
        let by_groups = i64::from(other.groups.0) - i64::from(self.groups.0);
        let by_tokens = i64::from(other.tokens.0) - i64::from(self.tokens.0);
        let token = |(old, new): (&Token, &Token)| {
            moved(old.start, new.start, offset)
                && moved(old.end, new.end, offset)
                && match (old.group, new.group) {
                    (NO_GROUP, NO_GROUP) => true,
                    (NO_GROUP, _) | (_, NO_GROUP) => false,
                    (old, new) => moved(old, new, by_groups),
                }
        };
        let group = |(old, new): (&Group, &Group)| {
            old.kind == new.kind
                && moved(old.first, new.first, by_tokens)
                && moved(old.last, new.last, by_tokens)
                && moved(old.inner_start, new.inner_start, offset)
                && moved(old.inner_end, new.inner_end, offset)
                && (old.broken, old.trim_before, old.trim_after)
                    == (new.broken, new.trim_before, new.trim_after)
        };
        let range = |(first, last): (u32, u32)| first as usize..last as usize;
        let same_tokens = |old: (u32, u32), new: (u32, u32)| {
            old.1 - old.0 == new.1 - new.0
                && scan.kinds[range(old)] == other_scan.kinds[range(new)]
                && scan.tokens[range(old)].iter().zip(&other_scan.tokens[range(new)]).all(token)
        };
        self.groups.1 - self.groups.0 == other.groups.1 - other.groups.0
            && same_tokens(self.header, other.header)
            && same_tokens(self.tokens, other.tokens)
            && scan.groups[range(self.groups)].iter().zip(&other_scan.groups[range(other.groups)]).all(group)
    }
}
