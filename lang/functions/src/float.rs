//! Numbers in the notations of `%e`, `%f` and `%g`.
//!
//! A number is taken apart into decimal digits once, exactly or as few as tell it apart from its neighbours, and then
//! rounded to the wanted place, half to even.

use plumb_model::Number;

/// A notation of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `1.5e+00`
    Exponent,
    /// `1.5`
    Plain,
    /// The shorter of the two.
    Shorter,
}

/// Digits after a decimal point at `point`: `0.d₁d₂… · 10^point`. No digits are zero.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

/// The magnitude of a finite number. Without precision the result has as many digits as are needed to read it back;
/// otherwise so many after the point, or in all for [`Notation::Shorter`].
pub(crate) fn write_magnitude(number: &Number, notation: Notation, precision: Option<usize>) -> String {
    let shortest = precision.is_none();
    let mut decimal = if shortest { shortest_digits(number) } else { exact_digits(number) };
    match notation {
        Notation::Exponent => {
            let places = precision.unwrap_or(decimal.digits.len().saturating_sub(1));
            decimal.round(i64::try_from(places).unwrap_or(i64::MAX).saturating_add(1));
            exponent(&decimal, places)
        }
        Notation::Plain => {
            let places = precision
                .unwrap_or_else(|| usize::try_from(decimal.digits.len() as i64 - decimal.point).unwrap_or(0));
            decimal.round(decimal.point.saturating_add(i64::try_from(places).unwrap_or(i64::MAX)));
            plain(&decimal, places)
        }
        Notation::Shorter => {
            let significant = precision.unwrap_or(usize::MAX).max(1);
            decimal.round(i64::try_from(significant).unwrap_or(i64::MAX));
            let digits = decimal.digits.len();
            let mut threshold = i64::try_from(precision.unwrap_or(6)).unwrap_or(i64::MAX);
            if threshold > digits as i64 && digits as i64 >= decimal.point {
                threshold = digits as i64;
            }
            if shortest {
                threshold = 6;
            }
            let exponent_value = decimal.point - 1;
            if digits > 0 && (exponent_value < -4 || exponent_value >= threshold.max(1)) {
                exponent(&decimal, digits - 1)
            } else {
                let places = usize::try_from(digits as i64 - decimal.point).unwrap_or(0);
                plain(&decimal, if digits == 0 { 0 } else { places })
            }
        }
    }
}

fn shortest_digits(number: &Number) -> Decimal {
    let (_, digits, point) = number.shortest_digits();
    Decimal::new(digits.into_bytes(), point)
}

/// All decimal digits of a binary number; there are finitely many.
fn exact_digits(number: &Number) -> Decimal {
    let (digits, point) = number.exact_digits();
    Decimal::new(digits.into_bytes(), point)
}

impl Decimal {
    fn new(digits: Vec<u8>, point: i64) -> Decimal {
        let mut decimal = Decimal { digits: digits.iter().map(|d| d - b'0').collect(), point };
        decimal.trim();
        decimal
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    /// Keeps so many digits.
    fn round(&mut self, kept: i64) {
        let Ok(kept) = usize::try_from(kept) else {
            *self = Decimal { digits: Vec::new(), point: 0 };
            return;
        };
        let Some(next) = self.digits.get(kept).copied() else { return };
        let exactly_half = next == 5 && kept + 1 == self.digits.len();
        let odd = kept > 0 && self.digits[kept - 1] % 2 == 1;
        let up = if exactly_half { odd } else { next >= 5 };
        self.digits.truncate(kept);
        if up {
            while self.digits.last() == Some(&9) {
                self.digits.pop();
            }
            match self.digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    self.digits.push(1);
                    self.point += 1;
                }
            }
        }
        self.trim();
    }

    fn digit(&self, i: i64) -> char {
        let digit = usize::try_from(i).ok().and_then(|i| self.digits.get(i)).copied().unwrap_or(0);
        char::from(b'0' + digit)
    }
}

fn exponent(decimal: &Decimal, places: usize) -> String {
    let mut text = String::new();
    text.push(decimal.digit(0));
    if places > 0 {
        text.push('.');
        text.extend((1..=places as i64).map(|i| decimal.digit(i)));
    }
    let value = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    let sign = if value < 0 { '-' } else { '+' };
    text.push_str(&format!("e{sign}{:02}", value.unsigned_abs()));
    text
}

fn plain(decimal: &Decimal, places: usize) -> String {
    let mut text = String::new();
    if decimal.point > 0 {
        text.extend((0..decimal.point).map(|i| decimal.digit(i)));
    } else {
        text.push('0');
    }
    if places > 0 {
        text.push('.');
        text.extend((0..places as i64).map(|i| decimal.digit(decimal.point + i)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: &str, notation: Notation, precision: Option<usize>, expected: &str) {
        let number = Number::parse(number).unwrap();
        assert_eq!(write_magnitude(&number, notation, precision), expected);
    }

    #[test]
    fn each_notation_rounds_to_its_places() {
        check("12345.678", Notation::Exponent, Some(6), "1.234568e+04");
        check("2.5", Notation::Plain, Some(0), "2");
        check("3.5", Notation::Plain, Some(0), "4");
        check("0.05", Notation::Plain, Some(0), "0");
        check("99.96", Notation::Plain, Some(1), "100.0");
        check("0", Notation::Exponent, Some(6), "0.000000e+00");
        check("0", Notation::Shorter, None, "0");
        check("123456", Notation::Shorter, Some(3), "1.23e+05");
    }

    #[test]
    fn the_shorter_notation_changes_at_a_million_and_a_ten_thousandth() {
        check("100000", Notation::Shorter, None, "100000");
        check("1000000", Notation::Shorter, None, "1e+06");
        check("123456789", Notation::Shorter, None, "1.23456789e+08");
        check("0.0001", Notation::Shorter, None, "0.0001");
        check("0.00001", Notation::Shorter, None, "1e-05");
        check("1.5", Notation::Shorter, None, "1.5");
    }
}
