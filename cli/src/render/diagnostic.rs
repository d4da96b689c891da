//! Diagnostics as text for people and as JSON for programs.
//!
//! For people they are drawn by miette. It sees [`Excerpt`]s and never whole files: the few lines around a place, with
//! control characters replaced, long lines cut, and offsets that always lie on character boundaries. Labels that are
//! far apart or in other files become excerpts of their own below the first, in the order in which they were given.
//!
//! Messages come by severity, errors last, since these are what a person should see when the command has ended; within
//! a severity by file and place. Of each severity and file at most [`MOST_PER_FILE`] are shown, then a count. The JSON
//! form, which has the shape of Terraform's, leaves none out.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SpanContents,
};
use plumb_model::json::encode_string;
use plumb_model::{Diagnostic, Diagnostics, Label, Severity, Source, Sources, Span};

use super::escape;
use super::style::{Role, Style};
use super::value::count;

/// How many messages of one severity are shown for one file.
pub const MOST_PER_FILE: usize = 20;
/// How many lines of a span over many lines are shown.
const MOST_LINES: usize = 8;
/// Labels nearer than this many lines share an excerpt.
const NEAR: usize = 6;
/// Longer lines, in bytes, are cut around the label.
const LONG_LINE: usize = 400;
/// How many bytes stay on either side of a label in a line that is cut.
const AROUND: usize = 60;

/// The messages as text, with the code they are about.
pub fn text(diagnostics: &Diagnostics, sources: &Sources, style: &Style) -> String {
    let mut out = String::new();
    let mut groups: BTreeMap<(Severity, Option<&str>), Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in diagnostics {
        let file = source_of(diagnostic, sources).map(|source| source.name.as_str());
        groups.entry((diagnostic.severity, file)).or_default().push(diagnostic);
    }
    for ((severity, file), mut group) in groups {
        group.sort_by_key(|d| d.span());
        for diagnostic in group.iter().take(MOST_PER_FILE) {
            out.push_str(&one(diagnostic, sources, style));
            out.push('\n');
        }
        if group.len() > MOST_PER_FILE {
            let rest = value_count(group.len() - MOST_PER_FILE, severity);
            let place = file.map(|f| format!(" in {}", escape::line(f))).unwrap_or_default();
            let text = format!("... and {rest} more{place}");
            let _ = writeln!(out, "{}\n", style.paint(severity_role(severity), text));
        }
    }
    if let Some(totals) = totals(diagnostics) {
        let _ = writeln!(out, "{}", style.paint(Role::Strong, totals));
    }
    out
}

/// One message as text, with the code it is about; ends with a line break.
pub fn one(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> String {
    let theme = match (style.colour, style.unicode) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::ascii(),
        (false, true) => GraphicalTheme::unicode_nocolor(),
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_break_words(false)
        // Codes, paths and addresses have hyphens, and are copied.
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
        .with_links(false)
        .with_context_lines(1);
    let mut out = String::new();
    for part in parts(diagnostic, sources) {
        handler.render_report(&mut out, &part).expect("writing to memory does not fail");
    }
    // Lines that miette pads would be noise in snapshots and in copies.
    let mut trimmed = String::with_capacity(out.len());
    for line in out.lines() {
        trimmed.push_str(line.trim_end());
        trimmed.push('\n');
    }
    trimmed
}

/// How many errors and warnings there are, if there is more than one message.
fn totals(diagnostics: &Diagnostics) -> Option<String> {
    let number = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (number(Severity::Error), number(Severity::Warning));
    (errors + warnings > 1).then(|| match (errors, warnings) {
        (0, _) => format!("Found {}.", count(warnings, "warning")),
        (_, 0) => format!("Found {}.", count(errors, "error")),
        _ => format!("Found {} and {}.", count(errors, "error"), count(warnings, "warning")),
    })
}

fn value_count(n: usize, severity: Severity) -> String {
    count(n, &severity_word(severity).to_lowercase())
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "Note",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    }
}

fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Note => Role::Faint,
        Severity::Warning => Role::Warning,
        Severity::Error => Role::Error,
    }
}

fn source_of<'s>(diagnostic: &Diagnostic, sources: &'s Sources) -> Option<&'s Source> {
    sources.try_get(diagnostic.span()?.source)
}

/// One diagnostic, or one excerpt of it, as miette sees it.
#[derive(Debug)]
struct Part {
    message: String,
    severity: Severity,
    help: Option<String>,
    excerpt: Option<Excerpt>,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Part {}

impl miette::Diagnostic for Part {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Note => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.excerpt.as_ref()?.labels.iter();
        Some(Box::new(labels.map(|(text, start, end)| {
            let text = (!text.is_empty()).then(|| text.clone());
            LabeledSpan::new(text, *start, end - start)
        })))
    }
}

