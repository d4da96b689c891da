//! What the files of a directory declare, block by block, as it is written: nothing in it is evaluated.
//!
//! Elsewhere: reading it from trees is [`crate::load`]; what depends on what is [`super::Program`].

use std::path::PathBuf;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::address::{ConfigResource, ProviderConfig, ProviderSource, Resource, Target};
use plumb_model::convert::convert;
use plumb_model::defaults::Defaults;
use plumb_model::{Diagnostic, SourceId, Span, Type, Value, defaults};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Block, Expr, Ident};

use super::ModuleId;
use crate::types::hold::{Place, diagnostics as misfits, hold};
use crate::types::{Constraint, NamedTypes, Shape};

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
