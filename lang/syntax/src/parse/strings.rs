//! What strings mean: escapes, and normal form C.

use ecow::{EcoString, eco_format};
use plumb_model::Diagnostic;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::Walker;
use crate::token::Token;

/// The text in normal form C.
pub(crate) fn normal(text: &str) -> EcoString {
    if text.is_ascii() || is_nfc(text) { EcoString::from(text) } else { text.nfc().collect() }
}

impl Walker<'_> {
    /// The text of a string token. `None` if it has a wrong escape; a diagnostic has then been given.
    pub(super) fn quoted_string(&mut self, token: Token) -> Option<EcoString> {
        let content = &self.text[token.start as usize + 1..token.end as usize - 1];
        self.unescape(content, token.start + 1)
    }

    /// Decodes the escapes of quoted text, backslashes and doubled `$` and `%`.
    pub(super) fn unescape(&mut self, content: &str, offset: u32) -> Option<EcoString> {
        if !content.bytes().any(|byte| matches!(byte, b'\\' | b'{')) {
            return Some(normal(content));
        }
        let mut text = String::with_capacity(content.len());
        let mut rest = content;
        let mut valid = true;
        while let Some(at) = rest.find(['\\', '$', '%']) {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            let length = if rest.starts_with('\\') {
                let start = offset + (content.len() - rest.len()) as u32;
                match escape(rest) {
                    Ok((c, length)) => {
                        text.push(c);
                        length
                    }
                    Err((length, detail)) => {
                        valid = false;
                        self.invalid_escape(&rest[..length], start, detail);
                        length
                    }
                }
            } else {
                text.push_str(&rest[..1]);
                // Both are one text: the escape of the opener, and the opener itself is read with what follows.
                if rest.starts_with("$${") || rest.starts_with("%%{") { 2 } else { 1 }
            };
            rest = &rest[length..];
        }
        text.push_str(rest);
        valid.then(|| normal(&text))
    }

    fn invalid_escape(&mut self, escape: &str, start: u32, detail: EcoString) {
        let help = match escape {
            "\\$" | "\\{" | "\\%" => "To mean `${` itself write `$${`, and `%%{` for `%{`.",
            "\\x" => "Write `\\u00` and the two hexadecimal digits.",
            "\\'" => "A single quote needs no backslash.",
            _ => "Valid are \\n \\r \\t \\\" \\\\ \\uNNNN \\UNNNNNNNN; a backslash itself is written \\\\.",
        };
        self.diagnostics.push(
            Diagnostic::error("invalid-escape", "Invalid escape sequence")
                .detail(detail)
                .at(self.origin.span(start, start + escape.len() as u32))
                .help(help),
        );
    }
}

/// Decodes one escape at the start of a text. Where it is wrong: how long it is, and why.
fn escape(rest: &str) -> Result<(char, usize), (usize, EcoString)> {
    let selector = rest[1..].chars().next();
    match selector {
        Some('n') => Ok(('\n', 2)),
        Some('r') => Ok(('\r', 2)),
        Some('t') => Ok(('\t', 2)),
        Some('"') => Ok(('"', 2)),
        Some('\\') => Ok(('\\', 2)),
        Some(selector @ ('u' | 'U')) => {
            let wanted = if selector == 'u' { 4 } else { 8 };
            let digits = rest[2..].bytes().take(wanted).take_while(u8::is_ascii_hexdigit).count();
            if digits < wanted {
                let detail =
                    eco_format!("Found {digits} hexadecimal digits behind `\\{selector}`, wanted {wanted}.");
                return Err((2 + digits, detail));
            }
            let code = u32::from_str_radix(&rest[2..2 + wanted], 16).unwrap_or(u32::MAX);
            char::from_u32(code)
                .map(|c| (c, 2 + wanted))
                .ok_or_else(|| (2 + wanted, eco_format!("U+{code:04X} is not a Unicode character.")))
        }
        Some(c) => Err((1 + c.len_utf8(), eco_format!("`\\{c}` means nothing."))),
        None => Err((1, "A backslash stands at the end.".into())),
    }
}

/// Decodes the doubled `$` and `%` of text that has no other escapes.
pub(super) fn unescape_sequences(content: &str) -> String {
    content.replace("$${", "${").replace("%%{", "%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openers_are_doubled_only_directly_before_their_brace() {
        for (written, meant) in
            [("$${", "${"), ("$$", "$$"), ("$$$${x}", "$$${x}"), ("%%{%", "%{%"), ("$$${", "$${")]
        {
            assert_eq!(unescape_sequences(written), meant);
        }
    }

    #[test]
    fn names_and_strings_are_composed() {
        assert_eq!(normal("e\u{301}"), "é");
    }
}
