//! Numbers: binary floating point with up to 512 bits, and a fast path for whole numbers.
//!
//! A number remembers the precision that it was made with, because `+ - /` round to the greater precision of their
//! operands and because the text of a number is the shortest decimal that reads back as the same number at that
//! precision. Numbers from text have 512 bits, whole numbers made by functions 64, floating point results 53; rounding
//! is to nearest, ties to even.
//!
//! Invariant: a finite whole number that fits `i64` is always [`Repr::Small`], and the mantissa of a [`Float`] is odd.
//! So equal numbers have equal representations, whatever their precision.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use dashu_int::UBig;
use dashu_int::ops::{BitTest, DivRem};

/// The precision, in bits, of numbers that were written as text.
pub const TEXT_PRECISION: u16 = 512;
/// The precision, in bits, of whole numbers that functions return.
pub const INTEGER_PRECISION: u16 = 64;
/// The precision, in bits, of results that were computed as `f64`.
pub const DOUBLE_PRECISION: u16 = 53;

/// The largest decimal exponent that text may have; beyond it a number could not be printed in reasonable space.
const MAX_DECIMAL_EXPONENT: i64 = 100_000;

/// A number. Equality, order and hash are those of the value; precision does not count.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    Small { value: i64, precision: u16 },
    NegativeZero { precision: u16 },
    Big(Arc<Float>),
    Infinity { negative: bool },
}

/// `± mantissa · 2^exponent`
#[derive(Debug, PartialEq, Eq, Hash)]
struct Magnitude {
    negative: bool,
    mantissa: UBig,
    exponent: i64,
}

struct Float {
    magnitude: Magnitude,
    precision: u16,
}

/// Why an operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// `0 / 0` or `Inf / Inf`
    #[error("can't divide zero by zero or infinity by infinity")]
    IndeterminateQuotient,
    /// `Inf - Inf`
    #[error("can't compute infinity minus infinity")]
    IndeterminateDifference,
    /// `Inf * 0`
    #[error("can't multiply zero by infinity")]
    IndeterminateProduct,
    /// The text is not a decimal number.
    #[error("given string must be a decimal representation of a number")]
    NotDecimal,
    /// A floating point operation gave no number.
    #[error("the result is not a number")]
    NotANumber,
}

impl Number {
    /// Zero, at the precision of text.
    pub const ZERO: Number = Number(Repr::Small { value: 0, precision: TEXT_PRECISION });

    /// Positive or negative infinity.
    pub fn infinity(negative: bool) -> Number {
        Number(Repr::Infinity { negative })
    }

    /// A whole number as functions return it, at 64 bits.
    pub fn from_count(value: i64) -> Number {
        Number(Repr::Small { value, precision: INTEGER_PRECISION })
    }

    /// A whole number as if it had been written, at 512 bits.
    pub fn from_i64(value: i64) -> Number {
        Number(Repr::Small { value, precision: TEXT_PRECISION })
    }

    /// An unsigned whole number as if it had been written, at 512 bits.
    pub fn from_u64(value: u64) -> Number {
        Number::finite(false, UBig::from(value), 0, TEXT_PRECISION)
    }

