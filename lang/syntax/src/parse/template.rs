//! Texts with sequences: quoted templates, heredocs, template files.
//!
//! Literals are handled line by line, since trim markers and the indentation of heredocs are defined on lines: a marker
//! trims no more than the rest of its own line, except in quoted text, which is a single line whatever it contains. Trimming
//! comes before indentation is removed; a line that was joined to the one before by trimming has no indentation then.

use std::ops::Range;
use std::sync::Arc;

use ecow::EcoString;
use pest::iterators::{Pair, Pairs};
use unicode_segmentation::UnicodeSegmentation;

use super::{Rule, Run, Walker, apply, strings};
use crate::explain::{self, Place};
use crate::token::{Group, GroupKind, kind};
use crate::tree::{Expr, ExprKind, Ident, Template, TemplateFor, TemplateIf, TemplatePart};

impl Walker<'_> {
    /// What a text is: a string if it has no sequences, otherwise a template.
    pub(super) fn template(&mut self, group: &Group, depth: usize) -> ExprKind {
        let run = self.run(group);
        let Some(mut literals) = self.literals(group, run) else {
            self.sequences(run, depth);
            return ExprKind::Error;
        };
        if !run.kinds.bytes().any(|kind| kind != kind::TEXT) {
            return ExprKind::String(literals.pop().unwrap_or_default());
        }
        let parts = match apply(Rule::template, run) {
            Ok(pairs) => self.parts(pairs, run, &literals, depth),
            Err(at) => {
                if !group.broken && !run.kinds.as_bytes().contains(&kind::ERROR) {
                    let diagnostic = self.unbalanced(run, at);
                    self.diagnostics.push(diagnostic);
                }
                self.sequences(run, depth);
                return ExprKind::Error;
            }
        };
        let heredoc = matches!(group.kind, GroupKind::Heredoc { .. });
        let unwraps = run.kinds.as_bytes() == [kind::INTERPOLATION];
        ExprKind::Template(Arc::new(Template { parts, unwraps, heredoc }))
    }

    /// Reports what is wrong in the sequences of a text that is wrong itself.
    fn sequences(&mut self, run: Run, depth: usize) {
        for (at, kind) in run.kinds.bytes().enumerate() {
            match kind {
                kind::INTERPOLATION => {
                    self.single(run.tokens[at].group as usize, Place::Interpolation, depth + 1);
                }
                kind::DIRECTIVE_IF => drop(self.condition(run, at, depth + 1)),
                kind::DIRECTIVE_FOR => drop(self.iteration(run, at, depth + 1)),
                _ => {}
            }
        }
    }

    fn parts(
        &mut self,
        pairs: Pairs<Rule>,
        run: Run,
        literals: &[EcoString],
        depth: usize,
    ) -> Vec<TemplatePart> {
        let mut parts = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let at = pair.as_span().start();
            match pair.as_rule() {
                Rule::literal if literals[at].is_empty() => {}
                Rule::literal => parts.push(TemplatePart::Literal(literals[at].clone())),
                Rule::inserted => {
                    let group = run.tokens[at].group as usize;
                    let value = self.single(group, Place::Interpolation, depth + 1);
                    parts.push(TemplatePart::Interpolation(value));
                }
                Rule::branch => parts.push(self.branch(pair, run, literals, depth + 1)),
                Rule::repeat => parts.push(self.repeat(pair, run, literals, depth + 1)),
                _ => {}
            }
        }
        parts
    }

    fn branch(&mut self, pair: Pair<Rule>, run: Run, literals: &[EcoString], depth: usize) -> TemplatePart {
        let range = pair.as_span().start()..pair.as_span().end();
        let span = self.span_over(&run.tokens[range.clone()]);
        let condition = self.condition(run, range.start, depth);
        let mut arms = pair.into_inner();
        let then = arms.next();
        if let (Some(then), Some(_)) = (&then, arms.peek()) {
            self.expect_keyword_alone(run, then.as_span().end());
        }
        self.expect_keyword_alone(run, range.end - 1);
        let then = then.map_or_else(Vec::new, |arm| self.parts(arm.into_inner(), run, literals, depth));
        let otherwise =
            arms.next().map_or_else(Vec::new, |arm| self.parts(arm.into_inner(), run, literals, depth));
        TemplatePart::If(Arc::new(TemplateIf { condition, then, otherwise, span }))
    }

    fn repeat(&mut self, pair: Pair<Rule>, run: Run, literals: &[EcoString], depth: usize) -> TemplatePart {
        let range = pair.as_span().start()..pair.as_span().end();
        let span = self.span_over(&run.tokens[range.clone()]);
        let (key, value, collection) = self.iteration(run, range.start, depth);
        self.expect_keyword_alone(run, range.end - 1);
        let inner = pair.into_inner().next();
        let body = inner.map_or_else(Vec::new, |inner| self.parts(inner.into_inner(), run, literals, depth));
        TemplatePart::For(Arc::new(TemplateFor { key, value, collection, body, span }))
    }

    /// The condition of the `%{ if … }` at a token.
    fn condition(&mut self, run: Run, at: usize, depth: usize) -> Expr {
        let group = self.group(run.tokens[at]);
        let inner = self.run(group);
        match apply(Rule::directive_if, inner) {
            Ok(mut pairs) => {
                if let Some(condition) = pairs.next() {
                    return self.expr(condition, inner, depth);
                }
            }
            Err(at) if !group.broken => self.complain(Place::DirectiveIf, inner, at),
            Err(_) => {}
        }
        Expr::new(ExprKind::Error, self.span_of(run.tokens[at]))
    }

    /// The variables and the collection of the `%{ for … }` at a token.
    fn iteration(&mut self, run: Run, at: usize, depth: usize) -> (Option<Ident>, Ident, Expr) {
        let span = self.span_of(run.tokens[at]);
        let group = self.group(run.tokens[at]);
        let inner = self.run(group);
        let mut variables = Vec::new();
        let mut collection = Expr::new(ExprKind::Error, span);
        match apply(Rule::directive_for, inner) {
            Ok(pairs) => {
                for pair in pairs {
                    match pair.as_rule() {
                        Rule::variable => variables.push(self.ident(inner.tokens[pair.as_span().start()])),
                        Rule::expr => collection = self.expr(pair, inner, depth),
                        _ => {}
                    }
                }
            }
            Err(at) if !group.broken => self.complain(Place::DirectiveFor, inner, at),
            Err(_) => {}
        }
        let value = variables.pop().unwrap_or(Ident { name: "_".into(), span });
        (variables.pop(), value, collection)
    }

    /// Reports what stands behind the keyword of the `else`, `endif` or `endfor` at a token.
    fn expect_keyword_alone(&mut self, run: Run, at: usize) {
        let group = self.group(run.tokens[at]);
        let inner = self.run(group);
        if inner.tokens.len() > 1 && !group.broken {
            let keyword = self.token_text(inner.tokens[0]);
            let diagnostic = explain::extra_in_directive(keyword, self.span_over(&inner.tokens[1..]));
            self.diagnostics.push(diagnostic);
        }
    }

    /// Says how the directives of a template do not match each other.
    fn unbalanced(&self, run: Run, at: usize) -> plumb_model::Diagnostic {
        let mut open: Vec<usize> = Vec::new();
        for (i, kind) in run.kinds.bytes().enumerate() {
            let last = open.last().map(|open| run.kind(*open));
            let fits = match kind {
                kind::DIRECTIVE_IF | kind::DIRECTIVE_FOR => {
                    open.push(i);
                    continue;
                }
                kind::DIRECTIVE_ELSE if last == Some(kind::DIRECTIVE_IF) => {
                    let branch = open.len() - 1;
                    open[branch] = i;
                    continue;
                }
                kind::DIRECTIVE_ENDIF => matches!(last, Some(kind::DIRECTIVE_IF | kind::DIRECTIVE_ELSE)),
                kind::DIRECTIVE_ENDFOR => last == Some(kind::DIRECTIVE_FOR),
                kind::DIRECTIVE_ELSE => false,
                _ => continue,
            };
            if !fits {
                let keyword = self.token_text(self.run(self.group(run.tokens[i])).tokens[0]);
                let opener = open.last().map(|open| self.span_of(run.tokens[*open]));
                return explain::unexpected_directive(keyword, self.span_of(run.tokens[i]), opener);
            }
            open.pop();
        }
        let unclosed = open.pop().unwrap_or(at.min(run.tokens.len() - 1));
        let is_for = run.kind(unclosed) == kind::DIRECTIVE_FOR;
        explain::unclosed_directive(is_for, self.span_of(run.tokens[unclosed]))
    }

    /// The text of each literal of a run, empty for what is not a literal. `None` if an escape is wrong.
    fn literals(&mut self, group: &Group, run: Run) -> Option<Vec<EcoString>> {
        if group.kind == GroupKind::Quoted {
            return self.quoted_literals(run);
        }
        let mut lines = Vec::new();
        for (i, kind) in run.kinds.bytes().enumerate() {
            if kind == kind::TEXT {
                let text = self.token_text(run.tokens[i]);
                lines.extend(text.split_inclusive('\n').map(|line| Line {
                    token: i,
                    text: line,
                    starts: false,
                }));
            } else {
                lines.push(Line { token: i, text: "", starts: false });
            }
        }
        self.trim_lines(run, &mut lines);
        mark_starts(run, &mut lines);
        if let GroupKind::Heredoc { flush: true } | GroupKind::RawHeredoc { flush: true } = group.kind {
            remove_indentation(run, &mut lines);
        }
        let raw = matches!(group.kind, GroupKind::RawHeredoc { .. });
        let mut literals = vec![String::new(); run.tokens.len()];
        for line in &lines {
            literals[line.token].push_str(line.text);
        }
        let finish = |text: String| {
            if raw || !text.contains('{') {
                strings::normal(&text)
            } else {
                strings::normal(&strings::unescape_sequences(&text))
            }
        };
        Some(literals.into_iter().map(finish).collect())
    }

    /// Quoted text is decoded first: a marker also trims what an escape stands for.
    fn quoted_literals(&mut self, run: Run) -> Option<Vec<EcoString>> {
        let mut valid = true;
        let mut literals = Vec::with_capacity(run.tokens.len());
        for (i, kind) in run.kinds.bytes().enumerate() {
            if kind != kind::TEXT {
                literals.push(EcoString::new());
                continue;
            }
            let token = run.tokens[i];
            let Some(text) = self.unescape(self.token_text(token), token.start) else {
                valid = false;
                literals.push(EcoString::new());
                continue;
            };
            let (start, end) = self.markers(run, i);
            let trimmed = trim(&text, start, end);
            literals.push(if trimmed.len() == text.len() { text } else { trimmed.into() });
        }
        valid.then_some(literals)
    }

    /// Whether the neighbours of a token ask to trim its start and its end.
    fn markers(&self, run: Run, at: usize) -> (bool, bool) {
        let sequence = |at: usize| {
            let token = run.tokens.get(at)?;
            (run.kind(at) != kind::TEXT).then(|| self.scan.groups.get(token.group as usize)).flatten()
        };
        let before = at.checked_sub(1).and_then(sequence).is_some_and(|group| group.trim_after);
        let behind = sequence(at + 1).is_some_and(|group| group.trim_before);
        (before, behind)
    }

    /// Trims the line behind and the line before each sequence that asks for it.
    fn trim_lines(&self, run: Run, lines: &mut [Line]) {
        for i in 0..lines.len() {
            let token = lines[i].token;
            if run.kind(token) != kind::TEXT {
                continue;
            }
            let (start, end) = self.markers(run, token);
            let first = i == 0 || lines[i - 1].token != token;
            let last = lines.get(i + 1).is_none_or(|next| next.token != token);
            lines[i].text = trim(lines[i].text, start && first, end && last);
        }
    }
}

