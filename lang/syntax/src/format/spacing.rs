//! Whether a blank stands between two neighbours in a line.

use super::flatten::{Piece, PieceKind as Kind};

/// Whether a blank stands between `left` and `right`; `before` is what stands before `left` in the line.
pub fn space_between(before: Option<&Piece>, left: &Piece, right: &Piece) -> bool {
    let before_kind = before.map(|piece| piece.kind);
    match (left.kind, right.kind) {
        // Within text nothing is added.
        (Kind::Text | Kind::QuoteOpen | Kind::HeredocOpen, _)
        | (_, Kind::Text | Kind::QuoteClose | Kind::HeredocClose) => false,
        (Kind::SequenceOpen, Kind::BraceOpen) | (Kind::BraceClose, Kind::SequenceClose) => true,
        (Kind::SequenceOpen, _) | (_, Kind::SequenceClose) | (Kind::SequenceClose, Kind::SequenceOpen) => {
            false
        }
        (Kind::Word, Kind::ParenOpen) => false,
        (Kind::Dot | Kind::Namespace, _) | (_, Kind::Dot | Kind::Namespace) => false,
        (_, Kind::Comma | Kind::Ellipsis | Kind::Nullable) => false,
        (Kind::Spread, Kind::BraceClose) => true,
        (Kind::Comma, _) => true,
        (Kind::Spread, _) => false,
        (Kind::SafeIndex, _) | (_, Kind::SafeIndex) => false,
        (Kind::Bang, _) => false,
        (Kind::Minus, _) => before.is_some_and(is_subtracted_from),
        (Kind::BraceOpen, Kind::BraceClose) => false,
        (Kind::BraceOpen, _) | (_, Kind::BraceClose) => true,
        (Kind::ParenOpen | Kind::BracketOpen, _) | (_, Kind::ParenClose | Kind::BracketClose) => false,
        // `in` before the collection of a `for`; elsewhere a bracket behind a word is an index.
        (Kind::Word, Kind::BracketOpen) => &*left.text == "in" && before_kind == Some(Kind::Word),
        (
            Kind::Number | Kind::ParenClose | Kind::BracketClose | Kind::BraceClose | Kind::Star,
            Kind::BracketOpen,
        ) => false,
        _ => true,
    }
}

/// Whether a minus behind it counts as a subtraction. Words do, whichever they are.
fn is_subtracted_from(piece: &Piece) -> bool {
    match piece.kind {
        Kind::ParenOpen
        | Kind::BracketOpen
        | Kind::BraceOpen
        | Kind::Comma
        | Kind::Equals
        | Kind::Bang
        | Kind::Minus
        | Kind::Star => false,
        Kind::Operator => &*piece.text == "=>",
        _ => true,
    }
}