    /// The number that an `f64` is, at 53 bits.
    ///
    /// # Errors
    /// [`NumberError::NotANumber`] for NaN.
    pub fn from_f64(value: f64) -> Result<Number, NumberError> {
        if value.is_nan() {
            return Err(NumberError::NotANumber);
        }
        if value.is_infinite() {
            return Ok(Number::infinity(value < 0.0));
        }
        if value == 0.0 {
            return Ok(Number::zero(value.is_sign_negative(), DOUBLE_PRECISION));
        }
        let bits = value.to_bits();
        let biased = (bits >> 52 & 0x7ff) as i64;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) =
            if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
        Ok(Number::finite(value < 0.0, UBig::from(mantissa), exponent, DOUBLE_PRECISION))
    }

    /// A whole number of any size, given in big-endian decimal digits without sign; used by parsers of other bases.
    pub fn from_integer(negative: bool, magnitude: UBig) -> Number {
        Number::finite(negative, magnitude, 0, TEXT_PRECISION)
    }

    /// Reads a decimal number: an optional sign, digits with an optional point, an optional exponent; also `inf` and
    /// `Inf` with an optional sign.
    ///
    /// # Errors
    /// [`NumberError::NotDecimal`] for anything else, also for exponents beyond ±100,000.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if unsigned == "inf" || unsigned == "Inf" {
            return Ok(Number::infinity(negative));
        }
        if unsigned.len() < 19 && !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
            let value: i64 = unsigned.parse().map_err(|_| NumberError::NotDecimal)?;
            if value == 0 {
                return Ok(Number::zero(negative, TEXT_PRECISION));
            }
            return Ok(Number::from_i64(if negative { -value } else { value }));
        }
        let (digits, exponent) = match unsigned.find(['e', 'E']) {
            None => (unsigned, 0),
            Some(at) => {
                let exponent = &unsigned[at + 1..];
                let plain = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if plain.is_empty() || !plain.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(NumberError::NotDecimal);
                }
                (&unsigned[..at], exponent.parse::<i64>().map_err(|_| NumberError::NotDecimal)?)
            }
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty()
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return Err(NumberError::NotDecimal);
        }
        let exponent = exponent - fraction.len() as i64;
        if exponent.abs() > MAX_DECIMAL_EXPONENT {
            return Err(NumberError::NotDecimal);
        }
        let mantissa =
            UBig::from_str_radix(&format!("{whole}{fraction}"), 10).map_err(|_| NumberError::NotDecimal)?;
        if mantissa == UBig::ZERO {
            return Ok(Number::zero(negative, TEXT_PRECISION));
        }
        let power = UBig::from(10u8).pow(exponent.unsigned_abs() as usize);
        Ok(if exponent >= 0 {
            Number::finite(negative, mantissa * power, 0, TEXT_PRECISION)
        } else {
            quotient(negative, &mantissa, 0, &power, 0, TEXT_PRECISION)
        })
    }

    fn zero(negative: bool, precision: u16) -> Number {
        if negative {
            Number(Repr::NegativeZero { precision })
        } else {
            Number(Repr::Small { value: 0, precision })
        }
    }

    /// Rounds to `precision` bits and normalises.
    fn finite(negative: bool, mantissa: UBig, exponent: i64, precision: u16) -> Number {
        let (mut mantissa, mut exponent) = (mantissa, exponent);
        let bits = mantissa.bit_len();
        if bits > usize::from(precision) {
            let shift = bits - usize::from(precision);
            let half = mantissa.bit(shift - 1);
            let above_half = half && mantissa.trailing_zeros() != Some(shift - 1);
            mantissa >>= shift;
            if above_half || half && mantissa.bit(0) {
                mantissa += UBig::ONE;
            }
            exponent += shift as i64;
        }
        let Some(zeros) = mantissa.trailing_zeros() else { return Number::zero(negative, precision) };
        mantissa >>= zeros;
        exponent += zeros as i64;
        if exponent >= 0 && mantissa.bit_len() as i64 + exponent <= 63 {
            let magnitude = u64::try_from(&mantissa).expect("at most 63 bits") << exponent;
            let value = if negative { -(magnitude as i64) } else { magnitude as i64 };
            return Number(Repr::Small { value, precision });
        }
        Number(Repr::Big(Arc::new(Float {
            magnitude: Magnitude { negative, mantissa, exponent },
            precision,
        })))
    }

    /// The precision in bits that results of arithmetic with this number are rounded to.
    pub fn precision(&self) -> u16 {
        match &self.0 {
            Repr::Small { precision, .. } | Repr::NegativeZero { precision } => *precision,
            Repr::Big(float) => float.precision,
            Repr::Infinity { .. } => TEXT_PRECISION,
        }
    }

    /// The same number, rounded to another precision.
    pub fn with_precision(&self, precision: u16) -> Number {
        match &self.0 {
            Repr::Infinity { .. } => self.clone(),
            Repr::NegativeZero { .. } => Number::zero(true, precision),
            _ => {
                let (negative, mantissa, exponent) = self.parts();
                Number::finite(negative, mantissa, exponent, precision)
            }
        }
    }

    /// Sign, mantissa and binary exponent of a finite number.
    fn parts(&self) -> (bool, UBig, i64) {
        match &self.0 {
            Repr::Small { value, .. } => (*value < 0, UBig::from(value.unsigned_abs()), 0),
            Repr::NegativeZero { .. } => (true, UBig::ZERO, 0),
            Repr::Big(float) => {
                (float.magnitude.negative, float.magnitude.mantissa.clone(), float.magnitude.exponent)
            }
            Repr::Infinity { .. } => unreachable!("callers handle infinities first"),
        }
    }

    /// Whether it is zero of either sign.
    pub fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Small { value: 0, .. } | Repr::NegativeZero { .. })
    }

    /// Whether it is below zero, or a negative zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small { value, .. } => *value < 0,
            Repr::NegativeZero { .. } => true,
            Repr::Big(float) => float.magnitude.negative,
            Repr::Infinity { negative } => *negative,
        }
    }

    /// Whether it is positive or negative infinity.
    pub fn is_infinite(&self) -> bool {
        matches!(self.0, Repr::Infinity { .. })
    }

    /// Whether it is finite and has no fraction.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Small { .. } | Repr::NegativeZero { .. } => true,
            Repr::Big(float) => float.magnitude.exponent >= 0,
            Repr::Infinity { .. } => false,
        }
    }

    /// The value, if it is whole and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Small { value, .. } => Some(*value),
            Repr::NegativeZero { .. } => Some(0),
            Repr::Big(float) => {
                let m = &float.magnitude;
                let fits = m.negative && m.exponent == 63 && m.mantissa == UBig::ONE;
                fits.then_some(i64::MIN)
            }
            Repr::Infinity { .. } => None,
        }
    }

    /// The value, if it is whole, not negative and fits.
    pub fn to_u64(&self) -> Option<u64> {
        if let Some(value) = self.to_i64() {
            return u64::try_from(value).ok();
        }
        let (negative, magnitude) = self.to_integer()?;
        if negative { None } else { u64::try_from(&magnitude).ok() }
    }

    /// Sign and magnitude, if it is whole. The caller bounds the size: `1e100000` is whole.
    pub fn to_integer(&self) -> Option<(bool, UBig)> {
        if !self.is_integer() {
            return None;
        }
        let (negative, mantissa, exponent) = self.parts();
        Some((negative, mantissa << exponent as usize))
    }

    /// The nearest `f64`; infinite if it is out of range.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Small { value, .. } => *value as f64,
            Repr::NegativeZero { .. } => -0.0,
            Repr::Infinity { negative } => {
                if *negative {
                    f64::NEG_INFINITY
                } else {
                    f64::INFINITY
                }
            }
            // The shortest text at this precision has far more digits than an `f64` needs, and the standard
            // library rounds decimal text correctly, also for subnormal results.
            Repr::Big(_) => self.to_string().parse().expect("numbers print as decimal text"),
        }
    }

    /// Whether an `f64` holds it exactly.
    pub fn is_exact_f64(&self) -> bool {
        Number::from_f64(self.to_f64()).is_ok_and(|n| n == *self)
    }

    /// `self + other`
    ///
    /// # Errors
    /// For infinities of different signs.
    pub fn add(&self, other: &Number) -> Result<Number, NumberError> {
        let precision = self.precision().max(other.precision());
        match (&self.0, &other.0) {
            (Repr::Infinity { negative: a }, Repr::Infinity { negative: b }) if a != b => {
                Err(NumberError::IndeterminateDifference)
            }
            (Repr::Infinity { .. }, _) => Ok(self.clone()),
            (_, Repr::Infinity { .. }) => Ok(other.clone()),
            (Repr::Small { value: a, .. }, Repr::Small { value: b, .. })
                if let Some(sum) = a.checked_add(*b)
                    && precision >= 64 =>
            {
                Ok(Number(Repr::Small { value: sum, precision }))
            }
            _ => Ok(sum(self.parts(), other.parts(), precision)),
        }
    }

    /// `self - other`
    ///
    /// # Errors
    /// For infinities of the same sign.
    pub fn sub(&self, other: &Number) -> Result<Number, NumberError> {
        self.add(&other.neg())
    }

    /// `-self`
    pub fn neg(&self) -> Number {
        match &self.0 {
            Repr::Small { value: 0, precision } => Number(Repr::NegativeZero { precision: *precision }),
            Repr::NegativeZero { precision } => Number(Repr::Small { value: 0, precision: *precision }),
            Repr::Small { value, precision } if let Some(value) = value.checked_neg() => {
                Number(Repr::Small { value, precision: *precision })
            }
            Repr::Infinity { negative } => Number::infinity(!negative),
            _ => {
                let (negative, mantissa, exponent) = self.parts();
                Number::finite(!negative, mantissa, exponent, self.precision())
            }
        }
    }

    /// The magnitude.
    pub fn abs(&self) -> Number {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// `self * other`, at 512 bits.
    ///
    /// # Errors
    /// For zero times infinity.
    pub fn mul(&self, other: &Number) -> Result<Number, NumberError> {
        let negative = self.is_negative() != other.is_negative();
        if self.is_infinite() || other.is_infinite() {
            if self.is_zero() || other.is_zero() {
                return Err(NumberError::IndeterminateProduct);
            }
            return Ok(Number::infinity(negative));
        }
        let precision = self.precision().max(other.precision());
        if let (Repr::Small { value: a, .. }, Repr::Small { value: b, .. }) = (&self.0, &other.0)
            && let Some(product) = a.checked_mul(*b)
            && product != 0
            && 64 - product.unsigned_abs().leading_zeros() - product.trailing_zeros() <= u32::from(precision)
        {
            return Ok(Number(Repr::Small { value: product, precision }));
        }
        let ((_, a, ae), (_, b, be)) = (self.parts(), other.parts());
        let product = Number::finite(negative, a * b, ae + be, TEXT_PRECISION);
        // What the product needs beyond the operands' precision is kept.
        let (_, mantissa, _) = product.parts();
        let needed = mantissa.bit_len() - mantissa.trailing_zeros().unwrap_or(0);
        Ok(product.with_precision(precision.max(u16::try_from(needed).unwrap_or(TEXT_PRECISION))))
    }

    /// `self / other`. Division by zero gives an infinity; callers that want an error look first.
    ///
    /// # Errors
    /// For `0 / 0` and for an infinity by an infinity.
    pub fn div(&self, other: &Number) -> Result<Number, NumberError> {
        let negative = self.is_negative() != other.is_negative();
        let precision = self.precision().max(other.precision());
        match (self.is_infinite(), other.is_infinite()) {
            (true, true) => return Err(NumberError::IndeterminateQuotient),
            (true, false) => return Ok(Number::infinity(negative)),
            (false, true) => return Ok(Number::zero(negative, precision)),
            (false, false) => {}
        }
        if other.is_zero() {
            if self.is_zero() {
                return Err(NumberError::IndeterminateQuotient);
            }
            return Ok(Number::infinity(negative));
        }
        if self.is_zero() {
            return Ok(Number::zero(negative, precision));
        }
        if let (Repr::Small { value: a, .. }, Repr::Small { value: b, .. }) = (&self.0, &other.0)
            && precision >= 64
            && let Some(0) = a.checked_rem(*b)
            && let Some(value) = a.checked_div(*b)
        {
            return Ok(Number(Repr::Small { value, precision }));
        }
        let ((_, a, ae), (_, b, be)) = (self.parts(), other.parts());
        Ok(quotient(negative, &a, ae, &b, be, precision))
    }

    /// What is left of `self` after taking away `other` as often as it goes, toward zero. The sign is that of
    /// `self`; modulo zero gives `self`.
    ///
    /// # Errors
    /// For an infinite `self`.
    pub fn rem(&self, other: &Number) -> Result<Number, NumberError> {
        if other.is_zero() {
            return Ok(self.clone());
        }
        if self.is_infinite() {
            return Err(NumberError::IndeterminateQuotient);
        }
        if other.is_infinite() {
            return Ok(self.clone());
        }
        self.sub(&self.div(other)?.trunc().mul(other)?)
    }

    /// The whole number toward zero.
    pub fn trunc(&self) -> Number {
        match &self.0 {
            Repr::Big(float) if float.magnitude.exponent < 0 => {
                let m = &float.magnitude;
                let whole = &m.mantissa >> m.exponent.unsigned_abs() as usize;
                Number::finite(m.negative, whole, 0, float.precision.max(INTEGER_PRECISION))
            }
            _ => self.clone(),
        }
    }

    /// The greatest whole number that is not above it.
    pub fn floor(&self) -> Number {
        self.whole_toward(true)
    }

    /// The least whole number that is not below it.
    pub fn ceil(&self) -> Number {
        self.whole_toward(false)
    }

    fn whole_toward(&self, down: bool) -> Number {
        if self.is_integer() || self.is_infinite() {
            return self.clone();
        }
        let whole = self.trunc();
        if self.is_negative() != down {
            // Truncation already went the right way; a fraction below one leaves no sign.
            return if whole.is_zero() { Number::ZERO } else { whole };
        }
        let one = Number::from_i64(if down { -1 } else { 1 });
        whole.add(&one).expect("finite numbers add up")
    }
}

