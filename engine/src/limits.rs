//! Keeps the calls to a provider within bounds that the configuration sets.
//!
//! What is counted are the calls that usually reach the remote system: reading, creating, changing and deleting objects,
//! importing them, reading data sources, and opening, renewing and closing ephemeral resources. Planning, checking and
//! upgrading are answered by the provider alone, and pass. The bounds hold for all configurations of a provider together,
//! since they usually talk to the same system. Trying again after the remote system refused is the provider's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use ecow::EcoString;
use plumb_model::{Diagnostics, Value};
use plumb_provider_api::{
    Answer, ApplyRequest, ApplyResponse, FunctionError, ImportTarget, ImportedResource, MoveRequest,
    OpenResponse, PlanRequest, PlanResponse, Provider, ProviderSchema, RawState, ReadRequest, ReadResponse,
};
use plumb_semantics::program::{Limits, ProviderLimits};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The bounds of one provider.
pub struct Limiter {
    all: Gate,
    types: BTreeMap<EcoString, Gate>,
}

impl Limiter {
    /// With these bounds.
    pub fn new(limits: &ProviderLimits) -> Limiter {
        let types = limits.types.iter().map(|(kind, limits)| (kind.clone(), Gate::new(limits)));
        Limiter { all: Gate::new(&limits.all), types: types.collect() }
    }

    /// A provider whose calls are kept within these bounds.
    pub fn limit(self: &Arc<Limiter>, provider: Arc<dyn Provider>) -> Arc<dyn Provider> {
        Arc::new(Limited { limiter: self.clone(), provider })
    }

    /// Waits until a call about a type may be made; what is given is dropped when the call has ended.
    async fn enter(&self, kind: &str) -> (Option<SemaphorePermit<'_>>, Option<SemaphorePermit<'_>>) {
        // First the narrow gate, so that whoever waits there keeps nobody else out.
        let narrow = match self.types.get(kind) {
            Some(gate) => gate.enter().await,
            None => None,
        };
        (narrow, self.all.enter().await)
    }
}

/// One bound on how many calls run at once, and one on how many begin in a second.
struct Gate {
    slots: Option<Semaphore>,
    pace: Option<Pace>,
}

struct Pace {
    between: Duration,
    next: Mutex<Option<Instant>>,
}

impl Gate {
    fn new(limits: &Limits) -> Gate {
        let slots = limits.concurrency.map(|count| {
            Semaphore::new(usize::try_from(count).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS))
        });
        let between = |rate: f64| Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::MAX);
        let pace = limits.per_second.map(|rate| Pace { between: between(rate), next: Mutex::default() });
        Gate { slots, pace }
    }

    async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        let permit = match &self.slots {
            Some(slots) => Some(slots.acquire().await.expect("nobody closes it")),
            None => None,
        };
        if let Some(at) = self.pace.as_ref().and_then(Pace::reserve) {
            sleep_until(at).await;
        }
        permit
    }
}

impl Pace {
    /// When the next call may begin. `None` for one that lies beyond all time.
    fn reserve(&self) -> Option<Instant> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let at = next.map_or(now, |next| next.max(now));
        *next = at.checked_add(self.between);
        Some(at)
    }
}

struct Limited {
    limiter: Arc<Limiter>,
    provider: Arc<dyn Provider>,
}

#[async_trait]
impl Provider for Limited {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.provider.schema().await
    }

    async fn schema_for(&self, kinds: &BTreeSet<EcoString>) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.provider.schema_for(kinds).await
    }

    async fn validate_provider(&self, config: Value) -> Diagnostics {
        self.provider.validate_provider(config).await
    }

    async fn configure(&self, config: Value) -> Diagnostics {
        self.provider.configure(config).await
    }

    async fn validate_resource(&self, kind: &str, config: Value) -> Diagnostics {
        self.provider.validate_resource(kind, config).await
    }

    async fn validate_data(&self, kind: &str, config: Value) -> Diagnostics {
        self.provider.validate_data(kind, config).await
    }

    async fn upgrade(&self, kind: &str, version: i64, state: RawState) -> Answer<Value> {
        self.provider.upgrade(kind, version, state).await
    }

    async fn upgrade_identity(&self, kind: &str, version: i64, identity: Bytes) -> Answer<Value> {
        self.provider.upgrade_identity(kind, version, identity).await
    }

    async fn read(&self, request: ReadRequest) -> Answer<ReadResponse> {
        let _permits = self.limiter.enter(&request.kind).await;
        self.provider.read(request).await
    }

    async fn plan(&self, request: PlanRequest) -> Answer<PlanResponse> {
        self.provider.plan(request).await
    }

    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        let _permits = self.limiter.enter(&request.kind).await;
        self.provider.apply(request).await
    }

    async fn import(&self, kind: &str, target: ImportTarget) -> Answer<Vec<ImportedResource>> {
        let _permits = self.limiter.enter(kind).await;
        self.provider.import(kind, target).await
    }

    async fn move_state(&self, request: MoveRequest) -> Answer<ImportedResource> {
        self.provider.move_state(request).await
    }

    async fn read_data(&self, kind: &str, config: Value, meta: Option<Value>) -> Answer<Value> {
        let _permits = self.limiter.enter(kind).await;
        self.provider.read_data(kind, config, meta).await
    }

    async fn validate_ephemeral(&self, kind: &str, config: Value) -> Diagnostics {
        self.provider.validate_ephemeral(kind, config).await
    }

    async fn open(&self, kind: &str, config: Value) -> Answer<OpenResponse> {
        let _permits = self.limiter.enter(kind).await;
        self.provider.open(kind, config).await
    }

    async fn renew(&self, kind: &str, private: Bytes) -> Answer<(Bytes, Option<SystemTime>)> {
        let _permits = self.limiter.enter(kind).await;
        self.provider.renew(kind, private).await
    }

    async fn close(&self, kind: &str, private: Bytes) -> Diagnostics {
        let _permits = self.limiter.enter(kind).await;
        self.provider.close(kind, private).await
    }

    async fn call(&self, name: &str, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        self.provider.call(name, arguments).await
    }

    async fn stop(&self) {
        self.provider.stop().await;
    }

    async fn shutdown(&self) {
        self.provider.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(concurrency: Option<u32>, per_second: Option<f64>) -> Limiter {
        let narrow = Gate::new(&Limits { concurrency, per_second });
        Limiter { all: Gate::new(&Limits::default()), types: BTreeMap::from([("narrow".into(), narrow)]) }
    }

    #[tokio::test]
    async fn calls_about_one_type_wait_for_each_other_and_for_no_others() {
        let limiter = limiter(Some(1), None);
        let first = limiter.enter("narrow").await;
        let second = async {
            let _permits = limiter.enter("narrow").await;
        };
        tokio::pin!(second);
        let others = async {
            for _ in 0..3 {
                let _permits = limiter.enter("wide").await;
            }
        };
        tokio::select! {
            biased;
            () = &mut second => panic!("only one call may run"),
            () = others => {}
        }
        drop(first);
        second.await;
    }

    #[test]
    fn calls_begin_at_the_pace_that_is_set() {
        let gate = Gate::new(&Limits { concurrency: None, per_second: Some(0.5) });
        let pace = gate.pace.unwrap();
        let begins: Vec<Instant> = (0..4).map(|_| pace.reserve().unwrap()).collect();
        for pair in begins.windows(2) {
            assert_eq!(pair[1] - pair[0], Duration::from_secs(2));
        }
    }
}
