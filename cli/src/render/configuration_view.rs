//! What the configuration declares, as far as plan JSON tells it.
//!
//! Plain data, filled by whoever has the checked program, so that renderers need not know it. Addresses are those of
//! blocks, relative to their module.

use std::collections::BTreeMap;

use ecow::EcoString;
use plumb_model::address::{Instance, Mode};
use plumb_model::{Path, Value};

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigurationView {
    /// Provider configurations by key: `name`, `name.alias`, or `module.m:name`.
    pub providers: BTreeMap<EcoString, ProviderView>,
    /// The root module.
    pub root: ModuleView,
    /// The attributes of resources that what changes was made from.
    pub relevant: Vec<(Instance, Path)>,
}

/// A provider configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderView {
    /// Its local name.
    pub name: EcoString,
    /// `host/namespace/type`.
    pub full_name: EcoString,
    /// Its alias, if it has one.
    pub alias: Option<EcoString>,
    /// Which versions are wanted, if that is said.
    pub version_constraint: Option<EcoString>,
    /// The module that declares it, if that is not the root.
    pub module_address: Option<EcoString>,
    /// Its arguments.
    pub expressions: Expressions,
}

/// A module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModuleView {
    /// Outputs by name.
    pub outputs: BTreeMap<EcoString, OutputView>,
    /// Resource blocks: managed ones first, each kind by address.
    pub resources: Vec<ResourceView>,
    /// Module calls by name.
    pub module_calls: BTreeMap<EcoString, ModuleCallView>,
    /// Variables by name.
    pub variables: BTreeMap<EcoString, VariableView>,
}

/// An output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputView {
    /// Never shown.
    pub sensitive: bool,
    /// Its value.
    pub expression: Expression,
    /// What it waits for besides.
    pub depends_on: Vec<EcoString>,
    /// Documentation.
    pub description: Option<EcoString>,
}

/// A resource block.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceView {
    /// Its address in its module.
    pub address: EcoString,
    /// What kind of block.
    pub mode: Mode,
    /// The resource type.
    pub kind: EcoString,
    /// The name.
    pub name: EcoString,
    /// The key of its provider configuration in [`ConfigurationView::providers`].
    pub provider_config_key: EcoString,
    /// Provisioners: type and arguments.
    pub provisioners: Vec<(EcoString, Expressions)>,
    /// Its arguments and nested blocks.
    pub expressions: Expressions,
    /// The version of its schema.
    pub schema_version: i64,
    /// `count`
    pub count: Option<Expression>,
    /// `for_each`
    pub for_each: Option<Expression>,
    /// What it waits for besides.
    pub depends_on: Vec<EcoString>,
}

/// A module call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModuleCallView {
    /// Where the module comes from, as written.
    pub source: EcoString,
    /// Which versions are wanted, if that is said.
    pub version_constraint: Option<EcoString>,
    /// Its arguments.
    pub expressions: Expressions,
    /// `count`
    pub count: Option<Expression>,
    /// `for_each`
    pub for_each: Option<Expression>,
    /// What it waits for besides.
    pub depends_on: Vec<EcoString>,
    /// What is called.
    pub module: ModuleView,
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariableView {
    /// Its default, if it has one.
    pub default: Option<Value>,
    /// Documentation.
    pub description: Option<EcoString>,
    /// Never shown.
    pub sensitive: bool,
    /// Exists only while a command runs.
    pub ephemeral: bool,
}

/// Arguments and nested blocks by name.
pub type Expressions = BTreeMap<EcoString, Expression>;

/// What an argument says.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Expression {
    /// Something without references that is not constant, such as a call of a function.
    #[default]
    Opaque,
    /// A constant.
    Constant(Value),
    /// What it refers to; each reference from the most specific to the least: `file.a.path`, `file.a`.
    References(Vec<EcoString>),
    /// One nested block.
    Block(Expressions),
    /// Nested blocks in order.
    Blocks(Vec<Expressions>),
    /// Nested blocks by label.
    LabelledBlocks(BTreeMap<EcoString, Expressions>),
}
