//! Functions on numbers.
//!
//! `log` and `pow` compute in double precision and give what a double has; the others are exact.

use dashu_int::UBig;
use plumb_model::convert::convert;
use plumb_model::operators::{Arithmetic, Comparison, arithmetic};
use plumb_model::{Number, Refinement, Type, Value};

use crate::double;
use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter, whole};

/// The most elements that `range` makes.
const MOST_IN_RANGE: usize = 1024;

pub(crate) fn functions() -> Vec<Function> {
    let number = |name, description| parameter(name, Type::Number, description);
    vec![
        Function::new("abs", Type::Number, |call| Ok(call.number(0).abs().into()))
            .describe("Returns the absolute value of a number.")
            .takes(number("num", "The number.")),
        Function::new("ceil", Type::Number, |call| Ok(integral(call.number(0).ceil())))
            .describe("Returns the closest whole number that is greater than or equal to the given one.")
            .takes(number("num", "The number.")),
        Function::new("floor", Type::Number, |call| Ok(integral(call.number(0).floor())))
            .describe("Returns the closest whole number that is less than or equal to the given one.")
            .takes(number("num", "The number.")),
        Function::new("log", Type::Number, log)
            .describe("Returns the logarithm of a number to a base, in double precision.")
            .takes(number("num", "The number."))
            .takes(number("base", "The base of the logarithm.")),
        Function::new("pow", Type::Number, pow)
            .describe("Raises a number to a power, in double precision.")
            .takes(number("num", "The number."))
            .takes(number("power", "The exponent.")),
        Function::new("signum", Type::Number, signum)
            .describe("Returns -1, 0 or 1 for a negative number, zero or a positive number.")
            .takes(number("num", "A whole number.")),
        Function::new("max", Type::Number, |call| extreme(call, Comparison::Greater))
            .describe("Returns the greatest of the given numbers.")
            .takes_many(number("numbers", "The numbers.").unknown()),
        Function::new("min", Type::Number, |call| extreme(call, Comparison::Less))
            .describe("Returns the smallest of the given numbers.")
            .takes_many(number("numbers", "The numbers.").unknown()),
        Function::new("parseint", Type::Dynamic, parse_int)
            .describe("Reads a string as a whole number in a base.")
            .takes(parameter("number", Type::Dynamic, "The digits, with an optional sign."))
            .takes(number("base", "The base, from 2 to 62.")),
        Function::new("sum", Type::Dynamic, sum)
            .describe("Adds up the numbers of a list, a set or a tuple.")
            .takes(parameter("list", Type::Dynamic, "The numbers.").unknown_parts()),
        Function::new("range", Type::list(Type::Number), range)
            .describe("Makes a list of numbers from a start, which is included, to an end, which is not.")
            .takes_many(number("params", "The end; or start and end; or start, end and step.")),
    ]
}

/// A whole number as a value: there is no negative zero among them.
fn integral(number: Number) -> Value {
    if number.is_zero() { Value::int(0) } else { number.into() }
}

fn double(call: &Call<'_>, i: usize) -> Result<f64, FunctionError> {
    let number = call.number(i);
    let value = number.to_f64();
    if value.is_infinite() && !number.is_infinite() {
        return Err(FunctionError::argument(
            i,
            "the number is too large to compute with in double precision",
        ));
    }
    Ok(value)
}

fn from_double(value: f64) -> Outcome {
    Number::from_f64(value)
        .map(Value::Number)
        .map_err(|_| FunctionError::failed("the result is not a number"))
}

fn log(call: &Call<'_>) -> Outcome {
    from_double(double::log(double(call, 0)?, double(call, 1)?))
}

fn pow(call: &Call<'_>) -> Outcome {
    from_double(double::pow(double(call, 0)?, double(call, 1)?))
}

fn signum(call: &Call<'_>) -> Outcome {
    Ok(Value::Number(Number::from_count(call.integer(0)?.signum())))
}

/// The argument that compares so with all others; of equal ones the first.
fn extreme(call: &Call<'_>, wanted: Comparison) -> Outcome {
    let Some(numbers) = call.args.iter().map(Value::as_number).collect::<Option<Vec<_>>>() else {
        return Ok(Value::refined(Type::Number, bound_of_extreme(call.args, wanted)));
    };
    let mut best = *numbers.first().ok_or_else(|| FunctionError::failed("must pass at least one number"))?;
    for number in numbers {
        if if wanted == Comparison::Less { number < best } else { number > best } {
            best = number;
        }
    }
    Ok(best.clone().into())
}

