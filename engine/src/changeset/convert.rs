//! From an artifact to its saved form and back.
//!
//! Every struct is taken apart field by field, so that the compiler points here when a field is added. What is written
//! can be read: an address whose text would not read back as the same address is an error when it is written.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::Hash;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use bytes::Bytes;
use ecow::EcoString;
use plumb_model::address::{
    ConfigResource, Instance, ModuleInstance, ProviderConfig, ProviderSource, Target,
};
use plumb_model::{Marks, Path, Step, Type, Value};
use plumb_semantics::program::TriggerEvent;
use serde_json::value::RawValue;

use super::artifact::{Artifact, PlanOptions, ProviderLock};
use super::saved::{
    FORMAT, SavedArtifact, SavedCause, SavedChange, SavedCheck, SavedDataRead, SavedDrift, SavedFile,
    SavedInvocation, SavedOptions, SavedOrigin, SavedOutput, SavedPath, SavedPlan, SavedProvider, SavedState,
    SavedStep, SavedTrigger, Text,
};
use super::secret::{Concealer, Key, Place, Revealer};
use super::value::ValueError;
use crate::plan::{
    Cause, Change, CheckResult, DataRead, Drift, Invocation, Origin, OutputChange, Plan, StateBinding,
    Trigger,
};

/// What cannot be saved, or is not a saved artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConvertError {
    /// What it is about: an address, or `output.x`.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

impl ConvertError {
    fn new(place: impl Display, problem: impl Display) -> ConvertError {
        ConvertError { place: place.to_string(), problem: problem.to_string() }
    }
}

type Result<T> = std::result::Result<T, ConvertError>;

/// The kinds of [`CheckResult`].
const CHECK_KINDS: [&str; 4] = ["check", "output", "resource", "var"];

/// The saved form of an artifact.
///
/// # Errors
/// If a value or an address has no saved form.
pub(super) fn save(artifact: &Artifact, key: &Key) -> Result<SavedArtifact> {
    let Artifact { plan, sources, files, inputs, ephemeral_inputs, workspace, options, providers, engine } =
        artifact;
    let PlanOptions { refresh, replace } = options;
    let save = Save { concealer: Concealer::new(key), texts: RefCell::default() };
    let plan_saved = save.plan(plan)?;
    let inputs = inputs
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), save.input(name, value, plan).transpose()?)))
        .map(|(name, text)| Ok((name, text?)))
        .collect::<Result<_>>()?;
    let providers = providers.iter().map(|ProviderLock { source, version, digest }| {
        let source = read_back(source, ProviderSource::parse)?;
        Ok(SavedProvider { digest: digest.clone(), source, version: version.clone() })
    });
    Ok(SavedArtifact {
        engine: engine.clone(),
        ephemeral_inputs: ephemeral_inputs.iter().map(EcoString::to_string).collect(),
        files: save_files(files),
        format: FORMAT,
        inputs,
        options: SavedOptions { refresh: *refresh, replace: all(replace, address)? },
        plan: plan_saved,
        providers: providers.collect::<Result<_>>()?,
        sources: save_files(sources),
        workspace: workspace.clone(),
        key: save.concealer.used().then(|| key.id()),
    })
}

/// The artifact of a saved form, and how many concealed values of it have placeholders.
///
/// # Errors
/// If it says what no artifact says, or the key is not the one under which something is concealed.
pub(super) fn load(saved: SavedArtifact, key: Option<&Key>) -> Result<(Artifact, usize)> {
    let SavedArtifact {
        engine,
        ephemeral_inputs,
        files,
        format: _,
        inputs,
        key: _,
        options,
        plan,
        providers,
        sources,
        workspace,
    } = saved;
    let SavedOptions { refresh, replace } = options;
    let load =
        Load { revealer: Revealer::new(key), providers: RefCell::default(), blocks: RefCell::default() };
    let inputs = inputs.into_iter().map(|(name, text)| {
        let value = load.value(&text, named("input", &name))?;
        Ok((EcoString::from(name), value))
    });
    let providers = providers.into_iter().map(|SavedProvider { digest, source, version }| {
        let source = ProviderSource::parse(&source).map_err(|e| ConvertError::new("providers", e))?;
        Ok(ProviderLock { source, version, digest })
    });
    let artifact = Artifact {
        sources: load_files(sources)?,
        files: load_files(files)?,
        inputs: inputs.collect::<Result<_>>()?,
        ephemeral_inputs: ephemeral_inputs.into_iter().map(EcoString::from).collect(),
        workspace,
        options: PlanOptions { refresh, replace: all(&replace, parse_address)? },
        providers: providers.collect::<Result<_>>()?,
        engine,
        plan: load.plan(plan)?,
    };
    Ok((artifact, load.revealer.redacted()))
}

