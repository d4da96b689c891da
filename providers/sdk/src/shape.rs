//! What is known of a resource type once and for all: its schema, its type, and how each attribute is planned.

use std::sync::Arc;

use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Path, Schema, Type, Value};

use crate::attribute::Mismatch;
use crate::model::{Model, ReplaceWhen};

/// The schema and what follows from it.
pub(crate) struct Shape {
    pub schema: Arc<Schema>,
    pub ty: Type,
    /// By name, as the entries of an object are.
    pub rules: Vec<Rule>,
}

/// How an attribute is planned.
pub(crate) struct Rule {
    pub name: EcoString,
    /// The value where there is none.
    pub null: Value,
    pub unknown: Value,
    pub default: Option<Value>,
    pub replace: Option<ReplaceWhen>,
    pub keep: bool,
    pub not_null: bool,
    pub computed: bool,
    pub write_only: bool,
}

impl Shape {
    pub(crate) fn of<M: Model>(version: i64) -> Shape {
        let schema = M::schema(version);
        let ty = schema.block.implied_type();
        let mut rules: Vec<Rule> = M::attributes()
            .into_iter()
            .map(|spec| {
                let is_block = schema.block.blocks.get(&spec.name);
                let ty = ty.attributes().and_then(|a| a.get(&spec.name)).cloned().unwrap_or(Type::Dynamic);
                Rule {
                    null: is_block.map_or_else(|| Value::Null(ty.clone()), |b| b.empty()),
                    unknown: if spec.not_null { Value::unknown_not_null(ty) } else { Value::unknown(ty) },
                    name: spec.name,
                    default: spec.default,
                    replace: spec.replace,
                    keep: spec.keep,
                    not_null: spec.not_null,
                    computed: spec.attribute.computed,
                    write_only: spec.attribute.write_only,
                }
            })
            .collect();
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        Shape { schema: Arc::new(schema), ty, rules }
    }

    /// Where in the entries of an object an attribute is.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.rules.binary_search_by(|rule| rule.name.as_str().cmp(name)).ok()
    }

    /// The values of an object in the order of the rules.
    pub(crate) fn values<'v>(&self, object: &'v Value) -> Result<Vec<&'v Value>, Diagnostics> {
        let entries = match object.unmarked() {
            Value::Object(entries) if entries.len() == self.rules.len() => entries,
            _ => return Err(self.misshapen(object)),
        };
        if !entries.keys().zip(&self.rules).all(|(key, rule)| *key == rule.name) {
            return Err(self.misshapen(object));
        }
        Ok(entries.values().collect())
    }

    /// Whether nothing is null that no object of this kind is without.
    pub(crate) fn is_complete(&self, object: &Value) -> bool {
        let Ok(values) = self.values(object) else { return false };
        self.rules.iter().zip(values).all(|(rule, value)| !rule.not_null || !value.is_null())
    }

    fn misshapen(&self, object: &Value) -> Diagnostics {
        Diagnostic::error("value-not-of-schema", "Value does not conform to the schema")
            .detail(format!("Found {:?}, wanted {:?}.", object.ty(), self.ty))
            .help("This is a fault of the program that called the provider; report it there.")
            .into()
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
