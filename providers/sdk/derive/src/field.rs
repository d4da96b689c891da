//! The fields of a struct: their names in the schema, their types, their documentation.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, Fields, GenericArgument, Lit, Meta, PathArguments, Type,
};

/// What a field has room for beside values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// `Attr<T>`: null and unknown.
    All,
    /// `Option<T>`: null.
    Null,
    /// `T`: neither.
    None,
}

/// What the type of a field has room for, and the type of its values.
///
/// The name of the type decides, since a derive sees no more than that: an alias of `Attr<T>` counts as having no room.
pub fn room(ty: &Type) -> (Room, &Type) {
    let Type::Path(path) = ty else { return (Room::None, ty) };
    let Some(last) = path.path.segments.last() else { return (Room::None, ty) };
    let room = match last.ident.to_string().as_str() {
        "Attr" => Room::All,
        "Option" => Room::Null,
        _ => return (Room::None, ty),
    };
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(inner)) => (room, inner),
            _ => (Room::None, ty),
        },
        _ => (Room::None, ty),
    }
}

impl Room {
    /// The function of the SDK that reads a field.
    pub fn reader(self) -> TokenStream {
        match self {
            Room::All => quote!(read_any),
            Room::Null => quote!(read_known),
            Room::None => quote!(read_set),
        }
    }

    /// The function of the SDK that says whether a field can hold a value.
    pub fn asker(self) -> TokenStream {
        match self {
            Room::All => quote!(has_room_any),
            Room::Null | Room::None => quote!(has_room_known),
        }
    }
}

/// The named fields of a struct without type parameters.
pub fn of(input: &DeriveInput) -> Result<Vec<&Field>, Error> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a schema has no parameters: write a struct without any",
        ));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter().collect()),
            Fields::Unit => Ok(Vec::new()),
            Fields::Unnamed(fields) => {
                Err(Error::new_spanned(fields, "attributes have names: write a struct with named fields"))
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            Err(Error::new_spanned(&input.ident, "an object has all of its attributes: write a struct"))
        }
    }
}

/// The name of a field as the language has it.
pub fn name(field: &Field) -> String {
    field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default()
}

/// The lines of the doc comment.
pub fn documentation(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let Meta::NameValue(doc) = &attribute.meta
            && let Expr::Lit(literal) = &doc.value
            && let Lit::Str(text) = &literal.lit
        {
            lines.push(text.value());
        }
    }
    lines.join("\n")
}
