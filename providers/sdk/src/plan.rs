//! What becomes of an object, by the flags in its model.
//!
//! For each attribute: the default where the configuration says nothing; the prior value where the provider chose it
//! and nothing else changes; unknown where the provider chooses it and the object is created or changes, unless the
//! model says that it is kept. Then the author's [`Resource::plan`](crate::Resource::plan) may look at the plan and
//! alter it. If only that made it differ from the prior object, the computed attributes become unknown afterwards.
//! Last, changed attributes that need another object are collected.
//!
//! All of it works on the entries of the three objects side by side, in one pass and without copying values.

use std::sync::Arc;

use plumb_model::{Diagnostic, Diagnostics, Path, Value};
use plumb_provider_api::PlanRequest;

use crate::attribute::Mismatch;
use crate::model::Model;
use crate::shape::{Rule, Shape, path_of};

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
    /// The plan that follows from the flags. Neither the proposal nor the configuration may be null.
    pub(crate) fn start(shape: &'a Shape, request: &'a PlanRequest) -> Result<Planning<'a>, Diagnostics> {
        let prior = match request.prior.is_null() {
            true => None,
            false => Some(shape.values(&request.prior)?),
        };
        let config = shape.values(&request.config)?;
        let proposed = shape.values(&request.proposed)?;
        let planned = shape.rules.iter().zip(&config).zip(proposed).map(initial).collect();
        let mut planning = Planning {
            shape,
            prior_object: &request.prior,
            prior,
            config_object: &request.config,
            config,
            planned,
            touched: vec![false; shape.rules.len()],
            requires_replace: Vec::new(),
        };
        if planning.changes() {
            planning.forget_computed();
        }
        Ok(planning)
    }

    /// Completes the plan after the author has seen it.
    pub(crate) fn finish(mut self, changed_before: bool) -> (Value, Vec<Path>) {
        if !changed_before && self.changes() {
            self.forget_computed();
        }
        let Some(prior) = &self.prior else { return (self.object(), Vec::new()) };
        for (i, rule) in self.shape.rules.iter().enumerate() {
            if let Some(test) = rule.replace
                && *prior[i] != self.planned[i]
                && test(prior[i], &self.planned[i])
            {
                self.requires_replace.push(path_of(&rule.name));
            }
        }
        match self.changes() {
            // The prior object is shared rather than assembled anew.
            false => (self.prior_object.clone(), self.requires_replace),
            true => (self.object(), self.requires_replace),
        }
    }

    fn object(&self) -> Value {
        let entries = self.shape.rules.iter().zip(&self.planned).map(|(r, v)| (r.name.clone(), v.clone()));
        Value::Object(Arc::new(entries.collect()))
    }

    /// Makes unknown what the provider chooses anew.
    fn forget_computed(&mut self) {
        for (i, rule) in self.shape.rules.iter().enumerate() {
            let chosen = rule.computed && self.config[i].is_null() && rule.default.is_none();
            let kept = rule.keep && self.prior.as_ref().is_some_and(|prior| !prior[i].is_null());
            if chosen && !kept && !self.touched[i] {
                self.planned[i] = rule.unknown.clone();
            }
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

    /// The configuration.
    ///
    /// # Errors
    /// If it does not fit the model.
    pub fn config<M: Model>(&self) -> Result<M, Mismatch> {
        M::from_object(self.config_object)
    }

    /// The plan as it stands.
    ///
    /// # Errors
    /// If it does not fit the model.
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
        self.planned[i] = self.shape.rules[i].unknown.clone();
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

fn initial(((rule, config), proposed): ((&Rule, &&Value), &Value)) -> Value {
    match &rule.default {
        _ if rule.write_only => rule.null.clone(),
        Some(default) if config.is_null() => default.clone(),
        _ => proposed.clone(),
    }
}

/// A configuration with the defaults filled in, for data sources.
pub(crate) fn with_defaults(shape: &Shape, config: &Value) -> Result<Value, Diagnostics> {
    let values = shape.values(config)?;
    let entries = shape.rules.iter().zip(values).map(|(rule, value)| {
        let value = match &rule.default {
            Some(default) if value.is_null() => default.clone(),
            _ => value.clone(),
        };
        (rule.name.clone(), value)
    });
    Ok(Value::Object(Arc::new(entries.collect())))
}

/// An outcome as it may be recorded: write-only attributes and what is still unknown are null.
///
/// # Errors
/// Names attributes that are unknown, unless `lenient`.
pub(crate) fn settled(shape: &Shape, object: Value, lenient: bool) -> Result<Value, (Value, Diagnostics)> {
    let mut diagnostics = Diagnostics::new();
    let Value::Object(entries) = &object else {
        return Err((object, Diagnostic::error("value-not-of-schema", "No object came back").into()));
    };
    let mut altered = false;
    let settled = entries.map_values(|name, value| {
        let Some(rule) = shape.position(name).map(|i| &shape.rules[i]) else { return value.clone() };
        if rule.write_only && !value.is_null() {
            altered = true;
            return rule.null.clone();
        }
        if value.is_wholly_known() {
            return value.clone();
        }
        altered = true;
        if !lenient {
            diagnostics.push(
                Diagnostic::error("unknown-after-apply", "Value is still not known")
                    .detail(format!("After the change, the provider left `{name}` unknown."))
                    .help("This is a fault of the provider; report it there.")
                    .attribute(path_of(name)),
            );
        }
        rule.null.clone()
    });
    let settled = if altered { Value::Object(Arc::new(settled)) } else { object };
    if diagnostics.is_empty() { Ok(settled) } else { Err((settled, diagnostics)) }
}
