//! Models: what an object is made of.
//!
//! `#[derive(Model)]` makes the schema of a struct, and the conversions between it and values, so that they cannot
//! disagree; [`Model`] tells how. Each attribute is an [`AttributeSpec`], which is also how a model is written by hand.
//!
//! Elsewhere: what follows from a specification is worked out once for each resource type, in [`crate::rules`].

use std::fmt;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::{
    Attribute, AttributeType, Block, DescriptionKind, NestedBlock, NestedObject, Nesting, Schema, Step, Type,
    Value, json,
};

use crate::attribute::{Attr, AttributeValue, Mismatch};
use crate::check::Group;
use crate::plan::AttributePlan;

/// What an object is made of.
///
/// # By derive
///
/// Each field is an attribute; doc comments are its documentation. What is chosen by the provider has the type
/// [`Attr<T>`], which is null, unknown or a value. What is not may also be an `Option<T>`, or a `T` where it is required or
/// has a default.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use plumb_provider_sdk::check::{between, length, matches};
/// use plumb_provider_sdk::{Attr, Model};
///
/// /// A user of the service.
/// #[derive(Clone, Debug, Model)]
/// #[model(at_most_one_of("password", "public_key"))]
/// struct User {
///     /// Unique.
///     #[attribute(required, requires_replace, validate(length(1..=32), matches("^[a-z]+$")))]
///     name: String,
///     /// How many sessions at a time.
///     #[attribute(default = 1, validate = between(1, 100))]
///     sessions: Attr<i64>,
///     /// Whatever helps to find it.
///     #[attribute(optional)]
///     labels: Option<BTreeMap<String, String>>,
///     /// What the user proves to know.
///     #[attribute(optional, write_only, sensitive)]
///     password: Option<String>,
///     /// What the user signs with.
///     #[attribute(optional)]
///     public_key: Option<String>,
///     /// How to reach the user.
///     #[attribute(optional, block, at_most = 3)]
///     contact: Option<Vec<Contact>>,
///     /// Chosen by the service.
///     #[attribute(computed, use_state_for_unknown, not_null, identity)]
///     id: Attr<String>,
/// }
///
/// /// A way to reach somebody.
/// #[derive(Clone, Debug, Model)]
/// struct Contact {
///     /// Where mail goes.
///     #[attribute(required)]
///     email: String,
/// }
/// ```
///
/// Flags: `required`, `optional`, `computed`, `sensitive`, `write_only`, `requires_replace`, `use_state_for_unknown`,
/// `not_null`, `block`, `identity`. Settings: `default = …`, `name = "type"` where the field has another name,
/// `validate = …` or `validate(…, …)`, `requires_replace_if = …`, `plan = …`, `deprecated = "…"`, `at_least = …`,
/// `at_most = …`, `conflicts_with("…")`, `requires("…")`. Each is the method of [`AttributeSpec`] of that name, which says
/// what it does. Of the struct: `#[model(exactly_one_of("…", "…"))]`, `at_most_one_of`, `at_least_one_of`.
///
/// The values of an attribute are whatever is an [`AttributeValue`]: `bool`, numbers, `String`, `Vec`, `BTreeSet` and
/// `BTreeMap<String, _>` of them, [`Value`] for values of any type, and other models, whose attributes have flags of
/// their own. Elements that may be null or unknown are [`Attr`]s too.
///
/// # By hand
///
/// A derive is not magic. The same can be written where attributes are not known before the program runs:
///
/// ```
/// use plumb_provider_sdk::{AttributeSpec, Mismatch, Model, Value, check, model};
///
/// /// An object of which only two attributes are known in advance.
/// struct Anything(Value);
///
/// impl Model for Anything {
///     fn description() -> model::Text {
///         "Anything.".into()
///     }
///
///     fn attributes() -> Vec<AttributeSpec> {
///         vec![
///             AttributeSpec::new::<String>("name").describe("Unique.").required().requires_replace(),
///             AttributeSpec::new::<i64>("size").default::<i64>(1).validate::<i64>(check::at_least(1)),
///         ]
///     }
///
///     fn from_object(object: &Value) -> Result<Self, Mismatch> {
///         Ok(Anything(object.clone()))
///     }
///
///     fn into_object(self) -> Value {
///         self.0
///     }
/// }
///
/// assert!(Anything::schema(0).block.attributes["name"].required);
/// ```
pub trait Model: Sized + Send + Sync + 'static {
    /// Documentation; Markdown.
    fn description() -> EcoString;

    /// The attributes, in the order in which they are documented.
    fn attributes() -> Vec<AttributeSpec>;

    /// What must hold for attributes together.
    fn groups() -> Vec<Group> {
        Vec::new()
    }

    /// Whether the model can hold an object with its unknown parts, if it has any.
    fn has_room(_object: &Value) -> bool {
        true
    }

    /// Reads an object that there is [room](Model::has_room) for.
    ///
    /// # Errors
    /// If it is not an object, or an attribute does not fit. Attributes that it lacks count as null.
    fn from_object(object: &Value) -> Result<Self, Mismatch>;

    /// The object.
    fn into_object(self) -> Value;

    /// The schema that the attributes make.
    fn schema(version: i64) -> Schema {
        let block = Block { description: Self::description(), ..block_of(Self::attributes()) };
        Schema { version, block }
    }
}

