//! What is known of a model once and for all: its schema, its type, and how each attribute is checked and planned.
//!
//! Rules are in the order of the names, as the entries of objects are, so that an object and its rules are gone through
//! side by side. Attributes of nested objects have rules of their own.

use std::sync::Arc;

use ecow::EcoString;
use plumb_model::{AttributeType, Diagnostic, Diagnostics, Nesting, Path, Schema, Step, Type, Value};
use plumb_provider_api::{IdentityAttribute, IdentitySchema};

use crate::attribute::Mismatch;
use crate::check::Group;
use crate::model::{AttributeSpec, Fit, Model, Modifier, ReplaceWhen, Validator};

/// The schema and what follows from it.
pub(crate) struct Shape {
    pub schema: Arc<Schema>,
    pub ty: Type,
    pub rules: Rules,
    /// What tells objects apart, if the model says so.
    pub identity: Option<Arc<IdentitySchema>>,
}

/// The rules of the attributes of one object.
pub(crate) struct Rules {
    /// By name, as the entries of an object are.
    pub list: Vec<Rule>,
    pub groups: Vec<Group>,
}

/// How an attribute is checked and planned.
pub(crate) struct Rule {
    pub name: EcoString,
    /// The value where there is none.
    pub null: Value,
    pub unknown: Value,
    pub default: Option<Value>,
    pub replace: Option<ReplaceWhen>,
    pub modifier: Option<Modifier>,
    pub keep: bool,
    pub not_null: bool,
    pub computed: bool,
    pub write_only: bool,
    /// Its value must not be part of a message.
    pub hidden: bool,
    pub fit: Fit,
    pub validators: Vec<Validator>,
    pub conflicts: Vec<EcoString>,
    pub requires: Vec<EcoString>,
    pub nested: Option<Nested>,
}

/// The rules of the objects in an attribute.
pub(crate) struct Nested {
    pub rules: Rules,
    pub nesting: Nesting,
}

impl Shape {
    pub(crate) fn of<M: Model>(version: i64) -> Shape {
        let schema = M::schema(version);
        let ty = schema.block.implied_type();
        let identity = identity(&M::attributes());
        let rules = Rules::of(M::attributes(), M::groups());
        Shape { schema: Arc::new(schema), ty, rules, identity }
    }

    /// Where in the entries of an object an attribute is.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.rules.list.binary_search_by(|rule| rule.name.as_str().cmp(name)).ok()
    }

    /// The values of an object in the order of the rules.
    pub(crate) fn values<'v>(&self, object: &'v Value) -> Result<Vec<&'v Value>, Diagnostics> {
        self.rules.values(object).ok_or_else(|| {
            Diagnostic::error("value-not-of-schema", "Value does not conform to the schema")
                .detail(format!("Found {:?}, wanted {:?}.", object.ty(), self.ty))
                .help("This is a fault of the program that called the provider; report it there.")
                .into()
        })
    }

    /// Whether nothing is null that no object of this kind is without.
    pub(crate) fn is_complete(&self, object: &Value) -> bool {
        let Some(values) = self.rules.values(object) else { return false };
        self.rules.list.iter().zip(values).all(|(rule, value)| !rule.not_null || !value.is_null())
    }

    /// What tells an object apart, if all of it is known.
    pub(crate) fn identity_of(&self, object: &Value) -> Option<Value> {
        let parts = self.identity.as_ref()?.attributes.keys().map(|name| {
            let value = object.get(name).filter(|value| value.is_wholly_known() && !value.is_null())?;
            Some((name.clone(), value.clone()))
        });
        Some(Value::object(parts.collect::<Option<Vec<_>>>()?))
    }
}

/// The attributes that tell objects apart; none of them may be left out.
fn identity(specs: &[AttributeSpec]) -> Option<Arc<IdentitySchema>> {
    let attributes = specs.iter().filter(|spec| spec.identity).map(|spec| {
        let attribute = IdentityAttribute {
            ty: spec.attribute.implied_type(),
            required_for_import: true,
            optional_for_import: false,
            description: spec.attribute.description.clone(),
        };
        (spec.name.clone(), attribute)
    });
    let identity = IdentitySchema { version: 0, attributes: attributes.collect() };
    (!identity.attributes.is_empty()).then(|| Arc::new(identity))
}

impl Rules {
    fn of(specs: Vec<AttributeSpec>, groups: Vec<Group>) -> Rules {
        let mut list: Vec<Rule> = specs.into_iter().map(Rule::of).collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Rules { list, groups }
    }

    /// The values of an object in the order of the rules; `None` if it has other attributes.
    pub(crate) fn values<'v>(&self, object: &'v Value) -> Option<Vec<&'v Value>> {
        let Value::Object(entries) = object.unmarked() else { return None };
        let same = entries.len() == self.list.len()
            && entries.keys().zip(&self.list).all(|(key, rule)| *key == rule.name);
        same.then(|| entries.values().collect())
    }

    /// Whether a rule, at any depth, is of some kind.
    pub(crate) fn any(&self, test: impl Fn(&Rule) -> bool + Copy) -> bool {
        self.list.iter().any(|rule| test(rule) || rule.nested.as_ref().is_some_and(|n| n.rules.any(test)))
    }

    /// An object whose attributes are what `f` makes of the rules and of the values of `object`.
    pub(crate) fn map(&self, object: &Value, mut f: impl FnMut(&Rule, &Value) -> Value) -> Value {
        let Some(values) = self.values(object) else { return object.clone() };
        let entries = self.list.iter().zip(values).map(|(rule, value)| (rule.name.clone(), f(rule, value)));
        Value::Object(Arc::new(entries.collect()))
    }
}

