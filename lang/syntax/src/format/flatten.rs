//! The tokens of all groups in the order of the text, with comments and line breaks between them.
//!
//! On the way old spellings are replaced, as `terraform fmt` does: a value that is nothing but `"${x}"` becomes `x`, labels
//! are put in quotes, and the type of a variable in the manner of Terraform 0.11 (`"string"`, `list`) in the manner of today.
//! Items of the outermost body that have syntax errors become one piece that is copied.

use plumb_model::Diagnostics;
use unicode_segmentation::UnicodeSegmentation;

use super::{Text, quoted};
use crate::token::{Group, GroupKind, NO_GROUP, Scan, Token, kind};

/// A token, half of a pair of brackets, a stretch of text, a comment or a line break.
pub struct Piece<'a> {
    pub kind: PieceKind,
    pub text: Text<'a>,
    /// Whether it begins a line that goes on with the item of the line before (native dialect).
    pub continues: bool,
}

/// What a [`Piece`] is, as far as layout cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    Word,
    Number,
    /// A quoted string without sequences.
    String,
    QuoteOpen,
    QuoteClose,
    HeredocOpen,
    HeredocClose,
    /// Text in quotes or a heredoc.
    Text,
    SequenceOpen,
    SequenceClose,
    ParenOpen,
    ParenClose,
    BracketOpen,
    BracketClose,
    BraceOpen,
    BraceClose,
    Dot,
    Comma,
    Ellipsis,
    /// `...` before a value.
    Spread,
    Namespace,
    Bang,
    Minus,
    Star,
    Equals,
    /// The `?` behind a type.
    Nullable,
    /// The `?` of `?[`.
    SafeIndex,
    /// Anything else that stands between operands.
    Operator,
    Comment,
    Newline,
    /// A whole item that is copied as it is.
    Verbatim,
}

impl PieceKind {
    /// 1 for what opens, -1 for what closes.
    pub fn bracket(self) -> i64 {
        match self {
            PieceKind::ParenOpen
            | PieceKind::BracketOpen
            | PieceKind::BraceOpen
            | PieceKind::SequenceOpen => 1,
            PieceKind::ParenClose
            | PieceKind::BracketClose
            | PieceKind::BraceClose
            | PieceKind::SequenceClose => -1,
            _ => 0,
        }
    }
}

impl Piece<'_> {
    /// Whether it is a comment up to the end of its line.
    pub fn is_line_comment(&self) -> bool {
        self.kind == PieceKind::Comment && !self.text.starts_with("/*")
    }

    /// How wide it is.
    pub fn columns(&self) -> usize {
        if self.text.is_ascii() { self.text.len() } else { self.text.graphemes(true).count() }
    }
}

/// Puts the tokens of a file in a row. `diagnostics` are those of parsing it.
pub fn flatten<'a>(text: &'a str, scan: &'a Scan, diagnostics: &Diagnostics) -> Vec<Piece<'a>> {
    // What these say can be laid out nonetheless.
    const HARMLESS: [&str; 2] = ["attribute-redefined", "needs-native-dialect"];
    let mut errors: Vec<u32> = diagnostics
        .iter()
        .filter(|diagnostic| !HARMLESS.contains(&diagnostic.code))
        .filter_map(|diagnostic| diagnostic.span())
        .map(|span| span.start)
        .collect();
    errors.sort_unstable();
    let mut flattener = Flattener { text, scan, errors, pieces: Vec::new(), at: 0, comment: 0 };
    flattener.pieces.reserve(scan.tokens.len() * 3 / 2);
    if text.starts_with('\u{feff}') {
        flattener.at = 3;
    }
    let root = scan.groups.last().expect("the whole text is a group");
    flattener.body(root, Outer::File);
    flattener.gap(text.len());
    flattener.pieces
}

/// What a body belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outer {
    File,
    /// A `variable` block of the file.
    Variable,
    Block,
}

struct Flattener<'a> {
    text: &'a str,
    scan: &'a Scan,
    /// Where syntax errors are, in order.
    errors: Vec<u32>,
    pieces: Vec<Piece<'a>>,
    /// Up to where the text has been dealt with.
    at: usize,
    /// The next comment.
    comment: usize,
}

impl<'a> Flattener<'a> {
    fn push(&mut self, kind: PieceKind, text: impl Into<Text<'a>>) {
        self.pieces.push(Piece { kind, text: text.into(), continues: false });
    }

    /// A piece that stands in the text, after what is before it.
    fn piece(&mut self, kind: PieceKind, start: u32, end: u32) {
        self.gap(start as usize);
        self.push(kind, &self.text[start as usize..end as usize]);
        self.at = end as usize;
    }

