//! State as Terraform's `show -json` has it: format 1.0.
//!
//! The caller lists instances and outputs in a [`StateView`]; this module nests them by module. Sensitive values are in
//! clear, as in Terraform's, and marked in `sensitive_values`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use ecow::EcoString;
use plumb_engine::plan::CheckResult;
use plumb_model::address::{Instance, Key, Mode, ModuleInstance, ProviderConfig};
use plumb_model::{Marks, Value};

use super::check_json;
use super::json::Json;

/// The version of Terraform whose formats are written.
pub const TERRAFORM_VERSION: &str = "1.11.4";
/// The version of the format of state.
pub const FORMAT_VERSION: &str = "1.0";

/// What state holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateView {
    /// The objects, in the order in which they are to be shown.
    pub instances: Vec<InstanceView>,
    /// The outputs of the root module.
    pub outputs: BTreeMap<EcoString, OutputValue>,
    /// How checks turned out when the state was written.
    pub checks: Vec<CheckResult>,
}

/// An object in state.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceView {
    /// Its address.
    pub address: Instance,
    /// The provider configuration that manages it.
    pub provider: ProviderConfig,
    /// The version of the schema that the value has.
    pub schema_version: i64,
    /// The object.
    pub value: Value,
    /// The addresses of the resources that it depends on.
    pub dependencies: Vec<EcoString>,
    /// Whether it is to be replaced.
    pub tainted: bool,
    /// Its key, if it is a former object that waits to be deleted.
    pub deposed: Option<EcoString>,
}

/// An output in state.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputValue {
    /// Its value.
    pub value: Value,
    /// Never shown to people.
    pub sensitive: bool,
}

/// Writes state as a JSON document without a line break at its end.
///
/// # Errors
/// If writing fails.
pub fn write_state_json(state: &StateView, out: &mut dyn Write) -> io::Result<()> {
    document(state, &mut Json::new(out))
}

/// Writes state as a JSON object.
pub(super) fn document(state: &StateView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        json.text("format_version", FORMAT_VERSION)?;
        if state.instances.is_empty() && state.outputs.is_empty() {
            return Ok(());
        }
        json.text("terraform_version", TERRAFORM_VERSION)?;
        json.key("values")?;
        json.object(|json| {
            if !state.outputs.is_empty() {
                json.key("outputs")?;
                json.object(|json| {
                    state.outputs.iter().try_for_each(|(name, output)| {
                        json.key(name)?;
                        output_value(output, json)
                    })
                })?;
            }
            json.key("root_module")?;
            let instances = state.instances.iter().map(|instance| (&instance.address, instance));
            tree(instances).write(json, &mut |instance, json| instance_object(instance, json))
        })?;
        check_json::checks(&state.checks, json)
    })
}

fn output_value(output: &OutputValue, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        json.plain("sensitive", output.sensitive)?;
        json.key("value")?;
        json.value(&output.value)?;
        json.ty("type", &output.value.ty())
    })
}

fn instance_object(instance: &InstanceView, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        identity(&instance.address, &instance.provider, json)?;
        json.plain("schema_version", instance.schema_version)?;
        json.key("values")?;
        json.value(&instance.value)?;
        json.key("sensitive_values")?;
        json.sensitive_parts(&instance.value)?;
        if !instance.dependencies.is_empty() {
            json.texts("depends_on", &instance.dependencies)?;
        }
        if instance.tainted {
            json.plain("tainted", true)?;
        }
        match &instance.deposed {
            Some(key) => json.text("deposed_key", key),
            None => Ok(()),
        }
    })
}

/// The members that say which instance it is, and who manages it.
pub(super) fn identity(address: &Instance, provider: &ProviderConfig, json: &mut Json<'_>) -> io::Result<()> {
    json.text("address", &address.to_string())?;
    block(address, provider, json)
}

/// As [`identity`], without the address.
pub(super) fn block(address: &Instance, provider: &ProviderConfig, json: &mut Json<'_>) -> io::Result<()> {
    json.text("mode", mode(address.resource.mode))?;
    json.text("type", &address.resource.kind)?;
    json.text("name", &address.resource.name)?;
    match &address.key {
        Key::None => {}
        Key::Int(index) => json.plain("index", index)?,
        Key::String(key) => json.text("index", key)?,
    }
    json.text("provider_name", &provider.source.to_string())
}

/// The word for a kind of block.
pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
        Mode::Action => "action",
    }
}

/// Things by the module instance that they are in.
pub(super) struct Tree<T> {
    address: ModuleInstance,
    here: Vec<T>,
    children: BTreeMap<(EcoString, Key), Tree<T>>,
}

/// Sorts things into modules; within a module their order is kept.
pub(super) fn tree<'a, T>(things: impl Iterator<Item = (&'a Instance, T)>) -> Tree<T> {
    let empty = |steps: &[(EcoString, Key)]| Tree {
        address: ModuleInstance(Arc::new(steps.to_vec())),
        here: Vec::new(),
        children: BTreeMap::new(),
    };
    let mut root = empty(&[]);
    for (address, thing) in things {
        let mut at = &mut root;
        for (i, step) in address.module.0.iter().enumerate() {
            at = at.children.entry(step.clone()).or_insert_with(|| empty(&address.module.0[..=i]));
        }
        at.here.push(thing);
    }
    root
}

impl<T> Tree<T> {
    pub(super) fn write(
        &self,
        json: &mut Json<'_>,
        each: &mut dyn FnMut(&T, &mut Json<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        json.object(|json| {
            if !self.here.is_empty() {
                json.key("resources")?;
                json.array(|json| self.here.iter().try_for_each(|thing| each(thing, json)))?;
            }
            if !self.address.is_root() {
                json.text("address", &self.address.to_string())?;
            }
            if !self.children.is_empty() {
                json.key("child_modules")?;
                json.array(|json| self.children.values().try_for_each(|child| child.write(json, each)))?;
            }
            Ok(())
        })
    }
}

/// Whether the whole value is to be marked as sensitive.
pub(super) fn is_sensitive(value: &Value) -> bool {
    value.unmark_deep().1.contains(Marks::SENSITIVE)
}