/// A line of a literal, or a sequence, which has no text.
struct Line<'a> {
    token: usize,
    text: &'a str,
    /// Whether it begins a line, after trimming.
    starts: bool,
}

fn trim(text: &str, start: bool, end: bool) -> &str {
    let text = if start { text.trim_start() } else { text };
    if end { text.trim_end() } else { text }
}

fn mark_starts(run: Run, lines: &mut [Line]) {
    let mut starts = true;
    for line in lines {
        line.starts = starts;
        starts = run.kind(line.token) == kind::TEXT && line.text.ends_with('\n');
    }
}

/// Removes the indentation that all lines have in common. Lines of nothing but blanks do not count and stay.
fn remove_indentation(run: Run, lines: &mut [Line]) {
    let blank = |line: &Line| line.text.ends_with('\n') && line.text.trim().is_empty();
    let counted = |line: &&mut Line| line.starts && !blank(line);
    let indentation = |line: &Line| {
        let blanks = line.text.len() - line.text.trim_start().len();
        line.text[..blanks].graphemes(true).count()
    };
    let common = lines.iter_mut().filter(counted).map(|line| indentation(line)).min().unwrap_or(0);
    for line in lines.iter_mut().filter(counted).filter(|line| run.kind(line.token) == kind::TEXT) {
        let removed: Range<usize> = 0..line.text.graphemes(true).take(common).map(str::len).sum();
        line.text = &line.text[removed.end..];
    }
}
