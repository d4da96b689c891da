//! Expressions to values.
//!
//! [`Eval`] walks an expression. What names mean comes from [`Names`], so that the same walk serves modules, template
//! files, variable files and constants. Trouble is collected in [`Eval::diagnostics`]: a part that has no value gives
//! [`Failed`], and independent parts (elements, arms, operands) are still tried, so that several mistakes in one
//! expression are reported together.
//!
//! Always true: marks of operands are on results; evaluating has no effects; `Failed` is only given after an error has
//! been added to the diagnostics.
//!
//! Elsewhere: operators, conversion and equality are in `plumb_model`; functions in `plumb_functions`.

use ecow::{EcoString, eco_format};
use plumb_model::address::ProviderSource;
use plumb_model::convert::convert;
use plumb_model::operators::{self, Arithmetic, Comparison, Logic, Operand, OperationError};
use plumb_model::{Diagnostic, Diagnostics, Marks, Number, Span, Type, Value, equality};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Binary, BinaryOp, Expr, ExprKind, Ident, Traversal, Unary, UnaryOp};

mod access;
mod call;
mod collections;
mod conditional;
mod declared;
mod template;

pub(crate) use call::FunctionContext;
pub(crate) use declared::{is_in_function, unknown_name, wrong_count};

/// There is no value; the diagnostics say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// A value, or none.
pub(crate) type Outcome<T = Value> = Result<T, Failed>;

/// What names mean where an expression stands.
pub(crate) trait Names {
    /// The value of the reference that a traversal begins with, and how many of its steps belong to it.
    fn lookup(&self, traversal: &Traversal, diagnostics: &mut Diagnostics) -> Outcome<(Value, usize)>;

    /// As `lookup` for a traversal that names something with instances, followed by a key and perhaps an attribute:
    /// the value and whether the attribute was used. `None` if the traversal names no such thing.
    fn indexed(
        &self,
        _traversal: &Traversal,
        _key: &Value,
        _attribute: Option<&Ident>,
    ) -> Option<(Value, bool)> {
        None
    }

    /// Whether what a reference names is known to its last part; false where that would take long to say.
    fn is_known(&self, _traversal: &Traversal) -> bool {
        false
    }

    /// What a local name of a provider stands for, if it is declared.
    fn provider(&self, _name: &str) -> Option<ProviderSource> {
        None
    }
}

/// No name means anything.
pub(crate) struct NoNames {
    /// Where the expression stands, for the message.
    pub place: &'static str,
}

impl Names for NoNames {
    fn lookup(&self, traversal: &Traversal, diagnostics: &mut Diagnostics) -> Outcome<(Value, usize)> {
        diagnostics.push(
            Diagnostic::error("reference-not-allowed", "Reference not allowed")
                .detail(eco_format!("{} may not refer to anything, but `{traversal}` does.", self.place))
                .at(traversal.span)
                .help("Write a constant value here."),
        );
        Err(Failed)
    }
}

/// How the meanings of the dialects differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The native language: duplicate keys and division by zero are errors.
    pub native: bool,
    /// Exactly Terraform 1.11: both operands of `&&` and `||` must have values, and only its functions are there.
    pub strict: bool,
}

impl Rules {
    /// Those of a dialect, in its latest version.
    pub(crate) fn of(dialect: Dialect) -> Rules {
        Rules { native: dialect == Dialect::Native, strict: false }
    }

    /// Those of a dialect, exactly as in Terraform 1.11 if that is asked for.
    pub(crate) fn exactly(dialect: Dialect, strict: bool) -> Rules {
        Rules { strict: strict && dialect == Dialect::Terraform, ..Rules::of(dialect) }
    }
}

/// Walks expressions.
pub(crate) struct Eval<'a> {
    pub names: &'a dyn Names,
    pub functions: &'a FunctionContext<'a>,
    pub rules: Rules,
    /// What went wrong, and warnings.
    pub diagnostics: Diagnostics,
    /// Variables of enclosing `for`s, innermost last.
    bindings: Vec<(EcoString, Value)>,
    /// How many `try` and `can` are around: no effort is spent on good messages then.
    quiet: u32,
}