impl Rule {
    fn of(spec: AttributeSpec) -> Rule {
        let block = spec.as_block();
        let ty = block.as_ref().map_or_else(|| spec.attribute.implied_type(), |block| block.implied_type());
        let nesting = match &spec.attribute.ty {
            AttributeType::Nested(nested) => Some(nested.nesting),
            AttributeType::Plain(_) => None,
        };
        let nested = nesting.filter(|_| !spec.nested.is_empty());
        Rule {
            null: block.map_or_else(|| Value::Null(ty.clone()), |block| block.empty()),
            unknown: if spec.not_null { Value::unknown_not_null(ty) } else { Value::unknown(ty) },
            name: spec.name,
            default: spec.default,
            replace: spec.replace,
            modifier: spec.modifier,
            keep: spec.keep,
            not_null: spec.not_null,
            computed: spec.attribute.computed,
            write_only: spec.attribute.write_only,
            hidden: spec.attribute.sensitive || spec.attribute.write_only,
            fit: spec.fit,
            validators: spec.validators,
            conflicts: spec.conflicts,
            requires: spec.requires,
            nested: nested.map(|nesting| Nested { rules: Rules::of(spec.nested, spec.groups), nesting }),
        }
    }
}

impl Nested {
    /// As [`Nested::map_objects`].
    pub(crate) fn map(&self, value: &Value, mut f: impl FnMut(Option<&Step>, &Value) -> Value) -> Value {
        Nested::map_objects(self.nesting, value, &mut f)
    }

    /// The value with `f` applied to each object in it. `f` is also given the step that leads to the object from the value,
    /// if there is one.
    pub(crate) fn map_objects(
        nesting: Nesting,
        value: &Value,
        f: &mut dyn FnMut(Option<&Step>, &Value) -> Value,
    ) -> Value {
        let list = |items: &[Value], f: &mut dyn FnMut(Option<&Step>, &Value) -> Value| -> Vec<Value> {
            items.iter().enumerate().map(|(i, item)| f(Some(&Step::Index(i)), item)).collect()
        };
        match (nesting, value.unmarked()) {
            (_, Value::Null(_) | Value::Unknown(_)) => value.clone(),
            (Nesting::Single | Nesting::Group, object) => f(None, object),
            (_, Value::List(items)) => Value::list(items.element.clone(), list(&items.items, f)),
            (_, Value::Tuple(items)) => Value::tuple(list(items, f)),
            (_, Value::Set(items)) => {
                let objects = items.items.iter().map(|item| f(Some(&Step::Any), item)).collect();
                Value::set(items.element.clone(), objects)
            }
            (_, Value::Map(map)) => Value::map(
                map.element.clone(),
                map.entries.iter().map(|(k, v)| (k.clone(), f(Some(&Step::Key(k.clone())), v))),
            ),
            (_, Value::Object(entries)) => {
                Value::Object(Arc::new(entries.map_values(|k, v| f(Some(&Step::Key(k.clone())), v))))
            }
            _ => value.clone(),
        }
    }

    /// The object in another value of the attribute to which a step leads. Elements of sets cannot be found again.
    pub(crate) fn other<'v>(value: Option<&'v Value>, step: Option<&Step>) -> Option<&'v Value> {
        let value = value?.unmarked();
        let found = match step {
            None => Some(value),
            Some(Step::Index(i)) => value.as_items().and_then(|items| items.get(*i)),
            Some(Step::Key(key) | Step::Attribute(key)) => value.get(key),
            Some(Step::Any) => None,
        };
        found.filter(|found| !found.is_null())
    }
}

/// An attribute that does not fit the model, said to the user.
pub(crate) fn mismatch(mismatch: Mismatch) -> Diagnostic {
    Diagnostic::error("unsuitable-value", "Unsuitable value")
        .detail(mismatch.problem)
        .attribute(mismatch.path)
}

/// The object as a model.
pub(crate) fn read_model<M: Model>(object: &Value) -> Result<M, Diagnostics> {
    M::from_object(object).map_err(|e| mismatch(e).into())
}

/// What a provider does not offer.
pub(crate) fn unknown_kind<'a>(
    what: &'static str,
    kind: &str,
    provider: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    Diagnostic::error("unknown-type", "Unknown type")
        .detail(format!("The provider `{provider}` has no {what} `{kind}`."))
        .maybe_help(plumb_model::diagnostic::did_you_mean(kind, known))
}

/// A path of one attribute.
pub(crate) fn path_of(name: &EcoString) -> Path {
    Path::of(name.clone())
}
