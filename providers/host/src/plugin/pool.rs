//! The processes of one provider, and what they share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_provider_protocol::messages::{
    ClientCapabilities, ConfigureProviderRequest, Empty, GetProviderSchemaResponse,
    GetResourceIdentitySchemasResponse,
};
use plumb_provider_protocol::value;
use tokio::sync::{Mutex, OnceCell};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;
use tonic::Code;

use super::fault::{Asked, Speaker};
use super::{COMPATIBLE_VERSION, Options, Source};
use crate::process::Process;
use crate::schema::store::{Category, Store};
use crate::schema::{Schemas, digest};

/// What plugins are told that Plumb understands.
pub const CAPABILITIES: ClientCapabilities =
    ClientCapabilities { deferral_allowed: false, write_only_attributes_allowed: true };

/// How long to wait for a plugin's word that it heard of an interrupt.
const INTERRUPT_LIMIT: Duration = Duration::from_secs(10);

pub struct Pool {
    speaker: Speaker,
    source: Source,
    options: Options,
    slots: Mutex<Vec<Arc<Slot>>>,
    schemas: OnceCell<Arc<Schemas>>,
    cache_file: OnceCell<Option<PathBuf>>,
    /// How many configurations have not been shut down.
    pub users: AtomicUsize,
}

/// A process, running or about to start, and the configuration that it has or will have.
pub struct Slot {
    process: OnceCell<Process>,
    config: Mutex<Option<Value>>,
    configured: OnceCell<Diagnostics>,
}

impl Pool {
    pub fn new(address: String, source: Source, options: Options) -> Pool {
        Pool {
            speaker: Speaker::new(address),
            source,
            options,
            slots: Mutex::default(),
            schemas: OnceCell::new(),
            cache_file: OnceCell::new(),
            users: AtomicUsize::new(0),
        }
    }

    pub fn address(&self) -> &str {
        self.speaker.address()
    }

