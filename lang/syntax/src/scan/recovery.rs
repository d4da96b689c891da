//! Brackets that do not match.
//!
//! A closer closes the nearest bracket of its kind; what is open within is reported and closed with it. When brackets
//! are still open at the end of the text, the item they began in is read again, now with indentation as evidence: a line
//! that looks like an item and is indented no deeper than the line of an open bracket shows that the bracket should have
//! been closed before, provided that the first line within the bracket was indented deeper.

use super::{Checkpoint, Scanner};
use crate::token::{GroupKind, NO_GROUP, Token, kind};

impl Scanner<'_> {
    /// Called before a token or bracket: remembers the place if an item of the outermost body begins here.
    pub(super) fn begin_item(&mut self) {
        self.remember_item(self.at);
    }

    pub(super) fn remember_item(&mut self, start: usize) {
        if self.frames.len() != 1
            || self.top().kind != GroupKind::Body
            || !matches!(self.last_kind(), None | Some(kind::NEWLINE))
        {
            return;
        }
        self.item = Some(Checkpoint {
            at: start,
            line: self.line,
            line_indent: self.line_indent,
            pending: self.pending.len(),
            tokens: self.out.tokens.len(),
            groups: self.out.groups.len(),
            comments: self.out.comments.len(),
            diagnostics: self.diagnostics.len(),
        });
    }

    /// At the end of the text: if brackets are open, goes back to the item they began in. At most once.
    pub(super) fn reread_unclosed(&mut self) -> bool {
        let heredoc = self.frames.iter().any(|frame| {
            matches!(frame.kind, GroupKind::Heredoc { .. } | GroupKind::RawHeredoc { .. })
                && frame.base == self.pending.len()
        });
        if self.recovering || self.frames.len() < 2 || heredoc {
            return false;
        }
        let Some(item) = self.item.take() else { return false };
        self.recovering = true;
        self.at = item.at;
        self.line = item.line;
        self.line_indent = item.line_indent;
        self.pending.truncate(item.pending);
        self.out.tokens.truncate(item.tokens);
        self.out.kinds.truncate(item.tokens);
        self.out.groups.truncate(item.groups);
        self.out.comments.truncate(item.comments);
        let kept = std::mem::take(&mut self.diagnostics).into_iter().take(item.diagnostics);
        self.diagnostics = kept.collect();
        self.frames.truncate(1);
        let root = self.top_mut();
        root.assigned = false;
        root.questions = 0;
        true
    }

    /// The depth of the open group that a closing bracket is for. Brackets around a string do not count within it.
    pub(super) fn frame_to_close(&self, closer: u8) -> Option<usize> {
        let matches = |kind: GroupKind| match closer {
            b')' => kind == GroupKind::Paren,
            b']' => kind == GroupKind::Bracket,
            _ => matches!(
                kind,
                GroupKind::Body | GroupKind::Brace | GroupKind::Interpolation | GroupKind::Directive
            ),
        };
        let visible = (1..self.frames.len()).rev().take_while(|depth| !self.frames[*depth].kind.is_text());
        let mut candidates = visible.filter(|depth| matches(self.frames[*depth].kind));
        let nearest = candidates.next()?;
        if self.recovering && self.first_of_line() && self.frames[nearest].indent > self.line_indent {
            let by_indent = candidates.find(|depth| self.frames[*depth].indent == self.line_indent);
            return Some(by_indent.unwrap_or(nearest));
        }
        Some(nearest)
    }

    /// Whether only blanks stand before the next byte in its line.
    fn first_of_line(&self) -> bool {
        let indent = self.line_indent as usize;
        self.at == indent || self.at > indent && self.bytes[self.at - indent - 1] == b'\n'
    }

    /// Closes the groups within the group of that depth, with one diagnostic if there are any.
    pub(super) fn close_unclosed_within(&mut self, depth: usize, at: usize) {
        if self.frames.len() > depth + 1 {
            let diagnostic = self.unclosed(depth + 1, Some(at));
            self.report(diagnostic);
        }
        let mut line = self.line;
        while self.frames.len() > depth + 1 {
            line = self.top().line;
            self.close_broken(at);
        }
        self.at = at;
        // The line breaks since then were taken to be within the brackets.
        let counts = matches!(self.top().kind, GroupKind::Body | GroupKind::Brace);
        if counts && line < self.line && self.last_kind() != Some(kind::NEWLINE) {
            let token = Token { start: at as u32, end: at as u32, group: NO_GROUP };
            self.pending.push((token, kind::NEWLINE));
            let top = self.top_mut();
            top.assigned_before = std::mem::take(&mut top.assigned);
        }
    }

    /// At the start of a line within brackets: remembers its indentation, and closes what it shows to be unclosed.
    pub(super) fn note_indentation(&mut self) {
        let first = self.at + self.line_indent as usize;
        if matches!(self.bytes.get(first), None | Some(b'\n' | b'\r' | b'#' | b'/')) {
            return;
        }
        if self.recovering {
            self.close_by_indentation(first);
        }
        let indent = self.line_indent;
        self.top_mut().content_indent.get_or_insert(indent);
    }

    fn close_by_indentation(&mut self, first: usize) {
        let at = self.at;
        if let Some(depth) = self.heredoc_that_ends_at(at) {
            return self.close_unclosed_within(depth, at);
        }
        if !self.looks_like_item(first) {
            return;
        }
        let mut depth = self.frames.len();
        while depth > 1 {
            let frame = &self.frames[depth - 1];
            let trusted = frame.content_indent.is_some_and(|content| content > frame.indent);
            if frame.kind.is_text() || !trusted || self.line_indent > frame.indent {
                break;
            }
            depth -= 1;
        }
        if depth < self.frames.len() {
            self.close_unclosed_within(depth - 1, at);
        }
    }

    /// The depth of the heredoc whose end the line at an offset is, if a sequence in it is open.
    fn heredoc_that_ends_at(&self, at: usize) -> Option<usize> {
        let depth = self.frames.iter().rposition(|frame| frame.kind.is_text())?;
        let (start, end) = self.frames[depth].terminator;
        let word = &self.text[start as usize..end as usize];
        (!word.is_empty() && self.is_terminator(at, word).is_some()).then_some(depth)
    }

    /// Whether a line begins like an attribute or a block: a name, then `=`, `{`, or a label.
    fn looks_like_item(&self, first: usize) -> bool {
        let rest = &self.text[first..];
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        let behind = rest[word..].trim_start_matches([' ', '\t']);
        word > 0
            && match behind.as_bytes() {
                [b'=', b'=' | b'>', ..] => false,
                [b'=' | b'{' | b'"', ..] => true,
                _ => false,
            }
    }
}
