//! Which provider configuration a resource uses.
//!
//! A local name stands for a source ([`source`]); a configuration is found from the module outwards: what the caller
//! handed down, a `provider` block of the module, and for default configurations those of the callers. In the root
//! module a default configuration without block is one in which nothing is set.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::eco_format;
use plumb_model::address::{Key, ModulePath, ProviderConfig, ProviderSource};
use plumb_model::{Diagnostic, Diagnostics, Span};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Block, Expr};

use super::settings::default_source;
use crate::program::{
    Declarations, HandedDown, Module, ModuleId, ProviderChoice, ProviderDecl, ProviderKey, ResourceDecl,
};

/// A `provider` block. Which configuration it is absolutely is filled in per call path.
pub(super) fn block_decl(
    key: ProviderKey,
    body: Arc<Block>,
    for_each: Option<Expr>,
    span: Span,
) -> ProviderDecl {
    let source = default_source(&key.name);
    let config = ProviderConfig { module: ModulePath::root(), source, alias: key.alias, key: Key::None };
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
        let mut choices = BTreeMap::new();
        for decl in declarations.resources.values() {
            // Neighbours mostly use the same configuration.
            let config = match &last {
                Some((key, config)) if *key == decl.provider && decl.provider_instance.is_none() => {
                    config.clone()
                }
                _ => {
                    let found = resolve(modules, id, decl).unwrap_or_else(|diagnostic| {
                        diagnostics.push(*diagnostic);
                        (ProviderConfig::implied(source(&declarations, &decl.provider.name)), None)
                    });
                    match found {
                        (config, None) => {
                            last = Some((decl.provider.clone(), config.clone()));
                            config
                        }
                        (config, Some(choice)) => {
                            choices.insert(configs.len() as u32, choice);
                            config
                        }
                    }
                }
            };
            configs.push(config);
        }
        modules[index].resource_providers = configs;
        modules[index].provider_choices = choices;
        check_entries(modules, id, diagnostics);
        check_handed_down(modules, id, diagnostics);
    }
}

