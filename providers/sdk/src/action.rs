//! Actions: what is done when something else changes, or when somebody asks, and leaves no object behind.

use async_trait::async_trait;
use plumb_model::Diagnostics;
use plumb_provider_api::Progress;

use crate::check::Checks;
use crate::context::Context;
use crate::model::Model;

/// An action: restarting a service, clearing a cache, sending a message.
///
/// It is planned together with the change that triggers it, and invoked before or after that. Nothing of it is recorded
/// in state, and it may be invoked any number of times.
///
/// ```
/// use plumb_provider_sdk::{Action, Context, Diagnostics, Model, ProviderBuilder, Reporter, async_trait};
///
/// /// Whom to tell.
/// #[derive(Clone, Debug, Model)]
/// struct Message {
///     /// The text.
///     #[attribute(required)]
///     text: String,
/// }
///
/// struct Tell;
///
/// #[async_trait]
/// impl Action for Tell {
///     type Model = Message;
///     type Client = ();
///
///     async fn invoke(
///         &self,
///         config: Message,
///         progress: &Reporter,
///         _: &mut Context<()>,
///     ) -> Result<(), Diagnostics> {
///         progress.say(format!("telling {:?}", config.text));
///         Ok(())
///     }
/// }
///
/// let provider = ProviderBuilder::new("example").action("example_tell", Tell).build();
/// ```
#[async_trait]
pub trait Action: Send + Sync + 'static {
    /// The arguments; an action has no computed attributes.
    type Model: Model;
    /// As [`Resource::Client`](crate::Resource::Client).
    type Client: Send + Sync + 'static;

    /// Checks a configuration, in which parts may be unknown.
    fn validate(&self, _config: &Self::Model, _checks: &mut Checks) {}

    /// Does it. Errors say truthfully what was done and what was not; `progress` tells the user how far it is.
    async fn invoke(
        &self,
        config: Self::Model,
        progress: &Reporter,
        context: &mut Context<Self::Client>,
    ) -> Result<(), Diagnostics>;
}

/// Tells the user what an action is doing.
#[derive(Clone)]
pub struct Reporter(Progress);

impl Reporter {
    /// Hands messages on.
    pub fn new(progress: Progress) -> Reporter {
        Reporter(progress)
    }

    /// Shows a message at once.
    pub fn say(&self, message: impl Into<ecow::EcoString>) {
        (self.0)(message.into());
    }
}
