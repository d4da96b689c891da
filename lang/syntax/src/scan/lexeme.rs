//! Tokens outside of text: names, numbers, punctuation, comments, brackets.

use plumb_model::Diagnostic;
use unicode_ident::{is_xid_continue, is_xid_start};

use super::Scanner;
use crate::token::{GroupKind, kind};
use crate::tree::{Dialect, MAX_DEPTH};

impl Scanner<'_> {
    /// Reads one token, comment or stretch of blanks.
    pub(super) fn lexeme(&mut self) {
        let at = self.at;
        match self.bytes[at] {
            b' ' | b'\t' => {
                self.at += 1;
                while matches!(self.byte(0), b' ' | b'\t') {
                    self.at += 1;
                }
            }
            b'\n' => self.newline(at + 1),
            b'\r' if self.byte(1) == b'\n' => self.newline(at + 2),
            b'#' => self.line_comment(),
            b'/' if self.byte(1) == b'/' => self.line_comment(),
            b'/' if self.byte(1) == b'*' => self.block_comment(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
            b'0'..=b'9' => self.number(),
            b'"' => {
                self.begin_item();
                self.quoted();
            }
            b'(' => self.bracket(GroupKind::Paren),
            b'[' => self.bracket(GroupKind::Bracket),
            b'{' => {
                let body = self.top().kind == GroupKind::Body && !self.top().assigned;
                self.bracket(if body { GroupKind::Body } else { GroupKind::Brace });
            }
            b')' | b']' | b'}' => self.closer(at, false),
            b'~' if self.byte(1) == b'}' && self.in_sequence() => self.closer(at, true),
            byte => self.punctuation(byte),
        }
    }

    fn line_comment(&mut self) {
        let start = self.at;
        while self.at < self.bytes.len() && self.bytes[self.at] != b'\n' {
            self.at += 1;
        }
        let end = if self.bytes[self.at - 1] == b'\r' { self.at - 1 } else { self.at };
        self.at = end;
        self.out.comments.push((start as u32, end as u32));
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let Some(length) = self.text[start + 2..].find("*/") else {
            let diagnostic = Diagnostic::error("unterminated-comment", "Unterminated comment")
                .detail("This comment has no `*/` that ends it.")
                .label(self.origin.span(start as u32, start as u32 + 2), "the comment begins here")
                .help("End it with `*/`, or use `#` for a comment of one line.");
            self.report(diagnostic);
            self.out.comments.push((start as u32, self.bytes.len() as u32));
            self.at = self.bytes.len();
            return;
        };
        self.at = start + 2 + length + 2;
        let lines = self.bytes[start..self.at].iter().filter(|byte| **byte == b'\n').count();
        self.line += lines as u32;
        self.out.comments.push((start as u32, self.at as u32));
    }

    fn word(&mut self) {
        let start = self.at;
        let mut end = start + 1;
        loop {
            match self.bytes.get(end) {
                Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-') => end += 1,
                Some(byte) if !byte.is_ascii() => match self.text[end..].chars().next() {
                    Some(c) if is_xid_continue(c) => end += c.len_utf8(),
                    _ => break,
                },
                _ => break,
            }
        }
        let word_kind = match &self.bytes[start..end] {
            b"for" => kind::FOR,
            b"in" => kind::IN,
            b"if" => kind::IF,
            b"true" | b"false" | b"null" => kind::LITERAL,
            b"where" if self.dialect == Dialect::Native => kind::WHERE,
            _ => kind::NAME,
        };
        if word_kind == kind::FOR && self.top().kind == GroupKind::Brace && self.last_kind().is_none() {
            self.top_mut().for_object = true;
        }
        self.push(word_kind, start, end);
    }

    fn number(&mut self) {
        let start = self.at;
        let mut end = start + 1;
        let digit = |at: usize| self.bytes.get(at).is_some_and(u8::is_ascii_digit);
        loop {
            match self.bytes.get(end) {
                Some(b'0'..=b'9') => end += 1,
                Some(b'.') if digit(end + 1) => end += 2,
                Some(b'e' | b'E') if digit(end + 1) => end += 2,
                Some(b'e' | b'E')
                    if matches!(self.bytes.get(end + 1), Some(b'+' | b'-')) && digit(end + 2) =>
                {
                    end += 3;
                }
                _ => break,
            }
        }
        self.push(kind::NUMBER, start, end);
    }

    fn bracket(&mut self, group: GroupKind) {
        self.begin_item();
        self.open(group, self.at, self.at + 1);
    }

    /// Whether the innermost group is a sequence of a template.
    fn in_sequence(&self) -> bool {
        matches!(self.top().kind, GroupKind::Interpolation | GroupKind::Directive)
    }

    fn closer(&mut self, start: usize, trim: bool) {
        let end = start + 1 + usize::from(trim);
        match self.frame_to_close(self.bytes[end - 1]) {
            Some(depth) => {
                self.close_unclosed_within(depth, start);
                self.close(start, end, trim);
            }
            None => {
                let diagnostic = self.stray_closer(start);
                self.report(diagnostic);
                self.push(kind::ERROR, start, end);
            }
        }
    }

    fn punctuation(&mut self, byte: u8) {
        let start = self.at;
        let (token, length) = match (byte, self.byte(1), self.byte(2)) {
            (b'.', b'.', b'.') => (kind::ELLIPSIS, 3),
            (b'=', b'=', _) => (kind::EQUAL, 2),
            (b'=', b'>', _) => (kind::ARROW, 2),
            (b'!', b'=', _) => (kind::NOT_EQUAL, 2),
            (b'<', b'=', _) => (kind::LESS_OR_EQUAL, 2),
            (b'>', b'=', _) => (kind::GREATER_OR_EQUAL, 2),
            (b'&', b'&', _) => (kind::AND, 2),
            (b'|', b'|', _) => (kind::OR, 2),
            (b':', b':', _) => (kind::NAMESPACE, 2),
            (b'<', b'<', _) if self.heredoc() => return,
            (b'?', b'?', _) => (kind::COALESCE, 2),
            (b'?', b'.', _) => (kind::SAFE_DOT, 2),
            (b'?', b'[', _) if self.dialect == Dialect::Native && self.adjoins_operand() => {
                (kind::SAFE_INDEX, 1)
            }
            (
                b'.' | b',' | b'=' | b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%' | b'?' | b':',
                ..,
            ) => (byte, 1),
            _ => return self.unexpected_character(),
        };
        if matches!(token, kind::COALESCE | kind::SAFE_DOT) && self.dialect == Dialect::Terraform {
            let diagnostic = self.native_only(start, start + length);
            self.report(diagnostic);
        }
        self.begin_item();
        if self.dialect == Dialect::Native && continues_line(token) {
            self.continue_line();
        }
        match token {
            b'=' => self.top_mut().assigned = true,
            b',' => self.top_mut().questions = 0,
            b'?' => {
                self.top_mut().questions += 1;
                if self.top().questions + self.frames.len() > MAX_DEPTH {
                    return self.too_deep();
                }
            }
            _ => {}
        }
        self.push(token, start, start + length);
    }

    /// Takes the line break back before an operator that goes on with the line before.
    fn continue_line(&mut self) {
        if self.last_kind() != Some(kind::NEWLINE) {
            return;
        }
        match self.top().kind {
            GroupKind::Body if self.top().assigned_before => self.top_mut().assigned = true,
            GroupKind::Brace => {}
            _ => return,
        }
        self.pending.pop();
    }

    /// Whether the token before ends directly here, so that `?[` is an index.
    fn adjoins_operand(&self) -> bool {
        self.last_kind().is_some() && self.pending[self.pending.len() - 1].0.end as usize == self.at
    }

    /// Something that no token begins with.
    fn unexpected_character(&mut self) {
        let start = self.at;
        let c = self.text[start..].chars().next().expect("there is a byte, and it begins a character");
        if is_xid_start(c) {
            return self.word_beyond_ascii(c);
        }
        let end = match c {
            '\'' | '`' | '“' | '”' | '‘' | '’' => self.end_of_foreign_quote(c),
            _ => self.end_of_unexpected(),
        };
        let diagnostic = self.invalid_character(c, start, end);
        self.report(diagnostic);
        self.begin_item();
        self.push(kind::ERROR, start, end);
    }

    fn word_beyond_ascii(&mut self, first: char) {
        let start = self.at;
        let rest = &self.text[start + first.len_utf8()..];
        let length = rest.find(|c: char| !(is_xid_continue(c) || c == '-')).unwrap_or(rest.len());
        self.push(kind::NAME, start, start + first.len_utf8() + length);
    }

    /// The end of a string in quotes that are not ours: behind its closing quote in the same line, if there is one.
    fn end_of_foreign_quote(&self, open: char) -> usize {
        let start = self.at + open.len_utf8();
        let line = self.text[start..].split('\n').next().unwrap_or("");
        let closes = |c: char| match open {
            '“' | '”' => c == '”' || c == '“',
            '‘' | '’' => c == '’' || c == '‘',
            _ => c == open,
        };
        line.char_indices().find(|(_, c)| closes(*c)).map_or(start, |(i, c)| start + i + c.len_utf8())
    }

    /// The end of a stretch of characters that no token begins with.
    fn end_of_unexpected(&self) -> usize {
        let rest = &self.text[self.at..];
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let more =
            rest[first..].find(|c: char| c.is_ascii() || is_xid_start(c)).unwrap_or(rest.len() - first);
        self.at + first + more
    }
}

/// Whether a token at the start of a line goes on with the line before, in the native dialect.
fn continues_line(token: u8) -> bool {
    kind::is_infix(token) || matches!(token, b'?' | b':' | b'.' | kind::SAFE_DOT)
}
