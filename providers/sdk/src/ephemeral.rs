//! Ephemeral resources: what exists while a command runs, and is never kept.

use std::time::SystemTime;

use async_trait::async_trait;
use plumb_model::Diagnostics;

use crate::check::Checks;
use crate::context::Context;
use crate::model::Model;

/// An ephemeral resource type: a token, a tunnel, a lease.
///
/// It is opened when something refers to it, renewed as long as the command runs, and closed at its end. What the calls
/// must know of each other goes into [`Context::private`].
#[async_trait]
pub trait EphemeralResource: Send + Sync + 'static {
    /// Arguments and results.
    type Model: Model;
    /// As [`Resource::Client`](crate::Resource::Client).
    type Client: Send + Sync + 'static;

    /// Checks a configuration, in which parts may be unknown.
    fn validate(&self, _config: &Self::Model, _checks: &mut Checks) {}

    /// Opens it. Defaults are filled in; computed attributes are null in `config` and set in the result.
    async fn open(
        &self,
        config: Self::Model,
        context: &mut Context<Self::Client>,
    ) -> Result<Opened<Self::Model>, Diagnostics>;

    /// Keeps it open. Says when to ask again, if ever. Called only where [`Opened::renew_at`] or an earlier call said so.
    async fn renew(&self, _context: &mut Context<Self::Client>) -> Result<Option<SystemTime>, Diagnostics> {
        Ok(None)
    }

    /// Closes it.
    async fn close(&self, _context: &mut Context<Self::Client>) -> Result<(), Diagnostics> {
        Ok(())
    }
}

/// What was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened<M> {
    /// The object.
    pub object: M,
    /// When it must be renewed, if it must be.
    pub renew_at: Option<SystemTime>,
}

impl<M> Opened<M> {
    /// The same, to be renewed at a time.
    #[must_use]
    pub fn renew_at(mut self, time: SystemTime) -> Opened<M> {
        self.renew_at = Some(time);
        self
    }
}

impl<M> From<M> for Opened<M> {
    fn from(object: M) -> Opened<M> {
        Opened { object, renew_at: None }
    }
}
