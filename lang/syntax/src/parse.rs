//! Text to tree.
//!
//! 1. [`scan`](crate::scan) makes tokens and groups: what is in brackets, quotes and heredocs.
//! 2. The grammar (`grammar.pest`) is applied to each group by itself, to the string of its tokens' kinds; a nested
//!    group is one token there.
//! 3. Where a group does not match, it is cut at its separators (line breaks in bodies, commas in brackets) and the
//!    pieces are parsed one by one. A piece that does not match gives one diagnostic ([`crate::explain`]) and an error
//!    in the tree; its neighbours are not affected.
//! 4. What matched is walked to the tree: [`expr`] for expressions, [`template`] for texts with sequences.
//!
//! Invariants: work is linear in the size of the text; nothing recurses deeper than [`MAX_DEPTH`](crate::MAX_DEPTH); where
//! the tree has an error, there is a diagnostic.

mod expr;
mod strings;
mod template;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use ecow::EcoString;
use pest::Parser;
use pest::error::InputLocation;
use pest::iterators::{Pair, Pairs};
use plumb_model::{Diagnostic, Diagnostics, SourceId, Span};

use crate::again::Memory;
use crate::explain::{self, Place, Trouble};
use crate::origin::Origin;
use crate::scan::scan;
use crate::token::{Group, GroupKind, NO_GROUP, Scan, Token, kind};
use crate::tree::{
    Attribute, Block, BlockLabel, Body, Dialect, Expr, ExprKind, File, Ident, Item, Traversal,
};

pub(crate) use strings::normal;

#[derive(pest_derive::Parser)]
#[grammar = "grammar.pest"]
struct Grammar;

/// A tree and what was wrong with its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<T> {
    /// The tree; complete but for errors.
    pub tree: T,
    /// What was wrong, by place.
    pub diagnostics: Diagnostics,
}

/// Parses a file: attributes and blocks.
///
/// Every mistake that is independent of the others gives one diagnostic; the rest of the tree is complete.
pub fn parse(source: SourceId, text: &str, dialect: Dialect) -> Parsed<File> {
    parse_whole(source, text, dialect, None).0
}

/// The same, perhaps with a memory of the blocks that the text had before, and with what the scanner made of it.
pub(crate) fn parse_whole(
    source: SourceId,
    text: &str,
    dialect: Dialect,
    memory: Option<&mut Memory>,
) -> (Parsed<File>, Scan) {
    let origin = Origin::whole(source);
    let body = |walker: &mut Walker, root| walker.body(root);
    let (parsed, scan) = scan_and_walk(text, dialect, GroupKind::Body, &origin, memory, body);
    let tree = File { source, dialect, body: parsed.tree };
    (Parsed { tree, diagnostics: parsed.diagnostics }, scan)
}

/// Parses a text that is one expression. Line breaks do not count in it.
pub fn parse_expression(origin: &Origin, text: &str, dialect: Dialect) -> Parsed<Expr> {
    with_walker(text, dialect, GroupKind::Expression, origin, |walker, root| {
        walker.single(root, Place::Expression, 0)
    })
}

/// Parses a text that is the content of a template: the content of a string in JSON, or a template file. Backslashes
/// and quotes mean themselves; `${ }`, `%{ }` and their escapes are understood.
pub fn parse_template(origin: &Origin, text: &str, dialect: Dialect) -> Parsed<Expr> {
    with_walker(text, dialect, GroupKind::Template, origin, |walker, root| {
        let group = &walker.scan.groups[root];
        let kind = walker.template(group, 0);
        Expr::new(kind, walker.origin.span(group.inner_start, group.inner_end))
    })
}

/// Parses a text that is a static traversal, such as an element of `depends_on` in JSON or an address without its
/// instance keys being computed. `None` if it is not one; a diagnostic then says why.
pub fn parse_traversal(origin: &Origin, text: &str, dialect: Dialect) -> Parsed<Option<Arc<Traversal>>> {
    let Parsed { tree, mut diagnostics } = parse_expression(origin, text, dialect);
    match tree.kind {
        ExprKind::Traversal(traversal) => Parsed { tree: Some(traversal), diagnostics },
        ExprKind::Error => Parsed { tree: None, diagnostics },
        _ => {
            diagnostics.push(
                Diagnostic::error("not-a-reference", "A static reference is required")
                    .detail("Found an expression that has to be evaluated; wanted a name with literal steps.")
                    .at(tree.span)
                    .help("Write a reference such as `aws_instance.web` or `module.net.id[0]`."),
            );
            Parsed { tree: None, diagnostics }
        }
    }
}

fn with_walker<T>(
    text: &str,
    dialect: Dialect,
    root: GroupKind,
    origin: &Origin,
    walk: impl FnOnce(&mut Walker, usize) -> T,
) -> Parsed<T> {
    scan_and_walk(text, dialect, root, origin, None, walk).0
}

