//! One verb of a format string and the value it stands for.

use plumb_model::convert::convert;
use plumb_model::{Number, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::float::{Notation, write_magnitude};
use crate::json::encode_json;

/// The widest that a verb may ask for; a mistyped width must not exhaust memory.
const GREATEST_WIDTH: usize = 1 << 20;

/// A verb: `%-8.3f`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verb {
    /// As it stands in the format string.
    pub raw: String,
    /// Where it stands there, in bytes.
    pub offset: usize,
    /// Which argument it stands for, counted from zero.
    pub argument: usize,
    /// The letter.
    pub mode: char,
    /// `+`
    pub plus: bool,
    /// `-`
    pub minus: bool,
    /// A space.
    pub space: bool,
    /// `0`
    pub zero: bool,
    /// `#`
    pub sharp: bool,
    /// The least number of characters.
    pub width: Option<usize>,
    /// What follows the point.
    pub precision: Option<usize>,
}

impl Verb {
    /// The text of a value.
    ///
    /// # Errors
    /// What is wanted instead.
    pub fn apply(&self, value: &Value) -> Result<String, String> {
        let unsupported =
            |problem: &str| format!("unsupported value for {:?} at {}: {problem}", self.raw, self.offset);
        if self.width.is_some_and(|w| w > GREATEST_WIDTH)
            || self.precision.is_some_and(|p| p > GREATEST_WIDTH)
        {
            return Err(unsupported("the width is too large"));
        }
        let null = value.is_null() && self.mode != 'v';
        if null {
            return Err(unsupported("null value cannot be formatted"));
        }
        let converted = |ty: Type| convert(value, &ty).map_err(|error| unsupported(&error.to_string()));
        match self.mode {
            'v' => self.default(value).map_err(|problem| unsupported(&problem)),
            't' => {
                Ok(if converted(Type::Bool)?.as_bool() == Some(true) { "true" } else { "false" }.to_owned())
            }
            's' => Ok(self.pad_text(&self.cut(converted(Type::String)?.as_str().expect("a string")))),
            'q' => {
                let text = converted(Type::String)?;
                let text = self.cut(text.as_str().expect("a string"));
                Ok(self.pad_text(&quote(&text)))
            }
            'b' | 'd' | 'o' | 'x' | 'X' => {
                let number = converted(Type::Number)?;
                let number = number.as_number().expect("a number");
                self.integer(number).ok_or_else(|| unsupported("an integer is required"))
            }
            'e' | 'E' | 'f' | 'g' | 'G' => {
                let number = converted(Type::Number)?;
                Ok(self.float(number.as_number().expect("a number")))
            }
            mode => {
                Err(format!("unsupported format verb {mode:?} in {:?} at offset {}", self.raw, self.offset))
            }
        }
    }

    /// `%v`, which shows a value of any type; with `#` as JSON.
    fn default(&self, value: &Value) -> Result<String, String> {
        match value {
            _ if self.sharp => Ok(self.pad_text(&encode_json(value)?)),
            Value::String(text) => Ok(self.pad_text(text)),
            Value::Number(number) => {
                let plain = Verb { precision: None, plus: false, space: false, ..self.clone() };
                Ok(plain.float(number))
            }
            value => Ok(self.pad_text(&encode_json(value)?)),
        }
    }

    fn integer(&self, number: &Number) -> Option<String> {
        // Whole numbers of text precision have at most some hundred thousand digits, since exponents are limited.
        let (negative, magnitude) = number.to_integer()?;
        let negative = negative && !number.is_zero();
        let (radix, prefix) = match self.mode {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = magnitude.in_radix(radix).to_string();
        if self.mode == 'X' {
            digits.make_ascii_uppercase();
        }
        if let Some(precision) = self.precision
            && digits.len() < precision
        {
            digits.insert_str(0, &"0".repeat(precision - digits.len()));
        }
        let prefix = if self.sharp { prefix } else { "" };
        let zeros = self.zero && self.precision.is_none();
        Some(self.pad_number(&format!("{}{prefix}", self.sign(negative)), &digits, zeros))
    }

    fn float(&self, number: &Number) -> String {
        let sign = self.sign(number.is_negative());
        if number.is_infinite() {
            let sign = if sign.is_empty() { "+" } else { sign };
            return self.pad_number(sign, "Inf", false);
        }
        let notation = match self.mode {
            'e' | 'E' => Notation::Exponent,
            'f' => Notation::Plain,
            _ => Notation::Shorter,
        };
        let precision = match notation {
            Notation::Shorter => self.precision,
            _ => Some(self.precision.unwrap_or(6)),
        };
        let mut magnitude = write_magnitude(number, notation, precision);
        if matches!(self.mode, 'E' | 'G') {
            magnitude.make_ascii_uppercase();
        }
        self.pad_number(sign, &magnitude, self.zero)
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn pad_number(&self, sign: &str, digits: &str, zeros: bool) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
        if self.minus {
            format!("{sign}{digits}{}", " ".repeat(missing))
        } else if zeros {
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else {
            format!("{}{sign}{digits}", " ".repeat(missing))
        }
    }

    fn pad_text(&self, text: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let missing = width.saturating_sub(text.graphemes(true).count());
        if self.minus {
            format!("{text}{}", " ".repeat(missing))
        } else {
            let padding = if self.zero { "0" } else { " " };
            format!("{}{text}", padding.repeat(missing))
        }
    }

    fn cut(&self, text: &str) -> String {
        match self.precision {
            // A precision of zero does not cut: it always has been so.
            Some(precision) if precision > 0 => text.graphemes(true).take(precision).collect(),
            _ => text.to_owned(),
        }
    }
}

fn quote(text: &str) -> String {
    encode_json(&Value::string(text)).unwrap_or_default()
}
