//! The scanner: text to tokens and groups, in one pass.
//!
//! It keeps a stack of open groups; the innermost says how the next bytes are read. Tokens wait in `pending` until
//! their group closes, then move to [`Scan`] as one run. The stack also decides where line breaks count: in bodies and
//! in object constructors, not in parentheses, brackets, `for` and template sequences.
//!
//! **Recovery.** A bracket that is not closed usually swallows the rest of the file. When the text ends within a group,
//! the scanner goes back to the start of the item in the outermost body and reads from there with indentation as
//! further evidence ([`recovery`]). That happens once, so the work stays linear. Strings end at their line in any case.
//!
//! Invariants: every byte is looked at a bounded number of times; groups are nested at most [`MAX_DEPTH`] deep.
//! Elsewhere: text in quotes and heredocs is [`text`]; what it says about trouble is [`complaints`].

mod complaints;
mod lexeme;
mod recovery;
mod text;

use plumb_model::{Diagnostic, Diagnostics};

use crate::origin::Origin;
use crate::token::{Group, GroupKind, NO_GROUP, Scan, Token, kind};
use crate::tree::{Dialect, MAX_DEPTH};

/// Reads a text whose outermost group is of that kind: [`GroupKind::Body`], [`GroupKind::Expression`] or
/// [`GroupKind::Template`].
pub fn scan(text: &str, dialect: Dialect, root: GroupKind, origin: &Origin) -> (Scan, Diagnostics) {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        dialect,
        origin,
        at: 0,
        line_indent: 0,
        out: Scan::default(),
        pending: Vec::new(),
        frames: Vec::with_capacity(16),
        diagnostics: Diagnostics::new(),
        recovering: false,
        item: None,
        line: 0,
        gave_up: false,
    };
    scanner.read(root);
    (scanner.out, scanner.diagnostics)
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    dialect: Dialect,
    origin: &'a Origin,
    /// The next byte.
    at: usize,
    /// Counted from 0, to tell lines apart.
    line: u32,
    /// How many blanks the current line begins with.
    line_indent: u32,
    out: Scan,
    /// Tokens of groups that are still open.
    pending: Vec<(Token, u8)>,
    frames: Vec<Frame>,
    diagnostics: Diagnostics,
    /// Whether indentation counts as evidence for unclosed brackets.
    recovering: bool,
    /// Where the current item of the outermost body began.
    item: Option<Checkpoint>,
    /// Whether the rest of the text is not read, since it is nested too deeply.
    gave_up: bool,
}

/// An open group.
struct Frame {
    kind: GroupKind,
    /// The opener.
    open: (u32, u32),
    /// Its first token in `pending`.
    base: usize,
    /// The line of the opener.
    line: u32,
    /// The indentation of that line.
    indent: u32,
    /// The indentation of the first line of content.
    content_indent: Option<u32>,
    /// In a body: whether the current item has had its `=`, so that a brace is an object.
    assigned: bool,
    /// `assigned` of the item before, for lines that go on with it.
    assigned_before: bool,
    /// Whether it is a brace that begins with `for`, so that line breaks do not count.
    for_object: bool,
    /// How many `?` stand between the last separator and here.
    questions: usize,
    /// In text: how many directives are open.
    directives: usize,
    /// In text: where the literal that is being read began.
    literal: usize,
    /// In a heredoc: the word that ends it.
    terminator: (u32, u32),
    broken: bool,
    trim_before: bool,
}

/// All that must be undone to read an item again.
struct Checkpoint {
    at: usize,
    line: u32,
    line_indent: u32,
    pending: usize,
    tokens: usize,
    groups: usize,
    comments: usize,
    diagnostics: usize,
}

