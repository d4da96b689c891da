//! Which provider configuration a resource uses.
//!
//! A local name stands for a source ([`source`]); a configuration is found from the module outwards: what the caller
//! handed down, a `provider` block of the module, and for default configurations those of the callers. In the root
//! module a default configuration without block is one in which nothing is set.

use std::sync::Arc;

use ecow::eco_format;
use plumb_model::address::{ModulePath, ProviderConfig, ProviderSource};
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Block, Expr};

use super::settings::default_source;
use crate::program::{Declarations, Module, ModuleId, ProviderDecl, ProviderKey};

/// A `provider` block. Which configuration it is absolutely is filled in per call path.
pub(super) fn block_decl(
    key: ProviderKey,
    body: Arc<Block>,
    for_each: Option<Expr>,
    span: Span,
) -> ProviderDecl {
    let config =
        ProviderConfig { module: ModulePath::root(), source: default_source(&key.name), alias: key.alias };
    ProviderDecl { config, body: Some(body), for_each, span }
}

/// What a local name stands for in a module.
pub(crate) fn source(declarations: &Declarations, name: &str) -> ProviderSource {
    match (declarations.required_providers.get(name), declarations.dialect) {
        (Some(requirement), _) => requirement.source.clone(),
        (None, Dialect::Native) => ProviderSource::builtin(name),
        (None, Dialect::Terraform) => default_source(name),
    }
}

/// Gives each module its configurations, and each resource the one it uses.
pub(super) fn resolve_all(modules: &mut [Module], diagnostics: &mut Diagnostics) {
    for module in modules.iter_mut() {
        let declarations = module.declarations.clone();
        for (key, decl) in &declarations.provider_blocks {
            let mut decl = decl.clone();
            decl.config.module = module.path.clone();
            decl.config.source = source(&declarations, &key.name);
            module.providers.insert(key.clone(), decl);
        }
    }
    for index in 0..modules.len() {
        let declarations = modules[index].declarations.clone();
        let id = ModuleId(index as u32);
        let mut last: Option<(ProviderKey, ProviderConfig)> = None;
        let mut configs = Vec::with_capacity(declarations.resources.len());
        for decl in declarations.resources.values() {
            // Neighbours mostly use the same configuration.
            let config = match &last {
                Some((key, config)) if *key == decl.provider => config.clone(),
                _ => {
                    let span = decl.provider_span.unwrap_or(decl.span);
                    resolve(modules, id, &decl.provider, span).unwrap_or_else(|diagnostic| {
                        diagnostics.push(*diagnostic);
                        ProviderConfig {
                            module: ModulePath::root(),
                            source: source(&declarations, &decl.provider.name),
                            alias: None,
                        }
                    })
                }
            };
            last = Some((decl.provider.clone(), config.clone()));
            configs.push(config);
        }
        modules[index].resource_providers = configs;
        check_handed_down(modules, id, diagnostics);
    }
}

/// The configuration that a name in a module means.
fn resolve(
    modules: &mut [Module],
    id: ModuleId,
    key: &ProviderKey,
    span: Span,
) -> Result<ProviderConfig, Box<Diagnostic>> {
    let mut id = id;
    let mut key = key.clone();
    let mut source = source(&modules[id.0 as usize].declarations, &key.name);
    loop {
        let module = &modules[id.0 as usize];
        if let Some((parent, call)) = module.parent {
            let handed =
                modules[parent.0 as usize].calls[call as usize].providers.iter().find(|(inner, _, _)| {
                    *inner == key
                        || (key.alias.is_none()
                            && inner.alias.is_none()
                            && self::source(&module.declarations, &inner.name) == source)
                });
            if let Some((_, outer, _)) = handed {
                key = outer.clone();
                id = parent;
                source = self::source(&modules[id.0 as usize].declarations, &key.name);
                continue;
            }
        }
        let own = module.providers.get(&key).or_else(|| {
            let same = |decl: &&ProviderDecl| decl.config.source == source && decl.config.alias == key.alias;
            module.providers.values().find(same)
        });
        if let Some(decl) = own {
            return Ok(decl.config.clone());
        }
        if key.alias.is_some() {
            return Err(Box::new(undeclared(module, &key, span)));
        }
        match module.parent {
            Some((parent, _)) => id = parent,
            None => {
                let config =
                    ProviderConfig { module: ModulePath::root(), source: source.clone(), alias: None };
                let name = modules[0]
                    .required_providers
                    .iter()
                    .find(|(_, requirement)| requirement.source == source)
                    .map_or_else(|| key.name.clone(), |(name, _)| name.clone());
                let mut key = ProviderKey { name, alias: None };
                // Another source may go by that name here; the name of an implied configuration is never looked up.
                while modules[0].providers.contains_key(&key) {
                    key.name = eco_format!("{}/{}", source.namespace, key.name);
                }
                let decl = ProviderDecl { config: config.clone(), body: None, for_each: None, span };
                modules[0].providers.insert(key, decl);
                return Ok(config);
            }
        }
    }
}

fn undeclared(module: &Module, key: &ProviderKey, span: Span) -> Diagnostic {
    let aliases: Vec<String> = module.providers.keys().map(ToString::to_string).collect();
    let guess = plumb_model::diagnostic::did_you_mean(&key.to_string(), aliases.iter().map(String::as_str));
    let help = guess.unwrap_or_else(|| {
        eco_format!(
            "Add `provider \"{}\" {{ alias = \"{}\" }}`, or hand the configuration down in the `providers` of the module call.",
            key.name,
            key.alias.as_deref().unwrap_or_default()
        )
    });
    Diagnostic::error("unknown-provider-configuration", "Provider configuration not present")
        .detail(eco_format!("There is no provider configuration `{key}` in this module."))
        .at(span)
        .help(help)
}

/// Reports aliases that a module wants and its caller does not give.
fn check_handed_down(modules: &[Module], id: ModuleId, diagnostics: &mut Diagnostics) {
    let module = &modules[id.0 as usize];
    let Some((parent, call)) = module.parent else { return };
    let call = &modules[parent.0 as usize].calls[call as usize];
    let wanted =
        module.required_providers.values().flat_map(|requirement| &requirement.configuration_aliases);
    for (key, _) in wanted {
        if !call.providers.iter().any(|(inner, _, _)| inner == key) {
            diagnostics.push(
                Diagnostic::error(
                    "missing-provider-configuration",
                    "Missing required provider configuration",
                )
                .detail(eco_format!(
                    "The module wants a provider configuration `{key}`, which this call does not hand down."
                ))
                .at(call.span)
                .help(eco_format!("Add `providers = {{ {key} = … }}`.")),
            );
        }
    }
    let repeated = call.repetition.expr();
    if let (Some(repeated), Some(decl)) = (repeated, module.provider_blocks.values().next()) {
        diagnostics.push(
            Diagnostic::error(
                "module-with-provider-repeated",
                "Module is incompatible with count, for_each, and depends_on",
            )
            .detail("The module has a `provider` block of its own, so it cannot have several instances.")
            .label(repeated.span, "instances are asked for here")
            .label(decl.span, "the provider configuration in the module")
            .help("Move the `provider` block to the root module and hand it down with `providers`."),
        );
    }
}
