//! A program: every module of a configuration with what it declares, and what depends on what.
//!
//! A [`Module`] exists per *call path* in the static tree; modules that are called twice share their
//! [`Declarations`], so loading costs what the texts cost. Everything that is evaluated separately is a [`Node`] with
//! a dense [`NodeId`]: per module of the static tree, not per instance. [`Program::dependencies`] tells which nodes
//! must have been evaluated before a node; it is found statically, from references and `depends_on`.
//!
//! Always true: ids index what this program holds; the nodes of a module are consecutive.
//!
//! Elsewhere: making a program is [`crate::load`]; finding what is wrong with it is [`crate::check`]; values are
//! [`crate::eval`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::address::{ConfigResource, ModulePath, ProviderConfig, ProviderSource, Resource, Target};
use plumb_model::convert::convert;
use plumb_model::{Diagnostic, Diagnostics, SourceId, Sources, Span, Type, Value, defaults};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Block, Expr, Ident};

use plumb_model::defaults::Defaults;

use crate::graph::ResourceName;
use crate::load::ModuleRequest;
use crate::reference::Subject;
use crate::types::hold::{Place, diagnostics as misfits, hold};
use crate::types::{Constraint, NamedTypes, Shape};

/// Names a module within [`Program::modules`]. The root is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

impl ModuleId {
    /// The root module.
    pub const ROOT: ModuleId = ModuleId(0);
}

/// Names a node; dense, from 0 to [`Program::node_count`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// What is evaluated separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// The module that it belongs to.
    pub module: ModuleId,
    /// What it is.
    pub kind: NodeKind,
    /// Which of that kind: an index into the module's map of them.
    pub index: u32,
}

/// Kinds of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// An input variable ([`Declarations::variables`]).
    Variable,
    /// A local value ([`Declarations::locals`]).
    Local,
    /// An output ([`Declarations::outputs`]).
    Output,
    /// A resource block of any mode ([`Declarations::resources`]).
    Resource,
    /// The expansion of a module call ([`Declarations::calls`]): which instances there are.
    Call,
    /// A provider configuration ([`Module::providers`]).
    Provider,
    /// A check block ([`Declarations::checks`]).
    Check,
    /// Everything in the module that a call leads to is done; what `depends_on = [module.m]` waits for. The index is
    /// that of the call. Evaluating it does nothing.
    CallEnd,
}

/// A reason why one node comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What must come first.
    pub to: NodeId,
    /// The place of the reference.
    pub span: Span,
    /// The reference as it is written: `local.a`; or why there is a dependency without one.
    pub what: EcoString,
}

/// Every module of a configuration.
#[derive(Debug)]
pub struct Program {
    /// The texts.
    pub sources: Arc<Sources>,
    /// The modules by [`ModuleId`]; a module comes after the one that calls it.
    pub modules: Vec<Module>,
    pub(crate) nodes: Vec<Node>,
    /// The dependencies of node `i` are those from `dependency_starts[i]` to the next one.
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) dependency_starts: Vec<u32>,
}

/// A module at one call path.
#[derive(Debug)]
pub struct Module {
    /// Where it is in the static tree.
    pub path: ModulePath,
    /// The directory, as the user would name it: relative to the working directory if the root was.
    pub directory: PathBuf,
    /// The directory that it was read from. It differs from `directory` where installed modules have the same files.
    pub read_from: PathBuf,
    /// What was called; none for the root module.
    pub origin: Option<ModuleOrigin>,
    /// The module that calls this one and the index of the call.
    pub parent: Option<(ModuleId, u32)>,
    /// The module that each call leads to, by the index of the call; none if it could not be loaded.
    pub children: Vec<Option<ModuleId>>,
    /// What it declares; shared by all modules of that directory.
    pub declarations: Arc<Declarations>,
    /// The provider configurations that belong to this module, by name and alias: those that have a block, and in the
    /// root module also those that something uses without one.
    pub providers: IndexMap<ProviderKey, ProviderDecl>,
    /// The configuration that each resource uses, by the index of the resource. Where that has `for_each`, it is the
    /// block, of which [`Module::provider_choices`] says which instance is meant.
    pub resource_providers: Vec<ProviderConfig>,
    /// How each instance of a resource finds its instance of the provider configuration, by the index of the resource,
    /// for those that have to choose.
    pub provider_choices: BTreeMap<u32, ProviderChoice>,
    /// The first node of each kind.
    pub(crate) first_nodes: FirstNodes,
}