impl<'a> Eval<'a> {
    /// A walk that has found nothing wrong yet.
    pub(crate) fn new(names: &'a dyn Names, functions: &'a FunctionContext<'a>, rules: Rules) -> Eval<'a> {
        Eval { names, functions, rules, diagnostics: Diagnostics::new(), bindings: Vec::new(), quiet: 0 }
    }

    /// Gives a name a value for all expressions that follow.
    pub(crate) fn bind(&mut self, name: impl Into<EcoString>, value: Value) {
        self.bindings.push((name.into(), value));
    }

    /// Takes back the last [`Eval::bind`].
    pub(crate) fn unbind(&mut self) {
        self.bindings.pop();
    }

    /// Evaluates with nothing but the value or the errors as the result.
    pub(crate) fn finish(mut self, expr: &Expr) -> Result<Value, Diagnostics> {
        match self.eval(expr) {
            Ok(value) => Ok(value),
            Err(Failed) => Err(self.diagnostics),
        }
    }

    /// The value of an expression.
    pub(crate) fn eval(&mut self, expr: &Expr) -> Outcome {
        match &expr.kind {
            ExprKind::Null => Ok(Value::NULL),
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::Number(number) => Ok(Value::Number(number.clone())),
            ExprKind::String(text) => Ok(Value::String(text.clone())),
            ExprKind::Template(template) => self.template(template),
            ExprKind::Traversal(traversal) => self.traversal(traversal),
            ExprKind::Access(access) => self.access(access),
            ExprKind::Call(call) => self.call(call, expr.span),
            ExprKind::Tuple(tuple) => self.tuple(tuple),
            ExprKind::Object(object) => self.object(object),
            ExprKind::For(each) => self.for_each(each),
            ExprKind::Conditional(conditional) => self.conditional(conditional),
            ExprKind::Binary(binary) => self.binary(binary),
            ExprKind::Unary(unary) => self.unary(unary),
            ExprKind::Paren(inner) => self.eval(inner),
            ExprKind::Spread(inner) => self.misplaced("...", "in tuples and objects", inner.span),
            ExprKind::Nullable(inner) => self.misplaced("?", "in types", inner.span),
            ExprKind::Where(narrowed) => self.misplaced("where", "in types", narrowed.base.span),
            ExprKind::Qualified(name) => match crate::callee::constant(self.functions.declared, name) {
                Ok(value) => Ok(value.clone()),
                Err(diagnostic) => self.fail(*diagnostic),
            },
            // What is wrong was said when the text was read.
            ExprKind::Error => Err(Failed),
        }
    }

    /// The value as one of a type; `what` is what the value is for: "The value of `count`".
    pub(crate) fn converted(&mut self, value: &Value, ty: &Type, what: &str, expr: &Expr) -> Outcome {
        match convert(value, ty) {
            Ok(value) => Ok(value),
            Err(error) => {
                let diagnostic = Diagnostic::error("unsuitable-value", "Unsuitable value type")
                    .detail(eco_format!("{what} is not suitable: {error}."))
                    .at(expr.span);
                self.fail_at(diagnostic, expr)
            }
        }
    }

    fn misplaced(&mut self, what: &str, place: &str, span: Span) -> Outcome {
        self.fail(
            Diagnostic::error("misplaced-form", "Form not allowed here")
                .detail(eco_format!("`{what}` has a meaning only {place}."))
                .at(span),
        )
    }

    /// Adds an error.
    pub(crate) fn fail<T>(&mut self, diagnostic: Diagnostic) -> Outcome<T> {
        self.diagnostics.push(diagnostic);
        Err(Failed)
    }

    /// Adds an error about an expression, with the values of what it refers to.
    pub(crate) fn fail_at<T>(&mut self, mut diagnostic: Diagnostic, expr: &Expr) -> Outcome<T> {
        if self.quiet == 0 {
            for traversal in expr.references().take(4) {
                let Ok(value) = self.quietly(|eval| eval.traversal(traversal)) else { continue };
                let Some(words) = self.describe_known(&value) else { continue };
                let note = eco_format!("`{traversal}` is {words}.");
                if !diagnostic.notes.contains(&note) {
                    diagnostic.notes.push(note);
                }
            }
        }
        self.fail(diagnostic)
    }

    /// A value in a few words. While nothing is known but the files, of most values only the type can be said.
    fn describe_known(&self, value: &Value) -> Option<EcoString> {
        match value.unmarked() {
            Value::Unknown(unknown) if self.functions.phase == crate::eval::Phase::Validate => {
                (unknown.ty != Type::Dynamic).then(|| eco_format!("a {}", unknown.ty.friendly_name()))
            }
            _ => Some(describe(value)),
        }
    }

    /// Does something of which the diagnostics do not matter.
    fn quietly<T>(&mut self, f: impl FnOnce(&mut Self) -> Outcome<T>) -> Result<T, Diagnostics> {
        let kept = std::mem::take(&mut self.diagnostics);
        self.quiet += 1;
        let result = f(self);
        self.quiet -= 1;
        let found = std::mem::replace(&mut self.diagnostics, kept);
        result.map_err(|Failed| found)
    }

    /// As [`Eval::quietly`], but with good messages, for diagnostics that may still be wanted.
    fn aside<T>(&mut self, f: impl FnOnce(&mut Self) -> Outcome<T>) -> (Outcome<T>, Diagnostics) {
        let kept = std::mem::take(&mut self.diagnostics);
        let result = f(self);
        (result, std::mem::replace(&mut self.diagnostics, kept))
    }

    fn binary(&mut self, binary: &Binary) -> Outcome {
        match binary.op {
            BinaryOp::And => return self.logic(binary, Logic::And),
            BinaryOp::Or => return self.logic(binary, Logic::Or),
            BinaryOp::Coalesce => return self.coalesce(binary),
            _ => {}
        }
        let left = self.eval(&binary.left);
        let right = self.eval(&binary.right);
        let (left, right) = (left?, right?);
        let result = match binary.op {
            BinaryOp::Multiply => operators::arithmetic(Arithmetic::Multiply, &left, &right),
            BinaryOp::Divide => return self.divide(binary, Arithmetic::Divide, &left, &right),
            BinaryOp::Modulo => return self.divide(binary, Arithmetic::Modulo, &left, &right),
            BinaryOp::Add => operators::arithmetic(Arithmetic::Add, &left, &right),
            BinaryOp::Subtract => operators::arithmetic(Arithmetic::Subtract, &left, &right),
            BinaryOp::Greater => operators::comparison(Comparison::Greater, &left, &right),
            BinaryOp::GreaterOrEqual => operators::comparison(Comparison::GreaterOrEqual, &left, &right),
            BinaryOp::Less => operators::comparison(Comparison::Less, &left, &right),
            BinaryOp::LessOrEqual => operators::comparison(Comparison::LessOrEqual, &left, &right),
            BinaryOp::Equal => Ok(equality::equal(&left, &right)),
            BinaryOp::NotEqual => operators::not(&equality::equal(&left, &right)),
            BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce => unreachable!("handled above"),
        };
        result.or_else(|error| self.operation_failed(binary, error))
    }

    fn divide(&mut self, binary: &Binary, op: Arithmetic, left: &Value, right: &Value) -> Outcome {
        let zero = |value: &Value| value.as_number().is_some_and(Number::is_zero);
        if self.rules.native && convert(right, &Type::Number).as_ref().is_ok_and(zero) {
            let diagnostic = Diagnostic::error("division-by-zero", "Division by zero")
                .detail(eco_format!("The right operand of `{}` is zero.", binary.op))
                .label(binary.right.span, "this is zero")
                .help("Test the divisor first: `divisor == 0 ? … : …`.");
            return self.fail_at(diagnostic, &binary.right);
        }
        operators::arithmetic(op, left, right).or_else(|error| self.operation_failed(binary, error))
    }

    /// The left operand is evaluated first; the right one only if it is needed.
    fn logic(&mut self, binary: &Binary, op: Logic) -> Outcome {
        let left = self.eval(&binary.left);
        if self.rules.strict {
            let right = self.eval(&binary.right);
            let (left, right) = (left?, right?);
            let result = self.combine(binary, op, &left, &right)?;
            return match left.is_known() && right.is_known() {
                true => Ok(result),
                false => Ok(Value::unknown_not_null(Type::Bool).with_marks(result.marks())),
            };
        }
        match left {
            Ok(left) if operators::decides(op, &left) => {
                Ok(Value::Bool(op == Logic::Or).with_marks(left.marks()))
            }
            Ok(left) => {
                let right = self.eval(&binary.right)?;
                self.combine(binary, op, &left, &right)
            }
            // The right operand may still decide; if it does, the error of the left one does not matter.
            Err(Failed) => {
                if self.rules.native {
                    return Err(Failed);
                }
                let (right, _) = self.aside(|eval| eval.eval(&binary.right));
                match right {
                    Ok(right) if operators::decides(op, &right) && self.last_error_is_dynamic() => {
                        self.drop_last_error();
                        Ok(Value::Bool(op == Logic::Or).with_marks(right.marks()))
                    }
                    _ => Err(Failed),
                }
            }
        }
    }

    /// Whether the newest error is about values, not about names that mean nothing.
    fn last_error_is_dynamic(&self) -> bool {
        self.diagnostics.iter().last().is_some_and(|diagnostic| !is_static(diagnostic))
    }

    fn drop_last_error(&mut self) {
        let count = self.diagnostics.len().saturating_sub(1);
        let kept = std::mem::take(&mut self.diagnostics);
        self.diagnostics.extend(kept.into_iter().take(count));
    }

    fn combine(&mut self, binary: &Binary, op: Logic, left: &Value, right: &Value) -> Outcome {
        operators::logic(op, left, right).or_else(|error| self.operation_failed(binary, error))
    }

    fn coalesce(&mut self, binary: &Binary) -> Outcome {
        let left = self.eval(&binary.left)?;
        let (inner, marks) = left.unmark();
        match inner {
            Value::Null(_) => Ok(self.eval(&binary.right)?.with_marks(marks)),
            Value::Unknown(unknown) if !unknown.refinement.not_null => {
                let right = self.eval(&binary.right)?;
                let ty =
                    plumb_model::unify::unify(&[unknown.ty.clone(), right.ty()]).unwrap_or(Type::Dynamic);
                Ok(Value::unknown(ty).with_marks(marks | right.marks()))
            }
            _ => Ok(left),
        }
    }

    fn unary(&mut self, unary: &Unary) -> Outcome {
        let value = self.eval(&unary.operand)?;
        let result = match unary.op {
            UnaryOp::Negate => operators::negate(&value),
            UnaryOp::Not => operators::not(&value),
        };
        result.or_else(|error| {
            let symbol = match unary.op {
                UnaryOp::Negate => "-",
                UnaryOp::Not => "!",
            };
            let diagnostic = operation_error(symbol, &error, unary.operand.span, unary.operand.span, "unary");
            self.fail_at(diagnostic, &unary.operand)
        })
    }

    fn operation_failed(&mut self, binary: &Binary, error: OperationError) -> Outcome {
        let operand = match &error {
            OperationError::Unsuitable { operand: Operand::Right, .. }
            | OperationError::Null(Operand::Right) => &binary.right,
            OperationError::Unsuitable { .. } | OperationError::Null(_) => &binary.left,
            OperationError::Undefined(_) => {
                let span = binary.left.span.to(binary.right.span);
                let diagnostic = operation_error(binary.op.symbol(), &error, span, span, "left");
                return self.fail_at(diagnostic, &binary.right);
            }
        };
        let side = if std::ptr::eq(operand, &binary.right) { "right" } else { "left" };
        let whole = binary.left.span.to(binary.right.span);
        let diagnostic = operation_error(binary.op.symbol(), &error, operand.span, whole, side);
        self.fail_at(diagnostic, operand)
    }

    /// The value of a variable of an enclosing `for`.
    pub(crate) fn find_binding(&self, name: &str) -> Option<&Value> {
        self.bindings.iter().rev().find(|(bound, _)| bound == name).map(|(_, value)| value)
    }
}

fn operation_error(symbol: &str, error: &OperationError, span: Span, whole: Span, side: &str) -> Diagnostic {
    match error {
        OperationError::Unsuitable { problem, .. } => Diagnostic::error("invalid-operand", "Invalid operand")
            .detail(eco_format!("The {side} operand of `{symbol}` is not suitable: {problem}."))
            .label(span, problem.as_str())
            .maybe_help((symbol == "+" && problem.contains("number")).then_some(
                "`+` adds numbers only: join texts with a template (\"${a}${b}\"), lists with `concat`, objects with `merge`.",
            )),
        OperationError::Null(_) => Diagnostic::error("null-operand", "Operation failed")
            .detail(eco_format!("The {side} operand of `{symbol}` is null, which has no place in an operation."))
            .label(span, "this is null")
            .help("Give a value for the case of null: `coalesce(value, 0)` or `value == null ? … : value`."),
        OperationError::Undefined(error) => Diagnostic::error("undefined-operation", "Operation failed")
            .detail(eco_format!("The operation `{symbol}` has no result: {error}."))
            .at(whole),
    }
}

/// Codes of errors that are about the text and not about values: `try` and `can` do not catch them.
const STATIC_ERRORS: [&str; 10] = [
    "unknown-variable",
    "unknown-local",
    "unknown-module",
    "unknown-resource",
    "invalid-reference",
    "reserved-name",
    "unknown-output",
    "invalid-context",
    "invalid-attribute-of-root",
    "reference-not-allowed",
];

/// Whether the error would be there whatever the values are.
pub(crate) fn is_static(diagnostic: &Diagnostic) -> bool {
    STATIC_ERRORS.contains(&diagnostic.code)
}

/// A value in a few words, for messages; never what is sensitive.
pub(crate) fn describe(value: &Value) -> EcoString {
    let (inner, marks) = value.unmark();
    if marks.contains(Marks::SENSITIVE) {
        return "a sensitive value".into();
    }
    if marks.contains(Marks::EPHEMERAL) {
        return "an ephemeral value".into();
    }
    match inner {
        Value::Null(_) => "null".into(),
        Value::Unknown(unknown) if unknown.ty == Type::Dynamic => "known only after apply".into(),
        Value::Unknown(unknown) => {
            eco_format!("a {} that is known only after apply", unknown.ty.friendly_name())
        }
        Value::Bool(value) => eco_format!("{value}"),
        Value::Number(number) => eco_format!("{number}"),
        Value::String(text) if text.chars().count() > 60 => {
            let start: String = text.chars().take(57).collect();
            eco_format!("{}", plumb_syntax::quote(&(start + "…")))
        }
        Value::String(text) => plumb_syntax::quote(text),
        Value::List(_) | Value::Set(_) | Value::Map(_) => {
            let count =
                inner.as_items().map_or_else(|| inner.as_entries().map_or(0, |e| e.len()), <[Value]>::len);
            eco_format!("a {} with {count} {}", inner.ty().friendly_name(), plural(count, "element"))
        }
        Value::Tuple(items) => eco_format!("a tuple with {} {}", items.len(), plural(items.len(), "element")),
        Value::Object(entries) => {
            eco_format!("an object with {} {}", entries.len(), plural(entries.len(), "attribute"))
        }
        Value::Marked(_) => "a marked value".into(),
    }
}

/// The word for a number of things.
pub(crate) fn plural(count: usize, one: &str) -> EcoString {
    if count == 1 { one.into() } else { eco_format!("{one}s") }
}
