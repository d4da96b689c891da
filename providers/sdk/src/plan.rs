//! What becomes of an object, by the flags in its model.
//!
//! For each attribute: the default where the configuration says nothing; the prior value where the provider chose it
//! and nothing else changes; unknown where the provider chooses it and the object is created or changes, unless the
//! model says that it is kept. Then the attribute's own modifier may alter it, and the author's
//! [`Resource::plan`](crate::Resource::plan) the whole plan. If only that made it differ from the prior object, the computed
//! attributes become unknown afterwards. Last, changed attributes that need another object are collected.
//!
//! All of it works on the entries of the three objects side by side, without copying values. Attributes of nested objects
//! are planned alike; the elements of a list are found again by their index, those of a map by their key. An element of a
//! set cannot be found again, so in it only what is null is given a default or becomes unknown.

use std::sync::Arc;

use plumb_model::{Diagnostic, Diagnostics, Nesting, Path, Step, Value};
use plumb_provider_api::PlanRequest;

use crate::attribute::Mismatch;
use crate::model::Model;
use crate::rules::{Nested, Rule, Rules, Shape, path_of};

/// A plan in the making.
pub struct Planning<'a> {
    shape: &'a Shape,
    prior_object: &'a Value,
    prior: Option<Vec<&'a Value>>,
    config_object: &'a Value,
    config: Vec<&'a Value>,
    planned: Vec<Value>,
    touched: Vec<bool>,
    requires_replace: Vec<Path>,
}

