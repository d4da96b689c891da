//! What providers say to the user.

use plumb_model::{Diagnostic, Diagnostics, Severity};

use crate::messages;
use crate::value::{path_from_wire, path_to_wire};

/// The code of every message that a plugin wrote itself.
pub const CODE: &str = "provider-reported";

/// Messages as they were received. `note` says who speaks.
pub fn from_wire(diagnostics: &[messages::Diagnostic], note: &str) -> Diagnostics {
    diagnostics.iter().map(|d| one_from_wire(d, note)).collect()
}

fn one_from_wire(diagnostic: &messages::Diagnostic, note: &str) -> Diagnostic {
    let severity = match diagnostic.severity() {
        messages::Severity::Warning => Severity::Warning,
        messages::Severity::Error | messages::Severity::Invalid => Severity::Error,
    };
    let summary =
        if diagnostic.summary.is_empty() { "The provider gives no reason" } else { &diagnostic.summary };
    let message = Diagnostic::new(severity, CODE, summary).detail(diagnostic.detail.as_str()).note(note);
    match &diagnostic.attribute {
        Some(path) if !path.steps.is_empty() => message.attribute(path_from_wire(path)),
        _ => message,
    }
}

/// Messages as they are sent: help and notes follow the detail.
pub fn to_wire(diagnostics: &Diagnostics) -> Vec<messages::Diagnostic> {
    diagnostics.iter().map(one_to_wire).collect()
}

fn one_to_wire(diagnostic: &Diagnostic) -> messages::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => messages::Severity::Error,
        Severity::Warning | Severity::Note => messages::Severity::Warning,
    };
    let paragraphs = std::iter::once(&diagnostic.detail)
        .chain(&diagnostic.help)
        .chain(&diagnostic.notes)
        .filter(|text| !text.is_empty())
        .map(|text| text.as_str());
    messages::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary.to_string(),
        detail: paragraphs.collect::<Vec<_>>().join("\n\n"),
        attribute: diagnostic.attribute.as_ref().map(path_to_wire),
    }
}

#[cfg(test)]
mod tests {
    use plumb_model::Path;

    use super::*;

    #[test]
    fn a_message_keeps_its_severity_and_place() {
        let sent = Diagnostics::from(
            Diagnostic::warning("x", "Odd")
                .detail("It is odd.")
                .help("Make it even.")
                .attribute(Path::of("n")),
        );
        let received = from_wire(&to_wire(&sent), "Said by a test.");
        let message = received.iter().next().unwrap();
        assert_eq!(message.severity, Severity::Warning);
        assert_eq!(message.detail, "It is odd.\n\nMake it even.");
        assert_eq!(message.attribute, Some(Path::of("n")));
        assert_eq!(message.notes, ["Said by a test."]);
    }

    #[test]
    fn a_severity_that_does_not_exist_is_an_error() {
        let sent = messages::Diagnostic { severity: 7, ..Default::default() };
        assert!(from_wire(&[sent], "").has_errors());
    }
}
