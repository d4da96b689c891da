//! What is wrong with a configuration by what its model declares.
//!
//! It works on values, so that what is known is checked although other attributes are not known yet.

use plumb_model::{Diagnostics, Step, Value};

use crate::check::{Checks, Presence};
use crate::model::Model;
use crate::plan;
use crate::rules::{Nested, Rule, Rules, Shape, mismatch, read_model};

/// Checks an object by its rules, then by what its author says of the model. The author is not asked as long as the model
/// has no room for what is unknown: the configuration is checked again when it is known.
pub(crate) fn check<M: Model>(
    shape: &Shape,
    config: &Value,
    author: impl FnOnce(&M, &mut Checks),
) -> Diagnostics {
    let mut checks = Checks::new();
    object(&shape.rules, config, &mut checks);
    let config = plan::with_defaults(shape, config);
    if !checks.has_errors() && M::has_room(&config) {
        match read_model(&config) {
            Ok(model) => author(&model, &mut checks),
            Err(errors) => errors.into_iter().for_each(|error| checks.push(error)),
        }
    }
    checks.into_diagnostics()
}

fn object(rules: &Rules, config: &Value, checks: &mut Checks) {
    let Some(values) = rules.values(config) else { return };
    for (rule, value) in rules.list.iter().zip(&values) {
        attribute(rule, value, config, checks);
        if let Some(nested) = &rule.nested {
            checks.under(Step::Attribute(rule.name.clone()), |checks| objects(nested, value, checks));
        }
    }
    for group in &rules.groups {
        group.check(config, checks);
    }
}

fn objects(nested: &Nested, value: &Value, checks: &mut Checks) {
    nested.map(value, |step, found| {
        match step {
            Some(step) => checks.under(step.clone(), |checks| object(&nested.rules, found, checks)),
            None => object(&nested.rules, found, checks),
        }
        found.clone()
    });
}

fn attribute(rule: &Rule, value: &Value, config: &Value, checks: &mut Checks) {
    let name = &rule.name;
    if rule.nested.is_none()
        && let Err(mut found) = (rule.fit)(value)
    {
        if rule.hidden {
            found.problem = without_value(&found.problem);
        }
        checks.push(mismatch(found.within(Step::Attribute(name.clone()))));
        return;
    }
    for problem in rule.validators.iter().filter_map(|validator| validator(value).err()) {
        checks.error(name, if rule.hidden { without_value(&problem) } else { problem });
    }
    let presence = |name: &str| config.get(name).map_or(Presence::Absent, Presence::from);
    if presence(name) == Presence::Set {
        for other in rule.conflicts.iter().filter(|other| presence(other) == Presence::Set) {
            checks.conflict(name, other);
        }
        for other in rule.requires.iter().filter(|other| presence(other) == Presence::Absent) {
            checks.lonely(name, other);
        }
    }
}

/// What is wrong, without the value that was found: it is a secret.
fn without_value(problem: &str) -> String {
    match problem.split_once(", wanted ") {
        Some((_, wanted)) => format!("Found a sensitive value that does not fit, wanted {wanted}"),
        None => "Found a sensitive value that does not fit.".into(),
    }
}