impl<'a> Planning<'a> {
    /// The plan that follows from the model. Neither the proposal nor the configuration may be null.
    pub(crate) fn start(shape: &'a Shape, request: &'a PlanRequest) -> Result<Planning<'a>, Diagnostics> {
        let prior = match request.prior.is_null() {
            true => None,
            false => Some(shape.values(&request.prior)?),
        };
        let config = shape.values(&request.config)?;
        let proposed = shape.values(&request.proposed)?;
        let rules = &shape.rules.list;
        let planned = rules.iter().zip(&config).zip(proposed);
        let planned =
            planned.map(|((rule, config), proposed)| filled(rule, Some(config), proposed, true)).collect();
        let mut planning = Planning {
            shape,
            prior_object: &request.prior,
            prior,
            config_object: &request.config,
            config,
            planned,
            touched: vec![false; rules.len()],
            requires_replace: Vec::new(),
        };
        let changes = planning.changes();
        if changes {
            planning.forget_computed();
        }
        planning.modify(changes);
        if !changes && planning.changes() {
            planning.forget_computed();
            planning.modify(true);
        }
        Ok(planning)
    }

    /// Lets the modifiers of attributes alter the plan.
    fn modify(&mut self, changes: bool) {
        let situation = Situation { creates: self.is_create(), changes };
        for (i, rule) in self.shape.rules.list.iter().enumerate() {
            let prior = self.prior.as_ref().map(|prior| prior[i]);
            let at = path_of(&rule.name);
            let planned = modified(
                rule,
                situation,
                &at,
                Some(self.config[i]),
                prior,
                &self.planned[i],
                &mut self.requires_replace,
            );
            if planned != self.planned[i] {
                self.planned[i] = planned;
                self.touched[i] = true;
            }
        }
    }

    /// Completes the plan after the author has seen it.
    pub(crate) fn finish(mut self, changed_before: bool) -> (Value, Vec<Path>) {
        if !changed_before && self.changes() {
            self.forget_computed();
        }
        let Some(prior) = &self.prior else { return (self.object(), Vec::new()) };
        for (i, rule) in self.shape.rules.list.iter().enumerate() {
            replacing(rule, path_of(&rule.name), prior[i], &self.planned[i], &mut self.requires_replace);
        }
        match self.changes() {
            // The prior object is shared rather than assembled anew.
            false => (self.prior_object.clone(), self.requires_replace),
            true => (self.object(), self.requires_replace),
        }
    }

    fn object(&self) -> Value {
        let entries =
            self.shape.rules.list.iter().zip(&self.planned).map(|(r, v)| (r.name.clone(), v.clone()));
        Value::Object(Arc::new(entries.collect()))
    }

    /// Makes unknown what the provider chooses anew.
    fn forget_computed(&mut self) {
        for (i, rule) in self.shape.rules.list.iter().enumerate().filter(|(i, _)| !self.touched[*i]) {
            let prior = self.prior.as_ref().map(|prior| prior[i]);
            self.planned[i] = forgotten(rule, Some(self.config[i]), prior, &self.planned[i]);
        }
    }

    fn position(&self, name: &str) -> usize {
        self.shape.position(name).expect("authors name attributes of their own model")
    }

    /// Whether the object is created, anew or as a replacement.
    pub fn is_create(&self) -> bool {
        self.prior.is_none()
    }

    /// Whether the plan differs from the prior object; always for a creation.
    pub fn changes(&self) -> bool {
        match &self.prior {
            None => true,
            Some(prior) => prior.iter().zip(&self.planned).any(|(prior, planned)| *prior != planned),
        }
    }

    /// Whether the plan of an attribute differs from the prior object; always for a creation.
    pub fn changes_attribute(&self, name: &str) -> bool {
        let i = self.position(name);
        self.prior.as_ref().is_none_or(|prior| *prior[i] != self.planned[i])
    }

    /// The prior object.
    ///
    /// # Errors
    /// If it does not fit the model.
    pub fn prior<M: Model>(&self) -> Result<Option<M>, Mismatch> {
        self.prior.as_ref().map(|_| M::from_object(self.prior_object)).transpose()
    }

    /// The configuration, with defaults.
    ///
    /// # Errors
    /// If it does not fit the model, or the model has no [room](Model::has_room) for what is unknown in it.
    pub fn config<M: Model>(&self) -> Result<M, Mismatch> {
        M::from_object(&with_defaults(self.shape, self.config_object))
    }

    /// The plan as it stands.
    ///
    /// # Errors
    /// If it does not fit the model, or the model has no [room](Model::has_room) for what is unknown in it.
    pub fn planned<M: Model>(&self) -> Result<M, Mismatch> {
        M::from_object(&self.object())
    }

    /// An attribute of the prior object.
    pub fn prior_value(&self, name: &str) -> Option<&'a Value> {
        self.prior.as_ref().map(|prior| prior[self.position(name)])
    }

    /// An attribute of the configuration.
    pub fn config_value(&self, name: &str) -> &'a Value {
        self.config[self.position(name)]
    }

    /// An attribute of the plan as it stands.
    pub fn planned_value(&self, name: &str) -> &Value {
        &self.planned[self.position(name)]
    }

    /// Plans a value for an attribute that the configuration leaves to the provider.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let i = self.position(name);
        self.planned[i] = value.into();
        self.touched[i] = true;
    }

    /// Plans that an attribute which the provider chooses is chosen anew.
    pub fn set_unknown(&mut self, name: &str) {
        let i = self.position(name);
        self.planned[i] = self.shape.rules.list[i].unknown.clone();
        self.touched[i] = true;
    }

    /// Plans that the object changes although the configuration has not: all that the provider chooses becomes
    /// unknown.
    pub fn force_update(&mut self) {
        self.forget_computed();
    }

    /// Plans another object because of an attribute, which must differ from its prior value.
    pub fn require_replace(&mut self, name: &str) {
        let path = Path::of(name);
        if !self.requires_replace.contains(&path) {
            self.requires_replace.push(path);
        }
    }
}

