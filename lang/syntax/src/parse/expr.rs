//! Expressions.
//!
//! `depth` is how deep the expression that is being made lies in the whole one. It is checked where it grows by the
//! author's doing without brackets: conditionals, unary operators, chains of operators, splats.

use std::sync::Arc;

use ecow::eco_format;
use pest::iterators::{Pair, Pairs};
use plumb_model::{Diagnostic, Number, Span};

use super::{Rule, Run, Walker, apply};
use crate::explain::{self, Place};
use crate::token::{Group, Token, kind};
use crate::tree::{
    Access, AccessStep, Binary, BinaryOp, Call, Conditional, Dialect, Expr, ExprKind, For, Ident, MAX_DEPTH,
    Object, ObjectEntry, ObjectKey, Qualified, Traversal, TraversalStep, Tuple, Unary, UnaryOp, Where,
};

/// From how many operands on a chain of one associative operator is grouped as a balanced tree.
const BALANCED: usize = 8;

/// An operator between two operands and its place.
type Infix = (BinaryOp, Span);

/// Binary operators from those that bind tightest to those that bind loosest.
const LEVELS: [&[BinaryOp]; 7] = [
    &[BinaryOp::Multiply, BinaryOp::Divide, BinaryOp::Modulo],
    &[BinaryOp::Add, BinaryOp::Subtract],
    &[BinaryOp::Greater, BinaryOp::GreaterOrEqual, BinaryOp::Less, BinaryOp::LessOrEqual],
    &[BinaryOp::Equal, BinaryOp::NotEqual],
    &[BinaryOp::And],
    &[BinaryOp::Or],
    &[BinaryOp::Coalesce],
];