/// Where a called module came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleOrigin {
    /// The address, as it was written or computed.
    pub source: EcoString,
    /// The version constraint, if there is one.
    pub constraint: Option<EcoString>,
    /// The exact version, if it has one.
    pub version: Option<EcoString>,
    /// The directory that modules called from it by relative paths may not leave; none for what is not installed but
    /// simply there. A path as [`Module::read_from`].
    pub package: Option<PathBuf>,
}

impl Module {
    /// Whether somebody else's package was fetched for it: what could be nicer in it is not for its user to mend.
    pub fn is_fetched(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.package.is_some())
    }
}

impl std::ops::Deref for Module {
    type Target = Declarations;

    fn deref(&self) -> &Declarations {
        &self.declarations
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstNodes {
    pub variables: u32,
    pub locals: u32,
    pub outputs: u32,
    pub resources: u32,
    pub calls: u32,
    pub providers: u32,
    pub checks: u32,
    pub call_ends: u32,
}

/// The local name of a provider and an alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderKey {
    /// The local name.
    pub name: EcoString,
    /// The alias, if it is not the default configuration.
    pub alias: Option<EcoString>,
}

impl std::fmt::Display for ProviderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        self.alias.iter().try_for_each(|alias| write!(f, ".{alias}"))
    }
}

/// What the files of a directory declare.
#[derive(Debug)]
pub struct Declarations {
    /// Which language the files are in.
    pub dialect: Dialect,
    /// The files, in the order in which they were read.
    pub files: Vec<SourceId>,
    /// `variable` blocks by name.
    pub variables: IndexMap<EcoString, VariableDecl>,
    /// Entries of `locals` blocks by name.
    pub locals: IndexMap<EcoString, LocalDecl>,
    /// `output` blocks by name.
    pub outputs: IndexMap<EcoString, OutputDecl>,
    /// `resource`, `data` and `ephemeral` blocks, also those within `check` blocks.
    pub resources: IndexMap<Resource, ResourceDecl>,
    /// `module` blocks by name.
    pub calls: IndexMap<EcoString, CallDecl>,
    /// `provider` blocks.
    pub provider_blocks: IndexMap<ProviderKey, ProviderDecl>,
    /// Where providers come from, by local name; only those that a `required_providers` block names.
    pub required_providers: IndexMap<EcoString, ProviderRequirement>,
    /// `check` blocks by name.
    pub checks: IndexMap<EcoString, CheckDecl>,
    /// `moved` blocks.
    pub moved: Vec<MovedDecl>,
    /// `removed` blocks.
    pub removed: Vec<RemovedDecl>,
    /// `import` blocks.
    pub imports: Vec<ImportDecl>,
    /// What `terraform` and `language` blocks say.
    pub settings: Settings,
    /// Entries of `types` blocks by name.
    pub types: NamedTypes,
    /// `function` blocks by name; none calls itself.
    pub functions: IndexMap<EcoString, Arc<FunctionDecl>>,
    /// `import` blocks that name a library, by that name.
    pub libraries: IndexMap<EcoString, LibraryDecl>,
}

/// A `function` block.
#[derive(Debug)]
pub struct FunctionDecl {
    /// The name.
    pub name: Ident,
    /// The place of the block's header.
    pub span: Span,
    /// What it takes, in the order in which arguments are given; those with defaults last.
    pub parameters: IndexMap<EcoString, ParameterDecl>,
    /// Its local values, each behind those that it mentions.
    pub locals: IndexMap<EcoString, LocalDecl>,
    /// The type of what it gives, if one is written.
    pub result: Option<Constraint>,
    /// What it gives.
    pub value: Expr,
    /// What it is for.
    pub description: EcoString,
    /// Why not to call it any more.
    pub deprecated: Option<EcoString>,
    /// How deep its expressions are nested, with those of the functions that it calls.
    pub(crate) depth: usize,
}

/// A `parameter` block of a function.
#[derive(Debug)]
pub struct ParameterDecl {
    /// The name.
    pub name: Ident,
    /// The type that arguments are held against.
    pub constraint: Constraint,
    /// The value where no argument is given.
    pub default: Option<Value>,
    /// What it is for.
    pub description: EcoString,
}