/// Whether the change of an attribute needs another object, given the value before and afterwards.
pub type ReplaceWhen = fn(&Value, &Value) -> bool;

/// Alters the plan of one attribute.
pub type Modifier = fn(&mut AttributePlan<'_>);

/// Whether a value fits the Rust type of its attribute.
pub(crate) type Fit = fn(&Value) -> Result<(), Mismatch>;

/// What else must hold for a value that is known and not null; says what was found and what was wanted.
pub(crate) type Validator = Arc<dyn Fn(&Value) -> Result<(), String> + Send + Sync>;

/// An attribute of a model: what the schema says of it, how it is checked, and how it is planned.
///
/// It must be given one of [`required`](AttributeSpec::required), [`optional`](AttributeSpec::optional),
/// [`computed`](AttributeSpec::computed) and [`default`](AttributeSpec::default).
#[derive(Clone)]
pub struct AttributeSpec {
    pub(crate) name: EcoString,
    pub(crate) attribute: Attribute,
    pub(crate) default: Option<Value>,
    pub(crate) replace: Option<ReplaceWhen>,
    pub(crate) modifier: Option<Modifier>,
    pub(crate) keep: bool,
    pub(crate) not_null: bool,
    pub(crate) identity: bool,
    pub(crate) fit: Fit,
    pub(crate) validators: Vec<Validator>,
    pub(crate) conflicts: Vec<EcoString>,
    pub(crate) requires: Vec<EcoString>,
    pub(crate) nested: Vec<AttributeSpec>,
    pub(crate) groups: Vec<Group>,
    block: bool,
    min_items: u64,
    max_items: u64,
}

impl fmt::Debug for AttributeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttributeSpec").field("name", &self.name).field("attribute", &self.attribute).finish()
    }
}

impl AttributeSpec {
    /// An attribute that holds a `T`.
    pub fn new<T: AttributeValue>(name: &str) -> AttributeSpec {
        AttributeSpec {
            name: name.into(),
            attribute: Attribute {
                ty: T::attribute_type(),
                required: false,
                optional: false,
                computed: false,
                sensitive: false,
                write_only: false,
                deprecated: None,
                description: EcoString::new(),
                description_kind: DescriptionKind::default(),
            },
            default: None,
            replace: None,
            modifier: None,
            keep: false,
            not_null: false,
            identity: false,
            fit: |value| Attr::<T>::read(value).map(drop),
            validators: Vec::new(),
            conflicts: Vec::new(),
            requires: Vec::new(),
            nested: T::attributes(),
            groups: T::groups(),
            block: false,
            min_items: 0,
            max_items: 0,
        }
    }

    /// Must be set.
    pub fn required(mut self) -> Self {
        self.attribute.required = true;
        self
    }

    /// May be set.
    pub fn optional(mut self) -> Self {
        self.attribute.optional = true;
        self
    }

    /// The provider chooses the value where the configuration does not. It is planned as unknown when the object
    /// is created or changes. In objects that only the provider sets, every attribute is computed, whatever their model
    /// says.
    pub fn computed(mut self) -> Self {
        self.attribute.computed = true;
        self
    }

    /// May be set; where it is not, it is planned as this value, which is added to the documentation.
    pub fn default<T: AttributeValue>(mut self, value: T) -> Self {
        self.attribute.optional = true;
        self.attribute.computed = true;
        self.default = Some(value.into_value());
        self
    }

