//! `terraform` and `language` blocks.

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::tree::{Attribute, Block, Expr, ExprKind, Ident, ObjectEntry};

use super::blocks::{Shape, check_labels, check_shape, duplicate, list, text};
use super::declare::Declaring;
use super::limits;
use super::provider_name::provider_key;
use crate::check::lints::{Level, lint_named, unknown_lint};
use crate::program::{ProviderRequirement, Settings};

const TERRAFORM: Shape = Shape {
    what: "a `terraform` block",
    attributes: &["required_version", "experiments", "language"],
    blocks: &["required_providers", "backend", "cloud", "provider_meta", "encryption"],
};
const LANGUAGE: Shape = Shape {
    what: "a `language` block",
    attributes: &["edition", "required_version", "experiments"],
    blocks: &["required_providers", "compatible_with", "limits", "lints"],
};

/// Reads a settings block.
pub(super) fn read(declaring: &mut Declaring<'_>, block: &Arc<Block>) {
    let body = &block.body;
    let version = declaring.terraform_version;
    let found = &mut declaring.diagnostics;
    check_labels(block, &[], found);
    let is_language = block.kind.as_str() == "language";
    check_shape(body, if is_language { &LANGUAGE } else { &TERRAFORM }, found);
    let settings = &mut declaring.declarations.settings;
    if let Some((constraint, span)) = text(body, "required_version", found) {
        check_version(&constraint, span, version, is_language, found);
        settings.required_versions.push((constraint, span));
    }
    if let Some(attribute) = body.attribute("language")
        && attribute.value.as_keyword() != Some("TF2021")
    {
        found.push(
            Diagnostic::error("unknown-edition", "Unknown edition")
                .detail("The only edition of Terraform's language is `TF2021`, written without quotes.")
                .at(attribute.value.span)
                .help("Remove the argument: it says what goes without saying."),
        );
    }
    if let Some((edition, span)) = text(body, "edition", found) {
        if edition != "2026" {
            found.push(
                Diagnostic::error("unknown-edition", "Unknown edition")
                    .detail(eco_format!("The edition {} is not known.", plumb_syntax::quote(&edition)))
                    .at(span)
                    .help("Write `edition = \"2026\"`."),
            );
        }
        settings.edition = Some((edition, span));
    }
    for experiment in list(body, "experiments", found) {
        if let Some(name) = experiment.as_keyword() {
            found.push(
                Diagnostic::error("unknown-experiment", "Unknown experiment")
                    .detail(eco_format!(
                        "`{name}` is no experiment that can be taken part in; there are none."
                    ))
                    .at(experiment.span)
                    .help("Remove it: what was an experiment is part of the language, or was given up."),
            );
            settings.experiments.push(Ident { name: name.into(), span: experiment.span });
        }
    }
    for nested in body.blocks() {
        match nested.kind.as_str() {
            "backend" => {
                if !check_labels(nested, &["type"], found) {
                    continue;
                }
                let kind = Ident { name: nested.labels[0].text.clone(), span: nested.labels[0].span };
                if let Some((_, first)) = &settings.backend {
                    found.push(duplicate("backend", &kind.name, nested.header_span, first.header_span));
                } else {
                    settings.backend = Some((kind, nested.clone()));
                }
            }
            "lints" => lints(nested, settings, found),
            "cloud" => settings.cloud = Some(nested.clone()),
            "limits" if is_language => limits::read(settings, nested, found),
            "provider_meta" if check_labels(nested, &["provider"], found) => {
                settings.provider_meta.insert(nested.labels[0].text.clone(), nested.clone());
            }
            _ => {}
        }
    }
    for nested in body.blocks_of("required_providers") {
        for attribute in nested.body.attributes() {
            let Some(requirement) = requirement(attribute, &mut declaring.diagnostics) else { continue };
            let name = attribute.name.name.clone();
            if let Some(first) = declaring.declarations.required_providers.get(&name) {
                let again = duplicate("required provider", &name, attribute.name.span, first.span);
                declaring.diagnostics.push(again);
            } else {
                declaring.declarations.required_providers.insert(name, requirement);
            }
        }
    }
}