/// An `import` block that names a library.
#[derive(Debug)]
pub struct LibraryDecl {
    /// The name by which what is in it is mentioned: `name::Type`.
    pub name: Ident,
    /// The place of the block's header.
    pub span: Span,
    /// Where the library is, as written.
    pub source: Option<(EcoString, Span)>,
    /// The library; none if it could not be read.
    pub library: Option<Arc<Library>>,
}

/// A directory of types, functions and constants. Names that begin with an underscore are for itself alone.
#[derive(Debug)]
pub struct Library {
    /// The directory, as the user would name it.
    pub directory: PathBuf,
    /// What it declares: types, functions, libraries, and locals, which are its constants.
    pub declarations: Arc<Declarations>,
    /// The values of its constants; those that have none are absent.
    pub constants: IndexMap<EcoString, Value>,
    /// The digest of its files, as `hash` pins it.
    pub digest: EcoString,
}

impl Module {
    /// Where the provider comes from that a local name stands for.
    pub fn provider_source(&self, name: &str) -> ProviderSource {
        crate::load::providers::source(&self.declarations, name)
    }
}

/// A `variable` block.
#[derive(Debug)]
pub struct VariableDecl {
    /// The name.
    pub name: Ident,
    /// The place of the block's header.
    pub span: Span,
    /// The type that values are converted to, without marks of optional attributes; [`Type::Dynamic`] for any.
    pub ty: Type,
    /// The constraint as it was written, with marks of optional attributes.
    pub constraint: Type,
    /// Whether a type was written.
    pub typed: bool,
    /// All that was written of the type; `any` where none was.
    pub shape: Shape,
    /// Whether values are held against `shape`, not only converted to `constraint`: so in the native language.
    pub exact: bool,
    /// What stands in for absent optional attributes.
    pub defaults: Option<Arc<Defaults>>,
    /// The value where none is given; the expression is constant.
    pub default: Option<Expr>,
    /// What it is for.
    pub description: EcoString,
    /// Never shown.
    pub sensitive: bool,
    /// Exists only while a command runs.
    pub ephemeral: bool,
    /// Whether null is a value; else null stands for the default.
    pub nullable: bool,
    /// Whether the value must be known without evaluating anything.
    pub constant: bool,
    /// Why not to use it any more.
    pub deprecated: Option<EcoString>,
    /// `validation` blocks.
    pub validations: Vec<Condition>,
}

impl VariableDecl {
    /// A value that was given, or the default, as one of the variable's type.
    ///
    /// # Errors
    /// In what it is none; the primary places are in what the value comes from.
    pub(crate) fn typed(&self, value: Value, from: Place<'_>) -> Result<Value, Vec<Diagnostic>> {
        let place = from.span();
        let value = match (self.exact, &self.defaults) {
            (true, _) => hold(&value, &self.shape).map_err(|found| misfits(found, &self.name.name, from))?,
            (false, stand_ins) => {
                let value = stand_ins.as_ref().map_or_else(|| value.clone(), |d| defaults::apply(&value, d));
                convert(&value, &self.constraint).map_err(|error| {
                    let detail = eco_format!(
                        "The value given for `{}` is not of its type {}: {error}.",
                        self.name,
                        self.constraint
                    );
                    let diagnostic =
                        Diagnostic::error("invalid-variable-value", "Invalid value for input variable");
                    vec![diagnostic.detail(detail).at(place)]
                })?
            }
        };
        if value.is_null() && !self.nullable {
            return Err(vec![
                Diagnostic::error("null-variable", "Required variable not set")
                    .detail(eco_format!(
                        "The variable `{}` is not nullable, but its value is null.",
                        self.name
                    ))
                    .at(place)
                    .help("Give a value, or remove `nullable = false`."),
            ]);
        }
        Ok(value)
    }
}

/// An entry of a `locals` block.
#[derive(Debug)]
pub struct LocalDecl {
    /// The name.
    pub name: Ident,
    /// The value.
    pub value: Expr,
    /// The place of the entry.
    pub span: Span,
}

/// An `output` block.
#[derive(Debug)]
pub struct OutputDecl {
    /// The name.
    pub name: Ident,
    /// The place of the block's header.
    pub span: Span,
    /// The value.
    pub value: Expr,
    /// The type of the value, if one is written.
    pub ty: Option<Constraint>,
    /// What it is for.
    pub description: EcoString,
    /// Never shown.
    pub sensitive: bool,
    /// Exists only while a command runs.
    pub ephemeral: bool,
    /// Why not to use it any more.
    pub deprecated: Option<EcoString>,
    /// Explicit dependencies.
    pub depends_on: Vec<Expr>,
    /// `precondition` blocks.
    pub preconditions: Vec<Condition>,
}

