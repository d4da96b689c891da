//! A provider for tests of the engine: it manages objects in memory and misbehaves on demand.
//!
//! Its name is `fake`, its resource type and data source are `fake_object`. Objects live in a simulated remote
//! system, which tests look into and change behind the engine's back. Every call is logged. [`Fake::on`] alters what
//! happens when an operation meets an object with a certain `name`:
//!
//! ```
//! use plumb_provider_sdk::fake::{Behaviour, Fake, Operation};
//!
//! let fake = Fake::new();
//! fake.on(Operation::Create, "database", Behaviour::Fail("quota exceeded".into()));
//! let provider = fake.provider();
//! ```

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ecow::EcoString;
use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_provider_api::{
    Answer, ApplyRequest, ApplyResponse, ImportTarget, ImportedResource, PlanRequest, PlanResponse, Provider,
    ProviderSchema, RawState, ReadRequest, ReadResponse,
};
use tokio::sync::{Notify, watch};

use crate::Model;
use crate::attribute::Attr;
use crate::context::{Context, Failed};
use crate::provider::ProviderBuilder;
use crate::resource::{DataSource, Resource};

/// An object in the memory of a test.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct FakeObject {
    /// How tests name it; behaviours and the log go by it.
    #[attribute(required)]
    pub name: Attr<String>,
    /// Anything.
    #[attribute(optional)]
    pub value: Attr<Value>,
    /// Anything; never shown.
    #[attribute(optional, sensitive)]
    pub secret: Attr<String>,
    /// A change needs another object.
    #[attribute(optional, requires_replace)]
    pub force: Attr<String>,
    /// What it is made from: where it is not set, `size` is 1.
    #[attribute(default = 1)]
    pub size: Attr<i64>,
    /// Told apart by it.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
    /// How often it was written.
    #[attribute(computed, not_null)]
    pub revision: Attr<i64>,
}

/// An object in the memory of a test, looked up by id.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct FakeLookup {
    /// Which.
    #[attribute(required)]
    pub id: Attr<String>,
    /// Its name; null where there is no such object.
    #[attribute(computed)]
    pub name: Attr<String>,
    /// Its value.
    #[attribute(computed)]
    pub value: Attr<Value>,
}

/// What the engine may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// [`Provider::validate_resource`].
    Validate,
    /// [`Provider::upgrade`].
    Upgrade,
    /// [`Provider::plan`].
    Plan,
    /// [`Provider::read`].
    Read,
    /// [`Provider::apply`] of an object that does not exist.
    Create,
    /// [`Provider::apply`] of an object that exists.
    Update,
    /// [`Provider::apply`] of nothing.
    Delete,
    /// [`Provider::import`]; the name is the id.
    Import,
    /// [`Provider::read_data`]; the name is the id.
    ReadData,
    /// [`Provider::configure`]; the name is empty.
    Configure,
}

/// How an operation goes wrong.
#[derive(Clone)]
pub enum Behaviour {
    /// It fails before anything happens, with this text.
    Fail(String),
    /// It is done, and fails with this text nevertheless.
    FailAfter(String),
    /// It is done, and fails without saying what became of the object.
    FailUnsure(String),
    /// It never ends, unless the provider is asked to stop or [`Fake::release`] is called.
    Hang,
    /// It takes at least this long.
    Slow(Duration),
    /// The object in the answer is put through this.
    Lie(Arc<dyn Fn(Value) -> Value + Send + Sync>),
}

impl Behaviour {
    /// The object in the answer is put through `f`.
    pub fn lie(f: impl Fn(Value) -> Value + Send + Sync + 'static) -> Behaviour {
        Behaviour::Lie(Arc::new(f))
    }

    /// The object in the answer has another value in one attribute.
    pub fn lie_about(attribute: &'static str, value: Value) -> Behaviour {
        Behaviour::lie(move |object| match &object {
            Value::Object(entries) => Value::Object(Arc::new(
                entries.map_values(|name, old| if name == attribute { value.clone() } else { old.clone() }),
            )),
            _ => object,
        })
    }
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was asked.
    pub operation: Operation,
    /// The `name` of the object it was about.
    pub name: EcoString,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", format!("{:?}", self.operation).to_lowercase(), self.name)
    }
}

/// What happens to an operation on a name, and how many more times.
struct Rule {
    operation: Operation,
    name: String,
    behaviour: Behaviour,
    times: usize,
}

