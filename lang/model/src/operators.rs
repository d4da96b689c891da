//! Arithmetic, comparison and logic on values.
//!
//! Operands are converted to the type that the operator works on, so that `"10" + 5` is 15. A null operand is an error.
//! An unknown operand makes the result unknown; bounds of unknown numbers go through `+` and `-`, and comparisons are
//! decided by them where they can be. The result carries the marks of both operands.
//!
//! Elsewhere: `==` is [`crate::equality`].

use crate::convert::convert;
use crate::marks::Marks;
use crate::number::{Number, NumberError};
use crate::types::Type;
use crate::value::{Refinement, Value};

/// An operator on two numbers with a number as its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

/// An operator on two numbers with a bool as its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// An operator on two bools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// One of the operands of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The one before the operator.
    Left,
    /// The one after the operator.
    Right,
    /// The only one.
    Only,
}

/// Why an operation has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// An operand is not of the type that the operator works on, and cannot be converted to it.
    #[error("{problem}")]
    Unsuitable {
        /// Which one.
        operand: Operand,
        /// What is wanted: `a number is required`.
        problem: String,
    },
    /// An operand is null.
    #[error("argument must not be null")]
    Null(Operand),
    /// The operation is not defined for these operands.
    #[error("{0}")]
    Undefined(#[from] NumberError),
}

/// The result of an arithmetic operator. Division by zero is an infinity.
///
/// # Errors
/// See [`OperationError`].
pub fn arithmetic(operator: Arithmetic, a: &Value, b: &Value) -> Result<Value, OperationError> {
    let (a, b, marks) = operands(a, b, &Type::Number)?;
    let result = match (a.as_number(), b.as_number()) {
        (Some(x), Some(y)) => Value::Number(compute(operator, x, y)?),
        _ => Value::refined(Type::Number, bounds_of_result(operator, &a, &b)),
    };
    Ok(result.with_marks(marks))
}

/// The result of a comparison.
///
/// # Errors
/// See [`OperationError`].
pub fn comparison(operator: Comparison, a: &Value, b: &Value) -> Result<Value, OperationError> {
    let (a, b, marks) = operands(a, b, &Type::Number)?;
    let answer = match operator {
        Comparison::Less => less(&a, &b),
        Comparison::Greater => less(&b, &a),
        Comparison::LessOrEqual => less(&b, &a).map(|answer| !answer),
        Comparison::GreaterOrEqual => less(&a, &b).map(|answer| !answer),
    };
    Ok(bool_or_unknown(answer).with_marks(marks))
}

/// The result of `&&` or `||` on operands that have both been evaluated. An operand that decides the result does so
/// even if the other is unknown.
///
/// # Errors
/// See [`OperationError`].
pub fn logic(operator: Logic, a: &Value, b: &Value) -> Result<Value, OperationError> {
    let (a, b, marks) = operands(a, b, &Type::Bool)?;
    let deciding = operator == Logic::Or;
    let answer = match (a.as_bool(), b.as_bool()) {
        (Some(value), _) | (_, Some(value)) if value == deciding => Some(deciding),
        (Some(_), Some(_)) => Some(!deciding),
        _ => None,
    };
    Ok(bool_or_unknown(answer).with_marks(marks))
}

/// Whether a known operand of `&&` or `||` decides the result by itself, so that the other need not be evaluated.
pub fn decides(operator: Logic, operand: &Value) -> bool {
    let deciding = operator == Logic::Or;
    convert(operand, &Type::Bool).is_ok_and(|value| value.as_bool() == Some(deciding))
}

/// `-a`
///
/// # Errors
/// See [`OperationError`].
pub fn negate(a: &Value) -> Result<Value, OperationError> {
    let (a, marks) = operand(a, &Type::Number, Operand::Only)?;
    let result = match &a {
        Value::Number(number) => Value::Number(number.neg()),
        unknown => {
            let flip = |bound: Option<(Number, bool)>| bound.map(|(n, possible)| (n.neg(), possible));
            let (min, max) = bounds(unknown);
            let refinement =
                Refinement { not_null: true, min: flip(max), max: flip(min), ..Refinement::default() };
            Value::refined(Type::Number, refinement)
        }
    };
    Ok(result.with_marks(marks))
}

/// `!a`
///
/// # Errors
/// See [`OperationError`].
pub fn not(a: &Value) -> Result<Value, OperationError> {
    let (a, marks) = operand(a, &Type::Bool, Operand::Only)?;
    Ok(bool_or_unknown(a.as_bool().map(|value| !value)).with_marks(marks))
}

fn bool_or_unknown(answer: Option<bool>) -> Value {
    answer.map_or_else(|| Value::unknown_not_null(Type::Bool), Value::Bool)
}

/// Both operands converted and unmarked, and their marks.
fn operands(a: &Value, b: &Value, ty: &Type) -> Result<(Value, Value, Marks), OperationError> {
    let unsuitable = |operand| {
        move |error: crate::convert::ConvertError| OperationError::Unsuitable {
            operand,
            problem: error.to_string(),
        }
    };
    let left = convert(a, ty).map_err(unsuitable(Operand::Left))?;
    let right = convert(b, ty).map_err(unsuitable(Operand::Right))?;
    for (value, operand) in [(&left, Operand::Left), (&right, Operand::Right)] {
        if value.is_null() {
            return Err(OperationError::Null(operand));
        }
    }
    let marks = left.marks() | right.marks();
    Ok((left.unmarked().clone(), right.unmarked().clone(), marks))
}