/// `lints { unused_local = "error" }`
fn lints(block: &Block, settings: &mut Settings, diagnostics: &mut Diagnostics) {
    check_labels(block, &[], diagnostics);
    for attribute in block.body.attributes() {
        let name = &attribute.name;
        let Some(lint) = lint_named(name.as_str()) else {
            diagnostics.push(unknown_lint(name.as_str(), name.span));
            continue;
        };
        match attribute.value.as_string().and_then(|word| Level::parse(word)) {
            Some(level) => {
                settings.lints.insert(lint.into(), (level, name.span));
            }
            None => diagnostics.push(
                Diagnostic::error("invalid-lint-level", "Invalid level of a lint")
                    .detail(eco_format!("The level of `{name}` is \"off\", \"warn\" or \"error\"."))
                    .at(attribute.value.span),
            ),
        }
    }
}

fn requirement(attribute: &Attribute, diagnostics: &mut Diagnostics) -> Option<ProviderRequirement> {
    let name = attribute.name.as_str();
    let mut requirement = ProviderRequirement {
        source: default_source(name),
        version: None,
        configuration_aliases: Vec::new(),
        span: attribute.name.span,
    };
    match &attribute.value.without_parens().kind {
        ExprKind::String(version) => requirement.version = Some((version.clone(), attribute.value.span)),
        ExprKind::Object(object) => {
            for entry in &object.entries {
                let ObjectEntry::Pair { key, value } = entry else { continue };
                let word = key.as_literal().map_or("", EcoString::as_str);
                match word {
                    "source" => requirement.source = source(value, diagnostics).unwrap_or(requirement.source),
                    "version" => {
                        requirement.version = value.as_string().map(|text| (text.clone(), value.span))
                    }
                    "configuration_aliases" => aliases(value, &mut requirement, diagnostics),
                    word => diagnostics.push(
                        Diagnostic::error("unsupported-argument", "Invalid required_providers object")
                            .detail(eco_format!("`{word}` is not expected for a required provider."))
                            .at(key.span())
                            .maybe_help(plumb_model::diagnostic::did_you_mean(
                                word,
                                ["source", "version", "configuration_aliases"],
                            )),
                    ),
                }
            }
        }
        ExprKind::Error => return None,
        _ => {
            diagnostics.push(
                Diagnostic::error("invalid-requirement", "Invalid required_providers object")
                    .detail("A required provider is an object with `source` and `version`.")
                    .at(attribute.value.span)
                    .help(eco_format!(
                        "Write `{name} = {{ source = \"namespace/{name}\", version = \"~> 1.0\" }}`."
                    )),
            );
            return None;
        }
    }
    if let Some((version, span)) = &requirement.version {
        check_constraint(version, *span, diagnostics);
    }
    Some(requirement)
}

fn aliases(value: &Expr, requirement: &mut ProviderRequirement, diagnostics: &mut Diagnostics) {
    let ExprKind::Tuple(tuple) = &value.without_parens().kind else { return };
    for element in &tuple.elements {
        if let Some(key) = provider_key(element, diagnostics) {
            requirement.configuration_aliases.push((key, element.span));
        }
    }
}

fn source(value: &Expr, diagnostics: &mut Diagnostics) -> Option<ProviderSource> {
    let text = value.as_string()?;
    if text == "terraform.io/builtin/terraform" {
        return Some(ProviderSource::builtin("terraform"));
    }
    match ProviderSource::parse(text) {
        Ok(source) => Some(source),
        Err(error) => {
            diagnostics.push(
                Diagnostic::error("invalid-provider-source", "Invalid provider source string")
                    .detail(eco_format!("{error}."))
                    .at(value.span),
            );
            None
        }
    }
}