/// The simulated remote system and the wishes of the test. Clones share both.
#[derive(Clone, Default)]
pub struct Fake {
    world: Arc<World>,
}

#[derive(Default)]
struct World {
    objects: Mutex<BTreeMap<String, FakeObject>>,
    rules: Mutex<Vec<Rule>>,
    log: Mutex<Vec<Call>>,
    next: AtomicU64,
    running: AtomicUsize,
    peak: AtomicUsize,
    released: Notify,
    called: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fake {
    /// An empty remote system.
    pub fn new() -> Fake {
        Fake::default()
    }

    /// A provider of this remote system. Several may be made: they share it, as processes share a service.
    pub fn provider(&self) -> Arc<dyn Provider> {
        let honest = ProviderBuilder::new("fake")
            .resource("fake_object", Objects(self.world.clone()))
            .data_source("fake_object", Lookup(self.world.clone()))
            .build();
        Arc::new(FakeProvider { world: self.world.clone(), honest, stop: watch::channel(false).0 })
    }

    /// From now on, `operation` on objects named `name` (`*` for any) behaves like this.
    pub fn on(&self, operation: Operation, name: &str, behaviour: Behaviour) {
        self.on_next(usize::MAX, operation, name, behaviour);
    }

    /// As [`Fake::on`], but only the next `times` times. Later wishes go before earlier ones.
    pub fn on_next(&self, times: usize, operation: Operation, name: &str, behaviour: Behaviour) {
        lock(&self.world.rules).push(Rule { operation, name: name.into(), behaviour, times });
    }

    /// Forgets all wishes.
    pub fn behave(&self) {
        lock(&self.world.rules).clear();
    }

    /// Lets calls go on that hang now.
    pub fn release(&self) {
        self.world.released.notify_waiters();
    }

    /// The calls so far, in the order in which they began.
    pub fn log(&self) -> Vec<Call> {
        lock(&self.world.log).clone()
    }

    /// Forgets the calls so far.
    pub fn clear_log(&self) {
        lock(&self.world.log).clear();
        self.world.peak.store(0, Ordering::SeqCst);
    }

    /// How often an operation was asked for, on any object.
    pub fn count(&self, operation: Operation) -> usize {
        lock(&self.world.log).iter().filter(|call| call.operation == operation).count()
    }

    /// Waits until an operation on a name has begun.
    pub async fn called(&self, operation: Operation, name: &str) {
        loop {
            let notified = self.world.called.notified();
            if lock(&self.world.log).iter().any(|c| c.operation == operation && c.name == name) {
                return;
            }
            notified.await;
        }
    }

    /// The greatest number of creations, updates, deletions and reads at a time.
    pub fn peak_concurrency(&self) -> usize {
        self.world.peak.load(Ordering::SeqCst)
    }

    /// The objects that really exist, by id.
    pub fn objects(&self) -> BTreeMap<String, FakeObject> {
        lock(&self.world.objects).clone()
    }

    /// The names of the objects that really exist, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            lock(&self.world.objects).values().map(|o| o.name.text().to_owned()).collect();
        names.sort();
        names
    }

    /// Changes an object behind everyone's back. Whether there was one of that name.
    pub fn alter(&self, name: &str, change: impl FnOnce(&mut FakeObject)) -> bool {
        let mut objects = lock(&self.world.objects);
        let found = objects.values_mut().find(|o| o.name.text() == name);
        found.map(change).is_some()
    }

    /// Deletes an object behind everyone's back. Whether there was one of that name.
    pub fn lose(&self, name: &str) -> bool {
        let mut objects = lock(&self.world.objects);
        let before = objects.len();
        objects.retain(|_, o| o.name.text() != name);
        objects.len() < before
    }
}

/// Counts a call as running while it lives.
struct Running<'w>(&'w World);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl World {
    fn new_id(&self) -> String {
        format!("fake-{}", self.next.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// Logs a call and finds what is wished for it.
    fn enter(&self, operation: Operation, name: &str) -> Option<Behaviour> {
        lock(&self.log).push(Call { operation, name: name.into() });
        self.called.notify_waiters();
        let mut rules = lock(&self.rules);
        let rule = rules.iter_mut().rev().find(|rule| {
            rule.operation == operation && rule.times > 0 && (rule.name == "*" || rule.name == name)
        })?;
        rule.times = rule.times.saturating_sub(usize::from(rule.times != usize::MAX));
        Some(rule.behaviour.clone())
    }

    fn running(&self) -> Running<'_> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(running, Ordering::SeqCst);
        Running(self)
    }

    fn find(&self, id: &str) -> Option<FakeObject> {
        lock(&self.objects).get(id).cloned()
    }
}

/// The honest part.
struct Objects(Arc<World>);

#[async_trait]
impl Resource for Objects {
    type Model = FakeObject;
    type Client = ();

