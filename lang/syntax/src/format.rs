//! Source text in its canonical layout.
//!
//! The layout is that of `terraform fmt`, so that its users see no changes: two blanks of indentation for each bracket
//! that is open, one blank between most tokens, `=` and comments at the ends of neighbouring lines aligned. Lines are never
//! joined or broken, and blank lines stay. Beside layout a few old spellings are made new ([`flatten`]).
//!
//! It works on the tokens of the parser, with all comments and line breaks between them: (1) [`flatten`] puts them in
//! a row again, (2) [`spacing`] says what stands between neighbours, (3) lines are indented, (4) cells are aligned.
//!
//! Always true: formatting twice gives what formatting once gives; every comment is kept; the tree of the result equals
//! that of the text but for the spellings; items with syntax errors, and texts of heredocs, stay as they are.

mod flatten;
mod spacing;

use ecow::EcoString;
use plumb_model::{Diagnostics, SourceId};

use crate::origin::Origin;
use crate::scan::scan;
use crate::token::GroupKind;
use crate::tree::Dialect;
use flatten::{Piece, PieceKind, flatten};

/// A text in canonical layout.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatResult {
    /// The text.
    pub text: String,
    /// The syntax errors of the original text; items that have some were left as they were.
    pub diagnostics: Diagnostics,
}

/// Formats a file. `source` is what the diagnostics point into.
pub fn format(source: SourceId, text: &str, dialect: Dialect) -> FormatResult {
    let diagnostics = crate::parse(source, text, dialect).diagnostics;
    let origin = Origin::whole(source);
    let (scan, _) = scan(text, dialect, GroupKind::Body, &origin);
    let pieces = flatten(text, &scan, &diagnostics);
    // `terraform fmt` does not end a last line that has no end.
    let last = if dialect == Dialect::Native { "\n" } else { "" };
    let mut lines = split(pieces, last);
    for line in &mut lines {
        line.set_spaces();
    }
    indent(&mut lines);
    align(&mut lines);
    FormatResult { text: join(&lines, text.len()), diagnostics }
}

/// What stands in one line; a heredoc stands as a whole in the line it begins in.
struct Line<'a> {
    pieces: Vec<Piece<'a>>,
    /// The blanks before each piece.
    spaces: Vec<usize>,
    /// Where the part that begins with `=` begins, if that is to be aligned.
    assign: Option<usize>,
    /// Where the comment at the end is, if there is one behind something else.
    comment: Option<usize>,
    /// The line break, as the text has it.
    end: Text<'a>,
}

/// `last` ends the last line if the text does not.
fn split<'a>(pieces: Vec<Piece<'a>>, last: &'a str) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    for piece in pieces {
        if piece.kind == PieceKind::Newline {
            lines.push(Line::new(std::mem::take(&mut line), piece.text));
        } else {
            line.push(piece);
        }
    }
    if !line.is_empty() {
        lines.push(Line::new(line, last.into()));
    }
    lines
}

impl<'a> Line<'a> {
    fn new(pieces: Vec<Piece<'a>>, end: Text<'a>) -> Line<'a> {
        let comment = match pieces.last() {
            Some(last) if pieces.len() > 1 && last.is_line_comment() => Some(pieces.len() - 1),
            _ => None,
        };
        let cell = &pieces[..comment.unwrap_or(pieces.len())];
        // Only a whole value is aligned, not the beginning of one that goes on in the next lines.
        let assign = cell
            .iter()
            .skip(1)
            .position(|piece| piece.kind == PieceKind::Equals)
            .map(|at| at + 1)
            .filter(|at| cell[*at..].iter().map(|piece| piece.kind.bracket()).sum::<i64>() == 0);
        Line { spaces: vec![0; pieces.len()], pieces, assign, comment, end }
    }

    fn set_spaces(&mut self) {
        for i in 1..self.pieces.len() {
            let before = i.checked_sub(2).map(|i| &self.pieces[i]);
            let space = spacing::space_between(before, &self.pieces[i - 1], &self.pieces[i]);
            self.spaces[i] = usize::from(space);
        }
    }

    /// How many more brackets are opened than closed in the line.
    fn bracket_balance(&self) -> i64 {
        self.pieces.iter().map(|piece| piece.kind.bracket()).sum()
    }

    /// Whether the line ends within a sequence of a heredoc. What that opens indents nothing.
    fn ends_in_heredoc(&self) -> bool {
        let count = |kind| self.pieces.iter().filter(|piece| piece.kind == kind).count();
        count(PieceKind::HeredocOpen) > count(PieceKind::HeredocClose)
    }

    /// The width of some of the pieces, with the blanks before them.
    fn columns(&self, pieces: std::ops::Range<usize>) -> usize {
        pieces.map(|i| self.spaces[i] + self.pieces[i].columns()).sum()
    }
}

/// Indents each line by the brackets that are open before it; a line that closes more than it opens goes back first.
fn indent(lines: &mut [Line]) {
    let mut open: Vec<i64> = Vec::new();
    for line in lines {
        let balance = line.bracket_balance();
        let mut closed = -balance;
        while closed > 0 {
            let Some(top) = open.last_mut() else { break };
            if *top > closed {
                *top -= closed;
                break;
            }
            closed -= *top;
            open.pop();
        }
        if let Some(first) = line.spaces.first_mut() {
            *first = 2 * (open.len() + usize::from(line.pieces[0].continues));
        }
        if balance > 0 && !line.ends_in_heredoc() {
            open.push(balance);
        }
    }
}

/// Aligns `=`, then comments, in runs of neighbouring lines that have them.
fn align(lines: &mut [Line]) {
    align_cells(lines, |line| line.assign);
    align_cells(lines, |line| line.comment);
}

fn align_cells(lines: &mut [Line], cell: impl Fn(&Line) -> Option<usize>) {
    let mut start = 0;
    while start < lines.len() {
        let run = lines[start..].iter().take_while(|line| cell(line).is_some()).count();
        let run = &mut lines[start..start + run];
        let width = |line: &Line| cell(line).map_or(0, |at| line.columns(0..at));
        let widest = run.iter().map(width).max().unwrap_or(0);
        start += run.len().max(1);
        for line in run {
            let spaces = widest - width(line) + 1;
            if let Some(at) = cell(line) {
                line.spaces[at] = spaces;
            }
        }
    }
}

fn join(lines: &[Line], capacity: usize) -> String {
    const BLANKS: &str = "                                                                ";
    let mut text = String::with_capacity(capacity + capacity / 8);
    for line in lines {
        for (piece, spaces) in line.pieces.iter().zip(&line.spaces) {
            let mut left = *spaces;
            while left > 0 {
                let now = left.min(BLANKS.len());
                text.push_str(&BLANKS[..now]);
                left -= now;
            }
            text.push_str(&piece.text);
        }
        text.push_str(&line.end);
    }
    text
}

/// Text that is mostly a part of the original.
type Text<'a> = std::borrow::Cow<'a, str>;

/// A name in quotes, for labels.
fn quoted(name: &str) -> EcoString {
    crate::quote(name)
}
