//! Names of things: modules, resources, instances, providers.
//!
//! An address is absolute. Its text is what users type after `-target` and read in plans, and what state is kept
//! under; [`Instance::parse`] reads what [`Instance`]'s `Display` writes.

use std::fmt;
use std::sync::Arc;

use ecow::EcoString;

/// Which of several instances.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The only one: neither `count` nor `for_each`.
    None,
    /// By `count`.
    Int(u64),
    /// By `for_each`.
    String(EcoString),
}

/// A module in the static tree: names of calls from the root. The root is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModulePath(pub Arc<Vec<EcoString>>);

/// An instance of a module: each call with its key. The root is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleInstance(pub Arc<Vec<(EcoString, Key)>>);

/// What kind of block declares a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// `resource`: created, changed and deleted.
    Managed,
    /// `data`: read.
    Data,
    /// `ephemeral`: exists while a command runs.
    Ephemeral,
    /// `action`: invoked, and leaves no object.
    Action,
}

/// A resource block within its module.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// The kind of block.
    pub mode: Mode,
    /// The resource type.
    pub kind: EcoString,
    /// The name.
    pub name: EcoString,
}

/// A resource block within the static tree of modules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigResource {
    /// The module.
    pub module: ModulePath,
    /// The block.
    pub resource: Resource,
}

/// One instance of a resource in one instance of its module.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instance {
    /// The module instance.
    pub module: ModuleInstance,
    /// The block.
    pub resource: Resource,
    /// Which instance of the block.
    pub key: Key,
}

/// What `-target`, `-exclude`, `state rm` and `moved` name: a module, a resource, or one instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Everything in a module instance, or in all instances of the last call if its key is [`Key::None`].
    Module(ModuleInstance),
    /// All instances of a resource in a module instance if the key is [`Key::None`], else one.
    Resource(Instance),
}

impl ModulePath {
    /// The root module.
    pub fn root() -> ModulePath {
        ModulePath::default()
    }

    /// The module that a call in this one leads to.
    pub fn child(&self, name: EcoString) -> ModulePath {
        ModulePath(Arc::new(self.0.iter().cloned().chain([name]).collect()))
    }

    /// Whether it is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl ModuleInstance {
    /// The root module.
    pub fn root() -> ModuleInstance {
        ModuleInstance::default()
    }

    /// The module instance that a call in this one leads to.
    pub fn child(&self, name: EcoString, key: Key) -> ModuleInstance {
        ModuleInstance(Arc::new(self.0.iter().cloned().chain([(name, key)]).collect()))
    }

    /// Whether it is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The module without the keys.
    pub fn path(&self) -> ModulePath {
        ModulePath(Arc::new(self.0.iter().map(|(name, _)| name.clone()).collect()))
    }

    /// The module instance that contains this one; the root contains itself.
    pub fn parent(&self) -> ModuleInstance {
        let steps = self.0.len().saturating_sub(1);
        ModuleInstance(Arc::new(self.0[..steps].to_vec()))
    }

    /// Whether `self` is `other` or lies within it, where a last step of `other` without key stands for all keys.
    pub fn is_within(&self, other: &ModuleInstance) -> bool {
        self.0.len() >= other.0.len()
            && self
                .0
                .iter()
                .zip(other.0.iter())
                .enumerate()
                .all(|(i, (a, b))| a.0 == b.0 && (a.1 == b.1 || i + 1 == other.0.len() && b.1 == Key::None))
    }
}

impl Resource {
    /// A `resource` block.
    pub fn managed(kind: impl Into<EcoString>, name: impl Into<EcoString>) -> Resource {
        Resource { mode: Mode::Managed, kind: kind.into(), name: name.into() }
    }

    /// A `data` block.
    pub fn data(kind: impl Into<EcoString>, name: impl Into<EcoString>) -> Resource {
        Resource { mode: Mode::Data, kind: kind.into(), name: name.into() }
    }