/// The message with its first excerpt, then further excerpts, the last of which carries the help.
fn parts(diagnostic: &Diagnostic, sources: &Sources) -> Vec<Part> {
    let mut excerpts = excerpts(&diagnostic.labels, sources).into_iter();
    let mut parts = vec![Part {
        message: message(diagnostic),
        severity: diagnostic.severity,
        help: None,
        excerpt: excerpts.next(),
    }];
    parts.extend(excerpts.map(|excerpt| Part {
        message: "see also".to_owned(),
        severity: Severity::Note,
        help: None,
        excerpt: Some(excerpt),
    }));
    if let Some(last) = parts.last_mut() {
        last.help = help(diagnostic, sources);
    }
    parts
}

fn message(diagnostic: &Diagnostic) -> String {
    let mut message =
        format!("{}: {}", severity_word(diagnostic.severity), escape::line(&diagnostic.summary));
    if !diagnostic.code.is_empty() {
        let _ = write!(message, " [{}]", diagnostic.code);
    }
    match (&diagnostic.address, &diagnostic.attribute) {
        (Some(address), Some(path)) if !path.is_root() => {
            let _ = write!(message, "\nin {}, {}", escape::line(address), super::words::path(path));
        }
        (Some(address), _) => {
            let _ = write!(message, "\nin {}", escape::line(address));
        }
        _ => {}
    }
    if !diagnostic.detail.is_empty() {
        let _ = write!(message, "\n{}", escape::lines(diagnostic.detail.trim_end()).replace('\t', "    "));
    }
    message
}

/// What to do, what else there is to know, and what could be written instead, a line each.
fn help(diagnostic: &Diagnostic, sources: &Sources) -> Option<String> {
    let clean = |text: &str| escape::lines(text).replace('\t', "    ");
    let mut lines: Vec<String> = diagnostic.help.iter().map(|help| clean(help)).collect();
    lines.extend(diagnostic.suggestions.iter().map(|s| suggestion(s, sources)));
    lines.extend(diagnostic.notes.iter().map(|note| clean(note)));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn suggestion(suggestion: &plumb_model::Suggestion, sources: &Sources) -> String {
    let replacement = quoted_code(&suggestion.replacement);
    let source = sources.try_get(suggestion.span.source);
    let old = source.and_then(|s| s.text.get(range(s, suggestion.span))).unwrap_or_default();
    let place = source.map_or(String::new(), |source| {
        let at = source.position(range(source, suggestion.span).start);
        format!(" at {}:{}:{}", escape::line(&source.name), at.line, at.column)
    });
    match (old.is_empty(), suggestion.replacement.is_empty()) {
        (true, _) => format!("write {replacement}{place}"),
        (false, true) => format!("remove {}{place}", quoted_code(old)),
        (false, false) => format!("write {replacement} in place of {}{place}", quoted_code(old)),
    }
}

fn quoted_code(code: &str) -> String {
    let mut shown: String = escape::line(code).chars().take(LONG_LINE / 4).collect();
    if shown.len() < escape::line(code).len() {
        shown.push_str("...");
    }
    format!("`{shown}`")
}

/// The bytes of a span that are in the source and begin and end between characters.
fn range(source: &Source, span: Span) -> std::ops::Range<usize> {
    let text = &source.text;
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor((span.start as usize).min(text.len()));
    let end = floor((span.end as usize).clamp(start, text.len()));
    start..end
}

/// A few lines of a source and the labels in them.
#[derive(Debug)]
struct Excerpt {
    name: String,
    /// The lines, harmless to show.
    text: String,
    /// Where `text` begins in the source, counted from 0.
    line: usize,
    /// By how many characters the beginning of the first line was cut.
    cut: usize,
    /// Remark, start and end in `text`.
    labels: Vec<(String, usize, usize)>,
}

impl miette::SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.text.as_str();
        let (start, end) = (span.offset(), span.offset() + span.len());
        if end > text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let mut from = line_start(text, start);
        for _ in 0..before {
            from = line_start(text, from.saturating_sub(1));
        }
        // Without context miette asks for the position, with it for the lines.
        let position = if before == 0 && after == 0 { start } else { from };
        let mut to = line_end(text, end.max(start));
        for _ in 0..after {
            to = line_end(text, (to + 1).min(text.len()));
        }
        let line = text[..position].matches('\n').count();
        let column = text[line_start(text, position)..position].chars().count();
        let column = if line == 0 { column + self.cut } else { column };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &text.as_bytes()[position..to],
            (position, to - position).into(),
            self.line + line,
            column,
            text[position..to].matches('\n').count() + 1,
        )))
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline)
}

