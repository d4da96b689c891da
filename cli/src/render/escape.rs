//! Text that is safe to show.
//!
//! A value may hold anything, also the sequences that terminals obey. What could be obeyed, or would hide or reorder
//! what stands beside it, is shown as an escape in the language's own spelling (`\u001b`).

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character must not reach a terminal or a page as it is: control characters, line and paragraph
/// separators, marks that change the direction of text, and invisible characters that carry no meaning in any script.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// The text on one line, with everything unsafe escaped.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push(c, &mut out);
    }
    Cow::Owned(out)
}

/// The text with everything unsafe escaped but line breaks and tabs, which stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    let keep = |c: char| matches!(c, '\n' | '\t');
    if !text.chars().any(|c| is_unsafe(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if keep(c) { out.push(c) } else { push(c, &mut out) }
    }
    Cow::Owned(out)
}

/// The text as a string literal of the language, quotes included.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            _ => push(c, &mut out),
        }
    }
    out.push('"');
    out
}

fn push(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if !is_unsafe(c) => out.push(c),
        c if (c as u32) < 0x1_0000 => {
            let _ = write!(out, "\\u{:04x}", c as u32);
        }
        c => {
            let _ = write!(out, "\\U{:08x}", c as u32);
        }
    }
}

/// The same text with a harmless character of equal length in UTF-8 in place of everything unsafe but line breaks
/// and tabs, so that offsets into it stay right.
pub fn same_length(text: &str) -> Cow<'_, str> {
    let replace = |c: char| is_unsafe(c) && !matches!(c, '\n' | '\t');
    if !text.chars().any(replace) {
        return Cow::Borrowed(text);
    }
    let stand_in = |c: char| match c.len_utf8() {
        _ if !replace(c) => c,
        1 if c == '\r' => ' ',
        1 => '?',
        2 => '\u{bf}',
        3 => '\u{fffd}',
        _ => '\u{1f6ab}',
    };
    Cow::Owned(text.chars().map(stand_in).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_commands_are_shown_and_not_sent() {
        assert_eq!(line("a\u{1b}[2Jb\u{7}\u{9b}31m\u{202e}x\n"), r"a\u001b[2Jb\u0007\u009b31m\u202ex\n");
        assert_eq!(lines("a\tb\nc\r\n"), "a\tb\nc\\r\n");
        assert_eq!(line("naïve 日本 👩‍👩‍👧"), "naïve 日本 👩‍👩‍👧");
    }

    #[test]
    fn literals_read_back_in_the_language() {
        assert_eq!(
            quoted("say \"hi\" ${x} %{y} $5 100% \\ \u{e0001}"),
            r#""say \"hi\" $${x} %%{y} $5 100% \\ \U000e0001""#
        );
    }

    #[test]
    fn stand_ins_keep_offsets() {
        for text in ["a\u{1b}b\u{9b}c\u{202e}d\u{e0001}e\r\n", "plain", "日\u{85}本"] {
            assert_eq!(same_length(text).len(), text.len());
            assert!(!same_length(text).chars().any(|c| is_unsafe(c) && c != '\n'));
        }
    }
}