impl Walker<'_> {
    /// A group that holds one expression.
    pub(super) fn single(&mut self, group: usize, place: Place, depth: usize) -> Expr {
        let group = &self.scan.groups[group];
        let run = self.run(group);
        match apply(Rule::single, run) {
            Ok(mut pairs) => match pairs.next() {
                Some(pair) => self.expr(pair, run, depth),
                None => self.error(group),
            },
            Err(at) => {
                self.complain_in(group, place, run, at);
                self.error(group)
            }
        }
    }

    fn error(&self, group: &Group) -> Expr {
        Expr::new(ExprKind::Error, self.origin.span(group.inner_start, group.inner_end))
    }

    fn complain_in(&mut self, group: &Group, place: Place, run: Run, at: usize) {
        if run.tokens.is_empty() {
            if !group.broken {
                let diagnostic =
                    explain::nothing(place, self.origin.span(group.inner_start, group.inner_end));
                self.diagnostics.push(diagnostic);
            }
        } else if !group.broken {
            self.complain(place, run, at);
        }
    }

    /// What may stand as an element or as the value of an attribute: an expression, or a spread.
    pub(super) fn element(&mut self, pair: Pair<Rule>, run: Run, depth: usize) -> Expr {
        if pair.as_rule() != Rule::spread {
            return self.expr(pair, run, depth);
        }
        let range = pair.as_span().start()..pair.as_span().end();
        let span = self.span_over(&run.tokens[range]);
        self.native_only("...", span);
        match pair.into_inner().next() {
            Some(value) => {
                let value = self.expr(value, run, depth + 1);
                Expr::new(ExprKind::Spread(Arc::new(value)), span)
            }
            None => Expr::new(ExprKind::Error, span),
        }
    }

    pub(super) fn expr(&mut self, pair: Pair<Rule>, run: Run, depth: usize) -> Expr {
        let range = pair.as_span().start()..pair.as_span().end();
        let span = self.span_over(&run.tokens[range.clone()]);
        let mut parts = pair.into_inner();
        if range.len() == 1 {
            return self.term(run, range.start, range.end, depth);
        }
        let added = added_depth(&run.kinds.as_bytes()[range]);
        if depth + added > MAX_DEPTH {
            return self.too_deep(span);
        }
        let base = self.operation(&mut parts, run, depth + added);
        let mut expr = base;
        while let Some(part) = parts.next() {
            expr = match part.as_rule() {
                Rule::expr => self.conditional(expr, part, parts.next(), run, depth),
                Rule::nullable => {
                    if self.dialect == Dialect::Terraform {
                        let diagnostic = explain::missing_arms(span);
                        self.diagnostics.push(diagnostic);
                    }
                    let span = expr.span.to(self.span_of(run.tokens[part.as_span().start()]));
                    Expr::new(ExprKind::Nullable(Arc::new(expr)), span)
                }
                _ => match part.into_inner().next() {
                    Some(condition) => {
                        let condition = self.expr(condition, run, depth + 1);
                        let span = expr.span.to(condition.span);
                        Expr::new(ExprKind::Where(Arc::new(Where { base: expr, condition })), span)
                    }
                    None => expr,
                },
            };
        }
        expr
    }

    fn conditional(
        &mut self,
        condition: Expr,
        then: Pair<Rule>,
        otherwise: Option<Pair<Rule>>,
        run: Run,
        depth: usize,
    ) -> Expr {
        let Some(otherwise) = otherwise else { return condition };
        let then = self.expr(then, run, depth + 1);
        let otherwise = self.expr(otherwise, run, depth + 1);
        let span = condition.span.to(otherwise.span);
        Expr::new(ExprKind::Conditional(Arc::new(Conditional { condition, then, otherwise })), span)
    }

    /// Operands with the operators between them, and nothing else; leaves what follows in `parts`.
    fn operation(&mut self, parts: &mut Pairs<Rule>, run: Run, depth: usize) -> Expr {
        let mut operands = Vec::new();
        let mut operators: Vec<Infix> = Vec::new();
        let mut prefixes: Vec<Token> = Vec::new();
        while let Some(part) = parts.peek() {
            let (start, end) = (part.as_span().start(), part.as_span().end());
            match part.as_rule() {
                Rule::prefix => prefixes.push(run.tokens[start]),
                Rule::infix => {
                    operators.push((binary_op(run.kind(start)), self.span_of(run.tokens[start])));
                }
                Rule::term => {
                    let mut operand = self.term(run, start, end, depth);
                    for prefix in prefixes.drain(..).rev() {
                        operand = self.unary(prefix, operand);
                    }
                    operands.push(operand);
                }
                _ => break,
            }
            parts.next();
        }
        group_by_precedence(operands, operators)
    }

    fn unary(&self, operator: Token, operand: Expr) -> Expr {
        let op_span = self.span_of(operator);
        let op = if self.token_text(operator) == "-" { UnaryOp::Negate } else { UnaryOp::Not };
        let span = op_span.to(operand.span);
        Expr::new(ExprKind::Unary(Arc::new(Unary { op, op_span, operand })), span)
    }

    pub(super) fn too_deep(&mut self, span: Span) -> Expr {
        if !std::mem::replace(&mut self.deep, true) {
            self.diagnostics.push(explain::nested_too_deep(span));
        }
        Expr::new(ExprKind::Error, span)
    }

    /// An operand with the steps behind it: the tokens `start..end` of a run.
    fn term(&mut self, run: Run, start: usize, end: usize, depth: usize) -> Expr {
        let first = run.tokens[start];
        let (base, steps) = match run.kind(start) {
            word if kind::is_word(word) => {
                let call = run.kinds.as_bytes()[start..end]
                    .iter()
                    .position(|kind| !kind::is_word(*kind) && *kind != kind::NAMESPACE)
                    .filter(|length| run.kind(start + length) == kind::PAREN);
                match call {
                    Some(length) => {
                        (self.call(&run.tokens[start..=start + length], depth), start + length + 1)
                    }
                    None if run.kind(start + 1) == kind::NAMESPACE => self.qualified(run, start, end),
                    None if word == kind::LITERAL => (self.literal(first), start + 1),
                    None => return self.traversal(run, start, end, depth),
                }
            }
            _ => (self.atom(first, run.kind(start), depth), start + 1),
        };
        if steps == end { base } else { self.access(base, run.slice(steps..end), depth) }
    }

    /// `library::name`, and where it ends. In Terraform's language only functions have namespaces.
    fn qualified(&mut self, run: Run, start: usize, end: usize) -> (Expr, usize) {
        let belongs = |at: &usize| kind::is_word(run.kind(*at)) || run.kind(*at) == kind::NAMESPACE;
        let steps = (start..end).find(|at| !belongs(at)).unwrap_or(end);
        let span = self.span_over(&run.tokens[start..steps]);
        if self.dialect == Dialect::Terraform {
            self.diagnostics.push(explain::missing_arguments(span));
            return (Expr::new(ExprKind::Error, span), steps);
        }
        let mut namespaces: Vec<Ident> =
            run.tokens[start..steps].iter().step_by(2).map(|token| self.ident(*token)).collect();
        let name = namespaces.pop().expect("the grammar matched a name");
        (Expr::new(ExprKind::Qualified(Arc::new(Qualified { namespaces, name, span })), span), steps)
    }

    fn literal(&self, token: Token) -> Expr {
        let kind = match self.token_text(token) {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            _ => ExprKind::Null,
        };
        Expr::new(kind, self.span_of(token))
    }

    fn atom(&mut self, token: Token, token_kind: u8, depth: usize) -> Expr {
        let span = self.span_of(token);
        let depth = depth + 1;
        if depth > MAX_DEPTH {
            return self.too_deep(span);
        }
        let expr_kind = match token_kind {
            kind::NUMBER => self.number(token).map_or(ExprKind::Error, ExprKind::Number),
            kind::STRING => self.quoted_string(token).map_or(ExprKind::Error, ExprKind::String),
            kind::TEMPLATE => self.template(self.group(token), depth),
            kind::PAREN => ExprKind::Paren(Arc::new(self.single(token.group as usize, Place::Paren, depth))),
            kind::BRACKET => self.bracket(self.group(token), depth),
            _ => self.brace(self.group(token), depth),
        };
        Expr::new(expr_kind, span)
    }

    fn number(&mut self, token: Token) -> Option<Number> {
        let text = self.token_text(token);
        if text.len() < 18 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let value = text.bytes().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'));
            return Some(Number::from_i64(value).with_precision(plumb_model::number::TEXT_PRECISION));
        }
        let number = Number::parse(text);
        if number.is_err() {
            self.diagnostics.push(
                Diagnostic::error("invalid-number", "Invalid number literal")
                    .detail(eco_format!("`{text}` is not a number that can be represented."))
                    .at(self.span_of(token))
                    .help(
                        "Write digits, at most one decimal point, and an exponent such as `e3` if need be.",
                    ),
            );
        }
        number.ok()
    }

    /// `name(…)` with its namespaces.
    fn call(&mut self, tokens: &[Token], depth: usize) -> Expr {
        let (parens, names) = tokens.split_last().expect("the grammar matched a parenthesis");
        let name_span = self.span_over(names);
        let mut namespaces: Vec<Ident> = names.iter().step_by(2).map(|token| self.ident(*token)).collect();
        let name = namespaces.pop().expect("the grammar matched a name");
        let span = self.span_over(tokens);
        if depth + 1 > MAX_DEPTH {
            return self.too_deep(span);
        }
        let (arguments, expand_final) = self.arguments(self.group(*parens), depth + 1);
        let arguments_span = self.span_of(*parens);
        let call = Call { namespaces, name, arguments, expand_final, name_span, arguments_span };
        Expr::new(ExprKind::Call(Arc::new(call)), span)
    }

    fn arguments(&mut self, group: &Group, depth: usize) -> (Vec<Expr>, Option<Span>) {
        let run = self.run(group);
        if run.tokens.is_empty() {
            return (Vec::new(), None);
        }
        if let Ok(pairs) = apply(Rule::arguments, run) {
            let mut arguments = Vec::new();
            let mut expand_final = None;
            for pair in pairs {
                match pair.as_rule() {
                    Rule::expr => arguments.push(self.expr(pair, run, depth)),
                    Rule::expand => expand_final = Some(self.span_of(run.tokens[pair.as_span().start()])),
                    _ => {}
                }
            }
            return (arguments, expand_final);
        }
        let arguments = self.piecewise(group, run, Place::Argument, b",", |walker, piece, out| {
            match apply(Rule::single, piece) {
                Ok(mut pairs) => {
                    out.extend(pairs.next().map(|pair| walker.expr(pair, piece, depth)));
                    Ok(())
                }
                Err(at) => {
                    out.push(Expr::new(ExprKind::Error, walker.span_over(piece.tokens)));
                    Err(at)
                }
            }
        });
        (arguments, None)
    }

    /// Parses the pieces of a group one by one, since the group as a whole does not match.
    fn piecewise<T>(
        &mut self,
        group: &Group,
        run: Run,
        place: Place,
        separators: &'static [u8],
        mut parse: impl FnMut(&mut Self, Run, &mut Vec<T>) -> Result<(), usize>,
    ) -> Vec<T> {
        let mut out = Vec::new();
        let mut told = group.broken || run.kinds.as_bytes().contains(&kind::ERROR);
        for range in run.pieces(separators) {
            let end = range.end;
            if range.is_empty() && end == run.tokens.len() {
                continue;
            }
            if range.is_empty() {
                if !told {
                    let diagnostic = explain::empty_piece(place, self.span_of(run.tokens[end]));
                    self.diagnostics.push(diagnostic);
                    told = true;
                }
                continue;
            }
            let piece = run.slice(range);
            if let Err(at) = parse(self, piece, &mut out) {
                self.complain_in(group, place, piece, at);
                told = true;
            }
        }
        if !told {
            // Each piece is as it should be, so the trouble is how they stand beside each other.
            self.complain(place, run, run.tokens.len());
        }
        out
    }

    fn bracket(&mut self, group: &Group, depth: usize) -> ExprKind {
        let run = self.run(group);
        if run.tokens.is_empty() {
            return ExprKind::Tuple(Arc::new(Tuple { elements: Vec::new() }));
        }
        let pairs = match apply(Rule::bracket, run) {
            Ok(pairs) => pairs,
            Err(at) if run.kind(0) == kind::FOR => {
                self.complain_in(group, Place::ForTuple, run, at);
                return ExprKind::Error;
            }
            Err(_) => return ExprKind::Tuple(Arc::new(Tuple { elements: self.elements(group, run, depth) })),
        };
        if run.kind(0) == kind::FOR {
            return self.for_expr(pairs, run, depth);
        }
        let mut elements = Vec::with_capacity(pairs.len());
        for pair in pairs {
            if pair.as_rule() != Rule::EOI {
                elements.push(self.element(pair, run, depth));
            }
        }
        ExprKind::Tuple(Arc::new(Tuple { elements }))
    }

    fn elements(&mut self, group: &Group, run: Run, depth: usize) -> Vec<Expr> {
        self.piecewise(group, run, Place::Element, b",", |walker, piece, out| {
            match apply(Rule::one_element, piece) {
                Ok(mut pairs) => {
                    out.extend(pairs.next().map(|pair| walker.element(pair, piece, depth)));
                    Ok(())
                }
                Err(at) => {
                    out.push(Expr::new(ExprKind::Error, walker.span_over(piece.tokens)));
                    Err(at)
                }
            }
        })
    }

    fn brace(&mut self, group: &Group, depth: usize) -> ExprKind {
        let run = self.run(group);
        let pairs = match apply(Rule::brace, run) {
            Ok(pairs) => pairs,
            Err(at) if run.kind(0) == kind::FOR => {
                self.complain_in(group, Place::ForObject, run, at);
                return ExprKind::Error;
            }
            Err(_) => {
                let entries = self.piecewise(group, run, Place::Entry, b",N", |walker, piece, out| {
                    walker.one_entry(piece, depth, out)
                });
                return ExprKind::Object(Arc::new(Object { entries }));
            }
        };
        if run.kind(0) == kind::FOR {
            return self.for_expr(pairs, run, depth);
        }
        let mut entries = Vec::with_capacity(pairs.len() / 2);
        self.entries(pairs, run, depth, &mut entries);
        ExprKind::Object(Arc::new(Object { entries }))
    }

    fn one_entry(&mut self, piece: Run, depth: usize, out: &mut Vec<ObjectEntry>) -> Result<(), usize> {
        match apply(Rule::one_entry, piece) {
            Ok(pairs) => {
                self.entries(pairs, piece, depth, out);
                Ok(())
            }
            Err(at) => {
                if kind::is_word(piece.kind(0)) && matches!(piece.kind(1), b'=' | b':') {
                    let span = self.span_over(&piece.tokens[1..]);
                    out.push(ObjectEntry::Pair {
                        key: ObjectKey::Name(self.ident(piece.tokens[0])),
                        value: Expr::new(ExprKind::Error, span),
                    });
                }
                Err(at)
            }
        }
    }

    fn entries(&mut self, mut pairs: Pairs<Rule>, run: Run, depth: usize, out: &mut Vec<ObjectEntry>) {
        while let Some(pair) = pairs.next() {
            let range = pair.as_span().start()..pair.as_span().end();
            let span = self.span_over(&run.tokens[range.clone()]);
            match pair.as_rule() {
                Rule::EOI => {}
                Rule::spread => {
                    self.native_only("...", span);
                    if let Some(value) = pair.into_inner().next() {
                        out.push(ObjectEntry::Spread(self.expr(value, run, depth), span));
                    }
                }
                Rule::open => {
                    if self.dialect == Dialect::Terraform {
                        self.diagnostics.push(explain::open_object(span));
                    }
                    out.push(ObjectEntry::Open(span));
                }
                rule => {
                    let key = if rule == Rule::key {
                        ObjectKey::Name(self.ident(run.tokens[range.start]))
                    } else {
                        ObjectKey::Expr(self.expr(pair, run, depth))
                    };
                    if let Some(value) = pairs.next() {
                        out.push(ObjectEntry::Pair { key, value: self.expr(value, run, depth) });
                    }
                }
            }
        }
    }

    fn for_expr(&mut self, pairs: Pairs<Rule>, run: Run, depth: usize) -> ExprKind {
        let Some(whole) = pairs.into_iter().next() else { return ExprKind::Error };
        let object = whole.as_rule() == Rule::for_object;
        let (mut variables, mut exprs, mut grouping, mut only_if) = (Vec::new(), Vec::new(), None, false);
        for pair in whole.into_inner() {
            let token = pair.as_span().start();
            match pair.as_rule() {
                Rule::variable => variables.push(self.ident(run.tokens[token])),
                Rule::grouping => grouping = Some(self.span_of(run.tokens[token])),
                Rule::only_if => only_if = true,
                Rule::expr => exprs.push(self.expr(pair, run, depth)),
                _ => {}
            }
        }
        let condition = if object { only_if } else { exprs.len() == 3 };
        let condition = if condition { exprs.pop() } else { None };
        let (Some(value), Some(result)) = (variables.pop(), exprs.pop()) else { return ExprKind::Error };
        let result_key = if object { exprs.pop() } else { None };
        let Some(collection) = exprs.pop() else { return ExprKind::Error };
        ExprKind::For(Arc::new(For {
            key: variables.pop(),
            value,
            collection,
            result_key,
            result,
            grouping,
            condition,
        }))
    }

    /// A name with steps: a traversal as far as they are literal.
    fn traversal(&mut self, run: Run, start: usize, end: usize, depth: usize) -> Expr {
        let root = self.ident(run.tokens[start]);
        let mut steps = Vec::new();
        let mut at = start + 1;
        while at < end {
            let (step, length) = match (run.kind(at), run.kind(at + 1)) {
                (b'.', kind::NUMBER) => (self.legacy_index(run, at), 2),
                (b'.', b'*') => (None, 0),
                (b'.', _) => (Some(TraversalStep::Attribute(self.ident(run.tokens[at + 1]))), 2),
                (kind::BRACKET, _) => (self.literal_index(run.tokens[at]), 1),
                _ => (None, 0),
            };
            let Some(step) = step else { break };
            steps.push(step);
            at += length;
        }
        let span = self.span_over(&run.tokens[start..at]);
        let traversal = Expr::new(ExprKind::Traversal(Arc::new(Traversal { root, steps, span })), span);
        if at == end { traversal } else { self.access(traversal, run.slice(at..end), depth) }
    }

    /// `.0`, at the dot.
    fn legacy_index(&mut self, run: Run, at: usize) -> Option<TraversalStep> {
        let number = run.tokens[at + 1];
        let text = self.token_text(number);
        let span = self.span_over(&run.tokens[at..at + 2]);
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(TraversalStep::Index(self.number(number)?, span));
        }
        let indices: String = text.split('.').map(|index| format!("[{index}]")).collect();
        self.diagnostics.push(
            Diagnostic::error("invalid-legacy-index", "Invalid legacy index syntax")
                .detail("Two indices written with dots cannot stand one behind the other.")
                .at(span)
                .help(eco_format!("Write `{indices}`."))
                .suggest(span, indices, true),
        );
        Some(TraversalStep::Index(Number::from_i64(0), span))
    }

    /// `[0]` or `["key"]`.
    fn literal_index(&mut self, token: Token) -> Option<TraversalStep> {
        let run = self.run(self.group(token));
        let span = self.span_of(token);
        match run.kinds.as_bytes() {
            [kind::NUMBER] => Some(TraversalStep::Index(self.number(run.tokens[0])?, span)),
            [kind::STRING] => Some(TraversalStep::Key(self.quoted_string(run.tokens[0])?, span)),
            _ => None,
        }
    }

    fn access(&mut self, base: Expr, run: Run, depth: usize) -> Expr {
        let span = base.span.to(self.span_over(run.tokens));
        let mut steps = Vec::new();
        let mut at = 0;
        while at < run.tokens.len() {
            at = self.step(run, at, depth, &mut steps);
        }
        if self.deep {
            return Expr::new(ExprKind::Error, span);
        }
        Expr::new(ExprKind::Access(Arc::new(Access { base, steps })), span)
    }

    /// Reads the step at a token, and all that a splat governs; gives where it goes on.
    fn step(&mut self, run: Run, at: usize, depth: usize, steps: &mut Vec<AccessStep>) -> usize {
        let token = run.tokens[at];
        if depth > MAX_DEPTH {
            self.too_deep(self.span_of(token));
            return run.tokens.len();
        }
        match (run.kind(at), run.kind(at + 1)) {
            (kind::SPLAT, _) => {
                let mut each = Vec::new();
                let mut next = at + 1;
                while next < run.tokens.len() {
                    next = self.step(run, next, depth + 1, &mut each);
                }
                steps.push(AccessStep::Splat { each, full: true, span: self.span_of(token) });
                next
            }
            (b'.', b'*') => self.attribute_splat(run, at, depth, steps),
            (b'.', kind::NUMBER) => {
                if let Some(TraversalStep::Index(number, span)) = self.legacy_index(run, at) {
                    let key = Expr::new(ExprKind::Number(number), self.span_of(run.tokens[at + 1]));
                    steps.push(AccessStep::Index { key, optional: false, span });
                }
                at + 2
            }
            (kind::BRACKET, _) => {
                let key = self.single(token.group as usize, Place::Index, depth + 1);
                steps.push(AccessStep::Index { key, optional: false, span: self.span_of(token) });
                at + 1
            }
            (kind::SAFE_INDEX, _) => {
                let bracket = run.tokens[at + 1];
                let key = self.single(bracket.group as usize, Place::Index, depth + 1);
                let span = self.span_over(&run.tokens[at..at + 2]);
                steps.push(AccessStep::Index { key, optional: true, span });
                at + 2
            }
            (dot, _) => {
                let name = self.ident(run.tokens[at + 1]);
                steps.push(AccessStep::Attribute { name, optional: dot == kind::SAFE_DOT });
                at + 2
            }
        }
    }

    /// `.*` and the attributes behind it.
    fn attribute_splat(&mut self, run: Run, at: usize, depth: usize, steps: &mut Vec<AccessStep>) -> usize {
        let span = self.span_over(&run.tokens[at..at + 2]);
        let mut each = Vec::new();
        let mut next = at + 2;
        while matches!(run.kind(next), b'.' | kind::SAFE_DOT) {
            if run.kind(next + 1) == b'*' {
                let nested = self.span_over(&run.tokens[next..next + 2]);
                self.diagnostics.push(
                    Diagnostic::error("nested-splat", "Nested splat expression not allowed")
                        .detail("A `.*` cannot stand within what another `.*` does with each element.")
                        .label(nested, "this one")
                        .label(span, "is within this one")
                        .help("Use `[*]` for both."),
                );
                next += 2;
                continue;
            }
            next = self.step(run, next, depth + 1, &mut each);
        }
        steps.push(AccessStep::Splat { each, full: false, span });
        next
    }
}

