//! What the scanner says about trouble.

use ecow::{EcoString, eco_format};
use plumb_model::{Diagnostic, diagnostic::nearest};

use super::{Frame, Scanner};
use crate::token::GroupKind;
use crate::tree::MAX_DEPTH;

impl Scanner<'_> {
    pub(super) fn invalid_character(&self, c: char, start: usize, end: usize) -> Diagnostic {
        let span = self.origin.span(start as u32, end as u32);
        let text = &self.text[start..end];
        let content = text.strip_prefix(c).and_then(|text| {
            let closer = text.chars().next_back()?;
            Some(&text[..text.len() - closer.len_utf8()])
        });
        let in_quotes = |diagnostic: Diagnostic| match content {
            Some(content) if !content.contains(['"', '\\', '$', '%']) => {
                diagnostic.suggest(span, eco_format!("\"{content}\""), true)
            }
            _ => diagnostic,
        };
        let invalid = Diagnostic::error("invalid-character", "Invalid character").at(span);
        let operator = Diagnostic::error("unsupported-operator", "Unsupported operator").at(span);
        let bitwise = "There are no operators on bits.";
        match c {
            '\'' => in_quotes(
                invalid
                    .detail("Single quotes do not enclose strings.")
                    .help("Enclose the string in double quotes (\")."),
            ),
            '“' | '”' | '‘' | '’' => in_quotes(
                invalid
                    .detail("Curly quotes do not enclose strings; word processors and web pages put them in.")
                    .help("Enclose the string in straight double quotes (\")."),
            ),
            '`' => in_quotes(
                invalid
                    .detail("Backticks do not enclose strings.")
                    .help("Use double quotes, or a heredoc (`<<-EOT`) for text of several lines."),
            ),
            ';' => invalid
                .detail("Semicolons separate nothing here.")
                .help("End an attribute with a line break; separate elements with commas."),
            '&' => operator.detail(bitwise).help("Did you mean `&&`, boolean AND?"),
            '|' => operator.detail(bitwise).help("Did you mean `||`, boolean OR?"),
            '~' => operator.detail(bitwise).help("Did you mean `!`, boolean NOT?"),
            '^' => operator.detail(bitwise).help("Did you mean `pow(base, exponent)`?"),
            '\r' => invalid
                .detail(
                    "A carriage return stands alone; lines end with a line feed, with or without one before.",
                )
                .help("Save the file with Unix or Windows line endings."),
            '\u{feff}' => invalid
                .detail("A byte order mark stands within the text.")
                .help("Remove it; it may only stand at the very beginning of a file."),
            c if c.is_control() || c.is_whitespace() => invalid
                .detail(eco_format!("The character U+{:04X} has no meaning here.", u32::from(c)))
                .help("Remove it, or replace it with a space."),
            c => invalid
                .detail(eco_format!("The character `{c}` has no meaning here."))
                .help("Remove it, or put it in a string: \"…\"."),
        }
    }

    pub(super) fn native_only(&self, start: usize, end: usize) -> Diagnostic {
        crate::explain::native_only(&self.text[start..end], self.origin.span(start as u32, end as u32))
    }

    pub(super) fn invalid_heredoc(
        &self,
        start: usize,
        end: usize,
        line_end: usize,
        quote: Option<u8>,
        terminator: (u32, u32),
    ) -> Diagnostic {
        let word = &self.text[terminator.0 as usize..terminator.1 as usize];
        let diagnostic = Diagnostic::error("invalid-heredoc", "Invalid heredoc");
        match quote {
            Some(b'"') => diagnostic
                .detail("The word that begins a heredoc is not quoted.")
                .at(self.origin.span(start as u32, end as u32))
                .help(eco_format!(
                    "Write `<<{word}`; in text that is taken as it is, `<<'{word}'` (.cfg files)."
                )),
            Some(_) => diagnostic
                .detail("Terraform's language has no heredoc whose text is taken as it is.")
                .at(self.origin.span(start as u32, end as u32))
                .help(eco_format!(
                    "Write `<<{word}` and double the first character of each `${{` and `%{{` in the text, or \
                     rename the file to `.cfg`."
                )),
            None => diagnostic
                .detail(eco_format!(
                    "The line must end directly behind `{word}`, and the text begins in the next."
                ))
                .label(self.origin.span(end as u32, line_end as u32), "this must not stand here")
                .help("Remove what follows, also blanks and comments."),
        }
    }

    pub(super) fn unterminated_string(
        &self,
        outermost: Option<usize>,
        start: usize,
        end: usize,
    ) -> Diagnostic {
        let diagnostic = Diagnostic::error("unterminated-string", "Unterminated template string");
        let sequence = outermost.and_then(|depth| self.frames.get(depth + 1)).or_else(|| {
            let top = self.top();
            (top.kind == GroupKind::Interpolation && top.line == self.line).then_some(top)
        });
        match (outermost, sequence) {
            (Some(depth), Some(frame)) => {
                let opener = self.opener(frame);
                diagnostic
                    .detail(eco_format!("The `{opener}` in this string is not closed before its line ends."))
                    .label(self.frame_span(frame), "this is not closed")
                    .label(self.frame_span(&self.frames[depth]), "in the string that begins here")
                    .help(eco_format!(
                        "Close it with `}}`; to mean the text `{opener}` itself, write `{}{opener}`.",
                        &opener[..1]
                    ))
            }
            _ => diagnostic
                .detail("The line ends before the closing quote of this string.")
                .at(self.origin.span(start as u32, end as u32))
                .help("Add the closing quote (\")."),
        }
    }

    pub(super) fn multi_line_string(&self, start: usize, end: usize) -> Diagnostic {
        Diagnostic::error("multi-line-string", "Invalid multi-line string")
            .detail("A string in quotes ends in the line in which it begins.")
            .at(self.origin.span(start as u32, end as u32))
            .help("Write `\\n` for each line break, or use a heredoc (`<<-EOT`).")
    }

    pub(super) fn stray_closer(&self, start: usize) -> Diagnostic {
        let closer = char::from(self.bytes[start]);
        let diagnostic = Diagnostic::error("unexpected-closing-bracket", "Unexpected closing bracket")
            .detail(eco_format!("There is no open bracket that this `{closer}` could close."))
            .at(self.origin.span(start as u32, start as u32 + 1));
        let text = self.frames.iter().rposition(|frame| frame.kind.is_text()).unwrap_or(0);
        match self.frames[text..]
            .iter()
            .rev()
            .find(|frame| frame.open.0 < frame.open.1 && !frame.kind.is_text())
        {
            Some(frame) => diagnostic.label(self.frame_span(frame), "this is the innermost open bracket"),
            None => diagnostic,
        }
        .help(eco_format!("Remove the `{closer}`, or open a bracket before it."))
    }

    /// The group of that depth, and mostly those within, have not been closed before `at`, or at all.
    pub(super) fn unclosed(&self, depth: usize, at: Option<usize>) -> Diagnostic {
        let innermost = self.frames.last().expect("the caller found an open group");
        // Within one line the innermost bracket is the likelier mistake; over several lines the one whose closer
        // indentation misses is at `depth`.
        let frame = if self.frames[depth].line == innermost.line { innermost } else { &self.frames[depth] };
        let (opener, closer) = (self.opener(frame), self.closer_of(frame));
        let word = match frame.open.0 as usize {
            0 => "",
            start => {
                let before = &self.text[..start];
                &before[before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len()..]
            }
        };
        let diagnostic = match frame.kind {
            GroupKind::Paren if !word.is_empty() => {
                Diagnostic::error("unterminated-call", "Unterminated function call")
                    .detail(eco_format!("The arguments of `{word}` have no closing `)`."))
            }
            GroupKind::Body => Diagnostic::error("unclosed-block", "Unclosed configuration block")
                .detail("This block has no closing `}`."),
            GroupKind::Heredoc { .. } | GroupKind::RawHeredoc { .. } => {
                let word = &self.text[frame.terminator.0 as usize..frame.terminator.1 as usize];
                return Diagnostic::error("unterminated-heredoc", "Unterminated heredoc")
                    .detail(eco_format!("No line up to the end of the text consists of `{word}` alone."))
                    .label(self.frame_span(frame), "the heredoc begins here")
                    .help(eco_format!("Add a line with `{word}` behind the text."));
            }
            _ => Diagnostic::error("unclosed-bracket", "Unclosed bracket")
                .detail(eco_format!("This `{opener}` has no closing `{closer}`.")),
        }
        .label(self.frame_span(frame), "opened here");
        match at {
            Some(at) if at < self.bytes.len() => {
                diagnostic.label(self.origin.span(at as u32, at as u32), "expected to be closed before this")
            }
            _ => diagnostic,
        }
        .help(eco_format!("Add the `{closer}`."))
    }

    /// What is still open at the end of the text.
    pub(super) fn report_unclosed_at_end(&mut self) {
        if self.top().broken {
            return;
        }
        let depth = self
            .frames
            .iter()
            .position(|frame| matches!(frame.kind, GroupKind::Heredoc { .. } | GroupKind::RawHeredoc { .. }))
            .filter(|depth| depth + 1 == self.frames.len())
            .unwrap_or(1);
        let diagnostic = self.unclosed(depth, None);
        self.report(diagnostic);
    }

    pub(super) fn unknown_directive(&self, word: &str, start: u32, end: usize) -> Diagnostic {
        let keywords = ["if", "else", "endif", "for", "endfor"];
        let diagnostic = Diagnostic::error("invalid-directive", "Invalid template control keyword")
            .at(self.origin.span(start, end as u32));
        let help: EcoString = match (word, nearest(word, keywords)) {
            ("elseif" | "elsif" | "elif", _) => "Nest an `if` within the `else`.".into(),
            (_, Some(near)) => eco_format!("Did you mean `{near}`?"),
            _ => "To mean the text `%{` itself, write `%%{`.".into(),
        };
        let found = match word {
            "" => EcoString::from("no keyword"),
            word => eco_format!("`{word}`"),
        };
        diagnostic
            .detail(eco_format!("Found {found}; a directive is `if`, `else`, `endif`, `for` or `endfor`."))
            .help(help)
    }

    pub(super) fn nested_too_deep(&self) -> Diagnostic {
        let at = self.at.min(self.bytes.len());
        let span = match self.frames.last() {
            Some(frame) => self.frame_span(frame),
            None => self.origin.span(at as u32, at as u32),
        };
        crate::explain::nested_too_deep(span)
            .note(eco_format!("The rest of the text was not read. At most {MAX_DEPTH} levels can be nested."))
    }

    fn frame_span(&self, frame: &Frame) -> plumb_model::Span {
        let end = frame.open.1.max(frame.open.0);
        let opener = &self.text[frame.open.0 as usize..end as usize];
        let end = frame.open.0 + opener.trim_end().len() as u32;
        self.origin.span(frame.open.0, end)
    }

    fn opener(&self, frame: &Frame) -> &str {
        self.text[frame.open.0 as usize..frame.open.1 as usize].trim_end().trim_end_matches('~')
    }

    fn closer_of(&self, frame: &Frame) -> &'static str {
        match frame.kind {
            GroupKind::Paren => ")",
            GroupKind::Bracket => "]",
            GroupKind::Quoted => "\"",
            _ => "}",
        }
    }
}
