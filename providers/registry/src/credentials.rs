//! The tokens by which hosts know who asks.
//!
//! A token comes from the first of these that has one: a variable (`TF_TOKEN_example_com`), a `credentials` block, what
//! `terraform login` saved, the `credentials_helper`.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::client::Authorization;
use crate::settings::{self, Helper, Settings, normal_host};

/// How long a helper may take: it may ask a vault over the network, but not a person.
const HELPER_TIME: Duration = Duration::from_secs(60);

/// Why the helper gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credentials helper `{name}` {problem}")]
pub struct HelperError {
    /// Its name in the configuration.
    pub name: String,
    /// What went wrong; a clause that follows the name.
    pub problem: String,
}

/// The token for a host in its normal form, if there is one.
///
/// # Errors
/// If the helper fails.
pub async fn token(settings: &Settings, host: &str) -> Result<Option<Authorization>, HelperError> {
    let known = from_variables(variables(), host)
        .or_else(|| settings.tokens.get(host).cloned())
        .or_else(|| settings.saved_tokens.get(host).cloned());
    let token = match (known, &settings.helper) {
        (None, Some(helper)) => ask(helper, host).await?,
        (known, _) => known,
    };
    Ok(token.filter(|token| !token.is_empty()).map(Authorization::Bearer))
}

/// The variables that are text.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The token that the variables have for a host. In their names `__` stands for `-`, and any other `_` for `.`; both may also
/// stand for themselves, where the shell allows it.
fn from_variables(variables: impl Iterator<Item = (String, String)>, host: &str) -> Option<String> {
    variables
        .filter_map(|(name, token)| {
            let name = name.strip_prefix("TF_TOKEN_")?.replace("__", "-").replace('_', ".");
            (normal_host(&name).as_deref() == Some(host)).then_some(token)
        })
        .find(|token| !token.is_empty())
}

/// Asks the program `terraform-credentials-NAME` in the folders in which Terraform looks for it.
async fn ask(helper: &Helper, host: &str) -> Result<Option<String>, HelperError> {
    let wrong = |problem: String| HelperError { name: helper.name.clone(), problem };
    let program = program(&helper.name).ok_or_else(|| {
        wrong(format!("is not there: no folder of plugins has a file {}", file_name(&helper.name)))
    })?;
    let mut command = tokio::process::Command::new(&program);
    command.args(&helper.args).args(["get", host]).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(HELPER_TIME, command.output())
        .await
        .unwrap_or_else(|_| Err(io::Error::other(format!("no answer within {} s", HELPER_TIME.as_secs()))))
        .map_err(|error| wrong(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(wrong(format!("failed for {host} ({}): {said}", output.status)));
    }
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| wrong(format!("answered with something that is no JSON: {error}")))?;
    Ok(answer.get("token").and_then(|token| token.as_str()).map(str::to_owned))
}

fn file_name(name: &str) -> String {
    format!("terraform-credentials-{name}")
}

fn program(name: &str) -> Option<PathBuf> {
    let safe = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let home = settings::home().map(|home| home.join(".terraform.d/plugins"));
    let folders = [Some(PathBuf::from("terraform.d/plugins")), home];
    let files = folders.into_iter().flatten().map(|folder| folder.join(file_name(name)));
    files.filter(|_| safe).find(|file| file.is_file()).and_then(|file| std::path::absolute(file).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_variables_are_those_of_hosts() {
        let token = |name: &str, host: &str| {
            from_variables(std::iter::once((name.to_owned(), "x".to_owned())), host).is_some()
        };
        for (name, host) in [
            ("TF_TOKEN_app_terraform_io", "app.terraform.io"),
            ("TF_TOKEN_my__registry_example_com", "my-registry.example.com"),
            ("TF_TOKEN_xn____bcher__kva_example", "xn--bcher-kva.example"),
            ("TF_TOKEN_app.terraform.io", "app.terraform.io"),
            ("TF_TOKEN_APP_Terraform_io", "app.terraform.io"),
            ("TF_TOKEN_localhost:8443", "localhost:8443"),
        ] {
            assert!(token(name, host), "{name}");
        }
        assert!(!token("TF_TOKEN_other_com", "app.terraform.io"));
        assert!(!token("TOKEN_app_terraform_io", "app.terraform.io"));
    }
}