fn scan_and_walk<T>(
    text: &str,
    dialect: Dialect,
    root: GroupKind,
    origin: &Origin,
    memory: Option<&mut Memory>,
    walk: impl FnOnce(&mut Walker, usize) -> T,
) -> (Parsed<T>, Scan) {
    let (scan, diagnostics) = scan(text, dialect, root, origin);
    let mut walker = Walker { text, dialect, origin, scan: &scan, diagnostics, deep: false, memory };
    let tree = walk(&mut walker, scan.groups.len() - 1);
    let mut diagnostics = walker.diagnostics;
    diagnostics.sort();
    (Parsed { tree, diagnostics }, scan)
}

/// Makes the tree from what the grammar matched.
struct Walker<'a> {
    text: &'a str,
    dialect: Dialect,
    origin: &'a Origin,
    scan: &'a Scan,
    diagnostics: Diagnostics,
    /// Whether it has been said that something is nested too deeply.
    deep: bool,
    /// Outside of blocks: those that the text had before.
    memory: Option<&'a mut Memory>,
}

/// A stretch of tokens that the grammar is applied to, and their kinds.
#[derive(Clone, Copy)]
struct Run<'a> {
    tokens: &'a [Token],
    kinds: &'a str,
}

impl<'a> Run<'a> {
    fn slice(self, range: Range<usize>) -> Run<'a> {
        Run { tokens: &self.tokens[range.clone()], kinds: &self.kinds[range] }
    }

    fn kind(self, at: usize) -> u8 {
        self.kinds.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The pieces between separators. There is always at least one, which may be empty.
    fn pieces(self, separators: &'static [u8]) -> impl Iterator<Item = Range<usize>> {
        let bytes = self.kinds.as_bytes();
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let start = next?;
            let end = bytes[start..].iter().position(|kind| separators.contains(kind)).map(|i| start + i);
            next = end.map(|end| end + 1);
            Some(start..end.unwrap_or(bytes.len()))
        })
    }
}

/// Whether it is a block's header without the brace.
fn is_header(run: Run) -> bool {
    run.kinds.bytes().all(|kind| kind::is_word(kind) || kind == kind::STRING)
}

/// Applies a rule. Where it does not match: at which token.
fn apply(rule: Rule, run: Run) -> Result<Pairs<Rule>, usize> {
    Grammar::parse(rule, run.kinds).map_err(|error| match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    })
}

