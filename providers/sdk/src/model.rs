//! Models: what an object is made of, as a Rust struct with flags.
//!
//! [`model!`](crate::model!) declares the struct, its schema and the conversions in one place, so that they cannot
//! disagree. Doc comments become the documentation of the schema.

use std::sync::Arc;

use ecow::EcoString;
use plumb_model::{
    Attribute, AttributeType, Block, NestedBlock, NestedObject, Nesting, Path, Schema, Step, Type, Value,
    json,
};

use crate::attribute::{Attr, AttributeValue, Mismatch};

/// What an object is made of. Declared with [`model!`](crate::model!).
pub trait Model: Sized + Send + Sync + 'static {
    /// Documentation.
    fn description() -> EcoString;

    /// The attributes, in the order in which they are documented.
    fn attributes() -> Vec<AttributeSpec>;

    /// Reads an object.
    ///
    /// # Errors
    /// If it is not an object, or an attribute does not fit. Attributes that it lacks count as null.
    fn from_object(object: &Value) -> Result<Self, Mismatch>;

    /// The object.
    fn into_object(self) -> Value;

    /// The schema that the attributes make.
    fn schema(version: i64) -> Schema {
        let mut block = Block { description: Self::description(), ..Block::default() };
        for mut spec in Self::attributes() {
            spec.document_default();
            match spec.as_block() {
                Some(nested) => drop(block.blocks.insert(spec.name, nested)),
                None => drop(block.attributes.insert(spec.name, spec.attribute)),
            }
        }
        Schema { version, block }
    }
}

/// Whether the change of an attribute needs another object, given the value before and afterwards.
pub type ReplaceWhen = fn(&Value, &Value) -> bool;

/// An attribute of a model and how it is planned.
#[derive(Clone, Debug)]
pub struct AttributeSpec {
    pub(crate) name: EcoString,
    pub(crate) attribute: Attribute,
    pub(crate) default: Option<Value>,
    pub(crate) replace: Option<ReplaceWhen>,
    pub(crate) keep: bool,
    pub(crate) not_null: bool,
    pub(crate) block: bool,
    pub(crate) max_items: u64,
}