    /// The name of the provider that the type belongs to by its prefix: `aws` of `aws_vpc`.
    pub fn provider_prefix(&self) -> &str {
        self.kind.split('_').next().unwrap_or(&self.kind)
    }
}

impl Instance {
    /// The block in the static tree.
    pub fn config(&self) -> ConfigResource {
        ConfigResource { module: self.module.path(), resource: self.resource.clone() }
    }

    /// Reads an address: `module.m["k"].data.http.page[0]`.
    ///
    /// # Errors
    /// A sentence that says what was found and wanted.
    pub fn parse(text: &str) -> Result<Instance, AddressError> {
        match Target::parse(text)? {
            Target::Resource(instance) => Ok(instance),
            Target::Module(_) => Err(AddressError {
                text: text.into(),
                problem: "it names a module, where a resource is needed".into(),
            }),
        }
    }
}

/// Text that is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: {problem}")]
pub struct AddressError {
    /// What was written.
    pub text: EcoString,
    /// What is wrong with it.
    pub problem: EcoString,
}

impl Target {
    /// Reads the address of a module, a resource or an instance.
    ///
    /// # Errors
    /// A sentence that says what was found and wanted.
    pub fn parse(text: &str) -> Result<Target, AddressError> {
        let error = |problem: &str| AddressError { text: text.into(), problem: problem.into() };
        let steps = split(text).map_err(|problem| error(&problem))?;
        let mut steps = steps.into_iter().peekable();
        let mut module = Vec::new();
        while steps.peek().is_some_and(|(name, _)| name == "module") {
            let (_, key) = steps.next().expect("peeked");
            if key != Key::None {
                return Err(error("a key belongs behind the module's name"));
            }
            let Some((name, key)) = steps.next() else {
                return Err(error("a module's name must follow `module.`"));
            };
            module.push((name, key));
        }
        let module = ModuleInstance(Arc::new(module));
        let mode = match steps.peek().map(|(name, _)| name.as_str()) {
            None if module.is_root() => return Err(error("it is empty")),
            None => return Ok(Target::Module(module)),
            Some("data") => Mode::Data,
            Some("ephemeral") => Mode::Ephemeral,
            Some("action") => Mode::Action,
            Some(_) => Mode::Managed,
        };
        if mode != Mode::Managed || steps.peek().is_some_and(|(name, _)| name == "resource") {
            steps.next();
        }
        let (Some((kind, Key::None)), Some((name, key)), None) = (steps.next(), steps.next(), steps.next())
        else {
            return Err(error("it must end in a resource type and a name, such as `file.notes`"));
        };
        Ok(Target::Resource(Instance { module, resource: Resource { mode, kind, name }, key }))
    }

    /// Whether it names this instance, or something that contains it.
    pub fn contains(&self, instance: &Instance) -> bool {
        match self {
            Target::Module(module) => instance.module.is_within(module),
            Target::Resource(target) => {
                target.resource == instance.resource
                    && target.module == instance.module
                    && (target.key == Key::None || target.key == instance.key)
            }
        }
    }
}

/// Splits at dots outside brackets; each part is an identifier with an optional key.
fn split(text: &str) -> Result<Vec<(EcoString, Key)>, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || "\"'{}()]".contains(c)) {
            return Err(format!("a name was expected at `{rest}`"));
        }
        let (key, tail) =
            if let Some(inside) = tail.strip_prefix('[') { key(inside)? } else { (Key::None, tail) };
        steps.push((EcoString::from(name), key));
        match tail.strip_prefix('.') {
            Some(next) => rest = next,
            None if tail.is_empty() => return Ok(steps),
            None => return Err(format!("a dot was expected at `{tail}`")),
        }
    }
}