/// What a modifier of an attribute knows, and what it may alter.
///
/// ```
/// use plumb_provider_sdk::{Attr, Model, Value, plan::AttributePlan};
///
/// /// Leaves the revision alone as long as nothing changes, and counts on otherwise.
/// fn count(plan: &mut AttributePlan<'_>) {
///     if let (true, Some(prior)) = (plan.changes, plan.prior.and_then(|prior| prior.as_number()?.to_i64())) {
///         plan.planned = Value::int(prior + 1);
///     }
/// }
///
/// /// A document.
/// #[derive(Model)]
/// struct Document {
///     /// What it says.
///     #[attribute(required)]
///     text: String,
///     /// How often it was written.
///     #[attribute(computed, plan = count)]
///     revision: Attr<i64>,
/// }
/// ```
#[derive(Debug)]
pub struct AttributePlan<'a> {
    /// What the configuration says; `None` for an attribute in an element of a set, which cannot be found again.
    pub config: Option<&'a Value>,
    /// What it was; `None` for an object or an element that is new.
    pub prior: Option<&'a Value>,
    /// What is planned. What the configuration sets must stay.
    pub planned: Value,
    /// Whether the object is created.
    pub creates: bool,
    /// Whether anything about the object changes.
    pub changes: bool,
    /// Whether the plan needs another object.
    pub requires_replace: bool,
}

/// What becomes of the object as a whole.
#[derive(Clone, Copy)]
struct Situation {
    creates: bool,
    changes: bool,
}

/// The values of a nested object by attribute; `None` where there is no such object.
fn parts<'v>(rules: &Rules, object: Option<&'v Value>) -> Option<Vec<&'v Value>> {
    object.and_then(|object| rules.values(object))
}

/// Whether the configuration leaves the choice to the provider.
fn is_left_open(config: Option<&Value>, planned: &Value) -> bool {
    config.unwrap_or(planned).is_null()
}

/// What is done with an attribute of a nested object.
type Visit<'a> = dyn FnMut(&Rule, Option<&Step>, Option<&Value>, Option<&Value>, &Value) -> Value + 'a;

/// Calls `f` with each attribute of the objects in a value: its rule, what the configuration and the prior value have in the
/// same place, and its value. The value of `f`'s results comes back.
fn each_attribute(
    nested: &Nested,
    config: Option<&Value>,
    prior: Option<&Value>,
    value: &Value,
    f: &mut Visit<'_>,
) -> Value {
    nested.map(value, |step, object| {
        let config = parts(&nested.rules, Nested::other(config, step));
        let prior = parts(&nested.rules, Nested::other(prior, step));
        let mut i = 0;
        nested.rules.map(object, |rule, value| {
            let (config, prior) =
                (config.as_ref().map(|parts| parts[i]), prior.as_ref().map(|parts| parts[i]));
            i += 1;
            f(rule, step, config, prior, value)
        })
    })
}

/// A value with defaults where the configuration says nothing; without what is never kept, if `kept`.
fn filled(rule: &Rule, config: Option<&Value>, value: &Value, kept: bool) -> Value {
    match (&rule.default, &rule.nested) {
        _ if rule.write_only && kept => rule.null.clone(),
        (Some(default), _) if is_left_open(config, value) => default.clone(),
        (_, Some(nested)) => each_attribute(nested, config, None, value, &mut |rule, _, config, _, value| {
            filled(rule, config, value, kept)
        }),
        _ => value.clone(),
    }
}

/// The plan of an attribute where the object is created or changes.
fn forgotten(rule: &Rule, config: Option<&Value>, prior: Option<&Value>, planned: &Value) -> Value {
    if rule.computed && rule.default.is_none() && is_left_open(config, planned) {
        let kept = rule.keep && prior.is_some_and(|prior| !prior.is_null());
        return if kept { planned.clone() } else { rule.unknown.clone() };
    }
    match &rule.nested {
        Some(nested) => {
            each_attribute(nested, config, prior, planned, &mut |rule, _, config, prior, value| {
                forgotten(rule, config, prior, value)
            })
        }
        None => planned.clone(),
    }
}