/// A label and the bytes of its source that it is about.
struct Place<'d> {
    label: &'d Label,
    start: usize,
    end: usize,
    first_line: usize,
    last_line: usize,
}

/// What to show of the sources for these labels. The excerpt with the first label comes first.
fn excerpts(labels: &[Label], sources: &Sources) -> Vec<Excerpt> {
    let mut files: Vec<(&Source, Vec<Place<'_>>)> = Vec::new();
    for label in labels {
        let Some(source) = sources.try_get(label.span.source) else { continue };
        let place = place(label, source);
        match files.iter_mut().find(|(other, _)| std::ptr::eq(*other, source)) {
            Some((_, places)) => places.push(place),
            None => files.push((source, vec![place])),
        }
    }
    let mut excerpts = Vec::new();
    for (i, (source, mut places)) in files.into_iter().enumerate() {
        let primary = places.first().map(|p| p.start);
        places.sort_by_key(|place| (place.first_line, place.start));
        let from = excerpts.len();
        let mut cluster: Vec<Place<'_>> = Vec::new();
        for place in places {
            let apart = cluster.last().is_some_and(|last| {
                place.first_line > last.last_line + NEAR || is_long(source, last) || is_long(source, &place)
            });
            if apart {
                excerpts.push(excerpt(source, &cluster));
                cluster.clear();
            }
            cluster.push(place);
        }
        excerpts.push(excerpt(source, &cluster));
        if let Some(first) = labels.first().filter(|_| i == 0 && primary.is_some()) {
            // The excerpt with the primary label leads.
            let line = source.position(range(source, first.span).start).line - 1;
            let holds = |e: &Excerpt| e.line <= line && line <= e.line + e.text.matches('\n').count();
            if let Some(at) = excerpts.iter().position(holds) {
                excerpts[from..=at].rotate_right(1);
            }
        }
    }
    excerpts
}

fn place<'d>(label: &'d Label, source: &Source) -> Place<'d> {
    let range = range(source, label.span);
    let (start, mut end) = (range.start, range.end);
    // A line break at the end of a label has nothing to underline.
    while end > start && matches!(source.text.as_bytes()[end - 1], b'\n' | b'\r') {
        end -= 1;
    }
    let first_line = source.position(start).line;
    let mut last_line = source.position(end).line;
    if last_line >= first_line + MOST_LINES
        || last_line > first_line && source.line(first_line).len() > LONG_LINE
    {
        end = line_end(&source.text, start);
        last_line = first_line;
    }
    Place { label, start, end, first_line, last_line }
}

fn is_long(source: &Source, place: &Place<'_>) -> bool {
    let around = place.first_line.saturating_sub(1).max(1)..=place.last_line + 1;
    around.into_iter().any(|line| source.line(line).len() > LONG_LINE)
}

/// The lines around places that are near each other.
fn excerpt(source: &Source, places: &[Place<'_>]) -> Excerpt {
    let text = &source.text;
    let start = places.iter().map(|p| p.start).min().unwrap_or(0);
    let end = places.iter().map(|p| p.end).max().unwrap_or(start);
    let mut from = line_start(text, start);
    let (mut to, mut cut) = (line_end(text, end), 0);
    let mut line = source.position(start).line - 1;
    if places.iter().any(|place| is_long(source, place)) {
        // Of a long line only the surroundings are shown, and of its neighbours nothing.
        let line_from = from;
        let floor = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        from = floor(start.saturating_sub(AROUND)).max(from);
        to = floor(start.saturating_add(2 * AROUND)).clamp(start, to);
        cut = text[line_from..from].chars().count();
    } else {
        if from > 0 {
            from = line_start(text, from - 1);
            line -= 1;
        }
        if to < text.len() {
            to = line_end(text, to + 1);
        }
    }
    let mut shown = escape::same_length(&text[from..to]).into_owned();
    // A label behind the last character needs a column to stand in.
    shown.push(' ');
    let labels = places.iter().map(|place| {
        let remark = escape::line(&place.label.text).into_owned();
        (remark, place.start.clamp(from, to) - from, place.end.clamp(from, to) - from)
    });
    Excerpt {
        name: escape::line(&source.name).into_owned(),
        text: shown,
        line,
        cut,
        labels: labels.collect(),
    }
}

/// The messages in the shape of Terraform's `validate -json`: whether there is no error, counts, and each message.
pub fn validate_json(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let number = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (number(Severity::Error), number(Severity::Warning));
    let mut out = format!(
        "{{\"format_version\":\"1.0\",\"valid\":{},\"error_count\":{errors},\"warning_count\":{warnings},\"diagnostics\":[",
        errors == 0
    );
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|d| (source_of(d, sources).map(|s| s.name.as_str()), d.span()));
    for (i, diagnostic) in sorted.into_iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "," });
        out.push_str(&json(diagnostic, sources));
    }
    out.push_str("]}");
    out
}

