//! Expressions to static types.
//!
//! [`Infer`] walks an expression once. Where the evaluator asks for a value, it asks for a type, and what can never work
//! is a diagnostic with the code that evaluating it would give. What follows from a mistake has the type
//! [`Kind::Error`] and is passed over.
//!
//! Elsewhere: steps into values are `access`, calls are `call`.

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::{Diagnostic, Diagnostics, Type, Value};
use plumb_syntax::tree::{
    Binary, BinaryOp, Conditional, Expr, ExprKind, For, Object, ObjectEntry, ObjectKey, Template,
    TemplateFor, TemplatePart, Traversal, TraversalStep, Tuple, UnaryOp,
};

use super::Typer;
use super::ty::{Kind, Phase, Ty, joined};
use crate::callee;
use crate::graph::ResourceName;
use crate::program::{Declarations, ModuleId, NodeKind, Repetition};
use crate::reference::{self, Subject};

/// Collections of at most so many elements are gone through one by one, others by the type of their elements.
const ONE_BY_ONE: usize = 32;
/// How many elements one expression goes through one by one, all loops in it together.
const MOST_ELEMENTS: u32 = 2_000;

/// Where an expression stands.
#[derive(Clone)]
pub(super) struct Place {
    /// The module.
    pub module: ModuleId,
    /// `each.key` and `each.value`.
    pub each: Option<(Ty, Ty)>,
    /// `count.index`
    pub count: Option<Ty>,
    /// `self`
    pub this: Option<Ty>,
}

impl Place {
    /// In a module, where neither `each` nor `count` nor `self` has a meaning.
    pub(super) fn module(module: ModuleId) -> Place {
        Place { module, each: None, count: None, this: None }
    }
}

/// Finds the types of expressions in one place.
pub(super) struct Infer<'t, 'a> {
    pub(super) typer: &'t Typer<'a>,
    pub(super) place: &'t Place,
    /// The directory whose functions, types and libraries names mean.
    pub(super) declared: &'a Declarations,
    /// Whether only bound names mean something, as in the body of a function.
    pub(super) closed: bool,
    /// Whether the native language is meant, which is stricter.
    pub(super) native: bool,
    /// Variables of enclosing `for`s and `dynamic` blocks, innermost last.
    pub(super) bindings: Vec<(EcoString, Ty)>,
    pub(super) found: Diagnostics,
    /// How many `try` and `can` are around: trouble is what they are asked about.
    pub(super) quiet: u32,
    elements: u32,
}

impl<'t, 'a> Infer<'t, 'a> {
    pub(super) fn new(typer: &'t Typer<'a>, place: &'t Place) -> Infer<'t, 'a> {
        let native = typer.is_native(place.module);
        Infer {
            typer,
            place,
            declared: &typer.program.module(place.module).declarations,
            closed: false,
            native,
            bindings: Vec::new(),
            found: Diagnostics::new(),
            quiet: 0,
            elements: 0,
        }
    }

    /// Reports something, and gives the type of what has been reported.
    pub(super) fn wrong(&mut self, diagnostic: Diagnostic) -> Ty {
        if self.quiet == 0 {
            self.found.push(diagnostic);
        }
        Ty::error()
    }