/// The configuration that a resource of a module uses, and how its instances choose an instance of it. What is wrong with
/// the `providers` of a call on the way is said of the call, by [`check_entries`], and not once more.
fn resolve(
    modules: &mut [Module],
    id: ModuleId,
    decl: &ResourceDecl,
) -> Result<(ProviderConfig, Option<ProviderChoice>), Box<Diagnostic>> {
    let span = decl.provider_span.unwrap_or(decl.span);
    let (start, mut id) = (id, id);
    let mut key = decl.provider.clone();
    let mut choice = decl.provider_instance.clone().map(|key| ProviderChoice { key, call: None });
    let implied = |source: &ProviderSource| Ok((ProviderConfig::implied(source.clone()), None));
    let mut source = source(&modules[id.0 as usize].declarations, &key.name);
    loop {
        let module = &modules[id.0 as usize];
        if let Some((parent, call)) = module.parent {
            let handed = modules[parent.0 as usize].calls[call as usize].providers.iter().find(|entry| {
                entry.inner == key
                    || (key.alias.is_none()
                        && entry.inner.alias.is_none()
                        && self::source(&module.declarations, &entry.inner.name) == source)
            });
            if let Some(entry) = handed {
                if let Some(chosen) = &choice {
                    return match id == start {
                        true => Err(Box::new(without_instances(&key, chosen.key.span, entry.outer.span))),
                        false => implied(&source),
                    };
                }
                let chosen = entry.outer.instance.clone();
                choice = chosen.map(|key| ProviderChoice { key, call: Some((parent, call)) });
                key = entry.outer.key.clone();
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
            return match (&decl.for_each, &choice) {
                (Some(_), None) | (None, Some(_)) if id != start => implied(&source),
                // That it has no alias to choose by has been said.
                (Some(_), None) if key.alias.is_none() => implied(&source),
                (Some(for_each), None) => Err(Box::new(instance_needed(&key, span, for_each.span))),
                (None, Some(chosen)) => Err(Box::new(without_instances(&key, chosen.key.span, decl.span))),
                _ => Ok((decl.config.clone(), choice)),
            };
        }
        if key.alias.is_some() && id != start {
            return implied(&source);
        }
        if key.alias.is_some() {
            return Err(Box::new(undeclared(module, &key, span)));
        }
        match module.parent {
            Some((parent, _)) => id = parent,
            None => {
                let config = ProviderConfig::implied(source.clone());
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
                return Ok((config, None));
            }
        }
    }
}

/// Tells that a configuration is several, of which one is needed.
fn instance_needed(key: &ProviderKey, span: Span, for_each: Span) -> Diagnostic {
    Diagnostic::error("provider-instance-needed", "Which provider instance is not said")
        .detail(eco_format!(
            "The provider configuration `{key}` has `for_each`, so the key of one of its instances is needed."
        ))
        .label(span, "a key is missing here")
        .label(for_each, "each of these is an instance")
        .help(eco_format!("Write `{key}[each.key]`, or `{key}[\"…\"]` for always the same."))
}

/// Tells that a configuration is one, of which no instance can be chosen.
fn without_instances(key: &ProviderKey, chosen: Span, declared: Span) -> Diagnostic {
    Diagnostic::error("provider-without-instances", "Provider configuration has no instances")
        .detail(eco_format!(
            "The provider configuration `{key}` is a single one here, so there is nothing to choose by a key."
        ))
        .label(chosen, "chosen here")
        .label(declared, "this is a single configuration")
        .help(eco_format!("Write `{key}` alone, or give its `provider` block `for_each`."))
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

/// Reports what is wrong with the `providers` of the call of a module.
fn check_entries(modules: &[Module], id: ModuleId, diagnostics: &mut Diagnostics) {
    let module = &modules[id.0 as usize];
    let Some((parent, call)) = module.parent else { return };
    let parent = &modules[parent.0 as usize];
    let entries = &parent.calls[call as usize].providers;
    // What the caller was itself handed, or asks for.
    let handed = parent.parent.map(|(id, call)| &modules[id.0 as usize].calls[call as usize].providers);
    for (index, HandedDown { inner, outer }) in entries.iter().enumerate() {
        let (span, key) = (outer.span, &outer.key);
        if let Some(first) = entries[..index].iter().find(|entry| entry.inner == *inner) {
            diagnostics.push(handed_twice(inner, span, first.outer.span));
            continue;
        }
        let (wanted, found) = (source(module, &inner.name), source(parent, &key.name));
        if wanted != found {
            diagnostics.push(other_provider(inner, &wanted, key, &found).at(span));
            continue;
        }
        let handed = handed.and_then(|entries| entries.iter().find(|entry| entry.inner == *key));
        let asked_for = || {
            let mut requirements = parent.required_providers.values();
            requirements.any(|r| r.configuration_aliases.iter().any(|(alias, _)| alias == key))
        };
        match (handed, parent.providers.get(key), &outer.instance) {
            (Some(entry), _, Some(chosen)) => {
                diagnostics.push(without_instances(key, chosen.span, entry.outer.span));
            }
            (Some(_), _, None) => {}
            (None, Some(ProviderDecl { for_each: Some(for_each), .. }), None) => {
                diagnostics.push(instance_needed(key, span, for_each.span));
            }
            (None, Some(decl @ ProviderDecl { for_each: None, .. }), Some(chosen)) => {
                diagnostics.push(without_instances(key, chosen.span, decl.span));
            }
            (None, None, _) if key.alias.is_some() && !asked_for() => {
                diagnostics.push(undeclared(parent, key, span));
            }
            _ => {}
        }
    }
}

fn handed_twice(inner: &ProviderKey, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("duplicate-provider", "Provider configuration handed down twice")
        .detail(eco_format!("The module can have only one configuration by the name `{inner}`."))
        .label(span, "handed down again here")
        .label(first, "handed down here")
        .help("Remove one of them.")
}

fn other_provider(
    inner: &ProviderKey,
    wanted: &ProviderSource,
    outer: &ProviderKey,
    found: &ProviderSource,
) -> Diagnostic {
    Diagnostic::error("provider-type-mismatch", "Configuration of another provider")
        .detail(eco_format!("In the module, `{inner}` is a configuration of the provider {wanted}, but `{outer}` is one of {found}."))
        .help(eco_format!("Hand down a configuration of {wanted}, or mend the `source` in `required_providers` here or in the module."))
}

/// Reports aliases that a module wants and its caller does not give.
fn check_handed_down(modules: &[Module], id: ModuleId, diagnostics: &mut Diagnostics) {
    let module = &modules[id.0 as usize];
    let Some((parent, call)) = module.parent else { return };
    let call = &modules[parent.0 as usize].calls[call as usize];
    let wanted =
        module.required_providers.values().flat_map(|requirement| &requirement.configuration_aliases);
    for (key, _) in wanted {
        if !call.providers.iter().any(|entry| entry.inner == *key) {
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
