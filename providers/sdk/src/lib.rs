//! What the author of a provider writes against.
//!
//! A resource type is a [`Model`], which says what an object is made of, and a [`Resource`], which says how one is
//! created, read, changed and deleted. [`ProviderBuilder`] assembles them into a
//! [`Provider`](plumb_provider_api::Provider):
//!
//! ```
//! use plumb_provider_sdk::{Attr, Context, Failed, Model, ProviderBuilder, Resource, async_trait};
//!
//! /// A greeting.
//! #[derive(Clone, Debug, Model)]
//! struct Greeting {
//!     /// Whom to greet.
//!     #[attribute(required, requires_replace)]
//!     name: String,
//!     /// The greeting.
//!     #[attribute(computed, not_null)]
//!     text: Attr<String>,
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
//!         let text = format!("Hello {}!", planned.name);
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

// The derives name this crate by its name, also within it.
extern crate self as plumb_provider_sdk;

pub mod action;
pub mod attribute;
mod built;
pub mod check;
pub mod context;
mod declared;
pub mod ephemeral;
mod erased;
pub mod fake;
pub mod function;
pub mod harness;
pub mod log;
pub mod model;
pub mod plan;
pub mod provider;
pub mod resource;
mod rules;
mod serve;

#[doc(no_inline)]
pub use async_trait::async_trait;
#[doc(no_inline)]
pub use plumb_model::{Diagnostic, Diagnostics, Number, Path, Step, Type, Value, schema};
#[doc(no_inline)]
pub use plumb_provider_api::{FunctionError, Progress, Provider};
pub use plumb_provider_sdk_derive::{Arguments, Model};
#[doc(no_inline)]
pub use tracing;

pub use action::{Action, Reporter};
pub use attribute::{Attr, AttributeValue, Mismatch};
pub use check::Checks;
pub use context::{Context, Failed, Left, Private, Stop};
pub use ephemeral::{EphemeralResource, Opened};
pub use function::{Arguments, Function};
pub use model::{AttributeSpec, Model};
pub use plan::Planning;
pub use provider::{Configure, ProviderBuilder};
pub use resource::{DataSource, Identity, MoveSource, Resource};
pub use serve::{is_started_by_host, serve};