/// `a + b` of signed parts, rounded.
fn sum(a: (bool, UBig, i64), b: (bool, UBig, i64), precision: u16) -> Number {
    if a.1 == UBig::ZERO || b.1 == UBig::ZERO {
        let (negative, mantissa, exponent) = if b.1 == UBig::ZERO { a } else { b };
        let negative = negative && (mantissa != UBig::ZERO);
        return Number::finite(negative, mantissa, exponent, precision);
    }
    let exponent = a.2.min(b.2);
    let x = a.1 << (a.2 - exponent) as usize;
    let y = b.1 << (b.2 - exponent) as usize;
    if a.0 == b.0 {
        return Number::finite(a.0, x + y, exponent, precision);
    }
    match x.cmp(&y) {
        Ordering::Equal => Number::zero(false, precision),
        Ordering::Greater => Number::finite(a.0, x - y, exponent, precision),
        Ordering::Less => Number::finite(b.0, y - x, exponent, precision),
    }
}

/// `± (a·2^ae) / (b·2^be)`, correctly rounded to `precision` bits.
fn quotient(negative: bool, a: &UBig, ae: i64, b: &UBig, be: i64, precision: u16) -> Number {
    // Enough bits that the quotient has two more than are kept; a remainder becomes one more set bit below them,
    // so that a tie is only a tie when the division is exact.
    let wanted = usize::from(precision) + 2 + b.bit_len();
    let shift = wanted.saturating_sub(a.bit_len());
    let (mut q, r) = (a << shift).div_rem(b);
    q <<= 1;
    if r != UBig::ZERO {
        q += UBig::ONE;
    }
    Number::finite(negative, q, ae - be - shift as i64 - 1, precision)
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        if let (Some(a), Some(b)) = (self.to_i64(), other.to_i64()) {
            return a.cmp(&b);
        }
        let rank = |n: &Number| match n.0 {
            Repr::Infinity { negative } => {
                if negative {
                    -1
                } else {
                    1
                }
            }
            _ => 0,
        };
        match rank(self).cmp(&rank(other)) {
            Ordering::Equal if rank(self) != 0 => return Ordering::Equal,
            Ordering::Equal => {}
            unequal => return unequal,
        }
        let ((an, am, ae), (bn, bm, be)) = (self.parts(), other.parts());
        let sign = |negative: bool, m: &UBig| match (*m == UBig::ZERO, negative) {
            (true, _) => 0,
            (false, negative) => {
                if negative {
                    -1
                } else {
                    1
                }
            }
        };
        let (a_sign, b_sign) = (sign(an, &am), sign(bn, &bm));
        if a_sign != b_sign || a_sign == 0 {
            return a_sign.cmp(&b_sign);
        }
        // Compare by position of the highest bit before shifting, so that huge exponents cost nothing.
        let top = |m: &UBig, e: i64| m.bit_len() as i64 + e;
        let magnitude = top(&am, ae).cmp(&top(&bm, be)).then_with(|| {
            let exponent = ae.min(be);
            (am << (ae - exponent) as usize).cmp(&(bm << (be - exponent) as usize))
        });
        if a_sign < 0 { magnitude.reverse() } else { magnitude }
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Small { value, .. } => value.hash(state),
            Repr::NegativeZero { .. } => 0i64.hash(state),
            Repr::Big(float) => float.magnitude.hash(state),
            Repr::Infinity { negative } => (u64::MAX, negative).hash(state),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number::from_i64(value)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Number {
    /// Plain decimal without an exponent; infinities are `+Inf` and `-Inf`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small { value, precision } if *precision >= 64 || value.unsigned_abs() < 1 << 53 => {
                write!(f, "{value}")
            }
            Repr::NegativeZero { .. } => f.write_str("-0"),
            Repr::Infinity { negative: false } => f.write_str("+Inf"),
            Repr::Infinity { negative: true } => f.write_str("-Inf"),
            _ => {
                let (negative, digits, point) = self.shortest_digits();
                if negative {
                    f.write_str("-")?;
                }
                if point <= 0 {
                    write!(f, "0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
                } else if point as usize >= digits.len() {
                    write!(f, "{digits}{}", "0".repeat(point as usize - digits.len()))
                } else {
                    write!(f, "{}.{}", &digits[..point as usize], &digits[point as usize..])
                }
            }
        }
    }
}