/// The result is at most, or at least, what is known of the arguments.
fn bound_of_extreme(args: &[Value], wanted: Comparison) -> Refinement {
    let known = args.iter().filter_map(Value::as_number);
    let mut refinement = Refinement { not_null: true, ..Refinement::default() };
    if wanted == Comparison::Less {
        refinement.max = known.min().map(|n| (n.clone(), true));
    } else {
        refinement.min = known.max().map(|n| (n.clone(), true));
    }
    refinement
}

fn parse_int(call: &Call<'_>) -> Outcome {
    let Value::String(text) = &call.args[0] else {
        let found = call.args[0].ty().friendly_name();
        return Err(FunctionError::argument(0, format!("first argument must be a string, not {found}")));
    };
    let base = whole(call.number(1)).map_err(|problem| FunctionError::argument(1, problem))?;
    if !(2..=62).contains(&base) {
        return Err(FunctionError::argument(1, "base must be a whole number between 2 and 62 inclusive"));
    }
    let invalid = || FunctionError::argument(0, format!("cannot parse {text:?} as a base {base} integer"));
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(invalid());
    }
    let values: Vec<u8> =
        digits.iter().map(|digit| digit_value(*digit, base)).collect::<Option<_>>().ok_or_else(invalid)?;
    let magnitude = from_digits(&values, base as u8);
    let negative = negative && magnitude != UBig::ZERO;
    Ok(Number::from_integer(negative, magnitude).into())
}

fn digit_value(digit: u8, base: i64) -> Option<u8> {
    let value = match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'z' => digit - b'a' + 10,
        b'A'..=b'Z' if base <= 36 => digit - b'A' + 10,
        b'A'..=b'Z' => digit - b'A' + 36,
        _ => return None,
    };
    (i64::from(value) < base).then_some(value)
}

/// Halves the digits again and again, so that long numbers are not multiplied digit by digit.
fn from_digits(digits: &[u8], base: u8) -> UBig {
    if digits.len() <= 10 {
        let value = digits.iter().fold(0u64, |value, digit| value * u64::from(base) + u64::from(*digit));
        return UBig::from(value);
    }
    let (high, low) = digits.split_at(digits.len() / 2);
    from_digits(high, base) * UBig::from(base).pow(low.len()) + from_digits(low, base)
}

fn sum(call: &Call<'_>) -> Outcome {
    let invalid = |message: &str| Err(FunctionError::argument(0, message));
    let items = match &call.args[0] {
        Value::List(s) | Value::Set(s) => s.items.as_slice(),
        Value::Tuple(items) => items.as_slice(),
        Value::Map(_) | Value::Object(_) => {
            let found = call.args[0].ty().friendly_name();
            return invalid(&format!("argument must be list, set, or tuple. Received {found}"));
        }
        _ => return invalid("cannot sum noniterable"),
    };
    let Some((first, rest)) = items.split_first() else { return invalid("cannot sum an empty list") };
    let not_numbers = || FunctionError::argument(0, "argument must be list, set, or tuple of number values");
    let mut total = convert(first, &Type::Number).map_err(|_| not_numbers())?;
    if total.is_null() {
        return Err(not_numbers());
    }
    for item in rest {
        total = arithmetic(Arithmetic::Add, &total, item).map_err(|_| not_numbers())?;
    }
    Ok(total)
}

fn range(call: &Call<'_>) -> Outcome {
    let zero = Value::Number(Number::ZERO);
    let (start, end, step) = match call.args {
        [end] => (&zero, end, None),
        [start, end] => (start, end, None),
        [start, end, step] => (start, end, Some(step)),
        _ => return Err(FunctionError::failed("must have one, two, or three arguments")),
    };
    let known = |value: &Value| value.as_number().cloned().unwrap_or(Number::ZERO);
    let (start, end) = (known(start), known(end));
    let step = match step {
        Some(step) => known(step),
        None => Number::from_i64(if end < start { -1 } else { 1 }),
    };
    let last = call.args.len() - 1;
    if step < Number::ZERO && end > start {
        return Err(FunctionError::argument(last, "end must be less than start when step is negative"));
    }
    if step > Number::ZERO && end < start {
        return Err(FunctionError::argument(last, "end must be greater than start when step is positive"));
    }
    let down = step < Number::ZERO;
    let mut numbers = Vec::new();
    let mut next = start;
    while if down { next > end } else { next < end } {
        if numbers.len() >= MOST_IN_RANGE {
            return Err(FunctionError::failed(format!(
                "more than {MOST_IN_RANGE} values were generated; either decrease the difference between start \
                 and end or use a smaller step"
            )));
        }
        numbers.push(Value::Number(next.clone()));
        next = next.add(&step).map_err(|e| FunctionError::failed(e.to_string()))?;
    }
    Ok(Value::list(Type::Number, numbers))
}