/// `condition` and `error_message`, wherever they occur.
#[derive(Debug)]
pub struct Condition {
    /// What must hold.
    pub condition: Expr,
    /// What to say where it does not.
    pub message: Expr,
    /// The place of the block's header.
    pub span: Span,
}

/// How many instances there are of a resource or module call.
#[derive(Debug, Default)]
pub struct Repetition {
    /// `count`
    pub count: Option<Expr>,
    /// `for_each`
    pub for_each: Option<Expr>,
    /// `enabled`
    pub enabled: Option<Expr>,
}

impl Repetition {
    /// The expression that says how many, whichever it is.
    pub fn expr(&self) -> Option<&Expr> {
        self.count.as_ref().or(self.for_each.as_ref()).or(self.enabled.as_ref())
    }
}

/// A `resource`, `data` or `ephemeral` block.
#[derive(Debug)]
pub struct ResourceDecl {
    /// Mode, type and name.
    pub resource: Resource,
    /// The place of the block's header.
    pub span: Span,
    /// The place of the label with the type.
    pub kind_span: Span,
    /// The provider configuration as this module calls it. Which one that is absolutely depends on the call path:
    /// [`Program::provider_of`].
    pub provider: ProviderKey,
    /// The place of the `provider` argument, if there is one.
    pub provider_span: Option<Span>,
    /// Which instance of the configuration, as it is written behind its name.
    pub provider_instance: Option<Expr>,
    /// How many instances there are.
    pub repetition: Repetition,
    /// Explicit dependencies.
    pub depends_on: Vec<Expr>,
    /// What the `lifecycle` block says.
    pub lifecycle: Lifecycle,
    /// `provisioner` blocks.
    pub provisioners: Vec<ProvisionerDecl>,
    /// The `connection` block.
    pub connection: Option<Arc<Block>>,
    /// What is the provider's: the body of the block without meta-arguments.
    pub body: Arc<Block>,
    /// The index of the check block that it is written in, if it is.
    pub check: Option<u32>,
}

/// A `lifecycle` block.
#[derive(Debug, Default)]
pub struct Lifecycle {
    /// Whether a replacement is created before the object that it replaces is destroyed.
    pub create_before_destroy: Option<bool>,
    /// Whether plans that destroy an instance are refused.
    pub prevent_destroy: bool,
    /// The place of `prevent_destroy`.
    pub prevent_destroy_span: Option<Span>,
    /// `destroy = false`: the object is forgotten instead of destroyed.
    pub destroy: Option<bool>,
    /// Which changes outside of the configuration, and of it, are left alone.
    pub ignore_changes: IgnoreChanges,
    /// What replaces the instances when it changes.
    pub replace_triggered_by: Vec<Expr>,
    /// `action_trigger` blocks.
    pub action_triggers: Vec<ActionTrigger>,
    /// `precondition` blocks.
    pub preconditions: Vec<Condition>,
    /// `postcondition` blocks.
    pub postconditions: Vec<Condition>,
}

/// An `action_trigger` block.
#[derive(Debug)]
pub struct ActionTrigger {
    /// When the actions are invoked; not empty.
    pub events: Vec<TriggerEvent>,
    /// What must hold for it.
    pub condition: Option<Expr>,
    /// References to actions, whose keys may be computed.
    pub actions: Vec<Expr>,
    /// The place of the block's header.
    pub span: Span,
}

impl ActionTrigger {
    /// Whether the actions are invoked before something happens to the resource, among others.
    pub fn is_before(&self) -> bool {
        self.events.iter().any(|event| event.is_before())
    }
}

/// When an action is invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TriggerEvent {
    /// Before an instance is created, also to replace another.
    BeforeCreate,
    /// After an instance has been created.
    AfterCreate,
    /// Before an instance is changed in place.
    BeforeUpdate,
    /// After an instance has been changed in place.
    AfterUpdate,
}

impl TriggerEvent {
    /// All events.
    pub const ALL: [TriggerEvent; 4] = [
        TriggerEvent::BeforeCreate,
        TriggerEvent::AfterCreate,
        TriggerEvent::BeforeUpdate,
        TriggerEvent::AfterUpdate,
    ];

