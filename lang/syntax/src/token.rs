//! Tokens, and the groups that brackets, strings and heredocs make of them.
//!
//! The scanner turns a text into a tree of groups. Each [`Group`] has its own run of tokens; a nested group is a single
//! token in the run of the group around it. Beside the tokens stands one ASCII character for each, its *kind*
//! ([`kind`]): the kinds of a group are the string that `grammar.pest` is written over.
//!
//! Always true: the runs of two groups do not overlap, `kinds` has one byte for each token, and a group lies behind the
//! groups that it contains.

/// The characters that stand for tokens in `grammar.pest`. Punctuation of one character stands for itself.
pub mod kind {
    /// A name without a special meaning anywhere.
    pub const NAME: u8 = b'I';
    /// The name `for`.
    pub const FOR: u8 = b'f';
    /// The name `in`.
    pub const IN: u8 = b'n';
    /// The name `if`.
    pub const IF: u8 = b'c';
    /// The names `true`, `false`, `null`.
    pub const LITERAL: u8 = b't';
    /// The name `where`, in the native dialect.
    pub const WHERE: u8 = b'w';
    /// A number.
    pub const NUMBER: u8 = b'0';
    /// A quoted string without sequences.
    pub const STRING: u8 = b'S';
    /// A quoted string with sequences, or a heredoc: a group.
    pub const TEMPLATE: u8 = b'T';
    /// `( … )`: a group.
    pub const PAREN: u8 = b'P';
    /// `[ … ]`: a group.
    pub const BRACKET: u8 = b'B';
    /// `[*]`
    pub const SPLAT: u8 = b'X';
    /// `{ … }` in an expression: a group.
    pub const BRACE: u8 = b'O';
    /// `{ … }` of a block: a group.
    pub const BLOCK: u8 = b'K';
    /// One or more line breaks where they count.
    pub const NEWLINE: u8 = b'N';
    /// `==`
    pub const EQUAL: u8 = b'E';
    /// `!=`
    pub const NOT_EQUAL: u8 = b'D';
    /// `<=`
    pub const LESS_OR_EQUAL: u8 = b'L';
    /// `>=`
    pub const GREATER_OR_EQUAL: u8 = b'G';
    /// `=>`
    pub const ARROW: u8 = b'A';
    /// `...`
    pub const ELLIPSIS: u8 = b'V';
    /// `::`
    pub const NAMESPACE: u8 = b';';
    /// `&&`
    pub const AND: u8 = b'&';
    /// `||`
    pub const OR: u8 = b'|';
    /// `??`
    pub const COALESCE: u8 = b'^';
    /// `?.`
    pub const SAFE_DOT: u8 = b'Q';
    /// `?` directly before the bracket of a null-safe index
    pub const SAFE_INDEX: u8 = b'q';
    /// Something that a diagnostic has been given for.
    pub const ERROR: u8 = b'Z';

    /// Text in a template.
    pub const TEXT: u8 = b'l';
    /// `${ … }`: a group.
    pub const INTERPOLATION: u8 = b'i';
    /// `%{ if … }`: a group.
    pub const DIRECTIVE_IF: u8 = b'x';
    /// `%{ else }`: a group.
    pub const DIRECTIVE_ELSE: u8 = b'y';
    /// `%{ endif }`: a group.
    pub const DIRECTIVE_ENDIF: u8 = b'z';
    /// `%{ for … }`: a group.
    pub const DIRECTIVE_FOR: u8 = b'u';
    /// `%{ endfor }`: a group.
    pub const DIRECTIVE_ENDFOR: u8 = b'v';

    /// Whether a kind is a name, whatever it may mean elsewhere.
    pub fn is_word(kind: u8) -> bool {
        matches!(kind, NAME | FOR | IN | IF | LITERAL | WHERE)
    }

    /// Whether an expression may begin with it.
    pub fn begins_expression(kind: u8) -> bool {
        is_word(kind)
            || matches!(kind, NUMBER | STRING | TEMPLATE | PAREN | BRACKET | BRACE | BLOCK | b'-' | b'!')
    }

    /// Whether it stands between two operands.
    pub fn is_infix(kind: u8) -> bool {
        matches!(
            kind,
            b'+' | b'-'
                | b'*'
                | b'/'
                | b'%'
                | b'<'
                | b'>'
                | EQUAL
                | NOT_EQUAL
                | LESS_OR_EQUAL
                | GREATER_OR_EQUAL
                | AND
                | OR
                | COALESCE
        )
    }
}

/// A token: where it is, and which group it is, if it is one.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
    /// The index of its group in [`Scan::groups`]; otherwise [`NO_GROUP`].
    pub group: u32,
}

/// The `group` of tokens that are not groups.
pub const NO_GROUP: u32 = u32::MAX;

/// What brackets, quotes and the like enclose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// The whole of a file, or the body of a block: line breaks separate items.
    Body,
    /// The whole of a text that is one expression.
    Expression,
    /// `( … )`
    Paren,
    /// `[ … ]`
    Bracket,
    /// `{ … }`: line breaks separate entries, except in a `for`.
    Brace,
    /// The text between quotes.
    Quoted,
    /// The lines of a heredoc, `flush` if it began with `<<-`.
    Heredoc {
        /// Whether common indentation is removed.
        flush: bool,
    },
    /// The lines of a heredoc that has no sequences: `<<'EOT'`.
    RawHeredoc {
        /// Whether common indentation is removed.
        flush: bool,
    },
    /// The whole of a text that is a template.
    Template,
    /// `${ … }`
    Interpolation,
    /// `%{ … }`
    Directive,
}

impl GroupKind {
    /// Whether it holds text rather than tokens.
    pub fn is_text(self) -> bool {
        matches!(
            self,
            GroupKind::Quoted
                | GroupKind::Heredoc { .. }
                | GroupKind::RawHeredoc { .. }
                | GroupKind::Template
        )
    }
}

/// A run of tokens that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    /// What encloses it.
    pub kind: GroupKind,
    /// Its tokens: a range of [`Scan::tokens`] and of [`Scan::kinds`].
    pub first: u32,
    /// Behind its last token.
    pub last: u32,
    /// Where its content begins, behind the bracket.
    pub inner_start: u32,
    /// Where its content ends, before the closing bracket.
    pub inner_end: u32,
    /// Whether something in it or its end is not as it should be, which a diagnostic has said.
    pub broken: bool,
    /// Whether a `~` behind the opener asks to trim what is before.
    pub trim_before: bool,
    /// Whether a `~` before the closer asks to trim what is behind.
    pub trim_after: bool,
}

/// What the scanner makes of a text.
#[derive(Debug, Default)]
pub struct Scan {
    /// The tokens of all groups.
    pub tokens: Vec<Token>,
    /// The kind of each token.
    pub kinds: String,
    /// The groups; the last is the whole text.
    pub groups: Vec<Group>,
    /// The comments in order: offsets of their first byte and behind their last, without the line break.
    pub comments: Vec<(u32, u32)>,
}

impl Scan {
    /// The tokens of a group and their kinds.
    pub fn run(&self, group: &Group) -> (&[Token], &str) {
        let range = group.first as usize..group.last as usize;
        (&self.tokens[range.clone()], &self.kinds[range])
    }
}