/// The plan of an attribute as modifiers alter it.
fn modified(
    rule: &Rule,
    situation: Situation,
    at: &Path,
    config: Option<&Value>,
    prior: Option<&Value>,
    planned: &Value,
    requires_replace: &mut Vec<Path>,
) -> Value {
    let mut planned = planned.clone();
    if let Some(modifier) = rule.modifier {
        let Situation { creates, changes } = situation;
        let mut plan = AttributePlan { config, prior, planned, creates, changes, requires_replace: false };
        modifier(&mut plan);
        if plan.requires_replace && !creates && !requires_replace.contains(at) {
            requires_replace.push(at.clone());
        }
        planned = plan.planned;
    }
    match &rule.nested {
        Some(nested) => {
            each_attribute(nested, config, prior, &planned, &mut |rule, step, config, prior, value| {
                let at = step
                    .map_or_else(|| at.clone(), |step| at.then(step.clone()))
                    .attribute(rule.name.clone());
                modified(rule, situation, &at, config, prior, value, requires_replace)
            })
        }
        None => planned,
    }
}

/// Collects the changed attributes that need another object.
fn replacing(rule: &Rule, at: Path, prior: &Value, planned: &Value, found: &mut Vec<Path>) {
    if prior == planned {
        return;
    }
    if rule.replace.is_some_and(|test| test(prior, planned)) {
        if !found.contains(&at) {
            found.push(at);
        }
        return;
    }
    let Some(nested) = rule.nested.as_ref().filter(|nested| nested.rules.any(|rule| rule.replace.is_some()))
    else {
        return;
    };
    if nested.nesting == Nesting::Set {
        found.push(at);
        return;
    }
    each_attribute(nested, None, Some(prior), planned, &mut |rule, step, _, prior, value| {
        let at = step.map_or_else(|| at.clone(), |step| at.then(step.clone())).attribute(rule.name.clone());
        // What is new has no attribute that changes.
        if let Some(prior) = prior {
            replacing(rule, at, prior, value, found);
        }
        value.clone()
    });
}

/// A configuration with the defaults filled in.
pub(crate) fn with_defaults(shape: &Shape, config: &Value) -> Value {
    shape.rules.map(config, |rule, value| filled(rule, Some(value), value, false))
}

/// An outcome as it may be recorded: write-only attributes and what is still unknown are null.
///
/// # Errors
/// Names attributes that are unknown, unless `lenient`.
pub(crate) fn settled(shape: &Shape, object: Value, lenient: bool) -> Result<Value, (Value, Diagnostics)> {
    if shape.rules.values(&object).is_none() {
        let wrong = Diagnostic::error("value-not-of-schema", "No object of its type came back");
        return Err((object, wrong.detail(format!("Wanted {:?}.", shape.ty)).into()));
    }
    let mut diagnostics = Diagnostics::new();
    let settled = shape.rules.map(&object, |rule, value| {
        if !lenient && !rule.write_only && !value.is_wholly_known() {
            diagnostics.push(
                Diagnostic::error("unknown-after-apply", "Value is still not known")
                    .detail(format!("After the change, the provider left `{}` unknown.", rule.name))
                    .help("This is a fault of the provider; report it there.")
                    .attribute(path_of(&rule.name)),
            );
        }
        recorded(rule, value)
    });
    if diagnostics.is_empty() { Ok(settled) } else { Err((settled, diagnostics)) }
}

/// An attribute as it may be recorded.
fn recorded(rule: &Rule, value: &Value) -> Value {
    match &rule.nested {
        _ if rule.write_only || value.is_null() || !value.is_known() => rule.null.clone(),
        Some(nested) => {
            each_attribute(nested, None, None, value, &mut |rule, _, _, _, value| recorded(rule, value))
        }
        None if value.is_wholly_known() => value.clone(),
        None => value.rebuild(&mut |part| match part {
            Value::Unknown(unknown) => Value::Null(unknown.ty.clone()),
            part => part.clone(),
        }),
    }
}
