//! What an author is given beside the object, and how failure is told.

use std::sync::Arc;

use bytes::Bytes;
use plumb_model::{Diagnostic, Diagnostics, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::attribute::Mismatch;
use crate::model::Model;
use crate::rules;

/// What the provider wants remembered with an object. Nobody else looks into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private(Bytes);

impl Private {
    /// What was remembered; the default where there is nothing, or nothing that can be read.
    pub fn get<T: DeserializeOwned + Default>(&self) -> T {
        serde_json::from_slice(&self.0).unwrap_or_default()
    }

    /// Remembers something else. It must not be a secret.
    pub fn set<T: Serialize>(&mut self, value: &T) {
        self.0 = serde_json::to_vec(value).expect("private state has only string keys").into();
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As it is kept.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl From<Bytes> for Private {
    fn from(bytes: Bytes) -> Private {
        Private(bytes)
    }
}

impl From<Private> for Bytes {
    fn from(private: Private) -> Bytes {
        private.0
    }
}

/// Tells running calls that they should end soon.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn new(receiver: watch::Receiver<bool>) -> Stop {
        Stop(receiver)
    }

    /// Whether the provider was asked to stop.
    pub fn requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the provider is asked to stop.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stopped| *stopped).await.is_err() {
            // The provider is gone; it will not ask any more.
            std::future::pending::<()>().await;
        }
    }

    /// A signal that never comes, for calls outside of a provider.
    pub fn never() -> Stop {
        Stop(watch::channel(false).1)
    }
}

/// What an author is given beside the object.
#[derive(Debug)]
pub struct Context<C> {
    /// What [`Configure::configure`](crate::Configure::configure) made.
    pub client: Arc<C>,
    /// What is remembered with the object. Changes are kept.
    pub private: Private,
    /// Tells that the call should end soon.
    pub stop: Stop,
    pub(crate) config: Option<Value>,
    pub(crate) meta: Option<Value>,
    pub(crate) diagnostics: Diagnostics,
}

impl<C> Context<C> {
    pub(crate) fn new(client: Arc<C>, private: Bytes, stop: Stop) -> Context<C> {
        Context {
            client,
            private: private.into(),
            stop,
            config: None,
            meta: None,
            diagnostics: Diagnostics::new(),
        }
    }

    /// The configuration, with defaults and write-only attributes, which the planned object lacks. `None` where there is none:
    /// when reading and deleting.
    ///
    /// # Errors
    /// If it does not fit the model.
    pub fn config<M: Model>(&self) -> Result<Option<M>, Diagnostics> {
        self.config.as_ref().map(rules::read_model).transpose()
    }

    /// What the module says to the provider in its `provider_meta`, if it says something.
    ///
    /// # Errors
    /// If it does not fit the model, which is the one given to
    /// [`ProviderBuilder::meta`](crate::ProviderBuilder::meta).
    pub fn meta<M: Model>(&self) -> Result<Option<M>, Diagnostics> {
        self.meta.as_ref().filter(|meta| !meta.is_null()).map(rules::read_model).transpose()
    }

    /// Says something beside the result.
    pub fn warn(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// What is left of an object after a failure.
#[derive(Clone, Debug, PartialEq)]
pub enum Left<M> {
    /// What was there before: nothing after a failed creation, the prior object otherwise.
    Unchanged,
    /// This. Attributes that are unknown in it become null.
    Object(Box<M>),
    /// Nothing.
    Nothing,
    /// It cannot be said.
    Unsure,
}

/// A change that did not succeed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed<M> {
    /// What went wrong; at least one error.
    pub diagnostics: Diagnostics,
    /// What is left.
    pub left: Left<M>,
}

impl<M> Failed<M> {
    /// The object was made or changed in part, and is like this now.
    pub fn leaving(object: M, diagnostics: impl Into<Diagnostics>) -> Failed<M> {
        Failed { diagnostics: diagnostics.into(), left: Left::Object(Box::new(object)) }
    }

    /// It cannot be said what became of the object.
    pub fn unsure(diagnostics: impl Into<Diagnostics>) -> Failed<M> {
        Failed { diagnostics: diagnostics.into(), left: Left::Unsure }
    }
}

impl<M> From<Diagnostic> for Failed<M> {
    fn from(diagnostic: Diagnostic) -> Failed<M> {
        Failed { diagnostics: diagnostic.into(), left: Left::Unchanged }
    }
}

impl<M> From<Diagnostics> for Failed<M> {
    fn from(diagnostics: Diagnostics) -> Failed<M> {
        Failed { diagnostics, left: Left::Unchanged }
    }
}

impl<M> From<Mismatch> for Failed<M> {
    fn from(mismatch: Mismatch) -> Failed<M> {
        rules::mismatch(mismatch).into()
    }
}
