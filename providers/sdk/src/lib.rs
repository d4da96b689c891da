//! What the author of a provider writes against.
//!
//! A resource type is a [`Model`], which says what an object is made of, and a [`Resource`], which says how one is
//! created, read, changed and deleted. [`ProviderBuilder`] assembles them into a
//! [`Provider`](plumb_provider_api::Provider):
//!
//! ```
//! use plumb_provider_sdk::{Context, Failed, ProviderBuilder, Resource, async_trait, model};
//!
//! model! {
//!     /// A greeting.
//!     pub struct Greeting {
//!         /// Whom to greet.
//!         name: String [required, replace],
//!         /// The greeting.
//!         text: String [computed, not_null],
//!     }
//! }
//!
//! struct Greetings;
//!
//! #[async_trait]
//! impl Resource for Greetings {
//!     type Model = Greeting;
//!     type Client = ();
//!
//!     async fn create(&self, planned: Greeting, _: &mut Context<()>) -> Result<Greeting, Failed<Greeting>> {
//!         let text = format!("Hello {}!", planned.name.known().map_or("", String::as_str));
//!         Ok(Greeting { text: text.into(), ..planned })
//!     }
//! }
//!
//! let provider = ProviderBuilder::new("greetings").resource("greeting", Greetings).build();
//! ```
//!
//! What always holds for a provider that is built here: planning follows the contract's rules from the flags in the
//! model, before the author's own [`Resource::plan`] is asked; values that do not fit the model become diagnostics
//! and never reach the author; private state passes through unless it is replaced; schemas are assembled once.
//!
//! Elsewhere: the contract is `plumb-provider-api`. [`fake`] is a provider for tests that misbehaves on demand,
//! [`harness`] drives any provider through whole lives of objects.

pub mod attribute;
pub mod check;
pub mod context;
pub mod fake;
pub mod harness;
pub mod model;
pub mod plan;
pub mod provider;
pub mod resource;
mod shape;

#[doc(no_inline)]
pub use async_trait::async_trait;
#[doc(hidden)]
pub use plumb_model;

pub use attribute::{Attr, AttributeValue, Mismatch};
pub use check::Checks;
pub use context::{Context, Failed, Left, Private, Stop};
pub use model::{AttributeSpec, Model};
pub use plan::Planning;
pub use provider::{Configure, ProviderBuilder};
pub use resource::{DataSource, Resource};
