//! `#[derive(Model)]`.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Error, Expr, Field, Lit, LitStr, Token, parenthesized};

use crate::field::{self, Room};

/// Flags, which stand alone.
const FLAGS: [&str; 10] = [
    "required",
    "optional",
    "computed",
    "sensitive",
    "write_only",
    "requires_replace",
    "use_state_for_unknown",
    "not_null",
    "block",
    "identity",
];
/// Settings, which have one value.
const SETTINGS: [&str; 7] =
    ["name", "default", "deprecated", "requires_replace_if", "plan", "at_least", "at_most"];
/// Lists of other attributes.
const OTHERS: [&str; 2] = ["conflicts_with", "requires"];
/// Rules for several attributes at once.
const GROUPS: [&str; 3] = ["exactly_one_of", "at_most_one_of", "at_least_one_of"];

/// What one attribute of a struct is like.
struct Attribute<'a> {
    field: &'a Field,
    name: String,
    room: Room,
    inner: &'a syn::Type,
    /// Method calls on the specification, in the order in which they were written.
    calls: Vec<TokenStream>,
    flags: Vec<String>,
    /// Names of other attributes that must exist.
    mentioned: Vec<LitStr>,
}

pub fn derive(input: &DeriveInput) -> Result<TokenStream, Error> {
    let attributes: Vec<Attribute<'_>> =
        field::of(input)?.into_iter().map(attribute).collect::<Result<_, _>>()?;
    let known = |name: &LitStr| attributes.iter().any(|a| a.name == name.value());
    let (groups, grouped) = groups(input)?;
    let mentioned = attributes.iter().flat_map(|a| &a.mentioned).chain(&grouped);
    if let Some(unknown) = mentioned.into_iter().find(|name| !known(name)) {
        return Err(Error::new_spanned(unknown, "this struct has no such attribute"));
    }
    let ident = &input.ident;
    let about = field::documentation(&input.attrs);
    let names: Vec<&str> = attributes.iter().map(|a| a.name.as_str()).collect();
    let fields: Vec<&Option<Ident>> = attributes.iter().map(|a| &a.field.ident).collect();
    let inner: Vec<&syn::Type> = attributes.iter().map(|a| a.inner).collect();
    let readers = attributes.iter().map(|a| a.room.reader());
    let askers = attributes.iter().map(|a| a.room.asker());
    let specs = attributes.iter().map(|a| {
        let (name, inner, calls) = (&a.name, a.inner, &a.calls);
        let doc = field::documentation(&a.field.attrs);
        quote!(sdk::AttributeSpec::new::<#inner>(#name).describe(#doc) #(#calls)*)
    });
    Ok(quote! {
        const _: () = {
            use ::plumb_provider_sdk as sdk;

            impl sdk::Model for #ident {
                fn description() -> sdk::model::Text {
                    sdk::model::doc_text(#about)
                }

                fn attributes() -> ::std::vec::Vec<sdk::AttributeSpec> {
                    ::std::vec![#(#specs),*]
                }

                fn groups() -> ::std::vec::Vec<sdk::check::Group> {
                    ::std::vec![#(#groups),*]
                }

                fn has_room(object: &sdk::Value) -> bool {
                    #(sdk::model::#askers::<#inner>(object, #names))&&*
                }

                fn from_object(object: &sdk::Value) -> ::core::result::Result<Self, sdk::Mismatch> {
                    sdk::model::expect_object(object)?;
                    ::core::result::Result::Ok(Self {
                        #(#fields: sdk::model::#readers::<#inner>(object, #names)?,)*
                    })
                }

                fn into_object(self) -> sdk::Value {
                    sdk::Value::object::<sdk::model::Text>([
                        #(sdk::model::write::<#inner>(#names, self.#fields)),*
                    ])
                }
            }

            impl sdk::AttributeValue for #ident {
                fn attribute_type() -> sdk::schema::AttributeType {
                    sdk::model::nested_type::<Self>()
                }

                fn attributes() -> ::std::vec::Vec<sdk::AttributeSpec> {
                    <Self as sdk::Model>::attributes()
                }

                fn groups() -> ::std::vec::Vec<sdk::check::Group> {
                    <Self as sdk::Model>::groups()
                }

                fn has_room(value: &sdk::Value) -> bool {
                    value.is_known() && <Self as sdk::Model>::has_room(value)
                }

                fn from_value(value: &sdk::Value) -> ::core::result::Result<Self, sdk::Mismatch> {
                    <Self as sdk::Model>::from_object(value)
                }

                fn into_value(self) -> sdk::Value {
                    sdk::Model::into_object(self)
                }
            }
        };
    })
}

/// Reads `#[attribute(…)]` and checks that it makes sense together with the type of the field.
fn attribute(field: &Field) -> Result<Attribute<'_>, Error> {
    let (room, inner) = field::room(&field.ty);
    let mut attribute = Attribute {
        field,
        name: field::name(field),
        room,
        inner,
        calls: Vec::new(),
        flags: Vec::new(),
        mentioned: Vec::new(),
    };
    for written in field.attrs.iter().filter(|a| a.path().is_ident("attribute")) {
        written.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                attribute.item(input)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        })?;
    }
    attribute.check()?;
    Ok(attribute)
}

