//! `condition ? then : otherwise`
//!
//! Both arms are evaluated, since the type of the result is what both unify to, but trouble in the arm that is not
//! taken does not matter.

use ecow::{EcoString, eco_format};
use plumb_model::convert::convert;
use plumb_model::unify::unify;
use plumb_model::{Diagnostic, Number, Refinement, Type, Value};
use plumb_syntax::tree::{Conditional, Expr};

use super::{Eval, Failed, Outcome, is_static};

impl Eval<'_> {
    pub(super) fn conditional(&mut self, conditional: &Conditional) -> Outcome {
        let then = self.aside(|eval| eval.eval(&conditional.then));
        let otherwise = self.aside(|eval| eval.eval(&conditional.otherwise));
        let mut arms = [then, otherwise];
        // Names that mean nothing are wrong in either arm.
        let mut failed = false;
        for (_, found) in &mut arms {
            for diagnostic in std::mem::take(found) {
                if is_static(&diagnostic) {
                    failed = true;
                    self.diagnostics.push(diagnostic);
                } else {
                    found.push(diagnostic);
                }
            }
        }
        let condition = self.condition(&conditional.condition)?;
        if failed {
            return Err(Failed);
        }
        if !self.rules.native && !condition.is_known() {
            // Trouble in an arm that may not be taken is none in Terraform's language.
            for (arm, found) in &mut arms {
                if arm.is_err() {
                    *arm = Ok(Value::unknown(Type::Dynamic));
                    *found = plumb_model::Diagnostics::new();
                }
            }
        }
        let (condition, marks) = condition.unmark();
        let taken = condition.as_bool();
        let [(then, then_found), (otherwise, otherwise_found)] = arms;
        let result = match taken {
            Some(taken) => {
                let (chosen, found, other) =
                    if taken { (then, then_found, otherwise) } else { (otherwise, otherwise_found, then) };
                self.diagnostics.extend(found);
                let chosen = chosen?;
                match other {
                    Ok(other) => {
                        let marks = other.marks();
                        self.chosen(conditional, chosen, &other, taken)?.with_marks(marks)
                    }
                    Err(Failed) => chosen,
                }
            }
            None => {
                self.diagnostics.extend(then_found);
                self.diagnostics.extend(otherwise_found);
                self.either(conditional, &then?, &otherwise?)?
            }
        };
        Ok(result.with_marks(marks))
    }

    /// A condition as a bool, perhaps unknown, perhaps marked.
    pub(super) fn condition(&mut self, expr: &Expr) -> Outcome {
        let value = self.eval(expr)?;
        if value.is_null() {
            let diagnostic = Diagnostic::error("null-condition", "Null condition")
                .detail("The condition is null; it must be true or false.")
                .at(expr.span)
                .help("Say what null means: `coalesce(condition, false)`.");
            return self.fail_at(diagnostic, expr);
        }
        if !self.rules.native && !value.is_known() {
            return Ok(Value::unknown(Type::Bool).with_marks(value.marks()));
        }
        convert(&value, &Type::Bool).or_else(|error| {
            let diagnostic = Diagnostic::error("condition-not-bool", "Incorrect condition type")
                .detail(eco_format!("The condition must be of type bool: {error}."))
                .at(expr.span)
                .help("Compare the value with something: `length(value) > 0`, `value != \"\"`.");
            self.fail_at(diagnostic, expr)
        })
    }

    /// The arm that is taken, as a value of the type of both.
    fn chosen(&mut self, conditional: &Conditional, chosen: Value, other: &Value, taken: bool) -> Outcome {
        if untyped(other) {
            return Ok(chosen);
        }
        if untyped(&chosen) {
            return match chosen.unmark() {
                (Value::Null(_), marks) => Ok(Value::Null(other.ty()).with_marks(marks)),
                _ => Ok(chosen),
            };
        }
        let (ty, other_ty) = (chosen.ty(), other.ty());
        if ty == other_ty || self.keeps_shapes(&ty, &other_ty) {
            return Ok(chosen);
        }
        let unified = if taken { unify(&[ty, other_ty]) } else { unify(&[other_ty, ty]) };
        match unified.and_then(|unified| convert(&chosen, &unified).ok()) {
            Some(value) => Ok(value),
            None if taken => self.inconsistent(conditional, &chosen, other),
            None => self.inconsistent(conditional, other, &chosen),
        }
    }

    /// What is known of a value that is one of two.
    fn either(&mut self, conditional: &Conditional, then: &Value, otherwise: &Value) -> Outcome {
        let marks = then.marks() | otherwise.marks();
        let ty = match (untyped(then), untyped(otherwise)) {
            (true, true) => Type::Dynamic,
            (true, false) if then.is_null() => otherwise.ty(),
            (false, true) if otherwise.is_null() => then.ty(),
            (true, _) | (_, true) => Type::Dynamic,
            (false, false) if self.keeps_shapes(&then.ty(), &otherwise.ty()) => {
                let (then, otherwise) = (then.ty(), otherwise.ty());
                if then == otherwise { then } else { Type::Dynamic }
            }
            (false, false) => {
                let unified = unify(&[then.ty(), otherwise.ty()]);
                let unified =
                    unified.filter(|ty| convert(then, ty).is_ok() && convert(otherwise, ty).is_ok());
                match unified {
                    Some(ty) => ty,
                    None => return self.inconsistent(conditional, then, otherwise),
                }
            }
        };
        if then.is_null() && otherwise.is_null() {
            return Ok(Value::Null(ty).with_marks(marks));
        }
        let as_ty = |value: &Value| convert(value, &ty).unwrap_or_else(|_| value.clone());
        let refinement = common_refinement(as_ty(then).unmarked(), as_ty(otherwise).unmarked());
        Ok(Value::refined(ty, refinement).with_marks(marks))
    }

    /// Whether a value of either type stays as it is: in the native language a conditional over two objects is one of
    /// them, not a map of what both have in common.
    fn keeps_shapes(&self, then: &Type, otherwise: &Type) -> bool {
        self.rules.native
            && matches!(
                (then, otherwise),
                (Type::Object(_), Type::Object(_)) | (Type::Tuple(_), Type::Tuple(_))
            )
    }

    fn inconsistent(&mut self, conditional: &Conditional, then: &Value, otherwise: &Value) -> Outcome {
        let why = difference(&then.ty(), &otherwise.ty(), &EcoString::new());
        let diagnostic = Diagnostic::error("inconsistent-arms", "Inconsistent conditional result types")
            .detail(eco_format!("Both results of a conditional must be of one type. {why}"))
            .label(conditional.then.span, eco_format!("if true: {}", then.ty().friendly_name()))
            .label(conditional.otherwise.span, eco_format!("if false: {}", otherwise.ty().friendly_name()))
            .help(
                "Give both results the same attributes or elements, with null where there is nothing to say.",
            );
        self.fail(diagnostic)
    }
}

