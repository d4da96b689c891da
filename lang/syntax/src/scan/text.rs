//! Text: quoted strings, heredocs, and templates in files.

use unicode_ident::is_xid_start;

use super::Scanner;
use crate::token::{GroupKind, kind};
use crate::tree::Dialect;

/// How many lines are searched for the closing quote of a string that does not end in its line.
const MULTI_LINE_SEARCH: usize = 100;

/// What ends a stretch of text.
enum Stop {
    /// `"`, in quoted text.
    Quote,
    /// `${` or `%{`
    Sequence,
    /// A line break.
    Line,
    /// The end of the text.
    End,
}

impl Scanner<'_> {
    /// A string, at its opening quote: a token, or a group if it has sequences.
    pub(super) fn quoted(&mut self) {
        let start = self.at;
        match self.stop(start + 1, true) {
            (end, Stop::Quote) => self.push(kind::STRING, start, end + 1),
            (_, Stop::Sequence) => self.open(GroupKind::Quoted, start, start + 1),
            (end, Stop::Line | Stop::End) => self.unterminated(start, end),
        }
    }

    /// Goes on within a quoted string that has sequences.
    pub(super) fn quoted_text(&mut self) {
        let (end, stop) = self.stop(self.at, true);
        match stop {
            Stop::Quote => {
                self.finish_literal(end);
                self.close(end, end + 1, false);
            }
            Stop::Sequence => self.sequence(end),
            Stop::Line | Stop::End => {
                let start = self.top().open.0 as usize;
                self.unterminated(start, end);
            }
        }
    }

    /// Goes on within a heredoc or a template of its own: one line, up to its end or to a sequence.
    pub(super) fn line_text(&mut self) {
        let at = self.at;
        let heredoc = self.top().kind != GroupKind::Template;
        if heredoc
            && self.bytes[at - 1] == b'\n'
            && let Some(end) = self.terminator_at(at)
        {
            self.finish_literal(at);
            self.close(at, end, false);
            return;
        }
        match self.stop(at, false) {
            (end, Stop::Sequence) => self.sequence(end),
            (end, Stop::Line) => {
                self.at = end + 1;
                self.line += 1;
            }
            (end, _) => self.at = end,
        }
    }

    /// Where the text from an offset ends, and why. Escapes are passed over.
    fn stop(&self, from: usize, quoted: bool) -> (usize, Stop) {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'"' if quoted => return (at, Stop::Quote),
                b'\n' => {
                    let carriage = quoted && at > from && self.bytes[at - 1] == b'\r';
                    return (at - usize::from(carriage), Stop::Line);
                }
                b'\\' if quoted && !matches!(self.bytes.get(at + 1), Some(b'\n' | b'\r') | None) => at += 2,
                b'$' | b'%' => match (self.bytes.get(at + 1), self.bytes.get(at + 2)) {
                    (Some(b'{'), _) => return (at, Stop::Sequence),
                    (Some(next), Some(b'{')) if next == byte => at += 3,
                    _ => at += 1,
                },
                _ => at += 1,
            }
        }
        (self.bytes.len(), Stop::End)
    }

    /// Makes a token of the literal that has been read so far.
    pub(super) fn finish_literal(&mut self, end: usize) {
        let top = self.top();
        if top.kind.is_text() && top.literal < end {
            let start = top.literal;
            self.push(kind::TEXT, start, end);
            self.top_mut().literal = end;
        }
    }

    /// Opens an interpolation or a directive.
    fn sequence(&mut self, start: usize) {
        self.finish_literal(start);
        let trim = self.bytes.get(start + 2) == Some(&b'~');
        let group = if self.bytes[start] == b'$' { GroupKind::Interpolation } else { GroupKind::Directive };
        self.open(group, start, start + 2 + usize::from(trim));
        self.top_mut().trim_before = trim;
    }

    /// A heredoc, at `<<`. Returns false, having read nothing, if it is none.
    pub(super) fn heredoc(&mut self) -> bool {
        let start = self.at;
        let flush = self.byte(2) == b'-';
        let mut at = start + 2 + usize::from(flush);
        let quote = match self.bytes.get(at) {
            Some(quote @ (b'\'' | b'"')) => Some(*quote),
            _ => None,
        };
        at += usize::from(quote.is_some());
        let Some(word) = self.word_at(at) else { return false };
        let terminator = (at as u32, (at + word) as u32);
        at += word;
        if let Some(quote) = quote {
            if self.bytes.get(at) != Some(&quote) {
                return false;
            }
            at += 1;
        }
        let line = self.text[at..].split('\n').next().unwrap_or("");
        let rest = line.trim_matches([' ', '\t', '\r']);
        if at + line.len() == self.bytes.len() || !(rest.is_empty() || rest.starts_with(['#', '/'])) {
            return false;
        }
        let clean = line.is_empty() || line == "\r";
        let raw = quote == Some(b'\'');
        if !clean || quote == Some(b'"') || raw && self.dialect == Dialect::Terraform {
            let diagnostic = self.invalid_heredoc(start, at, at + line.len(), quote, terminator);
            self.report(diagnostic);
        }
        self.begin_item();
        let group = if raw { GroupKind::RawHeredoc { flush } } else { GroupKind::Heredoc { flush } };
        self.open(group, start, at + line.len() + 1);
        self.line += 1;
        self.top_mut().terminator = terminator;
        if raw {
            self.raw_heredoc();
        }
        true
    }

    /// The lines of a heredoc without sequences, at once.
    fn raw_heredoc(&mut self) {
        while self.at < self.bytes.len() {
            let at = self.at;
            if let Some(end) = self.terminator_at(at) {
                self.finish_literal(at);
                self.close(at, end, false);
                return;
            }
            self.at = self.text[at..].find('\n').map_or(self.bytes.len(), |length| at + length + 1);
            self.line += 1;
        }
    }

    /// The length of the name at an offset, if there is one.
    fn word_at(&self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        let first = rest.chars().next().filter(|c| *c == '_' || is_xid_start(*c))?;
        let more = &rest[first.len_utf8()..];
        let continues = |c: char| c == '-' || unicode_ident::is_xid_continue(c);
        Some(first.len_utf8() + more.find(|c| !continues(c)).unwrap_or(more.len()))
    }

    /// If the line at an offset ends the innermost heredoc, the end of its word.
    pub(super) fn terminator_at(&self, at: usize) -> Option<usize> {
        let (start, end) = self.top().terminator;
        self.is_terminator(at, &self.text[start as usize..end as usize])
    }

    /// If the line at an offset is that word alone, the end of the word.
    pub(super) fn is_terminator(&self, at: usize, word: &str) -> Option<usize> {
        let rest = &self.text[at..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let behind = rest[blanks..].strip_prefix(word)?;
        let line = behind.split('\n').next().unwrap_or("");
        line.trim().is_empty().then_some(at + blanks + word.len())
    }

    /// A quoted string that its line does not end. Everything from the outermost string that began in this line
    /// becomes one error.
    fn unterminated(&mut self, start: usize, end: usize) {
        let line = self.line;
        let began_here = |frame: &super::Frame| frame.kind == GroupKind::Quoted && frame.line == line;
        let innermost = self.frames.len() - 1;
        let outermost = self
            .frames
            .iter()
            .position(began_here)
            .or_else(|| (self.top().kind == GroupKind::Quoted).then_some(innermost));
        let alone = outermost.is_none_or(|depth| depth + 1 == self.frames.len());
        let multi_line = alone.then(|| self.end_of_multi_line(end)).flatten();
        let diagnostic = match multi_line {
            Some(end) => self.multi_line_string(start, end),
            None => self.unterminated_string(outermost, start, end),
        };
        self.report(diagnostic);
        let start = outermost.map_or(start, |depth| self.frames[depth].open.0 as usize);
        if let Some(depth) = outermost {
            self.pending.truncate(self.frames[depth].base);
            self.frames.truncate(depth);
        }
        while self.out.comments.last().is_some_and(|(comment, _)| *comment as usize > start) {
            self.out.comments.pop();
        }
        let stop = multi_line.unwrap_or(end);
        self.line += self.bytes[end..stop].iter().filter(|byte| **byte == b'\n').count() as u32;
        self.push(kind::ERROR, start, stop);
    }

    /// Where a string that goes on in the next lines ends, if it seems to: in the first line that has a quote, if it
    /// has an odd number of them.
    fn end_of_multi_line(&self, line_end: usize) -> Option<usize> {
        let mut at = line_end;
        for _ in 0..MULTI_LINE_SEARCH {
            at += self.text[at..].find('\n')? + 1;
            let line = self.text[at..].split('\n').next().unwrap_or("");
            if let Some(quote) = line.find('"') {
                let odd = line.matches('"').count() % 2 == 1;
                return odd.then_some(at + quote + 1);
            }
        }
        None
    }
}
