//! Calls of functions in static types.
//!
//! Arguments are held against the signature. The result is what the signature says, or for functions whose result
//! depends on their arguments what the function itself makes of values that stand for the types; where that says
//! nothing, the rules in [`Infer::structural`] do.
//!
//! Phases: a result is known when all of its arguments are, wholly. The rules say more where a function passes parts on,
//! so that the keys of `merge(a, b)` are known when those of `a` and `b` are.

use std::sync::Arc;

use ecow::eco_format;
use plumb_functions::Function;
use plumb_model::{Diagnostic, Diagnostics, Type, Value};
use plumb_syntax::tree::{Call, Expr};

use super::expr::{Infer, literal_text};
use super::ty::{Kind, Phase, Ty, joined};
use crate::callee::{self, Callee};
use crate::expr::FunctionContext;
use crate::program::{Declarations, FunctionDecl};
use crate::types::define::Defined;

impl<'a> Infer<'_, 'a> {
    pub(super) fn call(&mut self, call: &Call) -> Ty {
        let function = match callee::resolve(Some(self.declared), call) {
            Ok(Callee::Builtin(function)) => function,
            Ok(Callee::Declared(home, decl)) => return self.call_declared(home, decl, call),
            Ok(Callee::Provider) => {
                let phases = call.arguments.iter().map(|argument| self.infer(argument).deepest());
                // A provider's function may be called when its provider can be asked.
                return Ty::any(phases.max().unwrap_or_default().max(Phase::Plan));
            }
            Err(_) => {
                call.arguments.iter().for_each(|argument| drop(self.infer(argument)));
                return Ty::error();
            }
        };
        if function.takes_expressions() {
            return self.call_with_expressions(function, call);
        }
        let mut types = Vec::with_capacity(call.arguments.len());
        let mut failed = false;
        for (i, argument) in call.arguments.iter().enumerate() {
            let ty = self.infer(argument);
            let expanded = call.expand_final.is_some() && i + 1 == call.arguments.len();
            failed |= ty.kind == Kind::Error;
            if !expanded {
                failed |= !self.argument(function, call, i, &ty, argument);
            }
            types.push(ty);
        }
        if failed {
            return Ty::error();
        }
        if call.expand_final.is_some() {
            match types.pop() {
                Some(Ty { kind: Kind::Tuple(items), phase, .. }) => {
                    types.extend(items.iter().map(|item| item.clone().at_least(phase)));
                }
                last => {
                    let all = types.iter().chain(&last).map(Ty::deepest).max().unwrap_or_default();
                    return match (function.signature.name, last.as_ref().and_then(Ty::element)) {
                        ("merge" | "concat", Some(part)) if types.is_empty() => {
                            let phase = last.map_or(all, |last| last.phase);
                            self.structural(function.signature.name, &[part.clone(), part])
                                .map_or(Ty::any(all), |ty| ty.at_least(phase))
                        }
                        _ => Ty::of(&function.signature.returns, all),
                    };
                }
            }
        }
        if let Some(ty) = self.structural(function.signature.name, &types) {
            return ty;
        }
        let phase = types.iter().map(Ty::deepest).max().unwrap_or_default();
        let phase = phase.max(own_phase(function.signature.name));
        if function.signature.returns != Type::Dynamic {
            return Ty::of(&function.signature.returns, phase);
        }
        self.tried(function, &types).at_least(phase)
    }

    /// A function that an author wrote: arguments are held against the types of its parameters.
    fn call_declared(&mut self, home: &'a Declarations, decl: &'a FunctionDecl, call: &Call) -> Ty {
        let mut phase = Phase::Const;
        let mut failed = false;
        for (i, argument) in call.arguments.iter().enumerate() {
            let ty = self.infer(argument);
            phase = phase.max(ty.deepest());
            let expanded = call.expand_final.is_some() && i + 1 == call.arguments.len();
            if let Some((name, parameter)) = decl.parameters.get_index(i).filter(|_| !expanded) {
                let what = eco_format!("The value for `{name}` given to `{}`", call.full_name());
                let wanted = &parameter.constraint.ty;
                let summary = "Invalid function argument";
                failed |= !self.check_fits(&ty, wanted, argument, "invalid-argument", summary, &what);
            }
            failed |= ty.kind == Kind::Error;
        }
        if failed {
            return Ty::error();
        }
        match &decl.result {
            Some(result) => Ty::of(&result.ty, phase).refined(&result.shape),
            None => self.typer.body_of(home, decl).at_least(phase),
        }
    }

    /// What the function makes of values that stand for the types of its arguments.
    fn tried(&self, function: &Function, types: &[Ty]) -> Ty {
        if matches!(function.signature.name, "templatefile" | "templatestring") {
            return Ty::any(Phase::Const);
        }
        let values: Vec<Value> = types.iter().map(Ty::value).collect();
        let context = FunctionContext {
            phase: crate::eval::Phase::Validate,
            ..FunctionContext::alone(self.typer.world, self.typer.dialect(self.place.module))
        };
        match plumb_functions::call(function, &values, &context) {
            Ok(value) => Ty::of_value(&value),
            // Failing for values that are known is found where they are evaluated.
            Err(_) => Ty::any(Phase::Const),
        }
    }

    fn argument(&mut self, function: &Function, call: &Call, i: usize, ty: &Ty, expr: &Expr) -> bool {
        let Some(parameter) = function.signature.parameter(i) else { return true };
        if ty.kind == Kind::Null && !parameter.allow_null {
            self.wrong(
                Diagnostic::error("invalid-argument", "Invalid function argument")
                    .detail(eco_format!(
                        "The value for `{}` given to `{}` is not suitable: it must not be null.",
                        parameter.name,
                        call.name
                    ))
                    .at(expr.span),
            );
            return false;
        }
        let what = eco_format!("The value for `{}` given to `{}`", parameter.name, call.name);
        self.check_fits(ty, &parameter.ty, expr, "invalid-argument", "Invalid function argument", &what)
    }

    /// Functions that pass parts of their arguments on.
    fn structural(&self, name: &str, types: &[Ty]) -> Option<Ty> {
        let first = types.first();
        let element = || first.and_then(Ty::element);
        let deepest = || types.iter().map(Ty::deepest).max().unwrap_or_default();
        let shape = || types.iter().map(|ty| ty.phase).max().unwrap_or_default();
        let list = |part: Ty, phase| Some(Ty::with(Kind::List(Arc::new(part.widened())), phase));
        Some(match (name, types) {
            ("length", [ty]) => Ty::with(Kind::Number, ty.phase),
            ("keys", [ty]) => match &ty.kind {
                Kind::Map(_) => return list(Ty::new(Kind::String), ty.phase),
                Kind::Object(fields) if fields.values().all(|field| !field.sometimes) => {
                    let names = fields.keys().map(|name| Ty::text(name.clone()));
                    Ty::with(Kind::Tuple(Arc::new(names.collect())), ty.phase)
                }
                Kind::Object(_) | Kind::Dictionary(_) => {
                    Ty::with(Kind::Sequence(Arc::new(Ty::new(Kind::String))), ty.phase)
                }
                _ => return None,
            },
            ("values", [ty]) => match &ty.kind {
                Kind::Map(part) => return list((**part).clone(), ty.phase),
                Kind::Dictionary(part) => Ty::with(Kind::Sequence(part.clone()), ty.phase),
                Kind::Object(fields) => {
                    let parts = fields.values().map(|field| field.ty.clone());
                    Ty::with(Kind::Tuple(Arc::new(parts.collect())), ty.phase)
                }
                _ => return None,
            },
            ("tolist", [ty]) => match &ty.kind {
                Kind::List(_) => ty.clone(),
                _ if ty.is_open() => return None,
                // The elements of a list are of one type, which may be another than theirs.
                _ => return list(unified(ty)?, ty.phase),
            },
            ("toset", [ty]) => match &ty.kind {
                _ if ty.is_open() => return None,
                _ => Ty::with(Kind::Set(Arc::new(unified(ty)?)), ty.deepest()),
            },
            ("tomap", [ty]) => match &ty.kind {
                Kind::Map(_) => ty.clone(),
                _ if ty.is_open() => return None,
                _ => Ty::with(Kind::Map(Arc::new(unified(ty)?)), ty.phase),
            },
            ("sort" | "compact", [ty]) => {
                let phase = if name == "sort" { ty.phase } else { ty.deepest() };
                return list(Ty::with(Kind::String, ty.deepest()), phase);
            }
            ("distinct", [ty]) if !ty.is_open() => return list(unified(ty)?, ty.deepest()),
            ("slice", [ty, from, to]) => {
                let phase = shape().max(from.deepest()).max(to.deepest());
                match &ty.kind {
                    Kind::List(_) | Kind::Sequence(_) => ty.clone().at_least(phase),
                    _ => return None,
                }
            }
            ("reverse", [ty]) => match &ty.kind {
                Kind::List(_) | Kind::Sequence(_) => ty.clone(),
                Kind::Tuple(items) => {
                    Ty::with(Kind::Tuple(Arc::new(items.iter().rev().cloned().collect())), ty.phase)
                }
                _ => return None,
            },
            ("concat", [_, ..]) => concat(types, shape())?,
            ("flatten", [ty]) => {
                let part = flat(ty, 0)?;
                // How many there are depends on how many are in each.
                Ty::with(Kind::Sequence(Arc::new(part)), flat_phase(ty, 0))
            }
            ("merge", [_, ..]) => merge(types, shape())?,
            ("zipmap", [keys, values]) => {
                let part = values.element()?;
                Ty::with(Kind::Dictionary(Arc::new(part)), keys.deepest().max(values.phase))
            }
            ("element", [ty, index]) => match &ty.kind {
                Kind::Tuple(_) if matches!(index.kind, Kind::Literal(_)) => return None,
                _ if ty.is_open() => return None,
                _ => element()?.widened().at_least(index.deepest()),
            },
            ("one", [ty]) if !ty.is_open() => element()?.widened(),
            ("lookup", [map, key, rest @ ..]) => match (&map.kind, literal_text(key)) {
                (Kind::Object(fields), Some(name)) if rest.is_empty() => {
                    fields.get(&name).filter(|field| !field.sometimes)?.ty.clone().at_least(map.phase)
                }
                (Kind::Map(part), _) => {
                    let part = (**part).clone().widened();
                    let part = match rest {
                        [default] => part.join(default)?.widened(),
                        _ => part,
                    };
                    part.at_least(map.phase.max(key.deepest()))
                }
                _ => return None,
            },
            ("coalesce" | "coalescelist", [first, rest @ ..]) => {
                let first = first.clone().widened();
                let model = first.model();
                // The result is of the one type that all are converted to.
                let same = |ty: &&Ty| ty.kind == Kind::Null || ty.model() == model;
                if model.has_dynamic() || !rest.iter().all(|ty| same(&ty)) {
                    return None;
                }
                let all = rest.iter().try_fold(first, |so_far, ty| so_far.join(&ty.clone().widened()))?;
                all.at_least(if name == "coalesce" { deepest() } else { shape() })
            }
            ("nonsensitive" | "sensitive" | "ephemeralasnull" | "assumenotnull", [ty]) => ty.clone(),
            ("contains", [_, _]) => Ty::with(Kind::Bool, deepest()),
            ("format", [_, ..]) => Ty::with(Kind::String, deepest()),
            ("regex", [pattern, text]) => match literal_text(pattern) {
                Some(pattern) if !pattern.contains('(') => Ty::with(Kind::String, text.deepest()),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn call_with_expressions(&mut self, function: &Function, call: &Call) -> Ty {
        match (function.signature.name, call.arguments.as_slice()) {
            ("try", arguments @ [_, ..]) => {
                self.quiet += 1;
                let types: Vec<Ty> = arguments.iter().map(|argument| self.infer(argument)).collect();
                self.quiet -= 1;
                let phase = types.iter().map(|ty| ty.deepest()).max().unwrap_or_default();
                // Which of them is the value is not known, so they must be of one type for it to have that.
                let mut possible =
                    types.into_iter().filter(|ty| ty.kind != Kind::Error).map(|ty| ty.widened());
                match possible.next() {
                    Some(first) if possible.all(|ty| ty.kind == first.kind) => first.at_least(phase),
                    _ => Ty::any(phase),
                }
            }
            ("can", [argument]) => {
                self.quiet += 1;
                let phase = self.infer(argument).deepest();
                self.quiet -= 1;
                Ty::with(Kind::Bool, phase)
            }
            ("type", [argument]) => {
                self.infer(argument);
                Ty::new(Kind::String)
            }
            ("convert", [value, ty]) => {
                let found = self.infer(value);
                let nothing = |_: &Expr| Ok(Value::unknown(Type::Dynamic));
                let scope = Defined(Some(self.declared));
                let dialect = self.declared.dialect;
                let constraint =
                    crate::types::constraint(ty, dialect, &scope, &nothing, &mut Diagnostics::new());
                let fine = self.check_fits(
                    &found,
                    &constraint.ty,
                    value,
                    "unsuitable-value",
                    "Unsuitable value type",
                    "The value",
                );
                if fine { found.converted(&constraint.ty) } else { Ty::error() }
            }
            _ => Ty::error(),
        }
    }
}

/// When a function is known whose result does not depend on its arguments alone.
fn own_phase(name: &str) -> Phase {
    match name {
        "timestamp" | "uuid" | "bcrypt" => Phase::Apply,
        "plantimestamp" => Phase::Plan,
        _ => Phase::Const,
    }
}

/// The one type that elements have in a list, set or map; none if that cannot be said.
fn unified(ty: &Ty) -> Option<Ty> {
    let part = ty.element()?;
    match &ty.kind {
        Kind::List(_) | Kind::Set(_) | Kind::Map(_) => Some(part),
        _ if part.kind == Kind::Any => Some(part),
        _ => {
            let model = part.model();
            Some(match model.is_primitive() {
                true => part.widened(),
                false => Ty::any(part.deepest()),
            })
        }
    }
}

fn concat(types: &[Ty], phase: Phase) -> Option<Ty> {
    if types.iter().any(Ty::is_open) {
        return None;
    }
    let exact: Option<Vec<Ty>> = types.iter().try_fold(Vec::new(), |mut all, ty| match &ty.kind {
        Kind::Tuple(items) => {
            all.extend(items.iter().cloned());
            Some(all)
        }
        _ => None,
    });
    if let Some(items) = exact {
        return Some(Ty::with(Kind::Tuple(Arc::new(items)), phase));
    }
    let parts: Vec<Ty> = types.iter().map(Ty::element).collect::<Option<_>>()?;
    let lists = types.iter().all(|ty| matches!(ty.kind, Kind::List(_)));
    let part = joined(parts.iter());
    match lists && parts.iter().all(|other| other.model() == parts[0].model()) {
        true => Some(Ty::with(Kind::List(Arc::new(part)), phase)),
        // A list or a tuple, depending on what the elements are.
        false if types.iter().any(|ty| matches!(ty.kind, Kind::Tuple(_) | Kind::Sequence(_))) => {
            Some(Ty::with(Kind::Sequence(Arc::new(part)), phase))
        }
        false => None,
    }
}

fn merge(types: &[Ty], phase: Phase) -> Option<Ty> {
    if types.iter().any(Ty::is_open) {
        return None;
    }
    let written: Vec<&Ty> = types.iter().filter(|ty| ty.kind != Kind::Null).collect();
    let exact = written.iter().try_fold(Vec::new(), |mut all, ty| match &ty.kind {
        Kind::Object(fields) if fields.values().all(|field| !field.sometimes) => {
            all.extend(fields.iter().map(|(name, field)| (name.clone(), field.ty.clone())));
            Some(all)
        }
        _ => None,
    });
    if let Some(fields) = exact {
        return Some(Ty::with(Kind::row(fields), phase));
    }
    let parts: Vec<Ty> = written.iter().map(|ty| ty.element()).collect::<Option<_>>()?;
    let maps = written.iter().all(|ty| matches!(ty.kind, Kind::Map(_)));
    let part = joined(parts.iter()).widened();
    match maps && parts.iter().all(|other| other.model() == parts[0].model()) {
        true => Some(Ty::with(Kind::Map(Arc::new(part)), phase)),
        false => Some(Ty::with(Kind::Dictionary(Arc::new(part)), phase)),
    }
}

/// What is left of the elements of a sequence when sequences among them are taken apart.
fn flat(ty: &Ty, depth: u8) -> Option<Ty> {
    match &ty.kind {
        Kind::List(part) | Kind::Set(part) | Kind::Sequence(part) if depth < 8 => flat(part, depth + 1),
        Kind::Tuple(items) if depth < 8 => {
            let parts: Vec<Ty> = items.iter().map(|item| flat(item, depth + 1)).collect::<Option<_>>()?;
            Some(joined(parts.iter()))
        }
        Kind::Error | Kind::Any => None,
        _ if depth > 0 => Some(ty.clone().widened()),
        _ => None,
    }
}

fn flat_phase(ty: &Ty, depth: u8) -> Phase {
    let below = match &ty.kind {
        Kind::List(part) | Kind::Set(part) | Kind::Sequence(part) if depth < 8 => flat_phase(part, depth + 1),
        Kind::Tuple(items) if depth < 8 => {
            items.iter().map(|item| flat_phase(item, depth + 1)).max().unwrap_or_default()
        }
        _ => return Phase::Const,
    };
    ty.phase.max(below)
}