/// Whether the value says nothing of its type.
fn untyped(value: &Value) -> bool {
    match value.unmarked() {
        Value::Null(ty) => *ty == Type::Dynamic,
        Value::Unknown(unknown) => unknown.ty == Type::Dynamic,
        _ => false,
    }
}

/// The first thing in which two types differ, in words.
fn difference(then: &Type, otherwise: &Type, at: &EcoString) -> EcoString {
    let place = |at: &EcoString| if at.is_empty() { EcoString::new() } else { eco_format!("For {at}: ") };
    match (then, otherwise) {
        (Type::Object(a), Type::Object(b)) => {
            for (name, ty) in &a.attributes {
                match b.attributes.get(name) {
                    None => {
                        return eco_format!(
                            "{}The value if true has an attribute `{name}`, the other has not.",
                            place(at)
                        );
                    }
                    Some(other) if other != ty => {
                        return difference(
                            ty,
                            other,
                            &eco_format!("{at}{}{name}", if at.is_empty() { "" } else { "." }),
                        );
                    }
                    Some(_) => {}
                }
            }
            let extra = b.attributes.keys().find(|name| !a.attributes.contains_key(*name));
            extra.map_or_else(EcoString::new, |name| {
                eco_format!("{}The value if false has an attribute `{name}`, the other has not.", place(at))
            })
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            let differing = a.iter().zip(b.iter()).enumerate().find(|(_, (a, b))| a != b);
            differing.map_or_else(EcoString::new, |(i, (a, b))| difference(a, b, &eco_format!("{at}[{i}]")))
        }
        (a, b) => eco_format!(
            "{}The value if true is {}, the value if false is {}.",
            place(at),
            a.friendly_name(),
            b.friendly_name()
        ),
    }
}

/// What holds of both.
fn common_refinement(a: &Value, b: &Value) -> Refinement {
    let (a, b) = (facts(a), facts(b));
    let shared: String =
        a.prefix.chars().zip(b.prefix.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x).collect();
    Refinement {
        not_null: a.not_null && b.not_null,
        prefix: shared.into(),
        min: outer(a.min, b.min, |x, y| x < y),
        max: outer(a.max, b.max, |x, y| x > y),
        min_length: a.min_length.min(b.min_length),
        max_length: a.max_length.zip(b.max_length).map(|(x, y)| x.max(y)),
    }
}

type Bound = Option<(Number, bool)>;

fn outer(a: Bound, b: Bound, outside: impl Fn(&Number, &Number) -> bool) -> Bound {
    let (a, b) = (a?, b?);
    if a.0 == b.0 {
        Some((a.0, a.1 || b.1))
    } else if outside(&a.0, &b.0) {
        Some(a)
    } else {
        Some(b)
    }
}

/// What is known of a value, also of one that is known.
fn facts(value: &Value) -> Refinement {
    match value {
        Value::Unknown(unknown) => unknown.refinement.clone(),
        Value::Null(_) => Refinement::default(),
        Value::Number(number) => Refinement {
            not_null: true,
            min: Some((number.clone(), true)),
            max: Some((number.clone(), true)),
            ..Refinement::default()
        },
        Value::String(text) => {
            let start: String = text.chars().take(64).collect();
            Refinement { not_null: true, prefix: start.into(), ..Refinement::default() }
        }
        Value::List(_) | Value::Set(_) | Value::Map(_) => {
            let count =
                value.as_items().map_or_else(|| value.as_entries().map_or(0, |e| e.len()), <[Value]>::len);
            let whole = !matches!(value, Value::Set(_)) || value.is_wholly_known();
            let min_length = if whole { count } else { usize::from(count > 0) };
            Refinement { not_null: true, min_length, max_length: Some(count), ..Refinement::default() }
        }
        _ => Refinement { not_null: true, ..Refinement::default() },
    }
}