/// Where a provider comes from that no source is written for, in Terraform's language.
pub(super) fn default_source(name: &str) -> ProviderSource {
    if name == "terraform" {
        return ProviderSource::builtin(name);
    }
    ProviderSource::parse(name).unwrap_or_else(|_| ProviderSource::builtin(name))
}

fn check_version(
    constraint: &str,
    span: Span,
    version: (u64, u64, u64),
    _is_language: bool,
    diagnostics: &mut Diagnostics,
) {
    let Some(parts) = parse_constraint(constraint) else {
        diagnostics.push(invalid_constraint(constraint, span));
        return;
    };
    if !parts.iter().all(|part| part.allows(version)) {
        let (major, minor, patch) = version;
        diagnostics.push(
            Diagnostic::error("unsupported-version", "Unsupported Terraform Core version")
                .detail(eco_format!(
                    "This module asks for version {constraint} of the language; this program speaks that of Terraform {major}.{minor}.{patch}."
                ))
                .at(span)
                .help("Change `required_version` if the module does not need more."),
        );
    }
}

fn check_constraint(constraint: &str, span: Span, diagnostics: &mut Diagnostics) {
    if parse_constraint(constraint).is_none() {
        diagnostics.push(invalid_constraint(constraint, span));
    }
}

fn invalid_constraint(constraint: &str, span: Span) -> Diagnostic {
    Diagnostic::error("invalid-version-constraint", "Invalid version constraint")
        .detail(eco_format!("{} is not a version constraint.", plumb_syntax::quote(constraint)))
        .at(span)
        .help("Write operators and versions with commas between: `>= 1.2, < 2.0` or `~> 1.4`.")
}

/// One condition of a version constraint.
struct Part {
    operator: Operator,
    numbers: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Pessimistic,
}

impl Part {
    fn allows(&self, version: (u64, u64, u64)) -> bool {
        let version = [version.0, version.1, version.2];
        let at = |i: usize| self.numbers.get(i).copied().unwrap_or(0);
        let wanted = [at(0), at(1), at(2)];
        match self.operator {
            Operator::Equal => version == wanted,
            Operator::NotEqual => version != wanted,
            Operator::Greater => version > wanted,
            Operator::GreaterOrEqual => version >= wanted,
            Operator::Less => version < wanted,
            Operator::LessOrEqual => version <= wanted,
            // All but the last number written must be the same.
            Operator::Pessimistic => {
                let fixed = self.numbers.len().saturating_sub(1).min(3);
                version >= wanted && version[..fixed] == wanted[..fixed]
            }
        }
    }
}

fn parse_constraint(text: &str) -> Option<Vec<Part>> {
    text.split(',').map(|part| parse_part(part.trim())).collect()
}

fn parse_part(text: &str) -> Option<Part> {
    const OPERATORS: [(&str, Operator); 7] = [
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("!=", Operator::NotEqual),
        ("~>", Operator::Pessimistic),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("=", Operator::Equal),
    ];
    let (operator, rest) = OPERATORS
        .iter()
        .find_map(|(symbol, operator)| text.strip_prefix(symbol).map(|rest| (*operator, rest)))
        .unwrap_or((Operator::Equal, text));
    let rest = rest.trim().trim_start_matches('v');
    let core = rest.split(['-', '+']).next()?;
    let numbers: Option<Vec<u64>> = core.split('.').map(|number| number.parse().ok()).collect();
    numbers.map(|numbers| Part { operator, numbers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_compared_number_by_number() {
        for (text, holds) in [
            (">= 1.0", true),
            ("~> 1.11", true),
            ("~> 1.10.0", false),
            ("~> 1.11.0", true),
            (">= 1.3, < 2.0.0", true),
            ("1.11.4", true),
            ("!= 1.11.4", false),
            ("> 1.12", false),
        ] {
            let parts = parse_constraint(text).unwrap();
            assert_eq!(parts.iter().all(|part| part.allows((1, 11, 4))), holds, "{text}");
        }
        assert!(parse_constraint("soon").is_none());
    }
}
