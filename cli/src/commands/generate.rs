//! `plumb plan -generate-config-out`: writes configuration for what `import` blocks name and nobody has declared.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use plumb_engine::adopt;
use plumb_model::address::ProviderConfig;
use plumb_model::{Diagnostic, Diagnostics, Sources, Value};
use plumb_provider_api::ImportTarget;
use plumb_semantics::eval::{Evaluator, Phase};
use plumb_semantics::inputs::InputOption;
use plumb_semantics::program::{ImportDecl, ModuleId, NodeKind, Program};

use crate::args::PlanningArgs;
use crate::ask::Missing;
use crate::render::generated;
use crate::session::{self, Session};
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Writes the file. After that the configuration is to be read again.
///
/// # Errors
/// If it could not be written; that has been shown.
pub fn write(
    file: &Path,
    args: &PlanningArgs,
    world: &Arc<DiskWorld>,
    ui: &Ui,
) -> Result<Vec<InputOption>, Exit> {
    let refuse = |diagnostic: Diagnostic| {
        ui.diagnostics(&diagnostic.into(), &Sources::new());
        Exit::Error
    };
    if file.exists() {
        return Err(refuse(
            Diagnostic::error("generated-file-exists", "File for the configuration exists")
                .detail(format!(
                    "{} is there already, and configuration is only written to a new file.",
                    file.display()
                ))
                .help("Name another file, or move what is in this one elsewhere and delete it."),
        ));
    }
    let missing = |found: &Diagnostic| found.code == "unknown-import-target";
    let mut session = session::open_despite(
        world.clone(),
        &args.variables,
        Missing::by_flag(args.asking.input),
        ui,
        missing,
    )
    .ok_or(Exit::Error)?;
    let program = session.program.clone();
    let wanted: Vec<&ImportDecl> =
        program.root().imports.iter().filter(|decl| !is_declared(&program, decl)).collect();
    if wanted.is_empty() {
        return Ok(session.answers);
    }
    match texts(&wanted, &mut session) {
        Ok(texts) => {
            let text = format!(
                "# Look through these resources, and move them to where they belong.\n\n{}",
                texts.join("\n")
            );
            std::fs::write(file, text.as_bytes()).map_err(|error| {
                refuse(
                    Diagnostic::error("generated-file-not-written", "Configuration could not be written")
                        .detail(format!("{}: {error}.", file.display())),
                )
            })?;
            ui.remark(&format!(
                "Wrote configuration for {} to {}.",
                crate::render::value::count(texts.len(), "object"),
                file.display()
            ));
            Ok(session.answers)
        }
        Err(found) => {
            ui.diagnostics(&found, session.sources());
            Err(Exit::Error)
        }
    }
}

fn is_declared(program: &Program, decl: &ImportDecl) -> bool {
    program.resource_node(&decl.resource).is_some()
}

/// The text of each resource.
fn texts(wanted: &[&ImportDecl], session: &mut Session) -> Result<Vec<String>, Diagnostics> {
    let mut configs = Vec::new();
    for decl in wanted {
        configs.push(provider(&session.program, decl).map_err(|diagnostic| Diagnostics::from(*diagnostic))?);
    }
    let mut kinds = crate::registry::Kinds::default();
    for (decl, config) in wanted.iter().zip(&configs) {
        kinds.entry(config.source.clone()).or_default().insert(decl.resource.resource.kind.clone());
    }
    session.with_schemas(kinds).into_result()?;
    let mut evaluator = session.evaluator(Phase::Plan, SystemTime::now());
    evaluate(&mut evaluator, session);
    let requests = evaluator.imports(ModuleId::ROOT)?;
    let mut texts = Vec::new();
    for (decl, config) in wanted.iter().zip(&configs) {
        let Some(request) = requests.iter().find(|request| request.span == decl.span) else { continue };
        let resource = &request.to.resource;
        let target = match (&request.id, &request.identity) {
            (Some(Value::String(id)), _) => ImportTarget::Id(id.clone()),
            (None, Some(identity)) => ImportTarget::Identity(identity.unmark_deep().0),
            _ => continue,
        };
        let origin = match &target {
            ImportTarget::Id(id) => id.to_string(),
            ImportTarget::Identity(_) => "its identity".to_owned(),
        };
        let config = match &decl.provider {
            Some(name) => &evaluator.provider_named(config, name)?,
            None => config,
        };
        let looked = session::wait(adopt::look(
            &evaluator,
            &session.schemas,
            &*session.registry,
            config,
            &resource.kind,
            target,
        ));
        let (schema, object) = looked.map_err(|found| found.place(decl.span))?;
        let block = &schema.schema.block;
        texts.push(generated::resource(&resource.kind, &resource.name, &origin, block, &object));
    }
    Ok(texts)
}

/// The provider configuration that a resource will use which is not declared yet.
fn provider(program: &Program, decl: &ImportDecl) -> Result<ProviderConfig, Box<Diagnostic>> {
    let computed = decl.to.as_traversal().is_none_or(|traversal| {
        !traversal.steps.iter().all(|step| matches!(step, plumb_syntax::tree::TraversalStep::Attribute(_)))
    });
    if !decl.resource.module.is_root() || decl.for_each.is_some() || computed {
        return Err(Box::new(
            Diagnostic::error("unknown-import-target", "Configuration for import target does not exist")
                .detail(format!("There is no resource `{}`, and configuration is only written for single resources of the root module.", decl.resource))
                .at(decl.to.span)
                .help("Write the resource block with its `count`, `for_each` or module by hand."),
        ));
    }
    let root = program.root();
    let (name, alias) = match &decl.provider {
        Some(name) => (name.key.name.clone(), name.key.alias.clone()),
        None => (decl.resource.resource.provider_prefix().into(), None),
    };
    let source = root.provider_source(&name);
    Ok(ProviderConfig { alias, ..ProviderConfig::implied(source) })
}

/// Evaluates what ids and the configurations of providers may refer to. Resources are not known.
fn evaluate(evaluator: &mut Evaluator, session: &Session) {
    for id in session.program.order() {
        let found = match session.program.node(id).kind {
            NodeKind::Resource => match evaluator.expand_resource(id) {
                Ok(instances) => {
                    for instance in instances {
                        let ty = evaluator.schema(id).map(|schema| schema.block.implied_type());
                        evaluator
                            .set_instance(instance, Value::unknown(ty.unwrap_or(plumb_model::Type::Dynamic)));
                    }
                    Diagnostics::new()
                }
                Err(found) => found,
            },
            NodeKind::Provider => evaluator.expand_provider(id).err().unwrap_or_default(),
            NodeKind::Check => Diagnostics::new(),
            _ => evaluator.evaluate(id),
        };
        // What fails here is unknown; the plan that follows says why.
        drop(found);
    }
}
