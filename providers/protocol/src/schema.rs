//! Schemas in messages, both ways.
//!
//! A schema that is received is decoded as one of protocol 5 or 6 and becomes the one [`Schema`] of the model. What is
//! sent is always protocol 6.

use std::collections::BTreeMap;

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_model::{
    Attribute, AttributeType, Block, DescriptionKind, NestedBlock, NestedObject, Nesting, Schema, Type, json,
};
use plumb_provider_api::{FunctionParameter, FunctionSignature, IdentityAttribute, IdentitySchema};
use prost::Message;

use crate::messages::schema::{
    Attribute5, Attribute6, BlockNesting, Object, ObjectNesting, ResourceIdentitySchema, WireAttribute,
};
use crate::messages::{self, Function, schema as wire};
use crate::method::Version;

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The bytes are not the message.
    #[error("the schema cannot be decoded: {0}")]
    Decode(#[from] prost::DecodeError),
    /// The message says something that no schema says.
    #[error("`{name}`: {problem}")]
    Invalid {
        /// The attribute, block, parameter or function.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

fn invalid(name: &str, problem: impl Into<String>) -> SchemaError {
    SchemaError::Invalid { name: name.to_owned(), problem: problem.into() }
}

/// The schema in an encoded `Schema` message.
///
/// # Errors
/// If the bytes are not such a message, or a part of it makes no sense.
pub fn decode(version: Version, bytes: &[u8]) -> Result<Schema, SchemaError> {
    match version {
        Version::V5 => schema(wire::Schema::<Attribute5>::decode(bytes)?),
        Version::V6 => schema(wire::Schema::<Attribute6>::decode(bytes)?),
    }
}

fn schema<A: WireAttribute + Into<Attribute6>>(schema: wire::Schema<A>) -> Result<Schema, SchemaError> {
    let block = schema.block.map(block).transpose()?.unwrap_or_default();
    Ok(Schema { version: schema.version.max(0), block })
}

fn block<A: WireAttribute + Into<Attribute6>>(block: wire::Block<A>) -> Result<Block, SchemaError> {
    let description_kind = kind_from_wire(block.description_kind());
    let attributes = attributes(block.attributes.into_iter().map(Into::into))?;
    let mut blocks = IndexMap::with_capacity(block.block_types.len());
    for nested in block.block_types {
        let name = EcoString::from(nested.type_name.as_str());
        if attributes.contains_key(&name) || blocks.contains_key(&name) {
            return Err(invalid(&name, "there are two attributes or blocks of this name"));
        }
        blocks.insert(name, nested_block(nested)?);
    }
    Ok(Block {
        attributes,
        blocks,
        description_kind,
        description: block.description.into(),
        deprecated: deprecation(block.deprecated, block.deprecation_message),
    })
}

fn kind_from_wire(kind: wire::StringKind) -> DescriptionKind {
    match kind {
        wire::StringKind::Markdown => DescriptionKind::Markdown,
        wire::StringKind::Plain => DescriptionKind::Plain,
    }
}

fn nested_block<A: WireAttribute + Into<Attribute6>>(
    nested: wire::NestedBlock<A>,
) -> Result<NestedBlock, SchemaError> {
    let name = nested.type_name.as_str();
    let nesting = match nested.nesting() {
        BlockNesting::Single => Nesting::Single,
        BlockNesting::Group => Nesting::Group,
        BlockNesting::List => Nesting::List,
        BlockNesting::Set => Nesting::Set,
        BlockNesting::Map => Nesting::Map,
        BlockNesting::Invalid => {
            return Err(invalid(name, format!("nesting {} does not exist", nested.nesting)));
        }
    };
    let items =
        |count: i64| u64::try_from(count).map_err(|_| invalid(name, "a number of blocks is negative"));
    let (min_items, max_items) = (items(nested.min_items)?, items(nested.max_items)?);
    let block = nested.block.map(|b| block(*b)).transpose()?.unwrap_or_default();
    if nesting == Nesting::Set && block.implied_type().has_dynamic() {
        return Err(invalid(name, "the blocks of a set hold a value of any type"));
    }
    Ok(NestedBlock { block, nesting, min_items, max_items })
}

fn attributes(wire: impl Iterator<Item = Attribute6>) -> Result<IndexMap<EcoString, Attribute>, SchemaError> {
    let mut attributes = IndexMap::with_capacity(wire.size_hint().0);
    for attribute in wire {
        let name = EcoString::from(attribute.name.as_str());
        let description_kind = kind_from_wire(attribute.description_kind());
        let ty = match attribute.nested_type {
            Some(object) => AttributeType::Nested(nested_object(&name, object)?.into()),
            None => AttributeType::Plain(type_of(&name, &attribute.r#type)?),
        };
        let attribute = Attribute {
            ty,
            required: attribute.required,
            optional: attribute.optional,
            computed: attribute.computed,
            sensitive: attribute.sensitive,
            write_only: attribute.write_only,
            deprecated: deprecation(attribute.deprecated, attribute.deprecation_message),
            description_kind,
            description: attribute.description.into(),
        };
        if attributes.insert(name.clone(), attribute).is_some() {
            return Err(invalid(&name, "there are two attributes of this name"));
        }
    }
    Ok(attributes)
}

fn nested_object(name: &str, object: Object) -> Result<NestedObject, SchemaError> {
    let nesting = match object.nesting() {
        ObjectNesting::Single => Nesting::Single,
        ObjectNesting::List => Nesting::List,
        ObjectNesting::Set => Nesting::Set,
        ObjectNesting::Map => Nesting::Map,
        ObjectNesting::Invalid => {
            return Err(invalid(name, format!("nesting {} does not exist", object.nesting)));
        }
    };
    Ok(NestedObject { attributes: attributes(object.attributes.into_iter())?, nesting })
}

fn type_of(name: &str, json_text: &[u8]) -> Result<Type, SchemaError> {
    let json: serde_json::Value =
        serde_json::from_slice(json_text).map_err(|e| invalid(name, format!("its type is no JSON: {e}")))?;
    json::type_from_json(&json).map_err(|e| invalid(name, e.to_string()))
}

fn deprecation(deprecated: bool, message: String) -> Option<EcoString> {
    (deprecated || !message.is_empty()).then(|| message.into())
}

/// The signature in an encoded `Function` message.
///
/// # Errors
/// As [`decode`].
pub fn decode_function(name: &str, bytes: &[u8]) -> Result<FunctionSignature, SchemaError> {
    let function = Function::decode(bytes)?;
    let returns = function.r#return.ok_or_else(|| invalid(name, "the function has no return type"))?;
    Ok(FunctionSignature {
        parameters: function.parameters.into_iter().map(parameter).collect::<Result<_, _>>()?,
        variadic: function.variadic_parameter.map(parameter).transpose()?,
        returns: type_of(name, &returns.r#type)?,
        summary: function.summary.into(),
        description: function.description.into(),
        deprecated: deprecation(false, function.deprecation_message),
    })
}

fn parameter(parameter: messages::Parameter) -> Result<FunctionParameter, SchemaError> {
    Ok(FunctionParameter {
        ty: type_of(&parameter.name, &parameter.r#type)?,
        name: parameter.name.into(),
        allow_null: parameter.allow_null_value,
        allow_unknown: parameter.allow_unknown_values,
        description: parameter.description.into(),
    })
}

/// The schema of an identity.
///
/// # Errors
/// If the type of an attribute makes no sense.
pub fn identity(schema: ResourceIdentitySchema) -> Result<IdentitySchema, SchemaError> {
    let attribute = |a: wire::IdentityAttribute| {
        let attribute = IdentityAttribute {
            ty: type_of(&a.name, &a.r#type)?,
            required_for_import: a.required_for_import,
            optional_for_import: a.optional_for_import,
            description: a.description.into(),
        };
        Ok((EcoString::from(a.name), attribute))
    };
    let attributes = schema.identity_attributes.into_iter().map(attribute);
    Ok(IdentitySchema {
        version: schema.version.max(0),
        attributes: attributes.collect::<Result<BTreeMap<_, _>, SchemaError>>()?,
    })
}

/// A schema as it is sent.
pub fn to_wire(schema: &Schema) -> wire::Schema<Attribute6> {
    wire::Schema { version: schema.version, block: Some(block_to_wire(&schema.block)) }
}

fn kind_to_wire(kind: DescriptionKind) -> i32 {
    match kind {
        DescriptionKind::Markdown => wire::StringKind::Markdown.into(),
        DescriptionKind::Plain => wire::StringKind::Plain.into(),
    }
}

fn block_to_wire(block: &Block) -> wire::Block<Attribute6> {
    wire::Block {
        version: 0,
        attributes: attributes_to_wire(&block.attributes),
        block_types: block.blocks.iter().map(|(name, nested)| nested_to_wire(name, nested)).collect(),
        description: block.description.to_string(),
        description_kind: kind_to_wire(block.description_kind),
        deprecated: block.deprecated.is_some(),
        deprecation_message: message_of(&block.deprecated),
    }
}

fn nested_to_wire(name: &str, nested: &NestedBlock) -> wire::NestedBlock<Attribute6> {
    let nesting = match nested.nesting {
        Nesting::Single => BlockNesting::Single,
        Nesting::Group => BlockNesting::Group,
        Nesting::List => BlockNesting::List,
        Nesting::Set => BlockNesting::Set,
        Nesting::Map => BlockNesting::Map,
    };
    let items = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    wire::NestedBlock {
        type_name: name.to_owned(),
        block: Some(Box::new(block_to_wire(&nested.block))),
        nesting: nesting.into(),
        min_items: items(nested.min_items),
        max_items: items(nested.max_items),
    }
}

fn attributes_to_wire(attributes: &IndexMap<EcoString, Attribute>) -> Vec<Attribute6> {
    attributes
        .iter()
        .map(|(name, attribute)| {
            let (plain, nested_type) = match &attribute.ty {
                AttributeType::Plain(ty) => (type_to_wire(ty), None),
                AttributeType::Nested(nested) => (bytes::Bytes::new(), Some(object_to_wire(nested))),
            };
            Attribute6 {
                name: name.to_string(),
                r#type: plain,
                description: attribute.description.to_string(),
                required: attribute.required,
                optional: attribute.optional,
                computed: attribute.computed,
                sensitive: attribute.sensitive,
                description_kind: kind_to_wire(attribute.description_kind),
                deprecated: attribute.deprecated.is_some(),
                nested_type,
                write_only: attribute.write_only,
                deprecation_message: message_of(&attribute.deprecated),
            }
        })
        .collect()
}

fn object_to_wire(object: &NestedObject) -> Object {
    let nesting = match object.nesting {
        Nesting::Single | Nesting::Group => ObjectNesting::Single,
        Nesting::List => ObjectNesting::List,
        Nesting::Set => ObjectNesting::Set,
        Nesting::Map => ObjectNesting::Map,
    };
    Object { attributes: attributes_to_wire(&object.attributes), nesting: nesting.into() }
}

/// A type as it is sent: compact JSON.
pub fn type_to_wire(ty: &Type) -> bytes::Bytes {
    json::type_to_json(ty).to_string().into()
}

fn message_of(deprecated: &Option<EcoString>) -> String {
    deprecated.as_ref().map(EcoString::to_string).unwrap_or_default()
}

/// The signature of a function as it is sent.
pub fn function_to_wire(function: &FunctionSignature) -> Function {
    let parameter = |p: &FunctionParameter| messages::Parameter {
        name: p.name.to_string(),
        r#type: type_to_wire(&p.ty),
        allow_null_value: p.allow_null,
        allow_unknown_values: p.allow_unknown,
        description: p.description.to_string(),
        description_kind: wire::StringKind::Markdown.into(),
    };
    Function {
        parameters: function.parameters.iter().map(parameter).collect(),
        variadic_parameter: function.variadic.as_ref().map(parameter),
        r#return: Some(messages::Return { r#type: type_to_wire(&function.returns) }),
        summary: function.summary.to_string(),
        description: function.description.to_string(),
        description_kind: wire::StringKind::Markdown.into(),
        deprecation_message: message_of(&function.deprecated),
    }
}

/// The schema of an identity as it is sent.
pub fn identity_to_wire(schema: &IdentitySchema) -> ResourceIdentitySchema {
    let attribute = |(name, a): (&EcoString, &IdentityAttribute)| wire::IdentityAttribute {
        name: name.to_string(),
        r#type: type_to_wire(&a.ty),
        required_for_import: a.required_for_import,
        optional_for_import: a.optional_for_import,
        description: a.description.to_string(),
    };
    ResourceIdentitySchema {
        version: schema.version,
        identity_attributes: schema.attributes.iter().map(attribute).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(nesting: Nesting) -> Attribute {
        let attributes = [("id".into(), Attribute::computed(Type::String))].into_iter().collect();
        let object = NestedObject { attributes, nesting };
        Attribute { ty: AttributeType::Nested(object.into()), ..Attribute::optional(Type::Dynamic) }
    }

    fn sample() -> Schema {
        let inner = Block::of([("port", Attribute::required(Type::Number))]);
        let block = Block::of([
            ("name", Attribute::required(Type::String).describe("What it is called.")),
            ("token", Attribute::optional(Type::String).sensitive().write_only()),
            ("any", Attribute::optional_computed(Type::Dynamic)),
            ("rules", nested(Nesting::Set)),
            ("one", nested(Nesting::Single)),
        ])
        .block(
            "rule",
            NestedBlock { block: inner.clone(), nesting: Nesting::Map, min_items: 0, max_items: 0 },
        )
        .block("limit", NestedBlock { block: inner, nesting: Nesting::List, min_items: 1, max_items: 3 });
        Schema { version: 3, block }
    }

    #[test]
    fn a_schema_reads_back_as_it_is_sent() {
        let bytes = to_wire(&sample()).encode_to_vec();
        assert_eq!(decode(Version::V6, &bytes).unwrap(), sample());
    }

    #[test]
    fn protocol_5_numbers_its_attributes_differently() {
        let attribute = Attribute5 {
            name: "token".into(),
            r#type: "\"string\"".into(),
            optional: true,
            write_only: true,
            deprecation_message: "Old.".into(),
            ..Attribute5::default()
        };
        let block = wire::Block { attributes: vec![attribute], ..Default::default() };
        let bytes = wire::Schema { version: 0, block: Some(block) }.encode_to_vec();
        let schema = decode(Version::V5, &bytes).unwrap();
        let token = &schema.block.attributes["token"];
        assert!(token.write_only && token.optional);
        assert_eq!(token.deprecated.as_deref(), Some("Old."));
        assert!(decode(Version::V6, &bytes).is_err());
    }

    #[test]
    fn nonsense_is_named() {
        let attribute = Attribute6 { name: "x".into(), r#type: "\"str\"".into(), ..Default::default() };
        let block = wire::Block { attributes: vec![attribute], ..Default::default() };
        let bytes = wire::Schema { version: 0, block: Some(block) }.encode_to_vec();
        let error = decode(Version::V6, &bytes).unwrap_err();
        assert_eq!(error.to_string(), "`x`: \"str\" does not describe a type");
    }
}
