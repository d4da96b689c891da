//! What a block of configuration may contain, and the type of the object it becomes.
//!
//! The semantics are those of plugin protocol 6; protocol 5 has a subset. A resource's configuration, state and plan
//! are objects of its schema's [implied type](Block::implied_type).

use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;

use crate::marks::Marks;
use crate::path::{Path, Step};
use crate::types::Type;
use crate::value::Value;

/// The schema of a resource type, a data source, a provider's configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// Version of the form in which state is kept; not negative.
    pub version: i64,
    /// The attributes and nested blocks.
    pub block: Block,
}

/// Attributes and nested blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The attributes by name.
    pub attributes: IndexMap<EcoString, Attribute>,
    /// The nested blocks by type name.
    pub blocks: IndexMap<EcoString, NestedBlock>,
    /// Documentation.
    pub description: EcoString,
    /// How the documentation is written.
    pub description_kind: DescriptionKind,
    /// Why not to use it any more.
    pub deprecated: Option<EcoString>,
}

/// How a piece of documentation is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DescriptionKind {
    /// In Markdown.
    #[default]
    Markdown,
    /// As plain text.
    Plain,
}

/// A setting in a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// What it holds.
    pub ty: AttributeType,
    /// Must be set.
    pub required: bool,
    /// May be set.
    pub optional: bool,
    /// The provider may choose the value where the configuration does not.
    pub computed: bool,
    /// Never shown.
    pub sensitive: bool,
    /// Given to the provider, never kept.
    pub write_only: bool,
    /// Why not to use it any more.
    pub deprecated: Option<EcoString>,
    /// Documentation.
    pub description: EcoString,
    /// How the documentation is written.
    pub description_kind: DescriptionKind,
}

/// What an attribute holds.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeType {
    /// A value of a type.
    Plain(Type),
    /// Objects whose attributes have flags of their own.
    Nested(Arc<NestedObject>),
}

/// Objects as the value of an attribute. [`Nesting::Group`] does not occur.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedObject {
    /// The attributes of each object.
    pub attributes: IndexMap<EcoString, Attribute>,
    /// One object or a collection of them.
    pub nesting: Nesting,
}

/// A block within a block.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedBlock {
    /// What each contains.
    pub block: Block,
    /// One or many.
    pub nesting: Nesting,
    /// Fewest blocks.
    pub min_items: u64,
    /// Most blocks; 0 for any number.
    pub max_items: u64,
}

/// How many there may be, and what they become together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// At most one: an object, or null where it is absent.
    Single,
    /// At most one: an object, of null attributes where it is absent.
    Group,
    /// A list of objects.
    List,
    /// A set of objects.
    Set,
    /// A map of objects by label.
    Map,
}

impl Attribute {
    fn with_flags(ty: Type, required: bool, optional: bool, computed: bool) -> Attribute {
        Attribute {
            ty: AttributeType::Plain(ty),
            required,
            optional,
            computed,
            sensitive: false,
            write_only: false,
            deprecated: None,
            description: EcoString::new(),
            description_kind: DescriptionKind::default(),
        }
    }

    /// Must be set.
    pub fn required(ty: Type) -> Attribute {
        Attribute::with_flags(ty, true, false, false)
    }

    /// May be set.
    pub fn optional(ty: Type) -> Attribute {
        Attribute::with_flags(ty, false, true, false)
    }

    /// Chosen by the provider.
    pub fn computed(ty: Type) -> Attribute {
        Attribute::with_flags(ty, false, false, true)
    }

    /// May be set, else chosen by the provider.
    pub fn optional_computed(ty: Type) -> Attribute {
        Attribute::with_flags(ty, false, true, true)
    }

    /// The same, never shown.
    pub fn sensitive(mut self) -> Attribute {
        self.sensitive = true;
        self
    }

    /// The same, never kept.
    pub fn write_only(mut self) -> Attribute {
        self.write_only = true;
        self
    }

    /// The same, documented.
    pub fn describe(mut self, description: impl Into<EcoString>) -> Attribute {
        self.description = description.into();
        self
    }

    /// The type of its value.
    pub fn implied_type(&self) -> Type {
        match &self.ty {
            AttributeType::Plain(ty) => ty.without_optional(),
            AttributeType::Nested(nested) => nested.implied_type(),
        }
    }

    /// Whether only the provider sets it.
    pub fn is_computed_only(&self) -> bool {
        self.computed && !self.optional
    }
}

impl NestedObject {
    /// The type of one object.
    pub fn object_type(&self) -> Type {
        Type::object(self.attributes.iter().map(|(n, a)| (n.clone(), a.implied_type())))
    }

    /// The type of the attribute.
    pub fn implied_type(&self) -> Type {
        collection_type(self.nesting, self.object_type())
    }
}

impl NestedBlock {
    /// The type that the blocks become together: [`Type::Dynamic`] for lists and maps whose elements may differ in
    /// type because an attribute below is dynamic.
    pub fn implied_type(&self) -> Type {
        let object = self.block.implied_type();
        match self.nesting {
            Nesting::List | Nesting::Map if object.has_dynamic() => Type::Dynamic,
            nesting => collection_type(nesting, object),
        }
    }

    /// The value where the configuration has no such block.
    pub fn empty(&self) -> Value {
        let object = self.block.implied_type();
        match self.nesting {
            Nesting::Single => Value::Null(object),
            Nesting::Group => self.block.empty(),
            Nesting::List if object.has_dynamic() => Value::tuple(Vec::new()),
            Nesting::Map if object.has_dynamic() => Value::object::<EcoString>([]),
            Nesting::List => Value::list(object, Vec::new()),
            Nesting::Set => Value::set(object, Vec::new()),
            Nesting::Map => Value::map(object, []),
        }
    }
}

