//! The conformance provider with a remote system of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use plumb_model::{Diagnostics, Type, Value};
use plumb_provider_api::{
    ApplyRequest, ApplyResponse, PlanRequest, PlanResponse, Provider, ReadRequest, ReadResponse,
};
use plumb_provider_host::{Options, Plugin, PluginProvider};

pub const ADDRESS: &str = "example.com/plumb/conformance";

/// One provider, configured, with a remote system.
pub struct Bench {
    pub plugin: Plugin,
    pub provider: PluginProvider,
    pub remote: PathBuf,
    folder: tempfile::TempDir,
}

/// An object that was made.
#[derive(Clone, Debug)]
pub struct Made {
    pub state: Value,
    pub private: Bytes,
    pub identity: Option<Value>,
}

impl Bench {
    /// Speaks the protocol with this number, with variables beside the usual ones.
    pub async fn new(protocol: u8, variables: &[(&str, &str)]) -> Option<Bench> {
        let bench = Bench::unconfigured(protocol, variables)?;
        bench.ready().await
    }

    /// A provider that must answer soon.
    pub async fn impatient() -> Option<Bench> {
        let bench = Bench::with_limit(6, &[], Duration::from_millis(500))?;
        bench.ready().await
    }

    async fn ready(self) -> Option<Bench> {
        let diagnostics = self.configure(&self.provider).await;
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        Some(self)
    }

    /// The same, before it is configured.
    pub fn unconfigured(protocol: u8, variables: &[(&str, &str)]) -> Option<Bench> {
        Bench::with_limit(protocol, variables, Duration::from_secs(60))
    }

    fn with_limit(protocol: u8, variables: &[(&str, &str)], limit: Duration) -> Option<Bench> {
        let program = super::conformance()?;
        let folder = tempfile::tempdir().unwrap();
        let remote = folder.path().join("remote.jsonl");
        let protocol = protocol.to_string();
        let all =
            [("CONFORMANCE_PROTOCOL", protocol.as_str()), ("CONFORMANCE_REMOTE", remote.to_str().unwrap())];
        let environment = all.iter().chain(variables).map(|(n, v)| (n.into(), v.into())).collect();
        let options = Options { environment, work_limit: Some(limit), ..Options::default() };
        let plugin = super::plugin(ADDRESS, program, options);
        Some(Bench { provider: plugin.provider(), plugin, remote, folder })
    }

    pub async fn configure(&self, provider: &PluginProvider) -> Diagnostics {
        provider.configure(Value::object([("remote", null()), ("token", null()), ("refuse", null())])).await
    }

    pub async fn ty(&self, kind: &str) -> Type {
        self.provider.schema().await.unwrap().resources[kind].block.implied_type()
    }

    /// The object that an author writes: what is not named is null, or empty for blocks.
    pub async fn object(&self, kind: &str, attributes: &[(&str, Value)]) -> Value {
        let schema = self.provider.schema().await.unwrap().resources[kind].clone();
        let empty = schema.block.empty();
        let mut entries: BTreeMap<_, _> =
            empty.as_entries().unwrap().iter().map(|(n, v)| (n.clone(), v.clone())).collect();
        for (name, value) in attributes {
            assert!(entries.insert((*name).into(), value.clone()).is_some(), "{kind} has no {name}");
        }
        Value::object(entries)
    }

    pub async fn try_plan(
        &self,
        kind: &str,
        prior: Option<&Made>,
        config: Value,
    ) -> Result<PlanResponse, Diagnostics> {
        let proposed = merged(prior.map(|p| &p.state), &config);
        self.plan_proposed(kind, prior, proposed, config).await
    }

    pub async fn plan_proposed(
        &self,
        kind: &str,
        prior: Option<&Made>,
        proposed: Value,
        config: Value,
    ) -> Result<PlanResponse, Diagnostics> {
        let null = Value::Null(self.ty(kind).await);
        let request = PlanRequest {
            kind: kind.into(),
            prior: prior.map_or(null, |p| p.state.clone()),
            proposed,
            config,
            prior_private: prior.map(|p| p.private.clone()).unwrap_or_default(),
            meta: None,
            prior_identity: prior.and_then(|p| p.identity.clone()),
        };
        self.provider.plan(request).await.into_result().map(|(plan, _)| plan)
    }

    pub async fn try_apply(
        &self,
        kind: &str,
        prior: Option<&Made>,
        plan: PlanResponse,
        config: Value,
    ) -> ApplyResponse {
        let null = Value::Null(self.ty(kind).await);
        let request = ApplyRequest {
            kind: kind.into(),
            prior: prior.map_or(null, |p| p.state.clone()),
            planned: plan.planned,
            config,
            planned_private: plan.private,
            meta: None,
            planned_identity: plan.identity,
        };
        self.provider.apply(request).await
    }

    /// Plans and applies; nothing may go wrong.
    pub async fn apply(&self, kind: &str, prior: Option<&Made>, config: Value) -> Made {
        let plan = self.try_plan(kind, prior, config.clone()).await.unwrap();
        let done = self.try_apply(kind, prior, plan, config).await;
        assert!(done.diagnostics.is_empty(), "{:?}", done.diagnostics);
        Made { state: done.state.unwrap(), private: done.private, identity: done.identity }
    }

    pub async fn try_read(&self, kind: &str, made: &Made) -> Result<ReadResponse, Diagnostics> {
        let request = ReadRequest {
            kind: kind.into(),
            current: made.state.clone(),
            private: made.private.clone(),
            meta: None,
            identity: made.identity.clone(),
        };
        self.provider.read(request).await.into_result().map(|(read, _)| read)
    }

    /// What happened to the remote system: `create thing a`.
    pub fn history(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.remote).unwrap_or_default();
        let event = |line: &str| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            format!(
                "{} {} {}",
                event["op"].as_str().unwrap(),
                event["kind"].as_str().unwrap(),
                event["name"].as_str().unwrap()
            )
        };
        text.lines().map(event).collect()
    }

    /// The processes of this provider that run now.
    pub fn processes(&self) -> Vec<u32> {
        processes(self.remote.to_str().unwrap())
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// The processes that have this text in their environment, without those that have ended and not been asked how.
pub fn processes(text: &str) -> Vec<u32> {
    let entries =
        std::fs::read_dir("/proc").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let has = |id: &u32| {
        std::fs::read(format!("/proc/{id}/environ"))
            .is_ok_and(|e| e.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    entries.filter(has).collect()
}

pub fn null() -> Value {
    Value::NULL
}

/// Computed attributes that the author leaves out keep their prior value.
fn merged(prior: Option<&Value>, config: &Value) -> Value {
    let (Some(prior), Some(config)) = (prior.and_then(Value::as_entries), config.as_entries()) else {
        return config.clone();
    };
    Value::object(config.iter().map(|(name, value)| {
        let kept = ["label", "address", "id"].contains(&name.as_str()) && value.is_null();
        let value = if kept { prior.get(name).unwrap_or(value) } else { value };
        (name.clone(), value.clone())
    }))
}

/// The code of the only diagnostic.
pub fn code(diagnostics: &Diagnostics) -> &'static str {
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    diagnostics.iter().next().unwrap().code
}
