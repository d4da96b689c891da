//! Templates: text with interpolations and directives.

use std::fmt::Write;

use ecow::eco_format;
use plumb_model::convert::convert;
use plumb_model::value::normalize;
use plumb_model::{Diagnostic, Marks, Refinement, Type, Value};
use plumb_syntax::tree::{Expr, Template, TemplateFor, TemplatePart};
use unicode_segmentation::UnicodeSegmentation;

use super::{Eval, Failed, Outcome};

/// How many bytes of a known beginning are remembered of an unknown text.
const MAX_PREFIX: usize = 128;

/// A text that is being put together.
#[derive(Default)]
struct Text {
    /// The text, up to the first unknown part.
    known: String,
    /// Whether there was an unknown part.
    unknown: bool,
    marks: Marks,
}

impl Text {
    fn push(&mut self, text: &str) {
        if !self.unknown {
            self.known.push_str(text);
        }
    }

    fn push_unknown(&mut self, prefix: &str) {
        self.push(prefix);
        self.unknown = true;
    }

    fn finish(self) -> Value {
        if !self.unknown {
            return Value::String(normalize(&self.known)).with_marks(self.marks);
        }
        let prefix = promised(&normalize(&self.known)).into();
        let refinement = Refinement { not_null: true, prefix, ..Refinement::default() };
        Value::refined(Type::String, refinement).with_marks(self.marks)
    }
}

/// As much of a text, in whole grapheme clusters, as is promised to be the beginning of one that goes on unknown.
fn promised(known: &str) -> &str {
    if known.is_ascii() && !known.contains('\r') {
        // Each byte is a cluster.
        return &known[..known.len().min(MAX_PREFIX)];
    }
    let mut end = 0;
    for (at, cluster) in known.grapheme_indices(true) {
        let next = at + cluster.len();
        // The last cluster may go on in the unknown part, so it is not promised.
        if next > MAX_PREFIX || next == known.len() && !cluster.is_ascii() {
            break;
        }
        end = next;
    }
    &known[..end]
}

impl Eval<'_> {
    pub(crate) fn template(&mut self, template: &Template) -> Outcome {
        if let (true, [TemplatePart::Interpolation(expr)]) = (template.unwraps, template.parts.as_slice()) {
            return self.eval(expr);
        }
        let mut text = Text::default();
        self.parts(&template.parts, &mut text)?;
        Ok(text.finish())
    }

    fn parts(&mut self, parts: &[TemplatePart], text: &mut Text) -> Outcome<()> {
        let mut failed = false;
        for part in parts {
            let result = match part {
                TemplatePart::Literal(literal) => {
                    text.push(literal);
                    Ok(())
                }
                TemplatePart::Interpolation(expr) => self.interpolation(expr, text),
                TemplatePart::If(branch) => self.branch(branch, text),
                TemplatePart::For(each) => self.repeat(each, text),
            };
            failed |= result.is_err();
        }
        if failed { Err(Failed) } else { Ok(()) }
    }

    fn interpolation(&mut self, expr: &Expr, text: &mut Text) -> Outcome<()> {
        let value = self.eval(expr)?;
        let (inner, marks) = value.unmark();
        text.marks |= marks;
        match inner {
            Value::String(part) => text.push(part),
            Value::Number(number) if !text.unknown => {
                write!(text.known, "{number}").expect("a String takes everything");
            }
            Value::Null(_) => {
                let diagnostic =
                    Diagnostic::error("null-in-template", "Invalid template interpolation value")
                        .detail("The value is null, which has no text.")
                        .at(expr.span)
                        .help("Say what stands there for null: `${coalesce(value, \"\")}`.");
                return self.fail_at(diagnostic, expr);
            }
            other => match convert(other, &Type::String) {
                Ok(Value::String(part)) => text.push(&part),
                Ok(Value::Unknown(unknown)) => text.push_unknown(&unknown.refinement.prefix),
                Ok(_) => text.push_unknown(""),
                Err(error) => {
                    let found = other.ty().friendly_name();
                    let diagnostic = Diagnostic::error("not-a-text", "Invalid template interpolation value")
                        .detail(eco_format!("A {found} has no text: {error}."))
                        .at(expr.span)
                        .help("Choose the text: `${jsonencode(value)}` or `${join(\", \", value)}`.");
                    return self.fail_at(diagnostic, expr);
                }
            },
        }
        Ok(())
    }

    fn branch(&mut self, branch: &plumb_syntax::tree::TemplateIf, text: &mut Text) -> Outcome<()> {
        let condition = self.condition(&branch.condition)?;
        text.marks |= condition.marks();
        let mut then = Text::default();
        let mut otherwise = Text::default();
        let (then_result, then_found) = self.aside(|eval| eval.parts(&branch.then, &mut then));
        let (otherwise_result, otherwise_found) =
            self.aside(|eval| eval.parts(&branch.otherwise, &mut otherwise));
        text.marks |= then.marks | otherwise.marks;
        match condition.as_bool() {
            Some(taken) => {
                let (result, found, part) = if taken {
                    (then_result, then_found, then)
                } else {
                    (otherwise_result, otherwise_found, otherwise)
                };
                self.diagnostics.extend(found);
                result?;
                if part.unknown { text.push_unknown(&part.known) } else { text.push(&part.known) }
            }
            None => {
                self.diagnostics.extend(then_found);
                self.diagnostics.extend(otherwise_found);
                then_result?;
                otherwise_result?;
                let shared: String = then
                    .known
                    .chars()
                    .zip(otherwise.known.chars())
                    .take_while(|(a, b)| a == b)
                    .map(|(a, _)| a)
                    .collect();
                text.push_unknown(&shared);
            }
        }
        Ok(())
    }

    fn repeat(&mut self, each: &TemplateFor, text: &mut Text) -> Outcome<()> {
        let collection = self.eval(&each.collection)?;
        let (inner, marks) = collection.unmark();
        text.marks |= marks;
        let Some(pairs) = self.pairs(inner, &each.collection)? else {
            text.push_unknown("");
            return Ok(());
        };
        for (key, value) in pairs {
            if let Some(name) = &each.key {
                self.bind(name.name.clone(), key);
            }
            self.bind(each.value.name.clone(), value);
            let result = self.parts(&each.body, text);
            self.unbind();
            if each.key.is_some() {
                self.unbind();
            }
            result?;
        }
        Ok(())
    }
}
