//! What a plain scalar of YAML stands for.
//!
//! Booleans are those of YAML 1.1, `yes` and `off` among them; numbers are those of YAML 1.2, so `010` is ten.

use plumb_model::{Number, Value};

use crate::date::Time;

/// What a scalar can be said to be, by a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
}

/// The value of a scalar without quotes.
///
/// # Errors
/// For numbers that have no value here.
pub(crate) fn plain(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::NULL),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Ok(true.into());
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Ok(false.into());
        }
        ".nan" | ".NaN" | ".NAN" => return Err("floating point NaN is not supported".to_owned()),
        _ => {}
    }
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Ok(Number::infinity(negative).into());
    }
    if let Some(value) = radix(text)? {
        return Ok(value);
    }
    if is_decimal(unsigned) {
        return Number::parse(text)
            .map(Value::Number)
            .map_err(|_| format!("cannot parse {text:?} as a number: it is out of range"));
    }
    Ok(timestamp(text).map_or_else(|| Value::string(text), Value::from))
}

/// The kind of value that a scalar without quotes has.
pub(crate) fn kind_of(text: &str, value: &Value) -> Option<Kind> {
    Some(match value {
        Value::Null(_) => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Number(_) if text.contains(['.', 'e', 'E']) && !text.starts_with("0x") => Kind::Float,
        Value::Number(_) => Kind::Int,
        _ if timestamp(text).is_some() => Kind::Timestamp,
        _ => return None,
    })
}

/// `0x1F` and `0o17`, which have no sign.
fn radix(text: &str) -> Result<Option<Value>, String> {
    let (digits, base) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        _ => return Ok(None),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return Ok(None);
    }
    match i64::from_str_radix(digits, base) {
        Ok(value) => Ok(Some(Value::int(value))),
        Err(_) => Err(format!("cannot parse {text:?} as an integer: it is out of range")),
    }
}

/// Digits with an optional point among or around them, and an optional exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent_fits && digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

/// A point in time in the form of RFC 3339, if the text is one: a date alone, or with a time after `T`, `t` and with an
/// offset, or after a space and without one.
fn timestamp(text: &str) -> Option<String> {
    if !text.is_ascii() {
        return None;
    }
    let (year, rest) = text.split_at_checked(4)?;
    let (month, rest) = take_number(rest.strip_prefix('-')?)?;
    let (day, rest) = take_number(rest.strip_prefix('-')?)?;
    if !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let date = format!("{year}-{month:02}-{day:02}");
    let full = match rest.as_bytes().first() {
        None => format!("{date}T00:00:00Z"),
        Some(separator @ (b'T' | b't' | b' ')) => {
            let (hour, rest) = take_number(&rest[1..])?;
            let (minute, rest) = take_number(rest.strip_prefix(':')?)?;
            let (second, rest) = take_number(rest.strip_prefix(':')?)?;
            let rest = match rest.strip_prefix('.') {
                Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
                None => rest,
            };
            let zone = match (separator, rest) {
                (b' ', "") => "Z",
                (b' ', _) => return None,
                (_, zone) => zone,
            };
            format!("{date}T{hour:02}:{minute:02}:{second:02}{zone}")
        }
        Some(_) => return None,
    };
    Time::parse(&full).ok().map(|time| time.to_string())
}

/// A number of one or two digits, and what follows it.
fn take_number(text: &str) -> Option<(u8, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=2).contains(&digits) {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}