impl Number {
    /// Sign, digits without trailing zeros, and the position of the decimal point relative to the first digit, of the
    /// shortest decimal that reads back as this number at its precision. Zero is `("0", 1)`.
    ///
    /// The interval searched is half a unit of the last place to both sides, also just above a power of two where the
    /// lower half is really narrower. That is how the format this must agree with is produced: `pow(2, 64)`, whose
    /// precision is 53, is `18446744073709550000`. A bound with another number of digits before the point differs in
    /// its first digit, where either direction stays within the interval.
    pub fn shortest_digits(&self) -> (bool, String, i64) {
        let (negative, mantissa, exponent) = self.parts();
        if mantissa == UBig::ZERO {
            return (negative, "0".to_owned(), 1);
        }
        // The mantissa of a small number is not odd, and can have more bits than its precision.
        let zeros = mantissa.trailing_zeros().unwrap_or(0);
        let (mantissa, exponent) = (mantissa >> zeros, exponent + zeros as i64);
        // The lowest bit of the widened mantissa is half a unit of the last place.
        let widen = usize::from(self.precision()) + 1 - mantissa.bit_len();
        let mantissa = mantissa << widen;
        let exponent = exponent - widen as i64;
        let (digits, point) = decimal(mantissa.clone(), exponent);
        let (lower, _) = decimal(&mantissa - UBig::ONE, exponent);
        let (upper, _) = decimal(&mantissa + UBig::ONE, exponent);
        let inclusive = !mantissa.bit(1);
        let at = |digits: &str, i: usize| digits.as_bytes().get(i).copied().unwrap_or(b'0');
        for i in 0..digits.len() {
            let (m, l, u) = (at(&digits, i), at(&lower, i), at(&upper, i));
            let down = l != m || inclusive && i + 1 == lower.len();
            let up = m != u && (inclusive || m + 1 < u || i + 1 < upper.len());
            let kept = &digits[..=i];
            let rounded = match (down, up) {
                (false, false) => continue,
                (true, false) => (kept.to_owned(), point),
                (false, true) => increment(kept, point),
                (true, true) => {
                    let next = at(&digits, i + 1);
                    let exactly_half = next == b'5' && i + 2 == digits.len();
                    let round_up = if exactly_half { m % 2 == 1 } else { next >= b'5' };
                    if round_up { increment(kept, point) } else { (kept.to_owned(), point) }
                }
            };
            let trimmed = rounded.0.trim_end_matches('0');
            return (negative, trimmed.to_owned(), rounded.1);
        }
        (negative, digits, point)
    }
}