    async fn create(
        &self,
        planned: FakeObject,
        _: &mut Context<()>,
    ) -> Result<FakeObject, Failed<FakeObject>> {
        let id = self.0.new_id();
        let object = FakeObject { id: id.clone().into(), revision: 1.into(), ..planned };
        lock(&self.0.objects).insert(id, object.clone());
        Ok(object)
    }

    async fn read(
        &self,
        current: FakeObject,
        _: &mut Context<()>,
    ) -> Result<Option<FakeObject>, Diagnostics> {
        if let Some(id) = current.id.known() {
            return Ok(self.0.find(id));
        }
        // An interrupted creation: the object may exist under the name that was planned.
        let objects = lock(&self.0.objects);
        Ok(objects.values().find(|o| o.name == current.name).cloned())
    }

    async fn update(
        &self,
        prior: FakeObject,
        planned: FakeObject,
        _: &mut Context<()>,
    ) -> Result<FakeObject, Failed<FakeObject>> {
        let id = prior.id.text().to_owned();
        let mut objects = lock(&self.0.objects);
        let Some(found) = objects.get_mut(&id) else {
            return Err(Diagnostic::error("fake-missing", "Object does not exist").detail(id).into());
        };
        let revision = found.revision.known().copied().unwrap_or(0) + 1;
        *found = FakeObject { id: prior.id, revision: revision.into(), ..planned };
        Ok(found.clone())
    }

    async fn delete(&self, prior: FakeObject, _: &mut Context<()>) -> Result<(), Failed<FakeObject>> {
        lock(&self.0.objects).remove(prior.id.text());
        Ok(())
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<FakeObject, Diagnostics> {
        Ok(FakeObject { id: id.into(), ..FakeObject::default() })
    }
}

struct Lookup(Arc<World>);

#[async_trait]
impl DataSource for Lookup {
    type Model = FakeLookup;
    type Client = ();

    async fn read(&self, config: FakeLookup, _: &mut Context<()>) -> Result<FakeLookup, Diagnostics> {
        let found = self.0.find(config.id.text()).unwrap_or_default();
        Ok(FakeLookup { name: found.name, value: found.value, ..config })
    }
}

/// The honest provider and what tests do to it.
struct FakeProvider {
    world: Arc<World>,
    honest: Arc<dyn Provider>,
    stop: watch::Sender<bool>,
}

fn failure(text: &str) -> Diagnostic {
    Diagnostic::error("fake-failure", "Simulated failure").detail(text)
}

fn name_of(object: &Value) -> EcoString {
    object.get("name").and_then(Value::as_str).cloned().unwrap_or_default()
}

impl FakeProvider {
    /// What is to be done before the operation. An error takes its place.
    async fn before(&self, behaviour: Option<&Behaviour>) -> Result<(), Diagnostic> {
        match behaviour {
            Some(Behaviour::Fail(text)) => Err(failure(text)),
            Some(Behaviour::Slow(duration)) => {
                tokio::time::sleep(*duration).await;
                Ok(())
            }
            Some(Behaviour::Hang) => {
                let mut stopped = self.stop.subscribe();
                tokio::select! {
                    () = self.world.released.notified() => Ok(()),
                    _ = stopped.wait_for(|stopped| *stopped) => Err(failure("The provider was asked to stop.")),
                }
            }
            _ => Ok(()),
        }
    }

    /// An answer, misrepresented if that is wished.
    fn after<T>(
        behaviour: Option<&Behaviour>,
        mut answer: Answer<T>,
        part: fn(&mut T) -> &mut Value,
    ) -> Answer<T> {
        match behaviour {
            Some(Behaviour::FailAfter(text) | Behaviour::FailUnsure(text)) => {
                answer.diagnostics.push(failure(text));
                answer.value = None;
            }
            Some(Behaviour::Lie(lie)) => {
                if let Some(value) = &mut answer.value {
                    let part = part(value);
                    *part = lie(part.clone());
                }
            }
            _ => {}
        }
        answer
    }
}

#[async_trait]
impl Provider for FakeProvider {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.honest.schema().await
    }