    /// As it is written in a configuration.
    pub fn word(self) -> &'static str {
        match self {
            TriggerEvent::BeforeCreate => "before_create",
            TriggerEvent::AfterCreate => "after_create",
            TriggerEvent::BeforeUpdate => "before_update",
            TriggerEvent::AfterUpdate => "after_update",
        }
    }

    /// The event of that word.
    pub fn of_word(word: &str) -> Option<TriggerEvent> {
        TriggerEvent::ALL.into_iter().find(|event| event.word() == word)
    }

    /// Whether it comes before the change.
    pub fn is_before(self) -> bool {
        matches!(self, TriggerEvent::BeforeCreate | TriggerEvent::BeforeUpdate)
    }
}

/// `ignore_changes`
#[derive(Debug, Default)]
pub enum IgnoreChanges {
    /// Not written.
    #[default]
    Nothing,
    /// These parts, with places.
    Paths(Vec<(plumb_model::Path, Span)>),
    /// `all`
    All,
}

/// A `provisioner` block.
#[derive(Debug)]
pub struct ProvisionerDecl {
    /// The type: `local-exec`.
    pub kind: Ident,
    /// Whether it runs before destroying, not after creating.
    pub on_destroy: bool,
    /// Whether a failure is passed over.
    pub continue_on_failure: bool,
    /// The `connection` block within.
    pub connection: Option<Arc<Block>>,
    /// The block without meta-arguments.
    pub body: Arc<Block>,
    /// The place of the block's header.
    pub span: Span,
}

/// A `module` block.
#[derive(Debug)]
pub struct CallDecl {
    /// The name.
    pub name: Ident,
    /// The place of the block's header.
    pub span: Span,
    /// Where the module comes from. The value is constant for each module that the call is in: [`Module::origin`] of
    /// the called one.
    pub source: Option<Expr>,
    /// The version constraint; constant too.
    pub version: Option<Expr>,
    /// How many instances there are.
    pub repetition: Repetition,
    /// The inputs by name.
    pub arguments: IndexMap<EcoString, Argument>,
    /// What variables get that have no argument.
    pub pass_through: Option<PassThrough>,
    /// The provider configurations handed down.
    pub providers: Vec<HandedDown>,
    /// Explicit dependencies.
    pub depends_on: Vec<Expr>,
}

impl CallDecl {
    /// The expression that a variable of the module gets: its argument, or `var.name` where that is passed through.
    /// What an object that is passed through has for it is only known when it is evaluated.
    pub fn given(&self, variable: &str) -> Option<&Expr> {
        let argument = self.arguments.get(variable).map(|argument| &argument.value);
        argument.or_else(|| match &self.pass_through {
            Some(PassThrough::Variables { exprs, .. }) => exprs.get(variable),
            _ => None,
        })
    }

    /// The object whose entries go to variables that have no argument.
    pub fn passed_object(&self) -> Option<&Expr> {
        match &self.pass_through {
            Some(PassThrough::Object(object)) => Some(object),
            _ => None,
        }
    }
}

/// An entry of `providers` in a module call.
#[derive(Clone, Debug)]
pub struct HandedDown {
    /// The name within the module.
    pub inner: ProviderKey,
    /// What goes by that name there.
    pub outer: ProviderName,
}

/// A mention of a provider configuration: `aws`, `aws.west`, `aws.by_region[each.key]`.
#[derive(Clone, Debug)]
pub struct ProviderName {
    /// The configuration.
    pub key: ProviderKey,
    /// Which of its instances: what stands in brackets.
    pub instance: Option<Expr>,
    /// The place of all of it.
    pub span: Span,
}

/// Which instance of a provider configuration each instance of a resource uses.
#[derive(Clone, Debug)]
pub struct ProviderChoice {
    /// What gives the key.
    pub key: Expr,
    /// The call that the expression is an argument of, by its module and index there; none if it is one of the resource
    /// itself.
    pub call: Option<(ModuleId, u32)>,
}

/// `inputs = ...value` in a module call.
#[derive(Debug)]
pub enum PassThrough {
    /// `...var`: the caller's variable of the same name, if there is one.
    Variables {
        /// The place of `...var`.
        span: Span,
        /// The caller's variables as expressions, `var.name`, at that place.
        exprs: IndexMap<EcoString, Expr>,
    },
    /// `...object`: the entry of the same name, if there is one. Entries of other names are errors.
    Object(Expr),
}