fn all<A, B>(items: &[A], f: impl Fn(&A) -> Result<B>) -> Result<Vec<B>> {
    items.iter().map(f).collect()
}

fn named<'a>(kind: &'static str, name: &'a str) -> Place<'a> {
    Place { kind, name, deposed: "" }
}

/// The place of what an action is told. One action may be invoked for many resources, and told something else each time.
fn invoked<'a>(address: &'a str, trigger: Option<&'a SavedTrigger>) -> Place<'a> {
    Place { kind: "invocation", name: address, deposed: trigger.map_or("", |trigger| &trigger.resource) }
}

/// The place of an object. Drift, changes and data are about the same objects.
fn object<'a>(address: &'a str, deposed: Option<&'a str>) -> Place<'a> {
    Place { kind: "object", name: address, deposed: deposed.unwrap_or_default() }
}

// Addresses

/// The text of something, from which it can be read back.
fn read_back<T: Display + PartialEq, E>(
    value: &T,
    parse: impl Fn(&str) -> std::result::Result<T, E>,
) -> Result<String> {
    let text = value.to_string();
    match parse(&text) {
        Ok(read) if read == *value => Ok(text),
        _ => Err(ConvertError::new(text, "it has no text that reads back as the same address")),
    }
}

fn address(instance: &Instance) -> Result<String> {
    read_back(instance, Instance::parse)
}

fn parse_address(text: &String) -> Result<Instance> {
    Instance::parse(text).map_err(|e| ConvertError::new(text, e))
}

fn parse_block(text: &str) -> Result<ConfigResource> {
    Instance::parse(text).map(|instance| instance.config()).map_err(|e| ConvertError::new(text, e))
}

fn parse_module(text: &str) -> Result<ModuleInstance> {
    match text {
        "" => Ok(ModuleInstance::root()),
        text => match Target::parse(text) {
            Ok(Target::Module(module)) => Ok(module),
            _ => Err(ConvertError::new(text, "it is not the address of a module")),
        },
    }
}

// Paths and files

fn save_path(path: &Path) -> SavedPath {
    let step = |step: &Step| match step {
        Step::Attribute(name) => SavedStep::Attribute(name.to_string()),
        Step::Key(key) => SavedStep::Key(key.to_string()),
        Step::Index(index) => SavedStep::Index(*index),
        Step::Any => SavedStep::Any,
    };
    path.0.iter().map(step).collect()
}

fn load_path(path: SavedPath) -> Path {
    let step = |step| match step {
        SavedStep::Attribute(name) => Step::Attribute(name.into()),
        SavedStep::Key(key) => Step::Key(key.into()),
        SavedStep::Index(index) => Step::Index(index),
        SavedStep::Any => Step::Any,
    };
    Path(path.into_iter().map(step).collect())
}