impl<'a> Walker<'a> {
    fn run(&self, group: &Group) -> Run<'a> {
        let (tokens, kinds) = self.scan.run(group);
        Run { tokens, kinds }
    }

    fn span_of(&self, token: Token) -> Span {
        self.origin.span(token.start, token.end)
    }

    /// The place from the first to the last of some tokens.
    fn span_over(&self, tokens: &[Token]) -> Span {
        match tokens {
            [first, .., last] => self.origin.span(first.start, last.end),
            [one] => self.span_of(*one),
            [] => self.origin.span(0, 0),
        }
    }

    fn token_text(&self, token: Token) -> &'a str {
        &self.text[token.start as usize..token.end as usize]
    }

    fn ident(&self, token: Token) -> Ident {
        Ident { name: normal(self.token_text(token)), span: self.span_of(token) }
    }

    /// The group that a token is.
    fn group(&self, token: Token) -> &'a Group {
        &self.scan.groups[token.group as usize]
    }

    /// Says why a run does not match, unless something in it has been complained about.
    fn complain(&mut self, place: Place, run: Run, at: usize) {
        let broken = run.tokens.iter().any(|token| token.group != NO_GROUP && self.group(*token).broken);
        if broken || run.kinds.as_bytes().contains(&kind::ERROR) {
            return;
        }
        let trouble = Trouble {
            text: self.text,
            origin: self.origin,
            tokens: run.tokens,
            kinds: run.kinds.as_bytes(),
            end: match place {
                Place::Item | Place::OneLine | Place::Entry => "the end of the line",
                _ => "the end",
            },
        };
        let diagnostic = explain::explain(&trouble, place, at);
        self.diagnostics.push(diagnostic);
    }

    fn native_only(&mut self, what: &str, span: Span) {
        if self.dialect == Dialect::Terraform {
            self.diagnostics.push(explain::native_only(what, span));
        }
    }

    fn body(&mut self, group: usize) -> Body {
        let group = &self.scan.groups[group];
        let run = self.run(group);
        let root = group.first as usize + run.tokens.len() == self.scan.tokens.len();
        let rule = if root { Rule::root } else { Rule::block_body };
        let items = match apply(rule, run) {
            Ok(pairs) => {
                let mut items = Vec::with_capacity(pairs.len());
                items.extend(
                    pairs.filter(|pair| pair.as_rule() != Rule::EOI).map(|pair| self.item(pair, run)),
                );
                items
            }
            Err(_) => self.items_piecewise(group, run, root),
        };
        self.report_duplicates(&items);
        Body { items, span: self.origin.span(group.inner_start, group.inner_end) }
    }

    /// Parses the items of a body one by one, since some do not match.
    fn items_piecewise(&mut self, group: &Group, run: Run, root: bool) -> Vec<Item> {
        let before = self.diagnostics.len();
        let mut items = Vec::new();
        let mut after_header = false;
        for range in run.pieces(&[kind::NEWLINE]).filter(|range| !range.is_empty()) {
            let piece = run.slice(range);
            // What follows a header without its brace is the brace, which has been missed already.
            let missed =
                std::mem::replace(&mut after_header, is_header(piece)) && piece.kind(0) == kind::BLOCK;
            if missed {
                items.push(Item::Error(self.span_over(piece.tokens)));
                continue;
            }
            match apply(Rule::one_item, piece) {
                Ok(mut pairs) => items.extend(pairs.next().map(|pair| self.item(pair, piece))),
                Err(at) => {
                    let place =
                        if root || run.kind(0) == kind::NEWLINE { Place::Item } else { Place::OneLine };
                    self.complain(place, piece, at);
                    items.push(self.broken_item(piece));
                }
            }
        }
        let told = self.diagnostics.len() > before || run.kinds.as_bytes().contains(&kind::ERROR);
        if !told && !group.broken && !root {
            // Each item is as it should be, so it is the line breaks that are not.
            let diagnostic =
                explain::misplaced_line_breaks(run.kind(0) == kind::NEWLINE, self.span_over(run.tokens));
            self.diagnostics.push(diagnostic);
        }
        items
    }

    /// What can be kept of an item that does not match: at least that an attribute of that name was given.
    fn broken_item(&mut self, piece: Run) -> Item {
        let span = self.span_over(piece.tokens);
        if kind::is_word(piece.kind(0)) && piece.kind(1) == b'=' {
            let end = self.origin.span(piece.tokens[1].end, piece.tokens[1].end);
            let value = match piece.tokens.len() {
                2 => end,
                _ => self.span_over(&piece.tokens[2..]),
            };
            let name = self.ident(piece.tokens[0]);
            return Item::Attribute(Attribute { name, value: Expr::new(ExprKind::Error, value), span });
        }
        Item::Error(span)
    }

    fn item(&mut self, pair: Pair<Rule>, run: Run) -> Item {
        let range = pair.as_span().start()..pair.as_span().end();
        let tokens = &run.tokens[range.clone()];
        let span = self.span_over(tokens);
        if pair.as_rule() == Rule::block {
            return Item::Block(self.top_block(tokens, &run.kinds[range], span));
        }
        let name = self.ident(tokens[0]);
        let value = match pair.into_inner().next() {
            Some(value) => self.element(value, run, 0),
            None => Expr::new(ExprKind::Error, span),
        };
        Item::Attribute(Attribute { name, value, span })
    }

    /// A block, which may be the same as in the text before. What was nested too deeply once is not said again, so from
    /// then on every block is made anew.
    fn top_block(&mut self, tokens: &[Token], kinds: &str, span: Span) -> Arc<Block> {
        let Some(memory) = self.memory.take().filter(|_| !self.deep) else {
            return Arc::new(self.block(tokens, kinds, span));
        };
        // Its tokens are a part of the tokens of the file.
        let run = self.scan.groups.last().map_or(0, |group| group.first as usize);
        let top = &self.scan.tokens[run..];
        let first = run + top.partition_point(|token| token.start < tokens[0].start);
        let header = (first as u32, (first + tokens.len()) as u32);
        let block = memory.find(span.source, self.text, self.scan, header).unwrap_or_else(|| {
            let before = self.diagnostics.len();
            let block = Arc::new(self.block(tokens, kinds, span));
            if self.diagnostics.len() == before && !self.deep {
                memory.keep(self.scan, header, &block);
            }
            block
        });
        self.memory = Some(memory);
        block
    }

    fn block(&mut self, tokens: &[Token], kinds: &str, span: Span) -> Block {
        let last = tokens.len() - 1;
        let labels = tokens[1..last]
            .iter()
            .zip(&kinds.as_bytes()[1..last])
            .map(|(token, kind)| self.label(*token, *kind))
            .collect();
        Block {
            kind: self.ident(tokens[0]),
            labels,
            body: self.body(tokens[last].group as usize),
            header_span: self.span_over(&tokens[..last]),
            span,
        }
    }

    fn label(&mut self, token: Token, kind: u8) -> BlockLabel {
        let quoted = kind == kind::STRING;
        let text = if quoted {
            self.quoted_string(token).unwrap_or_default()
        } else {
            normal(self.token_text(token))
        };
        BlockLabel { text, span: self.span_of(token), quoted }
    }

    /// Attributes that are set twice in a body.
    fn report_duplicates(&mut self, items: &[Item]) {
        let mut seen: HashMap<&EcoString, Span> = HashMap::new();
        let attributes = items.iter().filter_map(|item| match item {
            Item::Attribute(attribute) => Some(&attribute.name),
            _ => None,
        });
        if items.len() < 2 {
            return;
        }
        for name in attributes {
            if let Some(first) = seen.get(&name.name) {
                self.diagnostics.push(
                    Diagnostic::error("attribute-redefined", "Attribute redefined")
                        .detail(ecow::eco_format!("The argument `{name}` has been set before in this body."))
                        .label(name.span, "set again here")
                        .label(*first, "first set here")
                        .help("Remove one of them."),
                );
            } else {
                seen.insert(&name.name, name.span);
            }
        }
    }
}