fn binary_op(token: u8) -> BinaryOp {
    match token {
        b'*' => BinaryOp::Multiply,
        b'/' => BinaryOp::Divide,
        b'%' => BinaryOp::Modulo,
        b'+' => BinaryOp::Add,
        b'-' => BinaryOp::Subtract,
        b'>' => BinaryOp::Greater,
        b'<' => BinaryOp::Less,
        kind::GREATER_OR_EQUAL => BinaryOp::GreaterOrEqual,
        kind::LESS_OR_EQUAL => BinaryOp::LessOrEqual,
        kind::EQUAL => BinaryOp::Equal,
        kind::NOT_EQUAL => BinaryOp::NotEqual,
        kind::AND => BinaryOp::And,
        kind::OR => BinaryOp::Or,
        _ => BinaryOp::Coalesce,
    }
}

/// By how much operators alone can nest the operands of an expression of these kinds. What comes behind a `?` counts
/// where it is made.
fn added_depth(kinds: &[u8]) -> usize {
    let (mut chained, mut associative) = (0, 0usize);
    for kind in kinds.iter().take_while(|kind| !matches!(**kind, b'?' | kind::WHERE)) {
        match *kind {
            kind::AND | kind::OR => associative += 1,
            b'!' => chained += 1,
            kind if kind::is_infix(kind) => chained += 1,
            _ => {}
        }
    }
    chained + associative.min(2 * BALANCED + (associative.max(1).ilog2() as usize))
}