fn save_files(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, SavedFile> {
    let content = |bytes: &Vec<u8>| match std::str::from_utf8(bytes) {
        Ok(text) => SavedFile::Text(text.to_owned()),
        Err(_) => SavedFile::Base64(BASE64.encode(bytes)),
    };
    files.iter().map(|(path, bytes)| (path.clone(), content(bytes))).collect()
}

fn load_files(files: BTreeMap<String, SavedFile>) -> Result<BTreeMap<String, Vec<u8>>> {
    let content = |path: &str, file| match file {
        SavedFile::Text(text) => Ok(text.into_bytes()),
        SavedFile::Base64(text) => {
            BASE64.decode(text).map_err(|_| ConvertError::new(path, "its content is not base64"))
        }
    };
    files
        .into_iter()
        .map(|(path, file)| {
            let bytes = content(&path, file)?;
            Ok((path, bytes))
        })
        .collect()
}

fn strings(texts: &[EcoString]) -> Vec<String> {
    texts.iter().map(EcoString::to_string).collect()
}

fn texts(strings: Vec<String>) -> Vec<EcoString> {
    strings.into_iter().map(EcoString::from).collect()
}

/// Writing.
struct Save {
    concealer: Concealer,
    /// The texts of provider configurations and resource blocks, which many changes share.
    texts: RefCell<HashMap<Shared, String>>,
}

/// What many changes mention.
#[derive(PartialEq, Eq, Hash)]
enum Shared {
    Provider(ProviderConfig),
    Block(ConfigResource),
}

impl Save {
    fn value(&self, value: &Value, place: Place) -> Result<Text> {
        let error = |e: ValueError| ConvertError::new(place.name, e);
        let text = self.concealer.write(value, place).map_err(error)?;
        Ok(RawValue::from_string(text).expect("values are written as JSON"))
    }

    fn private(&self, bytes: &Bytes, place: Place) -> Option<String> {
        let place = Place { kind: "private", ..place };
        (!bytes.is_empty()).then(|| self.concealer.write_bytes(bytes, place))
    }

    fn shared(&self, shared: Shared) -> Result<String> {
        if let Some(text) = self.texts.borrow().get(&shared) {
            return Ok(text.clone());
        }
        let text = match &shared {
            Shared::Provider(provider) => read_back(provider, ProviderConfig::parse)?,
            Shared::Block(block) => read_back(block, parse_block)?,
        };
        self.texts.borrow_mut().insert(shared, text.clone());
        Ok(text)
    }

    fn provider(&self, provider: &ProviderConfig) -> Result<String> {
        self.shared(Shared::Provider(provider.clone()))
    }

    fn blocks(&self, blocks: &[ConfigResource]) -> Result<Vec<String>> {
        all(blocks, |block| self.shared(Shared::Block(block.clone())))
    }

    /// An input, unless it is ephemeral; as sensitive as the variable.
    fn input(&self, name: &EcoString, value: &Value, plan: &Plan) -> Result<Option<Text>> {
        let marks = plan.variables.get(name).map_or(Marks::NONE, Value::marks) | value.marks();
        if marks.contains(Marks::EPHEMERAL) {
            return Ok(None);
        }
        self.value(&value.clone().with_marks(marks), named("input", name)).map(Some)
    }

    fn plan(&self, plan: &Plan) -> Result<SavedPlan> {
        let Plan {
            purpose,
            changes,
            drift,
            invocations,
            data,
            outputs,
            checks,
            variables,
            targets,
            excludes,
            modules,
            layouts,
            state,
            timestamp,
            errored,
        } = plan;
        let StateBinding { lineage, serial, digest, records } = state;
        let outputs = outputs.iter().map(|(name, output)| Ok((name.to_string(), self.output(name, output)?)));
        let variables = variables
            .iter()
            .map(|(name, value)| Ok((name.to_string(), self.value(value, named("variable", name))?)));
        Ok(SavedPlan {
            changes: all(changes, |change| self.change(change))?,
            checks: all(checks, save_check)?,
            data: all(data, |data| self.data(data))?,
            drift: all(drift, |drift| self.drift(drift))?,
            errored: *errored,
            excludes: strings(excludes),
            invocations: all(invocations, |invocation| self.invocation(invocation))?,
            layouts: layouts.clone(),
            modules: all(modules, |module| read_back(module, parse_module))?,
            outputs: outputs.collect::<Result<_>>()?,
            purpose: (*purpose).into(),
            state: SavedState {
                digest: digest.clone(),
                lineage: lineage.clone(),
                records: records.clone(),
                serial: *serial,
            },
            targets: strings(targets),
            timestamp: timestamp.clone(),
            variables: variables.collect::<Result<_>>()?,
        })
    }

    fn change(&self, change: &Change) -> Result<SavedChange> {
        let Change {
            address: instance,
            previous_address,
            deposed,
            provider,
            action,
            reason,
            before,
            after,
            replace_paths,
            causes,
            importing,
            create_before_destroy,
            dependencies,
            prior_dependencies,
            prior_private,
            planned_private,
            schema_version,
            identity,
        } = change;
        let text = address(instance)?;
        let place = object(&text, deposed.as_deref());
        let identity_place = Place { kind: "identity", ..place };
        Ok(SavedChange {
            action: (*action).into(),
            after: self.value(after, place)?,
            before: self.value(before, place)?,
            causes: causes.iter().map(save_cause).collect(),
            create_before_destroy: *create_before_destroy,
            dependencies: self.blocks(dependencies)?,
            deposed: deposed.as_ref().map(EcoString::to_string),
            identity: identity.as_ref().map(|value| self.value(value, identity_place)).transpose()?,
            importing: importing.as_ref().map(EcoString::to_string),
            planned_private: self.private(planned_private, place),
            previous_address: previous_address.as_ref().map(address).transpose()?,
            prior_dependencies: self.blocks(prior_dependencies)?,
            prior_private: self.private(prior_private, place),
            provider: self.provider(provider)?,
            reason: reason.map(Into::into),
            replace_paths: replace_paths.iter().map(save_path).collect(),
            schema_version: *schema_version,
            address: text,
        })
    }

    fn drift(&self, drift: &Drift) -> Result<SavedDrift> {
        let Drift { address: instance, deposed, provider, before, after, paths, relevant } = drift;
        let text = address(instance)?;
        let place = object(&text, deposed.as_deref());
        Ok(SavedDrift {
            after: self.value(after, place)?,
            before: self.value(before, place)?,
            deposed: deposed.as_ref().map(EcoString::to_string),
            paths: paths.iter().map(save_path).collect(),
            provider: self.provider(provider)?,
            relevant: *relevant,
            address: text,
        })
    }

    fn data(&self, data: &DataRead) -> Result<SavedDataRead> {
        let DataRead { address: instance, provider, value, schema_version } = data;
        let text = address(instance)?;
        Ok(SavedDataRead {
            provider: self.provider(provider)?,
            schema_version: *schema_version,
            value: self.value(value, object(&text, None))?,
            address: text,
        })
    }

    fn invocation(&self, invocation: &Invocation) -> Result<SavedInvocation> {
        let Invocation { address: instance, provider, config, trigger } = invocation;
        let text = address(instance)?;
        let saved = match trigger {
            Trigger::Request => None,
            Trigger::Lifecycle { resource, event, block, index } => Some(SavedTrigger {
                block: *block,
                event: event.word().to_owned(),
                index: *index,
                resource: address(resource)?,
            }),
        };
        Ok(SavedInvocation {
            provider: self.provider(provider)?,
            config: self.value(config, invoked(&text, saved.as_ref()))?,
            trigger: saved,
            address: text,
        })
    }

    fn output(&self, name: &str, output: &OutputChange) -> Result<SavedOutput> {
        let OutputChange { before, after, sensitive, ty } = output;
        let marks = if *sensitive { Marks::SENSITIVE } else { Marks::NONE };
        let value = |value: &Option<Value>| {
            let value = value.as_ref().map(|value| value.clone().with_marks(marks));
            value.map(|value| self.value(&value, named("output", name))).transpose()
        };
        Ok(SavedOutput {
            after: value(after)?,
            before: value(before)?,
            sensitive: *sensitive,
            ty: self.value(&Value::Null(ty.clone()), named("output", name))?,
        })
    }
}

fn save_cause(cause: &Cause) -> SavedCause {
    let Cause { path, origin } = cause;
    let origin = match origin {
        Origin::Configuration { file, line } => {
            SavedOrigin::Configuration { file: file.to_string(), line: *line }
        }
        Origin::Drift => SavedOrigin::Drift,
        Origin::Reference { addresses } => SavedOrigin::Reference(strings(addresses)),
        Origin::Provider => SavedOrigin::Provider,
    };
    SavedCause { origin, path: save_path(path) }
}

fn save_check(check: &CheckResult) -> Result<SavedCheck> {
    let CheckResult { kind, config_address, address, status, messages } = check;
    check_kind(kind, address)?;
    Ok(SavedCheck {
        address: address.to_string(),
        config_address: config_address.to_string(),
        kind: (*kind).to_owned(),
        messages: strings(messages),
        status: (*status).into(),
    })
}

/// The kind of a check by its name.
fn check_kind(kind: &str, address: &str) -> Result<&'static str> {
    let known = CHECK_KINDS.into_iter().find(|known| *known == kind);
    known.ok_or_else(|| ConvertError::new(address, format_args!("nothing of kind `{kind}` has checks")))
}

