//! The derives of `plumb-provider-sdk`, which documents and re-exports them: depend on that crate, not on this one.
//!
//! What they write is small: a list of specifications, and the calls that read and write each field. All that can be a
//! function is one, in the SDK; what is here only turns attributes into method calls and finds mistakes early, where the
//! compiler can point at them.
//!
//! [`field`] is what both derives share, [`model`] and [`arguments`] are one derive each.

mod arguments;
mod field;
mod model;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// `#[derive(Model)]`: see `plumb_provider_sdk::Model`.
#[proc_macro_derive(Model, attributes(attribute, model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    model::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// `#[derive(Arguments)]`: see `plumb_provider_sdk::Arguments`.
#[proc_macro_derive(Arguments, attributes(argument))]
pub fn derive_arguments(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    arguments::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