/// One message in the shape of Terraform's machine-readable output, with `code`, `help`, `notes`, `related` and
/// `suggestions` besides. Notes, which Terraform has not, are warnings there.
pub fn json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut out = String::from("{\"severity\":");
    encode_string(if diagnostic.is_error() { "error" } else { "warning" }, &mut out);
    member("summary", &diagnostic.summary, &mut out);
    member("detail", &detail_with_help(diagnostic), &mut out);
    if let Some(address) = &diagnostic.address {
        member("address", address, &mut out);
    }
    let mut places = diagnostic.labels.iter().filter_map(|l| Some((l, sources.try_get(l.span.source)?)));
    if let Some((label, source)) = places.next() {
        out.push_str(",\"range\":");
        range_json(source, label.span, &mut out);
        out.push_str(",\"snippet\":");
        snippet_json(source, label.span, &mut out);
    }
    if !diagnostic.code.is_empty() {
        member("code", diagnostic.code, &mut out);
    }
    if let Some(help) = &diagnostic.help {
        member("help", help, &mut out);
    }
    list("notes", &diagnostic.notes, &mut out, |note, out| encode_string(note, out));
    list("related", &places.collect::<Vec<_>>(), &mut out, |(label, source), out| {
        out.push_str("{\"range\":");
        range_json(source, label.span, out);
        member("message", &label.text, out);
        out.push('}');
    });
    let known = diagnostic.suggestions.iter().filter_map(|s| Some((s, sources.try_get(s.span.source)?)));
    list("suggestions", &known.collect::<Vec<_>>(), &mut out, |(suggestion, source), out| {
        out.push_str("{\"range\":");
        range_json(source, suggestion.span, out);
        member("replacement", &suggestion.replacement, out);
        let _ = write!(out, ",\"safe\":{}}}", suggestion.safe);
    });
    out.push('}');
    out
}

/// Readers of Terraform's shape show the detail alone, so what helps is in it too.
fn detail_with_help(diagnostic: &Diagnostic) -> String {
    let mut detail = diagnostic.detail.to_string();
    let primary = diagnostic.labels.first().map(|label| &label.text).filter(|_| detail.is_empty());
    for text in primary.into_iter().chain(&diagnostic.help).filter(|text| !text.is_empty()) {
        detail.push_str(if detail.is_empty() { "" } else { "\n\n" });
        detail.push_str(text);
    }
    detail
}

fn member(name: &str, text: &str, out: &mut String) {
    let _ = write!(out, ",\"{name}\":");
    encode_string(text, out);
}

fn list<T>(name: &str, items: &[T], out: &mut String, mut write: impl FnMut(&T, &mut String)) {
    if items.is_empty() {
        return;
    }
    let _ = write!(out, ",\"{name}\":[");
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "," });
        write(item, out);
    }
    out.push(']');
}

fn range_json(source: &Source, span: Span, out: &mut String) {
    let range = range(source, span);
    let (start, end) = (source.position(range.start), source.position(range.end));
    out.push_str("{\"filename\":");
    encode_string(&source.name, out);
    for (name, at) in [("start", start), ("end", end)] {
        let (line, column, byte) = (at.line, at.column, at.byte);
        let _ = write!(out, ",\"{name}\":{{\"line\":{line},\"column\":{column},\"byte\":{byte}}}");
    }
    out.push('}');
}

/// The lines that the span is on, and which block they are in. Offsets are bytes into `code`.
fn snippet_json(source: &Source, span: Span, out: &mut String) {
    let range = range(source, span);
    let (start, end) = (source.position(range.start).line, source.position(range.end).line);
    let from = line_start(&source.text, range.start);
    let to = if end > start + MOST_LINES {
        line_end(&source.text, range.start)
    } else {
        line_end(&source.text, range.end)
    };
    let code = &source.text[from..to];
    out.push_str("{\"context\":");
    match context(source, start) {
        Some(context) => encode_string(context, out),
        None => out.push_str("null"),
    }
    member("code", code, out);
    let _ = write!(
        out,
        ",\"start_line\":{start},\"highlight_start_offset\":{},\"highlight_end_offset\":{},\"values\":[]}}",
        range.start - from,
        (range.end - from).min(code.len()),
    );
}

/// The header of the outermost block that a line is in: `resource "file" "notes"`. Told from the layout: the nearest
/// line above that is not indented and opens a block.
fn context(source: &Source, line: usize) -> Option<&str> {
    const FAR: usize = 2_000;
    for above in (1..=line).rev().take(FAR) {
        let text = source.line(above);
        if text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return text.split_once('{').map(|(header, _)| header.trim_end());
        }
        if above < line && text.starts_with('}') {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests;