    /// The type of an expression.
    pub(super) fn infer(&mut self, expr: &Expr) -> Ty {
        match &expr.kind {
            ExprKind::Null => Ty::new(Kind::Null),
            ExprKind::Bool(value) => Ty::new(Kind::Literal(Value::Bool(*value))),
            ExprKind::Number(number) => Ty::new(Kind::Literal(Value::Number(number.clone()))),
            ExprKind::String(text) => Ty::text(text.clone()),
            ExprKind::Template(template) => self.template(template),
            ExprKind::Traversal(traversal) => self.traversal(traversal),
            ExprKind::Access(access) => self.access(access),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Tuple(tuple) => self.tuple(tuple),
            ExprKind::Object(object) => self.object(object),
            ExprKind::For(each) => self.for_each(each),
            ExprKind::Conditional(conditional) => self.conditional(conditional),
            ExprKind::Binary(binary) => self.binary(binary),
            ExprKind::Unary(unary) => {
                let ty = self.infer(&unary.operand);
                let (wanted, symbol) = match unary.op {
                    UnaryOp::Negate => (Type::Number, "-"),
                    UnaryOp::Not => (Type::Bool, "!"),
                };
                match self.operand(&ty, &wanted, &unary.operand, symbol, "") {
                    true => Ty::of(&wanted, ty.deepest()),
                    false => Ty::error(),
                }
            }
            ExprKind::Paren(inner) => self.infer(inner),
            // Forms that stand where they have no meaning, and what could not be read, are reported elsewhere.
            ExprKind::Spread(inner) => {
                self.infer(inner);
                Ty::error()
            }
            ExprKind::Qualified(name) => {
                callee::constant(Some(self.declared), name).map_or_else(|_| Ty::error(), Ty::of_value)
            }
            ExprKind::Nullable(_) | ExprKind::Where(_) | ExprKind::Error => Ty::error(),
        }
    }

    /// Says that a value is not suitable for what it is used for, if it can never be.
    pub(super) fn check_fits(
        &mut self,
        ty: &Ty,
        wanted: &Type,
        expr: &Expr,
        code: &'static str,
        summary: &'static str,
        what: &str,
    ) -> bool {
        let Err(misfit) = ty.fits(wanted) else { return true };
        let at =
            if misfit.path.is_empty() { EcoString::new() } else { eco_format!(" At `{}`:", misfit.path) };
        let place = super::part(expr, &misfit.path).span;
        let problem = &misfit.problem;
        let detail = match at.is_empty() {
            true => eco_format!("{what} is not suitable: {problem}."),
            false => eco_format!("{what} is not suitable.{at} {problem}."),
        };
        self.wrong(Diagnostic::error(code, summary).detail(detail).label(place, problem.clone()));
        false
    }

    fn operand(&mut self, ty: &Ty, wanted: &Type, expr: &Expr, symbol: &str, side: &str) -> bool {
        if ty.kind == Kind::Null {
            self.wrong(
                Diagnostic::error("null-operand", "Operation failed")
                    .detail(eco_format!(
                        "The {side}operand of `{symbol}` is null, which has no place in an operation."
                    ))
                    .label(expr.span, "this is null"),
            );
            return false;
        }
        let Err(misfit) = ty.fits(wanted) else { return true };
        let help = (symbol == "+").then_some(
            "`+` adds numbers only: join texts with a template (\"${a}${b}\"), lists with `concat`, objects with `merge`.",
        );
        self.wrong(
            Diagnostic::error("invalid-operand", "Invalid operand")
                .detail(eco_format!("The {side}operand of `{symbol}` is not suitable: {}.", misfit.problem))
                .label(expr.span, misfit.problem)
                .maybe_help(help),
        );
        false
    }

    fn binary(&mut self, binary: &Binary) -> Ty {
        let left = self.infer(&binary.left);
        let right = self.infer(&binary.right);
        let phase = left.deepest().max(right.deepest());
        let (wanted, result) = match binary.op {
            BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo | BinaryOp::Add | BinaryOp::Subtract => {
                (Type::Number, Kind::Number)
            }
            BinaryOp::Greater | BinaryOp::GreaterOrEqual | BinaryOp::Less | BinaryOp::LessOrEqual => {
                (Type::Number, Kind::Bool)
            }
            BinaryOp::And | BinaryOp::Or => (Type::Bool, Kind::Bool),
            BinaryOp::Equal | BinaryOp::NotEqual => {
                self.comparable(binary, &left, &right);
                return Ty::with(Kind::Bool, phase);
            }
            BinaryOp::Coalesce => {
                let joined = left.join(&right).unwrap_or(Ty::any(phase));
                return joined.widened().at_least(left.phase.max(right.phase));
            }
        };
        let symbol = binary.op.symbol();
        let fine = self.operand(&left, &wanted, &binary.left, symbol, "left ")
            & self.operand(&right, &wanted, &binary.right, symbol, "right ");
        if fine { Ty::with(result, phase) } else { Ty::error() }
    }