/// Groups operands, one more than operators, by precedence.
fn group_by_precedence(mut operands: Vec<Expr>, mut operators: Vec<Infix>) -> Expr {
    for level in LEVELS {
        if operators.is_empty() {
            break;
        }
        if operators.iter().any(|(op, _)| level.contains(op)) {
            (operands, operators) = group_level(operands, operators, level);
        }
    }
    operands.pop().expect("the grammar matched an operand")
}

/// Groups each run of operators of one level.
fn group_level(operands: Vec<Expr>, operators: Vec<Infix>, level: &[BinaryOp]) -> (Vec<Expr>, Vec<Infix>) {
    let mut rest = (Vec::with_capacity(operands.len()), Vec::with_capacity(operators.len()));
    let mut operands = operands.into_iter();
    let mut run: (Vec<Expr>, Vec<Infix>) = (operands.next().into_iter().collect(), Vec::new());
    for (infix, operand) in operators.into_iter().zip(operands) {
        if level.contains(&infix.0) {
            run.1.push(infix);
            run.0.push(operand);
        } else {
            rest.0.push(group_run(std::mem::take(&mut run.0), std::mem::take(&mut run.1)));
            rest.1.push(infix);
            run.0.push(operand);
        }
    }
    rest.0.push(group_run(run.0, run.1));
    rest
}

