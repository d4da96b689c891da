//! What a schema says about each part of an object.
//!
//! Blocks, attributes with nested attributes, and plain attributes of object types have much the same shape. Code that
//! need not tell them apart walks a value along a [`Declared`]; code that must looks at the [`Members`] of an object.

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_model::{Attribute, AttributeType, Block, NestedBlock, NestedObject, Nesting, Step, Type, Value};

/// A null that stands for parts which a value lacks.
static NULL: Value = Value::NULL;
static DYNAMIC: Type = Type::Dynamic;

/// The attributes of an object, and its nested blocks if it is a block.
#[derive(Clone, Copy)]
pub(super) struct Members<'s> {
    /// The attributes by name.
    pub(super) attributes: &'s IndexMap<EcoString, Attribute>,
    blocks: Option<&'s IndexMap<EcoString, NestedBlock>>,
}

/// A member of an object.
#[derive(Clone, Copy)]
pub(super) enum Member<'s> {
    Attribute(&'s Attribute),
    Block(&'s NestedBlock),
}

/// What is declared for a value or a part of one.
#[derive(Clone, Copy)]
pub(super) enum Declared<'s> {
    /// One object or several, of which each member is declared.
    Objects(Nesting, Members<'s>),
    /// A value of a type.
    Type(&'s Type),
}

impl<'s> Members<'s> {
    pub(super) fn of_block(block: &'s Block) -> Members<'s> {
        Members { attributes: &block.attributes, blocks: Some(&block.blocks) }
    }

    pub(super) fn of_nested(nested: &'s NestedObject) -> Members<'s> {
        Members { attributes: &nested.attributes, blocks: None }
    }

    /// The nested blocks by type name.
    pub(super) fn blocks(self) -> impl Iterator<Item = (&'s EcoString, &'s NestedBlock)> {
        self.blocks.into_iter().flatten()
    }

    /// The member of a name.
    pub(super) fn get(self, name: &str) -> Option<Member<'s>> {
        let block = || self.blocks.and_then(|blocks| blocks.get(name)).map(Member::Block);
        self.attributes.get(name).map(Member::Attribute).or_else(block)
    }
}

impl<'s> Declared<'s> {
    pub(super) fn root(block: &'s Block) -> Declared<'s> {
        Declared::Objects(Nesting::Single, Members::of_block(block))
    }

    pub(super) fn of_attribute(attribute: &'s Attribute) -> Declared<'s> {
        match &attribute.ty {
            AttributeType::Plain(ty) => Declared::Type(ty),
            AttributeType::Nested(nested) => Declared::Objects(nested.nesting, Members::of_nested(nested)),
        }
    }

    pub(super) fn of_block(nested: &'s NestedBlock) -> Declared<'s> {
        Declared::Objects(nested.nesting, Members::of_block(&nested.block))
    }

    /// Whether any value will do.
    pub(super) fn is_dynamic(self) -> bool {
        matches!(self, Declared::Type(Type::Dynamic))
    }

    /// What is declared for an element of a list, set, map or tuple.
    pub(super) fn element(self, index: usize) -> Declared<'s> {
        match self {
            Declared::Objects(_, members) => Declared::Objects(Nesting::Single, members),
            Declared::Type(Type::Tuple(types)) => Declared::Type(types.get(index).unwrap_or(&DYNAMIC)),
            Declared::Type(ty) => Declared::Type(ty.element().unwrap_or(&DYNAMIC)),
        }
    }

    /// What is declared for an entry of an object or a map, and the step that leads there.
    pub(super) fn entry(self, value: &Value, name: &EcoString) -> (Step, Declared<'s>) {
        let key = || Step::Key(name.clone());
        let attribute = || Step::Attribute(name.clone());
        match self {
            Declared::Objects(Nesting::Map, _) => (key(), self.element(0)),
            Declared::Objects(_, members) => match members.get(name) {
                Some(Member::Attribute(a)) => (attribute(), Declared::of_attribute(a)),
                Some(Member::Block(b)) => (attribute(), Declared::of_block(b)),
                None => (attribute(), Declared::Type(&DYNAMIC)),
            },
            Declared::Type(ty) => {
                let attribute_type = ty.attributes().and_then(|types| types.get(name));
                let declared = Declared::Type(attribute_type.or(ty.element()).unwrap_or(&DYNAMIC));
                (if matches!(value, Value::Map(_)) { key() } else { attribute() }, declared)
            }
        }
    }
}

/// The part of an object of a name; null if there is none.
pub(super) fn part<'v>(object: &'v Value, name: &str) -> &'v Value {
    object.get(name).unwrap_or(&NULL)
}

/// The objects that a nesting made one value of, each with the step that leads to it: none for a single object. Null and
/// unknown values contain no objects.
pub(super) fn objects<'v>(
    nesting: Nesting,
    value: &'v Value,
) -> Box<dyn Iterator<Item = (Option<Step>, &'v Value)> + 'v> {
    match nesting {
        Nesting::Single | Nesting::Group => {
            Box::new(matches!(value, Value::Object(_)).then_some((None, value)).into_iter())
        }
        Nesting::List => {
            let items = value.as_items().into_iter().flatten().enumerate();
            Box::new(items.map(|(i, object)| (Some(Step::Index(i)), object)))
        }
        Nesting::Set => Box::new(value.as_items().into_iter().flatten().map(|o| (Some(Step::Any), o))),
        Nesting::Map => {
            let entries = value.as_entries().into_iter().flat_map(|e| e.iter());
            Box::new(entries.map(|(key, object)| (Some(Step::Key(key.clone())), object)))
        }
    }
}

/// The value with each of its objects replaced by what `f` makes of it. Null and unknown values stay.
pub(super) fn map_objects(nesting: Nesting, value: &Value, f: &mut dyn FnMut(&Value) -> Value) -> Value {
    match (nesting, value) {
        (Nesting::Single | Nesting::Group, Value::Object(_)) => f(value),
        (Nesting::List | Nesting::Set, Value::List(_) | Value::Set(_) | Value::Tuple(_)) => {
            let items = value.as_items().into_iter().flatten().map(f).collect();
            with_items(value, items)
        }
        (Nesting::Map, Value::Map(_) | Value::Object(_)) => with_entries(value, |_, object| f(object)),
        _ => value.clone(),
    }
}

/// A list, set or tuple like `shape`, of other elements.
pub(super) fn with_items(shape: &Value, items: Vec<Value>) -> Value {
    match shape {
        Value::List(list) => Value::list(list.element.clone(), items),
        Value::Set(set) => Value::set(set.element.clone(), items),
        _ => Value::tuple(items),
    }
}

/// A map or object of the same keys with other values; anything else as it is.
pub(super) fn with_entries(value: &Value, f: impl FnMut(&EcoString, &Value) -> Value) -> Value {
    match value {
        Value::Map(map) => Value::map(map.element.clone(), map.entries.map_values(f)),
        Value::Object(entries) => Value::object(entries.map_values(f)),
        other => other.clone(),
    }
}

/// The object with those attributes replaced for which `f` gives another value. Where it gives none, nested attributes
/// are gone into, and so are all nested blocks.
pub(super) fn replace_attributes(
    members: Members<'_>,
    object: &Value,
    f: &dyn Fn(&Attribute, &Value) -> Option<Value>,
) -> Value {
    if !matches!(object, Value::Object(_)) {
        return object.clone();
    }
    with_entries(object, |name, value| match members.get(name) {
        Some(Member::Attribute(attribute)) => f(attribute, value).unwrap_or_else(|| match &attribute.ty {
            AttributeType::Plain(_) => value.clone(),
            AttributeType::Nested(nested) => map_objects(nested.nesting, value, &mut |object| {
                replace_attributes(Members::of_nested(nested), object, f)
            }),
        }),
        Some(Member::Block(nested)) => map_objects(nested.nesting, value, &mut |object| {
            replace_attributes(Members::of_block(&nested.block), object, f)
        }),
        None => value.clone(),
    })
}
