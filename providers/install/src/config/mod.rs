//! The command-line configuration: where providers may come from.
//!
//! Terraform's files are read, in its order: the file that `TF_CLI_CONFIG_FILE` names, or else `~/.terraformrc` and the `*.tfrc`
//! files in `~/.terraform.d`. What they do not say follows Terraform's defaults: mirrors in the usual folders, then
//! the registry.

mod hcl1;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plumb_model::{Diagnostic, Diagnostics};

use crate::address::{Address, Pattern};
use hcl1::{Item, Setting};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ConfigError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong; a clause.
    pub problem: String,
}

/// A way to get providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Where from.
    pub origin: Origin,
    /// For which providers; none for all.
    pub include: Vec<Pattern>,
    /// For which not, whatever else is said.
    pub exclude: Vec<Pattern>,
}

/// Where providers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder, packed or unpacked.
    Filesystem(PathBuf),
    /// A mirror that speaks HTTPS.
    Network(String),
    /// The registry that the address names.
    Direct,
}

impl Method {
    /// For all providers.
    pub fn all(origin: Origin) -> Method {
        Method { origin, include: Vec::new(), exclude: Vec::new() }
    }

    /// Whether it is for a provider.
    pub fn covers(&self, address: &Address) -> bool {
        let matches = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches(address));
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }
}

/// The command-line configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CliConfig {
    /// Folders with programs that stand in for installed providers, without version or check.
    pub overrides: BTreeMap<Address, PathBuf>,
    /// The ways to get providers, in order; `None` if nothing is said.
    pub methods: Option<Vec<Method>>,
    /// A folder that several working directories share.
    pub cache: Option<PathBuf>,
    /// Tokens by host.
    pub tokens: BTreeMap<String, String>,
}

impl CliConfig {
    /// Reads the files that the environment names.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn load() -> Result<CliConfig, Diagnostics> {
        let mut config = CliConfig::default();
        let mut diagnostics = Diagnostics::new();
        for path in files() {
            // A file that is not there, or cannot be read, says nothing; Terraform also goes on.
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            if let Err(error) = config.merge(&text) {
                diagnostics.push(
                    Diagnostic::error("invalid-cli-config", "Invalid command-line configuration")
                        .detail(format!("{}, {error}.", path.display())),
                );
            }
        }
        if let Some(cache) = std::env::var_os("TF_PLUGIN_CACHE_DIR").filter(|dir| !dir.is_empty()) {
            config.cache = Some(cache.into());
        }
        diagnostics.into_result().map(|_| config)
    }

    /// Adds what the text of a file says; what was said first stays.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn merge(&mut self, text: &str) -> Result<(), ConfigError> {
        for item in hcl1::parse(text)? {
            match (item.names[0].as_str(), item.names.get(1)) {
                ("plugin_cache_dir", None) => {
                    self.cache = self.cache.take().or(item.value.as_text().map(expand));
                }
                ("credentials", Some(host)) => {
                    let token = setting(item.value.as_block().unwrap_or_default(), "token");
                    if let Some(token) = token.and_then(Setting::as_text) {
                        self.tokens.entry(host.to_lowercase()).or_insert_with(|| token.to_owned());
                    }
                }
                ("provider_installation", None) => self.installation(block(&item)?)?,
                // Other settings are about other things.
                _ => {}
            }
        }
        Ok(())
    }

    fn installation(&mut self, items: &[Item]) -> Result<(), ConfigError> {
        let mut methods = Vec::new();
        for item in items {
            let body = block(item)?;
            let needed = |name: &str| {
                setting(body, name).and_then(Setting::as_text).ok_or_else(|| missing(&item.names[0], name))
            };
            let origin = match item.names[0].as_str() {
                "dev_overrides" => {
                    self.overrides(body)?;
                    continue;
                }
                "filesystem_mirror" => Origin::Filesystem(expand(needed("path")?)),
                "network_mirror" => Origin::Network(needed("url")?.to_owned()),
                "direct" => Origin::Direct,
                other => {
                    return Err(ConfigError {
                        line: 1,
                        problem: format!(
                            "`{other}` is no way to install providers; there are dev_overrides, filesystem_mirror, network_mirror and direct"
                        ),
                    });
                }
            };
            let (include, exclude) = (patterns(body, "include")?, patterns(body, "exclude")?);
            methods.push(Method { origin, include, exclude });
        }
        self.methods.get_or_insert(methods);
        Ok(())
    }

    fn overrides(&mut self, items: &[Item]) -> Result<(), ConfigError> {
        for item in items {
            let address =
                item.names[0].parse().map_err(|e| ConfigError { line: 1, problem: format!("{e}") })?;
            let folder = item.value.as_text().ok_or_else(|| missing("dev_overrides", &item.names[0]))?;
            self.overrides.entry(address).or_insert_with(|| expand(folder));
        }
        Ok(())
    }

    /// The ways to get providers, where nothing is said: mirrors in the usual folders, for the providers that are
    /// there, and the registry for all others.
    pub fn methods(&self) -> Vec<Method> {
        if let Some(methods) = &self.methods {
            return methods.clone();
        }
        let mut methods: Vec<Method> = Vec::new();
        let mut direct = Method::all(Origin::Direct);
        for folder in usual_folders().into_iter().filter(|folder| folder.is_dir()) {
            let found = crate::source::filesystem::addresses(&folder);
            let exactly = |address: &Address| address.to_string().parse().expect("an address is a pattern");
            direct.exclude.extend(found.iter().map(exactly));
            methods.push(Method::all(Origin::Filesystem(folder)));
        }
        methods.push(direct);
        methods
    }

    /// The token for a host: from the environment (`TF_TOKEN_example_com`), or else from the files.
    pub fn token(&self, host: &str) -> Option<String> {
        let name = format!("TF_TOKEN_{}", host.replace('-', "__").replace('.', "_"));
        std::env::var(name).ok().filter(|token| !token.is_empty()).or_else(|| self.tokens.get(host).cloned())
    }
}