    pub fn speaker(&self) -> &Speaker {
        &self.speaker
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// A running process, whatever its configuration.
    pub async fn any(&self) -> Result<Process, Diagnostics> {
        let slot = {
            let mut slots = self.slots.lock().await;
            slots.retain(|slot| !slot.is_dead());
            if slots.is_empty() {
                slots.push(Slot::new(None));
            }
            slots[0].clone()
        };
        self.process(&slot).await
    }

    /// A process with the given configuration, and what it said to it.
    pub async fn configured(&self, config: &Value) -> Result<(Arc<Slot>, Diagnostics), Diagnostics> {
        let slot = self.slot_for(config).await;
        let process = self.process(&slot).await?;
        let configure = || self.configure(&process, config);
        let diagnostics = slot.configured.get_or_try_init(configure).await?.clone();
        if diagnostics.has_errors() {
            // Nobody else shall find a process that could not be configured.
            self.release(&slot).await;
        }
        Ok((slot, diagnostics))
    }

    async fn slot_for(&self, config: &Value) -> Arc<Slot> {
        let mut slots = self.slots.lock().await;
        slots.retain(|slot| !slot.is_dead());
        let mut free = None;
        for slot in slots.iter() {
            match &*slot.config.lock().await {
                Some(taken) if taken == config => return slot.clone(),
                None if free.is_none() => free = Some(slot.clone()),
                _ => {}
            }
        }
        if let Some(slot) = free {
            *slot.config.lock().await = Some(config.clone());
            return slot;
        }
        let slot = Slot::new(Some(config.clone()));
        slots.push(slot.clone());
        slot
    }

    async fn configure(&self, process: &Process, config: &Value) -> Result<Diagnostics, Diagnostics> {
        let asked = Asked::provider("ConfigureProvider");
        let ty = self.schemas().await?.object(Category::Provider, "")?.ty;
        let config = value::to_wire(config, &ty).map_err(|e| self.speaker.cannot_send(&asked, &e))?;
        let request = ConfigureProviderRequest {
            terraform_version: COMPATIBLE_VERSION.into(),
            config: Some(config),
            client_capabilities: Some(CAPABILITIES),
        };
        let answer = process.client().configure_provider(request);
        let answer = self.speaker.within(self.options.work_limit, process, &asked, answer).await?;
        Ok(self.speaker.reported(&answer.diagnostics))
    }

    /// The running process of a slot.
    pub async fn process(&self, slot: &Slot) -> Result<Process, Diagnostics> {
        slot.process.get_or_try_init(|| self.start()).await.cloned()
    }

    async fn start(&self) -> Result<Process, Diagnostics> {
        let started = match &self.source {
            Source::Program(program) => Process::start(&self.launch(program.clone())).await,
            Source::Running(at) => Process::attach(at.address.clone(), at.version, !at.test).await,
        };
        let process = started.map_err(|error| error.diagnostic(self.address()))?;
        match self.known().await {
            Some(schemas) if schemas.optional() => {}
            // Plugins built with older kits prepare themselves while they are asked for their schema.
            Some(_) => drop(self.ask_schema(&process).await?),
            None => {
                let schemas = self.ask(&process).await?;
                // Whoever was first has the same schemas.
                let _ = self.schemas.set(schemas.into());
            }
        }
        Ok(process)
    }

    /// The schemas, from the cache or else from a process.
    pub async fn schemas(&self) -> Result<Arc<Schemas>, Diagnostics> {
        if let Some(schemas) = self.known().await {
            return Ok(schemas);
        }
        self.any().await?;
        // A process that was started to ask for the schema has set it.
        self.schemas.get().cloned().ok_or_else(|| unconfigured(self.address()).into())
    }

    /// The schemas, if no process need be asked for them.
    async fn known(&self) -> Option<Arc<Schemas>> {
        if let Some(schemas) = self.schemas.get() {
            return Some(schemas.clone());
        }
        let store = Store::open(&self.cache_file().await?)?;
        // Whoever was first has the same schemas.
        let _ = self.schemas.set(Schemas::new(self.address().to_owned(), store).into());
        self.schemas.get().cloned()
    }

    /// Where the schemas of this very program are kept.
    async fn cache_file(&self) -> Option<PathBuf> {
        let find = || async {
            let (Source::Program(program), Some(cache)) = (&self.source, &self.options.cache) else {
                return None;
            };
            let (program, notes) = (program.clone(), cache.join("digests"));
            let digest = spawn_blocking(move || digest::digest(&program, &notes)).await.ok()?.ok()?;
            Some(cache.join("schemas").join(digest))
        };
        self.cache_file.get_or_init(find).await.clone()
    }

    async fn ask_schema(&self, process: &Process) -> Result<GetProviderSchemaResponse, Diagnostics> {
        let asked = Asked::provider("GetProviderSchema");
        let answer = process.client().get_provider_schema(Empty {});
        let answer = self.speaker.within(self.options.quick_limit, process, &asked, answer).await?;
        self.refuse(&answer.diagnostics)?;
        if answer.provider.is_none() {
            return Err(self.speaker.broken(&asked, "it gives no schema of its own configuration").into());
        }
        Ok(answer)
    }

    async fn ask(&self, process: &Process) -> Result<Schemas, Diagnostics> {
        let answer = self.ask_schema(process).await?;
        let identities = self.ask_identities(process, &answer).await?;
        let store = Store::from_answers(process.client().version(), answer, identities);
        let path = self.cache_file().await;
        let save = move || {
            // What cannot be kept is asked for again by the next command.
            let _ = path.map(|path| store.save(&path));
            store
        };
        let store = spawn_blocking(save).await.expect("saving does not panic");
        Ok(Schemas::new(self.address().to_owned(), store))
    }

    async fn ask_identities(
        &self,
        process: &Process,
        schema: &GetProviderSchemaResponse,
    ) -> Result<GetResourceIdentitySchemasResponse, Diagnostics> {
        if schema.resource_schemas.is_empty() {
            return Ok(GetResourceIdentitySchemasResponse::default());
        }
        let asked = Asked::provider("GetResourceIdentitySchemas");
        let limit = self.options.quick_limit;
        let call = async {
            match process.client().get_resource_identity_schemas(Empty {}).await {
                Err(status) if status.code() == Code::Unimplemented => Ok(Default::default()),
                answer => answer,
            }
        };
        let answer = self.speaker.within(limit, process, &asked, call).await?;
        self.refuse(&answer.diagnostics)?;
        Ok(answer)
    }

    fn refuse(
        &self,
        diagnostics: &[plumb_provider_protocol::messages::Diagnostic],
    ) -> Result<(), Diagnostics> {
        self.speaker.reported(diagnostics).into_result().map(drop)
    }

    /// Ends the process of a slot that nobody is going to use again.
    pub async fn release(&self, slot: &Arc<Slot>) {
        self.slots.lock().await.retain(|other| !Arc::ptr_eq(other, slot));
        if let Some(process) = slot.process.get() {
            process.clone().stop().await;
        }
    }

    /// Asks the calls of every process to end soon.
    pub async fn interrupt(&self) {
        let slots = self.slots.lock().await.clone();
        let mut stops = JoinSet::new();
        for process in slots.iter().filter_map(|slot| slot.process.get().cloned()) {
            stops.spawn(interrupt(process));
        }
        stops.join_all().await;
    }

    /// Asks the calls of one process to end soon.
    pub async fn interrupt_one(&self, slot: &Slot) {
        if let Some(process) = slot.process.get() {
            interrupt(process.clone()).await;
        }
    }

    pub async fn stop(&self) {
        let slots = std::mem::take(&mut *self.slots.lock().await);
        let mut stops = JoinSet::new();
        for process in slots.iter().filter_map(|slot| slot.process.get().cloned()) {
            stops.spawn(process.stop());
        }
        drop(slots);
        stops.join_all().await;
    }

    pub fn enter(&self) {
        self.users.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it was the last one.
    pub fn leave(&self) -> bool {
        self.users.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

async fn interrupt(process: Process) {
    // What matters is what the interrupted calls answer.
    let _ = timeout(INTERRUPT_LIMIT, process.client().stop_provider(Empty {})).await;
}

impl Slot {
    fn new(config: Option<Value>) -> Arc<Slot> {
        Arc::new(Slot { process: OnceCell::new(), config: Mutex::new(config), configured: OnceCell::new() })
    }

    pub fn is_dead(&self) -> bool {
        self.process.get().is_some_and(Process::has_ended)
    }
}

/// What is said when a call comes before the configuration.
pub fn unconfigured(address: &str) -> Diagnostic {
    Diagnostic::error("provider-not-configured", "Provider is not configured")
        .detail(format!("Provider {address} was asked for objects before it was given its configuration."))
}