fn collection_type(nesting: Nesting, object: Type) -> Type {
    match nesting {
        Nesting::Single | Nesting::Group => object,
        Nesting::List => Type::list(object),
        Nesting::Set => Type::set(object),
        Nesting::Map => Type::map(object),
    }
}

impl Block {
    /// A block of attributes.
    pub fn of<N: Into<EcoString>>(attributes: impl IntoIterator<Item = (N, Attribute)>) -> Block {
        Block { attributes: attributes.into_iter().map(|(n, a)| (n.into(), a)).collect(), ..Block::default() }
    }

    /// The same with a nested block.
    pub fn block(mut self, name: impl Into<EcoString>, block: NestedBlock) -> Block {
        self.blocks.insert(name.into(), block);
        self
    }

    /// The type of the object that the block becomes. Assembled at each call: keep it where it is asked for often.
    pub fn implied_type(&self) -> Type {
        let attributes = self.attributes.iter().map(|(n, a)| (n.clone(), a.implied_type()));
        let blocks = self.blocks.iter().map(|(n, b)| (n.clone(), b.implied_type()));
        Type::object(attributes.chain(blocks))
    }

    /// The object of a block in which nothing is set.
    pub fn empty(&self) -> Value {
        let attributes = self.attributes.iter().map(|(n, a)| (n.clone(), Value::Null(a.implied_type())));
        let blocks = self.blocks.iter().map(|(n, b)| (n.clone(), b.empty()));
        Value::object(attributes.chain(blocks))
    }

    /// The attribute that a path leads to, through nested attributes and blocks; steps into collections are passed
    /// over. `None` where the path ends at or leads through a block or the inside of a plain value.
    pub fn attribute_at(&self, path: &Path) -> Option<&Attribute> {
        let mut names = path.0.iter().filter_map(|step| match step {
            Step::Attribute(name) => Some(name),
            _ => None,
        });
        let mut block = self;
        let mut attribute = loop {
            let name = names.next()?;
            match block.blocks.get(name) {
                Some(nested) => block = &nested.block,
                None => break block.attributes.get(name)?,
            }
        };
        for name in names {
            let AttributeType::Nested(nested) = &attribute.ty else { return None };
            attribute = nested.attributes.get(name)?;
        }
        Some(attribute)
    }

    /// Whether an attribute at any depth is sensitive.
    pub fn has_sensitive(&self) -> bool {
        any_attribute(&self.attributes, &|a| a.sensitive)
            || self.blocks.values().any(|b| b.block.has_sensitive())
    }

    /// Whether an attribute at any depth is write-only.
    pub fn has_write_only(&self) -> bool {
        any_attribute(&self.attributes, &|a| a.write_only)
            || self.blocks.values().any(|b| b.block.has_write_only())
    }

    /// The paths of attributes in `value` that the schema says are sensitive, for [`Value::mark_paths`].
    pub fn sensitive_paths(&self, value: &Value) -> Vec<(Path, Marks)> {
        let mut found = Vec::new();
        if self.has_sensitive() {
            block_paths(self, value, &Path::root(), &mut found);
        }
        found
    }
}

fn any_attribute(attributes: &IndexMap<EcoString, Attribute>, test: &dyn Fn(&Attribute) -> bool) -> bool {
    attributes.values().any(|a| {
        test(a) || matches!(&a.ty, AttributeType::Nested(nested) if any_attribute(&nested.attributes, test))
    })
}

fn block_paths(block: &Block, value: &Value, at: &Path, found: &mut Vec<(Path, Marks)>) {
    attribute_paths(&block.attributes, value, at, found);
    for (name, nested) in &block.blocks {
        if let Some(value) = value.get(name) {
            each_object(nested.nesting, value, &at.attribute(name.clone()), &mut |path, object| {
                block_paths(&nested.block, object, path, found);
            });
        }
    }
}

fn attribute_paths(
    attributes: &IndexMap<EcoString, Attribute>,
    value: &Value,
    at: &Path,
    found: &mut Vec<(Path, Marks)>,
) {
    for (name, attribute) in attributes {
        let Some(part) = value.get(name) else { continue };
        if attribute.sensitive {
            found.push((at.attribute(name.clone()), Marks::SENSITIVE));
        } else if let AttributeType::Nested(nested) = &attribute.ty {
            each_object(nested.nesting, part, &at.attribute(name.clone()), &mut |path, object| {
                attribute_paths(&nested.attributes, object, path, found);
            });
        }
    }
}

/// Calls `f` with each object in what a nesting made of them, and its path.
fn each_object(nesting: Nesting, value: &Value, at: &Path, f: &mut dyn FnMut(&Path, &Value)) {
    match nesting {
        Nesting::Single | Nesting::Group => f(at, value),
        Nesting::List => {
            for (i, object) in value.as_items().into_iter().flatten().enumerate() {
                f(&at.then(Step::Index(i)), object);
            }
        }
        Nesting::Set => value.as_items().into_iter().flatten().for_each(|o| f(&at.then(Step::Any), o)),
        Nesting::Map => {
            for (key, object) in value.as_entries().into_iter().flat_map(|e| e.iter()) {
                f(&at.then(Step::Key(key.clone())), object);
            }
        }
    }
}