fn operand(a: &Value, ty: &Type, operand: Operand) -> Result<(Value, Marks), OperationError> {
    let value =
        convert(a, ty).map_err(|error| OperationError::Unsuitable { operand, problem: error.to_string() })?;
    if value.is_null() {
        return Err(OperationError::Null(operand));
    }
    Ok((value.unmarked().clone(), value.marks()))
}

fn compute(operator: Arithmetic, a: &Number, b: &Number) -> Result<Number, NumberError> {
    match operator {
        Arithmetic::Add => a.add(b),
        Arithmetic::Subtract => a.sub(b),
        Arithmetic::Multiply => a.mul(b),
        Arithmetic::Divide => a.div(b),
        Arithmetic::Modulo => a.rem(b),
    }
}

type Bound = Option<(Number, bool)>;

/// The least and the greatest that a number can be.
fn bounds(value: &Value) -> (Bound, Bound) {
    match value {
        Value::Number(number) => (Some((number.clone(), true)), Some((number.clone(), true))),
        Value::Unknown(unknown) => (unknown.refinement.min.clone(), unknown.refinement.max.clone()),
        _ => (None, None),
    }
}

fn bounds_of_result(operator: Arithmetic, a: &Value, b: &Value) -> Refinement {
    let ((a_min, a_max), (b_min, b_max)) = (bounds(a), bounds(b));
    let combine = |x: Bound, y: Bound| {
        let ((x, x_possible), (y, y_possible)) = (x?, y?);
        Some((compute(operator, &x, &y).ok()?, x_possible && y_possible))
    };
    let (min, max) = match operator {
        Arithmetic::Add => (combine(a_min, b_min), combine(a_max, b_max)),
        Arithmetic::Subtract => (combine(a_min, b_max), combine(a_max, b_min)),
        _ => (None, None),
    };
    Refinement { not_null: true, min, max, ..Refinement::default() }
}

/// `a < b`, if it is known.
fn less(a: &Value, b: &Value) -> Option<bool> {
    let ((a_min, a_max), (b_min, b_max)) = (bounds(a), bounds(b));
    if let (Some((high, high_possible)), Some((low, low_possible))) = (&a_max, &b_min)
        && (high < low || high == low && !(*high_possible && *low_possible))
    {
        return Some(true);
    }
    if let (Some((low, _)), Some((high, _))) = (&a_min, &b_max)
        && low >= high
    {
        return Some(false);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_are_converted_and_null_is_refused() {
        assert_eq!(arithmetic(Arithmetic::Add, &"10".into(), &Value::int(5)), Ok(Value::int(15)));
        assert_eq!(comparison(Comparison::Greater, &"10".into(), &Value::int(9)), Ok(true.into()));
        assert_eq!(not(&"false".into()), Ok(true.into()));
        assert_eq!(
            arithmetic(Arithmetic::Add, &true.into(), &Value::int(1)),
            Err(OperationError::Unsuitable { operand: Operand::Left, problem: "number required".to_owned() })
        );
        assert_eq!(logic(Logic::Or, &Value::NULL, &true.into()), Err(OperationError::Null(Operand::Left)));
        assert_eq!(negate(&Value::NULL), Err(OperationError::Null(Operand::Only)));
    }

    #[test]
    fn zero_divided_by_zero_is_undefined_but_other_divisions_by_zero_are_infinite() {
        let (zero, one) = (Value::int(0), Value::int(1));
        assert_eq!(arithmetic(Arithmetic::Divide, &one, &zero), Ok(Number::infinity(false).into()));
        assert!(matches!(
            arithmetic(Arithmetic::Divide, &zero, &zero),
            Err(OperationError::Undefined(NumberError::IndeterminateQuotient))
        ));
    }

    #[test]
    fn bounds_decide_comparisons() {
        let count =
            Refinement { not_null: true, min: Some((Number::from_i64(0), true)), ..Refinement::default() };
        let count = Value::refined(Type::Number, count);
        assert_eq!(comparison(Comparison::GreaterOrEqual, &count, &Value::int(0)), Ok(true.into()));
        assert_eq!(comparison(Comparison::Less, &count, &Value::int(0)), Ok(false.into()));
        assert!(!comparison(Comparison::Greater, &count, &Value::int(0)).unwrap().is_known());
        let more = arithmetic(Arithmetic::Add, &count, &Value::int(1)).unwrap();
        assert_eq!(comparison(Comparison::Greater, &more, &Value::int(0)), Ok(true.into()));
    }

    #[test]
    fn one_operand_can_decide_and_marks_are_joined() {
        let unknown = Value::unknown(Type::Bool).with_marks(Marks::SENSITIVE);
        assert_eq!(
            logic(Logic::And, &unknown, &false.into()),
            Ok(Value::Bool(false).with_marks(Marks::SENSITIVE))
        );
        assert!(!logic(Logic::And, &unknown, &true.into()).unwrap().is_known());
        assert!(decides(Logic::Or, &"1".into()) && !decides(Logic::Or, &unknown));
    }
}
