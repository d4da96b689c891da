//! Ephemeral resources: opened when they are needed, renewed while a command runs, closed at its end.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use ecow::EcoString;
use plumb_model::address::Instance;
use plumb_model::{Diagnostics, Marks, Value};
use plumb_provider_api::Provider;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// An open ephemeral resource.
pub(crate) struct Open {
    /// The object, marked as ephemeral.
    pub value: Value,
    address: Instance,
    provider: Arc<dyn Provider>,
    private: Arc<Mutex<Bytes>>,
    renewing: Option<JoinHandle<()>>,
}

impl Open {
    /// Opens with a wholly known configuration.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn open(
        address: Instance,
        provider: Arc<dyn Provider>,
        config: Value,
    ) -> Result<(Open, Diagnostics), Diagnostics> {
        let kind = address.resource.kind.clone();
        let mut warnings = provider.validate_ephemeral(&kind, config.clone()).await.into_result()?;
        let (opened, more) = provider.open(&kind, config).await.into_result()?;
        warnings.extend(more);
        let private = Arc::new(Mutex::new(opened.private));
        let renewing =
            opened.renew_at.map(|at| tokio::spawn(renew(provider.clone(), kind, private.clone(), at)));
        let value = opened.result.with_marks(Marks::EPHEMERAL);
        Ok((Open { value, address, provider, private, renewing }, warnings))
    }

    /// Ends it.
    pub async fn close(self) -> Diagnostics {
        if let Some(renewing) = &self.renewing {
            renewing.abort();
        }
        let private = self.private.lock().await.clone();
        let found = self.provider.close(&self.address.resource.kind, private).await;
        found.about(&self.address)
    }
}

/// Renews as often as the provider asks for; ends when it does not ask any more or cannot.
async fn renew(provider: Arc<dyn Provider>, kind: EcoString, private: Arc<Mutex<Bytes>>, first: SystemTime) {
    let mut next = Some(first);
    while let Some(at) = next {
        tokio::time::sleep(at.duration_since(SystemTime::now()).unwrap_or_default()).await;
        let current = private.lock().await.clone();
        next = match provider.renew(&kind, current).await.into_result() {
            Ok(((renewed, at), _)) => {
                *private.lock().await = renewed;
                at
            }
            // Whatever uses the object will be told by the system that it belongs to.
            Err(_) => None,
        };
    }
}
