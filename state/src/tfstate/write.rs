//! Writing a state file.

use std::collections::BTreeMap;

use super::{
    TerraformState, TfStateError, VERSION,
    address::{Index, ModulePath, Parts, Quoting, write_module},
    object::Object,
};
use crate::{
    json::{JsonText, indent},
    record::{InstanceRecord, InstanceStatus, Mode, OutputRecord},
};

/// What is written as the version of the last writer where none was read. Readers want a valid version, and do nothing
/// else with it.
const TERRAFORM_VERSION: &str = "1.11.4";

/// What the instances of one `resources` entry have in common, in the order of the file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ResourceKey<'a> {
    module: String,
    mode: &'static str,
    type_name: String,
    name: String,
    /// None if each instance has its own.
    provider: Option<&'a str>,
    extra: Option<&'a str>,
}

/// Order within a resource: the instance key, then the deposed key.
type Instances<'a> = BTreeMap<(Index, Option<&'a str>), &'a InstanceRecord>;

impl TerraformState {
    /// The state file: JSON with two spaces for each level, and a line end after the last line.
    ///
    /// # Errors
    /// A record has an address that is not one.
    pub fn write(&self) -> Result<String, TfStateError> {
        let mut foreign = entries(self.foreign.as_ref());
        let mut file = Writer::new();
        file.raw("version", VERSION);
        match foreign.take("terraform_version") {
            Some(version) => file.raw("terraform_version", version.as_str()),
            None => file.text("terraform_version", TERRAFORM_VERSION),
        }
        file.raw("serial", &self.serial.to_string());
        file.text("lineage", &self.lineage);
        let mut outputs = Writer::new();
        for (name, output) in &self.outputs {
            outputs.raw(name, &write_output(output));
        }
        file.raw("outputs", &outputs.end());
        file.raw("resources", &array(self.resources()?));
        let checks = foreign.take("check_results");
        file.raw("check_results", checks.as_ref().map_or("null", JsonText::as_str));
        file.rest(foreign);
        Ok(indent(&file.end(), 0) + "\n")
    }

    fn resources(&self) -> Result<Vec<String>, TfStateError> {
        let mut resources: BTreeMap<ResourceKey<'_>, Instances<'_>> = BTreeMap::new();
        for record in &self.instances {
            let parts =
                Parts::parse(&record.address).ok_or_else(|| TfStateError::Address(record.address.clone()))?;
            let key = ResourceKey {
                module: module_path(&parts.module),
                mode: match record.mode {
                    Mode::Data => "data",
                    Mode::Managed => "managed",
                },
                type_name: parts.type_name,
                name: parts.name,
                provider: (!is_instance_provider(&record.provider)).then_some(&*record.provider),
                extra: record.resource_extra.as_ref().map(JsonText::as_str),
            };
            let place = (parts.index, record.deposed.as_deref());
            let before = resources.entry(key).or_default().insert(place, record);
            if before.is_some() {
                return Err(TfStateError::Duplicate(record.key()));
            }
        }
        Ok(resources.into_iter().map(|(key, instances)| write_resource(&key, &instances)).collect())
    }
}

fn module_path(module: &ModulePath) -> String {
    write_module(module, Quoting::Language)
}

/// Whether a provider belongs to an instance: it has a key, `provider["…"].alias["k"]`.
fn is_instance_provider(provider: &str) -> bool {
    let alias = provider.split_once("\"].").map_or("", |(_, alias)| alias);
    alias.ends_with(']')
}

fn entries(json: Option<&JsonText>) -> Object {
    json.and_then(|json| serde_json::from_str(json.as_str()).ok()).unwrap_or_default()
}

fn write_output(output: &OutputRecord) -> String {
    let mut out = Writer::new();
    out.raw("value", output.value.as_str());
    out.raw("type", output.type_json.as_str());
    out.flag("sensitive", output.sensitive);
    out.rest(entries(output.extra.as_ref()));
    out.end()
}

fn write_resource(key: &ResourceKey<'_>, instances: &Instances<'_>) -> String {
    let mut out = Writer::new();
    if !key.module.is_empty() {
        out.text("module", &key.module);
    }
    out.text("mode", key.mode);
    out.text("type", &key.type_name);
    out.text("name", &key.name);
    if let Some(provider) = key.provider {
        out.text("provider", provider);
    }
    let written = instances.iter().map(|((index, _), record)| write_instance(index, record)).collect();
    out.raw("instances", &array(written));
    if let Some(extra) = instances.values().next().and_then(|record| record.resource_extra.as_ref()) {
        out.rest(entries(Some(extra)));
    }
    out.end()
}

fn write_instance(index: &Index, record: &InstanceRecord) -> String {
    let mut out = Writer::new();
    match index {
        Index::None => {}
        Index::Number(number) => out.raw("index_key", &number.to_string()),
        Index::Text(text) => out.text("index_key", text),
    }
    if record.status == InstanceStatus::Tainted {
        out.text("status", "tainted");
    }
    if let Some(deposed) = &record.deposed {
        out.text("deposed", deposed);
    }
    if is_instance_provider(&record.provider) {
        out.text("provider", &record.provider);
    }
    out.raw("schema_version", &record.schema_version.to_string());
    out.raw(if record.flatmap { "attributes_flat" } else { "attributes" }, record.attributes.as_str());
    out.raw("sensitive_attributes", record.sensitive_paths.as_ref().map_or("[]", JsonText::as_str));
    if let Some(version) = record.identity_schema_version {
        out.raw("identity_schema_version", &version.to_string());
    }
    if let Some(identity) = &record.identity {
        out.raw("identity", identity.as_str());
    }
    if let Some(private) = &record.private {
        out.text("private", private);
    }
    if !record.dependencies.is_empty() {
        let dependencies = record.dependencies.iter().map(|address| quote(address)).collect();
        out.raw("dependencies", &array(dependencies));
    }
    out.flag("create_before_destroy", record.create_before_destroy);
    out.rest(entries(record.extra.as_ref()));
    out.end()
}

/// Text as Terraform quotes it: characters that mean something in HTML, and two that end lines, are escaped.
fn quote(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(quoted.len());
    for character in quoted.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)))
            }
            _ => out.push(character),
        }
    }
    out
}

fn array(values: Vec<String>) -> String {
    format!("[{}]", values.join(","))
}

/// A JSON object in the making.
struct Writer(String);

impl Writer {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn raw(&mut self, key: &str, json: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quote(key));
        self.0.push(':');
        self.0.push_str(json);
    }

    fn text(&mut self, key: &str, text: &str) {
        self.raw(key, &quote(text));
    }

    /// A flag is written only where it is set.
    fn flag(&mut self, key: &str, set: bool) {
        if set {
            self.raw(key, "true");
        }
    }

    fn rest(&mut self, object: Object) {
        for (key, value) in object.into_entries() {
            self.raw(&key, value.as_str());
        }
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
