//! What a module takes and gives, without evaluating anything: `plumb interface`.
//!
//! An [`Interface`] is read from the declarations of one module. [`json`] has it for programs, with a JSON Schema of the
//! inputs; [`text`] for people.

pub mod json;
pub mod text;

use std::collections::BTreeMap;

use ecow::{EcoString, eco_format};
use plumb_model::{Sources, Value};
use plumb_semantics::Module;
use plumb_semantics::program::Condition;
use plumb_semantics::types::Shape;
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Expr, ExprKind};

/// What a module takes and gives.
pub struct Interface {
    /// The directory, as the user names it.
    pub directory: String,
    /// Which language its files are in.
    pub dialect: Dialect,
    /// The variables, in the order in which they are written.
    pub inputs: Vec<Input>,
    /// The outputs, in the order in which they are written.
    pub outputs: Vec<Output>,
    /// The types that it names, in the order in which they are written.
    pub types: Vec<(EcoString, Shape)>,
    /// The providers that it names or uses, by local name.
    pub providers: BTreeMap<EcoString, Provider>,
    /// The modules that it calls, by name: source and version.
    pub modules: BTreeMap<EcoString, (EcoString, Option<EcoString>)>,
}

/// A variable.
pub struct Input {
    pub name: EcoString,
    /// The type as it is written; none if none is.
    pub shape: Option<Shape>,
    pub default: Option<Default>,
    pub description: EcoString,
    pub sensitive: bool,
    pub ephemeral: bool,
    pub nullable: bool,
    pub constant: bool,
    pub deprecated: Option<EcoString>,
    pub validations: Vec<Validation>,
}

/// The value of an input where none is given.
pub struct Default {
    /// The value, if it is written out.
    pub value: Option<Value>,
    /// As it is written.
    pub written: EcoString,
}

/// What must hold of an input.
pub struct Validation {
    /// The condition, as it is written.
    pub condition: EcoString,
    /// What is said where it does not hold; as it is written if it is computed.
    pub message: EcoString,
}

/// An output.
pub struct Output {
    pub name: EcoString,
    pub shape: Option<Shape>,
    pub description: EcoString,
    pub sensitive: bool,
    pub ephemeral: bool,
    pub deprecated: Option<EcoString>,
}

/// A provider that a module needs.
pub struct Provider {
    pub source: EcoString,
    pub version: Option<EcoString>,
    /// The aliases that a caller must hand down.
    pub aliases: Vec<EcoString>,
}

/// Reads the interface of a module.
pub fn of(module: &Module, sources: &Sources) -> Interface {
    let inputs = module.variables.values().map(|decl| Input {
        name: decl.name.name.clone(),
        shape: decl.typed.then(|| decl.shape.clone()),
        default: decl.default.as_ref().map(|expr| Default {
            value: crate::commands::configuration::constant(expr),
            written: sources.text(expr.span).into(),
        }),
        description: decl.description.clone(),
        sensitive: decl.sensitive,
        ephemeral: decl.ephemeral,
        nullable: decl.nullable,
        constant: decl.constant,
        deprecated: decl.deprecated.clone(),
        validations: decl.validations.iter().map(|condition| validation(condition, sources)).collect(),
    });
    let outputs = module.outputs.values().map(|decl| Output {
        name: decl.name.name.clone(),
        shape: decl.ty.as_ref().map(|constraint| constraint.shape.clone()),
        description: decl.description.clone(),
        sensitive: decl.sensitive,
        ephemeral: decl.ephemeral,
        deprecated: decl.deprecated.clone(),
    });
    // An address that is computed is shown as it is written.
    let address = |expr: &Expr| expr.as_string().cloned().unwrap_or_else(|| sources.text(expr.span).into());
    let calls = module.calls.values().filter_map(|call| {
        let version = call.version.as_ref().map(address);
        Some((call.name.name.clone(), (address(call.source.as_ref()?), version)))
    });
    Interface {
        directory: module.directory.display().to_string(),
        dialect: module.dialect,
        inputs: inputs.collect(),
        outputs: outputs.collect(),
        types: module.types.iter().map(|(name, named)| (name.clone(), named.shape.clone())).collect(),
        providers: providers(module),
        modules: calls.collect(),
    }
}

fn validation(condition: &Condition, sources: &Sources) -> Validation {
    let written = |expr: &Expr| EcoString::from(sources.text(expr.span));
    let message = match &condition.message.kind {
        ExprKind::String(text) => text.clone(),
        _ => written(&condition.message),
    };
    Validation { condition: written(&condition.condition), message }
}

/// The providers that are named, and those that are used without being named.
fn providers(module: &Module) -> BTreeMap<EcoString, Provider> {
    let mut found: BTreeMap<EcoString, Provider> = BTreeMap::new();
    for (name, requirement) in &module.required_providers {
        let aliases = requirement.configuration_aliases.iter().map(|(key, _)| eco_format!("{key}"));
        let provider = Provider {
            source: eco_format!("{}", requirement.source),
            version: requirement.version.as_ref().map(|(text, _)| text.clone()),
            aliases: aliases.collect(),
        };
        found.insert(name.clone(), provider);
    }
    let used = module.resources.values().zip(&module.resource_providers);
    let used = used.map(|(decl, config)| (&decl.provider.name, &config.source));
    let configured = module.providers.iter().map(|(key, decl)| (&key.name, &decl.config.source));
    for (name, source) in used.chain(configured) {
        found.entry(name.clone()).or_insert_with(|| Provider {
            source: eco_format!("{source}"),
            version: None,
            aliases: Vec::new(),
        });
    }
    found
}