/// Reads a key and its closing bracket; gives what follows.
fn key(inside: &str) -> Result<(Key, &str), String> {
    if inside.starts_with('"') {
        let mut stream = serde_json::Deserializer::from_str(inside).into_iter::<String>();
        let Some(Ok(text)) = stream.next() else {
            return Err(format!("the key at `[{inside}` is not a quoted string"));
        };
        let tail = &inside[stream.byte_offset()..];
        let tail = tail.strip_prefix(']').ok_or_else(|| format!("`]` was expected at `{tail}`"))?;
        return Ok((Key::String(text.into()), tail));
    }
    let (digits, tail) = inside.split_once(']').ok_or_else(|| format!("`]` is missing after `[{inside}`"))?;
    let index = digits.parse().map_err(|_| {
        format!("the key `{digits}` is neither a whole number nor a string in double quotes (a shell may have removed them: put the address in single quotes)")
    })?;
    Ok((Key::Int(index), tail))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::None => Ok(()),
            Key::Int(index) => write!(f, "[{index}]"),
            Key::String(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str())),
        }
    }
}

impl fmt::Display for Mode {
    /// The block type that declares such a resource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Managed => "resource",
            Mode::Data => "data",
            Mode::Ephemeral => "ephemeral",
            Mode::Action => "action",
        })
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            write!(f, "{}module.{name}", if i == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl fmt::Display for ModuleInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, key)) in self.0.iter().enumerate() {
            write!(f, "{}module.{name}{key}", if i == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            Mode::Managed => write!(f, "{}.{}", self.kind, self.name),
            mode => write!(f, "{mode}.{}.{}", self.kind, self.name),
        }
    }
}

impl fmt::Display for ConfigResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}", self.resource)
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}{}", self.resource, self.key)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Module(module) => module.fmt(f),
            Target::Resource(instance) => instance.fmt(f),
        }
    }
}

/// The host of providers that have no host in their source.
pub const DEFAULT_HOST: &str = "registry.terraform.io";
/// The host of providers that are compiled in.
pub const BUILTIN_HOST: &str = "plumb.local";
/// The namespace of providers that are compiled in.
pub const BUILTIN_NAMESPACE: &str = "builtin";

/// Where a provider comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderSource {
    /// The registry's host.
    pub host: EcoString,
    /// Who publishes it.
    pub namespace: EcoString,
    /// Its name.
    pub kind: EcoString,
}

impl ProviderSource {
    /// A compiled-in provider. `terraform` keeps the address that Terraform gives it, so that state can be shared.
    pub fn builtin(kind: &str) -> ProviderSource {
        let (host, namespace) = match kind {
            "terraform" => ("terraform.io", "builtin"),
            _ => (BUILTIN_HOST, BUILTIN_NAMESPACE),
        };
        ProviderSource { host: host.into(), namespace: namespace.into(), kind: kind.into() }
    }

    /// Whether it is compiled in.
    pub fn is_builtin(&self) -> bool {
        self.namespace == BUILTIN_NAMESPACE && (self.host == BUILTIN_HOST || self.host == "terraform.io")
    }

    /// Reads `type`, `namespace/type` or `host/namespace/type`; what is missing is `hashicorp` and
    /// [`DEFAULT_HOST`]. Upper case is folded.
    ///
    /// # Errors
    /// A sentence that says what was found and wanted.
    pub fn parse(text: &str) -> Result<ProviderSource, AddressError> {
        let lower = text.to_lowercase();
        let parts: Vec<&str> = lower.split('/').collect();
        let valid = |part: &&str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
        };
        if !parts.iter().all(valid) {
            return Err(AddressError {
                text: text.into(),
                problem: "a provider source is `[host/][namespace/]type`, such as `hashicorp/aws`".into(),
            });
        }
        let (host, namespace, kind) = match parts[..] {
            [kind] => (DEFAULT_HOST, "hashicorp", kind),
            [namespace, kind] => (DEFAULT_HOST, namespace, kind),
            [host, namespace, kind] => (host, namespace, kind),
            _ => {
                return Err(AddressError {
                    text: text.into(),
                    problem: "a provider source has at most three parts".into(),
                });
            }
        };
        Ok(ProviderSource { host: host.into(), namespace: namespace.into(), kind: kind.into() })
    }
}

impl fmt::Display for ProviderSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.kind)
    }
}

