//! `#[derive(Arguments)]`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DeriveInput, Error, Field};

use crate::field::{self, Room};

pub fn derive(input: &DeriveInput) -> Result<TokenStream, Error> {
    let fields = field::of(input)?;
    let variadic: Vec<bool> = fields.iter().map(|field| is_variadic(field)).collect::<Result<_, _>>()?;
    if let Some(early) = variadic.iter().rev().skip(1).position(|v| *v) {
        let field = fields[fields.len() - 2 - early];
        return Err(Error::new_spanned(field, "only the last parameter takes all further arguments"));
    }
    let rest = variadic.last() == Some(&true);
    let (last, fixed) = match fields.split_last() {
        Some((last, fixed)) if rest => (Some(*last), fixed),
        _ => (None, fields.as_slice()),
    };
    let ident = &input.ident;
    let about = field::documentation(&input.attrs);
    let parameters = fixed.iter().map(|field| parameter(field));
    let variadic = match last {
        Some(field) => {
            let parameter = parameter(field);
            quote!(::core::option::Option::Some(sdk::function::element(#parameter)))
        }
        None => quote!(::core::option::Option::None),
    };
    let reads = fixed.iter().map(|field| {
        let (room, inner) = field::room(&field.ty);
        let (ident, reader): (&Option<Ident>, _) = (&field.ident, room.reader());
        quote!(#ident: arguments.#reader::<#inner>()?,)
    });
    let read_rest = last.map(|field| {
        let ident = &field.ident;
        quote!(#ident: arguments.read_rest()?,)
    });
    Ok(quote! {
        const _: () = {
            use ::plumb_provider_sdk as sdk;

            impl sdk::Arguments for #ident {
                fn description() -> sdk::model::Text {
                    sdk::model::doc_text(#about)
                }

                fn parameters() -> ::std::vec::Vec<sdk::function::Parameter> {
                    ::std::vec![#(#parameters),*]
                }

                fn variadic() -> ::core::option::Option<sdk::function::Parameter> {
                    #variadic
                }

                fn read(
                    arguments: &mut sdk::function::Reader,
                ) -> ::core::result::Result<Self, sdk::FunctionError> {
                    ::core::result::Result::Ok(Self { #(#reads)* #read_rest })
                }
            }
        };
    })
}

/// Whether a field has `#[argument(variadic)]`.
fn is_variadic(field: &Field) -> Result<bool, Error> {
    let mut found = false;
    for written in field.attrs.iter().filter(|a| a.path().is_ident("argument")) {
        written.parse_nested_meta(|meta| {
            if !meta.path.is_ident("variadic") {
                return Err(meta.error("wanted `variadic`"));
            }
            found = true;
            Ok(())
        })?;
    }
    Ok(found)
}

fn parameter(field: &Field) -> TokenStream {
    let (room, inner) = field::room(&field.ty);
    let (name, doc) = (field::name(field), field::documentation(&field.attrs));
    let (null, unknown) = (room != Room::None, room == Room::All);
    quote!(sdk::function::parameter::<#inner>(#name, #doc, #null, #unknown))
}