/// Reading.
struct Load {
    revealer: Revealer,
    /// What many changes mention, by text, so that it is read and kept once.
    providers: RefCell<HashMap<String, ProviderConfig>>,
    blocks: RefCell<HashMap<String, ConfigResource>>,
}

/// What a text stands for, read once.
fn cached<T: Clone>(
    cache: &RefCell<HashMap<String, T>>,
    text: String,
    parse: impl Fn(&str) -> Result<T>,
) -> Result<T> {
    if let Some(known) = cache.borrow().get(&text) {
        return Ok(known.clone());
    }
    let parsed = parse(&text)?;
    cache.borrow_mut().insert(text, parsed.clone());
    Ok(parsed)
}

impl Load {
    fn value(&self, text: &RawValue, place: Place) -> Result<Value> {
        self.revealer.read(text.get(), place).map_err(|e| ConvertError::new(place.name, e))
    }

    fn private(&self, text: Option<String>, place: Place) -> Result<Bytes> {
        let Some(text) = text else { return Ok(Bytes::new()) };
        let place = Place { kind: "private", ..place };
        let bytes = self.revealer.read_bytes(&text, place).map_err(|e| ConvertError::new(place.name, e))?;
        Ok(bytes.into())
    }

    fn provider(&self, text: String) -> Result<ProviderConfig> {
        cached(&self.providers, text, |text| {
            ProviderConfig::parse(text).map_err(|e| ConvertError::new(text, e))
        })
    }