impl Scanner<'_> {
    fn read(&mut self, root: GroupKind) {
        if self.text.starts_with('\u{feff}') {
            self.at = 3;
        }
        self.line_indent = self.indent_at(self.at);
        self.open(root, self.at, self.at);
        loop {
            while self.at < self.bytes.len() && !self.gave_up {
                match self.top().kind {
                    GroupKind::Quoted => self.quoted_text(),
                    GroupKind::Heredoc { .. } | GroupKind::Template => self.line_text(),
                    _ => self.lexeme(),
                }
                if self.frames.len() > MAX_DEPTH {
                    self.too_deep();
                }
            }
            if self.gave_up || !self.reread_unclosed() {
                break;
            }
        }
        self.close_at_end();
    }

    /// Ends all groups at the end of the text.
    fn close_at_end(&mut self) {
        let end = self.bytes.len();
        if self.frames.len() > 1 {
            self.report_unclosed_at_end();
        }
        while self.frames.len() > 1 {
            self.finish_literal(end);
            self.close_broken(end);
        }
        self.finish_literal(end);
        self.close(end, end, false);
    }

    fn top(&self) -> &Frame {
        self.frames.last().expect("the outermost group closes when the text has been read")
    }

    fn top_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the outermost group closes when the text has been read")
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Opens a group whose opener is that range; goes on behind it.
    fn open(&mut self, group: GroupKind, start: usize, end: usize) {
        self.frames.push(Frame {
            kind: group,
            open: (start as u32, end as u32),
            base: self.pending.len(),
            line: self.line,
            indent: self.line_indent,
            content_indent: None,
            assigned: false,
            assigned_before: false,
            for_object: false,
            questions: 0,
            directives: 0,
            literal: end,
            terminator: (0, 0),
            broken: false,
            trim_before: false,
        });
        self.at = end;
    }

    /// Closes the innermost group whose closer is that range; goes on behind it. The group becomes a token.
    fn close(&mut self, start: usize, end: usize, trim_after: bool) {
        let frame = self.frames.pop().expect("only open groups are closed");
        let first = self.out.tokens.len() as u32;
        self.out.tokens.extend(self.pending[frame.base..].iter().map(|(token, _)| *token));
        self.out.kinds.extend(self.pending[frame.base..].iter().map(|(_, kind)| char::from(*kind)));
        self.pending.truncate(frame.base);
        let last = self.out.tokens.len() as u32;
        let kinds = &self.out.kinds.as_bytes()[first as usize..];
        let kind = match frame.kind {
            GroupKind::Paren => kind::PAREN,
            GroupKind::Bracket if kinds == b"*" => kind::SPLAT,
            GroupKind::Bracket => kind::BRACKET,
            GroupKind::Body => kind::BLOCK,
            GroupKind::Brace => kind::BRACE,
            GroupKind::Interpolation => kind::INTERPOLATION,
            GroupKind::Directive => self.directive(&frame, kinds.first().copied(), first, end),
            _ => kind::TEMPLATE,
        };
        let group = self.out.groups.len() as u32;
        self.out.groups.push(Group {
            kind: frame.kind,
            first,
            last,
            inner_start: frame.open.1,
            inner_end: start as u32,
            broken: frame.broken,
            trim_before: frame.trim_before,
            trim_after,
        });
        self.at = end;
        if let Some(parent) = self.frames.last_mut() {
            self.pending.push((Token { start: frame.open.0, end: end as u32, group }, kind));
            parent.literal = end;
        }
    }

    /// Closes the innermost group where it should have been closed; a diagnostic has said so.
    fn close_broken(&mut self, at: usize) {
        self.top_mut().broken = true;
        self.close(at, at, false);
    }

    fn push(&mut self, kind: u8, start: usize, end: usize) {
        if self.frames.len() == 1 && self.top().kind == GroupKind::Body {
            self.remember_item(start);
        }
        self.pending.push((Token { start: start as u32, end: end as u32, group: NO_GROUP }, kind));
        self.at = end;
    }

    /// The kind of the last token in the innermost group.
    fn last_kind(&self) -> Option<u8> {
        (self.pending.len() > self.top().base).then(|| self.pending[self.pending.len() - 1].1)
    }

    /// A line break, and the indentation of the line that follows.
    fn newline(&mut self, end: usize) {
        let start = self.at;
        self.at = end;
        self.line += 1;
        self.line_indent = self.indent_at(end);
        let counts = match self.top().kind {
            GroupKind::Body => true,
            GroupKind::Brace => !self.top().for_object && !matches!(self.last_kind(), None | Some(b',')),
            _ => false,
        };
        if counts && self.last_kind() != Some(kind::NEWLINE) {
            self.pending
                .push((Token { start: start as u32, end: end as u32, group: NO_GROUP }, kind::NEWLINE));
            let top = self.top_mut();
            top.assigned_before = std::mem::take(&mut top.assigned);
            top.questions = 0;
        }
        if self.frames.len() > 1 && !self.top().kind.is_text() {
            self.note_indentation();
        }
    }

    /// How many blanks stand at an offset.
    fn indent_at(&self, offset: usize) -> u32 {
        self.bytes[offset..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count() as u32
    }

    /// The kind of a directive: what its first word says. Keeps count of what is open, since templates nest, too.
    fn directive(&mut self, frame: &Frame, first_kind: Option<u8>, first: u32, end: usize) -> u8 {
        let word = match first_kind {
            Some(word_kind) if kind::is_word(word_kind) => {
                let token = self.out.tokens[first as usize];
                &self.text[token.start as usize..token.end as usize]
            }
            _ => "",
        };
        let (kind, change) = match word {
            "if" => (kind::DIRECTIVE_IF, 1),
            "for" => (kind::DIRECTIVE_FOR, 1),
            "else" => (kind::DIRECTIVE_ELSE, 0),
            "endif" => (kind::DIRECTIVE_ENDIF, -1),
            "endfor" => (kind::DIRECTIVE_ENDFOR, -1),
            _ => {
                // One unknown directive mostly has a counterpart that is unknown, too.
                let told = frame.broken || self.frames.last().is_some_and(|template| template.broken);
                if !told {
                    let diagnostic = self.unknown_directive(word, frame.open.0, end);
                    self.report(diagnostic);
                }
                if let Some(template) = self.frames.last_mut() {
                    template.broken = true;
                }
                (kind::ERROR, 0)
            }
        };
        let nested = self.frames.len();
        if let Some(template) = self.frames.last_mut() {
            template.directives = template.directives.saturating_add_signed(change);
            if template.directives + nested > MAX_DEPTH {
                self.too_deep();
                return kind::ERROR;
            }
        }
        kind
    }

    /// Gives the rest of the text up, with one diagnostic.
    fn too_deep(&mut self) {
        if self.gave_up {
            return;
        }
        self.gave_up = true;
        let diagnostic = self.nested_too_deep();
        self.report(diagnostic);
        for frame in &mut self.frames {
            frame.broken = true;
        }
    }
}