    /// Values of types that are never equal are not compared.
    fn comparable(&mut self, binary: &Binary, left: &Ty, right: &Ty) {
        let Some(why) = never_equal(left, right) else { return };
        let always = if binary.op == BinaryOp::Equal { "false" } else { "true" };
        let sequences =
            |ty: &Ty| matches!(ty.kind, Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) | Kind::Sequence(_));
        let empty = |ty: &Ty| match &ty.kind {
            Kind::Tuple(items) => items.is_empty(),
            Kind::Object(fields) => fields.is_empty(),
            _ => false,
        };
        let help: EcoString = if let Some(guess) = meant_member(left, right) {
            eco_format!("Did you mean {guess}?")
        } else if matches!(left.kind, Kind::OneOf(_)) != matches!(right.kind, Kind::OneOf(_))
            && primitive(left) == primitive(right)
        {
            "Write one of the values of the type.".into()
        } else if empty(left) || empty(right) {
            "To ask whether there is nothing in it, write `length(…) == 0`.".into()
        } else if sequences(left) && sequences(right) {
            "Convert one of them, for example with `tolist(…)`.".into()
        } else if let (Some(a), Some(_)) = (primitive(left), primitive(right)) {
            eco_format!("Convert one of them, for example with `to{}(…)`.", a.friendly_name())
        } else {
            "Compare values of one type.".into()
        };
        self.wrong(
            Diagnostic::error("never-equal", "Comparison of types that are never equal")
                .detail(eco_format!("{why}, so `{}` is always {always}.", binary.op))
                .label(binary.op_span, eco_format!("always {always}"))
                .label(binary.left.span, left.name())
                .label(binary.right.span, right.name())
                .help(help),
        );
    }

    /// What decides, perhaps after conversion, must be a bool.
    fn condition(&mut self, expr: &Expr, code: &'static str, summary: &'static str) -> Ty {
        let ty = self.infer(expr);
        if ty.kind == Kind::Null {
            return self.wrong(
                Diagnostic::error("null-condition", "Null condition")
                    .detail("The condition is null; it must be true or false.")
                    .at(expr.span)
                    .help("Say what null means: `coalesce(condition, false)`."),
            );
        }
        if let Err(misfit) = ty.fits(&Type::Bool) {
            return self.wrong(
                Diagnostic::error(code, summary)
                    .detail(eco_format!("The condition must be true or false: {}.", misfit.problem))
                    .label(expr.span, misfit.problem)
                    .help("Compare the value with something: `length(value) > 0`, `value != \"\"`."),
            );
        }
        ty
    }

    fn conditional(&mut self, conditional: &Conditional) -> Ty {
        let condition =
            self.condition(&conditional.condition, "condition-not-bool", "Incorrect condition type");
        let then = self.infer(&conditional.then);
        let otherwise = self.infer(&conditional.otherwise);
        let phase = condition.deepest();
        match then.join(&otherwise) {
            Some(ty) => ty.at_least(phase),
            None => self.wrong(
                Diagnostic::error("inconsistent-arms", "Inconsistent conditional result types")
                    .detail(eco_format!(
                        "Both results of a conditional must be of one type. The value if true is {}, the value if false is {}.",
                        then.name(),
                        otherwise.name()
                    ))
                    .label(conditional.then.span, eco_format!("if true: {}", then.name()))
                    .label(conditional.otherwise.span, eco_format!("if false: {}", otherwise.name()))
                    .help("Give both results one type, or null where there is nothing to say."),
            ),
        }
    }

    fn template(&mut self, template: &Template) -> Ty {
        if let (true, [TemplatePart::Interpolation(expr)]) = (template.unwraps, template.parts.as_slice()) {
            return self.infer(expr);
        }
        Ty::with(Kind::String, self.parts(&template.parts))
    }

    fn parts(&mut self, parts: &[TemplatePart]) -> Phase {
        let mut phase = Phase::Const;
        for part in parts {
            let found = match part {
                TemplatePart::Literal(_) => Phase::Const,
                TemplatePart::Interpolation(expr) => self.interpolation(expr),
                TemplatePart::If(branch) => {
                    let condition =
                        self.condition(&branch.condition, "condition-not-bool", "Incorrect condition type");
                    condition.deepest().max(self.parts(&branch.then)).max(self.parts(&branch.otherwise))
                }
                TemplatePart::For(each) => self.template_for(each),
            };
            phase = phase.max(found);
        }
        phase
    }

    fn interpolation(&mut self, expr: &Expr) -> Phase {
        let ty = self.infer(expr);
        if ty.kind == Kind::Null {
            self.wrong(
                Diagnostic::error("null-in-template", "Invalid template interpolation value")
                    .detail("The value is null, which has no text.")
                    .at(expr.span)
                    .help("Say what stands there for null: `${coalesce(value, \"\")}`."),
            );
        } else if ty.fits(&Type::String).is_err() {
            self.wrong(
                Diagnostic::error("not-a-text", "Invalid template interpolation value")
                    .detail(eco_format!("Found {}, which has no text.", ty.name()))
                    .label(expr.span, ty.name())
                    .help("Choose the text: `${jsonencode(value)}` or `${join(\", \", value)}`."),
            );
        }
        ty.deepest()
    }

    fn template_for(&mut self, each: &TemplateFor) -> Phase {
        let collection = self.infer(&each.collection);
        let Some((key, value)) = self.key_and_value(&collection, &each.collection) else {
            return collection.deepest();
        };
        let before = self.bindings.len();
        if let Some(name) = &each.key {
            self.bindings.push((name.name.clone(), key));
        }
        self.bindings.push((each.value.name.clone(), value));
        let phase = self.parts(&each.body);
        self.bindings.truncate(before);
        phase.max(collection.phase)
    }

    fn tuple(&mut self, tuple: &Tuple) -> Ty {
        let mut items = Vec::with_capacity(tuple.elements.len());
        let mut exact = true;
        let mut phase = Phase::Const;
        for element in &tuple.elements {
            let ExprKind::Spread(inner) = &element.kind else {
                items.push(self.infer(element));
                continue;
            };
            let spread = self.infer(inner);
            phase = phase.max(spread.phase);
            match &spread.kind {
                Kind::Tuple(more) => items.extend(more.iter().cloned()),
                Kind::List(part) | Kind::Sequence(part) | Kind::Set(part) => {
                    exact = false;
                    items.push((**part).clone());
                }
                Kind::Any | Kind::Error => {
                    exact = false;
                    items.push(spread.clone());
                }
                _ => {
                    exact = false;
                    items.push(self.wrong(invalid_spread("a list, set or tuple", "a tuple", &spread, inner)));
                }
            }
        }
        match exact {
            true => Ty::with(Kind::Tuple(Arc::new(items)), phase),
            false => Ty::with(Kind::Sequence(Arc::new(joined(items.iter()))), phase),
        }
    }

    fn object(&mut self, object: &Object) -> Ty {
        let mut fields: Vec<(EcoString, Ty)> = Vec::with_capacity(object.entries.len());
        // What stands under keys that are not written.
        let mut others: Vec<Ty> = Vec::new();
        let mut open = false;
        let mut phase = Phase::Const;
        for entry in &object.entries {
            match entry {
                ObjectEntry::Pair { key, value } => {
                    let (name, key_phase) = self.object_key(key);
                    phase = phase.max(key_phase);
                    let value = self.infer(value);
                    match name {
                        Some(name) => fields.push((name, value)),
                        None => others.push(value),
                    }
                }
                ObjectEntry::Spread(inner, _) => {
                    let spread = self.infer(inner);
                    phase = phase.max(spread.phase);
                    match &spread.kind {
                        Kind::Object(more) if more.values().all(|field| !field.sometimes) => {
                            fields.extend(more.iter().map(|(name, field)| (name.clone(), field.ty.clone())));
                        }
                        Kind::Object(_) => others.extend(spread.element()),
                        Kind::Map(part) | Kind::Dictionary(part) => others.push((**part).clone()),
                        Kind::Any | Kind::Error => open = true,
                        _ => {
                            open = true;
                            self.wrong(invalid_spread("an object or map", "an object", &spread, inner));
                        }
                    }
                }
                ObjectEntry::Open(_) => open = true,
            }
        }
        if open {
            let parts = fields.iter().map(|(_, ty)| ty).chain(&others);
            let deepest = parts.map(Ty::deepest).max().unwrap_or_default();
            return Ty::with(Kind::Dictionary(Arc::new(Ty::any(deepest))), phase);
        }
        if others.is_empty() {
            return Ty::with(Kind::row(fields), phase);
        }
        let all = joined(fields.iter().map(|(_, ty)| ty).chain(&others));
        Ty::with(Kind::Dictionary(Arc::new(all)), phase)
    }

    fn object_key(&mut self, key: &ObjectKey) -> (Option<EcoString>, Phase) {
        let expr = match key {
            ObjectKey::Name(name) => return (Some(name.name.clone()), Phase::Const),
            ObjectKey::Expr(expr) => expr,
        };
        let ty = self.infer(expr);
        self.key_fits(&ty, expr, "invalid-key", "Incorrect key type");
        (literal_text(&ty), ty.deepest())
    }

    fn key_fits(&mut self, ty: &Ty, expr: &Expr, code: &'static str, summary: &'static str) {
        if let Err(misfit) = ty.fits(&Type::String) {
            self.wrong(
                Diagnostic::error(code, summary)
                    .detail(eco_format!("The key of an entry must be a text: {}.", misfit.problem))
                    .label(expr.span, misfit.problem),
            );
        }
    }

    /// What the variables of a `for` are; none if that cannot be said, or if there is nothing to go through.
    pub(super) fn key_and_value(&mut self, collection: &Ty, expr: &Expr) -> Option<(Ty, Ty)> {
        let phase = collection.phase;
        let pair = match &collection.kind {
            Kind::Error => return None,
            Kind::Any => (Ty::any(phase), Ty::any(phase)),
            Kind::Set(part) => ((**part).clone(), (**part).clone()),
            Kind::List(_) | Kind::Sequence(_) | Kind::Tuple(_) => {
                (Ty::new(Kind::Number), collection.element()?)
            }
            Kind::Map(_) | Kind::Dictionary(_) | Kind::Object(_) => {
                (Ty::new(Kind::String), collection.element()?)
            }
            Kind::Null => {
                self.wrong(
                    Diagnostic::error("iteration-over-null", "Iteration over null value")
                        .detail("The collection of a `for` is null, so there is nothing to go through.")
                        .at(expr.span)
                        .help("Give an empty one for the case of null: `coalesce(value, [])`."),
                );
                return None;
            }
            Kind::Bool | Kind::Number | Kind::String | Kind::Literal(_) | Kind::OneOf(_) => {
                self.wrong(
                    Diagnostic::error("not-iterable", "Iteration over non-iterable value")
                        .detail(eco_format!(
                            "A `for` goes through a list, set, tuple, map or object, not {}.",
                            collection.name()
                        ))
                        .label(expr.span, collection.name()),
                );
                return None;
            }
        };
        Some((pair.0.at_least(phase), pair.1.at_least(phase)))
    }

    /// The elements of a collection that is written out, one by one, if they are not too many.
    fn one_by_one(&mut self, collection: &Ty) -> Option<Vec<(Ty, Ty)>> {
        let phase = collection.phase;
        let pairs: Vec<(Ty, Ty)> = match &collection.kind {
            Kind::Tuple(items) if items.len() <= ONE_BY_ONE => {
                let number = |i: usize| Ty::new(Kind::Literal(Value::int(i as i64)));
                items.iter().enumerate().map(|(i, item)| (number(i), item.clone().at_least(phase))).collect()
            }
            Kind::Object(fields)
                if fields.len() <= ONE_BY_ONE && fields.values().all(|field| !field.sometimes) =>
            {
                let pair = |(name, field): (&EcoString, &super::ty::Field)| {
                    (Ty::text(name.clone()).at_least(phase), field.ty.clone().at_least(phase))
                };
                fields.iter().map(pair).collect()
            }
            _ => return None,
        };
        self.elements += pairs.len() as u32;
        (self.elements <= MOST_ELEMENTS && !pairs.is_empty()).then_some(pairs)
    }

    fn for_each(&mut self, each: &For) -> Ty {
        let collection = self.infer(&each.collection);
        if let Some(pairs) = self.one_by_one(&collection) {
            return self.for_one_by_one(each, &collection, pairs);
        }
        // What is wrong with elements is said only where there are elements.
        let nothing = match &collection.kind {
            Kind::Tuple(items) => items.is_empty(),
            Kind::Object(fields) => fields.is_empty(),
            _ => false,
        };
        let Some((key, value)) = self.key_and_value(&collection, &each.collection) else {
            return Ty::error();
        };
        self.quiet += u32::from(nothing);
        let one = self.for_element(each, key, value);
        self.quiet -= u32::from(nothing);
        let phase = collection.phase.max(one.phase);
        let part = Arc::new(one.value.widened());
        let kind = match (&one.key, each.grouping) {
            (None, _) => Kind::Sequence(part),
            (Some(_), None) => Kind::Dictionary(part),
            (Some(_), Some(_)) => Kind::Dictionary(Arc::new(Ty::with(Kind::Sequence(part), phase))),
        };
        Ty::with(kind, phase)
    }

    fn for_one_by_one(&mut self, each: &For, collection: &Ty, pairs: Vec<(Ty, Ty)>) -> Ty {
        let mut phase = collection.phase;
        let results: Vec<Element> = pairs
            .into_iter()
            .map(|(key, value)| {
                let one = self.for_element(each, key, value);
                phase = phase.max(one.phase);
                one
            })
            .collect();
        let all_included = results.iter().all(|one| one.included == Some(true));
        let values = || results.iter().map(|one| &one.value);
        let kind = match &each.result_key {
            None if all_included => Kind::Tuple(Arc::new(values().cloned().collect())),
            None => Kind::Sequence(Arc::new(joined(values()))),
            Some(_) => {
                let names: Option<Vec<EcoString>> =
                    results.iter().map(|one| one.key.as_ref().and_then(literal_text)).collect();
                match names {
                    Some(names) if all_included && each.grouping.is_none() => {
                        Kind::row(names.into_iter().zip(values().cloned()))
                    }
                    _ if each.grouping.is_some() => Kind::Dictionary(Arc::new(Ty::with(
                        Kind::Sequence(Arc::new(joined(values()))),
                        phase,
                    ))),
                    _ => Kind::Dictionary(Arc::new(joined(values()))),
                }
            }
        };
        Ty::with(kind, phase)
    }

    fn for_element(&mut self, each: &For, key: Ty, value: Ty) -> Element {
        let before = self.bindings.len();
        if let Some(name) = &each.key {
            self.bindings.push((name.name.clone(), key));
        }
        self.bindings.push((each.value.name.clone(), value));
        let mut element =
            Element { key: None, value: Ty::error(), phase: Phase::Const, included: Some(true) };
        if let Some(condition) = &each.condition {
            let ty = self.condition(condition, "condition-not-bool", "Invalid 'for' condition");
            element.phase = ty.deepest();
            element.included = match &ty.kind {
                Kind::Literal(Value::Bool(value)) => Some(*value),
                _ => None,
            };
        }
        if let Some(expr) = &each.result_key {
            let ty = self.infer(expr);
            self.key_fits(&ty, expr, "invalid-object-key", "Invalid object key");
            element.phase = element.phase.max(ty.deepest());
            element.key = Some(ty);
        }
        element.value = self.infer(&each.result);
        self.bindings.truncate(before);
        element
    }

    fn traversal(&mut self, traversal: &Traversal) -> Ty {
        let (ty, used) = self.reference(traversal);
        self.literal_steps(ty, &traversal.steps[used..])
    }

    /// The type of what a traversal names, and how many of its steps belong to the name.
    pub(super) fn reference(&mut self, traversal: &Traversal) -> (Ty, usize) {
        let root = &traversal.root.name;
        if let Some((_, ty)) = self.bindings.iter().rev().find(|(bound, _)| bound == root) {
            return (ty.clone(), 0);
        }
        if self.closed {
            return (Ty::error(), traversal.steps.len());
        }
        let Ok(reference) = reference::parse(traversal) else { return (Ty::error(), traversal.steps.len()) };
        let module = self.typer.program.module(self.place.module);
        let steps = reference.steps;
        let of_node = |kind: NodeKind, index: Option<usize>| match index {
            Some(index) => self.typer.node(self.place.module, kind, index),
            None => Ty::error(),
        };
        let ty = match reference.subject {
            Subject::Variable(name) => of_node(NodeKind::Variable, module.variables.get_index_of(&name.name)),
            Subject::Local(name) => of_node(NodeKind::Local, module.locals.get_index_of(&name.name)),
            Subject::Path(_) => Ty::new(Kind::String),
            Subject::Terraform(name) if name.as_str() == "workspace" => Ty::new(Kind::String),
            Subject::Terraform(_) => Ty::with(Kind::Bool, Phase::Plan),
            Subject::Each(name) => match (&self.place.each, name.as_str()) {
                (Some((key, _)), "key") => key.clone(),
                (Some((_, value)), "value") => value.clone(),
                _ => Ty::error(),
            },
            Subject::Count(_) => self.place.count.clone().unwrap_or(Ty::error()),
            Subject::SelfObject(_) => self.place.this.clone().unwrap_or(Ty::error()),
            Subject::Resource { mode, kind, name, key } => {
                let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
                let Some(index) = module.resources.get_index_of(&resource) else {
                    return (Ty::error(), traversal.steps.len());
                };
                let repetition = &module.resources[index].repetition;
                if misses_key(repetition, key, traversal.steps.get(steps)) {
                    return (Ty::error(), traversal.steps.len());
                }
                // The key, if there is one, is a step into the collection of all instances.
                return (of_node(NodeKind::Resource, Some(index)), steps - usize::from(key.is_some()));
            }
            Subject::Module { name, key, output } => {
                let Some(index) = module.calls.get_index_of(&name.name) else {
                    return (Ty::error(), traversal.steps.len());
                };
                let repetition = &module.calls[index].repetition;
                let next = steps.checked_sub(usize::from(output.is_some()));
                if misses_key(repetition, key, next.and_then(|next| traversal.steps.get(next))) {
                    return (Ty::error(), traversal.steps.len());
                }
                let all = self.typer.call(self.place.module, index);
                return (all, steps - usize::from(key.is_some()) - usize::from(output.is_some()));
            }
        };
        (ty, steps)
    }
}