impl AttributeSpec {
    /// An attribute that holds a `T`. It must still be given one of [`required`](AttributeSpec::required),
    /// [`optional`](AttributeSpec::optional), [`computed`](AttributeSpec::computed) and
    /// [`default`](AttributeSpec::default).
    pub fn new<T: AttributeValue>(name: &str) -> AttributeSpec {
        AttributeSpec {
            name: name.strip_prefix("r#").unwrap_or(name).into(),
            attribute: Attribute {
                ty: T::attribute_type(),
                required: false,
                optional: false,
                computed: false,
                sensitive: false,
                write_only: false,
                deprecated: None,
                description: EcoString::new(),
            },
            default: None,
            replace: None,
            keep: false,
            not_null: false,
            block: false,
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
    /// is created or changes.
    pub fn computed(mut self) -> Self {
        self.attribute.computed = true;
        self
    }

    /// May be set; where it is not, it is planned as this value.
    pub fn default(mut self, value: impl DefaultValue) -> Self {
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

    /// A change needs another object.
    pub fn replace(self) -> Self {
        self.replace_when(|before, after| before != after)
    }

    /// A change needs another object if `test` says so.
    pub fn replace_when(mut self, test: ReplaceWhen) -> Self {
        self.replace = Some(test);
        self
    }

    /// Of a computed attribute: its value stays when the object changes.
    pub fn keep(mut self) -> Self {
        self.keep = true;
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

    /// Adds the default to the documentation.
    fn document_default(&mut self) {
        let default = self.default.as_ref().and_then(|value| json::encode(value, &value.ty()).ok());
        if let Some(default) = default {
            let description = &mut self.attribute.description;
            let space = if description.is_empty() { "" } else { " " };
            *description = ecow::eco_format!("{description}{space}By default `{default}`.");
        }
    }

    fn as_block(&self) -> Option<NestedBlock> {
        let AttributeType::Nested(nested) = &self.attribute.ty else { return None };
        self.block.then(|| NestedBlock {
            block: Block {
                attributes: nested.attributes.clone(),
                description: self.attribute.description.clone(),
                ..Block::default()
            },
            nesting: nested.nesting,
            min_items: u64::from(self.attribute.required),
            max_items: self.max_items,
        })
    }
}

/// What may be written as a default in [`model!`](crate::model!).
pub trait DefaultValue {
    /// As a value of the language.
    fn into_value(self) -> Value;
}

impl DefaultValue for bool {
    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

impl DefaultValue for i32 {
    fn into_value(self) -> Value {
        Value::int(self.into())
    }
}

impl DefaultValue for &str {
    fn into_value(self) -> Value {
        Value::string(self)
    }
}

impl DefaultValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

/// The text of a doc comment: lines without the space that follows the slashes.
pub fn doc_text(doc: &str) -> EcoString {
    let lines: Vec<&str> = doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    EcoString::from(lines.join("\n").trim())
}

/// What a nested model is as an attribute: one object.
pub fn nested_type<M: Model>() -> AttributeType {
    let attributes = M::attributes().into_iter().map(|s| (s.name, s.attribute)).collect();
    AttributeType::Nested(Arc::new(NestedObject { attributes, nesting: Nesting::Single }))
}

/// Reads one attribute of an object for a model.
///
/// # Errors
/// If it does not fit.
pub fn read_attribute<T: AttributeValue>(object: &Value, name: &str) -> Result<Attr<T>, Mismatch> {
    let name = name.strip_prefix("r#").unwrap_or(name);
    match object.get(name) {
        None => Ok(Attr::Null),
        Some(value) => Attr::read(value).map_err(|e| e.within(Step::Attribute(name.into()))),
    }
}

/// Writes one attribute of a model for an object.
pub fn write_attribute<T: AttributeValue>(name: &str, value: Attr<T>) -> (EcoString, Value) {
    (name.strip_prefix("r#").unwrap_or(name).into(), value.write())
}

/// That `object` is one at all.
///
/// # Errors
/// If it is not.
pub fn expect_object(object: &Value) -> Result<(), Mismatch> {
    match object.unmarked() {
        Value::Object(_) => Ok(()),
        other => Err(Mismatch {
            path: Path::root(),
            problem: format!("Found {}, wanted an object.", other.ty().friendly_name()),
        }),
    }
}

/// The type of the objects of a model.
pub fn object_type<M: Model>() -> Type {
    M::schema(0).block.implied_type()
}

/// Declares a struct of attributes, its schema, and the conversions between it and values.
///
/// Each attribute has a name, the Rust type of its known value, and flags in brackets, which are methods of
/// [`AttributeSpec`]. Write `default = value` for [`AttributeSpec::default`]. The fields are [`Attr`]s. Instead of
/// attributes, a model may hold other models.
///
/// ```
/// plumb_provider_sdk::model! {
///     /// A user of the service.
///     pub struct User {
///         /// Unique.
///         name: String [required, replace],
///         /// How many sessions at a time.
///         sessions: i64 [default = 1],
///         /// Chosen by the service.
///         id: String [computed, keep, not_null],
///     }
/// }
/// ```
#[macro_export]
macro_rules! model {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $ty:ty [ $($flags:tt)* ] ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $name {
            $( $(#[doc = $doc])* pub $field: $crate::Attr<$ty>, )*
        }

        impl $crate::Model for $name {
            fn description() -> $crate::model::Text {
                $crate::model::doc_text(concat!($($about, "\n"),*))
            }

            fn attributes() -> Vec<$crate::AttributeSpec> {
                vec![$(
                    $crate::model!(@flags
                        $crate::AttributeSpec::new::<$ty>(stringify!($field)).describe(concat!($($doc, "\n"),*));
                        $($flags)*)
                ),*]
            }

            fn from_object(object: &$crate::plumb_model::Value) -> Result<Self, $crate::Mismatch> {
                $crate::model::expect_object(object)?;
                Ok($name { $( $field: $crate::model::read_attribute(object, stringify!($field))?, )* })
            }

            fn into_object(self) -> $crate::plumb_model::Value {
                $crate::plumb_model::Value::object([
                    $( $crate::model::write_attribute(stringify!($field), self.$field) ),*
                ])
            }
        }

        impl $crate::AttributeValue for $name {
            fn attribute_type() -> $crate::plumb_model::AttributeType {
                $crate::model::nested_type::<$name>()
            }

            fn from_value(value: &$crate::plumb_model::Value) -> Result<Self, $crate::Mismatch> {
                <$name as $crate::Model>::from_object(value)
            }

            fn into_value(self) -> $crate::plumb_model::Value {
                $crate::Model::into_object(self)
            }
        }
    };
    (@flags $spec:expr;) => { $spec };
    (@flags $spec:expr; default = $value:expr $(, $($rest:tt)*)?) => {
        $crate::model!(@flags $spec.default($value); $($($rest)*)?)
    };
    (@flags $spec:expr; $flag:ident ( $($argument:expr),* ) $(, $($rest:tt)*)?) => {
        $crate::model!(@flags $spec.$flag($($argument),*); $($($rest)*)?)
    };
    (@flags $spec:expr; $flag:ident $(, $($rest:tt)*)?) => {
        $crate::model!(@flags $spec.$flag(); $($($rest)*)?)
    };
}

/// The type of documentation texts.
pub type Text = EcoString;
