//! Reading the outputs of another state.

use std::path::{Path as FilePath, PathBuf};

use plumb_model::{Diagnostic, Diagnostics, Path, Value, json};
use plumb_provider_sdk::check::one_of;
use plumb_provider_sdk::{Attr, Checks, Context, DataSource, Model, async_trait};
use serde_json::Value as Json;

/// The outputs of the root module in a Terraform state file.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct RemoteState {
    /// Where the state is: `local`, a file on this machine.
    #[attribute(required)]
    pub backend: Attr<String>,
    /// For `local`: `path`, the state file, by default `terraform.tfstate`; and `workspace_dir`, where the states
    /// of other workspaces are, by default `terraform.tfstate.d`.
    #[attribute(optional)]
    pub config: Attr<Value>,
    /// The workspace; by default `default`.
    #[attribute(optional)]
    pub workspace: Attr<String>,
    /// Outputs for when the state does not have them, or there is no state.
    #[attribute(optional)]
    pub defaults: Attr<Value>,
    /// The outputs by name.
    #[attribute(computed)]
    pub outputs: Attr<Value>,
}

pub(super) struct ReadState;

fn trouble(path: &FilePath, problem: &str) -> Diagnostics {
    Diagnostic::error("state-unreadable", "State cannot be read")
        .detail(format!("`{}`: {problem}.", path.display()))
        .attribute(Path::of("config"))
        .into()
}

fn state_path(config: &RemoteState) -> PathBuf {
    let given = |name: &str| {
        config.config.known().and_then(|c| c.get(name)).and_then(Value::as_str).map(|text| text.to_string())
    };
    match config.workspace.text() {
        "" | "default" => given("path").unwrap_or("terraform.tfstate".into()).into(),
        workspace => PathBuf::from(given("workspace_dir").unwrap_or("terraform.tfstate.d".into()))
            .join(workspace)
            .join("terraform.tfstate"),
    }
}

/// The outputs in a state file of format version 4.
fn outputs_in(text: &[u8]) -> Result<Vec<(String, Value)>, String> {
    let state: Json = serde_json::from_slice(text).map_err(|e| format!("it is not JSON: {e}"))?;
    match state.get("version").and_then(Json::as_u64) {
        Some(4) => {}
        Some(version) => return Err(format!("it has format version {version}, wanted 4")),
        None => return Err("it is not a state file".into()),
    }
    let outputs = state.get("outputs").and_then(Json::as_object);
    outputs
        .into_iter()
        .flatten()
        .map(|(name, output)| {
            let problem = |e: json::JsonError| format!("its output `{name}` cannot be read: {e}");
            let (value, ty) = (output.get("value"), output.get("type"));
            let (Some(value), Some(ty)) = (value, ty) else {
                return Err(format!("its output `{name}` has no value and type"));
            };
            let ty = json::type_from_json(ty).map_err(problem)?;
            Ok((name.clone(), json::from_json(value, &ty).map_err(problem)?))
        })
        .collect()
}

#[async_trait]
impl DataSource for ReadState {
    type Model = RemoteState;
    type Client = ();

    fn validate(&self, config: &RemoteState, checks: &mut Checks) {
        checks.attribute("backend", &config.backend, one_of(&["local"]));
    }

    async fn read(&self, config: RemoteState, _: &mut Context<()>) -> Result<RemoteState, Diagnostics> {
        let path = state_path(&config);
        let file = path.clone();
        let defaults = config.defaults.known().and_then(Value::as_entries).cloned();
        let found = match crate::blocking(move || std::fs::read(file)).await {
            Ok(text) => outputs_in(&text).map_err(|problem| trouble(&path, &problem))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && defaults.is_some() => Vec::new(),
            Err(e) => return Err(trouble(&path, &e.to_string())),
        };
        let defaults = defaults.unwrap_or_default().into_iter();
        let outputs =
            Value::object(defaults.chain(found.into_iter().map(|(name, value)| (name.into(), value))));
        Ok(RemoteState { outputs: outputs.into(), ..config })
    }
}