    async fn validate_provider(&self, config: Value) -> Diagnostics {
        self.honest.validate_provider(config).await
    }

    async fn configure(&self, config: Value) -> Diagnostics {
        let behaviour = self.world.enter(Operation::Configure, "");
        match self.before(behaviour.as_ref()).await {
            Ok(()) => self.honest.configure(config).await,
            Err(diagnostic) => diagnostic.into(),
        }
    }

    async fn validate_resource(&self, kind: &str, config: Value) -> Diagnostics {
        let behaviour = self.world.enter(Operation::Validate, &name_of(&config));
        match self.before(behaviour.as_ref()).await {
            Ok(()) => self.honest.validate_resource(kind, config).await,
            Err(diagnostic) => diagnostic.into(),
        }
    }

    async fn validate_data(&self, kind: &str, config: Value) -> Diagnostics {
        self.honest.validate_data(kind, config).await
    }

    async fn upgrade(&self, kind: &str, version: i64, state: RawState) -> Answer<Value> {
        let behaviour = self.world.enter(Operation::Upgrade, "");
        if let Err(diagnostic) = self.before(behaviour.as_ref()).await {
            return Answer::error(diagnostic);
        }
        Self::after(behaviour.as_ref(), self.honest.upgrade(kind, version, state).await, |v| v)
    }

    async fn read(&self, request: ReadRequest) -> Answer<ReadResponse> {
        let behaviour = self.world.enter(Operation::Read, &name_of(&request.current));
        let _running = self.world.running();
        if let Err(diagnostic) = self.before(behaviour.as_ref()).await {
            return Answer::error(diagnostic);
        }
        Self::after(behaviour.as_ref(), self.honest.read(request).await, |r| &mut r.state)
    }

    async fn plan(&self, request: PlanRequest) -> Answer<PlanResponse> {
        let object = if request.config.is_null() { &request.prior } else { &request.config };
        let behaviour = self.world.enter(Operation::Plan, &name_of(object));
        if let Err(diagnostic) = self.before(behaviour.as_ref()).await {
            return Answer::error(diagnostic);
        }
        Self::after(behaviour.as_ref(), self.honest.plan(request).await, |r| &mut r.planned)
    }

    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        let (operation, object) = match (request.prior.is_null(), request.planned.is_null()) {
            (true, _) => (Operation::Create, &request.planned),
            (false, false) => (Operation::Update, &request.planned),
            (false, true) => (Operation::Delete, &request.prior),
        };
        let behaviour = self.world.enter(operation, &name_of(object));
        let _running = self.world.running();
        if let Err(diagnostic) = self.before(behaviour.as_ref()).await {
            return ApplyResponse {
                state: Some(request.prior),
                private: request.planned_private,
                identity: None,
                legacy_type_system: false,
                diagnostics: diagnostic.into(),
            };
        }
        let mut response = self.honest.apply(request).await;
        match behaviour {
            Some(Behaviour::FailAfter(text)) => response.diagnostics.push(failure(&text)),
            Some(Behaviour::FailUnsure(text)) => {
                response.diagnostics.push(failure(&text));
                response.state = None;
            }
            Some(Behaviour::Lie(lie)) => response.state = response.state.map(|state| lie(state)),
            _ => {}
        }
        response
    }

    async fn import(&self, kind: &str, target: ImportTarget) -> Answer<Vec<ImportedResource>> {
        let name = match &target {
            ImportTarget::Id(id) => id.clone(),
            ImportTarget::Identity(_) => EcoString::new(),
        };
        let behaviour = self.world.enter(Operation::Import, &name);
        if let Err(diagnostic) = self.before(behaviour.as_ref()).await {
            return Answer::error(diagnostic);
        }
        self.honest.import(kind, target).await
    }

    async fn read_data(&self, kind: &str, config: Value, meta: Option<Value>) -> Answer<Value> {
        let name = config.get("id").and_then(Value::as_str).cloned().unwrap_or_default();
        let behaviour = self.world.enter(Operation::ReadData, &name);
        let _running = self.world.running();
        if let Err(diagnostic) = self.before(behaviour.as_ref()).await {
            return Answer::error(diagnostic);
        }
        Self::after(behaviour.as_ref(), self.honest.read_data(kind, config, meta).await, |v| v)
    }

    async fn stop(&self) {
        self.stop.send_replace(true);
        self.honest.stop().await;
    }
}
