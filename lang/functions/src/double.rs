//! Powers and logarithms in double precision.
//!
//! Plans are compared text for text with those that were made before, so a result must not differ in its last digit from
//! machine to machine or from one tool to another. The methods here are those whose results configurations have always
//! seen: powers by repeated squaring of the mantissa, logarithms and exponentials by fixed series.

use std::f64::consts::LOG2_E;

/// ln 2, split so that multiples of the first part are exact.
const LN_2_HIGH: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
const LN_2_LOW: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;

/// The natural logarithm of `x` over that of `base`.
pub(crate) fn log(x: f64, base: f64) -> f64 {
    libm::log(x) / libm::log(base)
}

/// `x` to the power of `y`.
pub(crate) fn pow(x: f64, y: f64) -> f64 {
    let whole_limit = 9_223_372_036_854_775_808.0;
    if y == 0.5 {
        return x.sqrt();
    }
    if y == -0.5 {
        return 1.0 / x.sqrt();
    }
    if x == 0.0 || x == 1.0 || y == 0.0 || y == 1.0 || !x.is_finite() || y.abs() >= whole_limit {
        return x.powf(y);
    }
    let mut whole = y.abs().trunc();
    let mut fraction = y.abs() - whole;
    if fraction != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    let (mut mantissa, mut exponent) = (1.0, 0i64);
    if fraction != 0.0 {
        if fraction > 0.5 {
            fraction -= 1.0;
            whole += 1.0;
        }
        mantissa = exp(fraction * libm::log(x));
    }
    let (mut square, square_exponent) = libm::frexp(x);
    let mut square_exponent = i64::from(square_exponent);
    let mut bits = whole as i64;
    while bits != 0 {
        if square_exponent.abs() > 1 << 12 {
            // The result is out of range whatever follows.
            exponent += square_exponent;
            break;
        }
        if bits & 1 == 1 {
            mantissa *= square;
            exponent += square_exponent;
        }
        square *= square;
        square_exponent *= 2;
        if square.abs() < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        bits >>= 1;
    }
    if y < 0.0 {
        mantissa = 1.0 / mantissa;
        exponent = -exponent;
    }
    libm::ldexp(mantissa, exponent.clamp(-5000, 5000) as i32)
}

/// The exponential function: the argument is reduced to a small one, whose series is squared four times.
fn exp(x: f64) -> f64 {
    if x > 709.782_712_893_384 {
        return f64::INFINITY;
    }
    if x < -745.133_219_101_941_2 {
        return 0.0;
    }
    let n = (x * LOG2_E).round_ties_even();
    let reduced = (-n).mul_add(LN_2_LOW, (-n).mul_add(LN_2_HIGH, x)) / 16.0;
    let series = [1.0 / 5_040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0]
        .into_iter()
        .fold(1.0 / 40_320.0, |sum: f64, coefficient| sum.mul_add(reduced, coefficient));
    let mut y = series * reduced;
    for _ in 0..3 {
        y *= y + 2.0;
    }
    libm::ldexp(y.mul_add(y + 2.0, 1.0), n as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_is_the_expected_one() {
        assert_eq!(pow(1.5, 2.5).to_string(), "2.7556759606310757");
        assert_eq!(pow(42.46, 4.87).to_string(), "84773975.59219444");
        assert_eq!(pow(10.0, -3.0), 0.001);
        assert_eq!(pow(62.81, -0.73).to_string(), "0.04868991101263719");
        assert_eq!(log(1000.0, 10.0).to_string(), "2.9999999999999996");
        assert_eq!(log(3.0, 2.0).to_string(), "1.584962500721156");
        assert_eq!(pow(2.0, -1074.0), f64::from_bits(1));
        assert_eq!(pow(10.0, 400.0), f64::INFINITY);
        assert!(pow(-8.0, 1.0 / 3.0).is_nan());
    }
}