impl Attribute<'_> {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|written| written == flag)
    }

    /// One of the items between the commas.
    fn item(&mut self, input: ParseStream<'_>) -> Result<(), Error> {
        let word: Ident = input.parse()?;
        let name = word.to_string();
        if self.has(&name) && name != "validate" {
            return Err(Error::new_spanned(&word, format!("`{name}` is said twice")));
        }
        let call = match name.as_str() {
            flag if FLAGS.contains(&flag) => quote_spanned!(word.span()=> .#word()),
            "validate" => self.validators(input)?,
            "default" => {
                input.parse::<Token![=]>()?;
                let value: Expr = input.parse()?;
                let inner = self.inner;
                match &value {
                    Expr::Lit(literal) if matches!(literal.lit, Lit::Str(_)) => {
                        quote_spanned!(value.span()=> .default::<#inner>(::core::convert::Into::into(#value)))
                    }
                    _ => quote_spanned!(value.span()=> .default::<#inner>(#value)),
                }
            }
            setting if SETTINGS.contains(&setting) => {
                input.parse::<Token![=]>()?;
                let value: Expr = input.parse()?;
                if setting == "name" {
                    let Expr::Lit(literal) = &value else { return Err(not_text(&value)) };
                    let Lit::Str(text) = &literal.lit else { return Err(not_text(&value)) };
                    self.name = text.value();
                    TokenStream::new()
                } else {
                    quote_spanned!(value.span()=> .#word(#value))
                }
            }
            list if OTHERS.contains(&list) => {
                let names = names(input)?;
                self.mentioned.extend(names.iter().cloned());
                quote_spanned!(word.span()=> .#word(&[#(#names),*]))
            }
            _ => return Err(unknown_word(&word)),
        };
        self.calls.push(call);
        self.flags.push(name);
        Ok(())
    }

    /// `validate = rule` or `validate(rule, rule)`.
    fn validators(&self, input: ParseStream<'_>) -> Result<TokenStream, Error> {
        let rules: Vec<Expr> = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            vec![input.parse()?]
        } else {
            let content;
            parenthesized!(content in input);
            Punctuated::<Expr, Token![,]>::parse_terminated(&content)?.into_iter().collect()
        };
        let inner = self.inner;
        let calls = rules.iter().map(|rule| quote_spanned!(rule.span()=> .validate::<#inner>(#rule)));
        Ok(quote!(#(#calls)*))
    }

    /// Finds what no schema can mean.
    fn check(&self) -> Result<(), Error> {
        let wrong = |problem: &str| Err(Error::new_spanned(self.field, problem));
        let (required, optional, computed) =
            (self.has("required"), self.has("optional"), self.has("computed"));
        let default = self.has("default");
        if !required && !optional && !computed && !default {
            return wrong(
                "say whether the attribute is `required`, `optional`, `computed` or has a `default`",
            );
        }
        if required && (optional || computed || default) {
            return wrong(
                "a `required` attribute is neither `optional` nor `computed`, and has no `default`",
            );
        }
        if self.has("write_only") && (computed || default) {
            return wrong(
                "a `write_only` attribute is not kept, so that the provider cannot choose its value",
            );
        }
        if (self.has("use_state_for_unknown") || self.has("not_null")) && !computed {
            return wrong(
                "`use_state_for_unknown` and `not_null` are about values that the provider chooses: say `computed`",
            );
        }
        if computed && self.room != Room::All {
            return wrong("what the provider chooses is not known before: give the field the type `Attr<T>`");
        }
        if self.room == Room::None && optional && !self.has("block") {
            return wrong(
                "an optional attribute may be null: give the field the type `Option<T>` or `Attr<T>`",
            );
        }
        if self.room == Room::None && self.has("write_only") {
            return wrong(
                "a write-only attribute is null wherever it is kept: give the field the type `Option<T>` or `Attr<T>`",
            );
        }
        Ok(())
    }
}

/// `#[model(exactly_one_of("a", "b"))]`: the groups, and the attributes in them.
fn groups(input: &DeriveInput) -> Result<(Vec<TokenStream>, Vec<LitStr>), Error> {
    let (mut groups, mut mentioned) = (Vec::new(), Vec::new());
    for written in input.attrs.iter().filter(|a| a.path().is_ident("model")) {
        written.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                let word: Ident = input.parse()?;
                if !GROUPS.contains(&word.to_string().as_str()) {
                    let known = GROUPS.map(|g| format!("`{g}`")).join(", ");
                    return Err(Error::new_spanned(&word, format!("found `{word}`, wanted one of {known}")));
                }
                let names = names(input)?;
                groups.push(quote!(sdk::check::Group::#word(&[#(#names),*])));
                mentioned.extend(names);
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        })?;
    }
    Ok((groups, mentioned))
}

/// `("a", "b")`
fn names(input: ParseStream<'_>) -> Result<Vec<LitStr>, Error> {
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

fn not_text(found: &Expr) -> Error {
    Error::new_spanned(found, "the name of an attribute is text in quotation marks")
}

fn unknown_word(word: &Ident) -> Error {
    let known = FLAGS.iter().chain(&["validate"]).chain(&SETTINGS).chain(&OTHERS);
    let known = known.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    Error::new_spanned(word, format!("found `{word}`, wanted one of {known}"))
}