/// Groups a run of operators of one level: to the left, `??` to the right, long chains of `&&` or `||` balanced.
fn group_run(operands: Vec<Expr>, operators: Vec<Infix>) -> Expr {
    let op = operators.first().map(|(op, _)| *op);
    match op {
        Some(BinaryOp::And | BinaryOp::Or) if operands.len() > BALANCED => balance(operands, operators),
        Some(BinaryOp::Coalesce) => {
            let mut operands = operands.into_iter().rev();
            let last = operands.next().expect("a run has operands");
            operands
                .zip(operators.into_iter().rev())
                .fold(last, |right, (left, infix)| binary(left, infix, right))
        }
        _ => {
            let mut operands = operands.into_iter();
            let first = operands.next().expect("a run has operands");
            operands.zip(operators).fold(first, |left, (right, infix)| binary(left, infix, right))
        }
    }
}

/// Joins neighbours until one is left, so that the depth is the logarithm of the length.
fn balance(mut operands: Vec<Expr>, mut operators: Vec<Infix>) -> Expr {
    while operands.len() > 1 {
        let mut joined = Vec::with_capacity(operands.len().div_ceil(2));
        let mut between = Vec::with_capacity(operators.len() / 2);
        let mut infixes = operators.into_iter();
        let mut rest = operands.into_iter();
        while let Some(left) = rest.next() {
            match (rest.next(), infixes.next()) {
                (Some(right), Some(infix)) => joined.push(binary(left, infix, right)),
                _ => joined.push(left),
            }
            between.extend(infixes.next());
        }
        (operands, operators) = (joined, between);
    }
    operands.pop().expect("a run has operands")
}

fn binary(left: Expr, (op, op_span): Infix, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr::new(ExprKind::Binary(Arc::new(Binary { op, op_span, left, right })), span)
}