/// What a `for` gives for one element.
struct Element {
    key: Option<Ty>,
    value: Ty,
    /// When it is known whether there is a result, and under which key.
    phase: Phase,
    included: Option<bool>,
}

/// Whether a reference chooses an instance of a block that has none to choose, or asks an attribute of all that are
/// counted. Evaluating says what is wrong then.
fn misses_key(repetition: &Repetition, key: Option<&TraversalStep>, next: Option<&TraversalStep>) -> bool {
    match (key, repetition.count.is_some(), repetition.for_each.is_some()) {
        (Some(_), false, false) => true,
        (None, true, _) => matches!(next, Some(TraversalStep::Attribute(_))),
        _ => false,
    }
}

/// All instances of a block of which one has this type.
pub(super) fn repeated(repetition: &Repetition, by: &Ty, one: Ty) -> Ty {
    if repetition.count.is_some() {
        Ty::with(Kind::Sequence(Arc::new(one)), by.deepest())
    } else if repetition.for_each.is_some() {
        match &by.kind {
            Kind::Object(fields) if fields.values().all(|field| !field.sometimes) => {
                Ty::with(Kind::row(fields.keys().map(|name| (name.clone(), one.clone()))), by.phase)
            }
            _ => Ty::with(Kind::Dictionary(Arc::new(one)), by.phase),
        }
    } else {
        one.at_least(by.deepest())
    }
}