    fn blocks(&self, blocks: Vec<String>) -> Result<Vec<ConfigResource>> {
        blocks.into_iter().map(|text| cached(&self.blocks, text, parse_block)).collect()
    }

    fn plan(&self, plan: SavedPlan) -> Result<Plan> {
        let SavedPlan {
            changes,
            checks,
            data,
            drift,
            errored,
            excludes,
            invocations,
            layouts,
            modules,
            outputs,
            purpose,
            state,
            targets,
            timestamp,
            variables,
        } = plan;
        let SavedState { digest, lineage, records, serial } = state;
        let outputs = outputs.into_iter().map(|(name, output)| {
            let output = self.output(&name, output)?;
            Ok((name.into(), output))
        });
        let variables = variables.into_iter().map(|(name, text)| {
            let value = self.value(&text, named("variable", &name))?;
            Ok((name.into(), value))
        });
        Ok(Plan {
            purpose: purpose.into(),
            changes: changes.into_iter().map(|change| self.change(change)).collect::<Result<_>>()?,
            drift: drift.into_iter().map(|drift| self.drift(drift)).collect::<Result<_>>()?,
            data: data.into_iter().map(|data| self.data(data)).collect::<Result<_>>()?,
            invocations: invocations.into_iter().map(|i| self.invocation(i)).collect::<Result<_>>()?,
            outputs: outputs.collect::<Result<_>>()?,
            checks: checks.into_iter().map(load_check).collect::<Result<_>>()?,
            variables: variables.collect::<Result<_>>()?,
            targets: texts(targets),
            excludes: texts(excludes),
            modules: all(&modules, |text| parse_module(text))?,
            layouts,
            state: StateBinding { lineage, serial, digest, records },
            timestamp,
            errored,
        })
    }