/// An argument of a module call.
#[derive(Debug)]
pub struct Argument {
    /// The place of the name.
    pub name_span: Span,
    /// The value.
    pub value: Expr,
}

/// A `provider` block, or the use of a provider that has none.
#[derive(Clone, Debug)]
pub struct ProviderDecl {
    /// Which configuration of which provider it is.
    pub config: ProviderConfig,
    /// The block without meta-arguments; absent for a configuration in which nothing is set.
    pub body: Option<Arc<Block>>,
    /// `for_each`
    pub for_each: Option<Expr>,
    /// The place of the block's header, or of a use.
    pub span: Span,
}

/// An entry of a `required_providers` block.
#[derive(Clone, Debug)]
pub struct ProviderRequirement {
    /// Where the provider comes from.
    pub source: ProviderSource,
    /// The version constraint.
    pub version: Option<(EcoString, Span)>,
    /// The aliases that a caller must hand down.
    pub configuration_aliases: Vec<(ProviderKey, Span)>,
    /// The place of the entry.
    pub span: Span,
}

/// A `check` block.
#[derive(Debug)]
pub struct CheckDecl {
    /// The name.
    pub name: Ident,
    /// The place of the block's header.
    pub span: Span,
    /// The index of the data resource within, if there is one.
    pub data: Option<u32>,
    /// `assert` blocks.
    pub asserts: Vec<Condition>,
}

/// A `moved` block.
#[derive(Debug)]
pub struct MovedDecl {
    /// Where it was, relative to an instance of this module.
    pub from: Target,
    /// Where it is, relative to an instance of this module.
    pub to: Target,
    /// The place of `from`.
    pub from_span: Span,
    /// The place of `to`.
    pub to_span: Span,
    /// The place of the block's header.
    pub span: Span,
}

/// A `removed` block.
#[derive(Debug)]
pub struct RemovedDecl {
    /// What is no longer declared: a resource or a module, without keys; relative to an instance of this module.
    pub from: Target,
    /// The place of `from`.
    pub from_span: Span,
    /// Whether objects are destroyed, not forgotten.
    pub destroy: bool,
    /// Provisioners to run before destroying.
    pub provisioners: Vec<ProvisionerDecl>,
    /// The place of the block's header.
    pub span: Span,
}

impl RemovedDecl {
    /// The names of the module calls that lead to what is removed.
    pub fn from_names(&self) -> Vec<EcoString> {
        let module = match &self.from {
            Target::Module(module) => module,
            Target::Resource(instance) => &instance.module,
        };
        module.0.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// An `import` block.
#[derive(Debug)]
pub struct ImportDecl {
    /// The instance to import to, relative to the module; keys in it may be expressions.
    pub to: Expr,
    /// The resource block that it belongs to, relative to the module.
    pub resource: ConfigResource,
    /// The text that names the object.
    pub id: Option<Expr>,
    /// The identity of the object.
    pub identity: Option<Expr>,
    /// How many imports there are.
    pub for_each: Option<Expr>,
    /// The provider configuration, if it is not that of the resource.
    pub provider: Option<ProviderName>,
    /// The place of the block's header.
    pub span: Span,
}

/// What `terraform` and `language` blocks say.
#[derive(Debug, Default)]
pub struct Settings {
    /// `required_version`, each time it is written.
    pub required_versions: Vec<(EcoString, Span)>,
    /// The `backend` block: type and block.
    pub backend: Option<(Ident, Arc<Block>)>,
    /// The `cloud` block.
    pub cloud: Option<Arc<Block>>,
    /// `experiments`, by name.
    pub experiments: Vec<Ident>,
    /// The edition of the native language.
    pub edition: Option<(EcoString, Span)>,
    /// The levels of lints, by name, with the place of each.
    pub lints: IndexMap<EcoString, (crate::check::lints::Level, Span)>,
    /// `provider_meta` blocks by local name of the provider.
    pub provider_meta: IndexMap<EcoString, Arc<Block>>,
    /// `limits` blocks by local name of the provider.
    pub limits: IndexMap<EcoString, ProviderLimits>,
}

/// How many calls a provider may get.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderLimits {
    /// About whatever it is.
    pub all: Limits,
    /// About types, in addition.
    pub types: IndexMap<EcoString, Limits>,
    /// The place of the block's header.
    pub span: Span,
}

/// How many calls there may be; no bound where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// At once; at least one.
    pub concurrency: Option<u32>,
    /// Begun in a second; above zero.
    pub per_second: Option<f64>,
}