/// The text that a type says a value is.
pub(super) fn literal_text(ty: &Ty) -> Option<EcoString> {
    match &ty.kind {
        Kind::Literal(value) => match plumb_model::convert::convert(value, &Type::String) {
            Ok(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn primitive(ty: &Ty) -> Option<Type> {
    match &ty.kind {
        Kind::Bool | Kind::Number | Kind::String | Kind::Literal(_) | Kind::OneOf(_) => Some(ty.model()),
        _ => None,
    }
}

/// Why values of two types are never equal, if they never are.
fn never_equal(a: &Ty, b: &Ty) -> Option<EcoString> {
    if a.is_open() || b.is_open() || a.kind == Kind::Null || b.kind == Kind::Null {
        return None;
    }
    if let (Kind::OneOf(members), Kind::Literal(value)) | (Kind::Literal(value), Kind::OneOf(members)) =
        (&a.kind, &b.kind)
        && value.ty() == members.ty
    {
        let is_one = members.members.iter().any(|(member, _)| member == value);
        return (!is_one).then(|| {
            eco_format!(
                "{} is not {}",
                capitalized(&Ty::of_value(value).name()),
                Ty::with(Kind::OneOf(members.clone()), a.phase).name()
            )
        });
    }
    let differ = || Some(eco_format!("{} never equals {}", capitalized(&a.name()), b.name()));
    match (&a.kind, &b.kind) {
        (Kind::Tuple(x), Kind::Tuple(y)) if x.len() == y.len() => {
            x.iter().zip(y.iter()).find_map(|(x, y)| never_equal(x, y))
        }
        (Kind::Tuple(_) | Kind::Sequence(_), Kind::Tuple(_) | Kind::Sequence(_)) => {
            let lengths = |ty: &Ty| if let Kind::Tuple(items) = &ty.kind { Some(items.len()) } else { None };
            match (lengths(a), lengths(b)) {
                (Some(x), Some(y)) => {
                    Some(eco_format!("A tuple with {x} elements never equals one with {y}"))
                }
                _ => None,
            }
        }
        (Kind::Object(x), Kind::Object(y)) => {
            let lacking =
                |x: &std::collections::BTreeMap<EcoString, super::ty::Field>,
                 y: &std::collections::BTreeMap<EcoString, super::ty::Field>| {
                    x.iter()
                        .find(|(name, field)| !field.sometimes && !y.contains_key(*name))
                        .map(|(name, _)| name.clone())
                };
            if let Some(name) = lacking(x, y).or_else(|| lacking(y, x)) {
                return Some(eco_format!("Only one of the objects has an attribute `{name}`"));
            }
            x.iter().find_map(|(name, field)| never_equal(&field.ty, &y.get(name)?.ty))
        }
        (Kind::Object(_) | Kind::Dictionary(_), Kind::Object(_) | Kind::Dictionary(_)) => None,
        (Kind::List(x), Kind::List(y)) | (Kind::Set(x), Kind::Set(y)) | (Kind::Map(x), Kind::Map(y)) => {
            never_equal(x, y)
        }
        _ => match (primitive(a), primitive(b)) {
            (Some(x), Some(y)) if x == y => None,
            _ => differ(),
        },
    }
}

/// The value of an enum that a literal is close to.
fn meant_member(a: &Ty, b: &Ty) -> Option<EcoString> {
    let ((Kind::OneOf(members), Kind::Literal(Value::String(written)))
    | (Kind::Literal(Value::String(written)), Kind::OneOf(members))) = (&a.kind, &b.kind)
    else {
        return None;
    };
    let texts = members.members.iter().filter_map(|(member, _)| member.as_str().map(EcoString::as_str));
    plumb_model::diagnostic::nearest(written, texts).map(plumb_syntax::quote)
}

pub(super) fn capitalized(text: &str) -> EcoString {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(EcoString::new, |first| eco_format!("{}{}", first.to_uppercase(), chars.as_str()))
}

fn invalid_spread(wanted: &str, into: &str, found: &Ty, expr: &Expr) -> Diagnostic {
    Diagnostic::error("invalid-spread", "Invalid spread")
        .detail(eco_format!("Only {wanted} can be spread into {into}, not {}.", found.name()))
        .label(expr.span, found.name())
        .maybe_help((found.kind == Kind::Null).then_some("Leave it out, or give an empty one."))
}