fn missing(block: &str, name: &str) -> ConfigError {
    ConfigError { line: 1, problem: format!("`{block}` needs a text for `{name}`") }
}

fn block(item: &Item) -> Result<&[Item], ConfigError> {
    item.value
        .as_block()
        .ok_or_else(|| ConfigError { line: 1, problem: format!("`{}` is a block", item.names[0]) })
}

fn setting<'a>(items: &'a [Item], name: &str) -> Option<&'a Setting> {
    items.iter().find(|item| item.names == [name]).map(|item| &item.value)
}

fn patterns(items: &[Item], name: &str) -> Result<Vec<Pattern>, ConfigError> {
    let Some(value) = setting(items, name) else { return Ok(Vec::new()) };
    let wrong = |problem: String| ConfigError { line: 1, problem };
    let Setting::List(elements) = value else { return Err(wrong(format!("`{name}` is a list of patterns"))) };
    let pattern = |element: &Setting| {
        let text = element.as_text().ok_or_else(|| wrong(format!("`{name}` is a list of texts")))?;
        text.parse().map_err(|e| wrong(format!("{e}")))
    };
    elements.iter().map(pattern).collect()
}

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// A path with the home folder and variables put in.
fn expand(path: &str) -> PathBuf {
    let mut expanded = String::new();
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('$') {
        expanded.push_str(before);
        let braced = behind.strip_prefix('{').and_then(|b| b.split_once('}'));
        let end = behind.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(behind.len());
        let (name, tail) = braced.unwrap_or_else(|| behind.split_at(end));
        expanded.push_str(&std::env::var(name).unwrap_or_default());
        rest = tail;
    }
    expanded.push_str(rest);
    match (expanded.strip_prefix("~/"), home()) {
        (Some(below), Some(home)) => home.join(below),
        _ => expanded.into(),
    }
}

fn files() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os("TF_CLI_CONFIG_FILE").filter(|name| !name.is_empty()) {
        return vec![named.into()];
    }
    let Some(home) = home() else { return Vec::new() };
    let mut files = vec![home.join(".terraformrc")];
    let folder = std::fs::read_dir(home.join(".terraform.d"));
    let mut more: Vec<PathBuf> = folder
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".tfrc"))
        .collect();
    more.sort();
    files.extend(more);
    files
}

/// Where Terraform looks for providers that nobody told it about.
fn usual_folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("terraform.d/plugins")];
    if let Some(home) = home() {
        folders.push(home.join(".terraform.d/plugins"));
        folders.push(home.join(".local/share/terraform/plugins"));
    }
    folders.extend(["/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"].map(PathBuf::from));
    folders
}

/// The program in a folder that stands in for an installed provider.
///
/// # Errors
/// If there is none.
pub fn override_program(address: &Address, folder: &Path) -> Result<PathBuf, Diagnostics> {
    crate::source::program_in(folder, address).ok_or_else(|| {
        Diagnostic::error("override-without-program", "Overriding folder has no program").detail(format!(
            "The command-line configuration says that provider {address} is in {}, but there is no file terraform-provider-{} in it.",
            folder.display(),
            address.kind
        ))
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        plugin_cache_dir = "/cache"
        credentials "Registry.example.com" { token = "secret" }
        provider_installation {
          dev_overrides { "example.com/acme/probe" = "/probe" }
          filesystem_mirror {
            path    = "/mirror"
            include = ["example.com/*/*"]
          }
          network_mirror { url = "https://mirror.example.com/" }
          direct { exclude = ["example.com/*/*"] }
        }
    "#;

    #[test]
    fn a_file_says_where_providers_come_from() {
        let mut config = CliConfig::default();
        config.merge(FILE).unwrap();
        config.merge("plugin_cache_dir = \"/other\"").unwrap();
        let probe: Address = "example.com/acme/probe".parse().unwrap();
        assert_eq!(config.overrides[&probe], PathBuf::from("/probe"));
        assert_eq!(config.cache, Some("/cache".into()));
        assert_eq!(config.tokens["registry.example.com"], "secret");
        let methods = config.methods();
        let covering: Vec<_> = methods.iter().filter(|m| m.covers(&probe)).map(|m| &m.origin).collect();
        let network = Origin::Network("https://mirror.example.com/".into());
        assert_eq!(covering, [&Origin::Filesystem("/mirror".into()), &network]);
        let time: Address = "time".parse().unwrap();
        assert!(methods[2].covers(&time) && !methods[0].covers(&time));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wanted) in [
            ("provider_installation { mirror {} }", "`mirror` is no way"),
            ("provider_installation { filesystem_mirror {} }", "needs a text for `path`"),
            ("provider_installation { direct { include = [\"a/b/c/d\"] } }", "more than three parts"),
            ("provider_installation = 1", "is a block"),
        ] {
            let error = CliConfig::default().merge(text).unwrap_err();
            assert!(error.problem.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn variables_in_paths_are_put_in() {
        let path = std::env::var("PATH").unwrap();
        assert_eq!(expand("/a/$PATH/b"), PathBuf::from(format!("/a/{path}/b")));
        assert_eq!(expand("/a/${PATH}b"), PathBuf::from(format!("/a/{path}b")));
    }
}