impl Number {
    /// All decimal digits of the magnitude of a finite number without trailing zeros, and the position of the decimal
    /// point relative to the first digit. Zero has no digits.
    pub fn exact_digits(&self) -> (String, i64) {
        let (_, mantissa, exponent) = self.parts();
        if mantissa == UBig::ZERO { (String::new(), 0) } else { decimal(mantissa, exponent) }
    }
}

/// The exact decimal digits of `mantissa · 2^exponent` without trailing zeros, and the position of the point.
fn decimal(mantissa: UBig, exponent: i64) -> (String, i64) {
    let (text, scale) = if exponent >= 0 {
        ((mantissa << exponent as usize).to_string(), 0)
    } else {
        // m / 2^k = m · 5^k / 10^k
        let k = exponent.unsigned_abs() as usize;
        let zeros = mantissa.trailing_zeros().unwrap_or(0).min(k);
        let k = k - zeros;
        (((mantissa >> zeros) * UBig::from(5u8).pow(k)).to_string(), k as i64)
    };
    let point = text.len() as i64 - scale;
    (text.trim_end_matches('0').to_owned(), point)
}

/// Adds one to the last digit.
fn increment(digits: &str, point: i64) -> (String, i64) {
    let trimmed = digits.trim_end_matches('9');
    match trimmed.as_bytes().last() {
        None => ("1".to_owned(), point + 1),
        Some(last) => {
            let mut text = trimmed[..trimmed.len() - 1].to_owned();
            text.push(char::from(last + 1));
            (text, point)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn whole_numbers_beyond_their_precision_print_shortest() {
        let power = |exponent| Number::from_f64(f64::powi(2.0, exponent)).unwrap();
        assert_eq!(power(54).to_string(), "18014398509481984");
        assert_eq!(power(60).to_string(), "1152921504606847000");
        let product = Number::from_f64(9007199254740991.0).unwrap().mul(&n("3").with_precision(53)).unwrap();
        assert_eq!(product.to_string(), "27021597764222973");
    }

    #[test]
    fn text_is_kept_in_plain_decimal() {
        for (text, printed) in [
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("1e-20", "0.00000000000000000001"),
            ("007", "7"),
            ("0.1", "0.1"),
            ("12345678901234567890.5", "12345678901234567890.5"),
            ("9223372036854775808", "9223372036854775808"),
            ("-9223372036854775808", "-9223372036854775808"),
            (".5", "0.5"),
            ("1.", "1"),
            ("-0", "-0"),
            ("inf", "+Inf"),
        ] {
            assert_eq!(n(text).to_string(), printed, "{text}");
        }
        for text in ["", " 1", "0x10", "1_000", "NaN", "INF", ".", "1e", "e5", "--1"] {
            assert!(Number::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn arithmetic_rounds_at_the_greater_precision() {
        assert_eq!(n("0.1").add(&n("0.2")).unwrap(), n("0.3"));
        assert_ne!(n("1").sub(&n("0.9")).unwrap(), n("0.1"));
        assert_eq!(n("1").div(&n("3")).unwrap().mul(&n("3")).unwrap(), n("1"));
        let third = Number::from_count(1).div(&Number::from_count(3)).unwrap();
        assert_eq!(third.to_string(), "0.33333333333333333334");
        assert_eq!(n("1").div(&n("3")).unwrap().to_string().len(), 157);
    }

    #[test]
    fn floating_point_results_print_as_short_as_their_precision_allows() {
        assert_eq!(Number::from_f64(2f64.powi(64)).unwrap().to_string(), "18446744073709550000");
        assert_eq!(Number::from_f64(2f64.sqrt()).unwrap().to_string(), "1.4142135623730951");
        assert_eq!(Number::from_f64(2.9999999999999996).unwrap().to_string(), "2.9999999999999996");
        assert_eq!(Number::from_f64(0.5).unwrap().to_string(), "0.5");
    }

    #[test]
    fn remainders_keep_the_sign_of_the_left() {
        for (a, b, r) in
            [("7", "3", "1"), ("-7", "3", "-1"), ("7", "-3", "1"), ("7.5", "2", "1.5"), ("7", "0", "7")]
        {
            assert_eq!(n(a).rem(&n(b)).unwrap(), n(r), "{a} % {b}");
        }
    }

    #[test]
    fn order_and_whole_numbers() {
        assert!(n("1e400") > n("1e399"));
        assert!(n("-1e400") < n("0.1"));
        assert!(n("-1.5") < n("-1.25"));
        assert_eq!(n("-1.1").floor(), n("-2"));
        assert_eq!(n("1.1").ceil(), n("2"));
        assert_eq!(n("-0.5").ceil().to_string(), "0");
        assert_eq!(n("5").sub(&n("5")).unwrap().to_string(), "0");
    }
}