/// A program and what was found wrong with it.
#[derive(Debug)]
pub struct Loaded {
    /// What could be understood.
    pub program: Arc<Program>,
    /// Errors and warnings, over all files.
    pub diagnostics: Diagnostics,
    /// The calls of modules that are not installed; one of the errors names them.
    pub missing: Vec<ModuleRequest>,
}

impl Program {
    /// A module.
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0 as usize]
    }

    /// The root module.
    pub fn root(&self) -> &Module {
        &self.modules[0]
    }

    /// The modules with their ids; a module comes after the one that calls it.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = (ModuleId, &Module)> {
        self.modules.iter().enumerate().map(|(i, module)| (ModuleId(i as u32), module))
    }

    /// The module at a call path.
    pub fn module_at(&self, path: &ModulePath) -> Option<ModuleId> {
        path.0.iter().try_fold(ModuleId::ROOT, |id, name| {
            let module = self.module(id);
            module.children.get(module.calls.get_index_of(name)?).copied().flatten()
        })
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Every node with its id.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (NodeId, Node)> {
        self.nodes.iter().enumerate().map(|(i, node)| (NodeId(i as u32), *node))
    }

    /// What a node is.
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes[id.0 as usize]
    }

    /// What must have been evaluated before a node, in the order in which the references are written. The same node
    /// may occur more than once, with different places.
    pub fn dependencies(&self, id: NodeId) -> &[Dependency] {
        let range = |i: usize| self.dependency_starts[i] as usize;
        &self.dependencies[range(id.0 as usize)..range(id.0 as usize + 1)]
    }

    /// The nodes, each after those that it depends on; a node on a cycle comes anywhere.
    pub fn order(&self) -> Vec<NodeId> {
        let count = self.node_count();
        let mut seen = vec![false; count];
        let mut ordered = Vec::with_capacity(count);
        let mut stack: Vec<(NodeId, usize)> = Vec::new();
        for start in 0..count as u32 {
            if !std::mem::replace(&mut seen[start as usize], true) {
                stack.push((NodeId(start), 0));
            }
            while let Some((id, next)) = stack.pop() {
                match self.dependencies(id).get(next) {
                    Some(dependency) => {
                        stack.push((id, next + 1));
                        if !std::mem::replace(&mut seen[dependency.to.0 as usize], true) {
                            stack.push((dependency.to, 0));
                        }
                    }
                    None => ordered.push(id),
                }
            }
        }
        ordered
    }

    /// The node of something that a module declares.
    pub fn node_id(&self, module: ModuleId, kind: NodeKind, index: usize) -> NodeId {
        let first = &self.module(module).first_nodes;
        let first = match kind {
            NodeKind::Variable => first.variables,
            NodeKind::Local => first.locals,
            NodeKind::Output => first.outputs,
            NodeKind::Resource => first.resources,
            NodeKind::Call => first.calls,
            NodeKind::Provider => first.providers,
            NodeKind::Check => first.checks,
            NodeKind::CallEnd => first.call_ends,
        };
        NodeId(first + index as u32)
    }

    /// The node of what a reference in a module names, if that is declared: a variable, a local, a resource, or an
    /// output of a called module. Other references name nothing that has a node of its own.
    pub fn named(&self, module: ModuleId, subject: &Subject<'_>) -> Option<NodeId> {
        let declared = self.module(module);
        let (kind, index) = match *subject {
            Subject::Variable(name) => (NodeKind::Variable, declared.variables.get_index_of(&name.name)),
            Subject::Local(name) => (NodeKind::Local, declared.locals.get_index_of(&name.name)),
            Subject::Resource { mode, kind, name, .. } => {
                let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
                (NodeKind::Resource, declared.resources.get_index_of(&resource))
            }
            Subject::Module { name, output: Some(output), .. } => {
                let child = declared.children[declared.calls.get_index_of(&name.name)?]?;
                let index = self.module(child).outputs.get_index_of(&output.name)?;
                return Some(self.node_id(child, NodeKind::Output, index));
            }
            _ => return None,
        };
        Some(self.node_id(module, kind, index?))
    }

    /// The node of a resource block.
    pub fn resource_node(&self, resource: &ConfigResource) -> Option<NodeId> {
        let module = self.module_at(&resource.module)?;
        let index = self.module(module).resources.get_index_of(&resource.resource)?;
        Some(self.node_id(module, NodeKind::Resource, index))
    }

    /// The declaration of a resource node; none for other nodes.
    pub fn resource(&self, id: NodeId) -> Option<&ResourceDecl> {
        let node = self.node(id);
        match node.kind {
            NodeKind::Resource => Some(&self.module(node.module).resources[node.index as usize]),
            _ => None,
        }
    }

    /// The nodes of the actions that the triggers of a resource name, without duplicates.
    pub fn triggered(&self, id: NodeId) -> Vec<NodeId> {
        let Some(decl) = self.resource(id) else { return Vec::new() };
        let module = self.node(id).module;
        let named = decl.lifecycle.action_triggers.iter().flat_map(|trigger| &trigger.actions);
        let mut nodes: Vec<NodeId> = named
            .flat_map(|expr| expr.references())
            .filter_map(|traversal| crate::reference::parse(traversal).ok())
            .filter(|reference| {
                matches!(
                    reference.subject,
                    Subject::Resource { mode: plumb_model::address::Mode::Action, .. }
                )
            })
            .filter_map(|reference| self.named(module, &reference.subject))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// The declaration of a provider node; none for other nodes.
    pub fn provider(&self, id: NodeId) -> Option<&ProviderDecl> {
        let node = self.node(id);
        match node.kind {
            NodeKind::Provider => Some(&self.module(node.module).providers[node.index as usize]),
            _ => None,
        }
    }

    /// The provider configuration that a resource uses; none for other nodes. Where it has `for_each`, instances of the
    /// resource use instances of it: [`crate::eval::Evaluator::provider_of`].
    pub fn provider_of(&self, id: NodeId) -> Option<&ProviderConfig> {
        let node = self.node(id);
        match node.kind {
            NodeKind::Resource => self.module(node.module).resource_providers.get(node.index as usize),
            _ => None,
        }
    }

    /// How the instances of a resource choose an instance of their provider configuration, if they have to.
    pub fn provider_choice(&self, id: NodeId) -> Option<&ProviderChoice> {
        let node = self.node(id);
        match node.kind {
            NodeKind::Resource => self.module(node.module).provider_choices.get(&node.index),
            _ => None,
        }
    }

    /// The node of a provider configuration, or of the block that it is an instance of.
    pub fn provider_node(&self, config: &ProviderConfig) -> Option<NodeId> {
        let module = self.module_at(&config.module)?;
        let index = self.module(module).providers.values().position(|decl| decl.config.same_block(config))?;
        Some(self.node_id(module, NodeKind::Provider, index))
    }

    /// The place where a node is declared.
    pub fn span(&self, id: NodeId) -> Span {
        let node = self.node(id);
        let (module, index) = (self.module(node.module), node.index as usize);
        match node.kind {
            NodeKind::Variable => module.variables[index].span,
            NodeKind::Local => module.locals[index].span,
            NodeKind::Output => module.outputs[index].span,
            NodeKind::Resource => module.resources[index].span,
            NodeKind::Call | NodeKind::CallEnd => module.calls[index].span,
            NodeKind::Provider => module.providers[index].span,
            NodeKind::Check => module.checks[index].span,
        }
    }

    /// What people call a node: `module.m.local.a`, `var.x`, `file.notes`.
    pub fn name(&self, id: NodeId) -> EcoString {
        let node = self.node(id);
        let (module, index) = (self.module(node.module), node.index as usize);
        let local = match node.kind {
            NodeKind::Variable => eco_format!("var.{}", module.variables[index].name),
            NodeKind::Local => eco_format!("local.{}", module.locals[index].name),
            NodeKind::Output => eco_format!("output.{}", module.outputs[index].name),
            NodeKind::Resource => eco_format!("{}", module.resources[index].resource),
            NodeKind::Call => eco_format!("module.{}", module.calls[index].name),
            NodeKind::CallEnd => eco_format!("module.{} (end)", module.calls[index].name),
            NodeKind::Provider => return eco_format!("{}", module.providers[index].config),
            NodeKind::Check => eco_format!("check.{}", module.checks[index].name),
        };
        if module.path.is_root() { local } else { eco_format!("{}.{local}", module.path) }
    }

    /// The id that the text typed into a console is given: one that no file has.
    pub fn console_source(&self) -> SourceId {
        SourceId(self.sources.iter().count() as u32)
    }
}