    fn change(&self, change: SavedChange) -> Result<Change> {
        let SavedChange {
            action,
            address: text,
            after,
            before,
            causes,
            create_before_destroy,
            dependencies,
            deposed,
            identity,
            importing,
            planned_private,
            previous_address,
            prior_dependencies,
            prior_private,
            provider,
            reason,
            replace_paths,
            schema_version,
        } = change;
        let place = object(&text, deposed.as_deref());
        let identity_place = Place { kind: "identity", ..place };
        Ok(Change {
            address: parse_address(&text)?,
            previous_address: previous_address.as_ref().map(parse_address).transpose()?,
            provider: self.provider(provider)?,
            action: action.into(),
            reason: reason.map(Into::into),
            before: self.value(&before, place)?,
            after: self.value(&after, place)?,
            replace_paths: replace_paths.into_iter().map(load_path).collect(),
            causes: causes.into_iter().map(load_cause).collect(),
            importing: importing.map(Into::into),
            create_before_destroy,
            dependencies: self.blocks(dependencies)?,
            prior_dependencies: self.blocks(prior_dependencies)?,
            prior_private: self.private(prior_private, place)?,
            planned_private: self.private(planned_private, place)?,
            schema_version,
            identity: identity.map(|text| self.value(&text, identity_place)).transpose()?,
            deposed: deposed.map(Into::into),
        })
    }

    fn drift(&self, drift: SavedDrift) -> Result<Drift> {
        let SavedDrift { address: text, after, before, deposed, paths, provider, relevant } = drift;
        let place = object(&text, deposed.as_deref());
        Ok(Drift {
            address: parse_address(&text)?,
            provider: self.provider(provider)?,
            before: self.value(&before, place)?,
            after: self.value(&after, place)?,
            paths: paths.into_iter().map(load_path).collect(),
            relevant,
            deposed: deposed.map(Into::into),
        })
    }

    fn data(&self, data: SavedDataRead) -> Result<DataRead> {
        let SavedDataRead { address: text, provider, schema_version, value } = data;
        Ok(DataRead {
            address: parse_address(&text)?,
            provider: self.provider(provider)?,
            value: self.value(&value, object(&text, None))?,
            schema_version,
        })
    }

    fn invocation(&self, invocation: SavedInvocation) -> Result<Invocation> {
        let SavedInvocation { address: text, config, provider, trigger } = invocation;
        let config = self.value(&config, invoked(&text, trigger.as_ref()))?;
        let trigger = match trigger {
            None => Trigger::Request,
            Some(SavedTrigger { block, event, index, resource }) => Trigger::Lifecycle {
                event: TriggerEvent::of_word(&event)
                    .ok_or_else(|| ConvertError::new(&text, format!("there is no event `{event}`")))?,
                resource: parse_address(&resource)?,
                block,
                index,
            },
        };
        Ok(Invocation { address: parse_address(&text)?, provider: self.provider(provider)?, config, trigger })
    }

    fn output(&self, name: &str, output: SavedOutput) -> Result<OutputChange> {
        let SavedOutput { after, before, sensitive, ty } = output;
        let value =
            |text: Option<Text>| text.map(|text| self.value(&text, named("output", name))).transpose();
        let ty: Type = match self.value(&ty, named("output", name))? {
            Value::Null(ty) => ty,
            _ => return Err(ConvertError::new(name, "its type is not that of a null")),
        };
        Ok(OutputChange { before: value(before)?, after: value(after)?, sensitive, ty })
    }
}

fn load_cause(cause: SavedCause) -> Cause {
    let SavedCause { origin, path } = cause;
    let origin = match origin {
        SavedOrigin::Configuration { file, line } => Origin::Configuration { file: file.into(), line },
        SavedOrigin::Drift => Origin::Drift,
        SavedOrigin::Reference(addresses) => Origin::Reference { addresses: texts(addresses) },
        SavedOrigin::Provider => Origin::Provider,
    };
    Cause { path: load_path(path), origin }
}

fn load_check(check: SavedCheck) -> Result<CheckResult> {
    let SavedCheck { address, config_address, kind, messages, status } = check;
    Ok(CheckResult {
        kind: check_kind(&kind, &address)?,
        config_address: config_address.into(),
        address: address.into(),
        status: status.into(),
        messages: texts(messages),
    })
}
