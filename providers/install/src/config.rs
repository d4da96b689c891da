//! What the command-line configuration says about providers: where they may come from, and where packages are shared.
//!
//! What is not said follows Terraform's defaults: mirrors in the usual folders, then the registry. The files and their
//! syntax are those of [`plumb_registry::settings`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plumb_model::{Diagnostic, Diagnostics};
use plumb_registry::Settings;
use plumb_registry::settings::syntax::{Item, Setting};
use plumb_registry::settings::{self, Other, SettingsError};

use crate::address::{Address, Pattern};

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
    /// A mirror that speaks HTTPS; its base, with a slash at the end.
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

/// The command-line configuration of providers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CliConfig {
    /// Folders with programs that stand in for installed providers, without version or check.
    pub overrides: BTreeMap<Address, PathBuf>,
    /// The ways to get providers, in order; `None` if nothing is said.
    pub methods: Option<Vec<Method>>,
    /// A folder of packages that several working directories share.
    pub cache: Option<PathBuf>,
    /// Whether a package in the cache is good for a provider that the lock file does not know yet. The lock file then has only
    /// the hash of that package, and not those of the other platforms.
    pub cache_may_break_lock: bool,
}

impl CliConfig {
    /// Reads what the settings and the environment say. There may be warnings besides.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn read(settings: &Settings) -> Result<(CliConfig, Diagnostics), Diagnostics> {
        let mut config = CliConfig::default();
        let mut found = Diagnostics::new();
        for Other { file, item } in &settings.others {
            if let Err(error) = config.take(file, item, &mut found) {
                found.push(settings::invalid(file, &error));
            }
        }
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(cache) = variable("TF_PLUGIN_CACHE_DIR") {
            config.cache = Some(cache.into());
        }
        if let Some(value) = variable("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE") {
            config.cache_may_break_lock = value != "0" && value != "false";
        }
        if found.has_errors() { Err(found) } else { Ok((config, found)) }
    }

    fn take(&mut self, file: &Path, item: &Item, found: &mut Diagnostics) -> Result<(), SettingsError> {
        match item.names[0].as_str() {
            "plugin_cache_dir" => {
                let folder = expand(item.text()?);
                self.cache.get_or_insert(folder);
            }
            "plugin_cache_may_break_dependency_lock_file" => {
                self.cache_may_break_lock = item.text()? == "true"
            }
            "provider_installation" => {
                if self.methods.is_some() {
                    return Err(item.wrong("there may be one `provider_installation` only"));
                }
                self.installation(file, item.block()?, found)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn installation(
        &mut self,
        file: &Path,
        items: &[Item],
        found: &mut Diagnostics,
    ) -> Result<(), SettingsError> {
        let mut methods = Vec::new();
        for item in items {
            let body = item.block()?;
            let own = match item.names[0].as_str() {
                "dev_overrides" => {
                    self.overrides(body)?;
                    continue;
                }
                "filesystem_mirror" => Some("path"),
                "network_mirror" => Some("url"),
                "direct" => None,
                other => {
                    return Err(item.wrong(format!(
                        "`{other}` is no way to install providers; there are dev_overrides, filesystem_mirror, network_mirror and direct"
                    )));
                }
            };
            let place = own.map(|name| required(item, body, name)).transpose()?;
            let origin = match (item.names[0].as_str(), place) {
                ("filesystem_mirror", Some(place)) => Origin::Filesystem(expand(place.text()?)),
                (_, Some(place)) => Origin::Network(mirror_url(place)?),
                (_, None) => Origin::Direct,
            };
            let known: Vec<&str> = ["include", "exclude"].into_iter().chain(own).collect();
            for inner in body.iter().filter(|inner| !known.contains(&inner.names[0].as_str())) {
                found.push(settings::unknown(file, inner, &item.names[0], &known));
            }
            let (include, exclude) = (patterns(body, "include")?, patterns(body, "exclude")?);
            methods.push(Method { origin, include, exclude });
        }
        self.methods = Some(methods);
        Ok(())
    }

    fn overrides(&mut self, items: &[Item]) -> Result<(), SettingsError> {
        for item in items {
            let address = item.names[0].parse().map_err(|e| item.wrong(format!("{e}")))?;
            let folder = expand(item.text()?);
            self.overrides.entry(address).or_insert(folder);
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
}

fn required<'a>(item: &Item, body: &'a [Item], name: &str) -> Result<&'a Item, SettingsError> {
    body.iter()
        .find(|inner| inner.names == [name])
        .ok_or_else(|| item.wrong(format!("`{}` needs a text for `{name}`", item.names[0])))
}

/// The base of a network mirror, with a slash at its end, so that names can be appended.
fn mirror_url(item: &Item) -> Result<String, SettingsError> {
    parse_mirror_url(item.text()?).map_err(|problem| item.wrong(problem))
}

/// The same, of a text that somebody gave.
///
/// # Errors
/// What is wrong with it; a clause.
pub fn parse_mirror_url(text: &str) -> Result<String, String> {
    let url = plumb_registry::Url::parse(text).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    if url.scheme() != "https" {
        return Err(format!("{text:?} is no HTTPS address, and packages are not fetched without TLS"));
    }
    Ok(if text.ends_with('/') { text.to_owned() } else { format!("{text}/") })
}

fn patterns(items: &[Item], name: &str) -> Result<Vec<Pattern>, SettingsError> {
    let Some(item) = items.iter().find(|item| item.names == [name]) else { return Ok(Vec::new()) };
    // Braces and brackets of nothing look alike in JSON.
    if item.value == Setting::List(Vec::new()) {
        return Ok(Vec::new());
    }
    let pattern = |text: &String| text.parse().map_err(|e| item.wrong(format!("{e}")));
    item.texts()?.iter().map(pattern).collect()
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
    match (expanded.strip_prefix("~/"), settings::home()) {
        (Some(below), Some(home)) => home.join(below),
        _ => expanded.into(),
    }
}

/// Where Terraform looks for providers that nobody told it about.
fn usual_folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("terraform.d/plugins")];
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(home) = settings::home() {
        folders.push(home.join(".terraform.d/plugins"));
        let data = variable("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
        folders.push(data.join("terraform/plugins"));
    }
    let shared = variable("XDG_DATA_DIRS").map(|dirs| std::env::split_paths(&dirs).collect::<Vec<_>>());
    let shared = shared.unwrap_or_else(|| ["/usr/local/share", "/usr/share"].map(PathBuf::from).into());
    folders.extend(shared.into_iter().map(|folder| folder.join("terraform/plugins")));
    folders
}

/// The program in a folder that stands in for an installed provider.
///
/// # Errors
/// If there is none.
pub fn override_program(address: &Address, folder: &Path) -> Result<PathBuf, Diagnostics> {
    crate::source::program_in(folder, address).ok_or_else(|| {
        Diagnostic::error("override-without-program", "Overriding folder has no program")
            .detail(format!(
                "The command-line configuration says that provider {address} is in {}, but there is no file terraform-provider-{} in it.",
                folder.display(),
                address.kind
            ))
            .help("Build the provider into this folder, or take it out of `dev_overrides`.")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        plugin_cache_dir = "/cache"
        provider_installation {
          dev_overrides { "example.com/acme/probe" = "/probe" }
          filesystem_mirror {
            path    = "/mirror"
            include = ["example.com/*/*"]
          }
          network_mirror { url = "https://mirror.example.com" }
          direct { exclude = ["example.com/*/*"] }
        }
    "#;

    fn read(text: &str) -> Result<(CliConfig, Diagnostics), Diagnostics> {
        let mut settings = Settings::default();
        let found = settings.add(Path::new("rc"), text);
        assert!(found.is_empty(), "{found:?}");
        CliConfig::read(&settings)
    }

    #[test]
    fn a_file_says_where_providers_come_from() {
        let (config, found) = read(FILE).unwrap();
        assert!(found.is_empty(), "{found:?}");
        let probe: Address = "example.com/acme/probe".parse().unwrap();
        assert_eq!(config.overrides[&probe], PathBuf::from("/probe"));
        let methods = config.methods();
        let covering: Vec<_> = methods.iter().filter(|m| m.covers(&probe)).map(|m| &m.origin).collect();
        let network = Origin::Network("https://mirror.example.com/".into());
        assert_eq!(covering, [&Origin::Filesystem("/mirror".into()), &network]);
        let time: Address = "time".parse().unwrap();
        assert!(methods[2].covers(&time) && !methods[0].covers(&time));
    }

    #[test]
    fn json_says_the_same() {
        let json = r#"{"plugin_cache_dir": "/cache", "provider_installation": {
            "dev_overrides": {"example.com/acme/probe": "/probe"},
            "filesystem_mirror": {"path": "/mirror", "include": ["example.com/*/*"]},
            "network_mirror": {"url": "https://mirror.example.com"},
            "direct": {"exclude": ["example.com/*/*"]}}}"#;
        assert_eq!(read(json).unwrap().0, read(FILE).unwrap().0);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, wanted) in [
            ("provider_installation {\n mirror {}\n}", "rc, line 2: `mirror` is no way"),
            ("provider_installation { filesystem_mirror {} }", "needs a text for `path`"),
            ("provider_installation { network_mirror { url = \"http://x.com/\" } }", "is no HTTPS address"),
            ("provider_installation { direct { include = [\"a/b/c/d\"] } }", "more than three parts"),
            ("provider_installation = 1", "is a block"),
            ("provider_installation {}\nprovider_installation {}", "line 2: there may be one"),
        ] {
            let found = read(text).unwrap_err();
            let detail = &found.iter().next().unwrap().detail;
            assert!(detail.contains(wanted), "{text}: {detail}");
        }
        let (_, found) = read("provider_installation { direct { exclud = [\"a/b\"] } }").unwrap();
        assert_eq!(found.iter().next().unwrap().help.as_deref(), Some("Did you mean `exclude`?"));
    }

    #[test]
    fn variables_in_paths_are_put_in() {
        let path = std::env::var("PATH").unwrap();
        assert_eq!(expand("/a/$PATH/b"), PathBuf::from(format!("/a/{path}/b")));
        assert_eq!(expand("/a/${PATH}b"), PathBuf::from(format!("/a/{path}b")));
    }
}