    /// Never shown.
    pub fn sensitive(mut self) -> Self {
        self.attribute.sensitive = true;
        self
    }

    /// Given to the provider, never kept: find it with [`Context::config`](crate::Context::config).
    pub fn write_only(mut self) -> Self {
        self.attribute.write_only = true;
        self
    }

    /// Why not to use it any more.
    pub fn deprecated(mut self, why: &str) -> Self {
        self.attribute.deprecated = Some(why.into());
        self
    }

    /// A change needs another object. Of an attribute of nested objects: the change in one that was there before. Where one
    /// more, or one less, needs another object too, say so of the attribute that they are in.
    pub fn requires_replace(self) -> Self {
        self.requires_replace_if(|before, after| before != after)
    }

    /// A change needs another object if `test` says so, which is given the value before and afterwards.
    pub fn requires_replace_if(mut self, test: ReplaceWhen) -> Self {
        self.replace = Some(test);
        self
    }

    /// Of a computed attribute: its value stays when the object changes.
    pub fn use_state_for_unknown(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Alters the plan of the attribute, after all that follows from the flags.
    pub fn plan(mut self, modifier: Modifier) -> Self {
        self.modifier = Some(modifier);
        self
    }

    /// What must hold for a value; the functions of [`check`](crate::check) are made for it. Values that are unknown are
    /// checked when they are known.
    pub fn validate<T: AttributeValue>(
        mut self,
        rule: impl Fn(&T) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.validators.push(Arc::new(move |value| match Attr::<T>::read(value) {
            Ok(Attr::Known(value)) => rule(&value),
            // That the type does not fit is reported on its own.
            Ok(Attr::Null | Attr::Unknown) | Err(_) => Ok(()),
        }));
        self
    }

    /// Must not be set together with one of these attributes beside it.
    pub fn conflicts_with(mut self, others: &[&str]) -> Self {
        self.conflicts.extend(others.iter().map(|name| EcoString::from(*name)));
        self
    }

    /// Must be set only together with these attributes beside it.
    pub fn requires(mut self, others: &[&str]) -> Self {
        self.requires.extend(others.iter().map(|name| EcoString::from(*name)));
        self
    }

    /// Is part of what tells objects apart: it must be given to import by identity, and never changes.
    pub fn identity(mut self) -> Self {
        self.identity = true;
        self
    }

    /// Of a computed attribute: it is not null once the object exists.
    pub fn not_null(mut self) -> Self {
        self.not_null = true;
        self
    }

    /// Written as a nested block rather than as an attribute. Its type is a model or a collection of one.
    pub fn block(mut self) -> Self {
        self.block = true;
        self
    }

    /// Of blocks: there must be at least this many; 1 where the blocks are required.
    pub fn at_least(mut self, blocks: u64) -> Self {
        self.min_items = blocks;
        self
    }

    /// Of blocks: there may be at most this many.
    pub fn at_most(mut self, blocks: u64) -> Self {
        self.max_items = blocks;
        self
    }

    /// Sets the documentation from the lines of a doc comment.
    pub fn describe(mut self, doc: &str) -> Self {
        self.attribute.description = doc_text(doc);
        self
    }

    /// The same with the default in the documentation, and with everything computed in what only the provider sets.
    fn documented(mut self) -> AttributeSpec {
        if self.attribute.is_computed_only()
            && let AttributeType::Nested(nested) = &self.attribute.ty
        {
            self.attribute.ty = AttributeType::Nested(Arc::new(only_computed(nested)));
        }
        let default = self.default.as_ref().and_then(|value| json::encode(value, &value.ty()).ok());
        if let Some(default) = default {
            let description = &mut self.attribute.description;
            let space = if description.is_empty() { "" } else { " " };
            *description = ecow::eco_format!("{description}{space}By default `{default}`.");
        }
        self
    }

    /// The block, if it is one.
    pub(crate) fn as_block(&self) -> Option<NestedBlock> {
        let AttributeType::Nested(nested) = &self.attribute.ty else { return None };
        self.block.then(|| NestedBlock {
            block: Block {
                description: self.attribute.description.clone(),
                description_kind: self.attribute.description_kind,
                deprecated: self.attribute.deprecated.clone(),
                ..block_of(self.nested.clone())
            },
            nesting: nested.nesting,
            min_items: self.min_items.max(u64::from(self.attribute.required)),
            max_items: self.max_items,
        })
    }
}

/// Objects of which the provider sets every part.
fn only_computed(nested: &NestedObject) -> NestedObject {
    let attributes = nested.attributes.iter().map(|(name, attribute)| {
        let ty = match &attribute.ty {
            AttributeType::Nested(nested) => AttributeType::Nested(Arc::new(only_computed(nested))),
            plain => plain.clone(),
        };
        let computed =
            Attribute { ty, required: false, optional: false, computed: true, ..attribute.clone() };
        (name.clone(), computed)
    });
    NestedObject { attributes: attributes.collect(), nesting: nested.nesting }
}

/// The block that attributes make.
fn block_of(specs: Vec<AttributeSpec>) -> Block {
    let mut block = Block::default();
    for spec in specs.into_iter().map(AttributeSpec::documented) {
        match spec.as_block() {
            Some(nested) => drop(block.blocks.insert(spec.name, nested)),
            None => drop(block.attributes.insert(spec.name, spec.attribute)),
        }
    }
    block
}

/// The text of a doc comment: lines without the space that follows the slashes.
pub fn doc_text(doc: &str) -> EcoString {
    let lines: Vec<&str> = doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    EcoString::from(lines.join("\n").trim())
}

/// What a nested model is as an attribute: one object. Blocks in it are nested attributes, unless it is a block itself.
pub fn nested_type<M: Model>() -> AttributeType {
    let attributes = M::attributes().into_iter().map(AttributeSpec::documented);
    let attributes = attributes.map(|spec| (spec.name, spec.attribute)).collect();
    AttributeType::Nested(Arc::new(NestedObject { attributes, nesting: Nesting::Single }))
}

/// Reads an attribute that may be null or unknown.
///
/// # Errors
/// If it does not fit.
pub fn read_any<T: AttributeValue>(object: &Value, name: &str) -> Result<Attr<T>, Mismatch> {
    match object.get(name) {
        None => Ok(Attr::Null),
        Some(value) => Attr::read(value).map_err(|e| e.within(Step::Attribute(name.into()))),
    }
}

/// Reads an attribute that may be null.
///
/// # Errors
/// If it does not fit, or is unknown.
pub fn read_known<T: AttributeValue>(object: &Value, name: &str) -> Result<Option<T>, Mismatch> {
    match read_any(object, name)? {
        Attr::Null => Ok(None),
        Attr::Known(value) => Ok(Some(value)),
        Attr::Unknown => Err(unsuitable::<T>("a value that is not known yet", name)),
    }
}

/// Reads an attribute that has a value.
///
/// # Errors
/// If it does not fit, or has none.
pub fn read_set<T: AttributeValue>(object: &Value, name: &str) -> Result<T, Mismatch> {
    read_known(object, name)?.ok_or_else(|| unsuitable::<T>("null", name))
}

fn unsuitable<T: AttributeValue>(found: &str, name: &str) -> Mismatch {
    Mismatch::new(format!("Found {found}, wanted {}.", T::value_type().friendly_name()))
        .within(Step::Attribute(name.into()))
}

/// Whether a field that may be unknown can hold its value.
pub fn has_room_any<T: AttributeValue>(_object: &Value, _name: &str) -> bool {
    true
}

/// Whether a field that may not be unknown can hold its value.
pub fn has_room_known<T: AttributeValue>(object: &Value, name: &str) -> bool {
    object.get(name).is_none_or(|value| {
        let value = value.unmarked();
        value.is_null() || (value.is_known() && T::has_room(value))
    })
}

/// Writes one attribute of a model for an object.
pub fn write<T: AttributeValue>(name: &str, value: impl Into<Attr<T>>) -> (EcoString, Value) {
    (name.into(), value.into().write())
}

/// That `object` is one at all.
///
/// # Errors
/// If it is not.
pub fn expect_object(object: &Value) -> Result<(), Mismatch> {
    match object.unmarked() {
        Value::Object(_) => Ok(()),
        other => Err(Mismatch::new(format!("Found {}, wanted an object.", other.ty().friendly_name()))),
    }
}

/// The type of the objects of a model.
pub fn object_type<M: Model>() -> Type {
    M::schema(0).block.implied_type()
}

/// The type of documentation texts.
pub type Text = EcoString;