    /// Comments and line breaks up to an offset.
    fn gap(&mut self, to: usize) {
        while self.at < to {
            let comment = self.scan.comments.get(self.comment).filter(|(start, _)| (*start as usize) < to);
            let blanks_end = comment.map_or(to, |(start, _)| *start as usize);
            let blanks = &self.text[self.at..blanks_end.max(self.at)];
            for (i, _) in blanks.match_indices('\n') {
                self.push(PieceKind::Newline, if blanks[..i].ends_with('\r') { "\r\n" } else { "\n" });
            }
            self.at = blanks_end.max(self.at);
            if let Some((start, end)) = comment.copied() {
                self.comment += 1;
                // Comments within what was copied have been copied.
                if start as usize >= self.at {
                    self.push(PieceKind::Comment, &self.text[start as usize..end as usize]);
                    self.at = end as usize;
                }
            }
        }
    }

    fn text_of(&self, token: Token) -> &'a str {
        &self.text[token.start as usize..token.end as usize]
    }

    fn body(&mut self, group: &'a Group, outer: Outer) {
        let (tokens, kinds) = self.scan.run(group);
        let mut start = 0;
        for end in 0..=tokens.len() {
            if end < tokens.len() && kinds.as_bytes()[end] != kind::NEWLINE {
                continue;
            }
            if start < end {
                self.item(&tokens[start..end], &kinds.as_bytes()[start..end], outer);
            }
            start = end + 1;
        }
    }

    fn item(&mut self, tokens: &'a [Token], kinds: &'a [u8], outer: Outer) {
        let (first, last) = (tokens[0].start, tokens[tokens.len() - 1].end);
        if outer == Outer::File {
            let next = self.errors.partition_point(|error| *error < first);
            let broken = kinds.contains(&kind::ERROR)
                || self.errors.get(next).is_some_and(|error| *error <= last)
                || tokens.iter().any(|token| self.group(*token).is_some_and(|group| group.broken));
            if broken {
                self.piece(PieceKind::Verbatim, first, last);
                while self.scan.comments.get(self.comment).is_some_and(|(start, _)| *start < last) {
                    self.comment += 1;
                }
                return;
            }
        }
        match kinds {
            [word, b'=', ..] if kind::is_word(*word) => {
                self.run(&tokens[..2], &kinds[..2], true);
                let typed = outer == Outer::Variable && self.text_of(tokens[0]) == "type";
                match (typed, &tokens[2..]) {
                    (true, [value]) => self.type_of_variable(*value, kinds[2]),
                    (false, [value]) if kinds[2] == kind::TEMPLATE => self.value(*value),
                    (_, value) => self.run(value, &kinds[2..], true),
                }
            }
            [_, labels @ .., kind::BLOCK] => {
                self.run(&tokens[..1], &kinds[..1], true);
                for (token, kind) in tokens[1..].iter().zip(labels) {
                    self.label(*token, *kind);
                }
                let inner = match outer {
                    Outer::File if self.text_of(tokens[0]) == "variable" => Outer::Variable,
                    _ => Outer::Block,
                };
                let brace = tokens[tokens.len() - 1];
                if let Some(group) = self.group(brace) {
                    self.piece(PieceKind::BraceOpen, brace.start, group.inner_start);
                    self.body(group, inner);
                    self.piece(PieceKind::BraceClose, group.inner_end, brace.end);
                }
            }
            _ => self.run(tokens, kinds, true),
        }
    }

    fn label(&mut self, token: Token, token_kind: u8) {
        self.gap(token.start as usize);
        let name = self.text_of(token);
        if token_kind == kind::STRING {
            self.push(PieceKind::String, name);
        } else {
            self.push(PieceKind::String, quoted(name).to_string());
        }
        self.at = token.end as usize;
    }

    fn type_of_variable(&mut self, token: Token, token_kind: u8) {
        let new = match self.text_of(token) {
            "\"string\"" => "string",
            "\"list\"" => "list(string)",
            "\"map\"" => "map(string)",
            "list" => "list(any)",
            "map" => "map(any)",
            "set" => "set(any)",
            _ => return self.run(&[token], &[token_kind], true),
        };
        self.gap(token.start as usize);
        self.push(PieceKind::Word, new);
        self.at = token.end as usize;
    }

    /// A value that is one template: what is in it, if it is nothing but one interpolation.
    fn value(&mut self, token: Token) {
        let mut inner: Option<(&'a [Token], &'a str)> = None;
        let mut outer = token;
        while let Some((tokens, kinds)) = self.only_interpolation(outer) {
            inner = Some((tokens, kinds));
            match tokens {
                [next] if kinds.as_bytes() == [kind::TEMPLATE] => outer = *next,
                _ => break,
            }
        }
        let Some((tokens, kinds)) = inner else { return self.run(&[token], &[kind::TEMPLATE], true) };
        self.gap(token.start as usize);
        let (first, last) = (tokens[0].start as usize, tokens[tokens.len() - 1].end as usize);
        let lines = self.text[first..last].contains('\n');
        if lines {
            self.push(PieceKind::ParenOpen, "(");
        }
        self.at = first;
        self.run(tokens, kinds.as_bytes(), false);
        if lines {
            self.push(PieceKind::ParenClose, ")");
        }
        self.at = token.end as usize;
    }

    /// What is in the interpolation that a quoted template consists of, if it is one and has no comments.
    fn only_interpolation(&self, token: Token) -> Option<(&'a [Token], &'a str)> {
        let template = self.group(token).filter(|group| group.kind == GroupKind::Quoted)?;
        let (parts, kinds) = self.scan.run(template);
        if kinds.as_bytes() != [kind::INTERPOLATION] {
            return None;
        }
        let commented = self
            .scan
            .comments
            .get(self.comment..)
            .unwrap_or_default()
            .iter()
            .find(|(_, end)| *end > token.start);
        if commented.is_some_and(|(start, _)| *start < token.end) {
            return None;
        }
        Some(self.scan.run(self.group(parts[0])?))
    }

    fn group(&self, token: Token) -> Option<&'a Group> {
        (token.group != NO_GROUP).then(|| &self.scan.groups[token.group as usize])
    }

    /// Tokens of one group. `breaks_count` says whether line breaks separate what is in it.
    fn run(&mut self, tokens: &[Token], kinds: &[u8], breaks_count: bool) {
        let mut before = None;
        for (i, (token, token_kind)) in tokens.iter().zip(kinds).enumerate() {
            let goes_on = breaks_count
                && before.is_some_and(|before| !matches!(before, b',' | kind::NEWLINE))
                && *token_kind != kind::NEWLINE
                && self.text[self.at..token.start as usize].contains('\n');
            if goes_on {
                self.gap(token.start as usize);
            }
            let at = self.pieces.len();
            match self.group(*token) {
                Some(group) => self.nested(*token, group),
                None if *token_kind == kind::NEWLINE => {}
                None => {
                    let piece = piece_kind(*token_kind, before, kinds.get(i + 1).copied());
                    self.piece(piece, token.start, token.end);
                }
            }
            if goes_on && let Some(first) = self.pieces.get_mut(at) {
                first.continues = true;
            }
            before = Some(*token_kind);
        }
    }

    fn nested(&mut self, token: Token, group: &'a Group) {
        let (open, close) = match group.kind {
            GroupKind::Paren => (PieceKind::ParenOpen, PieceKind::ParenClose),
            GroupKind::Bracket => (PieceKind::BracketOpen, PieceKind::BracketClose),
            GroupKind::Quoted => (PieceKind::QuoteOpen, PieceKind::QuoteClose),
            GroupKind::Heredoc { .. } | GroupKind::RawHeredoc { .. } => {
                (PieceKind::HeredocOpen, PieceKind::HeredocClose)
            }
            GroupKind::Interpolation | GroupKind::Directive => {
                (PieceKind::SequenceOpen, PieceKind::SequenceClose)
            }
            _ => (PieceKind::BraceOpen, PieceKind::BraceClose),
        };
        let (tokens, kinds) = self.scan.run(group);
        self.piece(open, token.start, group.inner_start);
        let breaks_count = group.kind == GroupKind::Brace && !kinds.starts_with(char::from(kind::FOR));
        self.run(tokens, kinds.as_bytes(), breaks_count);
        if group.kind.is_text() {
            self.at = group.inner_end as usize;
        }
        self.piece(close, group.inner_end, token.end);
    }
}

fn piece_kind(token_kind: u8, before: Option<u8>, next: Option<u8>) -> PieceKind {
    match token_kind {
        b'?' if matches!(next, None | Some(b',' | kind::NEWLINE | kind::WHERE)) => PieceKind::Nullable,
        kind::TEXT => PieceKind::Text,
        kind::NUMBER => PieceKind::Number,
        kind::STRING => PieceKind::String,
        b'.' | kind::SAFE_DOT => PieceKind::Dot,
        b',' => PieceKind::Comma,
        kind::ELLIPSIS => match before {
            None | Some(b',' | b'=' | kind::NEWLINE) => PieceKind::Spread,
            _ => PieceKind::Ellipsis,
        },
        kind::NAMESPACE => PieceKind::Namespace,
        b'!' => PieceKind::Bang,
        b'-' => PieceKind::Minus,
        b'*' if matches!(before, None | Some(b'.')) => PieceKind::Star,
        b'=' => PieceKind::Equals,
        kind::SAFE_INDEX => PieceKind::SafeIndex,
        word if kind::is_word(word) => PieceKind::Word,
        _ => PieceKind::Operator,
    }
}