/// A configuration of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderConfig {
    /// The module whose `provider` block it is.
    pub module: ModulePath,
    /// The provider.
    pub source: ProviderSource,
    /// The alias, if it is not the default configuration.
    pub alias: Option<EcoString>,
    /// Which instance of it, if its block has `for_each`. [`Key::None`] also names the block itself.
    pub key: Key,
}

impl fmt::Display for ProviderConfig {
    /// As state format v4 has it: `module.m.provider["host/ns/type"].alias`, and behind that the key of an instance:
    /// `["k"]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.source)?;
        self.alias.iter().try_for_each(|alias| write!(f, ".{alias}{}", self.key))
    }
}

impl ProviderConfig {
    /// The configuration in which nothing is set: that of the root module, without an alias.
    pub fn implied(source: ProviderSource) -> ProviderConfig {
        ProviderConfig { module: ModulePath::root(), source, alias: None, key: Key::None }
    }

    /// An instance of a configuration whose block has `for_each`.
    pub fn instance(&self, key: Key) -> ProviderConfig {
        ProviderConfig { key, ..self.clone() }
    }

    /// Whether both are of one block, whichever instance each is.
    pub fn same_block(&self, other: &ProviderConfig) -> bool {
        self.module == other.module && self.source == other.source && self.alias == other.alias
    }

    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// A sentence that says what was found and wanted.
    pub fn parse(text: &str) -> Result<ProviderConfig, AddressError> {
        let error = || {
            AddressError {
            text: text.into(),
            problem: "a provider configuration is `provider[\"host/namespace/type\"]`, with `.alias` behind it if it has one, and with `[\"key\"]` behind that if it is an instance of `for_each`"
                .into(),
        }
        };
        let (before, rest) = text.split_once("provider[\"").ok_or_else(error)?;
        let (source, rest) = rest.split_once("\"]").ok_or_else(error)?;
        let module = match before.strip_suffix('.') {
            None if before.is_empty() => ModulePath::root(),
            None => return Err(error()),
            Some(module) => match Target::parse(module)? {
                Target::Module(module) => module.path(),
                Target::Resource(_) => return Err(error()),
            },
        };
        let (alias, key) = match rest.strip_prefix('.') {
            None if rest.is_empty() => (None, Key::None),
            None => return Err(error()),
            Some(named) => match split(named).map_err(|_| error())?.as_slice() {
                [(alias, key)] => (Some(alias.clone()), key.clone()),
                _ => return Err(error()),
            },
        };
        Ok(ProviderConfig { module, source: ProviderSource::parse(source)?, alias, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_they_are_written() {
        for text in [
            "file.notes",
            "file.notes[0]",
            r#"file.notes["a.b\"]"]"#,
            "data.http.page",
            r#"module.a.module.b["k"].ephemeral.x.y[3]"#,
        ] {
            assert_eq!(Instance::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Target::parse("module.a[0]").unwrap().to_string(), "module.a[0]");
        for text in
            ["", "file", "file.a.b", "file.a[", "file.a[x]", "module", "file..a", "file.a]", "a.b[\"x]"]
        {
            assert!(Target::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_target_without_key_stands_for_all_instances() {
        let instance = Instance::parse(r#"module.m[1].file.a["x"]"#).unwrap();
        for (target, expected) in [
            ("module.m", true),
            ("module.m[1]", true),
            ("module.m[2]", false),
            ("module.m[1].file.a", true),
            ("file.a", false),
        ] {
            assert_eq!(Target::parse(target).unwrap().contains(&instance), expected, "{target}");
        }
    }

    #[test]
    fn provider_configurations_read_back() {
        for text in [
            r#"provider["registry.terraform.io/hashicorp/aws"]"#,
            r#"module.a.provider["h/n/t"].west"#,
            r#"provider["h/n/t"].by_region["eu.\"1\""]"#,
        ] {
            assert_eq!(ProviderConfig::parse(text).unwrap().to_string(), text);
        }
        assert!(ProviderSource::builtin("file").is_builtin());
    }
}
